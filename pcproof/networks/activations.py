"""Activations f with their derivatives f', on every kind of number that is used here.

An activation is stated once, as a SymPy expression in one variable; f' is
SymPy's derivative of it, never typed.  Values on floats, NumPy arrays, torch
tensors, Fractions and integers mod p are computed by walking the two
expressions.  Four functions have numerically stable forms of their own
(``_STABLE``: the exponential in their definition overflows); the tests compare
these with the SymPy expressions.

At a kink the value of f' belongs to the lower branch, which the definitions
choose by writing ``z <= 0``: relu'(0) = 0, leaky_relu'(0) = slope,
elu'(0) = alpha, as in PyTorch.

=====================  ==========================================================
``activation(thing)``  name, Activation, object with value and derivative,
                       ``torch.tanh``, ``torch.nn.ReLU()``, ``jax.nn.gelu``
``polynomial(c)``      c[0] + c[1] z + ...
``leaky_relu(slope)``  with another slope; ``elu(alpha)`` likewise
``TableActivation``    arbitrary f and f', exact in every field
=====================  ==========================================================

SymPy is imported on first use, torch and JAX only if the input is one of their
arrays.
"""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cache, cached_property, partial, reduce
from importlib import import_module
from typing import Any

import numpy as np

from ..language.evaluate import Mod

_Code = Callable[[Any, Any], Any]  # (argument, operations) -> value


