"""``pcproof check CERT...``: certificates, checked again by a program that knows nothing of the prover."""

from __future__ import annotations

import json
from typing import Any

import click

from . import exits
from .inputs import EXECUTED, json_option, load
from .terminal import note, print_json, say


@click.command("check", epilog=EXECUTED, short_help="Check certificates again, independently.")
@click.argument("certificates", nargs=-1, required=True, metavar="CERT...")
@click.option("--against", metavar="ID|FILE.py[:NAME]", help="Accept only certificates of this claim, derived anew.")
@json_option
def command(certificates: tuple[str, ...], against: str | None, as_json: bool) -> int:
    """Check every item of certificates; print the claims and definitions that were verified, never a title.

    The checker (pcproof/proof/check.py) uses the standard library alone and also runs as a lone file.  Nothing in a
    certificate is executed.  Exit status: 0 all accepted, 1 one is rejected, 2 one is not a certificate.
    """
    from ..proof import check

    claim = load(against).claim() if against else None
    reports: list[dict[str, Any]] = []
    status = exits.DONE
    for path in certificates:
        try:
            data = check.read(path)
            report = check.check(data)
            if report["accepted"] and claim is not None:
                report = _compare(report, json.loads(data), claim)
            status = max(status, exits.DONE if report["accepted"] else exits.FAILED)
            verdict = "accepted" if report["accepted"] else "rejected"
        except (check.NotACertificate, OSError) as e:
            reason = e.strerror or str(e) if isinstance(e, OSError) else str(e)
            report, verdict, status = {"accepted": False, "reason": reason}, "not a certificate", exits.BAD_INPUT
        reports.append({"certificate": path, "verdict": verdict, "against": against, **report})
        if as_json:
            continue
        if verdict == "not a certificate":
            note(f"{path}: {report['reason']}")
        else:
            say(check.text_of(path, report))
    if as_json:
        print_json(reports)
    return status


def _compare(report: dict[str, Any], data: Any, claim: Any) -> dict[str, Any]:
    """Rejected, unless theory and goals are those of the claim."""
    from ..proof.certificate import difference

    other = difference(data, claim.theory, claim.goals)
    if other:
        return {"accepted": False, "rule": "against", "where": "", "reason": other}
    return report
