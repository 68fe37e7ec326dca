"""What an update function computes, told from its answers on small generic networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from .compare import Sample, Scale, close, find_scale, floats, matches, ratio, simple
from .limits import Raised, Unusable
from .oracle import alive
from .probes import FLOAT64, FRACTIONS, Probe
from .shares import fit
from .states import SETTLED, Found, energy_state, schedule
from .subject import Subject

BACKPROP, FACTORS, PARALLEL, FIRST_ORDER = "backprop", "backprop up to factors", "parallel", "first order"
EQUILIBRIUM, FIXED, ENERGY, NONE = "equilibrium-pc", "fixed-prediction", "energy-gradient", "none"
EXPECTED = ("backprop", "zil", "fixed-prediction", "equilibrium-pc", "energy-gradient")
MEETS = {  # which kinds meet an expectation
    "backprop": (BACKPROP,),
    "zil": (BACKPROP,),  # Z-IL equals backprop: the theorem `zil`
    "fixed-prediction": (FIXED, BACKPROP),  # eta = 1 and n >= L
    "equilibrium-pc": (EQUILIBRIUM,),
    "energy-gradient": (ENERGY, EQUILIBRIUM),
}
_SHAPES = (
    ((2, 3), 2), ((3, 1), 1), ((2, 2), 3), ((2, 3, 2), 1), ((3, 2, 2), 3), ((2, 3, 3, 2), 1), ((2, 2, 3, 1), 2),
    ((2, 3, 2, 3, 2), 1), ((3, 2, 2, 2, 2), 2), ((2, 2, 2, 2, 2, 2), 1),
)  # fmt: skip
ENOUGH = 3  # networks whose activities are known
LARGE = 20.0  # activities beyond it have diverged; they tell nothing about a schedule
_FEW_SHAPES = (  # for a library that compiles every operation for every shape
    ((2, 2), 1), ((2, 2), 2), ((2, 3), 2), ((2, 2, 2), 1), ((2, 2, 2), 2), ((2, 2, 2, 2), 1), ((2, 2, 2, 2, 2), 1),
    ((2, 2, 2, 2, 2, 2), 1),
)  # fmt: skip
SMOOTH = ("identity", "tanh", "sigmoid", "square")  # inference may not settle at a kink


@dataclass
class Kind:
    """The answer.

    scale: how the returned list relates to backprop's change.  factors: c of
    every layer by distance from the output, where they are constant.  fit:
    (eta, n, sweep) or (gamma, T).  residual: of the claimed equilibrium.
    """

    name: str
    scale: Scale = field(default_factory=Scale)
    exact: bool = False
    factors: list[Any] | None = None
    by_depth: dict[int, list[Any]] = field(default_factory=dict)
    fit: tuple[Any, ...] | None = None
    residual: float | None = None


def plain(s: Subject) -> tuple[list[Sample], list[tuple[Probe, str]]]:
    """Small generic networks of every activation that the function knows, and those on which it fails.

    ``Unusable`` if it fails on nearly all of them.
    """
    out: list[Sample] = []
    failed: list[tuple[Probe, str]] = []
    numbers = FRACTIONS if s.exact else FLOAT64
    for k, (widths, batch) in enumerate(_FEW_SHAPES if s.library.compiles else _SHAPES):
        for j, name in enumerate(s.activations if len(widths) > 2 else s.activations[:1]):
            if len(widths) > 3 and j and (j + k) % 2:
                continue
            probe = alive(Probe(widths, batch, name, numbers, power=-1, seed=k))
            try:
                answer = s.call(probe)
            except Raised as e:
                failed.append((probe, str(e)))
                continue
            if answer.finite:
                out.append(Sample.of(probe, answer))
            else:
                failed.append((probe, "returned a value that is not finite"))
    if len(failed) > 3 * len(out):
        raise Unusable(f"{s.name} {failed[0][1]} ({failed[0][0]})")
    return out, failed


def scales(samples: list[Sample]) -> Iterator[Scale]:
    """The scale that the last layer shows; else that of depth 1, where all kinds are one; else those that are usual."""
    found = find_scale(samples) or find_scale([x for x in samples if x.probe.depth == 1])
    if found is not None:
        yield found
        return
    for factor in (1, -1, 2, -2, Fraction(1, 2), Fraction(-1, 2)):
        yield Scale(Fraction(factor))


def classify(s: Subject, samples: list[Sample]) -> Kind:
    """The strongest kind that fits every sample."""
    exact = all(x.exact for x in samples)
    candidates = list(scales(samples))
    for scale in candidates:
        if all(matches(x, scale) for x in samples):
            return Kind(BACKPROP, scale, exact)
    found = _by_factors(samples, _usual(candidates), exact)
    return found or _by_energy(samples, candidates, exact) or _first_order(s) or Kind(NONE, _usual(candidates), exact)


def _usual(candidates: list[Scale]) -> Scale:
    return candidates[0] if len(candidates) == 1 else Scale()


def layer_factors(sample: Sample, scale: Scale) -> list[Any] | None:
    """c of every layer, input first, None for a layer whose backprop change is 0; None if a layer is not parallel."""
    c = scale.of(sample.probe)
    out: list[Any] = []
    for k, (u, e) in enumerate(zip(sample.answer.weights, sample.weights)):
        if not any(v != 0 for v in np.ravel(e)):
            out.append(None)
            continue
        found = ratio(u, e, sample.tolerance)
        if found is None:
            return None
        if sample.answer.biases:
            again = ratio(sample.answer.biases[k], sample.biases[k], sample.tolerance)
            if again is None or not close(again, found, sample.tolerance):
                return None
        out.append(simple(found / c if sample.exact else float(found) / float(c)))
    return out


def _by_factors(samples: list[Sample], scale: Scale, exact: bool) -> Kind | None:
    by_depth: dict[int, list[Any]] = {}
    constant, zero = True, False
    for x in samples:
        found = layer_factors(x, scale)
        if found is None:
            return None
        known = by_depth.setdefault(x.probe.depth, [None] * x.probe.depth)
        for k, c in enumerate(found):
            if c is None:
                continue
            zero = zero or c == 0
            if known[k] is None:
                known[k] = c
            elif not close(known[k], c, 10 * x.tolerance):
                constant = False
    if not constant:
        return None if zero else Kind(PARALLEL, scale, exact)
    factors = _by_distance(by_depth, 10 * samples[0].tolerance)
    if factors is not None and all(close(c, 1, min(10 * samples[0].tolerance, 0.02)) for c in factors):
        return Kind(BACKPROP, scale, exact)  # where it is further off than rounding, that is a fault of its own
    if factors is not None:
        fitted = fit(factors, 10 * samples[0].tolerance)
        if fitted is not None and fitted[1] > 0:
            return Kind(FIXED, scale, exact, factors, by_depth, fitted)
    return Kind(NONE if zero else FACTORS, scale, exact, factors, by_depth)


def _by_distance(by_depth: dict[int, list[Any]], most: float) -> list[Any] | None:
    """The factors by distance from the output, if they depend on nothing else."""
    out: list[Any] = []
    for factors in by_depth.values():
        for d, c in enumerate(reversed(factors)):
            if d == len(out):
                out.append(c)
            elif c is not None and out[d] is not None and not close(out[d], c, most):
                return None
    return None if any(c is None for c in out) else out


def _by_energy(samples: list[Sample], candidates: list[Scale], exact: bool) -> Kind | None:
    single = [x for x in samples if x.probe.batch == 1 and x.probe.depth > 1 and not x.probe.bias]
    for scale in candidates:
        found: list[tuple[Sample, Found]] = []
        for x in single:
            if any(v != 0 for v in np.ravel(x.answer.weights[-1])) and all(map(_moves, x.weights)):
                state = energy_state(x, scale)
                if state is None:
                    break
                if state.known:
                    found.append((x, state))
        else:
            if len(found) < ENOUGH:
                continue
            small = [(x, f) for x, f in found if x.probe.activation in SMOOTH and _is_small(f)]
            residual = max(f.residual for _, f in small or found)
            if residual <= SETTLED:
                return Kind(EQUILIBRIUM, scale, exact, residual=residual)
            fitted = schedule([x for x, _ in small], [f for _, f in small]) if small else None
            return Kind(ENERGY, scale, exact, fit=fitted, residual=residual)
    return None


def _is_small(found: Found) -> bool:
    return all(np.max(np.abs(floats(h))) < LARGE for h in found.hidden)


def _moves(layer: Any) -> bool:
    return any(v != 0 for v in np.ravel(layer))


def _first_order(s: Subject) -> Kind | None:
    """Whether the relative difference falls with the error of the output, at least in proportion."""
    smooth = [a for a in s.activations if a in SMOOTH[1:]] or ["identity"]
    numbers = FRACTIONS if s.exact and smooth[0] != "tanh" else FLOAT64
    for widths, batch in (((2, 3, 2), 1), ((2, 3, 2), 3), ((2, 2, 3, 2), 2), ((3, 2, 2, 2, 2), 1)):
        gaps = []
        scale = Fraction(0)
        for error in (12, 8, 4):
            try:
                sample = Sample.of(p := Probe(widths, batch, smooth[0], numbers, power=-1, error=error), s.call(p))
            except Raised:
                return None
            if error == 12:
                u, e = floats(sample.answer.weights[-1]).ravel(), floats(sample.weights[-1]).ravel()
                scale = simple(float(u @ e) / float(e @ e), 1e-2)
                scale = Fraction(float(scale)).limit_denominator(8)
            if scale == 0:
                return None
            gaps.append(
                max(
                    float(np.max(np.abs(floats(u) / float(scale) - floats(e)))) / float(np.max(np.abs(floats(e))))
                    for u, e in zip(sample.answer.weights, sample.weights)
                )
            )
        if not (gaps[0] <= gaps[1] / 8 and gaps[1] <= gaps[2] / 4 and gaps[0] < 0.01):
            return None
    return Kind(FIRST_ORDER, Scale(scale), s.exact)
