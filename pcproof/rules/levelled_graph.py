"""Z-IL on any levelled graph of scalar vertices with leaves: any differentiable vertex functions, any edges.

Source: Salvatori et al., AAAI 2022 (arXiv 2103.04689v2), eqs 1-8, Algorithm 3
and Theorem 3; signs and the moment of the leaves repaired (E6, E8).

Vertices 0..L-1 are the internal ones in topological order, outputs first;
vertex l reads vertices m > l and leaves p < N, which are inputs and parameters
alike:

    mu_l = g_l({A[l,m] x_m : m > l}, {C[l,p] zeta_p : p < N})

A and C are any multipliers, 0 where there is no edge; a graph has 1 on its edges.
*Levelled*: an edge leads from level k + 1 to level k.  Vertices at level 0 are
the outputs, clamped to their targets.  Nothing else is said of the graph or of g.
The loss is half the squared errors of the outputs, of one sample.
"""

from __future__ import annotations

from dataclasses import replace

from ..language.diff import diff
from ..language.index import Bound, Con, Idx, QVar, eq, ge, le, lt, ne, qvar, size, span
from ..language.signature import (
    DEFINED,
    OPERATOR,
    PARAMETER,
    Case,
    Claim,
    Definition,
    Eq,
    Statement,
    Symbol,
    Theory,
)
from ..language.terms import (
    ONE,
    ZERO,
    Add,
    App,
    Iverson,
    Lam,
    Mul,
    Sum,
    Term,
    add,
    close_lam,
    mul,
    neg,
    replace_apps,
    total,
)
from ..networks.network import L

t, l, m, p = qvar("t"), qvar("l"), qvar("m"), qvar("p")
N = size("N")
TARGET, ALPHA = App("target", (l,)), App("alpha")
SIZES = {"L": 0, "N": 0, "len": 1, "len_leaf": 1}
VERTEX, LEAF = span(l, 0, L), span(p, 0, N)
PAIR = (ge(l, 0), lt(l, m), lt(m, L))
EDGE, STEM = ("l", "m"), ("l", "p")
VALUE, ERROR = App("y", (l,)), App("delta", (l,))


def level(vertex: Idx) -> Idx:
    """lev(l): the number of edges on every path from an output to l, one less than that of the vertices on it."""
    return size("len", vertex) - 1


def leaf_level(leaf: Idx) -> Idx:
    """The same of a leaf: one more than the level of every vertex that reads it."""
    return size("len_leaf", leaf) - 1


ASSUMPTIONS = (ge(L, 1),)
OUTPUT = eq(level(l), 0)
MOMENT = leaf_level(p) - 1  # the level of the parents


def _functions() -> tuple[Symbol, ...]:
    ranges = ((L - Idx.of(QVar("0")) - 1,), (N,))
    return (
        Symbol(
            "g",
            OPERATOR,
            1,
            ranges,
            derivatives=("gx", "gz"),
            shape="vertex; what it reads of later vertices, of leaves",
            meaning="function of a vertex",
        ),
        Symbol("gx", OPERATOR, 2, ranges, shape="vertex, vertex read; as g", meaning="derivative of g by a vertex"),
        Symbol("gz", OPERATOR, 2, ranges, shape="vertex, leaf; as g", meaning="derivative of g by a leaf"),
    )


GRAPH = (
    Symbol("A", PARAMETER, 2, shape="vertex to, vertex from", meaning="1 on edges between vertices, 0 elsewhere"),
    Symbol("C", PARAMETER, 2, shape="vertex to, leaf", meaning="1 on edges from leaves, 0 elsewhere"),
    Symbol("z", PARAMETER, 1, shape="leaf", meaning="leaves at the start: inputs and parameters"),
    Symbol("target", PARAMETER, 1, shape="vertex", meaning="target of an output"),
    Symbol("alpha", PARAMETER, shape="scalar", meaning="learning rate of the leaves"),
    *_functions(),
)


def along(x: str, vertex: Idx, other: Idx) -> Term:
    """A[l,m] x_m"""
    return mul(App("A", (vertex, other)), App(x, (other,)))


def stem(z: str, vertex: Idx, leaf: Idx) -> Term:
    """C[l,p] z_p"""
    return mul(App("C", (vertex, leaf)), App(z, (leaf,)))


def prediction(vertex: Idx, x: str, z: str) -> Term:
    """g_l of the masked values ``x`` of later vertices and ``z`` of leaves.  Source: eqs 1, 5."""
    k, q = Idx.of(QVar("?k")), Idx.of(QVar("?q"))
    read = close_lam(along(x, vertex, vertex + 1 + k), ("?k",))
    return App("g", (vertex,), (Lam(1, read), Lam(1, close_lam(stem(z, vertex, q), ("?q",)))))


