"""Terms, statements and definitions as MathML Core, in the notation of the papers.

The twin of ``latex``: ``mathml``, ``mathml_relation``, ``mathml_statement``,
``mathml_definition`` and ``mathml_align`` return a whole ``<math>`` element;
with ``_fragment`` behind the name they return what stands inside it.  No
script, style sheet or font is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from html import escape

from ..language.index import Idx, qvar
from ..language.show import ATOM, POWER, PRODUCT, Piece, con_names, reserved_names
from ..language.signature import Definition, Deriv, Eq, Le, Ne, Relation, Statement, relation_terms
from ..language.terms import App, Term
from .notation import GREEK, NOTATION, Glyph, PaperPrinter

__all__ = [
    "NOTATION",
    "Glyph",
    "mathml",
    "mathml_align",
    "mathml_align_fragment",
    "mathml_definition",
    "mathml_definition_fragment",
    "mathml_fragment",
    "mathml_relation",
    "mathml_relation_fragment",
    "mathml_statement",
    "mathml_statement_fragment",
]

Notation = Mapping[str, Glyph]
Row = tuple[Term, Sequence[Term], "str | Sequence[str]"]

_OPERATORS = {"+": "+", "-": "−", "-u": "−", "<": "&lt;", "<=": "≤", ">=": "≥", "==": "=", "!=": "≠", ",": ","}
_TIMES = "<mo>&#x2062;</mo>"
_APPLY = "<mo>&#x2061;</mo>"
_CELL = '<mtd displaystyle="true" style="text-align: {side}; padding: 0.3ex {pad}">{body}</mtd>'


def _row(*parts: str) -> str:
    return "<mrow>" + "".join(parts) + "</mrow>"


def _text(words: str) -> str:
    return f"<mtext>{escape(words)}</mtext>".replace(" ", "\u00a0")


def _wrap(fragment: str, block: bool) -> str:
    return f'<math display="{"block" if block else "inline"}">{fragment}</math>'


def mathml_name(name: str) -> str:
    """A name as an identifier: Greek by name, digits at the end as an index."""
    stem = name.rstrip("0123456789")
    if stem and stem != name:
        return f"<msub>{mathml_name(stem)}<mn>{name[len(stem) :]}</mn></msub>"
    return f"<mi>{escape(GREEK.get(name, name))}</mi>"


class MathMLPrinter(PaperPrinter):
    """MathML glyphs."""

    def number(self, q: Fraction) -> Piece:
        if q.denominator == 1:
            return Piece(f"<mn>{q}</mn>", ATOM)
        return Piece(f"<mfrac><mn>{q.numerator}</mn><mn>{q.denominator}</mn></mfrac>", POWER)

    def variable(self, name: str) -> str:
        return mathml_name(name)

    def size(self, name: str, args: Sequence[str]) -> str:
        return f"<msup>{mathml_name(name)}{_row(self.listed(args))}</msup>" if args else mathml_name(name)

    def multiple(self, factor: int, atom: str) -> str:
        return f"<mn>{factor}</mn>{_TIMES}{atom}"

    def head(self, name: str, glyph: Glyph | None) -> str:
        return mathml_name(name) if glyph is None else f"<mi>{escape(glyph.mathml)}</mi>"

    def label(self, text: str) -> str:
        return f"<mtext>{escape(text)}</mtext>"

    def small_parenthesis(self, text: str) -> str:
        return self.parenthesis(text)

    def listed(self, parts: Sequence[str]) -> str:
        return self.operator(",", True).join(parts)

    def scripted(self, head: str, lower: str, upper: str, prime: bool) -> str:
        above = ("<mo>′</mo>" if prime else "") + (self.operator(",") if prime and upper else "") + upper
        if lower and above:
            return f"<msubsup>{head}{_row(lower)}{_row(above)}</msubsup>"
        if lower:
            return f"<msub>{head}{_row(lower)}</msub>"
        return f"<msup>{head}{_row(above)}</msup>" if above else head

    def applied(self, function: str, arguments: str) -> str:
        return _row(function, _APPLY, self.parenthesis(arguments))

    def function_of(self, names: Sequence[str], body: str) -> str:
        return self.listed([self.variable(n) for n in names]) + "<mo>↦</mo>" + body

    def operator(self, op: str, tight: bool = False) -> str:
        if op == "-u":
            return '<mo form="prefix">−</mo>'
        gap = '<mspace width="0.4em"></mspace>' if op == "," and not tight else ""
        return f"<mo>{_OPERATORS[op]}</mo>{gap}"

    def parenthesis(self, text: str) -> str:
        return _row("<mo>(</mo>", text, "<mo>)</mo>")

    def bracket(self, text: str) -> str:
        return _row("<mo>[</mo>", text, "<mo>]</mo>")

    def product(self, coefficient: Piece | None, factors: Sequence[tuple[Piece, bool]]) -> Piece:
        above = [p.text for p, below in factors if not below]
        below = [self.fit(p, POWER if sum(b for _, b in factors) > 1 else 0) for p, b in factors if b]
        parts = above
        if below:
            over = _row(self._juxtaposed(above)) if above else "<mn>1</mn>"
            parts = [f"<mfrac>{over}{_row(self._juxtaposed(below))}</mfrac>"]
        if coefficient is not None:
            parts.insert(0, coefficient.text)
        return Piece(_row(self._juxtaposed(parts)), PRODUCT if len(parts) > 1 or not below else POWER)

    @staticmethod
    def _juxtaposed(parts: Sequence[str]) -> str:
        out = ""
        for p in parts:
            number = p.startswith("<mn>") or (p.startswith("<mfrac>") and out.endswith("</mn>"))
            out += (("<mo>·</mo>" if number else _TIMES) if out else "") + p
        return out

    def power(self, base: Piece, exponent: str, compound: bool) -> str:
        return f"<msup>{_row(self.fit(base, ATOM))}{_row(exponent)}</msup>"

    def big_sum(self, name: str, bound: Idx, names: tuple[str, ...], body: str) -> str:
        low, high = self.bounds(bound, names)
        below = _row(self.variable(name), self.operator("=="), low)
        return _row(f"<munderover><mo>∑</mo>{below}{_row(high)}</munderover>", body)

    def relation(self, r: Relation) -> str:
        if isinstance(r, (Eq, Ne, Le)):
            return _row(self.top(r.lhs), self.operator({Eq: "==", Ne: "!=", Le: "<="}[type(r)]), self.top(r.rhs))
        if isinstance(r, Deriv):
            return _row(self.top(r.point), _text(" has its declared derivatives"))
        direction = f"<msub><mi>D</mi>{mathml_name(r.direction)}</msub>"
        return _row(direction, self.bracket(self.top(r.term)), self.operator("=="), self.top(r.tangent))


def _cell(body: str, side: str = "left", pad: str = "0.2em") -> str:
    return _CELL.format(side=side, pad=pad, body=body)


def mathml_fragment(term: Term, avoid: Iterable[str] = (), notation: Notation | None = None) -> str:
    """A term, without the ``<math>`` element."""
    return _row(MathMLPrinter(avoid, notation, (term,)).top(term))


def mathml(term: Term, avoid: Iterable[str] = (), notation: Notation | None = None, block: bool = False) -> str:
    """A term; ``avoid`` are names that its bound indices must not get."""
    return _wrap(mathml_fragment(term, avoid, notation), block)


def mathml_relation_fragment(r: Relation, avoid: Iterable[str] = (), notation: Notation | None = None) -> str:
    """A relation, without the ``<math>`` element."""
    terms = relation_terms(r)
    return MathMLPrinter(reserved_names(*terms).union(avoid), notation, terms).relation(r)


def mathml_relation(
    r: Relation, avoid: Iterable[str] = (), notation: Notation | None = None, block: bool = True
) -> str:
    """A relation."""
    return _wrap(mathml_relation_fragment(r, avoid, notation), block)


def mathml_statement_fragment(s: Statement, notation: Notation | None = None) -> str:
    """A statement, without the ``<math>`` element."""
    terms = relation_terms(s.relation)
    avoid = reserved_names(*terms) | con_names(s.guards) | frozenset(s.variables)
    p = MathMLPrinter(avoid, notation, terms, (s.guards,))
    relation, guards = p.relation(s.relation), p.cons(s.guards)
    colon = '<mo>:</mo><mspace width="1em"></mspace>'
    if not s.variables:
        return _row(guards + colon if guards else "", relation)
    head = "<mo>∀</mo>" + p.listed([p.variable(v) for v in s.variables])
    return _row(head, _text(" with ") + guards if guards else "", colon, relation)


def mathml_statement(s: Statement, notation: Notation | None = None, block: bool = True) -> str:
    """A statement with its quantifiers and guards in front."""
    return _wrap(mathml_statement_fragment(s, notation), block)


def mathml_definition_fragment(d: Definition, notation: Notation | None = None) -> str:
    """A definition, without the ``<math>`` element."""
    guards = [c.guard for c in d.cases]
    avoid = con_names(c for g in guards for c in g).union(d.params)
    head = App(d.name, [qvar(p) for p in d.params])
    p = MathMLPrinter(avoid, notation, (head, *(c.value for c in d.cases)), guards)
    left = p.top(head) + p.operator("==")
    rows = [(p.top(c.value), p.cons(c.guard)) for c in d.cases]
    if len(rows) == 1:
        value, guard = rows[0]
        return _row(left, value, _text("  if ") + guard if guard else "")
    cells = [
        f"<mtr>{_cell(_row(value))}{_cell(_row(_text('if '), guard) if guard else _text('always'), pad='1em')}</mtr>"
        for value, guard in rows
    ]
    return _row(left, '<mo form="prefix" fence="true" stretchy="true">{</mo>', f"<mtable>{''.join(cells)}</mtable>")


def mathml_definition(d: Definition, notation: Notation | None = None, block: bool = True) -> str:
    """A definition; several cases under a brace."""
    return _wrap(mathml_definition_fragment(d, notation), block)


def mathml_align_fragment(rows: Sequence[Row], avoid: Iterable[str] = (), notation: Notation | None = None) -> str:
    """A calculation, without the ``<math>`` element."""
    terms = [t for lhs, rhs, _ in rows for t in (lhs, *rhs)]
    p = MathMLPrinter(reserved_names(*terms).union(avoid), notation, terms)
    lines = []
    for lhs, rhs, comment in rows:
        comments = [comment] if isinstance(comment, str) else list(comment)
        for k, right in enumerate(rhs):
            note = comments[k] if k < len(comments) else ""
            left = _cell(_row(p.top(lhs)) if k == 0 else "", "right")
            right_cell = _cell(_row(p.operator("=="), p.top(right)))
            lines.append(f"<mtr>{left}{right_cell}{_cell(_text(note) if note else '', pad='2em')}</mtr>")
    return f"<mtable>{''.join(lines)}</mtable>"


def mathml_align(
    rows: Sequence[Row], avoid: Iterable[str] = (), notation: Notation | None = None, block: bool = True
) -> str:
    """A calculation: each row is a left side, the right sides it equals in turn, and a comment.

    The comment is one text for the first line or a sequence with one text for each line.
    """
    return _wrap(mathml_align_fragment(rows, avoid, notation), block)
