"""Script for numbers of vertices: sums of ones over integer ranges."""

from __future__ import annotations

from ..language.signature import Claim, Eq
from ..language.terms import ZERO, Sum
from ..proof.kernel import Context, Kernel, Theorem
from .goals import Stuck


def levels_script(k: Kernel, claim: Claim) -> tuple[dict[str, Theorem], list[Theorem]]:
    """An empty range, or one range cut in two."""
    (goal,) = claim.goals
    ctx = Context(goal.variables, goal.guards)
    relation = goal.relation
    assert isinstance(relation, Eq)
    if isinstance(relation.lhs, Sum) and relation.rhs is ZERO:
        return {}, [k.sum_empty(ctx, relation.lhs)]
    assert isinstance(relation.rhs, Sum)
    first = relation.lhs.args[0]  # type: ignore[attr-defined]
    th = k.sum_split(ctx, relation.rhs, first.bound)
    if th.rhs is not relation.lhs:
        raise Stuck(ctx, Eq(th.rhs, relation.lhs), "the ranges do not join")
    return {}, [k.sym(th)]
