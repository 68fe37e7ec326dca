"""Scripts for the phases of inference on the smallest linear chain.

Every quantity is first written in what one step leaves free: x_t of the two
units, the weight w and the prediction of the hidden unit.  What is left are
identities between polynomials: a difference of squared distances is a sum of
squares times what the hypotheses say is not negative.

    a = x^1 - y^1,  b = x^0 - y^0,  e = b - w a = eps^0
"""

from __future__ import annotations

from ..language.index import Con, eq, qvar
from ..language.signature import Claim, Eq, Le
from ..language.terms import ONE, ZERO, Add, App, Mul, Num, Pow, Sum, Term, add, mul, neg
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.claims import GAMMA
from ..rules.smallest_chain import REST, W, distance, from_equilibrium, off, often, one_step, rate, square
from .gaps import divided, from_gaps, gap
from .normal import ring_to
from .order import le_from, le_to, nonneg, ring_le, square_zero
from .rewrite import both, bottom_up, by_cases, determined, then

t, b = qvar("t"), qvar("b")
Out = tuple[dict[str, Theorem], list[Theorem]]


def flat(k: Kernel, ctx: Context, term: Term) -> Theorem:
    """term = a polynomial in x_t, weights, the prediction of the hidden unit: all that one step leaves free."""

    def head(c: Context, s: Term) -> Theorem | None:
        if isinstance(s, Sum) and k.entails(c, eq(s.bound, 1)):
            return k.sum_single(c, s)
        if isinstance(s, App) and k.theory.definition(s.name) is not None:
            case = determined(k, c, s)
            return None if case is None else k.unfold(c, s, case)
        return None

    th = bottom_up(k, head, ctx, term)
    return both(k, ctx, term, then(k, th, ring_to(k, ctx, term if th is None else th.rhs)))


def flat_le(k: Kernel, ctx: Context, lhs: Term, rhs: Term, parts: list[Theorem]) -> Theorem:
    """lhs <= rhs, where the gap between both, flat, is the sum of the parts."""
    left, right = flat(k, ctx, lhs), flat(k, ctx, rhs)
    return le_to(k, le_from(k, left, from_gaps(k, ctx, left.rhs, right.rhs, parts)), k.sym(right))


def deviations(k: Kernel, ctx: Context) -> tuple[Term, Term, Term]:
    """a, b and e = b - w a at time t, flat."""
    a, out = (flat(k, ctx, off(layer)).rhs for layer in (1, 0))
    return a, out, add(out, neg(mul(W, a)))


def moves(k: Kernel) -> list[Theorem]:
    """The start, and one step of the phase: both sides flat."""
    out = []
    for s in one_step():
        ctx = Context(s.variables, s.guards)
        assert isinstance(s.relation, Eq)
        left = flat(k, ctx, s.relation.lhs)
        if left.rhs is not s.relation.rhs:
            right = flat(k, ctx, s.relation.rhs)
            left = k.trans(k.trans(left, k.ring(ctx, left.rhs, right.rhs)), k.sym(right))
        out.append(left)
    return out


# -- prediction phase --------------------------------------------------------------
def not_negative(k: Kernel, ctx: Context) -> tuple[Theorem, Theorem]:
    """0 <= 2 - gamma and 0 <= (2 - gamma)^2 - 2 gamma w^2."""
    return gap(k, k.hypothesis(ctx, "gamma_at_most_2", {})), gap(k, k.hypothesis(ctx, "weight_small", {}))


