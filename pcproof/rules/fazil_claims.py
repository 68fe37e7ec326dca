"""What is claimed of a rule that learns by its units' own errors: Fa-Z-IL.

Source: Song et al. (2020), section 4.  theta^l learns from the errors of layer
l - 1, whose moment is t = l - 1; changes at t >= l are *late*.  ``late`` is the
sum that decides whether the rule is backprop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from ..language.index import Con, Idx, eq, ge, le, lt, qvar, size
from ..language.signature import Claim, Eq, Ne, Statement, Theory
from ..language.terms import ONE, ZERO, App, IsZero, Mul, Sum, Term, add, close, mul, neg, subst
from ..networks.network import B, L, WeightKind, width
from .claims import STATE, change_at_moment, error_at_moment, gamma_power, unit_ranges
from .equations import PHI, QUIET, Equations, RuleError, timed_theory

t, k, l, b, i, s = (qvar(n) for n in "tklbis")
UNIT = ("l", "b", "i")
ALPHA = App("alpha")
T = size("T")
LAYER = (ge(l, 0), lt(l, L))
DELTA, EPS, FACTOR = App("delta", (l, b, i)), App("eps", (t, l, b, i)), App(PHI, (t, l, b, i))


def _window(e: Equations) -> Idx:
    if e.gate is None or e.gate.past is None:
        raise RuleError(f"the claim is about rules that look back over a window, and {e.name} does not")
    return e.gate.window


def arriving(e: Equations, layer: Idx) -> Term:
    """By what the error of a layer at t = l differs from delta: gamma^l, or 1 where gamma is no symbol."""
    return gamma_power(layer) if any(p.name == "gamma" for p in e.parameters) else ONE


def late(e: Equations, theory: Theory, kind: WeightKind, until: Idx) -> Term:
    """Sum over l <= t < ``until`` of phi eps times what the synapse reads, for theta[l,..]."""
    d = theory.definition(kind.change)
    if d is None or len(d.cases) != 1:
        raise RuleError(f"the change of {kind.name} is not the same at every layer")
    value = d.cases[0].value
    if not isinstance(value, Mul) or ALPHA not in value.args:
        raise RuleError(f"the change of {kind.name} is not alpha times what the errors say")
    rest = list(value.args)
    rest.remove(ALPHA)
    return Sum(until - l, close(subst(mul(*rest), {"t": l + s}), "s"))


def _weights(
    e: Equations, theory: Theory, until: Idx, guards: tuple[Con, ...], with_late: bool
) -> tuple[Statement, ...]:
    """theta[until,l] = w + dw, plus alpha times the late sum if ``with_late``."""
    out = []
    for kind in e.net.kinds:
        units, ranges = unit_ranges(kind)
        at = (l, *units)
        right: list[Term] = [App(kind.initial, at), mul(arriving(e, l - 1), App(kind.initial_change, at))]
        if with_late:
            right.append(Mul(ALPHA, late(e, theory, kind, until)))
        variables = (*(("t",) if until == t else ()), "l", *kind.units)
        out.append(
            Statement(variables, (ge(l, 1), le(l, L), *guards, *ranges), Eq(App(kind.name, (until, *at)), add(*right)))
        )
    return tuple(out)


def _late_zero(e: Equations, theory: Theory) -> tuple[Statement, ...]:
    """At time T the late sum of every weight is 0."""
    out = []
    for kind in e.net.kinds:
        _, ranges = unit_ranges(kind)
        out.append(Statement(("l", *kind.units), (ge(l, 1), le(l, L), *ranges), Eq(late(e, theory, kind, T), ZERO)))
    return tuple(out)


def _claim(e: Equations, name: str, theory: Theory, goals: tuple[Statement, ...], title: str, script: Any) -> Claim:
    return Claim(
        id=f"{e.name}_{name}", theory=theory, goals=goals, title=title, equations=e, script=script, says="recursion"
    )


def _hypotheses(e: Equations, named: Mapping[str, Statement]) -> Theory:
    return timed_theory(e).extend(hypotheses=named)


# -- the trigger ------------------------------------------------------------------
def window(e: Equations) -> Claim:
    """phi is 1 if the last td errors are 0 and this one is not, else 0: as it is printed.

    That is phi = quiet[td] (1 - z(eps_t)), where quiet[k] is the product of
    z(eps_{t-1}), ..., z(eps_{t-k}) as far as these times are not before 0.
    """
    from ..tactics.fazil import window_script

    td = _window(e)
    here = (ge(t, 0), *LAYER, *STATE)
    past = (ge(s, 0), ge(s, t - td), lt(s, t))
    quiet, shorter = App(QUIET, (t, k, l, b, i)), App(QUIET, (t, k - 1, l, b, i))
    goals = (
        Statement(("t", *UNIT), here, Eq(FACTOR, mul(App(QUIET, (t, td, l, b, i)), add(ONE, neg(IsZero(EPS)))))),
        Statement(("t", *UNIT), here, Eq(App(QUIET, (t, Idx(0), l, b, i)), ONE)),
        Statement(
            ("t", "k", *UNIT),
            (*here, ge(k, 1), le(k, t)),
            Eq(quiet, mul(shorter, IsZero(App("eps", (t - k, l, b, i))))),
        ),
        Statement(("t", "k", *UNIT), (*here, ge(k, t)), Eq(quiet, App(QUIET, (t, t, l, b, i)))),
        Statement(("t", *UNIT), here, Eq(mul(FACTOR, add(ONE, neg(FACTOR))), ZERO)),
        Statement(("t", *UNIT), here, Eq(mul(FACTOR, IsZero(EPS)), ZERO)),
        Statement(("t", "s", *UNIT), (*here, *past), Eq(Mul(FACTOR, App("eps", (s, l, b, i))), ZERO)),
    )
    title = f"{e.name}: phi is the product over the window of [eps = 0], times [eps != 0] now"
    return _claim(e, "window", timed_theory(e), goals, title, window_script)


def trigger(e: Equations) -> Claim:
    """phi is 0 before t = l, and at t = l it is 1 where delta is not 0, else 0.  Source: F1."""
    from ..tactics.fazil import trigger_script

    early = (ge(t, 0), ge(l, 0), lt(l, L), lt(t, l), *STATE)
    now = (ge(l, 0), lt(l, L), eq(t, l), *STATE)
    again = (ge(l, 0), lt(l, L), ge(t, l + 1), le(t, l + _window(e)), *STATE)
    factor = partial(arriving, e)
    arrived = mul(arriving(e, l), DELTA)
    goals = (
        Statement(("t", *UNIT), early, Eq(FACTOR, ZERO)),
        Statement(("t", *UNIT), now, Eq(FACTOR, add(ONE, neg(IsZero(arrived))))),
        error_at_moment(e, factor),
        Statement(("t", *UNIT), now, Eq(mul(FACTOR, EPS), arrived)),
        *change_at_moment(e, factor),
        Statement(("t", *UNIT), again, Eq(mul(FACTOR, arrived), ZERO)),
    )
    title = f"{e.name}: a unit first learns at t = l if delta is not 0, as backprop does, and not again for td times"
    return _claim(e, "trigger", timed_theory(e), goals, title, trigger_script)


def awakened(e: Equations) -> Claim:
    """A unit whose error was 0 at all times before t triggers at t if its error is not 0 then, whatever the window.

    quiet[t,t] is 1 for these units and 0 for the others.  This is why a missed
    detection does harm.
    """
    from ..tactics.fazil import awakened_script

    _window(e)
    silent = App(QUIET, (t, t, l, b, i))
    relation = Eq(Mul(silent, FACTOR), Mul(silent, add(ONE, neg(IsZero(EPS)))))
    goals = (Statement(("t", *UNIT), (ge(t, 0), *LAYER, *STATE), relation),)
    title = f"{e.name}: a unit that was silent learns from its first error, however late and whatever the window"
    return _claim(e, "awakened", timed_theory(e), goals, title, awakened_script)


# -- the weights ------------------------------------------------------------------
def exact(e: Equations) -> Claim:
    """theta_t = w + dw + alpha times the late sum, for every t >= l; gamma^(l-1) dw where gamma is a symbol."""
    from ..tactics.fazil import exact_script

    theory = timed_theory(e)
    title = f"{e.name}: from its moment on every weight is backprop's plus alpha times the sum of late changes"
    return _claim(e, "exact", theory, _weights(e, theory, t, (ge(t, l),), True), title, exact_script)


def _until(e: Equations, named: Mapping[str, Statement]) -> Theory:
    base = timed_theory(e)
    return replace(base, sizes={**base.sizes, "T": 0}, assumptions=(*base.assumptions, ge(T, L))).extend(
        hypotheses=named
    )


def criterion(e: Equations) -> Claim:
    """Where the late sums are 0 at time T, the weights are backprop's at time T."""
    from ..tactics.fazil import criterion_script

    base = _until(e, {})
    named = {f"late_{kind.name}": h for kind, h in zip(e.net.kinds, _late_zero(e, base))}
    theory = _until(e, named)
    title = f"{e.name}: where the sums of late changes are 0 the weights are backprop's"
    return _claim(e, "criterion", theory, _weights(e, theory, T, (), False), title, criterion_script)


