"""Fixed prediction: which share of backprop's error has arrived after n steps of size eta.

With predictions held, e_d <- e_d + eta (J e_{d-1} - e_d), d the distance from
the output, so e_d = c_d delta_d with c_0 = 1, c_d(0) = 0 and
c_d(t + 1) = (1 - eta) c_d(t) + eta c_{d-1}(t); c_{d-1}(t + 1) instead where a
step sweeps from the output to the input.  Millidge et al. (2020), section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb
from typing import Any

from .compare import close, simple

STEPS = 1000


def shares(eta: Any, steps: int, distances: int, sweep: bool = False) -> list[Any]:
    """c_0, ..., c_{distances - 1} after ``steps`` steps."""
    c = [eta * 0 + 1] + [eta * 0] * (distances - 1)
    for _ in range(steps):
        new = c[:1]
        for d in range(1, distances):
            new.append((1 - eta) * c[d] + eta * (new if sweep else c)[d - 1])
        c = new
    return c


def tail(trials: int, least: int, p: float) -> float:
    """P(at least ``least`` successes in ``trials``): the share at distance ``least``, in closed form.

    ``trials`` is n, and n + least - 1 where steps sweep.
    """
    return 1.0 - sum(comb(trials, j) * p**j * (1 - p) ** (trials - j) for j in range(min(least, trials + 1)))


def fit(measured: Sequence[Any], most: float) -> tuple[Any, int, bool] | None:
    """(eta, n, whether steps sweep) with these shares; needs three distances, else None.

    The last share gives eta for every n, the others decide.  An eta of small
    denominator is preferred: where inference has nearly settled several fit.
    """
    if len(measured) < 3 or not close(measured[0], 1, most):
        return None
    if all(c == 0 for c in measured[1:]):
        return Fraction(1), 0, False
    ones = sum(1 for c in measured if close(c, 1, most))
    if ones == len(measured):
        return None  # no step is missing, so nothing tells how many there were
    if all(c == 0 for c in measured[ones:]):
        return Fraction(1), ones - 1, False
    last = max(d for d, c in enumerate(measured) if c != 0)
    if not all(0 < c <= 1 for c in measured[: last + 1]):
        return None
    found: list[tuple[Any, int, bool]] = []
    for sweep in (False, True):
        for steps in range(1 + sweep, STEPS + 1):  # one sweep is a factor eta once a layer, and is called that
            eta = simple(_solved(measured[: last + 1], steps, sweep), max(most, 1e-8))
            if eta is not None and _all_fit(measured, float(eta), steps, sweep, max(most, 1e-8)):
                found.append((eta, steps, sweep))
                if isinstance(eta, Fraction):
                    return found[-1]
    return found[0] if found else None


def _trials(steps: int, distance: int, sweep: bool) -> int:
    return steps + distance - 1 if sweep else steps


def _solved(measured: Sequence[Any], steps: int, sweep: bool) -> float | None:
    """eta by bisection from the last share, which grows with it."""
    d = len(measured) - 1
    wanted, low, high = float(measured[d]), 0.0, 1.0
    if _trials(steps, d, sweep) < d:
        return None
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(_trials(steps, d, sweep), d, middle) < wanted else (low, middle)
    return high


def _all_fit(measured: Sequence[Any], eta: float, steps: int, sweep: bool, most: float) -> bool:
    return all(
        abs(float(c) - tail(_trials(steps, d, sweep), d, eta)) <= most * max(float(c), 1e-3)
        for d, c in enumerate(measured)
        if d
    )
