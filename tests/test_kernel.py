"""The rules of the kernel, one by one and at random.

Three parts.  A table: every rule has an example of its use and examples that
break each of its side conditions; every refusal in the source of the kernel is
met by one of them.  Attacks: names chosen to be captured, induction that does
not go down, derivatives of what only looks constant.  Semantics: rules applied
at random in random small theories, and every line of the proof evaluated in
exact models; the same search finds each side condition that is taken away.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import inspect
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pcproof.language.evaluate import Evaluator, Model
from pcproof.language.index import Con, Idx, QVar, eq, ge, le, lt, ne, qvar, size
from pcproof.language.signature import (
    DEFINED,
    FUNCTION,
    OPERATOR,
    PARAMETER,
    Case,
    Definition,
    Deriv,
    Eq,
    Le,
    Ne,
    Relation,
    Statement,
    Symbol,
    Tangent,
    Theory,
)
from pcproof.language.terms import (
    ONE,
    ZERO,
    Add,
    App,
    Inv,
    IsZero,
    Iverson,
    Lam,
    Mul,
    Num,
    Pow,
    Sum,
    Term,
    children,
    close,
    map_index,
    open_,
)
from pcproof.proof import kernel as kernel_module
from pcproof.proof.kernel import RULES, Context, Item, Kernel, KernelError, Theorem
from pcproof.proof.ring import polynomial, term_of
from pcproof.proof.theory import TheoryError

L = size("L")
l, i, j, t = map(qvar, "lijt")
EMPTY = Context()


def n(at: Any) -> Idx:
    return size("n", at)


def u(at: Any) -> App:
    return App("u", (at,))


def w(a: Any, b: Any) -> App:
    return App("w", (a, b))


def y(a: Any, b: Any) -> App:
    return App("y", (a, b))


def f(at: Any, arg: Term) -> App:
    return App("f", (at,), (arg,))


def op(name: str, at: Any, body: Term, index: str = "j") -> App:
    """An operator applied to the function ``index -> body``."""
    return App(name, (at,), (Lam(1, close(body, index)),))


def sigma(bound: Any, body: Term, index: str = "j") -> Sum:
    return Sum(bound, close(body, index))


def when(*cons: Con) -> Iverson:
    return Iverson(cons)


c, a = App("c"), App("a")


# == the theory and its models ==================================================
def make_theory(*values: tuple[tuple[Con, ...], Term]) -> Theory:
    """Parameters, functions, operators, a power ``p`` and a recursion ``y(l, i)`` with the given cases."""
    own = (n(qvar("0")),)
    symbols = (
        Symbol("c", PARAMETER),
        Symbol("a", PARAMETER),
        Symbol("u", PARAMETER, 1),
        Symbol("s", PARAMETER, 1),
        Symbol("w", PARAMETER, 2),
        Symbol("dw", PARAMETER, 2),
        Symbol("du", PARAMETER, 1),
        Symbol("f", FUNCTION, 1, ((),), derivatives=("df",)),
        Symbol("df", FUNCTION, 1, ((),)),
        Symbol("g", FUNCTION, 0, ((), ()), derivatives=("g1", "g2")),
        Symbol("g1", FUNCTION, 0, ((), ())),
        Symbol("g2", FUNCTION, 0, ((), ())),
        Symbol("h", FUNCTION, 0, ((),)),
        Symbol("r", FUNCTION, 0, ((),), derivatives=("dr",)),
        Symbol("dr", FUNCTION, 0, ((),)),
        Symbol("da", PARAMETER),
        Symbol("dc", PARAMETER),
        Symbol("P", OPERATOR, 1, (own,), derivatives=("J",)),
        Symbol("J", OPERATOR, 2, (own,)),
        Symbol("Q", OPERATOR, 1, (own,), derivatives=("K",)),
        Symbol("K", OPERATOR, 2, (own,)),
        Symbol("p", DEFINED, 1),
        Symbol("y", DEFINED, 2),
    )
    p = App("p", (l - 1,))
    power = Definition("p", ("l",), (Case((le(l, 0),), ONE), Case((ge(l, 1),), Mul(a, p))), (l,))
    body = Definition("y", ("l", "i"), tuple(Case(*v) for v in values), (l,))
    return Theory(
        sizes={"L": 0, "n": 1},
        assumptions=(ge(L, 1),),
        symbols={s.name: s for s in symbols},
        definitions=((power,), (body,)),
        hypotheses={
            "nonzero": Statement((), (), Ne(a, ZERO)),
            "s": Statement(("t", "l"), (ge(t, l),), Eq(App("s", (t - l,)), Mul(c, u(t - l)))),
            "smooth": Statement(("l", "i"), (ge(l, 0),), Deriv(f(l, y(l, i)))),
            "smooth_u": Statement(("l",), (), Deriv(f(l, u(l)))),
            "smooth_w": Statement(("l", "i"), (), Deriv(f(l, w(l, i)))),
            "smooth_g": Statement(("l", "i"), (), Deriv(App("g", (), (w(l, i), u(l))))),
            "smooth_P": Statement(("l",), (), Deriv(op("P", l, w(l, j)))),
            "smooth_r": Statement((), (), Deriv(App("r", (), (a,)))),
            "smooth_Q": Statement(("l",), (), Deriv(op("Q", l, w(l, j)))),
        },
        directions={"d": {"w": "dw"}, "e": {"u": "du"}, "b": {"a": "da", "c": "dc"}},
    )


FORWARD = (((le(l, 0),), u(i)), ((ge(l, 1),), sigma(n(l - 1), Mul(w(l, j), f(l, y(l - 1, j))))))
THEORY = make_theory(*FORWARD)


@dataclass(frozen=True)
class Dual:
    """a + b s with s s = 0: the exact derivative of whatever is computed with it."""

    a: Any
    b: Any

    @staticmethod
    def of(x: Any) -> Dual:
        return x if isinstance(x, Dual) else Dual(x, x * 0)

    def __add__(self, o: Any) -> Dual:
        o = Dual.of(o)
        return Dual(self.a + o.a, self.b + o.b)

    def __mul__(self, o: Any) -> Dual:
        o = Dual.of(o)
        return Dual(self.a * o.a, self.a * o.b + self.b * o.a)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, o: Dual) -> Dual:
        return Dual(self.a / o.a, (self.b * o.a + self.a * o.b * -1) / (o.a * o.a))

    def __eq__(self, o: object) -> bool:
        return bool(self.a == (o.a if isinstance(o, Dual) else o))

    __hash__ = None  # type: ignore[assignment]


def _draw(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:6], "big")


def small(*parts: object) -> Fraction:
    """Small rational numbers, often zero."""
    k = _draw(*parts)
    return Fraction(k % 5 - 2, 1 + (k >> 16) % 2)


def generic(*parts: object) -> Fraction:
    """Rational numbers that are hardly ever zero or equal; not modulo a prime, where nothing is in order."""
    k = _draw(*parts)
    return Fraction(k % 4001 - 2000, 1 + (k >> 16) % 7)


def make_model(theory: Theory, sizes: Any, seed: int, draw: Callable[..., Any], direction: str = "") -> Evaluator:
    """Polynomial functions with their derivatives, linear P, quadratic Q; what varies carries its variation."""
    number: Callable[[Any], Any] = Fraction
    moving = theory.directions[direction] if direction else {}

    def value(name: str, *idx: int) -> Any:
        out = draw(seed, name, idx)
        if name == "a" and out == 0:
            out = number(1)
        if name == "s":
            out = draw(seed, "c", ()) * draw(seed, "u", idx)  # so at the base point: it does not vary with u
        if name in moving:
            return Dual(out, draw(seed, moving[name], idx))
        return Dual.of(out) if direction else out

    def coefficient(name: str, *idx: int) -> Any:
        return draw(seed, name, idx) if name != "f2" or idx == (1,) else number(0)  # one layer is not linear

    def width(at: int) -> range:
        return range(sizes["n"](at))

    def product_with(name: str, at: int, x: Any) -> Any:
        out = number(0)
        for k in width(at):
            out = coefficient(name, at, k) * x(k) + out
        return out

    functions: dict[str, Any] = {
        "f": lambda l, x: x * coefficient("f1", l) + x * x * coefficient("f2", l) + coefficient("f0", l),
        "df": lambda l, x: x * 2 * coefficient("f2", l) + coefficient("f1", l),
        "g": lambda x, z: x * z + x * x,
        "g1": lambda x, z: z + x * 2,
        "g2": lambda x, z: x,
        "h": lambda x: x * x * x + 1,
        "r": lambda x: x,
        "dr": lambda x: number(7 if x == 0 else 1),  # not the derivative at 0
        "P": lambda l, x: product_with("P", l, x),
        "J": lambda l, k, x: coefficient("P", l, k),
        "Q": lambda l, x: product_with("Q", l, x) * product_with("Q", l, x),
        "K": lambda l, k, x: product_with("Q", l, x) * 2 * coefficient("Q", l, k),
    }
    if direction:
        functions = {m: lambda *xs, fn=fn: Dual.of(fn(*xs)) for m, fn in functions.items()}
    parameters = {m: partial(value, m) for m, s in theory.symbols.items() if s.kind == PARAMETER}
    lift = (lambda q: Dual.of(number(q))) if direction else number
    return Evaluator(theory, Model(sizes, parameters, functions, lift))


class Semantics:
    """Is a relation, in a context, true in some exact models of a theory?"""

    def __init__(self, theory: Theory, seed: int, depths: tuple[int, ...] = (1, 2, 3)) -> None:
        self.theory, self.rng, self.seen = theory, random.Random(seed), 0
        self.models: list[dict[str, Evaluator]] = []
        for k, draw in enumerate((small, generic)):
            widths = [self.rng.choice((-1, 0, 1, 1, 2, 2, 3)) for _ in range(7)]
            sizes = {"L": self.rng.choice(depths), "n": lambda at, widths=widths: widths[at % 7]}
            self.models.append({d: make_model(theory, sizes, seed + k, draw, d) for d in ("", *theory.directions)})

    def true(self, r: Relation, model: dict[str, Evaluator], env: dict[str, int]) -> bool:
        plain = model[""]
        if isinstance(r, Eq):
            return bool(plain.value(r.lhs, env) == plain.value(r.rhs, env))
        if isinstance(r, Ne):
            return bool(plain.value(r.lhs, env) != plain.value(r.rhs, env))
        if isinstance(r, Le):
            return bool(plain.value(r.lhs, env) <= plain.value(r.rhs, env))
        if isinstance(r, Tangent):
            return bool(model[r.direction].value(r.term, env).b == plain.value(r.tangent, env))
        if r.point.name == "r":
            return bool(plain.value(r.point.args[0].body, env) != 0)
        return bool(self.theory.symbols[r.point.name].derivatives)  # the others are differentiable everywhere

    def assignments(self, ctx: Context, model: dict[str, Evaluator], most: int) -> Iterator[dict[str, int]]:
        """Values of the variables that meet the guards and the local hypotheses."""
        points = list(product(range(-1, 4), repeat=len(ctx.variables))) if len(ctx.variables) < 4 else []
        if not points:
            points = [tuple(self.rng.randint(-1, 3) for _ in ctx.variables) for _ in range(120)]
        self.rng.shuffle(points)
        plain = model[""]
        for point in points:
            env = dict(zip(ctx.variables, point))
            if all(plain.holds(g, env) for g in ctx.guards) and all(self.given(h, model, env) for h in ctx.hypotheses):
                yield env
                most -= 1
            if not most:
                return

    def given(self, h: Statement, model: dict[str, Evaluator], env: dict[str, int]) -> bool:
        for point in product(range(-8, 12), repeat=len(h.variables)):  # wider: a rule may use it outside
            inner = {**env, **dict(zip(h.variables, point))}
            if all(model[""].holds(g, inner) for g in h.guards) and not self.true(h.relation, model, inner):
                return False
        return True

    def lie(self, ctx: Context, r: Relation, most: int = 4) -> dict[str, int] | None:
        """An assignment at which the relation fails."""
        for model in self.models:
            for env in self.assignments(ctx, model, most):
                self.seen += 1
                if not self.true(r, model, env):
                    return env
        return None


def check(*ths: Theorem, seeds: int = 6) -> None:
    """Each theorem holds in models of its theory."""
    for seed in range(seeds):
        semantics = Semantics(ths[0].kernel.theory, seed)
        for th in ths:
            env = semantics.lie(th.context, th.relation, 25)
            assert env is None, f"false at {env}: {th.context} {th.relation}"


# == the table ===================================================================
POSITIVE: dict[str, Callable[[Kernel], tuple[Theorem, Relation]]] = {}
NEGATIVE: list[tuple[str, str, Callable[[Kernel], Any], str]] = []


def example(rule: str) -> Callable[[Any], Any]:
    """The decorated function uses ``rule`` and returns the theorem and what it should say."""

    def note(fn: Any) -> Any:
        assert rule not in POSITIVE
        POSITIVE[rule] = fn
        return fn

    return note


def refuse(rule: str, prefix: str | None = None, /, **attacks: Callable[[Kernel], Any]) -> None:
    """Each call breaks one side condition; the message starts with the rule's name (or a shared prefix)."""
    for what, attack in attacks.items():
        NEGATIVE.append((rule, what, attack, prefix or rule))


LAYER = Context(("l",), (ge(l, 1), le(l, L)))
LAST = Context(("l",), (eq(l, L),))
LOW = Context(("l",), (le(l, 0),))
UNIT = LAYER.bind(("j",), (n(l),))
NOWHERE = Context(("l",), (ge(l, 1), le(l, 0)))
OPEN = Context(("l",), (), (Statement(("m",), (ge(qvar("m"), 1),), Eq(u(qvar("m")), c)),))
INSIDE = when(ge(j, 0))


def other() -> Kernel:
    return Kernel(THEORY)


def differ(k: Kernel, ctx: Context = NOWHERE) -> Theorem:
    """Ne(u(l), 0) where nothing is."""
    return k.absurd(ctx, Ne(u(l), ZERO))


def move(k: Kernel, ctx: Context, term: App, direction: str = "d") -> Theorem:
    return k.tangent_variable(ctx, direction, term)


@example("refl")
def _(k: Kernel) -> Any:
    return k.refl(LAYER, u(l)), Eq(u(l), u(l))


refuse(
    "refl",
    free_index=lambda k: k.refl(EMPTY, u(l)),
    free_in_a_bound=lambda k: k.refl(EMPTY, Sum(n(l), ONE)),
    free_in_an_indicator=lambda k: k.refl(EMPTY, when(ge(l, 0))),
    loose_index=lambda k: k.refl(EMPTY, Sum(2, close(u(j), "j")).body),
    loose_in_an_argument=lambda k: k.refl(LAYER, App("P", (l,), (Lam(1, close(close(w(i, j), "i"), "j")),))),
)
refuse(
    "refl",
    "context",
    no_context=lambda k: k.refl(None, ONE),
    a_set=lambda k: k.refl(Context((), frozenset((ge(1, 0),))), ONE),
    no_constraint=lambda k: k.refl(Context((), (True,)), ONE),
    twice=lambda k: k.refl(Context(("l", "l")), ONE),
    free_guard=lambda k: k.refl(Context(("l",), (ge(i, 0),)), ONE),
    hypothesis_rebinds=lambda k: k.refl(Context(("l",), (), (Statement(("l",), (), Eq(u(l), c)),)), ONE),
)
refuse(
    "refl",
    "the ",
    unknown_symbol=lambda k: k.refl(EMPTY, App("x")),
    unknown_size=lambda k: k.refl(EMPTY, u(size("m"))),
    size_arity=lambda k: k.refl(EMPTY, u(size("L", 1))),
)
refuse("refl", "'", symbol_arity=lambda k: k.refl(EMPTY, App("u")), argument_shape=lambda k: k.refl(EMPTY, App("h")))


@example("sym")
def _(k: Kernel) -> Any:
    return k.sym(k.ring(EMPTY, Add(c, a), Add(a, c))), Eq(Add(a, c), Add(c, a))


refuse(
    "sym",
    another_proof=lambda k: k.sym(other().refl(EMPTY, ONE)),
    another_proof_of_the_same_theory=lambda k: k.sym(Kernel(k.theory).refl(EMPTY, ONE)),
)
refuse(
    "sym",
    "rhs",
    inequation=lambda k: k.sym(k.hypothesis(EMPTY, "nonzero", {})),
    tangent=lambda k: k.sym(k.tangent_constant(EMPTY, "d", c)),
)


@example("trans")
def _(k: Kernel) -> Any:
    first, second = k.ring(EMPTY, Add(c, ZERO), c), k.ring(EMPTY, c, Mul(ONE, c))
    return k.trans(first, second), Eq(Add(c, ZERO), Mul(ONE, c))


