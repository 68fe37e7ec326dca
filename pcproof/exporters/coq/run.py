"""coqc on an exported certificate: does it accept, and on which axioms does the theorem rest?

The theorem is asked for from outside: sentences after the file (``stated``) say anew, from the certificate, what it has
to hold, and close it with what it proved; the axioms are those of these sentences.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from ...proof.acceptance import ACCEPTED, NOT_RUN, REJECTED, UNKNOWN, Acceptance
from ..coq_reader import compare
from .export import digest, export
from .prelude import PRELUDE
from .sentences import fault
from .stated import EVERYTHING, stated
from .terms import CoqError, Json

GET = "coqc was not found; get it with: sudo apt-get install coq (or `opam install coq`)"
CHECKER = "coqc"
TIMEOUT = 600.0
MODULE = "Exported"

#: a small heap for what is young, which is cleared oftener, and a lazy collector: coqc takes a tenth less
MEMORY = "s=8M,o=400"

#: so many characters, or a few more, are read by one coqc where many are asked for
SHARED = 1_000_000

#: what the real numbers of Coq's own library rest on
ALLOWED = frozenset(
    {
        "ClassicalDedekindReals.sig_forall_dec",
        "ClassicalDedekindReals.sig_not_dec",
        "FunctionalExtensionality.functional_extensionality_dep",
        "Classical_Prop.classic",
    }
)

#: coqc gave up, which says nothing about the proof
GAVE_UP = re.compile(r"Error:\s*(Stack overflow|Out of memory|Anomaly|Timeout)")


def coqc_path() -> str | None:
    return shutil.which("coqc")


def coqc_version() -> str:
    """The version of the coqc on the path, "" without one."""
    path = coqc_path()
    if path is None:
        return ""
    try:
        done = subprocess.run([path, "--print-version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout.split() or [""])[0]


class Stopped(Exception):
    """Every coqc was told to end."""


class Processes:
    """The coqc that are at work; ``kill`` ends them all, and no other begins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def kill(self) -> None:
        with self._lock:
            self._stopped = True
            for process in self._running:
                _kill(process)

    def coqc(self, path: Path, timeout: float) -> tuple[int | None, str, str]:
        """Exit status (None: out of time), output and errors of coqc on one file."""
        command = [coqc_path() or CHECKER, "-q", "-noglob", "-Q", str(path.parent), "Certificate", str(path)]
        with self._lock:
            if self._stopped:
                raise Stopped
            process = subprocess.Popen(
                command, cwd=path.parent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                encoding="utf-8", errors="replace", start_new_session=True, env={"OCAMLRUNPARAM": MEMORY, **os.environ},
            )  # fmt: skip
            self._running.add(process)
        try:
            output, errors = process.communicate(timeout=max(timeout, 1))
        except subprocess.TimeoutExpired:
            return None, "", ""
        finally:
            _kill(process)
            with self._lock:
                self._running.discard(process)
        if self._stopped:
            raise Stopped
        return process.returncode, output, errors


