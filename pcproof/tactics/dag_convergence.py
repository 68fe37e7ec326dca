"""Scripts for Euler's iteration on a DAG: the inequalities of Young and Cauchy, one induction over time.

With q = 1 - gamma, a = q^2, h = rho - a, d and s the deviation of a unit and
what is fed back to it one step before,

    (q d + gamma s)^2 <= (a + h/2) d^2 + gamma^2 (1 + 2 a / h) s^2,    s^2 <= |J|^2 sum of the squared d before it
"""

from __future__ import annotations

from collections.abc import Callable

from ..language.index import Con, Idx, eq, ge, qvar
from ..language.signature import Claim, Eq, Le, Ne, Statement
from ..language.terms import ONE, ZERO, Add, App, Inv, Mul, Num, Pow, Sum, Term, add, mul, neg, subst, total
from ..networks.network import width
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.claims import GAMMA
from ..rules.dag import DELTA, HIDDEN, INNER, UNIT, VERTEX
from ..rules.dag_convergence import (
    DEV,
    EDGE,
    J_UNIT,
    MIDDLE,
    NEXT,
    REST,
    RHO,
    SLOWEST,
    M,
    amplification,
    constant,
    dev,
    edges_squared,
    fed,
    gap_above,
    one_step,
)
from .cauchy import cauchy
from .dag import cut
from .gaps import from_gaps, gap
from .goals import Tools, prove_equation
from .near_target import same, times
from .order import le_from, le_to, nonneg, ring_le, sides
from .rewrite import both, bottom_up, by_cases

t, l, i = qvar("t"), qvar("l"), qvar("i")
Out = tuple[dict[str, Theorem], list[Theorem]]
HALF = Num(1) / 2


def equation(k: Kernel, s: Statement, tools: Tools) -> Theorem:
    """A goal that unfolding proves."""
    assert isinstance(s.relation, Eq)
    return prove_equation(k, Context(s.variables, s.guards), s.relation.lhs, s.relation.rhs, tools)


def started(k: Kernel, s: Statement) -> Theorem:
    """d_0 = x0 - y - delta"""
    return equation(k, s, Tools(eager=("dev", "eps", "x")))


def steps(k: Kernel) -> tuple[Theorem, Theorem]:
    """How deviations run: at the output, and at a hidden vertex."""
    output, hidden = one_step()
    at_output = equation(k, output, Tools(eager=("dev", "eps", "x"), lazy=("delta",)))
    assert isinstance(hidden.relation, Eq)
    ctx = Context(hidden.variables, hidden.guards)
    before, back = App("eps", (t - 1, l, i)), App("eps", (t - 1, M, J_UNIT))
    # delta = what is fed back of delta
    first = k.unfold(ctx, DELTA, _hidden_case(k, "delta"))
    parts = cut(k, ctx, first.rhs)
    fed_delta = fed(mul(EDGE, App("delta", (M, J_UNIT))))
    delta = k.trans(first, k.trans(parts, prove_equation(k, ctx, parts.rhs, fed_delta, Tools())))
    # d_t = x_{t-1} + step - y - delta
    opened = k.unfold(ctx, DEV, 0)
    assert isinstance(opened.rhs, Add)
    error = k.unfold(ctx, App("eps", (t, l, i)), 0)
    assert isinstance(error.rhs, Add)
    x = k.unfold(ctx, App("x", (t, l, i)), 2)
    error = k.trans(error, k.congruence(ctx, error.rhs, [x, *(k.refl(ctx, a) for a in error.rhs.args[1:])]))
    opened = k.trans(opened, k.congruence(ctx, opened.rhs, [error, *(k.refl(ctx, a) for a in opened.rhs.args[1:])]))
    opened = k.trans(opened, cut(k, ctx, opened.rhs))
    rest = Add(Mul(REST, add(before, neg(DELTA))), Mul(GAMMA, fed(mul(EDGE, back))))
    with_own = Add(rest, Mul(Num(-1), GAMMA, DELTA))
    with_fed = Add(rest, Mul(Num(-1), GAMMA, fed_delta))
    opened = k.trans(opened, prove_equation(k, ctx, opened.rhs, with_own, Tools(lazy=("eps",))))
    turned = k.congruence(ctx, with_own.args[1], [*(k.refl(ctx, a) for a in with_own.args[1].args[:2]), delta])  # type: ignore[attr-defined]
    opened = k.trans(opened, k.congruence(ctx, with_own, [k.refl(ctx, rest), turned]))
    end = prove_equation(k, ctx, hidden.relation.rhs, with_fed, Tools(eager=("dev",)))
    return at_output, k.trans(opened, k.sym(end))


