"""From a proved claim to a kernel that carries its name."""

from __future__ import annotations

from typing import Any

from ..language.show import show_statement
from ..proof.certificate import Proof
from ..rules.equations import Equations
from ..rules.front import front_claim, front_theory
from .generate import Header, Kernel, kernel_source, load_kernel
from .tensors import KernelError


def header_of(result: Any, licensed: Proof | None = None) -> Header:
    """The theorem behind a kernel, hypotheses included; ``proved`` only if the result is."""
    claim = result.claim
    given = [f"given {name}: {show_statement(s)}" for name, s in claim.theory.hypotheses.items()]
    if licensed is not None:
        given.append(f"this form makes the same changes by a theorem of its own, digest {licensed.digest}")
    return Header(
        theorem_id=claim.id,
        statement="; ".join([*(show_statement(s) for s in claim.goals), *given]),
        digest=result.digest if result.verdict == "proved" else "",
        says=claim.says,
        proved=result.verdict == "proved",
    )


def licence(e: Equations) -> Proof:
    """The proof that the wavefront form computes what the running network computes.

    Raises KernelError where there is none: then the rule has no wavefront form.
    """
    from ..tactics.goals import Stuck
    from ..tactics.prover import prove_claim

    try:
        return prove_claim(front_claim(e))
    except Stuck as s:
        raise KernelError(f"{e.name} has no proved wavefront form ({s}); its literal form can be generated") from None


def source_of(result: Any, backend: str = "numpy", form: str = "wavefront") -> str:
    """The text of a kernel for the rule of a result; marked unproved unless the result is proved."""
    e = result.claim.equations
    if not isinstance(e, Equations):
        raise KernelError(f"{result.claim.id} is not a claim about the updates of a rule; no kernel follows from it")
    if form == "wavefront":
        header = header_of(result, licence(e))
        return kernel_source(front_theory(e), form=form, backend=backend, header=header, net=e.net, name=e.name)
    return kernel_source(e, form=form, backend=backend, header=header_of(result), net=e.net)


def kernel_of(result: Any, backend: str = "numpy", form: str = "wavefront") -> Kernel:
    """A callable kernel with ``.source``."""
    return load_kernel(source_of(result, backend, form))
