"""What a theorem rests on: axioms, hypotheses, side conditions, and who accepted it.

Read off the certificate, so that it can be asked of a file without the claim that it came from; a title is never
shown, only what was verified.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .proof.acceptance import ACCEPTED, Acceptance

# what the checker of a rule decides besides the shape of the claim (docs/certificate.md, column "side condition")
SIDE = {
    "index": "index terms that are equal under the guards",
    "unfold": "the guards of the case hold",
    "tangent_unfold": "the guards of the case hold, which do not vary",
    "ring": "equal polynomials over the rationals",
    "power_zero": "an exponent is at most 0",
    "power_step": "an exponent is at least 1",
    "inverse": "what is divided by is not 0 (a premise)",
    "sum_scale": "the factor does not mention the summed index",
    "sum_swap": "the inner bound does not mention the outer index",
    "sum_split": "the cut lies within the range",
    "sum_empty": "the range is empty",
    "sum_single": "the range has one index",
    "sum_congruence": "premise proved for an index within the range",
    "argument_congruence": "premise proved for indices within the declared range",
    "iverson_true": "the conditions hold",
    "iverson_false": "the conditions contradict the guards",
    "instantiate": "the guards hold at the values",
    "hypothesis": "the guards hold at the values",
    "weaken": "the context is larger",
    "cases": "the cases cover everything",
    "real_cases": "a number is equal to another or not",
    "le_number": "two numbers are in this order",
    "le_sum": "premise proved for an index within the range",
    "absurd": "the guards contradict each other",
    "induct": "the measures are never negative where the claims are made",
    "tangent_constant": "no symbol of the term varies",
    "tangent_sum": "premise proved for an index within the range",
    "tangent_function": "premises within the declared ranges, derivatives at this point",
}


@dataclass(frozen=True)
class Trust:
    """Everything that a theorem rests on, as text.

    claims: what was verified.  hypotheses: named, then assumptions on sizes.
    used: of each named hypothesis how many steps use it.  rules: kernel rules with how often each is used.
    side: side conditions that were decided, with how often.  axioms: of the logics in which others accepted it.
    checkers: who was asked, and what they said.
    """

    digest: str
    claims: tuple[str, ...]
    definitions: tuple[str, ...]
    hypotheses: tuple[str, ...]
    used: tuple[tuple[str, int], ...]
    rules: tuple[tuple[str, int], ...]
    side: tuple[tuple[str, int], ...]
    axioms: tuple[tuple[str, tuple[str, ...]], ...]
    checkers: tuple[Acceptance, ...]
    instance: str = ""

    @property
    def items(self) -> int:
        return sum(n for _, n in self.rules)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "digest": self.digest,
            "claims": list(self.claims),
            "definitions": list(self.definitions),
            "hypotheses": list(self.hypotheses),
            "hypotheses_used": dict(self.used),
            "rules": dict(self.rules),
            "side_conditions": dict(self.side),
            "axioms": {who: list(names) for who, names in self.axioms},
            "checkers": [a.as_dict() for a in self.checkers],
            "instance": self.instance,
        }


class TrustError(ValueError):
    """A certificate that the standalone checker rejects: nothing rests on it."""


def trust(data: Any, report: dict[str, Any], checkers: Sequence[Acceptance], instance: str = "") -> Trust:
    """From a certificate, the standalone checker's report on it, and what the checkers said.

    instance: how it is known that hypotheses and guards can be met, "" if it is not.
    Raises TrustError if the report is a rejection.
    """
    if not report["accepted"]:
        raise TrustError(f"the certificate is rejected: {report['rule']}: {report['reason']}")
    sizes = data["theory"]["sizes"]
    rules = Counter(i["rule"] for i in data["items"])
    side: Counter[str] = Counter()
    for rule, n in rules.items():
        if rule in SIDE:
            side[SIDE[rule]] += n
    used = Counter(
        i["arguments"][0] for i in data["items"] if i["rule"] == "hypothesis" and isinstance(i["arguments"][0], str)
    )
    recursive = sum(any(d["measure"] for d in group) for group in data["theory"]["definitions"])
    if data["theory"]["definitions"]:
        cases = sum(len(d["cases"]) > 1 for group in data["theory"]["definitions"] for d in group)
        side["cases of a definition exclude each other"] += cases
        side["recursion of a group of definitions goes down"] += recursive
    return Trust(
        digest=data["digest"],
        claims=tuple(report["claims"]),
        definitions=tuple(report["definitions"]),
        hypotheses=(*report["hypotheses"], *(f"on the sizes: {c}" for c in report["sizes"][len(sizes) :])),
        used=tuple(sorted(used.items())),
        rules=tuple(rules.most_common()),
        side=tuple((text, n) for text, n in side.most_common() if n),
        axioms=tuple((f"{a.checker} {a.version}", a.axioms) for a in checkers if a.verdict == ACCEPTED and a.axioms),
        checkers=tuple(checkers),
        instance=instance,
    )
