"""Zero energy, equilibria against backprop, energy against loss: proved for every depth and width, or refuted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from pcproof import api
from pcproof.catalogue import entries
from pcproof.language.index import ge, lt, qvar, span
from pcproof.language.signature import Claim, Eq, Le, Statement
from pcproof.language.terms import ZERO, App, mul
from pcproof.networks.mlp import MLP
from pcproof.networks.network import B, L, Network, width
from pcproof.refute.confirm import Judge
from pcproof.refute.models import check_instance, find_model
from pcproof.result import Refuted
from pcproof.rules import equilibrium
from pcproof.tactics.prover import prove_claim

l, b, i = qvar("l"), qvar("b"), qvar("i")
PROVED: dict[str, Callable[[Network], Claim]] = {
    "error_below_energy": equilibrium.error_below_energy,
    "zero_energy": equilibrium.zero_energy,
    "forward_equilibrium": equilibrium.forward_equilibrium,
    "forward_equilibrium_is_idle": equilibrium.forward_equilibrium_is_idle,
    "zero_error": equilibrium.zero_error,
    "energy_is_loss_and_rest": equilibrium.energy_is_loss_and_rest,
    "forward_energy": equilibrium.forward_energy,
    "rest_zero": equilibrium.rest_zero,
    "descent": equilibrium.descent,
}


@pytest.mark.parametrize("id", PROVED)
def test_it_is_proved_with_an_exact_instance(id: str) -> None:
    entry = entries()[id]
    result = api.prove(entry.claim())
    assert (result.verdict, entry.expected) == ("proved", "proved")
    assert check_instance(result.claim, result.instance).ok  # type: ignore[attr-defined]


@pytest.mark.parametrize("id", PROVED)
def test_it_holds_with_biases_too(id: str) -> None:
    claim = PROVED[id](MLP(bias=True))
    assert len(prove_claim(claim).goals) == len(claim.goals)


@pytest.mark.parametrize("id", PROVED)
def test_each_hypothesis_is_needed(id: str) -> None:
    claim = PROVED[id](MLP())
    assert claim.theory.hypotheses
    for name in claim.theory.hypotheses:
        rest = {n: s for n, s in claim.theory.hypotheses.items() if n != name}
        result = api.refute(replace(claim, theory=replace(claim.theory, hypotheses=rest), script=None))
        assert isinstance(result, Refuted), f"{id} without {name}: {result.verdict}"


def test_the_smallest_equilibrium_that_is_not_backprop() -> None:
    """One hidden unit, one number everywhere: the change at equilibrium is not backprop's."""
    entry = entries()["equilibrium_is_backprop"]
    assert (entry.kind, entry.expected) == ("refuted claim", "refuted")
    result = api.prove(entry.claim())
    assert isinstance(result, Refuted)
    found = result.counterexample
    assert found.instance.shape.depth == 2 and {found.instance.shape.size("n", (k,)) for k in range(3)} == {1}
    judge = Judge(result.claim.theory, found.instance)
    assert judge.failing_hypothesis() is None
    verdict = judge.compare(result.claim.goals[found.goal].relation, found.indices)
    assert not verdict.holds and verdict.lhs == found.lhs != found.rhs == verdict.rhs
    # it is an equilibrium of energy above 0 whose hidden error is not 0
    value = judge.plain.value
    assert value(App("gx", (1, 0, 0)), {}) == 0
    assert value(App("eps", (1, 0, 0)), {}) != 0
    assert value(App("x", (1, 0, 0)), {}) != value(App("y", (1, 0, 0)), {})


def test_an_equilibrium_elsewhere_that_agrees_with_backprop_by_accident() -> None:
    """E15: both changes are the same, alpha is not 0, and x is not the forward pass."""
    entry = entries()["only_the_forward_equilibrium"]
    result = api.prove(entry.claim())
    assert isinstance(result, Refuted) and entry.expected == "refuted"
    found = result.counterexample
    assert {found.instance.shape.size("n", (k,)) for k in range(3)} == {1}
    judge = Judge(result.claim.theory, found.instance)
    assert judge.failing_hypothesis() is None
    value = judge.plain.value
    assert value(App("x", (1, 0, 0)), {}) != value(App("y", (1, 0, 0)), {})
    assert value(App("gx", (1, 0, 0)), {}) == 0 != value(App("alpha"), {})
    for layer in (1, 2):
        theirs = value(App("dw", (layer, 0, 0)), {})
        assert value(mul(-1, App("alpha"), App("gtheta", (layer, 0, 0))), {}) == theirs
    assert value(App("eps", (1, 0, 0)), {}) != 0


def test_without_a_hidden_layer_an_equilibrium_is_backprop() -> None:
    """L = 1: nothing relaxes, so the refuted claim has no smaller counterexample."""
    claim = equilibrium.equilibrium_is_backprop(MLP())
    shallow = replace(claim.theory, assumptions=(*claim.theory.assumptions, lt(L, 2)))
    instance = find_model(replace(claim, theory=shallow))
    assert instance is not None
    assert check_instance(replace(claim, theory=shallow), instance).ok


def test_an_equilibrium_away_from_the_forward_pass_has_errors() -> None:
    """R-2 the other way round: where hidden errors are 0 and the input is clamped, x = y below the output too."""
    claim = equilibrium.forward_equilibrium_is_idle(MLP())
    moved = {n: s for n, s in claim.theory.hypotheses.items() if n != "forward"}
    result = api.refute(replace(claim, theory=replace(claim.theory, hypotheses=moved), script=None))
    assert isinstance(result, Refuted)
    judge = Judge(result.claim.theory, result.counterexample.instance)
    assert judge.failing_hypothesis() is None
    hidden = Statement(("l", "b", "i"), (ge(l, 1), lt(l, L), *span(b, 0, B), *span(i, 0, width(l))), Eq(ZERO, ZERO))
    assert any(judge.plain.value(App("x", (l, b, i)) - App("y", (l, b, i)), at) != 0 for at in judge.instances(hidden))


def test_energy_at_an_instance() -> None:
    """loss + rest = F, loss <= F and eps^2 / 2 <= F, as numbers."""
    claim = equilibrium.energy_is_loss_and_rest(MLP())
    instance = find_model(claim)
    assert instance is not None
    value = Judge(claim.theory, instance).plain.value
    net = MLP()
    energy, loss, rest = (value(t, {}) for t in (net.energy(), net.loss("mu"), equilibrium.rest(net)))
    assert energy == loss + rest and rest > 0 and isinstance(energy, Fraction)


@pytest.mark.parametrize(
    "wrong",
    [
        Le(mul(App("eps", (l, b, i)), App("eps", (l, b, i))), MLP().energy()),  # without the half
        Le(App("eps", (l, b, i)), MLP().energy()),
        Le(MLP().energy(), mul(App("eps", (l, b, i)), App("eps", (l, b, i)))),
    ],
)
def test_a_bound_that_is_too_sharp(wrong: Le) -> None:
    claim = equilibrium.error_below_energy(MLP())
    (first, *_) = claim.goals
    theory = replace(claim.theory, hypotheses={})
    result = api.prove(replace(claim, theory=theory, goals=(replace(first, relation=wrong),), script=None))
    assert isinstance(result, Refuted)


def test_the_loss_is_below_the_energy_where_the_output_is_clamped_only() -> None:
    claim = equilibrium.energy_is_loss_and_rest(MLP())
    free = replace(claim, theory=replace(claim.theory, hypotheses={}), goals=claim.goals[2:], script=None)
    assert isinstance(api.refute(free), Refuted)
