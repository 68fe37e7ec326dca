"""The finite order in which concrete sizes are tried: depth, widths, batch, other sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from ..language.signature import Theory
from .instance import Shape, evaluate_index


def _spread(places: int, excess: int) -> Iterator[tuple[int, ...]]:
    """All ways to add ``excess`` to ``places`` ones, lexicographically."""
    if places == 0:
        if excess == 0:
            yield ()
        return
    for first in range(excess + 1):
        for rest in _spread(places - 1, excess - first):
            yield (1 + first, *rest)


def width_vectors(places: int, extra: int, square: Sequence[int]) -> list[tuple[int, ...]]:
    """By total, then lexicographically: everything with ``extra`` units more than one each, and equal widths."""
    small = [v for e in range(extra + 1) for v in _spread(places, e)]
    equal = [(w,) * places for w in square if (w,) * places not in small]
    return sorted(small + equal, key=lambda v: (sum(v), v))


def shapes(theory: Theory, depth: int, extra: int, batch: int, square: Sequence[int] = (2,)) -> Iterator[Shape]:
    """All shapes of one depth that meet the assumptions on the sizes."""
    constants = [n for n, arity in theory.sizes.items() if arity == 0]
    tables = [n for n, arity in theory.sizes.items() if arity > 0]
    others = [n for n in constants if n not in ("L", "B")]
    layered = "L" in constants
    if layered:
        rest = sorted(product(*(range(depth + 3) for _ in others)), key=lambda v: (sum(v), v))
    else:  # no depth: other constants count vertices or times
        rest = [v for v in product(*(range(1, depth + 1) for _ in others)) if max(v, default=depth) == depth]
    for flat in width_vectors((depth + 1) * len(tables), extra if tables else 0, square if tables else ()):
        chosen = {n: flat[k * (depth + 1) : (k + 1) * (depth + 1)] for k, n in enumerate(tables)}
        for b in range(1, batch + 1) if "B" in constants else (1,):
            for values in rest:
                fixed = dict(zip(others, values))
                if layered:
                    fixed["L"] = depth
                if "B" in constants:
                    fixed["B"] = b
                shape = Shape({n: fixed[n] for n in constants}, chosen)
                if admissible(theory, shape):
                    yield shape


def admissible(theory: Theory, shape: Shape) -> bool:
    """Do the assumptions on the sizes hold?"""
    for c in theory.assumptions:
        v = evaluate_index(c.expr, {}, shape.size)
        if v < 0 if c.kind == "ge" else (v == 0) != (c.kind == "eq"):
            return False
    return True


def equal_widths(shape: Shape) -> bool:
    """Is every table of widths constant?"""
    return all(len(set(t)) <= 1 for t in shape.tables.values())