def _hidden_case(k: Kernel, name: str) -> int:
    """The case of a vertex that is not the output."""
    definition = k.theory.definition(name)
    assert definition is not None
    ctx = Context(VERTEX, (*HIDDEN, *UNIT))
    return next(n for n, c in enumerate(definition.cases) if all(k.entails(ctx, g) for g in c.guard))


# -- inequalities -----------------------------------------------------------------
def plus(k: Kernel, ctx: Context, parts: list[Theorem]) -> Theorem:
    """0 <= the sum of what is not negative"""
    return from_gaps(k, ctx, ZERO, add(*(sides(p)[1] for p in parts)), parts)


Fact = Callable[[Context], Theorem]


class Rate:
    """What is known of a rate: 0 <= h and h != 0, in any context."""

    def __init__(self, k: Kernel, rho: Term, at_least: Fact, other: Fact) -> None:
        self.k, self.rho, self.h = k, rho, gap_above(rho)
        self.at_least, self.other = at_least, other

    def low(self, ctx: Context) -> Theorem:
        """0 <= h"""
        return ring_le(self.k, ctx, ZERO, gap(self.k, self.at_least(ctx)), self.h)

    def inverse(self, ctx: Context) -> Theorem:
        """0 <= 1/h, as h (1/h)^2"""
        k, inv = self.k, Inv(self.h)
        whole = k.le_mul(ctx, [self.low(ctx), k.le_square(ctx, inv)])
        grouped = Mul(Mul(self.h, inv), inv)
        th = ring_le(k, ctx, ZERO, whole, grouped)
        one = k.congruence(ctx, grouped, [k.inverse(self.other(ctx)), k.refl(ctx, inv)])
        return le_to(k, th, k.trans(one, k.ring(ctx, one.rhs, inv)))

    def not_negative(self, ctx: Context) -> Theorem:
        """0 <= rho"""
        return from_gaps(self.k, ctx, ZERO, self.rho, [self.k.le_square(ctx, REST), self.low(ctx)])

    def amplifies(self, ctx: Context) -> Theorem:
        """0 <= 2 gamma^2 (rho + (1 - gamma)^2) / h^2"""
        k = self.k
        twice = plus(k, ctx, [self.not_negative(ctx), k.le_square(ctx, REST)])
        parts = [k.le_number(ctx, ZERO, Num(2)), k.le_square(ctx, GAMMA), twice, k.le_square(ctx, Inv(self.h))]
        return ring_le(k, ctx, ZERO, k.le_mul(ctx, parts), amplification(self.rho))


def total_not_negative(k: Kernel, ctx: Context, s: Term, low: Callable[[Context], Theorem]) -> Theorem:
    """0 <= a nest over m and j, where each summand is seen not to be negative."""
    assert isinstance(s, Sum)
    outer = ctx.bind(("m",), (l,))
    inner = outer.bind(("j",), (width(M),))
    one = k.le_sum(outer, width(M), "j", low(inner))
    one = le_from(k, k.sym(k.sum_zero(outer, width(M))), one)
    return le_from(k, k.sym(k.sum_zero(ctx, l)), k.le_sum(ctx, l, "m", one))