def _with_reads(vertex: Idx) -> Term:
    """The same of the running network, where what is read has names of its own."""
    k, q = Idx.of(QVar("?k")), Idx.of(QVar("?q"))
    read = close_lam(App("r", (vertex, vertex + 1 + k)), ("?k",))
    return App("g", (vertex,), (Lam(1, read), Lam(1, close_lam(App("s", (vertex, q)), ("?q",)))))


# -- backprop: the stationarity of the Lagrangian ------------------------------------
def backprop_derivative(by: App, domain: tuple[Con, ...]) -> tuple[Case, ...]:
    """The derivative of -loss + sum of delta g by y, which gives delta, or by z: the change, but for alpha."""
    free = (
        Symbol("y", PARAMETER, 1, shape="vertex", meaning="activity"),
        Symbol("delta", PARAMETER, 1, shape="vertex", meaning="multiplier"),
    )
    theory = Theory(SIZES, ASSUMPTIONS, {s.name: s for s in (*GRAPH, *free)})

    def loss(v: Idx) -> Term:
        off = add(App("target", (v,)), neg(App("y", (v,))))
        return mul(Iverson((eq(level(v), 0),)), off, off) / 2

    paired = total(L, lambda v: mul(App("delta", (v,)), prediction(v, "y", "z")))
    return diff(theory, add(neg(total(L, loss)), paired), by).cases(domain, ASSUMPTIONS)


def below(t: Term, vertex: Idx) -> Term:
    """Sums of terms that are 0 but for vertices m < l, as sums over these: a recursion reads what comes before."""
    if isinstance(t, Add):
        return add(*(below(a, vertex) for a in t.args))
    if isinstance(t, Sum) and t.bound == L and isinstance(t.body, Mul):
        first, rest = t.body.args[0], t.body.args[1:]
        if isinstance(first, Iverson) and first.cons == (lt(Idx.of(Bound(0)), vertex),):
            return Sum(vertex, mul(*rest))
    return t


def backprop() -> tuple[tuple[Symbol, ...], tuple[tuple[Definition, ...], ...]]:
    """y, the forward pass; delta, by recursion from the output; dz, the changes of the leaves."""
    changes = tuple(Case(c.guard, mul(ALPHA, c.value)) for c in backprop_derivative(App("z", (p,)), LEAF))
    symbols = (
        Symbol("y", DEFINED, 1, shape="vertex", meaning="value of the vertex (forward pass)"),
        Symbol("delta", DEFINED, 1, shape="vertex", meaning="error of backprop, -dE/dy"),
        Symbol("dz", DEFINED, 1, shape="leaf", meaning="change made by backprop"),
    )
    errors = tuple(Case(c.guard, below(c.value, l)) for c in backprop_derivative(VALUE, VERTEX))
    return symbols, (
        (Definition("y", ("l",), (Case(VERTEX, prediction(l, "y", "z")),), (L - l,)),),
        (Definition("delta", ("l",), errors, (l,)),),
        (Definition("dz", ("p",), changes),),
    )


# -- inference ------------------------------------------------------------------------
def _reads() -> tuple[Definition, Definition]:
    return (
        Definition("r", EDGE, (Case(PAIR, along("x", l, m)),)),
        Definition("s", STEM, (Case((*VERTEX, *LEAF), stem("zeta", l, p)),)),
    )


def energy_derivative(by: App, domain: tuple[Con, ...]) -> Term:
    """dF by an activity or a leaf, F the sum of eps^2 / 2, eps = x - mu.  Source: eqs 6-8, repaired (E6)."""
    free = (
        Symbol("x", PARAMETER, 1, shape="vertex", meaning="activity"),
        Symbol("zeta", PARAMETER, 1, shape="leaf", meaning="leaf"),
        Symbol("r", DEFINED, 2),
        Symbol("s", DEFINED, 2),
        Symbol("eps", DEFINED, 1, shape="vertex", meaning="prediction error"),
    )
    error = Definition("eps", ("l",), (Case(VERTEX, add(App("x", (l,)), neg(_with_reads(l)))),))
    groups = (*((d,) for d in _reads()), (error,))
    theory = Theory(SIZES, ASSUMPTIONS, {s.name: s for s in (*GRAPH, *free)}, groups)
    energy = total(L, lambda v: mul(App("eps", (v,)), App("eps", (v,))) / 2)
    (case,) = diff(theory, energy, by).cases(domain, ASSUMPTIONS)
    return case.value


TIMED = ("x", "zeta", "r", "s", "mu", "eps", "dzeta")


def at(term: Term, time: Idx) -> Term:
    """A static term at a time."""
    return replace_apps(term, lambda a: App(a.name, (time, *a.idx), a.args) if a.name in TIMED else None)


