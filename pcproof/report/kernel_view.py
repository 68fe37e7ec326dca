"""Kernel source for reading: every line with the definition that it computes.

Generated kernels carry each definition as a comment above the lines made from
it; the view links those lines to the definition in the page's list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..kernels.generate import Kernel

_ASSIGNED = re.compile(r"\s*(\w+)\[[^\]]*\] = ")
_HEAD = re.compile(r"\s*# (\w+)(?:\[[^\]]*\])? :=")


@dataclass(frozen=True)
class SourceLine:
    """One line; ``definition`` is the name of what it computes, "" outside the equations."""

    number: int
    text: str
    definition: str = ""
    first: bool = False
    comment: bool = False


def equation_lines(kernel: Kernel, function: str = "changes") -> list[SourceLine]:
    """The lines of the function that holds the equations."""
    lines = kernel.source.splitlines()
    start = next((k for k, line in enumerate(lines) if line.startswith(f"def {function}(")), 0)
    end = next((k for k in range(start + 1, len(lines)) if lines[k] and not lines[k].startswith(" ")), len(lines))
    named = {m.group(1) for line in lines[start:end] if (m := _HEAD.match(line))}
    out, current = [], ""
    for k in range(start, end):
        found, assigned = _HEAD.match(lines[k]), _ASSIGNED.match(lines[k])
        if found:
            current = found.group(1)
        own = assigned.group(1) if assigned and assigned.group(1) in named else current
        out.append(SourceLine(k + 1, lines[k], own, bool(found), lines[k].lstrip().startswith("#")))
    while out and not out[-1].text.strip():
        out.pop()
    return out


def definitions_named(lines: list[SourceLine]) -> list[str]:
    """The definitions that occur, in order."""
    return list(dict.fromkeys(s.definition for s in lines if s.definition))
