"""Fa-Z-IL (fully autonomous Z-IL).  Source: Song et al. (2020), section 4 and Algorithm 2.

No moment is given: theta^{l+1} learns at rate alpha phi(eps^l), where phi is 1
if the error of the unit was 0 at the last ``td`` times and is not 0 now, else
0.  Errors before time 0 are 0, as prediction left them.  Each sample of a batch
has its own phi; for one sample it is the paper's rule.
"""

from __future__ import annotations

from typing import Union

from ..language.index import size
from ..networks.network import Network
from .rule import Rule
from .surface import Number, Scalar, Sum, before, is_zero, nonzero, number, sq, symbols


def fazil(net: Network, gamma: Union[Number, Scalar, None] = 1) -> Rule:
    """Fa-Z-IL on ``net``, with a window of ``td`` times; ``gamma=None`` keeps the step size a symbol."""
    x, mu, eps, y, l, L, g, alpha = symbols(net, "x mu eps y l L gamma alpha")
    if gamma is not None:
        g = gamma if isinstance(gamma, Scalar) else Scalar(net, number(gamma))
    weights = symbols(net, " ".join(k.name for k in net.kinds))
    F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
    return Rule(
        net,
        name="fazil",
        energy=F,
        start={x[l]: y[l]},
        step={x[l]: -g * F.diff(x[l])},
        learn={p[l + 1]: -alpha * F.diff(p[l + 1]) for p in weights},
        when=before(size("td"), is_zero(eps[l])) * nonzero(eps[l]),
    )
