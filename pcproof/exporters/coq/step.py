"""One item of a certificate, as the scripts of the rules see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import names
from .terms import CoqError, Json
from .theory import pattern

if TYPE_CHECKING:
    from .steps import Steps

Values = Sequence[str]


def lemma(number: int) -> str:
    """The lemma of an item."""
    if type(number) is not int:
        raise CoqError(f"an item is named by its number, got {number!r}")
    return f"s{number}"


def context(number: int) -> str:
    """The proposition that a context holds."""
    return f"x{number}"


class Step:
    """One item."""

    def __init__(self, steps: Steps, item: Json) -> None:
        self.steps = steps
        self.item = item
        self.texts = steps.texts
        self.theory = steps.theory
        self.arguments: list[Json] = item["arguments"]
        self.claim: Json = item["claim"]
        self.number: int = item["context"]
        self.context: Json = steps.contexts[self.number]
        self.variables = steps.variables(self.number)

    def enter(self) -> list[str]:
        return [f"intros {' '.join([*self.variables, 'C'])}."]

    def opened(self) -> list[str]:
        """Everything that the context says, by name."""
        parts = pattern(self.steps.facts(self.number))
        return [f"pose proof C as C_; unfold {context(self.number)} in C_; destruct C_ as {parts}.", self.facts]

    @property
    def facts(self) -> str:
        return self.theory.open_facts

    def row(self, n: int) -> Json:
        return self.texts.table[n]

    def same(self, k: int) -> str:
        """Premise k, which stands in the same context."""
        return f"({lemma(self.item['premises'][k])} p A H {' '.join([*self.variables, 'C'])})"

    @property
    def all(self) -> list[str]:
        return [self.same(k) for k in range(len(self.item["premises"]))]

    def enters(self, number: int, values: Values, inner: bool = True) -> list[str]:
        """K: a context holds at these values; its local hypotheses are the first of those known here.

        ``inner``: the variables of this context keep their names.
        """
        c = self.steps.contexts[number]
        proofs = []
        for g in c["where"]:
            known = inner and g in self.context["where"]
            proofs.append(f"exact g{self.context['where'].index(g)}" if known else "arith")
        proofs += [f"exact h{k}" for k in range(len(c["given"]))]
        holes = "".join("(conj _ " for _ in proofs) + "I" + ")" * len(proofs)
        goals = f"; [{' | '.join(proofs)}]" if proofs else ""
        return [
            f"assert (K : {' '.join([context(number), 'p', *values])}).",
            f"{{ unfold {context(number)}; refine {holes}{goals}. }}",
        ]

    def other(self, k: int, values: Values, inner: bool = True) -> list[str]:
        """Finish with premise k, which stands in another context."""
        premise = self.item["premises"][k]
        lines = self.enters(self.steps.items[premise]["context"], values, inner)
        return [*lines, f"exact ({lemma(premise)} p A H {' '.join([*values, 'K'])})."]

    def under(self, k: int, bound: Values) -> list[str]:
        """Finish with premise k, whose last variables are bound here: index terms may stand in another order."""
        premise = self.item["premises"][k]
        values = [*self.variables, *bound]
        lines = self.enters(self.steps.items[premise]["context"], values)
        used = f"{lemma(premise)} p A H {' '.join([*values, 'K'])}"
        return [*lines, f"pose proof ({used}) as Q.", self.steps.finish(self.steps.items[premise]["claim"]) + "."]

    def fresh(self, k: int) -> list[str]:
        """The variables that premise k has more than the item."""
        return self.steps.variables(self.steps.items[self.item["premises"][k]]["context"])[len(self.variables) :]

    def values(self, row: Json) -> list[str]:
        # a hypothesis, unlike a lemma, does not say that its arguments are integers
        return [f"({self.texts.index(value)})%Z" for value in row]

    def finish(self) -> str:
        return self.steps.finish(self.claim) + "."

    def side(self, n: int) -> str:
        return self.texts.term(n)

    def case_at(self, row: Json, k: int, env: str, prepare: str = "") -> str:
        """The lemma of case k of a definition, at the indices of a term."""
        guards = ["ltac:(" + prepare + "arith)"] * len(self.theory.definitions[row[1]]["cases"][k]["where"])
        indices = [self.texts.index(i) for i in row[2]]
        return "(" + " ".join([names.case(row[1], k), env, "A", *indices, *guards]) + ")"
