"""Plain text: signs, parentheses, and names that never collide."""

from __future__ import annotations

import operator
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcproof.cli import run
from pcproof.language.index import Bound, Con, Idx, QVar, Size, eq, ge, le, lt, ne, qvar, size, span
from pcproof.language.show import (
    comparisons,
    show,
    show_con,
    show_definition,
    show_guards,
    show_relation,
    show_statement,
    show_theory,
)
from pcproof.language.signature import Case, Definition, Deriv, Eq, Ne, Statement, Symbol, Tangent, Theory
from pcproof.language.terms import Add, App, Inv, IsZero, Iverson, Lam, Mul, Num, Pow, Sum, Term, delta, total

t, l, b, i, j = map(qvar, "tlbij")
L, B = size("L"), size("B")
a, c, d = App("a"), App("c"), App("d")


def n(layer: object) -> Idx:
    return size("n", layer)  # type: ignore[arg-type]


MU = total(n(l + 1), lambda k: App("theta", (l + 1, i, k)) * App("f", (l + 1,), (App("x", (l + 1, b, k)),)))


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (App("eps", (t, l, b, i)), "eps[t,l,b,i]"),
        (App("f", (l + 1,), (App("x", (l + 1, b, j)),)), "f[l+1](x[l+1,b,j])"),
        (MU, "sum_{j<n(l+1)} theta[l+1,i,j]*f[l+1](x[l+1,b,j])"),
        (App("gamma") ** l, "gamma^l"),
        (Pow(App("gamma"), l + 1), "gamma^(l+1)"),
        (Pow(App("gamma"), 2 * l), "gamma^(2*l)"),
        (Iverson((eq(l, 0),)), "[l == 0]"),
        (delta(i, j), "[i == j]"),
        (App("s_out", (b, i)) - App("y", (0, b, i)), "s_out[b,i] - y[0,b,i]"),
        (-(a - c), "-a + c"),
        (-a, "-a"),
        (-(a * c), "-a*c"),
        (Num(-3) * a, "-3*a"),
        (a / 2, "1/2*a"),
        (a * a, "a^2"),
        (a * a * c, "a^2*c"),
        ((a + c) * d, "(a + c)*d"),
        (d * (a + c), "d*(a + c)"),
        ((a + c) * (a + c), "(a + c)^2"),
        (a - (c - d), "a - c + d"),
        (Add(a, Mul(Num(-1), Add(c, d))), "a - (c + d)"),
        (Add(a, Add(c, d)), "a + (c + d)"),
        (Mul(a, Mul(c, d)), "a*(c*d)"),
        (Mul(a, Num(-1), c), "a*(-1)*c"),
        (a / c, "a/c"),
        (a / (c + d), "a/(c + d)"),
        (Inv(a * c), "1/(a*c)"),
        (Pow(a + c, l), "(a + c)^l"),
        (Pow(Num(Fraction(1, 2)), l), "(1/2)^l"),
        (Pow(Num(-1), l), "(-1)^l"),
        (Mul(Pow(a, l), Pow(a, l)), "(a^l)^2"),
        (IsZero(a - c), "[a - c == 0]"),
        (Num(0), "0"),
        (Num(Fraction(-2, 3)), "-2/3"),
        (Add(), "0"),
        (Mul(), "1"),
        (App("P", (l, i), (Lam(1, App("x", (l, b, Bound(0)))),)), "P[l,i](j -> x[l,b,j])"),
        (App("x", (l - 1, b, -i + 3)), "x[l-1,b,3-i]"),
    ],
)
def test_terms(term: Term, text: str) -> None:
    assert show(term) == text
    assert repr(term) == text


def test_sums_open_to_the_right() -> None:
    s = total(n(l), lambda k: App("v", (k,)))
    assert show(s + a) == "sum_{i<n(l)} v[i] + a"
    assert show(a * s) == "a*sum_{i<n(l)} v[i]"
    assert show(s * a) == "(sum_{i<n(l)} v[i])*a"
    assert show(-s) == "-sum_{i<n(l)} v[i]"
    assert show(s * s) == "(sum_{i<n(l)} v[i])^2"
    assert show(total(n(l), lambda k: App("v", (k,)) + a)) == "sum_{i<n(l)} (v[i] + a)"
    assert show(Sum(n(l), Mul(Num(-1), a))) == "sum_{i<n(l)} (-a)"


