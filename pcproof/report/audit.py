"""The literature audit: every claim with its verdict and authority, by paper; the errata; Table 2."""

from __future__ import annotations

from dataclasses import dataclass

from ..audit import ErratumRow, by_paper, errata, repaired_by
from ..catalogue import Entry
from ..networks.network import Network
from ..proof.acceptance import ACCEPTED
from ..result import Proved, Refuted, Result
from ..table_2 import COLUMNS, Model, computed


@dataclass(frozen=True)
class AuditRow:
    """One claim of the literature."""

    entry: Entry
    result: Result
    repaired: tuple[Entry, ...]

    @property
    def as_expected(self) -> bool:
        return self.result.verdict == self.entry.expected

    @property
    def authority(self) -> str:
        own = [a for a in self.result.authority if not a.startswith("independent checker")]
        checkers = self.result.checkers if isinstance(self.result, Proved) else ()
        return ", ".join(own + [a.checker for a in checkers if a.verdict == ACCEPTED])

    @property
    def witness(self) -> str:
        """The smallest counterexample, if the claim is refuted."""
        return str(self.result.counterexample.text()) if isinstance(self.result, Refuted) else ""


@dataclass(frozen=True)
class Audit:
    """What the section of the page shows."""

    papers: tuple[tuple[str, tuple[AuditRow, ...]], ...]
    errata: tuple[ErratumRow, ...]
    columns: tuple[str, ...]
    models: tuple[Model, ...]
    verdicts: dict[str, str]

    @property
    def counts(self) -> dict[str, int]:
        """How many claims have each verdict."""
        rows = [r for _, rows in self.papers for r in rows]
        return {v: sum(r.result.verdict == v for r in rows) for v in ("proved", "refuted", "unknown")}


def audit(known: dict[str, Entry], results: dict[str, Result], net: Network) -> Audit:
    """All of it, from results that are there already."""
    papers = []
    for name, found in by_paper(known.values()).items():
        papers.append((name, tuple(AuditRow(e, results[e.id], repaired_by(e, known)) for e in found)))
    models = computed(net, lambda entry: results[entry.id])
    verdicts = {id: r.verdict for id, r in results.items()}
    return Audit(tuple(papers), errata(known), COLUMNS, models, verdicts)
