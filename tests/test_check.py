"""The standalone checker: it accepts what the kernel proves, and each of its rules refuses something false."""

from __future__ import annotations

import ast
import hashlib
import json
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pcproof.catalogue import entries
from pcproof.cli import run
from pcproof.language.index import Bound, Con, Idx, eq, ge, le, lt, ne, qvar, size
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
    Statement,
    Symbol,
    Tangent,
    Theory,
)
from pcproof.language.terms import ONE, ZERO, Add, App, Inv, IsZero, Iverson, Lam, Mul, Num, Pow, Sum
from pcproof.proof import check
from pcproof.proof.certificate import Proof, document, relevant, restated
from pcproof.proof.kernel import RULES, Context, Item, Kernel
from pcproof.tactics.prover import prove_claim

ROOT = Path(__file__).resolve().parents[1]
LONE = ROOT / "pcproof" / "proof" / "check.py"
THEOREMS = [e.id for e in entries().values() if e.expected == "proved"]

# -- a small theory ---------------------------------------------------------------
E = Context()
l, j, L, TWO = qvar("l"), qvar("j"), size("L"), Num(2)
AT_L = Context(("l",))
a, b = App("a"), App("b")


def n(i: Any) -> Idx:
    return size("n", i)


def w(i: Any) -> App:
    return App("w", (i,))


def y(i: Any) -> App:
    return App("y", (i,))


def f(t: Any) -> App:
    return App("f", (), (t,))


def P(body: Any) -> App:
    return App("P", (), (Lam(1, body),))


B0 = Idx.of(Bound(0))
STEP = Add(y(l - 1), w(l))
SYMBOLS = (
    Symbol("a", PARAMETER),
    Symbol("b", PARAMETER),
    Symbol("w", PARAMETER, 1),
    Symbol("v", PARAMETER, 1),
    Symbol("f", FUNCTION, 0, ((),), derivatives=("df",)),
    Symbol("df", FUNCTION, 0, ((),)),
    Symbol("P", OPERATOR, 0, ((n(0),),)),
    Symbol("Q", OPERATOR, 0, ((n(0),),)),
    Symbol("y", DEFINED, 1),
)
Y = Definition("y", ("l",), (Case((eq(l, 0),), w(0)), Case((ge(l, 1),), STEP)), (l,))
HYPOTHESES = {
    "ab": Statement((), (), Eq(a, b)),
    "nonzero": Statement((), (), Ne(a, ZERO)),
    "flat": Statement(("l",), (ge(l, 0),), Eq(w(l), a)),
    "smooth": Statement((), (), Deriv(f(a))),
    "less": Statement((), (), Le(a, b)),
    "positive": Statement((), (), Le(ZERO, a)),
    "none": Statement((), (), Eq(b, ZERO)),
}


def theory(**changes: Any) -> Theory:
    given = {
        "sizes": {"L": 0, "n": 1},
        "assumptions": (ge(L, 1),),
        "symbols": {s.name: s for s in SYMBOLS},
        "definitions": ((Y,),),
        "hypotheses": HYPOTHESES,
        "directions": {"d": {"w": "v"}},
    }
    return Theory(**{**given, **changes})


Step = tuple[Any, ...]


def _written(item: Item, items: list[Item], said: dict[Any, Item]) -> Item:
    """The item as the format has it: what the theory says is an instance of the item that restates it."""
    premise = items[item.premises[0]] if item.premises and item.premises[0] in range(len(items)) else None
    if item.rule == "weaken" and premise and not item.arguments:
        c = premise.context
        return replace(item, arguments=tuple(map(len, (c.variables, c.guards, c.hypotheses))))
    if item.rule == "instantiate" and premise and len(item.arguments) == 1:
        return replace(item, arguments=(*item.arguments, premise.context.guards))
    key, given = None, {}
    if item.rule == "tangent_unfold" and len(item.arguments) == 1:
        case = said[item.claim.term.name, item.arguments[0]]
        pairs = tuple(zip(case.context.variables, item.claim.term.idx))
        return replace(item, arguments=(pairs, case.context.guards), premises=(*item.premises, case.id))
    if item.rule == "unfold" and isinstance(item.claim.lhs, App):
        key, given = (item.claim.lhs.name, item.arguments[0]), {}
    elif item.rule == "hypothesis" and isinstance(item.arguments[0], str):
        key, given = item.arguments[0], dict(item.arguments[1])
    if key not in said:
        return item
    c = said[key].context
    if item.rule == "unfold":
        given = dict(zip(c.variables, item.claim.lhs.idx))
    if {*given} != {*c.variables}:
        return item
    pairs = tuple((v, given[v]) for v in c.variables)
    return replace(item, rule="instantiate", arguments=(pairs, c.guards), premises=(said[key].id,))


def forge(*steps: Step, th: Theory | None = None) -> Any:
    """A certificate of (rule, claim, context, arguments, premises) that no kernel has seen; the last is the goal.

    Before them stand the items that restate the theory.
    """
    full = [(s + (E, (), ())[len(s) - 2 :]) if len(s) < 5 else s for s in steps]
    items = [
        Item(k, rule, tuple(args), tuple(prem), ctx, claim) for k, (rule, claim, ctx, args, prem) in enumerate(full)
    ]
    th = th or theory()
    spoken = [i.claim for i in items] + [h.relation for i in items for h in i.context.hypotheses]
    used = {i.arguments[0] for i in items if i.rule == "hypothesis" and i.arguments[0] in th.hypotheses}
    part = relevant(th, spoken, used)
    top = [replace(item, id=k) for k, item in enumerate(restated(part), -100)]
    said = {(i.claim.lhs.name, i.arguments[0]) if i.rule == "unfold" else i.arguments[0]: i for i in top}
    same = {(i.rule, i.context, i.claim): i.id for i in top}
    of = {i.id: same[i.rule, i.context, i.claim] for i in items if (i.rule, i.context, i.claim) in same}
    rest = [_written(i, items, said) for i in items if i.id not in of]
    rest = [replace(i, premises=tuple(of.get(p, p) for p in i.premises)) for i in rest]
    last = items[-1]
    goal = Statement(last.context.variables, last.context.guards, last.claim)
    return document(part, [(goal, of.get(last.id, last.id))], [*top, *rest])


def sealed(doc: Any) -> bytes:
    doc = {**doc, "digest": hashlib.sha256(check.canonical(doc).encode()).hexdigest()}
    return check.canonical(doc).encode()