refuse(
    "trans",
    no_meeting=lambda k: k.trans(k.refl(EMPTY, c), k.refl(EMPTY, a)),
    backwards=lambda k: k.trans(k.ring(EMPTY, c, Mul(ONE, c)), k.ring(EMPTY, c, Mul(ONE, c))),
    other_guards=lambda k: k.trans(k.refl(LAYER, u(l)), k.refl(LOW, u(l))),
    other_variables=lambda k: k.trans(k.refl(EMPTY, c), k.refl(Context(("l",)), c)),
    other_hypotheses=lambda k: k.trans(k.refl(Context(("l",)), c), k.refl(OPEN, c)),
    another_proof=lambda k: k.trans(k.refl(EMPTY, c), other().refl(EMPTY, c)),
)


@example("congruence")
def _(k: Kernel) -> Any:
    term = Mul(c, Pow(u(l), l))
    power = k.congruence(LAYER, term.args[1], [k.ring(LAYER, u(l), Add(u(l)))])
    return k.congruence(LAYER, term, [k.refl(LAYER, c), power]), Eq(term, Mul(c, Pow(Add(u(l)), l)))


refuse(
    "congruence",
    too_few=lambda k: k.congruence(EMPTY, Mul(c, a), [k.refl(EMPTY, c)]),
    too_many=lambda k: k.congruence(EMPTY, Inv(c), [k.refl(EMPTY, c), k.refl(EMPTY, c)]),
    wrong_part=lambda k: k.congruence(EMPTY, Inv(c), [k.refl(EMPTY, a)]),
    swapped=lambda k: k.congruence(EMPTY, Mul(c, a), [k.refl(EMPTY, a), k.refl(EMPTY, c)]),
    under_a_sum=lambda k: k.congruence(EMPTY, Sum(2, c), [k.refl(EMPTY, c)]),
    under_an_operator=lambda k: k.congruence(LAYER, op("P", l, c), [k.refl(LAYER, c)]),
    other_context=lambda k: k.congruence(EMPTY, Inv(c), [k.refl(LAYER, c)]),
)


@example("sum_congruence")
def _(k: Kernel) -> Any:
    th = k.sum_congruence(LAYER, n(l), "j", k.iverson_true(UNIT, INSIDE))
    return th, Eq(sigma(n(l), INSIDE), Sum(n(l), ONE))


refuse(
    "sum_congruence",
    taken=lambda k: k.sum_congruence(LAYER, n(l), "l", k.refl(UNIT, ONE)),
    taken_by_a_hypothesis=lambda k: k.sum_congruence(OPEN, n(l), "m", k.refl(OPEN, ONE)),
    other_bound=lambda k: k.sum_congruence(LAYER, n(l) + 1, "j", k.iverson_true(UNIT, INSIDE)),
    other_name=lambda k: k.sum_congruence(LAYER, n(l), "i", k.iverson_true(UNIT, INSIDE)),
    no_range=lambda k: k.sum_congruence(LAYER, n(l), "j", k.refl(LAYER, ONE)),
    more_guards=lambda k: k.sum_congruence(LAYER, n(l), "j", k.refl(UNIT.with_guards(eq(j, 0)), ONE)),
    bound_mentions_index=lambda k: k.sum_congruence(LAYER, j, "j", k.refl(LAYER.bind(("j",), (j,)), ONE)),
)


@example("argument_congruence")
def _(k: Kernel) -> Any:
    th = k.argument_congruence(LAYER, op("P", l, INSIDE), 0, ("j",), k.iverson_true(UNIT, INSIDE))
    return th, Eq(op("P", l, INSIDE), op("P", l, ONE))


def _argument(position: int = 0, names: Any = ("j",), ctx: Context = LAYER, inner: Context = UNIT) -> Any:
    return lambda k: k.argument_congruence(ctx, op("P", l, ONE), position, names, k.refl(inner, ONE))


refuse(
    "argument_congruence",
    no_argument=_argument(1),
    negative_argument=_argument(-1),
    no_name=_argument(names=()),
    two_names=_argument(names=("i", "j")),
    taken=_argument(names=("l",)),
    other_range=_argument(inner=LAYER.bind(("j",), (n(l) + 1,))),
    other_layer=_argument(inner=LAYER.bind(("j",), (n(l - 1),))),
    no_range=_argument(inner=LAYER),
    other_argument=lambda k: k.argument_congruence(LAYER, op("P", l, u(j)), 0, ("j",), k.refl(UNIT, ONE)),
    constant_for_index=lambda k: k.argument_congruence(LAYER, op("P", l, u(0)), 0, ("j",), k.refl(UNIT, u(j))),
)


@example("index")
def _(k: Kernel) -> Any:
    def term(at: Idx) -> Term:
        return Add(sigma(n(at), Mul(w(at, j), Pow(c, at))), op("P", at, w(j, at)), f(at, u(at)))

    return k.index(LAST, term(l), term(L)), Eq(term(l), term(L))


refuse(
    "index",
    not_entailed=lambda k: k.index(LAYER, u(l), u(L)),
    bound_not_entailed=lambda k: k.index(LAYER, Sum(n(l), ONE), Sum(n(L), ONE)),
    exponent_not_entailed=lambda k: k.index(LAYER, Pow(c, l), Pow(c, L)),
    in_an_argument=lambda k: k.index(LAYER, f(l, u(l)), f(l, u(L))),
    beyond_the_range=lambda k: k.index(LAST, sigma(n(l), u(j)), sigma(n(L), u(j + l - 1))),
    numbers=lambda k: k.index(LAST, Num(1), Num(2)),
    indicators=lambda k: k.index(LAST, when(ge(l, 2)), when(ge(L, 2))),
    other_node=lambda k: k.index(LAST, u(l), Sum(l, ONE)),
    more_children=lambda k: k.index(LAST, Add(c, u(l)), Add(c, u(L), ZERO)),
    other_symbol=lambda k: k.index(LAST, w(l, l), y(l, L)),
    other_arity=lambda k: k.index(LAST, op("P", l, c), App("P", (L,), (Lam(0, c),))),
    taken=lambda k: k.index(Context(("#0",)), Sum(2, c), Sum(2, a)),
)


@example("unfold")
def _(k: Kernel) -> Any:
    ctx = LAYER.bind(("i",), (n(l),))
    return k.unfold(ctx, y(l, i), 1), Eq(y(l, i), FORWARD[1][1])


refuse(
    "unfold",
    a_parameter=lambda k: k.unfold(LAYER, u(l), 0),
    no_application=lambda k: k.unfold(LAYER, ONE, 0),
    no_case=lambda k: k.unfold(LAYER, y(l, l), 2),
    negative_case=lambda k: k.unfold(LAYER, y(l, l), -1),
    other_case=lambda k: k.unfold(LAYER, y(l, l), 0),
    undecided=lambda k: k.unfold(Context(("l",)), y(l, l), 1),
    other_argument=lambda k: k.unfold(LAYER, y(l - 1, l), 1),
)


@example("ring")
def _(k: Kernel) -> Any:
    one, two = Pow(Add(c, u(l)), 2), Add(Mul(c, c), Mul(Num(2), u(l), c), Mul(u(l), u(l)))
    return k.ring(LAYER, one, two), Eq(one, two)


refuse(
    "ring",
    other_number=lambda k: k.ring(EMPTY, ONE, ZERO),
    division=lambda k: k.ring(EMPTY, Mul(c, Inv(c)), ONE),
    characteristic=lambda k: k.ring(EMPTY, Mul(Num(2), c), c),
    atoms=lambda k: k.ring(LAYER, Mul(u(l), c), Mul(u(L), c)),
    negative_power=lambda k: k.ring(EMPTY, Mul(Pow(c, -1), c), ONE),
    powers_of_symbols=lambda k: k.ring(LAYER, Mul(c, Pow(c, l)), Pow(c, l + 1)),
    indicators_squared=lambda k: k.ring(LAYER, Mul(when(ge(l, 2)), when(ge(l, 2))), Add(when(ge(l, 2)), ONE)),
    free_index=lambda k: k.ring(EMPTY, Add(u(l), c), Add(c, u(l))),
)


@example("power_zero")
def _(k: Kernel) -> Any:
    return k.power_zero(LOW, Pow(c, l)), Eq(Pow(c, l), ONE)


refuse(
    "power_zero",
    positive=lambda k: k.power_zero(EMPTY, Pow(c, 1)),
    undecided=lambda k: k.power_zero(Context(("l",)), Pow(c, l)),
    depth=lambda k: k.power_zero(EMPTY, Pow(c, L)),
    no_power=lambda k: k.power_zero(LOW, u(l)),
)


@example("power_step")
def _(k: Kernel) -> Any:
    return k.power_step(LAYER, Pow(c, l)), Eq(Pow(c, l), Mul(c, Pow(c, l - 1)))


refuse(
    "power_step",
    zero=lambda k: k.power_step(EMPTY, Pow(c, 0)),
    negative=lambda k: k.power_step(EMPTY, Pow(c, -2)),
    undecided=lambda k: k.power_step(Context(("l",), (ge(l, 0),)), Pow(c, l)),
    no_power=lambda k: k.power_step(LAYER, Mul(c, c)),
)


@example("inverse")
def _(k: Kernel) -> Any:
    return k.inverse(k.hypothesis(EMPTY, "nonzero", {})), Eq(Mul(a, Inv(a)), ONE)


refuse(
    "inverse",
    an_equation=lambda k: k.inverse(k.refl(EMPTY, ZERO)),
    not_zero=lambda k: k.inverse(k.absurd(NOWHERE, Ne(c, ONE))),
    a_sum_of_nothing=lambda k: k.inverse(k.absurd(NOWHERE, Ne(c, Add()))),
    turned=lambda k: k.inverse(k.absurd(NOWHERE, Ne(ZERO, c))),
    another_proof=lambda k: k.inverse(other().hypothesis(EMPTY, "nonzero", {})),
)


@example("sum_add")
def _(k: Kernel) -> Any:
    whole = sigma(n(l), Add(u(j), c, w(l, j)))
    parts = Add(sigma(n(l), u(j)), Sum(n(l), c), sigma(n(l), w(l, j)))
    return k.sum_add(LAYER, whole), Eq(whole, parts)


refuse(
    "sum_add",
    no_sum=lambda k: k.sum_add(EMPTY, Add(c, a)),
    a_product=lambda k: k.sum_add(EMPTY, Sum(2, Mul(c, a))),
    free_index=lambda k: k.sum_add(EMPTY, Sum(l, Add(c, a))),
)


@example("sum_scale")
def _(k: Kernel) -> Any:
    whole = sigma(n(l), Mul(Sum(n(l), u(l)), u(j)))
    return k.sum_scale(LAYER, whole), Eq(whole, Mul(Sum(n(l), u(l)), sigma(n(l), u(j))))


refuse(
    "sum_scale",
    no_sum=lambda k: k.sum_scale(EMPTY, Mul(c, a)),
    no_product=lambda k: k.sum_scale(EMPTY, Sum(2, c)),
    three_factors=lambda k: k.sum_scale(EMPTY, Sum(2, Mul(c, a, c))),
    depends=lambda k: k.sum_scale(EMPTY, sigma(2, Mul(u(j), c))),
    depends_under_a_sum=lambda k: k.sum_scale(EMPTY, sigma(2, Mul(sigma(2, w(i, j), "i"), c))),
    depends_in_a_range=lambda k: k.sum_scale(EMPTY, sigma(2, Mul(Sum(j, ONE), c))),
    depends_in_a_size=lambda k: k.sum_scale(EMPTY, sigma(2, Mul(u(n(j)), c))),
    depends_in_an_exponent=lambda k: k.sum_scale(EMPTY, sigma(2, Mul(Pow(c, j), c))),
    depends_in_an_indicator=lambda k: k.sum_scale(EMPTY, sigma(2, Mul(when(eq(j, 1)), c))),
)


@example("sum_swap")
def _(k: Kernel) -> Any:
    one = sigma(l, sigma(n(l), w(i, j)), "i")
    return k.sum_swap(LAYER, one, ("i", "j")), Eq(one, sigma(n(l), sigma(l, w(i, j), "i")))


_double = sigma(L, sigma(3, w(i, j)), "i")
refuse(
    "sum_swap",
    no_sum=lambda k: k.sum_swap(EMPTY, c, ("i", "j")),
    one_sum=lambda k: k.sum_swap(EMPTY, Sum(2, c), ("i", "j")),
    dependent=lambda k: k.sum_swap(EMPTY, sigma(L, sigma(i, w(i, j)), "i"), ("i", "j")),
    dependent_width=lambda k: k.sum_swap(EMPTY, sigma(L, sigma(n(i), w(i, j)), "i"), ("i", "j")),
    one_name_twice=lambda k: k.sum_swap(EMPTY, _double, ("i", "i")),
    taken=lambda k: k.sum_swap(LAYER, _double, ("l", "j")),
    second_taken=lambda k: k.sum_swap(LAYER, _double, ("i", "l")),
)


@example("sum_split")
def _(k: Kernel) -> Any:
    whole = sigma(L, w(l, j))
    return k.sum_split(LAYER, whole, l), Eq(whole, Add(sigma(l, w(l, j)), sigma(L - l, w(l, j + l))))


refuse(
    "sum_split",
    no_sum=lambda k: k.sum_split(LAYER, c, l),
    beyond=lambda k: k.sum_split(LAYER, sigma(L, u(j)), l + 1),
    negative=lambda k: k.sum_split(LAYER, sigma(L, u(j)), Idx(-1)),
    of_an_empty_sum=lambda k: k.sum_split(EMPTY, sigma(-2, u(j)), Idx(-1)),
    zero_of_a_negative_sum=lambda k: k.sum_split(EMPTY, sigma(-2, u(j)), Idx(0)),
    width_may_be_negative=lambda k: k.sum_split(LAYER, sigma(n(l), u(j)), Idx(0)),
    taken=lambda k: k.sum_split(Context(("#",)), sigma(2, u(j)), Idx(1)),
    free_place=lambda k: k.sum_split(NOWHERE, sigma(2, u(j)), qvar("#")),
)


@example("sum_empty")
def _(k: Kernel) -> Any:
    return k.sum_empty(LAYER, sigma(1 - l, u(j))), Eq(sigma(1 - l, u(j)), ZERO)


refuse(
    "sum_empty",
    no_sum=lambda k: k.sum_empty(EMPTY, ZERO),
    one=lambda k: k.sum_empty(EMPTY, sigma(1, u(j))),
    undecided=lambda k: k.sum_empty(LAYER, sigma(n(l), u(j))),
)


@example("sum_single")
def _(k: Kernel) -> Any:
    return k.sum_single(LAST, sigma(l - L + 1, w(j, l))), Eq(sigma(l - L + 1, w(j, l)), w(0, l))


refuse(
    "sum_single",
    no_sum=lambda k: k.sum_single(EMPTY, ONE),
    none=lambda k: k.sum_single(EMPTY, sigma(0, u(j))),
    two=lambda k: k.sum_single(EMPTY, sigma(2, u(j))),
    undecided=lambda k: k.sum_single(LAYER, sigma(l, u(j))),
)


@example("sum_zero")
def _(k: Kernel) -> Any:
    return k.sum_zero(LAYER, n(l)), Eq(Sum(n(l), ZERO), ZERO)


refuse(
    "sum_zero",
    free_bound=lambda k: k.sum_zero(EMPTY, n(l)),
    loose_bound=lambda k: k.sum_zero(EMPTY, close_index()),
)
refuse("sum_zero", "the ", unknown_size=lambda k: k.sum_zero(EMPTY, size("m")))


def close_index() -> Idx:
    """A bound index without its sum."""
    return close(u(j), "j").idx[0]  # type: ignore[attr-defined, no-any-return]


@example("iverson_true")
def _(k: Kernel) -> Any:
    term = when(ge(l, 1), ne(l, 0), eq(n(l), n(L)))
    return k.iverson_true(LAST, term), Eq(term, ONE)


refuse(
    "iverson_true",
    undecided=lambda k: k.iverson_true(LAYER, when(ge(l, 2))),
    one_of_two=lambda k: k.iverson_true(LAYER, when(ge(l, 1), ge(l, 2))),
    false=lambda k: k.iverson_true(LAYER, when(le(l, 0))),
    never=lambda k: k.iverson_true(EMPTY, when(ge(-1, 0))),
)
refuse("iverson_true", "iverson", no_indicator=lambda k: k.iverson_true(EMPTY, ONE))


