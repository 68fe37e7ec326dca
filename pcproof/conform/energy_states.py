"""Networks with activities at random, energies on them, and their derivatives by differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..networks.activations import activation
from ..testing.cases import Data
from .libraries import Library, library
from .limits import Raised, Unusable, guarded
from .oracle import given
from .probes import Probe
from .states import residuals
from .subject import SECONDS

AGREE = 1e-6  # relative; six of the nine digits of the differences
STEP = 2.0**-10
SOLVED = 1e-4  # relative; an equilibrium may come from an iteration, but where the solution is known it has to be it

Energy = Callable[[list[Any], list[Any], Any, Any], Any]


@dataclass
class State:
    """A network with activities at random; errors have both signs."""

    widths: tuple[int, ...]
    batch: int
    weights: list[Any]
    hidden: list[Any]
    x: Any
    target: Any

    def __str__(self) -> str:
        return f"widths {'-'.join(map(str, self.widths))}, batch {self.batch}"

    def sample(self, b: int) -> State:
        """One sample of it."""
        rows = slice(b, b + 1)
        return State(self.widths, 1, self.weights, [h[rows] for h in self.hidden], self.x[rows], self.target[rows])


def state(widths: tuple[int, ...], batch: int, seed: int = 0, level: int = 3) -> State:
    """The network of a seed; numbers of few bits, of fewer at ``level`` 1."""
    data = given(Probe(widths, batch, power=-1 if level == 3 else 0, seed=seed, level=level))
    r = np.random.default_rng([seed, *widths, batch])

    def activities(n: int) -> Any:
        if level == 3:
            return r.integers(-24, 25, (batch, n)) / 16 + 1 / 64
        return r.choice((-1.5, -1.0, -0.5, 0.5, 1.0, 1.5), (batch, n))

    return State(widths, batch, data.weights, [activities(n) for n in widths[1:-1]], data.x, data.target)


def usual(name: str, on_input: bool) -> Energy:
    """F = 1/2 sum |x_k - W_k f(x_{k-1})|^2 of every sample; ``on_input``: f acts on the input as well."""
    f = activation(name).value

    def energy(weights: list[Any], hidden: list[Any], x: Any, target: Any) -> Any:
        out = np.zeros(len(x))
        sent = f(x) if on_input else x
        for w, v in zip(weights, [*hidden, target]):
            out = out + ((v - sent @ w.T) ** 2).sum(axis=1) / 2
            sent = f(v)
        return out

    return energy


@dataclass
class Caller:
    """The functions under test, on arrays of their library."""

    functions: dict[str, Callable[..., Any]]
    library: Library
    seconds: float
    changed: set[str] = field(default_factory=set)  # functions that write into their inputs

    def __call__(self, name: str, s: State, *more: Any) -> Any:
        lib = self.library
        with lib.precision():
            hidden = [] if name == "equilibrium" else [[lib.array(h.copy()) for h in s.hidden]]
            data = [lib.array(s.x.copy()), lib.array(s.target.copy())]
            arguments = [[lib.array(w.copy()) for w in s.weights], *hidden, *data]
            try:
                with guarded(self.seconds):
                    out = self.functions[name](*arguments, *more)
                found = self._understood(name, out, s)
            except Raised as e:
                raise Unusable(f"{name} {e} ({s})") from None
            after = [*arguments[0], *(hidden[0] if hidden else []), *data]
            before = [*s.weights, *(s.hidden if hidden else []), s.x, s.target]
            if any(not np.array_equal(lib.numpy(a), b) for a, b in zip(after, before)):
                self.changed.add(name)
            return found

    def _numbers(self, a: Any) -> Any:
        """A copy in float64 of what came back."""
        try:
            found = self.library.numpy(a)
            kind = found.dtype.kind
        except Exception as e:  # whatever a foreign object does when it is turned into an array
            raise Raised(f"returned {type(a).__name__} where an array was expected ({type(e).__name__})") from None
        if kind == "O" and any(v is None for v in found.flat):
            raise Raised("returned None where an array was expected")
        if kind == "f" and found.dtype.itemsize < 8:
            raise Raised(f"returned {found.dtype} where float64 went in; that is too few digits for differences")
        if kind not in "fiubO":
            raise Raised(f"returned an array of {found.dtype} where numbers were expected")
        try:
            return np.array(found, dtype=np.float64)
        except (TypeError, ValueError):
            raise Raised("returned an array of objects that are not numbers") from None

    def _understood(self, name: str, out: Any, s: State) -> Any:
        if name == "energy":
            found = self._numbers(out)
            if found.shape not in ((), (s.batch,), (s.batch, 1)):
                raise Raised(f"returned shape {found.shape}; expected ({s.batch},)")
            found = found.reshape(-1) if found.shape == (s.batch, 1) else found
            if not np.all(np.isfinite(found)):
                raise Raised("returned a value that is not finite")
            return found
        if not isinstance(out, (list, tuple)):
            raise Raised(f"returned {type(out).__name__}; expected a list")
        shapes = [w.shape for w in s.weights] if name == "weight_update" else [(s.batch, n) for n in s.widths[1:-1]]
        arrays = [self._numbers(a) for a in out]
        if [a.shape for a in arrays] != shapes:
            raise Raised(f"returned shapes {[a.shape for a in arrays]}; expected {shapes}")
        if not all(np.all(np.isfinite(a)) for a in arrays):
            raise Raised("returned a value that is not finite")
        return arrays


# -- derivatives ------------------------------------------------------------------------------
def slope(energy: Energy, s: State, which: str) -> list[Any]:
    """dE/dx of the hidden layers ("hidden") or dE/dW ("weights"), E summed over the batch."""
    out = []
    for k, a in enumerate(getattr(s, which)):
        d = np.zeros(a.shape)
        for at in np.ndindex(*a.shape):
            coarse, fine = (_difference(energy, s, which, k, at, h) for h in (STEP, STEP / 2))
            d[at] = (4 * fine - coarse) / 3
        out.append(d)
    return out


def downhill(
    energy: Energy, wrt: str, weights: list[Any], activities: list[Any], x: Any, target: Any, arrays: str = "numpy"
) -> list[Any]:
    """-dE/dx ("activities") or -dE/dW ("weights") of somebody's energy, in NumPy; arrays: those that it takes."""
    lib = library(arrays)
    w, v = ([lib.numpy(a) for a in part] for part in (weights, activities))
    s = State((), len(x), w, v, lib.numpy(x), lib.numpy(target))
    found = slope(stated_energy(Caller({"energy": energy}, lib, SECONDS)), s, "hidden" if wrt == "activities" else wrt)
    return [-d for d in found]


