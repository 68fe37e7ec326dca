"""Proofs about rules that learn by their units' own errors.

The light cone is that of any rule (errors ahead of the wave are 0, so nothing
learns whatever phi is); phi and its window are opaque in it.  What phi is comes
from two inductions: ahead of the wave the window is quiet, and where a window
is quiet every error in it is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import permutations

from ..language.fold import match
from ..language.index import Con, Idx, eq, ge, le, lt, qvar
from ..language.signature import Claim, Eq, Statement
from ..language.terms import ONE, ZERO, Add, App, IsZero, Mul, Sum, Term, add, mul, neg, subst
from ..networks.network import L
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.claims import STATE, change_at_moment
from ..rules.equations import PHI, QUIET, Equations
from .goals import Stuck
from .light_cone import Cone
from .normal import normalize, prove_equal, ring_to
from .rewrite import Rewriter, both, bottom_up, by_cases, then

t, k_, l, b, i, s = (qvar(n) for n in "tklbis")
UNIT = ("l", "b", "i")
DELTA, EPS, FACTOR = App("delta", (l, b, i)), App("eps", (t, l, b, i)), App(PHI, (t, l, b, i))
Proved = tuple[dict[str, Theorem], list[Theorem]]
_NOW = (ge(l, 0), lt(l, L), eq(t, l), *STATE)
ROUNDS = 6  # of rewriting and normalising one term


class GatedCone(Cone):
    """The light cone of a rule without a given moment; the wave arrives at t = l."""

    def __init__(self, k: Kernel, e: Equations) -> None:
        super().__init__(k, e)
        self.timed -= {PHI, QUIET}

    def arrivals(self) -> list[Idx]:
        return [l]


# -- real numbers that are 0 or not ---------------------------------------------
def real_split(k: Kernel, ctx: Context, a: Term, prove: Callable[[Context, Theorem, bool], Theorem]) -> Theorem:
    """A relation, proved where a = 0 and where a != 0; ``prove`` gets what is known as a theorem."""
    parts = []
    for equal in (True, False):
        c = k.real_context(ctx, a, ZERO, equal)
        parts.append(prove(c, k.hypothesis(c, len(ctx.hypotheses), {}), equal))
    return k.real_cases(ctx, a, ZERO, parts)


def indicator(k: Kernel, known: Theorem) -> Theorem:
    """[a = 0] = 1 or 0, from a = 0 or a != 0."""
    return k.iszero_zero(known) if isinstance(known.relation, Eq) else k.iszero_other(known)


def cancels(k: Kernel, ctx: Context, a: Term) -> Theorem:
    """[a = 0] a = 0"""
    whole = Mul(IsZero(a), a)

    def case(c: Context, known: Theorem, equal: bool) -> Theorem:
        left = k.refl(c, IsZero(a)) if equal else indicator(k, known)
        right = known if equal else k.refl(c, a)
        th = k.congruence(c, whole, [left, right])
        return k.trans(th, k.ring(c, th.rhs, ZERO))

    return real_split(k, ctx, a, case)


def idempotent(k: Kernel, ctx: Context, a: Term) -> Theorem:
    """[a = 0] [a = 0] = [a = 0]"""
    z = IsZero(a)

    def case(c: Context, known: Theorem, equal: bool) -> Theorem:
        value = indicator(k, known)
        th = k.congruence(c, Mul(z, z), [value, value])
        return k.trans(k.trans(th, k.ring(c, th.rhs, value.rhs)), k.sym(value))

    return real_split(k, ctx, a, case)


def part_of(k: Kernel, ctx: Context, whole: Mul, part: Theorem) -> Theorem:
    """A product in which ``part`` (a product = something) is replaced."""
    assert isinstance(part.lhs, Mul)
    rest = list(whole.args)
    for f in (x for a in part.lhs.args for x in (a.args if isinstance(a, Mul) else (a,))):
        rest.remove(f)
    grouped = Mul(part.lhs, *rest)
    th = k.trans(k.ring(ctx, whole, grouped), k.congruence(ctx, grouped, [part, *(k.refl(ctx, r) for r in rest)]))
    return both(k, ctx, whole, then(k, th, ring_to(k, ctx, th.rhs)))


class Simplifier:
    """Rewriting by lemmas and definitions, indicators and products that are 0, and normal forms."""

    def __init__(
        self, k: Kernel, lemmas: Sequence[Theorem] = (), unfold: Iterable[str] = (), products: Sequence[Theorem] = ()
    ) -> None:
        self.k = k
        self.rewriter = Rewriter(k, lemmas, unfold)
        self.products = [p for p in products if isinstance(p.lhs, Mul)]

    def __call__(self, ctx: Context, t: Term) -> Theorem | None:
        k = self.k
        th: Theorem | None = None
        for _ in range(ROUNDS):
            now = t if th is None else th.rhs
            step = self.rewriter(ctx, now)
            step = then(k, step, normalize(k, ctx, now if step is None else step.rhs))
            step = then(k, step, bottom_up(k, self.head, ctx, now if step is None else step.rhs, again=False))
            step = then(k, step, normalize(k, ctx, now if step is None else step.rhs))
            if step is None or step.rhs is now:
                return th
            th = then(k, th, step)
        return th

    def head(self, ctx: Context, t: Term) -> Theorem | None:
        k = self.k
        if isinstance(t, IsZero) and t.arg is ZERO:
            return k.iszero_zero(k.refl(ctx, ZERO))
        if not isinstance(t, Mul):
            return None
        for f in t.args:
            if isinstance(f, IsZero):
                factors = f.arg.args if isinstance(f.arg, Mul) else (f.arg,)
                if all(t.args.count(x) >= factors.count(x) for x in factors):
                    return part_of(k, ctx, t, cancels(k, ctx, f.arg))
                if t.args.count(f) > 1:
                    return part_of(k, ctx, t, idempotent(k, ctx, f.arg))
        for p in self.products:
            found = self._product(ctx, t, p)
            if found is not None:
                return part_of(k, ctx, t, found)
        return None

    def _product(self, ctx: Context, t: Mul, p: Theorem) -> Theorem | None:
        """``p`` at index terms at which its factors stand in ``t`` and its guards follow."""
        statement = p.statement()
        assert isinstance(p.lhs, Mul)
        names = {v: qvar("?" + v) for v in statement.variables}
        for chosen in permutations(t.args, len(p.lhs.args)):
            found = match(subst(p.lhs, names), Mul(*chosen), {}, tuple("?" + v for v in names))
            if found is None:
                continue
            values = {v: found["?" + v] for v in names}
            guards, _ = statement.at(values)
            if all(self.k.entails(ctx, c) for c in guards):
                return self.k.instantiate(ctx, p, values)
        return None

    def same(self, ctx: Context, lhs: Term, rhs: Term) -> Theorem:
        """lhs = rhs, or ``Stuck``."""
        k = self.k
        left, right = self(ctx, lhs), self(ctx, rhs)
        a, z = (lhs if left is None else left.rhs), (rhs if right is None else right.rhs)
        if a is not z:
            raise Stuck(ctx, Eq(a, z))
        return both(k, ctx, lhs, then(k, left, None if right is None else k.sym(right)))


def settle(k: Kernel, statement: Statement, simplify: Simplifier) -> Theorem:
    """A statement by simplification alone."""
    r = statement.relation
    assert isinstance(r, Eq)
    return simplify.same(Context(statement.variables, statement.guards), r.lhs, r.rhs)


# -- the trigger ------------------------------------------------------------------
def quiet_ahead(k: Kernel, freeze: Theorem) -> Theorem:
    """Up to t = l every window of the unit is quiet."""
    name = App(QUIET, (t, k_, l, b, i))
    guards = (ge(t, 0), le(t, l), ge(k_, 0), ge(l, 0), lt(l, L), *STATE)
    claim = Statement(("t", "k", *UNIT), guards, Eq(name, ONE))
    ctx = k.induction_context([claim], [t], 0)
    simplify = Simplifier(k, [freeze])

    def value(c: Context, case: int) -> Theorem:
        th = k.unfold(c, name, case)
        return th if th.rhs is ONE else k.trans(th, simplify.same(c, th.rhs, ONE))

    return _over_window(k, claim, value, ctx)


def quiet_means_zero(k: Kernel) -> Theorem:
    """quiet[t,k] eps[s] = 0 for the times s of the window before t."""
    name, past = App(QUIET, (t, k_, l, b, i)), App("eps", (s, l, b, i))
    guards = (ge(t, 0), ge(k_, 0), ge(s, 0), ge(s, t - k_), lt(s, t), ge(l, 0), lt(l, L), *STATE)
    whole = Mul(name, past)
    claim = Statement(("t", "k", "s", *UNIT), guards, Eq(whole, ZERO))
    ctx = k.induction_context([claim], [t], 0)
    value = k.unfold(ctx, name, 2)
    last: Term = IsZero(App("eps", (t - 1, l, b, i)))
    remaining: Term = App(QUIET, (t - 1, k_ - 1, l, b, i))
    opened = k.congruence(ctx, whole, [value, k.refl(ctx, past)])

    def when(c: Context, con: Con) -> Theorem:
        th, other = k.weaken(c, opened), remaining
        if con.kind == "eq":
            now = k.index(c, past, App("eps", (t - 1, l, b, i)))
            th = k.trans(th, k.congruence(c, th.rhs, [k.refl(c, value.rhs), now]))
            zero = cancels(k, c, now.rhs)
        else:
            values = {"t'": t - 1, "k'": k_ - 1, "s'": s, "l'": l, "b'": b, "i'": i}
            zero, other = k.hypothesis(c, 0, values), last
        grouped = Mul(zero.lhs, other)
        th = k.trans(th, k.ring(c, th.rhs, grouped))
        th = k.trans(th, k.congruence(c, grouped, [zero, k.refl(c, other)]))
        return k.trans(th, k.ring(c, th.rhs, ZERO))

    th = by_cases(k, ctx, eq(s, t - 1), claim.relation, when)
    (out,) = k.induct([claim], [t], [th])
    return out


def _over_window(
    k: Kernel, claim: Statement, value: Callable[[Context, int], Theorem], ctx: Context | None = None
) -> Theorem:
    """``claim`` about quiet[t,k], by the case of its definition; by induction over time if ``ctx`` is given."""
    here = ctx or Context(claim.variables, claim.guards)

    def began(c: Context, con: Con) -> Theorem:
        if con.kind == "eq":
            return value(c, 0)
        return by_cases(k, c, eq(k_, 0), claim.relation, lambda d, side: value(d, 1 if side.kind == "eq" else 2))

    th = by_cases(k, here, eq(t, 0), claim.relation, began)
    return th if ctx is None else k.induct([claim], [t], [th])[0]


def zero_or_one(k: Kernel) -> Theorem:
    """quiet[t,k] is 0 or 1: q q = q."""
    name = App(QUIET, (t, k_, l, b, i))
    guards = (ge(t, 0), ge(k_, 0), ge(l, 0), lt(l, L), *STATE)
    claim = Statement(("t", "k", *UNIT), guards, Eq(Mul(name, name), name))
    ctx = k.induction_context([claim], [t], 0)

    def value(c: Context, case: int) -> Theorem:
        th = k.unfold(c, name, case)
        square = k.congruence(c, Mul(name, name), [th, th])
        if case < 2:
            return k.trans(k.trans(square, k.ring(c, square.rhs, ONE)), k.sym(th))
        assert isinstance(th.rhs, Mul)
        z, q = th.rhs.args
        assert isinstance(z, IsZero)
        values = {"t'": t - 1, "k'": k_ - 1, "l'": l, "b'": b, "i'": i}
        one, two = idempotent(k, c, z.arg), k.hypothesis(c, 0, values)
        grouped = Mul(one.lhs, two.lhs)
        square = k.trans(square, k.ring(c, square.rhs, grouped))
        square = k.trans(square, k.congruence(c, grouped, [one, two]))
        return k.trans(k.trans(square, k.ring(c, square.rhs, th.rhs)), k.sym(th))

    return _over_window(k, claim, value, ctx)


def empty_window(k: Kernel, statement: Statement) -> Theorem:
    """quiet[t,0] = 1"""
    r = statement.relation
    assert isinstance(r, Eq)
    ctx = Context(statement.variables, statement.guards)
    return by_cases(k, ctx, eq(t, 0), r, lambda c, side: k.unfold(c, r.lhs, 0 if side.kind == "eq" else 1))


def further_back(k: Kernel, statement: Statement, empty: Theorem) -> Theorem:
    """quiet[t,k] = quiet[t,k-1] z(eps[t-k]): the window's definition takes the last time off, this the first."""
    r = statement.relation
    assert isinstance(r, Eq)
    ctx = k.induction_context([statement], [t], 0)

    def longer(c: Context, con: Con) -> Theorem:
        if con.kind == "eq":
            one = {"k": Idx(1)}
            left = k.unfold(c, r.lhs, 2)
            left = k.trans(left, k.index(c, left.rhs, subst(left.rhs, one)))
            right = k.index(c, r.rhs, subst(r.rhs, one))
            return k.trans(k.trans(left, Simplifier(k, [empty]).same(c, left.rhs, right.rhs)), k.sym(right))
        assert isinstance(r.rhs, Mul)
        left, shorter = k.unfold(c, r.lhs, 2), k.unfold(c, r.rhs.args[0], 2)
        assert isinstance(left.rhs, Mul)
        values = {"t'": t - 1, "k'": k_ - 1, "l'": l, "b'": b, "i'": i}
        rest = k.hypothesis(c, 0, values)
        left = k.trans(left, k.congruence(c, left.rhs, [k.refl(c, left.rhs.args[0]), rest]))
        right = k.congruence(c, r.rhs, [shorter, k.refl(c, r.rhs.args[1])])
        return k.trans(k.trans(left, k.ring(c, left.rhs, right.rhs)), k.sym(right))

    th = by_cases(k, ctx, eq(k_, 1), r, longer)
    return k.induct([statement], [t], [th])[0]


