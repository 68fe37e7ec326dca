"""``pcproof coq``: proofs as Coq files, and what coqc says about them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import exits
from .inputs import EXECUTED, json_option, load
from .terminal import note, print_json, say, working

if TYPE_CHECKING:
    from ..catalogue import Entry


@dataclass
class _Row:
    """One theorem: what became of it.

    accepted: None where coqc was not asked.
    """

    id: str
    file: str | None = None
    digest: str | None = None
    accepted: bool | None = None
    assumptions: list[str] | None = None
    seconds: float | None = None
    problem: str = ""


@click.command("coq", epilog=EXECUTED, short_help="Write proofs as Coq files; --run has coqc check them.")
@click.argument("names", nargs=-1, metavar="[ID|FILE.py[:NAME]]...")
@click.option("--all", "everything", is_flag=True, help="Every theorem of the catalogue.")
@click.option("--out", metavar="DIR", default="coq", help="Folder to write to.  Default: coq.")
@click.option("--run", is_flag=True, help="Have coqc check each file, and print the axioms that it rests on.")
@click.option("--timeout", metavar="SECONDS", type=click.FloatRange(min=1), default=600.0, help="For coqc; a theorem.")
@json_option
def command(names: tuple[str, ...], everything: bool, out: str, run: bool, timeout: float, as_json: bool) -> int:
    """Write each proof as one Coq file: definitions, statement, and a proof made from the items of the certificate.

    With --run, exit status 0 says that coqc accepts every file and that each theorem rests on nothing but the axioms
    of Coq's own real numbers; 1 that one was not proved, not exported or not accepted.
    """
    from ..exporters.coq import GET, coqc_version

    wanted = _wanted(names, everything)
    version = coqc_version() if run else ""
    rows: list[_Row] = []
    taken: dict[str, str] = {}
    for entry in wanted:
        row = _one(entry, Path(out), taken, timeout if run and version else None)
        rows.append(row)
        if not as_json:
            _print(row)
    if run and not version:
        note(f"pcproof coq: {GET}")
    if as_json:
        theorems = [vars(r) for r in rows]
        print_json({"out": out, "run": run, "coqc": version or None, "theorems": theorems})
    failed = any(r.problem for r in rows) or (run and not version)
    return exits.FAILED if failed else exits.DONE


def _wanted(names: tuple[str, ...], everything: bool) -> list[Entry]:
    from ..catalogue import entries

    if bool(names) == everything:
        raise click.UsageError("name at least one theorem, or say --all (not both)")
    if everything:
        return [e for e in entries().values() if e.expected == "proved"]
    return [load(n) for n in names]


def _one(entry: Entry, out: Path, taken: dict[str, str], timeout: float | None) -> _Row:
    """Prove, export, write; check too if there is a time-out."""
    from ..api import prove
    from ..exporters.coq import CoqError, check, export
    from ..files import write_text

    row = _Row(entry.id)
    with working(f"proving {entry.id}"):
        result: Any = prove(entry.claim())
    if result.verdict != "proved":
        row.problem = f"{result.verdict}, so there is no proof to export"
        return row
    data = result.proof.data
    row.digest = result.proof.digest
    name = _file_name(entry.id)
    if taken.setdefault(name.lower(), entry.id) != entry.id:
        row.problem = f"its file {name} would overwrite that of {taken[name.lower()]}"
        return row
    try:
        text = export(data, entry.id)
        row.file = str(write_text(out / name, text))
        if timeout is not None:
            with working(f"coqc checks {entry.id}"):
                checked = check(data, timeout, text)
            row.accepted, row.assumptions = checked.accepted, checked.assumptions
            row.seconds, row.problem = round(checked.seconds, 2), checked.problem
    except CoqError as e:
        row.problem = f"not exported: {e}"
    return row


def _file_name(id: str) -> str:
    """A name that coqc takes as the name of a module."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", id)
    return (plain if plain[:1].isalpha() else f"t_{plain}") + ".v"


def _print(row: _Row) -> None:
    if row.file is not None:
        say(f"written: {row.file}")
    if row.accepted:
        say(f"accepted by coqc in {row.seconds} s: {row.id}; axioms: {', '.join(row.assumptions or ['none'])}")
    if row.problem:
        note(f"pcproof coq: {row.id}: {row.problem}")
