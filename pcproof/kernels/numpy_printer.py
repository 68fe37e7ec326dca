"""Tensor expressions as NumPy source: floats, and object arrays of exact numbers."""

from __future__ import annotations

from collections.abc import Sequence

from .printing import Printer


class NumPyPrinter(Printer):
    module = "np"

    def filled(self, value: str, shape: Sequence[str]) -> str:
        return f"np.zeros(({', '.join(shape)},), s_in.dtype) + ({value})"
