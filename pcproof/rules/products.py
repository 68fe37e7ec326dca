"""Words for rules that are written out by hand: f and f', feedback through a matrix, outer products.

``F.diff(x[l])`` of the usual energy is ``eps[l] - slope(x[l]) * back(theta[l], eps[l - 1])``.  With these words f' can
be left out or taken elsewhere, and errors can go back through other matrices than the transposed weights.
"""

from __future__ import annotations

from ..language.index import Idx, qvar
from ..language.terms import App, Sum, close, mul, subst
from ..networks.network import B, Network, WeightKind, width
from .equations import RuleError
from .surface import Field, Symbols, parameter, short

_B, _I, _J = qvar("b"), qvar("i"), qvar("j")


def _matrix_kind(net: Network) -> WeightKind:
    """The kind of weight that is a matrix from layer l to layer l-1."""
    for k in net.kinds:
        if k.units == ("i", "j") and net.functions and net.functions[0].ranges == ((),):
            return k
    raise RuleError(f"this word is for fully connected layers such as MLP(); got a network of kind {net.name}")


def _state(v: object, word: str) -> Field:
    if not isinstance(v, Field) or v.kind != "state":
        raise RuleError(f"{word} takes a quantity of the units of a layer such as x[l], got {short(v)}")
    return v


def act(v: Field) -> Field:
    """f_l(v), unit by unit, with the activation of v's own layer."""
    v = _state(v, "act")
    _matrix_kind(v.net)
    return v._with(App(v.net.functions[0].name, (v.layer,), (v.term,)))


def slope(v: Field) -> Field:
    """f'_l(v), unit by unit, with the derivative of v's own layer."""
    v = _state(v, "slope")
    _matrix_kind(v.net)
    return v._with(App(v.net.functions[0].derivatives[0], (v.layer,), (v.term,)))


def matrix(net: Network, name: str) -> Symbols:
    """Fixed matrices R[l] of the shape of theta[l]: n(l-1) rows, n(l) columns."""
    kind = _matrix_kind(net)
    parameter(net, name)  # refuses a name that cannot be one
    return Symbols(net, name, kind.name)


def back(weights: Field, v: Field) -> Field:
    """sum over j of weights[j,i] v[j]: what reaches the units of layer l from layer l-1.

    weights: theta[l] or a fixed matrix R[l]; v: a quantity of layer l-1.  Source: the feedback in eq. 8 of Song et al.
    """
    v = _state(v, "back")
    layer = _of_matrix(weights, "back")
    if v.layer + 1 != layer:
        raise RuleError(f"back takes a matrix of layer l and a quantity of layer l - 1, got {layer!r} and {v.layer!r}")
    body = mul(subst(weights.term, {"i": _J, "j": _I}), subst(v.term, {"i": _J}))
    return Field(v.net, "state", layer, Sum(width(v.layer), close(body, "j")))


def outer(v: Field, u: Field) -> Field:
    """sum over samples of v[i] u[j]: a change of the weights that lead from u's layer l to v's layer l-1."""
    v, u = _state(v, "outer"), _state(u, "outer")
    kind = _matrix_kind(v.net)
    if v.layer + 1 != u.layer:
        raise RuleError(f"outer takes quantities of layers l - 1 and l, got {v.layer!r} and {u.layer!r}")
    body = mul(v.term, subst(u.term, {"i": _J}))
    return Field(v.net, kind.name, u.layer, Sum(B, close(body, "b")))


def _of_matrix(weights: object, word: str) -> Idx:
    if not isinstance(weights, Field) or weights.kind != _matrix_kind(weights.net).name:
        raise RuleError(f"{word} takes a matrix such as theta[l], got {short(weights)}")
    return weights.layer
