"""Units with precisions: equilibria of the precision-weighted energy against backprop.

Source: Whittington & Bogacz (2017), section 2, WB-2 (eqs 2.18, 2.19), WB-3.

    F = sum Pi (x - mu)^2 / 2,   err = Pi (x - mu),   Pi = 1 / Sigma

with a variance Sigma for each unit of each layer.  The gradients come out of F
by differentiation and are proved to be its gradients.  *At equilibrium* err
obeys err^l = f'(x^l) theta^T err^{l-1} from err^0 = Pi^0 (s_out - mu^0), and
weights learn by err: backprop's form, at the values of the equilibrium.  *At
the forward pass* (printed with all variances 1) only the output's precision p
shows: errors and changes are p times backprop's, whatever the hidden ones.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.rules import precision

ORDER = 27
SOURCE = "Whittington & Bogacz 2017"


def entry(make: Callable[[precision.GaussianMLP], Claim], equation: str, note: str = "") -> Entry:
    claim = make(precision.GaussianMLP())
    return Entry(claim.id, claim.title, SOURCE, equation, partial(sourced, make), note=note)


def sourced(make: Callable[[precision.GaussianMLP], Claim]) -> Claim:
    return replace(make(precision.GaussianMLP()), source=SOURCE)


ENTRIES = (
    entry(precision.gradient, "2.18, 2.19"),
    entry(precision.fixed_point, "WB-2; 2.18, 2.19", "with all precisions 1: learning_fixed_point"),
    entry(precision.forward_equilibrium, "WB-3, with variances", "with all precisions 1: forward_equilibrium"),
)
