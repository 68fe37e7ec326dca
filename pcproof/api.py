"""The verbs: prove and refute."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Union

from .language.signature import Claim
from .refute.search import DEFAULT, UNREACHED, Limits, SearchResult
from .result import Proved, Refuted, Result, Unknown

MOST_DEPTH = 32  # beyond it no network is run
TINY = Limits(max_depth=2, extra_width=0, square=(), max_batch=1, work=600_000)


def _search(claim: Claim, limits: Limits = DEFAULT) -> SearchResult:
    """Search for a counterexample; a rule whose moments are too late to be run is searched in vain."""
    from .refute.search import refute as search

    try:
        return search(claim, limits)
    except RecursionError:
        return SearchResult(None, limits, notes=["a time in the claim is too late for the rule to be run up to it"])


def _claim(what: Any) -> Claim:
    """The claim meant; TheoryError where its theory or a goal is not well formed, so that it has no verdict."""
    from .proof.theory import admit, check_statement

    if isinstance(what, Claim):
        admit(what.theory)
        for goal in what.goals:
            check_statement(what.theory, goal)
        return what
    if hasattr(what, "equals_backprop"):  # a rule: the question is clear
        claim: Claim = what.equals_backprop()
        return claim
    raise TypeError(f"a claim such as rule.equals_backprop() was expected, got {type(what).__name__}")


def proved_by_kernel(claim: Claim) -> bool:
    """Does the kernel accept a proof?  No instance is looked for."""
    from .proof.kernel import KernelError
    from .tactics.goals import Stuck
    from .tactics.prover import prove_claim

    try:
        prove_claim(claim)
    except (Stuck, KernelError, RecursionError):
        return False
    return True


def _scaled(claim: Claim) -> Proved | None:
    """The proof by way of factors of the layers, where errors are not backprop's but changes are."""
    from .language.evaluate import EvaluationError
    from .rules.claims import final_weights
    from .rules.equations import RuleError
    from .rules.scaled import Factors, sufficient
    from .tactics.unknowns import Benches, Unclear, conjecture, factors

    e = claim.equations
    try:
        if e is None or claim.script is not None or claim.goals != final_weights(e):
            return None
        benches = Benches(e)
        conditions, never = conjecture(benches)
        if conditions or never is not None:
            return None
        result = prove(sufficient(claim, e, Factors(*factors(benches, ())), {}))
    except (Unclear, EvaluationError, RuleError, RecursionError):
        return None
    return result if isinstance(result, Proved) else None


def _depth_to_look_at(claim: Claim, context: Any) -> int:
    """The smallest depth at which the open goal speaks of any layer, or the rule's last case begins; 0 if too deep."""
    from .language.arith import unsatisfiable
    from .language.index import eq
    from .networks.network import L

    e, depth = claim.equations, 0
    guards = () if context is None else context.guards
    for d in range(1, MOST_DEPTH + 1):
        if not unsatisfiable((*claim.theory.assumptions, *guards, eq(L, d))):
            depth = d
            break
    if e is not None:
        cases = [c for cs in (e.step, *e.change.values()) for c in cs]
        depth = max([depth, *(abs(g.expr.const) + 1 for c in cases for g in c.guard)])
    return depth if depth <= MOST_DEPTH else 0


def _deeper(claim: Claim, before: SearchResult, context: Any) -> SearchResult:
    """A counterexample at the depth at which the open goal begins, if it lies beyond those that are searched."""
    from .refute.search import deeper

    depth = _depth_to_look_at(claim, context)
    if depth <= before.limits.max_depth or "L" not in claim.theory.sizes:
        return before
    try:
        return deeper(claim, before, depth)
    except RecursionError:
        return before


def prove(claim: Claim) -> Result:
    """Prove a claim for every depth and width, or refute it, or say unknown.

    Returns Proved, Refuted (with the smallest exact counterexample) or
    Unknown (with the open goal).  Raises TypeError on anything but a claim,
    TheoryError on one that is not well formed.
    """
    from .proof.kernel import KernelError
    from .refute.models import check_instance, find_model
    from .tactics.goals import Stuck
    from .tactics.prover import prove_claim

    claim = _claim(claim)
    started = time.perf_counter()
    stuck: Union[Stuck, None] = None
    try:
        # most false claims fail on a tiny network, and then no proof need be tried
        tiny = _search(claim, TINY)
        if tiny.counterexample is not None or (tiny.notes and not tiny.shapes):
            raise Stuck(None, None, "; ".join(tiny.notes))
        proof = prove_claim(claim)
    except Stuck as s:
        stuck = s
    except RecursionError:
        stuck = Stuck(None, None, "the proof search went too deep")
    except KernelError as e:
        stuck = Stuck(None, None, f"a kernel rule refused: {e}")
    if stuck is None:
        try:
            instance = find_model(claim)
        except RecursionError:
            instance = None
        note = "no instance was found that meets the hypotheses, so the claim may be vacuous"
        if instance is not None:
            check = check_instance(claim, instance)
            if check.ok:
                seconds = time.perf_counter() - started
                return Proved(claim, seconds, authority=["kernel", "exact instance"], proof=proof, instance=instance)
            note = f"its own instance disagrees ({check.problem}); please report this as a fault of pcproof"
        return Unknown(claim, time.perf_counter() - started, note=f"The kernel accepts a proof, but {note}.")
    found = _search(claim)
    seconds = time.perf_counter() - started
    if found.counterexample is not None:
        return Refuted(claim, seconds, authority=["exact instance"], counterexample=found.counterexample, search=found)
    scaled = _scaled(claim)
    if scaled is not None:
        return replace(scaled, seconds=time.perf_counter() - started)
    found = _deeper(claim, found, stuck.context)
    if found.counterexample is not None:
        seconds = time.perf_counter() - started
        return Refuted(claim, seconds, authority=["exact instance"], counterexample=found.counterexample, search=found)
    note = "; ".join(n for n in (stuck.note, *(n for n in found.notes if n.startswith(UNREACHED))) if n)
    return Unknown(claim, seconds, open_goal=stuck.relation, open_context=stuck.context, note=note, search=found)


def confirm(result: Result, run: Iterable[str] = (), timeout: float = 600) -> Result:
    """Ask independent checkers about a proof; those that accept it become authority of the result.

    The standalone checker is asked, and those named in ``run`` ("smt", "coq"); of others what is on record counts.
    A proof that somebody rejects is not called proved any more.  Results of other verdicts come back as they are.
    """
    from .checkers import ask
    from .proof.acceptance import ACCEPTED, REJECTED

    if not isinstance(result, Proved) or result.proof is None:
        return result
    found = ask(result.proof.text, ("standalone", *run), timeout)
    against = [a for a in found if a.verdict == REJECTED]
    if against:
        who = "; ".join(f"{a.checker} {a.version} rejects it: {a.detail}" for a in against)
        note = f"The kernel accepts a proof, but {who}.  Please report this as a fault of pcproof."
        return Unknown(result.claim, result.seconds, note=note)
    names = [f"independent checker: {a.checker} {a.version}".rstrip() for a in found if a.verdict == ACCEPTED]
    kept = [a for a in result.authority if not a.startswith("independent checker")]
    return replace(result, authority=kept + names, checkers=tuple(found))


def refute(claim: Claim) -> Result:
    """Search for the smallest exact counterexample first; prove if there is none."""

    claim = _claim(claim)
    started = time.perf_counter()
    found = _search(claim)
    if found.counterexample is not None:
        return Refuted(
            claim,
            time.perf_counter() - started,
            authority=["exact instance"],
            counterexample=found.counterexample,
            search=found,
        )
    return prove(claim)
