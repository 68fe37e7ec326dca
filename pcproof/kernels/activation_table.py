"""The named activations that a generated file carries.

Each f and f' of ``networks.activations`` (SymPy's value and derivative, or
their numerically stable form) is run once on a symbol that records what is
done to it; the record is printed for NumPy or PyTorch.  Operands of sums and
products are sorted, so the text does not depend on SymPy's order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..networks.activations import ACTIVATIONS, ALIASES, SymbolicActivation

NAMES = (
    "identity", "tanh", "sigmoid", "relu", "leaky_relu", "elu", "softplus", "gelu", "gelu_tanh", "silu", "square"
)  # fmt: skip


@dataclass(frozen=True)
class Node:
    """A recorded operation; numbers stand as they are among the arguments."""

    op: str
    args: tuple[Any, ...] = ()

    def __add__(self, o: Any) -> Node:
        return _flat("+", (self, o))

    __radd__ = __add__

    def __mul__(self, o: Any) -> Node:
        return _flat("*", (self, o))

    __rmul__ = __mul__

    def __neg__(self) -> Node:
        return _flat("*", (-1, self))

    def __sub__(self, o: Any) -> Node:
        return _flat("+", (self, -o))

    def __rsub__(self, o: Any) -> Node:
        return _flat("+", (-self, o))

    def __truediv__(self, o: Any) -> Node:
        return Node("/", (self, o))

    def __rtruediv__(self, o: Any) -> Node:
        return Node("/", (o, self))

    def __pow__(self, k: int) -> Node:
        return Node("**", (self, k)) if k > 1 else self

    def __le__(self, o: Any) -> Node:
        return Node("<=", (self, o))

    def __ge__(self, o: Any) -> Node:
        return Node(">=", (self, o))


def _flat(op: str, args: Iterable[Any]) -> Node:
    """A sum or product, flattened and sorted, its numbers collected."""
    number: Any = Fraction(0 if op == "+" else 1)
    out: list[Any] = []
    for a in args:
        for b in a.args if isinstance(a, Node) and a.op == op else (a,):
            if isinstance(b, Node):
                out.append(b)
            else:
                b = Fraction(b) if isinstance(b, float) and b.is_integer() else b
                number = number + b if op == "+" else number * b
    out.sort(key=repr)
    if number != (0 if op == "+" else 1):
        out.insert(0, number)
    return out[0] if len(out) == 1 and isinstance(out[0], Node) else Node(op, tuple(out))


class _Record:
    """The operations of ``networks.activations``, recorded."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args: Node(name, args)

    @staticmethod
    def constant(x: Any, value: Any) -> Any:
        return value

    @staticmethod
    def where(condition: Any, a: Any, b: Any) -> Any:
        return Node("where", (condition, a, b))


V, F = Node("v"), Node("fv")


def recorded(name: str) -> tuple[Any, Any]:
    """f and f' of a named activation; f' may use f's value ``fv``."""
    a = ACTIVATIONS[name]
    if not isinstance(a, SymbolicActivation):
        raise ValueError(f"the activation {name!r} has no expression")
    code = a._exact_code if a.exact else a._float_code
    first, second = code
    assert first is not None and second is not None
    f, df = first(V, _Record()), second(V, _Record())
    return f, (replaced(df, f, F) if isinstance(f, Node) and f is not V else df)


def replaced(e: Any, old: Node, new: Node) -> Any:
    """``e`` with one subexpression replaced."""
    if e == old:
        return new
    return Node(e.op, tuple(replaced(a, old, new) for a in e.args)) if isinstance(e, Node) else e


