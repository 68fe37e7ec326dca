"""The smallest counterexample is the smallest: brute force in the stated order, written out a second time.

Rules are run by the simulator of ``test_hostile``, entries of the catalogue by the reference evaluator; neither knows
the refuter's programs, its skipped sizes or its random points.
"""

from __future__ import annotations

from fractions import Fraction as Fr
from itertools import product

import pytest
from chance import text
from test_hostile import Net, mine, theirs
from test_hostile import check as first_difference

from pcproof.catalogue import entries
from pcproof.language.evaluate import EvaluationError, Evaluator
from pcproof.refute.confirm import Judge
from pcproof.refute.instance import Activation, Instance
from pcproof.refute.search import Limits, refute
from pcproof.refute.shapes import shapes

SETS = (((1, 0), (1, Fr(1, 2))), ((1, 0, -1, 2), (1, Fr(1, 2), 2, 0)))  # of entries, of numbers without an index
KINDS = ("identity", "relu", "square")


def layer_widths(depth):
    """By total, then lexicographically; at most one unit more than one a layer."""
    some = [n for n in product((1, 2), repeat=depth + 1) if sum(n) <= depth + 2]
    return sorted(some, key=lambda n: (sum(n), n))


def networks(own, kinds, most):
    """Every network with the numbers of ``SETS`` (the second where they are few), in the stated order."""
    for depth in range(1, most + 1):
        for n in layer_widths(depth):
            for batch in (1, 2) if n == (1, 1) else (1,):
                for kind in kinds:
                    at = [("w", l, i, j) for l in range(1, depth + 1) for i in range(n[l - 1]) for j in range(n[l])]
                    per = [("p", l) for l in range(depth)] if own["p"] else []
                    fixed = [("R", *k[1:]) for k in at] if own["R"] else []
                    data = [("s_in", b, i) for b in range(batch) for i in range(n[depth])]
                    data += [("s_out", b, i) for b in range(batch) for i in range(n[0])]
                    keys = at + fixed + per + data
                    scalars = ["alpha", *own["scalars"]]
                    for some, numbers in SETS if len(keys) + len(scalars) <= 4 else SETS[:1]:
                        for values in product(*[some] * len(keys), *[numbers] * len(scalars)):
                            known = dict(zip([*keys, *scalars], map(Fr, values)))
                            yield (depth, n, batch, kind), known


def net(size, known):
    depth, n, batch, kind = size
    f, df = {
        "identity": (lambda v: v, lambda v: Fr(1)),
        "relu": (lambda v: max(v, Fr(0)), lambda v: Fr(int(v > 0))),
        "square": (lambda v: v * v, lambda v: 2 * v),
    }[kind]
    w = {l: [[known["w", l, i, j] for j in range(n[l])] for i in range(n[l - 1])] for l in range(1, depth + 1)}
    x = [[known["s_in", b, i] for i in range(n[depth])] for b in range(batch)]
    target = [[known["s_out", b, i] for i in range(n[0])] for b in range(batch)]

    def par(name, *idx):
        return known.get((name, *idx) if idx else name, Fr(1))

    return Net(depth, batch, n, w, {}, x, target, known["alpha"], par, lambda l, v: f(v), lambda l, v: df(v), False)


STEP = "-eps[l] + slope({}) * back({}, eps[l - 1])"
RULES = {
    "half gamma": {"step_size": '"1/2"'},
    "gamma": {"step_size": "gamma"},
    "one moment late": {"moment": "l + 1"},
    "one moment for all": {"moment": "0"},
    "decay of activities": {"regulariser": " + lam * Sum(sq(x[l]) / 2, (l, 1, L - 1))"},
    "weight decay": {"regulariser": " + lam * Sum(sq(theta[l]) / 2, (l, 1, L))"},
    "f' left out": {"step": "(-eps[l] + back(theta[l], eps[l - 1]))"},
    "f' at the error": {"step": f"({STEP.format('eps[l]', 'theta[l]')})"},
    "fixed feedback": {"step": f"({STEP.format('x[l]', 'R[l]')})"},
    "no f in the change": {"change": "alpha * outer(eps[l], x[l + 1])"},
    "double rate": {"rate": "2"},
    "weights first": {"order": "weights-first"},
    "start at 0": {"start": "0 * y[l]"},
    "precision of the output": {
        "energy": "Sum(sq(x[l] - mu[l]) / 2, (l, 1, L - 1)) + kappa * Sum(sq(x[l] - mu[l]) / 2, (l, 0, 0))"
    },
}


