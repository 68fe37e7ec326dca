"""Inference learning (IL): inference for t_c steps, then one weight update.

The rule is written in the public words and its kernel is generated, as for
every other rule.  The residual (the norm of dF/dx over hidden layers) comes
from code generated from the derived gradient, and the step size from a stated
bound.  Source: Song et al. (2020), Algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from ..kernels.generate import TAKEN, Kernel, kernel_source, load_kernel
from ..kernels.layered import layered_statements
from ..kernels.numpy_printer import NumPyPrinter
from ..kernels.program import emit
from ..kernels.tensors import Lowering
from ..language.index import size
from ..networks.gradients import energy_gradient_theory
from ..networks.mlp import MLP
from ..rules.equations import static_theory
from ..rules.rule import Rule
from ..rules.surface import Eq, Sum, sq

EQUILIBRIUM = 1e-6
GAMMA_RULE = (
    "gamma = 1 / (1 + s)^2, s = largest spectral norm of the weights between free layers, times sup |f'|. "
    "The errors depend on the free activities through a Jacobian of norm at most 1 + s, so the linear part of "
    "d^2F/dx^2 has no eigenvalue above (1 + s)^2 and gamma is at most half of 2/lambda_max."
)


def il_rule() -> Rule:
    """Start at the forward pass, descend the energy, learn everything at t = t_c."""
    net = MLP(bias=True)
    x, mu, y, theta, beta, l, t, L, gamma, alpha = net.symbols("x mu y theta beta l t L gamma alpha")
    F = Sum(sq(x[l] - mu[l]) / 2, (l, 0, L - 1))
    return Rule(
        net,
        name="il",
        energy=F,
        start={x[l]: y[l]},
        step={x[l]: -gamma * F.diff(x[l])},
        learn={p[l + 1]: -alpha * F.diff(p[l + 1]) for p in (theta, beta)},
        when=Eq(t, size("t_c")),
    )


@lru_cache(maxsize=1)
def il_kernel() -> Kernel:
    """IL's update, generated; called with ``t_c`` and ``gamma``."""
    return load_kernel(kernel_source(il_rule().equations, form="literal"), "il_literal")


@lru_cache(maxsize=1)
def inference_source() -> str:
    """Generated functions ``gradient`` (dF/dx) and ``step`` of one inference step, layer by layer."""
    e = il_rule().equations
    out = ["import numpy as np", ""]
    for name, theory, output, more in (
        ("gradient", energy_gradient_theory(e.net, e.energy), "gx", ""),
        ("step", static_theory(e), "step", ", gamma"),
    ):
        program = layered_statements(theory, [output], Lowering(theory, {"alpha": Fraction(1)}))
        out += ["", f"def {name}(L, x, theta, beta, f, df{more}):"]
        out += [*emit(program, NumPyPrinter(TAKEN)), f"    return {output}", ""]
    return "\n".join(out)


@lru_cache(maxsize=1)
def _inference() -> Mapping[str, Callable[..., Any]]:
    namespace: dict[str, Any] = {}
    exec(compile(inference_source(), "<il_inference>", "exec"), namespace)
    return namespace


@dataclass(frozen=True)
class Inference:
    """What t_c inference steps did: norms of dF/dx over the hidden layers, one for each time."""

    gamma: float
    residuals: tuple[float, ...]

    @property
    def residual(self) -> float:
        return self.residuals[-1]

    @property
    def equilibrium(self) -> bool:
        return self.residual < EQUILIBRIUM


def infer(
    weights: Sequence[Any], biases: Sequence[Any], x: Any, target: Any, activation: Any, gamma: float, steps: int
) -> Inference:
    """Run inference on one batch and record the residual at every time."""
    import numpy as np

    module: Any = il_kernel().module
    L = len(weights)
    f, df = module.layer_functions(activation, "identity", L)
    theta, beta = module.by_layer(weights), module.by_layer(biases)
    state = {L: x}
    for l in range(L - 1, 0, -1):
        state[l] = f[l + 1](state[l + 1]) @ theta[l + 1].T + beta[l + 1]
    state[0] = target
    code = _inference()
    norms = []
    for t in range(steps + 1):
        g = code["gradient"](L, state, theta, beta, f, df)
        norms.append(float(np.sqrt(sum(float((g[l] * g[l]).sum()) for l in range(1, L)))))
        if t < steps:
            move = code["step"](L, state, theta, beta, f, df, gamma)
            state = {l: v + move[l] if 0 < l < L else v for l, v in state.items()}
    return Inference(gamma, tuple(norms))


def spectral_bound(weights: Sequence[Any], slope: float = 1.0) -> float:
    """(1 + s)^2, a bound of lambda_max; the first weights lead from the clamped input and do not count."""
    import numpy as np

    free = [float(np.linalg.norm(np.asarray(w, dtype=float), 2)) for w in list(weights)[1:]]
    return float((1.0 + slope * max(free, default=0.0)) ** 2)


def gamma_rule(weights: Sequence[Any], slope: float = 1.0) -> float:
    """The step size of inference; see ``GAMMA_RULE``.  ``slope``: sup |f'|, 1 for tanh, relu, identity."""
    return 1.0 / spectral_bound(weights, slope)
