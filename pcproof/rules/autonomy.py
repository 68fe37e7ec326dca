"""Does a rule read a clock?

A rule in motion is autonomous if the step from t to t + 1 is the same at every
time: time stands only where a quantity is looked up, and in "at the start" and
"after the start".  Whatever else mentions t, such as "at t = l" or a step size
gamma[t], needs a clock that every neuron can read.

*Partial* autonomy asks this of the neurons only: activities, predictions and
errors move by the same equations at every time, whatever is clamped; *full*
autonomy asks it of the synapses too.  Backprop is no such system: what its
synapses read, delta, is no quantity of the network that makes predictions but
moves by equations of its own, after the prediction is there.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..language.index import Con, QVar, eq, ge, qvar
from ..language.signature import Definition
from ..language.terms import App, Term, indices, subterms
from ..networks.gradients import backprop_theory
from ..networks.network import Network
from .equations import Equations, timed_theory

t = qvar("t")
STARTS = (ge(t, 0), eq(t, 0), ge(t, 1))


def clocks(e: Equations) -> list[str]:
    """What the rule reads of the time, in words; empty if it is autonomous."""
    return list(dict.fromkeys(text for _, text in _readings(e)))


def neuron_clocks(e: Equations) -> list[str]:
    """What the neurons read of the time, in words; empty if the rule is partially autonomous."""
    synapses = {name for k in e.net.kinds for name in (k.name, k.change)}
    return list(dict.fromkeys(text for name, text in _readings(e) if name not in synapses))


def switched(net: Network) -> list[str]:
    """What backprop's synapses read that the forward pass does not compute, in words."""
    theory = backprop_theory(net)
    definitions = {d.name: d for g in theory.definitions for d in g}

    def reached(names: set[str]) -> set[str]:
        todo, out = list(names), set(names)
        while todo:
            for c in definitions[todo.pop()].cases:
                for s in subterms(c.value):
                    if isinstance(s, App) and s.name in definitions and s.name not in out:
                        out.add(s.name)
                        todo.append(s.name)
        return out

    changes = {k.initial_change for k in net.kinds}
    return [f"{n} moves in the learning phase only" for n in sorted(reached(changes) - changes - reached({"y"}))]


def _readings(e: Equations) -> Iterator[tuple[str, str]]:
    """Defined quantity, and what it reads of the time."""
    theory = timed_theory(e)
    timed = {d.name for g in theory.definitions for d in g if d.params[:1] == ("t",)}
    for group in theory.definitions:
        for d in group:
            if d.name in timed:
                yield from ((d.name, text) for text in _of(d, timed))


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
