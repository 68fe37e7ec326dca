"""Hidden energies other than the squared error: criterion, converse, exact counterexamples."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from math import log
from typing import Any

import pytest

import pcproof as pp
from pcproof import api
from pcproof.catalogue import entries
from pcproof.language.evaluate import EvaluationError, Evaluator, Model
from pcproof.language.index import qvar
from pcproof.language.signature import Claim, Eq, Theory
from pcproof.language.terms import ONE, App
from pcproof.networks.losses import AnyLoss
from pcproof.refute.mutate import mutants
from pcproof.rules.claims import dynamics, plasticity
from pcproof.rules.equations import Equations, timed_theory
from pcproof.rules.hidden_energies import DELTA, Y, Z, exact, only, own_energy, relative_entropy, with_rest
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim

l = qvar("l")
IDS = ["hidden_energy_exact", "hidden_energy_only"]
REFUTED = ["hidden_energy_kl", "hidden_energy_general_kl", "hidden_energy_own"]


@pytest.mark.parametrize("net", [pp.MLP(), pp.Chain()], ids=lambda n: n.name)
def test_the_criterion_holds_for_every_network(net: pp.MLP) -> None:
    prove_claim(exact(with_rest(AnyLoss(net)).equations))
    prove_claim(exact(with_rest(net).equations))  # the squared error at the output


def test_step_and_changes_are_gradients_of_the_energy() -> None:
    e = with_rest(AnyLoss(pp.MLP(bias=True))).equations
    prove_claim(dynamics(e, ONE))
    prove_claim(plasticity(e))


@pytest.mark.parametrize("id", IDS)
def test_each_hypothesis_is_needed(id: str) -> None:
    claim = entries()[id].claim()
    for name in set(claim.theory.hypotheses) - {"at_rest"}:
        rest = {n: s for n, s in claim.theory.hypotheses.items() if n != name}
        result = api.refute(dataclasses.replace(claim, theory=dataclasses.replace(claim.theory, hypotheses=rest)))
        assert result.verdict == "refuted", f"{id} without {name}"


def test_the_forward_pass_has_to_be_at_rest() -> None:
    """r[1] = (mu - m) (m + d - x): r_x(m, m) = 0 = r_mu(m + d, m), but r_mu(m, m) = d moves layer 2 at once."""
    claim = entries()["hidden_energy_exact"].claim()
    m, d = 2, 3
    at = run(
        claim.equations,
        {
            "r_x": lambda layer, x, mu: -(mu - m) if layer == 1 else 0,
            "r_mu": lambda layer, x, mu: m + d - x if layer == 1 else 0,
            "dLoss": lambda b, i, u: u(0) - (m + d),
        },
        depth=3,
        theory=claim.theory,
    )
    for name, h in claim.theory.hypotheses.items():
        assert isinstance(h.relation, Eq)
        for layer in (1, 2):
            here = {"l": layer, "b": 0, "i": 0}
            if all(at.holds(g, here) for g in h.guards):
                holds = at.value(h.relation.lhs, here) == at.value(h.relation.rhs, here)
                assert holds == (name != "at_rest" or layer != 2)
    assert at.call("x", (1, 2, 0, 0)) != at.call("y", (2, 0, 0)) == m
    ours, theirs = at.call("beta", (3, 2, 0)) - at.call("c", (2, 0)), at.call("dc", (2, 0))
    assert theirs == d and ours != theirs


def generic_network(e: Equations, theory: Theory) -> Evaluator:
    """Three layers of weights, two units, two samples; r by tables that meet the hypotheses, 7 elsewhere."""

    def weight(*at: int) -> Fraction:
        return Fraction(1 + sum((n + 2) * v for n, v in enumerate(at)) % 5, 3)

    tables: dict[str, dict[tuple[Any, ...], Any]] = {"r_x": {}, "r_mu": {}}
    functions: dict[str, Callable[..., Any]] = {
        "f": lambda layer, v: v * v + layer * v,
        "df": lambda layer, v: 2 * v + layer,
        "dLoss": lambda b, i, u: u(i) - weight(b, i),
        "r_x": lambda *at: tables["r_x"].get(at, Fraction(7)),
        "r_mu": lambda *at: tables["r_mu"].get(at, Fraction(7)),
    }
    parameters = dict.fromkeys(("w", "c", "s_in", "s_out"), weight) | {"alpha": lambda: Fraction(1, 7)}
    sizes = {"L": 3, "B": 2, "n": lambda layer: 2}
    known = Evaluator(timed_theory(e), Model(sizes, parameters, functions))
    for layer in (1, 2):
        for b in (0, 1):
            y = [known.call("y", (layer, b, i)) for i in (0, 1)]
            below = [known.call("y", (1, b, i)) for i in (0, 1)]
            for i in (0, 1):
                pull = Fraction(i + 2 * b + 1, 2)
                if layer == 2:  # what r_mu of the layer below feeds back
                    back = (weight(2, j, i) * tables["r_mu"][(1, below[j], below[j])] for j in (0, 1))
                    pull = -(2 * y[i] + 2) * sum(back, Fraction(0))
                tables["r_x"][(layer, y[i], y[i])] = pull
                tables["r_mu"][(layer, y[i], y[i])] = Fraction(3 - i + b)
                z = y[i] + known.call("delta", (layer, b, i)) - pull
                tables["r_mu"][(layer, z, y[i])] = -pull
    return Evaluator(theory, Model(sizes, parameters, functions))


def learns_backprop(run: Evaluator) -> bool:
    places = [(layer, i) for layer in (1, 2, 3) for i in (0, 1)]
    biases = all(run.call("beta", (4, *at)) == run.call("c", at) + run.call("dc", at) for at in places)
    edges = [(*at, j) for at in places for j in (0, 1)]
    return biases and all(run.call("theta", (4, *at)) == run.call("w", at) + run.call("dw", at) for at in edges)


def test_each_term_of_the_rule_is_needed() -> None:
    """In a network that meets the hypotheses the rule learns what backprop learns, and no mutant of it does."""
    e = with_rest(AnyLoss(pp.MLP(bias=True))).equations
    claim = exact(e)
    run = generic_network(e, claim.theory)
    for h in claim.theory.hypotheses.values():
        assert isinstance(h.relation, Eq)
        seen = 0
        for layer in (1, 2):
            for b in (0, 1):
                for i in (0, 1):
                    at = {"l": layer, "b": b, "i": i}
                    if all(run.holds(g, at) for g in h.guards):
                        seen += 1
                        assert run.value(h.relation.lhs, at) == run.value(h.relation.rhs, at) != 0
        assert seen >= 4
    assert learns_backprop(run)
    changed = mutants(e)
    assert len(changed) > 60
    left = []
    for m in changed:
        try:
            if learns_backprop(generic_network(e, timed_theory(m.equations))):
                left.append(m.name)
        except EvaluationError:  # the mutant reads a layer that does not exist
            continue
    assert not left


def test_an_energy_that_is_exact_without_being_at_rest() -> None:
    """r = x^2 - mu^2: the wave brings y + delta - 2 y, and -de/dmu is delta there; of two layers the pulls cancel."""
    e = with_rest(AnyLoss(pp.MLP())).equations
    functions = {
        "r_x": lambda layer, x, mu: 2 * x,
        "r_mu": lambda layer, x, mu: -2 * mu,
        "dLoss": lambda b, i, u: u(0) - 5,
    }
    at = run(e, functions)
    assert at.call("x", (1, 1, 0, 0)) == 2 + 3 - 4
    assert at.call("theta", (2, 2, 0, 0)) - 1 == at.call("dw", (2, 0, 0)) == 6
    deep = run(e, functions, depth=3)
    assert deep.call("theta", (3, 2, 0, 0)) - 1 == deep.call("dw", (2, 0, 0)) == 6
    functions["r_mu"] = lambda layer, x, mu: -2 * mu if layer == 2 else -mu
    deep = run(e, functions, depth=3)
    assert deep.call("theta", (3, 2, 0, 0)) - 1 != deep.call("dw", (2, 0, 0))


def test_one_sample_is_needed_for_the_converse() -> None:
    claim = only(with_rest(AnyLoss(pp.MLP(bias=True))).equations)
    several = dataclasses.replace(claim.theory, assumptions=claim.theory.assumptions[:1])
    claim = dataclasses.replace(claim, theory=several)
    with pytest.raises((Stuck, ValueError)):
        prove_claim(claim)


def test_a_criterion_at_another_point_is_not_proved() -> None:
    claim = exact(with_rest(AnyLoss(pp.MLP(bias=True))).equations)
    criterion = claim.theory.hypotheses["criterion"]
    for point in ((Y, Z), (Z, Z), (Y, Y), (Y + DELTA, Y)):
        elsewhere = dataclasses.replace(criterion, relation=Eq(App("r_mu", (l,), point), criterion.relation.rhs))  # type: ignore[union-attr]
        hypotheses = {**claim.theory.hypotheses, "criterion": elsewhere}
        wrong = dataclasses.replace(claim, theory=dataclasses.replace(claim.theory, hypotheses=hypotheses))
        with pytest.raises(Stuck):
            prove_claim(wrong)


@pytest.mark.parametrize("id", REFUTED)
def test_the_printed_form_is_refuted_by_one_hidden_unit(id: str) -> None:
    found = pp.prove(entries()[id].claim()).counterexample
    assert found.exhaustive and found.sizes["L"] == 2 and found.widths["n"] == (1, 1, 1)


def run(
    e: Equations,
    functions: dict[str, Callable[..., Any]],
    target: int = 1,
    depth: int = 2,
    theory: Theory | None = None,
) -> Evaluator:
    """One unit a layer, weights 1, biases 0, input 2: y = 2, delta = target - 2 everywhere."""
    one = {"w": lambda *a: Fraction(1), "s_in": lambda *a: Fraction(2), "s_out": lambda *a: Fraction(target)}
    one["c"] = lambda *a: Fraction(0)
    model = Model(
        sizes={"L": depth, "B": 1, "n": lambda layer: 1},
        parameters={**one, "alpha": lambda: Fraction(1)},
        functions={"f": lambda layer, v: v, "df": lambda layer, v: Fraction(1), **functions},
    )
    return Evaluator(theory or timed_theory(e), model)


@pytest.mark.parametrize("normalised", [True, False])
def test_relative_entropy_with_the_true_logarithm(normalised: bool) -> None:
    """-de/dmu by hand: x / mu with x = y - 1 + delta, and (x - mu) / mu with x = y + delta."""
    at = run(relative_entropy(pp.MLP(), normalised), {"log": lambda v: log(v) if v > 0 else 0.0}, target=5)
    y, delta = 2, 3
    x = y - 1 + delta if normalised else y + delta
    assert at.call("x", (1, 1, 0, 0)) == x
    pull = Fraction(x, y) if normalised else Fraction(x - y, y)
    assert at.call("theta", (2, 2, 0, 0)) - 1 == pull * 2
    assert at.call("dw", (2, 0, 0)) == delta * 2 != pull * 2


def test_a_function_of_the_activity_is_exact_where_its_slope_is_zero() -> None:
    """G = (x - 2)^3: G'(y) = 0; and G = x: the activity is off by 1."""
    e = own_energy(pp.MLP()).equations
    flat = run(e, {"G": lambda layer, v: (v - 2) ** 3, "dG": lambda layer, v: 3 * (v - 2) ** 2})
    assert flat.call("theta", (2, 2, 0, 0)) - 1 == flat.call("dw", (2, 0, 0)) == -2
    steep = run(e, {"G": lambda layer, v: v, "dG": lambda layer, v: Fraction(1)})
    assert steep.call("theta", (2, 2, 0, 0)) - 1 == -4


def claims() -> dict[str, Claim]:
    claim = exact(with_rest(AnyLoss(pp.MLP(bias=True))).equations)
    return {"exact": claim, "only": only(claim.equations)}


@pytest.mark.parametrize("name", ["exact", "only"])
def test_a_goal_flipped_is_refuted(name: str) -> None:
    claim = claims()[name]
    first = claim.goals[0]
    assert isinstance(first.relation, Eq)
    wrong = dataclasses.replace(first, relation=Eq(first.relation.lhs, Y - DELTA))
    claim = dataclasses.replace(claim, goals=(wrong, *claim.goals[1:]))
    assert api.refute(claim).verdict == "refuted"
