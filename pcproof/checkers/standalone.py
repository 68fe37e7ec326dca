"""The standalone checker (``proof/check.py``): standard library only, none of the kernel's code."""

from __future__ import annotations

import hashlib
import platform
import time
from typing import Any

from ..proof import check
from ..proof.acceptance import ACCEPTED, REJECTED, Acceptance

NAMES = ("standalone checker",)
ASK = "`pcproof check CERT` asks it"


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def given(data: Any) -> str:
    """It reads the certificate itself."""
    return _sha(check.canonical(data))


def accept(data: Any, text: str, timeout: float) -> list[Acceptance]:
    """Its verdict; it has limits on work of its own and needs no time-out."""
    started = time.perf_counter()
    try:
        report = check.check(text.encode())
    except check.NotACertificate as e:
        report = {"accepted": False, "where": "", "rule": "not a certificate", "reason": str(e)}
    good = report["accepted"]
    place = " ".join(filter(None, ("" if good else report["where"], "" if good else f"{report['rule']}:")))
    return [
        Acceptance(
            checker=NAMES[0],
            version=f"{check.FORMAT}, Python {platform.python_version()}",
            verdict=ACCEPTED if good else REJECTED,
            digest=data.get("digest", ""),
            given=_sha(text),
            seconds=time.perf_counter() - started,
            detail="" if good else f"{place} {report['reason']}",
        )
    ]
