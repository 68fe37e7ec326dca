"""Who is whose neighbour: what each neuron and each synapse of a network may read.

theta[l,i,j] joins unit j of layer l (which sends) to unit i of layer l-1 (which
receives and is predicted).  A unit is a value node x and an error node eps.

=============  ===================================================================
value node     of unit i of layer l: own x, mu, eps and bias; own weights theta[l,k,i];
               eps of unit k of layer l-1, only as a factor of theta[l,k,i], that is
               through the own weight
error node     own x, mu and bias; weights theta[l+1,i,j]; x of unit j of layer l+1,
               only through theta[l+1,i,j]
gate           of a rule that learns by its errors: phi of a unit reads the unit's own eps,
               and its own memory of earlier ones
synapse        theta[l,i,j] itself; x, mu, eps, phi and bias of unit j of layer l and of unit
               i of layer l-1, of every sample of the batch
bias           beta[l,i] itself; the same of unit i of layer l-1
clamped unit   its own entry of the input or of the target
function       f and f' of the unit whose quantity they are applied to; a value node
               may apply its own to anything that it reads
=============  ===================================================================

Where activities start at the forward pass, a unit may have kept its own forward
value y; a weight may be read as it is or as it was at the start (w).  Of a
running rule everything is read in the step in hand, at t or t+1.

Constants of the rule (gamma, alpha, what depends on layer or time only) are
known to all: whether a clock or a phase signal is needed is a question of
autonomy, not of locality.  In a ``Chain`` the map of a layer may join all its
units and parameters, so there "own" means "of the own layer".

The ANN that backprop trains has the same units and synapses.  A unit holds its
activity y, an output unit its target too; nothing holds delta.

Source: Song et al. (2020), section 1, eqs 5-9 and Table 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..language.arith import unsatisfiable
from ..language.index import Con, Idx, QVar, eq, ge, le, lt, qvar, span
from ..language.show import show
from ..language.terms import App, subst_con
from ..networks.chain import Chain
from ..networks.mlp import MLP
from ..networks.network import B, L, Network, WeightKind, width
from .equations import PHI, QUIET, VELOCITY, Equations, RuleError
from .sweeps import SWEEPS

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")
Free = tuple[tuple[str, Idx], ...]  # index variables with their upper bounds; the lower one is 0


@dataclass(frozen=True)
class Held:
    """Something that a site may read: ``symbol`` at ``idx``, for all values of ``free`` in range.

    layer: of the unit that holds it, None for a weight.  first, last: the layers where there is such a thing.
    through: only as a factor of the weight at this place, which is called by any of ``weights``.
    output: at the output layer only.
    """

    symbol: str
    idx: tuple[Idx, ...]
    role: str
    layer: Idx | None = None
    first: Idx = Idx(0)
    last: Idx | None = None
    free: Free = ()
    through: tuple[Idx, ...] | None = None
    weights: tuple[str, ...] = ()
    output: bool = False


@dataclass(frozen=True)
class Site:
    """A neuron or synapse that is updated: ``updated`` gets a new value wherever ``guards`` hold.

    may: its neighbourhood, without times.  window: first and last time at which it may read, None if there is no time.
    own: the layer whose functions it may apply to anything that it reads.  layers: those of its units.
    timed: symbols whose first index is the time.  constants: known to all.
    """

    kind: str
    updated: App
    variables: tuple[str, ...]
    guards: tuple[Con, ...]
    may: tuple[Held, ...]
    window: tuple[Idx, Idx] | None = None
    own: Idx | None = None
    layers: tuple[Idx, ...] = ()
    timed: frozenset[str] = frozenset()
    constants: frozenset[str] = frozenset()
    note: str = ""

    def __str__(self) -> str:
        note = f", {self.note}" if self.note else ""
        return f"{self.kind}{note}: {show(self.updated)}"


def _weights(k: WeightKind, idx: tuple[Idx, ...], role: str, free: Free = ()) -> tuple[Held, ...]:
    # the layer of a weight is not one of units: it counts for its range only
    return (Held(k.name, idx, role, free=free), Held(k.initial, idx, f"{role}, as it was at the start", free=free))


@dataclass(frozen=True)
class Neighbourhood:
    """What may be read, by kind of site.  See the table at the head of the module.

    forward: activities start at the forward pass, so that a unit may have kept its forward value.
    Raises RuleError for a network that is neither an MLP nor a Chain.
    """

    net: Network
    forward: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.net, (MLP, Chain)):
            raise RuleError(f"locality is defined for MLP and Chain; of {self.net.name} no neighbourhood is known")

    @property
    def coarse(self) -> bool:
        """Is the neighbourhood one of layers and not of units?"""
        return isinstance(self.net, Chain)

    def unit(self, layer: Idx, unit: Idx, whose: str, sample: Idx = b, free: Free = ()) -> tuple[Held, ...]:
        """What is held at a unit: value node and error node, bias, forward value."""
        over = ", over the batch" if free else ""
        if self.coarse:
            unit, whose, free = qvar("?u"), f"{whose} layer's", (*free, ("?u", width(layer)))
        at = (layer, sample, unit)
        out = [Held("x", at, f"{whose} activity{over}", layer, last=L, free=free)]
        for name, word in (("mu", "prediction"), ("eps", "error")):
            for form in (name, f"{name}_mixed"):
                out.append(Held(form, at, f"{whose} {word}{over}", layer, last=L - 1, free=free))
        out.append(Held(PHI, at, f"{whose} factor of learning{over}", layer, last=L - 1, free=free))
        if self.forward:
            out.append(Held("y", at, f"{whose} forward value{over}", layer, last=L, free=free))
        for k in self.net.kinds:
            if len(k.units) == 1 and not self.coarse:
                for form, word in ((k.name, "bias"), (k.initial, "bias, as it was at the start")):
                    out.append(Held(form, (layer + 1, unit), f"{whose} {word}", layer, last=L - 1))
        return tuple(out)

    def value_node(self) -> tuple[Held, ...]:
        k, below = qvar("?k"), ("?k", width(l - 1))
        out = list(self.unit(l, i, "own"))
        for kind in self.net.kinds:
            names = (kind.name, kind.initial)
            if self.coarse:
                out += _weights(kind, (l, k), "parameter of the own layer", (("?k", kind.bounds(l)[0]),))
                role = "error of the layer that it predicts"
                out += [Held(e, (l - 1, b, k), role, l - 1, last=L - 1, free=(below,)) for e in ("eps", "eps_mixed")]
            elif len(kind.units) == 2:
                out += _weights(kind, (l, k, i), "own weight to a unit that it predicts", (below,))
                role = "error of a unit that it predicts, through the own weight"
                for e in ("eps", "eps_mixed"):
                    place = (l, k, i)
                    out.append(Held(e, (l - 1, b, k), role, l - 1, Idx(0), L - 1, (below,), place, names))
        return tuple(out)

    def error_node(self) -> tuple[Held, ...]:
        j, above = qvar("?j"), ("?j", width(l + 1))
        out = [h for h in self.unit(l, i, "own") if not h.symbol.startswith("eps")]
        for kind in self.net.kinds:
            names = (kind.name, kind.initial)
            if self.coarse:
                role = "parameter of the layer that predicts it"
                out += _weights(kind, (l + 1, j), role, (("?j", kind.bounds(l + 1)[0]),))
                out.append(
                    Held("x", (l + 1, b, j), "activity of the layer that predicts it", l + 1, last=L, free=(above,))
                )
            elif len(kind.units) == 2:
                out += _weights(kind, (l + 1, i, j), "own weight from a unit that predicts it", (above,))
                role = "activity of a unit that predicts it, through the own weight"
                out.append(Held("x", (l + 1, b, j), role, l + 1, Idx(0), L, (above,), (l + 1, i, j), names))
        return tuple(out)

    def gate(self, memory: Idx) -> tuple[Held, ...]:
        """What the factor of a unit, and its memory, may read; ``memory``: of which window."""
        own = [h for h in self.unit(l, i, "own") if h.symbol == "eps"]
        return (*own, Held(QUIET, (memory, l, b, i), "own memory of earlier errors"))

    def synapse(self, kind: WeightKind) -> tuple[Held, ...]:
        sample, samples = qvar("?b"), (("?b", B),)
        units = tuple(qvar(u) for u in kind.units)
        if self.coarse:
            out = list(_weights(kind, (l, qvar("?p")), "parameter of the own layer", (("?p", kind.bounds(l)[0]),)))
            out += self.unit(l, i, "own", sample, samples)
            return (*out, *self.unit(l - 1, i, "predicted", sample, samples))
        out = list(_weights(kind, (l, *units), "own weight" if len(units) == 2 else "own bias"))
        out += self.unit(l - 1, units[0], "postsynaptic" if len(units) == 2 else "own unit's", sample, samples)
        if len(units) == 2:
            out += self.unit(l, units[1], "presynaptic", sample, samples)
        return tuple(out)


def sites(e: Equations) -> tuple[Site, ...]:
    """Every neuron and synapse of a running rule, in the terms of ``equations.timed_theory``."""
    net = e.net
    near = Neighbourhood(net, e.start is App("y", (l, b, i)))
    moving = {VELOCITY} if e.momentum is not None else set()
    own = {PHI, QUIET, *moving, *(k.name for k in net.kinds)}
    timed = frozenset({"x", "mu", "eps", "mu_mixed", "eps_mixed", *own})
    constants = frozenset({"alpha", *(p.name for p in e.parameters)})
    state = (*span(b, 0, B), *span(i, 0, width(l)))
    now, start, after = (t, t), (Idx(0), Idx(0)), (t, t + 1)
    out: list[Site] = []

    def site(
        kind: str, updated: App, guards: tuple[Con, ...], may: tuple[Held, ...], window: tuple[Idx, Idx],
        own: Idx | None = None, layers: tuple[Idx, ...] = (), note: str = "",
    ) -> None:  # fmt: skip
        if unsatisfiable((*net.assumptions, *guards)):
            return  # a rule that learns at every step is never at rest
        used = {a.name for x in updated.idx for a in x.atoms() if isinstance(a, QVar)}
        names = tuple(n for n in ("t", "k", "l", "b", "i", "j", "p") if n in used)
        out.append(Site(kind, updated, names, guards, may, window, own, layers, timed, constants, note))

    for note, data, layer in (("input, clamped", "s_in", L), ("output, clamped", "s_out", Idx(0))):
        entry: tuple[Held, ...] = (Held(data, (b, i), "own entry of the data", l),)
        if data == "s_out" and e.output is not None and near.forward:
            entry += (Held("y", (l, b, i), "own forward value", l, last=L),)
        site("value node", App("x", (t, l, b, i)), (ge(t, 0), eq(l, layer), *state), entry, now, note=note)
    first = (Held("mu", (l, b, i), "own prediction", l), Held("y", (l, b, i), "own forward value", l))
    site("value node", App("x", (0, l, b, i)), (ge(l, 1), lt(l, L), *state), first, start, own=l, note="at the start")
    last = (Held(VELOCITY, (l, b, i), "own last move", l),) if moving else ()
    for c in e.step:
        for name in ("x", *sorted(moving)):
            updated = App(name, (t + 1, l, b, i))
            site("value node", updated, (ge(t, 0), *c.guard, *state), (*near.value_node(), *last), after, own=l)
    inner = (ge(l, 0), lt(l, L), *state)
    for name in ("mu", "eps"):
        site("error node", App(name, (t, l, b, i)), (ge(t, 0), *inner), near.error_node(), now, layers=(l, l + 1))
    if e.order in ("weights-first", "states-first-fresh"):
        mixed, since = (t, t + 1), ge(t, 0)
        if e.order == "weights-first":  # errors of time t look at the activities of t - 1
            mixed, since = (t - 1, t), ge(t, 1)
        for name in ("mu_mixed", "eps_mixed"):
            site("error node", App(name, (t, l, b, i)), (since, *inner), near.error_node(), mixed, layers=(l, l + 1))
    if e.order in SWEEPS:
        error = App("eps_mixed", (t, l, b, i))
        site("error node", error, (ge(t, 0), *inner), near.error_node(), after, layers=(l, l + 1))
    if e.gate is not None:
        site("gate", App(PHI, (t, l, b, i)), (ge(t, 0), *inner), near.gate(e.gate.window), now)
        if e.gate.past is not None:
            m = qvar("k")
            memory, kept = App(QUIET, (t, m, l, b, i)), near.gate(m - 1)
            site("gate", memory, (eq(t, 0), ge(m, 0), *inner), kept, start, note="memory at the start")
            site("gate", memory, (ge(t, 1), eq(m, 0), *inner), kept, now, note="memory of no time")
            site("gate", memory, (ge(t, 1), ge(m, 1), *inner), kept, (t - 1, t), note="memory")
    for k in net.kinds:
        units = tuple(qvar(u) for u in k.units)
        ranges = tuple(c for u, bound in zip(units, k.bounds(l)) for c in span(u, 0, bound))
        word = "parameter" if near.coarse else "synapse" if len(units) == 2 else "bias"
        updated, may = App(k.name, (t + 1, l, *units)), near.synapse(k)
        site(word, App(k.name, (0, l, *units)), (ge(l, 1), le(l, L), *ranges), may, start, note="at the start")
        begun = t + 1 - e.substeps  # what is written at t + 1 was learnt from the errors of this time
        learning, reach = subst_con(e.when, {"t": begun}), (begun, t + 1)
        for c in e.change[k.name]:
            guards = (ge(begun, 0), learning, *c.guard, *ranges)
            site(word, updated, guards, may, reach, layers=(l, l - 1), note="learning")
        for other in learning.negations():
            site(word, updated, (ge(begun, 0), ge(l, 1), le(l, L), other, *ranges), may, reach, note="at rest")
        if e.substeps > 1:
            site(
                word,
                updated,
                (ge(t, 0), le(begun + 1, 0), ge(l, 1), le(l, L), *ranges),
                may,
                reach,
                note="in the first time step",
            )
    return tuple(out)


def backprop_sites(net: Network) -> tuple[Site, ...]:
    """The synapses of the ANN, in the terms of ``networks.gradients.backprop_theory``: layer 1, layer 2, the others."""
    near = Neighbourhood(net)
    sample, samples = qvar("?b"), (("?b", B),)
    out: list[Site] = []

    def plain(found: Iterable[Held]) -> list[Held]:
        """Of these what an ANN has: weights that are only one, and y, which is its activity."""
        kept = {"y", *(k.initial for k in net.kinds)}
        words = ((", as it was at the start", ""), ("forward value", "activity"))
        out = []
        for h in found:
            if h.symbol in kept:
                role = h.role
                for old, new in words:
                    role = role.replace(old, new)
                out.append(replace(h, role=role))
        return out

    def at(layer: Idx, unit: Idx, whose: str) -> list[Held]:
        found = plain(near.unit(layer, unit, whose, sample, samples))
        y = found[0]
        target = replace(y, symbol="s_out", idx=y.idx[1:], role=y.role.replace("activity", "target"), output=True)
        return [*found, target]

    for k in net.kinds:
        units = tuple(qvar(u) for u in k.units)
        ranges = tuple(c for u, bound in zip(units, k.bounds(l)) for c in span(u, 0, bound))
        may = [h for h in plain(near.synapse(k)) if h.symbol == k.initial and h.layer is None]
        if near.coarse:
            may += [*at(l, i, "own"), *at(l - 1, i, "predicted")]
        else:
            may += at(l - 1, units[0], "postsynaptic" if len(units) == 2 else "own unit's")
            may += at(l, units[1], "presynaptic") if len(units) == 2 else []
        word = "parameter" if near.coarse else "synapse" if len(units) == 2 else "bias"
        updated, names = App(k.initial_change, (l, *units)), ("l", *k.units)
        constants = frozenset({"alpha"})
        for where in ((eq(l, 1),), (eq(l, 2), le(l, L)), (ge(l, 3), le(l, L))):
            guards = (*where, *ranges)
            out.append(Site(word, updated, names, guards, tuple(may), layers=(l, l - 1), constants=constants))
    return tuple(out)
