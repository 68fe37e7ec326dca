"""Values of parameters that meet hypotheses: random ones, then one exact linear solve.

Hypotheses that are no plain substitution are solved for the entries of one
parameter at a time by one Newton step over the rationals, which is exact where
the hypotheses are affine in them (an equilibrium of a linear network, say).
The step counts only if the hypotheses then hold exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random
from typing import Any

from .compile import exact
from .graph import Number
from .problem import Problem

Values = Sequence[Number]


def random_values(problem: Problem, random: Random, turn: int, signed: bool = False) -> Values:
    """Large integers, deterministic; of both signs on every other turn if ``signed``."""
    high = 1_000_003

    def one() -> int:
        v = random.randrange(2, high)
        return -v if signed and random.random() < 0.5 else v

    return [one() for _ in problem.slots]


def residuals(problem: Problem, values: Values, table: Any) -> tuple[list[Number], bool]:
    """Equations among the requirements (0 where they hold), and whether all inequations hold."""
    nodes = [n for _, n in problem.requirements]
    known = problem.graph.run(problem.graph.needed(nodes), dict(zip(problem.slots, values)), table)
    equations = [known[n.id] for kind, n in problem.requirements if kind == "eq"]
    return equations, all(known[n.id] != 0 for kind, n in problem.requirements if kind == "ne")


def satisfy(problem: Problem, values: Values, table: Any) -> Values | None:
    """``values``, changed in one parameter if need be, so that all requirements hold; None if that fails."""
    if not problem.requirements:
        return values
    equations, apart = residuals(problem, values, table)
    if not any(equations):
        return values if apart else None
    for name in dict.fromkeys(n for n, _ in problem.slots):
        places = [k for k, (n, _) in enumerate(problem.slots) if n == name]
        columns = []
        for k in places:
            moved = list(values)
            moved[k] = moved[k] + 1
            after, _ = residuals(problem, moved, table)
            columns.append([a - b for a, b in zip(after, equations)])
        step = solve_linear(columns, [-e for e in equations])
        if step is None:
            continue
        trial = list(values)
        for k, s in zip(places, step):
            trial[k] = exact(Fraction(trial[k]) + s)
        after, apart = residuals(problem, trial, table)
        if not any(after) and apart:
            return trial
    return None


def solve_linear(columns: Sequence[Sequence[Number]], target: Sequence[Number]) -> list[Fraction] | None:
    """One exact solution of sum_k u_k columns[k] = target (free unknowns 0); None if there is none."""
    rows = [[Fraction(c[r]) for c in columns] + [Fraction(target[r])] for r in range(len(target))]
    pivots: list[int] = []
    top = 0
    for k in range(len(columns)):
        at = next((r for r in range(top, len(rows)) if rows[r][k]), None)
        if at is None:
            continue
        rows[top], rows[at] = rows[at], rows[top]
        pivot = rows[top][k]
        rows[top] = [v / pivot for v in rows[top]]
        for r, row in enumerate(rows):
            if r != top and row[k]:
                factor = row[k]
                rows[r] = [v - factor * w for v, w in zip(row, rows[top])]
        pivots.append(k)
        top += 1
    if any(row[-1] for row in rows[top:]):
        return None
    out = [Fraction(0)] * len(columns)
    for r, k in enumerate(pivots):
        out[k] = rows[r][-1]
    return out
