"""What an update reads, and whether all of it lies in the neighbourhood.

``reads`` walks a term and gives every symbol in it with its index terms, the
ranges of the bound indices in them, and the guards under which it is read.
``decide`` compares each with the neighbourhood of the site (``neighbourhood``)
by linear integer arithmetic, so for all layers, units, depths and widths at once.

Beside a factor that is 0 nothing is read: an indicator gives a guard, and a
message through a weight is what is multiplied by it.

Not a theorem of the kernel: a decided property of a term.  Trusted are
``reads`` (that no symbol of the term is passed over) and ``arith.entails``.
That the update is this term is a theorem of the kernel (``pcproof.locality``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Union

from ..language.arith import entails, unsatisfiable
from ..language.index import Con, Idx, QVar, eq, ge, lt, ne, qvar, span
from ..language.show import choose_name, range_kind, show, show_guards
from ..language.signature import Theory
from ..language.terms import App, Iverson, Mul, Pow, Sum, Term, children, open_, open_lam, subst_idx
from .neighbourhood import Free, Held, Site


@dataclass(frozen=True)
class Read:
    """A symbol in an update.

    term: the symbol at index terms, bound indices named.  bound: these names with their ranges.
    guards: index constraints under which it matters, ranges included.
    beside: factors by which everything that is made of it is multiplied.
    """

    term: App
    bound: Free
    guards: tuple[Con, ...]
    beside: tuple[Term, ...] = ()

    @property
    def function(self) -> bool:
        """Is it a function or operator (and not a quantity)?"""
        return bool(self.term.args)

    @property
    def symbol(self) -> App:
        """Without arguments."""
        return App(self.term.name, self.term.idx)

    def __str__(self) -> str:
        names = {a.name for x in self.term.idx for a in x.atoms() if isinstance(a, QVar)}
        ranges = show_guards(c for n, bound in self.bound if n in names for c in span(qvar(n), 0, bound))
        return show(self.symbol) + (f", {ranges}" if ranges else "")


def reads(theory: Theory, term: Term, taken: Iterable[str] = ()) -> tuple[Read, ...]:
    """Every symbol in ``term``, functions and operators included; ``taken``: names that bound indices must not get."""
    out: list[Read] = []
    names = frozenset(taken)

    def bind(at: Read, bounds: tuple[Idx, ...]) -> tuple[Read, tuple[Idx, ...]]:
        new: list[tuple[str, Idx]] = []
        for x in bounds:
            used = names.union(n for n, _ in at.bound).union(n for n, _ in new)
            new.append((choose_name(range_kind(x), used), x))
        guards = tuple(c for n, x in new for c in span(qvar(n), 0, x))
        here = replace(at, bound=(*at.bound, *new), guards=(*at.guards, *guards))
        return here, tuple(qvar(n) for n, _ in new)

    def walk(s: Term, at: Read) -> None:
        if isinstance(s, Sum):
            inner, (index,) = bind(at, (s.bound,))
            walk(open_(s.body, index), inner)
        elif isinstance(s, App):
            out.append(replace(at, term=s))
            for n, lam in enumerate(s.args):
                inner, values = bind(at, theory.symbols[s.name].bounds(n, s.idx))
                walk(open_lam(lam.arity, lam.body, values), inner)
        elif isinstance(s, Mul):
            where = tuple(c for a in s.args if isinstance(a, Iverson) for c in a.cons)
            for n, a in enumerate(s.args):
                if not isinstance(a, Iverson):
                    others = s.args[:n] + s.args[n + 1 :]
                    filled = tuple(ge(x.bound, 1) for x in others if isinstance(x, Sum))  # an empty sum is 0
                    walk(a, replace(at, guards=(*at.guards, *where, *filled), beside=(*at.beside, *others)))
        elif isinstance(s, Pow):  # 1 where the exponent is not positive
            walk(s.base, replace(at, guards=(*at.guards, ge(s.exponent, 1))))
        else:
            for _, c in children(s):
                walk(c, at)

    walk(term, Read(App(""), (), ()))
    return tuple(out)


@dataclass(frozen=True)
class Fact:
    """``left op right`` between indices, entailed by the constraints ``by``; none are needed if both are the same."""

    left: Idx
    op: str
    right: Idx
    by: tuple[Con, ...] = ()

    @property
    def con(self) -> Con:
        return {"==": eq, ">=": ge, "<": lt}[self.op](self.left, self.right)

    def __str__(self) -> str:
        return f"{show_index(self.left)} {self.op} {show_index(self.right)}"


@dataclass(frozen=True)
class Obligation:
    """A read has to lie in the neighbourhood of the site.

    held: the neighbour that it is, or the one that it comes nearest to.
    facts: what was decided, each with what it follows from.  why: what is missing, "" if nothing is.
    """

    site: Site
    read: Read
    held: Held | None
    facts: tuple[Fact, ...] = ()
    why: str = ""

    @property
    def ok(self) -> bool:
        return not self.why

    @property
    def role(self) -> str:
        return self.held.role if self.held is not None else ""


Outcome = tuple[tuple[Fact, ...], Union[Fact, None]]


def decide(theory: Theory, site: Site, found: tuple[Read, ...]) -> tuple[Obligation, ...]:
    """One obligation for each read that can happen at all, that is whose guards can be met."""
    out: list[Obligation] = []
    for r in found:
        known = (*theory.assumptions, *site.guards, *r.guards)
        if not unsatisfiable(known):
            out.append(_function(theory, site, r, known) if r.function else _quantity(site, r, known))
    return tuple(out)


def _quantity(site: Site, r: Read, known: tuple[Con, ...]) -> Obligation:
    name = r.term.name
    if name in site.constants:
        return Obligation(site, r, Held(name, r.term.idx, "constant of the rule"))
    attempts = [_fits(site, r, h, known) for h in site.may if h.symbol == name]
    if not attempts:
        return Obligation(site, r, None, (), f"no {name} is held in the neighbourhood of a {site.kind}")
    return min(attempts, key=lambda o: (not o.ok, -len(o.facts)))


def _fits(site: Site, r: Read, h: Held, known: tuple[Con, ...]) -> Obligation:
    """Is the read this neighbour, for all values of the indices?"""
    idx, wanted = r.term.idx, []
    if r.term.name in site.timed and site.window is not None:
        wanted += [Fact(idx[0], ">=", site.window[0]), Fact(site.window[1], ">=", idx[0])]
        idx = idx[1:]
    values: dict[str, Idx] = {}
    for pattern, at in zip(h.idx, idx, strict=True):
        name = next((n for n, _ in h.free if pattern == Idx.of(qvar(n))), "")
        if name and name not in values:
            values[name] = at
        else:
            wanted.append(Fact(at, "==", subst_idx(pattern, values)))
    wanted += [f for n, bound in h.free if n in values for f in _in_range(values[n], Idx(0), subst_idx(bound, values))]
    if h.layer is not None and h.last is not None:
        wanted += _in_range(h.layer, h.first, h.last + 1)
    wanted += [Fact(h.layer or Idx(0), "==", Idx(0))] if h.output else []
    facts, missing = _follow(known, wanted)
    if missing is not None:
        return Obligation(site, r, h, facts, f"it is not the {h.role}: {_missing(known, missing)}")
    if h.through is not None:
        place = tuple(subst_idx(x, values) for x in h.through)
        weight = _factor(site, r, h.weights, place, known)
        if weight is None:
            text = show(App(h.weights[0], place))
            return Obligation(site, r, h, facts, f"it is not read through the own weight {text}")
        facts += weight
    return Obligation(site, r, h, facts)


def _missing(known: tuple[Con, ...], f: Fact) -> str:
    left, right = show_index(f.left), show_index(f.right)
    if f.op != "==":
        return f"{f} does not follow"
    return f"{left} is never {right}" if entails(known, ne(f.left, f.right)) else f"{left} need not be {right}"


def _in_range(at: Idx, first: Idx, end: Idx) -> list[Fact]:
    return [Fact(at, ">=", first), Fact(at, "<", end)]


def _factor(
    site: Site, r: Read, names: tuple[str, ...], place: tuple[Idx, ...], known: tuple[Con, ...]
) -> tuple[Fact, ...] | None:
    """Facts that show one of the factors to be the weight at ``place``."""
    stack = list(r.beside)
    while stack:
        s = stack.pop()
        if isinstance(s, Mul):
            stack += s.args
        if isinstance(s, App) and s.name in names and not s.args:
            own = s.idx[1:] if s.name in site.timed else s.idx
            facts, missing = _follow(known, [Fact(x, "==", y) for x, y in zip(own, place)])
            if missing is None:
                return facts
    return None


def _function(theory: Theory, site: Site, r: Read, known: tuple[Con, ...]) -> Obligation:
    """A function belongs to the layer of the unit whose quantity it is applied to."""
    name, layer = r.term.name, r.term.idx[0]
    if site.own is not None:
        facts, missing = _follow(known, [Fact(layer, "==", site.own)])
        if missing is None:
            return Obligation(site, r, Held(name, (layer,), "own function"), facts)
    places: list[Idx] = []
    for n, lam in enumerate(r.term.args):
        names = tuple(f"{k}?" for k in range(lam.arity))
        bounds = theory.symbols[name].bounds(n, r.term.idx)
        ranges = tuple(c for v, x in zip(names, bounds) for c in span(qvar(v), 0, x))
        body = open_lam(lam.arity, lam.body, tuple(qvar(v) for v in names))
        for inner in reads(theory, body, (*site.variables, *(v for v, _ in r.bound), *names)):
            if not inner.function:
                held = replace(inner, beside=(*r.beside, *inner.beside))
                found = _quantity(site, held, (*known, *ranges, *inner.guards))
                if found.ok and found.held is not None and found.held.layer is not None:
                    places.append(found.held.layer)
    choices = [[Fact(layer, "==", p) for p in places]] if places else [[Fact(layer, "==", p)] for p in site.layers]
    for wanted in choices:
        facts, missing = _follow(known, wanted)
        if missing is None:
            return Obligation(site, r, Held(name, (layer,), "function of the unit that it is applied to"), facts)
    why = f"{name} of layer {show_index(layer)} is no function of the unit that it is applied to"
    return Obligation(site, r, None, (), why)


def show_index(x: Idx) -> str:
    """An index as text."""
    return show(App("", (x,)))[1:-1]


def _follow(known: tuple[Con, ...], wanted: list[Fact]) -> Outcome:
    """The wanted facts with constraints that entail them, up to the first that nothing entails."""
    facts: list[Fact] = []
    for f in dict.fromkeys(wanted):
        if not entails(known, f.con):
            return tuple(facts), f
        by = list(dict.fromkeys(known))
        for k in list(by):
            rest = [x for x in by if x is not k]
            if entails(rest, f.con):
                by = rest
        facts.append(replace(f, by=tuple(by)))
    return tuple(facts), None