def criterion_converse(e: Equations) -> Claim:
    """Where the weights are backprop's at time T, the late sums are 0 at time T."""
    from ..tactics.fazil import converse_script

    base = _until(e, {})
    named = {f"backprop_{kind.name}": h for kind, h in zip(e.net.kinds, _weights(e, base, T, (), False))}
    theory = _until(e, {**named, "alpha_nonzero": Statement((), (), Ne(ALPHA, ZERO))})
    title = f"{e.name}: where the weights are backprop's the sums of late changes are 0"
    return _claim(e, "criterion_converse", theory, _late_zero(e, theory), title, converse_script)


def _after(e: Equations) -> tuple[Con, ...]:
    """A unit of layer l is past its moment, and its change counts at time T."""
    return (*LAYER, ge(t, l + 1), lt(t, T), *STATE)


def never_awakened(e: Equations) -> Statement:
    """A unit with delta = 0 has no error up to time T."""
    return Statement(("t", *UNIT), _after(e), Eq(mul(IsZero(DELTA), EPS), ZERO))


def not_again(e: Equations) -> Statement:
    """A unit whose delta is not 0 does not trigger after t = l, up to time T."""
    return Statement(("t", *UNIT), _after(e), Eq(mul(add(ONE, neg(IsZero(DELTA))), FACTOR), ZERO))


