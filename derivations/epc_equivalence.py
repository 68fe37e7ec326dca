"""Error optimisation (ePC) and state-based predictive coding are one problem in two sets of variables.

Source: Goemaere, Oliviers, Bogacz and Demeester (2025), G-2 and their appendix
on equivalence.

    y_e^l = P(y_e^{l+1}) + e^l,  x^l = y_e^l,  e^0 = 0,  x^0 = s_out

Every state is the perturbed pass of its own errors and eps = e: a bijection.
The energies are equal.  ge^l = e^l - delta_e^l, the gradient of E by e^l
(``epc_gradient``), is T^T times the gradient of F by x, T unit block
triangular: gx^l = ge^l - J^T ge^{l-1}.  So E is stationary in the errors if and
only if F is stationary in the states, and there the errors are backprop's on
the perturbed pass and the weight gradients are the same.  Elsewhere the weight
gradients differ: with e held fixed that of E is always backprop's.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.networks.chain import Chain
from pcproof.networks.mlp import MLP
from pcproof.networks.network import Network
from pcproof.rules import epc_equivalence as claims

ORDER = 63
SOURCE = "Goemaere et al. 2025"
CHAIN = ", for any chain of differentiable layers"
VARIABLES = "ePC: eps = e, the energies are equal, and the gradient by the errors is T^T that by the states"
ONTO = "ePC: every state of the hidden layers is the perturbed pass of its own errors"
STATIONARY = "ePC: stationary in the errors is stationary in the states, with the same weight gradients"
CONVERSE = "ePC: stationary in the states is stationary in the errors, with the same weight gradients"
WEIGHTS = "ePC: the gradient of the energy by the weights, errors held fixed, is backprop's on the perturbed pass"
EVERYWHERE = "ePC: the weight gradients of the two energies agree at every e"


def claim(make: Callable[[Network], Claim], net: Network, id: str, title: str) -> Claim:
    return replace(make(net), id=id, title=title, source=SOURCE)


ENTRIES = (
    *(
        Entry(id, title, SOURCE, "G-2", partial(claim, make, net, id, title))
        for make, net, id, title in (
            (claims.change_of_variables, MLP(), "epc_variables", VARIABLES),
            (claims.errors_from_state, MLP(), "epc_onto", ONTO),
            (claims.stationary_states, MLP(), "epc_stationary", STATIONARY),
            (claims.stationary_errors, MLP(), "epc_stationary_converse", CONVERSE),
            (claims.stationary_states, Chain(), "epc_stationary_chain", STATIONARY + CHAIN),
            (claims.stationary_errors, Chain(), "epc_stationary_converse_chain", CONVERSE + CHAIN),
            (claims.weight_gradient, MLP(), "epc_weight_gradient", WEIGHTS),
        )
    ),
    Entry(
        id="epc_changes_everywhere",
        title=EVERYWHERE,
        source=SOURCE,
        equation="G-2",
        claim=lambda: claim(claims.always_the_same_changes, MLP(), "epc_changes_everywhere", EVERYWHERE),
        kind="refuted claim",
        expected="refuted",
        note="local learning is that of the states; repaired: epc_weight_gradient (where the energies are stationary)",
    ),
)
