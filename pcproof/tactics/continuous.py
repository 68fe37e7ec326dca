"""Script for the Taylor coefficients of the flow: freeze by induction over the order, front over the layers."""

from __future__ import annotations

from ..language.index import Con, eq, ge, le, lt, qvar, span
from ..language.signature import Claim, Eq, Le, Ne, Statement
from ..language.terms import ONE, ZERO, Add, App, Mul, Term
from ..networks.network import B, L, width
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.continuous import AT, EPS, MU, X
from .goals import Stuck, Tools, prove_equation
from .light_cone import induct
from .order import le_to, ring_le
from .rewrite import by_cases

k, l, b, i = qvar("k"), qvar("l"), qvar("b"), qvar("i")
COUNT = App("count", (k,))
LATER = 5  # the case of x[k] at hidden layers, k >= 1
Out = tuple[dict[str, Theorem], list[Theorem]]


def positive(kernel: Kernel) -> Theorem:
    """count[k] != 0 for k >= 1."""
    low = Statement(("k",), (ge(k, 0),), Le(ZERO, COUNT))
    ctx = kernel.induction_context([low], [k], 0)

    def at_least(c: Context, bound: Term) -> Theorem:
        """bound <= count[k] from 0 <= count[k-1], at k >= 1; bound is 0 or 1."""
        unfolded = kernel.unfold(c, COUNT, 1)
        before = App("count", (k - 1,))
        return le_to(kernel, _step(kernel, c, before, bound), kernel.sym(unfolded))

    def case(c: Context, side: Con) -> Theorem:
        if side.kind == "eq":
            return le_to(kernel, kernel.le_number(c, ZERO, ZERO), kernel.sym(kernel.unfold(c, COUNT, 0)))
        return at_least(c, ZERO)

    (th,) = kernel.induct([low], [k], [by_cases(kernel, ctx, eq(k, 0), low.relation, case)])
    ctx = Context(("k",), (ge(k, 1),))
    unfolded = kernel.unfold(ctx, COUNT, 1)
    before = kernel.instantiate(ctx, th, {"k": k - 1})
    whole = kernel.le_add(ctx, [before, kernel.le_number(ctx, ONE, ONE)])
    one = le_to(kernel, ring_le(kernel, ctx, ONE, whole, unfolded.rhs), kernel.sym(unfolded))
    goal = Ne(COUNT, ZERO)
    zero, other = (kernel.real_context(ctx, COUNT, ZERO, same) for same in (True, False))
    below = kernel.le_trans(kernel.weaken(zero, one), kernel.le_equal(kernel.hypothesis(zero, 0, {})))
    clash = kernel.le_both(below, kernel.le_number(zero, ZERO, ONE))
    parts = [kernel.distinct(clash, goal), kernel.hypothesis(other, 0, {})]
    return kernel.real_cases(ctx, COUNT, ZERO, parts)


def _step(kernel: Kernel, c: Context, before: Term, bound: Term) -> Theorem:
    """bound <= count[k-1] + 1 with the induction's hypothesis 0 <= count[k-1]."""
    known = kernel.hypothesis(c, 0, {"k'": k - 1})
    whole = kernel.le_add(c, [known, kernel.le_number(c, bound, ONE)])
    return ring_le(kernel, c, bound, whole, Add(before, ONE))


# -- the flow -------------------------------------------------------------------------
FLOW = ("x", "mu", "eps", "rate")


def ahead(kernel: Kernel) -> dict[str, Theorem]:
    """Below order l nothing of layer l moves: x, the functions of x, mu up to order l, eps from order 0 on."""
    value = kernel.theory.hypotheses.get("Hadamard")
    if value is None or not isinstance(value.relation, Eq) or not isinstance(value.relation.lhs, App):
        raise Stuck(None, None, "no hypothesis says how the functions of x move with x")
    units = (*span(b, 0, B), *span(i, 0, width(l)))
    early = (ge(k, 1), le(k, l - 1))
    rows = {
        "x": (Statement(AT, (*early, ge(l, 1), le(l, L), *units), Eq(X, ZERO)), 0),
        value.relation.lhs.name: (Statement(AT, (*early, *value.guards[1:]), Eq(value.relation.lhs, ZERO)), 1),
        "mu": (Statement(AT, (ge(k, 1), le(k, l), ge(l, 0), lt(l, L), *units), Eq(MU, ZERO)), 2),
        "eps": (Statement(AT, (ge(k, 0), lt(k, l), ge(l, 0), lt(l, L), *units), Eq(EPS, ZERO)), 3),
    }
    claims, measures = [s for s, _ in rows.values()], [k * 16 + rank for _, rank in rows.values()]
    found = induct(kernel, claims, measures, Tools(eager=FLOW, lazy=("y",)))
    out = {f"{name} below its order": th for name, th in zip(rows, found)}
    ctx = Context(("l", "b", "i"), (ge(l, 0), lt(l, L), *units))
    start = prove_equation(kernel, ctx, App("mu", (0, l, b, i)), App("y", (l, b, i)), Tools(eager=FLOW, lazy=("y",)))
    return {**out, "mu at the start": start}


