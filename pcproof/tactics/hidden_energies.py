"""Scripts for hidden energies: what lies ahead of the wave is frozen, the wave brings y + delta - r_x(y, y)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from ..language.index import Idx, qvar
from ..language.signature import Claim, Eq, Statement
from ..language.terms import ONE, ZERO, Add, App, Inv, Mul, Num, Sum, Term, add, neg, subst
from ..networks.network import B
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.claims import freeze as frozen
from ..rules.hidden_energies import DELTA, PULL, Z, arrival
from .goals import Stuck, Tools, prove_equation
from .light_cone import _measure, induct, timed_names
from .normal import normalize
from .rewrite import Conversion, Rewriter, bottom_up, determined

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")
Out = tuple[dict[str, Theorem], list[Theorem]]


def _static(k: Kernel) -> set[str]:
    """What is unfolded once: backprop, but not the forward pass."""
    return {d.name for g in k.theory.definitions for d in g} - timed_names(k.theory) - {"y", "z"}


def ahead(k: Kernel, claim: Claim) -> dict[str, Theorem]:
    """Activities, predictions, errors and weights keep their forward values; delta^0 by its definition."""
    goals = list(frozen(claim.equations).goals)
    names = [s.relation.lhs.name for s in goals]  # type: ignore[union-attr]
    measures = [_measure(k.theory, n) for n in names]
    tools = Tools(eager=timed_names(k.theory), lazy=_static(k) | {"y"})
    out = {f"freeze {n}": th for n, th in zip(names, induct(k, goals, measures, tools))}
    return {**out, "output error": k.unfold(Context(("b", "i")), App("delta", (0, b, i)), 0)}


def arrived() -> list[Statement]:
    """As the wave arrives x is z and eps is delta - r_x(y, y)."""
    x = arrival()
    return [x, replace(x, relation=Eq(App("eps", (t, l, b, i)), add(DELTA, neg(PULL))))]


def _arrive(k: Kernel, claims: list[Statement], measures: list[Idx], tools: Tools) -> list[Theorem]:
    """Both, where they hold at the layer below."""
    ctx = k.induction_context(claims, measures, 0)
    activity, error = claims[0].relation, claims[1].relation
    assert isinstance(activity, Eq) and isinstance(error, Eq)
    z = k.unfold(ctx, Z, 0)
    first = k.trans(prove_equation(k, ctx, activity.lhs, z.rhs, tools), k.sym(z))
    ctx = k.induction_context(claims, measures, 1)
    second = prove_equation(k, ctx, error.lhs, error.rhs, replace(tools, lazy=("z",)))
    return [first, second]


def exact_script(k: Kernel, claim: Claim) -> Out:
    """Freeze, then the arrival by induction over layers, then the weights by induction over time."""
    _, *weights = claim.goals
    lemmas = ahead(k, claim)
    timed = timed_names(k.theory)
    claims, measures = arrived(), [l * 2, l * 2 + 1]
    tools = Tools(list(lemmas.values()), eager=timed, lazy=_static(k))
    x, eps = k.induct(claims, measures, _arrive(k, claims, measures, tools))
    lemmas |= {"arrival": x, "error at arrival": eps}
    tools = Tools(list(lemmas.values()), eager=timed, lazy=_static(k))
    return lemmas, [x, *(induct(k, [s], [t], tools)[0] for s in weights)]


def only_script(k: Kernel, claim: Claim) -> Out:
    """Jointly over layers: z arrives, so the change of the biases says what -de/dmu is there."""
    _, criterion = claim.goals
    lemmas = ahead(k, claim)
    claims, measures = [*arrived(), criterion], [l * 3, l * 3 + 1, l * 3 + 2]
    tools = Tools(list(lemmas.values()), eager=timed_names(k.theory), lazy=_static(k))
    parts = _arrive(k, claims, measures, tools)
    third = _solved(k, k.induction_context(claims, measures, 2), criterion, tools)
    x, _, found = k.induct(claims, measures, [*parts, third])
    return lemmas, [x, found]


def _one_sample(k: Kernel, ctx: Context, term: Term) -> Theorem | None:
    """Sums over the one sample are their terms."""

    def single(c: Context, s: Term) -> Theorem | None:
        return k.sum_single(c, s) if isinstance(s, Sum) and s.bound == B else None

    return bottom_up(k, single, ctx, term, again=False)


def _change(k: Kernel, ctx: Context, symbol: App, rewriter: Rewriter) -> Theorem:
    """A change of weights by its definition, for one sample, in normal form."""
    case = determined(k, ctx, symbol)
    if case is None:
        raise Stuck(ctx, Eq(symbol, symbol), f"the case of {symbol!r} is not determined")
    th = k.unfold(ctx, symbol, case)
    steps: tuple[Conversion, ...] = (partial(_one_sample, k), rewriter, partial(normalize, k))
    for step in steps:
        moved = step(ctx, th.rhs)
        th = th if moved is None else k.trans(th, moved)
    return th


def _solved(k: Kernel, ctx: Context, criterion: Statement, tools: Tools) -> Theorem:
    """r_mu = -r_x from alpha (delta - r_x - r_mu) = alpha delta, where alpha is not 0."""
    assert isinstance(criterion.relation, Eq)
    own, goal = criterion.relation.lhs, criterion.relation.rhs
    here = add(own, neg(goal))
    ours = _change(k, ctx, App("dbeta", (l, l + 1, i)), Rewriter(k, tools.lemmas, tools.eager))
    theirs = _change(k, ctx, App("dc", (l + 1, i)), Rewriter(k))
    given = k.hypothesis(ctx, "equal", {"l": l + 1, "i": i})
    same = k.trans(k.trans(k.sym(theirs), k.sym(given)), ours)
    unit = k.inverse(k.hypothesis(ctx, "alpha_nonzero", {}))
    # r = 1 r = (alpha / alpha) r = (theirs - ours) / alpha = 0, with r = r_mu + r_x
    pinned = k.index(ctx, here, subst(here, {"b": Idx(0)}))
    th = _settled(k, ctx, pinned, tools)
    one = Mul(ONE, th.rhs)
    th = k.trans(th, k.ring(ctx, th.rhs, one))
    th = k.trans(th, k.congruence(ctx, one, [k.sym(unit), k.refl(ctx, one.args[1])]))
    reciprocal = Inv(App("alpha"))
    difference = Add(same.lhs, Mul(Num(-1), same.rhs))
    th = k.trans(th, k.ring(ctx, th.rhs, Mul(reciprocal, difference)))
    parts = [same, k.refl(ctx, difference.args[1])]
    put = k.congruence(ctx, th.rhs, [k.refl(ctx, reciprocal), k.congruence(ctx, difference, parts)])
    zero = k.trans(k.trans(th, put), k.ring(ctx, put.rhs, ZERO))
    # r_mu = r + goal = goal
    whole = Add(here, goal)
    back = k.trans(k.ring(ctx, own, whole), k.congruence(ctx, whole, [zero, k.refl(ctx, goal)]))
    return k.trans(back, k.ring(ctx, back.rhs, goal))


def _settled(k: Kernel, ctx: Context, th: Theorem, tools: Tools) -> Theorem:
    """The same with hypotheses put in, in normal form."""
    steps: tuple[Conversion, ...] = (Rewriter(k, tools.lemmas, tools.eager), partial(normalize, k))
    for step in steps:
        moved = step(ctx, th.rhs)
        th = th if moved is None else k.trans(th, moved)
    return th
