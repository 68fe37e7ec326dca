"""Linear integer arithmetic: does a list of constraints entail another?

Fourier-Motzkin elimination with integer tightening.  It is sound (every
``True`` is a proof) and not complete (``False`` means "not shown"); widths
``n(l)`` and the depth ``L`` are opaque atoms.  Trusted by the kernel.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import gcd

from .index import Atom, Con, Idx, ge

_LIMIT = 4000  # inequalities; beyond it the answer is "not shown"


class _Row:
    """const + sum coeff*atom >= 0, tightened over the integers."""

    __slots__ = ("coeffs", "const")

    def __init__(self, const: int, coeffs: dict[Atom, int]) -> None:
        g = 0
        for c in coeffs.values():
            g = gcd(g, c)
        if g > 1:
            const, coeffs = const // g, {a: c // g for a, c in coeffs.items()}
        self.const = const
        self.coeffs = coeffs


def _row(e: Idx) -> _Row:
    return _Row(e.const, dict(e.terms))


def _combine(lo: _Row, hi: _Row, atom: Atom) -> _Row:
    a, b = lo.coeffs[atom], -hi.coeffs[atom]
    coeffs: dict[Atom, int] = {}
    for row, factor in ((lo, b), (hi, a)):
        for k, c in row.coeffs.items():
            coeffs[k] = coeffs.get(k, 0) + c * factor
    return _Row(lo.const * b + hi.const * a, {k: c for k, c in coeffs.items() if c})


def _solve_equalities(eqs: list[Idx], ges: list[Idx]) -> tuple[list[Idx], list[Idx]] | None:
    """Eliminate atoms by equalities with a coefficient of +-1; None: contradiction."""
    eqs, ges, rest = list(eqs), list(ges), []
    while eqs:
        e = eqs.pop()
        if not e.terms:
            if e.const:
                return None
            continue
        pivot = next((p for p in e.terms if abs(p[1]) == 1), None)
        if pivot is None:
            rest.append(e)
            continue
        atom, c = pivot
        value = (e - Idx(0, ((atom, c),))) * -c

        def swap(i: Idx, atom: Atom = atom, value: Idx = value) -> Idx:
            return i.replace(lambda a: value if a == atom else None)

        eqs, ges, rest = [swap(i) for i in eqs], [swap(i) for i in ges], [swap(i) for i in rest]
    return rest, ges


def _unsat_rows(rows: list[_Row]) -> bool:
    while True:
        if any(not r.coeffs and r.const < 0 for r in rows):
            return True
        rows = [r for r in rows if r.coeffs]
        count: dict[Atom, list[int]] = {}
        for r in rows:
            for a, c in r.coeffs.items():
                count.setdefault(a, [0, 0])[c > 0] += 1
        if not count:
            return False
        atom = min(count, key=lambda a: (count[a][0] * count[a][1], a.key))
        lows = [r for r in rows if r.coeffs.get(atom, 0) > 0]
        highs = [r for r in rows if r.coeffs.get(atom, 0) < 0]
        rows = [r for r in rows if atom not in r.coeffs]
        seen: dict[tuple[tuple[str, int], ...], int] = {}
        for new in [_combine(lo, hi, atom) for lo in lows for hi in highs] + rows:
            shape = tuple(sorted((a.key, c) for a, c in new.coeffs.items()))
            if shape not in seen or new.const < seen[shape]:
                seen[shape] = new.const
        by_key = {a.key: a for r in [*lows, *highs, *rows] for a in r.coeffs}
        rows = [_Row(k, {by_key[a]: c for a, c in shape}) for shape, k in seen.items()]
        if len(rows) > _LIMIT:
            return False


@lru_cache(maxsize=100_000)
def _unsat(cons: frozenset[Con]) -> bool:
    ordered = sorted(cons, key=lambda c: c.key)
    split = next((c for c in ordered if c.kind == "ne"), None)
    if split is not None:
        rest = cons - {split}
        return all(_unsat(rest | {side}) for side in (ge(split.expr, 1), ge(-split.expr, 1)))
    ges = [c.expr for c in ordered if c.kind == "ge"]
    # e >= 0 and -e >= 0 is an equation, which may be used inside n(.) too
    both = {e for e in ges if -e in set(ges)}
    solved = _solve_equalities([c.expr for c in ordered if c.kind == "eq"] + [e for e in ges if e in both], ges)
    if solved is None:
        return True
    eqs, ges = solved
    rows = [_row(e) for e in ges]
    for e in eqs:
        g = 0
        for _, c in e.terms:
            g = gcd(g, c)
        if g > 1 and e.const % g:
            return True  # 2a + 1 == 0 has no integer solution
        rows += [_row(e), _row(-e)]
    return _unsat_rows(rows)


def unsatisfiable(cons: Iterable[Con]) -> bool:
    """True only if no integers (and no values of the sizes) meet all constraints."""
    return _unsat(frozenset(cons))


def entails(cons: Iterable[Con], goal: Con) -> bool:
    """True only if every assignment that meets ``cons`` meets ``goal``."""
    if goal in (known := frozenset(cons)):
        return True
    return all(_unsat(known | {n}) for n in goal.negations())
