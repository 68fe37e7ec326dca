"""The mutation table: every mutant refuted, or proved still true and the theorem that it does break named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..language.signature import Claim
from ..rules.equations import Equations
from .counterexample import Counterexample
from .mutate import ClaimMutant, Mutant, mutants
from .search import DEFAULT, Limits, refute

QUICK = Limits(max_depth=2, work=1_800_000)
REFUTED, STILL_TRUE, UNKNOWN = "refuted", "still true", "unknown"
MakeClaim = Callable[[Equations], Claim]


@dataclass(frozen=True)
class Breaks:
    """Another theorem that a mutant breaks."""

    id: str
    counterexample: Counterexample


@dataclass(frozen=True)
class Row:
    """One mutant.

    verdict: "refuted" (by ``counterexample``), "still true" (proved) or "unknown".
    breaks: the first other theorem that the mutant breaks, if it is not refuted.
    note: why nothing is known, or how far the search went.
    """

    name: str
    description: str
    verdict: str
    counterexample: Counterexample | None = None
    breaks: Breaks | None = None
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "description": self.description,
            "verdict": self.verdict,
            "counterexample": None if self.counterexample is None else self.counterexample.as_dict(),
            "breaks": None
            if self.breaks is None
            else {"id": self.breaks.id, "counterexample": self.breaks.counterexample.as_dict()},
            "note": self.note,
        }

    def text(self) -> str:
        """One or two lines."""
        out = f"{self.name}: {self.verdict}"
        if self.counterexample is not None:
            out += f"\n    {self.counterexample.text()}"
        if self.breaks is not None:
            out += f"\n    breaks {self.breaks.id}: {self.breaks.counterexample.text()}"
        return out


def is_proved(result: Any) -> bool:
    """Read the answer of a prover: ``True``, or an object whose ``verdict`` is "proved"."""
    return result is True or getattr(result, "verdict", None) == "proved"


def mutation_table(
    claim_from_equations: MakeClaim,
    equations: Equations,
    prove: Callable[[Claim], Any],
    others: Mapping[str, MakeClaim],
    limits: Limits = DEFAULT,
    chosen: Iterable[Mutant] | None = None,
) -> list[Row]:
    """One row for each mutant of ``equations`` (or for those ``chosen``).

    prove: gives True or something with a ``verdict``; ``others``: theorems that
    hold of ``equations`` and are looked at for mutants that stay true.
    """
    out = []
    for m in mutants(equations) if chosen is None else chosen:
        try:
            claim = claim_from_equations(m.equations)
        except ValueError as e:
            out.append(Row(m.name, m.description, UNKNOWN, note=f"no claim: {e}"))
            continue
        made: dict[str, Callable[[], Claim]] = {n: partial(c, m.equations) for n, c in others.items()}
        out.append(_row(m.name, m.description, claim, prove, limits, made))
    return out


def claim_table(
    chosen: Iterable[ClaimMutant],
    prove: Callable[[Claim], Any],
    limits: Limits = DEFAULT,
    others: Mapping[str, Callable[[ClaimMutant], Claim | None]] | None = None,
) -> list[Row]:
    """One row for each mutant of a claim: hypotheses dropped, guards weakened, definitions changed."""
    out = []
    for m in chosen:
        made: dict[str, Callable[[], Claim | None]] = {n: partial(c, m) for n, c in (others or {}).items()}
        out.append(_row(m.name, m.description, m.claim, prove, limits, made))
    return out


def _row(
    name: str,
    description: str,
    claim: Claim,
    prove: Callable[[Claim], Any],
    limits: Limits,
    others: Mapping[str, Callable[[], Claim | None]],
) -> Row:
    """Refuted by a quick search, or proved still true, or searched for long."""
    quick = refute(claim, QUICK).counterexample
    if quick is not None:
        return Row(name, description, REFUTED, quick)
    refused = ""
    try:
        proved = is_proved(prove(claim))
    except ValueError as e:
        proved, refused = False, f"; {e}"
    if proved:
        return Row(name, description, STILL_TRUE, None, _broken(others, limits), "proved by the kernel")
    found = refute(claim, limits)
    if found.counterexample is not None:
        return Row(name, description, REFUTED, found.counterexample)
    note = found.text() if not found.undefined else f"{found.text()}; no value: {found.undefined}"
    return Row(name, description, UNKNOWN, None, _broken(others, limits), note + refused)


def _broken(others: Mapping[str, Callable[[], Claim | None]], limits: Limits) -> Breaks | None:
    for name, make in others.items():
        try:
            claim = make()
            found = None if claim is None else refute(claim, limits).counterexample
        except ValueError:
            continue  # the other theorem cannot be stated for this mutant
        if found is not None:
            return Breaks(name, found)
    return None
