"""Script for claims about a rule in motion and the gradient of its energy at every state.

1. prediction and error of the state that may vary are those of the run;
2. tangents by differentiation, one step of the run by unfolding it once;
3. the other goals along the light cone.
"""

from __future__ import annotations

from ..language.index import Con, Idx, ge, lt, qvar, span
from ..language.signature import Claim, Eq, Statement, Tangent
from ..language.terms import App, subterms
from ..networks.network import B, L, width
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.equations import Equations
from .goals import Stuck, Tools, prove_equation
from .gradient import prove_tangent
from .light_cone import Cone
from .rewrite import by_cases, determined, undecided

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")


def complete_script(k: Kernel, claim: Claim) -> tuple[dict[str, Theorem], list[Theorem]]:
    """Tangents, single steps, then what needs the whole run."""
    e: Equations = claim.equations
    same = {f"{name} of the state": same_value(k, name) for name in ("mu", "eps")}
    cone = Cone(k, e)
    if not all(isinstance(s.relation, Tangent) or is_step(s) for s in claim.goals):
        cone.freeze()
        cone.front()
    gradients = {"gx", *("g" + kind.name for kind in e.net.kinds)}
    step = Tools(list(same.values()), eager={kind.change for kind in e.net.kinds}, lazy=gradients)

    def prove(s: Statement) -> Theorem:
        ctx = Context(s.variables, s.guards)
        if isinstance(s.relation, Tangent):
            cuts = (Idx(1), L) if s.relation.direction == "x" else ()
            return prove_tangent(k, ctx, s.relation, Tools(lazy=gradients), cuts=cuts)
        if not isinstance(s.relation, Eq):
            raise Stuck(ctx, s.relation, "no tactic for this kind of statement")
        return one_step(k, ctx, s.relation, step) if is_step(s) else cone.goal(s)

    theorems = [prove(s) for s in claim.goals]
    return {**same, **cone.lemmas.found}, theorems


def is_step(s: Statement) -> bool:
    """Does it say what one quantity is from what it was?"""
    r = s.relation
    return (
        isinstance(r, Eq)
        and isinstance(r.lhs, App)
        and r.lhs.name in {a.name for a in subterms(r.rhs) if isinstance(a, App)}
    )


def same_value(k: Kernel, name: str) -> Theorem:
    """Mu[t,l,b,i] = mu[t,l,b,i] below the input, and so for Eps."""
    guards: tuple[Con, ...] = (ge(t, 0), ge(l, 0), lt(l, L), *span(b, 0, B), *span(i, 0, width(l)))
    own, running = (App(n, (t, l, b, i)) for n in (name.capitalize(), name))
    ctx = Context(("t", "l", "b", "i"), guards)
    return prove_equation(k, ctx, own, running, Tools(eager=("mu", "eps", "Mu", "Eps")))


def one_step(k: Kernel, ctx: Context, goal: Eq, tools: Tools) -> Theorem:
    """The left side by its definition, once, in each of its cases."""
    lhs = goal.lhs
    assert isinstance(lhs, App)
    case = determined(k, ctx, lhs)
    if case is not None:
        step = k.unfold(ctx, lhs, case)
        if step.rhs is goal.rhs:
            return step
        return k.trans(step, prove_equation(k, ctx, step.rhs, goal.rhs, tools))
    con = undecided(k, ctx, lhs)
    if con is None:
        raise Stuck(ctx, goal, f"the case of {lhs!r} is not determined")
    return by_cases(k, ctx, con, goal, lambda c, _: one_step(k, c, goal, tools))
