"""What "at time t" has to mean: four readings of the loop of Algorithms 1 and 2.

Source: Song et al. (2020), Algorithms 1 and 2, which print "update x" one line
above "update theta" inside one loop.

Read as in-place code none of the three orders gives backprop.  If everything
is computed from the values of time t and then written, all do.  So the
synchronous reading belongs to the hypotheses of Theorem 3.2.
"""

from dataclasses import replace
from functools import partial

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.networks.mlp import MLP
from pcproof.rules import zil
from pcproof.rules.claims import equals_backprop
from pcproof.rules.equations import ORDERS, SYNCHRONOUS, Equations

ORDER = 47
SOURCE = "Song et al. 2020"
PRINTED = "Algorithms 1 and 2"


def reading(order: str) -> Equations:
    """Z-IL with gamma = 1 in one update order."""
    return replace(zil(MLP(), gamma=1).equations, order=order)


def claim(order: str, id: str, title: str) -> Claim:
    return replace(equals_backprop(reading(order)), id=id, title=title, source=SOURCE)


def _entry(order: str) -> Entry:
    id = "order_" + order.replace("-", "_")
    title = f"Z-IL is backprop if in each step {ORDERS[order]}"
    proved = order == SYNCHRONOUS
    return Entry(
        id=id,
        title=title,
        source=SOURCE,
        equation=PRINTED + ("" if proved else " (E2)"),
        claim=partial(claim, order, id, title),
        kind="theorem" if proved else "refuted claim",
        expected="proved" if proved else "refuted",
        note="the reading on which Theorem 3.2 rests" if proved else "repaired: order_synchronous",
    )


ENTRIES = tuple(_entry(order) for order in ORDERS)
