"""``pcproof smt``: proofs as obligations in SMT-LIB, and what z3 and cvc5 say about them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import exits
from .inputs import EXECUTED, json_option, load
from .keep import keep
from .terminal import note, print_json, say, working

if TYPE_CHECKING:
    from ..catalogue import Entry
    from ..exporters.smt import Checked, Export


@dataclass
class _Row:
    """One theorem.  problem: why there is no file.  checked: None where the solvers were not asked."""

    id: str
    file: str | None = None
    exported: Export | None = None
    checked: Checked | None = None
    problem: str = ""

    @property
    def failed(self) -> bool:
        refused = self.checked is not None and any(a.verdict != "accepted" for a in self.checked.acceptances)
        return bool(self.problem) or refused

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        about = self.checked or self.exported
        return {"id": self.id, "file": self.file, "problem": self.problem, **(about.as_dict() if about else {})}


@click.command("smt", epilog=EXECUTED, short_help="Write proofs as SMT-LIB files; --run has z3 and cvc5 check them.")
@click.argument("names", nargs=-1, metavar="[ID|FILE.py[:NAME]]...")
@click.option("--all", "everything", is_flag=True, help="Every theorem of the catalogue.")
@click.option("--out", metavar="DIR", default="smt", help="Folder to write to.  Default: smt.")
@click.option("--run", is_flag=True, help="Have z3 and cvc5 answer every obligation.")
@click.option(
    "--timeout", metavar="SECONDS", type=click.FloatRange(min=0.001), default=10.0,
    help='For one obligation and one solver; no answer in time is "unknown".  Default: 10.',
)  # fmt: skip
@json_option
def command(names: tuple[str, ...], everything: bool, out: str, run: bool, timeout: float, as_json: bool) -> int:
    """Write each proof as one SMT-LIB file: an obligation for each item, side condition and definition.

    With --run, exit status 0 says that z3 and cvc5 both gave the expected answer to every obligation; 1 that one did
    not, that a solver is missing, or that a theorem was not proved or not exported.
    """
    rows: list[_Row] = []
    taken: dict[str, str] = {}
    for entry in _wanted(names, everything):
        row = _one(entry, Path(out), taken, timeout if run else None)
        rows.append(row)
        if not as_json:
            _print(row)
    if as_json:
        print_json({"out": out, "run": run, "theorems": [r.as_dict() for r in rows]})
    keep(a for r in rows if r.checked is not None for a in r.checked.acceptances)
    return exits.FAILED if any(r.failed for r in rows) else exits.DONE


def _wanted(names: tuple[str, ...], everything: bool) -> list[Entry]:
    from ..catalogue import entries

    if bool(names) == everything:
        raise click.UsageError("name at least one theorem, or say --all (not both)")
    if everything:
        return [e for e in entries().values() if e.expected == "proved"]
    return [load(n) for n in names]


def _one(entry: Entry, out: Path, taken: dict[str, str], timeout: float | None) -> _Row:
    """Prove, export, write; have it checked too if there is a time-out."""
    from ..api import prove
    from ..exporters.smt import SmtError, ask, export
    from ..files import write_text

    row = _Row(entry.id)
    with working(f"proving {entry.id}"):
        result: Any = prove(entry.claim())
    if result.verdict != "proved":
        row.problem = f"{result.verdict}, so there is no proof to export"
        return row
    name = re.sub(r"[^A-Za-z0-9_]", "_", entry.id) + ".smt2"
    if taken.setdefault(name.lower(), entry.id) != entry.id:
        row.problem = f"its file {name} would overwrite that of {taken[name.lower()]}"
        return row
    try:
        row.exported = export(result.proof.data)
    except SmtError as e:
        row.problem = f"not exported: {e}"
        return row
    row.file = str(write_text(out / name, row.exported.text()))
    if timeout is not None:
        with working(f"z3 and cvc5 check {entry.id}"):
            row.checked = ask(row.exported, each=timeout)
    return row


def _print(row: _Row) -> None:
    if row.file is not None and row.exported is not None:
        say(f"written: {row.file} ({len(row.exported.obligations)} obligations for {row.exported.items} items)")
    if row.problem:
        note(f"pcproof smt: {row.id}: {row.problem}")
    if row.checked is None:
        return
    for a in row.checked.acceptances:
        if a.verdict == "accepted":
            assumed = f"; taken for granted: {', '.join(a.axioms)}" if a.axioms else ""
            say(f"accepted by {a.checker} {a.version} in {a.seconds:.1f} s: {row.id}{assumed}")
        else:
            note(f"pcproof smt: {row.id}: {a.checker}: {a.verdict}: {a.detail}")
    if row.checked.agreement:
        say("agreement: " + ", ".join(f"{k} {n}" for k, n in row.checked.agreement.items()))
    for where in row.checked.contradictions:
        note(f"pcproof smt: ERROR: the solvers contradict each other on {row.id}, {where}")
