"""Claims of a rule that cannot be stated of it end in one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from pcproof import MLP, Eq, Rule, RuleError, Sum, nonzero, sq
from pcproof.language.terms import ONE
from pcproof.rules.claims import dynamics, plasticity
from pcproof.rules.equations import Equations
from pcproof.tactics.prover import prove_claim

net = MLP()
x, mu, y, eps, theta, l, t, L, alpha = net.symbols("x mu y eps theta l t L alpha")
rate = net.parameter("rate", per="time")
F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
STEP, CHANGE = -1 * F.diff(x[l]), -alpha * F.diff(theta[l + 1])


def rule(**changed: Any) -> Equations:
    given: dict[str, Any] = {
        "start": {x[l]: y[l]},
        "step": {x[l]: STEP},
        "learn": {theta[l + 1]: CHANGE},
        "when": Eq(t, l),
    }
    return Rule(net, energy=F, **{**given, **changed}).equations


@pytest.mark.parametrize(
    "changed, expected",
    [
        ({"step": {x[l]: y[l] - x[l]}}, "the step reads 'y', which is no part of the energy's state"),
        ({"step": {x[l]: rate[t] * STEP}}, "the step depends on 't'"),
        ({"momentum": "1/2"}, "with momentum the activities move by more than their step"),
    ],
)
def test_a_step_that_is_no_function_of_the_state_is_refused(changed: dict[str, Any], expected: str) -> None:
    with pytest.raises(RuleError, match=expected):
        dynamics(rule(**changed))


@pytest.mark.parametrize(
    "changed, expected",
    [
        ({"learn": {theta[l + 1]: rate[t] * CHANGE}}, "the change of theta depends on 't'"),
        ({"when": nonzero(eps[l])}, "the change of theta reads 'phi'"),
    ],
)
def test_a_change_that_is_no_function_of_the_state_is_refused(changed: dict[str, Any], expected: str) -> None:
    with pytest.raises(RuleError, match=expected):
        plasticity(rule(**changed))


def test_what_is_a_function_of_the_state_is_compared() -> None:

    prove_claim(dynamics(rule(), ONE))
    prove_claim(plasticity(rule()))
    assert dynamics(rule(start={x[l]: 0}), ONE).goals == dynamics(rule(), ONE).goals
