"""Claims about rules whose predictions are held.  Source: Millidge et al. (2020); Rosenbaum (2022).

kappa(l, t) is the share of backprop's error that layer l has after t steps:

    kappa(0, t) = 1,  kappa(l, 0) = 0,  kappa(l, t) = (1 - gamma) kappa(l, t-1) + gamma kappa(l-1, t-1)

that is the sum over k = l..t of binomial(t, k) gamma^k (1 - gamma)^(t-k): for
0 <= gamma <= 1 the probability of at least l heads in t tosses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..language.index import Con, Idx, eq, ge, le, lt, ne, qvar, span
from ..language.signature import DEFINED, PARAMETER, Case, Claim, Definition, Eq, Ne, Statement, Symbol, Theory
from ..language.terms import ONE, ZERO, App, Pow, Term, add, mul, total
from ..networks.backprop import DATA, backprop_definitions, initial_symbols
from ..networks.network import B, L, width
from .claims import GAMMA, STATE, final_weights, unit_ranges
from .equations import Equations, held_equations, timed_theory
from .fixed_prediction import T

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")
REST = add(ONE, mul(-1, GAMMA))
STATE_AT = ("t", "l", "b", "i")
EVERY = ("l", "b", "i")
RUNNING = (ge(t, 0), ge(l, 0), lt(l, L), *STATE)
EPS, DELTA = App("eps", (t, l, b, i)), App("delta", (l, b, i))


def kappa(layer: Idx, time: Idx) -> Term:
    """Share of backprop's error after ``time`` steps."""
    return App("kappa", (layer, time))


def binomial(n: Idx, k: Idx) -> Term:
    """n over k, 0 unless 0 <= k <= n."""
    return App("binomial", (n, k))


def binomial_sum(layer: Idx, time: Idx) -> Term:
    """The sum over k = layer..time of binomial(time, k) gamma^k (1 - gamma)^(time - k)."""

    def term(k: Idx) -> Term:
        return mul(binomial(time, k), Pow(GAMMA, k), Pow(REST, time - k))

    return total(time + 1, term, layer)


def with_shares(theory: Theory) -> Theory:
    """A theory that has gamma: with kappa and, by Pascal's rule, the binomial coefficients."""
    r, k = qvar("r"), qvar("k")
    before = t - 1
    share = Definition(
        "kappa",
        ("l", "t"),
        (
            Case((ge(t, 0), eq(l, 0)), ONE),
            Case((eq(t, 0), ge(l, 1)), ZERO),
            Case((ge(t, 1), ge(l, 1)), add(mul(REST, kappa(l, before)), mul(GAMMA, kappa(l - 1, before)))),
        ),
        (t,),
    )
    pascal = Definition(
        "binomial",
        ("r", "k"),
        (
            Case((eq(r, 0), eq(k, 0)), ONE),
            Case((eq(r, 0), ge(k, 1)), ZERO),
            Case((eq(r, 0), le(k, -1)), ZERO),
            Case((ge(r, 1),), add(binomial(r - 1, k - 1), binomial(r - 1, k))),
        ),
        (r,),
    )
    symbols = (
        Symbol("kappa", DEFINED, 2, shape="layer, time", meaning="share of backprop's error"),
        Symbol("binomial", DEFINED, 2, shape="number, number", meaning="binomial coefficient"),
    )
    return theory.extend(symbols, ((share,), (pascal,)))


def learns_at(e: Equations, time: Idx) -> Equations:
    """The same with another moment."""
    return replace(e, when=eq(t, time))


def assuming(claim: Claim, *more: Con) -> Claim:
    """The claim under further assumptions on the sizes."""
    theory = claim.theory
    return replace(claim, theory=replace(theory, assumptions=(*theory.assumptions, *more)))


def in_short(claim: Claim) -> Claim:
    """What the claim says of errors, of weights, and of changes that are 0; not of kappa."""
    kinds = claim.equations.net.kinds
    weights, idle = {k.name for k in kinds}, {k.change for k in kinds}

    def kept(s: Statement) -> bool:
        r = s.relation
        if not isinstance(r, Eq) or not isinstance(r.lhs, App):
            return False
        return r.lhs is EPS or r.lhs.name in weights or (r.lhs.name in idle and r.rhs is ZERO)

    return replace(claim, goals=tuple(s for s in claim.goals if kept(s)))


