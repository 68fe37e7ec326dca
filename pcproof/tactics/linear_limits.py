"""Scripts for large output variances: C is positive semidefinite, and Cauchy-Schwarz."""

from __future__ import annotations

from collections.abc import Callable

from ..language.index import Con, Idx, eq, ge, lt, qvar, span
from ..language.signature import Claim, Eq, Le, Statement
from ..language.terms import ZERO, App, Mul, Num, Term, add, mul, total
from ..networks.network import B, L, width
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.linear import product
from ..rules.linear_limits import OUT, SCALE, M, applied, correction, delta, gap, square_sum, xi
from .cauchy import cauchy
from .goals import Tools
from .linear import EPS, combine, hidden_errors, scaled, system_of_error, times, under, value, weight
from .order import le_from, le_to, nonneg, ring_le, sides
from .rewrite import by_cases

l, b, i = qvar("l"), qvar("b"), qvar("i")
EVERY = ("l", "b", "i")
STATE = (*span(b, 0, B), *span(i, 0, width(l)))
HIDDEN = (ge(l, 1), lt(l, L))
OUTPUT = (*span(b, 0, B), *span(i, 0, OUT))
Out = tuple[dict[str, Theorem], list[Theorem]]


# -- inequalities -------------------------------------------------------------------
def scaled_le(k: Kernel, factor: Term, th: Theorem) -> Theorem:
    """factor a <= factor b from a <= b and 0 <= factor."""
    ctx = th.context
    a, c = sides(th)
    back = Mul(Num(-1), a)
    rise = ring_le(k, ctx, ZERO, k.le_add(ctx, [th, k.le_equal(k.refl(ctx, back))]), add(c, mul(-1, a)))
    grown = k.le_mul(ctx, [nonneg(k, ctx, factor), rise])
    whole = k.le_add(ctx, [k.le_equal(k.refl(ctx, Mul(factor, a))), grown])
    return ring_le(k, ctx, Mul(factor, a), whole, Mul(factor, c))


def gram(k: Kernel, ctx: Context, d: Callable[[Idx], Term]) -> Theorem:
    """<d, C d> is a sum of squares."""

    def square(layer: Idx, q: Idx) -> Term:
        e = total(OUT, lambda p: mul(product(layer, p, q), d(p)))
        return mul(M.variance(layer), e, e)

    form = total(OUT, lambda q: mul(d(q), total(OUT, lambda p: mul(App("C", (q, p)), d(p)))))
    squares = total(L - 1, lambda n: total(width(n + 1), lambda q: square(n + 1, q)))
    return combine(k, ctx, form, squares, [], Tools(eager=("C",)))


def grows(
    k: Kernel, d: Callable[[Idx], Term], image: Callable[[Idx], Term], known: Callable[[Context, Idx], Theorem]
) -> Theorem:
    """(v^0)^2 |d|^2 <= |v^0 d + C d|^2, where ``image`` is v^0 d + C d as ``known`` proves."""
    ctx = Context(("b",), span(b, 0, B))

    def moved(q: Idx) -> Term:
        return total(OUT, lambda p: mul(App("C", (q, p)), d(p)))

    small, large = mul(SCALE, SCALE, square_sum(OUT, d)), square_sum(OUT, image)
    form = gram(k, ctx, d)
    rest = square_sum(OUT, moved)

    def unit(c: Context, q: Idx) -> Theorem:
        th = known(c, q)
        return k.congruence(c, Mul(th.lhs, th.lhs), [th, th])

    cross = times(k, mul(2, SCALE), form)
    equal = combine(k, ctx, large, add(small, cross.rhs, rest), [under(k, ctx, OUT, unit), cross], Tools())
    parts = [k.le_equal(k.refl(ctx, small)), nonneg(k, ctx, cross.rhs), nonneg(k, ctx, rest)]
    whole = k.le_add(ctx, parts)
    return le_to(k, ring_le(k, ctx, small, whole, equal.rhs), k.sym(equal))


