"""The command line: ``pcproof COMMAND ...``, one command a file.

====================  =========================================================
``commands``          the group and its order; what ``pcproof --help`` shows
``run``               from arguments to an exit status; errors in one sentence
``inputs``            an id or a rule file; options that several commands share
``terminal``          what is printed where, and in which encoding
``proof_log``         a proof as numbered lines with the rule at the right
``list`` ... ``doctor``  the commands
====================  =========================================================

Exit statuses: 0 proved / done, 1 refuted / failed, 2 bad input, 3 unknown,
130 interrupted.  Only light modules are imported at the top of these files;
SymPy, NumPy and hypothesis come in where a command needs them.
"""

from __future__ import annotations

from .run import main, run

__all__ = ["main", "run"]
