"""Are two sides the same polynomial?  Exact, for every number and every activation at one shape.

The record of a claim is multiplied out.  What is no addition or multiplication
(a tabulated activation, relu, the indicator of 0, a reciprocal) counts as an
unknown of its own, named by the polynomial that it is applied to; so two sides
that come out equal are equal whatever these are.  The converse does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from .graph import Graph, Node, Number
from .problem import Problem

Monomial = tuple[tuple[int, int], ...]  # (unknown, exponent), sorted
Poly = dict[Monomial, Number]
ONE: Monomial = ()
LIMIT = 20_000  # products of two monomials in one multiplication


class TooLong(Exception):
    """A polynomial has more monomials than is worth the time."""


class Expander:
    """The nodes of one graph as polynomials; ``steps`` counts products of monomials."""

    def __init__(self, graph: Graph, apart: Sequence[Node] = ()) -> None:
        self.graph = graph
        self.apart = {n.id for n in apart}  # nodes that are not 0
        self.steps = 0
        self._poly: dict[int, Poly] = {}
        self._unknowns: dict[Any, int] = {}
        self._indicators: set[int] = set()

    def is_zero(self, node: Node) -> bool:
        """Is the node the polynomial 0?  Raises TooLong."""
        for k in self.graph.needed([node]):
            if k not in self._poly:
                self._poly[k] = self._expand(k)
        return not self._poly[node.id]

    def _unknown(self, key: Any) -> int:
        return self._unknowns.setdefault(key, len(self._unknowns))

    def _expand(self, k: int) -> Poly:
        op = self.graph.ops[k]
        kind = op[0]
        if kind == "num":
            return {ONE: op[1]} if op[1] else {}
        if kind == "slot":
            return {((self._unknown(("slot", op[1])), 1),): 1}
        if kind == "add":
            out = dict(self._poly[op[1]])
            for m, c in self._poly[op[2]].items():
                total = out.get(m, 0) + c
                if total:
                    out[m] = total
                else:
                    del out[m]
            self.steps += len(self._poly[op[2]])
            return out
        if kind == "mul":
            return self._product(self._poly[op[1]], self._poly[op[2]])
        arg = self._poly[op[-1]]
        if not arg or set(arg) == {ONE}:
            value = arg.get(ONE, 0)
            if kind == "zero":
                return {} if value else {ONE: 1}
            if kind == "inv":
                return {ONE: Fraction(1) / value} if value else {}
        if kind == "inv" and op[-1] in self.apart and len(arg) == 1:
            ((monomial, number),) = arg.items()
            return {tuple((u, -e) for u, e in monomial): Fraction(1) / number}
        if kind == "zero":  # p = 0 where c p = 0
            leading = Fraction(arg[max(arg)])
            arg = {m: c / leading for m, c in arg.items()}
        unknown = self._unknown((op[:-1], frozenset(arg.items())))
        if kind == "zero":
            self._indicators.add(unknown)
        return {((unknown, 1),): 1}

    def _product(self, a: Poly, b: Poly) -> Poly:
        if len(a) * len(b) > LIMIT:
            raise TooLong
        self.steps += len(a) * len(b)
        out: Poly = {}
        for m, c in a.items():
            for n, d in b.items():
                powers = dict(m)
                for u, e in n:
                    powers[u] = 1 if u in self._indicators else powers.get(u, 0) + e
                key = tuple(sorted((u, e) for u, e in powers.items() if e))
                total = out.get(key, 0) + c * d
                if total:
                    out[key] = total
                else:
                    out.pop(key, None)
        return out


def same_polynomial(problem: Problem, most: int) -> tuple[bool, int]:
    """Does every goal hold at this shape as an identity of polynomials?  And the steps it took.

    Hypotheses that say that an entry is not 0 are used; others are not needed.
    """
    expander = Expander(problem.graph, [n for kind, n in problem.requirements if kind == "ne"])
    try:
        for t in problem.tests:
            if t.kind != "eq" or not expander.is_zero(t.node) or expander.steps > most:
                return False, expander.steps
    except TooLong:
        return False, expander.steps
    return True, expander.steps
