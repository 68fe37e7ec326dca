"""Derived gradients against SymPy on unrolled energies, finite differences, and renaming."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from pcproof.language.diff import DiffError, collect, diff
from pcproof.language.evaluate import Evaluator, Model
from pcproof.language.index import ge, le, qvar, size, span
from pcproof.language.signature import PARAMETER, Symbol, Theory
from pcproof.language.sympy_out import entry, unroll
from pcproof.language.terms import App, Term, mul, subst, total
from pcproof.networks.backprop import lagrangian, weight_names
from pcproof.networks.chain import Chain
from pcproof.networks.mlp import MLP
from pcproof.networks.network import B, L, Network, width

l, b, i, j, m, k = (qvar(v) for v in "lbijmk")
RAGGED = [(1, (2, 3)), (2, (1, 3, 2)), (3, (2, 3, 4, 2)), (3, (1, 1, 2, 3))]


def sizes(depth: int, widths: tuple[int, ...], batch: int = 2) -> dict[str, Any]:
    return {"L": depth, "B": batch, "n": lambda layer: widths[layer], "m": lambda layer: 2}


def cases_value(net: Network, target: App, domain: Any, env: dict[str, int], where: dict[str, Any]) -> Any:
    """The derived gradient at one element, through the cases by layer, unrolled."""
    theory = net.energy_theory()
    d = diff(theory, net.energy(), target)
    ranges = (*net.assumptions,)
    for case in d.cases(domain, ranges):
        ev = Evaluator(theory, Model(where))
        if all(ev.holds(c, env) for c in case.guard):
            return unroll(case.value, theory, where, env)
    raise AssertionError("no case")


@pytest.mark.parametrize("depth,widths", RAGGED)
@pytest.mark.parametrize("net", [MLP(), MLP(bias=True), Chain()], ids=lambda n: n.name)
def test_energy_gradient_by_activities_is_sympys(net: Network, depth: int, widths: tuple[int, ...]) -> None:
    """Eq. 7: input, hidden and output layer, at every element of a small ragged network."""
    where = sizes(depth, widths)
    theory = net.energy_theory()
    F = unroll(net.energy(), theory, where)
    for layer in range(depth + 1):
        for unit in range(widths[layer]):
            want = sympy.diff(F, entry("x", layer, 1, unit))
            domain = (ge(l, 0), le(l, L), *span(b, 0, B), *span(i, 0, width(l)))
            got = cases_value(net, App("x", (l, b, i)), domain, {"l": layer, "b": 1, "i": unit}, where)
            assert sympy.expand(want - got) == 0


@pytest.mark.parametrize("depth,widths", RAGGED)
def test_energy_gradient_by_weights_is_sympys(depth: int, widths: tuple[int, ...]) -> None:
    """Eq. 9, weights and biases."""
    net = MLP(bias=True)
    where = sizes(depth, widths)
    F = unroll(net.energy(), net.energy_theory(), where)
    for layer in range(1, depth + 1):
        for to in range(widths[layer - 1]):
            domain = (ge(l, 1), le(l, L), *span(i, 0, width(l - 1)))
            got = cases_value(net, App("beta", (l, i)), domain, {"l": layer, "i": to}, where)
            assert sympy.expand(sympy.diff(F, entry("beta", layer, to)) - got) == 0
            for source in range(widths[layer]):
                env = {"l": layer, "i": to, "j": source}
                got = cases_value(net, App("theta", (l, i, j)), (*domain, *span(j, 0, width(l))), env, where)
                assert sympy.expand(sympy.diff(F, entry("theta", layer, to, source)) - got) == 0


@pytest.mark.parametrize("depth,widths", RAGGED)
def test_derived_delta_and_changes_are_minus_the_gradient_of_the_loss(depth: int, widths: tuple[int, ...]) -> None:
    """Eqs 3 and 4 against sympy.diff of the unrolled loss, y unfolded down to the input."""
    from pcproof.networks.gradients import backprop_theory

    net = MLP(bias=True)
    theory = backprop_theory(net)
    where = sizes(depth, widths)
    E = unroll(net.loss(), theory, where)
    for layer in range(1, depth + 1):
        for to in range(widths[layer - 1]):
            got = unroll(App("dc", (layer, to)), theory, where) / entry("alpha")
            assert sympy.expand(sympy.diff(E, entry("c", layer, to)) + got) == 0
            for source in range(widths[layer]):
                got = unroll(App("dw", (layer, to, source)), theory, where) / entry("alpha")
                assert sympy.expand(sympy.diff(E, entry("w", layer, to, source)) + got) == 0


@given(st.permutations(["l", "b", "i", "j", "m", "k", "t"]))
def test_renaming_the_indices_of_the_target_changes_nothing(names: list[str]) -> None:
    """SymPy's own derivative is silently wrong when the index is named like a binder; ours has no names to clash."""
    net = MLP(bias=True)
    theory = net.energy_theory()
    a = diff(theory, net.energy(), App("x", (qvar("l"), qvar("b"), qvar("i")))).as_term()
    new = tuple(qvar(n) for n in names[:3])
    c = diff(theory, net.energy(), App("x", new)).as_term()
    assert subst(a, dict(zip(("l", "b", "i"), new))) is c


