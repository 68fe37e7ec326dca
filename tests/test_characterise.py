"""Conditions on parameters that nobody stated: found, needed and sufficient, proved in both directions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pcproof as pp
from pcproof.catalogue import load
from pcproof.checkers import ask
from pcproof.cli import run
from pcproof.proof.acceptance import ACCEPTED
from pcproof.result import Proved

ENERGY = "Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))"
WEIGHTED = "Sum(p[l] * sq(x[l] - mu[l]) / 2, (l, 0, L - 1))"
DESCENT, PLASTICITY = "-gamma * F.diff(x[l])", "-alpha * F.diff(theta[l + 1])"


def rule_text(
    words: str = "", energy: str = ENERGY, step: str = DESCENT, learn: str = PLASTICITY, when: str = "Eq(t, l)"
) -> str:
    return f"""
from pcproof import MLP, Eq, Rule, Sum, sq
net = MLP()
x, mu, y, theta, l, t, L, gamma, alpha = net.symbols("x mu y theta l t L gamma alpha")
{words}
F = {energy}
rule = Rule(net, energy=F, start={{x[l]: y[l]}}, when={when}, step={{x[l]: {step}}}, learn={{theta[l + 1]: {learn}}})
"""


LAM, ETA = 'lam = net.parameter("lam")', 'eta = net.parameter("eta")'
EACH = 'p = net.parameter("p", per="layer")'
# file, conditions in the order in which they are shown, factor of a layer, where it has that factor
PROVED = {
    "gamma": (rule_text(), ["gamma = 1"], "gamma^(l-1)", []),
    "decay": (
        rule_text(LAM, ENERGY + " + lam * Sum(sq(x[l]) / 2, (l, 1, L - 1))"),
        ["gamma = 1", "lam = 0"],
        "gamma^(l-1)",
        ["lam = 0"],
    ),
    "weight_decay": (
        rule_text(LAM, ENERGY + " + lam * Sum(sq(theta[l]) / 2, (l, 1, L))"),
        ["lam = 0", "gamma = 1"],
        "gamma^(l-1)",
        ["lam = 0"],
    ),
    "rate": (
        rule_text(ETA, learn="-eta * F.diff(theta[l + 1])"),
        ["eta = alpha", "gamma = 1"],
        "eta/alpha * gamma^(l-1)",
        [],
    ),
    "step_of_layer": (
        rule_text('g = net.parameter("g", per="layer")', step="-g[l] * F.diff(x[l])"),
        ["g[m] = 1 for 1 <= m < L"],
        "prod_{k=1..l-1} g[k]",
        [],
    ),
    "step_of_time": (
        rule_text('g = net.parameter("g", per="time")', step="-g[t] * F.diff(x[l])"),
        ["g[m] = 1 for 0 <= m < L-1"],
        "prod_{k=1..l-1} (g[k-1])",
        [],
    ),
    "rate_of_layer": (
        rule_text('eta = net.parameter("eta", per="layer")', learn="-eta[l + 1] * F.diff(theta[l + 1])"),
        ["eta[1] = alpha", "eta[m+1]*gamma = eta[m] for 1 <= m < L"],
        "eta[l]/alpha * gamma^(l-1)",
        [],
    ),
    "precision_of_layer": (
        rule_text(EACH, WEIGHTED),
        ["p[0] = 1", "gamma*p[m] = 1 for 1 <= m < L"],
        "p[l-1] * prod_{k=1..l-1} (gamma*p[k-1])",
        [],
    ),
    "precision": (
        rule_text('q = net.parameter("q")', "Sum(q * sq(x[l] - mu[l]) / 2, (l, 0, L - 1))"),
        ["q = 1", "gamma = 1"],
        "q * (gamma*q)^(l-1)",
        [],
    ),
    "two_steps": (
        rule_text('a, c = net.parameter("a"), net.parameter("c")', step="-(a + c) * F.diff(x[l])"),
        ["c = -a + 1"],
        "(a + c)^(l-1)",
        [],
    ),
    "square": (rule_text(step="-gamma * gamma * F.diff(x[l])"), ["gamma^2 = 1"], "(gamma^2)^(l-1)", []),
    "drift": (
        rule_text('c = net.parameter("c")', step=DESCENT + " + c * y[l]"),
        ["gamma = 1", "c = 0"],
        "gamma^(l-1)",
        ["c = 0"],
    ),
}


def written(folder: Path, text: str) -> str:
    path = folder / "own.py"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", PROVED)
def test_the_condition_is_found_and_proved_in_both_directions(name: str, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    text, conditions, factor, where = PROVED[name]
    assert run(["characterise", written(tmp_path, text), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "proved"
    assert [c["condition"] for c in found["conditions"]] == conditions
    assert all(c["necessary"]["verdict"] == "proved" for c in found["conditions"])
    assert found["sufficient"]["verdict"] == "proved"
    assert found["sufficient"]["scope"]["depth"] == found["sufficient"]["scope"]["width"] == "arbitrary"
    assert found["parallel"]["factor"] == factor
    assert found["parallel"]["conditions"] == where
    assert found["parallel"]["theorem"]["verdict"] == "proved"
    assert found["assumed"] == ["alpha != 0"]


NEVER = {
    "all_at_once": rule_text(when="Eq(t, 0)"),
    "late": rule_text(when="Eq(t, l + 1)"),
}


@pytest.mark.parametrize("name", NEVER)
def test_that_no_values_serve_is_a_theorem(name: str, tmp_path: Path) -> None:
    found = pp.characterise(load(written(tmp_path, NEVER[name])).rule())  # type: ignore[misc]
    assert found.verdict == "proved" and found.never == 2
    assert isinstance(found.impossible, Proved)
    assert "for no values" in str(found)


def test_no_condition_where_none_is_needed(tmp_path: Path) -> None:
    text = rule_text(EACH, WEIGHTED, "-1 / p[l] * F.diff(x[l])", "-alpha / p[0] * F.diff(theta[l + 1])")
    found = pp.characterise(load(written(tmp_path, text)).rule())  # type: ignore[misc]
    assert found.verdict == "proved" and found.needed == []
    assert found.assumed == ["alpha != 0", "p[m] != 0 for m >= 0"]
    assert str(found).startswith("Backprop for all values of the parameters")


def test_every_theorem_is_accepted_by_the_standalone_checker(tmp_path: Path) -> None:
    found = pp.characterise(load(written(tmp_path, PROVED["precision_of_layer"][0])).rule())  # type: ignore[misc]
    never = pp.characterise(load(written(tmp_path, NEVER["all_at_once"])).rule())  # type: ignore[misc]
    assert found.parallel is not None
    theorems = [found.sufficient, found.parallel.result, never.impossible, *(n.result for n in found.needed)]
    for theorem in theorems:
        assert isinstance(theorem, Proved) and theorem.proof is not None
        said = [a for a in ask(theorem.proof.text, ("standalone",), 60) if a.checker == "standalone checker"]
        assert [a.verdict for a in said] == [ACCEPTED], said


UNKNOWN = {
    "errors as gates": (
        rule_text("from pcproof import nonzero", when="nonzero(x[l] - mu[l])"),
        "no wave",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_elsewhere_it_is_unknown_with_the_reason(name: str, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    text, reason = UNKNOWN[name]
    assert run(["characterize", written(tmp_path, text)]) == 3
    out = capsys.readouterr().out
    assert "Unknown" in out and reason in out


def test_what_is_no_rule_is_refused(capsys) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TypeError, match="a rule was expected, got int"):
        pp.characterise(3)
    assert run(["characterise", "backprop_gradient"]) == 2
    assert "nothing to characterise" in capsys.readouterr().err
    with pytest.raises(TypeError, match="no truth value"):
        bool(pp.Characterisation("x"))


def test_a_wrong_condition_is_not_called_sufficient(tmp_path: Path) -> None:
    """gamma = 2 instead of 1, and lam left out: neither is proved."""
    from pcproof.characterise import sufficient
    from pcproof.language.signature import Eq, Statement
    from pcproof.language.terms import ONE, App, Num
    from pcproof.rules.scaled import Factors

    decay = load(written(tmp_path, PROVED["decay"][0])).rule()  # type: ignore[misc]
    for conditions in ({"lam": 0, "gamma": 2}, {"gamma": 1}, {"lam": 0}):
        given = {f"condition_{n}": Statement((), (), Eq(App(n), Num(v))) for n, v in conditions.items()}
        claim = sufficient(decay.equals_backprop(), decay.equations, Factors(App("gamma"), {"theta": ONE}), given)
        assert pp.prove(claim).verdict == "refuted"