@example("iverson_false")
def _(k: Kernel) -> Any:
    return k.iverson_false(LAYER, when(ge(l, 1), le(n(l), 2), eq(l, 0))), Eq(
        when(ge(l, 1), le(n(l), 2), eq(l, 0)), ZERO
    )


refuse(
    "iverson_false",
    undecided=lambda k: k.iverson_false(LAYER, when(ge(l, 2))),
    true=lambda k: k.iverson_false(LAYER, when(ge(l, 1))),
    nothing=lambda k: k.iverson_false(EMPTY, when()),
    always=lambda k: k.iverson_false(EMPTY, when(ge(0, 0))),
)
refuse("iverson_false", "iverson", no_indicator=lambda k: k.iverson_false(EMPTY, ZERO))


TWO = Context(("t", "l"), (ge(t, l),))


def swapping(k: Kernel) -> Theorem:
    """w(t, l) [t >= l] = w(t, l) wherever t >= l."""
    term = Mul(w(t, l), when(ge(t, l)))
    th = k.congruence(TWO, term, [k.refl(TWO, w(t, l)), k.iverson_true(TWO, term.args[1])])
    return k.trans(th, k.ring(TWO, th.rhs, w(t, l)))


@example("instantiate")
def _(k: Kernel) -> Any:
    ctx = Context(("l", "t"), (ge(l, t),))
    th = k.instantiate(ctx, swapping(k), {"t": l, "l": t})
    return th, Eq(Mul(w(l, t), when(ge(l, t))), w(l, t))


refuse(
    "instantiate",
    missing=lambda k: k.instantiate(TWO, swapping(k), {"t": t}),
    extra=lambda k: k.instantiate(TWO, swapping(k), {"t": t, "l": l, "i": l}),
    none=lambda k: k.instantiate(TWO, swapping(k), {}),
    swapped=lambda k: k.instantiate(TWO, swapping(k), {"t": l, "l": t}),
    guard=lambda k: k.instantiate(EMPTY, swapping(k), {"t": Idx(1), "l": Idx(2)}),
    guard_of_the_assumptions=lambda k: k.instantiate(EMPTY, swapping(k), {"t": Idx(1), "l": L}),
    a_number=lambda k: k.instantiate(EMPTY, swapping(k), {"t": 2, "l": 1}),
    an_atom=lambda k: k.instantiate(TWO, swapping(k), {"t": QVar("t"), "l": QVar("l")}),
    free=lambda k: k.instantiate(EMPTY, swapping(k), {"t": t, "l": t}),
    free_in_a_size=lambda k: k.instantiate(EMPTY, swapping(k), {"t": n(t), "l": n(t)}),
    loose=lambda k: k.instantiate(EMPTY, swapping(k), {"t": close_index(), "l": close_index()}),
    another_proof=lambda k: k.instantiate(EMPTY, other().refl(EMPTY, c), {}),
)
refuse("instantiate", "statement", open_hypothesis=lambda k: k.instantiate(LAYER, k.refl(OPEN, u(l)), {"l": l}))


@example("hypothesis")
def _(k: Kernel) -> Any:
    ctx = Context(("l", "t"), (ge(l, t),))
    th = k.hypothesis(ctx, "s", {"t": l, "l": t})
    return th, Eq(App("s", (l - t,)), Mul(c, u(l - t)))


refuse(
    "hypothesis",
    no_name=lambda k: k.hypothesis(EMPTY, "r", {}),
    no_number=lambda k: k.hypothesis(EMPTY, 0, {}),
    negative_number=lambda k: k.hypothesis(OPEN, -1, {"m": l}),
    local_guard=lambda k: k.hypothesis(OPEN, 0, {"m": l}),
    outer_variable=lambda k: k.hypothesis(OPEN, 0, {"m": l + 1, "l": l}),
    guard=lambda k: k.hypothesis(EMPTY, "s", {"t": Idx(0), "l": L}),
    missing=lambda k: k.hypothesis(EMPTY, "s", {"t": Idx(0)}),
    free=lambda k: k.hypothesis(EMPTY, "s", {"t": l, "l": l}),
)


@example("weaken")
def _(k: Kernel) -> Any:
    ctx = Context(("l", "i"), (*LAYER.guards, le(i, 4)))
    return k.weaken(ctx, k.power_step(LAYER, Pow(c, l))), Eq(Pow(c, l), Mul(c, Pow(c, l - 1)))


def _weaken(ctx: Context, old: Context = LAYER) -> Any:
    return lambda k: k.weaken(ctx, k.refl(old, u(l)))


refuse(
    "weaken",
    fewer_guards=_weaken(Context(("l",), (ge(l, 1),))),
    other_guards=_weaken(LOW),
    other_order=_weaken(Context(("i", "l"), LAYER.guards)),
    renamed=_weaken(Context(("i",), (ge(i, 1), le(i, L)))),
    fewer_variables=_weaken(EMPTY, Context(("l",))),
    fewer_hypotheses=_weaken(Context(("l",)), OPEN),
    other_hypotheses=lambda k: k.weaken(where(u(l), ZERO), k.refl(where(u(l), ONE), c)),
    equal_or_not=lambda k: k.weaken(where(c, a, False), k.refl(where(c, a), c)),
    hypotheses_in_front=lambda k: k.weaken(where(u(l), c, True, where(c, a)), k.refl(where(u(l), c), c)),
)
refuse("weaken", "context", rebinding=lambda k: k.weaken(Context(("l", "m"), (), OPEN.hypotheses), k.refl(OPEN, c)))


def halves(k: Kernel, ctx: Context, con: Con) -> list[Theorem]:
    """[con] + [not con] = 1 in every branch."""
    term = Add(when(con), *(when(x) for x in con.negations()))
    out = []
    for branch in (con, *con.negations()):
        inner = ctx.with_guards(branch)
        parts = [(k.iverson_true if x.cons == (branch,) else k.iverson_false)(inner, x) for x in term.args]  # type: ignore[attr-defined]
        th = k.congruence(inner, term, parts)
        out.append(k.trans(th, k.ring(inner, th.rhs, ONE)))
    return out


@example("cases")
def _(k: Kernel) -> Any:
    con = eq(l, 2)
    th = k.cases(LAYER, con, halves(k, LAYER, con))
    return th, Eq(Add(when(con), when(ge(l, 3)), when(le(l, 1))), ONE)


refuse(
    "cases",
    branch_left_out=lambda k: k.cases(LAYER, eq(l, 2), halves(k, LAYER, eq(l, 2))[:2]),
    one_branch=lambda k: k.cases(LAYER, ge(l, 2), halves(k, LAYER, ge(l, 2))[:1]),
    no_branch=lambda k: k.cases(LAYER, ge(l, 2), []),
    one_twice=lambda k: k.cases(LAYER, ge(l, 2), halves(k, LAYER, ge(l, 2))[:1] * 2),
    wrong_order=lambda k: k.cases(LAYER, ge(l, 2), halves(k, LAYER, ge(l, 2))[::-1]),
    other_split=lambda k: k.cases(LAYER, ge(l, 3), halves(k, LAYER, ge(l, 2))),
    other_context=lambda k: k.cases(Context(("l",)), ge(l, 2), halves(k, LAYER, ge(l, 2))),
    other_claim=lambda k: k.cases(
        EMPTY, ge(L, 2), [k.refl(EMPTY.with_guards(ge(L, 2)), c), k.refl(EMPTY.with_guards(le(L, 1)), a)]
    ),
)


@example("absurd")
def _(k: Kernel) -> Any:
    return k.absurd(NOWHERE, Eq(u(l), ONE)), Eq(u(l), ONE)


refuse(
    "absurd",
    everywhere=lambda k: k.absurd(EMPTY, Eq(ZERO, ONE)),
    shallow=lambda k: k.absurd(Context((), (le(L, 1),)), Eq(ZERO, ONE)),
    widths=lambda k: k.absurd(LAYER.with_guards(ge(-1, n(l))), Eq(ZERO, ONE)),
    two_widths=lambda k: k.absurd(LAYER.with_guards(lt(n(l), n(L))), Eq(ZERO, ONE)),
    free_index=lambda k: k.absurd(NOWHERE, Eq(u(i), ONE)),
    no_relation=lambda k: k.absurd(NOWHERE, (ZERO, ONE)),
    a_statement=lambda k: k.absurd(NOWHERE, Statement((), (), Eq(ZERO, ONE))),
)


POWER = Statement(("l",), (ge(l, 0),), Eq(App("p", (l,)), Pow(a, l)))


def climb(k: Kernel, claims: Any, measures: Any, which: int = 0, back: Idx | None = None) -> Theorem:
    """p(l) = a^l in the context of the induction, by the hypothesis one below (or at ``back``)."""
    ctx = k.induction_context(claims, measures, which)
    low, high = ctx.with_guards(le(l, 0)), ctx.with_guards(ge(l, 1))
    zero = k.trans(k.unfold(low, App("p", (l,)), 0), k.sym(k.power_zero(low, Pow(a, l))))
    step = k.unfold(high, App("p", (l,)), 1)
    before = k.hypothesis(high, which, {"l'": l - 1 if back is None else back})
    step = k.trans(step, k.congruence(high, step.rhs, [k.refl(high, a), before]))
    step = k.trans(step, k.sym(k.power_step(high, Pow(a, l))))
    return k.cases(ctx, Con("ge", -l), [zero, step])


@example("induct")
def _(k: Kernel) -> Any:
    return k.induct([POWER], [l], [climb(k, [POWER], [l])])[0], POWER.relation


def _induct(claim: Statement, measure: Idx, **options: Any) -> Any:
    return lambda k: k.induct([claim], [measure], [climb(k, [claim], [measure], **options)])


def circular(claims: Any, measures: Any, which: tuple[int, ...]) -> Any:
    """Each claim by the hypothesis that says claim ``which[k]`` at a place below."""

    def attack(k: Kernel) -> Any:
        parts = []
        for m in range(len(claims)):
            ctx = k.induction_context(claims, measures, m)
            parts.append(k.hypothesis(ctx, which[m], {v: qvar(v[:-1]) - 1 for v in ctx.hypotheses[which[m]].variables}))
        return k.induct(claims, measures, parts)

    return attack


FALSE = Statement(("l",), (), Eq(ZERO, ONE))
refuse(
    "induct",
    nothing=lambda k: k.induct([], [], []),
    fewer_measures=lambda k: k.induct([POWER], [], [climb(k, [POWER], [l])]),
    fewer_proofs=lambda k: k.induct([POWER, POWER], [l, l], [climb(k, [POWER, POWER], [l, l])]),
    negative_measure=circular([FALSE], [l], (0,)),
    measure_from_minus_one=_induct(Statement(("l",), (ge(l, -1),), POWER.relation), l),
    width_as_measure=lambda k: k.induct([POWER], [n(l)], [k.refl(EMPTY, c)]),
    other_claim=lambda k: k.induct([POWER], [l], [k.refl(k.induction_context([POWER], [l], 0), u(l))]),
    other_context=lambda k: k.induct([POWER], [l], [k.absurd(NOWHERE, POWER.relation)]),
    other_measure=lambda k: k.induct([POWER], [Idx(5)], [climb(k, [POWER], [l])]),
    free_measure=lambda k: k.induct([POWER], [i], [climb(k, [POWER], [l])]),
    primed=lambda k: k.induct([Statement(("l'",), (), Eq(ZERO, ONE))], [Idx(0)], [k.absurd(NOWHERE, Eq(ZERO, ONE))]),
    crossed=lambda k: k.induct([POWER, FALSE], [l, Idx(0)], [climb(k, [POWER, FALSE], [l, Idx(0)])] * 2),
)
refuse(
    "induct",
    "hypothesis",
    wrong_index=_induct(POWER, l, back=l),
    upwards=_induct(POWER, l, back=l + 1),
    below_the_guards=_induct(POWER, l, back=l - 2),
    constant_measure=_induct(POWER, Idx(0)),
    downwards_measure=_induct(Statement(("l",), (ge(l, 0), le(l, L)), POWER.relation), L - l),
    crossed_hypotheses=circular([FALSE, FALSE], [Idx(1), Idx(0)], (1, 0)),
)


@example("distinct")
def _(k: Kernel) -> Any:
    return k.distinct(k.absurd(NOWHERE, Eq(Num(2), Num(3))), Ne(c, c)), Ne(c, c)


refuse(
    "distinct",
    equal=lambda k: k.distinct(k.refl(EMPTY, ONE), Eq(ZERO, ONE)),
    equal_fractions=lambda k: k.distinct(k.ring(EMPTY, Num(Fraction(2, 4)), Num(Fraction(1, 2))), Eq(ZERO, ONE)),
    no_number=lambda k: k.distinct(k.absurd(NOWHERE, Eq(c, ONE)), Eq(ZERO, ONE)),
    unevaluated=lambda k: k.distinct(k.ring(EMPTY, Add(ONE, ONE), Num(2)), Eq(ZERO, ONE)),
    free_index=lambda k: k.distinct(k.absurd(NOWHERE, Eq(ZERO, ONE)), Eq(u(i), ONE)),
)
refuse("distinct", "lhs", inequation=lambda k: k.distinct(differ(k), Eq(ZERO, ONE)))


@example("tangent_constant")
def _(k: Kernel) -> Any:
    term = Inv(Add(f(l, u(l)), App("dw", (l, l)), when(ge(l, 2))))
    return k.tangent_constant(LAYER, "d", term), Tangent("d", term, ZERO)


refuse(
    "tangent_constant",
    itself=lambda k: k.tangent_constant(LAYER, "d", w(l, l)),
    by_definition=lambda k: k.tangent_constant(LAYER, "d", y(l, l)),
    inside_a_function=lambda k: k.tangent_constant(LAYER, "d", f(l, w(l, l))),
    inside_an_operator=lambda k: k.tangent_constant(LAYER, "d", op("P", l, w(l, j))),
    under_a_sum=lambda k: k.tangent_constant(LAYER, "d", sigma(n(l), Mul(c, y(l, j)))),
    in_a_test=lambda k: k.tangent_constant(LAYER, "d", IsZero(w(l, l))),
    in_a_base=lambda k: k.tangent_constant(LAYER, "d", Pow(w(l, l), l)),
    of_the_other_direction=lambda k: k.tangent_constant(LAYER, "e", y(l, l)),
)
refuse("tangent_constant", "tangent", no_direction=lambda k: k.tangent_constant(LAYER, "w", c))


@example("tangent_variable")
def _(k: Kernel) -> Any:
    return k.tangent_variable(LAYER, "d", w(l, L)), Tangent("d", w(l, L), App("dw", (l, L)))


refuse(
    "tangent_variable",
    constant=lambda k: k.tangent_variable(LAYER, "d", u(l)),
    defined=lambda k: k.tangent_variable(LAYER, "d", y(l, l)),
    variation=lambda k: k.tangent_variable(LAYER, "d", App("dw", (l, l))),
    other_direction=lambda k: k.tangent_variable(LAYER, "e", w(l, l)),
    no_direction=lambda k: k.tangent_variable(LAYER, "z", w(l, l)),
    no_application=lambda k: k.tangent_variable(LAYER, "d", ONE),
)


@example("tangent_add")
def _(k: Kernel) -> Any:
    th = k.tangent_add(LAYER, [move(k, LAYER, w(l, l)), k.tangent_constant(LAYER, "d", c)])
    return th, Tangent("d", Add(w(l, l), c), Add(App("dw", (l, l)), ZERO))


@example("tangent_mul")
def _(k: Kernel) -> Any:
    dw = App("dw", (l, l))
    th = k.tangent_mul(LAYER, [move(k, LAYER, w(l, l)), k.tangent_constant(LAYER, "d", c), move(k, LAYER, w(l, l))])
    return th, Tangent(
        "d", Mul(w(l, l), c, w(l, l)), Add(Mul(dw, c, w(l, l)), Mul(w(l, l), ZERO, w(l, l)), Mul(w(l, l), c, dw))
    )


for _rule in ("tangent_add", "tangent_mul"):
    refuse(
        _rule,
        nothing=lambda k, r=_rule: getattr(k, r)(EMPTY, []),
        an_equation=lambda k, r=_rule: getattr(k, r)(EMPTY, [k.refl(EMPTY, c)]),
        two_directions=lambda k, r=_rule: getattr(k, r)(LAYER, [move(k, LAYER, w(l, l)), move(k, LAYER, u(l), "e")]),
        other_context=lambda k, r=_rule: getattr(k, r)(EMPTY, [k.tangent_constant(LAYER, "d", c)]),
    )


@example("tangent_sum")
def _(k: Kernel) -> Any:
    th = k.tangent_sum(LAYER, n(l), "j", move(k, UNIT, w(l, j)))
    return th, Tangent("d", sigma(n(l), w(l, j)), sigma(n(l), App("dw", (l, j))))


