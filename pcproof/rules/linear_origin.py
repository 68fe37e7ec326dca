"""The origin of the equilibrated energy of a linear network is a strict saddle: Innocenti et al. (2024), Theorem 2.

Two layers of weights or more.  At theta = 0 the gradient by every weight is 0.
Along theta^1 = s V, the other weights 0, the energy at equilibrium is at most

    |s_out|^2 / 2 - (s^2 / 2) |V^T s_out|^2 + (s^4 / 2) |V V^T s_out|^2,

so it falls with a curvature that is negative wherever V^T s_out is not 0.
V = s_out of one sample, in every column, is such a direction if that target is not 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..language.index import Con, Idx, ge, le, lt, qvar, size, span
from ..language.signature import DEFINED, PARAMETER, Case, Claim, Definition, Eq, Le, Statement, Symbol, Theory
from ..language.terms import ZERO, App, Term, add, mul, total
from ..networks.network import B, L, width
from .linear import Linear, clamped, equilibrium

l, b, i, j = (qvar(n) for n in "lbij")
OUT, FIRST = width(Idx(0)), width(Idx(1))
TIMES = App("s")
SAMPLE = size("m")
EVERY, STATE, HIDDEN = ("l", "b", "i"), (*span(b, 0, B), *span(i, 0, width(l))), (ge(l, 1), lt(l, L))
Vector = Callable[[Idx, Idx], Term]  # (sample, unit) -> entry
UNITS = (*span(i, 0, OUT), *span(j, 0, FIRST))
AT_FIRST = (*span(b, 0, B), *span(j, 0, FIRST))
AT_OUTPUT = (*span(b, 0, B), *span(i, 0, OUT))
DEEP: tuple[Con, ...] = (ge(L, 2),)
DIRECTION = Symbol("V", PARAMETER, 2, shape="unit to, unit from", meaning="direction of the weights into the output")


def back(name: str, s: Idx, unit: Idx) -> Term:
    """V^T times a vector of the output layer."""
    return total(OUT, lambda q: mul(App("V", (q, unit)), App(name, (s, q))))


def forth(name: str, s: Idx, unit: Idx) -> Term:
    """V times a vector of layer 1."""
    return total(FIRST, lambda q: mul(App("V", (unit, q)), App(name, (s, q))))


def squared(name: str, bound: Idx) -> Term:
    """Sum of squares over samples and units."""
    return total(B, lambda s: total(bound, lambda q: mul(App(name, (s, q)), App(name, (s, q)))))


def equilibrated(gradients: tuple[str, ...]) -> Theory:
    """States with the output clamped; without forward pass and products."""
    theory = Linear().theory(gradients)
    unused = {"y", "P", "C"}
    symbols = {n: s for n, s in theory.symbols.items() if n not in unused}
    kept = tuple(g for g in theory.definitions if g[0].name not in unused)
    theory = replace(theory, symbols=symbols, definitions=kept, assumptions=(*theory.assumptions, *DEEP))
    return theory.extend(hypotheses={"output_clamped": clamped()["output_clamped"]})


def no_weights(first: int) -> Statement:
    """theta^l = 0 from a layer on."""
    ranges = (ge(l, first), le(l, L), *span(i, 0, width(l - 1)), *span(j, 0, width(l)))
    return Statement(("l", "i", "j"), ranges, Eq(App("theta", (l, i, j)), ZERO))


def critical() -> Claim:
    """theta = 0: x = 0 at the hidden layers is an equilibrium, the gradient by every weight is 0, F = |s_out|^2 / 2."""
    from ..tactics.linear_origin import critical_script

    hidden = (*HIDDEN, *STATE)
    rest = Statement(EVERY, hidden, Eq(App("x", (l, b, i)), ZERO))
    theory = equilibrated(("gx", "gtheta")).extend(hypotheses={"rest": rest, "origin": no_weights(1)})
    ranges = (ge(l, 1), le(l, L), *span(i, 0, width(l - 1)), *span(j, 0, width(l)))
    return Claim(
        "linear_origin",
        theory,
        (
            Statement(EVERY, hidden, Eq(App("gx", (l, b, i)), ZERO)),
            Statement(("l", "i", "j"), ranges, Eq(App("gtheta", (l, i, j)), ZERO)),
            Statement((), (), Eq(Linear().energy(), squared("s_out", OUT) / 2)),
        ),
        script=critical_script,
        title="Linear network: the origin is a critical point of the energy at equilibrium",
    )


def named(name: str, unit: str, guards: tuple[Con, ...], value: Term, meaning: str) -> tuple[Symbol, Definition]:
    symbol = Symbol(name, DEFINED, 2, shape="batch, unit", meaning=meaning)
    return symbol, Definition(name, ("b", unit), (Case(guards, value),))


def falling() -> Claim:
    """Along theta^1 = s V the energy at equilibrium falls from |s_out|^2 / 2 with curvature -|V^T s_out|^2."""
    from ..tactics.linear_origin import falling_script

    error = total(OUT, lambda q: mul(App("V", (q, j)), App("eps", (0, b, q))))
    parts = (
        named("a", "j", AT_FIRST, back("s_out", b, j), "V^T s_out"),
        named("w", "i", AT_OUTPUT, forth("a", b, i), "V V^T s_out"),
        named("h", "j", AT_FIRST, error, "V^T eps^0"),
        named("q", "i", AT_OUTPUT, forth("h", b, i), "V V^T eps^0"),
        named("p", "j", AT_FIRST, back("q", b, j), "V^T q"),
        named("z", "i", AT_OUTPUT, forth("p", b, i), "V p"),
    )
    theory = equilibrated(("gx",)).extend(
        (DIRECTION, Symbol("s", PARAMETER, 0, shape="scalar", meaning="how far to go"), *(s for s, _ in parts)),
        tuple((d,) for _, d in parts),
        {
            "equilibrium": equilibrium(),
            "line": Statement(("i", "j"), UNITS, Eq(App("theta", (1, i, j)), mul(TIMES, App("V", (i, j))))),
            "others": no_weights(2),
        },
    )
    bound, squares = expansion(True)
    return Claim(
        "linear_origin_falling",
        theory,
        (
            Statement((), (), Eq(bound, add(Linear().energy(), squares))),
            Statement((), (), Le(Linear().energy(), bound)),
        ),
        script=falling_script,
        title="Linear network: from the origin the energy at equilibrium falls along the weights into the output",
    )


def expansion(written: bool) -> tuple[Term, Term]:
    """The bound, and the squares of p = V^T q and z = V p by which it is above F, q = V V^T eps^0.

    written: in terms of V, s_out and eps; otherwise of the vectors named.
    """

    def target(s: Idx, u: Idx) -> Term:
        return App("s_out", (s, u))

    def error(s: Idx, u: Idx) -> Term:
        return App("eps", (0, s, u))

    def image(name: str, v: Vector) -> Vector:
        if not written:
            return lambda s, u: App(name, (s, u))
        if name in ("a", "h", "p"):
            return lambda s, u: total(OUT, lambda q: mul(App("V", (q, u)), v(s, q)))
        return lambda s, u: total(FIRST, lambda q: mul(App("V", (u, q)), v(s, q)))

    def norm(v: Vector, bound: Idx) -> Term:
        return total(B, lambda s: total(bound, lambda q: mul(v(s, q), v(s, q))))

    a = image("a", target)
    p = image("p", image("q", image("h", error)))
    s2 = mul(TIMES, TIMES)
    s4 = mul(s2, s2)
    below = add(norm(target, OUT) / 2, mul(-1, s2, norm(a, FIRST)) / 2, mul(s4, norm(image("w", a), OUT)) / 2)
    return below, add(mul(s2, s4, norm(p, FIRST)) / 2, mul(s4, s4, norm(image("z", p), OUT)) / 2)


def direction() -> Claim:
    """V = s_out of sample m in every column: |s_out_m|^4 <= |V^T s_out|^2, above 0 where this target is not 0."""
    from ..tactics.linear_origin import direction_script

    theory = Theory(
        {"L": 0, "B": 0, "n": 1, "m": 0},
        (*DEEP, ge(SAMPLE, 0), lt(SAMPLE, B), ge(FIRST, 1)),
        {
            "s_out": Symbol("s_out", PARAMETER, 2, shape="batch, unit", meaning="target"),
            "V": DIRECTION,
        },
        (),
        {"column": Statement(("i", "j"), UNITS, Eq(App("V", (i, j)), App("s_out", (SAMPLE, i))))},
    )
    own = total(OUT, lambda q: mul(App("s_out", (SAMPLE, q)), App("s_out", (SAMPLE, q))))
    whole = total(B, lambda s: total(FIRST, lambda q: mul(back("s_out", s, q), back("s_out", s, q))))
    return Claim(
        "linear_origin_direction",
        theory,
        (Statement((), (), Le(mul(own, own), whole)),),
        script=direction_script,
        title="Linear network: a target that is not 0 gives a direction of negative curvature at the origin",
    )
