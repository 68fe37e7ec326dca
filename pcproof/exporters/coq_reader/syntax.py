"""The fragment of Gallina in which definitions and statements are written, as trees.

========================================  ====================================
``("name", s)``, ``("num", k)``           identifier, numeral
``("app", head, [argument, ...])``        application
``("op", sign, a, b)``, ``("neg", a)``    infix, unary minus
``("list", sign, [part, ...])``           ``->`` and ``/\\`` (both to the right)
``("scope", key, a)``                     ``a%key``
``("fun" | "forall", binders, body)``     binders ``[(name, type), ...]``
``("if", [(condition, value), ...], e)``  if ... then ... else if ... else e
``("seq", [part, ...])``                  ``[a; b]``
``("match", name, [(c, names, body)])``   match on constructors of variables
========================================  ====================================

Parentheses leave no trace.  Anything else raises ``NotUnderstood``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .lexer import NotUnderstood

Tree = tuple[Any, ...]
Binders = list[tuple[str, Tree]]

MAX_NESTING = 100
#: levels of Coq's grammar; these associate to the left
LEFT = {"+": 50, "-": 50, "*": 40, "/": 40, "&&": 40}
COMPARISONS = ("=", "<>", "<=", "<", "=?", "<=?", "<?")
CHAINS = {"/\\": 80, "->": 99}
_WORDS = """
forall fun match with end if then else let in fix cofix return as exists exists2 where at using
Type Prop Set SProp True False
"""
KEYWORDS = frozenset(_WORDS.split())
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_']*", re.ASCII)
NUMERAL = re.compile(r"0|[1-9][0-9]{0,199}", re.ASCII)


def is_name(token: str) -> bool:
    return WORD.fullmatch(token) is not None and token not in KEYWORDS


class Parser:
    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens, self.at, self.depth = tokens, 0, 0

    # -- tokens ------------------------------------------------------------------
    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else "."

    def take(self, token: str = "") -> str:
        found = self.next
        if token and found != token:
            raise NotUnderstood(f"expected {token!r}, found {found!r}")
        self.at += 1
        return found

    def name(self) -> str:
        if not is_name(self.next):
            raise NotUnderstood(f"expected a name, found {self.next!r}")
        return self.take()

    def finish(self) -> None:
        if self.next != ".":
            raise NotUnderstood(f"expected the end of the sentence, found {self.next!r}")

    # -- expressions -------------------------------------------------------------
    def whole(self) -> Tree:
        """An expression at the widest level."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise NotUnderstood(f"nested deeper than {MAX_NESTING}")
        try:
            word = self.next
            if word in ("forall", "fun"):
                self.take()
                binders = self.binders(bare=True)
                self.take("," if word == "forall" else "=>")
                return word, binders, self.whole()
            if word == "if":
                return self._if()
            if word == "match":
                return self._match()
            return self._infix(99)
        finally:
            self.depth -= 1

    def _if(self) -> Tree:
        cases = []
        while self.next == "if":
            self.take()
            condition = self.whole()
            self.take("then")
            cases.append((condition, self.whole()))
            self.take("else")
        return "if", cases, self.whole()

    def _match(self) -> Tree:
        self.take("match")
        subject = self.name()
        self.take("with")
        cases = []
        while self.next == "|":
            self.take()
            constructor, names = self.name(), []
            while self.next != "=>":
                names.append(self.name())
            self.take()
            cases.append((constructor, names, self.whole()))
        self.take("end")
        return "match", subject, cases

    def _infix(self, level: int) -> Tree:
        left = self._prefix()
        compared = False
        while True:
            sign = self.next
            if sign in LEFT and LEFT[sign] <= level and not compared:
                self.take()
                left = ("op", sign, left, self._infix(LEFT[sign] - 1))
            elif sign in COMPARISONS and level >= 70 and not compared:
                self.take()
                left, compared = ("op", sign, left, self._infix(69)), True
            elif sign in CHAINS and CHAINS[sign] <= level:
                parts = [left]
                while self.next == sign:
                    self.take()
                    wide = sign == "->" and self.next in ("forall", "fun", "if", "match")
                    parts.append(self.whole() if wide else self._infix(CHAINS[sign] - 1))
                left, compared = ("list", sign, parts), True
            else:
                return left

    def _prefix(self) -> Tree:
        if self.next == "-":
            self.take()
            return "neg", self._application()
        return self._application()

    def _application(self) -> Tree:
        head, args = self._simple(), []
        while self.next in ("(", "[") or is_name(self.next) or self.next[0].isdigit():
            args.append(self._simple())
        return ("app", head, args) if args else head

    def _simple(self) -> Tree:
        token, out = self.next, None
        if token == "(":
            self.take()
            out = self.whole()
            self.take(")")
        elif token == "[":
            self.take()
            parts = [self.whole()]
            while self.next == ";":
                self.take()
                parts.append(self.whole())
            self.take("]")
            out = ("seq", parts)
        elif NUMERAL.fullmatch(token):
            out = ("num", int(self.take()))
        elif is_name(token) or token in ("True", "Prop", "Type"):
            out = ("name", self.take())
        if out is None:
            raise NotUnderstood(f"{token!r} is not understood here")
        if self.next == "%":
            self.take()
            out = ("scope", self.take(), out)
        return out

    def binders(self, bare: bool = False) -> Binders:
        """``(a b : T) (c : U)``, and if ``bare`` also ``a b : T``; may be empty if not ``bare``."""
        out: Binders = []
        if bare and self.next != "(":
            return self._group()
        while self.next == "(":
            self.take()
            out += self._group()
            self.take(")")
        if bare and not out:
            raise NotUnderstood(f"expected a bound name, found {self.next!r}")
        return out

    def _group(self) -> Binders:
        names = [self.name()]
        while self.next != ":":
            names.append(self.name())
        self.take()
        kind = self.whole()
        return [(n, kind) for n in names]


