"""Named activations to 400 bits, for networks whose values are not rational."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from ..networks.activations import activation

BITS = 400
KEPT = 20  # bits after the point of a target that is made from an output that is not rational


class Precise:
    """f and f' of a named activation on mpmath numbers, from its SymPy expressions."""

    def __init__(self, name: str) -> None:
        import sympy

        z = sympy.Symbol("z", real=True)
        f = activation(name)
        self._value = sympy.lambdify(z, f.sympy(z), "mpmath")
        self._derivative = sympy.lambdify(z, f.sympy_derivative(z), "mpmath")

    def value(self, x: Any) -> Any:
        return self._at(self._value, x)

    def derivative(self, x: Any) -> Any:
        return self._at(self._derivative, x)

    @staticmethod
    def _at(f: Any, x: Any) -> Any:
        """On a number or an object array."""
        import mpmath

        def one(v: Any) -> Any:
            with mpmath.workprec(BITS):
                return mpmath.mpf(f(v))

        return np.frompyfunc(one, 1, 1)(x) if isinstance(x, np.ndarray) else one(x)


@cache
def precise(name: str) -> Precise:
    """Made once for each name."""
    return Precise(name)


def is_rational(name: str) -> bool:
    """Whether f and f' take rational numbers to rational numbers."""
    return name == "table" or activation(name).exact


def to_precise(a: Any) -> Any:
    """An object array of Fractions as mpmath numbers."""
    import mpmath

    with mpmath.workprec(BITS):
        return np.frompyfunc(lambda q: mpmath.mpf(q.numerator) / q.denominator, 1, 1)(a)


def to_dyadic(a: Any) -> Any:
    """mpmath numbers as Fractions with ``KEPT`` bits after the point."""
    import mpmath

    return np.frompyfunc(lambda v: Fraction(int(mpmath.nint(v * 2**KEPT)), 2**KEPT), 1, 1)(a)
