"""A formula in three notations at once, and a line of a derivation made of such formulas.

===========  ===================================================================
``Formula``  the same thing as text, LaTeX and MathML
``Pen``      writes terms, guards and statements as ``Formula``
``Line``     ``left sign right`` with the rule that allows it and a comment
===========  ===================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from ..exporters.latex import LatexPrinter, latex_statement, latex_text
from ..exporters.mathml import MathMLPrinter, mathml_statement_fragment
from ..language.index import Con
from ..language.show import TextPrinter, con_names, reserved_names, show_statement
from ..language.signature import Deriv, Eq, Le, Ne, Relation, Statement
from ..language.terms import Add, Mul, Num, Term, neg

_SIGNS = {
    "=": ("=", "=", "<mo>=</mo>"),
    ":=": (":=", ":=", "<mo>:=</mo>"),
    "->": ("=>", r"\Longrightarrow", "<mo>⟹</mo>"),
    "<->": ("<=>", r"\Longleftrightarrow", "<mo>⟺</mo>"),
    "!=": ("!=", r"\ne", "<mo>≠</mo>"),
    "<=": ("<=", r"\le", "<mo>≤</mo>"),
    "+": ("+", "{}+", "<mo>+</mo>"),
    "-": ("-", "{}-", "<mo>−</mo>"),
    "": ("", "", ""),
}


@dataclass(frozen=True)
class Formula:
    """One formula as text, LaTeX (no dollar signs) and MathML (no ``<math>``)."""

    text: str = ""
    latex: str = ""
    mathml: str = ""

    def __add__(self, other: Formula) -> Formula:
        return Formula(self.text + other.text, self.latex + other.latex, self.mathml + other.mathml)

    def __bool__(self) -> bool:
        return bool(self.text)


EMPTY = Formula()


def words(text: str) -> Formula:
    """Ordinary words inside a formula."""
    return Formula(text, latex_text(text), f"<mtext>{escape(text)}</mtext>".replace(" ", "\u00a0"))


def sign(name: str) -> Formula:
    """A relation sign with space around it."""
    text, latex, mathml = _SIGNS[name]
    return Formula(f" {text} ", f" {latex} ", mathml) if text else EMPTY


def math(fragment: str, block: bool = False, large: bool = False) -> str:
    """A whole MathML element; ``large`` sets sums and fractions in full size inside a line."""
    if not fragment:
        return ""
    for bracket in "()":  # browsers put space around and stretch these, even in superscripts
        fragment = fragment.replace(f"<mo>{bracket}</mo>", f'<mo lspace="0" rspace="0" stretchy="false">{bracket}</mo>')
    size = ' displaystyle="true"' if large else ""
    return f'<math display="{"block" if block else "inline"}"{size}><mrow>{fragment}</mrow></math>'


class Pen:
    """Writes terms in one consistent choice of names and of counting (from 1 or from 0).

    terms, guards: everything that will be shown together.
    """

    def __init__(
        self, terms: Sequence[Term] = (), guards: Sequence[Sequence[Con]] = (), avoid: Iterable[str] = ()
    ) -> None:
        taken = reserved_names(*terms).union(avoid, *(con_names(g) for g in guards))
        self._text = TextPrinter(taken)
        self._latex = LatexPrinter(taken, None, terms, guards)
        self._mathml = MathMLPrinter(taken, None, terms, guards)

    def term(self, t: Term) -> Formula:
        """A whole term."""
        return Formula(self._text.top(t), self._latex.top(t), f"<mrow>{self._mathml.top(t)}</mrow>")

    def block(self, t: Term, widest: int = 110) -> Formula:
        """A term on the right of a sign; a long sum of terms gets a row for each of them."""
        whole = self.term(t)
        if not isinstance(t, Add) or len(whole.text) <= widest:
            return whole
        latex, rows = [], []
        for k, a in enumerate(t.args):
            negative = isinstance(a, Mul) and isinstance(a.args[0], Num) and a.args[0].value < 0
            part = self.term(neg(a) if negative else a)
            mark = sign("-" if negative else "+") if k or negative else EMPTY
            latex.append(f"& {mark.latex.strip()} {part.latex}")
            cell = '<mtd style="text-align: left; padding: 0.2ex 0">'
            rows.append(f"<mtr>{cell}{mark.mathml}{part.mathml}</mtd></mtr>")
        broken = "\\begin{aligned}[t] " + r" \\ ".join(latex) + r" \end{aligned}"
        return Formula(whole.text, broken, f'<mtable displaystyle="true">{"".join(rows)}</mtable>')

    def cons(self, guards: Sequence[Con]) -> Formula:
        """Constraints, lower and upper bounds drawn together."""
        if not guards:
            return EMPTY
        return Formula(self._text.cons(guards), self._latex.cons(guards), f"<mrow>{self._mathml.cons(guards)}</mrow>")

    def index(self, i: Any) -> Formula:
        """An index term."""
        return Formula(self._text.index(i, ()), self._latex.index(i, ()), f"<mrow>{self._mathml.index(i, ())}</mrow>")

    def partial(self, what: Formula, by: Term) -> Formula:
        """The partial derivative of a quantity."""
        b = self.term(by)
        return Formula(
            f"d{what.text}/d{b.text}",
            rf"\frac{{\partial {what.latex}}}{{\partial {b.latex}}}",
            f"<mfrac><mrow><mo>∂</mo>{what.mathml}</mrow><mrow><mo>∂</mo>{b.mathml}</mrow></mfrac>",
        )


def symbol(text: str, latex: str = "", mathml: str = "") -> Formula:
    """A named quantity such as F."""
    return Formula(text, latex or text, mathml or f"<mi>{escape(text)}</mi>")


def minus(f: Formula) -> Formula:
    """A formula with a minus in front (for atoms and fractions)."""
    return Formula("-" + f.text, "-" + f.latex, f'<mo form="prefix">−</mo>{f.mathml}')


def statement(s: Statement) -> Formula:
    """A statement with quantifiers and guards."""
    return Formula(show_statement(s), latex_statement(s), mathml_statement_fragment(s))


def differential(direction: str, inside: Formula) -> Formula:
    """The directional derivative of a formula."""
    return Formula(
        f"D[{direction}]({inside.text})",
        rf"\mathrm{{D}}_{{\mathrm{{{direction}}}}}\left[{inside.latex}\right]",
        f"<msub><mi>D</mi><mi>{direction}</mi></msub><mrow><mo>[</mo>{inside.mathml}<mo>]</mo></mrow>",
    )


def relation_formula(r: Relation, pen: Pen) -> Formula:
    """A relation, written with a given pen."""
    if isinstance(r, (Eq, Ne, Le)):
        return pen.term(r.lhs) + sign({Eq: "=", Ne: "!=", Le: "<="}[type(r)]) + pen.term(r.rhs)
    if isinstance(r, Deriv):
        return words("the derivative symbol is the derivative at ") + pen.term(r.point)
    return differential(r.direction, pen.term(r.term)) + sign("=") + pen.term(r.tangent)


@dataclass(frozen=True)
class Line:
    """One line: ``left sign right``, where it holds, and why.

    rule: the name of the rule; comment: what a reader should notice.
    depth: nesting (cases inside lemmas); items: number of kernel steps.
    kind: "step", "heading", "statement", "case", "complete", "qed" or "text".
    children: finer steps, to be folded away.
    """

    left: Formula = EMPTY
    right: Formula = EMPTY
    sign: str = "="
    where: Formula = EMPTY
    comment: str = ""
    rule: str = ""
    depth: int = 0
    items: int = 0
    kind: str = "step"
    children: tuple[Line, ...] = field(default=(), repr=False)

    def body(self) -> Formula:
        """The relation without its range."""
        return self.left + (sign(self.sign) + self.right if self.right else EMPTY)

    @property
    def relation_mathml(self) -> str:
        """The sign and the right side, to stand in a column of its own."""
        return sign(self.sign).mathml + self.right.mathml if self.right else ""

    @property
    def text(self) -> str:
        out = self.body().text.strip()
        return out + (f"   where {self.where.text}" if self.where else "")

    @property
    def latex(self) -> str:
        """For an align block: the column mark stands before the sign."""
        out = self.left.latex
        if self.right:
            out += f" &{sign(self.sign).latex.rstrip()} {self.right.latex}"
        if self.where:
            out += rf" \qquad ({self.where.latex})"
        return out.strip()

    @property
    def mathml(self) -> str:
        body = self.body().mathml
        if self.where:
            body += f'<mspace width="1.2em"></mspace><mo>(</mo>{self.where.mathml}<mo>)</mo>'
        return math(body)

    def as_dict(self) -> dict[str, Any]:
        out: dict[str, Any] = {"text": self.text, "latex": self.latex, "rule": self.rule, "comment": self.comment}
        if self.where:
            out["where"] = self.where.text
        return out


def align(lines: Iterable[Line]) -> str:
    """Lines as a compilable ``align*`` block; page breaks are allowed by the caller."""
    rows = []
    for line in lines:
        note = line.rule or line.comment
        row = line.latex if "&" in line.latex else "& " + line.latex
        rows.append(row + (f" && {latex_text(note)}" if note else ""))
    return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}" if rows else ""
