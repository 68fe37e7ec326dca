"""Mutations: what is generated, and that every mutant is refuted or proved and explained."""

from __future__ import annotations

import pytest

from pcproof.api import proved_by_kernel
from pcproof.language.signature import Claim
from pcproof.language.terms import App, Num
from pcproof.networks.chain import Chain
from pcproof.networks.mlp import MLP
from pcproof.proof.theory import admit
from pcproof.refute.mutate import claim_mutants, mutants, theory_mutants
from pcproof.refute.rewrite import dropped_factors, signs
from pcproof.refute.search import Limits, refute
from pcproof.refute.table import REFUTED, STILL_TRUE, UNKNOWN, claim_table, mutation_table
from pcproof.rules.claims import dynamics, equals_backprop, freeze, gamma_law, theorem_3_1, theorem_3_2
from pcproof.rules.equations import ORDERS, timed_theory
from pcproof.rules.zil import zil

ONE = Num(1)
LIMITS = Limits(max_depth=3, seconds=20)


def unit_dynamics(e):
    return dynamics(e, ONE)


def table(net, prove, limits=LIMITS):
    e = zil(net, gamma=1).equations
    return {r.name: r for r in mutation_table(equals_backprop, e, prove, {"dynamics": unit_dynamics}, limits)}


@pytest.fixture(scope="module")
def mlp_table():
    return table(MLP(), proved_by_kernel)


def test_mutants_are_named_by_structure_and_distinct():
    found = mutants(zil(MLP(), gamma=1).equations)
    names = [m.name for m in found]
    assert len(set(names)) == len(names) >= 25
    for expected in (
        "step: scaled by 1/2",
        "start: hidden errors not 0",
        "start: 0",
        "moment: at t = l",
        "moment: at t = 0",
        "moment: at t = 1",
        "step: sign of term 1 (-eps[l,b,i])",
        "step: theta[l,j,i] not transposed: theta[l,i,j]",
        "step: df[l](x[l,b,i]) left out of df[l](x[l,b,i])*sum_{j<n(l-1)} theta[l,j,i]*eps[l-1,b,j]",
        "step: df[l](x[l,b,i]) taken as df[l+1](x[l+1,b,i])",
        "change of theta: alpha left out of alpha*sum_{b<B} f[l](x[l,b,j])*eps[l-1,b,i]",
    ):
        assert expected in names
    assert {f"order: {o}" for o in ORDERS if o != "synchronous"} <= set(names)


@pytest.mark.parametrize("net", [MLP(), MLP(bias=True), Chain()], ids=lambda n: n.name)
def test_every_mutant_is_an_admissible_theory(net):
    for m in mutants(zil(net, gamma=None).equations):
        admit(timed_theory(m.equations))


def test_every_mutant_is_refuted_or_explained(mlp_table):
    survivors = {n for n, r in mlp_table.items() if r.verdict != REFUTED}
    assert survivors == {"step: sign of term 1 (-eps[l,b,i])", "step: without term 1 (-eps[l,b,i])"}
    for name in survivors:
        row = mlp_table[name]
        assert row.verdict == STILL_TRUE and row.breaks.id == "dynamics"
        assert row.breaks.counterexample.widths == {"n": (1, 1, 1)}
        assert "breaks dynamics: 1-1-1" in row.text()


def test_the_refutations_are_tiny(mlp_table):
    rows = {n: r.counterexample for n, r in mlp_table.items() if r.counterexample is not None}
    for name, c in rows.items():
        assert c.exhaustive, name
        wanted = {(1, 1), (1, 1, 1)} if "transposed" not in name else {(2, 2, 1)}
        assert c.widths["n"] in wanted and c.sizes["B"] == 1, name
        assert {abs(v) for v in c.parameters.values()} <= {0, 1, c.parameters["alpha", ()]}, name
    left_out = next(c for n, c in rows.items() if "df" in n and "left out" in n and n.startswith("step: df"))
    assert left_out.activation == "relu"
    assert rows["step: scaled by 1/2"].text().endswith("weights[0] (theta^2): rule -1/2, backprop -1")


@pytest.mark.parametrize("net", [MLP(bias=True), Chain()], ids=lambda n: n.name)
def test_other_networks(net):
    rows = table(net, proved_by_kernel, Limits(max_depth=2, seconds=20))
    assert {n for n, r in rows.items() if r.verdict != REFUTED} == {
        "step: sign of term 1 (-eps[l,b,i])",
        "step: without term 1 (-eps[l,b,i])",
    }
    transposed = next(r for n, r in rows.items() if "not transposed" in n)
    widths = transposed.counterexample.widths["n"]
    assert widths[0] == widths[1] == 2  # no entry outside the network is read


def test_what_the_prover_says_is_reported():
    e = zil(MLP(), gamma=1).equations
    sign = [m for m in mutants(e) if m.name.startswith("step: sign of term 1")]

    class Answer:
        verdict = "unknown"

    small = Limits(max_depth=2, seconds=20)
    (row,) = mutation_table(equals_backprop, e, lambda c: Answer(), {}, small, sign)
    assert row.verdict == UNKNOWN and row.breaks is None and "no counterexample found" in row.note
    Answer.verdict = "proved"
    (row,) = mutation_table(equals_backprop, e, lambda c: Answer(), {"freeze": freeze}, small, sign)
    assert row.verdict == STILL_TRUE and row.breaks is None
    assert row.as_dict()["verdict"] == "still true"

    def refuses(claim: Claim) -> object:
        raise ValueError("stuck")

    (row,) = mutation_table(equals_backprop, e, refuses, {"dynamics": unit_dynamics}, small, sign)
    assert row.verdict == UNKNOWN and "stuck" in row.note and row.breaks is not None


@pytest.mark.parametrize("make", [freeze, gamma_law, theorem_3_1, theorem_3_2])
def test_hypotheses_and_ranges_are_needed(make):
    claim = make(zil(MLP(), gamma=None).equations)
    rows = claim_table(claim_mutants(claim), proved_by_kernel, LIMITS)
    assert len(rows) >= len(claim.theory.hypotheses) + 1
    assert {r.verdict for r in rows} == {REFUTED}
    for name in claim.theory.hypotheses:
        assert any(r.name == f"without {name}" for r in rows)


def test_definitions_are_needed():
    claim = gamma_law(zil(MLP(), gamma=None).equations)
    found = theory_mutants(claim.theory, ["delta", "mu", "theta"])
    assert len(found) > 20
    for m in found:
        admit(m.theory)
        assert refute(Claim("m", m.theory, claim.goals), LIMITS).counterexample is not None, m.name


def test_changes_of_terms():
    a, c = App("a"), App("c")
    assert [t for _, t in signs(a + c)] == [-a + c, a - c]
    assert [t for _, t in dropped_factors(2 * a * c)] == [2 * c, 2 * a]
