"""Sweeps over the layers: each visit sees what the visits before it have written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chance import INGREDIENTS, text
from test_chance import Tally, judge
from test_hostile import theirs

import pcproof as pp
from pcproof.language.index import Idx, eq, ge, qvar
from pcproof.networks.chain import Chain
from pcproof.networks.losses import AnyLoss, CrossEntropy
from pcproof.networks.mlp import MLP
from pcproof.networks.network import L
from pcproof.proof.theory import TheoryError, admit
from pcproof.refute.mutate import mutants
from pcproof.rules.claims import equals_backprop
from pcproof.rules.equations import Equations, RuleError, other_orders, timed_theory
from pcproof.rules.front import front_claim
from pcproof.rules.losses import zil_with_loss
from pcproof.rules.sweeps import FROM_INPUT, FROM_OUTPUT, SWEEPS, distance
from pcproof.rules.zil import zil
from pcproof.tactics.prover import prove_claim

BACKWARD = {"order": "from-output", "moment": "0"}
FORWARD = {"order": "from-input", "moment": "l"}
HAND = {"step": INGREDIENTS["step"][2], "change": INGREDIENTS["change"][2]}
BY_POWERS = {"step_size": "gamma", "rate": "1 / gamma**l"}
PULLED = {"regulariser": " + Sum(sq(x[l] - y[l]) / 2, (l, 1, L - 1))"}
VERDICTS: dict[str, tuple[dict[str, str], str]] = {
    "one sweep from the output is backprop": (BACKWARD, "proved"),
    "the same with biases": (BACKWARD | {"bias": "bias=True"}, "proved"),
    "the same written by hand": (BACKWARD | HAND, "proved"),
    "rates undo the powers of gamma": (BACKWARD | BY_POWERS, "proved"),
    "pulled to the start": (BACKWARD | PULLED, "proved"),
    "sweeps from the input, at t = l": (FORWARD, "proved"),
    "from the input, rates undo the powers": (FORWARD | BY_POWERS, "proved"),
    "from the input, pulled to the start": (FORWARD | PULLED, "proved"),
    "from the output at t = l": (BACKWARD | {"moment": "l"}, "refuted"),
    "from the output one step late": (BACKWARD | {"moment": "1"}, "refuted"),
    "from the output half a step": (BACKWARD | {"step_size": '"1/2"'}, "refuted"),
    "from the input at once": (FORWARD | {"moment": "0"}, "refuted"),
    "from the input one step late": (FORWARD | {"moment": "l + 1"}, "refuted"),
    "from the input one step early": (FORWARD | {"moment": "l - 1"}, "refuted"),
    "from the output, f' left out": (BACKWARD | {"step": INGREDIENTS["step"][5]}, "refuted"),
    "from the output, feedback negated": (BACKWARD | {"step": INGREDIENTS["step"][4]}, "refuted"),
    "from the output, cold start": (BACKWARD | {"start": "0 * y[l]"}, "refuted"),
    "from the input, cold start": (FORWARD | {"start": "0 * y[l]"}, "refuted"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdict_agrees_with_the_simulator(name):
    parts, verdict = VERDICTS[name]
    assert judge(text(parts), Tally()) == verdict


def rule(parts: dict[str, str]) -> Equations:
    return theirs(text(parts)).equations


@pytest.mark.parametrize("parts", [BACKWARD, FORWARD], ids=["from the output", "from the input"])
def test_the_proof_is_accepted_and_the_wave_licensed(parts):
    claim = equals_backprop(rule(parts))
    assert any("standalone" in a for a in pp.confirm(pp.prove(claim)).authority)
    prove_claim(front_claim(rule(parts)))


@pytest.mark.parametrize("parts", [BACKWARD, FORWARD], ids=["from the output", "from the input"])
def test_no_error_gets_through(parts):
    """Every mutant is refuted or proved; the other direction and the synchronous order are among them."""
    e = rule(parts)
    assert set(other_orders(e)) == {"synchronous", "weights-first", "states-first", "states-first-fresh", *SWEEPS} - {
        e.order
    }
    verdicts = {m.name: pp.prove(equals_backprop(m.equations)).verdict for m in mutants(e)}
    survivors = {n for n, v in verdicts.items() if v != "refuted"}
    own_error = {"step: sign of term 1 flipped", "step: term 1 dropped", "step: factor -1 of term 1 dropped"}
    same_wave = {"order: synchronous"} if e.order == FROM_INPUT else set()
    assert all(verdicts[n] == "proved" for n in survivors) and same_wave <= survivors, survivors
    assert not {n for n in survivors if n.startswith(("moment", "start", "change", "order"))} - same_wave, survivors
    assert len(survivors - same_wave) <= len(own_error), survivors


@pytest.mark.parametrize(
    "e",
    [
        zil(Chain(), 1).equations,
        zil_with_loss(AnyLoss(Chain())).equations,
        zil_with_loss(CrossEntropy(MLP())).equations,
    ],
    ids=["any layers", "any layers and loss", "cross-entropy"],
)
def test_other_networks(e):
    t = e.net.symbols("t")
    assert pp.prove(equals_backprop(replace(e, order=FROM_INPUT))).verdict == "proved"
    assert pp.prove(equals_backprop(replace(e, order=FROM_OUTPUT, when=pp.Eq(t, 0)))).verdict == "proved"
    assert pp.prove(equals_backprop(replace(e, order=FROM_OUTPUT))).verdict != "proved"


def test_a_measure_that_does_not_go_down_is_not_admitted():
    for parts in (BACKWARD, FORWARD):
        theory = timed_theory(rule(parts))
        admit(theory)
        t, l = qvar("t"), qvar("l")
        turned = {BACKWARD["order"]: 2 * t + L - l, FORWARD["order"]: 2 * t + l}[parts["order"]]
        group = tuple(replace(d, measure=(turned, d.measure[1])) for d in theory.definitions[-1])
        with pytest.raises(TheoryError, match="does not go down"):
            admit(replace(theory, definitions=(*theory.definitions[:-1], group)))


def test_what_is_read_too_far_away_is_refused():
    far = text(BACKWARD | {"drift": " + sq(x[L]) * x[l]"})
    with pytest.raises(RuleError, match="fixed distance"):
        theirs(far)
    held = text(BACKWARD | {"held": "True"})
    with pytest.raises(RuleError, match="without held predictions"):
        theirs(held)


def test_a_layer_is_read_where_the_guard_says_it_stands():
    l = qvar("l")
    assert [distance(l + c, ()) for c in (-1, 0, 1)] == [-1, 0, 1]
    assert distance(Idx(0), (eq(l, 1),)) == -1  # the output, fed back to layer 1
    for guard in ((), (ge(l, 1),), (eq(l, L),)):
        with pytest.raises(RuleError, match="fixed distance"):
            distance(Idx(0), guard)


def test_characterised():
    gamma = theirs(text(BACKWARD | {"step_size": "gamma"}))
    found = pp.characterise(gamma)
    assert found.verdict == "proved" and [n.text for n in found.needed] == ["gamma = 1"]
