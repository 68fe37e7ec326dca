"""Edited and forged certificates: every one must be rejected, by a rule and not by the digest alone.

An accepted edit is no forgery.  It makes another theory or statement for which the proof holds; what is printed then
changes with it, and ``check --against`` refuses it by name (``difference``).  Or it writes a term on the way otherwise.
That every rule refuses something false is in ``test_check``.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
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
SAMPLE = 60
WHOLE = {"learning_fixed_point": 1, "prediction_fixed_point": 1}
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


def edits(doc: Any) -> Iterator[Edit]:
    """Integers by one; strings to others; entries deleted, repeated, swapped; keys deleted, added, renamed."""
    body = {k: v for k, v in doc.items() if k != "digest"}
    pool = sorted(strings(body) | set(check.RULES))
    after = {s: [pool[(k + n) % len(pool)] for n in (1, 2)] for k, s in enumerate(pool)}

    def value(holder: Any, key: Any, path: str) -> Iterator[Edit]:
        old = holder[key]
        if type(old) is int:
            for new in (old - 1, old + 1):
                yield f"{path}: {old} -> {new}", _put(holder, key, new), _put(holder, key, old)
        elif type(old) is str:
            for new in check.RULES if key == "rule" else after[old]:
                if new != old:
                    yield f"{path}: {old} -> {new}", _put(holder, key, new), _put(holder, key, old)
        else:
            yield from inside(old, path)

    def inside(x: Any, path: str) -> Iterator[Edit]:
        if isinstance(x, list):
            was = list(x)
            for k in range(len(was)):
                yield f"{path}[{k}] deleted", _all(x, was[:k] + was[k + 1 :]), _all(x, was)
                yield f"{path}[{k}] repeated", _all(x, was[: k + 1] + was[k:]), _all(x, was)
                if k and was[k] != was[k - 1]:
                    yield (
                        f"{path}[{k}] swapped",
                        _all(x, [*was[: k - 1], was[k], was[k - 1], *was[k + 1 :]]),
                        _all(x, was),
                    )
            for k in range(len(was)):
                yield from value(x, k, f"{path}[{k}]")
        else:
            had = dict(x)
            yield f"{path}: a key more", _keys(x, {**had, "more": 0}), _keys(x, had)
            for k in had:
                left = {n: v for n, v in had.items() if n != k}
                yield f"{path}.{k} deleted", _keys(x, left), _keys(x, had)
                yield f"{path}.{k} renamed", _keys(x, {**left, k + "_": had[k]}), _keys(x, had)
            for k in had:
                yield from value(x, k, f"{path}.{k}")

    for part in body:
        yield from value(doc, part, part)


class Sweep:
    """Every edit of one certificate, each judged from the first item on that it can touch.

    What comes before that item is as in the good certificate, so the state of the checker there is kept (contexts,
    sequents, terms) and taken up again.  An edit of theory, goals or the terms that these use is judged as a whole;
    so are all edits that are accepted, and a sample of the others, which must be refused by the same rule.
    """

    def __init__(self, name: str) -> None:
        self.doc = document(name)
        self.claim = entries()[name].claim()
        self.shown = printed(whole(self.doc))
        self.checker = check.Checker(seal(self.doc))
        self.checker.start()
        self.states = [self.state()]
        for row in self.doc["items"]:
            self.checker.item(row)
            self.states.append(self.state())
        self.checker.end()
        self.rows, self.numbers = list(self.checker.rows), dict(self.checker.numbers)
        self.table, self.polynomials = dict(self.checker.table), dict(self.checker.polynomials)
        self.parts = [{self.numbers[p] for p in t.parts} for t in self.rows]

    def state(self) -> tuple[Any, ...]:
        c = self.checker
        used = {k: set(v) for k, v in c.used.items()}
        return c.next, list(c.contexts), dict(c.places), list(c.sequents), set(c.premises), used

    def resume(self, n: int) -> None:
        c = self.checker
        c.next, contexts, places, sequents, premises, used = self.states[n]
        c.contexts, c.places, c.sequents = list(contexts), dict(places), list(sequents)
        c.premises, c.used = set(premises), {k: set(v) for k, v in used.items()}
        c.rows, c.numbers = self.rows, self.numbers
        if len(c.table) > 10**6:
            c.table, c.polynomials = dict(self.table), dict(self.polynomials)

    def reread(self, k: int, moved: bool) -> None:
        """The table of terms after an edit of row k (``moved``: of the table)."""
        c = self.checker
        c.rows, c.numbers, other = self.rows[:k], {t: n for n, t in enumerate(self.rows[:k])}, {k}
        for n, row in enumerate(self.doc["terms"][k:], k):
            c.rule = "term"
            if moved or n == k or self.parts[n] & other:
                other.add(n)
                c.rows.append(c.term(row))
            else:
                c.rows.append(self.rows[n])
            check.need(c.numbers.setdefault(c.rows[n], n) == n, "a term stands twice", "canonical")

    def first(self, what: str) -> tuple[int | None, int | None, bool]:
        """The item from which on an edit matters (None: judge all), the row of terms that it changes, the table?"""
        found = re.match(r"(items|contexts|terms)\[(\d+)\](.*)", what)
        if not found:
            return None, None, False
        k, moved = int(found[2]), found[3] in (" deleted", " repeated", " swapped")
        k -= found[3] == " swapped"
        if found[1] == "items":
            return k, None, moved
        if found[1] == "contexts":
            return max(n for n, s in enumerate(self.states) if len(s[1]) <= k), None, moved
        if k < self.states[0][0]:
            return None, None, moved
        return max(n for n, s in enumerate(self.states) if s[0] <= k), k, moved

    def judge(self, what: str) -> str:
        """accepted, or the rule that refuses."""
        n, row, moved = self.first(what)
        if n is None:
            return verdict_of(self.doc)
        self.resume(n)
        try:
            if row is not None:
                self.reread(row, moved)
            for item in self.doc["items"][n:]:
                self.checker.item(item)
            self.checker.end()
        except check.Rejected as e:
            return e.args[1] or str(self.checker.rule)
        return "accepted"

    def run(self, stride: int, of_theory: int) -> tuple[Counter[str], list[tuple[str, str]]]:
        """Rejections by rule; what was accepted, and the difference that ``--against`` names."""
        refused: Counter[str] = Counter()
        accepted: list[tuple[str, str]] = []
        for n, (what, do, undo) in enumerate(edits(self.doc)):
            if n % stride or (n % of_theory and self.first(what)[0] is None):
                continue
            do()
            try:
                found = self.judge(what)
                if found == "accepted" or n % 499 == 0:
                    report = whole(self.doc)
                    assert found == ("accepted" if report["accepted"] else report["rule"]), (what, found, report)
                if found == "accepted":
                    other = difference(self.doc, self.claim.theory, self.claim.goals)
                    assert bool(other) == (printed(report) != self.shown), what
                    accepted.append((what, other))
                else:
                    refused[found] += 1
            finally:
                undo()
        assert seal(self.doc) == seal(document_of(self.doc))
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
    try:
        check.Checker(seal(doc)).check()
    except check.Rejected as e:
        return str(e.args[1])
    return "accepted" if doc["format"] == check.FORMAT else "not a certificate"


def printed(report: dict[str, Any]) -> list[Any]:
    assert report["accepted"], report
    return [report[k] for k in ("claims", "hypotheses", "definitions", "symbols", "sizes")]


@cache
def opened(name: str) -> Sweep:
    return Sweep(name)


def _judge(refused: Counter[str], accepted: list[tuple[str, str]]) -> None:
    """What is accepted states something else, which is printed and which ``--against`` names (``Sweep`` has compared).

    But for the form of a term between two steps, such as the order of its factors: the statement is then the same.
    """
    count = sum(refused.values()) + len(accepted)
    same = [what for what, other in accepted if not other]
    assert all(re.match(r"terms\[", what) for what in same), same
    assert len(accepted) <= 3 + count // 30 and len(same) <= 2 + count // 200, accepted
    assert len(refused) > 5


@pytest.mark.parametrize("name", PROVED)
def test_single_edits(name: str) -> None:
    """A sample of each catalogue certificate; every edit in the slow test below."""
    doc = document(name)
    count = sum(1 for _ in edits(doc))
    _judge(*opened(name).run(count // SAMPLE | 1, count // 8 | 1))


@pytest.mark.slow
@pytest.mark.parametrize("name", PROVED)
def test_every_single_edit(name: str) -> None:
    """Of items, contexts and terms every edit; of theory and goals (and the terms they use) every one in ``WHOLE``."""
    started = time.perf_counter()
    refused, accepted = Sweep(name).run(1, WHOLE.get(name, 7))
    print(name, sum(refused.values()), "refused", len(accepted), "accepted", round(time.perf_counter() - started), "s")
    print(dict(refused.most_common()))
    print("\n".join(f"  {what}: {other}" for what, other in accepted))
    print("rules that refused nothing:", {item["rule"] for item in document(name)["items"]} - set(refused))
    _judge(refused, accepted)


@pytest.mark.parametrize("name", ATTACKED)
def test_no_edit_survives_the_digest(name: str) -> None:
    """Left alone, the digest refuses whatever the rules might not."""
    good = json.loads(text(name))
    doc = json.loads(text(name))
    count = sum(1 for _ in edits(doc))
    for n, (what, do, undo) in enumerate(edits(doc)):
        if n % (count // 25):
            continue
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


@pytest.mark.parametrize("name", ("prediction_fixed_point", "zil"))
def test_items_deleted_or_repeated_with_numbers_put_right(name: str) -> None:
    doc = document(name)
    every = list(range(len(doc["items"])))
    for k in every[:: 1 + len(every) // 12]:
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
        (GOOD.replace(b'{"contexts":', b'{"contexts":[],"contexts":', 1), "canonical"),
        (GOOD.replace(b'"item":', b'"item":0,"item":', 1), "canonical"),
        (sealed(GOOD.replace(b":0,", b":0.0,", 1)), "item"),
        (sealed(GOOD.replace(b":0,", b":NaN,", 1)), "item"),
        (sealed(GOOD.replace(b":0,", b":Infinity,", 1)), "item"),
        (GOOD.replace(b":0,", b":1e5,", 1), "canonical"),
        (sealed(GOOD.replace(b":0,", b":" + b"9" * 30 + b",", 1)), "item"),
        (GOOD.replace(b":0,", b":" + b"9" * 5000 + b",", 1), "not a certificate"),
        (GOOD.replace(b":0,", b":" + b"[" * 100 + b"]" * 100 + b",", 1), "limit"),
        (b"[" * 10**6, "limit"),
        (b'{"a":' * 10**5, "limit"),
        (b" " * (check.MAX_BYTES + 1), "limit"),
    ],
)
def test_text_that_is_refused(data: bytes, wanted: str) -> None:
    assert answer(data) == wanted


def small(terms: list[Any], **more: Any) -> Any:
    """t = t for the last of some terms."""
    last = len(terms) - 1
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
        "goals": [{"statement": {"for": [], "where": [], "holds": ["eq", last, last]}, "item": 0}],
        "contexts": [{"for": [], "where": [], "given": []}],
        "terms": terms,
        "items": [{"rule": "refl", "arguments": [], "premises": [], "context": 0, "claim": ["eq", last, last]}],
    }
    return {**doc, **more}


def test_terms_that_are_deep_wide_or_large() -> None:
    assert verdict(small([["num", "2"]]))["accepted"]
    deep = [["num", "2"], *(["inv", k] for k in range(50_000))]
    assert verdict(small(deep))["rule"] == "limit"
    doubled = [["num", "2"], *(["mul", k, k] for k in range(100))]  # a tree of 2^100 leaves
    assert verdict(small(doubled))["rule"] == "limit"
    last = len(doubled) - 1
    ring = small([*doubled, ["add", last]])
    ring["items"][0].update(rule="ring", claim=["eq", last + 1, last])
    ring["goals"][0]["statement"]["holds"] = ["eq", last + 1, last]
    assert not verdict(ring)["accepted"]
    wide = [["num", "2"], ["add", *[0] * 200_000]]
    assert verdict(small(wide))["rule"] == "limit"
    loop = [["add", 1], ["add", 0]]
    assert verdict(small(loop))["rule"] == "term"


NO_TERMS: list[Any] = [
    *(["num", x] for x in ("1/0", "2/4", "1.5", "-0", "07", "\u0663", "9" * 500, "f()", "", " 1", 1, None)),
    ["var", "x"], ["app", "x", [], []], [], ["iverson", ["ge", [True]]], ["pow", 0, [0, [1, "bound", 0]]], {"num": "1"},
    "num", None, ["num"], ["num", "1", "1"], ["add", True], ["add", -1], ["add", 0], ["add", "0"], [["num"], "1"],
]  # fmt: skip


@pytest.mark.parametrize("row", NO_TERMS, ids=str)
def test_terms_that_are_none(row: Any) -> None:
    assert not verdict(small([row]))["accepted"]


def test_names_cannot_imitate_text() -> None:
    """A name that looks like a formula or like the end of a report stands in quotation marks."""
    parameter = {"kind": "parameter", "arity": 0, "ranges": [], "derivatives": []}
    doc = small([["app", "x\n0 = 1", [], []]])
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
    assert sum(found.values()) >= inputs * 0.9 and len(found) > 8, found


def test_noise_is_rejected_cleanly() -> None:
    _fuzz(2_000)


@pytest.mark.slow
def test_much_noise_is_rejected_cleanly() -> None:
    _fuzz(120_000)
