"""Numbers under a reciprocal or a power: 1/2 as Inv(2), and 1^e = 1, where a parameter has been given its value."""

from __future__ import annotations

from ..language.index import Con, ge, qvar
from ..language.signature import Eq, Statement
from ..language.terms import ONE, ZERO, Inv, Mul, Num, Pow, Term, subterms
from ..proof.kernel import Context, Kernel, Theorem
from .rewrite import by_cases, inside, then


def constants(k: Kernel, ctx: Context, t: Term) -> Theorem | None:
    """Reciprocals of numbers and powers of 1 as numbers; None where there are none."""
    if not any(_constant(s) for s in subterms(t)):
        return None
    th = inside(k, lambda c, s: constants(k, c, s), ctx, t)
    current = t if th is None else th.rhs
    if isinstance(current, Inv) and isinstance(current.arg, Num) and current.arg is not ZERO:
        return then(k, th, k.instantiate(ctx, _reciprocal(k, current.arg), {}))
    if isinstance(current, Pow) and current.base is ONE:
        if k.entails(ctx, ge(0, current.exponent)):
            return then(k, th, k.power_zero(ctx, current))
        if k.entails(ctx, ge(current.exponent, 0)):
            return then(k, th, k.instantiate(ctx, _power_of_one(k), {"e": current.exponent}))
    return th


def _constant(s: Term) -> bool:
    return isinstance(s, Inv) and isinstance(s.arg, Num) or isinstance(s, Pow) and s.base is ONE


def _reciprocal(k: Kernel, q: Num) -> Theorem:
    """1/q as a number: where q = 0 every number is 0, elsewhere q (1/q) = 1."""
    ctx, value = Context(), Num(1 / q.value)
    goal = Eq(Inv(q), value)
    same, other = (k.real_context(ctx, q, ZERO, equal) for equal in (True, False))
    zero = k.hypothesis(same, 0, {})
    sides = []
    for side in (goal.lhs, goal.rhs):
        whole = Mul(side, value, q)
        gone = k.congruence(same, whole, [k.refl(same, side), k.refl(same, value), zero])
        sides.append(k.trans(k.ring(same, side, whole), k.trans(gone, k.ring(same, gone.rhs, ZERO))))
    unit = k.inverse(k.hypothesis(other, 0, {}))
    scaled = k.congruence(other, Mul(value, unit.lhs), [k.refl(other, value), unit])
    there = k.trans(k.ring(other, goal.lhs, scaled.lhs), k.trans(scaled, k.ring(other, scaled.rhs, value)))
    return k.real_cases(ctx, q, ZERO, [k.trans(sides[0], k.sym(sides[1])), there])


def _power_of_one(k: Kernel) -> Theorem:
    """1^e = 1 for e >= 0."""
    e = qvar("e")
    power = Pow(ONE, e)
    claim = Statement(("e",), (ge(e, 0),), Eq(power, ONE))
    ctx = k.induction_context([claim], [e], 0)

    def case(c: Context, side: Con) -> Theorem:
        if side != ge(e, 1):
            return k.power_zero(c, power)
        first = k.power_step(c, power)
        known = k.hypothesis(c, 0, {"e'": e - 1})
        assert isinstance(first.rhs, Mul)
        th = k.trans(first, k.congruence(c, first.rhs, [k.refl(c, ONE), known]))
        return k.trans(th, k.ring(c, th.rhs, ONE))

    (out,) = k.induct([claim], [e], [by_cases(k, ctx, ge(e, 1), claim.relation, case)])
    return out


__all__ = ["constants"]
