"""Programs from definitions over layers: forward pass, error recursion, changes.

The order of computation follows from the definitions: a definition comes after
those that it uses, and its measure says in which direction its layers run
(``L - l``: from the input down to layer 0; ``l``: from the output up).  Each
case becomes a statement or a loop over its layers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..language.arith import entails
from ..language.index import Con, Idx, QVar, le
from ..language.show import show_definition
from ..language.signature import Definition, Theory
from ..language.terms import App, subterms
from ..networks.network import B, width
from .fuse import at, fused
from .program import Assign, Branch, Comment, Fresh, Loop, Program, Statement
from .tensors import (
    Apply,
    Array,
    KernelError,
    Lowering,
    Tensor,
    address_params,
    axis_params,
    rewrite,
    walk,
)


@dataclass(frozen=True)
class Piece:
    """One case of a definition over the layers ``first`` .. ``last``."""

    definition: Definition
    guard: tuple[Con, ...]
    first: Idx
    last: Idx
    value: Tensor


def used_names(d: Definition) -> set[str]:
    """Symbols in the cases of a definition."""
    return {s.name for c in d.cases for s in subterms(c.value) if isinstance(s, App)}


def needed(theory: Theory, outputs: Iterable[str]) -> list[Definition]:
    """The definitions that the outputs rest on, each after those that it uses (itself left aside)."""
    order: list[Definition] = []
    done: set[str] = set()
    open_names: set[str] = set()

    def visit(name: str) -> None:
        d = theory.definition(name)
        if d is None or name in done:
            return
        if name in open_names:
            raise KernelError(f"the definitions of {name!r} and others use each other; no order over layers is known")
        open_names.add(name)
        for other in sorted(used_names(d) - {name}):
            visit(other)
        done.add(name)
        order.append(d)

    for name in outputs:
        if theory.definition(name) is None:
            raise KernelError(f"the symbol {name!r} has no definition")
        visit(name)
    return order


def direction(d: Definition, layer: str) -> int:
    """+1 if layers run upwards from the output, -1 if downwards from the input."""
    slope = dict(d.measure[0].terms).get(QVar(layer), 0) if d.measure else 1
    if slope == 0:
        raise KernelError(f"the measure of {d.name!r} does not say in which order its layers are computed")
    return 1 if slope > 0 else -1


def interval(guard: Sequence[Con], layer: str, assumptions: Sequence[Con]) -> tuple[Idx, Idx, tuple[Con, ...]]:
    """First and last layer of a guard, and what it says about other things.

    An equation fixes both ends; what else the guard asks of that layer is then
    a condition on the sizes.
    """
    lows: list[Idx] = []
    highs: list[Idx] = []
    rest: list[Con] = []
    fixed: list[Idx] = []
    for c in guard:
        slope = dict(c.expr.terms).get(QVar(layer), 0)
        if slope == 0:
            rest.append(c)
            continue
        bound = (c.expr - Idx.of(QVar(layer)) * slope) * -slope
        if abs(slope) != 1 or c.kind == "ne":
            raise KernelError(f"the guard {c!r} is not a range of layers")
        (fixed if c.kind == "eq" else lows if slope > 0 else highs).append(bound)
    if fixed:
        asked = [*(le(o, fixed[0]) for o in lows), *(le(fixed[0], o) for o in highs)]
        asked += [Con("eq", o - fixed[0]) for o in fixed[1:]]
        return fixed[0], fixed[0], (*rest, *(c for c in asked if not entails(assumptions, c)))
    known = (*assumptions, *rest)
    low = next((a for a in lows if all(entails(known, le(o, a)) for o in lows)), None)
    high = next((a for a in highs if all(entails(known, le(a, o)) for o in highs)), None)
    if low is None or high is None:
        raise KernelError("a case of a definition does not bound its layer from both sides")
    return low, high, tuple(rest)


def pieces(theory: Theory, d: Definition, lowering: Lowering) -> list[Piece]:
    """The cases of a definition over layers, in the order in which they are computed."""
    addresses = address_params(d)
    if len(addresses) != 1:
        raise KernelError(f"{d.name!r} has the addresses {', '.join(addresses) or 'none'}; expected a layer only")
    layer = addresses[0]
    out = []
    for k, case in enumerate(d.cases):
        first, last, rest = interval(case.guard, layer, theory.assumptions)
        out.append(Piece(d, rest, first, last, lowering.case(d, k)))
    up = direction(d, layer) > 0
    ordered: list[Piece] = []
    while out:
        nxt = next((p for p in out if all(p is q or _before(theory, p, q, up) for q in out)), None)
        if nxt is None:
            raise KernelError(f"the cases of {d.name!r} are not apart in the layers that they cover")
        out.remove(nxt)
        ordered.append(nxt)
    return ordered


def _before(theory: Theory, p: Piece, q: Piece, up: bool) -> bool:
    """Are all layers of ``p`` computed before those of ``q``?  (Or are their guards apart anyway.)"""
    below, above = (p, q) if up else (q, p)
    return entails(theory.assumptions, le(below.last + 1, above.first)) or (p.first, p.last) == (q.first, q.last)


# -- activations that are used more than once ----------------------------------------
@dataclass(frozen=True)
class _Stored:
    """f applied to a stored array: computed in piece number ``home``, at an offset from its layer."""

    function: str
    source: str
    name: str
    home: int
    offset: Idx


def _offset(piece: Piece, address: Idx) -> Idx | None:
    """An address relative to the piece's layer, if it is one."""
    by = address - Idx.of(QVar(address_params(piece.definition)[0]))
    return by if not by.terms else None