def report(*steps: Step, **more: Any) -> dict[str, Any]:
    return check.check(sealed(forge(*steps, **more)))


AB = ("hypothesis", Eq(a, b), E, ("ab", ()))
HERE = Context(("l",), (ge(l, 1),))
SUM = Sum(n(0), w(B0))
PICK = Iverson((Con("eq", B0 - L),))
GOING = Tangent("d", w(0), App("v", (0,)))
W0 = ("tangent_variable", GOING)
IND = Statement(("l",), (ge(l, 0),), Eq(y(l), ZERO))

ALL = Statement(("l'",), (ge(qvar("l'"), 0),), Eq(y(qvar("l'")), ZERO))
FREE = Statement(("l'",), (), Eq(y(qvar("l'")), ZERO))


SAME = Statement(("l",), (ge(l, 0),), Eq(Add(w(l), ZERO), w(l)))
LATER = Kernel(theory()).induction_context([SAME], [l], 0)


def known(*relations: Any, at: Context = E) -> Context:
    """The context with these local hypotheses besides."""
    return Context(at.variables, at.guards, (*at.hypotheses, *(Statement((), (), r) for r in relations)))


def given(name: str, ctx: Context = E) -> Step:
    return ("hypothesis", HYPOTHESES[name].relation, ctx, (name, ()))


IS, IS_NOT, COMMUTES = Eq(a, ZERO), Ne(a, ZERO), Eq(a + b, Add(b, a))
EACH = [("ring", COMMUTES, known(IS)), ("ring", COMMUTES, known(IS_NOT))]


def values(**at: Any) -> tuple[Any, ...]:
    return tuple(sorted((k, Idx.of(v)) for k, v in at.items()))


def inside(at: Any, **also: Any) -> list[Step]:
    """Where y(l) = 0 is to be proved by induction: the induction hypothesis at another index."""
    ctx = Kernel(theory()).induction_context([IND], [l], 0)
    return [("hypothesis", Eq(y(at), ZERO), ctx, (0, (("l'", Idx.of(at)),)))]


