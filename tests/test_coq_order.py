"""Order and real cases in Coq: every rule in its corners, and steps that are wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from pcproof.exporters.coq import ALLOWED, accept, coqc_version, export, queue
from pcproof.exporters.coq import run as runner
from pcproof.exporters.coq.sentences import fault
from pcproof.exporters.coq_reader import compare
from pcproof.language.index import Bound, Idx, eq, ge, lt, qvar, size
from pcproof.language.signature import Case, Definition, Deriv, Eq, Le, Ne, Relation, Statement, Symbol, Theory
from pcproof.language.terms import ONE, ZERO, Add, App, Inv, IsZero, Iverson, Lam, Mul, Num, Sum, Term, close
from pcproof.proof.acceptance import ACCEPTED, REJECTED, UNKNOWN
from pcproof.proof.certificate import Proof
from pcproof.proof.kernel import _TOKEN, Context, Kernel, Theorem

needs_coqc = pytest.mark.skipif(not coqc_version(), reason=runner.GET)

N, k, t, i, j = size("N"), qvar("k"), qvar("t"), qvar("i"), qvar("j")
r, s, low, small = App("r"), App("s"), App("low"), Num(Fraction(-7, 3))
MINUS = Num(-1)
EMPTY, ROW = Context(), Context(("k",), (ge(k, 0), lt(k, N)))
RULES = {
    "real_cases", "clash", "iszero_zero", "iszero_other", "le_number", "le_equal", "le_trans", "le_both", "le_add",
    "le_mul", "le_square", "le_sum", "weaken",
}  # fmt: skip


def m(at: Any) -> Idx:
    return size("m", at)


def a(at: Any) -> App:
    return App("a", (at,))


def b(*at: Any) -> App:
    return App("b", at)


def gate(at: Any) -> App:
    return App("gate", (at,))


def theory() -> Theory:
    """gate(t) is 1 where a(0), ..., a(t) all are 0; off(k) is 1 where a row of b has the square 0."""
    row = Sum(m(k), Mul(b(k, Idx.of(Bound(0))), b(k, Idx.of(Bound(0)))))
    first = Case((eq(t, 0),), IsZero(a(0)))
    then = Case((ge(t, 1),), Mul(gate(t - 1), IsZero(a(t))))
    off = Definition("off", ("k",), (Case((ge(k, 0), lt(k, N)), Add(IsZero(row), IsZero(Add(a(k), MINUS)))),))
    path = Definition("path", ("k",), (Case((ge(k, 0), lt(k, N)), Sum(m(k), Mul(r, App("c", (Idx.of(Bound(0)),))))),))
    line = Lam(1, App("c", (k + Idx.of(Bound(0)),)))
    symbols = (
        Symbol("P", "operator", 1, ranges=((m(qvar("0")),),), derivatives=("J",)),
        Symbol("J", "operator", 2, ranges=((m(qvar("0")),),)),
        Symbol("T", "operator", 1, ranges=((), (m(qvar("0")),)), derivatives=("T1", "T2")),
        *(Symbol(f"T{n}", "operator", n, ranges=((), (m(qvar("0")),))) for n in (1, 2)),
        *(Symbol(n, "parameter") for n in ("r", "s", "low")),
        *(Symbol(n, "parameter", 1) for n in ("a", "c", "Dc")),
        Symbol("b", "parameter", 2),
        Symbol("f", "function", 0, ranges=((),), derivatives=("df",)),
        Symbol("df", "function", 0, ranges=((),)),
        *(Symbol(n, "defined", 1) for n in ("gate", "off", "path")),
    )
    return Theory(
        {"N": 0, "m": 1},
        (ge(N, 1),),
        {x.name: x for x in symbols},
        ((Definition("gate", ("t",), (first, then), (t,)),), (off,), (path,)),
        {
            "differentiable": Statement(("k",), (ge(k, 0), lt(k, N)), Deriv(App("P", (k,), (line,)))),
            "in both": Statement(("k",), (ge(k, 0), lt(k, N)), Deriv(App("T", (k,), (a(k + N + m(k)), line)))),
            "smooth": Statement((), (), Deriv(App("f", (), (r,)))),
            "low": Statement((), (), Le(low, small)),
            "positive": Statement(("k",), (ge(k, 0), lt(k, N)), Le(ZERO, a(k))),
            "r <= s": Statement((), (), Le(r, s)),
            "s <= r": Statement((), (), Le(s, r)),
        },
        {"up": {"c": "Dc"}},
    )


class Proofs:
    """Proofs of the zoo, and the kernel that they are made in."""

    def __init__(self) -> None:
        self.kernel = Kernel(theory())

    def known(self, ctx: Context) -> Theorem:
        """The last local hypothesis."""
        return self.kernel.hypothesis(ctx, len(ctx.hypotheses) - 1, {})

    def split(self, ctx: Context, x: Term, y: Term, part: Callable[[Context, bool], Theorem]) -> Theorem:
        parts = [part(self.kernel.real_context(ctx, x, y, equal), equal) for equal in (True, False)]
        return self.kernel.real_cases(ctx, x, y, parts)

    def indicator(self, ctx: Context, x: Term) -> Theorem:
        """0 <= [x = 0]"""
        kn = self.kernel

        def part(there: Context, equal: bool) -> Theorem:
            value = (kn.iszero_zero if equal else kn.iszero_other)(self.known(there))
            return kn.le_trans(kn.le_number(there, ZERO, value.rhs), kn.le_equal(kn.sym(value)))

        return self.split(ctx, x, ZERO, part)

    # -- real cases -----------------------------------------------------------------
    def gates(self) -> list[Theorem]:
        """0 <= gate(t) and gate(t) gate(t) = gate(t), jointly; the cases of a(t) stand beside induction hypotheses."""
        kn = self.kernel
        claims = [
            Statement(("t",), (ge(t, 0),), Le(ZERO, gate(t))),
            Statement(("t",), (ge(t, 0),), Eq(Mul(gate(t), gate(t)), gate(t))),
        ]
        measures = [t, t]
        parts = []
        for which, claim in enumerate(claims):
            ctx = kn.induction_context(claims, measures, which)

            def at(ctx: Context, which: int = which) -> Theorem:
                outer = kn.absurd(ctx.with_guards(ge(-t - 1, 0)), claims[which].relation)
                inner = ctx.with_guards(ge(t, 0))
                none = kn.absurd(inner.with_guards(ge(-1, t)), claims[which].relation)
                more = [
                    self.begin(inner.with_guards(eq(t, 0)), which),
                    self.go_on(inner.with_guards(ge(t, 1)), which),
                    none,
                ]
                return kn.cases(ctx, ge(t, 0), [kn.cases(inner, eq(t, 0), more), outer])

            parts.append(at(ctx))
            assert parts[-1].relation == claim.relation
        return kn.induct(claims, measures, parts)

    def begin(self, ctx: Context, which: int) -> Theorem:
        kn = self.kernel
        unfolded = kn.unfold(ctx, gate(t), 0)
        fewer = Context(ctx.variables, ctx.guards[:-1], ctx.hypotheses)
        one = kn.weaken(ctx, kn.ring(fewer, IsZero(a(0)), Mul(ONE, IsZero(a(0)))))
        return self.finish(ctx, which, unfolded, one, a(0), None)

    def go_on(self, ctx: Context, which: int) -> Theorem:
        kn = self.kernel
        unfolded = kn.unfold(ctx, gate(t), 1)
        before = kn.hypothesis(ctx, which, {"t'": t - 1})
        return self.finish(ctx, which, unfolded, kn.refl(ctx, unfolded.rhs), a(t), before)

    def finish(
        self, ctx: Context, which: int, unfolded: Theorem, product: Theorem, x: Term, before: Theorem | None
    ) -> Theorem:
        """The claim about gate = z [x = 0], where ``before`` says it of z (None: z is 1)."""
        kn = self.kernel
        whole = kn.trans(unfolded, product)
        z = whole.rhs.args[0]  # type: ignore[attr-defined]
        if which == 0:
            left = before if before is not None else kn.le_number(ctx, ZERO, ONE)
            both = kn.le_mul(ctx, [left, self.indicator(ctx, x)])
            return kn.le_trans(both, kn.le_equal(kn.sym(whole)))
        square = before if before is not None else kn.ring(ctx, Mul(ONE, ONE), ONE)

        def part(there: Context, equal: bool) -> Theorem:
            value = (kn.iszero_zero if equal else kn.iszero_other)(self.known(there))
            gone = kn.congruence(there, whole.rhs, [kn.refl(there, z), value])
            now = kn.trans(kn.weaken(there, whole), gone)
            squared = kn.congruence(there, Mul(gate(t), gate(t)), [now, now])
            if equal:
                out = kn.trans(squared, kn.ring(there, squared.rhs, Mul(z, z)))
                out = kn.trans(kn.trans(out, kn.weaken(there, square)), kn.ring(there, z, gone.rhs))
            else:
                out = kn.trans(squared, kn.ring(there, squared.rhs, gone.rhs))
            return kn.trans(out, kn.sym(now))

        return self.split(ctx, x, ZERO, part)

    def under_a_sum(self) -> list[Theorem]:
        """[r = 0] times the sum of r b(k, j) is 0, and so is any bound of it: r = 0 is used under the binder."""
        kn = self.kernel
        total = Sum(m(k), Mul(r, b(k, Idx.of(Bound(0)))))

        def sums(there: Context) -> Theorem:
            inner = there.bind(("j",), (m(k),))
            gone = kn.congruence(inner, Mul(r, b(k, j)), [self.known(inner), kn.refl(inner, b(k, j))])
            one = kn.trans(gone, kn.ring(inner, gone.rhs, ZERO))
            return kn.trans(kn.sum_congruence(there, m(k), "j", one), kn.sum_zero(there, m(k)))

        def part(there: Context, equal: bool) -> Theorem:
            t = Mul(IsZero(r), total)
            first = kn.refl(there, IsZero(r)) if equal else kn.iszero_other(self.known(there))
            second = sums(there) if equal else kn.refl(there, total)
            out = kn.congruence(there, t, [first, second])
            return kn.trans(out, kn.ring(there, out.rhs, ZERO))

        def ordered(there: Context, equal: bool) -> Theorem:
            """sum_j r b r b <= sum_j (r b r b + [r = 0]): the hypothesis under a binder, in an inequality"""
            inner = there.bind(("j",), (m(k),))
            known = self.known(inner)
            value = (kn.iszero_zero if equal else kn.iszero_other)(known)
            least = kn.le_trans(kn.le_number(inner, ZERO, value.rhs), kn.le_equal(kn.sym(value)))
            x = Mul(r, b(k, j), r, b(k, j))
            both = kn.le_add(inner, [kn.le_equal(kn.refl(inner, x)), least])
            th = kn.le_trans(kn.le_equal(kn.ring(inner, x, Add(x, ZERO))), both)
            return kn.le_sum(there, m(k), "j", th)

        return [self.split(ROW, r, ZERO, part), self.split(ROW, r, ZERO, ordered)]

    def nested(self) -> list[Theorem]:
        """[d = 0] d = 0, by cases of d = 0 inside cases of d = 0 inside cases of s = 0."""
        kn = self.kernel
        d = Add(r, Mul(MINUS, s))
        claim = Eq(Mul(IsZero(d), d), ZERO)

        def once(there: Context, equal: bool) -> Theorem:
            first = len(there.hypotheses) - 1

            def inner(deep: Context, again: bool) -> Theorem:
                old, new = kn.hypothesis(deep, first, {}), self.known(deep)
                if equal != again:
                    return kn.clash(new if again else old, old if again else new, claim)
                parts = [kn.refl(deep, IsZero(d)), old] if equal else [kn.iszero_other(old), kn.refl(deep, d)]
                out = kn.congruence(deep, claim.lhs, parts)
                return kn.trans(out, kn.ring(deep, out.rhs, ZERO))

            return self.split(there, d, ZERO, inner)

        return [self.split(EMPTY, s, ZERO, lambda there, _: self.split(there, d, ZERO, once))]

    def larger(self) -> list[Theorem]:
        """More variables, guards and local hypotheses than a premise has; an indicator of an indicator; any claim."""
        kn = self.kernel
        square = kn.le_square(EMPTY, r)

        def part(there: Context, equal: bool) -> Theorem:
            return self.split(there, a(k), s, lambda deep, _: kn.weaken(deep, square))

        smooth = kn.hypothesis(EMPTY, "smooth", {})
        return [
            self.split(ROW, r, s, part),
            self.split(ROW, s, s, lambda there, _: kn.weaken(there, smooth)),
            self.indicator(ROW, IsZero(Inv(a(k)))),
            kn.absurd(ROW.with_guards(lt(k, 0)), Le(ONE, ZERO)),
        ]

    def slopes(self) -> list[Theorem]:
        """A derivative by cases: what is known stands beside the range of a sum, and where a definition is unfolded."""
        kn = self.kernel

        def part(there: Context, equal: bool) -> Theorem:
            inner = there.bind(("j",), (m(k),))
            moving = kn.tangent_variable(inner, "up", App("c", (j,)))
            still = kn.tangent_constant(inner, "up", r)
            product = kn.tangent_mul(inner, [still, moving])
            tidy = kn.ring(inner, product.relation.tangent, Mul(r, App("Dc", (j,))))  # type: ignore[union-attr]
            whole = kn.tangent_sum(there, m(k), "j", kn.tangent_convert(product, tidy))
            return kn.tangent_unfold(App("path", (k,)), 0, whole)

        return [self.split(ROW, r, ZERO, part)]

    # -- order ------------------------------------------------------------------------
    def sums(self) -> list[Theorem]:
        """Squares under two binders; a definition of indicators."""
        kn = self.kernel
        under = ROW.bind(("j",), (m(k),))
        row = kn.le_sum(ROW, m(k), "j", kn.le_square(under, b(k, j)))
        row = kn.le_trans(kn.le_equal(kn.sym(kn.sum_zero(ROW, m(k)))), row)
        both = kn.le_sum(EMPTY, N, "k", row)
        both = kn.le_trans(kn.le_equal(kn.sym(kn.sum_zero(EMPTY, N))), both)
        unfolded = kn.unfold(ROW, App("off", (k,)), 0)
        parts = [self.indicator(ROW, x.arg) for x in unfolded.rhs.args]  # type: ignore[attr-defined]
        added = kn.le_add(ROW, parts)
        off = kn.le_trans(kn.le_equal(kn.ring(ROW, ZERO, added.relation.lhs)), added)  # type: ignore[union-attr]
        return [both, kn.le_trans(off, kn.le_equal(kn.sym(unfolded)))]

    def equal(self) -> Theorem:
        """r = s"""
        return self.kernel.le_both(*(self.kernel.hypothesis(EMPTY, n, {}) for n in ("r <= s", "s <= r")))

    def small(self) -> list[Theorem]:
        kn = self.kernel
        positive = kn.hypothesis(ROW, "positive", {"k": k})
        zero, square = kn.le_number(ROW, small, ZERO), kn.le_square(ROW, Add(r, Mul(MINUS, s)))
        far, near = Num(Fraction(-(10**60), 3)), Num(Fraction(1, 10**40))
        ctx = ROW.bind(("j",), (m(k),))
        return [
            self.equal(),
            kn.le_trans(kn.hypothesis(EMPTY, "low", {}), kn.le_number(EMPTY, small, ZERO)),
            kn.le_number(EMPTY, far, near),
            kn.le_number(EMPTY, near, near),
            kn.le_add(ROW, [zero, positive, square]),
            kn.le_add(ROW, [positive]),
            kn.le_mul(ROW, [positive, square, kn.le_number(ROW, ZERO, near)]),
            kn.le_mul(ROW, [positive]),
            kn.instantiate(EMPTY, positive, {"k": N - 1}),
            kn.instantiate(ctx, kn.le_mul(ROW, [positive, positive]), {"k": k}),
            kn.le_sum(EMPTY, N, "k", positive),
        ]

    # -- index terms under binders ---------------------------------------------------
    def turned(self) -> list[Theorem]:
        """An index k + z is written z + k where z is bound: every rule that binds, and two sums that are swapped."""
        kn = self.kernel
        z, first, second = qvar("z"), Idx.of(Bound(0)), Idx.of(Bound(1))
        inner = ROW.bind(("z",), (m(k),))
        x, c, when = a(k + z), App("c", (k + z,)), Iverson((ge(k, z), eq(z + k * 2, 3), ge(z + k, 1)))

        def of(body: Term) -> App:
            return App("P", (k,), (Lam(1, close(body, "z")),))

        def tidy(ctx: Context, t: Term) -> Theorem:
            return kn.ring(ctx, Add(t, ZERO), t)

        deep = inner.bind(("z'",), (m(k + z),))
        double = kn.sum_congruence(inner, m(k + z), "z'", tidy(deep, Mul(a(k + z + qvar("z'")), x)))
        slope = kn.hypothesis(ROW, "differentiable", {"k": k})
        moving = kn.tangent_variable(inner, "up", c)
        return [
            kn.sum_congruence(ROW, m(k), "z", tidy(inner, Mul(when, x))),
            kn.sum_congruence(ROW, m(k), "z", double),
            kn.argument_congruence(ROW, of(Add(x, ZERO)), 0, ("z",), tidy(inner, x)),
            kn.le_sum(ROW, m(k), "z", kn.le_square(inner, x)),
            kn.sum_swap(EMPTY, Sum(N, Sum(N, Mul(a(first + second), when_bound(first, second)))), ("i", "j")),
            kn.tangent_sum(ROW, m(k), "z", moving),
            kn.tangent_function(ROW, of(c), (("z",),), (moving,), slope),
            *(kn.hypothesis(EMPTY, n, {"k": N - 1}) for n in ("differentiable", "in both")),
        ]


def when_bound(x: Idx, y: Idx) -> Iverson:
    return Iverson((ge(x, y), ge(x + y * 2, 3)))


def ordered() -> Proof:
    """A proof by every rule of order and of real cases."""
    p = Proofs()
    goals = [*p.gates(), *p.under_a_sum(), *p.nested(), *p.larger(), *p.slopes(), *p.sums(), *p.small(), *p.turned()]
    return Proof(p.kernel, tuple(goals), {})


def a_little_order() -> Proof:
    """Most of these rules, in a short proof."""
    p = Proofs()
    return Proof(p.kernel, (*p.nested(), *p.small()[-3:], p.equal()), {})


@cache
def text() -> str:
    return ordered().text


# -- what is right ------------------------------------------------------------------
def test_the_zoo_has_every_rule_and_every_kind_of_context() -> None:
    data = json.loads(text())
    items = data["items"]
    contexts = [x["context"] for x in items]
    assert not RULES - {x["rule"] for x in items}
    given = [len(c["given"]) for c in contexts]
    assert max(given) == 3
    assert any(sorted(len(h["for"]) for h in c["given"]) == [0, 1, 1] for c in contexts), "cases in an induction"
    assert any(c["given"].count(h) == 2 for c in contexts for h in c["given"]), "known twice"
    fewer = [len(contexts[x["premises"][0]]["given"]) for x in items if x["rule"] == "weaken"]
    more = [len(x["context"]["given"]) for x in items if x["rule"] == "weaken"]
    assert {b - a for a, b in zip(fewer, more)} >= {0, 1, 2}
    for kind in ("eq", "le", "tangent", "deriv"):
        assert any(x["rule"] == "real_cases" and x["claim"][0] == kind for x in items), kind


def test_the_reader_agrees_about_order() -> None:
    data = json.loads(text())
    exported = export(data)
    assert fault(exported) == "" and exported.isascii()
    assert [str(d) for d in compare(exported, data)] == []


@needs_coqc
def test_coqc_accepts_order_and_real_cases() -> None:
    found = accept(json.loads(text()))
    assert found.verdict == ACCEPTED, found.detail
    assert set(found.axioms) <= ALLOWED


# -- what is wrong ------------------------------------------------------------------
HALF, THIRD = Num(Fraction(1, 2)), Num(Fraction(1, 3))
UNDER = ROW.bind(("j",), (m(k),))
Wrong = Callable[[Proofs], tuple[Context, Relation, Sequence[Theorem]]]


def known(p: Proofs, equal: bool, x: Term = r, y: Term = ZERO, ctx: Context = EMPTY) -> Theorem:
    return p.known(p.kernel.real_context(ctx, x, y, equal))


def two_known(p: Proofs, x: Term, y: Term) -> tuple[Theorem, Theorem]:
    """x = 0 and y != 0, in one context."""
    ctx = p.kernel.real_context(p.kernel.real_context(EMPTY, x, ZERO, True), y, ZERO, False)
    return p.kernel.hypothesis(ctx, 0, {}), p.known(ctx)


def halves(p: Proofs, x: Term) -> list[Theorem]:
    """0 <= [x = 0], where x is 0 and where it is not."""
    split = p.indicator(EMPTY, x)
    premises = p.kernel.items[split.id].premises
    return [Theorem(_TOKEN, p.kernel, i.context, i.claim, i.id) for i in (p.kernel.items[n] for n in premises)]


def named(p: Proofs, name: str) -> Theorem:
    ctx = ROW if name == "positive" else EMPTY
    return p.kernel.hypothesis(ctx, name, {"k": k} if name == "positive" else {})


def number(p: Proofs, x: Term, y: Term, ctx: Context = EMPTY) -> Theorem:
    return p.kernel.le_number(ctx, x, y)


def sigma(bound: Idx, body: Term) -> Sum:
    return Sum(bound, close(body, "k"))


def wider(p: Proofs, *relations: Relation) -> Context:
    return Context((), (), tuple(Statement((), (), x) for x in relations))


#: steps as no rule makes them: the rule, what is wrong, and context, claim and premises
WRONG: list[tuple[str, str, Wrong]] = [
    ("le_mul", "a negative factor", lambda p: (
        ROW, Le(ZERO, Mul(a(k), small)), [named(p, "positive"), number(p, small, ZERO, ROW)])),
    ("le_mul", "two negative factors", lambda p: (
        EMPTY, Le(ZERO, Mul(small, small)), [number(p, small, ZERO), number(p, small, ZERO)])),
    ("le_mul", "a factor without premise", lambda p: (
        ROW, Le(ZERO, Mul(a(k), a(k), low)), [named(p, "positive"), named(p, "positive")])),
    ("le_mul", "bounds other than 0", lambda p: (
        EMPTY, Le(small, Mul(small, small)), [number(p, small, small), number(p, small, small)])),
    ("le_mul", "no factor that is known", lambda p: (EMPTY, Le(ZERO, r), [p.kernel.le_square(EMPTY, r)])),
    ("le_trans", "an unequal middle", lambda p: (
        EMPTY, Le(low, THIRD), [named(p, "low"), number(p, ZERO, THIRD)])),
    ("le_trans", "premises swapped", lambda p: (
        EMPTY, Le(low, ZERO), [number(p, small, ZERO), named(p, "low")])),
    ("le_trans", "an end turned round", lambda p: (
        EMPTY, Le(ZERO, low), [named(p, "low"), number(p, small, ZERO)])),
    ("le_trans", "strict", lambda p: (EMPTY, Ne(low, ZERO), [named(p, "low"), number(p, small, ZERO)])),
    ("le_both", "one way only", lambda p: (EMPTY, Eq(r, s), [named(p, "r <= s"), named(p, "r <= s")])),
    ("le_both", "of others", lambda p: (EMPTY, Eq(low, small), [named(p, "low"), named(p, "s <= r")])),
    ("le_add", "an addend more", lambda p: (
        EMPTY, Le(Add(low, ONE), Add(small, ZERO, ZERO)), [named(p, "low"), number(p, ZERO, ZERO)])),
    ("le_add", "an addend less", lambda p: (
        EMPTY, Le(Add(low, ONE), Add(small)), [named(p, "low"), number(p, ZERO, ONE)])),
    ("le_add", "one turned round", lambda p: (
        EMPTY, Le(Add(low, ONE), Add(small, ZERO)), [named(p, "low"), number(p, ZERO, ONE)])),
    ("le_equal", "of others", lambda p: (EMPTY, Le(r, low), [p.equal()])),
    ("le_number", "turned round", lambda p: (EMPTY, Le(HALF, THIRD), [])),
    ("le_number", "no numbers", lambda p: (EMPTY, Le(ZERO, Mul(r, r)), [])),
    ("le_number", "by a hair", lambda p: (EMPTY, Le(ONE, Num(1 - Fraction(1, 10**60))), [])),
    ("le_square", "no square", lambda p: (EMPTY, Le(ZERO, Mul(r, s)), [])),
    ("le_square", "more than a square", lambda p: (EMPTY, Le(ONE, Mul(r, r)), [])),
    ("le_square", "three factors", lambda p: (EMPTY, Le(ZERO, Mul(r, r, r)), [])),
    ("le_sum", "turned round", lambda p: (
        EMPTY, Le(sigma(N, a(k)), sigma(N, ZERO)), [named(p, "positive")])),
    ("le_sum", "beyond the range", lambda p: (
        EMPTY, Le(sigma(N + 1, ZERO), sigma(N + 1, a(k))), [named(p, "positive")])),
    ("le_sum", "two ranges", lambda p: (
        EMPTY, Le(sigma(N - 1, ZERO), sigma(N, a(k))), [named(p, "positive")])),
    ("real_cases", "premises swapped", lambda p: (EMPTY, Le(ZERO, IsZero(r)), halves(p, r)[::-1])),
    ("real_cases", "the first twice", lambda p: (EMPTY, Le(ZERO, IsZero(r)), halves(p, r)[:1] * 2)),
    ("real_cases", "the second twice", lambda p: (EMPTY, Le(ZERO, IsZero(r)), halves(p, r)[1:] * 2)),
    ("real_cases", "another split", lambda p: (
        EMPTY, Eq(r, ZERO), [known(p, True), p.kernel.clash(*two_known(p, s, s), Eq(r, ZERO))])),
    ("real_cases", "another claim", lambda p: (EMPTY, Le(ONE, IsZero(r)), halves(p, r))),
    ("real_cases", "one premise", lambda p: (EMPTY, Le(ZERO, IsZero(r)), halves(p, r)[:1])),
    ("clash", "of different numbers", lambda p: (
        two_known(p, r, s)[0].context, Le(ONE, ZERO), two_known(p, r, s))),
    ("clash", "premises swapped", lambda p: (
        two_known(p, r, r)[0].context, Le(ONE, ZERO), two_known(p, r, r)[::-1])),
    ("iszero_zero", "where it is not", lambda p: (
        known(p, False).context, Eq(IsZero(r), ONE), [known(p, False)])),
    ("iszero_zero", "of another", lambda p: (known(p, True).context, Eq(IsZero(s), ONE), [known(p, True)])),
    ("iszero_zero", "another number", lambda p: (
        known(p, True, r, ONE).context, Eq(IsZero(r), ONE), [known(p, True, r, ONE)])),
    ("iszero_other", "where it is", lambda p: (known(p, True).context, Eq(IsZero(r), ZERO), [known(p, True)])),
    ("iszero_other", "another number", lambda p: (
        known(p, False, r, ONE).context, Eq(IsZero(r), ZERO), [known(p, False, r, ONE)])),
    ("weaken", "fewer local hypotheses", lambda p: (EMPTY, Eq(r, ZERO), [known(p, True)])),
    ("weaken", "other local hypotheses", lambda p: (wider(p, Eq(s, ZERO)), Eq(r, ZERO), [known(p, True)])),
    ("weaken", "local hypotheses in another place", lambda p: (
        wider(p, Eq(s, ZERO), Eq(r, ZERO)), Eq(r, ZERO), [known(p, True)])),
]  # fmt: skip


#: one of each rule; the others take a minute
FIRST = [next(x for x in WRONG if x[0] == rule) for rule in sorted({x[0] for x in WRONG})]


def refused(wrong: list[tuple[str, str, Wrong]]) -> None:
    with queue() as asked:
        answers = []
        for rule, what, make in wrong:
            p = Proofs()
            ctx, claim, premises = make(p)
            step = p.kernel._make(rule, ctx, claim, premises, (N, "k") if rule == "le_sum" else ())
            if ctx.hypotheses:  # a goal knows nothing besides its guards; coqc does not get so far
                step = p.kernel._make("weaken", Context(ctx.variables, ctx.guards), claim, [step])
            answers.append((rule, what, asked.accept(json.loads(Proof(p.kernel, (step,), {}).text))))
        for rule, what, answer in answers:
            found = answer.result()
            print(f"{rule}, {what}: {found.detail}")
            if found.verdict == UNKNOWN:
                assert found.detail.startswith("not exported: "), (rule, what, found.detail)
                continue
            assert found.verdict == REJECTED, (rule, what)
            assert f"(rule {rule})" in found.detail and "Syntax error" not in found.detail, (rule, what, found.detail)


@needs_coqc
def test_a_wrong_step_of_each_rule_is_refused() -> None:
    assert {x[0] for x in FIRST} == RULES
    refused(FIRST)


@needs_coqc
@pytest.mark.slow
def test_no_wrong_step_is_accepted() -> None:
    refused([x for x in WRONG if x not in FIRST])
