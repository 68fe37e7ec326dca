"""The fully connected network: mu^l = theta^{l+1} f_{l+1}(x^{l+1}) (+ beta^{l+1}).

Activations belong to layers.  Song et al. apply f to every sending layer, the
input too; PyTorch's usual network applies none to the input: both are a choice
of f_L.
"""

from __future__ import annotations

from ..language.index import Idx
from ..language.signature import FUNCTION, Symbol
from ..language.terms import App, Term, add, mul, total
from .network import Network, State, WeightKind, Weights, width


class MLP(Network):
    """Fully connected layers of any depth and any widths, with or without biases."""

    def __init__(self, bias: bool = False) -> None:
        if not isinstance(bias, bool):
            raise TypeError(f"bias is True or False, got {bias!r}")
        self.bias = bias
        self.name = "MLP with biases" if bias else "MLP"

    @property
    def kinds(self) -> tuple[WeightKind, ...]:
        theta = WeightKind(
            "theta",
            "w",
            lambda l: (width(l - 1), width(l)),
            ("i", "j"),
            "layer, unit to, unit from",
            "weight from unit j of layer l to unit i of layer l-1",
        )
        beta = WeightKind(
            "beta", "c", lambda l: (width(l - 1),), ("i",), "layer, unit to", "bias of unit i of layer l-1"
        )
        return (theta, beta) if self.bias else (theta,)

    @property
    def functions(self) -> tuple[Symbol, ...]:
        return (
            Symbol("f", FUNCTION, 1, ((),), derivatives=("df",), shape="layer; value", meaning="activation of layer l"),
            Symbol("df", FUNCTION, 1, ((),), shape="layer; value", meaning="its derivative f'"),
        )

    def prediction(self, x: State, theta: Weights, layer: Idx, sample: Idx, unit: Idx) -> Term:
        """Eq. 5; with biases as in the supplement of Song et al."""
        above = layer + 1
        out = total(
            width(above),
            lambda j: mul(theta("theta", (above, unit, j)), App("f", (above,), (x(above, sample, j),))),
        )
        return add(out, theta("beta", (above, unit))) if self.bias else out
