"""Backprop is the gradient: the pairing <delta^l, Dy^l> telescopes through the layers.

1. Dy is the tangent of y (induction from the input);
2. <delta^0, Dy^0> = sum_{m<l} <delta^m, explicit part of Dy^m> + <delta^l, Dy^l>
   for every l < L (induction from the output);
3. at l = L - 1 nothing but explicit parts is left: the gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..language.index import Con, Idx, eq, ge, le, lt, qvar, span
from ..language.signature import Claim, Eq, Statement, Tangent
from ..language.terms import ZERO, App, Sum, Term, add, mul, replace_apps, subst, subterms, tidy, total
from ..networks.network import B, L, width
from ..proof.kernel import Context, Kernel, Theorem
from .goals import Stuck, Tools, prove_equation
from .gradient import Differentiator, split_sum
from .normal import normalize
from .rewrite import Rewriter, both, bottom_up, by_cases, fresh, then, unfold_once

l, b, i = qvar("l"), qvar("b"), qvar("i")


@dataclass(frozen=True)
class Names:
    """A forward pass, its backprop, its derivative, and the direction in which something varies."""

    y: str = "y"
    delta: str = "delta"
    dy: str = "Dy"
    direction: str = "weights"


BACKPROP = Names()


def tangent_of_y(k: Kernel, names: Names = BACKPROP) -> Theorem:
    """Dy[l,b,i] is the derivative of y[l,b,i], 0 <= l <= L."""
    guards = (ge(l, 0), le(l, L), *span(b, 0, B), *span(i, 0, width(l)))
    y, dy = App(names.y, (l, b, i)), App(names.dy, (l, b, i))
    claim = Statement(("l", "b", "i"), guards, Tangent(names.direction, y, dy))
    ctx = k.induction_context([claim], [L - l], 0)

    def case(c: Context) -> Theorem:
        th = Differentiator(k, names.direction)(c, y)
        assert isinstance(th.relation, Tangent)
        back = prove_equation(k, c, th.relation.tangent, dy, Tools(lazy=(names.dy,)))
        return k.tangent_convert(th, back)

    th = by_cases(k, ctx, eq(l, L), claim.relation, lambda c, _: case(c))
    (out,) = k.induct([claim], [L - l], [th])
    return out


def explicit_part(k: Kernel, m: Idx, s: Idx, names: Names = BACKPROP) -> Term:
    """<delta^m, Dy^m without Dy^{m+1}>: what the weights of layer m + 1 contribute."""
    d = k.theory.definition(names.dy)
    assert d is not None

    def term(u: Idx) -> Term:
        value = d.at(0, (m, s, u)).value
        direct = replace_apps(value, lambda a: ZERO if a.name == names.dy else None)
        return mul(App(names.delta, (m, s, u)), tidy(direct))

    return total(width(m), term)


def pairing_term(layer: Idx, sample: Idx, names: Names = BACKPROP) -> Term:
    """<delta^l, Dy^l> of one sample."""
    return total(width(layer), lambda u: mul(App(names.delta, (layer, sample, u)), App(names.dy, (layer, sample, u))))


def telescope(k: Kernel, names: Names = BACKPROP) -> Theorem:
    """<delta^0, Dy^0> = sum of explicit parts below l + <delta^l, Dy^l>."""
    guards = (ge(l, 0), lt(l, L), *span(b, 0, B))
    lhs = pairing_term(Idx(0), b, names)

    def rhs(layer: Idx) -> Term:
        return add(total(layer, lambda m: explicit_part(k, m, b, names)), pairing_term(layer, b, names))

    claim = Statement(("l", "b"), guards, Eq(lhs, rhs(l)))
    ctx = k.induction_context([claim], [l], 0)

    def case(c: Context, side: Con) -> Theorem:
        if side.kind == "eq":
            return prove_equation(k, c, lhs, rhs(l), Tools())
        return _telescope_step(k, c, rhs, names)

    th = by_cases(k, ctx, eq(l, 0), claim.relation, case)
    (out,) = k.induct([claim], [l], [th])
    return out


def _telescope_step(k: Kernel, c: Context, rhs: Callable[[Idx], Term], names: Names) -> Theorem:
    before = k.hypothesis(c, 0, {"l'": l - 1, "b'": b})
    left = converted(k, c, before.rhs, {names.dy}, ())
    right = converted(k, c, rhs(l), {names.delta}, (l, l - 1))
    a, z = left.rhs, right.rhs
    if a is not z:
        raise Stuck(c, Eq(a, z), "the pairing does not telescope")
    return k.trans(k.trans(before, left), k.sym(right))


def converted(k: Kernel, c: Context, t: Term, names: set[str], cuts: tuple[Idx, ...]) -> Theorem:
    """t = its normal form after cutting sums over layers at ``cuts`` and unfolding ``names`` once."""
    th: Theorem | None = None
    if cuts:
        th = bottom_up(k, lambda x, s: split_sum(k, x, s, cuts), c, t, again=False)
    now = t if th is None else th.rhs
    th = then(k, th, unfold_once(k, names)(c, now))
    now = t if th is None else th.rhs
    th = then(k, th, normalize(k, c, now))
    return both(k, c, t, th)


def loss_gradient(k: Kernel, goal: Statement, names: Names = BACKPROP) -> tuple[dict[str, Theorem], Theorem]:
    """Tangent of (factor times) the loss along the direction, as claimed in ``goal``."""
    assert isinstance(goal.relation, Tangent)
    ctx = Context(goal.variables, goal.guards)
    tangent = tangent_of_y(k, names)
    telescoped = telescope(k, names)
    th = Differentiator(k, names.direction, [tangent])(ctx, goal.relation.term)
    assert isinstance(th.relation, Tangent)
    # the loss gives -<delta^0, Dy^0> for each sample; put what it telescopes to in its place
    factor, deltas = _output_pairing(goal.relation.term, names)
    first = prove_equation(k, ctx, th.relation.tangent, mul(-1, factor, deltas), Tools(lazy=(names.delta,)))
    name = fresh(ctx)
    inner = ctx.bind((name,), (B,))
    at_top = k.instantiate(inner, telescoped, {"l": L - 1, "b": qvar(name)})
    summed = k.sum_congruence(ctx, B, name, at_top)
    product = first.rhs
    parts = [summed if p is deltas else k.refl(ctx, p) for p in product.args]  # type: ignore[attr-defined]
    second = k.congruence(ctx, product, parts)
    unfolding = Rewriter(k, unfold=(names.dy,))
    left = then(k, None, unfolding(ctx, second.rhs))
    now = second.rhs if left is None else left.rhs
    left = then(k, left, normalize(k, ctx, now))
    read = {s.name for s in subterms(goal.relation.tangent) if isinstance(s, App)} - {names.delta, names.y}
    right = converted(k, ctx, goal.relation.tangent, read & _defined(k), (L, L - 1))
    now = second.rhs if left is None else left.rhs
    if now is not right.rhs:
        raise Stuck(ctx, Eq(now, right.rhs), "the pairing is not the claimed one")
    chain = k.trans(first, second)
    whole = then(k, then(k, chain, left), k.sym(right))
    assert whole is not None
    return {"tangent of y": tangent, "telescoping pairing": telescoped}, k.tangent_convert(th, whole)


def loss_script(k: Kernel, claim: Claim) -> tuple[dict[str, Theorem], list[Theorem]]:
    """Claims about the ANN alone."""
    (goal,) = claim.goals
    lemmas, th = loss_gradient(k, goal)
    return lemmas, [th]


def rule_gradient_script(k: Kernel, claim: Claim) -> tuple[dict[str, Theorem], list[Theorem]]:
    """Claims about a rule in motion: its total changes are backprop's, which are the gradient."""
    from ..rules.claims import final_weights
    from .light_cone import Cone

    (goal,) = claim.goals
    assert isinstance(goal.relation, Tangent)
    cone = Cone(k, claim.equations)
    cone.freeze()
    cone.front()
    lemmas = dict(cone.lemmas.found)
    for kind, s in zip(claim.equations.net.kinds, final_weights(claim.equations)):
        lemmas[f"final {kind.name}"] = cone.goal(s)
    ctx = Context(goal.variables, goal.guards)
    names = [kind.name for kind in claim.equations.net.kinds]
    totals = {f"total_{n}" for n in names}
    unfold = unfold_once(k, totals)(ctx, goal.relation.tangent)
    now = goal.relation.tangent if unfold is None else unfold.rhs
    moved = then(k, unfold, Rewriter(k, [lemmas[f"final {n}"] for n in names])(ctx, now))
    now = goal.relation.tangent if moved is None else moved.rhs
    moved = then(k, moved, normalize(k, ctx, now))
    target = goal.relation.tangent if moved is None else moved.rhs
    inner = Statement(goal.variables, goal.guards, Tangent("weights", goal.relation.term, target))
    more, th = loss_gradient(k, inner)
    lemmas.update(more)
    return lemmas, [th if moved is None else k.tangent_convert(th, k.sym(moved))]


def _defined(k: Kernel) -> set[str]:
    return {d.name for g in k.theory.definitions for d in g}


def _output_pairing(term: Term, names: Names) -> tuple[Term, Term]:
    """The factor in front of the loss, and the sum over samples of <delta^0, Dy^0>."""
    from ..language.terms import ONE, Mul

    factors = [a for a in term.args if not isinstance(a, Sum)] if isinstance(term, Mul) else []
    deltas = total(B, lambda s: pairing_term(Idx(0), s, names))
    return (mul(*factors) if factors else ONE), deltas


__all__ = ["loss_gradient", "subst", "tangent_of_y", "telescope"]
