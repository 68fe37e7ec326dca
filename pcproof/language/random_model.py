"""Random exact models: every parameter and function a hash table modulo a prime.

Two terms that differ as expressions differ in such a model with overwhelming
probability, whatever the activations are.  Used to guess and to test, never
to prove.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

from .evaluate import Evaluator, Mod, Model
from .index import Idx
from .signature import PARAMETER, Theory


def _hash(*parts: object) -> Mod:
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return Mod(int.from_bytes(digest[:8], "big"))


def random_model(theory: Theory, sizes: Mapping[str, Any], seed: int = 0) -> Model:
    """A model with the given sizes; values are functions of ``seed`` and of names and indices only."""
    parameters: dict[str, Callable[..., Any]] = {}
    functions: dict[str, Callable[..., Any]] = {}
    model = Model(sizes, parameters, functions, number=Mod)
    evaluator = Evaluator(theory, model)
    for s in theory.symbols.values():
        if s.kind == PARAMETER:
            parameters[s.name] = lambda *idx, name=s.name: _hash(seed, name, idx)
        elif s.ranges:

            def value(*args: Any, symbol: Any = s) -> Mod:
                idx, given = args[: symbol.arity], args[symbol.arity :]
                seen: list[object] = []
                for position, a in enumerate(given):
                    bounds = symbol.bounds(position, tuple(Idx.of(i) for i in idx))
                    if not bounds:
                        seen.append(a.v)
                    else:
                        spans = [range(evaluator.index(b, {})) for b in bounds]
                        seen.append(tuple(a(*point).v for point in product(*spans)))
                return _hash(seed, symbol.name, idx, tuple(seen))

            functions[s.name] = value
    return model
