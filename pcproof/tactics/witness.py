"""What a rule's equality with backprop on one network says of its parameters.

Either the weights of one layer are computed outright, its number given
(``at_layer``); or, where the rule is parallel to backprop, c(l) of every layer
is compared with 1 by way of the front (``at_every_layer``).  Both end in an
equation between polynomials, from which the condition follows by a factor that
is not 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from ..language.index import Con, Idx, ge, le, lt, qvar
from ..language.signature import DEFINED, Claim, Eq, Ne, Statement
from ..language.terms import ONE, ZERO, Add, App, Inv, Mul, Num, Pow, Term, add, mul, neg, subst, subterms
from ..networks.network import L
from ..proof.kernel import Context, Kernel, Theorem
from ..proof.ring import Polynomial, polynomial, term_of
from ..rules.equations import written
from ..rules.scaled import Factors
from ..rules.witness import MEETS
from .constants import constants
from .goals import Stuck, Tools
from .light_cone import Cone, induct
from .monomials import Reducer
from .normal import normalize
from .rewrite import Rewriter, both, by_cases, contradictory, then, undecided, unfold_once

t, l = qvar("t"), qvar("l")
ROUNDS = 6
SPLITS = 6
MOST_POWER = 6  # of a condition's polynomial in what a network says


def _simplify(k: Kernel, ctx: Context, term: Term, lemmas: Sequence[Theorem], unfold: set[str]) -> Theorem | None:
    """Rewritten, unfolded, in normal form, until nothing changes."""
    meets = [n for n in k.theory.hypotheses if n.startswith(MEETS)]
    products = Reducer(k, [th for th in lemmas if isinstance(th.relation, Eq) and isinstance(th.lhs, Mul)])
    th: Theorem | None = None
    current = term
    for _ in range(ROUNDS):
        step = Rewriter(k, lemmas, unfold, without=meets)(ctx, current)
        step = then(k, step, normalize(k, ctx, current if step is None else step.rhs))
        step = then(k, step, constants(k, ctx, current if step is None else step.rhs))
        step = then(k, step, products(ctx, current if step is None else step.rhs))
        if step is None:
            break
        th, current = then(k, th, step), step.rhs
    return th


def _end(term: Term, th: Theorem | None) -> Term:
    return term if th is None else th.rhs


def _nonzero(k: Kernel) -> list[Term]:
    """What hypotheses say is not 0, without variables."""
    return [
        s.relation.lhs
        for s in k.theory.hypotheses.values()
        if isinstance(s.relation, Ne) and s.relation.rhs is ZERO and not s.variables
    ]


def _cofactor(k: Kernel, difference: Polynomial, goal: Polynomial) -> Term | None:
    """A product of numbers and reciprocals of what is not 0 that turns ``difference`` into ``goal``."""
    known = set(_nonzero(k))
    if not goal or len(difference) != len(goal):
        return None
    for m, c in difference.items():
        for n, d in goal.items():
            extra = dict(m)
            for atom, power in n:
                extra[atom] = extra.get(atom, 0) - power
            extra = {a: p for a, p in extra.items() if p}
            if any(p < 0 or a not in known for a, p in extra.items()):
                continue
            more = tuple(extra.items())
            ratio = c / d
            whole: Polynomial = {}
            for n2, d2 in goal.items():
                powers = dict(n2)
                for atom, power in more:
                    powers[atom] = powers.get(atom, 0) + power
                whole[tuple(sorted(powers.items(), key=lambda p: p[0].key))] = ratio * d2
            if whole == difference:
                return mul(Num(Fraction(1) / ratio), *(Inv(a) for a, p in more for _ in range(p)))
    return None


def _conclude(k: Kernel, ctx: Context, equation: Theorem, goal: Eq, lemmas: Sequence[Theorem] = ()) -> Theorem:
    """``goal`` from ``equation``, whose sides differ by a multiple of what the goal's sides differ by."""
    a, b = equation.lhs, equation.rhs
    left = _simplify(k, ctx, goal.lhs, lemmas, set())
    right = _simplify(k, ctx, goal.rhs, lemmas, set())
    lhs, rhs = _end(goal.lhs, left), _end(goal.rhs, right)
    if lhs is rhs:
        return _between(k, ctx, goal.lhs, left, None, right)
    factor = _cofactor(k, polynomial(add(a, neg(b))), polynomial(add(lhs, neg(rhs))))
    if factor is None:
        cleared = _cleared(k, ctx, equation, lemmas)
        if cleared is not None:
            return _conclude(k, ctx, cleared, goal, lemmas)
        for power in range(2, MOST_POWER + 1):
            g = term_of(polynomial(add(goal.lhs, neg(goal.rhs))))
            if _cofactor(k, polynomial(add(a, neg(b))), polynomial(Pow(g, power))) is not None:
                zero = _conclude(k, ctx, equation, Eq(Pow(g, power), ZERO), lemmas)
                return _root(k, ctx, zero, g, power, goal)
        raise Stuck(ctx, Eq(a, b), f"{goal.lhs!r} = {goal.rhs!r} does not follow at once")
    # rhs + factor a - factor b is lhs, and is rhs where a = b
    start = Add(rhs, Mul(factor, a), Mul(Num(-1), factor, b))
    to_lhs = _simplify(k, ctx, start, lemmas, set())
    if _end(start, to_lhs) is not lhs:
        raise Stuck(ctx, Eq(_end(start, to_lhs), lhs), "a factor was not cancelled")
    swapped = k.congruence(ctx, Mul(factor, a), [k.refl(ctx, factor), equation])
    moved = k.congruence(ctx, start, [k.refl(ctx, rhs), swapped, k.refl(ctx, start.args[2])])
    to_rhs = k.trans(moved, k.ring(ctx, moved.rhs, rhs))
    th = k.trans(k.sym(both(k, ctx, start, to_lhs)), to_rhs)
    return _between(k, ctx, goal.lhs, left, th, right)


