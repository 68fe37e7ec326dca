"""Fa-Z-IL: theorems proved, printed claims refuted, mutants refuted, a simulator of its own beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pytest

from pcproof.api import prove, proved_by_kernel
from pcproof.catalogue import entries
from pcproof.language.evaluate import Evaluator
from pcproof.language.index import eq, ge, le, qvar, size
from pcproof.language.signature import Case, Claim
from pcproof.language.terms import ONE, ZERO, App, IsZero, add, mul, neg
from pcproof.networks.chain import Chain
from pcproof.networks.mlp import MLP
from pcproof.networks.network import B, L
from pcproof.proof.theory import admit
from pcproof.refute.mutate import claim_mutants
from pcproof.refute.search import Limits, refute
from pcproof.refute.table import REFUTED, claim_table
from pcproof.rules import fazil_claims as claims
from pcproof.rules.autonomy import clocks
from pcproof.rules.equations import Equations, RuleError, moment, timed_theory
from pcproof.rules.fazil import fazil
from pcproof.rules.rule import Rule
from pcproof.rules.surface import Eq, Sum, before, is_zero, nonzero, parameter, sq, symbols
from pcproof.rules.zil import zil

IDS = [id for id in entries() if id.startswith("fazil_")]
LIMITS = Limits(max_depth=3, seconds=20)
THEOREMS = ("window", "trigger", "awakened", "exact", "criterion", "criterion_converse", "sufficient", "long_window")
NETS = (MLP(), MLP(bias=True), Chain())
TD, T = size("td"), size("T")
F = Fraction
UNIT = F(1)
t, l, b, i = (qvar(n) for n in "tlbi")


# -- a simulator of its own, for one sample, written from the paper ------------------------
@dataclass
class Run:
    """Weights after each time (layers from the output: theta[l] leads from l to l - 1), and what triggered."""

    weights: list[dict[int, list[list[F]]]]
    backprop: dict[int, list[list[F]]]
    delta: list[list[F]]
    triggers: list[tuple[int, int, int]]
    errors: list[list[list[F]]]


def simulate(w: dict[int, list[list[F]]], s_in, s_out, td: int, times: int, f, df, alpha: F = UNIT) -> Run:
    """Algorithm 2 with gamma = 1 in exact fractions; ``f(l, v)`` is the activation of layer l."""
    depth = len(w)
    y = {depth: list(s_in)}
    for n in range(depth - 1, -1, -1):
        y[n] = [sum((a * f(n + 1, v) for a, v in zip(row, y[n + 1])), F(0)) for row in w[n + 1]]
    delta = [[o - v for o, v in zip(s_out, y[0])]]
    for n in range(1, depth):
        back = [sum(w[n][k][j] * delta[n - 1][k] for k in range(len(w[n]))) for j in range(len(y[n]))]
        delta.append([df(n, v) * e for v, e in zip(y[n], back)])
    backprop = {
        n: [[a + alpha * delta[n - 1][r] * f(n, v) for a, v in zip(row, y[n])] for r, row in enumerate(w[n])] for n in w
    }
    x = {n: list(v) for n, v in y.items()}
    x[0] = list(s_out)
    theta = {n: [list(row) for row in rows] for n, rows in w.items()}
    log, triggers, errors = [theta], [], []
    for time in range(times):
        mu = {n: [sum(a * f(n + 1, v) for a, v in zip(row, x[n + 1])) for row in theta[n + 1]] for n in range(depth)}
        error = [[p - q for p, q in zip(x[n], mu[n])] for n in range(depth)]
        errors.append(error)
        phi = []
        for n in range(depth):
            seen = [errors[s][n] for s in range(max(0, time - td), time)]
            phi.append([int(e != 0 and all(past[u] == 0 for past in seen)) for u, e in enumerate(error[n])])
            triggers += [(time, n, u) for u, p in enumerate(phi[n]) if p]
        moved = {n: list(v) for n, v in x.items()}
        for n in range(1, depth):
            for j, v in enumerate(x[n]):
                back = sum(theta[n][k][j] * error[n - 1][k] for k in range(len(theta[n])))
                moved[n][j] = v - error[n][j] + df(n, v) * back
        theta = {
            n: [
                [a + alpha * phi[n - 1][r] * error[n - 1][r] * f(n, v) for a, v in zip(row, x[n])]
                for r, row in enumerate(theta[n])
            ]
            for n in theta
        }
        x = moved
        log.append(theta)
    return Run(log, backprop, delta, triggers, errors)


def identity(n, v):
    return v


def one(n, v):
    return F(1)


def relu(n, v):
    return max(v, F(0))


def step(n, v):
    return F(int(v > 0))


def fractions(rows):
    return [[F(v) for v in row] for row in rows]


CE1 = {1: fractions([[1, 2], [3, -1]]), 2: fractions([[1, 0], [2, 1]])}
CE2 = {1: fractions([[1, 1]]), 2: fractions([[1, 1], [-1, -1]]), 3: fractions([[1, 0], [0, 1]])}


@pytest.mark.parametrize("td", [1, 4])
def test_an_output_that_is_right_at_first_is_disturbed_and_learns(td):
    """CE-1: delta of output 0 is 0; it triggers at t = 1."""
    s_in = [F(1), F(2)]
    y1 = [F(1), F(4)]
    s_out = [y1[0] + 2 * y1[1], 3 * y1[0] - y1[1] + 1]
    run = simulate(CE1, s_in, s_out, td, 4, identity, one, F(1, 100))
    assert run.delta[0] == [0, 1]
    assert (1, 0, 0) in run.triggers and (0, 0, 0) not in run.triggers
    assert run.weights[2][1][0] != run.backprop[1][0]
    assert run.weights[1][1] == run.backprop[1]


def test_a_dead_unit_is_woken_and_learns():
    """CE-2: unit 1 of layer 1 is dead; its row moves by (28/25, 63/50) where backprop moves it by 0."""
    run = simulate(CE2, [F(1), F(2)], [F(10)], 4, 3, relu, step, F(1, 100))
    assert run.delta[1][1] == 0 and run.backprop[2][1] == [-1, -1]
    assert (2, 1, 1) in run.triggers
    assert [a - c for a, c in zip(run.weights[3][2][1], [F(-1), F(-1)])] == [F(28, 25), F(63, 50)]


def test_generic_targets_trigger_once_each_and_learn_as_backprop():
    w = {1: fractions([[1, 2], [3, -1]]), 2: fractions([[1, 3], [2, 1]])}
    run = simulate(w, [F(1), F(2)], [F(5), F(7)], 4, 4, identity, one, F(1, 100))
    assert sorted(run.triggers) == [(0, 0, 0), (0, 0, 1), (1, 1, 0), (1, 1, 1)]
    assert run.weights[-1] == run.backprop


@pytest.mark.parametrize("td", [1, 2, 3, 4, 5, 6, 7])
def test_no_window_is_long_enough_for_ever(td):
    """All delta nonzero, and the error of output 0 is 0 exactly td times: it triggers again at t = td + 1.

    Linear, one layer of hidden units, input 0: the error of the outputs at t is the sum over k <= t of (-G)^k s
    with G = theta theta^T.  So the bound of the long-window theorem cannot be raised (here for these td).
    """
    n = td + 2
    theta = [[F(2 * (r == c) + (c == r - 1)) for c in range(n)] for r in range(n)]
    g = [[sum(a * c for a, c in zip(p, q)) for q in theta] for p in theta]
    krylov = [[F(r == 0) for r in range(n)]]
    for _ in range(n - 1):
        krylov.append([sum(a * c for a, c in zip(row, krylov[-1])) for row in g])
    wanted = [1, 1, *[0] * (td - 1), 1]
    s: list[F] = []
    for r, row in enumerate(krylov):
        s.append((wanted[r] - sum(a * c for a, c in zip(row, s))) / row[r])
    run = simulate({1: theta, 2: [[F(1)]] * n}, [F(0)], s, td, td + 2, identity, one)
    assert all(d != 0 for row in run.delta for d in row)
    assert [run.errors[time][0][0] for time in range(1, td + 1)] == [0] * td
    assert (td + 1, 0, 0) in run.triggers
    # theta^1 has its moment at t = 0: right up to t = 1 + td, and wrong after that
    assert all(run.weights[time][1] == run.backprop[1] for time in range(1, td + 2))
    assert run.weights[td + 2][1] != run.backprop[1]


# -- the simulator against the definitions --------------------------------------------------
def of_counterexample(found: Any, td: int | None = None) -> Run:
    instance = found.instance
    read = {"identity": (identity, one), "relu": (relu, step)}[instance.activation.name]
    depth, widths = found.sizes["L"], instance.shape.tables["n"]

    def matrix(n):
        entry = instance.entries("w")
        return [[entry.get((n, r, c), F(0)) for c in range(widths[n])] for r in range(widths[n - 1])]

    data = {n: instance.entries(n) for n in ("s_in", "s_out", "alpha")}
    return simulate(
        {n: matrix(n) for n in range(1, depth + 1)},
        [data["s_in"].get((0, u), F(0)) for u in range(widths[depth])],
        [data["s_out"].get((0, u), F(0)) for u in range(widths[0])],
        instance.shape.constants["td"] if td is None else td,
        instance.shape.constants["T"],
        *read,
        alpha=data["alpha"].get((), F(1)),
    )


@pytest.mark.parametrize("id", IDS)
def test_every_entry_has_the_verdict_that_it_announces(id):
    entry = entries()[id]
    result = prove(entry.claim())
    assert result.verdict == entry.expected
    if entry.expected == "proved":
        assert result.authority == ["kernel", "exact instance"]
        assert set(result.as_dict()["scope"].values()) == {"arbitrary"}


@pytest.mark.parametrize("id", [i for i in IDS if "no_harm" in i or i == "fazil_none_missed"])
def test_the_counterexamples_are_confirmed_by_the_simulator(id):
    found = prove(entries()[id].claim()).counterexample
    run = of_counterexample(found)
    at = found.indices
    assert found.sizes["B"] == 1
    rule = run.weights[at["t"]][at["l"]][at["i"]][at["j"]]
    backprop = run.backprop[at["l"]][at["i"]][at["j"]]
    assert (found.lhs, found.rhs) == (rule, backprop) and rule != backprop
    missed = [(n, u) for n, row in enumerate(run.delta) for u, d in enumerate(row) if d == 0]
    twice = [x for x in run.triggers if x[0] > x[1] and run.delta[x[1]][x[2]] != 0]
    if id == "fazil_none_missed":
        assert not missed and twice
    else:
        assert missed and not twice
    if id == "fazil_no_harm_output":
        assert {n for n, _ in missed} == {0}
    if id == "fazil_no_harm_dead":
        assert {n for n, _ in missed} == {1} and found.instance.activation.name == "relu"


@pytest.mark.parametrize("td", [2, 3, 4, 5, 8, 16])
@pytest.mark.parametrize("id", [i for i in IDS if "no_harm" in i])
def test_a_missed_detection_does_harm_whatever_the_window(id, td):
    found = prove(entries()[id].claim()).counterexample
    run, short = of_counterexample(found, td), of_counterexample(found)
    assert run.weights == short.weights
    assert run.weights[-1] != run.backprop


def test_a_late_trigger_may_write_nothing():
    found = prove(entries()["fazil_sufficient_converse"].claim()).counterexample
    run = of_counterexample(found)
    assert any(time > n for time, n, _ in run.triggers)
    assert all(run.weights[time][n] == run.backprop[n] for n in run.backprop for time in range(n, len(run.weights)))


@pytest.mark.parametrize("td", [1, 2, 4])
def test_the_definitions_compute_what_the_simulator_does(td):
    """CE-1 and CE-2 in the theory's own definitions."""
    from pcproof.refute.instance import Activation, Instance, Shape

    theory = timed_theory(fazil(MLP()).equations)
    for w, s_in, s_out, kind, functions, times in (
        (CE1, [1, 2], [9, 0], "identity", (identity, one), 4),
        (CE2, [1, 2], [10], "relu", (relu, step), 4),
    ):
        depth = len(w)
        widths = (*(len(w[n]) for n in range(1, depth + 1)), len(s_in))
        parameters = {("w", (n, r, c)): v for n in w for r, row in enumerate(w[n]) for c, v in enumerate(row)}
        parameters |= {("s_in", (0, u)): F(v) for u, v in enumerate(s_in)}
        parameters |= {("s_out", (0, u)): F(v) for u, v in enumerate(s_out)}
        parameters[("alpha", ())] = F(1, 100)
        shape = Shape({"L": depth, "B": 1, "td": td}, {"n": widths})
        evaluator = Evaluator(theory, Instance(shape, Activation(kind), parameters).model(theory))
        run = simulate(w, [F(v) for v in s_in], [F(v) for v in s_out], td, times, *functions, alpha=F(1, 100))
        for time in range(times + 1):
            for n in w:
                for r, row in enumerate(run.weights[time][n]):
                    assert [evaluator.call("theta", (time, n, r, c)) for c in range(len(row))] == row
        fired = [
            (time, n, u)
            for time in range(times)
            for n in range(depth)
            for u in range(widths[n])
            if evaluator.call("phi", (time, n, 0, u)) == 1
        ]
        assert fired == run.triggers


