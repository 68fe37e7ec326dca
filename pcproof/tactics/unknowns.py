"""A rule run with its parameters as unknowns, and what follows for them at small depths.

Networks with one unit a layer and small numbers as data run over the field of
rational functions in the parameters.  What the rule does there differs from
backprop by a polynomial in the parameters; a Groebner basis of these is the
condition at that depth.  ``conjecture`` reads one condition for every depth off
those of depth 1 to 3; ``factors`` the factor by which a layer's error grows.
Guesses, every one: what is made of them is proved elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from random import Random
from typing import Any

from ..language.evaluate import EvaluationError, Evaluator, Model
from ..language.index import Con, Idx, ge, le, qvar
from ..language.signature import PARAMETER, Claim, Eq, Ne, Statement
from ..language.terms import ONE, App, Inv, Mul, Num, Pow, Term, add, mul
from ..networks.network import L
from ..proof.ring import term_of
from ..rules.equations import Equations, first_moment, timed_theory, written
from ..rules.rule import divisors

DEPTHS = (1, 2, 3)
MOST_UNKNOWNS, MOST_TERMS = 3, 4  # polynomials beyond both are not solved: depth 2 has to do
MOST_DIGITS = 20_000  # of all coefficients of one polynomial
NUMBERS = (1, -1, 2, 3, -2)
DATA = 3  # networks at each depth: affine activations, then two with squares
Name = tuple[str, "int | None"]  # a parameter, or one of its entries


class Unclear(Exception):
    """Nothing is read off the small networks; the message says why."""


@dataclass(frozen=True)
class Condition:
    """``relation`` = 0 at every depth from ``depth`` on.

    relation: a polynomial, as {monomial: coefficient}, a monomial being a tuple
        of (parameter, index, power).
    mode: "fixed" (indices as they stand), "range" (the relation, shifted by 0
        up to L - depth, at every depth L) or "end" (indices count from L).
    """

    relation: tuple[tuple[tuple[tuple[str, int | None, int], ...], Fraction], ...]
    depth: int
    mode: str

    @property
    def indexed(self) -> bool:
        return any(i is not None for m, _ in self.relation for _, i, _ in m)

    def at(self, depth: int) -> list[dict[tuple[tuple[Name, int], ...], Fraction]]:
        """The polynomials that vanish at one depth."""
        if depth < self.depth:
            return []
        shifts = {"fixed": [0], "range": range(depth - self.depth + 1), "end": [depth - self.depth]}[self.mode]
        return [
            {tuple(((n, None if i is None else i + s), p) for n, i, p in m): c for m, c in self.relation}
            for s in shifts
        ]

    def statement(self) -> Statement:
        """The condition for every depth; the side that is rewritten stands at the left."""
        shift: Idx = Idx(0)
        variables: tuple[str, ...] = ()
        guards: tuple[Con, ...] = ()
        indices = [i for m, _ in self.relation for _, i, _ in m if i is not None]
        if self.mode == "range":
            low = min(indices)
            shift, variables = qvar("m") - low, ("m",)
            guards = (ge(qvar("m"), low), le(qvar("m"), L - self.depth + low))
        elif self.mode == "end":
            shift = L - self.depth

        def term(m: tuple[tuple[str, int | None, int], ...]) -> Term:
            return mul(*(f for n, i, p in m for f in [App(n, () if i is None else (shift + i,))] * p))

        left = self._left()
        value = dict(self.relation)
        rest = add(*(mul(Num(-c / value[left]), term(m)) for m, c in self.relation if m != left))
        return Statement(variables, guards, Eq(_canonical(term(left)), rest))

    def _left(self) -> tuple[tuple[str, int | None, int], ...]:
        """A parameter of its own that occurs nowhere else, or the largest monomial."""
        names = [n for m, _ in self.relation for n, _, _ in m]
        alone = [m for m, _ in self.relation if len(m) == 1 and m[0][2] == 1 and names.count(m[0][0]) == 1]
        alone = [m for m in alone if m[0][0] != "alpha"]
        if alone:
            return max(alone, key=lambda m: (m[0][1] is not None, m[0][0]))
        return max((m for m, _ in self.relation), key=lambda m: (sum(p for _, _, p in m), m))


def _canonical(t: Term) -> Term:
    from ..proof.ring import polynomial

    return term_of(polynomial(t))


class Bench:
    """One depth: the rule in several small networks, its parameters unknown.

    given: values of single parameters, as functions of the field's unknowns.
    """

    def __init__(self, e: Equations, depth: int, given: Mapping[str, Any] | None = None, data: int = DATA) -> None:
        self.e, self.depth = e, depth
        self.theory = timed_theory(e)
        self.field, self.unknown = _field(e, depth)
        self.names = list(self.unknown)
        self.given = given or {}
        self.runs = [self._run(seed) for seed in range(data)]

    def number(self, q: Fraction | int) -> Any:
        return _number(self.field, q)

    def _run(self, seed: int) -> Evaluator:
        random, table = Random(seed), dict[object, Any]()

        def some(*key: object) -> Any:
            if key not in table:
                table[key] = self.number(random.choice(NUMBERS))
            return table[key]

        def parameter(name: str) -> Callable[..., Any]:
            if name in self.given:
                value = self.given[name]
                return lambda *i: value if not callable(value) else value(self, *i)
            return lambda *i: _entry(self.unknown, name, i)

        own = {p.name for p in self.e.parameters} | {"alpha"}
        parameters: dict[str, Callable[..., Any]] = {}
        for s in self.theory.symbols.values():
            if s.kind == PARAMETER:
                parameters[s.name] = parameter(s.name) if s.name in own else lambda *i, n=s.name: some(n, i)
        square = seed > 0
        functions: dict[str, Callable[..., Any]] = {
            "f": lambda l, v: some("a", l) + some("b", l) * v + (some("c", l) * v * v if square else self.number(0)),
            "df": lambda l, v: some("b", l) + (2 * some("c", l) * v if square else self.number(0)),
        }
        chain: dict[str, Callable[..., Any]] = {  # a map of one parameter and one activity, and its derivatives
            "P": lambda l, i, p, x: p(0) * functions["f"](l, x(0)) + some("d", l) * p(0),
            "Jx": lambda l, i, k, p, x: p(0) * functions["df"](l, x(0)),
            "Jp": lambda l, i, k, p, x: functions["f"](l, x(0)) + some("d", l),
        }
        functions |= {name: fn for name, fn in chain.items() if name in self.theory.symbols}
        widths = {n: (lambda _: 1) for n, arity in self.e.net.sizes.items() if arity}
        sizes: dict[str, Any] = {"L": self.depth, "B": 1, **widths, **dict.fromkeys(self.e.sizes, 2)}
        return Evaluator(self.theory, Model(sizes, parameters, functions, number=self.number))

    def units(self) -> frozenset[str]:
        """What is not 0 by hypothesis, as irreducible polynomials: alpha, and what the rule divides by."""
        from sympy import factor_list

        out = {"alpha"}
        for s in divisors(self.e).values():
            assert isinstance(s.relation, Ne)
            for point in product(range(self.depth + 3), repeat=len(s.variables)):
                env = dict(zip(s.variables, point))
                try:
                    value = self.runs[0].value(s.relation.lhs, env)
                except EvaluationError:
                    continue  # an entry beyond those that are read at this depth
                out |= {str(f) for f, _ in factor_list(value.numer.as_expr())[1]}
        return frozenset(out)

    # -- what the rule does ---------------------------------------------------------
    def moves(self, layer: int, kind: str | None = None) -> list[tuple[Any, Any]]:
        """(total change of the weights of a layer, backprop's change), one pair a network and kind of weight."""
        out = []
        for run in self.runs:
            time = run.index(written(self.e), {"l": layer})
            if time < 0:
                raise Unclear(f"the weights of layer {layer} would learn before time 0")
            for k in self.e.net.kinds:
                units = (0,) * len(k.units)
                if kind is None or k.name == kind:
                    change = run.call(k.name, (time, layer, *units)) - run.call(k.initial, (layer, *units))
                    out.append((change, run.call(k.initial_change, (layer, *units))))
        return out

    def error_factor(self, layer: int) -> Any:
        """c with eps = c delta at the moment of the layer's weights, the same in all networks."""
        found = set()
        for run in self.runs:
            time = run.index(first_moment(self.e), {"l": layer + 1})
            eps, delta = run.call(self.e.error, (time, layer, 0, 0)), run.call("delta", (layer, 0, 0))
            if delta == 0:
                continue
            found.add(eps / delta)
        if len(found) != 1:
            raise Unclear("the error of a layer is not a multiple of backprop's")
        return found.pop()


def _text(n: Name) -> str:
    return n[0] if n[1] is None else f"{n[0]}_{n[1]}"


def understood(e: Equations) -> None:
    """Raise ``Unclear`` on rules that have no light cone of the plain kind."""
    if e.gate is not None:
        raise Unclear("the rule has no wave that arrives once: its factors are not those of one moment")
    if [f.name for f in e.net.functions] not in (["f", "df"], ["P", "Jp", "Jx"]):
        raise Unclear(f"the small networks are made of plain layers, and this is a {e.net.name}")


# -- ideals ------------------------------------------------------------------------------
class Ideal:
    """A set of polynomials in named unknowns, by its Groebner basis; ``nonzero`` ones are divided out.

    powers: powers of factors stand as they are; otherwise each counts once.
    """

    def __init__(
        self, polynomials: Sequence[Any], symbols: Sequence[Any], nonzero: frozenset[str], powers: bool = False
    ) -> None:
        from sympy import factor_list, groebner, reduced, sympify

        def kept(p: Any) -> tuple[Any, bool]:
            """Without the factors that do not count, and whether there were such."""
            out, less = sympify(1), False
            for f, power in factor_list(p)[1]:
                times = 0 if str(f) in nonzero else power if powers else 1
                out, less = out * f**times, less or times != power
            return out, less

        basis: Any = None
        elements: list[Any] = []
        # one polynomial after the other, the short ones first, each reduced by those before it
        for p in sorted((p for p in polynomials if p != 0), key=lambda p: (len(p.args), str(p))):
            used = p.free_symbols.union(*(x.free_symbols for x in elements))
            gens = [x for x in symbols if x in used]
            rest = reduced(p, elements, *gens, order="grevlex", domain="QQ")[1] if elements else p
            if rest == 0:
                continue
            now = [*elements, kept(rest)[0]]
            again = True
            while again:
                basis = groebner(now, *gens, order="grevlex", domain="QQ")
                cut = [kept(x) for x in basis.exprs]
                now, again = [x for x, _ in cut], any(less for _, less in cut)
            elements = list(basis.exprs)
            if any(x.is_number for x in elements):
                break
        self.symbols = list(symbols)
        if elements:
            basis = groebner(elements, *self.symbols, order="grevlex", domain="QQ")
        self.basis, self.elements = basis, elements

    @property
    def everything(self) -> bool:
        return any(x.is_number and x != 0 for x in self.elements)

    def contains(self, p: Any) -> bool:
        return p == 0 or (self.basis is not None and bool(self.basis.contains(p)))

    def same(self, other: Ideal) -> bool:
        return all(other.contains(x) for x in self.elements) and all(self.contains(x) for x in other.elements)


def _symbols(names: Sequence[Name]) -> list[Any]:
    """Unknowns, those to be expressed by others first; alpha comes last."""
    from sympy import Symbol

    ordered = sorted(names, key=lambda n: (n[0] == "alpha", n[1] is None, -(n[1] or 0), n[0]))
    return [Symbol(_text(n)) for n in ordered]


def _expression(p: Mapping[tuple[tuple[Name, int], ...], Fraction]) -> Any:
    from sympy import Rational, Symbol

    out = Rational(0)
    for m, c in p.items():
        term = Rational(c.numerator, c.denominator)
        for n, k in m:
            term = term * Symbol(_text(n)) ** k
        out += term
    return out


def _relation(p: Any, names: Sequence[Name]) -> tuple[tuple[tuple[tuple[str, int | None, int], ...], Fraction], ...]:
    from sympy import Poly

    by_text = {_text(n): n for n in names}
    poly = Poly(p, *sorted(p.free_symbols, key=str))
    rows = []
    for powers, c in poly.terms():
        m = tuple((*by_text[str(g)], k) for g, k in zip(poly.gens, powers) if k)
        rows.append((tuple(sorted(m, key=str)), Fraction(int(c.p), int(c.q))))
    return tuple(sorted(rows, key=str))


class Benches:
    """The small networks of one rule, by depth, each run once.  Raises ``Unclear`` where there are none."""

    def __init__(self, e: Equations) -> None:
        understood(e)
        self.e = e
        self.made: dict[int, Bench] = {}

    def __getitem__(self, depth: int) -> Bench:
        if depth not in self.made:
            self.made[depth] = Bench(self.e, depth)
        return self.made[depth]


def conjecture(benches: Benches, parallel: bool = False) -> tuple[list[Condition], int | None]:
    """What has to hold of the parameters at every depth, as depths 1 to 3 have it.

    Returns the conditions, and the depth from which on no parameters will do
    (None if there is none).  ``parallel``: for being a multiple of backprop,
    layer by layer, and not 0.  Raises ``Unclear``.
    """
    ideals: dict[int, tuple[Ideal, list[Name]]] = {}
    for depth in DEPTHS:
        bench = benches[depth]
        nonzero = bench.units()
        rows: list[Any] = []
        for layer in range(1, depth + 1):
            rows += _crossed(bench, layer, nonzero) if parallel else [u - v for u, v in bench.moves(layer)]
        if _large(rows):
            if depth > 2:
                break
            if parallel:
                raise Unclear("there are too many parameters to be solved for")
        found = Ideal([r.numer.as_expr() for r in rows], _symbols(bench.names), nonzero)
        ideals[depth] = found, bench.names
        if found.everything:
            if depth > 2:
                raise Unclear(f"no values of the parameters serve from depth {depth} on")
            return _generalised(ideals, benches, depth - 1), depth
    return _generalised(ideals, benches, max(ideals)), None


def _large(rows: Sequence[Any]) -> bool:
    """Would a Groebner basis, or factors, take long?"""
    if any(len(r.numer.terms()) * max(len(str(c)) for _, c in r.numer.terms()) > MOST_DIGITS for r in rows if r != 0):
        return True
    unknowns = {g for r in rows for g in _occurring(r.numer)}
    return len(unknowns) > MOST_UNKNOWNS and max(len(r.numer.terms()) for r in rows) > MOST_TERMS


def _crossed(bench: Bench, layer: int, nonzero: frozenset[str]) -> list[Any]:
    """u v' - u' v for the pairs of networks: 0 where the change is one multiple of backprop's."""
    out = []
    for kind in bench.e.net.kinds:
        pairs = bench.moves(layer, kind.name)
        for (u, v), (u2, v2) in zip(pairs, pairs[1:]):
            d = u * v2 - u2 * v
            if d == 0:
                continue
            # where the rule does not move at all is no multiple worth having
            for g in (g for n, g in bench.unknown.items() if _text(n) not in nonzero):
                while (
                    d.numer.rem(g.numer) == 0 and d != 0 and all(w.numer.rem(g.numer) == 0 for w, z in pairs if z != 0)
                ):
                    d = d / g
            out.append(d)
    return out


def _generalised(ideals: Mapping[int, tuple[Ideal, list[Name]]], benches: Benches, last: int) -> list[Condition]:
    out: list[Condition] = []

    def implied(depth: int) -> Ideal:
        _, names = ideals[depth]
        return Ideal([_expression(p) for c in out for p in c.at(depth)], _symbols(names), benches[depth].units())

    for depth in sorted(d for d in ideals if d <= last):
        ideal, names = ideals[depth]
        if any(len(str(x)) > MOST_DIGITS // 20 for x in ideal.elements):
            raise Unclear(f"what is needed at depth {depth} is too long to be generalised")
        for x in sorted(ideal.elements, key=lambda x: (len(x.free_symbols), len(str(x)), str(x))):
            if implied(depth).contains(x):
                continue
            more = [d for d in ideals if d <= last and d >= depth]
            forms = [Condition(_relation(y, names), depth, "range") for y in _alike(x, out)]
            forms += [Condition(_relation(x, names), depth, mode) for mode in ("fixed", "end")]
            for one in forms:
                if one.mode != "fixed" and not one.indexed:
                    continue
                if all(ideals[d][0].contains(_expression(p)) for d in more for p in one.at(d)):
                    out.append(one)
                    break
            else:
                raise Unclear(f"{x} = 0 is needed at depth {depth}, and not in the same way at others")
        if not implied(depth).same(ideal):
            raise Unclear(f"what is needed at depth {depth} has no form that holds at every depth")
    return out


def _alike(x: Any, known: Sequence[Condition]) -> Iterator[Any]:
    """``x``, and ``x`` with what is known to be equal put in: a[0] for 1, alpha for eta[1], eta[1] for alpha."""
    from sympy import Symbol

    yield x
    for c in known:
        level = _level(c)
        rest = x.as_coefficients_dict().get(1, 0)
        if level is not None and rest != 0:
            yield x - rest + rest / level[1] * level[0]
    for c in known:
        monomials = [m for m, _ in c.relation]
        if c.mode == "fixed" and len(monomials) == 2 and all(len(m) == 1 and m[0][2] == 1 for m in monomials):
            if sum(v for _, v in c.relation) == 0:
                a, b = (Symbol(_text(m[0][:2])) for m in monomials)
                yield from (x.subs(a, b), x.subs(b, a))


def _level(c: Condition) -> tuple[Any, Any] | None:
    """An entry and the number other than 0 that a condition gives it."""
    from sympy import Rational, Symbol

    rows = dict(c.relation)
    free = rows.pop((), Fraction(0))
    if c.mode != "fixed" or not free or len(rows) != 1:
        return None
    ((m, scale),) = rows.items()
    if len(m) != 1 or m[0][1] is None or m[0][2] != 1:
        return None
    value = -free / scale
    return Symbol(_text(m[0][:2])), Rational(value.numerator, value.denominator)


def says(claim: Claim, depth: int) -> bool:
    """Does backprop's change of one layer come down to what a claim about one network says of the parameters?

    Looked at at two depths, modulo the claim's other hypotheses; alpha is not 0.
    """
    from sympy import cancel

    from .witness import MOST_POWER

    for d in (depth, depth + 1):
        try:
            run = _numbers_run(claim, d)
            there = difference(claim, d)
            (wanted,) = _instances(run, claim.goals[0], d)
        except EvaluationError:
            return False
        ideal = _known(claim, run, d)
        wanted = wanted if ideal.basis is None else ideal.basis.reduce(wanted)[1]
        if there == 0 or wanted == 0 or not any(cancel(there / wanted**k).is_number for k in range(1, MOST_POWER + 1)):
            return False
    return True


def difference(claim: Claim, depth: int) -> Any:
    """What the weights of a layer differ by from backprop's, modulo what is known and factors alpha.

    claim: about a rule on one network of numbers.  Raises EvaluationError.
    """
    from sympy import factor_list

    run = _numbers_run(claim, depth)
    lhs, rhs = compared(claim)
    there = (run.value(lhs, {}) - run.value(rhs, {})).numer.as_expr()
    ideal = _known(claim, run, depth)
    if ideal.everything:
        return 0
    there = there if ideal.basis is None else ideal.basis.reduce(there)[1]
    if there == 0:
        return there
    c, parts = factor_list(there)
    out = c
    for f, power in parts:
        if str(f) != "alpha":
            out = out * f**power
    return out


def compared(claim: Claim) -> tuple[Term, Term]:
    """The two sides that a claim about one network compares, from its hypothesis or its goal."""
    r = claim.goals[0].relation
    if isinstance(r, Eq):
        r = next(s.relation for n, s in claim.theory.hypotheses.items() if n.startswith("equal_"))
    assert isinstance(r, (Eq, Ne))
    return r.lhs, r.rhs


def _numbers_run(claim: Claim, depth: int) -> Evaluator:
    field_, unknown = _field(claim.equations, depth)
    parameters: dict[str, Callable[..., Any]] = {}
    for name in {n for n, _ in unknown}:
        parameters[name] = lambda *i, name=name: _entry(unknown, name, i)
    sizes: dict[str, Any] = {"L": depth, **dict.fromkeys(claim.equations.sizes, 2)}
    return Evaluator(claim.theory, Model(sizes, parameters, number=lambda q: _number(field_, q)))


def _known(claim: Claim, run: Evaluator, depth: int) -> Ideal:
    rows = [
        p for n, s in claim.theory.hypotheses.items() if n.startswith("condition") for p in _instances(run, s, depth)
    ]
    return Ideal(rows, _symbols(list(_field(claim.equations, depth)[1])), frozenset(), powers=True)


def simple(p: Any, claim: Claim, depth: int) -> tuple[bool, Statement] | None:
    """The condition p = 0, if p is a power of one parameter (then True comes with it) or linear in one."""
    if len(p.free_symbols) != 1:
        return None
    (x,) = p.free_symbols
    poly = p.as_poly(x)
    power = len(poly.terms()) == 1
    condition = Condition(_relation(p, list(_field(claim.equations, depth)[1])), depth, "fixed")
    if condition.indexed or not (power or poly.degree() == 1):
        return None
    return power, condition.statement()


def _instances(run: Evaluator, s: Statement, depth: int) -> list[Any]:
    """A condition at one depth, as polynomials that vanish."""
    assert isinstance(s.relation, Eq)
    out = []
    for point in product(range(depth + 2), repeat=len(s.variables)):
        env = dict(zip(s.variables, point))
        if all(run.holds(c, env) for c in s.guards):
            out.append((run.value(s.relation.lhs, env) - run.value(s.relation.rhs, env)).numer.as_expr())
    return out


def _entry(unknown: Mapping[Name, Any], name: str, idx: tuple[int, ...]) -> Any:
    key = (name, idx[0] if idx else None)
    if key not in unknown:
        raise EvaluationError(f"{name}{list(idx)} is not read")
    return unknown[key]


@lru_cache(maxsize=4096)
def _number(field_: Any, q: Fraction | int) -> Any:
    from sympy.polys.domains import QQ

    q = Fraction(q)
    return field_(QQ(q.numerator, q.denominator))


def _field(e: Equations, depth: int) -> tuple[Any, dict[Name, Any]]:
    """Rational functions of alpha and the rule's parameters, entries up to ``depth`` + 2."""
    names: list[Name] = [("alpha", None)]
    for p in e.parameters:
        if p.arity > 1:
            raise Unclear(f"the parameter {p.name} has more than one index")
        if p.name != "alpha":
            names += [(p.name, None)] if not p.arity else [(p.name, i) for i in range(depth + 3)]
    made, gens = _rational_functions(tuple(names))
    return made, dict(zip(names, gens))


@lru_cache(maxsize=256)
def _rational_functions(names: tuple[Name, ...]) -> tuple[Any, tuple[Any, ...]]:
    from sympy.polys.domains import QQ
    from sympy.polys.fields import field

    made, *gens = field([_text(n) for n in names], QQ)
    return made, tuple(gens)


# -- factors -----------------------------------------------------------------------------
def factors(benches: Benches, conditions: Sequence[Condition]) -> tuple[Term, dict[str, Term], Term]:
    """r(l), by which the error of layer l >= 1 exceeds that of layer l - 1, the rate of each kind of weight, and c(0).

    The change of weights of layer l is rate(l) c(l - 1) times backprop's, with
    c(l) = r(l) c(l - 1).  Raises ``Unclear``
    where small networks do not have such factors.
    """
    depth, e = max(DEPTHS), benches.e
    given = _given(conditions)
    bench = Bench(e, depth, given) if given else benches[depth]
    try:
        c = [bench.error_factor(layer) for layer in range(depth)]
    except EvaluationError as error:
        raise Unclear(str(error)) from None
    if any(v == 0 for v in c):
        raise Unclear("an error of the wave is 0")
    base = _for_every_layer({0: c[0]}, bench)
    growth = _for_every_layer({n: c[n] / c[n - 1] for n in range(1, depth)}, bench)
    rates: dict[str, Term] = {}
    for kind in e.net.kinds:
        by_layer = {}
        for layer in range(1, depth + 1):
            ratios = {u / v for u, v in bench.moves(layer, kind.name) if v != 0}
            if len(ratios) != 1:
                raise Unclear("the change of a layer is not a multiple of backprop's")
            by_layer[layer] = ratios.pop() / c[layer - 1]
        rates[kind.name] = _for_every_layer(by_layer, bench)
    return growth, rates, base


def _given(conditions: Sequence[Condition]) -> dict[str, Any]:
    """Values of parameters that conditions fix outright."""
    out: dict[str, Any] = {}
    for condition in conditions:
        s = condition.statement()
        if not isinstance(s.relation, Eq):
            continue
        lhs, rhs = s.relation.lhs, s.relation.rhs
        if isinstance(lhs, Mul) and rhs is Num(0):
            lhs = lhs.args[0]  # one of the factors is 0
        every = not lhs.idx or condition.mode == "range" if isinstance(lhs, App) else False
        if isinstance(lhs, App) and every and isinstance(rhs, Num):
            out[lhs.name] = lambda bench, *_, value=rhs.value: bench.number(value)
        elif isinstance(lhs, App) and not lhs.idx and isinstance(rhs, App) and not rhs.idx:
            out[lhs.name] = lambda bench, name=rhs.name: bench.unknown[name, None]
    return out


def _for_every_layer(values: Mapping[int, Any], bench: Bench) -> Term:
    """One term in l whose values at layers are these; ``Unclear`` if there is none of the forms tried.

    The deepest layer is read; each index in it counts from l, or stands as it is, or counts from L - l.
    """
    values, power = _powers(values, bench)
    deepest = max(values)
    by_text = {_text(n): n for n in bench.names}
    used = sorted(
        {by_text[str(g)] for p in (values[deepest].numer, values[deepest].denom) for g in _occurring(p)}, key=str
    )
    indexed = [n for n in used if n[1] is not None]
    here, still, from_input = qvar("l") - deepest, Idx(0), L - qvar("l") - (bench.depth - deepest)
    ways = product((here, still), repeat=len(indexed))
    for shifts in (*ways, *product((here, still, from_input), repeat=len(indexed))):
        term = _term(values[deepest], by_text, dict(zip(indexed, shifts)))
        if all(_has(bench, term, layer, value) for layer, value in values.items()):
            return _canonical(mul(term, power))
    raise Unclear("the factors of the layers have no common form")


def _powers(values: Mapping[int, Any], bench: Bench) -> tuple[dict[int, Any], Term]:
    """Powers of single parameters whose exponents grow with the layer, taken out: what is left, and their product."""
    left = dict(values)
    out: Term = ONE
    layers = sorted(values)
    if len(layers) < 2 or any(len(v.numer.terms()) != 1 or len(v.denom.terms()) != 1 for v in values.values()):
        return left, out
    for (name, i), g in bench.unknown.items():
        if i is not None:
            continue
        at = g.numer.ring.symbols.index(g.numer.as_expr())
        exponents = [values[n].numer.monoms()[0][at] - values[n].denom.monoms()[0][at] for n in layers]
        slopes = {b - a for a, b in zip(exponents, exponents[1:])}
        if len(slopes) != 1 or slopes == {0}:
            continue
        (slope,) = slopes
        exponent = qvar("l") * slope + (exponents[0] - slope * layers[0])
        rising = slope > 0
        if (exponents[0] if rising else -exponents[0]) < 0:
            continue
        out = mul(out, Pow(App(name), exponent) if rising else Pow(Inv(App(name)), -exponent))
        for n, e in zip(layers, exponents):
            left[n] = left[n] / g**e
    return left, out


def _occurring(p: Any) -> list[Any]:
    return [g for n, g in enumerate(p.ring.symbols) if any(powers[n] for powers in p.monoms())]


def _has(bench: Bench, term: Term, layer: int, value: Any) -> bool:
    try:
        return bool(bench.runs[0].value(term, {"l": layer}) == value)
    except EvaluationError:
        return False


def _term(value: Any, by_text: Mapping[str, Name], shifts: Mapping[Name, Idx]) -> Term:
    """An element of the field as a term in which indices are shifted."""

    def symbol(text: str) -> Term:
        name, i = by_text[text]
        if i is None:
            return App(name)
        return App(name, (shifts[name, i] + i,))

    def polynomial(p: Any) -> Term:
        parts = []
        for powers, c in p.terms():
            factors_ = [symbol(str(g)) for g, k in zip(p.ring.symbols, powers) for _ in range(k)]
            parts.append(mul(Num(Fraction(int(c.numerator), int(c.denominator))), *factors_))
        return _canonical(add(*parts))

    top, below = polynomial(value.numer), polynomial(value.denom)
    return _canonical(mul(top, _inverse(below)))


def _inverse(t: Term) -> Term:
    if isinstance(t, Num):
        return Num(1 / t.value)
    return mul(*(_inverse(a) for a in t.args)) if isinstance(t, Mul) else Inv(t)


__all__ = [
    "Bench",
    "Benches",
    "Condition",
    "Ideal",
    "Unclear",
    "conjecture",
    "difference",
    "factors",
    "says",
    "simple",
    "understood",
]
