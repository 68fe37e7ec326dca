"""Error optimisation and state-based PC are one problem in two sets of variables.

    x^l = y_e^l (1 <= l <= L),  e^l = eps^l (1 <= l < L),  e^0 = 0,  x^0 = s_out

F(x) is the energy of the states, E(e) that of the errors; ge^l = e^l - delta_e^l
is the gradient of E by e^l (``epc_gradient``).  Then grad_e E = T^T grad_x F
with T unit block triangular: ge^l = gx^l + J^T ge^{l-1}.
Source: Goemaere et al. (2025), G-2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..language.index import Con, eq, ge, le, lt, qvar, span
from ..language.signature import (
    DEFINED,
    PARAMETER,
    Case,
    Claim,
    Definition,
    Eq,
    Relation,
    Statement,
    Symbol,
    Tangent,
    Theory,
)
from ..language.tangent import tangent_definition
from ..language.terms import ZERO, App, Term, add, mul, neg, replace_apps
from ..networks.gradients import backprop_theory, derivative_hypotheses, variation, weight_pairing
from ..networks.network import B, L, Network, WeightKind, width
from .epc import EVERY, NAMES, STATE, TANGENT, energy, perturbed_theory
from .equilibrium import clamped_output, learning_theory, weights
from .fixed_points import EPS, GX, MU, X, clamped_input

l, b, i = qvar("l"), qvar("b"), qvar("i")
E, Y_E, DELTA_E, GE = (App(n, (l, b, i)) for n in ("e", "y_e", "delta_e", "ge"))
HIDDEN = (ge(l, 1), lt(l, L))
FREE = (ge(l, 0), lt(l, L))


def at(relation: Relation, *layers: Con) -> Statement:
    """At the layers given, for every sample and unit."""
    return Statement(EVERY, (*layers, *STATE), relation)


def at_output(relation: Relation) -> Statement:
    """For every sample and output."""
    return Statement(("b", "i"), (*span(b, 0, B), *span(i, 0, width(L - L))), relation)


def both_theory(net: Network, hypotheses: Mapping[str, Statement]) -> Theory:
    """States with their energy and its gradients, errors with their pass and its backprop; the same weights."""
    base = learning_theory(net, {})
    perturbed = perturbed_theory(net)
    own = [perturbed.symbols[n] for n in ("e", *NAMES.values())]
    groups = [g for g in perturbed.definitions if g[0].name in NAMES.values()]
    symbols = [*own, Symbol("ge", DEFINED, 3, shape="layer, batch, unit", meaning="gradient of E by e")]
    cases = (Case((eq(l, 0),), ZERO), Case(HIDDEN, add(E, neg(DELTA_E))))
    groups.append((Definition("ge", ("l", "b", "i"), cases),))
    ann = backprop_theory(net)
    for k in net.kinds:
        d = ann.definition(k.initial_change)
        assert d is not None
        put = tuple(Case(c.guard, replace_apps(c.value, _perturbed)) for c in d.cases)
        name = perturbed_change(k)
        groups.append((Definition(name, d.params, put),))
        meaning = "-alpha times the gradient of E at fixed e"
        symbols.append(Symbol(name, DEFINED, 1 + len(k.units), shape=k.shape, meaning=meaning))
    zero = at_output(Eq(App("e", (0, b, i)), ZERO))
    return base.extend(tuple(symbols), tuple(groups), {"e_zero_at_output": zero, **hypotheses})


def _perturbed(a: App) -> Term | None:
    return App(NAMES[a.name], a.idx) if a.name in NAMES else None


def perturbed_change(kind: WeightKind) -> str:
    """Backprop's change on the perturbed pass."""
    return kind.initial_change + "_e"


def state_from_errors() -> dict[str, Statement]:
    """Both ends clamped; the hidden layers of x are the perturbed pass."""
    ends = {"input_clamped": clamped_input(), "output_clamped": clamped_output()}
    return {**ends, "state": at(Eq(X, Y_E), *HIDDEN)}


def same_changes(net: Network) -> tuple[Statement, ...]:
    """-alpha dF/dtheta at fixed x is -alpha dE/dtheta at fixed e."""
    out = []
    for k in net.kinds:
        units = tuple(map(qvar, k.units))
        ours = mul(-1, App("alpha"), App("g" + k.name, (l, *units)))
        out.append(weights(k, 1, Eq(ours, App(perturbed_change(k), (l, *units)))))
    return tuple(out)


