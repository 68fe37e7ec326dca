"""Scripts for S^-1: R = S H - 1 is 0, by induction over the units of a layer, then over the layers.

The kernel's induction goes along one index.  So what is proved over the units is
not "R is 0" but "R is 0 if it was before the layer", written as a product with
[|R|^2 = 0].
"""

from __future__ import annotations

from ..language.index import Con, Idx, eq, ge, le, lt, qvar
from ..language.signature import Claim, Eq, Statement
from ..language.terms import ONE, ZERO, Add, App, Inv, Mul, Num, Term, add, delta, mul, total
from ..networks.network import L, width
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.linear import Linear, product, residual, transported
from ..rules.linear_inverse import COLUMN, OUT, ROW, UNIT, entry, form, inverse, missed, right
from .goals import Tools, prove_equation
from .linear import (
    EPS,
    EVERY,
    HIDDEN,
    OUTPUT,
    STATE,
    Errors,
    built_equilibrium,
    combine,
    energy,
    equal_vectors,
    hidden_errors,
    last,
    scaled,
    system_of_error,
    times,
    under,
    unit_of,
    value,
    weighted,
)
from .linear_neighbours import picked
from .order import le_to, nested_summand, nonneg, ring_le, square_zero, vanishes
from .rewrite import by_cases

l, q, i, j, b = (qvar(n) for n in "lqijb")
Out = tuple[dict[str, Theorem], list[Theorem]]
HERE = Context(("l", "q"), UNIT)
HERE_ROW = Context(("l", "q", "i"), (*UNIT, *ROW))
HERE_BOTH = Context(("l", "q", "i", "j"), (*UNIT, *ROW, *COLUMN))
U, W, D = App("u", (l, q, i)), App("w", (l, q, j)), App("d", (l, q))


def rest(layer: Idx, unit: Idx, row: Idx, column: Idx) -> App:
    """R"""
    return App("R", (layer, unit, row, column))


def rest_along(row: Idx) -> Term:
    """R a"""
    return total(OUT, lambda k: mul(rest(l, q, row, k), product(l, k, q)))


def image(m: Linear, row: Idx) -> Term:
    """S u"""
    moved = total(OUT, lambda k: mul(App("K", (l, q, row, k)), App("u", (l, q, k))))
    return add(mul(m.variance(Idx(0)), App("u", (l, q, row))), moved)


def divided(k: Kernel, m: Linear) -> Theorem:
    """d / d = 1, because d is 1 and a sum of squares."""
    unfolded = value(k, HERE, D, ())
    squares = mul(m.variance(l), form(m, l, q))
    parts = [k.le_equal(k.refl(HERE, ONE)), nonneg(k, HERE, squares)]
    low = le_to(k, ring_le(k, HERE, ONE, k.le_add(HERE, parts), unfolded.rhs), k.sym(unfolded))  # 1 <= d
    goal = Eq(Mul(D, Inv(D)), ONE)
    zero, other = k.real_context(HERE, D, ZERO, True), k.real_context(HERE, D, ZERO, False)
    small = le_to(k, k.weaken(zero, low), k.hypothesis(zero, 0, {}))  # 1 <= 0
    none = k.distinct(k.le_both(small, k.le_number(zero, ZERO, ONE)), goal)
    unit = k.inverse(k.hypothesis(other, 0, {}))
    unit = k.trans(k.ring(other, goal.lhs, unit.lhs), unit) if unit.lhs is not goal.lhs else unit
    return k.real_cases(HERE, D, ZERO, [none, unit])


def image_of_column(k: Kernel, m: Linear) -> Theorem:
    """S u = a + R a"""
    own = picked(k, HERE_ROW, OUT, lambda p: product(l, p, q), i)
    goal = add(product(l, i, q), rest_along(i))
    return combine(k, HERE_ROW, image(m, i), goal, [own], Tools(eager=("u", "R")))


def form_of_column(k: Kernel, m: Linear, along: Theorem) -> Theorem:
    """v <a, u> = d - 1 - v <u, R a>"""
    v = m.variance(l)
    both = total(OUT, lambda p: mul(product(l, p, q), App("u", (l, q, p))))
    beside = total(OUT, lambda p: mul(App("u", (l, q, p)), rest_along(p)))
    rows = under(
        k,
        HERE,
        OUT,
        lambda c, p: times(k, mul(v, App("u", (l, q, p))), k.instantiate(c, along, {"l": l, "q": q, "i": p})),
    )
    squares = combine(k, HERE, rows.lhs, add(D, Num(-1)), [], Tools(eager=("d", "K")))
    return combine(k, HERE, mul(v, both), add(D, Num(-1), mul(-1, v, beside)), [k.sym(rows), squares], Tools())


