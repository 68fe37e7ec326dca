"""How many identity vertices make a graph levelled: an integer statement about a maximum.

Source: Salvatori et al., AAAI 2022 (arXiv 2103.04689v2), Algorithm 2.  A vertex i has
parents j, at distances d(j) from the output; k is the parent at the largest
distance, D_i = d(k) >= d(j).  A number of vertices that is not positive means none.
"""

from __future__ import annotations

from ..language.index import Con, Idx, ge, le, qvar, size
from ..language.signature import Claim, Eq, Statement, Theory
from ..language.terms import ONE, ZERO, Sum, Term, add

j, k = qvar("j"), qvar("k")


def distance(parent: Idx) -> Idx:
    """d(j)"""
    return size("d", parent)


PRINTED = distance(j) - distance(k)
REPAIRED = distance(k) - distance(j)
REAL = ge(distance(j), 0)


def count(number: Idx) -> Term:
    """The number, 0 if it is not positive."""
    return Sum(number, ONE)


def _claim(id: str, relation: Eq, title: str, *more: Con) -> Claim:
    from ..tactics.levels import levels_script

    theory = Theory({"d": 1}, (), {})
    guards = (le(distance(j), distance(k)), *more)
    return Claim(id, theory, (Statement(("j", "k"), guards, relation),), title, script=levels_script)


def printed_is_none() -> Claim:
    """d_j - D_i is never positive, so no vertex is inserted."""
    return _claim("no_vertices", Eq(count(PRINTED), ZERO), "Algorithm 2 inserts no identity vertex anywhere")


def printed_levels() -> Claim:
    """False: with d_j - D_i vertices on its edge the parent is at the largest distance."""
    reached = Eq(add(count(distance(j)), count(PRINTED)), count(distance(k)))
    return _claim(
        "printed_levels", reached, "With d_j - D_i identity vertices the graph is levelled", REAL, ge(j, 0), ge(k, 0)
    )


def repaired_levels() -> Claim:
    """D_i - d_j vertices do: that is l(i) - l(j) - 1, with l(i) = 1 + D_i and distances taken along longest paths."""
    reached = Eq(add(count(distance(j)), count(REPAIRED)), count(distance(k)))
    return _claim(
        "repaired_levels", reached, "With D_i - d_j identity vertices every parent is at the largest distance", REAL
    )
