"""Inequalities: the tactics prove what is a sum of squares, and are stuck where it is not."""

from __future__ import annotations

import pytest

from pcproof import api
from pcproof.language.index import ge, lt, qvar, size
from pcproof.language.signature import DEFINED, PARAMETER, Case, Claim, Definition, Eq, Le, Statement, Symbol, Theory
from pcproof.language.terms import ONE, ZERO, Add, App, IsZero, Iverson, Mul, Num, Pow, Sum, Term, close, mul
from pcproof.proof.kernel import Context, Kernel, KernelError
from pcproof.tactics.goals import Stuck
from pcproof.tactics.order import (
    at_most_sum,
    complete_squares,
    nested_summand,
    nonneg,
    prove_le,
    square_zero,
    zero_terms,
)
from pcproof.tactics.prover import prove_claim

L, l, i, j = size("L"), qvar("l"), qvar("i"), qvar("j")
a, b, c, p = App("a"), App("b"), App("c"), App("p")


def n(at: object) -> object:
    return size("n", at)  # type: ignore[arg-type]


def u(at: object) -> App:
    return App("u", (at,))  # type: ignore[arg-type]


def v(at: object) -> App:
    return App("v", (at,))  # type: ignore[arg-type]


def total(bound: object, body: Term, index: str = "j") -> Sum:
    return Sum(bound, close(body, index))  # type: ignore[arg-type]


def theory(**hypotheses: Statement) -> Theory:
    symbols = (
        *(Symbol(x, PARAMETER) for x in "abcp"),
        *(Symbol(x, PARAMETER, 1) for x in "uvq"),
        Symbol("d", DEFINED, 1),
    )
    d = Definition("d", ("l",), (Case((ge(l, 0),), u(l) - v(l)),))
    positive = {
        "p_positive": Statement((), (), Le(ZERO, p)),
        "q_positive": Statement(("l",), (ge(l, 1),), Le(ZERO, App("q", (l,)))),
    }
    return Theory(
        {"L": 0, "n": 1},
        (ge(L, 1),),
        {s.name: s for s in symbols},
        ((d,),),
        {**positive, **hypotheses},
    )


EMPTY, LAYER = Context(), Context(("l",), (ge(l, 1), lt(l, L)))
D = App("d", (l,))


@pytest.mark.parametrize(
    "term",
    [
        ZERO,
        Num(3),
        Mul(a, a),
        Mul(a, b, Num(2), a, b),
        Mul(a, a, a, p, a),
        Add(Mul(a, a), Num(1), p),
        Add(),
        Mul(),
        Pow(Add(a, b), 4),
        Mul(p, IsZero(c)),
        total(L, Mul(Num(2), u(j), u(j))),
        total(L, total(n(i), Mul(u(i) - v(j), u(i) - v(j))), "i"),
        total(L, Mul(p, App("q", (j + 1,)), p)),
        total(0, Mul(u(j), u(j))),
    ],
)
def test_what_is_not_negative(term: Term) -> None:
    k = Kernel(theory())
    assert nonneg(k, LAYER, term).relation == Le(ZERO, term)


@pytest.mark.parametrize(
    "term",
    [
        Num(-1),
        a,
        Mul(a, a, a),
        Mul(Num(-1), a, a),
        Mul(Num(-1), Num(-1)),  # true, and not tried: numbers are not paired
        Add(Mul(a, a), Num(-1)),
        Mul(p, a),
        App("q", (l - 1,)),  # known to be positive from layer 1 on
        total(L, u(j)),
        Pow(a, 3),
    ],
)
def test_what_is_not_seen_to_be_positive(term: Term) -> None:
    with pytest.raises(Stuck):
        nonneg(Kernel(theory()), LAYER, term)


@pytest.mark.parametrize(
    ("lhs", "rhs"),
    [
        (mul(2, a, b), Add(mul(a, a), mul(b, b))),
        (mul(-2, a, b), Add(mul(a, a), mul(b, b))),
        (Add(mul(a, b), mul(b, c), mul(c, a)), Add(mul(a, a), mul(b, b), mul(c, c))),
        (mul(a, a), Mul(Add(a, b), Add(a, b), Num(2)) + mul(2, b, b)),
        (ZERO, Mul(D, D)),
        (mul(2, u(l), v(l)), Add(Mul(u(l), u(l)), Mul(v(l), v(l)))),
        (total(n(l), mul(2, u(j), v(j))), total(n(l), Add(Mul(u(j), u(j)), Mul(v(j), v(j))))),
        (ZERO, total(L, total(n(i), Mul(u(i) - v(j), u(i) - v(j))), "i")),
        (total(L, Mul(u(j), u(j))), total(L, Add(Mul(u(j), u(j)), Mul(v(j), v(j))))),
        (a, Add(a, p)),
        (Num(-2), Mul(a, a)),
        (Add(a, a), Add(mul(a, a), ONE)),
    ],
)
def test_a_difference_that_is_a_sum_of_squares(lhs: Term, rhs: Term) -> None:
    k = Kernel(theory())
    assert prove_le(k, LAYER, lhs, rhs).relation == Le(lhs, rhs)


