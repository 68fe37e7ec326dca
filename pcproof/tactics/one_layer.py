"""What equality with backprop says of the parameters of one layer k, any one of the depth.

The network (``rules/witness``, ``layer``): behind k activations are constant,
so that nothing behind k is seen; the weight of k is 0, so that no error reaches
k before it learns, and all activities before k begin at 0.  The change of
theta^k gives x_{k-1}^k = y^k; the change of theta^{k+1}, one step later, what
that step adds to it.
"""

from __future__ import annotations

from dataclasses import replace

from ..language.index import Con, Idx, Size, eq, ge, le, lt, qvar
from ..language.signature import Claim, Eq, Statement
from ..language.terms import ONE, ZERO, App, Num, Term, replace_apps
from ..networks.network import L
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.equations import first_moment
from ..rules.witness import MEETS, Witness
from .goals import Stuck, Tools, prove_equation
from .light_cone import timed_names
from .rewrite import by_cases, then
from .witness import _conclude, _simplify

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")
TARGET = Num(Witness().target)


def at_one_layer(k: Kernel, claim: Claim, at: Idx) -> tuple[dict[str, Theorem], list[Theorem]]:
    """The claim's one goal, about layer ``at``, from the weights of that layer and the next."""
    (goal,) = claim.goals
    e = claim.equations
    assert isinstance(goal.relation, Eq)
    if first_moment(e) != l - 1:
        raise Stuck(Context(), goal.relation, "theta^l is to learn at t = l - 1")
    script = _Layer(k, claim, at)

    def prove(ctx: Context, side: Con) -> Theorem:
        return script.general(ctx, goal.relation) if side == ge(at, 1) else script.first(ctx, goal.relation)  # type: ignore[arg-type]

    return script.found, [by_cases(k, Context(), ge(at, 1), goal.relation, prove)]


