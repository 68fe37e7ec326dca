"""Whether the change of a batch is the sum, or the mean, of the changes of its samples.

Needed for what is told from single samples: equilibrium PC and other energy
gradients.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from ..testing.cases import Data
from .attacks import Finding
from .compare import Sample, close, ratio, simple
from .kinds import Kind
from .limits import Raised
from .oracle import expected, given
from .probes import FLOAT64, FRACTIONS, Probe
from .states import energy_state, schedule
from .subject import Subject

SHAPES = ((2, 3, 2), (2, 2, 3, 2))


def _row(b: int) -> Any:
    def make(probe: Probe) -> Data:
        data = given(probe)
        return replace(data, x=data.x[b : b + 1], target=data.target[b : b + 1])

    return make


def _twice(probe: Probe) -> Data:
    """The first sample, two times."""
    data = given(probe)
    return replace(data, x=data.x[[0, 0]], target=data.target[[0, 0]])


def over_batches(s: Subject, kind: Kind) -> tuple[Kind, list[Finding]]:
    """The kind with its reduction, and a fault if the samples of a batch influence each other."""
    found = []
    for widths in SHAPES:
        for batch in (2, 3):
            probe = Probe(widths, batch, "identity", FRACTIONS if s.exact else FLOAT64, power=-1, seed=batch)
            try:
                together = s.call(probe).weights
                single = [s.call(replace(probe, batch=1), _row_of(probe, b)).weights for b in range(batch)]
            except Raised as e:
                return kind, [Finding("batch", str(e), probe=probe)]
            total = [sum(parts[1:], parts[0]) for parts in zip(*single)]
            factors = [ratio(u, e, 1e-6) for u, e in zip(together, total)]
            if any(c is None or not close(c, factors[0], 1e-6) for c in factors):
                text = f"the samples of a batch influence each other{_hidden(s, kind)}"
                return kind, [Finding("batch", text, probe=probe)]
            found.append((batch, simple(factors[0])))
    if all(close(c, 1, 1e-6) for _, c in found):
        return kind, []
    if all(close(c, Fraction(1, b), 1e-6) for b, c in found):
        return replace(kind, scale=replace(kind.scale, batch=True)), []
    text = "the change of a batch is neither the sum nor the mean of the changes of its samples"
    return kind, [Finding("batch", text, probe=Probe(SHAPES[0], 2))]


def _row_of(probe: Probe, b: int) -> Any:
    """Sample b of the batch of ``probe``, whatever probe the call is for."""
    make = _row(b)
    return lambda _: make(probe)


def _hidden(s: Subject, kind: Kind) -> str:
    """Two equal samples go the same way; if that is the way of half the step, 1/B is hidden in the step."""
    if kind.fit is None:
        return ""
    probe = Probe((2, 3, 2), 1, "identity", FRACTIONS if s.exact else FLOAT64, power=-1, seed=3)
    try:
        answer = s.call(replace(probe, batch=2), lambda _: _twice(probe))
    except Raised:
        return ""
    for scale in (replace(kind.scale, factor=kind.scale.factor * 2), kind.scale):
        sample = Sample(probe, answer, *expected(probe))
        state = energy_state(sample, scale)
        fit = schedule([sample], [state], rates=(Fraction(kind.fit[0]) / 2,)) if state and state.known else None
        if fit is not None and fit[1].at(2) == kind.fit[1].at(2):
            return ": 1/B is hidden in the step of the activities"
    return ""
