"""Hypotheses about every value of an index, of which a counterexample is asked a few values only.

Such a hypothesis is harmless where each further value is about an entry of a parameter
of its own (x[s] = ..., rate[s] != 0, 1 + p[s] != 0, 0 <= v[s]): that entry can be given
the value that is asked for.  Of anything else (sum_{k<s} a <= 1 for every s) the values
that are tried say nothing about the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from ..language.index import QVar
from ..language.signature import PARAMETER, Deriv, Eq, Le, Ne, Statement, Theory
from ..language.terms import Add, App, Mul, Num, Term, sub, subterms


def endless(s: Statement) -> list[str]:
    """Variables that no guard bounds, from above or from below."""
    out = []
    for v in s.variables:
        signs = {(g.kind, c > 0) for g in s.guards for a, c in g.expr.terms if a == QVar(v) and g.kind != "ne"}
        fixed = any(kind == "eq" for kind, _ in signs)
        if not fixed and not {("ge", True), ("ge", False)} <= signs:
            out.append(v)
    return out


def _own(theory: Theory, t: Term, variables: list[str]) -> bool:
    """Is this an entry of a parameter, another one for each value of the variables?"""
    if not isinstance(t, App) or t.args or theory.symbols[t.name].kind != PARAMETER:
        return False
    return all(any(a == QVar(v) for i in t.idx for a, _ in i.terms) for v in variables)


def _generic(theory: Theory, r: Ne, variables: list[str]) -> bool:
    """A polynomial in p[s], p[s + 1], ... differs from 0 for some entries, where it is not the polynomial 0."""
    entries = [a for a in subterms(sub(r.lhs, r.rhs)) if isinstance(a, App)]
    numbers = {a: Fraction(n * n + 7, 2 * n + 1) for n, a in enumerate(dict.fromkeys(a.key for a in entries), 2)}
    value = _value(sub(r.lhs, r.rhs), numbers)
    apart = all(_own(theory, a, variables) and _shifted(a) for a in entries)
    return bool(entries) and apart and value is not None and value != 0


def _shifted(t: App) -> bool:
    return all(c == 1 and isinstance(a, QVar) for i in t.idx for a, c in i.terms)


def _value(t: Term, numbers: Mapping[str, Fraction]) -> Fraction | None:
    """Of a polynomial in the entries at these numbers; None of any other term."""
    if isinstance(t, App):
        return numbers[t.key]
    if isinstance(t, Num):
        return Fraction(t.value)
    if not isinstance(t, (Add, Mul)):
        return None
    total = Fraction(0 if isinstance(t, Add) else 1)
    for a in t.args:
        v = _value(a, numbers)
        if v is None:
            return None
        total = total + v if isinstance(t, Add) else total * v
    return total


def _bounded(theory: Theory, s: Statement, given: Mapping[str, object]) -> str:
    """0 <= q[s], p[s] <= 2: the name of what has the same bound at every entry, and nothing else that is given."""
    r = s.relation
    assert isinstance(r, Le)
    for x, y in ((r.lhs, r.rhs), (r.rhs, r.lhs)):
        if isinstance(x, App) and isinstance(y, Num) and _own(theory, x, endless(s)):
            if given.get(x.name, s.guards) == s.guards:
                return x.name
    return ""


def unreached(theory: Theory) -> str | None:
    """The name of a hypothesis that cannot be held to be met in a model, however many values are tried."""
    given: dict[str, object] = {}
    bounds: list[tuple[str, Statement]] = []
    for name, s in theory.hypotheses.items():
        variables, r = endless(s), s.relation
        if not variables or isinstance(r, Deriv):
            continue
        if isinstance(r, Ne) and _generic(theory, r, variables):
            continue
        if isinstance(r, Le):
            bounds.append((name, s))
            continue
        own = [t for t in (r.lhs, r.rhs) if _own(theory, t, variables)] if isinstance(r, (Eq, Ne)) else []
        if isinstance(r, Eq):
            own = [t for t in own if isinstance(t, App) and t.name not in given]
            given |= {t.name: None for t in own[:1] if isinstance(t, App)}
        if not own:
            return name
    for name, s in bounds:
        bounded = _bounded(theory, s, given)
        if not bounded:
            return name
        given[bounded] = s.guards  # bounds from different places on could meet nowhere
    return None
