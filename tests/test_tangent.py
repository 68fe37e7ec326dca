"""Formal tangents: what a derivative is not known of is refused, not taken for 0."""

from __future__ import annotations

import pytest

from pcproof.language.diff import DiffError
from pcproof.language.index import Idx, qvar
from pcproof.language.signature import DEFINED, FUNCTION, PARAMETER, Case, Definition, Symbol, Theory
from pcproof.language.tangent import tangent, tangent_definition
from pcproof.language.terms import ZERO, Add, App, Inv, IsZero, Mul, Num, Pow, Term
from pcproof.networks.gradients import backprop_theory, with_loss_gradient
from pcproof.networks.mlp import MLP

x, c = App("x"), App("c")


def theory() -> Theory:
    """x varies, and with it y and, through y, z; c and d do not."""
    names = {"y": Mul(x, x), "z": Add(App("y"), c), "d": Mul(c, c)}
    symbols = [Symbol(n, PARAMETER) for n in ("x", "Dx", "c")] + [Symbol(n, DEFINED) for n in names]
    symbols += [Symbol("f", FUNCTION, ranges=((),))]
    groups = tuple((Definition(n, (), (Case((), value),)),) for n, value in names.items())
    return Theory({}, (), {s.name: s for s in symbols}, groups)


@pytest.mark.parametrize("name", ["y", "z"])
def test_a_defined_symbol_that_varies_needs_a_derivative(name: str) -> None:
    with pytest.raises(DiffError, match=f"'{name}' varies with 'x', and no derivative of it is given"):
        tangent(theory(), Mul(c, App(name)), {"x": "Dx"})


def test_a_definition_needs_the_derivatives_of_those_that_it_uses() -> None:
    z = theory().definition("z")
    assert z is not None
    with pytest.raises(DiffError, match="'y' varies with 'x'"):
        tangent_definition(theory(), z, "Dz", {"x": "Dx"})
    (case,) = tangent_definition(theory(), z, "Dz", {"x": "Dx", "y": "Dy"}).cases
    assert case.value is App("Dy")


def test_what_does_not_depend_on_anything_that_varies_has_the_derivative_0() -> None:
    for t in (c, App("d"), Num(3), Pow(c, qvar("k")), IsZero(App("d")), Inv(c)):
        assert tangent(theory(), t, {"x": "Dx"}) is ZERO


@pytest.mark.parametrize("t", [Pow(x, qvar("k")), Pow(App("y"), Idx(2)), IsZero(x)])
def test_a_power_or_a_comparison_of_what_varies_is_refused(t: Term) -> None:
    with pytest.raises(DiffError, match="no rule to differentiate"):
        tangent(theory(), t, {"x": "Dx", "y": "Dy"})


def test_a_function_without_a_derivative_is_refused() -> None:
    with pytest.raises(DiffError, match="'f' has no derivative"):
        tangent(theory(), App("f", (), (x,)), {"x": "Dx"})


def test_a_symbol_that_stands_on_the_forward_pass_is_refused() -> None:
    """The error of an output, written down beside y: its tangent is not 0."""
    base = backprop_theory(MLP())
    b, i = qvar("b"), qvar("i")
    error = Definition("error", ("b", "i"), (Case((), App("s_out", (b, i)) - App("y", (0, b, i))),))
    theory = base.extend((Symbol("error", DEFINED, 2),), ((error,),))
    square = Mul(App("error", (b, i)), App("error", (b, i)))
    with pytest.raises(DiffError, match="'error' varies with 'w'"):
        tangent(theory, square, {"w": "Dw", "y": "Dy"})
    assert tangent(theory, square, {"w": "Dw", "y": "Dy", "error": "Derror"}) is not ZERO
    assert with_loss_gradient(MLP(), base).definition("Dy") is not None
