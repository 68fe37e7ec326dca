"""Folding: write a term with the names of its parts (``x - mu`` is ``eps``).

``fold(term, name, params, value)`` replaces what matches ``value`` by
``name(args)``.  Matching is up to the order of factors and addends.
Untrusted; used to keep derived equations readable.
"""

from __future__ import annotations

from .index import Idx, QVar
from .terms import Add, App, Mul, Num, Pow, Sum, Term, add, children, mul, neg, open_, open_lam, rebuild, subst

Binding = dict[str, Idx]


def _match_idx(p: Idx, t: Idx, b: Binding, params: tuple[str, ...]) -> Binding | None:
    """Match an index pattern linear in its unbound parameter with coefficient 1."""
    known = p.replace(lambda a: b.get(a.name) if isinstance(a, QVar) else None)
    open_params = [a.name for a in known.atoms() if isinstance(a, QVar) and a.name in params and a.name not in b]
    if not open_params:
        return b if known == t else None
    name = open_params[0]
    if len(open_params) > 1 or dict(known.terms).get(QVar(name)) != 1:
        return None
    return {**b, name: t - (known - Idx.of(QVar(name)))}


def match(p: Term, t: Term, b: Binding, params: tuple[str, ...], depth: int = 0) -> Binding | None:
    """Values of ``params`` that turn ``p`` into ``t``, extending ``b``; None if there are none."""
    if type(p) is not type(t):
        return None
    if isinstance(p, Num):
        return b if p is t else None
    if isinstance(p, App) and isinstance(t, App):
        if p.name != t.name or len(p.idx) != len(t.idx) or len(p.args) != len(t.args):
            return None
        for i, j in zip(p.idx, t.idx):
            found = _match_idx(i, j, b, params)
            if found is None:
                return None
            b = found
        for u, v in zip(p.args, t.args):
            if u.arity != v.arity:
                return None
            own = tuple(Idx.of(QVar(f"?m{depth + n}")) for n in range(u.arity))
            pattern, body = open_lam(u.arity, u.body, own), open_lam(v.arity, v.body, own)
            found = match(pattern, body, b, params, depth + u.arity)
            if found is None:
                return None
            b = found
        return b
    if isinstance(p, Sum) and isinstance(t, Sum):
        index = Idx.of(QVar(f"?m{depth}"))
        found = match(open_(p.body, index), open_(t.body, index), b, params, depth + 1)
        return None if found is None else _match_idx(p.bound, t.bound, found, params)
    if isinstance(p, Pow) and isinstance(t, Pow):
        found = match(p.base, t.base, b, params, depth)
        return None if found is None else _match_idx(p.exponent, t.exponent, found, params)
    if isinstance(p, (Add, Mul)) and isinstance(t, (Add, Mul)):
        return _match_bag(list(p.args), list(t.args), b, params, depth)
    kp, kt = children(p), children(t)
    if not kp:
        return b if p is t else None
    for (_, p1), (_, t1) in zip(kp, kt):
        found = match(p1, t1, b, params, depth)
        if found is None:
            return None
        b = found
    return b


def _usable(b: Binding, params: tuple[str, ...]) -> bool:
    """Every parameter has a value, and none is an index bound inside the pattern."""
    inner = any(isinstance(a, QVar) and a.name.startswith("?m") for i in b.values() for a in i.atoms())
    return set(b) >= set(params) and not inner


def _match_bag(ps: list[Term], ts: list[Term], b: Binding, params: tuple[str, ...], depth: int) -> Binding | None:
    if len(ps) != len(ts):
        return None
    if not ps:
        return b
    for k, t in enumerate(ts):
        found = match(ps[0], t, b, params, depth)
        if found is not None:
            rest = _match_bag(ps[1:], ts[:k] + ts[k + 1 :], found, params, depth)
            if rest is not None:
                return rest
    return None


def fold(term: Term, name: str, params: tuple[str, ...], value: Term) -> Term:
    """Replace instances of ``value`` (also negated, also as part of a sum) by ``name(params)``."""

    def fit(p: Term, t: Term) -> App | None:
        b = match(p, t, {}, params)
        return App(name, [b[q] for q in params]) if b is not None and _usable(b, params) else None

    def whole(t: Term) -> Term:
        hit = fit(value, t)
        if hit is not None:
            return hit
        if isinstance(t, Add) and isinstance(value, Add):
            for sign, pattern in ((1, value), (-1, neg(value))):
                if not isinstance(pattern, Add) or len(pattern.args) > len(t.args):
                    continue
                found = _sub_bag(list(pattern.args), list(t.args), {}, params)
                if found is not None and _usable(found[0], params):
                    b, rest = found
                    return whole(add(*rest, mul(sign, App(name, [b[q] for q in params]))))
        return t

    def go(t: Term) -> Term:
        kids = children(t)
        new = [go(c) for _, c in kids]
        if any(n is not c for n, (_, c) in zip(new, kids)):
            t = rebuild(t, new)
        return whole(t)

    return go(term)


def _sub_bag(ps: list[Term], ts: list[Term], b: Binding, params: tuple[str, ...]) -> tuple[Binding, list[Term]] | None:
    """Match all of ``ps`` among ``ts``; the rest of ``ts`` is left over."""
    if not ps:
        return b, ts
    for k, t in enumerate(ts):
        found = match(ps[0], t, b, params)
        if found is not None:
            out = _sub_bag(ps[1:], ts[:k] + ts[k + 1 :], found, params)
            if out is not None:
                return out
    return None


def unfold_all(term: Term, name: str, params: tuple[str, ...], value: Term) -> Term:
    """The inverse: replace ``name(args)`` by ``value`` everywhere."""
    from .terms import replace_apps

    return replace_apps(
        term, lambda a: subst(value, dict(zip(params, a.idx))) if a.name == name and not a.args else None
    )