# -- errors -------------------------------------------------------------------------
def deltas(k: Kernel) -> Theorem:
    """delta^l = P^l^T delta^0 at the hidden layers."""
    lhs, rhs = delta(l, i), total(OUT, lambda q: mul(product(l, q, i), delta(Idx(0), q)))
    claim = Statement(EVERY, (*HIDDEN, *STATE), Eq(lhs, rhs))
    ctx = k.induction_context([claim], [l], 0)

    def case(c: Context, side: Con) -> Theorem:
        own = value(k, c, delta(l, i), ())
        if side.kind == "eq":
            return combine(k, c, lhs, rhs, [own], Tools(eager=("P",)))
        before = under(
            k, c, width(l - 1), lambda d, q: times(k, weight(q), k.hypothesis(d, 0, {"l'": l - 1, "b'": b, "i'": q}))
        )
        longer = under(k, c, OUT, lambda d, q: times(k, delta(Idx(0), q), k.sym(value(k, d, product(l, q, i), ()))))
        return combine(k, c, lhs, rhs, [own, before, longer], Tools())

    (out,) = k.induct([claim], [l], [by_cases(k, ctx, eq(l, 1), claim.relation, case)])
    return out


def output_gap(k: Kernel, brought: Theorem) -> Theorem:
    """v^0 U - delta^0 = -C U"""
    system = system_of_error(k, M, scaled(k, M, brought, l, EPS))
    ctx = system.context
    named = value(k, ctx, correction(i), ())
    own = value(k, ctx, delta(Idx(0), i), ())
    eps = App("eps", (0, b, i))
    unit = times(k, eps, k.inverse(k.hypothesis(ctx, "v_nonzero", {"l": Idx(0)})))
    return combine(k, ctx, gap(Idx(0), i), mul(-1, correction(i)), [unit, k.sym(own), system, named], Tools())


def hidden_gap(k: Kernel, brought: Theorem, output: Theorem) -> Theorem:
    """v^0 xi^l - delta^l = -P^l^T C U"""
    ctx = brought.context
    put = under(k, ctx, OUT, lambda d, q: times(k, product(l, q, i), k.instantiate(d, output, {"b": b, "i": q})))
    off = mul(-1, total(OUT, lambda q: mul(product(l, q, i), correction(q))))
    return combine(k, ctx, gap(l, i), off, [times(k, SCALE, brought), k.sym(deltas(k)), put], Tools())


def errors_script(k: Kernel, claim: Claim) -> Out:
    """Identities from S U = r, then |c|^2 by C delta^0 = v^0 c + C c."""
    brought = hidden_errors(k, M)
    output = output_gap(k, brought)
    hidden = hidden_gap(k, brought, output)
    third, fourth = (s.relation for s in claim.goals[2:])
    assert isinstance(third, Le) and isinstance(fourth, Le)

    def image(c: Context, q: Idx) -> Theorem:
        """C delta^0 = v^0 c + C c at one unit."""
        moved = total(OUT, lambda p: mul(App("C", (q, p)), correction(p)))
        named = value(k, c, correction(q), ())
        rows = under(k, c, OUT, lambda d, p: times(k, App("C", (q, p)), k.instantiate(d, output, {"b": b, "i": p})))
        return combine(
            k,
            c,
            applied(q),
            add(mul(SCALE, correction(q)), moved),
            [k.sym(rows), times(k, SCALE, k.sym(named))],
            Tools(),
        )

    growth = grows(k, correction, applied, image)
    of_sample = growth.context
    squared = under(k, of_sample, OUT, lambda d, q: _squared(k, k.instantiate(d, output, {"b": b, "i": q})))
    small = combine(k, of_sample, third.lhs, sides(growth)[0], [times(k, mul(SCALE, SCALE), squared)], Tools())
    total_bound = le_from(k, small, growth)

    end = bounded(k, fourth, hidden, lambda q: product(l, q, i), correction, growth)
    return {"growth": growth}, [output, hidden, total_bound, end]


def bounded(
    k: Kernel, goal: Le, equal: Theorem, a: Callable[[Idx], Term], c: Callable[[Idx], Term], growth: Theorem
) -> Theorem:
    """(v^0)^2 t^2 <= |a|^2 |image|^2 from t = <a, c> (or its negative) and (v^0)^2 |c|^2 <= |image|^2."""
    ctx, scale = equal.context, mul(SCALE, SCALE)
    one = scaled_le(k, scale, cauchy(k, ctx, lambda f: total(OUT, f), a, c))
    two = scaled_le(k, square_sum(OUT, a), k.instantiate(ctx, growth, {"b": b}))
    start = combine(k, ctx, goal.lhs, sides(one)[0], [times(k, scale, _squared(k, equal))], Tools())
    bridge = k.ring(ctx, sides(one)[1], sides(two)[0])
    whole = k.le_trans(le_from(k, start, le_to(k, one, bridge)), two)
    return ring_le(k, ctx, goal.lhs, whole, goal.rhs)


