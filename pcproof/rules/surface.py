"""The public words in which rules are written: x[l], mu[l], sq, Sum, Eq, F.diff.

``x[l]`` is the vector of layer l (all samples, all units), a ``Field``;
``theta[l]`` a matrix, also a ``Field``.  ``sq(v)`` is its squared norm, a
``Scalar``; ``F.diff(x[l])`` is the gradient, a ``Field`` whose boundary cases
are carried as side conditions.  Everything is a term of the language; nothing
here is more than notation.  ``is_zero``, ``nonzero`` and ``before`` make a rule
that learns when a unit's own error says so, and not at a given moment.
"""

from __future__ import annotations

import keyword
from fractions import Fraction
from typing import Any, Union

from ..language.diff import DiffError, Guarded, collect, diff
from ..language.index import Con, Idx, QVar, qvar, size
from ..language.index import eq as _eq
from ..language.terms import (
    ONE,
    Add,
    App,
    Inv,
    IsZero,
    Iverson,
    Mul,
    Num,
    Pow,
    Term,
    add,
    close,
    free_vars,
    mul,
    neg,
    subst,
    subterms,
    total,
)
from ..language.terms import Sum as _Sum
from ..networks.network import B, Network, width
from .equations import PHI, QUIET, RuleError

Number = Union[int, Fraction, str]
BEFORE = "before"  # stands in a rule for a product over past times, until the rule is read


MOST_DIGITS = 1000  # of a number in a rule; beyond some thousands Python prints none


def number(value: object) -> Term:
    """An exact number: int, Fraction, or text such as "1/2"; floats are refused."""
    if isinstance(value, (bool, float)):
        raise RuleError(f'{value!r} is not exact; write an int, a Fraction or a text such as "1/2"')
    if isinstance(value, str):
        try:
            value = Fraction(value)
        except (ValueError, ZeroDivisionError):
            raise RuleError(f'{short(value)} is not an exact number such as "1/2"') from None
    if isinstance(value, (int, Fraction)):
        if max(abs(value.numerator), value.denominator) >= 10**MOST_DIGITS:
            raise RuleError(f"a number of more than {MOST_DIGITS} digits is not understood")
        return Num(value)
    raise RuleError(f"an exact number or a symbol was expected, got {value!r}")


def Eq(a: object, b: object) -> Con:
    """The equation a = b between indices, as in ``when=Eq(t, l)``."""
    try:
        return _eq(Idx.of(a), Idx.of(b))  # type: ignore[arg-type]
    except TypeError:
        raise RuleError(f"Eq takes two indices, like Eq(t, l); got {a!r} and {b!r}") from None


