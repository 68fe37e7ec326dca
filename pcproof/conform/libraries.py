"""NumPy, PyTorch and JAX: arrays in, whatever comes back out, activations in the forms that people expect.

PyTorch and JAX are imported only when a function under test uses them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..networks.activations import ALIASES, activation

OBJECT, NAME, FUNCTION = "object", "name", "function"
FORMS = (OBJECT, NAME, FUNCTION)


class Given:
    """An activation as the contract has it: ``value``, ``derivative``, ``name``; calling it is ``value``."""

    def __init__(self, name: str, value: Callable[[Any], Any], derivative: Callable[[Any], Any]) -> None:
        self.name = self.__name__ = name
        self.value, self.derivative = value, derivative

    def __call__(self, x: Any) -> Any:
        return self.value(x)

    def __repr__(self) -> str:
        return f"<activation {self.name}>"


class Library:
    """NumPy, and what the other libraries do otherwise."""

    name = "numpy"
    exact = True  # arrays hold Fractions as well
    compiles = False  # every operation for every shape: networks of few shapes are tried

    def array(self, a: Any) -> Any:
        """An array of the library from a NumPy array."""
        return a

    def numpy(self, a: Any) -> Any:
        """A NumPy array from what came back."""
        return np.asarray(a)

    def activation(self, f: Any, form: str) -> Any:
        """An activation of pcproof in one of the forms; None where the library has no such function."""
        if form == NAME:
            return f.name
        if form == OBJECT:
            return Given(f.name, f.value, f.derivative)
        return self.function(f.name)

    def function(self, name: str) -> Any:
        """The library's own function of that name."""
        return {"tanh": np.tanh, "square": np.square}.get(name)

    def precision(self) -> AbstractContextManager[Any]:
        """Where float64 has to be switched on."""
        return nullcontext()


class Torch(Library):
    name, exact = "torch", False

    def array(self, a: Any) -> Any:
        import torch

        base = a.base if isinstance(a.base, np.ndarray) and a.base.ndim == a.ndim else None
        if base is not None and base.shape == tuple(2 * n for n in a.shape):
            return torch.tensor(base)[tuple(slice(None, None, 2) for _ in a.shape)]
        if a.ndim == 2 and a.flags.f_contiguous and not a.flags.c_contiguous:
            return torch.tensor(np.ascontiguousarray(a.T)).T
        return torch.tensor(a)

    def numpy(self, a: Any) -> Any:
        return a.detach().cpu().numpy() if hasattr(a, "detach") else np.asarray(a)

    def function(self, name: str) -> Any:
        import torch
        from torch import nn

        return {
            "identity": nn.Identity(), "tanh": torch.tanh, "relu": nn.ReLU(), "sigmoid": torch.sigmoid,
            "leaky_relu": nn.functional.leaky_relu, "elu": nn.functional.elu, "softplus": nn.functional.softplus,
            "gelu": nn.functional.gelu, "silu": nn.functional.silu, "square": torch.square,
        }.get(name)  # fmt: skip


class Jax(Library):
    name, exact, compiles = "jax", False, True

    def array(self, a: Any) -> Any:
        import jax.numpy as jnp

        return jnp.asarray(a)

    def activation(self, f: Any, form: str) -> Any:
        return _given_in_jax(f.name) if form == OBJECT else super().activation(f, form)

    def function(self, name: str) -> Any:
        import jax
        import jax.numpy as jnp

        if name == "identity":
            return lambda x: x
        table = {"tanh": jnp.tanh, "square": jnp.square, "gelu": partial(jax.nn.gelu, approximate=False)}
        table["gelu_tanh"] = jax.nn.gelu
        return table.get(name) or getattr(jax.nn, name, None)

    def precision(self) -> AbstractContextManager[Any]:
        import jax

        switch = getattr(jax, "enable_x64", None)
        if switch is None:
            switch = importlib.import_module("jax.experimental").enable_x64
        found: AbstractContextManager[Any] = switch(True)
        return found


@cache
def _given_in_jax(name: str) -> Given:
    """The same object each time, so that a compiled function with a static argument is not compiled again."""
    value = Jax().function(name)

    def derivative(x: Any) -> Any:
        import jax
        import jax.numpy as jnp

        return jax.jvp(value, (x,), (jnp.ones_like(x),))[1]

    return Given(name, value, derivative)


LIBRARIES: dict[str, type[Library]] = {"numpy": Library, "torch": Torch, "jax": Jax}


def library(name: str) -> Library:
    """NumPy, PyTorch or JAX; ValueError if it is not installed."""
    if name not in LIBRARIES:
        raise ValueError(f"unknown arrays {name!r}; expected one of {', '.join(LIBRARIES)}")
    if find_spec(name) is None:
        raise ValueError(f"{name} is not installed (`pip install 'pcproof[{name}]'`)")
    return LIBRARIES[name]()


def used_by(function: Callable[..., Any]) -> str:
    """The library whose arrays a function expects, read off the modules that it names or imports."""
    inner: Any = function
    while hasattr(inner, "__wrapped__"):
        inner = inner.__wrapped__
    inner = getattr(inner, "func", inner)
    scope = list(dict(getattr(inner, "__globals__", {})).values())
    for cell in getattr(inner, "__closure__", None) or ():
        try:
            scope.append(cell.cell_contents)
        except ValueError:  # a cell that was not filled
            continue
    modules = {str(getattr(v, "__name__" if _is_module(v) else "__module__", "")) for v in scope}
    found = {m.partition(".")[0] for m in modules} | _names(getattr(inner, "__code__", None))
    return next((n for n in ("jax", "torch") if n in found or (n == "jax" and "equinox" in found)), "numpy")


def _names(code: Any) -> set[str]:
    """Names in a function's code and in the functions inside it: modules that are imported there."""
    if code is None:
        return set()
    inside = [_names(c) for c in code.co_consts if hasattr(c, "co_names")]
    return set(code.co_names).union(*inside)


def _is_module(thing: Any) -> bool:
    return type(thing).__name__ == "module"


def named(name: str) -> Any:
    """The activation of pcproof with that name."""
    return activation(ALIASES.get(name, name))
