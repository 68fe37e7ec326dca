"""z3 and cvc5 from their Python wheels, each in a process that is ended when it takes too long."""

from __future__ import annotations

import importlib.util
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from .obligation import SAT, UNKNOWN, UNSAT

WHEELS = {"z3": "z3-solver", "cvc5": "cvc5"}
SOLVERS = tuple(WHEELS)
WORKER = Path(__file__).with_name("worker.py")
START, GRACE = 60.0, 2.0  # seconds: for the first answer, and beyond the solver's own time-out
DEATHS = 3  # in a row, and the solver is no longer asked


def get(solver: str) -> str:
    """How a solver that is missing is got."""
    return f"{solver} was not found; get it with: pip install 'pcproof[smt]' (or pip install {WHEELS[solver]})"


def version(solver: str) -> str:
    """The version of the wheel, "" if it is not installed."""
    if importlib.util.find_spec(solver) is None:
        return ""
    try:
        return metadata.version(WHEELS[solver])
    except metadata.PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True)
class Answer:
    """said: "sat", "unsat" or "unknown" (time-outs and errors are that).  why: of an "unknown"."""

    said: str
    seconds: float
    why: str = ""


def answers(solver: str, scripts: Sequence[str], each: float, total: float) -> Iterator[Answer]:
    """What the solver says of each script, in at most ``each`` seconds for one and ``total`` for all."""
    left, end, deaths = list(scripts), time.monotonic() + total, 0
    while left:
        if deaths == DEATHS:
            yield from (Answer(UNKNOWN, 0.0, f"not asked: {solver} had died {deaths} times in a row") for _ in left)
            return
        with _started(solver, each) as process:
            patience = START
            while left:
                if time.monotonic() > end:
                    yield from (Answer(UNKNOWN, 0.0, f"not asked: {total:g} s were over") for _ in left)
                    return
                began = time.perf_counter()
                line = _ask(process, left.pop(0), each + max(GRACE, patience))
                seconds, patience = time.perf_counter() - began, 0.0
                if not line:
                    # killed for being late, or dead by itself: the next script gets a new process
                    late = _lives(process)
                    deaths = 0 if late else deaths + 1
                    yield Answer(UNKNOWN, seconds, f"no answer within {each:g} s" if late else "the solver died")
                    break
                deaths = 0
                yield _read(json.loads(line), seconds, each)


def _read(text: str, seconds: float, timeout: float) -> Answer:
    if text in (SAT, UNSAT):
        return Answer(text, seconds)
    timed_out = text.startswith(UNKNOWN) and ("TIMEOUT" in text or seconds >= 0.9 * timeout)
    why = f"no answer within {timeout:g} s" if timed_out else " ".join(text.split())[:200] or "no answer"
    return Answer(UNKNOWN, seconds, why)


@contextmanager
def _started(solver: str, timeout: float) -> Iterator[subprocess.Popen[bytes]]:
    """A worker; however the block is left, it is ended and waited for."""
    command = [sys.executable, str(WORKER), solver, str(max(1, round(timeout * 1000)))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):  # what it had not read when it was ended
                    stream.close()
        process.wait()


def _lives(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(0.2)
    except subprocess.TimeoutExpired:
        return True
    return False


def _ask(process: subprocess.Popen[bytes], script: str, patience: float) -> bytes:
    """One line of answer; empty if there is none in time, or no more."""
    assert process.stdin is not None and process.stdout is not None
    deadline, out = time.monotonic() + patience, b""
    try:
        process.stdin.write(json.dumps(script).encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        return b""
    handle = process.stdout.fileno()
    while not out.endswith(b"\n"):
        ready, _, _ = select.select([handle], [], [], max(0.0, deadline - time.monotonic()))
        part = os.read(handle, 65536) if ready else b""
        if not part:
            return b""
        out += part
    return out
