"""What several test files share."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
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


# -- the long test of rules by chance runs in shards; here is their sum --------------------
def pytest_terminal_summary(terminalreporter: Any) -> None:
    counts: dict[str, Counter[str]] = {"verdicts": Counter(), "unknown": Counter(), "refused": Counter()}
    rules: list[str] = []
    seconds = longest = 0.0
    for report in (r for outcome in ("passed", "failed") for r in terminalreporter.stats.get(outcome, [])):
        for one in (json.loads(value) for name, value in report.user_properties if name == "chance"):
            for what, count in counts.items():
                count.update(one[what])
            rules += one["rules"]
            seconds, longest = seconds + one["seconds"], max(longest, one["longest"])
    n = sum(counts["verdicts"].values())
    if not n:
        return
    write = terminalreporter.write_line
    terminalreporter.section("rules by chance")
    write(f"{n} rules: " + ", ".join(f"{v} {k}" for k, v in sorted(counts["verdicts"].items())))
    write(f"unknown: {100 * counts['verdicts']['unknown'] / n:.2f} %; {seconds:.0f} s, the longest {longest:.1f} s")
    for what in ("unknown", "refused"):
        for reason, v in counts[what].most_common():
            write(f"  {what}, {reason}: {v} ({100 * v / n:.2f} %)")
    for source in rules:
        write(f"-- unknown\n{source}")
