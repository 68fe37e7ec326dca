"""Scripts for the claims of ``rules/distance``: the front of the wave, and sums of times."""

from __future__ import annotations

from ..language.index import Idx, qvar
from ..language.signature import Claim, Eq, Le, Statement
from ..language.terms import ONE, ZERO, Add, IsZero, Mul, Pow, Sum, Term
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.claims import GAMMA
from .fazil import indicator, real_split
from .goals import Stuck
from .light_cone import Cone
from .order import le_from, nonneg, ring_le, sides
from .powers import cancel_lemma

Out = tuple[dict[str, Theorem], list[Theorem]]


def same_zeros(k: Kernel, statement: Statement, front: Theorem, unit: Theorem) -> Theorem:
    """[a = 0] = [d = 0] from a = gamma^l d and gamma^l (1/gamma)^l = 1."""
    r = statement.relation
    assert isinstance(r, Eq) and isinstance(r.lhs, IsZero) and isinstance(r.rhs, IsZero)
    a, d = r.lhs.arg, r.rhs.arg
    ctx = Context(statement.variables, statement.guards)
    if front.context != ctx or front.lhs is not a:
        raise Stuck(ctx, r, "the error at the front is another")
    factor = front.rhs.args[0] if isinstance(front.rhs, Mul) and len(front.rhs.args) == 2 else ONE
    if not isinstance(factor, Pow) or front.rhs is not Mul(factor, d):
        raise Stuck(ctx, r, "the error at the front is no power of gamma times backprop's")
    one = k.instantiate(ctx, unit, {"e": factor.exponent})
    assert isinstance(one.lhs, Mul)
    back = one.lhs.args[1]

    def zero_product(c: Context, whole: Term, part: Theorem) -> Theorem:
        """whole = 0, a product whose second factor is 0 by ``part``."""
        th = k.congruence(c, whole, [k.refl(c, whole.args[0]), part])  # type: ignore[attr-defined]
        return k.trans(th, k.ring(c, th.rhs, ZERO))

    def case(c: Context, known: Theorem, equal: bool) -> Theorem:
        here = k.weaken(c, front)
        if equal:
            zero = k.trans(here, zero_product(c, here.rhs, known))
            return k.trans(k.iszero_zero(zero), k.sym(indicator(k, known)))

        def inner(c2: Context, error: Theorem, vanishes: bool) -> Theorem:
            delta = k.weaken(c2, indicator(k, known))
            if not vanishes:
                return k.trans(indicator(k, error), k.sym(delta))
            # d = (gamma^l (1/gamma)^l) d = (1/gamma)^l a = 0
            grouped = Mul(one.lhs, d)
            th = k.trans(
                k.ring(c2, d, Mul(ONE, d)), k.sym(k.congruence(c2, grouped, [k.weaken(c2, one), k.refl(c2, d)]))
            )
            product = Mul(back, front.rhs)
            th = k.trans(th, k.ring(c2, grouped, product))
            now = k.trans(k.sym(k.weaken(c2, front)), error)
            zero = k.trans(th, zero_product(c2, product, now))
            return k.clash(zero, k.weaken(c2, known), r)

        return real_split(k, c, a, inner)

    return real_split(k, ctx, d, case)


def wave(k: Kernel, claim: Claim) -> Cone:
    """What is 0 ahead of the wave, and its front."""
    cone = Cone(k, claim.equations)
    cone.freeze()
    cone.front()
    return cone


def first_error_script(k: Kernel, claim: Claim) -> Out:
    """The light cone, whatever time the weights learn at."""
    cone = wave(k, claim)
    return cone.lemmas.found, [cone.goal(s) for s in claim.goals]


def first_nonzero_script(k: Kernel, claim: Claim) -> Out:
    """The light cone; a power of gamma has no zeros."""
    cone = wave(k, claim)
    before, zeros = claim.goals
    unit = cancel_lemma(k, GAMMA, "gamma_nonzero")
    front = k.instantiate(
        Context(zeros.variables, zeros.guards), cone.lemmas.found["front"], {v: qvar(v) for v in zeros.variables}
    )
    return {**cone.lemmas.found, "powers cancel": unit}, [cone.goal(before), same_zeros(k, zeros, front, unit)]


def no_faster_script(k: Kernel, claim: Claim) -> Out:
    """L products are at most L steps, and further steps only add."""
    (s,) = claim.goals
    r, ctx = s.relation, Context(s.variables, s.guards)
    assert isinstance(r, Le) and isinstance(r.lhs, Add) and isinstance(r.rhs, Add)
    products, steps = r.lhs.args[1], r.rhs.args[1]
    assert isinstance(products, Sum) and isinstance(steps, Sum)

    def awaited(c: Context, layer: Idx) -> Theorem:
        return k.hypothesis(c, "steps_await_every_layer", {"l": layer})

    below = k.le_sum(ctx, products.bound, "m", awaited(ctx.bind(("m",), (products.bound,)), qvar("m") + 1))
    split = k.sum_split(ctx, steps, products.bound)
    assert isinstance(split.rhs, Add)
    rest = split.rhs.args[1]
    first = awaited(ctx, Idx(1))
    slow = k.le_trans(nonneg(k, ctx, sides(first)[0]), first)
    assert isinstance(rest, Sum)
    above = k.le_sum(ctx, rest.bound, "m", k.weaken(ctx.bind(("m",), (rest.bound,)), slow))
    above = le_from(k, k.sym(k.sum_zero(ctx, rest.bound)), above)
    whole = k.le_add(ctx, [k.le_equal(k.refl(ctx, r.lhs.args[0])), k.le_add(ctx, [below, above])])
    step = k.congruence(ctx, r.rhs, [k.refl(ctx, r.rhs.args[0]), split])
    return {}, [k.le_trans(ring_le(k, ctx, r.lhs, whole, step.rhs), k.le_equal(k.sym(step)))]
