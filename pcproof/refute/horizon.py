"""Hypotheses about every value of an index, of which a counterexample is asked a few values only.

Such a hypothesis is harmless where each further value is about an entry of a
parameter of its own (x[s] = ..., rate[s] != 0): that entry can be given the value
that is asked for.  Of anything else (sum_{k<s} a <= 1 for every s) the values that
are tried say nothing about the rest.
"""

from __future__ import annotations

from ..language.index import QVar
from ..language.signature import PARAMETER, Deriv, Eq, Ne, Statement, Theory
from ..language.terms import App, Term


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


def unreached(theory: Theory) -> str | None:
    """The name of a hypothesis that cannot be held to be met in a model, however many values are tried."""
    given: set[str] = set()
    for name, s in theory.hypotheses.items():
        variables, r = endless(s), s.relation
        if not variables or isinstance(r, Deriv):
            continue
        own = [t for t in (r.lhs, r.rhs) if _own(theory, t, variables)] if isinstance(r, (Eq, Ne)) else []
        if isinstance(r, Eq):
            own = [t for t in own if isinstance(t, App) and t.name not in given]
            given |= {t.name for t in own[:1] if isinstance(t, App)}
        if not own:
            return name
    return None
