"""Terms compiled to Python closures, with tabulated definitions.

``Compiled`` does what ``language.evaluate.Evaluator`` does, only faster: each
term is translated once, and run in as many interpretations as needed.  Values
may be numbers, nodes of a ``Graph`` (which records the computation) or dual
numbers (``Dual``) over either.  The reference evaluator remains the judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import product
from typing import Any, Union

from ..language.evaluate import EvaluationError
from ..language.index import Bound, Con, Idx, QVar
from ..language.signature import PARAMETER, Theory
from ..language.terms import Add, App, Inv, IsZero, Iverson, Mul, Num, Pow, Sum, Term

Env = tuple[int, ...]
Value = Any  # a number, a graph node or a dual number
Fn = Callable[[Env], Value]
IntFn = Callable[[Env], int]
BoolFn = Callable[[Env], bool]


class Undefined(EvaluationError):
    """A symbol is read outside the cases of its definition."""


def exact(q: Fraction) -> Union[int, Fraction]:
    """An int where possible: integers are several times faster than fractions."""
    return q.numerator if q.denominator == 1 else q


def is_zero(v: Value) -> Value:
    """1 where v == 0, else 0."""
    if isinstance(v, Dual):
        if not (isinstance(v.im, (int, Fraction)) and v.im == 0):
            raise Undefined("the indicator of a varied quantity has no derivative")
        return is_zero(v.re)
    return v.is_zero() if hasattr(v, "is_zero") else int(v == 0)


def inverse(v: Value) -> Value:
    """1/v, and 0 where v == 0."""
    if isinstance(v, Dual):
        i = inverse(v.re)
        return Dual(i, -1 * i * i * v.im)
    if hasattr(v, "inverse"):
        return v.inverse()
    return exact(Fraction(1) / v) if v != 0 else v


class Dual:
    """re + s im with s^2 = 0: exact directional derivatives."""

    __slots__ = ("im", "re")

    def __init__(self, re: Value, im: Value) -> None:
        self.re = re
        self.im = im

    def __add__(self, o: Value) -> Dual:
        return Dual(self.re + o.re, self.im + o.im) if isinstance(o, Dual) else Dual(self.re + o, self.im)

    __radd__ = __add__

    def __mul__(self, o: Value) -> Dual:
        if isinstance(o, Dual):
            return Dual(self.re * o.re, self.re * o.im + self.im * o.re)
        return Dual(self.re * o, self.im * o)

    __rmul__ = __mul__

    def __truediv__(self, o: Value) -> Value:
        return self * inverse(o)

    def __rtruediv__(self, o: Value) -> Value:
        return inverse(self) * o

    def __eq__(self, o: object) -> bool:
        return bool(self.re == (o.re if isinstance(o, Dual) else o))

    __hash__ = None  # type: ignore[assignment]


def real(v: Value) -> Value:
    """The value without its variation."""
    return v.re if isinstance(v, Dual) else v


def varied(v: Value) -> Value:
    """The variation of a value."""
    return v.im if isinstance(v, Dual) else 0


Apply = Callable[[str, Env, tuple[Any, ...]], Value]


def lift(theory: Theory, bounds: Callable[[str, int, Env], Env], call: Apply, slope: Apply) -> Apply:
    """``call`` extended to dual numbers; ``slope`` gives the true values of the derivative symbols."""

    def lifted(name: str, idx: Env, args: tuple[Any, ...]) -> Value:
        symbol = theory.symbols[name]
        plain: list[Any] = []
        moving: list[tuple[int, Env, Value]] = []
        for k, a in enumerate(args):
            if not symbol.ranges[k]:
                entries: dict[Env, Value] = {(): a}
                plain.append(real(a))
            else:
                entries = {e: a(*e) for e in product(*(range(n) for n in bounds(name, k, idx)))}
                plain.append(lambda *e, a=a: real(a(*e)))
            moving += [(k, e, v.im) for e, v in entries.items() if isinstance(v, Dual)]
        out = call(name, idx, tuple(plain))
        if not moving:
            return out
        if not symbol.derivatives:
            raise Undefined(f"{name!r} has no derivative")
        change: Value = 0
        for k, e, im in moving:
            change = change + im * slope(symbol.derivatives[k], idx + e, tuple(plain))
        return Dual(out, change)

    return lifted


class Compiled:
    """The terms of one theory as closures.

    Set ``size`` (name, args -> int), ``parameter`` (name, idx -> value) and
    ``apply`` (name, idx, args -> value), call ``reset``, then run the closures.
    """

    def __init__(self, theory: Theory) -> None:
        self.theory = theory
        self.size: Callable[[str, Env], int] = _unset
        self.parameter: Callable[[str, Env], Value] = _unset
        self.apply: Apply = _unset
        self.memo: dict[str, dict[Env, Value]] = {}
        self._tables: dict[str, tuple[tuple[BoolFn, Fn], ...]] = {}
        self._definitions = {d.name: d for group in theory.definitions for d in group}
        self._terms: dict[tuple[Term, tuple[str, ...]], Fn] = {}
        self.reset()

    def reset(self) -> None:
        """Forget all tabulated values."""
        self.memo = {name: {} for name in self._definitions}

    # -- indices --------------------------------------------------------------
    def index(self, i: Idx, names: tuple[str, ...]) -> IntFn:
        """An index term; ``names`` are the variables at the front of the environment."""
        const = i.const
        if not i.terms:
            return lambda env: const
        parts = [(self._atom(a, names), c) for a, c in i.terms]
        if len(parts) == 1 and parts[0][1] == 1:
            one = parts[0][0]
            return one if not const else lambda env: one(env) + const
        if len(parts) == 2:
            (f, c), (g, d) = parts
            return lambda env: const + c * f(env) + d * g(env)
        return lambda env: const + sum(c * f(env) for f, c in parts)

    def _atom(self, atom: object, names: tuple[str, ...]) -> IntFn:
        if isinstance(atom, QVar):
            if atom.name not in names:
                raise EvaluationError(f"the index {atom.name!r} has no value")
            at = names.index(atom.name)
            return lambda env: env[at]
        if isinstance(atom, Bound):
            back = -1 - atom.k
            return lambda env: env[back]
        name, args = atom.name, [self.index(a, names) for a in atom.args]  # type: ignore[attr-defined]
        if not args:
            return lambda env: self.size(name, ())
        return lambda env: self.size(name, tuple([a(env) for a in args]))

    def condition(self, cons: tuple[Con, ...], names: tuple[str, ...]) -> BoolFn:
        """Do all constraints hold?"""
        tests = [(self.index(c.expr, names), c.kind) for c in cons]

        def holds(env: Env) -> bool:
            for f, kind in tests:
                v = f(env)
                if v < 0 if kind == "ge" else (v != 0) == (kind == "eq"):
                    return False
            return True

        return holds

    # -- terms ----------------------------------------------------------------
    def term(self, t: Term, names: tuple[str, ...]) -> Fn:
        """``t`` as a closure over the values of ``names`` and of the indices bound further in."""
        found = self._terms.get((t, names))
        if found is None:
            found = self._term(t, names)
            self._terms[(t, names)] = found
        return found

    def _term(self, t: Term, names: tuple[str, ...]) -> Fn:
        if isinstance(t, Num):
            number = exact(t.value)
            return lambda env: number
        if isinstance(t, App):
            return self._app(t, names)
        if isinstance(t, (Add, Mul)):
            return _fold([self.term(a, names) for a in t.args], isinstance(t, Add))
        if isinstance(t, Sum):
            bound, body = self.index(t.bound, names), self.term(t.body, names)

            def total(env: Env) -> Value:
                out: Value = 0
                for k in range(bound(env)):
                    out = out + body((*env, k))
                return out

            return total
        if isinstance(t, Pow):
            base, exponent = self.term(t.base, names), self.index(t.exponent, names)

            def power(env: Env) -> Value:
                out: Value = 1
                b = base(env)
                for _ in range(exponent(env)):
                    out = out * b
                return out

            return power
        if isinstance(t, (Inv, IsZero)):
            arg, op = self.term(t.arg, names), inverse if isinstance(t, Inv) else is_zero
            return lambda env: op(arg(env))
        if isinstance(t, Iverson):
            holds = self.condition(t.cons, names)
            return lambda env: 1 if holds(env) else 0
        raise EvaluationError(f"no semantics for {type(t).__name__}")

    def _app(self, t: App, names: tuple[str, ...]) -> Fn:
        name = t.name
        idx = [self.index(i, names) for i in t.idx]
        if not t.args:
            symbol = self.theory.symbols.get(name)
            if symbol is not None and symbol.kind == PARAMETER:
                return lambda env: self.parameter(name, tuple([i(env) for i in idx]))
            return lambda env: self.call(name, tuple([i(env) for i in idx]))
        bodies = [(a.arity, self.term(a.body, names)) for a in t.args]

        def applied(env: Env) -> Value:
            args = [body(env) if not arity else (lambda *ks, body=body: body(env + ks)) for arity, body in bodies]
            return self.apply(name, tuple([i(env) for i in idx]), tuple(args))

        return applied

    def call(self, name: str, idx: Env) -> Value:
        """The value of a defined symbol."""
        table = self.memo.get(name)
        if table is None:
            raise EvaluationError(f"the symbol {name!r} has no value in this model")
        if idx in table:
            return table[idx]
        cases = self._tables.get(name)
        if cases is None:
            d = self._definitions[name]
            cases = tuple((self.condition(c.guard, d.params), self.term(c.value, d.params)) for c in d.cases)
            self._tables[name] = cases
        for guard, value in cases:
            if guard(idx):
                out = value(idx)
                self.memo[name][idx] = out
                return out
        raise Undefined(f"{name}{list(idx)} is outside the cases of its definition")


def _fold(parts: list[Fn], adding: bool) -> Fn:
    if len(parts) == 2:
        f, g = parts
        return (lambda env: f(env) + g(env)) if adding else (lambda env: f(env) * g(env))

    def fold(env: Env) -> Value:
        out: Value = 0 if adding else 1
        for p in parts:
            out = out + p(env) if adding else out * p(env)
        return out

    return fold


def _unset(*args: Any) -> Any:
    raise EvaluationError("no interpretation has been chosen")


def from_mapping(table: Mapping[tuple[str, Env], Value], default: Value = 0) -> Callable[[str, Env], Value]:
    """A parameter accessor that reads a table."""
    return lambda name, idx: table.get((name, idx), default)
