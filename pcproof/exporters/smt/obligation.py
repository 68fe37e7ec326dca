"""What a solver is asked: one script, whose answer ought to be ``unsat`` (it follows) or ``sat`` (it can hold)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

UNSAT, SAT, UNKNOWN = "unsat", "sat", "unknown"


@dataclass
class Obligation:
    """script: without ``check-sat``.  roles: what it is for, as (rule or part of the theory, where); equal scripts are
    one obligation with several roles.
    """

    script: str
    expected: str = UNSAT
    roles: list[tuple[str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What a solver reads."""
        return f"{self.script}\n(set-info :status {self.expected})\n(check-sat)\n"

    @property
    def where(self) -> str:
        shown = ", ".join(f"{where} ({rule})" for rule, where in self.roles[:3])
        return shown + (f" and {len(self.roles) - 3} more" if len(self.roles) > 3 else "")


class Obligations:
    """Obligations in order of first use; the same script is asked once."""

    def __init__(self) -> None:
        self.table: dict[tuple[str, str], Obligation] = {}

    def add(self, rule: str, where: str, script: str, expected: str = UNSAT) -> None:
        found = self.table.setdefault((script, expected), Obligation(script, expected))
        found.roles.append((rule, where))

    def __iter__(self) -> Iterator[Obligation]:
        return iter(self.table.values())

    def __len__(self) -> int:
        return len(self.table)
