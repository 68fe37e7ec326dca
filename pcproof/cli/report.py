"""``pcproof report``: the whole way from the energy to the trained network, as one HTML page."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import exits
from .inputs import json_option
from .terminal import console, heading, print_json, say, table, verdict_line

if TYPE_CHECKING:
    from ..report.build import ReportResult


@click.command("report", short_help="Derive, prove, generate, test, train; write the page.")
@click.option("--out", metavar="DIR", default="pcproof-report", help="Folder to write to.  Default: pcproof-report.")
@click.option("--quick", is_flag=True, help="Fewer random cases and epochs, for trying out the page.")
@json_option
def command(out: str, quick: bool, as_json: bool) -> int:
    """Derive, prove, refute, generate, test and train; write one self-contained page DIR/index.html.

    Exit status: 0 only if everything stated on the page holds; what could not be checked here is listed.
    """
    from ..report.build import build_report

    _require_writable(out)
    with _progress() as progress:
        result = build_report(out, progress=progress, quick=quick)
    if as_json:
        print_json(result.as_dict())
    else:
        _print(result)
    return exits.DONE if result.ok else exits.FAILED


def _require_writable(out: str) -> None:
    """Fail now, not after minutes of work, if nothing can be written to the folder or to where it will be made."""
    folder = Path(out).absolute()
    while not folder.exists():
        folder = folder.parent
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as e:
        raise OSError(e.errno, f"cannot be written to: {e.strerror}", out) from e


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error; silent unless that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda text, done, total: None
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda text, done, total: bar.update(task, description=text, completed=done, total=total)


def _print(result: ReportResult) -> None:
    heading("What the report states")
    table([(c.status, c.name, c.detail) for c in result.checks], indent=2)
    say()
    count = len(result.checks) - len(result.unchecked)
    if result.failed:
        verdict_line("refuted", f"Failed: {len(result.failed)} of {count} statements do not hold")
    else:
        verdict_line("proved", f"Holds: all {count} statements that were checked")
    if result.unchecked:
        say(f"Not checked on this machine: {', '.join(c.name for c in result.unchecked)}")
    say(f"Report: {result.path}  ({result.seconds:.0f} s)")
