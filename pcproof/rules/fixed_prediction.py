"""Inference with fixed predictions.  Source: Millidge et al. (2020), section 2; Rosenbaum (2022), Algorithm 3.

The activities descend the energy while predictions and their derivatives keep
the values of the forward pass; after ``steps`` steps all weights learn once.
gamma is the papers' eta.
"""

from __future__ import annotations

from typing import Union

from ..language.index import Idx, size
from ..networks.network import Network
from .rule import Rule
from .surface import Eq, Number, Scalar, Sum, number, sq, symbols

T = size("T")


def fixed_prediction(net: Network, gamma: Union[Number, Scalar, None] = None, steps: Idx = T) -> Rule:
    """Fixed prediction on ``net``; ``gamma=None`` keeps the step size a symbol."""
    x, mu, y, l, t, L, g, alpha = symbols(net, "x mu y l t L gamma alpha")
    if gamma is not None:
        g = gamma if isinstance(gamma, Scalar) else Scalar(net, number(gamma))
    weights = symbols(net, " ".join(k.name for k in net.kinds))
    F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
    return Rule(
        net,
        name="fixed_prediction",
        energy=F,
        start={x[l]: y[l]},
        step={x[l]: -g * F.diff(x[l])},
        learn={p[l + 1]: -alpha * F.diff(p[l + 1]) for p in weights},
        when=Eq(t, steps),
        held=True,
    )
