"""Several moves of the activities in one time step.

The wave goes one layer a move, so with k moves the error of layer l is backprop's for one move only, the l-th, and
weights that learn at whole time steps miss it, unless predictions are held: then it stays, and any later time will do.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from chance import INGREDIENTS, text
from test_chance import Tally, judge
from test_hostile import theirs

import pcproof as pp
from pcproof.language.index import Idx, eq, qvar
from pcproof.refute.mutate import mutants
from pcproof.repair import remarks
from pcproof.rules.claims import equals_backprop
from pcproof.rules.equations import RuleError, moment, timed_theory, written

TWO, THREE = {"substeps": ", substeps=2"}, {"substeps": ", substeps=3"}
HELD = TWO | {"step": INGREDIENTS["step"][6], "held": "True"}
VERDICTS: dict[str, tuple[dict[str, str], str]] = {
    "held": (HELD, "proved"),
    "held, with biases": (HELD | {"bias": "bias=True"}, "proved"),
    "held, from the gradient": (TWO | {"held": "True"}, "proved"),
    "held, three moves": (HELD | THREE, "proved"),
    "held, at the end": (HELD | {"moment": "L"}, "proved"),
    "held, just in time": (HELD | {"moment": "L - 1"}, "proved"),
    "held, wherever it starts": (HELD | {"start": "2 * y[l]"}, "proved"),
    "held, one step early": (HELD | {"moment": "l - 1"}, "refuted"),
    "held, at once": (HELD | {"moment": "0"}, "refuted"),
    "held, after one step": (HELD | {"moment": "1"}, "refuted"),
    "held, half the step": (HELD | {"step_size": '"1/2"'}, "refuted"),
    "two moves": (TWO, "refuted"),
    "three moves": (THREE, "refuted"),
    "two halves": (TWO | {"step_size": '"1/2"'}, "refuted"),
    "two moves, any gamma": (TWO | {"step_size": "gamma"}, "refuted"),
    "two moves, at once": (TWO | {"moment": "0"}, "refuted"),
    "two moves, at the end": (TWO | {"moment": "L"}, "refuted"),
    "two moves, one step late": (TWO | {"moment": "l + 1"}, "refuted"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdict_agrees_with_the_simulator(name):
    parts, verdict = VERDICTS[name]
    assert judge(text(parts), Tally()) == verdict


def test_one_move_is_the_rule_without_sub_steps():
    once, plain = (theirs(text(parts)).equations for parts in ({"substeps": ", substeps=1"}, {}))
    assert once == replace(plain, net=once.net)


def test_times_are_counted_in_moves():
    e = theirs(text(HELD | {"moment": "2 * l + 1"})).equations
    assert moment(e.when) == 4 * qvar("l") - 2 and written(e) == 4 * qvar("l")
    theta = timed_theory(e).definition("theta")
    assert theta is not None and any("theta[t-1" in repr(c.value) or c.guard for c in theta.cases)


def test_the_proof_is_accepted_and_no_moment_before_the_wave():
    e = theirs(text(HELD)).equations
    assert any("standalone" in a for a in pp.confirm(pp.prove(equals_backprop(e))).authority)
    l, t = qvar("l"), qvar("t")
    for early in (l - 2, Idx(0), 2 * l - 4):
        assert pp.prove(equals_backprop(replace(e, when=eq(t, early)))).verdict == "refuted"


def test_no_error_in_step_or_change_gets_through():
    e = theirs(text(HELD)).equations
    for m in mutants(e):
        if m.name.startswith(("step", "change")):
            assert pp.prove(equals_backprop(m.equations)).verdict in ("refuted", "proved"), m.name
        if m.name.startswith("change of theta: sign") or m.name.startswith("step: sign of term 2"):
            assert pp.prove(equals_backprop(m.equations)).verdict == "refuted", m.name


def test_one_move_is_the_repair():
    claim = theirs(text(TWO)).equals_backprop()
    assert [r.change for r in remarks(claim, most=1).repairs] == ["substeps=1"]


def test_it_is_backprop_at_no_depth_from_two_on():
    found = pp.characterise(theirs(text(TWO)))
    assert found.verdict == "proved" and found.never == 2


WRONG = {
    ", substeps=0": "1 or more",
    ", substeps=-1": "1 or more",
    ", substeps=True": "1 or more",
    ', substeps="2"': "1 or more",
    ", substeps=l": "1 or more",
}


@pytest.mark.parametrize("word", WRONG)
def test_numbers_that_count_nothing_are_refused(word):
    with pytest.raises(RuleError, match=WRONG[word]):
        theirs(text({"substeps": word}))


@pytest.mark.parametrize(
    "parts, says",
    [
        ({"order": "weights-first"}, "synchronous"),
        ({"order": "from-output"}, "synchronous"),
        ({"step_size": "g[t]"}, "not on the time"),
        ({"rate": "(1 + g[t] - g[l])"}, "not on the time"),
    ],
)
def test_what_sub_steps_do_not_go_with_is_refused(parts, says):
    with pytest.raises(RuleError, match=says):
        theirs(text(TWO | parts))
