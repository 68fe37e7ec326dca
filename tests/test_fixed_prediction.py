"""Fixed prediction: the derived rule is the algorithm of the papers, and its theorems are not provable when false."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from math import comb

import pytest

import pcproof as pp
from pcproof.catalogue import entries
from pcproof.language.evaluate import Evaluator, Model
from pcproof.language.index import ge, qvar, size
from pcproof.language.signature import Claim, Eq, Statement
from pcproof.language.terms import ONE, ZERO, App, Num, Pow, mul, subterms
from pcproof.networks.network import L
from pcproof.proof.theory import admit
from pcproof.refute.confirm import Judge
from pcproof.refute.mutate import mutants
from pcproof.rules.claims import dynamics, equals_backprop, final_weights, plasticity
from pcproof.rules.equations import ORDERS, Equations, other_orders, timed_theory
from pcproof.rules.fixed_prediction import T, fixed_prediction
from pcproof.rules.fixed_prediction_claims import (
    assuming,
    binomial_sum,
    exact,
    fixed_point,
    kappa,
    learns_at,
    share_law,
    start_forgotten,
)
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim

t, l = qvar("t"), qvar("l")


# -- the rule is the algorithm -----------------------------------------------------
W = {1: [[2, -1]], 2: [[1, 3], [-2, 1]], 3: [[1], [2]]}  # layer l to layer l - 1
INPUT, TARGET = [Fraction(1, 2)], [Fraction(3)]


def f(x: Fraction) -> Fraction:
    return x * x


def df(x: Fraction) -> Fraction:
    return 2 * x


def by_hand(eta: Fraction, steps: int) -> tuple[list[list[Fraction]], list[list[list[Fraction]]]]:
    """Rosenbaum's Algorithm 3 with the signs repaired, layers numbered from the output: errors, weight changes."""
    y = {3: INPUT}
    for layer in (2, 1, 0):
        y[layer] = [sum(w * f(v) for w, v in zip(row, y[layer + 1])) for row in W[layer + 1]]
    v = {layer: list(y[layer]) for layer in y}
    v[0] = TARGET
    for _ in range(steps):
        eps = {layer: [a - b for a, b in zip(v[layer], y[layer])] for layer in (0, 1, 2)}
        for layer in (1, 2):
            back = [
                df(y[layer][i]) * sum(W[layer][k][i] * eps[layer - 1][k] for k in range(len(W[layer])))
                for i in range(len(y[layer]))
            ]
            v[layer] = [x + eta * (b - e) for x, b, e in zip(v[layer], back, eps[layer])]
    errors = [[a - b for a, b in zip(v[layer], y[layer])] for layer in (0, 1, 2)]
    changes = [[[e * f(x) for x in y[layer + 1]] for e in errors[layer]] for layer in (0, 1, 2)]
    return errors, changes


def model(gamma: Fraction, steps: int) -> Model:
    widths = (1, 2, 2, 1)
    return Model(
        sizes={"L": 3, "B": 1, "T": steps, "n": lambda layer: widths[layer]},
        parameters={
            "w": lambda layer, i, j: Fraction(W[layer][i][j]),
            "s_in": lambda b, i: INPUT[i],
            "s_out": lambda b, i: TARGET[i],
            "gamma": lambda: gamma,
            "alpha": lambda: Fraction(1),
        },
        functions={"f": lambda layer, x: f(x), "df": lambda layer, x: df(x)},
    )


@pytest.mark.parametrize("gamma", [Fraction(1), Fraction(1, 3), Fraction(-2), Fraction(0)])
def test_the_run_is_the_algorithm_and_the_errors_are_binomial_shares(gamma: Fraction) -> None:
    theory = timed_theory(fixed_prediction(pp.MLP()).equations)
    for steps in range(5):
        run = Evaluator(theory, model(gamma, steps))
        errors, changes = by_hand(gamma, steps)
        for layer in range(3):
            share = sum(comb(steps, k) * gamma**k * (1 - gamma) ** (steps - k) for k in range(layer, steps + 1))
            for i, e in enumerate(errors[layer]):
                at = {"t": steps, "l": layer, "b": 0, "i": i}
                got = run.value(App("eps", (t, l, qvar("b"), qvar("i"))), at)
                delta = run.value(App("delta", (l, qvar("b"), qvar("i"))), at)
                assert got == e == share * delta
                for j, change in enumerate(changes[layer][i]):
                    here = {"t": steps + 1, "l": layer + 1, "i": i, "j": j}
                    moved = App("theta", (t, l, qvar("i"), qvar("j"))) - App("w", (l, qvar("i"), qvar("j")))
                    assert run.value(moved, here) == change


