"""The catalogue: one result a file in ``derivations/``, each with an ``ENTRY``.

Also reads rule files of the user's own.  A rule file is Python and is
executed, like any script.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import runpy
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from .language.signature import Claim


class CatalogueError(ValueError):
    """An id or file cannot be used; the message says what was expected."""


@dataclass(frozen=True)
class Entry:
    """One result of the catalogue.

    kind: "theorem" or "refuted claim" (a printed claim that fails).
    expected: the verdict that the report insists on.
    claim: builds the claim; rule: builds the rule that it is about, if any.
    of: the same claim of any rule's equations, so that mutants of the rule can be asked.
    kernels: code is generated from it and committed.
    """

    id: str
    title: str
    source: str
    equation: str
    claim: Callable[[], Claim]
    kind: str = "theorem"
    expected: str = "proved"
    rule: Callable[[], Any] | None = None
    of: Callable[[Any], Claim] | None = None
    kernels: bool = False
    note: str = ""


@lru_cache(maxsize=1)
def entries() -> dict[str, Entry]:
    """Every entry by id, in the order of the file names' ``ORDER`` and then by name."""
    from . import derivations

    found: list[tuple[int, str, Entry]] = []
    for info in pkgutil.iter_modules(derivations.__path__):
        module = importlib.import_module(f"{derivations.__name__}.{info.name}")
        for entry in getattr(module, "ENTRIES", ()):
            found.append((getattr(module, "ORDER", 100), info.name, entry))
    out: dict[str, Entry] = {}
    for _, _, entry in sorted(found, key=lambda f: f[:2]):
        if entry.id in out:
            raise CatalogueError(f"two results are called {entry.id!r}")
        out[entry.id] = entry
    return out


def load(what: str) -> Entry:
    """An entry by id, or a rule file ``FILE.py`` or ``FILE.py:NAME``."""
    path, _, name = what.partition(".py:")
    if what.endswith(".py") or name:
        return _from_file(Path(path + ".py") if name else Path(what), name or None)
    known = entries()
    if what not in known:
        from difflib import get_close_matches

        near = get_close_matches(what, known, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; `pcproof list` shows them all"
        raise CatalogueError(f"there is no result called {what!r}{hint}")
    return known[what]


def _from_file(path: Path, name: str | None) -> Entry:
    from .proof.theory import TheoryError, admit, check_statement

    if not path.is_file():
        raise CatalogueError(f"there is no file {str(path)!r}")
    try:
        namespace = runpy.run_path(str(path), run_name="pcproof_rule_file")
        every = _at_every_step(path, namespace, name)
        if every is not None:
            return every
        claim, rule = _chosen(path, namespace, name)
        admit(claim.theory)
        for goal in claim.goals:
            check_statement(claim.theory, goal)
    except CatalogueError:
        raise
    except TheoryError as e:
        raise CatalogueError(f"{path.name}: the claim is not well formed: {e}") from None
    except Exception as e:  # a user's file may raise anything; it ends in one sentence
        raise CatalogueError(f"{path.name} could not be run: {type(e).__name__}: {e}") from e
    return Entry(
        id=claim.id,
        title=claim.title,
        source=path.name,
        equation="",
        claim=lambda: claim,
        rule=None if rule is None else (lambda: rule),
        kernels=rule is not None,
        expected="",
    )


def _at_every_step(path: Path, namespace: dict[str, Any], name: str | None) -> Entry | None:
    """A file of one rule that learns at every step: it has no claim, but may be characterised."""
    from .rules.equations import EVERY_STEP, Equations, RuleError

    rules = {n: v for n, v in namespace.items() if hasattr(v, "equals_backprop") and not isinstance(v, type)}
    if any(isinstance(v, Claim) for v in namespace.values()) or len(rules) != 1 or name not in (None, *rules):
        return None
    (rule,) = rules.values()
    e = getattr(rule, "equations", None)
    if not isinstance(e, Equations) or e.when != EVERY_STEP or e.gate is not None:
        return None

    def claim() -> Claim:
        try:
            return rule.equals_backprop()  # type: ignore[no-any-return]
        except RuleError as error:
            raise CatalogueError(f"{path.name}: {error}; `pcproof characterise` asks for its first changes") from None

    return Entry(
        id=e.name,
        title=f"{e.name}: the first change of every weight",
        source=path.name,
        equation="",
        claim=claim,
        rule=lambda: rule,
        kernels=False,
        expected="",
    )


def _chosen(path: Path, namespace: dict[str, Any], name: str | None) -> tuple[Claim, Any]:
    """The claim that a rule file means, and the rule that it is about, if that is clear."""
    claims = {n: v for n, v in namespace.items() if isinstance(v, Claim)}
    rules = {n: v for n, v in namespace.items() if hasattr(v, "equals_backprop") and not isinstance(v, type)}
    other = namespace.get("claim")
    if name is None and other is not None and "claim" not in claims:
        hint = "call it: claim = rule.equals_backprop()" if callable(other) else "write claim = rule.equals_backprop()"
        raise CatalogueError(f"{path.name}: `claim` is {type(other).__name__}, not a claim; {hint}")
    if name is not None:
        if name not in claims and name not in rules:
            known = ", ".join([*claims, *rules]) or "none"
            raise CatalogueError(f"{path.name} has no claim or rule called {name!r} (it has: {known})")
        claim = claims[name] if name in claims else rules[name].equals_backprop()
    elif "claim" in claims or len(claims) == 1:
        claim = claims.get("claim") or next(iter(claims.values()))
    elif not claims and len(rules) == 1:
        claim = next(iter(rules.values())).equals_backprop()
    elif claims:
        raise CatalogueError(f"{path.name} has several claims ({', '.join(claims)}); write {path.name}:NAME")
    else:
        raise CatalogueError(f"{path.name} has no claim; end it with: claim = rule.equals_backprop()")
    return claim, rules.get(name or "rule") or (next(iter(rules.values())) if len(rules) == 1 else None)
