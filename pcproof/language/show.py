"""Terms, statements and theories as plain text, and the printer behind all notations.

``Printer`` walks a term once, decides about signs, parentheses and the names
of bound indices, and leaves every glyph to a subclass: plain text here, LaTeX
and MathML in ``exporters``.

===================  ===========================================================
``show``             ``sum_{j<n(l+1)} theta[l+1,i,j]*f[l+1](x[l+1,b,j])``
``show_con``         ``l < L``
``show_guards``      ``0 <= l < L, t == l``
``show_relation``    ``eps[l,l,b,i] = delta[l,b,i]``
``show_statement``   ``for all l, b, i with 0 <= l < L: ...``
``show_definition``  one line for each case
``show_theory``      sizes, symbols, definitions, hypotheses
===================  ===========================================================

A bound index has no name inside a term, so the printer gives it one: by its
range, and never the name of a free index, of an enclosing binder, of a size or
of a scalar symbol.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import chain, count

from .index import Atom, Bound, Con, Idx, QVar, Size
from .signature import Definition, Deriv, Eq, Le, Ne, Relation, Statement, Theory, relation_terms
from .terms import Add, App, Inv, IsZero, Iverson, Lam, Mul, Num, Pow, Sum, Term, free_vars, sizes, subterms

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4

NAMES = {
    "unit": ("i", "j", "k", "p", "q", "r", "u", "v"),
    "batch": ("b", "c", "d"),
    "layer": ("l", "m", "k", "h"),
    "time": ("t", "s", "u"),
    "other": ("k", "m", "p", "q", "r", "u", "v"),
}


def range_kind(bound: Idx) -> str:
    """What an index below ``bound`` counts: "unit", "batch", "layer", "time" or "other"."""
    found = [a for a, _ in bound.terms if isinstance(a, Size)]
    if any(a.args for a in found):
        return "unit"
    names = {a.name for a in found}
    return "batch" if "B" in names else "layer" if "L" in names else "time" if "T" in names else "other"


def choose_name(kind: str, taken: Iterable[str]) -> str:
    """A readable name for a bound index that is not yet taken."""
    used = set(taken)
    names = NAMES[kind]
    return next(n for n in chain(names, (f"{names[0]}{k}" for k in count(1))) if n not in used)


def reserved_names(*terms: Term) -> frozenset[str]:
    """Names that no bound index of these terms may be given."""
    out: set[str] = set()
    for t in terms:
        out |= free_vars(t) | sizes(t)
        out |= {s.name for s in subterms(t) if isinstance(s, App) and not s.idx and not s.args}
    return frozenset(out)


def con_names(cons: Iterable[Con]) -> frozenset[str]:
    """Names of the variables and sizes in constraints."""
    return frozenset(a.name for c in cons for a in c.expr.atoms() if isinstance(a, (QVar, Size)))


@dataclass(frozen=True)
class Piece:
    """Printed text with the strength of its outermost operator."""

    text: str
    level: int


@dataclass(frozen=True)
class Comparison:
    """``left op right``, possibly with ``low <=`` in front (then ``op`` is < or <=)."""

    left: Idx
    op: str
    right: Idx
    low: Idx | None = None


def comparison(c: Con) -> Comparison:
    """A constraint in the form a person would write."""
    pos = Idx(0, [(a, k) for a, k in c.expr.terms if k > 0])
    neg = Idx(0, [(a, -k) for a, k in c.expr.terms if k < 0])
    const = c.expr.const
    if c.kind == "ge":
        if not neg.terms:
            return Comparison(pos, ">=", Idx(-const))
        if const < 0 and pos.terms:
            return Comparison(neg, "<", pos + (const + 1))
        return Comparison(neg, "<=", pos + const)
    op = "==" if c.kind == "eq" else "!="
    if _is_variable(neg) and not _is_variable(pos):
        return Comparison(neg, op, pos + const)
    if not neg.terms and not pos.terms:
        return Comparison(Idx(const), op, Idx(0))
    return Comparison(pos, op, neg - const)


def _is_variable(i: Idx) -> bool:
    return len(i.terms) == 1 and i.terms[0][1] == 1 and not isinstance(i.terms[0][0], Size) and not i.const


def comparisons(cons: Iterable[Con]) -> list[Comparison]:
    """Constraints in readable form, ``0 <= l`` and ``l < L`` drawn together."""
    rest = [comparison(c) for c in cons]
    out: list[Comparison] = []
    while rest:
        c = rest.pop(0)
        upper: Comparison | None = None
        if c.op == ">=":
            upper = next((d for d in rest if d.op in ("<", "<=") and d.left == c.left), None)
            if upper is not None:
                rest.remove(upper)
                c = Comparison(upper.left, upper.op, upper.right, c.right)
        elif c.op in ("<", "<="):
            upper = next((d for d in rest if d.op == ">=" and d.left == c.left), None)
            if upper is not None:
                rest.remove(upper)
                c = Comparison(c.left, c.op, c.right, upper.right)
        out.append(c)
    return out


class Printer:
    """One walk over terms for every notation; subclasses supply the glyphs.

    avoid: names that bound indices must not get (besides those in the term).
    """

    def __init__(self, avoid: Iterable[str] = ()) -> None:
        self.avoid = frozenset(avoid)

    # -- glyphs: what a notation supplies -------------------------------------
    def number(self, q: Fraction) -> Piece:
        """A rational number >= 0."""
        raise NotImplementedError

    def variable(self, name: str) -> str:
        """An index."""
        raise NotImplementedError

    def size(self, name: str, args: Sequence[str]) -> str:
        """A problem size such as ``n(l)``."""
        raise NotImplementedError

    def multiple(self, factor: int, atom: str) -> str:
        """An integer multiple of an index atom."""
        raise NotImplementedError

    def application(self, name: str, idx: Sequence[str], args: Sequence[str]) -> Piece:
        """A symbol at printed indices and arguments."""
        raise NotImplementedError

    def function_of(self, names: Sequence[str], body: str) -> str:
        """An operator's argument: a function of indices."""
        raise NotImplementedError

    def operator(self, op: str, tight: bool = False) -> str:
        """The sign + - < <= >= == != or a comma, with its spacing; ``-u`` is a leading minus."""
        raise NotImplementedError

    def parenthesis(self, text: str) -> str:
        raise NotImplementedError

    def bracket(self, text: str) -> str:
        """An Iverson bracket."""
        raise NotImplementedError

    def product(self, coefficient: Piece | None, factors: Sequence[tuple[Piece, bool]]) -> Piece:
        """Factors, each with a mark whether it stands in the denominator."""
        raise NotImplementedError

    def power(self, base: Piece, exponent: str, compound: bool) -> str:
        """``base`` to an exponent; ``compound`` if the exponent has more than one atom."""
        raise NotImplementedError

    def big_sum(self, name: str, bound: Idx, names: tuple[str, ...], body: str) -> str:
        raise NotImplementedError

    # -- terms -----------------------------------------------------------------
    def fit(self, p: Piece, level: int) -> str:
        """The text of a piece, in parentheses where its operator is too weak."""
        return p.text if p.level >= level else self.parenthesis(p.text)

    def fresh(self, kind: str, names: tuple[str, ...]) -> str:
        return choose_name(kind, self.avoid.union(names))

    def index(self, i: Idx, names: tuple[str, ...]) -> str:
        """An index term; ``names`` are those of the enclosing binders, innermost first."""
        parts = []
        for a, k in i.terms:
            text = self.atom(a, names)
            parts.append((k, text if abs(k) == 1 else self.multiple(abs(k), text)))
        if i.const or not parts:
            parts.append((i.const, self.number(Fraction(abs(i.const))).text))
        out = ""
        for k, text in sorted(parts, key=lambda p: p[0] < 0):
            sign = self.operator("-" if out else "-u", True) if k < 0 else self.operator("+", True) if out else ""
            out += sign + text
        return out

    def atom(self, a: Atom, names: tuple[str, ...]) -> str:
        if isinstance(a, QVar):
            return self.variable(a.name)
        if isinstance(a, Bound):
            return self.variable(names[a.k] if a.k < len(names) else f"#{a.k - len(names)}")
        return self.size(a.name, [self.index(x, names) for x in a.args])

    def con(self, c: Con, names: tuple[str, ...] = ()) -> str:
        return self.compared(comparison(c), names)

    def compared(self, c: Comparison, names: tuple[str, ...] = ()) -> str:
        left, right = self.index(c.left, names), self.index(c.right, names)
        low = "" if c.low is None else self.index(c.low, names) + self.operator("<=")
        return low + left + self.operator(c.op) + right

    def cons(self, cons: Iterable[Con], names: tuple[str, ...] = ()) -> str:
        return self.operator(",").join(self.compared(c, names) for c in comparisons(cons))

    def top(self, t: Term, names: tuple[str, ...] = ()) -> str:
        """A whole term."""
        saved, self.avoid = self.avoid, self.avoid | reserved_names(t)
        try:
            return self.term(t, names).text
        finally:
            self.avoid = saved

    def term(self, t: Term, names: tuple[str, ...]) -> Piece:
        if isinstance(t, Num):
            if t.value >= 0:
                return self.number(t.value)
            return Piece(self.operator("-u") + self.number(-t.value).text, SUM)
        if isinstance(t, Add):
            return self._add(t, names)
        if isinstance(t, Mul):
            return self._mul(t, names)
        if isinstance(t, App):
            return self._app(t, names)
        if isinstance(t, Sum):
            name = self.fresh(range_kind(t.bound), names)
            inner = (name, *names)
            return Piece(self.big_sum(name, t.bound, names, self.fit(self.term(t.body, inner), PRODUCT)), PRODUCT)
        if isinstance(t, Pow):
            compound = len(t.exponent.terms) + bool(t.exponent.const) > 1 or t.exponent.const < 0
            compound = compound or any(k != 1 for _, k in t.exponent.terms)
            return Piece(self.power(self.term(t.base, names), self.index(t.exponent, names), compound), POWER)
        if isinstance(t, Inv):
            return self.product(None, [(self.term(t.arg, names), True)])
        if isinstance(t, IsZero):
            zero = self.operator("==") + self.number(Fraction(0)).text
            return Piece(self.bracket(self.term(t.arg, names).text + zero), ATOM)
        if isinstance(t, Iverson):
            return Piece(self.bracket(self.cons(t.cons, names)), ATOM)
        raise TypeError(f"show: unknown node {type(t).__name__}")

    def _app(self, t: App, names: tuple[str, ...]) -> Piece:
        args = [self.argument(a, names) for a in t.args]
        return self.application(t.name, [self.index(i, names) for i in t.idx], args)

    def argument(self, a: Lam, names: tuple[str, ...]) -> str:
        inner = names
        for _ in range(a.arity):
            inner = (self.fresh("unit", inner), *inner)
        body = self.term(a.body, inner).text
        return self.function_of(inner[: a.arity][::-1], body) if a.arity else body

    def _add(self, t: Add, names: tuple[str, ...]) -> Piece:
        if len(t.args) < 2:
            return self.term(t.args[0] if t.args else Num(0), names)
        out = ""
        for a in t.args:
            negative, piece = self._signed(a, names)
            sign = self.operator("-" if out else "-u") if negative else self.operator("+") if out else ""
            out += sign + self.fit(piece, PRODUCT)
        return Piece(out, SUM)

    def _signed(self, t: Term, names: tuple[str, ...]) -> tuple[bool, Piece]:
        """Split off a leading minus."""
        if isinstance(t, Num) and t.value < 0:
            return True, self.number(-t.value)
        if not isinstance(t, Mul) or len(t.args) < 2:
            return False, self.term(t, names)
        first, rest = t.args[0], t.args[1:]
        if not isinstance(first, Num):
            return False, self._factors(None, t.args, names)
        if first.value == -1:
            return True, self.term(rest[0], names) if len(rest) == 1 else self._factors(None, rest, names)
        return first.value < 0, self._factors(abs(first.value), rest, names)

    def _mul(self, t: Mul, names: tuple[str, ...]) -> Piece:
        if len(t.args) < 2:
            return self.term(t.args[0] if t.args else Num(1), names)
        negative, piece = self._signed(t, names)
        return Piece(self.operator("-u") + self.fit(piece, PRODUCT), SUM) if negative else piece

    def _factors(self, coefficient: Fraction | None, factors: Sequence[Term], names: tuple[str, ...]) -> Piece:
        """A product; equal neighbours become a power, reciprocals go below the line."""
        pieces: list[tuple[Piece, bool]] = []
        at, first = 0, coefficient is None
        while at < len(factors):
            f = factors[at]
            run = 1
            while at + run < len(factors) and factors[at + run] is f and not isinstance(f, Num):
                run += 1
            last = at + run == len(factors)
            at += run
            below = isinstance(f, Inv)
            bare = below or (last and isinstance(f, Sum)) or (first and isinstance(f, Num) and f.value >= 0)
            piece = self.term(f.arg if isinstance(f, Inv) else f, names)
            if run > 1:
                piece = Piece(self.power(piece, self.number(Fraction(run)).text, False), POWER)
            elif not bare:
                piece = Piece(self.fit(piece, POWER), POWER)
            first = False
            pieces.append((piece, below))
        return self.product(None if coefficient is None else self.number(coefficient), pieces)