def _root(k: Kernel, ctx: Context, zero: Theorem, g: Term, power: int, goal: Eq) -> Theorem:
    """``goal``, whose sides differ by g, from g^power = 0: where g != 0, g is g^power (1/g)^(power - 1)."""
    same, other = (k.real_context(ctx, g, ZERO, equal) for equal in (True, False))
    unit = k.inverse(k.hypothesis(other, len(ctx.hypotheses), {}))
    whole = Mul(g, *(unit.lhs for _ in range(power - 1)))
    one = k.congruence(other, whole, [k.refl(other, g), *(unit for _ in range(power - 1))])
    inverses = Mul(zero.lhs, *(Inv(g) for _ in range(power - 1)))
    gone = k.congruence(other, inverses, [k.weaken(other, zero), *(k.refl(other, i) for i in inverses.args[1:])])
    there = k.trans(k.ring(other, g, one.rhs), k.trans(k.sym(one), k.ring(other, whole, inverses)))
    there = k.trans(there, k.trans(gone, k.ring(other, gone.rhs, ZERO)))
    g_zero = k.real_cases(ctx, g, ZERO, [k.hypothesis(same, len(ctx.hypotheses), {}), there])
    start = Add(goal.rhs, g)
    moved = k.congruence(ctx, start, [k.refl(ctx, goal.rhs), g_zero])
    return k.trans(k.ring(ctx, goal.lhs, start), k.trans(moved, k.ring(ctx, moved.rhs, goal.rhs)))


def _cleared(k: Kernel, ctx: Context, equation: Theorem, lemmas: Sequence[Theorem]) -> Theorem | None:
    """The equation times something by which it divides, without that divisor."""
    for d in dict.fromkeys(s.arg for s in subterms(add(equation.lhs, equation.rhs)) if isinstance(s, Inv)):
        sides = []
        for side in (equation.lhs, equation.rhs):
            whole = Mul(d, side)
            sides.append((whole, _simplify(k, ctx, whole, lemmas, set())))
        if any(s is Inv(d) for whole, th in sides for s in subterms(_end(whole, th))):
            continue
        (_, left), (_, right) = sides
        th = k.congruence(ctx, Mul(d, equation.lhs), [k.refl(ctx, d), equation])
        return then(k, None if left is None else k.sym(left), then(k, th, right))
    return None


