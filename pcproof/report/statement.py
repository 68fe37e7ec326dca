"""The statement in the paper's notation and in PyTorch's, and the table of symbols."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..exporters.mathml import mathml_definition_fragment
from ..language.index import Idx, qvar
from ..language.signature import Claim, Symbol, relation_terms
from ..language.terms import App, Lam
from ..rules.equations import Equations
from ..rules.front import front_theory
from .formula import Formula, Pen, math, relation_formula

GREEK = {
    "theta": "θ", "dtheta": "Δθ", "mu": "μ", "eps": "ε", "delta": "δ", "beta": "β", "dbeta": "Δβ", "alpha": "α",
    "gamma": "γ", "dw": "Δw", "dc": "Δc", "gx": "∂F/∂x",
}  # fmt: skip
PYTORCH = {
    "theta": "weights[L - l]", "w": "weights[L - l] before the step", "dtheta": "the change of weights[L - l]",
    "dw": "-alpha * weights[L - l].grad", "beta": "biases[L - l]", "c": "biases[L - l] before the step",
    "dbeta": "the change of biases[L - l]", "dc": "-alpha * biases[L - l].grad", "s_in": "x", "s_out": "target",
    "y": "pre-activation, after L - l linear layers", "f": "activation of the layer", "df": "its derivative",
    "alpha": "learning rate", "delta": "-d loss / d y",
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z_]+")


_COMPARED = {" == ": " = ", " >= ": " ≥ ", " <= ": " ≤ ", " != ": " ≠ "}


def greek(text: str) -> str:
    """Names of symbols and comparisons in ordinary words, as a person would write them."""
    text = _WORD.sub(lambda m: GREEK.get(m.group(0), m.group(0)), text)
    for plain, nice in _COMPARED.items():
        text = text.replace(plain, nice)
    return text


@dataclass(frozen=True)
class SymbolRow:
    """symbol == meaning == shape, and what it is called in PyTorch."""

    name: str
    mathml: str
    meaning: str
    shape: str
    pytorch: str
    kind: str
    definition: str = ""


def symbol_rows(claim: Claim) -> list[SymbolRow]:
    """Sizes first, then every symbol of the theory that has a meaning for people."""
    theory = claim.theory
    sizes = {"L": ("number of weight layers; layer L is the input, layer 0 the output", "len(weights)"),
             "B": ("number of samples in a batch", "len(x)"),
             "n": ("number of units of layer l", "weights[L - l].shape[1]"),
             "m": ("number of parameters of layer l", "")}  # fmt: skip
    rows = []
    for name, arity in theory.sizes.items():
        meaning, pytorch = sizes.get(name, ("an integer of the rule", ""))
        shown = {"n": "<msup><mi>n</mi><mi>l</mi></msup>", "m": "<msup><mi>m</mi><mi>l</mi></msup>"}
        inner = shown.get(name, f"<mi>{name}</mi>") if arity else f"<mi>{name}</mi>"
        rows.append(SymbolRow(name, math(inner), meaning, "integer", pytorch, "size"))
    definitions = {d.name: d for group in theory.definitions for d in group}
    for s in theory.symbols.values():
        d = definitions.get(s.name)
        shown_definition = math(mathml_definition_fragment(d)) if d is not None else ""
        rows.append(
            SymbolRow(
                s.name, math(_head(s).mathml), s.meaning, s.shape, PYTORCH.get(s.name, ""), s.kind, shown_definition
            )
        )
    return rows


def _head(s: Symbol) -> Formula:
    """A symbol at its usual indices."""
    order = {"time": "t", "layer": "l", "batch": "b", "unit": "i", "unit to": "i", "unit from": "j", "parameter": "p",
             "value": ""}  # fmt: skip
    names = [order.get(w.strip(), "k") for w in s.shape.split(";")[0].split(",")] if s.arity else []
    taken: list[str] = []
    for n in (names + ["k"] * s.arity)[: s.arity]:
        taken.append(n if n and n not in taken else next(v for v in ("k", "p", "q", "r") if v not in taken))
    args = [Lam(len(r), App("z", [])) if not r else None for r in s.ranges]
    if s.ranges and any(a is None for a in args):
        return Formula(s.name, s.name, f"<mi>{s.name}</mi>")
    term = App(s.name, [qvar(n) for n in taken], [a for a in args if a is not None])
    return Pen((term,)).term(term)


def goals(claim: Claim) -> list[dict[str, str]]:
    """Every goal as MathML in two rows: for which indices, and what holds."""
    out = []
    for s in claim.goals:
        terms = relation_terms(s.relation)
        pen = Pen(terms, [s.guards], s.variables)
        holds = relation_formula(s.relation, pen)
        names = Formula()
        for k, v in enumerate(s.variables):
            comma = Formula(", ", ", ", "<mo>,</mo>") if k else Formula()
            names = names + comma + pen.index(qvar(v))
        where = math(names.mathml), math(pen.cons(s.guards).mathml)
        out.append({"names": where[0], "where": where[1], "holds": math(holds.mathml, block=True)})
    return out


def layer_table(widths: tuple[int, ...] = (784, 128, 64, 10)) -> list[Mapping[str, str]]:
    """Both names of every weight, for one network as an example; widths from the input."""
    depth = len(widths) - 1
    return [
        {
            "pytorch": f"weights[{k}]",
            "paper": math(Pen().term(App("theta", [Idx(depth - k), qvar("i"), qvar("j")])).mathml),
            "shape": f"({widths[k + 1]}, {widths[k]})",
            "leads": f"layer {depth - k} to layer {depth - k - 1}"
            + (" (from the input)" if k == 0 else " (to the output)" if k == depth - 1 else ""),
            "moment": f"t = {depth - k - 1}",
        }
        for k in range(depth)
    ]


def pytorch_statement(says: str, gradient: bool) -> str:
    """What the theorem says of arrays, as code with the claim in the last lines."""
    lines = [
        "# weights: (n_out, n_in) each, from input to output",
        "# x: (batch, n_in)   target: (batch, n_out)",
        "out = x",
        "for k, W in enumerate(weights):",
        "    out = (f(out) if k else out) @ W.T",
        "loss = ((target - out) ** 2).sum() / 2",
    ]
    lines += ["loss.backward()"] if gradient else ["# dW: the backprop recursion, any pair f, f'"]
    lines += [
        "",
        "change = step(weights, x, target, f)     # alpha = 1",
        "for k in range(len(weights)):            # exactly:",
        f"    assert change[k] == {'-weights[k].grad' if gradient else 'dW[k]'}",
    ]
    return "\n".join(lines)


def front_rows(e: Equations, known: Iterable[str]) -> list[SymbolRow]:
    """Definitions of the wavefront form that the theorem's own theory does not have."""
    theory = front_theory(e)
    skip = set(known)
    rows = []
    for group in theory.definitions:
        for d in group:
            if d.name not in skip:
                s = theory.symbols[d.name]
                shown = math(mathml_definition_fragment(d))
                rows.append(SymbolRow(d.name, math(_head(s).mathml), s.meaning, s.shape, "", s.kind, shown))
    return rows