refuse(
    "tangent_sum",
    an_equation=lambda k: k.tangent_sum(LAYER, n(l), "j", k.refl(UNIT, c)),
    taken=lambda k: k.tangent_sum(LAYER, n(l), "l", move(k, UNIT, w(l, j))),
    other_bound=lambda k: k.tangent_sum(LAYER, n(l) + 1, "j", move(k, UNIT, w(l, j))),
    no_range=lambda k: k.tangent_sum(LAYER, n(l), "j", move(k, LAYER, w(l, l))),
)


def chain_rule(k: Kernel, **change: Any) -> Theorem:
    """d f(l; w(l, i)), with one thing changed."""
    ctx = Context(("l", "i"))
    given = {
        "ctx": ctx,
        "t": f(l, w(l, i)),
        "names": [()],
        "parts": [move(k, ctx, w(l, i))],
        "deriv": k.hypothesis(ctx, "smooth_w", {"l": l, "i": i}),
    }
    given.update({m: v(k, ctx) if callable(v) else v for m, v in change.items()})
    return k.tangent_function(**given)


def operator_rule(k: Kernel, name: str = "j", inner: Context = UNIT, body: Term | None = None) -> Theorem:
    body = w(l, j) if body is None else body
    th = k.tangent_variable(inner, "d", body)  # type: ignore[arg-type]
    deriv = k.hypothesis(LAYER, "smooth_Q", {"l": l})
    return k.tangent_function(LAYER, op("Q", l, w(l, j)), [(name,)], [th], deriv)


@example("tangent_function")
def _(k: Kernel) -> Any:
    slope = App("K", (l, j), (Lam(1, close(w(l, i), "i")),))
    return operator_rule(k), Tangent("d", op("Q", l, w(l, j)), sigma(n(l), Mul(slope, App("dw", (l, j)))))


def _pair(k: Kernel, parts: int) -> Theorem:
    ctx = Context(("l", "i"))
    ths = [move(k, ctx, w(l, i)), k.tangent_constant(ctx, "d", u(l))][:parts]
    deriv = k.hypothesis(ctx, "smooth_g", {"l": l, "i": i})
    return k.tangent_function(ctx, App("g", (), (w(l, i), u(l))), [()] * parts, ths, deriv)


refuse(
    "tangent_function",
    other_point=partial(chain_rule, deriv=lambda k, ctx: k.hypothesis(ctx, "smooth_w", {"l": l, "i": i + 1})),
    other_function=partial(chain_rule, deriv=lambda k, ctx: k.hypothesis(ctx, "smooth_u", {"l": l})),
    no_derivative=partial(chain_rule, deriv=lambda k, ctx: k.refl(ctx, c)),
    other_context=partial(chain_rule, deriv=lambda k, ctx: k.hypothesis(LAYER, "smooth_u", {"l": l})),
    other_argument=partial(chain_rule, parts=lambda k, ctx: [move(k, ctx, w(i, l))]),
    a_name_too_much=partial(chain_rule, names=[("k",)]),
    no_names=partial(chain_rule, names=[]),
    no_parts=partial(chain_rule, names=[], parts=[]),
    an_equation=partial(chain_rule, parts=lambda k, ctx: [k.refl(ctx, w(l, i))]),
    part_elsewhere=partial(chain_rule, parts=lambda k, ctx: [move(k, ctx.with_guards(ge(l, 0)), w(l, i))]),
    one_of_two_arguments=partial(_pair, parts=1),
    taken=partial(operator_rule, name="l"),
    other_range=partial(operator_rule, inner=LAYER.bind(("j",), (n(l) - 1,))),
    no_range=partial(operator_rule, inner=LAYER.bind(("j",), (n(L),))),
    constant_index=partial(operator_rule, body=w(l, l)),
)


@example("tangent_unfold")
def _(k: Kernel) -> Any:
    ctx = Context(("l", "i"), (le(l, 0),))
    th = k.tangent_unfold(y(l, i), 0, k.tangent_variable(ctx, "e", u(i)))
    return th, Tangent("e", y(l, i), App("du", (i,)))


_base = Context(("l", "i"), (le(l, 0),))
refuse(
    "tangent_unfold",
    an_equation=lambda k: k.tangent_unfold(y(l, i), 0, k.refl(_base, u(i))),
    other_value=lambda k: k.tangent_unfold(y(l, i), 0, move(k, _base, u(l), "e")),
    other_case=lambda k: k.tangent_unfold(y(l, i), 1, move(k, _base, u(i), "e")),
    no_case=lambda k: k.tangent_unfold(y(l, i), 2, move(k, _base, u(i), "e")),
    undecided=lambda k: k.tangent_unfold(y(l, i), 0, move(k, Context(("l", "i")), u(i), "e")),
    not_defined=lambda k: k.tangent_unfold(u(i), 0, move(k, _base, u(i), "e")),
)


@example("tangent_convert")
def _(k: Kernel) -> Any:
    dw = App("dw", (l, l))
    th = k.tangent_convert(move(k, LAYER, w(l, l)), k.ring(LAYER, dw, Add(dw, ZERO)))
    return th, Tangent("d", w(l, l), Add(dw, ZERO))


refuse(
    "tangent_convert",
    an_equation=lambda k: k.tangent_convert(k.refl(LAYER, c), k.refl(LAYER, c)),
    the_term=lambda k: k.tangent_convert(move(k, LAYER, w(l, l)), k.refl(LAYER, w(l, l))),
    backwards=lambda k: k.tangent_convert(
        move(k, LAYER, w(l, l)), k.ring(LAYER, Add(App("dw", (l, l))), App("dw", (l, l)))
    ),
    other_context=lambda k: k.tangent_convert(move(k, LAYER, w(l, l)), k.refl(LAST, App("dw", (l, l)))),
)
refuse(
    "tangent_convert",
    "lhs",
    inequation=lambda k: k.tangent_convert(move(k, NOWHERE, w(l, l)), differ(k)),
)


# -- real numbers are equal or not, and in order -----------------------------------
def where(lhs: Term, rhs: Term, equal: bool = True, ctx: Context = LAYER) -> Context:
    """Besides, lhs = rhs or lhs != rhs is known."""
    known = Statement((), (), Eq(lhs, rhs) if equal else Ne(lhs, rhs))
    return Context(ctx.variables, ctx.guards, (*ctx.hypotheses, known))


def last(k: Kernel, ctx: Context) -> Theorem:
    """The last local hypothesis, which has no variables."""
    return k.hypothesis(ctx, len(ctx.hypotheses) - 1, {})


def at_zero(k: Kernel, ctx: Context, term: Term) -> list[Theorem]:
    """[x = 0] x = 0 where x = 0 and where x != 0."""
    both, whole = [], Mul(IsZero(term), term)
    for equal in (True, False):
        inner = where(term, ZERO, equal, ctx)
        known = last(k, inner)
        parts = [k.refl(inner, IsZero(term)), known] if equal else [k.iszero_other(known), k.refl(inner, term)]
        th = k.congruence(inner, whole, parts)
        both.append(k.trans(th, k.ring(inner, th.rhs, ZERO)))
    return both


@example("real_cases")
def _(k: Kernel) -> Any:
    th = k.real_cases(LAYER, u(l), ZERO, at_zero(k, LAYER, u(l)))
    return th, Eq(Mul(IsZero(u(l)), u(l)), ZERO)


refuse(
    "real_cases",
    one_branch=lambda k: k.real_cases(LAYER, u(l), ZERO, at_zero(k, LAYER, u(l))[:1]),
    no_branch=lambda k: k.real_cases(LAYER, u(l), ZERO, []),
    three=lambda k: k.real_cases(LAYER, u(l), ZERO, at_zero(k, LAYER, u(l)) * 2),
    one_twice=lambda k: k.real_cases(LAYER, u(l), ZERO, at_zero(k, LAYER, u(l))[:1] * 2),
    wrong_order=lambda k: k.real_cases(LAYER, u(l), ZERO, at_zero(k, LAYER, u(l))[::-1]),
    other_split=lambda k: k.real_cases(LAYER, u(l), ONE, at_zero(k, LAYER, u(l))),
    turned_round=lambda k: k.real_cases(LAYER, ZERO, u(l), at_zero(k, LAYER, u(l))),
    other_context=lambda k: k.real_cases(Context(("l",)), u(l), ZERO, at_zero(k, LAYER, u(l))),
    other_claim=lambda k: k.real_cases(LAYER, u(l), c, [last(k, where(u(l), c)), k.refl(where(u(l), c, False), u(l))]),
    another_proof=lambda k: k.real_cases(LAYER, u(l), ZERO, at_zero(other(), LAYER, u(l))),
)


def _torn(k: Kernel) -> tuple[Theorem, Theorem]:
    ctx = where(u(l), ZERO, False, where(u(l), ZERO))
    return k.hypothesis(ctx, 0, {}), k.hypothesis(ctx, 1, {})


@example("clash")
def _(k: Kernel) -> Any:
    return k.clash(*_torn(k), Eq(ZERO, ONE)), Eq(ZERO, ONE)


def _clash(one: Context, two: Context) -> Any:
    return lambda k: k.clash(last(k, one), last(k, two), Eq(ZERO, ONE))


def _clash_at(equation: Relation, inequation: Relation, claim: Any = None) -> Any:
    ctx = Context(LAYER.variables, LAYER.guards, (Statement((), (), equation), Statement((), (), inequation)))
    return lambda k: k.clash(k.hypothesis(ctx, 0, {}), k.hypothesis(ctx, 1, {}), claim or Eq(ZERO, ONE))


refuse(
    "clash",
    two_contexts=_clash(where(u(l), ZERO), where(u(l), ZERO, False)),
    two_equations=_clash_at(Eq(u(l), ZERO), Eq(u(l), ZERO)),
    an_order=_clash_at(Eq(u(l), ZERO), Le(u(l), ZERO)),
    of_others=_clash_at(Eq(u(l), ZERO), Ne(c, ZERO)),
    from_another=_clash_at(Eq(u(l), ZERO), Ne(u(l), c)),
    turned_round=_clash_at(Eq(u(l), ZERO), Ne(ZERO, u(l))),
    free_index=_clash_at(Eq(u(l), ZERO), Ne(u(l), ZERO), Eq(u(i), ONE)),
    no_relation=_clash_at(Eq(u(l), ZERO), Ne(u(l), ZERO), (ZERO, ONE)),
)
refuse("clash", "lhs", two_inequations=_clash_at(Ne(u(l), ZERO), Ne(u(l), ZERO)))


@example("iszero_zero")
def _(k: Kernel) -> Any:
    return k.iszero_zero(last(k, where(u(l), ZERO))), Eq(IsZero(u(l)), ONE)


refuse(
    "iszero_zero",
    of_another_number=lambda k: k.iszero_zero(last(k, where(u(l), ONE))),
    turned_round=lambda k: k.iszero_zero(last(k, where(ZERO, u(l)))),
    another_proof=lambda k: k.iszero_zero(last(other(), where(u(l), ZERO))),
)
refuse("iszero_zero", "rhs", inequation=lambda k: k.iszero_zero(differ(k)))


@example("iszero_other")
def _(k: Kernel) -> Any:
    return k.iszero_other(k.hypothesis(LAYER, "nonzero", {})), Eq(IsZero(a), ZERO)


refuse(
    "iszero_other",
    equation=lambda k: k.iszero_other(last(k, where(u(l), ZERO))),
    order=lambda k: k.iszero_other(k.absurd(NOWHERE, Le(u(l), ZERO))),
    from_another_number=lambda k: k.iszero_other(last(k, where(u(l), ONE, False))),
    turned_round=lambda k: k.iszero_other(last(k, where(ZERO, u(l), False))),
)


def below(k: Kernel, lhs: Term, rhs: Term, ctx: Context = NOWHERE) -> Theorem:
    """lhs <= rhs where nothing is."""
    return k.absurd(ctx, Le(lhs, rhs))


@example("le_number")
def _(k: Kernel) -> Any:
    half = Num(Fraction(-1, 2))
    return k.le_number(LAYER, half, ZERO), Le(half, ZERO)


refuse(
    "le_number",
    descending=lambda k: k.le_number(EMPTY, ONE, ZERO),
    close_by=lambda k: k.le_number(EMPTY, Num(Fraction(1, 3)), Num(Fraction(33333, 100000))),
    term=lambda k: k.le_number(EMPTY, c, c),
    unevaluated=lambda k: k.le_number(EMPTY, ZERO, Add(ONE, ONE)),
)


@example("le_equal")
def _(k: Kernel) -> Any:
    return k.le_equal(k.ring(LAYER, Add(u(l), c), Add(c, u(l)))), Le(Add(u(l), c), Add(c, u(l)))


refuse(
    "le_equal",
    another_proof=lambda k: k.le_equal(other().refl(EMPTY, c)),
    another_proof_of_the_same_theory=lambda k: k.le_equal(Kernel(k.theory).refl(EMPTY, c)),
)
refuse(
    "le_equal",
    "lhs",
    inequation=lambda k: k.le_equal(differ(k)),
    order=lambda k: k.le_equal(below(k, ONE, ZERO)),
)


@example("le_trans")
def _(k: Kernel) -> Any:
    square = k.le_square(LAYER, u(l))
    th = k.le_trans(k.le_number(LAYER, Num(-1), ZERO), square)
    return th, Le(Num(-1), Mul(u(l), u(l)))


refuse(
    "le_trans",
    other_middle=lambda k: k.le_trans(below(k, c, ZERO), below(k, ONE, a)),
    wrong_way=lambda k: k.le_trans(below(k, c, a), below(k, c, a)),
    backwards=lambda k: k.le_trans(below(k, a, c), below(k, u(l), a)),
    other_context=lambda k: k.le_trans(below(k, c, a), k.le_equal(k.refl(LAYER, a))),
    equation=lambda k: k.le_trans(below(k, c, a), k.refl(NOWHERE, a)),
    equation_first=lambda k: k.le_trans(k.refl(NOWHERE, a), below(k, a, c)),
    inequation=lambda k: k.le_trans(differ(k), below(k, ZERO, c)),
    another_proof=lambda k: k.le_trans(below(k, c, a), below(other(), a, c)),
)


@example("le_both")
def _(k: Kernel) -> Any:
    one = k.ring(LAYER, Add(u(l), ZERO), u(l))
    return k.le_both(k.le_equal(one), k.le_equal(k.sym(one))), Eq(Add(u(l), ZERO), u(l))


refuse(
    "le_both",
    one_twice=lambda k: k.le_both(below(k, c, a), below(k, c, a)),
    others=lambda k: k.le_both(below(k, c, a), below(k, a, u(l))),
    other_context=lambda k: k.le_both(below(k, a, a), k.le_equal(k.refl(LAYER, a))),
    equation=lambda k: k.le_both(below(k, a, a), k.refl(NOWHERE, a)),
    inequation=lambda k: k.le_both(k.absurd(NOWHERE, Ne(a, c)), below(k, c, a)),
    another_proof=lambda k: k.le_both(below(other(), c, a), below(k, a, c)),
)


@example("le_add")
def _(k: Kernel) -> Any:
    parts = [k.le_square(LAYER, u(l)), k.le_number(LAYER, ONE, Num(2)), k.le_equal(k.refl(LAYER, c))]
    return k.le_add(LAYER, parts), Le(Add(ZERO, ONE, c), Add(Mul(u(l), u(l)), Num(2), c))


refuse(
    "le_add",
    none=lambda k: k.le_add(LAYER, []),
    equation=lambda k: k.le_add(LAYER, [k.le_square(LAYER, c), k.refl(LAYER, c)]),
    inequation=lambda k: k.le_add(NOWHERE, [differ(k)]),
    other_context=lambda k: k.le_add(LAYER, [below(k, ONE, ZERO)]),
    two_contexts=lambda k: k.le_add(NOWHERE, [below(k, ONE, ZERO), k.le_square(LAYER, c)]),
    another_proof=lambda k: k.le_add(LAYER, [other().le_square(LAYER, c)]),
)


@example("le_mul")
def _(k: Kernel) -> Any:
    parts = [k.le_square(LAYER, u(l)), k.le_number(LAYER, ZERO, Num(2)), k.le_square(LAYER, c)]
    return k.le_mul(LAYER, parts), Le(ZERO, Mul(Mul(u(l), u(l)), Num(2), Mul(c, c)))


