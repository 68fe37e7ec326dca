"""A certificate as obligations in SMT-LIB 2.6; the certificate is the only input.

Each obligation is a script of its own; in the file they stand one after the other with ``(reset)`` between them, and
each says with ``(set-info :status ..)`` what has to be answered.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from . import induction, laws, ring, theory
from .certificate import Certificate, Item, Json
from .indices import SmtError, need
from .obligation import Obligation, Obligations
from .rules import OTHERS, RULES
from .step import Step

HEADER = """; Exported by pcproof from the certificate with SHA-256
; {digest}.
;
; If every answer is the one announced by (set-info :status ..), each item of the certificate follows from the items
; it names, the definitions make sense, and each goal is what an item proves.
; Laws used, proved below (those of finite sums by induction): {laws}.
; Taken for granted: {assumed}."""


@dataclass
class Export:
    """obligations: in order.  items: how many the certificate has.  by_rule: items by rule.  laws: of finite sums and
    order, with the number of items that use them; their proofs are among the obligations.  assumed: the same for what
    no solver is asked to prove.
    """

    digest: str
    obligations: list[Obligation]
    items: int
    by_rule: dict[str, int]
    laws: dict[str, int] = field(default_factory=dict)
    assumed: dict[str, int] = field(default_factory=dict)

    def text(self) -> str:
        """The whole file."""
        head = HEADER.format(
            digest=self.digest, laws=", ".join(self.laws) or "none",
            assumed=", ".join(self.assumed) or "nothing",
        )  # fmt: skip
        parts = [f"; {n}: {o.where}\n{o.text}" for n, o in enumerate(self.obligations)]
        return head + "\n\n" + "\n(reset)\n".join(parts)

    def as_dict(self) -> dict[str, Any]:
        kinds = Counter(kind for o in self.obligations for kind in {rule for rule, _ in o.roles})
        return {
            "digest": self.digest, "items": self.items, "obligations": len(self.obligations),
            "items by rule": self.by_rule, "obligations by kind": dict(sorted(kinds.items())),
            "laws proved": self.laws, "assumed": self.assumed,
        }  # fmt: skip


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def export(data: Json) -> Export:
    """All obligations of a certificate.  Raises ``SmtError`` where it has no sense, or the exporter no words."""
    c = Certificate(data)
    out = Obligations()
    used: Counter[str] = Counter()
    assumed: Counter[str] = Counter()
    try:
        theory.obligations(c, out)
        for item in c.items:
            try:
                for kind, count in _item(c, item, out):
                    (used if kind == "law" else assumed)[count] += 1
            except SmtError as e:
                raise SmtError(f"item {item.number} ({item.rule}): {e}") from e
        theory.goals(c, out)
    except SmtError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as e:
        raise SmtError(f"the certificate is malformed: {type(e).__name__}: {e}") from e
    for name in _needed(used):
        for what, script in laws.proof(name):
            out.add(what, "law", script)
    rules = Counter(i.rule for i in c.items)
    return Export(c.digest, list(out), len(c.items), dict(sorted(rules.items())), _sorted(used), _sorted(assumed))


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _needed(used: Counter[str]) -> list[str]:
    """Laws used, and those that their proofs use."""
    names = set(used)
    if "sum_swap" in names:
        names |= {"sum_zero", "sum_add"}
    return [n for n in laws.LAWS if n in names]


def _item(c: Certificate, item: Item, out: Obligations) -> Iterator[tuple[str, str]]:
    """Adds the obligations of an item; yields ("law" or "assumed", what it uses)."""
    where = f"item {item.number}"
    if item.rule == "induct":
        induction.obligations(c, item, out)
        return
    if item.rule == "ring":
        need(item.claim[0] == "eq", "an equation is expected")
        out.add("ring", where, ring.compared("distinct", *item.claim[1:]))
        return
    if item.rule == "le_number":
        kind, *sides = item.claim
        need(kind == "le" and all(t.op == "num" for t in sides), "an inequality of two numbers is expected")
        out.add("le_number", where, ring.compared(">", *sides))
        return
    need(item.rule in RULES, "the rule is not known to the SMT exporter")
    step = Step(c, item)
    RULES[item.rule](step)
    out.add(item.rule, where, step.script.text(step.script.relation(item.claim)))
    if item.rule == "distinct":
        a, b = (ring.real(Fraction(t.data)) for t in step.premise_item(0).claim[1:])
        out.add("distinct", f"{where}, numbers", f"(set-logic QF_NRA)\n(assert (= {a} {b}))")
    yield from (("law", n) for n in step.script.laws)
    yield from (("assumed", n) for n in step.script.assumed)


__all__ = ["OTHERS", "Export", "export", "sha256"]
