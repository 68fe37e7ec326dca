"""A proof as data: canonical JSON with theory, goals and the items that they rest on.

The format is published in ``docs/certificate.md``; ``proof/check.py`` reads it.
Whatever is said is said in full where it is said, so that changing one place
breaks what links it to another: the first items restate the theory, one for
each case of each definition and each hypothesis; all others rest on these.
A sequent is proved once; ``refl`` proves t = t, ``absurd`` what has
contradictory guards, ``ring`` what a power with a number as exponent is.  Of
the theory only what goals and items mention is written: nothing in a
certificate goes unread, and the same proof gives the same bytes on every
machine.  ``digest`` is the SHA-256 of the other fields.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

from ..language.index import Atom, Con, Idx, QVar, Size, qvar
from ..language.signature import (
    Definition,
    Deriv,
    Eq,
    Le,
    Ne,
    Relation,
    Statement,
    Symbol,
    Tangent,
    Theory,
    relation_terms,
)
from ..language.terms import Add, App, Inv, IsZero, Iverson, Mul, Num, Pow, Sum, Term, symbols
from . import check
from .kernel import Context, Item, Kernel, KernelError, Theorem

FORMAT = "pcproof-certificate-3"
Json = Any


class _Writer:
    """Everything in full; the sizes mentioned."""

    def __init__(self, known: Mapping[str, Symbol] | None = None) -> None:
        self.known = known or {}
        self.sizes: set[str] = set()
        self._term: dict[Term, Json] = {}
        self._context: dict[Context, Json] = {}

    # -- indices and constraints ----------------------------------------------
    def atom(self, a: Atom) -> tuple[Any, ...]:
        if isinstance(a, QVar):
            return ("var", a.name)
        if isinstance(a, Size):
            self.sizes.add(a.name)
            return ("size", a.name, *(self.form(x) for x in a.args))
        return ("bound", a.k)

    def form(self, i: Idx) -> tuple[Any, ...]:
        """A linear form as nested tuples; these have an order that does not depend on how the kernel keeps them."""
        return (i.const, tuple(sorted((self.atom(a), c) for a, c in i.terms)))

    def index(self, i: Idx) -> Json:
        """[constant, [coefficient, kind, name, arguments ...], ...]"""
        return _index_json(self.form(i))

    def turned(self, c: Con) -> bool:
        """Is the sign of this equation (or inequation) other than the first coefficient of the file would have it?"""
        terms = self.form(c.expr)[1]
        return c.kind != "ge" and bool(terms) and terms[0][1] < 0

    def con(self, c: Con) -> Json:
        return [c.kind, self.index(-c.expr if self.turned(c) else c.expr)]

    def ordered(self, cs: Iterable[Con]) -> tuple[Con, ...]:
        """Constraints whose order says nothing: in order, none twice."""
        forms = {(c.kind, self.form(-c.expr if self.turned(c) else c.expr)): c for c in cs}
        return tuple(c for _, c in sorted(forms.items(), key=lambda pair: pair[0]))

    def cons(self, cs: Iterable[Con]) -> Json:
        return [self.con(c) for c in self.ordered(cs)]

    # -- terms ----------------------------------------------------------------
    def term(self, t: Term) -> Json:
        if t not in self._term:
            self._term[t] = self._row(t)
        return self._term[t]

    def arguments(self, t: App) -> Json:
        """Each with the upper bounds of its indices, as the symbol reads them here."""
        bounds = self.known[t.name].bounds if t.args else None
        return [[[self.index(b) for b in bounds(k, t.idx)], self.term(a.body)] for k, a in enumerate(t.args) if bounds]

    def _row(self, t: Term) -> Json:
        if isinstance(t, Num):
            return ["num", str(t.value)]
        if isinstance(t, App):
            return ["app", t.name, [self.index(i) for i in t.idx], self.arguments(t)]
        if isinstance(t, Add):
            return ["add", *(self.term(a) for a in t.args)]
        if isinstance(t, Mul):
            return ["mul", *(self.term(a) for a in t.args)]
        if isinstance(t, Pow):
            return ["pow", self.term(t.base), self.index(t.exponent)]
        if isinstance(t, Inv):
            return ["inv", self.term(t.arg)]
        if isinstance(t, IsZero):
            return ["iszero", self.term(t.arg)]
        if isinstance(t, Iverson):
            return ["iverson", *self.cons(t.cons)]
        if isinstance(t, Sum):
            return ["sum", self.index(t.bound), self.term(t.body)]
        raise TypeError(f"certificate: unknown node {type(t).__name__}")

    # -- sequents ---------------------------------------------------------------
    def relation(self, r: Relation) -> Json:
        if isinstance(r, Eq):
            return ["eq", self.term(r.lhs), self.term(r.rhs)]
        if isinstance(r, Ne):
            return ["ne", self.term(r.lhs), self.term(r.rhs)]
        if isinstance(r, Le):
            return ["le", self.term(r.lhs), self.term(r.rhs)]
        if isinstance(r, Tangent):
            return ["tangent", r.direction, self.term(r.term), self.term(r.tangent)]
        assert isinstance(r, Deriv)
        return ["deriv", self.term(r.point)]

    def statement(self, s: Statement) -> Json:
        return {"for": list(s.variables), "where": [self.con(c) for c in s.guards], "holds": self.relation(s.relation)}

    def hypothesis(self, s: Statement) -> Json:
        return {**self.statement(s), "where": self.cons(s.guards)}

    def context(self, c: Context) -> Json:
        if c not in self._context:
            self._context[c] = {
                "for": list(c.variables),
                "where": [self.con(g) for g in c.guards],
                "given": [self.statement(h) for h in c.hypotheses],
            }
        return self._context[c]

    def argument(self, a: Any) -> Json:
        if isinstance(a, Idx):
            return self.index(a)
        if isinstance(a, Con):
            return self.con(a)
        if isinstance(a, (str, int)):
            return a
        if isinstance(a, tuple):
            return [self.argument(x) for x in a]
        raise TypeError(f"certificate: unknown argument {type(a).__name__}")

    def item(self, item: Item, number: Mapping[int, int]) -> Json:
        premises = [number[p] for p in item.premises]
        if item.rule == "cases" and self.turned(item.arguments[0]):
            premises = [premises[0], *premises[:0:-1]]  # where e < 0 comes before where e > 0
        return {
            "rule": item.rule,
            "arguments": [self.argument(a) for a in _said(item.rule, item.arguments)],
            "premises": premises,
            "context": self.context(item.context),
            "claim": self.relation(item.claim),
        }

    # -- theory -----------------------------------------------------------------
    def symbol(self, s: Symbol) -> Json:
        return {
            "arity": s.arity,
            "ranges": [[self.index(b) for b in r] for r in s.ranges],
            "derivatives": list(s.derivatives),
        }

    def theory(self, t: Theory) -> Json:
        """All but the sizes: these are known when everything is written."""
        return {
            "assumptions": self.cons(t.assumptions),
            "symbols": {n: self.symbol(t.symbols[n]) for n in sorted(t.symbols)},
            "definitions": [
                [
                    {
                        "name": d.name,
                        "parameters": list(d.params),
                        "cases": [{"where": self.cons(k.guard), "value": self.term(k.value)} for k in d.cases],
                        "measure": [self.index(m) for m in d.measure],
                    }
                    for d in group
                ]
                for group in t.definitions
            ],
            "hypotheses": {n: self.hypothesis(t.hypotheses[n]) for n in sorted(t.hypotheses)},
            "directions": {n: dict(sorted(t.directions[n].items())) for n in sorted(t.directions)},
        }


def _index_json(form: tuple[Any, ...]) -> Json:
    rows = ([c, a[0], a[1], *(_index_json(x) for x in a[2:])] for a, c in form[1])
    return [form[0], *rows]


def _said(rule: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arguments as the format has them: without what claim and premises say; values without names; measures twice."""
    if rule in ("sum_swap", "sum_zero", "sum_congruence", "le_sum", "tangent_sum", "tangent_function"):
        return ()
    if rule == "argument_congruence":
        return arguments[:1]
    if rule == "induct":
        return (*arguments, arguments[1])
    if rule in ("hypothesis", "instantiate", "tangent_unfold"):
        return tuple(tuple(v for _, v in a) if a and type(a) is tuple and type(a[0]) is tuple else a for a in arguments)
    return arguments


