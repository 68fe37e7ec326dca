"""Independent checkers of certificates, one a module; each is given the certificate and nothing else.

A module has ``NAMES`` (the checkers that it runs, as in ``Acceptance.checker``), ``given(data)`` (SHA-256 of the text
that these read), and ``accept(data, text, timeout)`` (run them now).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from ..proof.acceptance import ACCEPTED, NOT_RUN, Acceptance
from ..record import recall
from . import coq, smt, standalone

CHECKERS: dict[str, ModuleType] = {"standalone": standalone, "smt": smt, "coq": coq}
TIMEOUT = 600.0


def digest_of(data: Any) -> str:
    """SHA-256 of a certificate without its digest, written canonically."""
    body = {k: v for k, v in data.items() if k != "digest"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True) + "\n"
    return hashlib.sha256(text.encode()).hexdigest()


def ask(text: str, run: Iterable[str] = ("standalone",), timeout: float = TIMEOUT) -> list[Acceptance]:
    """What each checker says of a certificate (its canonical text).

    Those named in ``run`` are asked now; of the others stands what an earlier run on this machine kept, if it was
    about the same text, and "not run" otherwise.  Nothing is written: ``record.remember`` does that.

    Raises KeyError for a name that is not in ``CHECKERS``.
    """
    wanted = [CHECKERS[name] for name in run]
    data = json.loads(text)
    kept, trouble = _kept(digest_of(data))
    out: list[Acceptance] = []
    for module in CHECKERS.values():
        if module in wanted:
            out += module.accept(data, text, timeout)
            continue
        given = module.given(data) if any(n in kept for n in module.NAMES) else ""
        for name in module.NAMES:
            if name in kept and kept[name].given == given:
                out.append(kept[name])
                continue
            why = trouble or ("not asked" if name not in kept else "what is on record is about another text")
            out.append(Acceptance(name, "", NOT_RUN, digest_of(data), "", 0.0, (), f"{why}; {module.ASK}"))
    return out


def _kept(digest: str) -> tuple[dict[str, Acceptance], str]:
    """What is on record by checker, and why there is none if it cannot be read."""
    try:
        return {a.checker: a for a in recall(digest)}, ""
    except OSError as e:
        return {}, str(e)


def accepted(found: Iterable[Acceptance]) -> list[Acceptance]:
    """Those that accepted."""
    return [a for a in found if a.verdict == ACCEPTED]
