"""Edited and forged certificates: every one must be rejected, by a rule and not by the digest alone.

An accepted edit is no forgery in two cases only, which ``harmless`` tells apart:
what is printed changes with it (another theory, honestly shown, which
``check --against`` refuses), or the proof is another proof of the same claim.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pcproof.catalogue import entries
from pcproof.proof import check
from pcproof.proof.certificate import difference
from pcproof.tactics.prover import prove_claim

ATTACKED = ("prediction_fixed_point", "zil", "gamma_law", "backprop_gradient", "zil_dynamics")
STRIDE = 37
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


def sweep(name: str, stride: int = 1, offset: int = 0) -> tuple[Counter[str], list[tuple[str, bool]]]:
    """Rejections by rule, and what was accepted: (edit, is something else printed and stated?)."""
    doc = document(name)
    claim = entries()[name].claim()
    shown = printed(verdict(doc))
    refused: Counter[str] = Counter()
    accepted: list[tuple[str, bool]] = []
    for n, (what, do, undo) in enumerate(edits(doc)):
        if n % stride != offset:
            continue
        do()
        try:
            report = verdict(doc)
            if report["accepted"]:
                other = printed(report) != shown
                assert other == bool(difference(doc, claim.theory, claim.goals)), what
                accepted.append((what, other))
            else:
                refused[report["rule"]] += 1
        except check.NotACertificate:
            refused["not a certificate"] += 1
        finally:
            undo()
    assert seal(doc) == document(name)
    return refused, accepted


def printed(report: dict[str, Any]) -> list[Any]:
    assert report["accepted"], report
    return [report[k] for k in ("claims", "hypotheses", "definitions", "symbols", "sizes")]


@pytest.mark.parametrize("name", ATTACKED)
def test_single_edits(name: str) -> None:
    """A sample (every 37th of the smallest); every edit in the slow test below."""
    count = sum(1 for _ in edits(document(name)))
    _judge(*sweep(name, STRIDE if name == ATTACKED[0] else count // 40 | 1))


@pytest.mark.slow
@pytest.mark.parametrize("name", ATTACKED)
def test_every_single_edit(name: str) -> None:
    _judge(*sweep(name))


def _judge(refused: Counter[str], accepted: list[tuple[str, bool]]) -> None:
    """What is accepted states something else, and says so (``sweep`` has compared), or proves the same otherwise.

    The latter is rare: the measure of an induction that leaves the induction hypotheses as they are, or a term
    between two steps that allow another.
    """
    count = sum(refused.values()) + len(accepted)
    same = [what for what, other in accepted if not other]
    assert len(accepted) <= 3 + count // 50 and len(same) <= 3 + count // 200, accepted
    assert len(refused) > 10


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
        (GOOD.replace(b'{"contexts":', b'{"contexts":[],"contexts":', 1), "format"),
        (GOOD.replace(b'"item":', b'"item":0,"item":', 1), "format"),
        (GOOD.replace(b":0,", b":0.0,", 1), "format"),
        (GOOD.replace(b":0,", b":NaN,", 1), "format"),
        (GOOD.replace(b":0,", b":1e5,", 1), "format"),
        (GOOD.replace(b":0,", b":" + b"9" * 30 + b",", 1), "limit"),
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
    parameter = {"kind": "parameter", "arity": 0, "ranges": [], "linear": [], "derivatives": []}
    doc = small([["app", "x\n0 = 1", [], []]])
    doc["theory"]["symbols"] = {"x\n0 = 1": parameter}
    report = verdict(doc)
    assert report["accepted"] and "\n" not in "".join(report["claims"]) and report["claims"][0].startswith('"x\\n0')


# -- noise -----------------------------------------------------------------------------------
def _noise(data: Any) -> bytes:
    """A certificate with some bytes, some words or one value changed."""
    kind = data.draw(st.integers(0, 3))
    if kind == 0:
        return data.draw(st.binary(max_size=60))  # type: ignore[no-any-return]
    if kind == 1:
        base = bytearray(GOOD)
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(base) - 1))
            base[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        return bytes(base)
    holder, key = PLACES[data.draw(st.integers(0, len(PLACES) - 1))]
    old = holder[key]
    holder[key] = data.draw(VALUES)
    try:
        return check.canonical(seal(SMALL) if kind == 2 else SMALL).encode()
    finally:
        holder[key] = old


def places(x: Any) -> list[tuple[Any, Any]]:
    """Everything that can be replaced: (holder, key)."""
    keys = list(x) if isinstance(x, dict) else list(range(len(x))) if isinstance(x, list) else []
    return [(x, k) for k in keys] + [p for k in keys for p in places(x[k])]


SMALL = document("learning_fixed_point")
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


def _fuzz(examples: int) -> None:
    found: Counter[str] = Counter()

    @settings(max_examples=examples, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.data())
    def run(data: Any) -> None:
        found[answer(_noise(data))] += 1

    run()
    assert sum(found.values()) >= examples * 0.9 and len(found) > 5, found


def test_noise_is_rejected_cleanly() -> None:
    _fuzz(2_000)


@pytest.mark.slow
def test_much_noise_is_rejected_cleanly() -> None:
    _fuzz(120_000)
