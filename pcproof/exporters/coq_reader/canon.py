"""What both sides are brought to: nested tuples that are equal if and only if they say the same, term by term.

Every bound variable is the number of binders above it, so names of bound variables do not matter.

======================================  =======================================================
``(constant, ((atom, c), ...))``        integer: linear form, atoms in order, ``c`` not 0
``("var", k)``                          atom: the integer of binder k
``("size", env, name, integers)``       atom: an integer of the problem
``("ge" | "eq0" | "ne0", integer)``     constraint in lowest terms
``("num", q)``, ``("add" | "mul", ..)`` number; sum, product (to the left: (a + b) + c is a + b + c)
``("app", env, name, integers, args)``  symbol; ``("elsewhere", name)`` for a value where no case applies
``("pow", a, integer)``                 power
``("inv", a)``, ``("iszero", a)``       reciprocal, zero test
``("iverson", constraint, ...)``        indicator
``("sum", integer, lam)``               finite sum
``("lam", types, body)``                function
``("real", k)``, ``("apply", k, args)`` a bound real number; a bound function at arguments
``("eq" | "ne" | "le", a, b)``          relations of real numbers
``("slope", lam, a, b)``                at a the function has the derivative b
``("forall", types, body)``             for all (nested ones are joined)
``("implies", premises, body)``         (nested ones are joined)
``("and", a, ...)``, ``("true",)``      conjunction (to the right)
======================================  =======================================================

``env`` is ``"p"``, or ``(direction, k)`` where the parameters are moved along it by the real number of binder k.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import gcd
from typing import Any

Value = tuple[Any, ...]
Linear = tuple[int, tuple[tuple[Value, int], ...]]

TRUE: Value = ("true",)


def number(q: int | Fraction) -> Value:
    return "num", Fraction(q)


def linear(constant: int, pairs: Iterable[tuple[Value, int]] = ()) -> Linear:
    total: dict[Value, int] = {}
    for atom, c in pairs:
        total[atom] = total.get(atom, 0) + c
    return constant, tuple(sorted(((a, c) for a, c in total.items() if c), key=repr))


def variable(k: int) -> Linear:
    return linear(0, [(("var", k), 1)])


def plus(a: Linear, b: Linear, times: int = 1) -> Linear:
    return linear(a[0] + times * b[0], [*a[1], *((x, times * c) for x, c in b[1])])


def constraint(kind: str, e: Linear) -> Value:
    """``e`` >= 0, = 0 or != 0 in lowest terms."""
    constant, pairs = e
    g = gcd(*(c for _, c in pairs)) if pairs else 0
    if g > 1 and (kind == "ge" or constant % g == 0):
        constant, pairs = constant // g, tuple((a, c // g) for a, c in pairs)
    if kind != "ge" and pairs and pairs[0][1] < 0:
        constant, pairs = -constant, tuple((a, -c) for a, c in pairs)
    return kind, (constant, pairs)


def at_least(a: Linear, b: Linear) -> Value:
    """a >= b"""
    return constraint("ge", plus(a, b, -1))


def less(a: Linear, b: Linear) -> Value:
    return at_least(b, plus(a, (1, ())))


def total(parts: Sequence[Value]) -> Value:
    return _left("add", parts, 0)


def product(parts: Sequence[Value]) -> Value:
    return _left("mul", parts, 1)


def _left(kind: str, parts: Sequence[Value], empty: int) -> Value:
    if len(parts) < 2:
        return parts[0] if parts else number(empty)
    first = parts[0][1:] if parts[0][0] == kind else parts[:1]
    return (kind, *first, *parts[1:])


def forall(types: Sequence[Any], body: Value) -> Value:
    if not types:
        return body
    return ("forall", (*types, *body[1]), body[2]) if body[0] == "forall" else ("forall", tuple(types), body)


def implies(premises: Sequence[Value], body: Value) -> Value:
    if not premises:
        return body
    more = body[1] if body[0] == "implies" else ()
    return "implies", (*premises, *more), body[2] if more else body


def conjunction(parts: Sequence[Value]) -> Value:
    last = parts[-1][1:] if parts[-1][0] == "and" else parts[-1:]
    out = (*parts[:-1], *last)
    return ("and", *out) if len(out) > 1 else out[0]


# -- for people ----------------------------------------------------------------
def first_difference(a: Any, b: Any) -> tuple[Any, Any]:
    """The smallest parts in the same place that hold all that differs."""
    while isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        apart = [k for k in range(len(a)) if a[k] != b[k]]
        if len(apart) != 1 or not isinstance(a[apart[0]], tuple) or not isinstance(b[apart[0]], tuple):
            break
        a, b = a[apart[0]], b[apart[0]]
    return a, b


def show(x: Any, limit: int = 300) -> str:
    """Short text for a message; variables by the number of their binder: ``#0``."""
    text = _show(x)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _show(x: Any) -> str:
    if not isinstance(x, tuple):
        return str(x)
    if len(x) == 2 and type(x[0]) is int and isinstance(x[1], tuple):
        parts = [f"{'' if c == 1 else f'{c} '}{_show(a)}" for a, c in x[1]]
        return " + ".join(parts + ([str(x[0])] if x[0] or not parts else []))
    if len(x) == 2 and x[0] in ("var", "real", "num"):
        return str(x[1]) if x[0] == "num" else f"#{x[1]}"
    if x and x[0] in ("size", "app"):
        moved = "" if x[1] == "p" else f"@{_show(x[1])}"
        return f"{_show(x[2])}{moved}[{', '.join(_show(i) for y in x[3:] for i in y)}]"
    return "(" + " ".join(_show(y) for y in x) + ")"