# -- the theorems, for every network --------------------------------------------------------
@pytest.mark.parametrize("net", NETS, ids=lambda n: n.name)
@pytest.mark.parametrize("name", THEOREMS)
def test_the_theorems_hold_for_every_network(name, net):
    result = prove(getattr(claims, name)(fazil(net).equations))
    assert result.verdict == "proved"


@pytest.mark.parametrize("net", NETS, ids=lambda n: n.name)
@pytest.mark.parametrize("name", ["trigger", "exact", "criterion", "criterion_converse"])
def test_with_any_step_size_the_gamma_law_takes_the_place_of_backprop(name, net):
    claim = getattr(claims, name)(fazil(net, gamma=None).equations)
    assert prove(claim).verdict == "proved"


def test_without_the_power_of_gamma_it_is_refuted():
    claim = claims.exact(fazil(MLP(), gamma=None).equations)
    (goal,) = claim.goals
    (other,) = claims.exact(fazil(MLP()).equations).goals
    assert goal != other
    assert fails(replace(claim, goals=(other,)))


# -- mutants ---------------------------------------------------------------------------------
def plain() -> Equations:
    return fazil(MLP()).equations


def small(claim: Claim) -> Claim:
    """Said of one sample and of at least two layers of weights: refuting this refutes the claim."""
    more = (ge(T, L + 1),) if "T" in claim.theory.sizes else ()
    theory = replace(claim.theory, assumptions=(*claim.theory.assumptions, eq(B, 1), ge(L, 2), *more))
    return replace(claim, theory=theory)


