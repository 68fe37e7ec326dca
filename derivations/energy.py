"""The energy of a predictive-coding network and its gradients.

Source: Song et al. (2020), eqs 5-7 and 9.

    x == activity of the value nodes      == layer, unit
    theta == weights                      == layer, unit to, unit from
    mu^l = theta^{l+1} f(x^{l+1})         (5)
    F = sum_{l<L} sum_i (x^l_i - mu^l_i)^2 / 2   (6)

The energy is written below as an ordinary SymPy expression, in the paper's
indices (units from 1).  Its gradients are derived; the three cases of eq. 7
(input, hidden layers, output) come out of the side conditions.  The theorem
says that they are the gradient: for every variation Dx of the activities and
Dtheta of the weights the derivative of F is the pairing with them.
"""

from typing import Any

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim, Statement, Tangent
from pcproof.networks.gradients import energy_gradient_theory, state_pairing, variation, weight_pairing
from pcproof.networks.mlp import MLP
from pcproof.tactics.energy_gradient import energy_script

ORDER = 10


def energy() -> Any:
    """Eq. 6 with eq. 5 put in."""
    from sympy import Function, IndexedBase, Rational, Sum, symbols

    l, i, j, L = symbols("l i j L", integer=True)
    n, f = Function("n"), Function("f")
    x, theta = IndexedBase("x"), IndexedBase("theta")
    mu = Sum(theta[l + 1, i, j] * f(x[l + 1, j]), (j, 1, n(l + 1)))
    return Sum(Sum(Rational(1, 2) * (x[l, i] - mu) ** 2, (i, 1, n(l))), (l, 0, L - 1))


def claim() -> Claim:
    net = MLP()
    F = net.energy_from(energy()).term
    gradients = {k.name: "g" + k.name for k in net.kinds}
    variations = {k.name: variation(k.name) for k in net.kinds}
    return Claim(
        id="energy_gradient",
        theory=energy_gradient_theory(net, F),
        goals=(
            Statement((), (), Tangent("x", F, state_pairing("gx", "Dx"))),
            Statement((), (), Tangent("weights", F, weight_pairing(net, gradients, variations))),
        ),
        title="The gradients of the energy, layer by layer: the three cases of eq. 7, and eq. 9",
        source="Song et al. 2020",
        script=energy_script,
        says="gradient",
    )


ENTRIES = (
    Entry(
        id="energy_gradient",
        title="The gradients of the energy, layer by layer: the three cases of eq. 7, and eq. 9",
        source="Song et al. 2020",
        equation="5, 6, 7, 9",
        claim=claim,
    ),
)
