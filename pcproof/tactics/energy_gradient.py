"""Script for claims about the gradient of an energy: tangents first, then equations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..language.index import Idx, QVar, ge
from ..language.signature import Claim, Eq, Tangent
from ..networks.network import L
from ..proof.kernel import Context, Kernel, Theorem
from .goals import Stuck, Tools, prove_equation
from .gradient import prove_tangent
from .rewrite import by_cases


def boundaries(k: Kernel, names: Iterable[str]) -> list[int]:
    """Layers, counted from the output, at which the cases of gradients change."""
    found = {1}
    definitions = [k.theory.definition(name) for name in names]
    for case in (case for d in definitions if d is not None for case in d.cases):
        for c in case.guard:
            if len(c.expr.terms) == 1 and isinstance(c.expr.terms[0][0], QVar):
                at = -c.expr.const * c.expr.terms[0][1]
                if c.kind == "eq":
                    found |= {at, at + 1}
                elif c.kind == "ge":
                    found.add(at if c.expr.terms[0][1] > 0 else at + 1)
    return sorted(f for f in found if f > 0)


def layered_tangent(
    k: Kernel, ctx: Context, goal: Tangent, tools: Tools, at: Sequence[int], ends: tuple[Idx, ...] = ()
) -> Theorem:
    """A derivative, with sums over layers cut at ``at`` and at ``ends``, however near these are to each other."""
    deep = [m for m in at if m > 1 and not k.entails(ctx, ge(L, m)) and not k.entails(ctx, ge(m, L + 1))]
    if deep:
        return by_cases(k, ctx, ge(L, deep[0]), goal, lambda c, _: layered_tangent(k, c, goal, tools, at, ends))
    return prove_tangent(k, ctx, goal, tools, cuts=(*map(Idx, at), *ends))


def energy_script(k: Kernel, claim: Claim) -> tuple[dict[str, Theorem], list[Theorem]]:
    """Differentiate the energy by the rules; compare with the derived cases, layer by layer."""
    out: list[Theorem] = []
    defined = {d.name for g in k.theory.definitions for d in g} - {"mu", "eps"}
    for s in claim.goals:
        ctx = Context(s.variables, s.guards)
        if isinstance(s.relation, Tangent):
            tools = Tools(lazy=defined)
            if s.relation.direction == "x":
                out.append(layered_tangent(k, ctx, s.relation, tools, boundaries(k, ["gx"]), (L,)))
            else:
                at = [m for m in boundaries(k, defined - {"gx"}) if m > 1]
                out.append(layered_tangent(k, ctx, s.relation, tools, at))
        elif isinstance(s.relation, Eq):
            out.append(prove_equation(k, ctx, s.relation.lhs, s.relation.rhs, Tools(lazy=defined)))
        else:
            raise Stuck(ctx, s.relation, "no tactic for this kind of statement")
    return {}, out