def test_names_by_range() -> None:
    energy = total(L, lambda x: total(B, lambda y: total(n(x), lambda z: App("eps", (x, y, z)) ** 2)))
    assert show(energy) == "sum_{l<L} sum_{b<B} sum_{i<n(l)} eps[l,b,i]^2"
    assert show(App("eps", (l, b, i)) * energy).endswith("sum_{m<L} sum_{c<B} sum_{j<n(m)} eps[m,c,j]^2")
    assert show(total(size("T"), lambda x: App("g", (x,)))) == "sum_{t<T} g[t]"


def test_a_bound_index_never_takes_a_name_in_use() -> None:
    # a size, a scalar and a free index called like the first choices
    s = total(size("n", 0), lambda k: App("v", (k, qvar("i"), size("j"))) * App("k"))
    assert show(s) == "sum_{p<n(0)} v[p,i,j]*k"
    assert show(total(n(l), lambda k: App("v", (k,))), avoid=("i", "j")) == "sum_{k<n(l)} v[k]"
    assert show_relation(Eq(App("y", (i,)), total(n(0), lambda k: App("v", (k,))))) == "y[i] = sum_{j<n(0)} v[j]"


def test_more_binders_than_letters() -> None:
    def nest(depth: int, seen: tuple[Idx, ...]) -> Term:
        if not depth:
            return App("v", seen)
        return total(n(0), lambda k: nest(depth - 1, (*seen, k)))

    text = show(nest(12, ()))
    names = re.findall(r"sum_\{(\w+)<", text)
    assert len(set(names)) == 12
    assert text.endswith(f"v[{','.join(names)}]")


def test_loose_indices() -> None:
    body = total(n(l), lambda k: App("v", (k,)))
    assert isinstance(body, Sum)
    assert show(body.body) == "v[#0]"
    assert show(body.body, ("q",)) == "v[q]"


@pytest.mark.parametrize(
    ("con", "text"),
    [
        (lt(l, L), "l < L"),
        (le(l, L), "l <= L"),
        (lt(l, L - 1), "l < L-1"),
        (ge(l, 1), "l >= 1"),
        (eq(l, 0), "l == 0"),
        (eq(L, l), "l == L"),
        (eq(l + 1, L), "l == L-1"),
        (ne(l, 0), "l != 0"),
        (lt(t, l), "t < l"),
        (le(t, l), "t <= l"),
        (lt(i, n(l)), "i < n(l)"),
        (le(l, 3), "l <= 3"),
        (ge(Idx(-1), 0), "0 >= 1"),
    ],
)
def test_constraints(con: object, text: str) -> None:
    assert show_con(con) == text  # type: ignore[arg-type]


def test_guards_are_drawn_together() -> None:
    assert show_guards(span(l, 0, L)) == "0 <= l < L"
    assert show_guards((lt(i, n(l)), *span(l, 1, L), ge(i, 0))) == "0 <= i < n(l), 1 <= l < L"
    assert show_guards(()) == ""


CONS = st.builds(
    lambda kind, const, p, q, r: Con(kind, Idx(const, ((QVar("l"), p), (QVar("t"), q), (Size("L"), r)))),
    st.sampled_from(["ge", "eq", "ne"]),
    st.integers(-3, 3),
    *[st.integers(-2, 2)] * 3,
)


