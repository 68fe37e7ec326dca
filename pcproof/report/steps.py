"""From kernel items to a chain of rewriting steps.

An equation is proved in the kernel as a tree (transitivity, congruence,
leaves).  ``flatten`` reads it as the list of its leaves, each with the whole
term before and after it: ``a = b = c``.  Only reading, nothing is trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..language.index import Idx
from ..language.signature import Eq
from ..language.terms import App, Lam, Sum, Term, children, close, close_lam, rebuild
from ..proof.kernel import Item

Lift = Callable[[Term], Term]
NESTING = ("trans", "sym", "congruence", "sum_congruence", "argument_congruence", "weaken")


@dataclass(frozen=True)
class Step:
    """One leaf: the whole term ``before`` becomes ``after``.

    item: the kernel item of the leaf; backwards: used from right to left.
    ids: the leaf and the items that carry it into place.
    """

    before: Term
    after: Term
    item: Item
    backwards: bool
    ids: frozenset[int]


def below(items: Mapping[int, Item], number: int) -> list[int]:
    """The item and all that it rests on, other theorems that are only cited left out."""
    seen: set[int] = set()
    stack = [number]
    while stack:
        n = stack.pop()
        if n not in seen:
            seen.add(n)
            if items[n].rule != "instantiate":
                stack += items[n].premises
    return sorted(seen)


def _eq(item: Item) -> Eq:
    if not isinstance(item.claim, Eq):
        raise TypeError(f"item {item.id} is not an equation")
    return item.claim


def flatten(items: Mapping[int, Item], number: int) -> list[Step]:
    """The chain of steps that proves the equation of item ``number``."""
    return _chain(items, items[number], lambda t: t, False, frozenset())


def _chain(items: Mapping[int, Item], item: Item, lift: Lift, back: bool, ids: frozenset[int]) -> list[Step]:
    ids = ids | {item.id}
    parts = [items[p] for p in item.premises] if item.rule in NESTING else []
    if item.rule == "refl":
        return []
    if item.rule == "trans":
        order = parts[::-1] if back else parts
        return _spread(items, order, [_chain(items, p, lift, back, frozenset()) for p in order], ids)
    if item.rule in ("sym", "weaken"):
        return _chain(items, parts[0], lift, back != (item.rule == "sym"), ids)
    if item.rule == "congruence":
        return _congruence(items, item, parts, lift, back, ids)
    if item.rule == "sum_congruence":
        bound, name = item.arguments
        assert isinstance(bound, Idx)
        return _chain(items, parts[0], lambda t: lift(Sum(bound, close(t, name))), back, ids)
    if item.rule == "argument_congruence":
        position, names = item.arguments
        whole = _eq(item).lhs
        assert isinstance(whole, App)
        return _chain(items, parts[0], lambda t: lift(_with_argument(whole, position, names, t)), back, ids)
    claim = _eq(item)
    before, after = (claim.rhs, claim.lhs) if back else (claim.lhs, claim.rhs)
    ids = ids | frozenset(below(items, item.id))  # such as a != 0 for a (1/a) = 1, or both inequalities of an equation
    return [Step(lift(before), lift(after), item, back, ids)]


def _with_argument(whole: App, position: int, names: tuple[str, ...], body: Term) -> Term:
    args = list(whole.args)
    args[position] = Lam(len(names), close_lam(body, tuple(names)))
    return App(whole.name, whole.idx, args)


def _congruence(
    items: Mapping[int, Item], item: Item, parts: Sequence[Item], lift: Lift, back: bool, ids: frozenset[int]
) -> list[Step]:
    """Subterms one after the other; those already done stand in their new form."""
    whole = _eq(item).rhs if back else _eq(item).lhs
    now = [c for _, c in children(whole)]
    found: list[list[Step]] = []
    for k, p in enumerate(parts):
        state = list(now)

        def put(t: Term, k: int = k, state: list[Term] = state) -> Term:
            return lift(rebuild(whole, (*state[:k], t, *state[k + 1 :])))

        found.append(_chain(items, p, put, back, frozenset()))
        now[k] = _eq(p).lhs if back else _eq(p).rhs
    return _spread(items, parts, found, ids)


def _spread(
    items: Mapping[int, Item], parts: Sequence[Item], found: Sequence[list[Step]], ids: frozenset[int]
) -> list[Step]:
    """Join the chains of the parts; the items that carry or change nothing are counted with the first step."""
    out = [s for f in found for s in f]
    if out:
        quiet = (below(items, p.id) for p, f in zip(parts, found) if not f)
        s = out[0]
        out[0] = Step(s.before, s.after, s.item, s.backwards, s.ids.union(ids, *quiet))
    return out