def shrinks(k: Kernel) -> Theorem:
    """V_{t+1} <= rate V_t.

    With H the Hessian, u = (a, b), S = I - (I - gamma H)^2 and T its trace:
    V_t - V_{t+1} = <u, S u>, 9 S - det S = S^2 + (9 - T) S, and
    (2 - gamma) <u, S u> = gamma ((2 - gamma) a + gamma w e)^2 + gamma ((2 - gamma)^2 - 2 gamma w^2) e^2.
    """
    statement = often(Le(distance(t + 1), mul(rate(), distance())))
    ctx = Context(statement.variables, statement.guards)
    a, out, e = deviations(k, ctx)
    rest, small = not_negative(k, ctx)
    gamma = k.hypothesis(ctx, "gamma_not_negative", {})
    p = add(a, neg(mul(W, e)))
    first = add(mul(add(ONE, mul(W, W)), p), neg(mul(W, e)))
    second = add(e, neg(mul(W, p)))
    s1 = add(mul(2, GAMMA, p), mul(-1, GAMMA, GAMMA, first))
    s2 = add(mul(2, GAMMA, e), mul(-1, GAMMA, GAMMA, second))
    form = add(mul(a, s1), mul(out, s2))
    q = add(mul(REST, a), mul(GAMMA, W, e))
    bigger = k.le_add(
        ctx, [k.le_mul(ctx, [gamma, k.le_square(ctx, q)]), k.le_mul(ctx, [gamma, small, k.le_square(ctx, e)])]
    )
    scaled = ring_le(k, ctx, ZERO, bigger, mul(REST, form))
    low = _divided_by_rest(k, ctx, form, scaled, (a, e))
    ninth = k.le_number(ctx, ZERO, Num(1) / 9)
    slow = add(ONE, mul(-1, GAMMA, add(Num(2), mul(W, W))))
    parts = [
        k.le_mul(ctx, [ninth, k.le_square(ctx, s1)]),
        k.le_mul(ctx, [ninth, k.le_square(ctx, s2)]),
        k.le_mul(ctx, [ninth, k.le_square(ctx, slow), low]),
        k.le_mul(ctx, [ninth, k.le_number(ctx, ZERO, Num(2)), rest, nonneg(k, ctx, add(Num(2), GAMMA)), low]),
    ]
    return flat_le(k, ctx, distance(t + 1), mul(rate(), distance()), parts)


def _divided_by_rest(k: Kernel, ctx: Context, form: Term, scaled: Theorem, at: tuple[Term, Term]) -> Theorem:
    """0 <= form from 0 <= (2 - gamma) form; where gamma = 2 the weight is 0, and then so is the form."""
    n = len(ctx.hypotheses)
    same, other = (k.real_context(ctx, REST, ZERO, equal) for equal in (True, False))
    rest, _ = not_negative(k, other)
    divides = divided(k, other, form, rest, k.hypothesis(other, n, {}), k.weaken(other, scaled))
    none = k.hypothesis(same, n, {})
    _, small = not_negative(k, same)
    # 0 <= (2 - gamma)^2 - 2 gamma w^2 = (2 - gamma) ((2 - gamma) + 2 w^2) - 4 w^2
    product = Mul(REST, add(REST, mul(2, W, W)))
    gone = k.trans(
        k.congruence(same, product, [none, k.refl(same, product.args[1])]),
        k.ring(same, Mul(ZERO, product.args[1]), ZERO),
    )
    fourth = k.le_number(same, ZERO, Num(1) / 4)
    scale = k.le_mul(same, [fourth, small])
    quarter = Mul(Num(1) / 4, product)
    zero = k.trans(
        k.congruence(same, quarter, [k.refl(same, quarter.args[0]), gone]),
        k.ring(same, Mul(quarter.args[0], ZERO), ZERO),
    )
    high = le_to(k, from_gaps(k, same, Mul(W, W), quarter, [scale]), zero)
    weight = square_zero(k, k.le_both(high, k.le_square(same, W)))
    a, e = at
    kept = mul(GAMMA, add(square(a), square(e)))
    mixed = add(mul(2, GAMMA, GAMMA, a, e), mul(-1, GAMMA, GAMMA, W, e, e))
    written = Add(Mul(REST, kept), Mul(W, mixed))
    th = k.ring(same, form, written)
    parts = [
        k.congruence(same, x, [fact, k.refl(same, x.args[1])])
        for x, fact in zip((Mul(REST, kept), Mul(W, mixed)), (none, weight))
    ]
    th = k.trans(th, k.congruence(same, written, parts))
    th = k.trans(th, k.ring(same, th.rhs, ZERO))
    return k.real_cases(ctx, REST, ZERO, [k.le_equal(k.sym(th)), divides])


