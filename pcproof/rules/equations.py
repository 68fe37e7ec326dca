"""A learning rule as equations, and the theories that they define.

``Equations`` holds what a rule says, in static symbols: x[l,b,i], theta[l,i,j],
mu, eps.  ``timed_theory`` runs it: x_t, theta_t, mu_t, eps_t with an update
order; ``energy_theory`` keeps it static, to compare the step with -dF/dx.
Mutations act on ``Equations``, so every theory changes with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..language.arith import unsatisfiable
from ..language.index import Con, Idx, QVar, ge, le, qvar
from ..language.signature import DEFINED, Case, Definition, Symbol, Theory
from ..language.terms import ONE, ZERO, App, Lam, Term, add, mul, replace_apps, subst, subst_con, subterms
from ..networks.backprop import DATA, backprop_definitions, initial_symbols
from ..networks.network import L, Network
from .errors import RuleError as RuleError
from .sweeps import FROM_OUTPUT, SWEEPS, measures, seen

SYNCHRONOUS = "synchronous"
ORDERS = {
    SYNCHRONOUS: "everything at time t is computed from values of time t, then written",
    "weights-first": "weights are written first, activities move with the new weights",
    "states-first": "activities are written first, weights use old errors and new activities",
    "states-first-fresh": "activities are written first, errors are computed again, then weights",
}
PHI, QUIET = "phi", "quiet"
VELOCITY = "velocity"  # the last move of the activities, where they have momentum
t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")
EVERY_STEP = ge(t, 0)  # as ``when``: all weights learn at every time


@dataclass(frozen=True)
class Gate:
    """A rule that learns at every time, each unit by a factor phi of its own.

    value: phi over l, b, i, from the unit's error eps[l,b,i] and, where there
        is a window, from quiet[window,l,b,i].
    past: what ``quiet`` multiplies up over the ``window`` times before the
        present, over l, b, i; times before 0 count as 1.
    """

    value: Term
    past: Term | None = None
    window: Idx = Idx(0)


@dataclass(frozen=True)
class Equations:
    """What a rule says.

    energy: F of the activities x and weights theta.
    start: activity of hidden layers at time 0, over l, b, i.
    step: cases over hidden layers l, of x_{t+1} - x_t, in x, theta, mu, eps.
    change: for each kind of weight, the change of theta[l,..] when it learns.
    when: constraint on t and l: theta[l] learns at time t; or ``EVERY_STEP``.
    gate: factor phi[l,b,i] of each unit's learning, read in ``change``; with it
        ``when`` is ``EVERY_STEP``.
    order: one of ``ORDERS`` or of ``sweeps.SWEEPS``.
    parameters: further symbols (gamma, ...); sizes: further integers (t_c).
    held: predictions and their derivatives keep the values of the forward pass.
    momentum: factor of the last move of the activities that is added to each step.
    output: what the output layer is clamped to, over b, i; None for the target.
    substeps: how often the activities move in one time step; t counts these
        moves, theta[l] learns from what it finds at ``when`` and is written that many later.
    """

    net: Network
    energy: Term
    start: Term
    step: tuple[Case, ...]
    change: Mapping[str, tuple[Case, ...]]
    when: Con
    order: str = SYNCHRONOUS
    parameters: tuple[Symbol, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    name: str = "rule"
    held: bool = False
    gate: Gate | None = None
    momentum: Term | None = None
    output: Term | None = None
    substeps: int = 1

    @property
    def clamped(self) -> Term:
        """The activity of the output layer, over b, i."""
        return App("s_out", (b, i)) if self.output is None else self.output

    @property
    def error(self) -> str:
        """The error that weights learn by: in a sweep from the output, that of activities already moved."""
        return "eps_mixed" if self.order == FROM_OUTPUT else "eps"


def _at_times(term: Term, net: Network, x: Idx, theta: Idx, names: Mapping[str, str], errors: Idx) -> Term:
    """Put times into a static term: activities at ``x``, weights at ``theta``, mu and eps at ``errors``."""
    kinds = {k.name for k in net.kinds}

    def put(a: App) -> Term | None:
        if a.name == "x" and len(a.idx) == 3:
            return App("x", (x, *a.idx))
        if a.name in kinds:
            return App(a.name, (theta, *a.idx))
        if a.name in ("mu", "eps") and len(a.idx) == 3:
            return App(names[a.name], (errors, *a.idx))
        if a.name in (PHI, QUIET):
            return App(a.name, (errors, *a.idx))
        return None

    return replace_apps(term, put)


def hold(net: Network, term: Term, weights: bool = False) -> Term:
    """What functions are applied to is taken from the forward pass; with ``weights``, every weight is too."""
    initial = {k.name: k.initial for k in net.kinds}

    def forward(a: App) -> Term | None:
        if a.name == "x":
            return App("y", a.idx)
        return App(initial[a.name], a.idx) if a.name in initial else None

    def put(a: App) -> Term | None:
        if a.args:
            return App(a.name, a.idx, [Lam(arg.arity, replace_apps(arg.body, forward)) for arg in a.args])
        return forward(a) if weights and a.name in initial else None

    return replace_apps(term, put)


def held_equations(e: Equations) -> Equations:
    """The same step and changes with predictions and their derivatives held, in static symbols."""
    step = tuple(Case(c.guard, hold(e.net, c.value, weights=True)) for c in e.step)
    change = {n: tuple(Case(c.guard, hold(e.net, c.value)) for c in cases) for n, cases in e.change.items()}
    return replace(e, step=step, change=change)


def other_orders(e: Equations) -> dict[str, str]:
    """Update orders that compute something else than the rule's own.

    Where predictions are held no step reads a weight that changes, and unless a
    change reads the activities themselves, only errors tell the orders apart.
    """
    same = {e.order}
    if e.held:
        changes = [c.value for cases in held_equations(e).change.values() for c in cases]
        moving = any(isinstance(s, App) and s.name == "x" for value in changes for s in subterms(value))
        stale = {SYNCHRONOUS, "weights-first"} if moving else {SYNCHRONOUS, "weights-first", "states-first"}
        same |= stale if e.order in stale else set()
    if e.momentum is not None:
        return {}
    orders = {**ORDERS, **SWEEPS} if e.order in SWEEPS else ORDERS
    return {order: meaning for order, meaning in orders.items() if order not in same}


def moment(when: Con) -> Idx:
    """The time at which theta[l] learns, from the equation ``when``; RuleError where it is no single time."""
    if when == EVERY_STEP:
        raise RuleError("the rule learns at every step; this asks for one moment for each layer, and it has none")
    coeff = dict(when.expr.terms).get(QVar("t"), 0)
    if when.kind != "eq" or abs(coeff) != 1:
        raise RuleError(f"`when` must fix one moment for each layer, like Eq(t, l); got {when!r}")
    return (when.expr - Idx(0, ((QVar("t"), coeff),))) * -coeff


def first_moment(e: Equations) -> Idx:
    """When theta[l] first learns by an error: at its moment, or where it learns at every step as the wave arrives."""
    return l - 1 if e.when == EVERY_STEP else moment(e.when)


def written(e: Equations) -> Idx:
    """The first time at which theta[l] has made its first change."""
    return first_moment(e) + e.substeps


def timed_theory(e: Equations) -> Theory:
    """The network in motion beside the ANN that starts with the same weights."""
    net = e.net
    if e.held:
        e = held_equations(e)
    if e.order not in ORDERS and e.order not in SWEEPS:
        raise RuleError(f"unknown update order {e.order!r}; expected one of {', '.join((*ORDERS, *SWEEPS))}")
    if e.gate is not None and e.order != SYNCHRONOUS:
        raise RuleError("a rule that learns by its errors is understood in the synchronous order only")
    if e.order in SWEEPS and e.held:
        raise RuleError("predictions are held in orders that are no sweeps")
    if e.momentum is not None and (e.order != SYNCHRONOUS or e.held or e.gate is not None):
        raise RuleError("momentum is understood in the synchronous order, without held predictions or gates")
    if e.substeps != 1 and (e.order != SYNCHRONOUS or e.gate is not None):
        raise RuleError("sub-steps are understood in the synchronous order, without gates")
    plain = {"mu": "mu", "eps": "eps"}
    mixed = {"mu": "mu_mixed", "eps": "eps_mixed"}
    rank = {
        SYNCHRONOUS: dict(x=0, theta=0, mu=1, eps=2, phi=3, change=4)
        if e.gate is not None
        else dict(x=0, theta=0, mu=1, eps=2, change=3),
        "weights-first": dict(theta=0, mu_mixed=1, eps_mixed=2, x=3, mu=4, eps=5, change=6),
        "states-first": dict(x=0, change=1, theta=2, mu=3, eps=4),
        "states-first-fresh": dict(x=0, mu_mixed=1, eps_mixed=2, change=3, theta=4, mu=5, eps=6),
    }.get(e.order, {})
    late = e.order in ("states-first", "states-first-fresh")  # the change made at t looks at x of t+1
    before = t - 1
    # the step that leads to time t, and the change made at time t
    mixed_x, mixed_theta, mixed_measure = t + 1, t, t + 1
    if e.order == "weights-first":
        moved = [_at_times(subst(c.value, {"t": before}), net, before, t, mixed, t) for c in e.step]
        mixed_x, mixed_theta, mixed_measure = before, t, t
    elif e.order in SWEEPS:
        moved = [seen(subst(c.value, {"t": before}), net, e.order, before, c.guard) for c in e.step]
    else:
        moved = [_at_times(subst(c.value, {"t": before}), net, before, before, plain, before) for c in e.step]
    if e.order in SWEEPS:
        read = [(c.value, c.guard) for cases in (e.step, *e.change.values()) for c in cases]
        measure = measures(net, e.order, read, t)
    else:
        at = {"change": t + 1 if late else t, "mu_mixed": mixed_measure, "eps_mixed": mixed_measure}
        measure = {name: (at.get(name, t), Idx(n)) for name, n in rank.items()}
    error_names = mixed if e.order == "states-first-fresh" else plain
    hidden, running = (ge(l, 1), le(l + 1, L)), (ge(t, 0),)
    x_cases = [
        Case((*running, *_equal(l, L)), App("s_in", (b, i))),
        Case((*running, *_equal(l, Idx(0))), e.clamped),
        Case((*_equal(t, Idx(0)), *hidden), e.start),
    ]
    v_cases = [Case((*_equal(t, Idx(0)), *hidden), ZERO)]
    for c, value in zip(e.step, moved):
        guard = (ge(t, 1), *(subst_con(g, {"t": before}) for g in c.guard))
        if e.momentum is not None:
            value = add(mul(e.momentum, App(VELOCITY, (before, l, b, i))), value)
            v_cases.append(Case(guard, value))
        x_cases.append(Case(guard, add(App("x", (before, l, b, i)), value)))
    forward = App("y", (l, b, i))
    mu = net.prediction(lambda *a: App("x", (t, *a)), lambda k, a: App(k, (t, *a)), l, b, i)
    if e.held:
        mu = forward
    inner = (*running, ge(l, 0), le(l + 1, L))
    group = [
        Definition("x", ("t", "l", "b", "i"), tuple(x_cases), measure["x"]),
        Definition("mu", ("t", "l", "b", "i"), (Case(inner, mu),), measure["mu"]),
        Definition(
            "eps",
            ("t", "l", "b", "i"),
            (Case(inner, App("x", (t, l, b, i)) - App("mu", (t, l, b, i))),),
            measure["eps"],
        ),
    ]
    symbols = [
        Symbol("x", DEFINED, 4, shape="time, layer, batch, unit", meaning="activity of the value nodes"),
        Symbol("mu", DEFINED, 4, shape="time, layer, batch, unit", meaning="predicted activity"),
        Symbol("eps", DEFINED, 4, shape="time, layer, batch, unit", meaning="prediction error"),
    ]
    if e.momentum is not None:
        group.append(Definition(VELOCITY, ("t", "l", "b", "i"), tuple(v_cases), measure["x"]))
        symbols.append(
            Symbol(VELOCITY, DEFINED, 4, shape="time, layer, batch, unit", meaning="last move of the value nodes")
        )
    if "mu_mixed" in rank:
        mu2 = net.prediction(lambda *a: App("x", (mixed_x, *a)), lambda k, a: App(k, (mixed_theta, *a)), l, b, i)
        if e.held:
            mu2 = forward
        domain = (ge(mixed_x, 0), ge(mixed_theta, 0), ge(l, 0), le(l + 1, L))
        error = App("x", (mixed_x, l, b, i)) - App("mu_mixed", (t, l, b, i))
        group += [
            Definition("mu_mixed", ("t", "l", "b", "i"), (Case(domain, mu2),), measure["mu_mixed"]),
            Definition("eps_mixed", ("t", "l", "b", "i"), (Case(domain, error),), measure["eps_mixed"]),
        ]
        symbols += [
            Symbol("mu_mixed", DEFINED, 4, shape="time, layer, batch, unit", meaning="prediction from unequal times"),
            Symbol("eps_mixed", DEFINED, 4, shape="time, layer, batch, unit", meaning="error from unequal times"),
        ]
    if e.order in SWEEPS:
        moved_x, moved_mu = (t + 1, t) if e.order == FROM_OUTPUT else (t, t + 1)
        error = App("x", (moved_x, l, b, i)) - App("mu", (moved_mu, l, b, i))
        group.append(Definition("eps_mixed", ("t", "l", "b", "i"), (Case(inner, error),), measure["eps_mixed"]))
        symbols.append(
            Symbol("eps_mixed", DEFINED, 4, shape="time, layer, batch, unit", meaning="error in the midst of a sweep")
        )
    if e.gate is not None:
        group += _gate_definitions(e.gate, net, plain, Idx(rank["phi"]))
        symbols += _gate_symbols(e.gate)
    for k in net.kinds:
        units = tuple(qvar(u) for u in k.units)
        layers = (ge(l, 1), le(l, L))
        changes = tuple(
            Case(
                (*running, *c.guard),
                seen(c.value, net, e.order, t, c.guard)
                if e.order in SWEEPS
                else _at_times(c.value, net, t + 1 if late else t, t, error_names, t),
            )
            for c in e.change[k.name]
        )
        group.append(Definition(k.change, ("t", "l", *k.units), changes, measure["change"]))
        old = App(k.name, (before, l, *units))
        begun = t - e.substeps
        learning = subst_con(e.when, {"t": begun})
        cases = [
            Case((*_equal(t, Idx(0)), *layers), App(k.initial, (l, *units))),
            Case((ge(begun, 0), *layers, learning), add(old, App(k.change, (begun, l, *units)))),
        ]
        if e.substeps > 1:
            cases.append(Case((ge(t, 1), le(begun + 1, 0), *layers), old))
        if e.when != EVERY_STEP:
            rest = [(ge(begun, 0), *layers, other) for other in learning.negations()]
            cases += [Case(guard, old) for guard in rest if not unsatisfiable((*net.assumptions, *guard))]
        group.append(Definition(k.name, ("t", "l", *k.units), tuple(cases), measure["theta"]))
        symbols += [
            Symbol(k.name, DEFINED, 2 + len(units), shape="time, " + k.shape, meaning=k.meaning),
            Symbol(k.change, DEFINED, 2 + len(units), shape="time, " + k.shape, meaning="change that the rule makes"),
        ]
    bp_symbols, bp_definitions = backprop_definitions(net)
    base = (*DATA, *initial_symbols(net), *net.functions, *e.parameters, *bp_symbols, *symbols)
    return Theory(
        {**net.sizes, **e.sizes},
        net.assumptions if e.gate is None or not e.gate.window.terms else (*net.assumptions, ge(e.gate.window, 1)),
        {s.name: s for s in base},
        (*bp_definitions, tuple(group)),
    )


def _gate_definitions(gate: Gate, net: Network, names: Mapping[str, str], rank: Idx) -> list[Definition]:
    """``quiet`` by how far its window reaches back, and ``phi``."""
    out = []
    inner = (ge(l, 0), le(l + 1, L))
    if gate.past is not None:
        k = qvar("k")
        last = _at_times(gate.past, net, t - 1, t - 1, names, t - 1)
        cases = (
            Case((*inner, *_equal(t, Idx(0)), ge(k, 0)), ONE),
            Case((*inner, ge(t, 1), *_equal(k, Idx(0))), ONE),
            Case((*inner, ge(t, 1), ge(k, 1)), mul(last, App(QUIET, (t - 1, k - 1, l, b, i)))),
        )
        out.append(Definition(QUIET, ("t", "k", "l", "b", "i"), cases, (t, rank - 1)))
    value = _at_times(gate.value, net, t, t, names, t)
    return [*out, Definition(PHI, ("t", "l", "b", "i"), (Case((ge(t, 0), *inner), value),), (t, rank))]


def _gate_symbols(gate: Gate) -> list[Symbol]:
    out = [Symbol(PHI, DEFINED, 4, shape="time, layer, batch, unit", meaning="factor by which the unit learns")]
    if gate.past is not None:
        meaning = "the window of that many times before holds what the rule asks of it"
        out.append(Symbol(QUIET, DEFINED, 5, shape="time, window, layer, batch, unit", meaning=meaning))
    return out


def _equal(a: Idx, c: Idx) -> tuple[Con, ...]:
    return (Con("eq", a - c),)


def static_theory(e: Equations) -> Theory:
    """Static: the energy's symbols, and the rule's step and changes as definitions."""
    net = e.net
    base = net.energy_theory()
    alpha = DATA[2]
    symbols = [alpha, *e.parameters, Symbol("step", DEFINED, 3, shape="layer, batch, unit", meaning="x_{t+1} - x_t")]
    groups = [(Definition("step", ("l", "b", "i"), e.step),)]
    for k in net.kinds:
        symbols.append(Symbol(k.change, DEFINED, 1 + len(k.units), shape=k.shape, meaning="change that the rule makes"))
        groups.append((Definition(k.change, ("l", *k.units), tuple(e.change[k.name])),))
    theory = Theory({**base.sizes, **e.sizes}, base.assumptions, base.symbols, base.definitions)
    return theory.extend(tuple(symbols), tuple(groups))
