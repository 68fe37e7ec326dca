"""What an exported file may consist of: one comment, the prelude as it is, and sentences of the exporter's few kinds.

Coq lets a file shadow what its libraries call ``R`` or ``sum``, change notations, or leave checks out; then the
statement would mean something else than it says.  So a file in which anything but the exporter's own names is
defined is not given to coqc at all.
"""

from __future__ import annotations

import re

from . import names
from .prelude import PRELUDE

#: notations and comments, coercions, attributes, and the tactic that defines constants of any name
_WORDS = re.compile(r'"|\(\*|:>|#|\b(?:transparent_)?abstract\b')
_COMMENT = re.compile(r'\(\*(?:(?!\(\*|\*\))[^"])*\*\)\s*')
_DEFINES = re.compile(r"(?:Definition|Lemma|Theorem|Record|Inductive|Ltac)\s+(\w+)\b")
_OPAQUE = re.compile(r"Opaque(?:\s+\w+)+")


def fault(text: str) -> str:
    """The first sentence that an exporter would not write, "" if there is none."""
    head, found, body = text.partition(PRELUDE.strip("\n"))
    if not found:
        return "the prelude is not there, or was changed"
    if head and not _COMMENT.fullmatch(head):
        return "something other than one comment stands before the prelude"
    bad_word = _WORDS.search(body)
    if bad_word is not None:
        return f"{bad_word.group()!r} stands after the prelude"
    proof = False
    for sentence in re.split(r"\.(?:\s+|\Z)", body.strip()):
        if not sentence:
            continue
        if proof:
            # braces and bullets are sentences of their own; commands begin with a capital letter, tactics do not
            bare = re.sub(r"^[-+*{}\s]+", "", sentence)
            proof = bare != "Qed"
            bad = "" if not proof or not bare or bare[0].islower() else "no tactic"
        elif sentence == "Proof":
            proof, bad = True, ""
        else:
            bad = _outside(sentence)
        if bad:
            return f"{_short(sentence)!r}: {bad}"
    if not body.rstrip().endswith("."):
        return "the last sentence does not end"
    return "the last proof does not end" if proof else ""


def _outside(sentence: str) -> str:
    if _OPAQUE.fullmatch(sentence):
        return ""
    found = _DEFINES.match(sentence)
    if found is None:
        return "no sentence of the exporter"
    kind, defined = sentence.split()[0], [found.group(1)]
    if kind not in ("Definition", "Ltac") and re.search(r"\bwith\b", sentence):
        return "it defines several things at once"
    if kind == "Record":
        fields = sentence.partition("{")[2].rpartition("}")[0]
        defined += ["make_params", *(f.partition(":")[0].strip() for f in fields.split(";") if f.strip())]
    if kind == "Inductive":
        defined += [c.split()[0] for c in sentence.partition(":=")[2].split("|") if c.strip()]
    for name in defined:
        if not names.SPELLED.fullmatch(name) and not names.FIXED.fullmatch(name):
            return f"the exporter calls nothing {name!r}"
    return ""


def _short(sentence: str) -> str:
    words = " ".join(sentence.split())
    return words if len(words) <= 60 else words[:60] + "..."
