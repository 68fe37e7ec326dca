"""Fixed points of the energy in both phases.

Source: Song et al. (2020), section 2; Whittington & Bogacz (2017), WB-1, WB-2;
Rosenbaum (2022), R-1.

Prediction phase (input clamped, output free): the gradient vanishes at every
free layer if and only if x = mu in every layer; then x is the forward pass.
Learning phase (output clamped too): at equilibrium the errors obey
eps^l = f'(x^l) theta^T eps^{l-1}, backprop's recursion, but at the values x of
the equilibrium and not at those of the forward pass.
"""

from dataclasses import replace

from pcproof.catalogue import Entry
from pcproof.networks.chain import Chain
from pcproof.networks.mlp import MLP
from pcproof.rules.fixed_points import learning, prediction, prediction_converse

ORDER = 20
CHAIN = (
    "Learning phase: at equilibrium the errors obey backprop's recursion, at the equilibrium's own values, "
    "for any chain of differentiable layers"
)

ENTRIES = (
    Entry(
        id="prediction_fixed_point",
        title="Prediction phase: at a fixed point x = mu in every layer, so x is the forward pass",
        source="Song et al. 2020; Whittington & Bogacz 2017",
        equation="7, output free",
        claim=lambda: prediction(MLP()),
    ),
    Entry(
        id="prediction_zero_energy",
        title="Prediction phase: where x = mu in every layer, energy and gradient are zero",
        source="Song et al. 2020; Whittington & Bogacz 2017",
        equation="6, 7, output free",
        claim=lambda: prediction_converse(MLP()),
    ),
    Entry(
        id="learning_fixed_point",
        title="Learning phase: at equilibrium the errors obey backprop's recursion, at the equilibrium's own values",
        source="Song et al. 2020; Whittington & Bogacz 2017 (2.18)",
        equation="7, 8",
        claim=lambda: learning(MLP()),
    ),
    Entry(
        id="learning_fixed_point_chain",
        title=CHAIN,
        source="Rosenbaum 2022",
        equation="R-1, eq. 8, squared loss",
        claim=lambda: replace(learning(Chain()), id="learning_fixed_point_chain", title=CHAIN, source="Rosenbaum 2022"),
        note="so the changes are not backprop's: equilibrium_is_backprop",
    ),
)
