"""Scripts for zero-rank saddles: along theta^1 = s V every product P^l is s R^l, so S = I + s^2 K."""

from __future__ import annotations

from ..language.index import Con, Idx, eq, ge, le, lt, qvar, span
from ..language.signature import Claim, Eq, Le, Statement
from ..language.terms import ZERO, Add, App, Num, Sum, Term, add, mul, open_, total
from ..networks.network import B, L, width
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.linear import Linear
from ..rules.linear_origin import FIRST, OUT, TIMES
from ..rules.linear_saddles import AT_OUTPUT, S2, S4, form
from .goals import Tools, prove_equation
from .linear import (
    Errors,
    combine,
    energy,
    first,
    hidden_errors,
    stationarity,
    telescope_state,
    times,
    under,
    value,
    weight,
)
from .order import le_to, nonneg, ring_le
from .rewrite import by_cases

l, b, i, j, kk = (qvar(n) for n in "lbijk")
EVERY, WEIGHTS = ("l", "b", "i"), ("l", "i", "j")
STATE = (*span(b, 0, B), *span(i, 0, width(l)))
EPS = App("eps", (l, b, i))
Out = tuple[dict[str, Theorem], list[Theorem]]


# -- the critical point ------------------------------------------------------------------
def no_errors(k: Kernel) -> Theorem:
    """theta^1 = 0: eps^l = 0 at the hidden layers, from the output on."""
    claim = Statement(EVERY, (ge(l, 1), lt(l, L), *STATE), Eq(EPS, ZERO))
    ctx = k.induction_context([claim], [l], 0)

    def before(c: Context, unit: Idx) -> Theorem:
        return k.hypothesis(c, 0, {"l'": l - 1, "b'": b, "i'": unit})

    def case(c: Context, side: Con) -> Theorem:
        known = [stationarity(k, c)]
        if side.kind != "eq":
            known.append(under(k, c, width(l - 1), lambda d, q: times(k, weight(q), before(d, q))))
        return combine(k, c, EPS, ZERO, known, Tools())

    (out,) = k.induct([claim], [l], [by_cases(k, ctx, eq(l, 1), claim.relation, case)])
    return out


def first_layer(k: Kernel, zero: Theorem) -> Theorem:
    """Without errors x^1 = Q^l x^l for 2 <= l <= L."""
    x1 = App("x", (1, b, i))

    def reached(layer: Idx) -> Term:
        return total(width(layer), lambda q: mul(App("Q", (layer, i, q)), App("x", (layer, b, q))))

    ranges = (ge(l, 2), le(l, L), *span(b, 0, B), *span(i, 0, FIRST))
    claim = Statement(EVERY, ranges, Eq(x1, reached(l)))
    ctx = k.induction_context([claim], [l], 0)

    def case(c: Context, side: Con) -> Theorem:
        def predicted(d: Context, layer: Idx, unit: Idx) -> Theorem:
            e = value(k, d, App("eps", (layer, b, unit)), ("mu",))
            return k.trans(k.sym(e), k.instantiate(d, zero, {"l": layer, "b": b, "i": unit}))

        if side.kind == "eq":
            return combine(k, c, x1, reached(l), [predicted(c, Idx(1), i)], Tools(eager=("Q",)))
        before = k.hypothesis(c, 0, {"l'": l - 1, "b'": b, "i'": i})
        moved = under(k, c, width(l - 1), lambda d, q: times(k, App("Q", (l - 1, i, q)), predicted(d, l - 1, q)))
        longer = under(
            k,
            c,
            width(l),
            lambda d, q: times(k, App("x", (l, b, q)), k.sym(value(k, d, App("Q", (l, i, q)), ()))),
        )
        return combine(k, c, x1, reached(l), [before, moved, longer], Tools())

    (out,) = k.induct([claim], [l], [by_cases(k, ctx, eq(l, 2), claim.relation, case)])
    return out


