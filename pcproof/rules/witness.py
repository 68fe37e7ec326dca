"""A rule on one family of small networks: one unit a layer, numbers as weights, data and activations.

What equality with backprop there says of the rule's parameters is necessary
for equality everywhere.  The networks are instances of the rule's own theory:
widths and batch become 1, weights, biases, data and activations terms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from ..language.index import Con, Idx, Size, eq, ge, le, lt, qvar, size
from ..language.signature import Case, Claim, Definition, Eq, Ne, Relation, Statement, Theory
from ..language.terms import (
    ONE,
    ZERO,
    App,
    Iverson,
    Num,
    Pow,
    Sum,
    Term,
    add,
    children,
    mul,
    open_,
    rebuild,
    subst,
    subst_idx,
)
from ..networks.network import L
from .equations import EVERY_STEP, Equations, written
from .scaled import Factors

Script = Callable[[Any, Claim, Term], Any]
ONES = ("n", "m", "B")  # widths, parameters of a layer and the batch become 1
MEETS = "equal_"  # hypotheses: on this network the rule is backprop


@dataclass(frozen=True)
class Witness:
    """A network for every depth: weights 1 but for those of the first layers, input 1.

    weights: of layers 1, 2, ...; target: s_out.  constant: from this layer on
    the activation is 1, before it the identity; None: the identity everywhere.
    layer: name of a layer, any one; its weight is 0, after it the activation is 1.
    """

    weights: tuple[Fraction, ...] = ()
    target: Fraction = Fraction(2)
    constant: int | None = None
    layer: str = ""

    @property
    def ends(self) -> Idx | None:
        """The first layer whose activation is 1."""
        return size(self.layer) + 1 if self.layer else None if self.constant is None else Idx(self.constant)

    def weight(self, layer: Idx) -> Term:
        """The weight of a layer."""
        own = dict(enumerate(self.weights, 1))
        if self.layer:
            at = layer - size(self.layer)
            if not at.terms:
                return ZERO if at.const == 0 else ONE
            return add(Iverson((ge(at, 1),)), Iverson((le(at, -1),)))
        if not layer.terms:
            return Num(own.get(layer.const, 1))
        parts = [mul(Num(v), Iverson((eq(layer, n),))) for n, v in own.items()]
        return add(*parts, Iverson((ge(layer, len(own) + 1),))) if own else ONE

    def text(self) -> str:
        """The network in words."""
        if self.layer:
            k = self.layer
            f = f"f_l = 1 for l > {k}, the identity up to {k}, w[{k}] = 0, other weights 1"
            return f"width 1, {f}, x = 1, target {self.target}, for every {k}"
        f = "f = identity" if self.constant is None else f"f_l = 1 for l >= {self.constant}, the identity below"
        own = [f"w[{n}] = {w}" for n, w in enumerate(self.weights, 1) if w != 1]
        own.append("other weights 1" if own else "weights 1")
        return ", ".join(["width 1", f, *own, f"x = 1, target {self.target}"])


def _one(i: Idx) -> Idx:
    return i.replace(lambda a: Idx(1) if isinstance(a, Size) and a.name in ONES else None)


def _con(c: Con) -> Con:
    return Con(c.kind, _one(c.expr))


class _Instance:
    def __init__(self, w: Witness, net_initial: Mapping[str, str]) -> None:
        self.w, self.initial = w, net_initial

    def term(self, t: Term) -> Term:
        if isinstance(t, Sum):
            bound = _one(t.bound)
            return self.term(open_(t.body, 0)) if bound == Idx(1) else Sum(bound, self.term(t.body))
        if isinstance(t, App):
            return self._app(App(t.name, map(_one, t.idx), t.args))
        if isinstance(t, Pow):
            return Pow(self.term(t.base), _one(t.exponent))
        if isinstance(t, Iverson):
            return Iverson(_con(c) for c in t.cons)
        parts = [self.term(c) for _, c in children(t)]
        name = type(t).__name__
        return add(*parts) if name == "Add" else mul(*parts) if name == "Mul" else rebuild(t, parts)

    def _app(self, t: App) -> Term:
        if t.name in ("f", "df"):
            return self._activation(t.name, t.idx[0], self.term(t.args[0].body))
        if t.name in ("P", "Jp", "Jx"):  # one parameter times the activation of one unit
            parameter, activity = (self.term(open_(a.body, 0)) for a in t.args)
            if t.name == "Jx":
                return mul(parameter, self._activation("df", t.idx[0], activity))
            own = self._activation("f", t.idx[0], activity)
            return own if t.name == "Jp" else mul(parameter, own)
        if t.name == self.initial.get("theta"):
            return self.w.weight(t.idx[0])
        if t.name == self.initial.get("beta"):
            return ZERO
        if t.name == "s_in":
            return ONE
        if t.name == "s_out":
            return Num(self.w.target)
        return t

    def _activation(self, name: str, layer: Idx, argument: Term) -> Term:
        inner, outer = (argument, ONE) if name == "f" else (ONE, ZERO)
        if self.w.ends is None:
            return inner
        at = layer - self.w.ends
        if not at.terms:
            return outer if at.const >= 0 else inner
        far = ge(at, 0)
        return add(mul(Iverson((far.negations()[0],)), inner), mul(Iverson((far,)), outer))

    def relation(self, r: Relation) -> Relation:
        assert isinstance(r, (Eq, Ne))
        return type(r)(self.term(r.lhs), self.term(r.rhs))

    def statement(self, s: Statement) -> Statement:
        return Statement(s.variables, tuple(map(_con, s.guards)), self.relation(s.relation))

    def theory(self, theory: Theory) -> Theory:
        gone = {"f", "df", "P", "Jp", "Jx", "s_in", "s_out", *self.initial.values()}
        groups = tuple(
            tuple(
                Definition(
                    d.name,
                    d.params,
                    tuple(Case(tuple(map(_con, c.guard)), self.term(c.value)) for c in d.cases),
                    tuple(map(_one, d.measure)),
                )
                for d in group
            )
            for group in theory.definitions
        )
        return Theory(
            {n: a for n, a in theory.sizes.items() if n not in ONES},
            theory.assumptions,
            {n: s for n, s in theory.symbols.items() if n not in gone},
            groups,
            {n: self.statement(s) for n, s in theory.hypotheses.items()},
        )


def network_text(claim: Claim, w: Witness) -> str:
    """The network in words, with the map of a layer where that is what f stands for."""
    chain = "P" in claim.theory.symbols
    return ("P_l(theta, x) = theta f_l(x), " if chain else "") + w.text()


def on_witness(claim: Claim, w: Witness) -> tuple[Theory, dict[str, Statement]]:
    """The theory of a claim about a rule on one network, and the claim's goals there, by kind of weight.

    Of what holds from a moment on, no more than the moment is taken: enough for
    what is needed, and a finite look shows whether it is met.
    """
    e = claim.equations
    one = _Instance(w, {k.name: k.initial for k in e.net.kinds})
    goals = {MEETS + k.name: one.statement(_at_once(e, s)) for k, s in zip(e.net.kinds, claim.goals)}
    return one.theory(claim.theory), goals


def _at_once(e: Equations, s: Statement) -> Statement:
    """From its moment on, as: at its moment."""
    from_then_on = None if e.when == EVERY_STEP or e.gate is not None else ge(qvar("t"), written(e))
    at = tuple(eq(qvar("t"), written(e)) if g == from_then_on else g for g in s.guards)
    return replace(s, guards=at)


def _of_layer(claim: Claim, met: Mapping[str, Statement], layer: int, name: str = "") -> tuple[str, Eq]:
    """The claim's equation for one kind of weights of one layer, right after their moment, with the goal's name."""
    kinds = claim.equations.net.kinds
    kind = next((k for k in kinds if k.name == name), kinds[0])
    relation = met[MEETS + kind.name].relation
    assert isinstance(relation, Eq)
    when = subst_idx(written(claim.equations), {"l": Idx(layer)})
    at = {"t": when, "l": Idx(layer), **{u: Idx(0) for u in kind.units}}
    return MEETS + kind.name, Eq(subst(relation.lhs, at), subst(relation.rhs, at))


def necessary(
    claim: Claim,
    w: Witness,
    condition: Statement,
    known: Mapping[str, Statement],
    depth: int,
    script: Script,
    layer: int | None = None,
    factors: Factors | None = None,
    kind: str = "",
) -> Claim:
    """If the rule is backprop on this network of depth ``depth`` or more, the condition holds, given ``known``.

    layer, kind: equality is asked of these weights only; None: of all.
    """
    theory, met = on_witness(claim, w)
    c: Term = ONE
    if factors is not None:
        theory, c = factors.scale(theory)
    if layer is not None:
        name, relation = _of_layer(claim, met, layer, kind)
        met = {name: Statement((), (), relation)}
    where = "" if layer is None else f" in layer {layer}"
    return Claim(
        id=f"{claim.id}_needs",
        theory=_from(theory, depth, {**known, **met}),
        goals=(condition,),
        title=f"needed for equality{where}, from depth {depth} on; network: {network_text(claim, w)}",
        equations=claim.equations,
        script=lambda k, one: script(k, one, c),
    )


def needed_at_layer(claim: Claim, condition: Statement, known: Mapping[str, Statement], script: Any) -> Claim | None:
    """The condition at a layer k of which nothing is known but its range, on a network made for that layer.

    condition: with one variable m, whose range is 1 <= m < L or 1 <= m <= L; k is m, or m - 1.
    None where the condition has another form.
    """
    name = "k"
    while name in claim.theory.sizes or name in claim.theory.symbols:
        name += "_"
    at = size(name)
    (v,) = condition.variables
    forms = {(ge(qvar(v), 1), lt(qvar(v), L)): (1, at), (ge(qvar(v), 1), le(qvar(v), L)): (0, at + 1)}
    if condition.guards not in forms:
        return None
    first, index = forms[condition.guards]
    w = Witness(layer=name)
    theory, met = on_witness(claim, w)
    theory = _from(theory, 1, {**known, **met})
    theory = replace(
        theory, sizes={**theory.sizes, name: 0}, assumptions=(*theory.assumptions, ge(at, first), lt(at, L))
    )
    assert isinstance(condition.relation, Eq)
    relation = Eq(*(subst(side, {v: index}) for side in (condition.relation.lhs, condition.relation.rhs)))
    return Claim(
        id=f"{claim.id}_needs",
        theory=theory,
        goals=(Statement((), (), relation),),
        title=f"needed for equality at every layer; network: {network_text(claim, w)}",
        equations=claim.equations,
        script=lambda k, one: script(k, one, at),
    )


def differs(claim: Claim, w: Witness, layer: int, known: Mapping[str, Statement], depth: int, script: Script) -> Claim:
    """On this network, of depth ``depth`` or more, the weights of one layer do not end where backprop puts them."""
    theory, met = on_witness(claim, w)
    _, r = _of_layer(claim, met, layer)
    goal = Statement((), (), Ne(r.lhs, r.rhs))
    return Claim(
        id=f"{claim.id}_never",
        theory=_from(theory, depth, known),
        goals=(goal,),
        title=f"not backprop, whatever the parameters, from depth {depth} on; network: {network_text(claim, w)}",
        equations=claim.equations,
        script=lambda k, one: script(k, one, ONE),
    )


def _from(theory: Theory, depth: int, known: Mapping[str, Statement]) -> Theory:
    """From a depth on, where alpha is not 0 and ``known`` holds."""
    hypotheses = {"alpha_nonzero": Statement((), (), Ne(App("alpha"), ZERO)), **known}
    deep = (*theory.assumptions, ge(L, depth)) if depth > 1 else theory.assumptions
    return replace(theory.extend(hypotheses=hypotheses), assumptions=deep)


__all__ = ["MEETS", "Witness", "differs", "necessary", "needed_at_layer", "on_witness"]
