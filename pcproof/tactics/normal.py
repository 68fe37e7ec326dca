"""Normal form of sums of products, with proof.

Decides equality of polynomials in atoms and finite sums up to renaming of
bound indices, order of factors, addends and independent sums, and moving
factors in and out of sums.  It does not split ranges, shift indices, or use
definitions; these are steps of their own.

The normal form is a polynomial whose atoms are applications (arguments in
normal form) and *components*: nested sums over a flat product in which no
factor can be moved out and no sum split off as a factor.
"""

from __future__ import annotations

from itertools import permutations

from ..language.index import Idx, qvar
from ..language.terms import ONE, ZERO, Add, App, Mul, Num, Pow, Sum, Term, close, free_vars, mul, open_
from ..proof.kernel import Context, Kernel, Theorem
from ..proof.ring import polynomial, term_of
from .rewrite import both, fresh, inside, then


def normalize(k: Kernel, ctx: Context, t: Term) -> Theorem | None:
    """t = its normal form; None if it is in normal form already."""
    if isinstance(t, Num):
        return None
    if isinstance(t, App):
        return inside(k, lambda c, s: normalize(k, c, s), ctx, t)
    if isinstance(t, Sum):
        th = inside(k, lambda c, s: normalize(k, c, s), ctx, t)
        current = t if th is None else th.rhs
        return then(k, th, _sum(k, ctx, current))
    th = inside(k, lambda c, s: normalize(k, c, s), ctx, t)
    return then(k, th, ring_to(k, ctx, t if th is None else th.rhs))


def ring_to(k: Kernel, ctx: Context, t: Term, target: Term | None = None) -> Theorem | None:
    """t = target by the ring rule; the canonical polynomial if no target is given."""
    out = term_of(polynomial(t)) if target is None else target
    return None if out is t else k.ring(ctx, t, out)


def _addends(t: Term) -> tuple[Term, ...]:
    return t.args if isinstance(t, Add) else (t,)


def _factors(t: Term) -> tuple[Term, ...]:
    return t.args if isinstance(t, Mul) else (t,)


def _product(parts: list[Term]) -> Term:
    return ONE if not parts else parts[0] if len(parts) == 1 else Mul(*parts)


def _sum(k: Kernel, ctx: Context, t: Term) -> Theorem | None:
    """A sum whose body is in normal form: distribute, pull factors out, canonical order."""
    assert isinstance(t, Sum)
    if t.body is ZERO:
        return k.sum_zero(ctx, t.bound)
    th: Theorem | None = None
    if isinstance(t.body, Add):
        th = k.sum_add(ctx, t)
        parts = [_monomial(k, ctx, s) for s in _addends(th.rhs)]
        if any(p is not None for p in parts):
            whole = [p if p is not None else k.refl(ctx, s) for p, s in zip(parts, _addends(th.rhs))]
            th = k.trans(th, k.congruence(ctx, th.rhs, whole))
        return then(k, th, ring_to(k, ctx, th.rhs))
    th = _monomial(k, ctx, t)
    return then(k, th, ring_to(k, ctx, t if th is None else th.rhs))


def _monomial(k: Kernel, ctx: Context, t: Term) -> Theorem | None:
    """A sum over one monomial: free factors out, then one flat nest in canonical order."""
    assert isinstance(t, Sum)
    name = fresh(ctx)
    inner = ctx.bind((name,), (t.bound,))
    body = open_(t.body, qvar(name))
    factors = list(_factors(body))
    out = [f for f in factors if name not in free_vars(f)]
    rest = [f for f in factors if name in free_vars(f)]
    th: Theorem | None = None
    if out and not (len(factors) == 1 and body is ONE):
        wanted = Mul(_product(out), _product(rest))
        step = ring_to(k, inner, body, wanted)
        if step is not None:
            th = k.sum_congruence(ctx, t.bound, name, step)
        moved = k.sum_scale(ctx, t if th is None else th.rhs)
        th = then(k, th, moved)
        assert isinstance(moved.rhs, Mul)
        nest = moved.rhs.args[1]
        sub = _nest(k, ctx, nest)
        if sub is not None:
            th = then(k, th, k.congruence(ctx, moved.rhs, [k.refl(ctx, moved.rhs.args[0]), sub]))
        return th
    return _nest(k, ctx, t)


def _nest(k: Kernel, ctx: Context, t: Term) -> Theorem | None:
    """Make one nest of sums over a flat product, in canonical order."""
    th = _flatten(k, ctx, t)
    return then(k, th, _order(k, ctx, t if th is None else th.rhs))


def _flatten(k: Kernel, ctx: Context, t: Term) -> Theorem | None:
    """Sums that stand as factors in the body are moved out to the front of it."""
    if not isinstance(t, Sum):
        return None
    return inside(k, lambda c, s: _extrude(k, c, s), ctx, t)


