"""Linear networks in closed form: proved for every depth and width, compared with exact numbers, and attacked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from core import slow_outside

from pcproof import api
from pcproof.api import proved_by_kernel
from pcproof.attack import STATIC_OTHERS, _with_definition, attack, reached
from pcproof.catalogue import entries
from pcproof.language.evaluate import Evaluator, Model
from pcproof.language.index import ge, qvar
from pcproof.language.signature import Claim, Eq, Le, Statement, Tangent
from pcproof.language.terms import ZERO, Add, App, add, mul
from pcproof.networks.network import B, L
from pcproof.refute.confirm import Judge
from pcproof.refute.models import check_instance
from pcproof.refute.mutate import claim_mutants
from pcproof.refute.search import Limits, refute
from pcproof.refute.table import REFUTED, STILL_TRUE, claim_table
from pcproof.result import Refuted, scope
from pcproof.rules import (
    linear,
    linear_inverse,
    linear_landscape,
    linear_learning,
    linear_limits,
    linear_neighbours,
    linear_origin,
    linear_saddles,
)
from pcproof.rules.linear import Linear
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim

l, b, i = qvar("l"), qvar("b"), qvar("i")
PROVED = [e.id for e in entries().values() if e.id.startswith("linear_") and e.expected == "proved"]
MAKERS: dict[str, Callable[[Linear], Claim]] = {
    "linear_equilibrium": linear.stationary,
    "linear_solution": linear.one_solution,
    "linear_state": linear.equilibrium_state,
    "linear_inverse": linear_inverse.inverse_exists,
    "linear_closed_form": linear_inverse.closed,
    "linear_exists": linear_inverse.equilibrium_exists,
}


@pytest.mark.parametrize("id", PROVED)
def test_it_is_proved_with_an_exact_instance(id: str) -> None:
    result = api.prove(entries()[id].claim())
    assert result.verdict == "proved"
    assert check_instance(result.claim, result.instance).ok  # type: ignore[attr-defined]


@pytest.mark.parametrize("id", MAKERS)
def test_it_holds_with_a_variance_of_each_layer(id: str) -> None:
    claim = MAKERS[id](Linear(variances=True))
    assert len(prove_claim(claim).goals) == len(claim.goals)


@pytest.mark.parametrize("id", PROVED)
def test_no_hypothesis_can_be_left_out(id: str) -> None:
    claim = entries()[id].claim()
    for name in claim.theory.hypotheses:
        rest = {n: s for n, s in claim.theory.hypotheses.items() if n != name}
        changed = replace(claim, theory=replace(claim.theory, hypotheses=rest), script=None)
        assert refute(changed, Limits(seconds=30)).counterexample is not None, f"{id} without {name}"


def scalar_chain(X: Fraction) -> Evaluator:
    """TV2: three layers of one unit with weights 2, 3, 5 from the output on, input 7, target 1."""
    theory = linear.equilibrium_state().theory
    built = theory.definition("z")
    assert built is not None
    put = Statement(("l", "b", "i"), (), Eq(App("x", (l, b, i)), App("z", (l, b, i))))
    assert theory.hypotheses["state"].relation == put.relation
    parameters = {
        "theta": lambda layer, i, j: Fraction({1: 2, 2: 3, 3: 5}[layer]),
        "s_in": lambda b, i: Fraction(7),
        "s_out": lambda b, i: Fraction(1),
        "X": lambda b, i: X,
    }
    sizes = {"L": 3, "B": 1, "n": lambda layer: 1}
    run = Evaluator(theory, Model(sizes=sizes, parameters=parameters))  # type: ignore[arg-type]
    state = {k: run.value(App("z", (l, b, i)), {"l": k, "b": 0, "i": 0}) for k in range(4)}
    parameters["x"] = lambda layer, b, i: state[layer]
    return Evaluator(theory, Model(sizes=sizes, parameters=parameters))  # type: ignore[arg-type]


def test_the_scalar_chain_has_the_known_equilibrium() -> None:
    """S = 1 + 2^2 + 6^2 = 41 and r = 1 - 210."""
    run = scalar_chain(Fraction(-209, 41))

    def at(name: str, layer: int) -> Fraction:
        return Fraction(run.value(App(name, (l, b, i)), {"l": layer, "b": 0, "i": 0}))

    assert [at("eps", k) for k in range(3)] == [Fraction(-209, 41), Fraction(-418, 41), Fraction(-1254, 41)]
    assert (at("x", 2), at("x", 1)) == (Fraction(181, 41), Fraction(125, 41))
    assert run.value(Linear().energy(), {}) == Fraction(209**2, 82)
    assert at("gx", 1) == at("gx", 2) == 0
    assert 1 + Fraction(run.value(App("C", (i, i)), {"i": 0})) == 41


def test_a_vector_that_does_not_solve_the_system_gives_no_equilibrium() -> None:
    run = scalar_chain(Fraction(-5))
    assert run.value(App("gx", (l, b, i)), {"l": 1, "b": 0, "i": 0}) != 0


@pytest.mark.parametrize("factor", [2, -1, Fraction(1, 2)])
def test_the_energy_is_half_the_product_and_nothing_else(factor: Fraction) -> None:
    claim = linear.stationary()
    energy = claim.goals[2].relation
    assert isinstance(energy, Eq)
    wrong = Statement((), (), Eq(energy.lhs, mul(factor, energy.rhs)))
    changed = replace(claim, goals=(*claim.goals[:2], wrong))
    with pytest.raises(Stuck):
        prove_claim(changed)
    assert isinstance(api.refute(replace(changed, goals=(wrong,), script=None)), Refuted)


# -- the inverse of S ----------------------------------------------------------------
EMPTY_LAYER = "n(l-1) <= 0"  # no model that the search draws has a layer of no units


def chain_of(widths: tuple[int, ...], claim: Claim) -> Evaluator:
    """P^l is l + 1 times its output unit's number, counted from 1."""
    sizes = {"L": len(widths) - 1, "B": 1, "n": lambda layer: widths[layer]}
    parameters = {"P": lambda layer, i, j: Fraction((layer + 1) * (i + 1))}
    return Evaluator(claim.theory, Model(sizes=sizes, parameters=parameters))


