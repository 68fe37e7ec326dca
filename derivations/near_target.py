"""Near zero error inference learning and backprop are close: by how much, from the loss.

Source: Whittington & Bogacz (2017), WB-5, printed in words: if the prediction
is close to the target, the changes are similar.

E is the loss of the forward pass, F <= E the energy of the state learnt from,
as where inference has come down from the forward pass (descent).  For every
depth, every weight of layer l, sums over the batch:

    |delta^l|^2 <= amp^l |delta^0|^2,  amp^l = product of |J_m|^2 up to l  (Frobenius norms)
    (Dtheta)^2 <= 2 alpha^2 E sum f(x)^2                                    inference learning
    (Dw)^2 <= 2 alpha^2 E (sum amp^{l-1}) sum f(y)^2                        backprop
    (Dtheta - Dw)^2 <= twice both together

So the difference goes to 0 with E, at least as sqrt(E) where f(x) stays
bounded; no equilibrium and no small step is assumed.
"""

from dataclasses import replace

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.rules.near_target import near_target

ORDER = 26
SOURCE = "Whittington & Bogacz 2017"
TITLE = "Near the target: each rule's changes, and their difference, are bounded by the square root of the loss"


def claim() -> Claim:
    return replace(near_target(), title=TITLE, source=SOURCE)


ENTRIES = (
    Entry(
        "near_target",
        TITLE,
        SOURCE,
        "WB-5, quantitative",
        claim,
        note="rests on error_below_energy and descent; that the changes are not equal: equilibrium_is_backprop",
    ),
)