def _constraints(cons: Iterable[Con]) -> frozenset[check.Con]:
    """As the checker has them."""
    w = _Writer()
    return frozenset(check.con(c.kind, w.form(c.expr)) for c in cons)


def _fixed_power(r: Relation) -> bool:
    """An equation about a power with a number as exponent, which is proved by ``ring``."""
    power = r.lhs if isinstance(r, Eq) else None
    return isinstance(power, Pow) and not power.exponent.terms and 0 <= power.exponent.const <= check.MAX_POWER


# -- the part of a theory that matters -----------------------------------------
def _calls(d: Definition) -> set[str]:
    return set().union(*(symbols(c.value) for c in d.cases))


def _groups(theory: Theory, wanted: set[str]) -> Iterable[tuple[Definition, ...]]:
    """Definitions that are wanted; those that do not recurse stand alone and need no measure."""
    for group in theory.definitions:
        left = tuple(d for d in group if d.name in wanted)
        names = {d.name for d in left}
        if any(_calls(d) & names for d in left):
            yield left
        else:
            yield from ((replace(d, measure=()),) for d in left)


def _part(theory: Theory, wanted: set[str], pointed: set[str], hypotheses: set[str], directions: set[str]) -> Theory:
    """pointed: the symbols whose derivatives matter."""
    found = (theory.symbols[n] for n in wanted)
    return Theory(
        theory.sizes,
        theory.assumptions,
        {s.name: s if s.name in pointed else replace(s, derivatives=()) for s in found},
        tuple(_groups(theory, wanted)),
        {n: theory.hypotheses[n] for n in hypotheses},
        {n: theory.directions[n] for n in directions},
    )


