"""From terms to SymPy: for display, for use elsewhere, and as an independent check.

=================  ============================================================
``to_sympy``       the same expression in SymPy: ``Sum`` with inclusive bounds
                   from 0, ``Indexed``, ``Function``, ``KroneckerDelta``
``unroll``         the term written out at concrete sizes: sums expanded, a plain
                   symbol ``x_1_0_2`` for every entry of a parameter
=================  ============================================================

``sympy.diff`` of an unrolled energy is an oracle for derived equations: an
activation knows its derivative symbol, so f_1(x_1_0) differentiates to
df_1(x_1_0).

Where SymPy means something else: 1/a at a = 0 (here 0), and a power with an
exponent that may be negative (here 1; written with ``Max(0, e)``).  Free
indices are taken to be >= 0 in exponents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

from .evaluate import EvaluationError, Evaluator, Model
from .index import Atom, Bound, Con, Idx, QVar
from .show import choose_name, range_kind, reserved_names
from .signature import DEFINED, FUNCTION, OPERATOR, PARAMETER, Symbol, Theory
from .terms import Add, App, Inv, IsZero, Iverson, Lam, Mul, Num, Pow, Sum, Term, symbols

__all__ = ["SYMBOL", "UNFOLD", "entry", "entry_name", "index_symbol", "to_sympy", "unroll"]

UNFOLD, SYMBOL = "unfold", "symbol"


def to_sympy(term: Term, names: Sequence[str] | None = None) -> Any:
    """The term as a SymPy expression; index symbols are integer symbols.

    names: for the loose bound indices of ``term``, innermost first.
    """
    loose = tuple(names or ())
    return _Writer(reserved_names(term).union(loose, symbols(term))).term(term, loose)


def index_symbol(name: str) -> Any:
    """The SymPy symbol of an index or size called ``name``, as ``to_sympy`` uses it."""
    import sympy

    return sympy.Symbol(name, integer=True)


class _Writer:
    def __init__(self, avoid: frozenset[str]) -> None:
        import sympy

        self.sp = sympy
        self.avoid = avoid

    def index(self, i: Idx, names: tuple[str, ...]) -> Any:
        out = self.sp.Integer(i.const)
        for a, c in i.terms:
            out += c * self.atom(a, names)
        return out

    def atom(self, a: Atom, names: tuple[str, ...]) -> Any:
        if isinstance(a, QVar):
            return index_symbol(a.name)
        if isinstance(a, Bound):
            if a.k >= len(names):
                raise ValueError("to_sympy: a bound index stands outside its sum; expected a name for it")
            return index_symbol(names[a.k])
        if not a.args:
            return index_symbol(a.name)
        return self.sp.Function(a.name, integer=True)(*(self.index(x, names) for x in a.args))

    def term(self, t: Term, names: tuple[str, ...]) -> Any:
        sp = self.sp
        if isinstance(t, Num):
            return sp.Rational(t.value.numerator, t.value.denominator)
        if isinstance(t, Add):
            return sp.Add(*(self.term(a, names) for a in t.args))
        if isinstance(t, Mul):
            return sp.Mul(*(self.term(a, names) for a in t.args))
        if isinstance(t, App):
            idx = [self.index(i, names) for i in t.idx]
            if t.args:
                return sp.Function(t.name)(*idx, *(self.argument(a, names) for a in t.args))
            return sp.IndexedBase(t.name)[tuple(idx)] if idx else sp.Symbol(t.name)
        if isinstance(t, Sum):
            name = choose_name(range_kind(t.bound), self.avoid.union(names))
            body = self.term(t.body, (name, *names))
            return sp.Sum(body, (index_symbol(name), 0, self.index(t.bound, names) - 1))
        if isinstance(t, Pow):
            exponent = self.index(t.exponent, names)
            if t.exponent.const < 0 or any(c < 0 for _, c in t.exponent.terms):
                exponent = sp.Max(0, exponent)
            return self.term(t.base, names) ** exponent
        if isinstance(t, Inv):
            return 1 / self.term(t.arg, names)
        if isinstance(t, IsZero):
            zero = sp.Eq(self.term(t.arg, names), 0, evaluate=False)
            return sp.Piecewise((1, zero), (0, True), evaluate=False)
        if isinstance(t, Iverson):
            return self.iverson(t, names)
        raise TypeError(f"to_sympy: unknown node {type(t).__name__}")

    def argument(self, a: Lam, names: tuple[str, ...]) -> Any:
        if not a.arity:
            return self.term(a.body, names)
        inner = names
        for _ in range(a.arity):
            inner = (choose_name("unit", self.avoid.union(inner)), *inner)
        variables = tuple(index_symbol(n) for n in inner[: a.arity][::-1])
        return self.sp.Lambda(variables, self.term(a.body, inner))

    def iverson(self, t: Iverson, names: tuple[str, ...]) -> Any:
        sp = self.sp
        if len(t.cons) == 1 and t.cons[0].kind == "eq":
            e = t.cons[0].expr
            first = Idx(0, [p for p in e.terms if p[1] > 0])
            return sp.KroneckerDelta(self.index(first, names), self.index(first - e, names))
        conditions = sp.And(*(self.condition(c, names) for c in t.cons))
        return sp.Piecewise((1, conditions), (0, True))

    def condition(self, c: Con, names: tuple[str, ...]) -> Any:
        relation = {"ge": self.sp.Ge, "eq": self.sp.Eq, "ne": self.sp.Ne}[c.kind]
        return relation(self.index(c.expr, names), 0)


# -- unrolling -----------------------------------------------------------------
def entry_name(name: str, idx: Sequence[int]) -> str:
    """``x_1_0_2`` for x[1,0,2]; a negative index -1 is written m1."""
    return "_".join([name, *(str(k) if k >= 0 else f"m{-k}" for k in idx)])


def entry(name: str, *idx: int) -> Any:
    """The SymPy symbol that stands for one entry of a parameter in unrolled terms."""
    import sympy

    return sympy.Symbol(entry_name(name, idx))


def unroll(
    term: Term,
    theory: Theory,
    sizes: Mapping[str, int | Callable[..., int]],
    env: Mapping[str, int] | None = None,
    defined: str = UNFOLD,
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> Any:
    """The term at concrete sizes as a SymPy expression without sums.

    sizes, env: values of the sizes and of the free indices.
    defined: "unfold" definitions, or keep every entry of a defined "symbol".
    functions: SymPy functions for activations, called with the symbol's integer
        indices and its argument; a derivative symbol without a function of its
        own is obtained by ``sympy.diff``.  Others stay undefined functions.
    """
    if defined not in (UNFOLD, SYMBOL):
        raise ValueError(f"unroll: defined must be {UNFOLD!r} or {SYMBOL!r}, got {defined!r}")
    return _Unroller(theory, sizes, defined, dict(functions or {})).value(term, dict(env or {}))


_classes: dict[Any, Any] = {}  # undefined functions, the same in every call so that results compare


class _Unroller(Evaluator):
    """The reference evaluator over SymPy expressions."""

    def __init__(self, theory: Theory, sizes: Mapping[str, Any], defined: str, given: dict[str, Any]) -> None:
        import sympy

        self.sp = sympy
        self.given = given
        kept = (PARAMETER,) if defined == UNFOLD else (PARAMETER, DEFINED)
        model = Model(
            sizes=sizes,
            parameters={n: self._entry(n) for n, s in theory.symbols.items() if s.kind in kept},
            functions={n: self._function(s) for n, s in theory.symbols.items() if s.kind in (FUNCTION, OPERATOR)},
            number=lambda q: sympy.Rational(q.numerator, q.denominator),
        )
        super().__init__(theory, model)

    def value(self, t: Term, env: Mapping[str, int]) -> Any:
        if isinstance(t, (IsZero, Inv)):
            arg = self.value(t.arg, env)
            if arg.is_number:
                return self.sp.Integer(int(arg == 0)) if isinstance(t, IsZero) else arg if arg == 0 else 1 / arg
            zero = self.sp.Eq(arg, 0, evaluate=False)
            return self.sp.Piecewise((1, zero), (0, True), evaluate=False) if isinstance(t, IsZero) else 1 / arg
        return super().value(t, env)

    def _entry(self, name: str) -> Callable[..., Any]:
        return lambda *idx: entry(name, *idx)

    def _function(self, s: Symbol) -> Callable[..., Any]:
        def apply(*given: Any) -> Any:
            idx, args = tuple(given[: s.arity]), given[s.arity :]
            if s.name in self.given:
                return self.given[s.name](*idx, *args)
            mother = self._mother(s)
            if mother is not None:
                r = self.sp.Dummy("r")
                return self.given[mother](*idx, r).diff(r).subs(r, args[0])
            shapes = tuple(self._shape(s, k, idx) for k in range(len(s.ranges)))
            flat = [v for shape, a in zip(shapes, args) for v in ([a(*k) for k in shape] if shape != ((),) else [a])]
            return self._undefined(s, idx, shapes)(*flat)

        return apply

    def _mother(self, s: Symbol) -> str | None:
        """The given activation whose derivative this symbol is."""
        if s.ranges != ((),):
            return None
        return next((n for n in self.given if self.theory.symbols[n].derivatives == (s.name,)), None)

    def _shape(self, s: Symbol, position: int, idx: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        """All values of the indices of one real argument; ((),) for an ordinary one."""
        bounds = [self.index(b, {}) for b in s.bounds(position, tuple(Idx(k) for k in idx))]
        return tuple(product(*(range(b) for b in bounds)))

    def _undefined(self, s: Symbol, idx: tuple[int, ...], shapes: tuple[tuple[tuple[int, ...], ...], ...]) -> Any:
        """An undefined function of all entries that the symbol reads, with its declared derivatives."""
        key = (idx, shapes, self._lineage(s, ()))
        if key not in _classes:
            places = [(position, k) for position, shape in enumerate(shapes) for k in shape]

            def fdiff(f: Any, argindex: int = 1) -> Any:
                position, k = places[argindex - 1]
                if position >= len(s.derivatives):
                    raise EvaluationError(f"the symbol {s.name!r} has no derivative by its argument {position + 1}")
                d = self.theory.symbols[s.derivatives[position]]
                return self._undefined(d, (*idx, *k), shapes)(*f.args)

            _classes[key] = type(entry_name(s.name, idx), (self.sp.Function,), {"fdiff": fdiff, "nargs": len(places)})
        return _classes[key]

    def _lineage(self, s: Symbol, above: tuple[str, ...]) -> tuple[Any, ...]:
        """The name of a symbol and those of its derivatives, all the way down."""
        if s.name in above:
            return (s.name,)
        below = (self._lineage(self.theory.symbols[d], (*above, s.name)) for d in s.derivatives)
        return (s.name, *below)
