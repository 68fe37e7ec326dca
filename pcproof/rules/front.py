"""The wave of a rule: what is left of its step where everything ahead is frozen.

``front[l]`` is the error that layer l has when the wave arrives, as a
recursion in the forward values y and the initial weights w; ``front_d<weight>``
the change made from it.  They are read off the rule's own equations (errors of
the layer itself are zero, activities are y, weights are w), and
``front_claim`` states that the running network has exactly these errors and
makes exactly these changes.  Its proof licenses the wavefront kernel.
"""

from __future__ import annotations

from ..language.index import eq, ge, le, lt, qvar
from ..language.signature import DEFINED, Case, Claim, Definition, Eq, Statement, Symbol, Theory
from ..language.terms import ZERO, App, Term, add, free_vars, mul, replace_apps, subst, tidy
from ..networks.backprop import DATA, backprop_definitions, initial_symbols, weight_names
from ..networks.network import L
from .claims import STATE, unit_ranges
from .equations import Equations, RuleError, moment, timed_theory, written

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")


def _at_wave(e: Equations, term: Term, own: bool) -> Term:
    """A static term where the wave arrives: frozen values, errors of the layer below are ``front``."""
    names = weight_names(e.net)

    def put(a: App) -> Term | None:
        if a.name == "x":
            return App("y", a.idx)
        if a.name == "mu":
            return App("y", a.idx)
        if a.name == "eps":
            return ZERO if own and a.idx[0] == l else App("front", a.idx)
        if a.name in names:
            return App(names[a.name], a.idx)
        return None

    return tidy(replace_apps(term, put))


def front_definitions(e: Equations) -> tuple[tuple[Symbol, ...], tuple[tuple[Definition, ...], ...]]:
    """``front`` and the changes made from it, as definitions over forward values."""
    first = Case((eq(l, 0),), add(e.clamped, mul(-1, App("y", (0, b, i)))))
    later = tuple(Case(c.guard, _at_wave(e, c.value, own=True)) for c in e.step)
    symbols = [Symbol("front", DEFINED, 3, shape="layer, batch, unit", meaning="error when the wave arrives")]
    groups = [(Definition("front", ("l", "b", "i"), (first, *later), (l,)),)]
    for k in e.net.kinds:
        name = "front_" + k.change
        cases = tuple(Case(c.guard, _at_wave(e, c.value, own=False)) for c in e.change[k.name])
        if any("t" in free_vars(c.value) for c in (*cases, *later)):
            raise RuleError("a rule with step sizes that depend on time has no wavefront form")
        symbols.append(Symbol(name, DEFINED, 1 + len(k.units), shape=k.shape, meaning="change made by the wave"))
        groups.append((Definition(name, ("l", *k.units), cases),))
    return tuple(symbols), tuple(groups)


def front_theory(e: Equations) -> Theory:
    """Forward pass and wave alone: what the wavefront kernel computes."""
    bp_symbols, bp_groups = backprop_definitions(e.net)
    symbols, groups = front_definitions(e)
    base = (*DATA, *initial_symbols(e.net), *e.net.functions, *e.parameters)
    forward = Theory(
        e.net.sizes,
        e.net.assumptions,
        {s.name: s for s in (*base, *(s for s in bp_symbols if s.name == "y"))},
        tuple(g for g in bp_groups if g[0].name == "y"),
    )
    return forward.extend(symbols, groups)


def front_claim(e: Equations) -> Claim:
    """The running network has, at each layer's moment, the errors of ``front``, and ends with its changes."""
    symbols, groups = front_definitions(e)
    theory = timed_theory(e).extend(symbols, groups)
    here = moment(e.when)
    arrival = here.replace(lambda a: l + 1 if a == l.terms[0][0] else None)
    goals = [
        Statement(
            ("t", "l", "b", "i"),
            (ge(t, 0), ge(l, 0), lt(l, L), eq(t, arrival), *STATE),
            Eq(App(e.error, (t, l, b, i)), App("front", (l, b, i))),
        )
    ]
    for k in e.net.kinds:
        units, ranges = unit_ranges(k)
        guards = (ge(l, 1), le(l, L), ge(t, written(e)), ge(t, 0), *ranges)
        expected = add(App(k.initial, (l, *units)), App("front_" + k.change, (l, *units)))
        goals.append(Statement(("t", "l", *k.units), guards, Eq(App(k.name, (t, l, *units)), expected)))
    return Claim(
        id=f"{e.name}_front",
        theory=theory,
        goals=tuple(goals),
        equations=e,
        title=f"{e.name}: the running network makes the changes of its wavefront form",
    )


def front_step(e: Equations) -> str:
    """The recursion of the wave's first arrival, for people: the step of layer l with everything ahead frozen."""
    from ..language.show import show

    def eps(a: App) -> Term | None:
        return App("eps", a.idx) if a.name == "front" else None

    cases = [subst(replace_apps(_at_wave(e, c.value, own=True), eps), {"t": l - 1}) for c in e.step]
    return "; ".join(f"eps[l,b,i] = {show(c)}" for c in dict.fromkeys(cases))
