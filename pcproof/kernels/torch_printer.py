"""Tensor expressions as PyTorch source: any floating dtype, any device."""

from __future__ import annotations

from collections.abc import Sequence

from .printing import Printer


class TorchPrinter(Printer):
    module = "torch"

    def filled(self, value: str, shape: Sequence[str]) -> str:
        return f"s_in.new_zeros(({', '.join(shape)},)) + ({value})"
