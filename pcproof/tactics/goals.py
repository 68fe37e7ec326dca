"""Proving one equation in one context: rewrite, unfold, compare, split cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..language.arith import unsatisfiable
from ..language.index import Con, Idx, QVar, Size, qvar
from ..language.signature import Eq, Ne, Relation
from ..language.terms import App, Iverson, Pow, Term, map_index, subst_idx, subterms
from ..proof.kernel import Context, Kernel, Theorem
from .constants import constants
from .monomials import Reducer
from .normal import normalize
from .rewrite import Conversion, Rewriter, both, then, undecided, unfold_once


class Stuck(Exception):
    """A tactic found no proof; ``relation`` is the open equation, normalised, None where it never came to one."""

    def __init__(self, context: Context | None, relation: Relation | None, note: str = "") -> None:
        super().__init__(note or "no proof found")
        self.context, self.relation, self.note = context, relation, note


@dataclass
class Tools:
    """What a proof attempt may use.

    lemmas: closed theorems, used from left to right.
    eager: defined symbols unfolded wherever their case is determined.
    lazy: defined symbols unfolded once, if the sides still differ.
    depth, splits: how deep and how often cases are split before giving up.
    """

    lemmas: Sequence[Theorem] = ()
    eager: Iterable[str] = ()
    lazy: Iterable[str] = ()
    depth: int = 5
    splits: int = 60
    used: list[Con] = field(default_factory=list)


def prove_equation(k: Kernel, ctx: Context, lhs: Term, rhs: Term, tools: Tools, depth: int = 0) -> Theorem:
    """|- lhs = rhs in ``ctx``, or ``Stuck`` with what is left open."""
    if unsatisfiable((*k.theory.assumptions, *ctx.guards)):
        return k.absurd(ctx, Eq(lhs, rhs))
    rewriter = Rewriter(k, tools.lemmas, tools.eager)
    pinned = equalities(k, ctx)
    left, right = (_pin(k, ctx, side, pinned) for side in (lhs, rhs))
    left = then(k, left, _step(k, ctx, _end(lhs, left), rewriter))
    right = then(k, right, _step(k, ctx, _end(rhs, right), rewriter))
    a, b = _end(lhs, left), _end(rhs, right)
    if a is b:
        return _join(k, ctx, lhs, rhs, left, right)
    once = unfold_once(k, tools.lazy)

    def unfolded(t: Term, th: Theorem | None, once: Conversion = once) -> tuple[Term, Theorem | None]:
        more = once(ctx, t)
        if more is None:
            return t, th
        more = then(k, more, _step(k, ctx, more.rhs, rewriter))
        assert more is not None
        return more.rhs, then(k, th, more)

    b2, right2 = unfolded(b, right)
    if a is b2:
        return _join(k, ctx, lhs, rhs, left, right2)
    a2, left2 = unfolded(a, left)
    if a2 is b:
        return _join(k, ctx, lhs, rhs, left2, right)
    if a2 is b2:
        return _join(k, ctx, lhs, rhs, left2, right2)
    if any(isinstance(s, Pow) and s.exponent.terms for t in (a, b) for s in subterms(t)):
        plain = unfold_once(k, tools.lazy, powers=False)  # both sides may hold the same power
        b3, right3 = unfolded(b, right, plain)
        if a is b3:
            return _join(k, ctx, lhs, rhs, left, right3)
        a3, left3 = unfolded(a, left, plain)
        if a3 is b:
            return _join(k, ctx, lhs, rhs, left3, right)
    if depth < tools.depth:
        con = _splitting(k, ctx, rewriter, (a, b, a2, b2), tools)
        if con is not None and len(tools.used) < tools.splits:
            tools.used.append(con)
            parts = [
                prove_equation(k, ctx.with_guards(side), lhs, rhs, tools, depth + 1) for side in (con, *con.negations())
            ]
            return k.cases(ctx, con, parts)
    raise Stuck(ctx, Eq(a2, b2))


def equalities(k: Kernel, ctx: Context) -> dict[str, Idx]:
    """Variables of the context that its guards fix in terms of the others."""
    out: dict[str, Idx] = {}
    for c in ctx.guards:
        if c.kind == "ne" or (c.kind == "ge" and not k.entails(ctx, Con("eq", c.expr))):
            continue
        e = subst_idx(c.expr, out)
        own = [(a, m) for a, m in e.terms if isinstance(a, QVar) and abs(m) == 1]
        own = [
            p
            for p in own
            if p[0] not in {x for y, _ in e.terms if isinstance(y, Size) for z in y.args for x in z.atoms()}
        ]
        if own:
            # keep layers where possible: times go first
            atom, m = min(own, key=lambda p: (p[0].name != "t", p[0].name))
            value = (e - Idx(0, ((atom, m),))) * -m
            out = {n: subst_idx(v, {atom.name: value}) for n, v in out.items()}
            out[atom.name] = value
    return {n: v for n, v in out.items() if k.entails(ctx, Con("eq", qvar(n) - v))}


def _pin(k: Kernel, ctx: Context, t: Term, pinned: dict[str, Idx]) -> Theorem | None:
    """Values put in for variables; not in indicators, nor in n(.) where the guards do not show that it is the same."""
    kept = {c.expr for s in subterms(t) if isinstance(s, Iverson) for c in s.cons}

    def put(i: Idx, _: int) -> Idx:
        new = i if i in kept else subst_idx(i, pinned)
        deep = any(isinstance(a, Size) and a.args for a in i.atoms())
        return i if deep and new != i and not k.entails(ctx, Con("eq", i - new)) else new

    new = map_index(t, put) if pinned else t
    return None if new is t else k.index(ctx, t, new)


def _step(k: Kernel, ctx: Context, t: Term, rewriter: Rewriter) -> Theorem | None:
    th = rewriter(ctx, t)
    th = then(k, th, normalize(k, ctx, _end(t, th)))
    number = constants(k, ctx, _end(t, th))
    if number is not None:
        th = then(k, th, then(k, number, normalize(k, ctx, number.rhs)))
    if any(isinstance(s.relation, Ne) for s in k.theory.hypotheses.values()):
        from .powers import Canceller

        th = then(k, th, Canceller(k)(ctx, _end(t, th)))
    products = Reducer(k, rewriter.products)
    return then(k, th, products(ctx, _end(t, th)))


def _end(t: Term, th: Theorem | None) -> Term:
    return t if th is None else th.rhs


def _join(k: Kernel, ctx: Context, lhs: Term, rhs: Term, left: Theorem | None, right: Theorem | None) -> Theorem:
    back = None if right is None else k.sym(right)
    return both(k, ctx, lhs, then(k, left, back))


def _splitting(k: Kernel, ctx: Context, rewriter: Rewriter, ends: Sequence[Term], tools: Tools) -> Con | None:
    """A constraint that would let some symbol be unfolded."""
    for _, app in rewriter.blocked:
        con = undecided(k, ctx, app)
        if con is not None:
            return con
    lazy = set(tools.lazy)
    for t in ends:
        for s in subterms(t):
            if isinstance(s, App) and s.name in lazy:
                con = undecided(k, ctx, s)
                if con is not None:
                    return con
    return None
