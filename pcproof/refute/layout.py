"""Counterexamples as text and as JSON, in PyTorch's order and in the paper's.

PyTorch: ``weights[0]`` leads from the input on, matrices are (to, from),
indices from 0.  The paper: layer 0 is the output, theta^l leads from layer l
to layer l-1, so weights[k] is theta^(L-k); units from 1.  What a parameter is
(weight, bias, input, target) is read from the declared shape of its symbol.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from ..language.index import Idx
from ..language.show import show
from ..language.signature import DEFINED, PARAMETER, Deriv, Eq, Le, Ne, Symbol, Tangent, Theory
from ..language.terms import Add, App, Num, Term, add, subterms
from .counterexample import Counterexample
from .instance import Instance, evaluate_index

MATRIX, VECTOR = ("layer", "unit to", "unit from"), ("layer", "unit to")
Nested = Any  # a Fraction or a list of Nested


def words(symbol: Symbol) -> tuple[str, ...]:
    """The declared meaning of each index."""
    return tuple(w.strip() for w in symbol.shape.split(","))


def role(symbol: Symbol) -> str:
    """weights, biases, x, target or "" (anything else)."""
    shape = words(symbol)
    if shape == MATRIX:
        return "weights"
    if shape == VECTOR:
        return "biases"
    if shape == ("batch", "unit"):
        return {"input": "x", "target": "target"}.get(symbol.meaning, "")
    return ""


def _nested(entries: Mapping[tuple[int, ...], Fraction]) -> Nested:
    """A table with indices from 0 as nested lists; entries that are missing are 0."""
    if () in entries:
        return entries[()]
    top = max((i[0] for i in entries), default=-1)
    return [_nested({i[1:]: v for i, v in entries.items() if i[0] == k} or {(): Fraction(0)}) for k in range(top + 1)]


def _flat(v: Nested) -> str:
    """[[1]] reads [1], [1] stays."""
    if not isinstance(v, list):
        return str(v)
    if len(v) == 1 and isinstance(v[0], list):
        return _flat(v[0])
    return "[" + ", ".join(_full(x) for x in v) + "]"


def _full(v: Nested) -> str:
    return "[" + ", ".join(map(_full, v)) + "]" if isinstance(v, list) else str(v)


def _texts(v: Nested) -> Any:
    return [_texts(x) for x in v] if isinstance(v, list) else str(v)


def pytorch_arrays(c: Counterexample) -> dict[str, list[Nested]]:
    """weights, biases (lists from the input on), x, target (each one array) where the theory has them."""
    out: dict[str, list[Nested]] = {}
    depth = c.sizes.get("L", 0)
    for name, symbol in c.claim.theory.symbols.items():
        what, entries = role(symbol), c.instance.entries(name)
        if symbol.kind != PARAMETER or not what or not entries or what in out:
            continue
        if what in ("weights", "biases"):
            layers = [{i[1:]: v for i, v in entries.items() if i[0] == layer} for layer in range(depth, 0, -1)]
            out[what] = [_nested(e) if e else [] for e in layers]
        else:
            out[what] = [_nested(entries)]
    return out


def paper_text(c: Counterexample) -> str:
    """The same network in the paper's order: ``w^1 = [1], w^2 = [1], s_in = 1, s_out = 0`` (w^l leads to layer l-1)."""
    parts = []
    seen: set[str] = set()
    for name, symbol in c.claim.theory.symbols.items():
        what, entries = role(symbol), c.instance.entries(name)
        if symbol.kind != PARAMETER or not what or not entries or what in seen:
            continue
        seen.add(what)
        if what in ("weights", "biases"):
            for layer in sorted({i[0] for i in entries}):
                parts.append(
                    f"{name}^{layer} = {_flat(_nested({i[1:]: v for i, v in entries.items() if i[0] == layer}))}"
                )
        else:
            parts.append(f"{name} = {_scalar(_nested(entries))}")
    return ", ".join(parts)


def _scalar(v: Nested) -> str:
    while isinstance(v, list) and len(v) == 1:
        v = v[0]
    return _full(v)


def _network(c: Counterexample) -> list[str]:
    theory, instance = c.claim.theory, c.instance
    parts: list[str] = []
    tables = list(instance.shape.tables)
    for name in tables:
        values = instance.shape.tables[name]
        if name == "n":
            parts.append("-".join(str(n) for n in reversed(values)))
        elif tables[0] == "n":
            parts.append(", ".join(f"{name}({k}) = {values[k]}" for k in reversed(range(1, len(values)))))
        else:  # no widths
            parts.append(", ".join(f"{name}({k}) = {n}" for k, n in enumerate(values)))
    for name, value in instance.shape.constants.items():
        if name == "B" and value > 1:
            parts.append(f"batch {value}")
        elif name not in ("B", "L") or not tables:
            parts.append(f"{name} = {value}")
    if any(s.ranges for s in theory.symbols.values()):
        parts.append(_activation(instance))
    arrays = pytorch_arrays(c)
    for what in ("weights", "biases"):
        if what in arrays:
            parts.append(f"{what} " + ", ".join(_flat(v) for v in arrays[what]))
    parts += [f"{what} = {_scalar(arrays[what][0])}" for what in ("x", "target") if what in arrays]
    seen: set[str] = set()
    for name, symbol in theory.symbols.items():
        what, entries = role(symbol), instance.entries(name)
        if not entries or name in _named_again(theory) or (what and what not in seen):
            seen.add(what)
            continue
        if entries == {(): Fraction(1)} and "learning rate" in symbol.meaning:
            continue
        read = {i: v for i, v in entries.items() if c.relevant is None or (name, i) in c.relevant}
        parts += [f"{name}{_square(i)} = {v}" for i, v in sorted(read.items())]
    return parts