def reaches_the_start(k: Kernel, statement: Statement) -> Theorem:
    """quiet[t,k] = quiet[t,t] for k >= t"""
    r = statement.relation
    assert isinstance(r, Eq)
    ctx = k.induction_context([statement], [t], 0)

    def began(c: Context, con: Con) -> Theorem:
        if con.kind == "eq":
            return k.trans(k.unfold(c, r.lhs, 0), k.sym(k.unfold(c, r.rhs, 0)))
        left, right = k.unfold(c, r.lhs, 2), k.unfold(c, r.rhs, 2)
        assert isinstance(left.rhs, Mul)
        rest = k.hypothesis(c, 0, {"t'": t - 1, "k'": k_ - 1, "l'": l, "b'": b, "i'": i})
        left = k.trans(left, k.congruence(c, left.rhs, [k.refl(c, left.rhs.args[0]), rest]))
        return k.trans(left, k.sym(right))

    th = by_cases(k, ctx, eq(t, 0), r, began)
    return k.induct([statement], [t], [th])[0]


def window_script(k: Kernel, claim: Claim) -> Proved:
    """phi is the product that is printed, 0 or 1, and 0 where the error is 0 now or was not within the window."""
    first, none, step, start, *values = claim.goals
    square, zero = zero_or_one(k), quiet_means_zero(k)
    simplify = Simplifier(k, unfold=(PHI,), products=(square, zero))
    empty = empty_window(k, none)
    back = [empty, further_back(k, step, empty), reaches_the_start(k, start)]
    lemmas = {"quiet is 0 or 1": square, "quiet errors": zero}
    return lemmas, [settle(k, first, simplify), *back, *(settle(k, g, simplify) for g in values)]


