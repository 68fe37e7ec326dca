"""Loops over the same layers, run as one.

A change such as ``dw[l]``, which reads ``delta[l-1]``, is made in the loop
that computes ``delta[l]``, while that array is still in the cache; where its
range is one layer longer, the last layer follows after the loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..language.index import Idx, QVar
from .program import Assign, Comment, Fresh, Loop, Statement
from .tensors import Array, map_addresses, walk


def fused(body: Iterable[Statement]) -> list[Statement]:
    """The same program with loops joined where what they read is there in time."""
    out: list[Statement] = []
    home: int | None = None  # where the loop stands into which others may go
    for s in body:
        joined = join(out[home], s) if home is not None and isinstance(s, Loop) else None
        if home is not None and joined is not None:
            loop, rest = joined
            heads = [h for h in out[home + 1 :] if isinstance(h, (Comment, Fresh))]
            tails = [h for h in out[home + 1 :] if not isinstance(h, (Comment, Fresh))]
            out[home:] = [*heads, loop, *tails, *rest]
            home += len(heads)
            continue
        if isinstance(s, Loop):
            home = len(out) if all(isinstance(a, Assign) for a in s.body) else None
        elif not isinstance(s, (Comment, Fresh)):
            home = None
        out.append(s)
    return out


def join(a: Statement, b: Statement) -> tuple[Loop, list[Statement]] | None:
    """Loop ``a`` with the body of loop ``b``, and what of ``b`` is left over; None if they must stay apart."""
    if not isinstance(a, Loop) or not isinstance(b, Loop) or (a.var, a.step, a.first) != (b.var, b.step, b.first):
        return None
    longer = (b.last - a.last) * a.step
    if longer.terms or longer.const not in (0, 1) or not all(isinstance(s, Assign) for s in b.body):
        return None
    here = Idx.of(QVar(a.var))
    written = {s.target.name for s in a.body if isinstance(s, Assign)}
    for read in reads(b):
        if read.name in written:
            ahead = (read.address[0] - here) * a.step
            if ahead.terms or ahead.const > 0:
                return None
    rest: list[Statement] = [at(s, a.var, b.last) for s in b.body if isinstance(s, Assign)] if longer.const else []
    return replace(a, body=(*a.body, *b.body)), rest


def reads(loop: Loop) -> Iterator[Array]:
    """Every array that a loop reads."""
    for s in loop.body:
        assert isinstance(s, Assign)
        for t in walk(s.value):
            if isinstance(t, Array):
                yield t


def at(s: Assign, variable: str, where: Idx) -> Assign:
    """An assignment at one layer."""

    def put(i: Idx) -> Idx:
        return i.replace(lambda a: where if a == QVar(variable) else None)

    return Assign(
        replace(s.target, address=tuple(put(i) for i in s.target.address)),
        map_addresses(s.value, put),
        s.layout,
        tuple(None if e is None else put(e) for e in s.extents),
    )
