"""All integer assignments of variables that meet guards, at concrete sizes.

Bounds are read off the guards, variable by variable.  A variable that the
guards leave unbounded above (a time) is followed up to a horizon: ``extra``
beyond the larger of its least value and the depth.  Unbounded below: from -1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..language.index import Con, Idx, QVar, Size

SizeFn = Callable[[str, tuple[int, ...]], int]


def partial(i: Idx, env: dict[str, int], size: SizeFn) -> tuple[int, dict[str, int]] | None:
    """``i`` as const + sum of coefficients of variables without a value; None if a size depends on one."""
    const = i.const
    open_: dict[str, int] = {}
    for atom, c in i.terms:
        if isinstance(atom, QVar):
            if atom.name in env:
                const += c * env[atom.name]
            else:
                open_[atom.name] = open_.get(atom.name, 0) + c
        elif isinstance(atom, Size):
            args = [partial(a, env, size) for a in atom.args]
            if any(a is None or a[1] for a in args):
                return None
            const += c * size(atom.name, tuple(a[0] for a in args if a is not None))
        else:
            return None
    return const, open_


def _range(name: str, guards: Sequence[Con], env: dict[str, int], size: SizeFn) -> tuple[int | None, int | None]:
    lo: int | None = None
    hi: int | None = None
    for g in guards:
        found = partial(g.expr, env, size)
        if found is None or set(found[1]) != {name} or g.kind == "ne":
            continue
        const, c = found[0], found[1][name]
        low: int | None = None
        high: int | None = None
        if g.kind == "eq":
            if const % c:
                return 0, -1
            low = high = -const // c
        elif c > 0:
            low = -(const // c)
        else:
            high = const // -c
        if low is not None:
            lo = low if lo is None else max(lo, low)
        if high is not None:
            hi = high if hi is None else min(hi, high)
    return lo, hi


def assignments(
    variables: Sequence[str], guards: Sequence[Con], size: SizeFn, depth: int, extra: int = 2
) -> list[tuple[int, ...]]:
    """Values of ``variables``, in a fixed order (bounded variables outermost)."""
    out: list[tuple[int, ...]] = []

    def extend(env: dict[str, int]) -> None:
        for g in guards:
            found = partial(g.expr, env, size)
            if found is not None and not found[1]:
                v = found[0]
                if v < 0 if g.kind == "ge" else (v == 0) != (g.kind == "eq"):
                    return
        rest = [v for v in variables if v not in env]
        if not rest:
            out.append(tuple(env[v] for v in variables))
            return
        ranges = {v: _range(v, guards, env, size) for v in rest}
        name = min(rest, key=lambda v: (ranges[v].count(None), ranges[v][0] is None, rest.index(v)))
        lo, hi = ranges[name]
        low = -1 if lo is None else lo
        high = max(low, depth) + extra if hi is None else hi
        for value in range(low, high + 1):
            extend({**env, name: value})

    extend({})
    return out
