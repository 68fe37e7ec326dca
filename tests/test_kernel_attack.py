"""Ways to prove 0 = 1 that once worked; each must be refused, whatever refuses it."""

from __future__ import annotations

import copy
import pickle
import random
import types
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from pcproof.language.arith import entails, unsatisfiable
from pcproof.language.evaluate import Evaluator, Model
from pcproof.language.index import Bound, Con, Idx, QVar, Size, eq, ge, le, lt, qvar, size
from pcproof.language.signature import (
    DEFINED,
    OPERATOR,
    PARAMETER,
    Case,
    Definition,
    Eq,
    Statement,
    Symbol,
    Theory,
)
from pcproof.language.terms import ONE, ZERO, Add, App, Iverson, Lam, Mul, Num, Sum
from pcproof.proof.certificate import Proof
from pcproof.proof.kernel import Context, Kernel, Theorem

EMPTY = Context()
REFUSALS = (ValueError, TypeError, AttributeError)  # KernelError and TheoryError are ValueErrors


def theory(*symbols: Symbol, **rest: Any) -> Theory:
    rest = {"sizes": {"L": 0, "n": 1}, "assumptions": (), **rest}
    return Theory(symbols={s.name: s for s in symbols}, **rest)


def refused(attack: Callable[[], Theorem]) -> None:
    with pytest.raises(REFUSALS):
        th = attack()
        pytest.fail(f"proved {th.statement()}")


def chain(k: Kernel, *ths: Theorem) -> Theorem:
    out = ths[0]
    for th in ths[1:]:
        out = k.trans(out, th)
    return out


# -- index terms --------------------------------------------------------------
@pytest.mark.parametrize("name", ["a+1*v:b", "b+1*v:a", "a+1*v:a+1*v:b"])
def test_a_name_that_spells_a_linear_form(name: str) -> None:
    """Equality of index terms compares text: the variable "a+1*v:b" must not be a + b."""

    def attack() -> Theorem:
        k = Kernel(theory())
        a, b, c = qvar("a"), qvar("b"), qvar(name)
        ctx = Context(("a", "b", name), (ge(c, 0),))
        th = k.iverson_true(ctx, Iverson((ge(a + b, 0),)))
        one = k.instantiate(EMPTY, th, {"a": Idx(-5), "b": Idx(0), name: Idx(0)})
        return k.trans(k.sym(k.iverson_false(EMPTY, one.lhs)), one)

    refused(attack)


def test_a_size_whose_name_spells_other_arguments() -> None:
    try:
        one, two = Size("n", (qvar("a,0"),)), Size("n", (qvar("a"), Idx(0)))
    except REFUSALS:
        return
    assert one != two


@pytest.mark.parametrize("half", [Fraction(1, 2), 0.5, -0.25])
def test_an_index_that_is_no_integer(half: Any) -> None:
    """l >= 1 or l <= 0 holds for integers only."""

    def attack() -> Theorem:
        k, ctx = Kernel(theory()), Context(("l",))
        t = Add(Iverson((ge(qvar("l"), 1),)), Iverson((ge(0, qvar("l")),)))
        con = ge(qvar("l"), 1)
        parts = []
        for branch, rules in (
            (con, (k.iverson_true, k.iverson_false)),
            (con.negations()[0], (k.iverson_false, k.iverson_true)),
        ):
            inner = ctx.with_guards(branch)
            th = k.congruence(inner, t, [rule(inner, a) for rule, a in zip(rules, t.args)])
            parts.append(k.trans(th, k.ring(inner, th.rhs, ONE)))
        one = k.instantiate(EMPTY, k.cases(ctx, con, parts), {"l": Idx(half) + 0})
        zero = k.congruence(EMPTY, one.lhs, [k.iverson_false(EMPTY, a) for a in one.lhs.args])  # type: ignore[attr-defined]
        return chain(k, k.ring(EMPTY, ZERO, zero.rhs), k.sym(zero), one)

    refused(attack)


@pytest.mark.parametrize("bad", [True, 1.0, Fraction(3), "1", None])
def test_coefficients_and_constants_are_plain_integers(bad: Any) -> None:
    with pytest.raises(REFUSALS):
        Idx(bad)
    with pytest.raises(REFUSALS):
        Idx(0, ((QVar("a"), bad),))
    with pytest.raises(REFUSALS):
        Bound(bad)


