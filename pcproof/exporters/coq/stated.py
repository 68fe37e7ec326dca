"""What is put to coqc after an exported file: what it has to hold, stated anew from the certificate.

The parameters are any values of the listed kinds; every case of every definition is an equation that holds; every
direction moves what it says; and from the listed premises, spelled out, follow the goals.  The proofs are the
file's; if its definitions, premises or theorem say anything else, these sentences do not compile.  Coqc, which takes
longer to start than to read them, is not started anew: ``sentences`` sees to it that the file ends all that it begins,
changes no notation and takes none of the names used here.
"""

from __future__ import annotations

from collections.abc import Iterator

from .export import THEOREM, goals
from .terms import Json, Texts, arrow, tabled
from .theory import TheoryText, conjunction

#: all of it as one term
EVERYTHING = "everything"


def stated(data: Json) -> str:
    """The sentences; the last one defines ``EVERYTHING``, whose axioms are those of all of them."""
    data = tabled(data)
    texts = Texts(data)
    theory = TheoryText(texts)
    parts = []
    known = []
    for k, (claim, proof) in enumerate(_claims(data, texts, theory)):
        known.append(f"t{k}")
        parts.append(f"Theorem t{k} :\n  {claim}.\nProof. {proof} Qed.")
    parts.append(f"Definition {EVERYTHING} := ({', '.join(known)}).")
    return "\n".join(parts) + "\n"


def _claims(data: Json, texts: Texts, theory: TheoryText) -> Iterator[tuple[str, str]]:
    fields = theory.fields()
    values = [f"a{k}" for k in range(len(fields))]
    binders = "".join(f" (a{k} : {kind})" for k, (_, kind) in enumerate(fields))
    made = " ".join(["make_params", *values])
    reads = conjunction([f"{name} ({made}) = {a}" for (name, _), a in zip(fields, values)])
    yield f"forall{binders}, {reads}" if fields else reads, "repeat split."
    for name in theory.theory["directions"]:
        yield theory.moved(name), "intros; exact eq_refl."
    facts = [f"({q})" for _, q in theory.facts]
    ok, names = _held(facts, "f")
    for d in theory.definitions.values():
        for k in range(len(d["cases"])):
            lemma, claim = theory.case(d, k)
            yield f"forall p : params, {arrow(facts, f'({claim})')}", f"exact (fun p{names} => {lemma} p {ok})."
    premises = [f"({texts.statement(s)})" for s in theory.theory["hypotheses"].values()]
    given, more = _held(premises, "h")
    claim = arrow([*facts, *premises], goals(texts, data))
    yield f"forall p : params, {claim}", f"exact (fun p{names}{more} => {THEOREM} p {ok} {given})."


def _held(parts: list[str], letter: str) -> tuple[str, str]:
    """A proof of the conjunction of these from one name each, and the names."""
    names = [f"{letter}{k}" for k in range(len(parts))]
    return "".join(f"(conj {n} " for n in names) + "I" + ")" * len(names), "".join(f" {n}" for n in names)
