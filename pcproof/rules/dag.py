"""Fixed prediction on any directed acyclic graph of vector vertices.

Source: Millidge, Tschantz and Buckley (2020), section 2, signs repaired.

Vertices 0..L stand in topological order from the output (0) to the input (L,
all inputs in one vector): vertex m may read vertices l > m, and J[m,l,i,j] is
the derivative of its unit i by unit j of vertex l at the forward pass, 0 where
there is no edge.  A chain of layers is the graph with edges l -> l - 1.
"""

from __future__ import annotations

from dataclasses import replace

from ..language.diff import diff
from ..language.index import Con, Idx, eq, ge, le, lt, qvar, size, span
from ..language.signature import (
    DEFINED,
    PARAMETER,
    Case,
    Claim,
    Definition,
    Eq,
    Relation,
    Statement,
    Symbol,
    Tangent,
    Theory,
)
from ..language.terms import ONE, ZERO, App, Term, add, mul, neg, replace_apps, total
from ..networks.network import L, width

t, l, i, p = qvar("t"), qvar("l"), qvar("i"), qvar("p")
UNIT = span(i, 0, width(l))
SIZES, ASSUMPTIONS = {"L": 0, "n": 1, "m": 1}, (ge(L, 1),)
INNER = (ge(l, 0), lt(l, L))
HIDDEN = (ge(l, 1), lt(l, L))
GRAPH = (
    Symbol("y", PARAMETER, 2, shape="vertex, unit", meaning="prediction, held at the forward pass"),
    Symbol("J", PARAMETER, 4, shape="vertex, vertex, unit to, unit from", meaning="derivative of y along an edge"),
    Symbol("Jp", PARAMETER, 3, shape="vertex, unit, parameter", meaning="derivative of y by the vertex's parameters"),
    Symbol("w", PARAMETER, 2, shape="vertex, parameter", meaning="parameters at the forward pass"),
    Symbol("e0", PARAMETER, 1, shape="unit", meaning="minus the derivative of the loss by the output"),
    Symbol("alpha", PARAMETER, 0, shape="scalar", meaning="learning rate of the parameters"),
)
STATE = Symbol("x", PARAMETER, 2, shape="vertex, unit", meaning="activity")
X, Y, EPS, DELTA, GX = (App(n, (l, i)) for n in ("x", "y", "eps", "delta", "gx"))
VERTEX, WEIGHT = ("l", "i"), ("l", "p")


def parameters(vertex: Idx) -> Idx:
    """m(l): number of parameters of a vertex."""
    return size("m", vertex)


def everywhere(relation: Relation, *guards: Con) -> Statement:
    """At the vertices given, for every unit."""
    return Statement(VERTEX, (*guards, *UNIT), relation)


# -- derived: the step, the changes, backprop ---------------------------------------
def linear_prediction(vertex: Idx, unit: Idx) -> Term:
    """What a vertex predicts near the forward pass: y + sum of J (x - y) + sum of Jp (theta - w)."""

    def moved(m: Idx, j: Idx) -> Term:
        return mul(App("J", (vertex, m, unit, j)), add(App("x", (m, j)), neg(App("y", (m, j)))))

    def learnt(q: Idx) -> Term:
        return mul(App("Jp", (vertex, unit, q)), add(App("theta", (vertex, q)), neg(App("w", (vertex, q)))))

    edges = total(L - vertex, lambda k: total(width(vertex + 1 + k), lambda j: moved(vertex + 1 + k, j)))
    return add(App("y", (vertex, unit)), edges, total(parameters(vertex), learnt))


def energy() -> Term:
    """F = sum over vertices below the input and their units of eps^2 / 2."""

    def square(vertex: Idx, unit: Idx) -> Term:
        e = App("eps", (vertex, unit))
        return mul(e, e) / 2

    return total(L, lambda m: total(width(m), lambda u: square(m, u)))


def energy_derivative(by: App, domain: tuple[Con, ...], ranges: tuple[Con, ...]) -> tuple[Case, ...]:
    """dF by an activity or a parameter, by differentiation, in the errors eps."""
    theta = Symbol("theta", PARAMETER, 2, shape="vertex, parameter", meaning="parameters")
    symbols = (*GRAPH, STATE, theta, Symbol("eps", DEFINED, 2, shape="vertex, unit", meaning="prediction error"))
    error = Definition("eps", VERTEX, (Case(INNER, add(X, neg(linear_prediction(l, i)))),))
    theory = Theory(SIZES, ASSUMPTIONS, {s.name: s for s in symbols}, ((error,),))
    return diff(theory, energy(), by).cases(domain, (*ASSUMPTIONS, *ranges))


