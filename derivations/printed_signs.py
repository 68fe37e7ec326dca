"""Fixed prediction: equations as printed, each with the smallest network at which it fails, and repaired.

Sources: Millidge, Tschantz and Buckley (2020), v5, eqs 2, 5, 6; Rosenbaum
(2022), v2, Algorithm 3 and the proof of Theorem 1.

    (2)  -dF/dv_i = eps_i - sum_j eps_j dv_j/dv_i          the sign is turned
    (5)  eps_i = sum_j eps_j dv_i/dv_j                     indices swapped: dv_i/dv_j is 0
    (6)  T - v_L = dLoss/dv_L                              the sign is turned
    Algorithm 3: eps = v - v_hat, v += eta (eps - eps_{l+1} J); so eps_l = eps_{l+1} J at the next step

j runs over the children of i; vertices and layers are numbered from the output
here.  Of the last, "so" fails: that update doubles the error.  With v += eta
(eps_{l+1} J - eps) the error is (1 - eta) of itself and eta of what is fed back.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.language.terms import ONE, ZERO
from pcproof.networks.mlp import MLP
from pcproof.networks.network import L
from pcproof.rules import printed_signs
from pcproof.rules.claims import GAMMA
from pcproof.rules.fixed_prediction import fixed_prediction
from pcproof.rules.fixed_prediction_claims import REST

ORDER = 65
MILLIDGE, ROSENBAUM = "Millidge et al. 2020", "Rosenbaum 2022"
STEP = "Fixed prediction: after a step of eta the error is 1 - eta of itself and eta of what is fed back"
PRINTED = "Fixed prediction: after v += eps - eps_{l+1} J, with eps = v - v_hat, the error is what was fed back"


def step() -> Claim:
    claim = printed_signs.error_step(fixed_prediction(MLP(), steps=L - 1).equations, STEP, REST, GAMMA)
    return replace(claim, id="fixed_prediction_step", source=ROSENBAUM)


def step_printed() -> Claim:
    claim = printed_signs.error_step(fixed_prediction(MLP(), -1, L).equations, PRINTED, ZERO, ONE)
    return replace(claim, id="fixed_prediction_step_printed", source=ROSENBAUM)


def graph(make: Callable[[], Claim], equation: str, note: str = "", printed: bool = False) -> Entry:
    claim = make()
    kind, expected = ("refuted claim", "refuted") if printed else ("theorem", "proved")
    return Entry(
        claim.id, claim.title, MILLIDGE, equation, partial(sourced, make), kind=kind, expected=expected, note=note
    )


def sourced(make: Callable[[], Claim]) -> Claim:
    return replace(make(), source=MILLIDGE)


ENTRIES = (
    graph(printed_signs.step_printed, "eq. 2 (E13)", "repaired: dag_step; for layers fixed_prediction_printed", True),
    graph(printed_signs.step, "eq. 2, repaired"),
    graph(printed_signs.rest_printed, "eq. 5 (E13)", "repaired: dag_rest, and from it dag_fixed_point", True),
    graph(printed_signs.rest, "eq. 5, repaired"),
    graph(printed_signs.output_printed, "eq. 6 (E13)", "repaired: dag_output", True),
    graph(printed_signs.output, "eq. 6, repaired"),
    Entry(
        "fixed_prediction_step_printed",
        PRINTED,
        ROSENBAUM,
        "v2, Algorithm 3 and proof of Theorem 1 (E14)",
        step_printed,
        kind="refuted claim",
        expected="refuted",
        note="repaired: fixed_prediction_step, fixed_prediction_exact; its conclusion: fixed_prediction_printed",
    ),
    Entry(
        "fixed_prediction_step",
        STEP,
        ROSENBAUM,
        "Algorithm 3, repaired; proof of Theorem 1",
        step,
    ),
)