# -- one false step for each rule at least: (attack, rule that refuses, reason, steps) ------------
BOTH = Context(("l", "j"), (ge(l, 0), ge(j, 0)))
FALSE: list[tuple[str, str, str, list[Step]]] = [
    ("different terms are equal by refl",
     "refl", "something else", [("refl", Eq(a, b))]),
    ("sym of another equation",
     "sym", "something else", [AB, ("sym", Eq(b, ZERO), E, (), (0,))]),
    ("trans of premises that do not meet",
     "trans", "form", [AB, ("trans", Eq(a, ZERO), E, (), (0, 0))]),
    ("congruence with premises about other parts",
     "congruence", "parts", [AB, ("congruence", Eq(Add(b, b), Add(a, a)), E, (), (0, 0))]),
    ("congruence by an inequation",
     "congruence", "form", [given("nonzero"), ("congruence", Eq(Inv(a), Inv(ZERO)), E, (), (0,))]),
    ("congruence with another result",
     "congruence", "something else", [AB, ("congruence", Eq(Inv(a), Inv(a * a)), E, (), (0,))]),
    ("a sum of what is equal at one index only",
     "sum_congruence", "context", [
        ("hypothesis", Eq(w(0), a), E, ("flat", values(l=0))),
        ("sum_congruence", Eq(Sum(L, w(0)), Sum(L, a)), E, (L, "j"), (0,))]),
    ("a sum over more than the premise's range",
     "sum_congruence", "context", [
        ("ring", Eq(Add(w(j), ZERO), w(j)), Context(("j",), (ge(j, 0), lt(j, L)))),
        ("sum_congruence", Eq(Sum(L + 1, Add(w(B0), ZERO)), Sum(L + 1, w(B0))), E, (L + 1, "j"), (0,))]),
    ("an argument that is equal at one index only",
     "argument_congruence", "context", [
        ("hypothesis", Eq(w(0), a), E, ("flat", values(l=0))),
        ("argument_congruence", Eq(P(w(0)), P(a)), E, (0, ("j",)), (0,))]),
    ("congruence in another argument",
     "argument_congruence", "another part", [
        AB, ("argument_congruence", Eq(f(b), f(a)), E, (0, ()), (0,))]),
    ("equal terms at different indices",
     "index", "follow", [("index", Eq(w(l), w(l + 1)), AT_L)]),
    ("natural subtraction below zero",
     "index", "follow", [("index", Eq(w(l - 1), w(0)), Context(("l",), (eq(l, 0),)))]),
    ("different symbols by index",
     "index", "differ", [("index", Eq(a, b))]),
    ("a definition where its case does not hold",
     "instantiate", "follow", [("unfold", Eq(y(l), STEP), AT_L, (1,))]),
    ("a definition in another case",
     "instantiate", "something else", [("unfold", Eq(y(l), w(0)), HERE, (1,))]),
    ("unfolding what is not defined",
     "unfold", "form", [("unfold", Eq(a, ZERO), E, (0, ()))]),
    ("a product is a sum",
     "ring", "polynomials", [("ring", Eq(a * b, a + b))]),
    ("division by a symbol that can be zero",
     "ring", "polynomials", [("ring", Eq(Mul(a, Inv(a)), ONE))]),
    ("a power with positive exponent is one",
     "power_zero", "follow", [("power_zero", Eq(Pow(a, l), ONE), Context(("l",), (ge(l, 0),)))]),
    ("a power step at exponent zero",
     "power_step", "follow", [("power_step", Eq(Pow(a, l), Mul(a, Pow(a, l - 1))), Context(("l",), (ge(l, 0),)))]),
    ("an inverse from a premise that is no inequation",
     "inverse", "form", [AB, ("inverse", Eq(Mul(a, Inv(a)), ONE), E, (), (0,))]),
    ("an inverse of what is not one",
     "inverse", "form", [
        ("hypothesis", Ne(a, ONE), known(Ne(a, ONE)), (0, ())),
        ("inverse", Eq(Mul(a, Inv(a)), ONE), known(Ne(a, ONE)), (), (0,))]),
    ("an inverse of another term",
     "inverse", "something else", [
        ("hypothesis", Ne(a, ZERO), E, ("nonzero", ())), ("inverse", Eq(Mul(b, Inv(b)), ONE), E, (), (0,))]),
    ("a sum of products as a sum of sums",
     "sum_add", "form", [("sum_add", Eq(Sum(L, a * b), Add(Sum(L, a), Sum(L, b))))]),
    ("a factor that depends on the index leaves the sum",
     "sum_scale", "form", [("sum_scale", Eq(Sum(L, Mul(w(B0), a)), Mul(w(0), Sum(L, a))))]),
    ("sums swapped though one range depends on the other index",
     "sum_swap", "inner range", [("sum_swap", Eq(Sum(L, Sum(B0, w(B0))), Sum(L, Sum(L, w(B0)))))]),
    ("sums swapped without their ranges",
     "sum_swap", "something else", [
        ("sum_swap", Eq(Sum(L, Sum(n(0), w(B0))), Sum(n(0), Sum(L, w(B0)))))]),
    ("a sum's range wrong at zero",
     "sum_split", "follow", [
        ("sum_split", Eq(SUM, Add(Sum(1, w(B0)), Sum(n(0) - 1, w(B0 + 1)))), E, (Idx(1),))]),
    ("a sum split at a negative index",
     "sum_split", "follow", [("sum_split", Eq(Sum(L, a), Add(Sum(-1, a), Sum(L + 1, a))), E, (Idx(-1),))]),
    ("a sum split without shifting",
     "sum_split", "something else", [
        ("sum_split", Eq(Sum(L, w(B0)), Add(Sum(1, w(B0)), Sum(L - 1, w(B0)))), E, (Idx(1),))]),
    ("a sum that may not be empty is zero",
     "sum_empty", "follow", [("sum_empty", Eq(SUM, ZERO))]),
    ("a sum of more than one term is its first term",
     "sum_single", "follow", [("sum_single", Eq(Sum(L, w(B0)), w(0)))]),
    ("a sum of ones is zero",
     "sum_zero", "form", [("sum_zero", Eq(Sum(L, a), ZERO), E, (L,))]),
    ("a bracket that may be false is one",
     "iverson_true", "follow", [("iverson_true", Eq(Iverson((ge(l, 0),)), ONE), AT_L)]),
    ("a bracket that may be true is zero",
     "iverson_false", "may hold", [("iverson_false", Eq(Iverson((ge(l, 0),)), ZERO), AT_L)]),
    ("instantiation outside the guards",
     "instantiate", "follow", [
        ("hypothesis", Eq(w(l), a), Context(("l",), (ge(l, 0),)), ("flat", values(l=l))),
        ("instantiate", Eq(w(-1), a), E, (values(l=-1),), (0,))]),
    ("capture of a bound name",
     "scope", "quantified", [
        ("hypothesis", Eq(w(l), a), Context(("l",), (ge(l, 0),)), ("flat", values(l=l))),
        ("instantiate", Eq(w(0), a), E, (values(l=B0),), (0,))]),
    ("an index left unquantified in a hypothesis",
     "scope", "quantified", [("hypothesis", Eq(w(0), a), E, ("flat", values(l=j)))]),
    ("instantiation with an open hypothesis",
     "instantiate", "open", [("hypothesis", Eq(y(0), ZERO),
        Context((), (), (Statement((), (), Eq(y(0), ZERO)),)), (0, ())),
        ("instantiate", Eq(y(0), ZERO), E, ((),), (0,))]),
    ("the induction hypothesis without its guard",
     "hypothesis", "follow", [("hypothesis", Eq(y(l), ZERO), Context(("l",), (), (ALL,)), (0, (("l'", l),)))]),
    ("a hypothesis that is not there",
     "hypothesis", "no such", [("hypothesis", Eq(a, ZERO), E, ("zero", ()))]),
    ("a side condition assumed",
     "instantiate", "follow", [("hypothesis", Eq(w(l), a), AT_L, ("flat", values(l=l)))]),
    ("induction without base",
     "hypothesis", "follow", inside(l - 1)),
    ("the claim in its own proof",
     "hypothesis", "follow", inside(l)),
    ("the induction hypothesis at the wrong index",
     "hypothesis", "follow", inside(l + 1)),
    ("weakening to fewer guards",
     "weaken", "begin", [
        ("hypothesis", Eq(w(l), a), Context(("l",), (ge(l, 0),)), ("flat", values(l=l))),
        ("weaken", Eq(w(l), a), AT_L, (), (0,))]),
    ("a case split that leaves a case out",
     "cases", "each of the cases", [
        ("power_step", Eq(Pow(a, l), Mul(a, Pow(a, l - 1))), HERE),
        ("cases", Eq(Pow(a, l), Mul(a, Pow(a, l - 1))), AT_L, (ge(l, 1),), (0,))]),
    ("a case split with one case twice",
     "cases", "each of the cases", [
        ("absurd", Eq(a, ZERO), Context(("l",), (ge(l, 0), ge(-1, l)))),
        ("cases", Eq(a, ZERO), Context(("l",), (ge(l, 0),)), (ge(-1, l),), (0, 0))]),
    ("real cases with both premises where the numbers are equal",
     "real_cases", "each of the cases", [EACH[0], ("real_cases", COMMUTES, E, (), (0, 0))]),
    ("real cases with both premises where the numbers differ",
     "real_cases", "each of the cases", [EACH[1], ("real_cases", COMMUTES, E, (), (0, 0))]),
    ("real cases in the other order",
     "real_cases", "each of the cases", [*EACH, ("real_cases", COMMUTES, E, (), (1, 0))]),
    ("real cases about different numbers",
     "real_cases", "each of the cases", [
        EACH[0], ("ring", COMMUTES, known(Ne(b, ZERO))), ("real_cases", COMMUTES, E, (), (0, 1))]),
    ("real cases of an inequality",
     "real_cases", "each of the cases", [
        ("ring", COMMUTES, known(Le(a, ZERO))), ("ring", COMMUTES, known(Le(ZERO, a))),
        ("real_cases", COMMUTES, E, (), (0, 1))]),
    ("real cases of a hypothesis that speaks of any index",
     "real_cases", "each of the cases", [
        ("ring", COMMUTES, Context((), (), (Statement(("l",), (), Eq(w(l), a)),))),
        ("ring", COMMUTES, Context((), (), (Statement(("l",), (), Ne(w(l), a)),))),
        ("real_cases", COMMUTES, E, (), (0, 1))]),
    ("real cases with a hypothesis before the one that counts",
     "real_cases", "each of the cases", [
        ("ring", COMMUTES, known(Eq(b, ZERO), IS)), ("ring", COMMUTES, known(IS_NOT)),
        ("real_cases", COMMUTES, E, (), (0, 1))]),
    ("real cases where hypotheses stand in the wrong order",
     "real_cases", "each of the cases", [
        ("ring", COMMUTES, known(IS, Eq(b, ZERO))), ("ring", COMMUTES, known(Eq(b, ZERO), IS_NOT)),
        ("real_cases", COMMUTES, known(Eq(b, ZERO)), (), (0, 1))]),
    ("real cases under other guards",
     "real_cases", "each of the cases", [
        ("ring", COMMUTES, known(IS, at=HERE)), ("ring", COMMUTES, known(IS_NOT, at=HERE)),
        ("real_cases", COMMUTES, AT_L, (), (0, 1))]),
    ("real cases that prove different things",
     "real_cases", "each of the cases", [
        EACH[0], ("ring", Eq(Add(b, a), a + b), known(IS_NOT)), ("real_cases", COMMUTES, E, (), (0, 1))]),
    ("real cases that drop a hypothesis of both premises",
     "real_cases", "each of the cases", [
        ("hypothesis", Eq(b, ONE), known(Eq(b, ONE), IS), (0, ())),
        ("hypothesis", Eq(b, ONE), known(Eq(b, ONE), IS_NOT), (0, ())),
        ("real_cases", Eq(b, ONE), E, (), (0, 1))]),
    ("real cases without a hypothesis",
     "real_cases", "form", [("ring", COMMUTES), ("real_cases", Eq(a, b), E, (), (0, 0))]),
    ("a case that mentions an index of nobody",
     "scope", "quantified", [
        ("ring", COMMUTES, known(Eq(w(l), ZERO))), ("ring", COMMUTES, known(Ne(w(l), ZERO))),
        ("real_cases", COMMUTES, E, (), (0, 1))]),
    ("what holds in one case only, as a goal",
     "goal", "open", [("hypothesis", Eq(a, ZERO), known(Eq(a, ZERO)), (0, ()))]),
    ("what holds in one case only, instantiated",
     "instantiate", "open", [
        ("hypothesis", Eq(w(l), ZERO), known(Eq(w(l), ZERO), at=AT_L), (0, ())),
        ("instantiate", Eq(w(1), ZERO), E, (values(l=1),), (0,))]),
    ("weakening without a hypothesis",
     "weaken", "begin", [
        ("hypothesis", Eq(a, ZERO), known(Eq(a, ZERO)), (0, ())), ("weaken", Eq(a, ZERO), E, (), (0,))]),
    ("weakening to another hypothesis",
     "weaken", "begin", [
        ("hypothesis", Eq(a, ZERO), known(Eq(a, ZERO)), (0, ())),
        ("weaken", Eq(a, ZERO), known(Ne(a, ZERO), Eq(a, ZERO)), (), (0,))]),
    ("a hypothesis of another case",
     "hypothesis", "no such", [("hypothesis", Eq(a, ZERO), known(Ne(a, ZERO)), (1, ()))]),
    ("the other case as hypothesis",
     "hypothesis", "something else", [("hypothesis", Eq(a, ZERO), known(Ne(a, ZERO)), (0, ()))]),
    ("no contradiction: other terms",
     "clash", "form", [AB, given("nonzero"), ("clash", Eq(ZERO, ONE), E, (), (0, 1))]),
    ("no contradiction: another left side",
     "clash", "form", [given("none"), given("nonzero"), ("clash", Eq(ZERO, ONE), E, (), (0, 1))]),
    ("no contradiction: the sides exchanged",  # sound, but sym is for that
     "clash", "form", [
        AB, ("hypothesis", Ne(b, a), known(Ne(b, a)), (0, ())),
        ("hypothesis", Eq(a, b), known(Ne(b, a)), ("ab", ())),
        ("clash", COMMUTES, known(Ne(b, a)), (), (2, 1))]),
    ("no contradiction: two equations",
     "clash", "form", [AB, ("clash", Eq(ZERO, ONE), E, (), (0, 0))]),
    ("a contradiction in another context",
     "clash", "context", [
        ("hypothesis", IS, known(IS), (0, ())), given("nonzero"), ("clash", COMMUTES, E, (), (0, 1))]),
    ("the indicator of zero, of what is one",
     "iszero_zero", "form", [
        ("hypothesis", Eq(a, ONE), known(Eq(a, ONE)), (0, ())),
        ("iszero_zero", Eq(IsZero(a), ONE), known(Eq(a, ONE)), (), (0,))]),
    ("the indicator of zero, of another number",
     "iszero_zero", "something else", [given("none"), ("iszero_zero", Eq(IsZero(a), ONE), E, (), (0,))]),
    ("the indicator of zero, of what is not zero",
     "iszero_zero", "form", [given("nonzero"), ("iszero_zero", Eq(IsZero(a), ONE), E, (), (0,))]),
    ("the indicator of zero is zero where the number is zero",
     "iszero_zero", "something else", [given("none"), ("iszero_zero", Eq(IsZero(b), ZERO), E, (), (0,))]),
    ("the indicator of zero, of what is not one",
     "iszero_other", "form", [
        ("hypothesis", Ne(a, ONE), known(Ne(a, ONE)), (0, ())),
        ("iszero_other", Eq(IsZero(a), ZERO), known(Ne(a, ONE)), (), (0,))]),
    ("the indicator of zero by an equation",
     "iszero_other", "form", [given("none"), ("iszero_other", Eq(IsZero(b), ZERO), E, (), (0,))]),
    ("the indicator of zero is one where the number is not zero",
     "iszero_other", "something else", [given("nonzero"), ("iszero_other", Eq(IsZero(a), ONE), E, (), (0,))]),
    ("one is at most zero",
     "le_number", "form", [("le_number", Le(ONE, ZERO))]),
    ("numbers are in order: a symbol",
     "le_number", "form", [("le_number", Le(ZERO, a))]),
    ("numbers are equal by their order",
     "le_number", "form", [("le_number", Eq(ZERO, ONE))]),
    ("equal the other way round",  # sound, but sym is for that
     "le_equal", "something else", [AB, ("le_equal", Le(b, a), E, (), (0,))]),
    ("in order from an inequation",
     "le_equal", "form", [given("nonzero"), ("le_equal", Le(a, ZERO), E, (), (0,))]),
    ("inequalities with different terms in the middle",
     "le_trans", "form", [given("positive"), given("less"), ("le_trans", Le(a, a), E, (), (1, 0))]),
    ("an inequality and an equation",
     "le_trans", "form", [given("positive"), AB, ("le_trans", Le(ZERO, b), E, (), (0, 1))]),
    ("inequalities as equations",
     "trans", "form", [given("positive"), given("less"), ("trans", Eq(ZERO, b), E, (), (0, 1))]),
    ("equations as inequalities",
     "le_trans", "form", [AB, given("none"), ("le_trans", Le(a, ZERO), E, (), (0, 1))]),
    ("equal by one inequality twice",
     "le_both", "form", [given("less"), ("le_both", Eq(a, b), E, (), (0, 0))]),
    ("equal by inequalities of other terms",
     "le_both", "form", [given("positive"), given("less"), ("le_both", Eq(ZERO, b), E, (), (0, 1))]),
    ("equal by inequalities that meet at one side only",
     "le_both", "form", [given("less"), given("positive"), ("le_both", Eq(a, b), E, (), (0, 1))]),
    ("equal by inequations",
     "le_both", "form", [
        *(("hypothesis", r, known(Ne(a, b), Ne(b, a)), (k, ())) for k, r in enumerate((Ne(a, b), Ne(b, a)))),
        ("le_both", Eq(a, b), known(Ne(a, b), Ne(b, a)), (), (0, 1))]),
    ("a sum of inequalities with an equation",
     "le_add", "form", [AB, given("less"), ("le_add", Le(Add(a, a), Add(b, b)), E, (), (0, 1))]),
    ("a sum of inequalities the other way round",
     "le_add", "something else", [given("less"), ("le_add", Le(Add(b, b), Add(a, a)), E, (), (0, 0))]),
    ("a sum of no inequality",
     "le_add", "form", [("le_add", Le(Add(), Add()))]),
    ("a difference of inequalities",
     "le_add", "something else", [
        given("less"), given("positive"),
        ("le_add", Le(Add(a, ZERO), Add(b, Mul(Num(-1), a))), E, (), (0, 1))]),
    ("a product with a factor that may be negative",
     "le_mul", "form", [given("positive"), given("less"), ("le_mul", Le(Mul(ZERO, a), Mul(a, b)), E, (), (0, 1))]),
    ("a product with a factor of unknown sign",
     "le_mul", "something else", [given("positive"), ("le_mul", Le(ZERO, Mul(a, b)), E, (), (0, 0))]),
    ("a product with a factor that is not zero",
     "le_mul", "form", [given("nonzero"), ("le_mul", Le(ZERO, Mul(a, a)), E, (), (0, 0))]),
    ("a product with a factor that zero differs from",
     "le_mul", "form", [
        ("hypothesis", Ne(ZERO, a), known(Ne(ZERO, a)), (0, ())),
        ("le_mul", Le(ZERO, Mul(a)), known(Ne(ZERO, a)), (), (0,))]),
    ("a product of nothing",
     "le_mul", "form", [("le_mul", Le(ZERO, Mul()))]),
    ("a product of two numbers is a square",
     "le_square", "form", [("le_square", Le(ZERO, Mul(a, b)))]),
    ("a square is above one",
     "le_square", "something else", [("le_square", Le(ONE, Mul(a, a)))]),
    ("a square is at most zero",
     "le_square", "form", [("le_square", Le(Mul(a, a), ZERO))]),
    ("a cube is a square",
     "le_square", "form", [("le_square", Le(ZERO, Mul(a, a, a)))]),
    ("sums in order by one index",
     "le_sum", "context", [given("less"), ("le_sum", Le(Sum(L, a), Sum(L, b)), E, (L, "j"), (0,))]),
    ("sums in order by a premise without the upper end of the range",
     "le_sum", "context", [
        given("less", Context(("j",), (ge(j, 0),))), ("le_sum", Le(Sum(L, a), Sum(L, b)), E, (L, "j"), (0,))]),
    ("sums in order over different ranges",
     "le_sum", "something else", [
        given("less", E.bind(("j",), (L,))), ("le_sum", Le(Sum(L, a), Sum(L + 1, b)), E, (L, "j"), (0,))]),
    ("sums in order by an equation",
     "le_sum", "form", [
        ("hypothesis", Eq(a, b), E.bind(("j",), (L,)), ("ab", ())),
        ("le_sum", Le(Sum(L, a), Sum(L, b)), E, (L, "j"), (0,))]),
    ("absurd without contradiction",
     "absurd", "can be met", [("absurd", Eq(ZERO, ONE))]),
    ("absurd from a function that repeats a value",
     "absurd", "can be met", [("absurd", Eq(ZERO, ONE), Context(("l",), (eq(n(l), n(0)), ne(l, 0))))]),
    ("a contradiction from equal symbols",
     "distinct", "form", [AB, ("distinct", Eq(ZERO, ONE), E, (), (0,))]),
    ("induction that assumes the claim everywhere",
     "induct", "assume", [
        ("hypothesis", Eq(y(l), ZERO), Context(("l",), (ge(l, 0),), (ALL,)), (0, (("l'", l),))),
        ("induct", Eq(y(l), ZERO), Context(("l",), (ge(l, 0),)), (0, (l,)), (0,))]),
    ("induction on a measure that may be negative",
     "induct", "follow", [
        ("hypothesis", Eq(y(l), ZERO), Context(("l",), (), (FREE,)), (0, (("l'", l),))),
        ("induct", Eq(y(l), ZERO), AT_L, (0, (l,)), (0,))]),
    ("the derivative of what varies by definition is zero",
     "tangent_constant", "varies", [("tangent_constant", Tangent("d", y(0), ZERO))]),
    ("a derivative of what does not vary itself",
     "tangent_variable", "form", [("tangent_variable", Tangent("d", y(0), App("v", (0,))))]),
    ("a derivative at another index",
     "tangent_variable", "something else", [("tangent_variable", Tangent("d", w(0), App("v", (1,))))]),
    ("a derivative of a sum of one addend",
     "tangent_add", "something else", [
        W0, ("tangent_add", Tangent("d", Add(w(0), w(0)), App("v", (0,))), E, (), (0, 0))]),
    ("a derivative of a product is the product",
     "tangent_mul", "something else", [
        W0, ("tangent_mul", Tangent("d", Mul(w(0), w(0)), Mul(App("v", (0,)), App("v", (0,)))), E, (), (0, 0))]),
    ("a derivative of a sum in another context",
     "tangent_sum", "context", [
        W0, ("tangent_sum", Tangent("d", Sum(L, w(0)), Sum(L, App("v", (0,)))), E, (L, "j"), (0,))]),
    ("chain rule without differentiability",
     "tangent_function", "form", [
        ("tangent_constant", Tangent("d", a, ZERO)), AB,
        ("tangent_function", Tangent("d", f(a), Mul(App("df", (), (a,)), ZERO)), E, (((),),), (0, 1))]),
    ("chain rule at another point",
     "tangent_function", "another part", [
        ("tangent_constant", Tangent("d", b, ZERO)), ("hypothesis", Deriv(f(a)), E, ("smooth", ())),
        ("tangent_function", Tangent("d", f(a), Mul(App("df", (), (a,)), ZERO)), E, (((),),), (0, 1))]),
    ("derivative of a definition in another case",
     "tangent_unfold", "something else", [
        W0, ("tangent_unfold", Tangent("d", y(1), App("v", (0,))), E, (1,), (0,))]),
    ("derivative of an equation that holds at one point only",
     "tangent_unfold", "no case", [
        ("tangent_constant", Tangent("d", a, ZERO)),
        ("hypothesis", Eq(w(l), a), Context(("l",), (ge(l, 0),)), ("flat", values(l=l))),
        ("tangent_unfold", Tangent("d", w(0), ZERO), E, (values(l=0), (ge(l, 0),)), (0, 1))]),
    ("converting another derivative",
     "tangent_convert", "form", [W0, AB, ("tangent_convert", Tangent("d", w(0), b), E, (), (0, 1))]),
    ("contradictory guards",
     "goal", "contradict", [("absurd", Eq(ZERO, ONE), Context(("l",), (ge(l, 0), ge(-1, l))))]),
    ("a goal with an open induction hypothesis",
     "goal", "open", [("hypothesis", Eq(ZERO, ONE), Context((), (), (Statement((), (), Eq(ZERO, ONE)),)), (0, ()))]),
    ("t is t by another rule",
     "item", "refl", [("ring", Eq(a, a))]),
    ("another rule than absurd where the guards contradict each other",
     "item", "absurd", [("ring", Eq(Add(a, b), Add(b, a)), Context(("l",), (ge(l, 0), ge(-1, l)))), AB]),
    ("an item twice",
     "item", "before", [("ring", COMMUTES), ("ring", COMMUTES)]),
    ("the claim as its own premise",
     "item", "before", [("sym", Eq(a, a * ONE), E, (), (0,))]),
    ("a quantified variable named like a size",
     "scope", "global", [("ring", Eq(Add(w(qvar("L")), ZERO), w(qvar("L"))), Context(("L",)))]),
    ("a quantified variable named like a symbol",
     "scope", "global", [("ring", Eq(Add(w(qvar("a")), a), Add(a, w(qvar("a")))), Context(("a",)))]),
    ("an index left unquantified",
     "scope", "quantified", [("ring", Eq(Add(w(l), ZERO), w(l)))]),
    ("a bound index outside its sum",
     "scope", "not quantified", [("ring", Eq(Add(w(B0), ZERO), w(B0)))]),
    ("an item that nothing needs",
     "unused", "item", [AB, ("ring", Eq(a + b, Add(b, a)))]),
    ("a new index named like one that is there",
     "scope", "twice", [
        ("ring", Eq(Add(w(j), ZERO), w(j)), Context(("j", "j"), (ge(j, 0), lt(j, L)))),
        ("sum_congruence", Eq(Sum(L, w(j)), Sum(L, w(j))), Context(("j",)), (L, "j"), (0,))]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "reason", "steps"), [x[1:] for x in FALSE], ids=[x[0] for x in FALSE])
