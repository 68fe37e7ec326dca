"""SMT-LIB: a certificate becomes obligations that z3 and cvc5 discharge."""

from __future__ import annotations

from .export import Export, export
from .indices import SmtError
from .run import EACH, TOTAL, Checked, accept, ask, check, given
from .solver import SOLVERS, get, version

__all__ = [
    "EACH", "SOLVERS", "TOTAL", "Checked", "Export", "SmtError", "accept", "ask", "check", "export", "get", "given",
    "version",
]  # fmt: skip
