"""Incremental predictive coding: activities and weights move at every step.  Source: Salvatori et al. (2024).

Everything at time t is computed from the energy of time t, then written.
"""

from __future__ import annotations

from typing import Union

from ..language.index import eq, ge, le, lt, qvar
from ..language.signature import Claim, Eq, Statement
from ..language.terms import ZERO, App, Term, add, mul
from ..networks.network import L, Network
from .claims import error_at_moment, gamma_power, unit_ranges
from .equations import EVERY_STEP, Equations, timed_theory
from .rule import Rule
from .surface import Number, Scalar, Sum, number, sq, symbols

T, LAYER = qvar("t"), qvar("l")


def incremental(net: Network, gamma: Union[Number, Scalar, None] = 1) -> Rule:
    """Incremental predictive coding on ``net``; ``gamma=None`` keeps the step size a symbol."""
    x, mu, y, l, L, g, alpha = symbols(net, "x mu y l L gamma alpha")
    if gamma is not None:
        g = gamma if isinstance(gamma, Scalar) else Scalar(net, number(gamma))
    weights = symbols(net, " ".join(k.name for k in net.kinds))
    F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
    return Rule(
        net,
        name="incremental",
        energy=F,
        start={x[l]: y[l]},
        step={x[l]: -g * F.diff(x[l])},
        learn={p[l + 1]: -alpha * F.diff(p[l + 1]) for p in weights},
        when=EVERY_STEP,
    )


def first_update(e: Equations) -> Claim:
    """Weights move at every step; those of layer l first at t = l - 1, by gamma^{l-1} times backprop's change."""
    goals = [error_at_moment(e, gamma_power)]
    for k in e.net.kinds:
        units, ranges = unit_ranges(k)
        variables, layers = ("t", "l", *k.units), (ge(T, 0), ge(LAYER, 1), le(LAYER, L), *ranges)
        first = mul(gamma_power(LAYER - 1), App(k.initial_change, (LAYER, *units)))

        def at(name: str, units: tuple[object, ...] = units) -> Term:
            return App(name, (T, LAYER, *units))  # type: ignore[arg-type]

        old = App(k.initial, (LAYER, *units))
        after = App(k.name, (T + 1, LAYER, *units))
        goals += [
            Statement(variables, layers, Eq(after, add(at(k.name), at(k.change)))),
            Statement(variables, (*layers, lt(T, LAYER - 1)), Eq(at(k.change), ZERO)),
            Statement(variables, (*layers, eq(T, LAYER - 1)), Eq(at(k.change), first)),
            Statement(variables, (*layers, eq(T, LAYER)), Eq(at(k.name), add(old, first))),
        ]
    return Claim(
        id=f"{e.name}_first_update",
        theory=timed_theory(e),
        goals=tuple(goals),
        equations=e,
        says="recursion",
        title=f"{e.name}: the first update of every weight is gamma^l times backprop's",
    )


def whole_update(e: Equations) -> Claim:
    """After L steps every weight is where backprop puts it.  Refuted."""
    goals = []
    for k in e.net.kinds:
        units, ranges = unit_ranges(k)
        expected = add(App(k.initial, (LAYER, *units)), App(k.initial_change, (LAYER, *units)))
        relation = Eq(App(k.name, (L, LAYER, *units)), expected)
        goals.append(Statement(("l", *k.units), (ge(LAYER, 1), le(LAYER, L), *ranges), relation))
    return Claim(
        id=f"{e.name}_whole_update",
        theory=timed_theory(e),
        goals=tuple(goals),
        equations=e,
        says="recursion",
        title=f"{e.name}: after L steps every weight has moved exactly as backprop moves it",
    )
