"""``pcproof generate``."""

from __future__ import annotations

import click


@click.command("generate")
def command() -> None:
    """Not there yet."""
