"""The command line: what it prints, its exit statuses, its errors."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pcproof.catalogue import entries
from pcproof.cli import run
from pcproof.cli.terminal import _plain

ROOT = Path(__file__).resolve().parents[1]
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
OWN_ZIL = DECAY.replace("lam * Sum(sq(x[l]) / 2, (l, 1, L - 1))", "0").replace("-gamma *", "-").replace(" + 0", "")


@pytest.fixture
def decay(tmp_path: Path) -> str:
    return write(tmp_path / "decay.py", DECAY)


@pytest.fixture
def own(tmp_path: Path) -> str:
    return write(tmp_path / "own.py", OWN_ZIL)


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def shell(
    *arguments: str, cwd: Path = ROOT, python: tuple[str, ...] = (), **env: str
) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    return subprocess.run(
        [sys.executable, *python, "-m", "pcproof", *arguments], capture_output=True, cwd=cwd, env=variables, check=False
    )


def one_line(text: str) -> str:
    """The error: one line, no traceback."""
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    assert "Traceback" not in text
    return lines[0]


# -- the commands -------------------------------------------------------------------
def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list"]) == 0
    out = capsys.readouterr().out
    assert all(i in out for i in entries())
    assert run(["list", "--json"]) == 0
    assert [e["id"] for e in json.loads(capsys.readouterr().out)] == list(entries())


@pytest.mark.parametrize("name", entries())
def test_show(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", name]) == 0
    out = capsys.readouterr().out
    assert "Statement" in out and "Symbols" in out
    assert run(["show", name, "--latex"]) == 0
    out = capsys.readouterr().out
    assert out.count(r"\begin{align*}") == out.count(r"\end{align*}") > 0
    assert run(["show", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == name


def test_prove(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prove", "zil"]) == 0
    out = capsys.readouterr().out
    assert "Q.E.D." in out and "Rests on" in out and "Proved:" in out
    assert "unfold x" in out and "  1  " in out


def test_prove_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["prove", "zil", "--json", "--certificate", str(tmp_path / "zil.json")]) == 0
    seen = capsys.readouterr()
    found = json.loads(seen.out)
    assert found["id"] == "zil" and found["verdict"] == "proved"
    assert found["scope"]["depth"] == found["scope"]["width"] == "arbitrary"
    assert {"hypotheses", "authority", "counterexample", "seconds"} <= set(found)
    assert found["counterexample"] is None and "kernel" in found["authority"]
    assert json.loads((tmp_path / "zil.json").read_text())["digest"] == found["digest"]


def test_refuted(decay: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prove", decay]) == 1
    assert "Refuted:" in capsys.readouterr().out
    assert run(["refute", decay]) == 0
    assert "1-1-1" in capsys.readouterr().out
    assert run(["prove", decay, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "refuted" and found["counterexample"] is not None
    assert run(["refute", "zil", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["verdict"] == "proved"


@pytest.mark.parametrize("suffix", ["", ":claim", ":rule"])
def test_own_rule(own: str, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prove", own + suffix]) == 0
    assert "Proved:" in capsys.readouterr().out


def test_latex(capsys: pytest.CaptureFixture[str], decay: str) -> None:
    for arguments, status in ((["prove", "zil"], 0), (["derive", "zil"], 0), (["prove", decay], 1)):
        assert run([*arguments, "--latex"]) == status
        out = capsys.readouterr().out
        assert out.count(r"\begin{align*}") == out.count(r"\end{align*}") > 0


def test_derive(decay: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["derive", decay]) == 0
    assert "lam" in capsys.readouterr().out
    assert run(["derive", "zil", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sections"]


def test_derive_needs_no_claim(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["derive", write(tmp_path / "bare.py", DECAY.replace("claim = rule.equals_backprop()", ""))]) == 0


# -- generate -----------------------------------------------------------------------------
def test_generate(own: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "kernels"
    assert run(["generate", own, "--backend", "numpy", "--out", str(out)]) == 0
    names = sorted(p.name for p in out.iterdir())
    assert names == [f"rule_equals_backprop_{f}_numpy.py" for f in ("backprop", "literal", "wavefront")]
    assert run(["generate", own, "-b", "numpy", "--out", str(out), "--check"]) == 0
    (out / names[0]).write_text("changed")
    capsys.readouterr()
    assert run(["generate", own, "-b", "numpy", "--out", str(out), "--check"]) == 1
    assert names[0] in capsys.readouterr().out
    assert (out / names[0]).read_text() == "changed"


def test_generate_refuses_what_is_not_proved(decay: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "kernels"
    assert run(["generate", decay, "--out", str(out)]) == 1
    assert not out.exists()
    assert "refuted" in one_line(capsys.readouterr().err)
    assert run(["generate", decay, "-f", "literal", "-b", "numpy", "--unproved", "--out", str(out)]) == 0
    (path,) = out.iterdir()
    assert "unproved" in path.name and "def update_unproved(" in path.read_text()


def test_generated_is_up_to_date() -> None:
    done = shell("generate", "--check")
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode() + "run `pcproof generate`"


def test_generate_finds_stale_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["generate", "--out", str(tmp_path)]) == 0
    (tmp_path / "old_rule.py").write_text("")
    capsys.readouterr()
    assert run(["generate", "--out", str(tmp_path), "--check"]) == 1
    assert "old_rule.py" in capsys.readouterr().out


# -- test, doctor --------------------------------------------------------------------------
def test_test(own: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    junit = tmp_path / "out.xml"
    assert run(["test", own, "--examples", "5", "--seed", "3", "--junit", str(junit), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] and found["seed"] == 3 and found["distribution"]["depth"]
    assert junit.read_text().startswith("<?xml")
    assert not (Path.cwd() / ".hypothesis").exists() or os.environ.get("PYTEST_CURRENT_TEST")


def test_test_of_a_wrong_rule_fails(decay: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", decay, "--examples", "20"]) == 1
    assert "failed" in capsys.readouterr().out


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    assert "python" in capsys.readouterr().out
    assert run(["doctor", "--json"]) == 0
    found = {p["name"]: p for p in json.loads(capsys.readouterr().out)}
    assert {"python", "pcproof", "numpy", "sympy", "torch", "scikit-learn", "coqc", "z3-solver", "cvc5"} <= set(found)
    assert found["numpy"]["version"]


def test_help_names_every_option() -> None:
    from pcproof.cli.commands import pcproof

    for name, command in pcproof.commands.items():
        assert command.help and command.get_short_help_str(), name
        for option in command.params:
            if option.param_type_name == "option":
                assert getattr(option, "help", None), f"{name} {option.name} has no help"


# -- errors: one sentence, exit status 2 ----------------------------------------------------
BROKEN_FILES = {
    "depth": ("from pcproof import MLP\nnet = MLP(depth=0)\n", "bad.py, line 2"),
    "width": ("from pcproof import MLP\nnet = MLP(widths=[0])\n", "bad.py, line 2"),
    "equation": (DECAY.replace("when=Eq(t, l)", "when=(t == l)"), "write Eq(t, l)"),
    "claim": ("a = 1\n", "has no claim"),
    "syntax": ("def f(:\n", "bad.py, line 1: SyntaxError"),
    "exit": ("raise SystemExit(3)\n", "called exit"),
    "float": (DECAY.replace("-gamma *", "-0.5 *"), "not exact"),
    "two": (DECAY + "claim2 = claim\nclaim3 = claim\ndel claim\n", "several claims"),
}


@pytest.mark.parametrize("command", ["prove", "show", "derive", "refute", "generate", "test"])
@pytest.mark.parametrize("kind", BROKEN_FILES)
def test_broken_file(kind: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, expected = BROKEN_FILES[kind]
    assert run([command, write(tmp_path / "bad.py", text)]) == 2
    seen = capsys.readouterr()
    assert expected in one_line(seen.err)
    assert seen.out == ""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["prove", "zill"], "did you mean zil"),
        (["show", "nothing_like_it"], "`pcproof list`"),
        (["prove", "missing.py"], "there is no file 'missing.py'"),
        (["derive", "missing.py:claim"], "there is no file 'missing.py'"),
        (["prove"], "Missing argument"),
        (["prove", "zil", "--jsno"], "--jsno"),
        (["provee", "zil"], "provee"),
        (["test", "zil", "--examples", "0"], "--examples"),
        (["test", "zil", "--examples", "many"], "--examples"),
        (["generate", "zil", "--backend", "fortran"], "fortran"),
        (["generate", "zil_chain"], "zil_chain"),
        (["test", "backprop_gradient"], "backprop_gradient"),
    ],
)
def test_bad_input(arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    extra = ["--out", str(tmp_path / "out")] if arguments[0] == "generate" else []
    assert run([*arguments, *extra]) == 2
    assert expected in one_line(capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert run(["generate", "zil", "--out", str(tmp_path / "out")]) == 2
        assert "out" in one_line(capsys.readouterr().err)
        assert shell("prove", "zil", cwd=tmp_path).returncode == 0
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_output_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert run(["generate", "zil", "--out", str(file / "out")]) == 2
    assert "file" in one_line(capsys.readouterr().err)
    assert run(["prove", "zil", "--certificate", str(file / "c.json")]) == 2
    capsys.readouterr()
    started = time.perf_counter()
    assert run(["report", "--out", str(file / "out")]) == 2
    assert "cannot be written to" in one_line(capsys.readouterr().err)
    assert time.perf_counter() - started < 2, "this must not come after minutes of work"


def test_a_rule_file_cannot_spoil_the_json(own: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(own).write_text("print('hello')\n" + OWN_ZIL)
    assert run(["prove", own, "--json"]) == 0
    seen = capsys.readouterr()
    assert json.loads(seen.out)["verdict"] == "proved"
    assert "hello" in seen.err


# -- the world around ---------------------------------------------------------------------
@pytest.mark.parametrize(
    "env", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
@pytest.mark.parametrize("command", ["list", "prove", "derive"])
def test_ascii_terminal(env: dict[str, str], command: str) -> None:
    done = shell(command, *([] if command == "list" else ["zil"]), **env)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.isascii()


def test_degraded_characters() -> None:
    given = "\u03b5\u0394\u00e9\u2500\u2502\u253c\u2264\U0001f600"
    assert [_plain(c) for c in given] == ["eps", "Delta", "e", "-", "|", "+", "<=", "?"]


def test_without_assertions() -> None:
    done = shell("prove", "zil", "--json", python=("-O",))
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["verdict"] == "proved"


def test_closed_pipe() -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "pcproof", "prove", "zil"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=env,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() in (0, 141)
    assert "Traceback" not in errors and "BrokenPipe" not in errors


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_interrupted(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "pcproof", "test", "zil", "--examples", "100000", "--junit", "out.xml"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=env,
    )  # fmt: skip
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert one_line(errors.decode()) == "pcproof: interrupted"
    assert list(tmp_path.iterdir()) == []


def test_start_is_fast() -> None:
    """`prove zil` cold, everything included."""
    started = time.perf_counter()
    assert shell("prove", "zil").returncode == 0
    assert time.perf_counter() - started < 5
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from pcproof.cli import run; run(['prove', 'zil']);"
         "print([m for m in ('torch', 'hypothesis', 'sklearn') if m in sys.modules], file=sys.stderr)"],
        capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    assert done.stderr.strip() == "[]"
