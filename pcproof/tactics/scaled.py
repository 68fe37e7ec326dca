"""Rules whose errors are backprop's times a factor c(l), and what follows where rate(l) c(l-1) is 1."""

from __future__ import annotations

from collections.abc import Sequence

from ..language.index import Con, eq, ge, lt, qvar
from ..language.signature import Claim, Eq, Statement
from ..language.terms import ONE, App, Term, mul, subst
from ..networks.network import L
from ..proof.kernel import Context, Kernel, Theorem
from ..proof.ring import polynomial, term_of
from ..rules.scaled import Factors
from .goals import Stuck, Tools, prove_equation
from .light_cone import Cone
from .monomials import divisors_as_given, reciprocals_as_given
from .rewrite import by_cases

l = qvar("l")
Proved = tuple[dict[str, Theorem], list[Theorem]]


def parallel_script(k: Kernel, claim: Claim, f: Factors, c: Term) -> Proved:
    """Freeze, front with the given c, then the goals."""
    cone = Cone(k, claim.equations, c)
    cone.freeze()
    cone.front()
    return cone.lemmas.found, [cone.goal(s) for s in claim.goals]


def equal_script(k: Kernel, claim: Claim, f: Factors, c: Term) -> Proved:
    """The same, with the lemma that rate(l + 1) c(l) is 1."""
    cone = Cone(k, claim.equations, c)
    given = {f"divisor {n}": th for n, th in enumerate([*divisors_as_given(k), *reciprocals_as_given(k)], 1)}
    cone.lemmas.found |= given
    cone.freeze()
    cone.front()
    for name in f.rates:
        rate, value = f.law(name)
        law = _law(k, subst(rate, {"l": l + 1}), c, value, list(given.values()))
        if law is not None:
            cone.lemmas.found[f"law {name}"] = law
    return cone.lemmas.found, [cone.goal(s) for s in claim.goals]


def _law(k: Kernel, rate: Term, c: Term, value: Term, given: Sequence[Theorem]) -> Theorem | None:
    """rate(l + 1) c(l) = value for every layer below L, in the form that can be used: c(l) = 1 if that is so."""
    if c is ONE:
        return None
    tools = Tools(given, lazy={c.name} if isinstance(c, App) and k.theory.definition(c.name) is not None else ())
    stuck: Stuck | None = None
    for lhs, rhs in dict.fromkeys(((c, ONE), (term_of(polynomial(mul(rate, c))), value))):
        claim = Statement(("l",), (ge(l, 0), lt(l, L)), Eq(lhs, rhs))
        ctx = k.induction_context([claim], [l], 0)

        def case(at: Context, _: Con, lhs: Term = lhs, rhs: Term = rhs) -> Theorem:
            return prove_equation(k, at, lhs, rhs, tools)

        try:
            (th,) = k.induct([claim], [l], [by_cases(k, ctx, eq(l, 0), claim.relation, case)])
        except Stuck as s:
            stuck = s
            continue
        return th
    assert stuck is not None
    raise stuck
