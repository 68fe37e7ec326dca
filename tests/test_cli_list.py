"""`pcproof list` fits the terminal, and is a line for each result elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pcproof.catalogue import entries
from pcproof.cli import run

ROOT = Path(__file__).resolve().parents[1]


def on_a_terminal(columns: int) -> list[str]:
    """Lines as a terminal of that width gets them, without colours."""
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
    ours, theirs = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": str(columns), "LINES": "40", "TERM": "xterm"}
    process = subprocess.Popen([sys.executable, "-m", "pcproof", "list"], stdout=theirs, env=env, cwd=ROOT)
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so at the end
            break
        if not part:
            break
        parts.append(part)
    os.close(ours)
    assert process.wait(timeout=60) == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", b"".join(parts).decode())
    return [line.rstrip("\r ") for line in text.split("\n")]


@pytest.mark.parametrize("columns", [80, 120])
def test_it_fits_a_terminal(columns: int) -> None:
    lines = on_a_terminal(columns)
    assert max(map(len, lines)) <= columns
    for e in entries().values():
        (at,) = (k for k, line in enumerate(lines) if re.match(rf"{re.escape(e.id)}\s+{e.expected}(\s|$)", line))
        shown = " ".join(" ".join(lines[at : at + 8]).split())
        assert " ".join(e.title.split())[:20] in shown, e.id


def test_a_line_each_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:-2]] == list(entries())
    assert all(e.title in line and e.source in line for e, line in zip(entries().values(), lines))
