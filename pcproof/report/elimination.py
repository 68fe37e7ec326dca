"""Delta elimination one step at a time, for display.

``language.diff`` gives the derivative and its side conditions at once.  Here
the same elimination is done step by step: every occurrence of a derivative is
a nest of sums over a product with deltas; each delta picks one term of its sum
and leaves the range in which that term has to lie as a side condition.
``check`` compares the outcome with ``language.diff``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count

from ..language.arith import entails, unsatisfiable
from ..language.diff import Derivative, collect, ordered
from ..language.index import Con, Idx, QVar, span
from ..language.terms import (
    ONE,
    ZERO,
    Add,
    Iverson,
    Mul,
    Num,
    Sum,
    Term,
    add,
    close,
    mul,
    open_,
    subst,
    subst_con,
    subst_idx,
    subterms,
)

Binder = tuple[str, Idx]


@dataclass(frozen=True)
class Occurrence:
    """sum over ``binders`` of [``deltas``] * ``term``, where ``conditions`` hold."""

    binders: tuple[Binder, ...]
    deltas: tuple[Con, ...]
    term: Term
    conditions: tuple[Con, ...] = ()

    def closed(self) -> Term:
        """As one term, without the side conditions."""
        out = mul(Iverson(self.deltas), self.term) if self.deltas else self.term
        number, rest = _number(out)
        for name, bound in reversed(self.binders):
            rest = Sum(bound, close(rest, name))
        return mul(Num(number), rest)


@dataclass(frozen=True)
class Pick:
    """One delta used up: the equation, the side condition that it leaves, what is left.

    A delta on free indices belongs to no sum: it is a condition itself.
    """

    equation: Con
    condition: tuple[Con, ...]
    left: Occurrence


def _number(t: Term) -> tuple[Fraction, Term]:
    if isinstance(t, Num):
        return t.value, ONE
    if isinstance(t, Mul) and isinstance(t.args[0], Num):
        return t.args[0].value, mul(*t.args[1:])
    return Fraction(1), t


def occurrences(raw: Term) -> list[Occurrence]:
    """The occurrences in a raw derivative; equal ones are counted together."""
    merged: dict[Term, tuple[Fraction, Occurrence]] = {}
    for o in _walk(raw, count()):
        number, rest = _number(o.term)
        key = ordered(Occurrence(o.binders, o.deltas, rest).closed())
        known, first = merged.get(key, (Fraction(0), replace(o, term=rest)))
        merged[key] = (known + number, first)
    return [replace(o, term=mul(Num(c), o.term)) for c, o in merged.values() if c]


def _walk(t: Term, fresh: count[int]) -> list[Occurrence]:
    if t is ZERO:
        return []
    if not any(isinstance(s, Iverson) for s in subterms(t)):
        return [Occurrence((), (), t)]
    if isinstance(t, Iverson):
        return [Occurrence((), t.cons, ONE)]
    if isinstance(t, Add):
        return [o for a in t.args for o in _walk(a, fresh)]
    if isinstance(t, Mul):
        out = [Occurrence((), (), ONE)]
        for a in t.args:
            out = [
                Occurrence(o.binders + p.binders, o.deltas + p.deltas, mul(o.term, p.term))
                for o in out
                for p in _walk(a, fresh)
            ]
        return out
    if isinstance(t, Sum):
        name = f"?e{next(fresh)}"
        inner = _walk(open_(t.body, Idx.of(QVar(name))), fresh)
        return [replace(o, binders=((name, t.bound), *o.binders)) for o in inner]
    raise ValueError(f"a delta stands inside {type(t).__name__}")


def picks(o: Occurrence) -> list[Pick]:
    """Use up the deltas, outermost sum first, so that side conditions name free indices only."""
    out: list[Pick] = []
    while True:
        step = _pick_one(o)
        if step is None:
            return out
        out.append(step)
        o = step.left


def _pick_one(o: Occurrence) -> Pick | None:
    for at, (name, bound) in enumerate(o.binders):
        var = QVar(name)
        inner_names = {QVar(n) for n, _ in o.binders[at:]}
        for c in o.deltas:
            coeff = dict(c.expr.terms).get(var, 0)
            if c.kind != "eq" or abs(coeff) != 1:
                continue
            value = (c.expr - Idx(0, ((var, coeff),))) * -coeff
            if inner_names & set(value.atoms()):
                continue
            values = {name: value}
            deltas = [subst_con(d, values) for d in o.deltas if d is not c]
            deltas = [d for d in deltas if not entails((), d)]
            inner = tuple((n, subst_idx(b, values)) for n, b in o.binders[at + 1 :])
            rest = Occurrence(
                o.binders[:at] + inner,
                tuple(deltas),
                subst(o.term, values),
                tuple(subst_con(d, values) for d in o.conditions) + span(value, 0, bound),
            )
            return Pick(c, span(value, 0, bound), rest)
    names = {QVar(n) for n, _ in o.binders}
    outside = tuple(c for c in o.deltas if not names & set(c.expr.atoms()))
    if not outside:
        return None
    inside = tuple(c for c in o.deltas if c not in outside)
    return Pick(outside[0], outside, replace(o, deltas=inside, conditions=o.conditions + outside))


def check(d: Derivative) -> None:
    """Raise ValueError unless the steps lead to the parts that ``language.diff`` found."""
    found: dict[tuple[Con, ...], list[Term]] = {}
    for o in occurrences(d.raw):
        steps = picks(o)
        last = steps[-1].left if steps else o
        key = tuple(sorted(set(last.conditions), key=lambda c: c.key))
        found.setdefault(key, []).append(last.closed())
    ours = {ordered(collect(add(*ts))) for k, ts in found.items() if not unsatisfiable(k)} - {ZERO}
    theirs = {ordered(p.term) for p in d.parts}
    if ours != theirs:
        raise ValueError(f"two eliminations disagree on d/d{d.target!r}")
