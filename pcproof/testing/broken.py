"""Z-IL with one of its conditions broken; none of these is backprop.

Written in the public words.  Source of the conditions: Song et al. (2020), C1 to C3.
"""

from __future__ import annotations

from collections.abc import Callable

from ..networks.network import Network
from ..rules.rule import Rule
from ..rules.surface import Eq, Sum, sq, symbols
from ..rules.zil import zil


def other_step_size(net: Network) -> Rule:
    """C3 broken: gamma = 9/10."""
    return zil(net, gamma="9/10")


def _zil_but(net: Network, start_at_zero: bool, late: int) -> Rule:
    x, mu, y, l, t, L, alpha = symbols(net, "x mu y l t L alpha")
    weights = symbols(net, " ".join(k.name for k in net.kinds))
    F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
    return Rule(
        net, name="broken", energy=F, start={x[l]: 0 * y[l] if start_at_zero else y[l]}, when=Eq(t, l + late),
        step={x[l]: -F.diff(x[l])}, learn={p[l + 1]: -alpha * F.diff(p[l + 1]) for p in weights},
    )  # fmt: skip


def other_start(net: Network) -> Rule:
    """C1 broken: hidden activities start at 0."""
    return _zil_but(net, start_at_zero=True, late=0)


def late_update(net: Network) -> Rule:
    """C2 broken: theta^{l+1} learns at t = l + 1."""
    return _zil_but(net, start_at_zero=False, late=1)


BROKEN: dict[str, tuple[str, Callable[[Network], Rule]]] = {
    "gamma is 9/10": ("C3 broken", other_step_size),
    "hidden activities start at 0": ("C1 broken", other_start),
    "update one step late": ("C2 broken", late_update),
}
