"""docs/gallery.md says what the program finds of every file of docs/gallery; none is longer than fifteen lines."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

import pcproof as pp
from pcproof.catalogue import load
from pcproof.characterise import Characterisation, condition_text
from pcproof.cli import run
from pcproof.repair import remarks

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "gallery.md").read_text(encoding="utf-8")
FILES = sorted((DOCS / "gallery").glob("*.py"))
STATUS = {"proved": 0, "refuted": 1, "unknown": 3}


def table() -> dict[str, list[str]]:
    rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines())
    return {m[1]: row[1:] for row in rows if (m := re.fullmatch(r"\[(\w+)\]\(gallery/\1\.py\)", row[0]))}


def condition(found: Characterisation) -> str:
    if found.verdict != "proved":
        return found.verdict
    if found.never is not None:
        return f"never, from depth {found.never} on"
    return ", ".join(f"`{n.text}`" for n in found.needed) or "always"


def factor(found: Characterisation) -> str:
    if found.parallel is None:
        return ""
    where = ", ".join(f"`{condition_text(s)}`" for s in found.parallel.conditions)
    return f"`{found.parallel.factor}`" + (f" where {where}" if where else "")


def test_the_page_has_every_file() -> None:
    assert sorted(table()) == [f.stem for f in FILES] and len(FILES) >= 12
    assert PAGE.count("](gallery/") == len(FILES), "a row is not understood"


@pytest.mark.parametrize("path", FILES, ids=lambda f: f.stem)
def test_the_page_says_what_the_program_finds(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 15
    description, verdict, needed, factors, repair, network = table()[path.stem]
    assert description == ast.get_docstring(ast.parse(source))
    status = run(["prove", str(path), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], status) == (verdict, STATUS[verdict])
    assert network == (f"`{found['counterexample']['text']}`" if verdict == "refuted" else "")
    entry = load(str(path))
    made = pp.characterise(entry.rule())  # type: ignore[misc]
    assert (condition(made), factor(made)) == (needed, factors)
    if verdict == "refuted":
        assert [f"`{r.change}`" for r in remarks(entry.claim(), most=1).repairs] == ([repair] if repair else [])
