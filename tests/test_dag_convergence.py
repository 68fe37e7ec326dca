"""Euler's iteration on a DAG: the bound at numbers, by a simulation of its own; false variants are refuted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

import pytest

import pcproof as pp
from pcproof import api
from pcproof.language.evaluate import Evaluator, Model
from pcproof.language.index import Idx, eq, ge, qvar, size
from pcproof.language.signature import Claim, Eq, Le, Statement
from pcproof.language.terms import App, Num, Pow, Term, add, mul, neg
from pcproof.rules import dag_convergence as dag
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim

t, l, i = qvar("t"), qvar("l"), qvar("i")
Fixed = Mapping[str, "int | Fraction"]
# a diamond with a skip: 3 (input) -> 2 -> 0, 3 -> 1 -> 0, 2 -> 1; vertex 1 has two units
WIDTHS = (1, 2, 1)
EDGES = {(0, 1): [[2, -1]], (0, 2): [[3]], (1, 2): [[1], [4]]}
CLAIMS: dict[str, Callable[[], Claim]] = {
    "dag_rate": dag.rate,
    "dag_converges": dag.converges,
    "dag_does_not_converge": dag.does_not_converge,
}
TENTH = Fraction(1, 10)


def jacobian(to: int, source: int, i: int, j: int) -> Fraction:
    return Fraction(EDGES[(to, source)][i][j]) if (to, source) in EDGES else Fraction(0)


def simulated(gamma: Fraction, times: int) -> list[dict[tuple[int, int], Fraction]]:
    """x - y - delta of every unit, with loops written by hand."""
    units = [(v, u) for v in range(3) for u in range(WIDTHS[v])]
    delta = {(0, 0): Fraction(7)}
    for v, u in units[1:]:
        delta[v, u] = sum((jacobian(m, v, k, u) * delta[m, k] for m, k in units if m < v), Fraction(0))
    error = {(v, u): Fraction(7) if v == 0 else Fraction(3 * (v + 2 * u + 1) - v - u) for v, u in units}
    out = []
    for _ in range(times):
        out.append({n: error[n] - delta[n] for n in units})
        fed = {
            (v, u): sum((jacobian(m, v, k, u) * error[m, k] for m, k in units if m < v), Fraction(0)) for v, u in units
        }
        error = {n: error[n] if n[0] == 0 else error[n] + gamma * (fed[n] - error[n]) for n in units}
    return out


def running(claim: Claim, gamma: Fraction, rho: Fraction) -> Evaluator:
    model = Model(
        sizes={"L": 3, "n": lambda v: (*WIDTHS, 1)[v], "m": lambda v: 1},
        parameters={
            "y": lambda v, i: Fraction(v + i),
            "J": jacobian,
            "e0": lambda i: Fraction(7),
            "x0": lambda v, i: Fraction(3 * (v + 2 * i + 1)),
            "gamma": lambda: gamma,
            "rho": lambda: rho,
        },
        functions={},
    )
    return Evaluator(claim.theory, model)


@pytest.mark.parametrize("id", list(CLAIMS))
def test_proved(id: str) -> None:
    assert api.prove(CLAIMS[id]()).verdict == "proved"


@pytest.mark.parametrize(
    ("gamma", "rho"),
    [("1/10", "9/10"), ("1/2", "3/10"), ("1", "1/20"), ("3/2", "1/2"), ("19/10", "19/20"), ("3", "5"), ("-1", "9/2")],
)
def test_the_bound_on_a_diamond(gamma: str, rho: str) -> None:
    """Deviations are those of the simulation and stay below C rho^t, the constants worked out by hand."""
    step, rate = Fraction(gamma), Fraction(rho)
    run = running(dag.rate(), step, rate)
    path = simulated(step, 7)
    slow = (1 - step) ** 2
    factor = 2 * step**2 * (rate + slow) / (rate - slow) ** 2
    constants = {(0, 0): Fraction(0)}
    for v in (1, 2):
        before = [(m, k) for m in range(v) for k in range(WIDTHS[m])]
        for u in range(WIDTHS[v]):
            edges = sum(jacobian(m, v, k, u) ** 2 for m, k in before)
            constants[v, u] = path[0][v, u] ** 2 + factor * edges * sum(constants[n] for n in before)
    for time, deviations in enumerate(path):
        for (v, u), deviation in deviations.items():
            at = {"t": time, "l": v, "i": u}
            assert run.value(dag.DEV, at) == deviation
            assert run.value(App("C", (l, i)), at) == constants[v, u]
            assert deviation**2 <= constants[v, u] * rate**time


@pytest.mark.parametrize("gamma", ["0", "2", "5/2", "-1/3"])
def test_next_to_the_output_nothing_comes_closer(gamma: str) -> None:
    path = simulated(Fraction(gamma), 7)
    for unit in ((1, 0), (1, 1)):
        assert path[0][unit] != 0
        assert all(d[unit] == (1 - Fraction(gamma)) ** n * path[0][unit] for n, d in enumerate(path))
        assert all(abs(d[unit]) >= abs(path[0][unit]) for d in path)


# -- false variants ----------------------------------------------------------------
def without(claim: Claim, name: str) -> Claim:
    kept = {n: s for n, s in claim.theory.hypotheses.items() if n != name}
    assert len(kept) == len(claim.theory.hypotheses) - 1
    return replace(claim, theory=replace(claim.theory, hypotheses=kept))


def where(claim: Claim, values: Fixed, depth: int) -> Claim:
    """Parameters and sizes fixed, where a counterexample is known to be; one unit a vertex, none at the input's."""
    more = {f"{n}_fixed": Statement((), (), Eq(App(n), Num(v))) for n, v in values.items()}
    small = (eq(size("L"), depth), *(eq(size("n", Idx(v)), 1) for v in range(depth)))
    theory = claim.theory.extend(hypotheses=more)
    return replace(claim, theory=replace(theory, assumptions=(*theory.assumptions, *small)))


