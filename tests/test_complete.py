"""Z-IL in one theorem: the gradient that a step uses is the one that is proved to be the gradient."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from fractions import Fraction

import pytest

import pcproof
from pcproof.catalogue import entries
from pcproof.language.evaluate import Evaluator
from pcproof.language.signature import DEFINED, Case, Claim, Eq, Tangent, relation_terms
from pcproof.language.terms import App, Num, mul, subterms
from pcproof.networks.chain import Chain
from pcproof.networks.mlp import MLP
from pcproof.proof import check
from pcproof.refute.mutate import mutants
from pcproof.result import Proved, Refuted, Unknown
from pcproof.rules import zil
from pcproof.rules.claims import with_c3
from pcproof.rules.complete import complete, descent
from pcproof.rules.equations import ORDERS, SYNCHRONOUS, Equations
from pcproof.tactics.prover import prove_claim

HALF = Fraction(1, 2)


def equations(bias: bool = True) -> Equations:
    return zil(MLP(bias=bias), gamma=None).equations


def names(claim: Claim, goal: int) -> set[str]:
    return {s.name for t in relation_terms(claim.goals[goal].relation) for s in subterms(t) if isinstance(s, App)}


def test_the_step_uses_the_certified_gradient() -> None:
    claim = entries()["zil_complete"].claim()
    assert [type(g.relation) for g in claim.goals] == [Tangent] * 2 + [Eq] * 7
    tangents = names(claim, 0) | names(claim, 1)
    assert "gx" in names(claim, 0) and "gx" in names(claim, 2)
    for goal, (weight, gradient) in zip((3, 5), (("theta", "gtheta"), ("beta", "gbeta"))):
        assert gradient in tangents and {weight, gradient, "alpha"} == names(claim, goal)
    assert claim.theory.symbols["gx"].kind == claim.theory.symbols["x"].kind == DEFINED
    assert names(claim, 7) == {"theta", "w", "dw"} and names(claim, 8) == {"beta", "c", "dc"}


@pytest.mark.parametrize("net", [MLP(), MLP(bias=True), Chain()], ids=lambda n: n.name)
def test_proved_with_an_instance_in_which_the_state_is_that_of_the_run(net: MLP | Chain) -> None:
    claim = with_c3(complete(zil(net, gamma=None).equations))
    result = pcproof.prove(claim)
    assert isinstance(result, Proved) and result.seconds < 3
    assert result.instance is not None
    model = result.instance.model(claim.theory)
    run = Evaluator(claim.theory, model)
    state = result.instance.entries("X")
    assert {t for t, *_ in state} >= {0, 1, 2} and any(v != 0 for v in state.values())
    for at, value in state.items():
        assert run.value(App("x", at), {}) == value


def test_the_sign_of_eps_is_refuted_here_and_not_by_the_end_of_the_weights_alone() -> None:
    e = equations()
    flipped = next(m.equations for m in mutants(e) if m.name == "step: sign of term 1 (-gamma*eps[l,b,i])")
    entry, weights = entries()["zil_complete"], entries()["theorem_3_2"]
    assert entry.of is not None and weights.of is not None
    assert isinstance(pcproof.prove(weights.of(flipped)), Proved)
    result = pcproof.prove(entry.of(flipped))
    assert isinstance(result, Refuted) and result.counterexample is not None
    assert result.counterexample.goal == 2  # x[t+1] = x[t] - gamma gx[t]
    assert result.counterexample.lhs != result.counterexample.rhs


@pytest.mark.parametrize("name", ["gx", "gtheta", "gbeta"])
def test_another_gradient_is_refuted(name: str) -> None:
    claim = entries()["zil_complete"].claim()
    groups = tuple(
        tuple(
            replace(d, cases=tuple(Case(c.guard, mul(-1, c.value)) for c in d.cases)) if d.name == name else d
            for d in group
        )
        for group in claim.theory.definitions
    )
    wrong = replace(claim, theory=replace(claim.theory, definitions=groups))
    assert isinstance(pcproof.prove(wrong), Refuted)


def test_without_the_definition_of_the_state_nothing_follows() -> None:
    claim = entries()["zil_complete"].claim()
    for name in ("X_is_x", "Theta_is_theta", "Beta_is_beta", "f_differentiable_at_X", "C3"):
        rest = {n: h for n, h in claim.theory.hypotheses.items() if n != name}
        assert len(rest) == 4
        assert isinstance(pcproof.prove(replace(claim, theory=replace(claim.theory, hypotheses=rest))), Refuted), name


def test_a_single_step_at_a_time_for_any_step_size() -> None:
    assert isinstance(pcproof.prove(descent(equations())), Proved)
    half = zil(MLP(), gamma=HALF).equations
    assert isinstance(pcproof.prove(descent(half)), Refuted)  # the step is not -gx
    assert isinstance(pcproof.prove(descent(half, Num(HALF))), Proved)
    assert isinstance(pcproof.prove(complete(half, Num(HALF))), Refuted)  # the weights end elsewhere


def test_another_energy_start_and_moment() -> None:
    net = MLP()
    x, mu, theta, l, t, L, g, alpha = net.symbols("x mu theta l t L gamma alpha")
    p = net.parameter("p", per="layer")
    F = pcproof.Sum(p[l] * pcproof.sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
    for when in (pcproof.Eq(t, L - 1 - l), pcproof.Eq(t, 3)):
        rule = pcproof.Rule(
            net,
            energy=F,
            start={x[l]: 0},
            step={x[l]: -g * F.diff(x[l])},
            learn={theta[l + 1]: -alpha * F.diff(theta[l + 1])},
            when=when,
        )
        assert isinstance(pcproof.prove(descent(rule.equations)), Proved)
        assert not isinstance(pcproof.prove(complete(rule.equations)), (Proved, Unknown))


@pytest.mark.parametrize("order", [o for o in ORDERS if o != SYNCHRONOUS])
def test_other_orders_take_the_gradient_elsewhere(order: str) -> None:
    assert isinstance(pcproof.prove(descent(replace(equations(False), order=order))), Refuted)


def test_the_standalone_checker_rejects_the_steps_without_the_definition_of_the_state() -> None:
    text = prove_claim(entries()["zil_complete"].claim()).text
    assert check.check(text.encode())["accepted"]
    data = json.loads(text)
    del data["theory"]["hypotheses"]["X_is_x"], data["digest"]
    data["digest"] = hashlib.sha256(check.canonical(data).encode()).hexdigest()
    found = check.check(check.canonical(data).encode())
    assert not found["accepted"] and found["rule"] == "hypothesis"
