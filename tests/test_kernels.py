"""Generated kernels as a user calls them: floats, PyTorch, activations, bad input."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from test_codegen import Net, wavefront

from pcproof.kernels.activation_table import NAMES
from pcproof.kernels.generate import Kernel, kernel_source, load_kernel
from pcproof.networks.activations import ACTIVATIONS, activation
from pcproof.networks.mlp import MLP
from pcproof.rules.zil import zil

FORMS = ("literal", "wavefront", "backprop")


@cache
def kernel(form: str, backend: str = "numpy", bias: bool = False) -> Kernel:
    net = MLP(bias)
    source: Any = {
        "literal": zil(net).equations, "wavefront": wavefront(net, gamma=False), "backprop": net
    }[form]  # fmt: skip
    return load_kernel(kernel_source(source, form=form, backend=backend, net=net))


def floats(seed: int, widths: list[int], batch: int, dtype: Any = np.float64) -> tuple[Any, Any, Any, Any]:
    r = np.random.default_rng(seed)
    weights = [(r.normal(size=(m, n)) / np.sqrt(n)).astype(dtype) for n, m in zip(widths, widths[1:])]
    biases = [r.normal(size=m).astype(dtype) for m in widths[1:]]
    x, target = (r.normal(size=(batch, n)).astype(dtype) for n in (widths[0], widths[-1]))
    return weights, biases, x, target


def loss(weights: Any, biases: Any, x: Any, target: Any, f: Callable[[Any], Any]) -> float:
    h = x
    for k, (w, b) in enumerate(zip(weights, biases)):
        h = (f(h) if k else h) @ w.T + b
    return float(((target - h) ** 2).sum() / 2)


@pytest.mark.parametrize("form", FORMS)
def test_minus_gradient_of_the_loss(form: str) -> None:
    """Central differences of the loss, E = 1/2 sum (target - output)^2 over units and batch."""
    weights, biases, x, target = floats(0, [3, 4, 2, 3], 5)
    before = [a.copy() for a in (*weights, *biases, x, target)]
    dW, db = kernel(form, bias=True).update(weights, x, target, "tanh", biases)
    assert all((a == b).all() for a, b in zip(before, (*weights, *biases, x, target)))  # nothing was changed
    h = 1e-6
    for arrays, changes in ((weights, dW), (biases, db)):
        for a, d in zip(arrays, changes):
            assert d.shape == a.shape and d.dtype == a.dtype
            for at in np.ndindex(*a.shape):
                old = a[at]
                a[at] = old + h
                up = loss(weights, biases, x, target, np.tanh)
                a[at] = old - h
                down = loss(weights, biases, x, target, np.tanh)
                a[at] = old
                assert abs(d[at] + (up - down) / (2 * h)) < 1e-7


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(form: str, dtype: Any) -> None:
    weights, biases, x, target = floats(1, [3, 4, 4, 2], 4, dtype)
    for name in NAMES:
        dW, db = kernel(form, bias=True).update(weights, x, target, name, biases, input_activation=name)
        assert all(d.dtype == dtype for d in (*dW, *db)), name
        assert all(np.isfinite(d).all() for d in (*dW, *db)), name


def test_biases_left_out() -> None:
    """Without biases: the kernel for biases gives what the one without gives."""
    weights, _, x, target = floats(2, [3, 5, 2], 4)
    for form in FORMS:
        a = kernel(form, bias=True).update(weights, x, target, "tanh")
        b = kernel(form).update(weights, x, target, "tanh")
        assert isinstance(a, list) and all((p == q).all() for p, q in zip(a, b))


def test_activation_for_each_layer() -> None:
    weights, _, x, target = floats(3, [3, 4, 5, 2], 4)
    k = kernel("backprop")
    same = k.update(weights, x, target, "tanh", input_activation="sigmoid")
    listed = k.update(weights, x, target, ["tanh", "tanh"], input_activation=ACTIVATIONS["sigmoid"])
    mixed = k.update(weights, x, target, ["tanh", "relu"])
    assert all((a == b).all() for a, b in zip(same, listed))
    assert any((a != b).any() for a, b in zip(same, mixed))
    given = k.update(weights, x, target, activation("logistic"))
    named = k.update(weights, x, target, "sigmoid")
    assert all(np.allclose(a, b, rtol=1e-12, atol=0) for a, b in zip(given, named))


# -- the named activations of a file ------------------------------------------------------------
POINTS = np.array([-700.0, -40.0, -20.0, -3.0, -1.0, -1e-3, 0.0, 1e-3, 0.5, 1.0, 3.0, 20.0, 40.0, 700.0])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", NAMES)
def test_named_activations(name: str) -> None:
    """f and f' of the file are those of ``networks.activations``, and neither overflows."""
    table = kernel("backprop").module.ACTIVATIONS
    value, derivative = table[name]
    a = ACTIVATIONS[name]
    assert np.allclose(value(POINTS), a.value(POINTS), rtol=1e-14, atol=1e-300)
    for given in (derivative(POINTS), derivative(POINTS, value(POINTS))):
        assert np.allclose(given, a.derivative(POINTS), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_named_activations_against_sympy(name: str) -> None:
    """Against SymPy's own value and derivative, at 30 digits."""
    import sympy as sp

    value, derivative = kernel("backprop").module.ACTIVATIONS[name]
    z = sp.Symbol("z", real=True)
    a = ACTIVATIONS[name]
    points = np.array([-3.0, -0.75, -0.125, 0.0, 0.25, 1.5, 4.0])
    for code, e in ((value, a.sympy(z)), (derivative, a.sympy_derivative(z))):
        want = [float(sp.N(e.subs(z, sp.Rational(p)), 30)) for p in points]
        assert np.allclose(code(points), want, rtol=1e-12, atol=1e-15)


def test_exact_activations() -> None:
    """The named activations that stay within the rationals do so in the file."""
    k = kernel("backprop")
    net = Net(4, 4, 3, 2)
    for name in NAMES:
        if ACTIVATIONS[name].exact:
            named = k.update(net.weights, net.x, net.target, name)
            given = k.update(net.weights, net.x, net.target, ACTIVATIONS[name])
            assert all((a == b).all() for a, b in zip(named, given)), name
            assert all(isinstance(v, (int, Fraction)) for d in named for v in d.flat), name
        else:
            with pytest.raises(ValueError, match=f"{name} has no exact values on Fraction"):
                k.update(net.weights, net.x, net.target, name)


def test_integers_stay_exact() -> None:
    """Object arrays of plain integers: fractions of the rule do not become floats."""
    k = load_kernel(kernel_source(zil(MLP(), gamma="1/3").equations, form="literal"))
    weights = [np.array([[1, 2], [0, -1]], dtype=object), np.array([[3, 1]], dtype=object)]
    x, target = np.array([[1, -2]]), np.array([[5]])  # one exact array makes all exact
    out = k.update(weights, x, target, "leaky_relu")
    assert all(isinstance(v, (int, Fraction)) for d in out for v in d.flat)


# -- rounding -----------------------------------------------------------------------------------
def test_the_wave_keeps_precision_where_the_simulation_loses_it() -> None:
    """x - mu cancels where gradients vanish with depth; the carried error does not (float32, depth 32)."""
    r = np.random.default_rng(5)
    weights = [(r.uniform(-1, 1, size=(32, 32)) / np.sqrt(32)) for _ in range(32)]
    x, target = r.normal(size=(8, 32)), r.normal(size=(8, 32))
    exact = kernel("backprop").update(weights, x, target, "tanh")
    single = [a.astype(np.float32) for a in weights], x.astype(np.float32), target.astype(np.float32)

    def worst(form: str) -> float:
        out = kernel(form).update(*single, "tanh")
        return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(out, exact))

    assert worst("wavefront") < 1e-5 < 1e-2 < worst("literal")


