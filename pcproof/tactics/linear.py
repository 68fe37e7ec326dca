"""Scripts for linear networks: telescoping through the products P^l, and what S X = r determines.

1. for every state x the sum of P^l eps^l over l < k is x^0 - P^k x^k (induction on k);
2. at an equilibrium eps^l / v^l = P^l^T eps^0 / v^0 (induction over the layers);
3. so S (eps^0 / v^0) = r, and <D, S D> is a sum of squares: S X = r has one solution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..language.index import Con, Idx, eq, ge, le, lt, qvar, span
from ..language.signature import Claim, Eq, Statement, Tangent
from ..language.terms import ZERO, Add, App, Mul, Num, Sum, Term, add, mul, total
from ..networks.network import B, L, width
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.linear import Linear, product, residual, squares, transported
from .goals import Stuck, Tools, prove_equation
from .gradient import Differentiator, prove_pairing
from .loss_gradient import converted
from .order import nested_summand, nonneg, ring_le, sides, square_zero, vanishes
from .rewrite import Rewriter, by_cases, determined, fresh

l, b, i = qvar("l"), qvar("b"), qvar("i")
EVERY = ("l", "b", "i")
STATE = (*span(b, 0, B), *span(i, 0, width(l)))
OUTPUT = (*span(b, 0, B), *span(i, 0, width(Idx(0))))
HIDDEN = (ge(l, 1), lt(l, L))
EPS = App("eps", (l, b, i))
Out = tuple[dict[str, Theorem], list[Theorem]]
Source = Callable[[Idx, Idx, Idx], Term]


# -- equations from equations -----------------------------------------------------
def combine(k: Kernel, ctx: Context, lhs: Term, rhs: Term, known: Sequence[Theorem], tools: Tools) -> Theorem:
    """lhs = rhs where lhs - rhs is the sum of left minus right sides of the known equations."""
    gaps = [Add(p.lhs, Mul(Num(-1), p.rhs)) for p in known]
    whole = Add(rhs, *gaps)
    th = prove_equation(k, ctx, lhs, whole, tools)
    closed = [k.congruence(ctx, g, [p, k.refl(ctx, g.args[1])]) for g, p in zip(gaps, known)]
    th = k.trans(th, k.congruence(ctx, whole, [k.refl(ctx, rhs), *closed]))
    return k.trans(th, k.ring(ctx, th.rhs, rhs))


def times(k: Kernel, factor: Term, th: Theorem) -> Theorem:
    """factor a = factor b from a = b."""
    t = Mul(factor, th.lhs)
    return k.congruence(th.context, t, [k.refl(th.context, factor), th])


def under(k: Kernel, ctx: Context, bound: Idx, make: Callable[[Context, Idx], Theorem]) -> Theorem:
    """The sums of both sides of an equation that holds for every index below ``bound``."""
    name = fresh(ctx)
    return k.sum_congruence(ctx, bound, name, make(ctx.bind((name,), (bound,)), qvar(name)))


def last(k: Kernel, ctx: Context, s: Term) -> Theorem:
    """A sum is what stands before its last addend, and this."""
    assert isinstance(s, Sum)
    th = k.sum_split(ctx, s, s.bound - 1)
    assert isinstance(th.rhs, Add)
    before, one = th.rhs.args
    return k.trans(th, k.congruence(ctx, th.rhs, [k.refl(ctx, before), k.sum_single(ctx, one)]))


def first(k: Kernel, ctx: Context, s: Term) -> Theorem:
    """A sum is its first addend and the rest."""
    assert isinstance(s, Sum)
    th = k.sum_split(ctx, s, Idx(1))
    assert isinstance(th.rhs, Add)
    one, rest = th.rhs.args
    return k.trans(th, k.congruence(ctx, th.rhs, [k.sum_single(ctx, one), k.refl(ctx, rest)]))


def value(k: Kernel, ctx: Context, t: App, names: Sequence[str]) -> Theorem:
    """A defined symbol by its definition; what of ``names`` comes up is unfolded too."""
    case = determined(k, ctx, t)
    if case is None:
        raise Stuck(ctx, Eq(t, t), f"the case of {t!r} is not determined")
    th = k.unfold(ctx, t, case)
    more = Rewriter(k, (), names)(ctx, th.rhs)
    return th if more is None else k.trans(th, more)


def weight(q: Idx) -> App:
    """theta^l from unit i of layer l to unit q of the layer below."""
    return App("theta", (l, q, i))


# -- telescoping --------------------------------------------------------------------
def telescope(k: Kernel, name: str, source: Source | None, step: Callable[[Context, App], Theorem]) -> Theorem:
    """source^0 + sum over 0 < m < l of P^m source^m = a^0 - P^l a^l, for 1 <= l <= L.

    name: of a, with a^m = theta^{m+1} a^{m+1} + source^m, as ``step`` proves of a^m
    (the equation may be solved for another of its terms); source: None for 0.
    """

    def right(layer: Idx) -> Term:
        reached = total(width(layer), lambda q: mul(product(layer, i, q), App(name, (layer, b, q))))
        return add(App(name, (0, b, i)), mul(-1, reached))

    def left(layer: Idx) -> Term:
        if source is None:
            return ZERO
        add_up = source

        def part(m: Idx) -> Term:
            return total(width(m), lambda q: mul(product(m, i, q), add_up(m, b, q)))

        return Add(add_up(Idx(0), b, i), total(layer - 1, lambda m: part(m + 1)))

    claim = Statement(EVERY, (ge(l, 1), le(l, L), *OUTPUT), Eq(left(l), right(l)))
    ctx = k.induction_context([claim], [l], 0)

    def case(c: Context, side: Con) -> Theorem:
        if side.kind == "eq":
            tools = Tools(eager=("P",))
            return combine(k, c, left(l), right(l), [step(c, App(name, (0, b, i)))], tools)
        before = k.hypothesis(c, 0, {"l'": l - 1, "b'": b, "i'": i})
        longer = under(k, c, width(l), lambda d, q: times(k, App(name, (l, b, q)), value(k, d, product(l, i, q), ())))
        moved = under(
            k, c, width(l - 1), lambda d, q: times(k, product(l - 1, i, q), step(d, App(name, (l - 1, b, q))))
        )
        known = [before, longer, moved]
        if source is None:
            return combine(k, c, left(l), right(l), known, Tools())
        now = left(l)
        assert isinstance(now, Add)
        cut = k.congruence(c, now, [k.refl(c, now.args[0]), last(k, c, now.args[1])])
        return k.trans(cut, combine(k, c, cut.rhs, right(l), known, Tools()))

    (out,) = k.induct([claim], [l], [by_cases(k, ctx, eq(l, 1), claim.relation, case)])
    return out


def telescope_state(k: Kernel, name: str = "x", error: str = "eps", prediction: str = "mu") -> Theorem:
    """For every state: eps^0 + sum over 0 < m < l of P^m eps^m = x^0 - P^l x^l."""

    def step(c: Context, a: App) -> Theorem:
        return value(k, c, App(error, a.idx), (prediction,))

    return telescope(k, name, lambda *at: App(error, at), step)


def telescope_forward(k: Kernel) -> Theorem:
    """0 = y^0 - P^l y^l"""
    return telescope(k, "y", None, lambda c, a: k.sym(value(k, c, a, ())))


def output_gap(k: Kernel, ends: Sequence[Theorem] = ()) -> Theorem:
    """Both ends clamped: eps^0 + sum over 0 < m < L of P^m eps^m = s_out - y^0.

    ends: what says so, where hypotheses do not.
    """
    ctx = Context(("b", "i"), OUTPUT)
    at = {"l": L, "b": b, "i": i}
    state = k.instantiate(ctx, telescope_state(k), at)
    forward = k.instantiate(ctx, telescope_forward(k), at)
    return combine(k, ctx, state.lhs, residual(i), [state, k.sym(forward)], Tools([input_of_y(k), *ends]))


def input_of_y(k: Kernel) -> Theorem:
    """y^L = s_in"""
    ctx = Context(("b", "i"), (*span(b, 0, B), *span(i, 0, width(L))))
    return value(k, ctx, App("y", (L, b, i)), ())


# -- equilibria ---------------------------------------------------------------------
def weighted(m: Linear, layer: Idx, unit: Idx, sample: Idx = b) -> Term:
    """eps / v"""
    return mul(m.precision(layer), App("eps", (layer, sample, unit)))


def brought(m: Linear, layer: Idx, unit: Idx) -> Term:
    """P^l^T eps^0 / v^0"""
    return total(width(Idx(0)), lambda q: mul(product(layer, q, unit), weighted(m, Idx(0), q)))


def stationarity(k: Kernel, c: Context) -> Theorem:
    """The gradient of a hidden layer, written out, is 0."""
    zero = k.hypothesis(c, "equilibrium", {"l": l, "b": b, "i": i})
    if "gx" not in k.theory.symbols:
        return zero
    return k.trans(k.sym(value(k, c, App("gx", (l, b, i)), ())), zero)


def hidden_errors(k: Kernel, m: Linear) -> Theorem:
    """Stationary: eps^l / v^l = P^l^T eps^0 / v^0 at the hidden layers."""
    claim = Statement(EVERY, (*HIDDEN, *STATE), Eq(weighted(m, l, i), brought(m, l, i)))
    ctx = k.induction_context([claim], [l], 0)
    assert isinstance(claim.relation, Eq)
    lhs, rhs = claim.relation.lhs, claim.relation.rhs

    def case(c: Context, side: Con) -> Theorem:
        known = [stationarity(k, c)]
        if side.kind == "eq":
            return combine(k, c, lhs, rhs, known, Tools(eager=("P",)))
        before = under(
            k,
            c,
            width(l - 1),
            lambda d, q: times(k, weight(q), k.hypothesis(d, 0, {"l'": l - 1, "b'": b, "i'": q})),
        )
        longer = under(
            k,
            c,
            width(Idx(0)),
            lambda d, q: times(k, weighted(m, Idx(0), q), k.sym(value(k, d, product(l, q, i), ()))),
        )
        return combine(k, c, lhs, rhs, [*known, before, longer], Tools())

    (out,) = k.induct([claim], [l], [by_cases(k, ctx, eq(l, 1), claim.relation, case)])
    return out


def unit_of(k: Kernel, m: Linear, ctx: Context, layer: Idx, factor: Term) -> Theorem:
    """factor v (1/v) = factor"""
    if not m.variances:
        return k.refl(ctx, factor)
    one = times(k, factor, k.inverse(k.hypothesis(ctx, "v_nonzero", {"l": layer})))
    return k.trans(one, k.ring(ctx, one.rhs, factor))


def system_of_error(k: Kernel, m: Linear, errors: Theorem) -> Theorem:
    """S (eps^0 / v^0) = r"""
    gap = output_gap(k)
    ctx = gap.context
    row = total(width(Idx(0)), lambda q: mul(App("C", (i, q)), weighted(m, Idx(0), q)))
    lhs = add(App("eps", (0, b, i)), row)
    return combine(k, ctx, lhs, residual(i), [gap], Tools([errors], eager=("C",)))


def named_vector(q: Idx) -> Term:
    return App("U", (b, q))


def equal_vectors(k: Kernel, m: Linear, same: Theorem, vector: Callable[[Idx], Term] = named_vector) -> Theorem:
    """U = X from S U = S X, because <U - X, S (U - X)> is a sum of squares.

    vector: U at an output unit.
    """
    zero = Idx(0)
    ctx, full = Context(("b",), span(b, 0, B)), Context(("b", "i"), OUTPUT)

    def gap(q: Idx) -> Term:
        return Add(vector(q), Mul(Num(-1), App("X", (b, q))))

    form = squares(m, gap)
    assert isinstance(form, Add)
    own, rest = form.args
    row = under(k, ctx, width(zero), lambda d, q: times(k, gap(q), k.instantiate(d, same, {"b": b, "i": q})))
    nothing = combine(k, ctx, form, ZERO, [row], Tools(eager=("C",)))
    below = nested_summand(k, full, own, (i,))
    square, _ = sides(below)
    added = k.le_add(full, [below, nonneg(k, full, rest)])
    none = vanishes(k, ring_le(k, full, square, added, form), k.instantiate(full, nothing, {"b": b}))
    if m.variances:
        d = Mul(gap(i), gap(i))
        unit = unit_of(k, m, full, zero, d)
        none = combine(k, full, d, ZERO, [times(k, m.precision(zero), none), k.sym(unit)], Tools())
    return combine(k, full, vector(i), App("X", (b, i)), [square_zero(k, none)], Tools())


def rates_script(k: Kernel, claim: Claim) -> Out:
    """The equilibrium, and that gx is the gradient of the energy with variances."""
    lemmas, found = equilibrium_script(k, claim)
    gradient = claim.goals[-1].relation
    assert isinstance(gradient, Tangent)
    return lemmas, [*found, energy_tangent(k, gradient)]


def energy_tangent(k: Kernel, gradient: Tangent) -> Theorem:
    """gx is the gradient of the energy with variances."""
    ctx, cuts = Context(), (Idx(1), L)
    th = Differentiator(k, "x")(ctx, gradient.term)
    assert isinstance(th.relation, Tangent)
    written = converted(k, ctx, gradient.tangent, {"gx"}, cuts)  # before the equilibrium says that gx is 0
    same = prove_pairing(k, ctx, th.relation.tangent, written.rhs, Tools(), cuts)
    return k.tangent_convert(th, k.trans(same, k.sym(written)))


def solution_script(k: Kernel, claim: Claim) -> Out:
    """The quadratic form, then equal vectors."""
    m = Linear("v" in k.theory.symbols)
    form, equal = claim.goals
    assert isinstance(form.relation, Eq)
    ctx = Context(form.variables, form.guards)
    as_squares = prove_equation(k, ctx, form.relation.lhs, form.relation.rhs, Tools(eager=("C",)))
    same = k.hypothesis(Context(equal.variables, equal.guards), "same", {"b": b, "i": i})
    return {}, [as_squares, equal_vectors(k, m, same)]


@dataclass(frozen=True)
class Errors:
    """Theorems: eps^0 / v^0 = X and eps^l / v^l = P^l^T X, and both times the variance."""

    output: Theorem
    hidden: Theorem
    output_error: Theorem
    hidden_error: Theorem


def scaled(k: Kernel, m: Linear, th: Theorem, layer: Idx, error: Term) -> Theorem:
    """eps = v a from eps / v = a."""
    ctx = th.context
    unit = k.sym(unit_of(k, m, ctx, layer, error))
    return combine(k, ctx, error, mul(m.variance(layer), th.rhs), [times(k, m.variance(layer), th), unit], Tools())


def energy(
    k: Kernel, m: Linear, wanted: Eq, found: Errors, solution: Callable[[Idx, Idx], Term], solves: Theorem
) -> Theorem:
    """F = <r, X> / 2 from the errors and S X = r.

    solution: X of a sample and unit; solves: S X = r.
    """
    ctx, zero = Context(), Idx(0)
    split = first(k, ctx, wanted.lhs)

    def square(c: Context, at: dict[str, Idx], one: Theorem, other: Theorem) -> Theorem:
        a, e = k.instantiate(c, one, at), k.instantiate(c, other, at)
        return times(k, Num(1) / 2, k.congruence(c, Mul(a.lhs, e.lhs), [a, e]))

    def of_sample(c: Context, s: Idx) -> list[Theorem]:
        def row(d: Context, q: Idx) -> Theorem:
            return times(k, mul(solution(s, q), Num(1) / 2), k.instantiate(d, solves, {"b": s, "i": q}))

        def own(d: Context, q: Idx) -> Theorem:
            return square(d, {"b": s, "i": q}, found.output, found.output_error)

        def layer(d: Context, n: Idx) -> Theorem:
            def unit(e: Context, q: Idx) -> Theorem:
                return square(e, {"l": n + 1, "b": s, "i": q}, found.hidden, found.hidden_error)

            return under(k, d, width(n + 1), unit)

        return [under(k, c, width(zero), row), under(k, c, width(zero), own), under(k, c, L - 1, layer)]

    known = [under(k, ctx, B, lambda c, s, n=n: of_sample(c, s)[n]) for n in range(3)]  # type: ignore[misc]
    return k.trans(split, combine(k, ctx, split.rhs, wanted.rhs, known, Tools(eager=("C",))))


def equilibrium_script(k: Kernel, claim: Claim) -> Out:
    """What an equilibrium says of its own errors, then of its energy."""
    m, zero = Linear("v" in k.theory.symbols), Idx(0)
    brought_errors = hidden_errors(k, m)
    errors = scaled(k, m, brought_errors, l, EPS)
    system = system_of_error(k, m, errors)
    ctx, own = system.context, App("eps", (zero, b, i))
    found = Errors(k.refl(ctx, weighted(m, zero, i)), brought_errors, k.refl(ctx, own), errors)
    goal = claim.goals[2].relation
    assert isinstance(goal, Eq)

    whole = energy(k, m, goal, found, lambda s, q: weighted(m, zero, q, s), system)
    return {"weighted_errors": brought_errors}, [system, errors, whole]


def end_of_state(k: Kernel, layer: Idx) -> Theorem:
    """z at the input or the output."""
    ctx = Context(("b", "i"), (*span(b, 0, B), *span(i, 0, width(layer))))
    return value(k, ctx, App("z", (layer, b, i)), ())


def state_script(k: Kernel, claim: Claim) -> Out:
    """The state is an equilibrium where the hypothesis X_solves says that S X = r."""
    m = Linear("v" in k.theory.symbols)
    solves = prove_equation(k, Context(("b", "i"), OUTPUT), m.system("X"), residual(i), Tools())
    return {}, built_equilibrium(k, m, claim.goals[0], claim.goals[-1], solves)


def built_equilibrium(k: Kernel, m: Linear, at_rest: Statement, of_energy: Statement, solves: Theorem) -> list[Theorem]:
    """Hidden errors from the definition of z, the output's by telescoping, then gradient and energy.

    solves: S X = r.
    """
    zero = Idx(0)
    ctx = Context(EVERY, (*HIDDEN, *STATE))
    hidden_error = prove_equation(
        k, ctx, EPS, mul(m.variance(l), transported("X", l, i)), Tools(eager=("eps", "mu"), lazy=("z",))
    )
    gap = output_gap(k, [end_of_state(k, zero), end_of_state(k, L)])
    own = App("eps", (zero, b, i))
    output_error = combine(
        k,
        gap.context,
        own,
        mul(m.variance(zero), App("X", (b, i))),
        [gap, k.sym(solves)],
        Tools([hidden_error], eager=("C",)),
    )

    def divided(th: Theorem, layer: Idx, target: Term) -> Theorem:
        """eps / v = a from eps = v a."""
        c = th.context
        lhs = mul(m.precision(layer), th.lhs)
        return combine(k, c, lhs, target, [times(k, m.precision(layer), th), unit_of(k, m, c, layer, target)], Tools())

    output = divided(output_error, zero, App("X", (b, i)))
    found = Errors(output, divided(hidden_error, l, transported("X", l, i)), output_error, hidden_error)
    goal = of_energy.relation
    assert isinstance(goal, Eq)
    still = by_cases(k, ctx, eq(l, 1), at_rest.relation, lambda c, side: _still(k, c, side, found))
    return [still, output_error, hidden_error, energy(k, m, goal, found, lambda s, q: App("X", (s, q)), solves)]


def _still(k: Kernel, c: Context, side: Con, found: Errors) -> Theorem:
    """The gradient of a hidden layer is 0, where its errors are those of the closed form."""
    gradient = value(k, c, App("gx", (l, b, i)), ())
    own = k.instantiate(c, found.hidden, {"l": l, "b": b, "i": i})
    output = side.kind == "eq"
    below = found.output if output else found.hidden

    def at(d: Context, q: Idx) -> Theorem:
        values = {"b": b, "i": q} if output else {"l": l - 1, "b": b, "i": q}
        return times(k, weight(q), k.instantiate(d, below, values))

    before = under(k, c, width(l - 1), at)
    if output:
        return combine(k, c, gradient.lhs, ZERO, [gradient, own, k.sym(before)], Tools(eager=("P",)))
    longer = under(k, c, width(Idx(0)), lambda d, q: times(k, App("X", (b, q)), value(k, d, product(l, q, i), ())))
    return combine(k, c, gradient.lhs, ZERO, [gradient, own, k.sym(before), longer], Tools())