def _squared(k: Kernel, th: Theorem) -> Theorem:
    """a a = b b from a = b."""
    return k.congruence(th.context, Mul(th.lhs, th.lhs), [th, th])


# -- states and changes ---------------------------------------------------------------
def changes_script(k: Kernel, claim: Claim) -> Out:
    """States by induction from the input on, their bound by S U = r, the changes by their definition."""
    bound = claim.goals[1].relation
    assert isinstance(bound, Le)
    brought = hidden_errors(k, M)
    moved = state_gap(k, claim.goals[0], scaled(k, M, brought, l, EPS))
    output = output_gap(k, brought)

    def image(c: Context, q: Idx) -> Theorem:
        """delta^0 = v^0 U + C U at one unit."""
        row = total(OUT, lambda p: mul(App("C", (q, p)), xi(Idx(0), p)))
        known = [k.sym(k.instantiate(c, output, {"b": b, "i": q})), value(k, c, correction(q), ())]
        return combine(k, c, delta(Idx(0), q), add(mul(SCALE, xi(Idx(0), q)), row), known, Tools())

    growth = grows(k, lambda q: xi(Idx(0), q), lambda q: delta(Idx(0), q), image)
    low = bounded(k, bound, moved, lambda q: App("G", (l, i, q)), lambda q: xi(Idx(0), q), growth)
    hidden = hidden_gap(k, brought, output)
    found = [change_gap(k, s, output, hidden) for s in claim.goals[2:]]
    return {"growth": growth}, [moved, low, *found]


def change_gap(k: Kernel, goal: Statement, output: Theorem, hidden: Theorem) -> Theorem:
    """v^0 times the change, less backprop's, from the errors of the layer below."""
    ctx = Context(goal.variables, goal.guards)
    assert isinstance(goal.relation, Eq)
    at_output = not goal.variables or goal.variables[0] != "l"
    layer = Idx(1) if at_output else l
    gradient = times(k, mul(-1, SCALE), value(k, ctx, App("gtheta", (layer, i, qvar("j"))), ()))

    def sample(c: Context, s: Idx) -> Theorem:
        at = {"b": s, "i": i} if at_output else {"l": l - 1, "b": s, "i": i}
        return times(k, App("x", (layer, s, qvar("j"))), k.instantiate(c, output if at_output else hidden, at))

    return combine(k, ctx, goal.relation.lhs, goal.relation.rhs, [gradient, under(k, ctx, B, sample)], Tools())


def state_gap(k: Kernel, goal: Statement, errors: Theorem) -> Theorem:
    """x^l - y^l = G^l U"""
    assert isinstance(goal.relation, Eq)
    lhs, rhs = goal.relation.lhs, goal.relation.rhs
    ctx = k.induction_context([goal], [L - l], 0)

    def case(c: Context, _: Con) -> Theorem:
        if not k.entails(c, lt(l, L)):
            return combine(k, c, lhs, rhs, [], Tools(eager=("G", "y")))
        here, forward = value(k, c, App("eps", (l, b, i)), ("mu",)), value(k, c, App("y", (l, b, i)), ())
        above = under(
            k,
            c,
            width(l + 1),
            lambda d, q: times(k, App("theta", (l + 1, i, q)), k.hypothesis(d, 0, {"l'": l + 1, "b'": b, "i'": q})),
        )
        named = under(k, c, OUT, lambda d, q: times(k, xi(Idx(0), q), k.sym(value(k, d, App("G", (l, i, q)), ()))))
        own = k.instantiate(c, errors, {"l": l, "b": b, "i": i})
        return combine(k, c, lhs, rhs, [k.sym(here), k.sym(forward), above, own, named], Tools())

    (out,) = k.induct([goal], [L - l], [by_cases(k, ctx, lt(l, L), goal.relation, case)])
    return out
