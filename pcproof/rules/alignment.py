"""Where the output moves when one pair is learnt by the weights into it.  Source: Song et al. (2024), P-1."""

from __future__ import annotations

from dataclasses import replace

from ..language.index import Idx, eq, qvar, span
from ..language.signature import Claim, Eq, Statement
from ..language.terms import App, Term, add, mul, neg, subst, total
from ..networks.mlp import MLP
from ..networks.network import B, width
from .equilibrium import backprop_change, change, clamped_output, learning_theory

l, b, i = qvar("l"), qvar("b"), qvar("i")
SAMPLE, TOP = Idx(0), Idx(1)


def sent(j: Idx) -> Term:
    """What unit j of layer 1 sends."""
    return App("f", (TOP,), (App("y", (TOP, SAMPLE, j)),))


def missed(u: Idx) -> Term:
    """Target minus output before learning."""
    return add(App("s_out", (SAMPLE, u)), neg(App("y", (0, SAMPLE, u))))


def moved(learnt: Term, unit: Idx) -> Term:
    """Output after learning minus output before; ``learnt`` is the change of theta[l,i,j]."""

    def term(j: Idx) -> Term:
        new = add(App("w", (TOP, unit, j)), subst(learnt, {"l": TOP, "i": unit, "j": j}))
        return mul(new, sent(j))

    return add(total(width(TOP), term), neg(App("y", (0, SAMPLE, unit))))


def aligned() -> Claim:
    """One pair, x^1 = y^1: both rules change theta^1 alike, and so move the output by alpha |f(y^1)|^2 (s_out - y).

    So alignment is 1: <s_out - y, moved>^2 = |s_out - y|^2 |moved|^2.  Without
    hidden layers x^1 and y^1 are the input, and theta^1 is all there is.
    """
    from ..tactics.alignment import aligned_script

    net = MLP()
    (kind,) = net.kinds
    inputs = (*span(b, 0, B), *span(i, 0, width(TOP)))
    senders = Statement(("b", "i"), inputs, Eq(App("x", (TOP, b, i)), App("y", (TOP, b, i))))
    theory = learning_theory(net, {"senders_forward": senders, "output_clamped": clamped_output()})
    theory = replace(theory, assumptions=(*theory.assumptions, eq(B, 1)))
    outputs = span(i, 0, width(Idx(0)))
    length = mul(App("alpha"), total(width(TOP), lambda j: mul(sent(j), sent(j))))
    pairs = (*span(i, 0, width(Idx(0))), *span(qvar("j"), 0, width(TOP)))
    both = (subst(c, {"l": TOP}) for c in (change(kind), backprop_change(kind)))
    goals = [Statement(("i", "j"), pairs, Eq(*both))]

    def to(u: Idx) -> Term:
        return moved(change(kind), u)

    goals.append(Statement(("i",), outputs, Eq(to(i), mul(length, missed(i)))))
    together = total(width(Idx(0)), lambda u: mul(missed(u), to(u)))
    own = total(width(Idx(0)), lambda u: mul(missed(u), missed(u)))
    way = total(width(Idx(0)), lambda u: mul(to(u), to(u)))
    goals.append(Statement((), (), Eq(mul(together, together), mul(own, way))))
    return Claim(
        "aligned",
        theory,
        tuple(goals),
        script=aligned_script,
        says="recursion",
        title="The weights into the output move it straight to the target; without hidden layers these are all",
    )
