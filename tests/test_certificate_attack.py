"""Edited and forged certificates: every one must be rejected, by a rule and not by the digest alone.

Nothing stands in one place only, so no single edit is accepted; a consistent renaming takes several.  That every rule
refuses something false is in ``test_check``.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Any

import pytest
from core import slow_outside
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pcproof.catalogue import entries
from pcproof.language.index import eq, ge, lt, qvar, size
from pcproof.language.signature import Case, Definition, Ne, Statement, Symbol, Theory
from pcproof.language.terms import ZERO, Add, App, Mul
from pcproof.proof import check
from pcproof.proof.certificate import Proof, difference
from pcproof.proof.kernel import Context, Kernel
from pcproof.tactics.prover import prove_claim

PROVED = [e.id for e in entries().values() if e.expected == "proved"]
ATTACKED = ("prediction_fixed_point", "zil", "gamma_law", "backprop_gradient", "zil_dynamics")
SHORT = (*ATTACKED, "learning_fixed_point", "zero_energy", "fixed_prediction_chain", "dag_step", "linear_solution")
SAMPLE = 60
WHOLE, MOST = ("learning_fixed_point",), int(os.environ.get("PCPROOF_EDITS", "5000"))
PIECES = 4
Edit = tuple[str, Callable[[], None], Callable[[], None]]


@cache
def text(name: str) -> str:
    return prove_claim(entries()[name].claim()).text


def document(name: str) -> Any:
    return json.loads(text(name))


def seal(doc: Any) -> Any:
    """The digest that belongs to the document."""
    body = {k: v for k, v in doc.items() if k != "digest"}
    doc["digest"] = hashlib.sha256(check.canonical(body).encode()).hexdigest()
    return doc


def verdict(doc: Any) -> dict[str, Any]:
    return check.check(check.canonical(seal(doc)).encode())


# -- every single edit -----------------------------------------------------------
def _put(holder: Any, key: Any, value: Any) -> Callable[[], None]:
    def do() -> None:
        holder[key] = value

    return do


def _all(holder: Any, value: Any) -> Callable[[], None]:
    def do() -> None:
        holder[:] = value

    return do


def _keys(holder: dict[str, Any], value: dict[str, Any]) -> Callable[[], None]:
    def do() -> None:
        holder.clear()
        holder.update(value)

    return do


def strings(x: Any) -> set[str]:
    if isinstance(x, str):
        return {x}
    parts = [*x, *x.values()] if isinstance(x, dict) else x if isinstance(x, list) else []
    return set().union(*map(strings, parts)) if parts else set()


def changes(holder: Any, key: Any, path: str, after: dict[str, list[str]]) -> Iterator[Edit]:
    """Edits of one value: an integer by one; a string to others; of a list or object its entries (deleted, repeated,
    swapped with the one before) and keys (deleted, renamed, one more)."""
    old = holder[key]
    if type(old) is int:
        for new in (old - 1, old + 1):
            yield f"{path}: {old} -> {new}", _put(holder, key, new), _put(holder, key, old)
    elif type(old) is str:
        for new in check.RULES if key == "rule" else after[old]:
            if new != old:
                yield f"{path}: {old} -> {new}", _put(holder, key, new), _put(holder, key, old)
    elif isinstance(old, list):
        was = list(old)
        for k in range(len(was)):
            yield f"{path}[{k}] deleted", _all(old, was[:k] + was[k + 1 :]), _all(old, was)
            yield f"{path}[{k}] repeated", _all(old, was[: k + 1] + was[k:]), _all(old, was)
            if k and was[k] != was[k - 1]:
                swapped = [*was[: k - 1], was[k], was[k - 1], *was[k + 1 :]]
                yield f"{path}[{k}] swapped", _all(old, swapped), _all(old, was)
    else:
        had = dict(old)
        yield f"{path}: a key more", _keys(old, {**had, "more": 0}), _keys(old, had)
        for k in had:
            left = {n: v for n, v in had.items() if n != k}
            yield f"{path}.{k} deleted", _keys(old, left), _keys(old, had)
            yield f"{path}.{k} renamed", _keys(old, {**left, k + "_": had[k]}), _keys(old, had)


def inside(holder: Any, key: Any, path: str) -> list[tuple[Any, Any, str]]:
    """The entries of a value, as changes() takes them."""
    x = holder[key]
    if isinstance(x, dict):
        return [(x, k, f"{path}.{k}") for k in x]
    return [(x, k, f"{path}[{k}]") for k in range(len(x))] if isinstance(x, list) else []


def other_strings(doc: Any) -> dict[str, list[str]]:
    """For each string two others of the document."""
    pool = sorted(strings(doc) | set(check.RULES))
    return {s: [pool[(k + n) % len(pool)] for n in (1, 2)] for k, s in enumerate(pool)}


def parts(doc: Any) -> list[tuple[Any, Any, str]]:
    return [(doc, part, part) for part in sorted(doc) if part != "digest"]


def edits(doc: Any) -> Iterator[Edit]:
    """All of them."""
    after, stack = other_strings(doc), parts(doc)[::-1]
    while stack:
        place = stack.pop()
        yield from changes(*place, after)
        stack += inside(*place)[::-1]


def sampled(doc: Any, rng: random.Random, count: int) -> Iterator[Edit]:
    """Some, at every depth of every part."""
    after = other_strings(doc)
    for _ in range(count):
        path = [rng.choice(parts(doc) + [part for part in parts(doc) if part[2] == "items"] * 6)]
        while inner := inside(*path[-1]):
            path.append(rng.choice(inner))
        found: list[Edit] = []
        while not found:
            found = list(changes(*rng.choice(path), after))
        yield rng.choice(found)


class Sweep:
    """Edits of one certificate, each judged where it can matter.

    What is said stands in full where it is said.  So an edit of an item matters in the item and in those that use it,
    and is judged there, with the checker's state as it was.  Other edits are judged as a whole; so are all that nothing
    has refused, and a sample of the others, which must be refused then too.
    """

    def __init__(self, name: str) -> None:
        self.doc = document(name)
        self.claim = entries()[name].claim()
        self.shown = printed(whole(self.doc))
        self.checker = check.Checker(seal(self.doc))
        self.checker.start()
        for row in self.doc["items"]:
            self.checker.item(row)
        self.checker.end()
        self.sequents = list(self.checker.sequents)
        self.used: list[list[int]] = [[] for _ in self.sequents]
        for n, row in enumerate(self.doc["items"]):
            for p in set(row["premises"]):
                self.used[p].append(n)
        self.terms = dict(self.checker.table), dict(self.checker.known), dict(self.checker.polynomials)

    def resume(self, n: int) -> None:
        """The checker as it was before item n."""
        c = self.checker
        c.sequents, c.places = self.sequents[:n], {}
        if len(c.table) > 10**5 + len(self.terms[0]):
            c.table, c.known, c.polynomials = map(dict, self.terms)

    def run_from(self, n: int) -> None:
        self.resume(n)
        for row in self.doc["items"][n:]:
            self.checker.item(row)

    def judge(self, what: str) -> str:
        """accepted, or the rule that refuses."""
        found = re.match(r"items\[(\d+)\](.*?):? ", what)
        k = int(found[1]) if found else 0
        try:
            if found and not found[2]:  # the list of items is another one
                self.run_from(k - (k > 0))
            elif found:
                self.resume(k)
                self.checker.item(self.doc["items"][k])
                said = self.checker.sequents[k]
                for n in self.used[k]:
                    self.resume(n)
                    self.checker.sequents[k] = said
                    self.checker.item(self.doc["items"][n])
        except check.Rejected as e:
            return e.args[1] or str(self.checker.rule)
        return verdict_of(self.doc)

    def run(self, chosen: Iterator[Edit]) -> tuple[Counter[str], list[str]]:
        """Rejections by rule; what was accepted."""
        refused: Counter[str] = Counter()
        accepted: list[str] = []
        for n, (what, do, undo) in enumerate(chosen):
            do()
            try:
                found = self.judge(what)
                if found == "accepted" or n % 499 == 0:
                    report = whole(self.doc)
                    assert report["accepted"] == (found == "accepted"), (what, found, report)
                if found == "accepted":
                    accepted.append(what)
                else:
                    refused[found] += 1
            finally:
                undo()
        assert seal(self.doc) == seal(document_of(self.doc)) and whole(self.doc)["accepted"]
        return refused, accepted


def document_of(doc: Any) -> Any:
    return json.loads(check.canonical(doc))


def whole(doc: Any) -> dict[str, Any]:
    """The report of the checker on the document with its digest put right."""
    try:
        return verdict(doc)
    except check.NotACertificate:
        return {"accepted": False, "rule": "not a certificate"}


def verdict_of(doc: Any) -> str:
    """accepted, or the rule that refuses the document with its digest put right."""
    checker = check.Checker(seal(doc))
    try:
        checker.check()
    except check.Rejected as e:
        return str(e.args[1] or checker.rule)
    return "accepted" if doc["format"] == check.FORMAT else "not a certificate"


def printed(report: dict[str, Any]) -> list[Any]:
    assert report["accepted"], report
    return [report[k] for k in ("claims", "hypotheses", "definitions", "symbols", "sizes")]


@pytest.mark.parametrize("name", slow_outside(PROVED, SHORT))
def test_single_edits(name: str) -> None:
    """A sample of each certificate; the slow test below tries more."""
    sweep = Sweep(name)
    refused, accepted = sweep.run(sampled(sweep.doc, random.Random(name), SAMPLE))
    assert not accepted and len(refused) > 5, (refused, accepted)


@cache
def sweep(name: str) -> Sweep:
    return Sweep(name)


def where_used() -> dict[str, list[tuple[str, int]]]:
    """For each rule of the catalogue's certificates some items of it, those of short certificates first."""
    out: dict[str, list[tuple[str, int]]] = {}
    for name in sorted(PROVED, key=lambda n: len(text(n))):
        for k, item in enumerate(document(name)["items"]):
            out.setdefault(item["rule"], []).append((name, k))
    return {rule: places[:3] for rule, places in out.items()}