class TextPrinter(Printer):
    """Plain text."""

    def number(self, q: Fraction) -> Piece:
        return Piece(str(q), ATOM if q.denominator == 1 else PRODUCT)

    def variable(self, name: str) -> str:
        return name

    def size(self, name: str, args: Sequence[str]) -> str:
        return f"{name}({','.join(args)})" if args else name

    def multiple(self, factor: int, atom: str) -> str:
        return f"{factor}*{atom}"

    def application(self, name: str, idx: Sequence[str], args: Sequence[str]) -> Piece:
        out = name + (f"[{','.join(idx)}]" if idx else "")
        return Piece(out + (f"({', '.join(args)})" if args else ""), ATOM)

    def function_of(self, names: Sequence[str], body: str) -> str:
        return f"{','.join(names)} -> {body}"

    def operator(self, op: str, tight: bool = False) -> str:
        if op == "-u":
            return "-"
        if op == ",":
            return ", "
        return op if tight else f" {op} "

    def parenthesis(self, text: str) -> str:
        return f"({text})"

    def bracket(self, text: str) -> str:
        return f"[{text}]"

    def product(self, coefficient: Piece | None, factors: Sequence[tuple[Piece, bool]]) -> Piece:
        out = coefficient.text if coefficient is not None else ""
        for piece, below in factors:
            if below:
                out = (out or "1") + "/" + self.fit(piece, POWER)
            else:
                out += ("*" if out else "") + piece.text
        return Piece(out, PRODUCT)

    def power(self, base: Piece, exponent: str, compound: bool) -> str:
        return f"{self.fit(base, ATOM)}^{'(' + exponent + ')' if compound else exponent}"

    def big_sum(self, name: str, bound: Idx, names: tuple[str, ...], body: str) -> str:
        return f"sum_{{{name}<{self.index(bound, names)}}} {body}"


