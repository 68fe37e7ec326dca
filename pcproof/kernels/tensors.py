"""Terms with free unit and batch indices, as operations on whole arrays.

====================  =========================================================
``Number(q)``         an exact rational
``Extent(n)``         an integer of the problem used as a number
``Array(name, at)``   a stored array at an address (layer), or a scalar
``Apply(f, at, x)``   an activation, elementwise; ``value`` is f(x) if stored
``Total``             elementwise sum, missing axes broadcast
``Product``           elementwise product, missing axes broadcast
``Contract``          product summed over axes: matmul, einsum, ``.sum``
``Power``             power with an index term as exponent, 1 where it is <= 0
``Reciprocal``        1/x, 0 where x is 0
``ZeroMask``          1 where x is 0, else 0
``Indicator``         1 where constraints on addresses hold, else 0
====================  =========================================================

Every node knows its ``axes``.  An axis is a unit or batch index; layers and
times are addresses, i.e. which array is meant.  Nothing is lowered to scalars:
printers see whole contractions.  ``Lowering`` does the reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count
from typing import Union

from ..language.arith import entails
from ..language.index import Con, Idx, QVar, Size, ge
from ..language.show import comparisons, range_kind
from ..language.signature import DEFINED, FUNCTION, Definition, Theory
from ..language.terms import Add, App, Inv, IsZero, Iverson, Mul, Num, Pow, Sum, Term, open_


class KernelError(ValueError):
    """No kernel can be generated; the message names what stands in the way."""


@dataclass(frozen=True)
class Number:
    value: Fraction
    axes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Extent:
    size: Idx
    axes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Array:
    """``name`` at ``address``; ``order`` is the order in which its axes are stored."""

    name: str
    address: tuple[Idx, ...]
    order: tuple[str, ...] = ()

    @property
    def axes(self) -> frozenset[str]:
        return frozenset(self.order)


@dataclass(frozen=True)
class Apply:
    """``function[address](arg)``; ``value``: where the function of which this is the derivative is stored."""

    function: str
    address: tuple[Idx, ...]
    arg: Tensor
    value: Array | None = None

    @property
    def axes(self) -> frozenset[str]:
        return self.arg.axes


@dataclass(frozen=True)
class Total:
    terms: tuple[Tensor, ...]

    @property
    def axes(self) -> frozenset[str]:
        return frozenset().union(*(t.axes for t in self.terms))


@dataclass(frozen=True)
class Product:
    factors: tuple[Tensor, ...]

    @property
    def axes(self) -> frozenset[str]:
        return frozenset().union(*(f.axes for f in self.factors))


@dataclass(frozen=True)
class Contract:
    """The product of ``factors``, summed over the axes ``summed``."""

    factors: tuple[Tensor, ...]
    summed: tuple[str, ...]

    @property
    def axes(self) -> frozenset[str]:
        return frozenset().union(*(f.axes for f in self.factors)) - frozenset(self.summed)


@dataclass(frozen=True)
class Power:
    """``base ** exponent``; ``positive``: the exponent is known to be >= 0."""

    base: Tensor
    exponent: Idx
    positive: bool

    @property
    def axes(self) -> frozenset[str]:
        return self.base.axes


@dataclass(frozen=True)
class Reciprocal:
    arg: Tensor

    @property
    def axes(self) -> frozenset[str]:
        return self.arg.axes


@dataclass(frozen=True)
class ZeroMask:
    arg: Tensor

    @property
    def axes(self) -> frozenset[str]:
        return self.arg.axes


@dataclass(frozen=True)
class Indicator:
    cons: tuple[Con, ...]
    axes: frozenset[str] = frozenset()


Tensor = Union[Number, Extent, Array, Apply, Total, Product, Contract, Power, Reciprocal, ZeroMask, Indicator]
ONE, ZERO = Number(Fraction(1)), Number(Fraction(0))


# -- constructors ---------------------------------------------------------------
def product(factors: Iterable[Tensor]) -> Tensor:
    """Elementwise product, flattened, the number in front."""
    number = Fraction(1)
    out: list[Tensor] = []
    for f in factors:
        for g in f.factors if isinstance(f, Product) else (f,):
            if isinstance(g, Number):
                number *= g.value
            else:
                out.append(g)
    if number == 0:
        return ZERO
    if number != 1 or not out:
        out.insert(0, Number(number))
    return out[0] if len(out) == 1 else Product(tuple(out))


def sum_of(terms: Iterable[Tensor]) -> Tensor:
    """Elementwise sum, flattened, numbers collected at the end."""
    number = Fraction(0)
    out: list[Tensor] = []
    for t in terms:
        for s in t.terms if isinstance(t, Total) else (t,):
            if isinstance(s, Number):
                number += s.value
            else:
                out.append(s)
    if number or not out:
        out.append(Number(number))
    return out[0] if len(out) == 1 else Total(tuple(out))


def contract(axis: str, extent: Idx, t: Tensor) -> Tensor:
    """The sum of ``t`` over one axis; factors without the axis stay outside."""
    if axis not in t.axes:
        return product((t, Extent(extent)))
    if isinstance(t, Total) and any(axis not in s.axes for s in t.terms):
        return sum_of(contract(axis, extent, s) for s in t.terms)
    if isinstance(t, Contract):
        return Contract(t.factors, (*t.summed, axis))
    factors = t.factors if isinstance(t, Product) else (t,)
    inside = [f for f in factors if axis in f.axes]
    if len(inside) == 1 and isinstance(inside[0], Contract):
        summed: Tensor = Contract(inside[0].factors, (*inside[0].summed, axis))
    else:
        summed = Contract(tuple(inside), (axis,))
    return product((*(f for f in factors if axis not in f.axes), summed))


def parts(t: Tensor) -> tuple[Tensor, ...]:
    """Direct subexpressions."""
    if isinstance(t, (Apply, Reciprocal, ZeroMask)):
        return (t.arg,)
    if isinstance(t, Power):
        return (t.base,)
    if isinstance(t, Total):
        return t.terms
    return t.factors if isinstance(t, (Product, Contract)) else ()


def walk(t: Tensor) -> Iterator[Tensor]:
    """Every subexpression, ``t`` first."""
    yield t
    for p in parts(t):
        yield from walk(p)


def rewrite(t: Tensor, fn: Callable[[Tensor], Tensor | None]) -> Tensor:
    """Replace subexpressions from the outside in; ``fn`` returns None for "go inside"."""
    new = fn(t)
    if new is not None:
        return new
    if isinstance(t, (Apply, Reciprocal, ZeroMask)):
        return replace(t, arg=rewrite(t.arg, fn))
    if isinstance(t, Power):
        return replace(t, base=rewrite(t.base, fn))
    if isinstance(t, Total):
        return Total(tuple(rewrite(s, fn) for s in t.terms))
    if isinstance(t, (Product, Contract)):
        return replace(t, factors=tuple(rewrite(f, fn) for f in t.factors))
    return t


def map_addresses(t: Tensor, fn: Callable[[Idx], Idx]) -> Tensor:
    """``t`` with every layer and time changed by ``fn``."""

    def go(s: Tensor) -> Tensor | None:
        if isinstance(s, Array):
            return replace(s, address=tuple(fn(i) for i in s.address))
        if isinstance(s, Apply):
            value = None if s.value is None else replace(s.value, address=tuple(fn(i) for i in s.value.address))
            return Apply(s.function, tuple(fn(i) for i in s.address), rewrite(s.arg, go), value)
        if isinstance(s, Power):
            return replace(s, base=rewrite(s.base, go), exponent=fn(s.exponent))
        if isinstance(s, Indicator):
            return Indicator(tuple(Con(c.kind, fn(c.expr)) for c in s.cons))
        return Extent(fn(s.size)) if isinstance(s, Extent) else None

    return rewrite(t, go)


# -- which indices are addresses, which are axes ----------------------------------
def axis_params(d: Definition) -> tuple[str, ...]:
    """Parameters of a definition that count units or samples.

    The others (layers, times) are addresses: they carry the measure, or a guard
    says more about them than a range of units or samples.
    """
    measured = {a.name for m in d.measure for a in m.atoms() if isinstance(a, QVar)}
    return tuple(p for p in d.params if p not in measured and all(_only_ranges(p, c.guard) for c in d.cases))


def address_params(d: Definition) -> tuple[str, ...]:
    """The parameters of a definition that choose an array: time, layer."""
    axes = axis_params(d)
    return tuple(p for p in d.params if p not in axes)


def _only_ranges(name: str, guard: tuple[Con, ...]) -> bool:
    """Is every constraint on ``name`` of the form 0 <= name or name < width?"""
    variable = Idx.of(QVar(name))
    for c in comparisons(g for g in guard if QVar(name) in set(g.expr.atoms())):
        if c.left != variable:
            return False
        if c.low is not None and c.low != Idx(0):
            return False
        if c.op == ">=":
            if c.right != Idx(0):
                return False
        elif c.op != "<" or range_kind(c.right) not in ("unit", "batch"):
            return False
    return True


def address_sizes(i: Idx) -> set[str]:
    """Names of the sizes without arguments in an index term (``L``, ``t_c``)."""
    return {a.name for a in i.atoms() if isinstance(a, Size) and not a.args}


# -- reading terms ------------------------------------------------------------------
class Lowering:
    """Reads the terms of one theory as tensor expressions.

    numbers: real symbols to be replaced by numbers (``alpha`` by 1).
    """

    def __init__(self, theory: Theory, numbers: Mapping[str, Fraction] | None = None) -> None:
        self.theory = theory
        self.numbers = dict(numbers or {})
        self._fresh = count()

    def case(self, d: Definition, k: int) -> Tensor:
        """The value of one case of a definition; its axes are the definition's axis parameters."""
        return self.read(d.cases[k].value, frozenset(axis_params(d)), (*self.theory.assumptions, *d.cases[k].guard))

    def read(self, t: Term, axes: frozenset[str], guards: tuple[Con, ...] = ()) -> Tensor:
        """A term as a tensor expression.

        axes: the free index variables that are axes.  guards: what holds of the others.
        """
        if isinstance(t, Num):
            return Number(t.value)
        if isinstance(t, Add):
            return sum_of(self.read(a, axes, guards) for a in t.args)
        if isinstance(t, Mul):
            return product(self.read(a, axes, guards) for a in t.args)
        if isinstance(t, Sum):
            if not _whole_axis(t.bound):
                raise KernelError(f"no kernel for a sum below {t.bound!r}; expected all units, or all samples")
            self._address(t.bound, axes, t)
            axis = f"?{next(self._fresh)}"
            return contract(axis, t.bound, self.read(open_(t.body, Idx.of(QVar(axis))), axes | {axis}, guards))
        if isinstance(t, Pow):
            self._address(t.exponent, axes, t)
            return Power(self.read(t.base, axes, guards), t.exponent, entails(guards, ge(t.exponent, 0)))
        if isinstance(t, Inv):
            return Reciprocal(self.read(t.arg, axes, guards))
        if isinstance(t, IsZero):
            return ZeroMask(self.read(t.arg, axes, guards))
        if isinstance(t, Iverson):
            for c in t.cons:
                self._address(c.expr, axes, t)
            return Indicator(t.cons)
        if isinstance(t, App):
            return self._application(t, axes, guards)
        raise KernelError(f"no tensor operation for {type(t).__name__}: {t!r}")

    def _application(self, t: App, axes: frozenset[str], guards: tuple[Con, ...]) -> Tensor:
        symbol = self.theory.symbols.get(t.name)
        if symbol is None:
            raise KernelError(f"the symbol {t.name!r} is not declared")
        if t.args:
            if symbol.kind != FUNCTION or len(t.args) != 1 or t.args[0].arity:
                raise KernelError(f"no kernel for the layer operator {t.name!r}; expected activations only")
            for i in t.idx:
                self._address(i, axes, t)
            return Apply(t.name, t.idx, self.read(t.args[0].body, axes, guards))
        if t.name in self.numbers and not t.idx:
            return Number(self.numbers[t.name])
        address, order = [], []
        for i in t.idx:
            variable = _variable(i)
            if variable in axes:
                order.append(variable)
            else:
                self._address(i, axes, t)
                if order:
                    raise KernelError(f"a unit or batch index of {t!r} is not a plain index")
                address.append(i)
        if len(set(order)) < len(order):
            raise KernelError(f"an index stands twice in {t!r}")
        if symbol.kind == DEFINED:
            d = self.theory.definition(t.name)
            if d is None or len(axis_params(d)) != len(order):
                raise KernelError(f"{t!r} does not read a whole array of {t.name!r}")
        return Array(t.name, tuple(address), tuple(order))

    def _address(self, i: Idx, axes: frozenset[str], t: Term) -> None:
        stray = {a.name for a in i.atoms() if isinstance(a, QVar)} & axes
        if stray:
            raise KernelError(f"a unit or batch index is computed with in {t!r}")


def _whole_axis(bound: Idx) -> bool:
    """Is this the width of a layer, or the number of samples?"""
    plain = not bound.const and len(bound.terms) == 1 and bound.terms[0][1] == 1
    return plain and range_kind(bound) in ("unit", "batch")


def _variable(i: Idx) -> str:
    """The name of an index that is a plain variable, else ""."""
    if i.const or len(i.terms) != 1 or i.terms[0][1] != 1:
        return ""
    atom = i.terms[0][0]
    return atom.name if isinstance(atom, QVar) else ""
