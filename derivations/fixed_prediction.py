"""Fixed prediction: predictions and their derivatives keep the values of the forward pass.

Source: Millidge, Tschantz and Buckley (2020), section 2; Rosenbaum (2022),
Algorithm 3, Theorem 1.  gamma is their eta; both papers' signs repaired.

    mu^l_t = y^l                                          held
    x^l_{t+1} - x^l_t = -gamma dF/dx^l      x_0 = y       f' at y, theta at its start
    Dtheta^{l+1} = -alpha dF/dtheta^{l+1}   at t = n      all weights at once

*Law*, for every gamma and every t: eps^l_t = kappa(l, t) delta^l with

    kappa(l, t) = sum_{k=l..t} binomial(t, k) gamma^k (1 - gamma)^(t-k),

0 before t = l and gamma^l at t = l; the change made after any number n of steps
is kappa(l, n) times backprop's.  *Exact*: with gamma = 1 each error changes once, at t = l, so
after t steps the weights of layers 1..t+1 get backprop's change and the others
none; L - 1 or more steps give backprop, from every start (Rosenbaum's n >= L
counts the step that sets the output's error).  *Fixed point*: where nothing
moves and gamma is not 0, errors and changes are backprop's, and only there.

What fails: gamma = 1/2 after L steps; L - 2 steps; predictions that move; and
the update with the printed sign, v + eta (eps - J^T eps).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from pcproof.catalogue import Entry
from pcproof.language.index import ge
from pcproof.language.signature import Claim
from pcproof.networks.chain import Chain
from pcproof.networks.mlp import MLP
from pcproof.networks.network import L
from pcproof.rules.claims import equals_backprop
from pcproof.rules.equations import Equations
from pcproof.rules.fixed_prediction import fixed_prediction
from pcproof.rules.fixed_prediction_claims import (
    assuming,
    exact,
    fixed_point,
    fixed_point_converse,
    in_short,
    share_law,
    start_forgotten,
)
from pcproof.rules.rule import Rule

ORDER = 60
LAST = L - 1
MILLIDGE = "Millidge et al. 2020"
ROSENBAUM = "Rosenbaum 2022"
BOTH = f"{MILLIDGE}; {ROSENBAUM}"
CHAIN = ", for any chain of differentiable layers"
LAW = "Fixed prediction: after t steps the error of layer l is a binomial tail of (t, gamma) times backprop's"
EXACT = "Fixed prediction, gamma = 1: each error changes once, at t = l, to backprop's; L - 1 steps give backprop"
START = "Fixed prediction, gamma = 1: L - 1 or more steps give exactly backprop's weights from every start"
POINT = "Fixed prediction: where nothing moves, every error and every weight change is backprop's"
EXISTS = "Fixed prediction: nothing moves where x is the forward pass plus backprop's errors"
HALF = "Fixed prediction with gamma = 1/2 gives backprop after L steps"
SHORT = "Fixed prediction with gamma = 1 gives backprop after L - 2 steps"
MOVING = "Predictive coding with gamma = 1 gives backprop after L steps, predictions not held"
PRINTED = "Fixed prediction with the printed sign, v + eta (eps - J^T eps), gives backprop after L steps"


def law(e: Equations) -> Claim:
    return replace(share_law(e, LAST), id="fixed_prediction", title=LAW, source=BOTH)


def once(e: Equations) -> Claim:
    return replace(exact(e), id="fixed_prediction_exact", title=EXACT, source=ROSENBAUM)


def half() -> Claim:
    return replace(fixed_prediction(MLP(), "1/2", L).equals_backprop(), id="fixed_prediction_half", title=HALF)


def short() -> Claim:
    claim = assuming(fixed_prediction(MLP(), 1, L - 2).equals_backprop(), ge(L, 2))
    return replace(claim, id="fixed_prediction_short", title=SHORT)


def moving() -> Claim:
    e = replace(fixed_prediction(MLP(), 1, L).equations, held=False)
    return replace(equals_backprop(e), id="fixed_prediction_moving", title=MOVING)


def printed() -> Claim:
    return replace(fixed_prediction(MLP(), -1, L).equals_backprop(), id="fixed_prediction_printed", title=PRINTED)


def shorter(of: Callable[[Equations], Claim], e: Equations) -> Claim:
    return in_short(of(e))


def laws() -> Iterator[Entry]:
    """The theorems about the running network; of the chain less is said."""
    for of, gamma, id, title, source, equation in (
        (law, None, "fixed_prediction", LAW, BOTH, "eqs 2, 5; Algorithm 3"),
        (once, 1, "fixed_prediction_exact", EXACT, ROSENBAUM, "Theorem 1"),
    ):
        for net, suffix, words in ((MLP(bias=True), "", ""), (Chain(), "_chain", CHAIN)):
            rule = partial(fixed_prediction, net, gamma, LAST)
            claimed = partial(shorter, of) if suffix else of
            claim = partial(named, claimed, rule, id + suffix, title + words)
            yield Entry(id + suffix, title + words, source, equation, claim, rule=rule, of=claimed)


def named(of: Callable[[Equations], Claim], rule: Callable[[], Rule], id: str, title: str) -> Claim:
    return replace(of(rule().equations), id=id, title=title)


def points() -> Iterator[Entry]:
    """Where it starts does not matter; where it rests is backprop, and nowhere else."""
    for of, gamma, id, title, source, equation in (
        (start_forgotten, 1, "fixed_prediction_any_start", START, ROSENBAUM, "Theorem 1"),
        (fixed_point, None, "fixed_prediction_fixed_point", POINT, BOTH, "eqs 5, 6"),
        (fixed_point_converse, None, "fixed_prediction_fixed_point_exists", EXISTS, BOTH, "eq. 5"),
    ):
        claim = partial(named, of, partial(fixed_prediction, MLP(bias=True), gamma), id, title)
        yield Entry(id, title, source, equation, claim)


def refuted(id: str, title: str, source: str, equation: str, claim: Callable[[], Claim], note: str) -> Entry:
    """A claim that fails, with the exact counterexample."""
    return Entry(id, title, source, equation, claim, kind="refuted claim", expected="refuted", note=note)


ENTRIES = (
    *laws(),
    *points(),
    refuted("fixed_prediction_half", HALF, ROSENBAUM, "Theorem 1 without eta = 1", half, "repaired: fixed_prediction"),
    refuted(
        "fixed_prediction_short",
        SHORT,
        ROSENBAUM,
        "Theorem 1 with n = L - 1",
        short,
        "repaired: fixed_prediction_exact",
    ),
    refuted(
        "fixed_prediction_moving", MOVING, BOTH, "Theorem 1 for Algorithm 2", moving, "repaired: fixed_prediction_exact"
    ),
    refuted(
        "fixed_prediction_printed",
        PRINTED,
        BOTH,
        "eq. 2; Algorithm 3 as printed",
        printed,
        "repaired: fixed_prediction",
    ),
)
