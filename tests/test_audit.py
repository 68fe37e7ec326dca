"""The audit of the literature: printed claims that fail beside what holds, the errata, Table 2, the conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pytest

import pcproof as pp
from pcproof import api, audit, catalogue
from pcproof.language.index import eq, size
from pcproof.language.signature import Claim, Eq, Le, Ne, Statement
from pcproof.language.terms import App, Num, neg
from pcproof.locality import LOCAL, locality
from pcproof.refute.search import refute
from pcproof.rules import skip_graph
from pcproof.rules.autonomy import clocks, neuron_clocks, switched
from pcproof.rules.equations import Equations, Gate
from pcproof.rules.fazil import fazil
from pcproof.rules.smallest_chain import rate
from pcproof.rules.zil import zil
from pcproof.table_2 import COLUMNS, PRINTED, computed

KNOWN = catalogue.entries()
FILES = ("conditions", "conditions_order", "conditions_phases", "errata")
GAMMA = App("gamma")


def _own() -> Iterator[str]:
    from importlib import import_module

    for name in FILES:
        yield from (e.id for e in import_module(f"pcproof.derivations.{name}").ENTRIES)


OWN = list(_own())
REFUTED = [id for id in OWN if KNOWN[id].expected == "refuted"]


def without(claim: Claim, name: str) -> Claim:
    kept = {n: s for n, s in claim.theory.hypotheses.items() if n != name}
    assert len(kept) == len(claim.theory.hypotheses) - 1
    return replace(claim, theory=replace(claim.theory, hypotheses=kept))


def with_value(claim: Claim, **values: int | Fraction) -> Claim:
    """The claim with parameters fixed, where a counterexample is known to be."""
    more = {f"{n}_fixed": Statement((), (), Eq(App(n), Num(v))) for n, v in values.items()}
    return replace(claim, theory=claim.theory.extend(hypotheses=more))


def with_sizes(claim: Claim, **sizes: int) -> Claim:
    cons = tuple(eq(size(n), v) for n, v in sizes.items())
    return replace(claim, theory=replace(claim.theory, assumptions=(*claim.theory.assumptions, *cons)))


def fails(claim: Claim) -> bool:
    """Is there a counterexample, and no proof?"""
    return refute(claim).counterexample is not None and not api.proved_by_kernel(claim)


# -- what is printed fails, what repairs it holds ---------------------------------------------
@pytest.mark.parametrize("id", OWN)
def test_verdicts(id: str) -> None:
    result = api.prove(KNOWN[id].claim())
    assert result.verdict == KNOWN[id].expected
    assert result.claim.id == id and result.claim.title == KNOWN[id].title


@pytest.mark.parametrize("id", [e.id for e in KNOWN.values() if e.expected == "refuted"])
def test_a_refuted_claim_names_what_repairs_it(id: str) -> None:
    assert audit.repaired_by(KNOWN[id], KNOWN), KNOWN[id].note


@pytest.mark.parametrize("id", REFUTED)
def test_a_refuted_claim_cannot_be_proved(id: str) -> None:
    assert not api.proved_by_kernel(KNOWN[id].claim())


# -- each hypothesis is needed -------------------------------------------------------------------
NEEDED = [
    ("condition_c2_unused", "C3", {}, {}),
    ("gamma_distance_bound", "gamma_not_negative", {"gamma": -1}, {"L": 2, "B": 1}),
    ("gamma_distance_bound", "gamma_at_most_1", {"gamma": 3}, {"L": 2, "B": 1}),
    ("prediction_converges", "gamma_not_negative", {}, {}),
    ("prediction_converges", "gamma_at_most_2", {"gamma": 3}, {}),
    ("prediction_converges", "weight_small", {}, {}),
    ("prediction_does_not_converge", "weight_large", {}, {}),
    ("prediction_does_not_converge", "output_right", {}, {}),
    ("learning_phase", "xs_is_the_equilibrium", {}, {}),
    *(
        ("prediction_small_step", n, {}, {})
        for n in ("rest_input", "at_rest", "e_input", "eigenvectors", "start_is_a_sum", "step_small")
    ),
    *(
        ("learning_small_step", n, {}, {"L": 2, "M": 1, "B": 1})
        for n in ("rest_input", "rest_output", "at_rest", "e_input", "e_output", "eigenvectors", "start_is_a_sum")
    ),
    ("prediction_large_step", "step_too_large", {}, {}),
    ("prediction_large_step", "eigenvectors", {}, {}),
    ("delta_is_minus_gradient", "f_differentiable", {}, {}),
]


@pytest.mark.parametrize(("id", "name", "values", "sizes"), NEEDED, ids=[f"{n[0]}-{n[1]}" for n in NEEDED])
def test_no_hypothesis_can_be_dropped(id: str, name: str, values: dict[str, int], sizes: dict[str, int]) -> None:
    weaker = with_value(without(KNOWN[id].claim(), name), **values)
    if sizes:
        weaker = with_sizes(weaker, **sizes)
    assert fails(weaker)


@pytest.mark.parametrize("id", ["no_vertices", "repaired_levels"])
def test_no_guard_of_the_levels_can_be_dropped(id: str) -> None:
    claim = KNOWN[id].claim()
    (goal,) = claim.goals
    for n in range(len(goal.guards)):
        wider = replace(claim, goals=(replace(goal, guards=goal.guards[:n] + goal.guards[n + 1 :]),))
        assert not api.proved_by_kernel(wider)
        if n == 0:  # distances below 0 are not looked at by the search
            assert refute(wider).counterexample is not None


# -- the phases, by a simulation of its own -----------------------------------------------------
WEIGHTS = (Fraction(0), Fraction(1, 3), Fraction(-2, 3), Fraction(1), Fraction(-5, 2))
STEPS = (Fraction(1, 10), Fraction(1), Fraction(3, 2), Fraction(2))


def run(w: Fraction, gamma: Fraction, a: Fraction, b: Fraction, times: int) -> list[tuple[Fraction, Fraction]]:
    """Deviations of the hidden and the output unit from the forward pass."""
    out = [(a, b)]
    for _ in range(times):
        e = b - w * a
        a, b = a - gamma * (a - w * e), b - gamma * e
        out.append((a, b))
    return out


@pytest.mark.parametrize("w", WEIGHTS)
@pytest.mark.parametrize("gamma", STEPS)
def test_the_criterion_of_the_smallest_chain(w: Fraction, gamma: Fraction) -> None:
    """On one side every start shrinks by the rate of the theorem, on the other one start never does."""
    fast, slow = 2 * gamma * w * w, (2 - gamma) ** 2
    if fast <= slow:
        rho = 1 - gamma**2 * (slow - fast) / 9
        assert 0 <= rho <= 1
        for start in ((1, 0), (0, 1), (1, 1), (1, -1), (-3, 2)):
            path = run(w, gamma, Fraction(start[0]), Fraction(start[1]), 12)
            first = path[0][0] ** 2 + path[0][1] ** 2
            assert all(a * a + b * b <= rho**t * first for t, (a, b) in enumerate(path))
    if fast >= slow:
        path = run(w, gamma, Fraction(1), Fraction(0), 12)
        assert all(w * w <= (1 + 2 * w * w) * (a * a + b * b) for a, b in path)


def test_the_rate_is_tight_enough_to_shrink() -> None:
    """Strictly below the criterion the rate is below 1: a check that w = 0, gamma = 1 passes by hand."""
    from pcproof.language.terms import replace_apps
    from pcproof.proof.ring import polynomial

    values = {"theta": Num(0), "gamma": Num(1)}
    at = polynomial(replace_apps(rate(), lambda s: values.get(s.name)))
    assert at == {(): Fraction(8, 9)}


def test_signs_of_the_criterion_cannot_be_flipped() -> None:
    claim = KNOWN["prediction_converges"].claim()
    faster = tuple(
        replace(s, relation=Le(s.relation.lhs, neg(s.relation.rhs))) if isinstance(s.relation, Le) else s
        for s in claim.goals
    )
    assert fails(replace(claim, goals=faster))
    swapped = {n: replace(s, relation=Le(s.relation.rhs, s.relation.lhs)) if n == "weight_small" else s
               for n, s in claim.theory.hypotheses.items()}  # fmt: skip
    assert fails(replace(claim, theory=replace(claim.theory, hypotheses=swapped)))


# -- conditions ---------------------------------------------------------------------------------
def test_c3_is_no_necessity_but_gamma_0_is() -> None:
    assert api.prove(KNOWN["restored_rates"].claim()).verdict == "proved"
    never = KNOWN["restored_rates"].claim()
    kept = {n: s for n, s in never.theory.hypotheses.items() if not isinstance(s.relation, Ne)}
    nothing = with_value(replace(never, theory=replace(never.theory, hypotheses=kept)), gamma=0)
    assert fails(nothing)


def test_distances_on_an_exact_network() -> None:
    """|W_gamma - W_BP|^2 on the chain 7 -> 2, 3, 5 of the test vectors, gamma = 1/2."""
    changes = (-21945, -14630, -8778)  # layers 1, 2, 3, alpha = 1
    gamma = Fraction(1, 2)
    off = sum((gamma**n * c - c) ** 2 for n, c in enumerate(changes))
    assert off == sum((1 - gamma**n) ** 2 * c * c for n, c in enumerate(changes))
    assert off + changes[0] ** 2 <= sum(c * c for c in changes)


# -- the skip graph, by a simulation of its own ----------------------------------------------------
def test_the_skip_graph_by_hand() -> None:
    z1, z2, z3, s, target = map(Fraction, (2, 3, 5, 7, 1))
    d = target - (z1 * z2 * z3 * s + z3 * s)
    x1, x2 = z2 * z3 * s, z3 * s
    changes = []
    for _ in range(3):
        eo, e1, e2 = target - z1 * x1 - x2, x1 - z2 * x2, x2 - z3 * s
        changes.append((eo * x1, e1 * x2, e2 * s))
        x1, x2 = x1 - e1 + z1 * eo, x2 - e2 + z2 * e1 + eo
    backprop = (d * z2 * z3 * s, d * z1 * z3 * s, d * (z1 * z2 + 1) * s)
    assert changes[0] == (backprop[0], 0, 0)
    assert changes[1][1] == d * (z1 - z2) * (z3 * s + d) != backprop[1]
    assert changes[1][2] == d * s and changes[2][2] == d * s * (z1 * z2 - z2 * z2 - z1 * z1)
    assert backprop[2] not in (changes[1][2], changes[2][2]) and d * z1 * z2 * s not in (changes[1][2], changes[2][2])


def test_backprop_of_the_skip_graph_comes_from_the_loss() -> None:
    wrong = skip_graph.plain_values()
    goals = list(wrong.goals)
    goals[1] = replace(goals[1], relation=Eq(goals[1].relation.lhs, neg(goals[1].relation.rhs)))  # type: ignore[union-attr]
    assert fails(replace(wrong, goals=tuple(goals)))


def test_an_identity_vertex_elsewhere_does_not_help() -> None:
    from pcproof.rules.skip_graph import Z1, Z2, Z3, S

    elsewhere = {
        "v2": Z3 * S,
        "v1": Z2 * App("v2"),
        "v3": App("v1"),
        "out": Z1 * App("v3") + App("v2"),
    }
    goal = Eq(skip_graph.change("z2", 2), skip_graph.backprop(elsewhere, "z2"))
    claim = Claim("elsewhere", skip_graph.skip_theory(elsewhere), (Statement((), (), goal),))
    assert fails(claim)


# -- errata ------------------------------------------------------------------------------------------
def test_every_erratum_of_these_papers_is_settled() -> None:
    rows = {r.erratum.number: r for r in audit.errata(KNOWN)}
    assert list(rows) == list(range(1, 18))
    assert all(row.settled for row in rows.values())
    assert [n for n in rows if rows[n].erratum.misprint] == [5, 11]
    assert [e.id for e in rows[1].refuted] == ["err_e1"]  # and none of E10 to E17


def test_an_erratum_without_a_repair_is_not_settled() -> None:
    known = {n: e for n, e in KNOWN.items() if n != "delta_is_minus_gradient"}
    row = next(r for r in audit.errata(known) if r.erratum.number == 1)
    assert row.refuted and not row.repaired and not row.settled


def test_every_entry_stands_with_one_paper() -> None:
    papers = audit.by_paper(KNOWN.values())
    assert sum(map(len, papers.values())) == len(KNOWN)
    assert [e.id for e in papers["Printed nowhere"]] == ["restored_rates"] and list(papers)[-1] == "Printed nowhere"


# -- Table 2 -------------------------------------------------------------------------------------------
def test_table_2_is_as_printed_but_for_one_mark() -> None:
    models = computed(pp.MLP())
    assert [m.name for m in models] == list(PRINTED)
    odd = [(m.name, c.column) for m in models for c in m.cells if not c.agrees]
    assert odd == [("Fa-Z-IL", "equivalence")]
    assert all([c.column for c in m.cells] == list(COLUMNS) and all(c.why for c in m.cells) for m in models)


def test_a_verdict_that_changes_changes_the_table() -> None:
    def turned(entry: catalogue.Entry) -> api.Result:
        result = api.prove(entry.claim())
        result.verdict = "unknown"
        return result

    models = computed(pp.MLP(), turned)
    assert all(m.cells[0].found is None and "unknown" in m.cells[0].text for m in models)


def test_partial_and_full_autonomy_differ() -> None:
    e = zil(pp.MLP()).equations
    assert neuron_clocks(e) == [] and clocks(e)
    f = fazil(pp.MLP()).equations
    assert neuron_clocks(f) == [] and clocks(f) == []
    assert switched(pp.MLP(bias=True)) == ["delta moves in the learning phase only"]


def test_a_step_size_that_follows_a_clock_is_not_even_partially_autonomous() -> None:
    net = pp.MLP()
    x, mu, y, theta, l, t, last, alpha = net.symbols("x mu y theta l t L alpha")
    gamma = net.parameter("gamma", per="time")
    F = pp.Sum(pp.sq(x[l] - mu[l]) / 2, (l, 0, last - 1))
    rule = pp.Rule(
        net,
        energy=F,
        start={x[l]: y[l]},
        step={x[l]: -gamma[t] * F.diff(x[l])},
        learn={theta[l + 1]: -alpha * F.diff(theta[l + 1])},
        when=pp.Eq(t, l),
    )
    assert any("gamma" in text for text in neuron_clocks(rule.equations))


def test_a_gate_that_reads_another_unit_is_not_local() -> None:
    from pcproof.language.index import qvar

    def gated(read: App) -> Equations:
        e = fazil(pp.MLP()).equations
        assert e.gate is not None
        return replace(e, gate=Gate(read, e.gate.past, e.gate.window))

    l, b, i = qvar("l"), qvar("b"), qvar("i")
    assert locality(gated(App("eps", (l, b, i)))).verdict == LOCAL
    assert locality(gated(App("eps", (l, b, i + 1))), effort=2_000).verdict != LOCAL