def rate_bounds(k: Kernel) -> tuple[Theorem, Theorem]:
    """0 <= rate: 9 rate = 8 + (1 - gamma)^2 (1 + gamma (2 - gamma)) + 2 gamma (gamma w)^2; and rate <= 1."""
    ctx = Context()
    rest, small = not_negative(k, ctx)
    gamma = k.hypothesis(ctx, "gamma_not_negative", {})
    ninth = k.le_number(ctx, ZERO, Num(1) / 9)
    away = k.le_square(ctx, add(ONE, neg(GAMMA)))
    parts = [
        k.le_number(ctx, ZERO, Num(8) / 9),
        k.le_mul(ctx, [ninth, away]),
        k.le_mul(ctx, [ninth, away, gamma, rest]),
        k.le_mul(ctx, [ninth, k.le_number(ctx, ZERO, Num(2)), gamma, k.le_square(ctx, mul(GAMMA, W))]),
    ]
    low = from_gaps(k, ctx, ZERO, rate(), parts)
    high = from_gaps(k, ctx, rate(), ONE, [k.le_mul(ctx, [ninth, k.le_square(ctx, GAMMA), small])])
    return low, high


def converges_script(k: Kernel, claim: Claim) -> Out:
    """V_{t+1} <= rate V_t, and so V_t <= rate^t V_0."""
    step = shrinks(k)
    low, high = rate_bounds(k)
    goal = claim.goals[4]
    assert isinstance(goal.relation, Le)
    relation = goal.relation
    ctx = k.induction_context([goal], [t], 0)

    def case(c: Context, side: Con) -> Theorem:
        power = Pow(rate(), t)
        if side == eq(t, 0):
            same = k.index(c, distance(), distance(0))
            one = k.congruence(c, relation.rhs, [k.power_zero(c, power), *_kept(k, c, relation.rhs)])
            return k.le_equal(k.trans(same, k.sym(k.trans(one, k.ring(c, one.rhs, distance(0))))))
        before = k.instantiate(c, step, {"t": t - 1, "b": b})
        known = k.hypothesis(c, 0, {"t'": t - 1, "b'": b})
        parts = [gap(k, before), k.le_mul(c, [k.instantiate(c, low, {}), gap(k, known)])]
        shrunk = Mul(rate(), Pow(rate(), t - 1), distance(0))
        power_step = k.power_step(c, power)
        equal = k.congruence(c, relation.rhs, [power_step, *_kept(k, c, relation.rhs)])
        equal = k.trans(equal, k.ring(c, equal.rhs, shrunk))
        return le_to(k, from_gaps(k, c, relation.lhs, shrunk, parts), k.sym(equal))

    (out,) = k.induct([goal], [t], [by_cases(k, ctx, eq(t, 0), relation, case)])
    return {"one step": step}, [*moves(k), out, low, high]


def _kept(k: Kernel, ctx: Context, whole: Term) -> list[Theorem]:
    """The factors after the first stay."""
    assert isinstance(whole, Mul)
    return [k.refl(ctx, x) for x in whole.args[1:]]


def saddle(time: object = t) -> Term:
    """w^2 a^2 - 2 w a b: the form <u, (H - I) u>."""
    a, out = off(1, time), off(0, time)
    return add(mul(W, W, a, a), mul(-2, W, a, out))


def does_not_converge_script(k: Kernel, claim: Claim) -> Out:
    """The form <u, (H - I) u> does not fall, and it is at most (1 + 2 w^2) V."""
    goal = claim.goals[4]
    assert isinstance(goal.relation, Le)
    start = goal.relation.lhs
    started = often(Le(start, saddle()))
    free = Context(goal.variables, goal.guards)
    a, out, e = deviations(k, free)
    large = gap(k, k.hypothesis(free, "weight_large", {}))
    # <u', (H - I) u'> - <u, (H - I) u> = (gamma w a - (gamma w^2 + gamma - 2) e)^2 + (2 gamma w^2 - (2 - gamma)^2) e^2
    c = add(mul(GAMMA, W, W), GAMMA, Num(-2))
    q = add(mul(GAMMA, W, a), mul(-1, c, e))
    grows = flat_le(
        k, free, saddle(), saddle(t + 1), [k.le_square(free, q), k.le_mul(free, [large, k.le_square(free, e)])]
    )
    ctx = k.induction_context([started], [t], 0)

    def case(c: Context, side: Con) -> Theorem:
        if side == eq(t, 0):
            same = k.index(c, saddle(), saddle(0))
            met = k.hypothesis(c, "output_right", {"b": b})
            met = k.trans(met, flat(k, c, met.rhs))
            left, right = (_put(k, c, flat(k, c, part), met) for part in (start, saddle(0)))
            return k.le_equal(k.trans(k.trans(left, k.sym(right)), k.sym(same)))
        before = k.instantiate(c, grows, {"t": t - 1, "b": b})
        return k.le_trans(k.hypothesis(c, 0, {"t'": t - 1, "b'": b}), before)

    (low,) = k.induct([started], [t], [by_cases(k, ctx, eq(t, 0), started.relation, case)])
    parts = [
        k.le_square(free, a),
        k.le_mul(free, [k.le_number(free, ZERO, Num(2)), k.le_square(free, mul(W, out))]),
        k.le_square(free, add(mul(W, a), out)),
    ]
    high = flat_le(k, free, saddle(), goal.relation.rhs, parts)
    return {"the form does not fall": grows, "and was so at the start": low}, [*moves(k), k.le_trans(low, high)]


