"""Learning rules, one a file, each written in the public words."""

from __future__ import annotations

from .equations import EVERY_STEP
from .fazil import fazil
from .fixed_prediction import fixed_prediction
from .incremental import incremental
from .zil import zil

__all__ = ["EVERY_STEP", "fazil", "fixed_prediction", "incremental", "zil"]
