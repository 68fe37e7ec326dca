"""Euler's iteration of fixed prediction on any DAG, of any step: it converges if and only if 0 < gamma < 2.

Source: Millidge, Tschantz and Buckley (2020), section 2; hypotheses and rate
derived.  The deviation from the fixed point d_t = eps_t - delta runs by

    d_t^0 = 0,   d_t^l = (1 - gamma) d_{t-1}^l + gamma sum_{m<l} J[m,l]^T d_{t-1}^m

Nothing is said of limits.  *Rate*: for every rho > (1 - gamma)^2 and every unit
(d_t)^2 <= C rho^t, where the constant C is defined by recursion over the
vertices.  *Sufficient*: 0 < gamma < 2 leaves room for such a rho < 1.
*Necessary*: at the vertex next to the output d_t = (1 - gamma)^t d_0, so for
gamma (2 - gamma) <= 0 it never becomes smaller than it was; d_0 is any number,
as the start is.
"""

from __future__ import annotations

from ..language.index import Idx, ge, lt, qvar, span
from ..language.signature import DEFINED, PARAMETER, Case, Claim, Definition, Eq, Le, Ne, Statement, Symbol, Theory
from ..language.terms import ONE, ZERO, App, Inv, Num, Pow, Term, add, mul, neg, subst, total
from ..networks.network import L, width
from .claims import GAMMA
from .dag import DELTA, HIDDEN, INNER, UNIT, VERTEX, Y, running_theory

t, l, i = qvar("t"), qvar("l"), qvar("i")
REST = add(ONE, neg(GAMMA))  # 1 - gamma
SLOWEST = mul(REST, REST)
RHO = App("rho")
MIDDLE = mul(Num(1) / 2, add(ONE, SLOWEST))  # (1 + (1 - gamma)^2) / 2
NEXT = Idx(1)  # the vertex next to the output
DEV = App("dev", (t, l, i))
AT = ("t", "l", "i")
RUNNING = (ge(t, 0), *INNER, *UNIT)


def dev(time: Idx, vertex: Idx, unit: Idx) -> Term:
    """d_t: how far the error of a unit is from backprop's."""
    return App("dev", (time, vertex, unit))


def constant(vertex: Idx, unit: Idx) -> Term:
    """C: the factor of rho^t in the bound of a unit."""
    return App("C", (vertex, unit))


def fed(value: Term, vertex: Idx = l) -> Term:
    """The sum over the units (m, j) of all vertices m < l of a value written in m and j."""
    return total(vertex, lambda m: total(width(m), lambda j: subst(value, {"m": m, "j": j})))


M, J_UNIT = qvar("m"), qvar("j")
EDGE = App("J", (M, l, J_UNIT, i))


def edges_squared() -> Term:
    """|J|^2 of all that a unit feeds."""
    return fed(mul(EDGE, EDGE))


def with_deviation(theory: Theory) -> Theory:
    """With the step gamma, and the deviation from the fixed point."""
    deviation = Definition("dev", AT, (Case((ge(t, 0), *INNER), add(App("eps", (t, l, i)), neg(DELTA))),))
    symbols = (
        Symbol("gamma", PARAMETER, shape="scalar", meaning="step size of inference"),
        Symbol("dev", DEFINED, 3, shape="time, vertex, unit", meaning="deviation of the error from backprop's"),
    )
    return theory.extend(symbols, ((deviation,),))


def gap_above(rho: Term) -> Term:
    """h = rho - (1 - gamma)^2"""
    return add(rho, neg(SLOWEST))


def amplification(rho: Term) -> Term:
    """2 gamma^2 (rho + (1 - gamma)^2) / h^2"""
    inverse = Inv(gap_above(rho))
    return mul(2, GAMMA, GAMMA, add(rho, SLOWEST), inverse, inverse)


def with_constants(theory: Theory, rho: Term) -> Theory:
    """C^0 = 0, C^l = d_0^2 + 2 gamma^2 (rho + (1 - gamma)^2) / h^2 |J|^2 sum of C over all vertices before l."""
    first = dev(Idx(0), l, i)
    carried = mul(amplification(rho), edges_squared(), fed(constant(M, J_UNIT)))
    cases = (Case((*INNER, lt(l, 1)), ZERO), Case(HIDDEN, add(mul(first, first), carried)))
    symbol = Symbol("C", DEFINED, 2, shape="vertex, unit", meaning="constant of the bound")
    return theory.extend((symbol,), ((Definition("C", VERTEX, cases, (l,)),),))


