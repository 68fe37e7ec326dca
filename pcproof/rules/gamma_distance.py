"""How far Z-IL is from backprop for a step size gamma, in squares summed over all weights.

Source: corollary of the gamma law; Song et al. (2020), remark on C3.  ``off``
is what a weight has moved by time L, less what backprop moves it.
"""

from __future__ import annotations

from dataclasses import replace

from ..language.index import Idx, ge, le, qvar
from ..language.signature import DEFINED, Case, Claim, Definition, Eq, Le, Statement, Symbol, Theory
from ..language.terms import ONE, ZERO, App, Pow, Term, add, mul, neg, total
from ..networks.network import L, WeightKind
from .claims import GAMMA
from .equations import Equations, timed_theory

l = qvar("l")


def only_kind(e: Equations) -> WeightKind:
    """The weights of a network that has one kind of them."""
    (kind,) = e.net.kinds
    return kind


def squares(kind: WeightKind, name: str, layer: Idx) -> Term:
    """Sum over the units of one layer of ``name`` squared."""
    first, second = kind.bounds(layer)

    def term(i: Idx, j: Idx) -> Term:
        a = App(name, (layer, i, j))
        return mul(a, a)

    return total(first, lambda i: total(second, lambda j: term(i, j)))


def moved_by_backprop(kind: WeightKind) -> Term:
    """|W_BP|^2"""
    return total(L, lambda m: squares(kind, kind.initial_change, m + 1))


def off_backprop(kind: WeightKind) -> Term:
    """|W_gamma - W_BP|^2"""
    return total(L, lambda m: squares(kind, "off", m + 1))


def missing(kind: WeightKind, layer: Idx) -> Term:
    """(1 - gamma^l)^2 |dw^{l+1}|^2"""
    rest = add(ONE, neg(Pow(GAMMA, layer)))
    return mul(rest, rest, squares(kind, kind.initial_change, layer + 1))


def distance_theory(e: Equations) -> Theory:
    kind = only_kind(e)
    units = tuple(map(qvar, kind.units))
    change = add(
        App(kind.name, (L, l, *units)),
        neg(App(kind.initial, (l, *units))),
        neg(App(kind.initial_change, (l, *units))),
    )
    symbol = Symbol("off", DEFINED, 3, shape=kind.shape, meaning="what the weight has moved by time L, less backprop's")
    definition = Definition("off", ("l", *kind.units), (Case((ge(l, 1), le(l, L)), change),))
    return timed_theory(e).extend((symbol,), ((definition,),))


def distance(e: Equations) -> Claim:
    """|W_gamma - W_BP|^2 = sum over l of (1 - gamma^l)^2 |dw^{l+1}|^2, for every gamma."""
    from ..tactics.gamma_distance import distance_script

    kind = only_kind(e)
    exact = Eq(off_backprop(kind), total(L, lambda m: missing(kind, m)))
    return Claim(
        id=f"{e.name}_distance",
        theory=distance_theory(e),
        goals=(Statement((), (), exact),),
        equations=e,
        script=distance_script,
        says="recursion",
        title=f"{e.name}: off backprop by the sum of (1 - gamma^l)^2 |dw|^2",
    )


def bounded(e: Equations) -> Claim:
    """0 <= gamma <= 1: |W_gamma - W_BP|^2 <= |W_BP|^2 - |dw^1|^2, and so <= |W_BP|^2."""
    from ..tactics.gamma_distance import bound_script

    kind = only_kind(e)
    theory = distance_theory(e).extend(
        hypotheses={
            "gamma_not_negative": Statement((), (), Le(ZERO, GAMMA)),
            "gamma_at_most_1": Statement((), (), Le(GAMMA, ONE)),
        }
    )
    first = squares(kind, kind.initial_change, Idx(1))
    off, moved = off_backprop(kind), moved_by_backprop(kind)
    return Claim(
        id=f"{e.name}_distance_bound",
        theory=theory,
        goals=(*distance(e).goals, Statement((), (), Le(add(off, first), moved)), Statement((), (), Le(off, moved))),
        equations=e,
        script=bound_script,
        says="recursion",
        title=f"{e.name}: for 0 <= gamma <= 1 off backprop by less than backprop moves",
    )


def far_off(e: Equations) -> Claim:
    """False: |W_BP|^2 <= |W_gamma - W_BP|^2."""
    kind = only_kind(e)
    goal = Statement((), (), Le(moved_by_backprop(kind), off_backprop(kind)))
    return replace(distance(e), id=f"{e.name}_far_off", goals=(goal,), script=None)
