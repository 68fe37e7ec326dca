"""Programs from definitions in time: every neuron steps at every time, as a rule is written.

The measure of each definition is (t + c, rank): at stage t of the loop the
definition is computed for its time t - c, in order of rank.  What it reads is
of the same stage, or of an earlier one that is still kept (``x_before``).
Each definition becomes a loop over all layers with one branch a case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from ..language.arith import entails
from ..language.index import Con, Idx, QVar, ge, le, qvar
from ..language.show import show_con, show_definition
from ..language.signature import Definition, Theory
from ..language.terms import App, subst, subterms
from ..networks.network import L
from ..rules.equations import Equations, moment, timed_theory
from .layered import extents, layered_statements, used_names
from .program import Assign, Branch, Comment, Fresh, Keep, Loop, Program, Statement, Zeros
from .tensors import Array, KernelError, Lowering, Tensor, Total, address_params, axis_params, rewrite

TIME, LAYER = "t", "l"


@dataclass(frozen=True)
class Stage:
    """A definition that is computed at stage t for its time t - ``delay``, in order of ``rank``."""

    definition: Definition
    delay: int
    rank: int


def stage_of(d: Definition) -> Stage:
    """Read delay and rank off the measure (t + c, rank)."""
    if len(d.measure) == 2 and address_params(d) == (TIME, LAYER):
        delay, rank = d.measure[0] - qvar(TIME), d.measure[1]
        if not delay.terms and not rank.terms and delay.const >= 0:
            return Stage(d, delay.const, rank.const)
    raise KernelError(f"{d.name!r} does not have a measure (time, rank) over times and layers")


def stages(theory: Theory, outputs: Mapping[str, str]) -> list[Stage]:
    """The timed definitions that the outputs rest on, in order of computation inside one stage."""
    found: dict[str, Stage] = {}
    todo = list(outputs.values())
    while todo:
        name = todo.pop()
        d = theory.definition(name)
        if d is None or name in found or TIME not in d.params:
            continue
        found[name] = stage_of(d)
        todo += sorted(used_names(d))
    declared = {name: k for k, name in enumerate(theory.symbols)}
    return sorted(found.values(), key=lambda s: (s.rank, declared[s.definition.name]))


class _Tables:
    """Which table holds a symbol of an earlier stage."""

    def __init__(self, work: list[Stage]) -> None:
        self.stage = {s.definition.name: s for s in work}
        self.lags: dict[str, int] = {}

    def name(self, symbol: str, lag: int) -> str:
        self.lags[symbol] = max(self.lags.get(symbol, 0), lag)
        return symbol if lag == 0 else f"{symbol}_before" + ("" if lag == 1 else str(lag))

    def locate(self, reader: Stage, t: Tensor) -> Tensor:
        """Replace timed arrays by the tables that hold them, seen from ``reader`` at stage t."""

        def swap(a: Tensor) -> Tensor | None:
            if not isinstance(a, Array) or a.name not in self.stage:
                return None
            source = self.stage[a.name]
            ahead = a.address[0] - qvar(TIME)
            if ahead.terms:
                raise KernelError(f"{reader.definition.name!r} reads {a.name!r} at the time {a.address[0]!r}")
            lag = -(ahead.const + source.delay)
            if lag < 0 or (lag == 0 and source.rank >= reader.rank):
                raise KernelError(f"{reader.definition.name!r} reads {a.name!r} before it is computed")
            return Array(self.name(a.name, lag), a.address[1:], a.order)

        return rewrite(t, swap)


def literal_program(e: Equations, numbers: Mapping[str, Fraction]) -> tuple[Theory, Program]:
    """The rule as it is simulated, until every weight has learnt; changes are accumulated.

    numbers: parameters that have a value, such as alpha.
    """
    theory = timed_theory(e)
    lowering = Lowering(theory, numbers)
    outputs = {k.name: k.change for k in e.net.kinds}
    work = stages(theory, outputs)
    tables = _Tables(work)
    computed = [_statements(theory, s, tables, lowering) for s in work]
    body: list[Statement] = []
    start = sorted({n for s in work for n in used_names(s.definition)} - set(tables.stage))
    body += layered_statements(theory, [n for n in start if theory.definition(n) is not None], lowering)
    body += [Fresh(tuple(s.definition.name for s in work))]
    sums: dict[str, str] = {}
    learning: list[Statement] = []
    for k in e.net.kinds:
        stage = tables.stage[k.change]
        sums[k.name] = f"sum_{k.change}"
        body.append(Zeros(sums[k.name], k.initial))
        learning += _learn(k.change, sums[k.name], stage, e.when)
    keep = [
        Keep(tables.name(s.definition.name, lag), tables.name(s.definition.name, lag - 1))
        for s in work
        for lag in range(tables.lags.get(s.definition.name, 0), 0, -1)
    ]
    names = tuple(s.definition.name for s in work)
    inner: list[Statement] = [*keep, Fresh(names)]
    for c in computed:
        inner += c
    inner += learning
    last = last_moment(e) + max(tables.stage[c].delay for c in outputs.values())
    body.append(Loop(TIME, Idx(0), last, 1, tuple(inner)))
    return theory, Program(tuple(body), sums)


def last_moment(e: Equations) -> Idx:
    """The largest time at which a layer 1 <= l <= L learns."""
    when = moment(e.when)
    slope = dict(when.terms).get(QVar(LAYER), 0)
    where = L if slope > 0 else Idx(1)
    return when.replace(lambda a: where if a == QVar(LAYER) else None)


def _delayed(c: Con, delay: int) -> Con:
    """A constraint at the time that a definition is computed for at stage t."""
    return c.replace(lambda a: qvar(TIME) - delay if a == QVar(TIME) else None)


def _statements(theory: Theory, s: Stage, tables: _Tables, lowering: Lowering) -> list[Statement]:
    """One definition at stage t: a loop over the layers, one branch a case."""
    d = s.definition
    axes = axis_params(d)
    target = Array(d.name, (qvar(LAYER),), axes)
    branches = []
    for k, case in enumerate(d.cases):
        value = subst(case.value, {TIME: qvar(TIME) - s.delay})
        for a in subterms(value):
            if isinstance(a, App) and a.name in tables.stage and not a.idx:
                raise KernelError(f"{a.name!r} stands without a time in {d.name!r}")
        guards = tuple(_delayed(c, s.delay) for c in case.guard)
        shifted = replace(d, cases=(*d.cases[:k], replace(case, value=value), *d.cases[k + 1 :]))
        tensor = tables.locate(s, lowering.case(shifted, k))
        test = _short(guards)
        branches.append((test, (Assign(target, tensor, axes, extents(theory, d)),)))
    text = show_definition(d) + (f"\n    (here for time t - {s.delay})" if s.delay else "")
    loop = Loop(LAYER, Idx(0), L, 1, (Branch(tuple(branches)),))
    return [Comment(text), loop]


def _short(guards: tuple[Con, ...]) -> tuple[Con, ...]:
    """Guards without what holds throughout the loops: 0 <= t, 0 <= l <= L."""
    known = (ge(qvar(TIME), 0), ge(qvar(LAYER), 0), le(qvar(LAYER), L), ge(L, 1))
    out = [c for c in guards if not entails(known, c)]
    for c in list(out):
        if entails((*known, *(d for d in out if d is not c)), c):
            out.remove(c)
    return tuple(out)


def _learn(change: str, total: str, stage: Stage, when: Con) -> list[Statement]:
    """At its moment the change of a layer is added to the sum of changes."""
    here = (qvar(LAYER),)
    axes = axis_params(stage.definition)
    add = Array(total, here, axes), Array(change, here, axes)
    moment_now = (_delayed(when, stage.delay), *((ge(qvar(TIME) - stage.delay, 0),) if stage.delay else ()))
    step = Assign(add[0], Total(add), axes)
    note = f" (here for time t - {stage.delay})" if stage.delay else ""
    text = f"{change}[l] is made when {show_con(when)}{note}"
    return [Comment(text), Loop(LAYER, Idx(1), L, 1, (Branch(((moment_now, (step,)),)),))]
