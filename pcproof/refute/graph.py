"""Straight-line programs: what a claim computes at one shape, recorded once.

Running compiled terms on ``Node`` values records additions, multiplications
and the like over the input ``slots`` (entries of parameters).  The record is
hash-consed, so both sides of an equation that compute the same thing are the
same node, and it runs on thousands of inputs without looking at terms again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Union

from .compile import exact

FAILS = {"eq": "!=", "ne": "==", "le": ">"}


def holds(kind: str, value: Any) -> bool:
    """Is a value 0 ("eq"), not 0 ("ne"), at most 0 ("le")?"""
    return bool(value <= 0) if kind == "le" else bool(value == 0) == (kind == "eq")


Number = Union[int, Fraction]
Table = Callable[[tuple[Any, ...], Number], Number]  # (key, point) -> value of a tabulated function


class Node:
    """A value of a recorded computation."""

    __slots__ = ("graph", "id")

    def __init__(self, graph: Graph, id: int) -> None:
        self.graph = graph
        self.id = id

    def __add__(self, o: Any) -> Any:
        return self.graph.add(self, o)

    __radd__ = __add__

    def __mul__(self, o: Any) -> Any:
        return self.graph.mul(self, o)

    __rmul__ = __mul__

    def is_zero(self) -> Node:
        return self.graph.make("zero", self.id)

    def inverse(self) -> Node:
        return self.graph.make("inv", self.id)


class Graph:
    """Nodes in order of computation: ``ops[id]`` is an operation on earlier ids."""

    POLYNOMIAL = frozenset({"slot", "num", "add", "mul"})

    def __init__(self) -> None:
        self.ops: list[tuple[Any, ...]] = []
        self.nodes: list[Node] = []
        self._table: dict[tuple[Any, ...], Node] = {}
        self.slots: dict[tuple[str, tuple[int, ...]], Node] = {}

    def make(self, *op: Any) -> Node:
        """The node of an operation; the same operation is the same node."""
        found = self._table.get(op)
        if found is None:
            found = Node(self, len(self.ops))
            self.ops.append(op)
            self.nodes.append(found)
            self._table[op] = found
        return found

    def slot(self, key: tuple[str, tuple[int, ...]]) -> Node:
        """The input for one entry of a parameter."""
        found = self.slots.get(key)
        if found is None:
            found = self.slots[key] = self.make("slot", key)
        return found

    def _lift(self, v: Any) -> Node:
        return v if isinstance(v, Node) else self.make("num", v)

    def add(self, a: Any, b: Any) -> Any:
        if not isinstance(b, Node):
            if not isinstance(b, (int, Fraction)):
                return NotImplemented
            if b == 0:
                return a
            b = self._lift(b)
        if a.id > b.id:
            a, b = b, a
        if self.ops[b.id] == ("mul", *sorted((a.id, self.make("num", -1).id))):
            return 0
        return self.make("add", a.id, b.id)

    def mul(self, a: Any, b: Any) -> Any:
        if not isinstance(b, Node):
            if not isinstance(b, (int, Fraction)):
                return NotImplemented
            if b == 0:
                return 0
            if b == 1:
                return a
            b = self._lift(b)
        return self.make("mul", min(a.id, b.id), max(a.id, b.id))

    def needed(self, outputs: Iterable[Node]) -> list[int]:
        """Ids that the outputs depend on, in order."""
        seen: set[int] = set()
        stack = [n.id for n in outputs]
        while stack:
            k = stack.pop()
            if k not in seen:
                seen.add(k)
                stack += self.operands(k)
        return sorted(seen)

    def operands(self, k: int) -> tuple[int, ...]:
        """Ids of the operands of a node."""
        op = self.ops[k]
        if op[0] in ("add", "mul"):
            return (op[1], op[2])
        if op[0] in ("slot", "num"):
            return ()
        return (op[-1],)

    def squares(self, k: int) -> set[int] | None:
        """Ids of what is squared in a sum of positive multiples of squares; None if the node is no such sum."""
        if self.ops[k][0] == "add":
            left, right = (self.squares(j) for j in self.operands(k))
            return None if left is None or right is None else left | right
        factors, number, stack = [], Fraction(1), [k]
        while stack:
            j = stack.pop()
            if self.ops[j][0] == "mul":
                stack += self.operands(j)
            elif self.ops[j][0] == "num":
                number *= self.ops[j][1]
            else:
                factors.append(j)
        return {factors[0]} if number > 0 and len(factors) == 2 and factors[0] == factors[1] else None

    def kinds(self, ids: Iterable[int]) -> set[str]:
        """Which operations occur."""
        return {self.ops[k][0] for k in ids}

    def run(
        self, ids: Sequence[int], slots: Mapping[tuple[str, tuple[int, ...]], Number], table: Table | None = None
    ) -> dict[int, Any]:
        """Values of the nodes ``ids`` (closed under operands, in order)."""
        out: dict[int, Any] = {}
        for k in ids:
            op = self.ops[k]
            kind = op[0]
            if kind == "mul":
                out[k] = out[op[1]] * out[op[2]]
            elif kind == "add":
                out[k] = out[op[1]] + out[op[2]]
            elif kind == "slot":
                out[k] = slots[op[1]]
            elif kind == "num":
                out[k] = op[1]
            else:
                out[k] = apply_op(op, out[op[-1]], table)
        return out

    def compiled(
        self, order: Sequence[tuple[Any, ...]], tests: Sequence[tuple[str, Node, int]]
    ) -> Callable[[Sequence[Number], Table | None], int]:
        """A fast function of the slot values (in ``order``).

        tests: (kind, node, code) in turn, kind "eq", "ne" or "le": the first test
        that fails (eq: the node is not 0; ne: it is 0) gives its code; -1 if
        all pass.  The source consists of generated names and numbers only.
        """
        lines = ["def program(s, table):"]
        place = {self.slots[key].id: f"s[{n}]" for n, key in enumerate(order)}
        constants: list[Any] = []
        names: dict[int, str] = {}
        for kind, node, code in tests:
            for k in self.needed([node]):
                if k in names:
                    continue
                op = self.ops[k]
                names[k] = f"v{k}"
                if op[0] == "slot":
                    value = place[k]
                elif op[0] == "num":
                    constants.append(op[1])
                    value = f"C[{len(constants) - 1}]"
                elif op[0] in ("add", "mul"):
                    value = f"v{op[1]} {'+' if op[0] == 'add' else '*'} v{op[2]}"
                elif op[0] == "relu":
                    value = f"v{op[1]} if v{op[1]} > 0 else 0"
                elif op[0] == "step":
                    value = f"1 if v{op[1]} > 0 else 0"
                else:
                    constants.append(op)
                    value = f"A(C[{len(constants) - 1}], v{op[-1]}, table)"
                lines.append(f"    v{k} = {value}")
            lines.append(f"    if v{node.id} {FAILS[kind]} 0: return {int(code)}")
        lines.append("    return -1")
        space: dict[str, Any] = {"C": constants, "A": apply_op}
        exec("\n".join(lines), space)
        program: Callable[[Sequence[Number], Table | None], int] = space["program"]
        return program


def apply_op(op: tuple[Any, ...], v: Any, table: Table | None) -> Any:
    """One operation that is not arithmetic."""
    kind = op[0]
    if kind == "relu":
        return v if v > 0 else 0
    if kind == "step":
        return 1 if v > 0 else 0
    if kind == "zero":
        return int(v == 0)
    if kind == "inv":
        return exact(Fraction(1) / v) if v != 0 else 0
    if kind == "table" and table is not None:
        return table(op[1], v)
    raise ValueError(f"unknown operation {kind!r}")
