"""Concrete models of a claim's assumptions, so that no theorem is vacuous."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from ..language.evaluate import EvaluationError
from ..language.signature import Claim, Deriv, Theory, relation_terms
from ..language.terms import ZERO
from .confirm import Judge
from .graph import Number
from .instance import IDENTITY, RELU, SQUARE, TABLE, Activation, Instance, Shape, has_functions
from .problem import Problem, Tracer, numbers
from .shapes import admissible, shapes
from .solve import satisfy

RAGGED = (2, 1, 3, 2, 1)
ATTEMPTS = 24  # models looked at before one with sides equal to 0 is good enough
NUMBERS: tuple[Number, ...] = (1, 2, -1, 3, -2, Fraction(1, 2))


@dataclass(frozen=True)
class InstanceCheck:
    """Did a concrete model meet assumptions, hypotheses and goals?

    instances: goal instances that hold.  problem: "" or what failed.
    """

    ok: bool
    instances: int
    problem: str = ""

    def __bool__(self) -> bool:
        raise TypeError("a check has no truth value; look at .ok")


def find_model(claim: Claim, extra_time: int = 2) -> Instance | None:
    """A concrete exact model of the assumptions and hypotheses in which every goal has an instance.

    Ragged widths at depth 2, 3, a batch of two and numbers other than 0 are
    preferred, and instances at which the sides of a goal are not 0.  None if
    nothing was found.
    """
    tracer = Tracer(claim, extra_time)
    spare: Instance | None = None
    tried = 0
    activations = (
        [Activation(SQUARE), Activation(IDENTITY), Activation(RELU), Activation(TABLE)]
        if has_functions(claim.theory)
        else [Activation()]
    )
    for shape in _preferred(claim.theory):
        if not all(tracer.instances(g, shape, shape.size) for g in claim.goals):
            continue
        for activation in activations:
            problem = tracer.problem(shape, activation)
            if problem.impossible:
                continue
            for instance in _candidates(problem):
                judge = Judge(claim.theory, instance)
                if judge.failing_hypothesis(extra_time) is not None:
                    continue
                if _lively(judge, claim, extra_time):
                    return instance
                spare = spare or instance
                tried += 1
                if tried >= ATTEMPTS:
                    return spare
    return spare


def _preferred(theory: Theory) -> Iterator[Shape]:
    constants = [n for n, arity in theory.sizes.items() if arity == 0]
    tables = [n for n, arity in theory.sizes.items() if arity > 0]
    for depth in (2, 3):
        for other in (2, 1, 0, 3):
            fixed = {n: depth if n == "L" else 2 if n == "B" else other for n in constants}
            widths = {n: tuple(RAGGED[(k + j) % 5] for j in range(depth + 1)) for k, n in enumerate(tables)}
            shape = Shape(fixed, widths)
            if admissible(theory, shape):
                yield shape
    for depth in (2, 3, 1):
        yield from shapes(theory, depth, 1, 2)


def _candidates(problem: Problem) -> Iterator[Instance]:
    """A few models: numbers other than 0, made to meet the hypotheses."""
    random = Random(7)
    problem.slots = list(problem.graph.slots)
    for turn in range(12):
        pool = NUMBERS if turn < 8 else (*NUMBERS, 0)
        values = satisfy(problem, [random.choice(pool) for _ in problem.slots], problem.activation.table)
        if values is not None:
            yield Instance(problem.shape, problem.activation, numbers(problem, values))


def _lively(judge: Judge, claim: Claim, extra: int) -> bool:
    """Is some side of every goal other than 0 at some instance (unless it says that something is 0)?"""
    for goal in claim.goals:
        if isinstance(goal.relation, Deriv) or ZERO in relation_terms(goal.relation):
            continue
        for at in judge.instances(goal, extra):
            try:
                verdict = judge.compare(goal.relation, at)
            except EvaluationError:
                continue
            if verdict.lhs != 0 or verdict.rhs != 0:
                break
        else:
            return False
    return True


def check_instance(claim: Claim, instance: Instance, extra_time: int = 2) -> InstanceCheck:
    """Do assumptions, hypotheses and all goals hold in a concrete model?  Each goal needs an instance."""
    if not admissible(claim.theory, instance.shape):
        return InstanceCheck(False, 0, "the sizes do not meet the assumptions")
    judge = Judge(claim.theory, instance)
    refused = judge.failing_hypothesis(extra_time)
    if refused is not None:
        return InstanceCheck(False, 0, f"the hypothesis {refused!r} does not hold")
    held = 0
    for number, goal in enumerate(claim.goals):
        before = held
        for at in judge.instances(goal, extra_time):
            try:
                verdict = judge.compare(goal.relation, at)
            except EvaluationError as e:
                return InstanceCheck(False, held, f"goal {number} has no value at {_at(at)}: {e}")
            if not verdict.holds:
                return InstanceCheck(False, held, f"goal {number} fails at {_at(at)}: {verdict.lhs}, {verdict.rhs}")
            held += 1
        if held == before:
            return InstanceCheck(False, held, f"goal {number} has no instance in this model")
    return InstanceCheck(True, held)


def _at(at: Mapping[str, int]) -> str:
    return ", ".join(f"{n} = {v}" for n, v in at.items())
