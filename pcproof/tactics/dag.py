"""Scripts for the claims of ``rules/dag``: strong induction over the vertices from the output on."""

from __future__ import annotations

from ..language.index import Con, ge, lt, qvar, size
from ..language.signature import Claim, Eq, Statement, Tangent
from ..language.terms import App, Num, Sum, Term, add, mul, neg, open_, total
from ..networks.network import L, width
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.dag import DELTA, EPS, GX, INNER, UNIT, VERTEX, Y
from .fixed_point import solve_for
from .goals import Tools, prove_equation
from .gradient import prove_tangent
from .rewrite import Rewriter, both, bottom_up, by_cases, then

t, l, i = qvar("t"), qvar("l"), qvar("i")
Out = tuple[dict[str, Theorem], list[Theorem]]


def cut(k: Kernel, ctx: Context, t: Term) -> Theorem:
    """Sums over all vertices below the input, cut before vertex l."""

    def head(c: Context, s: Term) -> Theorem | None:
        if isinstance(s, Sum) and s.bound == L and k.entails(c, lt(l, L)):
            return k.sum_split(c, s, l)
        return None

    return both(k, ctx, t, bottom_up(k, head, ctx, t, again=False))


def feedback(k: Kernel, ctx: Context, th: Theorem, goal: Eq, tools: Tools) -> Theorem:
    """The goal from ``th``: its right side cut at l, where the errors of the vertices before l are known."""
    opened = k.trans(th, cut(k, ctx, th.rhs))
    return k.trans(opened, prove_equation(k, ctx, opened.rhs, goal.rhs, tools))


def fixed_point_script(k: Kernel, claim: Claim) -> Out:
    """Vertex after vertex from the output, then the changes."""
    errors, changes = claim.goals
    goal = errors.relation
    assert isinstance(goal, Eq) and isinstance(changes.relation, Eq)
    ctx = k.induction_context([errors], [l], 0)

    def case(c: Context, _: Con) -> Theorem:
        if not k.entails(c, ge(l, 1)):
            return prove_equation(k, c, goal.lhs, goal.rhs, Tools(lazy=("eps", "delta")))
        return feedback(k, c, solve_for(k, c, GX, EPS), goal, Tools(lazy=("delta",)))

    (found,) = k.induct([errors], [l], [by_cases(k, ctx, ge(l, 1), goal, case)])
    tools = Tools([found], lazy=("dtheta", "dw"))
    r = changes.relation
    return {}, [found, prove_equation(k, Context(changes.variables, changes.guards), r.lhs, r.rhs, tools)]


def exists_script(k: Kernel, claim: Claim) -> Out:
    """eps = delta by hypothesis; put into the gradient."""
    clamped, rest = claim.goals
    assert isinstance(clamped.relation, Eq) and isinstance(rest.relation, Eq)
    inner = Context(VERTEX, (*INNER, *UNIT))
    errors = prove_equation(k, inner, EPS, DELTA, Tools(lazy=("eps",)))
    r = clamped.relation
    output = prove_equation(k, Context(clamped.variables, clamped.guards), r.lhs, r.rhs, Tools(lazy=("delta",)))
    ctx = Context(rest.variables, rest.guards)
    th = k.unfold(ctx, GX, 0)
    moved = then(k, th, Rewriter(k, [errors])(ctx, th.rhs))
    assert moved is not None
    return {"errors": errors}, [output, feedback(k, ctx, moved, rest.relation, Tools(lazy=("delta",)))]


def euler_script(k: Kernel, claim: Claim) -> Out:
    """Jointly over time: x = y + delta and eps = delta from t = l on."""
    arrived, start = claim.goals
    x = App("x", (t, l, i))
    moved = Statement(arrived.variables, arrived.guards, Eq(x, add(Y, DELTA)))
    claims, measures = [moved, arrived], [2 * t, 2 * t + 1]

    def part(n: int) -> Theorem:
        goal = claims[n].relation
        assert isinstance(goal, Eq)
        ctx = k.induction_context(claims, measures, n)

        def case(c: Context, _: Con) -> Theorem:
            if n or not k.entails(c, ge(l, 1)):
                return prove_equation(k, c, goal.lhs, goal.rhs, Tools(eager=("x",), lazy=("eps", "delta")))
            th = k.unfold(c, x, 2)
            return feedback(k, c, th, goal, Tools(lazy=("delta", "eps", "x")))

        return by_cases(k, ctx, ge(l, 1), goal, case)

    found = k.induct(claims, measures, [part(0), part(1)])
    r = start.relation
    assert isinstance(r, Eq)
    began = prove_equation(k, Context(start.variables, start.guards), r.lhs, r.rhs, Tools(eager=("x",), lazy=("eps",)))
    return {"activities": found[0], "errors": found[1]}, [found[1], began]


