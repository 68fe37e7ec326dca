"""Inequalities: sums of squares are not negative, a summand is at most the sum, a a = 0 makes a = 0.

Every step is a rule of the kernel.  Not tried: reciprocals and symbolic powers
that are no squares, and polynomials that are not negative without being written
as squares (beyond quadratic forms in their atoms, which are completed).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from ..language.arith import unsatisfiable
from ..language.index import Idx, ge, lt, qvar
from ..language.signature import Eq, Le, Statement
from ..language.terms import ONE, ZERO, Add, App, Inv, IsZero, Mul, Num, Pow, Sum, Term, add, mul, neg, open_
from ..proof.kernel import Context, Kernel, Theorem
from ..proof.ring import polynomial
from .goals import Stuck
from .normal import normalize
from .rewrite import Rewriter, determined, fresh, matching_app, then

Body = Callable[[Context, Term], Theorem]


# -- small steps ----------------------------------------------------------------
def le_from(k: Kernel, equation: Theorem | None, th: Theorem) -> Theorem:
    """a <= c from a = b and b <= c."""
    return th if equation is None else k.le_trans(k.le_equal(equation), th)


def le_to(k: Kernel, th: Theorem, equation: Theorem | None) -> Theorem:
    """a <= c from a <= b and b = c."""
    return th if equation is None else k.le_trans(th, k.le_equal(equation))


def sides(th: Theorem) -> tuple[Term, Term]:
    """Both sides of an inequality."""
    assert isinstance(th.relation, Le)
    return th.relation.lhs, th.relation.rhs


def ring_le(k: Kernel, ctx: Context, lhs: Term, th: Theorem, rhs: Term) -> Theorem:
    """lhs <= rhs where the ring rule turns the sides of ``th`` into them."""
    a, b = sides(th)
    left = None if a is lhs else k.ring(ctx, lhs, a)
    return le_to(k, le_from(k, left, th), None if b is rhs else k.ring(ctx, b, rhs))


# -- at least 0 -------------------------------------------------------------------
def nonneg(k: Kernel, ctx: Context, t: Term) -> Theorem:
    """0 <= t, or ``Stuck`` with the part that was not shown.

    Sums and products of squares, of numbers that are not negative, of [a = 0]
    and of what a hypothesis says is not negative; definitions are unfolded.
    """
    if unsatisfiable((*k.theory.assumptions, *ctx.guards)):
        return k.absurd(ctx, Le(ZERO, t))
    given = _given(k, ctx, t)
    if given is not None:
        return given
    if isinstance(t, Num) and t.value >= 0:
        return k.le_number(ctx, ZERO, t)
    if isinstance(t, Mul):
        return _product(k, ctx, t)
    if isinstance(t, Add):
        whole = k.le_add(ctx, [nonneg(k, ctx, a) for a in t.args] or [k.le_number(ctx, ZERO, ZERO)])
        return ring_le(k, ctx, ZERO, whole, t)
    if isinstance(t, Sum):
        name = fresh(ctx)
        inner = ctx.bind((name,), (t.bound,))
        whole = k.le_sum(ctx, t.bound, name, nonneg(k, inner, open_(t.body, qvar(name))))
        return le_from(k, k.sym(k.sum_zero(ctx, t.bound)), whole)
    if isinstance(t, Pow) and not t.exponent.terms and t.exponent.const >= 0:
        return ring_le(k, ctx, ZERO, _product(k, ctx, Mul(*[t.base] * t.exponent.const)), t)
    if isinstance(t, IsZero):
        return _indicator(k, ctx, t)
    if isinstance(t, App) and k.theory.definition(t.name) is not None:
        case = determined(k, ctx, t)
        if case is not None:
            unfolded = k.unfold(ctx, t, case)
            return le_to(k, nonneg(k, ctx, unfolded.rhs), k.sym(unfolded))
    raise Stuck(ctx, Le(ZERO, t), "not seen to be a sum of squares")


def _given(k: Kernel, ctx: Context, t: Term) -> Theorem | None:
    """0 <= t as a hypothesis says it."""
    local: list[tuple[int | str, Statement]] = list(enumerate(ctx.hypotheses))
    for which, s in [*local, *k.theory.hypotheses.items()]:
        r = s.relation
        if not isinstance(r, Le) or r.lhs is not ZERO:
            continue
        if not s.variables and r.rhs is t and all(k.entails(ctx, c) for c in s.guards):
            return k.hypothesis(ctx, which, {})
        if isinstance(r.rhs, App) and isinstance(t, App):
            values = matching_app(k, ctx, s, r.rhs, t)
            if values is not None:
                return k.hypothesis(ctx, which, values)
    return None


def _product(k: Kernel, ctx: Context, t: Mul) -> Theorem:
    """Equal factors are paired to squares; each of the others is not negative."""
    rest: list[Term] = []
    parts: list[Theorem] = []
    for factor in t.args:
        if factor in rest and not isinstance(factor, Num):
            rest.remove(factor)
            parts.append(k.le_square(ctx, factor))
        else:
            rest.append(factor)
    parts += [nonneg(k, ctx, factor) for factor in rest]
    if not parts:
        parts = [k.le_number(ctx, ZERO, ONE)]
    return ring_le(k, ctx, ZERO, k.le_mul(ctx, parts), t)


def _indicator(k: Kernel, ctx: Context, t: IsZero) -> Theorem:
    def part(equal: bool) -> Theorem:
        inner = k.real_context(ctx, t.arg, ZERO, equal)
        known = k.hypothesis(inner, len(ctx.hypotheses), {})
        value = k.iszero_zero(known) if equal else k.iszero_other(known)
        assert isinstance(value.rhs, Num)
        return le_to(k, k.le_number(inner, ZERO, value.rhs), k.sym(value))

    return k.real_cases(ctx, t.arg, ZERO, [part(True), part(False)])


# -- one inequality ---------------------------------------------------------------
def prove_le(k: Kernel, ctx: Context, lhs: Term, rhs: Term) -> Theorem:
    """lhs <= rhs where rhs - lhs, in normal form, is a sum of squares; else ``Stuck``."""
    if unsatisfiable((*k.theory.assumptions, *ctx.guards)):
        return k.absurd(ctx, Le(lhs, rhs))
    if lhs is ZERO:
        try:
            return nonneg(k, ctx, rhs)  # as it is written: squares of sums stay squares
        except Stuck:
            pass
    difference = add(rhs, neg(lhs))
    stuck: Stuck | None = None
    for attempt in (_plain, _rewritten, _unfolded):
        equation = attempt(k, ctx, difference)
        now = difference if equation is None else equation.rhs
        try:
            low = le_to(k, _squares(k, ctx, now), None if equation is None else k.sym(equation))
        except Stuck as s:
            stuck = s
            continue
        whole = k.le_add(ctx, [k.le_equal(k.refl(ctx, lhs)), low])
        return ring_le(k, ctx, lhs, whole, rhs)
    assert stuck is not None
    raise stuck


def _plain(k: Kernel, ctx: Context, t: Term) -> Theorem | None:
    return normalize(k, ctx, t)


def _rewritten(k: Kernel, ctx: Context, t: Term) -> Theorem | None:
    th = Rewriter(k)(ctx, t)
    return then(k, th, normalize(k, ctx, t if th is None else th.rhs))


def _unfolded(k: Kernel, ctx: Context, t: Term) -> Theorem | None:
    names = {d.name for g in k.theory.definitions for d in g if not d.measure}
    th = Rewriter(k, (), names)(ctx, t)
    return then(k, th, normalize(k, ctx, t if th is None else th.rhs))


def _squares(k: Kernel, ctx: Context, t: Term) -> Theorem:
    """0 <= t as it stands, or after joining sums over the same ranges and completing squares."""
    try:
        return nonneg(k, ctx, t)
    except Stuck:
        joined = _join(k, ctx, t)
        if joined is not None:
            return le_to(k, nonneg_quadratic(k, ctx, joined.rhs), k.sym(joined))
        return nonneg_quadratic(k, ctx, t)


def _prefix(t: Term) -> tuple[tuple[Term, Idx] | None, Term]:
    """A monomial c S with one sum S: the number and the sum."""
    sums = [a for a in (t.args if isinstance(t, Mul) else (t,)) if isinstance(a, Sum)]
    rest = [a for a in (t.args if isinstance(t, Mul) else (t,)) if not isinstance(a, Sum)]
    if len(sums) != 1:
        return None, t
    return (mul(*rest) if rest else ONE, sums[0].bound), sums[0]


def _join(k: Kernel, ctx: Context, t: Term) -> Theorem | None:
    """t = one sum, where every addend of t is a sum over the same range, times what is free of the index."""
    addends = t.args if isinstance(t, Add) else (t,)
    found = [_prefix(a) for a in addends]
    bounds = {p[1] for p, _ in found if p is not None}
    if any(p is None for p, _ in found) or len(bounds) != 1:
        return None
    (bound,) = bounds
    pieces: list[Term] = []
    steps: list[Theorem] = []
    for head, s in found:
        assert head is not None and isinstance(s, Sum)
        body = Mul(head[0], s.body)  # the factor is free of the index: nothing in it is bound
        whole = Sum(bound, body)
        pieces.append(body)
        steps.append(k.sum_scale(ctx, whole))
    whole = Sum(bound, Add(*pieces))
    th = k.sum_add(ctx, whole)
    th = k.trans(th, k.congruence(ctx, th.rhs, steps))
    return k.trans(k.ring(ctx, t, th.rhs), k.sym(th))


def nonneg_quadratic(k: Kernel, ctx: Context, t: Term) -> Theorem:
    """0 <= t where t is a quadratic form in its atoms and completing squares shows it; under sums too."""
    if isinstance(t, Sum):
        name = fresh(ctx)
        inner = ctx.bind((name,), (t.bound,))
        body = open_(t.body, qvar(name))
        flat = normalize(k, inner, body)
        low = le_to(k, _squares(k, inner, body if flat is None else flat.rhs), None if flat is None else k.sym(flat))
        whole = k.le_sum(ctx, t.bound, name, low)
        return le_from(k, k.sym(k.sum_zero(ctx, t.bound)), whole)
    squares = complete_squares(t)
    if squares is None:
        raise Stuck(ctx, Le(ZERO, t), "not seen to be a sum of squares")
    return ring_le(k, ctx, ZERO, nonneg(k, ctx, Add(*squares)), t)


def complete_squares(t: Term) -> list[Term] | None:
    """t = sum of c q q with c >= 0, by symmetric elimination; None if that does not come out."""
    left = dict(polynomial(t))
    out: list[Term] = []
    while left:
        pure = [m for m in left if len(m) == 1 and m[0][1] == 2]
        if not pure:
            constant = left.pop((), Fraction(0))
            if left or constant < 0:
                return None
            out.append(Num(constant))
            break
        atom = pure[0][0][0]
        head = left[pure[0]]
        if head < 0:
            return None
        q: Term = atom
        for m, c in left.items():
            powers = dict(m)
            if powers.get(atom) == 1:
                del powers[atom]
                q = add(q, mul(Num(c / (2 * head)), *(a for a, e in powers.items() for _ in range(e))))
        square = mul(Num(head), Mul(q, q))
        out.append(Mul(Num(head), q, q))
        left = {m: c for m, c in polynomial(add(Add(*_terms(left)), mul(-1, square))).items() if c}
        if any(atom in dict(m) for m in left):
            return None
    return out


def _terms(p: dict[tuple[tuple[Term, int], ...], Fraction]) -> Iterator[Term]:
    for m, c in p.items():
        yield Mul(Num(c), *(a for a, e in m for _ in range(e)))


# -- sums -----------------------------------------------------------------------
def cut(k: Kernel, ctx: Context, s: Sum, at: Idx) -> Theorem:
    """sum_j<n a(j) = sum_j<at a(j) + (a(at) + sum_j<n-at-1 a(at+1+j)) for 0 <= at < n."""
    first = k.sum_split(ctx, s, at)
    assert isinstance(first.rhs, Add)
    low, high = first.rhs.args
    second = k.sum_split(ctx, high, Idx(1))
    assert isinstance(second.rhs, Add)
    one, rest = second.rhs.args
    single = k.congruence(ctx, second.rhs, [k.sum_single(ctx, one), k.refl(ctx, rest)])
    return k.trans(first, k.congruence(ctx, first.rhs, [k.refl(ctx, low), k.trans(second, single)]))


def at_most_sum(k: Kernel, ctx: Context, s: Sum, at: Idx, body: Body | None = None) -> Theorem:
    """a(at) <= sum_j<n a(j) where 0 <= at < n follows and no summand is negative.

    body: proves 0 <= a(j) for the index of a larger context; ``nonneg`` if None.
    """
    for c in (ge(at, 0), lt(at, s.bound)):
        if not k.entails(ctx, c):
            raise Stuck(ctx, Le(open_(s.body, at), s), f"{at!r} is not seen to be in range")
    prove = body or (lambda c, t: nonneg(k, c, t))
    th = cut(k, ctx, s, at)
    assert isinstance(th.rhs, Add) and isinstance(th.rhs.args[1], Add)
    low, (own, high) = th.rhs.args[0], th.rhs.args[1].args

    def total(part: Term) -> Theorem:
        assert isinstance(part, Sum)
        name = fresh(ctx)
        inner = ctx.bind((name,), (part.bound,))
        whole = k.le_sum(ctx, part.bound, name, prove(inner, open_(part.body, qvar(name))))
        return le_from(k, k.sym(k.sum_zero(ctx, part.bound)), whole)

    above = k.le_add(ctx, [k.le_equal(k.refl(ctx, own)), total(high)])
    whole = k.le_add(ctx, [total(low), above])
    return le_to(k, ring_le(k, ctx, own, whole, th.rhs), k.sym(th))


def nested_summand(k: Kernel, ctx: Context, s: Term, at: Sequence[Idx]) -> Theorem:
    """A summand of a nest of sums of squares is at most the whole nest."""
    if not at:
        return k.le_equal(k.refl(ctx, s))
    if not isinstance(s, Sum):
        raise Stuck(ctx, Le(s, s), "fewer sums than indices")
    outer = at_most_sum(k, ctx, s, at[0])
    return k.le_trans(nested_summand(k, ctx, open_(s.body, at[0]), at[1:]), outer)


def vanishes(k: Kernel, low: Theorem, whole: Theorem) -> Theorem:
    """a = 0 from a <= s and s = 0 (or s <= 0), where 0 <= a can be seen."""
    a, _ = sides(low)
    below = k.le_trans(low, k.le_equal(whole) if isinstance(whole.relation, Eq) else whole)
    return k.le_both(below, nonneg(k, low.context, a))


def zero_terms(k: Kernel, ctx: Context, th: Theorem, at: Sequence[Idx]) -> Theorem:
    """A summand of a nest of sums of squares is 0, where the whole is 0 (or at most 0)."""
    r = th.relation
    if not isinstance(r, (Eq, Le)) or r.rhs is not ZERO:
        raise Stuck(ctx, r, "a sum that is 0 is needed")
    return vanishes(k, nested_summand(k, ctx, r.lhs, at), th)


def square_zero(k: Kernel, th: Theorem) -> Theorem:
    """a = 0 from c a a = 0 with a number c other than 0, or from a a = 0."""
    ctx, t = th.context, th.lhs
    factors = t.args if isinstance(t, Mul) else (t,)
    rest = [x for x in factors if not isinstance(x, Num)]
    number = mul(*(x for x in factors if isinstance(x, Num)))
    ok = th.rhs is ZERO and len(rest) == 2 and rest[0] is rest[1] and isinstance(number, Num) and number.value != 0
    if not ok:
        raise Stuck(ctx, th.relation, "a square that is 0 is needed")
    assert isinstance(number, Num)
    a = rest[0]
    same, other = k.real_context(ctx, a, ZERO, True), k.real_context(ctx, a, ZERO, False)
    n = len(ctx.hypotheses)
    unit = k.inverse(k.hypothesis(other, n, {}))
    # a = a 1 = a (a (1/a)) = (c a a) (1/a) (1/c) = 0
    one = Mul(a, ONE)
    now = k.trans(k.ring(other, a, one), k.congruence(other, one, [k.refl(other, a), k.sym(unit)]))
    grouped = Mul(t, Inv(a), Num(1 / number.value))
    now = k.trans(now, k.ring(other, now.rhs, grouped))
    zero = k.weaken(other, th)
    parts = [zero, *(k.refl(other, x) for x in grouped.args[1:])]
    now = k.trans(now, k.congruence(other, grouped, parts))
    now = k.trans(now, k.ring(other, now.rhs, ZERO))
    return k.real_cases(ctx, a, ZERO, [k.hypothesis(same, n, {}), now])
