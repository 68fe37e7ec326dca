"""What the NumPy and the PyTorch printers share: expressions of whole arrays.

``Printer.expression(t, layout)`` prints ``t`` as an array whose axes are those
of ``layout`` that ``t`` has, in that order.  Contractions of two matrices
become ``@``, sums of one operand ``.sum``, everything else ``einsum``.
Every sign of arithmetic in a generated file is printed here.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..language.index import Con, Idx, QVar, Size
from ..language.show import comparisons
from .tensors import (
    Apply,
    Array,
    Contract,
    Extent,
    KernelError,
    Number,
    Power,
    Product,
    Reciprocal,
    Tensor,
    Total,
    ZeroMask,
    product,
)

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4


@dataclass(frozen=True)
class Code:
    """Text of an expression with the strength of its outermost operator."""

    text: str
    level: int = ATOM

    def fit(self, level: int) -> str:
        return self.text if self.level >= level else f"({self.text})"


class Printer:
    """Base of the backends.

    taken: names that a symbol must not have in the file.
    helpers: names of runtime helpers that what was printed so far needs.
    """

    module = ""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = frozenset(taken)
        self.helpers: set[str] = set()

    # -- what a backend supplies --------------------------------------------------
    def einsum(self, spec: str, operands: Sequence[str]) -> str:
        return f"{self.module}.einsum({', '.join([repr(spec), *operands])})"

    def zeros_like(self, table: str) -> str:
        """Zeros for every entry of a table."""
        return f"{{layer: {self.module}.zeros_like(a) for layer, a in {table}.items()}}"

    def filled(self, value: str, shape: Sequence[str]) -> str:
        """``value`` broadcast to a shape, of the data's type and place."""
        raise NotImplementedError

    # -- names and indices --------------------------------------------------------
    def name(self, symbol: str) -> str:
        """A symbol as a Python name."""
        out = symbol
        while keyword.iskeyword(out) or out in self.taken:
            out += "_"
        if not out.isidentifier():
            raise KernelError(f"the symbol {symbol!r} is not a name in Python")
        return out

    def index(self, i: Idx) -> str:
        """An index term: ``l + 1``, ``L - 1``, ``n[l]``."""
        out = ""
        for atom, c in sorted(i.terms, key=lambda p: p[1] < 0):
            if isinstance(atom, QVar):
                text = atom.name
            elif isinstance(atom, Size):
                text = self.name_of_size(atom)
            else:
                raise KernelError("a bound index stands outside its sum")
            text = text if abs(c) == 1 else f"{abs(c)} * {text}"
            out += (" - " if out else "-") + text if c < 0 else (" + " if out else "") + text
        if i.const or not out:
            if not out:
                return str(i.const)
            out += f" - {-i.const}" if i.const < 0 else f" + {i.const}"
        return out

    def name_of_size(self, s: Size) -> str:
        if not s.args:
            return s.name
        if len(s.args) > 1:
            raise KernelError(f"no kernel for the size {s!r}")
        return f"{s.name}[{self.index(s.args[0])}]"

    def span(self, first: Idx, last: Idx, step: int) -> str:
        """All integers from ``first`` to ``last``, both included; downwards for step -1."""
        if step > 0:
            stop = self.index(last + 1)
            return f"range({stop})" if first == Idx(0) else f"range({self.index(first)}, {stop})"
        return f"range({self.index(last)}, {self.index(first - 1)}, -1)"

    def condition(self, guard: Iterable[Con]) -> str:
        """Constraints on addresses as a Python condition."""
        out = []
        for c in comparisons(guard):
            low = "" if c.low is None else f"{self.index(c.low)} <= "
            out.append(f"{low}{self.index(c.left)} {c.op} {self.index(c.right)}")
        return " and ".join(out)

    def reference(self, a: Array) -> str:
        """A stored array: ``y[l + 1]``."""
        return self.name(a.name) + (f"[{', '.join(map(self.index, a.address))}]" if a.address else "")

    # -- expressions ----------------------------------------------------------------
    def assigned(self, t: Tensor, layout: tuple[str, ...], extents: tuple[Idx | None, ...] = ()) -> str:
        """The right-hand side of an assignment: an array with all axes of ``layout``."""
        if t.axes >= frozenset(layout):
            return self.expression(t, layout).text
        if any(e is None for e in extents) or len(extents) != len(layout):
            raise KernelError("an equation has one value for many units, and their number is not known")
        return self.filled(self.aligned(t, layout).fit(SUM), [self.index(e) for e in extents if e is not None])

    def aligned(self, t: Tensor, layout: tuple[str, ...]) -> Code:
        """``t``, to be broadcast against an array with the axes ``layout``."""
        own = tuple(a for a in layout if a in t.axes)
        code = self.expression(t, own)
        if not own or layout[len(layout) - len(own) :] == own:
            return code
        first = layout.index(own[0])
        marks = [":" if a in t.axes else "None" for a in layout[first:]]
        return Code(f"{code.fit(ATOM)}[{', '.join(marks)}]")

    def expression(self, t: Tensor, layout: tuple[str, ...]) -> Code:
        """``t`` with exactly its own axes, in the order of ``layout``."""
        layout = tuple(a for a in layout if a in t.axes)
        if isinstance(t, Number):
            return self.number(t.value)
        if isinstance(t, Extent):
            return Code(self.index(t.size), ATOM if len(t.size.terms) == 1 and not t.size.const else SUM)
        if isinstance(t, Array):
            return self.stored(t, layout)
        if isinstance(t, Apply):
            where = f"[{', '.join(map(self.index, t.address))}]" if t.address else ""
            args = [self.expression(t.arg, layout).text]
            if t.value is not None:
                args.append(self.expression(t.value, layout).text)
            return Code(f"{self.name(t.function)}{where}({', '.join(args)})")
        if isinstance(t, Total):
            return self.total(t, layout)
        if isinstance(t, Product):
            return self.product(t, layout)
        if isinstance(t, Contract):
            return self.contraction(t, layout)
        if isinstance(t, Power):
            exponent = self.index(t.exponent)
            plain = t.positive and len(t.exponent.terms) <= 1 and not t.exponent.const
            exponent = exponent if plain else f"({exponent})" if t.positive else f"max({exponent}, 0)"
            return Code(f"{self.expression(t.base, layout).fit(ATOM)} ** {exponent}", POWER)
        if isinstance(t, Reciprocal):
            self.helpers.add("reciprocal")
            return Code(f"reciprocal({self.expression(t.arg, layout).text}, s_in)")
        if isinstance(t, ZeroMask):
            self.helpers.add("is_zero")
            return Code(f"is_zero({self.expression(t.arg, layout).text})")
        return Code(f"int({self.condition(t.cons) or 'True'})")

    def number(self, q: Fraction) -> Code:
        """Integers as they are; fractions by a helper, so that exact arrays stay exact."""
        if q.denominator == 1:
            return Code(str(q.numerator), ATOM if q >= 0 else SUM)
        self.helpers.add("ratio")
        return Code(f"ratio({q.numerator}, {q.denominator}, s_in)")

    def stored(self, a: Array, layout: tuple[str, ...]) -> Code:
        text = self.reference(a)
        if a.order == layout:
            return Code(text)
        if len(layout) == 2:
            return Code(text + ".T")
        raise KernelError(f"no layout of {a.name!r} with axes in another order")

    def total(self, t: Total, layout: tuple[str, ...]) -> Code:
        out = ""
        lead = next((s for s in t.terms if not _negative(s)), t.terms[0])
        for s in (lead, *(s for s in t.terms if s is not lead)):
            first = not out
            if _negative(s):
                code = self.aligned(product((Number(Fraction(-1)), s)), layout)
                out += ("-" if first else " - ") + code.fit(PRODUCT)
            else:
                out += ("" if first else " + ") + self.aligned(s, layout).fit(SUM if first else PRODUCT)
        return Code(out, SUM)

    def product(self, t: Product, layout: tuple[str, ...]) -> Code:
        number, factors = Fraction(1), list(t.factors)
        first = factors[0]
        if isinstance(first, Number):
            number, factors = first.value, factors[1:]
        texts = [self.aligned(f, layout).fit(POWER) for f in factors]
        if abs(number) != 1:
            texts.insert(0, self.number(abs(number)).text)
        text = " * ".join(texts)
        if number < 0:
            return Code("-" + text, SUM)
        return Code(text, PRODUCT if len(texts) > 1 else ATOM)

    # -- contractions ---------------------------------------------------------------
    def contraction(self, t: Contract, layout: tuple[str, ...]) -> Code:
        groups = grouped(t.factors)
        summed = frozenset(t.summed)
        if len(groups) == 1:
            g = groups[0]
            own = (*layout, *t.summed)
            if isinstance(g, Array):
                own = g.order  # sum where the axis stands, no transposition
                if tuple(a for a in own if a not in summed) != layout:
                    own = (*layout, *t.summed)
            places = [k for k, a in enumerate(own) if a in summed]
            where = "" if len(places) == len(own) else str(places[0] if len(places) == 1 else tuple(places))
            return Code(f"{self.expression(g, own).fit(ATOM)}.sum({where})")
        if len(groups) == 2 and len(summed) == 1:
            found = self.matmul(groups[0], groups[1], t.summed[0], layout)
            if found is not None:
                return found
        letters: dict[str, str] = {}
        for a in (*layout, *t.summed):
            letters[a] = (
                a
                if len(a) == 1 and a.isalpha()
                else next(c for c in "jkmpqruvcdeghzabilnostwxy" if c not in {*letters.values(), *layout})
            )
        orders = [tuple(g.order if isinstance(g, Array) else sorted(g.axes)) for g in groups]
        spec = ",".join("".join(letters[a] for a in o) for o in orders) + "->" + "".join(letters[a] for a in layout)
        return Code(self.einsum(spec, [self.expression(g, o).text for g, o in zip(groups, orders)]))

    def matmul(self, a: Tensor, b: Tensor, axis: str, layout: tuple[str, ...]) -> Code | None:
        """``a @ b`` if the other axes are apart and in order, for matrices and vectors."""
        rest_a, rest_b = a.axes - {axis}, b.axes - {axis}
        if axis not in a.axes or axis not in b.axes or rest_a & rest_b or len(rest_a) > 1 or len(rest_b) > 1:
            return None
        if (rest_b and layout[0] in rest_b) or (not rest_a and rest_b):
            a, b, rest_a, rest_b = b, a, rest_b, rest_a
        left = self.expression(a, (*rest_a, axis))
        right = self.expression(b, (axis, *rest_b))
        return Code(f"{left.fit(POWER)} @ {right.fit(POWER)}", PRODUCT)


def _negative(t: Tensor) -> bool:
    first = t.factors[0] if isinstance(t, Product) else t
    return isinstance(first, Number) and first.value < 0


def grouped(factors: Sequence[Tensor]) -> list[Tensor]:
    """Factors joined elementwise: same axes first, then those inside the axes of another."""
    groups: list[list[Tensor]] = []
    for f in factors:
        home = next((g for g in groups if g[0].axes == f.axes), None)
        if home is None:
            groups.append([f])
        else:
            home.append(f)
    joined = [product(g) for g in groups]
    while len(joined) > 2:
        pair = next(((a, b) for a in joined for b in joined if a is not b and a.axes < b.axes), None)
        if pair is None:
            break
        small, large = pair
        joined = [product((large, small)) if g is large else g for g in joined if g is not small]
    return joined
