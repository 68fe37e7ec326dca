"""Printed statements that fail, each beside the repaired form.

Sources: Song et al. (2020); Salvatori et al., AAAI 2022 (arXiv 2103.04689v2).

E1   delta is minus the derivative of the loss by the pre-activation, not the
     derivative: the sign of the loss of the older paper was flipped and the
     words were kept.
E6   The graph paper writes eps = mu - x with signs that belong to x - mu.
     Executed as printed the error of level k is (-1)^k delta.
E7   Lemma A.1: eps is 0 before t = d, not until t = d.
E8   A leaf of level k has to learn at t = k - 1, the level of its parents.
E9   d_j - D_i identity vertices are none, since D_i is the largest d_j.
E10  Eq. 12 is not what eqs 5-8 give on the skip graph, and z2 misses too.
E11  G : R^n -> R leaves out vector outputs; ``zil_chain`` has them, and sums
     over samples, so also over shared parameters at different layers.
E12  With gamma = 1/2 the distance to backprop is below what backprop moves.

E2 is in ``conditions_order``, E3 in ``conditions_phases``, E4 in ``fazil``.
E5 (t_d printed for t_c in the text to Table 4) is a misprint of a symbol and
no claim.  On a chain, which is a levelled graph, the distance d is the layer l.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pcproof.catalogue import Entry
from pcproof.language.index import qvar
from pcproof.language.signature import Claim
from pcproof.networks.chain import Chain
from pcproof.networks.mlp import MLP
from pcproof.rules import levels, skip_graph, zil
from pcproof.rules.claims import equals_backprop
from pcproof.rules.delta_sign import delta_is_gradient
from pcproof.rules.fixed_prediction_claims import learns_at
from pcproof.rules.gamma_distance import far_off
from pcproof.rules.graph_signs import alternating_law, as_printed, errors_until, printed_signs

ORDER = 70
SONG, GRAPHS = "Song et al. 2020", "Salvatori et al. 2022, graphs"
l = qvar("l")


def _named(of: Callable[[], Claim], id: str, title: str, source: str) -> Claim:
    return replace(of(), id=id, title=title, source=source)


def fails(of: Callable[[], Claim], id: str, title: str, source: str, equation: str, note: str) -> Entry:
    """A claim as printed."""
    made = partial(_named, of, id, title, source)
    return Entry(id, title, source, equation, made, kind="refuted claim", expected="refuted", note=note)


def holds(made: Callable[[], Claim], id: str, title: str, source: str, equation: str) -> Entry:
    """What is true in its place."""
    return Entry(id, title, source, equation, partial(_named, made, id, title, source))


ENTRIES = (
    fails(
        partial(delta_is_gradient, 1),
        "err_e1",
        "delta^l is the derivative of E by y^l",
        SONG,
        "text at eq. 4 (E1)",
        "repaired: delta_is_minus_gradient",
    ),
    holds(
        partial(delta_is_gradient, -1),
        "delta_is_minus_gradient",
        "delta^l is minus the derivative of E by y^l, at every layer",
        SONG,
        "2-4, repaired (E1)",
    ),
    fails(
        lambda: as_printed(printed_signs(MLP()).equations),
        "err_e6",
        "With eps = mu - x and the printed signs every weight moves as the printed eq. 3",
        GRAPHS,
        "3, 5, 7, 8 (E6)",
        "repaired: zil_chain, with eps = x - mu; what the printed signs do: alternating_signs",
    ),
    holds(
        lambda: alternating_law(printed_signs(Chain()).equations),
        "alternating_signs",
        "With the printed signs the error of layer l is (-1)^l delta^l: every other weight moves the wrong way",
        GRAPHS,
        "3, 5, 7, 8 as printed (E6)",
    ),
    fails(
        lambda: errors_until(zil(Chain(), gamma=None).equations, l),
        "err_e7",
        "eps is 0 for every t <= d",
        GRAPHS,
        "Lemma A.1 (E7)",
        "repaired: zil_freeze: mu is unchanged for t <= d, x for t < d, and eps is 0 for t < d",
    ),
    fails(
        lambda: equals_backprop(learns_at(zil(Chain()).equations, l)),
        "err_e8",
        "A leaf of level k that learns at t = k gets backprop's change",
        GRAPHS,
        "Algorithm 3 (E8)",
        "repaired: zil_chain, where it learns at t = k - 1, the level of its parents",
    ),
    fails(
        levels.printed_levels,
        "err_e9",
        "With d_j - D_i identity vertices on its edge every parent is as far as the farthest",
        GRAPHS,
        "Algorithm 2 (E9)",
        "repaired: repaired_levels; as printed there are none: no_vertices",
    ),
    holds(
        levels.printed_is_none,
        "no_vertices",
        "d_j - D_i, with D_i the largest d_j, is never positive: Algorithm 2 inserts nothing",
        GRAPHS,
        "Algorithm 2 as printed (E9)",
    ),
    holds(
        levels.repaired_levels,
        "repaired_levels",
        "With D_i - d_j identity vertices on its edge every parent is as far as the farthest",
        GRAPHS,
        "Algorithm 2, repaired (E9)",
    ),
    fails(
        partial(skip_graph.printed_value, 1),
        "err_e10",
        "On the skip graph Z-IL changes z3 by alpha delta z1 z2 s at t = 1",
        GRAPHS,
        "12 (E10)",
        "repaired: skip_graph",
    ),
    fails(
        partial(skip_graph.printed_value, 2),
        "err_e10_late",
        "On the skip graph Z-IL changes z3 by alpha delta z1 z2 s at t = 2",
        GRAPHS,
        "12 (E10)",
        "repaired: skip_graph",
    ),
    fails(
        skip_graph.plain_is_backprop,
        "err_e10_z2",
        "On the skip graph only z3 misses backprop's change, z2 does not",
        GRAPHS,
        "text at eq. 12 (E10)",
        "repaired: skip_graph",
    ),
    holds(
        skip_graph.plain_values,
        "skip_graph",
        "Z-IL on the skip graph: z1 gets backprop's change, z2 and z3 do not",
        GRAPHS,
        "12, repaired (E10)",
    ),
    holds(
        skip_graph.padded_values,
        "skip_graph_padded",
        "Z-IL on the skip graph with an identity vertex on the skip edge is backprop",
        GRAPHS,
        "section 3",
    ),
    fails(
        lambda: far_off(zil(MLP(), gamma="1/2").equations),
        "err_e12",
        "With gamma = 1/2 Z-IL is off backprop by at least what backprop moves",
        GRAPHS,
        "Table 3, last column (E12)",
        "repaired: gamma_distance_bound",
    ),
)
