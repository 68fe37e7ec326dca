"""What Z-IL rests on, for every step size gamma.

Source: Song et al. (2020), section 3 and Lemma A.3; the gamma law is its
remark on C3.

*Freeze*: ahead of the wave (t < l) activities, predictions, errors and weights
keep their forward values; so every error is formed with the weights in force
before any update at that moment.  *Gamma law*: at its moment the error of
layer l is gamma^l delta^l, and the change of theta^{l+1} is gamma^l times
backprop's.  *Dynamics*, *plasticity*: the step is -gamma dF/dx and the change
of weights -alpha dF/dtheta; theorems of their own, because the sign of -eps does
not show in the others (eps is zero whenever that term is used).
"""

from dataclasses import replace

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.networks.mlp import MLP
from pcproof.rules import zil
from pcproof.rules.claims import dynamics, freeze, gamma_law, plasticity
from pcproof.rules.equations import Equations

ORDER = 41
SOURCE = "Song et al. 2020"
FREEZE = "Ahead of the wave nothing has moved: x, mu, eps and theta keep their forward values"
LAW = "Gamma law: at t = l the error and the weight change of layer l are gamma^l times backprop's"
DYNAMICS = "The step is -gamma dF/dx of the energy"
PLASTICITY = "The plasticity is -alpha dF/dtheta of the same energy"


def equations() -> Equations:
    return zil(MLP(bias=True), gamma=None).equations


def named(claim: Claim, id: str, title: str) -> Claim:
    return replace(claim, id=id, title=title, source=SOURCE)


ENTRIES = (
    Entry(
        id="zil_freeze",
        title=FREEZE,
        source=SOURCE,
        equation="Lemma A.3",
        claim=lambda: named(freeze(equations()), "zil_freeze", FREEZE),
        rule=lambda: zil(MLP(bias=True), gamma=None),
        of=freeze,
    ),
    Entry(
        id="zil_dynamics",
        title=DYNAMICS,
        source=SOURCE,
        equation="6, 7",
        claim=lambda: named(dynamics(equations()), "zil_dynamics", DYNAMICS),
        rule=lambda: zil(MLP(bias=True), gamma=None),
        of=dynamics,
    ),
    Entry(
        id="zil_plasticity",
        title=PLASTICITY,
        source=SOURCE,
        equation="6, 9",
        claim=lambda: named(plasticity(equations()), "zil_plasticity", PLASTICITY),
        rule=lambda: zil(MLP(bias=True), gamma=None),
        of=plasticity,
    ),
    Entry(
        id="gamma_law",
        title=LAW,
        source=SOURCE,
        equation="remark on C3",
        claim=lambda: named(gamma_law(equations()), "gamma_law", LAW),
        rule=lambda: zil(MLP(bias=True), gamma=None),
        of=gamma_law,
    ),
)