def longer(k: Kernel, m: Linear, ctx: Context, row: Idx, column: Idx) -> Theorem:
    """K with unit q is K before it and v a a^T."""
    whole = value(k, ctx, App("K", (l, q + 1, row, column)), ())
    assert isinstance(whole.rhs, Add)
    layers, units = whole.rhs.args
    cut = k.congruence(ctx, whole.rhs, [k.refl(ctx, layers), last(k, ctx, units)])
    added = mul(m.variance(l), product(l, row, q), product(l, column, q))
    goal = add(App("K", (l, q, row, column)), added)
    return k.trans(k.trans(whole, cut), prove_equation(k, ctx, cut.rhs, goal, Tools(eager=("K",))))


def step(k: Kernel, m: Linear) -> Theorem:
    """R with unit q is R - v (R a) w^T / d + v^2 a <u, R a> w^T / d."""
    ctx, v = HERE_BOTH, m.variance(l)
    at, named = {"l": l, "q": q}, {"l": l, "q": q, "i": i}
    along = image_of_column(k, m)
    alike, unit = form_of_column(k, m, along), divided(k, m)
    a, share = product(l, i, q), mul(W, Inv(D))
    beside = total(OUT, lambda p: mul(App("u", (l, q, p)), rest_along(p)))
    goal = add(rest(l, q, i, j), mul(-1, v, rest_along(i), share), mul(v, v, a, beside, share))
    known = [
        value(k, ctx, rest(l, q + 1, i, j), ()),
        under(k, ctx, OUT, lambda c, p: times(k, inverse(l, q + 1, p, j), longer(k, m, c, i, p))),
        times(k, mul(m.variance(Idx(0))), value(k, ctx, inverse(l, q + 1, i, j), ())),
        under(
            k,
            ctx,
            OUT,
            lambda c, p: times(
                k,
                add(App("K", (l, q, i, p)), mul(v, a, product(l, p, q))),
                value(k, c, inverse(l, q + 1, p, j), ()),
            ),
        ),
        k.sym(value(k, ctx, rest(l, q, i, j), ())),
        k.sym(times(k, mul(v, a), value(k, ctx, W, ()))),
        times(k, mul(-1, v, share), k.instantiate(ctx, along, named)),
        times(k, mul(-1, v, a, share), k.instantiate(ctx, alike, at)),
        times(k, mul(-1, v, a, W), k.instantiate(ctx, unit, at)),
    ]
    return combine(k, ctx, rest(l, q + 1, i, j), goal, known, Tools())


def kept(k: Kernel, m: Linear) -> Theorem:
    """R is 0 at every unit of a layer if it was before: [|R|^2 = 0] R = 0."""
    stepped = step(k, m)
    z = right(l)
    guards = (ge(l, 1), lt(l, L), ge(q, 0), le(q, width(l)), *ROW, *COLUMN)
    claim = Statement(("l", "q", "i", "j"), guards, Eq(mul(z, rest(l, q, i, j)), ZERO))
    ctx = k.induction_context([claim], [q], 0)
    assert isinstance(claim.relation, Eq)
    lhs = claim.relation.lhs

    def start(c: Context) -> Theorem:
        own, whole, n = rest(l, Idx(0), i, j), missed(l), len(c.hypotheses)
        same, other = k.real_context(c, whole, ZERO, True), k.real_context(c, whole, ZERO, False)
        nothing = vanishes(k, nested_summand(k, same, whole, (i, j)), k.hypothesis(same, n, {}))
        none = times(k, z, square_zero(k, nothing))
        none = k.trans(none, k.ring(same, none.rhs, ZERO))
        out = k.iszero_other(k.hypothesis(other, n, {}))
        gone = times(k, own, out)
        gone = combine(k, other, Mul(z, own), ZERO, [gone], Tools())
        found = k.real_cases(c, whole, ZERO, [none, gone])
        return combine(k, c, lhs, ZERO, [found], Tools())

    def case(c: Context, side: Con) -> Theorem:
        if side.kind == "eq":
            return start(c)
        now = k.instantiate(c, stepped, {"l": l, "q": q - 1, "i": i, "j": j})

        def before(d: Context, row: Idx, column: Idx, factor: Term) -> Theorem:
            values = {"l'": l, "q'": q - 1, "i'": row, "j'": column}
            return times(k, factor, k.hypothesis(d, 0, values))

        v, a = m.variance(l), product(l, i, q - 1)
        share = mul(App("w", (l, q - 1, j)), Inv(App("d", (l, q - 1))))

        def along(d: Context, row: Idx, factor: Term) -> Theorem:
            return under(k, d, OUT, lambda e, p: before(e, row, p, mul(factor, product(l, p, q - 1))))

        known = [
            times(k, z, now),
            before(c, i, j, ONE),
            along(c, i, mul(-1, v, share)),
            under(k, c, OUT, lambda d, p: along(d, p, mul(v, v, a, App("u", (l, q - 1, p)), share))),
        ]
        return combine(k, c, lhs, ZERO, known, Tools())

    (out,) = k.induct([claim], [q], [by_cases(k, ctx, eq(q, 0), claim.relation, case)])
    return out


