"""Nudged inference: the output is free and pulled towards the target by lam times the loss.

Source: Millidge, Song, Salvatori, Lukasiewicz and Bogacz (2022), backprop at
the infinitesimal inference limit, I-1, I-3, for predictive coding.
"""

from __future__ import annotations

from dataclasses import replace

from ..language.diff import diff
from ..language.index import Idx, eq, ge, le, lt, qvar, span
from ..language.signature import DEFINED, PARAMETER, Case, Claim, Definition, Eq, Statement, Symbol, Theory
from ..language.terms import ONE, ZERO, App, Term, add, mul, neg, replace_apps, subst
from ..networks.backprop import DATA, backprop_definitions, initial_symbols
from ..networks.network import B, L, Network, width
from .claims import GAMMA, STATE, gamma_power
from .equilibrium import backprop_change, change, everywhere, learning_theory, weights
from .fixed_points import clamped_input

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")
LAM = App("lam")
X, MU, EPS, Y, DELTA = (
    App("x", (t, l, b, i)),
    App("mu", (t, l, b, i)),
    App("eps", (t, l, b, i)),
    App("y", (l, b, i)),
    App("delta", (l, b, i)),
)
NUDGE = Symbol("lam", PARAMETER, 0, shape="scalar", meaning="strength of the nudge")
FREE = (ge(l, 0), lt(l, L))


def energy_gradient(net: Network) -> tuple[Case, ...]:
    """Of F + lam times the loss of x^0, by the activity of every free layer, the output included."""
    base = net.energy_theory().extend((NUDGE, *(s for s in DATA if s.name == "s_out")))
    nudged = add(net.energy(), mul(LAM, net.loss("x")))
    ranges = (*span(b, 0, B), *span(i, 0, width(l)))
    return diff(base, nudged, App("x", (l, b, i))).cases(FREE, (*net.assumptions, *ranges))


def running_theory(net: Network) -> Theory:
    """Steps of -gamma d(F + lam loss)/dx from the forward pass, weights as they are; beside backprop."""
    initial = {k.name: k.initial for k in net.kinds}
    before = t - 1

    def at(time: Idx, term: Term) -> Term:
        def put(a: App) -> Term | None:
            if a.name in initial:
                return App(initial[a.name], a.idx)
            return App(a.name, (time, *a.idx)) if a.name in ("x", "mu", "eps") else None

        return replace_apps(term, put)

    cases = [
        Case((ge(t, 0), eq(l, L)), App("s_in", (b, i))),
        Case((eq(t, 0), *FREE), Y),
    ]
    for c in energy_gradient(net):
        step = mul(-1, GAMMA, at(before, c.value))
        cases.append(Case((ge(t, 1), *c.guard), add(App("x", (before, l, b, i)), step)))
    prediction = net.prediction(lambda *a: App("x", (t, *a)), lambda k, a: App(initial[k], a), l, b, i)
    names = ("t", "l", "b", "i")
    inner = (ge(t, 0), *FREE)
    group = (
        Definition("x", names, tuple(cases), (t, Idx(0))),
        Definition("mu", names, (Case(inner, prediction),), (t, Idx(1))),
        Definition("eps", names, (Case(inner, add(X, neg(MU))),), (t, Idx(2))),
    )
    shape = "time, layer, batch, unit"
    own = (
        NUDGE,
        Symbol("gamma", PARAMETER, 0, shape="scalar", meaning="step size of inference"),
        Symbol("x", DEFINED, 4, shape=shape, meaning="activity of the value nodes, the output free"),
        Symbol("mu", DEFINED, 4, shape=shape, meaning="predicted activity"),
        Symbol("eps", DEFINED, 4, shape=shape, meaning="prediction error"),
    )
    symbols, groups = backprop_definitions(net)
    base = (*DATA, *initial_symbols(net), *net.functions, *own, *symbols)
    return Theory(net.sizes, net.assumptions, {s.name: s for s in base}, (*groups, group))


