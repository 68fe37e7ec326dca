"""The wave picture: size of the error of every layer at every time, from a simulated network.

The numbers come from the rule's equations by the reference evaluator; the
zero triangle (t < l) is checked to be exactly zero and the front (t = l) to be
backprop's delta.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from fractions import Fraction
from html import escape

from ..language.evaluate import Evaluator, Model
from ..rules.equations import Equations, timed_theory
from .svg import number

WIDTHS = (3, 5, 5, 5, 5, 5, 5, 4)  # from the output; depth 7


@dataclass(frozen=True)
class Wave:
    """norms[l][t] of the error of layer l at time t; ``zero``: the triangle is exactly zero."""

    widths: tuple[int, ...]
    norms: tuple[tuple[float, ...], ...]
    zero: bool
    front_error: float

    @property
    def depth(self) -> int:
        return len(self.widths) - 1

    @property
    def times(self) -> int:
        return len(self.norms[0])

    @property
    def ok(self) -> bool:
        return self.zero and self.front_error < 1e-12


def simulate(e: Equations, widths: tuple[int, ...] = WIDTHS, seed: int = 7) -> Wave:
    """Run the rule on a random tanh network with one sample."""
    theory = timed_theory(e)
    depth = len(widths) - 1
    rng = random.Random(seed)
    drawn: dict[tuple[str, tuple[int, ...]], float] = {}

    def parameter(name: str, spread: float) -> object:
        def value(*idx: int) -> float:
            key = (name, idx)
            if key not in drawn:
                drawn[key] = rng.gauss(0.0, spread)
            return drawn[key]

        return value

    spreads = {k.initial: 0.55 for k in e.net.kinds} | {"s_in": 1.0, "s_out": 1.0}
    parameters = {n: parameter(n, s) for n, s in spreads.items()}
    parameters["alpha"] = lambda: 0.01
    for p in e.parameters:
        parameters.setdefault(p.name, lambda *idx: 1.0)
    functions = {"f": lambda layer, v: math.tanh(v), "df": lambda layer, v: 1.0 - math.tanh(v) ** 2}
    sizes = {"L": depth, "B": 1, "n": lambda layer: widths[layer], **dict.fromkeys(e.sizes, depth)}
    model = Model(sizes, parameters, functions, lambda q: float(Fraction(q)))  # type: ignore[arg-type]
    run = Evaluator(theory, model)
    rows, zero, worst = [], True, 0.0
    for layer in range(depth):
        row = []
        for t in range(depth + 2):
            values = [run.call("eps", (t, layer, 0, i)) for i in range(widths[layer])]
            row.append(math.sqrt(sum(v * v for v in values)))
            if t < layer and any(v != 0 for v in values):
                zero = False
            if t == layer:
                deltas = [run.call("delta", (layer, 0, i)) for i in range(widths[layer])]
                worst = max([worst, *(abs(a - b) for a, b in zip(values, deltas))])
        rows.append(tuple(row))
    return Wave(widths, tuple(rows), zero, worst)


CELL, GAP, X0, Y0 = 54, 4, 118, 14


def shade(norm: float, top: float) -> float:
    """Opacity on a logarithmic scale over three decades."""
    if norm <= 0:
        return 0.0
    return max(0.08, min(1.0, 1.0 + math.log10(norm / top) / 3.0))


def picture(w: Wave) -> str:
    """Layers upwards from the output, time to the right; complete without scripts."""
    top = max(max(row) for row in w.norms)
    height = Y0 + w.depth * (CELL + GAP) + 46
    width = X0 + w.times * (CELL + GAP) + 12
    label = "Size of the error of each layer over time: zero ahead of the front, which moves one layer a step"
    out = [f'<svg id="wave" class="wave" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">']
    out.append(f"<title>{escape(label)}</title>")
    foot = Y0 + w.depth * (CELL + GAP)
    first = f"{X0 + CELL / 2},{foot - CELL / 2 - GAP}"
    last = f"{X0 + (w.depth - 1) * (CELL + GAP) + CELL / 2},{Y0 + CELL / 2}"
    out.append(f'<polyline class="frontline" points="{first} {last}"/>')
    for layer, row in enumerate(w.norms):
        y = Y0 + (w.depth - 1 - layer) * (CELL + GAP)
        weight = f"weights[{w.depth - layer - 1}]"
        name = f"layer {layer}" + (" (output)" if layer == 0 else "")
        out.append(f'<text class="row" x="{X0 - 12}" y="{y + CELL / 2 - 6}" text-anchor="end">{name}</text>')
        out.append(f'<text class="sub" x="{X0 - 12}" y="{y + CELL / 2 + 11}" text-anchor="end">{weight}</text>')
        for t, norm in enumerate(row):
            x = X0 + t * (CELL + GAP)
            kind = "front" if t == layer else "ahead" if t < layer else "behind"
            out.append(f'<g class="cell {kind}" data-t="{t}">')
            tip = f"t = {t}, layer {layer}: |eps| = {norm:.3g}" + (
                " = |delta|, the weights learn" if kind == "front" else ""
            )
            out.append(f"<title>{escape(tip)}</title>")
            out.append(f'<rect class="ground" x="{x}" y="{y}" width="{CELL}" height="{CELL}" rx="6"/>')
            if norm > 0:
                opacity = number(shade(norm, top))
                out.append(
                    f'<rect class="fill" x="{x}" y="{y}" width="{CELL}" height="{CELL}" rx="6" opacity="{opacity}"/>'
                )
            text = "0" if norm == 0 else _short(norm)
            tone = " light" if shade(norm, top) > 0.55 else ""
            out.append(
                f'<text class="value{tone}" x="{x + CELL / 2}" y="{y + CELL / 2}" dy="0.34em" text-anchor="middle">{text}</text>'
            )
            out.append("</g>")
    for t in range(w.times):
        middle = X0 + t * (CELL + GAP) + CELL / 2
        out.append(f'<text class="tick" data-t="{t}" x="{middle}" y="{foot + 16}" text-anchor="middle">t = {t}</text>')
    out.append("</svg>")
    return "".join(out)


def _short(v: float) -> str:
    return f"{v:.2f}" if v >= 0.005 else f"{v:.0e}".replace("e-0", "e-")
