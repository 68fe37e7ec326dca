"""Which values of a rule's parameters make it backprop: necessary and sufficient, proved in both directions.

Conditions are read off small networks in which the parameters are unknowns
(``tactics/unknowns``).  That they suffice is proved for every depth and width
by the induction along the light cone; that each is needed, by one family of
networks of every depth (``rules/witness``).  What cannot be proved is unknown.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from .api import prove, proved_by_kernel
from .language.evaluate import EvaluationError
from .language.index import eq, qvar
from .language.show import show, show_guards, show_relation
from .language.signature import Claim, Statement
from .language.terms import ONE, ZERO, Term, free_vars, subst
from .networks.network import L
from .result import Result
from .rules.claims import first_changes
from .rules.equations import EVERY_STEP, Equations, RuleError
from .rules.rule import divisors
from .rules.scaled import Factors, parallel_to_backprop, sufficient
from .rules.witness import Witness, differs, necessary, needed_at_layer

if TYPE_CHECKING:
    from .tactics.unknowns import Benches, Condition

TRIES = 4  # networks on which a condition is tried
NUMBERS = (Fraction(1), Fraction(0), Fraction(2), Fraction(-1))


@dataclass
class Needed:
    """One condition, and the theorem that it is needed: on a network of every depth from ``depth`` on."""

    condition: Statement
    depth: int
    witness: str = ""
    result: Result | None = None

    @property
    def text(self) -> str:
        return condition_text(self.condition)

    def as_dict(self) -> dict[str, Any]:
        return {
            "condition": self.text,
            "from_depth": self.depth,
            "network": self.witness,
            "necessary": self.result.as_dict() if self.result is not None else None,
        }


@dataclass
class Characterisation:
    """The condition on the parameters for equality with backprop, and for being parallel to it.

    verdict: "proved" (necessary and sufficient) or "unknown", with ``note``.
    needed: the conditions, which together suffice; sufficient: that theorem.
    never: from this depth on no values serve (``impossible`` is that theorem).
    parallel: by which factors the changes are backprop's, where there are such.
    asked: what is asked instead of equality for good, where the rule learns at every step.
    recursion: the error of the wave's first arrival, from the rule's own step.
    """

    id: str
    verdict: str = "unknown"
    needed: list[Needed] = field(default_factory=list)
    sufficient: Result | None = None
    never: int | None = None
    impossible: Result | None = None
    shallow: bool = False
    parallel: Parallel | None = None
    assumed: list[str] = field(default_factory=list)
    asked: str = ""
    note: str = ""
    recursion: str = ""
    seconds: float = 0.0

    def __bool__(self) -> bool:
        raise TypeError("a result has no truth value; look at .verdict, so that unknown cannot pass for proved")

    def as_dict(self) -> dict[str, Any]:
        """The answer for ``--json``."""
        return {
            "id": self.id,
            "verdict": self.verdict,
            "conditions": [n.as_dict() for n in self.needed],
            "sufficient": self.sufficient.as_dict() if self.sufficient is not None else None,
            "never_from_depth": self.never,
            "impossible": self.impossible.as_dict() if self.impossible is not None else None,
            "always_at_depth_1": self.shallow,
            "parallel": self.parallel.as_dict() if self.parallel is not None else None,
            "assumed": self.assumed,
            "asked": self.asked,
            "note": self.note,
            "recursion": self.recursion,
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """The answer, a sentence a line."""
        if self.asked:
            yield self.asked
        given = f" (where {', '.join(self.assumed)})"
        if self.verdict == "proved" and self.never is not None:
            yield f"Backprop for no values of the parameters, at any depth L >= {self.never}{given}: proved."
        elif self.verdict == "proved" and not self.needed:
            yield f"Backprop for all values of the parameters{given}: proved for every depth and width."
        elif self.verdict == "proved":
            yield f"Backprop if and only if{given}:"
        elif self.needed:
            yield "Unknown. Asked by small networks, with what is proved of it:"
        else:
            yield "Unknown."
        for n in self.needed:
            depth = f"   for L >= {n.depth}" if n.depth > 1 else ""
            how = f"needed: proved on {n.witness}" if n.result is not None else "needed: not proved"
            yield f"  {n.text}{depth}   [{how}]"
        if self.sufficient is not None and self.needed:
            yield "  Together they suffice: proved for every depth, width, activation and all data."
        if self.shallow and self.needed and self.never is None:
            yield "  At depth 1 nothing is asked: proved."
        if self.parallel is not None and (self.needed or self.never is not None or self.verdict != "proved"):
            yield str(self.parallel)
        if self.note:
            yield self.note
        if self.recursion:
            yield "The error of layer l where the wave first arrives:"
            yield "  " + self.recursion


def characterise(what: Any) -> Characterisation:
    """The necessary and sufficient condition on a rule's free symbols for equality with backprop.

    what: a rule, or its claim ``rule.equals_backprop()``.  Every direction is a
    theorem for every depth and width, or the verdict is "unknown".
    Raises TypeError on anything else, RuleError on a claim that is not of a rule.
    """
    from .tactics.unknowns import Benches, Unclear, conjecture

    started = time.perf_counter()
    claim = _claim(what)
    e: Equations = claim.equations
    out = Characterisation(claim.id)
    if e.when == EVERY_STEP and e.gate is None:
        out.asked = "It learns at every step; asked is that the first change of every weight be backprop's."
    nonzero = divisors(e)
    out.assumed = ["alpha != 0", *(condition_text(s) for s in nonzero.values())]
    try:
        benches = Benches(e)
        conditions, out.never = conjecture(benches)
        _sufficient(claim, out, benches, conditions)
        _necessary(claim, out, benches, conditions)
        _verdict(claim, out)
        if out.needed or out.never is not None or out.verdict != "proved":
            out.parallel = parallel_to(e, benches)
    except (Unclear, EvaluationError) as u:
        out.note = f"{str(u)[:1].upper()}{str(u)[1:]}."
    except RecursionError:
        out.note = "A moment of the rule is too late for it to be run up to it."
    if out.verdict != "proved" and not out.needed and out.never is None:
        plain = prove(claim)
        if plain.verdict == "proved":  # whatever the parameters are
            out.sufficient, out.verdict, out.note = plain, "proved", ""
    if out.verdict != "proved":
        out.recursion = first_arrival(e)
    out.seconds = time.perf_counter() - started
    return out


def _claim(what: Any) -> Claim:
    e = getattr(what, "equations", None)
    if hasattr(what, "equals_backprop") and isinstance(e, Equations) and e.when == EVERY_STEP and e.gate is None:
        claim = first_changes(e)
        return replace(claim, theory=claim.theory.extend(hypotheses=divisors(e)))
    claim = what.equals_backprop() if hasattr(what, "equals_backprop") else what
    if not isinstance(claim, Claim):
        raise TypeError(f"a rule was expected, got {type(what).__name__}")
    if claim.equations is None:
        raise RuleError(f"{claim.id} is not a claim about a rule; there are no parameters to characterise")
    return claim


def _named(conditions: Sequence[Statement]) -> dict[str, Statement]:
    return {f"condition_{n}": s for n, s in enumerate(conditions, 1)}


def _factors(benches: Benches, conditions: Sequence[Condition]) -> Factors | None:
    from .tactics.unknowns import Unclear, factors

    try:
        return Factors(*factors(benches, conditions))
    except (Unclear, EvaluationError):
        return None


def _sufficient(claim: Claim, out: Characterisation, benches: Benches, conditions: Sequence[Condition]) -> None:
    """The conditions make the rule backprop, or nothing."""
    if out.never is not None:
        return
    f = _factors(benches, conditions)
    given = _named([c.statement() for c in conditions])
    ways = [sufficient(claim, benches.e, f, given)] if f is not None else []
    ways.append(replace(claim, theory=claim.theory.extend(hypotheses=given)))
    for one in ways:
        result = prove(one)
        if result.verdict == "proved":
            out.sufficient = result
            return


def _necessary(claim: Claim, out: Characterisation, benches: Benches, conditions: Sequence[Condition]) -> None:
    """Each condition from a network of its own, the simplest first, those already shown as hypotheses."""
    open_ = [Needed(c.statement(), c.depth) for c in conditions]
    shown: list[Needed] = []
    f = _factors(benches, ())
    while open_:
        for n in open_:
            if _shown(claim, n, [x.condition for x in shown], f):
                shown.append(n)
                open_.remove(n)
                break
        else:
            break
    out.needed = shown + open_


def _shown(claim: Claim, n: Needed, known: list[Statement], f: Factors | None) -> bool:
    """Is the condition needed, on one of the networks that are looked at?  The first that serves is kept."""
    for one in islice(_tries(claim, n, _named(known), f), TRIES):
        result = prove(one)
        if result.verdict == "proved":
            n.result, n.witness = result, one.title.partition("network: ")[2]
            return True
    return False


def _tries(claim: Claim, n: Needed, known: dict[str, Statement], f: Factors | None) -> Iterator[Claim]:
    from .tactics.one_layer import at_one_layer
    from .tactics.unknowns import says
    from .tactics.witness import at_every_layer, at_layer

    if not n.condition.variables:
        for w, layer in _networks(n.depth):
            for kind in claim.equations.net.kinds:
                one = necessary(
                    claim, w, n.condition, known, n.depth, lambda k, c, _: at_layer(k, c), layer, kind=kind.name
                )
                if says(one, n.depth):
                    yield one
    if len(n.condition.variables) == 1:
        one_layer = needed_at_layer(claim, n.condition, known, at_one_layer)
        if one_layer is not None:
            yield one_layer
    if f is not None:
        yield necessary(
            claim, Witness(), n.condition, known, n.depth, lambda k, c, scale: at_every_layer(k, c, f, scale), None, f
        )


def _networks(depth: int) -> Iterator[tuple[Witness, int]]:
    for layer in range(depth, 0, -1):
        for own in product(NUMBERS, repeat=min(layer, 2)):
            for target in NUMBERS:
                for constant in (layer, layer + 1)[: 1 + (layer < depth)]:
                    yield Witness(own, target, constant), layer


def _never(claim: Claim, out: Characterisation, depth: int) -> None:
    """No values serve: on one network, or on one given what others ask of single parameters."""
    from .tactics.unknowns import difference, simple
    from .tactics.witness import apart, at_layer

    known: list[Needed] = []
    while len(known) < TRIES:
        hypotheses = _named([n.condition for n in known])
        fresh: tuple[Witness, int, Statement] | None = None
        best = False
        for w, layer in _networks(depth):
            one = differs(claim, w, layer, hypotheses, depth, lambda k, c, _: apart(k, c))
            try:
                left = [difference(one, d) for d in (depth, depth + 1)]
            except EvaluationError:
                continue
            if all(x != 0 and x.is_number for x in left):
                result = prove(one)
                if result.verdict == "proved":
                    out.impossible, out.verdict, out.needed = result, "proved", known
                    return
            asked = simple(left[0], claim, depth) if left[0] != 0 and left[0] == left[1] else None
            if asked is not None and (fresh is None or (asked[0] and not best)):
                fresh, best = (w, layer, asked[1]), asked[0]
        if fresh is None:
            return
        w, layer, condition = fresh
        result = prove(necessary(claim, w, condition, hypotheses, depth, lambda k, c, _: at_layer(k, c), layer))
        if result.verdict != "proved":
            return
        known.append(Needed(condition, depth, w.text(), result))


def _verdict(claim: Claim, out: Characterisation) -> None:
    e = claim.equations
    if out.never is not None:
        _never(claim, out, out.never)
        return
    if out.sufficient is not None and all(n.result is not None for n in out.needed):
        out.verdict = "proved"
    if out.needed and min(n.depth for n in out.needed) > 1:
        theory = claim.theory.extend()
        shallow = Claim(claim.id, _depth_one(theory), claim.goals, claim.title, equations=e, says=claim.says)
        out.shallow = proved_by_kernel(shallow)


def _depth_one(theory: Any) -> Any:
    from dataclasses import replace

    return replace(theory, assumptions=(*theory.assumptions, eq(L, 1)))


def condition_text(s: Statement) -> str:
    """A condition in words: ``g[m] = 1 for 1 <= m < L``."""
    where = f" for {show_guards(s.guards)}" if s.guards else ""
    return show_relation(s.relation) + where


@dataclass
class Parallel:
    """Layer l moves by ``factor`` times backprop's change where ``conditions`` hold: that theorem."""

    result: Result
    conditions: list[Statement]
    factor: str

    def __str__(self) -> str:
        where = " and ".join(condition_text(s) for s in self.conditions)
        where = f" where {where}" if where else ""
        return f"Parallel to backprop{where}: layer l moves by {self.factor} times its change: proved."

    def as_dict(self) -> dict[str, Any]:
        return {
            "factor": self.factor,
            "conditions": [condition_text(s) for s in self.conditions],
            "theorem": self.result.as_dict(),
        }


