"""Why an update is not backprop, as far as its answers tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from ..testing.reference import backprop
from .compare import FITS, Sample, Scale, close, find_scale, floats, matches, ratio, simple
from .kinds import BACKPROP, ENERGY, EQUILIBRIUM, FACTORS, FIXED, NONE, PARALLEL, Kind, layer_factors
from .limits import Raised
from .oracle import working_data
from .precise import BITS
from .probes import FLOAT64, PUSHED, Probe
from .states import forward_states
from .subject import Subject
from .variants import TIMES, VARIANTS, at_times, changes

PUSH = (4, 16, 64, 256, 1024)


def causes(s: Subject, kind: Kind, samples: list[Sample]) -> list[str]:
    """Sentences; empty if nothing fits."""
    found = list(_factors(kind))
    if kind.name in (FIXED, FACTORS) and found:
        return found
    if kind.name == PARALLEL:
        found += _one_factor(samples, kind) or _by_width(samples, kind)
    if kind.name not in (BACKPROP, EQUILIBRIUM, ENERGY, FIXED, FACTORS):
        for told in (_variants, _decay, _other_loss, *((_chain,) if kind.name != PARALLEL else ())):
            found += [] if found else told(samples)
    if not found and kind.name != BACKPROP:
        found += _batch(samples)
    if not found and kind.name == NONE:
        found += _last_only(samples)
    saturation = _saturation(s)
    if saturation:
        found.append(saturation)
    if not found and kind.name != BACKPROP:
        found += [*_activation(samples, kind), *_depth(samples, kind)]
    return found


def _factors(kind: Kind) -> Iterator[str]:
    c = kind.factors
    if kind.name == BACKPROP and abs(kind.scale.factor) == 2 and not kind.scale.outputs:  # else it is a mean of squares
        yield "twice the change: an update is applied twice, or the loss lacks its 1/2"
    if kind.name == FIXED and kind.fit is not None and kind.fit[0] == 1 and c is not None:
        yield (
            f"the error travels {kind.fit[1]} {_layers(kind.fit[1])} only, earlier layers get 0:"
            " fewer iterations than layers"
        )
        return
    if c is not None and all(v == 0 for v in c):
        yield "nothing changes"
        return
    if c is not None and len(c) > 1 and all(v == 0 for v in c[1:]):
        yield "only the last layer learns: the activities of the hidden layers never move (is their state updated?)"
        return
    if (
        c is not None
        and kind.name == FACTORS
        and len(c) > 2
        and all(close(b, a * c[1], 1e-6) for a, b in zip(c, c[1:]))
    ):
        step = f" (as in Z-IL with gamma = {_say(c[1])})" if c[1] > 0 else ""
        yield f"a factor {_say(c[1])} enters once a layer on the way from the output{step}"
        return
    deepest = kind.by_depth.get(max(kind.by_depth, default=0), [])
    for k, v in enumerate(deepest):
        others = [w for j, w in enumerate(deepest) if j != k and w is not None]
        if v is None or v == 1 or not all(w == 1 for w in others):
            continue
        if v == 0:
            yield f"weights[{k}] never change: a layer is skipped"
        elif v == 2:
            yield f"weights[{k}] get twice their change: an update is applied twice"
        else:
            yield f"weights[{k}] get {_say(v)} of their change, the others all of it"


def _one_factor(samples: list[Sample], kind: Kind) -> list[str]:
    """The same factor in every layer of a network, another one in another network."""
    for x in samples:
        c = [v for v in layer_factors(x, kind.scale) or [None] if v is not None]
        if not c or not all(close(v, c[0], 10 * max(x.tolerance, FITS)) for v in c):
            return []
    return [
        "every layer is off by the same factor, which depends on the data: the change is divided by a norm or clipped"
    ]


def _by_width(samples: list[Sample], kind: Kind) -> list[str]:
    """A factor that is 1 / n_in or 1 / n_out of each layer."""
    for end, word in ((0, "inputs"), (1, "outputs")):
        c = []
        for x in samples:
            for k, v in enumerate(layer_factors(x, Scale(Fraction(1), kind.scale.batch)) or []):
                c += [] if v is None else [v * x.probe.widths[k + end]]
        if c and all(close(v, c[0], 10 * FITS) for v in c):
            return [f"the change of each layer is divided by the number of its {word}"]
    return []


def _last_only(samples: list[Sample]) -> Iterator[str]:
    """The change of the last layer alone is backprop's."""
    deep = [x for x in samples if x.probe.depth > 1]
    scale = find_scale(samples)
    if scale is None or not deep or not all(_matches_last(x, scale) for x in samples):
        return
    if not any(any(v != 0 for v in np.ravel(x.answer.weights[0])) for x in deep):
        return
    yield "the last layer's change is backprop's, those before it are not: the errors travel back by another way"


