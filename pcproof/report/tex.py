r"""A theorem as LaTeX for an appendix: statement, definitions, calculation.

The text needs ``amsmath`` and compiles as it stands between
``\begin{document}`` and ``\end{document}``; ``document`` wraps it up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..exporters.latex import latex_definition, latex_statement
from ..exporters.notation import GREEK
from ..language.signature import Definition, Theory
from .calculation import calculation
from .formula import Line

if TYPE_CHECKING:
    from ..result import Proved

WIDE = 260
_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "#": r"\#", "%": r"\%", "&": r"\&", "$": r"\$",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"$<$", ">": r"$>$",
}  # fmt: skip
_NAMES = {**{n: f"$\\{n}$" for n in GREEK}, "eps": r"$\varepsilon$"}
_NAMES |= {"d" + n: rf"$\Delta {v[1:]}" for n, v in list(_NAMES.items())}
_NAMES |= {"dw": r"$\Delta w$", "dc": r"$\Delta c$"}
_SYMBOLS = {":=": r"$:=$", "<=": r"$\le$", ">=": r"$\ge$", "==": "$=$", "!=": r"$\ne$", "<": "$<$", ">": "$>$"}


def escape(text: str) -> str:
    """Plain words for LaTeX text, Greek letters and comparisons as mathematics."""
    out = []
    for word in text.split(" "):
        bare = word.strip("(),;:.") if word not in _SYMBOLS else word
        done = _SYMBOLS.get(bare) or _NAMES.get(bare) or "".join(_ESCAPES.get(c, c) for c in bare)
        start = word.index(bare) if bare else 0
        out.append(word[:start] + done + word[start + len(bare) :])
    return " ".join(out)


def theorem_latex(result: Proved) -> str:
    """Statement, definitions and calculation of a proved claim."""
    assert result.proof is not None
    claim = result.claim
    theory = claim.theory
    out = [
        f"% {claim.id}, certificate sha256:{result.digest}",
        rf"\paragraph{{Theorem ({escape(claim.title or claim.id)}).}}",
    ]
    for s in claim.goals:
        out.append(_display(latex_statement(s)))
    if claim.says == "recursion":
        out.append(r"Here $f'$ is any function paired with $f$; the update equals the backprop recursion.")
    elif claim.says == "gradient":
        out.append(r"Here $f'$ is the derivative of $f$ at the visited points.")
    if theory.hypotheses:
        out.append(r"\paragraph{Hypotheses.}")
        out += [rf"{escape(n)}: {_display(latex_statement(s))}" for n, s in theory.hypotheses.items()]
    out.append(r"\paragraph{Definitions.}")
    out += [_display(latex_definition(d)) for d in _used(theory)]
    out.append(r"\paragraph{Proof.}")
    out += _proof(calculation(result.proof))
    return "\n".join(out) + "\n"


def document(body: str, title: str = "") -> str:
    """A whole document around a theorem."""
    head = [
        r"\documentclass[a4paper]{article}", r"\usepackage[margin=2cm,landscape]{geometry}",
        r"\usepackage{amsmath,amssymb}", r"\allowdisplaybreaks", r"\setlength{\parindent}{0pt}",
    ]  # fmt: skip
    if title:
        head += [rf"\title{{{escape(title)}}}", r"\date{}"]
    inner = [r"\maketitle"] if title else []
    return "\n".join([*head, r"\begin{document}", *inner, body, r"\end{document}", ""])


def _display(formula: str) -> str:
    return "\\begin{align*}\n& " + formula + "\n\\end{align*}"


def _used(theory: Theory) -> Iterable[Definition]:
    """Definitions, in order."""
    for group in theory.definitions:
        yield from group


def _proof(lines: Sequence[Line]) -> list[str]:
    """Calculation lines, one align block for each case."""
    out: list[str] = []
    rows: list[Line] = []

    def flush() -> None:
        if rows:
            out.append(align_block(rows))
            rows.clear()

    for line in lines:
        if line.kind == "step":
            rows.append(line)
            continue
        flush()
        if line.kind == "heading":
            out.append(rf"\medskip\textbf{{{escape(line.left.text.capitalize())}.}}")
        elif line.kind == "statement":
            out.append(_display(line.left.latex))
            out.append(rf"Proof {escape(line.comment)}." if line.comment else "Proof.")
        elif line.kind == "qed":
            out.append(rf"\hfill$\square$ ({line.items} kernel steps)\par")
        elif line.kind == "text":
            out.append(rf"\medskip {escape(line.left.text)}.")
        else:
            note = f" ({escape(line.rule)})" if line.rule else ""
            out.append(rf"\par \hspace*{{{line.depth}em}}${line.left.latex}${note}.")
    flush()
    return out


def align_block(lines: Iterable[Line]) -> str:
    """An ``align*`` block with the rule of each line; very long lines get theirs below."""
    rows = []
    for line in lines:
        row = line.latex if "&" in line.latex else "& " + line.latex
        note = rf"\text{{{escape(line.rule)}}}" if line.rule else ""
        if note and len(row) > WIDE:
            rows += [row, rf"& \qquad {note}"]
        else:
            rows.append(row + (f" && {note}" if note else ""))
    return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"