def _kill(process: subprocess.Popen[str]) -> None:
    """End it, if it has not ended."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Queue:
    """Certificates on their way through several coqc at once; made by ``queue``."""

    def __init__(self, pool: ThreadPoolExecutor, processes: Processes, timeout: float) -> None:
        self._pool, self._processes, self._timeout = pool, processes, timeout
        self._waiting: list[tuple[Json, str, Future[Acceptance]]] = []

    def accept(self, data: Json) -> Future[Acceptance]:
        """Begin; the future has what ``accept`` returns."""
        return self._pool.submit(accept, data, self._timeout, self._processes)

    def share(self, data: Json, text: str) -> Future[Acceptance]:
        """The same for what ``export`` wrote, but one coqc reads several; it begins when there is enough, or at
        ``flush``."""
        answer: Future[Acceptance] = Future()
        self._waiting.append((data, text, answer))
        if sum(len(t) for _, t, _ in self._waiting) >= SHARED:
            self.flush()
        return answer

    def flush(self) -> None:
        """Begin with all that waits for more."""
        if self._waiting:
            self._pool.submit(self._several, self._waiting)
            self._waiting = []

    def _several(self, waiting: list[tuple[Json, str, Future[Acceptance]]]) -> None:
        try:
            found = accept_texts([(data, text) for data, text, _ in waiting], self._timeout, self._processes)
        except BaseException as e:
            for _, _, answer in waiting:
                answer.set_exception(e)
            raise
        for (_, _, answer), acceptance in zip(waiting, found):
            answer.set_result(acceptance)


@contextmanager
def queue(jobs: int | None = None, timeout: float = TIMEOUT) -> Iterator[Queue]:
    """``jobs`` coqc at once (default: one a core); at the end, or at Ctrl-C, none of them is left."""
    processes = Processes()
    pool = ThreadPoolExecutor(max_workers=jobs or os.cpu_count() or 1, thread_name_prefix=CHECKER)
    try:
        yield Queue(pool, processes, timeout)
    finally:
        processes.kill()
        pool.shutdown(wait=True, cancel_futures=True)


def accept(data: Json, timeout: float = TIMEOUT, processes: Processes | None = None) -> Acceptance:
    """coqc's verdict on a certificate.

    timeout: seconds for coqc.  Accepted: the exported file compiles, it holds what the certificate states (as coqc is
    asked anew after it, and as ``coq_reader`` reads the first), and all axioms are allowed ones.  Rejected:
    one of these says no.  Unknown: out of time, coqc gave up, or the exporter has no words for the certificate.  Not
    run: there is no coqc.
    """
    try:
        return accept_text(data, export(data), timeout, processes)
    except CoqError as e:
        return Acceptance(CHECKER, "", UNKNOWN, digest(data), "", 0.0, (), f"not exported: {e}")


def accept_text(data: Json, text: str, timeout: float = TIMEOUT, processes: Processes | None = None) -> Acceptance:
    """The same for ``text`` in the place of the exported file."""
    started = time.perf_counter()
    version = coqc_version()

    def says(verdict: str, detail: str = "", axioms: Sequence[str] = ()) -> Acceptance:
        return _says(data, text, version, verdict, time.perf_counter() - started, detail, axioms)

    if not version:
        return says(NOT_RUN, GET)
    bad = fault(text)
    if bad:
        return says(REJECTED, f"not given to coqc: {bad}")
    source = f"{text}\n{stated(data)}\nPrint Assumptions {EVERYTHING}.\n"
    status, output, errors = _read(source, timeout, processes or Processes())
    if status is None:
        return says(UNKNOWN, f"coqc did not finish within {timeout:g} s")
    if status < 0 or GAVE_UP.search(errors):
        return says(UNKNOWN, f"coqc gave up (exit status {status}): {_sentence(errors)}")
    if status != 0:
        return says(REJECTED, _explain(errors, text, data))
    axioms = assumptions(output)
    if axioms is None:
        return says(REJECTED, "the answer of Print Assumptions was not understood")
    extra = sorted(set(axioms) - ALLOWED)
    if extra:
        return says(REJECTED, f"it rests on {', '.join(extra)}", axioms)
    return says(*_compared(data, text), axioms)


def accept_texts(
    given: Sequence[tuple[Json, str]], timeout: float = TIMEOUT, processes: Processes | None = None
) -> list[Acceptance]:
    """The same for several certificates and their files, which one coqc reads: the prelude, and a module for each.

    What each rests on is what all of them together rest on, and the seconds are divided evenly.  Where anything is not
    as it should be, each is read alone, as ``accept_text`` does.
    """
    started = time.perf_counter()
    version = coqc_version()
    processes = processes or Processes()
    if version and len(given) > 1 and not any(fault(text) for _, text in given):
        status, output, _ = _read(together(given), timeout, processes)
        axioms = assumptions(output) if status == 0 else None
        if axioms is not None and ALLOWED.issuperset(axioms):
            seconds = (time.perf_counter() - started) / len(given)
            verdicts = [_compared(data, text) for data, text in given]
            return [_says(d, t, version, v, seconds, why, axioms) for (d, t), (v, why) in zip(given, verdicts)]
    return [accept_text(data, text, timeout, processes) for data, text in given]


def together(given: Sequence[tuple[Json, str]]) -> str:
    """Files without a ``fault`` as one, each with what it has to hold in a module of its own: no name of one is known
    to another by itself."""
    parts = [PRELUDE.strip("\n")]
    for k, (data, text) in enumerate(given):
        parts.append(f"Module T{k}.\n{text.partition(PRELUDE.strip(chr(10)))[2]}\n{stated(data)}\nEnd T{k}.")
    every = ", ".join(f"T{k}.{EVERYTHING}" for k in range(len(given)))
    return "\n\n".join([*parts, f"Definition {EVERYTHING} := ({every}).\nPrint Assumptions {EVERYTHING}."]) + "\n"


def _read(source: str, timeout: float, processes: Processes) -> tuple[int | None, str, str]:
    """Exit status (None: out of time), output and errors of coqc on this text."""
    with tempfile.TemporaryDirectory(prefix="pcproof-coq-") as folder:
        path = Path(folder) / f"{MODULE}.v"
        path.write_text(source, encoding="utf-8", newline="\n")
        return processes.coqc(path, timeout)


def _compared(data: Json, text: str) -> tuple[str, str]:
    """The verdict on a file that coqc accepts, and what speaks against it."""
    different = compare(text, data)
    if different:
        return REJECTED, f"coqc accepts it, but it states something else: {different[0]}"
    return ACCEPTED, ""


def _says(
    data: Json, text: str, version: str, verdict: str, seconds: float, detail: str = "", axioms: Sequence[str] = ()
) -> Acceptance:
    given = hashlib.sha256(text.encode()).hexdigest()
    return Acceptance(CHECKER, version, verdict, digest(data), given, seconds, tuple(axioms), detail)


def assumptions(output: str) -> list[str] | None:
    """The axioms that ``Print Assumptions`` lists; None if its answer is not understood."""
    lines = [x for x in output.splitlines() if x.strip()]
    if lines == ["Closed under the global context"]:
        return []
    if not lines or lines[0] != "Axioms:":
        return None
    out = []
    for line in lines[1:]:
        if line[0].isspace():
            continue
        name = re.match(r"([A-Za-z_][\w.']*)\s*(:|$)", line)
        if name is None:
            return None
        out.append(name.group(1))
    return out


def _sentence(errors: str) -> str:
    message = errors.partition("Error:")[2] or errors
    words = " ".join(message.split())
    return words[:200] + ("..." if len(words) > 200 else "")


def _explain(errors: str, text: str, data: Json) -> str:
    """One sentence from coqc's error, with the item at which it stopped."""
    place = re.search(r"line (\d+), characters", errors)
    where = ""
    if place is not None:
        lines, line = text.splitlines(), int(place.group(1))
        found = [m for m in (re.match(r"(?:Lemma|Theorem|Definition) (\w+)", x) for x in lines[:line]) if m is not None]
        if line > len(lines):
            where = ": the file does not prove what the certificate states"
        elif found:
            name = found[-1].group(1)
            item = re.fullmatch(r"s(\d+)", name)
            where = f" at {name}"
            if item is not None:
                where = f" at item {item.group(1)} (rule {data['items'][int(item.group(1))]['rule']})"
    return f"coqc stopped{where}: {_sentence(errors)}"
