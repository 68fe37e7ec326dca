"""`conform` on functions that misbehave: each answer is right and short, and its script runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pcproof.conform import Unusable, conform
from pcproof.conform.run import MOST, Conformance

ROOT = Path(__file__).resolve().parents[1]
Update = Callable[..., Any]


def backprop(weights: Any, x: Any, target: Any, f: Any) -> Any:
    h, a = [x], [x]
    for k, w in enumerate(weights):
        h.append(a[-1] @ w.T)
        a.append(f.value(h[-1]) if k + 1 < len(weights) else h[-1])
    delta, out = target - h[-1], []
    for k in reversed(range(len(weights))):
        out.insert(0, delta.T @ a[k])
        if k:
            delta = f.derivative(h[k]) * (delta @ weights[k])
    return out


def script(found: Conformance, function: Any, capsys: pytest.CaptureFixture[str]) -> str:
    """What the script of the failing case prints."""
    assert found.smallest is not None
    capsys.readouterr()
    exec(found.smallest.code, {found.name: function})  # noqa: S102
    return capsys.readouterr().out


# -- what comes back --------------------------------------------------------------------------
def buffers() -> Update:
    """The same arrays come back from every call."""
    kept: dict[Any, Any] = {}

    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        found = backprop(weights, x, target, f)
        out = kept.setdefault(tuple((w.shape, w.dtype) for w in found), [w.copy() for w in found])
        for a, b in zip(out, found):
            a[...] = b
        return out

    return update


def test_arrays_that_are_used_again() -> None:
    """An answer is looked at as it was when it came back."""
    found = conform(buffers())
    assert found.as_expected and found.kind.exact, found.text()


def halves(weights: Any, x: Any, target: Any, f: Any) -> Any:
    return [dw.astype(np.float16) for dw in backprop(weights, x, target, f)]


def test_half_precision() -> None:
    """Held to its own rounding; what overflows is one fault and not one for each network."""
    found = conform(halves)
    assert found.kind.name == "backprop" and "float64 goes in and float16 comes back" in found.text()
    assert {f.name for f in found.faults} == {"large weights"}, found.text()
    wrong = conform(lambda *a: [1.25 * dw for dw in halves(*a)][:-1] + halves(*a)[-1:])
    assert not wrong.as_expected and wrong.kind.name != "backprop", wrong.text()


def test_integers_are_noted() -> None:
    found = conform(lambda *a: [np.rint(dw.astype(float)).astype(int) for dw in backprop(*a)])
    assert not found.as_expected and "note: integers: floats go in and integers come back" in found.text()


async def waits(weights: Any, x: Any, target: Any, f: Any) -> Any:
    return backprop(weights, x, target, f)


@pytest.mark.parametrize(
    ("update", "sentence"),
    [
        (waits, "waits returned coroutine; expected a list"),
        (lambda *a: (dw for dw in backprop(*a)), "returned generator; expected a list"),
        (lambda *a: dict(enumerate(backprop(*a))), "returned dict; expected a list"),
        (lambda *a: [None, *backprop(*a)[1:]], "returned None for the change of a layer"),
        (lambda *a: [dw.astype(complex) for dw in backprop(*a)], "returned an array of complex128"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_unusable(update: Update, sentence: str) -> None:
    with pytest.raises(Unusable, match=sentence):
        conform(update)


def test_a_long_list_of_faults_is_cut() -> None:
    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        dw = backprop(weights, x, target, f)
        return [d * 1.001 for d in dw] if x.dtype.kind == "f" else dw

    found = conform(update)
    assert len(found.faults) > MOST and f"and in {len(found.faults) - MOST} more ways" in found.text()
    assert len(found.text().partition("The smallest")[0].splitlines()) < MOST + 8
    assert len(found.as_dict()["findings"]) >= len(found.faults)


# -- where it fails -----------------------------------------------------------------------------
def no_single(weights: Any, x: Any, target: Any, f: Any) -> Any:
    if len(x) == 1:
        raise ValueError("batch of one")
    return backprop(weights, x, target, f)


def test_a_function_that_fails_on_some_networks_is_still_judged() -> None:
    found = conform(no_single)
    assert found.kind.name == "backprop" and not found.as_expected
    assert "small networks: raised ValueError: batch of one (depth 1" in found.text(), found.text()
    assert found.smallest is not None and found.smallest.probe.widths == (1, 1)


# -- calls again ------------------------------------------------------------------------------
def noisy(weights: Any, x: Any, target: Any, f: Any) -> Any:
    return [dw + np.random.normal(size=dw.shape) for dw in backprop(weights, x, target, f)]


def momentum() -> Update:
    before: dict[Any, Any] = {}

    def momentum(weights: Any, x: Any, target: Any, f: Any) -> Any:
        key = tuple(w.shape for w in weights)
        dw = backprop(weights, x, target, f)
        before[key] = [d + v / 2 for d, v in zip(dw, before.get(key, dw))]
        return before[key]

    return momentum


@pytest.mark.parametrize("update", [noisy, momentum()])
def test_another_result_each_time(update: Update, capsys: pytest.CaptureFixture[str]) -> None:
    found = conform(update)
    assert "it is random (noise, dropout) or state is kept between calls" in found.text(), found.text()
    lines = script(found, update, capsys).split("again:")
    assert len(lines) == 3 and lines[0].removeprefix("first:") != lines[1]


class Memory:
    """A layer that adds what it saw last, where that was something else."""

    def __init__(self) -> None:
        self.last: Any = None

    def __call__(self, weights: Any, x: Any, target: Any, f: Any) -> Any:
        other, self.last = self.last, x.copy()
        dw = backprop(weights, x, target, f)
        return dw if other is None or other.shape != x.shape or np.all(other == x) else [2 * d for d in dw]


def test_state_of_another_call(capsys: pytest.CaptureFixture[str]) -> None:
    found = conform(Memory(), name="memory")
    assert "after a different one: state is kept" in found.text(), found.text()
    out = script(found, Memory(), capsys)
    first, after = out.partition("again:")[0], out.partition("after another call:")[2]
    assert first.removeprefix("first:").strip() != after.strip()


@pytest.mark.torch
def test_bfloat16_is_refused() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(Unusable, match="returned bfloat16, whose rounding is not known here; expected float16"):
        conform(lambda *a: [dw.to(torch.bfloat16) for dw in backprop(*a)], arrays="torch")


@pytest.mark.torch
def test_gradients_that_accumulate() -> None:
    torch = pytest.importorskip("torch")

    def update(weights: Any, x: Any, target: Any, activation: Any) -> Any:
        h = x
        for k, w in enumerate(weights):
            h = (activation(h) if k else h) @ w.requires_grad_().T
        (torch.sum((target - h) ** 2) / -2).backward()
        return [w.grad for w in weights]

    found = conform(update, arrays="torch", budget=0.0)
    text = "a second call on the same arrays gives another result, twice the first: gradients accumulate in the arrays"
    assert not found.as_expected and text in found.text(), found.text()

    def cleared(weights: Any, *more: Any) -> Any:
        for w in weights:
            w.grad = None
        return [g.clone() for g in update(weights, *more)]

    right = conform(cleared, arrays="torch")
    assert right.as_expected, right.text()
    assert "weights that are one array get the sum of their layers' changes" in right.text(), right.text()


# -- what the script shows ------------------------------------------------------------------------
def test_the_script_has_sign_scale_and_layout(capsys: pytest.CaptureFixture[str]) -> None:
    """What is announced is applied to backprop's change, so that two equal lists are printed where it is right."""
    from pcproof.conform import Probe
    from pcproof.conform.smallest import code

    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        return [-dw.T / len(x) for dw in backprop(weights, x, target, f)][::-1]

    found = conform(update)
    probe = Probe((2, 3, 2), 2, "identity")
    exec(code(found.subject, probe, "", found.kind.scale), {"update": update})  # noqa: S102
    returned, expected = capsys.readouterr().out.removeprefix("returned:").split("backprop:")
    space = {"array": np.array, "Fraction": Fraction, "object": object}
    pairs = list(zip(eval(returned, space), eval(expected, space)))  # noqa: S307
    assert [a.shape for a, _ in pairs] == [(3, 2), (2, 3)]
    for a, b in pairs:
        assert np.allclose(a, b.astype(float), rtol=1e-7)


