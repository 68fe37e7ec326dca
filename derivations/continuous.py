"""Continuous time: which Taylor coefficients of the errors are backprop's.

Source: the continuous form of eq. 7 of Song et al. (2020); the statement is the
continuous counterpart of their remark on C3 (the gamma law).

    dx^l/dt = -dF/dx^l,  x^l(0) = y^l,  both ends clamped, weights at rest
    x^l(t) = sum_k x[k,l] t^k,   (k + 1) x[k+1,l] = coefficient of t^k of -dF/dx^l

The recursion is derived from the energy, product by Cauchy product.  eps^l has
no coefficient below t^l, and at t^l it is delta^l / l!: the wave of Z-IL, drawn
out in time.  Of f(x(t)) two things are taken for granted: its value at t = 0,
and Hadamard's lemma f(x(t)) - f(x(0)) = (x(t) - x(0)) g(t) with a series g; of
f'(x(t)) its value at t = 0 only.
"""

from dataclasses import replace
from functools import partial

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.networks.chain import Chain
from pcproof.networks.mlp import MLP
from pcproof.networks.network import Network
from pcproof.rules.continuous import taylor

ORDER = 46
SOURCE = "Song et al. 2020, in continuous time"
TITLE = "Continuous time: eps^l(t) = delta^l t^l / l! + higher orders, from the forward pass"
CHAIN = ", for any chain of differentiable layers"


def claim(net: Network, id: str, title: str) -> Claim:
    return replace(taylor(net), id=id, title=title, source=SOURCE)


ENTRIES = tuple(
    Entry(id, title, SOURCE, "7", partial(claim, net, id, title))
    for net, id, title in (
        (MLP(bias=True), "continuous_time", TITLE),
        (Chain(), "continuous_time_chain", TITLE + CHAIN),
    )
)
