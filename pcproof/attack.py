"""Attack on a theorem of the catalogue: change every term and drop every hypothesis, one at a time.

Each mutant is refuted by an exact counterexample, or proved still true by the
kernel; then another theorem that it breaks is looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .api import prove
from .catalogue import Entry, entries
from .language.signature import Claim
from .language.terms import ONE
from .refute.mutate import claim_mutants
from .refute.table import Row, claim_table, mutation_table
from .rules.claims import GAMMA, dynamics, freeze
from .rules.equations import Equations


def own_dynamics(e: Equations) -> Claim:
    """The step is -gamma dF/dx, with the rule's own gamma (1 where it has none)."""
    return dynamics(e, GAMMA if any(p.name == "gamma" for p in e.parameters) else ONE)


OTHERS: dict[str, Callable[[Equations], Claim]] = {"zil_dynamics": own_dynamics, "zil_freeze": freeze}


def attack(entry: Entry) -> list[Row]:
    """The mutation table of one entry.

    Rules: mutants of the equations (terms, start, moment, order, step size),
    then of the statement (hypotheses dropped, ranges widened).  Other claims:
    mutants of the statement and of every definition.
    """
    claim = entry.claim()
    if entry.of is None or entry.rule is None:
        return claim_table(claim_mutants(claim, definitions=None), prove)
    others = {n: c for n, c in OTHERS.items() if n != entry.id}
    equations: Any = entry.rule().equations
    of = entry.of if entry.id != "zil_dynamics" else own_dynamics
    rows = mutation_table(of, equations, prove, others)
    return rows + claim_table(claim_mutants(claim), prove)


def attack_all() -> dict[str, list[Row]]:
    """Every mutation table of the catalogue, by id."""
    return {id: attack(entry) for id, entry in entries().items()}
