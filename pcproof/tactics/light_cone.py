"""Induction along the light cone: what lies ahead of the wave is frozen.

Given the equations of a rule, without a hint:

1. *freeze*: run the rule in a random exact model and see up to which t - l
   activities, weights, predictions and errors keep their forward values; prove
   that by one joint induction over time;
2. *front*: the error of layer l at its moment is c(l) delta^l: read c off the
   model, prove it by induction over layers;
3. *update*: the claimed equations for the weights, by induction over time.

The model only guesses; every theorem comes from the kernel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product
from typing import Any, cast

from ..language.evaluate import EvaluationError, Evaluator, Mod, Model
from ..language.index import Con, Idx, eq, ge, le, lt, qvar, span
from ..language.random_model import random_model
from ..language.signature import Eq, Statement, Theory
from ..language.terms import ONE, ZERO, App, Inv, Mul, Num, Pow, Term, add, free_vars, mul, subst, subterms
from ..networks.network import L, width
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.equations import EVERY_STEP, VELOCITY, Equations, moment
from ..rules.sweeps import FROM_OUTPUT
from .goals import Stuck, Tools, prove_equation

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")
PROBE_DEPTH = 4
MOVED = "activity at the front"


@dataclass
class Lemmas:
    """Named theorems of a proof, in order."""

    found: dict[str, Theorem] = field(default_factory=dict)

    def all(self) -> list[Theorem]:
        return list(self.found.values())


def induct(k: Kernel, claims: list[Statement], measures: list[Idx], tools: Tools) -> list[Theorem]:
    """Prove claims jointly by induction on their measures."""
    parts = []
    for n, s in enumerate(claims):
        ctx = k.induction_context(claims, measures, n)
        if not isinstance(s.relation, Eq):
            raise Stuck(ctx, s.relation, "only equations are proved by induction along the light cone")
        parts.append(prove_equation(k, ctx, s.relation.lhs, s.relation.rhs, tools))
    return k.induct(claims, measures, parts)


def timed_names(theory: Theory) -> set[str]:
    """Defined symbols that have a time index."""
    return {d.name for g in theory.definitions for d in g if d.params[:1] == ("t",)}


def _measure(theory: Theory, name: str) -> Idx:
    d = theory.definition(name)
    assert d is not None
    return d.measure[0] * 16 + d.measure[1]


class Cone:
    """The light cone of one rule; ``scale`` is c(l) and ``initial`` the weights at the start, where they are known."""

    def __init__(
        self, k: Kernel, e: Equations, scale: Term | None = None, initial: Mapping[str, Term] | None = None
    ) -> None:
        self.k, self.e, self.scale, self.initial = k, e, scale, initial or {}
        self.theory = k.theory
        self.timed = timed_names(self.theory)
        self.static = {d.name for g in self.theory.definitions for d in g if d.name not in self.timed}
        sizes = {"L": PROBE_DEPTH, "B": 1, "n": lambda _: 2, "m": lambda _: 2}
        sizes.update(dict.fromkeys(e.sizes, 3))
        model = random_model(self.theory, sizes)
        for h in self.theory.hypotheses.values():  # the guessing model meets what is given, as far as it is a value
            self._meet(model, h)
        self.probe = Evaluator(self.theory, model)
        self.lemmas = Lemmas()
        self.ahead = Idx(0) if e.order == FROM_OUTPUT else l  # the wave is at layer l from then on

    def _meet(self, model: Model, h: Statement) -> None:
        """A parameter that a hypothesis gives a value, a factor of what it says is 0, gets it in the model."""
        r = h.relation
        if not isinstance(r, Eq):
            return
        if h.variables:
            if isinstance(r.lhs, App) and r.lhs.name in model.parameters and isinstance(r.rhs, Num):
                everywhere = Mod(r.rhs.value)
                cast(dict[str, Any], model.parameters)[r.lhs.name] = lambda *_: everywhere
            return
        names = r.lhs.args if isinstance(r.lhs, Mul) and r.rhs is ZERO else (r.lhs,)
        first = names[0]
        if isinstance(first, App) and first.name in model.parameters and not any(i.terms for i in first.idx):
            old = model.parameters[first.name]
            at = tuple(i.const for i in first.idx)
            try:
                given = Evaluator(self.theory, model).value(r.rhs, {})
            except EvaluationError:
                return
            parameters = cast(dict[str, Any], model.parameters)
            parameters[first.name] = lambda *i: given if i == at else old(*i)

    # -- freeze -----------------------------------------------------------------
    def targets(self) -> Iterator[tuple[str, tuple[str, ...], Term]]:
        """Symbol, unit indices, forward value."""
        state = ("b", "i")
        yield "x", state, App("y", (l, b, i))
        if VELOCITY in self.timed:
            yield VELOCITY, state, ZERO
        for kind in self.e.net.kinds:
            start = App(kind.initial, (l, *(qvar(u) for u in kind.units)))
            yield kind.name, kind.units, self.initial.get(kind.name, start)
        for name in ("mu_mixed", "mu"):
            if name in self.timed:
                yield name, state, App("y", (l, b, i))
        for name in ("eps_mixed", "eps"):
            if name in self.timed:
                yield name, state, ZERO

    def _value(self, term: Term, env: dict[str, int]) -> object:
        try:
            return self.probe.value(term, env)
        except EvaluationError:
            return None

    def _layers(self, name: str) -> tuple[int, int]:
        weights = {k.name for k in self.e.net.kinds}
        if name == VELOCITY:
            return 1, PROBE_DEPTH - 1
        return (1, PROBE_DEPTH) if name == "x" or name in weights else (0, PROBE_DEPTH - 1)

    def offset(self, name: str, units: tuple[str, ...], value: Term) -> int | None:
        """The largest c such that the symbol has its forward value while t <= ahead + c, in the model."""
        first, last = self._layers(name)
        term = App(name, (t, l, *(qvar(u) for u in units)))
        best: int | None = None
        for c in range(-3, 3):
            tried = False
            for layer in range(first, last + 1):
                for time in range(0, self.probe.index(self.ahead, {"l": layer}) + c + 1):
                    env = {"t": time, "l": layer, **dict.fromkeys(units, 0)}
                    got, want = self._value(term, env), self._value(value, env)
                    if got is None or want is None:
                        continue
                    tried = True
                    if got != want:
                        return best
            if tried:
                best = c
        return best

    def freeze(self) -> None:
        """Everything ahead of the wave keeps its forward value."""
        names, claims, measures = [], [], []
        for name, units, value in self.targets():
            c = self.offset(name, units, value)
            if c is None:
                continue
            first, last = self._layers(name)
            top = le(l, L) if last == PROBE_DEPTH else lt(l, L)
            d = self.theory.definition(name)
            # definitions hold for every unit index; a single case may begin later than t = 0
            start = d.cases[0].guard if d is not None and len(d.cases) == 1 else ()
            guards = tuple(dict.fromkeys((ge(t, 0), le(t, self.ahead + c), ge(l, first), top, *start)))
            relation = Eq(App(name, (t, l, *(qvar(u) for u in units))), value)
            names.append(f"freeze {name}")
            claims.append(Statement(("t", "l", *units), guards, relation))
            measures.append(_measure(self.theory, name))
        tools = Tools(eager=self.timed, lazy=self.static)
        for name, th in zip(names, induct(self.k, claims, measures, tools)):
            self.lemmas.found[name] = th

    # -- front ------------------------------------------------------------------
    def factor(self, when: Idx, first: int = 0) -> Term | None:
        """c(l) with eps^l = c(l) delta^l at the time ``when`` from layer ``first`` on, as the model has it."""
        ratios = {}
        for layer, unit in product(range(first, PROBE_DEPTH), range(2)):
            time = self.probe.index(when, {"l": layer})
            if time < 0:
                return None
            env = {"t": time, "l": layer, "b": 0, "i": unit}
            e = self._value(App(self.e.error, (t, l, b, i)), env)
            d = self._value(App("delta", (l, b, i)), env)
            if not isinstance(e, Mod) or not isinstance(d, Mod) or d == 0:
                return None
            ratios[layer, unit] = e / d
        for candidate in self.candidates():
            if all(self._value(candidate, {"l": n, "i": u}) == r for (n, u), r in ratios.items()):
                return candidate
        return None

    def arrivals(self) -> list[Idx]:
        """When the wave may arrive at layer l: at the moment of theta^{l+1}, or at t = l (in a sweep, at once)."""
        if self.e.when == EVERY_STEP:
            return [self.ahead]
        own = moment(self.e.when).replace(lambda a: l + 1 if a == l.terms[0][0] else None)
        return list(dict.fromkeys((own, self.ahead)))

    def candidates(self) -> Iterator[Term]:
        """Powers of the scalars that the rule's step contains, and what a unit's own step is divided by."""
        yield ONE
        scalars: list[Term] = []
        for c in self.e.step:
            for s in subterms(c.value):
                if isinstance(s, App) and not s.idx and not s.args and s not in scalars:
                    scalars.append(s)
                if isinstance(s, Num) and s.value not in (0, 1) and s not in scalars:
                    scalars.append(s)
                if isinstance(s, Inv) and s not in scalars and not free_vars(s):
                    scalars.append(s)
        scalars.append(Num(Fraction(-1)))
        for a in scalars:
            yield Pow(a, l)
            yield Pow(mul(-1, a), l)
        for a in scalars:
            for c2 in scalars:
                yield Pow(mul(a, c2), l)
        yield from scalars  # from layer 1 on, where the output's error alone has another weight
        inverses = dict.fromkeys(s for c in self.e.step for s in subterms(c.value) if isinstance(s, Inv))
        for s in (s for s in inverses if {"l"} <= free_vars(s) <= {"l", "i"}):
            yield s
            if "i" not in free_vars(s):
                yield mul(subst(s.arg, {"l": Idx(0)}), s)

    def front(self) -> None:
        """The error of layer l where the wave arrives: the rule's ``front`` recursion, or c(l) delta^l.

        Where the loss is another than the squared error that of the output is no x - mu; then from layer 1 on.
        """
        lhs, d = App(self.e.error, (t, l, b, i)), App("delta", (l, b, i))
        stuck: Stuck | None = None
        own = "front" in self.theory.symbols
        given = App("front", (l, b, i)) if own else self.scale
        for first, when in product((0, 1), self.arrivals()):
            c = self.factor(when, first) if given is None else given if first == 0 else None
            if c is None:
                continue
            if first:
                self.lemmas.found["output error"] = self.output_error()
            rhs = c if own else d if c is ONE else Mul(c, d)
            guards: tuple[Con, ...] = (ge(t, 0), ge(l, first), lt(l, L), eq(t, when))
            if "i" in free_vars(c) and not own:
                guards = (*guards, *span(i, 0, width(l)))  # a parameter of units is not 0 where there are units
            error = Statement(("t", "l", "b", "i"), guards, Eq(lhs, rhs))
            moved = Eq(App("x", (t, l, b, i)), add(App("y", (l, b, i)), rhs))
            # a rule may read activities where another reads errors: x = y + eps at that time
            for claims, lazy in (
                ([error], self.static),
                ([error, replace(error, relation=moved)], self.static - {"y"}),
            ):
                tools = Tools(self.lemmas.all(), eager=self.timed, lazy=lazy)
                try:
                    proved = induct(self.k, claims, [2 * l, 2 * l + 1][: len(claims)], tools)
                except Stuck as s:
                    stuck = stuck or s
                    continue
                self.lemmas.found |= dict(zip(("front", MOVED), proved))
                return
        if stuck is not None:
            raise stuck

    def output_error(self) -> Theorem:
        """delta^0 by its definition."""
        return self.k.unfold(Context(("b", "i")), App("delta", (0, b, i)), 0)

    # -- update -----------------------------------------------------------------
    def goal(self, s: Statement) -> Theorem:
        """An equation claimed of the running network, by induction over time where it speaks of one."""
        measures = [t if "t" in s.variables else Idx(0)]
        try:
            (th,) = induct(self.k, [s], measures, Tools(self.lemmas.all(), eager=self.timed, lazy=self.static))
        except Stuck as stuck:
            if MOVED in self.lemmas.found or not self.moved():
                raise stuck
            return self.goal(s)
        return th

    def moved(self) -> bool:
        """The activity where the wave arrives, y + eps, as a lemma; is there one?"""
        front = self.lemmas.found.get("front")
        if front is None or not isinstance(front.relation, Eq):
            return False
        s = front.statement()
        relation = Eq(App("x", (t, l, b, i)), add(App("y", (l, b, i)), front.relation.rhs))
        tools = Tools(self.lemmas.all(), eager=self.timed, lazy=self.static - {"y"})
        try:
            (self.lemmas.found[MOVED],) = induct(self.k, [replace(s, relation=relation)], [l], tools)
        except Stuck:
            return False
        return True
