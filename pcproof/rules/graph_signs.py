"""Signs and moments of predictive coding on graphs, looked at on a chain, where the distance d is the layer l.

Source: Salvatori et al., AAAI 2022 (arXiv 2103.04689v2), eqs 3, 5, 7, 8,
Lemma A.1 and Algorithm 3.  A chain is a levelled graph: S_k is layer k, and
theta^{l+1} is a leaf of level l + 1 whose parents are in layer l.
"""

from __future__ import annotations

from ..language.index import Idx, ge, le, lt, qvar
from ..language.signature import Claim, Eq, Statement
from ..language.terms import ZERO, App, Num, Pow, Term
from ..networks.network import L, Network
from .claims import STATE, error_at_moment, final_weights
from .equations import Equations, timed_theory
from .rule import Rule
from .surface import Eq as at_time
from .surface import Sum, sq, symbols

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")
MINUS = Num(-1)


def printed_signs(net: Network) -> Rule:
    """eps = mu - x with the signs of (7) and (8) as printed; in eps = x - mu:

    x moves by gamma (-eps - sum eps dmu/dx) = gamma (dF/dx - 2 eps), weights by +alpha dF/dtheta.
    """
    x, mu, y, l, t, last, gamma, alpha = symbols(net, "x mu y l t L gamma alpha")
    weights = symbols(net, " ".join(k.name for k in net.kinds))
    F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, last - 1))
    return Rule(
        net,
        name="printed_signs",
        energy=F,
        start={x[l]: y[l]},
        step={x[l]: F.diff(x[l]) - (x[l] - mu[l]) * 2},
        learn={p[l + 1]: alpha * F.diff(p[l + 1]) for p in weights},
        when=at_time(t, l),
    )


def alternating(layer: Idx) -> Term:
    """(-1)^l"""
    return Pow(MINUS, layer)


def as_printed(e: Equations) -> Claim:
    """Every weight moves as (3) says for backprop: by alpha sum delta dg/dz with delta = mu_out - y."""
    return _claim(e, "as_printed", final_weights(e, lambda layer: MINUS))


def alternating_law(e: Equations) -> Claim:
    """The error of layer l is (-1)^l delta^l, and theta^l moves by (-1)^l times backprop's change."""
    return _claim(e, "alternating_law", (error_at_moment(e, alternating), *final_weights(e, alternating)))


def errors_until(e: Equations, last: Idx) -> Claim:
    """eps^l_t = 0 for every t <= last."""
    guards = (ge(t, 0), le(t, last), ge(l, 0), lt(l, L), *STATE)
    return _claim(e, "errors_until", (Statement(("t", "l", "b", "i"), guards, Eq(App("eps", (t, l, b, i)), ZERO)),))


def _claim(e: Equations, name: str, goals: tuple[Statement, ...]) -> Claim:
    return Claim(f"{e.name}_{name}", timed_theory(e), goals, equations=e, says="recursion")
