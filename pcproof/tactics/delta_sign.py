"""Script for the sign of delta: the pairing <delta^l, Dy^l> telescopes, and only the shifts are left."""

from __future__ import annotations

from ..language.signature import Claim
from ..proof.kernel import Kernel, Theorem
from .loss_gradient import Names, loss_gradient


def shift_script(k: Kernel, claim: Claim) -> tuple[dict[str, Theorem], list[Theorem]]:
    """Reverse mode is forward mode, along variations of the shifts."""
    (goal,) = claim.goals
    lemmas, th = loss_gradient(k, goal, Names(direction="shifts"))
    return lemmas, [th]
