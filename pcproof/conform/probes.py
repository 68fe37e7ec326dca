"""The networks on which a function is tried, and their numbers.

A probe is small and readable; its numbers follow from its fields.  They are
dyadic fractions of few bits, so that float32, float64 and ``Fraction`` hold
the very same ones.  Lists run from the input to the output.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from ..language.evaluate import Mod
from ..networks.activations import TableActivation, activation
from ..testing.cases import Case, Data
from ..testing.reference import forward
from .precise import BITS, is_rational, precise, to_dyadic, to_precise

FRACTIONS, MODULAR, FLOAT64, FLOAT32 = "fractions", "integers mod 2^31 - 1", "float64", "float32"
FLOAT16 = "float16"  # may come back; never given
EXACT = (FRACTIONS, MODULAR)
PUSHED = "error of "  # followed by its size
PLAIN, ZERO_ERROR, DEAD_UNITS, KINK, TIED = "", "zero error", "dead units", "kink", "tied weights"
CONTIGUOUS, STRIDED, FORTRAN = "", "not contiguous", "column-major"
LEVELS = 3  # of the size of the numbers in the enumeration


@dataclass(frozen=True)
class Probe:
    """A network and data.

    widths: units of every layer, input first.  activation: of the hidden
    layers; "table" is an arbitrary f with an unrelated f'.  numbers: the kind
    of number.  power: weights are multiplied by 2^power.  level: 0 all ones,
    1 and 2 small integers, 3 generic, 4 like a linear layer of PyTorch
    (uniform within 1/sqrt(fan-in)).  special: what is constructed.  layout: of
    the arrays.  error: the target is the output plus 2^-error times a generic
    vector; None for a target of its own.
    """

    widths: tuple[int, ...]
    batch: int = 1
    activation: str = "identity"
    numbers: str = FLOAT64
    bias: bool = False
    power: int = 0
    level: int = 3
    special: str = PLAIN
    layout: str = CONTIGUOUS
    error: int | None = None
    seed: int = 0

    @property
    def depth(self) -> int:
        return len(self.widths) - 1

    @property
    def exact(self) -> bool:
        return self.numbers in EXACT

    @property
    def case(self) -> Case:
        """The same for ``testing.rounding``, which asks for sizes and names only."""
        return Case(
            self.widths, self.batch, self.activation, "identity", self.bias, 1.0, "plain", Fraction(1), self.seed
        )

    def __str__(self) -> str:
        extra = [s for s in (self.special, self.layout) if s]
        if self.power:
            extra.append(f"weights times 2^{self.power}")
        if self.bias:
            extra.append("biases")
        return ", ".join(
            [
                f"depth {self.depth}", _widths(self.widths), f"batch {self.batch}",
                self.activation, self.numbers, *extra,
            ]
        )  # fmt: skip


def _widths(widths: tuple[int, ...]) -> str:
    if len(widths) > 8 and len(set(widths)) == 1:
        return f"width {widths[0]} throughout"
    return f"widths {'-'.join(map(str, widths))}"


def _number(probe: Probe, r: random.Random) -> Fraction:
    if probe.level == 0:
        return Fraction(1)
    if probe.level == 1:
        return Fraction(r.choice((1, 2, -1)))
    if probe.level == 2:
        return Fraction(r.choice((1, -1, 2, -2, 3, -3)), r.choice((1, 2)))
    return Fraction(r.choice((-1, 1)) * r.randrange(9, 31, 2), 16)


def _weight(probe: Probe, r: random.Random, fan_in: int) -> Fraction:
    if probe.level == 4:
        most = int(4096 / fan_in**0.5)
        return Fraction(r.choice((-1, 1)) * r.randrange(1, most), 4096)
    return _number(probe, r)


def _array(shape: tuple[int, ...], number: Callable[[], Any]) -> Any:
    out = np.empty(shape, dtype=object)
    for at in np.ndindex(*shape):
        out[at] = number()
    return out


def functions(probe: Probe) -> list[Any]:
    """f of the layers that send, with exact values where it has them; identity on the input."""
    if probe.activation == "table":
        hidden: list[Any] = [TableActivation(probe.seed)] * (probe.depth - 1)
    else:
        hidden = [activation(probe.activation)] * (probe.depth - 1)
    return [activation("identity"), *hidden]


@lru_cache(maxsize=2048)
def rational_data(probe: Probe) -> Data:
    """The numbers of a probe as Fractions; made once, so nobody may write into them."""
    r = random.Random(f"{probe.widths} {probe.batch} {probe.level} {probe.seed}")
    scale = Fraction(2) ** probe.power
    pairs = list(zip(probe.widths, probe.widths[1:]))
    weights = [_array((o, i), lambda: scale * _weight(probe, r, i)) for i, o in pairs]  # noqa: B023
    biases = [_array((o,), lambda: _weight(probe, r, i)) for i, o in pairs] if probe.bias else None  # noqa: B023
    x = _array((probe.batch, probe.widths[0]), lambda: _number(probe, r))
    target = _array((probe.batch, probe.widths[-1]), lambda: _number(probe, r))
    if probe.level == 0:
        target = target * 3
    if probe.special == TIED:
        weights = [weights[0]] * len(weights)
    if probe.special in (DEAD_UNITS, KINK):
        for w in weights[:-1]:
            w[0] = -abs(w[0]) if probe.special == DEAD_UNITS else w[0] * 0
        x = abs(x)
    data = Data(weights, biases, x, target, functions(probe))
    if probe.special == ZERO_ERROR or probe.error is not None:
        data.target = _output(probe, data) + (0 if probe.error is None else target * Fraction(1, 2**probe.error))
    if probe.special.startswith(PUSHED):
        data.target = _output(probe, data) + Fraction(probe.special.removeprefix(PUSHED))
    return data


def precise_data(probe: Probe, exact: Data) -> Data:
    """The same with mpmath numbers, for an activation that is not rational."""
    biases = None if exact.biases is None else [to_precise(c) for c in exact.biases]
    fs = [activation("identity"), *[precise(probe.activation)] * (probe.depth - 1)]
    return Data([to_precise(w) for w in exact.weights], biases, to_precise(exact.x), to_precise(exact.target), fs)


def _output(probe: Probe, data: Data) -> Any:
    import mpmath

    if is_rational(probe.activation):
        return forward(data.weights, data.biases, data.x, data.functions)[-1]
    with mpmath.workprec(BITS):
        wide = precise_data(probe, data)
        return to_dyadic(forward(wide.weights, wide.biases, wide.x, wide.functions)[-1])


def given_data(probe: Probe, exact: Data) -> Data:
    """The same numbers as NumPy arrays of the probe's kind of number and layout."""

    def convert(a: Any) -> Any:
        if probe.numbers == MODULAR:
            out = _array(a.shape, lambda: None)
            for at in np.ndindex(*a.shape):
                out[at] = Mod(a[at])
            return out
        out = (
            a.copy() if probe.numbers == FRACTIONS else a.astype(np.float64 if probe.numbers == FLOAT64 else np.float32)
        )
        if probe.layout == STRIDED:
            wide = np.zeros(tuple(2 * n for n in out.shape), dtype=out.dtype)
            view = wide[tuple(slice(None, None, 2) for _ in out.shape)]
            view[...] = out
            return view
        return np.asfortranarray(out) if probe.layout == FORTRAN else out

    weights = [convert(w) for w in exact.weights]
    if probe.special == TIED:
        weights = [weights[0]] * len(weights)
    biases = None if exact.biases is None else [convert(c) for c in exact.biases]
    return Data(weights, biases, convert(exact.x), convert(exact.target), exact.functions)


def enumeration(numbers: str, activations: tuple[str, ...], deepest: int = 3, widest: int = 2) -> Iterator[Probe]:
    """Small networks in the order depth, widths, batch, activation, size of the numbers."""
    for depth in range(1, deepest + 1):
        for widths in sorted(product(range(1, widest + 1), repeat=depth + 1), key=lambda w: (sum(w), w)):
            for batch in (1, 2):
                for name in activations if depth > 1 else activations[:1]:
                    for level in range(LEVELS):
                        yield Probe(widths, batch, name, numbers, level=level)
