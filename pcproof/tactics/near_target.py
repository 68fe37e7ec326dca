"""Script for ``rules/near_target``: Cauchy-Schwarz on the batch and on the units, and an induction over the layers."""

from __future__ import annotations

from collections.abc import Callable

from ..language.index import Con, Idx, ge, qvar
from ..language.signature import Claim, Le, Statement
from ..language.terms import ZERO, Add, App, Mul, Sum, Term, add, mul, neg, open_, total
from ..networks.mlp import MLP
from ..networks.network import B, width
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.equilibrium import backprop_change, change
from ..rules.near_target import AMP, SAMPLE, jacobian_norm, slope, squares
from .cauchy import cauchy
from .equilibrium import Out
from .goals import Tools, prove_equation
from .order import at_most_sum, nonneg, ring_le, sides
from .rewrite import both, by_cases, unfold_once

l, b, i, j = (qvar(n) for n in "lbij")
Term1 = Callable[[Idx], Term]


# -- inequalities -----------------------------------------------------------------
def times(k: Kernel, th: Theorem, low: Theorem) -> Theorem:
    """a c <= b c from a <= b and 0 <= c."""
    ctx = th.context
    a, z = sides(th)
    c = sides(low)[1]
    rest = ring_le(k, ctx, ZERO, k.le_add(ctx, [th, k.le_equal(k.refl(ctx, neg(a)))]), add(z, neg(a)))
    whole = k.le_add(ctx, [k.le_equal(k.refl(ctx, Mul(a, c))), k.le_mul(ctx, [rest, low])])
    return ring_le(k, ctx, Mul(a, c), whole, Mul(z, c))


def summed(k: Kernel, ctx: Context, bound: Idx, name: str, prove: Callable[[Context], Theorem]) -> Theorem:
    """Inequalities for every index give one of the sums."""
    return k.le_sum(ctx, bound, name, prove(ctx.bind((name,), (bound,))))


def same(k: Kernel, ctx: Context, a: Term, z: Term, *unfold: str) -> Theorem:
    """a <= z because they are equal."""
    return k.le_equal(prove_equation(k, ctx, a, z, Tools(lazy=unfold)))


# -- what errors grow by ------------------------------------------------------------
def amp_nonneg(k: Kernel) -> Theorem:
    """0 <= amp"""
    claim = Statement(("l", "b"), SAMPLE, Le(ZERO, AMP))
    ctx = k.induction_context([claim], [l], 0)
    th = by_cases(k, ctx, ge(l, 1), claim.relation, lambda c, _: nonneg(k, c, AMP))
    return k.induct([claim], [l], [th])[0]


def grows(k: Kernel, claim: Statement) -> Theorem:
    """|delta^l|^2 <= amp^l |delta^0|^2, by induction over the layers."""
    ctx = k.induction_context([claim], [l], 0)
    r = claim.relation
    assert isinstance(r, Le)

    def case(c: Context, _: Con) -> Theorem:
        if not k.entails(c, ge(l, 1)):
            return same(k, c, r.lhs, r.rhs, "amp")
        before, norm = squares("delta", l - 1, b), jacobian_norm(b)
        step = summed(k, c, width(l), "u", lambda d: layer(k, d, before))
        step = k.le_trans(step, same(k, c, sides(step)[1], Mul(before, norm)))
        known = k.hypothesis(c, 0, {"l'": l - 1, "b'": b})
        th = k.le_trans(step, times(k, known, nonneg(k, c, norm)))
        return k.le_trans(th, same(k, c, sides(th)[1], r.rhs, "amp"))

    return k.induct([claim], [l], [by_cases(k, ctx, ge(l, 1), r, case)])[0]


