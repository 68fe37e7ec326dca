"""Scripts for hidden energies: what lies ahead of the wave is frozen, the wave brings y + delta."""

from __future__ import annotations

from functools import partial

from ..language.index import Idx, qvar
from ..language.signature import Claim, Eq, Statement
from ..language.terms import ONE, ZERO, Add, App, Inv, Mul, Num, Sum, Term, subst
from ..networks.network import B
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.claims import freeze as frozen
from .goals import Stuck, Tools, prove_equation
from .light_cone import _measure, induct, timed_names
from .normal import normalize
from .rewrite import Conversion, Rewriter, bottom_up, determined, then

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")
Out = tuple[dict[str, Theorem], list[Theorem]]


def _static(k: Kernel) -> set[str]:
    """What is unfolded once: backprop, but not the forward pass."""
    return {d.name for g in k.theory.definitions for d in g} - timed_names(k.theory) - {"y"}


def ahead(k: Kernel, claim: Claim) -> dict[str, Theorem]:
    """Activities, predictions, errors and weights keep their forward values; delta^0 by its definition."""
    goals = list(frozen(claim.equations).goals)
    names = [s.relation.lhs.name for s in goals]  # type: ignore[union-attr]
    measures = [_measure(k.theory, n) for n in names]
    tools = Tools(eager=timed_names(k.theory), lazy=_static(k) | {"y"})
    out = {f"freeze {n}": th for n, th in zip(names, induct(k, goals, measures, tools))}
    return {**out, "output error": k.unfold(Context(("b", "i")), App("delta", (0, b, i)), 0)}


def exact_script(k: Kernel, claim: Claim) -> Out:
    """Freeze, then the arrival by induction over layers, then the weights by induction over time."""
    first, *weights = claim.goals
    lemmas = ahead(k, claim)
    timed = timed_names(k.theory)
    (arrived,) = induct(k, [first], [l], Tools(list(lemmas.values()), eager=timed, lazy=_static(k)))
    lemmas["arrival"] = arrived
    tools = Tools(list(lemmas.values()), eager=timed, lazy=_static(k))
    return lemmas, [arrived, *(induct(k, [s], [t], tools)[0] for s in weights)]


def only_script(k: Kernel, claim: Claim) -> Out:
    """Jointly over layers: y + delta arrives, so the change of the biases says what -de/dmu is there."""
    arrive, criterion = claim.goals
    lemmas = ahead(k, claim)
    claims, measures = [arrive, criterion], [l * 2, l * 2 + 1]
    tools = Tools(list(lemmas.values()), eager=timed_names(k.theory), lazy=_static(k))
    ctx = k.induction_context(claims, measures, 0)
    assert isinstance(arrive.relation, Eq)
    first = prove_equation(k, ctx, arrive.relation.lhs, arrive.relation.rhs, tools)
    second = _solved(k, k.induction_context(claims, measures, 1), criterion, tools)
    return lemmas, list(k.induct(claims, measures, [first, second]))


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
    """r_mu = 0 from alpha (delta - r_mu) = alpha delta, where alpha is not 0."""
    assert isinstance(criterion.relation, Eq)
    own = criterion.relation.lhs
    here = subst(own, {"b": Idx(0)})
    ours = _change(k, ctx, App("dbeta", (l, l + 1, i)), Rewriter(k, tools.lemmas, tools.eager))
    theirs = _change(k, ctx, App("dc", (l + 1, i)), Rewriter(k))
    given = k.hypothesis(ctx, "equal", {"l": l + 1, "i": i})
    same = k.trans(k.trans(k.sym(theirs), k.sym(given)), ours)
    unit = k.inverse(k.hypothesis(ctx, "alpha_nonzero", {}))
    # r = 1 r = (alpha / alpha) r = (theirs - ours) / alpha = 0
    th = then(k, k.index(ctx, own, here), normalize(k, ctx, here))
    assert th is not None
    one = Mul(ONE, th.rhs)
    th = k.trans(th, k.ring(ctx, th.rhs, one))
    th = k.trans(th, k.congruence(ctx, one, [k.sym(unit), k.refl(ctx, one.args[1])]))
    reciprocal = Inv(App("alpha"))
    difference = Add(same.lhs, Mul(Num(-1), same.rhs))
    th = k.trans(th, k.ring(ctx, th.rhs, Mul(reciprocal, difference)))
    parts = [same, k.refl(ctx, difference.args[1])]
    put = k.congruence(ctx, th.rhs, [k.refl(ctx, reciprocal), k.congruence(ctx, difference, parts)])
    return k.trans(k.trans(th, put), k.ring(ctx, put.rhs, ZERO))
