"""The refuter: compiled terms against the reference evaluator, counterexamples, models."""

from __future__ import annotations

import json
import random
from fractions import Fraction

import pytest

from pcproof.language.evaluate import EvaluationError, Evaluator
from pcproof.language.index import eq, ge, le, lt, qvar, size, span
from pcproof.language.signature import (
    DEFINED,
    FUNCTION,
    PARAMETER,
    Case,
    Claim,
    Definition,
    Deriv,
    Eq,
    Ne,
    Statement,
    Symbol,
    Tangent,
    Theory,
)
from pcproof.language.terms import App, Inv, IsZero, Num, Pow, add, mul, total
from pcproof.networks.chain import Chain
from pcproof.networks.gradients import derivative_hypotheses
from pcproof.networks.mlp import MLP
from pcproof.refute.assign import assignments
from pcproof.refute.compile import Compiled, Dual, Undefined
from pcproof.refute.confirm import Judge
from pcproof.refute.graph import Graph
from pcproof.refute.instance import IDENTITY, RELU, SQUARE, TABLE, Activation, Instance, Shape, functions
from pcproof.refute.models import check_instance, find_model
from pcproof.refute.search import Limits, refute
from pcproof.refute.shapes import shapes, width_vectors
from pcproof.refute.solve import solve_linear
from pcproof.rules.claims import equals_backprop, freeze, gamma_law, theorem_3_1, with_c3, with_nonzero_gamma
from pcproof.rules.equations import static_theory
from pcproof.rules.zil import zil

NETWORKS = [MLP(), MLP(bias=True), Chain()]
l, t, b, i, j, k = (qvar(v) for v in "ltbijk")
L, B = size("L"), size("B")
X, A, U, ONE, ZERO = App("x"), App("a"), App("u"), Num(1), Num(0)


def names(net):
    return net.name


def one_goal(relation, symbols, sizes=None, hypotheses=None, variables=(), guards=(), **more):
    theory = Theory(
        sizes or {}, more.pop("assumptions", ()), {s.name: s for s in symbols}, hypotheses=hypotheses or {}, **more
    )
    return Claim("toy", theory, (Statement(tuple(variables), tuple(guards), relation),))


SCALARS = (Symbol("x", PARAMETER), Symbol("a", PARAMETER), Symbol("u", PARAMETER))


# -- compiled terms ---------------------------------------------------------------
@pytest.mark.parametrize("net", NETWORKS, ids=names)
@pytest.mark.parametrize("activation", [IDENTITY, RELU, SQUARE, TABLE])
def test_compiled_terms_agree_with_the_reference(net, activation):
    claim = zil(net, gamma=None).equals_backprop()
    rng = random.Random(1)
    table: dict = {}

    def parameter(name, idx):
        return table.setdefault((name, idx), Fraction(rng.randint(-4, 4), rng.randint(1, 3)))

    shape = Shape({"L": 3, "B": 2}, {n: (2, 1, 3, 2) for n, arity in claim.theory.sizes.items() if arity})
    act = Activation(activation)
    run = Compiled(claim.theory)
    run.size, run.parameter, run.apply = shape.size, parameter, functions(claim.theory, act, shape.size)
    checked = 0
    goal = claim.goals[0]
    cases = assignments(goal.variables, goal.guards, shape.size, shape.depth)
    fast = [[run.term(side, goal.variables)(at) for side in (goal.relation.lhs, goal.relation.rhs)] for at in cases]
    reference = Evaluator(claim.theory, Instance(shape, act, table).model(claim.theory))
    for at, (lhs, rhs) in zip(cases, fast):
        env = dict(zip(goal.variables, at))
        assert lhs == reference.value(goal.relation.lhs, env)
        assert rhs == reference.value(goal.relation.rhs, env)
        checked += 1
    for name, values in run.memo.items():
        for idx, value in values.items():
            assert value == reference.call(name, idx)
            checked += 1
    assert checked > 50


def test_compiled_nodes_of_every_kind():
    term = add(
        Inv(X),
        IsZero(A),
        Pow(U, size("T")),
        mul(X, total(size("T"), lambda q: App("v", (q,)))),
        Inv(add(X, mul(-1, X))),
    )
    theory = Theory({"T": 0}, (), {s.name: s for s in (*SCALARS, Symbol("v", PARAMETER, 1))})
    values = {("x", ()): 2, ("a", ()): 0, ("u", ()): 3, ("v", (0,)): 5, ("v", (1,)): 7}
    run = Compiled(theory)
    run.size, run.parameter = lambda n, a: 2, lambda n, idx: values[n, idx]
    assert run.term(term, ())(()) == Fraction(1, 2) + 1 + 9 + 24
    instance = Instance(Shape({"T": 2}), Activation(), {k: Fraction(v) for k, v in values.items()})
    assert Evaluator(theory, instance.model(theory)).value(term, {}) == Fraction(69, 2)


