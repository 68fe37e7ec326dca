"""`pcproof conform`: kinds told apart, every bug of the list caught and named, bad functions end in a sentence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pcproof.cli import run
from pcproof.conform import Probe, Unusable, conform, expected, given
from pcproof.conform.run import Conformance
from pcproof.conform.states import Steps

ROOT = Path(__file__).resolve().parents[1]
Update = Callable[..., Any]


# -- functions under test, written from the equations -------------------------------------
def forward(weights: Any, x: Any, f: Any, biases: Any = None) -> tuple[list[Any], list[Any]]:
    """What every layer receives, and what it sends."""
    h, a = [x], [x]
    for k, w in enumerate(weights):
        h.append(a[-1] @ w.T + (0 if biases is None else biases[k]))
        a.append(f.value(h[-1]) if k + 1 < len(weights) else h[-1])
    return h, a


def backprop(weights: Any, x: Any, target: Any, f: Any, biases: Any = None) -> Any:
    h, a = forward(weights, x, f, biases)
    delta, dw, db = target - h[-1], [], []
    for k in reversed(range(len(weights))):
        dw.insert(0, delta.T @ a[k])
        db.insert(0, delta.sum(axis=0))
        if k:
            delta = f.derivative(h[k]) * (delta @ weights[k])
    return dw if biases is None else (dw, db)


def inference(rate: Any, steps: int) -> Update:
    """Inference learning: gradient steps on the activities, then one of the weights."""

    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        xs, _ = forward(weights, x, f)
        depth = len(weights)
        xs[depth] = target

        def errors() -> list[Any]:
            return [xs[k + 1] - sent(k) @ weights[k].T for k in range(depth)]

        def sent(k: int) -> Any:
            return f.value(xs[k]) if k else xs[0]

        for _ in range(steps):
            e = errors()
            xs[1:depth] = [
                xs[k] + rate * (-e[k - 1] + f.derivative(xs[k]) * (e[k] @ weights[k])) for k in range(1, depth)
            ]
        return [e.T @ sent(k) for k, e in enumerate(errors())]

    return update


def fixed_prediction(eta: Any, steps: int) -> Update:
    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        h, a = forward(weights, x, f)
        e = [h_k * 0 for h_k in h]
        e[-1] = target - h[-1]
        for _ in range(steps):
            back = [None, *(f.derivative(h[k]) * (e[k + 1] @ weights[k]) for k in range(1, len(weights)))]
            e[1:-1] = [e[k] + eta * (back[k] - e[k]) for k in range(1, len(weights))]
        return [e[k + 1].T @ a[k] for k in range(len(weights))]

    return update


def zil(late: int = 0, over_batch: bool = False, moved: bool = True) -> Update:
    """Z-IL in its literal form: errors are x - mu; layer l learns at t = l + late."""

    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        xs, _ = forward(weights, x, f)
        depth = len(weights)
        xs[depth] = target
        step = Fraction(1, len(x)) if over_batch and x.dtype == object else 1 / len(x) if over_batch else 1
        dw: list[Any] = [None] * depth
        for t in range(depth + late):
            a = [xs[0], *(f.value(xs[k]) for k in range(1, depth))]
            e = [None, *(xs[k + 1] - a[k] @ weights[k].T for k in range(depth))]
            k = depth - 1 - t + late
            if k < depth:
                dw[k] = e[k + 1].T @ a[k]
            if moved:
                xs[1:depth] = [
                    xs[k] + step * (-e[k] + f.derivative(xs[k]) * (e[k + 1] @ weights[k])) for k in range(1, depth)
                ]
        return dw

    return update


def no_stop_gradient(rate: float, steps: int) -> Update:
    """The energy in its errors, sum |e|^2 / 2 + |target - output(e)|^2 / 2, differentiated by the weights as it is."""

    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        depth = len(weights)
        e = [np.zeros((len(x), len(w))) for w in weights[:-1]]

        def run_once() -> tuple[list[Any], list[Any]]:
            h, a = [x], [x]
            for k, w in enumerate(weights):
                h.append(a[-1] @ w.T + (e[k] if k + 1 < depth else 0))
                a.append(f.value(h[-1]))
            d: list[Any] = [None] * depth + [target - h[-1]]
            for k in reversed(range(1, depth)):
                d[k] = f.derivative(h[k]) * (d[k + 1] @ weights[k])
            return a, d

        for _ in range(steps):
            _, d = run_once()
            e = [e_k + rate * (d[k + 1] - e_k) for k, e_k in enumerate(e)]
        a, d = run_once()
        return [d[k + 1].T @ a[k] for k in range(depth)]

    return update


def scaled(factor: Any, batch: bool = False, outputs: bool = False) -> Update:
    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        n = (len(x) if batch else 1) * (target.shape[1] if outputs else 1)
        return [factor * dw / n for dw in backprop(weights, x, target, f)]

    return update


def on_layers(change: Callable[[int, int, Any], Any]) -> Update:
    """Backprop with ``change(k, depth, dW)`` applied to every layer."""

    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        return [change(k, len(weights), dw) for k, dw in enumerate(backprop(weights, x, target, f))]

    return update


def clamped(weights: Any, x: Any, target: Any, f: Any) -> Any:
    h, a = forward(weights, x, f)
    delta, dw = np.clip(target - h[-1], -50, 50), []
    for k in reversed(range(len(weights))):
        dw.insert(0, np.clip(delta.T @ a[k], -50, 50))
        delta = np.clip(f.derivative(h[k]) * (delta @ weights[k]), -50, 50)
    return dw


def changes_inputs(weights: Any, x: Any, target: Any, f: Any) -> Any:
    dw = backprop(weights, x, target, f)
    for w, d in zip(weights, dw):
        w += d
    return dw


def learns_on_the_way(weights: Any, x: Any, target: Any, f: Any) -> Any:
    """Errors travel back through weights that have changed already."""
    h, a = forward(weights, x, f)
    delta, dw = target - h[-1], []
    for k in reversed(range(len(weights))):
        dw.insert(0, delta.T @ a[k])
        delta = f.derivative(h[k]) * (delta @ (weights[k] + dw[0]))
    return dw


def stale() -> Update:
    before: dict[Any, Any] = {}

    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        key = tuple(w.shape for w in weights)
        old, before[key] = before.get(key, weights), [w.copy() for w in weights]
        return backprop(old, x, target, f)

    return update


def slopeless(weights: Any, x: Any, target: Any, f: Any) -> Any:
    h, a = forward(weights, x, f)
    delta, dw = target - h[-1], []
    for k in reversed(range(len(weights))):
        dw.insert(0, delta.T @ a[k])
        delta = delta @ weights[k]
    return dw


def narrow(weights: Any, x: Any, target: Any, f: Any) -> Any:
    small = [np.asarray(w, dtype=np.float32) for w in weights]
    dw = backprop(small, np.asarray(x, dtype=np.float32), np.asarray(target, dtype=np.float32), f)
    return [np.asarray(d, dtype=float) for d in dw]


def decayed(weights: Any, x: Any, target: Any, f: Any) -> Any:
    return [dw - w / 100 for dw, w in zip(backprop(weights, x, target, f), weights)]


def cross_entropy(weights: Any, x: Any, target: Any, f: Any) -> Any:
    """The error of the output is target - softmax."""
    h, a = forward(weights, x, f)
    p = np.exp(h[-1].astype(float))
    delta, dw = target - p / p.sum(axis=1, keepdims=True), []
    for k in reversed(range(len(weights))):
        dw.insert(0, delta.T @ a[k])
        delta = f.derivative(h[k]) * (delta @ weights[k])
    return dw


def ten_units(weights: Any, x: Any, target: Any, f: Any) -> Any:
    """Right for the first ten units of a layer."""
    return [np.concatenate([dw[:10], 0 * dw[10:]]) for dw in backprop(weights, x, target, f)]


def clipped_norm(weights: Any, x: Any, target: Any, f: Any) -> Any:
    dw = backprop(weights, x, target, f)
    size = sum(float((d**2).sum()) for d in dw) ** 0.5
    return [d * min(1, 1 / size) for d in dw] if size else dw


def divided(over: str) -> Update:
    """Inference learning whose step, or whose change, is divided by the batch."""

    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        if over == "step":
            return inference(0.2 / len(x), 10)(weights, x, target, f)
        return [dw / len(x) for dw in inference(0.2, 10)(weights, x, target, f)]

    return update


@cache
def answer(update: Update, expect: str = "backprop", **options: Any) -> Conformance:
    return conform(update, expect=expect, **options)


# -- kinds ----------------------------------------------------------------------------------
def test_backprop_exactly() -> None:
    found = answer(backprop)
    assert found.as_expected and found.kind.exact and found.kind.name == "backprop", found.text()
    assert not found.findings and not found.kind.scale.words() and found.smallest is None
    assert found.networks > 50 and found.subject.takes_biases


@pytest.mark.parametrize(
    ("update", "after"),
    [
        (scaled(-1), ["negate"]),
        (scaled(-1, batch=True), ["negate", "times batch"]),
        (scaled(2), ["halve"]),
        (scaled(Fraction(1, 2)), ["double"]),
        (scaled(-2, batch=True, outputs=True), ["negate", "times batch", "times outputs", "halve"]),
        (scaled(Fraction(1, 10)), ["divide by 1/10"]),
    ],
)
def test_announced_changes(update: Update, after: list[str]) -> None:
    found = answer(update)
    assert found.as_expected and found.kind.scale.words() == after, found.text()


@pytest.mark.parametrize(
    ("transform", "words"),
    [
        (lambda dw: [d.T for d in dw], "transpose each"),
        (lambda dw: dw[::-1], "reverse the list"),
        (lambda dw: tuple(d.T for d in dw)[::-1], "reverse the list, transpose each"),
    ],
)
def test_layout(transform: Callable[[Any], Any], words: str) -> None:
    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        return transform(backprop(weights, x, target, f))

    found = conform(update)
    assert found.as_expected and f"equal after: {words}" in found.text(), found.text()
    strict = conform(update, returns="update")
    assert not strict.as_expected and words in strict.text()


def test_strict() -> None:
    assert answer(scaled(1), returns="update", reduction="sum").as_expected
    assert answer(scaled(-1, batch=True), returns="grad", reduction="mean").as_expected
    wrong = answer(scaled(-1, batch=True), returns="update", reduction="sum")
    assert not wrong.as_expected and "only after: negate, times batch" in wrong.strict
    assert wrong.smallest is not None
    assert not answer(scaled(2), returns="update").as_expected
    only = answer(scaled(1, batch=True), reduction="sum")
    assert not only.as_expected and only.smallest is not None and only.smallest.probe.batch == 2


@pytest.mark.parametrize(("eta", "steps"), [(Fraction(1, 10), 20), (Fraction(1, 2), 3), (0.3, 20)])
def test_fixed_prediction(eta: Any, steps: int) -> None:
    found = answer(fixed_prediction(eta, steps), "fixed-prediction")
    assert found.as_expected and found.kind.name == "fixed-prediction", found.text()
    assert found.kind.fit is not None
    got_eta, got_steps, sweep = found.kind.fit
    assert (float(got_eta), got_steps, sweep) == (pytest.approx(float(eta)), steps, False)
    assert not answer(fixed_prediction(eta, steps)).as_expected


@pytest.mark.parametrize(("rate", "steps"), [(Fraction(1, 2), 5), (0.1, 20)])
def test_energy_gradient(rate: Any, steps: int) -> None:
    found = answer(inference(rate, steps), "energy-gradient")
    assert found.as_expected and found.kind.name == "energy-gradient", found.text()
    assert found.kind.fit == (Fraction(rate).limit_denominator(10), Steps(steps))
    assert not answer(inference(rate, steps)).as_expected
    assert not answer(inference(rate, steps), "equilibrium-pc").as_expected


@pytest.mark.parametrize("more", [0, -1])
def test_as_many_steps_as_layers(more: int) -> None:
    """gamma = 1 and T = L, as public libraries are often run: the energy's gradient, far from backprop."""

    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        return inference(1, len(weights) + more)(weights, x, target, f)

    found = answer(update, "energy-gradient")
    assert found.as_expected and found.kind.fit == (1, Steps(more, True)), found.text()
    assert f"T = L{' - 1' if more else ''} steps of inference with gamma = 1" in found.text()


