"""The usual weak spots: what is fine on small generic networks and fails on others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from ..testing.reference import backprop
from .compare import FITS, Difference, Sample, Scale, difference, floats, vacuous
from .kinds import BACKPROP, FIXED, Kind
from .limits import Raised
from .oracle import alive, working_data
from .probes import (
    DEAD_UNITS,
    FLOAT32,
    FLOAT64,
    FORTRAN,
    FRACTIONS,
    KINK,
    MODULAR,
    STRIDED,
    TIED,
    ZERO_ERROR,
    Probe,
)  # fmt: skip
from .shares import shares
from .subject import Answer, Subject

CANCELLATION, PRECISION, SECOND = "cancellation", "precision", "second call"
DEPTHS = (1, 2, 4, 8, 16, 32, 64)
KINKED_DEPTHS = (4, 16)  # of relu units hardly any is alive in deeper networks of few units
DEAD = (ZERO_ERROR, DEAD_UNITS, KINK)  # where some change is 0 by construction
SHARED = 8
MANY = 4  # weak spots that one note names
OTHERS = ("tanh", "sigmoid", "leaky_relu", "elu", "softplus", "silu")  # whoever knows them has to know them well
AT_KINK = (Fraction(1), Fraction(1, 2))  # other values of relu'(0)


@dataclass(frozen=True)
class Finding:
    """Something that was noticed.  fault: it is not as expected.  probe: where."""

    name: str
    text: str
    fault: bool = True
    probe: Probe | None = None


def attacks(s: Subject) -> Iterator[tuple[str, Probe]]:
    """(weak spot, probe), the cheap ones first."""
    curved = next((a for a in ("tanh", "sigmoid") if s.understands(a)), "identity")
    kinked = "relu" if "relu" in s.activations else "identity"
    numbers = FRACTIONS if s.exact else FLOAT64
    yield "width 1, batch 1", Probe((1, 1, 1, 1), 1, kinked, numbers)
    yield "zero error", Probe((2, 3, 2), 2, kinked, numbers, special=ZERO_ERROR)
    yield "one zero error beside others", Probe((2, 3, 2), 3, curved, FLOAT64, seed=5)
    if kinked == "relu":
        yield "dead units", Probe((2, 3, 3, 2), 2, "relu", numbers, special=DEAD_UNITS)
        yield "relu at its kink", Probe((2, 3, 3, 2), 2, "relu", numbers, special=KINK)
    yield "a batch of 17", Probe((2, 3, 2), 17, curved, FLOAT64)
    yield "many units", Probe((24, 17, 12), 3, curved, FLOAT64, power=-2)
    yield "tied weights", Probe((3, 3, 3, 3), 2, curved, FLOAT64, special=TIED)
    for power, word in ((6, "large"), (-16, "tiny")):
        yield f"{word} weights", Probe((2, 3, 3, 2), 2, kinked, FLOAT64, power=power)
        yield f"{word} weights", Probe((2, 3, 3, 2), 2, kinked, FLOAT32, power=power)
    for layout in (STRIDED, FORTRAN):
        yield f"{layout} arrays", Probe((2, 3, 3, 2), 2, curved, FLOAT64, layout=layout)
    for name in OTHERS if not s.library.compiles else ():
        yield f"activation {name}", Probe((2, 3, 3, 2), 2, name, FLOAT64)
    if s.takes_biases:
        for name in dict.fromkeys((kinked, curved)):
            yield "biases", Probe((2, 3, 3, 2), 2, name, FLOAT64, bias=True)
        yield "biases", Probe((3, 2), 1, kinked, FLOAT64, bias=True)
    if s.exact:
        name = "table" if "table" in s.activations else "identity"
        for depth in (8, 24, 64):
            yield f"depth {depth}, exactly", Probe((2,) * (depth + 1), 2, name, MODULAR, seed=depth)
    for kind in (FLOAT64, FLOAT32):
        for depth in DEPTHS:
            yield f"depth {depth}", Probe((3,) * (depth + 1), 2, curved, kind, level=4, seed=depth)
            if depth in KINKED_DEPTHS:
                yield f"depth {depth}", Probe((3,) * (depth + 1), 2, kinked, kind, level=4, seed=depth)


@dataclass
class Judge:
    """Collects what is found on one network after the other.

    Backprop is compared everywhere, fixed prediction by its shares in networks of up to ``SHARED`` layers; of the
    others answers have to be finite and inputs left alone.  literal: errors may be formed as x - mu.
    """

    kind: Kind
    literal: bool = False
    findings: list[Finding] = field(default_factory=list)
    cancels: list[tuple[Probe, Difference]] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    networks: int = 0
    compared: int = 0
    deepest: int = 0

    def look(self, name: str, sample: Sample) -> None:
        """One answer."""
        self.networks += 1
        self.deepest = max(self.deepest, sample.probe.depth)
        self.findings += _manners(sample.answer, sample.probe)
        if sample.probe.numbers == FLOAT64 and sample.answer.coarse:
            text = f"float64 goes in and {np.dtype(sample.answer.digits)} comes back"
            self.findings.append(Finding("float64", text, fault=False))
        if sample.probe.numbers == FLOAT64 and sample.answer.integers:
            self.findings.append(Finding("integers", "floats go in and integers come back", fault=False))
        if not sample.answer.finite:
            self.findings.append(Finding(name, "a value that is not finite comes back", probe=sample.probe))
        elif self.kind.name == BACKPROP:
            found = difference(sample, self.kind.scale)
            self.compared += 1
            if found is None:
                if vacuous(sample):
                    self.empty.append(f"{name} in {sample.probe.numbers}")
            elif not sample.exact and difference(sample, self.kind.scale, literal=True) is None:
                self.cancels.append((sample.probe, found))
            else:
                self.findings.append(_explained(name, sample, self.kind.scale, found))

        elif self.kind.name == FIXED and self._shares_tell(sample):
            text = _wrong_share(sample, self.kind)
            self.compared += 1
            self.findings += [Finding(name, text, probe=sample.probe)] if text else []

    @staticmethod
    def _shares_tell(sample: Sample) -> bool:
        return sample.probe.depth <= SHARED and sample.probe.numbers != MODULAR and not sample.answer.coarse

    def result(self) -> list[Finding]:
        """Everything, each thing once."""
        out = list(self.findings)
        if self.cancels:
            out.append(_cancellation(self.cancels, fault=not self.literal))
        if self.empty:
            each = list(dict.fromkeys(self.empty))
            where = ", ".join(each[:MANY]) + (f" and {len(each) - MANY} more" if len(each) > MANY else "")
            text = f"nothing is decided there, the bound of rounding is as large as the change: {where}"
            out.append(Finding("rounding", text, fault=False))
        return _merged(out)


def _wrong_share(sample: Sample, kind: Kind) -> str:
    """Which layer has another share of backprop's change than eta and n give it."""
    assert kind.fit is not None
    eta, steps, sweep = kind.fit
    c = [*reversed(shares(float(eta), steps, sample.probe.depth, sweep))]
    scale = float(kind.scale.of(sample.probe))
    for k, (u, e) in enumerate(zip(sample.answer.weights, sample.weights)):
        should = floats(e) * c[k] * scale
        if not np.max(np.abs(floats(u) - should)) <= FITS * max(np.max(np.abs(floats(e) * scale)), 1e-300):
            return f"weights[{k}] is not {c[k]:.6g} of backprop's change, as it is in other networks"
    return ""


