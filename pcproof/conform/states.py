"""Which activities an update was computed at, and which inference leads there.

With one sample and the energy F = 1/2 sum |x_k - W_k f(x_{k-1})|^2 the change
-dF/dW_k is the outer product of the error e_k and f(x_{k-1}).  The input is
known, so the first change gives e_1, hence x_1 = W_1 x_0 + e_1, and so on: the
activities follow from the update, layer by layer, whatever schedule found
them.  If every change has that form and the last error ends at the target, the
update is the energy's gradient at these activities.  (Whittington and Bogacz
2017 for the energy; numbering from the input.)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..testing.cases import Data
from .compare import Sample, Scale, floats
from .oracle import working_data

SETTLED = 1e-3  # an equilibrium is called one if dF/dx has fallen by this factor; the residual is always printed
STEPS = 64
RATES = tuple(
    map(Fraction, ("1", "1/2", "1/4", "1/8", "1/3", "3/10", "1/5", "1/10", "1/20", "1/50", "1/100", "1/1000"))
)


@dataclass
class Found:
    """Activities of the hidden layers; residual: largest |dF/dx| there, by that after the forward pass.

    known: False where a layer sends nothing but 0, so that its change tells nothing about what comes after it.
    """

    hidden: list[Any]
    residual: float
    known: bool = True


def _data(sample: Sample) -> Data:
    data = working_data(sample.probe)
    if sample.exact:
        return data
    biases = None if data.biases is None else [floats(c) for c in data.biases]
    from ..networks.activations import activation

    fs = [activation("identity"), *[activation(sample.probe.activation)] * (sample.probe.depth - 1)]
    return Data([floats(w) for w in data.weights], biases, floats(data.x), floats(data.target), fs)


def _largest(a: Any) -> Any:
    return max((abs(v) for v in np.ravel(a)), default=0)


def _equal(a: Any, b: Any, most: float, size: Any) -> bool:
    gap = _largest(np.asarray(a) - np.asarray(b))
    return bool(gap == 0 if most == 0 else gap <= most * float(size))


def energy_state(sample: Sample, scale: Scale) -> Found | None:
    """The activities at which the update is -dF/dW, or None if there are none.  One sample, no biases."""
    data, most = _data(sample), 4 * sample.tolerance
    c = scale.of(sample.probe)
    c = c if sample.exact else float(c)
    a, x, states = data.x[0], data.x[0], []
    for k, w in enumerate(data.weights):
        u = sample.answer.weights[k] / c
        square = a @ a
        if square == 0:
            return None if _largest(u) != 0 else Found([], 0.0, known=False)
        error = (u @ a) / square
        if not _equal(u, error[:, None] * a[None, :], most, _largest(u)):
            return None
        x = w @ a + error
        states.append(x)
        if k + 1 < len(data.weights):
            a = data.functions[k + 1].value(x)
    if not _equal(x, data.target[0], most, _largest(x)):
        return None
    start = [h[0] for h in forward_states(data)]
    most_start = _largest(np.concatenate([np.ravel(r) for r in residuals(data, start)] or [np.zeros(1)]))
    now = _largest(np.concatenate([np.ravel(r) for r in residuals(data, states[:-1])] or [np.zeros(1)]))
    return Found(states[:-1], _quotient(now, most_start))


def _quotient(a: Any, b: Any) -> float:
    if not b:
        return 0.0
    return float(min(a / b, 10**6))


def forward_states(data: Data) -> list[Any]:
    """Hidden activities after a forward pass, each (batch, n)."""
    out, a = [], data.x
    for k, w in enumerate(data.weights[:-1]):
        out.append(a @ w.T + (0 if data.biases is None else data.biases[k]))
        a = data.functions[k + 1].value(out[-1])
    return out


def residuals(data: Data, hidden: list[Any]) -> list[Any]:
    """-dF/dx of every hidden layer for one sample (1-d) or a batch (2-d)."""
    one = not hidden or hidden[0].ndim == 1
    x = [data.x[0] if one else data.x, *hidden, data.target[0] if one else data.target]
    a = [x[0], *(data.functions[k].value(x[k]) for k in range(1, len(x) - 1))]
    errors = [
        x[k + 1] - a[k] @ w.T - (0 if data.biases is None else data.biases[k]) for k, w in enumerate(data.weights)
    ]
    return [
        -errors[k - 1] + data.functions[k].derivative(x[k]) * (errors[k] @ data.weights[k])
        for k in range(1, len(data.weights))
    ]


@dataclass(frozen=True)
class Steps:
    """T steps, or with ``of_depth`` T more than there are layers."""

    steps: int
    of_depth: bool = False

    def at(self, depth: int) -> int:
        """The number of steps in a network of that depth."""
        return self.steps + (depth if self.of_depth else 0)

    def __str__(self) -> str:
        if not self.of_depth:
            return str(self.steps)
        return f"L {'+' if self.steps > 0 else '-'} {abs(self.steps)}" if self.steps else "L"


def schedule(
    samples: list[Sample], found: list[Found], rates: tuple[Fraction, ...] = RATES
) -> tuple[Fraction, Steps] | None:
    """(gamma, T) with which gradient inference from the forward pass ends at the activities found, in every sample."""
    for rate in rates:
        fixed: set[int] | None = None
        of_depth: set[int] | None = None
        for s, f in zip(samples, found):
            times = _times(s, f, float(rate))
            fixed = times if fixed is None else fixed & times
            more = {t - s.probe.depth for t in times}
            of_depth = more if of_depth is None else of_depth & more
            if not fixed and not of_depth:
                break
        if fixed:
            return rate, Steps(min(fixed))
        if of_depth:
            return rate, Steps(min(of_depth, key=abs), True)
    return None


def _times(sample: Sample, found: Found, rate: float) -> set[int]:
    """After how many steps the activities are those found."""
    data = _floats(sample)
    hidden = [h[0] for h in forward_states(data)]
    out = set()
    for steps in range(STEPS + 1):
        if _near(sample, found, hidden):
            out.add(steps)
        with np.errstate(all="ignore"):
            hidden = [x + rate * r for x, r in zip(hidden, residuals(data, hidden))]
        if not all(np.all(np.abs(x) < 1e6) for x in hidden):
            break
    return out


def _floats(sample: Sample) -> Data:
    data = _data(sample)
    return Data([floats(w) for w in data.weights], None, floats(data.x), floats(data.target), data.functions)


def _near(sample: Sample, found: Found, hidden: list[Any]) -> bool:
    most = max(sample.tolerance, 1e-6)
    return all(np.max(np.abs(floats(a) - b)) <= most * (1 + np.max(np.abs(b))) for a, b in zip(found.hidden, hidden))
