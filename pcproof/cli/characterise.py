"""``pcproof characterise FILE.py``: for which parameters a rule is backprop."""

from __future__ import annotations

import click

from . import exits
from .inputs import EXECUTED, json_option, load, what
from .terminal import heading, print_json, say, working


def _run(what: str, as_json: bool) -> int:
    from ..catalogue import CatalogueError
    from ..characterise import characterise

    entry = load(what)
    if entry.rule is None:
        raise CatalogueError(f"{entry.id} is not about a rule with parameters; there is nothing to characterise")
    with working(f"characterising {entry.id}"):
        found = characterise(entry.rule())
    if as_json:
        print_json({**found.as_dict(), "id": entry.id})
    else:
        heading(f"{entry.id}: for which parameters is it backprop?")
        say(str(found))
        say(f"{found.seconds:.2f} s")
    return exits.OF_VERDICT[found.verdict]


@click.command("characterise", short_help="The exact condition on a rule's parameters.", epilog=EXECUTED)
@what()
@json_option
def command(what: str, as_json: bool) -> int:
    """The necessary and sufficient condition on a rule's free symbols for equality with backprop.

    Both directions are proved for every depth: that the condition suffices, for every network; that it is needed, on
    one family of networks.  Besides, where the rule is parallel to backprop, the factor of each layer.

    Exit status: 0 proved, 3 unknown (the recursion of the wave's first arrival is shown).
    """
    return _run(what, as_json)


@click.command("characterize", hidden=True, epilog=EXECUTED)
@what()
@json_option
def american(what: str, as_json: bool) -> int:
    """The same as characterise."""
    return _run(what, as_json)
