"""What a statement is about: symbols, definitions, statements, theories.  Plain data.

===================  ===========================================================
``Symbol``           a real symbol: parameter, function, operator or defined
``Case``             ``value`` where ``guard`` holds
``Definition``       a symbol defined by guarded cases, maybe recursively
``Eq``               relation: two terms are equal
``Tangent``          relation: the directional derivative of a term is another
``Deriv``            relation: f' is the derivative of f at a point
``Ne``               relation: two terms differ
``Le``               relation: the first term is at most the second
``Statement``        for all variables that meet the guards, the relation holds
``Theory``           sizes, assumptions on them, symbols, definitions, hypotheses
===================  ===========================================================

``proof.theory.admit`` checks a theory; nothing here is trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Union

from .index import Con, Idx, QVar
from .terms import App, Term, subst, subst_con

PARAMETER, FUNCTION, OPERATOR, DEFINED = "parameter", "function", "operator", "defined"


@dataclass(frozen=True)
class Symbol:
    """A real symbol.

    arity: number of index arguments.
    ranges: for every real argument (functions, operators) the upper bounds of
        its indices, as index terms over ``QVar("0")``, ``QVar("1")``, ... (the
        symbol's own index arguments); an ordinary real argument has ``()``.
        The symbol reads its argument inside these ranges only.
    derivatives: for every real argument the symbol of the derivative by it, which
        takes the indices of that argument after the symbol's own (``f`` has
        ``("df",)``; a layer map P[l](i; x) has J[l](i, k; x)); () if there is none.
    shape, meaning: for people.
    """

    name: str
    kind: str
    arity: int = 0
    ranges: tuple[tuple[Idx, ...], ...] = ()
    derivatives: tuple[str, ...] = ()
    shape: str = ""
    meaning: str = ""

    def bounds(self, position: int, idx: tuple[Idx, ...]) -> tuple[Idx, ...]:
        """Upper bounds of the indices of real argument ``position`` at index arguments ``idx``."""
        values = {str(k): v for k, v in enumerate(idx)}
        return tuple(
            b.replace(lambda a: values.get(a.name) if isinstance(a, QVar) else None) for b in self.ranges[position]
        )


@dataclass(frozen=True)
class Case:
    guard: tuple[Con, ...]
    value: Term


@dataclass(frozen=True)
class Definition:
    """``name(params)`` by cases; ``measure`` decreases lexicographically at recursive calls."""

    name: str
    params: tuple[str, ...]
    cases: tuple[Case, ...]
    measure: tuple[Idx, ...] = ()

    def at(self, case: int, idx: tuple[Idx, ...]) -> Case:
        """One case with the arguments put in."""
        values = dict(zip(self.params, idx))
        chosen = self.cases[case]
        return Case(tuple(subst_con(c, values) for c in chosen.guard), subst(chosen.value, values))


@dataclass(frozen=True)
class Eq:
    lhs: Term
    rhs: Term


@dataclass(frozen=True)
class Ne:
    lhs: Term
    rhs: Term


@dataclass(frozen=True)
class Le:
    lhs: Term
    rhs: Term


@dataclass(frozen=True)
class Tangent:
    """d/ds of ``term`` with every varied symbol X replaced by X + s dX, at s = 0, is ``tangent``."""

    direction: str
    term: Term
    tangent: Term


@dataclass(frozen=True)
class Deriv:
    """At ``point`` (a symbol applied), the symbol's ``derivatives`` are its derivatives."""

    point: App


Relation = Union[Eq, Ne, Le, Tangent, Deriv]


def subst_relation(r: Relation, values: dict[str, Idx]) -> Relation:
    """Simultaneous substitution of index variables in a relation."""
    if isinstance(r, Eq):
        return Eq(subst(r.lhs, values), subst(r.rhs, values))
    if isinstance(r, Ne):
        return Ne(subst(r.lhs, values), subst(r.rhs, values))
    if isinstance(r, Le):
        return Le(subst(r.lhs, values), subst(r.rhs, values))
    if isinstance(r, Tangent):
        return Tangent(r.direction, subst(r.term, values), subst(r.tangent, values))
    point = subst(r.point, values)
    assert isinstance(point, App)
    return Deriv(point)


def relation_terms(r: Relation) -> tuple[Term, ...]:
    """The terms that a relation speaks about."""
    if isinstance(r, (Eq, Ne, Le)):
        return (r.lhs, r.rhs)
    if isinstance(r, Tangent):
        return (r.term, r.tangent)
    return (r.point,)


@dataclass(frozen=True)
class Statement:
    """For all integers ``variables`` that meet ``guards``: ``relation``."""

    variables: tuple[str, ...]
    guards: tuple[Con, ...]
    relation: Relation

    def at(self, values: Mapping[str, Idx]) -> tuple[tuple[Con, ...], Relation]:
        """Guards and relation with index terms put in for all variables."""
        v = dict(values)
        return tuple(subst_con(c, v) for c in self.guards), subst_relation(self.relation, v)


@dataclass(frozen=True)
class Theory:
    """The setting of a theorem.

    sizes: name -> number of index arguments (``L`` -> 0, ``n`` -> 1).
    assumptions: constraints on the sizes that hold throughout (``L >= 1``).
    symbols: every real symbol, in order of declaration.
    definitions: groups of mutually recursive definitions, in order.
    hypotheses: named statements taken for granted.
    directions: name -> {varied parameter: parameter of its variation}.
    """

    sizes: Mapping[str, int]
    assumptions: tuple[Con, ...]
    symbols: Mapping[str, Symbol]
    definitions: tuple[tuple[Definition, ...], ...] = ()
    hypotheses: Mapping[str, Statement] = field(default_factory=dict)
    directions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def definition(self, name: str) -> Definition | None:
        for group in self.definitions:
            for d in group:
                if d.name == name:
                    return d
        return None

    def extend(
        self,
        symbols: tuple[Symbol, ...] = (),
        definitions: tuple[tuple[Definition, ...], ...] = (),
        hypotheses: Mapping[str, Statement] | None = None,
        directions: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Theory:
        """A larger theory; a name declared twice is an error."""
        for s in symbols:
            if s.name in self.symbols:
                raise ValueError(f"the symbol {s.name!r} is declared twice")
        return replace(
            self,
            symbols={**self.symbols, **{s.name: s for s in symbols}},
            definitions=self.definitions + definitions,
            hypotheses={**self.hypotheses, **(hypotheses or {})},
            directions={**self.directions, **(directions or {})},
        )


@dataclass(frozen=True)
class Claim:
    """A named theorem to be: a conjunction of statements in a theory.

    title, source: for people.
    equations: the learning rule that the theory runs, if it runs one; a hint
        for tactics and for code generation, nothing that a proof rests on.
    script: a tactic of the claim's own, ``script(kernel, claim) -> lemmas, theorems``.
    says: "recursion" (any f'), "gradient" (f' the derivative at the visited
        points) or "" where neither applies.
    """

    id: str
    theory: Theory
    goals: tuple[Statement, ...]
    title: str = ""
    source: str = ""
    equations: Any = field(default=None, compare=False)
    script: Any = field(default=None, compare=False)
    says: str = ""
