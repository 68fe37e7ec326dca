"""``pcproof generate``: kernels from proved rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import exits
from .inputs import EXECUTED, json_option, load
from .terminal import note, print_json, say, working

if TYPE_CHECKING:
    from ..catalogue import Entry

BACKENDS = ("numpy", "torch")
FORMS = ("wavefront", "literal", "backprop")


@click.command("generate", epilog=EXECUTED, short_help="Write kernels of proved rules.")
@click.argument("names", nargs=-1, metavar="[ID|FILE.py[:NAME]]...")
@click.option("-b", "--backend", type=click.Choice([*BACKENDS, "all"]), default="all", help="Default: all.")
@click.option("-f", "--form", type=click.Choice([*FORMS, "all"]), default="all", help="Default: all.")
@click.option("--out", metavar="DIR", default="generated", help="Folder to write to.  Default: generated.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if what is in DIR differs.")
@click.option("--unproved", is_flag=True, help="Also where there is no proof; file and function are named so.")
@json_option
def command(
    names: tuple[str, ...], backend: str, form: str, out: str, check: bool, unproved: bool, as_json: bool
) -> int:
    """Write kernels of proved rules: one standalone file for each rule, form and backend.

    Without arguments: every rule of the catalogue that has kernels.  If one claim is refuted (exit status 1) or
    unknown (3), nothing is written.
    """
    from ..catalogue import entries
    from ..kernels.generate import write_generated

    wanted = [load(n) for n in names] or [e for e in entries().values() if e.kernels]
    files: list[tuple[str, str]] = []
    left_out: list[str] = []
    for entry in wanted:
        with working(f"proving {entry.id}"):
            result = prove_entry(entry)
        if result.verdict != "proved" and not unproved:
            note(f"pcproof generate: {entry.id} is {result.verdict}, so nothing was written (see `pcproof prove`)")
            return exits.OF_VERDICT[result.verdict]
        files += _files(entry, result, _chosen(backend, BACKENDS), _chosen(form, FORMS), left_out)
    changed = write_generated(out, files, check=check)
    stale = _stale(out, [n for n, _ in files]) if check and not names and (backend, form) == ("all", "all") else []
    for text in left_out:
        note(text)
    if as_json:
        print_json({"out": out, "files": [n for n, _ in files], "changed": changed, "stale": stale, "check": check})
    else:
        _print(out, len(files), changed, stale, check)
    return exits.FAILED if check and (changed or stale) else exits.DONE


def prove_entry(entry: Entry) -> Any:
    """The verdict about an entry's claim."""
    from ..api import prove

    return prove(entry.claim())


def _chosen(option: str, known: tuple[str, ...]) -> tuple[str, ...]:
    return known if option == "all" else (option,)


def _files(
    entry: Entry, result: Any, backends: tuple[str, ...], forms: tuple[str, ...], left_out: list[str]
) -> list[tuple[str, str]]:
    """File names and sources.  A form that the rule does not have is left out, but one at least must be there."""
    from ..catalogue import CatalogueError
    from ..kernels.from_result import source_of
    from ..kernels.tensors import KernelError

    mark = "" if result.verdict == "proved" else "_unproved"
    found: list[tuple[str, str]] = []
    reasons: list[str] = []
    for form in forms:
        for backend in backends:
            try:
                found.append((f"{entry.id}{mark}_{form}_{backend}.py", source_of(result, backend, form)))
            except KernelError as e:
                reasons.append(f"{entry.id}: no {form} kernel for {backend}: {e}")
    if not found:
        raise CatalogueError(reasons[0])
    left_out += reasons
    return found


def _stale(out: str, expected: list[str]) -> list[str]:
    """Kernel files in the folder that nothing generates any more."""
    folder = Path(out)
    found = sorted(p.name for p in folder.glob("*.py")) if folder.is_dir() else []
    return [n for n in found if n not in expected and n != "__init__.py"]


def _print(out: str, count: int, changed: list[str], stale: list[str], check: bool) -> None:
    for name in changed:
        say(f"{'differs' if check else 'written'}: {Path(out) / name}")
    for name in stale:
        say(f"stale: {Path(out) / name}")
    same = count - len(changed)
    say(f"{count} kernels, {same} up to date" + (f", {len(changed)} written" if changed and not check else ""))
