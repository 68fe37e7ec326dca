"""Linear predictive-coding networks of every depth and width: the equilibrium in closed form.

Layers are numbered from the output (0) to the input (L), as everywhere here.
Papers that number from the input (Innocenti et al., Ishikawa et al.) write
z_l, eps_l, W_l and W_{L:l+1} = W_L ... W_{l+1} for what is x^{L-l}, eps^{L-l},
theta^{L-l+1} and

    P^m = theta^1 theta^2 ... theta^m,  m = L - l,

which maps layer m to the output.  Their S = I + sum_{l=2}^{L} W_{L:l} W_{L:l}^T
is I + C with C = sum_{0<m<L} P^m P^m^T.  S is never inverted: X stands for any
vector with X + C X = r, where r = s_out - y^0.

With variances v^l (``variances=True``) the energy is F = sum_l |eps^l|^2 / (2 v^l),
C = sum_{0<m<L} v^m P^m P^m^T and X solves v^0 X + C X = r.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ..language.index import Idx, eq, ge, le, lt, qvar, span
from ..language.signature import (
    DEFINED,
    PARAMETER,
    Case,
    Claim,
    Definition,
    Eq,
    Le,
    Ne,
    Statement,
    Symbol,
    Tangent,
    Theory,
)
from ..language.terms import ONE, ZERO, App, Inv, Term, add, mul, total
from ..networks.backprop import DATA, backprop_definitions
from ..networks.gradients import energy_gradient_theory, state_pairing
from ..networks.linear import LinearMLP
from ..networks.network import B, L, width

l, b, i, j, k = (qvar(n) for n in "lbijk")
VARIANCE = Symbol("v", PARAMETER, 1, shape="layer", meaning="variance of the errors of a layer")
EVERY = ("l", "b", "i")
STATE = (*span(b, 0, B), *span(i, 0, width(l)))
OUTPUT = (*span(b, 0, B), *span(i, 0, width(Idx(0))))
HIDDEN = (ge(l, 1), lt(l, L))
X, GX, EPS = (App(n, (l, b, i)) for n in ("x", "gx", "eps"))


@dataclass(frozen=True)
class Linear:
    """A linear network with its energy; ``variances``: with a variance v^l of each layer."""

    variances: bool = False

    @property
    def net(self) -> LinearMLP:
        return LinearMLP()

    def variance(self, layer: Idx) -> Term:
        """v^l, or 1"""
        return App("v", (layer,)) if self.variances else ONE

    def precision(self, layer: Idx) -> Term:
        """1 / v^l, or 1"""
        return Inv(App("v", (layer,))) if self.variances else ONE

    def energy(self, eps: str = "eps") -> Term:
        """F = sum over layers l < L, samples and units of eps^2 / (2 v)."""

        def term(m: Idx, s: Idx, u: Idx) -> Term:
            e = App(eps, (m, s, u))
            return mul(Inv(App("v", (m,))), e, e) / 2 if self.variances else mul(e, e) / 2

        return total(L, lambda m: total(B, lambda s: total(width(m), lambda u: term(m, s, u))))

    def theory(self, gradients: Iterable[str] = ("gx",), directions: bool = False) -> Theory:
        """States x with F, mu, eps and the gradients named, as derived; the forward pass y; P and C."""
        full = energy_gradient_theory(self.net, self.energy())
        wanted = {"mu", "eps", *gradients}
        kept = tuple(g for g in full.definitions if g[0].name in wanted)
        used = {n: s for n, s in full.symbols.items() if s.kind != DEFINED or n in wanted}
        if not directions:
            used = {n: s for n, s in used.items() if n not in ("Dx", "Dtheta")}
        base = replace(full, symbols=used, definitions=kept, directions=full.directions if directions else {})
        forward, groups = backprop_definitions(self.net, own_weights=False)
        symbols = [s for s in DATA if s.name in ("s_in", "s_out")] + [s for s in forward if s.name == "y"]
        if self.variances:
            symbols.append(VARIANCE)
        theory = base.extend(tuple(symbols), tuple(g for g in groups if g[0].name == "y"))
        return theory.extend(*self.products())

    def products(self) -> tuple[tuple[Symbol, ...], tuple[tuple[Definition, ...], ...]]:
        """P^l = theta^1 ... theta^l and C = sum over 0 < m < L of v^m P^m P^m^T."""
        longer = total(width(l - 1), lambda q: mul(product(l - 1, i, q), App("theta", (l, q, j))))
        cases = (
            Case((eq(l, 1),), App("theta", (l, i, j))),
            Case((ge(l, 2), le(l, L)), longer),
        )

        def part(m: Idx) -> Term:
            return total(width(m), lambda q: mul(self.variance(m), product(m, i, q), product(m, k, q)))

        gram = total(L - 1, lambda m: part(m + 1))
        outputs = tuple(c for u in (i, k) for c in span(u, 0, width(Idx(0))))
        return (
            (
                Symbol("P", DEFINED, 3, shape="layer, output unit, unit", meaning="product theta^1 ... theta^l"),
                Symbol("C", DEFINED, 2, shape="output unit, output unit", meaning="S without what the output brings"),
            ),
            (
                (Definition("P", ("l", "i", "j"), cases, (l,)),),
                (Definition("C", ("i", "k"), (Case(outputs, gram),)),),
            ),
        )

    # -- what is said of states ---------------------------------------------------
    def system(self, name: str, unit: Idx = i) -> Term:
        """S X at one output unit: v^0 X + C X."""

        def row(q: Idx) -> Term:
            return mul(App("C", (unit, q)), App(name, (b, q)))

        return add(mul(self.variance(Idx(0)), App(name, (b, unit))), total(width(Idx(0)), row))

    def solves(self, name: str) -> Statement:
        """S X = r for every sample, as s_out = y^0 + S X."""
        target = App("s_out", (b, i))
        return Statement(("b", "i"), OUTPUT, Eq(target, add(App("y", (0, b, i)), self.system(name))))

    def error(self, name: str, layer: Idx, unit: Idx = i) -> Term:
        """v^l P^l^T X at a hidden layer."""
        return mul(self.variance(layer), transported(name, layer, unit))


def product(layer: Idx, to: Idx, unit: Idx) -> App:
    """P^l from a unit of layer l to an output unit."""
    return App("P", (layer, to, unit))


def transported(name: str, layer: Idx, unit: Idx) -> Term:
    """P^l^T X: the vector ``name`` of the output brought to layer l."""
    return total(width(Idx(0)), lambda q: mul(product(layer, q, unit), App(name, (b, q))))


def residual(unit: Idx, sample: Idx = b) -> Term:
    """r = s_out - y^0"""
    return add(App("s_out", (sample, unit)), mul(-1, App("y", (0, sample, unit))))


def clamped(name: str = "x") -> dict[str, Statement]:
    """Input and output held at the data."""
    ends = {"input": (L, "s_in"), "output": (Idx(0), "s_out")}
    return {
        f"{end}_clamped": Statement(
            ("b", "i"), (*span(b, 0, B), *span(i, 0, width(at))), Eq(App(name, (at, b, i)), App(data, (b, i)))
        )
        for end, (at, data) in ends.items()
    }


def equilibrium(name: str = "gx") -> Statement:
    """The gradient of F is 0 at every hidden layer."""
    return Statement(EVERY, (*HIDDEN, *STATE), Eq(App(name, (l, b, i)), ZERO))


def solution_symbol(name: str = "X") -> Symbol:
    return Symbol(name, PARAMETER, 2, shape="batch, output unit", meaning="solution of S X = r")


def positive(m: Linear) -> dict[str, Statement]:
    """Every variance is above 0 (none where there are no variances)."""
    if not m.variances:
        return {}
    free, v = (ge(l, 0), lt(l, L)), App("v", (l,))
    return {
        "v_not_negative": Statement(("l",), free, Le(ZERO, v)),
        "v_nonzero": Statement(("l",), free, Ne(v, ZERO)),
    }


# -- the equilibrium ------------------------------------------------------------
def half_product(name: str) -> Term:
    """<r, X> / 2, summed over samples."""
    return total(B, lambda s: total(width(Idx(0)), lambda u: mul(residual(u, s), App(name, (s, u))))) / 2


def nonzero(m: Linear) -> dict[str, Statement]:
    """No variance is 0."""
    return {n: s for n, s in positive(m).items() if n == "v_nonzero"}


def stationary(m: Linear = Linear()) -> Claim:
    """Stationary with both ends clamped: U = eps^0 / v^0 solves S U = r, eps^l = v^l P^l^T U, F = <r, U> / 2."""
    from ..tactics.linear import equilibrium_script

    zero = Idx(0)
    theory = m.theory().extend(hypotheses={**clamped(), "equilibrium": equilibrium(), **nonzero(m)})

    def own(unit: Idx, sample: Idx = b) -> Term:
        return mul(m.precision(zero), App("eps", (0, sample, unit)))

    row = total(width(zero), lambda q: mul(App("C", (i, q)), own(q)))
    brought = total(width(zero), lambda q: mul(product(l, q, i), own(q)))
    half = total(B, lambda s: total(width(zero), lambda u: mul(residual(u, s), own(u, s)))) / 2
    goals = (
        Statement(("b", "i"), OUTPUT, Eq(add(App("eps", (0, b, i)), row), residual(i))),
        Statement(EVERY, (*HIDDEN, *STATE), Eq(EPS, mul(m.variance(l), brought))),
        Statement((), (), Eq(m.energy(), half)),
    )
    return Claim(
        "linear_equilibrium",
        theory,
        goals,
        script=equilibrium_script,
        title="Linear network: at equilibrium eps^l = P^l^T eps^0, S eps^0 = r and F = <r, eps^0> / 2",
    )


def one_solution(m: Linear = Linear()) -> Claim:
    """<D, S D> = v^0 |D|^2 + sum over 0 < m < L of v^m |P^m^T D|^2 for every D, so S U = S X makes U = X."""
    from ..tactics.linear import solution_script

    zero = Idx(0)
    theory = m.theory(())
    unused = ("x", "mu", "eps", "y", "s_in", "s_out")
    theory = replace(
        theory,
        symbols={n: s for n, s in theory.symbols.items() if n not in unused},
        definitions=tuple(g for g in theory.definitions if g[0].name not in unused),
    )
    theory = theory.extend(
        tuple(
            Symbol(n, PARAMETER, 2, shape="batch, output unit", meaning="vector of the output layer")
            for n in ("D", "U", "X")
        ),
        hypotheses={**positive(m), "same": Statement(("b", "i"), OUTPUT, Eq(m.system("U"), m.system("X")))},
    )
    paired = total(width(zero), lambda q: mul(App("D", (b, q)), m.system("D", q)))
    return Claim(
        "linear_solution",
        theory,
        (
            Statement(("b",), span(b, 0, B), Eq(paired, squares(m, lambda q: App("D", (b, q))))),
            Statement(("b", "i"), OUTPUT, Eq(App("U", (b, i)), App("X", (b, i)))),
        ),
        script=solution_script,
        title="Linear network: <D, S D> is a sum of squares, so S X = r has at most one solution",
    )


def squares(m: Linear, d: Callable[[Idx], Term]) -> Term:
    """v^0 |D|^2 + sum over 0 < m < L of v^m |P^m^T D|^2"""
    zero = Idx(0)

    def square(layer: Idx, q: Idx) -> Term:
        e = total(width(zero), lambda p: mul(product(layer, p, q), d(p)))
        return mul(m.variance(layer), e, e)

    own = total(width(zero), lambda q: mul(m.variance(zero), d(q), d(q)))
    return add(own, total(L - 1, lambda n: total(width(n + 1), lambda q: square(n + 1, q))))


def built_state(m: Linear) -> tuple[Symbol, Definition]:
    """z: both ends at the data, and z^l = theta^{l+1} z^{l+1} + v^l P^l^T X between them."""
    above = total(width(l + 1), lambda q: mul(App("theta", (l + 1, i, q)), App("z", (l + 1, b, q))))
    cases = (
        Case((eq(l, 0),), App("s_out", (b, i))),
        Case(HIDDEN, add(above, m.error("X", l))),
        Case((eq(l, L),), App("s_in", (b, i))),
    )
    symbol = Symbol("z", DEFINED, 3, shape="layer, batch, unit", meaning="state with the errors of the closed form")
    return symbol, Definition("z", EVERY, cases, (L - l,))


def closed_form(m: Linear) -> tuple[Statement, ...]:
    """eps^0 = v^0 X, eps^l = v^l P^l^T X, F = <r, X> / 2."""
    return (
        Statement(("b", "i"), OUTPUT, Eq(App("eps", (0, b, i)), mul(m.variance(Idx(0)), App("X", (b, i))))),
        Statement(EVERY, (*HIDDEN, *STATE), Eq(EPS, m.error("X", l))),
        Statement((), (), Eq(m.energy(), half_product("X"))),
    )


def equilibrium_state(m: Linear = Linear()) -> Claim:
    """The state that is built from a solution X is an equilibrium with the errors and the energy of the closed form."""
    from ..tactics.linear import state_script

    symbol, definition = built_state(m)
    theory = m.theory().extend((solution_symbol(),))
    theory = theory.extend(
        (symbol,),
        ((definition,),),
        {
            "state": Statement(EVERY, (ge(l, 0), le(l, L), *STATE), Eq(X, App("z", (l, b, i)))),
            **nonzero(m),
            "X_solves": m.solves("X"),
        },
    )
    return Claim(
        "linear_state",
        theory,
        (equilibrium(), *closed_form(m)),
        script=state_script,
        title="Linear network: the state with the errors P^l^T X is an equilibrium",
    )


def rates() -> Claim:
    """``stationary`` with variances v^l = 1 / gamma^l: eps^l = (v^l / v^0) P^l^T eps^0, (v^0 + C) eps^0 = v^0 r."""
    from ..tactics.linear import rates_script

    m = Linear(variances=True)
    claim = stationary(m)
    theory = m.theory(directions=True)
    symbols = {n: s for n, s in theory.symbols.items() if n != "Dtheta"}
    theory = replace(theory, symbols=symbols, directions={"x": theory.directions["x"]})
    gradient = Statement((), (), Tangent("x", m.energy(), state_pairing("gx", "Dx")))
    return replace(
        claim,
        id="linear_rates",
        theory=theory.extend(hypotheses=dict(claim.theory.hypotheses)),
        goals=(*claim.goals, gradient),
        script=rates_script,
        title="Linear network with a variance of each layer: the equilibrium in closed form",
    )
