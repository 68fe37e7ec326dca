"""``pcproof list``: the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .inputs import citation, json_option
from .terminal import console, print_json, say

if TYPE_CHECKING:
    from ..catalogue import Entry

WIDE = 110  # columns from which id, verdict and title stand beside each other


@click.command("list", short_help="The catalogue.")
@json_option
def command(as_json: bool) -> None:
    """The catalogue: id, verdict expected, title, source; a line each unless it is for a terminal."""
    from ..catalogue import entries

    found = list(entries().values())
    if as_json:
        keys = ("id", "title", "source", "equation", "kind", "expected", "kernels", "note")
        print_json([{k: getattr(e, k) for k in keys} for e in found])
        return
    out = console()
    if not out.is_terminal:
        _lines(found)
    elif out.width >= WIDE:
        _columns(found)
    else:
        _paragraphs(found)
    say()
    say(f"{len(found)} results.  `pcproof prove ID` proves one now; `pcproof show ID` states it.")


def _lines(found: list[Entry]) -> None:
    wide = max((len(e.id) for e in found), default=0)
    for e in found:
        say(f"{e.id:{wide}}  {e.expected:8}  {e.title} [{citation(e)}]")


def _columns(found: list[Entry]) -> None:
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for e in found:
        grid.add_row(Text(e.id), Text(e.expected), Text.assemble(e.title, "\n", (citation(e), "dim")))
    console().print(grid)


def _paragraphs(found: list[Entry]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    out = console()
    for e in found:
        out.print(Text.assemble((e.id, "cyan"), "  ", e.expected))
        out.print(Padding(Text.assemble(e.title, "\n", (citation(e), "dim")), (0, 0, 0, 4)))
