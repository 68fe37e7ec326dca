"""What a stranger may write: rules and claims that have no verdict end in a sentence, or in "unknown"."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import pcproof as pp
from pcproof.api import TINY
from pcproof.catalogue import load
from pcproof.cli import run
from pcproof.language.index import Idx, eq, ge, lt, qvar, size
from pcproof.language.show import show_statement
from pcproof.language.signature import (
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
    Theory,
)
from pcproof.language.terms import ONE, ZERO, App, Iverson, Mul, Num, Sum, Term
from pcproof.proof.theory import TheoryError
from pcproof.refute.horizon import endless, unreached
from pcproof.refute.search import refute as search

s = qvar("s")
a = App("a")

RULE = """
from pcproof import MLP, Eq, Rule, Sum, sq
net = MLP({bias})
x, mu, y, theta, l, t, L, alpha = net.symbols("x mu y theta l t L alpha")
p = net.parameter("{name}", per="{per}")
F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
rule = Rule(net, energy=F, start={{x[l]: y[l]}}, when={when},
            step={{x[l]: {step}}}, learn={{theta[l + 1]: -alpha * F.diff(theta[l + 1])}})
{claim}
"""
PLAIN = {"bias": "", "name": "p", "per": "", "when": "Eq(t, l)", "step": "-p * F.diff(x[l]) / p", "claim": ""}


def written(folder: Path, **changed: str) -> str:
    path = folder / "mine.py"
    path.write_text(RULE.format(**{**PLAIN, **changed}))
    return str(path)


# -- rule files ----------------------------------------------------------------------------
@pytest.mark.parametrize("command", ["prove", "characterise", "locality"])
@pytest.mark.parametrize(
    "changed, expected",
    [
        ({"name": "phi"}, "'phi' already has a meaning"),
        ({"name": "quiet", "per": "layer", "step": "-p[l] * F.diff(x[l])"}, "'quiet' already has a meaning"),
        ({"step": "-10**5000 * F.diff(x[l])"}, "more than 1000 digits"),
        ({"bias": "5"}, "bias is True or False, got 5"),
        ({"claim": "claim = rule.equals_backprop"}, "`claim` is method, not a claim; call it"),
        ({"claim": "claim = 'x'"}, "`claim` is str, not a claim"),
    ],
)
def test_a_rule_file_is_refused(
    command: str, changed: dict[str, str], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, written(tmp_path, **changed)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and expected in err and err.count("\n") == 1


def test_the_rule_file_as_it_stands_is_proved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prove", written(tmp_path)]) == 0


@pytest.mark.parametrize("command", ["prove", "refute", "characterise"])
def test_a_moment_too_late_to_be_run_up_to_is_unknown(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, written(tmp_path, when="Eq(t, l + 100000)")]) == 3
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("divisor", ["(1 + p[l])", "(p[l] - p[l + 1])", "(p[l] * p[l] - 2 * p[l])"])
def test_what_a_rule_divides_by_is_not_0_at_any_layer(divisor: str, tmp_path: Path) -> None:
    """With 1/0 = 0 the rule would be refuted."""

    def searched(factor: str) -> Claim:
        step = f"-{factor} * F.diff(x[l]) * {divisor} / {divisor}"
        return load(written(tmp_path, per="layer", step=step)).claim()

    mine = searched("1")
    (said,) = map(show_statement, mine.theory.hypotheses.values())
    assert said.startswith("for all m with m >= 0: ") and said.endswith("!= 0")
    assert search(mine, TINY).counterexample is None
    assert search(replace(mine, theory=replace(mine.theory, hypotheses={})), TINY).counterexample is not None
    assert search(searched("2"), TINY).counterexample is not None


# -- claims written by hand -----------------------------------------------------------------
def theory(hypotheses: dict[str, Statement], *definitions: Definition) -> Theory:
    symbols = [Symbol("a", PARAMETER), Symbol("v", PARAMETER, 1)]
    symbols += [Symbol(d.name, DEFINED, len(d.params)) for d in definitions]
    return Theory({}, (), {x.name: x for x in symbols}, (definitions,), hypotheses)


def claim(th: Theory, goal: Eq | Le) -> Claim:
    return Claim("mine", th, (Statement((), (), goal),))


OVERLAP = Definition("d", ("l",), (Case((ge(qvar("l"), 0),), ONE), Case((ge(qvar("l"), 1),), ZERO)))
ENDLESS = Definition("d", ("l",), (Case((), App("d", (qvar("l") + 1,))),), (qvar("l"),))


@pytest.mark.parametrize(
    "wrong, expected",
    [
        (claim(theory({}, OVERLAP), Eq(App("d", (Idx(1),)), ZERO)), "two cases overlap"),
        (claim(theory({}, ENDLESS), Eq(App("d", (Idx(1),)), ZERO)), "a measure may be negative"),
        (claim(theory({}), Eq(App("d", (Idx(1),)), ZERO)), "'d' is not declared"),
        (claim(theory({}), Eq(App("v", (s,)), ZERO)), "not quantified"),
    ],
)
def test_a_claim_that_is_not_well_formed_has_no_verdict(
    wrong: Claim, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in (pp.prove, pp.refute):
        with pytest.raises(TheoryError, match=expected):
            verb(wrong)


def test_in_a_file_it_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from pcproof.language.signature import Claim, Eq, Statement, Theory\n"
        "from pcproof.language.terms import ONE, App\n"
        "claim = Claim('mine', Theory({}, (), {}), (Statement((), (), Eq(App('d'), ONE)),))\n"
    )
    assert run(["prove", str(path)]) == 2
    assert "mine.py: the claim is not well formed: the symbol 'd' is not declared" in capsys.readouterr().err


# -- hypotheses about every value of an index ---------------------------------------------------
def every(relation: Eq | Ne | Le) -> Statement:
    return Statement(("s",), (ge(s, 0),), relation)


#: true: a <= 0, since s a <= 1 for every s; a = 0, since the 50th says so
TRUE: dict[str, tuple[Statement, Eq | Le]] = {
    "archimedes": (every(Le(Sum(s, a), ONE)), Le(a, ZERO)),
    "the fiftieth": (every(Eq(Mul(Iverson((eq(s, 50),)), a), ZERO)), Eq(a, ZERO)),
}


@pytest.mark.parametrize("name", TRUE)
def test_what_is_true_by_a_hypothesis_that_was_not_tried_is_not_refuted(name: str) -> None:
    hypothesis, goal = TRUE[name]
    mine = claim(theory({"h": hypothesis}), goal)
    assert unreached(mine.theory) == "h"
    for verb in (pp.prove, pp.refute):
        result = verb(mine)
        assert result.verdict == "unknown"
        assert "'h' is about every value of an index; no finite look shows that it is met" in str(result)


def own(relation: Eq | Ne | Le) -> str | None:
    return unreached(theory({"h": every(relation)}))


def test_a_hypothesis_about_entries_of_its_own_counts() -> None:
    v: Term = App("v", (s,))
    assert own(Ne(v, ZERO)) is None and own(Eq(v, Num(2))) is None and own(Eq(a, App("v", (s + 1,)))) is None
    assert own(Le(v, a)) == "h" and own(Eq(Mul(v, v), a)) == "h" and own(Ne(a, ZERO)) == "h"
    both = {"one": every(Eq(v, Num(2))), "two": every(Eq(v, a))}
    assert unreached(theory(both)) == "two"
    false = claim(theory({"h": every(Ne(v, ZERO))}), Eq(a, ZERO))
    assert pp.prove(false).verdict == "refuted"


def test_variables_without_a_bound() -> None:
    bounded = Statement(("s", "r"), (ge(s, 0), lt(s, size("L")), eq(qvar("r"), s)), Eq(a, ZERO))
    assert endless(bounded) == []
    assert endless(Statement(("s", "r"), (ge(s, 0), lt(qvar("r"), s)), Eq(a, ZERO))) == ["s", "r"]
