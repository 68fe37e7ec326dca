"""Scripts for inference along eigenvectors: one joint induction over time, then squares mode by mode."""

from __future__ import annotations

from collections.abc import Callable

from ..language.index import Con, Idx, eq, ge, le, lt, qvar
from ..language.signature import Claim, Eq, Le, Statement
from ..language.terms import ONE, ZERO, Add, App, Mul, Num, Pow, Sum, Term, add, mul, open_
from ..networks.network import L
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.inference_modes import REST, factor, shares
from ..rules.smallest_chain import AT, UNITS
from .gaps import from_gaps, gap
from .goals import Tools, prove_equation
from .order import le_to
from .rewrite import both, bottom_up, by_cases, determined

t, l, b, i, m = qvar("t"), qvar("l"), qvar("b"), qvar("i"), qvar("m")
Out = tuple[dict[str, Theorem], list[Theorem]]
ERRORS = ("eps", "mu", "eps_rest", "mu_rest", "eps_e", "mu_e")


def run(k: Kernel, clamped: bool) -> list[Theorem]:
    """x_t and eps_t, each its value at rest and a sum over modes, and the gradient at t, a sum over modes."""
    at = (t, l, b, i)
    states, errors = (ge(t, 0), ge(l, 0), le(l, L), *UNITS), (ge(t, 0), ge(l, 0), lt(l, L), *UNITS)
    free = (ge(t, 0), ge(l, 1 if clamped else 0), lt(l, L), *UNITS)
    rest_error, rest_gradient = App("eps_rest", (l, b, i)), App("g_rest", (l, b, i))
    activity = Eq(App("x", at), add(REST, shares("e")))
    error = Eq(App("eps", at), add(rest_error, shares("eps_e")))
    gradient = Eq(App("gx", at), shares("He"))
    claims = [Statement(AT, states, activity), Statement(AT, errors, error), Statement(AT, free, gradient)]
    measures = [3 * t, 3 * t + 1, 3 * t + 2]

    def context(n: int) -> Context:
        return k.induction_context(claims, measures, n)

    def slope(c: Context, _: Con) -> Theorem:
        whole = Add(rest_gradient, gradient.rhs)
        apart = _unfold(k, c, whole, {"g_rest", "He"})
        zero = k.hypothesis(c, "at_rest", {"l": l, "b": b, "i": i})
        none = k.congruence(c, whole, [zero, k.refl(c, gradient.rhs)])
        value = k.trans(k.sym(k.trans(none, k.ring(c, none.rhs, gradient.rhs))), apart)
        # the errors are known, so they stay as they are
        return k.trans(prove_equation(k, c, gradient.lhs, value.rhs, Tools(eager=("gx",))), k.sym(value))

    parts = [
        prove_equation(k, context(0), activity.lhs, activity.rhs, Tools(eager=("x",))),
        prove_equation(k, context(1), error.lhs, error.rhs, Tools(eager=ERRORS)),
        by_cases(k, context(2), ge(l, 1), gradient, slope),
    ]
    return k.induct(claims, measures, parts)


def _unfold(k: Kernel, ctx: Context, term: Term, names: set[str]) -> Theorem:
    """These symbols unfolded, where their case is determined."""

    def head(c: Context, s: Term) -> Theorem | None:
        if isinstance(s, App) and s.name in names:
            case = determined(k, c, s)
            return None if case is None else k.unfold(c, s, case)
        return None

    return both(k, ctx, term, bottom_up(k, head, ctx, term, again=False))


def clamped_output(claim: Claim) -> bool:
    return "rest_output" in claim.theory.hypotheses


def modes_script(k: Kernel, claim: Claim) -> Out:
    """Activities, errors and gradient by one induction over time."""
    activity, error, gradient = run(k, clamped_output(claim))
    return {"activities": activity, "errors": error, "gradient": gradient}, [activity]


def over_powers(
    k: Kernel, s: Statement, start: Callable[[Context], Theorem], step: Callable[[Context], Theorem]
) -> Theorem:
    """A statement for every t >= 0, by induction over t."""
    ctx = k.induction_context([s], [t], 0)
    th = by_cases(k, ctx, eq(t, 0), s.relation, lambda c, side: start(c) if side == eq(t, 0) else step(c))
    (out,) = k.induct([s], [t], [th])
    return out


