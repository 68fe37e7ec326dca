"""C1 against C3 on the smallest linear chain: one hidden unit, one output, any input.

Source: Song et al. (2020), remark that C1 holds after a converged prediction
phase; with w the weight into the output,

    prediction phase (output free):    Hessian [[1 + w^2, -w], [-w, 1]]
    learning phase (output clamped):   Hessian 1 + w^2

so for 0 < gamma < 2 the prediction phase converges from every start if and
only if 2 gamma w^2 < (2 - gamma)^2 (gamma = 1: 2 w^2 < 1), and the learning
phase if and only if |1 - gamma (1 + w^2)| < 1 (gamma = 1: |w| < 1).

Nothing is said of limits: where the phase converges the squared distance from
where it goes shrinks by a fixed factor in every step; where it does not there
is a start from which it stays above a fixed share of what it was.
"""

from __future__ import annotations

from ..language.diff import diff
from ..language.index import Con, Idx, eq, ge, lt, qvar, span
from ..language.signature import (
    DEFINED,
    PARAMETER,
    Case,
    Claim,
    Definition,
    Eq,
    Le,
    Relation,
    Statement,
    Symbol,
    Theory,
)
from ..language.terms import ZERO, App, Num, Pow, Term, add, mul, neg, replace_apps
from ..networks.backprop import DATA, backprop_definitions
from ..networks.linear import LinearMLP
from ..networks.network import B, L, Network, width
from .claims import GAMMA

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")
AT = ("t", "l", "b", "i")
UNITS = (*span(b, 0, B), *span(i, 0, width(l)))
W = App("theta", (1, 0, 0))
SAMPLE = span(b, 0, B)


# -- a phase of inference, derived from the energy ------------------------------------
def _at(term: Term, time: Idx) -> Term:
    """A static term at one time; the weights do not move."""
    return replace_apps(term, lambda a: App(a.name, (time, *a.idx)) if a.name in ("x", "mu", "eps") else None)


def phase(net: Network, clamped: bool, assumptions: tuple[Con, ...] = ()) -> Theory:
    """Inference in motion: x_{t+1} = x_t - gamma dF/dx from any start x0, the input clamped.

    clamped: the output is clamped too (learning phase); otherwise it is free.
    """
    static = net.energy_theory()
    derived = diff(static, net.energy(), App("x", (l, b, i)))
    first = 1 if clamped else 0
    free = (ge(l, first), lt(l, L))
    gradient = derived.cases(free, (*net.assumptions, *UNITS))
    running = (ge(t, 0),)
    moved = add(App("x", (t - 1, l, b, i)), mul(-1, GAMMA, App("gx", (t - 1, l, b, i))))
    x_cases = [
        Case((*running, eq(l, L)), App("s_in", (b, i))),
        Case((eq(t, 0), *free), App("x0", (l, b, i))),
        Case((ge(t, 1), *free), moved),
    ]
    if clamped:
        x_cases.insert(1, Case((*running, eq(l, 0)), App("s_out", (b, i))))

    def timed(name: str) -> tuple[Case, ...]:
        d = static.definition(name)
        assert d is not None
        return tuple(Case((*running, *c.guard), _at(c.value, t)) for c in d.cases)

    group = (
        Definition("x", AT, tuple(x_cases), (t, Idx(0))),
        Definition("mu", AT, timed("mu"), (t, Idx(1))),
        Definition("eps", AT, timed("eps"), (t, Idx(2))),
        Definition("gx", AT, tuple(Case((*running, *c.guard), _at(c.value, t)) for c in gradient), (t, Idx(3))),
    )
    forward, groups = backprop_definitions(net, own_weights=False)
    symbols = (
        *(s for s in DATA if s.name != "alpha"),
        Symbol("gamma", PARAMETER, shape="scalar", meaning="step size of inference"),
        Symbol("x0", PARAMETER, 3, shape="layer, batch, unit", meaning="activities at the start"),
        *net.weight_symbols(),
        *net.functions,
        *(s for s in forward if s.name == "y"),
        Symbol("x", DEFINED, 4, shape="time, layer, batch, unit", meaning="activity of the value nodes"),
        Symbol("mu", DEFINED, 4, shape="time, layer, batch, unit", meaning="predicted activity"),
        Symbol("eps", DEFINED, 4, shape="time, layer, batch, unit", meaning="prediction error"),
        Symbol("gx", DEFINED, 4, shape="time, layer, batch, unit", meaning="gradient of F by the activities"),
    )
    return Theory(
        net.sizes,
        (*net.assumptions, *assumptions),
        {s.name: s for s in symbols},
        (*(g for g in groups if g[0].name == "y"), group),
    )


SMALLEST = (eq(L, 2), eq(width(Idx(0)), 1), eq(width(Idx(1)), 1))


def smallest(clamped: bool) -> Theory:
    """One hidden unit and one output."""
    return phase(LinearMLP(), clamped, SMALLEST)


def square(a: Term) -> Term:
    return mul(a, a)


def off(layer: int, time: object = t) -> Term:
    """x_t - y of the only unit of a layer."""
    return add(App("x", (time, layer, b, 0)), neg(App("y", (layer, b, 0))))  # type: ignore[arg-type]


def distance(time: object = t) -> Term:
    """Squared distance of a sample from the forward pass."""
    return add(square(off(1, time)), square(off(0, time)))


def often(relation: Relation) -> Statement:
    """At every time, for every sample."""
    return Statement(("t", "b"), (ge(t, 0), *SAMPLE), relation)


