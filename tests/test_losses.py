"""Z-IL with other losses than the squared error: derived output errors, exact runs, false variants."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from math import exp, log
from pathlib import Path

import pytest

import pcproof as pp
from pcproof import api
from pcproof.catalogue import entries, load
from pcproof.language.evaluate import EvaluationError, Evaluator, Model
from pcproof.language.index import ge
from pcproof.language.signature import Claim, Eq
from pcproof.language.terms import mul
from pcproof.networks.losses import AnyLoss, CrossEntropy
from pcproof.networks.network import Network
from pcproof.refute.mutate import mutants
from pcproof.rules.claims import dynamics, equals_backprop, plasticity
from pcproof.rules.equations import Equations, timed_theory
from pcproof.rules.losses import cross_entropy_is_backprop, loss_is_backprop, loss_law, output_error, zil_with_loss
from pcproof.tactics.goals import Stuck
from pcproof.tactics.prover import prove_claim

NETS = [AnyLoss(pp.MLP()), AnyLoss(pp.MLP(bias=True)), AnyLoss(pp.Chain()), CrossEntropy(pp.MLP())]


@pytest.mark.parametrize("net", NETS, ids=lambda n: n.name)
def test_it_is_backprop_on_every_network(net: Network) -> None:
    prove_claim(loss_law(zil_with_loss(net, None).equations))
    e = zil_with_loss(net).equations
    prove_claim(loss_is_backprop(e))
    prove_claim(equals_backprop(e))  # what a rule file asks, without a hint


def test_the_gradients_of_the_energy_are_proved_where_cases_change_next_to_the_output() -> None:
    e = zil_with_loss(AnyLoss(pp.MLP(bias=True)), None).equations
    prove_claim(dynamics(e))
    prove_claim(plasticity(e))


def test_the_squared_error_is_a_loss_like_any_other() -> None:
    assert repr(output_error(pp.MLP())) == "s_out[b,i] - y[0,b,i]"
    assert repr(output_error(NETS[0])) == "-dLoss[b,i](j -> y[0,b,j])"


def run(e: Equations, loss: str) -> Evaluator:
    """Two hidden layers of two units, f = square, two samples."""
    table = lambda *a: Fraction(1 + sum((k + 2) * v for k, v in enumerate(a)) % 5, 3)  # noqa: E731
    functions = {
        "f": lambda layer, v: v * v + layer * v,
        "df": lambda layer, v: 2 * v + layer,
        # Loss[b](u) = (sum u)^3 / 3: no sum over units
        "Loss": lambda b, u: (u(0) + u(1)) ** 3 / 3,
        "dLoss": lambda b, i, u: (u(0) + u(1)) ** 2,
        "exp": lambda v: exp(v),
        "dexp": lambda v: exp(v),
        "log": lambda v: log(v),
        "dlog": lambda v: 1 / v,
    }
    if loss == "rational":
        functions |= {"exp": lambda v: v * v + 1, "dexp": lambda v: v * v + 1, "log": lambda v: v}
    if loss == "entropy":
        number, value = float, lambda *a: float(table(*a)) / 3
    else:
        number, value = Fraction, table
    model = Model(
        sizes={"L": 3, "B": 2, "n": lambda layer: 2},
        parameters=dict.fromkeys(("w", "c", "s_in", "s_out"), value) | {"alpha": lambda: number(Fraction(1, 7))},
        functions=functions,
        number=number,
    )
    return Evaluator(timed_theory(e), model)


def test_an_exact_run_ends_where_backprop_ends() -> None:
    at = run(zil_with_loss(AnyLoss(pp.MLP(bias=True))).equations, "cube")
    for layer in (1, 2, 3):
        for unit in (0, 1):
            moved = at.call("beta", (4, layer, unit)) - at.call("c", (layer, unit))
            assert moved == at.call("dc", (layer, unit)) != 0


@pytest.mark.parametrize("make", [AnyLoss, CrossEntropy])
def test_each_term_of_the_rule_is_needed(make: type[AnyLoss]) -> None:
    """In exact numbers; any exp = exp' and log' = 1 / z will do: here exp(v) = v^2 + 1."""
    e = zil_with_loss(make(pp.MLP(bias=True))).equations

    def learns(equations: Equations) -> bool:
        at = run(equations, "rational")
        places = [(layer, i) for layer in (1, 2, 3) for i in (0, 1)]
        biases = all(at.call("beta", (4, *p)) == at.call("c", p) + at.call("dc", p) for p in places)
        edges = [(*p, j) for p in places for j in (0, 1)]
        return biases and all(at.call("theta", (4, *p)) == at.call("w", p) + at.call("dw", p) for p in edges)

    assert learns(e)
    left, changed = [], mutants(e)
    for m in changed:
        try:
            if learns(m.equations):
                left.append(m.name)
        except EvaluationError:  # the mutant reads a layer that does not exist
            continue
    assert len(changed) > 60
    # eps is 0 whenever the step reads it: zil_loss_dynamics is what these break
    assert all("eps[l,b,i]" in name for name in left) and len(left) < 6, left


def test_softmax_cross_entropy_in_floats() -> None:
    net = CrossEntropy(pp.MLP(bias=True))
    at = run(zil_with_loss(net).equations, "entropy")
    for b in (0, 1):
        y = [at.call("y", (0, b, i)) for i in (0, 1)]
        s = [at.call("s_out", (b, i)) for i in (0, 1)]
        z = sum(map(exp, y))
        for i in (0, 1):
            assert at.call("delta", (0, b, i)) == pytest.approx(s[i] - sum(s) * exp(y[i]) / z, abs=1e-12)
    assert at.value(net.loss(), {}) == pytest.approx(
        -sum(
            at.call("s_out", (b, i))
            * log(exp(at.call("y", (0, b, i))) / sum(exp(at.call("y", (0, b, j))) for j in (0, 1)))
            for b in (0, 1)
            for i in (0, 1)
        ),
        abs=1e-12,
    )


RULE = """
import pcproof as pp

