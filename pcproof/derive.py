"""From the energy alone: dynamics, plasticity, fixed points, and backprop from the loss.

``derive(rule)`` gives a ``Derivation``: sections of lines, each line with the
rule that allows it and the side condition that it leaves.  Nothing is typed
that can be computed: gradients come from ``language.diff``, boundary layers
from its side conditions, fixed points by setting the derived gradient to zero.
Source of the numbers of equations: Song et al. (2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Any

from .language.arith import entails
from .language.diff import Derivative, collect, diff
from .language.index import Con, Idx, eq, ge, le, qvar, span
from .language.signature import Case, Definition, Theory
from .language.terms import (
    ONE,
    ZERO,
    Add,
    App,
    Inv,
    Mul,
    Num,
    Sum,
    Term,
    add,
    children,
    mul,
    neg,
    rebuild,
    replace_apps,
    subst,
    subterms,
)
from .networks.backprop import backprop_definitions, lagrangian, weight_names
from .networks.network import B, L, Network, WeightKind, width
from .proof.ring import ring_equal
from .report.elimination import check, occurrences, picks
from .report.formula import EMPTY, Formula, Line, Pen, math, minus, symbol, words
from .rules.equations import EVERY_STEP, Equations, RuleError, moment, timed_theory
from .rules.sweeps import SWEEPS

__all__ = ["Derivation", "Line", "Section", "derive"]

_l, _b, _i, _t = qvar("l"), qvar("b"), qvar("i"), qvar("t")
_STATE = (_l, _b, _i)
_F = symbol("F")
_E = symbol("E")
_LAGRANGE = symbol("Lambda", r"\Lambda", "<mi>Λ</mi>")
WIDE = 100
OUTPUT, HIDDEN, INPUT = "output layer", "hidden layers", "input layer"


@dataclass(frozen=True)
class Section:
    """A titled list of lines."""

    title: str
    lines: tuple[Line, ...]
    note: str = ""


@dataclass(frozen=True)
class Derivation:
    """Everything that follows from an energy; shows itself as text, LaTeX and HTML."""

    title: str
    sections: tuple[Section, ...]

    def text(self) -> str:
        """Aligned plain text."""
        out = [self.title]
        for s in self.sections:
            out += ["", s.title, "-" * len(s.title)]
            out += [*wrap(s.note, WIDE), ""] if s.note else []
            for line in s.lines:
                out += _text_line(line)
        return "\n".join(out)

    def latex(self) -> str:
        """amsmath blocks, one for each section."""
        from .report.tex import align_block
        from .report.tex import escape as tex

        out = []
        for s in self.sections:
            out.append(rf"\paragraph{{{tex(s.title)}.}}" + (" " + tex(s.note) if s.note else ""))
            rows: list[Line] = []
            for line in s.lines:
                if line.kind == "heading":
                    out += [align_block(rows)] if rows else []
                    rows = []
                    out.append(rf"\par\textit{{{tex(line.left.text)}}}")
                else:
                    rows.append(line)
            out += [align_block(rows)] if rows else []
        return "\n".join(out) + "\n"

    def html(self) -> str:
        """A fragment of HTML with MathML."""
        out = []
        for s in self.sections:
            out.append(f"<h4>{escape(s.title)}</h4>" + (f"<p>{escape(s.note)}</p>" if s.note else ""))
            rows = []
            for line in s.lines:
                if line.kind == "heading":
                    rows.append(f'<tr><td colspan="3"><em>{escape(line.left.text)}</em></td></tr>')
                    continue
                why = escape(line.rule) + (f"<br/><small>{escape(line.comment)}</small>" if line.comment else "")
                where = f"<small>where {math(line.where.mathml)}</small>" if line.where else ""
                rows.append(
                    f'<tr><td style="text-align:right">{math(line.left.mathml)}</td>'
                    f'<td style="text-align:left">{math(line.relation_mathml)} {where}</td>'
                    f'<td style="text-align:left">{why}</td></tr>'
                )
            out.append("<table>" + "".join(rows) + "</table>")
        return "\n".join(out)

    mathml = html

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "title": self.title,
            "sections": [
                {"title": s.title, "note": s.note, "lines": [line.as_dict() for line in s.lines]} for s in self.sections
            ],
        }

    def section(self, title: str) -> Section:
        """The section whose title starts like this."""
        for s in self.sections:
            if s.title.lower().startswith(title.lower()):
                return s
        raise KeyError(f"no section {title!r}; there are: {', '.join(s.title for s in self.sections)}")

    def _repr_latex_(self) -> str:
        return self.latex()

    def _repr_html_(self) -> str:
        return self.html()

    def __str__(self) -> str:
        return self.text()


def _text_line(line: Line) -> list[str]:
    if line.kind == "heading":
        return ["", f"  {line.left.text}:"]
    body = line.body().text.strip()
    if line.left and line.right and len(body) > WIDE:
        out = [f"  {line.left.text}", f"      {line.sign} {line.right.text}"]
    else:
        out = [f"  {body}" if line.left else f"      {body}"]
    why = "; ".join(w for w in (line.rule, line.comment) if w)
    notes = [f"where {line.where.text}"] if line.where else []
    notes += [f"[{why}]"] if why else []
    return [*out, "          " + "   ".join(notes)] if notes else out


def derive(what: Any) -> Derivation:
    """Everything that follows from the energy of a rule (or of a catalogue entry with a rule)."""
    rule = what
    if not hasattr(rule, "equations") and callable(getattr(what, "rule", None)):
        rule = what.rule()
    equations = getattr(rule, "equations", None)
    if not isinstance(equations, Equations):
        name = getattr(what, "id", None) or type(what).__name__
        raise RuleError(f"{name} has no rule with an energy to derive from; expected a Rule such as rules.zil(MLP())")
    return _Deriver(equations).derivation()


def gradient(theory: Theory, term: Term, target: App) -> Derivative:
    """The derivative, its step-by-step elimination compared with it."""
    d = diff(theory, term, target)
    check(d)
    return d


class _Deriver:
    """Works out the sections for one rule."""

    def __init__(self, e: Equations) -> None:
        self.e, self.net = e, e.net
        self.theory = e.net.energy_theory()
        self.by_x = gradient(self.theory, e.energy, App("x", _STATE))
        ranges = (*self.net.assumptions, *span(_b, 0, B), *span(_i, 0, width(_l)))
        self.layers = {_role(c): c for c in self.by_x.cases((ge(_l, 0), le(_l, L)), ranges)}
        self.factor = self._step_factor()

    def derivation(self) -> Derivation:
        sections = [
            self.energy(), self.by_activity(), self.by_layer(), self.dynamics(), *map(self.by_weight, self.net.kinds),
            self.prediction_phase(), self.learning_phase(), self.backprop(), *map(self.backprop_change, self.net.kinds),
            self.in_motion(),
        ]  # fmt: skip
        return Derivation(f"{self.e.name} on {self.net.name}: everything from the energy", tuple(sections))

    # -- energy ------------------------------------------------------------------
    def energy(self) -> Section:
        lines = []
        for name, number in (("mu", "eq. 5"), ("eps", "eq. 5")):
            d = self.theory.definition(name)
            assert d is not None
            lines += _definition(d, f"definition ({number})")
        pen = Pen((self.e.energy,))
        lines.append(Line(_F, pen.term(self.e.energy), rule="the energy", comment=""))
        return Section("The energy", tuple(lines), "Layers are numbered from the output (0) to the input (L).")

    # -- gradient by activities -----------------------------------------------------
    def by_activity(self) -> Section:
        lines = _gradient_lines(_F, self.by_x)
        return Section(
            "The gradient by an activity", tuple(lines),
            "Each occurrence of x leaves indicators (Kronecker deltas). One picks one term of its sum, and the range in"
            " which that term has to lie is kept as a side condition: the boundary layers come from these ranges.",
        )  # fmt: skip

    def by_layer(self) -> Section:
        lines = []
        for role in (OUTPUT, HIDDEN, INPUT):
            for name, c in self.layers.items():
                if name.startswith(role):
                    value, layer = _at_layer(c)
                    pen = Pen((value, layer), [c.guard])
                    left = minus(pen.partial(_F, layer))
                    lines.append(Line(left, pen.term(collect(neg(value))), where=pen.cons(c.guard), rule=name))
        return Section("The three kinds of layers", tuple(lines), "Which parts are present depends on the layer only.")

    # -- dynamics --------------------------------------------------------------------
    def _gradient_at(self, role: str) -> Term | None:
        c = self.layers.get(role)
        return None if c is None else c.value

    def _step_factor(self) -> Term | None:
        """c with step = -c dF/dx on hidden layers, if the rule steps along the gradient."""
        g = self._gradient_at(HIDDEN)
        if g is None or len(self.e.step) != 1:
            return None
        value = self.e.step[0].value
        candidates: list[Term] = [ONE]
        for s in subterms(value):
            if isinstance(s, (Num, Inv)) or (isinstance(s, App) and not s.args and s.name not in ("x", "mu", "eps")):
                candidates += [s, neg(s)]
        return next((c for c in candidates if ring_equal(value, _expanded(neg(c), g))), None)

    def dynamics(self) -> Section:
        step = symbol("x[t+1] - x[t]", r"\Delta x_{i,t}^{l}", "<mi>Δ</mi>" + _sub("x", "i,t", "l"))
        lines = []
        zero = symbol("0", "0", "<mn>0</mn>")
        lines.append(Line(step, zero, where=_layer(eq(_l, L)), rule="input layer: clamped to the input"))
        for c in self.e.step:
            pen = Pen((c.value,), [c.guard])
            lines.append(Line(step, pen.term(c.value), where=pen.cons(c.guard), rule=self._step_words()))
        free = self._gradient_at(OUTPUT)
        if free is not None and self.factor is not None:
            value = _expanded(neg(self.factor), subst(free, {"l": Idx(0)}))
            pen = Pen((value,))
            rule = "output layer, prediction: free, the same step"
            lines.append(Line(step, pen.term(value), where=_layer(eq(_l, 0)), rule=rule))
        lines.append(Line(step, zero, where=_layer(eq(_l, 0)), rule="output layer, learning: clamped to the target"))
        return Section("The discrete dynamics", tuple(lines), "Eq. 7: activities descend the energy in steps.")

    def _step_words(self) -> str:
        if self.factor is None:
            return "hidden layers: the rule's own step (not a multiple of -dF/dx)"
        if self.factor is ONE:
            return "hidden layers: -dF/dx, with step size 1"
        return f"hidden layers: -dF/dx times {Pen((self.factor,)).term(self.factor).text}"

    # -- weights ---------------------------------------------------------------------
    def by_weight(self, kind: WeightKind) -> Section:
        units = tuple(qvar(u) for u in kind.units)
        target = App(kind.name, (_l, *units))
        d = gradient(self.theory, self.e.energy, target)
        lines = _gradient_lines(_F, d)
        ranges = tuple(c for u, bound in zip(units, kind.bounds(_l)) for c in span(u, 0, bound))
        cases = d.cases((ge(_l, 1), le(_l, L)), (*self.net.assumptions, *ranges))
        for c in cases:
            pen = Pen((c.value, target), [c.guard])
            left = minus(pen.partial(_F, target))
            lines.append(Line(left, pen.term(collect(neg(c.value))), where=pen.cons(c.guard), rule="all weights"))
        lines.append(Line(words(f"plasticity of {kind.name} (eq. 9)"), kind="heading"))
        for c in self.e.change[kind.name]:
            pen = Pen((c.value, target), [c.guard])
            along = any(ring_equal(c.value, _expanded(neg(App("alpha")), g.value)) for g in cases)
            name = kind.name
            rule = f"alpha times -dF/d{name}" if along else f"the rule's own change (not -alpha dF/d{name})"
            when = "at every time t" if self.e.gate is None else "at every time, phi made of the unit's own error"
            if self.e.when != EVERY_STEP:
                when = "at t = " + Pen().index(moment(self.e.when)).text + " and at no other time"
            change = pen.term(App(kind.change, (_l, *units)))
            lines.append(Line(change, pen.term(c.value), where=pen.cons(c.guard), rule=rule, comment=when))
        return Section(f"The gradient by a weight: {kind.name}", tuple(lines), kind.meaning)

    # -- fixed points --------------------------------------------------------------
    def prediction_phase(self) -> Section:
        lines: list[Line] = []
        settled = True
        for role in (OUTPUT, HIDDEN):
            c = self.layers.get(role)
            solved = None if c is None else solve(c)
            if c is None or solved is None:
                lines.append(Line(words(f"{role}: the gradient is not linear in its own error; not solved"), sign=""))
                settled = False
                continue
            error, value, condition = solved
            pen = Pen((error, value, c.value), [c.guard])
            x = App("x", error.idx)
            lines.append(Line(pen.partial(_F, x) + words(" = 0"), pen.term(error) + words(" = ") + pen.term(value),
                              sign="<->", where=pen.cons(c.guard), rule=f"{role}: solved for the error",
                              comment=condition))  # fmt: skip
            if role == HIDDEN:
                rest = vanish(value, "eps")
                pen2 = Pen((error, rest), [c.guard])
                lines.append(Line(pen2.term(error), pen2.term(rest), where=pen2.cons(c.guard),
                                  rule="the errors of layer l-1 are 0, by induction over the layers"))  # fmt: skip
                settled = settled and rest is ZERO
            else:
                settled = settled and value is ZERO
        back = {role: vanish(c.value, "eps") for role, c in self.layers.items() if not role.startswith(INPUT)}
        for role, rest in back.items():
            c = self.layers[role]
            pen = Pen((rest, App("x", _STATE)), [c.guard])
            lines.append(Line(pen.partial(_F, App("x", _STATE)), pen.term(rest), where=pen.cons(c.guard),
                              rule=f"conversely, put every error to 0 ({role})"))  # fmt: skip
        settled = settled and all(r is ZERO for r in back.values())
        if settled:
            error = App("eps", _STATE)
            pen = Pen((error, App("x", _STATE)))
            x_mu = pen.term(App("x", _STATE)) + words(" = ") + pen.term(App("mu", _STATE))
            lines.append(Line(pen.term(error) + words(" = 0"), x_mu, sign="<->", rule="definition of the error",
                              where=_layers(0), comment="then x = y, the forward pass, layer by layer"))  # fmt: skip
            note = "Input clamped, all else free: the gradient vanishes if and only if x = mu everywhere."
        else:
            note = "Input clamped, all else free. For this energy the fixed point is not x = mu."
        return Section("Fixed points of prediction", tuple(lines), note)

    def learning_phase(self) -> Section:
        lines: list[Line] = []
        definition = self.theory.definition("eps")
        assert definition is not None
        first = App("eps", (Idx(0), _b, _i))
        value = subst(definition.cases[0].value, {"l": Idx(0)})
        clamped = replace_apps(
            value, lambda a: App("s_out", a.idx[1:]) if a.name == "x" and a.idx[0] == Idx(0) else None
        )
        pen = Pen((first, clamped))
        lines.append(Line(pen.term(first), pen.term(clamped), rule="output layer: clamped to the target"))
        c = self.layers.get(HIDDEN)
        solved = None if c is None else solve(c)
        if c is not None and solved is not None:
            error, right, condition = solved
            pen = Pen((error, right, c.value), [c.guard])
            gradient_zero = pen.partial(_F, App("x", error.idx)) + words(" = 0")
            lines.append(Line(gradient_zero, pen.term(c.value) + words(" = 0"), sign="<->", where=pen.cons(c.guard),
                              rule="hidden layers"))  # fmt: skip
            lines.append(Line(EMPTY, pen.term(error) + words(" = ") + pen.term(right), sign="<->",
                              rule="solved for the error of layer l", comment=condition))  # fmt: skip
        note = "Input and output clamped: the recursion of backprop in form, but taken at the equilibrium x, not at y."
        return Section("Fixed points of learning", tuple(lines), note)

    # -- backprop ------------------------------------------------------------------
    def backprop(self) -> Section:
        theory, term = lagrangian(self.net, weight_names(self.net))
        _, groups = backprop_definitions(self.net)
        named = {d.name: d for g in groups for d in g}
        loss = self.net.loss()
        lines = _definition(named["y"], "forward pass (eq. 1)")
        squared = loss == Network.loss(self.net)
        rule = "squared error (eq. 2)" if squared else "the network's own loss"
        lines.append(Line(_E, Pen((loss,)).term(loss), rule=rule))
        lines.append(Line(_LAGRANGE, Pen((term,)).term(term), rule="loss and forward pass, with multipliers delta"))
        lines += _gradient_lines(_LAGRANGE, gradient(theory, term, App("y", _STATE)))
        lines.append(Line(words("so the multipliers are (eq. 4)"), kind="heading"))
        lines += _definition(named["delta"], "stationary in y")
        note = "From the loss, not from the energy: delta is -dE/dy, the multiplier of the forward pass."
        return Section("Backprop from the loss", tuple(lines), note)

    def backprop_change(self, kind: WeightKind) -> Section:
        theory, term = lagrangian(self.net, weight_names(self.net))
        _, groups = backprop_definitions(self.net)
        named = {d.name: d for g in groups for d in g}
        target = App(kind.initial, (_l, *(qvar(u) for u in kind.units)))
        lines = _gradient_lines(_LAGRANGE, gradient(theory, term, target))
        lines.append(Line(words("so the change is (eq. 3)"), kind="heading"))
        lines += _definition(named[kind.initial_change], "alpha times the gradient of the Lagrangian")
        return Section(f"The change that backprop makes: {kind.initial}", tuple(lines))

    # -- motion ----------------------------------------------------------------------
    def in_motion(self) -> Section:
        theory = timed_theory(self.e)
        lines: list[Line] = []
        names = {"x", *(k.name for k in self.net.kinds)}
        for group in theory.definitions:
            for d in group:
                if d.name in names:
                    lines += _definition(d, "activities" if d.name == "x" else "weights")
                if d.name == "eps_mixed" and self.e.order in SWEEPS:
                    lines += _definition(d, "errors in the midst of a sweep")
        note = f"Update order: {self.e.order}."
        if self.e.substeps > 1:
            note += f" Activities move {self.e.substeps} times in a time step; t counts these moves."
        return Section("The rule in motion", tuple(lines), note)


# -- pieces ------------------------------------------------------------------------
def _gradient_lines(what: Formula, d: Derivative) -> list[Line]:
    """Raw derivative, then every occurrence with its deltas used up, then the sum of parts."""
    found = occurrences(d.raw)
    chains = [(o, picks(o)) for o in found]
    shown = [d.target, d.term, *(o.closed() for o in found), *(p.left.closed() for _, ps in chains for p in ps)]
    shown += [p.term for p in d.parts]
    guards: list[tuple[Con, ...]] = [p.condition for _, ps in chains for p in ps] + [p.conditions for p in d.parts]
    pen = Pen(shown, guards)
    raw = add(*(o.closed() for o in found))
    left = pen.partial(what, d.target)
    lines = [Line(left, pen.block(raw), rule="product rule, chain rule; dx/dx is 1 where all indices agree")]
    for n, (o, ps) in enumerate(chains):
        lines.append(Line(words(f"occurrence {n + 1} of {len(chains)}"), kind="heading"))
        first, binders = pen.term(o.closed()), len(o.binders)
        for p in ps:
            picked = len(p.left.binders) < binders
            rule = "an indicator picks one term of its sum" if picked else "an indicator outside all sums"
            binders = len(p.left.binders)
            lines.append(Line(first, pen.term(p.left.closed()), where=pen.cons(p.condition), rule=rule))
            first = EMPTY
    lines.append(Line(words("together"), kind="heading"))
    for n, part in enumerate(d.parts):
        negative = n > 0 and _is_negative(part.term)
        shown_part = pen.term(neg(part.term) if negative else part.term)
        joint = "=" if n == 0 else "-" if negative else "+"
        lines.append(Line(left if n == 0 else EMPTY, shown_part, sign=joint, where=pen.cons(part.conditions),
                          rule="present where its side conditions hold"))  # fmt: skip
    return lines


def _is_negative(t: Term) -> bool:
    return isinstance(t, Mul) and isinstance(t.args[0], Num) and t.args[0].value < 0


def _definition(d: Definition, rule: str) -> list[Line]:
    """A definition, one line for each case."""
    head = App(d.name, [qvar(p) for p in d.params])
    pen = Pen((head, *(c.value for c in d.cases)), [c.guard for c in d.cases], d.params)
    return [Line(pen.term(head), pen.term(c.value), where=pen.cons(c.guard), rule=rule) for c in d.cases]


def _role(c: Case) -> str:
    if entails(c.guard, eq(_l, 0)):
        return OUTPUT
    if entails(c.guard, eq(_l, L)):
        return INPUT
    if entails(c.guard, ge(_l, 1)) and entails(c.guard, le(_l + 1, L)):
        return HIDDEN
    return f"{HIDDEN} ({Pen(guards=[c.guard]).cons(c.guard).text})"


def _at_layer(c: Case) -> tuple[Term, App]:
    """A case with the layer put in where the guard fixes it."""
    for role, value in ((OUTPUT, Idx(0)), (INPUT, L)):
        if _role(c) == role:
            target = App("x", (value, _b, _i))
            return subst(c.value, {"l": value}), target
    return c.value, App("x", _STATE)


def _layer(c: Con) -> Formula:
    return Pen(guards=[[c]]).cons([c])


def _layers(first: int) -> Formula:
    cons = (ge(_l, first), le(_l + 1, L))
    return Pen(guards=[cons]).cons(cons)


def _sub(head: str, lower: str, upper: str) -> str:
    low = "".join(f"<mi>{c}</mi>" if c.isalpha() else f"<mo>{c}</mo>" for c in lower)
    return f"<msubsup><mi>{head}</mi><mrow>{low}</mrow><mi>{upper}</mi></msubsup>"


def _expanded(factor: Term, t: Term) -> Term:
    """factor * t, distributed over the addends of t."""
    return add(*(mul(factor, a) for a in t.args)) if isinstance(t, Add) else mul(factor, t)


def solve(c: Case) -> tuple[App, Term, str] | None:
    """The gradient of one layer set to zero, solved for that layer's own error.

    Returns the error, its value and a condition in words; None if the error
    does not occur linearly.
    """
    value, target = _at_layer(c)
    error = App("eps", target.idx)
    coefficient: list[Term] = []
    rest: list[Term] = []
    for a in value.args if isinstance(value, Add) else (value,):
        factors = list(a.args) if isinstance(a, Mul) else [a]
        if error in factors:
            factors.remove(error)
            coefficient.append(mul(*factors))
        else:
            rest.append(a)
    scale, other = add(*coefficient), add(*rest)
    if scale is ZERO or any(s is error for t in (scale, other) for s in subterms(t)):
        return None
    if isinstance(scale, Num):
        return error, collect(_expanded(Num(-1 / scale.value), other)), ""
    condition = f"where {Pen((scale,)).term(scale).text} is not 0"
    return error, collect(_expanded(neg(Inv(scale)), other)), condition


def vanish(t: Term, name: str) -> Term:
    """``t`` with every ``name(...)`` put to 0."""
    if isinstance(t, App) and t.name == name:
        return ZERO
    parts = [vanish(c, name) for _, c in children(t)]
    if isinstance(t, Add):
        return add(*parts)
    if isinstance(t, Mul):
        return mul(*parts)
    if isinstance(t, Sum):
        return ZERO if parts[0] is ZERO else Sum(t.bound, parts[0])
    return rebuild(t, parts)
