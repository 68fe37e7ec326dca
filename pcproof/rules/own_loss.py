"""A network with an output loss of one's own, stated in the public words.

``OwnLoss(MLP(), lambda out, target: Sum(p[0] * (out - target) * (out - target)) / 2)`` is the network whose loss is
that of its outputs; backprop is that of this loss, its error at the output, -dE/dy^0, is derived.  Functions of which
nothing is known but that they have a derivative are named: ``OwnLoss(net, lambda out, target, h: Sum(h(out - target)),
functions="h")``.  ``output_loss(net)`` puts the loss into an energy.

Source: Salvatori et al. (2022), Pinchetti et al. (2022) for predictive coding with other output losses.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..language.index import qvar
from ..language.signature import FUNCTION, Symbol, Theory
from ..language.terms import App, Term, free_vars, subterms
from ..networks.losses import OUTPUT, TARGET, OtherLoss
from ..networks.network import Network
from .errors import RuleError
from .surface import Field, Scalar, parameter, short

ROLES = ("x", "mu", "eps", "delta", "s_in")  # what a loss of the outputs does not read


class OwnLoss(OtherLoss):
    """``net`` with the loss ``loss(out, target, *functions)``, a ``Scalar`` made of the outputs and the target.

    functions: names of differentiable functions of a number, separated by spaces; ``loss`` gets each as a word that is
        applied unit by unit.  The derivative of h is called dh.

    Raises RuleError where the loss is not a number, or reads something else than outputs, target and parameters.
    """

    loss_name = "own loss"

    def __init__(self, net: Network, loss: Callable[..., Scalar], functions: str = "") -> None:
        if not isinstance(net, Network):
            raise RuleError(f"a network such as MLP() was expected, got {short(net)}")
        if not callable(loss):
            raise RuleError(
                f"a loss is a function of outputs and target, like lambda out, target: ...; got {short(loss)}"
            )
        super().__init__(net)
        self._loss = loss
        self._names = tuple(functions.replace(",", " ").split())
        for name in self._names:
            for own in (name, "d" + name):
                parameter(net, own)  # refuses a name that has a meaning
        if len(set(self._names)) != len(self._names):
            raise RuleError(f"a function is named twice in {functions!r}")
        term = self.loss()
        read = {s.name for s in subterms(term) if isinstance(s, App)}
        stray = [*(read & {*ROLES, *(k.name for k in net.kinds)}), *free_vars(term)]
        if stray:
            raise RuleError(f"a loss is made of out and target, summed over their units; it reads {sorted(stray)[0]!r}")
        if "y" not in read:
            raise RuleError(f"the loss does not depend on the outputs: {short(term)}")

    @property
    def loss_functions(self) -> tuple[Symbol, ...]:
        value = ((),)
        return tuple(
            symbol
            for n in self._names
            for symbol in (
                Symbol(n, FUNCTION, 0, value, derivatives=("d" + n,), shape="value", meaning="function of the loss"),
                Symbol("d" + n, FUNCTION, 0, value, shape="value", meaning="its derivative"),
            )
        )

    def energy_theory(self) -> Theory:
        """The targets stand in the energy."""
        return super().energy_theory().extend((TARGET,))

    def loss(self, output: str = "y") -> Term:
        """The loss of the quantity ``output`` of layer 0."""
        out = Field(self, "state", OUTPUT, App(output, (OUTPUT, qvar("b"), qvar("i"))))
        target = Field(self, "state", OUTPUT, App("s_out", (qvar("b"), qvar("i"))))
        try:
            made = self._loss(out, target, *(partial(_apply, n) for n in self._names))
        except TypeError as e:
            words = ", ".join(("out", "target", *self._names))
            raise RuleError(f"the loss is called as loss({words}): {e}") from None
        if not isinstance(made, Scalar):
            raise RuleError(f"a loss is a number such as Sum(...) or sq(...), got {short(made)}")
        return made.term


def _apply(name: str, v: object) -> Field:
    """A function of a number, unit by unit."""
    if not isinstance(v, Field) or v.kind != "state":
        raise RuleError(f"{name} takes a quantity of the output such as out - target, got {short(v)}")
    return v._with(App(name, (), (v.term,)))


__all__ = ["OwnLoss"]
