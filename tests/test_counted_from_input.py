"""Parameters and exponents that count layers from the input: p[L - l], gamma**(L - l)."""

from __future__ import annotations

import pytest
from chance import text
from test_chance import Tally, judge
from test_hostile import theirs

import pcproof as pp
from pcproof.rules.equations import RuleError

WEIGHED = "Sum(p[L - l] * sq(x[l] - mu[l]) / 2, (l, 0, L - 1))"
UNDONE = {"energy": WEIGHED, "step_size": "1 / p[L - l]", "rate": "1 / p[L]"}
VERDICTS: dict[str, tuple[dict[str, str], str]] = {
    "precisions undone": (UNDONE, "proved"),
    "steps divided by themselves": ({"step_size": "p[L - l] / p[L - l]"}, "proved"),
    "a power of the depth": ({"rate": "gamma**(L - 1) / gamma**(L - 1)"}, "proved"),
    "a step for each layer": ({"step_size": "p[L - l]"}, "refuted"),
    "a rate for each layer": ({"rate": "p[L - l]"}, "refuted"),
    "a power for each layer": ({"step_size": "gamma**(L - l)"}, "refuted"),
    "the rate of the wrong layer": (UNDONE | {"rate": "1 / p[0]"}, "refuted"),
    "the step of the wrong layer": (UNDONE | {"step_size": "1 / p[L - l + 1]"}, "refuted"),
    "the step counted from the output": (UNDONE | {"step_size": "1 / p[l]"}, "refuted"),
    "moments counted from the input": ({"moment": "L - l - 1"}, "refuted"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdict_agrees_with_the_simulator(name):
    parts, verdict = VERDICTS[name]
    assert judge(text(parts), Tally()) == verdict


@pytest.mark.parametrize(
    "parts, factor",
    [({"step_size": "p[L - l]"}, "prod_{k=1..l-1} (p[L-k])"), ({"rate": "p[L - l]"}, "p[L+1-l]")],
    ids=["steps", "rates"],
)
def test_the_condition_is_needed_and_suffices(parts, factor):
    found = pp.characterise(theirs(text(parts)))
    assert found.verdict == "proved" and all(n.result is not None for n in found.needed)
    assert found.parallel is not None and found.parallel.factor == factor


def test_an_exponent_that_becomes_negative_is_refused():
    for rate in ("gamma**(L - l - 2)", "gamma**(L - 2 * l)", "1 / gamma**(L - l - 2)"):
        with pytest.raises(RuleError, match="exponent"):
            theirs(text({"rate": rate}))
