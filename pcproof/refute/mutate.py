"""Mutants: a rule, a theory or a claim with one thing changed.

``mutants`` changes ``Equations`` (step size, start, moment, every term of the
step and of the weight changes, update order); ``theory_mutants`` drops each
hypothesis and changes each definition; ``claim_mutants`` besides weakens each
guard of each goal by one.  What is changed, and its name, come from the
structure alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from ..language.evaluate import EvaluationError
from ..language.index import Con, Idx, QVar, Size, ge, le, qvar
from ..language.show import show, show_con, show_statement
from ..language.signature import PARAMETER, Case, Claim, Definition, Statement, Symbol, Theory
from ..language.terms import ZERO, App, Num, Term, add, mul
from ..networks.network import L
from ..rules.equations import EVERY_STEP, Equations, moment, other_orders, static_theory
from . import rewrite
from .confirm import Judge
from .instance import Activation, Instance
from .problem import Tracer, numbers
from .shapes import shapes


@dataclass(frozen=True)
class Mutant:
    """A rule with one thing changed."""

    name: str
    description: str
    equations: Equations


@dataclass(frozen=True)
class TheoryMutant:
    """A theory with one thing changed."""

    name: str
    description: str
    theory: Theory


@dataclass(frozen=True)
class ClaimMutant:
    """A claim with one thing changed."""

    name: str
    description: str
    claim: Claim


TermChange = tuple[str, Term]
MakeChanges = Callable[[Term, tuple[Con, ...]], Iterator[TermChange]]


# -- rules ----------------------------------------------------------------------
def mutants(equations: Equations) -> list[Mutant]:
    """Every mutant of a rule, without repetitions."""
    out: list[Mutant] = []
    seen = {_fingerprint(equations)}
    for name, description, e in _all(equations):
        mark = _fingerprint(e)
        if mark not in seen:
            seen.add(mark)
            out.append(Mutant(name, description, e))
    return out


def _fingerprint(e: Equations) -> str:
    cases = [*e.step, *(c for k in sorted(e.change) for c in e.change[k])]
    texts = [f"{sorted(g.key for g in c.guard)} {c.value.key}" for c in cases]
    return "|".join([e.start.key, e.when.key, e.order, str(e.held), *texts])


def _all(e: Equations) -> Iterator[tuple[str, str, Equations]]:
    yield from _step_sizes(e)
    yield from _starts(e)
    yield from _moments(e)
    theory = static_theory(e)
    for position, case in enumerate(e.step):
        for what, value in _changes(case, theory.symbols, _domain(e)):
            step = (*e.step[:position], Case(case.guard, value), *e.step[position + 1 :])
            yield f"step: {what}", _sentence("the step of hidden layers", value), replace(e, step=step)
    for kind, cases in e.change.items():
        for position, case in enumerate(cases):
            for what, value in _changes(case, theory.symbols, _domain(e)):
                new = (*cases[:position], Case(case.guard, value), *cases[position + 1 :])
                changed = replace(e, change={**e.change, kind: new})
                yield f"change of {kind}: {what}", _sentence(f"the change of {kind}", value), changed
    for order, meaning in other_orders(e).items():
        yield f"order: {order}", f"update order inside one time step: {meaning}", replace(e, order=order)
    if e.held:
        moving = "predictions and their derivatives follow the activities"
        yield "predictions: not held", moving, replace(e, held=False)


def _sentence(what: str, value: Term) -> str:
    return f"{what} is {show(value)}"


def _step_sizes(e: Equations) -> Iterator[tuple[str, str, Equations]]:
    for q in (Fraction(1, 2), Fraction(2)):
        step = tuple(Case(c.guard, _scaled(q, c.value)) for c in e.step)
        description = f"the step of hidden layers times {q} (gamma other than it was)"
        yield f"step: scaled by {q}", description, replace(e, step=step)


def _scaled(q: Fraction, t: Term) -> Term:
    return add(*(mul(Num(q), a) for a in rewrite.addends(t)))


def _starts(e: Equations) -> Iterator[tuple[str, str, Equations]]:
    taken = {p.name for p in e.parameters}
    name = next(n for n in ("x0", *(f"x0_{k}" for k in range(99))) if n not in taken)
    shift = Symbol(name, PARAMETER, 3, shape="layer, batch, unit", meaning="error of hidden layers at the start")
    at = (qvar("l"), qvar("b"), qvar("i"))
    off = replace(e, start=add(e.start, App(name, at)), parameters=(*e.parameters, shift))
    yield "start: hidden errors not 0", f"hidden activities start at {show(off.start)}", off
    yield "start: 0", "hidden activities start at 0", replace(e, start=ZERO)


def _moments(e: Equations) -> Iterator[tuple[str, str, Equations]]:
    t = qvar("t")
    if e.when == EVERY_STEP:
        for label, one in (("l - 1", qvar("l") - 1), ("0", Idx(0))):
            yield (
                f"moment: at t = {label}",
                f"theta[l] learns at t = {label} alone",
                replace(e, when=Con("eq", t - one)),
            )
        return
    m = moment(e.when)
    for label, when in (
        (f"at t = {m + 1!r}", m + 1),
        (f"at t = {m - 1!r}", m - 1),
        ("at t = 0", Idx(0)),
        ("at t = 1", Idx(1)),
    ):
        yield f"moment: {label}", f"theta[l] learns {label} instead of t = {m!r}", replace(e, when=Con("eq", t - when))


def _changes(case: Case, symbols: Mapping[str, Symbol], domain: rewrite.Domain) -> Iterator[TermChange]:
    t = case.value
    yield from rewrite.signs(t)
    yield from rewrite.dropped_terms(t)
    yield from rewrite.dropped_factors(t)
    yield from rewrite.transposed(t, symbols)
    yield from rewrite.shifted_layers(t, symbols, case.guard, domain)


def _domain(e: Equations) -> rewrite.Domain:
    """Where the symbols of a rule have a value: mu and errors below the input, weights from layer 1 on."""
    weights = {k.name for k in e.net.kinds} | {k.initial for k in e.net.kinds}

    def domain(a: App) -> tuple[Con, ...]:
        if not a.idx:
            return ()
        layer = a.idx[0]
        if a.name in ("mu", "eps"):
            return (ge(layer, 0), le(layer + 1, L))
        if a.name in weights or a.args:
            return (ge(layer, 1), le(layer, L))
        return (ge(layer, 0), le(layer, L))

    return domain


# -- theories -------------------------------------------------------------------
def theory_mutants(theory: Theory, definitions: Iterable[str] | None = None) -> list[TheoryMutant]:
    """Each hypothesis dropped; each term of each definition (or of those named) changed."""
    out: list[TheoryMutant] = []
    for name, h in theory.hypotheses.items():
        rest = {n: s for n, s in theory.hypotheses.items() if n != name}
        out.append(
            TheoryMutant(f"without {name}", f"not assumed: {show_statement(h)}", replace(theory, hypotheses=rest))
        )
    wanted = None if definitions is None else set(definitions)
    for g, group in enumerate(theory.definitions):
        for d, definition in enumerate(group):
            if wanted is not None and definition.name not in wanted:
                continue
            for what, changed in _definition_changes(definition, theory.symbols):
                new = (*group[:d], changed, *group[d + 1 :])
                groups = (*theory.definitions[:g], new, *theory.definitions[g + 1 :])
                out.append(TheoryMutant(f"{definition.name}: {what}", "", replace(theory, definitions=groups)))
    return out


def _definition_changes(d: Definition, symbols: Mapping[str, Symbol]) -> Iterator[tuple[str, Definition]]:
    for k, case in enumerate(d.cases):
        where = f" where {', '.join(map(show_con, case.guard))}" if len(d.cases) > 1 else ""
        changes = [
            *rewrite.signs(case.value),
            *rewrite.dropped_terms(case.value),
            *rewrite.dropped_factors(case.value),
            *rewrite.transposed(case.value, symbols),
        ]
        for what, value in changes:
            if value is not case.value:
                cases = (*d.cases[:k], Case(case.guard, value), *d.cases[k + 1 :])
                yield what + where, replace(d, cases=cases)


# -- claims ---------------------------------------------------------------------
def claim_mutants(claim: Claim, definitions: Iterable[str] | None = ()) -> list[ClaimMutant]:
    """Each hypothesis dropped, each guard of each goal weakened by one; definitions changed if named.

    Ranges of units and samples are left alone, and so are guards beyond which
    the goal has no value.
    """
    out = [
        ClaimMutant(m.name, m.description, replace(claim, theory=m.theory))
        for m in theory_mutants(claim.theory, definitions)
    ]
    for g, goal in enumerate(claim.goals):
        fixed = _unit_variables(claim.theory, goal)
        for k, c in enumerate(goal.guards):
            if {a.name for a in c.expr.atoms() if isinstance(a, QVar)} & fixed:
                continue
            for label, weaker in _weaker(c):
                guards = (*goal.guards[:k], *weaker, *goal.guards[k + 1 :])
                new = Statement(goal.variables, guards, goal.relation)
                changed = replace(claim, goals=(*claim.goals[:g], new, *claim.goals[g + 1 :]))
                if _reaches_further(claim, goal, new):
                    name = f"goal {g + 1}: {show_con(c)} weakened to {label}"
                    out.append(ClaimMutant(name, show_statement(new), changed))
    return out


def _weaker(c: Con) -> Iterator[tuple[str, tuple[Con, ...]]]:
    if c.kind == "ge":
        new = Con("ge", c.expr + 1)
        yield show_con(new), (new,)
    elif c.kind == "eq":
        for pair in ((Con("ge", c.expr), Con("ge", 1 - c.expr)), (Con("ge", -c.expr), Con("ge", c.expr + 1))):
            yield ", ".join(map(show_con, pair)), pair


def _unit_variables(theory: Theory, s: Statement) -> set[str]:
    """Variables bounded by a width or by the batch."""
    out: set[str] = set()
    for c in s.guards:
        atoms = list(c.expr.terms)
        if any(isinstance(a, Size) and (a.args or a.name == "B") for a, _ in atoms):
            out |= {a.name for a, _ in atoms if isinstance(a, QVar)}
    return out


def _reaches_further(claim: Claim, old: Statement, new: Statement) -> bool:
    """Does the goal have a value at some instance that only the new guards admit?"""
    tracer = Tracer(replace(claim, goals=(new,)))
    for depth in (1, 2, 3):
        shape = next(iter(shapes(claim.theory, depth, 0, 1, ())), None)
        if shape is None:
            continue
        problem = tracer.problem(shape, _plain())
        if problem.impossible:
            continue
        judge = Judge(claim.theory, Instance(shape, _plain(), numbers(problem, [1] * len(problem.slots))))
        known = [dict(at) for at in judge.instances(old)]
        for at in judge.instances(new):
            if at in known:
                continue
            try:
                judge.compare(new.relation, at)
            except EvaluationError:
                continue
            return True
    return False


def _plain() -> Activation:
    return Activation()
