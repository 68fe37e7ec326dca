"""Programs: loops, branches and assignments over tensor expressions.

==========================  ===================================================
``Comment(text)``           a line for people, such as the equation computed
``Fresh(names)``            empty tables, one entry a layer
``Keep(new, old)``          the table ``old`` now stands under the name ``new``
``Zeros(name, like)``       a table of zeros, shaped like another
``Assign(target, value)``   one array; ``layout`` is the order of its axes
``Loop(var, ...)``          an integer from ``first`` to ``last``, both included
``Branch(cases)``           if, elif, ...; without guards: else
==========================  ===================================================

``emit`` prints a program with a printer's expressions.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

from ..language.index import Con, Idx
from .tensors import Array, Tensor

if TYPE_CHECKING:
    from .printing import Printer


@dataclass(frozen=True)
class Comment:
    text: str


@dataclass(frozen=True)
class Fresh:
    names: tuple[str, ...]


@dataclass(frozen=True)
class Keep:
    new: str
    old: str


@dataclass(frozen=True)
class Zeros:
    name: str
    like: str


@dataclass(frozen=True)
class Assign:
    """``extents``: the sizes of the layout's axes, where they are known."""

    target: Array
    value: Tensor
    layout: tuple[str, ...]
    extents: tuple[Idx | None, ...] = ()


@dataclass(frozen=True)
class Loop:
    var: str
    first: Idx
    last: Idx
    step: int
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Branch:
    cases: tuple[tuple[tuple[Con, ...], tuple[Statement, ...]], ...]


Statement = Union[Comment, Fresh, Keep, Zeros, Assign, Loop, Branch]


@dataclass(frozen=True)
class Program:
    """A body to run, and the table that holds the result for each kind of weight."""

    body: tuple[Statement, ...]
    results: dict[str, str]


def statements(body: Iterable[Statement]) -> Iterator[Statement]:
    """Every statement, the outer ones first."""
    for s in body:
        yield s
        if isinstance(s, Loop):
            yield from statements(s.body)
        elif isinstance(s, Branch):
            for _, inner in s.cases:
                yield from statements(inner)


def emit(body: Iterable[Statement], printer: Printer, indent: str = "    ") -> list[str]:
    """The lines of a program."""
    lines: list[str] = []
    for s in body:
        lines += [indent + line for line in _lines(s, printer)]
    return lines


def _lines(s: Statement, p: Printer) -> list[str]:
    if isinstance(s, Comment):
        return [row for text in s.text.splitlines() for row in _comment(text)]
    if isinstance(s, Fresh):
        names = [p.name(n) for n in s.names]
        return [f"{', '.join(names)} = {', '.join(['{}'] * len(names))}"]
    if isinstance(s, Keep):
        return [f"{p.name(s.new)} = {p.name(s.old)}"]
    if isinstance(s, Zeros):
        return [f"{p.name(s.name)} = {p.zeros_like(p.name(s.like))}"]
    if isinstance(s, Assign):
        return [f"{p.reference(s.target)} = {p.assigned(s.value, s.layout, s.extents)}"]
    if isinstance(s, Loop):
        return [f"for {s.var} in {p.span(s.first, s.last, s.step)}:", *emit(s.body, p)]
    out = []
    for k, (guard, body) in enumerate(s.cases):
        test = p.condition(guard)
        word = "else:" if k and not guard else f"{'elif' if k else 'if'} {test or 'True'}:"
        out += [word, *emit(body, p)]
    return out


def _comment(text: str) -> list[str]:
    """A comment, wrapped; the continuation is indented deeper than the text."""
    depth = len(text) - len(text.lstrip())
    rows = textwrap.wrap(
        " ".join(text.split()), 112 - depth, break_long_words=False, break_on_hyphens=False, subsequent_indent="    "
    )
    return [f"# {' ' * depth}{row}" for row in rows or [""]]