def constants(k: Kernel, rate: Rate) -> Theorem:
    """0 <= C, by induction over the vertices."""
    claim = Statement(VERTEX, (*INNER, *UNIT), Le(ZERO, constant(l, i)))
    ctx = k.induction_context([claim], [l], 0)

    def case(c: Context, _: Con) -> Theorem:
        if not k.entails(c, ge(l, 1)):
            return nonneg(k, c, constant(l, i))
        unfolded = k.unfold(c, constant(l, i), 1)
        known = total_not_negative(
            k, c, fed(constant(M, J_UNIT)), lambda d: k.hypothesis(d, 0, {"l'": M, "i'": J_UNIT})
        )
        first = dev(Idx(0), l, i)
        parts = [
            k.le_square(c, first),
            k.le_mul(c, [rate.amplifies(c), nonneg(k, c, edges_squared()), known]),
        ]
        return le_to(k, from_gaps(k, c, ZERO, unfolded.rhs, parts), k.sym(unfolded))

    return k.induct([claim], [l], [by_cases(k, ctx, ge(l, 1), claim.relation, case)])[0]


def powers(k: Kernel, rate: Rate) -> Theorem:
    """0 <= rho^t"""
    claim = Statement(("t",), (ge(t, 0),), Le(ZERO, Pow(rate.rho, t)))
    ctx = k.induction_context([claim], [t], 0)

    def case(c: Context, side: Con) -> Theorem:
        power = Pow(rate.rho, t)
        if side == eq(t, 0):
            return le_to(k, k.le_number(c, ZERO, ONE), k.sym(k.power_zero(c, power)))
        step = k.power_step(c, power)
        whole = k.le_mul(c, [rate.not_negative(c), k.hypothesis(c, 0, {"t'": t - 1})])
        return le_to(k, ring_le(k, c, ZERO, whole, step.rhs), k.sym(step))

    return k.induct([claim], [t], [by_cases(k, ctx, eq(t, 0), claim.relation, case)])[0]


def bounded(k: Kernel, goal: Statement, rate: Rate, at_output: Theorem, step: Theorem) -> tuple[Theorem, ...]:
    """d_t^2 <= C rho^t, by induction over time."""
    positive, power_low = constants(k, rate), powers(k, rate)
    r = goal.relation
    assert isinstance(r, Le) and isinstance(r.rhs, Mul)
    power = Pow(rate.rho, t)
    c_here = constant(l, i)
    first = dev(Idx(0), l, i)

    def low(c: Context) -> Theorem:
        return k.instantiate(c, positive, {"l": l, "i": i})

    def at_start(c: Context) -> Theorem:
        """d_0^2 <= C"""
        unfolded = k.unfold(c, c_here, 1)
        known = total_not_negative(
            k, c, fed(constant(M, J_UNIT)), lambda d: k.instantiate(d, positive, {"l": M, "i": J_UNIT})
        )
        parts = [k.le_mul(c, [rate.amplifies(c), nonneg(k, c, edges_squared()), known])]
        return le_to(k, from_gaps(k, c, mul(first, first), unfolded.rhs, parts), k.sym(unfolded))

    ctx = k.induction_context([goal], [t], 0)

    def output(c: Context) -> Theorem:
        """0 <= C rho^t"""
        zero = k.instantiate(c, at_output, {"t": t, "i": i})
        here = k.trans(k.index(c, DEV, zero.lhs), zero)
        none = k.congruence(c, r.lhs, [here, here])
        th = k.le_mul(c, [low(c), k.instantiate(c, power_low, {"t": t})])
        return le_from(k, k.trans(none, k.ring(c, none.rhs, ZERO)), ring_le(k, c, ZERO, th, r.rhs))

    def beginning(c: Context) -> Theorem:
        same_dev = k.index(c, DEV, first)
        square = k.congruence(c, r.lhs, [same_dev, same_dev])
        one = k.congruence(c, Mul(c_here, power), [k.refl(c, c_here), k.power_zero(c, power)])
        one = k.trans(one, k.ring(c, one.rhs, c_here))
        th = k.le_trans(k.le_equal(square), at_start(c))
        return ring_le(k, c, r.lhs, le_to(k, th, k.sym(one)), r.rhs)

    def later(c: Context) -> Theorem:
        before = Pow(rate.rho, t - 1)
        shrunk = Mul(rate.rho, c_here, before)
        step_here = k.instantiate(c, step, {"t": t, "l": l, "i": i})
        square = k.congruence(c, r.lhs, [step_here, step_here])
        th = le_from(k, square, one_more(k, c, rate, positive, power_low, square.rhs, shrunk))
        grown = k.power_step(c, power)
        equal = k.congruence(c, Mul(c_here, power), [k.refl(c, c_here), grown])
        equal = k.trans(equal, k.ring(c, equal.rhs, shrunk))
        return ring_le(k, c, r.lhs, le_to(k, th, k.sym(equal)), r.rhs)

    def case(c: Context, _: Con) -> Theorem:
        if not k.entails(c, ge(l, 1)):
            return output(c)
        return by_cases(k, c, eq(t, 0), r, lambda d, side: beginning(d) if side == eq(t, 0) else later(d))

    (th,) = k.induct([goal], [t], [by_cases(k, ctx, ge(l, 1), r, case)])
    return positive, power_low, th


