"""Equations of fixed prediction as printed, and as they hold.

Sources: Millidge, Tschantz and Buckley (2020), v5, eqs 2, 5 and 6, on a graph
as in ``dag``; Rosenbaum (2022), v2, Algorithm 3 and its proof, on layers.
"""

from __future__ import annotations

from collections.abc import Callable

from ..language.index import Idx, ge, le, lt, qvar, span
from ..language.signature import PARAMETER, Claim, Eq, Statement, Symbol, Tangent, Theory
from ..language.terms import ZERO, App, Term, add, mul, neg, replace_apps, total
from ..networks.network import L, width
from . import dag
from .claims import STATE
from .equations import Equations, timed_theory

t, l, b, i, j, m = (qvar(n) for n in "tlbijm")


# -- Millidge et al. 2020 -------------------------------------------------------------
def error(vertex: Idx, unit: Idx) -> Term:
    """eps, spelt out: predictions are held."""
    return add(App("x", (vertex, unit)), neg(App("y", (vertex, unit))))


def feedback(through: Callable[[Idx, Idx], Term]) -> Term:
    """sum over the vertices that read l, and their units, of a derivative times the error."""
    return total(l, lambda child: total(width(child), lambda unit: mul(through(child, unit), error(child, unit))))


def by_parent(child: Idx, unit: Idx) -> Term:
    """dv_child / dv_l"""
    return App("J", (child, l, unit, i))


def by_child(child: Idx, unit: Idx) -> Term:
    """dv_l / dv_child"""
    return App("J", (l, child, i, unit))


def step_claim(id: str, value: Term, title: str) -> Claim:
    """-dF/dx of a hidden vertex is ``value``."""
    from ..tactics.dag import equation_script

    goal = dag.everywhere(Eq(neg(dag.GX), value), *dag.HIDDEN)
    return Claim(id, dag.held_theory({}), (goal,), script=equation_script, title=title)


def step() -> Claim:
    """Eq. 2, repaired: -dF/dx = -eps + sum of J^T eps over the children."""
    return step_claim(
        "dag_step",
        add(neg(error(l, i)), feedback(by_parent)),
        "A vertex descends the energy by minus its error plus what its children feed back",
    )


def step_printed() -> Claim:
    """Eq. 2 as printed: -dF/dx = eps - sum of J^T eps over the children.  False."""
    return step_claim(
        "dag_step_printed",
        add(error(l, i), neg(feedback(by_parent))),
        "A vertex descends the energy by its error minus what its children feed back",
    )


def at_rest() -> Theory:
    """Output clamped, nothing moves, and no vertex reads itself or one nearer to the output."""
    backward = (ge(l, 0), le(l, L), ge(m, l), le(m, L), *dag.UNIT, *span(j, 0, width(m)))
    none = Statement(("m", "l", "j", "i"), backward, Eq(App("J", (m, l, j, i)), ZERO))
    rest = dag.everywhere(Eq(dag.GX, ZERO), *dag.HIDDEN)
    return dag.held_theory({"acyclic": none, "output_clamped": dag.output_clamped(), "at_rest": rest})


def rest() -> Claim:
    """Eq. 5, repaired: at rest eps^l = sum over the vertices m that read l of (dv_m/dv_l)^T eps^m."""
    from ..tactics.dag import rest_script

    goal = dag.everywhere(Eq(error(l, i), feedback(by_parent)), *dag.HIDDEN)
    hypotheses = {"at_rest": dag.everywhere(Eq(dag.GX, ZERO), *dag.HIDDEN)}
    return Claim(
        "dag_rest",
        dag.held_theory(hypotheses),
        (goal,),
        script=rest_script,
        title="At rest the error of a vertex is what its children feed back through dv_child/dv",
    )


def rest_printed() -> Claim:
    """Eq. 5 as printed: with dv_l/dv_m instead, the derivative by a child, which is 0.  False."""
    return Claim(
        "dag_rest_printed",
        at_rest(),
        (dag.everywhere(Eq(error(l, i), feedback(by_child)), *dag.HIDDEN),),
        title="At rest the error of a vertex is the sum of its children's through dv/dv_child",
    )


def output_claim(id: str, sign: int, title: str) -> Claim:
    """Squared loss, e0 = target minus output: along every variation of the output the loss changes by ``sign`` e0."""
    from ..tactics.dag import output_script

    outputs = span(i, 0, width(L - L))

    def miss(u: Idx) -> Term:
        return add(App("s_out", (u,)), neg(App("y", (0, u))))

    loss = total(width(L - L), lambda u: mul(miss(u), miss(u)) / 2)
    pairing = total(width(L - L), lambda u: mul(sign, App("e0", (u,)), App("Dy", (0, u))))
    symbols = (
        Symbol("s_out", PARAMETER, 1, shape="unit", meaning="target"),
        Symbol("Dy", PARAMETER, 2, shape="vertex, unit", meaning="variation of the predictions"),
    )
    missed = {"output_error": Statement(("i",), outputs, Eq(App("e0", (i,)), miss(i)))}
    theory = dag.held_theory(missed).extend(symbols, directions={"y": {"y": "Dy"}})
    return Claim(id, theory, (Statement((), (), Tangent("y", loss, pairing)),), script=output_script, title=title)


def output() -> Claim:
    """Eq. 6, repaired: dLoss/dy = -(T - y)."""
    return output_claim("dag_output", -1, "The derivative of the squared loss by the output is output minus target")


def output_printed() -> Claim:
    """Eq. 6 as printed: dLoss/dy = T - y.  False."""
    return output_claim(
        "dag_output_printed", 1, "The derivative of the squared loss by the output is target minus output"
    )


# -- Rosenbaum 2022 -------------------------------------------------------------------
def fed_back(e: Equations) -> Term:
    """delta's recursion with the errors of time t in it: f'(y) theta^T eps."""
    symbols = {d.name: d for g in timed_theory(e).definitions for d in g}
    hidden = symbols["delta"].cases[-1].value
    return replace_apps(hidden, lambda a: App("eps", (t, *a.idx)) if a.name == "delta" else None)


def error_step(e: Equations, title: str, kept: Term, passed_on: Term) -> Claim:
    """eps^l = x^l - y^l at t + 1 is ``kept`` times itself plus ``passed_on`` times what is fed back at t."""
    from ..tactics.fixed_prediction import error_step_script

    now, later = App("eps", (t, l, b, i)), App("eps", (t + 1, l, b, i))
    goal = Eq(later, add(mul(kept, now), mul(passed_on, fed_back(e))))
    dims = ("t", "l", "b", "i")
    held = Eq(now, add(App("x", (t, l, b, i)), neg(App("y", (l, b, i)))))
    guards, every = (ge(t, 0), ge(l, 1), lt(l, L), *STATE), (ge(t, 0), ge(l, 0), lt(l, L), *STATE)
    return Claim(
        id=f"{e.name}_error_step",
        theory=timed_theory(e),
        goals=(Statement(dims, every, held), Statement(dims, guards, goal)),
        equations=e,
        script=error_step_script,
        says="recursion",
        title=title,
    )
