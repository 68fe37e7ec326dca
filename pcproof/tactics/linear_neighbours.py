"""Scripts for one hidden layer with its neighbours held: e + r A A^T e = d with r >= 0 makes |e| at most |d|."""

from __future__ import annotations

from collections.abc import Callable

from ..language.index import Idx, qvar, span
from ..language.signature import Claim, Eq, Le, Tangent
from ..language.terms import ZERO, Add, App, Inv, Mul, Term, add, delta, mul, total
from ..networks.network import B
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.linear_neighbours import (
    AT_BELOW,
    AT_HERE,
    BELOW,
    HERE,
    M,
    Vector,
    back,
    error,
    forth,
    ratio,
    squares,
    state,
)
from .cauchy import cauchy
from .goals import Tools, prove_equation
from .linear import combine, energy_tangent, first, times, under, value
from .linear_limits import scaled_le
from .order import le_from, le_to, nonneg, ring_le, sides

l, b, i, j = (qvar(n) for n in "lbij")
SAMPLE, HERE_OF, BELOW_OF = Context(("b",), span(b, 0, B)), Context(("b", "i"), AT_HERE), Context(("b", "i"), AT_BELOW)
EPS, GX = App("eps", (M, b, i)), App("gx", (M, b, i))
Out = tuple[dict[str, Theorem], list[Theorem]]


def unit(k: Kernel, ctx: Context, layer: Idx, factor: Term) -> Theorem:
    """factor v (1 / v) = factor"""
    return times(k, factor, k.inverse(k.hypothesis(ctx, "v_nonzero", {"l": layer})))


def normal_script(k: Kernel, claim: Claim) -> Out:
    """The gradient by differentiating, then its hidden case written out."""
    slope, scaled, plain = claim.goals
    assert isinstance(slope.relation, Tangent) and isinstance(scaled.relation, Eq) and isinstance(plain.relation, Eq)
    ctx = Context(scaled.variables, scaled.guards)
    brought = mul(Inv(App("v", (l - 1,))), back(l, lambda q: App("eps", (l - 1, b, q))))
    tools = Tools(eager=("gx", "eps", "mu"))
    one = combine(k, ctx, scaled.relation.lhs, scaled.relation.rhs, [unit(k, ctx, l, App("eps", (l, b, i)))], tools)
    other = combine(k, ctx, plain.relation.lhs, plain.relation.rhs, [unit(k, ctx, l, brought)], tools)
    return {}, [energy_tangent(k, slope.relation), one, other]


# -- what the remainders are bounded by --------------------------------------------------
def ratio_nonneg(k: Kernel, ctx: Context, layer: Idx, other: Idx) -> Theorem:
    """0 <= v / v', as v v' (1 / v')^2."""
    v, w = App("v", (layer,)), App("v", (other,))
    whole = Mul(v, w, Inv(w), Inv(w))
    equal = combine(k, ctx, whole, ratio(layer, other), [unit(k, ctx, other, ratio(layer, other))], Tools())
    return le_to(k, nonneg(k, ctx, whole), equal)


def squared(k: Kernel, th: Theorem) -> Theorem:
    """a a = b b from a = b."""
    return k.congruence(th.context, Mul(th.lhs, th.lhs), [th, th])


def shrinks(
    k: Kernel, bound: Idx, r: Theorem, known: Callable[[Context, Idx], Theorem], vectors: tuple[Vector, ...], form: Term
) -> Theorem:
    """|e|^2 <= |d|^2.

    r: 0 <= r; known: d = e + r a; vectors: e, d and a; form: <e, a> as a sum of squares.
    """
    e, d, a = vectors
    ctx, rate = SAMPLE, sides(r)[1]
    small, large = squares(bound, e), squares(bound, d)
    cross, rest = mul(2, rate, form), mul(rate, rate, squares(bound, a))
    rows = under(k, ctx, bound, lambda c, u: squared(k, known(c, u)))
    equal = combine(k, ctx, large, Add(small, cross, rest), [rows], Tools(eager=("c", "W")))
    twice = k.le_mul(ctx, [r, nonneg(k, ctx, mul(2, form))])
    parts = [k.le_equal(k.refl(ctx, small)), ring_le(k, ctx, ZERO, twice, cross), nonneg(k, ctx, rest)]
    return le_to(k, ring_le(k, ctx, small, k.le_add(ctx, parts), equal.rhs), k.sym(equal))


