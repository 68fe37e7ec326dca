"""For each rule what its obligation may use besides guards and premises: definitions and laws, at the item's terms.

Nothing here decides whether an item holds.  What is too much or too little here can only leave the solvers with
assertions that do not contradict each other.  The exceptions are said by ``Script.assume``: facts that no solver is
asked to prove.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

from .certificate import Term
from .indices import Index, need, var
from .script import call, implies
from .step import Step

Rule = Callable[[Step], None]


def from_premises(s: Step) -> None:
    """Equality and logic: the claim follows from the premises as they stand."""
    for k in range(len(s.item.premises)):
        s.premise(k)


def nothing(s: Step) -> None:
    """The claim follows from the guards."""


def _sides(s: Step) -> tuple[Term, Term]:
    need(s.item.claim[0] == "eq", "an equation is expected")
    return s.item.claim[1], s.item.claim[2]


def _sum(t: Term) -> tuple[Index, Term]:
    need(t.op == "sum", "a sum is expected")
    return t.data, t.parts[0][1]


def _sums(s: Step) -> tuple[Index, Term, Index, Term]:
    left, right = _sides(s)
    return *_sum(left), *_sum(right)


# -- equality under a binder -----------------------------------------------------------
def sum_congruence(s: Step) -> None:
    n, a, _, b = _sums(s)
    j = s.script.constant()
    s.same_sums(n, a, (), b, (), j)
    s.premise(0, {s.fresh(0, 1)[0]: j})


def argument_congruence(s: Step) -> None:
    left, right = _sides(s)
    position = s.argument(0)
    need(left.op == right.op == "app" and left.data == right.data, "a symbol applied is expected")
    need(type(position) is int and 0 <= position < len(left.parts), "a position is expected")
    places = s.same_arguments(left, (), right, ())
    s.premise(0, dict(zip(s.fresh(0, len(places[position])), places[position])))


def index(s: Step) -> None:
    left, right = _sides(s)
    s.walk(left, (), right, ())


# -- definitions -----------------------------------------------------------------------
def unfold(s: Step) -> None:
    s.case(_sides(s)[0], s.argument(0))


def power_zero(s: Step) -> None:
    left = _sides(s)[0]
    need(left.op == "pow", "a power is expected")
    s.script.given("pow_zero", s.script.term(left.parts[0][1]), s.script.index(left.data))


def power_step(s: Step) -> None:
    left = _sides(s)[0]
    need(left.op == "pow", "a power is expected")
    s.script.given("pow_step", s.script.term(left.parts[0][1]), s.script.index(left.data))


def inverse(s: Step) -> None:
    left = _sides(s)[0]
    need(left.op == "mul" and left.parts, "a product is expected")
    s.script.law("inverse", s.script.term(left.parts[0][1]))
    s.premise(0)


# -- finite sums -----------------------------------------------------------------------
def sum_add(s: Step) -> None:
    left, _ = _sides(s)
    n, body = _sum(left)
    need(body.op == "add", "a sum of addends is expected")
    parts, make, t = body.kids(), s.script.certificate.make, s.script
    if not parts:
        sum_zero(s)
    bound = t.index(n)
    for k in range(len(parts) - 1, 0, -1):
        whole, before = make.add(parts[: k + 1]), make.add(parts[:k])
        j = t.constant()
        for x in (before, parts[k], whole):
            t.at(x, 1, [j])
        t.law("sum_add", bound, t.function(before, 1), t.function(parts[k], 1), t.function(whole, 1), j)


def sum_scale(s: Step) -> None:
    left, right = _sides(s)
    n, body = _sum(left)
    need(body.op == right.op == "mul" and len(body.parts) == len(right.parts) == 2, "products of two are expected")
    t, j = s.script, s.script.constant()
    rest = body.parts[1][1]
    for x in (body, rest):
        t.at(x, 1, [j])
    t.law("sum_scale", t.index(n), t.term(right.parts[0][1]), t.function(rest, 1), t.function(body, 1), j)


def sum_swap(s: Step) -> None:
    """Both sides as sums over the rows and over the columns of one function of two indices."""
    n, a, m, b = _sums(s)
    (inner, core), (other, turned), t = _sum(a), _sum(b), s.script
    table, bound, limit = t.function(core, 2), t.index(n), t.index(m)
    t.law("sum_swap", bound, limit, table)
    for over, across, line, of, inside, row, body in (
        (bound, limit, f"(rows {table} {limit})", a, inner, "row", core),
        (limit, bound, f"(cols {table} {bound})", b, other, "col", turned),
    ):
        j, k = t.constant(), t.constant()
        t.at(of, 1, [j])
        t.law("sum_same", over, t.function(of, 1), line, j)
        t.given(f"{row}s_at", table, across, j)
        t.law("sum_same", t.index(inside, [j]), t.function(body, 1, [j]), f"({row} {table} {j})", k)
        t.given(f"{row}_at", table, j, k)
        t.at(body, 1, [k], [j])
        t.at(core, 2, [j, k] if row == "row" else [k, j])


def sum_split(s: Step) -> None:
    left, right = _sides(s)
    n, body = _sum(left)
    need(right.op == "add" and len(right.parts) == 2, "two sums are expected")
    t, j = s.script, s.script.constant()
    m = t.index(s.index(0))
    _, moved = _sum(right.parts[1][1])
    t.at(moved, 1, [j])
    t.at(body, 1, [f"(+ {j} {m})"])
    _, first = _sum(right.parts[0][1])
    s.same_sums(_sum(right.parts[0][1])[0], body, (), first, (), t.constant())
    t.law("sum_split", f"(- {t.index(n)} {m})", m, t.function(body, 1), t.function(moved, 1), j)


def sum_empty(s: Step) -> None:
    n, body = _sum(_sides(s)[0])
    s.script.law("sum_empty", s.script.index(n), s.script.function(body, 1))


def sum_single(s: Step) -> None:
    n, body = _sum(_sides(s)[0])
    s.script.law("sum_single", s.script.index(n), s.script.function(body, 1))
    s.script.at(body, 1, ["0"])


def sum_zero(s: Step) -> None:
    n, body = _sum(_sides(s)[0])
    j = s.script.constant()
    s.script.at(body, 1, [j])
    s.script.law("sum_zero", s.script.index(n), s.script.function(body, 1), j)


# -- order: opaque in the items, that of the reals in the laws' own proofs ----------------
def _inequality(s: Step) -> tuple[Term, Term]:
    need(s.item.claim[0] == "le", "an inequality is expected")
    return s.item.claim[1], s.item.claim[2]


def _ordered(s: Step) -> list[tuple[str, str]]:
    """The two sides of each premise, which are asserted."""
    out = []
    for k in range(len(s.item.premises)):
        kind, *sides = s.premise_item(k).claim
        need(kind == "le", "premises that are inequalities are expected")
        s.premise(k)
        out.append((s.script.term(sides[0]), s.script.term(sides[1])))
    return out


def le_equal(s: Step) -> None:
    s.premise(0)
    s.script.law("le_equal", *map(s.script.term, _inequality(s)))


def le_trans(s: Step) -> None:
    rows = _ordered(s)
    need(len(rows) == 2, "two premises are expected")
    s.script.law("le_trans", *rows[0], rows[1][1])


def le_both(s: Step) -> None:
    _ordered(s)
    s.script.law("le_both", *map(s.script.term, _sides(s)))


def le_add(s: Step) -> None:
    rows, t = _ordered(s), s.script
    for k in range(1, len(rows)):
        before = [t.fold("add", [r[side] for r in rows[:k]]) for side in (0, 1)]
        t.law("le_add", *before, *rows[k])


def le_mul(s: Step) -> None:
    rows, t = _ordered(s), s.script
    for k in range(1, len(rows)):
        t.law("le_mul", t.fold("mul", [r[1] for r in rows[:k]]), rows[k][1])


def le_square(s: Step) -> None:
    square = _inequality(s)[1]
    need(square.op == "mul" and len(square.parts) == 2, "a product of two is expected")
    s.script.law("le_square", s.script.term(square.parts[0][1]))


def le_sum(s: Step) -> None:
    left, right = _inequality(s)
    (n, a), (_, b), t, j = _sum(left), _sum(right), s.script, s.script.constant()
    t.at(a, 1, [j])
    t.at(b, 1, [j])
    t.law("sum_le", t.index(n), t.function(a, 1), t.function(b, 1), j)
    s.premise(0, {s.fresh(0, 1)[0]: j})


# -- where a number is 0, or is not ---------------------------------------------------------
def iszero(s: Step) -> None:
    left = _sides(s)[0]
    need(left.op == "iszero", "an indicator of zero is expected")
    s.script.law("iszero", s.script.term(left.parts[0][1]))
    s.premise(0)


# -- logic -------------------------------------------------------------------------------
def instantiate(s: Step) -> None:
    premise = s.premise_item(0)
    values = s.values(s.argument(0), premise.context.variables)
    s.premise(0, {v: s.script.index(i) for v, i in values.items()})


def hypothesis(s: Step) -> None:
    """What the hypothesis says at the values."""
    which = s.argument(0)
    if isinstance(which, str):
        need(which in s.script.theory.hypotheses, f"there is no hypothesis {which!r}")
        outer: tuple[str, ...] = ()
        statement = s.script.theory.hypotheses[which]
    else:
        given = s.item.context.given
        need(type(which) is int and 0 <= which < len(given), "there is no such local hypothesis")
        statement, outer = given[which], s.item.context.variables
    values = s.values(s.argument(1), statement.variables)
    s.statement(statement, outer, {v: s.script.index(i) for v, i in values.items()})


def distinct(s: Step) -> None:
    """Two numbers; that they differ is an obligation of its own."""
    s.premise(0)
    kind, *sides = s.premise_item(0).claim
    need(kind == "eq" and all(t.op == "num" for t in sides), "an equation of two numbers is expected")
    for a, b in combinations(sides, 2):
        if a is not b:
            s.script.check(f"(distinct {s.script.term(a)} {s.script.term(b)})")


# -- derivatives: the rules of calculus are taken for granted, and said to be -----------------
def _tangent(s: Step) -> tuple[str, Term, Term]:
    need(s.item.claim[0] == "tangent", "a derivative is expected")
    return s.item.claim[1], s.item.claim[2], s.item.claim[3]


def _changes(s: Step, count: int) -> tuple[list[Term], list[Term]]:
    """What the first premises are about, and its derivatives."""
    d = _tangent(s)[0]
    claims = [s.premise_item(k).claim for k in range(count)]
    need(all(c[:2] == ("tangent", d) for c in claims), "derivatives along this direction are expected")
    return [c[2] for c in claims], [c[3] for c in claims]


def _calculus(s: Step, given: Sequence[str], value: Term) -> None:
    d, t, _ = _tangent(s)
    fact = s.script.tangent(d, s.script.term(t, (), True), s.script.term(value))
    s.script.assume(s.item.rule, implies(given, fact))


def tangent_constant(s: Step) -> None:
    """That nothing in the term varies is looked up here, and not by a solver."""
    d, t, _ = _tangent(s)
    if t.symbols.isdisjoint(s.script.theory.moved(d)):
        _calculus(s, [], s.script.certificate.make.add([]))


def tangent_variable(s: Step) -> None:
    d, t, _ = _tangent(s)
    moved = s.script.theory.directions[d]
    need(t.op == "app" and t.data[0] in moved, "the term is not what varies")
    _calculus(s, [], s.script.certificate.make.make("app", (moved[t.data[0]], t.data[1])))


def tangent_add(s: Step) -> None:
    d, _, _ = _tangent(s)
    t = s.script
    parts, changes = _changes(s, len(s.item.premises))
    from_premises(s)
    for k in range(1, len(parts)):
        a, b = (t.fold("add", [t.term(p, (), True) for p in x], True) for x in (parts[:k], parts[k : k + 1]))
        u, v = (t.fold("add", list(map(t.term, x))) for x in (changes[:k], changes[k : k + 1]))
        both = [t.tangent(d, a, u), t.tangent(d, b, v)]
        t.assume(s.item.rule, implies(both, t.tangent(d, t.fold("add", [a, b], True), t.fold("add", [u, v]))))


def tangent_mul(s: Step) -> None:
    d, _, _ = _tangent(s)
    t, make = s.script, s.script.certificate.make
    parts, changes = _changes(s, len(s.item.premises))
    from_premises(s)
    given = [t.tangent(d, t.term(p, (), True), t.term(c)) for p, c in zip(parts, changes)]
    whole = t.fold("mul", [t.term(p, (), True) for p in parts], True)
    out = make.add([make.mul([*parts[:k], c, *parts[k + 1 :]]) for k, c in enumerate(changes)])
    t.assume(s.item.rule, implies(given, t.tangent(d, whole, t.term(out))))


def tangent_sum(s: Step) -> None:
    d, left, right = _tangent(s)
    t, j = s.script, s.script.constant()
    n, body = _sum(left)
    _, change = _sum(right)
    s.premise(0, {s.fresh(0, 1)[0]: j})
    moving, value = t.at(body, 1, [j], (), True), t.at(change, 1, [j])
    inside = implies([f"(<= 0 {j})", f"(< {j} {t.index(n)})"], t.tangent(d, moving, value))
    sides = (t.operation("sum", True), t.index(n), t.function(body, 1, (), True)), (
        t.operation("sum"), t.index(n), t.function(change, 1)
    )  # fmt: skip
    t.assume(s.item.rule, implies([inside], t.tangent(d, *(call(f, x) for f, *x in sides))))


def tangent_function(s: Step) -> None:
    d, left, _ = _tangent(s)
    t, make = s.script, s.script.certificate.make
    need(left.op == "app" and len(s.item.premises) == len(left.parts) + 1, "one premise for each argument is expected")
    symbol, idx = left.data
    shape = t.theory.symbols[symbol]
    need(shape.derivatives, "the symbol has no derivatives")
    fresh = [s.fresh(k, count) for k, (count, _) in enumerate(left.parts)]
    parts, changes = _changes(s, len(left.parts))
    s.premise(len(left.parts))
    given, addends = [t.derivative(left)], []
    for k, (ns, (arity, body), change) in enumerate(zip(fresh, left.parts, changes)):
        js = [t.constant() for _ in ns]
        s.premise(k, dict(zip(ns, js)))
        value = t.term(make.close(change, ns), js)
        moving = t.at(body, arity, js, (), True) if arity else t.term(body, (), True)
        bounds = s.certificate.ranges(left, k)
        inside = s.within(js, bounds, ())
        given.append(implies(inside, t.tangent(d, moving, value)))
        slope = make.make("app", (shape.derivatives[k], (*idx, *map(var, ns))), left.parts)
        part = make.mul([slope, change])
        for n, b in reversed(list(zip(ns, bounds))):
            part = make.sum(b, make.close(part, (n,)))
        addends.append(part)
    _calculus(s, given, make.add(addends))


def tangent_unfold(s: Step) -> None:
    """The guards do not vary, so the equation holds all along the direction."""
    s.premise(0)
    said = s.premise_item(1)
    need(said.rule == "unfold" and said.arguments, "the second premise is a case of a definition")
    s.case(_tangent(s)[1], said.arguments[0], moving=True)


RULES: dict[str, Rule] = {
    **dict.fromkeys(("refl", "iverson_true", "iverson_false", "absurd"), nothing),
    **dict.fromkeys(("sym", "trans", "congruence", "weaken", "cases", "tangent_convert"), from_premises),
    **dict.fromkeys(("real_cases", "clash"), from_premises),
    **dict.fromkeys(("iszero_zero", "iszero_other"), iszero),
    **{
        f.__name__: f
        for f in (
            sum_congruence, argument_congruence, index, unfold, power_zero, power_step, inverse, sum_add, sum_scale,
            sum_swap, sum_split, sum_empty, sum_single, sum_zero, instantiate,
            hypothesis, distinct, tangent_constant, tangent_variable, tangent_add, tangent_mul, tangent_sum,
            tangent_function, tangent_unfold, le_equal, le_trans, le_both, le_add, le_mul, le_square, le_sum,
        )
    },
}  # fmt: skip

#: rules with obligations of another form: polynomials, numbers, induction
OTHERS = ("ring", "le_number", "induct")
