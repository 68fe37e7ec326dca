"""Scripts for rules whose predictions are held: the errors run by themselves, so one induction over time gives them.

The closed form of kappa is the sum over k = l..t by Pascal's rule: with
S(l, t) the sum, S(l, t) = (1 - gamma) S(l, t-1) + gamma S(l-1, t-1).
"""

from __future__ import annotations

from collections.abc import Sequence

from ..language.index import Con, Idx, eq, ge, le, lt, qvar
from ..language.signature import Claim, Eq, Statement
from ..language.terms import ONE, ZERO, Add, App, Inv, Mul, Pow, Sum, Term, add, mul, total
from ..networks.network import L
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.claims import GAMMA, STATE
from ..rules.equations import Equations, written
from ..rules.fixed_prediction_claims import DELTA, EPS, EVERY, REST, STATE_AT, binomial, binomial_sum, kappa
from .goals import Stuck, Tools, prove_equation
from .light_cone import induct, timed_names
from .normal import normalize
from .rewrite import Rewriter, both, by_cases, then

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")
Found = tuple[dict[str, Theorem], list[Theorem]]
X, Y = App("x", (t, l, b, i)), App("y", (l, b, i))


def _tools(k: Kernel, lemmas: Sequence[Theorem] = ()) -> Tools:
    """Running quantities are unfolded wherever they can be, the others once."""
    timed = timed_names(k.theory)
    return Tools(lemmas, eager=timed, lazy={d.name for g in k.theory.definitions for d in g} - timed)


def split(k: Kernel, ctx: Context, goal: Eq, con: Con, tools: Tools) -> Theorem:
    """An equation where ``con`` holds and where it does not, each by unfolding."""
    return by_cases(k, ctx, con, goal, lambda c, _: prove_equation(k, c, goal.lhs, goal.rhs, tools))


def jointly(
    k: Kernel, claims: list[Statement], measures: list[Idx], cons: list[Con], first: Con | None = None
) -> list[Theorem]:
    """Equations by one joint induction, each by the cases of its constraint; if need be, by those of ``first``."""
    parts = []
    tools = _tools(k)
    tools.lazy = set(tools.lazy) - {"y"}  # held, so the forward pass is one value
    for n, s in enumerate(claims):
        assert isinstance(s.relation, Eq)
        ctx = k.induction_context(claims, measures, n)
        try:
            parts.append(split(k, ctx, s.relation, cons[n], tools))
        except Stuck:
            if first is None:
                raise
            goal = s.relation
            parts.append(by_cases(k, ctx, first, goal, lambda c, _, n=n, goal=goal: split(k, c, goal, cons[n], tools)))  # type: ignore[misc]
    return k.induct(claims, measures, parts)


def errors(k: Kernel, shares: Sequence[tuple[tuple[Con, ...], Term]], first: Con | None = None) -> list[Theorem]:
    """x^l = y^l + share delta^l and eps^l = share delta^l, for each share under its guards, jointly over time."""
    claims, measures, cons = [], [], []
    for guards, share in shares:
        moved = mul(share, DELTA)
        claims.append(Statement(STATE_AT, (ge(t, 0), ge(l, 0), lt(l, L), *guards), Eq(X, add(Y, moved))))
        claims.append(Statement(STATE_AT, (ge(t, 0), ge(l, 0), lt(l, L), *guards), Eq(EPS, moved)))
        measures += [2 * t, 2 * t + 1]
        cons += [ge(t, 1), ge(l, 1)]
    return jointly(k, claims, measures, cons, first)


def waiting(k: Kernel, e: Equations) -> dict[str, Theorem]:
    """Until its moment every weight is what it was."""
    out = {}
    for kind in e.net.kinds:
        units = tuple(map(qvar, kind.units))
        relation = Eq(App(kind.name, (t, l, *units)), App(kind.initial, (l, *units)))
        guards = (ge(t, 0), le(t, written(e) - 1), ge(l, 1), le(l, L))
        (out[f"{kind.name} waits"],) = induct(k, [Statement(("t", "l", *kind.units), guards, relation)], [t], _tools(k))
    return out


def _named(found: Sequence[Theorem], shares: Sequence[str]) -> dict[str, Theorem]:
    names = [f"{what} {share}" for share in shares for what in ("activity", "error")]
    return dict(zip(names, found))