@given(st.lists(CONS, max_size=4), st.integers(-4, 4), st.integers(-4, 4), st.integers(-1, 4))
def test_readable_constraints_mean_the_same(cons: list[Con], lv: int, tv: int, size_value: int) -> None:
    env = {"l": lv, "t": tv, "L": size_value}

    def value(x: Idx) -> int:
        return x.const + sum(k * env[atom.name] for atom, k in x.terms)  # type: ignore[union-attr]

    test = {"<": operator.lt, "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne}
    expected = all({"ge": value(x.expr) >= 0, "eq": value(x.expr) == 0, "ne": value(x.expr) != 0}[x.kind] for x in cons)
    shown = all(
        test[x.op](value(x.left), value(x.right)) and (x.low is None or value(x.low) <= value(x.left))
        for x in comparisons(cons)
    )
    assert shown == expected


def test_relations_and_statements() -> None:
    guards = (*span(l, 0, L), *span(i, 0, n(l)))
    s = Statement(("l", "b", "i"), guards, Eq(App("eps", (l, l, b, i)), App("delta", (l, b, i))))
    assert show_statement(s) == "for all l, b, i with 0 <= l < L, 0 <= i < n(l): eps[l,l,b,i] = delta[l,b,i]"
    assert show_statement(Statement((), (), Ne(a, c))) == "a != c"
    f = App("f", (l,), (App("y", (l, b, i)),))
    assert show_relation(Deriv(f)) == "f[l](y[l,b,i]) has its declared derivatives"
    assert show_relation(Tangent("by_x", a, c)) == "D[by_x](a) = c"


def test_a_statement_reserves_its_variables() -> None:
    s = Statement(("i",), span(i, 0, n(0)), Eq(a, total(n(0), lambda k: App("v", (k,)))))
    assert show_statement(s) == "for all i with 0 <= i < n(0): a = sum_{j<n(0)} v[j]"


def test_definitions_and_theories() -> None:
    rest = Case(span(l, 1, L), App("df", (l,), (App("y", (l, b, i)),)) * App("g", (l, i)))
    d = Definition("delta", ("l", "b", "i"), (Case((eq(l, 0),), App("s", (b, i)) - App("y", (0, b, i))), rest))
    assert show_definition(d).splitlines() == [
        "delta[l,b,i] :=",
        "    s[b,i] - y[0,b,i]        if l == 0",
        "    df[l](y[l,b,i])*g[l,i]   if 1 <= l < L",
    ]
    one = Definition("mu", ("l", "b", "i"), (Case((), MU),))
    assert show_definition(one) == "mu[l,b,i] := sum_{j<n(l+1)} theta[l+1,i,j]*f[l+1](x[l+1,b,j])"
    theory = Theory(
        {"L": 0, "n": 1},
        (ge(L, 1),),
        {"x": Symbol("x", "parameter", 3, shape="layer, batch, unit", meaning="activity")},
        ((one,),),
        {"h": Statement((), (), Eq(a, c))},
        {"dir": {"x": "dx"}},
    )
    text = show_theory(theory)
    for part in ("n(.)", "L >= 1", "x(.,.,.)", "activity", "mu[l,b,i] :=", "h: a = c", "x by dx"):
        assert part in text


# -- what is printed means the term: read it back with Python's own grammar -------
ATOMS = st.sampled_from([a, c, d, Num(2), Num(-1), Num(Fraction(1, 2)), Num(Fraction(-3, 2))])
TERMS = st.recursive(
    ATOMS,
    lambda s: st.one_of(
        st.lists(s, min_size=0, max_size=3).map(lambda xs: Add(*xs)),
        st.lists(s, min_size=0, max_size=3).map(lambda xs: Mul(*xs)),
        s.map(Inv),
        st.tuples(s, st.integers(0, 3)).map(lambda p: Pow(p[0], p[1])),
    ),
    max_leaves=12,
)


def plain_value(term: Term, env: dict[str, Fraction]) -> Fraction:
    if isinstance(term, Num):
        return term.value
    if isinstance(term, App):
        return env[term.name]
    if isinstance(term, Add):
        return sum((plain_value(x, env) for x in term.args), Fraction(0))
    if isinstance(term, Mul):
        out = Fraction(1)
        for x in term.args:
            out *= plain_value(x, env)
        return out
    if isinstance(term, Pow):
        return plain_value(term.base, env) ** term.exponent.const
    assert isinstance(term, Inv)
    return 1 / plain_value(term.arg, env)


@given(TERMS)
def test_parentheses_are_right(term: Term) -> None:
    env = {"a": Fraction(7, 5), "c": Fraction(-3, 11), "d": Fraction(2, 13)}
    try:
        expected = plain_value(term, env)
    except ZeroDivisionError:
        return
    source = re.sub(r"\d+", r"Fraction(\g<0>)", show(term).replace("^", "**"))
    source = re.sub(r"\*\*Fraction\((\d+)\)", r"**\1", source)
    assert eval(source, {"Fraction": Fraction, **env}) == expected


def test_what_a_claim_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Sizes that no statement needs are named apart."""
    said = {}
    for id in ("zil", "linear_origin_direction", "dag_rate"):
        assert run(["show", id]) == 0
        said[id] = next(x for x in capsys.readouterr().out.splitlines() if x.startswith("For: "))
    assert said == {
        "zil": "For: arbitrary depth, arbitrary batch, arbitrary width",
        "linear_origin_direction": "For: arbitrary batch, arbitrary width, arbitrary m; not involved: depth",
        "dag_rate": "For: arbitrary depth, arbitrary width; not involved: m",
    }
