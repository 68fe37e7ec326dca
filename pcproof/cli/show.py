"""``pcproof show ID``: what a claim says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .inputs import citation, json_option, latex_option, load, what
from .terminal import heading, print_json, say, table

if TYPE_CHECKING:
    from ..catalogue import Entry
    from ..language.signature import Claim


@click.command("show", short_help="What a result says: statement, symbols, hypotheses.")
@what()
@latex_option
@json_option
def command(what: str, latex: bool, as_json: bool) -> None:
    """Statement, symbols with meaning and shape, definitions, hypotheses, source."""
    entry = load(what)
    claim = entry.claim()
    if as_json:
        print_json(_document(entry, claim))
    elif latex:
        say(_latex(entry, claim))
    else:
        _print(entry, claim)


def _document(entry: Entry, claim: Claim) -> dict[str, Any]:
    from ..language.show import show_con, show_definition, show_statement
    from ..result import scope

    theory = claim.theory
    return {
        "id": entry.id,
        "title": entry.title,
        "source": entry.source,
        "equation": entry.equation,
        "kind": entry.kind,
        "expected": entry.expected,
        "note": entry.note,
        "says": claim.says,
        "scope": scope(claim),
        "statement": [show_statement(s) for s in claim.goals],
        "symbols": [
            {"name": s.name, "kind": s.kind, "shape": s.shape, "meaning": s.meaning} for s in theory.symbols.values()
        ],
        "definitions": [show_definition(d) for group in theory.definitions for d in group],
        "assumptions": [show_con(c) for c in theory.assumptions],
        "hypotheses": {n: show_statement(s) for n, s in theory.hypotheses.items()},
    }


def _print(entry: Entry, claim: Claim) -> None:
    document = _document(entry, claim)
    heading(f"{entry.id}: {entry.title}" if entry.title else entry.id)
    if citation(entry):
        say(f"Source: {citation(entry)}")
    given = {n: v for n, v in document["scope"].items() if v != "not involved"}
    idle = [n for n in document["scope"] if n not in given]
    parts = [", ".join(f"{v} {n}" for n, v in given.items()), f"not involved: {', '.join(idle)}" if idle else ""]
    say("For: " + "; ".join(p for p in parts if p))
    if entry.note:
        say(entry.note)
    _part("Statement", document["statement"])
    say()
    heading("Symbols")
    rows = [(s["name"], s["kind"], s["shape"], s["meaning"]) for s in document["symbols"]]
    table(rows, ("symbol", "kind", "shape", "meaning"), ("cyan", "dim"), indent=2)
    _part("Definitions", document["definitions"])
    _part("Assumed of the sizes", document["assumptions"])
    _part("Hypotheses", [f"{n}: {s}" for n, s in document["hypotheses"].items()] or ["none"])


def _part(title: str, lines: list[str]) -> None:
    if not lines:
        return
    say()
    heading(title)
    for text in lines:
        for line in text.splitlines():
            say("  " + line)


def _latex(entry: Entry, claim: Claim) -> str:
    """Statement, definitions and hypotheses, each in an align block."""
    from ..exporters.latex import latex_definition, latex_statement

    blocks = [f"% {entry.id}: {entry.title}", *_align("statement", [latex_statement(s) for s in claim.goals])]
    blocks += _align("definitions", [latex_definition(d) for group in claim.theory.definitions for d in group])
    blocks += _align("hypotheses", [latex_statement(s) for s in claim.theory.hypotheses.values()])
    return "\n".join(blocks)


def _align(title: str, rows: list[str]) -> list[str]:
    if not rows:
        return []
    return [f"% {title}", r"\begin{align*}", " \\\\\n".join("& " + r for r in rows), r"\end{align*}"]
