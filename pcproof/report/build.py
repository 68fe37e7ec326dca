"""The report: one self-contained HTML page that shows the whole way from the energy to the trained network.

``build_report`` derives, proves, refutes, generates, tests, trains and writes
``index.html`` (atomically).  Every statement on the page that can be false is
a ``Check``; the report is ok only if none of them failed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import __version__
from ..files import write_text
from .page import render

Progress = Callable[[str, int, int], None]
MAIN = "zil"


@dataclass(frozen=True)
class Check:
    """One thing that the page states; ``ok`` is None where it was not checked, with the reason in ``detail``."""

    name: str
    ok: bool | None
    detail: str = ""

    @property
    def status(self) -> str:
        return {True: "holds", False: "fails", None: "not checked"}[self.ok]


@dataclass(frozen=True)
class ReportResult:
    """Where the report is and what holds in it."""

    path: Path
    checks: tuple[Check, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """Something was checked and nothing failed; what was not checked is listed in ``unchecked``."""
        return any(c.ok for c in self.checks) and all(c.ok is not False for c in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(c for c in self.checks if c.ok is False)

    @property
    def unchecked(self) -> tuple[Check, ...]:
        return tuple(c for c in self.checks if c.ok is None)

    def as_dict(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "ok": self.ok,
            "seconds": round(self.seconds, 1),
            "checks": [{"name": c.name, "status": c.status, "detail": c.detail} for c in self.checks],
        }


@dataclass
class Work:
    """What the sections hand to each other and to the page."""

    quick: bool
    progress: Progress
    checks: list[Check] = field(default_factory=list)
    page: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def check(self, name: str, ok: bool | None, detail: str = "") -> None:
        self.checks.append(Check(name, ok, detail))


def build_report(out_dir: Path | str, *, progress: Progress | None = None, quick: bool = False) -> ReportResult:
    """Do everything and write ``index.html`` into ``out_dir``.

    progress: called with (what is being done, steps done, steps in all).
    quick: fewer random cases and epochs, for trying out the page.
    """
    from .sections import STAGES

    started = time.perf_counter()
    work = Work(quick, progress or (lambda text, done, total: None))
    for n, (title, stage) in enumerate(STAGES):
        work.progress(title, n, len(STAGES))
        begun = time.perf_counter()
        stage(work)
        work.seconds[title] = time.perf_counter() - begun
    work.progress("writing", len(STAGES), len(STAGES))
    seconds = time.perf_counter() - started
    result = ReportResult(Path(out_dir) / "index.html", tuple(work.checks), seconds)
    text = render({**work.page, "result": result, "version": __version__, "stage_seconds": work.seconds})
    write_text(result.path, text)
    return result