def awakened_script(k: Kernel, claim: Claim) -> Proved:
    """Where all times before t are quiet, so is every window: quiet[t,t] quiet[t,k] = quiet[t,t]."""
    whole, name = App(QUIET, (t, t, l, b, i)), App(QUIET, (t, k_, l, b, i))
    guards = (ge(t, 0), ge(k_, 0), ge(l, 0), lt(l, L), *STATE)
    still = Statement(("t", "k", *UNIT), guards, Eq(Mul(whole, name), whole))
    ctx = k.induction_context([still], [t], 0)

    def value(c: Context, case: int) -> Theorem:
        opened = k.unfold(c, name, case)
        if case < 2:
            th = k.congruence(c, Mul(whole, name), [k.refl(c, whole), opened])
            return k.trans(th, k.ring(c, th.rhs, whole))
        all_ = k.unfold(c, whole, 2)
        th = k.congruence(c, Mul(whole, name), [all_, opened])
        assert isinstance(opened.rhs, Mul) and isinstance(opened.rhs.args[0], IsZero)
        twice = idempotent(k, c, opened.rhs.args[0].arg)
        rest = k.hypothesis(c, 0, {"t'": t - 1, "k'": k_ - 1, "l'": l, "b'": b, "i'": i})
        grouped = Mul(twice.lhs, rest.lhs)
        th = k.trans(th, k.ring(c, th.rhs, grouped))
        th = k.trans(th, k.congruence(c, grouped, [twice, rest]))
        return k.trans(k.trans(th, k.ring(c, th.rhs, all_.rhs)), k.sym(all_))

    lemma = _over_window(k, still, value, ctx)
    simplify = Simplifier(k, unfold=(PHI,), products=(lemma,))
    return {"silent windows are quiet": lemma}, [settle(k, g, simplify) for g in claim.goals]


