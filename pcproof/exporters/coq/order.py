"""A proof script for each rule of order."""

from __future__ import annotations

from .step import Step


def le_number(s: Step) -> list[str]:
    return ["lra."]


def le_equal(s: Step) -> list[str]:
    return [f"exact (Req_le _ _ {s.same(0)})."]


def le_trans(s: Step) -> list[str]:
    return [f"exact (Rle_trans _ _ _ {s.same(0)} {s.same(1)})."]


def le_both(s: Step) -> list[str]:
    return [f"exact (Rle_antisym _ _ {s.same(0)} {s.same(1)})."]


def _joined(s: Step, two: str) -> list[str]:
    """All premises, from the left, by what joins two."""
    out, *rest = s.all
    for p in rest:
        out = f"({two} {out} {p})"
    return [f"exact {out}."]


def le_add(s: Step) -> list[str]:
    return _joined(s, "Rplus_le_compat _ _ _ _")


def le_mul(s: Step) -> list[str]:
    return _joined(s, "Rmult_le_pos _ _")


def le_square(s: Step) -> list[str]:
    return [f"exact (le_square {s.side(s.row(s.claim[2])[1])})."]


def le_sum(s: Step) -> str | list[str]:
    return s.summed("zsum_le")