def test_every_rule_refuses_an_edit_of_an_item_of_its_own() -> None:
    """A rule that never refuses is untested: each refuses itself, and not another part of the checker."""
    silent = []
    for rule, places in where_used().items():
        found = set()
        for name, k in places:
            s = sweep(name)
            stack, chosen = [(s.doc["items"], k, f"items[{k}]")], []
            while stack:
                place = stack.pop()
                chosen += changes(*place, other_strings(s.doc["items"][k]))
                stack += inside(*place)
            random.Random(rule).shuffle(chosen)
            for what, do, undo in chosen[:200]:
                do()
                found.add(s.judge(what))
                undo()
                if rule in found:
                    break
            if rule in found:
                break
        assert "accepted" not in found, rule
        silent += [] if rule in found else [rule]
    assert not silent, silent


def pieces(shard: str = os.environ.get("PCPROOF_SHARD", "1/1")) -> list[tuple[str, int]]:
    """Each certificate in ``PIECES``, about equal in time; of shard k/n every n-th piece, from the k-th on."""
    found = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", shard)
    if not found or int(found[1]) > int(found[2]):
        raise ValueError(f"PCPROOF_SHARD: k/n with k from 1 to n is expected, got {shard!r}")
    return [(name, k) for name in PROVED for k in range(PIECES)][int(found[1]) - 1 :: int(found[2])]


