"""Sweeps: in one time step the layers are visited one after the other, and a visit sees what earlier ones have written.

The visit of layer l moves x[l] and changes theta[l], the weights that lead from layer l to layer l - 1, both from the
same state.  From the output (l = 1, 2, ..., L): of layers below l it sees the values of t + 1, of the others those of
t; its feedback is the error x[t+1] - mu[t] of layer l - 1.  So a whole step of size 1 carries the error of the output
through all layers, and what is learnt at t = 0 is backprop's change.  From the input (l = L, ..., 2, 1): of layers
above l it sees the values of t + 1.  There nothing has moved before the wave comes, so the wave is that of the
synchronous order, and theta[l + 1] learns at t = l.

Source: Gauss-Seidel iteration, in place of Song et al. (2020), Algorithm 1, whose order is synchronous.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..language.arith import entails
from ..language.index import Con, Idx, eq, qvar
from ..language.terms import App, Term, replace_apps, subterms
from ..networks.network import L, Network
from .errors import RuleError

FROM_OUTPUT, FROM_INPUT = "from-output", "from-input"
SWEEPS = {
    FROM_OUTPUT: "layer after layer, from the output to the input; a layer sees what those before it have written",
    FROM_INPUT: "layer after layer, from the input to the output; a layer sees what those before it have written",
}
FURTHEST = 4  # layers that a visit may read are at most so far away
l = qvar("l")


def distance(layer: Idx, guard: Iterable[Con]) -> int:
    """c, where the guard says that ``layer`` is l + c.  Raises RuleError where it does not."""
    known = tuple(guard)
    for c in sorted(range(-FURTHEST, FURTHEST + 1), key=abs):
        if entails(known, eq(layer, l + c)):
            return c
    raise RuleError(f"in a sweep layer l reads layers at a fixed distance such as l + 1, and this rule reads {layer!r}")


def seen(term: Term, net: Network, order: str, old: Idx, guard: tuple[Con, ...]) -> Term:
    """A static term as the visit of layer l sees it in the step from ``old`` to ``old`` + 1."""
    guard = (*net.assumptions, *guard)
    kinds = {k.name for k in net.kinds}

    def fresh(c: int) -> bool:
        """Was layer l + c visited before?"""
        return c < 0 if order == FROM_OUTPUT else c > 0

    def put(a: App) -> Term | None:
        if not (a.name in kinds or (a.name in ("x", "mu", "eps") and len(a.idx) == 3)):
            return None
        c = distance(a.idx[0], guard)
        own, above = fresh(c), fresh(c + 1)
        new = above if a.name == "mu" else own
        if a.name == "eps" and own != above:
            return App("eps_mixed", (old, *a.idx))
        return App(a.name, (old + 1 if new else old, *a.idx))

    return replace_apps(term, put)


def measures(
    net: Network, order: str, terms: Iterable[tuple[Term, tuple[Con, ...]]], t: Idx
) -> dict[str, tuple[Idx, Idx]]:
    """By symbol, measures that go down in every read of the ``terms`` (each with its guard).

    A visit counts k for each time step and 1 for each layer, k more than the layers that a read looks ahead.
    """
    names = {"x", "mu", "eps", *(k.name for k in net.kinds)}
    reach = [
        distance(s.idx[0], (*net.assumptions, *guard))
        for term, guard in terms
        for s in subterms(term)
        if isinstance(s, App) and s.name in names
    ]
    if order == FROM_OUTPUT:
        k = 2 + max([0, *reach])
        visit, mu, error, late = k * t + l, k * t + l + 1, k * t + l + 1, k * (t + 1) + l
    else:
        k = 2 + max([0, *(-c for c in reach)])
        visit, mu, error, late = k * t + L - l, k * t + L - l - 1, k * t + L - l, k * (t + 1) + L - l - 1
    change = late - 1 if order == FROM_OUTPUT else late
    ranks = {"x": (visit, 0), "theta": (visit, 0), "mu": (mu, 1), "eps": (error, 2), "eps_mixed": (late, 3)}
    ranks["change"] = (change, 4)
    return {n: (m, Idx(rank)) for n, (m, rank) in ranks.items()}
