"""Equations of fixed prediction as printed: each fails at the smallest network, and holds as repaired."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

import pcproof as pp
from pcproof.catalogue import entries
from pcproof.language.signature import Claim, Eq
from pcproof.language.terms import ONE, ZERO, App, mul
from pcproof.refute.confirm import Judge
from pcproof.rules import dag, printed_signs
from pcproof.rules.claims import GAMMA
from pcproof.rules.fixed_prediction import fixed_prediction
from pcproof.rules.fixed_prediction_claims import REST
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim

REPAIRED = {
    "dag_step_printed": "dag_step",
    "dag_rest_printed": "dag_rest",
    "dag_output_printed": "dag_output",
    "fixed_prediction_step_printed": "fixed_prediction_step",
}


@pytest.mark.parametrize("id", REPAIRED)
def test_printed_and_repaired(id: str) -> None:
    printed, repaired = entries()[id], entries()[REPAIRED[id]]
    assert (printed.kind, printed.expected) == ("refuted claim", "refuted") and REPAIRED[id] in printed.note
    found = pp.prove(printed.claim()).counterexample
    assert found.exhaustive and set(found.widths["n"]) == {1} and found.sizes["L"] <= 2
    judge = Judge(found.claim.theory, found.instance)
    assert judge.failing_hypothesis() is None
    assert not judge.compare(found.statement.relation, dict(found.indices)).holds
    assert pp.prove(repaired.claim()).verdict == repaired.expected == "proved"


@pytest.mark.parametrize("id", ["dag_step_printed", "dag_output_printed"])
def test_only_the_sign_is_wrong(id: str) -> None:
    """The printed form and the repaired one are of opposite sign at the counterexample."""
    found = pp.prove(entries()[id].claim()).counterexample
    assert found.lhs == -found.rhs != 0


def test_with_indices_as_printed_no_error_leaves_the_output() -> None:
    """dv/dv_child is 0: the printed equation says that every hidden error is 0."""
    found = pp.prove(entries()["dag_rest_printed"].claim()).counterexample
    assert found.rhs == 0 != found.lhs


def test_the_acyclic_hypothesis_is_met_by_graphs_with_errors() -> None:
    theory = printed_signs.at_rest()
    assert pp.prove(replace(dag.fixed_point(), theory=theory)).verdict == "proved"


def steps() -> dict[str, Callable[[], Claim]]:
    def claim(gamma: object, kept: object, passed_on: object) -> Claim:
        e = fixed_prediction(pp.MLP(), gamma).equations  # type: ignore[arg-type]
        return printed_signs.error_step(e, "", kept, passed_on)  # type: ignore[arg-type]

    return {
        "all is fed back, any gamma": lambda: claim(None, ZERO, ONE),
        "nothing is forgotten": lambda: claim(None, ONE, GAMMA),
        "the other way round": lambda: claim(None, GAMMA, REST),
        "the printed sign": lambda: claim(-1, ZERO, ONE),
    }


@pytest.mark.parametrize("name", list(steps()))
def test_a_false_step_is_refuted_and_not_proved(name: str) -> None:
    claim = steps()[name]()
    with pytest.raises(Stuck):
        prove_claim(claim)
    assert pp.refute(claim).verdict == "refuted"


def test_with_step_one_the_printed_conclusion_holds() -> None:
    """gamma = 1 and the repaired sign: the error is what was fed back; with the printed sign it is doubled."""
    prove_claim(printed_signs.error_step(fixed_prediction(pp.MLP(), 1).equations, "", ZERO, ONE))
    prove_claim(printed_signs.error_step(fixed_prediction(pp.MLP(), -1).equations, "", mul(2, ONE), mul(-1, ONE)))


def test_predictions_that_move_spoil_the_step() -> None:
    e = replace(fixed_prediction(pp.MLP()).equations, held=False)
    claim = printed_signs.error_step(e, "", REST, GAMMA)
    with pytest.raises(Stuck):
        prove_claim(claim)


def test_the_goal_is_about_the_recursion_of_delta() -> None:
    e = fixed_prediction(pp.MLP()).equations
    value = printed_signs.fed_back(e)
    assert "delta" not in repr(value) and "eps[t,l-1" in repr(value)
    goal = printed_signs.error_step(e, "", REST, GAMMA).goals[1].relation
    assert isinstance(goal, Eq) and isinstance(goal.lhs, App)