def test_a_bound_index_has_no_negative_number() -> None:
    """``Bound(-1)`` would count as closed."""
    with pytest.raises(REFUSALS):
        Bound(-1)


# -- theories -------------------------------------------------------------------
@pytest.mark.parametrize("name", ["#0", "#1", "#"])
def test_a_parameter_named_like_the_index_of_a_sum(name: str) -> None:
    """f(p) = 1 + sum_{j<2} f(j-1) does not go down in p."""

    def attack() -> Theorem:
        p, f0 = qvar(name), App("f", (0,))
        value = Add(ONE, Sum(2, App("f", (Idx.of(Bound(0)) - 1,))))
        d = Definition("f", (name,), (Case((ge(p, 0),), value), Case((lt(p, 0),), ZERO)), (p,))
        k = Kernel(theory(Symbol("f", DEFINED, 1), definitions=((d,),)))
        u = k.unfold(EMPTY, f0, 0)
        s = u.rhs.args[1]  # type: ignore[attr-defined]
        split = k.sum_split(EMPTY, s, Idx(1))
        q = k.trans(split, k.congruence(EMPTY, split.rhs, [k.sum_single(EMPTY, x) for x in split.rhs.args]))  # type: ignore[attr-defined]
        first, second = q.rhs.args  # type: ignore[attr-defined]
        q = k.trans(q, k.congruence(EMPTY, q.rhs, [k.unfold(EMPTY, first, 1), k.refl(EMPTY, second)]))
        u = k.trans(u, k.congruence(EMPTY, u.rhs, [k.refl(EMPTY, ONE), q]))
        minus = Mul(Num(-1), f0)
        c = k.congruence(EMPTY, Add(f0, minus), [u, k.refl(EMPTY, minus)])
        return chain(k, k.ring(EMPTY, ZERO, c.lhs), c, k.ring(EMPTY, c.rhs, ONE))

    refused(attack)


def test_the_range_of_an_operator_with_a_free_variable() -> None:
    """P reads indices below l: whose l?  Where l = 0 everything is equal under P."""

    def attack() -> Theorem:
        p = Symbol("P", OPERATOR, 0, ((qvar("l"),),))
        p1, p0 = App("P", (), (Lam(1, ONE),)), App("P", (), (Lam(1, Add()),))
        k = Kernel(theory(p, hypotheses={"h": Statement((), (), Eq(p1, ONE)), "zero": Statement((), (), Eq(p0, ZERO))}))
        ctx = Context(("l",), (eq(qvar("l"), 0),))
        inner = k.absurd(ctx.bind(("k",), (qvar("l"),)), Eq(Add(), ONE))
        same = k.instantiate(EMPTY, k.argument_congruence(ctx, p0, 0, ("k",), inner), {"l": Idx(0)})
        zero = k.hypothesis(EMPTY, "zero", {})
        return chain(k, k.sym(zero), same, k.hypothesis(EMPTY, "h", {}))

    refused(attack)


@pytest.mark.parametrize("bound", [qvar("1"), Idx.of(Bound(0)), size("m", qvar("0")), size("n"), size("n", qvar("z"))])
def test_ranges_speak_of_the_symbols_own_indices_and_declared_sizes(bound: Idx) -> None:
    with pytest.raises(ValueError):
        Kernel(theory(Symbol("P", OPERATOR, 1, ((bound,),))))


@pytest.mark.parametrize(
    ("guard", "measure"),
    [
        ((ge(Bound(0), 0),), ()),
        ((ge(size("q"), 0),), ()),
        ((), (qvar("z"),)),
        ((), (size("q"),)),
        ((), (Idx.of(Bound(0)),)),
    ],
)
def test_guards_and_measures_speak_of_parameters_and_declared_sizes(guard: Any, measure: Any) -> None:
    d = Definition("f", ("l",), (Case(guard, ZERO),), measure)
    with pytest.raises(ValueError):
        Kernel(theory(Symbol("f", DEFINED, 1), definitions=((d,),)))


@pytest.mark.parametrize("con", [ge(Bound(0), 0), ge(qvar("l"), 0), ge(size("q"), 0)])
def test_assumptions_and_guards_are_closed(con: Con) -> None:
    with pytest.raises(ValueError):
        Kernel(theory(assumptions=(con,)))
    with pytest.raises(ValueError):
        Kernel(theory()).refl(Context((), (con,)), ONE)


