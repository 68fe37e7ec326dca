"""Float error against depth, measured against the same kernel in exact rational arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..kernels.generate import Kernel

DEPTHS = (2, 4, 8, 16, 32)
WIDTH = 8


@dataclass(frozen=True)
class Precision:
    """Worst relative error of a layer's change, by (form, type) and depth."""

    depths: tuple[int, ...]
    errors: dict[tuple[str, str], tuple[float, ...]]

    def at(self, form: str, kind: str, depth: int) -> float:
        return self.errors[(form, kind)][self.depths.index(depth)]


def measure(
    literal: Kernel, wavefront: Kernel, depths: Sequence[int] = DEPTHS, seed: int = 3, shrink: float = 0.7
) -> Precision:
    """Random relu networks whose gradients shrink with depth while activities do not.

    Weights are multiples of 2^-10, so the same numbers enter float32, float64
    and the exact run.  The exact run uses the wavefront form on fractions.
    """
    import numpy as np

    found: dict[tuple[str, str], list[float]] = {
        (f, k): [] for f in ("literal", "wavefront") for k in ("float32", "float64")
    }
    for depth in depths:
        rng = np.random.default_rng(seed + depth)
        widths = [WIDTH] * (depth + 1)
        weights = [
            np.round(rng.standard_normal((o, i)) * shrink / np.sqrt(i) * 1024) / 1024
            for i, o in zip(widths, widths[1:])
        ]
        biases = [np.round((rng.random(o) + 0.5) * 1024) / 1024 for o in widths[1:]]
        x = np.round(rng.standard_normal((1, WIDTH)) * 1024) / 1024
        target = np.round(rng.standard_normal((1, WIDTH)) * 1024) / 1024
        exact_dw, _ = wavefront.update(*_as(_exactly, weights, x, target), "relu", [_exactly(b) for b in biases])
        for form, kernel in (("literal", literal), ("wavefront", wavefront)):
            for kind in ("float32", "float64"):

                def cast(a: Any, kind: str = kind) -> Any:
                    return a.astype(kind)

                dw, _ = kernel.update(*_as(cast, weights, x, target), "relu", [cast(b) for b in biases])
                found[(form, kind)].append(max(_relative(a, b) for a, b in zip(dw, exact_dw)))
    return Precision(tuple(depths), {k: tuple(v) for k, v in found.items()})


def _as(convert: Any, weights: Sequence[Any], x: Any, target: Any) -> tuple[list[Any], Any, Any]:
    return [convert(w) for w in weights], convert(x), convert(target)


def _exactly(a: Any) -> Any:
    import numpy as np

    return np.vectorize(lambda v: Fraction(float(v)), otypes=[object])(a)


def _relative(a: Any, exact: Any) -> float:
    """|a - exact| / |exact| over one layer; the difference is formed exactly."""
    difference = _exactly(a) - exact
    size = sum((v * v for v in exact.ravel()), Fraction(0))
    if size == 0:
        return 0.0
    ratio = sum((v * v for v in difference.ravel()), Fraction(0)) / size
    return _root(ratio)


def _root(q: Fraction) -> float:
    """Square root of a fraction that may be far below the smallest float."""
    if q == 0:
        return 0.0
    shift = 0
    while q < Fraction(1, 2**200):
        q, shift = q * 2**200, shift + 100
    return math.sqrt(float(q)) * math.ldexp(1.0, -shift)
