"""Scripts for target alignment: the output's derivative telescopes as the state itself does."""

from __future__ import annotations

from ..language.index import Con, Idx, ge, le, lt, qvar, span
from ..language.signature import Claim, Eq, Tangent
from ..language.terms import App, Term, mul, total
from ..networks.network import B, L, width
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.linear import product, residual
from ..rules.linear_learning import NOW, WEIGHTS, overlap
from .goals import Tools
from .gradient import prove_tangent, single_sums
from .linear import combine, input_of_y, output_gap, telescope, times, under, value
from .loss_gradient import tangent_of_y
from .rewrite import by_cases

l, b, i, j = (qvar(n) for n in "lbij")
Out = tuple[dict[str, Theorem], list[Theorem]]


def single_sample(k: Kernel) -> Theorem:
    """gtheta^l = -eps^{l-1} x^l for the one sample."""
    ctx = Context(("l", "i", "j"), WEIGHTS)
    th = value(k, ctx, App("gtheta", (l, i, j)), ())
    alone = single_sums(k, ctx, th.rhs)
    return th if alone is None else k.trans(th, alone)


def source(m: Idx, s: Idx, u: Idx) -> Term:
    """What the change of theta^{m+1} brings to layer m."""
    return total(width(m + 1), lambda q: mul(App("Dtheta", (m + 1, u, q)), App("y", (m + 1, s, q))))


def output_change(k: Kernel) -> Theorem:
    """Dy^0 = source^0 + sum over 0 < m < L of P^m source^m"""
    th = telescope(k, "Dy", source, lambda c, a: k.sym(value(k, c, a, ())))
    ctx = Context(("i",), span(i, 0, width(NOW)))
    whole = k.instantiate(ctx, th, {"l": L, "b": NOW, "i": i})
    still = Context(("i",), span(i, 0, width(L)))
    ends = value(k, still, App("Dy", (L, NOW, i)), ())
    return combine(k, ctx, App("Dy", (0, NOW, i)), whole.lhs, [k.sym(whole)], Tools([ends]))


def as_tangent(k: Kernel, equation: Theorem) -> Theorem:
    """The derivative of y^0 is what Dy^0 equals."""
    at = {"l": Idx(0), "b": NOW, "i": i}
    return k.tangent_convert(k.instantiate(equation.context, tangent_of_y(k), at), equation)


def layer_rate(k: Kernel) -> Theorem:
    """a^l <x^l, y^l> = alpha, at the input too."""
    ctx = Context(("l",), (ge(l, 1), le(l, L)))
    relation = Eq(mul(App("a", (l,)), overlap(l)), App("alpha"))

    def case(c: Context, _: Con) -> Theorem:
        if k.entails(c, lt(l, L)):
            return k.hypothesis(c, "rates", {"l": l})
        top = k.hypothesis(c, "input_rate", {})
        return combine(k, c, relation.lhs, relation.rhs, [top], Tools([input_of_y(k)]))

    return by_cases(k, ctx, lt(l, L), relation, case)


def normalised_script(k: Kernel, claim: Claim) -> Out:
    """Each layer brings alpha eps, and P^m eps^m add up to r."""
    gradient = single_sample(k)
    ctx = Context(("l", "i"), (ge(l, 0), lt(l, L), *span(i, 0, width(l))))
    alpha, eps = App("alpha"), App("eps", (l, NOW, i))
    rate = k.instantiate(ctx, layer_rate(k), {"l": l + 1})
    brought = combine(k, ctx, source(l, NOW, i), mul(alpha, eps), [times(k, eps, rate)], Tools([gradient]))
    change = output_change(k)
    ctx = change.context
    gap = k.instantiate(ctx, output_gap(k), {"b": NOW, "i": i})

    def at(c: Context, layer: Idx, unit: Idx) -> Theorem:
        return k.instantiate(c, brought, {"l": layer, "i": unit})

    hidden = under(
        k,
        ctx,
        L - 1,
        lambda c, m: under(k, c, width(m + 1), lambda d, q: times(k, product(m + 1, i, q), at(d, m + 1, q))),
    )
    known = [change, at(ctx, Idx(0), i), hidden, times(k, alpha, gap)]
    equation = combine(k, ctx, App("Dy", (0, NOW, i)), mul(alpha, residual(i, NOW)), known, Tools([gradient]))
    return {"brought": brought, "change": equation}, [as_tangent(k, equation)]


def one_layer_script(k: Kernel, claim: Claim) -> Out:
    """Everything is one unfolding away."""
    gradient = single_sample(k)
    same, moved = claim.goals
    assert isinstance(same.relation, Eq) and isinstance(moved.relation, Tangent)
    above = Context(("b", "i"), (*span(b, 0, B), *span(i, 0, width(L))))
    x = App("x", (1, b, i))
    ends = k.trans(k.index(above, x, App("x", (L, b, i))), k.hypothesis(above, "input_clamped", {"b": b, "i": i}))
    tools = Tools([gradient, ends], eager=("eps", "mu", "y"))
    first = combine(k, Context(same.variables, same.guards), same.relation.lhs, same.relation.rhs, [], tools)
    there = Context(moved.variables, moved.guards)
    return {}, [first, prove_tangent(k, there, moved.relation, tools)]