def test_a_false_proof(rule: str, reason: str, steps: list[Step]) -> None:
    found = report(*steps)
    assert not found["accepted"]
    assert found["rule"] == rule and reason in found["reason"], found


def test_every_rule_of_kernel_and_checker_refuses_something() -> None:
    assert set(check.RULES) == set(RULES) and set(check.RULES) <= {x[1] for x in FALSE}


THEORIES: list[tuple[str, dict[str, Any]]] = [
    ("two cases overlap", {"definitions": ((
        Definition("y", ("l",), (Case((ge(l, 0),), ZERO), Case((le(l, 0),), ONE))),),)}),
    ("go down", {"definitions": ((Definition("y", ("l",), (Case((ge(l, 0),), y(l)),), (l,)),),)}),
    ("go down", {"definitions": ((Definition("y", ("l",), (Case((ge(l, 0),), Sum(2, y(B0))),), (l,)),),)}),
    ("does not follow", {"definitions": ((Definition("y", ("l",), (Case((), y(l - 1)),), (l,)),),)}),
    ("contradict", {"definitions": ((Definition("y", ("l",), (Case((ge(l, 0), ge(-1, l)), ZERO),)),),)}),
    ("quantified", {"definitions": ((Definition("y", ("l",), (Case((), w(j)),)),),)}),
    ("quantified", {"definitions": ((Definition("y", ("l",), (Case((ge(j, 0),), ZERO),)),),)}),
    ("global", {"definitions": ((Definition("y", ("n",), (Case((), SUM),)),),)}),
    ("contradict", {"assumptions": (ge(L, 1), ge(0, L))}),
    ("quantified", {"assumptions": (ge(l, 1),)}),
    ("cannot hold", {"hypotheses": {"ab": Statement((), (), Eq(ZERO, ONE))}}),
    ("cannot hold", {"hypotheses": {"ab": Statement((), (), Ne(a, Add(a, ZERO)))}}),
    ("cannot hold", {"hypotheses": {"ab": Statement((), (), Le(ZERO, Num(-1)))}}),
    ("cannot hold", {"hypotheses": {"ab": Statement(("l",), (), Le(Add(w(l), ONE), w(l)))}}),
    ("contradict", {"hypotheses": {"ab": Statement(("l",), (ge(l, 0), ge(-1, l)), Eq(a, b))}}),
    ("quantified", {"hypotheses": {"ab": Statement((), (), Eq(w(l), b))}}),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "changes"), THEORIES)
