"""When an error first reaches a layer, and what that costs.  Source: Zahid et al. (2023), Theorem 1, section 3.

Layers are numbered from the output, so the distance of layer l is l (the
paper's L - l).
"""

from __future__ import annotations

from typing import Union

from ..language.index import Idx, eq, ge, le, lt, qvar, size, span
from ..language.signature import DEFINED, PARAMETER, Case, Claim, Definition, Eq, Le, Ne, Statement, Symbol, Theory
from ..language.terms import ZERO, App, IsZero, Pow, Term, add, mul, replace_apps, total
from ..networks.network import L, Network, width
from .claims import GAMMA, STATE, change_at_moment, error_at_moment, gamma_power, unit_ranges, with_nonzero_gamma
from .equations import Equations, timed_theory
from .rule import Rule
from .surface import Eq as When
from .surface import Number, Scalar, Sum, number, sq, symbols

t, l, b, i, j = (qvar(n) for n in "tlbij")
T = size("T")
EPS, MU, DELTA = App("eps", (t, l, b, i)), App("mu", (t, l, b, i)), App("delta", (l, b, i))
STATE_AT = ("t", "l", "b", "i")


def inference_learning(net: Network, gamma: Union[Number, Scalar, None] = None, steps: Idx = T) -> Rule:
    """Predictive coding from the feedforward state; all weights learn once, after ``steps`` steps.

    ``gamma=None`` keeps the step size a symbol.
    """
    x, mu, y, l, t, L, g, alpha = symbols(net, "x mu y l t L gamma alpha")
    if gamma is not None:
        g = gamma if isinstance(gamma, Scalar) else Scalar(net, number(gamma))
    weights = symbols(net, " ".join(k.name for k in net.kinds))
    F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
    return Rule(
        net,
        name="inference_learning",
        energy=F,
        start={x[l]: y[l]},
        step={x[l]: -g * F.diff(x[l])},
        learn={p[l + 1]: -alpha * F.diff(p[l + 1]) for p in weights},
        when=When(t, steps),
    )


def first_error(e: Equations, held: bool = False) -> Claim:
    """Errors are 0 before t = l and gamma^l delta^l at t = l; so t steps teach nothing to layers beyond t + 1.

    Of a rule that learns at t = L - 1: only then has the last layer of weights
    something to learn, gamma^{L-1} times backprop's change.  held: predictions
    keep the forward pass at all times.  Source: Theorem 1, Corollary 1.
    """
    from ..tactics.distance import first_error_script

    before = (ge(t, 0), lt(t, l), ge(l, 0), lt(l, L), *STATE)
    goals = [Statement(STATE_AT, before, Eq(EPS, ZERO)), error_at_moment(e, gamma_power)]
    if held:
        goals.append(Statement(STATE_AT, (ge(t, 0), ge(l, 0), lt(l, L), *STATE), Eq(MU, App("y", (l, b, i)))))
    else:
        goals.append(synchronous_step(e))
    for k in e.net.kinds:
        units, ranges = unit_ranges(k)
        guards, variables = (ge(t, 0), ge(l, 1), le(l, L), *ranges), ("t", "l", *k.units)
        now, change = (App(n, (t, l, *units)) for n in (k.name, k.change))
        old = App(k.initial, (l, *units))
        learnt = add(old, mul(Pow(GAMMA, L - 1), App(k.initial_change, (l, *units))))
        goals += [
            Statement(variables, (*guards, lt(t, l - 1)), Eq(change, ZERO)),
            Statement(variables, (*guards, le(t, L - 1)), Eq(now, old)),
            Statement(variables, (*guards, ge(t, L), eq(l, L)), Eq(now, learnt)),
        ]
    return Claim(
        id=f"{e.name}_first_error",
        theory=timed_theory(e),
        goals=(*goals, *change_at_moment(e, gamma_power)),
        equations=e,
        script=first_error_script,
        says="recursion",
        title=f"{e.name}: no error reaches layer l before t = l, and the first is gamma^l times backprop's",
    )


def synchronous_step(e: Equations) -> Statement:
    """Activities of t + 1 come from activities, weights and errors of t."""
    moving = {"x", "eps", *(k.name for k in e.net.kinds)}
    (case,) = e.step
    step = replace_apps(case.value, lambda a: App(a.name, (t, *a.idx)) if a.name in moving else None)
    now, later = App("x", (t, l, b, i)), App("x", (t + 1, l, b, i))
    return Statement(STATE_AT, (ge(t, 0), *case.guard, *STATE), Eq(later, add(now, step)))


