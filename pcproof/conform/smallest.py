"""The smallest network on which a function is not what it should be, as code that runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from .compare import Sample, Scale, difference, ratio
from .kinds import EQUILIBRIUM
from .limits import Raised
from .oracle import given
from .probes import FLOAT32, FLOAT64, FRACTIONS, PLAIN, TIED, Probe, enumeration
from .states import SETTLED, energy_state
from .subject import Subject

MOST = 400  # networks of the enumeration
SEARCH = 30.0  # seconds for the enumeration, and again for making a case smaller
NUMBERS = 60  # more than these are not printed one by one


@dataclass
class Smallest:
    """probe: the network.  says: what is wrong there.  searched: networks before it, none of which fails.

    exhaustive: whether it is the first of the enumeration; else it was made
    smaller step by step, unless it is the only one that was tried.
    """

    probe: Probe
    says: str
    code: str
    searched: int
    exhaustive: bool
    only: bool = False

    @property
    def how(self) -> str:
        """How it was found."""
        if self.only:
            return "the one that was tried"
        if self.exhaustive:
            return f"the first of the enumeration to fail, after {self.searched}"
        return "made smaller step by step"

    def as_dict(self) -> dict[str, Any]:
        p = self.probe
        return {
            "depth": p.depth, "widths": list(p.widths), "batch": p.batch, "activation": p.activation,
            "numbers": p.numbers, "biases": p.bias, "special": p.special, "says": self.says, "code": self.code,
            "searched": self.searched, "exhaustive": self.exhaustive,
        }  # fmt: skip


UNSCALED = Scale()
Fails = Callable[[Probe], str | None]


def failing(s: Subject, expect: str, scale: Scale, least: float = 0.0) -> Fails:
    """A test that says what is wrong on one network, or None; differences below ``least``, relatively, do not count."""

    def fails(probe: Probe) -> str | None:
        try:
            answer = s.call(probe)
        except Raised as e:
            return f"{s.name} {e}"
        if answer.changed:
            return f"{s.name} changes {' and '.join(answer.changed)} in place"
        if not answer.finite:
            return f"{s.name} returns a value that is not finite"
        sample = Sample.of(probe, answer)
        if expect in ("backprop", "zil"):
            found = difference(sample, scale)
            return None if found is None or found.relative < least else str(found)
        return _not_kind(sample, expect, scale)

    return fails


def _not_kind(sample: Sample, expect: str, scale: Scale) -> str | None:
    if expect == "fixed-prediction":
        for k, (u, e) in enumerate(zip(sample.answer.weights, sample.weights)):
            if any(v != 0 for v in np.ravel(e)) and ratio(u, e, sample.tolerance) is None:
                return f"weights[{k}] is not parallel to backprop's change"
        return None
    if sample.probe.batch > 1 or all(v == 0 for v in np.ravel(sample.weights[0])):
        return None
    found = energy_state(sample, scale)
    if found is None:
        return "no activities exist at which this is -dF/dW of the energy 1/2 sum |x - W f(x)|^2"
    if expect == EQUILIBRIUM and found.residual > SETTLED:
        return f"dF/dx is {found.residual:.3g} of what it was after the forward pass, not 0"
    return None


def smallest(
    s: Subject, fails: Fails, start: Probe | None, wide: bool, path: str, scale: Scale = UNSCALED
) -> Smallest | None:
    """The first failing network of the enumeration; else ``start``, made smaller as long as it fails.

    wide: only networks of two units and more, where "parallel" says something.  scale: for the script.
    """
    numbers = FRACTIONS if s.exact else FLOAT64
    searched, started = 0, time.monotonic()
    for probe in _enumerated(s, numbers, wide):
        if time.monotonic() - started > SEARCH:
            break
        says = fails(probe)
        if says is not None:
            return Smallest(probe, says, code(s, probe, path, scale), searched, True)
        searched += 1
        if searched >= (MOST // 4 if s.library.compiles else MOST):
            break
    return shrunk(s, fails, start, path, scale, searched)


def shrunk(
    s: Subject, fails: Fails, start: Probe | None, path: str, scale: Scale = UNSCALED, searched: int = 0
) -> Smallest | None:
    """A failing network made smaller as long as it fails."""
    says = fails(start) if start is not None else None
    if start is None or says is None:
        return None
    probe, says = _shrunk(start, says, fails)
    return Smallest(probe, says, code(s, probe, path, scale), searched, False)


def _enumerated(s: Subject, numbers: str, wide: bool) -> Iterator[Probe]:
    for probe in enumeration(numbers, s.activations):
        if not wide or min(probe.widths) > 1:
            yield probe


def _shrunk(probe: Probe, says: str, fails: Fails) -> tuple[Probe, str]:
    progress, started = True, time.monotonic()
    while progress and time.monotonic() - started <= SEARCH:
        progress = False
        for smaller in _smaller(probe):
            found = fails(smaller)
            if found is not None:
                probe, says, progress = smaller, found, True
                break
    return probe, says


def _smaller(p: Probe) -> Iterator[Probe]:
    for depth in (1, 2, 3, p.depth // 2, p.depth * 3 // 4, p.depth - 1):
        if 1 <= depth < p.depth:
            yield replace(p, widths=p.widths[: depth + 1])
    if max(p.widths) > 1:
        yield replace(p, widths=(1,) * len(p.widths))
        yield replace(p, widths=tuple(max(1, w - 1) for w in p.widths))
    if p.batch > 1:
        yield replace(p, batch=1)
    if p.bias:
        yield replace(p, bias=False)
    if p.activation != "identity":
        yield replace(p, activation="identity")
    if p.layout:
        yield replace(p, layout="")
    if p.special not in (PLAIN, TIED):
        yield replace(p, special=PLAIN)
    if p.level > 0 and p.level < 4:
        yield replace(p, level=p.level - 1)


# -- as code ------------------------------------------------------------------------------
def code(s: Subject, probe: Probe, path: str, scale: Scale = UNSCALED) -> str:
    """A script that calls the function on the network and prints both sides.

    scale: how the returned list may relate to backprop's change; that and the layout are applied to backprop's.
    """
    lines = [*_head(s, probe, path, ("expected",)), *_given(s, probe), *_called(s, probe)]
    result = f"expected({_repr(probe)})"
    changes = [result] if probe.bias else [f"{result}[0]"]
    c = scale.of(probe)
    if c != 1 or s.transposed or s.reversed:
        array = f"{_factor(c)}w{'.T' if s.transposed else ''}"
        lists = [f"{result}[0]", f"{result}[1]"] if probe.bias else changes
        changes = [f"[{array} for w in {part}{'[::-1]' if s.reversed else ''}]" for part in lists]
    lines.append('print("returned:", update(*arguments))')
    lines.append(f'print("backprop:", {", ".join(changes)})')
    return "\n".join(lines) + "\n"


def code_of_calls(s: Subject, probe: Probe, between: Probe, path: str) -> str:
    """A script that makes the same call again and again, at last after another one."""
    lines = [*_head(s, probe, path, ("Probe", "given")), *_given(s, probe), *_called(s, probe)]
    lines.append('for n in ("first", "again", "again"):')
    lines.append('    print(f"{n}:", update(*arguments))')
    other = [line.replace("arguments =", "other =") for line in _called(s, between)]
    lines += [_made(s, between), _UNPACKED, *other, "update(*other)"]
    lines.append('print("after another call:", update(*arguments))')
    return "\n".join(lines) + "\n"


_UNPACKED = "weights, x, target, biases = data.weights, data.x, data.target, data.biases"


def _factor(c: Any) -> str:
    text = f"{float(c)!r}" if not isinstance(c, Fraction) or c.denominator != 1 else f"{c.numerator}"
    return "" if c == 1 else "-" if c == -1 else f"{text} * "


def _head(s: Subject, probe: Probe, path: str, words: tuple[str, ...]) -> list[str]:
    lib = s.library.name
    lines = ["import numpy as np"]
    if probe.numbers == FRACTIONS:
        lines.append("from fractions import Fraction as Q")
    if lib == "torch":
        lines.append("import torch")
    if lib == "jax":
        lines += ["import jax", 'jax.config.update("jax_enable_x64", True)']
    names = {"Probe", "function", *words, *(("load",) if path else ()), *(() if _is_literal(probe) else ("given",))}
    lines.append(f"from pcproof.conform import {', '.join(sorted(names))}")
    found = f"load({path!r})" if path else s.name if s.name.isidentifier() else "FUNCTION"
    if getattr(s.function, "step", None) is not None:
        lines.append("from pcproof.conform.modules import from_module")
        found = f"from_module({found})"
    return [*lines, "", f"# {probe}", f"update = {found}{'' if path else '  # put the function under test here'}"]


def _is_literal(probe: Probe) -> bool:
    data = given(probe)
    count = sum(a.size for a in [*data.weights, data.x, data.target])
    return count <= NUMBERS and not probe.layout and probe.numbers in (FRACTIONS, FLOAT64, FLOAT32)


def _given(s: Subject, probe: Probe) -> list[str]:
    """Lines that give weights, x, target and biases their values."""
    if _is_literal(probe):
        return _literal(given(probe), probe, s.library.name)
    return [_made(s, probe), _UNPACKED]


def _made(s: Subject, probe: Probe) -> str:
    other = "" if s.library.name == "numpy" else f", {s.library.name!r}"
    return f"data = given({_repr(probe)}{other})"


def _called(s: Subject, probe: Probe) -> list[str]:
    seed = f", {probe.seed}" if probe.activation == "table" else ""
    biases = ", biases" if probe.bias else ""
    return [
        f"f = function({probe.activation!r}, {s.library.name!r}, {s.form!r}{seed})",
        f"arguments = weights, x, target, f{biases}",
    ]


def _repr(p: Probe) -> str:
    """The probe with the fields that are not as by default."""
    default = Probe(p.widths)
    parts = [
        f"{k}={getattr(p, k)!r}"
        for k in Probe.__dataclass_fields__
        if k != "widths" and getattr(p, k) != getattr(default, k)
    ]
    return ", ".join([f"Probe({p.widths}", *parts]) + ")"


def _literal(data: Any, probe: Probe, lib: str) -> list[str]:
    dtype = "dtype=object" if probe.numbers == FRACTIONS else f"dtype=np.{probe.numbers}"

    def array(a: Any) -> str:
        body = f"np.array({_nested(a, probe.numbers == FRACTIONS)}, {dtype})"
        return {"numpy": body, "torch": f"torch.tensor({body})", "jax": f"jax.numpy.asarray({body})"}[lib]

    out = [f"weights = [{', '.join(array(w) for w in data.weights)}]"]
    if probe.special == TIED:
        out = [f"weights = [{array(data.weights[0])}] * {len(data.weights)}"]
    if probe.bias:
        out.append(f"biases = [{', '.join(array(c) for c in data.biases)}]")
    return [*out, f"x = {array(data.x)}", f"target = {array(data.target)}"]


def _nested(a: Any, exact: bool) -> str:
    if getattr(a, "ndim", 0) > 0:
        return "[" + ", ".join(_nested(b, exact) for b in a) + "]"
    if exact:
        return f"Q({a.numerator})" if a.denominator == 1 else f"Q({a.numerator}, {a.denominator})"
    return repr(float(a))
