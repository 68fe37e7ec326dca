"""``pcproof conform``: is somebody's update function backprop?"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from . import exits
from .inputs import json_option
from .terminal import console, note, print_json, say

if TYPE_CHECKING:
    from ..conform.energy import EnergyConformance
    from ..conform.run import Conformance, Progress

EXPECTED = ("backprop", "zil", "fixed-prediction", "equilibrium-pc", "energy-gradient")
EPILOG = "The file is Python and is executed, like any script; so is the function, many times."


@click.command("conform", epilog=EPILOG, short_help='"Am I doing backprop?" for anybody\'s update function.')
@click.argument("what", metavar="FILE.py[:FUNCTION]")
@click.option(
    "--expect", type=click.Choice(EXPECTED), default="backprop", help="What it should be.  Default: backprop."
)
@click.option("--returns", type=click.Choice(("update", "grad")), help="Insist on the sign: a change, or a gradient.")
@click.option("--reduction", type=click.Choice(("sum", "mean")), help="Insist on the sum or the mean over the batch.")
@click.option("--literal", is_flag=True, help="Errors may be formed as x - mu: digits lost by that are no fault.")
@click.option("--arrays", type=click.Choice(("numpy", "torch", "jax")), help="Arrays to give.  Default: as it imports.")
@click.option("--module", "as_module", is_flag=True, help="FUNCTION(model, x, target) leaves .grad in a torch module.")
@click.option("--seconds", type=click.FloatRange(0.1), default=20.0, help="Limit of one call.  Default: 20.")
@json_option
def command(
    what: str, expect: str, returns: str | None, reduction: str | None, literal: bool, arrays: str | None,
    as_module: bool, seconds: float, as_json: bool,
) -> int:  # fmt: skip
    """What an update function computes, against exact backprop, attacked on the usual weak spots.

    FUNCTION(weights, x, target, activation[, biases]) returns the change of every weight, input to output; weights are
    (n_out, n_in), x is (batch, n_in).  A sign, a scale, a transposition or the order of the list are announced;
    --returns and --reduction insist on them.  FILE.py alone: its functions energy, infer_step, weight_update and
    equilibrium (any of them) are held against each other.  Exit status: 0 as expected, 1 not, 2 unusable.
    """
    from ..conform import Unusable
    from ..conform.load import load, split
    from ..conform.run import conform

    try:
        with _answer_alone(), _progress() as progress:
            found: Conformance | EnergyConformance
            if split(what)[1] is None:
                found = _energy(what, arrays, seconds)
            else:
                function = load(what)
                if as_module:
                    from ..conform.modules import from_module

                    function, arrays = from_module(function), "torch"
                found = conform(
                    function, expect=expect, returns=returns, reduction=reduction, literal=literal, arrays=arrays,
                    name=what.rpartition(":")[2], path=what, seconds=seconds, progress=progress,
                )  # fmt: skip
    except Unusable as e:
        note(f"pcproof conform: {e}")
        return exits.BAD_INPUT
    if as_json:
        print_json(found.as_dict())
    else:
        say(found.text())
    return exits.DONE if found.as_expected else exits.FAILED


def _energy(what: str, arrays: str | None, seconds: float) -> EnergyConformance:
    from ..conform.energy import NAMES, conform_energy, stated
    from ..conform.limits import Unusable
    from ..conform.load import module

    functions = stated(vars(module(what)))
    if not functions:
        raise Unusable(f"{what} has none of {', '.join(NAMES)}; write {what}:FUNCTION for an update function")
    return conform_energy(functions, arrays=arrays, name=what, path=what, seconds=seconds)


@contextlib.contextmanager
def _answer_alone() -> Iterator[None]:
    """What the function and its libraries write to descriptor 1 goes to standard error."""
    try:
        ours = sys.stdout.fileno() == 1 and sys.stderr.fileno() == 2
    except (OSError, ValueError):  # a stream without a descriptor
        ours = False
    if not ours:
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on standard error if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda what, done, of: None
        return
    from rich.progress import BarColumn, Progress, TextColumn

    with Progress(BarColumn(), TextColumn("{task.description}"), console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("how it is called", total=None)

        def show(what: str, done: int, of: int) -> None:
            bar.update(task, description=what, completed=done, total=of if of > 1 else None)

        yield show