def short(value: object) -> str:
    """A value for an error message."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


class Scalar:
    """A number of the problem: gamma, an energy."""

    def __init__(self, net: Network, term: Term) -> None:
        self.net = net
        self.term = term

    def _lift(self, other: object) -> Term:
        if isinstance(other, Scalar):
            return other.term
        if isinstance(other, Idx):
            raise RuleError(f"the index {other!r} cannot be used as a number")
        return number(other)

    def __add__(self, other: object) -> Scalar:
        return Scalar(self.net, add(self.term, self._lift(other)))

    __radd__ = __add__

    def __neg__(self) -> Scalar:
        return Scalar(self.net, neg(self.term))

    def __sub__(self, other: object) -> Scalar:
        return Scalar(self.net, add(self.term, neg(self._lift(other))))

    def __rsub__(self, other: object) -> Scalar:
        return Scalar(self.net, add(self._lift(other), neg(self.term)))

    def __mul__(self, other: object) -> Any:
        if isinstance(other, Field):
            return other * self
        return Scalar(self.net, mul(self.term, self._lift(other)))

    __rmul__ = __mul__

    def __truediv__(self, other: object) -> Any:
        if isinstance(other, Field):
            return other.__rtruediv__(self)
        return Scalar(self.net, mul(self.term, _reciprocal(self._lift(other))))

    def __rtruediv__(self, other: object) -> Scalar:
        return Scalar(self.net, mul(self._lift(other), _reciprocal(self.term)))

    def __pow__(self, exponent: object) -> Scalar:
        if isinstance(exponent, int) and not isinstance(exponent, bool):
            return Scalar(self.net, self.term**exponent if exponent >= 0 else _reciprocal(self.term**-exponent))
        if not isinstance(exponent, Idx):
            raise RuleError(f"the exponent must be an integer or an index, got {exponent!r}")
        if _not_negative(exponent):
            return Scalar(self.net, Pow(self.term, exponent))
        if _not_negative(-exponent):
            return Scalar(self.net, Pow(Inv(self.term), -exponent))
        raise RuleError(f"the exponent {exponent!r} may be of either sign; write it as a quotient of two powers")

    def diff(self, target: object) -> Field:
        """The gradient by x[l] or a weight theta[l], at every layer l in range."""
        if not isinstance(target, Field) or target.symbol is None:
            raise RuleError("diff takes x[l] or a kind of weight such as theta[l + 1]")
        theory = self.net.energy_theory()
        try:
            found = diff(theory, self.term, _strange(target.term))
        except DiffError as e:
            raise RuleError(f"the derivative by {target!r} cannot be taken: {e}") from None
        back = {v + "?": qvar(v) for v in free_vars(target.term)}
        term = add(*(subst(mul(Iverson(g.conditions), g.term) if g.conditions else g.term, back) for g in found.parts))
        return Field(self.net, target.kind, target.layer, term)

    def __repr__(self) -> str:
        return repr(self.term)


def _not_negative(exponent: Idx) -> bool:
    """May the exponent be meant as one that is not negative?  Layers count at most L; the rule says at which layers."""
    counts = dict(exponent.terms)
    depth = counts.pop(size("L").terms[0][0], 0)
    below = -sum(c for c in counts.values() if c < 0)
    if below:
        return depth >= below
    return depth >= 0 and (exponent.const >= 0 or depth > 0)


def _strange(target: Term) -> App:
    """The target with its variables renamed, so that none is free in the energy."""
    out = subst(target, {v: qvar(v + "?") for v in free_vars(target)})
    assert isinstance(out, App)
    return out


class Field:
    """A vector or matrix of one layer, as a term over its unit indices.

    kind: "state" (indices b, i) or the name of a kind of weight.
    symbol: set for x[l], theta[l] themselves, which may be differentiated by.
    """

    def __init__(self, net: Network, kind: str, layer: Idx, term: Term, symbol: str | None = None) -> None:
        self.net, self.kind, self.layer, self.term, self.symbol = net, kind, layer, term, symbol

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Field) and (self.kind, self.layer, self.term) == (other.kind, other.layer, other.term)

    def __hash__(self) -> int:
        return hash((self.kind, self.layer.key, self.term))

    def _join(self, other: object) -> Term:
        if isinstance(other, (Scalar, int, Fraction, str)) and not isinstance(other, bool):
            if other == 0:
                return Num(0)
            raise RuleError("a number cannot be added to a layer; multiply it by x[l] or by another layer quantity")
        if not isinstance(other, Field):
            raise RuleError(f"a layer quantity such as x[l] was expected, got {other!r}")
        if other.kind != self.kind or other.layer != self.layer:
            raise RuleError(
                f"a quantity of {self._where()} and one of {other._where()} were combined; "
                "only quantities of the same layer and kind can be"
            )
        return other.term

    def _where(self) -> str:
        """Kind and layer in words: ``activities of layer l``."""
        return f"{'activities' if self.kind == 'state' else 'weights ' + self.kind} of layer {self.layer!r}"

    def _with(self, term: Term) -> Field:
        return Field(self.net, self.kind, self.layer, term)

    def __add__(self, other: object) -> Field:
        return self._with(add(self.term, self._join(other)))

    __radd__ = __add__

    def __sub__(self, other: object) -> Field:
        return self._with(add(self.term, neg(self._join(other))))

    def __rsub__(self, other: object) -> Field:
        return self._with(add(self._join(other), neg(self.term)))

    def __neg__(self) -> Field:
        return self._with(neg(self.term))

    def __mul__(self, other: object) -> Field:
        """By a number, or elementwise by another quantity of the same layer."""
        if isinstance(other, Field):
            return self._with(_expanded(self.term, self._join(other)))
        return self._with(_expanded(self.term, _factor(other)))

    __rmul__ = __mul__

    def __truediv__(self, other: object) -> Field:
        if isinstance(other, Field):
            self._join(other)
            return self._with(_expanded(self.term, _reciprocal(_divisor(other))))
        return self._with(_expanded(self.term, _reciprocal(_factor(other))))

    def __rtruediv__(self, other: object) -> Field:
        return self._with(_expanded(_factor(other), _reciprocal(_divisor(self))))

    def __repr__(self) -> str:
        return repr(self.term)


def _factor(value: object) -> Term:
    """What a layer quantity is multiplied by or divided by."""
    if isinstance(value, Idx):
        raise RuleError(f"the index {value!r} cannot be used as a number")
    if isinstance(value, Field):
        raise RuleError("a layer quantity cannot be divided by; divide by a number or a parameter")
    return value.term if isinstance(value, Scalar) else number(value)


def _divisor(v: Field) -> Term:
    """What may be divided by unit by unit: one parameter that has an entry for each unit."""
    if not isinstance(v, UnitParameter):
        raise RuleError("a layer quantity cannot be divided by; divide by a number or a parameter")
    return v.term


def _reciprocal(term: Term) -> Term:
    """1 / term, taken into products and powers, so that alpha / gamma**l is alpha * gamma**(-l)."""
    if isinstance(term, Num):
        if term.value == 0:
            raise RuleError("division by zero")
        return Num(Fraction(1) / term.value)
    if isinstance(term, Mul):
        return mul(*(_reciprocal(a) for a in term.args))
    if isinstance(term, Pow):
        return Pow(_reciprocal(term.base), term.exponent)
    return term.arg if isinstance(term, Inv) else Inv(term)


def _expanded(a: Term, b: Term) -> Term:
    """a b, multiplied out where one is a sum, so that indicators stay in front of their terms."""
    left = a.args if isinstance(a, Add) else (a,)
    right = b.args if isinstance(b, Add) and any(isinstance(s, Iverson) for s in subterms(b)) else (b,)
    return add(*(mul(q, p) for p in left for q in right))


class UnitParameter(Field):
    """A parameter with an entry for each unit, as a quantity of its layer: ``p[l]``."""


class Matrix:
    """A parameter that is a matrix over the units of one layer: ``P[l]``; ``P[l] @ v`` is its product with v."""

    def __init__(self, net: Network, name: str, layer: Idx) -> None:
        self.net, self.name, self.layer = net, name, layer

    def __matmul__(self, v: object) -> Field:
        if not isinstance(v, Field) or v.kind != "state" or v.layer != self.layer:
            raise RuleError(f"{self!r} @ v takes a quantity of the units of layer {self.layer!r}, got {short(v)}")
        entry = App(self.name, (self.layer, qvar("i"), qvar("j")))
        return v._with(_Sum(width(self.layer), close(mul(entry, subst(v.term, {"i": qvar("j")})), "j")))

    def __repr__(self) -> str:
        return f"{self.name}[{self.layer!r}]"


class Symbols:
    """``x``, ``mu``, ``theta``, ...: index with a layer to get the layer's ``Field``."""

    def __init__(self, net: Network, name: str, kind: str) -> None:
        self.net, self.name, self.kind = net, name, kind

    def __getitem__(self, layer: object) -> Field:
        try:
            where = Idx.of(layer)  # type: ignore[arg-type]
        except TypeError:
            raise RuleError(f"{self.name}[...] takes a layer such as l or l + 1, got {layer!r}") from None
        if self.kind == "state":
            units: tuple[Idx, ...] = (qvar("b"), qvar("i"))
        else:
            units = tuple(qvar(u) for k in self.net.kinds if k.name == self.kind for u in k.units)
        free = self.name in ("x", *(k.name for k in self.net.kinds))
        return Field(self.net, self.kind, where, App(self.name, (where, *units)), self.name if free else None)

    def __iter__(self) -> Any:
        raise RuleError(f"{self.name} is not a list; write {self.name}[l]")

    def __repr__(self) -> str:
        return self.name


