"""Continuous time: dx/dt = -dF/dx from the forward pass, as formal power series in t.

    x^l(t) = sum_k x[k,l] t^k,   x[0,l] = y^l,   (k + 1) x[k+1,l] = rate[k,l]

``rate`` is the series of -dF/dx, derived from the energy: products become
Cauchy products.  Functions of x(t) are series too; all that is used of them is
their value at t = 0 and Hadamard's lemma, f(x(t)) = f(x(0)) + (x(t) - x(0)) g(t)
with some series g (for layer maps one g for each entry of x), as named
hypotheses.  f' may have any coefficients after the first.
Source: the continuous form of eq. 7 of Song et al. (2020); the theorem is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..language.index import Idx, eq, ge, le, lt, qvar, span
from ..language.signature import DEFINED, PARAMETER, Case, Claim, Definition, Eq, Statement, Symbol, Theory
from ..language.terms import (
    ONE,
    ZERO,
    Add,
    App,
    Inv,
    Mul,
    Sum,
    Term,
    add,
    close,
    mul,
    open_,
    replace_apps,
    subterms,
    total,
)
from ..networks.backprop import weight_names
from ..networks.gradients import backprop_theory, energy_gradient_theory
from ..networks.network import B, L, Network, width

k, l, b, i = qvar("k"), qvar("l"), qvar("b"), qvar("i")
AT = ("k", "l", "b", "i")
STATE = (*span(b, 0, B), *span(i, 0, width(l)))
X, MU, EPS, RATE = (App(n, (k, l, b, i)) for n in ("x", "mu", "eps", "rate"))
COUNT, FACTORIAL, RECIPROCAL = (App(n, (k,)) for n in ("count", "factorial", "reciprocal"))


@dataclass(frozen=True)
class Series:
    """Series of the functions in a prediction and in its derivative by the activities.

    value, slope: names of the function and of its derivative; units: unit indices of
    an application, from its own indices and those of the activity that it reads.
    """

    value: str
    slope: str
    layer_map: bool

    def at(self, a: App, order: Idx) -> Term:
        """Coefficient of one application."""
        read = next(s for s in subterms(a.args[-1].body) if isinstance(s, App) and s.name in ("x", "y"))
        units = a.idx[1:] if self.layer_map else (read.idx[2],)
        return App(series_name(a.name), (order, a.idx[0], read.idx[1], *units))


def series_name(function: str) -> str:
    """Name of the coefficients of a function along the motion."""
    return function + "_x"


def series_of(net: Network) -> Series:
    """The functions of a network: activations, or layer maps with their Jacobians."""
    names = {f.name: f for f in net.functions}
    if "P" in names:
        return Series("P", "Jx", True)
    return Series("f", "df", False)


def coefficient(term: Term, order: Idx, at: Callable[[App, Idx], Term | None]) -> Term:
    """Coefficient of t^order of a term; ``at`` gives that of an application, None for a constant factor."""
    if isinstance(term, Add):
        return add(*(coefficient(a, order, at) for a in term.args))
    if isinstance(term, Sum):
        name = "?c" + str(sum(1 for s in subterms(term) if isinstance(s, Sum)))
        return Sum(term.bound, close(coefficient(open_(term.body, qvar(name)), order, at), name))
    if isinstance(term, Mul):
        moving = [a for a in term.args if _moves(a, at)]
        fixed = [a for a in term.args if not _moves(a, at)]
        return mul(*fixed, _cauchy(moving, order, at))
    if isinstance(term, App):
        found = at(term, order)
        if found is not None:
            return found
    raise ValueError(f"{term!r} is no sum of products of series")


def _moves(term: Term, at: Callable[[App, Idx], Term | None]) -> bool:
    return any(isinstance(s, App) and at(s, Idx(0)) is not None for s in subterms(term))


def _cauchy(factors: list[Term], order: Idx, at: Callable[[App, Idx], Term | None]) -> Term:
    """a[0] b[k] + sum_{j<k} a[j+1] b[k-1-j]"""
    first, rest = factors[0], factors[1:]
    if not rest:
        return coefficient(first, order, at)
    head = mul(coefficient(first, Idx(0), at), _cauchy(rest, order, at))
    tail = total(order, lambda j: mul(coefficient(first, j + 1, at), _cauchy(rest, order - 1 - j, at)))
    return add(head, tail)


def rate(net: Network, order: Idx) -> Term:
    """Coefficient of -dF/dx^l at a hidden layer, from the derived gradient of the energy."""
    d = energy_gradient_theory(net, net.energy()).definition("gx")
    assert d is not None
    own = App("eps", (l, b, i))
    value = next(c.value for c in d.cases if len(getattr(c.value, "args", ())) > 1 and own in c.value.args)  # type: ignore[attr-defined]
    weights, series = weight_names(net), series_of(net)

    def at(a: App, order: Idx) -> Term | None:
        if a.name == "eps":
            return App("eps", (order, *a.idx))
        return series.at(a, order) if a.name in (series.value, series.slope) else None

    named = replace_apps(value, lambda a: App(weights[a.name], a.idx) if a.name in weights else None)
    return mul(-1, coefficient(named, order, at))


def prediction(net: Network, order: Idx, start: bool) -> Term:
    """Coefficient of mu: at t = 0 the value itself, later what moves."""
    weights, series = weight_names(net), series_of(net)
    value = net.prediction(lambda *a: App("x", a), lambda n, a: App(weights[n], a), l, b, i)

    def at(a: App, order: Idx) -> Term | None:
        return series.at(a, order) if a.name == series.value else None

    if start:
        return replace_apps(value, lambda a: at(a, order))
    parts = value.args if isinstance(value, Add) else (value,)
    return add(*(coefficient(p, order, at) for p in parts if _moves(p, at)))


def _functions(net: Network) -> tuple[tuple[Symbol, ...], dict[str, Statement]]:
    """Coefficients of the functions, and what is taken for granted of them."""
    series, weights, j = series_of(net), weight_names(net), qvar("j")
    point = net.prediction(lambda *a: App("y", a), lambda n, a: App(weights[n], a), l - 1, b, i)
    node = next(s for s in subterms(point) if isinstance(s, App) and s.name == series.value)
    maps = series.layer_map
    reads, where = (width(l - 1), width(l)) if maps else (width(l), width(l))
    here = (k, l, b, i)
    value = App(series_name(series.value), here)
    order = "order, layer, batch, unit"
    if maps:
        at_y = node
        slope = App(series_name(series.slope), (k, l, b, j, i))
        slope_y = App(series.slope, (l, j, i), node.args)
        moved = total(
            k, lambda m: total(where, lambda u: mul(App("x", (m + 1, l, b, u)), App("g", (k - 1 - m, l, b, i, u))))
        )
    else:
        at_y = App(series.value, (l,), (App("y", (l, b, i)),))
        slope = App(series_name(series.slope), here)
        slope_y = App(series.slope, (l,), (App("y", (l, b, i)),))
        moved = total(k, lambda m: mul(App("x", (m + 1, l, b, i)), App("g", (k - 1 - m, l, b, i))))
    units = (*span(b, 0, B), *span(i, 0, reads))
    above = (ge(l, 1), le(l, L))
    start = {"k": Idx(0)}
    slope_units = (*span(b, 0, B), *span(i, 0, width(l)), *(span(j, 0, width(l - 1)) if maps else ()))
    variables = ("l", "b", "j", "i") if maps else ("l", "b", "i")
    hypotheses = {
        "value_at_start": Statement(("l", "b", "i"), (*above, *units), Eq(_at(value, start), at_y)),
        "Hadamard": Statement(AT, (ge(k, 1), *above, *units), Eq(value, moved)),
        "slope_at_start": Statement(variables, (ge(l, 1), lt(l, L), *slope_units), Eq(_at(slope, start), slope_y)),
    }
    symbols = (
        Symbol(value.name, PARAMETER, 4, shape=order, meaning=f"coefficients of {series.value} along the motion"),
        Symbol(slope.name, PARAMETER, len(slope.idx), shape=order, meaning=f"coefficients of {series.slope}"),
        Symbol("g", PARAMETER, 5 if maps else 4, shape=order, meaning="coefficients of the difference quotient"),
    )
    return symbols, hypotheses


def _at(a: App, values: dict[str, Idx]) -> App:
    from ..language.terms import subst

    out = subst(a, values)
    assert isinstance(out, App)
    return out


def flow_theory(net: Network) -> Theory:
    """The ANN, and beside it the Taylor coefficients of the flow from its forward pass."""
    symbols, hypotheses = _functions(net)
    running = (ge(k, 0), ge(l, 0), lt(l, L))
    hidden = (ge(l, 1), lt(l, L))
    start, later = eq(k, 0), ge(k, 1)
    zero = Idx(0)

    def ends(order: tuple[object, ...], inputs: Term, outputs: Term) -> tuple[Case, ...]:
        return (Case((*order, eq(l, L)), inputs), Case((*order, eq(l, 0)), outputs))  # type: ignore[arg-type]

    moved = mul(Inv(COUNT), App("rate", (k - 1, l, b, i)))
    flow = (
        Definition(
            "x",
            AT,
            (
                *ends((start,), App("s_in", (b, i)), App("s_out", (b, i))),
                *ends((later,), ZERO, ZERO),
                Case((start, *hidden), App("y", (l, b, i))),
                Case((later, *hidden), moved),
            ),
            (k, zero),
        ),
        Definition(
            "mu",
            AT,
            (
                Case((start, ge(l, 0), lt(l, L)), prediction(net, k, True)),
                Case((later, ge(l, 0), lt(l, L)), prediction(net, k, False)),
            ),
            (k, zero + 1),
        ),
        Definition("eps", AT, (Case(running, X - MU),), (k, zero + 2)),
        Definition("rate", AT, (Case((ge(k, 0), *hidden), rate(net, k)),), (k, zero + 3)),
    )
    numbers = (
        (Definition("count", ("k",), (Case((start,), ZERO), Case((later,), App("count", (k - 1,)) + 1)), (k,)),),
        (_product("factorial", COUNT),),
        (_product("reciprocal", Inv(COUNT)),),
    )
    shape = "order, layer, batch, unit"
    own = (
        Symbol("count", DEFINED, 1, shape="order", meaning="k as a real number"),
        Symbol("factorial", DEFINED, 1, shape="order", meaning="k!"),
        Symbol("reciprocal", DEFINED, 1, shape="order", meaning="1 / k!"),
        Symbol("x", DEFINED, 4, shape=shape, meaning="Taylor coefficients of the activities"),
        Symbol("mu", DEFINED, 4, shape=shape, meaning="Taylor coefficients of the predictions"),
        Symbol("eps", DEFINED, 4, shape=shape, meaning="Taylor coefficients of the errors"),
        Symbol("rate", DEFINED, 4, shape=shape, meaning="Taylor coefficients of -dF/dx"),
    )
    return backprop_theory(net).extend((*own, *symbols), (*numbers, flow), hypotheses)


def _product(name: str, factor: Term) -> Definition:
    before = App(name, (k - 1,))
    return Definition(name, ("k",), (Case((eq(k, 0),), ONE), Case((ge(k, 1),), mul(factor, before))), (k,))


def taylor(net: Network) -> Claim:
    """eps^l(t) = delta^l t^l / l! + higher orders, under dx/dt = -dF/dx from the forward pass."""
    from ..tactics.continuous import taylor_script

    hidden = (ge(l, 1), lt(l, L), *STATE)
    free = (ge(l, 0), lt(l, L), *STATE)
    motion = Eq(mul(App("count", (k + 1,)), App("x", (k + 1, l, b, i))), RATE)
    goals = (
        Statement(AT, (ge(k, 0), *hidden), motion),
        Statement(AT, (ge(k, 0), lt(k, l), ge(l, 0), lt(l, L), *STATE), Eq(EPS, ZERO)),
        Statement(AT, (ge(k, 0), eq(k, l), *free), Eq(EPS, mul(RECIPROCAL, App("delta", (l, b, i))))),
        Statement(("k",), (ge(k, 0),), Eq(mul(FACTORIAL, RECIPROCAL), ONE)),
        Statement(("k",), (ge(k, 0),), Eq(App("factorial", (k + 1,)), mul(add(COUNT, ONE), FACTORIAL))),
        Statement(("k",), (ge(k, 0),), Eq(App("count", (k + 1,)), add(COUNT, ONE))),
        Statement(("l", "b", "i"), (ge(l, 1), le(l, L), *STATE), Eq(App("x", (0, l, b, i)), App("y", (l, b, i)))),
    )
    return Claim(
        id="continuous_time",
        theory=flow_theory(net),
        goals=goals,
        script=taylor_script,
        says="recursion",
        title="Continuous time: the leading Taylor coefficient of eps^l is delta^l / l!, at t^l",
    )
