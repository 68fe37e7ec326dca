"""Continuous time: the series against an integration of its own, hypotheses and false variants."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from math import factorial
from typing import Any

import pytest

import pcproof as pp
from pcproof import api
from pcproof.api import proved_by_kernel
from pcproof.language.evaluate import Evaluator, Model
from pcproof.language.index import Con, eq, qvar
from pcproof.language.signature import Claim, Eq, Theory
from pcproof.language.terms import App, mul
from pcproof.networks.losses import AnyLoss
from pcproof.networks.network import Network
from pcproof.refute.mutate import claim_mutants
from pcproof.rules.continuous import coefficient, flow_theory, taylor
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim

k, l = qvar("k"), qvar("l")
NETS = [pp.MLP(), pp.MLP(bias=True), pp.Chain()]
DEPTH, ORDER = 4, 6


@pytest.mark.parametrize("net", NETS, ids=lambda n: n.name)
def test_it_is_proved_for_every_network(net: Network) -> None:
    claim = taylor(net)
    assert len(prove_claim(claim).goals) == len(claim.goals)


def weight(*at: int) -> Fraction:
    return Fraction(1 + sum((n + 2) * v for n, v in enumerate(at)) % 5, 3)


def square_network(theory: Theory | None = None) -> Evaluator:
    """Four layers of weights, two units each, f(z) = z^2: (z^2 - y^2) / (z - y) = z + y, so g = 2 y + x_1 t + ..."""
    theory = theory or flow_theory(pp.MLP())
    parameters: dict[str, Callable[..., Any]] = {"w": weight, "alpha": lambda: Fraction(1)}
    parameters["s_in"] = lambda b, i: Fraction(1 + i, 2)
    parameters["s_out"] = lambda b, i: Fraction(3 - i)
    functions = {"f": lambda layer, z: z * z, "df": lambda layer, z: 2 * z}
    run = Evaluator(theory, Model({"L": DEPTH, "B": 1, "n": lambda layer: 2}, parameters, functions))

    def x(order: int, *at: int) -> Any:
        return run.call("x", (order, *at))

    parameters["g"] = lambda order, *at: x(order, *at) * (1 if order else 2)
    parameters["df_x"] = lambda order, *at: 2 * x(order, *at)
    parameters["f_x"] = lambda order, *at: sum(x(a, *at) * x(order - a, *at) for a in range(order + 1))
    return run


def test_the_hypotheses_hold_of_true_series() -> None:
    run = square_network()
    for name, h in flow_theory(pp.MLP()).hypotheses.items():
        assert isinstance(h.relation, Eq)
        seen = 0
        for order in range(1, 4):
            for layer in range(1, DEPTH + 1):
                at = {"k": order, "l": layer, "b": 0, "i": 1}
                if all(run.holds(g, at) for g in h.guards):
                    seen += 1
                    assert run.value(h.relation.lhs, at) == run.value(h.relation.rhs, at), name
        assert seen > 2


@cache
def integrated() -> dict[int, list[list[Fraction]]]:
    """Errors of each layer and unit by Picard iteration on lists of coefficients; none of the definitions is used."""
    order, s_in, s_out = ORDER, [Fraction(1, 2), Fraction(1)], [Fraction(3), Fraction(2)]

    def times(a: list[Fraction], c: list[Fraction]) -> list[Fraction]:
        return [sum((a[m] * c[n - m] for m in range(n + 1)), Fraction(0)) for n in range(order)]

    def constant(v: Fraction) -> list[Fraction]:
        return [v, *[Fraction(0)] * (order - 1)]

    def total(parts: list[list[Fraction]]) -> list[Fraction]:
        return [sum(column, Fraction(0)) for column in zip(*parts)]

    def predict(above: list[list[Fraction]], layer: int) -> list[list[Fraction]]:
        scaled = [[[weight(layer, i, j) * v for v in times(above[j], above[j])] for j in (0, 1)] for i in (0, 1)]
        return [total(row) for row in scaled]

    x = {DEPTH: [constant(v) for v in s_in]}
    for layer in range(DEPTH - 1, 0, -1):
        x[layer] = predict(x[layer + 1], layer + 1)
    x[0] = [constant(v) for v in s_out]
    start = {n: [u[0] for u in units] for n, units in x.items()}
    for _ in range(order):
        mu = {n: predict(x[n + 1], n + 1) for n in range(DEPTH)}
        eps = {n: [[a - c for a, c in zip(x[n][u], mu[n][u])] for u in (0, 1)] for n in range(DEPTH)}
        for n in range(1, DEPTH):
            for u in (0, 1):
                back = total([[weight(n, j, u) * v for v in eps[n - 1][j]] for j in (0, 1)])
                force = [p - q for p, q in zip(times([2 * v for v in x[n][u]], back), eps[n][u])]
                x[n][u] = [start[n][u], *[force[m] / (m + 1) for m in range(order - 1)]]
    mu = {n: predict(x[n + 1], n + 1) for n in range(DEPTH)}
    return {n: [[a - c for a, c in zip(x[n][u], mu[n][u])] for u in (0, 1)] for n in range(DEPTH)}


def errors(run: Evaluator) -> dict[int, list[list[Fraction]]]:
    return {n: [[run.call("eps", (m, n, 0, u)) for m in range(ORDER)] for u in (0, 1)] for n in range(DEPTH)}


def test_the_series_is_that_of_an_integration_by_hand() -> None:
    eps, run = integrated(), square_network()
    assert errors(run) == eps
    for n in range(DEPTH):
        for u in (0, 1):
            delta = run.call("delta", (n, 0, u))
            assert delta != 0 and eps[n][u][: n + 1] == [*[0] * n, delta / factorial(n)]


@pytest.mark.parametrize("net", [pp.MLP(), pp.Chain()], ids=lambda n: n.name)
def test_each_hypothesis_is_needed(net: Network) -> None:
    claim = taylor(net)
    for name in claim.theory.hypotheses:
        rest = {n: s for n, s in claim.theory.hypotheses.items() if n != name}
        result = api.refute(dataclasses.replace(claim, theory=dataclasses.replace(claim.theory, hypotheses=rest)))
        assert result.verdict == "refuted", name


def test_each_term_is_needed() -> None:
    """A mutant that is still proved changes coefficients that do not lead; then its series is another."""
    found = claim_mutants(taylor(pp.MLP()), ("count", "factorial", "reciprocal", "x", "mu", "eps", "rate"))
    left = [m for m in found if proved_by_kernel(m.claim)]
    assert len(found) > 40 and len(left) < 12
    for m in left:
        assert m.name.startswith(("x: ", "mu: ", "rate: ")), m.name
        assert errors(square_network(m.claim.theory)) != integrated(), m.name


def false_claims() -> dict[str, Claim]:
    claim = taylor(pp.MLP())

    def put(at: int, change: Callable[[Eq], Eq], guards: Callable[[Con], Con] = lambda c: c) -> Claim:
        old = claim.goals[at]
        assert isinstance(old.relation, Eq)
        new = dataclasses.replace(old, relation=change(old.relation), guards=tuple(map(guards, old.guards)))
        return dataclasses.replace(claim, goals=(*claim.goals[:at], new, *claim.goals[at + 1 :]))

    delta = App("delta", (l, qvar("b"), qvar("i")))
    return {
        "delta without 1 / l!": put(2, lambda r: Eq(r.lhs, delta)),
        "the other sign": put(2, lambda r: Eq(r.lhs, mul(-1, r.rhs))),
        "one order later": put(2, lambda r: r, lambda c: eq(k, l + 1) if c == eq(k, l) else c),
        "k x[k+1] = rate": put(
            0, lambda r: Eq(mul(App("count", (k,)), App("x", (k + 1, l, qvar("b"), qvar("i")))), r.rhs)
        ),
    }


@pytest.mark.parametrize("name", list(false_claims()))
def test_a_false_variant_is_refuted_and_not_proved(name: str) -> None:
    claim = false_claims()[name]
    assert not proved_by_kernel(claim)
    assert api.refute(claim).verdict == "refuted"


def test_what_is_no_series_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no sum of products of series"):
        coefficient(App("alpha"), k, lambda a, order: None)
    with pytest.raises((Stuck, ValueError)):
        prove_claim(taylor(AnyLoss(pp.MLP())))
