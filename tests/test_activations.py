"""Activations: derived, stable, exact where they can be, on every kind of number."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
import sympy as sp

from pcproof.language.evaluate import Mod
from pcproof.networks.activations import (
    ACTIVATIONS,
    ALIASES,
    Activation,
    TableActivation,
    activation,
    elu,
    leaky_relu,
    polynomial,
)

EXACT = ["identity", "square", "relu", "leaky_relu"]
KINKS = {"relu": 0, "leaky_relu": Fraction(1, 100)}
POINTS = [-1000.0, -40.0, -7.5, -1.0, -1e-3, -1e-9, 0.0, 1e-9, 1e-3, 0.5, 1.0, 7.5, 40.0, 1000.0]
EXTRA = [elu(0.5), leaky_relu(0.2), polynomial([1, 0, Fraction(1, 3), -2])]
ALL = [*ACTIVATIONS.values(), *EXTRA]
by_name = pytest.mark.parametrize("f", ALL, ids=lambda f: f.name)


def precise(f: Activation, order: int, x: float) -> float:
    """The SymPy expression at 400 digits (log(1 + exp(-700)) needs 305)."""
    z = sp.Rational(*x.as_integer_ratio())
    value = (f.sympy if order == 0 else f.sympy_derivative)(z)
    return float(sp.N(value, 400, maxn=3000)) if not value.is_Rational else float(value)


@by_name
def test_the_derivative_is_sympys(f: Activation) -> None:
    z = sp.Symbol("z", real=True)
    assert f.sympy_derivative(z) == f.sympy(z).diff(z)


@by_name
@pytest.mark.parametrize("order", [0, 1])
def test_numbers_agree_with_the_expression(f: Activation, order: int) -> None:
    apply = f.value if order == 0 else f.derivative
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        array = apply(np.array(POINTS))
    for x, got in zip(POINTS, array):
        want = precise(f, order, x)
        # 1 - tanh(x)**2 keeps absolute precision only, the rest is right to a few units in the last place
        assert math.isclose(got, want, rel_tol=2e-15, abs_tol=5e-16), (x, got, want)
        assert apply(x) == got or math.isclose(apply(x), got, rel_tol=1e-15)
        assert type(apply(x)) is float


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "silu", "elu"])
@pytest.mark.parametrize("order", [0, 1])
def test_stable_forms_keep_relative_precision(name: str, order: int) -> None:
    f = ACTIVATIONS[name]
    for x in (-700.0, -300.0, -37.0, -1e-7, 1e-7, 37.0, 300.0):
        got, want = (f.value if order == 0 else f.derivative)(x), precise(f, order, x)
        assert math.isclose(got, want, rel_tol=4e-16 * 4), (x, got, want)


@by_name
def test_dtypes_and_shapes_are_kept(f: Activation) -> None:
    for dtype in (np.float32, np.float64):
        for shape in ((), (0,), (3,), (2, 1, 4)):
            x = np.full(shape, -0.75, dtype)
            for got in (f.value(x), f.derivative(x)):
                assert isinstance(got, np.ndarray)
                assert got.dtype == dtype and got.shape == shape
        for got in (f.value(dtype(0.5)), f.derivative(dtype(0.5))):
            assert type(got) is dtype
    assert f.value(np.array([1, 2])).dtype == np.float64
    assert np.array_equal(f.value(np.array([1, 2])), f.value(np.array([1.0, 2.0])))


@by_name
def test_no_warning_far_out(f: Activation) -> None:
    for dtype in (np.float32, np.float64):
        x = np.array([-1000, -100, 0, 100, 1000], dtype)
        with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
            warnings.simplefilter("error")
            assert np.isfinite(f.value(x)).all()
            assert np.isfinite(f.derivative(x)).all()


def test_kinks_are_chosen() -> None:
    for name, slope in KINKS.items():
        f = ACTIVATIONS[name]
        assert f.derivative(Fraction(0)) == slope
        assert f.derivative(0.0) == float(slope)
        assert f.derivative(-0.0) == float(slope)
        assert f.derivative(Fraction(1, 10**9)) == 1
    assert elu(0.5).derivative(0.0) == 0.5
    assert leaky_relu(0.2).derivative(Fraction(0)) == Fraction(1, 5)
    assert math.isnan(ACTIVATIONS["relu"].value(math.nan))


@pytest.mark.parametrize("name", EXACT)
def test_fractions(name: str) -> None:
    f = ACTIVATIONS[name]
    assert f.exact
    x = np.array([Fraction(-3, 7), Fraction(0), Fraction(5, 2)], dtype=object)
    for got, order in ((f.value(x), 0), (f.derivative(x), 1)):
        assert got.dtype == object
        for a, b in zip(x, got):
            expression = f.sympy if order == 0 else f.sympy_derivative
            assert isinstance(b, Fraction)
            assert sp.Rational(b.numerator, b.denominator) == expression(sp.Rational(a.numerator, a.denominator))
    assert f.value(3) == f.value(Fraction(3))


def test_integers_modulo_a_prime() -> None:
    p = 101
    x = np.array([Mod(3, p), Mod(100, p)], dtype=object)
    cubic = polynomial([1, Fraction(1, 2), 0, 2])
    assert list(cubic.value(x)) == [Mod(1 + Fraction(v, 2) + 2 * v**3, p) for v in (3, 100)]
    assert list(cubic.derivative(x)) == [Mod(Fraction(1, 2) + 6 * v**2, p) for v in (3, 100)]
    assert list(ACTIVATIONS["square"].value(x)) == [Mod(9, p), Mod(1, p)]
    one = ACTIVATIONS["identity"].derivative(x)
    assert all(isinstance(v, Mod) and v == 1 for v in one)
    assert polynomial([4]).value(Mod(3, p)) == 4
    for name in ("relu", "leaky_relu"):
        with pytest.raises(ValueError, match="ordered field; Mod"):
            ACTIVATIONS[name].value(x)


def test_no_exact_value_is_said_so() -> None:
    for name in ("tanh", "sigmoid", "gelu", "elu"):
        with pytest.raises(ValueError, match=f"'{name}' has no exact value on Fraction"):
            ACTIVATIONS[name].value(np.array([Fraction(1, 2)], dtype=object))
    assert ACTIVATIONS["tanh"].value(1) == math.tanh(1)


def test_sympy_arguments() -> None:
    x = sp.Symbol("x")
    assert ACTIVATIONS["tanh"].value(x) == sp.tanh(x)
    assert ACTIVATIONS["square"].derivative(x) == 2 * x
    assert polynomial([0, 1, 3]).sympy(x) == x + 3 * x**2


@pytest.mark.parametrize("x", [0.3, -2.0, np.float32(1.5), Fraction(3, 7), 5, Mod(17), np.float64(2)])
def test_tables(x: Any) -> None:
    f, g = TableActivation(1), TableActivation(2)
    assert type(f.value(x)) is (Fraction if type(x) is int else type(x))
    assert f.value(x) == f.value(x) == TableActivation(1).value(x)
    assert f.value(x) != 0
    assert f.value(x) != f.derivative(x) or f.value(x) != g.value(x)
    array = np.array([x, x], dtype=object)
    assert list(f.value(array)) == [f.value(x)] * 2


def test_tables_on_arrays() -> None:
    f = TableActivation(3)
    x = np.array([[0.5, 1.5], [0.5, -2.0]], dtype=np.float32)
    assert f.value(x).dtype == np.float32
    assert f.value(x)[0, 0] == f.value(x)[1, 0] == float(f.value(Fraction(1, 2)))
    assert f.value(5) == f.value(Fraction(5)) == f.value(np.int64(5))
    many = [f.value(Fraction(k, 3)) for k in range(200)]
    assert len(set(many)) > 20
    with pytest.raises(ValueError, match="no entry for str"):
        f.value("x")


# -- recognition -------------------------------------------------------------------
def test_names() -> None:
    assert activation("logistic") is activation("sigmoid") is ACTIVATIONS["sigmoid"]
    assert activation("ReLU") is ACTIVATIONS["relu"]
    assert all(target in ACTIVATIONS for target in ALIASES.values())
    assert activation(ACTIVATIONS["tanh"]) is ACTIVATIONS["tanh"]
    with pytest.raises(ValueError, match="unknown activation 'tahn'; expected one of identity"):
        activation("tahn")


def test_objects() -> None:
    class Cube:
        name = "cube"

        def value(self, x: Any) -> Any:
            return x * x * x

        def derivative(self, x: Any) -> Any:
            return 3 * x * x

    f = activation(Cube())
    assert (f.name, f.value(2), f.derivative(2)) == ("cube", 8, 12)
    with pytest.raises(ValueError, match="has no derivative") as caught:
        activation(lambda x: x)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="has no derivative"):
        activation(type("Half", (), {"value": lambda self, x: x})())
    assert activation(np.tanh) is activation(math.tanh) is ACTIVATIONS["tanh"]
    with pytest.raises(ValueError, match="sin"):
        activation(np.sin)


def library_function(name: str, module: str, **settings: Any) -> Any:
    def function(x: Any) -> Any:
        return x

    function.__name__, function.__module__ = name, module
    for k, v in settings.items():
        setattr(function, k, v)
    return function


def test_functions_of_libraries_that_are_not_installed() -> None:
    assert activation(library_function("gelu", "jax._src.nn.functions")) is ACTIVATIONS["gelu_tanh"]  # JAX's default
    rough = partial(library_function("gelu", "jax._src.nn.functions"), approximate=False)
    assert activation(rough) is ACTIVATIONS["gelu"]
    assert activation(library_function("gelu", "torch._C._nn")) is ACTIVATIONS["gelu"]
    assert activation(library_function("swish", "jax.nn")) is ACTIVATIONS["silu"]
    layer = type("LeakyReLU", (), {"__module__": "torch.nn.modules.activation", "__call__": lambda s, x: x})()
    layer.negative_slope = 0.25
    assert activation(layer).value(Fraction(-1)) == Fraction(-1, 4)
    with pytest.raises(ValueError, match="has no derivative"):
        activation(library_function("softplus", "torch.nn.functional", beta=2.0))
    with pytest.raises(ValueError, match="has no derivative"):
        activation(library_function("tanh", "somebody.else"))


def test_sympy_and_torch_are_not_imported_early() -> None:
    code = (
        "import sys, pcproof.networks.activations as a, numpy as np;"
        "a.activation('sigmoid').value(np.zeros(2)); a.TableActivation().value(1.0);"
        "assert 'torch' not in sys.modules;"
        "print('sympy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"


# -- torch, where it is installed ---------------------------------------------------
TORCH = {
    "identity": lambda t: t.nn.Identity(),
    "tanh": lambda t: t.tanh,
    "sigmoid": lambda t: t.sigmoid,
    "relu": lambda t: t.nn.ReLU(),
    "leaky_relu": lambda t: t.nn.LeakyReLU(),
    "elu": lambda t: t.nn.ELU(),
    "softplus": lambda t: t.nn.Softplus(),
    "gelu": lambda t: t.nn.GELU(),
    "gelu_tanh": lambda t: t.nn.GELU(approximate="tanh"),
    "silu": lambda t: t.nn.functional.silu,
    "square": lambda t: t.square,
}


@pytest.mark.torch
@pytest.mark.parametrize("name", list(TORCH))
def test_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    theirs = TORCH[name](torch)
    f = activation(theirs)
    assert f.name == name
    for dtype, tolerance in ((torch.float32, 2e-6), (torch.float64, 3e-9)):
        x = torch.tensor([-1000.0, -6.0, -0.5, 0.0, 0.5, 6.0, 1000.0], dtype=dtype, requires_grad=True)
        y = theirs(x)
        (slope,) = torch.autograd.grad(y.sum(), x)
        for got, want in ((f.value(x), y), (f.derivative(x), slope)):
            assert got.dtype == dtype and got.shape == x.shape
            assert torch.allclose(got, want, rtol=tolerance, atol=tolerance), (got, want)
        assert f.value(x[:0]).shape == (0,)
    assert activation(torch.nn.functional.relu) is ACTIVATIONS["relu"]
    assert activation(torch.nn.ReLU) is ACTIVATIONS["relu"]


@pytest.mark.torch
@by_name
def test_autograd_of_torch_through_the_value(f: Activation) -> None:
    """At 0 too, where |x| in a stable form has a kink and f has none."""
    torch = pytest.importorskip("torch")
    x = torch.tensor([-6.0, -0.5, 0.0, 0.5, 6.0], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(f.value(x).sum(), x)
    assert torch.allclose(slope, f.derivative(x), rtol=1e-14, atol=1e-14), (slope, f.derivative(x))


# -- JAX, where it is installed -------------------------------------------------------
@by_name
def test_jax(f: Activation) -> None:
    """f and f' on arrays, under jit, and f differentiated by JAX."""
    jax = pytest.importorskip("jax", reason="needs JAX")
    from pcproof.conform.libraries import Jax

    points = np.array([-1000.0, -6.0, -0.5, 0.0, 0.5, 6.0, 1000.0])
    with Jax().precision():
        for dtype, tolerance in ((np.float32, 2e-6), (np.float64, 1e-14)):
            x = jax.numpy.asarray(points.astype(dtype))
            slope = jax.grad(lambda v: f.value(v).sum())(x)
            compiled = jax.jit(f.value)(x)
            values = (
                (f.value(x), f.value),
                (compiled, f.value),
                (f.derivative(x), f.derivative),
                (slope, f.derivative),
            )
            for got, apply in values:
                assert got.dtype == dtype and got.shape == x.shape
                assert np.allclose(got, apply(points), rtol=tolerance, atol=tolerance), (got, apply(points))
        assert f.value(jax.numpy.asarray([1, 2])).dtype == np.float64


def test_jax_without_an_entry() -> None:
    jax = pytest.importorskip("jax", reason="needs JAX")
    with pytest.raises(ValueError, match="a table has no entry for ArrayImpl; expected a float"):
        TableActivation(1).value(jax.numpy.zeros(2))