def front(kernel: Kernel, goal: Statement, lemmas: list[Theorem]) -> Theorem:
    """eps^l at order l is delta^l / l!, by induction over layers."""
    (th,) = induct(kernel, [goal], [l], Tools(lemmas, eager=FLOW, lazy=("delta", "reciprocal")))
    return th


def motion(kernel: Kernel, goal: Statement, nonzero: Theorem) -> Theorem:
    """(k + 1) x[k+1] = rate[k]"""
    ctx = Context(goal.variables, goal.guards)
    relation = goal.relation
    assert isinstance(relation, Eq) and isinstance(relation.lhs, Mul)
    count, x = relation.lhs.args
    step = kernel.unfold(ctx, x, LATER)
    unit = kernel.inverse(kernel.instantiate(ctx, nonzero, {"k": k + 1}))
    th = kernel.congruence(ctx, relation.lhs, [kernel.refl(ctx, count), step])
    whole = Mul(unit.lhs, relation.rhs)
    th = kernel.trans(th, kernel.ring(ctx, th.rhs, whole))
    th = kernel.trans(th, kernel.congruence(ctx, whole, [unit, kernel.refl(ctx, relation.rhs)]))
    return kernel.trans(th, kernel.ring(ctx, th.rhs, relation.rhs))


def reciprocals(kernel: Kernel, goal: Statement, nonzero: Theorem) -> Theorem:
    """k! (1 / k!) = 1 by induction."""
    ctx = kernel.induction_context([goal], [k], 0)
    relation = goal.relation
    assert isinstance(relation, Eq) and isinstance(relation.lhs, Mul)
    product = relation.lhs

    def case(c: Context, side: Con) -> Theorem:
        which = 0 if side.kind == "eq" else 1
        th = kernel.congruence(c, product, [kernel.unfold(c, a, which) for a in product.args])
        if which:
            unit = kernel.inverse(kernel.instantiate(c, nonzero, {"k": k}))
            before = kernel.hypothesis(c, 0, {"k'": k - 1})
            whole = Mul(unit.lhs, before.lhs)
            th = kernel.trans(th, kernel.ring(c, th.rhs, whole))
            th = kernel.trans(th, kernel.congruence(c, whole, [unit, before]))
        return kernel.trans(th, kernel.ring(c, th.rhs, ONE))

    (out,) = kernel.induct([goal], [k], [by_cases(kernel, ctx, eq(k, 0), relation, case)])
    return out


def taylor_script(kernel: Kernel, claim: Claim) -> Out:
    """The differential equation order by order, what has not moved, the front, and 1 / k!."""
    flow, frozen, leading, inverse, *numbers, start = claim.goals
    nonzero = positive(kernel)
    lemmas = ahead(kernel)
    still = lemmas["eps below its order"]
    if still.statement() != frozen:
        raise Stuck(None, frozen.relation, "errors below their order are zero, and nothing else is shown")
    arrived = front(kernel, leading, list(lemmas.values()))
    found = [motion(kernel, flow, nonzero), still, arrived, reciprocals(kernel, inverse, nonzero)]
    for s in numbers:
        assert isinstance(s.relation, Eq)
        tools = Tools(lazy=("factorial", "count"))
        ctx = Context(s.variables, s.guards)
        found.append(counted(kernel, ctx, s.relation, tools))
    assert isinstance(start.relation, Eq)
    ctx = Context(start.variables, start.guards)
    found.append(prove_equation(kernel, ctx, start.relation.lhs, start.relation.rhs, Tools(lazy=("x", "y"))))
    return {"count": nonzero, **lemmas}, found


def counted(kernel: Kernel, ctx: Context, relation: Eq, tools: Tools) -> Theorem:
    """A number of order k + 1 by its definition, count[k + 1] too."""
    assert isinstance(relation.lhs, App)
    step = kernel.unfold(ctx, relation.lhs, 1)
    return kernel.trans(step, prove_equation(kernel, ctx, step.rhs, relation.rhs, tools))
