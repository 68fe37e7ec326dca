"""The notation of the papers, in LaTeX and in MathML."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcproof.exporters.latex import (
    Glyph,
    latex,
    latex_align,
    latex_definition,
    latex_relation,
    latex_statement,
    latex_text,
)
from pcproof.exporters.mathml import (
    mathml,
    mathml_align,
    mathml_definition,
    mathml_fragment,
    mathml_relation,
    mathml_statement,
)
from pcproof.language.index import Bound, Idx, eq, ge, lt, qvar, size, span
from pcproof.language.signature import Case, Definition, Deriv, Eq, Ne, Statement, Tangent
from pcproof.language.terms import Add, App, Inv, IsZero, Iverson, Lam, Mul, Num, Pow, Sum, Term, delta, total

t, l, b, i, j = map(qvar, "tlbij")
L, B = size("L"), size("B")


def n(layer: object) -> Idx:
    return size("n", layer)  # type: ignore[arg-type]


def app(name: str, *idx: object) -> Term:
    return App(name, idx)  # type: ignore[arg-type]


MU = total(n(l + 1), lambda k: app("theta", l + 1, i, k) * App("f", (l + 1,), (app("x", l + 1, b, k),)))
ENERGY = total(L, lambda p: total(B, lambda q: total(n(p), lambda r: app("eps", p, q, r) ** 2 / 2)))
DELTA = Definition(
    "delta",
    ("l", "b", "i"),
    (
        Case((eq(l, 0),), app("s_out", b, i) - app("y", 0, b, i)),
        Case(
            span(l, 1, L),
            App("df", (l,), (app("y", l, b, i),))
            * total(n(l - 1), lambda k: app("delta", l - 1, b, k) * app("w", l, k, i)),
        ),
    ),
)
GUARDS = (*span(l, 0, L), *span(b, 0, B), *span(i, 0, n(l)))
STATEMENT = Statement(("l", "b", "i"), GUARDS, Eq(app("eps", l, l, b, i), app("delta", l, b, i)))


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (app("eps", t, l, b, i), r"\varepsilon_{i,t}^{l,(b)}"),
        (app("x", l, i), "x_{i}^{l}"),
        (app("theta", t, l + 1, i, j), r"\theta_{i,j,t}^{l+1}"),
        (app("theta", l + 1, i, j), r"\theta_{i,j}^{l+1}"),
        (app("delta", l, i), r"\delta_{i}^{l}"),
        (app("mu", l, i), r"\mu_{i}^{l}"),
        (app("s_out", i), r"s_{i}^{\mathrm{out}}"),
        (app("s_in", b, i), r"s_{i}^{\mathrm{in},(b)}"),
        (app("dw", l, i, j), r"\Delta w_{i,j}^{l}"),
        (App("df", (l,), (app("x", l, i),)), "f'_{l}(x_{i}^{l})"),
        (App("df", (), (app("x", l, i),)), "f'(x_{i}^{l})"),
        (app("gamma") ** l, r"\gamma^{l}"),
        (app("delta", l, i) ** 2, r"(\delta_{i}^{l})^{2}"),
        (App("f", (l,), (app("x", l, i),)) ** 2, "f_{l}(x_{i}^{l})^{2}"),
        (app("s_out", b, i) - app("y", 0, b, i), r"s_{i}^{\mathrm{out},(b)} - y_{i}^{0,(b)}"),
        (app("gamma") / 2, r"\frac{1}{2} \gamma"),
        (app("alpha") / app("gamma"), r"\frac{\alpha}{\gamma}"),
        (2 * app("alpha") / (app("gamma") + 1), r"2 \cdot \frac{\alpha}{\gamma + 1}"),
        (Mul(Num(2), Num(3)), r"2 \cdot 3"),
        (Pow(Num(Fraction(1, 2)), l), r"\left(\frac{1}{2}\right)^{l}"),
        (delta(i, j), r"\left[i = j\right]"),
        (Iverson((lt(l, L), ge(l, 1))), r"\left[1 \le l < L\right]"),
        (IsZero(app("e")), r"\left[e = 0\right]"),
        (app("rate_max", l, i), r"\mathrm{rate\_max}_{l,i}"),
        (app("eta"), r"\eta"),
        (app("x", l, b, 1) * app("x2"), "x_{1}^{l,(b)} x_{2}"),
        (app("x2", i), "{x_{2}}_{i}"),
        (MU, r"\sum_{j=1}^{n^{l+1}} \theta_{i,j}^{l+1} f_{l+1}(x_{j}^{l+1,(b)})"),
        (ENERGY, r"\sum_{l=0}^{L-1} \sum_{b=1}^{B} \sum_{i=1}^{n^{l}} \frac{1}{2} (\varepsilon_{i}^{l,(b)})^{2}"),
        (App("P", (l, i), (Lam(1, app("x", l, Bound(0))),)), r"P_{i}^{l}(j \mapsto x_{j}^{l})"),
    ],
)
def test_latex(term: Term, text: str) -> None:
    assert latex(term) == text


def test_definition() -> None:
    assert latex_definition(DELTA) == (
        "\\delta_{i}^{l,(b)} = \\begin{cases}\n"
        "s_{i}^{\\mathrm{out},(b)} - y_{i}^{0,(b)} & \\text{if } l = 0 \\\\\n"
        "f'_{l}(y_{i}^{l,(b)}) \\sum_{j=1}^{n^{l-1}} \\delta_{j}^{l-1,(b)} w_{j,i}^{l} & \\text{if } 1 \\le l < L\n"
        "\\end{cases}"
    )
    one = Definition("mu", ("l", "b", "i"), (Case((ge(l, 0),), MU),))
    assert latex_definition(one).startswith(r"\mu_{i}^{l,(b)} = \sum_{j=1}")
    assert latex_definition(one).endswith(r"\quad \text{if } l \ge 0")


def test_statement() -> None:
    assert latex_statement(STATEMENT) == (
        r"\forall\, l, b, i \text{ with } 0 \le l < L,\, 1 \le b \le B,\, 1 \le i \le n^{l}: \quad "
        r"\varepsilon_{i,l}^{l,(b)} = \delta_{i}^{l,(b)}"
    )
    assert latex_relation(Ne(app("a"), app("c"))) == r"a \ne c"
    assert latex_relation(Tangent("by_x", app("a"), app("c"))) == r"\mathrm{D}_{\mathrm{by\_x}}\left[a\right] = c"
    f = App("f", (l,), (app("y", l, i),))
    assert latex_relation(Deriv(f)) == r"f_{l}(y_{i}^{l})\text{ has its declared derivatives}"


# -- counting from 1 is a change of names only, or it is not done ------------------
@pytest.mark.parametrize(
    "term",
    [
        total(n(l), lambda k: app("x", l, b, k) * app("x", l, b, 0)),  # a unit number
        total(n(l), lambda k: app("x", l, b, k + 1)),  # the next unit
        total(n(l), lambda k: Pow(app("gamma"), k)),  # the number itself
        total(n(l), lambda k: delta(k, 0) * app("x", l, b, k)),
        total(n(l), lambda k: app("g", k) * app("g", 3)),  # unknown symbol, position learnt
        total(n(l), lambda k: app("x", k, b, k)),  # the unit as a layer
        total(n(l), lambda k: total(k, lambda m: app("g", m, k))),
    ],
)
def test_counted_from_zero_where_numbers_matter(term: Term) -> None:
    assert r"=0}^{" in latex(term)
    assert r"=1}" not in latex(term)
    assert "<mn>1</mn>" not in re.sub(r"<mo>[−+]</mo><mn>1</mn>", "", mathml(term))


def test_counted_from_one_where_they_are_names() -> None:
    assert r"\sum_{j=1}^{n^{l}}" in latex(total(n(l), lambda k: delta(i, k) * app("x", l, b, k) * app("y", l, b, i)))
    assert r"\sum_{i=1}^{n^{l}}" in latex(total(n(l), lambda k: app("unknown", k)))


def test_one_object_counts_one_way() -> None:
    fixed = Statement(("l", "b", "i"), GUARDS, Eq(app("eps", l, l, b, 0), app("delta", l, b, i)))
    assert r"0 \le i < n^{l}" in latex_statement(fixed)
    text = latex_align([(app("F"), [total(n(0), lambda k: app("x", 0, b, k)), app("x", 0, b, 0)], "")])
    assert "=0}^{n^{0}-1}" in text


def test_layer_sums_keep_their_bounds() -> None:
    assert latex(total(L, lambda p: app("a", p))) == r"\sum_{l=0}^{L-1} a_{l}"
    assert latex(total(L + 1, lambda p: app("a", p))) == r"\sum_{l=0}^{L} a_{l}"
    assert latex(total(L, lambda p: app("a", p), lo=1)) == r"\sum_{l=0}^{L-2} a_{l+1}"


def test_own_notation() -> None:
    own = {"eps": Glyph("e", "e", ("li",))}
    assert latex(app("eps", l, i), notation=own) == "e_{i}^{l}"
    assert ">e<" in mathml(app("eps", l, i), notation=own)


def test_align_and_comments() -> None:
    text = latex_align([(app("F"), [app("a"), app("c")], ["by (6)", "50 % of a_b & {c}"]), (app("E"), [app("a")], "")])
    lines = text.splitlines()
    assert lines[0] == r"\begin{align*}" and lines[-1] == r"\end{align*}"
    assert lines[1] == r"F &= a && \text{by (6)} \\"
    assert lines[2] == r"&= c && \text{50 \% of a\_b \& \{c\}} \\"
    assert lines[3] == "E &= a"
    assert latex_text("a^b~\\") == r"\text{a\textasciicircum{}b\textasciitilde{}\textbackslash{}}"


# -- MathML ------------------------------------------------------------------------
CORE = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msub", "msup", "msubsup", "munderover", "mtable",
    "mtr", "mtd",
}  # fmt: skip
CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3, "munderover": 3}


def check_mathml(text: str) -> ET.Element:
    root = ET.fromstring(text)
    assert root.tag == "math"
    for node in root.iter():
        assert node.tag in CORE
        assert node.tag not in CHILDREN or len(node) == CHILDREN[node.tag]
        if node.tag in ("mi", "mn", "mo", "mtext"):
            assert len(node) == 0
            assert node.text
    return root


def words(root: ET.Element) -> str:
    return "".join(root.itertext()).replace("\u2062", "").replace("\u2061", "")


def test_mathml() -> None:
    assert words(check_mathml(mathml(MU))) == "∑j=1nl+1θi,jl+1fl+1(xjl+1,(b))"
    assert words(check_mathml(mathml(app("eps", t, l, b, i)))) == "εi,tl,(b)"
    assert words(check_mathml(mathml(app("<&>", i)))) == "<&>i"
    assert 'display="block"' in mathml(MU, block=True)
    assert not mathml_fragment(MU).startswith("<math")
    check_mathml(mathml_definition(DELTA))
    assert "if\u00a0" in words(check_mathml(mathml_definition(DELTA)))
    assert "1≤i≤nl" in words(check_mathml(mathml_statement(STATEMENT)))
    assert words(check_mathml(mathml_relation(Ne(app("a"), app("c"))))) == "a≠c"
    check_mathml(mathml_relation(Tangent("d", app("a"), app("c"))))
    check_mathml(mathml_relation(Deriv(App("f", (l,), (app("y", l, i),)))))
    align = check_mathml(mathml_align([(app("F"), [app("a"), -app("a")], ["by (6)", "x < y"])]))
    assert len(align.findall(".//mtr")) == 2
    assert "x\u00a0<\u00a0y" in words(align)


# -- everything prints, balanced ------------------------------------------------------
INDEX = st.sampled_from([l, i, j, l + 1, 2 * l - 1, Idx(0), -l + 3, n(l), L - 1])
LEAVES = st.one_of(
    st.fractions(max_denominator=9).map(Num),
    st.tuples(st.sampled_from(["x", "eps", "theta", "some_name", "q'", "w", "zeta1"]), st.lists(INDEX, max_size=4)).map(
        lambda p: App(p[0], p[1])
    ),
    INDEX.map(lambda k: Iverson((ge(k, 0), lt(k, L)))),
)
TERMS = st.recursive(
    LEAVES,
    lambda s: st.one_of(
        st.lists(s, max_size=3).map(lambda xs: Add(*xs)),
        st.lists(s, max_size=3).map(lambda xs: Mul(*xs)),
        s.map(Inv),
        s.map(IsZero),
        st.tuples(s, INDEX).map(lambda p: Pow(*p)),
        st.tuples(INDEX, s).map(lambda p: Sum(*p)),
        st.tuples(INDEX, s).map(lambda p: App("f", (p[0],), (p[1],))),
        s.map(lambda x: App("P", (l,), (Lam(2, x),))),
    ),
    max_leaves=10,
)


def balanced(text: str) -> bool:
    depth = 0
    for c in re.sub(r"\\[{}]", "", text):
        depth += (c == "{") - (c == "}")
        if depth < 0:
            return False
    return depth == 0 and text.count(r"\left") == text.count(r"\right") and not re.search(r"\^\{[^{}]*\}\^", text)


@given(TERMS)
def test_every_term_prints(term: Term) -> None:
    assert balanced(latex(term))
    check_mathml(mathml(term))


@pytest.mark.parametrize("convert", [latex, mathml])
def test_distinct_binders_have_distinct_names(convert: Callable[[Term], str]) -> None:
    square = total(n(0), lambda p: total(n(0), lambda q: app("g", p, q)))
    swapped = total(n(0), lambda p: total(n(0), lambda q: app("g", q, p)))
    assert convert(square) != convert(swapped)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX on this machine")
def test_tex_accepts_it(tmp_path: Path) -> None:
    formulas = [
        latex_definition(DELTA),
        latex_statement(STATEMENT),
        latex(ENERGY),
        latex(MU / (MU + 1)),
        latex(App("df", (l,), (app("x", l, i),)) ** 2 * app("q'", l) * app("a_b#1", l)),
        latex_relation(Tangent("by_x", ENERGY, MU)),
        latex_relation(Deriv(App("f", (l,), (app("y", l, i),)))),
        latex(App("P", (l, i), (Lam(1, app("x", l, Bound(0))),))),
    ]
    body = "\n".join(rf"\[{f}\]" for f in formulas)
    body += latex_align([(app("F"), [ENERGY, -MU], ["by (6) & 100 %", "x_1 ^ {y} ~ # $ \\"])])
    source = r"\documentclass{article}\usepackage{amsmath}\begin{document}" + body + r"\end{document}"
    (tmp_path / "t.tex").write_text(source, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:]
