"""Somebody's update function: how it wants to be called, and what it returns.

The contract is ``update(weights, x, target, activation[, biases])`` with
weights of shape (n_out, n_in) listed from the input to the output, x of shape
(batch, n_in) and target (batch, n_out); it returns the change of every weight,
or ``(dW, db)`` where biases are given.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from ..language.evaluate import Mod
from ..testing.cases import Data
from .libraries import FORMS, NAME, OBJECT, Library, library, named, used_by
from .limits import Raised, Unusable, guarded
from .oracle import given
from .probes import FLOAT32, FLOAT64, FRACTIONS, Probe

SECONDS = 20.0
EXACT_SECONDS = 0.5  # exact numbers grow; a function that iterates long is tried on floats
FIRST = Probe((2, 3, 4, 5), 2, "identity", FLOAT64)  # four widths: a transposed or reversed list shows in the shapes


@dataclass
class Answer:
    """What came back for one probe.

    weights, biases: NumPy arrays in the contract's order and shapes.
    changed: inputs that the call modified, by name.  integers: some array came back as integers.
    """

    weights: list[Any]
    biases: list[Any]
    changed: list[str] = field(default_factory=list)
    integers: bool = False

    @property
    def exact(self) -> bool:
        """Whether nothing in it is a float."""
        return all(a.dtype == object for a in [*self.weights, *self.biases])

    @property
    def coarse(self) -> bool:
        """Whether it has fewer digits than float64."""
        return self.digits is not np.float64

    @property
    def digits(self) -> Any:
        """The narrowest float type in it."""
        sizes = [a.dtype.itemsize for a in self.weights if a.dtype.kind == "f"]
        return {2: np.float16, 4: np.float32}.get(min(sizes, default=8), np.float64)

    @property
    def finite(self) -> bool:
        return all(a.dtype == object or bool(np.all(np.isfinite(a))) for a in [*self.weights, *self.biases])


@dataclass
class Subject:
    """A function under test.

    library: whose arrays it gets.  form: in which form the activation.
    transposed, reversed: how its list deviates from the contract's.
    """

    function: Callable[..., Any]
    name: str
    library: Library = field(default_factory=Library)
    form: str = OBJECT
    takes_biases: bool = False
    exact: bool = False
    activations: tuple[str, ...] = ()
    transposed: bool = False
    reversed: bool = False
    seconds: float = SECONDS
    calls: int = 0
    _integers: bool = False

    def raw(self, probe: Probe, make: Callable[[Probe], Data] = given, times: int = 1) -> tuple[Any, Data, Data]:
        """One call: what came back, what was given, and the same as it was before the call.

        times: calls on the very same arrays; what the last one returned comes back.
        """
        before, data = make(probe), make(probe)
        with self.library.precision():
            arrays = {id(a): self.library.array(a) for a in [*data.weights, *(data.biases or ()), data.x, data.target]}
            data.weights = [arrays[id(a)] for a in data.weights]
            data.biases = None if data.biases is None else [arrays[id(a)] for a in data.biases]
            data.x, data.target = arrays[id(data.x)], arrays[id(data.target)]
            f = data.functions[1] if probe.depth > 1 else named("identity")
            argument = self.library.activation(f, self.form)
            if argument is None:
                raise Raised(f"was not called: {self.library.name} has no function {f.name}")
            arguments = [list(data.weights), data.x, data.target, argument]
            kept = list(arguments[0])
            if data.biases is not None:
                arguments.append(list(data.biases))
            self.calls += times
            for _ in range(times):
                with guarded(self.seconds):
                    out = self.function(*arguments)
            if len(arguments[0]) != len(kept) or any(a is not b for a, b in zip(arguments[0], kept)):
                data.weights = list(arguments[0])  # the list itself was changed
            return out, data, before

    def call(self, probe: Probe, make: Callable[[Probe], Data] = given, times: int = 1) -> Answer:
        """One call, with everything that came back understood; raises ``Raised``.

        make: the arrays of the probe, anew each time.  times: calls on the same arrays; the last one's answer.
        """
        out, data, before = self.raw(probe, make, times)
        self._integers = False
        weights, biases = self._split(out, probe)
        changed = self._changed(data, before)
        return Answer(weights, biases, changed, self._integers)

    def understands(self, name: str) -> bool:
        """Whether it runs on floats with an activation of that name."""
        try:
            return self.call(Probe((2, 2, 2), 2, name, FLOAT64)).finite
        except Raised:
            return False

    def _array(self, a: Any) -> Any:
        if a is None:
            raise Raised("returned None for the change of a layer")
        if str(getattr(a, "dtype", "")).endswith("bfloat16"):
            raise Raised("returned bfloat16, whose rounding is not known here; expected float16, float32 or float64")
        try:
            found = self.library.numpy(a)
        except Exception as e:  # whatever a foreign object does when it is turned into an array
            raise Raised(f"returned {type(a).__name__} where an array was expected ({type(e).__name__})") from None
        if found.dtype == object and not all(isinstance(v, (int, Fraction, Mod)) for v in found.flat):
            try:
                found = found.astype(np.float64)
            except (TypeError, ValueError):
                raise Raised("returned an array of objects that are not numbers") from None
        if found.dtype.kind in "iub":
            found, self._integers = found.astype(np.float64), True
        if found.dtype.kind not in "fO":
            raise Raised(f"returned an array of {found.dtype} where numbers were expected")
        return np.array(found)  # a copy: the function may write into its arrays in the next call

    def _split(self, out: Any, probe: Probe) -> tuple[list[Any], list[Any]]:
        biases: list[Any] = []
        if probe.bias:
            if not isinstance(out, (tuple, list)) or len(out) != 2 or not isinstance(out[0], (tuple, list)):
                raise Raised(f"returned {_kind(out)}; expected (dW, db), two lists")
            out, biases = out[0], [self._array(c) for c in out[1]]
        if not isinstance(out, (tuple, list)):
            raise Raised(f"returned {_kind(out)}; expected a list with the change of every weight")
        weights = [self._array(w) for w in out]
        if self.reversed:
            weights, biases = weights[::-1], biases[::-1]
        if self.transposed:
            weights = [w.T for w in weights]
        pairs = list(zip(probe.widths[1:], probe.widths))
        got = [w.shape for w in weights]
        if got != pairs:
            raise Raised(f"returned shapes {_shapes(got)}; expected {_shapes(pairs)}")
        sizes, shapes = [(n,) for n, _ in pairs], [c.shape for c in biases]
        if probe.bias and shapes != sizes:
            raise Raised(f"returned shapes {_shapes(shapes)} for the biases; expected {_shapes(sizes)}")
        return weights, biases

    def _changed(self, data: Data, before: Data) -> list[str]:
        def differs(a: Any, b: Any) -> bool:
            new = self.library.numpy(a)
            return new.shape != b.shape or not bool(np.all((new == b) | (new != new) & (b != b)))

        found = []
        if len(data.weights) != len(before.weights) or any(map(differs, data.weights, before.weights)):
            found.append("weights")
        if data.biases is not None and any(map(differs, data.biases, before.biases or [])):
            found.append("biases")
        return found + [n for n in ("x", "target") if differs(getattr(data, n), getattr(before, n))]


def _kind(out: Any) -> str:
    if inspect.iscoroutine(out):
        out.close()
    return (
        "None"
        if out is None
        else f"{type(out).__name__}" + (f" of {len(out)}" if isinstance(out, (tuple, list)) else "")
    )


def _shapes(shapes: Iterable[tuple[int, ...]]) -> str:
    return "[" + ", ".join(str(tuple(s)) for s in shapes) + "]"


def subject_of(function: Callable[..., Any], name: str, arrays: str | None = None, seconds: float = SECONDS) -> Subject:
    """Find out how a function wants to be called; ``Unusable`` if no way works.

    arrays: "numpy", "torch" or "jax"; None reads it off the function.
    """
    if not callable(function):
        raise Unusable(f"{name} is {type(function).__name__}, not a function")
    first = arrays or used_by(function)
    errors: list[str] = []
    try:
        tried = [library(first)] + ([library("numpy")] if arrays is None and first != "numpy" else [])
    except ValueError as e:
        raise Unusable(str(e)) from None
    for lib in tried:
        for form in getattr(function, "forms", FORMS):
            s = Subject(function, name, lib, form, seconds=seconds)
            try:
                out, _, _ = s.raw(FIRST)
            except Raised as e:
                given_as = f" when the activation is given as a {form}" if errors else ""
                if str(e) not in errors and not str(e).startswith("was not called"):
                    errors.append(f"{e}{given_as}")
                continue
            _layout(s, out)
            return _abilities(s)
    raise Unusable(f"{name} {'; '.join(dict.fromkeys(errors[:2]))} ({FIRST})")


def _layout(s: Subject, out: Any) -> None:
    """Whether the list is transposed or reversed, from the shapes."""
    refused = ""
    for s.reversed, s.transposed in ((False, False), (False, True), (True, False), (True, True)):
        try:
            weights, _ = s._split(out, FIRST)
        except Raised as e:
            refused = refused or str(e)
            continue
        if not all(a.dtype == object or np.all(np.isfinite(a)) for a in weights):
            raise Unusable(f"{s.name} returned a value that is not finite ({FIRST})")
        return
    raise Unusable(f"{s.name} {refused} ({FIRST})")


def _abilities(s: Subject) -> Subject:
    """Which kinds of number, activations and biases it understands."""

    def works(probe: Probe) -> Answer | None:
        try:
            return s.call(probe)
        except Raised:
            return None

    limit = s.seconds
    if s.library.exact:
        s.seconds = min(EXACT_SECONDS, limit)
        found = [works(Probe((2, 3, 2, 3, 2), 2, name, FRACTIONS)) for name in ("identity", "relu")]
        s.exact = all(a is not None and a.exact for a in found)
    numbers, shape = (FRACTIONS, (2, 3, 2, 3, 2)) if s.exact else (FLOAT64, (2, 2, 2))
    wanted = ("identity", "relu", "square", "table") if s.exact else ("identity", "relu", "tanh", "sigmoid")
    s.activations = tuple(
        a for a in wanted if not (a == "table" and s.form == NAME) and works(Probe(shape, 2, a, numbers))
    )
    s.activations = s.activations or ("identity",)
    s.seconds = limit
    s.takes_biases = _accepts(s.function, 5) and works(Probe((2, 3, 2), 2, "identity", FLOAT64, bias=True)) is not None
    return s


def _accepts(function: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(function).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True


__all__ = ["FLOAT32", "Answer", "Subject", "subject_of"]
