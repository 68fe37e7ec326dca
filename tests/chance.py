"""Rules by chance: texts in the public words, composed from a table of ingredients.

A rule starts from a recipe (most of these are backprop, so that proofs are attacked too) and departs from it in a few
ingredients.  A new feature of the language is one more line of ``INGREDIENTS``; the simulator in ``test_hostile``
has to understand its words.
"""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

TEMPLATE = """net = MLP({bias})
{loss}
x, mu, eps, y, theta, l, t, L, gamma, alpha = net.symbols("x mu eps y theta l t L gamma alpha")
lam, kappa = net.parameter("lam"), net.parameter("kappa")
p, q = net.parameter("p", per="layer"), net.parameter("q", per="layer")
g = net.parameter("g", per="time")
d, m = net.parameter("d", per="unit"), net.parameter("m", per="pair")
R = matrix(net, "R")
E = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
F = {energy}{regulariser}
start = {start}
step = {step} * {step_size}{drift}
change = {change} * {rate}{decay}
rule = Rule(net, energy=F, start={{x[l]: start}}, when=Eq(t, {moment}),
            step={{x[l]: step}}, learn={{theta[l + 1]: change{beta}}}, order="{order}", held={held}{substeps})
"""

# the first value of each ingredient is the usual one
INGREDIENTS: dict[str, tuple[str, ...]] = {
    "bias": ("", "bias=True"),
    "loss": (
        "",
        'net = OwnLoss(net, lambda out, target, h: Sum(h(out - target)), functions="h")',
        "net = OwnLoss(net, lambda out, target: Sum(out * out * out * target) - sq(target) / 2)",
        'net = OwnLoss(net, lambda out, target: sq(target - out, net.parameter("d", per="unit")[0]) / 2)',
    ),
    "energy": (
        "Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))",
        "Sum(sq(x[l] - mu[l]), (l, 0, L - 1))",
        "Sum(kappa * sq(x[l] - mu[l]) / 2, (l, 0, L - 1))",
        "Sum(p[l] * sq(x[l] - mu[l]) / 2, (l, 0, L - 1))",
        "Sum(sq(x[l] - mu[l]) / 2, (l, 1, L - 1)) + kappa * Sum(sq(x[l] - mu[l]) / 2, (l, 0, 0))",
        "Sum(sq(x[l] - mu[l]) / 2, (l, 0, 0)) + kappa * Sum(sq(x[l] - mu[l]) / 2, (l, 1, L - 1))",
        "Sum(gamma**l * sq(x[l] - mu[l]) / 2, (l, 0, L - 1))",
        "Sum(sq(x[l] - mu[l], d[l]) / 2, (l, 0, L - 1))",
        "sq(x[0] - mu[0]) / 2 + Sum(sq(x[l] - mu[l], d[l]) / 2, (l, 1, L - 1))",
        "sq(x[0] - mu[0]) / 2 + Sum(sq(x[l] - mu[l], m[l]) / 2, (l, 1, L - 1))",
        "Sum(sq(x[l] - mu[l]) / 2, (l, 1, L - 1)) + output_loss(net)",
        "-E",
    ),
    "regulariser": (
        "",
        " + lam * Sum(sq(x[l]) / 2, (l, 1, L - 1))",
        " + lam * Sum(sq(theta[l]) / 2, (l, 1, L))",
        " + Sum(sq(x[l] - y[l]) / 2, (l, 1, L - 1))",
        " + lam * Sum(sq(act(x[l])) / 2, (l, 1, L - 1))",
        " + Sum(sq(x[l]), (l, 0, 0))",
        " + 3 * Sum(sq(x[l]), (l, L, L))",
        " + E - E",
    ),
    "start": ("y[l]", "2 * y[l]", "0 * y[l]", "q[l] * y[l]", "y[l] * y[l]", "act(y[l])", "y[l] * lam"),
    "step": (
        "-F.diff(x[l])",
        "F.diff(x[l])",
        "(-eps[l] + slope(x[l]) * back(theta[l], eps[l - 1]))",
        "(eps[l] + slope(x[l]) * back(theta[l], eps[l - 1]))",
        "(-eps[l] - slope(x[l]) * back(theta[l], eps[l - 1]))",
        "(-eps[l] + back(theta[l], eps[l - 1]))",
        "(-eps[l] + slope(y[l]) * back(theta[l], eps[l - 1]))",
        "(-eps[l] + slope(mu[l]) * back(theta[l], eps[l - 1]))",
        "(-eps[l] + slope(eps[l]) * back(theta[l], eps[l - 1]))",
        "(-eps[l] + slope(x[l]) * back(R[l], eps[l - 1]))",
        "(-eps[l] + slope(x[l]) * back(theta[l] + R[l], eps[l - 1]))",
        "(-eps[l] + slope(x[l]) * back(theta[l], x[l - 1] - y[l - 1]))",
        "(-eps[l] + slope(x[l]) * back(theta[l], eps[l - 1]) - back(theta[l], eps[l - 1]))",
        "(slope(x[l]) * back(theta[l], eps[l - 1]))",
        "(-F.diff(x[l]) - E.diff(x[l]))",
        "eps[l] * F.diff(x[l])",
        "0 * x[l]",
    ),
    "step_size": (
        "1",
        "gamma",
        "2",
        '"1/2"',
        "p[l]",
        "g[t]",
        "gamma**l",
        "(-1)",
        "(1 + g[t] - g[l - 1])",
        "kappa / 2",
        "d[l]",
        "1 / d[l]",
        "p[L - l]",
    ),
    "drift": (
        "",
        " - lam * x[l]",
        " + 3 * eps[l]",
        " - (x[l] - y[l])",
        " + lam * (mu[l] - y[l])",
        " + eps[l] * eps[l] * x[l]",
        " + sq(x[l + 1] - y[l + 1]) * x[l]",
        " + sq(theta[l]) * eps[l]",
        " - lam * act(eps[l])",
        " + g[t] * eps[l]",
        " - d[l] * eps[l]",
        " + m[l] @ eps[l]",
        " + lam * (m[l] @ (x[l] - mu[l]) - d[l] * (x[l] - y[l]))",
    ),
    "change": (
        "-alpha * F.diff(theta[l + 1])",
        "alpha * F.diff(theta[l + 1])",
        "alpha * outer(eps[l], act(x[l + 1]))",
        "alpha * outer(eps[l], act(y[l + 1]))",
        "alpha * outer(eps[l], x[l + 1])",
        "alpha * outer(eps[l], slope(x[l + 1]))",
        "alpha * outer(x[l] - y[l], act(x[l + 1]))",
        "alpha * outer(x[l], act(x[l + 1]))",
        "alpha * outer(eps[l] + mu[l] - y[l], act(x[l + 1]))",
        "alpha * outer(eps[l], act(x[l + 1]) + x[l + 1] - y[l + 1])",
    ),
    "rate": ("1", "2", '"1/2"', "lam", "gamma", "1 / gamma**l", "(1 + g[t] - g[l])", "q[l]", "1 / kappa", "1 / q[l]"),
    "decay": ("", " - lam * theta[l + 1]", " + lam * R[l + 1]", " - alpha * theta[l + 1] * 0"),
    "beta": ("",),  # what the biases learn follows from the rate and the sign; see ``text``
    "moment": (
        *("l", "l + 1", "l - 1", "0", "1", "2", "2 * l", "2 * l + 1", "2 * l - 1", "3 * l"),
        *("L - 1", "L", "L + 1", "L - l", "L - 1 - l", "-l", "5"),
    ),
    "order": ("synchronous", "weights-first", "states-first", "states-first-fresh", "from-output", "from-input"),
    "held": ("False", "True"),
    "substeps": ("", ", substeps=2", ", substeps=3"),
}

