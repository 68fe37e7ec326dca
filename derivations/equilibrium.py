"""States of the energy against backprop: what equilibria learn, and what the energy says of the loss.

Sources: Whittington & Bogacz (2017), WB-1, WB-3, WB-4; Rosenbaum (2022), R-2;
Millidge et al. (2022), T-3.

F is a sum of squares, so no error is larger than F, and F = 0 makes every
error 0: with the input clamped the state is the forward pass.  With input and
output clamped, the loss of the predicted output is one part of F and the rest
is not negative: loss <= F, with equality if and only if the hidden layers are
at the forward pass.

"At an equilibrium inference learning is backprop" is false, also for linear
networks.  What is true: an equilibrium whose activities are those of the
forward pass has backprop's errors and makes backprop's changes.  But there
eps = x - mu is 0 at every hidden layer, so both rules change the weights into
the output only.  The paper says that the changes agree "only if x* = y"; that
is false too, for they may agree by accident (one hidden unit is enough).  What
is proved is that x* = y makes them agree, and 0 above layer 1.
"""

from pcproof.catalogue import Entry
from pcproof.networks.mlp import MLP
from pcproof.rules import equilibrium

ORDER = 25

WB, ROSENBAUM, MILLIDGE = "Whittington & Bogacz 2017", "Rosenbaum 2022", "Millidge et al. 2022"

ENTRIES = (
    Entry(
        id="error_below_energy",
        title="No error is larger than the energy: eps^2 / 2 <= F, and so at most any bound of F",
        source=WB,
        equation="WB-1, quantitative",
        claim=lambda: equilibrium.error_below_energy(MLP()),
    ),
    Entry(
        id="zero_energy",
        title="Prediction phase: where the energy is zero every error is, and x is the forward pass",
        source=WB,
        equation="WB-1",
        claim=lambda: equilibrium.zero_energy(MLP()),
        note="the converse is prediction_zero_energy",
    ),
    Entry(
        id="equilibrium_is_backprop",
        title="Inference learning at equilibrium makes the changes of backprop",
        source=ROSENBAUM,
        equation="R-2",
        claim=lambda: equilibrium.equilibrium_is_backprop(MLP()),
        kind="refuted claim",
        expected="refuted",
        note="repaired: learning_fixed_point (backprop's form, at the values of the equilibrium), forward_equilibrium",
    ),
    Entry(
        id="forward_equilibrium",
        title="An equilibrium at the forward pass learns what backprop learns",
        source=WB,
        equation="WB-3",
        claim=lambda: equilibrium.forward_equilibrium(MLP()),
    ),
    Entry(
        id="forward_equilibrium_is_idle",
        title="At an equilibrium at the forward pass neither rule changes a weight above layer 1",
        source=ROSENBAUM,
        equation="R-2, repaired (E15)",
        claim=lambda: equilibrium.forward_equilibrium_is_idle(MLP()),
        note='printed as "equal only if x* = y", which only_the_forward_equilibrium refutes',
    ),
    Entry(
        id="only_the_forward_equilibrium",
        title="An equilibrium makes the changes of backprop only at the forward pass",
        source=ROSENBAUM,
        equation='R-2, "only if"',
        claim=lambda: equilibrium.only_the_forward_equilibrium(MLP()),
        kind="refuted claim",
        expected="refuted",
        note="the changes may agree by accident; repaired: forward_equilibrium, forward_equilibrium_is_idle",
    ),
    Entry(
        id="zero_error",
        title="Where the target is predicted the forward pass is an equilibrium, and neither rule learns",
        source=WB,
        equation="WB-4",
        claim=lambda: equilibrium.zero_error(MLP()),
    ),
    Entry(
        id="energy_is_loss_and_rest",
        title="The energy is the loss of the predicted output and a rest that is not negative",
        source=MILLIDGE,
        equation="T-3",
        claim=lambda: equilibrium.energy_is_loss_and_rest(MLP()),
    ),
    Entry(
        id="descent",
        title="Where the energy has come down from the forward pass, the loss is not above that of backprop",
        source=MILLIDGE,
        equation="T-3",
        claim=lambda: equilibrium.descent(MLP()),
        note="forward_energy says that F starts at the loss of backprop",
    ),
    Entry(
        id="forward_energy",
        title="At the forward pass the energy is the loss of backprop",
        source=MILLIDGE,
        equation="T-3",
        claim=lambda: equilibrium.forward_energy(MLP()),
    ),
    Entry(
        id="rest_zero",
        title="Only at the forward pass is the energy the loss alone",
        source=MILLIDGE,
        equation="T-3, sharpened",
        claim=lambda: equilibrium.rest_zero(MLP()),
        note="the converse is forward_energy",
    ),
)
