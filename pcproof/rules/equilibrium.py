"""Claims about states of the energy: zero energy, equilibria against backprop, energy against loss.

Sources: Whittington & Bogacz (2017), WB-1, WB-3, WB-4; Rosenbaum (2022), R-2
with its repair; Millidge et al. (2022), T-3.  Both models have
the same weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..language.index import Con, ge, le, lt, qvar, span
from ..language.signature import DEFINED, PARAMETER, Claim, Eq, Le, Ne, Relation, Statement, Symbol, Theory
from ..language.terms import ZERO, App, Term, add, mul, total
from ..networks.backprop import DATA, backprop_definitions, initial_symbols
from ..networks.gradients import energy_gradient_theory
from ..networks.network import B, L, Network, WeightKind, width
from .fixed_points import EPS, EVERY, GX, MU, STATE, X, clamped_input, static_theory

l, b, i = qvar("l"), qvar("b"), qvar("i")
Y, DELTA = App("y", (l, b, i)), App("delta", (l, b, i))
FREE = (ge(l, 0), lt(l, L))
HIDDEN = (ge(l, 1), lt(l, L))


def everywhere(relation: Relation, *layers: Con) -> Statement:
    """At the layers given, for every sample and unit."""
    return Statement(EVERY, (*layers, *STATE), relation)


def clamped_output() -> Statement:
    output = (*span(b, 0, B), *span(i, 0, width(L - L)))
    return Statement(("b", "i"), output, Eq(App("x", (0, b, i)), App("s_out", (b, i))))


def equilibrium() -> Statement:
    """The gradient of the energy is 0 at every hidden layer."""
    return everywhere(Eq(GX, ZERO), *HIDDEN)


def forward_state() -> dict[str, Statement]:
    """Both ends clamped; the activities of the hidden layers are those of the forward pass."""
    return {
        "input_clamped": clamped_input(),
        "output_clamped": clamped_output(),
        "forward": everywhere(Eq(X, Y), *HIDDEN),
    }


# -- prediction phase -----------------------------------------------------------
def error_below_energy(net: Network) -> Claim:
    """eps^2 / 2 <= F at every state: where F <= bound every error is bounded."""
    from ..tactics.equilibrium import below_energy_script

    bound = App("bound")
    theory = static_theory(net).extend(
        (Symbol("bound", PARAMETER, shape="scalar", meaning="a number that the energy does not exceed"),),
        hypotheses={"energy_bounded": Statement((), (), Le(net.energy(), bound))},
    )
    half = mul(EPS, EPS) / 2
    goals = (
        everywhere(Le(half, net.energy()), *FREE),
        everywhere(Le(half, bound), *FREE),
        Statement((), (), Le(ZERO, bound)),
    )
    return Claim(
        "error_below_energy",
        theory,
        goals,
        script=below_energy_script,
        title="No error is larger than the energy: eps^2 / 2 <= F, and so at most any bound of F",
    )


def zero_energy(net: Network) -> Claim:
    """Input clamped and F = 0: eps = 0, x = mu, x = y."""
    from ..tactics.equilibrium import zero_energy_script

    theory = static_theory(net).extend(
        hypotheses={"input_clamped": clamped_input(), "zero_energy": Statement((), (), Eq(net.energy(), ZERO))}
    )
    goals = (everywhere(Eq(EPS, ZERO), *FREE), everywhere(Eq(X, MU), *FREE), everywhere(Eq(X, Y), ge(l, 0), le(l, L)))
    return Claim(
        "zero_energy",
        theory,
        goals,
        script=zero_energy_script,
        title="Prediction phase: where the energy is zero every error is, and x is the forward pass",
    )


# -- learning phase against backprop --------------------------------------------
def change(kind: WeightKind) -> Term:
    """The change that inference learning makes to one weight: -alpha times the derived gradient."""
    return mul(-1, App("alpha"), App("g" + kind.name, (l, *map(qvar, kind.units))))


def backprop_change(kind: WeightKind) -> App:
    return App(kind.initial_change, (l, *map(qvar, kind.units)))


def learning_theory(net: Network, hypotheses: Mapping[str, Statement]) -> Theory:
    """The energy with its gradients at a state x, beside backprop; both with the same weights."""
    full = energy_gradient_theory(net, net.energy())
    wanted = {"mu", "eps", "gx", *("g" + k.name for k in net.kinds)}
    kept = [g for g in full.definitions if g[0].name in wanted]
    symbols = {n: s for n, s in full.symbols.items() if s.kind != DEFINED or n in wanted}
    base = replace(full, symbols=symbols, definitions=tuple(kept), hypotheses={}, directions={})
    forward, groups = backprop_definitions(net)
    same = {
        f"same_{k.name}": weights(k, 1, Eq(*(App(n, (l, *map(qvar, k.units))) for n in (k.name, k.initial))))
        for k in net.kinds
    }
    return base.extend((*DATA, *initial_symbols(net), *forward), groups, {**same, **hypotheses})


def weights(kind: WeightKind, first: int, relation: Relation) -> Statement:
    """At layers ``first`` to L, for every weight of a kind."""
    ranges = tuple(c for u, bound in zip(map(qvar, kind.units), kind.bounds(l)) for c in span(u, 0, bound))
    return Statement(("l", *kind.units), (ge(l, first), le(l, L), *ranges), relation)


def forward_equilibrium(net: Network) -> Claim:
    """Equilibrium with x = y: errors and changes are backprop's."""
    from ..tactics.equilibrium import forward_equilibrium_script

    theory = learning_theory(net, {**forward_state(), "equilibrium": equilibrium()})
    goals = (
        everywhere(Eq(EPS, DELTA), *FREE),
        *(weights(k, 1, Eq(change(k), backprop_change(k))) for k in net.kinds),
    )
    return Claim(
        "forward_equilibrium",
        theory,
        goals,
        script=forward_equilibrium_script,
        title="An equilibrium at the forward pass learns what backprop learns",
    )


