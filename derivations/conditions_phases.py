"""C1 against C3: does a prediction phase with gamma = 1 end at the forward pass?

Source: Song et al. (2020), remark that C1 is met when the input was shown
before and prediction has converged.

Smallest chain, linear, one hidden unit, w the weight into the output: with
the output free the phase converges from every start if and only if
2 gamma w^2 < (2 - gamma)^2, which for gamma = 1 is 2 w^2 < 1; with the output
clamped if and only if |1 - gamma (1 + w^2)| < 1, for gamma = 1 |w| < 1.  Both
directions stand here without limits: a factor by which the squared distance
shrinks in every step, or a start from which it stays above a fixed share.

Linear networks of any depth: the phase moves along each eigenvector of the
Hessian by (1 - gamma lambda)^t, so it converges from every start if and only
if 0 < gamma lambda < 2 for each; that the start is a sum of eigenvectors is a
hypothesis with a name.

So C1 needs another gamma in the prediction phase than C3, or a forward pass.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.rules import inference_modes as modes
from pcproof.rules import smallest_chain as chain

ORDER = 48
SOURCE = "Song et al. 2020"
REMARK = "remark on C1"


def entry(of: Callable[[], Claim], equation: str = REMARK, note: str = "") -> Entry:
    made = of()
    claim = partial(_claim, of)
    return Entry(made.id, made.title, SOURCE, equation, claim, note=note)


def _claim(of: Callable[[], Claim]) -> Claim:
    return replace(of(), source=SOURCE)


def refuted(of: Callable[[], Claim], equation: str, note: str) -> Entry:
    return replace(entry(of, equation, note), kind="refuted claim", expected="refuted")


ENTRIES = (
    refuted(
        chain.prediction_with_c3,
        "remark on C1, with C3 (E3)",
        "repaired: prediction_converges; prediction_does_not_converge says for which weights it fails",
    ),
    entry(
        chain.prediction_converges,
        note="at gamma = 1 where 2 w^2 < 1; the other direction is prediction_does_not_converge",
    ),
    entry(
        chain.prediction_does_not_converge,
        note="at gamma = 1 where 2 w^2 >= 1; the other direction is prediction_converges",
    ),
    refuted(
        chain.learning_comes_closer,
        "eq. 7 with C3",
        "repaired: learning_phase; at gamma = 1 its factor is -w^2, so it converges if and only if |w| < 1",
    ),
    entry(chain.learning_phase, "eq. 7", "converges if and only if |1 - gamma (1 + w^2)| < 1, or at its equilibrium"),
    entry(partial(modes.small_step, False), note="the other direction is prediction_large_step"),
    entry(partial(modes.small_step, True), "eq. 7"),
    entry(partial(modes.large_step, False), note="the other direction is prediction_small_step"),
)
