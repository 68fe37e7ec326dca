"""Concrete models: sizes, exact parameters, an activation.

Activations, in the order in which they are tried: identity, relu (with
f'(0) = 0), square, square at one layer and identity elsewhere, and tables of
arbitrary values and derivatives (such a table is that of some polynomial, so
a table is compatible with "f' is the derivative of f at the visited points").

Operators (layer maps with real arguments that are functions of indices) get a
small dense model: sum over k of products of one entry of each argument, the
last one passed through the activation.  Their derivatives follow from the
product rule, so Jacobians are consistent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from math import prod
from typing import Any

from ..language.evaluate import Model
from ..language.index import Idx, QVar, Size
from ..language.signature import FUNCTION, OPERATOR, Deriv, Theory
from .compile import Apply, Env, lift
from .graph import Node, Number

Key = tuple[str, Env]
Point = tuple[str, Env, int, Number]  # function, indices, order of the derivative, argument
IDENTITY, RELU, SQUARE, TABLE = "identity", "relu", "square", "table"
UNTRUE = "identity with f' = 2"  # for functions of which the claim does not say that f' is the derivative
_TABLE_VALUES: tuple[int, ...] = (1, 0, 2, -1, 3, -2)


@dataclass(frozen=True)
class Activation:
    """kind: identity, relu, square, table; layer: where square is used (None: everywhere); seed: of a table.

    given: a table written out, (function, indices, order, at) and the value; what is not listed is 1.
    """

    kind: str = IDENTITY
    layer: int | None = None
    seed: int = 0
    given: tuple[tuple[Point, Number], ...] | None = None

    @property
    def name(self) -> str:
        if self.layer is not None:
            return f"{self.kind} at layer {self.layer}, identity elsewhere"
        if self.given is not None:
            return "table"
        return self.kind if self.kind != TABLE else f"table {self.seed}"

    def value(self, key: Key, order: int, v: Any) -> Any:
        """The ``order``-th derivative at ``v`` (a number or a node); ``key``: function and layer."""
        kind = self.kind
        if self.layer is not None and key[1][:1] != (self.layer,):
            kind = IDENTITY
        if kind == IDENTITY:
            return (v, 1)[order] if order < 2 else 0
        if kind == UNTRUE:
            return (v, 2)[order] if order < 2 else 0
        if kind == SQUARE:
            return v * v if order == 0 else 2 * v if order == 1 else 2 if order == 2 else 0
        if kind == RELU:
            if order > 1:
                return 0
            if isinstance(v, Node):
                return v.graph.make("relu" if order == 0 else "step", v.id)
            return (v if v > 0 else 0) if order == 0 else int(v > 0)
        if isinstance(v, Node):
            return v.graph.make("table", (*key, order), v.id)
        return self.table((*key, order), v)

    def table(self, key: tuple[Any, ...], v: Number) -> Number:
        """An arbitrary value, the same on every machine."""
        if self.given is not None:
            return next((value for point, value in self.given if point == (*key, v)), 1)
        text = f"{self.seed}|{key[0]}|{','.join(map(str, key[1]))}|{key[2]}|{v}"
        pick = sha256(text.encode()).digest()
        if self.seed < 0:  # for probing: large values
            return int.from_bytes(pick[:3], "big") + 1
        return _TABLE_VALUES[pick[0] % len(_TABLE_VALUES)]


def families(theory: Theory) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Each function or operator -> (its root, positions by which it was differentiated)."""
    derived = {d for s in theory.symbols.values() for d in s.derivatives}
    out: dict[str, tuple[str, tuple[int, ...]]] = {}
    todo = [(n, n, ()) for n, s in theory.symbols.items() if s.kind in (FUNCTION, OPERATOR) and n not in derived]
    queue: list[tuple[str, str, tuple[int, ...]]] = list(todo)
    while queue:
        name, root, path = queue.pop(0)
        if name in out:
            continue
        out[name] = (root, path)
        queue += [(d, root, (*path, k)) for k, d in enumerate(theory.symbols[name].derivatives)]
    return out


def has_functions(theory: Theory) -> bool:
    """Does an activation make a difference at all?"""
    return any(s.kind in (FUNCTION, OPERATOR) for s in theory.symbols.values())


def evaluate_index(i: Idx, env: Mapping[str, int], size: Callable[[str, Env], int]) -> int:
    """An index term without bound indices at concrete values."""
    out = i.const
    for atom, c in i.terms:
        if isinstance(atom, QVar):
            out += c * env[atom.name]
        elif isinstance(atom, Size):
            out += c * size(atom.name, tuple(evaluate_index(a, env, size) for a in atom.args))
    return out


def bounds_reader(theory: Theory, size: Callable[[str, Env], int]) -> Callable[[str, int, Env], Env]:
    """(symbol, position, indices) -> numbers of entries of a real argument."""

    def bounds(name: str, position: int, idx: Env) -> Env:
        env = {str(k): v for k, v in enumerate(idx)}
        return tuple(max(0, evaluate_index(b, env, size)) for b in theory.symbols[name].ranges[position])

    return bounds