class Trigger:
    """The light cone of a gated rule, and what phi is up to t = l."""

    def __init__(self, k: Kernel, e: Equations) -> None:
        self.k, self.e = k, e
        from ..rules.fazil_claims import arriving

        cone = GatedCone(k, e)
        cone.freeze()
        cone.front()
        self.lemmas = cone.lemmas.found
        if "freeze eps" not in self.lemmas or "front" not in self.lemmas:
            raise Stuck(None, None, "the wave of errors does not arrive at t = l as in Z-IL")
        if e.gate is not None and e.gate.past is not None:
            self.lemmas["quiet ahead"] = quiet_ahead(k, self.lemmas["freeze eps"])
        arrived = mul(arriving(e, l), DELTA)
        fires = Statement(("t", *UNIT), _NOW, Eq(FACTOR, add(ONE, neg(IsZero(arrived)))))
        self.lemmas["phi now"] = settle(k, fires, self.simplifier((PHI,)))
        self.learnt = settle(k, Statement(("t", *UNIT), _NOW, Eq(Mul(FACTOR, EPS), arrived)), self.simplifier())
        updates = [self._update(s) for s in change_at_moment(e, partial(arriving, e))]
        for kind, th in zip(e.net.kinds, updates):
            self.lemmas[f"update {kind.name}"] = th

    def _update(self, statement: Statement) -> Theorem:
        """The change at t = l, where phi eps is taken as a whole."""
        k, r = self.k, statement.relation
        assert isinstance(r, Eq)
        ctx = Context(statement.variables, statement.guards)
        th = k.unfold(ctx, r.lhs, 0)
        step = bottom_up(k, Simplifier(k, products=(self.learnt,)).head, ctx, th.rhs, again=False)
        th = th if step is None else k.trans(th, step)
        return k.trans(th, self.simplifier(self._names()).same(ctx, th.rhs, r.rhs))

    def _names(self) -> tuple[str, ...]:
        return tuple(n for kind in self.e.net.kinds for n in (kind.change, kind.initial_change))

    def simplifier(self, unfold: Iterable[str] = (), products: Sequence[Theorem] = ()) -> Simplifier:
        return Simplifier(self.k, list(self.lemmas.values()), unfold, products)


