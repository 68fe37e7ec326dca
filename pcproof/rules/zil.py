"""Z-IL (zero-divergence inference learning).  Source: Song et al. (2020), section 3.

C1: hidden activities start at the forward pass.  C2: theta^{l+1} learns at
t = l.  C3: gamma = 1.
"""

from __future__ import annotations

from typing import Union

from ..networks.network import Network
from .rule import Rule
from .surface import Eq, Number, Scalar, Sum, number, sq, symbols


def zil(net: Network, gamma: Union[Number, Scalar, None] = 1) -> Rule:
    """Z-IL on ``net``; ``gamma=None`` keeps the step size a symbol."""
    x, mu, y, l, t, L, g, alpha = symbols(net, "x mu y l t L gamma alpha")
    if gamma is not None:
        g = gamma if isinstance(gamma, Scalar) else Scalar(net, number(gamma))
    weights = symbols(net, " ".join(k.name for k in net.kinds))
    F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
    return Rule(
        net,
        name="zil",
        energy=F,
        start={x[l]: y[l]},
        step={x[l]: -g * F.diff(x[l])},
        learn={p[l + 1]: -alpha * F.diff(p[l + 1]) for p in weights},
        when=Eq(t, l),
    )