def layer(k: Kernel, ctx: Context, before: Term) -> Theorem:
    """delta_u^2 <= f'_u^2 sum_k w_ku^2 |delta of the layer before|^2"""
    u = qvar("u")
    delta = App("delta", (l, b, u))
    unfolded = k.unfold(ctx, delta, 1)
    first = k.congruence(ctx, Mul(delta, delta), [unfolded, unfolded])
    f = slope(b, u)
    error: Term1 = lambda p: App("delta", (l - 1, b, p))  # noqa: E731
    weight: Term1 = lambda p: App("w", (l, p, u))  # noqa: E731
    fed = total(width(l - 1), lambda p: mul(error(p), weight(p)))
    squared = prove_equation(k, ctx, first.rhs, Mul(Mul(fed, fed), Mul(f, f)), Tools())
    th = times(k, cauchy(k, ctx, lambda f: total(width(l - 1), f), error, weight), k.le_square(ctx, f))
    return k.le_trans(k.le_equal(k.trans(first, squared)), th)


# -- the changes ----------------------------------------------------------------------
def below_energy(k: Kernel, ctx: Context, energy: Term, at: Idx, unit: Idx) -> Theorem:
    """sum over the batch of eps^2 of one unit <= 2 F"""
    assert isinstance(energy, Sum)
    outer = at_most_sum(k, ctx, energy, at)
    per_layer = open_(energy.body, at)
    assert isinstance(per_layer, Sum)

    def sample(c: Context) -> Theorem:
        part = open_(per_layer.body, qvar("s"))
        assert isinstance(part, Sum)
        return at_most_sum(k, c, part, unit)

    inner = summed(k, ctx, per_layer.bound, "s", sample)
    return _doubled(k, ctx, k.le_trans(inner, outer), lambda s: App("eps", (at, s, unit)))


def _doubled(k: Kernel, ctx: Context, th: Theorem, error: Term1) -> Theorem:
    """sum e^2 <= 2 a from sum e^2 / 2 <= a."""
    a = sides(th)[1]
    twice = k.le_add(ctx, [th, th])
    own = total(B, lambda s: mul(error(s), error(s)))
    return k.le_trans(same(k, ctx, own, sides(twice)[0]), ring_le(k, ctx, sides(twice)[0], twice, mul(2, a)))


def bounded(
    k: Kernel, ctx: Context, goal: Le, value: Theorem, errors: Theorem, error: Term1, carried: Term1
) -> Theorem:
    """change^2 <= the goal's bound, from change = a number times alpha sum error f and sum error^2 <= a."""
    alpha, change = App("alpha"), value.lhs
    product = total(B, lambda s: mul(error(s), carried(s)))
    squared = k.congruence(ctx, Mul(change, change), [value, value])
    wanted = Mul(Mul(product, product), Mul(alpha, alpha))
    squared = k.trans(squared, prove_equation(k, ctx, squared.rhs, wanted, Tools()))
    first = times(k, cauchy(k, ctx, lambda f: total(B, f), error, carried), k.le_square(ctx, alpha))
    first = ring_le(k, ctx, goal.lhs, k.le_trans(k.le_equal(squared), first), sides(first)[1])
    rest = Mul(total(B, lambda s: mul(carried(s), carried(s))), Mul(alpha, alpha))
    more = times(k, errors, nonneg(k, ctx, rest))
    th = k.le_trans(ring_le(k, ctx, goal.lhs, first, sides(more)[0]), more)
    return k.le_trans(th, same(k, ctx, sides(more)[1], goal.rhs))


def unfolded(k: Kernel, ctx: Context, t: Term, name: str) -> Theorem:
    """t with one definition unfolded."""
    return both(k, ctx, t, unfold_once(k, (name,))(ctx, t))