refuse(
    "le_mul",
    none=lambda k: k.le_mul(LAYER, []),
    negative=lambda k: k.le_mul(LAYER, [k.le_number(LAYER, Num(-1), ONE), k.le_number(LAYER, Num(-1), Num(-1))]),
    not_from_zero=lambda k: k.le_mul(NOWHERE, [below(k, c, a), below(k, ZERO, a)]),
    last_not_from_zero=lambda k: k.le_mul(NOWHERE, [below(k, ZERO, a), below(k, a, ZERO)]),
    equation=lambda k: k.le_mul(LAYER, [k.ring(LAYER, ZERO, Add(c, Mul(Num(-1), c)))]),
    inequation=lambda k: k.le_mul(NOWHERE, [k.absurd(NOWHERE, Ne(ZERO, c))]),
    other_context=lambda k: k.le_mul(LAYER, [below(k, ZERO, Num(-1))]),
    another_proof=lambda k: k.le_mul(LAYER, [other().le_square(LAYER, c)]),
)


@example("le_square")
def _(k: Kernel) -> Any:
    term = Add(u(l), Mul(Num(-1), c))
    return k.le_square(LAYER, term), Le(ZERO, Mul(term, term))


refuse(
    "le_square",
    free_index=lambda k: k.le_square(LAYER, u(i)),
    loose=lambda k: k.le_square(EMPTY, Sum(2, close(u(j), "j")).body),
)
refuse("le_square", "the ", unknown_symbol=lambda k: k.le_square(EMPTY, App("x")))


@example("le_sum")
def _(k: Kernel) -> Any:
    th = k.le_sum(LAYER, n(l), "j", k.le_square(UNIT, w(l, j)))
    return th, Le(sigma(n(l), ZERO), sigma(n(l), Mul(w(l, j), w(l, j))))


refuse(
    "le_sum",
    beyond_the_range=lambda k: k.le_sum(LAYER, n(l) + 1, "j", k.le_square(UNIT, w(l, j))),
    without_range=lambda k: k.le_sum(LAYER, n(l), "j", k.le_square(Context(("l", "j"), LAYER.guards), w(l, j))),
    free=lambda k: k.le_sum(LAYER, n(l), "l", k.le_square(LAYER, u(l))),
    equation=lambda k: k.le_sum(LAYER, n(l), "j", k.refl(UNIT, w(l, j))),
    inequation=lambda k: k.le_sum(LAYER, n(l), "j", k.absurd(UNIT.with_guards(ge(-1, 0)), Ne(c, a))),
    other_context=lambda k: k.le_sum(Context(("l",)), n(l), "j", k.le_square(UNIT, w(l, j))),
    another_proof=lambda k: k.le_sum(LAYER, n(l), "j", other().le_square(UNIT, c)),
    known_of_one_index=lambda k: k.le_sum(LAYER, n(l), "j", last(k, where(w(l, j), ZERO, True, UNIT))),
    known_of_the_index=lambda k: k.le_sum(LAYER, n(l), "j", k.le_equal(last(k, where(w(l, j), ZERO, True, UNIT)))),
)


# -- the table, checked ------------------------------------------------------------
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_an_example_and_two_refusals(rule: str) -> None:
    assert rule in POSITIVE
    assert sum(r == rule == prefix for r, _, _, prefix in NEGATIVE) >= 2


def test_the_table_names_rules_only() -> None:
    assert set(POSITIVE) == {r for r, *_ in NEGATIVE} == set(RULES)


@pytest.mark.parametrize("rule", sorted(POSITIVE))
def test_what_a_rule_proves(rule: str) -> None:
    k = Kernel(THEORY)
    th, claim = POSITIVE[rule](k)
    assert type(th) is Theorem and th.relation == claim and k.items[th.id].rule == rule
    check(th)


def _refusal(attack: Callable[[Kernel], Any]) -> ValueError:
    with pytest.raises((KernelError, TheoryError)) as caught:
        made = attack(Kernel(THEORY))
        pytest.fail(f"not refused: {made}")
    return caught.value


@pytest.mark.parametrize(("rule", "what", "attack", "prefix"), NEGATIVE, ids=[f"{r}-{x}" for r, x, *_ in NEGATIVE])
def test_what_a_rule_refuses(rule: str, what: str, attack: Callable[[Kernel], Any], prefix: str) -> None:
    message = str(_refusal(attack))
    assert message.startswith(prefix if prefix in ("the ", "'") else prefix + ": "), message


def _caller(error: BaseException) -> int:
    """The line that asked ``_require``."""
    frames, tb = [], error.__traceback__
    while tb is not None:
        frames.append((tb.tb_frame.f_code.co_name, tb.tb_lineno, tb.tb_frame.f_code.co_filename))
        tb = tb.tb_next
    inside = [(name, line) for name, line, file in frames if file == kernel_module.__file__ and name != "_require"]
    return inside[-1][1] if inside else 0


def test_every_refusal_in_the_source_of_the_kernel_is_met() -> None:
    tree = ast.parse(inspect.getsource(kernel_module))
    calls = [x for x in ast.walk(tree) if isinstance(x, ast.Call) and getattr(x.func, "id", "") == "_require"]
    lines = Counter(_caller(_refusal(attack)) for _, _, attack, _ in NEGATIVE)
    for attack in OF_ANOTHER_TYPE:
        with contextlib.suppress(TypeError, AttributeError):
            try:
                attack(Kernel(THEORY))
            except KernelError as error:
                lines[_caller(error)] += 1
    missed = [
        ast.unparse(x)
        for x in calls
        if not any(x.lineno <= line <= (x.end_lineno or x.lineno) for line in lines) and "'lhs'" not in ast.unparse(x)
    ]
    assert not missed, missed


# == attacks =======================================================================
NAMES = ("l", "i", "#", "#0", "#1", "#0.0", "?0", "?1", "0", "L", "n", "l'", "", "j", "#1.0")


def offered(attack: Callable[[], Theorem], seeds: int = 1) -> bool:
    """Refused, or right: a theorem that a rule does make must hold in models."""
    try:
        th = attack()
    except (KernelError, TheoryError):
        return False
    check(th, seeds=seeds)
    return True


@pytest.mark.parametrize("binder", NAMES)
@pytest.mark.parametrize("free", NAMES)
def test_no_name_is_captured(free: str, binder: str) -> None:
    """A free variable and a binder of adversarial names, in every rule that binds; equal names are refused."""
    v, b = qvar(free), qvar(binder)
    ctx = Context((free,), (ge(v, 0),))
    k = Kernel(THEORY)
    body = Mul(w(v, b), sigma(3, w(b, i), "i") if binder != "i" else c)

    def swap() -> Theorem:
        return k.sum_swap(ctx, Sum(3, Sum(2, close(close(w(qvar("~"), qvar("!")) * u(v), "!"), "~"))), (binder, free))

    def congruence() -> Theorem:
        return k.sum_congruence(ctx, n(v), binder, k.ring(ctx.bind((binder,), (n(v),)), body, Mul(ONE, body)))

    def argument() -> Theorem:
        term = App("Q", (v,), (Lam(1, close(body, binder)),))
        th = k.ring(ctx.bind((binder,), (n(v),)), body, Mul(body, ONE))
        return k.argument_congruence(ctx, term, 0, (binder,), th)

    def tangent_sum() -> Theorem:
        return k.tangent_sum(ctx, n(v), binder, move(k, ctx.bind((binder,), (n(v),)), w(v, b)))

    def tangent_function() -> Theorem:
        term = App("Q", (v,), (Lam(1, close(w(v, b), binder)),))
        part = move(k, ctx.bind((binder,), (n(v),)), w(v, b))
        return k.tangent_function(ctx, term, [(binder,)], [part], k.hypothesis(ctx, "smooth_Q", {"l": v}))

    attacks = (congruence, argument, tangent_sum, tangent_function)
    assert [offered(attack) for attack in attacks] == [free != binder] * len(attacks)
    assert not offered(swap)  # the second name is taken, whatever it is


@pytest.mark.parametrize("free", NAMES)
def test_no_index_of_its_own_is_captured(free: str) -> None:
    """The rules that open a sum with a name of their own: index, sum_split, sum_swap."""
    v = qvar(free)
    ctx = Context((free,), (eq(v, L),))
    k, nested = Kernel(THEORY), Sum(v, Sum(2, close(close(w(qvar("~"), v + qvar("!")), "!"), "~")))
    right = Sum(L, Sum(2, close(close(w(qvar("~"), L + qvar("!")), "!"), "~")))
    wrong = Sum(L, Sum(2, close(close(w(qvar("!"), L + qvar("~")), "!"), "~")))
    assert offered(lambda: k.index(ctx, nested, right)) == (free not in ("#0", "#1"))
    assert not offered(lambda: k.index(ctx, nested, wrong))
    assert offered(lambda: k.sum_split(ctx, nested, v - 1)) == (free != "#")
    for names in product(NAMES[:7], repeat=2):
        assert offered(lambda names=names: k.sum_swap(ctx, nested, names)) == (len({free, *names}) == 3)


@pytest.mark.parametrize(
    "place", [qvar("#"), 2 * qvar("#"), 2 * qvar("#") + 1, qvar("#") - 1, n(qvar("#")), close_index()]
)
def test_a_place_that_speaks_of_the_index_itself(place: Idx) -> None:
    """A place is read after the index has been called #: it must not speak of it."""
    for ctx in (EMPTY, NOWHERE):
        for body in (c, u(qvar("#"))):
            con = eq(qvar("#"), place)
            s = Sum(3, close(Mul(when(con), body), "#"))
            k = Kernel(THEORY)
            assert not offered(lambda k=k, ctx=ctx, s=s: k.sum_split(ctx, s, place))


def test_substitution_is_simultaneous() -> None:
    k = Kernel(THEORY)
    ctx = Context(("l", "t"), (ge(l, t),))
    th = k.instantiate(ctx, swapping(k), {"t": l, "l": t})
    assert th.lhs is Mul(w(l, t), when(ge(l, t)))
    th = k.instantiate(ctx, swapping(k), {"l": t + 1, "t": l + 1})
    assert th.lhs is Mul(w(l + 1, t + 1), when(ge(l, t)))
    check(th)


def test_a_value_is_not_captured_by_a_sum_of_the_theorem() -> None:
    """The sum's index has no name, so the variable that is put in keeps its own."""
    k, ctx = Kernel(THEORY), Context(("l",), (ge(l, 0),))
    th = k.sum_split(ctx, sigma(l + 1, w(l, j)), l)
    out = k.instantiate(Context(("#", "j"), (ge(j, 0),)), th, {"l": j})
    assert out.lhs is sigma(j + 1, w(j, i), "i")
    check(out)


@pytest.mark.parametrize("bound", [0, -1, -3])
def test_empty_and_negative_sums(bound: int) -> None:
    k, one = Kernel(THEORY), sigma(bound, Add(c, u(j)))
    ths = [k.sum_empty(EMPTY, one), k.sum_add(EMPTY, one), k.sum_zero(EMPTY, Idx(bound))]
    ths.append(k.sum_scale(EMPTY, sigma(bound, Mul(c, u(j)))))
    ths.append(k.sum_swap(EMPTY, sigma(bound, Sum(3, u(j))), ("i", "j")))
    ths.append(k.sum_swap(EMPTY, Sum(3, sigma(bound, u(j))), ("i", "j")))
    inner = EMPTY.bind(("j",), (Idx(bound),))
    ths.append(k.sum_congruence(EMPTY, Idx(bound), "j", k.absurd(inner, Eq(c, ONE))))
    check(*ths)
    for at in (-1, 1):
        assert not offered(lambda at=at: k.sum_split(EMPTY, one, Idx(at)))
    assert offered(lambda: k.sum_split(EMPTY, one, Idx(0))) == (bound == 0)


def test_powers_below_one() -> None:
    """a^-1 is 1 and not 1/a; a^0 is 1 for a = 0 too."""
    k = Kernel(THEORY)
    check(k.power_zero(EMPTY, Pow(c, -1)), k.power_zero(EMPTY, Pow(ZERO, 0)), k.power_step(EMPTY, Pow(ZERO, 1)))
    assert not offered(lambda: k.ring(EMPTY, Pow(c, -1), Inv(c)))
    assert not offered(lambda: k.ring(EMPTY, Mul(Pow(c, -1), Pow(c, 1)), ONE))
    assert offered(lambda: k.ring(EMPTY, Pow(Add(c, ONE), 0), ONE))
    assert offered(lambda: k.ring(EMPTY, Pow(ZERO, 0), ONE))


def test_indicators_at_their_corners() -> None:
    k = Kernel(THEORY)
    for cons, value in (((), ONE), ((ge(0, 0),), ONE), ((ne(0, 0),), ZERO), ((ge(-1, 0), ge(0, 0)), ZERO)):
        assert offered(lambda cons=cons: k.iverson_true(EMPTY, when(*cons))) == (value is ONE)
        assert offered(lambda cons=cons: k.iverson_false(EMPTY, when(*cons))) == (value is ZERO)
    both = when(ge(l, 5))  # where the guards contradict each other it is 1 and 0
    check(k.iverson_true(NOWHERE, both), k.iverson_false(NOWHERE, both))
    never = when(eq(2 * l, 1))
    assert offered(lambda: k.iverson_false(Context(("l",)), never))
    assert not offered(lambda: k.iverson_true(Context(("l",)), never))


def test_a_case_split_over_the_integers() -> None:
    """The branches of ``ne`` and of ``eq`` swap roles; each needs all of its own."""
    for con, count in ((ge(l, 2), 2), (eq(l, 2), 3), (ne(l, 2), 2)):
        k = Kernel(THEORY)
        parts = halves(k, LAYER, con)
        assert len(parts) == count
        check(k.cases(LAYER, con, parts))
        for m in range(count):
            assert not offered(lambda k=k, parts=parts, m=m, con=con: k.cases(LAYER, con, parts[:m] + parts[m + 1 :]))
            left = [*parts[:m], parts[m - 1], *parts[m + 1 :]]
            assert not offered(lambda k=k, left=left, con=con: k.cases(LAYER, con, left))


def test_a_guard_used_twice_is_weakened_away_in_no_branch() -> None:
    k = Kernel(THEORY)
    th = k.refl(LAYER.with_guards(ge(l, 2)), u(l))
    assert not offered(lambda: k.weaken(LAYER, th))
    assert not offered(lambda: k.weaken(LAYER.with_guards(ge(l, 3)), th))
    assert not offered(lambda: k.weaken(Context(("l", "i"), (ge(l, 2), *LAYER.guards)), th))
    assert offered(lambda: k.weaken(Context(("l", "i"), (*LAYER.guards, ge(l, 2), ge(l, 3))), th))


def test_joint_induction_is_over_one_order() -> None:
    """A at l by B at l, B at l by A at l - 1: right with measures 2 l + 1 and 2 l, refused with l and l."""
    claims = [POWER, Statement(("l",), (ge(l, 0),), Eq(Pow(a, l), App("p", (l,))))]

    def attack(measures: list[Idx]) -> Theorem:
        k = Kernel(THEORY)
        first, second = (k.induction_context(claims, measures, m) for m in range(2))
        one = k.sym(k.hypothesis(first, 1, {"l'": l}))
        low, high = second.with_guards(le(l, 0)), second.with_guards(ge(l, 1))
        zero = k.trans(k.power_zero(low, Pow(a, l)), k.sym(k.unfold(low, App("p", (l,)), 0)))
        step = k.unfold(high, App("p", (l,)), 1)
        before = k.hypothesis(high, 0, {"l'": l - 1})
        step = k.trans(step, k.congruence(high, step.rhs, [k.refl(high, a), before]))
        step = k.sym(k.trans(step, k.sym(k.power_step(high, Pow(a, l)))))
        return k.induct(claims, measures, [one, k.cases(second, Con("ge", -l), [zero, step])])[1]

    assert offered(lambda: attack([2 * l + 1, 2 * l]))
    assert not offered(lambda: attack([l, l]))
    assert not offered(lambda: attack([2 * l, 2 * l + 1]))
    assert not offered(lambda: attack([l + 1, l]))


def test_induction_without_its_base() -> None:
    """p(l) = 2 a^l goes up by itself; only the base is wrong."""
    s = Statement(("l",), (ge(l, 0),), Eq(App("p", (l,)), Mul(Num(2), Pow(a, l))))
    k = Kernel(THEORY)
    ctx = k.induction_context([s], [l], 0)
    high = ctx.with_guards(ge(l, 1))
    step = k.unfold(high, App("p", (l,)), 1)
    step = k.trans(step, k.congruence(high, step.rhs, [k.refl(high, a), k.hypothesis(high, 0, {"l'": l - 1})]))
    grown = Mul(Num(2), Mul(a, Pow(a, l - 1)))
    step = k.trans(step, k.ring(high, step.rhs, grown))
    power = k.sym(k.power_step(high, Pow(a, l)))
    step = k.trans(step, k.congruence(high, grown, [k.refl(high, Num(2)), power]))
    assert step.relation == s.relation
    low = ctx.with_guards(le(l, 0))
    for attack in (
        lambda: k.induct([s], [l], [step])[0],
        lambda: k.weaken(ctx, step),
        lambda: k.cases(ctx, Con("ge", l - 1), [step]),
        lambda: k.cases(ctx, Con("ge", l - 1), [step, step]),
        lambda: k.hypothesis(low, 0, {"l'": l - 1}),
        lambda: k.absurd(low, s.relation),
    ):
        assert not offered(attack)


