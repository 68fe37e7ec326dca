"""The linear network: mu^l = theta^{l+1} x^{l+1}, without activations and without biases."""

from __future__ import annotations

from ..language.index import Idx
from ..language.signature import Symbol
from ..language.terms import Term, mul, total
from .mlp import MLP
from .network import State, Weights, width


class LinearMLP(MLP):
    """Fully connected linear layers of any depth and any widths."""

    def __init__(self) -> None:
        self.bias = False
        self.name = "linear MLP"

    @property
    def functions(self) -> tuple[Symbol, ...]:
        return ()

    def prediction(self, x: State, theta: Weights, layer: Idx, sample: Idx, unit: Idx) -> Term:
        """Eq. 5 of Song et al. with f the identity."""
        above = layer + 1
        return total(width(above), lambda j: mul(theta("theta", (above, unit, j)), x(above, sample, j)))
