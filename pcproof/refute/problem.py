"""A claim at one shape, with one activation: a straight-line program and its tests.

Hypotheses that fix a parameter (``gamma = 1``, ``theta[l,i,j] = w[l,i,j]``) are
used as substitutions; the others remain as tests that a counterexample has to
pass.  Assignments at which a definition has no value are left out and noted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any

from ..language.signature import OPERATOR, PARAMETER, Claim, Deriv, Eq, Le, Ne, Relation, Statement, Tangent
from ..language.terms import App
from .assign import assignments
from .compile import Compiled, Dual, Env, Undefined, Value, real, varied
from .graph import Graph, Node, Number, holds
from .instance import UNTRUE, Activation, Key, Shape, functions, vouched


@dataclass(frozen=True)
class Test:
    """A goal at one assignment. kind "eq": fails where ``node`` is not 0; "ne": is 0; "le": is above 0."""

    kind: str
    node: Node
    goal: int
    at: Env
    lhs: Value
    rhs: Value


@dataclass
class Problem:
    """What has to be evaluated at one shape and activation.

    requirements: residual hypotheses, as tests that must pass.
    bound: entries of parameters fixed by hypotheses, as nodes or numbers.
    instances: how many goal instances were looked at.
    impossible: the hypotheses cannot hold here.
    """

    graph: Graph
    shape: Shape
    activation: Activation
    tests: list[Test] = field(default_factory=list)
    requirements: list[tuple[str, Node]] = field(default_factory=list)
    bound: dict[Key, Value] = field(default_factory=dict)
    read_sizes: set[tuple[str, Env]] = field(default_factory=set)
    instances: int = 0
    undefined: str = ""
    impossible: bool = False
    certain: Test | None = None  # a goal that fails whatever the parameters are
    slots: list[Key] = field(default_factory=list)
    run: int = 0  # operations that were run one by one, to look at the requirements

    def nodes(self) -> list[Node]:
        """Everything to be computed."""
        return [n for _, n in self.requirements] + [t.node for t in self.tests]

    @property
    def polynomial(self) -> bool:
        """Only ring operations (and tabulated functions); reciprocals of what is said not to be 0."""
        allowed = self.graph.POLYNOMIAL | {"table"}
        if any(kind == "ne" for kind, _ in self.requirements):
            allowed |= {"inv"}
        return self.graph.kinds(self.graph.needed(self.nodes())) <= allowed

    @property
    def generic(self) -> bool:
        """Would any failure of a goal show at generic points?  (An inequation fails at special points.)"""
        return self.polynomial and all(t.kind == "eq" for t in self.tests)

    @property
    def solved_for(self) -> bool:
        """Are there hypotheses that parameters have to be solved for?"""
        return any(kind == "eq" for kind, _ in self.requirements)

    def inputs(self, v: Value) -> set[Key]:
        """Entries of parameters that a value depends on."""
        if not isinstance(v, Node):
            return set()
        ops = (self.graph.ops[k] for k in self.graph.needed([v]))
        return {op[1] for op in ops if op[0] == "slot"}


class _Cycle(Exception):
    def __init__(self, key: Key) -> None:
        self.key = key


class Tracer:
    """Compiles a claim once; ``problem`` records it at a shape and activation."""

    def __init__(self, claim: Claim, extra: int = 2) -> None:
        self.claim = claim
        self.theory = claim.theory
        self.extra = extra
        self.run = Compiled(claim.theory)
        self.dual = {d: Compiled(claim.theory) for d in claim.theory.directions}
        self.log: set[Key] | None = None  # notes the operators that are applied
        self._assigned: dict[int, tuple[Shape, dict[int, list[Env]]]] = {}

    def instances(self, s: Statement, shape: Shape, size: Callable[[str, Env], int]) -> list[Env]:
        """The assignments of a statement at a shape."""
        known = self._assigned.get(0)
        if known is None or known[0] is not shape:
            known = (shape, {})
            self._assigned[0] = known
        if id(s) not in known[1]:
            known[1][id(s)] = assignments(s.variables, s.guards, size, shape.depth, self.extra)
        return known[1][id(s)]

    def problem(self, shape: Shape, activation: Activation) -> Problem:
        unbindable: set[Key] = set()
        while True:
            try:
                return self._problem(shape, activation, unbindable)
            except _Cycle as c:
                unbindable.add(c.key)

    def _problem(self, shape: Shape, activation: Activation, unbindable: set[Key]) -> Problem:
        graph = Graph()
        out = Problem(graph, shape, activation)

        def size(name: str, args: Env) -> int:
            if args:
                out.read_sizes.add((name, args))
            return shape.size(name, args)

        thunks = self._bindings(shape, size, unbindable)
        running: set[Key] = set()

        def parameter(name: str, idx: Env) -> Value:
            key = (name, idx)
            thunk = thunks.get(key)
            if thunk is None:
                return graph.slot(key)
            if key not in out.bound:
                if key in running:
                    raise _Cycle(key)
                running.add(key)
                try:
                    out.bound[key] = thunk()
                finally:
                    running.discard(key)
            return out.bound[key]

        run = self.run
        plain = functions(self.theory, activation, size)

        def apply(name: str, idx: Env, args: tuple[Any, ...]) -> Value:
            if self.log is not None:
                self.log.add((name, idx))
            return plain(name, idx, args)

        run.size, run.parameter, run.apply = size, parameter, apply
        run.reset()
        for direction, compiled in self.dual.items():
            compiled.size, compiled.apply = size, apply
            compiled.parameter = _varied_parameter(parameter, self.theory.directions[direction])
            compiled.reset()
        for h in self.theory.hypotheses.values():
            for at in self.instances(h, shape, size):
                try:
                    lhs, rhs, kind, extra = self._sides(h.relation, h.variables, at, activation)
                    for required, value in [*extra, (kind, lhs + -1 * rhs)]:
                        _require(out, required, value)
                except Undefined:
                    continue  # says nothing about symbols outside their definitions
                if out.impossible:
                    return out
        seen: set[tuple[str, int]] = set()
        for number, goal in enumerate(self.claim.goals):
            for at in self.instances(goal, shape, size):
                self._goal(out, number, goal, at, activation, seen)
        live = set(graph.needed(out.nodes()))
        symbols = enumerate(self.theory.symbols.items())
        place = {n: (not s.shape.startswith("layer"), -s.arity, k) for k, (n, s) in symbols}
        # quantities of layers (weights) first, scalars last: the last vary fastest in the search
        out.slots = sorted((k for k, n in graph.slots.items() if n.id in live), key=lambda k: (place[k[0]], k[1]))
        return out

    def _bindings(
        self, shape: Shape, size: Callable[[str, Env], int], unbindable: set[Key]
    ) -> dict[Key, Callable[[], Value]]:
        """Entries that an equation among the hypotheses gives."""
        thunks: dict[Key, Callable[[], Value]] = {}
        for h in self.theory.hypotheses.values():
            r = h.relation
            if not isinstance(r, Eq):
                continue
            for own, other in ((r.lhs, r.rhs), (r.rhs, r.lhs)):
                if not isinstance(own, App) or own.args or self.theory.symbols[own.name].kind != PARAMETER:
                    continue
                value = self.run.term(other, h.variables)
                indices = [self.run.index(i, h.variables) for i in own.idx]
                self.run.size = size
                for at in self.instances(h, shape, size):
                    key = (own.name, tuple(i(at) for i in indices))
                    if key not in unbindable and key not in thunks:
                        thunks[key] = partial(value, at)
                break
        return thunks

    def _sides(
        self, r: Relation, names: tuple[str, ...], at: Env, activation: Activation
    ) -> tuple[Value, Value, str, list[tuple[str, Value]]]:
        """Both sides of a relation, its kind, and what else must hold for it to make sense."""
        if isinstance(r, (Eq, Ne, Le)):
            kind = {Eq: "eq", Ne: "ne", Le: "le"}[type(r)]
            return self.run.term(r.lhs, names)(at), self.run.term(r.rhs, names)(at), kind, []
        if isinstance(r, Tangent):
            moving = self.dual[r.direction].term(r.term, names)(at)
            smooth: list[tuple[str, Value]] = []
            if activation.kind == "relu":
                smooth = [("ne", n) for n in self._kinks(moving)]
            return varied(moving), self.run.term(r.tangent, names)(at), "eq", smooth
        assert isinstance(r, Deriv)
        return self._derivative(r, names, at, activation)

    def lopsided(self, problem: Problem) -> bool:
        """Do the two sides of the goals read different entries of what both read?

        So it is where a matrix is taken for its transpose and is not square:
        one side reads entries that are no weights of the network.  To be asked
        of the latest problem only.
        """
        left: set[Key] = set()
        right: set[Key] = set()
        for t in problem.tests:
            left |= problem.inputs(t.lhs)
            right |= problem.inputs(t.rhs)
        if any(s.kind == OPERATOR for s in self.theory.symbols.values()):
            left |= self._applied(problem, 0)
            right |= self._applied(problem, 1)
        both = {n for n, _ in left} & {n for n, _ in right}
        return {k for k in left if k[0] in both} != {k for k in right if k[0] in both}

    def _applied(self, problem: Problem, side: int) -> set[Key]:
        """Operators, with their indices, that one side of the goals applies."""
        self.run.reset()
        self.log = set()
        for t in problem.tests:
            goal = self.claim.goals[t.goal]
            if isinstance(goal.relation, (Eq, Ne, Le)):
                term = goal.relation.rhs if side else goal.relation.lhs
                self.run.term(term, goal.variables)(t.at)
        found, self.log = self.log, None
        return {k for k in found if self.theory.symbols[k[0]].kind == OPERATOR}

    def _derivative(
        self, r: Deriv, names: tuple[str, ...], at: Env, activation: Activation
    ) -> tuple[Value, Value, str, list[tuple[str, Value]]]:
        """f' is the derivative by construction, except where relu is visited at 0."""
        symbol = self.theory.symbols[r.point.name]
        if activation.kind == UNTRUE and symbol.name not in vouched(self.theory):
            return 0, 0, "ne", []
        if activation.kind == "relu" and symbol.ranges == ((),):
            v = self.run.term(r.point.args[0].body, names)(at)
            return real(v), 0, "ne", []
        return 1, 0, "ne", []

    def _kinks(self, v: Value) -> list[Node]:
        """Arguments of relu in the computation of ``v``."""
        nodes = [n for n in (real(v), varied(v)) if isinstance(n, Node)]
        if not nodes:
            return []
        graph = nodes[0].graph
        return [graph.nodes[graph.ops[k][1]] for k in graph.needed(nodes) if graph.ops[k][0] in ("relu", "step")]

    def _goal(
        self,
        out: Problem,
        number: int,
        goal: Statement,
        at: Env,
        activation: Activation,
        seen: set[tuple[str, int]],
    ) -> None:
        out.instances += 1
        try:
            lhs, rhs, kind, extra = self._sides(goal.relation, goal.variables, at, activation)
        except Undefined as e:
            out.undefined = out.undefined or str(e)
            return
        for needed_kind, value in extra:
            _require(out, needed_kind, value)
        difference = lhs + -1 * rhs
        if not isinstance(difference, Node):
            if not holds(kind, difference) and out.certain is None:
                out.certain = Test(kind, out.graph.make("num", difference), number, at, lhs, rhs)
                out.tests.append(out.certain)
            return
        if (kind, difference.id) not in seen:
            seen.add((kind, difference.id))
            out.tests.append(Test(kind, difference, number, at, lhs, rhs))


