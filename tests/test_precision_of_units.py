"""Precisions with an entry for each unit (diagonal) or each pair of units (full), in rules of one's own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chance import text
from test_chance import Tally, judge
from test_hostile import theirs

import pcproof as pp
from pcproof.language.signature import Case
from pcproof.language.terms import ONE, App, Term, replace_apps
from pcproof.rules.claims import dynamics, equals_backprop
from pcproof.rules.equations import Equations, RuleError
from pcproof.rules.rule import divisors

DIAGONAL = "sq(x[0] - mu[0]) / 2 + Sum(sq(x[l] - mu[l], d[l]) / 2, (l, 1, L - 1))"
EVERYWHERE = "Sum(sq(x[l] - mu[l], d[l]) / 2, (l, 0, L - 1))"
FULL = "sq(x[0] - mu[0]) / 2 + Sum(sq(x[l] - mu[l], m[l]) / 2, (l, 1, L - 1))"
SUM = DIAGONAL.replace("sq(x[l] - mu[l], d[l])", "Sum(d[l] * (x[l] - mu[l]) * (x[l] - mu[l]))")
UNWEIGHED = {"change": "alpha * outer(eps[l], act(x[l + 1]))"}
OWN_STEP = {"energy": DIAGONAL, "step_size": "1 / d[l]"}
VERDICTS: dict[str, tuple[dict[str, str], str]] = {
    "diagonal, each step divided by its own": (OWN_STEP, "proved"),
    "written as a sum": (OWN_STEP | {"energy": SUM}, "proved"),
    "any matrix on own errors": ({"drift": " + m[l] @ eps[l]"}, "proved"),
    "diagonal": ({"energy": DIAGONAL}, "refuted"),
    "of the output too": (OWN_STEP | {"energy": EVERYWHERE}, "refuted"),
    "multiplied and not divided": (OWN_STEP | {"step_size": "d[l]"}, "refuted"),
    "twice the step": (OWN_STEP | {"step_size": "2 / d[l]"}, "refuted"),
    "one step late": (OWN_STEP | {"moment": "l + 1"}, "refuted"),
    "one step early": (OWN_STEP | {"moment": "l - 1"}, "refuted"),
    "errors not weighed where weights learn": (OWN_STEP | UNWEIGHED, "refuted"),
    "full": ({"energy": FULL}, "refuted"),
    "full, divided by the diagonal": (OWN_STEP | {"energy": FULL}, "refuted"),
}  # fmt: skip


@pytest.mark.parametrize("name", VERDICTS)
def test_verdict_agrees_with_the_simulator(name):
    parts, verdict = VERDICTS[name]
    assert judge(text(parts), Tally()) == verdict


def test_the_proof_is_accepted_by_the_standalone_checker():
    claim = theirs(text(OWN_STEP)).equals_backprop()
    assert list(claim.theory.hypotheses) == ["d_nonzero"]
    found = pp.confirm(pp.prove(claim))
    assert any("standalone" in a for a in found.authority)
    dropped = replace(claim, theory=replace(claim.theory, hypotheses={}))
    assert pp.prove(dropped).verdict == "refuted"


def at_layer(e: Equations, by: int) -> Equations:
    """The rule with the precision of another layer in its step."""

    def put(a: App) -> Term | None:
        return App("d", (a.idx[0] + by, a.idx[1])) if a.name == "d" else None

    return replace(e, step=tuple(Case(c.guard, replace_apps(c.value, put)) for c in e.step))


@pytest.mark.parametrize("by", [-1, 1])
def test_the_precision_of_the_wrong_layer_is_refuted(by):
    e = at_layer(theirs(text(OWN_STEP)).equations, by)
    claim = equals_backprop(e)
    claim = replace(claim, theory=claim.theory.extend(hypotheses=divisors(e)))
    assert pp.prove(claim).verdict == "refuted"


def test_the_step_is_that_of_the_energy():
    plain = theirs(text({"energy": DIAGONAL})).equations
    assert pp.prove(dynamics(plain, ONE)).verdict == "proved"
    full = theirs(text({"energy": FULL})).equations
    assert pp.prove(dynamics(full, ONE)).verdict == "proved"
    wrong = theirs(text({"energy": DIAGONAL, "step": "-E.diff(x[l])"})).equations
    assert pp.prove(dynamics(wrong, ONE)).verdict == "refuted"


WRONG = {
    "sq(x[l] - mu[l], d[l + 1])": "precision of layer l + 1",
    "sq(x[l] - mu[l], p[l])": 'per="unit" or per="pair"',
    "sq(x[l] - mu[l], 2)": 'per="unit" or per="pair"',
    "sq(theta[l], d[l])": "weights theta",
    "m[l] @ x[l + 1]": "units of layer l",
    "m[l] @ 3": "units of layer l",
    "d[l] + 1": "number cannot be added",
    "d[l] * x[l + 1]": "same layer",
    "x[l] / d[l - 1]": "same layer",
    "x[l] / eps[l]": "divided",
    "1 / eps[l]": "divided",
    "d[gamma]": "takes an index",
    "Sum(theta[l])": "without a range",
    "Sum(gamma)": "without a range",
    'net.parameter("z", per="neuron")': '"unit"',
}


@pytest.mark.parametrize("word", WRONG)
def test_words_out_of_place_are_refused_in_one_sentence(word):
    with pytest.raises(RuleError) as caught:
        theirs(text({}).replace("start =", f"wrong = {word}\nstart ="))
    assert WRONG[word] in str(caught.value) and len(str(caught.value)) < 200 and "\n" not in str(caught.value)
