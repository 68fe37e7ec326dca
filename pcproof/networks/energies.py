"""Networks with hidden energies other than the squared error.

``Rest(net)``: the hidden energy of a unit is (x - mu)^2 / 2 + r[l](x, mu), with
any differentiable r; every differentiable energy is of this form.
``Own(net)``: a term G[l](x) that does not depend on the prediction.
``Logarithms(net)``: log and its derivative, to write relative entropies with.
Loss and layers are those of ``net``.
"""

from __future__ import annotations

from ..language.signature import FUNCTION, Symbol
from ..language.terms import Term
from .losses import OtherLoss

PAIR = ((), ())
VALUE = ((),)


class _Hidden(OtherLoss):
    """The loss is that of ``net``."""

    def loss(self, output: str = "y") -> Term:
        return self.net.loss(output)


class Rest(_Hidden):
    """r[l](x, mu) and its derivatives r_x, r_mu."""

    loss_name = "any hidden energy"

    @property
    def loss_functions(self) -> tuple[Symbol, ...]:
        shape = "layer; activity, prediction"
        return (
            Symbol("r", FUNCTION, 1, PAIR, derivatives=("r_x", "r_mu"), shape=shape, meaning="rest of the energy"),
            Symbol("r_x", FUNCTION, 1, PAIR, shape=shape, meaning="its derivative by the activity"),
            Symbol("r_mu", FUNCTION, 1, PAIR, shape=shape, meaning="its derivative by the prediction"),
        )


class Own(_Hidden):
    """G[l](x) and its derivative dG."""

    loss_name = "energies of the activities alone"

    @property
    def loss_functions(self) -> tuple[Symbol, ...]:
        shape = "layer; activity"
        return (
            Symbol("G", FUNCTION, 1, VALUE, derivatives=("dG",), shape=shape, meaning="energy of an activity"),
            Symbol("dG", FUNCTION, 1, VALUE, shape=shape, meaning="its derivative"),
        )


class Logarithms(_Hidden):
    """log and its derivative."""

    loss_name = "logarithms"

    @property
    def loss_functions(self) -> tuple[Symbol, ...]:
        return (
            Symbol("log", FUNCTION, 0, VALUE, derivatives=("dlog",), shape="value", meaning="logarithm"),
            Symbol("dlog", FUNCTION, 0, VALUE, shape="value", meaning="its derivative"),
        )