@pytest.mark.slow
@pytest.mark.parametrize("name, piece", pieces())
def test_every_single_edit(name: str, piece: int) -> None:
    """Every one of those in ``WHOLE``; of the others ``MOST`` or a few more, the same distance apart."""
    started, sweep = time.perf_counter(), Sweep(name)
    count = sum(1 for _ in edits(sweep.doc))
    step = 1 if name in WHOLE else 1 + count // MOST
    first = random.Random(name).randrange(step) + piece * step
    refused, accepted = sweep.run(islice(edits(sweep.doc), first, None, step * PIECES))
    seconds = round(time.perf_counter() - started)
    print(f"{name} {piece}: {count} edits, {sum(refused.values())} refused, {len(accepted)} accepted in {seconds} s")
    print(dict(refused.most_common()))
    assert not accepted, accepted


def test_the_pieces_of_all_shards_are_all_pieces() -> None:
    together = [p for k in (1, 2, 3) for p in pieces(f"{k}/3")]
    assert sorted(together) == sorted(pieces("1/1")) and len(together) == PIECES * len(PROVED)
    for wrong in ("", "0/3", "4/3", "1", "a/b"):
        with pytest.raises(ValueError, match="PCPROOF_SHARD"):
            pieces(wrong)


@pytest.mark.parametrize("name", ATTACKED)
def test_no_edit_survives_the_digest(name: str) -> None:
    """Left alone, the digest refuses whatever the rules might not."""
    good = json.loads(text(name))
    doc = json.loads(text(name))
    for what, do, undo in sampled(doc, random.Random(name), 25):
        do()
        with contextlib.suppress(check.NotACertificate):
            assert not check.check(check.canonical(doc).encode())["accepted"], what
        undo()
    assert doc == good
    doc["digest"] = "0" * 64
    assert check.check(check.canonical(doc).encode())["rule"] == "digest"