class Parameters:
    """A parameter that depends on the layer or the time (``gamma[l]``, ``gamma[t]``), on units or on pairs of them."""

    def __init__(self, net: Network, name: str, per: str = "layer") -> None:
        self.net, self.name, self.per = net, name, per

    def __getitem__(self, index: object) -> Any:
        try:
            at = Idx.of(index)  # type: ignore[arg-type]
        except TypeError:
            raise RuleError(f"{self.name}[...] takes an index such as l or L - l, got {short(index)}") from None
        if self.per == "unit":
            return UnitParameter(self.net, "state", at, App(self.name, (at, qvar("i"))))
        if self.per == "pair":
            return Matrix(self.net, self.name, at)
        return Scalar(self.net, App(self.name, (at,)))


def sq(v: Field, precision: object = None) -> Scalar:
    """Squared norm, summed over samples and units; ``precision``: weighed by a parameter of units or of pairs.

    ``sq(v, p[l])`` is the sum of p_i v_i^2, ``sq(v, P[l])`` the sum of P_ij v_i v_j.
    """
    if precision is not None:
        if not isinstance(precision, (UnitParameter, Matrix)):
            raise RuleError(f'a precision is a parameter per="unit" or per="pair", like p[l]; got {short(precision)}')
        if not isinstance(v, Field) or v.kind != "state" or v.layer != precision.layer:
            what = f"{v._where()}" if isinstance(v, Field) else short(v)
            raise RuleError(f"a precision of layer {precision.layer!r} weighs a quantity of that layer, not {what}")
        return Sum((precision @ v if isinstance(precision, Matrix) else precision * v) * v)
    if not isinstance(v, Field) or v.kind != "state":
        if isinstance(v, Field):
            kind = next(k for k in v.net.kinds if k.name == v.kind)
            return Scalar(v.net, _sum_units(mul(v.term, v.term), kind.units, kind.bounds(v.layer)))
        raise RuleError(f"sq takes a layer quantity such as x[l] - mu[l], got {v!r}")
    return Scalar(v.net, _sum_units(mul(v.term, v.term), ("b", "i"), (B, width(v.layer))))