def test_a_definition_outside_its_cases_has_no_value():
    theory = Theory({}, (), {"d": Symbol("d", DEFINED, 1)}, ((Definition("d", ("l",), (Case((ge(l, 0),), ONE),)),),))
    run = Compiled(theory)
    assert run.call("d", (0,)) == 1
    with pytest.raises(Undefined, match="outside the cases"):
        run.call("d", (-1,))


def test_programs_record_and_replay():
    graph = Graph()
    x, y = graph.slot(("x", ())), graph.slot(("y", ()))
    assert (x + -1 * x) == 0 and (x * 0) == 0 and (x * 1) is x and (x * y) is (y * x)
    out = (x + y) * (x + -1 * y) + x.is_zero() + y.inverse()
    assert graph.run(graph.needed([out]), {("x", ()): 3, ("y", ()): 2})[out.id] == Fraction(11, 2)
    program = graph.compiled([("x", ()), ("y", ())], [("ne", y, 7), ("eq", x + -1 * y, 9)])
    assert [program(v, None) for v in ((1, 0), (1, 2), (2, 2))] == [7, 9, -1]


def test_dual_numbers_are_derivatives():
    x = Dual(Fraction(3), Fraction(1))
    assert (x * x * x).im == 27 and (1 / x).im == Fraction(-1, 9) and (x + 1).im == 1


@pytest.mark.parametrize("kind", [IDENTITY, SQUARE])
def test_operators_have_consistent_jacobians(kind):
    net = Chain()
    theory = net.energy_theory()
    shape = Shape({"L": 1, "B": 1}, {"n": (2, 3), "m": (1, 4)})
    apply = functions(theory, Activation(kind), shape.size)
    p = [Fraction(v) for v in (2, -1, 3, 5)]
    x = [Fraction(v) for v in (1, 4, -2)]
    read = (lambda q: p[q]), (lambda q: x[q])
    for unit in range(2):
        for position, values, derivative in ((0, p, "Jp"), (1, x, "Jx")):
            for q in range(len(values)):
                moved = [Dual(v, Fraction(int(r == q))) for r, v in enumerate(values)]
                args = list(read)
                args[position] = lambda r, moved=moved: moved[r]
                slope = apply("P", (1, unit), tuple(args))
                assert (slope.im if isinstance(slope, Dual) else 0) == apply(derivative, (1, unit, q), read)


# -- assignments and shapes ---------------------------------------------------------
def test_assignments_follow_guards_and_horizon():
    def sizes(name, args):
        return {"L": 2, "n": (1, 2, 3)[args[0]] if args else 0}[name] if args or name == "L" else 1

    guards = (ge(l, 1), le(l, L), ge(t, l), *span(i, 0, size("n", l)))
    found = assignments(("t", "l", "i"), guards, sizes, 2)
    assert set(found) == {(t_, l_, i_) for l_ in (1, 2) for t_ in range(l_, 5) for i_ in range((1, 2, 3)[l_])}
    assert assignments(("t",), (ge(t, 0), eq(t * 2, 3)), sizes, 2) == []
    assert assignments(("t",), (eq(t, 1),), sizes, 2) == [(1,)]
    assert assignments((), (ge(L, 3),), sizes, 2) == []


def test_the_order_of_shapes():
    assert width_vectors(2, 1, (2,)) == [(1, 1), (1, 2), (2, 1), (2, 2)]
    found = list(shapes(MLP().energy_theory(), 1, 1, 2))
    assert [(s.tables["n"], s.constants["B"]) for s in found][:3] == [((1, 1), 1), ((1, 1), 2), ((1, 2), 1)]


def test_linear_systems_are_solved_exactly():
    assert solve_linear([[1, 1], [1, -1]], [3, 1]) == [2, 1]
    assert solve_linear([[2, 0], [0, 0]], [1, 5]) == [Fraction(1, 2), 0]


# -- refutations ---------------------------------------------------------------------
@pytest.mark.parametrize("net", NETWORKS, ids=names)
def test_a_true_claim_is_not_refuted(net):
    found = refute(zil(net, gamma=1).equals_backprop(), Limits(max_depth=3))
    assert found.counterexample is None and found.complete
    assert found.last.constants["L"] == 3 and found.shapes == found.generic > 50
    assert "no counterexample found up to L = 3" in found.text()
    with pytest.raises(TypeError, match="no truth value"):
        bool(found)


