"""What is claimed of a rule: each claim is a function of the rule's ``Equations``.

So every theorem of the catalogue can be asked of a mutant of the rule too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ..language.index import Con, Idx, eq, ge, le, lt, qvar, span
from ..language.signature import (
    DEFINED,
    PARAMETER,
    Case,
    Claim,
    Definition,
    Eq,
    Ne,
    Statement,
    Symbol,
    Tangent,
    Theory,
)
from ..language.terms import ONE, ZERO, App, Pow, Term, add, free_vars, mul, subterms
from ..networks.backprop import DATA
from ..networks.gradients import (
    differentiable,
    energy_gradient_theory,
    state_pairing,
    variation,
    weight_pairing,
    with_loss_gradient,
)
from ..networks.network import B, L, WeightKind, width
from .equations import EVERY_STEP, Equations, RuleError, moment, timed_theory, written

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")
STATE = (*span(b, 0, B), *span(i, 0, width(l)))
GAMMA = App("gamma")


def unit_ranges(k: WeightKind) -> tuple[tuple[Idx, ...], tuple[Con, ...]]:
    """Unit indices of a kind of weight at layer l, and their ranges."""
    units = tuple(qvar(u) for u in k.units)
    return units, tuple(c for u, bound in zip(units, k.bounds(l)) for c in span(u, 0, bound))


def after_first_change(e: Equations) -> tuple[Con, ...]:
    """The times at which theta[l] has made its first change and no other."""
    if e.when == EVERY_STEP:
        return (eq(t, written(e)), ge(t, 0))
    return (ge(t, written(e)), ge(t, 0))


def final_weights(e: Equations, factor: Callable[[Idx], Term] = lambda layer: ONE) -> tuple[Statement, ...]:
    """After its moment, theta[l] is w[l] plus factor(l) times backprop's change, for ever.

    Of a rule that learns at every step: right after its first change.
    """
    goals = []
    for k in e.net.kinds:
        units, ranges = unit_ranges(k)
        guards = (ge(l, 1), le(l, L), *after_first_change(e), *ranges)
        expected = mul(factor(l), App(k.initial_change, (l, *units)))
        relation = Eq(App(k.name, (t, l, *units)), add(App(k.initial, (l, *units)), expected))
        goals.append(Statement(("t", "l", *k.units), guards, relation))
    return tuple(goals)


def equals_backprop(e: Equations) -> Claim:
    """Every weight ends where backprop puts it.  Source: Theorem 3.2 with C2."""
    moment(e.when)
    return Claim(
        id=f"{e.name}_equals_backprop",
        theory=timed_theory(e),
        goals=final_weights(e),
        title=f"{e.name}: after its moment every weight has moved exactly as backprop moves it",
        equations=e,
        says="recursion",
    )


def first_changes(e: Equations) -> Claim:
    """Of a rule that learns at every step: the first change of every weight is backprop's."""
    return Claim(
        id=f"{e.name}_first_changes",
        theory=timed_theory(e),
        goals=final_weights(e),
        title=f"{e.name}: the first change of every weight is backprop's",
        equations=e,
        says="recursion",
    )


def error_at_moment(e: Equations, factor: Callable[[Idx], Term] = lambda layer: ONE) -> Statement:
    """eps of layer l at time l is factor(l) delta^l."""
    guards = (ge(l, 0), lt(l, L), eq(t, l), *STATE)
    return Statement(
        ("t", "l", "b", "i"), guards, Eq(App("eps", (t, l, b, i)), mul(factor(l), App("delta", (l, b, i))))
    )


def change_at_moment(e: Equations, factor: Callable[[Idx], Term] = lambda layer: ONE) -> tuple[Statement, ...]:
    """The change of theta^{l+1} at t = l is factor(l) times backprop's."""
    goals = []
    for k in e.net.kinds:
        units, ranges = unit_ranges(k)
        guards = (ge(l, 1), le(l, L), eq(t, l - 1), *ranges)
        relation = Eq(App(k.change, (t, l, *units)), mul(factor(l - 1), App(k.initial_change, (l, *units))))
        goals.append(Statement(("t", "l", *k.units), guards, relation))
    return tuple(goals)


def gamma_power(layer: Idx) -> Term:
    """gamma^l"""
    return Pow(GAMMA, layer)


