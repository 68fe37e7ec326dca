"""docs/gallery.md says what ``pcproof prove FILE`` says of every file of docs/gallery."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from pcproof.cli import run

DOCS = Path(__file__).resolve().parents[1] / "docs"
ROW = re.compile(
    r"^\| \[(g_\w+)\]\(gallery/(g_\w+)\.py\) \| (.+) \| (proved|refuted|unknown) \| (.*) \|$", re.MULTILINE
)
ROWS = {m[1]: m.groups() for m in ROW.finditer((DOCS / "gallery.md").read_text(encoding="utf-8"))}
FILES = sorted(p.stem for p in (DOCS / "gallery").glob("g_*.py"))
STATUS = {"proved": 0, "refuted": 1, "unknown": 3}


def test_the_page_has_every_file() -> None:
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    assert sorted(ROWS) == FILES and len(FILES) >= 12
    assert page.count("| [g_") == len(ROWS), "a row is not understood"


@pytest.mark.parametrize("name", FILES)
def test_the_page_says_what_prove_says(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = DOCS / "gallery" / f"{name}.py"
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 15
    _, file, description, verdict, network = ROWS[name]
    assert file == name and description == ast.get_docstring(ast.parse(source))
    status = run(["prove", str(path), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], status) == (verdict, STATUS[verdict])
    shown = f"`{found['counterexample']['text']}`" if verdict == "refuted" else ""
    assert network == shown