def changes(e: Equations, factor: Callable[[Idx], Term]) -> list[Statement]:
    """At every time the change of theta[l] would be factor(l) times backprop's."""
    goals = []
    for k in e.net.kinds:
        units, ranges = unit_ranges(k)
        relation = Eq(App(k.change, (t, l, *units)), mul(factor(l), App(k.initial_change, (l, *units))))
        goals.append(Statement(("t", "l", *k.units), (ge(t, 0), ge(l, 1), le(l, L), *ranges), relation))
    return goals


def share_law(e: Equations, steps: Idx = T) -> Claim:
    """After t steps the error of layer l is kappa(l, t) delta^l, for every gamma; kappa in closed form.

    The change of theta^{l+1} is then kappa(l, t) times backprop's, and the one made after ``steps`` steps stays.
    """
    from ..tactics.fixed_prediction import share_script

    goals = (
        Statement(STATE_AT, RUNNING, Eq(EPS, mul(kappa(l, t), DELTA))),
        *changes(e, lambda layer: kappa(layer - 1, t)),
        *final_weights(learns_at(e, steps), lambda layer: kappa(layer - 1, steps)),
        Statement(("l", "t"), (ge(t, 0), ge(l, 0)), Eq(kappa(l, t), binomial_sum(l, t))),
        Statement(("l", "t"), (ge(t, 0), ge(l, t + 1)), Eq(kappa(l, t), ZERO)),
        Statement(("l", "t"), (ge(t, 0), eq(t, l)), Eq(kappa(l, t), Pow(GAMMA, l))),
    )
    claim = Claim(
        id=f"{e.name}_law",
        theory=with_shares(timed_theory(e)),
        goals=goals,
        equations=e,
        script=share_script,
        says="recursion",
        title=f"{e.name}: after t steps the error of layer l is the binomial share kappa(l, t) of backprop's",
    )
    return assuming(claim, ge(steps, 0))


def exact(e: Equations) -> Claim:
    """gamma = 1: each error changes once, at t = l, to backprop's.

    So after t steps the changes of layers 1..t+1 are backprop's and the others
    0: all are backprop's from t = L - 1 on, and made then they give backprop's
    weights.  Source: Rosenbaum (2022), Theorem 1, whose n >= L counts the step
    that sets the output's error, and the remark after it.
    """

    def eps(time: Idx) -> Term:
        return App("eps", (time, l, b, i))

    goals = (
        Statement(STATE_AT, (*RUNNING, ge(t, l)), Eq(EPS, DELTA)),
        Statement(STATE_AT, (*RUNNING, lt(t, l)), Eq(EPS, ZERO)),
        Statement(STATE_AT, (*RUNNING, ne(t + 1, l)), Eq(eps(t + 1), EPS)),
        Statement(EVERY, (ge(l, 1), lt(l, L), *STATE), Eq(eps(l), add(eps(l - 1), DELTA))),
        *(replace(s, guards=(*s.guards, ge(t, l - 1))) for s in changes(e, lambda layer: ONE)),
        *(replace(s, guards=(*s.guards, lt(t, l - 1))) for s in changes(e, lambda layer: ZERO)),
        *final_weights(learns_at(e, L - 1)),
    )
    return Claim(
        id=f"{e.name}_exact",
        theory=timed_theory(e),
        goals=goals,
        equations=e,
        says="recursion",
        title=f"{e.name}: with gamma = 1 each error changes once, at t = l, to backprop's",
    )


def any_start(e: Equations) -> Equations:
    """The same rule with hidden activities that start anywhere, at x0."""
    x0 = Symbol("x0", PARAMETER, 3, shape="layer, batch, unit", meaning="hidden activities at the start")
    return replace(e, start=App("x0", (l, b, i)), parameters=(*e.parameters, x0))


def start_forgotten(e: Equations) -> Claim:
    """gamma = 1, whatever the hidden activities x0 at the start: from t = l on the error is backprop's.

    So C1 is not needed: T >= L - 1 steps give backprop's weights.
    """
    e = any_start(e)
    start = Eq(App("eps", (0, l, b, i)), add(App("x0", (l, b, i)), mul(-1, App("y", (l, b, i)))))
    top = (ge(t, 0), *span(b, 0, B), *span(i, 0, width(L)))
    goals = (
        Statement(("t", "b", "i"), top, Eq(App("x", (t, L, b, i)), App("y", (L, b, i)))),
        Statement(EVERY, (ge(l, 1), lt(l, L), *STATE), start),
        Statement(STATE_AT, (*RUNNING, ge(t, l)), Eq(EPS, DELTA)),
        *final_weights(learns_at(e, T)),
    )
    claim = Claim(
        id=f"{e.name}_any_start",
        theory=timed_theory(e),
        goals=goals,
        equations=e,
        says="recursion",
        title=f"{e.name}: with gamma = 1, L - 1 steps give backprop from every start",
    )
    return assuming(claim, ge(T, L - 1))


