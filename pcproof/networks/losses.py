"""Networks whose loss is not the squared error.

``AnyLoss(net)``: the loss of sample b is ``Loss[b](output)``, any function of
its outputs; the target is part of which function it is.  ``dLoss`` is its
derivative by one output.  ``CrossEntropy(net)``: softmax cross-entropy,
written with exp and log.  Everything else is that of ``net``; the error of
backprop at the output, -dE/dy^0, is derived as ever.

Source: Salvatori et al. (2022) and Pinchetti et al. (2022) for PC with other
output losses.
"""

from __future__ import annotations

from ..language.index import Con, Idx, QVar
from ..language.signature import FUNCTION, OPERATOR, PARAMETER, Symbol, Theory
from ..language.terms import App, Lam, Term, add, close_lam, mul, neg, total
from .network import B, Network, State, WeightKind, Weights, width

OUTPUT = Idx(0)
TARGET = Symbol("s_out", PARAMETER, 2, shape="batch, unit", meaning="target")


class OtherLoss(Network):
    """The network ``net`` with another loss; subclasses give ``loss_functions`` and ``loss``."""

    loss_name = "loss"

    def __init__(self, net: Network) -> None:
        if not isinstance(net, Network):
            raise TypeError(f"a network such as MLP() was expected, got {net!r}")
        self.net = net
        self.name = f"{net.name}, {self.loss_name}"
        self.sizes = net.sizes
        self.assumptions: tuple[Con, ...] = net.assumptions

    @property
    def kinds(self) -> tuple[WeightKind, ...]:
        return self.net.kinds

    @property
    def loss_functions(self) -> tuple[Symbol, ...]:
        """Functions that the loss is made of, with their derivatives."""
        raise NotImplementedError

    @property
    def functions(self) -> tuple[Symbol, ...]:
        return (*self.net.functions, *self.loss_functions)

    def prediction(self, x: State, theta: Weights, layer: Idx, sample: Idx, unit: Idx) -> Term:
        return self.net.prediction(x, theta, layer, sample, unit)


class AnyLoss(OtherLoss):
    """Any loss that is a sum over samples of a differentiable function of the outputs."""

    loss_name = "any loss"

    @property
    def loss_functions(self) -> tuple[Symbol, ...]:
        outputs = ((width(OUTPUT),),)
        return (
            Symbol(
                "Loss",
                OPERATOR,
                1,
                outputs,
                derivatives=("dLoss",),
                shape="batch; outputs",
                meaning="loss of a sample, as a function of its outputs",
            ),
            Symbol(
                "dLoss", OPERATOR, 2, outputs, shape="batch, unit; outputs", meaning="derivative of Loss by one output"
            ),
        )

    def loss(self, output: str = "y") -> Term:
        """Sum over samples of Loss."""
        k = Idx.of(QVar("?k"))

        def of(sample: Idx) -> Term:
            return App("Loss", (sample,), (Lam(1, close_lam(App(output, (0, sample, k)), ("?k",))),))

        return total(B, of)


class CrossEntropy(OtherLoss):
    """-sum_i s_out_i log softmax(y^0)_i, as (sum_i s_out_i) log(sum_i exp(y^0_i)) - sum_i s_out_i y^0_i."""

    loss_name = "softmax cross-entropy"

    @property
    def loss_functions(self) -> tuple[Symbol, ...]:
        value = ((),)
        return (
            Symbol("exp", FUNCTION, 0, value, derivatives=("dexp",), shape="value", meaning="exponential"),
            Symbol("dexp", FUNCTION, 0, value, shape="value", meaning="its derivative"),
            Symbol("log", FUNCTION, 0, value, derivatives=("dlog",), shape="value", meaning="logarithm"),
            Symbol("dlog", FUNCTION, 0, value, shape="value", meaning="its derivative"),
        )

    def energy_theory(self) -> Theory:
        """The targets stand in the energy."""
        theory = super().energy_theory()
        return theory.extend((TARGET,))

    def loss(self, output: str = "y") -> Term:
        def sample(s: Idx) -> Term:
            targets = total(width(OUTPUT), lambda i: App("s_out", (s, i)))
            hits = total(width(OUTPUT), lambda i: mul(App("s_out", (s, i)), App(output, (0, s, i))))
            return add(mul(targets, App("log", (), (partition(s, output),))), neg(hits))

        return total(B, sample)


def partition(sample: Idx, output: str = "y") -> Term:
    """Sum over the outputs of their exponentials."""
    return total(width(OUTPUT), lambda i: App("exp", (), (App(output, (0, sample, i)),)))