def forward_equilibrium_is_idle(net: Network) -> Claim:
    """Equilibrium with x = y: hidden errors and all changes but those of the first layer of weights are 0."""
    from ..tactics.equilibrium import idle_script

    theory = learning_theory(net, {**forward_state(), "equilibrium": equilibrium()})
    goals = (
        everywhere(Eq(EPS, ZERO), *HIDDEN),
        *(weights(k, 2, Eq(change(k), ZERO)) for k in net.kinds),
        everywhere(Eq(DELTA, ZERO), *HIDDEN),
        *(weights(k, 2, Eq(backprop_change(k), ZERO)) for k in net.kinds),
    )
    return Claim(
        "forward_equilibrium_is_idle",
        theory,
        goals,
        script=idle_script,
        title="At an equilibrium at the forward pass neither rule changes a weight above layer 1",
    )


def zero_error(net: Network) -> Claim:
    """The target is predicted: the forward pass is an equilibrium of energy 0, and neither rule learns."""
    from ..tactics.equilibrium import zero_error_script

    output = (*span(b, 0, B), *span(i, 0, width(L - L)))
    met = Statement(("b", "i"), output, Eq(App("s_out", (b, i)), App("y", (0, b, i))))
    theory = learning_theory(net, {**forward_state(), "target_met": met})
    goals = (
        everywhere(Eq(EPS, ZERO), *FREE),
        everywhere(Eq(GX, ZERO), ge(l, 0), le(l, L)),
        everywhere(Eq(DELTA, ZERO), *FREE),
        *(weights(k, 1, Eq(change(k), ZERO)) for k in net.kinds),
        *(weights(k, 1, Eq(backprop_change(k), ZERO)) for k in net.kinds),
    )
    return Claim(
        "zero_error",
        theory,
        goals,
        script=zero_error_script,
        title="Where the target is predicted the forward pass is an equilibrium, and neither rule learns",
    )


def equilibrium_is_backprop(net: Network) -> Claim:
    """False: at an equilibrium of the learning phase the changes are those of backprop."""
    theory = learning_theory(
        net, {"input_clamped": clamped_input(), "output_clamped": clamped_output(), "equilibrium": equilibrium()}
    )
    return Claim(
        "equilibrium_is_backprop",
        theory,
        tuple(weights(k, 1, Eq(change(k), backprop_change(k))) for k in net.kinds),
        title="Inference learning at equilibrium makes the changes of backprop",
    )


