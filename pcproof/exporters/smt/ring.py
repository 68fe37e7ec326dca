"""Polynomial identities over the reals of the solver; whatever is not a number, sum, product or fixed power is unknown.

Where the same unknown is written with other, equal indices it is another unknown: the rule ``ring`` takes terms as they
stand.
"""

from __future__ import annotations

from fractions import Fraction

from .certificate import Term
from .indices import need

RELATIONS = {"eq": "=", "ne": "distinct", "le": "<="}
MAX_POWER, MAX_WORK = 64, 50_000


def real(q: Fraction) -> str:
    text = f"{abs(q.numerator)}.0" if q.denominator == 1 else f"(/ {abs(q.numerator)}.0 {q.denominator}.0)"
    return text if q >= 0 else f"(- {text})"


class _Reading:
    def __init__(self) -> None:
        self.unknowns: dict[Term, str] = {}
        self.work = 0

    def text(self, t: Term) -> str:
        self.work += 1
        need(self.work <= MAX_WORK, "a polynomial is too large to be written")
        if t.op == "num":
            return real(t.data)
        parts: list[Term] | None = t.kids() if t.op in ("add", "mul") else None
        if t.op == "pow" and not t.data[1] and 0 <= t.data[0] <= MAX_POWER:
            parts = t.kids() * int(t.data[0])
        if parts is None:
            return self.unknowns.setdefault(t, f"r{len(self.unknowns)}")
        if len(parts) < 2:
            return self.text(parts[0]) if parts else real(Fraction(0 if t.op == "add" else 1))
        return f"({'+' if t.op == 'add' else '*'} {' '.join(map(self.text, parts))})"


def compared(relation: str, a: Term, b: Term) -> str:
    """The script that looks for values at which two terms are equal ("="), differ ("distinct") or are in order."""
    reading = _Reading()
    wanted = f"(assert ({relation} {reading.text(a)} {reading.text(b)}))"
    constants = [f"(declare-const {r} Real)" for r in reading.unknowns.values()]
    return "\n".join(["(set-logic QF_NRA)", *constants, wanted])
