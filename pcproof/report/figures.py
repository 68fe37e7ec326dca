"""The charts of the report: float error against depth, accuracy and distance over epochs."""

from __future__ import annotations

from ..experiments.digits import Training
from .precision import Precision
from .svg import Axis, Series, line_chart

_FORMS = (
    ("literal", "float32", "literal, float32", "s1", False),
    ("wavefront", "float32", "wavefront, float32", "s2", False),
    ("literal", "float64", "literal, float64", "s1", True),
    ("wavefront", "float64", "wavefront, float64", "s2", True),
)
_METHODS = ("s4", "s2", "s3", "s1")


def precision_chart(p: Precision) -> str:
    """Worst relative error of a layer's change, both axes logarithmic."""
    floor = 1e-17
    series = [
        Series(name, p.depths, [max(v, floor) for v in p.errors[(form, kind)]], style, dashed)
        for form, kind, name, style, dashed in _FORMS
    ]
    return line_chart(
        series,
        Axis("depth (weight matrices)", log=True, low=p.depths[0], high=p.depths[-1], ticks=p.depths),
        Axis("relative error", log=True, low=floor, high=1.0),
        "Relative error of the weight change against depth, literal and wavefront form",
    )


def accuracy_chart(t: Training) -> str:
    """Test accuracy over epochs; the first two lines lie on each other."""
    epochs = list(range(1, t.settings.epochs + 1))
    shown = [(t.rows[0], "backprop = Z-IL", _METHODS[1]), (t.rows[3], t.rows[3].method, _METHODS[3])]
    return line_chart(
        [Series(name, epochs, r.accuracies, style) for r, name, style in shown],
        Axis("epoch", low=1, high=t.settings.epochs, ticks=_epochs(t.settings.epochs)),
        Axis("test accuracy", low=0.0, high=1.0, percent=True),
        f"Test accuracy over epochs, network {t.name}",
    )


def distance_chart(t: Training) -> str:
    """Distance of the weights from backprop's over epochs; an exact 0 stands at the foot."""
    epochs = list(range(1, t.settings.epochs + 1))
    return line_chart(
        [Series(r.method, epochs, r.distances, style) for r, style in zip(t.rows[1:], _METHODS[1:])],
        Axis("epoch", low=1, high=t.settings.epochs, ticks=_epochs(t.settings.epochs)),
        Axis("distance from backprop", log=True, low=1e-17, high=100.0),
        f"Distance of the weights from backprop's over epochs, network {t.name}",
    )


def _epochs(n: int) -> list[int]:
    step = max(1, n // 5)
    return sorted({1, *range(step, n + 1, step)})
