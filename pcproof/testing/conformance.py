"""``assert_conforms``: one line in somebody's test suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def assert_conforms(update: Callable[..., Any], to: str = "backprop", **options: Any) -> None:
    """Assert that an update function is what it should be; the message holds the smallest failing case as code.

    to: "backprop", "zil", "fixed-prediction", "equilibrium-pc" or "energy-gradient".  options: those of
    ``pcproof.conform.conform``: returns, reduction, literal, arrays, seconds, budget.  Raises AssertionError also for a
    function that cannot be judged.
    """
    from ..conform import Unusable, conform
    from ..conform.load import where

    __tracebackhide__ = True
    try:
        found = conform(update, expect=to, path=where(getattr(update, "step", update)), **options)
    except Unusable as e:
        raise AssertionError(str(e)) from None
    if not found.as_expected:
        raise AssertionError(found.text())