def attack(s: Subject, judge: Judge, progress: Callable[[str, int, int], None], late: Callable[[], bool]) -> list[str]:
    """Look at every weak spot; returns those that there was no time for."""
    left = []
    todo = [(name, _few_shapes(p) if s.library.compiles else p) for name, p in attacks(s)]
    todo = [(name, p if p.special in DEAD else alive(p)) for name, p in todo]
    for n, (name, probe) in enumerate(todo):
        progress(name, n, len(todo))
        if late():
            left.append(name)
            continue
        try:
            answer = s.call(probe)
        except Raised as e:
            if probe.numbers != MODULAR and not name.startswith("activation"):  # nobody has to support these
                judge.findings.append(Finding(name, str(e), probe=probe))
            continue
        if answer.exact or not probe.exact:
            judge.look(name, Sample.of(probe, answer))
    return list(dict.fromkeys(left))


def _few_shapes(probe: Probe) -> Probe:
    return replace(probe, widths=tuple(min(n, 2) for n in probe.widths), batch=min(probe.batch, 2))


def _manners(answer: Answer, probe: Probe) -> list[Finding]:
    return [Finding("inputs modified", f"the call changes {name} in place", probe=probe) for name in answer.changed]


def _cancellation(cancels: list[tuple[Probe, Difference]], fault: bool) -> Finding:
    """The literal form of an exact rule; the bound for it is derived as the other one is."""
    worst_probe, worst = max(cancels, key=lambda c: c[1].relative)
    first = min((p for p, _ in cancels), key=lambda p: (p.numbers == FLOAT64, p.depth))
    return Finding(
        CANCELLATION,
        "equal in exact arithmetic, but digits are lost as where errors are formed as x - mu: from depth"
        f" {first.depth} in {first.numbers}; at depth {worst_probe.depth} in {worst_probe.numbers} a layer is off by"
        f" {worst.relative:.2g} of its largest entry.  Carry the error itself instead",
        fault,
        worst_probe,
    )


