"""Does a rule read only what exists?  Activities of layers 0..L, errors of 0..L-1, weights of 1..L.

A definition says nothing outside its cases, so a rule that reads eps[L] would
get a verdict about nothing.  Networks of depth 1 to 4 show it: whatever a rule
reads lies at a fixed distance from an end of the network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from ..language.evaluate import EvaluationError, Evaluator, Model
from ..language.index import Con
from ..language.signature import Case
from ..language.terms import Iverson, Mul, Term
from .equations import Equations, RuleError

DEPTHS = (1, 2, 3, 4)
ONE = Fraction(1)


class _Reader(Evaluator):
    """Where an indicator is 0, what stands beside it is not read."""

    def value(self, t: Term, env: Mapping[str, int]) -> Any:
        if isinstance(t, Mul):
            indicators = [a for a in t.args if isinstance(a, Iverson)]
            if any(super(_Reader, self).value(a, env) == 0 for a in indicators):
                return Fraction(0)
        return super().value(t, env)


def check_domain(e: Equations) -> None:
    """Raise RuleError if energy, start, step or learn read a layer that does not exist."""
    for depth in DEPTHS:
        reader = _reader(e, depth)
        _read(reader, "the energy", e.energy, {}, depth)
        at = {"t": depth, "b": 0, "i": 0, "j": 0}
        for layer in range(1, depth + 1):
            here = {**at, "l": layer}
            if layer < depth:
                _read(reader, "start", e.start, here, depth)
                _read_cases(reader, "step", e.step, here, depth)
            for cases in e.change.values():
                _read_cases(reader, "learn", cases, here, depth)


def _read_cases(reader: Evaluator, what: str, cases: tuple[Case, ...], env: dict[str, int], depth: int) -> None:
    def met(guard: tuple[Con, ...]) -> bool:
        return all(reader.holds(c, env) for c in guard)

    for case in cases:
        if met(case.guard):
            _read(reader, what, case.value, env, depth)


def _read(reader: Evaluator, what: str, term: Term, env: dict[str, int], depth: int) -> None:
    try:
        reader.value(term, env)
    except _NotThere as error:
        where = f" for layer {env['l']}" if env else ""
        raise RuleError(f"{what} reads {error} in a network of depth {depth}{where}, and there is none") from None
    except EvaluationError:
        return  # said elsewhere


class _NotThere(Exception):
    """A layer that does not exist was read."""


def _reader(e: Equations, depth: int) -> Evaluator:
    net = e.net

    def within(name: str, first: int, last: int) -> Callable[..., Fraction]:
        def read(layer: int, *units: int) -> Fraction:
            if not first <= layer <= last:
                raise _NotThere(f"{'mu' if name == 'eps' else name}[{layer}]")  # eps = x - mu
            return ONE

        return read

    parameters: dict[str, Callable[..., Any]] = {
        **{p.name: lambda *a: ONE for p in e.parameters},
        "alpha": lambda: ONE,
        "s_in": lambda *a: ONE,
        "s_out": lambda *a: ONE,
        **{n: within(n, 0, depth) for n in ("x", "y")},
        **{n: within(n, 0, depth - 1) for n in ("mu", "eps")},
        **{k.name: within(k.name, 1, depth) for k in net.kinds},
    }
    sizes: dict[str, Any] = {n: (lambda *a: 1) if arity else 1 for n, arity in {**net.sizes, **e.sizes}.items()} | {
        "L": depth
    }
    functions: dict[str, Callable[..., Any]] = {f.name: lambda *a: ONE for f in net.functions}
    return _Reader(net.energy_theory(), Model(sizes, parameters, functions))