def _extrude(k: Kernel, ctx: Context, t: Term) -> Theorem | None:
    """a * sum_j b(j) = sum_j a * b(j), for every sum among the factors."""
    if isinstance(t, Sum):
        return _flatten(k, ctx, t)
    factors = list(_factors(t))
    where = next((n for n, f in enumerate(factors) if isinstance(f, Sum)), None)
    if where is None:
        return None
    s = factors[where]
    assert isinstance(s, Sum)
    others = _product(factors[:where] + factors[where + 1 :])
    th = ring_to(k, ctx, t, Mul(others, s))
    name = fresh(ctx)
    joined = Sum(s.bound, close(Mul(others, open_(s.body, qvar(name))), name))
    th = then(k, th, k.sym(k.sum_scale(ctx, joined)))
    flat = inside(k, lambda c, b: ring_to(k, c, b, mul(b)) if mul(b) is not b else None, ctx, joined)
    th = then(k, th, flat)
    current = joined if flat is None else flat.rhs
    return then(k, th, _flatten(k, ctx, current))


def _prefix(t: Term) -> tuple[list[tuple[str, Idx]], Term]:
    """Open a nest of sums: names with bounds, and the body."""
    names: list[tuple[str, Idx]] = []
    while isinstance(t, Sum):
        name = f"?n{len(names)}"
        names.append((name, t.bound))
        t = open_(t.body, qvar(name))
    return names, t


def _build(names: list[tuple[str, Idx]], body: Term) -> Term:
    for name, bound in reversed(names):
        body = Sum(bound, close(body, name))
    return body


def _sorted_body(names: list[tuple[str, Idx]], body: Term) -> tuple[str, Term]:
    """The factors of the body in the order of their closed keys."""

    def key(f: Term) -> str:
        return _build(names, f).key

    ordered = sorted(_factors(body), key=key)
    product = _product(ordered)
    return _build(names, product).key, product


def _order(k: Kernel, ctx: Context, t: Term) -> Theorem | None:
    """Canonical order of independent sums and of the factors under them."""
    names, body = _prefix(t)
    if not names:
        return None
    best: tuple[str, tuple[int, ...], Term] | None = None
    for perm in permutations(range(len(names))):
        if len(names) > 5 and perm != tuple(range(len(names))):
            break
        order = [names[p] for p in perm]
        placed: set[str] = set()
        legal = True
        for name, bound in order:
            legal = legal and all(v in placed for v in free_vars(Pow(ONE, bound)) if v.startswith("?n"))
            placed.add(name)
        if not legal:
            continue
        key, product = _sorted_body(order, body)
        if best is None or key < best[0]:
            best = (key, perm, product)
    assert best is not None
    _, target, product = best
    th: Theorem | None = None
    current, now = t, list(range(len(names)))
    for place, wanted in enumerate(target):
        at = now.index(wanted)
        while at > place:
            step = _swap_at(k, ctx, current, at - 1)
            th = then(k, th, step)
            current = step.rhs
            now[at - 1], now[at] = now[at], now[at - 1]
            at -= 1
    final = _build([names[p] for p in target], product)
    return then(k, th, _deep_ring(k, ctx, current, final))


def _swap_at(k: Kernel, ctx: Context, t: Term, depth: int) -> Theorem:
    """Exchange the sums number ``depth`` and ``depth + 1`` of a nest."""
    assert isinstance(t, Sum)
    if depth == 0:
        first = fresh(ctx)
        second = fresh(ctx.bind((first,), (t.bound,)))
        return k.sum_swap(ctx, t, (first, second))
    name = fresh(ctx)
    inner = ctx.bind((name,), (t.bound,))
    return k.sum_congruence(ctx, t.bound, name, _swap_at(k, inner, open_(t.body, qvar(name)), depth - 1))


def _deep_ring(k: Kernel, ctx: Context, t: Term, target: Term) -> Theorem | None:
    """Reorder the product under a nest of sums."""
    if t is target:
        return None
    if isinstance(t, Sum) and isinstance(target, Sum):
        name = fresh(ctx)
        inner = ctx.bind((name,), (t.bound,))
        th = _deep_ring(k, inner, open_(t.body, qvar(name)), open_(target.body, qvar(name)))
        return None if th is None else k.sum_congruence(ctx, t.bound, name, th)
    return k.ring(ctx, t, target)


def prove_equal(k: Kernel, ctx: Context, a: Term, b: Term) -> Theorem | None:
    """a = b if their normal forms are the same; None if they are not."""
    if a is b:
        return k.refl(ctx, a)
    left, right = normalize(k, ctx, a), normalize(k, ctx, b)
    la, rb = (a if left is None else left.rhs), (b if right is None else right.rhs)
    if la is not rb:
        return None
    back = None if right is None else k.sym(right)
    return both(k, ctx, a, then(k, left, back))
