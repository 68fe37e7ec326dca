"""Error optimisation (ePC): the errors e are the variables, the activities follow by a perturbed forward pass.

    y_e^L = s_in,  y_e^l = P(y_e^{l+1}) + e^l,  E(e) = sum_{l<L} |e^l|^2 / 2 + |s_out - y_e^0|^2 / 2

Source: Goemaere et al. (2025).  There e^0 is left out; its variation may be
taken as 0.  delta_e is backprop's recursion on the perturbed pass.
"""

from __future__ import annotations

from dataclasses import replace

from ..language.index import Idx, ge, le, lt, qvar, span
from ..language.signature import DEFINED, PARAMETER, Case, Claim, Definition, Eq, Statement, Symbol, Tangent, Theory
from ..language.tangent import tangent_definition
from ..language.terms import ZERO, App, Term, add, mul, replace_apps, total
from ..networks.gradients import backprop_theory, derivative_hypotheses
from ..networks.network import B, L, Network, width

l, b, i = qvar("l"), qvar("b"), qvar("i")
EVERY = ("l", "b", "i")
STATE = (*span(b, 0, B), *span(i, 0, width(l)))
NAMES = {"y": "y_e", "delta": "delta_e"}
ERRORS = Symbol("e", PARAMETER, 3, shape="layer, batch, unit", meaning="error that is added to a prediction")
VARIATION = Symbol("De", PARAMETER, 3, shape="layer, batch, unit", meaning="variation of e")
TANGENT = Symbol("Dy_e", DEFINED, 3, shape="layer, batch, unit", meaning="derivative of y_e along De")


def _renamed(d: Definition) -> Definition:
    """A definition of the ANN on the perturbed pass: under another name, with e added to every prediction."""

    def put(a: App) -> Term | None:
        return App(NAMES[a.name], a.idx) if a.name in NAMES else None

    cases = tuple(Case(c.guard, replace_apps(c.value, put)) for c in d.cases)
    if d.name == "y":
        predicted, clamped = cases
        cases = (Case(predicted.guard, add(predicted.value, App("e", (l, b, i)))), clamped)
    return Definition(NAMES[d.name], d.params, cases, d.measure)


def perturbed_theory(net: Network) -> Theory:
    """The ANN, and beside it the perturbed pass y_e, its backprop delta_e, and the derivative Dy_e along De."""
    base = backprop_theory(net)
    groups = tuple((_renamed(d),) for g in base.definitions for d in g if d.name in NAMES)
    own = tuple(
        replace(base.symbols[n], name=new, meaning=base.symbols[n].meaning + ", perturbed") for n, new in NAMES.items()
    )
    theory = base.extend((ERRORS, VARIATION, *own), groups)
    y = theory.definition("y_e")
    assert y is not None
    dy = tangent_definition(theory, y, "Dy_e", {"e": "De"})
    smooth = derivative_hypotheses(net, "y_e", {k.name: k.initial for k in net.kinds})
    return theory.extend((TANGENT,), ((dy,),), smooth, {"errors": {"e": "De"}})


def energy(net: Network) -> Term:
    """E(e)"""

    def square(layer: Idx, s: Idx, u: Idx) -> Term:
        e = App("e", (layer, s, u))
        return mul(e, e) / 2

    errors = total(L, lambda m: total(B, lambda s: total(width(m), lambda u: square(m, s, u))))
    return add(errors, net.loss("y_e"))


def pairing(name: str) -> Term:
    """Sum over layers below L, samples and units of ``name`` times De."""
    return total(
        L,
        lambda m: total(B, lambda s: total(width(m), lambda u: mul(App(name, (m, s, u)), App("De", (m, s, u))))),
    )


def error_gradient(net: Network) -> Claim:
    """At every e the gradient of E by e^l is e^l - delta_e^l; next to the input the pass is the ANN's, plus e."""
    from ..tactics.epc import gradient_script

    def at(name: str, layer: Idx) -> Term:
        return App(name, (layer, b, i))

    def of(layer: Idx, relation: Eq) -> Statement:
        return Statement(("b", "i"), (*span(b, 0, B), *span(i, 0, width(layer))), relation)

    goals = (
        Statement((), (), Tangent("errors", energy(net), add(pairing("e"), mul(-1, pairing("delta_e"))))),
        of(L, Eq(at("y_e", L), at("y", L))),
        of(L - 1, Eq(at("y_e", L - 1), add(at("y", L - 1), at("e", L - 1)))),
    )
    return Claim(
        id="epc_gradient",
        theory=perturbed_theory(net),
        goals=goals,
        script=gradient_script,
        says="gradient",
        title="ePC: the gradient by the errors is e - delta_e",
    )


def first_step(net: Network) -> Claim:
    """At e = 0 the perturbed pass is the forward pass, and the gradient of E by e^l is -delta^l."""
    from ..tactics.epc import first_step_script

    zero = Statement(EVERY, (ge(l, 0), lt(l, L), *STATE), Eq(App("e", (l, b, i)), ZERO))
    goals = (
        Statement(EVERY, (ge(l, 0), le(l, L), *STATE), Eq(App("y_e", (l, b, i)), App("y", (l, b, i)))),
        Statement(EVERY, (ge(l, 0), lt(l, L), *STATE), Eq(App("delta_e", (l, b, i)), App("delta", (l, b, i)))),
        Statement((), (), Tangent("errors", energy(net), mul(-1, pairing("delta")))),
    )
    return Claim(
        id="epc_first_step",
        theory=perturbed_theory(net).extend(hypotheses={"e_zero": zero}),
        goals=goals,
        script=first_step_script,
        says="gradient",
        title="ePC: at e = 0 the gradient by the errors is minus backprop's delta",
    )
