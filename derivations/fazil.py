"""Fa-Z-IL: no clock, each unit learns when its own error first moves.  What is true of it.

Source: Song et al. (2020), section 4 and Algorithm 2.  phi is 1 if a unit's
error was 0 at the last td times and is not 0 now; weights learn at rate
alpha phi, at every time.

*First trigger*: before t = l phi is 0, at t = l it is 1 where delta is not 0,
and there the change is backprop's, delta = 0 or not.  *Exact*: after that every
weight is backprop's plus alpha times the sum of its late changes; so Fa-Z-IL is
backprop if and only if these sums are 0.  *Sufficient*: units with delta = 0
stay silent, the others do not trigger again.  *Long window*: where no delta is
0 nothing can go wrong before the window has passed.

The paper says that a missed detection does no harm.  It does: where delta = 0
the unit is woken by a later error and then makes a change that backprop does
not make.  And where none is missed a unit may trigger twice.
"""

from collections.abc import Callable
from dataclasses import replace

from pcproof.catalogue import Entry
from pcproof.language.signature import Claim
from pcproof.networks.mlp import MLP
from pcproof.rules import fazil_claims as claims
from pcproof.rules.equations import Equations
from pcproof.rules.fazil import fazil

ORDER = 45
SOURCE = "Song et al. 2020"
PRINTED = "section 4"


def _entry(
    of: Callable[[Equations], Claim],
    id: str,
    title: str,
    equation: str = PRINTED,
    bias: bool = True,
    note: str = "",
    gamma: int | None = 1,
) -> Entry:
    def claim() -> Claim:
        return replace(of(fazil(MLP(bias=bias), gamma=gamma).equations), id=id, title=title, source=SOURCE)

    return Entry(id=id, title=title, source=SOURCE, equation=equation, claim=claim, note=note)


def _false(of: Callable[[Equations], Claim], id: str, title: str, equation: str = PRINTED, note: str = "") -> Entry:
    entry = _entry(of, id, title, equation, bias=False, note=note)
    return replace(entry, kind="refuted claim", expected="refuted")


ENTRIES = (
    _entry(
        claims.window,
        "fazil_window",
        "phi is 1 where the error was 0 at the last td times and is not 0 now, else 0",
    ),
    _entry(
        claims.trigger,
        "fazil_trigger",
        "A unit of layer l first learns at t = l, if its delta is not 0, and not again for td times",
        "section 4, Lemma A.3",
    ),
    _entry(
        claims.awakened,
        "fazil_awakened",
        "A unit that was silent learns from its first error, however late and whatever the window",
        note="So a detection that fails at t = l is made up for later, where backprop changes nothing.",
    ),
    _entry(
        claims.exact,
        "fazil_exact",
        "Every weight is backprop's plus alpha times the sum of its late changes",
        "Algorithm 2",
    ),
    _entry(
        claims.exact,
        "fazil_gamma",
        "Without C3 every weight is gamma^(l-1) times backprop's change plus alpha times the sum of its late changes",
        "Algorithm 2, remark on C3",
        gamma=None,
    ),
    _entry(
        claims.criterion,
        "fazil_criterion",
        "Fa-Z-IL is backprop if the sums of late changes are 0",
        "Algorithm 2",
    ),
    _entry(
        claims.criterion_converse,
        "fazil_criterion_converse",
        "Fa-Z-IL is backprop only if the sums of late changes are 0",
        "Algorithm 2",
    ),
    _entry(
        claims.sufficient,
        "fazil_sufficient",
        "Fa-Z-IL is backprop where units with delta = 0 stay silent and the others do not trigger again",
    ),
    _entry(
        claims.long_window,
        "fazil_long_window",
        "Fa-Z-IL is backprop, where no delta is 0, for td times after each weight's moment",
    ),
    _false(
        claims.zero_weight,
        "fazil_no_harm",
        "A missed detection does no harm",
        note="A unit behind a zero weight has delta = 0 and is woken late; repaired: fazil_sufficient.",
    ),
    _false(
        claims.zero_output,
        "fazil_no_harm_output",
        "A missed detection at an output unit does no harm",
        note="An output unit that is right is disturbed by the hidden layer; repaired: fazil_sufficient.",
    ),
    _false(
        claims.dead_unit,
        "fazil_no_harm_dead",
        "A missed detection at a dead unit does no harm",
        note="A dead relu unit is woken by the change of what predicts it; repaired: fazil_sufficient.",
    ),
    _false(
        claims.none_missed,
        "fazil_none_missed",
        "Where no detection is missed Fa-Z-IL is backprop",
        note="A unit whose error returns to 0 triggers again; fazil_long_window says for how long it cannot.",
    ),
    _false(
        claims.sufficient_converse,
        "fazil_sufficient_converse",
        "Where Fa-Z-IL is backprop no unit triggers late",
        note="A late trigger whose presynaptic f(x) is 0 writes nothing; repaired: fazil_criterion_converse.",
    ),
)
