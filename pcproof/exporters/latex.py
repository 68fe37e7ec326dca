r"""Terms, statements and definitions as LaTeX in the notation of the papers (amsmath only).

=====================  =========================================================
``latex``              ``\sum_{j=1}^{n^{l+1}} \theta_{i,j}^{l+1} f_{l+1}(x_{j}^{l+1})``
``latex_relation``     ``\varepsilon_{i,t}^{l} = \delta_{i}^{l}``
``latex_statement``    ``\forall\, l, i \text{ with } 0 \le l < L: \quad ...``
``latex_definition``   cases
``latex_align``        a calculation, line under line, as an ``align*``
=====================  =========================================================

None of them adds dollar signs; only ``latex_align`` returns an environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from ..language.index import Con, Idx, qvar
from ..language.show import ATOM, POWER, PRODUCT, Piece, con_names, reserved_names
from ..language.signature import Definition, Deriv, Eq, Le, Ne, Relation, Statement, relation_terms
from ..language.terms import App, Term
from .notation import GREEK, NOTATION, Glyph, PaperPrinter

__all__ = ["NOTATION", "Glyph", "latex", "latex_align", "latex_definition", "latex_relation", "latex_statement"]

Notation = Mapping[str, Glyph]
Row = tuple[Term, Sequence[Term], "str | Sequence[str]"]

_ESCAPES = {
    "\\": r"\backslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "#": r"\#", "%": r"\%", "&": r"\&", "$": r"\$",
    "^": r"\hat{}", "~": r"\sim{}", "'": r"{}'",
}  # fmt: skip
_TEXT_ESCAPES = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "'": "'"}
_OPERATORS = {
    "+": " + ", "-": " - ", "-u": "-", "<": " < ", "<=": r" \le ", ">=": r" \ge ", "==": " = ", "!=": r" \ne ",
    ",": r",\, ",
}  # fmt: skip


def latex_name(name: str) -> str:
    """A name as a mathematical symbol: Greek by name, digits at the end as an index, the rest upright."""
    stem = name.rstrip("0123456789")
    if stem and stem != name:
        return f"{latex_name(stem)}_{{{name[len(stem) :]}}}"
    if name in GREEK:
        return "\\" + name
    escaped = "".join(_ESCAPES.get(c, c) for c in name)
    return escaped if len(name) == 1 else rf"\mathrm{{{escaped}}}"


def latex_text(text: str) -> str:
    """Ordinary words, to stand inside mathematics."""
    return r"\text{" + "".join(_TEXT_ESCAPES.get(c, _ESCAPES.get(c, c)) for c in text) + "}"


class LatexPrinter(PaperPrinter):
    """LaTeX glyphs."""

    def number(self, q: Fraction) -> Piece:
        if q.denominator == 1:
            return Piece(str(q), ATOM)
        return Piece(rf"\frac{{{q.numerator}}}{{{q.denominator}}}", POWER)

    def variable(self, name: str) -> str:
        return latex_name(name)

    def size(self, name: str, args: Sequence[str]) -> str:
        return latex_name(name) + (f"^{{{', '.join(args)}}}" if args else "")

    def multiple(self, factor: int, atom: str) -> str:
        return f"{factor} {atom}"

    def head(self, name: str, glyph: Glyph | None) -> str:
        return latex_name(name) if glyph is None else glyph.latex

    def label(self, text: str) -> str:
        return rf"\mathrm{{{text}}}"

    def small_parenthesis(self, text: str) -> str:
        return f"({text})"

    def listed(self, parts: Sequence[str]) -> str:
        return ",".join(parts)

    def scripted(self, head: str, lower: str, upper: str, prime: bool) -> str:
        if lower and "_" in head.replace(r"\_", ""):
            head = f"{{{head}}}"
        above = (r"\prime" if prime else "") + ("," if prime and upper else "") + upper
        if above == r"\prime":
            return f"{head}'" + (f"_{{{lower}}}" if lower else "")
        return head + (f"_{{{lower}}}" if lower else "") + (f"^{{{above}}}" if above else "")

    def applied(self, function: str, arguments: str) -> str:
        return function + self.parenthesis(arguments)

    def function_of(self, names: Sequence[str], body: str) -> str:
        return ",".join(self.variable(n) for n in names) + r" \mapsto " + body

    def operator(self, op: str, tight: bool = False) -> str:
        return _OPERATORS[op].strip() if tight else _OPERATORS[op]

    def parenthesis(self, text: str) -> str:
        tall = r"\sum" in text or r"\frac" in text or r"\left" in text
        return rf"\left({text}\right)" if tall else f"({text})"

    def bracket(self, text: str) -> str:
        return rf"\left[{text}\right]"

    def product(self, coefficient: Piece | None, factors: Sequence[tuple[Piece, bool]]) -> Piece:
        above = [p.text for p, below in factors if not below]
        below = [self.fit(p, POWER if sum(b for _, b in factors) > 1 else 0) for p, b in factors if b]
        if not below:
            parts = above
        else:
            over = self._juxtaposed(above) or "1"
            parts = [rf"\frac{{{over}}}{{{self._juxtaposed(below)}}}"]
        if coefficient is not None:
            parts.insert(0, coefficient.text)
        return Piece(self._juxtaposed(parts), PRODUCT if len(parts) > 1 or not below else POWER)

    @staticmethod
    def _juxtaposed(parts: Sequence[str]) -> str:
        out = ""
        for p in parts:
            number = p[0].isdigit() or (p.startswith(r"\frac") and out[-1:].isdigit())
            out += ((r" \cdot " if number else " ") if out else "") + p
        return out

    def power(self, base: Piece, exponent: str, compound: bool) -> str:
        return f"{self.fit(base, ATOM)}^{{{exponent}}}"

    def big_sum(self, name: str, bound: Idx, names: tuple[str, ...], body: str) -> str:
        low, high = self.bounds(bound, names)
        return rf"\sum_{{{self.variable(name)}={low}}}^{{{high}}} {body}"

    def relation(self, r: Relation) -> str:
        if isinstance(r, (Eq, Ne, Le)):
            return self.top(r.lhs) + self.operator({Eq: "==", Ne: "!=", Le: "<="}[type(r)]) + self.top(r.rhs)
        if isinstance(r, Deriv):
            return self.top(r.point) + latex_text(" has its declared derivatives")
        direction = rf"\mathrm{{D}}_{{{latex_name(r.direction)}}}"
        return rf"{direction}\left[{self.top(r.term)}\right] = {self.top(r.tangent)}"


def latex(term: Term, avoid: Iterable[str] = (), notation: Notation | None = None) -> str:
    """A term; ``avoid`` are names that its bound indices must not get."""
    return LatexPrinter(avoid, notation, (term,)).top(term)


def latex_relation(r: Relation, avoid: Iterable[str] = (), notation: Notation | None = None) -> str:
    """A relation."""
    terms = relation_terms(r)
    return LatexPrinter(reserved_names(*terms).union(avoid), notation, terms).relation(r)


def latex_statement(s: Statement, notation: Notation | None = None) -> str:
    """A statement with its quantifiers and guards in front."""
    terms = relation_terms(s.relation)
    avoid = reserved_names(*terms) | con_names(s.guards) | frozenset(s.variables)
    p = LatexPrinter(avoid, notation, terms, (s.guards,))
    relation, guards = p.relation(s.relation), p.cons(s.guards)
    if not s.variables:
        return (guards + r": \quad " if guards else "") + relation
    head = r"\forall\, " + ", ".join(p.variable(v) for v in s.variables)
    return head + (r" \text{ with } " + guards if guards else "") + r": \quad " + relation


def latex_definition(d: Definition, notation: Notation | None = None) -> str:
    """A definition; several cases as ``cases``."""
    guards: list[Sequence[Con]] = [c.guard for c in d.cases]
    avoid = con_names(c for g in guards for c in g).union(d.params)
    left = App(d.name, [qvar(v) for v in d.params])
    p = LatexPrinter(avoid, notation, (left, *(c.value for c in d.cases)), guards)
    head = p.top(left)
    rows = [(p.top(c.value), p.cons(c.guard)) for c in d.cases]
    if len(rows) == 1:
        value, guard = rows[0]
        return f"{head} = {value}" + (r" \quad \text{if } " + guard if guard else "")
    lines = [value + (r" & \text{if } " + guard if guard else r" & \text{always}") for value, guard in rows]
    return f"{head} = \\begin{{cases}}\n" + " \\\\\n".join(lines) + "\n\\end{cases}"


def latex_align(rows: Sequence[Row], avoid: Iterable[str] = (), notation: Notation | None = None) -> str:
    """A calculation: each row is a left side, the right sides it equals in turn, and a comment.

    The comment is one text for the first line or a sequence with one text for each line.
    """
    terms = [t for lhs, rhs, _ in rows for t in (lhs, *rhs)]
    p = LatexPrinter(reserved_names(*terms).union(avoid), notation, terms)
    lines = []
    for lhs, rhs, comment in rows:
        comments = [comment] if isinstance(comment, str) else list(comment)
        for k, right in enumerate(rhs):
            note = comments[k] if k < len(comments) else ""
            left = p.top(lhs) + " " if k == 0 else ""
            lines.append(f"{left}&= {p.top(right)}" + (f" && {latex_text(note)}" if note else ""))
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"