def test_the_example_of_the_readme():
    found = refute(zil(MLP(), gamma="1/2").equals_backprop())
    c = found.counterexample
    assert c.text() == (
        "1-1-1, identity, weights [1], [1], x = 1, target = 0: weights[0] (theta^2): rule -1/2, backprop -1"
    )
    assert c.exhaustive and c.sizes == {"L": 2, "B": 1} and c.widths == {"n": (1, 1, 1)} and c.activation == IDENTITY
    assert (c.lhs, c.rhs) == (Fraction(1, 2), 0) and c.indices["l"] == 2
    assert c.formula() == "-1/2*alpha*delta[1,0,0]*s_in[0,0]"
    data = json.loads(json.dumps(c.as_dict()))
    assert data["network"]["weights"] == [[["1"]], [["1"]]] and data["network"]["target"] == [["0"]]
    assert data["values"] == {"rule": "-1/2", "backprop": "-1"} and data["parameters"]["alpha"] == {"": "1"}
    assert c.paper() == "s_in = 1, s_out = 0, w^1 = [1], w^2 = [1]" == data["paper"]
    assert found.seconds < 1


@pytest.mark.parametrize("net", NETWORKS, ids=names)
def test_a_free_step_size_is_refuted_with_its_factor(net):
    c = refute(zil(net, gamma=None).equals_backprop()).counterexample
    assert c.parameters["gamma", ()] == Fraction(1, 2) and c.sizes["L"] == 2
    assert c.formula() == "(gamma - 1)*alpha*delta[1,0,0]*s_in[0,0]"


def test_the_search_is_deterministic():
    claim = zil(MLP(bias=True), gamma="1/2").equals_backprop()
    one, two = refute(claim), refute(claim)
    assert one.counterexample.as_dict() == two.counterexample.as_dict() and one.cases == two.cases


def test_every_counterexample_is_confirmed_by_the_reference():
    e = zil(MLP(), gamma=None).equations
    c = refute(equals_backprop(e)).counterexample
    judge = Judge(c.claim.theory, c.instance)
    verdict = judge.compare(c.statement.relation, c.indices)
    assert not verdict.holds and (verdict.lhs, verdict.rhs) == (c.lhs, c.rhs)


def test_hypotheses_must_hold_in_a_counterexample():
    e = zil(MLP(), gamma=None).equations
    small = Limits(max_depth=2, seconds=20)
    assert refute(with_c3(equals_backprop(e)), small).counterexample is None
    found = refute(with_nonzero_gamma(equals_backprop(e)), small).counterexample
    assert found.parameters["gamma", ()] == Fraction(1, 2)
    only_zero = Statement((), (), Eq(mul(App("gamma"), App("gamma")), App("gamma")))
    claim = equals_backprop(e)
    strict = Claim("c", claim.theory.extend(hypotheses={"gamma is 0 or 1": only_zero}), claim.goals)
    assert refute(strict, small).counterexample.parameters["gamma", ()] == 0


def test_contradictory_hypotheses_leave_nothing_to_refute():
    h = {"a": Statement((), (), Eq(X, ZERO)), "b": Statement((), (), Ne(X, ZERO))}
    claim = one_goal(Eq(A, ZERO), SCALARS, hypotheses=h)
    assert refute(claim, Limits(seconds=20)).counterexample is None
    assert find_model(claim) is None


def test_hypotheses_are_solved_exactly():
    # x a = u with x, a, u from nothing in particular: goal u = 3 a is false, x = 3 makes it true
    h = {"product": Statement((), (), Eq(mul(X, A), U))}
    c = refute(one_goal(Eq(U, mul(3, A)), SCALARS, hypotheses=h)).counterexample
    values = {n: v for (n, _), v in c.parameters.items()}
    assert values["x"] * values["a"] == values["u"] != 3 * values["a"]
    cyclic = {"h": Statement((), (), Eq(X, add(mul(2, A), mul(-1, X))))}
    assert refute(one_goal(Eq(X, A), SCALARS, hypotheses=cyclic)).counterexample is None
    assert refute(one_goal(Eq(X, ONE), SCALARS, hypotheses=cyclic)).counterexample is not None


def test_a_single_point_is_found():
    c = refute(one_goal(Eq(IsZero(X), ZERO), SCALARS)).counterexample
    assert c.parameters["x", ()] == 0 and c.text() == "x = 0: [x == 0]: left 1, right 0"
    assert refute(one_goal(Eq(mul(X, IsZero(X)), ZERO), SCALARS)).counterexample is None
    assert refute(one_goal(Eq(mul(X, Inv(X)), ONE), SCALARS)).counterexample.parameters["x", ()] == 0