def sufficient(e: Equations) -> Claim:
    """Up to time T: delta = 0 and the error stays 0, or delta is not 0 and phi stays 0.  Source: F3."""
    from ..tactics.fazil import sufficient_script

    theory = _until(e, {"never_awakened": never_awakened(e), "not_again": not_again(e)})
    title = f"{e.name} is backprop where units with delta = 0 stay silent and the others do not trigger again"
    goals = _weights(e, theory, t, (ge(t, l), le(t, T)), False)
    return _claim(e, "sufficient", theory, goals, title, sufficient_script)


def long_window(e: Equations) -> Claim:
    """Where no delta is 0, every weight is backprop's from its moment on for td times more."""
    from ..tactics.fazil import long_window_script

    theory = _hypotheses(e, {"delta_nonzero": Statement(UNIT, (*LAYER, *STATE), Ne(DELTA, ZERO))})
    guards = (ge(t, l), le(t, l + _window(e)))
    title = f"{e.name} is backprop, where no delta is 0, for as long as the window reaches back to the moment"
    return _claim(e, "long_window", theory, _weights(e, theory, t, guards, False), title, long_window_script)


# -- what fails -------------------------------------------------------------------
def no_harm(e: Equations) -> Claim:
    """The printed claim: whatever is detected or missed, the weights are backprop's."""
    from ..tactics.fazil import no_script

    theory = timed_theory(e)
    title = f"{e.name}: a missed detection does no harm, every weight is backprop's"
    return _claim(e, "equals_backprop", theory, _weights(e, theory, t, (ge(t, l),), False), title, no_script)


def no_harm_until(
    e: Equations, name: str, title: str, hypotheses: Mapping[str, Statement], sizes: tuple[Con, ...] = ()
) -> Claim:
    """The printed claim said of one sample, up to time T, where the hypotheses hold."""
    from ..tactics.fazil import no_script

    base = _until(e, hypotheses)
    theory = replace(base, assumptions=(*base.assumptions, eq(B, 1), ge(T, L + 1), *sizes))
    return _claim(e, name, theory, _weights(e, theory, t, (ge(t, l), le(t, T)), False), title, no_script)


def zero_weight(e: Equations) -> Claim:
    """No unit triggers twice.  A missed detection does no harm?"""
    title = f"{e.name}: a missed detection does no harm"
    return no_harm_until(e, "no_harm", title, {"not_again": not_again(e)}, (ge(L, 2),))


def zero_output(e: Equations) -> Claim:
    """Only errors of output units may be 0.  A missed detection does no harm?"""
    hidden = Statement(UNIT, (ge(l, 1), lt(l, L), *STATE), Ne(DELTA, ZERO))
    title = f"{e.name}: a missed detection at an output unit does no harm"
    named = {"hidden_delta_nonzero": hidden, "not_again": not_again(e)}
    return no_harm_until(e, "no_harm_output", title, named, (ge(L, 2), ge(width(Idx(0)), 2)))


def dead_unit(e: Equations) -> Claim:
    """Only a delta with f' = 0 may be 0.  A missed detection does no harm?"""
    slope = App("df", (l,), (App("y", (l, b, i)),))
    live = Statement(UNIT, (*LAYER, *STATE), Ne(add(DELTA, IsZero(slope)), ZERO))
    title = f"{e.name}: a missed detection at a dead unit does no harm"
    named = {"only_dead_units_missed": live, "not_again": not_again(e)}
    return no_harm_until(e, "no_harm_dead", title, named, (ge(L, 3), ge(width(Idx(1)), 2)))


def none_missed(e: Equations) -> Claim:
    """No delta is 0, so every detection at t = l succeeds.  Are the weights backprop's?"""
    title = f"{e.name}: where no detection is missed every weight is backprop's"
    named = {"delta_nonzero": Statement(UNIT, (*LAYER, *STATE), Ne(DELTA, ZERO))}
    return no_harm_until(e, "none_missed", title, named, (ge(L, 2),))


def sufficient_converse(e: Equations) -> Claim:
    """Where the weights are backprop's up to time T, nothing is let through late before."""
    from ..tactics.fazil import no_script

    base = _until(e, {})
    equal = _weights(e, base, t, (ge(t, l), le(t, T)), False)
    named = {f"backprop_{kind.name}": h for kind, h in zip(e.net.kinds, equal)}
    theory = replace(_until(e, named), assumptions=(*base.assumptions, eq(B, 1), ge(L, 2), ge(T, L + 1)))
    goals = (Statement(("t", *UNIT), _after(e), Eq(mul(FACTOR, EPS), ZERO)),)
    title = f"{e.name}: where the weights are backprop's no unit triggers late"
    return _claim(e, "sufficient_converse", theory, goals, title, no_script)
