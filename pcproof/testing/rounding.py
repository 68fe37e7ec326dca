r"""How far a computed weight change may be from the exact one: a derived bound.

Floats with unit roundoff u (2^-24, 2^-53).  What is assumed of the machine:

* a sum of n products, in any order, with or without fused operations, is off by
  at most gamma_n sum |a_i b_i|, gamma_n = n u / (1 - n u);
* exp, tanh, erf and their like are right to 4 units in the last place (8 u);
* a product of the same matrices in the same shapes gives the same bits twice.

An activation needs at most two such functions and 16 more operations, hence
|computed f - f| <= 32 u m(y) and |computed f' - f'| <= 32 u m'(y), where m is
|f| where nothing cancels and |y| for gelu and silu, and m' is 1 + |y| (0 for
the piecewise linear ones).

Forward.  Let e^l be the error made anew in y^l,
e^{l-1} = gamma_{n+1} (|W| |a| + |c|) + |W| (error of a), and J the Jacobians
W diag(f').  To first order the error of y^l is at most

    Y^l = sum_{k >= l} |J^{l,k}| e^k,       J^{l,k} the product of the Jacobians.

Taking the absolute value of the *product*, not the product of absolute values,
is what keeps the bound useful for deep networks.

Backward.  The error made anew in delta^l is

    d^0 = Y^0 + u |delta^0|
    d^l = gamma_n |f'| |W|^T |delta| + df |W^T delta| + 2 u |delta^l|,
    df  = sup|f''| Y^l + 32 u m'(y^l) + jump [0 < |y^l| <= Y^l],

jump being the step of f' at a kink (relu: 1), which counts where rounding may
have put y on the other side.  Then |error of delta^l| <= D^l = sum_k |P^{l,k}| d^k with
P the transposed chain, and for the weights

    |error of dW| <= sum_b D (|a| + A) + |delta| A + gamma_B sum_b |delta| |a|.

Literal form.  x and mu are formed in full and subtracted.  Ahead of the wave
x and mu are the same bits (third assumption; the freeze lemma holds in floats),
so eps is 0 there.  At t = l the sum x = y + delta is rounded, as is the
difference x - mu: d^l grows by 4 u (|y^l| + |delta^l|).  This is where the
literal form loses its digits: u |mu| / |delta|, with delta^l getting smaller
with depth.  With a step size gamma the errors that are formed are gamma^l
delta^l, so the term is divided by |gamma|^l.

Parameters of the rule cost a few more relative roundings: (2 L + 8) u.

What is left out is of second order, products of two of these errors; a factor
of 1.25 and, for cases where the bound is as large as the values themselves, the
count of vacuous cases, stand for it.  Two computed results, each within its
bound, differ by at most the sum of the bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .cases import Case, Data

SECOND_ORDER = 1.25
LIBRARY = 32.0
CURVATURE = {  # sup |f''| where f is smooth
    "identity": 0.0, "relu": 0.0, "leaky_relu": 0.0, "tanh": 0.77, "sigmoid": 0.0963, "softplus": 0.25, "elu": 1.0,
    "gelu": 0.798, "silu": 0.5,
}  # fmt: skip
JUMP = {"relu": 1.0, "leaky_relu": 0.99}  # of f' at 0
LINEAR_PIECES = ("identity", "relu", "leaky_relu")
UNROUNDED = ("identity", "relu")
CANCELS = ("gelu", "silu")


@dataclass
class Bounds:
    """Componentwise bounds on the error of a computed change; lists run from input to output."""

    weights: list[Any]
    biases: list[Any]


def unit_roundoff(dtype: Any) -> float:
    """u of a float type."""
    return float(np.finfo(dtype).eps) / 2


def bounds(case: Case, data: Data, dtype: Any, literal: bool = False, step: float = 1.0, parameters: int = 0) -> Bounds:
    """The bound of the module's docstring for one computation of the change of every weight.

    data: in float64.  dtype: the precision bounded for.  literal: the literal
    form.  step: gamma.  parameters: how many parameters the rule has.
    """
    u = unit_roundoff(dtype)
    total = Bounds([0.0] * case.depth, [0.0] * case.depth)
    for b in range(case.batch):
        one = _sample(case, data, b, u, literal, step, parameters)
        total = Bounds(
            [p + q for p, q in zip(total.weights, one.weights)], [p + q for p, q in zip(total.biases, one.biases)]
        )
    return Bounds([SECOND_ORDER * w for w in total.weights], [SECOND_ORDER * c for c in total.biases])


def _gamma(n: int, u: float) -> float:
    return n * u / (1 - n * u)


def _sample(case: Case, data: Data, b: int, u: float, literal: bool, step: float, parameters: int) -> Bounds:
    """One sample.  Positions count from the input: y[0] is the input, y[depth] the output."""
    depth, weights = case.depth, data.weights
    names = [case.input_activation] + [case.activation] * (depth - 1)
    y, a, slope = [data.x[b]], [], []
    for k, w in enumerate(weights):
        a.append(data.functions[k].value(y[k]))
        slope.append(data.functions[k].derivative(y[k]))
        y.append(w @ a[k] + (0.0 if data.biases is None else data.biases[k]))

    # forward: Y, and the error A of what is sent
    chains: list[Any] = []  # Jacobian of y[k] by the errors made anew in y[1], ..., y[k]
    anew: list[Any] = []
    size_y = [np.zeros_like(y[0])]
    size_a, size_slope = [], []
    for k, w in enumerate(weights):
        scale = np.abs(y[k]) if names[k] in CANCELS else np.abs(a[k])
        fresh = (2 if names[k] in LINEAR_PIECES else LIBRARY) * u * scale * (names[k] not in UNROUNDED)
        at_kink = (np.abs(y[k]) <= size_y[k]) & (size_y[k] > 0)
        fresh = fresh + JUMP.get(names[k], 0.0) * size_y[k] * at_kink + CURVATURE[names[k]] * size_y[k] ** 2
        size_a.append(np.abs(slope[k]) * size_y[k] + fresh)
        size_slope.append(
            CURVATURE[names[k]] * size_y[k]
            + LIBRARY * u * (1 + np.abs(y[k])) * (names[k] not in LINEAR_PIECES)
            + u * np.abs(slope[k])
            + JUMP.get(names[k], 0.0) * at_kink
        )
        bias = 0.0 if data.biases is None else np.abs(data.biases[k])
        chains = [w @ (slope[k][:, None] * m) for m in chains]
        chains.append(np.eye(len(w)))
        anew.append(_gamma(w.shape[1] + 1, u) * (np.abs(w) @ np.abs(a[k]) + bias) + np.abs(w) @ fresh)
        size_y.append(sum(np.abs(m) @ e for m, e in zip(chains, anew)))

    # backward: D
    delta = data.target[b] - y[depth]
    chains = [np.eye(len(delta))]
    anew = [size_y[depth] + u * np.abs(delta)]
    out = Bounds([None] * depth, [None] * depth)
    for k in reversed(range(depth)):
        size = sum(np.abs(m) @ e for m, e in zip(chains, anew))
        relative = (2 * depth + 8) * u * parameters
        size = size + relative * np.abs(delta)
        terms = np.abs(delta)[:, None] * np.abs(a[k])[None, :]
        out.weights[k] = (
            size[:, None] * (np.abs(a[k]) + size_a[k])[None, :]
            + np.abs(delta)[:, None] * size_a[k][None, :]
            + (_gamma(case.batch, u) + relative) * terms
        )
        out.biases[k] = size + (_gamma(case.batch, u) + relative) * np.abs(delta)
        if k == 0:
            break
        w = weights[k]
        back = w.T @ delta
        fresh = np.abs(slope[k]) * (_gamma(len(w), u) * (np.abs(w).T @ np.abs(delta))) + size_slope[k] * np.abs(back)
        chains = [slope[k][:, None] * (w.T @ m) for m in chains]
        delta = slope[k] * back
        fresh = fresh + 2 * u * np.abs(delta)
        if literal:
            power = abs(step) ** (depth - k)
            fresh = fresh + 4 * u * (np.abs(y[k]) / power + np.abs(delta))
        chains.append(np.eye(len(delta)))
        anew.append(fresh)
    return out