def fails(claim: Claim) -> bool:
    admit(claim.theory)
    assert prove(small(claim)).verdict != "proved"
    return refute(small(claim), LIMITS).counterexample is not None


def without(claim: Claim, name: str) -> Claim:
    hypotheses = {n: h for n, h in claim.theory.hypotheses.items() if n != name}
    assert len(hypotheses) == len(claim.theory.hypotheses) - 1
    return replace(claim, theory=replace(claim.theory, hypotheses=hypotheses))


@pytest.mark.parametrize(
    "name, hypothesis",
    [
        ("criterion", "late_theta"),
        ("criterion_converse", "backprop_theta"),
        ("criterion_converse", "alpha_nonzero"),
        ("sufficient", "never_awakened"),
        ("sufficient", "not_again"),
        ("long_window", "delta_nonzero"),
    ],
)
def test_each_hypothesis_is_needed(name, hypothesis):
    assert fails(without(getattr(claims, name)(plain()), hypothesis))


def gate(change: Callable[[Any], Any]) -> Equations:
    e = plain()
    assert e.gate is not None
    return replace(e, gate=change(e.gate))


EPS = App("eps", (l, b, i))
QUIET = App("quiet", (TD, l, b, i))


EPS_NOW = App("eps", (t, l, b, i))
LATE = mul(App("quiet", (t - 1, TD, l, b, i)), add(ONE, neg(IsZero(App("eps", (t - 1, l, b, i))))))


