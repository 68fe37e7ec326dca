"""The claim of a certificate in the tuples of ``canon``, written from ``docs/certificate.md``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from .canon import (
    TRUE,
    Linear,
    Value,
    conjunction,
    constraint,
    forall,
    implies,
    less,
    linear,
    number,
    plus,
    product,
    total,
    variable,
)

Json = Any
INTEGER, REAL = "Z", "R"


@dataclass(frozen=True)
class Place:
    """What the variables and bound indices are here, and along which direction the parameters move."""

    depth: int = 0
    names: dict[str, Linear] = field(default_factory=dict)
    bound: tuple[Linear, ...] = ()
    env: Any = "p"

    def binder(self, count: int = 1) -> Place:
        fresh = tuple(variable(self.depth + k) for k in range(count))
        return replace(self, depth=self.depth + count, bound=(*self.bound, *fresh))

    def deeper(self, count: int = 1) -> Place:
        """Under binders that no index of the certificate speaks of."""
        return replace(self, depth=self.depth + count)


def argument_type(bounds: Sequence[Json]) -> Any:
    """Type of a real argument that is read inside these bounds."""
    return (*[INTEGER] * len(bounds), REAL) if bounds else REAL


def function(indices: int, body: Value) -> Value:
    return ("lam", (INTEGER,) * indices, body) if indices else body


class Certified:
    """The theory and the goals of a certificate.  Raises ``LookupError``, ``TypeError`` or ``ValueError`` on others."""

    def __init__(self, data: Json) -> None:
        self.theory: Json = data["theory"]
        self.symbols: dict[str, Json] = self.theory["symbols"]
        self.sizes: dict[str, int] = self.theory["sizes"]
        self.defined = {d["name"] for group in self.theory["definitions"] for d in group}
        self.goals: list[Json] = [g["statement"] for g in data["goals"]]

    # -- signature ---------------------------------------------------------------
    def types(self, name: str) -> tuple[Any, ...]:
        s = self.symbols[name]
        return (*[INTEGER] * s["arity"], *(argument_type(r) for r in s["ranges"]))

    def fields(self) -> list[tuple[str, str, tuple[Any, ...], str]]:
        """Everything that the theorem is quantified over: kind of name, name, types of arguments, type of value."""
        out = [("size", n, (INTEGER,) * k, INTEGER) for n, k in self.sizes.items()]
        for n in self.symbols:
            out.append(("elsewhere" if n in self.defined else "symbol", n, self.types(n), REAL))
        return out

    # -- integers and terms --------------------------------------------------------
    def integer(self, i: Json, at: Place) -> Linear:
        constant, *parts = i
        out: Linear = (int(constant), ())
        for c, *atom in parts:
            out = plus(out, self._atom(atom, at), int(c))
        return out

    def _atom(self, atom: Json, at: Place) -> Linear:
        kind, name, *args = atom
        if kind == "var":
            return at.names[name]
        if kind == "bound":
            return at.bound[len(at.bound) - 1 - name]
        if kind != "size":
            raise ValueError(f"unknown kind of index {kind!r}")
        return linear(0, [(("size", at.env, name, tuple(self.integer(a, at) for a in args)), 1)])

    def constraint(self, c: Json, at: Place) -> Value:
        kind, e = c
        return constraint({"ge": "ge", "eq": "eq0", "ne": "ne0"}[kind], self.integer(e, at))

    def constraints(self, cs: Sequence[Json], at: Place) -> tuple[Value, ...]:
        return tuple(self.constraint(c, at) for c in cs)

    def term(self, row: Json, at: Place) -> Value:
        kind, *rest = row
        if kind == "num":
            return number(Fraction(rest[0]))
        if kind in ("add", "mul"):
            parts = [self.term(r, at) for r in rest]
            return total(parts) if kind == "add" else product(parts)
        if kind == "sum":
            return "sum", self.integer(rest[0], at), ("lam", (INTEGER,), self.term(rest[1], at.binder()))
        if kind == "pow":
            return "pow", self.term(rest[0], at), self.integer(rest[1], at)
        if kind in ("inv", "iszero"):
            return kind, self.term(rest[0], at)
        if kind == "iverson":
            return "iverson", *self.constraints(rest, at)
        if kind != "app":
            raise ValueError(f"unknown kind of term {kind!r}")
        name, indices, args = rest
        values = tuple(self.argument(len(bounds), b, at) for bounds, b in args)
        return "app", at.env, name, tuple(self.integer(i, at) for i in indices), values

    def argument(self, indices: int, body: Json, at: Place) -> Value:
        return function(indices, self.term(body, at.binder(indices)))

    # -- statements ------------------------------------------------------------------
    def variables(self, names: Sequence[str]) -> Place:
        return Place(len(names), {n: variable(k) for k, n in enumerate(names)})

    def statement(self, s: Json) -> Value:
        at = self.variables(s["for"])
        claim = implies(self.constraints(s["where"], at), self.relation(s["holds"], at))
        return forall([INTEGER] * len(s["for"]), claim)

    def relation(self, r: Json, at: Place) -> Value:
        kind, *rest = r
        if kind in ("eq", "ne", "le"):
            return kind, self.term(rest[0], at), self.term(rest[1], at)
        if kind == "tangent":
            moved = replace(at.deeper(), env=(rest[0], at.depth))
            return "slope", ("lam", (REAL,), self.term(rest[1], moved)), number(0), self.term(rest[2], at)
        if kind != "deriv":
            raise ValueError(f"unknown relation {kind!r}")
        return self._derivative(rest[0], at)

    def _derivative(self, row: Json, at: Place) -> Value:
        """At f[..](..) the declared derivatives are derivatives.

        One number: the derivative in it.  Otherwise: along all curves of arguments through the point.
        """
        _, name, indices, args = row
        s = self.symbols[name]
        own = tuple(self.integer(i, at) for i in indices)
        if s["ranges"] == [[]]:
            x = self.argument(0, args[0][1], at)
            curve: Value = ("lam", (REAL,), ("app", "p", name, own, (("real", at.depth),)))
            return "slope", curve, x, ("app", "p", s["derivatives"][0], own, (x,))
        types: list[Any] = []
        given: list[Value] = []
        parts: list[Value] = []
        inside = at.deeper(2 * len(args))
        for k, (bounds, (_, body)) in enumerate(zip(s["ranges"], args)):
            count = len(bounds)
            where, what = at.depth + 2 * k, at.depth + 2 * k + 1
            types += [(REAL, *argument_type(bounds)), argument_type(bounds)]
            limits = self._bounds(bounds, own, inside)
            start = self.term(body, inside.binder(count))
            js = [variable(inside.depth + m) for m in range(count)]
            step = ("real", inside.depth + count)
            moving = ("lam", (REAL,), ("apply", where, (step, *js)))
            given.append(_in_range(js, limits, ("eq", ("apply", where, (number(0), *js)), start)))
            given.append(_in_range(js, limits, ("slope", moving, number(0), _bound_value(what, js))))
            points = tuple(self.argument(len(r), b, inside.deeper(count)) for r, b in args)
            part = product([("app", "p", s["derivatives"][k], (*own, *js), points), _bound_value(what, js)])
            for bound in reversed(limits):
                part = ("sum", bound, ("lam", (INTEGER,), part))
            parts.append(part)
        moved = []
        for k, bounds in enumerate(s["ranges"]):
            js = [variable(inside.depth + 1 + m) for m in range(len(bounds))]
            moved.append(function(len(bounds), ("apply", at.depth + 2 * k, (("real", inside.depth), *js))))
        curve = ("lam", (REAL,), ("app", "p", name, own, tuple(moved)))
        return forall(types, implies(given, ("slope", curve, number(0), total(parts))))

    def _bounds(self, bounds: Sequence[Json], own: Sequence[Linear], at: Place) -> list[Linear]:
        """Upper bounds of an argument's indices, for the symbol's own indices ``own``."""
        place = replace(at, names={str(k): i for k, i in enumerate(own)}, bound=())
        return [self.integer(b, place) for b in bounds]

    # -- what is assumed -----------------------------------------------------------------
    def facts(self) -> list[tuple[str, Value]]:
        """Each assumption on sizes and operators, with words for it."""
        out = [(f"assumption {k}", self.constraint(c, Place())) for k, c in enumerate(self.theory["assumptions"])]
        for name, s in self.symbols.items():
            if any(s["ranges"]):
                out.append((f"ranges of {name!r}", self._ranges(name, s)))
        return out

    def _ranges(self, name: str, s: Json) -> Value:
        """Arguments that are equal inside their ranges give equal values."""
        n, count = s["arity"], len(s["ranges"])
        own = tuple(variable(k) for k in range(n))
        kinds = [argument_type(r) for r in s["ranges"]]
        depth = n + 2 * count
        at = Place(depth)
        given = []
        for k, r in enumerate(s["ranges"]):
            js = [variable(depth + m) for m in range(len(r))]
            same = ("eq", _bound_value(n + k, js), _bound_value(n + count + k, js))
            given.append(_in_range(js, self._bounds(r, own, at), same))
        one, two = (
            ("app", "p", name, own, tuple(_eta(first + k, kinds[k], depth) for k in range(count)))
            for first in (n, n + count)
        )
        return forall([INTEGER] * n + kinds * 2, implies(given, ("eq", one, two)))

    def theory_ok(self) -> Value:
        return conjunction([*(f for _, f in self.facts()), TRUE])

    # -- directions --------------------------------------------------------------------
    def direction(self, name: str) -> list[Value]:
        """What stands in each field where the parameters have moved (binder 0: how far)."""
        varied = self.theory["directions"][name]
        out: list[Value] = []
        for kind, field_name, types, result in self.fields():
            values = tuple(
                variable(1 + k) if t == INTEGER else _eta(1 + k, t, 1 + len(types)) for k, t in enumerate(types)
            )
            cut = next((k for k, t in enumerate(types) if t != INTEGER), len(types))
            body: Any
            if result == INTEGER:
                body = linear(0, [(("size", "p", field_name, values), 1)])
            else:
                key = ("elsewhere", field_name) if kind == "elsewhere" else field_name
                body = ("app", "p", key, values[:cut], values[cut:])
                if kind == "symbol" and field_name in varied:
                    moved = ("app", "p", varied[field_name], values[:cut], values[cut:])
                    body = total([body, product([("real", 0), moved])])
            out.append(("lam", types, body) if types else body)
        return out

    # -- definitions ----------------------------------------------------------------------
    def calls(self, row: Json) -> set[str]:
        """Symbols that a term mentions."""
        found, stack = set(), [row]
        while stack:
            kind, *rest = stack.pop()
            if kind == "app":
                found.add(rest[0])
                stack += [b for _, b in rest[2]]
            elif kind in ("add", "mul"):
                stack += rest
            elif kind == "sum":
                stack.append(rest[1])
            elif kind in ("pow", "inv", "iszero"):
                stack.append(rest[0])
        return found

    def recursive(self, group: list[Json]) -> bool:
        own = {d["name"] for d in group}
        return any(own & self.calls(c["value"]) for d in group for c in d["cases"])


def _in_range(js: Sequence[Linear], limits: Sequence[Linear], claim: Value) -> Value:
    """For all 0 <= j < limit: the claim."""
    given = [g for j, b in zip(js, limits) for g in (constraint("ge", j), less(j, b))]
    return forall([INTEGER] * len(js), implies(given, claim))


def _bound_value(binder: int, js: Sequence[Linear]) -> Value:
    """A bound number, or a bound function at integers."""
    return ("apply", binder, tuple(js)) if js else ("real", binder)


def _eta(binder: int, kind: Any, depth: int) -> Value:
    """A bound argument, functions written out."""
    if kind == REAL:
        return "real", binder
    count = len(kind) - 1
    return "lam", (INTEGER,) * count, ("apply", binder, tuple(variable(depth + m) for m in range(count)))
