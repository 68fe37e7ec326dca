"""Everything that follows from an energy, checked against SymPy on unrolled networks and against known forms."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest
import sympy as sp

import pcproof as pp
from pcproof import catalogue
from pcproof.derive import Derivation, derive, gradient, solve, vanish
from pcproof.language.diff import diff
from pcproof.language.evaluate import Evaluator, Model
from pcproof.language.index import eq, ge, le, qvar, span
from pcproof.language.signature import Theory
from pcproof.language.terms import ZERO, App, Term
from pcproof.networks.backprop import lagrangian, weight_names
from pcproof.networks.network import B, L, Network, width
from pcproof.report.elimination import check, occurrences, picks
from pcproof.report.tex import document
from pcproof.rules.equations import RuleError

l, b, i = qvar("l"), qvar("b"), qvar("i")
NETS: list[Network] = [pp.MLP(), pp.MLP(bias=True), pp.Chain()]
WIDTHS = (2, 3, 1, 2)  # from the output; depth 3


def precise() -> pp.Rule:
    """A precision for each layer and a regulariser: another energy, another everything."""
    net = pp.MLP()
    x, mu, y, theta, l_, t, L_, gamma, alpha = net.symbols("x mu y theta l t L gamma alpha")
    lam, sigma = net.parameter("lam"), net.parameter("sigma", per="layer")
    F = pp.Sum(pp.sq(x[l_] - mu[l_]) / 2 / sigma[l_], (l_, 0, L_ - 1)) + lam * pp.Sum(pp.sq(x[l_]) / 2, (l_, 1, L_ - 1))
    return pp.Rule(
        net, energy=F, start={x[l_]: y[l_]}, step={x[l_]: -gamma * F.diff(x[l_])},
        learn={theta[l_ + 1]: -alpha * F.diff(theta[l_ + 1])}, when=pp.Eq(t, l_), name="precise",
    )  # fmt: skip


# -- unrolled with SymPy ----------------------------------------------------------------
def sympy_model(theory: Theory) -> Model:
    """Every parameter a SymPy symbol, f a tanh with a slope for each layer."""
    parameters = {
        name: (lambda *idx, name=name: sp.Symbol(name + "_" + "_".join(map(str, idx))))
        for name, s in theory.symbols.items()
        if s.kind == "parameter"
    }
    functions = {
        "f": lambda k, v: sp.tanh((k + 1) * v),
        "df": lambda k, v: (k + 1) * (1 - sp.tanh((k + 1) * v) ** 2),
    }
    sizes = {"L": 3, "B": 2, "n": lambda k: WIDTHS[k]}
    return Model(sizes, parameters, functions, lambda q: sp.Rational(q.numerator, q.denominator))


def same(a: sp.Expr, b: sp.Expr) -> bool:
    values = {s: sp.Rational(k + 1, 7) for k, s in enumerate(sorted((a - b).free_symbols, key=str))}
    return abs(sp.N((a - b).subs(values), 40)) < sp.Float("1e-30")


def against_sympy(theory: Theory, term: Term, name: str, indices: list[tuple[int, ...]]) -> None:
    run = Evaluator(theory, sympy_model(theory))
    whole = run.value(term, {})
    variables = [qvar(f"v{k}") for k in range(len(indices[0]))]
    derived = diff(theory, term, App(name, variables)).as_term()
    for at in indices:
        env = {f"v{k}": n for k, n in enumerate(at)}
        expected = sp.diff(whole, sp.Symbol(name + "_" + "_".join(map(str, at))))
        safe = _parts(run, theory, term, name, variables, env)
        assert same(safe, expected), f"{name}{at}: {derived!r}"


def _parts(run: Evaluator, theory: Theory, term: Term, name: str, variables: list, env: dict[str, int]) -> sp.Expr:
    """Only parts whose conditions hold have a value: outside, a part may read what is not there."""
    total = sp.Integer(0)
    for p in diff(theory, term, App(name, variables)).parts:
        if all(run.holds(c, env) for c in p.conditions):
            total += run.value(p.term, env)
    return total


@pytest.mark.parametrize("rule", [pp.rules.zil(pp.MLP(bias=True)), precise()], ids=["zil", "precise"])
def test_energy_gradients_agree_with_sympy_on_an_unrolled_network(rule: pp.Rule) -> None:
    e = rule.equations
    theory = e.net.energy_theory().extend(tuple(e.parameters))
    states = [(k, s, u) for k in range(4) for s in range(2) for u in range(WIDTHS[k])]
    against_sympy(theory, e.energy, "x", states)  # eq. 7
    against_sympy(
        theory,
        e.energy,
        "theta",
        [(k, u, v) for k in (1, 2, 3) for u in range(WIDTHS[k - 1]) for v in range(WIDTHS[k])],
    )


def test_backprop_from_the_lagrangian_agrees_with_sympy() -> None:
    net = pp.MLP(bias=True)
    theory, term = lagrangian(net, weight_names(net))
    against_sympy(theory, term, "y", [(k, s, u) for k in range(4) for s in range(2) for u in range(WIDTHS[k])])
    against_sympy(theory, term, "w", [(1, 0, 0), (2, 0, 0), (3, 0, 1)])


# -- step by step ------------------------------------------------------------------------
@pytest.mark.parametrize("net", NETS, ids=lambda n: n.name)
def test_the_steps_lead_to_the_derivative(net: Network) -> None:
    theory = net.energy_theory()
    check(diff(theory, net.energy(), App("x", (l, b, i))))
    for k in net.kinds:
        check(diff(theory, net.energy(), App(k.name, (l, *map(qvar, k.units)))))


def test_every_delta_is_used_up_and_leaves_its_range() -> None:
    net = pp.MLP()
    d = gradient(net.energy_theory(), net.energy(), App("x", (l, b, i)))
    own, above = occurrences(d.raw)
    for o, layers in ((own, (ge(l, 0), le(l + 1, L))), (above, (ge(l, 1), le(l, L)))):
        steps = picks(o)
        assert len(steps) == 3 and not steps[-1].left.deltas
        expected = {*layers, *span(b, 0, B), *span(i, 0, width(l))}
        assert set(steps[-1].left.conditions) == expected
        free = {a.name for p in steps for c in p.condition for a in c.expr.atoms() if hasattr(a, "name")}
        assert not any(n.startswith("?") for n in free)


def test_a_wrong_elimination_is_noticed() -> None:
    from dataclasses import replace

    net = pp.MLP()
    d = diff(net.energy_theory(), net.energy(), App("x", (l, b, i)))
    with pytest.raises(ValueError, match="disagree"):
        check(replace(d, parts=d.parts[:1]))


# -- what comes out ----------------------------------------------------------------------
def test_the_boundary_layers_come_out_by_themselves() -> None:
    d = derive(pp.rules.zil(pp.MLP()))
    lines = {line.rule: line.text for line in d.section("The three kinds").lines}
    assert lines["output layer"] == "-dF/dx[0,b,i] = -eps[0,b,i]   where l == 0"
    assert lines["hidden layers"] == (
        "-dF/dx[l,b,i] = -eps[l,b,i] + df[l](x[l,b,i])*sum_{j<n(l-1)} theta[l,j,i]*eps[l-1,b,j]   where 1 <= l < L"
    )
    assert lines["input layer"].startswith("-dF/dx[L,b,i] = df[L](x[L,b,i])*sum_{j<n(L-1)}")


@pytest.mark.parametrize(("gamma", "words"), [(1, "step size 1"), ("1/2", "times 1/2"), (None, "times gamma")])
def test_the_step_is_recognised_as_the_gradient(gamma: object, words: str) -> None:
    d = derive(pp.rules.zil(pp.MLP(), gamma=gamma))
    rules = [line.rule for line in d.section("The discrete dynamics").lines]
    assert any(words in r for r in rules)
    assert sum("clamped" in r for r in rules) == 2  # input; output while learning


def test_a_step_that_is_no_gradient_is_called_so() -> None:
    net = pp.MLP()
    x, mu, y, theta, l_, t, L_, alpha = net.symbols("x mu y theta l t L alpha")
    F = pp.Sum(pp.sq(x[l_] - mu[l_]) / 2, (l_, 0, L_ - 1))
    odd = pp.Rule(
        net, energy=F, start={x[l_]: y[l_]}, step={x[l_]: mu[l_] - x[l_]},
        learn={theta[l_ + 1]: alpha * F.diff(theta[l_ + 1])}, when=pp.Eq(t, l_),
    )  # fmt: skip
    text = derive(odd).text()
    assert "not a multiple of -dF/dx" in text
    assert "the rule's own change (not -alpha dF/dtheta)" in text


def test_fixed_points_of_both_phases() -> None:
    d = derive(pp.rules.zil(pp.MLP()))
    prediction = d.section("Fixed points of prediction")
    assert "if and only if x = mu" in prediction.note
    learning = [line.text for line in d.section("Fixed points of learning").lines]
    assert learning[0] == "eps[0,b,i] = s_out[b,i] - mu[0,b,i]"
    assert learning[-1].endswith("eps[l,b,i] = df[l](x[l,b,i])*sum_{j<n(l-1)} theta[l,j,i]*eps[l-1,b,j]")


def test_another_energy_has_other_fixed_points() -> None:
    d = derive(precise())
    assert "not x = mu" in d.section("Fixed points of prediction").note
    assert "lam" in d.section("The discrete dynamics").lines[1].text
    text = d.section("Fixed points of learning").lines[-1]
    assert "1/sigma" in text.text or "sigma" in text.comment


def test_linear_fixed_points_agree_with_sympy() -> None:
    """1-1-1-1, identity: sympy.solve of the derived gradient gives the derived recursion."""
    e = pp.rules.zil(pp.MLP()).equations
    theory = e.net.energy_theory()
    model = sympy_model(theory)
    ones = Model(
        {"L": 3, "B": 1, "n": lambda k: 1},
        model.parameters,
        {"f": lambda k, v: v, "df": lambda k, v: sp.Integer(1)},
        model.number,
    )
    run = Evaluator(theory, ones)
    F = run.value(e.energy, {})
    x = [sp.Symbol(f"x_{k}_0_0") for k in range(4)]
    free = sp.solve([sp.diff(F, x[k]) for k in (0, 1, 2)], x[:3], dict=True)[0]
    assert all(sp.simplify(run.call("eps", (k, 0, 0)).subs(free)) == 0 for k in range(3))
    clamped = sp.solve([sp.diff(F, x[k]) for k in (1, 2)], x[1:3], dict=True)[0]
    for k in (1, 2):
        eps, below = (sp.simplify(run.call("eps", (m, 0, 0)).subs(clamped)) for m in (k, k - 1))
        theta = sp.Symbol(f"theta_{k}_0_0")
        assert sp.simplify(eps - theta * below) == 0


def test_solve_and_vanish() -> None:
    net = pp.MLP()
    d = diff(net.energy_theory(), net.energy(), App("x", (l, b, i)))
    cases = d.cases((ge(l, 0), le(l, L)), (*net.assumptions, *span(b, 0, B), *span(i, 0, width(l))))
    for c in cases:
        solved = solve(c)
        if eq(l, L) in c.guard:
            assert solved is None  # the input layer has no error of its own
        else:
            assert solved is not None and solved[2] == ""
        assert vanish(c.value, "eps") is ZERO


# -- faces --------------------------------------------------------------------------------
def all_rules() -> list[object]:
    return [e.id for e in catalogue.entries().values() if e.rule is not None]


@pytest.mark.parametrize("id", all_rules())
def test_every_rule_of_the_catalogue_is_derived_and_shown(id: str) -> None:
    d = derive(catalogue.entries()[id])
    assert isinstance(d, Derivation)
    for s in d.sections:
        assert s.lines
        for line in s.lines:
            assert "?" not in line.text.replace("?'", ""), line.text
    ET.fromstring(f"<div>{d.html()}</div>")
    document_ = d.as_dict()
    assert [s["title"] for s in document_["sections"]] == [s.title for s in d.sections]
    assert "eq. 7" in d.text() or "Eq. 7" in d.text()


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("rule", [pp.rules.zil(pp.MLP(bias=True), gamma=None), precise()], ids=["zil", "precise"])
def test_the_latex_compiles(rule: pp.Rule, tmp_path: object) -> None:
    compile_latex(document(derive(rule).latex()), tmp_path)


def compile_latex(text: str, folder: object) -> None:
    from pathlib import Path

    path = Path(str(folder)) / "it.tex"
    path.write_text(text)
    run = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", path.name],
        cwd=path.parent,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-2000:]


def test_only_rules_can_be_derived() -> None:
    with pytest.raises(RuleError, match="no rule with an energy"):
        derive(catalogue.entries()["backprop_gradient"])
    with pytest.raises(RuleError, match="int"):
        derive(3)


def test_an_exact_step_size_stays_exact() -> None:
    hidden = derive(pp.rules.zil(pp.MLP(), gamma="1/2")).section("The discrete dynamics").lines[1]
    assert hidden.text.startswith("x[t+1] - x[t] = -1/2*eps[l,b,i] + 1/2*df[l](x[l,b,i])")