def test_inequations_are_goals_too():
    c = refute(one_goal(Ne(mul(X, X), X), SCALARS)).counterexample
    assert c.parameters["x", ()] == 1 and c.lhs == c.rhs == 1
    assert refute(one_goal(Ne(mul(X, X), Num(2)), SCALARS)).counterexample is None
    assert refute(one_goal(Ne(ONE, ONE), SCALARS)).counterexample is not None


def test_sizes_other_than_layers():
    # no depth at all: N vertices, a matrix; "symmetric" is false from two vertices on
    n = size("N")
    claim = one_goal(
        Eq(App("m", (i, j)), App("m", (j, i))),
        (Symbol("m", PARAMETER, 2),),
        {"N": 0},
        variables=("i", "j"),
        guards=(*span(i, 0, n), *span(j, 0, n)),
    )
    c = refute(claim).counterexample
    assert c.sizes == {"N": 2} and c.text().startswith("N = 2, m[0,1] = 1, m[1,0] = 0")
    # a moment T that the assumptions tie to the depth
    claim = one_goal(
        Eq(App("v", (size("T"),)), App("v", (L,))),
        (Symbol("v", PARAMETER, 1),),
        {"L": 0, "T": 0},
        assumptions=(ge(L, 1), ge(size("T"), L)),
    )
    assert refute(claim).counterexample.sizes == {"L": 1, "T": 2}


def test_activations_in_order():
    f = (Symbol("f", FUNCTION, 1, ((),), derivatives=("df",)), Symbol("df", FUNCTION, 1, ((),)))
    layers = {"L": 0}
    guards = dict(variables=("l",), guards=(*span(l, 0, L + 1),), assumptions=(ge(L, 1),))

    def first(relation):
        return refute(one_goal(relation, (*SCALARS, *f), layers, **dict(guards))).counterexample

    assert first(Eq(App("f", (l,), (X,)), X)).activation == RELU
    assert first(Eq(App("f", (l,), (X,)), mul(X, App("df", (l,), (X,))))).activation == SQUARE
    assert first(Eq(App("f", (l,), (X,)), App("f", (0,), (X,)))).activation == "square at layer 0, identity elsewhere"
    square_or_relu = mul(App("df", (l,), (ZERO,)), add(App("df", (l,), (ONE,)), -1))
    found = first(Eq(square_or_relu, ZERO))
    assert found.activation.startswith("table") and "activation with f[1]'(0) = -1, f[1]'(1) = 2" in found.text()
    assert first(Eq(App("f", (l,), (X,)), App("f", (l,), (X,)))) is None


def test_derivatives_are_true_where_they_are_assumed():
    f = (Symbol("f", FUNCTION, 0, ((),), derivatives=("df",)), Symbol("df", FUNCTION, 0, ((),)))
    smooth = {"smooth": Statement((), (), Deriv(App("f", (), (X,))))}
    goal = Eq(mul(App("df", (), (X,)), IsZero(X), IsZero(add(App("f", (), (ONE,)), -1))), IsZero(X))
    loose = refute(one_goal(goal, (*SCALARS, *f))).counterexample
    assert loose.activation == RELU and loose.parameters["x", ()] == 0
    strict = refute(one_goal(goal, (*SCALARS, *f), hypotheses=smooth)).counterexample
    assert strict.activation != RELU


def test_tangents_by_dual_numbers():
    direction = {"d": {"x": "u"}}
    square = mul(X, X, A)
    good = one_goal(Tangent("d", square, mul(2, X, U, A)), SCALARS, directions=direction)
    assert refute(good).counterexample is None
    c = refute(one_goal(Tangent("d", square, mul(X, U, A)), SCALARS, directions=direction)).counterexample
    assert (c.lhs, c.rhs) == (2, 1) and "true 2, claimed 1" in c.text()


