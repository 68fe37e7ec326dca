"""The search for a smallest exact counterexample.

The order is finite and stated: depth; widths (by total, then lexicographically: up to ``extra_width`` units beyond
one a layer, and equal widths of ``square``); batch; other sizes; activation (identity, relu, square, square at one
layer, tables of values and derivatives); then the size of the numbers: entries of parameters from {1, 0}, then
{1, 0, -1, 2}, then with +-1/2 and 3 (biases begin with 0); parameters without an index from {1, 1/2}, then
{1, 1/2, 2, 0}, then with -1, 3.  Inside one of these sets all combinations are tried in lexicographic order.
At one depth, shapes with unequal widths at which one side reads entries of a parameter that the other does not (a
transposed matrix that is not square) come after all others.

Below a counterexample nothing is left out silently.  A network is either tried, or lies at a shape (and activation)
at which both sides are shown to be the same polynomial (``expand``; this covers all numbers), or is counted as passed
over, with the reason: both sides agree at large random points, but are too long to be multiplied out; or there are
more than ``Limits.cap`` combinations.  A counterexample that was found at large numbers and made smaller entry by
entry is called that.

The search is bounded by work (operations on numbers), which is the same on every machine, so the answer is too.
When three fifths of it are spent without a counterexample, the remaining shapes are tried at {1, 0} only.

Nothing here is trusted: a counterexample is returned only after the reference
evaluator has confirmed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice, product
from math import prod
from random import Random
from time import perf_counter
from typing import Any

from ..language.signature import Claim, Tangent
from .confirm import Judge
from .counterexample import Counterexample
from .expand import same_polynomial
from .graph import Node, Number, holds
from .instance import IDENTITY, RELU, SQUARE, TABLE, UNTRUE, Activation, Instance, Key, Shape, has_functions, vouched
from .layout import role
from .problem import Problem, Test, Tracer, numbers
from .shapes import equal_widths, shapes
from .solve import Values, random_values, residuals, satisfy

HALF = Fraction(1, 2)
ENTRIES: tuple[tuple[Number, ...], ...] = ((1, 0), (1, 0, -1, 2), (1, 0, -1, 2, HALF, -HALF, 3))
SCALARS: tuple[tuple[Number, ...], ...] = ((1, HALF), (1, HALF, 2, 0), (1, HALF, 2, 0, -1, 3))
SHRINK: tuple[Number, ...] = (1, 0, -1, 2, HALF, -HALF, 3)
TRACING, RUNNING = 60, 6  # work of recording an operation, and of running one that is not compiled
EXPANDING = 25  # work of multiplying two monomials


@dataclass(frozen=True)
class Limits:
    """What is searched.

    max_depth: largest L.  extra_width: units beyond one a layer.  square: widths
    tried as equal widths besides.  max_batch: largest B.  extra_time: how far a
    time without upper bound is followed.  tables: how many tables of values.
    cap: most combinations of numbers tried at one shape, activation and set.
    work: operations after which no new shape or activation is begun (some
    millions a second).  seconds: bounds the search by time instead, which may
    give another answer on another machine; the result says so.
    """

    max_depth: int = 4
    extra_width: int = 2
    square: tuple[int, ...] = (2,)
    max_batch: int = 2
    extra_time: int = 2
    tables: int = 4
    probes: int = 3
    cap: int = 20_000
    work: int = 30_000_000
    seconds: float | None = None


DEFAULT = Limits()


@dataclass(frozen=True)
class Passed:
    """Networks smaller than the counterexample that were not all tried, and why."""

    where: str
    reason: str

    def text(self) -> str:
        return f"{self.where}: {self.reason}"


@dataclass
class SearchResult:
    """A counterexample, or how far the search went without one.

    cases: networks (assignments of numbers) tried one by one.  probes: networks with large random numbers.
    shapes: sizes looked at.  generic: shapes at which both sides are the same polynomial or agree at random points.
    identities: shapes, with or without an activation, at which both sides are the same polynomial.
    passed: what was passed over.  shrunk: the counterexample was found at large numbers and made smaller.
    undefined: the first place where a definition has no value, if any.
    complete: the whole of ``limits`` was searched.
    """

    counterexample: Counterexample | None
    limits: Limits
    cases: int = 0
    probes: int = 0
    shapes: int = 0
    generic: int = 0
    identities: int = 0
    passed: list[Passed] = field(default_factory=list)
    shrunk: bool = False
    undefined: str = ""
    complete: bool = False
    last: Shape | None = None
    work: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        raise TypeError("a search result has no truth value; look at .counterexample")

    def text(self) -> str:
        """What was found, for people."""
        if self.counterexample is not None:
            return f"{self.counterexample.text()}\n({self.how()})"
        bound = "time" if self.limits.seconds is not None else "work"
        if self.shapes == 0:
            why = "no sizes meet the assumptions" if self.complete else f"no sizes were looked at (limit of {bound})"
            return f"no counterexample found: {why}"
        where = f"up to {_describe(self.last)}" if self.last is not None else ""
        how = "all sizes within the limits" if self.complete else f"stopped by the limit of {bound}"
        return (
            f"no counterexample found {where} ({how}; {self.shapes} sizes, {self.cases} networks; at {self.generic} "
            "sizes both sides are the same computation or agree at generic points)"
        )

    def how(self) -> str:
        """In what sense the counterexample is the smallest, and how many smaller networks were searched."""
        found = self.counterexample
        assert found is not None
        smaller = self.cases - 1
        plural = "" if smaller == 1 else "s"
        none = "it does not differ" if smaller == 1 else "none differs"
        said = [f"{smaller:,} smaller case{plural} searched, {none}" if smaller else "it is the first case"]
        if self.identities:
            plural = "" if self.identities == 1 else "s"
            said.append(f"at {self.identities} smaller size{plural} both sides are the same polynomial")
        if found.exhaustive:
            return "smallest: " + "; ".join(said)
        if self.shrunk:
            said.insert(0, "found at large numbers, which were made smaller one by one")
        if self.passed:
            shown = "; ".join(p.text() for p in self.passed[:2])
            rest = len(self.passed) - 2
            said.append(f"passed over: {shown}" + (f"; and {rest} more" if rest > 0 else ""))
        if self.limits.seconds is not None:
            said.append("bounded by time")
        return "; ".join(said)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: in what sense the counterexample is the smallest."""
        return {
            "smallest": self.counterexample is not None and self.counterexample.exhaustive,
            "cases": self.cases,
            "same_polynomial": self.identities,
            "passed_over": [p.text() for p in self.passed],
            "complete": self.complete,
            "bound": "time" if self.limits.seconds is not None else "work",
        }


