"""Claims about the fixed points of an energy, in both phases.  Source: Song et al., section 2; WB-1, WB-2."""

from __future__ import annotations

from dataclasses import replace

from ..language.index import ge, le, lt, qvar, span
from ..language.signature import DEFINED, Claim, Eq, Statement, Theory
from ..language.terms import ZERO, App, Term, add, mul
from ..networks.backprop import DATA, backprop_definitions
from ..networks.gradients import energy_gradient_theory
from ..networks.network import B, L, Network, width

l, b, i = qvar("l"), qvar("b"), qvar("i")
STATE = (*span(b, 0, B), *span(i, 0, width(l)))
X, MU, EPS, GX = (App(n, (l, b, i)) for n in ("x", "mu", "eps", "gx"))
EVERY = ("l", "b", "i")


def static_theory(net: Network) -> Theory:
    """Energy and gradients beside the forward pass with the same weights."""
    full = energy_gradient_theory(net, net.energy())
    kept = [g for g in full.definitions if g[0].name in ("mu", "eps", "gx")]
    names = {g[0].name for g in kept}
    symbols = {n: s for n, s in full.symbols.items() if s.kind != DEFINED or n in names}
    base = replace(full, symbols=symbols, definitions=tuple(kept), hypotheses={}, directions={})
    forward, groups = backprop_definitions(net, own_weights=False)
    wanted = {"y"}
    data = tuple(s for s in DATA if s.name in ("s_in", "s_out"))
    return base.extend(
        (*data, *(s for s in forward if s.name in wanted)), tuple(g for g in groups if g[0].name in wanted)
    )


def clamped_input() -> Statement:
    return Statement(("b", "i"), (*span(b, 0, B), *span(i, 0, width(L))), Eq(App("x", (L, b, i)), App("s_in", (b, i))))


def prediction(net: Network) -> Claim:
    """Input clamped, output free, gradient 0 at every free layer: eps = 0, x = mu, x = y."""
    from ..tactics.fixed_point import prediction_script

    theory = static_theory(net).extend(
        hypotheses={
            "input_clamped": clamped_input(),
            "fixed_point": Statement(EVERY, (ge(l, 0), lt(l, L), *STATE), Eq(GX, ZERO)),
        }
    )
    goals = (
        Statement(EVERY, (ge(l, 0), lt(l, L), *STATE), Eq(EPS, ZERO)),
        Statement(EVERY, (ge(l, 0), lt(l, L), *STATE), Eq(X, MU)),
        Statement(EVERY, (ge(l, 0), le(l, L), *STATE), Eq(X, App("y", (l, b, i)))),
    )
    return Claim(
        "prediction_fixed_point",
        theory,
        goals,
        script=prediction_script,
        title="Prediction phase: at a fixed point x = mu in every layer, so x is the forward pass",
    )


def prediction_converse(net: Network) -> Claim:
    """x = mu in every layer: the gradient is 0 everywhere and so is the energy."""
    theory = static_theory(net).extend(
        hypotheses={"predicted": Statement(EVERY, (ge(l, 0), lt(l, L), *STATE), Eq(X, MU))}
    )
    goals = (
        Statement(EVERY, (ge(l, 0), lt(l, L), *STATE), Eq(EPS, ZERO)),
        Statement(EVERY, (ge(l, 0), le(l, L), *STATE), Eq(GX, ZERO)),
        Statement((), (), Eq(net.energy(), ZERO)),
    )
    from ..tactics.fixed_point import converse_script

    return Claim(
        "prediction_zero_energy",
        theory,
        goals,
        script=converse_script,
        title="Prediction phase: where x = mu in every layer, energy and gradient are zero",
    )


def learning(net: Network) -> Claim:
    """Output clamped, gradient 0 at every hidden layer: eps^l = f'(x^l) theta^T eps^{l-1}."""
    from ..tactics.fixed_point import learning_script

    base = static_theory(net)
    d = base.definition("gx")
    assert d is not None
    hidden = next(c.value for c in d.cases if EPS in getattr(c.value, "args", ()))
    rest = add(*(mul(-1, a) for a in hidden.args if a is not EPS))  # type: ignore[attr-defined]
    output: Term = add(App("s_out", (b, i)), mul(-1, App("mu", (0, b, i))))
    theory = base.extend(
        hypotheses={
            "output_clamped": Statement(
                ("b", "i"), (*span(b, 0, B), *span(i, 0, width(L - L))), Eq(App("x", (0, b, i)), App("s_out", (b, i)))
            ),
            "equilibrium": Statement(EVERY, (ge(l, 1), lt(l, L), *STATE), Eq(GX, ZERO)),
        }
    )
    goals = (
        Statement(EVERY, (ge(l, 1), lt(l, L), *STATE), Eq(EPS, rest)),
        Statement(("b", "i"), (*span(b, 0, B), *span(i, 0, width(L - L))), Eq(App("eps", (0, b, i)), output)),
    )
    return Claim(
        "learning_fixed_point",
        theory,
        goals,
        script=learning_script,
        title="Learning phase: at equilibrium the errors obey backprop's recursion, at the equilibrium's own values",
    )
