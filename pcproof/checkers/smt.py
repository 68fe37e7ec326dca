"""SMT: side conditions, ring steps and obligations of induction, discharged by z3 and by cvc5."""

from __future__ import annotations

from typing import Any

from ..proof.acceptance import Acceptance

NAMES = ("z3", "cvc5")
ASK = "`pcproof smt ID --run` asks it"


def given(data: Any) -> str:
    """SHA-256 of the SMT-LIB text."""
    from ..exporters.smt import given as sha

    return sha(data)


def accept(data: Any, text: str, timeout: float) -> list[Acceptance]:
    """The verdict of each solver; a time-out is "unknown"."""
    from ..exporters.smt import accept as run

    return run(data, timeout=timeout)
