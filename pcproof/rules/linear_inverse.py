"""S^-1 of the linear closed forms, built one unit at a time: nothing is assumed to be invertible.

S = v^0 + sum over 0 < m < L of v^m P^m P^m^T grows by one term v a a^T for each
hidden unit, a the column of P^l of this unit.  With H = (S so far)^-1 the next is

    H - v u w^T / d,   u = H a,   w = H^T a,   d = 1 + v <u, S u>

(Sherman and Morrison 1950, whose d is 1 + v <a, H a>: the same number, as S u = a).
Written as squares d is at least 1, so nothing is divided by 0.
"""

from __future__ import annotations

from dataclasses import replace

from ..language.index import Idx, eq, ge, le, lt, qvar, span
from ..language.signature import DEFINED, PARAMETER, Case, Claim, Definition, Eq, Statement, Symbol, Theory
from ..language.terms import ONE, App, Inv, IsZero, Term, add, delta, mul, neg, total
from ..networks.network import L, width
from .linear import (
    EVERY,
    OUTPUT,
    STATE,
    Linear,
    X,
    built_state,
    clamped,
    closed_form,
    equilibrium,
    positive,
    product,
    residual,
)

l, q, i, j, b = (qvar(n) for n in "lqijb")
OUT = width(Idx(0))
ROW, COLUMN = span(i, 0, OUT), span(j, 0, OUT)
FIRST = (eq(l, 1), eq(q, 0))
NEXT = (ge(l, 2), le(l, L), eq(q, 0))
UNIT = (ge(l, 1), lt(l, L), ge(q, 0), lt(q, width(l)))  # what is added next is unit q of layer l
AFTER = (ge(l, 1), lt(l, L), ge(q, 1), le(q, width(l)))
SHAPE = "layer, unit"
PLAIN = Linear()


def inverse(layer: Idx, unit: Idx, row: Idx, column: Idx) -> App:
    """H: S^-1 before unit ``unit`` of ``layer`` is added."""
    return App("H", (layer, unit, row, column))


def entry(row: Idx, column: Idx) -> App:
    """S^-1"""
    return inverse(L, Idx(0), row, column)


def grown(m: Linear, layer: Idx, unit: Idx, row: Idx, column: Idx) -> Term:
    """S - v^0 so far: the hidden layers before ``layer``, and of this the units before ``unit``."""

    def part(n: Idx, p: Idx) -> Term:
        return mul(m.variance(n), product(n, row, p), product(n, column, p))

    layers = total(layer - 1, lambda n: total(width(n + 1), lambda p: part(n + 1, p)))
    return add(layers, total(unit, lambda p: part(layer, p)))


def form(m: Linear, layer: Idx, unit: Idx) -> Term:
    """<u, S u> as a sum of squares."""

    def u(row: Idx) -> Term:
        return App("u", (layer, unit, row))

    def part(n: Idx, p: Idx) -> Term:
        along = total(OUT, lambda k: mul(product(n, k, p), u(k)))
        return mul(m.variance(n), along, along)

    own = total(OUT, lambda k: mul(m.variance(Idx(0)), u(k), u(k)))
    layers = total(layer - 1, lambda n: total(width(n + 1), lambda p: part(n + 1, p)))
    return add(own, layers, total(unit, lambda p: part(layer, p)))


def off(m: Linear, layer: Idx, unit: Idx, row: Idx, column: Idx) -> Term:
    """S H - 1"""
    moved = total(OUT, lambda k: mul(App("K", (layer, unit, row, k)), inverse(layer, unit, k, column)))
    return add(mul(m.variance(Idx(0)), inverse(layer, unit, row, column)), moved, neg(delta(row, column)))


def missed(layer: Idx) -> Term:
    """|S H - 1|^2 before the first unit of ``layer``"""

    def square(row: Idx, column: Idx) -> Term:
        r = App("R", (layer, 0, row, column))
        return mul(r, r)

    return total(OUT, lambda p: total(OUT, lambda k: square(p, k)))


def right(layer: Idx) -> Term:
    """1 if S H = 1 before the first unit of ``layer``, else 0"""
    return IsZero(missed(layer))


