"""The first error of a layer comes at its distance from the output.

Source: Zahid, Guo and Fountas (2023), Theorem 1.  Their proof argues that a
product of Jacobians and errors is not 0 because its factors are not; the
statement holds because at t = l the error is gamma^l delta^l, and gamma is not
0.  The layers may be any differentiable maps.
"""

from dataclasses import replace

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.networks.chain import Chain
from pcproof.rules import zil
from pcproof.rules.equations import Equations
from pcproof.rules.first_error import first_error

ORDER = 47
SOURCE = "Zahid et al. 2023"
TITLE = "Before t = l the error of layer l is 0, and at t = l only where delta is, for any chain of layers"


def of(e: Equations) -> Claim:
    return replace(first_error(e), id="first_error_chain", title=TITLE, source=SOURCE)


ENTRIES = (
    Entry(
        id="first_error_chain",
        title=TITLE,
        source=SOURCE,
        equation="Theorem 1",
        claim=lambda: of(zil(Chain(), gamma=None).equations),
        rule=lambda: zil(Chain(), gamma=None),
        of=of,
    ),
)