def test_energy_gradient_of_a_batch() -> None:
    """A mean is announced; a step that shrinks with the batch is a fault."""
    mean = answer(divided("change"), "energy-gradient")
    assert mean.as_expected and mean.kind.scale.words() == ["times batch"], mean.text()
    hidden = answer(divided("step"), "energy-gradient")
    assert not hidden.as_expected and "1/B is hidden in the step of the activities" in hidden.text()


def test_equilibrium() -> None:
    found = answer(inference(0.2, 200), "equilibrium-pc")
    assert found.as_expected and found.kind.name == "equilibrium-pc", found.text()
    assert found.kind.residual is not None and found.kind.residual < 1e-3


def test_gamma_law() -> None:
    """Z-IL with another gamma: errors get a factor gamma a layer (Song et al. 2020, C3 broken)."""
    found = answer(on_layers(lambda k, depth, dw: dw * Fraction(3, 5) ** (depth - 1 - k)), "zil")
    assert not found.as_expected and "as in Z-IL with gamma = 3/5" in found.text(), found.text()


def test_factors() -> None:
    found = answer(on_layers(lambda k, depth, dw: dw * 3 ** (depth - 1 - k)))
    assert not found.as_expected and found.kind.name == "backprop up to factors"
    assert found.kind.factors == [1, 3, 9, 27, 81]
    assert "factor 3 enters once a layer" in found.text()
    parallel = answer(on_layers(lambda k, depth, dw: dw / abs(dw).max() if dw.any() else dw))
    assert parallel.kind.name == "parallel" and not parallel.as_expected


