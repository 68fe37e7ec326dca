"""Judgement by the reference evaluator: does a relation hold in a concrete model?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from ..language.evaluate import EvaluationError, Evaluator, Model
from ..language.signature import Deriv, Eq, Le, Ne, Relation, Statement, Tangent, Theory
from .assign import assignments
from .compile import Dual, Env, varied
from .instance import RELU, TABLE, UNTRUE, Activation, Instance, vouched

Points = dict[tuple[str, Env, int, Fraction], Fraction]


@dataclass(frozen=True)
class Verdict:
    """Both sides of a relation; table: the points at which a tabulated activation was read."""

    holds: bool
    lhs: Fraction
    rhs: Fraction
    table: Points = field(default_factory=dict)


@dataclass(frozen=True)
class _Noting(Activation):
    """A tabulated activation that notes what is read."""

    points: Points = field(default_factory=dict)

    def table(self, key: tuple[Any, ...], v: Any) -> Any:
        out = super().table(key, v)
        self.points[(key[0], key[1], key[2], Fraction(v))] = Fraction(out)
        return out


class Judge:
    """The reference evaluator for one theory and one concrete model."""

    def __init__(self, theory: Theory, instance: Instance) -> None:
        self.theory = theory
        self.points: Points = {}
        if instance.activation.kind == TABLE:
            act = instance.activation
            instance = replace(instance, activation=_Noting(act.kind, act.layer, act.seed, act.given, self.points))
        self.instance = instance
        self.model = instance.model(theory)
        self.plain = Evaluator(theory, self.model)
        self.moving = {d: Evaluator(theory, self._varied_model(d)) for d in theory.directions}

    def compare(self, relation: Relation, at: Mapping[str, int]) -> Verdict:
        """Evaluate a relation at integer values of its variables.

        Raises EvaluationError where a definition has no value.
        """
        value = self.plain.value
        if isinstance(relation, (Eq, Ne, Le)):
            lhs, rhs = value(relation.lhs, at), value(relation.rhs, at)
            holds = lhs <= rhs if isinstance(relation, Le) else (lhs == rhs) == isinstance(relation, Eq)
            return Verdict(holds, Fraction(lhs), Fraction(rhs), self.points)
        if isinstance(relation, Tangent):
            lhs = Fraction(varied(self.moving[relation.direction].value(relation.term, at)))
            rhs = Fraction(value(relation.tangent, at))
            return Verdict(lhs == rhs, lhs, rhs, self.points)
        assert isinstance(relation, Deriv)
        symbol = self.theory.symbols[relation.point.name]
        if self.instance.activation.kind == UNTRUE and symbol.name not in vouched(self.theory):
            return Verdict(False, Fraction(2), Fraction(1))
        if self.instance.activation.kind != RELU or symbol.ranges != ((),):
            return Verdict(True, Fraction(0), Fraction(0))
        v = Fraction(value(relation.point.args[0].body, at))
        return Verdict(v != 0, v, Fraction(0))

    def _varied_model(self, direction: str) -> Model:
        model, variation = self.model, self.theory.directions[direction]

        def entry(name: str) -> Callable[..., Any]:
            own = model.parameters[name]
            if name not in variation:
                return own
            other = model.parameters[variation[name]]
            return lambda *idx: Dual(own(*idx), other(*idx))

        return replace(model, parameters={n: entry(n) for n in model.parameters})

    def instances(self, s: Statement, extra: int = 2) -> Iterator[dict[str, int]]:
        """The assignments of a statement in the model."""
        shape = self.instance.shape
        for values in assignments(s.variables, s.guards, shape.size, shape.depth, extra):
            yield dict(zip(s.variables, values))

    def failing_hypothesis(self, extra: int = 2) -> str | None:
        """The name of a hypothesis that does not hold, if any (places without a value are left out)."""
        for name, h in self.theory.hypotheses.items():
            for at in self.instances(h, extra):
                try:
                    if not self.compare(h.relation, at).holds:
                        return name
                except EvaluationError:
                    continue
        return None
