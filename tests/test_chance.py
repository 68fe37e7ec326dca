"""The prover and the refuter attacked by chance: random rules against an independent simulator."""

from __future__ import annotations

import ast
import json
import random
import re
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from chance import INGREDIENTS, RECIPES, rules, text
from hypothesis import HealthCheck, given, settings
from test_hostile import check as first_difference
from test_hostile import mine, random_net, rebuilt, run, theirs

from pcproof import prove
from pcproof.language.terms import App, subterms
from pcproof.rules.equations import RuleError

NETS = 12  # exact instances against which a proof is held
DEPTHS = (1, 2, 3, 4, 5, 7)
SHARDS = 16  # of the long test: pytest -m slow -n 16 -k two_thousand tests/test_chance.py
DRAWN = 3600


@dataclass
class Tally:
    """Verdicts by chance; an unknown one is told by whether the simulator knows a difference."""

    verdicts: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    unknown: list[str] = field(default_factory=list)
    instances: int = 0
    seconds: list[float] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def share(self) -> float:
        return self.verdicts["unknown"] / max(1, sum(self.verdicts.values()))

    def as_dict(self) -> dict[str, object]:
        """Counts, for the sum over shards that conftest prints."""
        counts = {"verdicts": self.verdicts, "unknown": self.kinds, "refused": self.refused}
        return {**counts, "rules": self.unknown, "seconds": sum(self.seconds), "longest": max(self.seconds, default=0)}

    def __str__(self) -> str:
        n = sum(self.verdicts.values())
        counts = ", ".join(f"{v} {k}" for k, v in sorted(self.verdicts.items()))
        lines = [f"{n} rules: {counts}; unknown {100 * self.share():.1f} %; {self.instances} exact instances of proofs"]
        lines += [f"  unknown, {k}: {v}" for k, v in self.kinds.most_common()]
        lines += [f"    {' | '.join(departures(s))}" for s in self.unknown]
        lines += [f"  refused, {k}: {v}" for k, v in self.refused.most_common()]
        return "\n".join(lines)


def reason(result) -> str:
    """Where the proof of an unknown stopped: what the tactic said, or the symbols of the goal that is left open."""
    if result.open_goal is None or result.note:
        return re.sub(r"[0-9]+", "n", result.note)[:80] or "no tactic applies"
    sides = (result.open_goal.lhs, result.open_goal.rhs)
    words = {s.name for side in sides for s in subterms(side) if isinstance(s, App)}
    known = [n for n in ("x", "theta", "mu", "eps", "y", "delta") if n in words]
    others = ["parameters"] * bool(words - set(known) - {"f", "df", "s_in", "s_out", "w"})
    return "open goal about " + (", ".join(known + others) or "numbers")


def departures(source: str) -> list[str]:
    """What a rule has that the usual one has not."""
    usual = set(re.split(r"[\n]|, (?=when|order|held)", text({})))
    return [part.strip() for part in re.split(r"[\n]|, (?=when|order|held)", source) if part not in usual]


def differs(source: str, nets: int) -> tuple[bool, int]:
    """Does the simulator find a difference from backprop at random exact networks?  And how many it looked at."""
    own, looked = mine(source), 0
    rng = random.Random(zlib.crc32(source.encode()))
    for k in range(3 * nets):
        try:
            found = first_difference(
                random_net(rng, "bias=True" in source.splitlines()[0], DEPTHS[k % len(DEPTHS)]), own
            )
        except ZeroDivisionError:
            continue  # what the rule divides by is 0: the hypotheses do not hold here
        looked += 1
        if found is not None:
            return True, looked
        if looked == nets:
            break
    return False, looked


def confirm(source: str, c) -> None:
    """A counterexample, run by the simulator: both sides as printed, and not equal."""
    own = mine(source)
    net, at = rebuilt(c)
    assert at["t"] > own.when(net, at["l"]), source
    hist, dw, dc = run(net, own, at["t"])[:3]
    if c.goal == 0:
        k = (at["l"], at["i"], at["j"])
        now, old, change = (a[k[0]][k[1]][k[2]] for a in (hist[-1][0], net.w, dw))
    else:
        now, old, change = (a[at["l"]][at["i"]] for a in (hist[-1][1], net.c, dc))
    assert (now, old + change) == (c.lhs, c.rhs) and now != old + change, source


