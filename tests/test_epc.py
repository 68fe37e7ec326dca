"""Error optimisation: the gradient by the errors, compared with exact differences; false variants are refuted."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import pytest

import pcproof as pp
from pcproof.language.evaluate import Evaluator, Model
from pcproof.language.index import qvar
from pcproof.language.signature import Claim, Tangent
from pcproof.language.terms import App, add, mul
from pcproof.rules.epc import energy, error_gradient, first_step, pairing, perturbed_theory
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim

W = {1: 2, 2: 3, 3: 5}  # the linear chain TV1: input 7, target 1
NETS = [pp.MLP(), pp.MLP(bias=True), pp.Chain()]


def run(errors: tuple[Fraction, ...]) -> Evaluator:
    model = Model(
        sizes={"L": 3, "B": 1, "n": lambda layer: 1},
        parameters={
            "w": lambda layer, i, j: Fraction(W[layer]),
            "s_in": lambda b, i: Fraction(7),
            "s_out": lambda b, i: Fraction(1),
            "e": lambda layer, b, i: errors[layer],
        },
        functions={"f": lambda layer, x: x, "df": lambda layer, x: Fraction(1)},
    )
    return Evaluator(perturbed_theory(pp.MLP()), model)


@pytest.mark.parametrize("errors", [(0, 0, 0), (1, -2, 3), (Fraction(1, 2), 0, -1)])
def test_the_gradient_is_e_minus_delta_by_exact_differences(errors: tuple[Fraction, ...]) -> None:
    E = energy(pp.MLP())
    at = run(tuple(map(Fraction, errors)))
    for layer in range(3):
        sides = []
        for sign in (1, -1):
            moved = [Fraction(x) for x in errors]
            moved[layer] += sign
            sides.append(run(tuple(moved)).value(E, {}))
        slope = (sides[0] - sides[1]) / 2  # E is quadratic: the central difference is exact
        here = {"l": layer, "b": 0, "i": 0}
        delta = at.value(App("delta_e", (qvar("l"), qvar("b"), qvar("i"))), here)
        assert slope == errors[layer] - delta
        if not any(errors):
            assert delta == (-209, -418, -1254)[layer]


@pytest.mark.parametrize("net", NETS, ids=lambda n: n.name)
def test_both_theorems_are_proved_for_every_network(net: pp.MLP) -> None:
    prove_claim(error_gradient(net))
    prove_claim(first_step(net))


def false_claims() -> dict[str, Claim]:
    def gradient(tangent: object, claim: Claim, at: int) -> Claim:
        goal = claim.goals[at]
        assert isinstance(goal.relation, Tangent)
        new = dataclasses.replace(goal, relation=dataclasses.replace(goal.relation, tangent=tangent))
        return dataclasses.replace(claim, goals=(*claim.goals[:at], new, *claim.goals[at + 1 :]))

    general, step = error_gradient(pp.MLP()), first_step(pp.MLP())
    free = dataclasses.replace(step, theory=perturbed_theory(pp.MLP()))
    return {
        "backprop's own delta at every e": gradient(add(pairing("e"), mul(-1, pairing("delta"))), general, 0),
        "without e": gradient(mul(-1, pairing("delta_e")), general, 0),
        "sign of delta": gradient(add(pairing("e"), pairing("delta_e")), general, 0),
        "the first step uphill": gradient(pairing("delta"), step, 2),
        "a first step from anywhere": free,
    }


@pytest.mark.parametrize("name", list(false_claims()))
def test_a_false_variant_is_refuted_and_not_proved(name: str) -> None:
    claim = false_claims()[name]
    with pytest.raises((Stuck, ValueError)):
        prove_claim(claim)
    assert pp.prove(claim).verdict == "refuted"
