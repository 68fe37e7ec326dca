"""The code of the README runs as printed, and its set-up commands are the ones that the gate uses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pcproof.cli import run
from pcproof.cli.commands import pcproof

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_quick_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    r = np.random.default_rng(0)
    names: dict[str, Any] = {
        "W1": r.normal(size=(4, 3)), "W2": r.normal(size=(4, 4)), "W3": r.normal(size=(2, 4)),
        "x": r.normal(size=(5, 3)), "target": r.normal(size=(5, 2)),
    }  # fmt: skip
    exec(compile(PYTHON[0], "README.md", "exec"), names)
    assert names["thm"].verdict == "proved" and names["bad"].verdict == "refuted"
    assert capsys.readouterr().out.startswith("Refuted")
    assert [w.shape for w in names["dW"]] == [(4, 3), (4, 4), (2, 4)]
    assert (tmp_path / "zil.json").is_file() and (tmp_path / "appendix.tex").is_file()


def test_own_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert PYTHON[1].startswith("# decay.py")
    path = tmp_path / "decay.py"
    path.write_text(PYTHON[1])
    assert run(["derive", str(path)]) == 0
    assert run(["prove", str(path)]) == 1


def test_commands_exist() -> None:
    used = set(re.findall(r"^    pcproof (\w+)", README, re.MULTILINE))
    assert used and used <= set(pcproof.commands)


def test_set_up_commands() -> None:
    assert 'python3 -m venv .venv && .venv/bin/pip install ".[report]" && .venv/bin/pcproof report' in README
    line = 'python3 -m venv .venv && .venv/bin/pip install -c constraints.txt ".[test]" && .venv/bin/pytest'
    assert line in README
    assert 'install -q -c constraints.txt ".[test]"' in (ROOT / ".ci" / "run").read_text()


def test_constraints_pin_exact_versions() -> None:
    rows = [r for r in (ROOT / "constraints.txt").read_text().splitlines() if r and not r.startswith("#")]
    assert rows and all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*", r) for r in rows)
    assert "torch==2.13.0" in rows
