"""What has to be believed: axioms, hypotheses, what is only tested, what is not covered; and how to cite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..language.show import show_con, show_statement
from ..language.signature import Claim
from ..proof.acceptance import ACCEPTED, NOT_RUN, Acceptance
from ..proof.kernel import RULES
from ..result import Proved

SONG = """@inproceedings{song2020brain,
  author    = {Song, Yuhang and Lukasiewicz, Thomas and Xu, Zhenghua and Bogacz, Rafal},
  title     = {Can the Brain Do Backpropagation? --- Exact Implementation of Backpropagation
               in Predictive Coding Networks},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {33},
  pages     = {22566--22579},
  year      = {2020}
}"""


@dataclass(frozen=True)
class Beliefs:
    """Lists of sentences, and the kernel rules with how often each was used; what each checker said."""

    believed: tuple[str, ...]
    hypotheses: tuple[str, ...]
    tested: tuple[str, ...]
    uncovered: tuple[str, ...]
    rules: tuple[tuple[str, int], ...]
    unused: tuple[str, ...]
    checkers: tuple[Acceptance, ...]


def hypotheses(claim: Claim) -> list[str]:
    """Everything that a claim takes for granted, as text."""
    out = [f"{n}: {show_statement(s)}" for n, s in claim.theory.hypotheses.items()]
    return out + [f"on the sizes: {show_con(c)}" for c in claim.theory.assumptions]


def beliefs(result: Proved, torch_checked: bool) -> Beliefs:
    """For one theorem."""
    assert result.proof is not None
    items = result.proof.items()
    used = Counter(i.rule for i in items)
    believed: tuple[str, ...] = (
        f"The kernel: {len(RULES)} rules, of which this proof uses {len(used)}, in {len(items)} steps.",
        "Its decision procedures for linear integer conditions and for polynomial identities, which it trusts.",
        "The admission check: cases of a definition exclude each other and recursion goes down, so the equations have"
        " a solution and no definition can hide a contradiction.",
        "Python, which runs all of these.",
    )
    if accepted := [a for a in result.checkers if a.verdict == ACCEPTED]:
        names = ", ".join(dict.fromkeys(a.checker for a in accepted))
        believed = (f"Either what follows, or one of those that accepted the certificate: {names}.", *believed)
    tested = (
        "That generated source computes the equations: compared exactly, in fractions and modulo a prime.",
        "Floats against real numbers: random networks within a derived bound, and the error plot above.",
        "Gradients of torch.autograd"
        + ("." if torch_checked else ": not checked on this machine (torch is not installed)."),
        "Accuracy and run time on the digits: measured, and nothing is claimed beyond this page.",
    )
    uncovered = (
        "Stochastic or asynchronous updates, spiking neurons, weight transport (backward weights are the forward ones).",
        "That a prediction phase reaches the forward pass: C1 is a condition of the theorem.",
        "Other losses than the squared error.",
    )
    return Beliefs(
        believed, tuple(hypotheses(result.claim)), tested, uncovered, tuple(used.most_common()),
        tuple(r for r in RULES if r not in used), result.checkers,
    )  # fmt: skip


def badges(checkers: Sequence[Acceptance]) -> list[dict[str, str]]:
    """One a checker: its name, what it said, and how that is coloured."""
    out = []
    for a in checkers:
        said = f"{a.verdict}, {a.version}, {a.seconds:.1f} s" if a.verdict != NOT_RUN else "not run"
        style = {ACCEPTED: "good", NOT_RUN: "none"}.get(a.verdict, "bad")
        out.append({"name": a.checker, "said": said + (f" ({a.when})" if a.when else ""), "style": style})
    return out


def bibtex(result: Proved) -> str:
    """The theorem, by its digest, and the paper that it is about."""
    claim = result.claim
    return (
        f"@misc{{pcproof_{claim.id},\n"
        f"  title        = {{{claim.title}}},\n"
        f"  howpublished = {{Machine-checked proof by pcproof}},\n"
        f"  note         = {{Theorem {claim.id}, certificate sha256:{result.digest}}}\n}}\n\n{SONG}\n"
    )