def functions(theory: Theory, activation: Activation, size: Callable[[str, Env], int]) -> Apply:
    """The interpretation of every function and operator, on numbers, nodes and dual numbers."""
    kin = families(theory)
    bounds = bounds_reader(theory, size)

    def under(chosen: Activation) -> Apply:
        def call(name: str, idx: Env, args: tuple[Any, ...]) -> Any:
            root, path = kin[name]
            symbol = theory.symbols[root]
            own = idx[: symbol.arity]
            if symbol.ranges == ((),):
                return chosen.value((root, own), len(path), args[0])
            return _dense(theory, chosen, bounds, (root, own), path, idx[symbol.arity :], args)

        return call

    call = under(activation)
    if activation.kind != UNTRUE:
        return lift(theory, bounds, call, call)
    # the true derivative, whatever the derivative symbol says; where a hypothesis vouches for it, it says that
    true, said = under(Activation(IDENTITY)), vouched(theory)
    wrong = call
    return lift(theory, bounds, lambda name, *a: (true if kin[name][0] in said else wrong)(name, *a), true)


def vouched(theory: Theory) -> frozenset[str]:
    """Functions of which a hypothesis says that the derivative symbols are their derivatives."""
    return frozenset(h.relation.point.name for h in theory.hypotheses.values() if isinstance(h.relation, Deriv))


def _dense(
    theory: Theory,
    activation: Activation,
    bounds: Callable[[str, int, Env], Env],
    key: Key,
    path: tuple[int, ...],
    entries: Env,
    args: tuple[Any, ...],
) -> Any:
    """sum over k of the product over arguments of one entry each, or a derivative of it."""
    root, own = key
    shapes = [bounds(root, p, own) for p in range(len(args))]
    counts = [prod(s) for s in shapes]
    if not counts or min(counts) == 0:
        return 0
    wanted: list[list[int]] = [[] for _ in args]  # flat entries by which each argument is differentiated
    rest = entries
    for p in path:
        n = len(shapes[p])
        flat = 0
        for e, width in zip(rest[:n], shapes[p]):
            flat = flat * width + e
        wanted[p].append(flat)
        rest = rest[n:]
    terms = min(counts)
    start = (own[-1] if own else 0) * terms
    last = len(args) - 1
    out: Any = 0
    for k in range(terms):
        factor: Any = 1
        for p, arg in enumerate(args):
            at = (start + k) % counts[p]
            if any(w != at for w in wanted[p]):
                factor = 0
                break
            value = arg(*_unflatten(at, shapes[p])) if shapes[p] else arg
            act = Activation() if p != last else activation
            factor = act.value(key, len(wanted[p]), value) * factor
        if not (isinstance(factor, int) and factor == 0):
            out = out + factor
    return out


def _unflatten(at: int, shape: Env) -> Env:
    out: list[int] = []
    for width in reversed(shape):
        out.append(at % width)
        at //= width
    return tuple(reversed(out))


@dataclass(frozen=True)
class Shape:
    """Concrete sizes: constants such as L and B, and tables such as n(0), ..., n(L).

    A table is read at the nearest end outside its range.
    """

    constants: Mapping[str, int]
    tables: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def size(self, name: str, args: Env) -> int:
        if name in self.constants:
            return self.constants[name]
        table = self.tables[name]
        at = args[0] if args else 0
        return table[min(max(at, 0), len(table) - 1)]

    def values(self, name: str) -> tuple[int, ...]:
        """A table from the output (0) on; () if there is none of this name."""
        return self.tables.get(name, ())

    def __hash__(self) -> int:
        return hash((tuple(self.constants.items()), tuple(self.tables.items())))

    @property
    def depth(self) -> int:
        """L, or the largest constant that may count vertices or times."""
        if "L" in self.constants:
            return self.constants["L"]
        return max([len(t) - 1 for t in self.tables.values()] + [0])


@dataclass(frozen=True)
class Instance:
    """A concrete exact model of a theory.

    parameters: every entry that is read; entries that are not listed are 0.
    """

    shape: Shape
    activation: Activation
    parameters: Mapping[Key, Fraction]
    table: Mapping[tuple[str, Env, int, Fraction], Fraction] = field(default_factory=dict)

    def model(self, theory: Theory) -> Model:
        """For the reference evaluator."""
        apply = functions(theory, self.activation, self.shape.size)
        values = dict(self.parameters)

        def entry(name: str) -> Callable[..., Any]:
            return lambda *idx: values.get((name, idx), Fraction(0))

        def function(name: str, arity: int) -> Callable[..., Any]:
            return lambda *a: apply(name, a[:arity], a[arity:])

        return Model(
            sizes={
                **self.shape.constants,
                **{n: (lambda *a, n=n: self.shape.size(n, a)) for n in self.shape.tables},
            },
            parameters={n: entry(n) for n, s in theory.symbols.items() if s.kind == "parameter"},
            functions={n: function(n, s.arity) for n, s in theory.symbols.items() if s.kind in (FUNCTION, OPERATOR)},
        )

    def entries(self, name: str) -> dict[Env, Fraction]:
        """All listed entries of one parameter."""
        return {idx: v for (n, idx), v in self.parameters.items() if n == name}

    def as_dict(self) -> dict[str, Any]:
        """For JSON: exact fractions as text."""
        names = list(dict.fromkeys(n for n, _ in self.parameters))
        return {
            "sizes": dict(self.shape.constants),
            "widths": {n: list(t) for n, t in self.shape.tables.items()},
            "activation": self.activation.name,
            "parameters": {
                n: {",".join(map(str, i)): str(v) for i, v in sorted(self.entries(n).items())} for n in names
            },
            "table": [
                {"function": n + "'" * order, "indices": list(i), "at": str(at), "value": str(v)}
                for (n, i, order, at), v in self.table.items()
            ],
        }