def test_a_theory_that_is_not_admissible(reason: str, changes: dict[str, Any]) -> None:
    step = ("ring", Eq(y(0) + b, Add(b, y(0))))
    if "hypotheses" in changes:
        s = changes["hypotheses"]["ab"]
        own = tuple((v, qvar(v)) for v in s.variables)
        step = ("hypothesis", s.relation, Context(s.variables, s.guards), ("ab", own))
    found = report(step, th=theory(**changes))
    assert not found["accepted"] and reason in found["reason"], found


def test_the_measures_of_an_induction_are_said_twice() -> None:
    doc = forge(
        ("ring", Eq(Add(w(l), ZERO), w(l)), LATER, ()),
        ("induct", Eq(Add(w(l), ZERO), w(l)), Context(("l",), (ge(l, 0),)), (0, (l,)), (0,)),
    )
    assert check.check(sealed(doc))["accepted"]
    for place in (1, 2):
        for other in ([], [[1, [1, "var", "l"]]], [[0, [2, "var", "l"]]]):
            edited = json.loads(json.dumps(doc))
            edited["items"][-1]["arguments"][place] = other
            found = check.check(sealed(edited))
            assert not found["accepted"] and found["rule"] == "induct"


def test_hypotheses_that_prove_two_numbers_equal() -> None:
    th = theory(hypotheses={k: Statement((), (), Eq(a, v)) for k, v in (("one", ONE), ("two", TWO))})
    found = report(
        ("hypothesis", Eq(a, ONE), E, ("one", ())),
        ("sym", Eq(ONE, a), E, (), (0,)),
        ("hypothesis", Eq(a, TWO), E, ("two", ())),
        ("trans", Eq(ONE, TWO), E, (), (1, 2)),
        ("distinct", Eq(a, b), E, (), (3,)),
        th=th,
    )
    assert found["reason"] == "the hypotheses contradict each other"