def _describe(shape: Shape | None) -> str:
    if shape is None:
        return "nothing"
    parts = [f"{n} = {v}" for n, v in shape.constants.items()]
    parts += [f"{n} = {'-'.join(map(str, reversed(t)))}" for n, t in shape.tables.items()]
    return ", ".join(parts)


def refute(claim: Claim, limits: Limits = DEFAULT) -> SearchResult:
    """Search for the smallest exact counterexample to ``claim``.

    Raises EvaluationError if the claim mentions what its theory does not declare.
    """
    search = _Search(claim, limits)
    search.go()
    return search.result


class _Search:
    def __init__(self, claim: Claim, limits: Limits) -> None:
        self.claim = claim
        self.limits = limits
        self.tracer = Tracer(claim, limits.extra_time)
        self.result = SearchResult(None, limits)
        self.started = perf_counter()
        self.seen: set[Any] = set()
        self.arity = {n: s.arity for n, s in claim.theory.symbols.items()}
        self.untrue = derivatives_unsaid(claim)
        self.skimming = False  # most of the work is spent: {1, 0} only

    def go(self) -> None:
        result = self.result
        result.complete = True
        for depth in range(1, self.limits.max_depth + 1):
            later: list[Shape] = []
            found = self._visit(
                shapes(self.claim.theory, depth, self.limits.extra_width, self.limits.max_batch, self.limits.square),
                later,
            )
            if found is None and not self._late():
                found = self._visit(iter(later), None)
            if found is not None:
                result.shrunk = not found.exhaustive
                result.counterexample = replace(found, exhaustive=found.exhaustive and not result.passed)
            if found is not None or self._late():
                result.complete = False
                break
        result.complete = result.complete and not self.skimming
        result.seconds = perf_counter() - self.started

    def _visit(self, some: Iterator[Shape], later: list[Shape] | None) -> Counterexample | None:
        for shape in some:
            if self._late():
                return None
            found = self._look(shape, later)
            if found is not None:
                return found
        return None

    def _spent(self) -> float:
        """The share of the bound that is used up."""
        if self.limits.seconds is None:
            return self.result.work / self.limits.work if self.limits.work else 1.0
        return (perf_counter() - self.started) / self.limits.seconds if self.limits.seconds else 1.0

    def _late(self) -> bool:
        spent = self._spent()
        self.skimming = self.skimming or spent >= 0.6
        return spent >= 1

    def _pass(self, problem: Problem, reason: str, activation: bool = True) -> None:
        name = f", {problem.activation.name}" if activation and has_functions(self.claim.theory) else ""
        self.result.passed.append(Passed(_describe(problem.shape) + name, reason))

    def _trace(self, shape: Shape, activation: Activation) -> Problem:
        problem = self.tracer.problem(shape, activation)
        self.result.work += TRACING * len(problem.graph.ops)
        return problem

    # -- one shape ------------------------------------------------------------
    def _look(self, shape: Shape, later: list[Shape] | None) -> Counterexample | None:
        functions = has_functions(self.claim.theory)
        generic = Activation(TABLE, seed=-1) if functions else Activation(IDENTITY)
        problem = self._trace(shape, generic)
        result = self.result
        if later is not None:
            read = tuple(sorted((n, a, shape.size(n, a)) for n, a in problem.read_sizes))
            signature = (tuple(sorted(shape.constants.items())), read)
            if signature in self.seen:
                return None  # differs from an earlier one only in widths that nothing reads
            self.seen.add(signature)
        result.undefined = result.undefined or problem.undefined
        if later is not None and not equal_widths(shape) and self.tracer.lopsided(problem):
            later.append(shape)
            return None
        result.shapes += 1
        result.last = shape
        kept = tuple(self._activations(shape)) if functions else (generic,)
        stages, cap = len(ENTRIES), self.limits.cap
        if not problem.impossible:
            if not problem.tests or self._same(problem):
                result.generic += 1
                result.identities += 1
                return self._untrue(shape, stages, cap)
            if problem.generic and self._agree(problem):
                result.generic += 1
                if not problem.solved_for:
                    self._pass(problem, "both sides agree at random points", False)
                    return self._untrue(shape, stages, cap)
                # the points that meet the hypotheses may have several branches: look at small numbers too
                kept, stages, cap = kept[:3], 1, cap // 10
        if self.skimming:
            kept, stages, cap = kept[:3], 1, cap // 10
        for activation in kept:
            if self._late():
                return None
            if functions:
                problem = self._trace(shape, activation)
            if problem.impossible or not problem.tests:
                continue
            found = self._attack(problem, stages, cap)
            if found is not None:
                return found
        return None

    def _untrue(self, shape: Shape, stages: int, cap: int) -> Counterexample | None:
        """Where nothing says that f' is the derivative of f, it may be something else."""
        if not self.untrue:
            return None
        problem = self._trace(shape, Activation(UNTRUE))
        return None if problem.impossible or not problem.tests else self._attack(problem, stages, cap)

    def _activations(self, shape: Shape) -> Iterator[Activation]:
        yield from (Activation(IDENTITY), Activation(RELU), Activation(SQUARE))
        yield from (Activation(SQUARE, layer=k) for k in range(shape.depth + 1))
        yield from (Activation(TABLE, seed=k) for k in range(self.limits.tables))

    def _same(self, problem: Problem) -> bool:
        """Are both sides of every goal the same polynomial?"""
        if self._differs_somewhere(problem):
            return False
        most = max(0, self.limits.work - self.result.work) // (4 * EXPANDING)
        same, steps = same_polynomial(problem, most)
        self.result.work += EXPANDING * steps
        return same

    def _differs_somewhere(self, problem: Problem) -> bool:
        """Does a goal fail at one random point, whatever the hypotheses say there?  Then it is no identity."""
        values = random_values(problem, Random(2019), 0)
        if any(kind == "ne" for kind, _ in problem.requirements):
            _, apart = residuals(problem, values, problem.activation.table)
            if not apart:
                return False
        self.result.work += RUNNING * len(problem.graph.ops)
        return first_failure(problem, values, problem.activation.table) is not None

    def _satisfy(self, problem: Problem, values: Values, table: Any) -> Values | None:
        solving = 3 * len(problem.slots) if problem.solved_for else 1
        self.result.work += RUNNING * solving * len(problem.graph.ops)
        self.result.probes += 1
        return satisfy(problem, values, table)

    def _agree(self, problem: Problem) -> bool:
        """No difference at generic points (which must meet the hypotheses)."""
        random = Random(2020)
        for k in range(self.limits.probes):
            table = replace(problem.activation, seed=-1 - k).table
            values = self._satisfy(problem, random_values(problem, random, k), table)
            if values is None:
                return False
            if first_failure(problem, values, table) is not None:
                return False
        return True

    # -- one shape and activation -----------------------------------------------
    def _attack(self, problem: Problem, stages: int, cap: int) -> Counterexample | None:
        if self._same(problem):
            return None
        start, settled = self._probe(problem)
        if start is None and settled:
            self._pass(problem, "both sides agree at random points")
            return None
        if start is None:
            cap, stages = cap // 5, min(stages, 2)
        program = _compile(problem)
        size = len(problem.graph.needed(problem.nodes()))
        table = problem.activation.table
        tried_all = 0
        for stage in range(stages):
            lists = [self._numbers(n, stage) for n, _ in problem.slots]
            total = prod(len(x) for x in lists)
            for tried, values in enumerate(islice(product(*lists), cap), 1):
                code = program(values, table)
                if code >= 0:
                    self.result.work += size * tried
                    found = self._confirm(problem, values, problem.tests[code], True)
                    if found is not None:
                        self.result.cases += tried
                        return found
            tried_all = min(total, cap)
            self.result.work += size * tried_all
            self.result.cases += tried_all
            if total > cap:
                break
        every = prod(len(self._numbers(n, len(ENTRIES) - 1)) for n, _ in problem.slots)
        if start is None:
            start = self._solved(problem)
        found = None if start is None else self._shrink(problem, start)
        if tried_all < every:
            self._pass(problem, f"all but the first {tried_all:,} of {every:,} combinations of numbers")
        return found

    def _numbers(self, name: str, stage: int) -> tuple[Number, ...]:
        if not self.arity[name]:
            return SCALARS[stage]
        biases = role(self.claim.theory.symbols[name]) == "biases"
        return (0, *(v for v in ENTRIES[stage] if v != 0)) if biases else ENTRIES[stage]

    def _probe(self, problem: Problem) -> tuple[Values | None, bool]:
        """Large numbers at which a goal fails, if any; and whether their absence settles the matter."""
        random = Random(2021)
        settled = problem.generic and problem.activation.kind != TABLE and not problem.solved_for
        for k in range(self.limits.probes if settled else 4 * self.limits.probes):
            values = self._satisfy(problem, random_values(problem, random, k, signed=True), problem.activation.table)
            if values is None:
                settled = False
                continue
            if first_failure(problem, values, problem.activation.table) is not None:
                return values, settled
        return None, settled

    def _solved(self, problem: Problem) -> Values | None:
        """Small numbers that meet the hypotheses by solving for one parameter."""
        if not problem.solved_for:
            return None
        random = Random(2022)
        for _ in range(100):
            base = [random.choice(SHRINK[:4]) for _ in problem.slots]
            values = self._satisfy(problem, base, problem.activation.table)
            if values is not None and first_failure(problem, values, problem.activation.table) is not None:
                return values
        return None

    def _shrink(self, problem: Problem, start: Values) -> Counterexample | None:
        values = list(start)
        table = problem.activation.table
        program = _compile(problem)
        changed = True
        while changed:
            changed = False
            for k in range(len(values)):
                now = SHRINK.index(values[k]) if values[k] in SHRINK else len(SHRINK)
                for candidate in SHRINK[:now]:
                    trial = [*values[:k], candidate, *values[k + 1 :]]
                    if program(trial, table) >= 0:
                        values, changed = trial, True
                        break
        code = program(values, table)
        return None if code < 0 else self._confirm(problem, values, problem.tests[code], False)

    def _confirm(self, problem: Problem, values: Values, test: Test, exhaustive: bool) -> Counterexample | None:
        """By the reference evaluator, hypotheses included."""
        instance = make_instance(problem, values)
        goal = self.claim.goals[test.goal]
        at = dict(zip(goal.variables, test.at))
        verdict = Judge(self.claim.theory, instance).compare(goal.relation, at)
        refused = Judge(self.claim.theory, instance).failing_hypothesis(self.limits.extra_time)
        if verdict.holds or refused is not None:
            self.result.notes.append(f"the reference evaluator does not confirm a difference at {at}")
            return None
        instance = replace(instance, table=dict(verdict.table))
        return Counterexample(
            self.claim, instance, test.goal, at, verdict.lhs, verdict.rhs, exhaustive, relevant(problem, test)
        )