def relevant(theory: Theory, relations: Iterable[Relation], hypotheses: set[str]) -> Theory:
    """What these relations speak about: symbols with all that their definitions use, directions, hypotheses."""
    spoken = [*relations, *(theory.hypotheses[h].relation for h in hypotheses)]
    directions = {r.direction for r in spoken if isinstance(r, Tangent)}
    pointed = {r.point.name for r in spoken if isinstance(r, Deriv)}
    wanted: set[str] = set()
    todo = [n for r in spoken for t in relation_terms(r) for n in symbols(t)]
    todo += [n for d in directions for pair in theory.directions[d].items() for n in pair]
    defined = {d.name: d for group in theory.definitions for d in group}
    while todo:
        n = todo.pop()
        if n not in wanted:
            wanted.add(n)
            todo += theory.symbols[n].derivatives if n in pointed else ()
            todo += _calls(defined[n]) if n in defined else ()
    return _part(theory, wanted, pointed, hypotheses, directions)


# -- the first items say what the theory says -------------------------------------
def _case(d: Definition, k: int) -> Item:
    """The equation of a case, for all parameters; with the measure in which recursion goes down."""
    equation = Eq(App(d.name, [qvar(p) for p in d.params]), d.cases[k].value)
    context = Context(d.params, _Writer().ordered(d.cases[k].guard))
    return Item(-1, "unfold", (k, d.measure), (), context, equation)


def _assumed(name: str, s: Statement) -> Item:
    context = Context(s.variables, _Writer().ordered(s.guards))
    values = tuple((v, qvar(v)) for v in s.variables)
    return Item(-1, "hypothesis", (name, values), (), context, s.relation)


def restated(theory: Theory) -> list[Item]:
    """One item for each case of each definition, then one for each hypothesis by name."""
    cases = [_case(d, k) for group in theory.definitions for d in group for k in range(len(d.cases))]
    return [*cases, *(_assumed(n, theory.hypotheses[n]) for n in sorted(theory.hypotheses))]


