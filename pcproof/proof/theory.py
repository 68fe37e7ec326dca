"""Admission of a theory: are its definitions definitions?

Checked: every term well formed (declared names, right number of arguments,
no loose index); cases of one definition exclude each other; recursive calls
go down in a lexicographic list of linear measures that are >= 0 where the
recursion happens.  Then the equations have a solution, so a theorem about
them is not vacuous.  Trusted by the kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from types import MappingProxyType
from typing import Any

from ..language.arith import entails, unsatisfiable
from ..language.index import Bound, Con, Idx, QVar, Size, eq, ge, le, lt
from ..language.signature import (
    DEFINED,
    FUNCTION,
    OPERATOR,
    PARAMETER,
    Case,
    Definition,
    Deriv,
    Eq,
    Le,
    Ne,
    Statement,
    Symbol,
    Tangent,
    Theory,
    relation_terms,
)
from ..language.terms import NODES, App, Sum, Term, children, free_vars, indices, loose, open_lam, subst_idx


class TheoryError(ValueError):
    """A theory is not admissible; the message names the definition and what is wrong."""


def _only(what: str, cls: type | tuple[type, ...], *values: object) -> None:
    """Exactly these classes: a subclass, or something that looks the same, may answer as it likes."""
    kinds = cls if isinstance(cls, tuple) else (cls,)
    for v in values:
        if type(v) not in kinds:
            raise TheoryError(f"{what}: {' or '.join(c.__name__ for c in kinds)} expected, got {v!r}")


def freeze(theory: Theory) -> Theory:
    """A copy that nobody else can change: tuples and read-only mappings all the way down."""

    def mapping(m: Mapping[str, Any], fn: Any) -> Mapping[str, Any]:
        items = dict(m)
        _only("a name", str, *items)
        return MappingProxyType({k: fn(v) for k, v in items.items()})

    def symbol(s: Symbol) -> Symbol:
        _only("a symbol", Symbol, s)
        _only(f"{s.name!r}: arity", int, s.arity)
        _only(f"{s.name!r}: name", str, s.name, s.kind, *s.derivatives)
        ranges = tuple(tuple(r) for r in s.ranges)
        _only(f"{s.name!r}: range", Idx, *(b for r in ranges for b in r))
        return replace(s, ranges=ranges, derivatives=tuple(s.derivatives))

    def case(c: Case) -> Case:
        _only("a case", Case, c)
        return Case(cons(c.guard), c.value)

    def definition(d: Definition) -> Definition:
        _only("a definition", Definition, d)
        _only("a parameter", str, d.name, *d.params)
        _only("a measure", Idx, *d.measure)
        return Definition(d.name, tuple(d.params), tuple(case(c) for c in d.cases), tuple(d.measure))

    def cons(cs: Any) -> tuple[Con, ...]:
        out = tuple(cs)
        _only("a constraint", Con, *out)
        return out

    def statement(s: Statement) -> Statement:
        _only("a statement", Statement, s)
        return Statement(tuple(s.variables), cons(s.guards), s.relation)

    _only("a theory", Theory, theory)
    return Theory(
        mapping(theory.sizes, int),
        cons(theory.assumptions),
        mapping(theory.symbols, symbol),
        tuple(tuple(definition(d) for d in group) for group in theory.definitions),
        mapping(theory.hypotheses, statement),
        mapping(theory.directions, lambda m: mapping(m, str)),
    )


def check_scope(theory: Theory, i: Idx, scope: set[str], what: str) -> None:
    """Declared sizes, no variable but those in ``scope``, no bound index."""
    _only(what, Idx, i)
    check_index(theory, i)
    for a in i.atoms():
        if isinstance(a, Bound) or (isinstance(a, QVar) and a.name not in scope):
            raise TheoryError(f"{what}: the index {a!r} is not quantified")


def check_index(theory: Theory, i: Idx) -> None:
    """Every size is declared, with the right number of arguments."""
    for a in i.atoms():
        if isinstance(a, Size) and theory.sizes.get(a.name) != len(a.args):
            raise TheoryError(f"the size {a!r} is not declared with {len(a.args)} arguments")


# what was found well formed, by signature; holding the signature keeps its id from being reused
_formed: dict[tuple[int, int], tuple[object, object, set[Term]]] = {}


def check_term(theory: Theory, t: Term) -> None:
    """Every symbol in ``t`` is declared and has the right arguments."""
    _only("a term", NODES, t)  # before anything is looked up: what is no node may equal one
    sig = (id(theory.symbols), id(theory.sizes))
    known = _formed.setdefault(sig, (theory.symbols, theory.sizes, set()))[2]
    if t in known:
        return
    if isinstance(t, App):
        s = theory.symbols.get(t.name)
        if s is None:
            raise TheoryError(f"the symbol {t.name!r} is not declared")
        if len(t.idx) != s.arity or tuple(a.arity for a in t.args) != tuple(map(len, s.ranges)):
            raise TheoryError(
                f"{t.name!r} takes {s.arity} indices and {len(s.ranges)} arguments, "
                f"got {len(t.idx)} and {len(t.args)} (or arguments of another shape)"
            )
    for i in indices(t):
        check_index(theory, i)
    for _, c in children(t):
        check_term(theory, c)
    known.add(t)


def check_statement(theory: Theory, s: Statement, outer: tuple[str, ...] = ()) -> None:
    """Well formed and without a free variable."""
    _only("a statement", Statement, s)
    _only("what a statement holds", tuple, s.variables, s.guards)
    if len(set(s.variables)) != len(s.variables):
        raise TheoryError(f"a variable is quantified twice in {s.variables}")
    _only("a relation", (Eq, Ne, Le, Tangent, Deriv), s.relation)
    _only("a variable", str, *s.variables)
    _only("a constraint", Con, *s.guards)
    scope = set(s.variables) | set(outer)
    for c in s.guards:
        check_scope(theory, c.expr, scope, "a guard")
    for t in relation_terms(s.relation):
        check_term(theory, t)
        if loose(t) or not free_vars(t) <= scope:
            raise TheoryError(f"an index is not quantified: {sorted(free_vars(t) - scope)}")
    if isinstance(s.relation, Tangent):
        _only("a direction", str, s.relation.direction)
    if isinstance(s.relation, Tangent) and s.relation.direction not in theory.directions:
        raise TheoryError(f"the direction {s.relation.direction!r} is not declared")
    if isinstance(s.relation, Deriv) and not theory.symbols[s.relation.point.name].derivatives:
        raise TheoryError(f"the function {s.relation.point.name!r} has no derivative symbol")


def _calls(theory: Theory, t: Term, guards: tuple[Con, ...], depth: int = 0) -> list[tuple[App, tuple[Con, ...]]]:
    """Every application in ``t`` with the constraints in force where it stands."""
    out: list[tuple[App, tuple[Con, ...]]] = []
    if isinstance(t, App):
        out.append((t, guards))
        for position, lam in enumerate(t.args):
            bounds = theory.symbols[t.name].bounds(position, t.idx)
            fresh = tuple(Idx.of(QVar(f"#{depth + k}")) for k in range(lam.arity))
            inside = guards + tuple(c for v, b in zip(fresh, bounds) for c in (ge(v, 0), lt(v, b)))
            out += _calls(theory, open_lam(lam.arity, lam.body, fresh), inside, depth + lam.arity)
    elif isinstance(t, Sum):
        v = Idx.of(QVar(f"#{depth}"))
        inside = (*guards, ge(v, 0), lt(v, t.bound))
        out += _calls(theory, open_lam(1, t.body, (v,)), inside, depth + 1)
    else:
        for _, c in children(t):
            out += _calls(theory, c, guards, depth)
    return out


def _decreases(guards: tuple[Con, ...], new: list[Idx], old: tuple[Idx, ...]) -> bool:
    for a, b in zip(new, old):
        if entails(guards, lt(a, b)):
            return True
        if not entails(guards, le(a, b)):
            return False
        guards = (*guards, eq(a, b))
    return False


def _check_definition(theory: Theory, d: Definition, group: dict[str, Definition], earlier: set[str]) -> None:
    symbol = theory.symbols.get(d.name)
    if symbol is None or symbol.kind != DEFINED or symbol.arity != len(d.params):
        raise TheoryError(f"{d.name!r} is not declared as a defined symbol of {len(d.params)} indices")
    if len(set(d.params)) != len(d.params):
        raise TheoryError(f"{d.name!r}: a parameter is named twice")
    if any(p.startswith("#") for p in d.params):
        raise TheoryError(f"{d.name!r}: names with # are kept for bound indices")
    for m in d.measure:
        check_scope(theory, m, set(d.params), f"{d.name!r}: measure")
    for c in (c for case in d.cases for c in case.guard):
        check_scope(theory, c.expr, set(d.params), f"{d.name!r}: guard")
    for a, b in combinations(d.cases, 2):
        if not unsatisfiable((*theory.assumptions, *a.guard, *b.guard)):
            raise TheoryError(f"{d.name!r}: two cases overlap: {a.guard} and {b.guard}")
    for case in d.cases:
        check_term(theory, case.value)
        used = free_vars(case.value).union(a.name for c in case.guard for a in c.expr.atoms() if isinstance(a, QVar))
        if loose(case.value) or not used <= set(d.params):
            raise TheoryError(f"{d.name!r}: index {sorted(used - set(d.params))} is not a parameter")
        base = (*theory.assumptions, *case.guard)
        for call, guards in _calls(theory, case.value, base):
            if theory.symbols[call.name].kind != DEFINED or call.name in earlier:
                continue
            if call.name not in group:
                raise TheoryError(f"{d.name!r} uses {call.name!r} before its definition")
            if not all(entails(base, ge(m, 0)) for m in d.measure):
                raise TheoryError(f"{d.name!r}: a measure may be negative where it recurses")
            callee = group[call.name]
            values = dict(zip(callee.params, call.idx))
            new = [subst_idx(m, values) for m in callee.measure]
            if len(new) != len(d.measure) or not _decreases(guards, new, d.measure):
                raise TheoryError(f"{d.name!r}: the call {call!r} does not go down in {d.measure}")


def admit(theory: Theory) -> None:
    """Raise ``TheoryError`` unless the theory is admissible."""
    if unsatisfiable(theory.assumptions):
        raise TheoryError("the assumptions on the sizes contradict each other")
    for c in theory.assumptions:
        check_scope(theory, c.expr, set(), "an assumption on the sizes")
    for s in theory.symbols.values():
        if s.kind not in (PARAMETER, FUNCTION, OPERATOR, DEFINED):
            raise TheoryError(f"{s.name!r}: unknown kind {s.kind!r}")
        if s.kind in (PARAMETER, DEFINED) and s.ranges:
            raise TheoryError(f"{s.name!r}: only functions and operators take real arguments")
        if s.kind in (FUNCTION, OPERATOR) and not s.ranges:
            raise TheoryError(f"{s.name!r}: a function or operator takes a real argument")
        for b in (b for r in s.ranges for b in r):
            check_scope(theory, b, {str(k) for k in range(s.arity)}, f"{s.name!r}: range")
    earlier: set[str] = set()
    for group in theory.definitions:
        names = {d.name: d for d in group}
        if len(names) != len(group) or names.keys() & earlier:
            raise TheoryError(f"defined twice: {sorted(names)}")
        for d in group:
            _check_definition(theory, d, names, earlier)
        earlier |= names.keys()
    for name, s in theory.symbols.items():
        if s.kind == DEFINED and name not in earlier:
            raise TheoryError(f"{name!r} is declared as defined but has no definition")
        if s.derivatives and len(s.derivatives) != len(s.ranges):
            raise TheoryError(f"{name!r}: one derivative symbol for each argument is needed")
        for position, derivative in enumerate(s.derivatives):
            ds = theory.symbols.get(derivative)
            wanted = s.arity + len(s.ranges[position])
            if ds is None or ds.kind not in (FUNCTION, OPERATOR) or ds.arity != wanted or ds.ranges != s.ranges:
                raise TheoryError(f"{derivative!r} does not have the shape of a derivative of {name!r}")
    for st in theory.hypotheses.values():
        check_statement(theory, st)
    for direction in theory.directions.values():
        for x, dx in direction.items():
            sx, sdx = theory.symbols.get(x), theory.symbols.get(dx)
            if sx is None or sdx is None or sx.arity != sdx.arity or x == dx:
                raise TheoryError(f"{dx!r} is no variation of {x!r}")
            if sx.kind != PARAMETER or sdx.kind != PARAMETER or dx in direction:
                raise TheoryError(f"only parameters vary: {x!r}, {dx!r}")
