"""Which theorems of the catalogue the fast tests take one by one; the slow tests take all."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache

import pytest
from _pytest.mark.structures import ParameterSet

from pcproof import derivations


@cache
def core() -> frozenset[str]:
    """All on backprop, the energy, its fixed points and Z-IL, and the first theorem of every other file."""
    found = set()
    for info in pkgutil.iter_modules(derivations.__path__):
        entries = importlib.import_module(f"{derivations.__name__}.{info.name}").ENTRIES
        proved = [e.id for e in entries if e.expected == "proved"]
        whole = info.name.startswith(("backprop", "energy", "fixed_points", "zil"))
        found |= set(proved if whole else proved[:1])
    return frozenset(found)


def slow_outside(ids: Iterable[str], fast: Iterable[str] | None = None) -> list[ParameterSet]:
    """Parameters for a test of each; those outside of ``fast`` (by default ``core``) are slow."""
    quick = core() if fast is None else frozenset(fast)
    return [pytest.param(i, marks=() if i in quick else pytest.mark.slow) for i in ids]