# -- items: deleted, swapped, repeated, redirected, with all numbers kept right --------------
def renumbered(doc: Any, order: list[int]) -> Any:
    """The items in another order (some left out, some twice), with premises and goals following."""
    new = copy.deepcopy(doc)
    place = {old: k for k, old in reversed(list(enumerate(order)))}
    new["items"] = [copy.deepcopy(doc["items"][old]) for old in order]
    for item in new["items"]:
        item["premises"] = [place.get(p, 0) for p in item["premises"]]
    for goal in new["goals"]:
        goal["item"] = place.get(goal["item"], 0)
    return new


@pytest.mark.parametrize("name", slow_outside(PROVED, SHORT))
def test_items_deleted_or_repeated_with_numbers_put_right(name: str) -> None:
    """Put in another order, each after what it needs, they would still be the same proof: numbers renamed."""
    doc = document(name)
    every = list(range(len(doc["items"])))
    for k in every[:: 1 + len(every) // 12] if name in ATTACKED[:2] else random.Random(name).sample(every, 1):
        assert not verdict(renumbered(doc, every[:k] + every[k + 1 :]))["accepted"], k
        assert not verdict(renumbered(doc, every[: k + 1] + every[k:]))["accepted"], k
        assert not verdict(renumbered(doc, [*every, k]))["accepted"], k


def test_a_goal_that_is_not_what_was_proved() -> None:
    doc = document("zil")
    for key in ("where", "for"):
        changed = copy.deepcopy(doc)
        changed["goals"][0]["statement"][key].pop()
        assert not verdict(changed)["accepted"]
    changed = copy.deepcopy(doc)
    changed["goals"][0]["statement"]["holds"].reverse()
    assert not verdict(changed)["accepted"]


def test_a_consistent_renaming_is_another_statement_and_is_shown() -> None:
    """Renamed everywhere, the proof holds; what is printed has the new name, and ``--against`` refuses."""
    doc = json.loads(text("zil").replace('"alpha"', '"beta"'))
    claim = entries()["zil"].claim()
    report = verdict(doc)
    if report["accepted"]:
        assert any("beta" in line for line in report["definitions"])
    assert "beta" in difference(doc, claim.theory, claim.goals)


# -- text that is no certificate, or none that may be read ------------------------------------
def answer(data: bytes) -> str:
    """accepted, the rule that rejects, or not a certificate; anything else is an error of the checker."""
    try:
        report = check.check(data)
    except check.NotACertificate:
        return "not a certificate"
    return "accepted" if report["accepted"] else str(report["rule"])


GOOD = text("prediction_fixed_point").encode()


def sealed(data: bytes) -> bytes:
    return check.canonical(seal(json.loads(data))).encode()


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"", "not a certificate"),
        (b"\xff\xfe{}", "not a certificate"),
        (b"[]", "not a certificate"),
        (b"{}", "not a certificate"),
        (b'{"format":1}', "not a certificate"),
        (b'{"format":"pcproof-certificate-0"}', "not a certificate"),
        (GOOD[:-2], "not a certificate"),
        (GOOD[:-1], "canonical"),
        (GOOD + b"\n", "canonical"),
        (GOOD.replace(b",", b", ", 1), "canonical"),
        (GOOD.replace(b'"format":"', b'"format":"\\u0070', 1).replace(b"\\u0070p", b"\\u0070", 1), "canonical"),
        (GOOD.replace(b'{"digest":', b'{"digest":"","digest":', 1), "canonical"),
        (GOOD.replace(b'"item":', b'"item":0,"item":', 1), "canonical"),
        (sealed(GOOD.replace(b":0,", b":0.0,", 1)), "theory"),
        (sealed(GOOD.replace(b":0,", b":NaN,", 1)), "theory"),
        (sealed(GOOD.replace(b":0,", b":Infinity,", 1)), "theory"),
        (GOOD.replace(b":0,", b":1e5,", 1), "canonical"),
        (sealed(GOOD.replace(b":0,", b":" + b"9" * 30 + b",", 1)), "theory"),
        (GOOD.replace(b":0,", b":" + b"9" * 5000 + b",", 1), "not a certificate"),
        (GOOD.replace(b":0,", b":" + b"[" * 200 + b"]" * 200 + b",", 1), "limit"),
        (b"[" * 10**6, "limit"),
        (b'{"a":' * 10**5, "limit"),
        (b" " * (check.MAX_BYTES + 1), "limit"),
    ],
)
def test_text_that_is_refused(data: bytes, wanted: str) -> None:
    assert answer(data) == wanted


