"""A certificate's JSON data as terms, statements and items; anything that has no sense is refused by name.

Only shape and scope are checked here.  Whether an item follows is for the solvers to say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from .indices import Atom, Con, Index, SmtError, atoms, bound, need, replace, unordered

FORMATS = ("pcproof-certificate-3",)
MAX_DEPTH, MAX_NAME = 120, 200
SIZES_OF_RELATIONS = {"eq": 2, "ne": 2, "le": 2, "tangent": 3, "deriv": 1}

Json = Any


class Term:
    """op, what stands in the node itself, and the parts, each with the number of binders above it.

    num (Fraction), app (name, indices), add, mul, pow (exponent), inv, iszero, iverson (constraints), sum (bound).
    Equal terms are one object.
    """

    __slots__ = ("data", "depth", "free", "loose", "op", "parts", "symbols")

    def __init__(self, op: str, data: Any, parts: tuple[tuple[int, Term], ...]) -> None:
        self.op, self.data, self.parts = op, data, parts
        own = [a for i in self.indices() for a in atoms(i)]
        self.free: frozenset[str] = frozenset(a[1] for a in own if a[0] == "var").union(*(p.free for _, p in parts))
        self.loose: int = max([0, *(a[1] + 1 for a in own if a[0] == "bound"), *(p.loose - k for k, p in parts)])
        self.symbols: frozenset[str] = frozenset(data[:1] if op == "app" else ()).union(*(p.symbols for _, p in parts))
        self.depth: int = 1 + max((p.depth for _, p in parts), default=0)
        need(self.depth <= MAX_DEPTH, "a term is nested too deeply")

    def indices(self) -> tuple[Index, ...]:
        if self.op == "app":
            return tuple(self.data[1])
        if self.op == "iverson":
            return tuple(e for _, e in self.data)
        return (self.data,) if self.op in ("pow", "sum") else ()

    def kids(self) -> list[Term]:
        return [p for _, p in self.parts]


Relation = tuple[Any, ...]


class Statement(NamedTuple):
    variables: tuple[str, ...]
    where: tuple[Con, ...]
    holds: Relation


class Context(NamedTuple):
    variables: tuple[str, ...]
    where: tuple[Con, ...]
    given: tuple[Statement, ...]


class Symbol(NamedTuple):
    """ranges: for each real argument the bounds of its indices, over the variables "0", "1", ..."""

    arity: int
    ranges: tuple[tuple[Index, ...], ...]
    derivatives: tuple[str, ...]


class Definition(NamedTuple):
    name: str
    parameters: tuple[str, ...]
    cases: tuple[tuple[tuple[Con, ...], Term], ...]
    measure: tuple[Index, ...]


class Item(NamedTuple):
    number: int
    rule: str
    arguments: tuple[Json, ...]
    premises: tuple[int, ...]
    context: Context
    claim: Relation


class Terms:
    """Makes terms; equal ones are one object."""

    def __init__(self) -> None:
        self.table: dict[tuple[Any, ...], Term] = {}

    def make(self, op: str, data: Any = None, parts: Iterable[tuple[int, Term]] = ()) -> Term:
        key = (op, data, tuple(parts))
        if key not in self.table:
            self.table[key] = Term(*key)
        return self.table[key]

    def add(self, parts: Iterable[Term]) -> Term:
        return self.make("add", None, [(0, p) for p in parts])

    def mul(self, parts: Iterable[Term]) -> Term:
        return self.make("mul", None, [(0, p) for p in parts])

    def sum(self, limit: Index, body: Term) -> Term:
        return self.make("sum", limit, [(1, body)])

    def close(self, t: Term, names: tuple[str, ...]) -> Term:
        """Bind variables of a term without loose index; the last name becomes the innermost."""
        place = {n: len(names) - 1 - k for k, n in enumerate(names)}

        def go(t: Term, depth: int) -> Term:
            if t.free.isdisjoint(place):
                return t

            def value(a: Atom) -> Index | None:
                return bound(depth + place[a[1]]) if a[0] == "var" and a[1] in place else None

            return self.make(t.op, _over(t, lambda i: replace(i, value)), [(k, go(p, depth + k)) for k, p in t.parts])

        return go(t, 0)


def _over(t: Term, change: Callable[[Index], Index]) -> Any:
    """The data of a node with its indices changed."""
    if t.op == "app":
        return t.data[0], tuple(change(i) for i in t.data[1])
    if t.op == "iverson":
        return tuple((kind, change(e)) for kind, e in t.data)
    return change(t.data) if t.op in ("pow", "sum") else t.data


def digest_of(data: Json) -> str:
    """SHA-256 of the canonical certificate (its own digest left out)."""
    body = {k: v for k, v in data.items() if k != "digest"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True) + "\n"
    return hashlib.sha256(text.encode()).hexdigest()


def name(x: Json) -> str:
    need(type(x) is str and 0 < len(x) <= MAX_NAME, "a name is expected")
    return str(x)


def names(x: Json) -> tuple[str, ...]:
    out = tuple(name(v) for v in x)
    need(len(set(out)) == len(out), "a name stands twice")
    return out


def integer(x: Json, high: float = float("inf"), low: int = 0) -> int:
    need(type(x) is int and low <= x < high, "an integer in range is expected")
    return int(x)


@dataclass
class Theory:
    sizes: dict[str, int]
    assumptions: tuple[Con, ...]
    symbols: dict[str, Symbol]
    groups: list[list[Definition]]
    hypotheses: dict[str, Statement]
    directions: dict[str, dict[str, str]]

    @property
    def definitions(self) -> dict[str, Definition]:
        return {d.name: d for g in self.groups for d in g}

    def moved(self, direction: str) -> set[str]:
        """Symbols that vary along a direction: its parameters and what is defined by them, directly or not."""
        out = set(self.directions[direction])
        while True:
            more = {
                d.name for g in self.groups for d in g if d.name not in out and any(v.symbols & out for _, v in d.cases)
            }
            if not more:
                return out
            out |= more


class Certificate:
    """Everything in one certificate.  Raises ``SmtError``."""

    def __init__(self, data: Json) -> None:
        try:
            self._read(data)
        except SmtError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as e:
            raise SmtError(f"the certificate is malformed: {type(e).__name__}: {e}") from e

    def _read(self, data: Json) -> None:
        need(type(data) is dict and data.get("format") in FORMATS, "this is no certificate of a known format")
        data = json.loads(json.dumps(data))
        self.digest = digest_of(data)
        need(data.get("digest", self.digest) == self.digest, "the digest is of another text")
        self.make = Terms()
        theory = data["theory"]
        self.theory = Theory({name(n): integer(k) for n, k in theory["sizes"].items()}, (), {}, [], {}, {})
        self.theory.assumptions = self._cons(theory["assumptions"], ())
        self._symbols(theory)
        later = {d["name"] for raw in theory["definitions"] for d in raw}
        for raw in theory["definitions"]:
            self._group(raw, later)
            later -= self.theory.definitions.keys()
        self.theory.hypotheses = {name(n): self.statement(s, ()) for n, s in theory["hypotheses"].items()}
        self.items = [self._item(n, x) for n, x in enumerate(data["items"])]
        self.goals = [(self.statement(g["statement"], ()), integer(g["item"], len(self.items))) for g in data["goals"]]
        need(self.goals, "the certificate has no goal")
        restated = self._cons(data["restated"]["assumptions"], ()), data["restated"]["goals"]
        need(restated == (self.theory.assumptions, [n for _, n in self.goals]), "what is restated is something else")

    # -- theory ----------------------------------------------------------------
    def _symbols(self, theory: Json) -> None:
        table = self.theory.symbols
        defined = {d["name"] for group in theory["definitions"] for d in group}
        for n, x in theory["symbols"].items():
            arity = integer(x["arity"])
            own = [str(k) for k in range(arity)]
            ranges = tuple(tuple(self._scoped(self.index(b), own) for b in r) for r in x["ranges"])
            table[name(n)] = Symbol(arity, ranges, tuple(name(d) for d in x["derivatives"]))
        for n, s in table.items():
            need(len(s.derivatives) in (0, len(s.ranges)), f"{n!r}: one derivative for each argument is expected")
            for d, r in zip(s.derivatives, s.ranges):
                ok = d in table and table[d].ranges == s.ranges and table[d].arity == s.arity + len(r)
                need(ok, f"{d!r} does not have the shape of a derivative")
        for direction, moved in theory["directions"].items():
            for x, dx in moved.items():
                ok = {x, dx} <= table.keys() - defined and dx not in moved and table[x].arity == table[dx].arity
                need(ok and not table[x].ranges and not table[dx].ranges, f"{dx!r} is no variation of {x!r}")
            need(len(set(moved.values())) == len(moved), "two parameters move by the same variation")
            self.theory.directions[name(direction)] = dict(moved)

    def _group(self, raw: Json, later: set[str]) -> None:
        """Nothing is defined twice, and what is used was defined before or is of the group."""
        before = self.theory.definitions
        group = []
        for d in raw:
            parameters = names(d["parameters"])
            symbol = self.theory.symbols.get(d["name"])
            ok = symbol is not None and not symbol.ranges and symbol.arity == len(parameters)
            need(ok, f"the symbol {d['name']!r} is declared otherwise")
            cases = tuple((self._cons(c["where"], parameters), self.term(c["value"], parameters)) for c in d["cases"])
            measure = tuple(self._scoped(self.index(m), parameters) for m in d["measure"])
            group.append(Definition(name(d["name"]), parameters, cases, measure))
        own = {d.name for d in group}
        need(len(own) == len(group) and not own & before.keys(), "a symbol is defined twice")
        used = {n for d in group for _, v in d.cases for n in v.symbols}
        need(not used & later - own, "a definition uses a symbol before its definition")
        self.theory.groups.append(group)

    def ranges(self, t: Term, position: int) -> list[Index]:
        """How far the symbol of an application reads the indices of one of its arguments."""
        own = {str(k): i for k, i in enumerate(t.data[1])}
        shape = self.theory.symbols[t.data[0]]
        return [replace(b, lambda a: own.get(a[1]) if a[0] == "var" else None) for b in shape.ranges[position]]

    # -- parts ------------------------------------------------------------------
    def index(self, row: Json) -> Index:
        pairs: list[tuple[int, Atom]] = []
        for c, kind, what, *inner in row[1:]:
            if kind == "size":
                need(self.theory.sizes.get(what) == len(inner), "a size as declared is expected")
                atom: Atom = ("size", what, *(self.index(i) for i in inner))
            else:
                need(kind in ("var", "bound") and not inner, "var, bound or size is expected")
                atom = (kind, name(what) if kind == "var" else integer(what, 1000))
            pairs.append((integer(c, 10**9, -(10**9)), atom))
        return integer(row[0], 10**9, -(10**9)), tuple(pairs)

    def argument(self, x: Json, scope: Iterable[str]) -> Index:
        """An index among the arguments of an item."""
        need(type(x) is list and x, "an index is expected")
        return self._scoped(self.index(x), scope)

    @staticmethod
    def _scoped(i: Index, scope: Iterable[str]) -> Index:
        known = set(scope)
        ok = all(a[0] == "size" or (a[0] == "var" and a[1] in known) for a in atoms(i))
        need(ok, "an index is not quantified")
        return i

    def _con(self, row: Json) -> Con:
        kind, i = row
        need(kind in ("ge", "eq", "ne"), "ge, eq or ne is expected")
        return kind, self.index(i)

    def _cons(self, rows: Json, scope: Iterable[str]) -> tuple[Con, ...]:
        out = tuple(self._con(c) for c in rows)
        for _, i in out:
            self._scoped(i, scope)
        return out

    def _term(self, row: Json) -> Term:
        op, *rest = row
        if op == "num":
            need(type(rest[0]) is str, "a rational number is expected")
            return self.make.make("num", Fraction(rest[0]))
        if op == "app":
            symbol, idx, args = rest
            s = self.theory.symbols.get(symbol)
            need(s is not None, f"the symbol {symbol!r} is not declared")
            assert s is not None
            need(len(idx) == s.arity and len(args) == len(s.ranges), f"{symbol!r}: its shape")
            parts = [(len(bounds), self._term(a)) for bounds, a in args]
            t = self.make.make("app", (symbol, tuple(map(self.index, idx))), parts)
            for k, (bounds, _) in enumerate(args):
                given, declared = ([unordered(i) for i in r] for r in (map(self.index, bounds), self.ranges(t, k)))
                need(given == declared, f"{symbol!r}: other ranges than declared")
            return t
        if op in ("add", "mul"):
            return self.make.make(op, None, [(0, self._term(part)) for part in rest])
        if op in ("inv", "iszero"):
            (only,) = rest
            return self.make.make(op, None, [(0, self._term(only))])
        if op == "pow":
            base, exponent = rest
            return self.make.make("pow", self.index(exponent), [(0, self._term(base))])
        if op == "sum":
            limit, body = rest
            return self.make.sum(self.index(limit), self._term(body))
        need(op == "iverson", f"{op!r} is no kind of term")
        return self.make.make("iverson", tuple(self._con(c) for c in rest))

    def term(self, row: Json, scope: Iterable[str]) -> Term:
        t = self._term(row)
        need(t.loose == 0 and t.free <= set(scope), "an index is not quantified")
        return t

    def relation(self, row: Json, scope: Iterable[str]) -> Relation:
        kind, *rest = row
        need(len(rest) == SIZES_OF_RELATIONS.get(kind), "a relation is expected")
        head = []
        if kind == "tangent":
            head = [rest.pop(0)]
            need(head[0] in self.theory.directions, "a declared direction is expected")
        scope = set(scope)
        terms = [self.term(k, scope) for k in rest]
        if kind == "deriv":
            ok = terms[0].op == "app" and self.theory.symbols[terms[0].data[0]].derivatives
            need(ok, "a function with derivatives is expected")
        return (kind, *head, *terms)

    def statement(self, x: Json, outer: tuple[str, ...]) -> Statement:
        variables = names(x["for"])
        need(not set(variables) & set(outer), "a variable is quantified twice")
        return Statement(
            variables, self._cons(x["where"], variables + outer), self.relation(x["holds"], variables + outer)
        )

    def _context(self, x: Json) -> Context:
        variables = names(x["for"])
        given = tuple(self.statement(h, variables) for h in x["given"])
        return Context(variables, self._cons(x["where"], variables), given)

    def _item(self, n: int, x: Json) -> Item:
        context = self._context(x["context"])
        premises = tuple(integer(p, n) for p in x["premises"])
        claim = self.relation(x["claim"], context.variables)
        return Item(n, name(x["rule"]), tuple(x["arguments"]), premises, context, claim)