def test_a_reciprocal_outside_the_guard_of_its_premise() -> None:
    """u(l) != 0 where l >= 1 is no reason to divide by u(0)."""
    given = make_theory(*FORWARD)
    given = Theory(
        *(given.sizes, given.assumptions, given.symbols, given.definitions),
        {"u": Statement(("l",), (ge(l, 1),), Ne(u(l), ZERO))},
    )
    k = Kernel(given)
    th = k.inverse(k.hypothesis(LAYER, "u", {"l": l}))
    assert th.rhs is ONE and th.context == LAYER
    for attack in (
        lambda: k.instantiate(EMPTY, th, {"l": Idx(0)}),
        lambda: k.hypothesis(Context(("l",), (ge(l, 0),)), "u", {"l": l}),
        lambda: k.weaken(Context(("l",), (ge(l, 0), le(l, L))), th),
        lambda: k.inverse(k.instantiate(EMPTY, k.hypothesis(LAYER, "u", {"l": l}), {"l": l - 1})),
    ):
        with pytest.raises(KernelError):
            attack()
    assert k.instantiate(EMPTY, th, {"l": Idx(1)}).lhs is Mul(u(1), Inv(u(1)))


def test_a_hypothesis_of_an_induction_stays_in_it() -> None:
    k = Kernel(THEORY)
    ctx = k.induction_context([FALSE], [Idx(0)], 0)
    th = k.absurd(ctx.with_guards(ge(-1, 0)), Eq(ZERO, ONE))
    with pytest.raises(KernelError, match="hypothesis is still open"):
        th.statement()
    assert not offered(lambda: k.weaken(Context(("l",), (ge(-1, 0),)), th))
    assert not offered(lambda: k.sum_congruence(ctx, L, "l'", k.refl(ctx, c)))


def test_a_test_for_zero_and_a_reciprocal_have_no_derivative_rule() -> None:
    """They are constant where nothing in them varies, and are nowhere differentiated otherwise."""
    k = Kernel(THEORY)
    for term in (IsZero(w(l, l)), Inv(w(l, l)), Pow(w(l, l), L), App("h", (), (w(l, l),))):
        assert not offered(lambda term=term: k.tangent_constant(LAYER, "d", term))
        assert not offered(lambda term=term: k.tangent_variable(LAYER, "d", term))
    ctx = Context(("l", "i"))
    deriv = k.hypothesis(ctx, "smooth_w", {"l": l, "i": i})
    for term in (Inv(w(l, i)), IsZero(w(l, i))):
        with pytest.raises((KernelError, AttributeError)):
            k.tangent_function(ctx, term, [()], [move(k, ctx, w(l, i))], deriv)  # type: ignore[arg-type]


def test_an_equation_at_one_point_says_nothing_about_the_derivative() -> None:
    """Where w = 1 is known (here: nowhere) the derivative of w is still dw."""
    k = Kernel(THEORY)
    given = Context(("l",), (), (Statement(("m",), (), Eq(w(qvar("m"), qvar("m")), ONE)),))
    here = k.hypothesis(given, 0, {"m": l})
    th = move(k, given, w(l, l))
    for eqn in (here, k.sym(here)):
        assert not offered(lambda eqn=eqn: k.tangent_convert(th, eqn))
    one = k.tangent_constant(given, "d", ONE)
    assert not offered(lambda: k.tangent_convert(one, here))
    assert not offered(lambda: k.tangent_unfold(w(l, l), 0, one))


def test_a_number_known_to_be_zero_is_not_a_constant() -> None:
    """Where w = 0 is known at this point, w still varies; only what is paired with it vanishes."""
    k, ctx = Kernel(THEORY), Context(("l", "i"))
    here = where(w(l, i), ZERO, True, ctx)
    known, varies = last(k, here), move(k, here, w(l, i))
    none = k.tangent_constant(here, "d", ZERO)
    assert not offered(lambda: k.tangent_constant(here, "d", w(l, i)))
    for th, eqn in product((varies, none), (known, k.sym(known))):
        if th.relation.tangent is not eqn.lhs:  # type: ignore[union-attr]
            assert not offered(lambda th=th, eqn=eqn: k.tangent_convert(th, eqn))
    assert not offered(lambda: k.tangent_unfold(w(l, i), 0, none))
    assert not offered(lambda: k.hypothesis(here, "smooth_r", {"l": l}))
    # r' is not the derivative of r at 0, and a = 0 known locally does not make it so
    zero = where(a, ZERO, True, EMPTY)
    point = App("r", (), (ZERO,))
    smooth = k.hypothesis(zero, "smooth_r", {})
    part = k.tangent_constant(zero, "b", ZERO)
    assert not offered(lambda: k.tangent_function(zero, point, [()], [part], smooth))
    # the product rule at w = 0: the derivative of w w is 0 there, that of w is not
    square = k.tangent_mul(here, [varies, varies])
    (one, two) = square.relation.tangent.args  # type: ignore[union-attr]
    parts = []
    for term, where_w in ((one, 1), (two, 0)):
        kids = [known if n == where_w else k.refl(here, x) for n, x in enumerate(term.args)]
        parts.append(k.congruence(here, term, kids))
    flat = k.congruence(here, square.relation.tangent, parts)  # type: ignore[union-attr]
    flat = k.trans(flat, k.ring(here, flat.rhs, ZERO))
    check(k.tangent_convert(square, flat))
    other_branch = move(k, where(w(l, i), ZERO, False, ctx), w(l, i))
    for th in (none, k.tangent_convert(square, flat)):
        assert not offered(lambda th=th: k.real_cases(ctx, w(l, i), ZERO, [th, other_branch]))
    assert offered(lambda: k.real_cases(ctx, w(l, i), ZERO, [varies, other_branch]))


def test_what_is_known_of_numbers_stays_where_it_is_known() -> None:
    """A local hypothesis is not instantiated, forgotten, summed over or carried out of an induction."""
    k = Kernel(THEORY)
    ctx = Context(("l", "j"), (ge(j, 0), lt(j, n(l))))
    known = last(k, where(w(l, j), ZERO, True, ctx))
    outer = Context(("l",))
    for binds in (k.sum_congruence, k.le_sum, k.tangent_sum):
        assert not offered(lambda binds=binds: binds(outer, n(l), "j", known))
        assert not offered(lambda binds=binds: binds(known.context, n(l), "j", known))
    with pytest.raises(KernelError, match="hypothesis is still open"):
        known.statement()
    assert not offered(lambda: k.instantiate(ctx, known, {"l": l, "j": j}))
    assert not offered(lambda: k.weaken(ctx, known))
    assert not offered(lambda: k.hypothesis(known.context, -1, {}))
    s = Statement(("l",), (ge(l, 0),), Eq(u(l), ZERO))
    inner = k.induction_context([s], [l], 0)
    assert not offered(lambda: k.induct([s], [l], [last(k, where(u(l), ZERO, True, inner))])[0])
    bound = where(w(l, j), ZERO, True, outer)
    assert not offered(lambda: k.refl(bound, c))  # speaks of an index that is not there
    # it is known inside the sum as well, and of the index outside
    there = where(u(l), ZERO, True, outer)
    body = k.hypothesis(there.bind(("j",), (n(l),)), 0, {})
    assert offered(lambda: k.sum_congruence(there, n(l), "j", body))
    inside = there.bind(("j",), (n(l),))
    assert offered(lambda: k.index(inside.with_guards(eq(j, l)), u(j), u(l)))
    assert not offered(lambda: k.index(there, sigma(n(l), u(j)), sigma(n(l), u(l))))


# -- things that answer differently each time they are asked -----------------------
class Shifty(list):  # type: ignore[type-arg]
    """A sequence whose readings differ: the first ``honest`` are right."""

    def __init__(self, honest: int, right: list[Any], wrong: list[Any]) -> None:
        super().__init__(right)
        self.left, self.right, self.wrong = honest, right, wrong

    def __iter__(self) -> Iterator[Any]:
        self.left -= 1
        return iter(self.right if self.left >= 0 else self.wrong)

    def __getitem__(self, at: Any) -> Any:
        return next(x for m, x in enumerate(self) if m == at)


class Echo(str):
    """A name that is equal to another name for a while."""

    def __new__(cls, text: str, like: str, honest: int = 10**6) -> Echo:
        out = super().__new__(cls, text)
        out.like, out.honest = like, honest  # type: ignore[attr-defined]
        return out

    def __eq__(self, other: object) -> bool:
        self.honest -= 1  # type: ignore[attr-defined]
        return self.honest >= 0 and other == self.like  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(self.like)  # type: ignore[attr-defined]


class Posing:
    """An object that says it is a node of the language, and equals whatever it is compared with."""

    def __init__(self, like: Any, **fields: Any) -> None:
        self.like = like
        self.__dict__.update(fields)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self.like)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.like, name)

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash(self.like)


def no_lie(attack: Callable[[Kernel], Theorem]) -> None:
    """Refused (by whatever refuses it), or true."""
    try:
        th = attack(Kernel(THEORY))
    except (ValueError, TypeError, AttributeError, LookupError, StopIteration):
        return
    for item in th.kernel.items:
        claim = item.claim
        if isinstance(claim, Tangent):
            claim = Tangent("".join(claim.direction), claim.term, claim.tangent)
        for seed in range(4):
            env = Semantics(THEORY, seed).lie(item.context, claim, 25)
            assert env is None, f"proved {claim}, false at {env}"


HONEST = range(7)  # how many readings are right
OF_ANOTHER_TYPE: list[Callable[[Kernel], Any]] = [
    lambda k: k.refl(EMPTY, "c"),  # type: ignore[arg-type]
    lambda k: k.cases(EMPTY, "L", []),  # type: ignore[arg-type]
    lambda k: k.tangent_constant(EMPTY, Echo("d", "d"), c),
    lambda k: k.instantiate(LAYER, k.refl(Context(("l",)), u(l)), {Echo("l", "l"): l}),
]


def test_parts_that_change_between_readings() -> None:
    def congruence(k: Kernel, honest: int) -> Theorem:
        return k.congruence(EMPTY, Inv(ZERO), Shifty(honest, [k.refl(EMPTY, ZERO)], [k.refl(EMPTY, ONE)]))

    def cases(k: Kernel, honest: int) -> Theorem:
        con = ge(L, 2)
        parts = [k.absurd(EMPTY.with_guards(x, ge(-1, 0)), Eq(ZERO, ONE)) for x in (con, *con.negations())]
        right = [k.refl(EMPTY.with_guards(x), ONE) for x in (con, *con.negations())]
        return k.cases(EMPTY, con, Shifty(honest, right, parts))

    def tangents(k: Kernel, honest: int) -> Theorem:
        right, wrong = k.tangent_constant(NOWHERE, "d", ONE), k.absurd(NOWHERE, Tangent("d", ONE, ONE))
        here = k.tangent_constant(EMPTY, "d", ONE)
        for rule in (k.tangent_add, k.tangent_mul):
            rule(EMPTY, Shifty(honest, [wrong], [here]))
            rule(EMPTY, Shifty(honest, [here], [right]))
        return here

    for attack, honest in product((congruence, cases, tangents), HONEST):
        no_lie(partial(attack, honest=honest))


def test_claims_and_measures_that_change_between_readings() -> None:
    fair = Statement(("l",), (), Eq(ONE, ONE))

    def claims(k: Kernel, honest: int) -> Theorem:
        part = k.refl(k.induction_context([fair], [Idx(0)], 0), ONE)
        return k.induct(Shifty(honest, [fair], [FALSE]), [Idx(0)], [part])[0]

    def measures(k: Kernel, honest: int) -> Theorem:
        s = Statement(("l",), (ge(l, 0),), Eq(ZERO, ONE))
        going_up = k.hypothesis(k.induction_context([s], [-l], 0), 0, {"l'": l + 1})
        return k.induct([s], Shifty(honest, [Idx(0)], [-l]), [going_up])[0]

    for attack, honest in product((claims, measures), HONEST):
        no_lie(partial(attack, honest=honest))


def test_names_that_change_between_readings() -> None:
    here = Context(("l",), (eq(l, 0),))

    def argument(k: Kernel, honest: int) -> Theorem:
        th = k.iverson_true(here.bind(("j",), (n(0),)), when(eq(l, 0)))
        return k.argument_congruence(here, op("P", 0, when(eq(j, 0))), 0, Shifty(honest, ["j"], ["l"]), th)

    def swap(k: Kernel, honest: int) -> Theorem:
        return k.sum_swap(LAYER, sigma(2, sigma(3, w(l, j)), "i"), Shifty(honest, ["i", "j"], ["l", "j"]))  # type: ignore[arg-type]

    for attack, honest in product((argument, swap), HONEST):
        no_lie(partial(attack, honest=honest))


def test_a_name_that_equals_another_for_a_while() -> None:
    """The guard is read at l = 1, the relation at l."""

    def attack(k: Kernel, honest: int) -> Theorem:
        th = k.iverson_true(Context(("l",), (ge(l, 1),)), when(ge(l, 1)))
        return k.instantiate(Context(("l",)), th, {Echo("l", "l", honest): Idx(1)})

    for honest in HONEST:
        no_lie(partial(attack, honest=honest))


def test_a_direction_that_equals_another() -> None:
    """w is constant along "e"; the certificate would say "d"."""
    no_lie(lambda k: k.tangent_constant(Context(("l",)), Echo("d", "e"), w(l, l)))


def posing_term(k: Kernel) -> Theorem:
    k.refl(EMPTY, ZERO)
    fake: Any = Posing(ZERO, value=Fraction(1))
    one = k.ring(EMPTY, fake, ONE)
    fake.value = Fraction(0)
    return k.trans(k.sym(k.ring(EMPTY, fake, ZERO)), one)


class PosingIndex(Posing):
    def __mul__(self, by: int) -> Any:
        return self.like * by

    def __sub__(self, other: Any) -> Any:
        return self.like - other


def posing_index(k: Kernel) -> Theorem:
    fake: Any = PosingIndex(Idx(-707))
    s = Sum(fake, Pow(c, -707))
    one = k.sum_empty(EMPTY, s)
    fake.like = Idx(1)
    return k.trans(k.sym(one), k.sum_single(EMPTY, s))


def posing_constraint(k: Kernel) -> Theorem:
    con = ge(L, 2)
    fake: Any = Posing(con, negations=lambda: ())
    return k.cases(EMPTY, fake, [k.iverson_true(EMPTY.with_guards(con), when(con))])


def posing_guard(k: Kernel) -> Theorem:
    con = ge(0, 0)
    k.refl(Context((), (con,)), ONE)
    fake: Any = Posing(con)
    return k.instantiate(EMPTY, k.iverson_true(Context((), (fake,)), when(ge(L, 2))), {})


def posing_argument(k: Kernel) -> Theorem:
    fake: Any = Posing(Lam(0, Pow(c, -708)))
    term = App("h", (), (fake,))
    one = k.congruence(EMPTY, term, [k.power_zero(EMPTY, Pow(c, -708))])
    fake.like = Lam(0, a)
    return k.trans(k.sym(one), k.congruence(EMPTY, term, [k.refl(EMPTY, a)]))


@pytest.mark.parametrize("attack", [posing_term, posing_index, posing_constraint, posing_guard, posing_argument])
def test_objects_that_pose_as_nodes(attack: Callable[[Kernel], Theorem]) -> None:
    """``isinstance`` and ``==`` believe what an object says of itself; the kernel must not."""
    no_lie(attack)


# == rules at random ================================================================
GROUPS = {
    "equality": ("refl", "sym", "trans", "congruence", "sum_congruence", "argument_congruence", "index"),
    "definitions": ("unfold",),
    "algebra": ("ring", "power_zero", "power_step", "inverse"),
    "real cases": ("real_cases", "clash", "iszero_zero", "iszero_other"),
    "order": ("le_number", "le_equal", "le_trans", "le_both", "le_add", "le_mul", "le_square", "le_sum"),
    "finite sums": (
        *("sum_add", "sum_scale", "sum_swap", "sum_split"),
        *("sum_empty", "sum_single", "sum_zero"),
    ),
    "indicators": ("iverson_true", "iverson_false"),
    "logic": ("instantiate", "hypothesis", "weaken", "cases", "absurd", "distinct", "induct"),
    "derivatives": (
        *("tangent_constant", "tangent_variable", "tangent_add", "tangent_mul"),
        *("tangent_sum", "tangent_function", "tangent_unfold", "tangent_convert"),
    ),
}


