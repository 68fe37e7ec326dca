"""The calculation, the LaTeX and the HTML page."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import pytest
from core import core, slow_outside

import pcproof as pp
from pcproof import catalogue
from pcproof.language.signature import Eq
from pcproof.report import conditions, kernel_view, locality, statement, svg, trust, wave
from pcproof.report.build import ReportResult, build_report
from pcproof.report.calculation import as_log, calculation, case_paths, definition_uses
from pcproof.report.precision import _root
from pcproof.report.steps import flatten
from pcproof.report.tex import document, escape, theorem_latex
from pcproof.result import Proved

PROVABLE = [e.id for e in catalogue.entries().values() if e.expected == "proved"]


@pytest.fixture(scope="module")
def zil() -> Proved:
    return proved("zil")


def proved(id: str) -> Proved:
    result = pp.prove(catalogue.entries()[id].claim())
    assert isinstance(result, Proved)
    return result


# -- calculation --------------------------------------------------------------------------
@pytest.mark.parametrize("id", slow_outside(PROVABLE, core() | {"hidden_energy_only"}))
def test_the_calculation_accounts_for_every_kernel_step(id: str) -> None:
    result = proved(id)
    assert result.proof is not None
    lines = calculation(result.proof)
    assert sum(line.items for line in lines if line.kind == "heading") == len(result.proof.items())
    assert all(line.rule for line in lines if line.kind == "step")


@pytest.mark.parametrize("id", ["zil_bias", "zil_chain", "gamma_law"])
def test_the_steps_of_an_equation_form_a_chain(id: str) -> None:
    """Each leaf rewrites the whole term that the one before left, from lhs to rhs."""
    proof = proved(id).proof
    assert proof is not None
    items = {i.id: i for i in proof.kernel.items}
    chains = 0
    for item in proof.items():
        if isinstance(item.claim, Eq) and item.rule in ("trans", "congruence", "sum_congruence"):
            steps = flatten(items, item.id)
            if not steps:
                assert item.claim.lhs is item.claim.rhs
                continue
            chains += 1
            assert steps[0].before is item.claim.lhs and steps[-1].after is item.claim.rhs
            for a, b in zip(steps, steps[1:]):
                assert a.after is b.before
    assert chains > 10


def test_the_log_reads_like_a_calculation(zil: Proved) -> None:
    assert zil.proof is not None
    log = as_log(calculation(zil.proof))
    rows = log.splitlines()
    assert "  Proof by joint induction on t (then the order of computation inside one moment):" in rows
    assert re.search(r"= s_out\[b,i\] - y\[0,b,i\] +lemma freeze mu at l := 0, t := 0 Q\.E\.D\.", log)
    assert re.search(r"= delta\[l,b,i\] +fold delta \(case 1 <= l < L\) Q\.E\.D\.", log)
    ends = {len(r) for r in rows if r.endswith("Q.E.D.") and len(r) <= 118}
    assert ends == {118}  # aligned
    assert "Completeness: t == 0 or t >= 1 or t <= -1" in log


def test_cases_are_complete_and_impossible_ones_say_so(zil: Proved) -> None:
    assert zil.proof is not None
    lines = calculation(zil.proof)
    assert "Case l == L" in case_paths(lines)
    impossible = [line for line in lines if line.kind == "case" and line.rule]
    assert impossible and all("contradict" in line.rule for line in impossible)
    assert sum(line.kind == "complete" for line in lines) == sum(i.rule == "cases" for i in zil.proof.items())


def test_derivatives_are_shown_too() -> None:
    proof = proved("backprop_gradient").proof
    assert proof is not None
    log = as_log(calculation(proof), kernel_steps=True)
    assert "D[weights](y[l,b,i])" in log and "differentiate the definition" in log and ": tangent_function]" in log


def test_auxiliary_theorems_get_a_name() -> None:
    proof = proved("restored_rates").proof
    assert proof is not None
    assert "Lemma: auxiliary 1" in as_log(calculation(proof))


# -- LaTeX ------------------------------------------------------------------------------
def test_words_are_escaped_for_latex() -> None:
    assert escape("unfold theta (case 1 <= l < L)") == r"unfold $\theta$ (case 1 $\le$ l $<$ L)"
    assert escape("freeze eps, 50% of s_in") == r"freeze $\varepsilon$, 50\% of s\_in"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_theorems_compile(tmp_path: Path) -> None:
    body = "\n".join(
        theorem_latex(proved(id)) for id in ("zil_bias", "zil_chain", "backprop_gradient", "restored_rates")
    )
    (tmp_path / "it.tex").write_text(document(body, "All"))
    run = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "it.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-2000:]


def test_latex_is_written_to_a_file(zil: Proved, tmp_path: Path) -> None:
    text = zil.latex(tmp_path / "appendix.tex")
    assert (tmp_path / "appendix.tex").read_text() == text
    assert zil.digest in text and r"\begin{align*}" in text


# -- parts of the page ----------------------------------------------------------------------
def test_the_wave_is_zero_ahead_and_backprop_at_the_front(zil: Proved) -> None:
    w = wave.simulate(zil.claim.equations)
    assert w.ok
    for layer, row in enumerate(w.norms):
        assert all(v == 0 for v in row[:layer]) and row[layer] > 0
    assert wave.picture(w).count('class="cell front"') == w.depth


def test_a_rule_without_the_wave_is_noticed() -> None:
    net = pp.MLP()
    x, mu, y, theta, l, t, L, alpha = net.symbols("x mu y theta l t L alpha")
    F = pp.Sum(pp.sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
    late = pp.Rule(
        net, energy=F, start={x[l]: y[l] / 2}, step={x[l]: -F.diff(x[l])},
        learn={theta[l + 1]: -alpha * F.diff(theta[l + 1])}, when=pp.Eq(t, l),
    )  # fmt: skip
    assert not wave.simulate(late.equations).ok


def test_locality_is_computed_from_the_update(zil: Proved) -> None:
    rule, backprop = locality.reads_of(zil.claim.equations)
    assert set(rule.local) == {("x", (3, 0, 1)), ("eps", (2, 0, 1))} and not rule.remote
    assert ("w", (2, 0, 1)) in backprop.remote and ("s_out", (0, 2)) in backprop.remote
    assert "far" in locality.picture(backprop) and 'class="edge far"' not in locality.picture(rule)


def test_each_condition_is_used_somewhere(zil: Proved) -> None:
    assert zil.proof is not None
    found = {c.name: c for c in conditions.conditions(zil.claim.equations, zil.proof, [])}
    assert set(found) == {"C1", "C2", "C3", "Order"}
    assert "freeze x" in found["C1"].used and "goal" in found["C2"].used and "front" in found["C3"].used
    assert not any(c.ok for c in found.values())  # no mutants were given: nothing is shown to break
    assert len(definition_uses(zil.proof)) == sum(i.rule == "unfold" for i in zil.proof.items())


def test_kernel_lines_name_their_definition(zil: Proved) -> None:
    kernel = zil.kernel("numpy", "wavefront")
    lines = kernel_view.equation_lines(kernel)
    source = kernel.source.splitlines()
    assert all(source[line.number - 1] == line.text for line in lines)
    by_text = {line.text.strip(): line.definition for line in lines}
    assert by_text["front[0] = s_out - y[0]"] == "front"
    assert by_text["y[L] = s_in"] == "y"
    known = {s.name for s in statement.symbol_rows(zil.claim)}
    known |= {s.name for s in statement.front_rows(zil.claim.equations, known)}
    assert set(kernel_view.definitions_named(lines)) <= known


def test_symbols_have_a_meaning_and_a_shape(zil: Proved) -> None:
    rows = statement.symbol_rows(zil.claim)
    assert all(r.meaning and r.shape for r in rows)
    assert next(r for r in rows if r.name == "theta").pytorch == "weights[L - l]"


def test_trust_lists_what_is_taken_for_granted() -> None:
    t = trust.beliefs(proved("zil_gradient"), torch_checked=False)
    assert any("f_differentiable" in h for h in t.hypotheses)
    assert any("not checked on this machine" in s for s in t.tested)
    assert "sha256:" in trust.bibtex(proved("zil"))


def test_charts_are_deterministic_and_show_zeros() -> None:
    series = [svg.Series("a", [1, 2, 4], [1e-3, 0.0, 1e-1]), svg.Series("b", [1, 2, 4], [1e-1, 1e-2, 1e-1], "s2")]
    args = (series, svg.Axis("x", log=True), svg.Axis("y", log=True), "t")
    assert svg.line_chart(*args) == svg.line_chart(*args)
    assert "nan" not in svg.line_chart(*args) and svg.line_chart(*args).count("<polyline") == 2


def test_roots_of_tiny_fractions() -> None:
    assert _root(Fraction(0)) == 0
    assert math.isclose(_root(Fraction(1, 4)), 0.5)
    assert math.isclose(_root(Fraction(1, 10**200)), 1e-100)


# -- the page ------------------------------------------------------------------------------
class Outline(HTMLParser):
    """Headings, anchors, links, and everything that a browser would load."""

    VOID = {"meta", "br", "input", "link", "img"}

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        for name in ("src", "data", "poster", "action"):
            if given.get(name):
                self.loads.append(str(given[name]))
        if tag == "link":
            self.loads.append(str(given.get("href")))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]} at {self.getpos()}"
            self.open.pop()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[ReportResult, str]:
    pytest.importorskip("sklearn", reason="the report trains on scikit-learn's digits")
    heard: list[str] = []
    result = build_report(
        tmp_path_factory.mktemp("report"), progress=lambda text, done, total: heard.append(text), quick=True
    )
    assert "proving the catalogue" in heard and any(h.startswith("training 64-32-32-10") for h in heard)
    return result, result.path.read_text(encoding="utf-8")


@pytest.mark.xdist_group("report")  # the page is made once
def test_everything_on_the_page_holds(page: tuple[ReportResult, str]) -> None:
    result, _ = page
    assert result.ok, [(c.name, c.detail) for c in result.failed]
    assert len(result.checks) > 40
    assert [f.name for f in result.path.parent.iterdir()] == ["index.html"]
    assert result.as_dict()["ok"] is True


@pytest.mark.xdist_group("report")  # the page is made once
def test_the_page_has_its_parts_in_order_and_stands_alone(page: tuple[ReportResult, str]) -> None:
    _, text = page
    outline = Outline()
    outline.feed(text)
    assert not outline.open
    parts = [
        "verdict", "wave-picture", "statement", "symbols", "derivation", "proof", "conditions", "mutations", "locality",
        "kernels", "tests", "training", "trust", "copy",
    ]  # fmt: skip
    assert [i for i in outline.ids if i in parts] == parts
    assert len(set(outline.ids)) == len(outline.ids)
    inner = {link[1:] for link in outline.links if link.startswith("#")}
    assert inner <= set(outline.ids), inner - set(outline.ids)
    assert outline.loads == [] and not [link for link in outline.links if not link.startswith("#")]
    outside = set(re.findall(r"https?://[^\s\"'<)]+", text))
    assert outside == set(), outside
    assert "@import" not in text and "url(" not in text
    assert text.count("<math") > 200 and text.count("<svg") >= 8
    assert "prefers-color-scheme: dark" in text


@pytest.mark.xdist_group("report")  # the page is made once
def test_the_page_reads_without_scripts(page: tuple[ReportResult, str]) -> None:
    _, text = page
    assert '<div class="control" hidden>' in text  # the slider appears only where scripts run
    assert re.search(r'<button class="copy"[^>]* hidden>', text)
    assert "Undefined" not in text and "object at 0x" not in text and "?d0" not in text


def test_a_failing_check_fails_the_report() -> None:
    from pcproof.report.build import Check

    good, bad, open_ = Check("a", True), Check("b", False), Check("c", None)
    assert ReportResult(Path("x"), (good, open_), 1.0).ok
    assert not ReportResult(Path("x"), (good, bad), 1.0).ok
    assert not ReportResult(Path("x"), (open_,), 1.0).ok  # nothing was checked
