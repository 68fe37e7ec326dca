"""A network as the theory sees it: what layer l predicts from layer l+1.

Layers are numbered from the OUTPUT (0) to the INPUT (L), as in Song et al.
(2020).  A network brings its sizes, its kinds of weights and one equation,
``prediction``; energy, errors, dynamics and backprop are derived from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..language.index import Con, Idx, ge, le, qvar, size
from ..language.signature import DEFINED, PARAMETER, Case, Definition, Symbol, Theory
from ..language.terms import App, Term, add, mul, neg, total

State = Callable[[Idx, Idx, Idx], Term]  # (layer, sample, unit) -> activity
Weights = Callable[[str, tuple[Idx, ...]], Term]  # (kind, indices) -> weight

L, B = size("L"), size("B")


def width(layer: Idx) -> Idx:
    """n(l): number of units of a layer."""
    return size("n", layer)


@dataclass(frozen=True)
class WeightKind:
    """A kind of weight: ``theta[l,i,j]`` leads from layer l to layer l-1, 1 <= l <= L.

    name: in the PC network; initial: the same in the ANN, at the start.
    bounds: upper bounds of the unit indices, given the layer.
    """

    name: str
    initial: str
    bounds: Callable[[Idx], tuple[Idx, ...]]
    units: tuple[str, ...]
    shape: str
    meaning: str

    @property
    def change(self) -> str:
        return "d" + self.name

    @property
    def initial_change(self) -> str:
        return "d" + self.initial


class Network:
    """Base: subclasses give ``kinds``, ``functions`` and ``prediction``."""

    name = "network"
    sizes = {"L": 0, "B": 0, "n": 1}
    assumptions: tuple[Con, ...] = (ge(L, 1),)

    @property
    def kinds(self) -> tuple[WeightKind, ...]:
        raise NotImplementedError

    @property
    def functions(self) -> tuple[Symbol, ...]:
        """Activations and layer operators, each with its derivative symbols."""
        raise NotImplementedError

    def prediction(self, x: State, theta: Weights, layer: Idx, sample: Idx, unit: Idx) -> Term:
        """mu of one unit of ``layer``, from the activities of layer + 1.  Source: eq. 5."""
        raise NotImplementedError

    # -- pieces of theories -----------------------------------------------------
    def weight_symbols(self, kind: str = PARAMETER) -> tuple[Symbol, ...]:
        return tuple(Symbol(k.name, kind, 1 + len(k.units), shape=k.shape, meaning=k.meaning) for k in self.kinds)

    def energy_theory(self) -> Theory:
        """Static: activities x and weights theta are free; mu and eps are defined (eqs 5, 6)."""
        l, b, i = qvar("l"), qvar("b"), qvar("i")
        mu = self.prediction(lambda *a: App("x", a), lambda k, a: App(k, a), l, b, i)
        guard = (ge(l, 0), le(l + 1, L))
        symbols = (
            Symbol("x", PARAMETER, 3, shape="layer, batch, unit", meaning="activity of the value nodes"),
            *self.weight_symbols(),
            *self.functions,
            Symbol("mu", DEFINED, 3, shape="layer, batch, unit", meaning="predicted activity"),
            Symbol("eps", DEFINED, 3, shape="layer, batch, unit", meaning="prediction error"),
        )
        definitions = (
            (Definition("mu", ("l", "b", "i"), (Case(guard, mu),)),),
            (Definition("eps", ("l", "b", "i"), (Case(guard, App("x", (l, b, i)) - App("mu", (l, b, i))),)),),
        )
        return Theory(self.sizes, self.assumptions, {s.name: s for s in symbols}, definitions)

    def energy(self) -> Term:
        """F = sum over layers l < L, samples and units of eps^2 / 2.  Source: eq. 6."""

        def term(l: Idx, b: Idx, i: Idx) -> Term:
            eps = App("eps", (l, b, i))
            return mul(eps, eps) / 2

        return total(L, lambda l: total(B, lambda b: total(width(l), lambda i: term(l, b, i))))

    def loss(self, output: str = "y") -> Term:
        """E = sum over samples and output units of (s_out - y^0)^2 / 2.  Source: eq. 2."""

        def term(b: Idx, i: Idx) -> Term:
            e = add(App("s_out", (b, i)), neg(App(output, (0, b, i))))
            return mul(e, e) / 2

        return total(B, lambda b: total(width(Idx(0)), lambda i: term(b, i)))

    # -- public words -------------------------------------------------------------
    def symbols(self, names: str) -> Any:
        """``x, mu, theta, l, t, L, gamma, alpha = net.symbols("x mu theta l t L gamma alpha")``"""
        from ..rules.surface import symbols

        out = symbols(self, names)
        return out[0] if len(out) == 1 else out

    def parameter(self, name: str, *, per: str = "") -> Any:
        """A new real parameter; one for each layer, time, unit or pair of units of a layer if ``per`` says so."""
        from ..rules.surface import parameter

        return parameter(self, name, per)

    def energy_from(self, expr: Any, units: str = "one-based") -> Any:
        """An energy of one sample, given as an ordinary SymPy expression, summed over the batch.

        expr: built with ``sympy.Sum``, ``Indexed`` (x[l, i], theta[l, i, j]),
        functions and symbols; SymPy's bounds include both ends.
        units: "one-based" (i = 1..n(l), as in the papers) or "zero-based".
        Returns a ``Scalar`` with ``.diff``.  Raises SympyError, naming what is
        not understood.
        """
        from ..language.fold import fold
        from ..language.sympy_in import from_sympy, paper_vocabulary
        from ..language.terms import Sum, close
        from ..rules.surface import Scalar

        term = from_sympy(expr, paper_vocabulary(batch=qvar("b"), units=units))
        for d in ("mu", "eps"):
            definition = self.energy_theory().definition(d)
            assert definition is not None
            term = fold(term, d, definition.params, definition.cases[0].value)
        return Scalar(self, Sum(B, close(term, "b")))