def _between(
    k: Kernel, ctx: Context, lhs: Term, left: Theorem | None, th: Theorem | None, right: Theorem | None
) -> Theorem:
    """lhs = its simple form = that of the right side = the right side."""
    back = None if right is None else k.sym(right)
    return both(k, ctx, lhs, then(k, left, then(k, th, back)))


def _split(k: Kernel, ctx: Context, term: Term) -> Con | None:
    """A constraint that would let a symbol left in ``term`` be unfolded."""
    for s in subterms(term):
        if isinstance(s, App) and k.theory.symbols[s.name].kind == DEFINED:
            con = undecided(k, ctx, s)
            if con is not None:
                return con
    return None


def at_layer(k: Kernel, claim: Claim) -> tuple[dict[str, Theorem], list[Theorem]]:
    """The claim's one goal from the weights of one layer, computed from the definitions."""
    (goal,) = claim.goals
    name = next(n for n in k.theory.hypotheses if n.startswith(MEETS))
    met_relation = k.theory.hypotheses[name].relation
    assert isinstance(goal.relation, Eq) and isinstance(met_relation, Eq)
    relation, weight = goal.relation, met_relation.lhs
    defined = {d.name for g in k.theory.definitions for d in g}

    def prove(ctx: Context, left: int) -> Theorem:
        met = k.hypothesis(ctx, name, {})
        own = _simplify(k, ctx, weight, (), defined)
        other = _simplify(k, ctx, met.rhs, (), defined)
        for term in (_end(weight, own), _end(met.rhs, other)):
            con = _split(k, ctx, term)
            if con is not None:
                if not left:
                    raise Stuck(ctx, Eq(_end(weight, own), _end(met.rhs, other)))
                return by_cases(k, ctx, con, relation, lambda c, _: prove(c, left - 1))
        equation = then(k, None if own is None else k.sym(own), then(k, met, other))
        assert equation is not None
        return _conclude(k, ctx, equation, relation)

    return {}, [prove(Context(goal.variables, goal.guards), SPLITS)]


def apart(k: Kernel, claim: Claim) -> tuple[dict[str, Theorem], list[Theorem]]:
    """The claim's one goal, a != b: computed from the definitions, a = b would make two numbers equal."""
    (goal,) = claim.goals
    assert isinstance(goal.relation, Ne)
    a, b = goal.relation.lhs, goal.relation.rhs
    defined = {d.name for g in k.theory.definitions for d in g}

    def prove(ctx: Context, left: int) -> Theorem:
        sides = [_simplify(k, ctx, term, (), defined) for term in (a, b)]
        for term, th in zip((a, b), sides):
            con = _split(k, ctx, _end(term, th))
            if con is not None:
                if not left:
                    raise Stuck(ctx, Eq(_end(a, sides[0]), _end(b, sides[1])))
                return by_cases(k, ctx, con, goal.relation, lambda c, _: prove(c, left - 1))
        last = len(ctx.hypotheses)
        same, other = (k.real_context(ctx, a, b, equal) for equal in (True, False))
        one, two = (None if th is None else k.weaken(same, th) for th in sides)
        equation = then(k, None if one is None else k.sym(one), then(k, k.hypothesis(same, last, {}), two))
        assert equation is not None
        clash = k.distinct(_conclude(k, same, equation, Eq(ONE, ZERO)), goal.relation)
        return k.real_cases(ctx, a, b, [clash, k.hypothesis(other, last, {})])

    return {}, [prove(Context(goal.variables, goal.guards), SPLITS)]


