"""What backprop says, in exact arithmetic; and how far a computation in floats may be from it.

The numbers of a probe are rational.  Where f and f' are rational too the
reference loops of ``testing.reference`` run on Fractions (or modulo a prime),
else on mpmath numbers (``precise``).  None of the code that pcproof generates is used.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from ..testing.cases import Data
from ..testing.reference import backprop
from ..testing.rounding import Bounds, bounds
from .precise import BITS, is_rational
from .probes import FLOAT16, FLOAT32, MODULAR, Probe, functions, given_data, precise_data, rational_data

SEEDS = 30
KEPT = 2048  # answers remembered; nobody writes into them


def working_data(probe: Probe) -> Data:
    """The numbers of a probe in the arithmetic of the oracle."""
    exact = rational_data(probe)
    if probe.numbers == MODULAR:
        return given_data(probe, exact)
    return exact if is_rational(probe.activation) else precise_data(probe, exact)


def given(probe: Probe) -> Data:
    """The arrays that the function under test gets."""
    return given_data(probe, rational_data(probe))


@lru_cache(maxsize=KEPT)
def expected(probe: Probe) -> tuple[list[Any], list[Any]]:
    """Backprop's changes of weights and biases, exactly, as object arrays."""
    import mpmath

    with mpmath.workprec(BITS):
        return backprop(working_data(probe))


@lru_cache(maxsize=KEPT)
def alive(probe: Probe) -> Probe:
    """The same with the first seed for which no layer's change is 0, of ``SEEDS`` seeds."""
    for k in range(SEEDS):
        other = replace(probe, seed=probe.seed + 100 * k)
        if all(any(v != 0 for v in np.ravel(layer)) for layer in expected(other)[0]):
            return other
    return probe


@lru_cache(maxsize=KEPT)
def rounding(probe: Probe, literal: bool = False) -> Bounds:
    """How far a computation of the changes in the probe's floats may be off (``testing.rounding``).

    literal: for one that forms errors as x - mu.
    """
    exact = rational_data(probe)

    def floats(a: Any) -> Any:
        return np.asarray(a, dtype=np.float64)

    biases = None if exact.biases is None else [floats(c) for c in exact.biases]
    weights = [floats(w) for w in exact.weights]
    data = Data(weights, biases, floats(exact.x), floats(exact.target), functions(probe))
    dtype = {FLOAT32: np.float32, FLOAT16: np.float16}.get(probe.numbers, np.float64)
    with np.errstate(all="ignore"):
        return bounds(probe.case, data, dtype, literal, parameters=1)