def test_the_target_must_not_be_free_in_the_term() -> None:
    net = MLP()
    with pytest.raises(DiffError, match="already free"):
        diff(net.energy_theory(), mul(App("x", (l, b, i)), App("x", (l, b, i))), App("x", (l, b, i)))


def test_a_delta_inside_a_sum_picks_one_term_and_records_the_range() -> None:
    theory = Theory({"N": 0}, (), {"v": Symbol("v", PARAMETER, 1)})
    term = total(size("N"), lambda q: mul(App("v", (q + 3,)), App("v", (q + 3,))))
    d = diff(theory, term, App("v", (m,)))
    (part,) = d.parts
    assert repr(part.term) == "2*v[m]"
    assert set(map(repr, part.conditions)) == {"m - 3 >= 0", "N - m + 2 >= 0"}


def test_a_gradient_by_finite_differences() -> None:
    """On top of SymPy: central differences of the reference evaluator at tanh-like polynomials, exactly."""
    net = MLP()
    theory = net.energy_theory()
    values: dict[tuple[int, ...], Fraction] = {}

    def parameter(name: str) -> Any:
        weight = len(name)
        return lambda *idx: values.setdefault(
            (weight, *idx), Fraction((weight * 3 + sum((n + 2) * v * v for n, v in enumerate(idx, 1))) % 17 - 8, 7)
        )

    square = {"f": lambda layer, v: v * v, "df": lambda layer, v: 2 * v}
    where = sizes(3, (2, 3, 2, 2))
    model = Model(where, {"x": parameter("x"), "theta": parameter("theta")}, square)
    h = Fraction(1, 10**6)
    for layer in range(4):
        key = (1, layer, 0, 1)

        def energy(shift: Fraction, key: tuple[int, ...] = key) -> Fraction:
            base = parameter("x")(*key[1:])
            values[key] = base + shift
            out = Evaluator(theory, model).value(net.energy(), {})
            values[key] = base
            return out

        numeric = (energy(h) - energy(-h)) / (2 * h)
        d = diff(theory, net.energy(), App("x", (l, b, i)))
        cases = d.cases((ge(l, 0), le(l, L), *span(b, 0, B), *span(i, 0, width(l))), net.assumptions)
        env, ev = {"l": layer, "b": 0, "i": 1}, Evaluator(theory, model)
        (exact,) = [ev.value(c.value, env) for c in cases if all(ev.holds(g, env) for g in c.guard)]
        assert abs(numeric - exact) < Fraction(1, 10**6)


def test_linear_fixed_points_against_sympy_solve() -> None:
    """Learning equilibrium of 2-1-2-1 linear: the errors that SymPy solves for obey the derived recursion."""
    net = MLP()
    theory = net.energy_theory()
    depth, widths = 3, (1, 2, 1, 2)
    where = sizes(depth, widths, batch=1)
    linear = {"f": lambda layer, v: v, "df": lambda layer, v: sympy.Integer(1)}
    F = unroll(net.energy(), theory, where, functions=linear)
    free = [entry("x", layer, 0, u) for layer in range(1, depth) for u in range(widths[layer])]
    at = {
        s: sympy.Integer((n * 7) % 5 - 2)
        for n, s in enumerate(sorted(F.free_symbols - set(free), key=lambda s: s.name))
    }
    solution = sympy.solve([sympy.diff(F, v).subs(at) for v in free], free, dict=True)[0]
    d = diff(theory, net.energy(), App("x", (l, b, i)))
    cases = d.cases((ge(l, 0), le(l, L), *span(b, 0, B), *span(i, 0, width(l))))
    hidden = next(c for c in cases if len(getattr(c.value, "args", ())) == 2)
    for layer in range(1, depth):
        for unit in range(widths[layer]):
            env = {"l": layer, "b": 0, "i": unit}
            value = unroll(hidden.value, theory, where, env, functions=linear)
            assert sympy.simplify(value.subs(at).subs(solution)) == 0


def test_the_lagrangian_gives_delta_also_at_the_input_layer() -> None:
    net = MLP()
    theory, term = lagrangian(net, weight_names(net))
    d = diff(theory, term, App("y", (l, b, i)))
    cases = d.cases((ge(l, 0), le(l, L), *span(b, 0, B), *span(i, 0, width(l))), net.assumptions)
    assert len(cases) == 2 and any("s_out" in repr(c.value) for c in cases)


def test_collect_merges_like_terms_up_to_order() -> None:
    a, c = App("u"), App("v")
    t: Term = mul(a, c) / 2 + mul(c, a) / 2
    assert collect(t) is mul(a, c)