def one_more(
    k: Kernel, c: Context, rate: Rate, positive: Theorem, power_low: Theorem, square: Term, shrunk: Term
) -> Theorem:
    """(q d + gamma s)^2 <= rho C rho^{t-1}"""
    back = dev(t - 1, M, J_UNIT)
    d, s = dev(t - 1, l, i), fed(mul(EDGE, back))
    edges, sums = edges_squared(), fed(constant(M, J_UNIT))
    before, rho, h = Pow(rate.rho, t - 1), rate.rho, rate.h
    v, c_here, first = Inv(h), constant(l, i), dev(Idx(0), l, i)
    # s^2 <= |J|^2 sum d^2 <= |J|^2 (sum C) rho^{t-1}
    outer = c.bind(("m",), (l,))
    inner = outer.bind(("j",), (width(M),))
    known = k.hypothesis(inner, 0, {"t'": t - 1, "l'": M, "i'": J_UNIT})
    squares = k.le_sum(c, l, "m", k.le_sum(outer, width(M), "j", known))
    squares = k.le_trans(squares, same(k, c, sides(squares)[1], Mul(sums, before)))
    edge, fed_back = (lambda m, j, x=x: subst(x, {"m": m, "j": j}) for x in (EDGE, back))
    crossed = cauchy(k, c, lambda f: total(l, lambda m: total(width(m), lambda j: f(m, j))), edge, fed_back)
    carried = times(k, squares, nonneg(k, c, edges))
    received = k.le_trans(ring_le(k, c, sides(crossed)[0], crossed, sides(carried)[0]), carried)
    mine = k.hypothesis(c, 0, {"t'": t - 1, "l'": l, "i'": i})
    mine = ring_le(k, c, mul(d, d), mine, Mul(c_here, before))
    h_low, v_low = rate.low(c), rate.inverse(c)
    power = k.instantiate(c, power_low, {"t": t - 1})
    two, half = k.le_number(c, ZERO, Num(2)), k.le_number(c, ZERO, HALF)
    q_square = k.le_square(c, REST)
    # C, unfolded, wherever it stands alone
    unfolded = k.unfold(c, c_here, 1)
    value = unfolded.rhs
    own = k.congruence(c, Mul(c_here, before), [unfolded, k.refl(c, before)])
    mine = le_to(k, mine, own)
    young = add(mul(HALF, h, d), mul(-1, REST, GAMMA, s))
    middle = plus(k, c, [q_square, k.le_mul(c, [half, h_low])])
    weight = plus(k, c, [k.le_number(c, ZERO, ONE), k.le_mul(c, [two, v_low, q_square])])
    parts = [
        k.le_mul(c, [two, v_low, k.le_square(c, young)]),
        k.le_mul(c, [middle, gap(k, mine)]),
        k.le_mul(c, [k.le_square(c, GAMMA), weight, gap(k, received)]),
        k.le_mul(c, [half, h_low, k.le_square(c, first), power]),
    ]
    # what is left is a multiple of h (1/h) - 1
    bound_s = Mul(edges, sums, before)
    left = add(
        mul(GAMMA, GAMMA, bound_s, add(mul(h, v), ONE, mul(2, SLOWEST, v))),
        mul(Num(-1) / 2, h, d, d),
        mul(2, REST, GAMMA, d, s),
    )
    unit = k.inverse(rate.other(c))
    grouped = Mul(left, Add(unit.lhs, Num(-1)))
    nothing = k.congruence(c, grouped.args[1], [unit, k.refl(c, Num(-1))])
    nothing = k.congruence(c, grouped, [k.refl(c, left), nothing])
    parts.append(k.le_equal(k.sym(k.trans(nothing, k.ring(c, nothing.rhs, ZERO)))))
    target = Mul(rho, value, before)
    whole = from_gaps(k, c, square, target, parts)
    back_again = k.congruence(c, target, [k.refl(c, rho), k.sym(unfolded), k.refl(c, before)])
    return le_to(k, whole, k.trans(back_again, k.ring(c, back_again.rhs, shrunk)))


