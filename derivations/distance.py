"""When an error reaches a layer, and what that costs against backprop.

Source: Zahid, Guo and Fountas (2023), Theorem 1, Corollary 1, section 3.

    eps^l_t = 0  for t < l,   eps^l_l = gamma^l delta^l   from the feedforward state

So for gamma other than 0 the first time at which the error of layer l is other
than 0 is t = l, for exactly those units whose delta is: the distance to the
output, in predictive coding and with fixed predictions (gamma is then eta),
whenever the weights learn.  The printed proof goes from layer to layer, "a
Jacobian other than 0 times an error other than 0"; such a product may be 0.

*Learning*: so t steps teach nothing to the weights of layers beyond t + 1, and
gamma^t times backprop's change to those of layer t + 1.  *Time*: L steps are
needed, and if a step lasts as long as its slowest vector-Jacobian product they
last at least as long as backprop's L products, forward pass included in both.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.networks.chain import Chain
from pcproof.networks.mlp import MLP
from pcproof.networks.network import L
from pcproof.rules.distance import first_error, first_nonzero, inference_learning, never_lost, no_faster
from pcproof.rules.equations import Equations
from pcproof.rules.fixed_prediction import fixed_prediction
from pcproof.rules.rule import Rule

ORDER = 63
SOURCE = "Zahid et al. 2023"
FIRST = "no error reaches layer l before t = l, the first is gamma^l delta, t steps teach nothing beyond layer t + 1"
NONZERO = "the error of layer l is first other than 0 at t = l, exactly where delta is"
TIME = "Forward pass and L steps, each as long as its slowest layer, take no less time than backprop"
LOST = "An output error and Jacobians without a 0 in them pass on errors other than 0"
NOTE = "J = (1, 1)^T, e = (-1, 1)^T: neither is 0, J^T e is; repaired: first_nonzero, first_nonzero_held"


def late() -> Rule:
    return inference_learning(MLP(), steps=L - 1)


def held_late() -> Rule:
    return fixed_prediction(MLP(), steps=L - 1)


def standard() -> Rule:
    return inference_learning(MLP())


def held() -> Rule:
    return fixed_prediction(MLP())


def chain() -> Rule:
    return inference_learning(Chain())


def entry(
    make: Callable[[Equations], Claim], rule: Callable[[], Rule], id: str, title: str, equation: str, note: str = ""
) -> Entry:
    of = partial(named, make, id, title)
    return Entry(id, title, SOURCE, equation, lambda: of(rule().equations), rule=rule, of=of, note=note)


def named(make: Callable[[Equations], Claim], id: str, title: str, e: Equations) -> Claim:
    return replace(make(e), id=id, title=title, source=SOURCE)


def lost() -> Claim:
    return replace(never_lost(), id="first_error_passed_on", title=LOST, source=SOURCE)


def time() -> Claim:
    return replace(no_faster(), id="no_faster", title=TIME, source=SOURCE)


PC, FPA, CHAIN = "Predictive coding: ", "Fixed prediction: ", ", for any chain of differentiable layers"

ENTRIES = (
    entry(first_error, late, "first_error", PC + FIRST, "Theorem 1"),
    entry(partial(first_error, held=True), held_late, "first_error_held", FPA + FIRST, "Theorem 1"),
    entry(first_nonzero, standard, "first_nonzero", PC + NONZERO, "Theorem 1"),
    entry(first_nonzero, chain, "first_nonzero_chain", PC + NONZERO + CHAIN, "Theorem 1"),
    entry(first_nonzero, held, "first_nonzero_held", FPA + NONZERO, "Theorem 1"),
    Entry(
        "first_error_passed_on",
        LOST,
        SOURCE,
        "Theorem 1, proof (E16)",
        lost,
        kind="refuted claim",
        expected="refuted",
        note=NOTE,
    ),
    Entry("no_faster", TIME, SOURCE, "section 3, TIME(FPA-PC) >= TIME(BP)", time),
)
