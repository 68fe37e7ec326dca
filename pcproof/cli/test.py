"""``pcproof test``: the property tests."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from . import exits
from .inputs import EXECUTED, json_option, load
from .terminal import heading, note, print_json, say, table

if TYPE_CHECKING:
    from ..testing.runner import Outcome, Summary


@click.command("test", epilog=EXECUTED, short_help="Property tests of the generated kernels.")
@click.argument("what", required=False, metavar="[ID|FILE.py[:NAME]]")
@click.option("--examples", type=click.IntRange(1), default=200, help="Cases a property.  Default: 200.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Equal seeds give equal cases.  Default: 0.")
@click.option("--junit", metavar="F", help="Write the outcome as JUnit XML.")
@json_option
def command(what: str | None, examples: int, seed: int, junit: str | None, as_json: bool) -> int:
    """Generated kernels against backprop on random networks: exactly, and in floats within a derived bound.

    Without ID: every rule of the catalogue that has kernels.  What cannot be checked here (no PyTorch) is said to be
    not checked.  Exit status: 0 if nothing failed, 1 otherwise.
    """
    from ..catalogue import entries
    from ..testing.runner import run, write_junit

    wanted = [load(what)] if what else [e for e in entries().values() if e.kernels]
    progress = note if sys.stderr.isatty() else lambda text: None
    summary = run(wanted, examples, seed, progress)
    if junit:
        note(f"JUnit: {write_junit(summary, junit)}")
    if as_json:
        print_json(summary.as_dict())
    else:
        _print(summary)
    return exits.DONE if summary.ok else exits.FAILED


def _effort(o: Outcome) -> str:
    return f"{o.examples} cases, {o.seconds:.1f} s" if o.examples else ""


def _print(summary: Summary) -> None:
    for rule in dict.fromkeys(o.rule for o in summary.outcomes):
        heading(rule)
        rows = [o for o in summary.outcomes if o.rule == rule]
        table([(o.status, o.name, _effort(o), o.text) for o in rows], indent=2)
        say()
    heading("Cases")
    table(
        [(name, "  ".join(f"{k}: {n}" for k, n in counts.items())) for name, counts in summary.distribution.items()],
        indent=2,
    )
    say()
    counts = {s: sum(o.status == s for o in summary.outcomes) for s in ("passed", "failed", "not checked")}
    say(", ".join(f"{n} {s}" for s, n in counts.items()) + f"; seed {summary.seed}")
