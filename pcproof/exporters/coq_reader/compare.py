"""The claim of a .v file against the claim of a certificate, term by term."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from .canon import conjunction, first_difference, forall, implies, show
from .certified import Certified
from .file import read_file
from .lexer import NotUnderstood
from .reading import THEOREM, Reading, read

Json = Any
FORMAT = "pcproof-certificate-3"


@dataclass(frozen=True)
class Difference:
    """place: where; coq: what stands in the .v file; certificate: what stands in the certificate ("" if nothing).

    understood: False where the file says what this reader does not read; then ``coq`` says what that is.
    """

    place: str
    coq: str
    certificate: str = ""
    understood: bool = True

    def __str__(self) -> str:
        if not self.understood:
            return f"{self.place}: {self.coq}"
        return f"{self.place}: the file says {self.coq or 'nothing'}, the certificate {self.certificate or 'nothing'}"


def compare(text: str, certificate: Json) -> list[Difference]:
    """All places in which the file does not state what the certificate states; empty if it states the same.

    ``certificate``: the JSON of ``docs/certificate.md`` as read, accepted by the checker before.  Raises ``ValueError``
    if it is none.
    """
    if not isinstance(certificate, dict) or certificate.get("format") != FORMAT:
        raise ValueError(f"this is no certificate of the format {FORMAT}")
    try:
        reading = read(read_file(text))
    except NotUnderstood as e:
        return [Difference(f"line {e.line}", e.what, understood=False)]
    except RecursionError:
        return [Difference("file", "something is nested too deeply to be read", understood=False)]
    try:
        return _Comparison(reading, Certified(certificate)).found
    except RecursionError:
        return [Difference("file", "something is nested too deeply to be compared", understood=False)]
    except (LookupError, TypeError, AttributeError) as e:
        raise ValueError(f"the certificate is malformed: {type(e).__name__}: {e}") from e


class _Comparison:
    def __init__(self, reading: Reading, certified: Certified) -> None:
        self.reading, self.certified = reading, certified
        self.found = [
            Difference(f"line {line}" if line else "file", what, understood=False) for line, what in reading.problems
        ]
        self._fields()
        self._theory_ok()
        self._directions()
        self._definitions()
        self._hypotheses()
        self._goals()

    def same(self, place: str, ours: Any, theirs: Any) -> None:
        """ours: from the file; None on either side: nothing there."""
        if ours != theirs:
            a, b = first_difference(ours, theirs) if None not in (ours, theirs) else (ours, theirs)
            words: Callable[[Any], str] = lambda x: "" if x is None else show(x)  # noqa: E731
            self.found.append(Difference(place, words(a), words(b)))

    def keyed(self, place: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
        for name in sorted({*ours, *theirs}):
            self.same(f"{place} {name!r}", ours.get(name), theirs.get(name))

    def _fields(self) -> None:
        pairs = zip_longest(self.reading.fields, self.certified.fields())
        for k, (ours, theirs) in enumerate(pairs):
            self.same(f"params, field {k}", ours, theirs)

    def _theory_ok(self) -> None:
        ours = self.reading.theory_ok
        if ours is None:
            return self.same("theory_ok", None, self.certified.theory_ok())
        parts = ours[1:] if ours[0] == "and" else (ours,)
        facts = [*self.certified.facts(), ("end of theory_ok", ("true",))]
        for k, (part, fact) in enumerate(zip_longest(parts, facts)):
            name, expected = fact if fact is not None else (f"part {k}", None)
            self.same(f"theory_ok, {name}", part, expected)

    def _directions(self) -> None:
        ours, theirs = self.reading.directions, self.certified.theory["directions"]
        for name in sorted({*ours, *theirs}):
            moved = tuple(self.certified.direction(name)) if name in theirs else None
            self.same(f"direction {name!r}", tuple(ours[name]) if name in ours else None, moved)

    def _definitions(self) -> None:
        groups = self.certified.theory["definitions"]
        for k, (ours, theirs) in enumerate(zip_longest(self.reading.groups, groups)):
            names = tuple(d["name"] for d in theirs) if theirs is not None else None
            self.same(f"definitions, group {k}", ours, names)
        expected = {d["name"]: (d, g) for g in groups for d in g}
        for name, read_one in self.reading.definitions.items():
            if name not in expected:
                self.same(f"definition of {name!r}", (read_one.parameters,), None)
        for name, (d, group) in expected.items():
            self._definition(name, d, self.certified.recursive(group))

    def _definition(self, name: str, d: Json, recursive: bool) -> None:
        ours = self.reading.definitions.get(name)
        place = f"definition of {name!r}"
        if ours is None:
            return self.same(place, None, (len(d["parameters"]),))
        at = self.certified.variables(d["parameters"])
        own = tuple(at.names[v] for v in d["parameters"])
        self.same(f"{place}, number of indices", (ours.parameters,), (len(d["parameters"]),))
        measure = tuple(self.certified.integer(m, at) for m in d["measure"])
        self.same(f"{place}, measure", ours.measure, measure)
        for k, (mine, other) in enumerate(zip_longest(ours.cases, d["cases"])):
            guards = self.certified.constraints(other["where"], at) if other is not None else None
            value = self.certified.term(other["value"], at) if other is not None else None
            self.same(f"{place}, case {k}, guards", mine[0] if mine is not None else None, guards)
            self.same(f"{place}, case {k}, value", mine[1] if mine is not None else None, value)
            equation = None
            if guards is not None and value is not None:
                claim = implies(guards, ("eq", ("app", "p", name, own, ()), value))
                equation = forall(["Z"] * len(own), claim)
            self.same(f"lemma on {name!r}, case {k}", self.reading.equations.get((name, k)), equation)

    def _hypotheses(self) -> None:
        theirs = {n: self.certified.statement(s) for n, s in self.certified.theory["hypotheses"].items()}
        self.keyed("hypothesis", self.reading.hypotheses, theirs)
        named = self.reading.hypotheses_ok
        self.same("hypotheses_ok", None if named is None else tuple(named), tuple(theirs))

    def _goals(self) -> None:
        goals = [self.certified.statement(s) for s in self.certified.goals]
        if not goals:
            return self.same(THEOREM, self.reading.goal, None)
        ours, theirs = self.reading.goal, conjunction(goals)
        several = ours is not None and ours[0] == theirs[0] == "and" and len(ours) == len(theirs)
        if ours is None or not several:
            return self.same(f"theorem {THEOREM}", ours, theirs)
        for k, (mine, other) in enumerate(zip(ours[1:], theirs[1:])):
            self.same(f"theorem {THEOREM}, goal {k}", mine, other)
