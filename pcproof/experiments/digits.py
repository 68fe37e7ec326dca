"""Training on the handwritten digits that scikit-learn ships: backprop, Z-IL, IL side by side.

All methods start from the same weights and see the same batches.  Updates are
made by generated kernels only.  Differences of final weights are measured in
float64, and exactly on a small run in rational numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from statistics import median
from typing import Any

from ..kernels.from_result import kernel_of
from ..kernels.generate import Kernel, kernel_source, load_kernel
from ..networks.mlp import MLP
from ..rules.zil import zil
from .il import Inference, gamma_rule, il_kernel, infer, spectral_bound

SHALLOW = (64, 32, 32, 10)
DEEP = (64, 32, 32, 32, 32, 32, 32, 32, 10)
T_C = 20
METHODS = ("backprop", "Z-IL, wavefront", "Z-IL, literal", f"IL, t_c = {T_C}")
Params = tuple[list[Any], list[Any]]
Progress = Callable[[str, int, int], None]


class ExperimentError(ValueError):
    """An experiment cannot be run; the message says what is missing."""


@dataclass(frozen=True)
class Data:
    """Inputs (batch, 64) in 0..1, one-hot targets (batch, 10), labels."""

    x_train: Any
    t_train: Any
    x_test: Any
    labels_test: Any


def load_data() -> Data:
    """The digits, every fifth kept for testing."""
    import numpy as np

    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise ExperimentError('the digits need scikit-learn; install it with: pip install "pcproof[report]"') from None
    found = load_digits()
    x, labels = np.asarray(found.data, dtype=np.float64) / 16.0, np.asarray(found.target)
    test = np.arange(len(labels)) % 5 == 0
    return Data(x[~test], np.eye(10)[labels[~test]], x[test], labels[test])


@dataclass(frozen=True)
class Settings:
    """One training run; ``rate`` is the learning rate for the mean over a batch."""

    widths: tuple[int, ...] = SHALLOW
    epochs: int = 30
    batch: int = 32
    rate: float = 0.1
    seed: int = 0
    activation: str = "tanh"
    timing_rounds: int = 25


@dataclass(frozen=True)
class MethodRow:
    """One line of the training table.

    distance: of the final weights from backprop's, Euclidean; relative: divided by their norm.
    ratio: time for one update, divided by backprop's, median of paired measurements.
    """

    method: str
    accuracy: float
    distance: float
    relative: float
    seconds: float
    ratio: float
    accuracies: tuple[float, ...]
    distances: tuple[float, ...]
    inference: Inference | None = None
    slack: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "method": self.method, "accuracy": self.accuracy, "distance": self.distance,
            "relative_distance": self.relative, "microseconds": round(self.seconds * 1e6, 1),
            "ratio": round(self.ratio, 2),
        }  # fmt: skip
        if self.inference is not None:
            out.update(
                gamma=self.inference.gamma, residual=self.inference.residual, equilibrium=self.inference.equilibrium
            )
        return out


@dataclass(frozen=True)
class Training:
    """A finished run of all methods on one network."""

    settings: Settings
    rows: tuple[MethodRow, ...]

    @property
    def name(self) -> str:
        return "-".join(map(str, self.settings.widths))

    @property
    def depth(self) -> int:
        return len(self.settings.widths) - 1

    def row(self, method: str) -> MethodRow:
        return next(r for r in self.rows if r.method.startswith(method))


@dataclass(frozen=True)
class ExactRun:
    """A small run in rational numbers: is the distance from backprop exactly 0 at the end?

    digits: of the longest numerator by then; alive: every update moved weights of every layer.
    """

    widths: tuple[int, ...]
    updates: int
    wavefront: Fraction
    literal: Fraction
    digits: int = 0
    alive: bool = True

    @property
    def ok(self) -> bool:
        return self.alive and self.wavefront == 0 and self.literal == 0


# -- kernels -------------------------------------------------------------------------
@lru_cache(maxsize=1)
def kernels() -> Mapping[str, Kernel]:
    """The generated kernels; the Z-IL ones are made from the theorem, which is proved here."""
    from ..api import prove

    net = MLP(bias=True)
    result = prove(zil(net, gamma=1).equals_backprop())
    if result.verdict != "proved":
        raise ExperimentError(f"Z-IL is {result.verdict}: there is no kernel to train with")
    return {
        METHODS[0]: load_kernel(kernel_source(net, form="backprop"), "backprop"),
        METHODS[1]: kernel_of(result, "numpy", "wavefront"),
        METHODS[2]: kernel_of(result, "numpy", "literal"),
        METHODS[3]: il_kernel(),
    }


def updater(method: str, activation: Any, gamma: float = 0.0) -> Callable[[Params, Any, Any], Params]:
    """``update((weights, biases), x, target)`` of one method."""
    update = kernels()[method].update
    more = {"t_c": T_C, "gamma": gamma} if method == METHODS[3] else {}

    def call(p: Params, x: Any, target: Any) -> Params:
        dw, db = update(p[0], x, target, activation, p[1], **more)
        return dw, db

    return call


# -- training --------------------------------------------------------------------------
def initial(widths: Sequence[int], seed: int) -> Params:
    """Normal weights of variance 1/n_in, biases 0."""
    import numpy as np

    rng = np.random.default_rng(seed)
    weights = [rng.standard_normal((o, i)) / np.sqrt(i) for i, o in zip(widths, widths[1:])]
    return weights, [np.zeros(o) for o in widths[1:]]


def moved(p: Params, change: Params, rate: Any) -> Params:
    """Weights and biases after a change."""
    return [w + rate * d for w, d in zip(p[0], change[0])], [b + rate * d for b, d in zip(p[1], change[1])]


def output(p: Params, x: Any, activation: str = "tanh") -> Any:
    """The forward pass, by the functions of the generated kernel."""
    module: Any = kernels()[METHODS[0]].module
    f, _ = module.layer_functions(activation, "identity", len(p[0]))
    layers = range(len(p[0]), 0, -1)
    for l, w, b in zip(layers, *p):
        x = f[l](x) @ w.T + b
    return x


def accuracy(p: Params, data: Data, activation: str) -> float:
    return float((output(p, data.x_test, activation).argmax(1) == data.labels_test).mean())


def distance(p: Params, q: Params) -> float:
    """Euclidean distance of all weights and biases."""
    import numpy as np

    return float(np.sqrt(sum(float(((a - b) ** 2).sum()) for a, b in zip((*p[0], *p[1]), (*q[0], *q[1])))))


def norm(p: Params) -> float:
    import numpy as np

    return float(np.sqrt(sum(float((a**2).sum()) for a in (*p[0], *p[1]))))


def finite(p: Params) -> bool:
    """No weight has overflowed."""
    import numpy as np

    return all(bool(np.isfinite(a).all()) for a in (*p[0], *p[1]))


def train(data: Data, s: Settings, progress: Progress | None = None) -> Training:
    """Train with every method from the same start and on the same batches."""
    import numpy as np

    start = initial(s.widths, s.seed)
    order = np.random.default_rng(s.seed + 1)
    batches = [
        list(np.array_split(order.permutation(len(data.x_train)), max(1, len(data.x_train) // s.batch)))
        for _ in range(s.epochs)
    ]
    history: dict[str, list[Params]] = {}
    slack = 0.0
    for n, method in enumerate(METHODS):
        p, kept = start, []
        for epoch, rows in enumerate(batches):
            gamma = gamma_rule(p[0])
            update = updater(method, s.activation, gamma)
            for index in rows:
                p = moved(p, update(p, data.x_train[index], data.t_train[index]), s.rate / len(index))
            if not finite(p):
                raise ExperimentError(f"{method} diverged in epoch {epoch + 1}; lower the learning rate {s.rate}")
            kept.append(p)
            slack = max(slack, gamma * spectral_bound(p[0]) / 2) if method == METHODS[3] else slack
            if progress is not None:
                progress(f"training {'-'.join(map(str, s.widths))}: {method}", n * s.epochs + epoch + 1, 4 * s.epochs)
        history[method] = kept
    times = measure(history[METHODS[0]][-1], data, s)
    reference = history[METHODS[0]]
    rows_ = []
    for method in METHODS:
        kept = history[method]
        apart = tuple(distance(p, q) for p, q in zip(kept, reference))
        inference = None
        if method == METHODS[3]:
            index = batches[-1][-1]
            last = kept[-1]
            inference = infer(
                last[0], last[1], data.x_train[index], data.t_train[index], s.activation, gamma_rule(last[0]), T_C
            )
        rows_.append(
            MethodRow(
                method=method,
                accuracy=accuracy(kept[-1], data, s.activation),
                distance=apart[-1],
                relative=apart[-1] / norm(reference[-1]),
                seconds=median(times[method]),
                ratio=median(a / b for a, b in zip(times[method], times[METHODS[0]])),
                accuracies=tuple(accuracy(p, data, s.activation) for p in kept),
                distances=apart,
                inference=inference,
                slack=slack if inference is not None else 0.0,
            )
        )
    return Training(s, tuple(rows_))


def measure(p: Params, data: Data, s: Settings) -> dict[str, list[float]]:
    """Times of one update: the methods in turn, round by round, so that drifts hit all of them."""
    x, target = data.x_train[: s.batch], data.t_train[: s.batch]
    calls = {m: updater(m, s.activation, gamma_rule(p[0])) for m in METHODS}
    times: dict[str, list[float]] = {m: [] for m in METHODS}
    for round_ in range(s.timing_rounds + 1):
        for m, call in calls.items():
            t0 = time.perf_counter()
            call(p, x, target)
            if round_:
                times[m].append(time.perf_counter() - t0)
    return times


# -- exact -------------------------------------------------------------------------------
def exact_run(data: Data, updates: int = 4, seed: int = 0) -> ExactRun:
    """Digits drawn together to 2 x 2 pixels, a 4-3-3-10 leaky relu network, everything in fractions."""
    import numpy as np

    widths = (4, 3, 3, 10)
    rng = np.random.default_rng(seed)
    to_fraction = np.vectorize(lambda v: Fraction(int(v), 8), otypes=[object])
    weights = [to_fraction(rng.integers(-8, 9, (o, i))) for i, o in zip(widths, widths[1:])]
    biases = [to_fraction(rng.integers(-8, 9, o)) for o in widths[1:]]
    pixels = data.x_train.reshape(-1, 2, 4, 2, 4).mean((2, 4)).reshape(-1, 4)
    inputs = to_fraction(np.round(pixels * 8))
    targets = np.vectorize(lambda v: Fraction(int(v)), otypes=[object])(data.t_train)
    start: Params = (weights, biases)
    ends, alive = [], True
    for method in METHODS[:3]:
        p, update = start, updater(method, "leaky_relu")
        for n in range(updates):
            rows = slice(2 * n, 2 * n + 2)
            change = update(p, inputs[rows], targets[rows])
            alive = alive and all(any(v != 0 for v in d.ravel()) for d in change[0])
            p = moved(p, change, Fraction(1, 8))
        ends.append(p)
    apart = [_exact_distance(e, ends[0]) for e in ends]
    digits = max(len(str(abs(v.numerator))) for a in (*ends[0][0], *ends[0][1]) for v in a.ravel())
    return ExactRun(widths, updates, apart[1], apart[2], digits, alive)


def _exact_distance(p: Params, q: Params) -> Fraction:
    """Largest difference of two weights, as a fraction."""
    return max((abs(v) for a, b in zip((*p[0], *p[1]), (*q[0], *q[1])) for v in (a - b).ravel()), default=Fraction(0))
