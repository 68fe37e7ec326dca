"""The group ``pcproof`` and its commands, in the order in which the help shows them."""

from __future__ import annotations

from collections.abc import Iterable

import click

from . import (
    characterise,
    check,
    conform,
    coq,
    derive,
    doctor,
    generate,
    list,
    locality,
    prove,
    refute,
    report,
    show,
    smt,
    test,
    trust,
)


class _InOrder(click.Group):
    """A group whose help keeps the order of registration."""

    def list_commands(self, ctx: click.Context) -> Iterable[str]:  # type: ignore[override]
        return [*self.commands]


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        from .. import __version__

        click.echo(f"pcproof {__version__}")
        ctx.exit()


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def pcproof() -> None:
    """Is this learning rule backprop?  A proof for every depth and width, a counterexample, or "unknown".

    Wherever an ID of the catalogue stands, a rule file FILE.py of your own does too; it is Python and is executed,
    like any script.  Exit status: 0 proved or done, 1 refuted or failed, 2 bad input, 3 unknown.
    """


for _module in (list, show, derive, locality, prove, refute, characterise, check, trust, coq, smt):
    pcproof.add_command(_module.command)
for _module in (generate, test, conform, report, doctor):
    pcproof.add_command(_module.command)
pcproof.add_command(characterise.american)
