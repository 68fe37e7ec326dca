"""A training step that leaves its gradients in a ``torch.nn.Module``, as an update function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .libraries import NAME
from .limits import Raised


def sequential(weights: list[Any], activation: str, biases: list[Any] | None) -> Any:
    """Linear layers with the activation between them, one child a layer."""
    from torch import nn

    layers: list[Any] = []
    for k, w in enumerate(weights):
        linear = nn.Linear(w.shape[1], w.shape[0], bias=biases is not None, dtype=w.dtype)
        layers += [linear] if k + 1 == len(weights) else [linear, _layer(activation)]
    return nn.Sequential(*layers)


def _layer(activation: str) -> Any:
    from torch import nn

    known = {
        "identity": nn.Identity, "tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "leaky_relu": nn.LeakyReLU,
        "elu": nn.ELU, "gelu": nn.GELU, "silu": nn.SiLU,
    }  # fmt: skip
    return known[activation]()


def from_module(step: Callable[..., Any], build: Callable[..., Any] = sequential) -> Callable[..., Any]:
    """``step(model, x, target)``, which leaves ``.grad``, under the contract of an update function.

    build: makes the model from weights, the name of the activation and biases (or None); its matrices and vectors, in
    the order of ``parameters()``, then get the weights and biases.  What comes back are the gradients.
    """

    def update(weights: list[Any], x: Any, target: Any, activation: str, biases: list[Any] | None = None) -> Any:
        import torch

        model = build(weights, activation, biases)
        matrices = [p for p in model.parameters() if p.ndim == 2]
        vectors = [p for p in model.parameters() if p.ndim == 1]
        with torch.no_grad():
            for p, w in zip(matrices, weights, strict=True):
                p.copy_(w)
            for p, c in zip(vectors, biases or [], strict=True):
                p.copy_(c)
        model.zero_grad()
        step(model, x, target)
        found = [[p.grad for p in part] for part in (matrices, vectors)]
        if any(g is None for part in found for g in part):
            raise Raised("left a parameter without .grad")
        return found[0] if biases is None else tuple(found)

    update.step = step  # type: ignore[attr-defined]
    update.forms = (NAME,)  # type: ignore[attr-defined]
    update.__name__ = getattr(step, "__name__", "step")
    return update