def first_nonzero(e: Equations) -> Claim:
    """gamma other than 0: every error of layer l is 0 before t = l, and at t = l only where delta is.  Theorem 1."""
    from ..tactics.distance import first_nonzero_script

    before = (ge(t, 0), lt(t, l), ge(l, 0), lt(l, L), *STATE)
    arrival = (ge(l, 0), lt(l, L), eq(t, l), *STATE)
    goals = (
        Statement(STATE_AT, before, Eq(EPS, ZERO)),
        Statement(STATE_AT, arrival, Eq(IsZero(EPS), IsZero(DELTA))),
    )
    return with_nonzero_gamma(
        Claim(
            id=f"{e.name}_first_nonzero",
            theory=timed_theory(e),
            goals=goals,
            equations=e,
            script=first_nonzero_script,
            says="recursion",
            title=f"{e.name}: the first time at which an error is other than 0 is t = l, where delta is",
        )
    )


def never_lost() -> Claim:
    """False: an error and Jacobians that are other than 0 everywhere pass on errors other than 0.

    So the printed proof argues.  e^0 is any output error, e^l = J_l^T e^{l-1}.
    """
    unit, sender, below = App("e", (l, i)), App("J", (l, j, i)), l - 1
    passed_on = total(width(below), lambda k: mul(App("J", (l, k, i)), App("e", (below, k))))
    cases = (Case((eq(l, 0),), App("e0", (i,))), Case((ge(l, 1), le(l, L)), passed_on))
    symbols = (
        Symbol("e0", PARAMETER, 1, shape="unit", meaning="error of the output"),
        Symbol("J", PARAMETER, 3, shape="layer, unit to, unit from", meaning="Jacobian of layer l-1 by layer l"),
        Symbol("e", DEFINED, 2, shape="layer, unit", meaning="error passed on to layer l"),
    )
    outputs, units = span(i, 0, width(Idx(0))), span(i, 0, width(l))
    hypotheses = {
        "output_errors_nonzero": Statement(("i",), outputs, Ne(App("e0", (i,)), ZERO)),
        "jacobians_nonzero": Statement(
            ("l", "i", "j"), (ge(l, 1), le(l, L), *units, *span(j, 0, width(below))), Ne(sender, ZERO)
        ),
    }
    return Claim(
        id="never_lost",
        theory=Theory(
            {"L": 0, "n": 1},
            (ge(L, 1),),
            {s.name: s for s in symbols},
            ((Definition("e", ("l", "i"), cases, (l,)),),),
            hypotheses,
        ),
        goals=(Statement(("l", "i"), (ge(l, 0), le(l, L), *units), Ne(unit, ZERO)),),
        title="An error and Jacobians other than 0 pass on errors other than 0",
    )


# -- time ---------------------------------------------------------------------------
def over_layers(name: str) -> Term:
    """The sum over layers 1..L of the times of their units."""
    return total(L, lambda m: layer_time(name, m + 1))


def layer_time(name: str, layer: Idx) -> Term:
    """The time that one layer takes: that of its units."""
    return total(width(layer), lambda u: App(name, (layer, u)))


def no_faster() -> Claim:
    """Forward pass and L or more steps last as long as backprop at least, if a step awaits its slowest layer.

    Backprop runs forward, then one vector-Jacobian product for each layer.
    Inference runs forward, then steps 0..t, all layers of a step at once.
    Source: section 3, TIME(FPA-PC) >= TIME(BP); also of Z-IL and of
    predictive coding, whose steps cost as much.
    """
    from ..tactics.distance import no_faster_script

    unit_range = span(i, 0, width(l))
    layers, product = (ge(l, 1), le(l, L)), layer_time("vjp", l)
    symbols = (
        Symbol("forward", PARAMETER, 2, shape="layer, unit", meaning="time of a unit's part in the forward map"),
        Symbol("vjp", PARAMETER, 2, shape="layer, unit", meaning="time of a unit's vector-Jacobian product"),
        Symbol("slow", PARAMETER, shape="scalar", meaning="time of one step, all layers at once"),
    )
    hypotheses = {
        "products_take_time": Statement(("l", "i"), (*layers, *unit_range), Le(ZERO, App("vjp", (l, i)))),
        "steps_await_every_layer": Statement(("l",), layers, Le(product, App("slow"))),
    }
    backprop = add(over_layers("forward"), over_layers("vjp"))
    inference = add(over_layers("forward"), total(t + 1, lambda _: App("slow")))
    return Claim(
        id="no_faster",
        theory=Theory({"L": 0, "n": 1}, (ge(L, 1),), {s.name: s for s in symbols}, (), hypotheses),
        goals=(Statement(("t",), (ge(t, L - 1),), Le(backprop, inference)),),
        script=no_faster_script,
        title="L steps, each as long as its slowest layer, take no less time than backprop",
    )
