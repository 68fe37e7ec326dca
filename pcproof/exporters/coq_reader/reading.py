"""What a .v file says: its theory and its theorem, in the tuples of ``canon``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import fixed
from .canon import Linear, Value, variable
from .elaborate import Elaborator, Local, Symbol, type_of
from .file import File
from .lexer import NotUnderstood, Sentence
from .spelling import after
from .syntax import Tree, header, inductive, record, statement

PARAMS: Tree = ("name", "params")
PROP: Tree = ("name", "Prop")
P: Tree = ("name", "p")
TOP = Local().having("p", "params", "p")
THEOREM = "certified"


@dataclass
class Equations:
    """A defined symbol: its cases (guards, value) in order, and its measure; variable k is ``("var", k)``."""

    parameters: int
    cases: list[tuple[tuple[Value, ...], Value]]
    measure: tuple[Linear, ...] = ()


@dataclass
class Reading:
    """The claim of a file.

    fields: kind, name, types of arguments and type of value of each field of the record.  groups: names of the symbols
    that are defined together.  equations: what is proved of a symbol in a case.  hypotheses_ok: the names joined in it.
    problems: line and what was not understood.
    """

    fields: list[tuple[str, str, tuple[Any, ...], str]] = field(default_factory=list)
    directions: dict[str, list[Value]] = field(default_factory=dict)
    theory_ok: Value | None = None
    groups: list[tuple[str, ...]] = field(default_factory=list)
    definitions: dict[str, Equations] = field(default_factory=dict)
    equations: dict[tuple[str, int], Value] = field(default_factory=dict)
    hypotheses: dict[str, Value] = field(default_factory=dict)
    hypotheses_ok: list[str] | None = None
    goal: Value | None = None
    problems: list[tuple[int, str]] = field(default_factory=list)


def read(file: File) -> Reading:
    return _Reader(file).out


class _Reader:
    def __init__(self, file: File) -> None:
        self.file, self.out = file, Reading(problems=list(file.problems))
        self.known = Elaborator(frozenset(fixed.STANDARD | fixed.EXPECTED.keys()))
        self.maker = ""
        self.now = 0
        self.recursions: dict[str, _Recursion] = {}
        known_as: list[tuple[str, str, Callable[[Sentence], None]]] = [
            ("Record", "params", self._record),
            ("Definition", "theory_ok", self._theory_ok),
            ("Definition", "hypotheses_ok", self._hypotheses_ok),
            ("Theorem", THEOREM, self._theorem),
            ("Definition", "v_", self._direction),
            ("Definition", "u_", self._symbol),
            ("Definition", "h_", self._hypothesis),
            ("Lemma", "c#_", self._equation),
        ]
        for name, sentence in file.named.items():
            if sentence.tokens[1] != name:
                continue
            self.now = file.place[name]
            for first, what, reader in known_as:
                if sentence.first == first and _called(name, what):
                    try:
                        reader(sentence)
                    except NotUnderstood as e:
                        self.out.problems.append((sentence.line, f"{name}: {e.what}"))
        for name, recursion in self.recursions.items():
            if set(recursion.symbols) != set(recursion.bodies):
                self.out.problems.append((0, f"{name}: a call of the recursion belongs to no symbol"))

    def _earlier(self, name: str, first: str) -> Sentence:
        """The sentence that defined a name before the one that is being read."""
        sentence = self.file.named.get(name)
        if sentence is None or self.file.place[name] >= self.now or sentence.tokens[:2] != (first, name):
            raise NotUnderstood(f"{name!r} is not defined before by {first}")
        return sentence

    def _header(self, s: Sentence, kind: Tree, more: int = 0) -> tuple[str, Sequence[tuple[str, Tree]], Tree]:
        """Name, binders after ``(p : params)`` and body of a definition."""
        name, binders, found, body = header(s.tokens)
        if binders[:1] != [("p", PARAMS)] or found != kind or (more >= 0 and len(binders) != 1 + more):
            raise NotUnderstood("the definition has other binders or another type than expected")
        return name, binders[1:], body

    # -- what the theorem is quantified over ---------------------------------------
    def _record(self, s: Sentence) -> None:
        self.maker, rows = record(s.tokens)
        for spelled, tree in rows:
            kind = type_of(tree)
            types, result = (kind[:-1], kind[-1]) if isinstance(kind, tuple) else ((), kind)
            what = {"z": "size", "u": "symbol", "o": "elsewhere"}.get(spelled[:1], "")
            name = after(spelled[:1] if what else "z, u or o", spelled)
            self.out.fields.append((what, name, types, result))
            if (what == "size") != (result == "Z"):
                raise NotUnderstood(f"{spelled!r} has another type than its name says")
            self.known.symbols[spelled] = Symbol(("elsewhere", name) if what == "elsewhere" else name, types, result)

    def _direction(self, s: Sentence) -> None:
        name, binders, body = self._header(s, PARAMS, 1)
        if binders[0][1] != ("name", "R"):
            raise NotUnderstood("a direction takes one real number")
        _, local = self.known.bind(binders, TOP)
        self._earlier("params", "Record")
        if body[0] != "app" or body[1] != ("name", self.maker) or len(body[2]) != len(self.out.fields):
            raise NotUnderstood(f"a direction does not give a value to each field by {self.maker!r}")
        values = [self.known.function(t, f[2], f[3], local) for t, f in zip(body[2], self.out.fields)]
        self.out.directions[after("v", name)] = values
        self.known.directions[name] = after("v", name)

    def _theory_ok(self, s: Sentence) -> None:
        self.out.theory_ok = self.known.proposition(self._header(s, PROP)[2], TOP)

    # -- definitions -----------------------------------------------------------------
    def _symbol(self, s: Sentence) -> None:
        spelled, binders, body = self._header(s, ("name", "R"), -1)
        name = after("u", spelled)
        types, local = self.known.bind(binders, TOP)
        if any(t != "Z" for t in types):
            raise NotUnderstood("a defined symbol takes integers only")
        own = tuple(variable(k) for k in range(len(types)))
        if body[0] == "app" and body[2][:1] == [P] and body[1][0] == "name" and len(body[2]) == 2:
            if body[1][1] not in self.known.symbols:
                self._recursive(name, body, own, local)
                self.known.symbols[spelled] = Symbol(name, tuple(types), "R")
                return
        cases, last = self.known.cases(body, local)
        self._elsewhere(name, last, own)
        self.out.groups.append((name,))
        self.out.definitions[name] = Equations(len(types), cases)
        self.known.symbols[spelled] = Symbol(name, tuple(types), "R")

    def _elsewhere(self, name: str, last: Value, own: tuple[Linear, ...]) -> None:
        if last != ("app", "p", ("elsewhere", name), own, ()):
            raise NotUnderstood("where no case applies the value is not the arbitrary one of this symbol")

    def _recursive(self, name: str, body: Tree, own: tuple[Linear, ...], local: Local) -> None:
        """``u_name p i ... := eval p (k i ...)``"""
        evaluator = body[1][1]
        if evaluator not in self.recursions:
            self.recursions[evaluator] = self._recursion(evaluator)
        recursion = self.recursions[evaluator]
        constructor, values = self.known.constructed(body[2][1], local)
        if values != own or constructor not in recursion.bodies or constructor in recursion.symbols:
            raise NotUnderstood("a defined symbol is not its own call of the recursion")
        recursion.symbols[constructor] = name
        if len(recursion.symbols) < len(recursion.bodies):
            return
        names = recursion.symbols
        self.out.groups.append(tuple(names[k] for k in recursion.bodies))
        for k, (cases, last) in recursion.bodies.items():
            count = self.known.constructors[k]
            self._elsewhere(names[k], last, tuple(variable(m) for m in range(count)))
            resolved = [(guards, _resolve(value, names)) for guards, value in cases]
            self.out.definitions[names[k]] = Equations(count, resolved, recursion.measures[k])

    def _recursion(self, evaluator: str) -> _Recursion:
        """``eval p : calls -> R := wfix (measure p) (body p)``"""
        _, binders, kind, made = header(self._earlier(evaluator, "Definition").tokens)
        shape = made[0] == "app" and made[1] == ("name", "wfix") and len(made[2]) == 2
        parts = [a for a in made[2] if a[0] == "app" and a[1][0] == "name" and a[2] == [P]] if shape else []
        if binders != [("p", PARAMS)] or len(parts) != 2 or kind[:2] != ("list", "->") or len(kind[2]) != 2:
            raise NotUnderstood(f"{evaluator!r} is not a recursion by wfix on a measure")
        calls, result = kind[2]
        if calls[0] != "name" or result != ("name", "R"):
            raise NotUnderstood(f"{evaluator!r} does not give a real number for a call")
        _, constructors = inductive(self._earlier(calls[1], "Inductive").tokens)
        if not constructors or any(c in self.known.constructors for c, _ in constructors):
            raise NotUnderstood(f"{calls[1]!r} is the type of calls of two recursions, or of none")
        self.known.constructors.update(constructors)
        measure, body = (self._earlier(part[1][1], "Definition") for part in parts)
        many = ("app", ("name", "list"), [("name", "Z")])
        _, bound, tree = self._header(measure, many, 1)
        out = _Recursion()
        out.measures = self._match(tree, bound[-1], calls, constructors, TOP, self._measure)
        _, bound, tree = self._header(body, ("name", "R"), 2)
        if bound[0][1] != ("list", "->", [calls, ("name", "R")]):
            raise NotUnderstood("the body of a recursion does not take the recursive call first")
        self.known.check_binder(bound[0][0])
        local = TOP.having(bound[0][0], "call", None)
        out.bodies = self._match(tree, bound[-1], calls, constructors, local, self.known.cases)
        return out

    def _match(
        self,
        tree: Tree,
        subject: tuple[str, Tree],
        calls: Tree,
        constructors: list[tuple[str, int]],
        local: Local,
        read_case: Callable[[Tree, Local], Any],
    ) -> dict[str, Any]:
        """One case for each constructor, in order."""
        self.known.check_binder(subject[0])
        if tree[0] != "match" or tree[1] != subject[0] or subject[1] != calls:
            raise NotUnderstood("not a match on the call")
        if [(c, len(names)) for c, names, _ in tree[2]] != constructors:
            raise NotUnderstood("a match has other cases than its type")
        out = {}
        for constructor, names, value in tree[2]:
            if len({*names, "p", subject[0], *local.names}) != len(names) + len({"p", subject[0], *local.names}):
                raise NotUnderstood("a match binds a name twice")
            _, inner = self.known.bind([(n, ("name", "Z")) for n in names], local)
            out[constructor] = read_case(value, inner)
        return out

    def _measure(self, tree: Tree, local: Local) -> tuple[Linear, ...]:
        if tree[:2] != ("scope", "Z") or tree[2][0] != "seq":
            raise NotUnderstood("a measure is not a list of integers")
        local = local.within("Z")
        return tuple(self.known.integer(t, local, "Z") for t in tree[2][1])

    def _equation(self, s: Sentence) -> None:
        """A lemma that says what a symbol is in one case: what the recursion means rests on it, and not on its look."""
        binders, tree = statement(s.tokens)
        if binders != [("p", PARAMS), ("A", ("app", ("name", "theory_ok"), [P]))]:
            raise NotUnderstood("the equation of a case has other premises than theory_ok")
        case, _, spelled = s.tokens[1][1:].partition("_")
        local = TOP.having("A", "proof", None)
        self.out.equations[after("u", "u_" + spelled), int(case)] = self.known.proposition(tree, local)

    # -- hypotheses and theorem --------------------------------------------------------
    def _hypothesis(self, s: Sentence) -> None:
        name, _, body = self._header(s, PROP)
        self.out.hypotheses[after("h", name)] = self.known.proposition(body, TOP)

    def _hypotheses_ok(self, s: Sentence) -> None:
        body = self._header(s, PROP)[2]
        parts = body[2] if body[:2] == ("list", "/\\") else [body]
        names = []
        for part in parts[:-1]:
            if part[0] != "app" or part[1][0] != "name" or part[2] != [P]:
                raise NotUnderstood("what is joined is not a named hypothesis")
            self._earlier(part[1][1], "Definition")
            names.append(after("h", part[1][1]))
        if parts[-1] != ("name", "True"):
            raise NotUnderstood("the named hypotheses do not end in True")
        self.out.hypotheses_ok = names

    def _theorem(self, s: Sentence) -> None:
        binders, tree = statement(s.tokens)
        premises = [("app", ("name", n), [P]) for n in ("theory_ok", "hypotheses_ok")]
        if binders or tree[:2] != ("forall", [("p", PARAMS)]) or tree[2][:2] != ("list", "->"):
            raise NotUnderstood("the theorem is not stated for all parameters")
        parts = tree[2][2]
        if parts[:2] != premises or len(parts) < 3:
            raise NotUnderstood("the premises are not theory_ok and hypotheses_ok")
        for name in ("theory_ok", "hypotheses_ok"):
            self._earlier(name, "Definition")
        if len(parts) > 3:
            raise NotUnderstood("the theorem has a further premise")
        self.out.goal = self.known.proposition(parts[2], TOP)


@dataclass
class _Recursion:
    """By constructor: measure, body (cases and last value), and the symbol whose call it is."""

    measures: dict[str, tuple[Linear, ...]] = field(default_factory=dict)
    bodies: dict[str, tuple[list[tuple[tuple[Value, ...], Value]], Value]] = field(default_factory=dict)
    symbols: dict[str, str] = field(default_factory=dict)


def _called(name: str, what: str) -> bool:
    """Is the name this one, or does it begin with this prefix?  ``#`` is a number."""
    if what.endswith("_"):
        return re.match(what.replace("#", "(0|[1-9][0-9]{0,8})"), name, re.ASCII) is not None
    return name == what


def _resolve(value: Any, symbols: dict[str, str]) -> Any:
    """Calls of the recursion as values of the symbols."""
    if not isinstance(value, tuple):
        return value
    if value[:1] == ("call",):
        return "app", "p", symbols[value[1]], value[2], ()
    return tuple(_resolve(v, symbols) for v in value)
