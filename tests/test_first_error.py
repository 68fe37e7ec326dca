"""The first error of a layer: for every network, and not without a step size that differs from 0."""

from __future__ import annotations

import dataclasses

import pytest

import pcproof as pp
from pcproof import api
from pcproof.language.index import eq, le, lt, qvar
from pcproof.rules import zil
from pcproof.rules.first_error import first_error
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim

t, l = qvar("t"), qvar("l")


@pytest.mark.parametrize("net", [pp.MLP(), pp.MLP(bias=True), pp.Chain()], ids=lambda n: n.name)
def test_it_is_proved_for_every_network(net: pp.MLP) -> None:
    prove_claim(first_error(zil(net, gamma=None).equations))


def test_gamma_must_not_be_zero() -> None:
    claim = first_error(zil(pp.MLP(), gamma=None).equations)
    free = dataclasses.replace(claim, theory=dataclasses.replace(claim.theory, hypotheses={}))
    with pytest.raises(Stuck):
        prove_claim(free)
    assert api.refute(free).verdict == "refuted"


def test_not_one_step_later() -> None:
    claim = first_error(zil(pp.MLP(), gamma=None).equations)
    for number, old, new in ((0, lt(t, l), le(t, l)), (1, eq(t, l), eq(t, l + 1))):
        goal = claim.goals[number]
        guards = tuple(new if g == old else g for g in goal.guards)
        assert guards != goal.guards
        goals = (*claim.goals[:number], dataclasses.replace(goal, guards=guards), *claim.goals[number + 1 :])
        assert api.refute(dataclasses.replace(claim, goals=goals)).verdict == "refuted"
