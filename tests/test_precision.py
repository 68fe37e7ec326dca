"""Units with precisions: gradients and equilibria are derived, hold for every precision, and need what they assume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

import pcproof as pp
from pcproof.catalogue import entries
from pcproof.language.index import eq, qvar
from pcproof.language.signature import Claim, Definition, Eq, Statement
from pcproof.language.terms import ONE, App, Num, Term, mul
from pcproof.networks.network import B, L
from pcproof.refute.confirm import Judge
from pcproof.refute.mutate import theory_mutants
from pcproof.rules import equilibrium, fixed_points, precision
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim

l, b, i = qvar("l"), qvar("b"), qvar("i")
PROVED: dict[str, Callable[[precision.GaussianMLP], Claim]] = {
    "precision_gradient": precision.gradient,
    "precision_fixed_point": precision.fixed_point,
    "precision_forward_equilibrium": precision.forward_equilibrium,
}


@pytest.mark.parametrize("id", PROVED)
def test_it_holds_with_biases_too(id: str) -> None:
    assert entries()[id].expected == "proved"
    prove_claim(PROVED[id](precision.GaussianMLP(bias=True)))


@pytest.mark.parametrize("id", ["precision_fixed_point", "precision_forward_equilibrium"])
def test_each_hypothesis_is_needed(id: str) -> None:
    claim = PROVED[id](precision.GaussianMLP())
    for name in claim.theory.hypotheses:
        rest = {n: s for n, s in claim.theory.hypotheses.items() if n != name}
        mutant = replace(claim, theory=replace(claim.theory, hypotheses=rest))
        if name.startswith("same_") and id == "precision_fixed_point":
            continue  # backprop's weights are not read there
        assert pp.refute(replace(mutant, script=None)).verdict == "refuted", name


def test_the_errors_are_weighted_and_nothing_else_is_left() -> None:
    theory = precision.weighted_theory(precision.GaussianMLP(), {})
    for name in ("gx", "gtheta"):
        d = theory.definition(name)
        assert d is not None
        for case in d.cases:
            assert "err[" in repr(case.value) and "eps[" not in repr(case.value) and "Pi" not in repr(case.value)


def test_only_the_own_precision_is_drawn_in() -> None:
    pair = mul(App("Pi", (l, i)), App("eps", (l, b, i)))
    assert precision.weighted(pair) is App("err", (l, b, i))
    assert precision.weighted(mul(App("Pi", (l, b)), App("eps", (l, b, i)))) is not App("err", (l, b, i))


def test_with_all_precisions_one_it_is_the_plain_energy() -> None:
    """Energy and weighted errors are those of the network without precisions."""
    claim = precision.fixed_point(precision.GaussianMLP())
    unit = Statement(("l", "i"), (*equilibrium.FREE, *fixed_points.STATE[2:]), Eq(App("Pi", (l, i)), ONE))
    goals = (
        Statement((), (), Eq(precision.GaussianMLP().energy(), pp.MLP().energy())),
        equilibrium.everywhere(Eq(App("err", (l, b, i)), App("eps", (l, b, i))), *equilibrium.FREE),
    )
    same = replace(claim, theory=replace(claim.theory, hypotheses={"unit": unit}), goals=goals, script=None)
    assert len(prove_claim(same).goals) == 2
    assert pp.refute(replace(same, theory=replace(claim.theory, hypotheses={}))).verdict == "refuted"


def scaled(claim: Claim, name: str, factor: Fraction) -> Claim:
    def put(d: Definition) -> Definition:
        def twice(v: Term) -> Term:
            return mul(Num(factor), v)

        return replace(d, cases=tuple(replace(c, value=twice(c.value)) for c in d.cases)) if d.name == name else d

    theory = replace(claim.theory, definitions=tuple(tuple(map(put, g)) for g in claim.theory.definitions))
    return replace(claim, theory=theory)


@pytest.mark.parametrize("name", ["gx", "gtheta", "err"])
def test_a_gradient_of_another_size_is_refuted(name: str) -> None:
    wrong = scaled(precision.gradient(precision.GaussianMLP()), name, Fraction(1, 2))
    with pytest.raises((Stuck, ValueError)):
        prove_claim(wrong)
    assert pp.refute(wrong).verdict == "refuted"


def test_output_units_of_unequal_precision_do_not_learn_one_multiple_of_backprop() -> None:
    claim = precision.forward_equilibrium(precision.GaussianMLP())
    rest = {n: s for n, s in claim.theory.hypotheses.items() if n != "output_precision"}
    found = pp.refute(replace(claim, theory=replace(claim.theory, hypotheses=rest), script=None)).counterexample
    assert Judge(found.claim.theory, found.instance).failing_hypothesis() is None


def mutants() -> dict[str, Claim]:
    """Every term of the definitions of the forward equilibrium, at two layers of weights and one sample."""
    claim = precision.forward_equilibrium(precision.GaussianMLP())
    small = (*claim.theory.assumptions, eq(L, 2), eq(B, 1))
    found = theory_mutants(claim.theory, ("gx", "gtheta", "err", "delta", "dw"))
    return {
        m.name: replace(claim, theory=replace(m.theory, assumptions=small), script=None)
        for m in found
        if "transposed" not in m.name
    }


# what is fed back to a hidden layer is 0 there, and so is each factor's part in it: these say the same still
IDLE = (
    "where l == L",
    "gx: sign of term",
    "gx: without term 1",
    "gx: err[l,b,i]",
    "gx: df[l](x[l,b,i]) left out",
    "gx: sum_{j<n(l-1)} theta",
    "delta: sign of term 1 (df",
    "delta: without term 1 (df",
)


@pytest.mark.parametrize("name", [n for n in mutants() if not any(idle in n for idle in IDLE)])
def test_every_term_of_the_forward_equilibrium_is_needed(name: str) -> None:
    assert pp.refute(mutants()[name]).verdict == "refuted"
