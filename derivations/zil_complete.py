"""Z-IL in one theorem: what each step is, and where the weights end.

Source: Song et al. (2020), eqs 6, 7, 9 and Theorem 3.2.

The network runs; at every time t the activities move by -gamma dF/dx and the
weights whose moment it is by -alpha dF/dtheta, F and its derivatives taken at
the state of time t; after its moment each weight is where backprop's recursion
puts it.  The sign of -eps, which the last statement alone does not show, is
pinned by the first.
"""

from dataclasses import replace

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.networks.mlp import MLP
from pcproof.rules import zil
from pcproof.rules.claims import with_c3
from pcproof.rules.complete import complete
from pcproof.rules.equations import Equations
from pcproof.rules.rule import Rule

ORDER = 43
SOURCE = "Song et al. 2020"
TITLE = "Z-IL: every step is a gradient step on F, and every weight ends where backprop puts it"


def rule() -> Rule:
    return zil(MLP(bias=True), gamma=None)


def of(e: Equations) -> Claim:
    return replace(with_c3(complete(e)), id="zil_complete", title=TITLE, source=SOURCE)


ENTRIES = (
    Entry(
        id="zil_complete",
        title=TITLE,
        source=SOURCE,
        equation="6, 7, 9, Theorem 3.2",
        claim=lambda: of(rule().equations),
        rule=rule,
        of=of,
    ),
)
