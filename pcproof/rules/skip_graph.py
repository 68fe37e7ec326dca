"""Z-IL on a graph with a skip connection, and with an identity vertex on it.

Source: Salvatori et al., AAAI 2022 (arXiv 2103.04689v2), section 3 and eq. 12, signs repaired:

    G = z3 (z1 z2 + 1) s:    v2 = z3 s,  v1 = z2 v2,  out = z1 v1 + v2
    padded:                  v3 = v2,  out = z1 v1 + v3

Every vertex has an activity, a prediction mu and an error eps = x - mu; the
output is clamped to a target.  gamma = 1, the start is the forward pass, all
is computed from the values of one time.  The steps and the changes of the
leaves z1, z2, z3 come out of the energy, sum of eps^2 / 2; backprop's changes
out of the loss (target - G)^2 / 2.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..language.diff import diff
from ..language.index import eq, ge, qvar
from ..language.signature import (
    DEFINED,
    PARAMETER,
    Case,
    Claim,
    Definition,
    Eq,
    Relation,
    Statement,
    Symbol,
    Tangent,
    Theory,
)
from ..language.terms import ZERO, App, Num, Term, add, mul, neg, replace_apps

t = qvar("t")
Z1, Z2, Z3, S, TARGET = (App(n) for n in ("z1", "z2", "z3", "s", "target"))
LEAVES = ("z1", "z2", "z3")
PLAIN = {"v2": mul(Z3, S), "v1": mul(Z2, App("v2")), "out": add(mul(Z1, App("v1")), App("v2"))}
PADDED = {
    "v2": mul(Z3, S),
    "v1": mul(Z2, App("v2")),
    "v3": App("v2"),
    "out": add(mul(Z1, App("v1")), App("v3")),
}


def _parameters() -> tuple[Symbol, ...]:
    return (
        *(Symbol(z, PARAMETER, meaning="parameter, a leaf of the graph", shape="scalar") for z in LEAVES),
        Symbol("s", PARAMETER, meaning="input", shape="scalar"),
        Symbol("target", PARAMETER, meaning="target", shape="scalar"),
    )


def _value(graph: Mapping[str, Term], term: Term) -> Term:
    """A prediction with the vertices that it reads replaced by theirs: the forward pass."""
    return replace_apps(term, lambda a: _value(graph, graph[a.name]) if a.name in graph else None)


def _gradient(energy: Term, graph: Mapping[str, Term], by: str) -> Term:
    """The derivative of a term in vertices and leaves by one of them."""
    vertices = (Symbol(v, PARAMETER) for v in graph)
    theory = Theory({}, (), {s.name: s for s in (*_parameters(), *vertices)})
    (case,) = diff(theory, energy, App(by)).cases((), ())
    return case.value


def skip_theory(graph: Mapping[str, Term]) -> Theory:
    """The graph in motion: activities x_v, and the changes d_z that each leaf would make at each time."""
    errors = {v: add(App(v), neg(mu)) for v, mu in graph.items()}
    energy = add(*(mul(Num(1) / 2, e, e) for e in errors.values()))
    free = [v for v in graph if v != "out"]

    def at(term: Term, time: object) -> Term:
        return replace_apps(term, lambda a: App(a.name, (time,)) if a.name in graph else None)  # type: ignore[arg-type]

    group: list[Definition] = []
    symbols: list[Symbol] = []
    for v in graph:
        symbols.append(Symbol(v, DEFINED, 1, shape="time", meaning=f"activity of the vertex {v}"))
        if v in free:
            moved = add(App(v, (t - 1,)), neg(at(_gradient(energy, graph, v), t - 1)))
            cases: tuple[Case, ...] = (Case((eq(t, 0),), _value(graph, graph[v])), Case((ge(t, 1),), moved))
        else:
            cases = (Case((ge(t, 0),), TARGET),)
        group.append(Definition(v, ("t",), cases, (t,)))
    changes = []
    for z in LEAVES:
        symbols.append(Symbol("d_" + z, DEFINED, 1, shape="time", meaning=f"change of {z}, learning rate 1"))
        value = neg(at(_gradient(energy, graph, z), t))
        changes.append((Definition("d_" + z, ("t",), (Case((ge(t, 0),), value),)),))
    varied = tuple(Symbol("D" + z, PARAMETER, shape="scalar", meaning=f"variation of {z}") for z in LEAVES)
    theory = Theory({}, (), {s.name: s for s in (*_parameters(), *varied, *symbols)}, (tuple(group), *changes))
    return theory.extend(directions={"leaves": {z: "D" + z for z in LEAVES}})


def delta(graph: Mapping[str, Term]) -> Term:
    """target - G"""
    return add(TARGET, neg(_value(graph, graph["out"])))


def loss(graph: Mapping[str, Term]) -> Term:
    d = delta(graph)
    return mul(Num(1) / 2, d, d)


def backprop(graph: Mapping[str, Term], leaf: str) -> Term:
    """-dE/dz"""
    return neg(_gradient(loss(graph), {}, leaf))


def change(leaf: str, time: int) -> App:
    """The change of a leaf at a time."""
    return App("d_" + leaf, (time,))


def is_backprop(graph: Mapping[str, Term]) -> Statement:
    """The derivative of the loss along every variation is minus <backprop's changes, variation>."""
    pairing = add(*(mul(-1, backprop(graph, z), App("D" + z)) for z in LEAVES))
    return Statement((), (), Tangent("leaves", loss(graph), pairing))


