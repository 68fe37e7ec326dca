"""Scripts for the landscape of linear networks: the part of the energy that is linear in the state telescopes."""

from __future__ import annotations

from ..language.index import Con, Idx, eq, ge, le, lt, qvar, span
from ..language.signature import Claim, Eq, Le, Statement, Tangent
from ..language.terms import ZERO, Add, App, Term, add, mul, total
from ..networks.gradients import state_pairing
from ..networks.network import B, L, width
from ..proof.kernel import Context, Kernel, Theorem
from .goals import Tools, prove_equation
from .gradient import Differentiator, prove_pairing, prove_tangent
from .linear import combine, last, times, under, value
from .loss_gradient import converted
from .order import le_to, nonneg, ring_le, square_zero, zero_terms
from .rewrite import by_cases

l, b, i = qvar("l"), qvar("b"), qvar("i")
EVERY = ("l", "b", "i")
STATE = (*span(b, 0, B), *span(i, 0, width(l)))
Out = tuple[dict[str, Theorem], list[Theorem]]


def gap(one: str, other: str, layer: Idx, unit: Idx) -> Term:
    """u - x, or eta - eps"""
    return add(App(other, (layer, b, unit)), mul(-1, App(one, (layer, b, unit))))


def paired(eps: str, layer: Idx, unit: Idx) -> Term:
    """eps (eta - eps) of one unit, where ``eps`` is of either state."""
    return mul(App(eps, (layer, b, unit)), gap("eps", "eta", layer, unit))


def telescope_pairing(k: Kernel, eps: str, gradient: str, hypothesis: str) -> Theorem:
    """sum over m < l of <eps^m, eta^m - eps^m> = -<eps^{l-1}, theta^l (u^l - x^l)>, 1 <= l <= L.

    eps, gradient, hypothesis: of the state that is stationary.
    """

    def left(layer: Idx) -> Term:
        return total(layer, lambda m: total(width(m), lambda q: paired(eps, m, q)))

    def right(layer: Idx) -> Term:
        def brought(q: Idx) -> Term:
            return total(width(layer), lambda p: mul(App("theta", (layer, q, p)), gap("x", "u", layer, p)))

        return mul(-1, total(width(layer - 1), lambda q: mul(App(eps, (layer - 1, b, q)), brought(q))))

    claim = Statement(("l", "b"), (ge(l, 1), le(l, L), *span(b, 0, B)), Eq(left(l), right(l)))
    ctx = k.induction_context([claim], [l], 0)

    def errors(c: Context, layer: Idx) -> Theorem:
        """<eps, (eta - eps)> with both errors written out in the second factor."""

        def unit(d: Context, q: Idx) -> Theorem:
            e = App(eps, (layer, b, q))
            there = value(k, d, App("eta", (layer, b, q)), ("nu",))
            here = value(k, d, App("eps", (layer, b, q)), ("mu",))
            whole = add(there.rhs, mul(-1, here.rhs))
            return times(k, e, combine(k, d, gap("eps", "eta", layer, q), whole, [there, k.sym(here)], Tools()))

        return under(k, c, width(layer), unit)

    def case(c: Context, side: Con) -> Theorem:
        cut = last(k, c, left(l))
        known = [errors(c, l - 1)]
        if side.kind == "eq":
            return k.trans(cut, combine(k, c, cut.rhs, right(l), known, Tools()))
        known.append(k.hypothesis(c, 0, {"l'": l - 1, "b'": b}))

        def still(d: Context, q: Idx) -> Theorem:
            g = App(gradient, (l - 1, b, q))
            zero = k.trans(k.sym(value(k, d, g, ())), k.hypothesis(d, hypothesis, {"l": l - 1, "b": b, "i": q}))
            return times(k, gap("x", "u", l - 1, q), zero)

        known.append(under(k, c, width(l - 1), still))
        return k.trans(cut, combine(k, c, cut.rhs, right(l), known, Tools()))

    (out,) = k.induct([claim], [l], [by_cases(k, ctx, eq(l, 1), claim.relation, case)])
    return out


