"""The notation of the papers: which index of which symbol stands where.

Indices of a symbol come in the order time, layer, batch, unit, second unit
(``t l b i j``), as far as the symbol has them.  The layer is a superscript,
unit and time are subscripts, the batch index is a superscript in parentheses:
``x[t,l,b,i]`` reads x_{i,t}^{l,(b)}.

Units and batch indices are counted from 0 in terms and from 1 in the papers.
An object is printed from 1 throughout where that is only a change of names,
and from 0 throughout otherwise (``one_based`` decides).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from ..language.index import Bound, Con, Idx, QVar, Size
from ..language.show import ATOM, POWER, Comparison, Piece, Printer, comparisons, range_kind
from ..language.terms import App, Iverson, Sum, Term, children, indices


@dataclass(frozen=True)
class Glyph:
    """How a symbol is written.

    latex, mathml: the head, without indices.
    layouts: for every number of indices the role of each, as letters of
        ``tlbij``; another number of indices gives plain subscripts.
    label: fixed text in the superscript, such as "in" and "out".
    prime: a derivative mark.
    below: the layer is a subscript (activations: f_l).
    """

    latex: str
    mathml: str
    layouts: tuple[str, ...] = ()
    label: str = ""
    prime: bool = False
    below: bool = False

    def roles(self, arity: int) -> str | None:
        """The layout for a number of indices, None if there is none."""
        return next((r for r in self.layouts if len(r) == arity), None)


_NODE = ("tlbi", "lbi", "li", "i")
_EDGE = ("tlij", "lij", "li")
_BIAS = ("tli", "li", "i")

NOTATION: dict[str, Glyph] = {
    "x": Glyph("x", "x", _NODE),
    "y": Glyph("y", "y", _NODE),
    "mu": Glyph(r"\mu", "μ", _NODE),
    "eps": Glyph(r"\varepsilon", "ε", _NODE),
    "delta": Glyph(r"\delta", "δ", _NODE),
    "theta": Glyph(r"\theta", "θ", _EDGE),
    "w": Glyph("w", "w", _EDGE),
    "W": Glyph("W", "W", _EDGE),
    "b": Glyph("b", "b", _BIAS),
    "bias": Glyph("b", "b", _BIAS),
    "beta": Glyph(r"\beta", "β", _BIAS),
    "c": Glyph("c", "c", _BIAS),
    "mu_mixed": Glyph(r"\tilde{\mu}", "μ̃", _NODE),
    "eps_mixed": Glyph(r"\tilde{\varepsilon}", "ε̃", _NODE),
    "f": Glyph("f", "f", ("l", ""), below=True),
    "df": Glyph("f", "f", ("l", ""), prime=True, below=True),
    "f'": Glyph("f", "f", ("l", ""), prime=True, below=True),
    "P": Glyph("P", "P", ("li",)),
    "Jx": Glyph("J", "J", ("lij",), label="x"),
    "Jp": Glyph("J", "J", ("lij",), label="p"),
    "s_in": Glyph("s", "s", ("bi", "i"), label="in"),
    "s_out": Glyph("s", "s", ("bi", "i"), label="out"),
    "gamma": Glyph(r"\gamma", "γ", ("l", "")),
    "alpha": Glyph(r"\alpha", "α", ("l", "")),
    "F": Glyph("F", "F", ("t", "")),
    "E": Glyph("E", "E", ("t", "")),
}

_SMALL = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi"
_CAPITAL = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
GREEK: dict[str, str] = {
    **dict(zip(f"{_SMALL} omega".split(), "αβγδεζηθικλμνξπρστυφχψω")),
    **dict(zip(_CAPITAL.split(), "ΓΔΘΛΞΠΣΥΦΨΩ")),
}


def glyph_of(name: str, notation: Mapping[str, Glyph]) -> Glyph | None:
    """The glyph of a symbol; ``d`` before the name of a node or weight is a change, as in Δθ."""
    if name not in notation and name[:1] == "d" and name[1:] in notation:
        g = notation[name[1:]]
        if not g.below and g.layouts:
            return replace(g, latex=rf"\Delta {g.latex}", mathml="Δ" + g.mathml)
    return notation.get(name)


@dataclass(frozen=True)
class Scripts:
    """Printed indices of a symbol, sorted into places."""

    lower: tuple[str, ...]
    upper: tuple[str, ...]
    batch: str | None


def scripts(glyph: Glyph | None, idx: Sequence[str]) -> Scripts:
    """Where the printed indices go: units, time below; layer, batch above."""
    roles = glyph.roles(len(idx)) if glyph is not None else None
    if roles is None:
        return Scripts(tuple(idx), (), None)
    at = dict(zip(roles, idx))
    below = glyph is not None and glyph.below
    lower = tuple(at[r] for r in ("lijt" if below else "ijt") if r in at)
    return Scripts(lower, (at["l"],) if "l" in at and not below else (), at.get("b"))


# -- counting from 1 ----------------------------------------------------------
def _is_unit(bound: Idx) -> bool:
    return range_kind(bound) in ("unit", "batch")


def unit_variables(cons: Iterable[Con]) -> frozenset[str]:
    """Variables that the constraints put between 0 and a width or batch size."""
    return frozenset(v for v in map(unit_range, comparisons(cons)) if v is not None)


def unit_range(c: Comparison) -> str | None:
    """The variable v of ``0 <= v < width``."""
    if c.low == Idx(0) and c.op == "<" and _is_unit(c.right):
        atom = _bare(c.left)
        return atom.name if isinstance(atom, QVar) else None
    return None


def _bare(i: Idx) -> QVar | Bound | None:
    if len(i.terms) == 1 and not i.const and i.terms[0][1] == 1 and not isinstance(i.terms[0][0], Size):
        return i.terms[0][0]
    return None


class _Survey:
    """Where unit indices occur in some terms; finds out whether all of them are mere names."""

    def __init__(self, notation: Mapping[str, Glyph], variables: frozenset[str]) -> None:
        self.notation = notation
        self.units = set(variables)
        self.positions: set[tuple[str, int, int]] = set()
        self.sound = True

    def _unit_atom(self, a: object, env: tuple[bool, ...]) -> bool:
        if isinstance(a, Bound):
            return a.k < len(env) and env[a.k]
        return isinstance(a, QVar) and a.name in self.units

    def find(self, t: Term, env: tuple[bool, ...]) -> None:
        """Collect the positions in which symbols are indexed by units."""
        if isinstance(t, App):
            glyph = glyph_of(t.name, self.notation)
            roles = glyph.roles(len(t.idx)) if glyph else None
            for k, i in enumerate(t.idx):
                if roles[k] in "bij" if roles else self._unit_atom(_bare(i), env):
                    self.positions.add((t.name, len(t.idx), k))
        for c, inner in _below(t, env):
            self.find(c, inner)

    def learn(self, t: Term) -> None:
        """Variables at unit positions are units."""
        if isinstance(t, App):
            for k, i in enumerate(t.idx):
                atom = _bare(i)
                if (t.name, len(t.idx), k) in self.positions and isinstance(atom, QVar):
                    self.units.add(atom.name)
        for _, c in children(t):
            self.learn(c)

    def check(self, t: Term, env: tuple[bool, ...]) -> None:
        if isinstance(t, App):
            for k, i in enumerate(t.idx):
                if (t.name, len(t.idx), k) in self.positions:
                    atom = _bare(i)
                    self.sound = self.sound and atom is not None and self._unit_atom(atom, env)
                else:
                    self.plain(i, env)
        elif isinstance(t, Iverson):
            for con in t.cons:
                self.con(con, env)
        else:
            for i in indices(t):
                self.plain(i, env)
        for c, inner in _below(t, env):
            self.check(c, inner)

    def plain(self, i: Idx, env: tuple[bool, ...] = ()) -> None:
        if any(self._unit_atom(a, env) for a in i.atoms()):
            self.sound = False

    def con(self, c: Con, env: tuple[bool, ...] = ()) -> None:
        """A constraint; ``i == j`` between two units stays true when both are counted from 1."""
        e = c.expr
        if not e.const and len(e.terms) == 2 and e.terms[0][1] == -e.terms[1][1] and abs(e.terms[0][1]) == 1:
            first, second = (self._unit_atom(a, env) for a, _ in e.terms)
            if first and second:
                return
        self.plain(e, env)


def _below(t: Term, env: tuple[bool, ...]) -> Iterable[tuple[Term, tuple[bool, ...]]]:
    if isinstance(t, Sum):
        return ((t.body, (_is_unit(t.bound), *env)),)
    return tuple((c, (True,) * depth + env) for depth, c in children(t))


def one_based(terms: Sequence[Term], guards: Sequence[Sequence[Con]], notation: Mapping[str, Glyph]) -> bool:
    """May units and batch indices be counted from 1 in all of this, by a mere change of names?"""
    variables: frozenset[str] = frozenset().union(*(unit_variables(g) for g in guards))
    survey = _Survey(notation, variables)
    known = -1
    while known != len(survey.units) + len(survey.positions):
        known = len(survey.units) + len(survey.positions)
        for t in terms:
            survey.find(t, ())
            survey.learn(t)
    for t in terms:
        survey.check(t, ())
    for group in guards:
        for c in comparisons(group):
            if unit_range(c) is None:
                for side in (c.left, c.right, *(() if c.low is None else (c.low,))):
                    survey.plain(side)
            else:
                survey.plain(c.right)
    return survey.sound


class PaperPrinter(Printer):
    """What LaTeX and MathML share: notation table, counting from 1."""

    def __init__(
        self,
        avoid: Iterable[str] = (),
        notation: Mapping[str, Glyph] | None = None,
        terms: Sequence[Term] = (),
        guards: Sequence[Sequence[Con]] = (),
    ) -> None:
        super().__init__(avoid)
        self.notation = NOTATION if notation is None else notation
        self.from_one = one_based(terms, guards, self.notation)

    def compared(self, c: Comparison, names: tuple[str, ...] = ()) -> str:
        if self.from_one and unit_range(c) is not None:
            c = Comparison(c.left, "<=", c.right, Idx(1))
        return super().compared(c, names)

    def bounds(self, bound: Idx, names: tuple[str, ...]) -> tuple[str, str]:
        """Lower and upper end of a sum, both included, as printed."""
        if self.from_one and _is_unit(bound):
            return self.number(Fraction(1)).text, self.index(bound, names)
        return self.number(Fraction(0)).text, self.index(bound - 1, names)

    def application(self, name: str, idx: Sequence[str], args: Sequence[str]) -> Piece:
        glyph = glyph_of(name, self.notation)
        head = self.head(name, glyph)
        where = scripts(glyph, idx)
        upper = list(where.upper)
        if glyph is not None and glyph.label:
            upper.append(self.label(glyph.label))
        if where.batch is not None:
            upper.append(self.small_parenthesis(where.batch))
        prime = glyph is not None and glyph.prime
        text = self.scripted(head, self.listed(where.lower), self.listed(upper), prime)
        if args:
            return Piece(self.applied(text, self.operator(",").join(args)), ATOM)
        return Piece(text, POWER if upper or prime else ATOM)

    # -- glyphs ------------------------------------------------------------------
    def head(self, name: str, glyph: Glyph | None) -> str:
        raise NotImplementedError

    def label(self, text: str) -> str:
        raise NotImplementedError

    def small_parenthesis(self, text: str) -> str:
        raise NotImplementedError

    def listed(self, parts: Sequence[str]) -> str:
        raise NotImplementedError

    def scripted(self, head: str, lower: str, upper: str, prime: bool) -> str:
        raise NotImplementedError

    def applied(self, function: str, arguments: str) -> str:
        raise NotImplementedError