def _closed(*relations: Relation) -> tuple[Statement, ...]:
    return tuple(Statement((), (), r) for r in relations)


def _claim(id: str, graph: Mapping[str, Term], goals: tuple[Statement, ...], title: str) -> Claim:
    from ..tactics.skip_graph import skip_script

    return Claim(id, skip_theory(graph), goals, title, script=skip_script, says="gradient")


def printed_value(time: int) -> Claim:
    """False, at t = 1 and at t = 2: the change of z3 is alpha delta z1 z2 s (eq. 12; alpha = 1)."""
    goals = _closed(Eq(change("z3", time), mul(delta(PLAIN), Z1, Z2, S)))
    return _claim(
        f"skip_graph_printed_{time}", PLAIN, goals, f"Z-IL on the skip graph changes z3 by eq. 12 at t = {time}"
    )


def plain_is_backprop() -> Claim:
    """False: the changes of z2 at t = 1 are backprop's on the skip graph too."""
    goals = _closed(Eq(change("z2", 1), backprop(PLAIN, "z2")))
    return _claim("skip_graph_z2", PLAIN, goals, "On the skip graph Z-IL misses backprop's change of z3 only")


def plain_values() -> Claim:
    """What Z-IL does on the skip graph: z1 right, z2 and z3 not."""
    d = delta(PLAIN)
    x2 = mul(Z3, S)
    early = mul(d, S)
    late = mul(d, S, add(mul(Z1, Z2), mul(-1, Z2, Z2), mul(-1, Z1, Z1)))
    goals = (
        is_backprop(PLAIN),
        *_closed(
            Eq(change("z1", 0), backprop(PLAIN, "z1")),
            Eq(change("z2", 0), ZERO),
            Eq(change("z3", 0), ZERO),
            Eq(change("z2", 1), mul(d, add(Z1, neg(Z2)), add(x2, d))),
            Eq(change("z3", 1), early),
            Eq(change("z3", 2), late),
        ),
    )
    return _claim("skip_graph", PLAIN, goals, "Z-IL on the skip graph: z1 gets backprop's change, z2 and z3 do not")


def padded_values() -> Claim:
    """With an identity vertex on the skip edge every leaf gets backprop's change at the level of its parent."""
    goals = (
        is_backprop(PADDED),
        *_closed(*(Eq(change(z, n), backprop(PADDED, z)) for n, z in enumerate(LEAVES))),
    )
    return _claim("skip_graph_padded", PADDED, goals, "With an identity vertex on the skip edge Z-IL is backprop")