def _varied_parameter(plain: Callable[[str, Env], Value], variation: Any) -> Callable[[str, Env], Value]:
    def parameter(name: str, idx: Env) -> Value:
        if name in variation:
            return Dual(plain(name, idx), plain(variation[name], idx))
        return plain(name, idx)

    return parameter


def _require(out: Problem, kind: str, value: Value) -> None:
    squared = out.graph.squares(value.id) if isinstance(value, Node) and kind in ("eq", "le") else None
    if squared is not None:  # a sum of squares is 0 where each is: the parts can be solved for
        for k in sorted(squared):
            _require(out, "eq", out.graph.nodes[k])
    elif isinstance(value, Node):
        if (kind, value) not in out.requirements:
            out.requirements.append((kind, value))
    elif not holds(kind, value):
        out.impossible = True


def numbers(problem: Problem, values: Sequence[Number]) -> dict[Key, Fraction]:
    """All entries of the parameters that were read, for values of the live slots; idle entries are 1."""
    known: dict[Key, Number] = dict.fromkeys(problem.graph.slots, 1)
    known.update(zip(problem.slots, values))
    out = {k: Fraction(v) for k, v in known.items()}
    nodes = [v for v in problem.bound.values() if isinstance(v, Node)]
    found = problem.graph.run(problem.graph.needed(nodes), known, problem.activation.table)
    for key, v in problem.bound.items():
        out[key] = Fraction(found[v.id] if isinstance(v, Node) else v)
    return out
