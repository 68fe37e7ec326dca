"""A checker of pcproof certificates that needs nothing but Python's standard library.

    python check.py CERTIFICATE...

It reads the format of ``docs/certificate.md``, checks every item again by the
rules described there, and prints the claims and definitions that it verified
(never a title).  It shares no code with the kernel: its terms, substitution,
integer arithmetic, polynomials and admission of definitions are its own.

Exit status: 0 all accepted, 1 one rejected, 2 one is not a certificate.

====================  =========================================================
index                 ``(constant, ((atom, coefficient), ...))``; an atom is
                      ``("bound", k)``, ``("size", name, indices...)`` or
                      ``("var", name)``; in order, so equal means equal
constraint            ``("ge" | "eq" | "ne", index)``: >= 0, == 0, != 0
``Term``              a real-valued term; equal terms are the same object
relation              ``("eq", a, b)``, ``("ne", a, b)``, ``("deriv", a)``,
                      ``("tangent", direction, a, b)``
context, statement    ``(variables, guards, hypotheses)``, ``(variables, guards,
                      relation)``; a sequent is ``(context, relation)``
====================  =========================================================

Nothing read is ever evaluated.  Terms refer to earlier terms and their depth
is bounded, so no file can exhaust the stack.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import combinations
from math import gcd
from typing import Any, Optional, Union

FORMAT = "pcproof-certificate-1"
MAX_BYTES, MAX_ITEMS, MAX_TERMS = 32 * 2**20, 100_000, 400_000
MAX_NESTING, MAX_DEPTH, MAX_DIGITS, MAX_NAME = 40, 120, 9, 60
MAX_NUMBER, MAX_WORK, MAX_ROWS, MAX_MONOMIALS, MAX_POWER, MAX_TEXT = 200, 3_000_000, 2_000, 4_000, 64, 50_000

Atom = tuple[Any, ...]
Index = tuple[int, tuple[tuple[Atom, int], ...]]
Con = tuple[str, Index]
Relation = tuple[Any, ...]
Statement = tuple[tuple[str, ...], tuple[Con, ...], Relation]
Context = tuple[tuple[str, ...], tuple[Con, ...], tuple[Statement, ...]]
Sequent = tuple[Context, Relation]

ANY = -1
RULES = {  # premises (ANY: as many as fit), arguments
    "refl": (0, 0), "sym": (1, 0), "trans": (2, 0), "congruence": (ANY, 0), "sum_congruence": (1, 2),
    "argument_congruence": (1, 2), "index": (0, 0), "unfold": (0, 1), "ring": (0, 0), "power_zero": (0, 0),
    "power_step": (0, 0), "inverse": (1, 0), "sum_add": (0, 0), "sum_scale": (0, 0), "sum_swap": (0, 0),
    "sum_split": (0, 1), "sum_empty": (0, 0), "sum_single": (0, 0), "sum_pick": (0, 1), "sum_zero": (0, 1),
    "iverson_true": (0, 0), "iverson_false": (0, 0), "linear_add": (0, 1), "linear_scale": (0, 1),
    "instantiate": (1, 1), "hypothesis": (0, 2), "weaken": (1, 0), "cases": (ANY, 1), "absurd": (0, 0),
    "distinct": (1, 0), "induct": (ANY, 2), "tangent_constant": (0, 0), "tangent_variable": (0, 0),
    "tangent_add": (ANY, 0), "tangent_mul": (ANY, 0), "tangent_sum": (1, 2), "tangent_function": (ANY, 1),
    "tangent_unfold": (1, 1), "tangent_convert": (2, 0),
}  # fmt: skip


class NotACertificate(Exception):
    """The file is something else."""


class Rejected(Exception):
    """The certificate does not prove what it says.  rule: the rule, or the part of the format, that refused."""

    def __init__(self, reason: str, rule: str = "", where: str = "") -> None:
        super().__init__(reason)
        self.reason, self.rule, self.where = reason, rule, where


def need(ok: object, reason: str, rule: str = "") -> None:
    if not ok:
        raise Rejected(reason, rule)


# == index terms ===============================================================
def index(const: int, pairs: Iterable[tuple[Atom, int]] = ()) -> Index:
    total: dict[Atom, int] = {}
    for atom, c in pairs:
        total[atom] = total.get(atom, 0) + c
    return const, tuple(sorted((a, c) for a, c in total.items() if c))


def var(name: str) -> Index:
    return 0, ((("var", name), 1),)


def plus(a: Index, b: Index, times: int = 1) -> Index:
    """a + times b"""
    return index(a[0] + times * b[0], a[1] + tuple((x, times * c) for x, c in b[1]))


def minus(i: Index) -> Index:
    return -i[0], tuple((a, -c) for a, c in i[1])


def atoms(i: Index) -> Iterator[Atom]:
    """All atoms, those inside sizes too."""
    for atom, _ in i[1]:
        yield atom
        if atom[0] == "size":
            for inner in atom[2:]:
                yield from atoms(inner)


def replace(i: Index, fn: Callable[[Atom], Optional[Index]]) -> Index:
    """Put in ``fn(atom)`` for every atom, inside sizes too; None leaves it."""
    const, pairs = i[0], []
    for atom, c in i[1]:
        new = fn(atom)
        if new is not None:
            const += c * new[0]
            pairs += [(a, c * k) for a, k in new[1]]
        elif atom[0] == "size":
            pairs.append(((*atom[:2], *(replace(x, fn) for x in atom[2:])), c))
        else:
            pairs.append((atom, c))
    return index(const, pairs)


def put(i: Index, values: dict[str, Index]) -> Index:
    return replace(i, lambda a: values.get(a[1]) if a[0] == "var" else None)


# == constraints and linear integer arithmetic ===================================
def con(kind: str, e: Index) -> Con:
    """The normal form: coefficients without common divisor, the first one of an equation positive."""
    g = gcd(*(c for _, c in e[1]))
    if g > 1 and (kind == "ge" or e[0] % g == 0):
        e = e[0] // g, tuple((a, c // g) for a, c in e[1])  # g x + c >= 0 says x + floor(c / g) >= 0
    if kind != "ge" and e[1] and e[1][0][1] < 0:
        e = minus(e)
    return kind, e


def ge(a: Index, b: Index) -> Con:
    return con("ge", plus(a, b, -1))


def number(k: int) -> Index:
    return k, ()


def within(name: str, bound: Index) -> tuple[Con, Con]:
    """0 <= name < bound"""
    return ge(var(name), number(0)), ge(plus(bound, number(-1)), var(name))


def put_con(c: Con, values: dict[str, Index]) -> Con:
    return con(c[0], put(c[1], values))


def negation(c: Con) -> tuple[Con, ...]:
    """Constraints of which one holds where ``c`` does not."""
    kind, e = c
    if kind == "ge":
        return (ge(number(-1), e),)
    return (con("eq", e),) if kind == "ne" else (ge(e, number(1)), ge(number(-1), e))


class Arithmetic:
    """Refutes sets of constraints over the integers; sizes n(.) are functions of which nothing else is known.

    Every yes is a proof: equations are solved for an atom and put in everywhere, the rest is Fourier-Motzkin
    elimination with rounding.  Where the work grows too large the answer is no.
    """

    def __init__(self) -> None:
        self.known: dict[frozenset[Con], bool] = {}

    def entails(self, given: Iterable[Con], c: Con) -> bool:
        base = frozenset(given)
        return c in base or all(self.refutes(base | {n}) for n in negation(c))

    def refutes(self, cons: Iterable[Con]) -> bool:
        key = frozenset(cons)
        if key not in self.known:
            self.known[key] = self._refutes(key)
        return self.known[key]

    def _refutes(self, cons: frozenset[Con]) -> bool:
        unequal = sorted(c for c in cons if c[0] == "ne")
        rest = cons - set(unequal[8:])  # of many inequations only some are looked at
        if unequal:
            e = unequal[0][1]
            rest -= {unequal[0]}
            return all(self.refutes(rest | {side}) for side in (ge(e, number(1)), ge(number(-1), e)))
        equal = sorted(e for kind, e in cons if kind == "eq")
        least = sorted(e for kind, e in cons if kind == "ge")
        kept: list[Index] = []
        while True:
            if not equal:  # two opposite inequalities are an equation
                both = set(least)
                pair = next((e for e in least if minus(e) in both), None)
                if pair is None:
                    break
                equal, least = [pair], [e for e in least if e not in (pair, minus(pair))]
            const, pairs = equal.pop()
            g = gcd(*(c for _, c in pairs))
            if const % g if g else const:
                return True  # 0 = 1, or 2 x = 1
            if not g:
                continue
            e = con("eq", (const, pairs))[1]
            found = next((p for p in reversed(e[1]) if abs(p[1]) == 1 and not _inside(e, p[0])), None)
            if found is None:
                kept.append(e)
                continue
            atom, c = found
            value = index(-c * e[0], ((a, -c * k) for a, k in e[1] if a != atom))
            swap = partial(_swap, atom, value)
            equal, least, kept = ([replace(x, swap) for x in es] for es in (equal, least, kept))
            if any(_large(e) for e in (*equal, *least, *kept)):
                return False
        return _eliminate([*least, *kept, *map(minus, kept)])


def _inside(e: Index, atom: Atom) -> bool:
    """Does the atom stand inside a size of e?"""
    return any(atom == a for outer, _ in e[1] if outer[0] == "size" for x in outer[2:] for a in atoms(x))


def _swap(atom: Atom, value: Index, a: Atom) -> Optional[Index]:
    return value if a == atom else None


def _large(e: Index) -> bool:
    return sum(1 for _, _ in zip(atoms(e), range(300))) == 300 or max(map(abs, (e[0], *(c for _, c in e[1])))) > 2**200


def _eliminate(rows: list[Index]) -> bool:
    """Fourier-Motzkin: do these forms, all said to be >= 0, contradict each other?"""
    while True:
        tightest: dict[tuple[tuple[Atom, int], ...], int] = {}
        for row in rows:
            const, pairs = con("ge", row)[1]
            if not pairs and const < 0:
                return True
            if pairs:
                tightest[pairs] = min(const, tightest.get(pairs, const))
        rows = [(const, pairs) for pairs, const in tightest.items()]
        signs: dict[Atom, list[int]] = {}
        for _, pairs in rows:
            for atom, c in pairs:
                signs.setdefault(atom, [0, 0])[c > 0] += 1
        if not signs:
            return False
        atom = min(signs, key=lambda a: (signs[a][0] * signs[a][1], a))
        if len(rows) + signs[atom][0] * signs[atom][1] > MAX_ROWS or any(map(_large, rows)):
            return False
        factor = [dict(pairs).get(atom, 0) for _, pairs in rows]
        low = [(row, c) for row, c in zip(rows, factor) if c > 0]
        high = [(row, c) for row, c in zip(rows, factor) if c < 0]
        rows = [row for row, c in zip(rows, factor) if not c]
        rows += [plus(index(a[0] * -d, ((x, k * -d) for x, k in a[1])), b, c) for a, c in low for b, d in high]


# == terms =======================================================================
class Term:
    """op, what stands in the node itself, and the parts, each with the number of binders above it.

    ======== ================================= =====================================
    num      a Fraction                        no part
    app      (name, index arguments)           the real arguments, functions of indices
    add mul  None                              addends, factors
    pow      exponent (a^k = 1 for k <= 0)     base
    inv      None (1/0 = 0)                    argument
    iszero   None                              argument
    iverson  constraints                       no part
    sum      upper bound (index from 0 on)     body
    ======== ================================= =====================================

    free: names of variables.  loose: how many binders around it are spoken of.
    """

    __slots__ = ("data", "depth", "free", "loose", "names", "op", "parts")
    free: frozenset[str]
    loose: int
    names: frozenset[str]
    depth: int

    def __init__(self, op: str, data: Any, parts: tuple[tuple[int, Term], ...]) -> None:
        self.op, self.data, self.parts = op, data, parts
        own = [a for i in self.indices() for a in atoms(i)]
        self.free = frozenset(a[1] for a in own if a[0] == "var").union(*(p.free for _, p in parts))
        self.loose = max([0, *(a[1] + 1 for a in own if a[0] == "bound"), *(p.loose - k for k, p in parts)])
        self.names = frozenset(data[:1] if op == "app" else ()).union(*(p.names for _, p in parts))
        self.depth = 1 + max((p.depth for _, p in parts), default=0)

    def indices(self) -> tuple[Index, ...]:
        if self.op == "app":
            return self.data[1]  # type: ignore[no-any-return]
        if self.op == "iverson":
            return tuple(e for _, e in self.data)
        return (self.data,) if self.op in ("pow", "sum") else ()

    def kids(self) -> list[Term]:
        return [p for _, p in self.parts]


class Terms:
    """Makes terms: equal ones are one object.  Bound indices are numbers, so nothing can be captured."""

    def __init__(self) -> None:
        self.table: dict[tuple[Any, ...], Term] = {}
        self.zero, self.one = self.make("num", Fraction(0)), self.make("num", Fraction(1))

    def make(self, op: str, data: Any = None, parts: Sequence[tuple[int, Term]] = ()) -> Term:
        if op == "iverson":
            data = tuple(sorted({con(*c) for c in data}))
        key = (op, data, tuple(parts))
        found = self.table.get(key)
        if found is None:
            found = self.table[key] = Term(*key)
            need(found.depth <= MAX_DEPTH, "a term is too deep", "limit")
            need(len(self.table) <= MAX_WORK, "too much work", "limit")
        return found

    def add(self, parts: Iterable[Term]) -> Term:
        return self.make("add", None, [(0, p) for p in parts])

    def mul(self, *parts: Term) -> Term:
        return self.make("mul", None, [(0, p) for p in parts])

    def sum(self, bound: Index, body: Term) -> Term:
        return self.make("sum", bound, [(1, body)])

    def _map(self, t: Term, touches: Callable[[Term, int], bool], fn: Callable[[Atom, int], Optional[Index]]) -> Term:
        """Replace atoms of indices; ``fn`` gets an atom and the number of binders above it."""
        memo: dict[tuple[Term, int], Term] = {}

        def go(t: Term, d: int) -> Term:
            if not touches(t, d):
                return t
            if (t, d) not in memo:
                data = t.data
                if t.op == "app":
                    data = (data[0], tuple(replace(i, lambda a: fn(a, d)) for i in data[1]))
                elif t.op == "iverson":
                    data = tuple((kind, replace(e, lambda a: fn(a, d))) for kind, e in data)
                elif t.op in ("pow", "sum"):
                    data = replace(data, lambda a: fn(a, d))
                memo[t, d] = self.make(t.op, data, [(k, go(p, d + k)) for k, p in t.parts])
            return memo[t, d]

        return go(t, 0)

    def put(self, t: Term, values: dict[str, Index]) -> Term:
        """Simultaneous substitution of variables; the values mention no bound index."""
        return self._map(
            t, lambda s, d: not s.free.isdisjoint(values), lambda a, d: values.get(a[1]) if a[0] == "var" else None
        )

    def open(self, t: Term, values: Sequence[Index]) -> Term:
        """The body of a binder with values (that mention no bound index) put in; index 0 is the last of them."""
        n = len(values)

        def fn(a: Atom, d: int) -> Optional[Index]:
            if a[0] != "bound" or a[1] < d:
                return None
            return values[n - 1 - (a[1] - d)] if a[1] < d + n else (0, ((("bound", a[1] - n), 1),))

        return self._map(t, lambda s, d: s.loose > d, fn)

    def close(self, t: Term, names: Sequence[str]) -> Term:
        """Bind variables of a term without loose index: the inverse of ``open``."""
        where = {name: len(names) - 1 - k for k, name in enumerate(names)}

        def fn(a: Atom, d: int) -> Optional[Index]:
            return (0, ((("bound", d + where[a[1]]), 1),)) if a[0] == "var" and a[1] in where else None

        return self._map(t, lambda s, d: not s.free.isdisjoint(where), fn)

    def put_relation(self, r: Relation, values: dict[str, Index]) -> Relation:
        return tuple(self.put(x, values) if isinstance(x, Term) else x for x in r)


# == polynomials =================================================================
Monomial = frozenset[tuple[Term, int]]
Polynomial = dict[Monomial, Fraction]


class Ring:
    """Terms as polynomials over the rationals; whatever is not a number, add, mul or fixed power is an unknown."""

    def __init__(self) -> None:
        self.known: dict[Term, Polynomial] = {}

    def polynomial(self, t: Term) -> Polynomial:
        if t not in self.known:
            self.known[t] = self._polynomial(t)
        return self.known[t]

    def _polynomial(self, t: Term) -> Polynomial:
        if t.op == "num":
            return _clean({frozenset(): t.data})
        if t.op == "add":
            total: Polynomial = {}
            for p in t.kids():
                for m, c in self.polynomial(p).items():
                    total[m] = total.get(m, Fraction(0)) + c
            return _clean(total)
        factors = t.kids() if t.op == "mul" else None
        if t.op == "pow" and not t.data[1] and 0 <= t.data[0] <= MAX_POWER:
            factors = t.kids() * t.data[0]
        if factors is None:
            return {frozenset([(t, 1)]): Fraction(1)}
        product: Polynomial = {frozenset(): Fraction(1)}
        for f in factors:
            product = _product(product, self.polynomial(f))
        return product


def _product(p: Polynomial, q: Polynomial) -> Polynomial:
    need(len(p) * len(q) <= 50 * MAX_MONOMIALS, "a polynomial is too large", "limit")
    out: Polynomial = {}
    for m, a in p.items():
        for n, b in q.items():
            powers = dict(m)
            for atom, k in n:
                powers[atom] = powers.get(atom, 0) + k
            mn = frozenset(powers.items())
            out[mn] = out.get(mn, Fraction(0)) + a * b
        need(len(out) <= MAX_MONOMIALS, "a polynomial is too large", "limit")
    return _clean(out)


def _clean(p: Polynomial) -> Polynomial:
    for c in p.values():
        need(c.numerator.bit_length() + c.denominator.bit_length() < 20_000, "a number is too large", "limit")
    return {m: c for m, c in p.items() if c}


# == reading =====================================================================
def parse(data: bytes) -> dict[str, Any]:
    """The JSON document, if the bytes are the one way to write it."""

    def integer(text: str) -> int:
        need(len(text) <= MAX_DIGITS, "an integer has too many digits", "limit")
        return int(text)

    def no(text: str) -> Any:
        raise Rejected(f"{text[:20]} is no integer", "format")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        need(len(dict(pairs)) == len(pairs), "a key stands twice in an object", "format")
        return dict(pairs)

    need(len(data) <= MAX_BYTES, "the file is too large", "limit")
    try:
        text = data.decode("ascii")
        depth = 0
        for mark in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', text):
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark.group()[0], 0)
            need(depth <= MAX_NESTING, "brackets are nested too deeply", "limit")
        doc = json.loads(text, parse_int=integer, parse_float=no, parse_constant=no, object_pairs_hook=once)
    except (ValueError, RecursionError) as e:
        raise NotACertificate(f"not a JSON document: {type(e).__name__}") from None
    if not isinstance(doc, dict) or doc.get("format") != FORMAT:
        raise NotACertificate(f"not of the format {FORMAT}")
    need(canonical(doc) == text, "the text is not in canonical form", "canonical")
    return doc


def canonical(doc: Any) -> str:
    return json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=True) + "\n"


def fields(x: Any, *names: str) -> list[Any]:
    """The values of an object that has these keys and no others."""
    need(type(x) is dict and set(x) == set(names), f"an object with {', '.join(names)} is expected")
    return [x[n] for n in names]


def listed(x: Any, length: Optional[int] = None) -> list[Any]:
    need(type(x) is list and length in (None, len(x)), f"a list{f' of {length}' if length else ''} is expected")
    return x  # type: ignore[no-any-return]


def integer(x: Any, low: int = 0, high: Union[int, float] = float("inf")) -> int:
    need(type(x) is int and low <= x < high, "an integer in range is expected")
    return x  # type: ignore[no-any-return]


def name(x: Any) -> str:
    ok = type(x) is str and 0 < len(x) <= MAX_NAME and x[0] != "#" and not set(x) & set("+*(),")
    need(ok, "a name (without + * ( ) , and not starting with #) is expected")
    return x  # type: ignore[no-any-return]


def mapping(x: Any) -> dict[str, Any]:
    need(type(x) is dict, "an object is expected")
    return {name(k): v for k, v in x.items()}


def distinct_names(x: Any) -> tuple[str, ...]:
    out = tuple(name(v) for v in listed(x))
    need(len(set(out)) == len(out), "a name stands twice")
    return out


class Symbol:
    """A real symbol: parameter, function (of numbers), operator (on functions of indices) or defined."""

    def __init__(self, kind: str, arity: int, ranges: list[list[Index]], linear: list[int], slopes: list[str]) -> None:
        self.kind, self.arity, self.ranges, self.linear, self.slopes = kind, arity, ranges, linear, slopes

    def bounds(self, position: int, idx: Sequence[Index]) -> list[Index]:
        """How far the symbol reads the indices of a real argument."""
        values = {str(k): i for k, i in enumerate(idx)}
        return [put(b, values) for b in self.ranges[position]]


class Definition:
    def __init__(self, name: str, params: tuple[str, ...], cases: Any, measure: list[Index]) -> None:
        self.name, self.params, self.measure = name, params, measure
        self.cases: list[tuple[tuple[Con, ...], Term]] = cases


class Checker:
    """Reads one certificate and checks it; the method ``conclude`` has the rules."""

    def __init__(self, doc: dict[str, Any]) -> None:
        self.doc, self.terms, self.ring, self.arithmetic = doc, Terms(), Ring(), Arithmetic()
        self.used: dict[str, set[str]] = {"sizes": set(), "symbols": set(), "hypotheses": set(), "directions": set()}
        self.directions: dict[str, dict[str, str]] = {}
        self.next = 0  # the first term that nothing has referred to yet
        self.contexts: list[Context] = []
        self.seen: set[Context] = set()
        self.sequents: list[Sequent] = []
        self.varying: dict[str, set[str]] = {}

    def check(self) -> None:
        """Raise ``Rejected`` unless everything holds."""
        self.rule, self.where = "format", "top"
        body = canonical({k: v for k, v in self.doc.items() if k != "digest"})
        try:
            fields(self.doc, "contexts", "digest", "format", "goals", "items", "terms", "theory")
            digest = hashlib.sha256(body.encode()).hexdigest()
            need(self.doc["digest"] == digest, "the digest is of another text", "digest")
            self._check()
        except Rejected as e:
            raise Rejected(e.reason, e.rule or self.rule, self.where) from None
        except RecursionError:
            raise Rejected("nested too deeply", "limit", self.where) from None

    def _check(self) -> None:
        self._declarations()
        self._terms()
        self._theory()
        self._goals()
        premises: set[int] = {n for _, n in self.goals}
        proved: set[Sequent] = set()
        rows = listed(self.doc["items"])
        need(0 < len(rows) <= MAX_ITEMS, "a number of items within the limit is expected", "limit")
        for n, row in enumerate(rows):
            self.rule, self.where = "item", f"item {n}"
            rule, arguments, before, context, claim = fields(row, "rule", "arguments", "premises", "context", "claim")
            need(type(rule) is str and rule in RULES, "unknown rule")
            ctx = self._context(context)
            relation = self.relation(claim, ctx[0])
            numbers = [integer(p, 0, n) for p in listed(before)]
            premises.update(numbers)
            need((ctx, relation) not in proved, "this was proved before")
            need(rule == "refl" or relation[0] != "eq" or relation[1] is not relation[2], "t = t is proved by refl")
            self.rule = rule
            follows = self.conclude(rule, listed(arguments), [self.sequents[p] for p in numbers], ctx, relation)
            need(follows == relation, "the claim is not what follows")
            proved.add((ctx, relation))
            self.sequents.append((ctx, relation))
            false = relation[0] == "eq" and rule != "refl" and all(t.op == "num" for t in relation[1:])
            need(any(ctx) or not false, "the hypotheses contradict each other", "theory")
        self.rule, self.where = "goal", "goals"
        for statement, n in self.goals:
            need(n < len(rows), "there is no such item")
            (variables, guards, given), relation = self.sequents[n]
            need(not given, "an induction hypothesis is still open")
            need((variables, guards, relation) == statement, "the item proves something else")
        self.rule, self.where = "unused", "end"
        need(len(premises) == len(rows), "an item is not used")
        need(self.next == len(self.doc["terms"]), "a term is not used")
        need(len(self.contexts) == len(listed(self.doc["contexts"])), "a context is not used")
        for kind, used in self.used.items():
            spare = set(self.doc["theory"][kind]) - used
            need(not spare, f"{kind} that nothing uses: {', '.join(map(quoted, sorted(spare)))}")

    # -- parts ------------------------------------------------------------------
    def index(self, x: Any) -> Index:
        row = listed(x)
        need(row, "an index is expected")
        const = integer(row[0], -(10**9))
        pairs: list[tuple[Atom, int]] = []
        for entry in row[1:]:
            need(type(entry) is list and len(entry) >= 3, "a coefficient, a kind and a name are expected")
            c, kind, what = integer(entry[0], -(10**9)), entry[1], entry[2]
            if kind == "size":
                need(type(what) is str and self.sizes.get(what) == len(entry) - 3, "a size as declared is expected")
                self.used["sizes"].add(what)
                pairs.append((("size", what, *(self.index(a) for a in entry[3:])), c))
            else:
                need(kind in ("var", "bound") and len(entry) == 3, "var, bound or size is expected")
                pairs.append(((kind, name(what) if kind == "var" else integer(what, 0, 1000)), c))
        out = index(const, pairs)
        need(out == (const, tuple(pairs)), "the index is not in canonical form", "canonical")
        return out

    def con(self, x: Any) -> Con:
        kind, e = listed(x, 2)
        need(kind in ("ge", "eq", "ne"), "ge, eq or ne is expected")
        out = con(kind, self.index(e))
        need(out[1] == self.index(e), "the constraint is not in canonical form", "canonical")
        return out

    def guards(self, x: Any, scope: Iterable[str], ordered: bool = False) -> tuple[Con, ...]:
        out = tuple(self.con(c) for c in listed(x))
        for _, e in out:
            self.scope(e, scope)
        need(not ordered or list(out) == sorted(set(out)), "constraints out of order", "canonical")
        return out

    def scope(self, e: Index, scope: Iterable[str]) -> Index:
        ok = all(a[0] == "size" or (a[0] == "var" and a[1] in scope) for a in atoms(e))
        need(ok, "an index is not quantified", "scope")
        return e

    def term(self, k: Any, scope: Iterable[str]) -> Term:
        """A closed term by number; the numbers are in the order of first use."""
        self._use(integer(k, 0, len(self.numbered)))
        t: Term = self.numbered[k]
        need(t.loose == 0, "a bound index stands outside its sum", "scope")
        need(t.free <= set(scope), "an index is not quantified", "scope")
        return t

    def _use(self, k: int) -> None:
        if k >= self.next:
            for p in self.references[k]:
                self._use(p)
            need(k == self.next, "terms are not in the order of use", "canonical")
            self.next += 1

    def relation(self, x: Any, scope: Iterable[str]) -> Relation:
        kind, *rest = listed(x) or [None]
        need(len(rest) == {"eq": 2, "ne": 2, "tangent": 3, "deriv": 1}.get(str(kind)), "a relation is expected")
        head = []
        if kind == "tangent":
            need(type(rest[0]) is str and rest[0] in self.directions, "a declared direction is expected")
            self.used["directions"].add(rest[0])
            head = [rest.pop(0)]
        terms = [self.term(k, scope) for k in rest]
        if kind == "deriv":
            ok = terms[0].op == "app" and self.symbols[terms[0].data[0]].slopes
            need(ok, "a function with derivatives is expected")
        return (kind, *head, *terms)

    def statement(self, x: Any, outer: tuple[str, ...] = (), ordered: bool = False) -> Statement:
        variables, where, holds = fields(x, "for", "where", "holds")
        names = distinct_names(variables)
        need(not set(names) & set(outer), "a variable is quantified twice", "scope")
        return names, self.guards(where, names + outer, ordered), self.relation(holds, names + outer)

    def _context(self, k: Any) -> Context:
        """A context by number; it is read where it is used first."""
        rows = listed(self.doc["contexts"])
        place = integer(k, 0, len(rows))
        if place == len(self.contexts):
            variables, where, given = fields(rows[place], "for", "where", "given")
            names = distinct_names(variables)
            guards = self.guards(where, names)
            ctx = (names, guards, tuple(self.statement(h, names) for h in listed(given)))
            need(ctx not in self.seen, "a context stands twice", "canonical")
            self.contexts.append(ctx)
            self.seen.add(ctx)
        need(place < len(self.contexts), "contexts are not in the order of use", "canonical")
        return self.contexts[place]

    # -- theory -------------------------------------------------------------------
    def _declarations(self) -> None:
        self.rule = self.where = "theory"
        keys = ("assumptions", "definitions", "directions", "hypotheses", "sizes", "symbols")
        self.raw = dict(zip(keys, fields(self.doc["theory"], *keys)))
        self.sizes = {n: integer(k, 0, 10) for n, k in mapping(self.raw["sizes"]).items()}
        self.assumptions = self.guards(self.raw["assumptions"], (), ordered=True)
        need(not self.arithmetic.refutes(self.assumptions), "the assumptions on the sizes contradict each other")
        self.symbols: dict[str, Symbol] = {}
        for n, x in mapping(self.raw["symbols"]).items():
            kind, arity, ranges, linear, slopes = fields(x, "kind", "arity", "ranges", "linear", "derivatives")
            need(kind in ("parameter", "function", "operator", "defined"), "unknown kind of symbol")
            own = {str(k) for k in range(integer(arity, 0, 100))}
            bounds = [[self.scope(self.index(b), own) for b in listed(r)] for r in listed(ranges)]
            shape = "operator" if any(bounds) else "function" if bounds else kind
            need(shape == kind and (bounds or kind in ("parameter", "defined")), f"{quoted(n)}: arguments of its kind")
            places = [integer(p, 0, len(bounds)) for p in listed(linear)]
            need(places == sorted(set(places)), "positions out of order", "canonical")
            self.symbols[n] = Symbol(kind, arity, bounds, places, [name(d) for d in listed(slopes)])
        for n, s in self.symbols.items():
            need(len(s.slopes) in (0, len(s.ranges)), f"{quoted(n)}: one derivative for each argument")
            for position, d in enumerate(s.slopes):
                need(d in self.symbols, "a derivative is not declared")
                ds = self.symbols[d]
                self.used["symbols"].add(d)
                shape_ok = ds.ranges == s.ranges and ds.arity == s.arity + len(s.ranges[position])
                need(shape_ok, f"{quoted(d)} does not have the shape of a derivative")
        for direction, raw in mapping(self.raw["directions"]).items():
            moved = {x: name(dx) for x, dx in mapping(raw).items()}
            need(moved, "a direction moves something")
            for x, dx in moved.items():
                ok = x in self.symbols and dx in self.symbols and dx not in moved
                ok = ok and self.symbols[x].kind == self.symbols[dx].kind == "parameter"
                need(ok and self.symbols[x].arity == self.symbols[dx].arity, f"{quoted(dx)} is no variation")
                self.used["symbols"] |= {x, dx}
            need(len(set(moved.values())) == len(moved), "two parameters move by the same variation")
            self.directions[direction] = moved

    def _terms(self) -> None:
        """The table of terms; each refers to earlier ones."""
        self.numbered: list[Term] = []
        self.references: list[list[int]] = []
        rows = listed(self.doc["terms"])
        need(len(rows) <= MAX_TERMS, "too many terms", "limit")
        for n, row in enumerate(rows):
            self.rule, self.where = "term", f"term {n}"
            op, *rest = listed(row) or [None]
            need(type(op) is str, "a kind of term is expected")
            data: Any = None
            kids: list[tuple[int, Any]] = []
            if op == "num":
                need(len(rest) == 1 and type(rest[0]) is str and len(rest[0]) <= MAX_NUMBER, "a number is expected")
                need(re.fullmatch(r"-?[0-9]+(/[0-9]*[1-9][0-9]*)?", rest[0]), "a rational number is expected")
                data = Fraction(rest[0])
                need(str(data) == rest[0], "the number is not in lowest terms", "canonical")
            elif op == "app":
                symbol, idx, args = listed(rest, 3)
                need(type(symbol) is str and symbol in self.symbols, "a declared symbol is expected")
                s = self.symbols[symbol]
                data = (symbol, tuple(self.index(i) for i in listed(idx, s.arity)))
                kids = [(integer(a[0], 0, 100), a[1]) for a in (listed(a, 2) for a in listed(args, len(s.ranges)))]
                need([k for k, _ in kids] == [len(r) for r in s.ranges], "arguments of another shape")
                self.used["symbols"].add(symbol)
            elif op in ("add", "mul"):
                kids = [(0, k) for k in rest]
            elif op in ("inv", "iszero"):
                kids = [(0, k) for k in listed(rest, 1)]
            elif op in ("pow", "sum"):
                a, b = listed(rest, 2)
                data = self.index(b if op == "pow" else a)
                kids = [(0, a)] if op == "pow" else [(1, b)]
            else:
                need(op == "iverson", "unknown kind of term")
                data = tuple(self.con(c) for c in rest)
                need(list(data) == sorted(set(data)), "constraints out of order", "canonical")
            self.references.append([integer(k, 0, n) for _, k in kids])
            size = len(self.terms.table)
            t = self.terms.make(op, data, [(b, self.numbered[k]) for b, k in kids])
            new = len(self.terms.table) > size or (t in (self.terms.zero, self.terms.one) and t not in self.numbered)
            need(new, "a term stands twice", "canonical")
            self.numbered.append(t)

    def _theory(self) -> None:
        self.rule, self.where = "definition", "definitions"
        self.defined: dict[str, Definition] = {}
        for raw in listed(self.raw["definitions"]):
            group = [self._definition(x) for x in listed(raw)]
            names = {d.name: d for d in group}
            need(names and len(names) == len(group) and not names.keys() & self.defined.keys(), "defined twice")
            recursive = False
            for d in group:
                recursive |= self._admit(d, names)
            alone = len(group) == 1 and not group[0].measure
            need(recursive or alone, "what does not recurse stands alone, without a measure", "canonical")
            self.defined |= names
        for n, s in self.symbols.items():
            need((s.kind == "defined") == (n in self.defined), f"{quoted(n)} is declared otherwise")
        self.rule = self.where = "hypothesis of the theory"
        self.hypotheses: dict[str, Statement] = {}
        for n, x in mapping(self.raw["hypotheses"]).items():
            self.hypotheses[n] = self._stated(x, ordered=True)
            kind, *terms = self.hypotheses[n][2]
            if kind in ("eq", "ne"):
                minus_one = self.terms.make("num", Fraction(-1))
                left = self.ring.polynomial(self.terms.add([terms[0], self.terms.mul(minus_one, terms[1])]))
                bad = left.keys() == {frozenset()} if kind == "eq" else not left
                need(not bad, f"{quoted(n)} cannot hold")

    def _stated(self, x: Any, ordered: bool) -> Statement:
        """A statement that people read: it says something, and no variable is named like a global."""
        s = self.statement(x, (), ordered)
        need(not self.arithmetic.refutes((*self.assumptions, *s[1])), "the guards contradict each other")
        need(not set(s[0]) & (self.sizes.keys() | self.symbols.keys()), "a variable is named like a global", "scope")
        return s

    def _definition(self, x: Any) -> Definition:
        n, params, cases, measure = fields(x, "name", "parameters", "cases", "measure")
        ps = distinct_names(params)
        need(type(n) is str and n in self.symbols and self.symbols[n].arity == len(ps), "declared otherwise")
        need(not set(ps) & (self.sizes.keys() | self.symbols.keys()), "a parameter is named like a global", "scope")
        rows = []
        for c in listed(cases):
            where, value = fields(c, "where", "value")
            rows.append((self.guards(where, ps, ordered=True), self.term(value, ps)))
        need(rows, f"{quoted(n)} has no case")
        return Definition(n, ps, rows, [self.scope(self.index(m), ps) for m in listed(measure)])

    def _admit(self, d: Definition, group: dict[str, Definition]) -> bool:
        """Cases exclude each other and recursion goes down; does it recurse?"""
        recursive = False
        for (a, _), (b, _) in combinations(d.cases, 2):
            need(self.arithmetic.refutes((*self.assumptions, *a, *b)), f"{quoted(d.name)}: two cases overlap")
        for guards, value in d.cases:
            base = (*self.assumptions, *guards)
            need(not self.arithmetic.refutes(base), f"{quoted(d.name)}: a case never holds")
            for call, known in self._calls(value, base, 0):
                n = call.data[0]
                if self.symbols[n].kind != "defined" or n in self.defined:
                    continue
                need(n in group, f"{quoted(d.name)} uses {quoted(n)} before its definition")
                recursive = True
                need(all(self.arithmetic.entails(base, ("ge", m)) for m in d.measure), "a measure may be negative")
                values = dict(zip(group[n].params, call.data[1]))
                there = [put(m, values) for m in group[n].measure]
                need(len(there) == len(d.measure) and self._down(known, there, d.measure), "recursion does not go down")
        return recursive

    def _down(self, known: tuple[Con, ...], new: list[Index], old: list[Index]) -> bool:
        for a, b in zip(new, old):
            if self.arithmetic.entails(known, ge(b, plus(a, number(1)))):
                return True
            if not self.arithmetic.entails(known, ge(b, a)):
                return False
            known = (*known, con("eq", plus(a, b, -1)))
        return False

    def _calls(self, t: Term, known: tuple[Con, ...], depth: int) -> Iterator[tuple[Term, tuple[Con, ...]]]:
        """Every application, with the constraints in force where it stands."""
        if t.op == "app":
            yield t, known
        for position, (_, part) in enumerate(t.parts):
            names, inside = self.binders(t, position, depth)
            yield from self._calls(self.terms.open(part, [*map(var, names)]), (*known, *inside), depth + len(names))

    def binders(self, t: Term, position: int, depth: int) -> tuple[list[str], list[Con]]:
        """New names for the indices of a part, and how far they go."""
        bounds = [t.data] if t.op == "sum" else []
        if t.op == "app":
            bounds = self.symbols[t.data[0]].bounds(position, t.data[1])
        names = [f"#{depth + k}" for k in range(len(bounds))]
        return names, [c for n, b in zip(names, bounds) for c in within(n, b)]

    def _goals(self) -> None:
        self.rule = self.where = "goal"
        self.goals: list[tuple[Statement, int]] = []
        for x in listed(self.doc["goals"]):
            statement, item = fields(x, "statement", "item")
            self.goals.append((self._stated(statement, ordered=False), integer(item)))
        need(self.goals, "there is no goal")
        need(len({s for s, _ in self.goals}) == len(self.goals), "a goal stands twice")

    # == rules =====================================================================
    def conclude(self, rule: str, args: list[Any], prem: list[Sequent], ctx: Context, claim: Relation) -> Relation:
        """What the rule proves from these premises, where the claim leaves no choice the claim itself."""
        premises, arguments = RULES[rule]
        need(premises in (ANY, len(prem)) and len(args) == arguments, "another number of premises or arguments")
        if rule in ("instantiate", "hypothesis", "weaken", "cases", "absurd", "distinct", "induct"):
            return self.logic(rule, args, prem, ctx, claim)
        if rule.startswith("tangent_"):
            return self.derivative(rule, args, prem, ctx, claim)
        if rule == "inverse":
            where, (kind, *sides) = prem[0]
            need(where == ctx and kind == "ne" and sides[1] is self.terms.zero, "a premise a != 0 is expected")
            product = self.terms.mul(sides[0], self.terms.make("inv", None, [(0, sides[0])]))
            return ("eq", product, self.terms.one)
        need(claim[0] == "eq", "an equation is expected")
        if premises == 0:
            return ("eq", claim[1], self.axiom(rule, args, ctx, *claim[1:]))
        return self.equality(rule, args, prem, ctx, claim[1])

    def follows(self, ctx: Context, *cons: Con) -> None:
        for c in cons:
            ok = self.arithmetic.entails((*self.assumptions, *ctx[1]), c)
            need(ok, "" if ok else f"{show_con(c)} does not follow from the guards")

    def equation(self, s: Sequent, ctx: Context) -> tuple[Term, Term]:
        """Both sides of a premise that is an equation in this context."""
        need(s[1][0] == "eq", "an equation is expected as premise")
        need(s[0] == ctx, "a premise stands in another context")
        return s[1][1], s[1][2]

    def shaped(self, t: Term, op: str) -> tuple[Any, Any]:
        """What stands in a node of this kind, and its parts (one part: the part itself)."""
        need(t.op == op, f"a term of kind {op} is expected")
        kids = [p for _, p in t.parts]
        return t.data, kids[0] if op in ("sum", "pow") else kids

    def enter(self, ctx: Context, names: Sequence[str], bounds: Sequence[Index]) -> Context:
        """The context with new variables, each from 0 up to its bound."""
        guards = [c for n, b in zip(names, bounds) for c in within(n, b)]
        return (*ctx[0], *names), (*ctx[1], *guards), ctx[2]

    def argument(self, x: Any, scope: Iterable[str]) -> Index:
        """An index among the arguments."""
        need(type(x) is list and x[:1] == ["index"], "an index is expected")
        return self.scope(self.index(x[1:]), scope)

    def position(self, x: Any, t: Term) -> tuple[int, list[Index]]:
        """The position of a real argument, and how far the symbol reads it."""
        need(t.op == "app", "a symbol applied is expected")
        k = integer(x, 0, len(t.parts))
        return k, self.symbols[t.data[0]].bounds(k, t.data[1])

    def with_part(self, t: Term, k: int, body: Term) -> Term:
        return self.terms.make(t.op, t.data, [*t.parts[:k], (t.parts[k][0], body), *t.parts[k + 1 :]])

    def equality(self, rule: str, args: list[Any], prem: list[Sequent], ctx: Context, t: Term) -> Relation:
        """Equations from equations; ``t`` is the left side of the claim."""
        if rule == "sym":
            return ("eq", *reversed(self.equation(prem[0], ctx)))
        if rule == "trans":
            (a, b), (c, d) = (self.equation(p, ctx) for p in prem)
            need(b is c, "the premises do not meet")
            return ("eq", a, d)
        if rule == "congruence":
            pairs = [self.equation(p, ctx) for p in prem]
            need([(0, a) for a, _ in pairs] == list(t.parts), "the premises are not about the parts")
            return ("eq", t, self.terms.make(t.op, t.data, [(0, b) for _, b in pairs]))
        if rule == "sum_congruence":
            bound, n = self.argument(args[0], ctx[0]), name(args[1])
            sides = self.equation(prem[0], self.enter(ctx, [n], [bound]))
            return ("eq", *(self.terms.sum(bound, self.terms.close(x, [n])) for x in sides))
        k, bounds = self.position(args[0], t)  # argument_congruence
        names = distinct_names(args[1])
        need(len(names) == len(bounds), "one name for each index is expected")
        old, new = (self.terms.close(x, names) for x in self.equation(prem[0], self.enter(ctx, names, bounds)))
        need(old is t.parts[k][1], "the premise is about another argument")
        return ("eq", t, self.with_part(t, k, new))

    def axiom(self, rule: str, args: list[Any], ctx: Context, t: Term, rhs: Term) -> Term:
        """Equations without premises: the right side that belongs to the left side ``t``."""
        terms = self.terms
        if rule == "refl":
            return t
        if rule == "ring":
            need(self.ring.polynomial(t) == self.ring.polynomial(rhs), "different polynomials")
            return rhs
        if rule == "index":
            self.same(t, rhs, ctx, 0, set())
            return rhs
        if rule == "unfold":
            return self.case(args[0], t, ctx)
        if rule.startswith("iverson_"):
            cons = self.shaped(t, "iverson")[0]
            if rule == "iverson_true":
                self.follows(ctx, *cons)
                return terms.one
            need(self.arithmetic.refutes((*self.assumptions, *ctx[1], *cons)), "the constraints may hold")
            return terms.zero
        if rule.startswith("power_"):
            exponent, base = self.shaped(t, "pow")
            if rule == "power_zero":
                self.follows(ctx, ge(number(0), exponent))
                return terms.one
            self.follows(ctx, ge(exponent, number(1)))
            return terms.mul(base, terms.make("pow", plus(exponent, number(-1)), [(0, base)]))
        if rule.startswith("linear_"):
            k, _ = self.position(args[0], t)
            need(k in self.symbols[t.data[0]].linear, "the symbol is not declared linear there")
            parts = self.shaped(t.parts[k][1], "add" if rule == "linear_add" else "mul")[1]
            if rule == "linear_add":
                return terms.add(self.with_part(t, k, p) for p in parts)
            need(len(parts) == 2 and not parts[0].loose, "a factor free of the indices, and another, are expected")
            return terms.mul(parts[0], self.with_part(t, k, parts[1]))
        bound, body = self.shaped(t, "sum")
        if rule == "sum_empty":
            self.follows(ctx, ge(number(0), bound))
            return terms.zero
        if rule == "sum_zero":
            need(body is terms.zero and self.argument(args[0], ctx[0]) == bound, "a sum of zeros is expected")
            return terms.zero
        if rule == "sum_single":
            self.follows(ctx, con("eq", plus(bound, number(-1))))
            return terms.open(body, [number(0)])
        if rule == "sum_add":
            return terms.add(terms.sum(bound, p) for p in self.shaped(body, "add")[1])
        if rule == "sum_swap":
            inner, core = self.shaped(body, "sum")
            need(all(a[0] != "bound" for a in atoms(inner)), "the inner range depends on the outer index")
            core = terms.close(terms.open(core, [var("#a"), var("#b")]), ["#b", "#a"])
            return terms.sum(inner, terms.sum(bound, core))
        if rule == "sum_scale":
            factors = self.shaped(body, "mul")[1]
            need(len(factors) == 2 and not factors[0].loose, "a factor free of the index, and another, are expected")
            return terms.mul(factors[0], terms.sum(bound, factors[1]))
        at = self.argument(args[0], ctx[0])
        if rule == "sum_split":
            self.follows(ctx, ge(at, number(0)), ge(bound, at))
            moved = terms.close(terms.open(body, [plus(var("#"), at)]), ["#"])
            return terms.add([terms.sum(at, body), terms.sum(plus(bound, at, -1), moved)])
        self.follows(ctx, ge(at, number(0)), ge(bound, plus(at, number(1))))  # sum_pick
        delta = terms.make("iverson", [("eq", index(-at[0], ((("bound", 0), 1), *minus(at)[1])))])
        factors = self.shaped(body, "mul")[1]
        need(len(factors) == 2 and factors[0] is delta, "the body is not [j = a] times a term")
        return terms.open(factors[1], [at])

    def same(self, a: Term, b: Term, ctx: Context, depth: int, seen: set[Any]) -> None:
        """Terms that differ in index terms only, which are equal where they are read."""
        if a is b or (a, b, ctx) in seen:
            return
        shape = [k for k, _ in a.parts] == [k for k, _ in b.parts] and a.op not in ("num", "iverson")
        need(shape and a.op == b.op and (a.op != "app" or a.data[0] == b.data[0]), "the terms differ")
        for i, j in zip(a.indices(), b.indices()):
            if i != j:
                self.follows(ctx, con("eq", plus(i, j, -1)))
        for k, ((_, p), (_, q)) in enumerate(zip(a.parts, b.parts)):
            names, guards = self.binders(a, k, depth)
            values, inner = [*map(var, names)], (ctx[0], (*ctx[1], *guards), ctx[2])
            self.same(self.terms.open(p, values), self.terms.open(q, values), inner, depth + len(names), seen)
        seen.add((a, b, ctx))

    def case(self, x: Any, t: Term, ctx: Context) -> Term:
        """The value of a defined symbol in a case whose guards follow."""
        need(t.op == "app" and t.data[0] in self.defined, "a defined symbol is expected")
        d: Definition = self.defined[t.data[0]]
        guards, value = d.cases[integer(x, 0, len(d.cases))]
        values = dict(zip(d.params, t.data[1]))
        self.follows(ctx, *(put_con(c, values) for c in guards))
        return self.terms.put(value, values)

    # -- logic ---------------------------------------------------------------------------
    def apply(self, s: Statement, x: Any, ctx: Context) -> Relation:
        """A statement at index terms for which its guards follow."""
        pairs = [(name(n), self.argument(v, ctx[0])) for n, v in (listed(p, 2) for p in listed(x))]
        need([n for n, _ in pairs] == sorted(s[0]), "one value for each variable, by name, is expected")
        self.follows(ctx, *(put_con(c, dict(pairs)) for c in s[1]))
        return self.terms.put_relation(s[2], dict(pairs))

    def logic(self, rule: str, args: list[Any], prem: list[Sequent], ctx: Context, claim: Relation) -> Relation:
        if rule == "hypothesis":
            which = args[0]
            if type(which) is not str:
                return self.apply(ctx[2][integer(which, 0, len(ctx[2]))], args[1], ctx)
            need(which in self.hypotheses, "there is no such hypothesis")
            self.used["hypotheses"].add(which)
            return self.apply(self.hypotheses[which], args[1], ctx)
        if rule == "absurd":
            need(self.arithmetic.refutes((*self.assumptions, *ctx[1])), "the guards can be met")
            return claim
        if rule == "distinct":
            a, b = self.equation(prem[0], ctx)
            need(a.op == b.op == "num" and a is not b, "an equation of two different numbers is expected")
            return claim
        if rule == "cases":
            need(type(args[0]) is list and args[0][:1] == ["con"], "a constraint is expected")
            c = self.con(args[0][1:])
            wanted = [((ctx[0], (*ctx[1], branch), ctx[2]), claim) for branch in (c, *negation(c))]
            need(prem == wanted, "the premises are not the claim in each of the cases")
            return claim
        if rule == "induct":
            return self.induct(args, prem, ctx)
        (variables, guards, given), relation = prem[0]
        if rule == "instantiate":
            need(not given, "a local hypothesis is still open")
            return self.apply((variables, guards, relation), args[0], ctx)
        larger = variables == ctx[0][: len(variables)] and set(guards) <= set(ctx[1]) and given == ctx[2]
        need(larger, "the context is not larger")  # weaken
        return relation

    def induct(self, args: list[Any], prem: list[Sequent], ctx: Context) -> Relation:
        """Each claim from all claims (their variables primed) at smaller measure, which is never negative."""
        need(len(listed(args[1])) == len(prem) > 0, "one measure for each premise is expected")
        claims = [(names, guards, relation) for (names, guards, _), relation in prem]
        measures = [self.argument(m, names) for m, (names, _, _) in zip(args[1], claims)]
        for ((names, guards, given), _), m in zip(prem, measures):
            need(not any(n.endswith("'") for n in names), "a variable ends in '")
            self.follows((names, guards, ()), ("ge", m))
            smaller = []
            for (others, conditions, relation), there in zip(claims, measures):
                values = {n: var(n + "'") for n in others}
                less = ge(m, plus(put(there, values), number(1)))
                where = (*(put_con(c, values) for c in conditions), less)
                smaller.append((tuple(n + "'" for n in others), where, self.terms.put_relation(relation, values)))
            need(given == tuple(smaller), "the premise does not assume the claims at smaller measure")
        names, guards, relation = claims[integer(args[0], 0, len(prem))]
        need(ctx == (names, guards, ()), "the claim stands in another context")
        return relation

    # -- derivatives ---------------------------------------------------------------------
    def moves(self, direction: str) -> set[str]:
        """Symbols that vary along a direction: its parameters and what is defined by them."""
        if direction not in self.varying:
            out = set(self.directions[direction])
            for _ in self.defined:
                out |= {n for n, d in self.defined.items() if any(v.names & out for _, v in d.cases)}
            self.varying[direction] = out
        return self.varying[direction]

    def derivative(self, rule: str, args: list[Any], prem: list[Sequent], ctx: Context, claim: Relation) -> Relation:
        terms = self.terms
        need(claim[0] == "tangent", "a derivative is expected")
        _, d, t, _ = claim
        if rule == "tangent_constant":
            need(t.names.isdisjoint(self.moves(d)), "the term varies")
            return ("tangent", d, t, terms.zero)
        if rule == "tangent_variable":
            need(t.op == "app" and t.data[0] in self.directions[d], "the term is not what varies")
            return ("tangent", d, t, terms.make("app", (self.directions[d][t.data[0]], t.data[1])))
        last = prem[-1:] if rule in ("tangent_convert", "tangent_function") else []
        prem = prem[: len(prem) - len(last)]
        need(prem and all(r[:2] == ("tangent", d) for _, r in prem), "derivatives along this direction are expected")
        changes = [r[3] for _, r in prem]
        inner = [ctx] * len(prem)
        if rule == "tangent_sum":
            bound, n = self.argument(args[0], ctx[0]), name(args[1])
            inner = [self.enter(ctx, [n], [bound])]
        elif rule == "tangent_function":
            need(t.op == "app" and len(prem) == len(t.parts), "one premise for each argument is expected")
            need(last == [(ctx, ("deriv", t))], "the derivative at this point is expected as the last premise")
            names = [distinct_names(ns) for ns in listed(args[0], len(t.parts))]
            ranges = [self.position(k, t)[1] for k in range(len(t.parts))]
            need([len(ns) for ns in names] == [len(bs) for bs in ranges], "a name for each index is expected")
            inner = [self.enter(ctx, ns, bs) for ns, bs in zip(names, ranges)]
        need([c for c, _ in prem] == inner, "a premise stands in another context")
        parts = [r[2] for _, r in prem]
        if rule == "tangent_add":
            return ("tangent", d, terms.add(parts), terms.add(changes))
        if rule == "tangent_mul":
            out = [terms.mul(*parts[:k], u, *parts[k + 1 :]) for k, u in enumerate(changes)]
            return ("tangent", d, terms.mul(*parts), terms.add(out))
        if rule == "tangent_sum":
            return ("tangent", d, *(terms.sum(bound, terms.close(x, [n])) for x in (parts[0], changes[0])))
        if rule == "tangent_unfold":
            need(self.case(args[0], t, ctx) is parts[0], "the premise is about another term")
            return ("tangent", d, t, changes[0])
        if rule == "tangent_convert":
            old, new = self.equation(last[0], ctx)
            need(old is changes[0], "the equation is about another derivative")
            return ("tangent", d, parts[0], new)
        out = []
        for k, (ns, bs, change) in enumerate(zip(names, ranges, changes)):  # tangent_function
            need(terms.close(parts[k], ns) is t.parts[k][1], "a premise is about another argument")
            slope = self.symbols[t.data[0]].slopes[k]
            part = terms.mul(terms.make("app", (slope, (*t.data[1], *map(var, ns))), t.parts), change)
            for n, b in reversed([*zip(ns, bs)]):
                part = terms.sum(b, terms.close(part, [n]))
            out.append(part)
        return ("tangent", d, t, terms.add(out) if len(out) > 1 else out[0])


# == printing ======================================================================
def quoted(n: str) -> str:
    """A name; one that is no plain word stands in quotation marks, in ASCII."""
    return n if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*'*", n) else json.dumps(n)


def show_index(i: Index, env: Sequence[str] = ()) -> str:
    out = ""
    for a, c in i[1]:
        inner = ", ".join(show_index(x, env) for x in a[2:])
        text = quoted(a[1]) + (f"({inner})" if inner else "") if a[0] != "bound" else env[-1 - a[1]]
        out += (" - " if c < 0 else " + ") + (f"{abs(c)}*" if abs(c) != 1 else "") + text
    out += f" {'-' if i[0] < 0 else '+'} {abs(i[0])}" if i[0] or not out else ""
    return out.removeprefix(" + ") if out[:3] != " - " else "-" + out[3:]


def show_con(c: Con, env: Sequence[str] = ()) -> str:
    """The positive terms on the left, the others on the right."""
    kind, (const, pairs) = c
    left = (max(const, 0), tuple(p for p in pairs if p[1] > 0))
    right = (max(-const, 0), tuple((a, -k) for a, k in pairs if k < 0))
    return f"{show_index(left, env)} {dict(ge='>=', eq='=', ne='!=')[kind]} {show_index(right, env)}"


def show(t: Term, env: tuple[str, ...] = (), tight: bool = False) -> str:
    """A term in one line; ``tight``: in brackets if it is a sum or product."""

    def inner(k: int, tight: bool = False) -> str:
        arity, p = t.parts[k]
        names = tuple(f"#{len(env) + n}" for n in range(1, arity + 1))
        text = show(p, env + names, tight)
        need(len(text) <= MAX_TEXT, "a formula is too long to be read", "limit")
        return f"{' '.join(names)} -> {text}" if arity and t.op == "app" else text

    every = range(len(t.parts))
    if t.op == "num":
        return f"({t.data})" if tight and (t.data < 0 or t.data.denominator > 1) else str(t.data)
    if t.op == "app":
        idx = ", ".join(show_index(i, env) for i in t.data[1])
        args = ", ".join(inner(k) for k in every)
        return quoted(t.data[0]) + (f"[{idx}]" if idx else "") + (f"({args})" if args else "")
    if t.op in ("add", "mul"):
        text = {"add": " + ", "mul": " * "}[t.op].join(inner(k, True) for k in every)
        return f"({text})" if tight or len(every) < 2 else text
    if t.op == "pow":
        return f"({inner(0)})^({show_index(t.data, env)})"
    if t.op == "iverson":
        return f"[{', '.join(show_con(c, env) for c in t.data)}]"
    if t.op == "sum":
        return f"sum{{#{len(env) + 1} < {show_index(t.data, env)}}}({inner(0)})"
    return f"{t.op}{{{inner(0)}}}"


def show_statement(s: Statement) -> str:
    variables, guards, (kind, *rest) = s
    if kind == "tangent":
        text = f"D[{quoted(rest[0])}]({show(rest[1])}) = {show(rest[2])}"
    elif kind == "deriv":
        text = f"the derivatives declared for {quoted(rest[0].data[0])} are its derivatives at {show(rest[0])}"
    else:
        text = f"{show(rest[0])} {'=' if kind == 'eq' else '!='} {show(rest[1])}"
    need(len(text) <= MAX_TEXT, "a statement is too long to be read", "limit")
    quantified = f"for all {' '.join(map(quoted, variables))}: " if variables else ""
    return quantified + text + (f"   where {', '.join(map(show_con, guards))}" if guards else "")


def show_symbol(n: str, s: Symbol) -> str:
    """Its kind, indices, arguments with their ranges, and what is declared of it."""
    ranges = ["; ".join(show_index(replace(b, lambda a: var(f"i{a[1]}") if a[0] == "var" else None)) for b in r)
              for r in s.ranges]  # fmt: skip
    text = f"{s.kind} {quoted(n)}" + (f"[{', '.join(f'i{k}' for k in range(s.arity))}]" if s.arity else "")
    text += f" of {', '.join(f'indices below {r}' if r else 'a number' for r in ranges)}" if ranges else ""
    text += f"; linear in argument {', '.join(str(k + 1) for k in s.linear)}" if s.linear else ""
    return text + (f"; derivatives {', '.join(map(quoted, s.slopes))}" if s.slopes else "")


def show_definition(d: Definition) -> list[str]:
    head = quoted(d.name) + (f"[{', '.join(map(quoted, d.params))}]" if d.params else "")
    lines = [
        f"{head} = {show(value)}" + (f"   where {', '.join(map(show_con, w))}" if w else "") for w, value in d.cases
    ]
    return lines + ([f"  recursion goes down in {'; '.join(map(show_index, d.measure))}"] if d.measure else [])


# == from files to an exit status ======================================================
def check(data: bytes) -> dict[str, Any]:
    """What was verified, or why not; raises ``NotACertificate``.  The keys are those of ``--json``."""
    try:
        doc = parse(data)
        c = Checker(doc)
        c.check()
        report = {
            "accepted": True, "digest": doc["digest"], "items": len(doc["items"]),
            "claims": [show_statement(s) for s, _ in c.goals],
            "definitions": [line for d in c.defined.values() for line in show_definition(d)],
            "hypotheses": [f"{quoted(n)}: {show_statement(s)}" for n, s in c.hypotheses.items()],
            "sizes": [quoted(n) + (f"({', '.join('i' * k)})" if k else "") for n, k in c.sizes.items()]
            + [show_con(a) for a in c.assumptions],
            "symbols": [show_symbol(n, s) for n, s in c.symbols.items()]
            + [f"direction {quoted(d)}: {', '.join(f'{quoted(x)} by {quoted(y)}' for x, y in moved.items())}"
               for d, moved in c.directions.items()],
        }  # fmt: skip
    except Rejected as e:
        return {"accepted": False, "rule": e.rule, "where": e.where, "reason": e.reason}
    return report


def text_of(path: str, report: dict[str, Any]) -> str:
    """What is printed of a report."""
    if not report["accepted"]:
        where = f" {report['where']}" if report["where"] else ""
        return f"{path}: rejected:{where}: {report['rule']}: {report['reason']}"
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
        shown = json.dumps(path)[1:-1]
        try:
            report = check(read(path))
            text, found = text_of(shown, report), 0 if report["accepted"] else 1
        except (NotACertificate, OSError) as e:
            text, found = f"{shown}: {e if isinstance(e, NotACertificate) else e.strerror}", 2
        print(text, flush=True)
        status = max(status, found)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
