"""The Coq exporter: its text, and what coqc says about it (skipped with a reason where there is no coqc)."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pcproof.catalogue import entries
from pcproof.cli import run
from pcproof.exporters.coq import ALLOWED, CoqError, check, coqc_version, export, statement
from pcproof.exporters.coq import names as spelling
from pcproof.exporters.coq import run as runner
from pcproof.exporters.coq.run import assumptions
from pcproof.exporters.coq.steps import SCRIPTS
from pcproof.language.index import Bound, Con, Idx, eq, ge, lt, qvar, size
from pcproof.language.signature import Case, Definition, Eq, Ne, Statement, Symbol, Theory
from pcproof.language.terms import ONE, ZERO, Add, App, Inv, IsZero, Iverson, Lam, Mul, Num, Pow, Sum
from pcproof.proof.certificate import Proof
from pcproof.proof.kernel import RULES, Context, Kernel, Theorem
from pcproof.tactics.prover import prove_claim

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "pcproof" / "exporters" / "coq"
DECAY = """
from pcproof import MLP, Rule, Sum, Eq, sq
net = MLP()
x, mu, y, theta, l, t, L, gamma, alpha = net.symbols("x mu y theta l t L gamma alpha")
lam = net.parameter("lam")
F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1)) + lam * Sum(sq(x[l]) / 2, (l, 1, L - 1))
rule = Rule(net, energy=F, start={x[l]: y[l]}, when=Eq(t, l),
            step={x[l]: -gamma * F.diff(x[l])}, learn={theta[l + 1]: -alpha * F.diff(theta[l + 1])})