def trigger_script(k: Kernel, claim: Claim) -> Proved:
    """What phi, the errors and the changes are up to t = l, and that no unit learns twice in a window."""
    trig = Trigger(k, claim.equations)
    simplify = trig.simplifier((PHI, *trig._names()))
    *goals, again = claim.goals
    out = [settle(k, g, simplify) for g in goals]
    return trig.lemmas, [*out, no_second(trig, again)]


def no_second(trig: Trigger, statement: Statement) -> Theorem:
    """phi delta = 0 for the td times after t = l."""
    k = trig.k
    zero = trig.lemmas.setdefault("quiet errors", quiet_means_zero(k))
    ctx = Context(statement.variables, statement.guards)
    first = App("eps", (l, l, b, i))
    now = k.instantiate(ctx, trig.lemmas["front"], {"t": l, "l": l, "b": b, "i": i})
    assert isinstance(statement.relation, Eq)
    whole = Mul(FACTOR, now.rhs)
    th = k.congruence(ctx, whole, [k.refl(ctx, FACTOR), k.sym(now)])
    th = k.trans(th, Simplifier(k, unfold=(PHI,), products=(zero,)).same(ctx, Mul(FACTOR, first), ZERO))
    start = ring_to(k, ctx, statement.relation.lhs, whole)
    return both(k, ctx, statement.relation.lhs, then(k, start, th))


