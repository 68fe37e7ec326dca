"""The rules under test, with their generated kernels."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .reference import torch_is_there

if TYPE_CHECKING:
    from ..catalogue import Entry

FORMS = ("wavefront", "literal")


@dataclass
class Subject:
    """A rule and its kernels.

    updates: (backend, form) -> update function.  missing: forms that the rule
    does not have, with the reason.  bias: whether its network has biases.
    parameters: keyword arguments that the kernels need.  zil: whether it moves
    as Z-IL does, so that the rounding bound of the literal form applies.
    """

    id: str
    verdict: str
    bias: bool
    updates: dict[tuple[str, str], Callable[..., Any]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    zil: bool = False

    def forms(self, backend: str) -> list[str]:
        return [f for f in FORMS if (backend, f) in self.updates]


def subject_of(entry: Entry) -> Subject:
    """Prove the claim, generate its kernels for every backend that is installed, and load them."""
    from ..api import prove
    from ..catalogue import CatalogueError
    from ..kernels.from_result import source_of
    from ..kernels.generate import load_kernel
    from ..kernels.tensors import KernelError

    result = prove(entry.claim())
    equations = result.claim.equations
    if equations is None:
        raise CatalogueError(f"{entry.id} is not about the updates of a rule; there is no kernel to test")
    bias = any(k.name == "beta" for k in equations.net.kinds)
    out = Subject(entry.id, result.verdict, bias, zil=_is_zil(equations))
    for backend in ("numpy", "torch"):
        if backend == "torch" and not torch_is_there():
            continue
        for form in FORMS:
            try:
                kernel = load_kernel(source_of(result, backend, form))
            except KernelError as e:
                out.missing[form] = str(e)
                continue
            out.updates[backend, form] = kernel.update
            out.parameters = tuple(dict.fromkeys((*out.parameters, *own_parameters(kernel.update))))
    if not out.updates:
        raise CatalogueError(f"{entry.id} has no kernel to test: {'; '.join(out.missing.values())}")
    return out


def own_parameters(update: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the rule's own parameters, which have no default."""
    found = inspect.signature(update).parameters.values()
    return tuple(p.name for p in found if p.kind is p.KEYWORD_ONLY and p.default is p.empty)


def _is_zil(equations: Any) -> bool:
    """Whether activities start and move as in Z-IL, with gamma = 1 or a symbol."""
    from ..rules.zil import zil

    for gamma in (1, None):
        try:
            known = zil(equations.net, gamma=gamma).equations
        except ValueError:
            return False
        plain = equations.momentum is None and equations.output is None and equations.order == known.order
        if plain and (equations.step, equations.start, equations.when) == (known.step, known.start, known.when):
            return True
    return False
