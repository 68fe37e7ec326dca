"""Backprop is the gradient of the loss, for every depth and width.

Source: Song et al. (2020), eqs 1-4.

    y == forward pass; delta == -dE/dy; Dw == any variation of the weights
    E = sum_i (s_out_i - y^0_i)^2 / 2                                  (2)
    delta^0 = s_out - y^0,  delta^l = f'(y^l) w^T delta^{l-1}          (4)

The recursion for delta is derived from the Lagrangian of the network.  The
theorem: along every variation Dw, alpha dE = -<dw, Dw> with
dw^{l+1} = alpha delta^l f(y^{l+1}).  The proof shows that the pairing
<delta^l, Dy^l> telescopes through the layers: reverse mode is forward mode.
"""

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim, Statement, Tangent
from pcproof.language.terms import App, add, mul
from pcproof.networks.chain import Chain
from pcproof.networks.gradients import backprop_theory, variation, weight_pairing, with_loss_gradient
from pcproof.networks.mlp import MLP
from pcproof.networks.network import Network
from pcproof.tactics.loss_gradient import loss_script

ORDER = 30
TITLE = "Backprop's weight change is -alpha times the gradient of the loss"


def claim(net: Network, id: str, title: str) -> Claim:
    changes = {k.name: k.initial_change for k in net.kinds}
    directions = {k.name: variation(k.initial) for k in net.kinds}
    pairing = weight_pairing(net, changes, directions)
    terms = getattr(pairing, "args", ()) if len(net.kinds) > 1 else (pairing,)
    goal = Tangent("weights", mul(App("alpha"), net.loss()), add(*(mul(-1, p) for p in terms)))
    return Claim(
        id=id,
        theory=with_loss_gradient(net, backprop_theory(net)),
        goals=(Statement((), (), goal),),
        title=title,
        source="Song et al. 2020",
        script=loss_script,
        says="gradient",
    )


ENTRIES = (
    Entry(
        id="backprop_gradient",
        title=TITLE,
        source="Song et al. 2020",
        equation="1-4",
        claim=lambda: claim(MLP(bias=True), "backprop_gradient", TITLE),
    ),
    Entry(
        id="backprop_gradient_chain",
        title=TITLE + ", for any chain of differentiable layers",
        source="Song et al. 2020, generalised",
        equation="1-4",
        claim=lambda: claim(Chain(), "backprop_gradient_chain", TITLE + ", for any chain of differentiable layers"),
    ),
)
