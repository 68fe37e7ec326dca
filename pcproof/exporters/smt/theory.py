"""Obligations of the theory: cases exclude each other, recursion goes down, and nothing said is void.

The last are the ones where ``sat`` is expected: the assumptions on sizes, and the guards of each case, hypothesis and
goal, can be met; each hypothesis can hold for some values of what is not a number, sum or product in it.  That all
hypotheses can hold together is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from . import names, ring
from .certificate import Certificate, Definition, Term
from .indices import Con, Index, need
from .obligation import SAT, Obligations
from .script import Script, conjunction, implies


def obligations(c: Certificate, out: Obligations) -> None:
    s = Script(c)
    _assumed(s)
    out.add("not void", "assumptions", s.text(None), SAT)
    for group in c.theory.groups:
        for d in group:
            _definition(c, d, {g.name: g for g in group}, out)
    for what, statement in [
        *((f"hypothesis {names.spell(n)}", s) for n, s in c.theory.hypotheses.items()),
        *((f"goal {k}", g) for k, (g, _) in enumerate(c.goals)),
    ]:
        out.add("not void", what, _guards(c, statement.variables, [statement.where]).text(None), SAT)
    for n, statement in c.theory.hypotheses.items():
        kind, *sides = statement.holds
        if kind in ring.RELATIONS:
            script = ring.compared(ring.RELATIONS[kind], *sides)
            out.add("not void", f"hypothesis {names.spell(n)}, alone", script, SAT)


def goals(c: Certificate, out: Obligations) -> None:
    """Each goal is what an item proves, with no local hypothesis."""
    for k, (goal, n) in enumerate(c.goals):
        item = c.items[n]
        s = _guards(c, goal.variables, [goal.where])
        known = set(goal.variables)
        at = [names.variable(v) if v in known else s.constant() for v in item.context.variables]
        name = s.define("p", item.context.variables, implies(s.context(item.context), s.relation(item.claim)))
        s.check(f"({name} {' '.join(at)})" if at else name)
        out.add("goal", f"goal {k}", s.text(s.relation(goal.holds)))


def _assumed(s: Script) -> None:
    for a in s.theory.assumptions:
        s.check(s.con(a))


def _guards(c: Certificate, variables: Sequence[str], where: Sequence[Sequence[Con]]) -> Script:
    """A script that supposes the assumptions on sizes and guards."""
    s = Script(c)
    s.variables(variables)
    _assumed(s)
    for cons in where:
        for g in cons:
            s.check(s.con(g))
    return s


def _definition(c: Certificate, d: Definition, group: dict[str, Definition], out: Obligations) -> None:
    title = f"definition {names.spell(d.name)}"
    need(d.cases, f"{d.name!r} has no case")
    for (k, (a, _)), (m, (b, _)) in combinations(enumerate(d.cases), 2):
        script = _guards(c, d.parameters, [a, b]).text(None)
        out.add("cases exclude each other", f"{title}, cases {k} and {m}", script)
    for k, (where, value) in enumerate(d.cases):
        place = f"{title}, case {k}"
        out.add("not void", place, _guards(c, d.parameters, [where]).text(None), SAT)
        recursive = False
        for call, scope, ranges in _calls(c, value, (), (), group):
            recursive = True
            need(len(group[call.data[0]].measure) == len(d.measure), f"{title}: measures of one length are expected")
            out.add("recursion goes down", place, _down(c, d, where, call, scope, ranges, group))
        if recursive:
            s = _guards(c, d.parameters, [where])
            positive = conjunction([f"(>= {s.index(m)} 0)" for m in d.measure])
            out.add("measure is not negative", place, s.text(positive))


#: a bound index and, with the number of binders outside it, how far it goes
Range = tuple[str, Index, int]


def _calls(
    c: Certificate, t: Term, scope: tuple[str, ...], ranges: tuple[Range, ...], group: dict[str, Definition]
) -> Iterator[tuple[Term, tuple[str, ...], tuple[Range, ...]]]:
    """Calls of the group in a value, each with the names of bound indices around it and their ranges."""
    if t.symbols.isdisjoint(group):
        return
    if t.op == "app" and t.data[0] in group:
        yield t, scope, ranges
    for position, (arity, part) in enumerate(t.parts):
        bounds: list[Index] = [t.data] if t.op == "sum" else []
        if t.op == "app":
            bounds = c.ranges(t, position)
        fresh = tuple(f"b{len(scope) + m}" for m in range(arity))
        inside = tuple((n, b, len(scope)) for n, b in zip(fresh, bounds))
        yield from _calls(c, part, scope + fresh, ranges + inside, group)


def _down(
    c: Certificate,
    d: Definition,
    where: Sequence[Con],
    call: Term,
    scope: Sequence[str],
    ranges: Sequence[Range],
    group: dict[str, Definition],
) -> str:
    """The measure at a call is lexicographically below that of the definition."""
    s = _guards(c, d.parameters, [where])
    for name, limit, outside in ranges:
        s.declare(name, [], "Int")
        s.check(f"(and (<= 0 {name}) (< {name} {s.index(limit, scope[:outside])}))")
    other = group[call.data[0]]
    at = dict(zip(other.parameters, (s.index(i, scope) for i in call.data[1])))
    less = "false"
    for m, n in reversed(list(zip(other.measure, d.measure))):
        new, old = s.index(m, (), at), s.index(n)
        less = f"(or (< {new} {old}) (and (= {new} {old}) {less}))"
    return s.text(less)