def solved(k: Kernel, m: Linear) -> Theorem:
    """R is 0 before every layer."""
    layer = kept(k, m)
    claim = Statement(("l", "i", "j"), (ge(l, 1), le(l, L), *ROW, *COLUMN), Eq(rest(l, Idx(0), i, j), ZERO))
    ctx = k.induction_context([claim], [l], 0)
    own = rest(l, Idx(0), i, j)

    def first(c: Context) -> Theorem:
        known = []
        if m.variances:
            one = k.inverse(k.hypothesis(c, "v_nonzero", {"l": Idx(0)}))
            known = [times(k, delta(i, j), one)]
        return combine(k, c, own, ZERO, known, Tools(eager=("R", "K", "H")))

    def case(c: Context, side: Con) -> Theorem:
        if side.kind == "eq":
            return first(c)
        return by_cases(k, c, ge(width(l - 1), 1), Eq(own, ZERO), moved)

    def moved(c: Context, side: Con) -> Theorem:
        unit = width(l - 1) if side == ge(width(l - 1), 1) else Idx(0)
        before = k.hypothesis(c, 0, {"l'": l - 1, "i'": i, "j'": j})
        if unit == Idx(0):
            return k.trans(_same(k, m, c, own, before.lhs), before)
        none = _zero_sum(k, c)
        one = k.iszero_zero(none)  # [|R|^2 = 0] = 1
        end = k.instantiate(c, layer, {"l": l - 1, "q": unit, "i": i, "j": j})
        there = rest(l - 1, unit, i, j)
        zero = combine(k, c, there, ZERO, [end, k.sym(times(k, there, one))], Tools())
        return k.trans(_same(k, m, c, own, there), zero)

    def _zero_sum(k: Kernel, c: Context) -> Theorem:
        def square(d: Context, row: Idx, column: Idx) -> Theorem:
            r = k.hypothesis(d, 0, {"l'": l - 1, "i'": row, "j'": column})
            return k.congruence(d, Mul(r.lhs, r.lhs), [r, r])

        whole = under(k, c, OUT, lambda d, p: under(k, d, OUT, lambda e, s: square(e, p, s)))
        return combine(k, c, missed(l - 1), ZERO, [whole], Tools())

    (out,) = k.induct([claim], [l], [by_cases(k, ctx, eq(l, 1), claim.relation, case)])
    return out


def _same(k: Kernel, m: Linear, c: Context, here: App, there: Term) -> Theorem:
    """R before a layer is R after the last unit of the layer before it, if it has one."""
    assert isinstance(there, App)
    unit = there.idx[1]

    def gram(d: Context, row: Idx, column: Idx) -> Theorem:
        whole = value(k, d, App("K", (l, 0, row, column)), ())
        assert isinstance(whole.rhs, Add)
        layers, units = whole.rhs.args
        cut = k.trans(whole, k.congruence(d, whole.rhs, [last(k, d, layers), k.refl(d, units)]))
        goal = App("K", (l - 1, unit, row, column))
        if unit != Idx(0):
            return k.trans(cut, prove_equation(k, d, cut.rhs, goal, Tools(eager=("K",))))
        assert isinstance(cut.rhs, Add) and isinstance(cut.rhs.args[0], Add)
        empty = k.sum_empty(d, cut.rhs.args[0].args[1])
        return combine(k, d, cut.lhs, goal, [cut, empty], Tools(eager=("K",)))

    entry_of = value(k, c, inverse(l, Idx(0), i, j), ())
    known = [
        value(k, c, here, ()),
        under(k, c, OUT, lambda d, p: times(k, inverse(l, Idx(0), p, j), gram(d, i, p))),
        under(
            k,
            c,
            OUT,
            lambda d, p: times(k, App("K", (l - 1, unit, i, p)), value(k, d, inverse(l, Idx(0), p, j), ())),
        ),
        times(k, m.variance(Idx(0)), entry_of),
        k.sym(value(k, c, there, ())),
    ]
    return combine(k, c, here, there, known, Tools())


