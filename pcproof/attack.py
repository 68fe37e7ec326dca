"""Attack on a theorem of the catalogue: change every term and drop every hypothesis, one at a time.

Each mutant is refuted by an exact counterexample, or proved still true by the
kernel; then another theorem that it breaks is looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .api import proved_by_kernel
from .catalogue import Entry, entries
from .language.signature import Claim, Definition
from .language.terms import ONE
from .proof.theory import admit
from .refute.mutate import ClaimMutant, claim_mutants
from .refute.search import DEFAULT, Limits
from .refute.table import Row, claim_table, mutation_table
from .rules.claims import GAMMA, dynamics, equals_backprop, freeze, gamma_law, plasticity
from .rules.equations import Equations


def own_dynamics(e: Equations) -> Claim:
    """The step is -gamma dF/dx, with the rule's own gamma (1 where it has none)."""
    return dynamics(e, GAMMA if any(p.name == "gamma" for p in e.parameters) else ONE)


OTHERS: dict[str, Callable[[Equations], Claim]] = {
    "zil_dynamics": own_dynamics,
    "zil_plasticity": plasticity,
    "zil_freeze": freeze,
    "zil": equals_backprop,
    "gamma_law": gamma_law,
}

STATIC_OTHERS = (
    "energy_gradient",
    "energy_gradient_chain",
    "linear_precision_normal",  # the gradient where layers have variances
    "backprop_gradient",
    "zil",
    "zil_bias",
    "zil_chain",
    "zero_energy",
)


def _others(entry: Entry, equations: Equations) -> dict[str, Callable[[Equations], Claim]]:
    """The theorems of ``OTHERS`` that hold of the rule itself."""
    out = {}
    for name, make in OTHERS.items():
        if name == entry.id or make is entry.of:
            continue
        try:
            if proved_by_kernel(make(equations)):
                out[name] = make
        except ValueError:
            continue  # the claim speaks of a symbol that the rule does not have
    return out


def _with_definition(id: str) -> Callable[[ClaimMutant], Claim | None]:
    """The claim of another entry with the mutant's changed definitions put in."""

    def make(m: ClaimMutant) -> Claim | None:
        claim = entries()[id].claim()
        mine = {d.name: d for g in m.claim.theory.definitions for d in g}

        def put(d: Definition) -> Definition:
            new = mine.get(d.name)
            return new if new is not None and new.params == d.params and len(new.cases) == len(d.cases) else d

        groups = tuple(tuple(put(d) for d in g) for g in claim.theory.definitions)
        if groups == claim.theory.definitions:
            return None
        theory = replace(claim.theory, definitions=groups)
        admit(theory)  # raises where the definitions do not fit, as between different networks
        return replace(claim, theory=theory)

    return make


def reached(claim: Claim) -> list[str]:
    """Names of the definitions that the goals and hypotheses of a claim rest on."""
    from .language.signature import relation_terms
    from .language.terms import App, subterms

    statements = [*claim.goals, *claim.theory.hypotheses.values()]
    todo = [t for s in statements for t in relation_terms(s.relation)]
    definitions = {d.name: d for g in claim.theory.definitions for d in g}
    out: list[str] = []
    while todo:
        for s in subterms(todo.pop()):
            if isinstance(s, App) and s.name in definitions and s.name not in out:
                out.append(s.name)
                todo += [c.value for c in definitions[s.name].cases]
    return out


def attack(entry: Entry, limits: Limits = DEFAULT) -> list[Row]:
    """The mutation table of one entry.

    Rules: mutants of the equations (terms, start, moment, order, step size),
    then of the statement (hypotheses dropped, ranges widened).  Other claims:
    mutants of the statement and of every definition that it rests on.
    limits: of the search for a counterexample to a mutant of these.
    """
    claim = entry.claim()
    if entry.of is None or entry.rule is None:
        others = {id: _with_definition(id) for id in STATIC_OTHERS if id != entry.id}
        return claim_table(claim_mutants(claim, definitions=reached(claim)), proved_by_kernel, limits, others)
    equations: Any = entry.rule().equations
    of = own_dynamics if entry.id == "zil_dynamics" else entry.of
    rows = mutation_table(of, equations, proved_by_kernel, _others(entry, equations))
    return rows + claim_table(claim_mutants(claim), proved_by_kernel)