# -- PyTorch --------------------------------------------------------------------------------------
def autograd(weights: Any, biases: Any, x: Any, target: Any, f: Callable[[Any], Any]) -> list[Any]:
    leaves = [a.clone().requires_grad_() for a in (*weights, *(biases or []))]
    h = x
    for k in range(len(weights)):
        h = (f(h) if k else h) @ leaves[k].T
        if biases is not None:
            h = h + leaves[len(weights) + k]
    (0.5 * ((target - h) ** 2).sum()).backward()
    return [-a.grad for a in leaves]


@pytest.mark.torch
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_torch_against_autograd(form: str, bias: bool) -> None:
    torch = pytest.importorskip("torch")
    functions = {
        "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu, "identity": lambda v: v,
        "leaky_relu": torch.nn.functional.leaky_relu, "elu": torch.nn.functional.elu, "silu": torch.nn.functional.silu,
        "softplus": torch.nn.functional.softplus, "gelu": torch.nn.functional.gelu, "square": lambda v: v * v,
    }  # fmt: skip
    for seed, (name, f) in enumerate(functions.items()):
        for dtype, bound in ((torch.float64, 1e-9), (torch.float32, 1e-3)):
            weights, biases, x, target = floats(seed, [5, 7, 6, 3, 4], 6)
            ws, bs = ([torch.tensor(a, dtype=dtype) for a in given] for given in (weights, biases))
            data = torch.tensor(x, dtype=dtype), torch.tensor(target, dtype=dtype)
            ws[0].requires_grad_()
            out = kernel(form, "torch", bias).update(ws, *data, name, bs if bias else None)
            got = [*out[0], *out[1]] if bias else out
            for a, b in zip(got, autograd([w.detach() for w in ws], bs if bias else None, *data, f)):
                assert a.dtype == dtype and a.shape == b.shape and not a.requires_grad
                assert float((a - b).abs().max()) <= bound * (1 + float(b.abs().max())), name


