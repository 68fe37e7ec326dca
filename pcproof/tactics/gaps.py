"""Inequalities by their gaps: a <= b where b - a is a sum of what is known not to be negative."""

from __future__ import annotations

from collections.abc import Sequence

from ..language.signature import Le
from ..language.terms import ZERO, Inv, Mul, Term, add, neg
from ..proof.kernel import Context, Kernel, Theorem
from .order import ring_le, sides


def gap(k: Kernel, th: Theorem) -> Theorem:
    """0 <= b - a from a <= b."""
    a, b = sides(th)
    ctx = th.context
    whole = k.le_add(ctx, [th, k.le_equal(k.refl(ctx, neg(a)))])
    return ring_le(k, ctx, ZERO, whole, add(b, neg(a)))


def from_gaps(k: Kernel, ctx: Context, lhs: Term, rhs: Term, parts: Sequence[Theorem]) -> Theorem:
    """lhs <= rhs where rhs - lhs is, as a polynomial, the sum of the parts p, each 0 <= p."""
    whole = k.le_add(ctx, [k.le_equal(k.refl(ctx, lhs)), *parts])
    return ring_le(k, ctx, lhs, whole, rhs)


def divided(k: Kernel, ctx: Context, t: Term, factor: Theorem, other: Theorem, scaled: Theorem) -> Theorem:
    """0 <= t from 0 <= a, a != 0 and 0 <= a t (or a polynomial that equals a t)."""
    assert isinstance(factor.relation, Le)
    a = factor.relation.rhs
    unit = k.inverse(other)
    whole = k.le_mul(ctx, [scaled, factor, k.le_square(ctx, Inv(a))])
    # (a t) a (1/a)^2 = t (a 1/a) (a 1/a)
    grouped = Mul(t, unit.lhs, unit.lhs)
    low = ring_le(k, ctx, ZERO, whole, grouped)
    equal = k.congruence(ctx, grouped, [k.refl(ctx, t), unit, unit])
    flat = k.trans(equal, k.ring(ctx, equal.rhs, t))
    return k.le_trans(low, k.le_equal(flat))
