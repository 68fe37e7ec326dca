"""Script for ``rules/levelled_graph``: ahead of the wave nothing moves; at its level each error is backprop's.

What a vertex reads comes along edges from the next level, what is fed back to
it from the last one; elsewhere the multiplier is 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..language.index import Con, Idx, QVar, eq, ge, le, qvar
from ..language.signature import Claim, Eq, Statement
from ..language.terms import ZERO, Add, App, Lam, Mul, Sum, Term, add, close_lam, mul, open_, total
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.levelled_graph import EDGE, ERROR, LEAF, PAIR, STEM, VALUE, VERTEX, along, leaf_level, level, stem
from .dag import cut
from .goals import Stuck, Tools, prove_equation
from .rewrite import by_cases

t, l, m, p = qvar("t"), qvar("l"), qvar("m"), qvar("p")
X, EPS = App("x", (t, l)), App("eps", (t, l))
FEEDS = eq(level(l), level(m) + 1)
STEMS = eq(leaf_level(p), level(l) + 1)
Out = tuple[dict[str, Theorem], list[Theorem]]


def ahead() -> dict[str, Statement]:
    """What keeps its value of the forward pass, and until when.  Source: Lemma A.1, repaired (E7)."""

    def until(variables: Sequence[str], last: Idx, where: tuple[Con, ...], lhs: Term, rhs: Term) -> Statement:
        return Statement(("t", *variables), (ge(t, 0), le(t, last), *where), Eq(lhs, rhs))

    return {
        "activities": until(("l",), level(l) - 1, VERTEX, X, VALUE),
        "leaves": until(("p",), leaf_level(p) - 1, LEAF, App("zeta", (t, p)), App("z", (p,))),
        "read of vertices": until(EDGE, level(l), PAIR, App("r", (t, l, m)), along("y", l, m)),
        "read of leaves": until(STEM, level(l), (*VERTEX, *LEAF), App("s", (t, l, p)), stem("z", l, p)),
        "predictions": until(("l",), level(l), VERTEX, App("mu", (t, l)), VALUE),
        "errors": until(("l",), level(l) - 1, VERTEX, EPS, ZERO),
    }


def termwise(k: Kernel, ctx: Context, of: Term, to: Term, name: str, edge: Con, tools: Tools) -> Theorem:
    """Two sums over ``name``, term by term, where there may be an edge and where there is none."""
    if not isinstance(of, Sum) or not isinstance(to, Sum) or of.bound != to.bound:
        raise Stuck(ctx, Eq(of, to), "two sums with the same terms are expected")
    inner = ctx.bind((name,), (of.bound,))
    goal = Eq(open_(of.body, qvar(name)), open_(to.body, qvar(name)))
    found = by_cases(k, inner, edge, goal, lambda c, _: prove_equation(k, c, goal.lhs, goal.rhs, tools))
    return k.sum_congruence(ctx, of.bound, name, found)


def fed_back() -> Term:
    """The sum over m < l of gx[m,l] A[m,l] eps[m], all of t - 1."""
    i = Idx.of(QVar("?i"))

    def term(v: Idx) -> Term:
        r = Lam(1, close_lam(App("r", (t - 1, v, v + 1 + i)), ("?i",)))
        s = Lam(1, close_lam(App("s", (t - 1, v, i)), ("?i",)))
        return mul(App("gx", (v, l - v - 1), (r, s)), App("A", (v, l)), App("eps", (t - 1, v)))

    return total(l, term)


def moved(k: Kernel, ctx: Context, feedback: Theorem, tools: Tools) -> Theorem:
    """x_t = y + what is fed back, where the vertex has not moved before."""
    opened = k.unfold(ctx, X, 2)
    opened = k.trans(opened, cut(k, ctx, opened.rhs))
    th = k.trans(opened, prove_equation(k, ctx, opened.rhs, add(VALUE, feedback.lhs), tools))
    return k.trans(th, k.congruence(ctx, th.rhs, [k.refl(ctx, VALUE), feedback]))


def frozen(k: Kernel) -> dict[str, Theorem]:
    """All that lies ahead, jointly by induction over time."""
    named = ahead()
    claims, measures = list(named.values()), [8 * t + n for n in range(len(named))]
    eager = ("x", "zeta", "r", "s", "mu", "eps")
    splits = {
        "activities": ge(t, 1),
        "leaves": ge(t, 1),
        "read of vertices": eq(level(m), level(l) + 1),
        "read of leaves": STEMS,
    }

    def part(name: str, n: int) -> Theorem:
        goal = claims[n].relation
        assert isinstance(goal, Eq)
        ctx = k.induction_context(claims, measures, n)

        def case(c: Context, _: Con) -> Theorem:
            if name == "activities" and k.entails(c, ge(t, 1)):
                none = termwise(k, c, fed_back(), Sum(l, ZERO), "m", FEEDS, Tools())
                th = moved(k, c, none, Tools())
                return k.trans(th, prove_equation(k, c, th.rhs, goal.rhs, Tools()))
            return prove_equation(k, c, goal.lhs, goal.rhs, Tools(eager=eager, lazy=("y",)))

        return by_cases(k, ctx, splits.get(name, ge(t, 0)), goal, case)

    return dict(zip(named, k.induct(claims, measures, [part(name, n) for n, name in enumerate(named)])))


def cut_off(k: Kernel) -> Theorem:
    """delta is 0 before the outputs: nothing there reaches one."""
    s = Statement(("l",), (*VERTEX, le(level(l), -1)), Eq(ERROR, ZERO))
    ctx = k.induction_context([s], [l], 0)
    opened = k.unfold(ctx, ERROR, 2)
    none = termwise(k, ctx, opened.rhs, Sum(l, ZERO), "m", FEEDS, Tools())
    th = k.trans(opened, none)
    (found,) = k.induct([s], [l], [k.trans(th, prove_equation(k, ctx, th.rhs, ZERO, Tools()))])
    return found


def front(k: Kernel, arrived: Statement, lemmas: list[Theorem]) -> Theorem:
    """eps = delta at t = lev(l), by induction over time.  Source: Claim 1."""
    ctx = k.induction_context([arrived], [t], 0)
    goal = Eq(EPS, ERROR)

    def hidden(c: Context, _: Con) -> Theorem:
        if not k.entails(c, ge(t, 1)):
            return output(c)
        back = k.unfold(c, ERROR, 1)
        feedback = termwise(k, c, fed_back(), back.rhs, "m", FEEDS, Tools(lemmas))
        x = moved(k, c, feedback, Tools(lemmas))
        return error(c, x, k.sym(back))

    def output(c: Context) -> Theorem:
        back = k.unfold(c, ERROR, 0)
        if not isinstance(back.rhs, Add):
            raise Stuck(c, Eq(ERROR, back.rhs), "the output's error is a sum")
        *own, fed = back.rhs.args
        none = termwise(k, c, fed, Sum(l, ZERO), "m", FEEDS, Tools(lemmas))
        back = k.trans(back, k.congruence(c, back.rhs, [*(k.refl(c, a) for a in own), none]))
        return error(c, k.unfold(c, X, 0), k.sym(back))

    def error(c: Context, x: Theorem, end: Theorem) -> Theorem:
        th = k.unfold(c, EPS, 0)
        assert isinstance(th.rhs, Add)
        th = k.trans(th, k.congruence(c, th.rhs, [x, *(k.refl(c, a) for a in th.rhs.args[1:])]))
        return k.trans(k.trans(th, prove_equation(k, c, th.rhs, end.lhs, Tools(lemmas))), end)

    (found,) = k.induct([arrived], [t], [by_cases(k, ctx, ge(t, 1), goal, hidden)])
    return found


def learnt(k: Kernel, change: Statement, lemmas: list[Theorem]) -> Theorem:
    """The change of a leaf at the level of its parents.  Source: Claim 2."""
    assert isinstance(change.relation, Eq)
    ctx = Context(change.variables, change.guards)
    own, back = (k.unfold(ctx, side, 0) for side in (change.relation.lhs, change.relation.rhs))
    if not isinstance(own.rhs, Mul) or not isinstance(back.rhs, Mul):
        raise Stuck(ctx, change.relation, "a change is alpha times a sum")
    same = termwise(k, ctx, own.rhs.args[-1], back.rhs.args[-1], "l", STEMS, Tools(lemmas))
    th = k.trans(own, k.congruence(ctx, own.rhs, [*(k.refl(ctx, a) for a in own.rhs.args[:-1]), same]))
    return k.trans(k.trans(th, prove_equation(k, ctx, th.rhs, back.rhs, Tools())), k.sym(back))


def levelled_script(k: Kernel, claim: Claim) -> Out:
    """What lies ahead, then the errors, then the leaves."""
    arrived, change, final = claim.goals
    found = {**frozen(k), "cut off": cut_off(k)}
    lemmas = list(found.values())
    found["front"] = front(k, arrived, lemmas)
    lemmas = [*lemmas, found["front"]]
    at_moment = learnt(k, change, lemmas)
    assert isinstance(final.relation, Eq)
    goal = final.relation
    ctx = k.induction_context([final], [t], 0)
    tools = Tools([at_moment, found["leaves"]], eager=("zeta",))

    def case(c: Context, _: Con) -> Theorem:
        return prove_equation(k, c, goal.lhs, goal.rhs, tools)

    (stays,) = k.induct([final], [t], [by_cases(k, ctx, eq(t, leaf_level(p)), goal, case)])
    return found, [found["front"], at_moment, stays]