# -- the weights ------------------------------------------------------------------
def late_sum(statement: Statement) -> Sum:
    """The sum of late changes in theta = w + dw + alpha sum."""
    r = statement.relation
    assert isinstance(r, Eq) and isinstance(r.rhs, Add)
    last = r.rhs.args[-1]
    assert isinstance(last, Mul) and isinstance(last.args[1], Sum)
    return last.args[1]


def exact_weights(trig: Trigger, statements: Sequence[Statement]) -> list[Theorem]:
    """theta_t = w + dw + alpha times the late sum, by induction over time from t = l on."""
    return [_exact(trig, statement, kind.name) for statement, kind in zip(statements, trig.e.net.kinds)]


def _exact(trig: Trigger, statement: Statement, name: str) -> Theorem:
    k = trig.k
    ctx = k.induction_context([statement], [t], 0)
    r = statement.relation
    assert isinstance(r, Eq) and isinstance(r.rhs, Add)
    total = late_sum(statement)

    def with_late(c: Context, value: Theorem) -> Theorem:
        """The right side, with the late sum replaced."""
        assert isinstance(r, Eq) and isinstance(r.rhs, Add) and isinstance(r.rhs.args[-1], Mul)
        last = r.rhs.args[-1]
        scaled = k.congruence(c, last, [k.refl(c, last.args[0]), value])
        return k.congruence(c, r.rhs, [*(k.refl(c, a) for a in r.rhs.args[:-1]), scaled])

    def case(c: Context, con: Con) -> Theorem:
        if con.kind == "eq":  # its moment: frozen until now, one change
            right = with_late(c, k.sum_empty(c, total))
            return k.trans(trig.simplifier((name,)).same(c, r.lhs, right.rhs), k.sym(right))
        split = k.sum_split(c, total, t - 1 - l)
        assert isinstance(split.rhs, Add)
        head, tail = split.rhs.args
        right = with_late(c, k.trans(split, k.congruence(c, split.rhs, [k.refl(c, head), k.sum_single(c, tail)])))
        left = k.unfold(c, r.lhs, 1)
        assert isinstance(left.rhs, Add)
        values = {v + "'": t - 1 if v == "t" else qvar(v) for v in statement.variables}
        opened = [k.hypothesis(c, 0, values), k.unfold(c, left.rhs.args[1], 0)]
        left = k.trans(left, k.congruence(c, left.rhs, opened))
        middle = prove_equal(k, c, left.rhs, right.rhs)
        if middle is None:
            raise Stuck(c, Eq(left.rhs, right.rhs))
        return k.trans(k.trans(left, middle), k.sym(right))

    th = by_cases(k, ctx, eq(t, l), statement.relation, case)
    (out,) = k.induct([statement], [t], [th])
    return out