def rate_script(k: Kernel, claim: Claim) -> Out:
    """The step, then the bound."""
    start, _, _, goal = claim.goals
    rate = Rate(
        k,
        RHO,
        lambda c: k.hypothesis(c, "rho_at_least", {}),
        lambda c: k.hypothesis(c, "rho_other", {}),
    )
    at_output, step = steps(k)
    positive, power_low, th = bounded(k, goal, rate, at_output, step)
    lemmas = {"constants": positive, "powers": power_low}
    return lemmas, [started(k, start), at_output, step, th]


# -- a rate below 1 ---------------------------------------------------------------
AWAY = add(Num(2), neg(GAMMA))  # 2 - gamma


def room(k: Kernel, ctx: Context) -> Theorem:
    """0 <= gamma (2 - gamma)"""
    gamma = k.hypothesis(ctx, "gamma_not_negative", {})
    away = ring_le(k, ctx, ZERO, gap(k, k.hypothesis(ctx, "gamma_at_most_2", {})), AWAY)
    return k.le_mul(ctx, [gamma, away])


def differs(k: Kernel, ctx: Context, a: Term, b: Term, number: Num) -> Theorem:
    """a != b where gamma (2 - gamma) = number (a - b): else 2 - gamma would be 0."""
    goal = Ne(a, b)
    n = len(ctx.hypotheses)
    same_context, other = (k.real_context(ctx, a, b, equal) for equal in (True, False))
    known = k.hypothesis(same_context, n, {})
    unit = k.inverse(k.hypothesis(same_context, "gamma_nonzero", {}))
    whole = Mul(AWAY, ONE)
    th = k.trans(
        k.ring(same_context, AWAY, whole),
        k.congruence(same_context, whole, [k.refl(same_context, AWAY), k.sym(unit)]),
    )
    difference = Add(a, neg(b))
    grouped = Mul(number, difference, Inv(GAMMA))
    th = k.trans(th, k.ring(same_context, th.rhs, grouped))
    gone = k.congruence(same_context, difference, [known, k.refl(same_context, neg(b))])
    gone = k.trans(gone, k.ring(same_context, gone.rhs, ZERO))
    parts = [k.refl(same_context, number), gone, k.refl(same_context, Inv(GAMMA))]
    th = k.trans(th, k.congruence(same_context, grouped, parts))
    th = k.trans(th, k.ring(same_context, th.rhs, ZERO))
    never = k.clash(th, k.hypothesis(same_context, "gamma_not_2", {}), goal)
    return k.real_cases(ctx, a, b, [never, k.hypothesis(other, n, {})])


