"""Z-IL makes exactly backprop's weight updates.

Source: Song et al. (2020), Theorem 3.2 with conditions C1-C3.

Start at the forward pass (C1), step with gamma = 1 (C3), update theta^{l+1} at
t = l and at no other time (C2).  For *any* pair f, f' (relu with a chosen
f'(0) included), every depth, every width and every batch, each weight ends
where the backprop *recursion* puts it.  That the recursion is the *gradient*
is ``backprop_gradient``; both together are ``zil_gradient``.
"""

from dataclasses import replace

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.networks.chain import Chain
from pcproof.networks.mlp import MLP
from pcproof.networks.network import Network
from pcproof.rules import zil
from pcproof.rules.claims import equals_backprop

ORDER = 40
SOURCE = "Song et al. 2020"
TITLE = "Z-IL: after its moment every weight has moved exactly as backprop moves it"


def claim(net: Network, id: str, title: str) -> Claim:
    return replace(zil(net, gamma=1).equals_backprop(), id=id, title=title, source=SOURCE)


ENTRIES = (
    Entry(
        id="zil",
        title=TITLE,
        source=SOURCE,
        equation="Theorem 3.2",
        claim=lambda: claim(MLP(), "zil", TITLE),
        rule=lambda: zil(MLP(), gamma=1),
        of=equals_backprop,
        kernels=True,
    ),
    Entry(
        id="zil_bias",
        title=TITLE + ", biases included",
        source=SOURCE + ", supplement",
        equation="Theorem 3.2",
        claim=lambda: claim(MLP(bias=True), "zil_bias", TITLE + ", biases included"),
        rule=lambda: zil(MLP(bias=True), gamma=1),
        of=equals_backprop,
        kernels=True,
    ),
    Entry(
        id="zil_chain",
        title=TITLE + ", for any chain of differentiable layers",
        source=SOURCE + ", generalised",
        equation="Theorem 3.2",
        claim=lambda: claim(Chain(), "zil_chain", TITLE + ", for any chain of differentiable layers"),
        rule=lambda: zil(Chain(), gamma=1),
        of=equals_backprop,
    ),
)
