"""From arguments to an exit status."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from . import exits
from .terminal import make_streams_safe, note


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit status and never raises on bad input.

    Arguments as in ``sys.argv[1:]``, which is the default.
    """
    from .commands import pcproof

    make_streams_safe()
    try:
        status = pcproof.main(
            args=None if arguments is None else list(arguments), prog_name="pcproof", standalone_mode=False
        )
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as e:
        click.echo(e.format_message(), err=True)
        return exits.BAD_INPUT
    except click.UsageError as e:
        command = e.ctx.command_path if e.ctx else "pcproof"
        return _refuse(f"{command}: {_sentence(e.format_message())} (see `{command} --help`)")
    except click.ClickException as e:
        return _refuse(f"pcproof: {_sentence(e.format_message())}")
    except (KeyboardInterrupt, click.Abort):
        note("pcproof: interrupted")
        return exits.INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return exits.PIPE_CLOSED
    except OSError as e:
        return _refuse(f"pcproof: {_place(e)}{e.strerror or e}")
    except Exception as e:
        return _explain(e)
    return status if isinstance(status, int) else exits.DONE


def main() -> None:
    """The entry point of the command ``pcproof``."""
    sys.exit(run())


def _place(e: OSError) -> str:
    """The file that an error is about; for a temporary one its folder."""
    if not e.filename:
        return ""
    path = Path(os.fsdecode(e.filename))
    return f"{str(path.parent if path.suffix == '.part' else path)!r}: "


def _sentence(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


def _refuse(sentence: str) -> int:
    note(sentence)
    return exits.BAD_INPUT


def _forget_stdout() -> None:
    """The reader has gone: what is still buffered must not fail again at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain(e: Exception) -> int:
    """An error of the input is one sentence; anything else is our own and shows its traceback."""
    from ..catalogue import CatalogueError
    from ..result import NotProvedError
    from ..rules.equations import RuleError

    if isinstance(e, (CatalogueError, NotProvedError, RuleError)):
        return _refuse(f"pcproof: {_sentence(str(e))}")
    import traceback

    traceback.print_exception(e)
    note("pcproof: internal error; the traceback above belongs into a bug report")
    return exits.INTERNAL
