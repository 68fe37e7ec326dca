"""Rules of unusual make that are decided all the same, and their neighbours that are not backprop.

Each verdict is worked out by hand; where a rule reads activities instead of errors, x - y = eps at the first arrival,
because predictions ahead of the wave are still y.
"""

from __future__ import annotations

import pytest
from chance import text
from test_chance import confirm
from test_hostile import theirs

from pcproof import prove

SWITCH = "-eps[l] + slope(y[l]) * back(theta[l], eps[l - 1])"
RULES = {
    # held, x_{t+1} = y + back: the error of layer l is delta^l for all t >= l, in every order
    "held, weights first": ({"step": f"({SWITCH})", "order": "weights-first", "held": "True"}, "proved"),
    "held, fresh errors": ({"step": f"({SWITCH})", "order": "states-first-fresh", "held": "True"}, "proved"),
    "held, half a step, weights first": (
        {"step": f"({SWITCH})", "step_size": '"1/2"', "order": "weights-first", "held": "True"},
        "refuted",
    ),
    # with sign +, eps doubles after t = l; it is read at t = l only
    "held, read once": ({"step": "(eps[l] + slope(x[l]) * back(theta[l], eps[l - 1]))", "held": "True"}, "proved"),
    "held, read late": (
        {"step": "(eps[l] + slope(x[l]) * back(theta[l], eps[l - 1]))", "held": "True", "moment": "l + 1"},
        "refuted",
    ),
    # 1 + g[t] - g[l - 1] is 1 at t = l - 1; after t = l the error rests, whatever the step size
    "held, step of time": ({"step_size": "(1 + g[t] - g[l - 1])", "held": "True", "moment": "l + 1"}, "proved"),
    # at t = l the step is 1, and x_{l+1} = y + back, whatever came before
    "held, step of time t": ({"step_size": "(1 + g[t] - g[l])", "held": "True", "moment": "l + 1"}, "proved"),
    "held, step of a wrong time": (
        {"step_size": "(1 + g[t] - g[l + 1])", "held": "True", "moment": "l + 1"},
        "refuted",
    ),
    "held, at 2l": ({"step": f"({SWITCH})", "held": "True", "moment": "2 * l"}, "proved"),
    # x - y in place of eps
    "change by x - y": ({"change": "alpha * outer(x[l] - y[l], act(x[l + 1]))"}, "proved"),
    "change by y - x": ({"change": "alpha * outer(y[l] - x[l], act(x[l + 1]))"}, "refuted"),
    "change by x - 2y": ({"change": "alpha * outer(x[l] - 2 * y[l], act(x[l + 1]))"}, "refuted"),
    "step by x - y": (
        {"step": "(-eps[l] + slope(x[l]) * back(theta[l], x[l - 1] - y[l - 1]))"},
        "proved",
    ),
    "step by x - mu - mu + y": (
        {"step": "(-eps[l] + slope(x[l]) * back(theta[l], eps[l - 1] - mu[l - 1] + y[l - 1]))"},
        "proved",
    ),
    "step and change by x - y": (
        {
            "step": "(-eps[l] + slope(x[l]) * back(theta[l], x[l - 1] - y[l - 1]))",
            "change": "alpha * outer(x[l] - y[l], act(y[l + 1]))",
        },
        "proved",
    ),
    # what is divided by differs from 0, and that is listed
    "kappa / kappa": ({"step_size": "kappa * (1 / kappa)"}, "proved"),
    "p / p": ({"step_size": "p[l] / p[l]"}, "proved"),
    "p / p of another layer": ({"step_size": "p[l] / p[l - 1]"}, "refuted"),
    "(lam + 1) / (lam + 1)": ({"step_size": "(lam + 1) / (lam + 1)"}, "proved"),
    "(lam + 1) / (lam + 2)": ({"step_size": "(lam + 1) / (lam + 2)"}, "refuted"),
    "(1 + p) / (1 + p)": ({"step_size": "(1 + p[l]) / (1 + p[l])"}, "proved"),
    "(1 + p) / (1 + p) of another layer": ({"step_size": "(1 + p[l]) / (1 + p[l - 1])"}, "refuted"),
    "quotient of sums": ({"rate": "(lam + kappa) / (kappa + lam)"}, "proved"),
    "quotient of products": ({"step_size": "(lam * lam - 1) / (lam * lam - 1)"}, "proved"),
    "quotient of times": ({"step_size": "(2 + g[t]) / (g[l - 1] + 2)"}, "proved"),
    "held, (lam + 1) / (lam + 1)": ({"rate": "(lam + 1) / (lam + 1)", "held": "True"}, "proved"),
}


@pytest.mark.parametrize("name", RULES)
def test_the_verdict_is_the_one_by_hand(name: str) -> None:
    parts, verdict = RULES[name]
    result = prove(theirs(text(parts)).equals_backprop())
    assert result.verdict == verdict, str(result)


def test_what_is_divided_by_is_listed() -> None:
    for rate, hypothesis in (("(1 + p[l]) / (1 + p[l])", "p[m] + 1 != 0"), ("(lam + 1) / (lam + 1)", "lam + 1 != 0")):
        result = prove(theirs(text({"step_size": rate})).equals_backprop())
        assert [h for h in result.hypotheses if hypothesis in h], result.hypotheses


# what is added from a layer on, the depth at which it is first seen, and what theta of that layer does there
DEEP = {
    # precision 2 from layer 6 on: theta^7 learns by 2 eps^6
    "errors": ("Sum(sq(x[l] - mu[l]) / 2, (l, 6, L - 1))", 7),
    # the weights of layer 7 decay
    "weights": ("Sum(sq(theta[l]) / 2, (l, 7, L))", 7),
    # x^7 decays; it is hidden from depth 8 on
    "activities": ("Sum(sq(x[l]) / 2, (l, 7, L - 1))", 8),
    "far": ("2 * Sum(sq(x[l] - mu[l]) / 2, (l, 20, L - 1)) - Sum(sq(x[l] - mu[l]) / 2, (l, 22, L - 1))", 21),
}


@pytest.mark.parametrize("name", DEEP)
def test_a_rule_that_differs_at_great_depth_only_is_refuted_there(name: str) -> None:
    more, depth = DEEP[name]
    result = prove(theirs(text({"regulariser": f" + {more}"})).equals_backprop())
    assert result.verdict == "refuted", str(result)
    c = result.counterexample
    assert c.sizes["L"] == depth and not c.exhaustive
    confirm(text({"regulariser": f" + {more}"}), c)
    assert f"passed over: L = 5 to {depth}: only networks of one unit a layer" in str(result)


def test_what_is_added_and_taken_away_at_depth_changes_nothing() -> None:
    more = "Sum(sq(x[l] - mu[l]) / 2, (l, 6, L - 1))"
    assert prove(theirs(text({"regulariser": f" + {more} - {more}"})).equals_backprop()).verdict == "proved"


def test_deeper_than_any_network_that_is_run_it_is_unknown_with_the_goal() -> None:
    more = "Sum(sq(x[l] - mu[l]) / 2, (l, 60, L - 1))"
    result = prove(theirs(text({"regulariser": f" + {more}"})).equals_backprop())
    assert result.verdict == "unknown" and "l - 61 >= 0" in result.goal_text()
