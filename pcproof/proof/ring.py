"""The ring rule: are two terms equal as polynomials over their atoms?

Shallow on purpose: numbers, ``Add``, ``Mul`` and powers with a constant
exponent are interpreted; applications, sums, reciprocals, indicators and
symbolic powers are atoms, equal only if they are the same term.  Trusted.
"""

from __future__ import annotations

from fractions import Fraction

from ..language.terms import Add, Mul, Num, Pow, Term

Monomial = tuple[tuple[Term, int], ...]
Polynomial = dict[Monomial, Fraction]


def _times(a: Monomial, b: Monomial) -> Monomial:
    powers = dict(a)
    for atom, k in b:
        powers[atom] = powers.get(atom, 0) + k
    return tuple(sorted(powers.items(), key=lambda p: p[0].key))


def multiply(p: Polynomial, q: Polynomial) -> Polynomial:
    """Product of two polynomials."""
    out: Polynomial = {}
    for m, a in p.items():
        for n, b in q.items():
            mn = _times(m, n)
            out[mn] = out.get(mn, Fraction(0)) + a * b
    return {m: c for m, c in out.items() if c}


def polynomial(t: Term) -> Polynomial:
    """``t`` as a polynomial over its atoms."""
    if isinstance(t, Num):
        return {(): t.value} if t.value else {}
    if isinstance(t, Add):
        out: Polynomial = {}
        for a in t.args:
            for m, c in polynomial(a).items():
                out[m] = out.get(m, Fraction(0)) + c
        return {m: c for m, c in out.items() if c}
    if isinstance(t, Mul):
        out = {(): Fraction(1)}
        for a in t.args:
            out = multiply(out, polynomial(a))
        return out
    if isinstance(t, Pow) and not t.exponent.terms and t.exponent.const >= 0:
        out = {(): Fraction(1)}
        for _ in range(t.exponent.const):
            out = multiply(out, polynomial(t.base))
        return out
    return {((t, 1),): Fraction(1)}


def term_of(p: Polynomial) -> Term:
    """The canonical term of a polynomial: monomials in order, number first."""
    parts: list[Term] = []
    for m, c in sorted(p.items(), key=lambda item: tuple((a.key, k) for a, k in item[0])):
        factors: list[Term] = [Num(c)] if c != 1 or not m else []
        for atom, k in m:
            factors += [atom] * k
        parts.append(factors[0] if len(factors) == 1 else Mul(*factors))
    return Num(0) if not parts else parts[0] if len(parts) == 1 else Add(*parts)


def ring_equal(a: Term, b: Term) -> bool:
    """Equal as polynomials over the rationals with the atoms as unknowns."""
    return a is b or polynomial(a) == polynomial(b)