def _matches_last(x: Sample, scale: Scale) -> bool:
    c = ratio(x.answer.weights[-1], x.weights[-1], x.tolerance)
    return c is not None and close(c, scale.of(x.probe), x.tolerance) or not np.any(floats(x.weights[-1]))


def _layers(n: int) -> str:
    return "layer" if n == 1 else "layers"


def _say(c: Any) -> str:
    return str(c) if isinstance(c, (int, Fraction)) and len(str(c)) < 12 else f"{float(c):.6g}"


def _variants(samples: list[Sample]) -> Iterator[str]:
    import mpmath

    tried: list[tuple[str, Any]] = [(v.says, partial(changes, v=v)) for v in VARIANTS]
    tried += [(says, partial(at_times, late=late)) for says, late in TIMES]
    for says, recursion in tried:
        with mpmath.workprec(BITS):
            others = [replace_expected(x, *recursion(working_data(x.probe))) for x in samples]
        scale = find_scale(others)
        if scale is not None and all(matches(x, scale) for x in others):
            after = ", ".join(scale.words())
            yield f"it equals backprop but for one thing{f' (after: {after})' if after else ''}: {says}"
            return


def replace_expected(x: Sample, weights: list[Any], biases: list[Any]) -> Sample:
    """The same sample beside another recursion."""
    return Sample(x.probe, x.answer, weights, biases if x.probe.bias else [])


def _chain(samples: list[Sample]) -> Iterator[str]:
    """Errors that are images of the output's error under the whole chain, at activities that have moved."""
    seen = 0
    for x in samples:
        if x.probe.activation != "identity" or x.probe.batch > 1 or x.probe.depth < 3:
            continue
        data = working_data(x.probe)
        left = []
        for u in x.answer.weights:
            p, sizes, _ = np.linalg.svd(floats(u))
            if sizes[0] == 0 or (len(sizes) > 1 and sizes[1] > FITS * sizes[0]):
                return
            left.append(p[:, 0])
        for k in range(len(left) - 1):
            back = floats(data.weights[k + 1]).T @ left[k + 1]
            if len(back) > 1 and abs(abs(back @ left[k]) / np.linalg.norm(back) - 1) > FITS:
                return
        if matches(x, Scale()):
            return
        seen += 1
    if seen:
        yield (
            "the output's error is sent back through the whole chain at activities that have moved:"
            " the energy is differentiated without stopping the gradient between layers"
        )


def _decay(samples: list[Sample]) -> Iterator[str]:
    """Backprop and a multiple of the weights."""
    for c in (1, -1):
        found = []
        for x in samples:
            data = working_data(x.probe)
            for u, e, w in zip(x.answer.weights, x.weights, data.weights):
                rest = u - c * e if x.exact else floats(u) - c * floats(e)
                found.append(ratio(rest, w, 1e-4))
        if found[0] and all(f is not None and close(f, found[0], 1e-4) for f in found):
            size = _say(simple(found[0], 1e-6))
            yield f"it is backprop plus {size} times the weights: a decay of the weights is in it"
            return


