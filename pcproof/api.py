"""The verbs: prove and refute."""

from __future__ import annotations

import time
from typing import Any, Union

from .language.signature import Claim
from .result import Proved, Refuted, Result, Unknown


def _claim(what: Any) -> Claim:
    if isinstance(what, Claim):
        return what
    raise TypeError(f"a claim such as rule.equals_backprop() was expected, got {type(what).__name__}")


def proved_by_kernel(claim: Claim) -> bool:
    """Does the kernel accept a proof?  No instance is looked for."""
    from .proof.kernel import KernelError
    from .tactics.goals import Stuck
    from .tactics.prover import prove_claim

    try:
        prove_claim(claim)
    except (Stuck, KernelError):
        return False
    return True


def prove(claim: Claim) -> Result:
    """Prove a claim for every depth and width, or refute it, or say unknown.

    Returns Proved, Refuted (with the smallest exact counterexample) or
    Unknown (with the open goal).  Raises TypeError on anything but a claim.
    """
    from .proof.kernel import KernelError
    from .refute.models import check_instance, find_model
    from .refute.search import refute as search
    from .tactics.goals import Stuck
    from .tactics.prover import prove_claim

    claim = _claim(claim)
    started = time.perf_counter()
    stuck: Union[Stuck, None] = None
    try:
        proof = prove_claim(claim)
    except Stuck as s:
        stuck = s
    except KernelError as e:
        stuck = Stuck(None, None, f"a kernel rule refused: {e}")  # type: ignore[arg-type]
    if stuck is None:
        instance = find_model(claim)
        note = "no instance was found that meets the hypotheses, so the claim may be vacuous"
        if instance is not None:
            check = check_instance(claim, instance)
            if check.ok:
                seconds = time.perf_counter() - started
                return Proved(claim, seconds, authority=["kernel", "exact instance"], proof=proof, instance=instance)
            note = f"its own instance disagrees ({check.problem}); please report this as a fault of pcproof"
        return Unknown(claim, time.perf_counter() - started, note=f"The kernel accepts a proof, but {note}.")
    found = search(claim)
    seconds = time.perf_counter() - started
    if found.counterexample is not None:
        return Refuted(claim, seconds, authority=["exact instance"], counterexample=found.counterexample, search=found)
    return Unknown(claim, seconds, open_goal=stuck.relation, open_context=stuck.context, note=stuck.note, search=found)


def refute(claim: Claim) -> Result:
    """Search for the smallest exact counterexample first; prove if there is none."""
    from .refute.search import refute as search

    claim = _claim(claim)
    started = time.perf_counter()
    found = search(claim)
    if found.counterexample is not None:
        return Refuted(
            claim,
            time.perf_counter() - started,
            authority=["exact instance"],
            counterexample=found.counterexample,
            search=found,
        )
    return prove(claim)