def small_step_script(k: Kernel, claim: Claim) -> Out:
    """(c p^t)^2 <= rho^t c^2 by induction: rho - p^2 is not negative, and neither is (c p^(t-1))^2 or rho."""
    lemmas, (activity,) = modes_script(k, claim)
    goal = claim.goals[1]
    assert isinstance(goal.relation, Le)
    relation = goal.relation
    p, rho, part = factor(), App("rho"), App("c", (m, b))
    before = Pow(p, t - 1)

    def equal(c: Context, side: Term, powers: dict[Term, Theorem]) -> Theorem:
        def head(_: Context, s: Term) -> Theorem | None:
            return powers.get(s)

        return both(k, c, side, bottom_up(k, head, c, side, again=False))

    def start(c: Context) -> Theorem:
        powers: dict[Term, Theorem] = {x: k.power_zero(c, x) for x in (Pow(p, t), Pow(rho, t))}
        left, right = (equal(c, side, powers) for side in (relation.lhs, relation.rhs))
        same = k.trans(k.trans(left, k.ring(c, left.rhs, right.rhs)), k.sym(right))
        return k.le_equal(same)

    def step(c: Context) -> Theorem:
        powers: dict[Term, Theorem] = {x: k.power_step(c, x) for x in (Pow(p, t), Pow(rho, t))}
        left, right = (equal(c, side, powers) for side in (relation.lhs, relation.rhs))
        small = gap(k, k.hypothesis(c, "step_small", {"m": m}))
        positive = k.le_trans(k.le_square(c, p), k.hypothesis(c, "step_small", {"m": m}))
        known = gap(k, k.hypothesis(c, 0, {"t'": t - 1, "b'": b, "m'": m}))
        parts = [k.le_mul(c, [small, k.le_square(c, mul(part, before))]), k.le_mul(c, [positive, known])]
        th = from_gaps(k, c, left.rhs, right.rhs, parts)
        return le_to(k, k.le_trans(k.le_equal(left), th), k.sym(right))

    return lemmas, [activity, over_powers(k, goal, start, step)]


def large_step_script(k: Kernel, claim: Claim) -> Out:
    """1 <= (p^t)^2, since p^2 - 1 = (gamma lambda - 2)^2 + 2 (gamma lambda - 2); then unit by unit."""
    lemmas, (activity,) = modes_script(k, claim)
    goal = claim.goals[1]
    assert isinstance(goal.relation, Le)
    relation = goal.relation
    p = factor(0)
    power, before = Pow(p, t), Pow(p, t - 1)
    grown = Statement(("t",), (ge(t, 0),), Le(ONE, Mul(power, power)))

    def squared(c: Context, equation: Theorem) -> Theorem:
        return k.congruence(c, Mul(power, power), [equation, equation])

    def start(c: Context) -> Theorem:
        th = squared(c, k.power_zero(c, power))
        return k.le_equal(k.sym(k.trans(th, k.ring(c, th.rhs, ONE))))

    def step(c: Context) -> Theorem:
        th = squared(c, k.power_step(c, power))
        over = gap(k, k.hypothesis(c, "step_too_large", {}))
        assert isinstance(over.relation, Le)
        excess = over.relation.rhs
        known = gap(k, k.hypothesis(c, 0, {"t'": t - 1}))
        # p^2 q^2 - 1 = (q^2 - 1) + (p^2 - 1) q^2
        parts = [
            known,
            k.le_mul(c, [k.le_square(c, excess), k.le_square(c, before)]),
            k.le_mul(c, [k.le_number(c, ZERO, Num(2)), over, k.le_square(c, before)]),
        ]
        return le_to(k, from_gaps(k, c, ONE, th.rhs, parts), k.sym(th))

    large = over_powers(k, grown, start, step)

    def unit(c: Context, layer: Idx, here: Idx, lhs: Term, rhs: Term) -> Theorem:
        """(x_0 - x*)^2 <= (x_t - x*)^2 at one unit."""
        where = {"l": layer, "b": b, "i": here}
        sides = []
        for time, whole in ((Idx(0), lhs), (t, rhs)):
            th = k.instantiate(c, activity, {"t": time, **where})
            single = bottom_up(k, lambda d, s: k.sum_single(d, s) if isinstance(s, Sum) else None, c, th.rhs)
            assert single is not None
            th = k.trans(th, single)
            sides.append((whole, th))
        put = []
        for whole, th in sides:
            now = bottom_up(k, lambda d, s, th=th: th if s is th.lhs and d == c else None, c, whole, again=False)  # type: ignore[misc]
            assert now is not None
            put.append(now)
        start_power = Pow(p, Idx(0))
        one = k.power_zero(c, start_power)
        left = bottom_up(k, lambda d, s: one if s is start_power and d == c else None, c, put[0].rhs, again=False)
        first = put[0] if left is None else k.trans(put[0], left)
        part = mul(App("c", (0, b)), App("e", (layer, 0, here)))
        low = gap(k, k.instantiate(c, large, {"t": t}))
        th = from_gaps(k, c, first.rhs, put[1].rhs, [k.le_mul(c, [low, k.le_square(c, part)])])
        return le_to(k, k.le_trans(k.le_equal(first), th), k.sym(put[1]))

    ctx = Context(goal.variables, goal.guards)
    first = 1 if clamped_output(claim) else 0
    start_sum, end_sum = relation.lhs, relation.rhs
    assert isinstance(start_sum, Sum) and isinstance(end_sum, Sum)
    outer = ctx.bind(("m1",), (start_sum.bound,))
    ins = [open_(s.body, qvar("m1")) for s in (start_sum, end_sum)]
    assert all(isinstance(s, Sum) for s in ins)
    inner = outer.bind(("u1",), (ins[0].bound,))  # type: ignore[attr-defined]
    low, high = (open_(s.body, qvar("u1")) for s in ins)  # type: ignore[attr-defined]
    each = unit(inner, qvar("m1") + first, qvar("u1"), low, high)
    row = k.le_sum(outer, ins[0].bound, "u1", each)  # type: ignore[attr-defined]
    return {**lemmas, "the factor's powers": large}, [activity, k.le_sum(ctx, start_sum.bound, "m1", row)]
