"""From a claim to a proof: choose tactics, check that they proved what was claimed."""

from __future__ import annotations

from ..language.signature import Claim, Eq, Le, Statement
from ..proof.certificate import Proof
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.equations import EVERY_STEP
from .goals import Stuck, Tools, prove_equation
from .light_cone import Cone
from .order import prove_le


def prove_claim(claim: Claim) -> Proof:
    """A proof of every goal, or ``Stuck`` with the goal that is left open."""
    k = Kernel(claim.theory)
    if claim.script is not None:
        lemmas, theorems = claim.script(k, claim)
    elif claim.equations is not None:
        lemmas, theorems = run_rule(k, claim)
    else:
        lemmas, theorems = {}, [static_goal(k, s) for s in claim.goals]
    for s, th in zip(claim.goals, theorems, strict=True):
        if th.statement() != s:
            raise Stuck(th.context, s.relation, "a tactic proved another statement")
    return Proof(k, tuple(theorems), dict(lemmas))


def run_rule(k: Kernel, claim: Claim) -> tuple[dict[str, Theorem], list[Theorem]]:
    """A rule in motion: freeze, front, then the goals."""
    if claim.equations.held and claim.equations.when != EVERY_STEP:
        from .fixed_prediction import held_script

        try:
            return held_script(k, claim)
        except Stuck:
            pass  # the errors do not run by themselves; what counts is where one first arrives
    cone = Cone(k, claim.equations)
    cone.freeze()
    cone.front()
    return cone.lemmas.found, [cone.goal(s) for s in claim.goals]


def static_goal(k: Kernel, s: Statement) -> Theorem:
    """An equation or inequality without time: by unfolding and normal form, by sums of squares."""
    ctx = Context(s.variables, s.guards)
    if isinstance(s.relation, Le):
        return prove_le(k, ctx, s.relation.lhs, s.relation.rhs)
    if not isinstance(s.relation, Eq):
        raise Stuck(ctx, s.relation, "no tactic for this kind of statement")
    names = {d.name for g in k.theory.definitions for d in g}
    return prove_equation(k, ctx, s.relation.lhs, s.relation.rhs, Tools(lazy=names))
