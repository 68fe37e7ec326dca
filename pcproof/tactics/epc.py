"""Scripts for error optimisation: the loss by the telescoping pairing, the squares of the errors by themselves."""

from __future__ import annotations

from ..language.index import qvar
from ..language.signature import Claim, Eq, Statement, Tangent
from ..language.terms import Add, Term, mul
from ..networks.network import L
from ..proof.kernel import Context, Kernel, Theorem
from ..rules.epc import pairing
from .goals import Stuck, Tools, prove_equation
from .gradient import Differentiator
from .light_cone import induct
from .loss_gradient import Names, loss_gradient

l = qvar("l")
PERTURBED = Names("y_e", "delta_e", "Dy_e", "errors")
Found = tuple[dict[str, Theorem], list[Theorem]]


def energy_tangent(k: Kernel, energy: Term) -> tuple[dict[str, Theorem], Theorem]:
    """dE = <e, De> - <delta_e, De>: the squares, then the loss."""
    ctx, direction = Context(), PERTURBED.direction
    if not isinstance(energy, Add):
        raise Stuck(ctx, Tangent(direction, energy, energy), "the energy is not a sum of squares and a loss")
    squares, loss = energy.args
    lemmas, by_loss = loss_gradient(
        k, Statement((), (), Tangent(direction, loss, mul(-1, pairing("delta_e")))), PERTURBED
    )
    by_squares = Differentiator(k, direction)(ctx, squares)
    assert isinstance(by_squares.relation, Tangent)
    same = prove_equation(k, ctx, by_squares.relation.tangent, pairing("e"), Tools())
    return lemmas, k.tangent_add(ctx, [k.tangent_convert(by_squares, same), by_loss])


def gradient_script(k: Kernel, claim: Claim) -> Found:
    """The gradient, then the pass next to the input."""
    first, *rest = claim.goals
    assert isinstance(first.relation, Tangent)
    lemmas, th = energy_tangent(k, first.relation.term)
    out = [th]
    for s in rest:
        assert isinstance(s.relation, Eq)
        tools = Tools(eager=("y_e", "y"))
        out.append(prove_equation(k, Context(s.variables, s.guards), s.relation.lhs, s.relation.rhs, tools))
    return lemmas, out


def first_step_script(k: Kernel, claim: Claim) -> Found:
    """The pass from the input down, delta from the output up, then the gradient with e = 0 put in."""
    pass_, back, gradient = claim.goals
    (forward,) = induct(k, [pass_], [L - l], Tools(lazy=("y_e", "y")))
    (same,) = induct(k, [back], [l], Tools([forward], lazy=("delta_e", "delta")))
    assert isinstance(gradient.relation, Tangent)
    lemmas, th = energy_tangent(k, gradient.relation.term)
    assert isinstance(th.relation, Tangent)
    equation = prove_equation(k, Context(), th.relation.tangent, gradient.relation.tangent, Tools([same]))
    return {**lemmas, "perturbed pass": forward}, [forward, same, k.tangent_convert(th, equation)]
