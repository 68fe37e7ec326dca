"""Z-IL with any loss at the output: F = sum_{0<l<L} |x^l - mu^l|^2 / 2 + E(mu^0).

The output is not clamped, it is predicted: its error is -dE/dmu^0.  E is the
loss of the network (``networks/losses``).
Source: Song et al. (2020), Theorem 3.2, generalised; Pinchetti et al. (2022).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Union

from ..language.diff import diff
from ..language.index import Idx, eq, ge, qvar, span
from ..language.signature import PARAMETER, Claim, Eq, Statement, Symbol, Theory
from ..language.terms import ONE, App, Inv, Term, add, mul, neg, subst, total
from ..networks.losses import OUTPUT, TARGET, CrossEntropy, partition
from ..networks.network import B, Network, width
from .claims import change_at_moment, equals_backprop, error_at_moment, final_weights, gamma_power
from .equations import Equations, timed_theory
from .rule import Rule
from .surface import Eq as equation
from .surface import Number, Scalar, Sum, number, sq, symbols

l, b, i = qvar("l"), qvar("b"), qvar("i")
OUTPUTS = (*span(b, 0, B), *span(i, 0, width(OUTPUT)))


def output_loss(net: Network) -> Scalar:
    """The network's own loss of the predicted output mu[0], as a word for energies."""
    return Scalar(net, net.loss("mu"))


def zil_with_loss(net: Network, gamma: Union[Number, Scalar, None] = 1) -> Rule:
    """Z-IL on ``net`` with the network's own loss at the output; ``gamma=None`` keeps the step size a symbol."""
    x, mu, y, l, t, L, g, alpha = symbols(net, "x mu y l t L gamma alpha")
    if gamma is not None:
        g = gamma if isinstance(gamma, Scalar) else Scalar(net, number(gamma))
    weights = symbols(net, " ".join(k.name for k in net.kinds))
    F = Sum(sq(x[l] - mu[l]) / 2, (l, 1, L - 1)) + output_loss(net)
    return Rule(
        net,
        name="zil_loss",
        energy=F,
        start={x[l]: y[l]},
        step={x[l]: -g * F.diff(x[l])},
        learn={p[l + 1]: -alpha * F.diff(p[l + 1]) for p in weights},
        when=equation(t, l),
    )


def output_error(net: Network, output: str = "y") -> Term:
    """-dE/d(output) of sample b and unit i, as derived from the loss."""
    symbols = (Symbol(output, PARAMETER, 3), TARGET, *net.functions)
    theory = Theory(net.sizes, net.assumptions, {s.name: s for s in symbols})
    found = diff(theory, net.loss(output), App(output, (l, b, i)))
    (case,) = found.cases((eq(l, OUTPUT),), (*net.assumptions, *span(b, 0, B), *span(i, 0, width(l))))
    return neg(subst(case.value, {"l": OUTPUT}))


def at_outputs(term: Term) -> Statement:
    """delta^0 is ``term``, for every sample and output."""
    return Statement(("b", "i"), OUTPUTS, Eq(App("delta", (OUTPUT, b, i)), term))


def hidden_error(e: Equations, factor: Callable[[Idx], Term]) -> Statement:
    """eps of a hidden layer l at time l is factor(l) delta^l."""
    s = error_at_moment(e, factor)
    return replace(s, guards=tuple(ge(l, 1) if c == ge(l, 0) else c for c in s.guards))


def loss_law(e: Equations) -> Claim:
    """delta^0 = -dE/dy^0; at t = l errors of hidden layers and all changes are gamma^l times backprop's."""
    goals = (
        at_outputs(output_error(e.net)),
        hidden_error(e, gamma_power),
        *change_at_moment(e, gamma_power),
        *final_weights(e, lambda layer: gamma_power(layer - 1)),
    )
    return Claim(
        id=f"{e.name}_law",
        theory=timed_theory(e),
        goals=goals,
        equations=e,
        says="recursion",
        title=f"{e.name}: at t = l errors and changes are gamma^l times those of backprop of the same loss",
    )


def loss_is_backprop(e: Equations) -> Claim:
    """delta^0 = -dE/dy^0, eps^l at t = l is delta^l, and every weight ends where backprop puts it."""
    goals = (at_outputs(output_error(e.net)), hidden_error(e, lambda layer: ONE), *final_weights(e))
    title = f"{e.name}: every weight moves exactly as backprop of the same loss moves it"
    return replace(equals_backprop(e), goals=goals, title=title)


def cross_entropy_is_backprop(e: Equations) -> Claim:
    """delta^0 = s_out - (sum of the targets) softmax(y^0), where exp' = exp and log' is the reciprocal."""
    if not isinstance(e.net, CrossEntropy):
        raise ValueError(f"the cross-entropy is asked of a network with that loss, not of {e.net.name}")

    def output(unit: Idx) -> App:
        return App("y", (OUTPUT, b, unit))

    z = partition(b)
    sample = span(b, 0, B)
    exponential = Eq(App("dexp", (), (output(i),)), App("exp", (), (output(i),)))
    hypotheses = {
        "exp_is_its_derivative": Statement(("b", "i"), OUTPUTS, exponential),
        "log_has_the_reciprocal": Statement(("b",), sample, Eq(App("dlog", (), (z,)), Inv(z))),
    }
    targets = total(width(OUTPUT), lambda j: App("s_out", (b, j)))
    softmax = mul(App("exp", (), (output(i),)), Inv(z))
    first = at_outputs(add(App("s_out", (b, i)), mul(-1, targets, softmax)))
    claim = loss_is_backprop(e)
    return replace(claim, theory=claim.theory.extend(hypotheses=hypotheses), goals=(first, *claim.goals[1:]))