def derivatives_unsaid(claim: Claim) -> bool:
    """Is something differentiated whose derivative symbol no hypothesis vouches for?"""
    functions = {n for n, s in claim.theory.symbols.items() if s.derivatives}
    return any(isinstance(g.relation, Tangent) for g in claim.goals) and bool(functions - vouched(claim.theory))


def relevant(problem: Problem, test: Test) -> frozenset[Key]:
    """Entries on which the sides of a test or the hypotheses depend."""
    graph = problem.graph
    nodes = [n for n in (test.lhs, test.rhs) if isinstance(n, Node)] + [n for _, n in problem.requirements]
    read = {graph.ops[k][1] for k in graph.needed(nodes) if graph.ops[k][0] == "slot"}
    return frozenset(read | set(problem.bound))


def make_instance(problem: Problem, values: Sequence[Number]) -> Instance:
    """The concrete model at given values of the slots."""
    return Instance(problem.shape, problem.activation, numbers(problem, values))


def _compile(problem: Problem) -> Any:
    """Values, table -> number of the first goal that fails, or -1 (also where a hypothesis fails)."""
    tests = [(kind, node, -1) for kind, node in problem.requirements]
    tests += [(t.kind, t.node, k) for k, t in enumerate(problem.tests)]
    return problem.graph.compiled(problem.slots, tests)


def first_failure(problem: Problem, values: Values, table: Any) -> Test | None:
    """The first goal that fails at these values, which meet the requirements."""
    nodes = [t.node for t in problem.tests]
    known = problem.graph.run(problem.graph.needed(nodes), dict(zip(problem.slots, values)), table)
    for t in problem.tests:
        if not holds(t.kind, known[t.node.id]):
            return t
    return None