def freeze(e: Equations) -> Claim:
    """Ahead of the wave nothing has moved, and the weights in use are those before any update.

    Source: Lemma A.3 of Song et al.; the ranges of t are exact.
    """
    goals = [
        Statement(
            ("t", "l", "b", "i"),
            (ge(t, 0), le(t, l - 1), ge(l, 1), le(l, L), *STATE),
            Eq(App("x", (t, l, b, i)), App("y", (l, b, i))),
        ),
        Statement(
            ("t", "l", "b", "i"),
            (ge(t, 0), le(t, l), ge(l, 0), lt(l, L), *STATE),
            Eq(App("mu", (t, l, b, i)), App("y", (l, b, i))),
        ),
        Statement(
            ("t", "l", "b", "i"),
            (ge(t, 0), le(t, l - 1), ge(l, 0), lt(l, L), *STATE),
            Eq(App("eps", (t, l, b, i)), ZERO),
        ),
    ]
    for k in e.net.kinds:
        units, ranges = unit_ranges(k)
        goals.append(
            Statement(
                ("t", "l", *k.units),
                (ge(t, 0), le(t, l - 1), ge(l, 1), le(l, L), *ranges),
                Eq(App(k.name, (t, l, *units)), App(k.initial, (l, *units))),
            )
        )
    return Claim(
        id=f"{e.name}_freeze",
        theory=timed_theory(e),
        goals=tuple(goals),
        equations=e,
        title=f"{e.name}: ahead of the wave activities, predictions and weights keep their forward values",
    )


def gamma_law(e: Equations) -> Claim:
    """eps_l^l = gamma^l delta^l, and the change of theta^{l+1} at t = l is gamma^l times backprop's."""
    goals = (
        error_at_moment(e, gamma_power),
        *change_at_moment(e, gamma_power),
        *final_weights(e, lambda layer: gamma_power(layer - 1)),
    )
    return Claim(
        id=f"{e.name}_gamma_law",
        theory=timed_theory(e),
        goals=goals,
        equations=e,
        says="recursion",
        title=f"{e.name}: at its moment the error of layer l, and the change it makes, is gamma^l times backprop's",
    )


def with_c3(claim: Claim) -> Claim:
    """The claim under C3: gamma = 1."""
    theory = claim.theory.extend(hypotheses={"C3": Statement((), (), Eq(GAMMA, ONE))})
    return Claim(claim.id, theory, claim.goals, claim.title, claim.source, claim.equations, claim.script, claim.says)


def with_nonzero_gamma(claim: Claim) -> Claim:
    """The claim for every gamma other than 0."""
    theory = claim.theory.extend(hypotheses={"gamma_nonzero": Statement((), (), Ne(GAMMA, ZERO))})
    return Claim(claim.id, theory, claim.goals, claim.title, claim.source, claim.equations, claim.script, claim.says)


def theorem_3_1(e: Equations) -> Claim:
    """Theorem 3.1: every error at t = l equals backprop's."""
    return with_c3(
        Claim(
            id="theorem_3_1",
            theory=timed_theory(e),
            goals=(error_at_moment(e),),
            equations=e,
            says="recursion",
            title="Theorem 3.1: at t = l every error equals backprop's delta",
        )
    )


def theorem_3_2(e: Equations) -> Claim:
    """Theorem 3.2: every change at t = l equals backprop's, and so do the final weights."""
    return with_c3(
        Claim(
            id="theorem_3_2",
            theory=timed_theory(e),
            goals=(*change_at_moment(e), *final_weights(e)),
            equations=e,
            says="recursion",
            title="Theorem 3.2: at t = l every weight change equals backprop's",
        )
    )


def _of_the_state(what: str, cases: Iterable[Case], theory: Theory, further: Iterable[Symbol], at: set[str]) -> None:
    """Raise RuleError where ``cases`` read more than the energy does, or change with the time."""
    known = {*theory.symbols, *(p.name for p in further)}
    for c in cases:
        for s in subterms(c.value):
            if isinstance(s, App) and s.name not in known:
                raise RuleError(
                    f"the {what} reads {s.name!r}, which is no part of the energy's state; to be compared with the "
                    "gradient it may read x, mu, eps, the weights and parameters"
                )
        stray = free_vars(c.value) - at
        if stray:
            raise RuleError(f"the {what} depends on {sorted(stray)[0]!r}; the energy's gradient does not")