def _exact_of(trig: Trigger) -> list[Theorem]:
    from ..rules.fazil_claims import exact

    theorems = exact_weights(trig, exact(trig.e).goals)
    for kind, th in zip(trig.e.net.kinds, theorems):
        trig.lemmas[f"exact {kind.name}"] = th
    return theorems


def exact_script(k: Kernel, claim: Claim) -> Proved:
    trig = Trigger(k, claim.equations)
    return trig.lemmas, exact_weights(trig, claim.goals)


def _values(statement: Statement, at: Idx) -> dict[str, Idx]:
    return {v: at if v == "t" else qvar(v) for v in statement.variables}


def criterion_script(k: Kernel, claim: Claim) -> Proved:
    """Put late sum = 0 into the exact equation."""
    from ..rules.fazil_claims import T

    trig = Trigger(k, claim.equations)
    out = []
    for th, kind, goal in zip(_exact_of(trig), trig.e.net.kinds, claim.goals):
        ctx = Context(goal.variables, goal.guards)
        at = k.instantiate(ctx, th, _values(th.statement(), T))
        zero = k.hypothesis(ctx, f"late_{kind.name}", {v: qvar(v) for v in goal.variables})
        assert isinstance(at.rhs, Add) and isinstance(at.rhs.args[-1], Mul)
        last = k.congruence(ctx, at.rhs.args[-1], [k.refl(ctx, at.rhs.args[-1].args[0]), zero])
        whole = k.congruence(ctx, at.rhs, [*(k.refl(ctx, a) for a in at.rhs.args[:-1]), last])
        assert isinstance(goal.relation, Eq)
        out.append(k.trans(k.trans(at, whole), k.ring(ctx, whole.rhs, goal.relation.rhs)))
    return trig.lemmas, out


def converse_script(k: Kernel, claim: Claim) -> Proved:
    """Subtract backprop's weight from the exact equation and divide by alpha."""
    from ..rules.fazil_claims import T

    trig = Trigger(k, claim.equations)
    out = []
    for th, kind, goal in zip(_exact_of(trig), trig.e.net.kinds, claim.goals):
        ctx = Context(goal.variables, goal.guards)
        at = k.instantiate(ctx, th, _values(th.statement(), T))
        given = k.hypothesis(ctx, f"backprop_{kind.name}", {v: qvar(v) for v in goal.variables})
        same = k.trans(k.sym(at), given)  # w + dw + alpha S = w + dw
        unit = k.inverse(k.hypothesis(ctx, "alpha_nonzero", {}))
        assert isinstance(goal.relation, Eq) and isinstance(unit.lhs, Mul)
        total = goal.relation.lhs
        grown = Mul(unit.lhs, total)
        th2 = k.ring(ctx, total, Mul(ONE, total))
        th2 = k.trans(th2, k.sym(k.congruence(ctx, grown, [unit, k.refl(ctx, total)])))
        rest = [Mul(neg(ONE), a) for a in given.rhs.args]  # type: ignore[attr-defined]
        moved = Mul(unit.lhs.args[1], Add(same.lhs, *rest))
        th2 = k.trans(th2, k.ring(ctx, grown, moved))
        inner = k.congruence(ctx, moved.args[1], [same, *(k.refl(ctx, a) for a in rest)])
        th2 = k.trans(th2, k.congruence(ctx, moved, [k.refl(ctx, moved.args[0]), inner]))
        out.append(k.trans(th2, k.ring(ctx, th2.rhs, ZERO)))
    return trig.lemmas, out


