"""The limit of a large output variance, with an explicit bound: Whittington & Bogacz (2017), WB-6.

With output variance v^0 the errors xi^l = eps^l / v^l of an equilibrium are
P^l^T U, (v^0 + C) U = r, and backprop's are delta^l = P^l^T r.  So v^0 xi^l
differs from delta^l by -P^l^T C U, whose square is at most a constant over
(v^0)^2.  No limit is taken: the constant is a polynomial in weights and data.
The variances of the hidden layers are any positive numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..language.index import Idx, eq, ge, le, qvar, span
from ..language.signature import DEFINED, Case, Claim, Definition, Eq, Le, Statement, Symbol, Theory
from ..language.terms import ZERO, App, Term, add, mul, total
from ..networks.backprop import backprop_definitions
from ..networks.network import B, L, width
from .linear import EVERY, HIDDEN, OUTPUT, STATE, Linear, clamped, positive, product

l, b, i, j, k = (qvar(n) for n in "lbijk")
M = Linear(variances=True)
OUT = width(Idx(0))
SCALE = App("v", (0,))


def xi(layer: Idx, unit: Idx) -> Term:
    """eps / v: the error of Whittington and Bogacz."""
    return mul(M.precision(layer), App("eps", (layer, b, unit)))


def correction(unit: Idx) -> App:
    """C U"""
    return App("c", (b, unit))


def delta(layer: Idx, unit: Idx) -> App:
    return App("delta", (layer, b, unit))


def applied(unit: Idx) -> Term:
    """C delta^0"""
    return total(OUT, lambda q: mul(App("C", (unit, q)), delta(Idx(0), q)))


def square_sum(bound: Idx, term: Callable[[Idx], Term]) -> Term:
    """Sum of squares over the units below ``bound``."""
    return total(bound, lambda q: mul(term(q), term(q)))


def written_equilibrium() -> Statement:
    """The derived gradient of the hidden layers, written out, is 0."""
    gx = M.theory().definition("gx")
    assert gx is not None
    hidden = next(c.value for c in gx.cases if len([g for g in c.guard if g.kind == "ge"]) == 2)
    return Statement(EVERY, (*HIDDEN, *STATE), Eq(hidden, ZERO))


def without_gx(base: Theory) -> Theory:
    symbols = {n: s for n, s in base.symbols.items() if n != "gx"}
    return replace(base, symbols=symbols, definitions=tuple(g for g in base.definitions if g[0].name != "gx"))


def theory(gradients: tuple[str, ...] = ()) -> Theory:
    """An equilibrium of the energy with variances beside backprop's errors; c = C U."""
    base = without_gx(M.theory((*gradients, "gx")))
    symbols, groups = backprop_definitions(M.net, own_weights=False)
    row = total(OUT, lambda q: mul(App("C", (i, q)), xi(Idx(0), q)))
    c = Symbol("c", DEFINED, 2, shape="batch, output unit", meaning="C times the output's error over its variance")
    out = base.extend(
        (*(s for s in symbols if s.name == "delta"), c),
        (*(g for g in groups if g[0].name == "delta"), (Definition("c", ("b", "i"), (Case(OUTPUT, row),)),)),
    )
    return out.extend(hypotheses={**clamped(), "equilibrium": written_equilibrium(), **positive(M)})


def gap(layer: Idx, unit: Idx) -> Term:
    """v^0 xi^l - delta^l"""
    return add(mul(SCALE, xi(layer, unit)), mul(-1, delta(layer, unit)))