def header(tokens: Sequence[str]) -> tuple[str, Binders, Tree, Tree]:
    """``Definition name binders : type := body``: name, binders, type and body."""
    p = Parser(tokens)
    p.take("Definition")
    name, binders = p.name(), p.binders()
    p.take(":")
    kind = p.whole()
    p.take(":=")
    body = p.whole()
    p.finish()
    return name, binders, kind, body


def statement(tokens: Sequence[str]) -> tuple[Binders, Tree]:
    """``Theorem name binders : statement``: binders and statement."""
    p = Parser(tokens)
    p.take()
    p.name()
    binders = p.binders()
    p.take(":")
    body = p.whole()
    p.finish()
    return binders, body


def record(tokens: Sequence[str]) -> tuple[str, list[tuple[str, Tree]]]:
    """``Record params : Type := maker { field : type; ... }``: the maker and the fields."""
    p = Parser(tokens)
    for word in ("Record", "params", ":", "Type", ":="):
        p.take(word)
    maker, fields = p.name(), []
    p.take("{")
    while p.next != "}":
        field = p.name()
        p.take(":")
        fields.append((field, p.whole()))
        if p.next != "}":
            p.take(";")
    p.take("}")
    p.finish()
    return maker, fields


def inductive(tokens: Sequence[str]) -> tuple[str, list[tuple[str, int]]]:
    """``Inductive name : Type := | c (_ _ : Z) | ...``: the name, and of each constructor its number of integers."""
    p = Parser(tokens)
    p.take("Inductive")
    name, rows = p.name(), []
    for word in (":", "Type", ":="):
        p.take(word)
    while p.next == "|":
        p.take()
        constructor, arity = p.name(), 0
        if p.next == "(":
            p.take()
            while p.next == "_":
                p.take()
                arity += 1
            for word in (":", "Z", ")"):
                p.take(word)
        rows.append((constructor, arity))
    p.finish()
    return name, rows