def inverted(k: Kernel, m: Linear) -> Theorem:
    """S H = 1"""
    ctx = Context(("i", "j"), (*ROW, *COLUMN))
    none = k.instantiate(ctx, solved(k, m), {"l": L, "i": i, "j": j})
    own = value(k, ctx, rest(L, Idx(0), i, j), ())
    moved = total(OUT, lambda p: mul(App("C", (i, p)), entry(p, j)))
    whole = add(mul(m.variance(Idx(0)), entry(i, j)), moved)
    return combine(k, ctx, whole, delta(i, j), [k.sym(own), none], Tools(eager=("C", "K")))


def inverse_script(k: Kernel, claim: Claim) -> Out:
    return {}, [inverted(k, Linear("v" in k.theory.symbols))]


def solution(k: Kernel, m: Linear) -> tuple[Theorem, Theorem]:
    """S H = 1, and S X = r for X = H r."""
    one = inverted(k, m)
    ctx = Context(("b", "i"), OUTPUT)
    rows = under(k, ctx, OUT, lambda c, p: times(k, residual(p), k.instantiate(c, one, {"i": i, "j": p})))
    known = [rows, picked(k, ctx, OUT, residual, i)]
    return one, combine(k, ctx, m.system("X"), residual(i), known, Tools(eager=("X",)))


def closed_script(k: Kernel, claim: Claim) -> Out:
    """S (eps^0 / v^0) = r = S X, so eps^0 / v^0 = X."""
    m, zero = Linear("v" in k.theory.symbols), Idx(0)
    brought = hidden_errors(k, m)
    system = system_of_error(k, m, scaled(k, m, brought, l, EPS))
    one, solves = solution(k, m)
    ctx = solves.context
    left = add(
        mul(m.variance(zero), weighted(m, zero, i)), total(OUT, lambda p: mul(App("C", (i, p)), weighted(m, zero, p)))
    )
    unit = unit_of(k, m, ctx, zero, App("eps", (zero, b, i)))
    same = combine(k, ctx, left, m.system("X"), [unit, system, k.sym(solves)], Tools())
    output = equal_vectors(k, m, same, lambda p: weighted(m, zero, p))
    output_error = scaled(k, m, output, zero, App("eps", (zero, b, i)))
    wide = Context(EVERY, (*HIDDEN, *STATE))
    rows = under(k, wide, OUT, lambda c, p: times(k, product(l, p, i), k.instantiate(c, output, {"b": b, "i": p})))
    hidden = combine(k, wide, weighted(m, l, i), transported("X", l, i), [brought, rows], Tools())
    found = Errors(output, hidden, output_error, scaled(k, m, hidden, l, EPS))
    goal = claim.goals[-1].relation
    assert isinstance(goal, Eq)
    whole = energy(k, m, goal, found, lambda s, p: App("X", (s, p)), solves)
    return {"inverse": one}, [output_error, found.hidden_error, whole]


def exists_script(k: Kernel, claim: Claim) -> Out:
    """z is an equilibrium because S X = r; its ends are the data by definition."""
    m = Linear("v" in k.theory.symbols)
    one, solves = solution(k, m)
    still, *closed = built_equilibrium(k, m, claim.goals[0], claim.goals[-1], solves)
    ends = []
    for s in claim.goals[1:3]:
        assert isinstance(s.relation, Eq)
        tools = Tools(eager=("z",))
        ends.append(prove_equation(k, Context(s.variables, s.guards), s.relation.lhs, s.relation.rhs, tools))
    return {"inverse": one}, [still, *ends, *closed]