def _other_loss(samples: list[Sample]) -> Iterator[str]:
    """The last change gives the output's error; the other layers have to follow from that by backprop."""
    single = [x for x in samples if x.probe.batch == 1 and x.probe.depth > 1]
    if all(matches(x, Scale()) for x in single):
        return
    for x in single:
        data = working_data(x.probe)
        sent = forward_states(data)[-1][0]
        a = data.functions[-1].value(sent)
        a, u = (a, x.answer.weights[-1]) if x.exact else (floats(a), floats(x.answer.weights[-1]))
        square = a @ a
        if square == 0:
            return
        error = (u @ a) / square
        exact = error if x.exact else to_mpf(error)
        target = data.target[0] * 0 + exact
        output = data.weights[-1] @ data.functions[-1].value(sent) + (0 if data.biases is None else data.biases[-1])
        weights, biases = backprop(replace(data, target=(output + target)[None, :]))
        if not matches(replace_expected(x, weights, biases), Scale()):
            return
    if single:
        yield "every layer follows by backprop from an error of the output that is not target - output: another loss"


def to_mpf(a: Any) -> Any:
    """Floats as numbers that mix with those of the oracle."""
    return np.frompyfunc(lambda v: Fraction(float(v)), 1, 1)(a)


def _batch(samples: list[Sample]) -> Iterator[str]:
    single = [x for x in samples if x.probe.batch == 1]
    many = [x for x in samples if x.probe.batch > 1]
    scale = find_scale(single)
    if scale is None or not all(matches(x, scale) for x in single):
        return
    for how in (scale, replace(scale, batch=True)):
        powers = [layer_factors(x, how) for x in many]
        for e in (1, -1):
            if all(f is not None and _are_powers(f, x.probe.batch, e) for f, x in zip(powers, many)):
                word = "divided" if e == 1 else "multiplied"
                hidden = ": 1/B is hidden in the step of the activities" if e == 1 else ""
                yield f"it is backprop for a batch of 1; otherwise errors are {word} by the batch once a layer{hidden}"
                return
    yield "it is backprop for a batch of 1 and not for larger ones: the samples of a batch influence each other"


def _are_powers(factors: list[Any], batch: int, e: int) -> bool:
    return all(c is None or close(c, Fraction(batch) ** (-e * d), 1e-6) for d, c in enumerate(reversed(factors)))


def _saturation(s: Subject) -> str:
    """Two layers of width 1 with a growing error: every entry has to grow in proportion."""
    best: dict[str, list[float]] = {}
    for push in PUSH:
        probe = Probe((1, 1, 1), 1, "identity", FLOAT64, level=0)
        try:
            out = _pushed(s, probe, push)
        except Raised:
            return ""
        for k, v in enumerate(out):
            best.setdefault(f"weights[{k}]", []).append(v)
    for name, values in best.items():
        if abs(values[-1]) > 0 and values[-1] == values[-2] and values[0] != values[-1]:
            return f"{name} saturates at {abs(values[-1]):g} as the error grows: values are clamped"
    return ""


def _pushed(s: Subject, probe: Probe, push: int) -> list[float]:
    answer = s.call(replace(probe, error=None, special=f"{PUSHED}{push}"))
    return [float(w[0, 0]) for w in answer.weights]


def _activation(samples: list[Sample], kind: Kind) -> Iterator[str]:
    good, bad = _good(samples, kind, lambda p: p.activation)
    if good and bad:
        good, bad = ({"an arbitrary f" if a == "table" else a for a in names} for names in (good, bad))
        yield f"it is backprop with {', '.join(sorted(good))} and not with {', '.join(sorted(bad))}"


def _depth(samples: list[Sample], kind: Kind) -> Iterator[str]:
    good, bad = _good(samples, kind, lambda p: p.depth)
    if good and bad and 1 < max(good) < min(bad):  # at depth 1 there is nothing to tell apart
        yield f"it is backprop up to depth {max(good)} and not from depth {min(bad)} on"


def _good(samples: list[Sample], kind: Kind, of: Any) -> tuple[set[Any], set[Any]]:
    """The values of a property with which every sample is backprop, and the others."""
    scale = find_scale([x for x in samples if x.probe.depth == 1]) or kind.scale
    bad = {of(x.probe) for x in samples if not matches(x, scale)}
    return {of(x.probe) for x in samples} - bad, bad