def stated_energy(call: Caller) -> Energy:
    """Somebody's energy on NumPy arrays."""

    def energy(weights: list[Any], hidden: list[Any], x: Any, target: Any) -> Any:
        widths = (x.shape[1], *(len(w) for w in weights))
        return call("energy", State(widths, len(x), weights, hidden, x, target))

    return energy


def _difference(energy: Energy, s: State, which: str, k: int, at: tuple[int, ...], h: float) -> float:
    values = []
    for sign in (1, -1):
        arrays = [a.copy() for a in getattr(s, which)]
        arrays[k][at] += sign * h
        weights, hidden = (arrays, s.hidden) if which == "weights" else (s.weights, arrays)
        values.append(float(np.sum(energy(weights, hidden, s.x, s.target))))
    return (values[0] - values[1]) / (2 * h)


def factor(a: list[Any], b: list[Any]) -> float | None:
    """c with a = c b over all arrays together; None if there is none, or b is 0."""
    p, q = (np.concatenate([np.ravel(v) for v in arrays] or [np.zeros(0)]) for arrays in (a, b))
    if not len(q) or not float(q @ q):
        return None
    c = float(p @ q / (q @ q))
    return c if np.max(np.abs(p - c * q)) <= AGREE * max(np.max(np.abs(p)), np.max(np.abs(q))) else None


def left(energy: Energy, s: State) -> float:
    """Largest |dE/dx|, by that at activities near those of a forward pass (all 0)."""
    if not s.hidden:
        return 0.0
    zero = State(s.widths, s.batch, s.weights, [h * 0 for h in s.hidden], s.x, s.target)
    now, start = (max(float(np.max(np.abs(d))) for d in slope(energy, t, "hidden")) for t in (s, zero))
    return now / start if start else now


def linear_equilibrium(s: State) -> list[Any]:
    """The one state with dF/dx = 0 of a linear network, from the linear equations."""
    sizes = s.widths[1:-1]
    fs = [activation("identity")] * len(s.weights)
    out = [np.zeros((s.batch, n)) for n in sizes]
    for b in range(s.batch):
        one = s.sample(b)
        data = Data(one.weights, None, one.x, one.target, fs)

        def force(v: Any, data: Data = data) -> Any:
            return np.concatenate(residuals(data, list(np.split(v, np.cumsum(sizes)[:-1]))))

        constant = force(np.zeros(sum(sizes)))
        matrix = np.stack([force(e) - constant for e in np.eye(sum(sizes))], axis=1)
        for k, part in enumerate(np.split(np.linalg.solve(matrix, -constant), np.cumsum(sizes)[:-1])):
            out[k][b] = part
    return out
