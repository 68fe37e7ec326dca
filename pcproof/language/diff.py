"""Differentiation with respect to a field element, with side conditions.

``diff(term, target)`` differentiates by ``target`` = a symbol at free indices,
e.g. ``x[m,b,k]`` in an energy.  Each occurrence gives Kronecker deltas; a
delta inside a sum picks one term, and the range in which that term has to lie
is *recorded* as a side condition.  So boundary layers come out by themselves:
d/dx[m] of sum_{l<L} (x[l] - W x[l+1])^2/2 is

    [0 <= m < L] eps[m]  -  [1 <= m <= L] f'(x[m]) sum_i W[m,i] eps[m-1,i].

Symbols with a definition (``mu``, ``eps``) are differentiated through it and
left standing elsewhere, so errors stay factored.  Nothing here is trusted:
the kernel proves each derived gradient again, as a directional derivative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count

from .arith import entails, unsatisfiable
from .index import Bound, Con, Idx, QVar, eq, span
from .signature import DEFINED, PARAMETER, Case, Theory
from .terms import (
    ONE,
    ZERO,
    Add,
    App,
    Inv,
    Iverson,
    Mul,
    Num,
    Pow,
    Sum,
    Term,
    add,
    children,
    close,
    free_vars,
    mul,
    neg,
    open_,
    rebuild,
    shift,
    shift_index,
    subst,
    subst_con,
    subterms,
)

Guards = tuple[Con, ...]


class DiffError(ValueError):
    """A term cannot be differentiated; the message names the part."""


@dataclass(frozen=True)
class Guarded:
    """``term`` where ``conditions`` hold, 0 elsewhere."""

    conditions: Guards
    term: Term


@dataclass(frozen=True)
class Derivative:
    """d ``term`` / d ``target`` as a sum of guarded parts.

    raw: the derivative before deltas were eliminated, for display.
    """

    term: Term
    target: App
    raw: Term
    parts: tuple[Guarded, ...]

    def as_term(self) -> Term:
        """One term, the side conditions written as indicators."""
        return add(*(mul(Iverson(p.conditions), p.term) if p.conditions else p.term for p in self.parts))

    def cases(self, domain: Guards, given: Guards = ()) -> tuple[Case, ...]:
        """One case for each region of ``domain`` on which other parts are present."""
        return split_cases(self.parts, domain, given)


def varies(theory: Theory, t: Term, name: str) -> bool:
    """Does ``t`` depend on the parameter ``name``, through definitions too?"""
    seen: set[str] = set()
    stack = [t]
    while stack:
        for s in subterms(stack.pop()):
            if isinstance(s, App) and s.name not in seen:
                seen.add(s.name)
                if s.name == name:
                    return True
                d = theory.definition(s.name)
                if d is not None:
                    stack += [c.value for c in d.cases]
    return False


def diff(theory: Theory, term: Term, target: App) -> Derivative:
    """Derivative of ``term`` by ``target``, a parameter at index variables.

    The indices of ``target`` must be variables that are free in nothing else
    here; binders of ``term`` cannot be meant by accident (they have no names).
    """
    symbol = theory.symbols.get(target.name)
    if symbol is None or symbol.kind != PARAMETER:
        raise DiffError(f"{target.name!r} is not a parameter, so nothing can be differentiated by it")
    clash = free_vars(target) & free_vars(term)
    if clash:
        raise DiffError(f"the index {sorted(clash)[0]!r} is already free in the term; choose a new name")
    raw = _raw(theory, term, target)
    merged: dict[Guards, list[Term]] = {}
    for g in _eliminate(raw, count()):
        merged.setdefault(tuple(sorted(set(g.conditions), key=lambda c: c.key)), []).append(g.term)
    parts = tuple(
        Guarded(k, t) for k, ts in merged.items() if (t := collect(add(*ts))) is not ZERO and not unsatisfiable(k)
    )
    return Derivative(term, target, raw, parts)


def _raw(theory: Theory, t: Term, target: App) -> Term:
    if not varies(theory, t, target.name):
        return ZERO
    if isinstance(t, App):
        if t.name == target.name:
            return Iverson(eq(a, b) for a, b in zip(t.idx, target.idx))
        symbol = theory.symbols[t.name]
        if symbol.kind == DEFINED:
            d = theory.definition(t.name)
            assert d is not None
            if len(d.cases) != 1:
                raise DiffError(f"{t.name!r} is defined by several cases; differentiate each case")
            return _raw(theory, d.at(0, t.idx).value, target)
        if not symbol.derivatives:
            raise DiffError(f"{t.name!r} has no derivative")
        out = []
        for k, lam in enumerate(t.args):
            bounds = symbol.bounds(k, t.idx)
            inner = _raw(theory, lam.body, target)
            if inner is ZERO:
                continue
            # the derivative symbol takes the argument's indices; loose indices above move up by its arity
            slope = shift(App(symbol.derivatives[k], t.idx, t.args), lam.arity)
            assert isinstance(slope, App)
            own = tuple(Idx.of(Bound(lam.arity - 1 - p)) for p in range(lam.arity))
            part = mul(App(slope.name, slope.idx + own, slope.args), inner)
            for p, bound in reversed(list(enumerate(bounds))):
                part = Sum(shift_index(bound, p), part)
            out.append(part)
        return add(*out)
    if isinstance(t, Add):
        return add(*(_raw(theory, a, target) for a in t.args))
    if isinstance(t, Mul):
        return add(*(mul(*t.args[:k], _raw(theory, a, target), *t.args[k + 1 :]) for k, a in enumerate(t.args)))
    if isinstance(t, Sum):
        body = _raw(theory, t.body, target)
        return ZERO if body is ZERO else Sum(t.bound, body)
    if isinstance(t, Inv):
        return neg(mul(t, t, _raw(theory, t.arg, target)))
    if isinstance(t, Pow):
        raise DiffError(f"a power with a symbolic exponent is not differentiated: {t!r}")
    raise DiffError(f"no rule to differentiate {type(t).__name__}")


def _eliminate(t: Term, fresh: count[int]) -> list[Guarded]:
    """Sum of guarded terms, deltas used up; distributes only over what holds a delta."""
    if not any(isinstance(s, Iverson) for s in subterms(t)):
        return [Guarded((), t)]
    if isinstance(t, Iverson):
        return [Guarded(t.cons, ONE)]
    if isinstance(t, Add):
        return [g for a in t.args for g in _eliminate(a, fresh)]
    if isinstance(t, Mul):
        out = [Guarded((), ONE)]
        for a in t.args:
            out = [Guarded(g.conditions + h.conditions, mul(g.term, h.term)) for g in out for h in _eliminate(a, fresh)]
        return out
    if isinstance(t, Sum):
        name = f"?d{next(fresh)}"
        return [_pick(g, t.bound, name) for g in _eliminate(open_(t.body, Idx.of(QVar(name))), fresh)]
    raise DiffError(f"a delta stands inside {type(t).__name__}")


def _pick(g: Guarded, bound: Idx, name: str) -> Guarded:
    """Sum over ``name`` of a guarded term."""
    var = QVar(name)
    for c in g.conditions:
        coeff = dict(c.expr.terms).get(var, 0)
        if c.kind == "eq" and abs(coeff) == 1:
            value = (c.expr - Idx(0, ((var, coeff),))) * -coeff
            if var in set(value.atoms()):
                continue
            values = {name: value}
            rest = tuple(subst_con(d, values) for d in g.conditions if d is not c)
            kept = tuple(d for d in rest if not entails((), d))
            return Guarded(kept + span(value, 0, bound), subst(g.term, values))
    inside = tuple(c for c in g.conditions if var in set(c.expr.atoms()))
    outside = tuple(c for c in g.conditions if var not in set(c.expr.atoms()))
    body = mul(Iverson(inside), g.term) if inside else g.term
    return Guarded(outside, Sum(bound, close(body, name)))


def ordered(t: Term) -> Term:
    """The same term with factors and addends in canonical order, to compare by."""
    kids = [ordered(c) for _, c in children(t)]
    if isinstance(t, (Add, Mul)):
        kids.sort(key=lambda c: c.key)
    return rebuild(t, kids)


def collect(t: Term) -> Term:
    """Merge addends that differ in a number only, move numbers out of sums; keep factors standing."""
    return _collect(t, count())


def _collect(t: Term, fresh: count[int]) -> Term:
    if not isinstance(t, Add):
        return _front(t, fresh)
    coeffs: dict[Term, tuple[Fraction, Term]] = {}
    for a in t.args:
        a = _front(a, fresh)
        number, rest = Fraction(1), a
        if isinstance(a, Num):
            number, rest = a.value, ONE
        elif isinstance(a, Mul) and isinstance(a.args[0], Num):
            number, rest = a.args[0].value, mul(*a.args[1:])
        known, first = coeffs.get(ordered(rest), (Fraction(0), rest))
        coeffs[ordered(rest)] = (known + number, first)
    return add(*(mul(Num(c), r) for c, r in coeffs.values()))


def _front(t: Term, fresh: count[int]) -> Term:
    """Factors that do not depend on the index of a sum go in front of it."""
    if isinstance(t, Mul):
        return mul(*(_front(a, fresh) for a in t.args))
    if isinstance(t, Sum):
        name = f"?f{next(fresh)}"
        body = _collect(open_(t.body, Idx.of(QVar(name))), fresh)
        factors = body.args if isinstance(body, Mul) else (body,)
        out = [a for a in factors if name not in free_vars(a)]
        inside = [a for a in factors if name in free_vars(a)]
        return mul(*out, Sum(t.bound, close(mul(*inside), name) if inside else ONE))
    return t


def split_cases(parts: Sequence[Guarded], domain: Guards, given: Guards = ()) -> tuple[Case, ...]:
    """Cut ``domain`` where conditions change; each region gets the sum of its parts.

    given: facts that hold anyway (ranges of unit indices, assumptions on
    sizes): used to decide conditions, left out of the guards of the cases.
    """
    regions: list[Guards] = [domain]
    equations = tuple(dict.fromkeys(c for p in parts for c in p.conditions if c.kind == "eq"))

    def known(r: Guards) -> Guards:
        """What holds in a region, with the equations that its bounds amount to: a width is read through them."""
        return (*given, *r, *(c for c in equations if entails((*given, *r), c)))

    for p in parts:
        for c in p.conditions:
            new: list[Guards] = []
            for r in regions:
                if entails(known(r), c) or unsatisfiable((*given, *r, *p.conditions)):
                    new.append(r)
                    continue
                sides = [(*r, s) for s in (c, *c.negations())]
                new += [s for s in sides if not unsatisfiable((*given, *s))]
            regions = new
    cases = []
    for r in regions:
        present = [p.term for p in parts if all(entails(known(r), c) for c in p.conditions)]
        cases.append(Case(tidy_guards(r, given), add(*present)))
    return tuple(cases)


def tidy_guards(guards: Guards, given: Guards = ()) -> Guards:
    """An equivalent shorter list: equations where two bounds meet, nothing implied by the rest."""
    out = list(dict.fromkeys(guards))
    for c in list(out):
        if c.kind == "ge" and entails(out, Con("eq", c.expr)):
            out = [d for d in out if d is not c]
            if not entails(out, Con("eq", c.expr)):
                out.insert(0, Con("eq", c.expr))
    for c in sorted(out, key=lambda d: d.kind == "eq"):
        rest = [d for d in out if d is not c]
        if entails((*given, *rest), c):
            out = rest
    return tuple(out)
