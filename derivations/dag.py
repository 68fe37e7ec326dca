"""Fixed prediction on any directed acyclic graph: fixed points, and Euler's iteration, are backprop.

Source: Millidge, Tschantz and Buckley (2020), section 2; signs repaired as in
fixed_prediction.

Vertices 0..L are vectors in topological order, 0 the output and L the input;
J[m,l] is the Jacobian of vertex m by vertex l > m at the forward pass, 0 where
there is no edge.  Nothing else is said of the graph.

    delta^0 = -dLoss/dy^0,   delta^l = sum_{m<l} J[m,l]^T delta^m      backprop
    -dF/dx^l = -eps^l + sum_{m<l} J[m,l]^T eps^m,   eps = x - y held    inference

delta is the stationarity of the Lagrangian of the linearised graph, the step
the gradient of its energy, both by differentiation.  *Backprop*: along every
variation of the parameters the chain rule, run forward, gives the derivative
of the loss that delta gives.  *Fixed point*: with the
output clamped to y^0 + delta^0 nothing moves if and only if x = y + delta, and
then every parameter's change is backprop's.  *Iteration*: with step 1, vertex
l has its error from t = l on, whatever the start, so L - 1 steps are exact; and
from t = its level on, its longest distance to the output.
"""

from dataclasses import replace

from pcproof.catalogue import Entry
from pcproof.rules import dag

ORDER = 64
SOURCE = "Millidge et al. 2020"

ENTRIES = tuple(
    Entry(
        id,
        title,
        SOURCE,
        equation,
        lambda make=make, id=id, title=title: replace(make(), id=id, title=title),
        note=note,
    )
    for make, id, title, equation, note in (
        (
            dag.gradient,
            "dag_gradient",
            "Backprop on any DAG: the changes are minus alpha times the loss's derivative along every variation",
            "section 2, eq. 3",
            "delta of the entries below is this one's",
        ),
        (
            dag.energy_gradient,
            "dag_energy_gradient",
            "A graph's energy: its gradient by a vertex is the error minus what the vertices that read it feed back",
            "section 2, eq. 2 repaired",
            "the step of the entries below, with errors of predictions that are held; printed: dag_step_printed",
        ),
        (
            dag.fixed_point,
            "dag_fixed_point",
            "Fixed prediction on any DAG: where nothing moves, every error and every change is backprop's",
            "section 2, eqs 2, 5, 6 repaired",
            "for layers: fixed_prediction_fixed_point",
        ),
        (
            dag.fixed_point_exists,
            "dag_fixed_point_exists",
            "Fixed prediction on any DAG: nothing moves where x is the forward pass plus backprop's errors",
            "section 2, eq. 5 repaired",
            "",
        ),
        (
            dag.euler,
            "dag_euler",
            "Fixed prediction on any DAG, gamma = 1: L - 1 steps are exact from every start",
            "section 2; Rosenbaum 2022, Theorem 1",
            "for layers: fixed_prediction_any_start",
        ),
        (
            dag.levels,
            "dag_levels",
            "Fixed prediction on any DAG, gamma = 1: as many steps as levels are exact from every start",
            "section 2; Rosenbaum 2022, Theorem 1",
            "sharper than dag_euler where the longest path is shorter than the list of vertices",
        ),
    )
)
