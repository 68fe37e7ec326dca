"""One theorem for all that Z-IL does: its steps are gradient steps on F, and it ends where backprop ends.

The running network x_t, theta_t is the definition.  A derivative needs
parameters that vary, so the state is named again: X[t,l,b,i], Theta[t,l,i,j]
are parameters, and hypotheses say that X is x and Theta is theta.  They define
X and Theta and assume nothing of the run.  F, Mu, Eps and the derived
gradients gx, gtheta are those of the state X_t, Theta_t at every time t.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..language.index import Con, Idx, ge, le, lt, qvar, span
from ..language.signature import (
    PARAMETER,
    Case,
    Claim,
    Definition,
    Deriv,
    Eq,
    Statement,
    Symbol,
    Tangent,
    Theory,
)
from ..language.terms import ONE, App, Term, add, mul, replace_apps
from ..networks.gradients import energy_gradient_theory, state_pairing, variation, weight_pairing
from ..networks.network import B, L, Network, WeightKind, width
from .claims import GAMMA, final_weights, unit_ranges
from .equations import Equations, moment, timed_theory

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")
STATE = (*span(b, 0, B), *span(i, 0, width(l)))
RUNNING = ge(t, 0)


def state_names(net: Network) -> dict[str, str]:
    """What a symbol of the static energy is called at the state of the run."""
    names = {n: n[0].upper() + n[1:] for n in ("x", "mu", "eps", *(k.name for k in net.kinds))}
    varied = {variation(n): variation(names[n]) for n in ("x", *(k.name for k in net.kinds))}
    gradients = {n: n for n in ("gx", *("g" + k.name for k in net.kinds))}
    return {**names, **varied, **gradients}


@dataclass(frozen=True)
class AtState:
    """Puts what is said of one static state at the state of every time t."""

    names: Mapping[str, str]

    def term(self, term: Term) -> Term:
        def put(a: App) -> Term | None:
            return None if a.args or a.name not in self.names else App(self.names[a.name], (t, *a.idx))

        return replace_apps(term, put)

    def definition(self, d: Definition) -> Definition:
        cases = tuple(Case((RUNNING, *c.guard), self.term(c.value)) for c in d.cases)
        return Definition(self.names[d.name], ("t", *d.params), cases, d.measure)

    def derivative(self, s: Statement) -> Statement:
        assert isinstance(s.relation, Deriv)
        point = self.term(s.relation.point)
        assert isinstance(point, App)
        return Statement(("t", *s.variables), (RUNNING, *s.guards), Deriv(point))

    def symbol(self, s: Symbol) -> Symbol:
        meaning = s.meaning + (", free to vary" if s.kind == PARAMETER and not s.name.startswith("D") else "")
        return Symbol(self.names[s.name], s.kind, 1 + s.arity, shape="time, " + s.shape, meaning=meaning)


def with_energy_gradient(e: Equations, theory: Theory) -> Theory:
    """A theory that runs a rule: with the derived gradients of the rule's energy at the state of every time."""
    net = e.net
    static, at = energy_gradient_theory(net, e.energy), AtState(state_names(net))
    same = {"X_is_x": _same(at, "x", ("b", "i"), (ge(l, 0), le(l, L), *STATE))}
    for k in net.kinds:
        _, ranges = unit_ranges(k)
        same[f"{at.names[k.name]}_is_{k.name}"] = _same(at, k.name, k.units, (ge(l, 1), le(l, L), *ranges))
    return theory.extend(
        tuple(at.symbol(s) for s in static.symbols.values() if s.name in at.names),
        tuple(tuple(at.definition(d) for d in group) for group in static.definitions),
        {**same, **{f"{name}_at_X": at.derivative(h) for name, h in static.hypotheses.items()}},
        {n: {at.names[x]: at.names[dx] for x, dx in moving.items()} for n, moving in static.directions.items()},
    )


def _same(at: AtState, name: str, units: tuple[str, ...], guards: tuple[Con, ...]) -> Statement:
    """The parameter that may vary has the value that the run has."""
    own = App(name, (l, *map(qvar, units)))
    running = App(name, (t, *own.idx))
    return Statement(("t", "l", *units), (RUNNING, *guards), Eq(at.term(own), running))


def gradient_steps(e: Equations, gamma: Term | None = None) -> tuple[Statement, ...]:
    """gx, gtheta are the gradient of F; activities move by -gamma gx, weights by -alpha gtheta at their moment only."""
    net, at = e.net, AtState(state_names(e.net))
    if gamma is None:
        gamma = GAMMA if any(p.name == "gamma" for p in e.parameters) else ONE
    weights = weight_pairing(net, {k.name: "g" + k.name for k in net.kinds}, {k.name: "D" + k.name for k in net.kinds})
    goals = [
        Statement(("t",), (RUNNING,), Tangent("x", at.term(e.energy), at.term(state_pairing("gx", "Dx")))),
        Statement(("t",), (RUNNING,), Tangent("weights", at.term(e.energy), at.term(weights))),
        _moves("x", t, ("b", "i"), (RUNNING, ge(l, 1), lt(l, L), *STATE), gamma),
    ]
    for k in net.kinds:
        _, ranges = unit_ranges(k)
        layers, when = (ge(l, 1), le(l, L), *ranges), moment(e.when)
        goals.append(_moves(k.name, when, k.units, tuple(dict.fromkeys((ge(when, 0), *layers))), App("alpha")))
        goals.append(_rests(k, (RUNNING, Con("ne", t - when), *layers)))
    return tuple(goals)


def _moves(name: str, when: Idx, units: tuple[str, ...], guards: tuple[Con, ...], factor: Term) -> Statement:
    """In the step at time ``when`` a quantity moves by -factor times the gradient at that time."""
    at = (l, *map(qvar, units))
    move = mul(-1, factor, App("g" + name, (when, *at)))
    relation = Eq(App(name, (when + 1, *at)), add(App(name, (when, *at)), move))
    variables = ("t", "l", *units) if t.terms[0][0] in when.atoms() else ("l", *units)
    return Statement(variables, guards, relation)


def _rests(k: WeightKind, guards: tuple[Con, ...]) -> Statement:
    """In the step at time t a weight stays what it is."""
    at = (l, *map(qvar, k.units))
    return Statement(("t", "l", *k.units), guards, Eq(App(k.name, (t + 1, *at)), App(k.name, (t, *at))))


def descent(e: Equations, gamma: Term | None = None) -> Claim:
    """Every step is a gradient step on the rule's own energy, taken at the state of its time.

    gamma: the step size; None: the rule's parameter gamma, or 1 if it has none.
    Source: eqs 6, 7, 9 of Song et al.
    """
    from ..tactics.complete import complete_script

    return Claim(
        id=f"{e.name}_descent",
        theory=with_energy_gradient(e, timed_theory(e)),
        goals=gradient_steps(e, gamma),
        equations=e,
        script=complete_script,
        says="gradient",
        title=f"{e.name}: every step is a gradient step on F",
    )


def complete(e: Equations, gamma: Term | None = None) -> Claim:
    """Every step is a gradient step on the rule's own energy, and every weight ends where backprop puts it.

    gamma: as in ``descent``.
    Source: eqs 6, 7, 9 and Theorem 3.2 of Song et al.
    """
    claim = descent(e, gamma)
    return replace(
        claim,
        id=f"{e.name}_complete",
        goals=(*claim.goals, *final_weights(e)),
        title=f"{claim.title}, and every weight ends where backprop puts it",
    )
