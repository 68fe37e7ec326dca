"""What an independent program said about a certificate.

Written by whoever runs such a program (``exporters/coq/run``, ``exporters/smt/run``, ``proof/check``), read by
``trust`` and by results.  An acceptance is about one certificate, named by its digest, and one text that the
program was given, named by its SHA-256.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

ACCEPTED, REJECTED, UNKNOWN, NOT_RUN = "accepted", "rejected", "unknown", "not run"
VERDICTS = (ACCEPTED, REJECTED, UNKNOWN, NOT_RUN)


@dataclass(frozen=True)
class Acceptance:
    """One checker's verdict on one certificate.

    checker: "standalone checker", "coqc", "z3", "cvc5".  version: as the program reports it, "" if it is not there.
    verdict: "accepted", "rejected", "unknown" (out of time, or no answer), "not run" (the program is missing).
    digest: of the certificate.  given: SHA-256 of the text that the program read.  axioms: what the acceptance rests
    on besides the program's logic.  detail: one sentence; why, if it is not accepted.  when: for a verdict from an
    earlier run the date, "" for one of this run.
    """

    checker: str
    version: str
    verdict: str
    digest: str
    given: str
    seconds: float
    axioms: tuple[str, ...] = ()
    detail: str = ""
    when: str = ""

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"a verdict is one of {', '.join(VERDICTS)}, got {self.verdict!r}")

    def __bool__(self) -> bool:
        raise TypeError("an acceptance has no truth value; look at .verdict, so that unknown cannot pass for accepted")

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "axioms": list(self.axioms), "seconds": round(self.seconds, 3)}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Acceptance:
        """The inverse of ``as_dict``; raises TypeError or ValueError on anything else."""
        return Acceptance(**{**data, "axioms": tuple(data["axioms"])})
