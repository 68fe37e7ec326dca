"""Errors and states: both directions for every network, each hypothesis needed, false variants refuted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

import pcproof as pp
from pcproof import api
from pcproof.api import proved_by_kernel
from pcproof.catalogue import entries
from pcproof.language.signature import Claim, Eq
from pcproof.language.terms import App, mul, replace_apps
from pcproof.networks.network import Network
from pcproof.refute.models import find_model
from pcproof.refute.mutate import claim_mutants
from pcproof.rules import epc_equivalence as claims
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim

MAKE: dict[str, Callable[[Network], Claim]] = {
    "variables": claims.change_of_variables,
    "onto": claims.errors_from_state,
    "stationary": claims.stationary_states,
    "converse": claims.stationary_errors,
}


@pytest.mark.parametrize("net", [pp.MLP(), pp.MLP(bias=True), pp.Chain()], ids=lambda n: n.name)
def test_it_is_proved_for_every_network(net: Network) -> None:
    for make in (*MAKE.values(), claims.weight_gradient):
        prove_claim(make(net))


def test_the_instance_of_stationary_points_has_errors() -> None:
    claim = entries()["epc_stationary"].claim()
    result = pp.prove(claim)
    assert result.verdict == "proved"
    assert find_model(claim) is not None


@pytest.mark.parametrize("name", list(MAKE))
def test_each_hypothesis_is_needed(name: str) -> None:
    claim = MAKE[name](pp.MLP())
    for dropped in claim.theory.hypotheses:
        rest = {n: s for n, s in claim.theory.hypotheses.items() if n != dropped}
        result = api.refute(dataclasses.replace(claim, theory=dataclasses.replace(claim.theory, hypotheses=rest)))
        assert result.verdict == "refuted", f"{name} without {dropped}: {result.verdict}"


@pytest.mark.parametrize("name", ["stationary", "converse"])
def test_each_term_is_needed(name: str) -> None:
    """A mutant that is still proved changes the gradient by a clamped layer, of which nothing is said here."""
    names = ("mu", "eps", "gx", "ge", "y_e", "delta_e", "dw_e", "gtheta")
    found = claim_mutants(MAKE[name](pp.MLP()), names)
    assert len(found) > 40
    for mutant in found:
        if proved_by_kernel(mutant.claim):
            assert mutant.name.startswith("gx:") and mutant.name.endswith(("where l == 0", "where l == L")), mutant.name


def false_claims() -> dict[str, Claim]:
    def goal(claim: Claim, at: int, change: Callable[[Eq], Eq]) -> Claim:
        old = claim.goals[at]
        assert isinstance(old.relation, Eq)
        new = dataclasses.replace(old, relation=change(old.relation))
        return dataclasses.replace(claim, goals=(*claim.goals[:at], new, *claim.goals[at + 1 :]))

    variables, there = claims.change_of_variables(pp.MLP()), claims.stationary_states(pp.MLP())
    plain = lambda a: App("gx", a.idx) if a.name == "ge" else None  # noqa: E731
    return {
        "the gradients are equal": goal(variables, 4, lambda r: Eq(r.lhs, App("ge", r.lhs.idx))),  # type: ignore[attr-defined]
        "T transposed the other way": goal(
            variables, 4, lambda r: Eq(App("ge", r.lhs.idx), replace_apps(r.rhs, plain))
        ),  # type: ignore[attr-defined]
        "eps is -e": goal(variables, 1, lambda r: Eq(r.lhs, mul(-1, r.rhs))),
        "errors are backprop's own": goal(there, 1, lambda r: Eq(r.lhs, App("delta", r.lhs.idx))),  # type: ignore[attr-defined]
        "changes of the other sign": goal(there, 2, lambda r: Eq(r.lhs, mul(-1, r.rhs))),
        "everywhere": claims.always_the_same_changes(pp.MLP()),
    }


@pytest.mark.parametrize("name", list(false_claims()))
def test_a_false_variant_is_refuted_and_not_proved(name: str) -> None:
    claim = false_claims()[name]
    with pytest.raises((Stuck, ValueError)):
        prove_claim(claim)
    assert pp.prove(claim).verdict == "refuted"


def test_the_weight_gradients_differ_at_the_smallest_network_away_from_stationary_points() -> None:
    found = pp.prove(entries()["epc_changes_everywhere"].claim()).counterexample
    assert found.sizes["L"] == 2 and found.widths["n"] == (1, 1, 1)
