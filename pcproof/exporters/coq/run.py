"""coqc on an exported file: does it accept, and on which axioms does the theorem rest?

The theorem is asked for from outside: a second file states it anew, from the certificate, and closes it with what the
first file proved; the axioms are those of that second statement.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from .export import THEOREM, export, statement
from .terms import Json

GET = "coqc was not found; get it with: sudo apt-get install coq (or `opam install coq`)"

#: what the real numbers of Coq's own library rest on
ALLOWED = frozenset(
    {
        "ClassicalDedekindReals.sig_forall_dec",
        "ClassicalDedekindReals.sig_not_dec",
        "FunctionalExtensionality.functional_extensionality_dep",
        "Classical_Prop.classic",
    }
)

#: words with which a file could take something for granted
FORBIDDEN = re.compile(
    r"\b(Axioms?|Parameters?|Conjectures?|Hypothes[ie]s|Variables?|Context|Admitted|Admit|admit|give_up|Load|Declare"
    r"|bypass_check|Unset|Set|Abort|Extraction|Primitive|Symbol)\b"
)

STATED = """Require Import Reals ZArith Bool.
From Certificate Require Import {module}.
Local Open Scope R_scope.
Theorem stated :
  {statement}.
Proof. exact {module}.{theorem}. Qed.
Print Assumptions stated.
"""


@dataclass(frozen=True)
class Checked:
    """What coqc said.

    accepted: the file compiled, the theorem is the one that the certificate states, all axioms are allowed.
    assumptions: the axioms that it rests on.  problem: why it is not accepted, "" if it is.
    """

    accepted: bool
    seconds: float
    coqc: str
    assumptions: list[str] = field(default_factory=list)
    problem: str = ""


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


def check(data: Json, timeout: float = 600, text: str | None = None) -> Checked:
    """Have coqc check the export of a certificate (or ``text`` in its place), in a folder of its own."""
    started = time.perf_counter()
    version = coqc_version()
    text = export(data) if text is None else text

    def verdict(problem: str = "", assumptions: list[str] | None = None) -> Checked:
        return Checked(not problem, time.perf_counter() - started, version, assumptions or [], problem)

    if not version:
        return verdict(GET)
    bad = FORBIDDEN.search(_without_comments(text))
    if bad is not None:
        return verdict(f"the file says {bad.group()!r}")
    with tempfile.TemporaryDirectory(prefix="pcproof-coq-") as folder:
        module = "Exported"
        second = STATED.format(module=module, statement=statement(data), theorem=THEOREM)
        for name, source in ((module, text), ("Stated", second)):
            path = Path(folder) / f"{name}.v"
            path.write_text(source, encoding="utf-8", newline="\n")
            left = timeout - (time.perf_counter() - started)
            status, output = _coqc(path, left)
            if status is None:
                return verdict(f"coqc did not finish within {timeout:g} s")
            if status != 0:
                return verdict(_explain(output, source, data if name == module else None))
    found = assumptions(output)
    if found is None:
        return verdict("the answer of Print Assumptions was not understood")
    extra = sorted(set(found) - ALLOWED)
    return verdict(f"it rests on {', '.join(extra)}" if extra else "", found)


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


def _without_comments(text: str) -> str:
    return re.sub(r"\(\*.*?\*\)", " ", text, flags=re.DOTALL)


def _coqc(path: Path, timeout: float) -> tuple[int | None, str]:
    """Exit status (None: out of time) and output of coqc on one file."""
    program = coqc_path()
    assert program is not None
    command = [program, "-q", "-Q", str(path.parent), "Certificate", str(path)]
    process = subprocess.Popen(
        command, cwd=path.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        output, _ = process.communicate(timeout=max(timeout, 1))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None, ""
    return process.returncode, output


def _explain(output: str, source: str, data: Json | None) -> str:
    """One sentence from coqc's error, with the item at which it stopped."""
    place = re.search(r"line (\d+), characters", output)
    message = output.partition("Error:")[2] or output
    words = " ".join(message.split())
    words = words[:200] + ("..." if len(words) > 200 else "")
    where = ""
    if place is not None and data is not None:
        above = source.splitlines()[: int(place.group(1))]
        found = [m for m in (re.match(r"(?:Lemma|Theorem) (\w+)", x) for x in above) if m is not None]
        if found:
            name = found[-1].group(1)
            item = re.fullmatch(r"s(\d+)", name)
            where = f" at {name}"
            if item is not None:
                where = f" at item {item.group(1)} (rule {data['items'][int(item.group(1))]['rule']})"
    elif data is None:
        where = ": the file does not prove what the certificate states"
    return f"coqc stopped{where}: {words}"
