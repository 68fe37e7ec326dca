"""An answer beside backprop's: equal, equal after a stated change, or where they differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from ..language.evaluate import Mod
from .oracle import expected, rounding
from .probes import FLOAT16, FLOAT32, Probe
from .subject import Answer

FITS = 1e-6  # relative; kinds other than backprop are told apart to about half the digits of float64
COARSE = {np.float32: 2e-3, np.float16: 2e-2}  # the same for fewer digits


@dataclass(frozen=True)
class Scale:
    """What a function returns is ``factor`` times backprop's change, divided by the batch, the outputs, or both."""

    factor: Any = Fraction(1)
    batch: bool = False
    outputs: bool = False

    def of(self, probe: Probe) -> Any:
        """By what backprop's change is multiplied."""
        return self.factor / (probe.batch if self.batch else 1) / (probe.widths[-1] if self.outputs else 1)

    def words(self) -> list[str]:
        """What to do to the returned list to obtain backprop's change."""
        out = []
        size = abs(self.factor)
        if self.factor < 0:
            out.append("negate")
        if self.batch:
            out.append("times batch")
        if self.outputs:
            out.append("times outputs")
        named = {Fraction(2): "halve", Fraction(1, 2): "double"}
        if size != 1:
            out.append(named.get(size) or f"divide by {size if isinstance(size, Fraction) else f'{size:.6g}'}")
        return out


@dataclass
class Sample:
    """A probe, what the function answered, and what backprop says."""

    probe: Probe
    answer: Answer
    weights: list[Any]
    biases: list[Any]

    @classmethod
    def of(cls, probe: Probe, answer: Answer) -> Sample:
        weights, biases = expected(probe)
        return cls(probe, answer, weights, biases if probe.bias else [])

    def pairs(self) -> list[tuple[str, Any, Any]]:
        """(name, returned, backprop's) of every array."""
        named = [("weights", k, u, e) for k, (u, e) in enumerate(zip(self.answer.weights, self.weights))]
        named += [("biases", k, u, e) for k, (u, e) in enumerate(zip(self.answer.biases, self.biases))]
        return [(f"{n}[{k}]", u, e) for n, k, u, e in named]

    @property
    def exact(self) -> bool:
        return self.probe.exact and self.answer.exact

    @property
    def tolerance(self) -> float:
        """Relative, for telling kinds apart; 0 means ==."""
        return 0.0 if self.exact else COARSE.get(self.answer.digits, FITS)

    def bounds(self, literal: bool = False) -> list[Any]:
        """How far rounding may take each array; that of float32 where float32 came back, of float16 where that did."""
        numbers = {np.float32: FLOAT32, np.float16: FLOAT16}.get(self.answer.digits, self.probe.numbers)
        probe = replace(self.probe, numbers=numbers)
        found = rounding(probe, literal)
        return [*found.weights, *(found.biases if probe.bias else [])]


@dataclass(frozen=True)
class Difference:
    """Where an answer is not what it should be.  relative: by the largest entry of the layer; at most: rounding."""

    where: str
    got: str
    should: str
    relative: float
    allowed: float | None = None

    def __str__(self) -> str:
        text = f"{self.where} is {self.got}, backprop says {self.should}"
        return text if self.allowed is None else f"{text} (at most {self.allowed:.2g} is rounding)"


def floats(a: Any) -> Any:
    """An object array of exact numbers in float64."""
    return np.asarray(a, dtype=np.float64)


def show(v: Any) -> str:
    return str(v) if isinstance(v, (Fraction, Mod, int)) else f"{float(v):.9g}"


def _shown(a: Any, b: Any) -> tuple[str, str]:
    """Both with as many digits as tell them apart."""
    if show(a) != show(b):
        return show(a), show(b)
    return f"{float(a):.17g}", f"{float(b):.17g}"


