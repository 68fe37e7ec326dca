"""Z-IL with hidden energies other than the squared error: exactly when is it backprop?

    F = sum_{0<l<L} sum_i e(x^l_i, mu^l_i) + E(mu^0),  e(x, mu) = (x - mu)^2 / 2 + r(x, mu)

r is any differentiable function, so e is.  At t = l the activity of layer l is
z = y + delta - r_x(y, y), and the error that its weights learn from is -de/dmu there.
Source: Pinchetti et al. (2022); the criterion is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..language.index import Con, Idx, eq, ge, le, lt, qvar, span
from ..language.signature import (
    DEFINED,
    Case,
    Claim,
    Definition,
    Eq,
    Le,
    Ne,
    Relation,
    Statement,
    Symbol,
    Theory,
)
from ..language.terms import ZERO, App, Inv, Term, add, mul, neg, replace_apps, tidy
from ..networks.backprop import weight_names
from ..networks.energies import Logarithms, Own, Rest
from ..networks.network import B, L, Network, width
from .claims import equals_backprop, final_weights
from .equations import Equations, timed_theory
from .losses import output_loss
from .rule import Rule
from .surface import Eq as equation
from .surface import Field, Scalar, Sum, _sum_units, symbols

t, l, b, i = qvar("t"), qvar("l"), qvar("b"), qvar("i")
EVERY = ("l", "b", "i")
HIDDEN = (ge(l, 1), lt(l, L), *span(b, 0, B), *span(i, 0, width(l)))
Y, DELTA, Z = (App(n, (l, b, i)) for n in ("y", "delta", "z"))
PULL = App("r_x", (l,), (Y, Y))


def zil_with_energy(net: Network, hidden: Callable[[Field, Field], Term], name: str) -> Rule:
    """Z-IL with gamma = 1; ``hidden`` is the energy of one unit, from its activity and its prediction."""
    x, mu, y, l, t, L, alpha = symbols(net, "x mu y l t L alpha")
    weights = symbols(net, " ".join(k.name for k in net.kinds))
    unit = hidden(x[l], mu[l])
    layer = Scalar(net, _sum_units(unit, ("b", "i"), (B, width(l))))
    F = Sum(layer, (l, 1, L - 1)) + output_loss(net)
    return Rule(
        net,
        name=name,
        energy=F,
        start={x[l]: y[l]},
        step={x[l]: -F.diff(x[l])},
        learn={p[l + 1]: -alpha * F.diff(p[l + 1]) for p in weights},
        when=equation(t, l),
    )


def _square(x: Field, mu: Field) -> Term:
    return mul(x.term - mu.term, x.term - mu.term) / 2


def with_rest(net: Network) -> Rule:
    """(x - mu)^2 / 2 + r(x, mu)"""
    return zil_with_energy(
        Rest(net), lambda x, mu: add(_square(x, mu), App("r", (l,), (x.term, mu.term))), "zil_hidden"
    )


# -- the criterion ------------------------------------------------------------------
def unit(relation: Relation) -> Statement:
    """For every unit of every hidden layer and every sample."""
    return Statement(EVERY, HIDDEN, relation)


def criterion_theory(e: Equations) -> Theory:
    """The rule in motion, and the activity z that the wave brings to a layer."""
    z = Definition("z", EVERY, (Case((ge(l, 1), lt(l, L)), add(Y, DELTA, neg(PULL))),))
    meaning = "activity of layer l at t = l: y + delta - r_x(y, y)"
    return timed_theory(e).extend((Symbol("z", DEFINED, 3, shape="layer, batch, unit", meaning=meaning),), ((z,),))


def at_rest(e: Equations) -> Statement:
    """No hidden layer above the first moves at t = 0: the step there, at the forward pass, is 0; solved for r_x."""
    (step,) = (c.value for c in e.step if ge(l, 2) in c.guard)
    weights = weight_names(e.net)

    def put(a: App) -> Term | None:
        if a.name in ("x", "mu"):
            return App("y", a.idx)
        if a.name in ("eps", "r_x"):
            return ZERO
        return App(weights[a.name], a.idx) if a.name in weights else None

    guards = tuple(ge(l, 2) if c == ge(l, 1) else c for c in HIDDEN)
    return Statement(EVERY, guards, Eq(PULL, tidy(replace_apps(step, put))))


def criterion() -> Statement:
    """-de/dmu at x = z, mu = y is delta: r_mu(z, y) = -r_x(y, y)."""
    return unit(Eq(App("r_mu", (l,), (Z, Y)), neg(PULL)))


def arrival() -> Statement:
    """At t = l the activity of layer l is z."""
    return Statement(("t", *EVERY), (ge(t, 0), eq(t, l), *HIDDEN), Eq(App("x", (t, l, b, i)), Z))


def exact(e: Equations) -> Claim:
    """If the criterion holds at every hidden unit, every weight ends where backprop puts it."""
    from ..tactics.hidden_energies import exact_script

    return Claim(
        id="hidden_energy_exact",
        theory=criterion_theory(e).extend(hypotheses={"at_rest": at_rest(e), "criterion": criterion()}),
        goals=(arrival(), *final_weights(e)),
        equations=e,
        script=exact_script,
        says="recursion",
        title="Z-IL with any hidden energy is backprop where -de/dmu is delta as the wave arrives",
    )


def only(e: Equations) -> Claim:
    """If the biases change as backprop changes them, for one sample, the criterion holds at every hidden unit."""
    from ..tactics.hidden_energies import only_script

    base = criterion_theory(e)
    same = Eq(App("dbeta", (l - 1, l, i)), App("dc", (l, i)))
    equal = Statement(("l", "i"), (ge(l, 1), le(l, L), *span(i, 0, width(l - 1))), same)
    learns = Statement((), (), Ne(App("alpha"), ZERO))
    theory = replace(base, assumptions=(*base.assumptions, eq(B, 1)))
    return Claim(
        id="hidden_energy_only",
        theory=theory.extend(hypotheses={"at_rest": at_rest(e), "equal": equal, "alpha_nonzero": learns}),
        goals=(arrival(), criterion()),
        equations=e,
        script=only_script,
        says="recursion",
        title="Z-IL with any hidden energy is backprop only where -de/dmu is delta as the wave arrives",
    )


# -- printed forms ------------------------------------------------------------------
def own_energy(net: Network) -> Rule:
    """(x - mu)^2 / 2 + G(x)"""
    return zil_with_energy(Own(net), lambda x, mu: add(_square(x, mu), App("G", (l,), (x.term,))), "zil_own")


def _reciprocals(e: Equations) -> Equations:
    """The derivative of log is the reciprocal."""

    def put(a: App) -> Term | None:
        return Inv(a.args[0].body) if a.name == "dlog" else None

    def cases(cs: tuple[Case, ...]) -> tuple[Case, ...]:
        return tuple(Case(c.guard, replace_apps(c.value, put)) for c in cs)

    return replace(e, step=cases(e.step), change={k: cases(c) for k, c in e.change.items()})


def relative_entropy(net: Network, normalised: bool) -> Equations:
    """Hidden energy x log(x / mu), and x log(x / mu) - x + mu where x and mu need not add up to 1."""

    def hidden(x: Field, mu: Field) -> Term:
        kl = mul(x.term, add(App("log", (), (x.term,)), neg(App("log", (), (mu.term,)))))
        return kl if normalised else add(kl, neg(x.term), mu.term)

    return _reciprocals(zil_with_energy(Logarithms(net), hidden, "zil_kl").equations)


def positive(time: Idx, guards: tuple[Con, ...] = ()) -> dict[str, Statement]:
    """Predictions are positive and activities are not negative, up to the moment of their layer."""
    x = App("x", (time, l, b, i))
    return {
        "y_nonnegative": unit(Le(ZERO, Y)),
        "y_nonzero": unit(Ne(Y, ZERO)),
        "x_nonnegative": Statement(("t", *EVERY), (ge(t, 0), le(t, l), *HIDDEN), Le(ZERO, x)),
    }


def entropy_is_backprop(e: Equations) -> Claim:
    """Every weight ends where backprop puts it.  Refuted."""
    claim = equals_backprop(e)
    return replace(claim, theory=claim.theory.extend(hypotheses=positive(t)))


def own_is_backprop(e: Equations) -> Claim:
    """Every weight ends where backprop puts it, whatever G is.  Refuted."""
    return equals_backprop(e)