def _named_again(theory: Theory) -> set[str]:
    """Parameters that are, by hypothesis, a quantity that the theory defines."""
    out = set()
    for h in theory.hypotheses.values():
        if isinstance(h.relation, Eq) and isinstance(h.relation.lhs, App) and isinstance(h.relation.rhs, App):
            own, other = theory.symbols[h.relation.lhs.name], theory.symbols[h.relation.rhs.name]
            if own.kind == PARAMETER and other.kind == DEFINED and own.arity == other.arity:
                out.add(own.name)
    return out


def _activation(instance: Instance) -> str:
    if not instance.table:
        return instance.activation.name
    points = [
        f"{name}{_square(idx)}{chr(39) * order}({at}) = {v}" for (name, idx, order, at), v in instance.table.items()
    ]
    return "activation with " + ", ".join(points)


def _square(idx: Sequence[int]) -> str:
    return "[" + ",".join(map(str, idx)) + "]" if idx else ""


def _indices(c: Counterexample, idx: Sequence[Idx]) -> tuple[int, ...]:
    return tuple(evaluate_index(i, c.indices, c.instance.shape.size) for i in idx)


def place(c: Counterexample, t: Term) -> str:
    """Where the difference shows: ``weights[0] (theta^2)``, or the term with its indices put in."""
    if not isinstance(t, App) or t.args:
        return show(t)
    symbol = c.claim.theory.symbols[t.name]
    at = _indices(c, t.idx)
    shape = words(symbol)
    if shape[:1] == ("time",) and shape[1:] in (MATRIX, VECTOR) or shape in (MATRIX, VECTOR):
        layer, *units = at[1:] if shape[0] == "time" else at
        what = "weights" if shape[-2:] == MATRIX[-2:] else "biases"
        widths = next(iter(c.widths.values()), ())
        wide = any(widths[k] > 1 for k in (layer - 1, layer) if 0 <= k < len(widths))
        code = "[" + ", ".join(map(str, units)) + "]" if wide else ""
        paper = "_{" + ",".join(str(u + 1) for u in units) + "}" if wide else ""
        return f"{what}[{c.sizes.get('L', 0) - layer}]{code} ({t.name}^{layer}{paper})"
    return f"{t.name}{_square(at)}"


def _initial(c: Counterexample, r: Eq) -> Fraction | None:
    """The value of the old weight if the goal reads "new weight = old weight + change"."""
    if not isinstance(r.rhs, Add) or not isinstance(r.lhs, App):
        return None
    first = r.rhs.args[0]
    if not isinstance(first, App) or c.claim.theory.symbols[first.name].kind != PARAMETER or first.args:
        return None
    if words(c.claim.theory.symbols[r.lhs.name])[1:] != words(c.claim.theory.symbols[first.name]):
        return None
    return c.parameters.get((first.name, _indices(c, first.idx)), Fraction(0))


def both_sides(c: Counterexample) -> tuple[str, dict[str, Fraction]]:
    """Where the sides differ, and the two values with their names (changes of a weight where it is one)."""
    r = c.statement.relation
    if isinstance(r, Eq):
        old = _initial(c, r)
        change = old if old is not None else Fraction(0)
        rest = add(*r.rhs.args[1:]) if old is not None and isinstance(r.rhs, Add) else r.rhs
        names = {s.name for s in subterms(rest) if isinstance(s, App)}
        meanings = [c.claim.theory.symbols[n].meaning for n in names]
        other = "backprop" if any("backprop" in m for m in meanings) else show(rest)
        own = "rule" if other == "backprop" else "left"
        if own == "left" and (isinstance(rest, Num) or len(other) > 40):
            other = "right"
        return place(c, r.lhs), {own: c.lhs - change, other: c.rhs - change}
    if isinstance(r, Tangent):
        return f"derivative of {show(r.term)} along {r.direction}", {"true": c.lhs, "claimed": c.rhs}
    if isinstance(r, (Ne, Le)):
        return f"{show(r.lhs)} and {show(r.rhs)}", {"left": c.lhs, "right": c.rhs}
    assert isinstance(r, Deriv)
    return f"{show(r.point)} has no derivative", {"at": c.lhs}


def network_text(c: Counterexample) -> str:
    """One line: the network, then both values."""
    where, values = both_sides(c)
    r = c.statement.relation
    plain = isinstance(r, Eq) and _initial(c, r) is not None and where.startswith(("weights", "biases"))
    at = "" if plain else _at(c)
    return ", ".join(_network(c)) + f": {where}{at}: " + ", ".join(f"{n} {v}" for n, v in values.items())


def _at(c: Counterexample) -> str:
    return " at " + ", ".join(f"{n} = {v}" for n, v in c.indices.items()) if c.indices else ""


def as_dict(c: Counterexample) -> dict[str, Any]:
    """For JSON: fractions as text."""
    where, values = both_sides(c)
    return {
        "claim": c.claim.id,
        "goal": c.goal,
        **c.instance.as_dict(),
        "network": {n: _texts(v if n in ("weights", "biases") else v[0]) for n, v in pytorch_arrays(c).items()},
        "paper": paper_text(c),
        "where": where,
        "indices": dict(c.indices),
        "values": {n: str(v) for n, v in values.items()},
        "lhs": str(c.lhs),
        "rhs": str(c.rhs),
        "exhaustive": c.exhaustive,
        "text": c.text(),
    }
