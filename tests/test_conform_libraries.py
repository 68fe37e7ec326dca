"""`conform` on functions in the styles of public libraries: autograd, by hand, JAX, a module with ``.grad``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pcproof.conform import Unusable, conform
from pcproof.conform.libraries import LIBRARIES, used_by
from pcproof.testing import assert_conforms

ROOT = Path(__file__).resolve().parents[1]
SHORT = 12.0  # seconds for the weak spots; what there was no time for is said
BRIEF = 6.0  # where every shape is compiled anew


# -- PyTorch ----------------------------------------------------------------------------------
def by_autograd(weights: Any, x: Any, target: Any, activation: Any, biases: Any = None) -> Any:
    import torch

    parameters = [w.clone().requires_grad_() for w in [*weights, *(biases or [])]]
    h = x
    for k, w in enumerate(parameters[: len(weights)]):
        h = (activation(h) if k else h) @ w.T
        if biases is not None:
            h = h + parameters[len(weights) + k]
    torch.nn.functional.mse_loss(h, target).backward()
    grads = [p.grad for p in parameters]
    return grads if biases is None else (grads[: len(weights)], grads[len(weights) :])


def by_name(weights: Any, x: Any, target: Any, activation: Any) -> Any:
    """Gradients by hand, on (n_in, n_out) matrices, as a predictive-coding library with fixed predictions has them."""
    import torch

    f = {"identity": lambda v: v, "tanh": torch.tanh, "relu": torch.relu}[activation]
    df = {
        "identity": torch.ones_like, "tanh": lambda v: 1 - torch.tanh(v) ** 2, "relu": lambda v: (v > 0).to(v.dtype)
    }[activation]  # fmt: skip
    w = [m.T for m in weights]
    mu = [x]
    for k, m in enumerate(w):
        mu.append((f(mu[-1]) if k else x) @ m)
    e = [torch.zeros_like(m) for m in mu]
    e[-1] = target - mu[-1]
    for _ in range(30):
        for k in range(1, len(w)):
            e[k] = e[k] + 0.2 * (df(mu[k]) * (e[k + 1] @ w[k].T) - e[k])
    return [(f(mu[k]) if k else x).T @ e[k + 1] / len(x) for k in range(len(w))]


def training_step(model: Any, x: Any, target: Any) -> None:
    """Leaves .grad; the loss is the sum of squares, halved."""
    ((model(x) - target) ** 2).sum().div(2).backward()


def silent_step(model: Any, x: Any, target: Any) -> None:
    model(x)


@pytest.mark.torch
def test_autograd_of_torch() -> None:
    pytest.importorskip("torch")
    found = conform(by_autograd, budget=SHORT)
    assert found.as_expected, found.text()
    assert found.subject.library.name == "torch" and found.subject.takes_biases and not found.kind.exact
    assert found.kind.scale.words() == ["negate", "times batch", "times outputs", "halve"]
    strict = conform(by_autograd, returns="grad", reduction="mean", budget=SHORT)
    assert not strict.as_expected and "times outputs" in strict.strict


@pytest.mark.torch
def test_hand_gradients_of_torch() -> None:
    pytest.importorskip("torch")
    found = conform(by_name, arrays="torch", expect="fixed-prediction", budget=SHORT)
    assert found.as_expected and found.subject.form == "name", found.text()
    assert found.subject.transposed and found.kind.scale.batch
    assert found.kind.fit is not None and found.kind.fit[1] == 30 and float(found.kind.fit[0]) == pytest.approx(0.2)


@pytest.mark.torch
def test_module_with_grad() -> None:
    pytest.importorskip("torch")
    from pcproof.conform.modules import from_module

    found = conform(from_module(training_step), arrays="torch", budget=SHORT)
    assert found.as_expected and found.kind.scale.words() == ["negate"] and found.subject.takes_biases, found.text()
    with pytest.raises(Unusable, match=r"silent_step left a parameter without \.grad"):
        conform(from_module(silent_step), arrays="torch")


@pytest.mark.torch
def test_module_command(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    from pcproof.cli import run

    assert run(["conform", f"{__file__}:training_step", "--module", "--returns", "grad", "--reduction", "sum"]) == 0
    assert "as expected: backprop" in capsys.readouterr().out


# -- JAX ----------------------------------------------------------------------------------------
def in_jax(weights: Any, x: Any, target: Any, activation: Any, biases: Any = None) -> Any:
    """jax.grad of the mean over the batch."""
    import jax

    def loss(parameters: Any) -> Any:
        w, c = parameters
        h = x
        for k, m in enumerate(w):
            h = (activation(h) if k else h) @ m.T + (0 if c is None else c[k])
        return ((target - h) ** 2).sum() / (2 * len(x))

    dw, dc = jax.grad(loss)((weights, biases))
    return dw if biases is None else (dw, dc)


def inference_in_jax(weights: Any, x: Any, target: Any, activation: Any) -> Any:
    """Activities follow jax.grad of the energy, then the weights do; T = 8, gamma = 0.1."""
    import jax
    import jax.numpy as jnp

    f = activation.value

    def energy(w: Any, hidden: Any) -> Any:
        sent = [x, *map(f, hidden)]
        return sum(((v - a @ m.T) ** 2).sum() for v, a, m in zip([*hidden, target], sent, w)) / 2

    hidden, h = [], x
    for k, m in enumerate(weights[:-1]):
        h = (f(h) if k else h) @ m.T
        hidden.append(h)
    for _ in range(8):
        slope = jax.grad(energy, 1)(weights, hidden)
        hidden = jax.tree.map(lambda v, g: v - jnp.asarray(0.1, v.dtype) * g, hidden, slope)
    return [-g for g in jax.grad(energy)(weights, hidden)]


def test_jax() -> None:
    pytest.importorskip("jax", reason="needs JAX")
    found = conform(in_jax, arrays="jax", budget=SHORT)
    assert found.as_expected and found.kind.scale.words() == ["negate", "times batch"], found.text()
    assert found.subject.takes_biases
    strict = conform(in_jax, arrays="jax", returns="update", budget=0.0)
    assert not strict.as_expected and strict.not_tried


def test_compiled_jax() -> None:
    jax = pytest.importorskip("jax", reason="needs JAX")
    found = conform(jax.jit(in_jax, static_argnums=3), name="compiled", expect="backprop", budget=BRIEF)
    assert found.as_expected and found.subject.library.name == "jax", found.text()


def test_inference_in_jax() -> None:
    pytest.importorskip("jax", reason="needs JAX")
    found = conform(inference_in_jax, arrays="jax", expect="energy-gradient", budget=BRIEF)
    assert found.as_expected, found.text()
    assert found.kind.fit is not None and (float(found.kind.fit[0]), str(found.kind.fit[1])) == (0.1, "8")


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_activations_of_libraries(name: str) -> None:
    """f and f' that are handed out in every form agree with pcproof's."""
    pytest.importorskip(name, reason=f"needs {name}")
    from pcproof.networks.activations import activation

    lib = LIBRARIES[name]()
    z = np.linspace(-3, 3, 13)
    with lib.precision():
        for f in ("identity", "tanh", "sigmoid", "relu", "square", "gelu", "silu", "elu", "softplus"):
            given = lib.activation(activation(f), "object")
            for mine, theirs in ((activation(f).value, given.value), (activation(f).derivative, given.derivative)):
                assert np.allclose(lib.numpy(theirs(lib.array(z))), mine(z), rtol=1e-14, atol=1e-15), f
            assert np.allclose(lib.numpy(lib.function(f)(lib.array(z))), activation(f).value(z), rtol=1e-14), f


def half_of_the_first(weights: Any, x: Any, target: Any, activation: Any) -> Any:
    import torch

    dw = by_autograd(weights, x, target, activation)
    return [torch.where(torch.tensor(len(weights) > 1), d / 2, d) for d in dw[:1]] + dw[1:]


def twice_the_last(weights: Any, x: Any, target: Any, activation: Any) -> Any:
    import jax.numpy as jnp

    dw = in_jax(weights, x, target, activation)
    return [*dw[:-1], jnp.where(len(dw) > 1, 2, 1) * dw[-1]]


@pytest.mark.parametrize(
    ("update", "name"), [pytest.param(half_of_the_first, "torch", marks=pytest.mark.torch), (twice_the_last, "jax")]
)
def test_code_of_the_smallest_case(update: Any, name: str) -> None:
    pytest.importorskip(name, reason=f"needs {name}")
    found = conform(update, arrays=name, budget=0.0, path=f"{__file__}:{update.__name__}")
    assert not found.as_expected and found.smallest is not None and found.smallest.exhaustive, found.text()
    assert found.smallest.probe.widths == (1, 1, 1)
    done = subprocess.run(
        [sys.executable, "-c", found.smallest.code], capture_output=True, text=True, cwd=ROOT, timeout=120, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.startswith("returned:") and "backprop:" in done.stdout


# -- whose arrays ---------------------------------------------------------------------------------
def test_arrays_are_read_off_the_function() -> None:
    def with_module(name: str) -> Callable[..., Any]:
        scope: dict[str, Any] = {"__builtins__": {}, name: type(sys)(name)}
        exec(f"def update(): return {name}", scope)  # noqa: S102
        found: Callable[..., Any] = scope["update"]
        return found

    assert used_by(with_module("jax")) == "jax"
    assert used_by(with_module("torch")) == "torch"
    assert used_by(with_module("math")) == "numpy"
    assert used_by(by_autograd) == "torch" and used_by(in_jax) == "jax"  # imported inside


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pcproof.conform.libraries.find_spec", lambda name: None)
    with pytest.raises(Unusable, match=r"jax is not installed \(`pip install 'pcproof\[jax\]'`\)"):
        conform(by_name, arrays="jax")


# -- in a test suite --------------------------------------------------------------------------------
def good(weights: Any, x: Any, target: Any, f: Any) -> Any:
    h, a = [x], [x]
    for k, w in enumerate(weights):
        h.append(a[k] @ w.T)
        a.append(f.value(h[-1]))
    delta, out = target - h[-1], []
    for k in reversed(range(len(weights))):
        out.insert(0, delta.T @ a[k])
        delta = f.derivative(h[k]) * (delta @ weights[k])
    return out


def bad(weights: Any, x: Any, target: Any, f: Any) -> Any:
    return [abs(d) for d in good(weights, x, target, f)]


def test_assert_conforms() -> None:
    assert_conforms(good, to="backprop", returns="update", reduction="sum")
    with pytest.raises(AssertionError, match=r"(?s)not as.*load\('.*test_conform_libraries.py:bad'\)"):
        assert_conforms(bad, to="backprop")
    with pytest.raises(AssertionError, match="raised TypeError"):
        assert_conforms(lambda: None)
    with pytest.raises(AssertionError, match="expected one of backprop"):
        assert_conforms(good, to="backpropagation")


SUITE = """
import pytest
from test_conform_libraries import bad, good