@pytest.mark.parametrize("widths", [(1, 1, 1, 1), (2, 3, 1), (2, 0, 1), (1, 2, 0, 1), (2, 1)])
def test_s_times_its_inverse_is_1(widths: tuple[int, ...]) -> None:
    claim = linear_inverse.inverse_exists()
    run, goal = chain_of(widths, claim), claim.goals[0].relation
    assert isinstance(goal, Eq)
    for row in range(widths[0]):
        for column in range(widths[0]):
            where = {"i": row, "j": column}
            assert run.value(goal.lhs, where) == run.value(goal.rhs, where) == (row == column)
    if widths == (1, 1, 1, 1):
        assert run.value(linear_inverse.entry(i, i), {"i": 0}) == Fraction(1, 1 + 2**2 + 3**2)


def test_each_term_of_the_inverse_counts() -> None:
    """Where a layer is empty the search has no model: there one is given."""
    claim = linear_inverse.inverse_exists()
    mutants = claim_mutants(claim, definitions=("H", "u", "w", "d", "C"))
    rows = claim_table([m for m in mutants if EMPTY_LAYER not in m.name], proved_by_kernel)
    assert {r.verdict for r in rows} == {REFUTED}
    empty = [m.claim for m in mutants if EMPTY_LAYER in m.name]
    assert empty
    for mutant in empty:
        run, goal = chain_of((2, 2, 0, 1), mutant), mutant.goals[0].relation
        assert isinstance(goal, Eq)
        assert run.value(goal.lhs, {"i": 0, "j": 0}) != 1


@pytest.mark.slow
@pytest.mark.parametrize("id", ["linear_closed_form", "linear_exists"])
def test_each_other_term_counts(id: str) -> None:
    """Those of S^-1 itself are in the test above."""
    claim = entries()[id].claim()
    rest = [name for name in reached(claim) if name not in ("H", "u", "w", "d")]
    others = {n: _with_definition(n) for n in STATIC_OTHERS}
    for row in claim_table(claim_mutants(claim, definitions=rest), proved_by_kernel, others=others):
        assert row.verdict == REFUTED or (row.verdict == STILL_TRUE and row.breaks is not None), row.name