def bounded(
    k: Kernel, goal: Le, off: Theorem, rate: Term, bound: Idx, vectors: tuple[Vector, Vector], shrunk: Theorem
) -> Theorem:
    """t^2 <= r^2 |a|^2 |d|^2 from t = r <a, e> up to sign, and |e|^2 <= |d|^2; vectors: a and e."""
    ctx, (weights, e) = off.context, vectors
    one = scaled_le(k, mul(rate, rate), cauchy(k, ctx, lambda f: total(bound, f), weights, e))
    two = scaled_le(k, mul(rate, rate, squares(bound, weights)), k.instantiate(ctx, shrunk, {"b": b}))
    start = combine(k, ctx, goal.lhs, sides(one)[0], [squared(k, off)], Tools())
    bridge = k.ring(ctx, sides(one)[1], sides(two)[0])
    whole = k.le_trans(le_from(k, start, le_to(k, one, bridge)), two)
    return ring_le(k, ctx, goal.lhs, whole, goal.rhs)


# -- small variance ----------------------------------------------------------------------
def at_rest(k: Kernel) -> Theorem:
    """eps^m / v^m - theta^m^T (eps^{m-1} / v^{m-1}) = 0"""
    return k.trans(k.sym(value(k, HERE_OF, GX, ())), k.hypothesis(HERE_OF, "at_rest", {"b": b, "i": i}))


def forward_script(k: Kernel, claim: Claim) -> Out:
    """eps^m = sigma theta^m^T eps^{m-1}, and h = eps^{m-1} + sigma theta^m theta^m^T eps^{m-1}."""
    exact, goal = (s.relation for s in claim.goals)
    assert isinstance(exact, Eq) and isinstance(goal, Le)
    below, sigma, ctx = error(M - 1), ratio(M, M - 1), HERE_OF
    brought = mul(sigma, back(M, below))
    own = value(k, ctx, EPS, ("mu",))
    solved = combine(k, ctx, EPS, brought, [times(k, App("v", (M,)), at_rest(k)), k.sym(unit(k, ctx, M, EPS))], Tools())
    found = combine(k, ctx, exact.lhs, exact.rhs, [k.sym(own), solved], Tools())
    off = combine(k, ctx, goal_base(goal), brought, [found], Tools())

    def apart(c: Context, u: Idx) -> Theorem:
        """h = eps^{m-1} + sigma theta^m theta^m^T eps^{m-1}"""
        moved = mul(sigma, forth(M, lambda q: back(M, below, q), u))
        rows = under(
            k, c, HERE, lambda d, q: times(k, App("theta", (M, u, q)), k.instantiate(d, off, {"b": b, "i": q}))
        )
        named, there = value(k, c, App("h", (b, u)), ()), value(k, c, below(u), ("mu",))
        return combine(k, c, App("h", (b, u)), add(below(u), moved), [named, k.sym(there), rows], Tools())

    vectors = (below, lambda q: App("h", (b, q)), lambda u: forth(M, lambda q: back(M, below, q), u))
    form = squares(HERE, lambda q: back(M, below, q))
    shrunk = shrinks(k, BELOW, ratio_nonneg(k, SAMPLE, M, M - 1), apart, vectors, form)
    low = bounded(k, goal, off, sigma, BELOW, (lambda q: App("theta", (M, q, i)), below), shrunk)
    return {"at_most": shrunk}, [found, low]


def goal_base(goal: Le) -> Term:
    """t of t^2 <= ..."""
    square = goal.lhs
    assert isinstance(square, Mul) and len(square.args) == 2 and square.args[0] is square.args[1]
    return square.args[0]