def spread(net: Network) -> Claim:
    """From the free equilibrium the first step moves the output only, by gamma lam delta^0; then a layer joins a step.

    After t steps they have reached the layers below t: that of layer l is 0
    up to t = l and lam gamma^{l+1} delta^l at t = l + 1.
    """
    from ..tactics.nudged import spread_script

    names, layers = ("t", "l", "b", "i"), (ge(t, 0), *FREE, *STATE)
    first = subst(add(X, neg(Y)), {"t": Idx(1)})
    front = mul(LAM, gamma_power(l + 1), DELTA)
    goals = (
        Statement(("l", "b", "i"), (ge(l, 1), le(l, L), *STATE), Eq(first, ZERO)),
        Statement(
            ("b", "i"),
            (*span(b, 0, B), *span(i, 0, width(Idx(0)))),
            Eq(subst(first, {"l": Idx(0)}), mul(GAMMA, LAM, subst(DELTA, {"l": Idx(0)}))),
        ),
        Statement(names, (*layers, le(t, l)), Eq(X, Y)),
        Statement(names, (*layers, le(t, l)), Eq(EPS, ZERO)),
        Statement(names, (*layers, eq(t, l + 1)), Eq(EPS, front)),
    )
    return Claim(
        "nudged_spread",
        running_theory(net),
        goals,
        script=spread_script,
        says="recursion",
        title="Nudged from the free equilibrium: the first step moves the output only, errors advance a layer a step",
    )


# -- the nudged equilibrium -----------------------------------------------------------
def static(net: Network, t: Term) -> Term:
    """A term of backprop, at the state: y, delta and the ANN's weights made x, back and the network's own."""
    names = {"y": "x", "delta": "back", **{k.initial: k.name for k in net.kinds}}
    return replace_apps(t, lambda a: App(names[a.name], a.idx) if a.name in names and not a.args else None)


def equilibrium_theory(net: Network, *, input_clamped: bool = False) -> Theory:
    """Nothing moves: the nudged gradient is 0 at every free layer.  ``back`` is backprop's recursion at the state."""
    theory = learning_theory(net, {})
    rest = everywhere(Eq(App("gx", (l, b, i)), ZERO), *FREE)
    delta = theory.definition("delta")
    assert delta is not None
    cases = tuple(Case(c.guard, static(net, c.value)) for c in delta.cases)
    back = Definition("back", ("l", "b", "i"), cases, (l,))
    gradient = Definition("gx", ("l", "b", "i"), energy_gradient(net))
    groups = tuple((gradient,) if g[0].name == "gx" else g for g in theory.definitions)
    meaning = "backprop's recursion at the state, from target minus output"
    symbols = (NUDGE, Symbol("back", DEFINED, 3, shape="layer, batch, unit", meaning=meaning))
    kept = theory.hypotheses if input_clamped else {}
    hypotheses = {**kept, **({"input_clamped": clamped_input()} if input_clamped else {}), "at_rest": rest}
    return replace(theory, definitions=groups, hypotheses=hypotheses).extend(symbols, ((back,),))


def equilibrium(net: Network) -> Claim:
    """At a nudged equilibrium errors and changes are lam times backprop's at the state, for every lam.

    Backprop's recursion and changes are taken at the equilibrium's own values,
    from the error s_out - x^0 of its own output.  Source: I-3, before the limit.
    """
    from ..tactics.nudged import equilibrium_script

    theory = equilibrium_theory(net)
    missed = add(App("s_out", (b, i)), neg(App("mu", (0, b, i))))
    eps, output = App("eps", (l, b, i)), App("eps", (0, b, i))
    goals = [
        everywhere(Eq(eps, mul(LAM, App("back", (l, b, i)))), *FREE),
        Statement(
            ("b", "i"),
            (*span(b, 0, B), *span(i, 0, width(Idx(0)))),
            Eq(mul(add(ONE, LAM), output), mul(LAM, missed)),
        ),
    ]
    for k in net.kinds:
        d = theory.definition(k.initial_change)
        assert d is not None
        goals.append(weights(k, 1, Eq(change(k), mul(LAM, static(net, d.cases[0].value)))))
    return Claim(
        "nudged_equilibrium",
        theory,
        tuple(goals),
        script=equilibrium_script,
        says="recursion",
        title="At a nudged equilibrium errors and changes are lam times backprop's, at the equilibrium's own values",
    )


def equilibrium_is_backprop(net: Network) -> Claim:
    """False for lam other than 0: at a nudged equilibrium the changes are lam times those of backprop."""
    return Claim(
        "nudged_equilibrium_is_backprop",
        equilibrium_theory(net, input_clamped=True),
        tuple(weights(k, 1, Eq(change(k), mul(LAM, backprop_change(k)))) for k in net.kinds),
        title="At a nudged equilibrium the changes are lam times those of backprop",
    )