def judge(source: str, tally: Tally) -> str:
    """The verdict on a rule, held against the simulator."""
    try:
        claim = theirs(source).equals_backprop()
    except RuleError as e:
        tally.refused[str(e)[:60]] += 1
        return "refused"
    if source in tally.seen:
        return "again"
    started = time.perf_counter()
    result = prove(claim)
    tally.seconds.append(time.perf_counter() - started)
    if result.verdict == "proved":
        different, looked = differs(source, NETS)
        assert not different, f"PROVED, and differs from backprop:\n{source}"
        assert looked >= NETS // 2, f"hardly any network meets the hypotheses:\n{source}"
        tally.instances += looked
    elif result.verdict == "refuted":
        confirm(source, result.counterexample)
    else:
        different, _ = differs(source, 4 * NETS)
        tally.kinds[f"{'a counterexample exists' if different else 'no difference is known'}; {reason(result)}"] += 1
        tally.unknown.append(source)
    tally.verdicts[result.verdict] += 1
    tally.seen.add(source)
    return result.verdict


def owner(source: str) -> int:
    """The shard that judges a rule."""
    return zlib.crc32(source.encode()) % SHARDS


def draw(count: int, most: int, use: Callable[[str], object]) -> None:
    """``count`` rules by chance, the same ones every time; a failing one is shrunk by hypothesis."""

    @settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))
    @given(rules(most))
    def one(source: str) -> None:
        use(source)

    one()


def attack(count: int, most: int = 4, shard: int | None = None) -> Tally:
    """Verdicts on ``count`` rules by chance, or on those of one shard."""
    tally = Tally()
    draw(count, most, lambda source: judge(source, tally) if shard is None or owner(source) == shard else None)
    print(tally)
    return tally


def test_rules_by_chance():
    tally = attack(60)
    n = sum(tally.verdicts.values())
    assert n >= 45 and tally.verdicts["proved"] >= n // 12 and tally.verdicts["refuted"] >= n // 4
    assert tally.share() <= 0.2, "\n".join(tally.unknown)


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(SHARDS))
def test_two_thousand_rules_by_chance(shard, record_property):
    """Every shard draws the same rules and judges those whose checksum is its own: no rule is judged twice."""
    tally = attack(DRAWN, shard=shard)
    record_property("chance", json.dumps(tally.as_dict()))
    assert sum(tally.verdicts.values()) >= 2000 / SHARDS
    assert tally.share() <= 0.2, "\n".join(tally.unknown)


def test_shards_share_the_rules_out():
    """Together they judge what one alone would judge, each rule once."""
    alone: list[str] = []
    draw(120, 4, alone.append)
    parts: list[list[str]] = [[] for _ in range(SHARDS)]
    for n, part in enumerate(parts):
        draw(120, 4, lambda source, n=n, part=part: part.append(source) if owner(source) == n else None)
    assert sorted(x for part in parts for x in part) == sorted(alone)
    assert sum(map(bool, parts)) > SHARDS // 2


def test_every_ingredient_is_understood_by_itself():
    """Alone, each ingredient gives a rule (or is refused in one sentence), and the simulator agrees on it."""
    tally = Tally()
    for name, values in INGREDIENTS.items():
        for value in values:
            judge(text({name: value}), tally)
    print(tally)
    assert tally.share() <= 0.2


@pytest.mark.parametrize("recipe", RECIPES[:4])
def test_recipes_are_backprop(recipe):
    assert judge(text(recipe), Tally()) == "proved"


# -- the words of rules/products ---------------------------------------------------------
def test_written_out_by_hand_it_is_the_gradient():
    """The kernel proves that the hand-written step and change are those of the energy; with a flip it does not."""
    from pcproof.api import proved_by_kernel
    from pcproof.language.terms import ONE
    from pcproof.rules.claims import dynamics, plasticity

    hand = {"step": INGREDIENTS["step"][2], "change": INGREDIENTS["change"][2]}
    right = theirs(text(hand)).equations
    assert proved_by_kernel(dynamics(right, ONE)) and proved_by_kernel(plasticity(right))
    for step in INGREDIENTS["step"][3:6]:
        assert not proved_by_kernel(dynamics(theirs(text(hand | {"step": step})).equations, ONE))
    for change in INGREDIENTS["change"][4:6]:
        assert not proved_by_kernel(plasticity(theirs(text(hand | {"change": change})).equations))