def small(t: Any, **more: Any) -> Any:
    """t = t for a term."""
    nowhere: Any = {"for": [], "where": [], "given": []}
    doc = {
        "format": check.FORMAT,
        "theory": {
            "sizes": {},
            "assumptions": [],
            "symbols": {},
            "definitions": [],
            "hypotheses": {},
            "directions": {},
        },
        "goals": [{"statement": {"for": [], "where": [], "holds": ["eq", t, t]}, "item": 0}],
        "restated": {"assumptions": [], "goals": [0]},
        "items": [{"rule": "refl", "arguments": [], "premises": [], "context": nowhere, "claim": ["eq", t, t]}],
    }
    return {**doc, **more}


def nested(depth: int, op: str = "inv") -> Any:
    t: Any = ["num", "2"]
    for _ in range(depth):
        t = [op, t]
    return t


def test_terms_that_are_deep_wide_or_large() -> None:
    assert verdict(small(["num", "2"]))["accepted"]
    assert verdict(small(nested(50)))["accepted"]
    for depth in (check.MAX_NESTING - 3, check.MAX_NESTING, 400):
        assert verdict(small(nested(depth)))["rule"] == "limit"
    power = ["mul", *[["add", *(["inv", ["num", str(k + 2)]] for k in range(20))]] * 12]  # 20^12 monomials
    ring = small(power)
    ring["items"][0].update(rule="ring", claim=["eq", ["add", power], power])
    ring["goals"][0]["statement"]["holds"] = ["eq", ["add", power], power]
    assert verdict(ring)["rule"] == "limit"
    assert verdict(small(["add", *[["num", "2"]] * 100_000]))["rule"] == "limit"


NO_TERMS: list[Any] = [
    *(["num", x] for x in ("1/0", "2/4", "1.5", "-0", "07", "\u0663", "9" * 500, "f()", "", " 1", 1, None)),
    ["var", "x"], ["app", "x", [], []], [], ["iverson", ["ge", [True]]], ["pow", ["num", "1"], [0, [1, "bound", 0]]],
    {"num": "1"}, "num", None, ["num"], ["num", "1", "1"], ["add", True], ["add", -1], ["add", 0], ["add", "0"],
    [["num"], "1"], ["inv"], ["inv", ["num", "1"], ["num", "1"]],
]  # fmt: skip


@pytest.mark.parametrize("row", NO_TERMS, ids=str)
def test_terms_that_are_none(row: Any) -> None:
    assert not verdict(small(row))["accepted"]


def test_names_cannot_imitate_text() -> None:
    """A name that looks like a formula or like the end of a report stands in quotation marks."""
    parameter = {"arity": 0, "ranges": [], "derivatives": []}
    doc = small(["app", "x\n0 = 1", [], []])
    doc["theory"]["symbols"] = {"x\n0 = 1": parameter}
    report = verdict(doc)
    assert report["accepted"] and "\n" not in "".join(report["claims"]) and report["claims"][0].startswith('"x\\n0')


