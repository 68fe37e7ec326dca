"""``pcproof doctor``: what is installed, what is missing, and how to get it."""

from __future__ import annotations

import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass
from importlib import metadata

import click

from .inputs import json_option
from .terminal import print_json, say, table


@dataclass(frozen=True)
class Part:
    """Something that pcproof uses.

    version: as found, "" if missing.  serves: what for.  get: the command that gets it.
    """

    name: str
    version: str
    serves: str
    get: str
    needed: bool = False


@click.command("doctor", short_help="What is installed, what is missing, how to get it.")
@json_option
def command(as_json: bool) -> None:
    """Versions, optional parts found, what is missing and the command that gets it."""
    parts = _parts()
    if as_json:
        print_json([asdict(p) for p in parts])
        return
    table([(p.name, p.version or "missing", p.serves) for p in parts], ("part", "version", "for"), ("cyan", "", "dim"))
    missing = [p for p in parts if not p.version]
    say()
    if not missing:
        say("Nothing is missing.")
        return
    say("To get what is missing:")
    table([(p.name, p.get) for p in missing], indent=2)


def _parts() -> list[Part]:
    from .. import __version__

    def pip(name: str, serves: str, extra: str = "", needed: bool = False) -> Part:
        get = f"pip install '{f'pcproof[{extra}]' if extra else name}'"
        return Part(name, _installed(name), serves, get, needed)

    return [
        Part("python", platform.python_version(), "everything", "", True),
        Part("pcproof", __version__, "everything", "", True),
        pip("sympy", "energies in, formulas out", needed=True),
        pip("numpy", "generated kernels", needed=True),
        pip("jinja2", "layout of kernels and reports", needed=True),
        pip("hypothesis", "property tests", needed=True),
        pip("torch", "PyTorch kernels, autograd as a second opinion", "torch"),
        pip("jax", "update functions in JAX under `conform`", "jax"),
        pip("scikit-learn", "the handwritten digits of the report", "report"),
        pip("z3-solver", "SMT checks", "smt"),
        pip("cvc5", "SMT checks", "smt"),
        Part("coqc", _program(["coqc"], "--print-version"), "independent check of proofs", "sudo apt-get install coq"),
        Part(
            "chromium", _program(["chromium", "chromium-browser", "google-chrome"], "--version"),
            "pictures of the report page", "sudo apt-get install chromium",
        ),
    ]  # fmt: skip


def _installed(distribution: str) -> str:
    """The version of an installed distribution, without importing it."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _program(names: list[str], option: str) -> str:
    """The version that a program on the path reports."""
    for name in names:
        path = shutil.which(name)
        if path is None:
            continue
        try:
            done = subprocess.run([path, option], capture_output=True, text=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        words = (done.stdout or done.stderr).split()
        numbers = [w for w in words if w[:1].isdigit()]
        return numbers[0] if numbers else "found"
    return ""
