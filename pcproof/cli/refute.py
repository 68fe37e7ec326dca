"""``pcproof refute ID``: the smallest exact counterexample."""

from __future__ import annotations

import click

from . import exits
from .inputs import EXECUTED, json_option, load, what
from .terminal import working
from .verdict import report_verdict


@click.command("refute", short_help="The smallest exact counterexample.", epilog=EXECUTED)
@what()
@json_option
def command(what: str, as_json: bool) -> int:
    """Search for the smallest exact counterexample, the difference as a formula.

    Exit status: 0 refuted, 1 proved (so there is none), 3 unknown.
    """
    from ..api import refute

    entry = load(what)
    with working(f"searching a counterexample to {entry.id}"):
        result = refute(entry.claim())
    report_verdict(entry, result, as_json)
    return {"refuted": exits.DONE, "proved": exits.FAILED}.get(result.verdict, exits.UNKNOWN)
