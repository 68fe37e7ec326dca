"""The energy of a linear network as a function of the state, and of the weights.

Source: Innocenti et al. (2024), "strictly convex inference" and Theorem 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..language.index import Idx, ge, le, qvar, span
from ..language.signature import DEFINED, PARAMETER, Claim, Eq, Le, Statement, Symbol, Tangent, Theory
from ..language.tangent import tangent_definition
from ..language.terms import ZERO, App, Term, add, mul, replace_apps, total
from ..networks.gradients import state_pairing, weight_pairing
from ..networks.network import B, L, width
from .linear import EVERY, HIDDEN, STATE, Linear, equilibrium

l, b, i = qvar("l"), qvar("b"), qvar("i")
SECOND = {"x": "u", "mu": "nu", "eps": "eta", "gx": "gu"}  # names at the second state
SHAPE = "layer, batch, unit"


def at_second(t: Term) -> Term:
    """A term at the second state."""
    return replace_apps(t, lambda a: App(SECOND[a.name], a.idx) if a.name in SECOND else None)


def two_states(*second: str) -> Theory:
    """A state x and a state u of one network, with errors and the gradients named; nothing else."""
    theory = bare(Linear().theory())
    symbols, groups = [], []
    for name in ("mu", "eps", *second):
        d, s = theory.definition(name), theory.symbols[name]
        assert d is not None
        cases = tuple(replace(c, value=at_second(c.value)) for c in d.cases)
        groups.append((replace(d, name=SECOND[name], cases=cases),))
        symbols.append(replace(s, name=SECOND[name], meaning=f"{s.meaning}, at the second state"))
    u = Symbol("u", PARAMETER, 3, shape=SHAPE, meaning="a second state")
    return theory.extend((u, *symbols), tuple(groups))


def bare(theory: Theory) -> Theory:
    """Without forward pass, data and products."""
    unused = {"y", "s_in", "s_out", "P", "C"}
    symbols = {n: s for n, s in theory.symbols.items() if n not in unused}
    return replace(theory, symbols=symbols, definitions=tuple(g for g in theory.definitions if g[0].name not in unused))


def same_ends() -> dict[str, Statement]:
    """Both states agree at the input and at the output."""

    def at(layer: Idx) -> Statement:
        ranges = (*span(b, 0, B), *span(i, 0, width(layer)))
        return Statement(("b", "i"), ranges, Eq(App("u", (layer, b, i)), App("x", (layer, b, i))))

    return {"same_input": at(L), "same_output": at(Idx(0))}


def distance() -> Term:
    """Sum of (eta - eps)^2 / 2."""

    def term(m: Idx, s: Idx, q: Idx) -> Term:
        gap = add(App("eta", (m, s, q)), mul(-1, App("eps", (m, s, q))))
        return mul(gap, gap) / 2

    return total(L, lambda m: total(B, lambda s: total(width(m), lambda q: term(m, s, q))))


def minimum() -> Claim:
    """F(u) = F(x) + sum of (eta - eps)^2 / 2 where x is stationary and u any state with the same ends: F(x) <= F(u)."""
    from ..tactics.linear_landscape import minimum_script

    theory = two_states().extend(hypotheses={**same_ends(), "equilibrium": equilibrium()})
    here, there = Linear().energy(), Linear().energy("eta")
    return Claim(
        "linear_minimum",
        theory,
        (Statement((), (), Eq(there, add(here, distance()))), Statement((), (), Le(here, there))),
        script=minimum_script,
        title="Linear network: an equilibrium is the minimum of the energy",
    )


def one_equilibrium() -> Claim:
    """Two equilibria with the same ends are one."""
    from ..tactics.linear_landscape import unique_script

    both = {"equilibrium": equilibrium(), "second_equilibrium": equilibrium("gu")}
    theory = two_states("gx").extend(hypotheses={**same_ends(), **both})
    same = Eq(App("u", (l, b, i)), App("x", (l, b, i)))
    return Claim(
        "linear_unique",
        theory,
        (Statement(EVERY, (ge(l, 0), le(l, L), *STATE), same),),
        script=unique_script,
        title="Linear network: there is one equilibrium at most",
    )


# -- second variation ---------------------------------------------------------------
def curvature() -> Term:
    """Sum of De^2, De^l = Dx^l - theta^{l+1} Dx^{l+1}."""

    def term(m: Idx, s: Idx, q: Idx) -> Term:
        e = App("De", (m, s, q))
        return mul(e, e)

    return total(L, lambda m: total(B, lambda s: total(width(m), lambda q: term(m, s, q))))


def varied() -> Theory:
    """The derivatives of mu, eps and gx along a variation Dx of the state."""
    theory = bare(Linear().theory(directions=True))
    symbols = {n: s for n, s in theory.symbols.items() if n != "Dtheta"}
    theory = replace(theory, symbols=symbols, directions={"x": theory.directions["x"]})
    moving = {"x": "Dx"}
    for name, new in (("mu", "Dmu"), ("eps", "De"), ("gx", "Dgx")):
        d = theory.definition(name)
        assert d is not None
        symbol = Symbol(new, DEFINED, 3, shape=SHAPE, meaning=f"derivative of {name} along Dx")
        theory = theory.extend((symbol,), ((tangent_definition(theory, d, new, moving),),))
        moving[name] = new
    return theory


def hessian() -> Claim:
    """dF = <gx, Dx>, and the derivative of this along Dx again is the sum of De^2, which is not negative."""
    from ..tactics.linear_landscape import hessian_script

    slope = state_pairing("gx", "Dx")
    return Claim(
        "linear_hessian",
        varied(),
        (
            Statement((), (), Tangent("x", Linear().energy(), slope)),
            Statement((), (), Tangent("x", slope, curvature())),
            Statement((), (), Le(ZERO, curvature())),
        ),
        script=hessian_script,
        says="gradient",
        title="Linear network: the second variation of the energy by the state is a sum of squares",
    )


def definite() -> Claim:
    """Input held: the second variation of ``hessian``, written out, is 0 along Dx = 0 only."""
    from ..tactics.linear_landscape import definite_script

    theory = bare(Linear().theory(directions=True))
    symbols = {n: s for n, s in theory.symbols.items() if n in ("theta", "Dx")}
    theory = replace(theory, symbols=symbols, definitions=(), directions={})

    def square(m: Idx, s: Idx, q: Idx) -> Term:
        above = total(width(m + 1), lambda p: mul(App("theta", (m + 1, q, p)), App("Dx", (m + 1, s, p))))
        e = add(App("Dx", (m, s, q)), mul(-1, above))
        return mul(e, e)

    form = total(L, lambda m: total(B, lambda s: total(width(m), lambda q: square(m, s, q))))
    held = Statement(("b", "i"), (*span(b, 0, B), *span(i, 0, width(L))), Eq(App("Dx", (L, b, i)), ZERO))
    flat = Statement((), (), Eq(form, ZERO))
    return Claim(
        "linear_definite",
        theory.extend(hypotheses={"input_held": held, "flat": flat}),
        (Statement(EVERY, (ge(l, 0), le(l, L), *STATE), Eq(App("Dx", (l, b, i)), ZERO)),),
        script=definite_script,
        title="Linear network: the activity Hessian is positive definite",
    )


# -- along the equilibria -----------------------------------------------------------
def envelope() -> Claim:
    """At an equilibrium, ends held, the derivative of F along any (Dtheta, Dx) is <gtheta, Dtheta>.

    So it is along the equilibria of varied weights, wherever these have a
    derivative Dx; that they have one is not said here.
    """
    from ..tactics.linear_landscape import envelope_script

    net = Linear().net
    theory = bare(Linear().theory(("gx", "gtheta"), directions=True))
    theory = replace(theory, directions={"both": {"x": "Dx", "theta": "Dtheta"}})

    def held(layer: Idx) -> Statement:
        ranges = (*span(b, 0, B), *span(i, 0, width(layer)))
        return Statement(("b", "i"), ranges, Eq(App("Dx", (layer, b, i)), ZERO))

    hypotheses = {"equilibrium": equilibrium(), "input_held": held(L), "output_held": held(Idx(0))}
    pairing = weight_pairing(net, {"theta": "gtheta"}, {"theta": "Dtheta"})
    return Claim(
        "linear_envelope",
        theory.extend(hypotheses=hypotheses),
        (Statement((), (), Tangent("both", Linear().energy(), pairing)),),
        script=envelope_script,
        says="gradient",
        title="Linear network: along equilibria the energy changes as if the state stood still",
    )


def normal_equations() -> Claim:
    """gx^l = (I + theta^l^T theta^l) x^l - (theta^{l+1} x^{l+1} + theta^l^T x^{l-1}) at the hidden layers."""
    from ..tactics.linear_landscape import normal_script

    def x(layer: Idx, unit: Idx) -> Term:
        return App("x", (layer, b, unit))

    def back(v: Callable[[Idx], Term]) -> Term:
        return total(width(l - 1), lambda q: mul(App("theta", (l, q, i)), v(q)))

    def forth(layer: Idx, unit: Idx) -> Term:
        return total(width(layer + 1), lambda q: mul(App("theta", (layer + 1, unit, q)), x(layer + 1, q)))

    own = add(x(l, i), back(lambda q: forth(l - 1, q)))
    others = add(forth(l, i), back(lambda q: x(l - 1, q)))
    relation = Eq(App("gx", (l, b, i)), add(own, mul(-1, others)))
    return Claim(
        "linear_normal_equations",
        bare(Linear().theory()),
        (Statement(EVERY, (*HIDDEN, *STATE), relation),),
        script=normal_script,
        title="Linear network: the gradient by one layer is 0 where its normal equations hold",
    )
