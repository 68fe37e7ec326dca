"""Zero-rank saddles of the equilibrated energy of a linear network: Innocenti et al. (2024), Theorem 3.

Two layers of weights or more.  theta^1 = 0 and Q^L = 0, where Q^l = theta^2 ... theta^l
maps layer l to layer 1; the weights are arbitrary otherwise.  (Innocenti: W_L = 0 and
W_{L-1:1} = 0.)  There the gradient by every weight is 0, and along theta^1 = s V, with

    R^1 = V,  R^l = V Q^l,  K = sum_{0<m<L} R^m R^m^T = V M V^T,  M = I + sum_{1<m<L} Q^m Q^m^T,

the energy at equilibrium is at most

    |s_out|^2 / 2 - (s^2 / 2) <s_out, K s_out> + (s^4 / 2) |K s_out|^2,

and <s_out, K s_out> is at least |V^T s_out|^2: V as in ``linear_origin.direction`` makes it positive
where some target is not 0.  The origin is one of these points.
"""

from __future__ import annotations

from dataclasses import replace

from ..language.index import Idx, eq, ge, le, qvar, span
from ..language.signature import DEFINED, PARAMETER, Case, Claim, Definition, Eq, Le, Statement, Symbol, Theory
from ..language.terms import ZERO, App, Term, add, mul, total
from ..networks.network import B, L, width
from .linear import Linear, clamped, equilibrium
from .linear_origin import DEEP, DIRECTION, FIRST, OUT, TIMES, UNITS, back, named, squared

l, i, j, k = (qvar(n) for n in "lijk")
b = qvar("b")
AT_OUTPUT = (*span(b, 0, B), *span(i, 0, OUT))
WEIGHTS = ("l", "i", "j")
S2 = mul(TIMES, TIMES)
S4 = mul(S2, S2)


def between() -> tuple[Symbol, tuple[Definition, ...]]:
    """Q^l = theta^2 ... theta^l, from layer l to layer 1."""
    longer = total(width(l - 1), lambda q: mul(App("Q", (l - 1, i, q)), App("theta", (l, q, j))))
    cases = (Case((eq(l, 2),), App("theta", (l, i, j))), Case((ge(l, 3), le(l, L)), longer))
    symbol = Symbol("Q", DEFINED, 3, shape="layer, unit of layer 1, unit", meaning="product theta^2 ... theta^l")
    return symbol, (Definition("Q", WEIGHTS, cases, (l,)),)


def no_product() -> Statement:
    """Q^L = 0"""
    ranges = (*span(i, 0, FIRST), *span(j, 0, width(L)))
    return Statement(("i", "j"), ranges, Eq(App("Q", (L, i, j)), ZERO))


def saddle(gradients: tuple[str, ...], unused: tuple[str, ...]) -> Theory:
    """An equilibrium with the output clamped, whatever the input; two layers of weights or more, Q^L = 0."""
    theory = Linear().theory(gradients)
    symbol, group = between()
    symbols = {n: s for n, s in theory.symbols.items() if n not in unused}
    kept = tuple(g for g in theory.definitions if g[0].name not in unused)
    theory = replace(theory, symbols=symbols, definitions=kept, assumptions=(*theory.assumptions, *DEEP))
    output = {"output_clamped": clamped()["output_clamped"]}
    return theory.extend((symbol,), (group,), {**output, "equilibrium": equilibrium(), "no_product": no_product()})


def critical() -> Claim:
    """theta^1 = 0 and Q^L = 0: at equilibrium the gradient by every weight is 0 and F = |s_out|^2 / 2."""
    from ..tactics.linear_saddles import critical_script

    theory = saddle(("gx", "gtheta"), ("y", "s_in", "P", "C"))
    none = Statement(("i", "j"), UNITS, Eq(App("theta", (1, i, j)), ZERO))
    ranges = (ge(l, 1), le(l, L), *span(i, 0, width(l - 1)), *span(j, 0, width(l)))
    return Claim(
        "linear_saddle",
        theory.extend(hypotheses={"no_output_weights": none}),
        (
            Statement(WEIGHTS, ranges, Eq(App("gtheta", (l, i, j)), ZERO)),
            Statement((), (), Eq(Linear().energy(), squared("s_out", OUT) / 2)),
        ),
        script=critical_script,
        title="Linear network: no output weights and no product behind them is a critical point of the energy",
    )