def is_zero(v: Field) -> Field:
    """1 for each unit whose ``v`` is 0, and 0 for the others."""
    if not isinstance(v, Field):
        raise RuleError(f"is_zero takes a layer quantity such as eps[l], got {v!r}")
    return v._with(IsZero(v.term))


def nonzero(v: Field) -> Field:
    """1 for each unit whose ``v`` differs from 0, and 0 for the others."""
    return v._with(add(ONE, neg(is_zero(v).term)))


def before(window: object, v: Field) -> Field:
    """The product of ``v`` over the ``window`` times before the present; what lies before time 0 counts as 1."""
    try:
        steps = Idx.of(window)  # type: ignore[arg-type]
    except TypeError:
        raise RuleError(f"before takes a number of times such as size('td'), got {window!r}") from None
    if not isinstance(v, Field) or v.kind != "state":
        raise RuleError(f"before takes a quantity of the units of a layer such as is_zero(eps[l]), got {v!r}")
    return v._with(App(BEFORE, (steps,), (v.term,)))


def _sum_units(term: Term, units: tuple[str, ...], bounds: tuple[Idx, ...]) -> Term:
    for u, bound in reversed(list(zip(units, bounds))):
        term = _Sum(bound, close(term, u))
    return term


def Sum(body: Union[Scalar, Field], span: tuple[object, object, object] | None = None) -> Scalar:
    """Sum of ``body`` over (l, first, last), both ends included as in SymPy.

    Without a range, the sum of a layer quantity over its samples and units.
    """
    if span is None:
        if not isinstance(body, Field) or body.kind != "state":
            raise RuleError(f"Sum without a range takes a quantity of the units of a layer, got {short(body)}")
        return Scalar(body.net, _sum_units(body.term, ("b", "i"), (B, width(body.layer))))
    if not isinstance(body, Scalar):
        raise RuleError(f"Sum takes a number such as sq(x[l]), got {body!r}")
    try:
        variable, lo, hi = (Idx.of(s) for s in span)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise RuleError(f"Sum takes a range (l, first, last), got {span!r}") from None
    if variable.const or len(variable.terms) != 1 or not isinstance(variable.terms[0][0], QVar):
        raise RuleError(f"the index of Sum must be a variable such as l, got {variable!r}")
    name = variable.terms[0][0].name
    return Scalar(body.net, total(hi + 1, lambda k: subst(body.term, {name: k}), lo))


