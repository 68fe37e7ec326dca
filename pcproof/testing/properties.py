"""What must hold of a rule's kernels, and what must fail when a condition is broken.

A property looks at one case: it returns what it measured, or raises
``Mismatch`` with one paragraph that says where the two sides differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from . import cases as c
from .cases import Case, Data, cases
from .reference import autograd, backprop
from .rounding import Bounds, bounds
from .subjects import Subject, own_parameters

CLEARLY = 1e-3  # least relative difference that counts as "not backprop"


class Mismatch(AssertionError):
    """A case in which a property does not hold."""


@dataclass(frozen=True)
class Measure:
    """What one case showed.

    ratio: largest difference divided by its bound (floats).  vacuous, layers: in
    how many layers of plain cases the bound was larger than the gradient.  difference: largest
    relative difference of a layer (broken rules).
    """

    ratio: float = 0.0
    vacuous: int = 0
    layers: int = 0
    difference: float | None = None


@dataclass(frozen=True)
class Property:
    """name: of the row.  says: what is claimed.  strategy: of its cases.  check: one case.

    needs_torch: for its kernels or for torch.autograd.  negative: the smallest difference is the result.
    """

    name: str
    says: str
    strategy: st.SearchStrategy[Case]
    check: Callable[[Case], Measure]
    needs_torch: bool = False
    negative: bool = False


def properties_of(subject: Subject) -> list[Property]:
    """Every property of a rule."""
    exact = [
        Property(
            "exact, fractions", "NumPy kernels == backprop on fractions, any f and any f'",
            cases(c.RATIONAL_ACTIVATIONS, subject.bias, widest=3, batch=2), _exact(subject, c.rational_data),
        ),
        Property(
            "exact, modulo a prime", "NumPy kernels == backprop modulo 2^31 - 1, any f and any f'",
            cases(c.MODULAR_ACTIVATIONS, subject.bias, widest=4, batch=2), _exact(subject, c.modular_data),
        ),
    ]  # fmt: skip
    floats = []
    for bits, dtype in ((64, np.float64), (32, np.float32)):
        against = "torch.autograd"
        for backend, title in (("numpy", "NumPy"), ("torch", "PyTorch")):
            floats.append(
                Property(
                    f"float{bits}, {title} kernels", f"within the derived bound of {against} in float{bits}",
                    cases(c.FLOAT_ACTIVATIONS, subject.bias), _rounded(subject, backend, dtype), needs_torch=True,
                )
            )  # fmt: skip
    floats.append(
        Property(
            "float32, against float64", "NumPy kernels in float32 within the derived bound of those in float64",
            cases(c.FLOAT_ACTIVATIONS, subject.bias), _precisions(subject),
        )
    )  # fmt: skip
    return exact + floats


def negative_properties(bias: bool) -> list[Property]:
    """Z-IL with one condition broken must differ from backprop, clearly, on every generic deep network."""
    from ..kernels.generate import kernel_source, load_kernel
    from ..networks.mlp import MLP
    from .broken import BROKEN

    out = []
    for name, (condition, make) in BROKEN.items():
        update = load_kernel(kernel_source(make(MLP(bias=bias)).equations, form="literal")).update
        strategy = cases(("identity", "leaky_relu", "table"), bias, depth=(2, 12), widest=3, batch=2, special=False)
        says = f"{condition}: differs from backprop on every network with a hidden layer"
        out.append(Property(f"broken: {name}", says, strategy, _differs(update), negative=True))
    return out


# -- checks ---------------------------------------------------------------------------
def _call(update: Callable[..., Any], subject: Subject | None, case: Case, data: Data, named: bool) -> tuple[Any, Any]:
    """Changes of weights and biases; ``named``: activations by name, as users give them."""
    parameters = dict.fromkeys(own_parameters(update), case.parameter) if subject else {}
    numeric = {p: float(v) if named else v for p, v in parameters.items()}
    first: Any = case.input_activation if named else data.functions[0]
    hidden: Any = case.activation if named else data.functions[1:]
    with np.errstate(over="ignore", invalid="ignore"):  # behind the wave activities may diverge; nothing reads them
        out = update(data.weights, data.x, data.target, hidden, data.biases, **numeric, input_activation=first)
    return out if data.biases is not None else (out, [])


def _exact(subject: Subject, make: Callable[[Case], Data]) -> Callable[[Case], Measure]:
    def check(case: Case) -> Measure:
        data = make(case)
        weights, biases = backprop(data)
        for form in subject.forms("numpy"):
            got, got_biases = _call(subject.updates["numpy", form], subject, case, data, named=False)
            _same(case, form, "weights", got, weights)
            _same(case, form, "biases", got_biases, biases if case.bias else [])
        return Measure(layers=case.depth)

    return check


def _same(case: Case, form: str, what: str, got: list[Any], expected: list[Any]) -> None:
    for k, (a, b) in enumerate(zip(got, expected, strict=True)):
        wrong = [at for at in np.ndindex(*np.shape(b)) if a[at] != b[at]]
        if wrong:
            at = wrong[0]
            raise Mismatch(f"{form}: {what}[{k}][{', '.join(map(str, at))}] is {a[at]}, backprop says {b[at]}; {case}")


def _rounded(subject: Subject, backend: str, dtype: Any) -> Callable[[Case], Measure]:
    def check(case: Case) -> Measure:
        data = c.float_data(case, dtype)
        wide = _as_float64(data)
        reference = autograd(case, data)
        allowed = bounds(case, wide, dtype)
        measures = []
        for form in _float_forms(subject, backend):
            got = _as_arrays(_call(subject.updates[backend, form], subject, case, _for(backend, data), named=True))
            own = _bounds(subject, case, wide, dtype, form)
            measures.append(_within(case, f"{backend}, {form}", got, reference, _sum(allowed, own, case)))
        return _merge(measures)

    return check


def _precisions(subject: Subject) -> Callable[[Case], Measure]:
    def check(case: Case) -> Measure:
        data = c.float_data(case, np.float32)
        wide = _as_float64(data)
        measures = []
        for form in _float_forms(subject, "numpy"):
            update = subject.updates["numpy", form]
            got, fine = (_call(update, subject, case, d, named=True) for d in (data, wide))
            own, small = (_bounds(subject, case, wide, t, form) for t in (np.float32, np.float64))
            measures.append(_within(case, form, got, fine, _sum(own, small, case)))
        return _merge(measures)

    return check


def _differs(update: Callable[..., Any]) -> Callable[[Case], Measure]:
    def check(case: Case) -> Measure:
        data = c.rational_data(case, generic=True)
        weights, biases = backprop(data)
        got, got_biases = _call(update, None, case, data, named=False)
        pairs = [*zip(got, weights), *zip(got_biases, biases if case.bias else [])]
        worst = max(_relative(a, b) for a, b in pairs)
        if worst < CLEARLY:
            raise Mismatch(f"differs by {float(worst):.3g} only, which is not clearly more than 0; {case}")
        return Measure(difference=float(worst))

    return check


# -- helpers ----------------------------------------------------------------------------
def _relative(a: Any, b: Any) -> Fraction:
    """Largest difference divided by the largest entry of the second; 1 if only the first is not 0."""
    difference = max(abs(p - q) for p, q in zip(np.ravel(a), np.ravel(b)))
    size = max(abs(q) for q in np.ravel(b))
    return difference / size if size else Fraction(difference != 0)


def _float_forms(subject: Subject, backend: str) -> list[str]:
    """Forms whose rounding is bounded: the bound of the literal form is that of Z-IL's dynamics."""
    return [f for f in subject.forms(backend) if subject.zil or f == "wavefront"]


