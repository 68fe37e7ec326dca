"""Index terms: layers, times, units, widths, all of them integers.

====================  ==========================================================
``QVar(name)``        a quantified variable (of a claim or a definition)
``Bound(k)``          an index bound by the k-th enclosing ``Sum`` (de Bruijn)
``Size(name, args)``  an integer of the problem: depth ``L``, width ``n(l)``
``Idx``               a linear combination of these, in canonical form
``Con``               a constraint: ``e >= 0``, ``e == 0`` or ``e != 0``
====================  ==========================================================

The three kinds of names are three classes: nothing is ever told apart by
comparing strings, so a variable called ``L`` is not the depth ``L``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import gcd
from typing import Any, Union

_good_names: set[str] = set()


def _name(kind: str, name: object) -> None:
    # keys are compared as text: a name with one of these could spell another index term
    if type(name) is str and name in _good_names:
        return
    if type(name) is not str or set(name) & set("+*(),"):
        raise ValueError(f"{kind}: a name may not contain any of + * ( ) , (got {name!r})")
    _good_names.add(name)


class _Final:
    """Data that the kernel trusts: no subclass may change its meaning, no assignment its value."""

    __slots__ = ()

    def __init_subclass__(cls, **kw: object) -> None:
        if cls.__module__ != __name__:
            raise TypeError("the nodes of index terms are final")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __reduce__(self) -> Any:
        # copies go through the constructor: it checks, and hashes differ between processes
        return type(self), tuple(getattr(self, n) for n in _FIELDS[type(self).__name__])


_set = object.__setattr__
_FIELDS = {
    "QVar": ("name",),
    "Bound": ("k",),
    "Size": ("name", "args"),
    "Idx": ("const", "terms"),
    "Con": ("kind", "expr"),
}


class QVar(_Final):
    """A quantified index variable."""

    __slots__ = ("key", "name")
    key: str
    name: str

    def __init__(self, name: str) -> None:
        _name("QVar", name)
        _set(self, "name", name)
        _set(self, "key", "v:" + name)

    def __eq__(self, other: object) -> bool:
        return type(other) is QVar and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return self.name


class Bound(_Final):
    """An index bound by an enclosing binder; 0 is the innermost."""

    __slots__ = ("k", "key")
    key: str
    k: int

    def __init__(self, k: int) -> None:
        if type(k) is not int or k < 0:
            raise ValueError(f"Bound: a number of binders is expected, got {k!r}")
        _set(self, "k", k)
        _set(self, "key", f"b:{k:04d}")

    def __eq__(self, other: object) -> bool:
        return type(other) is Bound and other.k == self.k

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"#{self.k}"


class Size(_Final):
    """An integer symbol of the problem, possibly depending on indices: ``L``, ``n(l)``."""

    __slots__ = ("args", "key", "name")
    key: str
    name: str
    args: tuple[Idx, ...]

    def __init__(self, name: str, args: tuple[Idx, ...] = ()) -> None:
        _name("Size", name)
        if any(type(a) is not Idx for a in args):
            raise TypeError(f"Size: index terms are expected, got {args!r}")
        _set(self, "name", name)
        _set(self, "args", tuple(args))
        _set(self, "key", "s:" + name + "(" + ",".join(a.key for a in self.args) + ")")

    def __eq__(self, other: object) -> bool:
        return type(other) is Size and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return self.name + (f"({', '.join(map(repr, self.args))})" if self.args else "")


Atom = Union[QVar, Bound, Size]
_ATOMS = frozenset((QVar, Bound, Size))
IdxLike = Union["Idx", QVar, Bound, Size, int]


class Idx(_Final):
    """A linear form ``const + sum coeff * atom``; equal forms are equal objects by ``==``."""

    __slots__ = ("_hash", "const", "key", "terms")
    _hash: int
    key: str
    const: int
    terms: tuple[tuple[Atom, int], ...]

    def __init__(self, const: int, terms: Iterable[tuple[Atom, int]] = ()) -> None:
        given = tuple(terms)
        if type(const) is not int or any(type(c) is not int or type(a) not in _ATOMS for a, c in given):
            raise TypeError(f"an index is an integer combination of index atoms, got {const!r}, {given!r}")
        if len(given) == 1 and given[0][1]:
            items: tuple[tuple[Atom, int], ...] = given
        else:
            merged: dict[str, tuple[Atom, int]] = {}
            for atom, coeff in given:
                known = merged.get(atom.key)
                merged[atom.key] = (atom, coeff if known is None else known[1] + coeff)
            items = tuple(p for _, p in sorted(merged.items()) if p[1])
        key = "+".join([str(const)] + [f"{c}*{a.key}" for a, c in items])
        _set(self, "const", const)
        _set(self, "terms", items)
        _set(self, "key", key)
        _set(self, "_hash", hash(key))

    @staticmethod
    def of(value: IdxLike) -> Idx:
        """Read an int, an atom or an index term as an index term."""
        kind = type(value)  # exact: an object may say of itself what it likes
        if kind is Idx:
            return value  # type: ignore[return-value]
        if kind is int:
            return Idx(value)  # type: ignore[arg-type]
        if kind not in _ATOMS:
            raise TypeError(f"an index must be an integer or an index term, got {value!r}")
        return Idx(0, ((value, 1),))  # type: ignore[arg-type]

    def __eq__(self, other: object) -> bool:
        return self is other or (type(other) is Idx and other.key == self.key)

    def __hash__(self) -> int:
        return self._hash

    def __add__(self, other: IdxLike) -> Idx:
        o = Idx.of(other)
        return Idx(self.const + o.const, self.terms + o.terms)

    __radd__ = __add__

    def __neg__(self) -> Idx:
        return self * -1

    def __sub__(self, other: IdxLike) -> Idx:
        return self + Idx.of(other) * -1

    def __rsub__(self, other: IdxLike) -> Idx:
        return Idx.of(other) - self

    def __mul__(self, k: int) -> Idx:
        if type(k) is not int:
            return NotImplemented
        return Idx(self.const * k, tuple((a, c * k) for a, c in self.terms))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        out = ""
        for atom, c in self.terms:
            mag = "" if abs(c) == 1 else f"{abs(c)}*"
            out += (" - " if out else "-") if c < 0 else (" + " if out else "")
            out += mag + repr(atom)
        if self.const or not out:
            if not out:
                return str(self.const)
            out += f" - {-self.const}" if self.const < 0 else f" + {self.const}"
        return out

    # -- walking ------------------------------------------------------------
    def atoms(self) -> Iterable[Atom]:
        """Every atom, those inside the arguments of sizes included."""
        for atom, _ in self.terms:
            yield atom
            if isinstance(atom, Size):
                for a in atom.args:
                    yield from a.atoms()

    def replace(self, fn: Callable[[Atom], Idx | None]) -> Idx:
        """Replace atoms; ``fn`` returns None for "leave it"."""
        const, terms, same = self.const, [], True
        for atom, c in self.terms:
            new = fn(atom)
            if new is None and isinstance(atom, Size) and atom.args:
                args = tuple(a.replace(fn) for a in atom.args)
                if any(x is not y for x, y in zip(args, atom.args)):
                    atom, same = Size(atom.name, args), False
            if new is None:
                terms.append((atom, c))
            else:
                same = False
                const += new.const * c
                terms += [(a, k * c) for a, k in new.terms]
        return self if same else Idx(const, terms)


def qvar(name: str) -> Idx:
    """The quantified variable ``name`` as an index term."""
    return Idx.of(QVar(name))


def size(name: str, *args: IdxLike) -> Idx:
    """The problem size ``name(args)`` as an index term."""
    return Idx.of(Size(name, tuple(Idx.of(a) for a in args)))


class Con(_Final):
    """A constraint on one index term: ``ge`` (>= 0), ``eq`` (== 0) or ``ne`` (!= 0)."""

    __slots__ = ("expr", "key", "kind")
    key: str
    kind: str
    expr: Idx

    def __init__(self, kind: str, expr: Idx) -> None:
        if kind not in ("ge", "eq", "ne"):
            raise ValueError(f"Con: unknown kind {kind!r} (expected ge, eq or ne)")
        if type(expr) is not Idx:
            raise TypeError(f"Con: an index term is expected, got {expr!r}")
        g = gcd(*(c for _, c in expr.terms))
        if g > 1 and (kind == "ge" or expr.const % g == 0):
            # over the integers g*e + c >= 0 says e + floor(c/g) >= 0
            expr = Idx(expr.const // g, tuple((a, c // g) for a, c in expr.terms))
        if kind != "ge" and expr.terms and expr.terms[0][1] < 0:
            expr = -expr
        _set(self, "kind", kind)
        _set(self, "expr", expr)
        _set(self, "key", kind + ":" + expr.key)

    def __eq__(self, other: object) -> bool:
        return type(other) is Con and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"{self.expr!r} {dict(ge='>=', eq='==', ne='!=')[self.kind]} 0"

    def replace(self, fn: Callable[[Atom], Idx | None]) -> Con:
        return Con(self.kind, self.expr.replace(fn))

    def negations(self) -> tuple[Con, ...]:
        """Constraints of which exactly one holds when this one fails."""
        e = self.expr
        if self.kind == "ge":
            return (ge(-e - 1, 0),)
        if self.kind == "eq":
            return (ge(e, 1), ge(-e, 1))
        return (Con("eq", e),)


def ge(a: IdxLike, b: IdxLike) -> Con:
    """a >= b"""
    return Con("ge", Idx.of(a) - b)


def le(a: IdxLike, b: IdxLike) -> Con:
    """a <= b"""
    return ge(b, a)


def lt(a: IdxLike, b: IdxLike) -> Con:
    """a < b"""
    return ge(Idx.of(b) - 1, a)


def eq(a: IdxLike, b: IdxLike) -> Con:
    """a == b"""
    return Con("eq", Idx.of(a) - b)


def ne(a: IdxLike, b: IdxLike) -> Con:
    """a != b"""
    return Con("ne", Idx.of(a) - b)


def span(a: IdxLike, lo: IdxLike, hi: IdxLike) -> tuple[Con, Con]:
    """lo <= a < hi"""
    return (ge(a, lo), lt(a, hi))
