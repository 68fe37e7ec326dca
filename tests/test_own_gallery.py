"""The gallery's table says what the program finds; no file of it is longer than fifteen lines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pcproof as pp
from pcproof.catalogue import load
from pcproof.characterise import Characterisation, condition_text
from pcproof.repair import remarks

GALLERY = Path(__file__).resolve().parents[1] / "docs" / "gallery"
FILES = sorted(f for f in GALLERY.glob("*.py") if not f.name.startswith("g_"))  # docs/gallery.md has the others


def table() -> dict[str, list[str]]:
    rows = (line.strip("|").split("|") for line in (GALLERY / "README.md").read_text().splitlines())
    return {
        found[1]: [cell.strip() for cell in row[1:]]
        for row in rows
        if (found := re.match(r" \[(\w+)\]\(\1\.py\)", row[0]))
    }


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


def test_the_gallery_is_complete_and_short() -> None:
    assert set(table()) == {f.stem for f in FILES} and len(FILES) >= 12
    assert max(len(f.read_text().splitlines()) for f in FILES) <= 15


@pytest.mark.parametrize("path", FILES, ids=lambda f: f.stem)
def test_the_table_is_true(path: Path) -> None:
    _, verdict, needed, factors, repair = table()[path.stem]
    entry = load(str(path))
    result = pp.prove(entry.claim())
    assert result.verdict == verdict
    found = pp.characterise(entry.rule())  # type: ignore[misc]
    assert (condition(found), factor(found)) == (needed, factors)
    if verdict == "refuted":
        assert [f"`{r.change}`" for r in remarks(entry.claim(), most=1).repairs] == ([repair] if repair else [])
