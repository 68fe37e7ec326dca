"""Error optimisation (ePC): the first step from e = 0 is backprop.

Source: Goemaere, Oliviers, Bogacz and Demeester (2025), G-3.

    y_e^L = s_in,  y_e^l = P(y_e^{l+1}) + e^l     the perturbed forward pass
    E(e) = sum_{l<L} |e^l|^2 / 2 + |s_out - y_e^0|^2 / 2

At *every* e the gradient of E by e^l is e^l - delta_e^l, where delta_e is
backprop's recursion on the perturbed pass; so e is stationary if and only if
e = delta_e.  At e = 0 pass and recursion are backprop's own: a step of rate
lambda gives e^l = lambda delta^l in every layer at once.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.networks.chain import Chain
from pcproof.networks.mlp import MLP
from pcproof.networks.network import Network
from pcproof.rules.epc import error_gradient, first_step

ORDER = 62
SOURCE = "Goemaere et al. 2025"
GRADIENT = "ePC: at every e the gradient of the energy by e^l is e^l - delta_e^l"
FIRST = "ePC: at e = 0 the gradient by the errors is minus backprop's delta, so the first step is lambda delta"
CHAIN = ", for any chain of differentiable layers"


def claim(make: Callable[[Network], Claim], net: Network, id: str, title: str) -> Claim:
    return replace(make(net), id=id, title=title, source=SOURCE)


ENTRIES = tuple(
    Entry(id, title, SOURCE, equation, partial(claim, make, net, id, title))
    for make, net, id, title, equation in (
        (error_gradient, MLP(bias=True), "epc_gradient", GRADIENT, "grad E"),
        (error_gradient, Chain(), "epc_gradient_chain", GRADIENT + CHAIN, "grad E"),
        (first_step, MLP(bias=True), "epc_first_step", FIRST, "first step"),
    )
)
