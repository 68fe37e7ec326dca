"""Gaussian units with precisions: equilibria of the precision-weighted energy.

Source: Whittington & Bogacz (2017), section 2: F = sum Pi (x - mu)^2 / 2 with
Pi = 1 / Sigma, one for each unit of each layer, and the errors
err = Pi (x - mu); WB-2 (eqs 2.18, 2.19) and WB-3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..language.index import Idx, qvar, span
from ..language.signature import (
    DEFINED,
    PARAMETER,
    Case,
    Claim,
    Definition,
    Eq,
    Relation,
    Statement,
    Symbol,
    Tangent,
    Theory,
)
from ..language.terms import App, Mul, Sum, Term, add, children, mul, neg, rebuild, shift, subst, total
from ..networks.gradients import energy_gradient_theory, state_pairing, variation, weight_pairing
from ..networks.mlp import MLP
from ..networks.network import B, L, WeightKind, width
from .equilibrium import (
    FREE,
    HIDDEN,
    backprop_change,
    change,
    clamped_output,
    equilibrium,
    everywhere,
    forward_state,
    learning_theory,
    weights,
)

l, b, i = qvar("l"), qvar("b"), qvar("i")
PI, ERR, EPS, DELTA = App("Pi", (l, i)), App("err", (l, b, i)), App("eps", (l, b, i)), App("delta", (l, b, i))
PRECISION = Symbol("Pi", PARAMETER, 2, shape="layer, unit", meaning="precision of the unit, 1 / variance")
WEIGHTED = Symbol("err", DEFINED, 3, shape="layer, batch, unit", meaning="weighted error, Pi (x - mu)")


class GaussianMLP(MLP):
    """Fully connected layers whose units have precisions of their own; the activities are as in ``MLP``."""

    def energy_theory(self) -> Theory:
        return super().energy_theory().extend((PRECISION,))

    def energy(self) -> Term:
        """F = sum over layers l < L, samples and units of Pi eps^2 / 2, eps = x - mu."""

        def term(layer: Idx, sample: Idx, unit: Idx) -> Term:
            eps = App("eps", (layer, sample, unit))
            return mul(eps, eps, App("Pi", (layer, unit))) / 2

        return total(L, lambda m: total(B, lambda s: total(width(m), lambda u: term(m, s, u))))


def weighted(t: Term) -> Term:
    """The same with err for Pi eps, also where Pi stands before a sum."""
    parts = [weighted(c) for _, c in children(t)]
    t = rebuild(t, parts) if parts else t
    if not isinstance(t, Mul):
        return t
    for a in t.args:
        rest = list(t.args)
        rest.remove(a)
        if isinstance(a, App) and a.name == "eps":
            precision = App("Pi", (a.idx[0], a.idx[2]))
            if precision in rest:
                rest.remove(precision)
                return mul(*rest, App("err", a.idx))
        if isinstance(a, App) and a.name == "Pi":
            for s in (s for s in rest if isinstance(s, Sum)):
                body = weighted(mul(shift(a, 1), s.body))
                if shift(a, 1) not in getattr(body, "args", ()):
                    rest.remove(s)
                    return mul(*rest, Sum(s.bound, body))
    return t


def in_weighted_errors(theory: Theory) -> Theory:
    """Gradients in the weighted errors, which are defined before them."""
    error = (Definition("err", ("l", "b", "i"), (Case(FREE, mul(PI, EPS)),)),)
    groups: list[tuple[Definition, ...]] = []
    for group in theory.definitions:
        if group[0].name.startswith("g"):
            group = tuple(replace(d, cases=tuple(Case(c.guard, weighted(c.value)) for c in d.cases)) for d in group)
        groups.append(group)
        if group[0].name == "eps":
            groups.append(error)
    return replace(theory, symbols={**theory.symbols, "err": WEIGHTED}, definitions=tuple(groups))


def gradient(net: GaussianMLP) -> Claim:
    """The gradients of F by activities and weights, in the weighted errors.  Source: 2.18, 2.19."""
    from ..tactics.precision import gradient_script

    theory = in_weighted_errors(energy_gradient_theory(net, net.energy()))
    pairing = weight_pairing(
        net, {k.name: "g" + k.name for k in net.kinds}, {k.name: variation(k.name) for k in net.kinds}
    )
    goals = (
        Statement((), (), Tangent("x", net.energy(), state_pairing("gx", "Dx"))),
        Statement((), (), Tangent("weights", net.energy(), pairing)),
    )
    return Claim(
        "precision_gradient",
        theory,
        goals,
        script=gradient_script,
        says="gradient",
        title="The gradients of the precision-weighted energy, in weighted errors",
    )


def weighted_theory(net: GaussianMLP, hypotheses: Mapping[str, Statement]) -> Theory:
    """The precision-weighted energy at a state x, beside backprop with the same weights."""
    return in_weighted_errors(learning_theory(net, hypotheses))


def fed_back(theory: Theory) -> Term:
    """What stands beside err in the gradient at a hidden layer: f'(x) theta^T err."""
    d = theory.definition("gx")
    assert d is not None
    hidden = next(c.value for c in d.cases if ERR in getattr(c.value, "args", ()))
    return add(*(neg(a) for a in hidden.args if a is not ERR))  # type: ignore[attr-defined]


