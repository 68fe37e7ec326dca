"""From a claim to a proof: choose tactics, check that they proved what was claimed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..language.signature import Claim, Eq, Le, Statement
from ..language.terms import free_vars
from ..proof.certificate import Proof
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.equations import EVERY_STEP
from .goals import Stuck, Tools, prove_equation
from .light_cone import Cone
from .order import prove_le

Script = Callable[[Kernel, Claim], tuple[dict[str, Theorem], list[Theorem]]]


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
    if not claim.equations.held or claim.equations.when == EVERY_STEP:
        return _arrival(k, claim)
    from .fixed_prediction import held_script

    stuck: Stuck | None = None
    # the errors run by themselves; or what counts is where one first arrives; or both, where steps depend on time
    scripts: list[Script] = [held_script, _arrival]
    if any("t" in free_vars(c.value) for c in claim.equations.step):
        scripts.append(partial(held_script, arrival=True))
    for script in scripts:
        try:
            return script(k, claim)
        except Stuck as s:
            stuck = stuck or s
    assert stuck is not None
    raise stuck


def _arrival(k: Kernel, claim: Claim) -> tuple[dict[str, Theorem], list[Theorem]]:
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