# -- things changed after they were checked --------------------------------------
def test_assumptions_changed_after_admission() -> None:
    def attack() -> Theorem:
        given: list[Con] = []
        k = Kernel(theory(assumptions=given))
        given.append(ge(-1, 0))
        return k.absurd(EMPTY, Eq(ZERO, ONE))

    refused(attack)


def test_cases_changed_after_admission() -> None:
    cases = [Case((), ZERO)]
    k = Kernel(theory(Symbol("f", DEFINED), definitions=((Definition("f", (), cases),),)))  # type: ignore[arg-type]
    cases[0] = Case((), ONE)
    assert k.unfold(EMPTY, App("f"), 0).rhs is ZERO


def test_definitions_changed_after_admission() -> None:
    """With the definition gone, y would count as constant along w."""
    symbols = (Symbol("w", PARAMETER), Symbol("dw", PARAMETER), Symbol("y", DEFINED))
    groups = [(Definition("y", (), (Case((), App("w")),)),)]
    k = Kernel(theory(*symbols, definitions=groups, directions={"d": {"w": "dw"}}))
    groups.clear()
    with pytest.raises(ValueError, match="vary"):
        k.tangent_constant(EMPTY, "d", App("y"))


def test_guards_changed_after_the_proof() -> None:
    def attack() -> Theorem:
        k, con = Kernel(theory()), ge(-1, 0)
        th = k.absurd(Context((), (con,)), Eq(ZERO, ONE))
        con.expr = Idx(0)
        con.key = "ge:0"
        return k.instantiate(EMPTY, th, {})

    refused(attack)


@pytest.mark.parametrize(
    ("thing", "field"),
    [
        (QVar("a"), "name"),
        (Bound(0), "k"),
        (Size("L"), "args"),
        (Idx(1), "const"),
        (Idx(1), "key"),
        (ge(QVar("a"), 0), "kind"),
        (Num(1), "value"),
        (Add(ONE, ONE), "args"),
        (Lam(1, ONE), "body"),
    ],
)
def test_nodes_do_not_change(thing: Any, field: str) -> None:
    with pytest.raises(AttributeError):
        setattr(thing, field, getattr(thing, field))


@pytest.mark.parametrize("node", [Add(ONE, Num(3)), Mul(ONE, Num(3)), Sum(2, ONE), App("x", (1,)), Num(3), Lam(1, ONE)])
def test_a_copy_is_the_same_node_and_harms_no_other(node: Any) -> None:
    """A node filled in by ``copy`` would be the interned empty sum, so that a proved 0 = 0 reads 0 = 2."""
    k = Kernel(theory())
    empty = [k.ring(EMPTY, Add(), ZERO), k.ring(EMPTY, Mul(), ONE)]
    for again in (copy.copy(node), copy.deepcopy(node), pickle.loads(pickle.dumps(node))):
        assert again is node
    assert [th.lhs.args for th in empty] == [(), ()]  # type: ignore[attr-defined]
    assert Add().args == Mul().args == ()


# -- things that only look right ---------------------------------------------------
def test_a_premise_that_is_no_theorem() -> None:
    def attack() -> Theorem:
        k = Kernel(theory())
        k.refl(EMPTY, ONE)
        fake = types.SimpleNamespace(kernel=k, context=EMPTY, relation=Eq(ONE, ZERO), lhs=ONE, rhs=ZERO, id=0)
        return k.sym(fake)  # type: ignore[arg-type]

    refused(attack)


def test_a_goal_that_is_no_theorem() -> None:
    k = Kernel(theory())
    k.refl(EMPTY, ONE)
    fake = types.SimpleNamespace(kernel=k, id=0, statement=lambda: Statement((), (), Eq(ZERO, ONE)))
    with pytest.raises(ValueError):
        Proof(k, (fake,), {}).text  # type: ignore[arg-type]  # noqa: B018


def test_a_relation_equal_to_everything() -> None:
    def attack() -> Theorem:
        class Anything(Eq):
            def __eq__(self, other: object) -> bool:
                return True

            __hash__ = Eq.__hash__

        k, s = Kernel(theory()), Statement((), (), Anything(ZERO, ONE))
        return k.induct([s], [Idx(0)], [k.refl(k.induction_context([s], [Idx(0)], 0), ZERO)])[0]

    refused(attack)