@pytest.mark.torch
def test_torch_equals_numpy() -> None:
    torch = pytest.importorskip("torch")
    weights, biases, x, target = floats(7, [3, 4, 5, 2], 4)
    for form in FORMS:
        want = kernel(form, bias=True).update(weights, x, target, "gelu", biases)
        got = kernel(form, "torch", True).update(
            [torch.tensor(a) for a in weights], torch.tensor(x), torch.tensor(target), "gelu",
            [torch.tensor(a) for a in biases],
        )  # fmt: skip
        for a, b in zip((*want[0], *want[1]), (*got[0], *got[1])):
            assert np.allclose(a, b.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.torch
def test_torch_refuses_other_things() -> None:
    torch = pytest.importorskip("torch")
    k = kernel("backprop", "torch")
    w, x, s = torch.ones(2, 3), torch.ones(4, 3), torch.ones(4, 2)
    for args, message in (
        (([w.numpy()], x, s), "weights[0]: expected a tensor, got ndarray"),
        (([w.double()], x, s), "weights[0]: expected torch.float32 on cpu like x, got torch.float64 on cpu"),
        (([w], x, s.double()), "target: expected torch.float32"),
        (([torch.ones(2, 4)], x, s), "weights[0]: expected the shape (n_out, 3)"),
    ):
        with pytest.raises(ValueError) as caught:
            k.update(*args, "tanh")
        assert str(caught.value).startswith(message)


# -- bad input ------------------------------------------------------------------------------------
W, X, S = np.ones((2, 3)), np.ones((4, 3)), np.ones((4, 2))


@pytest.mark.parametrize(
    ("args", "options", "message"),
    [
        (([], X, S, "tanh"), {}, "weights: expected at least one matrix, got none"),
        ((W, X, S, "tanh"), {}, "weights: expected a list that runs from input to output, got ndarray"),
        (([np.ones(3)], X, S, "tanh"), {}, "weights[0]: expected the shape (n_out, 3) with n_out > 0, got (3,)"),
        (([np.ones((0, 3))], X, S, "tanh"), {}, "weights[0]: expected the shape (n_out, 3) with n_out > 0, got (0,"),
        (([W, W], X, S, "tanh"), {}, "weights[1]: expected the shape (n_out, 2) with n_out > 0, got (2, 3)"),
        (([W], np.ones(3), S, "tanh"), {}, "x: expected the shape (batch, n_in), got (3,)"),
        (([W], np.ones((4, 0)), S, "tanh"), {}, "x: expected the shape (batch, n_in), got (4, 0)"),
        (([W], X, np.ones((4, 3)), "tanh"), {}, "target: expected the shape (4, 2), got (4, 3)"),
        (([W, np.ones((2, 2))], X, S, "tan"), {}, "activation: unknown name 'tan', expected one of identity"),
        (([W, np.ones((2, 2))], X, S, np.tanh), {}, "activation: expected a name or an object with value"),
        (([W], X, S, ["tanh"]), {}, "activation: expected one, or one for each of 0 hidden layers, got 1"),
        (([W], X, S, "tanh", [np.ones(3)]), {}, "biases[0]: expected the shape (2,), got (3,)"),
        (([W], X, S, "tanh", []), {}, "biases: expected 1, one for each matrix, got 0"),
        (([W], X, S, "tanh"), {"input_activation": 3}, "input_activation: expected a name or an object"),
        (([[[1, 2], [3]]], X, S, "tanh"), {}, "weights[0]: expected an array, got rows of unequal length"),
    ],
)
def test_errors_name_the_argument(args: Any, options: Any, message: str) -> None:
    for form in FORMS:
        with pytest.raises(ValueError) as caught:
            kernel(form, bias=True).update(*args, **options)
        assert str(caught.value).startswith(message)


def test_errors_of_parameters() -> None:
    with pytest.raises(ValueError, match="biases: expected None"):
        kernel("backprop").update([W], X, S, "tanh", [np.ones(2)])
    k = load_kernel(kernel_source(zil(MLP(), gamma=None).equations, form="literal"))
    with pytest.raises(TypeError, match="gamma"):
        k.update([W], X, S, "tanh")
    with pytest.raises(ValueError, match="gamma: expected a number, got 'one'"):
        k.update([W], X, S, "tanh", gamma="one")


@pytest.mark.torch
def test_functions_of_torch_are_understood_when_called_on_the_kernel() -> None:
    torch = pytest.importorskip("torch")
    weights, _, x, target = floats(8, [3, 4, 4, 2], 4)
    k = kernel("wavefront", "torch")
    data = [torch.tensor(a) for a in weights], torch.tensor(x), torch.tensor(target)
    same = ((torch.tanh, "tanh"), (torch.nn.ReLU(), "relu"), ("logistic", "sigmoid"), (["tanh"] * 2, "tanh"))
    for thing, name in same:
        assert all(bool((a == b).all()) for a, b in zip(k(*data, thing), k.update(*data, name)))
    slope = k(*data, torch.nn.LeakyReLU(0.2))
    for a, b in zip(slope, autograd(*(data[0], None, *data[1:]), torch.nn.LeakyReLU(0.2))):
        assert float((a - b).abs().max()) < 1e-12
    assert repr(k).startswith("<kernel update_unproved: NOT PROVED")


def test_small_integers_become_floats_and_do_not_overflow() -> None:
    update = kernel("wavefront").update
    weights = [np.full((1, 1), 100, dtype=np.int8)] * 2
    (first, second) = update(weights, np.full((1, 1), 2, dtype=np.int8), np.zeros((1, 1)), "identity")
    assert first.dtype == np.float64 and first[0, 0] == -100.0 * 20000 * 2 and second[0, 0] == -20000.0 * 200
    with pytest.raises(ValueError, match="x: expected real numbers"):
        update(weights, np.array([["a"]]), np.zeros((1, 1)), "identity")