def orthogonal(k: Kernel, eps: str = "eps", gradient: str = "gx", hypothesis: str = "equilibrium") -> Theorem:
    """sum over m < L of <eps^m, eta^m - eps^m> = 0, because both states have the same ends."""
    ctx = Context(("b",), span(b, 0, B))
    th = k.instantiate(ctx, telescope_pairing(k, eps, gradient, hypothesis), {"l": L, "b": b})
    return combine(k, ctx, th.lhs, ZERO, [th], Tools())


def minimum_script(k: Kernel, claim: Claim) -> Out:
    """The linear part of the difference vanishes; the rest is a sum of squares."""
    exact, below = (s.relation for s in claim.goals)
    assert isinstance(exact, Eq) and isinstance(below, Le)
    ctx = Context()
    flat = orthogonal(k)
    rows = under(k, ctx, B, lambda c, s: k.instantiate(c, flat, {"b": s}))
    th = combine(k, ctx, exact.lhs, exact.rhs, [rows], Tools())
    assert isinstance(exact.rhs, Add)
    squares = exact.rhs.args[1]
    whole = k.le_add(ctx, [k.le_equal(k.refl(ctx, below.lhs)), nonneg(k, ctx, squares)])
    return {"orthogonal": flat}, [th, le_to(k, ring_le(k, ctx, below.lhs, whole, exact.rhs), k.sym(th))]


def unique_script(k: Kernel, claim: Claim) -> Out:
    """The squares of eta - eps add up to 0, so errors agree, and states from the input on."""
    here, there = orthogonal(k), orthogonal(k, "eta", "gu", "second_equilibrium")

    def square(m: Idx, q: Idx) -> Term:
        return mul(gap("eps", "eta", m, q), gap("eps", "eta", m, q))

    ctx = Context(("b",), span(b, 0, B))
    form = total(L, lambda m: total(width(m), lambda q: square(m, q)))
    nothing = combine(k, ctx, form, ZERO, [there, k.sym(here)], Tools())
    inner = Context(EVERY, (ge(l, 0), lt(l, L), *STATE))
    equal = square_zero(k, zero_terms(k, inner, k.instantiate(inner, nothing, {"b": b}), (l, i)))
    return {"equal_errors": equal}, [same_states(k, claim.goals[0], equal)]


def same_states(k: Kernel, goal: Statement, equal: Theorem) -> Theorem:
    """u = x from eta = eps, by induction from the input on."""
    inner = k.induction_context([goal], [L - l], 0)
    assert isinstance(goal.relation, Eq)
    u, x = goal.relation.lhs, goal.relation.rhs

    def case(c: Context, _: Con) -> Theorem:
        if not k.entails(c, lt(l, L)):
            return combine(k, c, u, x, [], Tools())
        there, here = value(k, c, App("eta", (l, b, i)), ("nu",)), value(k, c, App("eps", (l, b, i)), ("mu",))
        before = under(
            k,
            c,
            width(l + 1),
            lambda d, q: times(k, App("theta", (l + 1, i, q)), k.hypothesis(d, 0, {"l'": l + 1, "b'": b, "i'": q})),
        )
        known = [k.instantiate(c, equal, {"l": l, "b": b, "i": i}), k.sym(there), here, before]
        return combine(k, c, u, x, known, Tools())

    (out,) = k.induct([goal], [L - l], [by_cases(k, inner, lt(l, L), goal.relation, case)])
    return out


# -- second variation ---------------------------------------------------------------
def hessian_script(k: Kernel, claim: Claim) -> Out:
    """The gradient by differentiating F, its derivative by differentiating each case of gx."""
    slope, second, low = claim.goals
    assert isinstance(slope.relation, Tangent) and isinstance(second.relation, Tangent)
    assert isinstance(low.relation, Le)
    ctx, cuts = Context(), (Idx(1), L)
    first = prove_tangent(k, ctx, slope.relation, Tools(lazy=("gx",)), cuts=cuts)
    moved = gradient_tangent(k)
    th = Differentiator(k, "x", [moved])(ctx, second.relation.term)
    assert isinstance(th.relation, Tangent)
    half = opened_squares(k)
    equation = prove_pairing(k, ctx, th.relation.tangent, half.rhs, Tools(lazy=("Dgx",)), cuts)
    equation = k.trans(
        k.trans(equation, k.sym(half)), prove_equation(k, ctx, half.lhs, second.relation.tangent, Tools())
    )
    return {"gradient": moved}, [first, k.tangent_convert(th, equation), nonneg(k, ctx, low.relation.rhs)]


