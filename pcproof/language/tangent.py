"""Formal tangents: the directional derivative of a term, and of a recursive definition.

The tangent of ``y`` along a variation of the weights is again a recursion,
``Dy``; these functions write it down, the kernel proves that it is right.
"""

from __future__ import annotations

from collections.abc import Mapping

from .index import Bound, Idx
from .signature import Case, Definition, Theory
from .terms import ZERO, Add, App, Inv, Mul, Sum, Term, add, mul, neg, shift, shift_index


def tangent(theory: Theory, t: Term, moving: Mapping[str, str]) -> Term:
    """d/ds of ``t`` where each symbol X in ``moving`` has the derivative ``moving[X]``."""
    if isinstance(t, App):
        if t.name in moving:
            return App(moving[t.name], t.idx)
        symbol = theory.symbols[t.name]
        parts = []
        for k, lam in enumerate(t.args):
            inner = tangent(theory, lam.body, moving)
            if inner is ZERO:
                continue
            if not symbol.derivatives:
                raise ValueError(f"{t.name!r} has no derivative")
            up = shift(App(symbol.derivatives[k], t.idx, t.args), lam.arity)
            assert isinstance(up, App)
            own = tuple(Idx.of(Bound(lam.arity - 1 - p)) for p in range(lam.arity))
            part = mul(App(up.name, up.idx + own, up.args), inner)
            for p, bound in reversed(list(enumerate(symbol.bounds(k, t.idx)))):
                part = Sum(shift_index(bound, p), part)
            parts.append(part)
        return add(*parts)
    if isinstance(t, Add):
        return add(*(tangent(theory, a, moving) for a in t.args))
    if isinstance(t, Mul):
        parts = []
        for k, a in enumerate(t.args):
            moved = tangent(theory, a, moving)
            if moved is not ZERO:
                parts.append(mul(*t.args[:k], moved, *t.args[k + 1 :]))
        return add(*parts)
    if isinstance(t, Sum):
        body = tangent(theory, t.body, moving)
        return ZERO if body is ZERO else Sum(t.bound, body)
    if isinstance(t, Inv):
        return neg(mul(t, t, tangent(theory, t.arg, moving)))
    return ZERO


def tangent_definition(theory: Theory, d: Definition, name: str, moving: Mapping[str, str]) -> Definition:
    """The recursion of the tangent of a defined symbol; same cases, same measure."""
    inner = {**moving, d.name: name}
    return Definition(name, d.params, tuple(Case(c.guard, tangent(theory, c.value, inner)) for c in d.cases), d.measure)
