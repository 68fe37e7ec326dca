"""a^k (1/a)^k = 1 where a differs from 0: a lemma by induction, and its use in products."""

from __future__ import annotations

from ..language.index import Con, eq, ge, qvar
from ..language.signature import Eq, Ne, Statement
from ..language.terms import ONE, ZERO, Add, Inv, Mul, Pow, Term
from ..proof.kernel import Context, Kernel, Theorem
from .goals import Tools, prove_equation
from .normal import ring_to
from .rewrite import both, by_cases, then


def nonzero(k: Kernel) -> dict[Term, str]:
    """Scalars that a hypothesis of the theory says are not 0."""
    return {
        s.relation.lhs: name
        for name, s in k.theory.hypotheses.items()
        if isinstance(s.relation, Ne) and s.relation.rhs is ZERO and not s.variables
    }


def cancel_lemma(k: Kernel, base: Term, hypothesis: str) -> Theorem:
    """For every e >= 0: base^e (1/base)^e = 1."""
    e = qvar("e")
    up, down = Pow(base, e), Pow(Inv(base), e)
    claim = Statement(("e",), (ge(e, 0),), Eq(Mul(up, down), ONE))
    ctx = k.induction_context([claim], [e], 0)

    def case(c: Context, side: Con) -> Theorem:
        if side.kind == "eq":
            return prove_equation(k, c, Mul(up, down), ONE, Tools())
        first = k.congruence(c, Mul(up, down), [k.power_step(c, up), k.power_step(c, down)])
        unit = k.inverse(k.hypothesis(c, hypothesis, {}))
        rest = k.hypothesis(c, 0, {"e'": e - 1})
        grouped = Mul(unit.lhs, rest.lhs)
        th = k.trans(first, k.ring(c, first.rhs, grouped))
        th = k.trans(th, k.congruence(c, grouped, [unit, rest]))
        return k.trans(th, k.ring(c, th.rhs, ONE))

    th = by_cases(k, ctx, eq(e, 0), claim.relation, case)
    (out,) = k.induct([claim], [e], [th])
    return out


class Canceller:
    """Replaces a^e (1/a)^e by 1 in the monomials of a polynomial in normal form."""

    def __init__(self, k: Kernel) -> None:
        self.k = k
        self.names = nonzero(k)
        self.lemmas: dict[Term, Theorem] = {}

    def __call__(self, ctx: Context, t: Term) -> Theorem | None:
        if not self.names:
            return None
        k = self.k
        if isinstance(t, Add):
            parts = [self(ctx, a) for a in t.args]
            if all(p is None for p in parts):
                return None
            th = k.congruence(ctx, t, [both(k, ctx, a, p) for a, p in zip(t.args, parts)])
            return then(k, th, ring_to(k, ctx, th.rhs))
        if not isinstance(t, Mul):
            return None
        for a in t.args:
            for b in t.args:
                if isinstance(a, Pow) and isinstance(b, Pow) and b.base is Inv(a.base) and a.exponent == b.exponent:
                    if a.base in self.names and k.entails(ctx, ge(a.exponent, 0)):
                        return self._cancel(ctx, t, a, b)
        return None

    def _cancel(self, ctx: Context, t: Mul, a: Pow, b: Pow) -> Theorem | None:
        k = self.k
        if a.base not in self.lemmas:
            self.lemmas[a.base] = cancel_lemma(k, a.base, self.names[a.base])
        rest = list(t.args)
        rest.remove(a)
        rest.remove(b)
        unit = k.instantiate(ctx, self.lemmas[a.base], {"e": a.exponent})
        grouped = Mul(unit.lhs, *rest)
        th = k.ring(ctx, t, grouped)
        th = k.trans(th, k.congruence(ctx, grouped, [unit, *(k.refl(ctx, r) for r in rest)]))
        return then(k, th, ring_to(k, ctx, th.rhs))
