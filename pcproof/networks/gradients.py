"""Theories in which "this is the gradient" can be said: energies and losses with variations.

A direction varies some parameters, X + s DX; a ``Tangent`` statement gives the
derivative by s at s = 0 for every DX, so the coefficient of DX is the gradient.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..language.diff import diff
from ..language.index import Con, Idx, Size, ge, le, qvar, span
from ..language.signature import DEFINED, PARAMETER, Case, Definition, Deriv, Statement, Symbol, Theory
from ..language.tangent import tangent_definition
from ..language.terms import App, Sum, Term, add, children, close, mul, open_, total
from .backprop import DATA, backprop_definitions, initial_symbols
from .network import B, L, Network, WeightKind, width

l, b, i = qvar("l"), qvar("b"), qvar("i")
STATE_RANGES = (*span(b, 0, B), *span(i, 0, width(l)))


def variation(name: str) -> str:
    """Name of the variation of a symbol."""
    return "D" + name


def derivative_hypotheses(net: Network, state: str, weights: Mapping[str, str]) -> dict[str, Statement]:
    """f' is the derivative of f at the points that the network visits, at every layer."""
    prediction = net.prediction(lambda *a: App(state, a), lambda k, a: App(weights[k], a), l, b, i)
    out: dict[str, Statement] = {}

    def walk(t: Term, names: tuple[str, ...], guards: tuple[Con, ...]) -> None:
        if isinstance(t, App) and t.args:
            variables = ("l", "b", *names)
            own = {"i"} & {a.name for x in t.idx for a in x.atoms() if hasattr(a, "name") and a.name == "i"}
            if own:
                variables = (*variables, "i")
            used = tuple(g for g in guards if own or "i" not in {getattr(a, "name", "") for a in g.expr.atoms()})
            out[f"{t.name}_differentiable"] = Statement(
                variables, (ge(l, 0), le(l + 1, L), *span(b, 0, B), *used), Deriv(t)
            )
            return
        if isinstance(t, Sum):
            name = "j" if "j" not in names else f"j{len(names)}"
            walk(open_(t.body, qvar(name)), (*names, name), (*guards, *span(qvar(name), 0, t.bound)))
            return
        for _, c in children(t):
            walk(c, names, guards)

    walk(prediction, (), span(i, 0, width(l)))
    return out


def differentiable(term: Term) -> dict[str, Statement]:
    """Functions that stand in an energy or a loss itself have the derivatives that they are said to have."""
    out: dict[str, Statement] = {}

    def walk(t: Term, names: tuple[str, ...], guards: tuple[Con, ...]) -> None:
        if isinstance(t, App) and t.args:
            out[f"{t.name}_differentiable"] = Statement(names, guards, Deriv(t))
        if isinstance(t, Sum):
            units = any(isinstance(a, Size) and a.args for a in t.bound.atoms())
            wanted = ("i", "j", "k") if units else ("b",) if t.bound == B else ("l",)
            name = next(n for n in (*wanted, *(f"{wanted[0]}{m}" for m in range(9))) if n not in names)
            walk(open_(t.body, qvar(name)), (*names, name), (*guards, *span(qvar(name), 0, t.bound)))
            return
        for depth, c in children(t):
            if depth == 0:
                walk(c, names, guards)

    walk(term, (), ())
    return out


def pairing(change: str, direction: str, units: tuple[str, ...], bounds: tuple[Idx, ...], layer: Idx) -> Term:
    """Sum over units of change[layer] times variation[layer]."""
    term: Term = mul(App(change, (layer, *map(qvar, units))), App(direction, (layer, *map(qvar, units))))
    for u, bound in reversed(list(zip(units, bounds))):
        term = Sum(bound, close(term, u))
    return term


def weight_pairing(net: Network, names: Mapping[str, str], directions: Mapping[str, str]) -> Term:
    """Sum over kinds, layers 1..L and units of names[kind] times directions[kind]."""

    def of_kind(k: WeightKind) -> Term:
        return total(L, lambda m: pairing(names[k.name], directions[k.name], k.units, k.bounds(m + 1), m + 1))

    return add(*(of_kind(k) for k in net.kinds))


def energy_gradient_theory(net: Network, energy: Term) -> Theory:
    """Static theory with the gradients gx, g<kind> of an energy, by layer, as derived."""
    base = net.energy_theory()
    cases = diff(base, energy, App("x", (l, b, i))).cases((ge(l, 0), le(l, L)), (*net.assumptions, *STATE_RANGES))
    symbols = [
        Symbol("Dx", PARAMETER, 3, shape="layer, batch, unit", meaning="variation of the activities"),
        Symbol("gx", DEFINED, 3, shape="layer, batch, unit", meaning="gradient of F by the activities"),
    ]
    groups: list[tuple[Definition, ...]] = [(Definition("gx", ("l", "b", "i"), cases),)]
    moving = {}
    for k in net.kinds:
        units = tuple(map(qvar, k.units))
        ranges = tuple(c for u, bound in zip(units, k.bounds(l)) for c in span(u, 0, bound))
        parts = diff(base, energy, App(k.name, (l, *units))).cases((ge(l, 1), le(l, L)), (*net.assumptions, *ranges))
        groups.append((Definition("g" + k.name, ("l", *k.units), parts),))
        moving[k.name] = variation(k.name)
        symbols += [
            Symbol(variation(k.name), PARAMETER, 1 + len(units), shape=k.shape, meaning=f"variation of {k.name}"),
            Symbol("g" + k.name, DEFINED, 1 + len(units), shape=k.shape, meaning=f"gradient of F by {k.name}"),
        ]
    return base.extend(
        tuple(symbols),
        tuple(groups),
        {**derivative_hypotheses(net, "x", {k.name: k.name for k in net.kinds}), **differentiable(energy)},
        {"x": {"x": "Dx"}, "weights": moving},
    )


def state_pairing(name: str, direction: str) -> Term:
    """Sum over layers 0..L, samples and units of name times direction."""
    return total(
        L + 1,
        lambda m: total(B, lambda s: total(width(m), lambda u: mul(App(name, (m, s, u)), App(direction, (m, s, u))))),
    )


def with_loss_gradient(net: Network, theory: Theory) -> Theory:
    """A theory that has y: with variations of the initial weights and the tangent Dy of y."""
    y = theory.definition("y")
    assert y is not None
    moving = {k.initial: variation(k.initial) for k in net.kinds}
    symbols = [
        Symbol(moving[k.initial], PARAMETER, 1 + len(k.units), shape=k.shape, meaning=f"variation of {k.initial}")
        for k in net.kinds
    ]
    bigger = theory.extend(tuple(symbols))
    dy = tangent_definition(bigger, y, "Dy", moving)
    symbol = Symbol("Dy", DEFINED, 3, shape="layer, batch, unit", meaning="derivative of y along the variation")
    return bigger.extend(
        (symbol,),
        ((dy,),),
        {**derivative_hypotheses(net, "y", {k.name: k.initial for k in net.kinds}), **differentiable(net.loss())},
        {"weights": moving},
    )


def backprop_theory(net: Network) -> Theory:
    """The ANN alone: y, delta and the changes of backprop."""
    symbols, definitions = backprop_definitions(net)
    base = (*DATA, *initial_symbols(net), *net.functions, *symbols)
    return Theory(net.sizes, net.assumptions, {s.name: s for s in base}, definitions)


def loss_gradient_cases(net: Network) -> tuple[Case, ...]:
    """The cases of delta, for display."""
    d = backprop_theory(net).definition("delta")
    assert d is not None
    return d.cases
