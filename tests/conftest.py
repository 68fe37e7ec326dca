"""What several test files share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
TREE = ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in", "CHANGELOG.md", "CONTRIBUTING.md", "constraints.txt")

settings.register_profile("pcproof", deadline=None, derandomize=True, database=None)
settings.load_profile("pcproof")


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout in which builds may leave what they like."""
    to = tmp_path_factory.mktemp("checkout")
    for name in TREE:
        shutil.copy2(ROOT / name, to / name)
    for folder in ("pcproof", "derivations", "generated", "tests"):
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, to / folder, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    return to


@pytest.fixture()
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """An environment for subprocesses without anything that points at this checkout."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST", "COV_"))}
    yield env