def with_phi(claim: Claim, value: Any, first: Any = None) -> Claim:
    """The claim with another definition of phi; ``first``: its value at t = 0."""

    def put(d):
        if d.name != "phi":
            return d
        (case,) = d.cases
        if first is None:
            return replace(d, cases=(Case(case.guard, value),))
        later = Case((*case.guard, ge(t, 1)), value)
        return replace(d, cases=(Case((*case.guard, eq(t, 0)), first), later))

    definitions = tuple(tuple(put(d) for d in g) for g in claim.theory.definitions)
    return replace(claim, theory=replace(claim.theory, definitions=definitions))


def window_of(by: int) -> Equations:
    """The window reaches ``by`` times further back than td."""
    value = mul(App("quiet", (TD + by, l, b, i)), add(ONE, neg(IsZero(EPS))))
    return gate(lambda g: replace(g, value=value))


def own(name: str, e: Equations) -> Claim:
    return getattr(claims, name)(e)


@pytest.mark.parametrize("name", ["window", "trigger", "long_window"])
def test_a_window_that_is_one_shorter_is_refuted(name):
    assert fails(own(name, window_of(-1)))


def test_a_window_that_is_one_longer_is_refuted():
    assert fails(own("window", window_of(1)))


@pytest.mark.parametrize("name", ["window", "trigger", "awakened"])
def test_phi_that_does_not_ask_for_an_error_now_is_refuted(name):
    assert fails(own(name, gate(lambda g: replace(g, value=QUIET))))