def test_first_order() -> None:
    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        dw = backprop(weights, x, target, f)
        return [d + d * d for d in dw]

    assert answer(update).kind.name == "first order"

    def first_sample(weights: Any, x: Any, target: Any, f: Any) -> Any:
        return backprop(weights, x[:1], target[:1], f)

    found = answer(first_sample)
    assert found.kind.name == "none" and "for a batch of 1 and not for larger ones" in found.text()


def test_nothing_changes() -> None:
    found = answer(on_layers(lambda k, depth, dw: 0 * dw))
    assert found.kind.name == "none" and "cause: nothing changes" in found.text()


def test_weak_spots_of_fixed_prediction() -> None:
    right = fixed_prediction(Fraction(1, 2), 3)

    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        dw = right(weights, x, target, f)
        return [2 * d for d in dw] if len(x) > 16 else dw

    found = answer(update, "fixed-prediction")
    assert found.kind.name == "fixed-prediction" and [f.name for f in found.faults] == ["a batch of 17"], found.text()


def test_zil_is_backprop_and_cancels() -> None:
    """The literal form is right in exact arithmetic and loses its digits in deep networks."""
    found = answer(zil(), "zil")
    assert found.kind.name == "backprop" and found.kind.exact
    assert not found.as_expected and [f.name for f in found.faults] == ["cancellation"]
    assert "x - mu" in found.text()
    assert found.smallest is not None and found.smallest.probe.depth > 4
    accepted = answer(zil(), "zil", literal=True)
    assert accepted.as_expected and "note: cancellation" in accepted.text()