def _put(k: Kernel, ctx: Context, th: Theorem, equation: Theorem) -> Theorem:
    """th with the left side of an equation replaced by the right, as a polynomial."""

    def head(c: Context, s: Term) -> Theorem | None:
        return equation if s is equation.lhs and c == ctx else None

    more = bottom_up(k, head, ctx, th.rhs)
    end = th if more is None else k.trans(th, more)
    last = ring_to(k, ctx, end.rhs)
    return end if last is None else k.trans(end, last)


# -- learning phase ----------------------------------------------------------------
def learning_script(k: Kernel, claim: Claim) -> Out:
    """x_{t+1} - xs = (1 - gamma (1 + w^2)) (x_t - xs), since the equilibrium's equation makes the rest 0."""
    (goal,) = claim.goals
    assert isinstance(goal.relation, Eq) and isinstance(goal.relation.rhs, Mul)
    relation = goal.relation
    power = relation.rhs.args[0]  # type: ignore[attr-defined]
    assert isinstance(power, Pow)
    base = power.base
    free = Context(goal.variables, goal.guards)
    factor = add(ONE, mul(-1, GAMMA, add(ONE, mul(W, W))))
    moved = flat(k, free, from_equilibrium(t + 1))
    rests = k.hypothesis(free, "xs_is_the_equilibrium", {"b": b})
    value = flat(k, free, rests.rhs)
    rests = k.trans(rests, value)
    now = flat(k, free, from_equilibrium()).rhs
    written = Add(Mul(factor, now), Mul(GAMMA, rests.rhs), Mul(Num(-1), GAMMA, rests.lhs))
    th = k.trans(moved, k.ring(free, moved.rhs, written))
    back = k.congruence(free, written.args[1], [k.refl(free, GAMMA), k.sym(rests)])
    th = k.trans(th, k.congruence(free, written, [k.refl(free, written.args[0]), back, k.refl(free, written.args[2])]))
    th = k.trans(th, k.ring(free, th.rhs, Mul(factor, from_equilibrium())))
    same = k.ring(free, factor, base)
    step = k.trans(th, k.congruence(free, th.rhs, [same, k.refl(free, from_equilibrium())]))
    ctx = k.induction_context([goal], [t], 0)

    def case(c: Context, side: Con) -> Theorem:
        if side == eq(t, 0):
            one = k.congruence(c, relation.rhs, [k.power_zero(c, power), *_kept(k, c, relation.rhs)])
            one = k.trans(one, k.ring(c, one.rhs, from_equilibrium(0)))
            return k.trans(k.index(c, relation.lhs, from_equilibrium(0)), k.sym(one))
        before = k.instantiate(c, step, {"t": t - 1, "b": b})
        known = k.hypothesis(c, 0, {"t'": t - 1, "b'": b})
        put = k.trans(before, k.congruence(c, before.rhs, [k.refl(c, base), known]))
        equal = k.congruence(c, relation.rhs, [k.power_step(c, power), *_kept(k, c, relation.rhs)])
        return k.trans(put, k.sym(k.trans(equal, k.ring(c, equal.rhs, put.rhs))))

    (out,) = k.induct([goal], [t], [by_cases(k, ctx, eq(t, 0), relation, case)])
    return {"one step": step}, [out]