def _without_late(trig: Trigger, claim: Claim, late: Theorem) -> list[Theorem]:
    """The goals theta = w + dw from the exact equation, where phi eps = 0 late."""
    k = trig.k
    trig.lemmas["no late change"] = late
    out = []
    for th, goal in zip(_exact_of(trig), claim.goals):
        ctx = Context(goal.variables, goal.guards)
        at = k.instantiate(ctx, th, _values(th.statement(), t))
        assert isinstance(goal.relation, Eq)
        out.append(k.trans(at, Simplifier(k, products=(late,)).same(ctx, at.rhs, goal.relation.rhs)))
    return out


def _late_guards(*more: Con) -> tuple[Con, ...]:
    return (ge(l, 0), lt(l, L), ge(t, l + 1), *more, *STATE)


def sufficient_script(k: Kernel, claim: Claim) -> Proved:
    """phi eps = 0 late: where delta = 0 the error is 0, and elsewhere phi is."""
    from ..rules.fazil_claims import T

    trig = Trigger(k, claim.equations)
    ctx = Context(("t", *UNIT), _late_guards(lt(t, T)))
    values = {"t": t, "l": l, "b": b, "i": i}
    whole = Mul(FACTOR, EPS)
    given = {True: "never_awakened", False: "not_again"}

    def case(c: Context, known: Theorem, equal: bool) -> Theorem:
        value = indicator(k, known)
        hypothesis = k.hypothesis(c, given[equal], values)
        wanted = EPS if equal else FACTOR
        # put the indicator's value into the hypothesis: wanted = 0
        th = bottom_up(k, lambda d, x: value if x is value.lhs else None, c, hypothesis.lhs, again=False)
        assert th is not None
        zero = k.trans(k.trans(k.ring(c, wanted, th.rhs), k.sym(th)), hypothesis)
        parts = [k.refl(c, FACTOR), zero] if equal else [zero, k.refl(c, EPS)]
        out = k.congruence(c, whole, parts)
        return k.trans(out, k.ring(c, out.rhs, ZERO))

    late = real_split(k, ctx, DELTA, case)
    return trig.lemmas, _without_late(trig, claim, late)


def long_window_script(k: Kernel, claim: Claim) -> Proved:
    """phi delta = 0 within the window, and delta is not 0."""
    trig = Trigger(k, claim.equations)
    gate = trig.e.gate
    assert gate is not None
    guards = _late_guards(le(t, l + gate.window))
    twice = no_second(trig, Statement(("t", *UNIT), guards, Eq(Mul(FACTOR, DELTA), ZERO)))
    ctx = Context(("t", *UNIT), guards)
    unit = k.inverse(k.hypothesis(ctx, "delta_nonzero", {"l": l, "b": b, "i": i}))
    whole, one = Mul(FACTOR, EPS), Mul(FACTOR, EPS, unit.lhs)
    th = k.ring(ctx, whole, Mul(FACTOR, EPS, ONE))
    th = k.trans(th, k.sym(k.congruence(ctx, one, [k.refl(ctx, FACTOR), k.refl(ctx, EPS), unit])))
    grouped = Mul(twice.lhs, EPS, unit.lhs.args[1])  # type: ignore[attr-defined]
    th = k.trans(th, k.ring(ctx, th.rhs, grouped))
    th = k.trans(th, k.congruence(ctx, grouped, [twice, *(k.refl(ctx, a) for a in grouped.args[1:])]))
    late = k.trans(th, k.ring(ctx, th.rhs, ZERO))
    return trig.lemmas, _without_late(trig, claim, late)


def no_script(k: Kernel, claim: Claim) -> Proved:
    """Nothing is known that would prove this."""
    raise Stuck(None, None, "late changes are not excluded; compare the exact equation of the weights")
