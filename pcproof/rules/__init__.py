"""Learning rules, one a file, each written in the public words."""

from __future__ import annotations

from .zil import zil

__all__ = ["zil"]
