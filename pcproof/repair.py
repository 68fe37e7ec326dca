"""The nearest repair of a refuted rule: one change of it that makes it backprop, proved before it is named.

Tried are: a value of a parameter, the moment, the update order, the start,
factors of the step and of the learning rates, a transposition, and the
gradients of the rule's own energy in place of its step or its changes.  The
list is finite and in this order; no clock decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from .api import TINY, _search, prove
from .characterise import Parallel, condition_text, parallel_to
from .language.diff import DiffError, diff
from .language.evaluate import EvaluationError
from .language.index import Idx, eq, ge, le, qvar, span
from .language.show import show
from .language.signature import Case, Claim
from .language.terms import ZERO, App, Num, Pow, Term, free_vars, mul, replace_apps, subst
from .networks.network import B, L, width
from .result import Proved
from .rules.claims import equals_backprop, final_weights
from .rules.equations import EVERY_STEP, SYNCHRONOUS, Equations, RuleError, moment
from .rules.rule import divisors
from .rules.scaled import Factors, sufficient

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")


@dataclass
class Repair:
    """``change`` in the words of a rule file, and the theorem that the rule so changed is backprop."""

    change: str
    result: Proved

    def __str__(self) -> str:
        given = [h for h in self.result.hypotheses if "!=" in h]
        where = f" where {', '.join(h.partition(': ')[2] or h for h in given)}" if given else ""
        return f"With {self.change} it is backprop{where}: proved."

    def as_dict(self) -> dict[str, Any]:
        return {"change": self.change, "theorem": self.result.as_dict()}


@dataclass
class Remarks:
    """What else is known of a refuted rule: that it is parallel to backprop, and its repairs."""

    parallel: Parallel | None
    repairs: list[Repair]

    def lines(self) -> list[str]:
        return [*([str(self.parallel)] if self.parallel is not None else []), *map(str, self.repairs)]

    def as_dict(self) -> dict[str, Any]:
        return {
            "parallel": self.parallel.as_dict() if self.parallel is not None else None,
            "repairs": [r.as_dict() for r in self.repairs],
        }


def remarks(claim: Claim, most: int = 3) -> Remarks:
    """What is proved about a rule that is refuted: factors of its layers, and up to ``most`` repairs."""
    e: Equations | None = claim.equations
    if e is None or e.gate is not None or e.when == EVERY_STEP or claim.goals != final_weights(e):
        return Remarks(None, [])
    found: list[Repair] = []
    for change, one in _changes(claim, e):
        if len(found) >= most:
            break
        if _search(one, TINY).counterexample is not None:
            continue
        result = prove(one)
        if isinstance(result, Proved):
            found.append(Repair(change, result))
    return Remarks(parallel_to(e), found)


def _changes(claim: Claim, e: Equations) -> Iterator[tuple[str, Claim]]:
    """Claims about the rule with one change, each with the change in words."""
    yield from _values(claim, e)
    for change, other in _edits(e):
        try:
            made = equals_backprop(other)
        except RuleError:
            continue
        hypotheses = divisors(other)
        yield change, replace(made, theory=made.theory.extend(hypotheses=hypotheses)) if hypotheses else made


def _values(claim: Claim, e: Equations) -> Iterator[tuple[str, Claim]]:
    """The rule's parameters as they have to be, where that is one condition."""
    from .tactics.unknowns import Benches, Unclear, conjecture, factors

    try:
        benches = Benches(e)
        conditions, never = conjecture(benches)
        if never is not None or len(conditions) != 1:
            return
        statement = conditions[0].statement()
        f = Factors(*factors(benches, conditions))
    except (Unclear, EvaluationError):
        return
    yield condition_text(statement), sufficient(claim, e, f, {"condition_1": statement})


