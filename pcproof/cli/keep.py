"""Keeping what checkers said; a record that cannot be written is a note and no failure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .terminal import note

if TYPE_CHECKING:
    from ..proof.acceptance import Acceptance


def keep(acceptances: Iterable[Acceptance]) -> None:
    """For ``trust`` and ``prove``, which show it later."""
    from ..record import remember

    try:
        remember(acceptances)
    except OSError as e:
        note(f"pcproof: not recorded: {e.strerror or e}")