def test_hypotheses_that_put_numbers_in_the_wrong_order() -> None:
    th = theory(hypotheses={"low": Statement((), (), Le(ONE, a)), "high": Statement((), (), Le(a, ZERO))})
    found = report(
        ("hypothesis", Le(ONE, a), E, ("low", ())),
        ("hypothesis", Le(a, ZERO), E, ("high", ())),
        ("le_trans", Le(ONE, ZERO), E, (), (0, 1)),
        ("le_add", Le(Add(ONE, a), Add(ZERO, ZERO)), E, (), (2, 1)),
        th=th,
    )
    assert found["where"] == "item 2" and found["reason"] == "the hypotheses contradict each other"


def test_hypotheses_that_clash() -> None:
    th = theory(hypotheses={"is": Statement((), (), IS), "is_not": Statement((), (), IS_NOT)})
    found = report(
        ("hypothesis", IS, E, ("is", ())),
        ("hypothesis", IS_NOT, E, ("is_not", ())),
        ("clash", Eq(a, b), E, (), (0, 1)),
        th=th,
    )
    assert found["where"] == "item 2" and found["reason"] == "the hypotheses contradict each other"


# -- what is right is accepted, rules that the catalogue does not need too ----------------
def honest(th: Any) -> dict[str, Any]:
    return check.check(Proof(th.kernel, (th,), {}).text.encode())


