"""Script for claims about the gradient of an energy: tangents first, then equations."""

from __future__ import annotations

from ..language.index import Idx
from ..language.signature import Claim, Eq, Tangent
from ..networks.network import L
from ..proof.kernel import Context, Kernel, Theorem
from .goals import Stuck, Tools, prove_equation
from .gradient import prove_tangent


def energy_script(k: Kernel, claim: Claim) -> tuple[dict[str, Theorem], list[Theorem]]:
    """Differentiate the energy by the rules; compare with the derived cases, layer by layer."""
    out: list[Theorem] = []
    defined = {d.name for g in k.theory.definitions for d in g} - {"mu", "eps"}
    for s in claim.goals:
        ctx = Context(s.variables, s.guards)
        if isinstance(s.relation, Tangent):
            cuts = (Idx(1), L) if s.relation.direction == "x" else ()
            out.append(prove_tangent(k, ctx, s.relation, Tools(lazy=defined), cuts=cuts))
        elif isinstance(s.relation, Eq):
            out.append(prove_equation(k, ctx, s.relation.lhs, s.relation.rhs, Tools(lazy=defined)))
        else:
            raise Stuck(ctx, s.relation, "no tactic for this kind of statement")
    return {}, out
