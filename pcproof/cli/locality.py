"""``pcproof locality ID``: what each neuron and each synapse reads, and whether it is a neighbour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import exits
from .inputs import EXECUTED, json_option, load
from .terminal import heading, print_json, say, table, verdict_line, working

if TYPE_CHECKING:
    from ..locality import Locality, SiteReads

STATUS = {"local": exits.DONE, "not local": exits.FAILED, "unknown": exits.UNKNOWN}
COLOUR = {"local": "proved", "not local": "refuted", "unknown": "unknown"}


@click.command("locality", epilog=EXECUTED, short_help="What every neuron and synapse reads; is it local?")
@click.argument("what", metavar="[ID|FILE.py[:RULE]]", required=False)
@click.option("--facts", is_flag=True, help="Print the index facts that place each read, with what they follow from.")
@json_option
def command(what: str | None, facts: bool, as_json: bool) -> int:
    """What every neuron and every synapse reads when it is updated, for every depth and width.

    The updates are equations proved by the kernel; each read has to lie in the neighbourhood.  A value node has its
    own unit and weights and, through these, the errors of the units that it predicts; an error node its own unit
    and, through its weights, the activities that predict it; a synapse itself and its two units, for every sample.
    A read elsewhere is confirmed by an exact network in which it changes the update.

    An ID about backprop gives backprop's update; without an ID, Table 2 of Song et al. (2020): equivalence, local
    plasticity, partial and full autonomy, computed.

    Exit status: 0 local (or: the column "local plasticity" of Table 2 is as printed), 1 not local, 3 unknown.
    """
    from ..catalogue import CatalogueError
    from ..locality import locality, of_theory

    if what is None:
        return _table(as_json)
    entry = load(what)
    subject = of_theory(entry.claim().theory.symbols) if entry.rule is None else entry.rule()
    if subject is None:
        raise CatalogueError(f"{entry.id} is not about a rule; there is no update whose reads could be looked at")
    with working(f"reads of {entry.id}"):
        found = locality(subject)
    if as_json:
        print_json({**found.as_dict(), "id": entry.id, "rule": found.name})
    else:
        _print(found, facts)
    return STATUS[found.verdict]


def _print(found: Locality, facts: bool) -> None:
    heading(f"{found.name} on {found.net.name}: what is read")
    for s in found.sites:
        say()
        _site(s, facts)
    say()
    verdict_line(COLOUR[found.verdict], found.sentence())
    for text in found.clock():
        say(f"  Read the time (autonomy, not locality): {text}")
    seen: set[str] = set()
    for o, w in found.remote():
        from ..locality import shown

        line = f"  {shown(o)}: {o.why}"
        if line not in seen:
            seen.add(line)
            say(line)
            say(f"    {w}" if w is not None else "    no network was found in which it changes the update")


def _site(s: SiteReads, facts: bool) -> None:
    from ..language.show import show_guards, show_statement
    from ..locality import shown

    say(str(s.site))
    say(f"  theorem: {show_statement(s.statement)}")
    rows: dict[tuple[str, str, str], list[str]] = {}
    for o in s.obligations:
        row = ("" if o.ok else "!", shown(o), o.role if o.ok else o.why)
        rows[row] = [f"{f}{'   from ' + show_guards(f.by) if f.by else ''}" for f in o.facts if f.by]
    if not facts:
        table([*rows], indent=2)
        return
    for (mark, read, role), lines in rows.items():
        say(f"  {mark}{read}: {role}")
        for line in lines:
            say(f"      {line}")


def _table(as_json: bool) -> int:
    from ..locality import table_2
    from ..networks.mlp import MLP
    from ..table_2 import COLUMNS, computed

    net = MLP(bias=True)
    with working("Table 2"):
        rows = table_2(net)
        models = computed(net, rows=rows)
    if as_json:
        print_json(
            [
                {
                    "model": r.model,
                    "printed": r.printed,
                    "agrees": r.agrees,
                    "other": r.other,
                    "cells": m.as_dict()["cells"],
                    **r.found.as_dict(),
                }
                for r, m in zip(rows, models, strict=True)
            ]
        )
    else:
        heading("Table 2 of Song et al. (2020), computed")
        table([(m.name, *(c.text for c in m.cells)) for m in models], ("model", *COLUMNS), indent=2)
        say()
        for m in models:
            for c in m.cells:
                if c.column != "local plasticity":
                    say(f"{m.name}, {c.column}: {c.why}")
        for r in rows:
            say(r.found.sentence())
    return exits.DONE if all(r.agrees for r in rows) else exits.FAILED
