"""C1, C2 and C3 one by one: what each buys, and what is false without it.

Source: Song et al. (2020), section 3.

*C1* (start at the forward pass) buys the freeze lemma, Lemma A.3: without it
errors are not 0 ahead of the wave.  It needs neither C2 nor C3: ``zil_freeze``.
*C2* (theta^{l+1} learns at t = l and at no other time) buys the final weights
only: errors and changes at t = l are backprop's whenever else weights learn,
as long as that is not before their error arrives.  *C3* (gamma = 1) buys the
factor: without it the gamma law holds, ``gamma_law``, and learning rates
alpha gamma^{-l} make up for it, ``restored_rates``.

How far off Z-IL is without C3 follows from the gamma law.  With W_gamma, W_BP
all weight changes of Z-IL and of backprop, and dw those of one layer,

    |W_gamma - W_BP|^2 = sum_l (1 - gamma^l)^2 |dw^{l+1}|^2
                      <= |W_BP|^2 - |dw^1|^2      for 0 <= gamma <= 1.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pcproof.catalogue import Entry
from pcproof.language.index import qvar, size
from pcproof.language.signature import Claim
from pcproof.networks.mlp import MLP
from pcproof.rules import zil
from pcproof.rules.claims import change_at_moment, equals_backprop, error_at_moment, freeze, with_c3
from pcproof.rules.equations import Equations, timed_theory
from pcproof.rules.fixed_prediction_claims import any_start, learns_at
from pcproof.rules.gamma_distance import bounded, distance
from pcproof.rules.incremental import incremental
from pcproof.rules.rule import Rule

ORDER = 46
SOURCE = "Song et al. 2020"


def plain(gamma: int | None = 1) -> Equations:
    return zil(MLP(), gamma=gamma).equations


def late() -> Equations:
    return learns_at(plain(), qvar("l"))


def all_at_once() -> Equations:
    return replace(learns_at(plain(), size("T")), sizes={"T": 0})


def always() -> Rule:
    return incremental(MLP(bias=True), None)


def any_gamma() -> Rule:
    return zil(MLP(), gamma=None)


def errors_frozen(e: Equations) -> Claim:
    """Lemma A.3 as printed: eps is 0 before t = l."""
    claim = freeze(e)
    return replace(claim, goals=claim.goals[2:3])


def at_arrival(e: Equations) -> Claim:
    """gamma = 1: at t = l errors and changes are backprop's."""
    goals = (error_at_moment(e), *change_at_moment(e))
    return with_c3(Claim("at_arrival", timed_theory(e), goals, equations=e, says="recursion"))


def claim(of: Callable[[Equations], Claim], rule: Callable[[], Equations], id: str, title: str) -> Claim:
    return replace(of(rule()), id=id, title=title, source=SOURCE)


def true(
    of: Callable[[Equations], Claim], rule: Callable[[], Rule], id: str, title: str, equation: str, note: str = ""
) -> Entry:
    made = partial(claim, of, lambda: rule().equations, id, title)
    return Entry(id, title, SOURCE, equation, made, rule=rule, of=of, note=note)


def false(
    of: Callable[[Equations], Claim], rule: Callable[[], Equations], id: str, title: str, equation: str, note: str
) -> Entry:
    made = partial(claim, of, rule, id, title)
    return Entry(id, title, SOURCE, equation, made, kind="refuted claim", expected="refuted", note=note)


ENTRIES = (
    false(
        errors_frozen,
        lambda: any_start(plain()),
        "condition_c1_freeze",
        "No error reaches layer l before t = l, whatever the start",
        "Lemma A.3 without C1",
        "repaired: zil_freeze; C1 is what the freeze lemma rests on",
    ),
    false(
        equals_backprop,
        lambda: any_start(plain()),
        "condition_c1",
        "Z-IL is backprop, whatever the start",
        "Theorem 3.2 without C1",
        "repaired: zil",
    ),
    true(
        at_arrival,
        always,
        "condition_c2_unused",
        "At t = l errors and weight changes are backprop's, though all weights learn at every time",
        "Theorem 3.1 without C2",
        note="so Theorem 3.1 does not need C2; the final weights do: incremental_whole_update",
    ),
    false(
        equals_backprop,
        late,
        "condition_c2_late",
        "Z-IL is backprop if every weight learns one step later",
        "Theorem 3.2 without C2",
        "repaired: zil",
    ),
    false(
        equals_backprop,
        all_at_once,
        "condition_c2_at_once",
        "Z-IL is backprop if all weights learn at one time T, whatever T is",
        "Theorem 3.2 without C2",
        "repaired: zil",
    ),
    false(
        equals_backprop,
        lambda: plain(None),
        "condition_c3",
        "Z-IL is backprop, whatever gamma is",
        "Theorem 3.2 without C3",
        "repaired: gamma_law; restored_rates gives backprop for every gamma other than 0",
    ),
    true(
        distance,
        any_gamma,
        "gamma_distance",
        "Without C3 Z-IL is off backprop by |W_gamma - W_BP|^2 = sum over l of (1 - gamma^l)^2 |dw^{l+1}|^2",
        "remark on C3, made exact",
    ),
    true(
        bounded,
        any_gamma,
        "gamma_distance_bound",
        "For 0 <= gamma <= 1 Z-IL is off backprop by at most |W_BP|^2 - |dw^1|^2, so by less than backprop moves",
        "remark on C3, made exact",
    ),
)
