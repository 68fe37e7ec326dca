"""Z-IL on any levelled graph is backprop.

Source: Salvatori et al., AAAI 2022 (arXiv 2103.04689v2), Theorem 3, with the
signs (E6) and the moment of the leaves (E8) repaired.

Vertices are numbers, their functions any differentiable ones, edges any that
lead from level k + 1 to level k; leaves, at whatever level, are inputs and
parameters alike, and one leaf may be read by several vertices.  gamma = 1, the
start is the forward pass, the outputs (level 0) are clamped to their targets,
all is computed from the values of one time, and a leaf of level k learns at
t = k - 1.  Then the error of a vertex at t = its level, and the change of every
leaf, is backprop's.

Where edges only lead from higher levels to lower ones, so that one may skip a
level, it fails: ``zil_skipped_level``.  What to do there is ``repaired_levels``.
"""

from dataclasses import replace

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.rules.levelled_graph import with_skips, zil_levelled

ORDER = 71
SOURCE = "Salvatori et al. 2022, graphs"
TITLE = "Z-IL on any levelled graph: every leaf, at the level of its parents, gets backprop's change"
SKIPS = "Z-IL on any graph whose edges lead down, some past a level, has backprop's errors at their levels"


def skipping() -> Claim:
    """Edges between vertices may skip levels."""
    return replace(with_skips(zil_levelled()), id="zil_skipped_level", title=SKIPS, source=SOURCE)


ENTRIES = (
    Entry(
        "zil_levelled_graph",
        TITLE,
        SOURCE,
        "Theorem 3, repaired (E6, E8)",
        lambda: replace(zil_levelled(), title=TITLE, source=SOURCE),
        note="for layers: zil_chain; one graph with an identity vertex: skip_graph_padded",
    ),
    Entry(
        "zil_skipped_level",
        SKIPS,
        SOURCE,
        "section 3",
        skipping,
        kind="refuted claim",
        expected="refuted",
        note="repaired: zil_levelled_graph; on the paper's graph: skip_graph",
    ),
)
