"""A rule that is parallel to backprop, layer by layer: its changes are backprop's times a factor.

The error of the wave grows by r(l) from layer l - 1 to layer l, so that
eps^l = c(l) delta^l with c(0) = 1 and c(l) = r(l) c(l - 1); the change of
theta^l is rate(l) c(l - 1) times backprop's.  ``c`` is a definition of the
theory where r depends on the layer, and a power where it does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..language.index import eq, ge, le, lt, qvar
from ..language.signature import DEFINED, Case, Claim, Definition, Eq, Ne, Statement, Symbol, Theory
from ..language.terms import ONE, ZERO, App, Inv, Mul, Num, Pow, Term, add, free_vars, mul, subst, subterms
from ..networks.network import L
from .claims import after_first_change, unit_ranges
from .equations import Equations
from .rule import divisors

t, l = qvar("t"), qvar("l")


@dataclass(frozen=True)
class Factors:
    """r(l) and the rate of each kind of weight, both over l, and c(0)."""

    growth: Term
    rates: Mapping[str, Term]
    base: Term = ONE

    def law(self, kind: str) -> tuple[Term, Term]:
        """(r, s) where r(l) c(l - 1) = s says that the changes of a kind of weight are backprop's."""
        rate, inverse = self.rates[kind], Inv(App("alpha"))
        factors = list(rate.args) if isinstance(rate, Mul) else [rate]
        if inverse not in factors:
            return rate, ONE
        factors.remove(inverse)
        return mul(*factors), App("alpha")

    def symbol(self, theory: Theory) -> str:
        """A name for c that the theory does not use."""
        name = "c_wave"
        while name in theory.symbols:
            name += "_"
        return name

    def scale(self, theory: Theory) -> tuple[Theory, Term]:
        """The theory with c(l), and c(l)."""
        if self.growth is ONE:
            return theory, self.base
        if isinstance(self.growth, (App, Num)) and not free_vars(self.growth):
            return theory, mul(self.base, Pow(self.growth, l))
        name = self.symbol(theory)
        cases = (
            Case((eq(l, 0),), self.base),
            Case((ge(l, 1), lt(l, L)), mul(self.growth, App(name, (l - 1,)))),
        )
        meaning = "factor by which the error of layer l exceeds backprop's"
        symbol = Symbol(name, DEFINED, 1, shape="layer", meaning=meaning)
        return theory.extend((symbol,), ((Definition(name, ("l",), cases, (l,)),),)), App(name, (l,))


def with_divisors(e: Equations, theory: Theory, *terms: Term) -> Theory:
    """With the hypotheses that what the rule and ``terms`` divide by is not 0."""
    extra = {n: s for n, s in divisors(e).items() if n not in theory.hypotheses}
    if any(isinstance(s, Inv) and s.arg is App("alpha") for x in terms for s in subterms(x)):
        extra.setdefault("alpha_nonzero", Statement((), (), Ne(App("alpha"), ZERO)))
    return theory.extend(hypotheses={n: s for n, s in extra.items() if n not in theory.hypotheses})


def parallel_to_backprop(e: Equations, f: Factors, conditions: Mapping[str, Statement]) -> Claim:
    """After its moment, theta[l] is w[l] plus rate(l) c(l-1) times backprop's change, given the conditions."""
    from ..tactics.scaled import parallel_script
    from .equations import timed_theory

    theory, c = f.scale(timed_theory(e).extend(hypotheses=conditions))
    goals = []
    for k in e.net.kinds:
        units, ranges = unit_ranges(k)
        guards = (ge(l, 1), le(l, L), *after_first_change(e), *ranges)
        change = mul(f.rates[k.name], subst(c, {"l": l - 1}), App(k.initial_change, (l, *units)))
        relation = Eq(App(k.name, (t, l, *units)), add(App(k.initial, (l, *units)), change))
        goals.append(Statement(("t", "l", *k.units), guards, relation))
    return Claim(
        id=f"{e.name}_parallel",
        theory=with_divisors(e, theory, f.growth, *f.rates.values()),
        goals=tuple(goals),
        title=f"{e.name}: every weight moves by a factor of its layer times backprop's change",
        equations=e,
        script=lambda k, claim: parallel_script(k, claim, f, c),
        says="recursion",
    )


def sufficient(claim: Claim, e: Equations, f: Factors, conditions: Mapping[str, Statement]) -> Claim:
    """The goals of ``claim`` (equality with backprop), given the conditions."""
    from ..tactics.scaled import equal_script

    theory, c = f.scale(claim.theory.extend(hypotheses=conditions))
    return replace(
        claim,
        theory=with_divisors(e, theory, f.growth, *(f.law(k.name)[0] for k in e.net.kinds)),
        script=lambda k, one: equal_script(k, one, f, c),
    )
