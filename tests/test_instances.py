"""Every proved theorem at random exact points: where its hypotheses hold, so does what it claims.

Points are fractions; sizes are small, and zero widths and empty batches are among them.  Values of the
parameters are drawn and then solved for the hypotheses; whether these hold, and the claim, is judged by
the reference evaluator alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from random import Random

import pytest

from pcproof.catalogue import entries
from pcproof.language.index import ge, qvar
from pcproof.language.signature import Claim, Deriv, Eq, Le, Statement, Tangent, relation_terms
from pcproof.language.terms import ONE, ZERO, Num, add
from pcproof.refute.confirm import Judge
from pcproof.refute.instance import IDENTITY, RELU, SQUARE, TABLE, Activation, Instance, Shape, has_functions
from pcproof.refute.problem import Tracer, numbers
from pcproof.refute.shapes import admissible, shapes
from pcproof.refute.solve import satisfy

NUMBERS = (1, -1, 2, -2, 3, Fraction(1, 2), Fraction(-3, 2), Fraction(2, 5))
ACTIVATIONS = [Activation(TABLE, seed=3), Activation(SQUARE), Activation(RELU), Activation(IDENTITY)]
ENOUGH = 10  # points
PROVED = [e.id for e in entries().values() if e.expected == "proved"]
#: no layer and no batch is empty at the points that are found: widths are given, or something must not be 0
FULL = {
    "linear_origin_direction",
    "prediction_converges",
    "prediction_does_not_converge",
    "prediction_large_step",
    "skip_graph",
    "skip_graph_padded",
}
#: theorems about one size, where few points are found
FEW = {"prediction_converges": 3, "prediction_large_step": 8, "no_faster": 8}
# here maps are sums of products of one entry of each argument: 0 at a vertex that reads leaves alone, and so are the
# changes of its leaves; test_levelled_graph.py has a graph with other maps, where they are not 0
PRODUCTS = {"zil_levelled_graph"}


@dataclass
class Points:
    """What was found.

    held: for each goal, at how many assignments it was looked at; lively: at how many a side was not 0.
    failed: where a goal did not hold.
    """

    held: list[int]
    lively: list[int]
    number: int = 0
    empty: int = 0
    depths: set[int] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)


def sizes(claim: Claim, random: Random) -> Iterator[Shape]:
    """Shapes that meet the assumptions: random ones, with zeros on every other turn, then the smallest."""
    theory = claim.theory
    constants = [n for n, arity in theory.sizes.items() if not arity]
    tables = [n for n, arity in theory.sizes.items() if arity]
    for turn in range(240):
        depth, low = turn % 3 + 1, turn % 2
        fixed = {
            n: depth if n == "L" else random.randint(low, 2) if n == "B" else random.randint(0, depth + 2)
            for n in constants
        }
        widths = {n: tuple(random.randint(low, 2) for _ in range(depth + 1)) for n in tables}
        shape = Shape(fixed, widths)
        if admissible(theory, shape):
            yield shape
    for depth in (1, 2, 3):
        yield from (s for _, s in zip(range(24), shapes(theory, depth, 1, 2)))


def empty(shape: Shape) -> bool:
    return shape.constants.get("B") == 0 or any(0 in t for t in shape.tables.values())


def holds(judge: Judge, s: Statement) -> bool:
    """At every assignment; a place where a definition has no value counts as a failure."""
    return all(judge.compare(s.relation, at).holds for at in judge.instances(s))


def points(claim: Claim) -> Points:
    random, tracer = Random(claim.id), Tracer(claim)
    out = Points([0] * len(claim.goals), [0] * len(claim.goals))
    activations = ACTIVATIONS if has_functions(claim.theory) else [Activation()]
    for shape in sizes(claim, random):
        if out.number >= ENOUGH and all(out.lively) and out.empty > 1:
            break
        activation = random.choice(activations)
        problem = tracer.problem(shape, activation)
        if problem.impossible:
            continue
        problem.slots = list(problem.graph.slots)
        pool = random.choice([NUMBERS, (0, *NUMBERS)])
        values = satisfy(problem, [random.choice(pool) for _ in problem.slots], activation.table)
        if values is None:
            continue
        judge = Judge(claim.theory, Instance(shape, activation, numbers(problem, values)))
        if not all(holds(judge, h) for h in claim.theory.hypotheses.values()):
            continue
        out.number += 1
        out.empty += empty(shape)
        out.depths.add(shape.depth)
        for number, goal in enumerate(claim.goals):
            idle = isinstance(goal.relation, Deriv) or ZERO in relation_terms(goal.relation)
            for at in judge.instances(goal):
                verdict = judge.compare(goal.relation, at)
                out.held[number] += 1
                out.lively[number] += idle or verdict.lhs != 0 or verdict.rhs != 0
                if not verdict.holds:
                    out.failed.append(f"goal {number} at {at}: {verdict.lhs}, {verdict.rhs}; {shape}")
    return out


@pytest.mark.parametrize("id", PROVED)
def test_a_theorem_holds_where_its_hypotheses_do(id: str) -> None:
    claim = entries()[id].claim()
    found = points(claim)
    assert not found.failed
    assert found.number >= FEW.get(id, ENOUGH), found
    assert all(found.lively) or id in PRODUCTS, found  # not 0 = 0 alone
    assert found.empty or id in FULL, found
    known = any(c.expr.terms and c.kind == "eq" for c in claim.theory.assumptions)
    assert known or "L" not in claim.theory.sizes or {1, 2, 3} <= found.depths or least(claim) > 1, found


def least(claim: Claim) -> int:
    """The smallest depth that the assumptions allow."""
    return next(d for d in range(1, 9) if any(True for _ in shapes(claim.theory, d, 1, 2)))


# -- the points find what is false -------------------------------------------------------
def without(name: str) -> Callable[[Claim], Claim]:
    def drop(c: Claim) -> Claim:
        rest = {n: h for n, h in c.theory.hypotheses.items() if n != name}
        assert len(rest) < len(c.theory.hypotheses)
        return replace(c, theory=replace(c.theory, hypotheses=rest))

    return drop


def one_more(c: Claim) -> Claim:
    """The right side of the last equation plus 1."""
    at = max(n for n, g in enumerate(c.goals) if isinstance(g.relation, Eq))
    r = c.goals[at].relation
    assert isinstance(r, Eq)
    return replace(
        c, goals=(*c.goals[:at], replace(c.goals[at], relation=Eq(r.lhs, add(r.rhs, ONE))), *c.goals[at + 1 :])
    )


def opposite(c: Claim) -> Claim:
    """The last inequality the other way round, with room."""
    at = max(n for n, g in enumerate(c.goals) if isinstance(g.relation, Le))
    r = c.goals[at].relation
    assert isinstance(r, Le)
    return replace(
        c, goals=(*c.goals[:at], replace(c.goals[at], relation=Le(add(r.rhs, Num(1)), r.lhs)), *c.goals[at + 1 :])
    )


@pytest.mark.parametrize(
    "id, change",
    [
        ("theorem_3_2", without("C3")),
        ("learning_fixed_point", without("equilibrium")),
        ("dag_fixed_point", without("at_rest")),
        ("near_target", without("descended")),
        ("zil", one_more),
        ("backprop_gradient", lambda c: replace(c, goals=tuple(shifted(g) for g in c.goals))),
        ("near_target", opposite),
        ("dag_converges", opposite),
    ],
)
def test_what_is_false_fails_at_some_point(id: str, change: Callable[[Claim], Claim]) -> None:
    assert points(change(entries()[id].claim())).failed


def shifted(s: Statement) -> Statement:
    """A derivative that is 1 too large."""
    r = s.relation
    assert isinstance(r, Tangent)
    return replace(s, relation=replace(r, tangent=add(r.tangent, ONE)))


def test_a_guard_that_is_lost_shows() -> None:
    """Theorem 3.1 at t >= l in place of t = l."""
    claim = entries()["theorem_3_1"].claim()
    (goal,) = claim.goals
    guards = tuple(ge(qvar("t"), qvar("l")) if g.kind == "eq" else g for g in goal.guards)
    assert guards != goal.guards
    assert points(replace(claim, goals=(replace(goal, guards=guards),))).failed