class Activation:
    """A function of one variable and its derivative.

    name: what it is called.  exact: defined on Fractions without rounding.
    """

    name: str = ""
    exact: bool = False

    def value(self, x: Any) -> Any:
        """f at a number, an array or a tensor."""
        raise NotImplementedError

    def derivative(self, x: Any) -> Any:
        """f' at a number, an array or a tensor."""
        raise NotImplementedError

    def sympy(self, z: Any) -> Any:
        """f(z) as a SymPy expression."""
        raise NotImplementedError

    def sympy_derivative(self, z: Any) -> Any:
        """f'(z) as a SymPy expression."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<activation {self.name}>"


# -- operations on arrays and tensors ------------------------------------------
class _NumPy:
    """What expressions need, on NumPy arrays; the type of number is kept."""

    exp, expm1, log1p, tanh, abs = np.exp, np.expm1, np.log1p, np.tanh, np.abs
    where = staticmethod(np.where)

    @staticmethod
    def negative_part(x: Any) -> Any:
        return np.minimum(x, 0)

    @staticmethod
    def positive_part(x: Any) -> Any:
        return np.maximum(x, 0)

    @staticmethod
    def erfc(x: Any) -> Any:
        return np.asarray(np.frompyfunc(math.erfc, 1, 1)(x)).astype(np.asarray(x).dtype)

    @staticmethod
    def constant(x: Any, value: float) -> Any:
        return np.full_like(x, value)


class _Differentiable:
    """What autograd has to differentiate rightly at 0, where f has no kink and |x| has one."""

    where: Callable[[Any, Any, Any], Any]

    def abs(self, x: Any) -> Any:
        return self.where(x >= 0, x, -x)


class _Torch(_Differentiable):
    """The same on torch tensors; whoever has a tensor has imported torch."""

    def __init__(self) -> None:
        torch = sys.modules["torch"]
        self.exp, self.expm1, self.log1p = torch.exp, torch.expm1, torch.log1p
        self.tanh, self.erfc, self.where = torch.tanh, torch.erfc, torch.where
        self.constant = torch.full_like

    @staticmethod
    def negative_part(x: Any) -> Any:
        return x.clamp(max=0)

    @staticmethod
    def positive_part(x: Any) -> Any:
        return x.clamp(min=0)


@cache
def _torch_operations() -> _Torch:
    return _Torch()


class _Jax(_Differentiable):
    """The same on JAX arrays, those that ``jit`` and ``grad`` trace included."""

    def __init__(self) -> None:
        jax = import_module("jax")
        self.jnp = jnp = import_module("jax.numpy")
        self.exp, self.expm1, self.log1p = jnp.exp, jnp.expm1, jnp.log1p
        self.tanh, self.erfc, self.where = jnp.tanh, jax.scipy.special.erfc, jnp.where
        self.constant = jnp.full_like

    def negative_part(self, x: Any) -> Any:
        return self.where(x <= 0, x, 0)

    def positive_part(self, x: Any) -> Any:
        return self.where(x >= 0, x, 0)

    def floats(self, x: Any) -> Any:
        return x if self.jnp.issubdtype(x.dtype, self.jnp.floating) else x * 1.0


@cache
def _jax_operations() -> _Jax:
    return _Jax()


class _Exact:
    """The same on exact numbers: only a choice between branches is left."""

    @staticmethod
    def where(condition: bool, a: Any, b: Any) -> Any:
        return a if condition else b

    @staticmethod
    def constant(x: Any, value: Any) -> Any:
        return x * 0 + value


# -- from SymPy to code ------------------------------------------------------------
def _compile(e: Any, z: Any, exact: bool) -> _Code | None:
    """A SymPy expression in ``z`` as nested Python functions; None if it has no exact value."""
    import sympy as sp

    if e == z:
        return lambda x, o: x
    if e.is_number:
        if exact and not e.is_Rational:
            return None
        number = Fraction(int(e.p), int(e.q)) if exact else float(e)
        return lambda x, o: number
    if isinstance(e, sp.Piecewise):
        return _compile_cases(e, z, exact)
    arguments = [_compile(a, z, exact) for a in e.args if not (isinstance(e, sp.Pow) and a is e.exp)]
    args = [a for a in arguments if a is not None]
    if len(args) < len(arguments):
        return None
    if isinstance(e, sp.Add):
        return lambda x, o: reduce(lambda p, q: p + q, [a(x, o) for a in args])
    if isinstance(e, sp.Mul):
        return lambda x, o: reduce(lambda p, q: p * q, [a(x, o) for a in args])
    if isinstance(e, sp.Pow) and e.exp.is_Integer:
        k, base = int(e.exp), args[0]
        return (lambda x, o: base(x, o) ** k) if k > 0 else (lambda x, o: 1 / base(x, o) ** -k)
    if type(e) in (sp.exp, sp.tanh, sp.erfc):
        name = type(e).__name__
        return None if exact else (lambda x, o: getattr(o, name)(args[0](x, o)))
    raise ValueError(f"no code for {type(e).__name__} in the activation {e}")


def _compile_cases(e: Any, z: Any, exact: bool) -> _Code | None:
    """Piecewise((a, z <= 0), (b, True))."""
    import sympy as sp

    (lower, condition), (upper, otherwise) = e.args
    if condition != (z <= 0) or otherwise != sp.true:
        raise ValueError(f"the activation {e} must have the two cases z <= 0 and True")
    a, b = _compile(lower, z, exact), _compile(upper, z, exact)
    if a is None or b is None:
        return None
    first, second = a, b

    def choose(x: Any, o: Any) -> Any:
        try:
            below = x <= 0
        except TypeError:
            raise ValueError(
                f"an activation with a kink needs an ordered field; {type(x).__name__} has no <= (use a polynomial)"
            ) from None
        branches = [c(x, o) for c in (first, second)]
        low, high = (o.constant(x, v) if isinstance(v, (float, Fraction)) else v for v in branches)
        return o.where(below, low, high)

    return choose


# -- stable forms -------------------------------------------------------------------
def _sigmoid(x: Any, o: Any) -> Any:
    e = o.exp(-o.abs(x))
    return o.where(x >= 0, 1 / (1 + e), e / (1 + e))


def _sigmoid_derivative(x: Any, o: Any) -> Any:
    e = o.exp(-o.abs(x))
    return e / ((1 + e) * (1 + e))


def _softplus(x: Any, o: Any) -> Any:
    return o.positive_part(x) + o.log1p(o.exp(-o.abs(x)))


def _silu_derivative(x: Any, o: Any) -> Any:
    return _sigmoid(x, o) + x * _sigmoid_derivative(x, o)


def _elu_forms(alpha: float) -> tuple[_Code, _Code]:
    return (
        lambda x, o: o.where(x <= 0, alpha * o.expm1(o.negative_part(x)), x),
        lambda x, o: o.where(x <= 0, alpha * o.exp(o.negative_part(x)), o.constant(x, 1.0)),
    )


_STABLE: dict[str, tuple[_Code, _Code]] = {
    "sigmoid": (_sigmoid, _sigmoid_derivative),
    "softplus": (_softplus, _sigmoid),
    "silu": (lambda x, o: x * _sigmoid(x, o), _silu_derivative),
    "elu": _elu_forms(1.0),
}


class SymbolicActivation(Activation):
    """An activation given by a SymPy expression.

    build: makes the expression from the sympy module and the variable.
    exact: whether it stays within the rationals.
    stable: numerically stable forms of f and f', where the expression overflows.
    """

    def __init__(
        self,
        name: str,
        build: Callable[[Any, Any], Any],
        exact: bool = False,
        stable: tuple[_Code, _Code] | None = None,
    ) -> None:
        self.name = name
        self.exact = exact
        self._build = build
        self._stable = stable

    @cached_property
    def _variable(self) -> Any:
        import sympy

        return sympy.Symbol("z", real=True)

    @cached_property
    def _expressions(self) -> tuple[Any, Any]:
        import sympy

        f = sympy.sympify(self._build(sympy, self._variable))
        return f, f.diff(self._variable)

    @cached_property
    def _exact_code(self) -> tuple[_Code | None, ...]:
        return tuple(_compile(e, self._variable, True) for e in self._expressions)

    @cached_property
    def _float_code(self) -> tuple[_Code, ...]:
        if self._stable is not None:
            return self._stable
        code = [_compile(e, self._variable, False) for e in self._expressions]
        return tuple(c for c in code if c is not None)

    def sympy(self, z: Any) -> Any:
        return self._expressions[0].subs(self._variable, z)

    def sympy_derivative(self, z: Any) -> Any:
        return self._expressions[1].subs(self._variable, z)

    def value(self, x: Any) -> Any:
        return self._apply(0, x)

    def derivative(self, x: Any) -> Any:
        return self._apply(1, x)

    def _apply(self, order: int, x: Any) -> Any:
        if isinstance(x, np.ndarray):
            if x.dtype == object:
                with np.errstate(all="ignore"):  # flags that something else has set; exact numbers set none
                    return np.frompyfunc(partial(self._apply, order), 1, 1)(x)
            return self._numpy(order, x if x.dtype.kind == "f" else x.astype(float))
        if isinstance(x, float) and not isinstance(x, np.floating):
            return float(self._numpy(order, np.float64(x)))
        if isinstance(x, np.generic):
            return self._numpy(order, x if isinstance(x, np.floating) else np.float64(x))
        module = type(x).__module__.partition(".")[0]
        if module == "torch" or hasattr(x, "__torch_function__"):
            return self._with(_torch_operations(), order, x)
        if module in ("jax", "jaxlib"):
            return self._with(_jax_operations(), order, _jax_operations().floats(x))
        if module == "sympy":
            return self.sympy(x) if order == 0 else self.sympy_derivative(x)
        if isinstance(x, int) and not self.exact:
            return self._apply(order, float(x))
        return self._rational(order, x)

    def _numpy(self, order: int, x: Any) -> Any:
        out = self._float_code[order](x, _NumPy)
        out = _NumPy.constant(x, out) if isinstance(out, float) else np.asarray(out, dtype=x.dtype)
        return out[()] if isinstance(x, np.generic) else out

    def _with(self, o: _Torch | _Jax, order: int, x: Any) -> Any:
        out = self._float_code[order](x, o)
        return o.constant(x, out) if isinstance(out, float) else out

    def _rational(self, order: int, x: Any) -> Any:
        code = self._exact_code[order]
        if code is None:
            raise ValueError(f"the activation {self.name!r} has no exact value on {type(x).__name__}; expected floats")
        out = code(Fraction(x) if isinstance(x, int) else x, _Exact)
        return _Exact.constant(x, out) if isinstance(out, Fraction) and not isinstance(x, (int, Fraction)) else out


class GivenActivation(Activation):
    """An activation from somebody else's value and derivative."""

    def __init__(self, name: str, value: Callable[[Any], Any], derivative: Callable[[Any], Any]) -> None:
        self.name = name
        self._value, self._derivative = value, derivative

    def value(self, x: Any) -> Any:
        return self._value(x)

    def derivative(self, x: Any) -> Any:
        return self._derivative(x)

    def sympy(self, z: Any) -> Any:
        import sympy

        return sympy.Function("f")(z)

    def sympy_derivative(self, z: Any) -> Any:
        import sympy

        return sympy.Function("df")(z)


