"""The chain of layers in general: mu^l = P_{l+1}(theta^{l+1}, x^{l+1}).

P is any map of a layer's parameters and activities; ``Jx`` and ``Jp`` are its
Jacobians by activities and by parameters, so that the feedback is the
transposed Jacobian applied to the error.  Dense, convolutional, normalised
and attention layers are instances.
"""

from __future__ import annotations

from ..language.index import Idx, QVar, size
from ..language.signature import OPERATOR, Symbol
from ..language.terms import App, Lam, Term, close_lam
from .network import Network, State, WeightKind, Weights, width


class Chain(Network):
    """Layers l = L..1 with m(l) parameters and an arbitrary differentiable map each."""

    name = "chain of arbitrary layers"
    sizes = {"L": 0, "B": 0, "n": 1, "m": 1}

    @property
    def kinds(self) -> tuple[WeightKind, ...]:
        return (
            WeightKind(
                "theta", "w", lambda l: (size("m", l),), ("p",), "layer, parameter", "parameter p of the map of layer l"
            ),
        )

    @property
    def functions(self) -> tuple[Symbol, ...]:
        layer = Idx.of(QVar("0"))
        ranges = ((size("m", layer),), (width(layer),))
        return (
            Symbol(
                "P",
                OPERATOR,
                2,
                ranges,
                derivatives=("Jp", "Jx"),
                shape="layer, unit; parameters, activities",
                meaning="what layer l predicts for unit i of layer l-1",
            ),
            Symbol(
                "Jp",
                OPERATOR,
                3,
                ranges,
                shape="layer, unit, parameter; parameters, activities",
                meaning="derivative of P by parameter p",
            ),
            Symbol(
                "Jx",
                OPERATOR,
                3,
                ranges,
                shape="layer, unit, unit; parameters, activities",
                meaning="derivative of P by activity k",
            ),
        )

    def prediction(self, x: State, theta: Weights, layer: Idx, sample: Idx, unit: Idx) -> Term:
        above, p, k = layer + 1, Idx.of(QVar("?p")), Idx.of(QVar("?k"))
        return App(
            "P",
            (above, unit),
            (
                Lam(1, close_lam(theta("theta", (above, p)), ("?p",))),
                Lam(1, close_lam(x(above, sample, k), ("?k",))),
            ),
        )
