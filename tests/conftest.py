"""What several test files share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
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


# -- in the gate a test that needs PyTorch must not be skipped --------------------------
def _no_torch_skip(report: Any) -> Any:
    if os.environ.get("PCPROOF_REQUIRE_TORCH") and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr)
        if "torch" in reason.lower():
            report.outcome = "failed"
            report.longrepr = f"skipped although PyTorch has to be here: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    return _no_torch_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    return _no_torch_skip((yield))
