"""``pcproof coq``: proofs as Coq files, and what coqc says about them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import exits
from .inputs import EXECUTED, json_option, load
from .terminal import note, print_json, say, working

if TYPE_CHECKING:
    from ..catalogue import Entry
    from ..exporters.coq.run import Queue
    from ..proof.acceptance import Acceptance


@dataclass
class _Row:
    """One theorem: what became of it.

    problem: why there is no file.  acceptance: None where coqc was not asked; ``answer`` is where it will come from.
    """

    id: str
    file: str | None = None
    digest: str | None = None
    problem: str = ""
    answer: Future[Acceptance] | None = None
    acceptance: Acceptance | None = None

    @property
    def accepted(self) -> bool:
        return self.acceptance is not None and self.acceptance.verdict == "accepted"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        a = self.acceptance
        return {
            "id": self.id,
            "file": self.file,
            "digest": self.digest,
            "accepted": None if a is None else self.accepted,
            "assumptions": None if a is None else list(a.axioms),
            "seconds": None if a is None else round(a.seconds, 2),
            "problem": self.problem or ("" if a is None else a.detail),
            "acceptance": None if a is None else a.as_dict(),
        }


@click.command("coq", epilog=EXECUTED, short_help="Write proofs as Coq files; --run has coqc check them.")
@click.argument("names", nargs=-1, metavar="[ID|FILE.py[:NAME]]...")
@click.option("--all", "everything", is_flag=True, help="Every theorem of the catalogue.")
@click.option("--out", metavar="DIR", default="coq", help="Folder to write to.  Default: coq.")
@click.option("--run", is_flag=True, help="Have coqc check each file, and print the axioms that it rests on.")
@click.option("--timeout", metavar="SECONDS", type=click.FloatRange(min=1), default=600.0, help="For coqc; a theorem.")
@click.option("--jobs", metavar="N", type=click.IntRange(min=1), help="How many coqc at once.  Default: one a core.")
@json_option
def command(
    names: tuple[str, ...], everything: bool, out: str, run: bool, timeout: float, jobs: int | None, as_json: bool
) -> int:
    """Write each proof as one Coq file: definitions, statement, and a proof made from the items of the certificate.

    With --run, exit status 0 says that coqc accepts every file and that each theorem rests on nothing but the axioms
    of Coq's own real numbers; 1 that one was not proved, not exported or not accepted.
    """
    from ..exporters.coq import GET, coqc_version, queue

    wanted = _wanted(names, everything)
    version = coqc_version() if run else ""
    taken: dict[str, str] = {}
    with queue(jobs, timeout) if version else nullcontext() as asked:
        rows = [_one(entry, Path(out), taken, asked, shared=everything) for entry in wanted]
        if asked is not None:
            asked.flush()
        for k, row in enumerate(rows, 1):
            if row.answer is not None:
                with working(f"coqc checks {row.id} ({k} of {len(rows)})"):
                    row.acceptance = row.answer.result()
            if not as_json:
                _print(row)
    if run and not version:
        note(f"pcproof coq: {GET}")
    if as_json:
        print_json({"out": out, "run": run, "coqc": version or None, "theorems": [r.as_dict() for r in rows]})
    _record(r.acceptance for r in rows if r.acceptance is not None)
    failed = any(r.problem or (run and not r.accepted) for r in rows)
    return exits.FAILED if failed else exits.DONE


def _wanted(names: tuple[str, ...], everything: bool) -> list[Entry]:
    from ..catalogue import entries

    if bool(names) == everything:
        raise click.UsageError("name at least one theorem, or say --all (not both)")
    if everything:
        return [e for e in entries().values() if e.expected == "proved"]
    return [load(n) for n in names]


def _one(entry: Entry, out: Path, taken: dict[str, str], asked: Queue | None, shared: bool) -> _Row:
    """Prove, export, write; begin to check too, if coqc is asked.  shared: one coqc reads several."""
    from ..api import prove
    from ..exporters.coq import CoqError, export
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
        text = export(data)
    except CoqError as e:
        row.problem = f"not exported: {e}"
        return row
    row.file = str(write_text(out / name, text))
    if asked is not None:
        row.answer = asked.share(data, text) if shared else asked.accept(data)
    return row


def _file_name(id: str) -> str:
    """A name that coqc takes as the name of a module."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", id)
    return (plain if plain[:1].isalpha() else f"t_{plain}") + ".v"


def _print(row: _Row) -> None:
    if row.file is not None:
        say(f"written: {row.file}")
    a = row.acceptance
    if a is not None and row.accepted:
        say(f"accepted by coqc in {a.seconds:.1f} s: {row.id}; axioms: {', '.join(a.axioms) or 'none'}")
    elif a is not None or row.problem:
        note(f"pcproof coq: {row.id}: {row.problem or (a.detail if a is not None else '')}")


def _record(acceptances: Iterable[Acceptance]) -> None:
    """For ``trust`` and ``prove``, which show it later."""
    from .keep import keep

    keep(acceptances)