@pytest.mark.parametrize("v, hypothesis", [((1, -1), "v_not_negative"), ((0, 1), "v_nonzero"), ((1, 1), "")])
def test_the_inverse_needs_variances_above_0(v: tuple[int, int], hypothesis: str) -> None:
    """Otherwise S may be 0: one unit in each of three layers, P^1 = v^0."""
    claim = linear_inverse.inverse_exists(Linear(variances=True))
    assert set(claim.theory.hypotheses) == {"v_not_negative", "v_nonzero"}
    parameters = {"P": lambda layer, i, j: v[0], "v": lambda layer: v[layer]}
    sizes = {"L": 2, "B": 1, "n": lambda layer: 1}
    run = Evaluator(claim.theory, Model(sizes=sizes, parameters=parameters))  # type: ignore[arg-type]
    goal = claim.goals[0].relation
    assert isinstance(goal, Eq)
    assert (run.value(goal.lhs, {"i": 0, "j": 0}) == 1) == (not hypothesis)


# -- target alignment ---------------------------------------------------------------
@pytest.mark.parametrize("id", ["linear_alignment_plain", "linear_alignment_backprop"])
def test_other_steps_are_not_aligned(id: str) -> None:
    """Two output units and one hidden unit are enough, and needed."""
    result = api.prove(entries()[id].claim())
    assert isinstance(result, Refuted)
    found = result.counterexample
    assert [found.instance.shape.size("n", (k,)) for k in range(3)] == [2, 1, 1]
    judge = Judge(result.claim.theory, found.instance)
    assert judge.failing_hypothesis() is None
    assert not judge.compare(result.claim.goals[found.goal].relation, found.indices).holds


def test_the_normalised_step_needs_no_equilibrium() -> None:
    claim = linear_learning.normalised_step()
    assert set(claim.theory.hypotheses) == {"input_clamped", "output_clamped", "step", "rates", "input_rate"}
    assert claim.theory.definition("gx") is None


@pytest.mark.parametrize("factor", [2, -1, 0])
def test_the_output_moves_by_alpha_r_and_by_nothing_else(factor: int) -> None:
    claim = linear_learning.normalised_step()
    wrong = linear_learning.moved(mul(factor, App("alpha")))
    with pytest.raises(Stuck):
        prove_claim(replace(claim, goals=(wrong,)))
    assert isinstance(api.refute(replace(claim, goals=(wrong,), script=None)), Refuted)


def test_of_two_pairs_the_normalised_step_is_not_aligned() -> None:
    claim = linear_learning.normalised_step()
    pairs = replace(claim.theory, assumptions=(ge(L, 1), ge(B, 1)))
    assert isinstance(api.refute(replace(claim, theory=pairs, script=None)), Refuted)


def test_a_size_that_is_fixed_is_not_called_arbitrary() -> None:
    assert scope(linear_learning.one_layer()) == {"depth": "1", "batch": "1", "width": "arbitrary"}
    assert scope(linear.stationary())["batch"] == "arbitrary"


# -- the energy as a function of the state --------------------------------------------
def test_a_state_with_other_ends_may_be_lower() -> None:
    claim = linear_landscape.minimum()
    for name in ("same_input", "same_output"):
        rest = {n: s for n, s in claim.theory.hypotheses.items() if n != name}
        below = replace(claim, goals=claim.goals[1:], theory=replace(claim.theory, hypotheses=rest), script=None)
        assert isinstance(api.refute(below), Refuted)


@pytest.mark.parametrize("factor", [Fraction(1, 2), 2, -1])
def test_the_second_variation_is_that_sum_of_squares(factor: Fraction) -> None:
    claim = linear_landscape.hessian()
    second = claim.goals[1].relation
    assert isinstance(second, Tangent)
    wrong = Statement((), (), Tangent("x", second.term, mul(factor, second.tangent)))
    with pytest.raises(Stuck):
        prove_claim(replace(claim, goals=(claim.goals[0], wrong, claim.goals[2])))
    assert isinstance(api.refute(replace(claim, goals=(wrong,), script=None)), Refuted)