class Writer:
    """Prints recorded expressions; a subclass names the functions of a backend."""

    functions: dict[str, str] = {}

    def lines(self, e: Any) -> list[str]:
        """A function body on ``v`` (and ``fv``): shared parts first, then ``return``."""
        if not isinstance(e, Node):
            return [f"return {self.constant(e)}"]
        counts: dict[Node, int] = {}

        def visit(n: Any) -> None:
            if isinstance(n, Node) and n.args:
                counts[n] = counts.get(n, 0) + 1
                if counts[n] == 1:
                    for a in n.args:
                        visit(a)

        visit(e)
        shared: dict[Node, str] = {}
        out = []
        for n in sorted((n for n, k in counts.items() if k > 1), key=lambda n: (len(repr(n)), repr(n))):
            text = self.text(n, shared)
            shared[n] = f"u{len(shared) + 1}"
            out.append(f"{shared[n]} = {text}")
        return [*out, f"return {self.text(e, shared)}"]

    def text(self, e: Any, shared: dict[Node, str], level: int = 0) -> str:
        if not isinstance(e, Node):
            return self.number(e, level)
        if e in shared:
            return shared[e]
        if not e.args:
            return e.op
        if e.op == "+":
            out, own = self._sum(e, shared), 1
        elif e.op == "*":
            out, own = self._product(e, shared)
        elif e.op == "/":
            out, own = f"{self.text(e.args[0], shared, 2)} / {self.text(e.args[1], shared, 3)}", 2
        elif e.op == "**":
            base = self.text(e.args[0], shared, 4)
            plain = e.args[1] == 2 and base.isidentifier()
            out, own = (f"{base} * {base}", 2) if plain else (f"{base} ** {e.args[1]}", 3)
        elif e.op in ("<=", ">="):
            out, own = f"{self.text(e.args[0], shared, 1)} {e.op} {self.text(e.args[1], shared, 1)}", 0
        elif e.op == "where":
            out, own = self.where(e, shared), 4
        else:
            out, own = self.call(e.op, self.text(e.args[0], shared)), 4
        return out if own >= level else f"({out})"

    def number(self, q: Any, level: int = 0) -> str:
        if isinstance(q, float):
            return repr(q) if q >= 0 or level < 2 else f"({q!r})"
        q = Fraction(q)
        text = str(q.numerator) if q.denominator == 1 else f"ratio({q.numerator}, {q.denominator}, v)"
        return text if q >= 0 or q.denominator != 1 or level < 2 else f"({text})"

    def _sum(self, e: Node, shared: dict[Node, str]) -> str:
        out = ""
        for a in sorted(e.args, key=_is_negative):
            if _is_negative(a):
                text = self.text(_flat("*", (-1, a)), shared, 2) if isinstance(a, Node) else self.number(-a, 2)
                out += (" - " if out else "-") + text
            else:
                out += (" + " if out else "") + self.text(a, shared, 1)
        return out

    def _product(self, e: Node, shared: dict[Node, str]) -> tuple[str, int]:
        args = list(e.args)
        sign = ""
        texts = []
        if not isinstance(args[0], Node):
            number = args.pop(0)
            sign = "-" if number < 0 else ""
            texts += [self.number(abs(number))] if abs(number) != 1 else []
        texts += [self.text(a, shared, 3) for a in args]
        return sign + " * ".join(texts), 1 if sign else 2 if len(texts) > 1 else 4

    # -- what a backend supplies ------------------------------------------------------
    def call(self, op: str, arg: str) -> str:
        return f"{self.functions[op]}({arg})"

    def where(self, e: Node, shared: dict[Node, str]) -> str:
        condition, a, b = e.args
        if e == Node("where", (V <= 0, 0, V)):
            return self.call("positive_part", V.op)
        first = self.text(a, shared) if isinstance(a, Node) or Fraction(a).denominator == 1 else self.constant(a)
        second = self.text(b, shared) if isinstance(b, Node) else self.constant(b)
        return f"{self.functions['where']}({self.text(condition, shared)}, {first}, {second})"

    def constant(self, q: Any) -> str:
        """An array like ``v`` full of one number."""
        q = Fraction(q)
        return f"constant(v, {q.numerator}, {q.denominator})"


def _is_negative(a: Any) -> bool:
    first = a.args[0] if isinstance(a, Node) and a.op == "*" else a
    return not isinstance(first, Node) and first < 0


class NumPyWriter(Writer):
    functions = {
        "exp": "np.exp", "expm1": "np.expm1", "log1p": "np.log1p", "tanh": "np.tanh", "abs": "np.abs",
        "where": "np.where", "erfc": "erfc",
    }  # fmt: skip

    def call(self, op: str, arg: str) -> str:
        if op in ("positive_part", "negative_part"):
            return f"np.{'maximum' if op == 'positive_part' else 'minimum'}({arg}, 0)"
        return super().call(op, arg)


class TorchWriter(Writer):
    functions = {
        "exp": "torch.exp", "expm1": "torch.expm1", "log1p": "torch.log1p", "tanh": "torch.tanh",
        "abs": "torch.abs", "where": "torch.where", "erfc": "torch.erfc",
    }  # fmt: skip

    def call(self, op: str, arg: str) -> str:
        if op in ("positive_part", "negative_part"):
            return f"torch.clamp({arg}, {'min' if op == 'positive_part' else 'max'}=0)"
        return super().call(op, arg)


@dataclass(frozen=True)
class Entry:
    """A named activation as source: bodies of f(v) and of f'(v, fv); ``exact``: no rounding on exact numbers."""

    name: str
    aliases: tuple[str, ...]
    exact: bool
    value: tuple[str, ...]
    derivative: tuple[str, ...]


def table(writer: Writer) -> list[Entry]:
    """All named activations for one backend."""
    out = []
    for name in NAMES:
        f, df = recorded(name)
        aliases = tuple(sorted(a for a, n in ALIASES.items() if n == name))
        out.append(Entry(name, aliases, ACTIVATIONS[name].exact, tuple(writer.lines(f)), tuple(writer.lines(df))))
    return out