MODULE = """
from torch import nn

def step(model, x, target):
    ((model(x) - target) ** 2).sum().div(2).backward()
    model[0].weight.grad.mul_(1.0 if len(model) == 1 else 2.0)
"""


@pytest.mark.torch
def test_the_script_of_a_module(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (tmp_path / "train.py").write_text(MODULE)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "pcproof", "conform", "train.py:step", "--module", "--json"],
        capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    again = subprocess.run(
        [sys.executable, "-c", json.loads(done.stdout)["smallest"]["code"]],
        capture_output=True, text=True, cwd=tmp_path, timeout=120, check=True, env=environment,
    )  # fmt: skip
    returned, expected = again.stdout.split("backprop:")
    assert returned.startswith("returned:") and "-4." in returned and "-2" in expected


def test_a_little_off() -> None:
    """Too little to be another kind, too much to be rounding; the digits that differ are shown."""

    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        floats = [[np.asarray(a, dtype=float) for a in part] for part in (weights, (x, target))]
        dw = backprop(floats[0], *floats[1], f)
        return [(1 + 3e-6) * d for d in dw[:-1]] + dw[-1:]

    found = conform(update)
    assert found.kind.name == "backprop" and not found.as_expected
    assert "not as expected: backprop, to about half the digits of the floats" in found.text(), found.text()
    for f in found.faults:
        if " is " in f.text and "backprop says " in f.text:
            got, should = f.text.split(", backprop says ")
            assert got.rpartition(" ")[2] != should.partition(" ")[0], f.text


def test_another_way_back() -> None:
    """Errors that travel back through other weights."""

    def update(weights: Any, x: Any, target: Any, f: Any) -> Any:
        h, a = [x], [x]
        for w in weights:
            h.append(a[-1] @ w.T)
            a.append(f.value(h[-1]))
        delta, out = target - h[-1], []
        for k in reversed(range(len(weights))):
            out.insert(0, delta.T @ a[k])
            if k:
                back = np.random.default_rng(k).integers(1, 5, weights[k].shape)
                delta = f.derivative(h[k]) * (delta @ back)
        return out

    found = conform(update)
    assert not found.as_expected and "those before it are not: the errors travel back by another way" in found.text()


# -- standard output ------------------------------------------------------------------------------
LOUD = """
import os

def update(weights, x, target, f):
    print("printed")
    os.write(1, b"written\\n")
    return [target.T @ x for w in weights[:1]] + [0 * w for w in weights[1:]]
"""


def test_standard_output_holds_the_answer_alone(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(LOUD)
    done = subprocess.run(
        [sys.executable, "-m", "pcproof", "conform", "loud.py:update", "--json"],
        capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode in (1, 2) and "written" in done.stderr and "printed" in done.stderr
    assert done.stdout == "" if done.returncode == 2 else json.loads(done.stdout)["kind"] == "none"
