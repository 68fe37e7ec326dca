"""A counterexample, printed as a network that a person can check by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..language.signature import Claim, Statement
from .instance import Instance, Key


@dataclass(frozen=True)
class Counterexample:
    """A concrete model in which one goal fails.

    goal: number of the failing statement.  indices: its variables.
    exhaustive: it is the first in the stated order (``search``), and nothing before it was passed over.
    relevant: the entries of parameters on which the two sides depend (None: not known).
    """

    claim: Claim
    instance: Instance
    goal: int
    indices: Mapping[str, int]
    lhs: Fraction
    rhs: Fraction
    exhaustive: bool
    relevant: frozenset[Key] | None = None

    @property
    def statement(self) -> Statement:
        return self.claim.goals[self.goal]

    @property
    def sizes(self) -> Mapping[str, int]:
        return self.instance.shape.constants

    @property
    def widths(self) -> Mapping[str, tuple[int, ...]]:
        """By layer, layer 0 (the output) first."""
        return self.instance.shape.tables

    @property
    def activation(self) -> str:
        return self.instance.activation.name

    @property
    def parameters(self) -> Mapping[tuple[str, tuple[int, ...]], Fraction]:
        return self.instance.parameters

    def text(self) -> str:
        """One line: the network in PyTorch's order, then what each side computes, in both notations."""
        from .layout import network_text

        return network_text(self)

    def paper(self) -> str:
        """The network's numbers in the paper's notation (layer 0 is the output)."""
        from .layout import paper_text

        return paper_text(self)

    def formula(self) -> str:
        """Left side minus right side at this shape, factored; "" if it is no polynomial."""
        from .formula import difference_formula

        return difference_formula(self)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: exact fractions as text."""
        from .layout import as_dict

        return as_dict(self)
