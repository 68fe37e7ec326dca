"""Learning rates alpha gamma^{-l} restore backprop for every gamma other than 0.

Source: corollary of the gamma law; Song et al. (2020) take gamma = 1 (C3).
So C3 is a convention and not a necessity.
"""

from pcproof import MLP, Eq, Rule, Sum, sq
from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.rules.claims import equals_backprop, with_nonzero_gamma

ORDER = 43
TITLE = "Learning rates alpha gamma^{-l} restore backprop for every gamma other than 0"


def rule() -> Rule:
    net = MLP(bias=True)
    x, mu, y, theta, beta, l, t, L, gamma, alpha = net.symbols("x mu y theta beta l t L gamma alpha")
    F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
    rate = alpha * gamma ** (-l)
    return Rule(
        net,
        name="restored_rates",
        energy=F,
        start={x[l]: y[l]},
        step={x[l]: -gamma * F.diff(x[l])},
        learn={p[l + 1]: -rate * F.diff(p[l + 1]) for p in (theta, beta)},
        when=Eq(t, l),
    )


def claim() -> Claim:
    from dataclasses import replace

    return replace(with_nonzero_gamma(rule().equals_backprop()), id="restored_rates", title=TITLE, source="corollary")


ENTRIES = (
    Entry(
        id="restored_rates",
        title=TITLE,
        source="corollary of the gamma law",
        equation="",
        claim=claim,
        rule=rule,
        of=lambda e: with_nonzero_gamma(equals_backprop(e)),
        kernels=True,
    ),
)
