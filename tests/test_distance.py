"""The first error at a distance, and the time of inference: what is proved is attacked, what is printed is refuted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

import pcproof as pp
from pcproof.catalogue import entries
from pcproof.language.index import ge, lt, qvar
from pcproof.language.signature import Claim, Eq, Le
from pcproof.language.terms import ZERO, App, Pow, mul
from pcproof.networks.network import L, width
from pcproof.refute.confirm import Judge
from pcproof.refute.models import find_model
from pcproof.rules.claims import GAMMA, STATE, dynamics, plasticity
from pcproof.rules.distance import first_error, first_nonzero, inference_learning, never_lost, no_faster
from pcproof.rules.equations import ORDERS, Equations
from pcproof.rules.fixed_prediction import fixed_prediction
from pcproof.rules.incremental import incremental
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")
EPS, DELTA = App("eps", (t, l, b, i)), App("delta", (l, b, i))
RULES: dict[str, Callable[[pp.MLP], Equations]] = {
    "predictive coding": lambda net: inference_learning(net).equations,
    "fixed prediction": lambda net: fixed_prediction(net).equations,
    "incremental": lambda net: incremental(net, None).equations,
    "Z-IL": lambda net: pp.rules.zil(net, gamma=None).equations,
}


@pytest.mark.parametrize("net", [pp.MLP(), pp.MLP(bias=True), pp.Chain()], ids=lambda n: n.name)
@pytest.mark.parametrize("rule", RULES)
def test_the_first_error_comes_at_the_distance_whenever_weights_learn(rule: str, net: pp.MLP) -> None:
    prove_claim(first_nonzero(RULES[rule](net)))


@pytest.mark.parametrize("net", [pp.MLP(), pp.Chain()], ids=lambda n: n.name)
def test_the_rule_descends_its_energy(net: pp.MLP) -> None:
    e = inference_learning(net).equations
    prove_claim(dynamics(e))
    if isinstance(net, pp.MLP):
        prove_claim(plasticity(e))


def false_claims() -> dict[str, Claim]:
    e = inference_learning(pp.MLP()).equations
    claim, law = first_nonzero(e), first_error(inference_learning(pp.MLP(), steps=L - 1).equations)
    before, arrival = claim.goals
    free = replace(claim.theory, hypotheses={})
    out = {
        "gamma may be 0": replace(claim, theory=free),
        "hidden errors at the start": first_nonzero(replace(e, start=ZERO)),
        "weights first": first_nonzero(replace(e, order="weights-first")),
        "one step later": replace(
            claim, goals=(replace(before, guards=(ge(t, 0), ge(l, t), *before.guards[2:])), arrival)
        ),
        "any later time": replace(
            claim, goals=(before, replace(arrival, guards=(ge(l, 0), lt(l, L), ge(t, l), *STATE)))
        ),
        "held and moving": first_error(law.equations, held=True),
    }
    first = law.goals[1]
    assert isinstance(first.relation, Eq)
    for name, factor in {
        "no gamma": 1,
        "one gamma too many": Pow(GAMMA, l + 1),
        "a sign": mul(-1, Pow(GAMMA, l)),
    }.items():
        wrong = replace(first, relation=Eq(EPS, mul(factor, DELTA)))
        out[name] = replace(law, goals=(law.goals[0], wrong, *law.goals[2:]))
    for number in (3, 4, 5):  # nothing to learn before t = l - 1; weights wait; the last layer learns at t = L - 1
        goal = law.goals[number]
        for k, c in enumerate(goal.guards):
            if any(a.key in ("s:L", "q:l") for a, _ in c.expr.terms) and len(c.expr.terms) == 2:
                weaker = (*goal.guards[:k], *goal.guards[k + 1 :])
                goals = (*law.goals[:number], replace(goal, guards=weaker), *law.goals[number + 1 :])
                out[f"weights, goal {number + 1} without {c!r}"] = replace(law, goals=goals)
    return out


@pytest.mark.parametrize("name", list(false_claims()))
def test_a_false_variant_is_refuted_and_not_proved(name: str) -> None:
    claim = false_claims()[name]
    with pytest.raises((Stuck, ValueError)):
        prove_claim(claim)
    assert pp.refute(claim).verdict == "refuted"


def test_an_update_order_that_is_not_synchronous_spoils_the_law() -> None:
    e = inference_learning(pp.MLP(), steps=L - 1).equations
    for order in ORDERS:
        if order != "synchronous":
            with pytest.raises(Stuck):
                prove_claim(first_error(replace(e, order=order)))


def test_the_printed_argument_fails_at_two_output_units() -> None:
    """E16: J = (1, 1)^T and e = (1, -1)^T, neither with a 0, and J^T e = 0."""
    found = pp.prove(entries()["first_error_passed_on"].claim()).counterexample
    assert found.widths["n"] == (2, 1) and found.sizes["L"] == 1
    judge = Judge(found.claim.theory, found.instance)
    assert judge.failing_hypothesis() is None
    value = judge.plain.value
    assert [value(App("e", (0, k)), {}) for k in (0, 1)] == [1, -1] and value(App("e", (1, 0)), {}) == 0


def test_the_printed_argument_holds_for_one_unit_a_layer() -> None:
    """So two units are needed: for width 1 nothing is lost."""
    claim = never_lost()
    narrow = tuple(lt(width(k), 2) for k in (L - L, L))
    theory = replace(claim.theory, assumptions=(*claim.theory.assumptions, *narrow, lt(L, 2)))
    assert pp.refute(replace(claim, theory=theory)).verdict != "refuted"


# -- time -----------------------------------------------------------------------------
def test_one_step_fewer_may_be_faster_than_backprop() -> None:
    claim = no_faster()
    (goal,) = claim.goals
    short = replace(claim, goals=(replace(goal, guards=(ge(t, L - 2), ge(t, 0))),))
    with pytest.raises((Stuck, ValueError)):
        prove_claim(short)
    found = pp.refute(short).counterexample
    judge = Judge(found.claim.theory, found.instance)
    assert judge.failing_hypothesis() is None and found.sizes["L"] == 2


@pytest.mark.parametrize("name", ["products_take_time", "steps_await_every_layer"])
def test_each_assumption_on_times_is_needed(name: str) -> None:
    claim = no_faster()
    rest = {n: s for n, s in claim.theory.hypotheses.items() if n != name}
    assert pp.refute(replace(claim, theory=replace(claim.theory, hypotheses=rest), script=None)).verdict == "refuted"


def test_it_may_be_strictly_slower_and_it_may_be_equal() -> None:
    claim = no_faster()
    (goal,) = claim.goals
    assert isinstance(goal.relation, Le)
    equal = replace(claim, goals=(replace(goal, relation=Eq(goal.relation.lhs, goal.relation.rhs)),), script=None)
    assert pp.refute(equal).verdict == "refuted"
    assert find_model(equal) is not None  # there are times at which both last as long


def test_the_number_of_steps_is_that_of_the_distance() -> None:
    """One step fewer than L - 1: the weights next to the input have learnt nothing."""
    law = first_error(inference_learning(pp.MLP(), steps=L - 2).equations)
    last = law.goals[5]
    assert isinstance(last.relation, Eq) and isinstance(last.relation.lhs, App)
    assert pp.refute(law).verdict == "refuted"
    idle = replace(last, relation=Eq(last.relation.lhs, App("w", last.relation.lhs.idx[1:])))
    assumptions = (*law.theory.assumptions, ge(L, 2))
    prove_claim(replace(law, theory=replace(law.theory, assumptions=assumptions), goals=(*law.goals[:1], idle)))