def dynamics(e: Equations, gamma: Term = GAMMA) -> Claim:
    """The step is -gamma dF/dx of the rule's own energy, at every hidden layer.

    The gradient gx is derived by layer and proved to be the gradient: for every
    variation Dx the derivative of F is <gx, Dx>.  RuleError where the step reads
    more than the state (y, the time) or has momentum.  Source: eqs 6, 7.
    """
    if e.momentum is not None:
        raise RuleError("with momentum the activities move by more than their step; drop it to compare the step")
    theory = energy_gradient_theory(e.net, e.energy)
    symbols = [p for p in (DATA[2], *e.parameters) if p.name not in theory.symbols]
    _of_the_state("step", e.step, theory, symbols, {"l", "b", "i"})
    if isinstance(gamma, App) and gamma.name not in {p.name for p in symbols}:
        symbols.append(Symbol(gamma.name, PARAMETER, 0, shape="scalar", meaning="step size of inference"))
    symbols.append(Symbol("step", DEFINED, 3, shape="layer, batch, unit", meaning="x_{t+1} - x_t"))
    goals = (
        Statement((), (), Tangent("x", e.energy, state_pairing("gx", "Dx"))),
        Statement(
            ("l", "b", "i"),
            (ge(l, 1), lt(l, L), *STATE),
            Eq(App("step", (l, b, i)), mul(-1, gamma, App("gx", (l, b, i)))),
        ),
    )
    from ..tactics.energy_gradient import energy_script

    return Claim(
        id=f"{e.name}_dynamics",
        theory=theory.extend(tuple(symbols), ((Definition("step", ("l", "b", "i"), e.step),),)),
        goals=goals,
        title=f"{e.name}: the step is -gamma dF/dx",
        script=energy_script,
        says="gradient",
    )


def plasticity(e: Equations) -> Claim:
    """The change of every weight is -alpha dF/dtheta of the rule's own energy.  Source: eq. 9.

    RuleError where the change reads more than the state.
    """
    net = e.net
    # predictions are polynomials in the weights: nothing is assumed of f', but of what else stands in F
    theory = replace(energy_gradient_theory(net, e.energy), hypotheses=differentiable(e.energy))
    symbols = [p for p in (DATA[2], *e.parameters) if p.name not in theory.symbols]
    gradients = {k.name: "g" + k.name for k in net.kinds}
    variations = {k.name: variation(k.name) for k in net.kinds}
    goals = [Statement((), (), Tangent("weights", e.energy, weight_pairing(net, gradients, variations)))]
    groups: list[tuple[Definition, ...]] = []
    for k in net.kinds:
        units, ranges = unit_ranges(k)
        _of_the_state(f"change of {k.name}", e.change[k.name], theory, (DATA[2], *e.parameters), {"l", *k.units})
        symbols.append(Symbol(k.change, DEFINED, 1 + len(units), shape=k.shape, meaning="change that the rule makes"))
        groups.append((Definition(k.change, ("l", *k.units), tuple(e.change[k.name])),))
        expected = mul(-1, App("alpha"), App("g" + k.name, (l, *units)))
        goals.append(
            Statement(("l", *k.units), (ge(l, 1), le(l, L), *ranges), Eq(App(k.change, (l, *units)), expected))
        )
    from ..tactics.energy_gradient import energy_script

    return Claim(
        id=f"{e.name}_plasticity",
        theory=theory.extend(tuple(symbols), tuple(groups)),
        goals=tuple(goals),
        title=f"{e.name}: the plasticity is -alpha dF/dtheta",
        script=energy_script,
        says="gradient",
    )


def is_gradient_descent(e: Equations) -> Claim:
    """The total change that the rule makes is -alpha times the gradient of the loss.

    Where f' is the derivative of f at the visited points.  Source: Theorem 3.2
    with eq. 3.
    """
    from ..tactics.loss_gradient import rule_gradient_script

    net = e.net
    theory = with_loss_gradient(net, timed_theory(e))
    symbols, groups = [], []
    names = {}
    for k in net.kinds:
        units, _ = unit_ranges(k)
        name = "total_" + k.name
        names[k.name] = name
        symbols.append(
            Symbol(name, DEFINED, 1 + len(units), shape=k.shape, meaning=f"{k.name} after time L minus its start")
        )
        change = add(App(k.name, (L, l, *units)), mul(-1, App(k.initial, (l, *units))))
        groups.append((Definition(name, ("l", *k.units), (Case((ge(l, 1), le(l, L)), change),)),))
    pairings = weight_pairing(net, names, {k.name: variation(k.initial) for k in net.kinds})
    terms = pairings.args if len(net.kinds) > 1 else (pairings,)  # type: ignore[attr-defined]
    goal = Statement((), (), Tangent("weights", mul(App("alpha"), net.loss()), add(*(mul(-1, p) for p in terms))))
    return Claim(
        id=f"{e.name}_gradient",
        theory=theory.extend(tuple(symbols), tuple(groups)),
        goals=(goal,),
        equations=e,
        script=rule_gradient_script,
        says="gradient",
        title=f"{e.name}: the total weight change is -alpha times the gradient of the loss",
    )
