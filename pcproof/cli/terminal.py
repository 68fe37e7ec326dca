"""What is printed where.

Results go to standard output, everything else (progress, notes, errors) to
standard error.  A character that the stream cannot encode is written in ASCII
instead of ending the program.
"""

from __future__ import annotations

import codecs
import json
import os
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

_PIPE_WIDTH = 10_000  # not a terminal: nothing is wrapped or cut
_ASCII = {
    "\N{EM DASH}": "-", "\N{EN DASH}": "-", "\N{MINUS SIGN}": "-", "\N{MULTIPLICATION SIGN}": "x",
    "\N{MIDDLE DOT}": "*", "\N{DOT OPERATOR}": "*", "\N{BULLET}": "*", "\N{CHECK MARK}": "ok",
    "\N{BALLOT X}": "x", "\N{RIGHTWARDS ARROW}": "->", "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=", "\N{NOT EQUAL TO}": "!=", "\N{N-ARY SUMMATION}": "sum",
    "\N{FOR ALL}": "for all", "\N{PARTIAL DIFFERENTIAL}": "d", "\N{PRIME}": "'", "\N{SUPERSCRIPT TWO}": "^2",
    "\N{HORIZONTAL ELLIPSIS}": "...", "\N{GREEK SMALL LETTER EPSILON}": "eps", "\N{WHITE SQUARE}": "[]",
    "\N{BLACK SQUARE}": "[]",
}  # fmt: skip


def _plain(character: str) -> str:
    """An ASCII spelling: a table, then Greek letters by name, accents dropped, boxes as lines."""
    if character in _ASCII:
        return _ASCII[character]
    name = unicodedata.name(character, "")
    if name.startswith("GREEK"):
        word = name.split(" WITH ")[0].split()[-1]
        return word.capitalize() if "CAPITAL" in name else word.lower()
    if name.startswith("BOX DRAWINGS"):
        horizontal, vertical = "HORIZONTAL" in name, "VERTICAL" in name
        return "-" if horizontal and not vertical else "|" if vertical and not horizontal else "+"
    bare = "".join(c for c in unicodedata.normalize("NFKD", character) if ord(c) < 128)
    return bare or "?"


def _degrade(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (it lives as long as the program)


def make_streams_safe() -> None:
    """Never fail on a character that the terminal's encoding lacks, nor on a stream that is closed."""
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    codecs.register_error("pcproof.degrade", _degrade)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="pcproof.degrade")


def console(stderr: bool = False) -> Console:
    """A rich console on standard output (or error), made anew so that redirection is seen."""
    from rich.console import Console

    class _Console(Console):
        def on_broken_pipe(self) -> None:
            """Rich would exit with status 1, which means "refuted" here."""
            raise BrokenPipeError

    stream = sys.stderr if stderr else sys.stdout
    terminal = stream.isatty()
    return _Console(
        file=stream, highlight=False, markup=False, emoji=False, soft_wrap=not terminal,
        width=None if terminal else _PIPE_WIDTH,
    )  # fmt: skip


def say(text: str = "") -> None:
    """A line of the result."""
    print(text)


def note(text: str) -> None:
    """A line about the run, on standard error."""
    print(text, file=sys.stderr)


def print_json(document: Any) -> None:
    """The one JSON document; ASCII, so that every encoding can carry it."""
    print(json.dumps(document, indent=2, ensure_ascii=True, default=str))


def table(rows: Sequence[Sequence[str]], head: Sequence[str] = (), styles: Sequence[str] = (), indent: int = 0) -> None:
    """Aligned columns on standard output."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    out = console()
    grid = Table(
        box=None, show_header=bool(head), header_style="bold", pad_edge=False, show_edge=False, padding=(0, 2, 0, 0)
    )
    columns = max((len(r) for r in rows), default=len(head))
    for k in range(columns):
        style = styles[k] if k < len(styles) else ""
        grid.add_column(head[k] if k < len(head) else "", style=style, no_wrap=k == 0, overflow="fold")
    for r in rows:
        grid.add_row(*(Text(cell) for cell in r))
    if out.is_terminal:
        out.print(Padding(grid, (0, 0, 0, indent)))
        return
    with out.capture() as captured:
        out.print(grid)
    for line in captured.get().splitlines():
        print((" " * indent + line).rstrip())


def heading(text: str) -> None:
    """A heading of a part of the output."""
    from rich.text import Text

    console().print(Text(text, style="bold"))


def verdict_line(verdict: str, text: str) -> None:
    """A sentence whose first word is coloured by the verdict."""
    from rich.text import Text

    style = {"proved": "bold green", "refuted": "bold red"}.get(verdict, "bold yellow")
    first, _, rest = text.partition(":")
    console().print(Text.assemble((first, style), ":" + rest if rest else ""))


@contextmanager
def working(text: str) -> Iterator[None]:
    """A spinner on standard error while something is computed; silent unless that is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    with console(stderr=True).status(text):
        yield
