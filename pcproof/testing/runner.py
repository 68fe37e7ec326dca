"""Running properties with hypothesis, and the summary of a run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from .cases import Case
from .interrupt import remembered
from .properties import Measure, Mismatch, Property, negative_properties, properties_of
from .reference import torch_is_there
from .subjects import Subject, subject_of

if TYPE_CHECKING:
    from ..catalogue import Entry

PASSED, FAILED, NOT_CHECKED = "passed", "failed", "not checked"
NO_TORCH = "not checked on this machine: PyTorch is not installed"
EXAMPLES, SEED = 200, 0


@dataclass
class Outcome:
    """One row: a property of one rule.

    text: what was measured, or the smallest failing case, or why it was not checked.
    """

    rule: str
    name: str
    says: str
    status: str
    examples: int = 0
    seconds: float = 0.0
    text: str = ""
    largest_ratio: float | None = None
    smallest_difference: float | None = None


@dataclass
class Summary:
    """A whole run."""

    seed: int
    outcomes: list[Outcome] = field(default_factory=list)
    distribution: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Nothing failed, and something passed; rows that were not checked are no success."""
        return any(o.status == PASSED for o in self.outcomes) and all(o.status != FAILED for o in self.outcomes)

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "seed": self.seed,
            "outcomes": [asdict(o) for o in self.outcomes],
            "distribution": self.distribution,
        }


def run(
    entries: Iterable[Entry],
    examples: int = EXAMPLES,
    seed: int = SEED,
    progress: Callable[[str], None] = lambda text: None,
) -> Summary:
    """Every property of every rule, then Z-IL with its conditions broken.

    examples: cases a property.  seed: equal seeds give equal cases.  progress:
    called with the name of what is being checked.
    """
    out, seen = Summary(seed), []
    biases = set()
    for entry in entries:
        progress(f"{entry.id}: proving and generating")
        subject = subject_of(entry)
        if subject.zil:
            biases.add(subject.bias)
        for p in properties_of(subject):
            progress(f"{entry.id}: {p.name}")
            outcome, cases = check(p, entry.id, examples, seed)
            out.outcomes.append(_with_notes(outcome, subject))
            seen += cases
    for bias in sorted(biases)[-1:]:
        for p in negative_properties(bias):
            progress(p.name)
            outcome, cases = check(p, "zil", examples, seed)
            out.outcomes.append(outcome)
            seen += cases
    out.distribution = distribution(seen)
    return out


def check(p: Property, rule: str, examples: int, seed: int) -> tuple[Outcome, list[Case]]:
    """One property on random cases; also the cases that it saw."""
    if p.needs_torch and not torch_is_there():
        what = "PyTorch kernels" if "PyTorch" in p.name else "torch.autograd"
        return Outcome(rule, p.name, p.says, NOT_CHECKED, text=f"{what}: {NO_TORCH}"), []
    started = time.perf_counter()
    seen: list[Case] = []
    measures: list[Measure] = []

    def one(case: Case) -> None:
        interrupted()
        seen.append(case)
        try:
            measures.append(p.check(case))
        except Mismatch:
            raise
        except Exception as e:  # a kernel that crashes is a failing case like any other
            raise Mismatch(f"{type(e).__name__}: {e}; {case}") from e

    with remembered() as interrupted:
        failure = _search(one, p, examples, seed)
    out = Outcome(rule, p.name, p.says, FAILED if failure else PASSED, len(seen), time.perf_counter() - started)
    if failure:
        out.text = failure
    elif p.negative:
        out.smallest_difference = min(m.difference for m in measures if m.difference is not None)
        out.text = f"smallest relative difference seen: {out.smallest_difference:.3g}"
    elif any(m.ratio for m in measures):
        out.largest_ratio = max(m.ratio for m in measures)
        layers, vacuous = sum(m.layers for m in measures), sum(m.vacuous for m in measures)
        out.text = (
            f"largest difference {out.largest_ratio:.2f} of its bound; "
            f"bound above the gradient itself in {100 * vacuous / max(1, layers):.0f} % of the layers of plain cases"
        )
    else:
        out.text = "equal with =="
    return out, seen


def _search(one: Callable[[Case], None], p: Property, examples: int, seed: int) -> str:
    """Runs hypothesis; the text of the smallest failing case, or ""."""
    import tempfile

    import hypothesis
    from hypothesis import HealthCheck, Verbosity, settings
    from hypothesis.configuration import set_hypothesis_home_dir

    quiet = settings(
        max_examples=examples, database=None, deadline=None, verbosity=Verbosity.quiet, print_blob=False,
        report_multiple_bugs=False, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="pcproof-") as home:
        set_hypothesis_home_dir(home)  # otherwise a folder appears where the user happens to be
        try:
            quiet(hypothesis.seed(seed + crc32(p.name.encode()))(hypothesis.given(p.strategy)(one)))()
        except Mismatch as e:
            return str(e)
        finally:
            set_hypothesis_home_dir(None)
    return ""


def _with_notes(outcome: Outcome, subject: Subject) -> Outcome:
    """What a row leaves out, said in the row."""
    notes = [f"no {form} form ({reason})" for form, reason in subject.missing.items()]
    if "float" in outcome.name and not subject.zil and "literal" not in subject.missing:
        notes.append("literal form not compared in floats: no rounding bound for these dynamics")
    if notes and outcome.status != NOT_CHECKED:
        outcome.text = "; ".join([outcome.text, *notes])
    return outcome


_DEPTHS = ((1, 1), (2, 4), (5, 8), (9, 12), (13, 16), (17, 20), (21, 24))


def distribution(cases: Iterable[Case]) -> dict[str, dict[str, int]]:
    """How many cases had which depth, width, batch, activation, and what was constructed in them."""
    found = list(cases)
    depths = {(f"{a}-{b}" if a < b else str(a)): sum(a <= case.depth <= b for case in found) for a, b in _DEPTHS}
    widths = Counter(w for case in found for w in case.widths)
    batches = Counter(case.batch for case in found)
    return {
        "depth": depths,
        "width of a layer": {str(k): widths[k] for k in sorted(widths)},
        "batch": {str(k): batches[k] for k in sorted(batches)},
        "activation": dict(Counter(case.activation for case in found).most_common()),
        "biases": dict(Counter("with" if case.bias else "without" for case in found).most_common()),
        "constructed": dict(Counter(case.special for case in found).most_common()),
    }


def write_junit(summary: Summary, path: str | Path) -> Path:
    """The run as JUnit XML."""
    from ..files import write_text
    from .junit import junit_xml

    return write_text(path, junit_xml(summary))
