"""``pcproof prove ID``: a proof, a counterexample, or "unknown"."""

from __future__ import annotations

import click

from .inputs import EXECUTED, json_option, latex_option, load, what
from .terminal import note, working
from .verdict import report_verdict, save_certificate


@click.command("prove", short_help='A proof, a counterexample, or "unknown".', epilog=EXECUTED)
@what()
@click.option("--certificate", metavar="OUT", help="Write the proof as canonical JSON.")
@latex_option
@json_option
def command(what: str, certificate: str | None, latex: bool, as_json: bool) -> int:
    """Prove a claim for every depth and width; print the calculation with the rule of each line.

    Exit status: 0 proved, 1 refuted (the smallest exact counterexample is printed), 3 unknown (the open goal is).
    """
    from ..api import confirm, prove

    entry = load(what)
    with working(f"proving {entry.id}"):
        result = confirm(prove(entry.claim()))
    saved = save_certificate(result, certificate)
    status = report_verdict(entry, result, as_json, latex)
    if saved is not None:
        note(f"certificate: {saved}")
    return status