def lagrangian() -> Term:
    """<e0, y^0> + sum over edges and parameters of <delta, J y + Jp w>, whose stationarity in y is backprop."""

    def along(child: Idx, parent: Idx) -> Term:
        def term(j: Idx, k: Idx) -> Term:
            return mul(App("J", (child, parent, k, j)), App("delta", (child, k)), App("y", (parent, j)))

        return total(width(parent), lambda j: total(width(child), lambda k: term(j, k)))

    def own(vertex: Idx) -> Term:
        def term(q: Idx, k: Idx) -> Term:
            return mul(App("Jp", (vertex, k, q)), App("delta", (vertex, k)), App("w", (vertex, q)))

        return total(parameters(vertex), lambda q: total(width(vertex), lambda k: term(q, k)))

    output = total(width(Idx(0)), lambda k: mul(App("e0", (k,)), App("y", (0, k))))
    edges = total(L - 1, lambda m: total(m + 1, lambda child: along(child, m + 1)))
    return add(output, edges, total(L, own))


def backprop_derivative(by: App, domain: tuple[Con, ...], ranges: tuple[Con, ...]) -> tuple[Case, ...]:
    """The derivative of the Lagrangian by y (delta) or by w (the change, but for alpha)."""
    symbols = (*GRAPH, Symbol("delta", PARAMETER, 2, shape="vertex, unit", meaning="multiplier"))
    theory = Theory(SIZES, ASSUMPTIONS, {s.name: s for s in symbols})
    return diff(theory, lagrangian(), by).cases(domain, (*ASSUMPTIONS, *ranges))


def scaled(factor: Term, cases: tuple[Case, ...]) -> tuple[Case, ...]:
    return tuple(Case(c.guard, mul(factor, c.value)) for c in cases)


def backprop() -> tuple[tuple[Symbol, ...], tuple[tuple[Definition, ...], ...]]:
    """delta, by recursion from the output, and the changes dw of every parameter."""
    own = span(p, 0, parameters(l))
    delta = Definition("delta", VERTEX, backprop_derivative(Y, INNER, UNIT), (l,))
    changes = scaled(App("alpha"), backprop_derivative(App("w", (l, p)), INNER, own))
    symbols = (
        Symbol("delta", DEFINED, 2, shape="vertex, unit", meaning="error of backprop, minus the loss's derivative"),
        Symbol("dw", DEFINED, 2, shape="vertex, parameter", meaning="change made by backprop"),
    )
    return symbols, ((delta,), (Definition("dw", WEIGHT, changes),))


# -- the fixed point ------------------------------------------------------------------
def held_theory(hypotheses: dict[str, Statement]) -> Theory:
    """A state x whose errors eps = x - y are those of held predictions, its gradient, its changes; beside backprop."""
    own = span(p, 0, parameters(l))
    symbols, groups = backprop()
    changes = scaled(neg(App("alpha")), energy_derivative(App("theta", (l, p)), INNER, own))
    mine = (
        STATE,
        Symbol("eps", DEFINED, 2, shape="vertex, unit", meaning="prediction error, predictions held"),
        Symbol("gx", DEFINED, 2, shape="vertex, unit", meaning="gradient of F by the activities, in these errors"),
        Symbol("dtheta", DEFINED, 2, shape="vertex, parameter", meaning="change that the rule makes"),
    )
    definitions = (
        (Definition("eps", VERTEX, (Case(INNER, add(X, neg(Y))),)),),
        (Definition("gx", VERTEX, energy_derivative(X, HIDDEN, UNIT)),),
        (Definition("dtheta", WEIGHT, changes),),
    )
    base = {s.name: s for s in (*GRAPH, *mine, *symbols)}
    return Theory(SIZES, ASSUMPTIONS, base, (*groups, *definitions), hypotheses)


def output_clamped() -> Statement:
    moved = add(App("y", (0, i)), App("e0", (i,)))
    return Statement(("i",), span(i, 0, width(Idx(0))), Eq(App("x", (0, i)), moved))


def fixed_point() -> Claim:
    """Output clamped, nothing moves: every error and every change is backprop's.  Source: eqs 5, 6, repaired."""
    from ..tactics.dag import fixed_point_script

    theory = held_theory({"output_clamped": output_clamped(), "at_rest": everywhere(Eq(GX, ZERO), *HIDDEN)})
    same = Eq(App("dtheta", (l, p)), App("dw", (l, p)))
    goals = (
        everywhere(Eq(EPS, DELTA), *INNER),
        Statement(WEIGHT, (*INNER, *span(p, 0, parameters(l))), same),
    )
    return Claim(
        "dag_fixed_point",
        theory,
        goals,
        script=fixed_point_script,
        says="recursion",
        title="Fixed prediction on any DAG: where nothing moves, every error and every change is backprop's",
    )


