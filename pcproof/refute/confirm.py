"""Judgement by the reference evaluator: does a relation hold in a concrete model?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from ..language.evaluate import EvaluationError, Evaluator, Model
from ..language.signature import Deriv, Eq, Ne, Relation, Tangent, Theory
from .assign import assignments
from .compile import Dual, Env, lift, real, varied
from .instance import TABLE, Activation, Instance, bounds_reader

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


def compare(theory: Theory, instance: Instance, relation: Relation, at: Mapping[str, int]) -> Verdict:
    """Evaluate a relation at integer values of its variables.

    Raises EvaluationError where a definition has no value.
    """
    points: Points = {}
    if instance.activation.kind == TABLE:
        noting = _Noting(instance.activation.kind, instance.activation.layer, instance.activation.seed, points)
        instance = replace(instance, activation=noting)
    model = instance.model(theory)
    if isinstance(relation, (Eq, Ne)):
        plain = Evaluator(theory, model)
        lhs, rhs = plain.value(relation.lhs, at), plain.value(relation.rhs, at)
        return Verdict((lhs == rhs) == isinstance(relation, Eq), Fraction(lhs), Fraction(rhs), points)
    if isinstance(relation, Tangent):
        moving = Evaluator(theory, _varied_model(theory, model, relation.direction, instance)).value(relation.term, at)
        lhs, rhs = Fraction(real(varied(moving))), Fraction(Evaluator(theory, model).value(relation.tangent, at))
        return Verdict(lhs == rhs, lhs, rhs, points)
    assert isinstance(relation, Deriv)
    symbol = theory.symbols[relation.point.name]
    if instance.activation.kind != "relu" or symbol.ranges != ((),):
        return Verdict(True, Fraction(0), Fraction(0))
    v = Fraction(Evaluator(theory, model).value(relation.point.args[0].body, at))
    return Verdict(v != 0, v, Fraction(0))


def _varied_model(theory: Theory, model: Model, direction: str, instance: Instance) -> Model:
    variation = theory.directions[direction]

    def entry(name: str) -> Callable[..., Any]:
        own = model.parameters[name]
        if name not in variation:
            return own
        other = model.parameters[variation[name]]
        return lambda *idx: Dual(own(*idx), other(*idx))

    def plain(name: str, idx: Env, args: tuple[Any, ...]) -> Any:
        return model.functions[name](*idx, *args)

    lifted = lift(theory, bounds_reader(theory, instance.shape.size), plain)

    def function(name: str, arity: int) -> Callable[..., Any]:
        return lambda *a: lifted(name, a[:arity], a[arity:])

    return replace(
        model,
        parameters={n: entry(n) for n in model.parameters},
        functions={n: function(n, theory.symbols[n].arity) for n in model.functions},
    )


def failing_hypothesis(theory: Theory, instance: Instance, extra: int = 2) -> str | None:
    """The name of a hypothesis that does not hold in the model, if any (undefined places left out)."""
    for name, h in theory.hypotheses.items():
        for values in assignments(h.variables, h.guards, instance.shape.size, instance.shape.depth, extra):
            try:
                if not compare(theory, instance, h.relation, dict(zip(h.variables, values))).holds:
                    return name
            except EvaluationError:
                continue
    return None
