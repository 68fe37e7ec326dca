"""Coq: the exported definitions, statement and proof, accepted by coqc and by a reader that is not the exporter."""

from __future__ import annotations

import hashlib
from typing import Any

from ..proof.acceptance import Acceptance

NAMES = ("coqc",)
ASK = "`pcproof coq ID --run` asks it"


def given(data: Any) -> str:
    """SHA-256 of the .v file."""
    from ..exporters.coq import export

    return hashlib.sha256(export(data).encode()).hexdigest()


def accept(data: Any, text: str, timeout: float) -> list[Acceptance]:
    """coqc's verdict, with the axioms that ``Print Assumptions`` lists."""
    from ..exporters.coq.run import accept as run

    return [run(data, timeout)]