def _bounds(subject: Subject, case: Case, data: Data, dtype: Any, form: str) -> Bounds:
    step = float(case.parameter) if "gamma" in subject.parameters else 1.0
    return bounds(case, data, dtype, form == "literal", step, len(subject.parameters))


def _sum(a: Bounds, b: Bounds, case: Case) -> Bounds:
    biases = [p + q for p, q in zip(a.biases, b.biases)] if case.bias else []
    return Bounds([p + q for p, q in zip(a.weights, b.weights)], biases)


def _as_float64(data: Data) -> Data:
    wide = [np.asarray(w, dtype=np.float64) for w in data.weights]
    biases = None if data.biases is None else [np.asarray(b, dtype=np.float64) for b in data.biases]
    return Data(wide, biases, data.x.astype(np.float64), data.target.astype(np.float64), data.functions)


def _for(backend: str, data: Data) -> Data:
    if backend == "numpy":
        return data
    import torch

    biases = None if data.biases is None else [torch.tensor(b) for b in data.biases]
    return Data(
        [torch.tensor(w) for w in data.weights], biases, torch.tensor(data.x), torch.tensor(data.target), data.functions
    )


def _as_arrays(changes: tuple[Any, Any]) -> tuple[list[Any], list[Any]]:
    weights, biases = changes
    return [np.asarray(w) for w in weights], [np.asarray(b) for b in biases]


def _within(case: Case, who: str, got: Any, reference: Any, allowed: Bounds) -> Measure:
    ratio, vacuous, layers = 0.0, 0, 0
    named = (("weights", got[0], reference[0], allowed.weights), ("biases", got[1], reference[1], allowed.biases))
    for what, left, right, most in named:
        for k, (a, b, bound) in enumerate(zip(left, right, most, strict=True)):
            if a.dtype != np.asarray(b).dtype and who in ("wavefront", "literal"):
                a = a.astype(np.float64)
            difference = np.abs(a.astype(np.float64) - np.asarray(b, dtype=np.float64))
            if not np.all(difference <= bound):
                at = tuple(int(i) for i in np.argwhere(~(difference <= bound))[0])
                raise Mismatch(
                    f"{who}: {what}[{k}]{list(at)} is {a[at]:.9g}, the other side says {b[at]:.9g}; "
                    f"they differ by {difference[at]:.3g}, at most {bound[at]:.3g} is rounding; {case}"
                )
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = max(ratio, float(np.nanmax(np.where(bound > 0, difference / bound, 0.0))))
            if case.special == c.PLAIN:
                layers += 1
                vacuous += bool(np.max(bound) >= np.max(np.abs(b)))
    return Measure(ratio, vacuous, layers)


def _merge(measures: list[Measure]) -> Measure:
    if not measures:
        return Measure()
    return Measure(max(m.ratio for m in measures), sum(m.vacuous for m in measures), sum(m.layers for m in measures))
