"""Energy conformance: somebody's energy, step, update and equilibrium against each other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pcproof.cli import run
from pcproof.conform import Unusable
from pcproof.conform.energy import EnergyConformance, conform_energy
from pcproof.conform.energy_states import linear_equilibrium, slope, state, usual

Functions = dict[str, Callable[..., Any]]


def functions(
    f: Callable[[Any], Any] = np.tanh, df: Callable[[Any], Any] = lambda v: 1 - np.tanh(v) ** 2, **other: Any
) -> Functions:
    """A right implementation; ``other`` replaces functions."""

    def errors(weights: Any, activities: Any, x: Any, target: Any) -> tuple[list[Any], list[Any]]:
        sent = [x, *map(f, activities)]
        return [v - a @ w.T for v, a, w in zip([*activities, target], sent, weights)], sent

    def energy(weights: Any, activities: Any, x: Any, target: Any) -> Any:
        return sum((e**2).sum(axis=1) for e in errors(weights, activities, x, target)[0]) / 2

    def infer_step(weights: Any, activities: Any, x: Any, target: Any, gamma: float) -> Any:
        e, _ = errors(weights, activities, x, target)
        return [v + gamma * (-e[k] + df(v) * (e[k + 1] @ weights[k + 1])) for k, v in enumerate(activities)]

    def weight_update(weights: Any, activities: Any, x: Any, target: Any) -> Any:
        e, sent = errors(weights, activities, x, target)
        return [a.T @ b for a, b in zip(e, sent)]

    def equilibrium(weights: Any, x: Any, target: Any) -> Any:
        v, h = [], x
        for k, w in enumerate(weights[:-1]):
            h = (f(h) if k else h) @ w.T
            v.append(h)
        for _ in range(1500):
            v = infer_step(weights, v, x, target, 0.1)
        return v

    out: Functions = {
        "energy": energy, "infer_step": infer_step, "weight_update": weight_update, "equilibrium": equilibrium
    }  # fmt: skip
    return {**out, **other}


RIGHT = functions()


def look(**other: Any) -> EnergyConformance:
    """The right implementation with some functions replaced; without an equilibrium, which takes long."""
    chosen = {n: v for n, v in {**RIGHT, **other}.items() if n != "equilibrium" or n in other}
    return conform_energy({n: v for n, v in chosen.items() if v is not None})


def test_right() -> None:
    found = conform_energy(RIGHT)
    assert found.as_expected and not found.findings, found.text()
    assert "f = tanh" in found.about and len(found.checked) == 5


def test_linear_closed_form() -> None:
    linear = functions(lambda v: v, lambda v: v * 0 + 1)
    found = conform_energy(linear)
    assert found.as_expected and "f = identity" in found.about, found.text()
    assert any("linear equations" in c for c in found.checked)


@pytest.mark.parametrize("names", [["infer_step"], ["weight_update"], ["infer_step", "weight_update"]])
def test_without_an_energy(names: list[str]) -> None:
    found = conform_energy({n: RIGHT[n] for n in names})
    assert found.as_expected and "f = tanh fits" in found.about, found.text()


def step_with(change: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    def infer_step(weights: Any, activities: Any, x: Any, target: Any, gamma: float) -> Any:
        return change(RIGHT["infer_step"], (weights, activities, x, target), gamma)

    return infer_step


def energy_with(change: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda *a: change(RIGHT["energy"](*a))


def update_with(change: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda *a: [change(d, len(a[2])) for d in RIGHT["weight_update"](*a)]


def sequential(weights: Any, activities: Any, x: Any, target: Any, gamma: float) -> Any:
    v = list(activities)
    for k in range(len(v)):
        v[k] = RIGHT["infer_step"](weights, v, x, target, gamma)[k]
    return v


def cancelling(weights: Any, activities: Any, x: Any, target: Any) -> Any:
    sent = [x, *map(np.tanh, activities)]
    e = [v - a @ w.T for v, a, w in zip([*activities, target], sent, weights)]
    return sum((d.sum(axis=0) ** 2).sum() for d in e) / 2 * np.ones(len(x)) / len(x)


def one_sided(weights: Any, activities: Any, x: Any, target: Any) -> Any:
    sent = [x, *map(np.tanh, activities)]
    e = [v - a @ w.T for v, a, w in zip([*activities, target], sent, weights)]
    return sum((np.maximum(d, 0) ** 2).sum(axis=1) for d in e) / 2


def in_place(weights: Any, activities: Any, x: Any, target: Any, gamma: float) -> Any:
    for v, new in zip(activities, RIGHT["infer_step"](weights, [v.copy() for v in activities], x, target, gamma)):
        v[...] = new
    return activities


def without_slope(weights: Any, activities: Any, x: Any, target: Any, gamma: float) -> Any:
    sent = [x, *map(np.tanh, activities)]
    e = [v - a @ w.T for v, a, w in zip([*activities, target], sent, weights)]
    return [v + gamma * (-e[k] + e[k + 1] @ weights[k + 1]) for k, v in enumerate(activities)]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "1/B in gamma": ({"infer_step": step_with(lambda f, a, g: f(*a, g / len(a[2])))}, "1/B is hidden in it"),
    "twice gamma": ({"infer_step": step_with(lambda f, a, g: f(*a, 2 * g))}, "a factor 2 is in it"),
    "uphill": ({"infer_step": step_with(lambda f, a, g: f(*a, -g))}, "the sign is wrong"),
    "gamma ignored": ({"infer_step": step_with(lambda f, a, g: f(*a, 0.25))}, "divided by gamma"),
    "one after the other": ({"infer_step": sequential}, "one after the other from the input on"),
    "f' left out": ({"infer_step": without_slope}, "is not -gamma dE/dx"),
    "in place": ({"infer_step": in_place}, "changes its inputs in place"),
    "mean": ({"weight_update": update_with(lambda d, n: d / n)}, "divided by the batch"),
    "a gradient": ({"weight_update": update_with(lambda d, n: -d)}, "the sign is wrong"),
    "half": ({"weight_update": update_with(lambda d, n: d / 2)}, "a factor 1/2"),
    "energy without its 1/2": ({"energy": energy_with(lambda e: 2 * e)}, "a factor 1/2"),
    "energy over the batch": ({"energy": energy_with(lambda e: e / len(e))}, "divided by the batch"),
    "one number": ({"energy": energy_with(np.sum)}, "one number comes back"),
    "errors cancel": ({"energy": cancelling}, "errors of opposite sign cancel"),
    "one sign only": ({"energy": one_sided}, "an error and its negative have energies"),
    "random": (
        {"infer_step": step_with(lambda f, a, g: [v + np.random.normal(size=v.shape) for v in f(*a, g)])},
        "two equal calls give different results",
    ),
    "not there yet": (
        {"equilibrium": lambda weights, x, target: [x @ weights[0].T * 0 + 1] + [
            np.ones((len(x), len(w))) for w in weights[1:-1]] if len(weights) > 1 else []},
        "it is none",
    ),
}  # fmt: skip


def prints(code: str, under_test: Functions, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What the script of a failing case prints: returned, expected."""
    capsys.readouterr()
    exec(code, dict(under_test))  # noqa: S102
    returned, expected = capsys.readouterr().out.split("expected:")
    assert returned.startswith("returned:")
    return returned.removeprefix("returned:").strip(), expected.strip()


