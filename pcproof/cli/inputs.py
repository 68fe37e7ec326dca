"""Ids and rule files on the command line, and options that several commands share."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ..catalogue import Entry

F = TypeVar("F", bound=Callable[..., Any])

EXECUTED = "A rule file is Python and is executed, like any script."


def what(metavar: str = "ID|FILE.py[:NAME]") -> Callable[[F], F]:
    """The argument that names a result of the catalogue or a rule file."""
    return click.argument("what", metavar=metavar)


def json_option(f: F) -> F:
    """--json"""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")(f)


def latex_option(f: F) -> F:
    """--latex"""
    return click.option("--latex", is_flag=True, help="Print LaTeX (align blocks; needs amsmath only).")(f)


def load(name: str) -> Entry:
    """An entry of the catalogue, or one made from a rule file.

    What a rule file prints goes to standard error, so that standard output
    stays ours.  An error in the file is reported with its line.
    """
    from ..catalogue import CatalogueError
    from ..catalogue import load as from_catalogue

    try:
        with contextlib.redirect_stdout(sys.stderr):
            return from_catalogue(name)
    except CatalogueError as e:
        raise CatalogueError(_with_line(e, name)) from e
    except SystemExit:
        raise CatalogueError(f"{name} called exit before it stated a claim") from None


def citation(entry: Entry) -> str:
    """Source and place in it: ``Song et al. 2020, eq. 7``."""
    place = entry.equation
    if place[:1].isdigit() or place.startswith("("):
        place = f"eq. {place}"
    return ", ".join(filter(None, (entry.source, place)))


def _with_line(e: Exception, name: str) -> str:
    """The message of an error that a rule file raised, with the line of the file."""
    cause = e.__cause__
    if cause is None:
        return str(e)
    file = Path(name.partition(".py:")[0] + ".py" if ".py:" in name else name)
    frames = [f for f in traceback.extract_tb(cause.__traceback__) if Path(f.filename).name == file.name]
    line = cause.lineno if isinstance(cause, SyntaxError) else frames[-1].lineno if frames else None
    kind = "" if type(cause).__name__ == "RuleError" else f"{type(cause).__name__}: "
    message = cause.msg if isinstance(cause, SyntaxError) else str(cause)
    return f"{file.name}{f', line {line}' if line else ''}: {kind}{message}"
