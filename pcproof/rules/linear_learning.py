"""Where one learning step moves the output of a linear network: target alignment.  Source: Song et al. (2024).

One pair of input and target (B = 1), layers numbered from the output.  The
output's first-order change is its derivative along the change of the weights;
the step is aligned if this is a multiple of r = s_out - y^0.
"""

from __future__ import annotations

from dataclasses import replace

from ..language.index import Con, Idx, eq, ge, le, lt, qvar, span
from ..language.signature import DEFINED, PARAMETER, Claim, Eq, Statement, Symbol, Tangent, Theory
from ..language.tangent import tangent_definition
from ..language.terms import App, Term, mul, total
from ..networks.backprop import DATA
from ..networks.gradients import backprop_theory
from ..networks.linear import LinearMLP
from ..networks.network import B, L, width
from .linear import Linear, clamped, residual

l, i, j, k = (qvar(n) for n in "lijk")
NOW = Idx(0)  # the one sample
WEIGHTS = (ge(l, 1), le(l, L), *span(i, 0, width(l - 1)), *span(j, 0, width(l)))
ONE_PAIR: tuple[Con, ...] = (eq(B, 1),)
DY = Symbol("Dy", DEFINED, 3, shape="layer, batch, unit", meaning="derivative of y along the change of the weights")


def rates() -> dict[str, Statement]:
    """a^l <x^l, y^l> = alpha at the hidden layers, and a^L |s_in|^2 = alpha."""

    def rate(layer: Idx, product: Term) -> Eq:
        return Eq(mul(App("a", (layer,)), product), App("alpha"))

    square = total(width(L), lambda u: mul(App("s_in", (NOW, u)), App("s_in", (NOW, u))))
    return {
        "rates": Statement(("l",), (ge(l, 1), lt(l, L)), rate(l, overlap(l))),
        "input_rate": Statement((), (), rate(L, square)),
    }


def overlap(layer: Idx) -> Term:
    """<x^l, y^l>"""
    return total(width(layer), lambda u: mul(App("x", (layer, NOW, u)), App("y", (layer, NOW, u))))


def assuming(theory: Theory, *more: Con) -> Theory:
    """With further assumptions on the sizes."""
    return replace(theory, assumptions=(*theory.assumptions, *more))


def with_tangent(theory: Theory, moving: dict[str, str]) -> Theory:
    """Beside y its derivative Dy along the variation of the weights."""
    y = theory.definition("y")
    assert y is not None
    definition = tangent_definition(theory, y, "Dy", moving)
    return theory.extend((DY,), ((definition,),), directions={"weights": moving})


def step_theory(step: Term, *more: Symbol) -> Theory:
    """States with clamped ends; the weights change by ``step``, a term at l, i, j."""
    theory = Linear().theory(("gtheta",))
    alpha = next(s for s in DATA if s.name == "alpha")
    change = Symbol("Dtheta", PARAMETER, 3, shape="layer, unit to, unit from", meaning="change of theta")
    theory = with_tangent(theory.extend((alpha, change, *more)), {"theta": "Dtheta"})
    hypotheses = {**clamped(), "step": Statement(("l", "i", "j"), WEIGHTS, Eq(App("Dtheta", (l, i, j)), step))}
    return assuming(theory.extend(hypotheses=hypotheses), *ONE_PAIR)


def moved(factor: Term) -> Statement:
    """The output moves by ``factor`` r."""
    outputs = span(i, 0, width(NOW))
    return Statement(("i",), outputs, Tangent("weights", App("y", (0, NOW, i)), mul(factor, residual(i, NOW))))


def aligned() -> Statement:
    """The derivative of the output is parallel to r."""

    def gap(p: Idx, q: Idx) -> Term:
        return mul(App("Dy", (0, NOW, p)), residual(q, NOW))

    outputs = (*span(i, 0, width(NOW)), *span(k, 0, width(NOW)))
    return Statement(("i", "k"), outputs, Eq(gap(i, k), gap(k, i)))


def normalised_step() -> Claim:
    """dtheta^l = -a^l dF/dtheta^l and a^l <x^l, y^l> = alpha, ends clamped: y^0 moves by alpha r."""
    from ..tactics.linear_learning import normalised_script

    step = mul(-1, App("a", (l,)), App("gtheta", (l, i, j)))
    rate = Symbol("a", PARAMETER, 1, shape="layer", meaning="learning rate of the weights of a layer")
    return Claim(
        "linear_alignment",
        step_theory(step, rate).extend(hypotheses=rates()),
        (moved(App("alpha")),),
        script=normalised_script,
        title="Linear network: the normalised step moves the output along the error",
    )


def plain_step() -> Claim:
    """False: dtheta = -alpha dF/dtheta at the equilibrium moves the output along r."""
    from .linear import equilibrium

    theory = Linear().theory(("gx", "gtheta"))
    small = step_theory(mul(-1, App("alpha"), App("gtheta", (l, i, j))))
    gx = tuple(g for g in theory.definitions if g[0].name == "gx")
    theory = small.extend((theory.symbols["gx"],), gx, {"equilibrium": equilibrium()})
    return Claim(
        "linear_alignment_plain", theory, (aligned(),), title="Linear network: a step at equilibrium is aligned"
    )


def backprop_step() -> Claim:
    """False: backprop's change moves the output along r."""
    theory = backprop_theory(LinearMLP())
    change = Symbol("Dw", PARAMETER, 3, shape="layer, unit to, unit from", meaning="change of w")
    theory = with_tangent(theory.extend((change,)), {"w": "Dw"})
    same = Statement(("l", "i", "j"), WEIGHTS, Eq(App("Dw", (l, i, j)), App("dw", (l, i, j))))
    return Claim(
        "linear_alignment_backprop",
        assuming(theory.extend(hypotheses={"step": same}), *ONE_PAIR),
        (aligned(),),
        title="Linear network: the step of backprop is aligned",
    )


def one_layer() -> Claim:
    """L = 1: the steps of predictive coding and of backprop are one, and move the output by alpha |s_in|^2 r."""
    from ..tactics.linear_learning import one_layer_script

    theory = step_theory(mul(-1, App("alpha"), App("gtheta", (l, i, j))))
    square = total(width(NOW + 1), lambda q: mul(App("s_in", (NOW, q)), App("s_in", (NOW, q))))
    same = Eq(App("Dtheta", (1, i, j)), mul(App("alpha"), residual(i, NOW), App("s_in", (NOW, j))))
    ranges = (*span(i, 0, width(NOW)), *span(j, 0, width(NOW + 1)))
    return Claim(
        "linear_alignment_one_layer",
        assuming(theory, eq(L, 1)),
        (Statement(("i", "j"), ranges, same), moved(mul(App("alpha"), square))),
        script=one_layer_script,
        title="Linear network without hidden layers: the step is backprop's, and aligned",
    )
