"""Real-valued terms over symbolic indices.

=======================  =======================================================
``Num(q)``               an exact rational number
``App(name, idx, args)`` a symbol applied to indices and, for activations and
                         layer operators, to real arguments (``Lam``)
``Add(a1, ..., ak)``     sum of terms
``Mul(a1, ..., ak)``     product of terms
``Pow(a, e)``            power with an index term as exponent; 1 where e <= 0
``Inv(a)``               reciprocal; 0 where a == 0
``IsZero(a)``            1 where a == 0, else 0
``Iverson(cons)``        1 where the index constraints hold, else 0
``Sum(n, body)``         sum of ``body`` over index 0..n-1 (empty if n <= 0);
                         ``body`` refers to the index as ``Bound(0)``
``Lam(k, body)``         an argument of an operator: a function of k indices
=======================  =======================================================

Terms are immutable and interned: equal terms are the same object.  Bound
indices are de Bruijn numbers, so terms that differ in the names of bound
indices only *are* equal, and no substitution can capture.

The class constructors are raw (the kernel needs exactly the node it asked
for); ``add``, ``mul``, ``sub``, ``neg`` and the Python operators tidy up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any, Union

from .index import Atom, Bound, Con, Idx, IdxLike, QVar, Size, eq

_FIELDS = {"App": ("name", "idx", "args"), "Pow": ("base", "exponent"), "Sum": ("bound", "body")}
_table: dict[tuple[Any, ...], Any] = {}
TermLike = Union["Term", int, Fraction]


class Term:
    """Base of all real-valued terms."""

    __slots__ = ("__weakref__", "_key")
    _key: str | None

    @property
    def key(self) -> str:
        """Canonical text: total order of terms, the same on every machine."""
        found = self._key
        if found is None:
            found = self._make_key()
            object.__setattr__(self, "_key", found)
        return found

    def _make_key(self) -> str:
        raise NotImplementedError(type(self).__name__)

    def __init_subclass__(cls, **kw: object) -> None:
        if cls.__module__ != __name__:
            raise TypeError("the nodes of terms are final")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a term cannot be changed")

    def __copy__(self) -> Term:
        return self

    def __deepcopy__(self, memo: object) -> Term:
        return self

    def __reduce__(self) -> Any:
        # interned: built by the constructor, never by filling in the fields of a blank node
        names = [n for n in type(self).__slots__ if not n.startswith("_")]
        fields = tuple(getattr(self, n) for n in _FIELDS.get(type(self).__name__, names))
        return type(self), fields[0] if type(self).__name__ in ("Add", "Mul") else fields

    def __repr__(self) -> str:
        from .show import show

        return show(self)

    def to_sympy(self) -> Any:
        """The term as a SymPy expression, for display and for checks.  See ``sympy_out``."""
        from .sympy_out import to_sympy

        return to_sympy(self)

    def __add__(self, other: TermLike) -> Term:
        return add(self, other)

    def __radd__(self, other: TermLike) -> Term:
        return add(other, self)

    def __sub__(self, other: TermLike) -> Term:
        return add(self, neg(other))

    def __rsub__(self, other: TermLike) -> Term:
        return add(other, neg(self))

    def __mul__(self, other: TermLike) -> Term:
        return mul(self, other)

    def __rmul__(self, other: TermLike) -> Term:
        return mul(other, self)

    def __neg__(self) -> Term:
        return neg(self)

    def __truediv__(self, other: TermLike) -> Term:
        o = as_term(other)
        if isinstance(o, Num):
            if o.value == 0:
                raise ZeroDivisionError("division of a term by the number 0")
            return mul(self, Num(1 / o.value))
        return mul(self, Inv(o))

    def __pow__(self, exponent: IdxLike) -> Term:
        if isinstance(exponent, int):
            if exponent < 0:
                return Inv(self ** (-exponent))
            return mul(*([self] * exponent)) if exponent else Num(1)
        return Pow(self, Idx.of(exponent))


def _intern(cls: type, fields: tuple[Any, ...], names: tuple[str, ...]) -> Any:
    found = _table.get((cls, *fields))
    if found is None:
        found = object.__new__(cls)
        for name, value in zip(names, fields):
            object.__setattr__(found, name, value)
        object.__setattr__(found, "_key", None)
        _table[(cls, *fields)] = found
    return found


class Num(Term):
    __slots__ = ("value",)
    value: Fraction

    def __new__(cls, value: int | Fraction) -> Num:
        if type(value) not in (int, Fraction):
            raise TypeError(f"a number in a term must be exact (int or Fraction), got {value!r}")
        return _intern(cls, (Fraction(value),), ("value",))  # type: ignore[no-any-return]

    def _make_key(self) -> str:
        return f"(num {self.value})"


class Lam:
    """A function of ``arity`` indices: ``Bound(0)`` is the last of them."""

    __slots__ = ("_key", "arity", "body")
    arity: int
    body: Term
    _key: str | None

    def __new__(cls, arity: int, body: Term) -> Lam:
        if type(arity) is not int or arity < 0 or not isinstance(body, Term):
            raise TypeError(f"Lam: a number of indices and a term are expected, got {arity!r}, {body!r}")
        return _intern(cls, (arity, body), ("arity", "body"))  # type: ignore[no-any-return]

    def __init_subclass__(cls, **kw: object) -> None:
        raise TypeError("the nodes of terms are final")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a term cannot be changed")

    def __copy__(self) -> Lam:
        return self

    def __deepcopy__(self, memo: object) -> Lam:
        return self

    def __reduce__(self) -> Any:
        return Lam, (self.arity, self.body)

    @property
    def key(self) -> str:
        return f"(lam {self.arity} {self.body.key})"

    def __repr__(self) -> str:
        return f"Lam({self.arity}, {self.body!r})"


class App(Term):
    __slots__ = ("args", "idx", "name")
    name: str
    idx: tuple[Idx, ...]
    args: tuple[Lam, ...]

    def __new__(cls, name: str, idx: Iterable[IdxLike] = (), args: Iterable[Lam | Term] = ()) -> App:
        if type(name) is not str:
            raise TypeError(f"App: a name is expected, got {name!r}")
        lams = tuple(a if type(a) is Lam else Lam(0, a) for a in args)  # type: ignore[arg-type]
        fields = (name, tuple(Idx.of(i) for i in idx), lams)
        return _intern(cls, fields, ("name", "idx", "args"))  # type: ignore[no-any-return]

    def _make_key(self) -> str:
        idx = " ".join(i.key for i in self.idx)
        return f"(app {self.name} [{idx}] {' '.join(a.key for a in self.args)})"


class Add(Term):
    __slots__ = ("args",)
    args: tuple[Term, ...]

    def __new__(cls, *args: Term) -> Add:
        return _intern(cls, (args,), ("args",))  # type: ignore[no-any-return]

    def _make_key(self) -> str:
        return f"(add {' '.join(a.key for a in self.args)})"


class Mul(Term):
    __slots__ = ("args",)
    args: tuple[Term, ...]

    def __new__(cls, *args: Term) -> Mul:
        return _intern(cls, (args,), ("args",))  # type: ignore[no-any-return]

    def _make_key(self) -> str:
        return f"(mul {' '.join(a.key for a in self.args)})"


class Pow(Term):
    __slots__ = ("base", "exponent")
    base: Term
    exponent: Idx

    def __new__(cls, base: Term, exponent: IdxLike) -> Pow:
        fields = (base, Idx.of(exponent))
        return _intern(cls, fields, ("base", "exponent"))  # type: ignore[no-any-return]

    def _make_key(self) -> str:
        return f"(pow {self.base.key} {self.exponent.key})"


class Inv(Term):
    __slots__ = ("arg",)
    arg: Term

    def __new__(cls, arg: Term) -> Inv:
        return _intern(cls, (arg,), ("arg",))  # type: ignore[no-any-return]

    def _make_key(self) -> str:
        return f"(inv {self.arg.key})"


class IsZero(Term):
    __slots__ = ("arg",)
    arg: Term

    def __new__(cls, arg: Term) -> IsZero:
        return _intern(cls, (arg,), ("arg",))  # type: ignore[no-any-return]

    def _make_key(self) -> str:
        return f"(iszero {self.arg.key})"


class Iverson(Term):
    __slots__ = ("cons",)
    cons: tuple[Con, ...]

    def __new__(cls, cons: Iterable[Con]) -> Iverson:
        given = tuple(cons)
        if any(type(c) is not Con for c in given):
            raise TypeError(f"Iverson: constraints are expected, got {given!r}")
        ordered = tuple(sorted(set(given), key=lambda c: c.key))
        return _intern(cls, (ordered,), ("cons",))  # type: ignore[no-any-return]

    def _make_key(self) -> str:
        return f"(iverson {' '.join(c.key for c in self.cons)})"


class Sum(Term):
    __slots__ = ("body", "bound")
    bound: Idx
    body: Term

    def __new__(cls, bound: IdxLike, body: Term) -> Sum:
        return _intern(cls, (Idx.of(bound), body), ("bound", "body"))  # type: ignore[no-any-return]

    def _make_key(self) -> str:
        return f"(sum {self.bound.key} {self.body.key})"


NODES = (Num, App, Add, Mul, Pow, Inv, IsZero, Iverson, Sum)
ZERO, ONE = Num(0), Num(1)


# -- tidy constructors ------------------------------------------------------
def as_term(value: TermLike) -> Term:
    """Read an int or Fraction as a term; floats are refused (they are not exact)."""
    return value if isinstance(value, Term) else Num(value)


def add(*args: TermLike) -> Term:
    """Sum, flattened, numbers collected, zeros dropped."""
    const, out = Fraction(0), []
    stack = [as_term(a) for a in reversed(args)]
    while stack:
        a = stack.pop()
        if isinstance(a, Num):
            const += a.value
        elif isinstance(a, Add):
            stack.extend(reversed(a.args))
        else:
            out.append(a)
    if const:
        out.append(Num(const))
    return ZERO if not out else out[0] if len(out) == 1 else Add(*out)


def mul(*args: TermLike) -> Term:
    """Product, flattened, numbers collected in front, 0 and 1 resolved."""
    const, out = Fraction(1), []
    stack = [as_term(a) for a in reversed(args)]
    while stack:
        a = stack.pop()
        if isinstance(a, Num):
            const *= a.value
        elif isinstance(a, Mul):
            stack.extend(reversed(a.args))
        else:
            out.append(a)
    if const == 0:
        return ZERO
    if const != 1 or not out:
        out.insert(0, Num(const))
    return out[0] if len(out) == 1 else Mul(*out)


def neg(a: TermLike) -> Term:
    """-a, distributed over a sum so that -(a - b) reads b - a."""
    t = as_term(a)
    return add(*(mul(-1, x) for x in t.args)) if isinstance(t, Add) else mul(-1, t)


def sub(a: TermLike, b: TermLike) -> Term:
    """a - b"""
    return add(a, neg(b))


def total(bound: IdxLike, fn: Callable[[Idx], Term], lo: IdxLike = 0) -> Term:
    """Sum of ``fn(j)`` for lo <= j < bound; the index is fresh by construction."""
    from itertools import count

    low, hi = Idx.of(lo), Idx.of(bound)
    probe = fn(Idx.of(QVar("?0")))
    used = free_vars(probe) | {a.name for i in (low, hi) for a in i.atoms() if isinstance(a, QVar)}
    name = next(f"?{k}" for k in count(1) if f"?{k}" not in used)
    body = close(fn(Idx.of(QVar(name)) + low), name)
    return ZERO if body is ZERO else Sum(hi - low, body)


def tidy(t: Term) -> Term:
    """Resolve sums and products in which something became 0 or 1."""
    if isinstance(t, Add):
        return add(*(tidy(a) for a in t.args))
    if isinstance(t, Mul):
        return mul(*(tidy(a) for a in t.args))
    if isinstance(t, Sum):
        body = tidy(t.body)
        return ZERO if body is ZERO else Sum(t.bound, body)
    return t


def delta(a: IdxLike, b: IdxLike) -> Term:
    """Kronecker delta of two indices."""
    return Iverson((eq(a, b),))


# -- structure --------------------------------------------------------------
def children(t: Term) -> tuple[tuple[int, Term], ...]:
    """Subterms, each with the number of binders between it and ``t``."""
    if isinstance(t, (Add, Mul)):
        return tuple((0, a) for a in t.args)
    if isinstance(t, Sum):
        return ((1, t.body),)
    if isinstance(t, App):
        return tuple((a.arity, a.body) for a in t.args)
    if isinstance(t, Pow):
        return ((0, t.base),)
    if isinstance(t, (Inv, IsZero)):
        return ((0, t.arg),)
    if isinstance(t, (Num, Iverson)):
        return ()
    raise TypeError(f"children: unknown node {type(t).__name__}")


def rebuild(t: Term, parts: Iterable[Term]) -> Term:
    """``t`` with its subterms replaced, raw."""
    new = tuple(parts)
    if isinstance(t, Add):
        return Add(*new)
    if isinstance(t, Mul):
        return Mul(*new)
    if isinstance(t, Sum):
        return Sum(t.bound, new[0])
    if isinstance(t, App):
        return App(t.name, t.idx, (Lam(a.arity, b) for a, b in zip(t.args, new)))
    if isinstance(t, Pow):
        return Pow(new[0], t.exponent)
    if isinstance(t, Inv):
        return Inv(new[0])
    if isinstance(t, IsZero):
        return IsZero(new[0])
    if isinstance(t, (Num, Iverson)):
        return t
    raise TypeError(f"rebuild: unknown node {type(t).__name__}")


def indices(t: Term) -> tuple[Idx, ...]:
    """The index terms that stand in this node itself."""
    if isinstance(t, App):
        return t.idx
    if isinstance(t, Sum):
        return (t.bound,)
    if isinstance(t, Pow):
        return (t.exponent,)
    if isinstance(t, Iverson):
        return tuple(c.expr for c in t.cons)
    return ()


def subterms(t: Term) -> Iterator[Term]:
    """Every subterm, ``t`` first."""
    stack = [t]
    while stack:
        s = stack.pop()
        yield s
        stack.extend(c for _, c in reversed(children(s)))


def map_index(t: Term, fn: Callable[[Idx, int], Idx], depth: int = 0) -> Term:
    """Rebuild ``t`` with ``fn(index term, number of binders above it)`` applied."""
    memo: dict[tuple[Term, int], Term] = {}

    def go(s: Term, d: int) -> Term:
        found = memo.get((s, d))
        if found is not None:
            return found
        out: Term
        if isinstance(s, Num):
            out = s
        elif isinstance(s, App):
            out = App(
                s.name,
                (fn(i, d) for i in s.idx),
                (Lam(a.arity, go(a.body, d + a.arity)) for a in s.args),
            )
        elif isinstance(s, Sum):
            out = Sum(fn(s.bound, d), go(s.body, d + 1))
        elif isinstance(s, Pow):
            out = Pow(go(s.base, d), fn(s.exponent, d))
        elif isinstance(s, Iverson):
            out = Iverson(Con(c.kind, fn(c.expr, d)) for c in s.cons)
        else:
            out = rebuild(s, (go(c, d) for _, c in children(s)))
        memo[(s, d)] = out
        return out

    return go(t, depth)


def _shift(i: Idx, by: int, cutoff: int) -> Idx:
    def fn(a: Atom) -> Idx | None:
        if isinstance(a, Bound) and a.k >= cutoff:
            if a.k + by < cutoff:
                raise ValueError("a bound index would escape its sum")
            return Idx.of(Bound(a.k + by))
        return None

    return i.replace(fn) if by else i


def shift_index(i: Idx, by: int) -> Idx:
    """Renumber the loose bound indices of an index term."""
    return _shift(i, by, 0)


def shift(t: Term, by: int) -> Term:
    """Renumber the loose bound indices of ``t`` (those of enclosing binders)."""
    return map_index(t, lambda i, d: _shift(i, by, d)) if by else t


def open_lam(arity: int, body: Term, values: tuple[Idx, ...]) -> Term:
    """The body of a binder of ``arity`` indices with ``values`` put in."""
    if len(values) != arity:
        raise ValueError(f"open_lam: {arity} indices expected, got {len(values)}")

    def fn(i: Idx, d: int) -> Idx:
        def atom(a: Atom) -> Idx | None:
            if isinstance(a, Bound) and a.k >= d:
                if a.k < d + arity:
                    return _shift(values[arity - 1 - (a.k - d)], d, 0)
                return Idx.of(Bound(a.k - arity))
            return None

        return i.replace(atom)

    return map_index(body, fn)


def open_(body: Term, value: IdxLike) -> Term:
    """The body of a ``Sum`` at one value of its index."""
    return open_lam(1, body, (Idx.of(value),))


def close_lam(t: Term, names: tuple[str, ...]) -> Term:
    """Bind the quantified variables ``names``: the inverse of ``open_lam``."""
    arity, where = len(names), {n: k for k, n in enumerate(names)}

    def fn(i: Idx, d: int) -> Idx:
        def atom(a: Atom) -> Idx | None:
            if isinstance(a, QVar) and a.name in where:
                return Idx.of(Bound(d + arity - 1 - where[a.name]))
            if isinstance(a, Bound) and a.k >= d:
                return Idx.of(Bound(a.k + arity))
            return None

        return i.replace(atom)

    return map_index(t, fn)


def close(t: Term, name: str) -> Term:
    """Bind one quantified variable, to become the body of a ``Sum``."""
    return close_lam(t, (name,))


def subst_idx(i: Idx, values: dict[str, Idx]) -> Idx:
    """Simultaneous substitution of quantified variables in an index term."""
    return i.replace(lambda a: values.get(a.name) if isinstance(a, QVar) else None)


def subst(t: Term, values: dict[str, Idx]) -> Term:
    """Simultaneous substitution of quantified index variables; cannot capture."""
    if not values:
        return t

    def fn(i: Idx, d: int) -> Idx:
        def atom(a: Atom) -> Idx | None:
            if isinstance(a, QVar) and a.name in values:
                return _shift(values[a.name], d, 0)
            return None

        return i.replace(atom)

    return map_index(t, fn)


def subst_con(c: Con, values: dict[str, Idx]) -> Con:
    """Substitution in a constraint."""
    return Con(c.kind, subst_idx(c.expr, values))


def replace_apps(t: Term, fn: Callable[[App], Term | None]) -> Term:
    """Replace applications bottom-up; ``fn`` returns None for "leave it".

    ``fn`` sees indices with loose ``Bound`` of the binders above; what it
    returns stands in the same place, so they mean the same there.
    """
    memo: dict[Term, Term] = {}

    def go(s: Term) -> Term:
        found = memo.get(s)
        if found is None:
            kids = children(s)
            new = tuple(go(c) for _, c in kids)
            found = rebuild(s, new) if any(a is not b for a, (_, b) in zip(new, kids)) else s
            if isinstance(found, App):
                found = fn(found) or found
            memo[s] = found
        return found

    return go(t)


def _idx_atoms(t: Term) -> Iterator[Atom]:
    for s in subterms(t):
        for i in indices(s):
            yield from i.atoms()


_vars_memo: dict[Term, frozenset[str]] = {}


def free_vars(t: Term) -> frozenset[str]:
    """Names of the quantified variables in ``t``."""
    found = _vars_memo.get(t)
    if found is None:
        own = {a.name for i in indices(t) for a in i.atoms() if isinstance(a, QVar)}
        found = frozenset(own.union(*(free_vars(c) for _, c in children(t))))
        _vars_memo[t] = found
    return found


def sizes(t: Term) -> set[str]:
    """Names of the problem sizes (``L``, ``n``) in ``t``."""
    return {a.name for a in _idx_atoms(t) if isinstance(a, Size)}


def symbols(t: Term) -> set[str]:
    """Names of the real symbols in ``t``."""
    return {s.name for s in subterms(t) if isinstance(s, App)}


def mentions_bound(t: Term, k: int = 0) -> bool:
    """Does ``t`` mention the loose bound index ``k``?"""

    def go(s: Term, d: int) -> bool:
        for i in indices(s):
            if any(isinstance(a, Bound) and a.k == k + d for a in i.atoms()):
                return True
        return any(go(c, d + e) for e, c in children(s))

    return go(t, 0)


_loose_memo: dict[Term, int] = {}


def loose(t: Term) -> int:
    """How many enclosing binders ``t`` needs: 0 for a closed term."""
    found = _loose_memo.get(t)
    if found is None:
        own = [a.k + 1 for i in indices(t) for a in i.atoms() if isinstance(a, Bound)]
        found = max([0, *own, *(loose(c) - e for e, c in children(t))])
        _loose_memo[t] = found
    return found


def closed(t: Term) -> bool:
    """No loose bound index."""
    return loose(t) == 0
