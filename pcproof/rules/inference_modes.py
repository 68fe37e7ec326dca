"""Inference of a linear network along the eigenvectors of the energy's Hessian, for every depth and all widths.

Source: Song et al. (2020), conditions C1 and C3; the criterion is that of
gradient descent on a quadratic form.

H is the Hessian of F by the free activities.  It is not typed in: He is what
the derived gradient of F gives at activities e with input and target 0.  That
the start is a sum of eigenvectors, x_0 = x* + sum_m c_m e_m with H e_m =
lambda_m e_m, is a hypothesis with a name (the spectral theorem says that it
can be met).  Then

    x_t = x* + sum_m c_m (1 - gamma lambda_m)^t e_m

so inference converges from every start if and only if 0 < gamma lambda_m < 2
for every m.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..language.arith import unsatisfiable
from ..language.index import Con, eq, ge, le, lt, qvar, size, span
from ..language.signature import DEFINED, PARAMETER, Case, Claim, Definition, Eq, Le, Statement, Symbol, Theory
from ..language.terms import ONE, ZERO, App, Num, Pow, Term, add, mul, neg, replace_apps, subst, total
from ..networks.linear import LinearMLP
from ..networks.network import B, L, width
from .claims import GAMMA
from .smallest_chain import AT, UNITS, phase

t, l, b, i, m = qvar("t"), qvar("l"), qvar("b"), qvar("i"), qvar("m")
M = size("M")
MODES = span(m, 0, M)
OF_MODE = {"x": "e", "mu": "mu_e", "eps": "eps_e", "gx": "He"}
AT_REST = {"x": "rest", "mu": "mu_rest", "eps": "eps_rest", "gx": "g_rest"}
REST = App("rest", (l, b, i))


def first_free(clamped: bool) -> int:
    """The output moves in the prediction phase only."""
    return 1 if clamped else 0


def _renamed(term: Term, names: Mapping[str, str]) -> Term:
    return replace_apps(term, lambda a: App(names[a.name], a.idx) if a.name in names else None)


def _mode(term: Term) -> Term:
    """A static term at a mode in place of a sample."""
    return subst(_renamed(term, OF_MODE), {"b": m})


def factor(mode: object = m) -> Term:
    """1 - gamma lambda_m"""
    return add(ONE, mul(-1, GAMMA, App("lam", (mode,))))  # type: ignore[arg-type]


def shares(name: str) -> Term:
    """sum over m of c_m (1 - gamma lambda_m)^t times a quantity of mode m."""
    return total(M, lambda k: mul(App("c", (k, b)), Pow(factor(k), t), App(name, (l, k, i))))


def modes_theory(clamped: bool, assumptions: tuple[Con, ...] = ()) -> Theory:
    """A phase of inference beside M eigenvectors of H, started at x* and a sum of them.

    rest[l,b,i] is x*: at free layers the gradient of F is 0 there, at clamped
    ones it is what they are clamped to.
    """
    from ..networks.gradients import energy_gradient_theory

    net = LinearMLP()
    running = phase(net, clamped, (ge(M, 1), *assumptions))
    static = energy_gradient_theory(net, net.energy())
    free = (ge(l, first_free(clamped)), lt(l, L))
    groups: list[tuple[Definition, ...]] = []
    for name in ("mu", "eps", "gx"):
        d = static.definition(name)
        assert d is not None
        inner = [c for c in d.cases if not unsatisfiable((*net.assumptions, *c.guard, lt(l, L)))]
        modes = tuple(Case(c.guard, _mode(c.value)) for c in inner)
        rests = tuple(Case(c.guard, _renamed(c.value, AT_REST)) for c in inner)
        groups.append((Definition(OF_MODE[name], ("l", "m", "i"), modes),))
        groups.append((Definition(AT_REST[name], ("l", "b", "i"), rests),))
    symbols = (
        Symbol("rest", PARAMETER, 3, shape="layer, batch, unit", meaning="state at which the gradient is 0"),
        Symbol("e", PARAMETER, 3, shape="layer, mode, unit", meaning="eigenvectors of the Hessian"),
        Symbol("lam", PARAMETER, 1, shape="mode", meaning="eigenvalues of the Hessian"),
        Symbol("c", PARAMETER, 2, shape="mode, batch", meaning="parts of the modes in the start"),
        Symbol("mu_e", DEFINED, 3, shape="layer, mode, unit", meaning="prediction at an eigenvector"),
        Symbol("eps_e", DEFINED, 3, shape="layer, mode, unit", meaning="error at an eigenvector"),
        Symbol("He", DEFINED, 3, shape="layer, mode, unit", meaning="Hessian of F times an eigenvector"),
        Symbol("mu_rest", DEFINED, 3, shape="layer, batch, unit", meaning="prediction at rest"),
        Symbol("eps_rest", DEFINED, 3, shape="layer, batch, unit", meaning="error at rest"),
        Symbol("g_rest", DEFINED, 3, shape="layer, batch, unit", meaning="gradient at rest"),
    )
    of_mode, everywhere = (*MODES, *span(i, 0, width(l))), ("l", "m", "i")
    mode, he = App("e", (l, m, i)), App("He", (l, m, i))
    clamps = {"rest_input": Statement(("l", "b", "i"), (eq(l, L), *UNITS), Eq(REST, App("s_in", (b, i))))}
    zeros = {"e_input": Statement(everywhere, (eq(l, L), *of_mode), Eq(mode, ZERO))}
    if clamped:
        clamps["rest_output"] = Statement(("l", "b", "i"), (eq(l, 0), *UNITS), Eq(REST, App("s_out", (b, i))))
        zeros["e_output"] = Statement(everywhere, (eq(l, 0), *of_mode), Eq(mode, ZERO))
    start = Eq(App("x0", (l, b, i)), add(REST, total(M, lambda k: mul(App("c", (k, b)), App("e", (l, k, i))))))
    hypotheses = {
        **clamps,
        "at_rest": Statement(("l", "b", "i"), (*free, *UNITS), Eq(App("g_rest", (l, b, i)), ZERO)),
        **zeros,
        "eigenvectors": Statement(everywhere, (*free, *of_mode), Eq(he, mul(App("lam", (m,)), mode))),
        "start_is_a_sum": Statement(("l", "b", "i"), (*free, *UNITS), start),
    }
    sizes = {**running.sizes, "M": 0}
    theory = Theory(sizes, running.assumptions, running.symbols, running.definitions)
    return theory.extend(symbols, tuple(groups), hypotheses)


def closed_form() -> Statement:
    """x_t = x* + sum over m of c_m (1 - gamma lambda_m)^t e_m, at every layer."""
    value = Eq(App("x", (t, l, b, i)), add(REST, shares("e")))
    return Statement(AT, (ge(t, 0), ge(l, 0), le(l, L), *UNITS), value)


def squared_distance(time: object, start: int) -> Term:
    """Sum over free layers and units of (x_t - x*)^2, of one sample."""

    def term(layer: object, unit: object) -> Term:
        a = add(App("x", (time, layer, b, unit)), neg(App("rest", (layer, b, unit))))  # type: ignore[arg-type]
        return mul(a, a)

    return total(L, lambda layer: total(width(layer), lambda unit: term(layer, unit)), start)


def large_step(clamped: bool) -> Claim:
    """x_t = x* + c (1 - gamma lambda)^t e; where 2 <= gamma lambda it is never nearer to x* than at the start."""
    from ..tactics.inference_modes import large_step_script

    name = "learning" if clamped else "prediction"
    theory = modes_theory(clamped, (eq(M, 1),)).extend(
        hypotheses={"step_too_large": Statement((), (), Le(Num(2), mul(GAMMA, App("lam", (0,)))))}
    )
    start = first_free(clamped)
    goal = Statement(("t", "b"), (ge(t, 0), *span(b, 0, B)), Le(squared_distance(0, start), squared_distance(t, start)))
    return Claim(
        f"{name}_large_step",
        theory,
        (closed_form(), goal),
        script=large_step_script,
        title=f"Linear networks: where gamma lambda >= 2 the {name} phase does not converge from every start",
    )


def small_step(clamped: bool) -> Claim:
    """x_t = x* + sum over m of c_m (1 - gamma lambda_m)^t e_m, and the square of each part is at most rho^t c_m^2.

    rho is a bound of every (1 - gamma lambda_m)^2.
    """
    from ..tactics.inference_modes import small_step_script

    name = "learning" if clamped else "prediction"
    rho = App("rho")
    p = factor()
    theory = modes_theory(clamped).extend(
        (Symbol("rho", PARAMETER, shape="scalar", meaning="a bound of the factors' squares"),),
        hypotheses={"step_small": Statement(("m",), MODES, Le(mul(p, p), rho))},
    )
    part = mul(App("c", (m, b)), Pow(p, t))
    start = mul(App("c", (m, b)), App("c", (m, b)))
    goals = (
        closed_form(),
        Statement(("t", "b", "m"), (ge(t, 0), *span(b, 0, B), *MODES), Le(mul(part, part), mul(Pow(rho, t), start))),
    )
    return Claim(
        f"{name}_small_step",
        theory,
        goals,
        script=small_step_script,
        title=f"Linear networks: where every (1 - gamma lambda)^2 <= rho the {name} phase shrinks by rho in each step",
    )
