"""Target alignment 1 without hidden layers."""

from __future__ import annotations

from dataclasses import replace

import pytest

import pcproof as pp
from pcproof.language.index import Con, qvar
from pcproof.language.signature import Eq
from pcproof.language.terms import App, mul
from pcproof.networks.network import B
from pcproof.refute.confirm import Judge
from pcproof.rules.alignment import aligned, missed, moved
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim


def test_it_is_proved_at_an_instance_that_moves() -> None:
    result = pp.prove(aligned())
    assert result.verdict == "proved"
    value = Judge(result.claim.theory, result.instance).plain.value  # type: ignore[attr-defined]
    step = moved(App("dw", (qvar("l"), qvar("i"), qvar("j"))), qvar("i"))
    assert value(step, {"i": 0}) != 0 != value(missed(qvar("i")), {"i": 0})


@pytest.mark.parametrize("name", ["senders_forward", "output_clamped", "same_theta"])
def test_each_hypothesis_is_needed(name: str) -> None:
    claim = aligned()
    rest = {n: s for n, s in claim.theory.hypotheses.items() if n != name}
    assert pp.refute(replace(claim, theory=replace(claim.theory, hypotheses=rest), script=None)).verdict == "refuted"


def test_with_more_samples_it_is_false() -> None:
    claim = aligned()
    more = tuple(c for c in claim.theory.assumptions if c != Con("eq", B - 1))
    wrong = replace(claim, theory=replace(claim.theory, assumptions=(*more, Con("ge", B - 1))))
    with pytest.raises((Stuck, ValueError)):
        prove_claim(wrong)
    assert pp.refute(wrong).verdict == "refuted"


def test_the_length_is_not_alpha_alone() -> None:
    claim = aligned()
    goal = claim.goals[1]
    assert isinstance(goal.relation, Eq)
    wrong = replace(goal, relation=Eq(goal.relation.lhs, mul(App("alpha"), missed(qvar("i")))))
    assert pp.refute(replace(claim, goals=(wrong,), script=None)).verdict == "refuted"