# -- large output variance -----------------------------------------------------------
@pytest.mark.parametrize("goal", [2, 3])
def test_the_error_bound_cannot_be_a_quarter(goal: int) -> None:
    claim = linear_limits.errors()
    bound = claim.goals[goal].relation
    assert isinstance(bound, Le)
    wrong = replace(claim.goals[goal], relation=Le(mul(4, bound.lhs), bound.rhs))
    changed = replace(claim, goals=(wrong,), script=None)
    assert refute(changed, Limits(seconds=30)).counterexample is not None


def test_the_changes_are_not_those_of_backprop() -> None:
    claim = linear_limits.changes()
    first = claim.goals[2].relation
    assert isinstance(first, Eq)
    wrong = replace(claim.goals[2], relation=Eq(first.lhs, ZERO))
    assert refute(replace(claim, goals=(wrong,), script=None), Limits(seconds=30)).counterexample is not None


# -- the origin --------------------------------------------------------------------------
def test_the_origin_is_critical_with_two_layers_of_weights_only() -> None:
    claim = linear_origin.critical()
    shallow = replace(claim.theory, assumptions=(ge(L, 1),))
    assert isinstance(api.refute(replace(claim, theory=shallow, script=None)), Refuted)


@pytest.mark.parametrize("drop", [0, 1, 2])
def test_each_term_of_the_expansion_at_the_origin_counts(drop: int) -> None:
    claim = linear_origin.falling()
    exact = claim.goals[0].relation
    assert isinstance(exact, Eq) and isinstance(exact.lhs, Add)
    left = add(*(a for n, a in enumerate(exact.lhs.args) if n != drop))
    wrong = replace(claim, goals=(Statement((), (), Eq(left, exact.rhs)),), script=None)
    assert refute(wrong, Limits(seconds=30)).counterexample is not None


def test_the_energy_does_not_fall_faster() -> None:
    """Without the fourth power of s the bound is false: the fall stops."""
    claim = linear_origin.falling()
    below = claim.goals[1].relation
    assert isinstance(below, Le) and isinstance(below.rhs, Add)
    wrong = Statement((), (), Le(below.lhs, add(*below.rhs.args[:2])))
    assert refute(replace(claim, goals=(wrong,), script=None), Limits(seconds=30)).counterexample is not None


# -- zero-rank saddles --------------------------------------------------------------------
@pytest.mark.parametrize("drop", [0, 1, 2])
def test_each_term_of_the_expansion_at_a_saddle_counts(drop: int) -> None:
    claim = linear_saddles.falling()
    exact = claim.goals[0].relation
    assert isinstance(exact, Eq) and isinstance(exact.lhs, Add)
    left = add(*(a for n, a in enumerate(exact.lhs.args) if n != drop))
    wrong = replace(claim, goals=(Statement((), (), Eq(left, exact.rhs)),), script=None)
    assert refute(wrong, Limits(seconds=30)).counterexample is not None


def test_the_curvature_at_a_saddle_has_the_products_behind_layer_1() -> None:
    """It is not that of the origin: |V^T s_out|^2 alone."""
    claim = linear_saddles.falling()
    parts = claim.goals[2].relation
    assert isinstance(parts, Eq) and isinstance(parts.rhs, Add)
    wrong = Statement((), (), Eq(parts.lhs, parts.rhs.args[0]))
    assert refute(replace(claim, goals=(wrong,), script=None), Limits(seconds=30)).counterexample is not None


def test_a_saddle_has_two_layers_of_weights() -> None:
    claim = linear_saddles.critical()
    shallow = replace(claim.theory, assumptions=(ge(L, 1),))
    assert isinstance(api.refute(replace(claim, theory=shallow, script=None)), Refuted)


# -- one layer with its neighbours held ------------------------------------------------------
LIMITS = {
    "linear_forward_limit": linear_neighbours.forward_limit,
    "linear_target_limit": linear_neighbours.target_limit,
}