@pytest.mark.parametrize("name", WRONG)
def test_wrong(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The cause is named, and the smallest case prints two different things."""
    other, cause = WRONG[name]
    found = look(**other)
    assert not found.as_expected and cause in found.text(), found.text()
    assert found.smallest is not None and found.as_dict()["smallest"]["code"] in found.text() + "\n"
    returned, expected = prints(found.smallest.code, {**RIGHT, **other}, capsys)
    assert returned != expected, found.smallest.code
    assert (
        found.smallest.state.widths == (2, 2, 1, 1)[: len(found.smallest.state.widths)]
        or max(found.smallest.state.widths) < 3
    )


def linear_with(equilibrium: Callable[[Any], Callable[..., Any]]) -> Functions:
    linear = functions(lambda v: v, lambda v: v * 0 + 1)
    return {**linear, "equilibrium": equilibrium(linear["equilibrium"])}


def buffers(name: str) -> Callable[..., Any]:
    """The same arrays come back from every call."""
    kept: dict[Any, Any] = {}

    def function(*arguments: Any) -> Any:
        found = RIGHT[name](*arguments)
        out = kept.setdefault(tuple(v.shape for v in found), [v.copy() for v in found])
        for a, b in zip(out, found):
            a[...] = b
        return out

    return function


def test_arrays_that_are_used_again() -> None:
    assert look(infer_step=buffers("infer_step"), weight_update=buffers("weight_update")).as_expected


def test_an_energy_without_its_output() -> None:
    """At depth 1 nothing is left of it; that is no influence of samples on each other."""

    def energy(weights: Any, activities: Any, x: Any, target: Any) -> Any:
        last = activities[-1] if activities else x @ weights[0].T
        return RIGHT["energy"](weights[:-1] if activities else weights, activities[:-1], x, last)

    found = look(energy=energy)
    assert not found.as_expected and "influence" not in found.text(), found.text()
    assert "is not -gamma dE/dx" in found.text() and "expected -0" not in found.text()


def test_wrong_linear_equilibrium() -> None:
    """A fixed point of another energy is not called an equilibrium."""
    found = conform_energy(linear_with(lambda right: lambda *a: [1.01 * v for v in right(*a)]))
    assert not found.as_expected and "it is none" in found.text()


def test_which_energy_is_said() -> None:
    """One number for a batch fits nothing by itself: the factor has to be the same in every network."""
    mean = functions(np.sin, np.cos)["energy"]
    assert "not the usual" in conform_energy({"energy": lambda *a: mean(*a).mean()}).about
    tanh = RIGHT["energy"]
    assert "f = tanh" in conform_energy({"energy": lambda *a: tanh(*a).mean()}).about
    assert conform_energy({"energy": lambda *a: 3 * tanh(*a)}).about.startswith("3 times 1/2 sum")


def test_nearly_the_linear_equilibrium(capsys: pytest.CaptureFixture[str]) -> None:
    """dE/dx is small there, and still it is not the solution."""
    wrong = linear_with(lambda right: lambda *a: [1.0005 * v for v in right(*a)])
    found = conform_energy(wrong)
    assert not found.as_expected and "it is off the solution of the linear equations by 0.0005" in found.text()
    assert found.smallest is not None
    returned, expected = prints(found.smallest.code, wrong, capsys)
    assert returned != expected


def test_closed_form_and_differences() -> None:
    s = state((2, 3, 2, 2), 2)
    s.hidden = linear_equilibrium(s)
    assert max(np.max(np.abs(d)) for d in slope(usual("identity", False), s, "hidden")) < 1e-9


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"energy": lambda *a: None}, "energy returned|energy raised"),
        ({"energy": lambda *a: np.zeros((7, 7))}, r"energy returned shape \(7, 7\)"),
        ({"infer_step": lambda *a: 3}, "infer_step returned int; expected a list"),
        ({"infer_step": lambda *a: [a[1][0].T] if a[1] else []}, "infer_step returned shapes"),
        ({"weight_update": lambda *a: 1 / 0}, "weight_update raised ZeroDivisionError"),
        ({"weight_update": lambda *a: [w * np.nan for w in a[0]]}, "not finite"),
        ({"equilibrium": lambda w: w}, "equilibrium raised TypeError"),
        ({"energy": lambda *a: (np.zeros(len(a[2])), 0)}, "energy returned tuple where an array was expected"),
        ({"energy": lambda *a: "3"}, "energy returned an array of <U1 where numbers were expected"),
        ({"energy": lambda *a: RIGHT["energy"](*a).astype(np.float32)}, "returned float32 where float64 went in"),
        ({"weight_update": lambda *a: [None for _ in a[0]]}, "weight_update returned None where an array"),
        ({"enrgy": lambda *a: 0}, "expected some of energy"),
    ],
)
def test_unusable(other: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Unusable, match=sentence):
        look(**other)


@pytest.mark.torch
def test_torch() -> None:
    torch = pytest.importorskip("torch")

    def energy(weights: Any, activities: Any, x: Any, target: Any) -> Any:
        sent = [x, *map(torch.tanh, activities)]
        return sum(((v - a @ w.T) ** 2).sum(1) for v, a, w in zip([*activities, target], sent, weights)) / 2

    def infer_step(weights: Any, activities: Any, x: Any, target: Any, gamma: float) -> Any:
        free = [v.clone().requires_grad_() for v in activities]
        if free:
            energy(weights, free, x, target).mean().backward()
        return [v.detach() - gamma * v.grad for v in free]

    found = conform_energy({"energy": energy, "infer_step": infer_step}, arrays="torch")
    assert not found.as_expected and "1/B is hidden in it" in found.text(), found.text()
    assert conform_energy({"energy": energy}, arrays="torch").as_expected


FILE = """
import numpy as np

def infer_step(weights, activities, x, target, gamma):
    e = [v - a @ w.T for v, a, w in zip([*activities, target], [x, *activities], weights)]
    return [v + gamma / len(x) * (e[k + 1] @ weights[k + 1] - e[k]) for k, v in enumerate(activities)]
"""


def numbers(printed: str) -> list[float]:
    return [float(v) for v in re.findall(r"-?\d+\.\d*", printed)]


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(FILE)
    assert run(["conform", str(tmp_path / "mine.py")]) == 1
    assert "1/B is hidden in it" in capsys.readouterr().out
    monkeypatch.chdir(tmp_path)
    assert run(["conform", "mine.py", "--json"]) == 1
    case = json.loads(capsys.readouterr().out)["smallest"]
    assert (case["function"], case["widths"], case["batch"]) == ("infer_step", [1, 1, 1], 2)
    returned, expected = prints(case["code"], {}, capsys)
    assert [2 * v for v in numbers(returned)] == pytest.approx(numbers(expected), rel=1e-9)
    (tmp_path / "mine.py").write_text(FILE.replace("gamma / len(x)", "gamma"))
    assert run(["conform", str(tmp_path / "mine.py"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "as expected"
    (tmp_path / "none.py").write_text("a = 1\n")
    assert run(["conform", str(tmp_path / "none.py")]) == 2
    assert "has none of energy" in capsys.readouterr().err