def critical_script(k: Kernel, claim: Claim) -> Out:
    """No errors at the hidden layers, so layer 1 is what the weights behind it make of the input: 0."""
    gradient, energy = claim.goals
    assert isinstance(gradient.relation, Eq) and isinstance(energy.relation, Eq)
    zero = no_errors(k)
    at_first = Context(("b", "i"), (*span(b, 0, B), *span(i, 0, FIRST)))
    reached = k.instantiate(at_first, first_layer(k, zero), {"l": L, "b": b, "i": i})
    still = combine(k, at_first, App("x", (1, b, i)), ZERO, [reached], Tools())
    ctx, goal = Context(gradient.variables, gradient.guards), gradient.relation

    def case(c: Context, _: Con) -> Theorem:
        return prove_equation(k, c, goal.lhs, goal.rhs, Tools([zero, still], eager=("gtheta",)))

    change = by_cases(k, ctx, eq(l, 1), goal, case)
    split = first(k, Context(), energy.relation.lhs)
    tools = Tools([zero], eager=("eps", "mu"))
    whole = prove_equation(k, Context(), split.rhs, energy.relation.rhs, tools)
    return {"no_error": zero, "no_activity": still}, [change, k.trans(split, whole)]


# -- along the weights into the output ---------------------------------------------------
def products(k: Kernel) -> Theorem:
    """P^l = s R^l"""
    lhs, rhs = App("P", (l, i, j)), mul(TIMES, App("R", (l, i, j)))
    ranges = (ge(l, 1), le(l, L), *span(i, 0, OUT), *span(j, 0, width(l)))
    claim = Statement(WEIGHTS, ranges, Eq(lhs, rhs))
    ctx = k.induction_context([claim], [l], 0)

    def longer(c: Context, _: Con) -> Theorem:
        def at(d: Context, q: Idx) -> Theorem:
            return times(k, App("theta", (l, q, j)), k.hypothesis(d, 0, {"l'": l - 1, "i'": i, "j'": q}))

        known = [value(k, c, lhs, ()), under(k, c, width(l - 1), at)]
        return combine(k, c, lhs, rhs, known, Tools(eager=("R", "Q")))

    def case(c: Context, side: Con) -> Theorem:
        if side.kind == "eq":
            return combine(k, c, lhs, rhs, [], Tools(eager=("P", "R")))
        return by_cases(k, c, eq(l, 2), claim.relation, longer)

    (out,) = k.induct([claim], [l], [by_cases(k, ctx, eq(l, 1), claim.relation, case)])
    return out


def system(k: Kernel, reached: Theorem, errors: Theorem) -> Theorem:
    """S eps^0 = s_out, because P^L = s V Q^L = 0: nothing of the input reaches the output."""
    at = Context(("i", "j"), (*span(i, 0, OUT), *span(j, 0, width(L))))
    known = [k.instantiate(at, reached, {"l": L, "i": i, "j": j})]
    none = combine(k, at, App("P", (L, i, j)), ZERO, known, Tools(eager=("R",)))
    ctx = Context(("b", "i"), AT_OUTPUT)
    state = k.instantiate(ctx, telescope_state(k), {"l": L, "b": b, "i": i})
    row = total(OUT, lambda q: mul(App("C", (i, q)), App("eps", (0, b, q))))
    tools = Tools([errors, none], eager=("C",))
    return combine(k, ctx, add(App("eps", (0, b, i)), row), App("s_out", (b, i)), [state], tools)