net = pp.AnyLoss(pp.MLP(bias=True))
x, mu, y, theta, beta, l, t, L, alpha = net.symbols("x mu y theta beta l t L alpha")
F = pp.Sum(pp.sq(x[l] - mu[l]) / 2, (l, 1, L - 1)) + pp.output_loss(net)
learn = {w[l + 1]: -alpha * F.diff(w[l + 1]) for w in (theta, beta)}
step = {x[l]: -F.diff(x[l])}
rule = pp.Rule(net, name="mine", energy=F, start={x[l]: y[l]}, step=step, learn=learn, when=pp.Eq(t, l))
"""


@pytest.mark.parametrize(("old", "new", "verdict"), [("", "", "proved"), ("-F.diff(x[l])", "F.diff(x[l])", "refuted")])
def test_a_rule_file_with_a_loss_of_its_own(tmp_path: Path, old: str, new: str, verdict: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(RULE.replace(old, new, 1) if old else RULE)
    assert pp.prove(load(str(path)).claim()).verdict == verdict


def test_a_loss_needs_a_network() -> None:
    with pytest.raises(TypeError, match="a network such as MLP"):
        AnyLoss("MLP")  # type: ignore[arg-type]


def test_the_cross_entropy_is_asked_of_its_network_only() -> None:
    with pytest.raises(ValueError, match="not of MLP, any loss"):
        cross_entropy_is_backprop(zil_with_loss(NETS[0]).equations)


def flipped(claim: Claim, goal: int) -> Claim:
    old = claim.goals[goal]
    assert isinstance(old.relation, Eq)
    new = dataclasses.replace(old, relation=Eq(old.relation.lhs, mul(-1, old.relation.rhs)))
    return dataclasses.replace(claim, goals=(*claim.goals[:goal], new, *claim.goals[goal + 1 :]))


def false_claims() -> dict[str, Claim]:
    e = zil_with_loss(NETS[0]).equations
    claim = loss_is_backprop(e)
    wide = claim.goals[1]
    output = dataclasses.replace(
        wide, guards=tuple(ge(g.expr + 1, 0) if g == wide.guards[0] else g for g in wide.guards)
    )
    return {
        "the output error uphill": flipped(claim, 0),
        "a hidden error of the other sign": flipped(claim, 1),
        "the output's x - mu is the error": dataclasses.replace(claim, goals=(claim.goals[0], output, claim.goals[2])),
        "gamma left free": loss_is_backprop(zil_with_loss(NETS[0], None).equations),
    }


@pytest.mark.parametrize("name", list(false_claims()))
def test_a_false_variant_is_refuted_and_not_proved(name: str) -> None:
    claim = false_claims()[name]
    with pytest.raises((Stuck, ValueError)):
        prove_claim(claim)
    assert pp.prove(claim).verdict == "refuted"


@pytest.mark.parametrize("id", ["zil_loss_gradient", "zil_loss_dynamics", "zil_cross_entropy"])
def test_each_hypothesis_is_needed(id: str) -> None:
    claim = entries()[id].claim()
    assert claim.theory.hypotheses
    for name in claim.theory.hypotheses:
        rest = {n: s for n, s in claim.theory.hypotheses.items() if n != name}
        result = api.refute(dataclasses.replace(claim, theory=dataclasses.replace(claim.theory, hypotheses=rest)))
        assert result.verdict == "refuted", f"{id} without {name}"
