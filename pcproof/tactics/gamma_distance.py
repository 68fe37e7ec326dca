"""Scripts for the distance of Z-IL from backprop: the gamma law put under the sums, then 0 <= gamma^l <= 1."""

from __future__ import annotations

from collections.abc import Callable

from ..language.index import Idx, eq, ge, qvar
from ..language.signature import Claim, Eq, Le, Statement
from ..language.terms import ONE, ZERO, Add, Mul, Pow, Sum, total
from ..networks.network import L
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.claims import GAMMA, final_weights, gamma_power
from ..rules.gamma_distance import missing, moved_by_backprop, off_backprop, only_kind, squares
from .gaps import from_gaps, gap
from .goals import Tools, prove_equation
from .light_cone import Cone
from .order import le_from, le_to, nonneg
from .rewrite import by_cases

Out = tuple[dict[str, Theorem], list[Theorem]]
e = qvar("e")


def law(k: Kernel, claim: Claim) -> Cone:
    """After its moment a weight has moved gamma^l times what backprop moves it."""
    cone = Cone(k, claim.equations)
    cone.freeze()
    cone.front()
    for s in final_weights(claim.equations, lambda layer: gamma_power(layer - 1)):
        cone.lemmas.found["gamma law"] = cone.goal(s)
    return cone


def _exact(k: Kernel, cone: Cone, goal: Eq) -> Theorem:
    tools = Tools([cone.lemmas.found["gamma law"]], eager=("off",))
    return prove_equation(k, Context(), goal.lhs, goal.rhs, tools)


def distance_script(k: Kernel, claim: Claim) -> Out:
    """One equation between nested sums."""
    cone = law(k, claim)
    (goal,) = claim.goals
    assert isinstance(goal.relation, Eq)
    return cone.lemmas.found, [_exact(k, cone, goal.relation)]


# -- 0 <= gamma^e <= 1 --------------------------------------------------------------
POWER, BEFORE = Pow(GAMMA, e), Pow(GAMMA, e - 1)


def _over_exponents(
    k: Kernel, relation: Le, start: Callable[[Context], Theorem], step: Callable[[Context], Theorem]
) -> Theorem:
    """The relation about gamma^e for every e >= 0, by induction."""
    claim = Statement(("e",), (ge(e, 0),), relation)
    ctx = k.induction_context([claim], [e], 0)
    th = by_cases(k, ctx, eq(e, 0), relation, lambda c, side: start(c) if side == eq(e, 0) else step(c))
    (out,) = k.induct([claim], [e], [th])
    return out


def not_negative(k: Kernel) -> Theorem:
    """0 <= gamma^e, where 0 <= gamma."""

    def step(c: Context) -> Theorem:
        parts = [k.hypothesis(c, "gamma_not_negative", {}), k.hypothesis(c, 0, {"e'": e - 1})]
        return le_to(k, k.le_mul(c, parts), k.sym(k.power_step(c, POWER)))

    def start(c: Context) -> Theorem:
        return le_to(k, k.le_number(c, ZERO, ONE), k.sym(k.power_zero(c, POWER)))

    return _over_exponents(k, Le(ZERO, POWER), start, step)


def at_most_one(k: Kernel, low: Theorem) -> Theorem:
    """gamma^e <= 1, where 0 <= gamma <= 1: 1 - gamma p = (1 - gamma) p + (1 - p), and 0 <= p."""

    def step(c: Context) -> Theorem:
        rest = gap(k, k.hypothesis(c, "gamma_at_most_1", {}))
        shrunk = k.le_mul(c, [rest, k.instantiate(c, low, {"e": e - 1})])
        known = gap(k, k.hypothesis(c, 0, {"e'": e - 1}))
        return le_from(k, k.power_step(c, POWER), from_gaps(k, c, Mul(GAMMA, BEFORE), ONE, [shrunk, known]))

    return _over_exponents(k, Le(POWER, ONE), lambda c: k.le_equal(k.power_zero(c, POWER)), step)


# -- layer by layer -----------------------------------------------------------------
def bound_script(k: Kernel, claim: Claim) -> Out:
    """(1 - p)^2 |dw|^2 <= |dw|^2 with p = gamma^l, for 0 <= p <= 1; at l = 0 the left side is 0."""
    cone = law(k, claim)
    kind = only_kind(claim.equations)
    exact = _exact(k, cone, Eq(off_backprop(kind), total(L, lambda m: missing(kind, m))))
    low = not_negative(k)
    high = at_most_one(k, low)
    moved, lost = moved_by_backprop(kind), exact.rhs
    assert isinstance(moved, Sum) and isinstance(lost, Sum)
    ctx = Context()

    def layer(c: Context, m: Idx) -> Theorem:
        share, norm = missing(kind, m), squares(kind, kind.initial_change, m + 1)
        p = k.instantiate(c, low, {"e": m})
        rest = gap(k, k.instantiate(c, high, {"e": m}))
        # 1 - (1 - p)^2 = p (1 - p) + p
        parts = [k.le_mul(c, [p, rest, nonneg(k, c, norm)]), k.le_mul(c, [p, nonneg(k, c, norm)])]
        return from_gaps(k, c, share, norm, parts)

    # the first layer apart: there gamma^0 = 1
    split_lost, split_moved = k.sum_split(ctx, lost, Idx(1)), k.sum_split(ctx, moved, Idx(1))
    none = prove_equation(k, ctx, split_lost.rhs.args[0], ZERO, Tools())  # type: ignore[attr-defined]
    later, own = split_lost.rhs.args[1], split_moved.rhs.args[0]  # type: ignore[attr-defined]
    name = "m"
    inner = ctx.bind((name,), (later.bound,))
    rest = k.le_sum(ctx, later.bound, name, layer(inner, qvar(name) + 1))
    first = k.sum_single(ctx, own)
    total_off = k.trans(exact, split_lost)
    total_off = k.trans(total_off, k.congruence(ctx, split_lost.rhs, [none, k.refl(ctx, later)]))
    zero_first = k.le_add(ctx, [k.le_equal(k.sym(first)), rest])
    _, strict, plain = (s.relation for s in claim.goals)
    assert isinstance(strict, Le) and isinstance(plain, Le)
    # off + |dw^1|^2 = (0 + later) + |dw^1|^2
    joined = k.congruence(ctx, strict.lhs, [total_off, k.refl(ctx, first.rhs)])
    joined = k.trans(joined, k.ring(ctx, joined.rhs, Add(first.rhs, later)))
    below = k.le_trans(k.le_equal(joined), le_to(k, zero_first, k.sym(split_moved)))
    norm = nonneg(k, ctx, first.rhs)
    weaker = k.le_trans(from_gaps(k, ctx, plain.lhs, strict.lhs, [norm]), below)
    return {**cone.lemmas.found, "0 <= gamma^e": low, "gamma^e <= 1": high}, [exact, below, weaker]
