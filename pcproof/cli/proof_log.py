"""A proof as numbered lines: the equation at the left, the rule at the right."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any

from .terminal import console, heading, say

if TYPE_CHECKING:
    from ..result import Proved

_WIDEST, _NARROWEST = 118, 72


def log_width() -> int:
    """Columns of the log: the terminal's, within reason."""
    if not sys.stdout.isatty():
        return _WIDEST
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size().columns))


def print_proof(result: Proved) -> None:
    """The calculation line by line, ``Q.E.D.``, and what it rests on."""
    from rich.text import Text

    out, width = console(), log_width()
    lines = _lines(result)
    digits = len(str(len(lines)))
    for number, (text, rule, depth) in enumerate(lines, 1):
        pad = "  " * depth
        left = f"{number:>{digits}}  {pad}{text}"
        gap = width - len(left) - len(rule)
        if gap >= 2:
            out.print(Text.assemble((left[:digits], "dim"), left[digits:], " " * gap, (rule, "cyan")))
        else:
            out.print(Text.assemble((left[:digits], "dim"), left[digits:]))
            out.print(Text(" " * max(0, width - len(rule)) + rule, style="cyan"))
    out.print(Text("Q.E.D.".rjust(width), style="bold green"))
    say()
    heading("Rests on")
    for row in rests_on(result):
        say("  " + row)


def _lines(result: Proved) -> list[tuple[str, str, int]]:
    """(text, rule, depth) for each line of the calculation; the named lemmas where there is none."""
    try:
        found: list[Any] = result.calculation()
    except ImportError:
        from ..language.show import show_statement

        assert result.proof is not None
        lemmas = [(show_statement(th.statement()), name, 0) for name, th in result.proof.lemmas.items()]
        return lemmas + [(show_statement(s), "goal", 0) for s in result.claim.goals]
    return [(line.text, line.rule, line.depth) for line in found]


def rests_on(result: Proved) -> list[str]:
    """What has to be believed: assumptions, hypotheses, rules used, the instance that meets them."""
    from collections import Counter

    from ..language.show import show_con, show_statement

    theory = result.claim.theory
    proof = result.proof
    if proof is None:
        raise ValueError("a result without its proof")
    items = proof.items()
    used = Counter(item.rule for item in items)
    rows = [f"sizes: {', '.join(map(show_con, theory.assumptions))}"] if theory.assumptions else []
    rows += [f"hypothesis {n}: {show_statement(s)}" for n, s in theory.hypotheses.items()]
    if not theory.hypotheses:
        rows.append("no hypothesis; the definitions that `pcproof show` prints")
    rows.append(f"the kernel: {len(items)} steps by {len(used)} rules ({', '.join(n for n, _ in used.most_common())})")
    if result.instance is not None:
        rows.append("not vacuous: an exact instance meets the hypotheses and was evaluated")
    return rows