def output(relation: Relation) -> Statement:
    """At every sample and output unit."""
    return Statement(("b", "i"), (*span(b, 0, B), *span(i, 0, width(L - L))), relation)


def learnt(kind: WeightKind) -> Relation:
    """The change of a weight is the sum over the batch of err times what the weight carries."""
    carried = {"theta": App("f", (l,), (App("x", (l, b, qvar("j"))),))}.get(kind.name)
    above = App("err", (l - 1, b, i))

    def term(s: Idx) -> Term:
        return subst(above if carried is None else mul(above, carried), {"b": s})

    return Eq(change(kind), mul(App("alpha"), total(B, term)))


def fixed_point(net: GaussianMLP) -> Claim:
    """Output clamped, gradient 0 at every hidden layer: err obeys backprop's recursion at x, and weights learn by it.

    Source: 2.18, 2.19 (WB-2).
    """
    from ..tactics.precision import fixed_point_script

    theory = weighted_theory(net, {"output_clamped": clamped_output(), "equilibrium": equilibrium()})
    missed = add(App("s_out", (b, i)), neg(App("mu", (0, b, i))))
    goals = (
        everywhere(Eq(ERR, fed_back(theory)), *HIDDEN),
        output(Eq(App("err", (0, b, i)), mul(App("Pi", (0, i)), missed))),
        *(weights(k, 1, learnt(k)) for k in net.kinds),
    )
    return Claim(
        "precision_fixed_point",
        theory,
        goals,
        script=fixed_point_script,
        title="With precisions: at equilibrium the weighted errors obey backprop's recursion",
    )


def forward_equilibrium(net: GaussianMLP) -> Claim:
    """Equilibrium with x = y, output units of one precision p: errors and changes are p times backprop's.

    Whatever the precisions of the hidden layers.  Source: WB-3, which has all precisions 1.
    """
    from ..tactics.precision import forward_equilibrium_script

    one = Statement(("i",), span(i, 0, width(L - L)), Eq(App("Pi", (0, i)), App("p")))
    theory = weighted_theory(net, {**forward_state(), "equilibrium": equilibrium(), "output_precision": one})
    symbol = Symbol("p", PARAMETER, shape="scalar", meaning="precision of the output units")
    rate = App("p")
    goals = (
        everywhere(Eq(ERR, mul(rate, DELTA)), *FREE),
        *(weights(k, 1, Eq(change(k), mul(rate, backprop_change(k)))) for k in net.kinds),
    )
    return Claim(
        "precision_forward_equilibrium",
        theory.extend((symbol,)),
        goals,
        script=forward_equilibrium_script,
        title="With precisions: an equilibrium at the forward pass learns backprop's changes times the output's",
    )
