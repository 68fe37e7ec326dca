"""``pcproof test``."""

from __future__ import annotations

import click


@click.command("test")
def command() -> None:
    """Not there yet."""