@pytest.mark.parametrize(
    ("lhs", "rhs"),
    [
        (mul(3, a, b), Add(mul(a, a), mul(b, b))),
        (ONE, ZERO),
        (a, mul(a, a)),
        (mul(a, b), mul(a, a)),
        (total(n(l), mul(3, u(j), v(j))), total(n(l), Add(Mul(u(j), u(j)), Mul(v(j), v(j))))),
        (total(L, u(j)), total(n(l), u(j))),
    ],
)
def test_a_difference_that_is_not(lhs: Term, rhs: Term) -> None:
    with pytest.raises(Stuck):
        prove_le(Kernel(theory()), LAYER, lhs, rhs)


def test_where_no_index_is_everything_is_in_order() -> None:
    nowhere = Context(("l",), (ge(l, 1), lt(l, 0)))
    assert prove_le(Kernel(theory()), nowhere, ONE, ZERO).relation == Le(ONE, ZERO)


def test_squares_are_completed_exactly() -> None:
    assert complete_squares(mul(a, b)) is None
    assert complete_squares(Add(mul(a, a), mul(-3, a, b), mul(b, b))) is None
    assert complete_squares(Add(mul(a, a), ONE)) == [Mul(ONE, a, a), ONE]


def test_a_summand_is_at_most_the_sum() -> None:
    k = Kernel(theory())
    ctx = Context(("l", "i"), (ge(i, 0), lt(i, n(l))))
    s = total(n(l), Mul(u(j), u(j)))
    assert at_most_sum(k, ctx, s, i).relation == Le(Mul(u(i), u(i)), s)
    with pytest.raises(Stuck):
        at_most_sum(k, ctx, s, i + 1)
    with pytest.raises(Stuck):
        at_most_sum(k, ctx, total(n(l), u(j)), i)
    nest = total(L, total(n(j), Mul(u(i) + v(j), u(i) + v(j)), "i"))
    inside = Context(("l", "i"), (ge(l, 0), lt(l, L), ge(i, 0), lt(i, n(l))))
    assert nested_summand(k, inside, nest, (l, i)).relation == Le(Mul(u(i) + v(l), u(i) + v(l)), nest)


@pytest.mark.parametrize("relation", [Eq, Le])
def test_a_sum_of_squares_that_is_zero(relation: type) -> None:
    s = total(L, Mul(Num(2), u(j), u(j)))
    k = Kernel(theory(none=Statement((), (), relation(s, ZERO))))
    ctx = Context(("l",), (ge(l, 0), lt(l, L)))
    th = zero_terms(k, ctx, k.hypothesis(ctx, "none", {}), (l,))
    assert th.relation == Eq(Mul(Num(2), u(l), u(l)), ZERO)
    assert square_zero(k, th).relation == Eq(u(l), ZERO)
    with pytest.raises(Stuck):
        zero_terms(k, LAYER, k.refl(LAYER, ONE), ())


def test_only_a_square_that_is_zero_gives_zero() -> None:
    k = Kernel(theory(product=Statement((), (), Eq(Mul(a, b), ZERO)), one=Statement((), (), Eq(Mul(a, a), ONE))))
    for name in ("product", "one"):
        with pytest.raises(Stuck):
            square_zero(k, k.hypothesis(EMPTY, name, {}))


def claim(relation: Le, **hypotheses: Statement) -> Claim:
    return Claim("inequality", theory(**hypotheses), (Statement((), (), relation),))


def test_a_claim_of_an_inequality_is_proved_or_refuted() -> None:
    square = Add(mul(a, a), mul(b, b))
    assert api.prove(claim(Le(mul(2, a, b), square))).verdict == "proved"
    wrong = api.prove(claim(Le(mul(3, a, b), square)))
    assert wrong.verdict == "refuted"
    assert api.prove(claim(Le(p, ZERO))).verdict == "refuted"
    # a bound that holds from another place on may leave no value at all
    late = Statement(("l",), (ge(l, 300),), Le(App("q", (l,)), Num(-1)))
    assert api.prove(claim(Le(mul(3, a, b), square), late=late)).verdict == "unknown"
    assert api.prove(claim(Le(c, p), small=Statement((), (), Le(c, ZERO)))).verdict != "refuted"


def test_the_proof_of_a_claim_is_the_claim() -> None:
    proof = prove_claim(claim(Le(Num(-1), total(L, Mul(u(j), u(j))))))
    assert [th.relation for th in proof.goals] == [Le(Num(-1), total(L, Mul(u(j), u(j))))]


def test_indicators_of_indices_are_not_tried() -> None:
    with pytest.raises((Stuck, KernelError)):
        nonneg(Kernel(theory()), LAYER, Iverson((ge(l, 2),)))
