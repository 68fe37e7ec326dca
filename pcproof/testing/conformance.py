"""``assert_conforms``: one line in somebody's test suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

OPTIONS = ("returns", "reduction", "literal", "arrays", "name", "seconds", "budget")


def assert_conforms(update: Callable[..., Any], to: str = "backprop", **options: Any) -> None:
    """Assert that an update function is what it should be; the message holds the smallest failing case as code.

    to: "backprop", "zil", "fixed-prediction", "equilibrium-pc" or "energy-gradient".  options: those of
    ``pcproof.conform.conform``: returns, reduction, literal, arrays, name, seconds, budget.  Raises AssertionError also
    for a function that cannot be judged; TypeError for an option that there is not.
    """
    from ..conform import Unusable, conform
    from ..conform.load import where

    __tracebackhide__ = True
    unknown = [name for name in options if name not in OPTIONS]
    if unknown:
        raise TypeError(f"assert_conforms has no option {unknown[0]!r}; expected to, {', '.join(OPTIONS)}")
    try:
        found = conform(update, expect=to, path=where(getattr(update, "step", update)), **options)
    except Unusable as e:
        raise AssertionError(str(e)) from None
    if not found.as_expected:
        raise AssertionError(found.text())