def falling_script(k: Kernel, claim: Claim) -> Out:
    """s_out = eps^0 + s^2 q and a = q + s^2 z; <eps^0, z> = |q|^2 because K is symmetric."""
    exact, goal, parts, low = (s.relation for s in claim.goals)
    assert isinstance(exact, Eq) and isinstance(goal, Le) and isinstance(parts, Eq) and isinstance(low, Le)
    plain, e, t = Linear(), App("eps", (0, b, i)), App("s_out", (b, i))
    reached, brought = products(k), hidden_errors(k, plain)
    solves = system(k, reached, brought)
    own = k.refl(solves.context, e)
    pair = Context(("i", "k"), (*span(i, 0, OUT), *span(kk, 0, OUT)))
    gram = prove_equation(k, pair, App("C", (i, kk)), mul(S2, App("K", (i, kk))), Tools([reached], eager=("C", "K")))
    out, ctx = Context(("b", "i"), AT_OUTPUT), Context()
    q, z, a = (App(n, (b, i)) for n in "qza")
    target = combine(k, out, t, add(e, mul(S2, q)), [k.sym(solves)], Tools([gram], eager=("q",)))
    rows = under(k, out, OUT, lambda c, u: times(k, App("K", (i, u)), k.instantiate(c, target, {"b": b, "i": u})))
    image = combine(k, out, a, add(q, mul(S2, z)), [rows], Tools(eager=("a", "q", "z")))

    def paired(one: App, other: App) -> Term:
        def at(v: App, s: Idx, u: Idx) -> Term:
            return App(v.name, (*v.idx[:-2], s, u))

        return total(B, lambda s: total(OUT, lambda u: mul(at(one, s, u), at(other, s, u))))

    half_product = Eq(plain.energy(), mul(Num(1) / 2, paired(t, e)))
    found = Errors(own, brought, own, brought)
    whole_energy = energy(k, plain, half_product, found, lambda s, u: App("eps", (0, s, u)), solves)

    def squares(v: App, applied: App) -> Theorem:
        return prove_equation(k, ctx, form(v.name), paired(v, applied), Tools(eager=(applied.name, "K")))

    def crossed(c: Context, s: Idx) -> Theorem:
        """<eps^0, K q> = <q, K eps^0> in one sample; q stays a name, or there are too many sums to put in order."""
        applied = {n: (lambda d, u, n=n: value(k, d, App(n, (s, u)), ())) for n in "qz"}
        left = under(k, c, OUT, lambda d, u: times(k, App("eps", (0, s, u)), applied["z"](d, u)))
        right = under(k, c, OUT, lambda d, u: times(k, App("q", (s, u)), applied["q"](d, u)))
        return combine(k, c, left.lhs, right.lhs, [left, k.sym(right)], Tools(eager=("K",)))

    symmetric = under(k, ctx, B, crossed)
    half = Num(1) / 2
    known = [
        times(k, Num(-1), whole_energy),
        times(k, mul(-1, half, S2), squares(t, a)),
        times(k, mul(-1, half, S2, S4), squares(q, z)),
        times(k, mul(-1, half, S4), symmetric),
    ]
    equal = combine(k, ctx, exact.lhs, exact.rhs, known, Tools([target, image]))
    assert isinstance(exact.rhs, Add)
    whole = k.le_add(ctx, [k.le_equal(k.refl(ctx, goal.lhs)), nonneg(k, ctx, Add(*exact.rhs.args[1:]))])
    below = le_to(k, ring_le(k, ctx, goal.lhs, whole, equal.rhs), k.sym(equal))
    return {"target": target, "image": image}, [equal, below, *curvature(k, parts, low)]


def curvature(k: Kernel, parts: Eq, low: Le) -> list[Theorem]:
    """The first layer's part of <s_out, K s_out>, and the others', which are not negative."""
    ctx, summed = Context(), parts.lhs
    assert isinstance(summed, Sum)
    split = under(k, ctx, B, lambda c, s: first(k, c, open_(summed.body, s)))
    th = k.trans(split, prove_equation(k, ctx, split.rhs, parts.rhs, Tools(eager=("R",))))
    assert isinstance(parts.rhs, Add)
    own, further = parts.rhs.args
    whole = k.le_add(ctx, [k.le_equal(k.refl(ctx, own)), nonneg(k, ctx, further)])
    return [th, le_to(k, ring_le(k, ctx, low.lhs, whole, th.rhs), k.sym(th))]
