"""One item of a certificate, as the scripts of the rules see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from . import names
from .terms import CoqError, Json

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


def held(proofs: Values) -> str:
    """A context, from proofs of its parts."""
    return "(fun G_ k_ => " + " ".join(["k_", *proofs]) + ")"


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
        #: lemmas that the script rests on
        self.before: list[str] = []

    def identity(self, claim: str, tactic: str) -> str:
        """The lemma that says this of any real numbers; written once, however many items use it."""
        known = self.steps.identities
        if claim not in known:
            known[claim] = f"id{len(known)}"
            self.before.append(f"Lemma {known[claim]} : {claim}.\nProof.\n  intros; {tactic}.\nQed.")
        return known[claim]

    @property
    def binders(self) -> str:
        """Variables and context, as the lemma binds them."""
        vs = " ".join(self.variables)
        return (f" ({vs} : Z) " if vs else " ") + self.known

    @property
    def known(self) -> str:
        """The context, as a binder."""
        return f"(C : {' '.join([context(self.number), 'p', *self.variables])})"

    def opened(self) -> list[str]:
        """Everything that the context says, by name."""
        parts = self.steps.facts(self.number)
        lines = [f"refine (C _ (fun {' '.join(parts)} => _))."] if parts else []
        return [*lines, self.theory.open_facts] if self.theory.facts else lines

    def row(self, n: int) -> Json:
        return self.texts.table[n]

    def same(self, k: int) -> str:
        """Premise k, which stands in the same context."""
        return self.steps.proof(self.item["premises"][k])

    @property
    def all(self) -> list[str]:
        return [self.same(k) for k in range(len(self.item["premises"]))]

    def enters(
        self, number: int, values: Values, inner: bool = True, more: Mapping[str, str] | None = None
    ) -> list[str]:
        """K: a context holds at these values; its local hypotheses are the first of those known here.

        ``inner``: the variables of this context keep their names.  ``more``: proofs of further guards.
        """
        proofs = [f"exact {q}" if q else "arith" for q in self._proofs(number, inner, more or {})]
        holes = held(["_"] * len(proofs))
        goals = f"; [{' | '.join(proofs)}]" if proofs else ""
        return [
            f"assert (K : {' '.join([context(number), 'p', *values])}).",
            f"{{ refine {holes}{goals}. }}",
        ]

    def _proofs(self, number: int, inner: bool, more: Mapping[str, str]) -> list[str]:
        """A proof of each part of a context, "" where it takes arithmetic."""
        c, known = self.steps.contexts[number], self.context["where"]
        guards = [
            f"g{known.index(g)}" if inner and g in known else more.get(self.texts.guard(g), "") for g in c["where"]
        ]
        return [*guards, *(f"h{k}" for k in range(len(c["given"])))]

    def inside(self, name: str, bound: Json) -> dict[str, str]:
        """What r1 and r2 say of an index that goes from 0 up to a bound, as guards say it."""
        n = self.texts.index(bound)
        return {
            f"(0 <= {name})%Z": "r1",
            f"(0 <= (- {name} + {n} - 1)%Z)%Z": "(lt_after _ _ r2)",
            f"(0 <= ({n} - {name} - 1)%Z)%Z": "(lt_before _ _ r2)",
        }

    @property
    def sums(self) -> list[str] | None:
        """Proofs of the context of premise 0, if it says just what a lemma about two sums asks of each summand."""
        (name,) = self.fresh(0)
        part = self.steps.items[self.item["premises"][0]]
        sides = [self.row(n) for n in self.claim[1:]]
        proofs = self._proofs(part["context"], True, self.inside(name, sides[0][1]))
        bodies = [self.texts.term(row[2], "p", (name,)) for row in sides if row[0] == "sum"]
        same = len(bodies) == 2 and sides[0][1] == sides[1][1] and self.claim[0] == part["claim"][0]
        return proofs if same and all(proofs) and bodies == [self.side(n) for n in part["claim"][1:]] else None

    def summed(self, rule: str) -> str | list[str]:
        """From premise 0, which speaks of one summand, by a lemma about two sums that differ in their summands."""
        (name,) = self.fresh(0)
        _, bound, _ = self.row(self.claim[1])
        proofs = self.sums
        if proofs is None:
            start = f"apply {rule}; intros {name} r1 r2; cbv beta."
            return [*self.opened(), start, *self.under(0, [name], self.inside(name, bound))]
        premise = self.item["premises"][0]
        there = Step(self.steps, self.steps.items[premise])
        if premise in self.steps.terms:
            used = f"(fun {there.known} => {self.steps.terms[premise]}) {held(proofs)}"
        else:
            used = f"{lemma(premise)} p A H {' '.join(there.variables)} {held(proofs)}"
        functions = " ".join(self.texts.function(self.row(n)[2]) for n in self.claim[1:])
        whole = f"({rule} {self.texts.index(bound)} {functions} (fun {name} r1 r2 => {used}))"
        parts = self.steps.facts(self.number)
        return f"(C _ (fun {' '.join(parts)} => {whole}))" if parts else whole

    def other(self, k: int, values: Values, inner: bool = True) -> list[str]:
        """Finish with premise k, which stands in another context."""
        premise = self.item["premises"][k]
        lines = self.enters(self.steps.items[premise]["context"], values, inner)
        return [*lines, f"exact ({lemma(premise)} p A H {' '.join([*values, 'K'])})."]

    def under(self, k: int, bound: Values, more: Mapping[str, str] | None = None) -> list[str]:
        """Finish with premise k, whose last variables are bound here: index terms may stand in another order."""
        premise = self.item["premises"][k]
        values = [*self.variables, *bound]
        lines = self.enters(self.steps.items[premise]["context"], values, more=more)
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