def fixed_point_theory(e: Equations) -> Theory:
    """Any activities x beside the forward pass: held predictions, errors, the step and the changes from there."""
    net, held = e.net, held_equations(e)
    symbols, groups = backprop_definitions(net)
    inner = (ge(l, 0), lt(l, L))
    forward, x = App("y", (l, b, i)), App("x", (l, b, i))
    own = [
        Symbol("x", PARAMETER, 3, shape="layer, batch, unit", meaning="activity of the value nodes"),
        Symbol("mu", DEFINED, 3, shape="layer, batch, unit", meaning="predicted activity, held"),
        Symbol("eps", DEFINED, 3, shape="layer, batch, unit", meaning="prediction error"),
        Symbol("step", DEFINED, 3, shape="layer, batch, unit", meaning="x_{t+1} - x_t"),
    ]
    definitions = [
        Definition("mu", EVERY, (Case(inner, forward),)),
        Definition("eps", EVERY, (Case(inner, x - App("mu", (l, b, i))),)),
        Definition("step", EVERY, held.step),
    ]
    for k in net.kinds:
        own.append(Symbol(k.change, DEFINED, 1 + len(k.units), shape=k.shape, meaning="change that the rule makes"))
        definitions.append(Definition(k.change, ("l", *k.units), tuple(held.change[k.name])))
    base = (*DATA, *initial_symbols(net), *net.functions, *e.parameters, *symbols, *own)
    return Theory(net.sizes, net.assumptions, {s.name: s for s in base}, (*groups, *((d,) for d in definitions)))


def _error_is_delta() -> Statement:
    return Statement(EVERY, (ge(l, 0), lt(l, L), *STATE), Eq(App("eps", (l, b, i)), DELTA))


def _at_rest() -> Statement:
    return Statement(EVERY, (ge(l, 1), lt(l, L), *STATE), Eq(App("step", (l, b, i)), ZERO))


def fixed_point(e: Equations) -> Claim:
    """Output clamped, nothing moves, gamma not 0: every error is backprop's, and so is every weight change.

    Source: Millidge et al. (2020), section 2, with the signs repaired; Rosenbaum (2022).
    """
    from ..tactics.fixed_prediction import fixed_point_script

    goals = [_error_is_delta()]
    for k in e.net.kinds:
        units, ranges = unit_ranges(k)
        relation = Eq(App(k.change, (l, *units)), App(k.initial_change, (l, *units)))
        goals.append(Statement(("l", *k.units), (ge(l, 1), le(l, L), *ranges), relation))
    return Claim(
        id=f"{e.name}_fixed_point",
        theory=fixed_point_theory(e).extend(
            hypotheses={
                "gamma_nonzero": Statement((), (), Ne(GAMMA, ZERO)),
                "output_clamped": _output_clamped(),
                "at_rest": _at_rest(),
            }
        ),
        goals=tuple(goals),
        script=fixed_point_script,
        says="recursion",
        title=f"{e.name}: where nothing moves, every error and every weight change is backprop's",
    )


def _output_clamped() -> Statement:
    guards = (*span(b, 0, B), *span(i, 0, width(Idx(0))))
    return Statement(("b", "i"), guards, Eq(App("x", (0, b, i)), App("s_out", (b, i))))


def fixed_point_converse(e: Equations) -> Claim:
    """Output clamped, x = y + delta: nothing moves.  So the fixed point exists."""
    from ..tactics.fixed_prediction import converse_script

    moved = Eq(App("x", (l, b, i)), add(App("y", (l, b, i)), DELTA))
    hypotheses = {
        "output_clamped": _output_clamped(),
        "x_is_y_plus_delta": Statement(EVERY, (ge(l, 1), lt(l, L), *STATE), moved),
    }
    return Claim(
        id=f"{e.name}_fixed_point_exists",
        theory=fixed_point_theory(e).extend(hypotheses=hypotheses),
        goals=(_at_rest(),),
        script=converse_script,
        says="recursion",
        title=f"{e.name}: nothing moves where x = y + delta",
    )