def test_the_dynamics_of_an_energy():
    e = zil(MLP(), gamma=None).equations
    base = static_theory(e)
    dx = Symbol("dx", PARAMETER, 3, shape="layer, batch, unit", meaning="variation of x")
    still = {
        f"clamped at {where!r}": Statement(
            ("b", "i"), (*span(b, 0, B), *span(i, 0, size("n", where))), Eq(App("dx", (where, b, i)), ZERO)
        )
        for where in (0, L)
    }
    still |= derivative_hypotheses(MLP(), "x", {"theta": "theta"})
    theory = base.extend((dx,), hypotheses=still, directions={"x": {"x": "dx"}})

    def pairing(layer, sample, unit):
        return mul(App("step", (layer, sample, unit)), App("dx", (layer, sample, unit)))

    claimed = total(L, lambda h: total(B, lambda s: total(size("n", h), lambda u: mul(-1, pairing(h, s, u)))), lo=1)
    goal = Statement((), (), Tangent("x", mul(App("gamma"), e.energy), claimed))
    claim = Claim("dynamics", theory, (goal,))
    assert refute(claim, Limits(max_depth=3, seconds=20)).counterexample is None
    assert check_instance(claim, find_model(claim)).ok


def test_time_without_an_upper_bound_is_followed_to_a_horizon():
    e = zil(MLP(), gamma=1).equations
    late = equals_backprop(e)
    goal = late.goals[0]
    moved = Statement(goal.variables, goal.guards, Ne(goal.relation.lhs, goal.relation.rhs))
    drift = Claim("drift", late.theory, (moved,))
    assert refute(drift).counterexample is not None


def test_undeclared_symbols_are_named():
    with pytest.raises(EvaluationError, match="'q'"):
        refute(one_goal(Eq(App("q"), ZERO), SCALARS))


def test_limits_are_respected():
    found = refute(zil(MLP(), gamma=1).equals_backprop(), Limits(seconds=0.0))
    assert found.counterexample is None and not found.complete and "no sizes" in found.text()
    found = refute(zil(MLP(), gamma="1/2").equals_backprop(), Limits(max_depth=1))
    assert found.counterexample is None and found.complete


# -- models -----------------------------------------------------------------------------
@pytest.mark.parametrize("net", NETWORKS, ids=names)
@pytest.mark.parametrize("make", [equals_backprop, freeze, gamma_law, theorem_3_1])
def test_no_theorem_is_vacuous(net, make):
    claim = make(zil(net, gamma=None).equations)
    if make is equals_backprop:
        claim = with_c3(claim)
    instance = find_model(claim)
    check = check_instance(claim, instance)
    assert check.ok and check.instances > 3
    assert instance.shape.constants["L"] >= 2 and len(set(instance.shape.tables["n"])) > 1
    with pytest.raises(TypeError):
        bool(check)


def test_an_instance_that_does_not_fit_is_refused():
    claim = with_c3(equals_backprop(zil(MLP(), gamma=None).equations))
    good = find_model(claim)
    wrong = Instance(good.shape, good.activation, {**good.parameters, ("gamma", ()): Fraction(1, 2)})
    assert "'C3' does not hold" in check_instance(claim, wrong).problem
    loose = equals_backprop(zil(MLP(), gamma=None).equations)
    assert "goal 0 fails" in check_instance(loose, wrong).problem
    empty = Instance(Shape({"L": 0, "B": 1}, {"n": (1,)}), good.activation, {})
    assert "assumptions" in check_instance(claim, empty).problem


def test_guards_that_nothing_meets_leave_no_model():
    claim = one_goal(Eq(X, X), SCALARS, {"L": 0}, variables=("l",), guards=(ge(l, 0), lt(l, 0)))
    assert find_model(claim) is None
    vacuous = check_instance(claim, Instance(Shape({"L": 1}), Activation(), {}))
    assert not vacuous.ok and "no instance" in vacuous.problem


# -- tables ---------------------------------------------------------------------------------
def test_tables_are_tried_in_lexicographic_order():
    from pcproof.refute.search import tables

    def program(values, table):
        first = table(("f", (1,), 0), values[0])
        return first if first == 0 else table(("f", (1,), 1), values[0]) + table(("f", (1,), 0), values[0])

    f, df = ("f", (1,), 0, 5), ("f", (1,), 1, 5)
    assert list(tables(program, (5,), (1, 0))) == [(2, {f: 1, df: 1}), (1, {f: 1, df: 0}), (0, {f: 0})]


def test_a_table_is_printed_with_all_that_the_check_needs():
    """An equilibrium with the changes of backprop that is not the forward pass: ones, and f of the input 0."""
    from pcproof.catalogue import entries

    c = refute(entries()["only_the_forward_equilibrium"].claim()).counterexample
    assert c.activation == "table" and c.widths == {"n": (1, 1, 1)} and set(c.parameters.values()) == {1}
    assert c.instance.table["f", (2,), 0, 1] == 0 and ("f", (1,), 1, 1) in c.instance.table
    assert "f[2](1) = 0" in c.text() and (c.lhs, c.rhs) == (1, 0)