claim = rule.equals_backprop()
"""
needs_coqc = pytest.mark.skipif(not coqc_version(), reason=runner.GET)


@cache
def text_of(id: str) -> str:
    return prove_claim(entries()[id].claim()).text


def certificate(id: str) -> Any:
    return json.loads(text_of(id))


def zoo() -> Proof:
    """A theory with unpleasant names whose proof uses rules that no theorem of the catalogue uses."""
    n, big, k = size("n", Idx(0, ((qvar("0").terms[0][0], 1),))), size("N"), qvar("k")
    last, b0 = big - 1, Idx.of(Bound(0))
    recursive = Definition(
        "Qed",
        ("l",),
        (
            Case((eq(qvar("l"), last),), App("sum", (qvar("l"),))),
            Case((ge(qvar("l"), 0), lt(qvar("l"), last)), Add(App("Qed", (qvar("l") + 1,)), App("R"))),
        ),
        (big - qvar("l"),),
    )
    symbols = (
        Symbol("sum", "parameter", 1),
        Symbol("R", "parameter"),
        Symbol("forall x'_é", "parameter", 1),
        Symbol("fun", "operator", 1, ranges=((n,),), linear=(0,)),
        Symbol("Qed", "defined", 1),
    )
    theory = Theory(
        {"n": 1, "N": 0},
        (ge(big, 2),),
        {s.name: s for s in symbols},
        ((recursive,),),
        {"R nonzero": Statement((), (), Ne(App("R"), ZERO)), "Axiom": Statement((), (), Eq(App("R"), Num(2)))},
    )
    kernel = Kernel(theory)
    ctx = Context(("k",), (ge(k, 0), lt(k, big)))
    x, odd, r = App("sum", (b0,)), App("forall x'_é", (b0,)), App("R")
    goals: list[Theorem] = []

    def op(lam: Lam) -> App:
        return App("fun", (k,), (lam,))

    goals.append(kernel.sum_pick(ctx, Sum(big, Mul(Iverson((eq(b0, k),)), x)), k))
    goals.append(kernel.iverson_true(ctx, Iverson((ge(k, 0), lt(k, big)))))
    goals.append(kernel.iverson_false(ctx, Iverson((lt(k, 0),))))
    goals.append(kernel.linear_add(ctx, op(Lam(1, Add(x, odd, x))), 0))
    goals.append(kernel.linear_add(ctx, op(Lam(1, Add())), 0))
    goals.append(kernel.linear_scale(ctx, op(Lam(1, Mul(r, odd))), 0))
    inner = ctx.bind(("j",), (size("n", k),))
    unit = kernel.ring(inner, Add(App("sum", (qvar("j"),)), ZERO), App("sum", (qvar("j"),)))
    goals.append(kernel.argument_congruence(ctx, op(Lam(1, Add(x, ZERO))), 0, ("j",), unit))
    goals.append(kernel.inverse(kernel.hypothesis(ctx, "R nonzero", {})))
    same = kernel.refl(ctx, r)
    goals.append(kernel.congruence(ctx, IsZero(r), [same]))
    goals.append(kernel.congruence(ctx, Inv(r), [same]))
    goals.append(kernel.ring(ctx, Mul(Num(2), Pow(r, 2), Num(Fraction(1, 2))), Mul(r, r)))
    con = Con("ne", k)
    sides = [kernel.weaken(ctx.with_guards(c), same) for c in (con, *con.negations())]
    goals.append(kernel.cases(ctx, con, sides))
    at_last = ctx.with_guards(eq(k, last))
    goals.append(kernel.index(at_last, Sum(size("n", k), x), Sum(size("n", last), x)))
    goals.append(kernel.unfold(at_last, App("Qed", (k,)), 0))
    goals.append(kernel.unfold(ctx.with_guards(lt(k, last)), App("Qed", (k,)), 1))
    goals.append(kernel.sum_add(ctx, Sum(big, Add(x, odd, x))))
    goals.append(kernel.sum_scale(ctx, Sum(big, Mul(r, x))))
    goals.append(kernel.absurd(ctx.with_guards(lt(k, 0)), Eq(r, ZERO)))
    return Proof(kernel, tuple(goals), {})


def contradiction() -> Proof:
    a = App("a")
    hyps = {"one": Statement((), (), Eq(a, ONE)), "two": Statement((), (), Eq(a, Num(2)))}
    kernel = Kernel(Theory({}, (), {"a": Symbol("a", "parameter")}, (), hyps))
    ctx = Context()
    both = kernel.trans(kernel.sym(kernel.hypothesis(ctx, "one", {})), kernel.hypothesis(ctx, "two", {}))
    return Proof(kernel, (kernel.distinct(both, Eq(a, ZERO)),), {})


# -- the text -----------------------------------------------------------------
def test_every_rule_of_the_kernel_has_a_script() -> None:
    assert set(SCRIPTS) == set(RULES)


def test_the_same_certificate_gives_the_same_text() -> None:
    code = (
        "import sys, json; from pcproof.exporters.coq import export; "
        "sys.stdout.reconfigure(encoding='utf-8', newline='\\n'); sys.stdout.write(export(json.load(sys.stdin)))"
    )
    data = certificate("zil_bias")
    first = export(data)
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=json.dumps(data),
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
        )
        assert done.stdout == first


def test_the_exporter_names_no_theorem() -> None:
    source = "\n".join(p.read_text(encoding="utf-8") for p in sorted(FOLDER.glob("*.py")))
    for id in entries():
        assert not re.search(rf"\b{re.escape(id)}\b", source), id
    for word in ("mu", "eps", "theta", "gamma", "zil"):
        assert not re.search(rf"[\"']{word}[\"']", source), word


@pytest.mark.parametrize("id", [e.id for e in entries().values() if e.expected == "proved"])
def test_every_theorem_is_exported_and_takes_nothing_for_granted(id: str) -> None:
    text = export(certificate(id))
    assert runner.FORBIDDEN.search(runner._without_comments(text)) is None
    assert text.isascii()
    assert text.count("Lemma s") >= len(certificate(id)["items"])
    assert statement(certificate(id)) in text


def test_names_are_spelled_so_that_no_two_become_one() -> None:
    odd = ["a_b", "a__b", "a_x5f_b", "a'", "a_x27_", "é", "Qed", "sum", "", "_", "__", "a b"]
    spelled = [spelling.symbol(n) for n in odd]
    assert len(set(spelled)) == len(odd)
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", s) for s in spelled)


def test_an_unknown_rule_is_refused_by_name() -> None:
    data = certificate("zil_freeze")
    data["items"][3]["rule"] = "trust_me"
    with pytest.raises(CoqError, match="'trust_me' is not supported"):
        export(data)


def test_an_unknown_format_is_refused() -> None:
    data = certificate("zil_freeze")
    data["format"] = "something else"
    with pytest.raises(CoqError, match="something else"):
        export(data)


@pytest.mark.parametrize(
    "path, value",
    [
        (("theory", "assumptions", 0, 1, 0), "0 + 1)%Z. Axiom a : False. (* "),
        (("goals", 0, "item"), 10**6),
        (("items", 0, "context"), None),
        (("terms",), []),
        (("goals",), []),
    ],
)
def test_a_malformed_certificate_is_refused(path: tuple[Any, ...], value: Any) -> None:
    data = certificate("zil_freeze")
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(CoqError):
        export(data)


# -- what Print Assumptions says --------------------------------------------------
def test_assumptions_are_read() -> None:
    assert assumptions("Closed under the global context\n") == []
    listed = "Axioms:\nA.b\n  : forall P : nat -> Prop,\n    P\nc : 0 = 1\n"
    assert assumptions(listed) == ["A.b", "c"]
    assert assumptions("Axioms:\nTheory: Type hierarchy is collapsed\n") == ["Theory"]
    assert not {"A.b", "c", "Theory"} & ALLOWED
    assert assumptions("") is None
    assert assumptions("Section Variables:\nx : nat\n") is None


def test_without_coqc_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "coqc_path", lambda: None)
    assert run(["coq", "learning_fixed_point", "--out", str(tmp_path), "--run", "--json"]) == 1
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["coqc"] is None and document["theorems"][0]["accepted"] is None
    assert "apt-get install coq" in err
    assert run(["coq", "learning_fixed_point", "--out", str(tmp_path)]) == 0
    written = (tmp_path / "learning_fixed_point.v").read_text()
    assert "Theorem certified" in written


def test_bad_arguments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["coq"]) == 2
    assert run(["coq", "zil", "--all"]) == 2
    assert run(["coq", "no_such_theorem", "--out", str(tmp_path)]) == 2
    assert not list(tmp_path.iterdir())


def test_a_refuted_claim_is_not_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rule = tmp_path / "decay.py"
    rule.write_text(DECAY)
    assert run(["coq", str(rule), "--out", str(tmp_path / "out")]) == 1
    assert not (tmp_path / "out").exists()
    assert "no proof to export" in capsys.readouterr().err


# -- coqc --------------------------------------------------------------------------
@needs_coqc
@pytest.mark.parametrize("make", [zoo, contradiction])
def test_coqc_accepts_every_kind_of_step(make: Any) -> None:
    found = check(json.loads(make().text))
    assert found.accepted, found.problem
    assert set(found.assumptions) <= ALLOWED


@needs_coqc
@pytest.mark.parametrize("id", ["zil", "backprop_gradient"])
def test_coqc_accepts(id: str) -> None:
    found = check(certificate(id))
    assert found.accepted, found.problem
    assert set(found.assumptions) <= ALLOWED


@needs_coqc
def test_the_command_reports_what_coqc_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["coq", "learning_fixed_point", "--out", str(tmp_path), "--run", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["theorems"]
    assert row["accepted"] is True and set(row["assumptions"]) <= ALLOWED and row["problem"] == ""


def _goal_weaker(data: Any) -> None:
    """The goal loses a guard, the proof does not."""
    del data["goals"][0]["statement"]["where"][0]


def _goal_other(data: Any) -> None:
    """The goal claims that the left side equals itself."""
    holds = data["goals"][0]["statement"]["holds"]
    holds[2] = holds[1]


def _item_claim(data: Any) -> None:
    """The first ring step claims something else."""
    item = next(i for i in data["items"] if i["rule"] == "ring")
    item["claim"][2] = item["claim"][1]


def _all_claims(data: Any) -> None:
    """The last step and the goal claim, both, that the weight stays what it was at the start."""
    last = data["items"][data["goals"][0]["item"]]
    total = data["terms"][last["claim"][2]]
    assert total[0] == "add"
    for claim in (last["claim"], data["goals"][0]["statement"]["holds"]):
        claim[2] = total[1]


def _definition(data: Any) -> None:
    """A definition loses a factor: the error is the value without the prediction."""
    group = next(g for g in data["theory"]["definitions"] if len(g) > 1)
    case = next(d for d in group if d["name"] == "eps")["cases"][0]
    case["value"] = data["terms"][case["value"]][1]


def _measure(data: Any) -> None:
    """A measure that does not go down."""
    for group in data["theory"]["definitions"]:
        for d in group:
            d["measure"] = [[0] for _ in d["measure"]]


def _guard(data: Any) -> None:
    """A case overlaps another."""
    d = data["theory"]["definitions"][0][0]
    d["cases"][1]["where"] = d["cases"][0]["where"]


@needs_coqc
@pytest.mark.parametrize(
    "change", [_goal_weaker, _goal_other, _item_claim, _all_claims, _definition, _measure, _guard]
)  # fmt: skip
def test_coqc_rejects_a_changed_certificate(change: Any) -> None:
    data = certificate("zil")
    before = copy.deepcopy(data)
    change(data)
    assert data != before
    found = check(data)
    assert not found.accepted
    assert "coqc stopped" in found.problem


@needs_coqc
def test_a_file_that_assumes_is_not_accepted() -> None:
    data = certificate("learning_fixed_point")
    text = export(data)
    assert "says 'Axiom'" in check(data, text=text + "\nAxiom wrong : False.\n").problem
    hidden = text.replace("Theorem certified", "Theorem certified_not", 1)
    assert "coqc stopped" in check(data, text=hidden).problem


@needs_coqc
def test_a_file_that_proves_something_else_is_not_accepted() -> None:
    data = certificate("learning_fixed_point")
    text = export(data)
    other = text.replace(statement(data), "forall p : params, theory_ok p -> True", 1)
    start = other.rindex("Proof.")
    found = check(data, text=other[:start] + "Proof. intros; exact I. Qed.\n")
    assert not found.accepted and "does not prove what the certificate states" in found.problem