def _applications(t: Tensor) -> list[tuple[Apply, Array]]:
    """Activations of layer k applied to a stored array of layer k."""
    return [
        (s, s.arg)
        for s in walk(t)
        if isinstance(s, Apply) and isinstance(s.arg, Array) and len(s.address) == 1 and s.address == s.arg.address
    ]


def stored_activations(theory: Theory, work: list[Piece]) -> tuple[list[_Stored], list[Piece]]:
    """Keep f[l](y[l]) where it is used again; later uses read the stored array.

    A use is replaced only if its layers lie inside those of the first use.
    The derivative of f at the same array is told where f's value is stored.
    """
    uses: dict[tuple[str, str], list[tuple[int, Piece, Apply, Array]]] = {}
    slopes = {s.derivatives[0]: s.name for s in theory.symbols.values() if len(s.derivatives) == 1}
    for k, p in enumerate(work):
        for a, source in _applications(p.value):
            if theory.definition(source.name) is not None:
                uses.setdefault((slopes.get(a.function, a.function), source.name), []).append((k, p, a, source))
    kept: list[_Stored] = []
    for (function, array), found in uses.items():
        own = [u for u in found if u[2].function == function]
        if not own or len(found) < 2:
            continue
        home, piece, first, _ = own[0]
        by = _offset(piece, first.address[0])
        if by is None or piece.guard:
            continue
        low, high = piece.first + by, piece.last + by

        def inside(k: int, p: Piece, a: Apply, low: Idx = low, high: Idx = high, home: int = home) -> bool:
            if k < home:
                return False
            facts = (*theory.assumptions, *p.guard, le(p.first, p.last))
            by2 = _offset(p, a.address[0])
            ends = (a.address[0], a.address[0]) if by2 is None else (p.first + by2, p.last + by2)
            return entails(facts, le(low, ends[0])) and entails(facts, le(ends[1], high))

        if all(k == home and a is first or inside(k, p, a) for k, p, a, _ in found):
            kept.append(_Stored(function, array, f"{function}_{array}", home, by))
    table = {(s.function, s.source): s for s in kept}

    def swap(t: Tensor) -> Tensor | None:
        if not isinstance(t, Apply) or not isinstance(t.arg, Array):
            return None
        value = table.get((slopes.get(t.function, t.function), t.arg.name))
        if value is None or t.address != t.arg.address:
            return None
        place = Array(value.name, t.address, t.arg.order)
        return place if t.function == value.function else replace(t, value=place)

    return kept, [replace(p, value=rewrite(p.value, swap)) for p in work]


# -- programs ---------------------------------------------------------------------------
def layered_statements(theory: Theory, outputs: Sequence[str], lowering: Lowering) -> list[Statement]:
    """All statements that compute the outputs, layer by layer."""
    order = needed(theory, outputs)
    work = [p for d in order for p in pieces(theory, d, lowering)]
    kept, work = stored_activations(theory, work)
    body: list[Statement] = []
    seen: set[str] = set()
    for k, p in enumerate(work):
        d = p.definition
        if d.name not in seen:
            seen.add(d.name)
            tables = (d.name, *(s.name for s in kept if work[s.home].definition is d))
            body += [Comment(show_definition(d)), Fresh(tables)]
        layer = address_params(d)[0]
        here = Idx.of(QVar(layer))
        inner: list[Assign] = []
        for s in kept:
            if s.home == k:
                order_of = axis_params_of(theory, s.source)
                source = Array(s.source, (here + s.offset,), order_of)
                target = Array(s.name, (here + s.offset,), order_of)
                inner.append(Assign(target, Apply(s.function, source.address, source), order_of))
        axes = axis_params(d)
        inner.append(Assign(Array(d.name, (here,), axes), p.value, axes, extents(theory, d)))
        if p.first == p.last:
            statements_: list[Statement] = [at(s, layer, p.first) for s in inner]
        else:
            statements_ = [Loop(layer, p.first, p.last, direction(d, layer), tuple(inner))]
        body += [Branch(((p.guard, tuple(statements_)),))] if p.guard else statements_
    return fused(body)


def axis_params_of(theory: Theory, name: str) -> tuple[str, ...]:
    d = theory.definition(name)
    assert d is not None
    return axis_params(d)


def extents(theory: Theory, d: Definition) -> tuple[Idx | None, ...]:
    """Sizes of the axes of a definition, read off its declared shape; None where it does not say."""
    layer = Idx.of(QVar(address_params(d)[-1]))
    known = {"batch": B, "unit": width(layer), "unit to": width(layer - 1), "unit from": width(layer)}
    roles = [r.strip() for r in theory.symbols[d.name].shape.split(",")]
    count = len(axis_params(d))
    return tuple(known.get(r) for r in roles[len(roles) - count :]) if len(roles) >= count else (None,) * count


def layered_program(theory: Theory, outputs: dict[str, str], lowering: Lowering) -> Program:
    """outputs: kind of weight -> name of the definition of its change."""
    return Program(tuple(layered_statements(theory, list(outputs.values()), lowering)), dict(outputs))
