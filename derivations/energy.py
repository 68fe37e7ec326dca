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
from pcproof.language.terms import Term
from pcproof.networks.chain import Chain
from pcproof.networks.gradients import energy_gradient_theory, state_pairing, variation, weight_pairing
from pcproof.networks.mlp import MLP
from pcproof.networks.network import Network
from pcproof.tactics.energy_gradient import energy_script

ORDER = 10


TITLE = "The gradients of the energy, layer by layer: the three cases of eq. 7, and eq. 9"
TITLE_CHAIN = "The gradients of the energy, layer by layer, for any chain of differentiable layers"


def energy() -> Any:
    """Eq. 6 with eq. 5 put in."""
    from sympy import Function, IndexedBase, Rational, Sum, symbols

    l, i, j, L = symbols("l i j L", integer=True)
    n, f = Function("n"), Function("f")
    x, theta = IndexedBase("x"), IndexedBase("theta")
    mu = Sum(theta[l + 1, i, j] * f(x[l + 1, j]), (j, 1, n(l + 1)))
    return Sum(Sum(Rational(1, 2) * (x[l, i] - mu) ** 2, (i, 1, n(l))), (l, 0, L - 1))


def gradients(net: Network, F: Term, id: str, title: str) -> Claim:
    """Along every variation of the states, and of the weights, F varies as its gradients say."""
    named = {k.name: "g" + k.name for k in net.kinds}
    variations = {k.name: variation(k.name) for k in net.kinds}
    return Claim(
        id=id,
        theory=energy_gradient_theory(net, F),
        goals=(
            Statement((), (), Tangent("x", F, state_pairing("gx", "Dx"))),
            Statement((), (), Tangent("weights", F, weight_pairing(net, named, variations))),
        ),
        title=title,
        source="Song et al. 2020",
        script=energy_script,
        says="gradient",
    )


def claim() -> Claim:
    net = MLP()
    return gradients(net, net.energy_from(energy()).term, "energy_gradient", TITLE)


def claim_chain() -> Claim:
    net = Chain()
    return gradients(net, net.energy(), "energy_gradient_chain", TITLE_CHAIN)


ENTRIES = (
    Entry(
        id="energy_gradient",
        title=TITLE,
        source="Song et al. 2020",
        equation="5, 6, 7, 9",
        claim=claim,
    ),
    Entry(
        id="energy_gradient_chain",
        title=TITLE_CHAIN,
        source="Song et al. 2020",
        equation="6, 7, 9",
        claim=claim_chain,
    ),
)
