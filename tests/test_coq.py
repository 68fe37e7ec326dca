"""The Coq exporter: its text, and what coqc says about it (skipped with a reason where there is no coqc)."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from core import core, slow_outside
from test_coq_order import a_little_order, ordered

from pcproof.catalogue import entries
from pcproof.cli import run
from pcproof.exporters.coq import ALLOWED, CoqError, accept, coqc_version, export, queue, statement
from pcproof.exporters.coq import names as spelling
from pcproof.exporters.coq import run as runner
from pcproof.exporters.coq.prelude import PRELUDE
from pcproof.exporters.coq.run import accept_text, accept_texts, assumptions
from pcproof.exporters.coq.sentences import fault
from pcproof.exporters.coq.steps import SCRIPTS, Steps
from pcproof.exporters.coq.terms import Texts, tabled
from pcproof.exporters.coq.theory import TheoryText
from pcproof.language.index import Bound, Con, Idx, eq, ge, lt, qvar, size
from pcproof.language.signature import Case, Definition, Eq, Ne, Statement, Symbol, Theory
from pcproof.language.terms import ONE, ZERO, Add, App, Inv, IsZero, Iverson, Lam, Mul, Num, Pow, Sum
from pcproof.proof.acceptance import ACCEPTED, NOT_RUN, REJECTED, UNKNOWN
from pcproof.proof.certificate import Proof
from pcproof.proof.kernel import RULES, Context, Kernel, Theorem
from pcproof.tactics.prover import prove_claim

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "pcproof" / "exporters" / "coq"
SCRIPTING = ("steps", "step", "rules", "order", "tangents", "theory", "export", "stated")
SCRIPT_TEXTS = [FOLDER / f"{m}.py" for m in SCRIPTING]
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


def made(data: Any) -> Steps:
    """The steps of an exported file."""
    data = tabled(data)
    texts = Texts(data)
    steps = Steps(data, texts, TheoryText(texts))
    list(steps.text())
    return steps


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
        Symbol("fun", "operator", 1, ranges=((n,),)),
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

    goals.append(kernel.iverson_true(ctx, Iverson((ge(k, 0), lt(k, big)))))
    goals.append(kernel.iverson_false(ctx, Iverson((lt(k, 0),))))
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


def unguarded() -> Proof:
    """Definitions of one case that holds everywhere: of no index, of one, and in a recursion."""
    k = qvar("k")
    everywhere = Case((), App("a"))
    body = Add(App("two", (k,)), Sum(size("n", k), App("two", (k,))))
    groups = (
        (Definition("constant", (), (everywhere,)),),
        (Definition("alone", ("k",), (everywhere,)),),
        (
            Definition("one", ("k",), (Case((), body),), (Idx(1),)),
            Definition("two", ("k",), (everywhere,), (Idx(0),)),
        ),
    )
    symbols = {d.name: Symbol(d.name, "defined", len(d.params)) for g in groups for d in g}
    kernel = Kernel(Theory({"n": 1}, (), {"a": Symbol("a", "parameter"), **symbols}, groups))
    goals = [kernel.unfold(Context(("k",)), App(n, (k,) * s.arity), 0) for n, s in symbols.items()]
    return Proof(kernel, tuple(goals), {})


# -- the text -----------------------------------------------------------------
def test_every_rule_of_the_kernel_has_a_script_and_is_used() -> None:
    assert set(SCRIPTS) == set(RULES)
    made = [make().text for make in (zoo, contradiction, ordered)]
    made += [text_of(id) for id in ("energy_gradient", "zil_gradient", "gamma_law", "fixed_prediction")]
    unused = set(RULES) - {x["rule"] for t in made for x in json.loads(t)["items"]}
    assert not unused, unused


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


@pytest.mark.parametrize("id", slow_outside(e.id for e in entries().values() if e.expected == "proved"))
def test_every_theorem_is_exported_and_takes_nothing_for_granted(id: str) -> None:
    text = export(certificate(id))
    assert fault(text) == ""
    assert text.isascii()
    assert statement(certificate(id)) in text
    steps = made(certificate(id))
    assert len(re.findall(r"^Lemma s\d+ ", text, re.MULTILINE)) == len(steps.items) - len(steps.terms)
    assert all(proof in text for proof in steps.terms.values()), "every item is a lemma, or stands where it is used"


HOSTILE = (
    "", "_", "__", "_e_", "e", " ", "a b", "a_b", "a__b", "a_x5f_b", "a'", "a_x27_", "é", "e\u0301", "名", "\ud800",
    "Qed", "Qed. Axiom", "Qed.\nAxiom bad : False.\nLemma", "sum", "R", "Z", "Prop", "Set", "fun", "forall x, False",
    "end", "zsum", "nsum", "iver", "derivable_pt_lim", "certified", "params", "make_params", "theory_ok", "stated",
    "s0", "x0", "p", "A", "H", "C", "Q", "j0", "s_", "c0_", "a0", "f0", "0", "1", "u_x", "u__x", "x", "i_x", "v_x_zero",
    "x_zero", "(*", "*)", '"', "\\", "\x00", "\t", ":=", "Notation", "l" * 60, "_" * 60, "é" * 60,
)  # fmt: skip
KINDS: tuple[Any, ...] = (
    spelling.symbol, spelling.size, spelling.elsewhere, spelling.variable, spelling.direction, spelling.hypothesis,
    spelling.extensional, *(partial(spelling.call, k) for k in (0, 1, 12)),
    *(lambda n, k=k: spelling.case(n, k) for k in (0, 1, 12)),
)  # fmt: skip


def test_no_two_names_become_one_and_none_is_taken() -> None:
    spelled = [kind(n) for kind in KINDS for n in HOSTILE]
    assert len(set(spelled)) == len(spelled)
    taken = set(re.findall(r"\w+", PRELUDE)) | set(re.findall(r"\w+", " ".join(p.read_text() for p in SCRIPT_TEXTS)))
    for name in spelled:
        assert spelling.SPELLED.fullmatch(name) and not spelling.FIXED.fullmatch(name)
        assert re.fullmatch(r"[a-z][A-Za-z0-9_]*", name)
        assert name not in taken


def test_a_spelled_name_can_be_read_back() -> None:
    """So no two names are spelled alike: the pieces of a spelled name are found in one way only."""
    piece = re.compile(r"__|_e_|_x([0-9a-f]+)_|[A-Za-z0-9]")

    def back(text: str) -> str:
        out, at = "", 0
        while at < len(text):
            m = piece.match(text, at)
            assert m is not None
            out += chr(int(m.group(1), 16)) if m.group(1) else {"__": "_", "_e_": ""}.get(m.group(), m.group())
            at = m.end()
        return out

    for name in [*HOSTILE, *(a + b for a in HOSTILE for b in HOSTILE)]:
        assert back(spelling.spell(name)) == name


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
        (("items", 0, "context", "given"), 0),
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


def _leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(data, (dict, list)):
        for k, v in data.items() if isinstance(data, dict) else enumerate(data):
            yield from _leaves(v, (*path, k))
    else:
        yield path


POISON = "0). Qed. Notation true := false. (* "


def test_nothing_of_the_certificate_reaches_the_file_unspelled() -> None:
    """Each entry in turn is replaced by text that would end a sentence; it is refused, or spelled, or goes unread."""
    refused = spelled = 0
    for make in (zoo, contradiction, a_little_order):
        clean = make().text
        for path in _leaves(json.loads(clean)):
            data = json.loads(clean)
            place = data
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = POISON
            try:
                text = export(data)
            except CoqError:
                refused += 1
                continue
            assert "Notation true" not in text and fault(text) == "", path
            spelled += spelling.spell(POISON) in text
    assert refused > 100 and spelled > 50


@pytest.mark.parametrize(
    "put",
    [
        "Definition R := nat.",
        "Definition derivable_pt_lim (f : R -> R) (x l : R) : Prop := True.",
        "Module M. Definition zsum (n : Z) (f : Z -> R) : R := 0. End M. Import M.",
        'Notation "x + y" := (x - y) : R_scope.',
        'Infix "=" := (fun _ _ => True) : type_scope.',
        "Axiom bad : False.",
        "#[local] Axiom bad : False.",
        "Unset Guard Checking.",
        "Local Open Scope nat_scope.",
        "Coercion c (b : bool) : R := 0.",
        "Lemma u_a : True with R : nat.\nProof. exact I. exact 0%nat. Qed.",
        "Inductive call0 : Type := k0_a with R : Type := d.",
        "Record params : Type := make_params { u_a :> nat }.",
        "Record params : Type := make_params { R : Type }.",
        "Lemma s0 : True. Proof. { exact I. } Axiom bad : False. Qed.",
        "Lemma s0 : True. Proof. - Admitted.",
        "Lemma s0 : True. Admitted.",
        "Ltac zsum := idtac.",
        "Lemma s0 : True.\nProof.\n  transparent_abstract exact I using derivable_pt_lim.\nQed.",
        "Require Import Bad.",
        "(* (* *) *)",
    ],
)
def test_a_file_that_says_anything_else_is_not_given_to_coqc(put: str) -> None:
    text = export(certificate("learning_fixed_point"))
    start = text.index("Record params")
    for at in (start, text.index("Theorem certified"), len(text)):
        found = fault(text[:at] + put + "\n\n" + text[at:])
        assert found, put
    assert fault(put + "\n\n" + text)
    assert fault(
        text.replace("Definition iver (b : bool) : R := if b then 1 else 0.", "Definition iver (b : bool) := 0.")
    )


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


def test_without_coqc_nothing_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "coqc_path", lambda: None)
    found = accept(certificate("learning_fixed_point"))
    assert found.verdict == NOT_RUN and found.detail == runner.GET and found.version == ""


def test_what_the_exporter_cannot_say_is_unknown() -> None:
    data = certificate("learning_fixed_point")
    data["items"][3]["rule"] = "trust_me"
    found = accept(data)
    assert found.verdict == UNKNOWN and "'trust_me' is not supported" in found.detail


# -- coqc --------------------------------------------------------------------------
@needs_coqc
@pytest.mark.parametrize("which", ["core", pytest.param("all", marks=pytest.mark.slow)])
def test_coqc_accepts_the_theorems_of_the_catalogue(
    which: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    every = [e.id for e in entries().values() if e.expected == "proved"]
    wanted = every if which == "all" else [i for i in every if i in core()]
    started = time.perf_counter()
    words = ["--all"] if which == "all" else wanted
    assert run(["coq", *words, "--out", str(tmp_path), "--run", "--json"]) == 0
    seconds = time.perf_counter() - started
    rows = json.loads(capsys.readouterr().out)["theorems"]
    assert [r["id"] for r in rows] == wanted
    for row in rows:
        assert row["accepted"] is True and row["problem"] == "", row
        assert set(row["assumptions"]) <= ALLOWED
        said = row["acceptance"]
        assert (said["checker"], said["verdict"], said["version"]) == ("coqc", ACCEPTED, coqc_version())
        assert said["digest"] == row["digest"] == json.loads(text_of(row["id"]))["digest"]
        assert said["given"] == hashlib.sha256(Path(row["file"]).read_bytes()).hexdigest()
    print(f"{len(rows)} theorems in {seconds:.0f} s")


@needs_coqc
def test_a_written_file_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "alone.v"
    path.write_text(export(certificate("learning_fixed_point")), encoding="utf-8")
    subprocess.run(["coqc", path.name], cwd=tmp_path, check=True, timeout=300)


@needs_coqc
@pytest.mark.parametrize("make", [zoo, contradiction, unguarded])
def test_coqc_accepts_every_kind_of_step(make: Any) -> None:
    found = accept(json.loads(make().text))
    assert found.verdict == ACCEPTED, found.detail
    assert set(found.axioms) <= ALLOWED


@needs_coqc
def test_out_of_time_is_unknown() -> None:
    found = accept(certificate("zil_gradient"), timeout=1)
    assert found.verdict == UNKNOWN and "did not finish within 1 s" in found.detail


@needs_coqc
def test_a_coqc_that_is_killed_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "coqc"
    for body, words in (("kill -9 $$", "gave up"), ("echo 'Error: Stack overflow.' >&2; exit 1", "Stack overflow")):
        fake.write_text(f"#!/bin/sh\ncase $1 in --print-version) echo 8.16.1; exit 0;; esac\n{body}\n")
        fake.chmod(0o755)
        monkeypatch.setattr(runner, "coqc_path", lambda: str(fake))
        found = accept(certificate("learning_fixed_point"))
        assert found.verdict == UNKNOWN and words in found.detail


def _children(folder: Path) -> list[int]:
    """Processes that work below a folder."""
    out = []
    for p in Path("/proc").glob("[0-9]*"):
        try:
            if (p / "cwd").resolve().is_relative_to(folder):
                out.append(int(p.name))
        except OSError:
            continue
    return out


@needs_coqc
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    temporary = (tmp_path / "tmp").resolve()
    temporary.mkdir()
    words = [sys.executable, "-m", "pcproof", "coq", "zil_gradient", "zil", "zil_freeze", "--run", "--jobs", "2"]
    process = subprocess.Popen(
        [*words, "--out", str(tmp_path / "out")],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + 300
        while len(_children(temporary)) < 2 and time.monotonic() < until:
            assert process.poll() is None
            time.sleep(0.1)
        assert len(_children(temporary)) == 2
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130 and err.strip() == "pcproof: interrupted"
    assert _children(temporary) == [] and list(temporary.iterdir()) == []


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
    total = last["claim"][2]
    assert total[0] == "add"
    for claim in (last["claim"], data["goals"][0]["statement"]["holds"]):
        claim[2] = total[1]


def _definition(data: Any) -> None:
    """A definition loses a factor: the error is the value without the prediction."""
    group = next(g for g in data["theory"]["definitions"] if len(g) > 1)
    case = next(d for d in group if d["name"] == "eps")["cases"][0]
    case["value"] = case["value"][1]


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
def test_coqc_rejects_a_changed_certificate() -> None:
    changes = (_goal_weaker, _goal_other, _item_claim, _all_claims, _definition, _measure, _guard)
    with queue() as asked:
        answers = []
        for change in changes:
            data = certificate("zil")
            before = copy.deepcopy(data)
            change(data)
            assert data != before
            answers.append(asked.accept(data))
        for change, answer in zip(changes, answers):
            found = answer.result()
            assert found.verdict == REJECTED, change
            assert "coqc stopped at" in found.detail, change


def _more_of_sizes(text: str) -> str:
    text = text.replace("theory_ok (p : params) : Prop :=\n  ", "theory_ok (p : params) : Prop :=\n  False /\\ ", 1)
    return text.replace("destruct A0_ as (", "destruct A0_ as (no & ")


def _more_hypotheses(text: str) -> str:
    text = text.replace(
        "hypotheses_ok (p : params) : Prop :=\n  ", "hypotheses_ok (p : params) : Prop :=\n  0 = 1 /\\ ", 1
    )
    return text.replace("destruct H_ as (", "destruct H_ as (no & ")


def _no_parameters(text: str) -> str:
    return text.replace("make_params {\n", "make_params {\n  u_no : False;\n", 1)


@needs_coqc
@pytest.mark.parametrize("change", [_more_of_sizes, _more_hypotheses, _no_parameters])
def test_a_file_with_another_premise_is_not_accepted(change: Any) -> None:
    """The first file compiles: what it proves follows from more premises too."""
    data = certificate("learning_fixed_point")
    text = export(data)
    assert change(text) != text
    found = accept_text(data, change(text))
    assert found.verdict == REJECTED
    assert "does not prove what the certificate states" in found.detail, found.detail


@pytest.mark.parametrize(
    "more, why",
    [
        ("Definition t0 := I.", "calls nothing 't0'"),
        ("Definition everything := I.", "calls nothing 'everything'"),
        ("Lemma Exported : True.\nProof.\n  exact I.\nQed.", "calls nothing 'Exported'"),
        ("Module Exported.", "no sentence of the exporter"),
        ("Lemma s9999 : True.\nProof.\n  exact I.", "does not end"),
        ("Definition u_f := fun (Theorem : True) =>", "does not end"),
        ("End Exported.", "no sentence of the exporter"),
        ("(* ", "stands after the prelude"),
        ('Notation "0" := I.', "stands after the prelude"),
        ("Print Assumptions certified.", "no sentence of the exporter"),
    ],
)
def test_a_file_cannot_speak_for_what_is_put_to_coqc_after_it(more: str, why: str) -> None:
    """What the file has to hold is stated after it: none of those names are its own, and nothing is left open."""
    assert why in fault(f"{export(certificate('learning_fixed_point'))}\n{more}\n")


WRITTEN_IN = ("refl", "sym", "trans", "congruence", "sum_congruence", "ring")


def _edited_item(rule: str) -> tuple[Any, int]:
    """A certificate in which an item that was no lemma claims something else, or one of its premises does."""
    for id in ("learning_fixed_point", "zil", "backprop_gradient"):
        data = certificate(id)
        for number in made(data).terms:
            item = data["items"][number]
            if item["rule"] == rule:
                item["claim"][2] = ["num", "4"]
                return data, number
    raise AssertionError(f"no {rule} is written where it is used")


@pytest.mark.parametrize("rule", WRITTEN_IN)
def test_an_item_that_says_something_else_than_its_rule_is_a_lemma(rule: str) -> None:
    data, number = _edited_item(rule)
    user = next(k for k, i in enumerate(data["items"]) if number in i["premises"])
    terms = made(data).terms
    assert rule == "ring" or number not in terms
    assert user not in terms, "one whose premise says something else"


@needs_coqc
def test_coqc_rejects_an_item_that_would_not_have_been_a_lemma() -> None:
    with queue() as asked:
        answers = [(rule, asked.accept(_edited_item(rule)[0])) for rule in WRITTEN_IN]
        for rule, answer in answers:
            found = answer.result()
            assert found.verdict == REJECTED and "coqc stopped at" in found.detail, (rule, found.detail)


@needs_coqc
def test_one_coqc_reads_several(monkeypatch: pytest.MonkeyPatch) -> None:
    """All are accepted by one; where one of them is wrong each is read alone, and the others are accepted still."""
    read, sources = runner._read, []
    monkeypatch.setattr(runner, "_read", lambda source, *more: sources.append(source) or read(source, *more))
    right = [certificate(id) for id in ("learning_fixed_point", "zero_energy", "zil_freeze")]
    with queue(1) as asked:
        answers = [asked.share(data, export(data)) for data in right]
        asked.flush()
        for data, answer in zip(right, answers):
            found = answer.result()
            alone = accept(data)
            assert found.verdict == ACCEPTED and (found.axioms, found.given) == (alone.axioms, alone.given)
        assert len(sources) == 1 + len(right) and sources[0].count("Definition everything") == 1 + len(right)
        wrong = certificate("zil")
        _goal_other(wrong)
        answers = [asked.share(data, export(data)) for data in (right[0], wrong)]
        asked.flush()
        verdicts = [answer.result().verdict for answer in answers]
    assert verdicts == [ACCEPTED, REJECTED] and len(sources) == 1 + len(right) + 3


@needs_coqc
def test_no_file_speaks_for_another_that_the_same_coqc_reads() -> None:
    """The theorem of one is not that of the next: it has its own names, and has to hold what its certificate states."""
    right, other = certificate("learning_fixed_point"), certificate("zero_energy")
    one, two = accept_texts([(right, export(right)), (other, export(right))])
    assert one.verdict == ACCEPTED and two.verdict == REJECTED
    borrowed = re.sub(r"(?s)(Theorem certified.*Proof\.\n).*", r"\1  exact T0.certified.\nQed.\n", export(right))
    one, two = accept_texts([(right, export(right)), (right, borrowed)])
    assert one.verdict == ACCEPTED and two.verdict == REJECTED


@needs_coqc
def test_a_file_that_proves_something_else_is_not_accepted() -> None:
    data = certificate("learning_fixed_point")
    text = export(data)
    other = text.replace(statement(data), "forall p : params, theory_ok p -> True", 1)
    start = other.rindex("Proof.")
    found = accept_text(data, other[:start] + "Proof.\n  intros; exact I.\nQed.\n")
    assert found.verdict == REJECTED and "does not prove what the certificate states" in found.detail