def parallel_to(e: Equations, benches: Benches | None = None) -> Parallel | None:
    """The factors by which a rule's changes are backprop's, if it has such factors and that is proved."""
    from .tactics.unknowns import Benches, Unclear, conjecture

    try:
        made = benches or Benches(e)
        conditions, never = conjecture(made, parallel=True)
    except (Unclear, EvaluationError):
        return None
    f = _factors(made, conditions)
    if never is not None or f is None or ZERO in f.rates.values():
        return None
    statements = [c.statement() for c in conditions]
    result = prove(parallel_to_backprop(e, f, _named(statements)))
    return Parallel(result, statements, factor_text(f, e)) if result.verdict == "proved" else None


def factor_text(f: Factors, e: Equations) -> str:
    """rate(l) c(l-1) in words: ``p[l-1] * prod_{k=1..l-1} (gamma*p[k-1])``, by kind of weight where kinds differ."""
    by_kind = {k.name: _factor_text(f, f.rates[k.name]) for k in e.net.kinds}
    if len(set(by_kind.values())) == 1:
        return by_kind[e.net.kinds[0].name]
    return ", ".join(f"{text} ({name})" for name, text in by_kind.items())


def _factor_text(f: Factors, rate: Term) -> str:
    parts = [show(x) for x in (rate, f.base) if x is not ONE]
    if free_vars(f.growth):
        parts.append(f"prod_{{k=1..l-1}} {_wrapped(show(subst(f.growth, {'l': qvar('k')})))}")
    elif f.growth is not ONE:
        parts.append(f"{_wrapped(show(f.growth))}^(l-1)")
    return " * ".join(parts) or "1"


def _wrapped(text: str) -> str:
    return text if text.replace("_", "").replace("[", "").replace("]", "").isalnum() else f"({text})"


def first_arrival(e: Equations) -> str:
    """The step of layer l where everything ahead is frozen, as one equation; "" where there is no such step."""
    from .rules.front import front_step

    try:
        return front_step(e)
    except RuleError:
        return ""
