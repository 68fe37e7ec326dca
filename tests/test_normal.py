"""The normal form: confluent under shuffling, right in models, and silent about what it does not decide."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pcproof.language.evaluate import Evaluator
from pcproof.language.index import Idx, qvar, size
from pcproof.language.random_model import random_model
from pcproof.language.signature import FUNCTION, PARAMETER, Symbol, Theory
from pcproof.language.terms import Add, App, Mul, Num, Sum, Term, add, close, mul, neg, open_, total
from pcproof.proof.kernel import Context, Kernel
from pcproof.tactics.normal import normalize, prove_equal

N, M = size("N"), size("M")
THEORY = Theory(
    {"N": 0, "M": 0},
    (),
    {
        s.name: s
        for s in (
            Symbol("c", PARAMETER, 0),
            Symbol("u", PARAMETER, 1),
            Symbol("v", PARAMETER, 1),
            Symbol("a", PARAMETER, 2),
            Symbol("f", FUNCTION, 1, ((),), derivatives=("df",)),
            Symbol("df", FUNCTION, 1, ((),)),
        )
    },
)


def terms(free: tuple[Idx, ...], depth: int) -> st.SearchStrategy[Term]:
    """Random terms over the free indices."""
    index = st.sampled_from(free)
    leaves = st.one_of(
        st.integers(-3, 3).map(Num),
        st.just(App("c")),
        st.builds(lambda n, i: App(n, (i,)), st.sampled_from(("u", "v")), index),
        st.builds(lambda i, j: App("a", (i, j)), index, index),
    )
    if depth == 0:
        return leaves
    smaller = terms(free, depth - 1)
    name = f"q{depth}"
    under = terms((*free, qvar(name)), depth - 1)
    return st.one_of(
        leaves,
        st.lists(smaller, min_size=2, max_size=3).map(lambda ts: Add(*ts)),
        st.lists(smaller, min_size=2, max_size=3).map(lambda ts: Mul(*ts)),
        st.builds(lambda n, t: Sum(n, close(t, name)), st.sampled_from((N, M)), under),
        smaller.map(lambda t: App("f", (0,), (t,))),
    )


def shuffled(t: Term, rng: random.Random) -> Term:
    """The same value in another shape: order, distribution, exchanged sums, factors moved in and out."""
    if isinstance(t, Add):
        parts = [shuffled(a, rng) for a in t.args]
        rng.shuffle(parts)
        return Add(*parts)
    if isinstance(t, Mul):
        parts = [shuffled(a, rng) for a in t.args]
        rng.shuffle(parts)
        for n, p in enumerate(parts):
            if isinstance(p, Add) and rng.random() < 0.5:
                rest = parts[:n] + parts[n + 1 :]
                return Add(*(Mul(*rest, a) for a in p.args))
            if isinstance(p, Sum) and rng.random() < 0.5:
                rest = parts[:n] + parts[n + 1 :]
                name = f"z{rng.random()}"
                return Sum(p.bound, close(Mul(*rest, open_(p.body, qvar(name))), name))
        return Mul(*parts)
    if isinstance(t, Sum):
        name = f"z{rng.random()}"
        body = shuffled(open_(t.body, qvar(name)), rng)
        if isinstance(body, Add) and rng.random() < 0.5:
            return Add(*(Sum(t.bound, close(a, name)) for a in body.args))
        if isinstance(body, Sum) and rng.random() < 0.5:
            inner = f"z{rng.random()}"
            return Sum(body.bound, close(Sum(t.bound, close(open_(body.body, qvar(inner)), name)), inner))
        return Sum(t.bound, close(body, name))
    if isinstance(t, App) and t.args:
        return App(t.name, t.idx, [shuffled(a.body, rng) for a in t.args])
    return t


CTX = Context(("i", "j"), ())
FREE = (qvar("i"), qvar("j"))


@settings(max_examples=150)
@given(terms(FREE, 3), st.integers(0, 10**6))
def test_shuffled_presentations_have_one_normal_form(t: Term, seed: int) -> None:
    k = Kernel(THEORY)
    assert prove_equal(k, CTX, t, shuffled(t, random.Random(seed))) is not None


@settings(max_examples=150)
@given(terms(FREE, 3))
def test_the_normal_form_has_the_same_value(t: Term) -> None:
    k = Kernel(THEORY)
    th = normalize(k, CTX, t)
    if th is not None:
        ev = Evaluator(THEORY, random_model(THEORY, {"N": 2, "M": 3}))
        env = {"i": 1, "j": 0}
        assert ev.value(th.lhs, env) == ev.value(th.rhs, env)


@settings(max_examples=100)
@given(terms(FREE, 2), terms(FREE, 2))
def test_equal_normal_forms_are_equal_in_a_random_model_and_conversely(a: Term, b: Term) -> None:
    k = Kernel(THEORY)
    proved = prove_equal(k, CTX, a, b) is not None
    ev = Evaluator(THEORY, random_model(THEORY, {"N": 3, "M": 5}))
    same = ev.value(a, {"i": 0, "j": 1}) == ev.value(b, {"i": 0, "j": 1})
    assert same if proved else True


def unproved(a: Term, b: Term, ctx: Any = CTX) -> bool:
    return prove_equal(Kernel(THEORY), ctx, a, b) is None


def test_what_it_does_not_decide() -> None:
    """Range splits, index shifts and deltas are rules of their own."""
    whole = total(N, lambda q: App("u", (q,)))
    assert unproved(whole, add(total(N - 1, lambda q: App("u", (q,))), App("u", (N - 1,))))
    assert unproved(total(N, lambda q: App("u", (q,))), total(N, lambda q: App("u", (N - 1 - q,))))
    assert unproved(whole, total(M, lambda q: App("u", (q,))))


def test_what_is_false_is_not_decided() -> None:
    s = total(N, lambda q: mul(App("u", (q,)), App("v", (q,))))
    p = mul(total(N, lambda q: App("u", (q,))), total(N, lambda q: App("v", (q,))))
    assert unproved(s, p)
    assert unproved(App("u", FREE[:1]), neg(App("u", FREE[:1])))
    transposed = total(N, lambda q: total(N, lambda r: mul(App("a", (q, r)), App("u", (q,)))))
    straight = total(N, lambda q: total(N, lambda r: mul(App("a", (r, q)), App("u", (q,)))))
    assert unproved(transposed, straight)