@pytest.mark.parametrize("name", RULES)
def test_brute_force_finds_the_same_network(name):
    source = text(RULES[name])
    found = refute(theirs(source).equals_backprop())
    c = found.counterexample
    used = "".join(RULES[name].values())
    own = {"p": "p[" in used, "R": "R[" in used, "scalars": [s for s in ("gamma", "kappa", "lam") if s in used]}
    rule = mine(source)
    for size, known in networks(own, KINDS, c.sizes["L"]):
        if first_difference(net(size, known), rule) is not None:
            break
    else:
        raise AssertionError("brute force finds nothing")
    assert (c.sizes["L"], c.widths["n"], c.sizes["B"], c.activation) == size
    read = c.relevant
    for key, value in c.parameters.items():
        if key in read:
            assert known[(key[0], *key[1]) if key[1] else key[0]] == value, key
    assert c.exhaustive and not found.passed and "smallest" in found.how()


# -- entries of the catalogue, by the reference evaluator ------------------------------
CHEAP = ("fixed_prediction_half", "fixed_prediction_short", "fixed_prediction_moving", "fixed_prediction_printed")
CHEAP += ("incremental_whole_update", "fazil_none_missed", "fazil_sufficient_converse")


def fails(claim, shape, kind, known):
    """Does a goal fail in this model, while the hypotheses hold?"""
    judge = Judge(claim.theory, Instance(shape, Activation(kind), known))
    if judge.failing_hypothesis() is not None:
        return False
    for goal in claim.goals:
        for at in judge.instances(goal):
            try:
                if not judge.compare(goal.relation, at).holds:
                    return True
            except EvaluationError:
                continue
    return False


def keys_read(claim, shape):
    """Entries of parameters that the goals read, in the order in which they are varied."""
    read = set()
    model = Instance(shape, Activation("square"), {}).model(claim.theory)
    for name in model.parameters:
        model.parameters[name] = lambda *idx, name=name: (read.add((name, idx)), Fr(1))[1]
    evaluator = Evaluator(claim.theory, model)
    judge = Judge(claim.theory, Instance(shape, Activation("square"), {}))
    for goal in claim.goals:
        for at in judge.instances(goal):
            for side in (goal.relation.lhs, goal.relation.rhs):
                evaluator.value(side, at)
    symbols = list(claim.theory.symbols)
    layered = {n: not s.shape.startswith("layer") for n, s in claim.theory.symbols.items()}
    arity = {n: -s.arity for n, s in claim.theory.symbols.items()}
    return sorted(read, key=lambda k: (layered[k[0]], arity[k[0]], symbols.index(k[0]), k[1]))


@pytest.mark.parametrize("id", CHEAP)
def test_brute_force_agrees_on_the_catalogue(id):
    claim = entries()[id].claim()
    found = refute(claim)
    c = found.counterexample
    assert c.exhaustive and not found.passed
    tried = 0
    for depth in range(1, 3):
        for shape in shapes(claim.theory, depth, 2, 2):
            same = shape == c.instance.shape
            keys = keys_read(claim, shape)
            if len(keys) > 6 and not same:
                continue  # too many networks for a test
            for kind in ("identity",) if len(keys) > 6 else KINDS:
                for values in product(*[(1, Fr(1, 2)) if not k[1] else (1, 0) for k in keys[:9]]):
                    known = dict(zip(keys, map(Fr, values))) | {k: Fr(1) for k in keys[9:]}
                    tried += 1
                    if fails(claim, shape, kind, known):
                        assert same and kind == c.activation
                        assert {k: known[k] for k in keys} == {k: c.parameters[k] for k in keys}
                        return
            assert not same
    raise AssertionError(f"brute force finds nothing in {tried} networks")


# -- the answer does not depend on the machine -----------------------------------------
def test_the_search_is_bounded_by_work_and_not_by_time(monkeypatch):
    from pcproof.refute import search

    claim = theirs(text(RULES["fixed feedback"])).equals_backprop()
    one = refute(claim)
    slow = iter(range(0, 10**9, 1000))
    monkeypatch.setattr(search, "perf_counter", lambda: next(slow))  # a machine on which everything takes hours
    two = refute(claim)
    assert one.counterexample.as_dict() == two.counterexample.as_dict()
    assert (one.cases, one.work, one.shapes) == (two.cases, two.work, two.shapes)
    late = refute(claim, Limits(seconds=1))
    assert late.counterexample is None and "limit of time" in late.text()


def test_a_small_bound_is_said():
    claim = theirs(text({"drift": " + 3 * eps[l]"})).equals_backprop()
    found = refute(claim, Limits(work=100_000))
    assert found.counterexample is None and not found.complete and "stopped by the limit of work" in found.text()


def test_what_was_passed_over_is_said():
    """A rule that differs only where numbers are rare: the search says that it did not try all smaller ones."""
    found = refute(entries()["fazil_no_harm_dead"].claim())
    assert not found.counterexample.exhaustive and found.passed
    assert "smallest" not in found.how() and "passed over" in found.how() and "4,000 of" in found.how()
    data = found.as_dict()
    assert data["smallest"] is False and data["passed_over"] and data["bound"] == "work"