def fixed_point_exists() -> Claim:
    """x = y + delta: the output is clamped and nothing moves."""
    from ..tactics.dag import exists_script

    theory = held_theory({"x_is_y_plus_delta": everywhere(Eq(X, add(Y, DELTA)), *INNER)})
    return Claim(
        "dag_fixed_point_exists",
        theory,
        (output_clamped(), everywhere(Eq(GX, ZERO), *HIDDEN)),
        script=exists_script,
        says="recursion",
        title="Fixed prediction on any DAG: nothing moves where x is the forward pass plus backprop's errors",
    )


# -- the iteration --------------------------------------------------------------------
def running_theory(gamma: Term = ONE) -> Theory:
    """Euler's iteration of step gamma from any start x0; errors eps = x - y, predictions held."""
    now, before = (t, l, i), (t - 1, l, i)
    symbols, groups = backprop()
    (gradient,) = energy_derivative(X, HIDDEN, UNIT)

    def at(a: App) -> Term | None:
        return App("eps", (t - 1, *a.idx)) if a.name == "eps" else None

    step = mul(-1, gamma, replace_apps(gradient.value, at))
    cases = (
        Case((ge(t, 0), eq(l, 0)), add(App("y", (0, i)), App("e0", (i,)))),
        Case((eq(t, 0), *HIDDEN), App("x0", (l, i))),
        Case((ge(t, 1), *HIDDEN), add(App("x", before), step)),
    )
    error = add(App("x", now), neg(Y))
    group = (
        Definition("x", ("t", "l", "i"), cases, (t, Idx(0))),
        Definition("eps", ("t", "l", "i"), (Case((ge(t, 0), *INNER), error),), (t, Idx(1))),
    )
    mine = (
        Symbol("x0", PARAMETER, 2, shape="vertex, unit", meaning="hidden activities at the start"),
        Symbol("x", DEFINED, 3, shape="time, vertex, unit", meaning="activity"),
        Symbol("eps", DEFINED, 3, shape="time, vertex, unit", meaning="prediction error, predictions held"),
    )
    base = {s.name: s for s in (*GRAPH, *mine, *symbols)}
    return Theory(SIZES, ASSUMPTIONS, base, (*groups, group))


def euler(gamma: Term = ONE) -> Claim:
    """gamma = 1, any start: from t = l on the error of vertex l is backprop's, so L - 1 steps are exact.

    Source: section 2; Rosenbaum (2022), Theorem 1, for chains.
    """
    from ..tactics.dag import euler_script

    guards = (ge(t, 0), ge(t, l), *INNER, *UNIT)
    arrived = Statement(("t", "l", "i"), guards, Eq(App("eps", (t, l, i)), DELTA))
    start = everywhere(Eq(App("eps", (0, l, i)), add(App("x0", (l, i)), neg(Y))), *HIDDEN)
    return Claim(
        "dag_euler",
        running_theory(gamma),
        (arrived, start),
        script=euler_script,
        says="recursion",
        title="Fixed prediction on any DAG, gamma = 1: L - 1 steps are exact from every start",
    )


# -- backprop is the derivative of the loss -------------------------------------------
def forward_theory() -> Theory:
    """Backprop beside the forward derivatives Dy of every vertex, by the chain rule, along a variation Dw."""
    symbols, groups = backprop()
    vertex = (l, i)

    def own(q: Idx) -> Term:
        return mul(App("Jp", (l, i, q)), App("Dw", (l, q)))

    def read(m: Idx, j: Idx) -> Term:
        return mul(App("J", (l, m, i, j)), App("Dy", (m, j)))

    moved = total(L - l - 1, lambda q: total(width(l + 1 + q), lambda j: read(l + 1 + q, j)))
    mine = (
        Symbol("Dw", PARAMETER, 2, shape="vertex, parameter", meaning="variation of the parameters"),
        Symbol("u", DEFINED, 2, shape="vertex, unit", meaning="derivative by the vertex's own parameters"),
        Symbol("Dy", DEFINED, 2, shape="vertex, unit", meaning="derivative of y along the variation, input fixed"),
    )
    definitions = (
        (Definition("u", VERTEX, (Case(INNER, total(parameters(l), own)),)),),
        (Definition("Dy", VERTEX, (Case(INNER, add(App("u", vertex), moved)),), (L - l,)),),
    )
    base = {s.name: s for s in (*GRAPH, *mine, *symbols)}
    return Theory(SIZES, ASSUMPTIONS, base, (*groups, *definitions))