def _goals(k: Kernel, goals: Sequence[Statement], lemmas: dict[str, Theorem]) -> list[Theorem]:
    """The goals of a running network, by induction over time where they speak of a time."""
    out = []
    for s in goals:
        tools = _tools(k, list(lemmas.values()))
        (th,) = induct(k, [s], [t if "t" in s.variables else Idx(0)], tools)
        out.append(th)
    return out


def held_script(k: Kernel, claim: Claim, arrival: bool = False) -> Found:
    """A rule that holds its predictions: from t = l on backprop's error, and none before if it starts there.

    arrival: the step in which the error arrives is a case of its own (the step size may depend on time).
    """
    e: Equations = claim.equations
    lemmas = _named(errors(k, [((ge(t, l),), ONE)], eq(t, l) if arrival else None), ("arrived",))
    if e.start is Y:
        lemmas |= _named(errors(k, [((lt(t, l),), ZERO)]), ("before",))
    lemmas |= waiting(k, e)
    return lemmas, _goals(k, claim.goals, lemmas)


def share_script(k: Kernel, claim: Claim) -> Found:
    """Every gamma: the share kappa(l, t), then what is said of kappa itself."""
    lemmas = _named(errors(k, [((), kappa(l, t))]), ("share",)) | waiting(k, claim.equations)
    about = [s for s in claim.goals if isinstance(s.relation, Eq) and s.relation.lhs is kappa(l, t)]
    out = _goals(k, [s for s in claim.goals if s not in about], lemmas)
    if about:
        closed, zero, first = about
        before, at_front = kappa_corners(k, zero, first)
        out += [kappa_is_sum(k, closed, before), before, at_front]
    return lemmas, out


def error_step_script(k: Kernel, claim: Claim) -> Found:
    """eps_{t+1} = x_t - y + step = eps_t + step, one step unfolded."""
    held, s = claim.goals
    assert isinstance(s.relation, Eq) and isinstance(held.relation, Eq)
    tools = Tools(lazy=("eps",), eager=("mu",))
    first = prove_equation(k, Context(held.variables, held.guards), held.relation.lhs, held.relation.rhs, tools)
    ctx = Context(s.variables, s.guards)
    later = k.unfold(ctx, s.relation.lhs, 0)
    moved = both(k, ctx, later.rhs, Rewriter(k, (), ("mu",))(ctx, later.rhs))
    x = k.unfold(ctx, App("x", (t + 1, l, b, i)), 3)
    if not isinstance(moved.rhs, Add) or moved.rhs.args[0] is not x.lhs or not isinstance(x.rhs, Add):
        raise Stuck(ctx, s.relation, "the error is not the activity minus what is held")
    opened = k.congruence(ctx, moved.rhs, [x, *(k.refl(ctx, a) for a in moved.rhs.args[1:])])
    opened = k.trans(k.trans(later, moved), opened)
    error = k.instantiate(ctx, first, {v: qvar(v) for v in held.variables})
    step = Add(EPS, *x.rhs.args[1:])
    now = k.congruence(ctx, step, [error, *(k.refl(ctx, a) for a in step.args[1:])])
    end = prove_equation(k, ctx, s.relation.rhs, step, Tools())
    return {}, [first, k.trans(k.trans(opened, k.ring(ctx, opened.rhs, now.rhs)), k.sym(k.trans(end, now)))]


# -- the closed form of kappa ------------------------------------------------------
def binomial_zero(k: Kernel) -> list[Theorem]:
    """binomial(r, k) = 0 for k > r and for k < 0."""
    r, j = qvar("r"), qvar("k")
    relation = Eq(binomial(r, j), ZERO)
    out = []
    for guard in (ge(j, r + 1), le(j, -1)):
        out += jointly(k, [Statement(("r", "k"), (ge(r, 0), guard), relation)], [r], [ge(r, 1)])
    return out


def kappa_corners(k: Kernel, zero: Statement, first: Statement) -> list[Theorem]:
    """kappa(l, t) = 0 for t < l; kappa(l, l) = gamma^l."""
    (before,) = jointly(k, [zero], [t], [ge(t, 1)])
    assert isinstance(first.relation, Eq)
    ctx = k.induction_context([first], [t], 0)
    th = split(k, ctx, first.relation, ge(t, 1), _tools(k, [before]))
    return [before, *k.induct([first], [t], [th])]


