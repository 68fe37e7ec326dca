"""Both solvers on all obligations of a certificate: what each says, and whether they agree."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ...proof.acceptance import ACCEPTED, NOT_RUN, REJECTED, UNKNOWN, Acceptance
from . import obligation
from .certificate import Json
from .export import Export, export, sha256
from .indices import SmtError
from .solver import SOLVERS, Answer, answers, get, version

EACH, TOTAL = 10.0, 600.0  # seconds: for one obligation, and for all of a certificate


@dataclass
class Checked:
    """answers: of each solver that is there, one for each obligation.  agreement: obligations by who gave the expected
    answer ("both", "z3 only", "cvc5 only", "none"), empty unless both solvers ran.  contradictions: obligations of
    which one solver says sat and the other unsat.
    """

    export: Export
    text: str
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    acceptances: list[Acceptance] = field(default_factory=list)
    agreement: dict[str, int] = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **self.export.as_dict(), "acceptances": [a.as_dict() for a in self.acceptances],
            "agreement": self.agreement, "contradictions": self.contradictions,
        }  # fmt: skip


def given(data: Json) -> str:
    """SHA-256 of the text that the solvers read.  Raises ``SmtError``."""
    return sha256(export(data).text())


def accept(data: Json, timeout: float = TOTAL, each: float = EACH) -> list[Acceptance]:
    """What z3 and cvc5 say of a certificate; each has ``timeout`` seconds, and ``each`` of them for one obligation.

    "accepted": every obligation has the expected answer.  "rejected": one has the opposite.  "unknown": one has none
    in time.  "not run": the wheel is missing, or the data cannot be exported.
    """
    try:
        return check(data, timeout, each).acceptances
    except SmtError as e:
        known = str(data.get("digest", "")) if isinstance(data, dict) else ""
        return [Acceptance(s, version(s), NOT_RUN, known, "", 0.0, (), f"not exported: {e}") for s in SOLVERS]


def check(data: Json, timeout: float = TOTAL, each: float = EACH) -> Checked:
    """As ``accept``, with everything that the solvers said.  Raises ``SmtError``."""
    return ask(export(data), timeout, each)


def ask(exported: Export, timeout: float = TOTAL, each: float = EACH) -> Checked:
    """As ``check``, for obligations that are there already."""
    out = Checked(exported, exported.text())
    scripts = [o.text for o in exported.obligations]
    for solver in SOLVERS:
        if version(solver):
            out.answers[solver] = list(answers(solver, scripts, each, timeout))
    if len(out.answers) == len(SOLVERS):
        _compare(out)
    out.acceptances = [_acceptance(out, solver) for solver in SOLVERS]
    return out


def _compare(out: Checked) -> None:
    counts: Counter[str] = Counter()
    for o, *found in zip(out.export.obligations, *(out.answers[s] for s in SOLVERS)):
        right = [s for s, a in zip(SOLVERS, found) if a.said == o.expected]
        counts["both" if len(right) == len(SOLVERS) else f"{right[0]} only" if right else "none"] += 1
        if {a.said for a in found} == {obligation.SAT, obligation.UNSAT}:
            said = ", ".join(f"{s} says {a.said}" for s, a in zip(SOLVERS, found))
            out.contradictions.append(f"{o.where}: {said}")
    out.agreement = {k: counts[k] for k in ("both", *(f"{s} only" for s in SOLVERS), "none")}


def _acceptance(out: Checked, solver: str) -> Acceptance:
    verdict, detail = _judge(out, solver)
    seconds = sum(a.seconds for a in out.answers.get(solver, []))
    return Acceptance(
        solver,
        version(solver),
        verdict,
        out.export.digest,
        sha256(out.text),
        seconds,
        tuple(out.export.assumed),
        detail,
    )


def _judge(out: Checked, solver: str) -> tuple[str, str]:
    if solver not in out.answers:
        return NOT_RUN, get(solver)
    pairs = list(zip(out.export.obligations, out.answers[solver]))
    wrong = [(o, a) for o, a in pairs if a.said not in (o.expected, obligation.UNKNOWN)]
    if wrong:
        o, a = wrong[0]
        return REJECTED, f"{o.where}: {a.said}, where {o.expected} is expected; {len(wrong)} of {len(pairs)} are so"
    silent = [(o, a) for o, a in pairs if a.said == obligation.UNKNOWN]
    if silent:
        o, a = silent[0]
        return UNKNOWN, f"{o.where}: {a.why}; {len(silent)} of {len(pairs)} are so"
    if out.contradictions:
        return UNKNOWN, f"the solvers contradict each other at {out.contradictions[0]}"
    return ACCEPTED, ""