# where departures begin; the first five and some of the others are backprop
RECIPES: tuple[Mapping[str, str], ...] = (
    {},
    {"step": INGREDIENTS["step"][2], "change": INGREDIENTS["change"][2]},
    {"step_size": "gamma", "rate": "1 / gamma**l"},
    {"energy": INGREDIENTS["energy"][1], "step_size": '"1/2"', "rate": '"1/2"'},
    {"energy": INGREDIENTS["energy"][2], "rate": "1 / kappa", "step_size": "1 / kappa"},
    {"energy": "-E", "step_size": "(-1)", "rate": "(-1)"},
    {"step": INGREDIENTS["step"][6], "held": "True"},
    {"energy": INGREDIENTS["energy"][3], "change": INGREDIENTS["change"][2]},
    {"order": "weights-first", "change": INGREDIENTS["change"][3]},
    {"energy": INGREDIENTS["energy"][8], "step_size": "1 / d[l]"},
    {"step": INGREDIENTS["step"][6], "held": "True", "substeps": ", substeps=2"},
    {"loss": INGREDIENTS["loss"][1], "energy": INGREDIENTS["energy"][10]},
    {"loss": INGREDIENTS["loss"][2], "energy": INGREDIENTS["energy"][10], "step_size": "gamma", "rate": "1 / gamma**l"},
    {"loss": INGREDIENTS["loss"][3], "energy": INGREDIENTS["energy"][7], "step_size": "1 / d[l]"},
    {"order": "from-output", "moment": "0"},
    {"order": "from-input", "step_size": "gamma", "rate": "1 / gamma**l"},
)


def text(parts: Mapping[str, str]) -> str:
    """The file of a rule; ingredients that are not given are the usual ones."""
    full = {name: values[0] for name, values in INGREDIENTS.items()} | dict(parts)
    if full["bias"]:
        sign = "" if full["change"].startswith("alpha * F") else "-"
        full["beta"] = f", beta[l + 1]: {sign}alpha * F.diff(beta[l + 1]) * {full['rate']}"
        return TEMPLATE.format(**full).replace("lam, kappa =", 'beta = net.symbols("beta")\nlam, kappa =')
    return TEMPLATE.format(**full)


@st.composite
def rules(draw: st.DrawFn, most: int = 4) -> str:
    """The text of a rule: a recipe with up to ``most`` ingredients changed."""
    parts = dict(draw(st.sampled_from(RECIPES)))
    names = [n for n, values in INGREDIENTS.items() if len(values) > 1]
    for name in draw(st.lists(st.sampled_from(names), max_size=most, unique=True)):
        parts[name] = draw(st.sampled_from(INGREDIENTS[name]))
    return text(parts)
