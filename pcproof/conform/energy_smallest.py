"""The smallest network on which a function of an energy is not what it should be, as code that runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from .compare import close
from .energy_states import AGREE, SOLVED, Caller, Energy, State, left, linear_equilibrium, slope, state
from .limits import Unusable
from .load import where
from .states import SETTLED

SEARCH = 30.0  # seconds
AGAIN = "two equal calls give different results"
DEEPEST, WIDEST, BATCHES = 3, 2, (1, 2)


@dataclass
class Check:
    """One clause, on one network.

    function: which is held against it.  fails: what is wrong on a network, or None.  prints: the lines of a script
    that show it, where ``weights``, ``activities``, ``x`` and ``target`` have their values; needs: further functions.
    """

    function: str
    fails: Callable[[State], str | None]
    prints: list[str]
    needs: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()


@dataclass
class SmallestEnergy:
    """state: the network.  says: what is wrong there.  searched: networks before it, none of which fails."""

    function: str
    state: State
    says: str
    code: str
    searched: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        s = self.state
        return {
            "function": self.function, "depth": len(s.weights), "widths": list(s.widths), "batch": s.batch,
            "says": self.says, "code": self.code, "searched": self.searched,
        }  # fmt: skip

    def text(self) -> str:
        """A sentence and the script."""
        where = f"{self.function}; {self.state}; the first of the enumeration to fail, after {self.searched}"
        return f"The smallest failing case ({where}): {self.says}\n\n{self.code.rstrip()}"


# -- the clauses ----------------------------------------------------------------------------------
@dataclass
class Clauses:
    """The clauses of the contract for the functions that are there.

    energy: the one that they are held against.  energy_text: an expression for it, in a script.
    """

    call: Caller
    energy: Energy
    energy_text: str
    arrays: str = field(init=False)

    def __post_init__(self) -> None:
        self.arrays = (
            "" if self.energy_text != "energy" or self.call.library.name == "numpy" else self.call.library.name
        )

    @property
    def _needs(self) -> tuple[str, ...]:
        return ("energy",) if self.energy_text == "energy" else ()

    def _downhill(self, wrt: str) -> str:
        arrays = f", {self.arrays!r}" if self.arrays else ""
        return f"downhill({self.energy_text}, {wrt!r}, weights, activities, x, target{arrays})"

    def _helpers(self, *more: str) -> tuple[str, ...]:
        return (*more, *(() if self._needs else ("usual",)))

    def step(self, gamma: float) -> Check:
        """The step is -gamma dE/dx."""

        def fails(s: State) -> str | None:
            moved = self.call("infer_step", s, gamma)
            got = [m - h for m, h in zip(moved, s.hidden)]
            return _differs("the move of activities", got, [-gamma * d for d in slope(self.energy, s, "hidden")])

        prints = [
            f"moved = infer_step(weights, activities, x, target, {gamma})",
            'print("returned:", [m - a for m, a in zip(moved, activities)])',
            f'print("expected:", [{gamma} * d for d in {self._downhill("activities")}])',
        ]
        return Check("infer_step", fails, prints, self._needs, self._helpers("downhill"))

    def update(self) -> Check:
        """The update is -dE/dW, summed over the batch."""

        def fails(s: State) -> str | None:
            return _differs("weights", self.call("weight_update", s), [-d for d in slope(self.energy, s, "weights")])

        prints = [
            'print("returned:", weight_update(weights, activities, x, target))',
            f'print("expected:", {self._downhill("weights")})',
        ]
        return Check("weight_update", fails, prints, self._needs, self._helpers("downhill"))

    def batch(self) -> Check:
        """The energy of a batch is that of its samples, one number for each."""

        def fails(s: State) -> str | None:
            if s.batch == 1:
                return None
            together = self.call("energy", s)
            alone = np.array([float(np.sum(self.call("energy", s.sample(b)))) for b in range(s.batch)])
            if together.shape == ():
                return f"one number comes back for a batch of {s.batch}"
            return _differs("energies", [together], [alone], "alone")

        prints = [
            'print("returned:", energy(weights, activities, x, target))',
            "rows = [slice(b, b + 1) for b in range(len(x))]",
            'print("expected:", [energy(weights, [a[r] for a in activities], x[r], target[r]) for r in rows])',
        ]
        return Check("energy", fails, prints)

    def signs(self) -> Check:
        """An error and its negative have the same energy."""

        def fails(s: State) -> str | None:
            if s.hidden:
                return None
            predicted = s.x @ s.weights[0].T
            error = s.target - predicted
            other = State(s.widths, s.batch, s.weights, [], s.x, predicted - error)
            a, b = (float(np.sum(self.call("energy", t))) for t in (s, other))
            return None if close(a, b, AGREE) else f"its energy is {a:.6g}, with the error negated {b:.6g}"

        prints = [
            'print("returned:", energy(weights, activities, x, target))',
            "predicted = x @ weights[0].T",
            'print("expected:", energy(weights, activities, x, 2 * predicted - target))',
        ]
        return Check("energy", fails, prints)

    def settled(self) -> Check:
        """dE/dx vanishes at the equilibrium."""

        def fails(s: State) -> str | None:
            if not s.hidden:
                return None
            at = State(s.widths, s.batch, s.weights, self.call("equilibrium", s), s.x, s.target)
            residual = left(self.energy, at)
            return f"dE/dx is {residual:.3g} of what it is with all activities 0" if residual > SETTLED else None

        prints = [
            "activities = equilibrium(weights, x, target)",
            f'print("returned: -dE/dx =", {self._downhill("activities")})',
            'print("expected: 0")',
        ]
        return Check("equilibrium", fails, prints, self._needs, self._helpers("downhill"))

    def closed_form(self) -> Check:
        """The equilibrium of a linear network is the solution of its linear equations."""

        def fails(s: State) -> str | None:
            if not s.hidden:
                return None
            got, exact = self.call("equilibrium", s), linear_equilibrium(s)
            return _differs("activities", got, exact, "the linear equations say", SOLVED)

        prints = [
            'print("returned:", equilibrium(weights, x, target))',
            'print("expected:", linear_equilibrium(state))',
        ]
        return Check("equilibrium", fails, prints, (), ("State", "linear_equilibrium"))

    def again(self, name: str) -> Check:
        """A second call gives the same."""

        def fails(s: State) -> str | None:
            return AGAIN if differs_again(self.call, name, s) else None

        call = f"{name}(weights, {'' if name == 'equilibrium' else 'activities, '}x, target"
        call += ", 0.5)" if name == "infer_step" else ")"
        return Check(name, fails, [f'print("returned:", {call})', f'print("expected:", {call})'])

    def inputs(self, name: str) -> Check:
        """The call leaves its inputs alone."""

        def fails(s: State) -> str | None:
            known, self.call.changed = self.call.changed, set()
            self.call(name, s, *([0.5] if name == "infer_step" else []))
            found, self.call.changed = name in self.call.changed, known
            return "an array that was given is not what it was" if found else None

        middle = "" if name == "equilibrium" else "activities, "
        gamma = ", 0.5" if name == "infer_step" else ""
        copies = f"[1 * a for a in [*weights, {'' if name == 'equilibrium' else '*activities, '}x, target]]"
        prints = [
            f"before = {copies}",
            f"{name}(weights, {middle}x, target{gamma})",
            f'print("returned:", {copies})',
            'print("expected:", before)',
        ]
        return Check(name, fails, prints)


def differs_again(call: Caller, name: str, s: State) -> bool:
    """Whether two equal calls give two results."""
    gamma = [0.5] if name == "infer_step" else []
    a, b = call(name, s, *gamma), call(name, s, *gamma)
    return not all(np.array_equal(p, q) for p, q in zip(a, b)) if isinstance(a, list) else not np.array_equal(a, b)


def _differs(what: str, got: list[Any], should: list[Any], says: str = "expected", most: float = AGREE) -> str | None:
    size = max((float(np.max(np.abs(a))) for a in [*got, *should]), default=0.0)
    for k, (a, b) in enumerate(zip(got, should)):
        wrong = np.argwhere(np.abs(a - b) > most * size)
        if len(wrong):
            at = tuple(map(int, wrong[0]))
            return f"{what}[{k}] at {list(at)} is {a[at] + 0.0:.9g}, {says} {b[at] + 0.0:.9g}"
    return None


# -- the search -----------------------------------------------------------------------------------
def _networks() -> Iterator[State]:
    """In the order depth, widths, batch, size of the numbers."""
    for depth in range(1, DEEPEST + 1):
        for widths in sorted(product(range(1, WIDEST + 1), repeat=depth + 1), key=lambda w: (sum(w), w)):
            for batch in BATCHES:
                for level in (1, 3):
                    yield state(widths, batch, level=level)


def smallest(call: Caller, checks: list[Check], more: list[State], path: str) -> SmallestEnergy | None:
    """The first network on which one of the checks fails.

    more: networks after those of the enumeration.  path: the file of the functions; "" looks for each one's own.
    """
    started = time.monotonic()
    for searched, s in enumerate([*_networks(), *more]):
        if time.monotonic() - started > SEARCH:
            return None
        for c in checks:
            try:
                says = c.fails(s)
            except Unusable:  # on a network of another shape; it was no reason to refuse the function
                says = None
            if says is not None:
                return SmallestEnergy(c.function, s, says, _code(call, c, s, path), searched)
    return None


# -- as code --------------------------------------------------------------------------------------
def _code(call: Caller, c: Check, s: State, path: str) -> str:
    """A script that calls the function on the network and prints what it returns and what it should."""
    lib = call.library.name
    lines = ["import numpy as np"]
    if lib == "torch":
        lines.append("import torch")
    if lib == "jax":
        lines += ["import jax", 'jax.config.update("jax_enable_x64", True)']
    names = dict.fromkeys((c.function, *c.needs))
    places = {n: f"{path}:{n}" if path else where(call.functions[n]) for n in names}
    if any(places.values()):
        lines.append("from pcproof.conform import load")
    if c.helpers:
        lines.append(f"from pcproof.conform.energy_states import {', '.join(c.helpers)}")
    lines += ["", f"# {s}"]
    lines += [
        f"{n} = load({at!r})" if at else f"{n} = {n}  # put the function under test here" for n, at in places.items()
    ]

    def array(a: Any) -> str:
        body = f"np.array({a.tolist()})"
        return {"numpy": body, "torch": f"torch.tensor({body})", "jax": f"jax.numpy.asarray({body})"}[lib]

    lines.append(f"weights = [{', '.join(map(array, s.weights))}]")
    lines.append(f"activities = [{', '.join(map(array, s.hidden))}]")
    lines += [f"x = {array(s.x)}", f"target = {array(s.target)}"]
    if "State" in c.helpers:
        own = [f"[np.asarray(a) for a in {n}]" for n in ("weights", "activities")]
        lines.append(f"state = State({s.widths}, {s.batch}, {', '.join(own)}, np.asarray(x), np.asarray(target))")
    return "\n".join([*lines, *c.prints]) + "\n"
