"""Linear predictive-coding networks of every depth and width, in closed form.

Sources: Innocenti et al. (2024), Theorem 1 with its companions; Millidge et
al. (2022), T-1; Song et al. (2024), P-2; Whittington & Bogacz (2017), WB-6;
Ishikawa et al. (2025), Theorem 4.2.

Layer 0 is the output: P^l = theta^1 ... theta^l maps layer l to it, and is
W_{L:l+1} of the papers that number from the input.  S = I + C with
C = sum_{0<m<L} P^m P^m^T, and r = s_out - y^0.

Where S X = r, the errors X at the output and P^l^T X at the hidden layers are
those of an equilibrium, and of every equilibrium: S X = r has at most one
solution, because <D, S D> is a sum of squares.  Conversely the error of an
equilibrium at the output is a solution.  It has one, because S^-1 is built by
a recursion (linear_inverse); so there is an equilibrium, and no inverse of a
matrix is assumed.
"""

from pcproof.catalogue import Entry
from pcproof.rules import (
    linear,
    linear_inverse,
    linear_landscape,
    linear_learning,
    linear_limits,
    linear_neighbours,
    linear_origin,
    linear_saddles,
)

ORDER = 27

INNOCENTI = "Innocenti et al. 2024"
MILLIDGE = "Millidge et al. 2022"
SONG = "Song et al. 2024"
WB = "Whittington & Bogacz 2017"