def test_good(conforms):
    conforms(good)

@pytest.mark.conforms(to="backprop", returns="grad")
def test_sign(conforms):
    conforms(good)

def test_bad(conforms):
    conforms(bad)

@pytest.mark.conforms("equilibrium-pc")
def test_positional(conforms):
    conforms(good)

@pytest.mark.conforms("zil", to="zil")
def test_twice(conforms):
    conforms(good)

@pytest.mark.conforms(too="zil")
def test_unknown(conforms):
    conforms(good)

def test_nameless(conforms):
    conforms(lambda weights, x, target, f: [0 * w for w in weights])
"""


def test_plugin(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "pcproof.testing.plugin", "-p", "no:cacheprovider", "-q", "."],
        capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    assert "1 passed" in done.stdout and "5 failed, 1 passed" in done.stdout and "1 error" in done.stdout, (
        done.stdout + done.stderr
    )
    assert "expected: equilibrium-pc" in done.stdout
    assert "the marker `conforms` takes one positional argument, `to`" in done.stdout
    assert "assert_conforms has no option 'too'; expected to, returns" in done.stdout
    assert "update = FUNCTION  # put the function under test here" in done.stdout
    assert "asked for returns grad; it is so only after: another" in done.stdout or "only after" in done.stdout
    assert "The smallest failing case" in done.stdout and "load(" in done.stdout
