"""Scripts for the origin of linear networks: what an equilibrium with few weights is, and how much energy it has."""

from __future__ import annotations

from ..language.index import Idx, ge, lt, qvar, span
from ..language.signature import Claim, Eq, Le
from ..language.terms import ZERO, Add, App, Mul, Num, Sum, Term, add, mul
from ..networks.network import B, L, width
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.linear_origin import AT_FIRST, AT_OUTPUT, FIRST, OUT, SAMPLE, TIMES, expansion
from .goals import Stuck, Tools, prove_equation
from .linear import combine, first, stationarity, times, under, value
from .order import le_to, nested_summand, nonneg, ring_le, sides
from .rewrite import Rewriter, by_cases

l, b, i, j = (qvar(n) for n in "lbij")
EVERY = ("l", "b", "i")
STATE = (*span(b, 0, B), *span(i, 0, width(l)))
EPS = App("eps", (l, b, i))
Out = tuple[dict[str, Theorem], list[Theorem]]


def no_error(k: Kernel, lowest: int) -> Theorem:
    """eps^l = 0 at the hidden layers from ``lowest`` on, where the weights are 0."""
    ctx = Context(EVERY, (ge(l, lowest), lt(l, L), *STATE))
    return combine(k, ctx, EPS, ZERO, [stationarity(k, ctx)], Tools())


def critical_script(k: Kernel, claim: Claim) -> Out:
    """Every error and activity of the hidden layers is 0, and so is what is a product with them."""
    still, gradient, energy = claim.goals
    zero = prove_equation(k, Context(EVERY, (ge(l, 1), lt(l, L), *STATE)), EPS, ZERO, Tools(eager=("eps", "mu")))
    tools = Tools([zero], eager=("gx", "gtheta", "eps", "mu"))

    def prove(ctx: Context, goal: Eq) -> Theorem:
        return prove_equation(k, ctx, goal.lhs, goal.rhs, tools)

    assert isinstance(still.relation, Eq) and isinstance(gradient.relation, Eq) and isinstance(energy.relation, Eq)
    rest = prove(Context(still.variables, still.guards), still.relation)
    ctx, con, goal = Context(gradient.variables, gradient.guards), ge(l, 2), gradient.relation
    change = by_cases(k, ctx, con, goal, lambda c, _: prove(c, goal))
    split = first(k, Context(), energy.relation.lhs)
    return {"no_error": zero}, [rest, change, k.trans(split, prove(Context(), Eq(split.rhs, energy.relation.rhs)))]


# -- along the weights into the output -------------------------------------------------
def vector(k: Kernel, ctx: Context, name: str, unit: Idx) -> Theorem:
    """One of the named vectors by its definition."""
    return value(k, ctx, App(name, (b, unit)), ())


def falling_script(k: Kernel, claim: Claim) -> Out:
    """The bound is F + (s^6 |p|^2 + s^8 |z|^2) / 2.

    s_out = eps^0 + s^2 q, a = h + s^2 p, w = q + s^2 z, and <eps^0, q> = |h|^2,
    <h, p> = |q|^2, <q, z> = |p|^2, because each is V or V^T of the one before.
    """
    exact, goal = (s.relation for s in claim.goals)
    assert isinstance(exact, Eq) and isinstance(goal, Le)
    s2 = mul(TIMES, TIMES)
    at_first, out = Context(("b", "j"), AT_FIRST), Context(("b", "i"), AT_OUTPUT)
    zero, eps1, eps0 = no_error(k, 2), App("eps", (1, b, j)), App("eps", (0, b, i))
    still = k.trans(
        k.sym(value(k, at_first, App("gx", (1, b, j)), ())),
        k.hypothesis(at_first, "equilibrium", {"l": Idx(1), "b": b, "i": j}),
    )
    h = vector(k, at_first, "h", j)
    error = combine(k, at_first, eps1, mul(TIMES, App("h", (b, j))), [still, k.sym(times(k, TIMES, h))], Tools())
    activity = combine(k, at_first, App("x", (1, b, j)), eps1, [k.sym(value(k, at_first, eps1, ("mu",)))], Tools())

    def plus(name: str, other: str, unit: Idx) -> Term:
        first_part = eps0 if name == "eps" else App(name, (b, unit))
        return add(first_part, mul(s2, App(other, (b, unit))))

    q = vector(k, out, "q", i)
    own = value(k, out, eps0, ("mu",))
    target = combine(
        k,
        out,
        App("s_out", (b, i)),
        plus("eps", "q", i),
        [k.sym(own), times(k, s2, k.sym(q))],
        Tools([activity, error]),
    )

    def brought(c: Context, u: Idx) -> Theorem:
        return times(k, App("V", (u, j)), k.instantiate(c, target, {"b": b, "i": u}))

    rows = under(k, at_first, OUT, brought)
    known = [vector(k, at_first, "a", j), k.sym(h), rows, k.sym(times(k, s2, vector(k, at_first, "p", j)))]
    a = combine(k, at_first, App("a", (b, j)), plus("h", "p", j), known, Tools())
    rows = under(k, out, FIRST, lambda c, u: times(k, App("V", (i, u)), k.instantiate(c, a, {"b": b, "j": u})))
    known = [vector(k, out, "w", i), k.sym(q), rows, k.sym(times(k, s2, vector(k, out, "z", i)))]
    w = combine(k, out, App("w", (b, i)), plus("q", "z", i), known, Tools())
    equal = _exact(k, exact, goal.lhs, [zero, error], (target, a, w))
    ctx, squares = Context(), exact.rhs
    assert isinstance(squares, Add)
    whole = k.le_add(ctx, [k.le_equal(k.refl(ctx, goal.lhs)), nonneg(k, ctx, Add(*squares.args[1:]))])
    low = le_to(k, ring_le(k, ctx, goal.lhs, whole, equal.rhs), k.sym(equal))
    return {"target": target, "a": a, "w": w}, [equal, low]


