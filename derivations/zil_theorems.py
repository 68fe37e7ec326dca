"""Theorems 3.1 and 3.2 as printed: the case gamma = 1 of the gamma law.

Source: Song et al. (2020), Theorems 3.1 and 3.2.  C3 is a named hypothesis
here, so that dropping it can be seen to break both.
"""

from dataclasses import replace

from pcproof.catalogue import Entry
from pcproof.networks.mlp import MLP
from pcproof.rules import zil
from pcproof.rules.claims import is_gradient_descent, theorem_3_1, theorem_3_2, with_c3

ORDER = 42
SOURCE = "Song et al. 2020"
DESCENT = "Z-IL's total weight change is -alpha times the gradient of the loss"

ENTRIES = (
    Entry(
        id="theorem_3_1",
        title="Theorem 3.1: at t = l every error equals backprop's delta",
        source=SOURCE,
        equation="Theorem 3.1",
        claim=lambda: replace(theorem_3_1(zil(MLP(bias=True), gamma=None).equations), source=SOURCE),
        rule=lambda: zil(MLP(bias=True), gamma=None),
        of=theorem_3_1,
    ),
    Entry(
        id="theorem_3_2",
        title="Theorem 3.2: at t = l every weight change equals backprop's",
        source=SOURCE,
        equation="Theorem 3.2",
        claim=lambda: replace(theorem_3_2(zil(MLP(bias=True), gamma=None).equations), source=SOURCE),
        rule=lambda: zil(MLP(bias=True), gamma=None),
        of=theorem_3_2,
    ),
    Entry(
        id="zil_gradient",
        title=DESCENT,
        source=SOURCE,
        equation="Theorem 3.2 with eq. 3",
        claim=lambda: replace(
            with_c3(is_gradient_descent(zil(MLP(bias=True), gamma=None).equations)),
            id="zil_gradient",
            title=DESCENT,
            source=SOURCE,
        ),
        rule=lambda: zil(MLP(bias=True), gamma=None),
        of=lambda e: with_c3(is_gradient_descent(e)),
    ),
)
