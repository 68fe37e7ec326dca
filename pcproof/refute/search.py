"""The search for a smallest exact counterexample.

The order is finite and stated: depth; widths (by total, then lexicographically: up to ``extra_width`` units beyond
one a layer, and equal widths of ``square``); batch; other sizes; activation (identity, relu, square, square at one
layer, tables of values and derivatives from {1, 0} at the points that are visited (1 at points that no number of the
network moves), a few other tables); then the size of the numbers: entries of parameters from {1, 0}, then
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
It goes over the sizes of one depth twice: first at {1, 0}, with few networks for each, until something differs; then
over the sizes before that as far as the order says.  The first of which something differs is the answer.

Nothing here is trusted: a counterexample is returned only after the reference
evaluator has confirmed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, islice, product
from math import prod
from random import Random
from time import perf_counter
from typing import Any

from ..language.signature import Claim, Tangent
from .confirm import Judge
from .counterexample import Counterexample
from .expand import same_polynomial
from .graph import Node, Number, holds
from .horizon import unreached
from .instance import (
    IDENTITY,
    RELU,
    SQUARE,
    TABLE,
    UNTRUE,
    Activation,
    Instance,
    Key,
    Point,
    Shape,
    has_functions,
    vouched,
)
from .layout import role
from .problem import Problem, Test, Tracer, numbers
from .shapes import equal_widths, shapes
from .solve import Values, random_values, residuals, satisfy

HALF = Fraction(1, 2)
UNREACHED = "the hypothesis"  # how the note begins that says why no counterexample counts
ENTRIES: tuple[tuple[Number, ...], ...] = ((1, 0), (1, 0, -1, 2), (1, 0, -1, 2, HALF, -HALF, 3))
SCALARS: tuple[tuple[Number, ...], ...] = ((1, HALF), (1, HALF, 2, 0), (1, HALF, 2, 0, -1, 3))
SHRINK: tuple[Number, ...] = (1, 0, -1, 2, HALF, -HALF, 3)
SKIM = 256  # networks tried at one shape and activation in the first round
SKIMMING, THOROUGH = 0.1, 0.5  # shares of the work (of what is left of it) for the two rounds at one depth
TRACING, RUNNING = 60, 6  # work of recording an operation, and of running one that is not compiled
EXPANDING = 25  # work of multiplying two monomials


@dataclass(frozen=True)
class Limits:
    """What is searched.

    max_depth: largest L; min_depth: smallest.  extra_width: units beyond one a layer.  square: widths
    tried as equal widths besides.  max_batch: largest B.  extra_time: how far a
    time without upper bound is followed.  tables: how many tables of other values.
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
    work: int = 20_000_000
    seconds: float | None = None
    min_depth: int = 1


DEFAULT = Limits()


@dataclass(frozen=True)
class Passed:
    """Networks smaller than the counterexample that were not all tried, and why."""

    where: str
    reason: str

    def text(self) -> str:
        return f"{self.where}: {self.reason}"


@dataclass
class Looked:
    """What was done at one shape; ``thorough``: all that the order says; ``postponed``: not, for want of work."""

    shape: Shape
    cases: int = 0
    same: bool = False
    generic: bool = False
    thorough: bool = False
    postponed: bool = False
    passed: list[Passed] = field(default_factory=list)


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