def test_the_groups_are_all_rules() -> None:
    assert sorted(r for g in GROUPS.values() for r in g) == sorted(RULES)


class Player:
    """Applies rules at random: mostly where they fit, now and then where they do not."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.kernel = Kernel(self.theory())
        self.pool: list[Theorem] = []
        self.contexts = [self.context() for _ in range(3)]

    # -- material ----------------------------------------------------------------
    def theory(self) -> Theory:
        """A recursion over layers with random pieces; what recurs is used once, so that numbers stay small."""
        rng, before = self.rng, y(l - 1, self.rng.choice((i, j, i + 1, Idx(0))))
        inner = rng.choice((before, f(l, before), Mul(w(l, j), before), Add(before, u(j))))
        if any(x == QVar("j") for x in _atoms(inner)) or rng.random() < 0.5:
            inner = sigma(rng.choice((n(l - 1), n(l), L, Idx(2))), inner)
        step = rng.choice((inner, f(l, inner), Add(Mul(w(l, i), inner), u(l)), Mul(when(lt(i, n(l))), inner)))
        first = rng.choice((u(i), w(0, i), Mul(c, u(i)), sigma(2, w(j, i))))
        return make_theory(((le(l, 0),), first), ((ge(l, 1),), step))

    def context(self) -> Context:
        rng = self.rng
        variables = rng.choice((("l",), ("l", "i"), ("t", "l"), ("l", "i"), ()))
        choices = [ge(L, 2), eq(L, 1)]
        if "l" in variables:
            choices += [ge(l, 1), ge(l, 0), le(l, L), eq(l, L), le(l, 0), eq(l, 1), lt(l, L), ge(n(l), 1), eq(n(l), 2)]
        if "i" in variables:
            choices += [ge(i, 0), lt(i, n(l)), eq(i, l), eq(i, 0)]
        if "t" in variables:
            choices += [ge(t, l), eq(t, l), ge(t, 0), eq(t, l + 1)]
        return Context(variables, tuple(rng.sample(choices, rng.randint(0, min(4, len(choices))))))

    def idx(self, names: tuple[str, ...]) -> Idx:
        rng = self.rng
        if not names or rng.random() < 0.2:
            return rng.choice((Idx(-1), Idx(0), Idx(0), Idx(1), Idx(1), Idx(2), Idx(3), L, L - 1, n(L), n(0)))
        v = qvar(rng.choice(names))
        return rng.choice((v, v, v, v + 1, v - 1, n(v), n(v), v - L, 2 * v, L - v, -v))

    def con(self, names: tuple[str, ...]) -> Con:
        return self.rng.choice((ge, le, eq, ne, lt))(self.idx(names), self.idx(names))

    def term(self, names: tuple[str, ...], depth: int = 2) -> Term:
        rng = self.rng
        kind = rng.randint(0, 4) if depth == 0 else rng.randint(0, 16)
        x = partial(self.idx, names)
        if kind <= 1:
            return rng.choice((c, a, Num(rng.randint(-2, 2)), Num(Fraction(1, 2)), ONE, ZERO))
        if kind <= 3:
            return rng.choice((u, lambda q: w(q, x()), lambda q: App("s", (q,)), lambda q: App("p", (q,))))(x())
        if kind == 4:
            return y(x(), x())
        less = partial(self.term, names, depth - 1)
        if kind <= 8:
            return (Add if rng.random() < 0.5 else Mul)(*(less() for _ in range(rng.randint(1, 3))))
        if kind <= 11:
            name = f"b{depth}"
            return sigma(x(), self.term((*names, name), depth - 1), name)
        if kind == 12:
            name = f"b{depth}"
            return op(rng.choice("PQ"), x(), self.term((*names, name), depth - 1), name)
        if kind == 13:
            return Pow(less(), x())
        if kind == 14:
            return rng.choice((Inv, IsZero))(less())
        if kind == 15:
            return when(*(self.con(names) for _ in range(rng.randint(1, 2))))
        return f(x(), less())

    def name(self, ctx: Context) -> str:
        """Mostly new, sometimes taken."""
        fresh = next(f"k{m}" for m in range(9) if f"k{m}" not in ctx.variables)
        return self.rng.choice((fresh,) * 6 + ("#", "#0", *ctx.variables))

    def equation(self, ctx: Context) -> Theorem:
        """An equation in this context, by one of the rules that need no premise."""
        rules = ("ring", "unfold", "index", "iverson_true", "iverson_false", "sum_split", "sum_empty", "power_step")
        rules += ("sum_scale", "sum_add", "hypothesis", "refl")
        for _ in range(8):
            try:
                th = getattr(self, self.rng.choice(rules))(ctx)
            except (KernelError, TheoryError):
                continue
            if isinstance(th.relation, Eq):
                return th  # type: ignore[no-any-return]
        term = self.term(ctx.variables, 1)
        return self.kernel.ring(ctx, term, Add(term, ZERO))

    def known(self, ctx: Context | None = None) -> Theorem:
        """Something proved, in this context if there is any."""
        have = [th for th in self.pool if ctx is None or th.context == ctx] or self.pool
        return self.rng.choice(have) if have else self.equation(ctx or EMPTY)

    def step(self) -> str:
        rule = self.rng.choice(RULES)
        ctx = self.rng.choice(self.contexts)
        made = getattr(self, rule)(ctx)
        self.pool.append(made)
        return rule

    # -- equality ----------------------------------------------------------------
    def refl(self, ctx: Context) -> Theorem:
        return self.kernel.refl(ctx, self.term(ctx.variables))

    def sym(self, ctx: Context) -> Theorem:
        return self.kernel.sym(self.known(ctx))

    def trans(self, ctx: Context) -> Theorem:
        one = self.equation(ctx)
        other = self.known(ctx) if self.rng.random() < 0.2 else self.simpler(ctx, one.rhs)
        return self.kernel.trans(one, other)

    def simpler(self, ctx: Context, term: Term) -> Theorem:
        return self.kernel.ring(ctx, term, term_of(polynomial(term)))

    def congruence(self, ctx: Context) -> Theorem:
        parts = [self.equation(ctx) for _ in range(self.rng.randint(1, 3))]
        lhs = [p.lhs for p in parts]
        shapes = [Add(*lhs), Mul(*lhs)]
        if len(lhs) == 1:
            at = self.idx(ctx.variables)
            shapes += [Pow(lhs[0], at), Inv(lhs[0]), IsZero(lhs[0]), f(at, lhs[0]), Sum(at, lhs[0])]
        return self.kernel.congruence(ctx, self.rng.choice(shapes), parts)

    def sum_congruence(self, ctx: Context) -> Theorem:
        bound, name = self.idx(ctx.variables), self.name(ctx)
        inner = ctx.bind((name,), (bound,)) if name not in ctx.variables else ctx
        there = bound if self.rng.random() < 0.8 else self.idx(ctx.variables)
        return self.kernel.sum_congruence(ctx, there, name, self.equation(inner))

    def argument_congruence(self, ctx: Context) -> Theorem:
        at, name = self.idx(ctx.variables), self.name(ctx)
        th = self.equation(ctx.bind((name,), (n(at),)) if name not in ctx.variables else ctx)
        there = at if self.rng.random() < 0.7 else self.idx(ctx.variables)
        if self.rng.random() < 0.3 and name not in ctx.variables:
            th = self.kernel.iverson_true(th.context, when(lt(qvar(name), n(at))))
        term = App(self.rng.choice("PQ"), (there,), (Lam(1, close(th.lhs, name)),))
        return self.kernel.argument_congruence(ctx, term, 0, (name,), th)

    def index(self, ctx: Context) -> Theorem:
        """Replace index terms by others that the guards may equate."""
        rng, term = self.rng, self.term(ctx.variables, 2)
        equal = [g.expr for g in ctx.guards if g.kind == "eq"] or [self.idx(ctx.variables)]
        if rng.random() < 0.15:
            equal = [self.idx(ctx.variables)]

        def fn(at: Idx, depth: int) -> Idx:
            return at + rng.choice(equal) * rng.choice((0, 1, -1))

        other = map_index(term, fn) if not _has(term, Iverson) else term
        return self.kernel.index(ctx, term, other)

    def unfold(self, ctx: Context) -> Theorem:
        x = partial(self.idx, ctx.variables)
        term = self.rng.choice(
            (y(x(), x()), y(qvar("l"), x()) if "l" in ctx.variables else y(L, x()), App("p", (x(),)))
        )
        return self.kernel.unfold(ctx, term, self.rng.randint(0, 1))

    # -- algebra -----------------------------------------------------------------
    def ring(self, ctx: Context) -> Theorem:
        term = self.term(ctx.variables)
        other = term_of(polynomial(term)) if self.rng.random() < 0.9 else self.term(ctx.variables, 0)
        return self.kernel.ring(ctx, term, other)

    def power_zero(self, ctx: Context) -> Theorem:
        return self.kernel.power_zero(ctx, Pow(self.term(ctx.variables, 1), self.idx(ctx.variables)))

    def power_step(self, ctx: Context) -> Theorem:
        return self.kernel.power_step(ctx, Pow(self.term(ctx.variables, 1), self.idx(ctx.variables)))

    def inverse(self, ctx: Context) -> Theorem:
        th = self.kernel.hypothesis(ctx, "nonzero", {})
        return self.kernel.inverse(th if self.rng.random() < 0.7 else self.known(ctx))

    # -- real cases and order ------------------------------------------------------
    def piece(self, ctx: Context) -> Term:
        """A term that is 0 in some models and not in others."""
        x = partial(self.idx, ctx.variables)
        return self.rng.choice((c, u(x()), w(x(), x()), Mul(c, u(x())), y(x(), x()), self.term(ctx.variables, 1)))

    def split(self, ctx: Context) -> tuple[Context, Context, Term, Term]:
        """Where two terms are equal, and where they are not."""
        one, two = self.piece(ctx), self.rng.choice((ZERO, ZERO, ONE, self.piece(ctx)))
        return where(one, two, True, ctx), where(one, two, False, ctx), one, two

    def real_cases(self, ctx: Context) -> Theorem:
        """Proofs of both branches, of one of them twice, or of different things."""
        rng, k = self.rng, self.kernel
        same, differ, one, two = self.split(ctx)
        kind = rng.randint(0, 4)
        if kind <= 1:
            nested = where(c, a, rng.random() < 0.5, ctx) if rng.random() < 0.3 else ctx
            return k.real_cases(nested, one, ZERO, at_zero(k, nested, one))
        known = last(k, same if rng.random() < 0.5 else differ)
        if kind == 2:
            return k.real_cases(ctx, one, two, [known, known])
        if kind == 3:
            return k.real_cases(ctx, one, two, [last(k, same), last(k, differ)])
        th = k.refl(same, one) if rng.random() < 0.5 else last(k, same)
        return k.real_cases(ctx, one, two, [th, k.weaken(differ, self.known(ctx))])

    def clash(self, ctx: Context) -> Theorem:
        rng, k = self.rng, self.kernel
        same, differ, one, two = self.split(ctx)
        torn = where(one, two, False, same)
        if rng.random() < 0.3:
            torn = where(self.piece(ctx), rng.choice((two, ZERO)), False, same)
        there = last(k, torn if rng.random() < 0.7 else differ)
        equation = k.hypothesis(torn, 0, {}) if rng.random() < 0.7 else last(k, same)
        return k.clash(equation, there, rng.choice((Eq(ZERO, ONE), Le(ONE, ZERO), Ne(c, c))))

    def iszero_zero(self, ctx: Context) -> Theorem:
        th = last(self.kernel, self.split(ctx)[0]) if self.rng.random() < 0.7 else self.known(ctx)
        return self.kernel.iszero_zero(th)

    def iszero_other(self, ctx: Context) -> Theorem:
        th = last(self.kernel, self.split(ctx)[1]) if self.rng.random() < 0.7 else self.known(ctx)
        return self.kernel.iszero_other(th)

    def inequality(self, ctx: Context, depth: int = 1) -> Theorem:
        """lhs <= rhs, mostly from 0, often in this context."""
        rng, k = self.rng, self.kernel
        kind = rng.randint(0, 4) if depth == 0 else rng.randint(0, 8)
        if kind <= 1:
            return k.le_square(ctx, self.piece(ctx))
        if kind == 2:
            return k.le_number(ctx, rng.choice((ZERO, Num(-1))), Num(Fraction(rng.randint(0, 4), 2)))
        if kind == 3:
            return k.le_equal(self.equation(ctx))
        if kind == 4:
            return k.le_square(ctx, rng.choice((c, a, u(self.idx(ctx.variables)))))
        parts = [self.inequality(ctx, depth - 1) for _ in range(rng.randint(1, 3))]
        return (k.le_add if kind <= 6 else k.le_mul)(ctx, parts)

    def stray(self, ctx: Context) -> Context:
        """Mostly this context, sometimes another, or one in which more is known."""
        if self.rng.random() < 0.8:
            return ctx
        return self.rng.choice((self.split(ctx)[0], NOWHERE, *self.contexts))

    def le_number(self, ctx: Context) -> Theorem:
        return self.kernel.le_number(ctx, Num(self.rng.randint(-2, 2)), Num(Fraction(self.rng.randint(-4, 4), 3)))

    def le_equal(self, ctx: Context) -> Theorem:
        return self.kernel.le_equal(self.known(ctx) if self.rng.random() < 0.3 else self.equation(ctx))

    def le_square(self, ctx: Context) -> Theorem:
        return self.kernel.le_square(ctx, self.piece(ctx))

    def le_add(self, ctx: Context) -> Theorem:
        parts = [self.either(ctx) for _ in range(self.rng.randint(1, 3))]
        return self.kernel.le_add(ctx, parts)

    def either(self, ctx: Context) -> Theorem:
        """An inequality, or what holds in a stray context only."""
        there = self.stray(ctx)
        if there is ctx:
            return self.inequality(ctx)
        if there.hypotheses:
            return self.kernel.le_equal(last(self.kernel, there))
        return (
            self.kernel.absurd(there, Le(self.rng.choice((ZERO, c)), Num(-1)))
            if there is NOWHERE
            else (self.inequality(there))
        )

    def le_mul(self, ctx: Context) -> Theorem:
        return self.kernel.le_mul(ctx, [self.either(ctx) for _ in range(self.rng.randint(1, 3))])

    def le_trans(self, ctx: Context) -> Theorem:
        one = self.either(ctx)
        if not isinstance(one.relation, Le) or self.rng.random() < 0.2:
            return self.kernel.le_trans(one, self.known(ctx))
        middle, k = one.relation.rhs, self.kernel
        if self.rng.random() < 0.5:
            return k.le_trans(one, k.le_equal(self.simpler(ctx, middle)))
        if self.rng.random() < 0.5:
            return k.le_trans(one, k.absurd(NOWHERE, Le(middle, Num(-1))))
        if self.rng.random() < 0.3:
            return k.le_trans(one, k.le_number(ctx, Num(-3), Num(-2)))
        return k.le_trans(k.le_equal(self.simpler(one.context, Add(one.relation.lhs))), one)

    def le_both(self, ctx: Context) -> Theorem:
        k, eqn = self.kernel, self.equation(ctx)
        if self.rng.random() < 0.5:
            return k.le_both(k.le_equal(eqn), k.le_equal(k.sym(eqn)))
        one = self.either(ctx)
        assert isinstance(one.relation, Le)
        if self.rng.random() < 0.5:
            return k.le_both(one, self.inequality(ctx))
        return k.le_both(one, k.absurd(NOWHERE, Le(one.relation.rhs, one.relation.lhs)))

    def le_sum(self, ctx: Context) -> Theorem:
        bound, name = self.idx(ctx.variables), self.name(ctx)
        inner = ctx.bind((name,), (bound,)) if name not in ctx.variables else ctx
        there = bound if self.rng.random() < 0.8 else self.idx(ctx.variables)
        if self.rng.random() < 0.2:
            known = last(self.kernel, where(self.piece(inner), self.piece(inner), True, inner))
            return self.kernel.le_sum(ctx, there, name, self.kernel.le_equal(known))
        return self.kernel.le_sum(ctx, there, name, self.inequality(inner))

    # -- sums --------------------------------------------------------------------
    def body(self, ctx: Context, depth: int = 1) -> Term:
        return self.term((*ctx.variables, "j"), depth)

    def sum_add(self, ctx: Context) -> Theorem:
        body = Add(*(self.body(ctx) for _ in range(self.rng.randint(0, 3))))
        return self.kernel.sum_add(ctx, sigma(self.idx(ctx.variables), body))

    def sum_scale(self, ctx: Context) -> Theorem:
        factor = self.body(ctx) if self.rng.random() < 0.4 else self.term(ctx.variables, 1)
        return self.kernel.sum_scale(ctx, sigma(self.idx(ctx.variables), Mul(factor, self.body(ctx))))

    def sum_swap(self, ctx: Context) -> Theorem:
        inner = self.idx((*ctx.variables, "k") if self.rng.random() < 0.4 else ctx.variables)
        body = sigma(inner, self.term((*ctx.variables, "j", "k"), 1))
        names = (self.name(ctx), self.rng.choice(("m0", "m1", *ctx.variables)))
        return self.kernel.sum_swap(ctx, sigma(self.idx(ctx.variables), body, "k"), names)

    def sum_split(self, ctx: Context) -> Theorem:
        bound = self.idx(ctx.variables)
        at = self.rng.choice((Idx(0), Idx(1), bound - 1, bound, self.idx(ctx.variables), -bound))
        return self.kernel.sum_split(ctx, sigma(bound, self.body(ctx)), at)

    def sum_empty(self, ctx: Context) -> Theorem:
        return self.kernel.sum_empty(ctx, sigma(self.idx(ctx.variables), self.body(ctx)))

    def sum_single(self, ctx: Context) -> Theorem:
        return self.kernel.sum_single(ctx, sigma(self.idx(ctx.variables), self.body(ctx)))

    def sum_zero(self, ctx: Context) -> Theorem:
        return self.kernel.sum_zero(ctx, self.idx(ctx.variables))

    def iverson_true(self, ctx: Context) -> Theorem:
        cons = [self.con(ctx.variables)]
        if ctx.guards and self.rng.random() < 0.5:
            cons = [self.rng.choice(ctx.guards)]
        return self.kernel.iverson_true(ctx, when(*cons))

    def iverson_false(self, ctx: Context) -> Theorem:
        cons = [self.con(ctx.variables), self.con(ctx.variables)]
        if ctx.guards and self.rng.random() < 0.4:
            cons[0] = self.rng.choice(ctx.guards).negations()[0]
        return self.kernel.iverson_false(ctx, when(*cons))

    def operand(self, ctx: Context, shape: Any, count: int) -> Term:
        parts = [self.body(ctx) for _ in range(count)]
        if shape is Mul and self.rng.random() < 0.6:
            parts[0] = self.term(ctx.variables, 1)
        return op(self.rng.choice("PPPQ"), self.idx(ctx.variables), shape(*parts))

    # -- logic -------------------------------------------------------------------
    def instantiate(self, ctx: Context) -> Theorem:
        th = self.known()
        return self.kernel.instantiate(ctx, th, {v: self.idx(ctx.variables) for v in th.context.variables})

    def hypothesis(self, ctx: Context) -> Theorem:
        which = self.rng.choice(tuple(self.kernel.theory.hypotheses))
        s = self.kernel.theory.hypotheses[which]
        return self.kernel.hypothesis(ctx, which, {v: self.idx(ctx.variables) for v in s.variables})

    def weaken(self, ctx: Context) -> Theorem:
        th = self.known()
        extra = tuple(v for v in ("m", "i") if v not in th.context.variables)[:1]
        larger = Context(th.context.variables + extra, (*th.context.guards, self.con(extra)), ())
        if self.rng.random() < 0.2:
            th = last(self.kernel, self.split(ctx)[0])
        if self.rng.random() < 0.2:
            larger = where(c, ZERO, True, th.context)
        return self.kernel.weaken(ctx if self.rng.random() < 0.4 else larger, th)

    def cases(self, ctx: Context) -> Theorem:
        con = self.con(ctx.variables)
        if self.rng.random() < 0.5:
            return self.kernel.cases(ctx, con, halves(self.kernel, ctx, con))
        parts = [self.equation(ctx.with_guards(con))]
        for x in con.negations():
            branch = ctx.with_guards(x)
            if self.rng.random() < 0.3:  # one proof for all the branches
                parts.append(parts[0])
            else:
                parts.append(self.kernel.absurd(branch, parts[0].relation))
        return self.kernel.cases(ctx, con, parts)

    def absurd(self, ctx: Context) -> Theorem:
        sides = self.term(ctx.variables, 0), self.rng.choice((ZERO, ONE))
        relation = Ne(*sides) if self.rng.random() < 0.3 else Eq(*sides)
        g = self.rng.choice(ctx.guards) if ctx.guards else ge(L, 1)
        return self.kernel.absurd(ctx if self.rng.random() < 0.5 else ctx.with_guards(g.negations()[0]), relation)

    def distinct(self, ctx: Context) -> Theorem:
        numbers = Eq(Num(self.rng.randint(0, 2)), Num(self.rng.randint(0, 2)))
        g = self.rng.choice(ctx.guards) if ctx.guards else ge(L, 1)
        inner = ctx.with_guards(g.negations()[0])
        th = self.kernel.absurd(inner, numbers) if self.rng.random() < 0.7 else self.known(ctx)
        return self.kernel.distinct(th, Eq(self.term(th.context.variables, 0), ONE))

    def induct(self, ctx: Context) -> Theorem:
        """p(l) = a^l, from the right and from wrong beginnings, up or down."""
        rng = self.rng
        if rng.random() < 0.2:
            s = Statement(("l",), rng.choice(((), (ge(l, 0),), (le(l, L),))), Eq(c, Mul(a, c)))
            m, k = rng.choice((l, L - l, Idx(0))), self.kernel
            there = rng.choice((l - 1, l + 1))
            return k.induct([s], [m], [k.hypothesis(k.induction_context([s], [m], 0), 0, {"l'": there})])[0]
        low, off = rng.choice((0, 0, 0, 1, -1, -3)), rng.choice((0, 0, 0, 0, 1))
        guards = rng.choice(((), (le(l, L),), (le(l, L),)))
        s = Statement(("l",), (ge(l, low), *guards), Eq(App("p", (l,)), Pow(a, l + off)))
        m = rng.choice((l, l, l, l + 1, l - 1, L + l, L - l))
        k, claims, measures = self.kernel, [s], [m]
        inner = k.induction_context(claims, measures, 0)
        here, above = inner.with_guards(le(l, 0)), inner.with_guards(ge(l, 1))
        zero = k.unfold(here, App("p", (l,)), 0)
        try:
            zero = k.trans(zero, k.sym(k.power_zero(here, Pow(a, l + off))))
        except KernelError:
            zero = k.hypothesis(here, 0, {"l'": l - 1})
        try:
            step = k.unfold(above, App("p", (l,)), 1)
            before = k.hypothesis(above, 0, {"l'": l - rng.choice((1, 1, 1, 0, 2))})
            step = k.trans(step, k.congruence(above, step.rhs, [k.refl(above, a), before]))
            step = k.trans(step, k.sym(k.power_step(above, Pow(a, l + off))))
        except KernelError:
            step = k.hypothesis(above, 0, {"l'": l + rng.choice((1, 0))})
        return k.induct(claims, measures, [k.cases(inner, Con("ge", -l), [zero, step])])[0]

    # -- derivatives -------------------------------------------------------------
    def tangent(self, ctx: Context, direction: str, depth: int = 2) -> Theorem:
        rng, k = self.rng, self.kernel
        x = partial(self.idx, ctx.variables)
        kind = rng.randint(0, 1) if depth == 0 else rng.randint(0, 7)
        if direction == "b" and kind in (0, 1):
            constant = rng.choice((u(x()), App("s", (x(),)), y(x(), x()), App("p", (x(),))))
            if kind == 0:
                return k.tangent_constant(ctx, "b", constant)
            return k.tangent_variable(ctx, "b", rng.choice((a, c)))
        if direction == "b" and kind >= 5:
            part = k.tangent_variable(ctx, "b", rng.choice((a, c)))
            point = App("r", (), (part.relation.term,))  # type: ignore[union-attr]
            return k.tangent_function(ctx, point, [()], [part], k.hypothesis(ctx, "smooth_r", {}))
        if kind == 0:
            return k.tangent_constant(
                ctx, direction, rng.choice((c, a, App("s", (x(),)), when(self.con(ctx.variables))))
            )
        if kind == 1:
            return k.tangent_variable(ctx, direction, w(x(), x()) if direction == "d" else u(x()))
        if kind <= 3:
            parts = [self.tangent(ctx, direction, depth - 1) for _ in range(rng.randint(1, 3))]
            return (k.tangent_add if kind == 2 else k.tangent_mul)(ctx, parts)
        if kind == 4:
            bound, name = x(), self.name(ctx)
            inner = ctx.bind((name,), (bound,)) if name not in ctx.variables else ctx
            return k.tangent_sum(ctx, bound, name, self.tangent(inner, direction, depth - 1))
        if kind == 5:
            at, other = x(), x()
            if direction == "e":
                part = k.tangent_variable(ctx, "e", u(at))
                return k.tangent_function(ctx, f(at, u(at)), [()], [part], k.hypothesis(ctx, "smooth_u", {"l": at}))
            part = k.tangent_variable(ctx, "d", w(at, other))
            point = {"l": at, "i": rng.choice((other, other, other, x()))}
            return k.tangent_function(ctx, f(at, w(at, other)), [()], [part], k.hypothesis(ctx, "smooth_w", point))
        if kind == 6:
            at, name, which = x(), self.name(ctx), rng.choice("PQ")
            inner = ctx.bind((name,), (n(at),)) if name not in ctx.variables else ctx
            part = k.tangent_variable(inner, "d", w(at, qvar(name)))
            deriv = k.hypothesis(ctx, f"smooth_{which}", {"l": at})
            term = App(which, (at,), (Lam(1, close(w(at, qvar(name)), name)),))
            return k.tangent_function(ctx, term, [(name,)], [part], deriv)
        at, other = x(), x()
        deriv = k.hypothesis(ctx, "smooth_g", {"l": at, "i": other})
        parts = []
        for arg in (w(at, other), u(at)):
            rule = k.tangent_variable if arg.name in k.theory.directions[direction] else k.tangent_constant
            parts.append(rule(ctx, direction, arg))
        return k.tangent_function(ctx, App("g", (), (w(at, other), u(at))), [(), ()], parts, deriv)

    def tangent_constant(self, ctx: Context) -> Theorem:
        return self.kernel.tangent_constant(ctx, self.rng.choice("de"), self.term(ctx.variables, 2))

    def tangent_variable(self, ctx: Context) -> Theorem:
        term = self.rng.choice((w(self.idx(ctx.variables), self.idx(ctx.variables)), u(self.idx(ctx.variables))))
        return self.kernel.tangent_variable(ctx, self.rng.choice("de"), term)

    def _any_tangent(self, ctx: Context) -> Theorem:
        return self.tangent(ctx, self.rng.choice("ddeb"))

    tangent_add = tangent_mul = tangent_sum = tangent_function = _any_tangent

    def tangent_unfold(self, ctx: Context) -> Theorem:
        """y at the input, where its value is not built on y."""
        k, x = self.kernel, self.idx(ctx.variables)
        inner = ctx.with_guards(le(L, 3))
        term = y(Idx(0) if self.rng.random() < 0.7 else self.idx(ctx.variables), x)
        case = self.rng.choice((0, 0, 0, 1))
        value = k.theory.definition("y").at(case, term.idx).value  # type: ignore[union-attr]
        return k.tangent_unfold(term, case, self.differentiate(inner, value))

    def differentiate(self, ctx: Context, term: Term) -> Theorem:
        k = self.kernel
        if isinstance(term, App) and term.name == "w":
            return k.tangent_variable(ctx, "d", term)
        if isinstance(term, Sum):
            name = self.name(ctx)
            inner = ctx.bind((name,), (term.bound,)) if name not in ctx.variables else ctx
            return k.tangent_sum(ctx, term.bound, name, self.differentiate(inner, open_(term.body, qvar(name))))
        return k.tangent_constant(ctx, "d", term)

    def tangent_convert(self, ctx: Context) -> Theorem:
        th = self._any_tangent(ctx)
        assert isinstance(th.relation, Tangent)
        other = self.simpler(ctx, th.relation.tangent) if self.rng.random() < 0.9 else self.equation(ctx)
        return self.kernel.tangent_convert(th, other)


def _walk(term: Term) -> Iterator[Term]:
    yield term
    for _, x in children(term):
        yield from _walk(x)


def _has(term: Term, node: type) -> bool:
    return any(isinstance(x, node) for x in _walk(term))


def _atoms(term: Term) -> Iterator[Any]:
    for x in _walk(term):
        if isinstance(x, App):
            for at in x.idx:
                yield from at.atoms()


def play(seed: int, steps: int, catch: Any = (KernelError, TheoryError), used: Any = None) -> tuple[Item, Any] | None:
    """Random rules in a random theory; the first line of the proof that is false in a model."""
    rng = random.Random(seed)
    player = Player(rng)
    for _ in range(steps):
        try:
            player.step()
        except catch:
            continue
    semantics = Semantics(player.kernel.theory, seed)
    done: set[tuple[Context, str]] = set()
    for item in player.kernel.items:
        if used is not None:
            used[item.rule] += 1
        what = (item.context, f"{type(item.claim).__name__}{[id(x) for x in vars(item.claim).values()]}")
        if what in done:
            continue
        done.add(what)
        env = semantics.lie(item.context, item.claim)
        if env is not None:
            return item, env
    if used is not None:
        used["evaluations"] += semantics.seen
    return None


USED: Counter[str] = Counter()


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32))
def _random_proofs(seed: int) -> None:
    USED["examples"] += 1
    lie = play(seed, 80, used=USED)
    assert lie is None, lie


def test_what_random_rules_prove_is_true() -> None:
    """Every line of random proofs in random theories holds in exact models, and every rule takes part."""
    USED.clear()
    _random_proofs()
    print(sorted(USED.items()))
    for group, rules in GROUPS.items():
        assert sum(USED[r] for r in rules) >= USED["examples"] >= 100, (group, USED)
    assert not [r for r in RULES if USED[r] < 10], USED
    assert USED["evaluations"] > 20 * USED["examples"], USED


WEAKENINGS = [
    ("sum_scale", "the factor depends"),
    ("sum_split", "0 <= "),
    ("sum_empty", ""),
    ("sum_single", "{!r} = 1"),
    ("sum_swap", "the inner range"),
    ("sum_swap", "{} are not new"),
    ("sum_congruence", "a premise stands"),
    ("argument_congruence", "a premise stands"),
    ("index", "{!r} = {!r} does not follow"),
    ("unfold", "{!r} does not follow"),
    ("ring", ""),
    ("power_zero", "{!r} <= 0"),
    ("power_step", "{!r} >= 1"),
    ("inverse", ""),
    ("trans", "{!r} is not"),
    ("real_cases", "a premise stands"),
    ("real_cases", "the premises prove"),
    ("clash", "a premise stands"),
    ("clash", "an equation and"),
    ("iszero_zero", ""),
    ("iszero_other", ""),
    ("le_number", ""),
    ("le_trans", "{!r} is not"),
    ("le_trans", "a premise stands"),
    ("le_both", "the inequalities"),
    ("le_both", "a premise stands"),
    ("le_add", "a premise stands"),
    ("le_mul", "premises 0"),
    ("le_mul", "a premise stands"),
    ("le_sum", "a premise stands"),
    ("iverson_true", ""),
    ("iverson_false", "the constraints may hold"),
    ("instantiate", "{!r} does not follow"),
    ("weaken", "the context is not larger"),
    ("cases", "a premise stands"),
    ("absurd", ""),
    ("distinct", ""),
    ("induct", "{!r} may be negative"),
    ("tangent_constant", ""),
    ("tangent_function", "the derivative at this point"),
    ("tangent_unfold", "{!r} does not follow"),
    ("tangent_convert", "the equation is about"),
]


@pytest.mark.parametrize(("rule", "reason"), WEAKENINGS)
def test_a_side_condition_taken_away_is_noticed(rule: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same search, with one refusal of one rule removed, finds a false theorem."""
    require = kernel_module._require

    def careless(ok: bool, name: str, why: str, *parts: object) -> None:
        if not (name == rule and why.startswith(reason)):
            require(ok, name, why, *parts)

    monkeypatch.setattr(kernel_module, "_require", careless)
    for seed in range(400):
        found = play(seed, 40, catch=Exception)
        if found:
            return
    pytest.fail("nothing false was proved")