def only_the_forward_equilibrium(net: Network) -> Claim:
    """False: an equilibrium that makes the changes of backprop is at the forward pass."""
    clamped = {"input_clamped": clamped_input(), "output_clamped": clamped_output(), "equilibrium": equilibrium()}
    equal = {f"equal_{k.name}": weights(k, 1, Eq(change(k), backprop_change(k))) for k in net.kinds}
    learns = Statement((), (), Ne(App("alpha"), ZERO))
    return Claim(
        "only_the_forward_equilibrium",
        learning_theory(net, {**clamped, **equal, "alpha_nonzero": learns}),
        (everywhere(Eq(X, Y), *HIDDEN),),
        title="An equilibrium makes the changes of backprop only at the forward pass",
    )


# -- energy against loss ----------------------------------------------------------
def rest(net: Network) -> Term:
    """The energy of the layers above the output, 1 <= l < L."""

    def term(l: object, b: object, i: object) -> Term:
        eps = App("eps", (l, b, i))  # type: ignore[arg-type]
        return mul(eps, eps) / 2

    return total(L - 1, lambda m: total(B, lambda s: total(width(m + 1), lambda u: term(m + 1, s, u))))


def energy_is_loss_and_rest(net: Network) -> Claim:
    """Output clamped: F = loss of the prediction mu^0 + rest, rest >= 0, so loss <= F."""
    from ..tactics.equilibrium import decomposition_script

    theory = static_theory(net).extend(hypotheses={"output_clamped": clamped_output()})
    loss = net.loss("mu")
    goals: tuple[Relation, ...] = (
        Eq(net.energy(), add(loss, rest(net))),
        Le(ZERO, rest(net)),
        Le(loss, net.energy()),
    )
    return Claim(
        "energy_is_loss_and_rest",
        theory,
        tuple(Statement((), (), r) for r in goals),
        script=decomposition_script,
        title="The energy is the loss of the predicted output and a rest that is not negative",
    )


def descent(net: Network) -> Claim:
    """Output clamped, and F at most its value at the forward pass: so are its two parts."""
    from ..tactics.equilibrium import descent_script

    descended = Statement((), (), Le(net.energy(), net.loss()))
    theory = static_theory(net).extend(hypotheses={"output_clamped": clamped_output(), "descended": descended})
    return Claim(
        "descent",
        theory,
        tuple(Statement((), (), Le(t, net.loss())) for t in (net.loss("mu"), rest(net))),
        script=descent_script,
        title="Where the energy has come down from the forward pass, the loss is not above that of backprop",
    )


def forward_energy(net: Network) -> Claim:
    """Both ends clamped, hidden layers at the forward pass: the rest of the energy is 0, F is the loss of backprop."""
    from ..tactics.equilibrium import forward_energy_script

    theory = static_theory(net).extend(hypotheses=forward_state())
    goals = (
        everywhere(Eq(EPS, ZERO), *HIDDEN),
        Statement((), (), Eq(rest(net), ZERO)),
        Statement((), (), Eq(net.energy(), net.loss())),
    )
    return Claim(
        "forward_energy",
        theory,
        goals,
        script=forward_energy_script,
        title="At the forward pass the energy is the loss of backprop",
    )


def rest_zero(net: Network) -> Claim:
    """Input clamped and rest = 0: hidden errors are 0, and the hidden layers are at the forward pass."""
    from ..tactics.equilibrium import rest_zero_script

    theory = static_theory(net).extend(
        hypotheses={"input_clamped": clamped_input(), "rest_zero": Statement((), (), Eq(rest(net), ZERO))}
    )
    return Claim(
        "rest_zero",
        theory,
        (everywhere(Eq(EPS, ZERO), *HIDDEN), everywhere(Eq(X, Y), ge(l, 1), le(l, L))),
        script=rest_zero_script,
        title="Only at the forward pass is the energy the loss alone",
    )