def _explained(name: str, sample: Sample, scale: Scale, found: Difference) -> Finding:
    probe = sample.probe
    if probe.special == KINK:
        for value in AT_KINK:
            if difference(_with_kink(sample, value), scale) is None:
                text = f"f'(0) of relu is taken as {value}; backprop as in PyTorch and JAX takes 0"
                return Finding(name, text, fault=False, probe=probe)
    if probe.special == TIED and difference(_summed(sample), scale) is None:
        text = "weights that are one array get the sum of their layers' changes, each"
        return Finding(name, text, fault=False, probe=probe)
    if probe.numbers == FLOAT64 and not sample.exact:
        coarse = replace_coarse(sample)
        if difference(coarse, scale) is None:
            size = f"{found.relative:.2g} of a layer's largest entry"
            text = f"it is off by {size}, more than float64 explains; float32 would explain it"
            return Finding(PRECISION, text, probe=probe)
    return Finding(name, str(found), probe=probe)


def replace_coarse(sample: Sample) -> Sample:
    """The same answer held to the bound of float32."""
    narrow = Answer([np.asarray(w, dtype=np.float32) for w in sample.answer.weights], sample.answer.biases)
    return Sample(sample.probe, narrow, sample.weights, sample.biases)


class _Kinked:
    """relu with another derivative at 0."""

    def __init__(self, f: Any, at_zero: Any) -> None:
        self.f, self.at_zero = f, at_zero
        self.value = f.value

    def derivative(self, x: Any) -> Any:
        if isinstance(x, np.ndarray):
            return np.frompyfunc(self.derivative, 1, 1)(x)
        return self.at_zero if x == 0 else self.f.derivative(x)


def _with_kink(sample: Sample, at_zero: Fraction) -> Sample:
    data = working_data(sample.probe)
    weights, biases = backprop(replace(data, functions=[_Kinked(f, at_zero) for f in data.functions]))
    return Sample(sample.probe, sample.answer, weights, biases if sample.probe.bias else [])


class _Summed(Sample):
    """Tied weights, whose changes are summed up."""

    def bounds(self, literal: bool = False) -> list[Any]:
        one = super().bounds(literal)
        return [sum(one[1:], one[0])] * len(one)


def _summed(sample: Sample) -> Sample:
    w = sample.weights
    return _Summed(sample.probe, sample.answer, [sum(w[1:], w[0])] * len(w), [])


def _merged(findings: list[Finding]) -> list[Finding]:
    """One finding for each name and text; those of depth that follow from a smaller depth are left out."""
    out: dict[tuple[str, str], Finding] = {}
    for f in findings:
        key = (f.name if not f.name.startswith("depth") else "depth", f.text if not f.name.startswith("depth") else "")
        out.setdefault(key, f)
    return list(out.values())


AGAIN, BETWEEN = Probe((2, 3, 2), 2, "identity", FLOAT64, seed=11), Probe((2, 3, 2), 2, "identity", FLOAT64, seed=12)


def second_call(s: Subject) -> Finding | None:
    """The same call again: at once, on the same arrays, and with another one in between."""
    a, b = AGAIN, BETWEEN
    try:
        first, second, third, between, again = (s.call(p) for p in (a, a, a, b, a))
        twice = s.call(a, times=2)
    except Raised as e:
        return Finding(SECOND, str(e), probe=a)
    if not _equal(second, third):
        text = (
            "the same call gives another result each time: it is random (noise, dropout) or state is kept between calls"
        )
        return Finding(SECOND, text, probe=a)
    if _equal(first, again):
        if first.changed or _equal(first, twice):
            return None
        return Finding(SECOND, _on_same_arrays(first, twice), probe=a)
    text = "the same call gives another result after a different one: state is kept between calls"
    if _stale(a, b, between):
        text += " (the weights of the call before are used)"
    return Finding(SECOND, text, probe=a)


def _equal(a: Answer, b: Answer) -> bool:
    return all(np.array_equal(p, q) for p, q in zip(a.weights, b.weights))


def _on_same_arrays(first: Answer, twice: Answer) -> str:
    text = "a second call on the same arrays gives another result"
    doubled = all(np.allclose(2 * p, q, rtol=1e-6, atol=0) for p, q in zip(first.weights, twice.weights))
    return f"{text}, twice the first: gradients accumulate in the arrays (.grad)" if doubled else text


def _stale(a: Probe, b: Probe, answer: Answer) -> bool:
    weights, _ = backprop(replace(working_data(b), weights=working_data(a).weights))
    sample = Sample(b, answer, weights, [])
    return difference(sample, Scale()) is None
