"""Theorems about rules put together at random, every name in them replaced by an unpleasant one, accepted by coqc.

The exporter knows no theorem by name; these are theorems that nobody has written down.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest

import pcproof as pp
from pcproof import Eq, Rule, Sum, sq
from pcproof.exporters.coq import ALLOWED, coqc_version, export, queue
from pcproof.exporters.coq import run as runner
from pcproof.exporters.coq.sentences import fault
from pcproof.language.signature import Claim
from pcproof.networks.network import Network
from pcproof.proof.acceptance import ACCEPTED
from pcproof.rules.claims import dynamics, equals_backprop, freeze, gamma_law, plasticity
from pcproof.rules.equations import RuleError

needs_coqc = pytest.mark.skipif(not coqc_version(), reason=runner.GET)
Json = Any

# -- rules -------------------------------------------------------------------------
Number = Any
THIRD = Fraction(1, 3)
#: weight of the energy, step size, factor of the learning rate at layer l: what undoes the weight, mostly
WEIGHTS: dict[str, Callable[[Number, Number, Any], tuple[Number, Number, Number]]] = {
    "1": lambda k, g, l: (1, 1, 1),
    "3": lambda k, g, l: (3, THIRD, THIRD),
    "2/5": lambda k, g, l: (Fraction(2, 5), Fraction(5, 2), Fraction(5, 2)),
    "k": lambda k, g, l: (k, 1 / k, 1 / k),
    "k k": lambda k, g, l: (k * k, 1 / (k * k), 1 / k / k),
    "1, gamma": lambda k, g, l: (1, g, g ** (-l)),
    "3, gamma": lambda k, g, l: (3, g / 3, g ** (-l) / 3),
    "k, gamma": lambda k, g, l: (k, g / k, g ** (-l) / k),
    "k, no rate": lambda k, g, l: (k, 1 / k, 1),
}
#: what is zero wherever it is looked at, or says nothing about weights
EXTRA: tuple[str, ...] = (
    "", "", "3*eps[l]", "-(x[l] - y[l])", "eps[l]*eps[l]*x[l]", "h*(mu[l] - y[l])", "q[t]*eps[l]",
    "sq(x[l + 1] - y[l + 1])*x[l]", "F*eps[l]", "p[l]*p[l + 1]*eps[l]",
)  # fmt: skip
MORE: tuple[str, ...] = (
    "", "", "Sum(sq(x[l] - y[l])/2, (l, 1, L - 1))", "h*Sum(sq(x[l]), (l, 0, 0))", "h*Sum(sq(x[l])/2, (l, L, L))"
)  # fmt: skip
MOMENTS: tuple[str, ...] = ("Eq(t, l)", "Eq(t, l)", "Eq(l, t)", "Eq(t, l + 1)", "Eq(t, 2*l)", "Eq(t, L + l)")
NETS: tuple[Callable[[], Network], ...] = (pp.MLP, lambda: pp.MLP(bias=True), pp.Chain)
CLAIMS: tuple[Callable[[Any], Claim], ...] = (equals_backprop, equals_backprop, freeze, gamma_law, dynamics, plasticity)


def random_claim(rng: random.Random) -> tuple[str, Claim]:
    """A rule in the public words and a claim about it, true or not."""
    net = rng.choice(NETS)()
    x, mu, eps, y, l, t, L, alpha = net.symbols("x mu eps y l t L alpha")
    k, g = net.parameter("k"), net.parameter("gamma")
    names: dict[str, Any] = {
        "x": x, "mu": mu, "eps": eps, "y": y, "l": l, "t": t, "L": L, "sq": sq, "Sum": Sum, "Eq": Eq,
        "h": net.parameter("h"), "p": net.parameter("p", per="layer"), "q": net.parameter("q", per="time"),
    }  # fmt: skip
    chosen, extra, more, moment = rng.choice(list(WEIGHTS)), rng.choice(EXTRA), rng.choice(MORE), rng.choice(MOMENTS)
    claim = rng.choice(CLAIMS)
    if claim in (gamma_law, dynamics):
        chosen = "1, gamma"
    weight, back, rate = WEIGHTS[chosen](k, g, l)
    if claim in (gamma_law, dynamics, plasticity):
        rate, extra = 1, ""
        more = more.replace("x[l] - y[l]", "x[l]")
    F = weight * Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
    if more:
        F = F + eval(more, names)
    names["F"] = F
    step = -back * F.diff(x[l])
    if extra:
        step = step + eval(extra, names)
    learn = {}
    for kind in net.kinds:
        w = net.symbols(kind.name)
        learn[w[l + 1]] = -alpha * rate * F.diff(w[l + 1])
    rule = Rule(net, energy=F, start={x[l]: y[l]}, step={x[l]: step}, learn=learn, when=eval(moment, names))
    what = f"{claim.__name__} of {net.name}; weight {chosen}, {more!r}; step {extra!r}; {moment}"
    return what, rule.equals_backprop() if claim is equals_backprop else claim(rule.equations)


def theorems(seed: int, wanted: int) -> Iterator[tuple[str, Json]]:
    """So many different certificates of claims that are proved."""
    rng = random.Random(seed)
    seen: set[str] = set()
    tries = 0
    while len(seen) < wanted:
        tries += 1
        assert tries < 40 * wanted, f"only {len(seen)} of {wanted} theorems in {tries} tries"
        try:
            what, claim = random_claim(rng)
        except RuleError:
            continue
        if what in seen:
            continue
        result: Any = pp.prove(claim)
        if result.verdict == "proved":
            seen.add(what)
            yield what, json.loads(result.proof.text)


# -- names ---------------------------------------------------------------------------
UNPLEASANT = (
    "Qed", "Qed. Axiom", "sum", "R", "Z", "Prop", "Set", "Type", "fun", "forall", "forall x, False", "end", "with",
    "zsum", "nsum", "iver", "rinv", "derivable_pt_lim", "certified", "params", "make_params", "theory_ok",
    "hypotheses_ok", "stated", "everything", "s0", "s1", "x0", "x1", "t0", "p", "q", "A", "H", "C", "C_", "K", "Q",
    "N", "j0", "j1", "s_", "r_", "q_", "z_", "c0_", "d0_", "a0", "a0_", "e_", "f0", "h0", "g0", "n0", "I0", "1", "0'",
    "", "_", "__", "_e_", "a_", "a__", "_a", "a b", "a\nb", "a.", "Axiom bad : False.", "(*", "*)", "(* x *)", '"',
    "'", "''", "\\", "\t", "\x00", "é", "e\u0301", "名", "λ", "𝔽", "u_x", "i_l", "z_L", "v_x", "o_x", "x_zero",
    "x__zero", "_x5f_", ":=", "=", "+", "Notation", "Definition R := nat.", "#[local]", "%Z", "l" * 60, "l" * 59,
    "_" * 60, "_" * 59, "é" * 60, "true", "false", "eq_refl", "conj", "I", "nat", "list", "length", "lia", "ring",
    "idx", "arith", "go0", "ind0", "call0",
)  # fmt: skip


def renamed(data: Json, rng: random.Random) -> Json:
    """The same certificate with other names, no two alike where they were not."""
    theory = data["theory"]

    def other(names: list[str]) -> dict[str, str]:
        return dict(zip(names, rng.sample(UNPLEASANT, len(names)), strict=True))

    symbols, sizes = other(sorted(theory["symbols"])), other(sorted(theory["sizes"]))
    hypotheses, directions = other(sorted(theory["hypotheses"])), other(sorted(theory["directions"]))
    variables: dict[str, str] = {}
    left = list(UNPLEASANT)
    rng.shuffle(left)

    def variable(name: str) -> str:
        if name not in variables:
            variables[name] = left.pop()
        return variables[name]

    def index(i: Json, own: bool = False) -> Json:
        out = [i[0]]
        for c, kind, name, *arguments in i[1:]:
            if kind == "size":
                name = sizes[name]
            elif kind == "var" and not own:
                name = variable(name)
            out.append([c, kind, name, *(index(a, own) for a in arguments)])
        return out

    def cons(cs: Json) -> Json:
        return [[kind, index(i)] for kind, i in cs]

    def relation(r: Json) -> Json:
        return ["tangent", directions[r[1]], *map(term, r[2:])] if r[0] == "tangent" else [r[0], *map(term, r[1:])]

    def statement(s: Json) -> Json:
        names = [variable(v) for v in s["for"]]
        return {"for": names, "where": cons(s["where"]), "holds": relation(s["holds"])}

    def term(row: Json) -> Json:
        kind, *rest = row
        if kind == "app":
            return [
                kind,
                symbols[rest[0]],
                [index(i) for i in rest[1]],
                [[[index(n) for n in bounds], term(b)] for bounds, b in rest[2]],
            ]
        if kind == "pow":
            return [kind, term(rest[0]), index(rest[1])]
        if kind == "sum":
            return [kind, index(rest[0]), term(rest[1])]
        if kind == "iverson":
            return [kind, *cons(rest)]
        return row if kind == "num" else [kind, *map(term, rest)]

    def argument(rule: str, a: Json) -> Json:
        if isinstance(a, str):
            return hypotheses[a] if rule == "hypothesis" else variable(a)
        if isinstance(a, list) and a and isinstance(a[0], int):
            return index(a)
        if isinstance(a, list) and a and a[0] in ("ge", "eq", "ne"):
            return cons([a])[0]
        return [argument("", x) for x in a] if isinstance(a, list) else a

    def context(c: Json) -> Json:
        return {
            "for": [variable(v) for v in c["for"]],
            "where": cons(c["where"]),
            "given": [*map(statement, c["given"])],
        }

    def symbol(s: Json) -> Json:
        ranges = [[index(b, own=True) for b in r] for r in s["ranges"]]
        return {**s, "ranges": ranges, "derivatives": [symbols[d] for d in s["derivatives"]]}

    def definition(d: Json) -> Json:
        return {
            "name": symbols[d["name"]],
            "parameters": [variable(v) for v in d["parameters"]],
            "cases": [{"where": cons(c["where"]), "value": term(c["value"])} for c in d["cases"]],
            "measure": [index(m) for m in d["measure"]],
        }

    return {
        "format": data["format"],
        "theory": {
            "sizes": {sizes[n]: k for n, k in theory["sizes"].items()},
            "assumptions": cons(theory["assumptions"]),
            "symbols": {symbols[n]: symbol(s) for n, s in theory["symbols"].items()},
            "definitions": [[definition(d) for d in group] for group in theory["definitions"]],
            "hypotheses": {hypotheses[n]: statement(s) for n, s in theory["hypotheses"].items()},
            "directions": {
                directions[n]: {symbols[x]: symbols[dx] for x, dx in moved.items()}
                for n, moved in theory["directions"].items()
            },
        },
        "goals": [{"statement": statement(g["statement"]), "item": g["item"]} for g in data["goals"]],
        "restated": {**data["restated"], "assumptions": cons(theory["assumptions"])},
        "items": [
            {
                **i,
                "arguments": [argument(i["rule"], a) for a in i["arguments"]],
                "context": context(i["context"]),
                "claim": relation(i["claim"]),
            }
            for i in data["items"]
        ],
    }


# -- tests ----------------------------------------------------------------------------
def check(seed: int, wanted: int) -> None:
    rng = random.Random(seed)
    with queue() as asked:
        answers = []
        for what, data in theorems(seed, wanted):
            data = renamed(data, rng)
            assert fault(export(data)) == ""
            answers.append((what, asked.accept(data)))
        digests = set()
        for what, answer in answers:
            found = answer.result()
            print(f"{found.verdict} in {found.seconds:.1f} s: {what}")
            assert found.verdict == ACCEPTED, f"{what}: {found.detail}"
            assert set(found.axioms) <= ALLOWED
            digests.add(found.digest)
        assert len(digests) == wanted


@needs_coqc
def test_theorems_about_random_rules_are_accepted() -> None:
    check(seed=1, wanted=5)


@needs_coqc
@pytest.mark.slow
def test_many_theorems_about_random_rules_are_accepted() -> None:
    check(seed=2, wanted=30)
