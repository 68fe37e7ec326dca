"""Z-IL with losses other than the squared error.

Source: Song et al. (2020), Theorem 3.2, generalised to any loss at the output;
Pinchetti et al. (2022) use such networks.

    F = sum_{0<l<L} |x^l - mu^l|^2 / 2 + E(mu^0),  E any differentiable function

The output is predicted and not clamped; its error is -dE/dmu^0, as derived.
With C1-C3 errors and weight changes at t = l are those of backprop of the same
E; for other gamma they are gamma^l times those.  The layers may be any maps.
Softmax cross-entropy is written out with exp and log: delta^0 is
s_out - softmax(y^0) where the targets of a sample add up to 1.
"""

from collections.abc import Callable
from dataclasses import replace

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.language.terms import ONE
from pcproof.networks.chain import Chain
from pcproof.networks.losses import AnyLoss, CrossEntropy
from pcproof.networks.mlp import MLP
from pcproof.networks.network import Network
from pcproof.rules.claims import dynamics, is_gradient_descent
from pcproof.rules.equations import Equations
from pcproof.rules.losses import cross_entropy_is_backprop, loss_is_backprop, loss_law, zil_with_loss

ORDER = 43
SOURCE = "Song et al. 2020, generalised"
EXACT = "Z-IL with any loss at the output makes exactly the weight updates of backprop of that loss"
CHAIN = ", for any chain of differentiable layers"
LAW = "Z-IL with any loss: at t = l errors and weight changes are gamma^l times backprop's"
DESCENT = "Z-IL with any loss: the total weight change is -alpha times the gradient of that loss"
DYNAMICS = "Z-IL with any loss: the step is -dF/dx of the energy with that loss"
ENTROPY = "Z-IL with softmax cross-entropy: exactly backprop's updates, from the error s_out - softmax(y^0)"


def _entry(of: Callable[[Equations], Claim], net: Network, id: str, title: str, gamma: int | None = 1) -> Entry:
    def claim(e: Equations) -> Claim:
        return replace(of(e), id=id, title=title, source=SOURCE)

    return Entry(
        id=id,
        title=title,
        source=SOURCE,
        equation="Theorem 3.2",
        claim=lambda: claim(zil_with_loss(net, gamma).equations),
        rule=lambda: zil_with_loss(net, gamma),
        of=claim,
    )


ENTRIES = (
    _entry(loss_is_backprop, AnyLoss(MLP(bias=True)), "zil_loss", EXACT),
    _entry(loss_is_backprop, AnyLoss(Chain()), "zil_loss_chain", EXACT + CHAIN),
    _entry(loss_law, AnyLoss(MLP(bias=True)), "zil_loss_gamma", LAW, None),
    _entry(is_gradient_descent, AnyLoss(Chain()), "zil_loss_gradient", DESCENT + CHAIN),
    _entry(lambda e: dynamics(e, ONE), AnyLoss(MLP(bias=True)), "zil_loss_dynamics", DYNAMICS),
    _entry(cross_entropy_is_backprop, CrossEntropy(MLP(bias=True)), "zil_cross_entropy", ENTROPY),
)
