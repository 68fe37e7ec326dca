"""The question and its answer: what does this function compute, and is that as expected?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .attacks import AGAIN, BETWEEN, CANCELLATION, PRECISION, SECOND, Finding, Judge, attack, second_call
from .batches import over_batches
from .causes import causes
from .compare import Sample, Scale
from .kinds import (
    BACKPROP,
    ENERGY,
    EQUILIBRIUM,
    EXPECTED,
    FACTORS,
    FIRST_ORDER,
    FIXED,
    MEETS,
    PARALLEL,
    Kind,
    classify,
    plain,
)  # fmt: skip
from .limits import Unusable
from .smallest import Smallest, code_of_calls, failing, shrunk, smallest
from .subject import SECONDS, Subject, subject_of

BUDGET = 60.0  # seconds for the weak spots
MOST = 6  # faults that the text tells
VISIBLE = 0.01  # relative; a case of lost digits is made smaller as long as so much is lost
Progress = Callable[[str, int, int], None]


@dataclass
class Conformance:
    """The answer for one function.

    faults are findings that make it "not as expected"; notes do not.
    """

    name: str
    subject: Subject
    kind: Kind
    expect: str
    met: bool
    strict: str
    findings: list[Finding]
    causes: list[str]
    networks: int
    not_tried: list[str]
    smallest: Smallest | None
    compared: int = 0
    deepest: int = 0
    seconds: float = 0.0

    @property
    def faults(self) -> list[Finding]:
        return [f for f in self.findings if f.fault]

    @property
    def as_expected(self) -> bool:
        """Whether the kind is the expected one and nothing else was found to be wrong."""
        return self.met and not self.strict and not self.faults

    @property
    def says(self) -> str:
        """The kind in one sentence; where there are faults, with what they leave of it."""
        if self.kind.name == BACKPROP and not self.kind.exact and self.faults:
            return "backprop, to about half the digits of the floats"
        return sentence(self.kind)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        k = self.kind
        return {
            "function": self.name,
            "verdict": "as expected" if self.as_expected else "not as expected",
            "kind": k.name,
            "expected": self.expect,
            "says": self.says,
            "authority": "exact instances" if k.exact else "sampled",
            "after": k.scale.words(),
            "transposed": self.subject.transposed,
            "reversed": self.subject.reversed,
            "factors": None if k.factors is None else [str(c) for c in k.factors],
            "fit": None if k.fit is None else [str(v) for v in k.fit],
            "residual": k.residual,
            "strict": self.strict or None,
            "causes": self.causes,
            "findings": [
                {"name": f.name, "text": f.text, "fault": f.fault, "where": str(f.probe or "")} for f in self.findings
            ],
            "arrays": self.subject.library.name,
            "activation_as": self.subject.form,
            "activations": list(self.subject.activations),
            "networks": self.networks,
            "compared": self.compared,
            "deepest": self.deepest,
            "not_tried": self.not_tried,
            "smallest": None if self.smallest is None else self.smallest.as_dict(),
            "seconds": round(self.seconds, 3),
        }

    def _effort(self) -> str:
        """What was done, and what an agreement rests on."""
        lib = self.subject.library.name
        how = f"exact numbers with ==, floats of {lib}" if self.kind.exact else f"floats of {lib}"
        if self.kind.name == BACKPROP:
            how += " within derived bounds of rounding"
        else:
            how += " to about half their digits"
        rest = self.networks - self.compared
        only = f"; {rest} of them only for finite values and inputs left alone" if rest and self.compared else ""
        return f"{self.networks} networks, depth 1 to {self.deepest}: {how}{only}"

    def text(self) -> str:
        """The answer in a few lines, the smallest failing case as code."""
        out = [f"{self.name}: {'as expected' if self.as_expected else 'not as expected'}: {self.says}"]
        if not self.met:
            out.append(f"  expected: {self.expect}")
        if self.strict:
            out.append(f"  {self.strict}")
        after = after_words(self.subject, self.kind)
        if after:
            out.append(f"  equal after: {', '.join(after)}")
        out += [f"  {'note' if self.as_expected else 'cause'}: {c}" for c in self.causes]
        out += [f"  {f.name}: {f.text}{f' ({f.probe})' if f.probe else ''}" for f in self.faults[:MOST]]
        if len(self.faults) > MOST:
            out.append(f"  and in {len(self.faults) - MOST} more ways, which --json lists")
        out += [f"  note: {f.name}: {f.text}" for f in self.findings if not f.fault]
        if self.not_tried:
            out.append(f"  no time was left for: {', '.join(self.not_tried)}")
        out.append(f"  {self._effort()}")
        if self.smallest is not None:
            c = self.smallest
            out += ["", f"The smallest failing case ({c.probe}; {c.how}): {c.says}", "", c.code.rstrip()]
        return "\n".join(out)


def after_words(s: Subject, kind: Kind) -> list[str]:
    """What to do to the result: layout first, then sign and scale."""
    layout = (["reverse the list"] if s.reversed else []) + (["transpose each"] if s.transposed else [])
    return layout + kind.scale.words()


def _short(c: Any) -> str:
    text = str(c)
    return text if isinstance(c, (int, Fraction)) and len(text) < 10 else f"{float(c):.6g}"


def sentence(k: Kind) -> str:
    """The kind in one sentence."""
    if k.name == BACKPROP:
        return f"backprop{', exactly' if k.exact else ', to rounding'}"
    if k.name == FIXED and k.fit is not None:
        eta, n, sweep = k.fit
        order = ", sweeping from the output" if sweep else ""
        shares = ", ".join(map(_short, k.factors or []))
        return (
            f"fixed prediction after n = {n} steps with eta = {_short(eta)}{order}; its errors are these shares of"
            f" backprop's by distance from the output: {shares}"
        )
    if k.name == FACTORS:
        if k.factors is not None:
            return f"backprop up to a factor for each layer: {', '.join(map(_short, k.factors))} from the output on"
        rows = [
            f"depth {d}: {', '.join('?' if c is None else _short(c) for c in v)}" for d, v in sorted(k.by_depth.items())
        ]
        return f"backprop up to a factor for each layer (input to output; {'; '.join(rows)})"
    if k.name == PARALLEL:
        return "parallel to backprop layer by layer, by factors that depend on the network or the data"
    if k.name == FIRST_ORDER:
        return "equal to backprop to first order in the output's error only"
    if k.name == EQUILIBRIUM:
        return f"equilibrium PC: -dF/dW where dF/dx is {k.residual:.2g} of what it was after the forward pass"
    if k.name == ENERGY:
        if k.fit is not None:
            return f"the energy's gradient -dF/dW after T = {k.fit[1]} steps of inference with gamma = {k.fit[0]}"
        return (
            f"the energy's gradient -dF/dW at activities that are no equilibrium (dF/dx there: {k.residual:.2g} of the"
            " start)"
        )
    return "none of the known kinds"


def conform(
    function: Callable[..., Any],
    *,
    expect: str = "backprop",
    returns: str | None = None,
    reduction: str | None = None,
    literal: bool = False,
    arrays: str | None = None,
    name: str = "",
    path: str = "",
    seconds: float = SECONDS,
    budget: float = BUDGET,
    progress: Progress = lambda what, done, of: None,
) -> Conformance:
    """What an update function computes, attacked on the usual weak spots.

    expect: one of ``EXPECTED``.  returns: "update" or "grad", reduction: "sum" or "mean"; given, they have to hold as
    they stand, without an announced change.  literal: that digits are lost where errors are formed as x - mu is
    no fault.  arrays: "numpy", "torch", "jax"; None reads it off the function.  seconds:
    limit of one call.  budget: of the weak spots together.  Raises ``Unusable`` if the function cannot be judged.
    """
    started = time.monotonic()
    _choose("expect", expect, EXPECTED)
    _choose("returns", returns, ("update", "grad"))
    _choose("reduction", reduction, ("sum", "mean"))
    name = name or getattr(function, "__name__", type(function).__name__)
    progress("how it is called", 0, 1)
    s = subject_of(function, name, arrays, seconds)
    progress("small networks", 0, 1)
    samples, failed = plain(s)
    kind = classify(s, samples)
    kind, mixed = over_batches(s, kind) if kind.name in (EQUILIBRIUM, ENERGY) else (kind, [])
    met = kind.name in MEETS[expect]
    strict = _strict(s, kind, returns, reduction) if met and (returns or reduction) else ""
    again = second_call(s)
    judge = Judge(kind, literal)
    for x in samples:
        judge.look(f"depth {x.probe.depth}", x)
    not_tried = attack(s, judge, progress, lambda: time.monotonic() - started > budget)
    refused = [Finding("small networks", text, probe=probe) for probe, text in failed[:1]]
    findings = refused + ([again] if again else []) + mixed + judge.result()
    bad = next((f for f in findings if f.fault), None)
    progress("causes", 0, 1)
    why = [] if again else causes(s, kind, samples)
    case = None
    if bad or not met or strict:
        progress("the smallest case", 0, 1)
        scale = _wanted(kind, returns, reduction) if strict else kind.scale
        case = _smallest(s, kind, expect, scale, samples, bad, path, met and not strict)
    return Conformance(
        name, s, kind, expect, met, strict, findings, why, judge.networks, not_tried, case,
        judge.compared or len(samples), judge.deepest, time.monotonic() - started,
    )  # fmt: skip


def _smallest(
    s: Subject, kind: Kind, expect: str, scale: Scale, samples: list[Sample], bad: Finding | None, path: str, met: bool
) -> Smallest | None:
    wide = expect in ("fixed-prediction", "equilibrium-pc", "energy-gradient")
    if wide and kind.name in (FACTORS, PARALLEL):
        return None  # no single network shows it
    start = bad.probe if bad else None
    if bad and bad.name in (CANCELLATION, PRECISION):
        return shrunk(s, failing(s, expect, scale, VISIBLE if bad.name == CANCELLATION else 0.0), start, path, scale)
    if bad and bad.name == SECOND:
        return Smallest(AGAIN, bad.text, code_of_calls(s, AGAIN, BETWEEN, path), 0, False, only=True)
    fails = failing(s, expect, scale)
    if not met:
        start = next((x.probe for x in samples if fails(x.probe)), start)
    return smallest(s, fails, start, wide, path, scale)


def _choose(option: str, value: str | None, among: tuple[str, ...]) -> None:
    if value is not None and value not in among:
        raise Unusable(f"{option} is {value!r}; expected one of {', '.join(among)}")


def _wanted(kind: Kind, returns: str | None, reduction: str | None) -> Scale:
    """The scale that was asked for; what was left open stays as found."""
    sign = {"update": 1, "grad": -1}.get(returns or "", 1 if kind.scale.factor > 0 else -1)
    batch = {"sum": False, "mean": True}.get(reduction or "", kind.scale.batch)
    return Scale(Fraction(sign), batch)


def _strict(s: Subject, kind: Kind, returns: str | None, reduction: str | None) -> str:
    """What stands between the result and the strict contract; empty if nothing."""
    wanted = _wanted(kind, returns, reduction)
    if (kind.scale.factor, kind.scale.batch, kind.scale.outputs) == (wanted.factor, wanted.batch, False):
        if not (s.transposed or s.reversed):
            return ""
    asked = " and ".join([f"{k} {v}" for k, v in (("returns", returns), ("reduction", reduction)) if v])
    return f"asked for {asked}; it is so only after: {', '.join(after_words(s, kind)) or 'another reduction'}"
