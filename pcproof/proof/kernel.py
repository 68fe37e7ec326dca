"""The one place that makes theorems.

A ``Theorem`` says: in a context (variables, guards, local hypotheses) of a
theory, a relation holds.  Its constructor is private to this module; the
methods of ``Kernel`` below are the rules, and each writes one item
``{id, rule, arguments, premises, claim}`` into ``Kernel.items``.  Tactics are
untrusted: they can only call these rules.

====================  =====================================================
equality              refl, sym, trans, congruence, sum_congruence,
                      argument_congruence, index
definitions           unfold
algebra               ring, power_zero, power_step, inverse
real cases            real_cases, clash, iszero_zero, iszero_other
order                 le_number, le_equal, le_trans, le_both, le_add,
                      le_mul, le_square, le_sum
finite sums           sum_add, sum_scale, sum_swap, sum_split, sum_empty,
                      sum_single, sum_zero
indicators            iverson_true, iverson_false
logic                 instantiate, hypothesis, weaken, cases, absurd,
                      distinct, induct
derivatives           tangent_constant, tangent_variable, tangent_add,
                      tangent_mul, tangent_sum, tangent_function,
                      tangent_unfold, tangent_convert
====================  =====================================================

Trusted with it: ``ring``, ``theory``, ``language.arith``, ``language.terms``,
``language.index``, ``language.signature``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..language.arith import entails, unsatisfiable
from ..language.index import Bound, Con, Idx, QVar, ge, lt, qvar
from ..language.signature import Deriv, Eq, Le, Ne, Relation, Statement, Tangent, Theory, relation_terms, subst_relation
from ..language.terms import (
    NODES,
    ONE,
    ZERO,
    Add,
    App,
    Inv,
    IsZero,
    Iverson,
    Lam,
    Mul,
    Num,
    Pow,
    Sum,
    Term,
    children,
    close,
    close_lam,
    free_vars,
    loose,
    mentions_bound,
    open_,
    open_lam,
    rebuild,
    subst_con,
    subst_idx,
    subterms,
)
from .ring import ring_equal
from .theory import admit, check_index, check_statement, check_term, freeze


class KernelError(ValueError):
    """A rule refuses; the message is ``rule: reason``."""


def _require(ok: bool, rule: str, reason: str, *parts: object) -> None:
    """Refuse with ``reason``, into which ``parts`` are formatted only when it is needed."""
    if not ok:
        raise KernelError(f"{rule}: {reason.format(*parts) if parts else reason}")


@dataclass(frozen=True)
class Context:
    """Variables, guards on them, local hypotheses (of an induction, or that two numbers are equal or not)."""

    variables: tuple[str, ...] = ()
    guards: tuple[Con, ...] = ()
    hypotheses: tuple[Statement, ...] = ()

    def with_guards(self, *guards: Con) -> Context:
        return Context(self.variables, self.guards + guards, self.hypotheses)

    def bind(self, names: Sequence[str], bounds: Sequence[Idx]) -> Context:
        """New variables, each from 0 up to its bound."""
        guards = tuple(c for n, b in zip(names, bounds) for c in (ge(qvar(n), 0), lt(qvar(n), b)))
        return Context(self.variables + tuple(names), self.guards + guards, self.hypotheses)


_TOKEN = object()


class Theorem:
    """A relation that holds in a context; only the kernel can make one."""

    __slots__ = ("context", "id", "kernel", "relation")
    kernel: Kernel
    context: Context
    relation: Relation
    id: int

    def __init__(self, token: object, kernel: Kernel, context: Context, relation: Relation, id: int) -> None:
        if token is not _TOKEN:
            raise KernelError("theorems are made by the rules of the kernel only")
        for name, value in (("kernel", kernel), ("context", context), ("relation", relation), ("id", id)):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise KernelError("a theorem cannot be changed")

    def __bool__(self) -> bool:
        raise TypeError("a theorem has no truth value; having it is the proof")

    @property
    def lhs(self) -> Term:
        _require(isinstance(self.relation, Eq), "lhs", "not an equation")
        return self.relation.lhs  # type: ignore[union-attr]

    @property
    def rhs(self) -> Term:
        _require(isinstance(self.relation, Eq), "rhs", "not an equation")
        return self.relation.rhs  # type: ignore[union-attr]

    def statement(self) -> Statement:
        """The closed statement that a theorem without local hypotheses proves."""
        _require(not self.context.hypotheses, "statement", "a local hypothesis is still open")
        return Statement(self.context.variables, self.context.guards, self.relation)

    def __repr__(self) -> str:
        return f"|- {self.relation!r}"


@dataclass(frozen=True)
class Item:
    """One step of a proof, restating what it proves."""

    id: int
    rule: str
    arguments: tuple[Any, ...]
    premises: tuple[int, ...]
    context: Context
    claim: Relation


class Kernel:
    """The rules, for one admitted theory."""

    def __init__(self, theory: Theory) -> None:
        self.theory = freeze(theory)
        admit(self.theory)
        self._definitions = {d.name: d for group in self.theory.definitions for d in group}
        self._contexts: set[Context] = set()
        self.items: list[Item] = []
        self._checked: set[tuple[tuple[str, ...], Term]] = set()
        self._varying: dict[str, frozenset[str]] = {}

    # -- bookkeeping ----------------------------------------------------------
    def _make(
        self,
        rule: str,
        ctx: Context,
        claim: Relation,
        premises: Sequence[Theorem] = (),
        arguments: tuple[Any, ...] = (),
    ) -> Theorem:
        for p in premises:
            _require(type(p) is Theorem and p.kernel is self, rule, "a premise belongs to another proof")
        _require(type(claim) in (Eq, Ne, Le, Tangent, Deriv), rule, "{!r} is not a relation", claim)
        self._context(ctx)
        if type(claim) is Tangent:
            _require(type(claim.direction) is str, rule, "a direction is a name")
        for t in relation_terms(claim):
            _require(type(t) in NODES, rule, "{} is no term", type(t))
            if (ctx.variables, t) not in self._checked:
                check_term(self.theory, t)
                _require(loose(t) == 0, rule, "a bound index stands outside its sum in {!r}", t)
                stray = free_vars(t) - set(ctx.variables)
                _require(not stray, rule, "the index {} is not quantified", sorted(stray))
                self._checked.add((ctx.variables, t))
        item = Item(len(self.items), rule, arguments, tuple(p.id for p in premises), ctx, claim)
        self.items.append(item)
        return Theorem(_TOKEN, self, ctx, claim, item.id)

    def entails(self, ctx: Context, con: Con) -> bool:
        """Do the guards of the context (and the assumptions on sizes) entail ``con``?"""
        return entails((*self.theory.assumptions, *ctx.guards), con)

    def _same(self, rule: str, ctx: Context, premises: Sequence[Theorem]) -> None:
        for p in premises:
            _require(p.context == ctx, rule, "a premise stands in another context")

    def _fresh(self, rule: str, ctx: Context, names: Sequence[str]) -> None:
        taken = set(ctx.variables).union(*(h.variables for h in ctx.hypotheses))
        _require(len(set(names)) == len(names) and not taken & set(names), rule, "{} are not new", names)

    # -- equality -------------------------------------------------------------
    def refl(self, ctx: Context, t: Term) -> Theorem:
        return self._make("refl", ctx, Eq(t, t))

    def sym(self, th: Theorem) -> Theorem:
        return self._make("sym", th.context, Eq(th.rhs, th.lhs), (th,))

    def trans(self, a: Theorem, b: Theorem) -> Theorem:
        self._same("trans", a.context, (b,))
        _require(a.rhs is b.lhs, "trans", "{!r} is not {!r}", a.rhs, b.lhs)
        return self._make("trans", a.context, Eq(a.lhs, b.rhs), (a, b))

    def congruence(self, ctx: Context, t: Term, parts: Sequence[Theorem]) -> Theorem:
        """Equal subterms (none under a binder) give an equal term."""
        kids, parts = children(t), tuple(parts)
        _require(len(kids) == len(parts), "congruence", "{} premises expected", len(kids))
        self._same("congruence", ctx, parts)
        for (depth, kid), p in zip(kids, parts):
            _require(depth == 0 and p.lhs is kid, "congruence", "no premise about {!r}", kid)
        return self._make("congruence", ctx, Eq(t, rebuild(t, (p.rhs for p in parts))), parts)

    def sum_congruence(self, ctx: Context, bound: Idx, name: str, th: Theorem) -> Theorem:
        """Bodies equal for every index in range give equal sums."""
        self._fresh("sum_congruence", ctx, (name,))
        self._same("sum_congruence", ctx.bind((name,), (bound,)), (th,))
        claim = Eq(Sum(bound, close(th.lhs, name)), Sum(bound, close(th.rhs, name)))
        return self._make("sum_congruence", ctx, claim, (th,), (bound, name))

    def argument_congruence(self, ctx: Context, t: App, position: int, names: Sequence[str], th: Theorem) -> Theorem:
        """A symbol reads its argument inside the declared ranges only."""
        rule, names = "argument_congruence", tuple(names)
        _require(0 <= position < len(t.args), rule, "no such argument")
        bounds = self.theory.symbols[t.name].bounds(position, t.idx)
        _require(len(names) == len(bounds), rule, "{} names expected", len(bounds))
        self._fresh(rule, ctx, names)
        self._same(rule, ctx.bind(names, bounds), (th,))
        old = Lam(len(names), close_lam(th.lhs, tuple(names)))
        _require(old is t.args[position], rule, "the premise is about another argument")
        args = list(t.args)
        args[position] = Lam(len(names), close_lam(th.rhs, tuple(names)))
        return self._make(rule, ctx, Eq(t, App(t.name, t.idx, args)), (th,), (position, tuple(names)))

    def index(self, ctx: Context, a: Term, b: Term) -> Theorem:
        """Terms that differ in index terms only, which the guards entail to be equal."""
        self._index(ctx, a, b, 0)
        return self._make("index", ctx, Eq(a, b))

    def _index(self, ctx: Context, a: Term, b: Term, depth: int) -> None:
        if a is b:
            return
        _require(type(a) is type(b) and not isinstance(a, (Num, Iverson)), "index", "{!r} and {!r} differ", a, b)
        _require(len(children(a)) == len(children(b)), "index", "{!r} and {!r} differ", a, b)
        pairs: list[tuple[Idx, Idx]] = []
        bounds: list[tuple[Idx, ...]] = [()] * len(children(a))
        if isinstance(a, App) and isinstance(b, App):
            shape = [x.arity for x in a.args] == [y.arity for y in b.args]
            _require(a.name == b.name and len(a.idx) == len(b.idx) and shape, "index", "{!r} and {!r} differ", a, b)
            pairs = list(zip(a.idx, b.idx))
            if a.args:  # a symbol reads its arguments inside their ranges only
                symbol = self.theory.symbols[a.name]
                bounds = [symbol.bounds(n, a.idx) for n in range(len(a.args))]
        elif isinstance(a, Sum) and isinstance(b, Sum):
            pairs, bounds = [(a.bound, b.bound)], [(a.bound,)]
        elif isinstance(a, Pow) and isinstance(b, Pow):
            pairs = [(a.exponent, b.exponent)]
        for x, y in pairs:
            ok = x == y or self.entails(ctx, Con("eq", x - y))
            _require(ok, "index", "{!r} = {!r} does not follow from the guards", x, y)
        for (_, p), (_, q), bs in zip(children(a), children(b), bounds):
            names = tuple(f"#{depth + n}" for n in range(len(bs)))
            self._fresh("index", ctx, names)
            values = tuple(qvar(n) for n in names)
            inner = ctx.bind(names, bs) if names else ctx
            self._index(inner, open_lam(len(bs), p, values), open_lam(len(bs), q, values), depth + len(bs))

    # -- definitions ----------------------------------------------------------
    def unfold(self, ctx: Context, t: Term, case: int) -> Theorem:
        """A defined symbol equals the case whose guard follows from the context."""
        return self._make("unfold", ctx, Eq(t, self._case("unfold", ctx, t, case)), (), (case,))

    def _case(self, rule: str, ctx: Context, t: Term, case: int) -> Term:
        if not isinstance(t, App) or t.name not in self._definitions:
            raise KernelError(f"{rule}: {t!r} is not defined")
        d = self._definitions[t.name]
        _require(0 <= case < len(d.cases), rule, "{!r} has no case {}", t, case)
        chosen = d.at(case, t.idx)
        for c in chosen.guard:
            _require(self.entails(ctx, c), rule, "{!r} does not follow from the guards", c)
        return chosen.value

    # -- algebra --------------------------------------------------------------
    def ring(self, ctx: Context, a: Term, b: Term) -> Theorem:
        _require(ring_equal(a, b), "ring", "{!r} and {!r} are different polynomials", a, b)
        return self._make("ring", ctx, Eq(a, b))

    @staticmethod
    def _power(rule: str, t: Term) -> Pow:
        _require(isinstance(t, Pow), rule, "{!r} is not a power", t)
        assert isinstance(t, Pow)
        return t

    def power_zero(self, ctx: Context, t: Term) -> Theorem:
        """a^k = 1 for k <= 0."""
        t = self._power("power_zero", t)
        _require(self.entails(ctx, ge(0, t.exponent)), "power_zero", "{!r} <= 0 does not follow", t.exponent)
        return self._make("power_zero", ctx, Eq(t, ONE))

    def power_step(self, ctx: Context, t: Term) -> Theorem:
        """a^k = a a^(k-1) for k >= 1."""
        t = self._power("power_step", t)
        _require(self.entails(ctx, ge(t.exponent, 1)), "power_step", "{!r} >= 1 does not follow", t.exponent)
        return self._make("power_step", ctx, Eq(t, Mul(t.base, Pow(t.base, t.exponent - 1))))

    def inverse(self, th: Theorem) -> Theorem:
        """a (1/a) = 1 where a differs from 0."""
        _require(isinstance(th.relation, Ne) and th.relation.rhs is ZERO, "inverse", "a != 0 is needed")
        a = th.relation.lhs  # type: ignore[union-attr]
        return self._make("inverse", th.context, Eq(Mul(a, Inv(a)), ONE), (th,))

    # -- real numbers are equal or not ------------------------------------------
    def real_context(self, ctx: Context, a: Term, b: Term, equal: bool) -> Context:
        """Where a = b (or a != b) is known besides, as the last local hypothesis."""
        known = Statement((), (), Eq(a, b) if equal else Ne(a, b))
        return Context(ctx.variables, ctx.guards, (*ctx.hypotheses, known))

    def real_cases(self, ctx: Context, a: Term, b: Term, parts: Sequence[Theorem]) -> Theorem:
        """The relation, proved where a = b and where a != b."""
        rule, parts = "real_cases", tuple(parts)
        _require(len(parts) == 2, rule, "two premises expected")
        for p, equal in zip(parts, (True, False)):
            self._same(rule, self.real_context(ctx, a, b, equal), (p,))
        _require(parts[0].relation == parts[1].relation, rule, "the premises prove different things")
        return self._make(rule, ctx, parts[0].relation, parts)

    def clash(self, equation: Theorem, inequation: Theorem, relation: Relation) -> Theorem:
        """Anything, where a = b and a != b."""
        self._same("clash", equation.context, (inequation,))
        r = inequation.relation
        ok = type(r) is Ne and (r.lhs, r.rhs) == (equation.lhs, equation.rhs)
        _require(ok, "clash", "an equation and its negation are needed")
        return self._make("clash", equation.context, relation, (equation, inequation))

    def iszero_zero(self, th: Theorem) -> Theorem:
        """The indicator of a = 0 is 1 where a = 0."""
        _require(th.rhs is ZERO, "iszero_zero", "a = 0 is needed")
        return self._make("iszero_zero", th.context, Eq(IsZero(th.lhs), ONE), (th,))

    def iszero_other(self, th: Theorem) -> Theorem:
        """The indicator of a = 0 is 0 where a differs from 0."""
        r = th.relation
        _require(type(r) is Ne and r.rhs is ZERO, "iszero_other", "a != 0 is needed")
        return self._make("iszero_other", th.context, Eq(IsZero(r.lhs), ZERO), (th,))  # type: ignore[union-attr]

    # -- order ------------------------------------------------------------------
    @staticmethod
    def _le(rule: str, th: Theorem) -> Le:
        _require(type(th.relation) is Le, rule, "an inequality is needed")
        return th.relation  # type: ignore[return-value]

    def le_number(self, ctx: Context, a: Term, b: Term) -> Theorem:
        """Two rational numbers."""
        ok = isinstance(a, Num) and isinstance(b, Num) and a.value <= b.value
        _require(ok, "le_number", "{!r} and {!r} are no numbers in this order", a, b)
        return self._make("le_number", ctx, Le(a, b))

    def le_equal(self, th: Theorem) -> Theorem:
        """a <= b where a = b."""
        return self._make("le_equal", th.context, Le(th.lhs, th.rhs), (th,))

    def le_trans(self, first: Theorem, second: Theorem) -> Theorem:
        """a <= c from a <= b and b <= c."""
        r, s = self._le("le_trans", first), self._le("le_trans", second)
        self._same("le_trans", first.context, (second,))
        _require(r.rhs is s.lhs, "le_trans", "{!r} is not {!r}", r.rhs, s.lhs)
        return self._make("le_trans", first.context, Le(r.lhs, s.rhs), (first, second))

    def le_both(self, first: Theorem, second: Theorem) -> Theorem:
        """a = b from a <= b and b <= a."""
        r, s = self._le("le_both", first), self._le("le_both", second)
        self._same("le_both", first.context, (second,))
        _require((r.lhs, r.rhs) == (s.rhs, s.lhs), "le_both", "the inequalities are not opposite")
        return self._make("le_both", first.context, Eq(r.lhs, r.rhs), (first, second))

    def le_add(self, ctx: Context, parts: Sequence[Theorem]) -> Theorem:
        """Inequalities may be added."""
        parts = tuple(parts)
        rows = [self._le("le_add", p) for p in parts]
        self._same("le_add", ctx, parts)
        _require(bool(rows), "le_add", "a premise is needed")
        return self._make("le_add", ctx, Le(Add(*(r.lhs for r in rows)), Add(*(r.rhs for r in rows))), parts)

    def le_mul(self, ctx: Context, parts: Sequence[Theorem]) -> Theorem:
        """0 <= a b ... from 0 <= a, 0 <= b, ..."""
        parts = tuple(parts)
        rows = [self._le("le_mul", p) for p in parts]
        self._same("le_mul", ctx, parts)
        _require(bool(rows) and all(r.lhs is ZERO for r in rows), "le_mul", "premises 0 <= a are needed")
        return self._make("le_mul", ctx, Le(ZERO, Mul(*(r.rhs for r in rows))), parts)

    def le_square(self, ctx: Context, t: Term) -> Theorem:
        """0 <= t t"""
        return self._make("le_square", ctx, Le(ZERO, Mul(t, t)))

    def le_sum(self, ctx: Context, bound: Idx, name: str, th: Theorem) -> Theorem:
        """Bodies in order for every index in range give sums in order."""
        r = self._le("le_sum", th)
        self._fresh("le_sum", ctx, (name,))
        self._same("le_sum", ctx.bind((name,), (bound,)), (th,))
        claim = Le(Sum(bound, close(r.lhs, name)), Sum(bound, close(r.rhs, name)))
        return self._make("le_sum", ctx, claim, (th,), (bound, name))

    # -- finite sums ----------------------------------------------------------
    def _sum(self, rule: str, t: Term) -> Sum:
        _require(isinstance(t, Sum), rule, "{!r} is not a sum", t)
        assert isinstance(t, Sum)
        return t

    def sum_add(self, ctx: Context, t: Term) -> Theorem:
        """The sum of a sum is the sum of the sums."""
        s = self._sum("sum_add", t)
        _require(isinstance(s.body, Add), "sum_add", "the body is not a sum of terms")
        out = Add(*(Sum(s.bound, a) for _, a in children(s.body)))
        return self._make("sum_add", ctx, Eq(s, out))

    def sum_scale(self, ctx: Context, t: Term) -> Theorem:
        """The first factor of the body, if free of the index, comes out."""
        s = self._sum("sum_scale", t)
        body = s.body
        _require(isinstance(body, Mul) and len(body.args) == 2, "sum_scale", "a product of two is needed")
        assert isinstance(body, Mul)
        _require(not mentions_bound(body.args[0]), "sum_scale", "the factor depends on the index")
        out = Mul(open_(body.args[0], 0), Sum(s.bound, body.args[1]))
        return self._make("sum_scale", ctx, Eq(s, out))

    def sum_swap(self, ctx: Context, t: Term, names: tuple[str, str]) -> Theorem:
        """Two sums change places if the inner range is free of the outer index."""
        s, names = self._sum("sum_swap", t), tuple(names)  # type: ignore[assignment]
        inner = s.body
        _require(isinstance(inner, Sum), "sum_swap", "a sum of a sum is needed")
        assert isinstance(inner, Sum)
        probe = Pow(ONE, inner.bound)
        _require(not mentions_bound(probe), "sum_swap", "the inner range depends on the outer index")
        self._fresh("sum_swap", ctx, names)
        bound = open_(probe, 0)
        assert isinstance(bound, Pow)
        opened = open_(s.body, qvar(names[0]))
        assert isinstance(opened, Sum)
        body = open_(opened.body, qvar(names[1]))
        out = Sum(bound.exponent, close(Sum(s.bound, close(body, names[0])), names[1]))
        return self._make("sum_swap", ctx, Eq(s, out), (), names)

    def sum_split(self, ctx: Context, t: Term, at: Idx) -> Theorem:
        """sum_{j<n} a(j) = sum_{j<m} a(j) + sum_{j<n-m} a(j+m) for 0 <= m <= n."""
        s = self._sum("sum_split", t)
        ok = self.entails(ctx, ge(at, 0)) and self.entails(ctx, ge(s.bound, at))
        _require(ok, "sum_split", "0 <= {!r} <= {!r} does not follow", at, s.bound)
        self._fresh("sum_split", ctx, ("#",))
        moved = close(open_(s.body, qvar("#") + at), "#")
        return self._make("sum_split", ctx, Eq(s, Add(Sum(at, s.body), Sum(s.bound - at, moved))), (), (at,))

    def sum_empty(self, ctx: Context, t: Term) -> Theorem:
        s = self._sum("sum_empty", t)
        _require(self.entails(ctx, ge(0, s.bound)), "sum_empty", "{!r} <= 0 does not follow", s.bound)
        return self._make("sum_empty", ctx, Eq(s, ZERO))

    def sum_single(self, ctx: Context, t: Term) -> Theorem:
        s = self._sum("sum_single", t)
        _require(self.entails(ctx, Con("eq", s.bound - 1)), "sum_single", "{!r} = 1 does not follow", s.bound)
        return self._make("sum_single", ctx, Eq(s, open_(s.body, 0)))

    def sum_zero(self, ctx: Context, bound: Idx) -> Theorem:
        return self._make("sum_zero", ctx, Eq(Sum(bound, ZERO), ZERO), (), (bound,))

    def iverson_true(self, ctx: Context, t: Term) -> Theorem:
        _require(isinstance(t, Iverson), "iverson", "{!r} is not an indicator", t)
        assert isinstance(t, Iverson)
        for c in t.cons:
            _require(self.entails(ctx, c), "iverson_true", "{!r} does not follow from the guards", c)
        return self._make("iverson_true", ctx, Eq(t, ONE))

    def iverson_false(self, ctx: Context, t: Term) -> Theorem:
        _require(isinstance(t, Iverson), "iverson", "{!r} is not an indicator", t)
        assert isinstance(t, Iverson)
        bad = unsatisfiable((*self.theory.assumptions, *ctx.guards, *t.cons))
        _require(bad, "iverson_false", "the constraints may hold")
        return self._make("iverson_false", ctx, Eq(t, ZERO))

    # -- logic ----------------------------------------------------------------
    def _apply(self, rule: str, ctx: Context, s: Statement, values: Mapping[str, Idx]) -> Relation:
        values = dict(values)
        _require(all(type(v) is str for v in values), rule, "names are needed")
        _require(set(values) == set(s.variables), rule, "values for {} expected", s.variables)
        _require(all(type(v) is Idx for v in values.values()), rule, "index terms are needed as values")
        for v in values.values():
            check_index(self.theory, v)
            for a in v.atoms():
                ok = not isinstance(a, Bound) and (not isinstance(a, QVar) or a.name in ctx.variables)
                _require(ok, rule, "the index {!r} is not quantified", a)
        guards, relation = s.at(values)
        for c in guards:
            _require(self.entails(ctx, c), rule, "{!r} does not follow from the guards", c)
        return relation

    def instantiate(self, ctx: Context, th: Theorem, values: Mapping[str, Idx]) -> Theorem:
        """A closed theorem at index terms for which its guards follow."""
        relation = self._apply("instantiate", ctx, th.statement(), values)
        return self._make("instantiate", ctx, relation, (th,), (tuple(sorted(values.items())),))

    def hypothesis(self, ctx: Context, which: int | str, values: Mapping[str, Idx]) -> Theorem:
        """A local hypothesis (number) or one of the theory (name), at index terms."""
        if isinstance(which, str):
            _require(which in self.theory.hypotheses, "hypothesis", "no hypothesis {!r}", which)
            s = self.theory.hypotheses[which]
        else:
            _require(0 <= which < len(ctx.hypotheses), "hypothesis", "no local hypothesis {}", which)
            s = ctx.hypotheses[which]
        relation = self._apply("hypothesis", ctx, s, values)
        return self._make("hypothesis", ctx, relation, (), (which, tuple(sorted(values.items()))))

    def weaken(self, ctx: Context, th: Theorem) -> Theorem:
        """The same relation in a context that says more, each thing after what was there."""
        old = th.context
        ok = old.variables == ctx.variables[: len(old.variables)] and old.guards == ctx.guards[: len(old.guards)]
        ok = ok and old.hypotheses == ctx.hypotheses[: len(old.hypotheses)]
        _require(ok, "weaken", "the context is not larger")
        return self._make("weaken", ctx, th.relation, (th,))

    def cases(self, ctx: Context, con: Con, parts: Sequence[Theorem]) -> Theorem:
        """The relation where ``con`` holds, and in each of the cases where it does not."""
        _require(type(con) is Con, "cases", "a constraint is needed")
        branches, parts = (con, *con.negations()), tuple(parts)
        _require(len(parts) == len(branches), "cases", "{} premises expected", len(branches))
        for branch, p in zip(branches, parts):
            self._same("cases", ctx.with_guards(branch), (p,))
            _require(p.relation == parts[0].relation, "cases", "the premises prove different things")
        return self._make("cases", ctx, parts[0].relation, parts, (con,))

    def absurd(self, ctx: Context, relation: Relation) -> Theorem:
        """Anything, where the guards contradict each other."""
        self._context(ctx)
        _require(unsatisfiable((*self.theory.assumptions, *ctx.guards)), "absurd", "the guards can be met")
        return self._make("absurd", ctx, relation)

    def _context(self, ctx: Context) -> None:
        """Every index in the guards and hypotheses is quantified, every symbol declared."""
        _require(type(ctx) is Context, "context", f"a Context is needed, got {type(ctx).__name__}")
        parts = (ctx.variables, ctx.guards, ctx.hypotheses)
        _require(all(type(x) is tuple for x in parts), "context", "tuples are needed")
        for cls, part in zip((str, Con, Statement), parts):
            _require(all(type(x) is cls for x in part), "context", f"{cls.__name__} expected")
        # looked up only now, and not where statements could hold something that equals anything
        if not ctx.hypotheses and ctx in self._contexts:
            return
        _require(len(set(ctx.variables)) == len(ctx.variables), "context", "a variable is quantified twice")
        for c in ctx.guards:
            for a in c.expr.atoms():
                ok = not isinstance(a, Bound) and (not isinstance(a, QVar) or a.name in ctx.variables)
                _require(ok, "context", "the index {!r} is not quantified", a)
            check_index(self.theory, c.expr)
        for h in ctx.hypotheses:
            _require(not set(h.variables) & set(ctx.variables), "context", "a hypothesis rebinds a variable")
            check_statement(self.theory, h, ctx.variables)
        self._contexts.add(ctx)

    def induction_context(self, claims: Sequence[Statement], measures: Sequence[Idx], k: int) -> Context:
        """Where claim ``k`` is to be proved: with every claim at smaller measure as hypothesis."""
        hyps = []
        for s, m in zip(claims, measures):
            values = {v: qvar(v + "'") for v in s.variables}
            smaller = ge(measures[k], subst_idx(m, values) + 1)
            guards = tuple(subst_con(c, values) for c in s.guards)
            names = tuple(v + "'" for v in s.variables)
            hyps.append(Statement(names, (*guards, smaller), subst_relation(s.relation, values)))
        return Context(claims[k].variables, claims[k].guards, tuple(hyps))

    def induct(self, claims: Sequence[Statement], measures: Sequence[Idx], parts: Sequence[Theorem]) -> list[Theorem]:
        """Joint induction: each claim, given all claims at a smaller measure (which is >= 0)."""
        claims, measures, parts = tuple(claims), tuple(measures), tuple(parts)
        _require(len(claims) == len(measures) == len(parts) > 0, "induct", "one measure and proof a claim")
        for k, (s, m, p) in enumerate(zip(claims, measures, parts)):
            check_statement(self.theory, s)
            check_index(self.theory, m)
            _require(not any(v.endswith("'") for v in s.variables), "induct", "a variable ends in '")
            stray = {a.name for a in m.atoms() if isinstance(a, QVar)} - set(s.variables)
            _require(not stray, "induct", "the measure mentions {}", sorted(stray))
            _require(self.entails(Context(s.variables, s.guards), ge(m, 0)), "induct", "{!r} may be negative", m)
            self._same("induct", self.induction_context(claims, measures, k), (p,))
            _require(p.relation == s.relation, "induct", "the premise proves another claim")
        return [
            self._make("induct", Context(s.variables, s.guards), s.relation, parts, (k, tuple(measures)))
            for k, s in enumerate(claims)
        ]

    def distinct(self, th: Theorem, relation: Relation) -> Theorem:
        """Anything, where two different numbers are equal."""
        a, b = th.lhs, th.rhs
        differ = isinstance(a, Num) and isinstance(b, Num) and a is not b
        _require(differ, "distinct", "two different numbers are needed")
        return self._make("distinct", th.context, relation, (th,))

    # -- derivatives ----------------------------------------------------------
    def varying(self, direction: str) -> frozenset[str]:
        """Symbols that depend on what varies along ``direction``."""
        if direction not in self._varying:
            _require(direction in self.theory.directions, "tangent", "no direction {!r}", direction)
            out = set(self.theory.directions[direction])
            grown = True
            while grown:
                grown = False
                for group in self.theory.definitions:
                    for d in group:
                        uses = {s.name for c in d.cases for s in subterms(c.value) if isinstance(s, App)}
                        if d.name not in out and uses & out:
                            out.add(d.name)
                            grown = True
            self._varying[direction] = frozenset(out)
        return self._varying[direction]

    def tangent_constant(self, ctx: Context, direction: str, t: Term) -> Theorem:
        moved = {s.name for s in subterms(t) if isinstance(s, App)} & self.varying(direction)
        _require(not moved, "tangent_constant", "{} vary", sorted(moved))
        return self._make("tangent_constant", ctx, Tangent(direction, t, ZERO))

    def tangent_variable(self, ctx: Context, direction: str, t: Term) -> Theorem:
        varied = self.theory.directions.get(direction, {})
        _require(isinstance(t, App) and t.name in varied, "tangent_variable", "{!r} does not vary", t)
        assert isinstance(t, App)
        return self._make("tangent_variable", ctx, Tangent(direction, t, App(varied[t.name], t.idx)))

    @staticmethod
    def _tangents(rule: str, parts: Sequence[Theorem]) -> list[Tangent]:
        out = [p.relation for p in parts if isinstance(p.relation, Tangent)]
        ok = len(out) == len(parts) > 0 and len({r.direction for r in out}) == 1
        _require(ok, rule, "derivatives along one direction are needed")
        return out

    def tangent_add(self, ctx: Context, parts: Sequence[Theorem]) -> Theorem:
        parts = tuple(parts)
        r = self._tangents("tangent_add", parts)
        self._same("tangent_add", ctx, parts)
        claim = Tangent(r[0].direction, Add(*(x.term for x in r)), Add(*(x.tangent for x in r)))
        return self._make("tangent_add", ctx, claim, parts)

    def tangent_mul(self, ctx: Context, parts: Sequence[Theorem]) -> Theorem:
        """Product rule."""
        parts = tuple(parts)
        r = self._tangents("tangent_mul", parts)
        self._same("tangent_mul", ctx, parts)
        terms = [x.term for x in r]
        out = [Mul(*terms[:k], x.tangent, *terms[k + 1 :]) for k, x in enumerate(r)]
        return self._make("tangent_mul", ctx, Tangent(r[0].direction, Mul(*terms), Add(*out)), parts)

    def tangent_sum(self, ctx: Context, bound: Idx, name: str, th: Theorem) -> Theorem:
        (r,) = self._tangents("tangent_sum", (th,))
        self._fresh("tangent_sum", ctx, (name,))
        self._same("tangent_sum", ctx.bind((name,), (bound,)), (th,))
        claim = Tangent(r.direction, Sum(bound, close(r.term, name)), Sum(bound, close(r.tangent, name)))
        return self._make("tangent_sum", ctx, claim, (th,), (bound, name))

    def tangent_function(
        self, ctx: Context, t: App, names: Sequence[tuple[str, ...]], parts: Sequence[Theorem], deriv: Theorem
    ) -> Theorem:
        """Chain rule, where the derivative symbols are the derivatives at this point."""
        rule, names, parts = "tangent_function", tuple(tuple(ns) for ns in names), tuple(parts)
        r = self._tangents(rule, parts)
        self._same(rule, ctx, (deriv,))
        _require(deriv.relation == Deriv(t), rule, "the derivative at this point is needed")
        symbol = self.theory.symbols[t.name]
        _require(len(names) == len(parts) == len(t.args), rule, "one premise for each argument is needed")
        out: list[Term] = []
        for k, (ns, th, x) in enumerate(zip(names, parts, r)):
            bounds = symbol.bounds(k, t.idx)
            _require(len(ns) == len(bounds), rule, "{} names expected", len(bounds))
            self._fresh(rule, ctx, ns)
            self._same(rule, ctx.bind(ns, bounds), (th,))
            _require(Lam(len(ns), close_lam(x.term, ns)) is t.args[k], rule, "a premise is about another argument")
            slope = App(symbol.derivatives[k], t.idx + tuple(qvar(n) for n in ns), t.args)
            part: Term = Mul(slope, x.tangent)
            for n, b in reversed(list(zip(ns, bounds))):
                part = Sum(b, close(part, n))
            out.append(part)
        claim = Tangent(r[0].direction, t, Add(*out) if len(out) > 1 else out[0])
        return self._make(rule, ctx, claim, (*parts, deriv), (tuple(tuple(n) for n in names),))

    def tangent_unfold(self, t: Term, case: int, th: Theorem) -> Theorem:
        """A definition holds whatever varies, so it may be differentiated."""
        (r,) = self._tangents("tangent_unfold", (th,))
        value = self._case("tangent_unfold", th.context, t, case)
        _require(value is r.term, "tangent_unfold", "the premise differentiates something else")
        return self._make("tangent_unfold", th.context, Tangent(r.direction, t, r.tangent), (th,), (case,))

    def tangent_convert(self, th: Theorem, equation: Theorem) -> Theorem:
        """The derivative may be rewritten (the term differentiated may not)."""
        (r,) = self._tangents("tangent_convert", (th,))
        self._same("tangent_convert", th.context, (equation,))
        _require(equation.lhs is r.tangent, "tangent_convert", "the equation is about another derivative")
        return self._make("tangent_convert", th.context, Tangent(r.direction, r.term, equation.rhs), (th, equation))


RULES = tuple(
    n
    for n in vars(Kernel)
    if not n.startswith("_") and n not in ("entails", "induction_context", "real_context", "varying")
)
