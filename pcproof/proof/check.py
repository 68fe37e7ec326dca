"""A checker of pcproof certificates that needs nothing but Python's standard library.

    python check.py CERTIFICATE...

It reads the format of ``docs/certificate.md``, checks every item again by the rules described there, and prints the
claims and definitions that it verified (never a title).  It shares no code with the kernel: terms, substitution,
integer arithmetic, polynomials and admission of definitions are its own.  Nothing read is ever evaluated.
Exit status: 0 all accepted, 1 one rejected, 2 one is not a certificate.

index        ``(constant, ((atom, coefficient), ...))``, sorted, so equal means equal; an atom is ``("var", name)``,
             ``("bound", k)`` for the k-th enclosing binder, or ``("size", name, index, ...)``
constraint   ``("ge" | "eq" | "ne", index)``: >= 0, = 0, != 0
relation     ``("eq" | "ne" | "le", a, b)``: =, !=, <=; ``("deriv", a)``, ``("tangent", direction, a, b)``
statement    ``(variables, guards, relation)``; a context is ``(variables, guards, hypotheses)``, and a sequent
             ``(context, relation)``: under the guards and hypotheses of the context the relation holds
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from math import gcd
from typing import Any

FORMAT = "pcproof-certificate-3"
MAX_BYTES, MAX_ITEMS, MAX_NESTING, MAX_WORD, MAX_INTEGER = 32 * 2**20, 100_000, 120, 200, 10**9
MAX_DEPTH, MAX_WORK, MAX_TEXT, MAX_ROWS, MAX_UNEQUAL, MAX_MONOMIALS = 120, 3_000_000, 50_000, 2_000, 8, 4_000
MAX_POWER = 64

Atom = tuple[Any, ...]
Index = tuple[int, tuple[tuple[Atom, int], ...]]
Con = tuple[str, Index]
Relation = tuple[Any, ...]
Statement = tuple[tuple[str, ...], tuple[Con, ...], Relation]
Context = tuple[tuple[str, ...], tuple[Con, ...], tuple[Statement, ...]]
Sequent = tuple[Context, Relation]

# Shapes.  [shape]: a list; (shape, ...): a list of just these; {"*": shape}: an object with any names; another {...}:
# an object with these keys; a word: a key of SHAPES, or a case of ``Checker.leaf``.
SHAPES: dict[str, Any] = {
    "theory": {"sizes": {"*": "natural"}, "symbols": {"*": "symbol"}, "directions": {"*": {"*": "name"}},
               "assumptions": ["constraint"], "definitions": [["definition"]], "hypotheses": {"*": "statement"}},
    "symbol": {"arity": "natural", "ranges": [["index"]], "derivatives": ["name"]},
    "definition": {"name": "name", "parameters": ["name"], "cases": [{"where": ["constraint"], "value": "term"}],
                   "measure": ["index"]},
    "statement": {"for": ["name"], "where": ["constraint"], "holds": "relation"},
    "goal": {"statement": "statement", "item": "natural"},
    "restated": {"assumptions": ["constraint"], "goals": ["natural"]},
}  # fmt: skip
CONTEXT = {"for": ["name"], "where": ["constraint"], "given": ["statement"]}
TERMS: dict[str, Any] = {
    "num": ("",), "app": ("name", ["index"], [(["index"], "part")]), "add": ["part"], "mul": ["part"],
    "inv": ("part",), "iszero": ("part",), "pow": ("part", "index"), "sum": ("index", "part"),
    "iverson": ["constraint"],
}  # fmt: skip
RELATIONS: dict[str, Any] = {
    "eq": ("term", "term"), "ne": ("term", "term"), "le": ("term", "term"), "deriv": ("term",),
    "tangent": ("direction", "term", "term"),
}  # fmt: skip
# names of rules by number of premises (None: as many as fit) and shapes of the arguments
RULES: dict[str, tuple[int | None, Any]] = {name: (count, shapes) for count, shapes, names in (
    (0, (), "refl ring index power_zero power_step sum_add sum_scale sum_swap sum_empty sum_single sum_zero"),
    (0, (), "iverson_true iverson_false absurd le_number le_square tangent_constant tangent_variable"),
    (0, ("natural", ["index"]), "unfold"), (0, ("index",), "sum_split"), (0, ("", ["index"]), "hypothesis"),
    (1, (), "sym inverse distinct iszero_zero iszero_other le_equal sum_congruence le_sum tangent_sum"),
    (1, ("natural",), "argument_congruence"), (1, (["index"], ["constraint"]), "instantiate"),
    (1, ("natural",) * 3, "weaken"), (2, (["index"], ["constraint"]), "tangent_unfold"),
    (2, (), "trans le_trans le_both real_cases clash tangent_convert"),
    (None, (), "congruence le_add le_mul tangent_add tangent_mul tangent_function"), (None, ("constraint",), "cases"),
    (None, ("natural", ["index"], ["index"]), "induct"),
) for name in names.split()}  # fmt: skip
INNER = ("sum_congruence", "le_sum", "argument_congruence", "tangent_sum", "tangent_function", "tangent_unfold",
         "instantiate", "weaken", "cases", "real_cases", "induct")  # with premises in other contexts  # fmt: skip


class NotACertificate(Exception):
    """The file is something else."""


class Rejected(Exception):
    """The certificate does not prove what it says: the reason, the rule (or "": that of the item) that refused."""


def need(ok: object, reason: str, rule: str = "") -> None:
    if not ok:
        raise Rejected(reason, rule)


# == indices and constraints ===========================================================================================
def index(const: int, pairs: Iterable[tuple[Atom, int]] = ()) -> Index:
    total: dict[Atom, int] = {}
    for atom, c in pairs:
        total[atom] = total.get(atom, 0) + c
    return const, tuple(sorted((a, c) for a, c in total.items() if c))


def plus(a: Index, b: Index | int, times: int = 1) -> Index:
    """a + times b"""
    const, pairs = (b, ()) if isinstance(b, int) else b
    return index(a[0] + times * const, a[1] + tuple((x, times * c) for x, c in pairs))


def minus(i: Index) -> Index:
    return -i[0], tuple((a, -c) for a, c in i[1])


def atoms(i: Index) -> Iterator[Atom]:
    """All atoms, those inside sizes too."""
    for atom, _ in i[1]:
        yield atom
        for inner in atom[2:]:
            yield from atoms(inner)


def replace(i: Index, value: Callable[[Atom], Index | None]) -> Index:
    """Put in ``value(atom)`` for every atom, inside sizes too; None leaves it."""
    const, pairs = i[0], []
    for atom, c in i[1]:
        new = value(atom) or (0, (((*atom[:2], *(replace(x, value) for x in atom[2:])), 1),))
        const += c * new[0]
        pairs += [(a, c * k) for a, k in new[1]]
    return index(const, pairs)


def variables(names: Iterable[str]) -> list[Index]:
    return [(0, ((("var", n), 1),)) for n in names]


def assigned(names: Iterable[str], values: Iterable[Index]) -> dict[Atom, Index]:
    return {("var", n): i for n, i in zip(names, values)}


def con(kind: str, e: Index) -> Con:
    """The normal form: coefficients without common divisor, the first one of an equation positive."""
    g = gcd(*(c for _, c in e[1]))
    if g > 1 and (kind == "ge" or e[0] % g == 0):
        e = e[0] // g, tuple((a, c // g) for a, c in e[1])  # g x + c >= 0 says x + floor(c / g) >= 0
    return kind, minus(e) if kind != "ge" and e[1] and e[1][0][1] < 0 else e


def ge(a: Index, b: Index | int) -> Con:
    return con("ge", plus(a, b, -1))


def put_cons(cons: Iterable[Con], values: dict[Atom, Index]) -> tuple[Con, ...]:
    return tuple(con(kind, replace(e, values.get)) for kind, e in cons)


def negation(c: Con) -> tuple[Con, ...]:
    """Constraints of which one holds where ``c`` does not."""
    kind, e = c
    return (con("eq", e),) if kind == "ne" else (ge(minus(e), 1),) if kind == "ge" else (ge(e, 1), ge(minus(e), 1))


def entails(given: Iterable[Con], c: Con) -> bool:
    base = frozenset(given)
    return c in base or all(refutes(base | {n}) for n in negation(c))


@lru_cache(maxsize=2**15)
def refutes(cons: frozenset[Con]) -> bool:
    """Do these contradict each other over the integers, whatever functions the sizes are?

    Every yes is a proof: inequations are split, equations are solved for an atom that is put in everywhere, the rest
    is Fourier-Motzkin elimination with rounding.  Where the work grows too large the answer is no.
    """
    unequal = sorted(c for c in cons if c[0] == "ne")
    if unequal:
        rest, e = cons - {unequal[0], *unequal[MAX_UNEQUAL:]}, unequal[0][1]
        return all(refutes(rest | {side}) for side in negation(("eq", e)))
    rows = sorted(e for kind, e in cons if kind == "ge")
    equal = sorted(e for kind, e in cons if kind == "eq") + [e for e in rows if minus(e) in rows]
    while equal:
        e = con("eq", equal.pop())[1]
        g = gcd(*(c for _, c in e[1]))
        if e[0] % g if g else e[0]:
            return True  # 2 x = 1, or 0 = 1
        inside = {a for size, _ in e[1] for x in size[2:] for a in atoms(x)}
        atom, c = next((p for p in reversed(e[1]) if abs(p[1]) == 1 and p[0] not in inside), (None, 0))
        value = {atom: plus((0, ((atom, 1),)), e, -c)} if atom else {}
        rows += [] if atom else [e, minus(e)]
        equal, rows = ([replace(x, value.get) for x in forms] for forms in (equal, rows))
        if any(map(large, equal + rows)):
            return False
    while rows:
        tightest: dict[tuple[tuple[Atom, int], ...], int] = {(): 0}
        for const, pairs in (con("ge", row)[1] for row in rows):
            tightest[pairs] = min(const, tightest.get(pairs, const))
        if tightest.pop(()) < 0:
            return True
        signs: dict[Atom, list[int]] = {}
        for a, c in (pair for pairs in tightest for pair in pairs):
            signs.setdefault(a, [0, 0])[c > 0] += 1
        atom = min(signs, key=lambda a: (signs[a][0] * signs[a][1], a), default=())
        forms = [((const, pairs), dict(pairs).get(atom, 0)) for pairs, const in tightest.items()]
        upper = [(e, -c) for e, c in forms if c < 0]
        if len(upper) * (len(forms) - len(upper)) > MAX_ROWS or any(large(e) for e, _ in forms):
            return False
        rows = [e for e, c in forms if not c]
        rows += [plus(plus((0, ()), e, d), f, c) for e, c in forms if c > 0 for f, d in upper]
    return False


def large(e: Index) -> bool:
    return sum(1 for _, _ in zip(atoms(e), range(300))) == 300 or max(map(abs, (e[0], *(c for _, c in e[1])))) > 2**200


# == terms =============================================================================================================
class Term:
    """op, parts, indices and head; ``binders``: how many indices each part has bound.  Equal terms are one object.

    num (head: a Fraction); app (real arguments, index arguments, head: the symbol); add, mul (parts);
    pow (base, exponent), 1 for exponents <= 0; inv (argument), 1/0 = 0; iszero (argument), 1 where it is 0, else 0;
    iverson (indices and head: the constraints), 1 where all hold, else 0; sum (body, upper bound), the index from 0 on.
    free: names of variables.  loose: how many binders around it are spoken of.  names: of symbols.
    """

    __slots__ = ("binders", "depth", "free", "head", "indices", "loose", "names", "op", "parts")
    __match_args__ = ("op", "parts", "indices", "head")

    def __init__(self, op: str, parts: tuple[Term, ...], indices: tuple[Index, ...], head: Any, binders: Any) -> None:
        self.op, self.parts, self.indices, self.head, self.binders = op, parts, indices, head, binders
        own = [a for i in indices for a in atoms(i)]
        loose = [a[1] + 1 for a in own if a[0] == "bound"] + [p.loose - k for k, p in zip(binders, parts)]
        self.loose: int = max([0, *loose])
        self.depth: int = 1 + max((p.depth for p in parts), default=0)
        self.free: frozenset[str] = frozenset(a[1] for a in own if a[0] == "var").union(*(p.free for p in parts))
        self.names: frozenset[str] = frozenset([head] if op == "app" else ()).union(*(p.names for p in parts))


class Terms:
    """Makes terms and polynomials.  Bound indices are numbers, so nothing can be captured."""

    def __init__(self) -> None:
        self.table: dict[tuple[Any, ...], Term] = {}
        self.polynomials: dict[Term, Polynomial] = {}
        self.zero, self.one, self.minus_one = (self.make("num", head=Fraction(k)) for k in (0, 1, -1))

    def make(
        self, op: str, parts: Iterable[Term] = (), indices: Iterable[Index] = (), head: Any = None, binders: Any = None
    ) -> Term:
        parts = tuple(parts)
        if op == "iverson":
            cons = sorted({con(kind, e) for kind, e in zip(head, indices)})
            head, indices = tuple(kind for kind, _ in cons), (e for _, e in cons)
        key = op, parts, tuple(indices), head, tuple(binders or [int(op == "sum")] * len(parts))
        if key not in self.table:
            self.table[key] = Term(*key)
            need(self.table[key].depth <= MAX_DEPTH, "a term is too deep", "limit")
            need(len(self.table) <= MAX_WORK, "too much work", "limit")
        return self.table[key]

    def add(self, parts: Iterable[Term]) -> Term:
        return self.make("add", parts)

    def mul(self, *parts: Term) -> Term:
        return self.make("mul", parts)

    def sum(self, bound: Index, body: Term) -> Term:
        return self.make("sum", [body], [bound])

    def put(self, t: Term, values: dict[Atom, Index]) -> Term:
        """Values for variables, and for bound indices of binders around the term; all at once."""
        memo: dict[tuple[Term, int], Term] = {}

        def go(t: Term, d: int) -> Term:
            def value(a: Atom) -> Index | None:
                new = values.get(("bound", a[1] - d) if a[0] == "bound" else a)
                return new and replace(new, lambda b: (0, ((("bound", b[1] + d), 1),)) if b[0] == "bound" else None)

            if t.loose <= d and all(("var", n) not in values for n in t.free):
                return t
            if (t, d) not in memo:
                parts = [go(p, d + k) for k, p in zip(t.binders, t.parts)]
                memo[t, d] = self.make(t.op, parts, [replace(i, value) for i in t.indices], t.head, t.binders)
            return memo[t, d]

        return go(t, 0)

    def open(self, body: Term, values: Sequence[Index]) -> Term:
        """The body of a binder (of a term without loose index) at these values."""
        return self.put(body, {("bound", len(values) - 1 - k): v for k, v in enumerate(values)})

    def close(self, t: Term, names: Sequence[str]) -> Term:
        """Bind variables: the inverse of ``open``."""
        return self.put(t, {("var", n): (0, ((("bound", len(names) - 1 - k), 1),)) for k, n in enumerate(names)})

    def polynomial(self, t: Term) -> Polynomial:
        """Over the rationals; whatever is not a number, sum, product or small fixed power is an unknown."""
        if t not in self.polynomials:
            out: Polynomial = {frozenset([(t, 1)]): Fraction(1)}
            match t:
                case Term("num", _, _, value):
                    out = {frozenset(): value}
                case Term("add", parts):
                    out = {}
                    for m, c in (row for p in parts for row in self.polynomial(p).items()):
                        out[m] = out.get(m, Fraction(0)) + c
                case Term("mul", factors):
                    out = product(map(self.polynomial, factors))
                case Term("pow", (base,), ((k, ()),)) if 0 <= k <= MAX_POWER:
                    out = product([self.polynomial(base)] * k)
            self.polynomials[t] = {m: c for m, c in out.items() if c}
        return self.polynomials[t]


Polynomial = dict[frozenset[tuple[Term, int]], Fraction]


def product(factors: Iterable[Polynomial]) -> Polynomial:
    out: Polynomial = {frozenset(): Fraction(1)}
    for q in factors:
        p, out = out, {}
        need(len(p) * len(q) <= 50 * MAX_MONOMIALS, "a polynomial is too large", "limit")
        for (m, a), (n, b) in ((x, y) for x in p.items() for y in q.items()):
            powers = dict(m)
            for unknown, k in n:
                powers[unknown] = powers.get(unknown, 0) + k
            mn = frozenset(powers.items())
            out[mn] = out.get(mn, Fraction(0)) + a * b
        bits = max((c.numerator.bit_length() + c.denominator.bit_length() for c in out.values()), default=0)
        need(len(out) <= MAX_MONOMIALS and bits < 20_000, "a polynomial is too large", "limit")
    return out


# == the format ========================================================================================================
def canonical(doc: Any) -> str:
    return json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=True) + "\n"


def parse(data: bytes) -> dict[str, Any]:
    """The JSON document, if the bytes are the one way to write it."""
    need(len(data) <= MAX_BYTES, "the file is too large", "limit")
    try:
        text, depth = data.decode("ascii"), 0
        for marks in re.findall(r"[\[{]+|[\]}]+", re.sub(r'"(?:[^"\\]|\\.)*"', "", text)):
            depth += len(marks) if marks[0] in "[{" else -len(marks)
            need(depth <= MAX_NESTING, "brackets are nested too deeply", "limit")
        doc = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise NotACertificate(f"not a JSON document: {type(e).__name__}") from None
    if not isinstance(doc, dict) or doc.get("format") != FORMAT:
        raise NotACertificate(f"not of the format {FORMAT}")
    need(canonical(doc) == text, "the text is not in canonical form", "canonical")
    return doc


def tagged(x: Any, tags: Iterable[str]) -> tuple[str, list[Any]]:
    """A list that begins with one of these words: the word, the rest."""
    need(type(x) is list and x and type(x[0]) is str and x[0] in tags, f"a list with {', '.join(tags)} is expected")
    return x[0], x[1:]


class Checker(Terms):
    """Reads one certificate and checks it; ``conclude`` has the rules."""

    def __init__(self, doc: dict[str, Any]) -> None:
        super().__init__()
        self.doc = doc
        self.rule = self.where = "format"
        self.theory: dict[str, Any] = {k: {} for k in SHAPES["theory"]}
        self.symbols: dict[str, Any] = {}
        self.names: set[str] = set()  # of all that is defined
        self.defined: dict[str, Any] = {}  # what is admitted of it
        self.used: dict[str, set[str]] = {k: set() for k in ("sizes", "symbols", "directions", "derivatives")}
        self.stated: list[tuple[Any, ...]] = []  # what the first items say: rule, arguments, sequent
        self.known: dict[tuple[str, str], Any] = {}  # terms and contexts by what they are read from
        self.places: dict[Sequent, int] = {}
        self.sequents: list[Sequent] = []

    def read(self, shape: Any, x: Any) -> Any:
        if isinstance(shape, list):
            need(type(x) is list, "a list is expected")
            return tuple(self.read(shape[0], y) for y in x)
        if isinstance(shape, tuple):
            need(type(x) is list and len(x) == len(shape), f"a list of {len(shape)} is expected")
            return tuple(map(self.read, shape, x))
        if isinstance(shape, dict):
            need(type(x) is dict and ("*" in shape or x.keys() == shape.keys()), f"keys expected: {', '.join(shape)}")
            keys = {self.leaf("name", k): shape["*"] for k in x} if "*" in shape else shape
            return {k: self.read(inner, x[k]) for k, inner in keys.items()}
        return self.read(SHAPES[shape], x) if shape in SHAPES else self.leaf(shape, x)

    def leaf(self, shape: str, x: Any) -> Any:
        match shape:
            case "name":
                ok = type(x) is str and re.fullmatch(r"[^#+*(),][^+*(),]{0,59}", x)
                need(ok, "a name (without + * ( ) , and not starting with #) is expected")
            case "integer" | "natural":
                low, high = (1 - MAX_INTEGER, MAX_INTEGER) if shape == "integer" else (0, MAX_ITEMS)
                need(type(x) is int and low <= x < high, f"a number from {low} on and below {high} is expected")
            case "index":
                need(type(x) is list and x, "an index is expected")
                given = self.leaf("integer", x[0]), self.read(["entry"], x[1:])
                need(index(*given) == given, "an index is not in canonical form", "canonical")
                return given
            case "entry":
                need(type(x) is list and len(x) > 2, "a coefficient, a kind and a name are expected")
                kind, (what, *inner) = tagged(x[1:], ("var", "bound", "size"))
                atom = (kind, self.leaf("natural" if kind == "bound" else "name", what), *self.read(["index"], inner))
                need(len(inner) == (self.theory["sizes"].get(what) if kind == "size" else 0), "not a declared size")
                self.used["sizes"].update([what] if kind == "size" else [])
                return atom, self.leaf("integer", x[0])
            case "constraint":
                kind, rest = tagged(x, ("ge", "eq", "ne"))
                given = kind, *self.read(("index",), rest)
                need(con(*given) == given, "a constraint is not in canonical form", "canonical")
                return given
            case "direction":
                need(type(x) is str and x in self.theory["directions"], "a declared direction is expected")
                self.used["directions"].add(x)
            case "relation":
                kind, rest = tagged(x, RELATIONS)
                values = self.read(RELATIONS[kind], rest)
                if kind == "deriv":
                    ok = values[0].op == "app" and self.symbols[values[0].head]["derivatives"]
                    need(ok, "a function with derivatives is expected")
                    self.used["derivatives"].add(values[0].head)
                return kind, *values
            case "part":
                return self.term(x)
            case "term" | "context":
                key = shape, repr(x)
                if key not in self.known:
                    self.known[key] = self.term(x) if shape == "term" else self.context(self.read(CONTEXT, x))
                return self.known[key]
        return x

    def term(self, row: Any) -> Term:
        op, rest = tagged(row, TERMS)
        values = self.read(TERMS[op], rest)
        match op:
            case "num":
                (q,) = values
                number = type(q) is str and len(q) <= MAX_WORD and re.fullmatch(r"-?[0-9]+(/[1-9][0-9]*)?", q)
                need(number and str(Fraction(q)) == q, "a rational number in lowest terms is expected")
                return self.make(op, head=Fraction(q))
            case "app":
                name, indices, args = values
                s, bounds = self.symbols.get(name), [b for b, _ in args]
                ok = s and len(indices) == s["arity"] and len(args) == len(s["ranges"])
                need(ok, "a symbol as declared is expected")
                self.used["symbols"].add(name)
                t = self.make(op, (p for _, p in args), indices, name, tuple(map(len, bounds)))
                need(bounds == [self.ranges(t, k) for k in range(len(args))], "other ranges than declared")
                return t
            case "iverson":
                need(list(values) == sorted(set(values)), "constraints out of order", "canonical")
                return self.make(op, (), (e for _, e in values), tuple(kind for kind, _ in values))
        parts = [v for v in values if isinstance(v, Term)]
        return self.make(op, parts, (v for v in values if not isinstance(v, Term)))

    def scope(self, names: Iterable[str], cons: Iterable[Con], *terms: Any) -> None:
        """Every variable is quantified, every bound index bound."""
        ok = all(a[0] == "size" or (a[0] == "var" and a[1] in names) for _, e in cons for a in atoms(e))
        ok = ok and all(t.free <= {*names} and not t.loose for t in terms if isinstance(t, Term))
        need(ok, "an index is not quantified", "scope")

    def statement(self, x: dict[str, Any], outer: tuple[str, ...] = ()) -> Statement:
        names, guards, relation = x.values()
        need(len({*names, *outer}) == len(names) + len(outer), "a variable is quantified twice", "scope")
        self.scope(outer + names, guards, *relation)
        return names, guards, relation

    def context(self, x: dict[str, Any]) -> Context:
        names, guards, given = self.statement(x)
        return names, guards, tuple(self.statement(s, names) for s in given)

    def shown(self, x: dict[str, Any]) -> Statement:
        """A statement that people read: it says something, and no variable is named like a global."""
        s = self.statement(x)
        need(not self.refuted(s[1]), "the guards contradict each other")
        known = self.theory["sizes"].keys() | self.symbols.keys()
        need(not {*s[0]} & known, "a variable is named like a global", "scope")
        return s

    # -- theory, items, goals ------------------------------------------------------------------------------------------
    def check(self) -> None:
        """Raise ``Rejected`` unless everything holds."""
        self.start()
        for row in self.doc["items"]:
            self.item(row)
        self.end()

    def start(self) -> None:
        """All but the items."""
        self.read(dict.fromkeys(("digest", "format", "goals", "items", "restated", "theory"), ""), self.doc)
        text = canonical({k: v for k, v in self.doc.items() if k != "digest"})
        need(self.doc["digest"] == hashlib.sha256(text.encode()).hexdigest(), "the digest is of another text", "digest")
        ok = type(self.doc["items"]) is list and 0 < len(self.doc["items"]) <= MAX_ITEMS
        need(ok, "a list of items, not too long, is expected", "limit")
        self.rule = self.where = "theory"
        for part, x in self.read(dict.fromkeys(self.theory, ""), self.doc["theory"]).items():
            self.theory[part] = self.read(SHAPES["theory"][part], x)  # each speaks of those before
            self.symbols = self.theory["symbols"]
        self.names = {d["name"] for group in self.theory["definitions"] for d in group}
        self.admit_symbols()
        self.rule = self.where = "definition"
        for group in self.theory["definitions"]:
            names = {d["name"]: d for d in group}
            need(len(names) == len(group) and not names.keys() & self.defined.keys(), "defined twice")
            calls = [call for d in group for call in self.admit(d, names)]
            need(calls or [d["measure"] for d in group] == [()], "what does not recurse stands alone", "canonical")
            self.defined |= names
        self.rule = self.where = "hypothesis of the theory"
        self.theory["hypotheses"] = {n: self.shown(x) for n, x in self.theory["hypotheses"].items()}
        self.rule = self.where = "goal"
        self.goals = [(self.shown(g["statement"]), g["item"]) for g in self.read(["goal"], self.doc["goals"])]
        need(len({s for s, _ in self.goals}) == len(self.goals) > 0, "different goals are expected")
        wanted = {"assumptions": self.theory["assumptions"], "goals": tuple(n for _, n in self.goals)}
        need(self.read("restated", self.doc["restated"]) == wanted, "what is restated is something else", "restated")
        for d in self.defined.values():
            head = self.make("app", (), variables(d["parameters"]), d["name"])
            for k, (where, value) in enumerate(case.values() for case in d["cases"]):
                context = d["parameters"], where, ()
                self.stated.append(("unfold", (k, d["measure"]), context, ("eq", head, value)))
        for n, (names, guards, relation) in self.theory["hypotheses"].items():
            self.stated.append(("hypothesis", (n, tuple(variables(names))), (names, guards, ()), relation))

    def possible(self, r: Relation) -> bool:
        """False if the sides of the relation differ by a number for which it does not hold."""
        if r[0] not in ("eq", "ne", "le"):
            return True
        left = self.polynomial(self.add([r[1], self.mul(self.minus_one, r[2])]))
        c = left.get(frozenset(), 0)
        return bool(left.keys() - {frozenset()}) or {"eq": c == 0, "ne": c != 0, "le": c <= 0}[r[0]]

    def admit_symbols(self) -> None:
        self.scope((), self.theory["assumptions"])
        need(not self.refuted(()), "the assumptions on the sizes contradict each other")
        for n, (arity, ranges, slopes) in ((n, s.values()) for n, s in self.symbols.items()):
            need(arity <= 100, "too many indices", "limit")
            self.scope([str(k) for k in range(arity)], [("ge", b) for r in ranges for b in r])
            need(len(slopes) in (0, len(ranges)), f"{quoted(n)}: one derivative for each argument is expected")
            self.used["symbols"].update(slopes)
            for r, d in zip(ranges, slopes):
                ok = d in self.symbols and self.symbols[d]["ranges"] == ranges
                need(ok and self.symbols[d]["arity"] == arity + len(r), f"{quoted(d)} is no derivative")
        for moved in self.theory["directions"].values():
            need(moved and len({*moved.values()}) == len(moved), "each parameter moves by a variation of its own")
            for x, dx in moved.items():
                ok = {x, dx} <= self.symbols.keys() - self.names and dx not in moved
                ok = ok and self.symbols[x] == self.symbols[dx] and not self.symbols[x]["ranges"]
                need(ok, f"{quoted(dx)} is no variation")
                self.used["symbols"].update((x, dx))

    def admit(self, d: dict[str, Any], group: dict[str, Any]) -> Iterator[Term]:
        """Cases exclude each other and recursion goes down, so there is a solution.  Gives the calls of the group."""
        name, params, cases, measure = d.values()
        s = self.symbols.get(name)
        ok = s and s["arity"] == len(params) and not s["ranges"]
        need(ok and cases, f"{quoted(name)} is not declared so")
        self.scope(params, [("ge", m) for m in measure])
        for a, b in combinations(cases, 2):
            need(self.refuted(a["where"] + b["where"]), f"{quoted(name)}: two cases overlap")
        for where, value in (case.values() for case in cases):
            self.shown({"for": params, "where": where, "holds": ("eq", value)})
            for call, known in self.calls(value, where, 0):
                if call.head in self.defined or call.head not in self.names:
                    continue
                need(call.head in group, f"{quoted(name)} uses {quoted(call.head)} before its definition")
                self.follows(where, *(("ge", m) for m in measure))
                values = assigned(group[call.head]["parameters"], call.indices)
                there = [replace(m, values.get) for m in group[call.head]["measure"]]
                need(len(there) == len(measure) and self.down(known, there, measure), "recursion does not go down")
                yield call

    def down(self, known: Iterable[Con], new: Sequence[Index], old: Sequence[Index]) -> bool:
        """Does the list get smaller in lexicographic order?"""
        if not new or self.entailed(known, ge(old[0], plus(new[0], 1))):
            return bool(new)
        same = (*known, con("eq", plus(new[0], old[0], -1)))
        return self.entailed(known, ge(old[0], new[0])) and self.down(same, new[1:], old[1:])

    def calls(self, t: Term, known: tuple[Con, ...], depth: int) -> Iterator[tuple[Term, tuple[Con, ...]]]:
        """Every application, with the constraints in force where it stands."""
        if t.op == "app":
            yield t, known
        for k, part in enumerate(t.parts):
            names = [f"#{depth + n}" for n in range(t.binders[k])]
            inner = self.open(part, variables(names))
            yield from self.calls(inner, known + self.within(t, k, names), depth + len(names))

    def ranges(self, t: Term, k: int) -> tuple[Index, ...]:
        """How far the indices go that part k of a term has bound."""
        if t.op != "app":
            return t.indices[: t.binders[k]]
        values = assigned(map(str, range(len(t.indices))), t.indices)
        return tuple(replace(b, values.get) for b in self.symbols[t.head]["ranges"][k])

    def within(self, t: Term, k: int, names: Sequence[str]) -> tuple[Con, ...]:
        """0 <= name < bound for the indices that part k of a term has bound."""
        bounds = self.ranges(t, k)
        need(len(names) == len(bounds), "a premise stands in another context")
        return tuple(c for v, b in zip(variables(names), bounds) for c in (ge(v, 0), ge(plus(b, -1), v)))

    def item(self, row: Any) -> None:
        """The next item follows from those before it."""
        n = len(self.sequents)
        self.rule, self.where = "item", f"item {n}"
        need(type(row) is dict and type(row.get("rule")) is str and row["rule"] in RULES, "a known rule is expected")
        rule: str = row["rule"]
        count, arguments = RULES[rule]
        shape = {"rule": "", "arguments": arguments, "premises": ["natural"], "context": "context", "claim": "relation"}
        _, args, premises, ctx, claim = self.read(shape, row).values()
        self.scope(ctx[0], (), *claim)
        need(all(p < n for p in premises), "a premise must come before")
        need(self.places.setdefault((ctx, claim), n) == n, "this was proved before")
        need(rule == "refl" or claim[0] != "eq" or claim[1] is not claim[2], "t = t is proved by refl")
        need(rule in ("refl", "absurd") or not self.refuted(ctx[1]), "contradictory guards are for absurd")
        self.rule = rule
        need(count in (None, len(premises)), f"{count} premises are expected")
        if n < len(self.stated):
            need((rule, args, ctx, claim) == self.stated[n], "the first items restate the theory, in order")
            need(self.possible(claim), "this cannot hold")
        else:
            proved = self.conclude(rule, args, [self.sequents[p] for p in premises], ctx, claim)
            need(proved == claim, "the rule proves something else")
        numbers = all(isinstance(t, Term) and t.op == "num" for t in claim[1:])
        ok = rule != "clash" and (not numbers or self.possible(claim))
        need(any(ctx) or ok, "the hypotheses contradict each other", "theory")
        self.sequents.append((ctx, claim))

    def end(self) -> None:
        """The goals are what was proved, and everything is used."""
        self.rule, self.where = "goal", "goals"
        for (names, guards, relation), n in self.goals:
            ok = self.places.get(((names, guards, ()), relation)) == n
            need(ok, "the item proves something else, or leaves a hypothesis open")
        self.rule, self.where = "unused", "end"
        cases = range(sum(rule == "unfold" for rule, *_ in self.stated))  # a case may be there for its meaning alone
        premises = (p for row in self.doc["items"] for p in row["premises"])
        needed = {*premises, *cases, *(n for _, n in self.goals)}
        need(len(needed) == len(self.sequents) >= len(self.stated), "an item is not used")
        declared = {**self.theory, "derivatives": {n: 0 for n, s in self.symbols.items() if s["derivatives"]}}
        for kind, used in self.used.items():
            need(used == declared[kind].keys(), f"of the {kind} some are not used")

    # == rules =========================================================================================================
    def refuted(self, guards: Iterable[Con]) -> bool:
        return refutes(frozenset((*self.theory["assumptions"], *guards)))

    def entailed(self, guards: Iterable[Con], c: Con) -> bool:
        return entails((*self.theory["assumptions"], *guards), c)

    def follows(self, guards: Iterable[Con], *cons: Con) -> None:
        unknown = [show_con(c) for c in cons if not self.entailed(guards, c)]
        need(not unknown, f"{', '.join(unknown)} does not follow from the guards")

    def inside(self, ctx: Context, t: Term, k: int, there: Context, a: Term, b: Term) -> Term:
        """``b`` with the new variables of ``there`` bound, the context inside part k of t; ``a`` must be that part."""
        names = there[0][len(ctx[0]) :]
        inner = (*ctx[0], *names), ctx[1] + self.within(t, k, names), ctx[2]
        need(there == inner, "a premise stands in another context")
        need(self.close(a, names) is t.parts[k], "a premise is about another part")
        return self.close(b, names)

    def conclude(self, rule: str, args: Sequence[Any], prem: list[Sequent], ctx: Context, claim: Relation) -> Relation:
        """What the rule proves from these premises; where it leaves a choice, the claim if it is one."""
        there, facts, kind = [c for c, _ in prem], [r for _, r in prem], "le" if rule.startswith("le") else "eq"
        alike = all(r[0] == kind for r in facts)
        need(rule in INNER or there == [ctx] * len(prem), "a premise stands in another context")
        match rule, args, facts, claim:
            case "sym", (), [("eq", a, b)], _:
                return ("eq", b, a)
            case (("trans" | "le_trans"), (), [(_, a, b), (_, c, d)], _) if alike and b is c:
                return (kind, a, d)
            case "congruence", (), _, ("eq", t, _) if alike and not any(t.binders):
                need(tuple(r[1] for r in facts) == t.parts, "the premises are not about the parts")
                return ("eq", t, self.make(t.op, (r[2] for r in facts), t.indices, t.head, t.binders))
            case (("sum_congruence" | "le_sum" | "argument_congruence"), at, [(_, a, b)], (_, Term() as t, _)) if alike:
                k = sum(at)
                need(
                    t.op == ("app" if at else "sum") and k < len(t.parts), "a sum, or a symbol at arguments is expected"
                )
                parts = (*t.parts[:k], self.inside(ctx, t, k, there[0], a, b), *t.parts[k + 1 :])
                return (kind, t, self.make(t.op, parts, t.indices, t.head, t.binders))
            case "inverse", (), [("ne", a, b)], _ if b is self.zero:
                return ("eq", self.mul(a, self.make("inv", [a])), self.one)
            case "iszero_zero", (), [("eq", a, b)], _ if b is self.zero:
                return ("eq", self.make("iszero", [a]), self.one)
            case "iszero_other", (), [("ne", a, b)], _ if b is self.zero:
                return ("eq", self.make("iszero", [a]), self.zero)
            case "le_number", (), _, ("le", Term("num") as a, Term("num") as b) if a.head <= b.head:
                return claim
            case "le_square", (), _, ("le", _, Term("mul", (a, b))) if a is b:
                return ("le", self.zero, self.mul(a, a))
            case "le_equal", (), [("eq", a, b)], _:
                return ("le", a, b)
            case "le_both", (), [("le", a, b), ("le", c, d)], _ if a is d and b is c:
                return ("eq", a, b)
            case "le_add", (), [_, *_], _ if alike:
                return ("le", self.add(r[1] for r in facts), self.add(r[2] for r in facts))
            case "le_mul", (), [_, *_], _ if alike and all(r[1] is self.zero for r in facts):
                return ("le", self.zero, self.mul(*(r[2] for r in facts)))
            case "hypothesis", (which, values), _, _:
                need(type(which) is int and 0 <= which < len(ctx[2]), "there is no such local hypothesis")
                return self.at(ctx[2][which], values, ctx)
            case "instantiate", (values, guards), _, _:
                return self.instance(values, guards, prem[0], ctx)
            case "weaken", _, [fact], _:
                same = [part[:k] == old and len(old) == k for part, old, k in zip(ctx, there[0], args)]
                need(all(same), "the context does not begin with that of the premise")
                return fact
            case "cases", (c,), _, _:
                wanted = [((ctx[0], (*ctx[1], branch), ctx[2]), claim) for branch in (c, *negation(c))]
                need(prem == wanted, "the premises are not the claim in each of the cases")
                return claim
            case "real_cases", (), _, _ if there[0][2]:  # a = b, which the first premise assumes last, or a != b
                _, _, (_, *sides) = there[0][2][-1]
                wanted = [((*ctx[:2], (*ctx[2], ((), (), (x, *sides)))), claim) for x in ("eq", "ne")]
                need(prem == wanted, "the premises are not the claim in each of the cases")
                return claim
            case "clash", (), [("eq", a, b), ("ne", c, d)], _ if a is c and b is d:
                return claim
            case "absurd", (), _, _:
                need(self.refuted(ctx[1]), "the guards can be met")
                return claim
            case "distinct", (), [("eq", Term("num") as a, Term("num") as b)], _ if a is not b:
                return claim
            case "induct", (which, measures, again), _, _ if measures == again:
                return self.induct(which, measures, prem, ctx)
            case _, _, [], ("eq", t, rhs):
                return ("eq", t, self.axiom(rule, args, ctx[1], t, rhs))
            case _, _, _, ("tangent", d, t, _) if rule.startswith("tangent"):
                return ("tangent", d, *self.tangent(rule, args, prem, ctx, d, t))
        raise Rejected("claim and premises are not of the form of the rule", rule)

    def axiom(self, rule: str, args: Sequence[Any], guards: tuple[Con, ...], t: Term, rhs: Term) -> Term:
        """Equations without premises: the right side that belongs to the left side ``t``."""
        match rule, args, t:
            case "refl", (), _:
                return t
            case "ring", (), _:
                need(self.polynomial(t) == self.polynomial(rhs), "different polynomials")
                return rhs
            case "index", (), _:
                self.same(t, rhs, guards, 0, set())
                return rhs
            case "power_zero", (), Term("pow", _, (exponent,)) if exponent[1] or exponent[0] < 0:  # else by ring
                self.follows(guards, ge(minus(exponent), 0))
                return self.one
            case "power_step", (), Term("pow", (base,), (exponent,)) if exponent[1] or exponent[0] > MAX_POWER:
                self.follows(guards, ge(exponent, 1))
                return self.mul(base, self.make("pow", [base], [plus(exponent, -1)]))
            case "iverson_true", (), Term("iverson", _, indices, kinds):
                self.follows(guards, *zip(kinds, indices))
                return self.one
            case "iverson_false", (), Term("iverson", _, indices, kinds):
                need(self.refuted((*guards, *zip(kinds, indices))), "the constraints may hold")
                return self.zero
            case "sum_empty", (), Term("sum", _, (n,)):
                self.follows(guards, ge(minus(n), 0))
                return self.zero
            case "sum_zero", (), Term("sum", (body,)) if body is self.zero:
                return self.zero
            case "sum_single", (), Term("sum", (body,), (n,)):
                self.follows(guards, con("eq", plus(n, -1)))
                return self.open(body, [(0, ())])
            case "sum_add", (), Term("sum", (Term("add", parts),), (n,)):
                return self.add(self.sum(n, p) for p in parts)
            case "sum_scale", (), Term("sum", (Term("mul", (a, b)),), (n,)) if not a.loose:
                return self.mul(a, self.sum(n, b))
            case "sum_swap", (), Term("sum", (Term("sum", (body,), (m,)),), (n,)):
                need(all(a[0] != "bound" for a in atoms(m)), "the inner range depends on the outer index")
                return self.sum(m, self.sum(n, self.close(self.open(body, variables(("#1", "#2"))), ("#2", "#1"))))
            case "sum_split", (m,), Term("sum", (body,), (n,)):
                self.follows(guards, ge(m, 0), ge(n, m))
                moved = self.close(self.open(body, [plus(m, variables("#")[0])]), "#")
                return self.add([self.sum(m, body), self.sum(plus(n, m, -1), moved)])
        raise Rejected("the left side is not of the form of the rule", rule)

    def same(self, a: Term, b: Term, guards: tuple[Con, ...], depth: int, seen: set[Any]) -> None:
        """Terms that differ in index terms only, which are equal where they are read."""
        if a is b or (a, b, guards) in seen:
            return
        alike = (a.op, a.head, a.binders) == (b.op, b.head, b.binders) and a.op not in ("num", "iverson")
        need(alike, "the terms differ in more than indices")
        self.follows(guards, *(con("eq", plus(i, j, -1)) for i, j in zip(a.indices, b.indices) if i != j))
        for k, (p, q) in enumerate(zip(a.parts, b.parts)):
            names = [f"#{depth + n}" for n in range(a.binders[k])]
            p, q = (self.open(x, variables(names)) for x in (p, q))
            self.same(p, q, guards + self.within(a, k, names), depth + len(names), seen)
        seen.add((a, b, guards))

    def at(self, s: Statement, values: Sequence[Index], ctx: Context) -> Relation:
        """A statement at index terms for which its guards follow."""
        need(len(values) == len(s[0]), "one value for each variable is expected")
        self.scope(ctx[0], [("ge", i) for i in values])
        self.follows(ctx[1], *put_cons(s[1], assigned(s[0], values)))
        return self.put_relation(s[2], assigned(s[0], values))

    def instance(self, values: Sequence[Index], guards: tuple[Con, ...], said: Sequent, ctx: Context) -> Relation:
        """What was proved in a context with these guards, at index terms."""
        need(said[0][1:] == (guards, ()), "the premise has other guards, or a local hypothesis is still open")
        return self.at((*said[0][:2], said[1]), values, ctx)

    def put_relation(self, r: Relation, values: dict[Atom, Index]) -> Relation:
        return tuple(self.put(x, values) if isinstance(x, Term) else x for x in r)

    def induct(self, which: int, measures: Sequence[Index], prem: list[Sequent], ctx: Context) -> Relation:
        """Each claim from all claims (their variables primed) at smaller measure, which is never negative."""
        need(which < len(measures) == len(prem), "one measure for each premise is expected")
        for ((names, guards, given), _), m in zip(prem, measures):
            need(not any(n.endswith("'") for n in names), "a variable ends in '")
            self.scope(names, [("ge", m)])
            self.follows(guards, ("ge", m))
            smaller = []
            for ((others, conditions, _), relation), other in zip(prem, measures):
                primed = tuple(n + "'" for n in others)
                values = assigned(others, variables(primed))
                less = ge(m, plus(replace(other, values.get), 1))
                smaller.append((primed, (*put_cons(conditions, values), less), self.put_relation(relation, values)))
            need(given == tuple(smaller), "the premise does not assume the claims at smaller measure")
        (names, guards, _), relation = prem[which]
        need(ctx == (names, guards, ()), "the claim stands in another context")
        return relation

    def tangent(self, rule: str, args: Any, prem: list[Sequent], ctx: Context, d: str, t: Term) -> tuple[Term, Term]:
        """A term and its derivative along d."""
        parts, changes = [r[2] for _, r in prem if r[:2] == ("tangent", d)], [r[-1] for _, r in prem]
        last = rule in ("tangent_convert", "tangent_function", "tangent_unfold")
        ok = len(parts) + last == len(prem) and (parts or rule in ("tangent_constant", "tangent_variable"))
        need(ok, "derivatives along this direction are expected")
        match rule, args, t:
            case "tangent_constant", (), _:
                moving = {*self.theory["directions"][d]}
                for _ in self.defined:
                    moving |= {n for n, x in self.defined.items() for c in x["cases"] if c["value"].names & moving}
                need(t.names.isdisjoint(moving), "the term varies")
                return t, self.zero
            case "tangent_variable", (), Term("app") if t.head in self.theory["directions"][d]:
                return t, self.make("app", (), t.indices, self.theory["directions"][d][t.head])
            case "tangent_add", (), _:
                return self.add(parts), self.add(changes)
            case "tangent_mul", (), _:
                out = [self.mul(*parts[:k], x, *parts[k + 1 :]) for k, x in enumerate(changes)]
                return self.mul(*parts), self.add(out)
            case "tangent_sum", (), Term("sum", _, (m,)):
                return t, self.sum(m, self.inside(ctx, t, 0, prem[0][0], parts[0], changes[0]))
            case "tangent_unfold", (values, guards), _ if prem[0][0] == ctx:
                cases = [sequent for named, _, *sequent in self.stated if named == "unfold"]
                need([*prem[1]] in cases, "the second premise is no case of a definition")
                need(self.instance(values, guards, prem[1], ctx) == ("eq", t, parts[0]), "the case says something else")
                return t, changes[0]
            case "tangent_convert", (), _ if prem[1][1][:2] == ("eq", changes[0]):
                return parts[0], changes[1]
            case "tangent_function", (), Term("app") if prem[-1] == (ctx, ("deriv", t)):
                need(len(parts) == len(t.parts), "one premise for each argument is expected")
                out = []
                for k, (there, _) in enumerate(prem[:-1]):
                    self.inside(ctx, t, k, there, parts[k], changes[k])
                    new = there[0][len(ctx[0]) :]
                    slope, indices = self.symbols[t.head]["derivatives"][k], (*t.indices, *variables(new))
                    term = self.mul(self.make("app", t.parts, indices, slope, t.binders), changes[k])
                    for n, b in reversed([*zip(new, self.ranges(t, k))]):
                        term = self.sum(b, self.close(term, [n]))
                    out.append(term)
                return t, self.add(out) if len(out) > 1 else out[0]
        raise Rejected("claim and premises are not of the form of the rule", rule)


# == printing ==========================================================================================================
def quoted(n: str) -> str:
    """A name; one that is no plain word stands in quotation marks, in ASCII."""
    return n if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*'*", n) else json.dumps(n)


def show_index(i: Index, env: Sequence[str] = ()) -> str:
    out = [str(i[0])] if i[0] or not i[1] else []
    for a, c in reversed(i[1]):
        text = env[-1 - a[1]] if a[0] == "bound" else quoted(a[1])
        text += f"({', '.join(show_index(x, env) for x in a[2:])})" if a[2:] else ""
        out.insert(0, {1: "", -1: "-"}.get(c, f"{c}*") + text)
    return " + ".join(out).replace("+ -", "- ")


def show_con(c: Con, env: Sequence[str] = ()) -> str:
    """The positive terms on the left, the others on the right."""
    kind, (const, pairs) = c
    left = max(const, 0), tuple(p for p in pairs if p[1] > 0)
    right = max(-const, 0), tuple((a, -k) for a, k in pairs if k < 0)
    return f"{show_index(left, env)} {dict(ge='>=', eq='=', ne='!=')[kind]} {show_index(right, env)}"


def show(t: Term, env: tuple[str, ...] = ()) -> str:
    """A term in one line; sums, products, and numbers with a sign or bar stand in brackets."""
    names = [tuple(f"#{len(env) + n + 1}" for n in range(k)) for k in t.binders]
    parts = [show(p, env + new) for p, new in zip(t.parts, names)]
    indices = ", ".join(show_index(i, env) for i in t.indices)
    need(sum(map(len, parts)) <= MAX_TEXT, "a formula is too long to be read", "limit")
    match t.op:
        case "num":
            return str(t.head) if str(t.head).isdigit() else f"({t.head})"
        case "app":
            args = ", ".join(" ".join(new) + " -> " * bool(new) + p for p, new in zip(parts, names))
            return quoted(t.head) + (f"[{indices}]" if indices else "") + (f"({args})" if args else "")
        case "add" | "mul":
            return f"({' + '.join(parts) if t.op == 'add' else ' * '.join(parts)})"
        case "iverson":
            return f"[{', '.join(show_con(c, env) for c in zip(t.head, t.indices))}]"
        case "sum":
            return f"sum{{#{len(env) + 1} < {indices}}}({parts[0]})"
    return f"{t.op}{{{', '.join([*parts, *[indices] * bool(indices)])}}}"


FORMS = {"eq": "{} = {}", "ne": "{} != {}", "le": "{} <= {}", "tangent": "D[{}]({}) = {}",
         "deriv": "the declared derivatives are derivatives at {}"}  # fmt: skip


def show_statement(s: Statement) -> str:
    names, guards, (kind, *parts) = s
    text = FORMS[kind].format(*(show(x) if isinstance(x, Term) else quoted(x) for x in parts))
    text += f"   where {', '.join(map(show_con, guards))}" if guards else ""
    return (f"for all {' '.join(map(quoted, names))}: " if names else "") + text


def show_symbol(n: str, s: dict[str, Any]) -> str:
    """Its indices, arguments with their ranges, and what is declared of it."""
    arity, ranges, slopes = s.values()
    own = [f"i{k}" for k in range(arity)]
    values = assigned(map(str, range(arity)), variables(own))
    below = [f"indices below {'; '.join(show_index(replace(b, values.get)) for b in r)}" for r in ranges]
    text = quoted(n) + (f"[{', '.join(own)}]" if own else "")
    text += f" of {', '.join(b if r else 'a number' for b, r in zip(below, ranges))}" if ranges else ""
    return text + (f"; derivatives {', '.join(map(quoted, slopes))}" if slopes else "")


# == from files to an exit status ======================================================================================
def check(data: bytes) -> dict[str, Any]:
    """What was verified, or why not; raises ``NotACertificate``.  The keys are those of ``--json``."""
    checker = Checker({})
    try:
        checker.doc = parse(data)
        checker.check()
        sizes, symbols, directions, assumptions, _, hypotheses = checker.theory.values()
        return {
            "accepted": True,
            "digest": checker.doc["digest"],
            "items": len(checker.sequents),
            "claims": [show_statement(s) for s, _ in checker.goals],
            "definitions": [show_statement((*c[:2], r)) for rule, _, c, r in checker.stated if rule == "unfold"],
            "hypotheses": [f"{quoted(n)}: {show_statement(s)}" for n, s in hypotheses.items()],
            "sizes": [quoted(n) + f"({', '.join('i' * k)})" * bool(k) for n, k in sizes.items()]
            + [show_con(c) for c in assumptions],
            "symbols": [show_symbol(n, s) for n, s in symbols.items()]
            + [
                f"direction {quoted(d)}: {quoted(x)} by {quoted(dx)}"
                for d, m in directions.items()
                for x, dx in m.items()
            ],
        }
    except Rejected as e:
        reason, rule = e.args
    except RecursionError:
        reason, rule = "nested too deeply", "limit"
    return {"accepted": False, "reason": reason, "rule": rule or checker.rule, "where": checker.where}


def text_of(path: str, report: dict[str, Any]) -> str:
    """What is printed of a report."""
    if not report["accepted"]:
        return ": ".join(filter(None, (path, "rejected", report["where"], report["rule"], report["reason"])))
    lines = [f"{path}: accepted, {report['items']} items, sha256 {report['digest']}"]
    for title in ("claims", "hypotheses", "definitions", "symbols", "sizes"):
        lines += [f"  {title}:", *(f"    {line}" for line in report[title] or ["none"])]
    return "\n".join(lines)


def read(path: str) -> bytes:
    """At most one byte more than a certificate may have."""
    with open(path, "rb") as f:
        return f.read(MAX_BYTES + 1)


def main(paths: Sequence[str]) -> int:
    status = 0 if paths else 2
    for path in paths:
        shown, found = json.dumps(path)[1:-1], 2
        try:
            report = check(read(path))
            text, found = text_of(shown, report), 0 if report["accepted"] else 1
        except (NotACertificate, OSError) as e:
            text = f"{shown}: {e if isinstance(e, NotACertificate) else e.strerror}"
        print(text, flush=True)
        status = max(status, found)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
