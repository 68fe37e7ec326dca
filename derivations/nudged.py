"""The output free and nudged: backprop's errors spread a layer a step, and the equilibrium has backprop's form.

Source: Millidge, Song, Salvatori, Lukasiewicz and Bogacz (2022), "Backpropagation
at the infinitesimal inference limit", I-1 and I-3, for predictive coding.

    E = F + lam Loss(x^0);  x_0 = y, the free equilibrium;  x_{t+1} = x_t - gamma dE/dx

*First steps*: the first moves the output only, by gamma lam delta^0; at t = l + 1
the error of layer l is lam gamma^{l+1} delta^l, and 0 before.  *Equilibrium*:
errors are lam times backprop's recursion at the equilibrium's own values, from
the error of its own output, for every lam; so changes over lam are backprop's
formula there, and (1 + lam) eps^0 = lam (s_out - mu^0).  That they are backprop's
at the forward pass is the limit lam -> 0; at no lam need it hold.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.networks.mlp import MLP
from pcproof.networks.network import Network
from pcproof.rules import nudged

ORDER = 67
SOURCE = "Millidge et al. 2022, infinitesimal limit"


def sourced(make: Callable[[Network], Claim]) -> Claim:
    return replace(make(MLP()), source=SOURCE)


def entry(make: Callable[[Network], Claim], equation: str, refuted: bool = False, note: str = "") -> Entry:
    claim = make(MLP())
    kind, expected = ("refuted claim", "refuted") if refuted else ("theorem", "proved")
    return Entry(
        claim.id, claim.title, SOURCE, equation, partial(sourced, make), kind=kind, expected=expected, note=note
    )


ENTRIES = (
    entry(nudged.spread, "I-1"),
    entry(nudged.equilibrium, "I-3, before the limit"),
    entry(nudged.equilibrium_is_backprop, "I-3 without the limit", True, "repaired: nudged_equilibrium"),
)
