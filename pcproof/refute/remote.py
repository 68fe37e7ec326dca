"""Two states of a small network that agree in all that a site may read, and differ in its update.

A read outside the neighbourhood may be apparent only.  A ``Witness`` shows
that it is not: exact numbers for the activities and weights in force, one of
them changed (or two, where one alone always takes a neighbour with it),
everything in the neighbourhood the same (of a message through a weight, the
product), the update different.  Activities and weights of a running rule are
free here: the law of the update is asked for every state, reached or not;
where an update order mixes two times, their values are free of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from itertools import product
from random import Random
from typing import Any

from ..language.evaluate import EvaluationError, Evaluator, Model
from ..language.index import qvar
from ..language.show import show
from ..language.signature import FUNCTION, OPERATOR, PARAMETER, Theory
from ..language.terms import App, Sum, Term, free_vars, open_, symbols
from ..networks.network import Network
from ..rules.neighbourhood import Held, Site
from ..rules.reads import Obligation, Read
from .instance import IDENTITY, SQUARE, TABLE, Activation, Shape, functions

Env = dict[str, int]
Key = tuple[str, tuple[int, ...]]
Point = tuple[str, tuple[int, ...], Fraction]  # a function, its indices, where it is evaluated
ACTIVATIONS = (Activation(IDENTITY), Activation(SQUARE), Activation(TABLE), Activation(TABLE, seed=1))
VALUES = (1, 1, -1, 2)
QUICK, THOROUGH = 6, 24  # states tried of one size, place and activation
EFFORT, SECOND_LOOK = 16_000, 4_000  # changed states looked at: the same on every machine
DEPTHS, BATCHES = (1, 2, 3, 4), (1, 2)
ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True)
class State:
    """A concrete network; entries that are not listed are 0.

    points: values of functions that differ from those of the activation.
    """

    shape: Shape
    activation: Activation
    entries: Mapping[Key, Fraction]
    points: Mapping[Point, Fraction] = field(default_factory=dict)

    def evaluator(self, theory: Theory, site: Site, used: dict[Point, Fraction] | None = None) -> Evaluator:
        """An evaluator; activities and weights in force are read from the entries, constants are 1.

        used: receives the values of functions that are looked up.
        """
        apply = functions(theory, self.activation, self.shape.size)
        entries, points = self.entries, self.points

        def entry(name: str) -> Callable[..., Any]:
            default = ONE if name in site.constants else ZERO
            return lambda *idx: entries.get((name, idx), default)

        def function(name: str, arity: int) -> Callable[..., Any]:
            def call(*a: Any) -> Any:
                if callable(a[-1]):
                    return apply(name, a[:arity], a[arity:])
                at = (name, a[:arity], a[arity])
                value = points[at] if at in points else Fraction(apply(name, a[:arity], a[arity:]))
                if used is not None:
                    used[at] = value
                return value

            return call

        sizes: dict[str, Any] = dict(self.shape.constants)
        sizes |= {n: (lambda *a, n=n: self.shape.size(n, a)) for n in self.shape.tables}
        maps = {n: function(n, s.arity) for n, s in theory.symbols.items() if s.kind in (FUNCTION, OPERATOR)}
        given = {n for n, s in theory.symbols.items() if s.kind == PARAMETER} | _free(theory, site)
        return _Evaluator(theory, Model(sizes, {n: entry(n) for n in given}, maps))


class _Evaluator(Evaluator):
    """The reference evaluator, which opens each sum once."""

    def value(self, t: Term, env: Mapping[str, int]) -> Any:
        if not isinstance(t, Sum):
            return super().value(t, env)
        name = f"#{len(env)}"
        while name in env or name in free_vars(t.body):
            name += "#"
        body = _opened(t.body, name)
        out: Any = ZERO
        for k in range(self.index(t.bound, env)):
            out = out + self.value(body, {**env, name: k})
        return out


@lru_cache(maxsize=10_000)
def _opened(body: Term, name: str) -> Term:
    return open_(body, qvar(name))


def _free(theory: Theory, site: Site) -> set[str]:
    """Defined symbols that stand for themselves: activities and weights of a running rule."""
    return {n for n in site.timed if n in theory.symbols and not n.startswith(("mu", "eps"))}


@dataclass(frozen=True)
class Witness:
    """The update reads ``remote``: change a number and nothing that the site may read changes, but the update does.

    at: the site's indices.  changed: the entry or point, its old and new value (two where one depends on the other).
    remote: the quantity that was read, before and after.  update: before and after.
    alone: no other read outside the neighbourhood changes.
    """

    theory: Theory
    site: Site
    term: Term
    state: State
    after: State
    at: Env
    changed: str
    remote: tuple[str, Fraction, Fraction]
    update: tuple[Fraction, Fraction]
    alone: bool

    @property
    def place(self) -> str:
        """The updated entry in this network: ``theta[1,2,0,0]``."""
        return _place(self.site.updated, self.state.evaluator(self.theory, self.site), self.at)

    def updates(self) -> tuple[Fraction, Fraction]:
        """Evaluated again, by the reference evaluator."""
        before, after = (
            s.evaluator(self.theory, self.site).value(self.term, self.at) for s in (self.state, self.after)
        )
        return before, after

    def table(self) -> dict[str, str]:
        """Values of an activation that has no name, before the change, as far as the update needs them."""
        used: dict[Point, Fraction] = {}
        if self.state.activation.kind == TABLE:
            self.state.evaluator(self.theory, self.site, used).value(self.term, self.at)
        return {f"{_name((n, i))}({v})": str(value) for (n, i, v), value in sorted(used.items())}

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``: exact fractions as text."""
        shape = self.state.shape
        return {
            "sizes": dict(shape.constants),
            "widths": {n: list(v) for n, v in shape.tables.items()},
            "activation": self.state.activation.name,
            "table": self.table(),
            "entries": {_name(k): str(v) for k, v in sorted(self.state.entries.items()) if v},
            "changed": self.changed,
            "read": self.remote[0],
            "read_before": str(self.remote[1]),
            "read_after": str(self.remote[2]),
            "updated": self.place,
            "before": str(self.update[0]),
            "after": str(self.update[1]),
        }

    def __str__(self) -> str:
        shape = self.state.shape
        sizes = [f"{n} = {v}" for n, v in shape.constants.items()]
        sizes += [f"{n} = {', '.join(map(str, v))}" for n, v in shape.tables.items()]
        entries = ", ".join(f"{_name(k)} = {v}" for k, v in sorted(self.state.entries.items()) if v) or "everything 0"
        entries = ", ".join([entries, *(f"{n} = {v}" for n, v in self.table().items())])
        read, before, after = self.remote
        return (
            f"{'; '.join(sizes)}; f: {self.state.activation.name}; {entries}. Change {self.changed}: "
            f"{read} goes from {before} to {after}, nothing in the neighbourhood changes, "
            f"and the new {self.place} goes from {self.update[0]} to {self.update[1]}."
        )


