"""Values of parameters that meet hypotheses: random ones, then exact linear solves.

Hypotheses that are no plain substitution are solved for the entries of one
parameter, or of one layer of it, by Newton steps over the rationals, each
exact where the hypotheses are affine in those entries (an equilibrium of a
linear network, say).  A step is kept if more hypotheses hold exactly after it;
the result counts only if all do.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random
from typing import Any

from .compile import exact
from .graph import Number, holds
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
    ids = problem.graph.needed(nodes)
    problem.run += len(ids)
    known = problem.graph.run(ids, dict(zip(problem.slots, values)), table)
    equations = [known[n.id] for kind, n in problem.requirements if kind == "eq"]
    return equations, all(holds(kind, known[n.id]) for kind, n in problem.requirements if kind != "eq")


def satisfy(problem: Problem, values: Values, table: Any, passes: int = 3) -> Values | None:
    """``values``, changed if need be so that all requirements hold; None if that fails."""
    if not problem.requirements:
        return values
    equations, apart = residuals(problem, values, table)
    groups = _groups(problem) if any(equations) else []
    for _ in range(passes):
        before = sum(e != 0 for e in equations)
        for places in groups:
            if not any(equations):
                break
            trial = _step(problem, values, equations, places, table)
            after, still_apart = residuals(problem, trial, table)
            if sum(e != 0 for e in after) < sum(e != 0 for e in equations):
                values, equations, apart = trial, after, still_apart
        if not any(equations) or sum(e != 0 for e in equations) == before:
            break
    return None if any(equations) or not apart else values


def _groups(problem: Problem) -> list[list[int]]:
    """Places of the entries of each parameter, then of each layer of each."""
    by_name: dict[str, list[int]] = {}
    by_layer: dict[tuple[str, int], list[int]] = {}
    for k, (name, idx) in enumerate(problem.slots):
        by_name.setdefault(name, []).append(k)
        if idx:
            by_layer.setdefault((name, idx[0]), []).append(k)
    return [*by_name.values(), *by_layer.values()]


def _step(problem: Problem, values: Values, equations: Sequence[Number], places: Sequence[int], table: Any) -> Values:
    columns = []
    for k in places:
        moved = list(values)
        moved[k] = moved[k] + 1
        after, _ = residuals(problem, moved, table)
        columns.append([a - b for a, b in zip(after, equations)])
    step = solve_linear(columns, [-e for e in equations])
    trial = list(values)
    for k, s in zip(places, step):
        trial[k] = exact(Fraction(trial[k]) + s)
    return trial


def solve_linear(columns: Sequence[Sequence[Number]], target: Sequence[Number]) -> list[Fraction]:
    """An exact solution of sum_k u_k columns[k] = target; free unknowns 0, equations that cannot be met left out."""
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
    out = [Fraction(0)] * len(columns)
    for r, k in enumerate(pivots):
        out[k] = rows[r][-1]
    return out