def test_rules_that_the_catalogue_hardly_uses() -> None:
    k = Kernel(theory())
    ctx = Context(("l",), (ge(l, 0), lt(l, L)))
    zero = k.tangent_constant(E, "d", a)
    some = [
        k.iverson_true(ctx, Iverson((ge(l, 0), lt(l, L + 1)))),
        k.iverson_false(ctx, Iverson((ge(l, L),))),
        k.weaken(ctx.with_guards(ge(l, 1)), k.unfold(ctx.with_guards(ge(l, 1)), y(l), 1)),
        k.inverse(k.hypothesis(E, "nonzero", {})),
        k.distinct(k.absurd(ctx.with_guards(ge(-1, l)), Eq(ZERO, ONE)), Eq(a, b)),
        k.tangent_function(E, f(a), ((),), [zero], k.hypothesis(E, "smooth", {})),
        k.cases(ctx, eq(l, n(l)), [k.refl(ctx.with_guards(c), a) for c in (eq(l, n(l)), *eq(l, n(l)).negations())]),
        k.index(Context(("l",), (eq(l, 0),)), Sum(n(l), w(B0)), SUM),
    ]
    for th in some[:4] + some[5:]:
        assert honest(th)["accepted"], (th, honest(th))
    assert "contradict" in honest(some[4])["reason"]  # nothing is claimed there


def test_rules_of_order_and_of_real_cases() -> None:
    k = Kernel(theory())
    less, positive, zero = (k.hypothesis(E, n, {}) for n in ("less", "positive", "none"))
    inner = E.bind(("j",), (L,))
    equal, differ = (k.real_context(E, a, ZERO, x) for x in (True, False))
    one, other = k.hypothesis(equal, 0, {}), k.hypothesis(differ, 0, {})
    both = [k.real_context(equal, a, ZERO, x) for x in (True, False)]
    truth = [k.ring(both[0], a + b, Add(b, a))]
    truth.append(k.clash(k.hypothesis(both[1], 0, {}), k.hypothesis(both[1], 1, {}), truth[0].relation))
    by_cases = [k.real_cases(equal, a, ZERO, truth), k.ring(differ, a + b, Add(b, a))]
    bit = [k.iszero_zero(one), k.iszero_other(other)]
    squares = [k.trans(k.congruence(p.context, Mul(IsZero(a), IsZero(a)), [p, p]), x) for p, x in (
        (bit[0], k.ring(equal, Mul(ONE, ONE), ONE)), (bit[1], k.ring(differ, Mul(ZERO, ZERO), ZERO)))]  # fmt: skip
    some = [
        k.le_number(E, Num(-1), ONE),
        k.le_number(E, ONE, ONE),
        k.le_equal(zero),
        k.le_equal(k.refl(E, a)),
        k.le_trans(positive, less),
        k.le_both(less, k.le_trans(k.le_equal(zero), positive)),
        k.le_add(E, [less, positive]),
        k.le_mul(E, [positive, k.le_number(E, ZERO, TWO), positive]),
        k.le_square(E, Add(a, b)),
        k.le_sum(E, L, "j", k.hypothesis(inner, "less", {})),
        k.real_cases(E, a, ZERO, by_cases),
        k.real_cases(E, a, ZERO, [k.trans(s, k.sym(t)) for s, t in zip(squares, bit)]),
        k.real_cases(E, a, b, [k.le_add(c, [k.weaken(c, less)]) for c in (k.real_context(E, a, b, x) for x in (1, 0))]),
    ]
    for th in some:
        assert honest(th)["accepted"], (th, honest(th))
    assert honest(some[4])["claims"] == ["0 <= b"]