def test_what_is_held_is_said_in_the_definitions() -> None:
    theory = timed_theory(fixed_prediction(pp.MLP(bias=True)).equations)
    admit(theory)
    mu = theory.definition("mu")
    assert mu is not None and mu.cases[0].value is App("y", (l, qvar("b"), qvar("i")))
    running = {"x", "theta", "beta"}
    for name in ("x", "dtheta", "dbeta"):
        d = theory.definition(name)
        assert d is not None
        for case in d.cases:
            for s in subterms(case.value):
                if isinstance(s, App) and s.args:  # nothing that moves is under a function
                    assert "y[" in repr(s) and not any(f"{r}[t" in repr(s) for r in running)


@pytest.mark.parametrize("net", [pp.MLP(), pp.MLP(bias=True), pp.Chain()], ids=lambda n: n.name)
def test_step_and_plasticity_are_gradients_of_the_energy(net: pp.MLP) -> None:
    e = fixed_prediction(net).equations
    prove_claim(dynamics(e))
    if isinstance(net, pp.MLP):  # of a chain it would need the Jacobian by the parameters
        prove_claim(plasticity(e))


def test_a_rule_that_is_not_held_is_as_it_was() -> None:
    e = pp.rules.zil(pp.MLP()).equations
    assert not e.held
    assert set(other_orders(e)) == set(ORDERS) - {"synchronous"}


def test_held_is_true_or_false() -> None:
    net = pp.MLP()
    x, mu, y, theta, l_, t_, L_, alpha = net.symbols("x mu y theta l t L alpha")
    F = pp.Sum(pp.sq(x[l_] - mu[l_]) / 2, (l_, 0, L_ - 1))
    learn = {theta[l_ + 1]: -alpha * F.diff(theta[l_ + 1])}
    given = dict(energy=F, start={x[l_]: y[l_]}, step={x[l_]: -1 * F.diff(x[l_])}, learn=learn, when=pp.Eq(t_, L_))
    with pytest.raises(pp.RuleError, match="held is True or False, got 'yes'"):
        pp.Rule(net, held="yes", **given)
    assert pp.prove(pp.Rule(net, held=True, **given)).verdict == "proved"
    assert pp.prove(pp.Rule(net, **given)).verdict == "refuted"


# -- a rule of one's own -------------------------------------------------------------
@pytest.mark.parametrize("steps", [L, L - 1, L + 3, l, l + 1])
def test_any_moment_late_enough_gives_backprop(steps: object) -> None:
    assert pp.prove(fixed_prediction(pp.MLP(), 1, steps)).verdict == "proved"


@pytest.mark.parametrize("steps", [L - 2, size("T"), l - 1])
def test_any_moment_too_early_does_not(steps: object) -> None:
    assert pp.prove(fixed_prediction(pp.MLP(), 1, steps)).verdict == "refuted"


