"""Reference semantics: terms evaluated in plain loops over any field.

A ``Model`` gives integers to the sizes, values to the parameters and Python
functions to the activations.  Values may be floats, Fractions, integers mod a
prime (``Mod``) or dual numbers: only ``+``, ``*`` and ``==`` are used, and
``/`` for reciprocals.  Slow and plain on purpose; everything fast is compared
with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from .index import Con, Idx, QVar, Size
from .signature import Theory
from .terms import Add, App, Inv, IsZero, Iverson, Mul, Num, Pow, Sum, Term, free_vars, open_lam


class EvaluationError(ValueError):
    """A term has no value in the model; the message names what is missing."""


class Mod:
    """An integer modulo a prime; works with Python numbers and inside object arrays."""

    __slots__ = ("p", "v")
    DEFAULT_PRIME = 2**31 - 1

    def __init__(self, v: int | Fraction, p: int = DEFAULT_PRIME) -> None:
        self.p = p
        self.v = (v.numerator * pow(v.denominator, -1, p) if isinstance(v, Fraction) else v) % p

    def _get(self, o: object) -> int | None:
        if isinstance(o, Mod):
            if o.p != self.p:
                raise ValueError(f"numbers modulo {self.p} and modulo {o.p} do not mix")
            return o.v
        if isinstance(o, (int, Fraction)):
            return Mod(o, self.p).v
        return None

    def __add__(self, o: object) -> Any:
        w = self._get(o)
        return NotImplemented if w is None else Mod(self.v + w, self.p)

    __radd__ = __add__

    def __mul__(self, o: object) -> Any:
        w = self._get(o)
        return NotImplemented if w is None else Mod(self.v * w, self.p)

    __rmul__ = __mul__

    def __sub__(self, o: object) -> Any:
        w = self._get(o)
        return NotImplemented if w is None else Mod(self.v - w, self.p)

    def __rsub__(self, o: object) -> Any:
        w = self._get(o)
        return NotImplemented if w is None else Mod(w - self.v, self.p)

    def __neg__(self) -> Mod:
        return Mod(-self.v, self.p)

    def __pow__(self, k: int) -> Mod:
        return Mod(pow(self.v, k, self.p), self.p)

    def __truediv__(self, o: object) -> Any:
        w = self._get(o)
        if w is None:
            return NotImplemented
        if w == 0:
            raise ZeroDivisionError("division by zero modulo a prime")
        return Mod(self.v * pow(w, -1, self.p), self.p)

    def __rtruediv__(self, o: object) -> Any:
        w = self._get(o)
        return NotImplemented if w is None else Mod(w, self.p) / self

    def __eq__(self, o: object) -> bool:
        w = self._get(o)
        return w is not None and w == self.v

    def __hash__(self) -> int:
        return hash((self.v, self.p))

    def __repr__(self) -> str:
        return f"{self.v} (mod {self.p})"


@dataclass
class Model:
    """Concrete sizes, parameters and functions.

    sizes: name -> function of ints giving an int (a plain int for constants).
    parameters: name -> function of ints giving a value.
    functions: name -> function of (ints..., values...); an operator gets
        Python functions of ints in place of values.
    number: turns an exact rational into a value of the field.
    """

    sizes: Mapping[str, Any]
    parameters: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    number: Callable[[Fraction], Any] = field(default=lambda q: q)


def _new(name: str, env: Mapping[str, int], body: Term) -> str:
    while name in env or name in free_vars(body):
        name += "#"
    return name


class Evaluator:
    """Evaluates terms of one theory in one model; defined symbols are tabulated."""

    def __init__(self, theory: Theory, model: Model) -> None:
        self.theory = theory
        self.model = model
        self.memo: dict[tuple[str, tuple[int, ...]], Any] = {}
        self._defs = {d.name: d for group in theory.definitions for d in group}

    def index(self, i: Idx, env: Mapping[str, int]) -> int:
        out = i.const
        for atom, c in i.terms:
            if isinstance(atom, QVar):
                if atom.name not in env:
                    raise EvaluationError(f"the index {atom.name!r} has no value")
                out += c * env[atom.name]
            elif isinstance(atom, Size):
                if atom.name not in self.model.sizes:
                    raise EvaluationError(f"the size {atom.name!r} has no value")
                value = self.model.sizes[atom.name]
                args = [self.index(a, env) for a in atom.args]
                out += c * (value(*args) if callable(value) else value)
            else:
                raise EvaluationError("a bound index stands outside its sum")
        return out

    def holds(self, c: Con, env: Mapping[str, int]) -> bool:
        v = self.index(c.expr, env)
        return v >= 0 if c.kind == "ge" else (v == 0) == (c.kind == "eq")

    def call(self, name: str, idx: tuple[int, ...]) -> Any:
        """The value of a parameter or defined symbol at integer indices."""
        if name in self.model.parameters:
            return self.model.parameters[name](*idx)
        d = self._defs.get(name)
        if d is None:
            raise EvaluationError(f"the symbol {name!r} has no value in this model")
        key = (name, idx)
        if key not in self.memo:
            env = dict(zip(d.params, idx))
            for case in d.cases:
                if all(self.holds(c, env) for c in case.guard):
                    self.memo[key] = self.value(case.value, env)
                    break
            else:
                raise EvaluationError(f"{name}{idx} is outside the cases of its definition")
        return self.memo[key]

    def value(self, t: Term, env: Mapping[str, int]) -> Any:
        """The value of a term; ``env`` gives the quantified variables."""
        if isinstance(t, Num):
            return self.model.number(t.value)
        if isinstance(t, App):
            idx = tuple(self.index(i, env) for i in t.idx)
            if not t.args:
                return self.call(t.name, idx)
            fn = self.model.functions.get(t.name)
            if fn is None:
                raise EvaluationError(f"the function {t.name!r} has no value in this model")
            return fn(*idx, *(self._argument(a.arity, a.body, env) for a in t.args))
        if isinstance(t, Add):
            out = self.value(t.args[0], env) if t.args else self.model.number(Fraction(0))
            for a in t.args[1:]:
                out = out + self.value(a, env)
            return out
        if isinstance(t, Mul):
            out = self.value(t.args[0], env) if t.args else self.model.number(Fraction(1))
            for a in t.args[1:]:
                out = out * self.value(a, env)
            return out
        if isinstance(t, Sum):
            out = self.model.number(Fraction(0))
            name = _new(f"#{len(env)}", env, t.body)
            body = open_lam(1, t.body, (Idx.of(QVar(name)),))
            for k in range(self.index(t.bound, env)):
                out = out + self.value(body, {**env, name: k})
            return out
        if isinstance(t, Pow):
            out, base = self.model.number(Fraction(1)), self.value(t.base, env)
            for _ in range(self.index(t.exponent, env)):
                out = out * base
            return out
        if isinstance(t, Inv):
            base = self.value(t.arg, env)
            return base if base == 0 else self.model.number(Fraction(1)) / base
        if isinstance(t, IsZero):
            return self.model.number(Fraction(int(self.value(t.arg, env) == 0)))
        if isinstance(t, Iverson):
            return self.model.number(Fraction(int(all(self.holds(c, env) for c in t.cons))))
        raise EvaluationError(f"no semantics for {type(t).__name__}")

    def _argument(self, arity: int, body: Term, env: Mapping[str, int]) -> Any:
        if arity == 0:
            return self.value(body, env)
        names = tuple(_new(f"#{len(env)}.{k}", env, body) for k in range(arity))
        opened = open_lam(arity, body, tuple(Idx.of(QVar(n)) for n in names))
        return lambda *ks: self.value(opened, {**env, **dict(zip(names, ks))})