def deeper(claim: Claim, before: SearchResult, depth: int) -> SearchResult:
    """The search went on from where ``before`` ended, up to ``depth``, on networks of one unit a layer.

    What was not looked at on the way is said to be passed over.
    """
    first = before.limits.max_depth + 1
    limits = replace(before.limits, min_depth=first, max_depth=depth, extra_width=0, square=(), max_batch=1)
    after = refute(claim, limits)
    if after.counterexample is None:
        return before
    found = after.counterexample.instance.shape.constants["L"]
    reason = "only networks of one unit a layer and one sample were searched"
    after.passed = [*before.passed, Passed(f"L = {first} to {found}", reason), *after.passed]
    for name in ("cases", "probes", "shapes", "generic", "identities", "work"):
        setattr(after, name, getattr(after, name) + getattr(before, name))
    after.counterexample = replace(after.counterexample, exhaustive=False)
    return after


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
        self.unreached = unreached(claim.theory)
        self.limits = limits
        self.tracer = Tracer(claim, limits.extra_time)
        self.result = SearchResult(None, limits)
        self.started = perf_counter()
        self.seen: set[Any] = set()
        self.arity = {n: s.arity for n, s in claim.theory.symbols.items()}
        self.untrue = derivatives_unsaid(claim)
        self.looked: list[Looked] = []
        self.skimming = True
        self.traced: Problem | None = None  # the latest shape, with arbitrary activations

    def go(self) -> None:
        result = self.result
        found: Counterexample | None = None
        ended = True
        for depth in range(self.limits.min_depth, self.limits.max_depth + 1):
            first = len(self.looked)
            found = self._skim(depth)
            smaller = self._look_again(first, THOROUGH * (1 - self._spent()))
            found = smaller or found
            if found is not None or self._late(1):
                ended = found is None and depth == self.limits.max_depth
                break
        if found is None:
            found = self._look_again(0, 1 - self._spent())
        result.cases = sum(one.cases for one in self.looked)
        result.passed = [p for one in self.looked for p in one.passed]
        result.shapes = sum(not one.postponed or bool(one.cases) for one in self.looked)
        result.identities = sum(one.same for one in self.looked)
        result.generic = sum(one.generic for one in self.looked)
        result.last = next((one.shape for one in reversed(self.looked) if not one.postponed), None)
        result.complete = found is None and ended and not any(one.postponed for one in self.looked)
        if found is not None:
            result.shrunk = not found.exhaustive
            result.counterexample = replace(found, exhaustive=found.exhaustive and not result.passed)
        result.seconds = perf_counter() - self.started

    def _skim(self, depth: int) -> Counterexample | None:
        """A few networks at every shape of one depth; what remains to be done is left to ``_look_again``."""
        self.skimming = True
        share = self._spent() + SKIMMING
        later: list[Shape] = []
        some = shapes(self.claim.theory, depth, self.limits.extra_width, self.limits.max_batch, self.limits.square)
        for put_off, shape in chain(((False, x) for x in some), ((True, x) for x in later)):  # ``later`` grows
            if self._late(1):
                return None
            if put_off or not self._put_off(shape, later):
                self.looked.append(Looked(shape))
                if self._late(share):
                    self._postpone(self.looked[-1])
                    continue
                found = self._look(self.looked[-1], 1)
                if found is not None:
                    return found
        return None

    def _look_again(self, first: int, share: float) -> Counterexample | None:
        """All that the order says, at the shapes from ``first`` on at which something was passed over."""
        self.skimming = False
        until = self._spent() + share
        for k in range(first, len(self.looked)):
            one = self.looked[k]
            if not one.passed or one.thorough:
                continue
            if self._late(until):
                return None
            self.looked[k] = again = Looked(one.shape, thorough=True)
            found = self._look(again, until)
            if found is not None:
                del self.looked[k + 1 :]
                return found
            again.thorough = not again.postponed
        return None

    def _postpone(self, looked: Looked) -> None:
        looked.postponed = True
        self._pass(looked, f"not looked at for want of {'work' if self.limits.seconds is None else 'time'}")

    def _put_off(self, shape: Shape, later: list[Shape]) -> bool:
        """Is a shape like an earlier one, or to be looked at after the others of its depth?"""
        problem = self._trace(shape, self._generic())
        self.traced = problem
        read = tuple(sorted((n, a, shape.size(n, a)) for n, a in problem.read_sizes))
        signature = (tuple(sorted(shape.constants.items())), read)
        if signature in self.seen:
            return True  # differs from an earlier one only in widths that nothing reads
        self.seen.add(signature)
        self.result.undefined = self.result.undefined or problem.undefined
        if not equal_widths(shape) and self.tracer.lopsided(problem):
            later.append(shape)
            return True
        return False

    def _generic(self) -> Activation:
        return Activation(TABLE, seed=-1) if has_functions(self.claim.theory) else Activation(IDENTITY)

    def _spent(self) -> float:
        """The share of the bound that is used up."""
        if self.limits.seconds is None:
            return self.result.work / self.limits.work if self.limits.work else 1.0
        return (perf_counter() - self.started) / self.limits.seconds if self.limits.seconds else 1.0

    def _late(self, share: float) -> bool:
        return self._spent() >= share

    def _pass(self, looked: Looked, reason: str, activation: Activation | None = None) -> None:
        name = f", {activation.name}" if activation and has_functions(self.claim.theory) else ""
        looked.passed.append(Passed(_describe(looked.shape) + name, reason))

    def _trace(self, shape: Shape, activation: Activation) -> Problem:
        problem = self.tracer.problem(shape, activation)
        self.result.work += TRACING * len(problem.graph.ops)
        return problem

    # -- one shape ------------------------------------------------------------
    def _look(self, looked: Looked, share: float) -> Counterexample | None:
        shape = looked.shape
        functions = has_functions(self.claim.theory)
        known = self.traced
        problem = known if known is not None and known.shape is shape else self._trace(shape, self._generic())
        kept = tuple(self._activations(shape)) if functions else (self._generic(),)
        stages, cap = len(ENTRIES), self.limits.cap
        if not problem.impossible:
            if not problem.tests or self._same(problem):
                looked.same = looked.generic = True
                return self._untrue(looked, stages, cap)
            if problem.generic and self._agree(problem):
                looked.generic = True
                if not problem.solved_for:
                    self._pass(looked, "both sides agree at random points")
                    return self._untrue(looked, stages, cap)
                # the points that meet the hypotheses may have several branches: look at small numbers too
                kept, stages, cap = kept[:3], 1, cap // 10
        if self.skimming:
            kept, stages, cap = kept[:3], 1, SKIM
        for activation in kept:
            if self._late(share):
                self._postpone(looked)
                return None
            if functions:
                problem = self._trace(shape, activation)
            if problem.impossible or not problem.tests:
                continue
            found = self._attack(looked, problem, stages, cap)
            if found is not None:
                return found
        if functions and len(kept) == 3:
            self._pass(looked, "activations other than identity, relu, square")
        return None

    def _untrue(self, looked: Looked, stages: int, cap: int) -> Counterexample | None:
        """Where nothing says that f' is the derivative of f, it may be something else."""
        if not self.untrue:
            return None
        problem = self._trace(looked.shape, Activation(UNTRUE))
        return None if problem.impossible or not problem.tests else self._attack(looked, problem, stages, cap)

    def _activations(self, shape: Shape) -> Iterator[Activation]:
        yield from (Activation(IDENTITY), Activation(RELU), Activation(SQUARE))
        yield from (Activation(SQUARE, layer=k) for k in range(shape.depth + 1))
        yield Activation(TABLE, given=())
        yield from (Activation(TABLE, seed=k) for k in range(self.limits.tables))

    def _same(self, problem: Problem) -> bool:
        """Are both sides of every goal the same polynomial?"""
        if self._differs_somewhere(problem):
            return False
        most = self.limits.work // (80 * EXPANDING)
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
        self.result.probes += 1
        before = problem.run
        found = satisfy(problem, values, table)
        self.result.work += RUNNING * (problem.run - before + len(problem.graph.ops))
        return found

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
    def _attack(self, looked: Looked, problem: Problem, stages: int, cap: int) -> Counterexample | None:
        if problem.activation.given is not None:
            return self._attack_by_tables(looked, problem, cap // 10)
        if self._same(problem):
            return None
        start: Values | None = None
        if not self.skimming or not problem.solved_for:
            start, settled = self._probe(problem)
            if start is None and settled:
                self._pass(looked, "both sides agree at random points", problem.activation)
                return None
        if start is None and not self.skimming:
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
                        looked.cases += tried
                        return found
            tried_all = min(total, cap)
            self.result.work += size * tried_all
            looked.cases += tried_all
            if total > cap:
                break
        every = prod(len(self._numbers(n, len(ENTRIES) - 1)) for n, _ in problem.slots)
        if tried_all < every:
            why = f"all but the first {tried_all:,} of {every:,} combinations of numbers"
            self._pass(looked, why, problem.activation)
        if self.skimming:
            return None
        if start is None:
            start = self._solved(problem)
        return None if start is None else self._shrink(problem, start)

    def _attack_by_tables(self, looked: Looked, problem: Problem, cap: int) -> Counterexample | None:
        """Numbers of the first set, and for each of them every table of such values at the points that are visited."""
        program = _compile(problem)
        size = len(problem.graph.needed(problem.nodes()))
        lists = [self._numbers(n, 0) for n, _ in problem.slots]
        tried = 0
        for values in product(*lists):
            for code, given in tables(program, values, ENTRIES[0]):
                tried += 1
                if code >= 0:
                    chosen = replace(problem, activation=Activation(TABLE, given=tuple(given.items())))
                    found = self._confirm(chosen, values, problem.tests[code], True)
                    if found is not None:
                        looked.cases += tried
                        self.result.work += size * tried
                        return found
                if tried >= cap:
                    break
            if tried >= cap:
                break
        looked.cases += tried
        self.result.work += size * tried
        self._pass(looked, f"all but {tried:,} tables of values and derivatives", problem.activation)
        return None

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
        if self.unreached is not None:
            note = (
                f"{UNREACHED} {self.unreached!r} is about every value of an index; no finite look shows that it is met"
            )
            if note not in self.result.notes:
                self.result.notes.append(note)
            return None
        instance = make_instance(problem, values)
        goal = self.claim.goals[test.goal]
        at = dict(zip(goal.variables, test.at))
        judge = Judge(self.claim.theory, instance)
        verdict, refused = judge.compare(goal.relation, at), judge.failing_hypothesis(self.limits.extra_time)
        if verdict.holds or refused is not None:
            self.result.notes.append(f"the reference evaluator does not confirm a difference at {at}")
            return None
        instance = replace(instance, table=dict(verdict.table))
        return Counterexample(
            self.claim, instance, test.goal, at, verdict.lhs, verdict.rhs, exhaustive, relevant(problem, test)
        )


def tables(
    program: Any, values: Sequence[Number], numbers: Sequence[Number]
) -> Iterator[tuple[int, dict[Point, Number]]]:
    """What ``program`` returns for every table of values from ``numbers`` at the points that it visits, with the table.

    In lexicographic order of the points as they are visited.
    """
    choices: list[int] = []
    while True:
        given: dict[Point, Number] = {}

        def table(key: tuple[Any, ...], v: Number, given: dict[Point, Number] = given) -> Number:
            point: Point = (*key, v)
            if point not in given:
                if len(given) == len(choices):
                    choices.append(0)
                given[point] = numbers[choices[len(given)]]
            return given[point]

        yield program(values, table), given
        del choices[len(given) :]
        while choices and choices[-1] == len(numbers) - 1:
            choices.pop()
        if not choices:
            return
        choices[-1] += 1


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
