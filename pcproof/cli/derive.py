"""``pcproof derive``."""

from __future__ import annotations

import click


@click.command("derive")
def command() -> None:
    """Not there yet."""
