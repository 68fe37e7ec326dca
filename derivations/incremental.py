"""Incremental predictive coding: its first updates are backprop's, the whole is not.

Source: Salvatori et al. (2024), incremental predictive coding; the statement
about first updates is a corollary of the gamma law of Z-IL.

    x_0 = y;  at every t, from the same F_t:  x_{t+1} = x_t - gamma dF_t/dx,
    theta_{t+1} = theta_t - alpha dF_t/dtheta

No error reaches layer l before t = l, so theta^{l+1} first moves at t = l, by
gamma^l times backprop's change: exactly backprop's for gamma = 1.  Later moves
come on top.
"""

from dataclasses import replace

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.networks.mlp import MLP
from pcproof.rules.equations import Equations
from pcproof.rules.incremental import first_update, incremental, whole_update
from pcproof.rules.rule import Rule

ORDER = 61
SOURCE = "Salvatori et al. 2024"
FIRST = "Incremental PC: the first update of theta^{l+1} comes at t = l and is gamma^l times backprop's"
WHOLE = "Incremental PC with gamma = 1: after L steps every weight is where backprop puts it"


def rule() -> Rule:
    return incremental(MLP(bias=True), None)


def of(e: Equations) -> Claim:
    return replace(first_update(e), id="incremental_first_update", title=FIRST, source=SOURCE)


def whole() -> Claim:
    claim = whole_update(incremental(MLP()).equations)
    return replace(claim, id="incremental_whole_update", title=WHOLE, source=SOURCE)


ENTRIES = (
    Entry(
        id="incremental_first_update",
        title=FIRST,
        source=SOURCE,
        equation="",
        claim=lambda: of(rule().equations),
        rule=rule,
        of=of,
    ),
    Entry(
        id="incremental_whole_update",
        title=WHOLE,
        source=SOURCE,
        equation="",
        claim=whole,
        kind="refuted claim",
        expected="refuted",
        note="repaired: incremental_first_update",
    ),
)
