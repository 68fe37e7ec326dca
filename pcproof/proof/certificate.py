"""A proof as data: canonical JSON with theory, goals and the items that they rest on.

Terms, and contexts, are written once and referred to by number; numbers are
given in the order of first use, so the same proof gives the same bytes on
every machine.  ``digest`` is the SHA-256 of these bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..language.index import Con, Idx, QVar, Size
from ..language.signature import Deriv, Eq, Ne, Relation, Statement, Symbol, Tangent, Theory
from ..language.terms import Add, App, Inv, IsZero, Iverson, Lam, Mul, Num, Pow, Sum, Term
from .kernel import Context, Item, Kernel, KernelError, Theorem

FORMAT = "pcproof-certificate-1"
Json = Any


def index_json(i: Idx) -> Json:
    """[constant, [coefficient, atom], ...]"""
    out: list[Json] = [i.const]
    for atom, c in i.terms:
        if isinstance(atom, QVar):
            out.append([c, "var", atom.name])
        elif isinstance(atom, Size):
            out.append([c, "size", atom.name, *(index_json(a) for a in atom.args)])
        else:
            out.append([c, "bound", atom.k])
    return out


def con_json(c: Con) -> Json:
    return [c.kind, index_json(c.expr)]


class _Writer:
    """Tables of terms and contexts, filled in order of first use."""

    def __init__(self) -> None:
        self.terms: list[Json] = []
        self.contexts: list[Json] = []
        self._term: dict[Term, int] = {}
        self._context: dict[Context, int] = {}

    def term(self, t: Term) -> int:
        if t not in self._term:
            row = self._row(t)
            self._term[t] = len(self.terms)
            self.terms.append(row)
        return self._term[t]

    def lam(self, a: Lam) -> Json:
        return [a.arity, self.term(a.body)]

    def _row(self, t: Term) -> Json:
        if isinstance(t, Num):
            return ["num", str(t.value)]
        if isinstance(t, App):
            return ["app", t.name, [index_json(i) for i in t.idx], [self.lam(a) for a in t.args]]
        if isinstance(t, Add):
            return ["add", *(self.term(a) for a in t.args)]
        if isinstance(t, Mul):
            return ["mul", *(self.term(a) for a in t.args)]
        if isinstance(t, Pow):
            return ["pow", self.term(t.base), index_json(t.exponent)]
        if isinstance(t, Inv):
            return ["inv", self.term(t.arg)]
        if isinstance(t, IsZero):
            return ["iszero", self.term(t.arg)]
        if isinstance(t, Iverson):
            return ["iverson", *(con_json(c) for c in t.cons)]
        if isinstance(t, Sum):
            return ["sum", index_json(t.bound), self.term(t.body)]
        raise TypeError(f"certificate: unknown node {type(t).__name__}")

    def relation(self, r: Relation) -> Json:
        if isinstance(r, Eq):
            return ["eq", self.term(r.lhs), self.term(r.rhs)]
        if isinstance(r, Ne):
            return ["ne", self.term(r.lhs), self.term(r.rhs)]
        if isinstance(r, Tangent):
            return ["tangent", r.direction, self.term(r.term), self.term(r.tangent)]
        assert isinstance(r, Deriv)
        return ["deriv", self.term(r.point)]

    def statement(self, s: Statement) -> Json:
        return {"for": list(s.variables), "where": [con_json(c) for c in s.guards], "holds": self.relation(s.relation)}

    def context(self, c: Context) -> int:
        if c not in self._context:
            row = {
                "for": list(c.variables),
                "where": [con_json(g) for g in c.guards],
                "given": [self.statement(h) for h in c.hypotheses],
            }
            self._context[c] = len(self.contexts)
            self.contexts.append(row)
        return self._context[c]

    def argument(self, a: Any) -> Json:
        if isinstance(a, Idx):
            return ["index", *index_json(a)]
        if isinstance(a, Con):
            return ["con", *con_json(a)]
        if isinstance(a, (str, int)):
            return a
        if isinstance(a, tuple):
            return [self.argument(x) for x in a]
        raise TypeError(f"certificate: unknown argument {type(a).__name__}")

    def item(self, item: Item, number: Mapping[int, int]) -> Json:
        return {
            "rule": item.rule,
            "arguments": [self.argument(a) for a in item.arguments],
            "premises": [number[p] for p in item.premises],
            "context": self.context(item.context),
            "claim": self.relation(item.claim),
        }

    def symbol(self, s: Symbol) -> Json:
        return {
            "kind": s.kind,
            "arity": s.arity,
            "ranges": [[index_json(b) for b in r] for r in s.ranges],
            "linear": list(s.linear),
            "derivatives": list(s.derivatives),
        }

    def theory(self, t: Theory) -> Json:
        return {
            "sizes": {n: t.sizes[n] for n in sorted(t.sizes)},
            "assumptions": [con_json(c) for c in t.assumptions],
            "symbols": {n: self.symbol(t.symbols[n]) for n in sorted(t.symbols)},
            "definitions": [
                [
                    {
                        "name": d.name,
                        "parameters": list(d.params),
                        "cases": [
                            {"where": [con_json(c) for c in k.guard], "value": self.term(k.value)} for k in d.cases
                        ],
                        "measure": [index_json(m) for m in d.measure],
                    }
                    for d in group
                ]
                for group in t.definitions
            ],
            "hypotheses": {n: self.statement(t.hypotheses[n]) for n in sorted(t.hypotheses)},
            "directions": {n: dict(sorted(t.directions[n].items())) for n in sorted(t.directions)},
        }


def canonical(data: Json) -> str:
    """The one way to write a certificate."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True) + "\n"


