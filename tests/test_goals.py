"""Equations are proved, or left open: no attempt ends in an error of the kernel or without an end."""

from __future__ import annotations

import pytest

from pcproof.language.index import Bound, Con, Idx, eq, ge, lt, qvar, size
from pcproof.language.signature import DEFINED, PARAMETER, Case, Definition, Eq, Statement, Symbol, Theory
from pcproof.language.terms import ONE, App, Iverson, Mul, Pow, Sum, Term, add, close, mul
from pcproof.proof.kernel import Context, Kernel
from pcproof.tactics.goals import Stuck, Tools, prove_equation
from pcproof.tactics.rewrite import undecided
from pcproof.tactics.witness import _split

L, l, i, t, s = size("L"), qvar("l"), qvar("i"), qvar("t"), qvar("s")
q = App("q")


def x(at: Idx) -> Term:
    return App("x", (at,))


def y(at: Idx) -> Term:
    return App("y", (at,))


def kernel() -> Kernel:
    d = Definition("d", ("l",), (Case((eq(l, 0),), ONE), Case((ge(l, 1), lt(l, L)), q)))
    symbols = (
        Symbol("q", PARAMETER),
        Symbol("x", PARAMETER, 1),
        Symbol("y", PARAMETER, 1),
        Symbol("d", DEFINED, 1),
    )
    return Kernel(Theory({"L": 0, "n": 1}, (ge(L, 1),), {s.name: s for s in symbols}, ((d,),)))


# -- symbols under sums ------------------------------------------------------------------
def nested() -> Term:
    """sum_{a<L} sum_{b<L} sum_{c<L} d[a]"""
    inner: Term = App("d", (qvar("a"),))
    for name in ("c", "b", "a"):
        inner = Sum(L, close(inner, name))
    return inner


def test_a_symbol_under_sums_is_no_reason_to_split() -> None:
    with pytest.raises(Stuck):
        prove_equation(kernel(), Context(), nested(), ONE, Tools(lazy=("d",)))
    with pytest.raises(Stuck):
        prove_equation(kernel(), Context(), nested(), ONE, Tools(eager=("d",)))


def test_what_stands_outside_its_sum_has_no_case() -> None:
    assert undecided(kernel(), Context(), App("d", (Idx.of(Bound(2)),))) is None
    assert _split(kernel(), Context(), nested()) is None
    assert undecided(kernel(), Context(("l",)), App("d", (l,))) == eq(l, 0)


# -- values that guards give to variables -------------------------------------------------
def test_an_indicator_keeps_its_variables() -> None:
    """Where l = i the indicator of l <= 3 is that of i <= 3: this is left open, and what is the same is proved."""
    ctx = Context(("l", "i"), (ge(l, 0), eq(l, i)))
    term = Mul(Iverson((ge(3, l),)), x(l))
    th = prove_equation(kernel(), ctx, term, Mul(Iverson((ge(3, l),)), x(i)), Tools())
    assert th.lhs is term
    with pytest.raises(Stuck):
        prove_equation(kernel(), ctx, term, Mul(Iverson((ge(3, i),)), x(i)), Tools())


@pytest.mark.parametrize(
    "guards",
    [
        (ge(l, i), ge(i, L), ge(L, l)),
        (eq(l, size("n", i)), ge(i, 0), ge(0, i)),
        (ge(l, 1), ge(3, l * 2)),
    ],
)
def test_a_width_is_rewritten_only_where_it_is_known_to_be_the_same(guards: tuple[Con, ...]) -> None:
    """l = L follows from the first guards, but not at once n(l) = n(L)."""
    ctx = Context(("l", "i"), guards)
    total = Sum(size("n", l), close(mul(x(qvar("j")), y(l)), "j"))
    moved = mul(y(l), Sum(size("n", l), close(x(qvar("j")), "j")))
    assert prove_equation(kernel(), ctx, total, moved, Tools()).relation == Eq(total, moved)
    with pytest.raises(Stuck):
        prove_equation(kernel(), ctx, total, ONE, Tools())


@pytest.mark.parametrize(
    "guards, same",
    [((eq(l, i + 1),), i + 1), ((ge(l, i), ge(i, L), ge(L, l)), L), ((ge(l, 1), ge(3, l * 2)), Idx(1))],
)
def test_values_that_guards_give_are_used(guards: tuple[Con, ...], same: Idx) -> None:
    goal = Eq(x(l), x(same))
    assert prove_equation(kernel(), Context(("l", "i"), guards), goal.lhs, goal.rhs, Tools()).relation == goal


def test_a_width_at_a_value_that_is_an_equation_of_the_guards_is_the_same() -> None:
    left, right = (Sum(size("n", at), close(x(qvar("j")), "j")) for at in (l, i + 1))
    ctx = Context(("l", "i"), (eq(l, i + 1),))
    assert prove_equation(kernel(), ctx, left, right, Tools()).relation == Eq(left, right)


# -- hypotheses without an end -------------------------------------------------------------
def knowing(*equations: Eq) -> Context:
    """t >= 0, and the equations at every s >= 0."""
    return Context(("t",), (ge(t, 0),), tuple(Statement(("s",), (ge(s, 0),), e) for e in equations))


def test_a_closed_form_is_used_once() -> None:
    """x[s] = q^s x[0] holds x[0] again."""
    ctx = knowing(Eq(x(s), mul(Pow(q, s), x(Idx(0)))))
    th = prove_equation(kernel(), ctx, mul(q, x(t)), mul(q, Pow(q, t), x(Idx(0))), Tools())
    assert th.context == ctx


@pytest.mark.parametrize(
    "equations",
    [
        (Eq(x(s), mul(Pow(q, s), x(Idx(0)))),),
        (Eq(x(s), mul(q, x(s + 1))),),
        (Eq(x(s), y(s + 1)), Eq(y(s), x(s))),
        (Eq(x(s), add(x(s + 1), x(s + 2))),),
        (Eq(x(s), Sum(s + 2, close(mul(q, x(qvar("j"))), "j"))),),
    ],
)
def test_hypotheses_that_could_be_used_for_ever_end(equations: tuple[Eq, ...]) -> None:
    with pytest.raises(Stuck):
        prove_equation(kernel(), knowing(*equations), x(t), mul(2, y(t)), Tools())