def running_theory(gamma: Term = ONE, moment: Idx = MOMENT) -> Theory:
    """The graph in motion from the forward pass, the output clamped; leaf p learns at ``moment``."""
    hidden = (*VERTEX, ne(level(l), 0))
    step = mul(-1, gamma, at(energy_derivative(App("x", (l,)), VERTEX), t - 1))
    change = mul(-1, ALPHA, at(energy_derivative(App("zeta", (p,)), LEAF), t))
    old, learns = App("zeta", (t - 1, p)), eq(t - 1, moment)
    running = (ge(t, 0),)
    r, s = _reads()
    group = (
        Definition(
            "x",
            ("t", "l"),
            (
                Case((*running, *VERTEX, OUTPUT), TARGET),
                Case((eq(t, 0), *hidden), VALUE),
                Case((ge(t, 1), *hidden), add(App("x", (t - 1, l)), step)),
            ),
            (t, Idx(0)),
        ),
        Definition(
            "zeta",
            ("t", "p"),
            (
                Case((eq(t, 0), *LEAF), App("z", (p,))),
                Case((ge(t, 1), *LEAF, learns), add(old, App("dzeta", (t - 1, p)))),
                *(Case((ge(t, 1), *LEAF, other), old) for other in learns.negations()),
            ),
            (t, Idx(0)),
        ),
        *(
            Definition(
                d.name,
                ("t", *d.params),
                tuple(Case((*running, *c.guard), at(c.value, t)) for c in d.cases),
                (t, Idx(1)),
            )
            for d in (r, s)
        ),
        Definition("mu", ("t", "l"), (Case((*running, *VERTEX), at(_with_reads(l), t)),), (t, Idx(2))),
        Definition("eps", ("t", "l"), (Case((*running, *VERTEX), App("x", (t, l)) - App("mu", (t, l))),), (t, Idx(3))),
        Definition("dzeta", ("t", "p"), (Case((*running, *LEAF), change),), (t, Idx(4))),
    )
    mine = (
        Symbol("x", DEFINED, 2, shape="time, vertex", meaning="activity"),
        Symbol("zeta", DEFINED, 2, shape="time, leaf", meaning="leaf of the network in motion"),
        Symbol("r", DEFINED, 3, shape="time, vertex, vertex", meaning="what a vertex reads of another"),
        Symbol("s", DEFINED, 3, shape="time, vertex, leaf", meaning="what a vertex reads of a leaf"),
        Symbol("mu", DEFINED, 2, shape="time, vertex", meaning="predicted activity"),
        Symbol("eps", DEFINED, 2, shape="time, vertex", meaning="prediction error"),
        Symbol("dzeta", DEFINED, 2, shape="time, leaf", meaning="change that the rule makes"),
    )
    symbols, groups = backprop()
    base = {s.name: s for s in (*GRAPH, *symbols, *mine)}
    return Theory(SIZES, ASSUMPTIONS, base, (*groups, group), levelled())


def levelled() -> dict[str, Statement]:
    """Every edge, from a vertex or from a leaf, leads from level k + 1 to level k."""
    edge, branch = Eq(App("A", (l, m)), ZERO), Eq(App("C", (l, p)), ZERO)
    return {
        "edges_levelled": Statement(EDGE, (*PAIR, ne(level(m), level(l) + 1)), edge),
        "leaves_levelled": Statement(STEM, (*VERTEX, *LEAF, ne(leaf_level(p), level(l) + 1)), branch),
    }


def equals_backprop(theory: Theory) -> Claim:
    """Every error is backprop's at its level; every leaf's change at the level of its parents, and then for ever."""
    from ..tactics.levelled_graph import levelled_script

    moved = add(App("z", (p,)), App("dz", (p,)))
    real = (ge(t, 0), *LEAF, ge(leaf_level(p), 1))
    goals = (
        Statement(("t", "l"), (ge(t, 0), *VERTEX, eq(t, level(l))), Eq(App("eps", (t, l)), ERROR)),
        Statement(("t", "p"), (*real, eq(t, MOMENT)), Eq(App("dzeta", (t, p)), App("dz", (p,)))),
        Statement(("t", "p"), (*real, ge(t, leaf_level(p))), Eq(App("zeta", (t, p)), moved)),
    )
    return Claim(
        "zil_levelled_graph",
        theory,
        goals,
        "Z-IL on any levelled graph is backprop",
        script=levelled_script,
        says="recursion",
    )


def zil_levelled() -> Claim:
    """gamma = 1, from the forward pass.  Source: Theorem 3, repaired."""
    return equals_backprop(running_theory())


def with_skips(claim: Claim) -> Claim:
    """The claim, false, where edges between vertices lead from a higher level to a lower one, not to the next."""
    held = claim.theory.hypotheses
    rising = replace(held["edges_levelled"], guards=(*PAIR, le(level(m), level(l))))
    theory = replace(claim.theory, hypotheses={**held, "edges_levelled": rising})
    return replace(claim, theory=theory)
