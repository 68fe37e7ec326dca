"""A progress bar for the terminal; silent where there is none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def terminal_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Give a callable for ``build_report(progress=...)``; the bar is on stderr and goes when done."""
    if not sys.stderr.isatty():
        yield lambda text, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1)

        def tell(text: str, done: int, total: int) -> None:
            bar.update(task, description=text, completed=done, total=max(1, total))

        yield tell
