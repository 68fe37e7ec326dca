"""The difference of a counterexample as a formula at its shape, factored.

The claim is recorded at the counterexample's shape with polynomial arithmetic
over the entries of the parameters; SymPy factors the difference.  Defined
quantities (``delta[1,0,0]``) that divide it are put in by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from ..language.signature import DEFINED, relation_terms
from ..language.terms import App, Term, subterms
from .counterexample import Counterexample
from .graph import Graph, Node
from .instance import IDENTITY, SQUARE, Key
from .problem import Problem, Tracer

LIMIT = 400  # monomials; a longer difference is no help to a reader


def difference_formula(c: Counterexample) -> str:
    """Left side minus right side, e.g. ``1/2*alpha*delta[1,0,0]*s_in[0,0]``; "" if it is no polynomial."""
    if c.instance.activation.kind not in (IDENTITY, SQUARE):
        return ""
    tracer = Tracer(c.claim)
    problem = tracer.problem(c.instance.shape, c.instance.activation)
    at = tuple(c.indices[v] for v in c.statement.variables)
    test = next((t for t in problem.tests if t.goal == c.goal and t.at == at), None)
    if test is None or not problem.polynomial or not isinstance(test.node, Node):
        return ""
    return _Writer(problem, tracer, c).write(test.node)


class _Writer:
    def __init__(self, problem: Problem, tracer: Tracer, c: Counterexample) -> None:
        from sympy import QQ
        from sympy.polys.rings import ring

        self.graph: Graph = problem.graph
        self.keys = list(self.graph.slots)
        self.ring, *generators = ring([f"g{k}" for k in range(len(self.keys))] or ["g"], QQ)
        self.generators = dict(zip(self.keys, generators))
        self.memo: dict[int, Any] = {}
        wanted = _parts(c)
        self.named = [
            ((name, idx), value)
            for name, table in tracer.run.memo.items()
            if name in wanted
            for idx, value in table.items()
            if isinstance(value, Node)
        ]
        # shortest names first: fewer indices before more, then smaller indices
        self.named.sort(key=lambda n: (len(n[0][1]), n[0]))

    def polynomial(self, node: Node) -> Any:
        """The value of a node as a polynomial; None if it is too long."""
        for k in self.graph.needed([node]):
            if k in self.memo:
                continue
            op = self.graph.ops[k]
            value: Any = None
            if op[0] == "slot":
                value = self.generators[op[1]]
            elif op[0] == "num":
                q = Fraction(op[1])
                value = self.ring(self.ring.domain(q.numerator, q.denominator))
            elif op[0] in ("add", "mul"):
                a, b = self.memo[op[1]], self.memo[op[2]]
                if a is not None and b is not None and len(a) * len(b) <= 50 * LIMIT:
                    value = a + b if op[0] == "add" else a * b
            self.memo[k] = value
        return self.memo[node.id]

    def write(self, node: Node) -> str:
        difference = self.polynomial(node)
        if difference is None or len(difference) > LIMIT:
            return ""
        if not difference:
            return "0"
        labels: list[str] = []
        rest = difference
        while True:
            best: tuple[int, str, Any] | None = None
            for key, value in self.named:
                p = self.polynomial(value)
                if p is None or len(p) < 2 or len(p) > len(rest) * 4:
                    continue
                quotient, remainder = rest.div(p)
                degree = max(sum(m) for m in p.itermonoms())
                if not remainder and (best is None or degree > best[0]):
                    best = (degree, _name(key), quotient)
            if best is None:
                break
            labels.append(best[1])
            rest = best[2]
        number, factors = rest.factor_list()
        # numbers and scalars first, then sums, then what is indexed
        texts = sorted(((self.text(f), k) for f, k in factors), key=lambda p: ("[" in p[0], " " not in p[0], p[0]))
        parts = [(f"({t})" if " " in t else t) + (f"**{k}" if k > 1 else "") for t, k in texts]
        scalars = [p for p in parts if "[" not in p]
        parts = scalars + labels + parts[len(scalars) :]
        coefficient = Fraction(int(number.numerator), int(number.denominator))
        if coefficient in (1, -1) and parts:
            return ("-" if coefficient < 0 else "") + "*".join(parts)
        return "*".join([str(coefficient), *parts])

    def text(self, p: Any) -> str:
        """A polynomial in the names of the entries."""
        out = ""
        for powers, number in p.terms():
            c = Fraction(int(number.numerator), int(number.denominator))
            factors = [_name(k) + (f"**{e}" if e > 1 else "") for k, e in zip(self.keys, powers) if e]
            if abs(c) != 1 or not factors:
                factors.insert(0, str(abs(c)))
            out += (" - " if out else "-") if c < 0 else (" + " if out else "")
            out += "*".join(factors)
        return out


def _reachable(c: Counterexample, terms: Iterable[Term]) -> set[str]:
    """Defined symbols below the given terms, those in the terms themselves left out."""
    theory = c.claim.theory
    top = {s.name for t in terms for s in subterms(t) if isinstance(s, App)}
    seen: set[str] = set()
    queue = [n for n in top if theory.symbols[n].kind == DEFINED]
    while queue:
        d = theory.definition(queue.pop())
        for case in d.cases if d is not None else ():
            for s in subterms(case.value):
                if isinstance(s, App) and s.name not in seen and theory.symbols[s.name].kind == DEFINED:
                    seen.add(s.name)
                    queue.append(s.name)
    return seen - top


def _parts(c: Counterexample) -> set[str]:
    """Quantities to name: what the right side is made of, else the left."""
    lhs, *rhs = relation_terms(c.statement.relation)
    return _reachable(c, rhs) or _reachable(c, [lhs])


def _name(key: Key) -> str:
    return key[0] + ("[" + ",".join(map(str, key[1])) + "]" if key[1] else "")