class _Layer:
    def __init__(self, k: Kernel, claim: Claim, at: Idx) -> None:
        self.k, self.e, self.at = k, claim.equations, at
        ((size, _),) = at.terms
        assert isinstance(size, Size)
        self.network = Witness(layer=size.name)
        self.timed = timed_names(k.theory)
        self.static = {d.name for g in k.theory.definitions for d in g} - self.timed
        self.kind = self.e.net.kinds[0]
        self.found: dict[str, Theorem] = {}

    def _induct(self, name: str, claims: list[Statement], measures: list[Idx], cut: Con | None = None) -> None:
        """Lemmas for k >= 1 by one joint induction, if need be by the cases of ``cut``."""
        k, parts = self.k, []
        if not k.entails(Context(), ge(self.at, 1)):
            claims = [replace(s, guards=(*s.guards, ge(self.at, 1))) for s in claims]
        tools = Tools(list(self.found.values()), eager=self.timed, lazy=self.static)
        for n, s in enumerate(claims):
            ctx = k.induction_context(claims, measures, n)
            assert isinstance(s.relation, Eq)
            lhs, rhs = s.relation.lhs, s.relation.rhs
            if cut is None:
                parts.append(prove_equation(k, ctx, lhs, rhs, tools))
            else:
                parts.append(
                    by_cases(k, ctx, cut, s.relation, lambda c, _, a=lhs, b=rhs: prove_equation(k, c, a, b, tools))  # type: ignore[misc]
                )
        for n, th in enumerate(k.induct(claims, measures, parts), 1):
            self.found[f"{name} {n}"] = th

    def general(self, ctx: Context, goal: Eq) -> Theorem:
        """Layer 1 or more."""
        self._forward()
        self._frozen()
        k, at = self.k, self.at
        state = App("x", (at - 1, at, 0, 0))
        here = _conclude(k, ctx, self._met(ctx, at), Eq(state, ONE), self._lemmas())
        self.found["as in the forward pass"] = here
        return _conclude(k, ctx, self._met(ctx, at + 1), goal, self._lemmas())

    def first(self, ctx: Context, goal: Eq) -> Theorem:
        """Layer 0: the weights of layer 1 alone."""
        k = self.k
        at_zero = [_at_zero(side, self.at) for side in (goal.lhs, goal.rhs)]
        th = _conclude(k, ctx, self._met(ctx, Idx(1), self.static), Eq(*at_zero))
        for side, new in ((goal.lhs, at_zero[0]), (goal.rhs, at_zero[1])):
            if side is not new and new is th.lhs:
                th = k.trans(k.index(ctx, side, new), th)
            elif side is not new:
                th = k.trans(th, k.index(ctx, new, side))
        return th

    def _lemmas(self) -> list[Theorem]:
        return list(self.found.values())

    def _forward(self) -> None:
        unit = (ge(b, 0), lt(b, 1), ge(i, 0), lt(i, 1))
        names, at = ("l", "b", "i"), self.at
        y, delta = App("y", (l, b, i)), App("delta", (l, b, i))
        near = Statement(names, (ge(l, 0), lt(l, at), *unit), Eq(y, ZERO))
        far = Statement(names, (ge(l, at), le(l, L), *unit), Eq(y, ONE))
        self._induct("y", [far], [L - l], lt(l, L))
        self._induct("y before", [near], [L - l], eq(l, at - 1))
        error = Statement(names, (ge(l, 0), lt(l, at), *unit), Eq(delta, TARGET))
        none = Statement(names, (ge(l, at), lt(l, L), *unit), Eq(delta, ZERO))
        self._induct("delta", [error], [l], ge(l, 1))
        self._induct("delta behind", [none], [l], eq(l, at))

    def _frozen(self) -> None:
        unit = (ge(b, 0), lt(b, 1), ge(i, 0), lt(i, 1))
        names, at = ("t", "l", "b", "i"), self.at

        def state(name: str, first: int, last: Idx) -> Statement:
            guards = (ge(t, 0), le(t, last), ge(l, first), lt(l, at), *unit)
            return Statement(names, guards, Eq(App(name, (t, l, b, i)), ZERO))

        kind = self.kind
        units = tuple(qvar(u) for u in kind.units)
        own = tuple(c for u in units for c in (ge(u, 0), lt(u, 1)))
        weights = Statement(
            ("t", "l", *kind.units),
            (ge(t, 0), le(t, l - 1), ge(l, 1), le(l, L), *own),
            Eq(App(kind.name, (t, l, *units)), self.network.weight(l)),
        )
        self._induct("weights wait", [weights], [t])
        claims = [state("x", 1, l - 1), state("mu", 0, l), state("eps", 0, l - 1)]
        self._induct("frozen", claims, [3 * t, 3 * t + 1, 3 * t + 2], eq(l, at - 1))
        front = Statement(names, (ge(t, 0), eq(t, l), ge(l, 0), lt(l, at), *unit), Eq(App("eps", (t, l, b, i)), TARGET))
        self._induct("front", [front], [l], ge(l, 1))

    def _met(self, ctx: Context, layer: Idx, more: set[str] | None = None) -> Theorem:
        """The claim that the weights of a layer end where backprop puts them, both sides computed."""
        k, kind = self.k, self.kind
        values = {"t": layer, "l": layer, **{u: Idx(0) for u in kind.units}}
        met = k.hypothesis(ctx, MEETS + kind.name, values)
        unfold = self.timed | {"d" + kind.initial, *(more or ())}
        own = _simplify(k, ctx, met.lhs, self._lemmas(), unfold)
        other = _simplify(k, ctx, met.rhs, self._lemmas(), unfold)
        th = then(k, None if own is None else k.sym(own), then(k, met, other))
        assert th is not None
        return th


def _at_zero(term: Term, at: Idx) -> Term:
    """``term`` where layer ``at`` is 0."""
    ((size, _),) = at.terms
    return replace_apps(
        term, lambda a: App(a.name, [i.replace(lambda x: Idx(0) if x == size else None) for i in a.idx], a.args)
    )


__all__ = ["at_one_layer"]