REST = add(Num(2), neg(GAMMA))
FAST = mul(2, GAMMA, W, W)  # 2 gamma w^2
SLOW = square(REST)  # (2 - gamma)^2


def rate() -> Term:
    """1 - gamma^2 ((2 - gamma)^2 - 2 gamma w^2) / 9"""
    return add(Num(1), mul(Num(-1) / 9, GAMMA, GAMMA, add(SLOW, neg(FAST))))


def one_step() -> tuple[Statement, ...]:
    """The phase starts at x0, and in each step the deviations from the forward pass are multiplied by I - gamma H."""
    a, out = off(1), off(0)
    hidden = add(mul(add(Num(1), mul(-1, GAMMA, add(Num(1), mul(W, W)))), a), mul(GAMMA, W, out))
    output = add(mul(GAMMA, W, a), mul(add(Num(1), mul(-1, GAMMA)), out))
    starts = [Statement(("b",), SAMPLE, Eq(App("x", (0, n, b, 0)), App("x0", (n, b, 0)))) for n in (1, 0)]
    return (*starts, often(Eq(off(1, t + 1), hidden)), often(Eq(off(0, t + 1), output)))


def prediction_converges() -> Claim:
    """0 <= gamma <= 2 and 2 gamma w^2 <= (2 - gamma)^2: in t steps the distance shrinks by rate^t, from every start.

    0 <= rate <= 1, and rate < 1 where gamma and the difference are not 0.
    """
    from ..tactics.smallest_chain import converges_script

    hypotheses = {
        "gamma_not_negative": Statement((), (), Le(ZERO, GAMMA)),
        "gamma_at_most_2": Statement((), (), Le(GAMMA, Num(2))),
        "weight_small": Statement((), (), Le(FAST, SLOW)),
    }
    goals = (
        *one_step(),
        often(Le(distance(), mul(Pow(rate(), t), distance(0)))),
        Statement((), (), Le(ZERO, rate())),
        Statement((), (), Le(rate(), Num(1))),
    )
    return Claim(
        "prediction_converges",
        smallest(False).extend(hypotheses=hypotheses),
        goals,
        script=converges_script,
        title="Smallest chain: the prediction phase goes to the forward pass where 2 gamma w^2 < (2 - gamma)^2",
    )


def prediction_does_not_converge() -> Claim:
    """(2 - gamma)^2 <= 2 gamma w^2, output at its forward value: w^2 V_0 <= (1 + 2 w^2) V_t at every time."""
    from ..tactics.smallest_chain import does_not_converge_script

    hypotheses = {
        "weight_large": Statement((), (), Le(SLOW, FAST)),
        "output_right": Statement(("b",), SAMPLE, Eq(App("x0", (0, b, 0)), App("y", (0, b, 0)))),
    }
    bound = add(Num(1), mul(2, W, W))
    goal = often(Le(mul(W, W, distance(0)), mul(bound, distance())))
    return Claim(
        "prediction_does_not_converge",
        smallest(False).extend(hypotheses=hypotheses),
        (*one_step(), goal),
        script=does_not_converge_script,
        title="Smallest chain: where 2 gamma w^2 >= (2 - gamma)^2 a wrong hidden unit is never forgotten",
    )


def prediction_with_c3() -> Claim:
    """False: at gamma = 1 the prediction phase comes closer to the forward pass in every step."""
    theory = smallest(False).extend(hypotheses={"C3": Statement((), (), Eq(GAMMA, Num(1)))})
    return Claim(
        "prediction_with_c3",
        theory,
        (often(Le(distance(t + 1), distance())),),
        title="At gamma = 1 the prediction phase comes closer to the forward pass in every step",
    )


# -- learning phase -------------------------------------------------------------------
def _rest_state() -> dict[str, Statement]:
    """xs is the equilibrium of the hidden unit: (1 + w^2) xs = y^1 + w s_out."""
    goes = Eq(mul(add(Num(1), mul(W, W)), App("xs", (b,))), add(App("y", (1, b, 0)), mul(W, App("s_out", (b, 0)))))
    return {"xs_is_the_equilibrium": Statement(("b",), SAMPLE, goes)}


def _clamped() -> Theory:
    symbol = Symbol("xs", PARAMETER, 1, shape="batch", meaning="equilibrium of the hidden unit")
    return smallest(True).extend((symbol,), hypotheses=_rest_state())


def from_equilibrium(time: object = t) -> Term:
    """x_t - xs of the hidden unit."""
    return add(App("x", (time, 1, b, 0)), neg(App("xs", (b,))))  # type: ignore[arg-type]


def learning_phase() -> Claim:
    """x_t - xs = (1 - gamma (1 + w^2))^t (x_0 - xs) for every gamma."""
    from ..tactics.smallest_chain import learning_script

    factor = add(Num(1), mul(-1, GAMMA, add(Num(1), mul(W, W))))
    return Claim(
        "learning_phase",
        _clamped(),
        (often(Eq(from_equilibrium(), mul(Pow(factor, t), from_equilibrium(0)))),),
        script=learning_script,
        title="Smallest chain: the learning phase is off its equilibrium by (1 - gamma (1 + w^2))^t of what it was",
    )


def learning_comes_closer() -> Claim:
    """False: at gamma = 1 the learning phase comes closer to its equilibrium in every step."""
    theory = _clamped().extend(hypotheses={"C3": Statement((), (), Eq(GAMMA, Num(1)))})
    return Claim(
        "learning_comes_closer",
        theory,
        (often(Le(square(from_equilibrium(t + 1)), square(from_equilibrium()))),),
        title="At gamma = 1 the learning phase comes closer to its equilibrium in every step",
    )
