"""Which condition of a rule is used where in its proof, and what breaks without it.

Used where: every unfolding of a definition in the proof is an item of the
kernel; the case that it chose says which condition was used.  What breaks: the
mutants that drop just this condition, refuted by search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..language.arith import entails
from ..language.index import Idx, eq, ge, qvar
from ..language.signature import Case
from ..proof.certificate import Proof
from ..proof.kernel import Item
from ..refute.table import REFUTED, Row
from ..rules.equations import Equations
from .calculation import definition_uses

t, l = qvar("t"), qvar("l")


@dataclass(frozen=True)
class Condition:
    """A condition, where the proof uses it, and the mutants that lack it."""

    name: str
    says: str
    used: tuple[str, ...]
    steps: int
    without: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """Every mutant without it is refuted, and the proof uses it."""
        return bool(self.without) and all(r.verdict == REFUTED for r in self.without)


def conditions(e: Equations, proof: Proof, rows: Sequence[Row]) -> list[Condition]:
    """C1, C2, C3 and the update order of a Z-IL-like rule."""
    theory = proof.kernel.theory
    kinds = {k.name for k in e.net.kinds}

    def case_of(item: Item) -> tuple[str, Case]:
        name = item.claim.lhs.name  # type: ignore[union-attr]
        d = theory.definition(name)
        assert d is not None
        return name, d.cases[int(item.arguments[0])]

    def is_start(name: str, c: Case) -> bool:
        return name == "x" and entails(c.guard, eq(t, Idx(0))) and entails(c.guard, ge(l, 1))

    def is_step(name: str, c: Case) -> bool:
        return name == "x" and entails(c.guard, ge(t, 1))

    def is_moment(name: str, c: Case) -> bool:
        return name in kinds and entails(c.guard, ge(t, 1))

    uses = definition_uses(proof)
    table = (
        ("C1", "hidden activities start at the forward pass", is_start, "start:"),
        ("C2", "the weights from layer l+1 to layer l learn at t = l and at no other time", is_moment, "moment:"),
        ("C3", "the step of inference is minus the gradient of the energy, with step size 1", is_step, "step: scaled"),
        ("Order", "everything at one time is computed from values of that time, then written", is_step, "order:"),
    )
    out = []
    for name, says, test, prefix in table:
        found = [(title, item) for title, item in uses if test(*case_of(item))]
        where = tuple(dict.fromkeys(title for title, _ in found))
        out.append(Condition(name, says, where, len(found), tuple(r for r in rows if r.name.startswith(prefix))))
    return out
