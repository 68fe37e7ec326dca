"""Formal tangents: the directional derivative of a term, and of a recursive definition.

The tangent of ``y`` along a variation of the weights is again a recursion,
``Dy``; these functions write it down, the kernel proves that it is right.
"""

from __future__ import annotations

from collections.abc import Mapping

from .diff import DiffError, varies
from .index import Bound, Idx
from .signature import DEFINED, Case, Definition, Theory
from .terms import ZERO, Add, App, Inv, Mul, Sum, Term, add, mul, neg, shift, shift_index


def tangent(theory: Theory, t: Term, moving: Mapping[str, str]) -> Term:
    """d/ds of ``t`` where each symbol X in ``moving`` has the derivative ``moving[X]``; what depends on none has 0.

    Raises DiffError for a defined symbol that depends on X and is not in ``moving``, for a function without
    derivatives, and for a power or a comparison with 0 of what varies.
    """
    if not any(varies(theory, t, name) for name in moving):
        return ZERO
    if isinstance(t, App):
        if t.name in moving:
            return App(moving[t.name], t.idx)
        symbol = theory.symbols[t.name]
        if symbol.kind == DEFINED:
            raise DiffError(f"{t.name!r} varies with {_named(theory, t, moving)}, and no derivative of it is given")
        parts = []
        for k, lam in enumerate(t.args):
            inner = tangent(theory, lam.body, moving)
            if inner is ZERO:
                continue
            if not symbol.derivatives:
                raise DiffError(f"{t.name!r} has no derivative")
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
    raise DiffError(f"no rule to differentiate {type(t).__name__}, which varies with {_named(theory, t, moving)}")


def _named(theory: Theory, t: Term, moving: Mapping[str, str]) -> str:
    return ", ".join(repr(name) for name in moving if varies(theory, t, name))


def tangent_definition(theory: Theory, d: Definition, name: str, moving: Mapping[str, str]) -> Definition:
    """The recursion of the tangent of a defined symbol; same cases, same measure."""
    inner = {**moving, d.name: name}
    return Definition(name, d.params, tuple(Case(c.guard, tangent(theory, c.value, inner)) for c in d.cases), d.measure)
