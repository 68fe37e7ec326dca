"""Random networks and data.

A case is small and readable; its numbers come from its seed, so a failure is
reproduced from one line.  Lists run from the input to the output.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..language.evaluate import Mod
from ..networks.activations import TableActivation, activation, polynomial

FLOAT_ACTIVATIONS = ("identity", "tanh", "sigmoid", "relu", "leaky_relu", "elu", "softplus", "gelu", "silu")
RATIONAL_ACTIVATIONS = ("identity", "relu", "leaky_relu", "table")
MODULAR_ACTIVATIONS = ("identity", "square", "cubic", "table")
PLAIN, ZERO_GRADIENT, DEAD_UNITS = "plain", "zero gradient", "dead units"
PARAMETERS = (Fraction(1, 2), Fraction(3, 4), Fraction(1), Fraction(5, 4), Fraction(-1), Fraction(2))


@dataclass(frozen=True)
class Case:
    """A network and data, up to its seed.

    widths: units of every layer, input first.  input_activation: that of the
    input layer ("identity" as in PyTorch, else as in Song et al.).  scale:
    weights are uniform within +-scale/sqrt(fan-in).  special: what is
    constructed: targets equal to the outputs, or units whose derivative is 0.
    parameter: value of the rule's own parameters, if it has any.
    """

    widths: tuple[int, ...]
    batch: int
    activation: str
    input_activation: str
    bias: bool
    scale: float
    special: str
    parameter: Fraction
    seed: int

    @property
    def depth(self) -> int:
        return len(self.widths) - 1

    def __str__(self) -> str:
        extra = "" if self.special == PLAIN else f", {self.special}"
        first = "" if self.input_activation == "identity" else f" (input too: {self.input_activation})"
        return (
            f"widths {'-'.join(map(str, self.widths))} from input to output, batch {self.batch}, "
            f"{self.activation}{first}, {'biases' if self.bias else 'no biases'}{extra}, "
            f"parameter {self.parameter}, seed {self.seed}"
        )


@dataclass
class Data:
    """The arrays of a case."""

    weights: list[Any]
    biases: list[Any] | None
    x: Any
    target: Any
    functions: list[Any] = field(default_factory=list)  # of layers input .. first before the output


@st.composite
def cases(
    draw: st.DrawFn,
    activations: tuple[str, ...],
    bias: bool,
    depth: tuple[int, int] = (1, 24),
    widest: int = 8,
    batch: int = 4,
    special: bool = True,
) -> Case:
    """Cases of every depth in the range; nothing is filtered out."""
    layers = draw(st.integers(*depth))
    name = draw(st.sampled_from(activations))
    kinds = [PLAIN, PLAIN, ZERO_GRADIENT, DEAD_UNITS] if special else [PLAIN]
    return Case(
        widths=tuple(draw(st.lists(st.integers(1, widest), min_size=layers + 1, max_size=layers + 1))),
        batch=draw(st.integers(1, batch)),
        activation=name,
        input_activation=draw(st.sampled_from(("identity", name))),
        bias=draw(st.booleans()) if bias else False,
        scale=draw(st.sampled_from((1.0, 2.0))),
        special=draw(st.sampled_from(kinds)),
        parameter=draw(st.sampled_from(PARAMETERS)),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


def functions(case: Case) -> list[Any]:
    """The activations of the layers that send: input layer, then hidden layers."""
    named = {"square": lambda: polynomial([0, 0, 1]), "cubic": lambda: polynomial([1, -2, 0, 3])}

    def one(name: str, layer: int) -> Any:
        if name == "table":
            return TableActivation(case.seed % 1000 + layer)
        return named[name]() if name in named else activation(name)

    return [one(case.input_activation, 0), *(one(case.activation, k) for k in range(1, case.depth))]


# -- exact numbers ----------------------------------------------------------------
def rational_data(case: Case, generic: bool = False) -> Data:
    """Small fractions other than 0, in object arrays; ``generic``: so varied that nothing cancels by chance."""
    r = random.Random(case.seed)
    if generic:
        return _exact(case, lambda: Fraction(r.choice((-1, 1)) * r.randrange(31, 97, 2), 64))
    return _exact(case, lambda: Fraction(r.choice((-5, -3, -2, -1, 1, 2, 3, 5)), r.choice((1, 2, 3))))


def modular_data(case: Case) -> Data:
    """Integers modulo a prime, in object arrays."""
    r = random.Random(case.seed)
    return _exact(case, lambda: Mod(r.randrange(1, Mod.DEFAULT_PRIME)))


def _exact(case: Case, number: Callable[[], Any]) -> Data:
    from .reference import forward

    def array(*shape: int) -> Any:
        out = np.empty(shape, dtype=object)
        for at in np.ndindex(*shape):
            out[at] = number()
        return out

    pairs = list(zip(case.widths, case.widths[1:]))
    weights = [array(n_out, n_in) for n_in, n_out in pairs]
    biases = [array(n_out) for _, n_out in pairs] if case.bias else None
    data = Data(weights, biases, array(case.batch, case.widths[0]), array(case.batch, case.widths[-1]), functions(case))
    if case.special == DEAD_UNITS:
        for w, c in list(zip(weights, biases or [None] * len(weights)))[:-1]:
            w[0] = w[0] * 0
            if c is not None:
                c[0] = c[0] * 0 - 1
    if case.special == ZERO_GRADIENT:
        data.target = forward(data.weights, data.biases, data.x, data.functions)[-1]
    return data


# -- floats --------------------------------------------------------------------------
def float_data(case: Case, dtype: Any) -> Data:
    """Weights uniform within +-scale/sqrt(fan-in), standard normal data; the same numbers in every precision."""
    r = np.random.default_rng(case.seed)

    def uniform(bound: float, *shape: int) -> Any:
        return r.uniform(-bound, bound, shape).astype(np.float32).astype(dtype)

    pairs = list(zip(case.widths, case.widths[1:]))
    weights = [uniform(case.scale / n_in**0.5, n_out, n_in) for n_in, n_out in pairs]
    biases = [uniform(case.scale / n_in**0.5, n_out) for n_in, n_out in pairs] if case.bias else None
    x = r.standard_normal((case.batch, case.widths[0])).astype(np.float32).astype(dtype)
    target = r.standard_normal((case.batch, case.widths[-1])).astype(np.float32).astype(dtype)
    data = Data(weights, biases, x, target, functions(case))
    if case.special == DEAD_UNITS:
        for w, c in list(zip(weights, biases or [None] * len(weights)))[:-1]:
            w[0] = 0
            if c is not None:
                c[0] = -100
    if case.special == ZERO_GRADIENT:
        a = data.x
        for k, w in enumerate(weights):
            a = data.functions[k].value(a) @ w.T + (0 if biases is None else biases[k])
        data.target = a.astype(dtype)
    return data
