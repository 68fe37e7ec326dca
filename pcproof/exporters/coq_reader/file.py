"""The sentences of a .v file: which are allowed, and what each name is.

Refused: every command that is not in ``fixed`` (axioms, sections, notations, coercions, hints, options, attributes,
modules, ...), at the top and inside proofs, where coqc takes commands too; names that are taken twice; names of the
library or of the prelude; proofs that do not end in ``Qed``; changed definitions of the prelude.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from . import fixed
from .lexer import NotUnderstood, Sentence, sentences
from .syntax import is_name

OPENERS = {"(": ")", "[": "]", "{": "}", "match": "end"}
BULLETS = frozenset("-+*")


@dataclass
class File:
    """named: the sentence that defines each name, and its place; problems: what is not allowed, with its line."""

    named: dict[str, Sentence] = field(default_factory=dict)
    place: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def problem(self, line: int, what: str) -> None:
        self.problems.append((line, what))


def read_file(text: str) -> File:
    """Raises ``NotUnderstood`` if the text cannot be cut into sentences."""
    out = File()
    imports: list[str] = []
    opening: list[tuple[str, ...]] = []
    proving: Sentence | None = None  # a statement that waits for its proof
    begun = False
    for number, s in enumerate(sentences(text)):
        if proving is not None:
            if not begun:
                begun = s.tokens == ("Proof",)
                if not begun:
                    out.problem(s.line, f"{proving.tokens[1]!r} has no proof that begins with Proof")
                    proving = None
            elif _step(s) == ["Qed"]:
                proving, begun = None, False
            else:
                _tactic(s, out)
            continue
        if s.tokens[:2] == ("Require", "Import") and not out.named:
            imports += s.tokens[2:]
        elif s.first in ("Require", "Import", "Local") and not out.named:
            opening.append(s.tokens)
        elif s.first in fixed.HARMLESS and all(is_name(t) for t in s.tokens[1:]):
            continue
        elif s.first in fixed.COMMANDS:
            try:
                names = _names(s)
            except NotUnderstood as e:
                out.problem(s.line, e.what)
                names = []
            for k, name in enumerate(names):
                _take(name, s, number, k == 0, out)
            if s.first in ("Lemma", "Theorem"):
                proving, begun = s, False
        else:
            out.problem(s.line, f"the command {' '.join(s.tokens[:4])!r} is not allowed here")
    if proving is not None:
        out.problem(proving.line, f"the proof of {proving.tokens[1]!r} does not end in Qed")
    if imports != fixed.IMPORTS:
        out.problem(1, f"the file imports {' '.join(imports)}, expected {' '.join(fixed.IMPORTS)}")
    if tuple(opening) != fixed.OPENING:
        out.problem(1, f"expected at the beginning: {'; '.join(map(' '.join, fixed.OPENING))}")
    for name in fixed.EXPECTED:
        if name not in out.named:
            out.problem(1, f"{name!r} of the prelude is not defined")
    return out


def _step(s: Sentence) -> list[str]:
    """A sentence of a proof without the bullets and braces before it, which are sentences of their own."""
    rest = list(s.tokens)
    while rest and (rest[0] in ("{", "}") or set(rest[0]) <= BULLETS):
        rest.pop(0)
    return rest


def _tactic(s: Sentence, out: File) -> None:
    """coqc takes commands inside proofs; all of them begin with a capital, and tactics do not."""
    rest = _step(s)
    if rest and not rest[0][0].islower():
        out.problem(s.line, f"a step of a proof begins with {rest[0]!r}")
    _harmful(s, out)


def _harmful(s: Sentence, out: File) -> None:
    for word in fixed.FORBIDDEN.intersection(s.tokens):
        out.problem(s.line, f"{word!r} is not allowed")
    if "abstract" in s.tokens and "using" in s.tokens:
        out.problem(s.line, "a tactic makes a name")


def _names(s: Sentence) -> list[str]:
    """All names that a sentence defines, its own first."""
    if len(s.tokens) < 3 or not is_name(s.tokens[1]):
        raise NotUnderstood(f"{s.first} without a name")
    name = s.tokens[1]
    if s.first == "Ltac":
        if "::=" in s.tokens:
            raise NotUnderstood("a tactic is redefined")
        return [name]
    theorem = s.first in ("Lemma", "Theorem")
    outside = [] if theorem and not {"with", ":="}.intersection(s.tokens) else _outside(s)
    if "with" in outside or "where" in s.tokens:
        raise NotUnderstood(f"{name!r} is defined together with others or with a notation")
    if (":=" in outside) == theorem:
        raise NotUnderstood(f"{name!r} is not defined in one sentence")
    if any(t[0] == '"' for t in s.tokens):
        raise NotUnderstood(f"a string stands in the definition of {name!r}")
    if s.first == "Record" and name != "params":
        raise NotUnderstood(f"a record {name!r} is not expected")
    made: list[str] = []
    if s.first in ("Inductive", "Record"):
        made = [f"{name}_{end}" for end in ("rect", "ind", "rec", "sind")]
        begins = {"Inductive": (":=", "|"), "Record": (":=", "{", ";")}[s.first]
        made += [b for a, b in zip(s.tokens, s.tokens[1:]) if a in begins and is_name(b)]
    return [name, *made]


def _outside(s: Sentence) -> list[str]:
    """Tokens outside brackets and matches."""
    out: list[str] = []
    open_: list[str] = []
    for t in s.tokens:
        if t in OPENERS:
            open_.append(OPENERS[t])
        elif open_ and t == open_[-1]:
            open_.pop()
        elif t in OPENERS.values():
            raise NotUnderstood(f"brackets do not match in the definition of {s.tokens[1]!r}")
        elif not open_:
            out.append(t)
    if open_:
        raise NotUnderstood(f"brackets do not match in the definition of {s.tokens[1]!r}")
    return out


def _take(name: str, s: Sentence, number: int, own: bool, out: File) -> None:
    if s.first == "Ltac":
        _harmful(s, out)
    expected = fixed.EXPECTED.get(name)
    if name in out.named:
        out.problem(s.line, f"{name!r} is defined twice")
    elif name in fixed.STANDARD:
        out.problem(s.line, f"{name!r} is a name of Coq's library")
    elif expected is not None and (not own or s.tokens != expected.tokens):
        out.problem(s.line, f"{name!r} of the prelude is not defined as this reader knows it")
    out.named.setdefault(name, s)
    out.place.setdefault(name, number)
