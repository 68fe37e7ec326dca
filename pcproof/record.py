"""What independent checkers said about certificates on this machine, kept between runs.

A side record, never part of a certificate: one small JSON file a certificate, named by its digest, in the user's
state folder (``PCPROOF_STATE``, or where the system keeps such things).  A row counts only for the very text that the
checker was given (``Acceptance.given``); ``checkers`` makes that text anew and compares before it believes a row.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from .files import write_text
from .proof.acceptance import NOT_RUN, Acceptance


class RecordError(OSError):
    """The record cannot be read; the message names the file and what to do."""


def folder() -> Path:
    """Where the records lie."""
    chosen = os.environ.get("PCPROOF_STATE")
    if chosen:
        return Path(chosen)
    from platformdirs import user_state_path

    return user_state_path("pcproof", appauthor=False)


def _file(digest: str) -> Path:
    return folder() / f"{digest}.json"


def remember(acceptances: Iterable[Acceptance]) -> None:
    """Keep what was said; of each checker the last word.  Raises OSError where nothing can be written."""
    by_digest: dict[str, list[Acceptance]] = {}
    for a in acceptances:
        if a.verdict != NOT_RUN:
            by_digest.setdefault(a.digest, []).append(a)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    for digest, fresh in by_digest.items():
        rows = {a.checker: a for a in recall(digest)} | {a.checker: replace(a, when=now) for a in fresh}
        text = json.dumps([rows[name].as_dict() for name in sorted(rows)], indent=2) + "\n"
        write_text(_file(digest), text)


def recall(digest: str) -> list[Acceptance]:
    """What is kept about a certificate.  Raises RecordError if the file is not one of ours."""
    path = _file(digest)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    try:
        found = json.loads(text)
        if type(found) is not list:
            raise TypeError("a list is expected")
        rows = [Acceptance.from_dict(row) for row in found]
    except (ValueError, TypeError, LookupError, AttributeError) as e:
        raise RecordError(f"the record {str(path)!r} is not readable ({type(e).__name__}); delete it") from e
    if any(a.digest != digest for a in rows):
        raise RecordError(f"the record {str(path)!r} is about another certificate; delete it")
    return rows
