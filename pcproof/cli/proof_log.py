"""A proof as numbered lines: the equation at the left, the rule at the right."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from typing import TYPE_CHECKING

from .terminal import console, heading, say

if TYPE_CHECKING:
    from rich.text import Text

    from ..result import Proved

_WIDEST, _NARROWEST = 118, 76
_DONE = "Q.E.D."


def print_proof(result: Proved) -> None:
    """The calculation line by line, each with its rule and ``Q.E.D.``, then what it rests on."""
    from ..report.calculation import as_log

    out, width = console(), _width()
    number = 0
    for line in as_log(result.calculation(), width - 5).strip("\n").splitlines():
        finished = line.endswith(_DONE)
        number += finished
        out.print(_styled(f"{number:>3}  " if finished else "     ", line), soft_wrap=True)
    say()
    heading("Rests on")
    for row in rests_on(result):
        say("  " + row)


def _width() -> int:
    """Columns of the log: the terminal's, within reason."""
    if not sys.stdout.isatty():
        return _WIDEST
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size().columns))


def _styled(gutter: str, line: str) -> Text:
    from rich.text import Text

    if line.endswith(_DONE):
        body = line[: -len(_DONE)]
        return Text.assemble((gutter, "dim"), body, (_DONE, "green"))
    return Text.assemble(gutter if line else "", (line, "" if line.startswith(" ") else "bold"))


def rests_on(result: Proved) -> list[str]:
    """What has to be believed: assumptions, hypotheses, rules used, the instance that meets them."""
    from ..language.show import show_con, show_statement

    theory, proof = result.claim.theory, result.proof
    if proof is None:
        raise ValueError("a result without its proof")
    items = proof.items()
    used = Counter(item.rule for item in items)
    rows = [f"sizes: {', '.join(map(show_con, theory.assumptions))}"] if theory.assumptions else []
    rows += [f"hypothesis {n}: {show_statement(s)}" for n, s in theory.hypotheses.items()]
    if not theory.hypotheses:
        rows.append("no hypotheses; the definitions that `pcproof show` prints")
    rows.append(f"the kernel: {len(items)} steps by {len(used)} rules ({', '.join(n for n, _ in used.most_common())})")
    if result.instance is not None:
        rows.append("not vacuous: an exact instance meets the hypotheses and was evaluated")
    return rows
