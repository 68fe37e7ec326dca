"""Integer expressions: ``(constant, ((coefficient, atom), ...))``.

An atom is ``("var", name)``, ``("bound", k)`` or ``("size", name, index, ...)``.  Their order does not matter here:
solvers decide what is equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Atom = tuple[Any, ...]
Index = tuple[int, tuple[tuple[int, Atom], ...]]
Con = tuple[str, Index]


class SmtError(ValueError):
    """A certificate that has no sense, or that this exporter cannot say; the message names what."""


def need(ok: object, message: str) -> None:
    if not ok:
        raise SmtError(message)


def number(k: int) -> Index:
    return k, ()


def var(name: str) -> Index:
    return 0, ((1, ("var", name)),)


def bound(k: int) -> Index:
    return 0, ((1, ("bound", k)),)


def plus(a: Index, b: Index, times: int = 1) -> Index:
    """a + times b, like terms merged."""
    total: dict[Atom, int] = {}
    for c, atom in (*a[1], *((times * c, atom) for c, atom in b[1])):
        total[atom] = total.get(atom, 0) + c
    return a[0] + times * b[0], tuple((c, atom) for atom, c in total.items() if c)


def unordered(i: Index) -> tuple[int, frozenset[Any]]:
    """The same for every order of the atoms: what to compare."""
    pairs = ((c, (*a[:2], *map(unordered, a[2:])) if a[0] == "size" else a) for c, a in i[1])
    return i[0], frozenset(pairs)


def atoms(i: Index) -> Iterator[Atom]:
    """All atoms, those inside sizes too."""
    for _, atom in i[1]:
        yield atom
        if atom[0] == "size":
            for inner in atom[2:]:
                yield from atoms(inner)


def replace(i: Index, value: Callable[[Atom], Index | None]) -> Index:
    """Put in ``value(atom)`` for every atom, inside sizes too; None leaves it."""
    out = number(i[0])
    for c, atom in i[1]:
        new = value(atom)
        if new is None:
            if atom[0] == "size":
                atom = (*atom[:2], *(replace(x, value) for x in atom[2:]))
            new = (0, ((1, atom),))
        out = plus(out, new, c)
    return out