def theory_of(rho: Term) -> Theory:
    """Any step, any start, and the constants for a rate."""
    return with_constants(with_deviation(running_theory(GAMMA)), rho)


def start() -> Statement:
    """d_0 = x0 - y - delta: any number."""
    relation = Eq(dev(Idx(0), l, i), add(App("x0", (l, i)), neg(Y), neg(DELTA)))
    return Statement(VERTEX, (*HIDDEN, *UNIT), relation)


def one_step() -> tuple[Statement, Statement]:
    """How deviations run."""
    back = fed(mul(EDGE, dev(t - 1, M, J_UNIT)))
    moved = add(mul(REST, dev(t - 1, l, i)), mul(GAMMA, back))
    output = Statement(("t", "i"), (ge(t, 0), *span(i, 0, width(Idx(0)))), Eq(dev(t, Idx(0), i), ZERO))
    return output, Statement(AT, (ge(t, 1), *HIDDEN, *UNIT), Eq(DEV, moved))


def bound(rho: Term) -> Statement:
    """d_t^2 <= C rho^t"""
    return Statement(AT, RUNNING, Le(mul(DEV, DEV), mul(constant(l, i), Pow(rho, t))))


def rate() -> Claim:
    """Every gamma and every rho > (1 - gamma)^2: d_t^2 <= C rho^t, from every start."""
    from ..tactics.dag_convergence import rate_script

    hypotheses = {
        "rho_at_least": Statement((), (), Le(SLOWEST, RHO)),
        "rho_other": Statement((), (), Ne(gap_above(RHO), ZERO)),
    }
    theory = theory_of_symbol().extend(hypotheses=hypotheses)
    return Claim(
        "dag_rate",
        theory,
        (start(), *one_step(), bound(RHO)),
        script=rate_script,
        says="recursion",
        title="Fixed prediction on any DAG: after t steps the squared distance from backprop is at most C rho^t",
    )


def theory_of_symbol() -> Theory:
    """The rate is a parameter."""
    base = with_deviation(running_theory(GAMMA))
    symbol = Symbol("rho", PARAMETER, shape="scalar", meaning="factor of the bound, a step")
    return with_constants(base.extend((symbol,)), RHO)


def converges() -> Claim:
    """0 < gamma < 2: d_t^2 <= C rho^t with rho = (1 + (1 - gamma)^2) / 2 < 1, from every start."""
    from ..tactics.dag_convergence import converges_script

    hypotheses = {
        "gamma_not_negative": Statement((), (), Le(ZERO, GAMMA)),
        "gamma_nonzero": Statement((), (), Ne(GAMMA, ZERO)),
        "gamma_at_most_2": Statement((), (), Le(GAMMA, Num(2))),
        "gamma_not_2": Statement((), (), Ne(add(Num(2), neg(GAMMA)), ZERO)),
    }
    goals = (
        start(),
        *one_step(),
        bound(MIDDLE),
        Statement((), (), Le(ZERO, MIDDLE)),
        Statement((), (), Le(MIDDLE, ONE)),
        Statement((), (), Ne(MIDDLE, ONE)),
    )
    return Claim(
        "dag_converges",
        theory_of(MIDDLE).extend(hypotheses=hypotheses),
        goals,
        script=converges_script,
        says="recursion",
        title="Fixed prediction on any DAG: for 0 < gamma < 2 every error goes to backprop's, geometrically",
    )


def does_not_converge() -> Claim:
    """gamma (2 - gamma) <= 0: next to the output d_t = (1 - gamma)^t d_0, which is never closer than d_0."""
    from ..tactics.dag_convergence import does_not_converge_script

    hypotheses = {"step_outside": Statement((), (), Le(mul(GAMMA, add(Num(2), neg(GAMMA))), ZERO))}
    first, now = dev(Idx(0), NEXT, i), dev(t, NEXT, i)
    guards = (ge(t, 0), ge(L, 2), *span(i, 0, width(NEXT)))
    goals = (
        start(),
        Statement(("t", "i"), guards, Eq(now, mul(Pow(REST, t), first))),
        Statement(("t", "i"), guards, Le(mul(first, first), mul(now, now))),
    )
    return Claim(
        "dag_does_not_converge",
        with_deviation(running_theory(GAMMA)).extend(hypotheses=hypotheses),
        goals,
        script=does_not_converge_script,
        says="recursion",
        title="Fixed prediction on any DAG: unless 0 < gamma < 2 the vertex next to the output never comes closer",
    )