# -- large variance ----------------------------------------------------------------------
def picked(k: Kernel, ctx: Context, bound: Idx, v: Vector, at: Idx) -> Theorem:
    """sum over q of v(q) [q = at] = v(at)"""
    th = k.sum_split(ctx, total(bound, lambda q: mul(v(q), delta(q, at))), at)
    assert isinstance(th.rhs, Add)
    before, rest = th.rhs.args
    th = k.trans(th, k.congruence(ctx, th.rhs, [k.refl(ctx, before), first(k, ctx, rest)]))
    return k.trans(th, prove_equation(k, ctx, th.rhs, v(at), Tools()))


def target_script(k: Kernel, claim: Claim) -> Out:
    """eps^{m-1} = V^T eps^m / sigma, so x^m - V x^{m-1} = -V eps^{m-1}."""
    exact, goal = (s.relation for s in claim.goals)
    assert isinstance(exact, Eq) and isinstance(goal, Le)
    rho, below, here = ratio(M - 1, M), error(M - 1), error(M)
    brought, w = back(M, below), App("v", (M - 1,))
    known = [times(k, mul(-1, w), at_rest(k)), k.sym(unit(k, HERE_OF, M - 1, brought))]
    solved = combine(k, HERE_OF, brought, mul(rho, EPS), known, Tools())

    def column(c: Context, q: Idx) -> Theorem:
        return times(k, below(q), k.hypothesis(c, "right_inverse", {"i": q, "j": i}))

    rows = under(k, BELOW_OF, HERE, lambda c, q: times(k, App("V", (q, i)), k.instantiate(c, solved, {"b": b, "i": q})))
    known = [k.sym(picked(k, BELOW_OF, BELOW, below, i)), k.sym(under(k, BELOW_OF, BELOW, column)), rows]
    lower = combine(k, BELOW_OF, below(i), mul(rho, App("c", (b, i))), known, Tools(eager=("c",)))

    def row(c: Context, q: Idx) -> Theorem:
        return times(k, state(M)(q), k.hypothesis(c, "left_inverse", {"i": i, "j": q}))

    def pulled(c: Context, q: Idx) -> Theorem:
        return times(k, App("V", (i, q)), value(k, c, below(q), ("mu",)))

    def errors(c: Context, q: Idx) -> Theorem:
        return times(k, App("V", (i, q)), k.instantiate(c, lower, {"b": b, "i": q}))

    known = [
        k.sym(picked(k, HERE_OF, HERE, state(M), i)),
        k.sym(under(k, HERE_OF, HERE, row)),
        under(k, HERE_OF, BELOW, pulled),
        k.sym(under(k, HERE_OF, BELOW, errors)),
    ]
    found = combine(k, HERE_OF, exact.lhs, exact.rhs, known, Tools(eager=("c", "W")))

    def moved(u: Idx) -> Term:
        return total(HERE, lambda q: mul(App("W", (u, q)), here(q)))

    off = combine(k, HERE_OF, goal_base(goal), mul(-1, rho, moved(i)), [found], Tools())

    def apart(c: Context, u: Idx) -> Theorem:
        """g = eps^m + V V^T eps^m / sigma"""
        named, own = value(k, c, App("g", (b, u)), ()), value(k, c, here(u), ("mu",))
        away = k.sym(k.instantiate(c, off, {"b": b, "i": u}))
        return combine(k, c, App("g", (b, u)), add(here(u), mul(rho, moved(u))), [named, k.sym(own), away], Tools())

    vectors = (here, lambda q: App("g", (b, q)), moved)
    form = squares(BELOW, lambda q: App("c", (b, q)))
    shrunk = shrinks(k, HERE, ratio_nonneg(k, SAMPLE, M - 1, M), apart, vectors, form)
    low = bounded(k, goal, off, rho, HERE, (lambda q: App("W", (i, q)), here), shrunk)
    return {"at_most": shrunk, "errors": lower}, [found, low]
