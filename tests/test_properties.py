"""The shipped property tests, as ``pcproof test`` runs them, and tests of the tests."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest

from pcproof.catalogue import entries
from pcproof.testing import cases as c
from pcproof.testing import runner
from pcproof.testing.broken import BROKEN
from pcproof.testing.cases import Case
from pcproof.testing.junit import junit_xml
from pcproof.testing.properties import Measure, Mismatch, _within, negative_properties, properties_of
from pcproof.testing.reference import autograd, backprop
from pcproof.testing.rounding import CURVATURE, Bounds, bounds, unit_roundoff
from pcproof.testing.subjects import Subject, subject_of

EXAMPLES = 200
RULES = [e.id for e in entries().values() if e.kernels]
NAMES = [
    "exact, fractions",
    "exact, modulo a prime",
    "float64, NumPy kernels",
    "float64, PyTorch kernels",
    "float32, NumPy kernels",
    "float32, PyTorch kernels",
    "float32, against float64",
]


@cache
def subject(rule: str) -> Subject:
    return subject_of(entries()[rule])


def a_case(seed: int, special: str = c.PLAIN) -> Case:
    r = random.Random(seed)
    depth = r.randint(1, 24)
    return Case(
        widths=tuple(r.randint(1, 8) for _ in range(depth + 1)),
        batch=r.randint(1, 4),
        activation=r.choice(c.FLOAT_ACTIVATIONS),
        input_activation="identity",
        bias=True,
        scale=r.choice((1.0, 2.0)),
        special=special,
        parameter=c.PARAMETERS[0],
        seed=seed,
    )


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.torch) if "kernels" in n else n for n in NAMES])
@pytest.mark.parametrize("rule", RULES)
def test_kernels_equal_backprop(rule: str, name: str) -> None:
    (found,) = [p for p in properties_of(subject(rule)) if p.name == name]
    outcome, seen = runner.check(found, rule, EXAMPLES, seed=0)
    if outcome.status == runner.NOT_CHECKED:
        pytest.skip(outcome.text)
    assert outcome.status == runner.PASSED, outcome.text
    assert len(seen) >= EXAMPLES
    print(outcome.text, runner.distribution(seen), sep="\n")
    assert max(case.depth for case in seen) >= 20, "deep networks have to be among the cases"


@pytest.mark.parametrize("name", BROKEN)
def test_broken_rules_differ(name: str) -> None:
    (found,) = [p for p in negative_properties(bias=True) if p.name == f"broken: {name}"]
    outcome, seen = runner.check(found, "zil", EXAMPLES, seed=0)
    assert outcome.status == runner.PASSED, outcome.text
    assert len(seen) >= EXAMPLES
    assert outcome.smallest_difference is not None and outcome.smallest_difference > 1e-3
    print(outcome.text)


def test_every_row_is_tested_here() -> None:
    assert [p.name for p in properties_of(subject(RULES[0]))] == NAMES


# -- the tests tested -------------------------------------------------------------------
@pytest.mark.torch
@pytest.mark.parametrize("seed", range(12))
def test_references_agree(seed: int) -> None:
    """Loops and autograd are two programs for the same thing."""
    case = a_case(seed)
    data = c.float_data(case, np.float64)
    loops, _ = backprop(data)
    reference, _ = autograd(case, data)
    allowed = bounds(case, data, np.float64)
    for k, (a, b) in enumerate(zip(loops, reference)):
        assert np.all(np.abs(a.astype(float) - b) <= 2 * allowed.weights[k])


@pytest.mark.parametrize("name", CURVATURE)
def test_curvatures(name: str) -> None:
    """The constants sup |f''| against the activations themselves."""
    from pcproof.networks.activations import activation

    z = np.linspace(-12, 12, 48001)
    z = z[np.abs(z) > 1e-3]  # kinks are treated apart
    slope = activation(name).derivative(z)
    steepest = np.abs(np.diff(slope) / np.diff(z))[np.diff(z) < 1e-3].max()
    assert steepest <= CURVATURE[name] + 1e-6
    assert steepest >= 0.98 * CURVATURE[name]


@pytest.mark.parametrize("seed", range(40))
def test_bound_holds_for_float32(seed: int) -> None:
    """float32 loops against float64 loops: the error stays below the bound, and the bound is not hollow."""
    case = a_case(seed)
    narrow = c.float_data(case, np.float32)
    wide = c.float_data(case, np.float64)
    assert all(np.array_equal(a, b) for a, b in zip(narrow.weights, wide.weights))
    allowed = bounds(case, wide, np.float32)
    coarse, fine = backprop(narrow)[0], backprop(wide)[0]
    for k in range(case.depth):
        assert np.all(np.abs(coarse[k].astype(float) - fine[k].astype(float)) <= allowed.weights[k] * 1.001)


def test_bound_is_not_hollow() -> None:
    """Over many plain cases the bound is usually far below the gradient."""
    share = []
    for seed in range(60):
        case = a_case(seed)
        data = c.float_data(case, np.float64)
        changes = backprop(data)[0]
        allowed = bounds(case, data, np.float64)
        share += [float(np.max(e)) < 1e-6 * float(np.max(np.abs(g))) for e, g in zip(allowed.weights, changes)]
    assert np.mean(share) > 0.8


def test_literal_bound_grows_as_the_error_vanishes() -> None:
    """u |mu| / |delta|: halving the target's distance doubles the relative bound of the literal form."""
    case = Case((2, 2, 2, 2), 1, "tanh", "identity", True, 1.0, c.PLAIN, c.PARAMETERS[2], 3)
    data = c.float_data(case, np.float64)
    output = data.x
    for k, w in enumerate(data.weights):
        output = data.functions[k].value(output) @ w.T + data.biases[k]  # type: ignore[index]
    relative = []
    for distance in (1e-6, 1e-9):
        data.target = output + distance
        gradient = np.max(np.abs(backprop(data)[0][0].astype(float)))
        relative.append(np.max(bounds(case, data, np.float64, literal=True).weights[0]) / gradient)
    assert 900 < relative[1] / relative[0] < 1100


