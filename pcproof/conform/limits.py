"""Running code that is not ours: a time limit, its printing kept off standard output, its errors named."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from types import FrameType


class Unusable(ValueError):
    """A function that cannot be judged; the message is one sentence that says why."""


class Raised(Exception):
    """The function under test raised; the message names its exception."""


class TooLong(BaseException):
    """The time limit is over; not an ``Exception``, so that the function under test does not catch it."""


@contextlib.contextmanager
def guarded(seconds: float) -> Iterator[None]:
    """Run somebody's code.

    Raises ``Raised`` for whatever it raises and for a call that is not over
    after ``seconds`` (in the main thread; elsewhere time is not limited).
    Ctrl-C passes.
    """

    def over(signum: int, frame: FrameType | None) -> None:
        raise TooLong

    limited = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGALRM, over) if limited else None
    started = time.monotonic()
    left = signal.setitimer(signal.ITIMER_REAL, seconds)[0] if limited else 0.0
    try:
        with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except TooLong:
        raise Raised(f"was not done after {seconds:g} s") from None
    except Raised:
        raise
    except RecursionError:
        raise Raised("raised RecursionError: the recursion is too deep") from None
    except (Exception, SystemExit) as e:
        text = " ".join(str(e).split())
        text = text if len(text) <= 200 else text[:200] + " ..."
        raise Raised(f"raised {type(e).__name__}{f': {text}' if text else ''}") from e
    finally:
        if limited:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            if left:
                signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), 1e-6))
