"""Small line charts as inline SVG: deterministic, no scripts, colours from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Series:
    """A named line; ``style`` is a class of the style sheet (``s1`` .. ``s4``), ``dashed`` draws it broken."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: str = "s1"
    dashed: bool = False


@dataclass(frozen=True)
class Axis:
    """Range and ticks; ``log`` for powers of ten (of two on the x axis if ``base`` is 2)."""

    title: str
    log: bool = False
    low: float | None = None
    high: float | None = None
    ticks: Sequence[float] = ()
    percent: bool = False


WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 150, 16, 44


def number(v: float) -> str:
    """Coordinates with two digits, the same on every machine."""
    return f"{v:.2f}".rstrip("0").rstrip(".")


def _scale(axis: Axis, values: Sequence[float]) -> tuple[float, float]:
    known = [math.log10(v) for v in values if v > 0] if axis.log else [v for v in values if math.isfinite(v)]
    low = min(known, default=0.0) if axis.low is None else (math.log10(axis.low) if axis.log else axis.low)
    high = max(known, default=1.0) if axis.high is None else (math.log10(axis.high) if axis.log else axis.high)
    if axis.log and axis.low is None:
        low, high = math.floor(low), math.ceil(high)
    return (low, high) if high > low else (low, low + 1)


def _ticks(axis: Axis, low: float, high: float) -> list[tuple[float, str]]:
    if axis.ticks:
        return [(math.log10(v) if axis.log else v, _label(v, axis)) for v in axis.ticks]
    if axis.log:
        step = max(1, math.ceil((high - low) / 6))
        return [(float(k), f"10<tspan dy='-5' font-size='9'>{k}</tspan>") for k in range(int(low), int(high) + 1, step)]
    return [(low + (high - low) * k / 4, _label(low + (high - low) * k / 4, axis)) for k in range(5)]


def _label(v: float, axis: Axis) -> str:
    return f"{v * 100:.0f} %" if axis.percent else f"{v:g}"


def line_chart(series: Sequence[Series], x: Axis, y: Axis, title: str) -> str:
    """A chart with direct labels at the ends of the lines; values <= 0 on a log axis are shown at its foot."""
    xs = [v for s in series for v in s.x]
    ys = [v for s in series for v in s.y]
    xlow, xhigh = _scale(x, xs)
    ylow, yhigh = _scale(y, ys)

    def px(v: float) -> float:
        u = math.log10(v) if x.log else v
        return LEFT + (WIDTH - LEFT - RIGHT) * (u - xlow) / (xhigh - xlow)

    def py(v: float) -> float:
        u = (math.log10(v) if v > 0 else ylow) if y.log else v
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (min(max(u, ylow), yhigh) - ylow) / (yhigh - ylow)

    out = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">']
    out.append(f"<title>{escape(title)}</title>")
    foot = HEIGHT - BOTTOM
    for v, label in _ticks(y, ylow, yhigh):
        at = number(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (v - ylow) / (yhigh - ylow))
        out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}"/>')
        out.append(f'<text class="tick" x="{LEFT - 8}" y="{at}" dy="0.32em" text-anchor="end">{label}</text>')
    for v, label in _ticks(x, xlow, xhigh):
        at = number(LEFT + (WIDTH - LEFT - RIGHT) * (v - xlow) / (xhigh - xlow))
        out.append(f'<text class="tick" x="{at}" y="{foot + 17}" text-anchor="middle">{label}</text>')
    out.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{foot}" y2="{foot}"/>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    out.append(
        f'<text class="title" x="{number(middle)}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x.title)}</text>'
    )
    high = number((TOP + foot) / 2)
    out.append(
        f'<text class="title" transform="translate(13 {high}) rotate(-90)" text-anchor="middle">{escape(y.title)}</text>'
    )
    ends = _apart([py(s.y[-1]) for s in series])
    for s, end in zip(series, ends):
        points = " ".join(f"{number(px(a))},{number(py(b))}" for a, b in zip(s.x, s.y))
        dash = ' stroke-dasharray="5 4"' if s.dashed else ""
        out.append(f'<polyline class="line {s.style}"{dash} points="{points}"/>')
        if len(s.x) <= 12:
            out += [
                f'<circle class="dot {s.style}" cx="{number(px(a))}" cy="{number(py(b))}" r="3"/>'
                for a, b in zip(s.x, s.y)
            ]
        out.append(
            f'<text class="label {s.style}" x="{WIDTH - RIGHT + 8}" y="{number(end)}" dy="0.32em">{escape(s.name)}</text>'
        )
    out.append("</svg>")
    return "".join(out)


def _apart(ends: Sequence[float], gap: float = 15.0) -> list[float]:
    """Label positions moved apart so that none hides another."""
    order = sorted(range(len(ends)), key=lambda k: ends[k])
    out = list(ends)
    for a, b in zip(order, order[1:]):
        out[b] = max(out[b], out[a] + gap)
    over = max((out[k] for k in order), default=0.0) - (HEIGHT - BOTTOM)
    if over > 0:
        for k in reversed(order):
            out[k] -= over
            over = 0.0
        for a, b in zip(reversed(order), list(reversed(order))[1:]):
            out[b] = min(out[b], out[a] - gap)
    return out