def errors() -> Claim:
    """v^0 xi^l = delta^l - P^l^T C U, and the square of the difference is at most a constant over (v^0)^2."""
    from ..tactics.linear_limits import errors_script

    zero = Idx(0)
    bound = square_sum(OUT, applied)
    weights = square_sum(OUT, lambda q: product(l, q, i))
    off = total(OUT, lambda q: mul(product(l, q, i), correction(q)))
    goals = (
        Statement(("b", "i"), OUTPUT, Eq(gap(zero, i), mul(-1, correction(i)))),
        Statement(EVERY, (*HIDDEN, *STATE), Eq(gap(l, i), mul(-1, off))),
        Statement(("b",), OUTPUT[:2], Le(mul(SCALE, SCALE, square_sum(OUT, lambda q: gap(zero, q))), bound)),
        Statement(EVERY, (*HIDDEN, *STATE), Le(mul(SCALE, SCALE, gap(l, i), gap(l, i)), mul(weights, bound))),
    )
    return Claim(
        "linear_output_variance",
        theory(),
        goals,
        script=errors_script,
        title="Linear network: with output variance k, k times the errors are backprop's up to a constant over k",
    )


def response() -> tuple[Symbol, Definition]:
    """G: x^l - y^l = G^l U."""
    above = total(width(l + 1), lambda q: mul(App("theta", (l + 1, i, q)), App("G", (l + 1, q, k))))
    cases = (Case((eq(l, L),), ZERO), Case(HIDDEN, add(above, mul(M.variance(l), product(l, k, i)))))
    meaning = "what the output's error over its variance changes in a layer"
    return Symbol("G", DEFINED, 3, shape="layer, unit, output unit", meaning=meaning), Definition(
        "G", ("l", "i", "k"), cases, (L - l,)
    )


def changes() -> Claim:
    """x^l = y^l + G^l U with |v^0 U|^2 <= |r|^2, so both factors of a weight change are backprop's up to 1 / v^0."""
    from ..tactics.linear_limits import changes_script

    symbol, definition = response()
    full = theory(("gtheta",)).extend((symbol,), ((definition,),))
    layers = (ge(l, 1), le(l, L), *STATE)
    off = add(App("x", (l, b, i)), mul(-1, App("y", (l, b, i))))
    moved = total(OUT, lambda q: mul(App("G", (l, i, q)), xi(Idx(0), q)))
    bound = mul(square_sum(OUT, lambda q: App("G", (l, i, q))), square_sum(OUT, lambda q: delta(Idx(0), q)))

    def at(name: str, layer: Idx, sample: Idx, unit: Idx) -> App:
        return App(name, (layer, sample, unit))

    def difference(s: Idx, output: bool) -> Term:
        """-P^{l-1}^T C U x^l + delta^{l-1} (x^l - y^l) for one sample"""
        lower = Idx(0) if output else l - 1
        upper = lower + 1
        brought = total(OUT, lambda q: mul(product(lower, q, i), App("c", (s, q))))
        gap_of_state = add(at("x", upper, s, j), mul(-1, at("y", upper, s, j)))
        error = App("c", (s, i)) if output else brought
        return add(mul(-1, error, at("x", upper, s, j)), mul(at("delta", lower, s, i), gap_of_state))

    def change(output: bool) -> Statement:
        layer = Idx(1) if output else l
        units = (*span(i, 0, width(layer - 1)), *span(j, 0, width(layer)))
        own = mul(-1, SCALE, App("gtheta", (layer, i, j)))
        theirs = total(B, lambda s: mul(at("delta", layer - 1, s, i), at("y", layer, s, j)))
        relation = Eq(add(own, mul(-1, theirs)), total(B, lambda s: difference(s, output)))
        if output:
            return Statement(("i", "j"), units, relation)
        return Statement(("l", "i", "j"), (ge(l, 2), le(l, L), *units), relation)

    goals = (
        Statement(EVERY, layers, Eq(off, moved)),
        Statement(EVERY, layers, Le(mul(SCALE, SCALE, off, off), bound)),
        change(True),
        change(False),
    )
    return Claim(
        "linear_output_variance_changes",
        full,
        goals,
        script=changes_script,
        title="Linear network: with output variance k, k times the changes are backprop's up to a constant over k",
    )