class TableActivation(Activation):
    """An arbitrary f and an arbitrary f', looked up by a seeded hash of the argument.

    Equal arguments give equal values, on every machine; nothing else relates
    them.  f' is not the derivative of f: theorems that hold for any f and any
    f' must hold for this pair, in any field.
    """

    exact = True

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.name = f"table({seed})"

    def value(self, x: Any) -> Any:
        return self._look_up("value", x)

    def derivative(self, x: Any) -> Any:
        return self._look_up("derivative", x)

    def _look_up(self, what: str, x: Any) -> Any:
        if isinstance(x, np.ndarray):
            out = np.frompyfunc(partial(self._look_up, what), 1, 1)(x)
            return out if x.dtype == object or x.dtype.kind != "f" else np.asarray(out).astype(x.dtype)
        if isinstance(x, Mod):
            return Mod(self._hash(what, f"{x.v} mod {x.p}"), x.p)
        if isinstance(x, np.floating):
            return type(x)(float(self._fraction(what, Fraction(float(x)))))
        if isinstance(x, float):
            return float(self._fraction(what, Fraction(x)))
        if isinstance(x, (int, np.integer, Fraction)):
            return self._fraction(what, Fraction(int(x)) if isinstance(x, np.integer) else Fraction(x))
        raise ValueError(f"a table has no entry for {type(x).__name__}; expected a float, a Fraction or a Mod")

    def _hash(self, what: str, text: str) -> int:
        digest = hashlib.sha256(f"{self.seed} {what} {text}".encode()).digest()
        return int.from_bytes(digest[:8], "big")

    def _fraction(self, what: str, x: Fraction) -> Fraction:
        """A small fraction other than 0, so that exact runs stay short and no term vanishes."""
        h = self._hash(what, str(x))
        return Fraction((h % 7 + 1) * (1 if h // 7 % 2 else -1), h // 14 % 3 + 1)

    def sympy(self, z: Any) -> Any:
        import sympy

        return sympy.Function(f"f_{self.seed}")(z)

    def sympy_derivative(self, z: Any) -> Any:
        import sympy

        return sympy.Function(f"df_{self.seed}")(z)


# -- the catalogue --------------------------------------------------------------------
def _rational(x: Any) -> Fraction:
    """An exact coefficient; a float is read by its shortest decimal (0.2 is 1/5)."""
    return Fraction(repr(float(x))) if isinstance(x, (float, np.floating)) else Fraction(x)


def polynomial(coefficients: Iterable[int | Fraction | float]) -> Activation:
    """c[0] + c[1] z + c[2] z**2 + ..., exact in every field."""
    c = [_rational(a) for a in coefficients]
    if not c:
        raise ValueError("a polynomial needs a coefficient")

    def build(sp: Any, z: Any) -> Any:
        return sp.Add(*(sp.Rational(a.numerator, a.denominator) * z**k for k, a in enumerate(c)))

    return SymbolicActivation(f"polynomial({', '.join(map(str, c))})", build, exact=True)


def leaky_relu(slope: Fraction | float = Fraction(1, 100)) -> Activation:
    """z above 0, slope * z below; the derivative at 0 is the slope."""
    a = _rational(slope)

    def build(sp: Any, z: Any) -> Any:
        return sp.Piecewise((sp.Rational(a.numerator, a.denominator) * z, z <= 0), (z, True))

    name = "leaky_relu" if a == Fraction(1, 100) else f"leaky_relu({a})"
    return SymbolicActivation(name, build, exact=True)


def elu(alpha: Fraction | float = 1) -> Activation:
    """z above 0, alpha * (exp(z) - 1) below; the derivative at 0 is alpha."""
    a = _rational(alpha)

    def build(sp: Any, z: Any) -> Any:
        return sp.Piecewise((sp.Rational(a.numerator, a.denominator) * (sp.exp(z) - 1), z <= 0), (z, True))

    return SymbolicActivation("elu" if a == 1 else f"elu({a})", build, stable=_elu_forms(float(a)))


def _gelu_tanh(sp: Any, z: Any) -> Any:
    return z * (1 + sp.tanh(sp.sqrt(2 / sp.pi) * (z + sp.Rational(44715, 1000000) * z**3))) / 2


ACTIVATIONS: dict[str, Activation] = {
    a.name: a
    for a in (
        SymbolicActivation("identity", lambda sp, z: z, exact=True),
        SymbolicActivation("tanh", lambda sp, z: sp.tanh(z)),
        SymbolicActivation("sigmoid", lambda sp, z: 1 / (1 + sp.exp(-z)), stable=_STABLE["sigmoid"]),
        SymbolicActivation("relu", lambda sp, z: sp.Piecewise((0, z <= 0), (z, True)), exact=True),
        leaky_relu(),
        elu(),
        SymbolicActivation("softplus", lambda sp, z: sp.log(1 + sp.exp(z)), stable=_STABLE["softplus"]),
        SymbolicActivation("gelu", lambda sp, z: z * sp.erfc(-z / sp.sqrt(2)) / 2),
        SymbolicActivation("gelu_tanh", _gelu_tanh),
        SymbolicActivation("silu", lambda sp, z: z / (1 + sp.exp(-z)), stable=_STABLE["silu"]),
        SymbolicActivation("square", lambda sp, z: z**2, exact=True),
    )
}
ALIASES = {
    "logistic": "sigmoid", "linear": "identity", "id": "identity", "none": "identity", "swish": "silu",
    "leakyrelu": "leaky_relu", "expit": "sigmoid",
}  # fmt: skip
_LIBRARIES = ("torch", "jax", "jaxlib", "numpy", "math", "scipy", "flax", "equinox", "tensorflow", "keras")


def activation(thing: Any) -> Activation:
    """An activation by name, by object, or as a function of torch, JAX or NumPy."""
    if isinstance(thing, Activation):
        return thing
    if isinstance(thing, str):
        return _named(thing)
    value, derivative = getattr(thing, "value", None), getattr(thing, "derivative", None)
    if callable(value) and callable(derivative):
        return GivenActivation(str(getattr(thing, "name", type(thing).__name__)), value, derivative)
    found = _recognised(thing)
    if found is None:
        raise ValueError(
            f"the activation {_describe(thing)} has no derivative that is known here; expected one of"
            f" {', '.join(ACTIVATIONS)} or an object with value and derivative"
        )
    return found


def _named(name: str) -> Activation:
    key = name.strip().lower()
    found = ACTIVATIONS.get(ALIASES.get(key, key))
    if found is None:
        raise ValueError(f"unknown activation {name!r}; expected one of {', '.join([*ACTIVATIONS, 'logistic'])}")
    return found


def _describe(thing: Any) -> str:
    return str(getattr(thing, "__name__", None) or type(thing).__name__)


def _recognised(thing: Any) -> Activation | None:
    """A function or layer of a library, known by its name; no library is imported."""
    given: dict[str, Any] = {}
    if isinstance(thing, partial) and not thing.args:
        given, thing = dict(thing.keywords), thing.func
    name = getattr(thing, "__name__", None) or type(thing).__name__
    places = (thing, type(thing), getattr(thing, "__self__", None))
    modules = {str(getattr(p, "__module__", "")).partition(".")[0] for p in places if p is not None}
    library = next((m for m in _LIBRARIES if m in modules), None)
    if library is None or not callable(thing):
        return None
    key = str(name).lower()
    key = ALIASES.get(key, key)

    def setting(option: str, default: Any) -> Any:
        return given[option] if option in given else getattr(thing, option, default)

    if key == "gelu":
        rough = setting("approximate", library in ("jax", "jaxlib", "flax"))
        return ACTIVATIONS["gelu_tanh" if rough in (True, "tanh") else "gelu"]
    if key == "leaky_relu":
        return leaky_relu(setting("negative_slope", Fraction(1, 100)))
    if key == "elu":
        return elu(setting("alpha", 1))
    if key == "softplus" and setting("beta", 1) != 1:
        return None
    if given:
        return None
    return ACTIVATIONS.get(key)
