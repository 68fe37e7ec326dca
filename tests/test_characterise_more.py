"""Conditions by layer, through divisors, of generic layers and of held predictions; each worked out by hand.

Write c(l) for the factor eps^l = c(l) delta^l at the first arrival, t = l, where all ahead still has its forward value.
The change of theta^{l+1} at that time is backprop's if and only if its rate times c(l) is 1 (delta may be any number)
and nothing else is added.  With the usual step c(l) = gamma c(l-1).

decay_of_layer: where lam[k] x^k is added to the gradient, x^k leaves y^k at t = 0.  Before the wave comes theta^k
    reads x_{k-1}^k, which has to be y^k; one step later it is y^k - gamma lam[k] y^k, which theta^{k+1} sees.  So
    gamma = 1 (depth 2) and lam[k] = 0 for all 1 <= k < L.
drift_of_layer: the same with + c[k] y^k.
weight_decay_of_layer: what is added to the change is -alpha lam[l] theta^l; it has to be 0 for 1 <= l <= L.
rates: c(l) = gamma^l and a[l] c(l) = 1, that is a[0] = 1 and a[l+1] gamma = a[l].
rates_and_steps: c(l) = g[l] c(l-1), so a[0] = 1 and a[l] g[l] = a[l-1].
precision_and_step: c(l) = g[l] p[l-1] c(l-1) and p[l] c(l) = 1, so p[0] = 1 and g[l] p[l] = 1.
divisor: c(l) = (1 + lam)^-l is 1 at l = 1 if and only if lam = 0.
divisor_and_gamma: gamma / (1 + lam) = 1, that is lam = gamma - 1.
divisor_of_layer: c(l) = c(l-1) / (1 + a[l]), so a[l] = 0 for 1 <= l < L.
divisor_of_time: c(l) = c(l-1) / (1 + g[l-1]), so g[t] = 0 for 0 <= t < L-1.
two_divisors: c(1) = 1 / (gamma lam).
rates_divided: c(l) = p[l-1] c(l-1), and p[l] c(l) / q[l] = 1, that is q[0] = p[0] and q[l+1] = p[l+1] q[l].
neighbours: c(l) = (a[l] + a[l+1]) c(l-1).
power: c(1) = gamma, and with gamma = 1 all powers are 1.
chain: P is any map of a layer; delta^l = (Jacobian)^T delta^{l-1}, so c is as before.
chain_decay, chain_decay_of_layer: lam x^l is added as above.
held: the same wave, since predictions ahead of it are y anyhow.
held_late: x^l = y^l + kappa delta^l, kappa(1, 2) = gamma + (1 - gamma) gamma = 1 if and only if (gamma - 1)^2 = 0.
every_step: theta^l first moves at t = l - 1, by the error of the first arrival; asked is that
    this change be backprop's.
every_step_precision, every_step_chain, every_step_held: the factors c(l) are those of the rules that learn once.
every_step_weight_decay: the first change of theta^1 has -alpha lam theta^1 in it.
held_precision: c(l) = gamma p[l-1] c(l-1) and p[l] c(l) = 1, so p[0] = 1, gamma p[l] = 1.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from test_characterise import DESCENT, EACH, ENERGY, LAM, WEIGHTED, rule_text, written

import pcproof as pp
from pcproof.api import proved_by_kernel
from pcproof.catalogue import load
from pcproof.characterise import Characterisation
from pcproof.checkers import ask
from pcproof.cli import run
from pcproof.language.index import ge, qvar
from pcproof.language.terms import ONE, add
from pcproof.proof.acceptance import ACCEPTED
from pcproof.result import Proved


def per_layer(*names: str) -> str:
    return "\n".join(f'{n} = net.parameter("{n}", per="layer")' for n in names)


def chain(text: str) -> str:
    return text.replace("import MLP", "import Chain").replace("MLP()", "Chain()")


def held(text: str) -> str:
    return text.replace("Rule(net,", "Rule(net, held=True,")


def every(text: str) -> str:
    return "from pcproof.rules import EVERY_STEP\n" + text.replace("when=Eq(t, l)", "when=EVERY_STEP")


DECAY = " + Sum(lam[l] * sq({0}[l]) / 2, (l, 1, {1}))"
RULES = {
    "decay_of_layer": (
        rule_text(per_layer("lam"), ENERGY + DECAY.format("x", "L - 1")),
        ["gamma = 1", "lam[m] = 0 for 1 <= m < L"],
        "gamma^(l-1)",
    ),
    "drift_of_layer": (
        rule_text(per_layer("c"), step=DESCENT + " + c[l] * y[l]"),
        ["gamma = 1", "c[m] = 0 for 1 <= m < L"],
        "gamma^(l-1)",
    ),
    "weight_decay_of_layer": (
        rule_text(per_layer("lam"), ENERGY + DECAY.format("theta", "L")),
        ["gamma = 1", "lam[m] = 0 for 1 <= m <= L"],
        "gamma^(l-1)",
    ),
    "rates": (
        rule_text(per_layer("a"), learn="-alpha * a[l] * F.diff(theta[l + 1])"),
        ["a[0] = 1", "a[m+1]*gamma = a[m] for 0 <= m < L-1"],
        "a[l-1] * gamma^(l-1)",
    ),
    "rates_and_steps": (
        rule_text(per_layer("a", "g"), step="-g[l] * F.diff(x[l])", learn="-alpha * a[l] * F.diff(theta[l + 1])"),
        ["a[0] = 1", "a[m+1]*g[m+1] = a[m] for 0 <= m < L-1"],
        "a[l-1] * prod_{k=1..l-1} g[k]",
    ),
    "precision_and_step": (
        rule_text(per_layer("p", "g"), WEIGHTED, step="-g[l] * F.diff(x[l])"),
        ["p[0] = 1", "g[m]*p[m] = 1 for 1 <= m < L"],
        "p[l-1] * prod_{k=1..l-1} (g[k]*p[k-1])",
    ),
    "divisor": (rule_text(LAM, step="-1 / (1 + lam) * F.diff(x[l])"), ["lam = 0"], "(1/(1 + lam))^(l-1)"),
    "divisor_and_gamma": (
        rule_text(LAM, step="-gamma / (1 + lam) * F.diff(x[l])"),
        ["lam = gamma - 1"],
        "(gamma/(1 + lam))^(l-1)",
    ),
    "divisor_of_layer": (
        rule_text(per_layer("a"), step="-1 / (1 + a[l]) * F.diff(x[l])"),
        ["a[m] = 0 for 1 <= m < L"],
        "prod_{k=1..l-1} (1/(1 + a[k]))",
    ),
    "divisor_of_time": (
        rule_text('g = net.parameter("g", per="time")', step="-1 / (1 + g[t]) * F.diff(x[l])"),
        ["g[m] = 0 for 0 <= m < L-1"],
        "prod_{k=1..l-1} (1/(1 + g[k-1]))",
    ),
    "two_divisors": (
        rule_text(LAM, step="-1 / (gamma * lam) * F.diff(x[l])"),
        ["gamma*lam = 1"],
        "(1/gamma/lam)^(l-1)",
    ),
    "rates_divided": (
        rule_text(per_layer("p", "q"), WEIGHTED, step="-F.diff(x[l])", learn="-alpha / q[l] * F.diff(theta[l + 1])"),
        ["q[0] = p[0]", "p[m+1]*q[m] = q[m+1] for 0 <= m < L-1"],
        "p[l-1]/q[l-1] * prod_{k=1..l-1} (p[k-1])",
    ),
    "neighbours": (
        rule_text(per_layer("a"), step="-(a[l] + a[l + 1]) * F.diff(x[l])"),
        ["a[m+1] = -a[m] + 1 for 1 <= m < L"],
        "prod_{k=1..l-1} (a[k] + a[k+1])",
    ),
    "power": (rule_text(step="-gamma**l * F.diff(x[l])"), ["gamma = 1"], "prod_{k=1..l-1} (gamma^k)"),
    "chain": (chain(rule_text()), ["gamma = 1"], "gamma^(l-1)"),
    "chain_decay": (
        chain(rule_text(LAM, ENERGY + " + lam * Sum(sq(x[l]) / 2, (l, 1, L - 1))")),
        ["gamma = 1", "lam = 0"],
        "gamma^(l-1)",
    ),
    "chain_decay_of_layer": (
        chain(rule_text(per_layer("lam"), ENERGY + DECAY.format("x", "L - 1"))),
        ["gamma = 1", "lam[m] = 0 for 1 <= m < L"],
        "gamma^(l-1)",
    ),
    "held": (held(rule_text()), ["gamma = 1"], "gamma^(l-1)"),
    "held_late": (held(rule_text(when="Eq(t, l + 1)")), ["gamma = 1"], None),
    "held_precision": (
        held(rule_text(EACH, WEIGHTED)),
        ["p[0] = 1", "gamma*p[m] = 1 for 1 <= m < L"],
        "p[l-1] * prod_{k=1..l-1} (gamma*p[k-1])",
    ),
    "every_step": (every(rule_text()), ["gamma = 1"], "gamma^(l-1)"),
    "every_step_precision": (
        every(rule_text(EACH, WEIGHTED)),
        ["p[0] = 1", "gamma*p[m] = 1 for 1 <= m < L"],
        "p[l-1] * prod_{k=1..l-1} (gamma*p[k-1])",
    ),
    "every_step_weight_decay": (
        every(rule_text(LAM, ENERGY + " + lam * Sum(sq(theta[l]) / 2, (l, 1, L))")),
        ["lam = 0", "gamma = 1"],
        "gamma^(l-1)",
    ),
    "every_step_chain": (every(chain(rule_text())), ["gamma = 1"], "gamma^(l-1)"),
    "every_step_held": (every(held(rule_text())), ["gamma = 1"], "gamma^(l-1)"),
}
_done: dict[str, Characterisation] = {}


def found(name: str, folder: Path) -> Characterisation:
    if name not in _done:
        _done[name] = pp.characterise(load(written(folder, RULES[name][0])).rule())  # type: ignore[misc]
    return _done[name]


@pytest.mark.parametrize("name", RULES)
def test_the_condition_by_hand_is_found_and_proved_in_both_directions(name: str, tmp_path: Path) -> None:
    c = found(name, tmp_path)
    _, conditions, factor = RULES[name]
    assert c.verdict == "proved", str(c)
    assert [n.text for n in c.needed] == conditions
    assert isinstance(c.sufficient, Proved) and all(isinstance(n.result, Proved) for n in c.needed)
    assert (c.parallel.factor if c.parallel is not None else None) == factor


@pytest.mark.parametrize("name", RULES)
def test_a_wrong_condition_is_not_shown_to_be_needed(name: str, tmp_path: Path) -> None:
    """The network, hypotheses and script of each theorem, with a goal that is off by 1."""
    for n in found(name, tmp_path).needed:
        assert n.result is not None
        claim = n.result.claim
        (goal,) = claim.goals
        off = replace(goal, relation=replace(goal.relation, rhs=add(goal.relation.rhs, ONE)))
        assert not proved_by_kernel(replace(claim, goals=(off,)))


@pytest.mark.parametrize("name", RULES)
def test_no_condition_can_be_spared(name: str, tmp_path: Path) -> None:
    """Without one of the conditions the others do not suffice, and that is seen on a small network."""
    c = found(name, tmp_path)
    assert c.sufficient is not None
    claim = c.sufficient.claim
    for n in c.needed:
        kept = {name: s for name, s in claim.theory.hypotheses.items() if s != n.condition}
        assert len(kept) == len(claim.theory.hypotheses) - 1
        assert pp.prove(replace(claim, theory=replace(claim.theory, hypotheses=kept))).verdict == "refuted"


@pytest.mark.parametrize(
    "name", ["decay_of_layer", "weight_decay_of_layer", "held_late", "chain", "power", "rates_divided", "two_divisors"]
)
def test_the_standalone_checker_accepts_each_direction(name: str, tmp_path: Path) -> None:
    c = found(name, tmp_path)
    for theorem in (c.sufficient, *(n.result for n in c.needed)):
        assert isinstance(theorem, Proved) and theorem.proof is not None
        said = [a for a in ask(theorem.proof.text, ("standalone",), 60) if a.checker == "standalone checker"]
        assert [a.verdict for a in said] == [ACCEPTED], said


def test_of_a_rule_that_learns_at_every_step_the_first_changes_are_asked_for(tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    path = written(tmp_path, RULES["every_step"][0])
    assert run(["characterise", path]) == 0
    assert "asked is that the first change of every weight be backprop's" in capsys.readouterr().out
    assert run(["prove", path]) == 2
    assert "learns at every step" in capsys.readouterr().err
    claim = found("every_step", tmp_path).sufficient.claim  # type: ignore[union-attr]
    assert claim.title == "rule: the first change of every weight is backprop's"
    later = tuple(replace(s, guards=(*s.guards[:2], ge(qvar("t"), qvar("l")), *s.guards[3:])) for s in claim.goals)
    assert pp.prove(replace(claim, goals=later, script=None)).verdict == "refuted"  # it moves on after its first change


def test_what_is_known_of_other_layers_is_not_used(tmp_path: Path) -> None:
    """The theorem for one layer has no hypothesis about lam: any of the other layers may decay."""
    needed = found("decay_of_layer", tmp_path).needed[1]
    assert needed.result is not None
    claim = needed.result.claim
    assert [n for n in claim.theory.hypotheses if n.startswith("condition")] == ["condition_1"]  # gamma = 1
    free = {n: s for n, s in claim.theory.hypotheses.items() if n != "condition_1"}
    assert pp.prove(replace(claim, theory=replace(claim.theory, hypotheses=free))).verdict == "refuted"
