"""One item of a certificate while its obligation is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import names
from .certificate import Certificate, Item, Json, Statement, Term
from .indices import Index, need
from .script import Script, call, conjunction, implies

Scope = Sequence[str]


class Step:
    """The item, and the script of its obligation with the item's context entered."""

    def __init__(self, certificate: Certificate, item: Item) -> None:
        self.certificate, self.item = certificate, item
        self.script = Script(certificate)
        self.script.enter(item.context)

    # -- arguments and premises --------------------------------------------------------
    def argument(self, k: int) -> Json:
        need(k < len(self.item.arguments), "an argument is missing")
        return self.item.arguments[k]

    def index(self, k: int) -> Index:
        return self.certificate.argument(self.argument(k), self.item.context.variables)

    def values(self, row: Json, wanted: Sequence[str]) -> dict[str, Index]:
        """Index terms for variables, by name."""
        need(type(row) is list and len(row) == len(wanted), "one value for each variable is expected")
        return {n: self.certificate.argument(v, self.item.context.variables) for n, v in zip(wanted, row)}

    def fresh(self, k: int, count: int) -> tuple[str, ...]:
        """The variables that premise k has more than the item."""
        out = self.premise_item(k).context.variables[len(self.item.context.variables) :]
        need(len(out) == count, "one variable for each index is expected")
        return out

    def premise_item(self, k: int) -> Item:
        need(k < len(self.item.premises), "a premise is missing")
        return self.certificate.items[self.item.premises[k]]

    def premise(self, k: int, values: Mapping[str, str] | None = None) -> None:
        """Premise k at values; other variables are those of the context, or new ones: it holds for all."""
        premise, given = self.premise_item(k), values or {}
        c = premise.context
        need(set(given) <= set(c.variables), "the premise does not have such a variable")
        known = set(self.item.context.variables)
        at = [
            given[v] if v in given else names.variable(v) if v in known else self.script.constant() for v in c.variables
        ]
        body = implies(self.script.context(c), self.script.relation(premise.claim))
        self.script.check(call(self.script.define("p", c.variables, body), at))

    def statement(self, s: Statement, outer: Sequence[str], values: Mapping[str, str]) -> None:
        """A statement that holds for all its variables, at values."""
        body = implies([self.script.con(g) for g in s.where], self.script.relation(s.holds))
        at = [values[v] for v in s.variables] + [names.variable(v) for v in outer]
        self.script.check(call(self.script.define("s", (*s.variables, *outer), body), at))

    # -- definitions --------------------------------------------------------------------
    def case(self, t: Term, k: Json, moving: bool = False) -> None:
        """The equation of case k of a definition, at the indices of a term; it holds where the guards do."""
        definitions = self.certificate.theory.definitions
        need(t.op == "app" and t.data[0] in definitions, "a defined symbol is expected")
        d = definitions[t.data[0]]
        need(type(k) is int and 0 <= k < len(d.cases), "there is no such case")
        where, value = d.cases[k]
        variables = [names.variable(v) for v in d.parameters]
        left = call(self.script.app(d.name, moving), variables)
        body = implies([self.script.con(g) for g in where], f"(= {left} {self.script.term(value, (), moving)})")
        at = [self.script.index(i) for i in t.data[1]]
        self.script.check(call(self.script.define("d", d.parameters, body), at))

    # -- equality under binders ------------------------------------------------------------
    def same_sums(self, n: Index, a: Term, at: Scope, b: Term, bt: Scope, j: str) -> None:
        """Sums are equal if their addends are at j."""
        t = self.script
        t.at(a, 1, [j], at)
        t.at(b, 1, [j], bt)
        t.law("sum_same", t.index(n, at), t.function(a, 1, at), t.function(b, 1, bt), j)

    def within(self, js: Sequence[str], bounds: Sequence[Index], scope: Scope) -> list[str]:
        return [c for j, b in zip(js, bounds) for c in (f"(<= 0 {j})", f"(< {j} {self.script.index(b, scope)})")]

    def same_arguments(self, a: Term, at: Scope, b: Term, bt: Scope) -> list[list[str]]:
        """A symbol has equal values if its arguments agree where it reads them; returns where they are compared."""
        t = self.script
        places, agree = [], []
        for k, ((arity, p), (_, q)) in enumerate(zip(a.parts, b.parts)):
            js = [t.constant() for _ in range(arity)]
            places.append(js)
            if not arity:
                agree.append(f"(= {t.term(p, at)} {t.term(q, bt)})")
                continue
            sides = f"(= {t.at(p, arity, js, at)} {t.at(q, arity, js, bt)})"
            agree.append(implies(self.within(js, self.certificate.ranges(a, k), at), sides))
        head = t.app(a.data[0])
        idx = [t.index(i, at) for i in a.data[1]]
        one, two = (
            [*idx, *(t.function(p, k, scope) for k, p in x.parts)] for x, scope in ((a, at), (b, bt))
        )  # fmt: skip
        conclusion = f"(= {call(head, one)} {call(head, two)})"
        if any(k for k, _ in a.parts):
            t.assume("operators read their arguments in range", implies([conjunction(agree)], conclusion))
        return places

    def walk(self, a: Term, at: Scope, b: Term, bt: Scope) -> None:
        """Terms of one shape: compare under each binder at a new index."""
        t = self.script
        shape = a.op == b.op and [k for k, _ in a.parts] == [k for k, _ in b.parts]
        if (a is b and at == bt) or not shape or (a.op == "app" and a.data[0] != b.data[0]):
            return
        places: list[list[str]] = [[] for _ in a.parts]
        if a.op == "sum":
            places = [[t.constant()]]
            self.same_sums(a.data, a.parts[0][1], at, b.parts[0][1], bt, places[0][0])
        elif a.op == "app" and any(k for k, _ in a.parts):
            places = self.same_arguments(a, at, b, bt)
        for js, (_, p), (_, q) in zip(places, a.parts, b.parts):
            self.walk(p, [*at, *js], q, [*bt, *js])
