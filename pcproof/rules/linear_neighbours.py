"""One hidden layer of a linear network with its neighbours held: Millidge et al. (2022), T-1 with precisions.

Their Pi_l is 1 / v^m here; the ratio of precisions is sigma = v^m / v^{m-1}, and

    x^m = (I + sigma theta^m^T theta^m)^-1 (theta^{m+1} x^{m+1} + sigma theta^m^T x^{m-1})

is stated without the inverse.  Both limits are identities with a remainder of which a bound is known:

    sigma -> 0 (forward):               x^m = theta^{m+1} x^{m+1} + sigma theta^m^T eps^{m-1}
    1 / sigma -> 0 (target propagation): x^m = V x^{m-1} - (1 / sigma) V V^T eps^m,  V theta^m = theta^m V = I.

The squares of the errors are at most those of what the neighbours alone disagree by,
h = x^{m-1} - theta^m theta^{m+1} x^{m+1} and g = V x^{m-1} - theta^{m+1} x^{m+1}.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..language.index import Idx, ge, lt, qvar, size, span
from ..language.signature import DEFINED, PARAMETER, Case, Claim, Definition, Eq, Le, Statement, Symbol, Tangent, Theory
from ..language.terms import ZERO, App, Inv, Term, add, delta, mul, neg, total
from ..networks.gradients import state_pairing
from ..networks.network import B, L, width
from .linear import EVERY, HIDDEN, STATE, Linear, nonzero, positive
from .linear_landscape import bare

l, b, i, j = (qvar(n) for n in "lbij")
PLAIN = Linear(variances=True)
M = size("m")
HERE, BELOW = width(M), width(M - 1)
AT_HERE, AT_BELOW = (*span(b, 0, B), *span(i, 0, HERE)), (*span(b, 0, B), *span(i, 0, BELOW))
Vector = Callable[[Idx], Term]  # unit -> entry


def ratio(layer: Idx, other: Idx) -> Term:
    """v^layer / v^other"""
    return mul(App("v", (layer,)), Inv(App("v", (other,))))


def back(layer: Idx, v: Vector, unit: Idx = i) -> Term:
    """theta^layer^T v"""
    return total(width(layer - 1), lambda q: mul(App("theta", (layer, q, unit)), v(q)))


def forth(layer: Idx, v: Vector, unit: Idx = i) -> Term:
    """theta^layer v"""
    return total(width(layer), lambda q: mul(App("theta", (layer, unit, q)), v(q)))


def state(layer: Idx) -> Vector:
    return lambda q: App("x", (layer, b, q))


def equations(layer: Idx) -> Term:
    """(I + sigma theta^T theta) x^l - (theta^{l+1} x^{l+1} + sigma theta^l^T x^{l-1})"""
    own, below, above = state(layer), state(layer - 1), state(layer + 1)
    sigma = ratio(layer, layer - 1)
    left = add(own(i), mul(sigma, back(layer, lambda q: forth(layer, own, q))))
    return add(left, neg(forth(layer + 1, above)), neg(mul(sigma, back(layer, below))))


def normal_equations() -> Claim:
    """v^l gx^l is what the sides of the normal equations differ by, and gx^l that over v^l.

    So the gradient of the energy by a hidden layer is 0 if and only if they hold.
    """
    from ..tactics.linear_neighbours import normal_script

    theory = bare(PLAIN.theory(directions=True))
    symbols = {n: s for n, s in theory.symbols.items() if n != "Dtheta"}
    theory = replace(theory, symbols=symbols, directions={"x": theory.directions["x"]})
    gx, guards = App("gx", (l, b, i)), (*HIDDEN, *STATE)
    goals = (
        Statement((), (), Tangent("x", PLAIN.energy(), state_pairing("gx", "Dx"))),
        Statement(EVERY, guards, Eq(mul(App("v", (l,)), gx), equations(l))),
        Statement(EVERY, guards, Eq(gx, mul(Inv(App("v", (l,))), equations(l)))),
    )
    return Claim(
        "linear_precision_normal",
        theory.extend(hypotheses=nonzero(PLAIN)),
        goals,
        script=normal_script,
        says="gradient",
        title="Linear network with a variance of each layer: one layer's gradient is 0 where its normal equations hold",
    )


# -- the limits -----------------------------------------------------------------------
def at_rest() -> Theory:
    """The gradient by hidden layer m is 0; nothing is said of the other layers."""
    theory = bare(PLAIN.theory())
    theory = replace(
        theory,
        sizes={**theory.sizes, "m": 0},
        assumptions=(*theory.assumptions, ge(M, 1), lt(M, L)),
    )
    rest = Statement(("b", "i"), AT_HERE, Eq(App("gx", (M, b, i)), ZERO))
    return theory.extend(hypotheses={"at_rest": rest, **positive(PLAIN)})


def error(layer: Idx) -> Callable[[Idx], App]:
    return lambda q: App("eps", (layer, b, q))


def gap() -> tuple[Symbol, Definition]:
    """h = x^{m-1} - theta^m theta^{m+1} x^{m+1}"""
    predicted = forth(M, lambda q: forth(M + 1, state(M + 1), q))
    symbol = Symbol("h", DEFINED, 2, shape="batch, unit of layer m-1", meaning="what the neighbours disagree by")
    return symbol, Definition("h", ("b", "i"), (Case(AT_BELOW, add(state(M - 1)(i), neg(predicted))),))


def squares(bound: Idx, v: Vector) -> Term:
    return total(bound, lambda q: mul(v(q), v(q)))


def forward_limit() -> Claim:
    """x^m = theta^{m+1} x^{m+1} + sigma theta^m^T eps^{m-1}; a unit's remainder squared is at most sigma^2 C |h|^2."""
    from ..tactics.linear_neighbours import forward_script

    symbol, definition = gap()
    sigma = ratio(M, M - 1)
    predicted = forth(M + 1, state(M + 1))
    off = add(state(M)(i), neg(predicted))
    weights = squares(BELOW, lambda q: App("theta", (M, q, i)))
    bound = mul(sigma, sigma, weights, squares(BELOW, lambda q: App("h", (b, q))))
    goals = (
        Statement(("b", "i"), AT_HERE, Eq(state(M)(i), add(predicted, mul(sigma, back(M, error(M - 1)))))),
        Statement(("b", "i"), AT_HERE, Le(mul(off, off), bound)),
    )
    return Claim(
        "linear_forward_limit",
        at_rest().extend((symbol,), ((definition,),)),
        goals,
        script=forward_script,
        title="Linear network: a layer of small variance settles at its prediction, up to a constant times the ratio",
    )