WRONG = {
    "back(theta[l], eps[l])": "a matrix of layer l and a quantity of layer l - 1",
    "back(x[l], eps[l - 1])": "takes a matrix such as theta[l]",
    "back(theta[l], theta[l - 1])": "a quantity of the units of a layer",
    "back(theta[l], 3)": "a quantity of the units of a layer",
    "outer(eps[l], x[l])": "layers l - 1 and l",
    "outer(eps[l], 1)": "a quantity of the units of a layer",
    "act(theta[l])": "a quantity of the units of a layer",
    "slope(gamma)": "a quantity of the units of a layer",
    'matrix(net, "theta")': "already has a meaning",
    'matrix(net, "a b")': "identifier",
}


@pytest.mark.parametrize("word", WRONG)
@pytest.mark.parametrize("made", ["MLP()"])
def test_words_out_of_place_are_refused_in_one_sentence(word, made):
    with pytest.raises(RuleError, match=re.escape(WRONG[word])) as caught:
        theirs(text({}).replace("start =", f"wrong = {word}\nstart ="))
    assert len(str(caught.value)) < 200 and "\n" not in str(caught.value)


def test_a_chain_of_layers_has_no_matrix():
    from pcproof import Chain
    from pcproof.rules.products import act, matrix

    net = Chain()
    for use in (lambda: act(net.symbols("x")[net.symbols("l")]), lambda: matrix(net, "R")):
        with pytest.raises(RuleError, match="fully connected"):
            use()


# -- nothing knows a rule by its name ------------------------------------------------------
def rule_names() -> set[str]:
    from pcproof import rules as built_in

    return {n for n in built_in.__all__ if n.islower()} | {"zil", "song", "whittington", "millidge"}


def test_prover_and_refuter_mention_no_rule():
    """No string and no name in their code is that of a rule; a script that a claim brings may be called after one."""
    import pcproof

    root = Path(pcproof.__file__).parent
    files = [p for d in ("refute", "tactics", "proof", "language") for p in sorted((root / d).glob("*.py"))]
    files += [root / "api.py", root / "result.py"]
    names, looked = rule_names(), 0
    assert {"fazil", "incremental", "fixed_prediction"} <= names
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            found = {
                ast.Name: lambda n: n.id,
                ast.Attribute: lambda n: n.attr,
                ast.FunctionDef: lambda n: n.name,
                ast.ClassDef: lambda n: n.name,
                ast.arg: lambda n: n.arg,
                ast.Constant: lambda n: n.value if isinstance(n.value, str) and len(n.value) < 60 else "",
            }.get(type(node), lambda n: "")(node)
            looked += bool(found)
            words = set(re.split(r"[^a-z0-9]+", found.lower())) | {found.lower()}
            assert not words & names, f"{path.name} mentions {words & names}"
    assert looked > 5000


@pytest.mark.parametrize("name", sorted(rule_names()))
def test_a_name_decides_nothing(name):
    for parts, verdict in (({}, "proved"), ({"rate": "2"}, "refuted")):
        source = text(parts).replace('order="', f'name="{name}", order="')
        result = prove(theirs(source).equals_backprop())
        assert result.verdict == verdict


# -- the judge itself is seen to fail ---------------------------------------------------------
def test_a_lying_prover_is_caught(monkeypatch):
    class Lie:
        verdict = "proved"

    monkeypatch.setitem(globals(), "prove", lambda claim: Lie())
    for parts in ({"step_size": '"1/2"'}, {"moment": "l + 1"}, {"order": "states-first-fresh"}, {"moment": "5"}):
        with pytest.raises(AssertionError, match="PROVED, and differs"):
            judge(text(parts), Tally())
    assert judge(text({}), Tally()) == "proved"  # this one is true


def test_a_forged_counterexample_is_caught():
    source = text({"step_size": '"1/2"'})
    c = prove(theirs(source).equals_backprop()).counterexample
    confirm(source, c)
    for forged in (replace(c, lhs=c.lhs + 1), replace(c, rhs=c.lhs)):
        with pytest.raises(AssertionError):
            confirm(source, forged)
    with pytest.raises(AssertionError):
        confirm(text({}), c)  # of another rule
