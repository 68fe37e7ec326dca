"""``pcproof trust ID|CERT``: everything that a theorem rests on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import exits
from .inputs import EXECUTED, json_option, load
from .keep import keep
from .terminal import heading, note, print_json, say, table, working

if TYPE_CHECKING:
    from ..trust import Trust

ALL = "all"


@click.command("trust", epilog=EXECUTED, short_help="Everything that a theorem rests on, and who accepted it.")
@click.argument("what", metavar="ID|FILE.py[:NAME]|CERT")
@click.option(
    "--run", "ask", multiple=True, type=click.Choice(["smt", "coq", ALL]),
    help="Ask this checker now (may be repeated); otherwise what it said before on this machine is shown.",
)  # fmt: skip
@click.option("--timeout", metavar="SECONDS", type=click.FloatRange(min=1), default=600.0, help="For each checker.")
@json_option
def command(what: str, ask: tuple[str, ...], timeout: float, as_json: bool) -> int:
    """Axioms, hypotheses and side conditions of a theorem, and which independent checkers accepted its certificate.

    The standalone checker is always asked.  Exit status: 0 nobody rejected it, 1 somebody did.
    """
    from ..checkers import CHECKERS
    from ..checkers import ask as ask_checkers
    from ..proof import check
    from ..trust import trust

    text, instance = _certificate(what)
    run = ["standalone", *(CHECKERS if ALL in ask else ask)]
    with working("asking the checkers"):
        found = ask_checkers(text, list(dict.fromkeys(run)), timeout)
    report = check.check(text.encode())
    keep(a for a in found if not a.when and a.checker != "standalone checker")
    rejected = [a for a in found if a.verdict == "rejected"]
    if not report["accepted"]:
        note(f"pcproof trust: {what}: rejected by the standalone checker: {report['rule']}: {report['reason']}")
        return exits.FAILED
    t = trust(json.loads(text), report, found, instance)
    if as_json:
        print_json(t.as_dict())
    else:
        _print(t)
    return exits.FAILED if rejected else exits.DONE


def _certificate(what: str) -> tuple[str, str]:
    """The certificate of a result that is proved now, or of a file; and how it is known not to be vacuous."""
    from ..proof import check

    path = Path(what)
    if path.suffix != ".py" and ".py:" not in what and path.is_file():
        data = check.read(what)
        try:
            check.parse(data)
        except check.NotACertificate as e:
            raise click.ClickException(f"{what}: {e}") from None
        except check.Rejected as e:
            raise click.ClickException(f"{what}: rejected: {e.args[0]}") from None
        return data.decode("ascii"), ""
    from ..api import prove

    entry = load(what)
    with working(f"proving {entry.id}"):
        result: Any = prove(entry.claim())
    if result.verdict != "proved":
        raise click.ClickException(
            f"{entry.id} is {result.verdict}, so nothing rests on it (see `pcproof prove {what}`)"
        )
    return result.proof.text, "an exact instance meets the hypotheses and was evaluated"


def _part(title: str, lines: list[str]) -> None:
    say()
    heading(title)
    for line in lines:
        say("  " + line)


def _print(t: Trust) -> None:
    heading(f"Certificate sha256:{t.digest}, {t.items} steps")
    _part("Claim, as the standalone checker read it", list(t.claims))
    _part("Hypotheses", [*t.hypotheses] or ["none"])
    vacuous = t.instance or "not known from a certificate alone whether the hypotheses can be met"
    _part("Not vacuous", [vacuous])
    _part("Definitions", [line for d in t.definitions for line in d.splitlines()])
    say()
    heading("Axioms")
    say("  of the kernel: its rules (docs/certificate.md gives each, with the Coq lemma that stands for it)")
    table([(name, str(n)) for name, n in t.rules], indent=4)
    for who, names in t.axioms:
        say(f"  of {who}: {', '.join(names)}")
    say()
    heading("Side conditions, decided by linear integer arithmetic and polynomial normal forms")
    table([(str(n), text) for text, n in t.side], indent=2)
    say()
    heading("Checkers")
    rows = [
        (a.checker, a.verdict, a.version, f"{a.seconds:.2f} s" if a.given else "", a.when or ("now" if a.given else ""),
         a.detail)
        for a in t.checkers
    ]  # fmt: skip
    table(rows, ("checker", "verdict", "version", "time", "asked", ""), ("cyan",), indent=2)
