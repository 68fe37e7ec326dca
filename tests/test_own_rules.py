"""Variants that a rule file may state: momentum, an output clamped otherwise, rates by layer, hostile words."""

from __future__ import annotations

from pathlib import Path

import pytest

import pcproof as pp
from pcproof.catalogue import load
from pcproof.cli import run
from pcproof.rules.equations import RuleError, timed_theory
from pcproof.rules.front import front_claim
from pcproof.tactics.prover import prove_claim


def rule_text(
    step: str = "-1", learn: str = "-alpha", more: str = "", words: str = "", when: str = "Eq(t, l)", term: str = ""
) -> str:
    return f"""
from pcproof import MLP, Eq, Rule, Sum, sq
net = MLP()
x, mu, y, theta, l, t, L, gamma, alpha, target = net.symbols("x mu y theta l t L gamma alpha target")
{words}
F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
rule = Rule(net, energy=F, start={{x[l]: y[l]}}, when={when}, step={{x[l]: {step} * F.diff(x[l]){term}}},
            learn={{theta[l + 1]: {learn} * F.diff(theta[l + 1])}}{more})
"""


BETA = 'beta = net.parameter("beta")'
NUDGED = ", output=y[0] + beta * (target - y[0])"
VERDICTS = {
    "any momentum": (rule_text(words=BETA, more=", momentum=beta"), "proved"),
    "momentum 1/2": (rule_text(more=', momentum="1/2"'), "proved"),
    "momentum and gamma": (rule_text("-gamma", words=BETA, more=", momentum=beta"), "refuted"),
    "momentum, late": (rule_text(words=BETA, more=", momentum=beta", when="Eq(t, l + 1)"), "refuted"),
    "nudged": (rule_text(words=BETA, more=NUDGED), "refuted"),
    "nudged, rates undo it": (rule_text(learn="-alpha / beta", words=BETA, more=NUDGED), "proved"),
    "nudged, rates undo it twice": (rule_text(learn="-alpha / beta**2", words=BETA, more=NUDGED), "refuted"),
    "reciprocal step, rates undo it": (rule_text("-1 / gamma", "-alpha * gamma**l"), "proved"),
    "reciprocal step, rates one layer off": (rule_text("-1 / gamma", "-alpha * gamma**(l + 1)"), "refuted"),
    "pulled to the forward pass": (rule_text(term=" + x[l] - y[l]"), "proved"),
    "pulled to the prediction": (rule_text(term=" + mu[l] - y[l]"), "proved"),
    "nothing learnt": (rule_text(learn="0"), "refuted"),
    "nothing moves": (rule_text(step="0"), "refuted"),
    "twice as late": (rule_text(when="Eq(t, 2 * l)"), "refuted"),
    "before time 0": (rule_text(when="Eq(t, l - 1)"), "refuted"),
    "at the end": (rule_text(when="Eq(t, L)"), "refuted"),
    "from the input": (rule_text(when="Eq(t, L - l)"), "refuted"),
}


def rule(folder: Path, text: str) -> str:
    path = folder / "own.py"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", VERDICTS)
def test_verdict(name: str, tmp_path: Path) -> None:
    text, expected = VERDICTS[name]
    result = pp.prove(load(rule(tmp_path, text)).claim())
    assert result.verdict == expected
    if expected == "refuted":
        assert result.as_dict()["counterexample"] is not None


@pytest.mark.parametrize("name", ["any momentum", "nudged, rates undo it"])
def test_the_wave_of_these_rules_is_licensed(name: str, tmp_path: Path) -> None:
    prove_claim(front_claim(load(rule(tmp_path, VERDICTS[name][0])).rule().equations))  # type: ignore[misc]


def test_momentum_is_in_the_dynamics(tmp_path: Path) -> None:
    """Half of the momentum alone: the theorem does not see it, the definitions do."""
    equations = load(rule(tmp_path, VERDICTS["any momentum"][0])).rule().equations  # type: ignore[misc]
    velocity = timed_theory(equations).definition("velocity")
    assert velocity is not None and "beta*velocity[t-1,l,b,i]" in repr(velocity.cases[1].value)


REFUSED = {
    "float momentum": (rule_text(more=", momentum=0.5"), "0.5 is not exact"),
    "momentum of a layer": (
        rule_text(words='g = net.parameter("g", per="layer")', more=", momentum=g[l]"),
        "momentum is one number or parameter",
    ),
    "momentum and order": (rule_text(more=", momentum=1, order='weights-first'"), "synchronous order"),
    "output reads x": (rule_text(more=", output=x[0]"), "may use y[0] and target, not x"),
    "output of another layer": (rule_text(more=", output=y[1]"), "quantity of layer 0"),
    "output of a time": (
        rule_text(words='g = net.parameter("g", per="time")', more=", output=g[t] * target"),
        "output mentions the index 't'",
    ),
    "a taken name": (rule_text(words='v = net.parameter("velocity")'), "'velocity' already has a meaning"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_understood_is_refused_in_one_sentence(name: str, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    text, message = REFUSED[name]
    assert run(["prove", rule(tmp_path, text)]) == 2
    said = capsys.readouterr().err.strip()
    assert message in said and len(said.splitlines()) == 1


def test_momentum_is_refused_where_it_has_no_meaning(tmp_path: Path) -> None:
    from dataclasses import replace

    equations = load(rule(tmp_path, VERDICTS["any momentum"][0])).rule().equations  # type: ignore[misc]
    with pytest.raises(RuleError, match="momentum is understood in the synchronous order"):
        timed_theory(replace(equations, order="weights-first"))