# -- noise -----------------------------------------------------------------------------------
def places(x: Any) -> list[tuple[Any, Any]]:
    """Everything that can be replaced: (holder, key)."""
    keys = list(x) if isinstance(x, dict) else list(range(len(x))) if isinstance(x, list) else []
    return [(x, k) for k in keys] + [p for k in keys for p in places(x[k])]


def _small() -> Any:
    """A certificate of a few items, so that many can be read."""
    n, l, j, a, y = size("n"), qvar("l"), qvar("j"), App("a"), App("y", (qvar("l"),))
    recursion = Definition("y", ("l",), (Case((eq(l, 0),), a), Case((ge(l, 1),), Mul(a, App("y", (l - 1,))))), (l,))
    symbols = {s.name: s for s in (Symbol("a", "parameter"), Symbol("y", "defined", 1))}
    nonzero = {"nonzero": Statement((), (), Ne(a, ZERO))}
    k = Kernel(Theory({"n": 0}, (ge(n, 1),), symbols, ((recursion,),), nonzero, {}))
    inner = k.ring(Context(("j",), (ge(j, 0), lt(j, n))), Add(App("y", (j,)), ZERO), App("y", (j,)))
    total = k.sum_congruence(Context(), n, "j", inner)
    here = Context(("l",), (ge(l, 1),))
    step = k.trans(k.unfold(here, y, 1), k.ring(here, Mul(a, App("y", (l - 1,))), Mul(App("y", (l - 1,)), a)))
    goals = (total, step, k.inverse(k.hypothesis(Context(), "nonzero", {})))
    return json.loads(Proof(k, goals, {}).text)


SMALL = _small()
PLACES = places(SMALL)
WORDS = sorted(strings(SMALL) | set(check.RULES))
LEAF = st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3) | st.sampled_from(WORDS)
VALUES = (
    LEAF
    | st.lists(LEAF, max_size=3)
    | st.lists(st.lists(LEAF, max_size=3), max_size=2)
    | st.just({})
    | st.just({"for": []})
)
TEXT = check.canonical(SMALL).encode()
CUTS = st.lists(
    st.tuples(st.integers(0, len(TEXT) - 1), st.integers(0, 3), st.binary(max_size=3)), min_size=1, max_size=3
)
NOISE = st.one_of(
    st.binary(max_size=60),
    CUTS,
    *[st.tuples(st.integers(0, len(PLACES) - 1), VALUES, st.integers(0, 4))] * 4,
)


def _noise(noise: Any) -> bytes:
    """Some bytes, or the small certificate with some bytes or one value changed (and the digest put right, or not)."""
    if isinstance(noise, bytes):
        return noise
    if isinstance(noise, list):
        base = bytearray(TEXT)
        for at, length, new in noise:
            base[at : at + length] = new
        return bytes(base)
    (holder, key), value, sealed = PLACES[noise[0]], *noise[1:]
    old, digest = holder[key], SMALL["digest"]
    holder[key] = value
    try:
        return check.canonical(seal(SMALL) if sealed else SMALL).encode()
    finally:
        holder[key] = old
        SMALL["digest"] = digest


def _fuzz(inputs: int) -> None:
    """Twenty inputs an example."""
    found: Counter[str] = Counter()

    @settings(
        max_examples=inputs // 20, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.lists(NOISE, min_size=20, max_size=20))
    def run(many: list[Any]) -> None:
        found.update(answer(_noise(noise)) for noise in many)

    run()
    print(dict(found.most_common()))
    assert sum(found.values()) >= inputs * 0.9, found
    # the noise gets past the front door: to the digest, the theory, the items and the goals
    assert {"not a certificate", "digest", "theory", "item", "goal"} <= set(found), found


def test_noise_is_rejected_cleanly() -> None:
    _fuzz(2_000)


@pytest.mark.slow
def test_much_noise_is_rejected_cleanly() -> None:
    _fuzz(120_000)
