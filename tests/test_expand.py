"""Both sides multiplied out: what counts as the same polynomial, and what must not."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from pcproof.refute.expand import Expander, TooLong
from pcproof.refute.graph import Graph


def graph():
    g = Graph()
    return g, *(g.slot((n, ())) for n in "xyz")


def difference(a, b):
    return a + -1 * b


SAME = {
    "binomial": lambda x, y, z: ((x + y) * (x + -1 * y), x * x + -1 * y * y),
    "numbers": lambda x, y, z: (x * Fraction(1, 3) + x * Fraction(2, 3), 1 * x + 0 * y),
    "f at equal arguments": lambda x, y, z: (f(x * (y + z)) * y, y * f(x * y + z * x)),
    "indicators are idempotent": lambda x, y, z: (x.is_zero() * x.is_zero() * y, y * x.is_zero()),
    "p = 0 is -2 p = 0": lambda x, y, z: (difference(x, y).is_zero(), (2 * y + -2 * x).is_zero()),
    "a reciprocal of what is not 0": lambda x, y, z: (x * x.inverse() * y, y),
    "of a product of these": lambda x, y, z: ((x * x).inverse() * x * x * y, y),
}
OTHER = {
    "sign": lambda x, y, z: ((x + y) * (x + -1 * y), x * x + y * y),
    "f at other arguments": lambda x, y, z: (f(x * y), f(x * z)),
    "f is not linear": lambda x, y, z: (f(2 * x), 2 * f(x)),
    "f and f'": lambda x, y, z: (f(x), f(x, 1)),
    "other zeros": lambda x, y, z: (x.is_zero(), y.is_zero()),
    "a power of an indicator is not of its argument": lambda x, y, z: (x * x * y, x * y),
    "relu is not the identity": lambda x, y, z: (x.graph.make("relu", x.id), x),
    "relu and its step": lambda x, y, z: (x.graph.make("relu", x.id), x.graph.make("step", x.id)),
    "a reciprocal of what may be 0": lambda x, y, z: (y * y.inverse() * x, x),
    "a reciprocal of a sum": lambda x, y, z: ((x + y).inverse(), x.inverse() + y.inverse()),
}


def f(node, order=0):
    return node.graph.make("table", ("f", (0,), order), node.id)


@pytest.mark.parametrize("name", SAME)
def test_the_same_polynomial(name):
    g, x, y, z = graph()
    assert Expander(g, [x, x * x]).is_zero(difference(*SAME[name](x, y, z)) + 0 * x)


@pytest.mark.parametrize("name", OTHER)
def test_another_function(name):
    g, x, y, z = graph()
    assert not Expander(g, [x]).is_zero(difference(*OTHER[name](x, y, z)))


def test_random_expressions_agree_with_their_values():
    """An expression is 0 as a polynomial if and only if it is 0 at large random numbers (no reciprocals, no f)."""
    rng = random.Random(5)
    zeros = 0
    for _ in range(300):
        g, *nodes = graph()
        for _ in range(6):
            a, b = rng.choice(nodes), rng.choice(nodes)
            new = a * b if rng.random() < 0.5 else a + rng.choice((1, -1, 2)) * b
            if not isinstance(new, int):
                nodes.append(new)
        p, q, r = (rng.choice(nodes) for _ in range(3))
        last = p * (q + rng.choice((r, nodes[0]))) + -1 * (p * q) + -1 * (p * r)
        if isinstance(last, int):
            continue
        values = {("x", ()): 1_000_003, ("y", ()): 998_244_353, ("z", ()): 777_777_777_777}
        value = g.run(g.needed([last]), values)[last.id]
        zero = Expander(g).is_zero(last)
        zeros += zero
        assert zero == (value == 0)
    assert zeros


def test_long_polynomials_are_given_up():
    g, x, y, z = graph()
    node = x + y + z
    for _ in range(5):
        node = node * node + x
    with pytest.raises(TooLong):
        Expander(g).is_zero(node)
