"""Indices, terms, relations and statements of a certificate as Coq text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from . import names

Json = Any

#: relations of two real numbers
RELATIONS = {"eq": "=", "ne": "<>", "le": "<="}


class CoqError(ValueError):
    """A certificate that this exporter cannot say in Coq; the message names what."""


def arrow(parts: Sequence[str], end: str) -> str:
    return " -> ".join([*parts, end])


def forall(variables: Sequence[str], body: str) -> str:
    return f"forall {' '.join(variables)} : Z, {body}" if variables else body


def plain(data: Json) -> Json:
    """The same with lists, as JSON has them, in the place of tuples; parts that are shared stay shared."""
    seen: dict[int, Json] = {}

    def go(d: Json) -> Json:
        if isinstance(d, str | int) or d is None:
            return d
        if id(d) not in seen:
            if isinstance(d, dict):
                seen[id(d)] = {k: go(v) for k, v in d.items()}
            elif isinstance(d, list | tuple):
                seen[id(d)] = [go(v) for v in d]
            else:
                raise TypeError(f"{type(d).__name__} is not JSON")
        return seen[id(d)]

    return go(data)


class _Table:
    """Terms by number; equal ones have the same."""

    def __init__(self) -> None:
        self.rows: list[Json] = []
        self._place: dict[str, int] = {}
        #: by identity, with the term, which so stays where it is
        self._seen: dict[int, tuple[Json, int]] = {}

    def number(self, t: Json) -> int:
        if id(t) not in self._seen:
            self._seen[id(t)] = t, self._number(t)
        return self._seen[id(t)][1]

    def _number(self, t: Json) -> int:
        kind, *rest = t
        if kind == "app":
            name, indices, arguments = rest
            row = [kind, name, indices, [[len(bounds), self.number(a)] for bounds, a in arguments]]
        elif kind in ("add", "mul", "inv", "iszero"):
            row = [kind, *map(self.number, rest)]
        elif kind == "pow":
            row = [kind, self.number(rest[0]), rest[1]]
        elif kind == "sum":
            row = [kind, rest[0], self.number(rest[1])]
        else:
            row = t
        key = repr(row)
        if key not in self._place:
            self._place[key] = len(self.rows)
            self.rows.append(row)
        return self._place[key]

    def relation(self, r: Json) -> Json:
        words = 2 if r[0] == "tangent" else 1
        return [*r[:words], *map(self.number, r[words:])]

    def statement(self, s: Json) -> Json:
        return {**s, "holds": self.relation(s["holds"])}


def tabled(data: Json) -> Json:
    """The certificate with ``terms``, a list of terms whose parts, like all mentions of terms, are numbers in it.

    ``contexts`` are a list too, in the order of first use, and items have numbers in it.

    An argument has the number of its indices; how far they go is declared with the symbol.
    """
    table, theory = _Table(), data["theory"]
    groups = [
        [{**d, "cases": [{**c, "value": table.number(c["value"])} for c in d["cases"]]} for d in group]
        for group in theory["definitions"]
    ]
    hypotheses = {n: table.statement(s) for n, s in theory["hypotheses"].items()}
    key = _by_identity(repr)
    contexts = {key(i["context"]): i["context"] for i in data["items"]}
    place = {text: k for k, text in enumerate(contexts)}
    return {
        **data,
        "theory": {**theory, "definitions": groups, "hypotheses": hypotheses},
        "goals": [{**g, "statement": table.statement(g["statement"])} for g in data["goals"]],
        "contexts": [{**c, "given": [table.statement(s) for s in c["given"]]} for c in contexts.values()],
        "items": [
            {**i, "context": place[key(i["context"])], "claim": table.relation(i["claim"])} for i in data["items"]
        ],
        "terms": table.rows,
    }


def _by_identity(f: Callable[[Json], str]) -> Callable[[Json], str]:
    """A function of data that live as long as it does."""
    seen: dict[int, tuple[Json, str]] = {}

    def of(d: Json) -> str:
        if id(d) not in seen:
            seen[id(d)] = d, f(d)
        return seen[id(d)][1]

    return of


class Texts:
    """Text of everything in one certificate, as ``tabled`` gives it.

    ``env`` is the Coq expression of the parameters: ``p``, or ``(v_d p s)`` where
    they vary along the direction d.  ``scope`` holds the names of bound indices.
    """

    def __init__(self, data: Json) -> None:
        self.table: list[Json] = data["terms"]
        self.theory: Json = data["theory"]
        self.symbols: dict[str, Json] = self.theory["symbols"]
        self._memo: dict[tuple[Any, ...], str] = {}
        #: constructors of the calls of the group that is being defined
        self.recursive: dict[str, str] = {}

    # -- indices ---------------------------------------------------------------
    def index(self, i: Json, env: str = "p", scope: Sequence[str] = (), own: Sequence[str] = ()) -> str:
        """``own``: what the variables "0", "1", ... of a range stand for."""
        const, *parts = i
        if any(type(c) is not int for c in (const, *(part[0] for part in parts))):
            raise CoqError(f"an index is an integer combination, got {i!r}")
        out = ""
        for c, *atom in parts:
            text = self._atom(atom, env, scope, own)
            size = text if abs(c) == 1 else f"{abs(c)} * {text}"
            out += (f" - {size}" if c < 0 else f" + {size}") if out else (f"- {size}" if c < 0 else size)
        if not out:
            return str(const) if const >= 0 else f"({const})%Z"
        if const:
            out += f" - {-const}" if const < 0 else f" + {const}"
        simple = len(parts) == 1 and not const and parts[0][0] == 1
        return out if simple else f"({out})%Z"

    def _atom(self, atom: Json, env: str, scope: Sequence[str], own: Sequence[str]) -> str:
        kind, value, *args = atom
        if kind == "var":
            return own[int(value)] if own else names.variable(value)
        if kind == "bound":
            number = int(value)
            if not 0 <= number < len(scope):
                raise CoqError("a bound index stands outside its sum")
            return scope[-1 - number]
        if kind != "size":
            raise CoqError(f"unknown kind of index {kind!r}")
        return "(" + " ".join([names.size(value), env, *(self.index(a, env, scope, own) for a in args)]) + ")"

    def guard(self, c: Json, env: str = "p", scope: Sequence[str] = ()) -> str:
        """A constraint as a proposition."""
        kind: str = c[0]
        text = self.index(c[1], env, scope)
        forms = {"ge": f"(0 <= {text})%Z", "eq": f"({text} = 0)%Z", "ne": f"({text} <> 0)%Z"}
        return forms[kind]

    def boolean(self, cons: Sequence[Json], env: str = "p", scope: Sequence[str] = ()) -> str:
        """Constraints as a boolean."""
        form = {"ge": "(0 <=? {})%Z", "eq": "({} =? 0)%Z", "ne": "negb ({} =? 0)%Z"}
        return "(" + (" && ".join(form[k].format(self.index(i, env, scope)) for k, i in cons) or "true") + ")%bool"

    # -- terms -----------------------------------------------------------------
    def term(self, n: int, env: str = "p", scope: Sequence[str] = ()) -> str:
        key = (n, env, tuple(scope), tuple(self.recursive.values()))
        if key not in self._memo:
            self._memo[key] = self._term(self.table[n], env, tuple(scope))
        return self._memo[key]

    def body(self, n: int, env: str, scope: Sequence[str], arity: int = 1) -> tuple[list[str], str]:
        """Fresh bound names and the text of a term under that many binders."""
        fresh = [f"j{len(scope) + k}" for k in range(arity)]
        return fresh, self.term(n, env, (*scope, *fresh))

    def function(self, n: int, env: str = "p", scope: Sequence[str] = (), arity: int = 1) -> str:
        if not arity:
            return self.term(n, env, scope)
        fresh, text = self.body(n, env, scope, arity)
        return f"(fun {' '.join(fresh)} : Z => {text})"

    def _term(self, row: Json, env: str, scope: tuple[str, ...]) -> str:
        kind, *rest = row
        if kind == "num":
            return self.number(Fraction(rest[0]))
        if kind in ("add", "mul"):
            parts = [self.term(r, env, scope) for r in rest]
            if len(parts) < 2:
                return parts[0] if parts else ("0" if kind == "add" else "1")
            return "(" + (" + " if kind == "add" else " * ").join(parts) + ")"
        if kind == "sum":
            return f"(zsum {self.index(rest[0], env, scope)} {self.function(rest[1], env, scope)})"
        if kind == "pow":
            return f"(zpow {self.term(rest[0], env, scope)} {self.index(rest[1], env, scope)})"
        if kind == "inv":
            return f"(rinv {self.term(rest[0], env, scope)})"
        if kind == "iszero":
            return f"(iszero {self.term(rest[0], env, scope)})"
        if kind == "iverson":
            return f"(iver {self.boolean(rest, env, scope)})"
        if kind != "app":
            raise CoqError(f"unknown kind of term {kind!r}")
        name, idx, args = rest
        parts = [self.index(i, env, scope) for i in idx] + [self.function(b, env, scope, a) for a, b in args]
        if name in self.recursive:
            return "(rec (" + " ".join([self.recursive[name], *parts]) + "))"
        return "(" + " ".join([names.symbol(name), env, *parts]) + ")"

    @staticmethod
    def number(q: Fraction) -> str:
        if q.denominator == 1:
            return str(q) if q >= 0 else f"({q})"
        return f"({q.numerator} / {q.denominator})"

    # -- relations ---------------------------------------------------------------
    def relation(self, r: Json) -> str:
        kind = r[0]
        if kind in RELATIONS:
            return f"{self.term(r[1])} {RELATIONS[kind]} {self.term(r[2])}"
        if kind == "tangent":
            return f"derivable_pt_lim {self.moving(r[1], r[2])} 0 {self.term(r[3])}"
        if kind == "deriv":
            return self._derivative(*self.table[r[1]][1:])
        raise CoqError(f"the relation {kind!r} is not supported by the Coq exporter")

    def _derivative(self, name: str, idx: Json, args: Json) -> str:
        """The derivative symbols are the derivatives at this point.

        Of several or indexed arguments: along all curves through the point that have a derivative there.
        """
        s = self.symbols[name]
        at = [self.index(i) for i in idx]
        f = " ".join([names.symbol(name), "p", *at])
        if s["ranges"] == [[]]:
            x = self.term(args[0][1])
            slope = " ".join([names.symbol(s["derivatives"][0]), "p", *at, x])
            return f"derivable_pt_lim (fun r_ : R => {f} r_) {x} ({slope})"
        points = [self.function(b, arity=a) for a, b in args]
        curves, given, parts = [], [], []
        for k, r in enumerate(s["ranges"]):
            js = [f"j{m}" for m in range(len(r))]
            bounds = [self.index(b, own=at) for b in r]
            inside = [c for j, b in zip(js, bounds) for c in (f"(0 <= {j})%Z", f"({j} < {b})%Z")]
            curve = arrow(["Z"] * len(r), "R")
            curves.append(f"(c{k}_ : R -> {curve}) (d{k}_ : {curve})")
            start = " ".join([f"c{k}_ 0", *js]) + " = " + " ".join([points[k], *js])
            slope = " ".join([f"d{k}_", *js])
            moves = f"derivable_pt_lim (fun s_ : R => {' '.join([f'c{k}_ s_', *js])}) 0 ({slope})"
            given += [f"({forall(js, arrow(inside, start))})", f"({forall(js, arrow(inside, moves))})"]
            read = " ".join([names.symbol(s["derivatives"][k]), "p", *at, *js, *points])
            part = f"({read} * {slope})"
            for j, b in reversed(list(zip(js, bounds))):
                part = f"(zsum {b} (fun {j} : Z => {part}))"
            parts.append(part)
        moved = " ".join([f, *(f"(c{k}_ s_)" for k in range(len(parts)))])
        claim = f"derivable_pt_lim (fun s_ : R => {moved}) 0 ({' + '.join(parts)})"
        return f"forall {' '.join(curves)}, {arrow(given, claim)}"

    def moving(self, direction: str, n: int) -> str:
        """A term as a function of the step along a direction."""
        return f"(fun s_ : R => {self.term(n, f'({names.direction(direction)} p s_)')})"

    def statement(self, s: Json) -> str:
        guards = [self.guard(c) for c in s["where"]]
        return forall([names.variable(v) for v in s["for"]], arrow(guards, self.relation(s["holds"])))