def inverse(first: bool) -> Statement:
    """V theta^m = I, or theta^m V = I."""
    bound, inner = (HERE, BELOW) if first else (BELOW, HERE)

    def entry(q: Idx) -> Term:
        v, theta = (App("V", (i, q)), App("theta", (M, q, j))), (App("theta", (M, i, q)), App("V", (q, j)))
        return mul(*(v if first else theta))

    return Statement(("i", "j"), (*span(i, 0, bound), *span(j, 0, bound)), Eq(total(inner, entry), delta(i, j)))


def target_limit() -> Claim:
    """x^m = V x^{m-1} - (1 / sigma) V V^T eps^m; a unit's remainder squared is at most C |g|^2 / sigma^2."""
    from ..tactics.linear_neighbours import target_script

    def pulled(v: Vector, unit: Idx = i) -> Term:
        return total(BELOW, lambda q: mul(App("V", (unit, q)), v(q)))

    backward = total(HERE, lambda q: mul(App("V", (q, i)), App("eps", (M, b, q))))
    missed = add(pulled(state(M - 1)), neg(forth(M + 1, state(M + 1))))
    both = total(BELOW, lambda q: mul(App("V", (i, q)), App("V", (j, q))))
    of_samples = ("b", "i")
    parts = (
        ("c", 2, Definition("c", of_samples, (Case(AT_BELOW, backward),)), "batch, unit of layer m-1", "V^T eps^m"),
        ("g", 2, Definition("g", of_samples, (Case(AT_HERE, missed),)), "batch, unit", "V x^{m-1} less the prediction"),
        (
            "W",
            2,
            Definition("W", ("i", "j"), (Case((*span(i, 0, HERE), *span(j, 0, HERE)), both),)),
            "unit, unit",
            "V V^T",
        ),
    )
    symbols = tuple(Symbol(n, DEFINED, arity, shape=shape, meaning=text) for n, arity, _, shape, text in parts)
    v = Symbol("V", PARAMETER, 2, shape="unit of layer m, unit of layer m-1", meaning="inverse of theta^m")
    rho = ratio(M - 1, M)
    target = pulled(state(M - 1))
    remainder = mul(-1, rho, total(HERE, lambda q: mul(App("W", (i, q)), App("eps", (M, b, q)))))
    off = add(state(M)(i), neg(target))
    bound = mul(rho, rho, squares(HERE, lambda q: App("W", (i, q))), squares(HERE, lambda q: App("g", (b, q))))
    goals = (
        Statement(of_samples, AT_HERE, Eq(state(M)(i), add(target, remainder))),
        Statement(of_samples, AT_HERE, Le(mul(off, off), bound)),
    )
    theory = at_rest().extend(
        (v, *symbols),
        tuple((d,) for _, _, d, _, _ in parts),
        {"left_inverse": inverse(True), "right_inverse": inverse(False)},
    )
    return Claim(
        "linear_target_limit",
        theory,
        goals,
        script=target_script,
        title="Linear network: a layer of large variance settles at the target of target propagation, up to 1 / ratio",
    )
