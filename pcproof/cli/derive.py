"""``pcproof derive ID``: everything that follows from the energy."""

from __future__ import annotations

import click

from .inputs import EXECUTED, json_option, latex_option, load, what
from .terminal import print_json, say, working


@click.command("derive", epilog=EXECUTED, short_help="Energy -> dynamics, plasticity, fixed points.")
@what()
@latex_option
@json_option
def command(what: str, latex: bool, as_json: bool) -> None:
    """From the energy alone: predictions, errors, -dF/dx by layer, -dF/dtheta, fixed points of both phases."""
    from ..catalogue import CatalogueError

    entry = load(what)
    if entry.rule is None:
        raise CatalogueError(f"{entry.id} is not about a rule with an energy; there is nothing to derive")
    with working(f"deriving {entry.id}"):
        found = entry.rule().derive()
    if as_json:
        print_json({"id": entry.id, **found.as_dict()})
    else:
        say(found.latex() if latex else found.text())