@dataclass(frozen=True)
class Proof:
    """Theorems for every goal, the named lemmas on the way, and the kernel that holds the items."""

    kernel: Kernel
    goals: tuple[Theorem, ...]
    lemmas: Mapping[str, Theorem]

    def __post_init__(self) -> None:
        for g in self.goals:
            if type(g) is not Theorem or g.kernel is not self.kernel:
                raise KernelError("certificate: a goal belongs to another proof")

    def items(self) -> list[Item]:
        """The items that the goals rest on, in order."""
        needed: set[int] = set()
        stack = [g.id for g in self.goals]
        while stack:
            n = stack.pop()
            if n not in needed:
                needed.add(n)
                stack.extend(self.kernel.items[n].premises)
        return [self.kernel.items[n] for n in sorted(needed)]

    @cached_property
    def data(self) -> Json:
        """The certificate."""
        items = self.items()
        number = {item.id: n for n, item in enumerate(items)}
        for g in self.goals:
            if g.kernel is not self.kernel:
                raise KernelError("certificate: a goal belongs to another proof")
        w = _Writer()
        theory = w.theory(self.kernel.theory)
        goals = [{"statement": w.statement(g.statement()), "item": number[g.id]} for g in self.goals]
        rows = [w.item(item, number) for item in items]
        return {
            "format": FORMAT,
            "theory": theory,
            "goals": goals,
            "contexts": w.contexts,
            "terms": w.terms,
            "items": rows,
        }

    @cached_property
    def text(self) -> str:
        """Canonical JSON with the digest of everything else."""
        body = canonical(self.data)
        return canonical({**self.data, "digest": hashlib.sha256(body.encode()).hexdigest()})

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(canonical(self.data).encode()).hexdigest()


def statement_digest(theory: Theory, goals: Sequence[Statement]) -> str:
    """Digest of what is claimed (theory and goals), whatever the proof."""
    w = _Writer()
    data = {"theory": w.theory(theory), "goals": [w.statement(g) for g in goals], "terms": w.terms}
    return hashlib.sha256(canonical(data).encode()).hexdigest()