def canonical(data: Json) -> str:
    """The one way to write a certificate."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True) + "\n"


def document(theory: Theory, goals: Sequence[tuple[Statement, int]], items: Sequence[Item]) -> Json:
    """The certificate, but for its digest, of goals with the ids of the items that prove them.

    theory: what is to be stated of it.  items: in order; premises are ids.
    """
    w, number = _Writer(theory.symbols), {item.id: n for n, item in enumerate(items)}
    stated = w.theory(theory)
    rows = [{"statement": w.statement(s), "item": number[n]} for s, n in goals]
    steps = [w.item(item, number) for item in items]
    return {
        "format": FORMAT,
        "theory": {**stated, "sizes": {n: theory.sizes[n] for n in sorted(w.sizes) if n in theory.sizes}},
        "goals": rows,
        "restated": {"assumptions": w.cons(theory.assumptions), "goals": [row["item"] for row in rows]},
        "items": steps,
    }


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

    def _written(self, item: Item, case: Mapping[tuple[str, int], Item], named: Mapping[str, Item]) -> Item:
        """An item as the format has it: what a definition or hypothesis of the theory says at some indices is an
        instance of the item that restates it; values stand in the order of the variables."""
        r = item.claim
        if item.rule == "unfold":
            assert isinstance(r, Eq) and isinstance(r.lhs, App)
            said = case[r.lhs.name, item.arguments[0]]
            return _instance(item, said, dict(zip(said.context.variables, r.lhs.idx)))
        if item.rule == "hypothesis":
            which, values = item.arguments
            if isinstance(which, str):
                return _instance(item, named[which], dict(values))
            known = item.context.hypotheses[which].variables
            return replace(item, arguments=(which, tuple((v, dict(values)[v]) for v in known)))
        if item.rule == "tangent_unfold":
            assert isinstance(r, Tangent) and isinstance(r.term, App)
            said = case[r.term.name, item.arguments[0]]
            there = _instance(item, said, dict(zip(said.context.variables, r.term.idx)))
            return replace(there, rule=item.rule, premises=(*item.premises, said.id))
        if item.rule == "instantiate":
            return _instance(item, self.kernel.items[item.premises[0]], dict(item.arguments[0]))
        if item.rule == "weaken":
            c = self.kernel.items[item.premises[0]].context
            return replace(item, arguments=tuple(map(len, (c.variables, c.guards, c.hypotheses))))
        if item.rule in ("power_zero", "power_step") and _fixed_power(r):
            return replace(item, rule="ring")
        return item

    def steps(self) -> tuple[Theory, list[Item], dict[int, int]]:
        """What is stated of the theory, the items of the certificate, and the id that an item of the kernel has there.

        A sequent that was proved before is not proved again; t = t is proved by ``refl``.
        """
        whole = self.kernel.theory

        @cache
        def contradictory(guards: tuple[Con, ...]) -> bool:
            return check.refutes(_constraints(whole.assumptions + guards))

        said = [replace(item, id=k) for k, item in enumerate(restated(whole), -len(self.kernel.items) - 10**6)]
        first = {(item.context, item.claim): item for item in said}
        case = {(_name(item), item.arguments[0]): item for item in said if item.rule == "unfold"}
        named = {item.arguments[0]: item for item in said if item.rule == "hypothesis"}
        of = {item.id: item for item in said}
        for item in self.items():
            r = item.claim
            if isinstance(r, Eq) and r.lhs is r.rhs:
                item = replace(item, rule="refl", arguments=(), premises=())
            elif contradictory(item.context.guards):
                item = replace(item, rule="absurd", arguments=(), premises=())
            else:
                item = self._written(item, case, named)
            of[item.id] = first.setdefault((item.context, r), item)
        needed: dict[int, Item] = {}
        todo = [of[g.id] for g in self.goals]
        while todo:
            item = todo.pop()
            if item.id not in needed:
                needed[item.id] = item
                todo += [of[p] for p in item.premises]
        spoken = [i.claim for i in needed.values()] + [
            h.relation for i in needed.values() for h in i.context.hypotheses
        ]
        part = relevant(whole, spoken, {n for n, item in named.items() if item.id in needed})
        order = {(item.context, item.claim): item.id for item in said}
        top = [replace(item, id=order[item.context, item.claim]) for item in restated(part)]
        rest = [needed[n] for n in sorted(needed) if n not in {item.id for item in top}]
        rest = [replace(item, premises=tuple(of[p].id for p in item.premises)) for item in rest]
        return part, [*top, *rest], {n: item.id for n, item in of.items()}

    @cached_property
    def data(self) -> Json:
        """The certificate."""
        for g in self.goals:
            if g.kernel is not self.kernel:
                raise KernelError("certificate: a goal belongs to another proof")
        part, steps, number = self.steps()
        return document(part, [(g.statement(), number[g.id]) for g in self.goals], steps)

    @cached_property
    def text(self) -> str:
        """Canonical JSON with the digest of everything else."""
        body = canonical(self.data)
        return canonical({**self.data, "digest": hashlib.sha256(body.encode()).hexdigest()})

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(canonical(self.data).encode()).hexdigest()


def _name(item: Item) -> str:
    """The symbol that an item of rule ``unfold`` is about."""
    assert isinstance(item.claim, Eq) and isinstance(item.claim.lhs, App)
    return item.claim.lhs.name


def _instance(item: Item, premise: Item, values: Mapping[str, Idx]) -> Item:
    """The item as an instance of another one, whose guards are restated."""
    given = tuple((v, values[v]) for v in premise.context.variables)
    return replace(item, rule="instantiate", arguments=(given, premise.context.guards), premises=(premise.id,))


def difference(data: Json, theory: Theory, goals: Sequence[Statement]) -> str:
    """What a certificate (that the checker accepts) states otherwise than this theory and these goals; "" if nothing.

    A certificate may leave out hypotheses, definitions and symbols that its proof does without.
    """
    stated = data["theory"]
    for what, known in (
        ("sizes", theory.sizes),
        ("symbols", theory.symbols),
        ("hypotheses", theory.hypotheses),
        ("directions", theory.directions),
    ):
        for name in stated[what]:
            if name not in known:
                return f"{what}: the certificate has {name!r}, which the claim does not"
    w = _Writer(theory.symbols)
    pointed = {n for n, s in stated["symbols"].items() if s["derivatives"]}
    part = _part(theory, set(stated["symbols"]), pointed, set(stated["hypotheses"]), set(stated["directions"]))
    wanted = {**w.theory(part), "sizes": {n: theory.sizes[n] for n in stated["sizes"]}}
    for what in sorted(wanted):
        if stated[what] != wanted[what]:
            return f"{what} of the certificate are not those of the claim"
    if [g["statement"] for g in data["goals"]] != [w.statement(g) for g in goals]:
        return "the goals of the certificate are not those of the claim"
    return ""
