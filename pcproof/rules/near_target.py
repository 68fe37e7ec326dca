"""How far inference learning and backprop may be apart, by the loss.  Source: Whittington & Bogacz (2017), WB-5.

Printed: where the target is almost predicted the changes are similar.  Here,
for every state whose energy is at most the loss E of the forward pass, as at
an equilibrium that inference descends to from there.
"""

from __future__ import annotations

from dataclasses import replace

from ..language.index import Idx, eq, ge, lt, qvar, span
from ..language.signature import DEFINED, Case, Claim, Definition, Le, Statement, Symbol, Theory
from ..language.terms import ONE, App, Term, add, mul, neg, total
from ..networks.mlp import MLP
from ..networks.network import B, L, Network, width
from .equilibrium import backprop_change, change, clamped_output, learning_theory, weights

l, b, i, j = (qvar(n) for n in "lbij")
AMP = App("amp", (l, b))
SAMPLE = (ge(l, 0), lt(l, L), *span(b, 0, B))


def square(t: Term) -> Term:
    return mul(t, t)


def squares(name: str, layer: Idx, sample: Idx) -> Term:
    """The squared norm of a layer's errors in one sample."""
    return total(width(layer), lambda u: square(App(name, (layer, sample, u))))


def slope(sample: Idx, unit: Idx) -> Term:
    return App("df", (l,), (App("y", (l, sample, unit)),))


def jacobian_norm(sample: Idx) -> Term:
    """Squared Frobenius norm of the Jacobian of layer l-1 by layer l: sum of f'(y)^2 w^2."""
    return total(
        width(l),
        lambda u: mul(square(slope(sample, u)), total(width(l - 1), lambda k: square(App("w", (l, k, u))))),
    )


def amplification() -> tuple[Symbol, tuple[Definition, ...]]:
    """amp^l: the product of the squared norms of the Jacobians from the output to layer l, in one sample."""
    cases = (
        Case((eq(l, 0),), ONE),
        Case((ge(l, 1), lt(l, L)), mul(App("amp", (l - 1, b)), jacobian_norm(b))),
    )
    meaning = "product of the squared norms of the Jacobians up to the layer"
    return Symbol("amp", DEFINED, 2, shape="layer, batch", meaning=meaning), (
        Definition("amp", ("l", "b"), cases, (l,)),
    )


def carried(state: str) -> Term:
    """sum over the batch of f^2 of what a weight from unit j carries."""
    return total(B, lambda s: square(App("f", (l,), (App(state, (l, s, j)),))))


def near_theory(net: Network) -> Theory:
    """Output clamped, energy at most the loss of the forward pass; beside backprop."""
    below = Statement((), (), Le(net.energy(), net.loss()))
    theory = learning_theory(net, {})
    symbol, group = amplification()
    return replace(theory, hypotheses={"output_clamped": clamped_output(), "descended": below}).extend(
        (symbol,), (group,)
    )


def bounds(net: Network) -> tuple[Term, Term]:
    """Of the squares of both changes of theta: E times what the weights carry, and besides what errors grow by."""
    rate = mul(2, square(App("alpha")), net.loss())
    grown = total(B, lambda s: App("amp", (l - 1, s)))
    return mul(rate, carried("x")), mul(rate, grown, carried("y"))


def near_target() -> Claim:
    """Both changes of a weight, and their difference, are at most of the order of the square root of the loss.

    Errors: |delta^l|^2 <= amp^l |delta^0|^2.  Changes: squared at most
    2 alpha^2 E sum f(x)^2 and 2 alpha^2 E (sum amp) sum f(y)^2, the sums over
    the batch; the difference at most twice both together.
    """
    from ..tactics.near_target import near_target_script

    net = MLP()
    (kind,) = net.kinds
    ours, theirs = change(kind), backprop_change(kind)
    low, high = bounds(net)
    apart = add(ours, neg(theirs))
    goals = (
        Statement(("l", "b"), SAMPLE, Le(squares("delta", l, b), mul(AMP, squares("delta", Idx(0), b)))),
        weights(kind, 1, Le(square(ours), low)),
        weights(kind, 1, Le(square(theirs), high)),
        weights(kind, 1, Le(square(apart), add(mul(2, low), mul(2, high)))),
    )
    return Claim(
        "near_target",
        near_theory(net),
        goals,
        script=near_target_script,
        says="recursion",
        title="Near the target: each rule's changes, and their difference, are bounded by the square root of the loss",
    )
