"""Nudged inference: first steps and equilibrium are proved, and every term of what they say is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

import pcproof as pp
from pcproof.catalogue import entries
from pcproof.language.index import eq, ge, le, qvar
from pcproof.language.signature import Claim, Eq, Theory
from pcproof.language.terms import App, mul
from pcproof.networks.network import B, L, Network
from pcproof.refute.confirm import Judge
from pcproof.refute.mutate import theory_mutants
from pcproof.rules import fixed_points, nudged
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")


@pytest.mark.parametrize("net", [pp.MLP(), pp.MLP(bias=True), pp.Chain()], ids=lambda n: n.name)
def test_the_first_steps_are_proved_for_every_network(net: Network) -> None:
    prove_claim(nudged.spread(net))


@pytest.mark.parametrize("net", [pp.MLP(), pp.MLP(bias=True)], ids=lambda n: n.name)
def test_the_equilibrium_is_proved_with_biases_too(net: Network) -> None:
    prove_claim(nudged.equilibrium(net))


def test_strict_rest_has_backprops_form_for_any_chain_of_layers() -> None:
    """R-1, with the output clamped."""
    assert len(prove_claim(fixed_points.learning(pp.Chain())).goals) == 2


def test_the_gradient_at_the_output_is_the_nudge() -> None:
    """Error of the output minus lam times what is missed, out of the energy; hidden layers are as ever."""
    cases = nudged.energy_gradient(pp.MLP())
    assert [("lam" in repr(c.value), eq(l, 0) in c.guard) for c in cases] == [(False, False), (True, True)]


def at_two_layers(theory: Theory) -> Claim:
    """Where the search for a counterexample begins: two layers of weights, one sample."""
    claim = nudged.equilibrium(pp.MLP())
    return replace(claim, theory=replace(theory, assumptions=(*theory.assumptions, eq(L, 2), eq(B, 1))), script=None)


def mutants(definitions: tuple[str, ...]) -> dict[str, Theory]:
    theory = nudged.equilibrium(pp.MLP()).theory
    return {m.name: m.theory for m in theory_mutants(theory, definitions) if "transposed" not in m.name}


@pytest.mark.parametrize("name", list(mutants(("gx", "back", "gtheta"))))
def test_every_term_of_the_equilibrium_is_needed(name: str) -> None:
    theory = mutants(("gx", "back", "gtheta"))[name]
    assert pp.refute(at_two_layers(theory)).verdict == "refuted"
    with pytest.raises((Stuck, ValueError)):
        prove_claim(replace(nudged.equilibrium(pp.MLP()), theory=theory))


def spreads() -> dict[str, Callable[[], Claim]]:
    claim = nudged.spread(pp.MLP())
    silent, front = claim.goals[3], claim.goals[4]
    assert isinstance(front.relation, Eq)

    def instead(number: int, goal: object) -> Claim:
        return replace(claim, goals=(*claim.goals[:number], goal, *claim.goals[number + 1 :]))  # type: ignore[arg-type]

    longer = tuple(le(t, l + 1) if c == le(t, l) else c for c in silent.guards)
    later = tuple(ge(t, l + 1) if c == eq(t, l + 1) else c for c in front.guards)
    return {
        "silent a step longer": lambda: instead(3, replace(silent, guards=longer)),
        "the front stays": lambda: instead(4, replace(front, guards=later)),
        "without the nudge": lambda: instead(
            4,
            replace(front, relation=Eq(front.relation.lhs, mul(nudged.gamma_power(l + 1), nudged.DELTA))),  # type: ignore[union-attr]
        ),
        "as with the output clamped": lambda: instead(
            4,
            replace(front, relation=Eq(front.relation.lhs, mul(App("lam"), nudged.gamma_power(l), nudged.DELTA))),  # type: ignore[union-attr]
        ),
    }


@pytest.mark.parametrize("name", list(spreads()))
def test_a_false_spread_is_refuted_and_not_proved(name: str) -> None:
    claim = spreads()[name]()
    with pytest.raises((Stuck, ValueError)):
        prove_claim(claim)
    assert pp.refute(replace(claim, script=None)).verdict == "refuted"


def test_at_no_nudge_it_need_be_backprop() -> None:
    found = pp.prove(entries()["nudged_equilibrium_is_backprop"].claim()).counterexample
    judge = Judge(found.claim.theory, found.instance)
    assert judge.failing_hypothesis() is None and found.sizes["L"] == 1 and found.widths["n"] == (1, 1)
    value = judge.plain.value
    lam, eps = value(App("lam"), {}), value(App("eps", (0, 0, 0)), {})
    assert (1 + lam) * eps == lam * value(App("s_out", (0, 0)) - App("mu", (0, 0, 0)), {}) != 0
