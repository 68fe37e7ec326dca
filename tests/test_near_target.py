"""The bound near the target: it holds at exact states, every factor of it is needed, and what is sharper is false."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

import pcproof as pp
from pcproof.language.evaluate import Evaluator, Model
from pcproof.language.index import eq, qvar
from pcproof.language.signature import Claim, Le, Theory
from pcproof.language.terms import App, Num, Term, mul, total
from pcproof.networks.mlp import MLP
from pcproof.networks.network import B, L
from pcproof.proof.kernel import Context, Kernel
from pcproof.refute.mutate import theory_mutants
from pcproof.rules.near_target import amplification, bounds, near_target, squares
from pcproof.tactics.cauchy import cauchy
from pcproof.tactics.goals import Stuck
from pcproof.tactics.near_target import times
from pcproof.tactics.order import nonneg, sides
from pcproof.tactics.prover import prove_claim

l, b, i, j = (qvar(n) for n in "lbij")


def test_each_hypothesis_is_needed() -> None:
    claim = near_target()
    assert set(claim.theory.hypotheses) == {"output_clamped", "descended"}
    rest = replace(claim, theory=replace(claim.theory, hypotheses={}), script=None, goals=claim.goals[1:2])
    assert pp.refute(rest).verdict == "refuted"  # without F <= E
    with pytest.raises((Stuck, ValueError)):
        prove_claim(replace(claim, theory=replace(claim.theory, hypotheses={})))


def with_bound(number: int, rhs: Term) -> Claim:
    claim = near_target()
    goal = claim.goals[number]
    assert isinstance(goal.relation, Le)
    return replace(claim, goals=(replace(goal, relation=Le(goal.relation.lhs, rhs)),), script=None)


def sharper() -> dict[str, Claim]:
    claim = near_target()
    growth = claim.goals[0].relation
    low, high = bounds(MLP())
    half = Num(Fraction(1, 4))
    assert isinstance(growth, Le)
    return {
        "errors do not grow": with_bound(0, squares("delta", qvar("l") - qvar("l"), b)),
        "a quarter, inference": with_bound(1, mul(half, low)),
        "a quarter, backprop": with_bound(2, mul(half, high)),
        "the difference is no larger than a quarter of inference's bound": with_bound(3, mul(half, low)),
    }


@pytest.mark.parametrize("name", list(sharper()))
def test_what_is_sharper_is_false(name: str) -> None:
    assert pp.refute(sharper()[name]).verdict == "refuted"


def test_the_growth_is_the_product_of_the_jacobians_norms() -> None:
    """Depth 3, widths 1-2-2-1: by hand."""
    theory = near_target().theory
    w = {1: [[2, -1]], 2: [[1, 3], [-2, 1]], 3: [[1], [2]]}
    run = Evaluator(
        theory,
        Model(
            sizes={"L": 3, "B": 1, "n": lambda layer: (1, 2, 2, 1)[layer]},
            parameters={
                "w": lambda layer, i, j: Fraction(w[layer][i][j]),
                "s_in": lambda b, i: Fraction(1),
                "s_out": lambda b, i: Fraction(3),
            },
            functions={"f": lambda layer, x: x, "df": lambda layer, x: Fraction(layer)},
        ),
    )
    amp = [run.value(App("amp", (l, b)), {"l": layer, "b": 0}) for layer in range(3)]
    assert amp == [1, 5, 5 * 4 * 15]
    for layer in range(3):
        own, output = (run.value(squares("delta", n, b), {"l": layer, "b": 0}) for n in (l, l - l))
        assert 0 < own <= amp[layer] * output


def test_the_definition_of_the_growth_is_the_recursion() -> None:
    symbol, (definition,) = amplification()
    assert symbol.name == definition.name == "amp" and len(definition.cases) == 2


def test_cauchy_schwarz_is_a_theorem_and_not_its_converse() -> None:
    k = Kernel(near_target().theory)
    ctx = Context(("l", "i", "j"), ())

    def a(p: object) -> Term:
        return App("s_in", (p, i))  # type: ignore[arg-type]

    def c(p: object) -> Term:
        return App("s_out", (p, j))  # type: ignore[arg-type]

    th = cauchy(k, ctx, lambda f: total(l, f), a, c)
    assert isinstance(th.relation, Le)
    low, high = sides(th)
    with pytest.raises(Stuck):
        nonneg(k, ctx, low - high)
    scaled = times(k, th, k.le_square(ctx, App("alpha")))
    assert isinstance(scaled.relation, Le)


def test_the_difference_is_not_zero_where_the_loss_is_not() -> None:
    """The bound cannot be 0: the changes do differ."""
    claim = with_bound(3, Num(0))
    assert pp.refute(claim).verdict == "refuted"


def growth_alone(theory: Theory) -> Claim:
    """The first goal, at three layers of weights and one sample, where the search for a counterexample begins."""
    claim = near_target()
    small = (*theory.assumptions, eq(L, 3), eq(B, 1))
    return replace(claim, theory=replace(theory, assumptions=small), goals=claim.goals[:1], script=None)


def mutants() -> dict[str, Theory]:
    theory = replace(near_target().theory, hypotheses={})
    return {m.name: m.theory for m in theory_mutants(theory, ("amp",)) if "transposed" not in m.name}


@pytest.mark.parametrize("name", list(mutants()))
def test_every_term_of_the_growth_is_needed(name: str) -> None:
    assert pp.refute(growth_alone(mutants()[name])).verdict == "refuted"
    with pytest.raises((Stuck, ValueError)):
        prove_claim(replace(near_target(), theory=replace(mutants()[name], hypotheses=near_target().theory.hypotheses)))
