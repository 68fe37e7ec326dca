"""Training on the digits: Z-IL is backprop, IL is not; IL's parts agree with each other."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pcproof.experiments import digits, il
from pcproof.experiments.digits import METHODS, Settings

pytest.importorskip("sklearn", reason="the digits come with scikit-learn")


@pytest.fixture(scope="module")
def data() -> digits.Data:
    return digits.load_data()


def test_the_digits_are_split_and_scaled(data: digits.Data) -> None:
    assert data.x_train.shape == (1437, 64) and data.x_test.shape == (360, 64)
    assert data.x_train.min() == 0 and data.x_train.max() == 1
    assert (data.t_train.sum(1) == 1).all()


@pytest.mark.parametrize("widths", [digits.SHALLOW, digits.DEEP], ids=["shallow", "deep"])
def test_z_il_trains_like_backprop_and_il_does_not(data: digits.Data, widths: tuple[int, ...]) -> None:
    t = digits.train(data, Settings(widths=widths, epochs=2, timing_rounds=3))
    backprop, wavefront, literal, inference = t.rows
    assert t.depth == len(widths) - 1
    assert wavefront.relative < 1e-12 and literal.relative < 1e-9
    assert wavefront.accuracy == backprop.accuracy == literal.accuracy
    assert inference.relative > 1e-3
    assert inference.inference is not None and not inference.inference.equilibrium
    assert inference.slack < 1  # gamma stayed below 2 / lambda_max while the weights moved
    assert set(inference.as_dict()) >= {"gamma", "residual", "equilibrium", "ratio", "distance"}


def test_training_is_deterministic(data: digits.Data) -> None:
    s = Settings(epochs=1, timing_rounds=1)
    a, b = (digits.train(data, s) for _ in range(2))
    assert [(r.accuracy, r.distance) for r in a.rows] == [(r.accuracy, r.distance) for r in b.rows]


def test_training_learns(data: digits.Data) -> None:
    t = digits.train(data, Settings(epochs=12, timing_rounds=1))
    assert t.row("backprop").accuracy > 0.85
    assert len(t.row("IL").accuracies) == 12


def test_a_diverging_run_says_so(data: digits.Data) -> None:
    with (
        pytest.raises(digits.ExperimentError, match="diverged in epoch"),
        np.errstate(all="ignore"),
    ):
        digits.train(data, Settings(epochs=3, rate=50.0, activation="relu"))


def test_exactly_zero_in_rational_numbers(data: digits.Data) -> None:
    exact = digits.exact_run(data)
    assert exact.ok and exact.wavefront == 0 and exact.literal == 0
    assert isinstance(exact.wavefront, Fraction)
    assert exact.alive and exact.digits > 100  # every update moved every layer: the run is not vacuous


# -- IL ---------------------------------------------------------------------------------
def fractions(rng: np.random.Generator, *shape: int) -> Any:
    return np.vectorize(lambda v: Fraction(int(v), 2), otypes=[object])(rng.integers(-3, 4, shape))


def test_ils_kernel_is_its_definition() -> None:
    """Start at the forward pass, t_c steps of -gamma dF/dx, then one weight change: by hand, in fractions."""
    rng = np.random.default_rng(0)
    widths, steps, gamma = (2, 3, 2, 2), 3, Fraction(1, 3)
    w = [fractions(rng, o, i) for i, o in zip(widths, widths[1:])]
    c = [fractions(rng, o) for o in widths[1:]]
    x, target = fractions(rng, 2, 2), fractions(rng, 2, 2)
    dw, db = il.il_kernel().update(w, x, target, "identity", c, t_c=steps, gamma=gamma)
    values = [x]
    for a, b in zip(w, c):
        values.append(values[-1] @ a.T + b)
    values[-1] = target
    for _ in range(steps):
        errors = [None, *(v - (u @ a.T + b) for u, v, a, b in zip(values, values[1:], w, c))]
        moved = [v + gamma * (-errors[k] + errors[k + 1] @ w[k]) if 0 < k < 3 else v for k, v in enumerate(values)]
        values = moved
    errors = [v - (u @ a.T + b) for u, v, a, b in zip(values, values[1:], w, c)]
    assert all((d == e.T @ u).all() for d, e, u in zip(dw, errors, values))
    assert all((d == e.sum(0)).all() for d, e in zip(db, errors))


def test_no_inference_steps_moves_only_the_last_weights() -> None:
    rng = np.random.default_rng(1)
    w = [rng.standard_normal((3, 3)) for _ in range(3)]
    c = [np.zeros(3) for _ in range(3)]
    dw, _ = il.il_kernel().update(
        w, rng.standard_normal((2, 3)), rng.standard_normal((2, 3)), "tanh", c, t_c=0, gamma=0.1
    )
    assert [bool(np.abs(d).max() > 0) for d in dw] == [False, False, True]


def test_inference_goes_down_and_reaches_equilibrium_if_it_may() -> None:
    rng = np.random.default_rng(2)
    widths = (4, 5, 5, 3)
    w = [rng.standard_normal((o, i)) / np.sqrt(i) for i, o in zip(widths, widths[1:])]
    c = [np.zeros(o) for o in widths[1:]]
    x, target = rng.standard_normal((4, 4)), rng.standard_normal((4, 3))
    gamma = il.gamma_rule(w)
    short, long = (il.infer(w, c, x, target, "tanh", gamma, n) for n in (20, 2000))
    assert short.residuals == long.residuals[:21]
    assert short.residuals[-1] < short.residuals[0]
    assert not short.equilibrium and long.equilibrium


def test_gamma_keeps_its_rule() -> None:
    """For a linear network the bound is one: gamma is below 2 / lambda_max of the activities' Hessian."""
    rng = np.random.default_rng(3)
    for depth in (2, 3, 6):
        w = [rng.standard_normal((4, 4)) for _ in range(depth)]
        free = 4 * (depth - 1)
        jacobian = np.zeros((4 * depth, free))
        for k in range(depth):  # error k: value k+1 minus w[k] value k; values 0 and depth are clamped
            if k + 1 < depth:
                jacobian[4 * k : 4 * k + 4, 4 * k : 4 * k + 4] = np.eye(4)
            if k > 0:
                jacobian[4 * k : 4 * k + 4, 4 * k - 4 : 4 * k] = -w[k]
        top = float(np.linalg.eigvalsh(jacobian.T @ jacobian).max())
        assert top <= il.spectral_bound(w) + 1e-9
        assert il.gamma_rule(w) < 2 / top


def test_kernels_rest_on_a_theorem() -> None:
    kernels = digits.kernels()
    assert set(kernels) == set(METHODS)
    for method in METHODS[1:3]:
        assert kernels[method].module.PROVED is True
    assert kernels[METHODS[3]].module.PROVED is False  # IL is not backprop


def test_without_scikit_learn_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(digits.ExperimentError, match=r"pcproof\[report\]"):
        digits.load_data()
