"""Scripts for the claims of ``rules/precision``: equilibria in weighted errors."""

from __future__ import annotations

from ..language.index import Con, Idx, ge, lt, qvar
from ..language.signature import Claim, Eq, Tangent
from ..language.terms import ZERO, App, Mul
from ..networks.network import L
from ..proof.kernel import Context, Kernel, Theorem
from .equilibrium import Out, changes, context, equation, forward, hidden_errors, multiple, unfolded_value
from .fixed_point import solve_for
from .goals import Stuck, Tools, prove_equation
from .gradient import prove_tangent
from .normal import normalize
from .rewrite import Rewriter, both, by_cases, then

l, b, i = qvar("l"), qvar("b"), qvar("i")
GX, ERR, DELTA = (App(n, (l, b, i)) for n in ("gx", "err", "delta"))


def gradient_script(k: Kernel, claim: Claim) -> Out:
    """Differentiate the energy; compare layer by layer, err spelt out."""
    out = []
    for s in claim.goals:
        assert isinstance(s.relation, Tangent)
        cuts = (Idx(1), L) if s.relation.direction == "x" else ()
        tools = Tools(lazy=[n for n in changes(claim) if n != "err"] + ["gx"], eager=("err",))
        out.append(prove_tangent(k, Context(), s.relation, tools, cuts=cuts))
    return {}, out


def fixed_point_script(k: Kernel, claim: Claim) -> Out:
    """The gradient is 0: solve it for err; at the output x is the target."""
    hidden, output, *learnt = claim.goals
    assert isinstance(hidden.relation, Eq) and isinstance(output.relation, Eq)
    ctx = Context(hidden.variables, hidden.guards)
    th = solve_for(k, ctx, GX, ERR)
    th = k.trans(th, both(k, ctx, th.rhs, Rewriter(k)(ctx, th.rhs)))
    end = prove_equation(k, ctx, th.rhs, hidden.relation.rhs, Tools())
    tools = Tools(eager=("err", "eps"))
    gradients = [d.name for g in claim.theory.definitions for d in g if d.name.startswith("g") and d.name != "gx"]
    return {}, [k.trans(th, end), equation(k, output, tools), *(equation(k, s, Tools(lazy=gradients)) for s in learnt)]


def forward_equilibrium_script(k: Kernel, claim: Claim) -> Out:
    """err = p delta by induction over layers: hidden errors are 0, and so is what is fed back to them."""
    front, *learnt = claim.goals
    goal = front.relation
    assert isinstance(goal, Eq)
    known = forward(k)
    zero = hidden_errors(k, known)
    none = prove_equation(k, context(ge(l, 1), lt(l, L)), ERR, ZERO, Tools([zero], lazy=("err",)))
    ctx = k.induction_context([front], [l], 0)

    def case(c: Context, _: Con) -> Theorem:
        if not k.entails(c, ge(l, 1)):
            return prove_equation(k, c, goal.lhs, goal.rhs, Tools(known, eager=("err", "eps", "delta")))
        own = k.instantiate(c, none, {"l": l, "b": b, "i": i})
        feedback = unfolded_value(k, c, GX, [none, *known])
        nothing = k.trans(k.sym(feedback), k.hypothesis(c, "equilibrium", {"l": l, "b": b, "i": i}))
        delta = unfolded_value(k, c, DELTA, known)
        scaled = k.congruence(c, goal.rhs, [k.refl(c, goal.rhs.args[0]), delta])  # type: ignore[attr-defined]
        now = then(k, scaled, normalize(k, c, scaled.rhs))
        assert now is not None
        factor = multiple(now.rhs, nothing.lhs) if nothing.lhs is not ZERO else None
        if factor is None:
            raise Stuck(c, Eq(now.rhs, ZERO), "the equilibrium does not say that this is 0")
        product = Mul(factor, nothing.lhs)
        th = k.trans(now, k.ring(c, now.rhs, product))
        th = k.trans(th, k.congruence(c, product, [k.refl(c, factor), nothing]))
        return k.trans(own, k.sym(k.trans(th, k.ring(c, th.rhs, ZERO))))

    (errors,) = k.induct([front], [l], [by_cases(k, ctx, ge(l, 1), goal, case)])
    tools = Tools([errors, *known], eager=[n for n in changes(claim) if n != "err"])
    return {"predicted": known[1]}, [errors, *(equation(k, s, tools) for s in learnt)]
