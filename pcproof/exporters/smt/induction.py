"""Obligations of the rule ``induct``: measures are not negative, hypotheses are the claims at smaller measure."""

from __future__ import annotations

from collections.abc import Sequence

from . import names
from .certificate import Certificate, Context, Item
from .indices import Index, need
from .obligation import Obligations
from .script import Script, call, implies


def obligations(c: Certificate, item: Item, out: Obligations) -> None:
    """For claims k with guards G_k and measure m_k, each proved under its local hypotheses:

    measure k:       G_k gives m_k >= 0;
    hypothesis k, j: G_k, the guards of hypothesis j and "claim j wherever its measure is below m_k" give what
                     hypothesis j of premise k says;
    conclusion:      the item is one of the claims.
    """
    where = f"item {item.number}"
    need(len(item.arguments) == 3, "an induction names a claim and, twice, measures")
    which, rows, again = item.arguments
    need(rows == again, "the measures are not those said again")
    premises = [c.items[p] for p in item.premises]
    need(len(rows) == len(premises) > 0, "one measure for each premise is expected")
    measures = [c.argument(m, p.context.variables) for m, p in zip(rows, premises)]
    for k, (premise, m) in enumerate(zip(premises, measures)):
        context = premise.context
        need(len(context.given) <= len(premises), "there are more hypotheses than claims")
        s = _entered(c, context)
        out.add("induct: measure", f"{where}, claim {k}", s.text(f"(>= {s.index(m)} 0)"))
        for j in range(len(context.given)):
            script = _hypothesis(c, context, m, j, premises[j], measures[j])
            out.add("induct: hypothesis", f"{where}, claim {k} from {j}", script)
    need(type(which) is int and 0 <= which < len(premises), "there is no such claim")
    s = Script(c)
    s.enter(item.context)
    proved = premises[which]
    _use(s, proved, item.context.variables, [])
    out.add("induct: conclusion", where, s.text(s.relation(item.claim)))


def _entered(c: Certificate, context: Context) -> Script:
    """A context without its local hypotheses."""
    s = Script(c)
    s.enter(context._replace(given=()))
    return s


def _hypothesis(c: Certificate, context: Context, m: Index, j: int, other: Item, measure: Index) -> str:
    given, there = context.given[j], other.context.variables
    need(len(given.variables) == len(there), "a hypothesis has other variables than its claim")
    s = _entered(c, context)
    s.variables(given.variables)
    for g in given.where:
        s.check(s.con(g))
    at = dict(zip(there, map(names.variable, given.variables)))
    _use(s, other, given.variables, [f"(< {s.index(measure, (), at)} {s.index(m)})"])
    return s.text(s.relation(given.holds))


def _use(s: Script, claim: Item, values: Sequence[str], more: Sequence[str]) -> None:
    """The claim without its local hypotheses, at variables in order (by name where it has others)."""
    own = claim.context.variables
    guards = [s.con(g) for g in claim.context.where]
    name = s.define("p", own, implies(guards, s.relation(claim.claim)))
    known = set(values)
    at = [names.variable(v) for v in values] if more else [
        names.variable(v) if v in known else s.constant() for v in own
    ]  # fmt: skip
    s.check(implies(more, call(name, at)))
