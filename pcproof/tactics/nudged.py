"""Scripts for ``rules/nudged``: what lies ahead of the wave, then its front, as in the light cone."""

from __future__ import annotations

from ..language.index import Con, Idx, ge, le, qvar
from ..language.signature import Claim, Eq, Statement
from ..language.terms import ZERO, Add, App, Mul, Term, mul
from ..networks.network import L
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.claims import STATE
from ..rules.nudged import EPS, FREE, MU, X, Y
from .fixed_point import solve_for
from .goals import Tools, prove_equation
from .light_cone import induct
from .rewrite import by_cases

t, l, b, i = (qvar(n) for n in "tlbi")
RUNNING, STATIC = {"x", "mu", "eps"}, {"y", "delta"}
Out = tuple[dict[str, Theorem], list[Theorem]]


def ahead(k: Kernel) -> list[Theorem]:
    """x = y and eps = 0 up to t = l, mu = y up to t = l + 1, jointly over time."""
    names = ("t", "l", "b", "i")
    claims = [
        Statement(names, (ge(t, 0), ge(l, 0), le(l, L), *STATE, le(t, l)), Eq(X, Y)),
        Statement(names, (ge(t, 0), *FREE, *STATE, le(t, l + 1)), Eq(MU, Y)),
        Statement(names, (ge(t, 0), *FREE, *STATE, le(t, l)), Eq(EPS, ZERO)),
    ]
    return induct(k, claims, [3 * t, 3 * t + 1, 3 * t + 2], Tools(eager=RUNNING, lazy=STATIC))


def spread_script(k: Kernel, claim: Claim) -> Out:
    """Nothing ahead of the wave; its front layer by layer; the first step unfolded."""
    first, output, still, silent, front = claim.goals
    known = ahead(k)
    tools = Tools(known, eager=RUNNING, lazy=STATIC)
    (arrived,) = induct(k, [front], [l], tools)
    out = []
    for s in (first, output, still, silent):
        assert isinstance(s.relation, Eq)
        ctx = Context(s.variables, s.guards)
        out.append(prove_equation(k, ctx, s.relation.lhs, s.relation.rhs, tools))
    names = ("activities ahead", "predictions ahead", "errors ahead")
    return dict(zip(names, known)), [*out, arrived]


def equilibrium_script(k: Kernel, claim: Claim) -> Out:
    """The gradient solved for the error, layer after layer from the output; then the changes."""
    front, output, *changed = claim.goals
    goal = front.relation
    assert isinstance(goal, Eq) and isinstance(output.relation, Eq)
    ctx = k.induction_context([front], [l], 0)
    gx, eps = App("gx", (l, b, i)), App("eps", (l, b, i))

    def case(c: Context, _: Con) -> Theorem:
        th = solve_for(k, c, gx, eps)
        return k.trans(th, prove_equation(k, c, th.rhs, goal.rhs, Tools(lazy=("back",))))

    (errors,) = k.induct([front], [l], [by_cases(k, ctx, ge(l, 1), goal, case)])
    out = [errors, output_error(k, output, errors)]
    gradients = [d.name for g in claim.theory.definitions for d in g if d.name.startswith("g") and d.name != "gx"]
    for s in changed:
        assert isinstance(s.relation, Eq)
        tools = Tools([errors], lazy=gradients)
        out.append(prove_equation(k, Context(s.variables, s.guards), s.relation.lhs, s.relation.rhs, tools))
    return {}, out


def output_error(k: Kernel, s: Statement, errors: Theorem) -> Theorem:
    """(1 + lam) eps^0 = lam (s_out - mu^0), from eps^0 = lam (s_out - x^0) and x^0 = eps^0 + mu^0."""
    ctx, r = Context(s.variables, s.guards), s.relation
    assert isinstance(r, Eq)
    lam, eps = App("lam"), App("eps", (0, b, i))
    error = k.instantiate(ctx, errors, {"l": Idx(0), "b": b, "i": i})
    value = k.trans(
        error, prove_equation(k, ctx, error.rhs, r.rhs - mul(lam, _spelt(k, ctx, eps)), Tools(eager=("back",)))
    )
    whole = Add(eps, mul(lam, eps))
    th = k.trans(k.ring(ctx, r.lhs, whole), k.congruence(ctx, whole, [value, _times(k, ctx, whole.args[1], eps)]))
    return k.trans(th, k.ring(ctx, th.rhs, r.rhs))


def _spelt(k: Kernel, ctx: Context, eps: App) -> Term:
    return k.unfold(ctx, eps, 0).rhs


def _times(k: Kernel, ctx: Context, product: Term, eps: App) -> Theorem:
    """lam eps = lam (x - mu)"""
    assert isinstance(product, Mul)
    return k.congruence(ctx, product, [k.refl(ctx, product.args[0]), k.unfold(ctx, eps, 0)])