def show(term: Term, names: Sequence[str] | None = None, avoid: Iterable[str] = ()) -> str:
    """A term as text.

    names: for the loose bound indices of ``term``, innermost first.
    avoid: names that the bound indices must not get.
    """
    return _show(term, tuple(names or ()), frozenset(avoid))


@lru_cache(maxsize=20_000)
def _show(term: Term, loose: tuple[str, ...], avoid: frozenset[str]) -> str:
    return TextPrinter(avoid.union(loose)).top(term, loose)


def show_con(c: Con) -> str:
    """A constraint as text."""
    return TextPrinter().con(c)


def show_guards(cons: Iterable[Con]) -> str:
    """Constraints as text, lower and upper bounds drawn together."""
    return TextPrinter().cons(cons)


def show_relation(r: Relation, avoid: Iterable[str] = ()) -> str:
    """A relation as text."""
    p = TextPrinter(reserved_names(*relation_terms(r)).union(avoid))
    if isinstance(r, (Eq, Ne, Le)):
        return f"{p.top(r.lhs)} { {Eq: '=', Ne: '!=', Le: '<='}[type(r)] } {p.top(r.rhs)}"
    if isinstance(r, Deriv):
        return f"{p.top(r.point)} has its declared derivatives"
    return f"D[{r.direction}]({p.top(r.term)}) = {p.top(r.tangent)}"


