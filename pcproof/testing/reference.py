"""Backprop written down independently of everything that pcproof derives or generates.

``backprop`` is plain loops over numbers of any kind; ``autograd`` is PyTorch's
own differentiation.  Both return the change that a step of size 1 adds, minus
the gradient of 1/2 sum (target - output)^2, summed over the batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .cases import Case, Data


def forward(weights: list[Any], biases: list[Any] | None, x: Any, functions: list[Any]) -> list[Any]:
    """The input and what every layer receives, input first."""
    out = [x]
    for k, w in enumerate(weights):
        rows = []
        for sample in out[-1]:
            sent = [functions[k].value(v) for v in sample]
            row = []
            for i in range(len(w)):
                value = sum((w[i][j] * sent[j] for j in range(1, len(sent))), w[i][0] * sent[0])
                row.append(value if biases is None else value + biases[k][i])
            rows.append(row)
        layer = np.empty((len(rows), len(w)), dtype=object)
        for b, row in enumerate(rows):
            for i, v in enumerate(row):
                layer[b, i] = v
        out.append(layer)
    return out


def backprop(data: Data) -> tuple[list[Any], list[Any]]:
    """Changes of weights and biases, by loops."""
    received = forward(data.weights, data.biases, data.x, data.functions)
    depth, batch = len(data.weights), len(data.x)
    delta = [[data.target[b][i] - received[-1][b][i] for i in range(len(data.weights[-1]))] for b in range(batch)]
    weights: list[Any] = [None] * depth
    biases: list[Any] = [None] * depth
    for k in reversed(range(depth)):
        w, below = data.weights[k], received[k]
        n_out, n_in = w.shape
        dw, dc = np.empty((n_out, n_in), dtype=object), np.empty(n_out, dtype=object)
        sent = [[data.functions[k].value(v) for v in below[b]] for b in range(batch)]
        for i in range(n_out):
            dc[i] = sum((delta[b][i] for b in range(1, batch)), delta[0][i])
            for j in range(n_in):
                dw[i, j] = sum((delta[b][i] * sent[b][j] for b in range(1, batch)), delta[0][i] * sent[0][j])
        weights[k], biases[k] = dw, dc
        if k:
            delta = [
                [
                    data.functions[k].derivative(below[b][j])
                    * sum((w[i, j] * delta[b][i] for i in range(1, n_out)), w[0, j] * delta[b][0])
                    for j in range(n_in)
                ]
                for b in range(batch)
            ]
    return weights, biases


def torch_is_there() -> bool:
    """Whether PyTorch can be imported."""
    from importlib.util import find_spec

    return find_spec("torch") is not None


def _torch_function(name: str) -> Any:
    """PyTorch's own function; softplus by logaddexp, since torch's own is x itself above 20."""
    import torch
    from torch.nn import functional

    table = {
        "identity": lambda v: v,
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
        "relu": torch.relu,
        "leaky_relu": functional.leaky_relu,
        "elu": functional.elu,
        "softplus": lambda v: torch.logaddexp(v, torch.zeros_like(v)),
        "gelu": functional.gelu,
        "silu": functional.silu,
    }
    return table[name]


def autograd(case: Case, data: Data) -> tuple[list[Any], list[Any]]:
    """Changes of weights and biases by torch.autograd, as NumPy arrays in the precision of the data."""
    import torch

    weights = [torch.tensor(w, requires_grad=True) for w in data.weights]
    biases = None if data.biases is None else [torch.tensor(c, requires_grad=True) for c in data.biases]
    names = [case.input_activation] + [case.activation] * (case.depth - 1)
    value = torch.tensor(data.x)
    for k, w in enumerate(weights):
        value = _torch_function(names[k])(value) @ w.T
        if biases is not None:
            value = value + biases[k]
    loss = ((torch.tensor(data.target) - value) ** 2).sum() / 2
    loss.backward()

    def change(p: Any) -> Any:
        return -p.grad.numpy()

    return [change(w) for w in weights], [] if biases is None else [change(c) for c in biases]