def ours(k: Kernel, s: Statement, change: Term) -> Theorem:
    """(alpha gtheta)^2 <= 2 alpha^2 E sum f(x)^2"""
    ctx = Context(s.variables, s.guards)
    assert isinstance(s.relation, Le)
    below = k.hypothesis(ctx, "descended", {})
    energy, loss = sides(below)
    errors = below_energy(k, ctx, energy, l - 1, i)
    twice = k.le_add(ctx, [below, below])
    errors = k.le_trans(errors, ring_le(k, ctx, sides(errors)[1], twice, mul(2, loss)))
    error: Term1 = lambda p: App("eps", (l - 1, p, i))  # noqa: E731
    carried: Term1 = lambda p: App("f", (l,), (App("x", (l, p, j)),))  # noqa: E731
    return bounded(k, ctx, s.relation, unfolded(k, ctx, change, "gtheta"), errors, error, carried)


def theirs(k: Kernel, s: Statement, change: Term, grown: Theorem, low: Theorem, loss: Term) -> Theorem:
    """dw^2 <= 2 alpha^2 E (sum amp) sum f(y)^2"""
    ctx = Context(s.variables, s.guards)
    assert isinstance(s.relation, Le)
    error: Term1 = lambda p: App("delta", (l - 1, p, i))  # noqa: E731
    twice = mul(2, loss)

    def sample(c: Context) -> Theorem:
        at = qvar("s")
        layer_squares = squares("delta", l - 1, at)
        assert isinstance(layer_squares, Sum)
        own = at_most_sum(k, c, layer_squares, i)
        known = k.instantiate(c, grown, {"l": l - 1, "b": at})
        amp = App("amp", (l - 1, at))
        output = in_loss(k, c, loss, at)
        scaled = times(k, output, k.instantiate(c, low, {"l": l - 1, "b": at}))
        th = k.le_trans(own, known)
        return k.le_trans(th, ring_le(k, c, sides(th)[1], scaled, Mul(twice, amp)))

    errors = summed(k, ctx, B, "s", sample)
    whole = mul(twice, total(B, lambda p: App("amp", (l - 1, p))))
    errors = k.le_trans(errors, same(k, ctx, sides(errors)[1], whole))
    carried: Term1 = lambda p: App("f", (l,), (App("y", (l, p, j)),))  # noqa: E731
    return bounded(k, ctx, s.relation, unfolded(k, ctx, change, "dw"), errors, error, carried)


def in_loss(k: Kernel, ctx: Context, loss: Term, at: Idx) -> Theorem:
    """|delta^0|^2 of one sample <= 2 E"""
    assert isinstance(loss, Sum)
    part = at_most_sum(k, ctx, loss, at)
    twice = k.le_add(ctx, [part, part])
    own = same(k, ctx, squares("delta", Idx(0), at), sides(twice)[0], "delta")
    return k.le_trans(own, ring_le(k, ctx, sides(twice)[0], twice, mul(2, loss)))


def apart(k: Kernel, s: Statement, a: Term, z: Term, first: Theorem, second: Theorem) -> Theorem:
    """(a - z)^2 <= 2 a^2 + 2 z^2 <= what bounds them."""
    r, ctx = s.relation, Context(s.variables, s.guards)
    assert isinstance(r, Le)
    start = k.le_add(ctx, [k.le_equal(k.refl(ctx, r.lhs)), k.le_square(ctx, Add(a, z))])
    end = k.le_add(ctx, [first, first, second, second])
    th = ring_le(k, ctx, r.lhs, start, sides(end)[0])
    return k.le_trans(th, ring_le(k, ctx, sides(end)[0], end, r.rhs))


def near_target_script(k: Kernel, claim: Claim) -> Out:
    """What errors grow by, then both changes, then their difference."""
    growth, inference, backprop, difference = claim.goals
    (kind,) = MLP().kinds
    mine, other = change(kind), backprop_change(kind)
    loss = sides(k.hypothesis(Context(), "descended", {}))[1]
    low, grown = amp_nonneg(k), grows(k, growth)
    first, second = ours(k, inference, mine), theirs(k, backprop, other, grown, low, loss)
    return {"amplification": low}, [grown, first, second, apart(k, difference, mine, other, first, second)]
