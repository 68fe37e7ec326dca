"""Backprop with one thing done otherwise: what people write by mistake, or by another convention.

Each variant is a recursion of its own in plain array operations on exact
numbers; a function that equals one of them on every network tried has its
cause named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..testing.cases import Data


def _same(a: Any) -> Any:
    return a


@dataclass(frozen=True)
class Variant:
    """Where a recursion deviates from backprop.

    slope: f' from (f', h, f(h), h + delta).  sent: what a layer sends, from (f, h, h + delta).
    on_input, on_output: f acts there too.  unsquashed: with on_output, f' of the output is left out.
    changed: errors travel back through weights that have already changed.
    """

    says: str
    slope: Callable[[Any, Any, Any, Any], Any] = lambda df, h, a, moved: df(h)
    sent: Callable[[Any, Any, Any], Any] = lambda f, h, moved: f(h)
    on_input: bool = False
    on_output: bool = False
    output_slope: bool = False
    changed: bool = False


VARIANTS = (
    Variant("f' is left out of the errors", slope=lambda df, h, a, moved: h * 0 + 1),
    Variant("f' is taken at f(h) instead of h", slope=lambda df, h, a, moved: df(a)),
    Variant("f' is multiplied in twice", slope=lambda df, h, a, moved: df(h) * df(h)),
    Variant("weights learn from h instead of f(h)", sent=lambda f, h, moved: h),
    Variant("weights learn from activities that have already moved (one step late)", sent=lambda f, h, moved: f(moved)),
    Variant("f' is taken at activities that have already moved", slope=lambda df, h, a, moved: df(moved)),
    Variant(
        "f' and what weights learn from are taken at activities that have already moved",
        slope=lambda df, h, a, moved: df(moved), sent=lambda f, h, moved: f(moved),
    ),
    Variant("the errors travel back through weights that have already changed", changed=True),
    Variant("f acts on the input as well (the convention of Song et al.)", on_input=True),
    Variant("f acts on the output as well", on_output=True, output_slope=True),
    Variant("f acts on the output as well, its derivative there is left out", on_output=True),
    Variant("f acts on the input and on the output as well", on_input=True, on_output=True, output_slope=True),
    Variant("the error of the output is multiplied by f'", output_slope=True),
)  # fmt: skip


def changes(data: Data, v: Variant) -> tuple[list[Any], list[Any]]:
    """Changes of weights and biases; lists run from the input to the output."""
    depth = len(data.weights)
    hidden: Any = data.functions[1] if depth > 1 else None
    f = hidden.value if hidden is not None else _same
    df = hidden.derivative if hidden is not None else (lambda h: h * 0 + 1)
    h, a = [data.x], [f(data.x) if v.on_input else data.x]
    for k, w in enumerate(data.weights):
        h.append(a[k] @ w.T + (0 if data.biases is None else data.biases[k]))
        a.append(f(h[-1]))
    delta = data.target - (a[-1] if v.on_output else h[-1])
    if v.output_slope:
        delta = delta * df(h[-1])
    weights: list[Any] = [None] * depth
    biases: list[Any] = [None] * depth
    for k in reversed(range(depth)):
        w = data.weights[k]
        if k:
            back = delta @ (w + delta.T @ a[k] if v.changed else w)
            plain = back * df(h[k])
            moved = h[k] + plain
            sent = v.sent(f, h[k], moved)
            next_delta = back * v.slope(df, h[k], a[k], moved)
        else:
            sent, next_delta = a[0], None
        weights[k], biases[k] = delta.T @ sent, delta.sum(axis=0)
        delta = next_delta
    return weights, biases


TIMES = (
    ("Z-IL whose weights learn one step late", 1),
    ("Z-IL whose weights learn two steps late", 2),
)


def at_times(data: Data, late: int) -> tuple[list[Any], list[Any]]:
    """Gradient inference with gamma = 1 from a forward pass; layer l from the output learns at t = l + late."""
    depth, x = len(data.weights), [data.x]
    biases = data.biases or [0] * depth

    def sent(k: int) -> Any:
        return data.functions[k].value(x[k])

    for k, w in enumerate(data.weights):
        x.append(sent(k) @ w.T + biases[k])
    x[depth] = data.target
    weights: list[Any] = [None] * depth
    changes_of_biases: list[Any] = [None] * depth
    for t in range(depth + late):
        e = [None, *(x[k + 1] - sent(k) @ data.weights[k].T - biases[k] for k in range(depth))]
        k = depth - 1 - (t - late)
        if k < depth:
            weights[k], changes_of_biases[k] = e[k + 1].T @ sent(k), e[k + 1].sum(axis=0)
        moved = [
            x[k] - e[k] + data.functions[k].derivative(x[k]) * (e[k + 1] @ data.weights[k]) for k in range(1, depth)
        ]
        x = [x[0], *moved, x[depth]]
    return weights, changes_of_biases
