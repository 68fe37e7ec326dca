"""Coq text as sentences of tokens, read as coqc reads it: nested comments, strings (in comments too), full stops.

What this lexer does not know for certain it refuses, so that no two readings of one text are possible.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
      (?P<word>[A-Za-z_][A-Za-z0-9_']*(?:\.[A-Za-z_][A-Za-z0-9_']*)*)
    | (?P<number>[0-9][A-Za-z0-9_']*)
    | (?P<end>\.(?=[ \t\r\n]|\Z))
    | (?P<comment>\(\*)
    | (?P<string>")
    | (?P<bracket>[()\[\]{},;'])
    | (?P<symbol>[-+*/=<>&|?:%~^!@$\\]+)
    | \Z )""",
    re.VERBOSE | re.ASCII,
)
BLANK = " \t\r\n"
IN_COMMENT = re.compile(r'\(\*|\*\)|"')


class NotUnderstood(Exception):
    """Text outside the fragment that the reader knows.  line: where, 0 if the sentence says."""

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.what, self.line = what, line


@dataclass(frozen=True)
class Sentence:
    """The tokens of a sentence without its full stop, and the line on which it begins."""

    tokens: tuple[str, ...]
    line: int

    @property
    def first(self) -> str:
        return self.tokens[0] if self.tokens else ""


def sentences(text: str) -> list[Sentence]:
    """Raises ``NotUnderstood``."""
    out: list[Sentence] = []
    tokens: list[str] = []
    at = begun = counted = 0
    line, size, match = 1, len(text), TOKEN.match
    while at < size:
        found = match(text, at)
        if found is None:
            at = size - len(text[at:].lstrip(BLANK))
            raise _refusal(f"the character {text[at]!r} has no meaning here", text, at)
        kind, end = found.lastgroup, found.end()
        if kind is None:
            break
        at = found.start(kind)
        if kind == "comment":
            end = _comment(text, at)
        elif kind == "end":
            line += text.count("\n", counted, begun)
            counted = begun
            out.append(Sentence(tuple(tokens), line))
            tokens = []
        else:
            if kind == "string":
                end = _string(text, at)
            if not tokens:
                begun = at
            tokens.append(text[at:end])
        at = end
    if tokens:
        raise _refusal("the last sentence has no full stop", text, begun)
    return out


def _refusal(what: str, text: str, at: int) -> NotUnderstood:
    return NotUnderstood(what, text.count("\n", 0, at) + 1)


def _comment(text: str, begun: int) -> int:
    """Where the comment that begins here ends."""
    depth, at = 0, begun
    while True:
        found = IN_COMMENT.search(text, at)
        if found is None:
            raise _refusal("a comment does not end", text, begun)
        at = found.end()
        if found.group() == '"':
            at = _string(text, found.start())
            continue
        depth += 1 if found.group() == "(*" else -1
        if not depth:
            return at


def _string(text: str, at: int) -> int:
    """Where the string that begins here ends; a doubled quotation mark is one inside it."""
    end = text.find('"', at + 1)
    while end >= 0 and text[end + 1 : end + 2] == '"':
        end = text.find('"', end + 2)
    if end < 0:
        raise _refusal("a string does not end", text, at)
    return end + 1