def symbols(net: Network, names: str) -> tuple[Any, ...]:
    """The words of a network by name: ``x, mu, theta, l, t, L, gamma = net.symbols("...")``."""
    known: dict[str, Any] = {n: Symbols(net, n, "state") for n in ("x", "mu", "eps", "y")}
    known |= {k.name: Symbols(net, k.name, k.name) for k in net.kinds}
    known |= {n: Scalar(net, App(n)) for n in ("gamma", "alpha")}
    known |= {n: qvar(n) for n in ("l", "t")}
    known |= {"L": size("L"), "target": Field(net, "state", Idx(0), App("s_out", (qvar("b"), qvar("i"))))}
    wanted = names.replace(",", " ").split()
    for n in wanted:
        if n not in known:
            raise RuleError(f"{n!r} is not a symbol of this network; known are {', '.join(known)}")
    return tuple(known[n] for n in wanted)


def indicator_parts(term: Term) -> list[Guarded]:
    """A sum of terms with indicators in front, as guarded parts."""
    out = []
    for a in term.args if isinstance(term, Add) else (term,):
        factors = a.args if isinstance(a, Mul) else (a,)
        cons = tuple(c for f in factors if isinstance(f, Iverson) for c in f.cons)
        out.append(Guarded(cons, collect(mul(*(f for f in factors if not isinstance(f, Iverson))))))
    return out


def parameter(net: Network, name: str, per: str = "") -> Any:
    """A real parameter of a rule of one's own; ``per`` is "", "layer", "time", "unit" or "pair".

    "unit": one number for each unit of each layer; "pair": a matrix over the units of each layer.
    """
    taken = {
        "x",
        "mu",
        "eps",
        "y",
        "delta",
        "s_in",
        "s_out",
        "L",
        "B",
        "n",
        "step",
        "mu_mixed",
        "eps_mixed",
        "velocity",
        PHI,
        QUIET,
    }
    taken |= {k.name for k in net.kinds} | {k.initial for k in net.kinds} | {f.name for f in net.functions}
    taken |= {"d" + n for k in net.kinds for n in (k.name, k.initial)}
    if not isinstance(name, str) or not name.isidentifier():
        raise RuleError(f"a parameter's name must be an identifier, got {name!r}")
    if keyword.iskeyword(name):
        raise RuleError(f"{name!r} is a word of Python; choose another name, such as {name[:3].lower()!r}")
    if name in taken:
        raise RuleError(f"{name!r} already has a meaning in this network; choose another name")
    if name == "alpha" and per:
        raise RuleError("alpha is backprop's learning rate, one number; give one that varies another name")
    if per not in ("", "layer", "time", "unit", "pair"):
        raise RuleError(f'per must be "layer", "time", "unit" or "pair", got {per!r}')
    return Parameters(net, name, per) if per else Scalar(net, App(name))
