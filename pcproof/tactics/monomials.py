"""Products that are known are replaced inside monomials: gamma p[l] = 1, a (1/a) = 1.

The equations come from hypotheses and lemmas whose left side is a product,
and from hypotheses a != 0.  Untrusted: every step is a call of a kernel rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..language.fold import Binding, match
from ..language.index import Idx, QVar, qvar
from ..language.signature import Eq, Ne, Statement
from ..language.terms import ZERO, Add, App, Inv, Mul, Num, Sum, Term, mul, subst
from ..proof.kernel import Context, Kernel, Theorem
from ..proof.ring import polynomial, term_of
from .normal import normalize, ring_to
from .rewrite import Rewriter, both, inside, then

MOST_STEPS = 60  # replacements in one term; beyond it the term is left as it stands


@dataclass(frozen=True)
class _Known:
    """A product and how the equation for it is had at index terms."""

    pattern: tuple[Term, ...]
    statement: Statement
    at: Callable[[Context, dict[str, Idx]], Theorem]


class Reducer:
    """Replaces known products in the monomials of a polynomial in normal form."""

    def __init__(self, k: Kernel, lemmas: Sequence[Theorem] = ()) -> None:
        self.k = k
        self.known: list[_Known] = []
        for name, s in k.theory.hypotheses.items():
            self._hypothesis(name, s)
        for th in lemmas:
            r = th.relation
            if isinstance(r, Eq) and isinstance(r.lhs, Mul):

                def at(c: Context, v: dict[str, Idx], th: Theorem = th) -> Theorem:
                    return k.instantiate(c, th, v)

                d = r.lhs.args[0]
                if isinstance(d, Add) and r.lhs is Mul(d, Inv(d)):
                    self._quotient(d, th.statement(), at)
                else:
                    self.known.append(_Known(r.lhs.args, th.statement(), at))

    def _hypothesis(self, name: str, s: Statement) -> None:
        k, r = self.k, s.relation
        if isinstance(r, Eq) and isinstance(r.lhs, Mul):
            self.known.append(_Known(r.lhs.args, s, lambda c, v: k.hypothesis(c, name, v)))
        if isinstance(r, Ne) and r.rhs is ZERO and isinstance(term_of(polynomial(r.lhs)), Add):
            self._quotient(r.lhs, s, lambda c, v: k.inverse(k.hypothesis(c, name, v)))
        elif isinstance(r, Ne) and r.rhs is ZERO and not isinstance(r.lhs, Num):
            factors = (r.lhs, Inv(r.lhs))
            self.known.append(_Known(factors, s, lambda c, v: k.inverse(k.hypothesis(c, name, v))))

    def _quotient(self, d: Term, s: Statement, known: Callable[[Context, dict[str, Idx]], Theorem]) -> None:
        """d (1/d) = 1 for a sum d = c m + rest: m (1/d) = 1/c - (rest/c) (1/d), where m is the largest monomial."""
        k = self.k
        rows = polynomial(d)
        lead = max(rows, key=lambda m: (sum(p for _, p in m), [(a.key, p) for a, p in m]))
        c = rows.pop(lead)
        factors = tuple(a for a, p in lead for _ in range(p))

        def at(ctx: Context, values: dict[str, Idx]) -> Theorem:
            unit = known(ctx, values)
            assert isinstance(unit.lhs, Mul)
            given = unit.lhs.args[0]
            plain = term_of(polynomial(given))
            if plain is not given:
                same = k.congruence(ctx, Inv(plain), [k.ring(ctx, plain, given)])
                whole = Mul(given, Inv(plain))
                unit = k.trans(k.congruence(ctx, whole, [k.refl(ctx, given), same]), unit)
            m, rest, inverse = (subst(x, values) for x in (mul(*factors), term_of(rows), Inv(plain)))
            share = Num(1 / c)
            grouped = Add(Mul(share, unit.lhs), Mul(Num(-share.value), rest, inverse))
            th = k.ring(ctx, Mul(*m.args, inverse) if isinstance(m, Mul) else Mul(m, inverse), grouped)
            last = grouped.args[1]
            one = k.congruence(ctx, grouped.args[0], [k.refl(ctx, share), unit])
            return k.trans(th, k.congruence(ctx, grouped, [one, k.refl(ctx, last)]))

        self.known.append(_Known((*factors, Inv(term_of(polynomial(d)))), s, at))

    def __bool__(self) -> bool:
        return bool(self.known)

    def __call__(self, ctx: Context, t: Term) -> Theorem | None:
        k = self.k
        local = [
            _Known(s.relation.lhs.args, s, lambda c, v, n=n: k.hypothesis(c, n, v))  # type: ignore[misc]
            for n, s in enumerate(ctx.hypotheses)
            if isinstance(s.relation, Eq) and isinstance(s.relation.lhs, Mul)
        ]
        known = [*local, *self.known]
        if not known:
            return None
        th: Theorem | None = None
        for _ in range(MOST_STEPS):
            step = self._once(ctx, t if th is None else th.rhs, known)
            if step is None:
                break
            th = then(k, th, step)
        return th

    def _once(self, ctx: Context, t: Term, known: Sequence[_Known]) -> Theorem | None:
        k = self.k
        if isinstance(t, Add):
            parts = [self._once(ctx, a, known) if isinstance(a, (Mul, Sum)) else None for a in t.args]
            if all(p is None for p in parts):
                return None
            th = k.congruence(ctx, t, [both(k, ctx, a, p) for a, p in zip(t.args, parts)])
            return then(k, th, ring_to(k, ctx, th.rhs))
        if isinstance(t, Sum):
            summed = inside(k, lambda c, body: self._once(c, body, known), ctx, t)
            return None if summed is None else then(k, summed, normalize(k, ctx, summed.rhs))
        if not isinstance(t, Mul):
            return None
        for one in known:
            for places, values in _places(one, t.args):
                guards, _ = one.statement.at(values)
                if not all(k.entails(ctx, c) for c in guards):
                    continue
                equation = one.at(ctx, values)
                rest = [a for n, a in enumerate(t.args) if n not in places]
                grouped = Mul(equation.lhs, *rest)
                th = k.ring(ctx, t, grouped)
                th = k.trans(th, k.congruence(ctx, grouped, [equation, *(k.refl(ctx, r) for r in rest)]))
                return then(k, th, ring_to(k, ctx, th.rhs))
        parts = [self._once(ctx, a, known) if isinstance(a, Sum) else None for a in t.args]
        if all(p is None for p in parts):
            return None
        th = k.congruence(ctx, t, [both(k, ctx, a, p) for a, p in zip(t.args, parts)])
        return then(k, th, normalize(k, ctx, th.rhs))


def divisors_as_given(k: Kernel) -> list[Theorem]:
    """d (1/d) = 1 for what differs from 0 by hypothesis, d as the equations among the hypotheses make it."""
    out = []
    for name, s in k.theory.hypotheses.items():
        if not isinstance(s.relation, Ne) or s.relation.rhs is not ZERO:
            continue
        ctx = Context(s.variables, s.guards)
        old = s.relation.lhs
        th = Rewriter(k, ())(ctx, old)
        th = then(k, th, ring_to(k, ctx, old if th is None else th.rhs))
        new = old if th is None else th.rhs
        if th is None or isinstance(new, Num):
            continue
        unit = k.inverse(k.hypothesis(ctx, name, {v: qvar(v) for v in s.variables}))
        assert isinstance(unit.lhs, Mul)
        both_ = k.congruence(ctx, unit.lhs, [th, k.congruence(ctx, unit.lhs.args[1], [th])])
        out.append(k.trans(k.sym(both_), unit))
    return out


def reciprocals_as_given(k: Kernel) -> list[Theorem]:
    """From a b = r, where a and r differ from 0 by hypothesis: b (1/r) = 1/a, or (1/a) (1/b) = 1/r if all do.

    From a = r, where a differs from 0: r (1/r) = 1.
    """
    out = []
    for name, s in k.theory.hypotheses.items():
        if not isinstance(s.relation, Eq) or not isinstance(s.relation.lhs, (App, Mul)):
            continue
        ctx = Context(s.variables, s.guards)
        given = k.hypothesis(ctx, name, {v: qvar(v) for v in s.variables})
        if isinstance(s.relation.lhs, App):
            unit = None if isinstance(s.relation.rhs, Num) else _unit(k, ctx, s.relation.lhs)
            if unit is not None:  # what is equal to it differs from 0, too
                same = k.congruence(ctx, unit.lhs, [given, k.congruence(ctx, Inv(given.lhs), [given])])
                out.append(k.trans(k.sym(same), unit))
            continue
        left = [(a, _unit(k, ctx, a)) for a in s.relation.lhs.args]
        rhs = s.relation.rhs
        right = [
            (a, _unit(k, ctx, a)) for a in (rhs.args if isinstance(rhs, Mul) else (rhs,)) if not isinstance(a, Num)
        ]
        if rhs is ZERO or any(u is None for _, u in right) or all(u is None for _, u in left):
            continue
        below = [Inv(a) for a, u in left if u is not None]
        over = [Inv(a) for a, _ in right]
        # a b (1/r) (1/a), once with a (1/a) = 1 and once with a b = r
        whole = Mul(given.lhs, *over, *below)
        units = [u for _, u in left if u is not None]
        rest = [a for a, u in left if u is None]
        one = _cancelled(k, ctx, whole, units, [*rest, *over])
        moved = k.congruence(ctx, whole, [given, *(k.refl(ctx, x) for x in (*over, *below))])
        number = [a for a in (rhs.args if isinstance(rhs, Mul) else (rhs,)) if isinstance(a, Num)]
        two = k.trans(moved, _cancelled(k, ctx, moved.rhs, [u for _, u in right if u is not None], [*number, *below]))
        th = k.trans(k.sym(one), two)
        if isinstance(th.lhs, Mul):
            out.append(th)
        elif isinstance(th.rhs, Mul):
            out.append(k.sym(th))
    return out


def _unit(k: Kernel, ctx: Context, a: Term) -> Theorem | None:
    """a (1/a) = 1 for a parameter that differs from 0 by hypothesis."""
    for name, s in k.theory.hypotheses.items():
        if isinstance(s.relation, Ne) and s.relation.rhs is ZERO and isinstance(s.relation.lhs, App):
            names = {v: qvar("?" + v) for v in s.variables}
            found = match(subst(s.relation.lhs, names), a, {}, tuple("?" + v for v in s.variables))
            if found is None:
                continue
            values = {v: found["?" + v] for v in s.variables}
            guards, _ = s.at(values)
            if all(k.entails(ctx, g) for g in guards):
                return k.inverse(k.hypothesis(ctx, name, values))
    return None


def _cancelled(k: Kernel, ctx: Context, t: Term, units: Sequence[Theorem], rest: Sequence[Term]) -> Theorem:
    """t = the product of ``rest``, t being that times the left sides of ``units``."""
    grouped = Mul(Num(1), *(u.lhs for u in units), *rest)
    th = k.trans(
        k.ring(ctx, t, grouped),
        k.congruence(ctx, grouped, [k.refl(ctx, Num(1)), *units, *(k.refl(ctx, r) for r in rest)]),
    )
    return k.trans(th, k.ring(ctx, th.rhs, mul(*rest)))


def _places(one: _Known, factors: Sequence[Term]) -> Iterator[tuple[frozenset[int], dict[str, Idx]]]:
    """Where the factors of a known product stand among ``factors``, with the values of its variables."""
    variables = one.statement.variables
    names = {v: qvar("?" + v) for v in variables}
    parameters = tuple("?" + v for v in variables)

    def go(
        patterns: Sequence[Term], used: frozenset[int], found: Binding
    ) -> Iterator[tuple[frozenset[int], dict[str, Idx]]]:
        if not patterns:
            values = {v: found[p] for v, p in zip(variables, parameters) if p in found}
            loose = any(isinstance(a, QVar) and a.name.startswith("?") for i in values.values() for a in i.atoms())
            if len(values) == len(variables) and not loose:
                yield used, values
            return
        for n, factor in enumerate(factors):
            if n in used:
                continue
            more = match(subst(patterns[0], names), factor, dict(found), parameters)
            if more is not None:
                yield from go(patterns[1:], used | {n}, more)

    yield from go(one.pattern, frozenset(), {})
