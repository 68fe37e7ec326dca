"""Small changes of a term, one at a time: signs, terms, factors, transposition, layer shifts.

Each function yields (description, changed term).  Names are computed from the
structure of the term; nothing here knows what a rule means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ..language.arith import entails
from ..language.index import Con, Idx, QVar
from ..language.show import choose_name, range_kind, show
from ..language.signature import Symbol
from ..language.terms import ONE, Add, App, Lam, Mul, Num, Sum, Term, add, close, free_vars, mul, neg, open_

Change = tuple[str, Term]


def addends(t: Term) -> tuple[Term, ...]:
    """The terms of a sum; a term that is no sum is its only one."""
    return t.args if isinstance(t, Add) else (t,)


def signs(t: Term) -> Iterator[Change]:
    """Each additive term with the other sign."""
    parts = addends(t)
    for k, a in enumerate(parts):
        yield f"sign of term {k + 1} ({show(a)})", add(*parts[:k], neg(a), *parts[k + 1 :])


def dropped_terms(t: Term) -> Iterator[Change]:
    """Each additive term left out."""
    parts = addends(t)
    for k, a in enumerate(parts):
        yield f"without term {k + 1} ({show(a)})", add(*parts[:k], *parts[k + 1 :])


Put = Callable[[Term], Term]


def _places(t: Term) -> Iterator[tuple[Term, Put]]:
    """Every subterm outside the arguments of symbols, with a function that puts another in its place."""
    yield t, lambda new: new
    if isinstance(t, (Add, Mul)):
        for k, a in enumerate(t.args):
            for s, put in _places(a):
                yield s, _inside(t, k, put)
    elif isinstance(t, Sum):
        # the bound index gets a name that is free in nothing here, so that subterms can be shown and compared
        name = choose_name(range_kind(t.bound), free_vars(t))
        for s, put in _places(open_(t.body, Idx.of(QVar(name)))):
            yield s, _under(t.bound, name, put)


def _inside(t: Add | Mul, k: int, put: Put) -> Put:
    build = add if isinstance(t, Add) else mul
    return lambda new: build(*t.args[:k], put(new), *t.args[k + 1 :])


def _under(bound: Idx, name: str, put: Put) -> Put:
    return lambda new: Sum(bound, close(put(new), name))


def dropped_factors(t: Term) -> Iterator[Change]:
    """Each factor of each product left out, in turn; numbers stay."""
    seen: set[Term] = set()
    for s, put in _places(t):
        if isinstance(s, Mul):
            for k, f in enumerate(s.args):
                if not isinstance(f, Num):
                    new = put(mul(*s.args[:k], *s.args[k + 1 :]))
                    if new not in seen:
                        seen.add(new)
                        yield f"{show(f)} left out of {show(s)}", new
    for a in addends(t):
        if isinstance(a, App):
            parts = addends(t)
            k = parts.index(a)
            yield f"{show(a)} replaced by 1", add(*parts[:k], ONE, *parts[k + 1 :])


def _units(symbol: Symbol) -> tuple[int, ...]:
    words = [w.strip() for w in symbol.shape.split(",")]
    return tuple(k for k, w in enumerate(words[: symbol.arity]) if w.startswith("unit"))


def transposed(t: Term, symbols: Mapping[str, Symbol]) -> Iterator[Change]:
    """Each symbol with two unit indices, its units exchanged."""
    for s, put in _places(t):
        symbol = symbols.get(s.name) if isinstance(s, App) else None
        if not isinstance(s, App) or symbol is None:
            continue
        units = _units(symbol)
        if len(units) == 2:
            idx = list(s.idx)
            idx[units[0]], idx[units[1]] = idx[units[1]], idx[units[0]]
            new = App(s.name, idx, s.args)
            yield f"{show(s)} not transposed: {show(new)}", put(new)


def _shifted(t: Term, layer: int, by: int, symbols: Mapping[str, Symbol], inside: bool) -> Term:
    """An application with its layer index moved, and those of its arguments if ``inside``."""
    assert isinstance(t, App)
    idx = list(t.idx)
    idx[layer] = idx[layer] + by
    args = t.args
    if inside:
        args = tuple(Lam(a.arity, _shift_all(a.body, by, symbols)) for a in t.args)
    return App(t.name, idx, args)


def _shift_all(t: Term, by: int, symbols: Mapping[str, Symbol]) -> Term:
    at = _layer(t, symbols)
    return t if at is None else _shifted(t, at, by, symbols, True)


def _layer(t: Term, symbols: Mapping[str, Symbol]) -> int | None:
    symbol = symbols.get(t.name) if isinstance(t, App) else None
    if symbol is None:
        return None
    words = [w.strip() for part in symbol.shape.split(";") for w in part.split(",")]
    return words.index("layer") if "layer" in words[: symbol.arity] else None


Domain = Callable[[App], tuple[Con, ...]]  # where a symbol has a value


def shifted_layers(t: Term, symbols: Mapping[str, Symbol], guards: tuple[Con, ...], domain: Domain) -> Iterator[Change]:
    """Each symbol taken one layer up or down, where it then still has a value."""
    for s, put in _places(t):
        at = _layer(s, symbols)
        if at is None or not isinstance(s, App):
            continue
        for by in (1, -1):
            for inside in (True, False) if s.args else (False,):
                new = _shifted(s, at, by, symbols, inside)
                assert isinstance(new, App)
                if new is not s and all(entails(guards, c) for c in _needs(new, domain)):
                    yield f"{show(s)} taken as {show(new)}", put(new)


def _needs(t: Term, domain: Domain) -> Iterator[Con]:
    if isinstance(t, App):
        yield from domain(t)
        for a in t.args:
            yield from _needs(a.body, domain)
