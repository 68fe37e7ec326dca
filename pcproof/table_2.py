"""Table 2 of Song et al. (2020), computed: equivalence, local plasticity, partial and full autonomy.

*Equivalence* comes from the catalogue: a proved theorem against a refuted
claim.  *Local plasticity* from the read sets of the derived updates
(``locality``).  *Autonomy* from the same equations: what the neurons, and what
neurons and synapses, read of the time (``rules/autonomy``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .catalogue import Entry, entries
from .language.signature import Claim
from .locality import LOCAL, Row, inference_learning, table_2
from .networks.network import Network
from .result import Result
from .rules.autonomy import clocks, neuron_clocks, switched
from .rules.fazil import fazil
from .rules.zil import zil

COLUMNS = ("equivalence", "local plasticity", "partial autonomy", "full autonomy")
PRINTED = {
    "BP": (True, False, False, False),
    "IL": (False, True, True, False),
    "Z-IL": (True, True, True, False),
    "Fa-Z-IL": (True, True, True, True),
}
#: the claim "the model makes backprop's weight changes", as an entry of the catalogue
EQUIVALENCE = {"BP": "backprop_gradient", "IL": "condition_c2_at_once", "Z-IL": "zil", "Fa-Z-IL": "fazil_no_harm"}
MARK = {"proved": True, "refuted": False}


@dataclass(frozen=True)
class Cell:
    """One mark: as printed, as found (None where it is unknown), and why."""

    column: str
    printed: bool
    found: bool | None
    why: str

    @property
    def agrees(self) -> bool:
        return self.found is self.printed

    @property
    def text(self) -> str:
        """The mark that was found, and the printed one where it differs."""
        words = {True: "yes", False: "no", None: "unknown"}
        return words[self.found] if self.agrees else f"{words[self.found]} (printed: {words[self.printed]})"


@dataclass(frozen=True)
class Model:
    """A row: what is printed of a model and what was found."""

    name: str
    cells: tuple[Cell, ...]

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "model": self.name,
            "cells": [
                {"column": c.column, "printed": c.printed, "found": c.found, "agrees": c.agrees, "why": c.why}
                for c in self.cells
            ],
        }


def _proved(claim: Claim) -> Result:
    from .api import prove

    return prove(claim)


def computed(
    net: Network, verdict: Callable[[Entry], Result] | None = None, rows: Sequence[Row] = ()
) -> tuple[Model, ...]:
    """All four columns on ``net``.

    verdict: gives the result of an entry, if it is known already; rows: the column "local plasticity", if it is.
    """
    ask = verdict or (lambda entry: _proved(entry.claim()))
    local = {row.model: row.found for row in rows or table_2(net)}
    rules = {"IL": inference_learning(net), "Z-IL": zil(net), "Fa-Z-IL": fazil(net)}
    out = []
    for model, printed in PRINTED.items():
        result = ask(entries()[EQUIVALENCE[model]])
        equal = (MARK.get(result.verdict), f"{EQUIVALENCE[model]} is {result.verdict}")
        found = local[model]
        plastic = (None if found.verdict == "unknown" else found.verdict == LOCAL, found.sentence())
        if model in rules:
            neurons, all_clocks = (of(rules[model].equations) for of in (neuron_clocks, clocks))
        else:
            neurons = all_clocks = switched(net)
        autonomous = [(not said, "; ".join(said) or "no equation reads the time") for said in (neurons, all_clocks)]
        cells = (Cell(c, p, f, why) for c, p, (f, why) in zip(COLUMNS, printed, (equal, plastic, *autonomous)))
        out.append(Model(model, tuple(cells)))
    return tuple(out)