def gradient() -> Claim:
    """alpha <e0, Dy^0> = sum of <dw, Dw>: the changes are -alpha times the loss's derivative, on every graph.

    e0 is minus the derivative of the loss by the output; Dy runs forward by the
    chain rule along any variation Dw, delta backward.
    """
    from ..tactics.dag_gradient import gradient_script

    output = total(width(Idx(0)), lambda j: mul(App("e0", (j,)), App("Dy", (0, j))))
    paired = total(L, lambda m: total(parameters(m), lambda q: mul(App("dw", (m, q)), App("Dw", (m, q)))))
    own = total(L, lambda m: total(width(m), lambda j: mul(App("delta", (m, j)), App("u", (m, j)))))
    return Claim(
        "dag_gradient",
        forward_theory(),
        (Statement((), (), Eq(output, own)), Statement((), (), Eq(mul(App("alpha"), output), paired))),
        script=gradient_script,
        says="recursion",
        title="Backprop on any DAG: the changes are minus alpha times the loss's derivative along every variation",
    )


# -- the step is the gradient of an energy ----------------------------------------------
def energy_theory() -> Theory:
    """The energy of the linearised graph, its errors x - prediction, with its gradient by the activities."""
    theta = Symbol("theta", PARAMETER, 2, shape="vertex, parameter", meaning="parameters")
    mine = (
        STATE,
        theta,
        Symbol("Dx", PARAMETER, 2, shape="vertex, unit", meaning="variation of the activities"),
        Symbol("eps", DEFINED, 2, shape="vertex, unit", meaning="prediction error, predictions moving"),
        Symbol("gx", DEFINED, 2, shape="vertex, unit", meaning="gradient of F by the activities"),
    )
    every = (ge(l, 0), le(l, L))
    definitions = (
        (Definition("eps", VERTEX, (Case(INNER, add(X, neg(linear_prediction(l, i)))),)),),
        (Definition("gx", VERTEX, energy_derivative(X, every, UNIT)),),
    )
    base = {s.name: s for s in (*GRAPH, *mine)}
    return Theory(SIZES, ASSUMPTIONS, base, definitions, {}, {"x": {"x": "Dx"}})


def energy_gradient() -> Claim:
    """For every variation Dx the derivative of F is <gx, Dx>."""
    from ..tactics.dag_gradient import energy_script

    paired = total(L + 1, lambda m: total(width(m), lambda j: mul(App("gx", (m, j)), App("Dx", (m, j)))))
    return Claim(
        "dag_energy_gradient",
        energy_theory(),
        (Statement((), (), Tangent("x", energy(), paired)),),
        script=energy_script,
        says="gradient",
        title="A graph's energy: its gradient by a vertex is the error minus what the vertices that read it feed back",
    )


def level(vertex: Idx) -> Idx:
    """lev(l): level of a vertex, its longest distance to the output."""
    return size("lev", vertex)


def levels() -> Claim:
    """gamma = 1, any start: from t = lev(l) on the error of vertex l is backprop's: as many steps as levels are exact.

    Levels of inner vertices that are read are 1 or more, and a vertex reads
    vertices of higher level only.
    """
    from ..tactics.dag import levels_script

    m, j = qvar("m"), qvar("j")
    edge = Eq(App("J", (m, l, j, i)), ZERO)
    pair = (ge(m, 0), lt(m, l), lt(l, L), *UNIT, *span(j, 0, width(m)))
    theory = running_theory().extend(
        hypotheses={
            "levels_rise": Statement(("m", "l", "j", "i"), (*pair, ge(level(m), level(l))), edge),
            "levels_positive": Statement(("m", "l", "j", "i"), (ge(m, 1), *pair, le(level(m), 0)), edge),
        }
    )
    guards = (ge(t, 1), ge(t, level(l)), *HIDDEN, *UNIT)
    arrived = Statement(("t", "l", "i"), guards, Eq(App("eps", (t, l, i)), DELTA))
    start = everywhere(Eq(App("eps", (0, l, i)), add(App("x0", (l, i)), neg(Y))), *HIDDEN)
    return Claim(
        "dag_levels",
        replace(theory, sizes={**SIZES, "lev": 1}),
        (arrived, start),
        script=levels_script,
        says="recursion",
        title="Fixed prediction on any DAG, gamma = 1: as many steps as levels are exact from every start",
    )