@pytest.mark.parametrize("name", THEOREMS)
def test_the_catalogue_is_accepted(name: str) -> None:
    claim = entries()[name].claim()
    proof = prove_claim(claim)
    started = time.process_time()
    found = check.check(proof.text.encode())
    assert found["accepted"], found
    assert time.process_time() - started < 5 and found["digest"] == proof.digest
    assert len(found["claims"]) == len(claim.goals)


def test_time_for_the_main_theorem() -> None:
    data = prove_claim(entries()["zil"].claim()).text.encode()
    best = min(_seconds(lambda: check.check(data)) for _ in range(3))
    assert best < 1


def _seconds(fn: Any) -> float:
    started = time.perf_counter()
    fn()
    return time.perf_counter() - started


# -- its own arithmetic -------------------------------------------------------------------
def _index(rng: random.Random, depth: int = 1) -> check.Index:
    pairs = []
    for _ in range(rng.randint(1, 3)):
        kind = rng.random()
        if kind < 0.6 or not depth:
            atom: Any = ("var", rng.choice("abc"))
        else:
            atom = ("size", "L") if kind < 0.7 else ("size", "n", _index(rng, depth - 1))
        pairs.append((atom, rng.choice((1, 1, -1, -1, 2, -2, 3, -3, 5))))
    return check.index(rng.randint(-4, 4), pairs)


def _value(i: check.Index, env: dict[str, int], sizes: tuple[int, list[int]]) -> int:
    total = i[0]
    for atom, c in i[1]:
        if atom[0] == "var":
            total += c * env[atom[1]]
        else:
            total += c * (sizes[0] if atom[1] == "L" else sizes[1][_value(atom[2], env, sizes) % 7])
    return total


@pytest.mark.parametrize("seed", range(3))
def test_every_yes_of_its_arithmetic_is_right(seed: int) -> None:
    """Against enumeration, with n(.) an arbitrary function."""
    rng = random.Random(seed)
    models = [
        ({v: rng.randint(-4, 4) for v in "abc"}, (rng.randint(-3, 4), [rng.randint(-2, 4) for _ in range(7)]))
        for _ in range(300)
    ]

    def holds(c: check.Con, model: Any) -> bool:
        value = _value(c[1], *model)
        return value >= 0 if c[0] == "ge" else (value == 0) == (c[0] == "eq")

    yes = 0
    for _ in range(1500):
        raw = [(rng.choice(("ge", "ge", "ge", "eq", "ne")), _index(rng)) for _ in range(rng.randint(2, 6))]
        cons, goal = [check.con(*c) for c in raw[1:]], check.con(*raw[0])
        for m in models[:40]:  # the normal form says the same
            assert [holds(c, m) for c in raw] == [holds(c, m) for c in (goal, *cons)]
            assert holds(goal, m) != any(holds(c, m) for c in check.negation(goal))
        if check.refutes(frozenset(cons)):
            yes += 1
            assert not any(all(holds(c, m) for c in cons) for m in models), cons
        elif check.entails(cons, goal):
            yes += 1
            assert all(holds(goal, m) for m in models if all(holds(c, m) for c in cons)), (cons, goal)
    assert yes > 80


# -- the file on its own ----------------------------------------------------------------
def lone(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    copy = cwd / "check.py"
    copy.write_bytes(LONE.read_bytes())
    command = [sys.executable, "-I", "-S", "-O", str(copy), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture(scope="module")
def zil() -> bytes:
    return prove_claim(entries()["zil"].claim()).text.encode()


def test_it_runs_alone(tmp_path: Path, zil: bytes) -> None:
    (tmp_path / "good.json").write_bytes(zil)
    (tmp_path / "bad.json").write_bytes(zil.replace(b'"-1"', b'"-2"'))
    (tmp_path / "text.json").write_text("hello")
    good = lone("good.json", cwd=tmp_path)
    assert good.returncode == 0 and "theta[t, l, i, j] = (w[l, i, j] + dw[l, i, j])" in good.stdout
    assert lone("good.json", "bad.json", cwd=tmp_path).returncode == 1
    for paths in (["text.json"], ["missing.json"], []):
        assert lone(*paths, cwd=tmp_path).returncode == 2


def test_it_imports_the_standard_library_only_and_evaluates_nothing() -> None:
    tree = ast.parse(LONE.read_text())
    names = {x.id for x in ast.walk(tree) if isinstance(x, ast.Name)}
    modules = {x.module or "." for x in ast.walk(tree) if isinstance(x, ast.ImportFrom)}
    modules |= {y.name for x in ast.walk(tree) if isinstance(x, ast.Import) for y in x.names}
    assert modules <= sys.stdlib_module_names | {"collections.abc"} and not any(
        x.level for x in ast.walk(tree) if isinstance(x, ast.ImportFrom)
    )
    assert not names & {"eval", "exec", "compile", "__import__", "getattr", "setattr", "globals", "open_code"}
    assert not any(isinstance(x, ast.Assert) for x in ast.walk(tree))


def test_a_person_can_read_it_in_an_evening() -> None:
    """All lines count: docstrings and blank ones too."""
    assert len(LONE.read_text().splitlines()) <= 1_000


# -- the command -------------------------------------------------------------------------
def test_the_command(tmp_path: Path, zil: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "zil.json"
    path.write_bytes(zil)
    assert run(["check", str(path), "--against", "zil"]) == 0
    assert "claims" in capsys.readouterr().out
    assert run(["check", str(path), "--against", "zil_bias", "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "rejected" and "claim" in found["reason"]
    assert run(["check", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["verdict"] == "accepted"
    path.write_text("[]")
    assert run(["check", str(path)]) == 2
    assert run(["check", str(tmp_path / "none.json")]) == 2


def test_zero_is_zero_does_not_pass_under_a_good_name(tmp_path: Path) -> None:
    claim = entries()["zil"].claim()
    k = Kernel(claim.theory)
    path = tmp_path / "zil.json"
    path.write_text(Proof(k, (k.refl(E, ZERO),), {}).text)
    assert run(["check", str(path)]) == 0
    assert run(["check", str(path), "--against", "zil"]) == 1


def test_against_every_entry(tmp_path: Path) -> None:
    for name in ("prediction_fixed_point", "gamma_law", "zil_dynamics"):
        path = tmp_path / f"{name}.json"
        path.write_text(prove_claim(entries()[name].claim()).text)
        assert run(["check", str(path), "--against", name]) == 0