def test_a_constraint_without_a_negation() -> None:
    def attack() -> Theorem:
        class Sure(Con):
            def negations(self) -> tuple[Con, ...]:
                return ()

        k, con = Kernel(theory()), Sure("ge", Idx(-1))
        return k.cases(EMPTY, con, [k.absurd(EMPTY.with_guards(con), Eq(ZERO, ONE))])

    refused(attack)


def test_a_context_that_forgets_its_guards() -> None:
    def attack() -> Theorem:
        class Forgetful(Context):
            def bind(self, names: Any, bounds: Any) -> Context:
                return nowhere

        k, nowhere = Kernel(theory()), Context(("j",), (ge(-1, 0),))
        th = k.absurd(nowhere, Eq(ZERO, ONE))
        s = k.sum_congruence(Forgetful(), Idx(1), "j", th)
        a, b = k.sum_single(s.context, s.lhs), k.sum_single(s.context, s.rhs)
        return chain(k, k.sym(a), s, b)

    refused(attack)


@pytest.mark.parametrize("name", ["#", "#0", "#1", "#1.0", "?0", "?1", "?n0", "k1", "x'", "", "L", "0"])
def test_the_evaluator_keeps_a_variable_apart_from_the_index_of_a_sum(name: str) -> None:
    x = Symbol("x", PARAMETER, 1)
    ev = Evaluator(theory(x), Model({}, {"x": lambda i: Fraction(i)}))
    assert ev.value(Sum(2, App("x", (qvar(name),))), {name: 5}) == 10


# -- arithmetic ---------------------------------------------------------------------
NAMES = ("a", "b", "c")


def _index(rng: random.Random, depth: int = 1) -> Idx:
    out = Idx(rng.randint(-4, 4))
    for _ in range(rng.randint(1, 3)):
        kind = rng.random()
        if kind < 0.6 or depth == 0:
            atom = qvar(rng.choice(NAMES))
        elif kind < 0.7:
            atom = size("L")
        elif kind < 0.85:
            atom = size("n", _index(rng, depth - 1))
        else:
            atom = size("n", qvar(rng.choice(NAMES)) + rng.randint(-1, 1))
        out = out + atom * rng.choice((1, 1, -1, -1, 2, -2, 3, -3, 5))
    return out


@pytest.mark.parametrize("seed", range(4))
def test_every_yes_of_the_arithmetic_is_right(seed: int) -> None:
    """Against enumeration: equations, inequations, coefficients, n(l) against n(m), n(n(l))."""
    rng = random.Random(seed)
    ev = Evaluator(theory(), Model({}))
    models = []
    for _ in range(400):
        widths = [rng.randint(-2, 4) for _ in range(7)]
        sizes = {"L": rng.randint(-3, 4), "n": lambda l, widths=widths: widths[l % 7]}
        models.append((sizes, {v: rng.randint(-4, 4) for v in NAMES}))

    def holds(con: Con, model: Any) -> bool:
        ev.model.sizes, env = model
        return ev.holds(con, env)

    yes = 0
    for _ in range(2000):
        cons = [Con(rng.choice(("ge", "ge", "ge", "eq", "ne")), _index(rng)) for _ in range(rng.randint(1, 5))]
        goal = Con(rng.choice(("ge", "eq", "ne")), _index(rng))
        if unsatisfiable(cons):
            yes += 1
            assert not any(all(holds(c, m) for c in cons) for m in models), cons
        elif entails(cons, goal):
            yes += 1
            assert all(holds(goal, m) for m in models if all(holds(c, m) for c in cons)), (cons, goal)
    assert yes > 100


def test_what_the_arithmetic_is_known_to_decide() -> None:
    a, b, n = qvar("a"), qvar("b"), lambda i: size("n", i)
    assert entails((eq(a, b),), eq(n(a), n(b)))
    assert entails((ge(a, b), le(a, b)), eq(n(n(a)), n(n(b))))
    assert not entails((ge(a, b),), eq(n(a), n(b)))
    assert unsatisfiable((eq(2 * a, 2 * b + 1),))
    assert not entails((), ge(n(a), 0))
