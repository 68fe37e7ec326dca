"""What several test files share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
TREE = ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in", "CHANGELOG.md", "CONTRIBUTING.md", "constraints.txt")

settings.register_profile("pcproof", deadline=None, derandomize=True, database=None)
settings.load_profile("pcproof")


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


@pytest.fixture(scope="session", autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What checkers said on this machine before must not decide a test, nor be changed by one."""
    folder = tmp_path_factory.mktemp("state")
    before = os.environ.get("PCPROOF_STATE")
    os.environ["PCPROOF_STATE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["PCPROOF_STATE"]
    else:
        os.environ["PCPROOF_STATE"] = before


# -- in the gate a test that needs one of these must not be skipped ----------------------
# what a reason for skipping says, by the word that PCPROOF_REQUIRE (a list with commas) has for it
REASONS = {"torch": ("torch",), "jax": ("jax",), "coq": ("coqc",), "smt": ("z3", "cvc5")}


def _no_skip(report: Any) -> Any:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr)
        for name in filter(None, os.environ.get("PCPROOF_REQUIRE", "").split(",")):
            if any(word in reason.lower() for word in REASONS[name]):
                report.outcome = "failed"
                report.longrepr = f"skipped although {name} has to be here: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    return _no_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    return _no_skip((yield))
