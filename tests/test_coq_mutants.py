"""False mutants of every theorem, made in the certificate: Coq takes definitions and statement, not the proof.

Each mutant has an exact counterexample, so its statement is false.  Its certificate has the changed theory and goals
and the steps of the true theorem (definitions are unfolded as they are now); what coqc reads is the export of that,
with the statement written out once more as a definition before the first step.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pcproof.attack import reached
from pcproof.catalogue import Entry, entries
from pcproof.exporters.coq import coqc_version, export, statement
from pcproof.exporters.coq import run as runner
from pcproof.language.signature import Claim, Theory, subst_relation
from pcproof.proof.certificate import Proof, document, relevant, restated
from pcproof.proof.kernel import Item
from pcproof.proof.theory import admit
from pcproof.refute.mutate import claim_mutants, mutants
from pcproof.refute.search import Limits, refute
from pcproof.tactics.prover import prove_claim

needs_coqc = pytest.mark.skipif(not coqc_version(), reason=runner.GET)
PROVED = [e.id for e in entries().values() if e.expected == "proved"]
FEW = ("learning_fixed_point", "theorem_3_1", "energy_gradient")
LIMITS = Limits(max_depth=3, extra_width=1, max_batch=1, seconds=1)
#: what is changed, by a word of the mutant's name
KINDS = ("^moment", "transposed|taken as", "weakened", "sign of", "^step: scaled", "left out", ": without", "^start")


@cache
def proof_of(id: str) -> Proof:
    return prove_claim(entries()[id].claim())


def mutated(id: str, claim: Claim) -> Any:
    """The certificate of a theorem with the theory and the goals of another claim; its steps are as they were."""
    proof = proof_of(id)
    _, steps, number = proof.steps()
    assert len(claim.goals) == len(proof.goals)
    spoken = [i.claim for i in steps] + [h.relation for i in steps for h in i.context.hypotheses]
    spoken += [g.relation for g in claim.goals]
    used = {i.arguments[0] for i in steps if i.rule == "hypothesis" and isinstance(i.arguments[0], str)}
    theory = relevant(claim.theory, spoken, used)
    top, rest = _restated(theory, steps)
    goals = [(g, number[t.id]) for g, t in zip(claim.goals, proof.goals)]
    return json.loads(json.dumps(document(theory, goals, [*top, *rest])))


def _restated(theory: Theory, steps: list[Item]) -> tuple[list[Item], list[Item]]:
    """The first items say what the theory says now, and so do their instances; the proof fails where these are used."""

    def key(item: Item) -> tuple[str, Any]:
        return (item.claim.lhs.name if item.rule == "unfold" else "", item.arguments[0])

    said = {
        key(i): i for i in steps if i.rule == "unfold" or (i.rule == "hypothesis" and isinstance(i.arguments[0], str))
    }
    fresh = iter(range(-1, -1000, -1))
    top = [replace(i, id=said[key(i)].id if key(i) in said else next(fresh)) for i in restated(theory)]
    now, old = {i.id: i for i in top}, {i.id for i in said.values()}
    rest = []
    for item in (i for i in steps if i.id not in old):
        if item.rule == "instantiate" and item.premises[0] in now:
            premise = now[item.premises[0]]
            given = dict(item.arguments[0])
            if {*given} == {*premise.context.variables}:
                claim = subst_relation(premise.claim, given)
                item = replace(item, arguments=(item.arguments[0], premise.context.guards), claim=claim)
        rest.append(item)
    return top, rest


def candidates(entry: Entry) -> Iterator[tuple[str, Claim]]:
    """Claims with one thing changed, hypotheses left alone (the steps use them)."""
    claim = entry.claim()
    if entry.rule is not None and entry.of is not None:
        for m in mutants(entry.rule().equations):
            if re.search(r"^(moment|start|step: scaled)", m.name):
                try:
                    changed = entry.of(m.equations)
                except ValueError:
                    continue
                if changed.theory.symbols.keys() >= claim.theory.symbols.keys():
                    yield m.name, changed
    for c in claim_mutants(claim, reached(claim)):
        if not c.name.startswith("without "):
            yield c.name, c.claim


def false_mutants(id: str, wanted: int) -> list[tuple[str, Claim, Any]]:
    """So many, of different kinds and in different definitions if there are; each with its counterexample."""
    found: list[tuple[str, Claim, Any]] = []
    rest = list(candidates(entries()[id]))
    for kind, again in [*((k, False) for k in KINDS), *((k, True) for k in KINDS), *[("", True)] * wanted]:
        for name, claim in list(rest):
            changed = {n.partition(":")[0] for n, _, _ in found}
            if len(found) == wanted:
                return found
            if re.search(kind, name) and (again or name.partition(":")[0] not in changed):
                rest.remove((name, claim))
                admit(claim.theory)
                counterexample = refute(claim, LIMITS).counterexample
                if counterexample is not None:
                    found.append((name, claim, counterexample))
                    break
    return found


def place(source: str, errors: str) -> tuple[str, int, str]:
    """The sentence in which coqc stopped: what it defines, its line, and the message."""
    at = re.search(r"line (\d+), characters", errors)
    assert at is not None, errors
    line = int(at.group(1))
    lines = source.splitlines()[:line]
    name = next(m.group(1) for x in reversed(lines) if (m := re.match(r"(?:Lemma|Theorem|Definition) (\w+)", x)))
    return name, line, errors.partition("Error:")[2].strip()


def attempt(data: Any) -> tuple[str, bool, str]:
    """Where coqc stopped, whether in a proof, and why; everything before the proofs was taken."""
    text = export(data)
    first = re.search(r"^(?:Definition x\d+ |Lemma s0 )", text, re.MULTILINE)
    assert first is not None
    claimed = f"Definition claimed : Prop :=\n  {statement(data)}.\n\n"
    source = text[: first.start()] + claimed + text[first.start() :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "Mutant.v"
        path.write_text(source, encoding="utf-8")
        status, _, errors = runner.Processes().coqc(path, 300)
    assert status == 1, f"exit status {status}: {errors}"
    name, line, message = place(source, errors)
    start = next(k for k, x in enumerate(source.splitlines(), 1) if re.match(rf"(?:Lemma|Theorem) {name}\b", x))
    opened = next(k for k, x in enumerate(source.splitlines()[start:], start + 1) if x == "Proof.")
    assert line > source[: source.index("Definition claimed")].count("\n") + 1
    return name, line > opened, message


def check(ids: tuple[str, ...] | list[str]) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = {id: false_mutants(id, 3) for id in ids}
        answers = [
            (id, name, counterexample, pool.submit(attempt, mutated(id, claim)))
            for id, rows in made.items()
            for name, claim, counterexample in rows
        ]
        for id in ids:
            assert len(made[id]) == 3, f"{id}: {[n for n, _, _ in made[id]]}"
        for id, name, counterexample, answer in answers:
            lemma, in_proof, message = answer.result()
            print(f"{id}: {name}\n  {counterexample.text()}\n  coqc: {lemma}: {message.splitlines()[0]}")
            assert re.fullmatch(r"s\d+|ind\d+|certified", lemma), (id, name, lemma)
            assert in_proof and "Syntax error" not in message, (id, name, message)


@needs_coqc
def test_a_file_with_false_statement_fails_in_a_proof() -> None:
    check(FEW)


@needs_coqc
@pytest.mark.slow
def test_no_mutant_of_any_theorem_is_accepted() -> None:
    """Of any that rests on a definition; where there is none, there is nothing but hypotheses to change."""
    check([id for id in PROVED if entries()[id].claim().theory.definitions])


@needs_coqc
def test_an_unchanged_theorem_does_not_stop() -> None:
    """The way in which the mutants are made and exported is no reason to fail."""
    id = "learning_fixed_point"
    data = mutated(id, replace(entries()[id].claim()))
    assert {**data, "digest": proof_of(id).digest} == json.loads(proof_of(id).text)
    with pytest.raises(AssertionError, match="exit status 0"):
        attempt(data)
