"""Rewriting with proofs.  Untrusted: every step is a call of a kernel rule.

A *conversion* takes a context and a term t and gives a theorem t = t', or
None for "nothing to do" (which saves steps for reflexivity).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Optional

from ..language.arith import entails, unsatisfiable
from ..language.fold import match
from ..language.index import Con, Idx, QVar, qvar
from ..language.signature import DEFINED, Eq, Relation, Statement
from ..language.terms import (
    App,
    Iverson,
    Mul,
    Pow,
    Sum,
    Term,
    children,
    free_vars,
    loose,
    open_,
    open_lam,
    subst,
    subterms,
)
from ..proof.kernel import Context, Kernel, KernelError, Theorem

MOST_UNFOLDINGS = 300  # of one equation; beyond it the equation is left as it stands
MOST_REPLACEMENTS = 300  # in one term by hypotheses and lemmas; beyond it the term is left as it stands
MOST_NESTED = 40  # rewritings of what was rewritten
Conversion = Callable[[Context, Term], Optional[Theorem]]


def then(k: Kernel, first: Theorem | None, second: Theorem | None) -> Theorem | None:
    """Transitivity where None stands for reflexivity."""
    if first is None:
        return second
    if second is None:
        return first
    return k.trans(first, second)


def both(k: Kernel, ctx: Context, t: Term, th: Theorem | None) -> Theorem:
    """A theorem even where nothing changed."""
    return th if th is not None else k.refl(ctx, t)


def contradictory(k: Kernel, ctx: Context) -> bool:
    """Can the guards of the context not be met?"""
    return unsatisfiable((*k.theory.assumptions, *ctx.guards))


def by_cases(
    k: Kernel, ctx: Context, con: Con, relation: Relation, prove: Callable[[Context, Con], Theorem]
) -> Theorem:
    """``relation`` where ``con`` holds and in each case where it does not; impossible cases are passed over."""
    parts = []
    for side in (con, *con.negations()):
        c = ctx.with_guards(side)
        parts.append(k.absurd(c, relation) if contradictory(k, c) else prove(c, side))
    return k.cases(ctx, con, parts)


def fresh(ctx: Context, stem: str = "k") -> str:
    """A name that the context does not use."""
    n = 1
    while f"{stem}{n}" in ctx.variables:
        n += 1
    return f"{stem}{n}"


def inside(k: Kernel, conv: Conversion, ctx: Context, t: Term) -> Theorem | None:
    """Apply a conversion to the immediate subterms."""
    if isinstance(t, Sum):
        name = fresh(ctx)
        inner = ctx.bind((name,), (t.bound,))
        th = conv(inner, open_(t.body, qvar(name)))
        return None if th is None else k.sum_congruence(ctx, t.bound, name, th)
    if isinstance(t, App):
        out: Theorem | None = None
        if t.args and all(a.arity == 0 for a in t.args):
            parts = [conv(ctx, a.body) for a in t.args]
            if any(p is not None for p in parts):
                whole = [both(k, ctx, a.body, p) for a, p in zip(t.args, parts)]
                out = k.congruence(ctx, t, whole)
            return out
        current = t
        for position, lam in enumerate(t.args):
            if lam.arity == 0:
                continue
            names: list[str] = []
            probe = ctx
            bounds = k.theory.symbols[t.name].bounds(position, current.idx)
            for bound in bounds:
                names.append(fresh(probe))
                probe = probe.bind((names[-1],), (bound,))
            inner = ctx.bind(names, bounds)
            th = conv(inner, open_lam(lam.arity, lam.body, tuple(qvar(n) for n in names)))
            if th is not None:
                step = k.argument_congruence(ctx, current, position, names, th)
                out = then(k, out, step)
                assert isinstance(step.rhs, App)
                current = step.rhs
        return out
    kids = children(t)
    if not kids:
        return None
    parts = [conv(ctx, c) for _, c in kids]
    if all(p is None for p in parts):
        return None
    return k.congruence(ctx, t, [both(k, ctx, c, p) for (_, c), p in zip(kids, parts)])


def bottom_up(
    k: Kernel, head: Conversion, ctx: Context, t: Term, again: bool = True, left: int = MOST_NESTED
) -> Theorem | None:
    """Rewrite subterms first, then the term itself; ``again``: results are rewritten too, ``left`` times at most."""
    th = inside(k, lambda c, s: bottom_up(k, head, c, s, again, left), ctx, t)
    current = t if th is None else th.rhs
    step = head(ctx, current)
    if step is None:
        return th
    th = then(k, th, step)
    if again and left:
        th = then(k, th, bottom_up(k, head, ctx, step.rhs, again, left - 1))
    return th


class Rewriter:
    """Rewriting by hypotheses, lemmas and definitions, where guards follow from the context.

    unfold: names of symbols that are unfolded where their case is determined.
    without: names of hypotheses that are not used.
    """

    def __init__(
        self,
        k: Kernel,
        lemmas: Sequence[Theorem] = (),
        unfold: Iterable[str] = (),
        without: Iterable[str] = (),
    ) -> None:
        self.k = k
        self.without = frozenset(without)
        self.unfold = frozenset(unfold)
        self.lemmas: dict[str, list[Theorem]] = {}
        self.products = [th for th in lemmas if isinstance(th.relation, Eq) and isinstance(th.relation.lhs, Mul)]
        for th in lemmas:
            self.add(th)
        self.blocked: list[tuple[Context, App]] = []
        self.steps = 0
        self.replaced = 0

    def add(self, th: Theorem) -> None:
        """Use an equation between a symbol and something else from left to right."""
        if isinstance(th.relation, Eq) and isinstance(th.relation.lhs, App):
            self.lemmas.setdefault(th.relation.lhs.name, []).append(th)

    def __call__(self, ctx: Context, t: Term) -> Theorem | None:
        self.replaced = 0
        return bottom_up(self.k, self.head, ctx, t)

    def known(self, ctx: Context, t: App) -> Theorem | None:
        """``t`` = something else by a hypothesis or a lemma; not where ``t`` stands in it again."""
        k = self.k
        for n, h in enumerate(ctx.hypotheses):
            values = useful(k, ctx, h, t)
            if values is not None:
                return k.hypothesis(ctx, n, values)
        for name, h in k.theory.hypotheses.items():
            values = None if name in self.without else useful(k, ctx, h, t)
            if values is not None:
                return k.hypothesis(ctx, name, values)
        for th in self.lemmas.get(t.name, ()):
            values = useful(k, ctx, th.statement(), t)
            if values is not None:
                return k.instantiate(ctx, th, values)
        return None

    def head(self, ctx: Context, t: Term) -> Theorem | None:
        k = self.k
        if isinstance(t, App):
            th = self.known(ctx, t) if self.replaced < MOST_REPLACEMENTS else None
            if th is not None:
                self.replaced += 1
                return th
            if t.name in self.unfold and k.theory.symbols[t.name].kind == DEFINED:
                case = determined(k, ctx, t)
                if case is not None:
                    self.steps += 1
                    return k.unfold(ctx, t, case) if self.steps <= MOST_UNFOLDINGS else None
                self.blocked.append((ctx, t))
        elif isinstance(t, Sum):
            if entails((*k.theory.assumptions, *ctx.guards), Con("ge", -t.bound)):
                return k.sum_empty(ctx, t)
        elif isinstance(t, Iverson):
            if all(k.entails(ctx, c) for c in t.cons):
                return k.iverson_true(ctx, t)
            try:
                return k.iverson_false(ctx, t)
            except KernelError:
                return None
        elif isinstance(t, Pow) and k.entails(ctx, Con("ge", -t.exponent)):
            return k.power_zero(ctx, t)
        return None


def useful(k: Kernel, ctx: Context, s: Statement, t: App) -> dict[str, Idx] | None:
    """``matching``, where the right side does not hold ``t`` again."""
    values = matching(k, ctx, s, t)
    if values is None:
        return None
    _, relation = s.at(values)
    assert isinstance(relation, Eq)
    return None if any(u is t for u in subterms(relation.rhs)) else values


def matching(k: Kernel, ctx: Context, s: Statement, t: App) -> dict[str, Idx] | None:
    """Values of the variables of an equation that make its left side ``t`` and its guards true."""
    if not isinstance(s.relation, Eq) or not isinstance(s.relation.lhs, App):
        return None
    return matching_app(k, ctx, s, s.relation.lhs, t)


def matching_app(k: Kernel, ctx: Context, s: Statement, lhs: App, t: App) -> dict[str, Idx] | None:
    """Values of the variables of ``s`` that turn ``lhs`` into ``t``, with the guards following."""
    if lhs.name != t.name:
        return None
    # the pattern's variables may be named like variables of the context
    names = {v: qvar("?" + v) for v in s.variables}
    found = match(subst(lhs, names), t, {}, tuple("?" + v for v in s.variables))
    if found is None:
        return None
    values = {v: found["?" + v] for v in s.variables if "?" + v in found}
    if len(values) != len(s.variables):
        return None
    for i in values.values():
        if any(isinstance(a, QVar) and a.name.startswith("?") for a in i.atoms()):
            return None
    guards, _ = s.at(values)
    return values if all(k.entails(ctx, c) for c in guards) else None


def determined(k: Kernel, ctx: Context, t: App) -> int | None:
    """The case of a definition whose guard follows from the context, if any."""
    d = k.theory.definition(t.name)
    assert d is not None
    for n in range(len(d.cases)):
        if all(k.entails(ctx, c) for c in d.at(n, t.idx).guard):
            return n
    return None


def unfold_once(k: Kernel, names: Iterable[str], powers: bool = True) -> Conversion:
    """Unfold each application of ``names`` once, where its case is determined; and a^k to a a^(k-1)."""
    wanted = frozenset(names)

    def head(ctx: Context, t: Term) -> Theorem | None:
        if isinstance(t, App) and t.name in wanted:
            case = determined(k, ctx, t)
            if case is not None:
                return k.unfold(ctx, t, case)
        if powers and isinstance(t, Pow):
            if k.entails(ctx, Con("ge", t.exponent - 1)):
                return k.power_step(ctx, t)
        return None

    return lambda ctx, t: bottom_up(k, head, ctx, t, again=False)


def undecided(k: Kernel, ctx: Context, t: App) -> Con | None:
    """A constraint on the context's own variables that would determine the case of ``t``."""
    if loose(t) or not free_vars(t) <= set(ctx.variables):
        return None
    d = k.theory.definition(t.name)
    if d is None:
        return None
    for n in range(len(d.cases)):
        guard = d.at(n, t.idx).guard
        if unsatisfiable((*k.theory.assumptions, *ctx.guards, *guard)):
            continue
        for c in guard:
            if not k.entails(ctx, c):
                return c
    return None