def at_every_layer(k: Kernel, claim: Claim, f: Factors, c: Term) -> tuple[dict[str, Theorem], list[Theorem]]:
    """The claim's one goal from rate(l) c(l - 1) = 1 at every layer, on the network of weights 1 and error 1."""
    (goal,) = claim.goals
    assert isinstance(goal.relation, Eq)
    relation = goal.relation
    b, i = qvar("b"), qvar("i")
    unit = (ge(b, 0), lt(b, 1), ge(i, 0), lt(i, 1))
    (y,) = induct(
        k,
        [Statement(("l", "b", "i"), (ge(l, 0), le(l, L), *unit), Eq(App("y", (l, b, i)), ONE))],
        [L - l],
        Tools(eager={"y"}),
    )
    (delta,) = induct(
        k,
        [Statement(("l", "b", "i"), (ge(l, 0), lt(l, L), *unit), Eq(App("delta", (l, b, i)), ONE))],
        [l],
        Tools([y], eager={"delta"}),
    )
    cone = Cone(
        k, claim.equations, c, {kind.name: ZERO if kind.name == "beta" else ONE for kind in claim.equations.net.kinds}
    )
    cone.freeze()
    cone.front()
    lemmas = [y, delta, *cone.lemmas.all()]
    kind = claim.equations.net.kinds[0]
    rate, value = f.law(kind.name)
    law_claim = Statement(
        ("l",), (ge(l, 1), le(l, L)), Eq(term_of(polynomial(mul(rate, subst(c, {"l": l - 1})))), value)
    )
    after = written(claim.equations)
    weight = App(kind.name, (after, l, *(0 for _ in kind.units)))
    values = {"t": after, "l": l, **{u: Idx(0) for u in kind.units}}
    timed = cone.timed | {"d" + kind.initial}

    def compare(ctx: Context) -> Theorem:
        met = k.hypothesis(ctx, MEETS + kind.name, values)
        own = _simplify(k, ctx, weight, lemmas, timed)
        other = _simplify(k, ctx, met.rhs, lemmas, timed)
        equation = then(k, None if own is None else k.sym(own), then(k, met, other))
        assert equation is not None and isinstance(law_claim.relation, Eq)
        return _conclude(k, ctx, equation, law_claim.relation)

    law = compare(Context(law_claim.variables, law_claim.guards))
    found = {"y": y, "delta": delta, **cone.lemmas.found, "law": law}
    ctx = Context(goal.variables, goal.guards)
    stuck: Stuck | None = None
    for equation in _consequences(k, ctx, law, relation, c):
        try:
            return found, [_conclude(k, ctx, equation, relation, [law])]
        except Stuck as s:
            stuck = s
    raise stuck or Stuck(ctx, relation)


def _consequences(k: Kernel, ctx: Context, law: Theorem, goal: Eq, c: Term) -> Iterator[Theorem]:
    """The law at layers near the goal's own, times 1 or a side of the goal, with c unfolded once and reduced."""
    names = {s.name for s in subterms(c) if isinstance(s, App)}
    once = unfold_once(k, names & {d.name for g in k.theory.definitions for d in g})
    counted = [p for v in ctx.variables for p in (qvar(v), L - qvar(v))]  # from the output, and from the input
    places = [p + o for p in counted for o in (1, 0, 2, -1)] or [Idx(1), Idx(2), Idx(3)]
    for place in places:
        guards, _ = law.statement().at({"l": place})
        if contradictory(k, ctx) or not all(k.entails(ctx, g) for g in guards):
            continue
        at = k.instantiate(ctx, law, {"l": place})
        # what the layer before divides by is needed to use its law
        before, _ = law.statement().at({"l": place - 1})
        near = subst(law.lhs, {"l": place - 1}) if all(k.entails(ctx, g) for g in before) else ONE
        divisors = dict.fromkeys(s for s in subterms(near) if isinstance(s, Inv) and s.arg is not App("alpha"))
        for factor in (ONE, goal.lhs, goal.rhs, *divisors):
            if factor is ZERO:
                continue
            whole = Mul(factor, at.lhs)
            th = once(ctx, whole)
            th = then(k, th, normalize(k, ctx, _end(whole, th)))
            th = then(k, th, _simplify(k, ctx, _end(whole, th), [law], set()))
            back = k.congruence(ctx, whole, [k.refl(ctx, factor), at])
            if th is not None:
                back = k.trans(k.sym(th), back)
            end = normalize(k, ctx, back.rhs)
            yield back if end is None else k.trans(back, end)


__all__ = ["apart", "at_every_layer", "at_layer"]