def equation_script(k: Kernel, claim: Claim) -> Out:
    """The gradient unfolded, its sum cut at l."""
    (s,) = claim.goals
    assert isinstance(s.relation, Eq)
    ctx = Context(s.variables, s.guards)
    th = k.congruence(ctx, neg(GX), [k.refl(ctx, Num(-1)), k.unfold(ctx, GX, 0)])
    return {}, [feedback(k, ctx, th, s.relation, Tools(eager=("eps",)))]


def rest_script(k: Kernel, claim: Claim) -> Out:
    """The gradient is 0: solve it for the error."""
    (s,) = claim.goals
    assert isinstance(s.relation, Eq)
    ctx = Context(s.variables, s.guards)
    solved = feedback(k, ctx, solve_for(k, ctx, GX, EPS), s.relation, Tools(eager=("eps",)))
    return {}, [k.trans(k.sym(k.unfold(ctx, EPS, 0)), solved)]


def output_script(k: Kernel, claim: Claim) -> Out:
    """The loss, differentiated."""
    (s,) = claim.goals
    assert isinstance(s.relation, Tangent)
    return {}, [prove_tangent(k, Context(), s.relation, Tools())]


def levels_script(k: Kernel, claim: Claim) -> Out:
    """Over time: what is fed back comes from lower levels, or along no edge."""
    arrived, start = claim.goals
    goal = arrived.relation
    assert isinstance(goal, Eq) and isinstance(start.relation, Eq)
    ctx = k.induction_context([arrived], [t], 0)
    # eps_t = (x_{t-1} - y) - (eps_{t-1} - fed back) = fed back
    tools = Tools(eager=("x",), lazy=("eps", "delta"))
    output = Context(("t", "i"), (ge(t, 0), ge(i, 0), lt(i, width(l - l))))
    at_output = prove_equation(k, output, App("eps", (t, 0, i)), App("delta", (0, i)), tools)
    error = k.unfold(ctx, App("eps", (t, l, i)), 0)
    step = k.unfold(ctx, App("x", (t, l, i)), 2)
    error = k.trans(error, k.congruence(ctx, error.rhs, [step, *(k.refl(ctx, a) for a in error.rhs.args[1:])]))  # type: ignore[attr-defined]
    opened = k.trans(error, cut(k, ctx, error.rhs))
    fed = total(l, lambda m: total(width(m), lambda j: mul(App("J", (m, l, j, i)), App("eps", (t - 1, m, j)))))
    moved = prove_equation(k, ctx, opened.rhs, fed, Tools(lazy=("eps",)))
    assert isinstance(fed, Sum)
    inner = ctx.bind(("m",), (fed.bound,))
    body = open_(fed.body, qvar("m"))
    back = k.sum_congruence(ctx, fed.bound, "m", _edge(k, inner, body, at_output))
    end = prove_equation(k, ctx, back.rhs, goal.rhs, Tools(lazy=("delta",)))
    (found,) = k.induct([arrived], [t], [k.trans(k.trans(opened, moved), k.trans(back, end))])
    r = start.relation
    began = prove_equation(k, Context(start.variables, start.guards), r.lhs, r.rhs, Tools(eager=("x",), lazy=("eps",)))
    return {"output": at_output}, [found, began]


def _edge(k: Kernel, ctx: Context, body: Term, at_output: Theorem) -> Theorem:
    """sum_j J eps_{t-1} = sum_j J delta for one vertex m < l."""
    m = qvar("m")
    goal = Eq(body, total(width(m), lambda j: mul(App("J", (m, l, j, i)), App("delta", (m, j)))))
    tools = Tools([at_output])

    def same(c: Context, _: Con) -> Theorem:
        return prove_equation(k, c, goal.lhs, goal.rhs, tools)

    def hidden(c: Context, side: Con) -> Theorem:
        if not k.entails(c, ge(m, 1)):
            return same(c, side)
        return by_cases(k, c, ge(size("lev", m), 1), goal, lower)

    def lower(c: Context, side: Con) -> Theorem:
        if not k.entails(c, ge(size("lev", m), 1)):
            return same(c, side)
        return by_cases(k, c, lt(size("lev", m), size("lev", l)), goal, same)

    return by_cases(k, ctx, ge(m, 1), goal, hidden)