def fails(claim: Claim, values: Fixed, depth: int) -> None:
    """No proof of it, and a counterexample where it is known to fail."""
    with pytest.raises((Stuck, ValueError)):
        prove_claim(claim)
    assert pp.refute(where(claim, values, depth)).verdict == "refuted"


@pytest.mark.parametrize(
    ("id", "name", "values", "depth"),
    [
        ("dag_rate", "rho_at_least", {"gamma": 3, "rho": 2}, 2),
        ("dag_rate", "rho_other", {"gamma": 1, "rho": 0}, 3),
        ("dag_converges", "gamma_not_negative", {"gamma": -1}, 1),
        ("dag_converges", "gamma_nonzero", {"gamma": 0}, 1),
        ("dag_converges", "gamma_at_most_2", {"gamma": 3}, 1),
        ("dag_converges", "gamma_not_2", {"gamma": 2}, 1),
        ("dag_does_not_converge", "step_outside", {"gamma": 1}, 2),
    ],
)
def test_no_hypothesis_can_be_dropped(id: str, name: str, values: Fixed, depth: int) -> None:
    fails(without(CLAIMS[id](), name), values, depth)


def changed(claim: Claim, name: str, case: int, change: Callable[[Term], Term]) -> Claim:
    """One case of a definition changed."""
    groups = []
    for group in claim.theory.definitions:
        definitions = []
        for d in group:
            cases = [
                replace(c, value=change(c.value)) if (d.name, n) == (name, case) else c for n, c in enumerate(d.cases)
            ]
            definitions.append(replace(d, cases=tuple(cases)))
        groups.append(tuple(definitions))
    return replace(claim, theory=replace(claim.theory, definitions=tuple(groups)))


def with_goal(claim: Claim, at: int, change: Callable[[Statement], Statement]) -> Claim:
    return replace(claim, goals=tuple(change(g) if n == at else g for n, g in enumerate(claim.goals)))


def of_bound(right: Callable[[Term], Term]) -> Callable[[Statement], Statement]:
    def change(s: Statement) -> Statement:
        assert isinstance(s.relation, Le)
        return replace(s, relation=Le(s.relation.lhs, right(s.relation.rhs)))

    return change


def first_only(value: Term) -> Term:
    return value.args[0]  # type: ignore[attr-defined, no-any-return]


def second_only(value: Term) -> Term:
    return value.args[1]  # type: ignore[attr-defined, no-any-return]


C = App("C", (l, i))
HALF_STEP = {"gamma": Fraction(1, 2), "rho": Fraction(1, 2)}
FALSE: dict[str, tuple[Callable[[], Claim], Fixed, int]] = {
    "no start in the constant": (lambda: changed(dag.rate(), "C", 1, second_only), HALF_STEP, 2),
    "nothing carried in the constant": (lambda: changed(dag.rate(), "C", 1, first_only), HALF_STEP, 3),
    "a constant of the other sign": (lambda: changed(dag.rate(), "C", 1, neg), HALF_STEP, 2),
    "a constant half as large": (lambda: changed(dag.rate(), "C", 1, lambda v: mul(v, Num(1) / 2)), HALF_STEP, 2),
    "the rate (1 - gamma)^2 itself": (
        lambda: with_goal(dag.rate(), 3, of_bound(lambda _: mul(C, Pow(dag.SLOWEST, t)))),
        {"gamma": 1, "rho": 1},
        3,
    ),
    "one step sooner": (
        lambda: with_goal(dag.rate(), 3, of_bound(lambda _: mul(C, Pow(dag.RHO, t + 1)))),
        HALF_STEP,
        2,
    ),
    "deviation from 0": (lambda: changed(dag.rate(), "dev", 0, first_only), HALF_STEP, 2),
    "deviation of the other sign": (lambda: changed(dag.rate(), "dev", 0, neg), HALF_STEP, 2),
    "the printed sign of the step": (
        lambda: changed(dag.rate(), "x", 2, lambda v: add(first_only(v), neg(second_only(v)))),
        HALF_STEP,
        2,
    ),
    "closer for every gamma": (
        lambda: with_goal(dag.does_not_converge(), 2, lambda s: replace(s, relation=turned(s.relation))),
        {"gamma": 3},
        2,
    ),
    "the other power": (
        lambda: with_goal(
            dag.does_not_converge(),
            1,
            lambda s: replace(s, relation=Eq(s.relation.lhs, mul(Pow(dag.REST, t + 1), dag.dev(Idx(0), dag.NEXT, i)))),  # type: ignore[union-attr]
        ),
        {"gamma": 3},
        2,
    ),
    "at the second vertex too": (
        lambda: with_goal(
            dag.does_not_converge(),
            2,
            lambda s: Statement(
                ("t", "i"),
                (ge(t, 0), ge(size("L"), 3), eq(i, 0), ge(size("n", Idx(2)), 1)),
                Le(*(mul(d, d) for d in (dag.dev(Idx(0), Idx(2), i), dag.dev(t, Idx(2), i)))),
            ),
        ),
        {"gamma": 2},
        3,
    ),
}


def turned(relation: object) -> Le:
    assert isinstance(relation, Le)
    return Le(relation.rhs, relation.lhs)


@pytest.mark.parametrize("name", list(FALSE))
def test_a_false_variant_is_refuted_and_not_proved(name: str) -> None:
    make, values, depth = FALSE[name]
    fails(make(), values, depth)
