"""From SymPy to terms: a user states an energy or a layer as an ordinary SymPy expression.

Understood: rationals, +, *, integer powers, ``Sum``, ``Indexed``, undefined
functions, ``KroneckerDelta``, ``Piecewise`` on indices, powers with an index
as exponent.  A ``Vocabulary`` says what the names mean.  Everything else is
refused with a ``SympyError`` that names it; no text is ever evaluated.

Conventions that the conversion bridges:

==================  ============================================================
SymPy               here
==================  ============================================================
bounds inclusive    ``Sum(bound, body)`` runs 0..bound-1; lower bounds are
                    shifted away; an empty range gives 0
names of binders    de Bruijn numbers: SymPy's scoping is read lexically, so no
                    index is captured
units 1..n(l)       0..n(l)-1, where the vocabulary says "one-based"
``f(x[l+1,j])``     ``f[l+1](x[l+1,j])``: the layer is read off the argument
==================  ============================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from .arith import entails
from .index import Con, Idx, eq, ge, le, lt, ne, qvar, size
from .signature import FUNCTION, OPERATOR, Theory
from .terms import ONE, ZERO, App, Inv, IsZero, Iverson, Lam, Num, Pow, Sum, Term, add, close, close_lam, mul, sub

__all__ = [
    "LAYER",
    "ONE_BASED",
    "UNIT",
    "ZERO_BASED",
    "Fn",
    "SympyError",
    "Tensor",
    "Vocabulary",
    "from_sympy",
    "index_from_sympy",
    "paper_vocabulary",
    "theory_vocabulary",
]

ONE_BASED, ZERO_BASED = "one-based", "zero-based"
LAYER, UNIT = "layer", "unit"
_UNIT_ROLES = "bijk"


class SympyError(ValueError):
    """A SymPy expression is not understood; the message names the part and what was expected."""


@dataclass(frozen=True)
class Tensor:
    """How an ``IndexedBase`` (or a function of indices only) is read.

    symbol: our name.
    roles: the role of each SymPy index, a letter of ``t l b i j``.
    target: the roles of our symbol's indices, in our order; a role that SymPy's
        side lacks is filled in by the vocabulary (``b`` by its ``batch``).
    Without roles the indices are taken over as they stand, counted from 0.
    """

    symbol: str
    roles: str = ""
    target: str = ""


@dataclass(frozen=True)
class Fn:
    """How a SymPy function of real arguments is read.

    symbol: our name.
    indices: how many index arguments our symbol has.  SymPy's function either
        gives them first, ``f(l+1, x[l+1,j])``, or, if there is one, leaves it
        out; then it is the layer of the argument.
    """

    symbol: str
    indices: int = 1


@dataclass(frozen=True)
class Vocabulary:
    """What the names in a SymPy expression mean.

    sizes: names of sizes (symbols, functions or indexed bases) -> our names.
    indices: names of free index symbols -> "layer" or "unit".
    tensors, functions: names of indexed bases and functions -> how to read them.
    scalars: names of symbols that are real numbers -> our names.
    units: "one-based" (1..n(l), as in the papers) or "zero-based": holds for the
        index roles b, i, j, k and for free indices declared as "unit".
    batch, time: index terms that fill in the roles b and t.
    assumptions: constraints on sizes and free indices; with them, and with free
        indices being >= 0, exponents are shown not to be negative.
    """

    sizes: Mapping[str, str] = field(default_factory=dict)
    indices: Mapping[str, str] = field(default_factory=dict)
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    functions: Mapping[str, Fn] = field(default_factory=dict)
    scalars: Mapping[str, str] = field(default_factory=dict)
    units: str = ONE_BASED
    batch: Idx | None = None
    time: Idx | None = None
    assumptions: tuple[Con, ...] = ()

    def __post_init__(self) -> None:
        if self.units not in (ONE_BASED, ZERO_BASED):
            raise ValueError(f"Vocabulary: units must be {ONE_BASED!r} or {ZERO_BASED!r}, got {self.units!r}")
        for name, role in self.indices.items():
            if role not in (LAYER, UNIT):
                raise ValueError(f"Vocabulary: the index {name!r} must be {LAYER!r} or {UNIT!r}, got {role!r}")
        for t in self.tensors.values():
            if bool(t.roles) != bool(t.target) or not set(t.roles) <= set(t.target):
                raise ValueError(f"Vocabulary: roles {t.roles!r} of {t.symbol!r} do not fit the target {t.target!r}")
        seen: dict[str, str] = {}
        groups = (("size", self.sizes), ("index", self.indices), ("scalar", self.scalars))
        for kind, group in groups:
            for name in group:
                if name in seen:
                    raise ValueError(f"Vocabulary: {name!r} is declared as {seen[name]} and as {kind}")
                seen[name] = kind


def paper_vocabulary(batch: Idx | None = None, units: str = ONE_BASED) -> Vocabulary:
    """The names of the papers: sizes L, n; x[l,i], theta[l,i,j], ...; activation f; free l, i, j.

    The batch index, a free index ``b`` unless given, is put in where our symbols have one.
    """
    node, edge = ("li", "lbi"), ("lij", "lij")
    return Vocabulary(
        sizes={"L": "L", "n": "n"},
        indices={"l": LAYER, "i": UNIT, "j": UNIT, "k": UNIT},
        tensors={
            **{s: Tensor(s, *node) for s in ("x", "y", "mu", "eps", "delta")},
            **{s: Tensor(s, *edge) for s in ("theta", "w")},
            "beta": Tensor("beta", "li", "li"),
            "s_in": Tensor("s_in", "i", "bi"),
            "s_out": Tensor("s_out", "i", "bi"),
        },
        functions={"f": Fn("f"), "df": Fn("df")},
        scalars={"gamma": "gamma", "alpha": "alpha"},
        units=units,
        batch=qvar("b") if batch is None else batch,
        assumptions=(ge(size("L"), 1),),
    )


def theory_vocabulary(theory: Theory, indices: tuple[str, ...] = ()) -> Vocabulary:
    """The names of a theory as they stand, everything counted from 0: reads what ``to_sympy`` writes."""
    real = {n: s for n, s in theory.symbols.items() if s.kind in (FUNCTION, OPERATOR)}
    plain = {n: s for n, s in theory.symbols.items() if n not in real}
    return Vocabulary(
        sizes={n: n for n in theory.sizes},
        indices=dict.fromkeys(indices, LAYER),
        tensors={n: Tensor(n) for n, s in plain.items() if s.arity},
        functions={n: Fn(n, s.arity) for n, s in real.items()},
        scalars={n: n for n, s in plain.items() if not s.arity},
        units=ZERO_BASED,
        assumptions=theory.assumptions,
    )


def from_sympy(expr: Any, vocabulary: Vocabulary) -> Term:
    """A SymPy expression as a term; ``SympyError`` names what is not understood."""
    return _Reader(vocabulary).term(expr, _Scope({}, ()))


def index_from_sympy(expr: Any, vocabulary: Vocabulary) -> Idx:
    """A SymPy integer expression, linear in indices and sizes, as an index term."""
    return _Reader(vocabulary).index(expr, _Scope({}, ()))


@dataclass(frozen=True)
class _Scope:
    """Binders in force (SymPy symbol -> index term) and what is known about them."""

    binders: Mapping[Any, Idx]
    known: tuple[Con, ...]

    def bind(self, symbol: Any, value: Idx, known: tuple[Con, ...]) -> _Scope:
        return _Scope({**self.binders, symbol: value}, self.known + known)


class _Reader:
    def __init__(self, vocabulary: Vocabulary) -> None:
        import sympy

        self.sp = sympy
        self.v = vocabulary
        self.free: dict[str, Any] = {}
        self.count = 0

    def fresh(self) -> str:
        self.count += 1
        return f"?{self.count}"

    # -- names --------------------------------------------------------------------
    def name_of(self, symbol: Any, scope: _Scope) -> str:
        """The name of a free symbol, which must not be shared by another symbol."""
        name = str(symbol.name if hasattr(symbol, "name") else symbol)
        known = self.free.setdefault(name, symbol)
        if known != symbol or any(str(s) == name for s in scope.binders):
            raise SympyError(
                f"two different symbols are both called {name!r} (SymPy tells assumptions apart);"
                " expected one symbol for one name"
            )
        return name

    def index(self, e: Any, scope: _Scope) -> Idx:
        """An index: linear in indices and sizes, with integer coefficients."""
        sp = self.sp
        if isinstance(e, bool) or not isinstance(e, (int, sp.Basic)):
            raise SympyError(f"{e!r} stands as an index; expected a SymPy integer expression")
        if isinstance(e, (int, sp.Integer)):
            return Idx(int(e))
        if e in scope.binders:
            return scope.binders[e]
        if isinstance(e, (sp.Symbol, sp.Idx)):
            return self.free_index(e, scope)
        if isinstance(e, sp.Add):
            out = Idx(0)
            for a in e.args:
                out = out + self.index(a, scope)
            return out
        if isinstance(e, sp.Mul):
            numbers = [a for a in e.args if isinstance(a, sp.Integer)]
            rest = [a for a in e.args if not isinstance(a, sp.Integer)]
            if len(rest) == 1 and len(numbers) == 1:
                return self.index(rest[0], scope) * int(numbers[0])
        head = self.head(e)
        if head in self.v.sizes:
            args = e.indices if isinstance(e, sp.Indexed) else e.args
            return size(self.v.sizes[head], *(self.index(a, scope) for a in args))
        raise SympyError(f"the index {e} is not understood; expected a linear combination of indices and sizes")

    def free_index(self, e: Any, scope: _Scope) -> Idx:
        name = self.name_of(e, scope)
        if name in self.v.indices:
            return qvar(name) + (1 if self.v.indices[name] == UNIT and self.v.units == ONE_BASED else 0)
        if name in self.v.sizes:
            return size(self.v.sizes[name])
        raise SympyError(f"the symbol {name!r} stands as an index but is declared neither as index nor as size")

    def head(self, e: Any) -> str:
        """The name of an applied function or indexed base; "" for anything else."""
        sp = self.sp
        if isinstance(e, sp.Indexed):
            return str(e.base.label)
        return str(e.func.__name__) if isinstance(e, sp.Function) else ""

    # -- terms ----------------------------------------------------------------------
    def term(self, e: Any, scope: _Scope) -> Term:
        sp = self.sp
        if isinstance(e, bool) or not isinstance(e, (int, Fraction, sp.Basic)):
            raise SympyError(f"{e!r} is of type {type(e).__name__}; expected a SymPy expression")
        if isinstance(e, (int, Fraction)):
            return Num(e)
        if isinstance(e, sp.Rational):
            return Num(Fraction(int(e.p), int(e.q)))
        if isinstance(e, sp.Float):
            raise SympyError(f"the number {e} is a float; expected an exact Rational")
        if isinstance(e, (sp.Symbol, sp.Idx)):
            return self.scalar(e, scope)
        if isinstance(e, sp.Add):
            return add(*(self.term(a, scope) for a in e.as_ordered_terms()))
        if isinstance(e, sp.Mul) and not any(s.is_commutative is False for s in e.free_symbols):
            return mul(*(self.term(a, scope) for a in e.args))
        if isinstance(e, sp.Pow):
            return self.power(e, scope)
        if isinstance(e, sp.Sum):
            return self.sum(e, scope)
        if isinstance(e, sp.KroneckerDelta) and len(e.args) == 2:
            return Iverson((eq(self.index(e.args[0], scope), self.index(e.args[1], scope)),))
        if isinstance(e, sp.Piecewise):
            return self.piecewise(e, scope)
        head = self.head(e)
        if head in self.v.tensors:
            return self.tensor(e, head, scope)
        if isinstance(e, sp.Indexed):
            raise SympyError(f"the indexed base {head!r} of {e} is not declared; expected {_listed(self.v.tensors)}")
        if head in self.v.functions:
            return self.function(e, head, scope)
        if head in self.v.sizes:
            raise SympyError(f"the size {e} stands as a real number; expected it in indices and bounds of sums only")
        if head:
            raise SympyError(f"the function {head!r} in {e} is not declared; expected {_listed(self.v.functions)}")
        raise SympyError(
            f"{type(e).__name__} in {e} is not understood; expected rationals, +, *, integer powers, Sum, Indexed,"
            " declared functions or KroneckerDelta"
        )

    def scalar(self, e: Any, scope: _Scope) -> Term:
        if e in scope.binders:
            raise SympyError(f"the index {e} of a sum stands as a real number; expected it in indices only")
        name = self.name_of(e, scope)
        if name in self.v.scalars:
            return App(self.v.scalars[name])
        if name in self.v.indices or name in self.v.sizes:
            raise SympyError(f"the integer {name!r} stands as a real number; expected it in indices and bounds only")
        raise SympyError(f"the symbol {name!r} is not declared; expected {_listed(self.v.scalars)}")

    def power(self, e: Any, scope: _Scope) -> Term:
        sp = self.sp
        base = self.term(e.base, scope)
        exponent = e.exp
        if isinstance(exponent, sp.Integer):
            return base ** int(exponent)
        if isinstance(exponent, sp.Rational):
            raise SympyError(f"the power {e} has the fractional exponent {exponent}; expected an integer or an index")
        if isinstance(exponent, sp.Max) and len(exponent.args) == 2 and sp.Integer(0) in exponent.args:
            inner = next(a for a in exponent.args if a != 0)
            return Pow(base, self.index(inner, scope))
        k = self.index(exponent, scope)
        known = (*self.v.assumptions, *scope.known)
        known += tuple(ge(qvar(n), 0) for n in self.v.indices)
        if entails(known, ge(k, 0)):
            return Pow(base, k)
        if entails(known, ge(-k, 0)):
            return Inv(Pow(base, -k))
        raise SympyError(
            f"the exponent {exponent} of {e} may be negative; expected one that the bounds of the sums"
            " or the vocabulary's assumptions show to be >= 0"
        )

    def sum(self, e: Any, scope: _Scope) -> Term:
        return self.nested(e.function, tuple(reversed(e.limits)), scope)

    def nested(self, body: Any, limits: tuple[Any, ...], scope: _Scope) -> Term:
        """Limits from the outermost to the innermost; bounds see the outer binders only."""
        if not limits:
            return self.term(body, scope)
        if len(limits[0]) != 3:
            raise SympyError(f"the sum over {limits[0][0]} has no bounds; expected (index, first, last)")
        symbol, first, last = limits[0]
        lo, hi = self.index(first, scope), self.index(last, scope)
        bound = hi - lo + 1
        if not bound.terms and bound.const < 0:
            raise SympyError(f"the sum over {symbol} from {first} to {last} runs backwards; expected first <= last")
        name = self.fresh()
        value = qvar(name) + lo
        inner = self.nested(body, limits[1:], scope.bind(symbol, value, (ge(qvar(name), 0), lt(qvar(name), bound))))
        return ZERO if inner is ZERO else Sum(bound, close(inner, name))

    def tensor(self, e: Any, head: str, scope: _Scope) -> Term:
        t = self.v.tensors[head]
        args = e.indices if isinstance(e, self.sp.Indexed) else e.args
        if not t.roles:
            return App(t.symbol, (self.index(a, scope) for a in args))
        if len(args) != len(t.roles):
            raise SympyError(f"{e} has {len(args)} indices; expected {len(t.roles)} ({', '.join(t.roles)})")
        at = {}
        for role, a in zip(t.roles, args):
            shift = 1 if role in _UNIT_ROLES and self.v.units == ONE_BASED else 0
            at[role] = self.index(a, scope) - shift
        for role, value in (("b", self.v.batch), ("t", self.v.time)):
            if role in t.target and role not in at:
                if value is None:
                    raise SympyError(f"{e} has no index for the role {role!r}; expected the vocabulary to supply one")
                at[role] = value
        missing = [r for r in t.target if r not in at]
        if missing:
            raise SympyError(f"{e} lacks the index {missing[0]!r} of {t.symbol!r}; expected it among its indices")
        return App(t.symbol, (at[r] for r in t.target))

    def function(self, e: Any, head: str, scope: _Scope) -> Term:
        fn = self.v.functions[head]
        idx, real = e.args[: fn.indices], e.args[fn.indices :]
        if fn.indices == 1 and len(e.args) == 1:
            argument = self.argument(e.args[0], scope)
            return App(fn.symbol, (self.layer_of(e, argument.body),), (argument,))
        if not real:
            raise SympyError(f"{e} has {len(e.args)} arguments; expected {fn.indices} indices and a real argument")
        return App(fn.symbol, (self.index(a, scope) for a in idx), [self.argument(a, scope) for a in real])

    def argument(self, e: Any, scope: _Scope) -> Lam:
        if not isinstance(e, self.sp.Lambda):
            return Lam(0, self.term(e, scope))
        names = []
        for symbol in e.variables:
            names.append(self.fresh())
            scope = scope.bind(symbol, qvar(names[-1]), (ge(qvar(names[-1]), 0),))
        return Lam(len(names), close_lam(self.term(e.expr, scope), tuple(names)))

    def layer_of(self, e: Any, argument: Term) -> Idx:
        """The layer of the one tensor that a function is applied to."""
        where = {t.symbol: t.target.index("l") for t in self.v.tensors.values() if "l" in t.target}
        found = argument.idx[where[argument.name]] if isinstance(argument, App) and argument.name in where else None
        if found is None:
            raise SympyError(f"the layer of {e} is not clear; expected f(x[l, i]) or f(layer, argument)")
        return found

    # -- cases ------------------------------------------------------------------------
    def piecewise(self, e: Any, scope: _Scope) -> Term:
        """Piecewise((a, c), (b, True)) as [c] a + (1 - [c]) b."""
        if e.args[-1].cond != self.sp.true:
            raise SympyError(f"{e} leaves a case open; expected a last case with the condition True")
        out = self.term(e.args[-1].expr, scope)
        for case in reversed(e.args[:-1]):
            mark = self.condition(case.cond, scope)
            value = self.term(case.expr, scope)
            out = add(mul(mark, value), mul(sub(ONE, mark), out)) if out is not ZERO else mul(mark, value)
        return out

    def condition(self, c: Any, scope: _Scope) -> Term:
        """1 where a condition holds, else 0."""
        sp = self.sp
        if c == sp.true:
            return ONE
        if c == sp.false:
            return ZERO
        if isinstance(c, sp.And):
            return mul(*(self.condition(a, scope) for a in c.args))
        if isinstance(c, sp.Or):
            return sub(ONE, mul(*(sub(ONE, self.condition(a, scope)) for a in c.args)))
        if isinstance(c, sp.Not):
            return sub(ONE, self.condition(c.args[0], scope))
        if not isinstance(c, sp.core.relational.Relational):
            raise SympyError(f"the condition {c} is not understood; expected a comparison of indices")
        if isinstance(c, (sp.Eq, sp.Ne)) and not self.is_index(c.lhs, scope):
            zero = IsZero(sub(self.term(c.lhs, scope), self.term(c.rhs, scope)))
            return zero if isinstance(c, sp.Eq) else sub(ONE, zero)
        a, b = self.index(c.lhs, scope), self.index(c.rhs, scope)
        return Iverson((_COMPARISONS[c.rel_op](a, b),))

    def is_index(self, e: Any, scope: _Scope) -> bool:
        heads = {self.head(s) for s in self.sp.preorder_traversal(e)} - {""}
        if heads - set(self.v.sizes):
            return False
        atoms = e.atoms(self.sp.Symbol, self.sp.Idx)
        return all(s in scope.binders or str(s) in self.v.indices or str(s) in self.v.sizes for s in atoms)


_COMPARISONS: dict[str, Callable[[Idx, Idx], Con]] = {
    "==": eq,
    "!=": ne,
    ">=": ge,
    ">": lambda a, b: lt(b, a),
    "<=": le,
    "<": lt,
}


def _listed(names: Mapping[str, Any]) -> str:
    return "one of " + ", ".join(sorted(names)) if names else "none"