@pytest.mark.parametrize("name", ["window", "trigger", "long_window"])
def test_phi_without_a_window_is_refuted(name):
    assert fails(own(name, gate(lambda g: replace(g, value=add(ONE, neg(IsZero(EPS)))))))


@pytest.mark.parametrize("name", ["trigger", "exact", "criterion", "long_window"])
def test_a_trigger_that_is_one_step_late_is_refuted(name):
    assert fails(with_phi(own(name, plain()), LATE, ZERO))


def test_with_one_layer_a_trigger_that_is_one_step_late_is_refuted_too():
    """Deeper networks do not meet the hypothesis that no unit triggers late."""
    claim = with_phi(own("sufficient", plain()), LATE, ZERO)
    assert refute(claim, LIMITS).counterexample.sizes["L"] == 1


def test_a_window_that_includes_the_present_is_refuted():
    value = mul(App("quiet", (t, TD, l, b, i)), IsZero(App("eps", (t, l, b, i))), add(ONE, neg(IsZero(EPS_NOW))))
    assert fails(with_phi(own("trigger", plain()), value))


def test_a_window_that_counts_errors_instead_of_zeros_is_refuted():
    assert fails(own("trigger", gate(lambda g: replace(g, past=add(ONE, neg(IsZero(EPS)))))))


def test_every_term_of_phi_and_its_window_is_needed():
    rows = claim_table(claim_mutants(own("window", plain()), definitions=("phi", "quiet")), proved_by_kernel)
    assert len(rows) >= 16
    assert [r.name for r in rows if r.verdict != REFUTED] == []


def test_the_long_window_holds_no_longer():
    claim = own("long_window", plain())
    goals = tuple(
        replace(s, guards=tuple(le(t, l + TD + 1) if c == le(t, l + TD) else c for c in s.guards)) for s in claim.goals
    )
    assert goals != claim.goals
    assert fails(replace(claim, goals=goals))


def test_another_step_size_breaks_the_trigger():
    assert fails(own("trigger", fazil(MLP(), gamma="1/2").equations))


def test_a_late_sum_that_begins_one_time_later_is_refuted():
    """The first late change counts."""
    e = plain()
    theory = timed_theory(e)
    (kind,) = e.net.kinds
    claim = own("exact", e)
    (goal,) = claim.goals
    total = claims.late(e, theory, kind, t)
    shorter = claims.late(e, theory, kind, t - 1)
    left = [a for a in goal.relation.rhs.args if total not in getattr(a, "args", ())]
    assert len(left) == 2
    changed = replace(goal.relation, rhs=add(*left, mul(App("alpha"), shorter)))
    assert fails(replace(claim, goals=(replace(goal, relation=changed),)))


