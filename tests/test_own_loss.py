"""Output losses stated in a rule file: backprop is that of the loss, and rules are held against it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chance import INGREDIENTS, text
from test_chance import Tally, judge
from test_hostile import theirs

import pcproof as pp
from pcproof.language.index import qvar
from pcproof.language.signature import Case
from pcproof.language.terms import ONE, App, add, mul, neg
from pcproof.networks.chain import Chain
from pcproof.networks.mlp import MLP
from pcproof.proof.kernel import Kernel
from pcproof.rules.claims import dynamics, equals_backprop
from pcproof.rules.equations import RuleError, timed_theory
from pcproof.rules.losses import output_error, zil_with_loss

ANY, CUBIC, WEIGHED = INGREDIENTS["loss"][1:]
PREDICTED = {"energy": "Sum(sq(x[l] - mu[l]) / 2, (l, 1, L - 1)) + output_loss(net)"}
ALL = {"energy": "Sum(sq(x[l] - mu[l], d[l]) / 2, (l, 0, L - 1))", "step_size": "1 / d[l]"}
POWERS = {"step_size": "gamma", "rate": "1 / gamma**l"}
VERDICTS: dict[str, tuple[dict[str, str], str]] = {
    "the squared error, output predicted": (PREDICTED, "proved"),
    "any function of what is missed": (PREDICTED | {"loss": ANY}, "proved"),
    "with biases": (PREDICTED | {"loss": ANY, "bias": "bias=True"}, "proved"),
    "a cubic": (PREDICTED | {"loss": CUBIC}, "proved"),
    "rates undo the powers of gamma": (PREDICTED | POWERS | {"loss": ANY}, "proved"),
    "sweeps from the output": (PREDICTED | {"loss": ANY, "order": "from-output", "moment": "0"}, "proved"),
    "weighed outputs, natural steps": (ALL | {"loss": WEIGHED}, "proved"),
    "weighed outputs, predicted": (PREDICTED | {"loss": WEIGHED}, "proved"),
    "natural steps, outputs not weighed": (ALL, "refuted"),
    "any function, output clamped": ({"loss": ANY}, "refuted"),
    "a cubic, output clamped": ({"loss": CUBIC}, "refuted"),
    "half the loss": (PREDICTED | {"loss": ANY, "rate": '"1/2"'}, "refuted"),
    "up the loss": (PREDICTED | {"loss": ANY, "rate": "-1"}, "refuted"),
    "one step late": (PREDICTED | {"loss": ANY, "moment": "l + 1"}, "refuted"),
    "any gamma": (PREDICTED | {"loss": ANY, "step_size": "gamma"}, "refuted"),
    "the loss twice": ({"loss": ANY, "energy": PREDICTED["energy"] + " + output_loss(net)"}, "refuted"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdict_agrees_with_the_simulator(name):
    parts, verdict = VERDICTS[name]
    assert judge(text(parts), Tally()) == verdict


def huber_like(out, target, h):
    return pp.Sum(h(out - target))


NETS = {
    "function": pp.OwnLoss(MLP(bias=True), huber_like, functions="h"),
    "two functions": pp.OwnLoss(MLP(), lambda out, target, g, h: pp.Sum(g(out) * target + h(out)), functions="g h"),
    "any layers": pp.OwnLoss(Chain(), huber_like, functions="h"),
}


@pytest.mark.parametrize("name", NETS)
def test_the_error_at_the_output_is_derived_and_the_step_is_that_of_the_energy(name):
    rule = zil_with_loss(NETS[name])
    result = pp.confirm(pp.prove(rule.equals_backprop()))
    assert any("standalone" in a for a in result.authority)
    assert pp.prove(dynamics(rule.equations, ONE)).verdict == "proved"


def test_the_derivative_is_that_of_the_loss_and_no_other():
    net = NETS["function"]
    missed = add(App("y", (0, qvar("b"), qvar("i"))), neg(App("s_out", (qvar("b"), qvar("i")))))
    assert output_error(net) == neg(App("dh", (), (missed,)))
    e = zil_with_loss(net).equations
    wrong = {k: tuple(Case(c.guard, mul(2, c.value)) for c in cs) for k, cs in e.change.items()}
    assert pp.prove(equals_backprop(replace(e, change=wrong))).verdict == "refuted"
    Kernel(timed_theory(e))  # admitted


def test_a_sum_of_squares_is_the_squared_error():
    plain, own = MLP(), pp.OwnLoss(MLP(), lambda out, target: pp.sq(target - out) / 2)
    assert output_error(plain) == output_error(own)


WRONG = {
    "OwnLoss(net, 3)": "function of outputs and target",
    "OwnLoss(3, lambda out, target: 0)": "network such as MLP()",
    "OwnLoss(net, lambda out, target: 3)": "a loss is a number such as",
    "OwnLoss(net, lambda out, target: out - target)": "a loss is a number such as",
    "OwnLoss(net, lambda out: Sum(out))": "loss(out, target)",
    "OwnLoss(net, lambda out, target: sq(target))": "does not depend on the outputs",
    "OwnLoss(net, lambda out, target: sq(out) * sq(x[1]))": "it reads 'x'",
    "OwnLoss(net, lambda out, target: sq(out) * sq(theta[1]))": "it reads 'theta'",
    "OwnLoss(net, lambda out, target: sq(out) * p[l])": "it reads 'l'",
    "OwnLoss(net, lambda out, target, f: Sum(f(out)), functions='f')": "already has a meaning",
    "OwnLoss(net, lambda out, target, h, k: Sum(h(out)), functions='h h')": "named twice",
    "OwnLoss(net, lambda out, target, h: h(3), functions='h')": "quantity of the output",
}


@pytest.mark.parametrize("word", WRONG)
def test_losses_that_are_none_are_refused_in_one_sentence(word):
    with pytest.raises(RuleError) as caught:
        theirs(text({}).replace("start =", f"wrong = {word}\nstart ="))
    assert WRONG[word] in str(caught.value) and len(str(caught.value)) < 250 and "\n" not in str(caught.value)
