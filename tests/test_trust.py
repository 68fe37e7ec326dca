"""What independent checkers said: asked, kept, recalled; and what a theorem rests on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from core import slow_outside

from pcproof import api, checkers, record
from pcproof.catalogue import entries
from pcproof.cli import run
from pcproof.proof import check
from pcproof.proof.acceptance import ACCEPTED, NOT_RUN, REJECTED, UNKNOWN, Acceptance
from pcproof.result import Proved, Unknown
from pcproof.tactics.prover import prove_claim
from pcproof.trust import SIDE, TrustError, trust

NAME = "learning_fixed_point"
SAMPLE = Acceptance("coqc", "8.16.1", ACCEPTED, "d" * 64, "g" * 64, 1.25, ("an.axiom",))


@pytest.fixture(scope="module")
def text() -> str:
    return prove_claim(entries()[NAME].claim()).text


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PCPROOF_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def fake(monkeypatch: pytest.MonkeyPatch, verdict: str, given: str = "g" * 64) -> list[str]:
    """Put a checker in the place of Coq; returns the certificates that it is asked about."""
    asked: list[str] = []

    def accept(data: Any, text: str, timeout: float) -> list[Acceptance]:
        asked.append(data["digest"])
        return [replace(SAMPLE, verdict=verdict, digest=data["digest"], given=given)]

    module = SimpleNamespace(NAMES=("coqc",), ASK="`ask`", given=lambda data: given, accept=accept)
    monkeypatch.setitem(checkers.CHECKERS, "coq", module)
    return asked


# -- acceptances and their record --------------------------------------------------------
def test_an_acceptance_has_no_truth_value_and_a_known_verdict() -> None:
    with pytest.raises(TypeError, match="no truth value"):
        bool(SAMPLE)
    with pytest.raises(ValueError, match="accepted, rejected, unknown, not run"):
        replace(SAMPLE, verdict="fine")
    assert Acceptance.from_dict(json.loads(json.dumps(SAMPLE.as_dict()))) == SAMPLE


def test_what_was_said_is_kept_by_certificate_and_checker(state: Path) -> None:
    assert record.recall(SAMPLE.digest) == []
    record.remember([SAMPLE, replace(SAMPLE, checker="z3", verdict=UNKNOWN), replace(SAMPLE, verdict=NOT_RUN)])
    record.remember([replace(SAMPLE, version="8.17")])
    found = {a.checker: a for a in record.recall(SAMPLE.digest)}
    assert found["coqc"].version == "8.17" and found["coqc"].when.endswith("UTC")
    assert found["z3"].verdict == UNKNOWN
    assert [p.name for p in state.iterdir()] == [f"{SAMPLE.digest}.json"]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"checker": "coqc"}]', "[{]", '[{"axioms": 3}]'])
def test_a_record_that_is_none_is_named(state: Path, text: str) -> None:
    state.mkdir()
    (state / f"{SAMPLE.digest}.json").write_text(text)
    with pytest.raises(record.RecordError, match="delete it"):
        record.recall(SAMPLE.digest)


def test_a_record_about_another_certificate_is_refused(state: Path) -> None:
    record.remember([SAMPLE])
    (state / f"{SAMPLE.digest}.json").rename(state / f"{'e' * 64}.json")
    with pytest.raises(record.RecordError, match="another certificate"):
        record.recall("e" * 64)


# -- asking ---------------------------------------------------------------------------------
def test_only_those_named_are_asked(text: str, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = fake(monkeypatch, ACCEPTED)
    found = {a.checker: a for a in checkers.ask(text)}
    assert found["standalone checker"].verdict == ACCEPTED and found["coqc"].verdict == NOT_RUN and not asked
    found = {a.checker: a for a in checkers.ask(text, ("coq",))}
    assert found["coqc"].verdict == ACCEPTED and found["standalone checker"].verdict == NOT_RUN and len(asked) == 1
    assert not state.exists(), "asking alone keeps nothing"
    with pytest.raises(KeyError):
        checkers.ask(text, ("isabelle",))


def test_a_record_counts_for_the_same_text_only(text: str, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, ACCEPTED, given="a" * 64)
    record.remember(checkers.ask(text, ("coq",)))
    found = {a.checker: a for a in checkers.ask(text)}
    assert found["coqc"].verdict == ACCEPTED and found["coqc"].when
    fake(monkeypatch, ACCEPTED, given="b" * 64)  # the exporter writes another text now
    found = {a.checker: a for a in checkers.ask(text)}
    assert found["coqc"].verdict == NOT_RUN and "another text" in found["coqc"].detail


def test_a_broken_record_is_no_acceptance(text: str, state: Path) -> None:
    state.mkdir()
    (state / f"{json.loads(text)['digest']}.json").write_text("no json")
    found = {a.checker: a for a in checkers.ask(text)}
    assert found["standalone checker"].verdict == ACCEPTED
    assert found["coqc"].verdict == NOT_RUN and "delete it" in found["coqc"].detail


def test_the_standalone_checker_rejects_with_its_reason(text: str) -> None:
    data = json.loads(text)
    data["items"].pop()
    (found,) = checkers.standalone.accept(data, check.canonical(data), 1)
    assert found.verdict == REJECTED and found.detail
    (found,) = checkers.standalone.accept({}, "{}", 1)
    assert found.verdict == REJECTED and "not of the format" in found.detail


# -- authority of results -----------------------------------------------------------------------
def test_acceptance_becomes_authority(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, ACCEPTED)
    result = api.confirm(api.prove(entries()[NAME].claim()), ("coq",))
    assert isinstance(result, Proved)
    assert [a.split(":")[0] for a in result.authority] == ["kernel", "exact instance"] + 2 * ["independent checker"]
    assert any("coqc 8.16.1" in a for a in result.authority)
    again = api.confirm(result)
    assert len([a for a in again.authority if a.startswith("independent")]) == 1, "nothing is kept that was not said"


@pytest.mark.parametrize("verdict", [UNKNOWN, NOT_RUN])
def test_no_answer_is_no_authority(verdict: str, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, verdict)
    result = api.confirm(api.prove(entries()[NAME].claim()), ("coq",))
    assert result.verdict == "proved" and not any("coqc" in a for a in result.authority)


def test_a_proof_that_somebody_rejects_is_not_called_proved(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, REJECTED)
    result = api.confirm(api.prove(entries()[NAME].claim()), ("coq",))
    assert isinstance(result, Unknown) and "coqc 8.16.1 rejects it" in result.note


def test_other_verdicts_are_left_alone() -> None:
    from pcproof import MLP
    from pcproof.rules import zil

    refuted = api.prove(zil(MLP(), gamma="1/2").equals_backprop())
    assert refuted.verdict == "refuted" and api.confirm(refuted) is refuted


# -- trust ------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", slow_outside(entries()))
def test_trust_of_every_theorem(name: str) -> None:
    """Every step is accounted for; every hypothesis of the claim that the proof uses is listed."""
    entry = entries()[name]
    if entry.expected != "proved":
        pytest.skip("a refuted claim has no certificate")
    proof = prove_claim(entry.claim())
    data, report = json.loads(proof.text), check.check(proof.text.encode())
    t = trust(data, report, [])
    assert t.items == len(data["items"]) and t.digest == data["digest"]
    assert {n for n, _ in t.used} == set(data["theory"]["hypotheses"])
    for h in data["theory"]["hypotheses"]:
        assert any(line.startswith(f"{h}: ") for line in t.hypotheses)
    sizes = [h for h in t.hypotheses if h.startswith("on the sizes: ")]
    assert len(sizes) == len(data["theory"]["assumptions"])
    assert set(t.claims) == set(report["claims"])


def test_side_conditions_are_those_of_rules() -> None:
    assert set(SIDE) <= set(check.RULES)


def test_nothing_rests_on_a_rejected_certificate() -> None:
    with pytest.raises(TrustError, match="rejected: ring: why"):
        trust({}, {"accepted": False, "rule": "ring", "reason": "why"}, [])


def test_the_command(tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["trust", NAME, "--json"]) == 0
    t = json.loads(capsys.readouterr().out)
    assert t["checkers"][0]["checker"] == "standalone checker" and t["checkers"][0]["verdict"] == "accepted"
    assert t["instance"] and t["hypotheses"] and t["side_conditions"] and t["rules"]
    assert run(["trust", NAME]) == 0
    out = capsys.readouterr().out
    for part in ("Claim", "Hypotheses", "Axioms", "Side conditions", "Checkers", "standalone checker"):
        assert part in out
    assert run(["prove", NAME, "--certificate", str(tmp_path / "c.json")]) == 0
    assert "independent checker: standalone checker" in capsys.readouterr().out
    assert run(["trust", str(tmp_path / "c.json"), "--json"]) == 0
    of_file = json.loads(capsys.readouterr().out)
    assert of_file["digest"] == t["digest"] and not of_file["instance"]


def test_the_command_on_what_is_no_theorem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "c.json"
    bad.write_text("{}")
    assert run(["trust", str(bad)]) == 2
    assert run(["trust", "no_such_theorem"]) == 2
    assert run(["trust", str(tmp_path / "none.json")]) == 2
    err = capsys.readouterr().err
    assert "not of the format" in err and "no result called" in err and "Traceback" not in err


def test_a_rejected_certificate_has_no_trust(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(text)
    data["items"][0]["rule"] = "sym"
    path = tmp_path / "c.json"
    path.write_text(check.canonical(data))
    assert run(["trust", str(path)]) == 1
    assert "rejected by the standalone checker" in capsys.readouterr().err


def test_a_record_that_cannot_be_written_is_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PCPROOF_STATE", str(tmp_path / "file" / "below"))
    fake(monkeypatch, ACCEPTED)
    assert run(["trust", NAME, "--run", "coq"]) == 0
    assert "not recorded" in capsys.readouterr().err
