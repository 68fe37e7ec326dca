"""Directional derivatives with proof, and equality of pairings.

``derive_tangent`` differentiates a term by the kernel's rules; ``split_sums``
cuts sums over layers where a definition by cases changes, so that boundary
layers can be unfolded; ``prove_tangent`` compares with what is claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Optional

from ..language.arith import entails
from ..language.index import Con, Idx, QVar, Size, ge, qvar
from ..language.signature import DEFINED, Deriv, Statement, Tangent
from ..language.terms import Add, App, Mul, Sum, Term, free_vars, open_, open_lam, subst, subterms
from ..proof.kernel import Context, Kernel, Theorem
from .goals import Stuck, Tools, prove_equation
from .normal import normalize
from .rewrite import Rewriter, both, bottom_up, determined, fresh, matching_app, then


class Differentiator:
    """Differentiates terms along one direction; ``lemmas`` are known derivatives."""

    def __init__(self, k: Kernel, direction: str, lemmas: Sequence[Theorem] = ()) -> None:
        self.k, self.direction = k, direction
        self.lemmas = list(lemmas)

    def __call__(self, ctx: Context, t: Term) -> Theorem:
        k = self.k
        names = {s.name for s in subterms(t) if isinstance(s, App)}
        if not names & k.varying(self.direction):
            return k.tangent_constant(ctx, self.direction, t)
        if isinstance(t, Add):
            return k.tangent_add(ctx, [self(ctx, a) for a in t.args])
        if isinstance(t, Mul):
            return k.tangent_mul(ctx, [self(ctx, a) for a in t.args])
        if isinstance(t, Sum):
            name = fresh(ctx)
            inner = ctx.bind((name,), (t.bound,))
            return k.tangent_sum(ctx, t.bound, name, self(inner, open_(t.body, qvar(name))))
        if isinstance(t, App):
            return self._app(ctx, t)
        raise Stuck(ctx, Tangent(self.direction, t, t), f"no rule differentiates {t!r}")

    def _app(self, ctx: Context, t: App) -> Theorem:
        k = self.k
        if t.name in k.theory.directions[self.direction]:
            return k.tangent_variable(ctx, self.direction, t)
        for n, h in enumerate(ctx.hypotheses):
            values = self._match(ctx, h, t)
            if values is not None:
                return k.hypothesis(ctx, n, values)
        for th in self.lemmas:
            values = self._match(ctx, th.statement(), t)
            if values is not None:
                return k.instantiate(ctx, th, values)
        if k.theory.symbols[t.name].kind == DEFINED:
            case = determined(k, ctx, t)
            if case is None:
                raise Stuck(ctx, Tangent(self.direction, t, t), f"the case of {t!r} is not determined")
            value = k.unfold(ctx, t, case).rhs
            return k.tangent_unfold(t, case, self(ctx, value))
        deriv = self._deriv(ctx, t)
        names: list[tuple[str, ...]] = []
        parts = []
        for position, lam in enumerate(t.args):
            bounds = k.theory.symbols[t.name].bounds(position, t.idx)
            own: list[str] = []
            probe = ctx
            for bound in bounds:
                own.append(fresh(probe))
                probe = probe.bind((own[-1],), (bound,))
            inner = ctx.bind(own, bounds)
            names.append(tuple(own))
            parts.append(self(inner, open_lam(lam.arity, lam.body, tuple(qvar(n) for n in own))))
        return k.tangent_function(ctx, t, names, parts, deriv)

    def _match(self, ctx: Context, s: Statement, t: App) -> Optional[dict[str, Idx]]:
        r = s.relation
        if not isinstance(r, Tangent) or r.direction != self.direction or not isinstance(r.term, App):
            return None
        return matching_app(self.k, ctx, s, r.term, t)

    def _deriv(self, ctx: Context, t: App) -> Theorem:
        for name, h in self.k.theory.hypotheses.items():
            if isinstance(h.relation, Deriv):
                values = matching_app(self.k, ctx, h, h.relation.point, t)
                if values is not None:
                    return self.k.hypothesis(ctx, name, values)
        raise Stuck(ctx, Deriv(t), f"no hypothesis says that the derivative of {t.name} is what it is called at {t!r}")


def prove_tangent(
    k: Kernel, ctx: Context, goal: Tangent, tools: Tools, lemmas: Sequence[Theorem] = (), cuts: Iterable[Idx] = ()
) -> Theorem:
    """|- Tangent(direction, term, claimed), by differentiating and comparing."""
    th = Differentiator(k, goal.direction, lemmas)(ctx, goal.term)
    assert isinstance(th.relation, Tangent)
    equation = prove_pairing(k, ctx, th.relation.tangent, goal.tangent, tools, tuple(cuts))
    return k.tangent_convert(th, equation)


def prove_pairing(k: Kernel, ctx: Context, a: Term, b: Term, tools: Tools, cuts: Sequence[Idx]) -> Theorem:
    """a = b for sums over layers, cut at ``cuts`` so that cases can be unfolded."""
    if not cuts:
        return prove_equation(k, ctx, a, b, tools)
    left, right = _prepare(k, ctx, a, tools, cuts), _prepare(k, ctx, b, tools, cuts)
    la, rb = (a if left is None else left.rhs), (b if right is None else right.rhs)
    middle = prove_equation(k, ctx, la, rb, tools)
    back = None if right is None else k.sym(right)
    return both(k, ctx, a, then(k, then(k, left, middle), back))


def _prepare(k: Kernel, ctx: Context, t: Term, tools: Tools, cuts: Sequence[Idx]) -> Theorem | None:
    th = normalize(k, ctx, t)
    current = t if th is None else th.rhs
    th = then(k, th, bottom_up(k, lambda c, s: split_sum(k, c, s, cuts), ctx, current, again=False))
    return th


def pivot(s: Sum) -> Optional[Idx]:
    """The layer that the terms of a sum over layers are about: the largest shift of its index."""
    name = "?pivot"
    body = open_(s.body, qvar(name))
    shifts = [
        i.const
        for a in subterms(body)
        if isinstance(a, App)
        for i in a.idx
        if dict(i.terms).get(QVar(name)) == 1 and len(i.terms) == 1
    ]
    return None if not shifts else Idx(max(shifts))


def split_sum(k: Kernel, ctx: Context, t: Term, cuts: Sequence[Idx]) -> Theorem | None:
    """Cut a sum over layers where the layer it is about passes each of ``cuts``; a sum over one layer is its term."""
    if not isinstance(t, Sum) or any(isinstance(a, Size) and a.args for a, _ in t.bound.terms):
        return None  # a sum over units
    by = pivot(t)
    if by is None:
        return None
    th: Theorem | None = None
    current: Sum = t
    done: list[Term] = []
    offset = Idx(0)
    for cut in cuts:
        at = cut - by - offset
        if not (k.entails(ctx, ge(at, 0)) and k.entails(ctx, ge(current.bound, at))):
            continue
        if k.entails(ctx, Con("eq", at)) or k.entails(ctx, Con("eq", current.bound - at)):
            continue
        step = k.sum_split(ctx, current, at)
        assert isinstance(step.rhs, Add)
        first, rest = step.rhs.args
        whole = _in_sum(k, ctx, done, step)
        th = then(k, th, whole)
        done.append(first)
        assert isinstance(rest, Sum)
        current, offset = rest, offset + at
    if th is None:
        return _single(k, ctx, t)
    return then(k, th, single_sums(k, ctx, th.rhs))


def single_sums(k: Kernel, ctx: Context, t: Term) -> Theorem | None:
    """Sums over one index are their one addend."""
    return bottom_up(k, lambda c, s: _single(k, c, s), ctx, t, again=False)


def _in_sum(k: Kernel, ctx: Context, done: list[Term], step: Theorem) -> Theorem:
    """done + S = done + (S1 + S2), as a flat sum."""
    if not done:
        return step
    whole = k.congruence(ctx, Add(*done, step.lhs), [*(k.refl(ctx, d) for d in done), step])
    assert isinstance(step.rhs, Add)
    return k.trans(whole, k.ring(ctx, whole.rhs, Add(*done, *step.rhs.args)))


def _single(k: Kernel, ctx: Context, t: Term) -> Theorem | None:
    if isinstance(t, Sum) and entails((*k.theory.assumptions, *ctx.guards), Con("eq", t.bound - 1)):
        return k.sum_single(ctx, t)
    return None


__all__ = ["Differentiator", "Rewriter", "free_vars", "prove_pairing", "prove_tangent", "split_sum", "subst"]