def difference(sample: Sample, scale: Scale, literal: bool = False) -> Difference | None:
    """The first entry that differs: exactly, or by more than the derived bound of rounding."""
    c = scale.of(sample.probe)
    if sample.exact:
        for name, u, e in sample.pairs():
            for at in np.ndindex(*u.shape):
                if u[at] != e[at] * c:
                    gap = _relative(u[at] - e[at] * c, e * c)
                    return Difference(_place(name, at), *_shown(u[at], e[at] * c), gap)
        return None
    tiny = float(np.finfo(sample.answer.digits).tiny)
    for (name, u, e), most in zip(sample.pairs(), sample.bounds(literal)):
        should, most = floats(e) * float(c), most * abs(float(c)) + tiny
        wrong = ~(np.abs(u.astype(np.float64) - should) <= most)
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            size = float(np.max(np.abs(should))) or 1.0
            gap = float(np.max(np.abs(u.astype(np.float64) - should)))
            return Difference(_place(name, at), *_shown(u[at], should[at]), gap / size, float(most[at]))
    return None


def vacuous(sample: Sample) -> bool:
    """Whether the bound of rounding is as large as the change itself in some layer."""
    if sample.exact:
        return False
    return any(
        float(np.max(most)) >= float(np.max(np.abs(floats(e)))) > 0
        for (_, _, e), most in zip(sample.pairs(), sample.bounds())
    )


def ratio(u: Any, e: Any, tolerance: float) -> Any:
    """c with u = c e entry by entry; None if there is no such number, or e is 0."""
    flat_u, flat_e = list(np.ravel(u)), list(np.ravel(e))
    if all(isinstance(v, (Fraction, int)) for v in flat_u + flat_e):
        at = next((k for k, v in enumerate(flat_e) if v != 0), None)
        if at is None:
            return None
        c = Fraction(flat_u[at]) / flat_e[at]
        return c if all(p == c * q for p, q in zip(flat_u, flat_e)) else None
    p, q = floats(u).ravel(), floats(e).ravel()
    if not np.all(np.isfinite(p)) or not float(q @ q):
        return None
    value = float(p @ q) / float(q @ q)
    return value if np.max(np.abs(p - value * q)) <= tolerance * np.max(np.abs(p)) else None


def simple(c: Any, most: float = 1e-8) -> Any:
    """A fraction of small denominator, if a float is within ``most`` of one, relatively; else the float."""
    if not isinstance(c, float):
        return c
    near = Fraction(c).limit_denominator(100)
    return near if near and abs(float(near) - c) <= most * abs(c) else c


def find_scale(samples: list[Sample]) -> Scale | None:
    """The scale at which the last layer is backprop's, from its ratio at several batches and numbers of outputs."""
    found = []
    for s in samples:
        if not any(v != 0 for v in np.ravel(s.weights[-1])):
            continue  # says nothing about a scale
        c = ratio(s.answer.weights[-1], s.weights[-1], s.tolerance)
        if c is None or c == 0:
            return None
        found.append((s.probe, c))
    if not found:
        return None
    for batch, outputs in ((False, False), (True, False), (False, True), (True, True)):
        values = [c * (p.batch if batch else 1) * (p.widths[-1] if outputs else 1) for p, c in found]
        if all(close(v, values[0], samples[0].tolerance) for v in values):
            return Scale(simple(values[0], 1e-4 if samples[0].answer.coarse else 1e-8), batch, outputs)
    return None


def matches(sample: Sample, scale: Scale) -> bool:
    """Whether the answer is the scaled change of the sample, == or to about half the digits."""
    c = scale.of(sample.probe)
    if sample.exact:
        return difference(sample, scale) is None
    for _, u, e in sample.pairs():
        should = floats(e) * float(c)
        if not np.max(np.abs(u - should)) <= sample.tolerance * np.max(np.abs(should)):
            return False
    return True


def close(a: Any, b: Any, most: float) -> bool:
    if isinstance(a, (int, Fraction)) and isinstance(b, (int, Fraction)):
        return a == b
    return abs(float(a) - float(b)) <= most * max(abs(float(a)), abs(float(b)))


def _place(name: str, at: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, at))}]"


def _relative(gap: Any, layer: Any) -> float:
    if isinstance(gap, Mod):
        return 1.0
    size = max((abs(v) for v in np.ravel(layer)), default=Fraction(0))
    return float(abs(gap) / size) if size else 1.0
