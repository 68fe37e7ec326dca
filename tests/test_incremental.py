"""Incremental PC: weights learn at every step, and only the first update is backprop's."""

from __future__ import annotations

import dataclasses

import pytest

import pcproof as pp
from pcproof.catalogue import entries
from pcproof.language.index import ge, lt, qvar
from pcproof.rules.claims import dynamics, equals_backprop, plasticity
from pcproof.rules.equations import EVERY_STEP, ORDERS, timed_theory
from pcproof.rules.incremental import first_update, incremental
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim

t, l = qvar("t"), qvar("l")


@pytest.mark.parametrize("net", [pp.MLP(), pp.MLP(bias=True), pp.Chain()], ids=lambda n: n.name)
@pytest.mark.parametrize("gamma", [1, None, "2/3"])
def test_the_first_update_is_proved_for_every_network(net: pp.MLP, gamma: object) -> None:
    e = incremental(net, gamma).equations  # type: ignore[arg-type]
    claim = first_update(e)
    if gamma is None:
        prove_claim(claim)
        prove_claim(dynamics(e))
    else:
        with pytest.raises(ValueError, match="gamma"):  # the statement speaks of the symbol
            prove_claim(claim)


def test_weights_move_at_every_step() -> None:
    d = timed_theory(incremental(pp.MLP()).equations).definition("theta")
    assert d is not None and len(d.cases) == 2
    prove_claim(plasticity(incremental(pp.MLP(bias=True)).equations))


@pytest.mark.parametrize("order", [o for o in ORDERS if o != "synchronous"])
def test_in_place_orders_spoil_it(order: str) -> None:
    claim = first_update(dataclasses.replace(incremental(pp.MLP(), None).equations, order=order))
    with pytest.raises(Stuck):
        prove_claim(claim)
    assert pp.prove(claim).verdict == "refuted"


def test_one_moment_is_asked_for_where_one_is_needed() -> None:
    with pytest.raises(pp.RuleError, match="the rule learns at every step"):
        equals_backprop(incremental(pp.MLP()).equations)
    assert ge(t, 0) == EVERY_STEP


def test_a_later_update_is_not_the_first() -> None:
    e = incremental(pp.MLP(), None).equations
    claim = first_update(e)
    for number, goal in enumerate(claim.goals):
        for k, c in enumerate(goal.guards):
            if c in (lt(t, l - 1),):
                guards = (*goal.guards[:k], lt(t, l), *goal.guards[k + 1 :])
                goals = (*claim.goals[:number], dataclasses.replace(goal, guards=guards), *claim.goals[number + 1 :])
                assert pp.prove(dataclasses.replace(claim, goals=goals)).verdict == "refuted"


def test_the_whole_is_refuted_by_the_smallest_network() -> None:
    found = pp.prove(entries()["incremental_whole_update"].claim()).counterexample
    assert found.exhaustive and found.widths["n"] == (1, 1, 1) and found.sizes["L"] == 2
