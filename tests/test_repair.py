"""What is said of a refuted rule besides: its nearest repair, the factors of its layers; each proved first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pcproof as pp
from pcproof.catalogue import load
from pcproof.cli import run
from pcproof.repair import remarks
from pcproof.result import Proved

STEP, LEARN = "-1 * F.diff(x[l])", "-alpha * F.diff(theta[l + 1])"


def rule_text(
    step: str = STEP, learn: str = LEARN, when: str = "Eq(t, l)", start: str = "y[l]", more: str = "", words: str = ""
) -> str:
    return f"""
from pcproof import MLP, Eq, Rule, Sum, sq
net = MLP()
x, mu, y, theta, l, t, L, gamma, alpha = net.symbols("x mu y theta l t L gamma alpha")
{words}
F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
rule = Rule(net, energy=F, start={{x[l]: {start}}}, when={when}, step={{x[l]: {step}}},
            learn={{theta[l + 1]: {learn}}}{more})
"""


# rule, factor of a layer, first repair
REPAIRED = {
    "late": (rule_text(when="Eq(t, l + 1)"), None, "when=Eq(t, l) for theta[l + 1]"),
    "half": (rule_text("F.diff(x[l]) * '-1/2'"), "(1/2)^(l-1)", "the step of x[l] times 2"),
    "ascent": (rule_text("F.diff(x[l])"), "(-1)^(l-1)", "the step of x[l] negated"),
    "learns up": (rule_text(learn="alpha * F.diff(theta[l + 1])"), "-1", "the change of theta[l + 1] negated"),
    "weights first": (rule_text(more=", order='weights-first'"), None, 'order="synchronous"'),
    "start at zero": (rule_text(start="0"), None, "start={x[l]: y[l]}"),
    "drift": (rule_text(STEP + " + y[l]"), None, "step={x[l]: -1 * F.diff(x[l])}"),
    "gamma": (rule_text("-gamma * F.diff(x[l])"), "gamma^(l-1)", "gamma = 1"),
    "gamma of the layer": (
        rule_text("-g[l] * F.diff(x[l])", words='g = net.parameter("g", per="layer")'),
        "prod_{k=1..l-1} g[k]",
        "g[m] = 1 for 1 <= m < L",
    ),
}


@pytest.mark.parametrize("name", REPAIRED)
def test_a_refuted_rule_is_repaired(name: str, tmp_path: Path) -> None:
    text, factor, change = REPAIRED[name]
    path = tmp_path / "own.py"
    path.write_text(text)
    claim = load(str(path)).claim()
    assert pp.prove(claim).verdict == "refuted"
    found = remarks(claim, most=1)
    assert (found.parallel.factor if found.parallel is not None else None) == factor
    assert [r.change for r in found.repairs] == [change]
    assert all(isinstance(r.result, Proved) for r in found.repairs)


def test_two_faults_have_no_repair_of_one_step(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(rule_text(when="Eq(t, 0)", start="0"))
    found = remarks(load(str(path)).claim())
    assert found.repairs == [] and found.parallel is None


def test_repairs_stand_beside_the_verdict_and_can_be_left_out(tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "own.py"
    path.write_text(REPAIRED["half"][0])
    assert run(["prove", str(path)]) == 1
    out = capsys.readouterr().out
    assert "Refuted:" in out and "With the step of x[l] times 2 it is backprop: proved." in out
    assert "Parallel to backprop: layer l moves by (1/2)^(l-1) times its change: proved." in out
    assert run(["prove", str(path), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "refuted" and found["repairs"][0]["theorem"]["verdict"] == "proved"
    assert run(["prove", str(path), "--no-repair"]) == 1
    assert "it is backprop" not in capsys.readouterr().out


def test_factors_that_cancel_are_found_without_a_hint(tmp_path: Path) -> None:
    """Errors p[0] / p[l] times backprop's, and changes that undo it."""
    path = tmp_path / "own.py"
    path.write_text(
        rule_text(
            "-1 / p[l] * F.diff(x[l])",
            "-alpha / p[0] * F.diff(theta[l + 1])",
            words='p = net.parameter("p", per="layer")',
        ).replace("F = Sum(sq", "F = Sum(p[l] * sq")
    )
    result = pp.prove(load(str(path)).claim())
    assert result.verdict == "proved"
    path.write_text(path.read_text().replace("alpha / p[0]", "alpha / p[l]"))
    assert pp.prove(load(str(path)).claim()).verdict == "refuted"
