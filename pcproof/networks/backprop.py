"""Backprop, derived: forward pass y, deltas and weight changes of a network.

The recursion is the stationarity of the Lagrangian
-E(y^0) + sum_{l<L} <delta^l, P(y^{l+1})> in y (eqs 3 and 4 of Song et al.);
nothing is typed but the loss and the network's prediction.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ..language.diff import diff
from ..language.index import Idx, eq, ge, le, qvar, span
from ..language.signature import DEFINED, PARAMETER, Case, Definition, Symbol, Theory
from ..language.terms import App, Term, mul, neg, total
from .network import B, L, Network, width

DATA = (
    Symbol("s_in", PARAMETER, 2, shape="batch, unit", meaning="input"),
    Symbol("s_out", PARAMETER, 2, shape="batch, unit", meaning="target"),
    Symbol("alpha", PARAMETER, 0, shape="scalar", meaning="learning rate of the weights"),
)


def initial_symbols(net: Network) -> tuple[Symbol, ...]:
    """The weights of the ANN: those in force at the start."""
    return tuple(
        Symbol(k.initial, PARAMETER, 1 + len(k.units), shape=k.shape, meaning=k.meaning + ", at the start")
        for k in net.kinds
    )


def weight_names(net: Network) -> dict[str, str]:
    """The ANN's weights are those of the PC network at the start, under names of their own."""
    return {k.name: k.initial for k in net.kinds}


def lagrangian(net: Network, initial: Mapping[str, str]) -> tuple[Theory, Term]:
    """-E(y^0) + sum over layers of <delta, prediction from y>, with y and delta free."""
    symbols = (
        *DATA,
        *(Symbol(initial[k.name], PARAMETER, 1 + len(k.units)) for k in net.kinds),
        *net.functions,
        Symbol("y", PARAMETER, 3, shape="layer, batch, unit", meaning="activity"),
        Symbol("delta", PARAMETER, 3, shape="layer, batch, unit", meaning="multiplier"),
    )
    theory = Theory(net.sizes, net.assumptions, {s.name: s for s in symbols})

    def pairing(l: Idx, b: Idx, i: Idx) -> Term:
        p = net.prediction(lambda *a: App("y", a), lambda k, a: App(initial[k], a), l, b, i)
        return mul(App("delta", (l, b, i)), p)

    term = total(L, lambda l: total(B, lambda b: total(width(l), lambda i: pairing(l, b, i))))
    return theory, neg(net.loss()) + term


@lru_cache(maxsize=64)
def backprop_definitions(
    net: Network, own_weights: bool = True
) -> tuple[tuple[Symbol, ...], tuple[tuple[Definition, ...], ...]]:
    """Symbols and definitions of y, delta and the changes dw, ready for a theory with ``DATA``.

    own_weights: the ANN's weights have names of their own (w, c); otherwise
    they are the PC network's (theta, beta), and no changes are defined.
    """
    initial = weight_names(net) if own_weights else {k.name: k.name for k in net.kinds}
    l, b, i = qvar("l"), qvar("b"), qvar("i")
    forward = net.prediction(lambda *a: App("y", a), lambda k, a: App(initial[k], a), l, b, i)
    y = Definition(
        "y",
        ("l", "b", "i"),
        (
            Case((ge(l, 0), le(l + 1, L)), forward),
            Case((eq(l, L),), App("s_in", (b, i))),
        ),
        (L - l,),
    )
    theory, lagrange = lagrangian(net, initial)
    state_ranges = (*span(b, 0, B), *span(i, 0, width(l)))
    d = diff(theory, lagrange, App("y", (l, b, i)))
    cases = d.cases((ge(l, 0), le(l + 1, L)), (*net.assumptions, *state_ranges))
    delta = Definition("delta", ("l", "b", "i"), cases, (l,))
    groups: list[tuple[Definition, ...]] = [(y,), (delta,)]
    symbols = [
        Symbol("y", DEFINED, 3, shape="layer, batch, unit", meaning="activity of the ANN (forward pass)"),
        Symbol("delta", DEFINED, 3, shape="layer, batch, unit", meaning="error of backprop, -dE/dy"),
    ]
    for k in net.kinds if own_weights else ():
        units = tuple(qvar(u) for u in k.units)
        ranges = tuple(c for u, bound in zip(units, k.bounds(l)) for c in span(u, 0, bound))
        g = diff(theory, lagrange, App(k.initial, (l, *units)))
        cases = g.cases((ge(l, 1), le(l, L)), (*net.assumptions, *ranges))
        change = tuple(Case(c.guard, mul(App("alpha"), c.value)) for c in cases)
        groups.append((Definition(k.initial_change, ("l", *k.units), change),))
        symbols.append(
            Symbol(k.initial_change, DEFINED, 1 + len(units), shape=k.shape, meaning="change made by backprop")
        )
    return tuple(symbols), tuple(groups)
