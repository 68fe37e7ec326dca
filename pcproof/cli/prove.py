"""``pcproof prove ID``: a proof, a counterexample, or "unknown"."""

from __future__ import annotations

import click

from .inputs import EXECUTED, json_option, latex_option, load, what
from .terminal import note, working
from .verdict import report_verdict, save_certificate


@click.command("prove", short_help='A proof, a counterexample, or "unknown".', epilog=EXECUTED)
@what()
@click.option("--certificate", metavar="OUT", help="Write the proof as canonical JSON.")
@click.option("--repair/--no-repair", default=True, help="Look for a repair of a refuted rule file (default: yes).")
@latex_option
@json_option
def command(what: str, certificate: str | None, repair: bool, latex: bool, as_json: bool) -> int:
    """Prove a claim for every depth and width; print the calculation with the rule of each line.

    Of a rule file that is refuted it says what is proved all the same: by which factor each layer is parallel to
    backprop, and which one change of the rule makes it backprop.

    Exit status: 0 proved, 1 refuted (the smallest exact counterexample is printed), 3 unknown (the open goal is).
    """
    from ..api import confirm, prove

    entry = load(what)
    with working(f"proving {entry.id}"):
        result = confirm(prove(entry.claim()))
    saved = save_certificate(result, certificate)
    more = None
    if repair and result.verdict == "refuted" and entry.rule is not None and ".py" in what:
        from ..repair import remarks

        with working("looking for a repair"):
            more = remarks(result.claim)
    status = report_verdict(entry, result, as_json, latex, more)
    if saved is not None:
        note(f"certificate: {saved}")
    return status