def converges_script(k: Kernel, claim: Claim) -> Out:
    """The rate (1 + (1 - gamma)^2) / 2 lies between (1 - gamma)^2 and 1."""
    start, _, _, goal, _, below, not_one = claim.goals

    def half(c: Context) -> Theorem:
        """0 <= gamma (2 - gamma) / 2"""
        return k.le_mul(c, [k.le_number(c, ZERO, HALF), room(k, c)])

    rate = Rate(
        k,
        MIDDLE,
        lambda c: from_gaps(k, c, SLOWEST, MIDDLE, [half(c)]),
        lambda c: differs(k, c, gap_above(MIDDLE), ZERO, Num(2)),
    )
    at_output, step = steps(k)
    positive, power_low, th = bounded(k, goal, rate, at_output, step)
    free = Context()
    assert isinstance(below.relation, Le) and isinstance(not_one.relation, Ne)
    bounds = [
        rate.not_negative(free),
        from_gaps(k, free, MIDDLE, ONE, [half(free)]),
        differs(k, free, MIDDLE, ONE, Num(-2)),
    ]
    return {"constants": positive, "powers": power_low}, [started(k, start), at_output, step, th, *bounds]


# -- next to the output -----------------------------------------------------------
def one_vertex(k: Kernel, ctx: Context, s: Term) -> Theorem:
    """A sum over one vertex is its summand."""

    def head(c: Context, part: Term) -> Theorem | None:
        return k.sum_single(c, part) if isinstance(part, Sum) and part.bound == Idx(1) else None

    return both(k, ctx, s, bottom_up(k, head, ctx, s))


def does_not_converge_script(k: Kernel, claim: Claim) -> Out:
    """Only the output feeds the vertex next to it, and the output does not deviate."""
    start, power_law, closer = claim.goals
    assert isinstance(power_law.relation, Eq) and isinstance(closer.relation, Le)
    at_output, step = steps(k)
    first, now, before = dev(Idx(0), NEXT, i), dev(t, NEXT, i), dev(t - 1, NEXT, i)

    # d_t = (1 - gamma) d_{t-1}
    free = Context(power_law.variables, (ge(t, 1), *power_law.guards[1:]))
    moved = k.instantiate(free, step, {"t": t, "l": NEXT, "i": i})
    moved = k.trans(moved, one_vertex(k, free, moved.rhs))
    moved = k.trans(moved, prove_equation(k, free, moved.rhs, Mul(REST, before), Tools([at_output])))

    def one_step_here(c: Context) -> Theorem:
        return k.instantiate(c, moved, {"t": t, "i": i})

    ctx = k.induction_context([power_law], [t], 0)
    power = Pow(REST, t)

    def law(c: Context, side: Con) -> Theorem:
        if side == eq(t, 0):
            one = k.congruence(c, Mul(power, first), [k.power_zero(c, power), k.refl(c, first)])
            return k.trans(k.index(c, now, first), k.sym(k.trans(one, k.ring(c, one.rhs, first))))
        th = one_step_here(c)
        put = k.congruence(c, Mul(REST, before), [k.refl(c, REST), k.hypothesis(c, 0, {"t'": t - 1, "i'": i})])
        th = k.trans(th, put)
        end = k.congruence(c, Mul(power, first), [k.power_step(c, power), k.refl(c, first)])
        return k.trans(th, k.sym(k.trans(end, k.ring(c, end.rhs, th.rhs))))

    (found,) = k.induct([power_law], [t], [by_cases(k, ctx, eq(t, 0), power_law.relation, law)])
    ctx = k.induction_context([closer], [t], 0)

    def never(c: Context, side: Con) -> Theorem:
        r = closer.relation
        assert isinstance(r, Le)
        if side == eq(t, 0):
            same_dev = k.index(c, first, now)
            return k.le_equal(k.congruence(c, r.lhs, [same_dev, same_dev]))
        th = one_step_here(c)
        square = k.congruence(c, r.rhs, [th, th])
        outside = ring_le(k, c, ZERO, gap(k, k.hypothesis(c, "step_outside", {})), mul(-1, GAMMA, AWAY))
        known = k.hypothesis(c, 0, {"t'": t - 1, "i'": i})
        parts = [gap(k, known), k.le_mul(c, [outside, k.le_square(c, before)])]
        return le_to(k, from_gaps(k, c, r.lhs, square.rhs, parts), k.sym(square))

    (low,) = k.induct([closer], [t], [by_cases(k, ctx, eq(t, 0), closer.relation, never)])
    return {}, [started(k, start), found, low]