# -- along the weights into the output ---------------------------------------------------
def line() -> Theory:
    """theta^1 = s V with R and K, and the vectors q = K eps^0, z = K q, a = K s_out."""
    product = total(FIRST, lambda q: mul(App("V", (i, q)), App("Q", (l, q, j))))
    cases = (Case((eq(l, 1),), App("V", (i, j))), Case((ge(l, 2), le(l, L)), product))
    gram = total(L - 1, lambda m: total(width(m + 1), lambda q: mul(App("R", (m + 1, i, q)), App("R", (m + 1, k, q)))))
    outputs = (*span(i, 0, OUT), *span(k, 0, OUT))

    def applied(name: str) -> Term:
        at = (0, b) if name == "eps" else (b,)
        return total(OUT, lambda q: mul(App("K", (i, q)), App(name, (*at, q))))

    parts = (
        named("q", "i", AT_OUTPUT, applied("eps"), "K eps^0"),
        named("z", "i", AT_OUTPUT, applied("q"), "K q"),
        named("a", "i", AT_OUTPUT, applied("s_out"), "K s_out"),
    )
    symbols = (
        DIRECTION,
        Symbol("s", PARAMETER, 0, shape="scalar", meaning="how far to go"),
        Symbol("R", DEFINED, 3, shape="layer, output unit, unit", meaning="V Q^l, V itself for layer 1"),
        Symbol("K", DEFINED, 2, shape="output unit, output unit", meaning="V M V^T, M = I + sum of Q Q^T"),
        *(s for s, _ in parts),
    )
    groups = (
        (Definition("R", WEIGHTS, cases),),
        (Definition("K", ("i", "k"), (Case(outputs, gram),)),),
        *((d,) for _, d in parts),
    )
    along = Statement(("i", "j"), UNITS, Eq(App("theta", (1, i, j)), mul(TIMES, App("V", (i, j)))))
    return saddle(("gx",), ("y", "s_in")).extend(symbols, groups, {"line": along})


def transported(name: str, sample: Idx, layer: Idx, unit: Idx) -> Term:
    """R^l^T times a vector of the output."""
    return total(OUT, lambda q: mul(App("R", (layer, q, unit)), App(name, (sample, q))))


def form(name: str) -> Term:
    """<v, K v> as the sum of |R^m^T v|^2 over samples and 0 < m < L."""

    def square(s: Idx, m: Idx, u: Idx) -> Term:
        e = transported(name, s, m, u)
        return mul(e, e)

    return total(B, lambda s: total(L - 1, lambda m: total(width(m + 1), lambda u: square(s, m + 1, u))))


def by_layer(name: str) -> tuple[Term, Term]:
    """|V^T v|^2, and the sum of |Q^m^T V^T v|^2 over 1 < m < L."""

    def own(s: Idx, u: Idx) -> Term:
        return mul(back(name, s, u), back(name, s, u))

    def further(s: Idx, m: Idx, u: Idx) -> Term:
        e = total(FIRST, lambda p: mul(App("Q", (m, p, u)), back(name, s, p)))
        return mul(e, e)

    return (
        total(B, lambda s: total(FIRST, lambda u: own(s, u))),
        total(B, lambda s: total(L - 2, lambda m: total(width(m + 2), lambda u: further(s, m + 2, u)))),
    )


def bound() -> Term:
    """|s_out|^2 / 2 - (s^2 / 2) <s_out, K s_out> + (s^4 / 2) |K s_out|^2"""
    return add(squared("s_out", OUT) / 2, mul(-1, S2, form("s_out")) / 2, mul(S4, squared("a", OUT)) / 2)


def rest() -> Term:
    """(s^6 <q, K q> + s^8 |K q|^2) / 2"""
    return add(mul(S2, S4, form("q")) / 2, mul(S4, S4, squared("z", OUT)) / 2)


def falling() -> Claim:
    """Along theta^1 = s V the energy falls from |s_out|^2 / 2, at a curvature of at most -|V^T s_out|^2."""
    from ..tactics.linear_saddles import falling_script

    own, further = by_layer("s_out")
    return Claim(
        "linear_saddle_falling",
        line(),
        (
            Statement((), (), Eq(bound(), add(Linear().energy(), rest()))),
            Statement((), (), Le(Linear().energy(), bound())),
            Statement((), (), Eq(form("s_out"), add(own, further))),
            Statement((), (), Le(own, form("s_out"))),
        ),
        script=falling_script,
        title="Linear network: at zero-rank saddles the energy at equilibrium falls along the weights into the output",
    )