ENTRIES = (
    Entry(
        id="linear_equilibrium",
        title="Linear network: at equilibrium eps^l = P^l^T eps^0, S eps^0 = r and F = <r, eps^0> / 2",
        source=INNOCENTI,
        equation="Theorem 1",
        claim=linear.stationary,
        note="so eps^0 = S^-1 r and F* = r^T S^-1 r / 2, by linear_solution",
    ),
    Entry(
        id="linear_solution",
        title="Linear network: <D, S D> is a sum of squares, so S X = r has at most one solution",
        source=INNOCENTI,
        equation="Theorem 1, S is positive definite",
        claim=linear.one_solution,
    ),
    Entry(
        id="linear_state",
        title="Linear network: the state with the errors P^l^T X is an equilibrium",
        source=INNOCENTI,
        equation="Theorem 1, converse",
        claim=linear.equilibrium_state,
    ),
    Entry(
        id="linear_inverse",
        title="Linear network: S has an inverse, built by a recursion over the hidden units",
        source=INNOCENTI,
        equation="Theorem 1, S is invertible",
        claim=linear_inverse.inverse_exists,
        note="for any matrices P^l: one rank-one update for each hidden unit, whose divisor is at least 1",
    ),
    Entry(
        id="linear_closed_form",
        title="Linear network: at equilibrium eps^0 = S^-1 r, eps^l = P^l^T S^-1 r and F = r^T S^-1 r / 2",
        source=INNOCENTI,
        equation="Theorem 1 with its companions",
        claim=linear_inverse.closed,
        note="S^-1 is that of linear_inverse",
    ),
    Entry(
        id="linear_exists",
        title="Linear network: there is an equilibrium for all weights and data",
        source=INNOCENTI,
        equation="strictly convex inference, existence",
        claim=linear_inverse.equilibrium_exists,
        note="one at most by linear_unique; its state is given by a recursion from the input on",
    ),
    Entry(
        id="linear_rates",
        title="Linear network with a variance of each layer: the equilibrium in closed form",
        source="Ishikawa et al. 2025",
        equation="Theorem 4.2, gamma_l = 1 / v^l",
        claim=linear.rates,
        note="with v = 1 linear_equilibrium; their C_gamma is C / v^0",
    ),
    Entry(
        id="linear_output_variance",
        title="Linear network: with output variance k, k times the errors are backprop's up to a constant over k",
        source=WB,
        equation="WB-6",
        claim=linear_limits.errors,
        note="k xi^l = delta^l - P^l^T C U exactly; k^2 |k xi^0 - delta^0|^2 <= |C r|^2",
    ),
    Entry(
        id="linear_output_variance_changes",
        title="Linear network: with output variance k, k times the changes are backprop's up to a constant over k",
        source=WB,
        equation="WB-6, updates",
        claim=linear_limits.changes,
    ),
    Entry(
        id="linear_hessian",
        title="Linear network: the second variation of the energy by the state is a sum of squares",
        source=INNOCENTI,
        equation="strictly convex inference",
        claim=linear_landscape.hessian,
    ),
    Entry(
        id="linear_definite",
        title="Linear network: the activity Hessian is positive definite",
        source=INNOCENTI,
        equation="strictly convex inference",
        claim=linear_landscape.definite,
    ),
    Entry(
        id="linear_minimum",
        title="Linear network: an equilibrium is the minimum of the energy",
        source=INNOCENTI,
        equation="strictly convex inference",
        claim=linear_landscape.minimum,
    ),
    Entry(
        id="linear_unique",
        title="Linear network: there is one equilibrium at most",
        source=INNOCENTI,
        equation="unique z*",
        claim=linear_landscape.one_equilibrium,
    ),
    Entry(
        id="linear_normal_equations",
        title="Linear network: the gradient by one layer is 0 where its normal equations hold",
        source=MILLIDGE,
        equation="T-1",
        claim=linear_landscape.normal_equations,
    ),
    Entry(
        id="linear_precision_normal",
        title="Linear network with a variance of each layer: one layer's gradient is 0 where its normal equations hold",
        source=MILLIDGE,
        equation="T-1 with precisions, Pi_l = 1 / v^l",
        claim=linear_neighbours.normal_equations,
    ),
    Entry(
        id="linear_forward_limit",
        title="Linear network: a layer of small variance settles at its prediction, up to a constant times the ratio",
        source=MILLIDGE,
        equation="T-1, forward limit",
        claim=linear_neighbours.forward_limit,
        note="no limit is taken: the constant is a polynomial in the weights and the neighbours' activities",
    ),
    Entry(
        id="linear_target_limit",
        title="Linear network: a layer of large variance settles at the target of target propagation, up to 1 / ratio",
        source=MILLIDGE,
        equation="T-1, target-propagation limit",
        claim=linear_neighbours.target_limit,
        note="the weights are inverted by V, given; no limit is taken",
    ),
    Entry(
        id="linear_envelope",
        title="Linear network: along equilibria the energy changes as if the state stood still",
        source=INNOCENTI,
        equation="Theorem 1, envelope",
        claim=linear_landscape.envelope,
        note="that the equilibrium has a derivative by the weights is not said: Dx is whatever it is",
    ),
    Entry(
        id="linear_origin",
        title="Linear network: the origin is a critical point of the energy at equilibrium",
        source=INNOCENTI,
        equation="Theorem 2",
        claim=linear_origin.critical,
    ),
    Entry(
        id="linear_origin_falling",
        title="Linear network: from the origin the energy at equilibrium falls along the weights into the output",
        source=INNOCENTI,
        equation="Theorem 2, strict saddle",
        claim=linear_origin.falling,
        note="with linear_origin_direction: a strict saddle where some target is not 0",
    ),
    Entry(
        id="linear_origin_direction",
        title="Linear network: a target that is not 0 gives a direction of negative curvature at the origin",
        source=INNOCENTI,
        equation="Theorem 2, explicit direction",
        claim=linear_origin.direction,
    ),
    Entry(
        id="linear_saddle",
        title="Linear network: no output weights and no product behind them is a critical point of the energy",
        source=INNOCENTI,
        equation="Theorem 3, zero-rank saddles",
        claim=linear_saddles.critical,
        note="the weights behind the output are arbitrary with theta^2 ... theta^L = 0",
    ),
    Entry(
        id="linear_saddle_falling",
        title="Linear network: at zero-rank saddles the energy at equilibrium falls along the weights into the output",
        source=INNOCENTI,
        equation="Theorem 3, strict saddle",
        claim=linear_saddles.falling,
        note="with linear_origin_direction: a strict saddle where some target is not 0",
    ),
    Entry(
        id="linear_alignment",
        title="Linear network: the normalised step moves the output along the error",
        source=SONG,
        equation="P-2, target alignment",
        claim=linear_learning.normalised_step,
        note="at every state with clamped ends, the equilibrium among them: first-order output change alpha r",
    ),
    Entry(
        id="linear_alignment_plain",
        title="Linear network: a step at equilibrium is aligned",
        source=SONG,
        equation="P-2 without the normalisation",
        claim=linear_learning.plain_step,
        kind="refuted claim",
        expected="refuted",
        note="repaired: linear_alignment",
    ),
    Entry(
        id="linear_alignment_backprop",
        title="Linear network: the step of backprop is aligned",
        source=SONG,
        equation="P-2, backprop's analogue",
        claim=linear_learning.backprop_step,
        kind="refuted claim",
        expected="refuted",
        note="true without hidden layers: linear_alignment_one_layer",
    ),
    Entry(
        id="linear_alignment_one_layer",
        title="Linear network without hidden layers: the step is backprop's, and aligned",
        source=SONG,
        equation="P-1",
        claim=linear_learning.one_layer,
    ),
)
