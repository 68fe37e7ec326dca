"""``pcproof list``: the catalogue."""

from __future__ import annotations

import click

from .inputs import citation, json_option
from .terminal import print_json, say, table


@click.command("list", short_help="The catalogue.")
@json_option
def command(as_json: bool) -> None:
    """The catalogue: id, verdict expected, title, source."""
    from ..catalogue import entries

    found = entries().values()
    if as_json:
        keys = ("id", "title", "source", "equation", "kind", "expected", "kernels", "note")
        print_json([{k: getattr(e, k) for k in keys} for e in found])
        return
    rows = [(e.id, e.expected, e.title, citation(e)) for e in found]
    table(rows, ("id", "expected", "title", "source"), ("cyan", "", "", "dim"))
    say()
    say(f"{len(rows)} results.  `pcproof prove ID` proves one now; `pcproof show ID` states it.")