@pytest.mark.parametrize("id", LIMITS)
def test_the_limit_is_not_reached(id: str) -> None:
    """Without its remainder the identity is false."""
    claim = LIMITS[id]()
    exact = claim.goals[0].relation
    assert isinstance(exact, Eq) and isinstance(exact.rhs, Add)
    wrong = replace(claim.goals[0], relation=Eq(exact.lhs, exact.rhs.args[0]))
    with pytest.raises(Stuck):
        prove_claim(replace(claim, goals=(wrong, claim.goals[1])))
    assert refute(replace(claim, goals=(wrong,), script=None), Limits(seconds=30)).counterexample is not None


#: (weight, ratio, what the bound must not be multiplied by)
TOO_SMALL: dict[str, Callable[[Fraction], tuple[Fraction, Fraction, Fraction]]] = {
    "linear_forward_limit": lambda s: (Fraction(1, 2), s, s**2),
    "linear_target_limit": lambda s: (Fraction(2), 1 / s, s**2),
}


@pytest.mark.parametrize("id", LIMITS)
@pytest.mark.parametrize("small, factor", [(2, None), (Fraction(1, 4), 2)])
def test_the_bound_cannot_be_smaller(id: str, small: Fraction, factor: int | None) -> None:
    """Nor be without the ratio, nor half: x^1 at rest between x^2 = 0 and x^0 = 1, one unit each."""
    claim = LIMITS[id]()
    weight, ratio, squared = TOO_SMALL[id](Fraction(small))
    rest = ratio * weight / (1 + ratio * weight**2)
    parameters = {
        "theta": lambda layer, i, j: weight,
        "v": lambda layer: ratio if layer == 1 else 1,
        "V": lambda i, j: 1 / weight,
        "x": lambda layer, b, i: (1, rest, 0)[layer],
    }
    sizes = {"L": 2, "B": 1, "m": 1, "n": lambda layer: 1}
    run = Evaluator(claim.theory, Model(sizes=sizes, parameters=parameters))  # type: ignore[arg-type]
    where = {"b": 0, "i": 0}
    assert run.value(App("gx", (1, b, i)), where) == 0
    exact, low = claim.goals[0].relation, claim.goals[1].relation
    assert isinstance(exact, Eq) and isinstance(low, Le)
    assert run.value(exact.lhs, where) == run.value(exact.rhs, where)
    off, bound = run.value(low.lhs, where), run.value(low.rhs, where)
    assert bound / (factor or squared) < off <= bound


@pytest.mark.parametrize("goal", [1, 2])
def test_the_normal_equations_have_the_ratio_of_precisions(goal: int) -> None:
    """Those of equal variances are false."""
    claim = linear_neighbours.normal_equations()
    equal = linear_landscape.normal_equations().goals[0].relation
    relation = claim.goals[goal].relation
    assert isinstance(equal, Eq) and isinstance(relation, Eq)
    wrong = replace(claim.goals[goal], relation=Eq(relation.lhs, equal.rhs))
    assert refute(replace(claim, goals=(wrong,), script=None), Limits(seconds=30)).counterexample is not None


# -- under attack: those whose equilibria take longer to solve for than test_attack.py has -----
@pytest.mark.parametrize(
    "id", slow_outside(["linear_rates", "linear_output_variance", "linear_output_variance_changes"], ["linear_rates"])
)
def test_no_mutant_gets_away(id: str) -> None:
    rows = attack(entries()[id], Limits(seconds=20))
    assert rows and {r.verdict for r in rows} == {REFUTED}, [(r.name, r.note) for r in rows if r.verdict != REFUTED]


def test_the_quadratic_form_rests_on_c_and_not_on_p() -> None:
    """S is positive definite whatever the matrices P^m are; linear_equilibrium says which they are."""
    rows = attack(entries()["linear_solution"], Limits(seconds=20))
    verdicts = {part: {r.verdict for r in rows if r.name.startswith(part)} for part in ("without", "C:", "P:")}
    assert verdicts == {"without": {REFUTED}, "C:": {REFUTED}, "P:": {STILL_TRUE}}
