"""Target alignment without hidden layers: both rules move the output straight to the target.

Source: Song et al. (2024), prospective configuration, P-1; with hidden layers
only the normalised step of a linear network does (P-2).

One pair; layer 1 sends what it sends in the forward pass (without hidden
layers it is the clamped input).  With r = s_out - y both rules change theta^1
by alpha r f(y^1)^T.  By that the output moves by alpha |f(y^1)|^2 r, and
<r, moved>^2 = |r|^2 |moved|^2: the cosine between them is 1 (for alpha > 0 and
r other than 0).  Without hidden layers nothing else learns.
"""

from dataclasses import replace

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.rules.alignment import aligned

ORDER = 66
SOURCE = "Song et al. 2024"


def claim() -> Claim:
    return replace(aligned(), source=SOURCE)


ENTRIES = (Entry("aligned", aligned().title, SOURCE, "P-1", claim),)
