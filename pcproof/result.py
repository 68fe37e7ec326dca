"""Results: proved, refuted or unknown, with their authority and no truth value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .files import write_text
from .language.index import Size
from .language.show import show_relation, show_statement
from .language.signature import Claim, Relation, Statement, relation_terms
from .language.terms import sizes as sizes_in
from .proof.acceptance import Acceptance
from .proof.certificate import Proof

AUTHORITIES = ("sampled", "exact instance", "kernel", "independent checker")


class NotProvedError(ValueError):
    """A kernel was asked for a claim that is not proved."""


def scope(claim: Claim) -> dict[str, str]:
    """For what sizes the claim speaks, computed from its free symbols.

    A size is "arbitrary" if it occurs as a symbol, and the number that an
    assumption says it is; nothing is looked up by name of the theorem.
    """
    fixed = {
        a.name: str(-c.expr.const * k)
        for c in claim.theory.assumptions
        for a, k in (c.expr.terms if c.kind == "eq" and len(c.expr.terms) == 1 else ())
        if isinstance(a, Size) and not a.args and k in (1, -1)
    }
    found: set[str] = set()

    def look(s: Statement) -> None:
        for c in s.guards:
            found.update(a.name for a in c.expr.atoms() if isinstance(a, Size))
        for t in relation_terms(s.relation):
            found.update(sizes_in(t))

    for s in claim.goals:
        look(s)
    for group in claim.theory.definitions:
        for d in group:
            for case in d.cases:
                found.update(sizes_in(case.value))
                for c in case.guard:
                    found.update(a.name for a in c.expr.atoms() if isinstance(a, Size))
    words = {"L": "depth", "n": "width", "B": "batch"}
    return {words.get(n, n): fixed.get(n, "arbitrary") if n in found else "not involved" for n in claim.theory.sizes}


@dataclass(eq=False)
class Result:
    """What ``prove`` or ``refute`` found out about a claim."""

    claim: Claim
    seconds: float
    verdict: str = "unknown"
    authority: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        raise TypeError("a result has no truth value; look at .verdict, so that unknown cannot pass for proved")

    @property
    def hypotheses(self) -> list[str]:
        """What is taken for granted: named hypotheses and assumptions on sizes."""
        out = [f"{n}: {show_statement(s)}" for n, s in self.claim.theory.hypotheses.items()]
        return out + [repr(c) for c in self.claim.theory.assumptions]

    def as_dict(self) -> dict[str, Any]:
        """The verdict for ``--json``."""
        return {
            "id": self.claim.id,
            "title": self.claim.title,
            "verdict": self.verdict,
            "scope": scope(self.claim),
            "says": self.claim.says,
            "statement": [show_statement(s) for s in self.claim.goals],
            "hypotheses": self.hypotheses,
            "authority": list(self.authority),
            "counterexample": None,
            "seconds": round(self.seconds, 3),
        }

    def kernel(self, backend: str = "numpy", form: str = "wavefront") -> Any:
        raise NotProvedError(
            f"{self.claim.id} is {self.verdict}: no kernel is generated for a claim that is not proved"
        )

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(str(self))}</pre>"


@dataclass(eq=False)
class Proved(Result):
    """Proved for every depth and width; carries the proof and an instance that meets the hypotheses.

    checkers: what independent programs said of the certificate, once ``api.confirm`` has asked them.
    """

    proof: Proof | None = None
    instance: Any = None
    verdict: str = "proved"
    checkers: tuple[Acceptance, ...] = ()

    @property
    def digest(self) -> str:
        assert self.proof is not None
        return self.proof.digest

    def save(self, path: str | Path) -> Path:
        """Write the certificate (canonical JSON), atomically."""
        assert self.proof is not None
        return write_text(path, self.proof.text)

    def calculation(self) -> list[Any]:
        """The proof as lines a person can read, with the rule of each step."""
        from .report.calculation import calculation

        assert self.proof is not None
        return calculation(self.proof)

    def latex(self, path: str | Path | None = None) -> str:
        """Statement and derivation as compilable align blocks; written to ``path`` if given."""
        from .report.tex import theorem_latex

        text = theorem_latex(self)
        if path is not None:
            write_text(path, text)
        return text

    def kernel(self, backend: str = "numpy", form: str = "wavefront") -> Any:
        """The rule as a function, generated from the proved equations.

        backend: "numpy" or "torch"; form: "wavefront" or "literal".  The
        result is called ``step(weights, x, target, activation=...)`` and has
        ``.source``, a standalone file.
        """
        from .kernels.from_result import kernel_of

        return kernel_of(self, backend, form)

    def as_dict(self) -> dict[str, Any]:
        assert self.proof is not None
        more = {
            "digest": self.digest,
            "steps": len(self.proof.items()),
            "lemmas": {n: show_statement(th.statement()) for n, th in self.proof.lemmas.items()},
            "instance": self.instance.as_dict() if hasattr(self.instance, "as_dict") else None,
            "checkers": [a.as_dict() for a in self.checkers],
        }
        return {**super().as_dict(), **more}

    def __str__(self) -> str:
        who = ", ".join(f"{d} {n}" for n, d in ((n, d) for n, d in scope(self.claim).items() if d == "arbitrary"))
        return (
            f"Proved: {self.claim.title or self.claim.id} ({who}). "
            f"Authority: {', '.join(self.authority)}. {self.seconds:.2f} s"
        )


@dataclass(eq=False)
class Refuted(Result):
    """False, with the smallest exact counterexample found."""

    counterexample: Any = None
    search: Any = None
    verdict: str = "refuted"

    def as_dict(self) -> dict[str, Any]:
        how = None if self.search is None else self.search.as_dict()
        return {**super().as_dict(), "counterexample": self.counterexample.as_dict(), "search": how}

    def __str__(self) -> str:
        how = "" if self.search is None else f"\n({self.search.how()})"
        return f"Refuted: {self.claim.title or self.claim.id}.\n{self.counterexample.text()}{how}"


@dataclass(eq=False)
class Unknown(Result):
    """Neither proved nor refuted; shows where the proof stopped and what was searched."""

    open_goal: Relation | None = None
    open_context: Any = None
    note: str = ""
    search: Any = None

    def goal_text(self) -> str:
        """The equation that is left open, with what is known there."""
        if self.open_goal is None:
            return "no tactic applies"
        guards = ", ".join(map(repr, self.open_context.guards)) if self.open_context else ""
        return f"{show_relation(self.open_goal)}" + (f"   where {guards}" if guards else "")

    def as_dict(self) -> dict[str, Any]:
        return {**super().as_dict(), "open_goal": self.goal_text(), "note": self.note}

    def __str__(self) -> str:
        return f"Unknown: {self.claim.title or self.claim.id}.\nOpen goal: {self.goal_text()}\n{self.note}".rstrip()


ResultLike = Mapping[str, Any]
