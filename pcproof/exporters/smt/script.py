"""The script of one obligation: text of indices, terms and relations, and what has to be declared for it.

A term that depends on a bound index is a *closure*: a new function symbol for the term with every index expression cut
in two, what is bound inside and what is not, applied to the parts that are not.  So ``sum_j x[l, j+1]`` is
``(sum n (f0 l 1))`` with ``(ap1 (f0 h0 h1) j) = (u_x h0 (+ j h1))``, and a solver that puts ``l + 1`` for ``l`` gets
the closure of the term in which the same is done.  What a closure is at an index is said where an obligation needs it.

Terms are read in two ways: as real numbers (sort V), and as functions of the step along a direction (sort C), about
which derivatives are stated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from . import names
from .certificate import Certificate, Context, Relation, Statement, Term
from .indices import Con, Index, SmtError, atoms, number, plus
from .laws import GIVEN, OPAQUE, Prelude

MAX_WORK = 200_000


class Script:
    """Assertions in order.  ``laws``: laws of sums used; ``assumed``: kinds of facts taken for granted."""

    def __init__(self, certificate: Certificate) -> None:
        self.certificate = certificate
        self.theory = certificate.theory
        self.prelude = Prelude(OPAQUE)
        self.lines: list[str] = []
        self.laws: list[str] = []
        self.assumed: list[str] = []
        self._closures: dict[Any, str] = {}
        self._hypotheses: dict[Statement, str] = {}
        self._numbers: dict[str, Fraction] = {}
        self._count: dict[str, int] = {}
        self._work = 0

    # -- declarations --------------------------------------------------------------
    def fresh(self, kind: str) -> str:
        self._count[kind] = self._count.get(kind, -1) + 1
        return f"{kind}{self._count[kind]}"

    def declare(self, name: str, sorts: Sequence[str], result: str) -> str:
        if name not in self.prelude.lines:
            for sort in (*sorts, result):
                self.sort(sort)
            self.prelude.lines[name] = f"(declare-fun {name} ({' '.join(sorts)}) {result})"
        return name

    def sort(self, sort: str) -> str:
        """V, C, or functions of k indices into them: F<k>, G<k>."""
        if sort not in ("Int", "Bool") and sort not in self.prelude.lines:
            if sort in OPAQUE:
                self.prelude.use(sort)
            else:
                self.prelude.lines[sort] = f"(declare-sort {sort} 0)"
        return sort

    def constant(self, kind: str = "j") -> str:
        """A new integer of which nothing is known."""
        return self.declare(self.fresh(kind), [], "Int")

    def lambda_sort(self, arity: int, moving: bool = False) -> str:
        return ("G" if moving else "F") + str(arity) if arity else ("C" if moving else "V")

    def operation(self, name: str, moving: bool = False) -> str:
        """plus, times, pow, inv, iszero, le, sum, ap<k>."""
        if not moving and name in OPAQUE:
            return self.prelude.use(name)
        v = self.lambda_sort(0, moving)
        if name.startswith("ap"):
            k = int(name[2:])
            sorts = [self.lambda_sort(k, moving), *["Int"] * k]
        else:
            sorts = {
                "plus": [v, v],
                "times": [v, v],
                "pow": [v, "Int"],
                "sum": ["Int", self.lambda_sort(1, moving)],
            }.get(name, [v])
        return self.declare(("c" if moving else "") + name, sorts, v)

    def app(self, name: str, moving: bool = False) -> str:
        s = self.theory.symbols[name]
        sorts = ["Int"] * s.arity + [self.lambda_sort(len(r), moving) for r in s.ranges]
        return self.declare(names.symbol(name, moving), sorts, self.lambda_sort(0, moving))

    def number(self, q: Fraction, moving: bool = False) -> str:
        text = f"num_{q}"
        if moving:
            return self.declare("c" + text, [], "C")
        self._numbers[text] = q
        return self.prelude.use(text) if text in OPAQUE else self.declare(text, [], "V")

    # -- indices ---------------------------------------------------------------------
    def index(self, i: Index, scope: Sequence[str] = (), own: Mapping[str, str] | None = None) -> str:
        """``scope``: what bound indices stand for, the innermost last; ``own``: what variables stand for."""
        const, pairs = i
        parts = []
        for c, atom in pairs:
            kind, what, *inner = atom
            if kind == "bound":
                if what >= len(scope):
                    raise SmtError("a bound index stands outside its sum")
                text = scope[-1 - what]
            elif kind == "var":
                text = names.variable(what) if own is None or what not in own else own[what]
            else:
                text = self.declare(names.size(what), ["Int"] * len(inner), "Int")
                if inner:
                    text = f"({text} {' '.join(self.index(x, scope, own) for x in inner)})"
            parts.append(text if c == 1 else f"(* {literal(c)} {text})")
        if const or not parts:
            parts.append(literal(const))
        return parts[0] if len(parts) == 1 else f"(+ {' '.join(parts)})"

    def con(self, c: Con, scope: Sequence[str] = (), own: Mapping[str, str] | None = None) -> str:
        kind, i = c
        e = self.index(i, scope, own)
        return {"ge": f"(>= {e} 0)", "eq": f"(= {e} 0)", "ne": f"(distinct {e} 0)"}[kind]

    def cons(self, cs: Sequence[Con], scope: Sequence[str] = ()) -> str:
        return conjunction([self.con(c, scope) for c in cs])

    # -- terms -------------------------------------------------------------------------
    def term(self, t: Term, scope: Sequence[str] = (), moving: bool = False) -> str:
        self._work += 1
        if self._work > MAX_WORK:
            raise SmtError("a term is too large to be written")
        kids = [p for _, p in t.parts]
        if t.op == "num":
            return self.number(t.data, moving)
        if t.op in ("add", "mul"):
            return self.fold(t.op, [self.term(p, scope, moving) for p in kids], moving)
        if t.op == "pow":
            f = self.operation("pow", moving)
            return f"({f} {self.term(kids[0], scope, moving)} {self.index(t.data, scope)})"
        if t.op in ("inv", "iszero"):
            return f"({self.operation(t.op, moving)} {self.term(kids[0], scope, moving)})"
        if t.op == "iverson":
            one, zero = self.number(Fraction(1), moving), self.number(Fraction(0), moving)
            return f"(ite {self.cons(t.data, scope)} {one} {zero})"
        if t.op == "sum":
            f = self.operation("sum", moving)
            return f"({f} {self.index(t.data, scope)} {self.function(kids[0], 1, scope, moving)})"
        name, idx = t.data
        parts = [self.index(i, scope) for i in idx] + [self.function(p, k, scope, moving) for k, p in t.parts]
        head = self.app(name, moving)
        return f"({head} {' '.join(parts)})" if parts else head

    def fold(self, op: str, parts: Sequence[str], moving: bool = False) -> str:
        if not parts:
            return self.number(Fraction(0 if op == "add" else 1), moving)
        f = self.operation("plus" if op == "add" else "times", moving)
        out = parts[0]
        for p in parts[1:]:
            out = f"({f} {out} {p})"
        return out

    def function(self, body: Term, arity: int, scope: Sequence[str] = (), moving: bool = False) -> str:
        """A term as a function of ``arity`` indices: a closure applied to what is free in it."""
        if not arity:
            return self.term(body, scope, moving)
        holes: list[str] = []
        key = (moving, arity, self._skeleton(body, arity, scope, holes))
        if key not in self._closures:
            sort = self.lambda_sort(arity, moving)
            self._closures[key] = self.declare(self.fresh("g" if moving else "f"), ["Int"] * len(holes), sort)
        return f"({self._closures[key]} {' '.join(holes)})" if holes else self._closures[key]

    def _skeleton(self, t: Term, own: int, scope: Sequence[str], holes: list[str]) -> Any:
        self._work += 1
        if self._work > MAX_WORK:
            raise SmtError("a term is too large to be written")

        def cut(i: Index) -> Any:
            """The part of an index that the binders inside decide; the rest goes into a hole."""
            inside: list[Any] = []
            rest = number(i[0])
            for c, atom in i[1]:
                if not any(a[0] == "bound" and a[1] < own for a in atoms((0, ((1, atom),)))):
                    rest = plus(rest, (0, ((c, _outwards(atom, own)),)))
                elif atom[0] == "bound":
                    inside.append((c, atom))
                else:
                    inside.append((c, ("size", atom[1], *(cut(x) for x in atom[2:]))))
            holes.append(self.index(rest, scope))
            return tuple(inside)

        if t.op in ("add", "mul") and len(t.parts) == 1:
            return self._skeleton(t.parts[0][1], own, scope, holes)
        if t.op == "app":
            data: Any = (t.data[0], tuple(map(cut, t.data[1])))
        elif t.op == "iverson":
            data = tuple((kind, cut(e)) for kind, e in t.data)
        else:
            data = cut(t.data) if t.op in ("pow", "sum") else t.data
        return t.op, data, tuple((k, self._skeleton(p, own + k, scope, holes)) for k, p in t.parts)

    # -- relations ---------------------------------------------------------------------
    def relation(self, r: Relation) -> str:
        kind = r[0]
        if kind == "deriv":
            return self.derivative(r[1])
        if kind == "tangent":
            return self.tangent(r[1], self.term(r[2], (), True), self.term(r[3]))
        a, b = self.term(r[1]), self.term(r[2])
        head = {"eq": "=", "ne": "distinct"}.get(kind) or self.operation(kind)
        return f"({head} {a} {b})"

    def tangent(self, direction: str, moving: str, value: str) -> str:
        return f"({self.declare(names.tangent(direction), ['C', 'V'], 'Bool')} {moving} {value})"

    def derivative(self, t: Term) -> str:
        """The declared derivatives of the symbol are its derivatives at this point."""
        name, idx = t.data
        sorts = ["Int"] * len(idx) + [self.lambda_sort(k) for k, _ in t.parts]
        head = self.declare(names.derivative(name), sorts, "Bool")
        return f"({' '.join([head, *map(self.index, idx), *(self.function(p, k) for k, p in t.parts)])})"

    def open_hypothesis(self, s: Statement) -> str:
        """A local hypothesis as a name for what it says, of the free variables in it; without variables, as it is."""
        if not s.variables:
            return implies([self.con(g) for g in s.where], self.relation(s.holds))
        used = {a[1] for _, i in s.where for a in atoms(i) if a[0] == "var"}
        for x in s.holds[1:]:
            used |= x.free if isinstance(x, Term) else set()
        free = sorted(used - set(s.variables))
        if s not in self._hypotheses:
            self._hypotheses[s] = self.declare(self.fresh("h"), ["Int"] * len(free), "Bool")
        head = self._hypotheses[s]
        return f"({head} {' '.join(map(names.variable, free))})" if free else head

    def context(self, c: Context) -> list[str]:
        return [self.con(g) for g in c.where] + [self.open_hypothesis(h) for h in c.given]

    # -- lines ---------------------------------------------------------------------------
    def check(self, formula: str) -> None:
        self.lines.append(f"(assert {formula})")

    def define(self, kind: str, variables: Sequence[str], body: str) -> str:
        """A predicate of integers; the solver puts values in."""
        name = self.fresh(kind)
        binders = " ".join(f"({names.variable(v)} Int)" for v in variables)
        self.lines.append(f"(define-fun {name} ({binders}) Bool {body})")
        return name

    def variables(self, vs: Sequence[str]) -> None:
        for v in vs:
            self.declare(names.variable(v), [], "Int")

    def enter(self, c: Context) -> None:
        """The variables, guards and hypotheses of a context, and the assumptions on sizes."""
        self.variables(c.variables)
        for text in [*map(self.con, self.theory.assumptions), *self.context(c)]:
            self.check(text)

    def law(self, name: str, *arguments: str) -> None:
        """A law of sums (its obligations are in ``laws``) at terms."""
        if name not in self.laws:
            self.laws.append(name)
        self.check(call(self.prelude.law(name), arguments))

    def given(self, name: str, *arguments: str) -> None:
        """What an operation means (``laws.GIVEN``) at terms."""
        assert name in GIVEN
        self.check(call(self.prelude.given(name), arguments))

    def assume(self, kind: str, formula: str) -> None:
        """A fact that no solver is asked to prove: a rule of derivatives, or a property declared of an operator."""
        if kind not in self.assumed:
            self.assumed.append(kind)
        self.check(formula)

    def at(self, body: Term, arity: int, values: Sequence[str], scope: Sequence[str] = (), moving: bool = False) -> str:
        """Says what a closure is at these indices; returns that value."""
        value = self.term(body, [*scope, *values], moving)
        self.check(f"(= {self.apply(self.function(body, arity, scope, moving), values, moving)} {value})")
        return value

    def apply(self, function: str, values: Sequence[str], moving: bool = False) -> str:
        return f"({self.operation(f'ap{len(values)}', moving)} {function} {' '.join(values)})" if values else function

    def text(self, goal: str | None) -> str:
        """The whole script, without ``check-sat``; ``goal``: what is to follow (None: the assertions contradict)."""
        lines = [*self.lines, *([f"(assert (not {goal}))"] if goal is not None else [])]
        return "\n".join(["(set-logic QF_UFLIA)", *self.prelude.lines.values(), *lines])


def _outwards(atom: Any, own: int) -> Any:
    """An atom as it stands outside of ``own`` binders."""
    if atom[0] == "bound":
        return "bound", atom[1] - own
    if atom[0] == "size":
        return (*atom[:2], *((i[0], tuple((c, _outwards(a, own)) for c, a in i[1])) for i in atom[2:]))
    return atom


def literal(k: int) -> str:
    return str(k) if k >= 0 else f"(- {-k})"


def conjunction(parts: Sequence[str]) -> str:
    if len(parts) < 2:
        return parts[0] if parts else "true"
    return f"(and {' '.join(parts)})"


def implies(given: Sequence[str], conclusion: str) -> str:
    return f"(=> {conjunction(given)} {conclusion})" if given else conclusion


def call(name: str, arguments: Sequence[str]) -> str:
    return f"({name} {' '.join(arguments)})" if arguments else name
