"""When does an error first differ from 0?  At its layer's distance from the output, and not before.

Source: Zahid, Guo and Fountas (2023), Theorem 1, which argues with Jacobians
that are not 0; the closed form gamma^l delta^l needs no such argument.
"""

from __future__ import annotations

from ..language.index import Con, eq, ge, lt, qvar, span
from ..language.signature import Claim, Eq, Relation, Statement
from ..language.terms import ZERO, App, Inv, Pow, mul
from ..networks.network import B, L, width
from .claims import GAMMA, gamma_power, with_nonzero_gamma
from .equations import Equations, timed_theory

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")
EPS, DELTA = App("eps", (t, l, b, i)), App("delta", (l, b, i))


def first_error(e: Equations) -> Claim:
    """eps^l = 0 for t < l; at t = l it is gamma^l delta^l, and delta^l is gamma^{-l} times it: both are 0 or none."""

    def at(relation: Relation, when: Con) -> Statement:
        guards = (ge(t, 0), when, ge(l, 0), lt(l, L), *span(b, 0, B), *span(i, 0, width(l)))
        return Statement(("t", "l", "b", "i"), guards, relation)

    goals = (
        at(Eq(EPS, ZERO), lt(t, l)),
        at(Eq(EPS, mul(gamma_power(l), DELTA)), eq(t, l)),
        at(Eq(DELTA, mul(Pow(Inv(GAMMA), l), EPS)), eq(t, l)),
    )
    return with_nonzero_gamma(
        Claim(
            id=f"{e.name}_first_error",
            theory=timed_theory(e),
            goals=goals,
            equations=e,
            says="recursion",
            title=f"{e.name}: an error is 0 before t = l, and at t = l it is 0 only where delta is",
        )
    )
