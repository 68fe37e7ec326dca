"""Reverse and forward accumulation on a DAG agree: the vertices are eliminated one by one from the output on."""

from __future__ import annotations

from ..language.index import Idx, ge, le, lt, qvar
from ..language.signature import Claim, Eq, Statement, Tangent
from ..language.terms import Add, App, Iverson, Mul, Sum, Term, mul, open_, total
from ..networks.network import L, width
from ..proof.kernel import Context, Kernel, Theorem
from .goals import Stuck, Tools, prove_equation
from .gradient import Differentiator
from .normal import normalize
from .rewrite import both, bottom_up, by_cases

k_ = qvar("k")
Out = tuple[dict[str, Theorem], list[Theorem]]


def output() -> Term:
    """<e0, Dy^0>"""
    return total(width(Idx(0)), lambda j: mul(App("e0", (j,)), App("Dy", (0, j))))


def done(k: Idx) -> Term:
    """sum over the vertices before k of <delta, u>"""
    return total(k, lambda m: total(width(m), lambda j: mul(App("delta", (m, j)), App("u", (m, j)))))


def reached(k: Idx, v: Idx, i: Idx) -> Term:
    """What the vertices before k send back to unit i of vertex v."""

    def term(m: Idx, j: Idx) -> Term:
        return mul(App("J", (m, v, j, i)), App("delta", (m, j)))

    return total(k, lambda m: total(width(m), lambda j: term(m, j)))


def still(k: Idx) -> Term:
    """sum over the vertices from k on, below the input, of <what reached them, Dy>"""

    def unit(v: Idx, i: Idx) -> Term:
        return Mul(reached(k, v, i), App("Dy", (v, i)))

    return total(L - k, lambda q: total(width(k + q), lambda i: unit(k + q, i)))


def one_more(k: Kernel) -> Theorem:
    """done(k) + still(k) = done(k+1) + still(k+1) for 1 <= k < L."""
    ctx = Context(("k",), (ge(k_, 1), lt(k_, L)))
    rest = still(k_)
    start = Add(done(k_), rest)
    split = k.sum_split(ctx, rest, Idx(1))
    assert isinstance(split.rhs, Add)
    first, later = split.rhs.args
    single = k.sum_single(ctx, first)
    vertex = single.rhs  # sum over the units of vertex k of (what reached them) Dy
    if not isinstance(vertex, Sum):
        raise Stuck(ctx, Eq(start, start), "one vertex is a sum over its units")
    inner = ctx.bind(("i",), (vertex.bound,))
    body = open_(vertex.body, qvar("i"))
    assert isinstance(body, Mul)
    sent = prove_equation(k, inner, body.args[0], App("delta", (k_, qvar("i"))), Tools(lazy=("delta",)))
    moved = k.unfold(inner, App("Dy", (k_, qvar("i"))), 0)
    if body.args[1] is not moved.lhs:
        moved = k.trans(k.index(inner, body.args[1], moved.lhs), moved)
    opened = k.trans(single, k.sum_congruence(ctx, vertex.bound, "i", k.congruence(inner, body, [sent, moved])))
    parts = k.congruence(ctx, split.rhs, [opened, k.refl(ctx, later)])
    left = k.congruence(ctx, start, [k.refl(ctx, start.args[0]), k.trans(split, parts)])
    # the other side: vertex k joins what is done, and what reached the later ones
    end = Add(done(k_ + 1), still(k_ + 1))
    before = end.args[0]
    assert isinstance(before, Sum)
    cut = k.sum_split(ctx, before, k_)
    assert isinstance(cut.rhs, Add)
    last = k.sum_single(ctx, cut.rhs.args[1])
    cut = k.trans(cut, k.congruence(ctx, cut.rhs, [k.refl(ctx, cut.rhs.args[0]), last]))
    right = k.congruence(ctx, end, [cut, _later(k, ctx, end.args[1])])
    return k.trans(k.trans(left, prove_equation(k, ctx, left.rhs, right.rhs, Tools())), k.sym(right))


def _later(k: Kernel, ctx: Context, t: Term) -> Theorem:
    """In still(k+1): what reached a vertex, with that from vertex k apart."""
    assert isinstance(t, Sum)
    outer = ctx.bind(("q",), (t.bound,))
    vertex = open_(t.body, qvar("q"))
    assert isinstance(vertex, Sum)
    inner = outer.bind(("i",), (vertex.bound,))
    body = open_(vertex.body, qvar("i"))
    assert isinstance(body, Mul) and isinstance(body.args[0], Sum)
    split = k.sum_split(inner, body.args[0], k_)
    assert isinstance(split.rhs, Add)
    own = k.sum_single(inner, split.rhs.args[1])
    split = k.trans(split, k.congruence(inner, split.rhs, [k.refl(inner, split.rhs.args[0]), own]))
    th = k.congruence(inner, body, [split, k.refl(inner, body.args[1])])
    th = k.sum_congruence(outer, vertex.bound, "i", th)
    return k.sum_congruence(ctx, t.bound, "q", th)


def eliminated(k: Kernel, step: Theorem) -> Theorem:
    """<e0, Dy^0> = done(k) + still(k) for 1 <= k <= L."""
    claim = Statement(("k",), (ge(k_, 1), le(k_, L)), Eq(output(), Add(done(k_), still(k_))))
    goal = claim.relation
    assert isinstance(goal, Eq)
    ctx = k.induction_context([claim], [k_], 0)

    def case(c: Context, _: object) -> Theorem:
        if k.entails(c, ge(k_, 2)):
            return k.trans(k.hypothesis(c, 0, {"k'": k_ - 1}), k.instantiate(c, step, {"k": k_ - 1}))
        return first(k, c, goal)

    (out,) = k.induct([claim], [k_], [by_cases(k, ctx, ge(k_, 2), goal, case)])
    return out