# -- bugs, each with its cause ---------------------------------------------------------------
BUGS: dict[str, tuple[Update, str]] = {
    "the state is never updated": (fixed_prediction(1, 0), "activities of the hidden layers never move"),
    "no stop-gradient": (no_stop_gradient(0.1, 5), "without stopping the gradient"),
    "1/B hidden in gamma": (zil(over_batch=True), "1/B is hidden"),
    "fewer iterations than layers": (fixed_prediction(1, 2), "fewer iterations than layers"),
    "a layer is skipped": (
        on_layers(lambda k, depth, dw: dw * (k != 1)),
        "weights[1] never change: a layer is skipped",
    ),
    "a layer learns twice": (on_layers(lambda k, depth, dw: dw * (2 if k == 1 else 1)), "twice"),
    "clamped at 50": (clamped, "saturates at 50"),
    "changes its inputs": (changes_inputs, "changes weights in place"),
    "learns on the way": (learns_on_the_way, "weights that have already changed"),
    "stale weights": (stale(), "the weights of the call before are used"),
    "f' left out": (slopeless, "f' is left out"),
    "one step late": (zil(late=1), "one step late"),
    "float32 inside": (narrow, "float32 would explain it"),
    "x - mu": (zil(), "errors are formed as x - mu"),
    "weight decay": (decayed, "-1/100 times the weights"),
    "another loss": (cross_entropy, "another loss"),
    "ten units": (ten_units, "many units"),
    "clipped norm": (clipped_norm, "every layer is off by the same factor, which depends on the data"),
    "by inputs": (
        lambda w, x, t, f: [dw / dw.shape[1] for dw in backprop(w, x, t, f)],
        "the change of each layer is divided by the number of its inputs",
    ),
    "by outputs": (
        lambda w, x, t, f: [-dw / dw.shape[0] for dw in backprop(w, x, t, f)],
        "the change of each layer is divided by the number of its outputs",
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_bugs_are_named(bug: str) -> None:
    update, cause = BUGS[bug]
    found = answer(update)
    assert not found.as_expected
    assert cause in found.text(), found.text()
    assert found.smallest is not None


def test_applied_twice_is_announced() -> None:
    found = answer(scaled(2))
    assert "note: twice the change: an update is applied twice" in found.text()
    assert "twice" not in answer(scaled(-2, batch=True, outputs=True)).text(), "a mean of squares"
    assert not answer(scaled(2), returns="update", reduction="sum").as_expected


def test_no_bug_passes_as_another_kind() -> None:
    """What is wrong does not pass under a name that it has not."""
    right = {"x - mu": "backprop", "float32 inside": "backprop", "changes its inputs": "backprop"}
    right |= {"ten units": "backprop"}
    right |= {"fewer iterations than layers": "fixed-prediction", "a layer learns twice": "backprop up to factors"}
    for bug, (update, _) in BUGS.items():
        assert answer(update).kind.name in (right.get(bug, "none"), "parallel", "first order"), bug


# -- weak spots: right on ordinary networks, wrong on one kind of them -----------------------------
def _only(condition: Callable[..., bool], spoil: Callable[[Any], Any] = lambda dw: 2 * dw) -> Update:
    """Backprop, spoiled where the condition on (weights, x, target, changes) holds."""

    def update(weights: Any, x: Any, target: Any, f: Any, biases: Any = None) -> Any:
        dw, db = backprop(weights, x, target, f, [w[:, 0] * 0 for w in weights] if biases is None else biases)
        if condition(weights, x, target, dw):
            dw = [spoil(d) for d in dw]
        return dw if biases is None else (dw, db)

    return update


def _is_kind(dtype: Any) -> Callable[..., bool]:
    return lambda w, x, t, dw: x.dtype == dtype


def _size(weights: Any) -> float:
    return max(float(abs(w).max()) for w in weights) if weights[0].dtype.kind == "f" else 1.0


def bias_mean(weights: Any, x: Any, target: Any, f: Any, biases: Any = None) -> Any:
    if biases is None:
        return backprop(weights, x, target, f)
    dw, db = backprop(weights, x, target, f, biases)
    return dw, [c / len(x) for c in db]


def from_value(weights: Any, x: Any, target: Any, f: Any) -> Any:
    """f' of relu as f(h) / h, which has no value at a kink."""

    class Given:
        value = staticmethod(f.value)

        @staticmethod
        def derivative(h: Any) -> Any:
            if f.name != "relu" or h.dtype == object and (h != 0).all():
                return f.derivative(h)
            with np.errstate(all="ignore"):
                return f.value(h).astype(float) / h.astype(float)

    return backprop(weights, x, target, Given)


def of_kink(weights: Any, x: Any, target: Any, f: Any) -> Any:
    """relu'(0) = 1."""

    class Given:
        value = staticmethod(f.value)

        @staticmethod
        def derivative(h: Any) -> Any:
            return f.derivative(h) + (h == 0) if f.name == "relu" else f.derivative(h)

    return backprop(weights, x, target, Given)


def by_identity(weights: Any, x: Any, target: Any, f: Any) -> Any:
    """Changes are kept by the identity of the array: tied weights get one."""
    found = {id(w): dw for w, dw in zip(weights, backprop(weights, x, target, f))}
    return [found[id(w)] for w in weights]


def in_memory_order(weights: Any, x: Any, target: Any, f: Any) -> Any:
    return backprop([w.ravel(order="K").reshape(w.shape) for w in weights], x, target, f)


WEAK: dict[str, Update] = {
    "width 1": _only(lambda w, x, t, dw: max(m.size for m in w) == 1),
    "zero error": _only(lambda w, x, t, dw: not np.any(dw[-1] != 0), lambda dw: dw + 1),
    "relu at its kink": from_value,
    "tied weights": by_identity,
    "large weights": _only(lambda w, x, t, dw: _size(w) > 50),
    "tiny weights": _only(lambda w, x, t, dw: _size(w) < 1e-3),
    "column-major": in_memory_order,
    "not contiguous": _only(lambda w, x, t, dw: not (w[0].flags.c_contiguous or w[0].flags.f_contiguous)),
    "biases": bias_mean,
    "a batch of 17": _only(lambda w, x, t, dw: len(x) > 16),
    "depth 16": _only(lambda w, x, t, dw: len(w) > 10 and x.dtype.kind == "f"),
    "exactly": _only(lambda w, x, t, dw: len(w) > 10 and x.dtype == object),
    "float32": _only(_is_kind(np.float32)),
    "float64": _only(_is_kind(np.float64)),
}


@pytest.mark.parametrize("spot", WEAK)
def test_weak_spots(spot: str) -> None:
    found = answer(WEAK[spot])
    assert found.kind.name == "backprop" and not found.as_expected, found.text()
    assert any(spot in f"{f.name} {f.text} {f.probe}" for f in found.faults), found.text()
    assert found.smallest is not None and found.smallest.code


def test_wrong_slope_of_one_activation() -> None:
    """A table of a user's own with one wrong entry."""
    f = {"identity": lambda h: h, "relu": lambda h: np.maximum(h, 0), "tanh": np.tanh, "elu": lambda h: np.where(
        h > 0, h, np.expm1(np.minimum(h, 0)))}  # fmt: skip
    df = {"identity": np.ones_like, "relu": lambda h: 1.0 * (h > 0), "tanh": lambda h: 1 - np.tanh(h) ** 2}
    df["elu"] = lambda h: np.where(h > 0, 1, np.expm1(np.minimum(h, 0)))

    def update(weights: Any, x: Any, target: Any, name: str) -> Any:
        class Given:
            value, derivative = staticmethod(f[name]), staticmethod(df[name])

        return backprop(weights, x, target, Given)

    found = answer(update)
    assert found.subject.form == "name" and found.kind.name == "backprop"
    assert [fault.name for fault in found.faults] == ["activation elu"], found.text()
    df["elu"] = lambda h: np.where(h > 0, 1, np.exp(np.minimum(h, 0)))
    assert conform(update).as_expected


def test_fewer_digits_are_noted() -> None:
    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        return [dw.astype(np.float32) for dw in narrow(weights, x, target, f)]

    found = answer(update)
    assert found.as_expected and [f.name for f in found.findings][:1] == ["float64"], found.text()


def test_another_slope_at_a_kink_is_a_note() -> None:
    found = answer(of_kink)
    assert found.as_expected, found.text()
    assert ["f'(0) of relu is taken as 1" in f.text for f in found.findings] == [True]


# -- the smallest case -----------------------------------------------------------------------
def output_of(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return done.stdout


def test_code_of_a_large_case() -> None:
    found = conform(ten_units, path=f"{Path(__file__)}:ten_units")
    assert found.smallest is not None and not found.smallest.exhaustive
    assert "data = given(Probe(" in found.smallest.code
    assert output_of(found.smallest.code).startswith("returned:")


@pytest.mark.parametrize("update", ["slopeless", "clamped"])
def test_code_of_the_smallest_case(update: str, tmp_path: Path) -> None:
    """It runs as it stands and prints two different things."""
    found = conform(globals()[update], path=f"{Path(__file__)}:{update}")
    assert found.smallest is not None
    returned, exact = output_of(found.smallest.code).split("backprop:")
    assert returned.startswith("returned:") and exact.strip()
    smaller = [p for p in (1, 2) if p < found.smallest.probe.depth]
    assert found.smallest.exhaustive and smaller == [1], "at depth 1 nothing is wrong, at depth 2 it is"
    assert found.smallest.probe.widths == (1, 1, 1)


# -- the oracle ------------------------------------------------------------------------------
@pytest.mark.parametrize("numbers", ["fractions", "integers mod 2^31 - 1"])
def test_oracle_by_hand(numbers: str) -> None:
    """1-1-1, weights 1, x = 1, target 3: the error is 2, and so is every change."""
    weights, biases = expected(Probe((1, 1, 1), numbers=numbers, level=0))
    assert [w[0, 0] for w in weights] == [2, 2] and [c[0] for c in biases] == [2, 2]


@pytest.mark.parametrize("numbers", ["fractions", "integers mod 2^31 - 1"])
@pytest.mark.parametrize("widths", [(2, 3), (2, 1, 3), (2, 3, 2, 2)])
def test_oracle_equals_the_evaluator(widths: tuple[int, ...], numbers: str) -> None:
    """Loops of the oracle against the term language: what pcproof derives from the loss, read by its semantics."""
    from pcproof import MLP
    from pcproof.conform.oracle import working_data
    from pcproof.kernels.generate import backprop_theory
    from pcproof.language.evaluate import Evaluator, Model

    probe = Probe(widths, 2, "table", numbers, bias=True, seed=3)
    data, d = working_data(probe), probe.depth
    model = Model(
        sizes={"L": d, "B": 2, "n": lambda l: widths[d - l]},
        parameters={
            "w": lambda l, i, j: data.weights[d - l][i, j], "c": lambda l, i: data.biases[d - l][i],  # type: ignore[index]
            "s_in": lambda b, i: data.x[b, i], "s_out": lambda b, i: data.target[b, i], "alpha": lambda: 1,
        },
        functions={
            "f": lambda l, v: data.functions[d - l].value(v), "df": lambda l, v: data.functions[d - l].derivative(v),
        },
    )  # fmt: skip
    evaluator = Evaluator(backprop_theory(MLP(True)), model)
    for name, lists in zip(("dw", "dc"), expected(probe)):
        for k, array in enumerate(lists):
            for at in np.ndindex(*array.shape):
                assert array[at] == evaluator.call(name, (d - k, *at)), (name, k, at)


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_precise_oracle_against_floats(name: str) -> None:
    from pcproof.networks.activations import activation

    probe = Probe((2, 3, 3, 2), 3, name, seed=4)
    data = given(probe)
    dw = backprop(data.weights, data.x, data.target, activation(name))
    for got, exact in zip(dw, expected(probe)[0]):
        assert np.allclose(got, exact.astype(float), rtol=1e-13, atol=0)


@pytest.mark.parametrize("steps", [1, 3, 7])
@pytest.mark.parametrize("sweep", [False, True])
def test_shares(steps: int, sweep: bool) -> None:
    """The closed form against the recursion, and back to eta and n."""
    from pcproof.conform.shares import fit, shares, tail

    eta = Fraction(2, 5)
    c = shares(eta, steps, 5, sweep)
    for d in range(1, 5):
        assert float(c[d]) == pytest.approx(tail(steps + d - 1 if sweep else steps, d, 0.4), abs=1e-14)
    if steps > 3:
        assert fit(c, 1e-9) == (eta, steps, sweep)
        assert fit([*c[:3], c[3] * Fraction(101, 100), c[4]], 1e-9) is None


# -- functions that cannot be judged ----------------------------------------------------------
def raises(weights: Any, x: Any, target: Any, f: Any) -> Any:
    raise KeyError("no such layer")


def leaves(weights: Any, x: Any, target: Any, f: Any) -> Any:
    raise SystemExit(0)


def endless(weights: Any, x: Any, target: Any, f: Any) -> Any:
    while True:
        try:
            x = x + 0
        except Exception:
            continue


def nothing(weights: Any, x: Any, target: Any, f: Any) -> Any:
    return None


def infinite(weights: Any, x: Any, target: Any, f: Any) -> Any:
    return [np.full(w.shape, np.nan) for w in weights]


def one_short(weights: Any, x: Any, target: Any, f: Any) -> Any:
    return backprop(weights, x, target, f)[1:]


def words(weights: Any, x: Any, target: Any, f: Any) -> Any:
    return [np.full(w.shape, "a") for w in weights]


@pytest.mark.parametrize(
    ("update", "sentence"),
    [
        (raises, r"raises raised KeyError: 'no such layer' \(depth 3"),
        (leaves, "leaves raised SystemExit: 0"),
        (nothing, "nothing returned None; expected a list"),
        (infinite, "infinite returned a value that is not finite"),
        (one_short, r"returned shapes \[\(4, 3\), \(5, 4\)\]; expected \[\(3, 2\), \(4, 3\), \(5, 4\)\]"),
        (words, "returned an array of <U1"),
        (lambda weights: weights, "raised TypeError"),
        (3, "int, not a function"),
    ],
)
def test_unusable(update: Any, sentence: str) -> None:
    with pytest.raises(Unusable, match=sentence):
        conform(update)


def test_too_long() -> None:
    with pytest.raises(Unusable, match=r"endless was not done after 0\.2 s"):
        conform(endless, seconds=0.2)


def test_choices() -> None:
    with pytest.raises(Unusable, match="expect is 'backprob'; expected one of backprop"):
        conform(backprop, expect="backprob")


# -- the command ------------------------------------------------------------------------------
def test_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    here = str(Path(__file__))
    assert run(["conform", f"{here}:slopeless"]) == 1
    assert "cause: it equals backprop but for one thing: f' is left out" in capsys.readouterr().out
    assert run(["conform", f"{here}:changes_inputs", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == "not as expected" and document["kind"] == "backprop"
    assert document["smallest"]["code"]
    file = tmp_path / "good.py"
    file.write_text(
        "print('loading')\n"
        "def update(weights, x, target, f):\n"
        "    print('called')\n"
        "    h = [x]\n"
        "    for w in weights[:-1]:\n"
        "        h.append((f.value(h[-1]) if len(h) > 1 else x) @ w.T)\n"
        "    a = [x] + [f.value(v) for v in h[1:]]\n"
        "    e, out = target - a[-1] @ weights[-1].T, []\n"
        "    for k in reversed(range(len(weights))):\n"
        "        out.insert(0, e.T @ a[k])\n"
        "        e = f.derivative(h[k]) * (e @ weights[k])\n"
        "    return out\n"
    )
    assert run(["conform", f"{file}:update", "--json", "--returns", "update", "--reduction", "sum"]) == 0
    seen = capsys.readouterr()
    assert json.loads(seen.out)["says"] == "backprop, exactly" and "called" in seen.err
    assert [p.name for p in tmp_path.iterdir() if p.name != "__pycache__"] == ["good.py"]


@pytest.mark.parametrize(
    ("text", "name", "sentence"),
    [
        ("def update(:\n", "update", "bad.py raised SyntaxError"),
        ("import numpyy\n", "update", "raised ModuleNotFoundError: No module named 'numpyy' (line 1)"),
        ("def update(w): pass\n", "other", "has no function 'other' (it has: update)"),
        ("update = 3\n", "update", "is int, not a function"),
        ("def update(w, x, t, f): return 1 / 0\n", "update", "update raised ZeroDivisionError"),
        ("raise SystemExit(3)\n", "update", "raised SystemExit: 3"),
    ],
)
def test_bad_files(text: str, name: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.py").write_text(text)
    assert run(["conform", f"{tmp_path / 'bad.py'}:{name}"]) == 2
    seen = capsys.readouterr()
    assert sentence in " ".join(seen.err.split()) and seen.out == "" and "Traceback" not in seen.err


def test_missing_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["conform", "missing.py:update"]) == 2
    assert "there is no file 'missing.py'" in capsys.readouterr().err
    assert run(["conform", "missing"]) == 2
    assert "names no function" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_interrupted(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import time\n"
        "def update(weights, x, target, f):\n"
        "    open('started', 'w').close()\n"
        "    try:\n"
        "        time.sleep(15)\n"
        "    except Exception:\n"
        "        pass\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-B", "-m", "pcproof", "conform", "slow.py:update"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    for _ in range(600):
        if (tmp_path / "started").exists():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and out == b""
    assert errors.decode().strip() == "pcproof: interrupted"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["slow.py", "started"]


def test_what_an_agreement_rests_on() -> None:
    """Depths that were not reached are not claimed; nor that other kinds were compared in deep networks."""
    short = conform(backprop, budget=0.0)
    assert short.as_expected and short.deepest == 5 and "depth 1 to 5" in short.text() and "depth 64" in short.text()
    assert "no time was left for: width 1, batch 1" in short.text()
    whole = answer(backprop)
    assert whole.deepest == 64 and whole.compared == whole.networks
    other = answer(inference(0.1, 20), "energy-gradient")
    assert other.compared < other.networks and "only for finite values" in other.text()


def test_modules_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pcproof.conform import load

    (tmp_path / "own_package").mkdir()
    (tmp_path / "own_package" / "__init__.py").write_text("")
    (tmp_path / "own_package" / "rules.py").write_text("def update(weights, x, target, f):\n    return 1\n")
    monkeypatch.chdir(tmp_path)
    assert load("own_package.rules:update")(None, None, None, None) == 1
    with pytest.raises(Unusable, match="No module named 'own_package.other'"):
        load("own_package.other:update")


def test_deterministic() -> None:
    first, second = conform(clamped).as_dict(), conform(clamped).as_dict()
    first.pop("seconds"), second.pop("seconds")
    assert first == second
