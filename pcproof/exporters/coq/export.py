"""A certificate as a Coq file: prelude, definitions, lemmas of the items, the theorem.

The certificate is the only input: the text is a function of it, never a template for a theorem, never a search.
"""

from __future__ import annotations

import hashlib
import json

from . import names
from .prelude import PRELUDE
from .step import held, lemma
from .steps import Steps
from .terms import CoqError, Json, Texts, plain, tabled
from .theory import TheoryText

FORMATS = ("pcproof-certificate-3",)
THEOREM = "certified"

HEADER = """(* Exported by pcproof from the certificate with SHA-256
   {digest}.

   Every defined symbol is a definition (well-founded recursion on the measure that the certificate names); no
   equation about it is assumed.  The record params holds what the theorem is quantified over: sizes (z_), real
   symbols, functions and operators (u_), and the arbitrary values (o_) of defined symbols where no case applies.
   theory_ok says what is assumed of sizes and operators, hypotheses_ok the named hypotheses.  One lemma s<n>
   for each item n of the proof, but for those that are written where they are used; the theorem is the last one,
   {theorem}. *)"""


def digest(data: Json) -> str:
    """SHA-256 of the canonical certificate (its own digest left out)."""
    body = {k: v for k, v in data.items() if k != "digest"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True) + "\n"
    return hashlib.sha256(text.encode()).hexdigest()


def statement(data: Json) -> str:
    """The closed statement that the file proves."""
    data = tabled(data)
    return _statement(Texts(data), data)


def _statement(texts: Texts, data: Json) -> str:
    return f"forall p : params, theory_ok p -> hypotheses_ok p ->\n  {goals(texts, data)}"


def goals(texts: Texts, data: Json) -> str:
    """All goals of the certificate."""
    return " /\\\n  ".join(f"({texts.statement(g['statement'])})" for g in data["goals"])


def export(data: Json) -> str:
    """The whole file, a function of the certificate alone.

    Raises ``CoqError`` where the exporter has no words, or the certificate no sense.
    """
    try:
        return _export(data)
    except CoqError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as e:
        raise CoqError(f"the certificate is malformed: {type(e).__name__}: {e}") from e


def _export(data: Json) -> str:
    if data.get("format") not in FORMATS:
        raise CoqError(f"the certificate format {data.get('format')!r} is not known to the Coq exporter")
    if not data["goals"]:
        raise CoqError("the certificate has no goal")
    data = plain(data)
    head = HEADER.format(digest=digest(data), theorem=THEOREM)
    data = tabled(data)
    texts = Texts(data)
    theory = TheoryText(texts)
    steps = Steps(data, texts, theory)
    parts = [head, PRELUDE.strip("\n"), *theory.text(), *steps.text(), _theorem(texts, data)]
    return "\n\n".join(parts) + "\n"


def _theorem(texts: Texts, data: Json) -> str:
    proofs = []
    for g in data["goals"]:
        if not 0 <= int(g["item"]) < len(data["items"]):
            raise CoqError(f"a goal rests on item {g['item']!r}, which is not there")
        s = g["statement"]
        vs = [names.variable(v) for v in s["for"]]
        gs = [f"g{k}" for k in range(len(s["where"]))]
        bound = " ".join([*vs, *gs])
        proof = " ".join([lemma(int(g["item"])), "p A H", *vs, held(gs)])
        proofs.append(f"(fun {bound} => {proof})" if bound else f"({proof})")
    term = proofs[-1]
    for p in reversed(proofs[:-1]):
        term = f"(conj {p} {term})"
    return f"Theorem {THEOREM} :\n  {_statement(texts, data)}.\nProof.\n  intros p A H.\n  exact {term}.\nQed."