def change_of_variables(net: Network) -> Claim:
    """At every e: eps = e, F = E, and ge^l = gx^l + J^T ge^{l-1}."""
    from ..tactics.epc_equivalence import variables_script

    theory = both_theory(net, state_from_errors())
    d = theory.definition("gx")
    assert d is not None
    hidden = next(c.value for c in d.cases if EPS in getattr(c.value, "args", ()))
    transposed = replace_apps(hidden, lambda a: App("ge", a.idx) if a.name == "eps" else None)
    goals = (
        at(Eq(MU, add(Y_E, neg(E))), *FREE),
        at(Eq(EPS, E), *HIDDEN),
        at_output(Eq(App("eps", (0, b, i)), App("delta_e", (0, b, i)))),
        Statement((), (), Eq(net.energy(), energy(net))),
        at(Eq(GX, transposed), *HIDDEN),
    )
    return Claim(
        "epc_variables",
        theory,
        goals,
        script=variables_script,
        title="ePC: the errors of the perturbed pass are the errors of its states; the gradients are related by T^T",
    )


def errors_from_state(net: Network) -> Claim:
    """Every state is a perturbed pass: with e = eps at the hidden layers, y_e = x above the output."""
    from ..tactics.epc_equivalence import errors_script

    theory = both_theory(net, {"input_clamped": clamped_input(), "errors": at(Eq(E, EPS), *HIDDEN)})
    goals = (at(Eq(Y_E, X), ge(l, 1), le(l, L)), at_output(Eq(App("y_e", (0, b, i)), App("mu", (0, b, i)))))
    return Claim(
        "epc_onto",
        theory,
        goals,
        script=errors_script,
        title="ePC: every state of the hidden layers is the perturbed pass of its own errors",
    )


def stationary_states(net: Network) -> Claim:
    """Where E is stationary in e, F is stationary in x, and the weight gradients agree."""
    from ..tactics.epc_equivalence import stationary_script

    theory = both_theory(net, {**state_from_errors(), "stationary": at(Eq(GE, ZERO), *HIDDEN)})
    goals = (at(Eq(GX, ZERO), *HIDDEN), at(Eq(EPS, DELTA_E), *FREE), *same_changes(net))
    return Claim(
        "epc_stationary",
        theory,
        goals,
        script=stationary_script,
        title="ePC: stationary in the errors is stationary in the states, with the same weight gradients",
    )


def stationary_errors(net: Network) -> Claim:
    """Where F is stationary in x, E is stationary in e, and the weight gradients agree."""
    from ..tactics.epc_equivalence import converse_script

    theory = both_theory(net, {**state_from_errors(), "equilibrium": at(Eq(GX, ZERO), *HIDDEN)})
    goals = (at(Eq(GE, ZERO), *HIDDEN), at(Eq(EPS, DELTA_E), *FREE), *same_changes(net))
    return Claim(
        "epc_stationary_converse",
        theory,
        goals,
        script=converse_script,
        title="ePC: stationary in the states is stationary in the errors, with the same weight gradients",
    )


def always_the_same_changes(net: Network) -> Claim:
    """False: at every e the weight gradients at fixed x and at fixed e agree."""
    return Claim(
        "epc_changes_everywhere",
        both_theory(net, state_from_errors()),
        same_changes(net),
        title="ePC: at every e the weight gradients of the two energies agree",
    )


def weight_gradient(net: Network) -> Claim:
    """At every e: alpha times the gradient of E by the weights, e held fixed, is minus backprop's change on y_e."""
    from ..tactics.epc_equivalence import weights_script

    theory = both_theory(net, {})
    y = theory.definition("y_e")
    assert y is not None
    moving = {k.initial: variation(k.initial) for k in net.kinds}
    varied = tuple(
        Symbol(moving[k.initial], PARAMETER, 1 + len(k.units), shape=k.shape, meaning=f"variation of {k.initial}")
        for k in net.kinds
    )
    bigger = replace(theory, hypotheses={}).extend(varied)
    dy = tangent_definition(bigger, y, TANGENT.name, moving)
    smooth = derivative_hypotheses(net, "y_e", {k.name: k.initial for k in net.kinds})
    bigger = bigger.extend((TANGENT,), ((dy,),), smooth, {"weights": moving})
    squares, loss = energy(net).args  # type: ignore[attr-defined]
    pairings = weight_pairing(
        net, {k.name: perturbed_change(k) for k in net.kinds}, {k.name: moving[k.initial] for k in net.kinds}
    )
    parts = pairings.args if len(net.kinds) > 1 else (pairings,)  # type: ignore[attr-defined]
    term = add(mul(App("alpha"), squares), mul(App("alpha"), loss))
    goal = Statement((), (), Tangent("weights", term, add(*(mul(-1, p) for p in parts))))
    return Claim(
        "epc_weight_gradient",
        bigger,
        (goal,),
        script=weights_script,
        says="gradient",
        title="ePC: the gradient of the energy by the weights, at fixed errors, is backprop's on the perturbed pass",
    )