# -- the public words ---------------------------------------------------------------------------
def words():
    net = MLP()
    return net, *symbols(net, "x mu eps y theta l t L alpha")


def rule_with(when, net, x, mu, y, theta, l, L, alpha, learn=None, **more):
    energy = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
    learn = {theta[l + 1]: -alpha * energy.diff(theta[l + 1])} if learn is None else learn
    return Rule(
        net, energy=energy, start={x[l]: y[l]}, step={x[l]: -1 * energy.diff(x[l])}, learn=learn, when=when, **more
    )


def test_a_rule_of_ones_own_may_learn_by_its_errors():
    """The first nonzero error ever, and a window given as a number."""
    net, x, mu, eps, y, theta, l, _, L, alpha = words()
    rest = (net, x, mu, y, theta, l, L, alpha)
    for when in (nonzero(eps[l]), before(4, is_zero(x[l] - mu[l])) * nonzero(eps[l])):
        rule = rule_with(when, *rest)
        admit(timed_theory(rule.equations))
        assert prove(claims.exact(rule.equations)).verdict == "proved"
    assert prove(claims.window(rule.equations)).verdict == "proved"
    assert rule.equations.sizes == {}


def test_the_rule_reads_no_clock_and_z_il_does():
    for net in NETS:
        assert clocks(fazil(net).equations) == []
    found = clocks(zil(MLP()).equations)
    assert len(found) == 3 and all(c.startswith("theta has a case of its own where") for c in found)


def test_a_step_size_that_depends_on_time_is_a_clock():
    net, x, mu, eps, y, theta, l, t, L, alpha = words()
    gamma = parameter(net, "gamma", per="time")
    energy = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
    rule = Rule(
        net,
        energy=energy,
        start={x[l]: y[l]},
        step={x[l]: -1 * gamma[t] * energy.diff(x[l])},
        learn={theta[l + 1]: -alpha * energy.diff(theta[l + 1])},
        when=nonzero(eps[l]),
    )
    assert [c for c in clocks(rule.equations) if "gamma" in c]


def test_what_is_not_understood_is_refused_in_one_sentence():
    net, x, mu, eps, y, theta, l, t, L, alpha = words()
    rest = (net, x, mu, y, theta, l, L, alpha)
    for when, said in (
        (nonzero(eps[l + 1]), "about layer"),
        (nonzero(mu[l]), "own error"),
        (before(0, is_zero(eps[l])), "at least one time"),
        (before(2, is_zero(eps[l])) * before(3, is_zero(eps[l])), "one window"),
        (before(L - l, is_zero(eps[l])), "same for every unit"),
        (nonzero(theta[l]), "units of a layer"),
    ):
        with pytest.raises(RuleError, match=said):
            rule_with(when, *rest)
    with pytest.raises(RuleError, match="without an error"):
        rule_with(nonzero(eps[l]), *rest, learn={theta[l + 1]: theta[l + 1]})
    with pytest.raises(RuleError, match="synchronous"):
        timed_theory(rule_with(nonzero(eps[l]), *rest, order="weights-first").equations)
    with pytest.raises(RuleError, match="look back"):
        claims.window(rule_with(nonzero(eps[l]), *rest).equations)
    with pytest.raises(RuleError, match="is_zero takes"):
        is_zero(3)
    with pytest.raises(RuleError, match="number of times"):
        before("td", is_zero(eps[l]))
    assert rule_with(Eq(t, l), *rest).equations.gate is None


def test_a_rule_without_a_moment_says_so():
    with pytest.raises(RuleError, match="one moment for each layer, and it has none"):
        moment(fazil(MLP()).equations.when)


def test_the_rule_itself_is_asked_whether_it_is_backprop():
    result = prove(fazil(MLP()))
    assert result.verdict == "refuted"
