"""Fixed points: set the derived gradient to zero and solve for the error of a layer."""

from __future__ import annotations

from ..language.index import Con, ge, le, lt, qvar, span
from ..language.signature import Claim, Eq, Relation, Statement
from ..language.terms import ZERO, Add, App, Mul, Num, Term, mul
from ..networks.network import B, L, width
from ..proof.kernel import Context, Kernel, Theorem
from .goals import Stuck, Tools, prove_equation
from .normal import normalize
from .rewrite import Rewriter, by_cases, determined, then

l, b, i = qvar("l"), qvar("b"), qvar("i")
STATE = (*span(b, 0, B), *span(i, 0, width(l)))
GX, EPS = App("gx", (l, b, i)), App("eps", (l, b, i))


def solve_for(k: Kernel, ctx: Context, equation: App, unknown: Term) -> Theorem:
    """unknown = c (equation - the rest of its definition), if it stands there with factor c = 1 or -1."""
    case = determined(k, ctx, equation)
    if case is None:
        raise Stuck(ctx, Eq(unknown, unknown), f"the case of {equation!r} is not determined")
    unfolded = k.unfold(ctx, equation, case)
    value = unfolded.rhs
    parts = list(value.args) if isinstance(value, Add) else [value]
    factor = next((c for c in (1, -1) if mul(c, unknown) in parts), None)
    if factor is None:
        raise Stuck(ctx, Eq(unknown, value), f"{unknown!r} does not stand alone in {value!r}")
    parts.remove(mul(factor, unknown))
    rest = [mul(-factor, p) for p in parts]
    scaled = Mul(Num(factor), value)
    th = k.ring(ctx, unknown, Add(scaled, *rest))
    back = k.congruence(ctx, scaled, [k.refl(ctx, Num(factor)), k.sym(unfolded)])
    return k.trans(th, k.congruence(ctx, th.rhs, [back, *(k.refl(ctx, r) for r in rest)]))


def impossible(k: Kernel, ctx: Context, goal: Relation) -> Theorem | None:
    """The goal, where the hypothesis that the gradient is 0 says that a number is 0 that is not."""
    case = determined(k, ctx, GX)
    vanish = Rewriter(k)(ctx, GX)
    if case is None or vanish is None:
        return None
    unfolded = k.unfold(ctx, GX, case)
    moved = Rewriter(k)(ctx, unfolded.rhs)
    now = unfolded.rhs if moved is None else moved.rhs
    moved = then(k, moved, normalize(k, ctx, now))
    value = unfolded if moved is None else k.trans(unfolded, moved)
    if not isinstance(value.rhs, Num) or value.rhs is vanish.rhs:
        return None
    return k.distinct(k.trans(k.sym(value), vanish), goal)


def _solved(k: Kernel, ctx: Context) -> Theorem:
    """eps = what remains when gx = 0 and the hypotheses are put in."""
    th = solve_for(k, ctx, GX, EPS)
    moved = Rewriter(k)(ctx, th.rhs)
    now = th.rhs if moved is None else moved.rhs
    moved = then(k, moved, normalize(k, ctx, now))
    return th if moved is None else k.trans(th, moved)


def errors_vanish(k: Kernel) -> Theorem:
    """If the gradient vanishes at every free layer, output included, every error is 0."""
    guards = (ge(l, 0), lt(l, L), *STATE)
    claim = Statement(("l", "b", "i"), guards, Eq(EPS, ZERO))
    ctx = k.induction_context([claim], [l], 0)

    def case(c: Context, _: Con) -> Theorem:
        absurd = impossible(k, c, claim.relation)
        th = _solved(k, c) if absurd is None else absurd
        if th.rhs is not ZERO:
            raise Stuck(c, th.relation, "the errors do not vanish")
        return th

    th = by_cases(k, ctx, ge(l, 1), claim.relation, case)
    (out,) = k.induct([claim], [l], [th])
    return out


def forward_values(k: Kernel, same: Theorem) -> Theorem:
    """x = mu at every layer and x = s_in at the input: then x = y."""
    claim = Statement(("l", "b", "i"), (ge(l, 0), le(l, L), *STATE), Eq(App("x", (l, b, i)), App("y", (l, b, i))))
    ctx = k.induction_context([claim], [L - l], 0)

    def case(c: Context, _: Con) -> Theorem:
        tools, y = Tools(lazy=("mu", "y")), App("y", (l, b, i))
        if not k.entails(c, lt(l, L)):
            return prove_equation(k, c, App("x", (l, b, i)), y, tools)
        start = k.instantiate(c, same, {"l": l, "b": b, "i": i})
        return k.trans(start, prove_equation(k, c, start.rhs, y, tools))

    th = by_cases(k, ctx, lt(l, L), claim.relation, case)
    (out,) = k.induct([claim], [L - l], [th])
    return out


def x_is_mu(k: Kernel, zero: Theorem) -> Theorem:
    """x = mu where the error is 0."""
    ctx = Context(("l", "b", "i"), (ge(l, 0), lt(l, L), *STATE))
    x, mu = App("x", (l, b, i)), App("mu", (l, b, i))
    case = determined(k, ctx, EPS)
    assert case is not None
    unfolded = k.unfold(ctx, EPS, case)
    with_error = Add(unfolded.rhs, mu)
    th = k.ring(ctx, x, with_error)
    vanish = k.trans(k.sym(unfolded), k.instantiate(ctx, zero, {"l": l, "b": b, "i": i}))
    th = k.trans(th, k.congruence(ctx, with_error, [vanish, k.refl(ctx, mu)]))
    return k.trans(th, k.ring(ctx, th.rhs, mu))


def prediction_script(k: Kernel, claim: Claim) -> tuple[dict[str, Theorem], list[Theorem]]:
    """Prediction phase: the gradient vanishes => eps = 0, x = mu, x = y."""
    zero = errors_vanish(k)
    same = x_is_mu(k, zero)
    return {}, [zero, same, forward_values(k, same)]


def learning_script(k: Kernel, claim: Claim) -> tuple[dict[str, Theorem], list[Theorem]]:
    """Learning phase: hidden gradients vanish => the errors obey a recursion of backprop's form."""
    out = []
    for s in claim.goals:
        ctx = Context(s.variables, s.guards)
        assert isinstance(s.relation, Eq)
        absurd = impossible(k, ctx, s.relation) if k.entails(ctx, ge(l, 1)) else None
        if absurd is not None:
            out.append(absurd)
        elif k.entails(ctx, ge(l, 1)):
            th = _solved(k, ctx)
            end = prove_equation(k, ctx, th.rhs, s.relation.rhs, Tools())
            out.append(k.trans(th, end))
        else:
            out.append(prove_equation(k, ctx, s.relation.lhs, s.relation.rhs, Tools(lazy=("eps",))))
    return {}, out


def converse_script(k: Kernel, claim: Claim) -> tuple[dict[str, Theorem], list[Theorem]]:
    """x = mu everywhere => errors, gradient and energy are 0."""
    first, gradient, energy = claim.goals
    ctx = Context(first.variables, first.guards)
    zero = prove_equation(k, ctx, EPS, ZERO, Tools(lazy=("eps",)))
    out = [zero]
    for s in (gradient, energy):
        assert isinstance(s.relation, Eq)
        c = Context(s.variables, s.guards)
        out.append(prove_equation(k, c, s.relation.lhs, s.relation.rhs, Tools([zero], lazy=("gx",))))
    return {}, out
