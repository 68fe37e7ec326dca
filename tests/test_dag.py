"""Fixed prediction on a DAG: the definitions are the papers' on a graph with skips; false variants are refuted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

import pcproof as pp
from pcproof.language.evaluate import Evaluator, Model
from pcproof.language.index import ge, qvar
from pcproof.language.signature import Claim, Definition, Eq
from pcproof.language.terms import Add, App, Num, Term, mul, neg
from pcproof.refute.mutate import theory_mutants
from pcproof.rules import dag
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim

t, l, i = qvar("t"), qvar("l"), qvar("i")
# a diamond with a skip: 3 (input) -> 2 -> 0, 3 -> 1 -> 0, 2 -> 1; vertex 1 has two units
WIDTHS = (1, 2, 1, 1)
EDGES = {(0, 1): [[2, -1]], (0, 2): [[3]], (1, 2): [[1], [4]], (1, 3): [[1], [1]], (2, 3): [[5]]}
PROVED: dict[str, Callable[[], Claim]] = {
    "fixed_point": dag.fixed_point,
    "fixed_point_exists": dag.fixed_point_exists,
    "euler": dag.euler,
    "gradient": dag.gradient,
    "energy_gradient": dag.energy_gradient,
    "levels": dag.levels,
}


def jacobian(to: int, source: int, i: int, j: int) -> Fraction:
    return Fraction(EDGES[(to, source)][i][j]) if (to, source) in EDGES else Fraction(0)


def model(start: int = 0) -> Model:
    return Model(
        sizes={"L": 3, "n": lambda v: WIDTHS[v], "m": lambda v: 1},
        parameters={
            "y": lambda v, i: Fraction(v + i),
            "J": jacobian,
            "e0": lambda i: Fraction(7),
            "x0": lambda v, i: Fraction(start * (v + 2 * i + 1)),
        },
        functions={},
    )


def test_delta_is_reverse_accumulation_over_all_paths() -> None:
    run = Evaluator(dag.running_theory(), model())
    delta = {(v, i): run.value(dag.DELTA, {"l": v, "i": i}) for v in range(3) for i in range(WIDTHS[v])}
    assert delta[(0, 0)] == 7
    assert [delta[(1, i)] for i in (0, 1)] == [14, -7]
    assert delta[(2, 0)] == 7 * (3 + 2 * 1 - 1 * 4)  # the edge, and the paths through vertex 1


@pytest.mark.parametrize("start", [0, 3])
def test_errors_arrive_vertex_by_vertex_and_stay(start: int) -> None:
    run = Evaluator(dag.running_theory(), model(start))
    for time in range(5):
        for v in range(3):
            for unit in range(WIDTHS[v]):
                got = run.value(App("eps", (t, l, i)), {"t": time, "l": v, "i": unit})
                delta = run.value(dag.DELTA, {"l": v, "i": unit})
                assert (got == delta) or time < v
    late = run.value(App("eps", (t, l, i)), {"t": 1, "l": 2, "i": 0})
    assert late != run.value(dag.DELTA, {"l": 2, "i": 0})


@pytest.mark.parametrize("name", PROVED)
def test_it_is_proved_with_an_exact_instance(name: str) -> None:
    assert pp.prove(PROVED[name]()).verdict == "proved"


def changed(claim: Claim, name: str, change: Callable[[Term], Term]) -> Claim:
    """The claim with each value of a definition changed."""

    def put(d: Definition) -> Definition:
        return replace(d, cases=tuple(replace(c, value=change(c.value)) for c in d.cases)) if d.name == name else d

    theory = replace(claim.theory, definitions=tuple(tuple(map(put, g)) for g in claim.theory.definitions))
    return replace(claim, theory=theory)


def last_term_turned(t: Term) -> Term:
    """The printed sign of eq. 2: -(eps - J^T eps) made eps + ... by turning one term."""
    return Add(*t.args[:-1], neg(t.args[-1])) if isinstance(t, Add) else t


def false_claims() -> dict[str, Claim]:
    rest, exists, euler = dag.fixed_point(), dag.fixed_point_exists(), dag.euler()
    arrived = euler.goals[0]
    out = {
        "half a step": dag.euler(Num(Fraction(1, 2))),
        "two steps at once": dag.euler(Num(2)),
        "the printed sign": dag.euler(Num(-1)),
        "one step early": replace(
            euler, goals=(replace(arrived, guards=(ge(t, 0), ge(t, l - 1), *arrived.guards[2:])), *euler.goals[1:])
        ),
        "feedback of the other sign": changed(rest, "gx", last_term_turned),
        "feedback of the other sign, exists": changed(exists, "gx", last_term_turned),
        "delta without a sum": changed(rest, "delta", lambda v: mul(2, v)),
    }
    levels = dag.levels()
    early = levels.goals[0]
    sooner = (early.guards[0], *early.guards[2:])  # without t >= lev(l)
    out["any time"] = replace(levels, goals=(replace(early, guards=sooner), *levels.goals[1:]))
    flat = {n: s for n, s in levels.theory.hypotheses.items() if n != "levels_rise"}
    out["levels that do not rise"] = replace(levels, theory=replace(levels.theory, hypotheses=flat))
    for claim in (rest, exists):
        for name in claim.theory.hypotheses:
            kept = {n: s for n, s in claim.theory.hypotheses.items() if n != name}
            out[f"{claim.id} without {name}"] = replace(claim, theory=replace(claim.theory, hypotheses=kept))
    return out


@pytest.mark.parametrize("name", list(false_claims()))
def test_a_false_variant_is_refuted_and_not_proved(name: str) -> None:
    claim = false_claims()[name]
    with pytest.raises((Stuck, ValueError)):
        prove_claim(claim)
    assert pp.refute(claim).verdict == "refuted"


def test_step_and_backprop_come_out_of_energy_and_lagrangian() -> None:
    """Children only feed back: no error of a vertex itself or of one further from the output is in the sum."""
    (gradient,) = dag.energy_derivative(dag.X, dag.HIDDEN, dag.UNIT)
    assert "eps[l,i]" in repr(gradient.value) and "[m < l]" in repr(gradient.value)
    cases = dag.backprop_derivative(dag.Y, dag.INNER, dag.UNIT)
    assert len(cases) == 2 and repr(cases[0].value) == "e0[i]"


def test_the_chain_is_the_graph_with_edges_between_neighbours() -> None:
    """Where J is 0 but from l to l - 1, delta is the layers' recursion."""
    claim = dag.fixed_point()
    theory = claim.theory
    run = Evaluator(
        theory,
        Model(
            sizes={"L": 3, "n": lambda v: 1, "m": lambda v: 1},
            parameters={"J": lambda to, v, i, j: Fraction(v + 1 if v == to + 1 else 0), "e0": lambda i: Fraction(1)},
            functions={},
        ),
    )
    assert [run.value(dag.DELTA, {"l": v, "i": 0}) for v in range(3)] == [1, 2, 6]
    assert isinstance(claim.goals[0].relation, Eq)