def kappa_is_sum(k: Kernel, s: Statement, before: Theorem) -> Theorem:
    """kappa(l, t) is the sum over k = l..t, by induction over t."""
    assert isinstance(s.relation, Eq)
    ctx = k.induction_context([s], [t], 0)
    goal = s.relation
    if goal != Eq(kappa(l, t), binomial_sum(l, t)):
        raise Stuck(ctx, goal, "this is not the closed form that is known")
    nothing = binomial_zero(k)

    def case(c: Context, side: Con) -> Theorem:
        if side != ge(t, l):
            return prove_equation(k, c, goal.lhs, goal.rhs, Tools([before]))
        return by_cases(k, c, ge(t, 1), goal, arrived)

    def arrived(c: Context, side: Con) -> Theorem:
        if side != ge(t, 1):
            single = k.sum_single(c, goal.rhs)
            value = prove_equation(k, c, single.rhs, ONE, Tools(lazy=("binomial",)))
            start = prove_equation(k, c, goal.lhs, ONE, Tools(lazy=("kappa",)))
            return k.trans(start, k.sym(k.trans(single, value)))
        return by_cases(k, c, ge(l, 1), goal, lambda d, at: _step(k, d, goal, at == ge(l, 1), nothing))

    (out,) = k.induct([s], [t], [by_cases(k, ctx, ge(t, l), goal, case)])
    return out


def _step(k: Kernel, ctx: Context, goal: Eq, hidden: bool, nothing: Sequence[Theorem]) -> Theorem:
    """From t - 1 to t where t >= l and t >= 1; ``hidden``: l >= 1, else l = 0."""
    below = l - 1 if hidden else l
    stay, arrive = (binomial_sum(m, t - 1) for m in (l, below))
    pascal = _pascal(k, ctx, goal.rhs, stay, arrive, nothing)
    if hidden:
        unfolded = k.unfold(ctx, goal.lhs, 2)
        assert isinstance(unfolded.rhs, Add)
        known = [k.hypothesis(ctx, 0, {"l'": m, "t'": t - 1}) for m in (l, below)]
        parts = [_scaled(k, ctx, p, h) for p, h in zip(unfolded.rhs.args, known)]
        return k.trans(k.trans(unfolded, k.congruence(ctx, unfolded.rhs, parts)), k.sym(pascal))
    whole = k.trans(k.sym(k.hypothesis(ctx, 0, {"l'": l, "t'": t - 1})), k.unfold(ctx, kappa(l, t - 1), 0))
    assert isinstance(pascal.rhs, Add)
    parts = [_scaled(k, ctx, p, whole) for p in pascal.rhs.args]
    th = k.trans(pascal, k.congruence(ctx, pascal.rhs, parts))
    th = k.trans(th, k.ring(ctx, th.rhs, ONE))
    return k.trans(k.unfold(ctx, goal.lhs, 0), k.sym(th))


def _scaled(k: Kernel, ctx: Context, product: Term, value: Theorem) -> Theorem:
    """c a = c b from a = b."""
    assert isinstance(product, Mul)
    return k.congruence(ctx, product, [k.refl(ctx, product.args[0]), value])


def _pascal(k: Kernel, ctx: Context, whole: Term, stay: Term, arrive: Term, nothing: Sequence[Theorem]) -> Theorem:
    """S(l, t) = (1 - gamma) S(l, t-1) + gamma S(l-1, t-1); at l = 0 with S(0, t-1) twice."""
    assert isinstance(whole, Sum)

    def half(shift: int) -> Sum:
        def term(j: Idx) -> Term:
            return mul(binomial(t - 1, j - shift), Pow(GAMMA, j), Pow(REST, t - j))

        out = total(t + 1, term, l)
        assert isinstance(out, Sum)
        return out

    kept, moved = half(0), half(1)
    tools = Tools(nothing)
    th = prove_equation(k, ctx, whole, Add(kept, moved), Tools(lazy=("binomial",)))
    # the last term of one half is 0, and where l = 0 the first of the other
    cut = k.sum_split(ctx, kept, t - l)
    left = k.trans(cut, prove_equation(k, ctx, cut.rhs, Mul(REST, stay), tools))
    if k.entails(ctx, ge(l, 1)):
        right = prove_equation(k, ctx, moved, Mul(GAMMA, arrive), tools)
    else:
        cut = k.sum_split(ctx, moved, Idx(1))
        right = k.trans(cut, prove_equation(k, ctx, cut.rhs, Mul(GAMMA, arrive), tools))
    return k.trans(th, k.congruence(ctx, th.rhs, [left, right]))


