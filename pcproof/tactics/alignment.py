"""Script for ``rules/alignment``: everything spelt out, with one layer of weights and one sample."""

from __future__ import annotations

from ..language.index import Con
from ..language.signature import Claim, Eq, Statement
from ..language.terms import Sum, Term
from ..proof.kernel import Context, Kernel, Theorem
from .equilibrium import Out
from .goals import Stuck
from .normal import normalize
from .rewrite import Rewriter, both, bottom_up, then


def spelt_out(k: Kernel, ctx: Context, t: Term) -> Theorem:
    """t with definitions and hypotheses put in and sums of one term taken, in normal form."""
    names = {d.name for g in k.theory.definitions for d in g}

    def head(c: Context, s: Term) -> Theorem | None:
        if isinstance(s, Sum) and k.entails(c, Con("eq", s.bound - 1)):
            return k.sum_single(c, s)
        return None

    th = Rewriter(k, (), names)(ctx, t)
    th = then(k, th, bottom_up(k, head, ctx, t if th is None else th.rhs, again=False))
    th = then(k, th, Rewriter(k, (), names)(ctx, t if th is None else th.rhs))
    th = then(k, th, normalize(k, ctx, t if th is None else th.rhs))
    return both(k, ctx, t, th)


def same(k: Kernel, s: Statement) -> Theorem:
    """An equation, both sides spelt out."""
    assert isinstance(s.relation, Eq)
    ctx = Context(s.variables, s.guards)
    left, right = spelt_out(k, ctx, s.relation.lhs), spelt_out(k, ctx, s.relation.rhs)
    if left.rhs is not right.rhs:
        raise Stuck(ctx, Eq(left.rhs, right.rhs))
    return k.trans(left, k.sym(right))


def aligned_script(k: Kernel, claim: Claim) -> Out:
    """Every goal by spelling it out."""
    return {}, [same(k, s) for s in claim.goals]