def show_statement(s: Statement) -> str:
    """A statement as one line of text."""
    relation = show_relation(s.relation, con_names(s.guards).union(s.variables))
    if not s.variables and not s.guards:
        return relation
    head = "for all " + ", ".join(s.variables) if s.variables else "where"
    guards = show_guards(s.guards)
    with_ = (" with " if s.variables else " ") + guards if guards else ""
    return f"{head}{with_}: {relation}"


def show_definition(d: Definition) -> str:
    """A definition as text, one line for each case."""
    head = d.name + (f"[{','.join(d.params)}]" if d.params else "")
    lines: list[tuple[str, str]] = []
    for case in d.cases:
        avoid = con_names(case.guard).union(d.params)
        lines.append((show(case.value, avoid=avoid), show_guards(case.guard)))
    if len(lines) == 1:
        value, guard = lines[0]
        return f"{head} := {value}" + (f"   if {guard}" if guard else "")
    width = min(max((len(v) for v, _ in lines), default=0), 80)
    rows = [f"    {v:<{width}}   if {g}" if g else f"    {v}" for v, g in lines]
    return "\n".join([f"{head} :=", *rows])


def show_theory(theory: Theory) -> str:
    """A whole theory as text."""
    out = ["sizes: " + ", ".join(_with_arity(n, k) for n, k in theory.sizes.items())]
    if theory.assumptions:
        out.append("assumptions: " + show_guards(theory.assumptions))
    if theory.symbols:
        out.append("symbols:")
        rows = [(_with_arity(s.name, s.arity), s.kind, s.shape, s.meaning) for s in theory.symbols.values()]
        widths = [max(len(r[k]) for r in rows) for k in range(3)]
        out += ["    " + "  ".join([*(c.ljust(w) for c, w in zip(r, widths)), r[3]]).rstrip() for r in rows]
    if theory.definitions:
        out.append("definitions:")
        for group in theory.definitions:
            out += ["    " + line for d in group for line in show_definition(d).splitlines()]
    out += _named("hypotheses", {n: show_statement(s) for n, s in theory.hypotheses.items()})
    directions = {n: ", ".join(f"{x} by {d}" for x, d in v.items()) for n, v in theory.directions.items()}
    out += _named("directions", directions)
    return "\n".join(out)


def _with_arity(name: str, arity: int) -> str:
    return name + ("(" + ",".join("." * arity) + ")" if arity else "")


def _named(title: str, rows: Mapping[str, str]) -> list[str]:
    return [title + ":", *(f"    {n}: {text}" for n, text in rows.items())] if rows else []
