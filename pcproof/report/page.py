"""Rendering the page: templates, style and script in one file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .formula import math
from .statement import greek

TEMPLATES = Path(__file__).parent / "templates"


def render(context: Mapping[str, Any]) -> str:
    """The whole page; nothing in it is loaded from elsewhere."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    env = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=True, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    env.filters["greek"] = greek
    env.filters["math"] = lambda f: Markup(math(f.mathml))
    env.filters["large"] = lambda fragment: Markup(math(fragment, large=True))
    env.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    env.filters["safe_math"] = Markup
    env.filters["tiny"] = scientific
    env.filters["micro"] = lambda s: f"{s * 1e6:.0f}"
    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))
    script = Markup((TEMPLATES / "script.js").read_text(encoding="utf-8"))
    return env.get_template("report.html.j2").render({**context, "style": style, "script": script})


def scientific(v: float) -> str:
    """A distance: 0 if it is exactly that."""
    return "0" if v == 0 else f"{v:.1e}" if v < 0.01 else f"{v:.2f}"