def first(k: Kernel, ctx: Context, goal: Eq) -> Theorem:
    """k = 1: the output unfolded."""
    one = Add(done(Idx(1)), still(Idx(1)))
    pinned = k.index(ctx, goal.rhs, one)
    before = one.args[0]
    own = k.sum_single(ctx, before)
    rest = _single_reached(k, ctx, one.args[1])
    right = k.congruence(ctx, one, [own, rest])
    whole = goal.lhs
    assert isinstance(whole, Sum)
    inner = ctx.bind(("i",), (whole.bound,))
    body = open_(whole.body, qvar("i"))
    assert isinstance(body, Mul)
    opened = k.congruence(inner, body, [k.refl(inner, body.args[0]), k.unfold(inner, body.args[1], 0)])
    left = k.sum_congruence(ctx, whole.bound, "i", opened)
    middle = prove_equation(k, ctx, left.rhs, right.rhs, Tools(eager=("delta",), depth=0))
    return k.trans(k.trans(left, middle), k.trans(k.sym(right), k.sym(pinned)))


def _single_reached(k: Kernel, ctx: Context, t: Term) -> Theorem:
    """In still(1): what the output alone sends back."""
    assert isinstance(t, Sum)
    outer = ctx.bind(("q",), (t.bound,))
    vertex = open_(t.body, qvar("q"))
    assert isinstance(vertex, Sum)
    inner = outer.bind(("i",), (vertex.bound,))
    body = open_(vertex.body, qvar("i"))
    assert isinstance(body, Mul)
    th = k.congruence(inner, body, [k.sum_single(inner, body.args[0]), k.refl(inner, body.args[1])])
    return k.sum_congruence(ctx, t.bound, "q", k.sum_congruence(outer, vertex.bound, "i", th))


def gradient_script(k: Kernel, claim: Claim) -> Out:
    """Eliminate all vertices; then each pairing by parameters."""
    own, paired = claim.goals
    assert isinstance(own.relation, Eq) and isinstance(paired.relation, Eq)
    step = one_more(k)
    every = eliminated(k, step)
    ctx = Context()
    whole = k.instantiate(ctx, every, {"k": L})
    th = k.trans(whole, prove_equation(k, ctx, whole.rhs, own.relation.rhs, Tools()))
    product = paired.relation.lhs
    assert isinstance(product, Mul)
    scaled = k.congruence(ctx, product, [k.refl(ctx, product.args[0]), th])
    end = prove_equation(k, ctx, scaled.rhs, paired.relation.rhs, Tools(lazy=("u", "dw")))
    return {"one vertex": step, "vertices eliminated": every}, [th, k.trans(scaled, end)]


# -- the energy -------------------------------------------------------------------------
def energy_script(k: Kernel, claim: Claim) -> Out:
    """Differentiate; what a vertex reads becomes a sum over all vertices, as in the gradient."""
    (s,) = claim.goals
    r = s.relation
    assert isinstance(r, Tangent)
    ctx = Context()
    th = Differentiator(k, "x")(ctx, r.term)
    assert isinstance(th.relation, Tangent)
    flat = both(k, ctx, th.relation.tangent, normalize(k, ctx, th.relation.tangent))
    wide = k.trans(
        flat, both(k, ctx, flat.rhs, bottom_up(k, lambda c, t: widened(k, c, t), ctx, flat.rhs, again=False))
    )
    paired = r.tangent
    assert isinstance(paired, Sum)
    cut = k.sum_split(ctx, paired, L)
    assert isinstance(cut.rhs, Add)
    cut = k.trans(cut, k.congruence(ctx, cut.rhs, [k.refl(ctx, cut.rhs.args[0]), k.sum_single(ctx, cut.rhs.args[1])]))
    end = prove_equation(k, ctx, cut.rhs, wide.rhs, Tools(eager=("gx",), depth=0))
    return {}, [k.tangent_convert(th, k.trans(wide, k.sym(k.trans(cut, end))))]


def widened(k: Kernel, ctx: Context, t: Term) -> Theorem | None:
    """sum_{m<L-l} B(m+l+1) = sum_{v<L} [l < v] B(v) + B(L), for a vertex l below the input."""
    if not isinstance(t, Sum):
        return None
    vertex = L - t.bound
    inside = all(k.entails(ctx, c) for c in (ge(vertex, 0), lt(vertex, L)))
    if not inside or len(vertex.terms) != 1 or vertex.const:
        return None

    def read(v: Idx) -> Term:
        return open_(t.body, v - vertex - 1)

    every = total(L, lambda v: Mul(Iverson((lt(vertex, v),)), read(v)))
    assert isinstance(every, Sum)
    split = k.sum_split(ctx, every, vertex + 1)
    narrow = k.sum_split(ctx, t, L - vertex - 1)
    assert isinstance(narrow.rhs, Add)
    last = k.sum_single(ctx, narrow.rhs.args[1])
    narrow = k.trans(narrow, k.congruence(ctx, narrow.rhs, [k.refl(ctx, narrow.rhs.args[0]), last]))
    wide = Add(every, read(L))
    opened = k.congruence(ctx, wide, [split, k.refl(ctx, wide.args[1])])
    return k.trans(narrow, k.sym(k.trans(opened, prove_equation(k, ctx, opened.rhs, narrow.rhs, Tools(depth=0)))))
