"""Is delta the derivative of the loss by the pre-activation, or minus it?

Source: Song et al. (2020), eqs 2-4 and the sentence after eq. 4.  Each layer
is shifted by s, for each sample by itself: y^l = w^{l+1} f(y^{l+1}) + s^{l+1}.
So the derivative of the loss by s^{l+1} is that by y^l.
"""

from __future__ import annotations

from ..language.index import Idx, qvar, span
from ..language.signature import DEFINED, PARAMETER, Claim, Eq, Statement, Symbol, Tangent, Theory
from ..language.tangent import tangent_definition
from ..language.terms import App, Term, add, mul, total
from ..networks.backprop import DATA, backprop_definitions, initial_symbols
from ..networks.gradients import derivative_hypotheses
from ..networks.mlp import MLP
from ..networks.network import B, L, State, WeightKind, Weights, width


class Shifted(MLP):
    """An MLP whose layers are shifted by xi (s in the ANN), for each sample by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "MLP with shifted layers"

    @property
    def kinds(self) -> tuple[WeightKind, ...]:
        shift = WeightKind(
            "xi",
            "s",
            lambda l: (B, width(l - 1)),
            ("b", "i"),
            "layer, batch, unit",
            "shift of unit i of layer l-1",
        )
        return (*super().kinds, shift)

    def prediction(self, x: State, theta: Weights, layer: Idx, sample: Idx, unit: Idx) -> Term:
        return add(super().prediction(x, theta, layer, sample, unit), theta("xi", (layer + 1, sample, unit)))


def delta_is_gradient(sign: int) -> Claim:
    """From the input s_in on: dE = sign sum over l < L of <delta^l, variation of y^l>."""
    from ..tactics.delta_sign import shift_script

    net = Shifted()
    symbols, groups = backprop_definitions(net)
    base = (*DATA, *initial_symbols(net), *net.functions, *symbols)
    changes = {k.initial_change for k in net.kinds}
    kept = tuple(g for g in groups if g[0].name not in changes)
    named = {s.name: s for s in base if s.name not in {*changes, "alpha"}}
    theory = Theory(net.sizes, net.assumptions, named, kept)
    theory = theory.extend((Symbol("Ds", PARAMETER, 3, shape="layer, batch, unit", meaning="variation of the shifts"),))
    y = theory.definition("y")
    assert y is not None
    moving = {"s": "Ds"}
    dy = tangent_definition(theory, y, "Dy", moving)
    theory = theory.extend(
        (Symbol("Dy", DEFINED, 3, shape="layer, batch, unit", meaning="derivative of y along the variation"),),
        ((dy,),),
        derivative_hypotheses(net, "y", {k.name: k.initial for k in net.kinds}),
        {"shifts": moving},
    )

    def term(m: Idx, b: Idx, i: Idx) -> Term:
        return mul(sign, App("delta", (m, b, i)), App("Ds", (m + 1, b, i)))

    pairing = total(L, lambda m: total(B, lambda b: total(width(m), lambda i: term(m, b, i))))
    goal = Statement((), (), Tangent("shifts", net.loss(), pairing))
    given = Statement(
        ("b", "i"),
        (*span(qvar("b"), 0, B), *span(qvar("i"), 0, width(L))),
        Eq(App("y", (L, qvar("b"), qvar("i"))), App("s_in", (qvar("b"), qvar("i")))),
    )
    return Claim("delta_is_gradient", theory, (given, goal), script=shift_script, says="gradient")
