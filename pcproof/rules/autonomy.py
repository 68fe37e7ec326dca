"""Does a rule read a clock?

A rule in motion is autonomous if the step from t to t + 1 is the same at every
time: time stands only where a quantity is looked up, and in "at the start" and
"after the start".  Whatever else mentions t, such as "at t = l" or a step size
gamma[t], needs a clock that every neuron can read.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..language.index import Con, QVar, eq, ge, qvar
from ..language.signature import Definition
from ..language.terms import App, Term, indices, subterms
from .equations import Equations, timed_theory

t = qvar("t")
STARTS = (ge(t, 0), eq(t, 0), ge(t, 1))


def clocks(e: Equations) -> list[str]:
    """What the rule reads of the time, in words; empty if it is autonomous."""
    theory = timed_theory(e)
    timed = {d.name for g in theory.definitions for d in g if d.params[:1] == ("t",)}
    out: list[str] = []
    for group in theory.definitions:
        for d in group:
            if d.name in timed:
                out += _of(d, timed)
    return list(dict.fromkeys(out))


def _of(d: Definition, timed: set[str]) -> Iterator[str]:
    for case in d.cases:
        for c in case.guard:
            if _mentions(c) and c not in STARTS:
                yield f"{d.name} has a case of its own where {c!r}"
        for s in subterms(case.value):
            if _reads_time(s, timed):
                yield f"{d.name} reads {s!r}"


def _mentions(c: Con) -> bool:
    return QVar("t") in set(c.expr.atoms())


def _reads_time(s: Term, timed: set[str]) -> bool:
    """Does this node itself use the time for something else than to look up a quantity?"""
    own = indices(s)
    if isinstance(s, App) and s.name in timed:
        own = own[1:]
    return any(QVar("t") in set(i.atoms()) for i in own)
