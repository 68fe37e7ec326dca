"""How a verdict is printed; ``prove`` and ``refute`` share it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import exits
from .inputs import citation
from .terminal import heading, print_json, say, verdict_line

if TYPE_CHECKING:
    from ..catalogue import Entry
    from ..repair import Remarks
    from ..result import Result


def report_verdict(
    entry: Entry, result: Result, as_json: bool, latex: bool = False, more: Remarks | None = None
) -> int:
    """Print a result in the form asked for, with what else is known of it; returns the exit status."""
    if as_json:
        further = {} if more is None else more.as_dict()
        print_json({**result.as_dict(), **further, "id": entry.id, "title": entry.title or result.claim.title})
    elif latex:
        say(_latex(result))
    else:
        _print(entry, result)
        for line in more.lines() if more is not None else ():
            say(line)
    return exits.OF_VERDICT[result.verdict]


def _print(entry: Entry, result: Result) -> None:
    from ..language.show import show_statement
    from ..result import Proved

    heading(f"{entry.id}: {entry.title}" if entry.title else entry.id)
    if citation(entry):
        say(f"Source: {citation(entry)}")
    say()
    heading("Claim")
    for s in result.claim.goals:
        say("  " + show_statement(s))
    say()
    if isinstance(result, Proved):
        from .proof_log import print_proof

        heading("Proof")
        print_proof(result)
        say()
    verdict_line(result.verdict, str(result))


def _latex(result: Result) -> str:
    """The derivation of a proof; of the other verdicts the statement, with the finding as a comment."""
    from ..exporters.latex import latex_statement
    from ..result import Proved

    if isinstance(result, Proved):
        return result.latex()
    comment = "\n".join("% " + line for line in str(result).splitlines())
    rows = " \\\\\n".join("& " + latex_statement(s) for s in result.claim.goals)
    return f"{comment}\n\\begin{{align*}}\n{rows}\n\\end{{align*}}"


def save_certificate(result: Any, path: str | None) -> Path | None:
    """Write the certificate of a proof; nothing for the other verdicts."""
    if path is None or result.verdict != "proved":
        return None
    saved: Path = result.save(path)
    return saved