def inverse_definitions(m: Linear) -> tuple[tuple[Symbol, ...], tuple[tuple[Definition, ...], ...]]:
    """H with u, w and d; K and R = S H - 1, in which it is proved."""
    at, before = (*ROW, *COLUMN), width(l - 1)

    def symbol(name: str, arity: int, shape: str, meaning: str) -> Symbol:
        return Symbol(name, DEFINED, arity, shape=shape, meaning=meaning)

    last = tuple(App(n, (l, q - 1, r)) for n, r in (("u", i), ("w", j)))
    update = mul(m.variance(l), *last, Inv(App("d", (l, q - 1))))
    h = Definition(
        "H",
        ("l", "q", "i", "j"),
        (
            Case((*FIRST, *at), mul(m.precision(Idx(0)), delta(i, j))),
            Case((*NEXT, ge(before, 1), *at), inverse(l - 1, before, i, j)),
            Case((*NEXT, lt(before, 1), *at), inverse(l - 1, Idx(0), i, j)),
            Case((*AFTER, *at), add(inverse(l, q - 1, i, j), neg(update))),
        ),
        (l, q, Idx(0)),
    )
    column = total(OUT, lambda k: mul(inverse(l, q, i, k), product(l, k, q)))
    row = total(OUT, lambda k: mul(product(l, k, q), inverse(l, q, k, j)))
    u = Definition("u", ("l", "q", "i"), (Case((*UNIT, *ROW), column),), (l, q, Idx(1)))
    w = Definition("w", ("l", "q", "j"), (Case((*UNIT, *COLUMN), row),), (l, q, Idx(1)))
    d = Definition("d", ("l", "q"), (Case(UNIT, add(ONE, mul(m.variance(l), form(m, l, q)))),), (l, q, Idx(2)))
    layers = (ge(l, 1), le(l, L), ge(q, 0), *at)
    names = ("l", "q", "i", "j")
    gram = Definition("K", names, (Case(layers, grown(m, l, q, i, j)),))
    rest = Definition("R", names, (Case(layers, off(m, l, q, i, j)),))
    outputs = f"{SHAPE}, output unit"
    symbols = (
        symbol("H", 4, f"{outputs}, output unit", "inverse of S, of the units before this one"),
        symbol("u", 3, outputs, "H a, a the unit's column of P^l"),
        symbol("w", 3, outputs, "H^T a"),
        symbol("d", 2, SHAPE, "1 + v <u, S u>"),
        symbol("K", 4, f"{outputs}, output unit", "S of the units before this one, without v^0"),
        symbol("R", 4, f"{outputs}, output unit", "S H - 1"),
    )
    return symbols, ((h, u, w, d), (gram,), (rest,))


def with_inverse(m: Linear, theory: Theory) -> Theory:
    return theory.extend(*inverse_definitions(m)).extend(hypotheses=positive(m))


def inverse_exists(m: Linear = PLAIN) -> Claim:
    """S H = 1 for any P, with v^l > 0.

    The other side, H S = 1, follows: S (H S) = S, and S U = S X makes U = X.
    """
    from ..tactics.linear_inverse import inverse_script

    theory = m.theory(())
    unused = ("x", "mu", "eps", "y", "s_in", "s_out", "theta", "P")
    columns = Symbol("P", PARAMETER, 3, shape="layer, output unit, unit", meaning="any matrices of n(0) rows")
    theory = replace(
        theory,
        symbols={**{n: s for n, s in theory.symbols.items() if n not in unused}, "P": columns},
        definitions=tuple(g for g in theory.definitions if g[0].name not in unused),
    )
    moved = total(OUT, lambda k: mul(App("C", (i, k)), entry(k, j)))
    whole = add(mul(m.variance(Idx(0)), entry(i, j)), moved)
    return Claim(
        "linear_inverse",
        with_inverse(m, theory),
        (Statement(("i", "j"), (*ROW, *COLUMN), Eq(whole, delta(i, j))),),
        script=inverse_script,
        title="Linear network: S has an inverse, built by a recursion over the hidden units",
    )


def solved_theory(m: Linear) -> Theory:
    """With X = S^-1 r."""
    symbol = Symbol("X", DEFINED, 2, shape="batch, output unit", meaning="S^-1 r")
    row = total(OUT, lambda k: mul(entry(i, k), residual(k)))
    definition = Definition("X", ("b", "i"), (Case(OUTPUT, row),))
    return with_inverse(m, m.theory()).extend((symbol,), ((definition,),))


def closed(m: Linear = PLAIN) -> Claim:
    """Stationary with both ends clamped: eps^0 = v^0 S^-1 r, eps^l = v^l P^l^T S^-1 r, F = r^T S^-1 r / 2."""
    from ..tactics.linear_inverse import closed_script

    return Claim(
        "linear_closed_form",
        solved_theory(m).extend(hypotheses={**clamped(), "equilibrium": equilibrium()}),
        closed_form(m),
        script=closed_script,
        title="Linear network: at equilibrium eps^0 = S^-1 r, eps^l = P^l^T S^-1 r and F = r^T S^-1 r / 2",
    )


def equilibrium_exists(m: Linear = PLAIN) -> Claim:
    """The state with the errors v^l P^l^T S^-1 r is an equilibrium with both ends clamped: there is one."""
    from ..tactics.linear_inverse import exists_script

    symbol, definition = built_state(m)
    state = Statement(EVERY, (ge(l, 0), le(l, L), *STATE), Eq(X, App("z", (l, b, i))))
    return Claim(
        "linear_exists",
        solved_theory(m).extend((symbol,), ((definition,),), {"state": state}),
        (equilibrium(), *clamped().values(), *closed_form(m)),
        script=exists_script,
        title="Linear network: there is an equilibrium for all weights and data",
    )