# -- the fixed point ---------------------------------------------------------------
def solved_error(k: Kernel, ctx: Context) -> Theorem:
    """eps^l = what is fed back, where gamma (-eps^l + fed back) = 0 and gamma is not 0."""
    step, eps = App("step", (l, b, i)), App("eps", (l, b, i))
    unfolded = k.unfold(ctx, step, 0)
    rest = k.hypothesis(ctx, "at_rest", {"l": l, "b": b, "i": i})
    zero = k.trans(k.sym(unfolded), rest)
    moved = normalize(k, ctx, unfolded.rhs)
    value = unfolded.rhs if moved is None else moved.rhs
    zero = zero if moved is None else k.trans(k.sym(moved), zero)
    unit = k.inverse(k.hypothesis(ctx, "gamma_nonzero", {}))
    # eps = eps + (1/gamma) 0 = eps + (1/gamma) step
    scaled = Mul(Inv(GAMMA), value)
    start = Add(eps, scaled)
    back = k.congruence(ctx, start, [k.refl(ctx, eps), k.congruence(ctx, scaled, [k.refl(ctx, Inv(GAMMA)), zero])])
    th = k.trans(k.ring(ctx, eps, back.rhs), k.sym(back))
    # (1/gamma) step = (gamma (1/gamma)) (-eps + fed back)
    parts = value.args if isinstance(value, Add) else (value,)
    grouped = Add(eps, *(Mul(unit.lhs, _without_gamma(ctx, p)) for p in parts))
    th = k.trans(th, k.ring(ctx, start, grouped))
    ones = [k.congruence(ctx, p, [unit, k.refl(ctx, p.args[1])]) for p in grouped.args[1:] if isinstance(p, Mul)]
    th = k.trans(th, k.congruence(ctx, grouped, [k.refl(ctx, eps), *ones]))
    return then_normal(k, ctx, th)


def then_normal(k: Kernel, ctx: Context, th: Theorem) -> Theorem:
    """The right side in normal form."""
    more = then(k, th, normalize(k, ctx, th.rhs))
    assert more is not None
    return more


def _without_gamma(ctx: Context, p: Term) -> Term:
    factors = list(p.args) if isinstance(p, Mul) else [p]
    if GAMMA not in factors:
        raise Stuck(ctx, Eq(p, p), "the step is not gamma times something")
    factors.remove(GAMMA)
    return mul(*factors)


def fixed_point_script(k: Kernel, claim: Claim) -> Found:
    """The errors of layer after layer, then the changes made from them."""
    first = claim.goals[0]
    assert isinstance(first.relation, Eq)
    goal = first.relation
    ctx = k.induction_context([first], [l], 0)

    def case(c: Context, side: Con) -> Theorem:
        if side == eq(l, 0):
            return prove_equation(k, c, goal.lhs, goal.rhs, Tools(lazy=("eps", "mu", "delta"), eager=("mu",)))
        th = solved_error(k, c)
        return k.trans(th, prove_equation(k, c, th.rhs, goal.rhs, Tools(lazy=("delta",))))

    (errors,) = k.induct([first], [l], [by_cases(k, ctx, eq(l, 0), goal, case)])
    out = [errors]
    for s in claim.goals[1:]:
        assert isinstance(s.relation, Eq)
        changes = {s.relation.lhs.name, s.relation.rhs.name}  # type: ignore[attr-defined]
        tools = Tools([errors], lazy=changes)
        out.append(prove_equation(k, Context(s.variables, s.guards), s.relation.lhs, s.relation.rhs, tools))
    return {"errors at rest": errors}, out


def converse_script(k: Kernel, claim: Claim) -> Found:
    """Backprop's errors, put into the step."""
    (s,) = claim.goals
    assert isinstance(s.relation, Eq)
    error = Statement(EVERY, (ge(l, 0), lt(l, L), *STATE), Eq(App("eps", (l, b, i)), DELTA))
    assert isinstance(error.relation, Eq)
    tools = Tools(eager=("eps", "mu"), lazy=("delta",))
    errors = split(k, Context(error.variables, error.guards), error.relation, ge(l, 1), tools)
    ctx = Context(s.variables, s.guards)
    th = k.unfold(ctx, s.relation.lhs, 0)
    moved = then(k, th, Rewriter(k, [errors])(ctx, th.rhs))
    assert moved is not None
    th = k.trans(moved, prove_equation(k, ctx, moved.rhs, ZERO, Tools(lazy=("delta",))))
    return {"errors": errors}, [th]