def _coarse(e: Equations) -> Idx:
    """The moment counted in time steps."""
    m = moment(e.when)
    return Idx(m.const // e.substeps, tuple((a, c // e.substeps) for a, c in m.terms))


def _edits(e: Equations) -> Iterator[tuple[str, Equations]]:
    weights = " and ".join(f"{k.name}[l + 1]" for k in e.net.kinds)
    if e.substeps > 1:
        yield "substeps=1", replace(e, substeps=1, when=eq(t, _coarse(e)))
    elif moment(e.when) != l - 1:
        yield f"when=Eq(t, l) for {weights}", replace(e, when=eq(t, l - 1))
    if e.order != SYNCHRONOUS:
        yield f'order="{SYNCHRONOUS}"', replace(e, order=SYNCHRONOUS)
    if e.start is not App("y", (l, b, i)):
        yield "start={x[l]: y[l]}", replace(e, start=App("y", (l, b, i)))
    yield from _factors(e, weights)
    for k in (k for k in e.net.kinds if len(k.units) == 2):

        def turned(term: Term, name: str = k.name) -> Term:
            return replace_apps(term, lambda a: App(name, (a.idx[0], a.idx[2], a.idx[1])) if a.name == name else None)

        step = _each(e.step, turned)
        if step != e.step:
            yield f"{k.name} transposed in the step", replace(e, step=step)
    yield from _gradients(e, weights)


def _each(cases: tuple[Case, ...], fn: Any) -> tuple[Case, ...]:
    return tuple(Case(c.guard, fn(c.value)) for c in cases)


def _factors(e: Equations, weights: str) -> Iterator[tuple[str, Equations]]:
    """The step, or the learning rates, times what the factors of the layers ask for."""
    from .tactics.unknowns import Benches, Unclear, factors

    try:
        growth, rates, base = factors(Benches(e), ())
    except (Unclear, EvaluationError):
        return
    if base is ZERO or any(r is ZERO for r in rates.values()):
        return
    plain = not free_vars(growth)
    if plain and growth is not Num(1):
        f = _reciprocal(growth)
        words = "negated" if f is Num(-1) else f"times {show(f)}"
        yield f"the step of x[l] {words}", replace(e, step=_each(e.step, lambda v: mul(f, v)))
    by_kind = {}
    for name, rate in rates.items():
        if not plain and growth is not Num(1):
            return
        power = Num(1) if growth is Num(1) else Pow(_reciprocal(growth), l - 1)
        by_kind[name] = mul(_reciprocal(rate), _reciprocal(base), power)
    kinds = set(by_kind.values())
    if len(kinds) == 1 and kinds != {Num(1)}:
        (f,) = kinds
        above = subst(f, {"l": l + 1})
        words = "negated" if f is Num(-1) else f"times {show(above)}"
        change = {name: _each(cases, lambda v: mul(f, v)) for name, cases in e.change.items()}
        yield f"the change of {weights} {words}", replace(e, change=change)


def _reciprocal(term: Term) -> Term:
    from .rules.surface import _reciprocal as public

    return Num(1 / Fraction(term.value)) if isinstance(term, Num) else public(term)


def _gradients(e: Equations, weights: str) -> Iterator[tuple[str, Equations]]:
    """The step, then the changes, as gradients of the rule's own energy."""
    net, theory = e.net, e.net.energy_theory()
    ranges = (*span(b, 0, B), *span(i, 0, width(l)))
    try:
        found = diff(theory, e.energy, App("x", (l, b, i)))
        cases = found.cases((ge(l, 1), le(l + 1, L)), (*net.assumptions, *ranges))
        step = _each(tuple(cases), lambda v: mul(-1, v))
        yield "step={x[l]: -1 * F.diff(x[l])}", replace(e, step=step)
        change = {}
        for k in net.kinds:
            units = tuple(qvar(u) for u in k.units)
            own = tuple(c for u, bound in zip(units, k.bounds(l)) for c in span(u, 0, bound))
            found = diff(theory, e.energy, App(k.name, (l, *units)))
            cases = found.cases((ge(l, 1), le(l, L)), (*net.assumptions, *own))
            change[k.name] = _each(tuple(cases), lambda v: mul(-1, App("alpha"), v))
    except DiffError:
        return
    yield f"-alpha * F.diff(...) as the change of {weights}", replace(e, change=change)


__all__ = ["Remarks", "Repair", "remarks"]