def _off(update: Callable[..., Any], only: Any = None) -> Callable[..., Any]:
    """The update with its first layer off by one part in a hundred, in one precision or in all."""

    def changed(weights: list[Any], x: Any, target: Any, activation: Any, biases: Any, **options: Any) -> Any:
        out = update(weights, x, target, activation, biases, **options)
        if only is not None and weights[0].dtype != only:
            return out
        kind = weights[0].dtype.type if weights[0].dtype != object else Fraction
        factor = kind(Fraction(101, 100)) if kind is Fraction else kind(1.01)
        if biases is None:
            return [out[0] * factor, *out[1:]]
        return [out[0][0] * factor, *out[0][1:]], out[1]

    return changed


@pytest.mark.parametrize("name", ["exact, fractions", "exact, modulo a prime", "float32, against float64"])
def test_a_wrong_kernel_is_noticed(name: str) -> None:
    """Seen to fail: one layer off by a factor of 2 (exact), or in one precision only."""
    good = subject("zil_bias")
    wrong = Subject(good.id, good.verdict, True, dict(good.updates), {}, (), True)
    update = good.updates["numpy", "wavefront"]
    wrong.updates["numpy", "wavefront"] = _off(update, np.float32 if name.startswith("float") else None)
    (found,) = [p for p in properties_of(wrong) if p.name == name]
    outcome, _ = runner.check(found, "wrong", EXAMPLES, seed=0)
    assert outcome.status == runner.FAILED
    assert "widths" in outcome.text and "seed" in outcome.text


def test_a_crash_is_a_failure_with_its_case() -> None:
    def crash(*arguments: Any, **options: Any) -> Any:
        raise ZeroDivisionError("ouch")

    wrong = Subject("zil", "proved", False, {("numpy", "wavefront"): crash}, {}, (), True)
    outcome, _ = runner.check(properties_of(wrong)[0], "wrong", 5, seed=0)
    assert outcome.status == runner.FAILED
    assert outcome.text.startswith("ZeroDivisionError: ouch; widths 1-1 ")


def test_nan_is_not_within_any_bound() -> None:
    case = a_case(0)
    nan = [np.full((2, 2), np.nan)]
    with pytest.raises(Mismatch):
        _within(case, "x", (nan, []), ([np.zeros((2, 2))], []), Bounds([np.ones((2, 2))], []))


def test_equal_seeds_give_equal_runs() -> None:
    found = properties_of(subject("zil"))[0]
    one, two, three = (runner.check(found, "zil", 20, seed)[1] for seed in (5, 5, 6))
    assert one == two != three


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(runner, "torch_is_there", lambda: False)
    yield


def test_without_torch_nothing_is_green(without_torch: None) -> None:
    found = [p for p in properties_of(subject("zil")) if p.needs_torch]
    outcomes = [runner.check(p, "zil", 5, 0)[0] for p in found]
    assert found and all(o.status == runner.NOT_CHECKED for o in outcomes)
    assert any(o.text.startswith("PyTorch kernels: not checked on this machine") for o in outcomes)
    assert not runner.Summary(0, outcomes).ok
    suite = ElementTree.fromstring(junit_xml(runner.Summary(0, outcomes)).split("\n", 1)[1])
    assert suite.get("skipped") == str(len(outcomes)) and suite.get("failures") == "0"


def test_junit_of_a_failure() -> None:
    outcome = runner.Outcome("r", "n", "says", runner.FAILED, 3, 0.5, "a < b")
    suite = ElementTree.fromstring(junit_xml(runner.Summary(0, [outcome])).split("\n", 1)[1])
    assert suite.get("failures") == "1"
    failure = suite.find("testcase/failure")
    assert failure is not None and failure.get("message") == "a < b"


def test_unit_roundoffs() -> None:
    assert unit_roundoff(np.float64) == 2.0**-53 and unit_roundoff(np.float32) == 2.0**-24
    assert Measure().ratio == 0.0


def test_an_interrupt_that_python_swallows_is_raised_again() -> None:
    """As in a garbage-collection callback, where an exception is printed and forgotten."""
    import contextlib
    import signal

    from pcproof.testing.interrupt import remembered

    with pytest.raises(KeyboardInterrupt), remembered() as check:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        check()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