# -- false variants ------------------------------------------------------------------
def false_claims() -> dict[str, Claim]:
    every = fixed_prediction(pp.MLP(bias=True)).equations
    one = fixed_prediction(pp.MLP(bias=True), 1).equations
    law, once = share_law(every), exact(one)
    out = {
        "gamma symbolic": assuming(equals_backprop(every), ge(T, L - 1)),
        "gamma 2": assuming(equals_backprop(fixed_prediction(pp.MLP(), 2).equations), ge(T, L)),
        "gamma 0": assuming(equals_backprop(fixed_prediction(pp.MLP(), 0).equations), ge(T, L)),
        "one step too few": assuming(equals_backprop(one), ge(T, L - 2), ge(T, 0)),
        "not held": share_law(dataclasses.replace(every, held=False)),
        "exact, not held": exact(dataclasses.replace(one, held=False)),
        "fresh errors": share_law(dataclasses.replace(every, order="states-first-fresh")),
        "law from another start": share_law(dataclasses.replace(every, start=ZERO)),
        "exact from another start": exact(dataclasses.replace(one, start=Num(1))),
        "start forgotten with gamma": start_forgotten(every),
    }
    layers = law.goals[0]
    assert isinstance(layers.relation, Eq)
    for name, share in {
        "the share of the next layer": kappa(l + 1, t),
        "a power alone": Pow(App("gamma"), l),
        "all of it": ONE,
    }.items():
        relation = Eq(layers.relation.lhs, mul(share, App("delta", (l, qvar("b"), qvar("i")))))
        out[name] = dataclasses.replace(
            law, goals=(Statement(layers.variables, layers.guards, relation), *law.goals[1:])
        )
    closed = law.goals[-3]
    for name, other in {
        "sum from the next": binomial_sum(l + 1, t),
        "sum of more tosses": binomial_sum(l, t + 1),
        "twice the sum": mul(2, binomial_sum(l, t)),
    }.items():
        wrong = Statement(closed.variables, closed.guards, Eq(kappa(l, t), other))
        out[name] = dataclasses.replace(law, goals=(*law.goals[:-3], wrong, *law.goals[-2:]))
    for number, goal in enumerate(once.goals[:5]):  # the times at which nothing or something happens
        for k, c in enumerate(goal.guards):
            if any(a == t.terms[0][0] for a, _ in c.expr.terms) and c != ge(t, 0):
                guards = (*goal.guards[:k], *goal.guards[k + 1 :])
                goals = (*once.goals[:number], dataclasses.replace(goal, guards=guards), *once.goals[number + 1 :])
                out[f"goal {number + 1} without {c!r}"] = dataclasses.replace(once, goals=goals)
    out["every layer at any T"] = dataclasses.replace(once, goals=final_weights(learns_at(one, T)))
    rest = fixed_point(every)
    for name in rest.theory.hypotheses:
        kept = {n: h for n, h in rest.theory.hypotheses.items() if n != name}
        out[f"fixed point without {name}"] = dataclasses.replace(
            rest, theory=dataclasses.replace(rest.theory, hypotheses=kept)
        )
    return out


@pytest.mark.parametrize("name", list(false_claims()))
def test_a_false_variant_is_refuted_and_not_proved(name: str) -> None:
    claim = false_claims()[name]
    with pytest.raises((Stuck, ValueError)):
        prove_claim(claim)
    assert pp.prove(claim).verdict == "refuted"


# -- the catalogue -------------------------------------------------------------------
MINE = [e for e in entries().values() if e.id.startswith("fixed_prediction")]


@pytest.mark.parametrize("entry", [e for e in MINE if e.expected == "refuted"], ids=lambda e: e.id)
def test_what_fails_has_a_smallest_exact_counterexample(entry: object) -> None:
    result = pp.prove(entry.claim())  # type: ignore[attr-defined]
    found = result.counterexample
    assert result.verdict == "refuted" and found.exhaustive
    assert found.sizes["L"] == 2 and found.widths["n"] == (1, 1, 1)
    assert not Judge(found.claim.theory, found.instance).compare(found.statement.relation, dict(found.indices)).holds


def test_the_mutants_include_predictions_that_move() -> None:
    e: Equations = fixed_prediction(pp.MLP(), 1).equations
    names = [m.name for m in mutants(e)]
    assert "predictions: not held" in names and len(set(names)) == len(names)
    orders = [n for n in names if n.startswith("order: ")]
    assert orders == ["order: states-first-fresh"]


@pytest.mark.parametrize("order", ["weights-first", "states-first", "states-first-fresh"])
def test_the_orders_left_out_compute_the_same(order: str) -> None:
    e = fixed_prediction(pp.MLP()).equations
    own = Evaluator(timed_theory(e), model(Fraction(1, 3), 2))
    other = Evaluator(timed_theory(dataclasses.replace(e, order=order)), model(Fraction(1, 3), 2))
    weight = App("theta", (4, l, qvar("i"), qvar("j")))
    at = [{"l": layer, "i": i, "j": j} for layer in W for i, row in enumerate(W[layer]) for j in range(len(row))]
    same = all(own.value(weight, here) == other.value(weight, here) for here in at)
    assert same == (order not in other_orders(e))