def opened_squares(k: Kernel) -> Theorem:
    """The sum of De De with the second factor written out."""

    def unit(c: Context, m: Idx, s: Idx, q: Idx) -> Theorem:
        e = App("De", (m, s, q))
        return times(k, e, value(k, c, e, ("Dmu",)))

    def layer(c: Context, m: Idx) -> Theorem:
        return under(k, c, B, lambda d, s: under(k, d, width(m), lambda e, q: unit(e, m, s, q)))

    return under(k, Context(), L, layer)


def gradient_tangent(k: Kernel) -> Theorem:
    """Dgx is the derivative of gx, in each of its cases."""
    g, d = App("gx", (l, b, i)), App("Dgx", (l, b, i))
    ctx = Context(EVERY, (ge(l, 0), le(l, L), *STATE))
    relation = Tangent("x", g, d)

    def leaf(c: Context, _: Con) -> Theorem:
        return prove_tangent(k, c, relation, Tools(lazy=("Dgx",), eager=("De", "Dmu")))

    def above(c: Context, _: Con) -> Theorem:
        return by_cases(k, c, lt(l, L), relation, leaf)

    def split(c: Context, side: Con) -> Theorem:
        return leaf(c, side) if side.kind == "eq" else above(c, side)

    return by_cases(k, ctx, eq(l, 0), relation, split)


def definite_script(k: Kernel, claim: Claim) -> Out:
    """Each square is 0, so Dx is, by induction from the input on."""
    (goal,) = claim.goals
    assert isinstance(goal.relation, Eq)
    dx = goal.relation.lhs
    inner = Context(EVERY, (ge(l, 0), lt(l, L), *STATE))
    zero = square_zero(k, zero_terms(k, inner, k.hypothesis(inner, "flat", {}), (l, b, i)))
    ctx = k.induction_context([goal], [L - l], 0)

    def case(c: Context, _: Con) -> Theorem:
        if not k.entails(c, lt(l, L)):
            return combine(k, c, dx, ZERO, [], Tools())
        before = under(
            k,
            c,
            width(l + 1),
            lambda d, q: times(k, App("theta", (l + 1, i, q)), k.hypothesis(d, 0, {"l'": l + 1, "b'": b, "i'": q})),
        )
        known = [k.instantiate(c, zero, {"l": l, "b": b, "i": i}), before]
        return combine(k, c, dx, ZERO, known, Tools())

    (out,) = k.induct([goal], [L - l], [by_cases(k, ctx, lt(l, L), goal.relation, case)])
    return {"no_error": zero}, [out]


# -- along the equilibria -----------------------------------------------------------
def envelope_script(k: Kernel, claim: Claim) -> Out:
    """dF = <gtheta, Dtheta> + <gx, Dx>, and the second product is 0."""
    goal = claim.goals[0].relation
    assert isinstance(goal, Tangent)
    ctx, cuts = Context(), (Idx(1), L)
    th = Differentiator(k, goal.direction)(ctx, goal.term)
    assert isinstance(th.relation, Tangent)
    still = state_pairing("gx", "Dx")
    written = converted(k, ctx, still, {"gx"}, cuts)  # before the equilibrium says that gx is 0
    nothing = prove_pairing(k, ctx, still, ZERO, Tools(), cuts)
    both = Add(goal.tangent, written.rhs)
    split = prove_pairing(k, ctx, th.relation.tangent, both, Tools(eager=("gtheta",)), cuts)
    none = k.trans(k.sym(written), nothing)
    split = k.trans(split, k.congruence(ctx, both, [k.refl(ctx, goal.tangent), none]))
    return {}, [k.tangent_convert(th, k.trans(split, k.ring(ctx, split.rhs, goal.tangent)))]


def normal_script(k: Kernel, claim: Claim) -> Out:
    """By definition."""
    (goal,) = claim.goals
    assert isinstance(goal.relation, Eq)
    tools = Tools(eager=("gx", "eps", "mu"))
    return {}, [prove_equation(k, Context(goal.variables, goal.guards), goal.relation.lhs, goal.relation.rhs, tools)]
