"""Ctrl-C that is not lost.

An interrupt that arrives inside a garbage-collection callback (hypothesis has
one) is printed and forgotten by Python.  Here it is remembered and raised at the
next case; a second one is raised at once.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def remembered() -> Iterator[Callable[[], None]]:
    """Yields a function that raises KeyboardInterrupt if Ctrl-C was pressed inside the block."""
    pressed = False

    def note(signum: int, frame: object) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt  # a second time: at once
        pressed = True

    def check() -> None:
        if pressed:
            raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    ours = threading.current_thread() is threading.main_thread() and before is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, note)
    try:
        yield check
        check()
    finally:
        if ours:
            signal.signal(signal.SIGINT, before)
