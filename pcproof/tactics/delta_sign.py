"""Script for the sign of delta: the pairing <delta^l, Dy^l> telescopes, and only the shifts are left."""

from __future__ import annotations

from ..language.signature import Claim, Eq
from ..proof.kernel import Context, Kernel, Theorem
from .goals import Tools, prove_equation
from .loss_gradient import Names, loss_gradient


def shift_script(k: Kernel, claim: Claim) -> tuple[dict[str, Theorem], list[Theorem]]:
    """Reverse mode is forward mode, along variations of the shifts."""
    given, goal = claim.goals
    assert isinstance(given.relation, Eq)
    ctx = Context(given.variables, given.guards)
    start = prove_equation(k, ctx, given.relation.lhs, given.relation.rhs, Tools(eager=("y",)))
    lemmas, th = loss_gradient(k, goal, Names(direction="shifts"))
    return lemmas, [start, th]