def test_reverse_and_forward_accumulation_on_the_diamond() -> None:
    """<e0, Dy^0> at numbers, by both ways round."""
    claim = dag.gradient()
    given = model().parameters
    run = Evaluator(
        claim.theory,
        Model(
            sizes=model().sizes,
            parameters={
                **given,
                "Jp": lambda v, i, q: Fraction(v + 2 * i + 1),
                "Dw": lambda v, q: Fraction(2 - v),
                "alpha": lambda: Fraction(1, 2),
            },
            functions={},
        ),
    )
    for goal in claim.goals:
        assert isinstance(goal.relation, Eq)
        assert run.value(goal.relation.lhs, {}) == run.value(goal.relation.rhs, {}) != 0


@pytest.mark.parametrize("name", ["gx", "eps"])
@pytest.mark.parametrize("factor", [-1, 2])
def test_the_gradient_of_the_energy_has_its_sign_and_size(name: str, factor: int) -> None:
    wrong = changed(dag.energy_gradient(), name, lambda v: mul(factor, v))
    with pytest.raises((Stuck, ValueError)):
        prove_claim(wrong)
    assert pp.refute(wrong).verdict == "refuted"


def energy_mutants() -> dict[str, Claim]:
    """Every term of gx and of what a vertex reads; what does not move with x is no part of a gradient by x."""
    claim = dag.energy_gradient()
    still = ("Jp", "theta[", "-y[", "w[l,j]", "[m < l] left out of")  # the last: where l == L it is 1
    return {
        m.name: replace(claim, theory=m.theory)
        for m in theory_mutants(claim.theory, ("gx", "eps"))
        if "sum_{k<L-l}" in m.name or (not any(s in m.name for s in still) and "transposed" not in m.name)
    }


@pytest.mark.parametrize("name", list(energy_mutants()))
def test_every_term_of_the_energys_gradient_is_needed(name: str) -> None:
    assert pp.refute(energy_mutants()[name]).verdict == "refuted"


@pytest.mark.parametrize("name", ["Dy", "u", "dw", "delta"])
def test_another_size_of_what_the_derivative_is_made_of_is_refuted(name: str) -> None:
    wrong = changed(dag.gradient(), name, lambda v: mul(2, v))
    with pytest.raises((Stuck, ValueError)):
        prove_claim(wrong)
    assert pp.refute(wrong).verdict == "refuted"


def test_levels_of_vertices_that_are_read_begin_at_one() -> None:
    """Edges 2 -> 1 -> 0 of levels 1 and 0: they rise, and at t = 1 vertex 2 has the start of vertex 1 in its error."""
    claim = dag.levels()
    rest = {n: s for n, s in claim.theory.hypotheses.items() if n != "levels_positive"}
    with pytest.raises(Stuck):
        prove_claim(replace(claim, theory=replace(claim.theory, hypotheses=rest)))
    run = Evaluator(
        claim.theory,
        Model(
            sizes={"L": 3, "n": lambda v: 1, "m": lambda v: 1, "lev": lambda v: v - 1},
            parameters={
                "y": lambda v, i: Fraction(0),
                "J": lambda to, v, i, j: Fraction(v == to + 1),
                "e0": lambda i: Fraction(1),
                "x0": lambda v, i: Fraction(5),
            },
            functions={},
        ),
    )
    at = {"t": 1, "l": 2, "i": 0}
    assert run.value(App("eps", (t, l, i)), at) == 5 != run.value(dag.DELTA, at) == 1


def test_as_many_steps_as_levels_on_the_diamond() -> None:
    """A skip edge and no path through vertex 1: vertex 2 has level 1 and its error after one step."""
    direct = {**model(3).parameters, "J": lambda to, v, i, j: jacobian(to, v, i, j) * (to == 0)}
    run = Evaluator(dag.running_theory(), Model(sizes=model().sizes, parameters=direct, functions={}))
    at = {"t": 1, "l": 2, "i": 0}
    assert run.value(App("eps", (t, l, i)), at) == run.value(dag.DELTA, at) == 21
