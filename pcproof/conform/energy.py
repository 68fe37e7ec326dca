"""Energy conformance: somebody's energy, inference step, weight update and equilibrium against each other.

The contract, any subset of it:

* ``energy(weights, activities, x, target)`` -> (batch,)
* ``infer_step(weights, activities, x, target, gamma)`` -> activities
* ``weight_update(weights, activities, x, target)`` -> the change of every weight
* ``equilibrium(weights, x, target)`` -> activities

``activities`` are those of the hidden layers, input to output, each (batch, n);
the input and the output are clamped to ``x`` and ``target``.  The step has to
be -gamma dE/dx and the update -dE/dW, of the energy that is stated, summed over
the batch.  Where no energy is stated it is the usual one, F = 1/2 sum
|x_k - W_k f(x_{k-1})|^2 (Whittington and Bogacz 2017), with whichever f fits.
Derivatives of a stated energy are central differences with one extrapolation;
they are good to about nine digits, and six have to agree.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from .attacks import Finding
from .compare import close, simple
from .energy_smallest import AGAIN, Check, Clauses, SmallestEnergy, differs_again, smallest
from .energy_states import (
    AGREE,
    SOLVED,
    Caller,
    Energy,
    State,
    factor,
    left,
    linear_equilibrium,
    slope,
    state,
    stated_energy,
    usual,
)  # fmt: skip
from .libraries import library, used_by
from .limits import Unusable
from .states import SETTLED
from .subject import SECONDS

NAMES = ("energy", "infer_step", "weight_update", "equilibrium")
USUAL = ("identity", "tanh", "sigmoid", "relu", "leaky_relu", "elu", "softplus", "gelu", "silu")
GAMMAS = (0.125, 0.5)
NETWORKS = (
    ((2, 2), 1), ((2, 3), 2), ((1, 1, 1), 1), ((2, 3, 2), 1), ((2, 3, 2), 2), ((3, 2, 2), 3), ((2, 3, 2, 2), 2),
    ((2, 2, 3, 2, 1), 3),
)  # fmt: skip


# -- the answer ---------------------------------------------------------------------------------
@dataclass
class EnergyConformance:
    """What was checked, and what is wrong."""

    name: str
    functions: tuple[str, ...]
    about: str
    checked: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    smallest: SmallestEnergy | None = None
    networks: int = len(NETWORKS)
    seconds: float = 0.0

    @property
    def as_expected(self) -> bool:
        """Whether no fault was found."""
        return not any(f.fault for f in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "file": self.name, "functions": list(self.functions), "energy": self.about,
            "verdict": "as expected" if self.as_expected else "not as expected", "authority": "sampled",
            "checked": self.checked,
            "findings": [{"name": f.name, "text": f.text, "fault": f.fault} for f in self.findings],
            "networks": self.networks, "smallest": None if self.smallest is None else self.smallest.as_dict(),
            "seconds": round(self.seconds, 3),
        }  # fmt: skip

    def text(self) -> str:
        """The answer in a few lines, the smallest failing case as code."""
        out = [f"{self.name}: {'as expected' if self.as_expected else 'not as expected'}: {', '.join(self.functions)}"]
        out += [f"  energy: {self.about}", *(f"  holds: {c}" for c in self.checked)]
        out += [f"  {'' if f.fault else 'note: '}{f.name}: {f.text}" for f in self.findings]
        out.append(f"  {self.networks} networks of depth 1 to 4, batch 1 to 3, in float64; six digits have to agree")
        if self.smallest is not None:
            out += ["", self.smallest.text()]
        return "\n".join(out)


def conform_energy(
    functions: dict[str, Callable[..., Any]], *, arrays: str | None = None, name: str = "", path: str = "",
    seconds: float = SECONDS,
) -> EnergyConformance:  # fmt: skip
    """Hold the functions of the contract against each other; ``Unusable`` if one of them cannot be judged.

    functions: by name, any subset of ``NAMES``.  arrays: "numpy", "torch", "jax"; None reads it off the functions.
    path: the file that they come from, for the script of a failing case.
    """
    started = time.monotonic()
    unknown = [n for n in functions if n not in NAMES]
    if unknown or not functions:
        raise Unusable(f"expected some of {', '.join(NAMES)}; got {', '.join(unknown) or 'none'}")
    wanted = arrays or next((n for n in map(used_by, functions.values()) if n != "numpy"), "numpy")
    try:
        call = Caller(functions, library(wanted), seconds)
    except ValueError as e:
        raise Unusable(str(e)) from None
    states = [state(widths, batch, seed) for seed, (widths, batch) in enumerate(NETWORKS)]
    fits = _usual_fits(call, states)
    found = EnergyConformance(name, tuple(n for n in NAMES if n in functions), _about(call, fits))
    energy = stated_energy(call) if "energy" in functions else usual(*fits[0][:2]) if fits else None
    if "energy" in functions:
        _check_energy(call, states, found)
    for name in found.functions:
        _check_again(call, states, name, found)
    if energy is None:
        text = f"it belongs to the usual energy for none of the activations {', '.join(USUAL)}"
        found.findings.append(Finding(found.functions[0], text))
    else:
        for which in ("infer_step", "weight_update"):
            if which in functions:
                _check_slope(call, states, which, energy, found)
        if "equilibrium" in functions:
            _check_equilibrium(call, states, energy, fits[0] if fits else None, found)
    for which in sorted(call.changed):
        found.findings.append(Finding(which, "the call changes its inputs in place"))
    if energy is not None and not found.as_expected:
        text = "energy" if "energy" in functions else "usual({!r}, {})".format(*fits[0])
        checks = _checks(Clauses(call, energy, text), found, bool(fits) and fits[0][0] == "identity")
        found.smallest = smallest(call, checks, states, path)
    found.seconds = time.monotonic() - started
    return found


def _checks(of: Clauses, found: EnergyConformance, linear: bool) -> list[Check]:
    """Those of the functions in which a fault was found."""
    out: list[Check] = []
    for name in dict.fromkeys(f.name for f in found.findings if f.fault):
        if name == "energy":
            out += [of.batch(), of.signs()]
        elif name == "infer_step":
            out += [of.step(g) for g in reversed(GAMMAS)]
        elif name == "weight_update":
            out.append(of.update())
        else:
            out += [of.settled(), of.closed_form()] if linear else [of.settled()]
        if any(f.name == name and f.text.startswith(AGAIN) for f in found.findings):
            out = [of.again(name)]
        if name in of.call.changed:
            out.append(of.inputs(name))
    return out


def _usual_fits(call: Caller, states: list[State]) -> list[tuple[str, bool, Any]]:
    """(f, whether it acts on the input, factor) of the usual energies that fit what is there."""
    out = []
    deep = [s for s in states if len(s.hidden) > 0 and s.batch == 1] + states[-1:]
    for name in USUAL:
        for on_input in (False, True):
            f = usual(name, on_input)
            if name == "identity" and on_input:
                continue
            ratios = [(s.batch, _ratio(call, s, f)) for s in deep]
            known = [(b, c) for b, c in ratios if c is not None and c != 0]
            if len(known) < len(ratios):
                continue
            first = known[0][1]
            if "energy" not in call.functions or any(
                all(close(c, first * share(b), AGREE) for b, c in known) for share in (lambda b: 1, lambda b: 1 / b)
            ):
                out.append((name, on_input, first))
    return out


def _ratio(call: Caller, s: State, f: Energy) -> float | None:
    if "energy" in call.functions:
        a, b = call("energy", s), f(s.weights, s.hidden, s.x, s.target)
        return factor([np.sum(a)], [np.sum(b)]) if a.shape == () else factor([a], [b])
    if "infer_step" in call.functions:
        moved = call("infer_step", s, GAMMAS[0])
        return factor([m - h for m, h in zip(moved, s.hidden)], slope(f, s, "hidden"))
    if "weight_update" in call.functions:
        return factor(call("weight_update", s), slope(f, s, "weights"))
    at = State(s.widths, s.batch, s.weights, call("equilibrium", s), s.x, s.target)
    return 1.0 if left(f, at) <= SETTLED else None


def _about(call: Caller, fits: list[tuple[str, bool, Any]]) -> str:
    if not fits:
        return "as stated; not the usual 1/2 sum |x - W f(x)|^2" if "energy" in call.functions else "unknown"
    name, on_input, c = fits[0]
    text = f"1/2 sum |x - W f(x)|^2 with f = {name}{', on the input as well' if on_input else ''}"
    if "energy" not in call.functions:
        return f"not stated; {text} fits"
    c = simple(c, AGREE)
    return text if close(c, 1, AGREE) else f"{c if isinstance(c, Fraction) else f'{c:.6g}'} times {text} for one sample"


def _check_again(call: Caller, states: list[State], name: str, found: EnergyConformance) -> None:
    s = next(s for s in states if s.hidden)
    if differs_again(call, name, s):
        found.findings.append(Finding(name, f"{AGAIN}: it is random, or state is kept between calls"))


def _check_energy(call: Caller, states: list[State], found: EnergyConformance) -> None:
    """One number for each sample, the same alone and in a batch, for errors of both signs."""
    scalar = call("energy", states[1]).shape == ()
    if scalar:
        found.findings.append(Finding("energy", "one number comes back for a batch; expected one for each sample"))
    ratios = []
    for s in (s for s in states if s.batch > 1):
        together = call("energy", s)
        alone = np.array([float(np.sum(call("energy", s.sample(b)))) for b in range(s.batch)])
        if not together.any() and not alone.any():
            continue
        ratios.append((s, factor([np.sum(together)], [alone.sum()]) if scalar else factor([together], [alone])))
    if all(c is not None and close(c, 1, AGREE) for _, c in ratios):
        found.checked.append("the energy of a batch is that of its samples")
    elif all(c is not None and close(c, 1 / s.batch, AGREE) for s, c in ratios):
        found.findings.append(
            Finding("energy", "it is divided by the batch: gamma and alpha then mean 1/B of what they say")
        )
    else:
        found.findings.append(
            Finding("energy", f"the samples of a batch influence each other{_opposite(call, scalar)}")
        )
    s = state((2, 2), 1)
    predicted = s.x @ s.weights[0].T
    error = np.array([[0.5, -0.75]])
    signs = [
        float(np.sum(call("energy", State((2, 2), 1, s.weights, [], s.x, predicted + e)))) for e in (error, -error)
    ]
    if close(signs[0], signs[1], AGREE):
        found.checked.append("errors of both signs have the same energy")
    else:
        found.findings.append(
            Finding("energy", f"an error and its negative have energies {signs[0]:.6g} and {signs[1]:.6g} (depth 1)")
        )


def _opposite(call: Caller, scalar: bool) -> str:
    """Whether errors of opposite sign in a batch cancel."""
    s = state((2, 2), 1)
    x = np.concatenate([s.x, s.x])
    predicted = x @ s.weights[0].T
    error = np.array([[0.5, -0.75], [-0.5, 0.75]])
    pair = call("energy", State((2, 2), 2, s.weights, [], x, predicted + error))
    one = call("energy", State((2, 2), 1, s.weights, [], s.x, predicted[:1] + error[:1]))
    return ": errors of opposite sign cancel" if np.sum(np.abs(pair)) < AGREE * np.sum(np.abs(one)) else ""


def _check_slope(call: Caller, states: list[State], which: str, energy: Energy, found: EnergyConformance) -> None:
    """Is the step -gamma dE/dx, is the update -dE/dW?"""
    says = "the step is -gamma dE/dx" if which == "infer_step" else "the weight update is -dE/dW, summed over the batch"
    part = "hidden" if which == "infer_step" else "weights"
    ratios: list[tuple[State, float, float | None]] = []
    for s in (s for s in states if getattr(s, part)):
        downhill = [-d for d in slope(energy, s, part)]
        for gamma in GAMMAS if which == "infer_step" else (1.0,):
            got = _change(call, which, s, gamma)
            c = factor(got, downhill)
            if c is None:
                found.findings.append(Finding(which, _why_not(call, s, which, energy, downhill, got, gamma)))
                return
            ratios.append((s, gamma, c / gamma))
    usual_factor = [(s, g, simple(c, AGREE)) for s, g, c in ratios if c is not None]
    if all(close(c, 1, AGREE) for _, _, c in usual_factor):
        found.checked.append(says)
        return
    found.findings.append(Finding(which, f"it is not so that {says}: {_named_factor(usual_factor, which)}"))


def _change(call: Caller, which: str, s: State, gamma: float) -> list[Any]:
    if which == "weight_update":
        return list(call(which, s))
    return [m - h for m, h in zip(call(which, s, gamma), s.hidden)]


def _named_factor(ratios: list[tuple[State, float, Any]], which: str) -> str:
    """The factor as a constant, with the batch in it, or with gamma in it."""
    name = "gamma" if which == "infer_step" else "the update"
    for text, of in (
        ("", lambda s, g: 1.0), (" divided by the batch", lambda s, g: 1 / s.batch),
        (" times the batch", lambda s, g: float(s.batch)), (" divided by gamma", lambda s, g: 1 / g),
        (" divided by the batch and by gamma", lambda s, g: 1 / (g * s.batch)),
    ):  # fmt: skip
        values = [float(c) / of(s, g) for s, g, c in ratios]
        if all(close(v, values[0], AGREE) for v in values):
            c = simple(values[0], AGREE)
            sign = "the sign is wrong; " if c < 0 else ""
            c = abs(c)
            size = "" if c == 1 else f"a factor {c if isinstance(c, Fraction) else f'{c:.6g}'} is in it; "
            hidden = " (1/B is hidden in it)" if "divided by the batch" in text and not size else ""
            rest = f"{name} acts{text}{hidden}" if text else ""
            return f"{sign}{size}{rest}".rstrip("; ")
    seen = ", ".join(f"{float(c):.4g} at batch {s.batch}" for s, _, c in ratios[:4])
    return f"the factor depends on the network ({seen})"


def _why_not(
    call: Caller, s: State, which: str, energy: Energy, downhill: list[Any], got: list[Any], gamma: float
) -> str:
    bad = [k for k, (a, b) in enumerate(zip(got, downhill)) if factor([a], [b]) is None]
    layers = ", ".join(f"{'activities' if which == 'infer_step' else 'weights'}[{k}]" for k in bad)
    if which == "infer_step" and len(got) > 1:
        for order, word in ((range(len(got)), "input"), (range(len(got) - 1, -1, -1), "output")):
            if _swept(s, energy, got, order, gamma):
                return f"layers move one after the other from the {word} on, not all at once ({s})"
    if not bad:
        each = [factor([a], [b]) or 0.0 for a, b in zip(got, downhill)]
        return f"layers have different factors: {', '.join(f'{c / gamma:.6g}' for c in each)} ({s})"
    what = "-gamma dE/dx" if which == "infer_step" else "-dE/dW"
    k = bad[0]
    at = tuple(int(i) for i in np.argwhere(np.abs(got[k] - gamma * downhill[k]) > AGREE * np.abs(downhill[k]).max())[0])
    is_, should = got[k][at] + 0.0, gamma * downhill[k][at] + 0.0  # 0.0: no -0 is printed
    return f"{layers} is not {what}: {is_:.9g} at {list(at)}, expected {should:.9g} ({s})"


def _swept(s: State, energy: Energy, got: list[Any], order: Any, gamma: float) -> bool:
    hidden = [h.copy() for h in s.hidden]
    for k in order:
        now = State(s.widths, s.batch, s.weights, hidden, s.x, s.target)
        move = -gamma * slope(energy, now, "hidden")[k]
        if np.max(np.abs(got[k] - move)) > AGREE * max(1.0, float(np.max(np.abs(move)))):
            return False
        hidden = [h + got[k] if j == k else h for j, h in enumerate(hidden)]
    return True


def _check_equilibrium(
    call: Caller, states: list[State], energy: Energy, fit: tuple[str, bool, Any] | None, found: EnergyConformance
) -> None:
    worst, gap = 0.0, 0.0
    linear = fit is not None and fit[0] == "identity"
    for s in (s for s in states if s.hidden):
        at = State(s.widths, s.batch, s.weights, call("equilibrium", s), s.x, s.target)
        residual = left(energy, at)
        if residual > SETTLED:
            text = f"dE/dx is {residual:.3g} of what it is with all activities 0 ({s})"
            found.findings.append(Finding("equilibrium", f"it is none: {text}"))
            return
        worst = max(worst, residual)
        if linear:
            exact = linear_equilibrium(s)
            gap = max(gap, max(float(np.max(np.abs(a - b)) / np.max(np.abs(b))) for a, b in zip(at.hidden, exact)))
    found.checked.append(f"dE/dx vanishes at the equilibrium (at most {worst:.2g} of that with all activities 0)")
    if linear and gap <= SOLVED:
        found.checked.append(f"it is the solution of the linear equations (off by {gap:.2g} at most)")
    elif linear:
        found.findings.append(Finding("equilibrium", f"it is off the solution of the linear equations by {gap:.3g}"))


def stated(names: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    """The functions of the contract among the names of a module."""
    return {n: names[n] for n in NAMES if callable(names.get(n))}