def _exact(
    k: Kernel, goal: Eq, energy: Term, lemmas: list[Theorem], found: tuple[Theorem, Theorem, Theorem]
) -> Theorem:
    """bound = F + squares, first with the vectors named."""
    ctx, s2 = Context(), mul(TIMES, TIMES)
    s4 = mul(s2, s2)
    bound, squares = expansion(False)
    split = first(k, ctx, energy)
    assert isinstance(split.rhs, Add)
    own, rest = split.rhs.args
    split = k.trans(split, k.congruence(ctx, split.rhs, [k.refl(ctx, own), first(k, ctx, rest)]))

    def summed(bound: Idx, make: object, factor: Term) -> Theorem:
        th = under(k, ctx, B, lambda c, s: under(k, c, bound, lambda d, u: make(d, s, u)))  # type: ignore[operator]
        return times(k, factor, th)

    def square(th: Theorem, unit: str) -> object:
        def at(c: Context, s: Idx, u: Idx) -> Theorem:
            here = k.instantiate(c, th, {"b": s, unit: u})
            return k.congruence(c, Mul(here.lhs, here.lhs), [here, here])

        return at

    def product(one: str, other: str, image: str) -> Theorem:
        """<one, other> = |image|^2 in each sample: other is V or V^T of image, image the transpose of one."""
        up = other in ("q", "z")
        outer, inner = (OUT, FIRST) if up else (FIRST, OUT)

        def vector_of(s: Idx, u: Idx) -> Term:
            return App("eps", (0, s, u)) if one == "eps" else App(one, (s, u))

        def sample(c: Context, s: Idx) -> Theorem:
            left = under(k, c, outer, lambda d, u: times(k, vector_of(s, u), value(k, d, App(other, (s, u)), ())))
            right = under(k, c, inner, lambda d, u: times(k, App(image, (s, u)), value(k, d, App(image, (s, u)), ())))
            return combine(k, c, left.lhs, right.lhs, [left, k.sym(right)], Tools())

        return under(k, ctx, B, sample)

    target, a, w = found
    half = Num(1) / 2
    known = [
        summed(OUT, square(target, "i"), half),
        summed(FIRST, square(a, "j"), mul(-1, half, s2)),
        summed(OUT, square(w, "i"), mul(half, s4)),
        times(k, s2, product("eps", "q", "h")),
        times(k, mul(-1, s4), product("h", "p", "q")),
        times(k, mul(s2, s4), product("q", "z", "p")),
    ]
    equal = combine(k, ctx, bound, Add(split.rhs, squares), known, Tools(lemmas))
    back = k.congruence(ctx, equal.rhs, [k.sym(split), k.refl(ctx, squares)])
    equal = k.trans(equal, back)
    written = Rewriter(k, (), ("a", "w", "h", "q", "p", "z"))
    left, right = written(ctx, bound), written(ctx, squares)
    if left is None or right is None:
        raise Stuck(ctx, goal, "the vectors are not defined")
    right = k.congruence(ctx, equal.rhs, [k.refl(ctx, energy), right])
    equal = k.trans(k.trans(k.sym(left), equal), right)
    first_side, last_side = prove_equation(k, ctx, goal.lhs, equal.lhs, Tools()), k.ring(ctx, equal.rhs, goal.rhs)
    return k.trans(k.trans(first_side, equal), last_side)


def direction_script(k: Kernel, claim: Claim) -> Out:
    """One sample's part of the sum, and in it one unit's, is the fourth power."""
    goal = claim.goals[0].relation
    assert isinstance(goal, Le) and isinstance(goal.rhs, Sum)
    ctx = Context()
    whole = nested_summand(k, ctx, goal.rhs, (SAMPLE, Idx(0)))
    here = prove_equation(k, ctx, goal.lhs, sides(whole)[0], Tools())
    return {}, [k.le_trans(k.le_equal(here), whole)]
