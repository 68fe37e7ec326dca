"""Hidden energies other than the squared error: when is Z-IL exact?

Source: Pinchetti et al. (2022), energies as relative entropies; that Z-IL is
exact for them is a common belief.  The criterion and its converse are ours.

    F = sum_{0<l<L} sum_i e(x^l_i, mu^l_i) + E(mu^0),   e = (x - mu)^2 / 2 + r(x, mu)

Any differentiable e is of this form, and E is any loss.  Let no hidden layer
above the first move at t = 0: r_x(y^l, y^l) is what r_mu(y^{l-1}, y^{l-1}) feeds
back, for l >= 2.  Then at t = l the activity is z = y + delta - r_x(y, y), and
Z-IL is backprop *if and only if* -de/dmu at x = z, mu = y is delta, that is
r_mu(z, y) = -r_x(y, y), at every hidden unit.  Where r_x(y, y) = 0 this is
-de/dmu(y + delta, y) = delta.  For relative entropies -de/dmu is x / mu, or
(x - mu) / mu where x and mu need not add up to 1: both are refuted.  So is
(x - mu)^2 / 2 + G(x), unless G' is 0 on the forward pass: the gradient of G
moves the activities.
"""

from collections.abc import Callable
from dataclasses import replace

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.networks.losses import AnyLoss
from pcproof.networks.mlp import MLP
from pcproof.rules.hidden_energies import (
    entropy_is_backprop,
    exact,
    only,
    own_energy,
    own_is_backprop,
    relative_entropy,
    with_rest,
)
from pcproof.rules.rule import Rule

ORDER = 44
SOURCE = "Pinchetti et al. 2022"
EXACT = "Z-IL with any hidden energy is backprop if -de/dmu is delta where the wave brings the activity"
ONLY = "Z-IL with any hidden energy is backprop only if -de/dmu is delta where the wave brings the activity"
ENTROPY = "Z-IL is exact for hidden energies x log(x / mu)"
GENERAL = "Z-IL is exact for hidden energies x log(x / mu) - x + mu"
OWN = "Z-IL is exact for hidden energies (x - mu)^2 / 2 and any function of x"


def rule() -> Rule:
    return with_rest(AnyLoss(MLP(bias=True)))


def _false(id: str, title: str, make: Callable[[], Claim], note: str) -> Entry:
    return Entry(
        id=id,
        title=title,
        source=SOURCE,
        equation="",
        claim=lambda: replace(make(), id=id, title=title, source=SOURCE),
        kind="refuted claim",
        expected="refuted",
        note=note,
    )


ENTRIES = (
    Entry(
        id="hidden_energy_exact",
        title=EXACT,
        source=SOURCE,
        equation="",
        claim=lambda: replace(exact(rule().equations), title=EXACT, source=SOURCE),
        rule=rule,
        of=exact,
    ),
    Entry(
        id="hidden_energy_only",
        title=ONLY,
        source=SOURCE,
        equation="",
        claim=lambda: replace(only(rule().equations), title=ONLY, source=SOURCE),
        note="For one sample; with more of them the changes could agree in sum.",
    ),
    _false(
        "hidden_energy_kl",
        ENTROPY,
        lambda: entropy_is_backprop(relative_entropy(MLP(), normalised=True)),
        "-de/dmu is x / mu = 1 + (x - mu) / mu; predictions positive; repaired: hidden_energy_exact",
    ),
    _false(
        "hidden_energy_general_kl",
        GENERAL,
        lambda: entropy_is_backprop(relative_entropy(MLP(), normalised=False)),
        "-de/dmu is (x - mu) / mu, the error divided by the prediction; repaired: hidden_energy_exact",
    ),
    _false(
        "hidden_energy_own",
        OWN,
        lambda: own_is_backprop(own_energy(AnyLoss(MLP())).equations),
        "-de/dmu is x - mu, but G'(x) moves the activity; where G' is 0 on the forward pass hidden_energy_exact holds.",
    ),
)