def _name(key: Key) -> str:
    return show(App(key[0], key[1]))


def _place(term: App, ev: Evaluator, env: Env) -> str:
    return _name((term.name, tuple(ev.index(x, env) for x in term.idx)))


def find_witness(
    net: Network, theory: Theory, term: Term, obligations: Sequence[Obligation], which: Obligation, effort: int = EFFORT
) -> Witness | None:
    """The smallest network found in which the read of ``which`` changes the update ``term``, None if none is."""
    return _Search(net, theory, term, obligations, which).run(effort)


class _Search:
    """Depth, widths, batch, then site, activation and numbers; the order is fixed."""

    def __init__(
        self, net: Network, theory: Theory, term: Term, obligations: Sequence[Obligation], which: Obligation
    ) -> None:
        self.net, self.theory, self.term, self.which = net, theory, term, which
        self.left = 0  # changed states that may still be looked at
        self.pairs = False  # change two numbers, so that what depends on both may stay the same
        self.site = which.site
        self.lawful = [o.read for o in obligations if o.ok]
        self.others = [o.read for o in obligations if not o.ok and o.read.term is not which.read.term]
        used = symbols(term) | {h.symbol for h in self.site.may}
        free = _free(theory, self.site)
        stack = [n for n in used if n in theory.symbols]
        self.reached: set[str] = set()
        while stack:
            name = stack.pop()
            if name not in self.reached:
                self.reached.add(name)
                d = None if name in free else theory.definition(name)
                stack += [s for c in (d.cases if d else ()) for s in symbols(c.value)]
        self.maps = any(s.kind in (FUNCTION, OPERATOR) for s in theory.symbols.values())
        self.mixed = any(n.endswith("_mixed") for n in symbols(term))

    def run(self, effort: int) -> Witness | None:
        """One number changed; if that shows nothing, two."""
        for self.pairs in (False, True):
            self.left = effort // 2
            found = self._run()
            if found is not None:
                return found
        return None

    def _run(self) -> Witness | None:
        """A quick look at every size; if something is found, a longer one at the sizes before it."""
        sizes = list(self._shapes())
        for n, shape in enumerate(sizes):
            found = self._look(shape, QUICK)
            if found is not None:
                self.left = SECOND_LOOK
                earlier = (self._look(s, THOROUGH) for s in sizes[:n] if self.left > 0)
                return self._simplified(next((w for w in earlier if w is not None), found))
            if self.left <= 0:
                break
        return None

    def _look(self, shape: Shape, baselines: int) -> Witness | None:
        """A witness of this size, best one in which nothing else outside the neighbourhood changes."""
        spare: Witness | None = None
        for activation in ACTIVATIONS if self.maps else ACTIVATIONS[:1]:
            for env in self._places(shape):
                for w in self._at(shape, activation, env, baselines):
                    if w.alone:
                        return w
                    spare = spare or w
                if self.left <= 0:
                    return spare
        return spare

    # -- sizes and places ------------------------------------------------------------
    def _shapes(self) -> Iterator[Shape]:
        constants = {n: 1 for n, arity in self.theory.sizes.items() if not arity}
        tables = [n for n, arity in self.theory.sizes.items() if arity]
        for depth in DEPTHS:
            ones = (1,) * (depth + 1)
            wider = [tuple(2 if k == n else 1 for k in range(depth + 1)) for n in range(depth + 1)]
            for widths in (ones, *wider, (2,) * (depth + 1)):
                for batch in BATCHES:
                    fixed = {n: depth if n == "L" else batch if n == "B" else v for n, v in constants.items()}
                    yield Shape(fixed, dict.fromkeys(tables, widths))

    def _places(self, shape: Shape) -> Iterator[Env]:
        """Indices of the site that meet its guards, at the first time possible."""
        ev = State(shape, ACTIVATIONS[0], {}).evaluator(self.theory, self.site)
        names = [n for n in self.site.variables if n != "t"]
        ranges = [range(shape.depth + 1) if n == "l" else range(2) for n in names]
        for values in product(*ranges):
            env = dict(zip(names, values))
            for t in range(shape.depth + 3) if "t" in self.site.variables else (0,):
                here = {**env, "t": t} if "t" in self.site.variables else env
                if all(ev.holds(c, here) for c in self.site.guards):
                    if self._complete(shape, ev, here):
                        yield here
                    break

    def _complete(self, shape: Shape, ev: Evaluator, env: Env) -> bool:
        """Does everything that is read at this place exist?"""
        return all(
            self._exists(shape, ev, self._key(ev, r.term, here))
            for r in (*self.lawful, *self.others, self.which.read)
            if not r.function
            for here in self._instances(ev, r, env)
        )

    def _exists(self, shape: Shape, ev: Evaluator, key: Key) -> bool:
        name, idx = key
        idx = idx[1:] if name in self.site.timed else idx
        if name in ("s_in", "s_out"):
            idx = (shape.depth if name == "s_in" else 0, *idx)
        if name in ("x", "y", "s_in", "s_out", "delta") or name.startswith(("mu", "eps")):
            last = shape.depth - (name.startswith(("mu", "eps")) or name == "delta")
            limits = (shape.constants.get("B", 1), shape.size("n", idx[:1]))
            return 0 <= idx[0] <= last and all(0 <= v < n for v, n in zip(idx[1:], limits))
        for k in self.net.kinds:
            if name in (k.name, k.initial):
                bounds = [ev.index(x, {"m": idx[0]}) for x in k.bounds(qvar("m"))]
                return 1 <= idx[0] <= shape.depth and all(0 <= v < n for v, n in zip(idx[1:], bounds))
        return True  # a constant

    def _instances(self, ev: Evaluator, read: Read, env: Env) -> Iterator[Env]:
        """Values of the bound indices at which the read happens."""

        def go(n: int, here: Env) -> Iterator[Env]:
            if n == len(read.bound):
                if all(ev.holds(c, here) for c in read.guards):
                    yield here
                return
            name, bound = read.bound[n]
            for v in range(ev.index(bound, here)):
                yield from go(n + 1, {**here, name: v})

        return go(0, env)

    def _key(self, ev: Evaluator, term: App, env: Env) -> Key:
        return term.name, tuple(ev.index(x, env) for x in term.idx)

    def _allowed(self, ev: Evaluator, env: Env) -> dict[Key, list[Key]]:
        """The neighbourhood, entry by entry; a list that is not empty holds the weights through which it is read."""
        out: dict[Key, list[Key]] = {}
        times: Sequence[int] = ()
        if self.site.window is not None:
            low, high = (ev.index(x, env) for x in self.site.window)
            times = range(max(low, 0), high + 1)

        def entries(name: str, idx: tuple[int, ...]) -> list[Key]:
            if name not in self.theory.symbols:
                return []
            return [(name, (t, *idx)) for t in times] if name in self.site.timed else [(name, idx)]

        def add(h: Held, here: Env, rest: Sequence[Any]) -> None:
            if rest:
                (name, bound), *more = rest
                for v in range(max(0, ev.index(bound, here))):
                    add(h, {**here, name: v}, more)
                return
            if h.layer is not None and h.last is not None:
                if not ev.index(h.first, here) <= ev.index(h.layer, here) <= ev.index(h.last, here):
                    return
            if h.output and h.layer is not None and ev.index(h.layer, here) != 0:
                return
            weights: list[Key] = []
            for w in h.weights if h.through is not None else ():
                assert h.through is not None
                weights += entries(w, tuple(ev.index(x, here) for x in h.through))
            for key in entries(h.symbol, tuple(ev.index(x, here) for x in h.idx)):
                out[key] = [] if out.get(key) == [] else weights

        for h in self.site.may:
            add(h, env, h.free)
        return out

    def _entries(self, shape: Shape, ev: Evaluator, env: Env) -> list[Key]:
        """Every number of the state that may be changed."""
        depth, batch = shape.depth, shape.constants.get("B", 1)
        states = [(m, s, u) for m in range(depth + 1) for s in range(batch) for u in range(shape.size("n", (m,)))]
        out: list[Key] = []
        times: list[int] = []
        if self.site.window is not None:
            low, high = (ev.index(x, env) for x in self.site.window)
            times = [t for t in range(low, high + 1) if t >= 0] if self.mixed else []
            for r in (*self.lawful, self.which.read, *self.others):
                if r.term.name in self.site.timed:
                    times += [ev.index(r.term.idx[0], here) for here in self._instances(ev, r, env)]
        for t in sorted(set(times)):
            out += [("x", (t, *s)) for s in states]
        for k in self.net.kinds:
            for m in range(1, depth + 1):
                bounds = [ev.index(x, {"m": m}) for x in k.bounds(qvar("m"))]
                for units in product(*map(range, bounds)):
                    out += [(k.name, (t, m, *units)) for t in sorted(set(times))]
                    out.append((k.initial, (m, *units)))
        out += [("s_in", (s, u)) for m, s, u in states if m == depth]
        out += [("s_out", (s, u)) for m, s, u in states if m == 0]
        return [key for key in out if key[0] in self.reached]

    # -- one network -----------------------------------------------------------------
    def _at(self, shape: Shape, activation: Activation, env: Env, baselines: int) -> Iterator[Witness]:
        ev = State(shape, activation, {}).evaluator(self.theory, self.site)
        allowed = self._allowed(ev, env)
        spots = [e for e in self._instances(ev, self.which.read, env) if self._remote(ev, e, allowed)]
        if not spots:
            return
        keys = self._entries(shape, ev, env)
        random = Random(0)
        for n in range(baselines):
            zeros = (0,) * (1, 4, 12)[n % 3]
            values = [ONE if n == 0 else Fraction(random.choice((*VALUES, *zeros))) for _ in keys]
            yield from self._from(State(shape, activation, dict(zip(keys, values))), env, spots, allowed)

    def _remote(self, ev: Evaluator, here: Env, allowed: dict[Key, list[Key]]) -> bool:
        """Does this instance of the read stand outside the neighbourhood (or, inside, not behind its weight)?"""
        return self.which.read.function or allowed.get(self._key(ev, self.which.read.term, here), [("", ())]) != []

    def _from(self, state: State, env: Env, spots: list[Env], allowed: dict[Key, list[Key]]) -> Iterator[Witness]:
        ev = state.evaluator(self.theory, self.site)
        try:
            update = ev.value(self.term, env)
            reads = [self._value(ev, self.which.read, s) for s in spots]
            plain = self.which.read.function and not any(a.arity for a in self.which.read.term.args)
            points = [self._point(ev, self.which.read, s) for s in spots] if plain else []
        except EvaluationError:
            return  # the read does not exist in this network
        info = self._info(ev, env, allowed)
        others = self._others(ev, env)
        for after in self._changes(state, ev, env, spots, allowed, reads, points, info):
            self.left -= 1
            w = self._compare(state, after, env, spots, allowed, update, reads, points, info, others)
            if w is not None:
                yield w

    def _changes(
        self, state: State, ev: Evaluator, env: Env, spots: list[Env], allowed: dict[Key, list[Key]],
        reads: list[Any], points: list[Point], info: list[Any],
    ) -> Iterator[State]:  # fmt: skip
        """States in which one number is another; or two are, whose effects on the neighbourhood may cancel."""
        single = {k: replace(state, entries={**state.entries, k: v + 1}) for k, v in state.entries.items()}
        if not self.pairs:
            yield from single.values()
            for p in dict.fromkeys(points):
                yield replace(state, points={p: Fraction(ev.model.functions[p[0]](*p[1], p[2])) + 1})
            return
        effects: dict[Key, list[Fraction]] = {}
        self.left -= len(single)
        for k, after in single.items():
            now = self._info(after.evaluator(self.theory, self.site), env, allowed)
            if any((u is None) != (v is None) for u, v in zip(now, info)):
                return
            effects[k] = [u - v for u, v in zip(now, info) if u is not None]
        for k, after in single.items():
            ev = after.evaluator(self.theory, self.site)
            if any(self._value(ev, self.which.read, s) != v for s, v in zip(spots, reads)):
                for other, effect in effects.items():
                    for by in (1, -1) if other != k else ():
                        if all(u + by * v == 0 for u, v in zip(effects[k], effect)):
                            yield replace(after, entries={**after.entries, other: state.entries[other] + by})

    def _compare(
        self, state: State, after: State, env: Env, spots: list[Env], allowed: dict[Key, list[Key]],
        update: Fraction, reads: list[Any], points: list[Point], info: list[Any], others: list[Any],
    ) -> Witness | None:  # fmt: skip
        ev = after.evaluator(self.theory, self.site)
        moved = next((n for n, s in enumerate(spots) if self._value(ev, self.which.read, s) != reads[n]), None)
        if moved is None:
            return None
        now = ev.value(self.term, env)
        if now == update or self._info(ev, env, allowed) != info:
            return None
        name = _place(self.which.read.symbol, ev, spots[moved])
        if points:
            name += f" at {points[moved][2]}"
        remote = (name, reads[moved], self._value(ev, self.which.read, spots[moved]))
        alone = self._others(ev, env) == others
        changed = [
            f"{_name(k)} from {v} to {after.entries[k]}" for k, v in state.entries.items() if after.entries[k] != v
        ]
        if after.points:
            functions_before = state.evaluator(self.theory, self.site).model.functions
            for (f, idx, v), new in after.points.items():
                changed.append(f"the value of {_name((f, idx))} at {v} from {functions_before[f](*idx, v)} to {new}")
        text = " and ".join(changed)
        return Witness(self.theory, self.site, self.term, state, after, env, text, remote, (update, now), alone)

    def _value(self, ev: Evaluator, read: Read, here: Env) -> Fraction:
        return Fraction(ev.value(read.term, here))

    def _point(self, ev: Evaluator, read: Read, here: Env) -> Point:
        name, idx = self._key(ev, read.term, here)
        return name, idx, Fraction(ev.value(read.term.args[0].body, here))

    def _others(self, ev: Evaluator, env: Env) -> list[Any]:
        return [self._value(ev, r, here) for r in self.others for here in self._instances(ev, r, env)]

    def _info(self, ev: Evaluator, env: Env, allowed: dict[Key, list[Key]]) -> list[Any]:
        """All that the site may know: its neighbourhood, functions of it, and the lawful reads of its update."""
        out: list[Any] = []
        units = [n for n, s in self.theory.symbols.items() if s.kind == FUNCTION and s.ranges == ((),)]
        for key, weights in allowed.items():
            value = self._known(ev, key)
            if weights:
                out += [
                    None if value is None else w * value for w in (self._known(ev, x) for x in weights) if w is not None
                ]
                continue
            out.append(value)
            if key[0] in ("x", "y") and value is not None:
                layer = key[1][-3]
                out += [ev.model.functions[f](layer, value) for f in units]
        for r in self.lawful:
            if not r.function:
                for here in self._instances(ev, r, env):
                    key = self._key(ev, r.term, here)
                    if not allowed.get(key):
                        out.append(self._value(ev, r, here))
        if self.which.read.function:
            out += [self._value(ev, r, here) for r in self.lawful if r.function for here in self._instances(ev, r, env)]
        return out

    def _known(self, ev: Evaluator, key: Key) -> Fraction | None:
        try:
            return Fraction(ev.call(*key))
        except EvaluationError:
            return None  # there is no such thing at this time

    def _simplified(self, w: Witness) -> Witness:
        """The same with as many zeros and ones as there can be."""
        ev = w.state.evaluator(self.theory, self.site)
        allowed = self._allowed(ev, w.at)
        spots = [e for e in self._instances(ev, self.which.read, w.at) if self._remote(ev, e, allowed)]
        identity = replace(w.state, activation=ACTIVATIONS[0])
        w = next((v for v in self._from(identity, w.at, spots, allowed) if v.alone >= w.alone), w)
        for key in sorted(w.state.entries):
            for value in (ZERO, ONE):
                if w.state.entries[key] == value:
                    break
                simpler = replace(w.state, entries={**w.state.entries, key: value})
                found = next((v for v in self._from(simpler, w.at, spots, allowed) if v.alone >= w.alone), None)
                if found is not None:
                    w = found
                    break
        return w
