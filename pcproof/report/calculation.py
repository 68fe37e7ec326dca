"""A proof as a calculation that a person can read, with the rule of every line.

``calculation(proof)`` goes lemma by lemma: the statement, its cases (with a
line for completeness), and in every case ``lhs = ... = rhs`` with the rule in
words.  Under each visible line stand the kernel steps that it is made of.
``as_log`` prints the lines aligned, each ending in ``Q.E.D.``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..language.arith import entails
from ..language.index import Con, Idx, QVar
from ..language.show import TextPrinter, show, show_guards
from ..language.signature import Eq, Relation, Statement, Tangent, relation_terms
from ..language.terms import App, Term, free_vars
from ..proof.certificate import Proof
from ..proof.kernel import Item
from .formula import EMPTY, Formula, Line, Pen, differential, relation_formula, statement, symbol, words
from .steps import Step, below, flatten

ALGEBRA = "algebra"
_FORWARD = {
    "ring": "ring",
    "index": "equal indices",
    "power_zero": "a power with exponent 0 is 1",
    "power_step": "split one factor off the power",
    "inverse": "a times 1/a is 1",
    "real_cases": "equal or not",
    "clash": "cannot happen: equal and not equal",
    "iszero_zero": "it is 0",
    "iszero_other": "it is not 0",
    "le_number": "numbers in order",
    "le_equal": "equal",
    "le_trans": "one below the other",
    "le_both": "neither is larger",
    "le_add": "inequalities added",
    "le_mul": "products of what is not negative",
    "le_square": "squares are not negative",
    "le_sum": "sums in order, term by term",
    "sum_add": "sum term by term",
    "sum_scale": "move factor out of the sum",
    "sum_swap": "exchange the order of sums",
    "sum_split": "split the range of the sum",
    "sum_empty": "the sum is empty",
    "sum_single": "the sum has one term",
    "sum_zero": "a sum of zeros is 0",
    "iverson_true": "the condition holds",
    "iverson_false": "the condition cannot hold",
    "absurd": "cannot happen: the conditions contradict each other",
    "tangent_constant": "does not vary",
    "tangent_variable": "is what varies",
    "tangent_add": "derivative of a sum",
    "tangent_mul": "product rule",
    "tangent_sum": "derivative of a finite sum",
    "tangent_function": "chain rule",
    "tangent_unfold": "differentiate the definition",
    "tangent_convert": "rewrite the derivative",
}
_BACKWARD = {
    "power_step": "join one factor with the power",
    "sum_add": "join the sums",
    "sum_scale": "move factor into the sum",
    "sum_split": "join the ranges of the sums",
}
CITED = "cited"
_CITING = ("hypothesis", "instantiate")


def calculation(proof: Proof) -> list[Line]:
    """The whole proof, lemma by lemma and then the goals."""
    return _Reader(proof).lines()


def definition_uses(proof: Proof) -> list[tuple[str, Item]]:
    """Every unfolding in the proof, with the title of the lemma or goal in which it stands."""
    reader = _Reader(proof)
    reader.lines()
    return [(title, reader.items[n]) for title, n in reader.unfolded]


class _Reader:
    """Turns the items of one proof into lines."""

    def __init__(self, proof: Proof) -> None:
        self.proof = proof
        self.items: dict[int, Item] = {i.id: i for i in proof.kernel.items}
        self.names: dict[int, str] = {th.id: name for name, th in proof.lemmas.items()}
        self.needed = {i.id for i in proof.items()}
        self.counted: set[int] = set()
        self.groups: list[list[int]] = []
        self.unfolded: list[tuple[str, int]] = []
        self.goals = {g.id for g in proof.goals}
        self.twins: dict[int, list[int]] = {}
        self._name_auxiliaries()
        hidden = {n for ns in self.twins.values() for n in ns}
        for number in self.names:
            group = self._group(number)
            if number not in hidden and group not in self.groups and any(n in self.needed for n in group):
                self.groups.append(group)
        self.groups.sort(key=max)

    def _name_auxiliaries(self) -> None:
        """Theorems that are used like lemmas but have no name; the same statement proved twice is shown once."""
        said: dict[object, int] = {}
        for item in self.proof.items():
            for p in item.premises if item.rule == "instantiate" else ():
                if p in self.names or p in self.goals:
                    continue
                key = (self.items[p].context, self.items[p].claim)
                if key in said:
                    self.names[p] = self.names[said[key]]
                    self.twins[said[key]].append(p)
                else:
                    said[key] = p
                    self.twins[p] = []
                    self.names[p] = f"auxiliary {len(said)}"

    def _group(self, number: int) -> list[int]:
        """Named lemmas that one joint induction proves."""
        item = self.items[number]
        if item.rule != "induct":
            return [number]
        same = (i for i in self.names if self.items[i].rule == "induct" and self.items[i].premises == item.premises)
        return sorted(same, key=lambda i: int(self.items[i].arguments[0]))

    # -- whole ---------------------------------------------------------------
    def lines(self) -> list[Line]:
        out: list[Line] = []
        for group in self.groups:
            if len(group) > 1:
                listed = ", ".join(self.names[n] for n in group)
                text = f"The next {len(group)} lemmas are proved together, by one induction: {listed}"
                out.append(Line(words(text), kind="text"))
            for number in group:
                out += self._theorem(number, self.names[number], group)
        for n, g in enumerate(self.proof.goals):
            if g.id not in self.names:
                title = "goal" if len(self.proof.goals) == 1 else f"goal {n + 1} of {len(self.proof.goals)}"
                self.names[g.id] = title
                out += self._theorem(g.id, title, [g.id])
        return out

    def _theorem(self, number: int, title: str, group: Sequence[int]) -> list[Line]:
        item = self.items[number]
        s = Statement(item.context.variables, item.context.guards, item.claim)
        how, body, hypotheses = "", number, [self.names.get(n, "") for n in group]
        if item.rule == "induct":
            which, measures = int(item.arguments[0]), item.arguments[1]
            how = f"by induction on {_measure(measures[which])}"
            if len(item.premises) > 1:
                how = f"by joint induction on {_measure(measures[which])}"
            body = item.premises[which]
        before = set(self.counted)
        self.counted |= {number} & self.needed  # a lemma of a joint induction may go unused afterwards
        for twin in self.twins.get(number, ()):
            self.counted |= set(below(self.items, twin))
        steps = self._proof(body, 1, hypotheses)
        if item.rule == "induct":
            steps += self._uncited(item, hypotheses)
        own = self.counted - before
        self.unfolded += [(title, n) for n in sorted(own) if self.items[n].rule == "unfold"]
        total = len(own)
        head = Line(symbol(title, latex=rf"\text{{{title}}}", mathml=f"<mtext>{title}</mtext>"), kind="heading",
                    items=total)  # fmt: skip
        said = Line(statement(s), kind="statement", comment=how, rule=how)
        end = Line(words(title), kind="qed", items=total)
        return [head, said, *steps, end]

    def _uncited(self, item: Item, hypotheses: Sequence[str]) -> list[Line]:
        """What a joint induction proves beside, for its own sake, and nothing cites afterwards."""
        cited = (i for i in (*self.names, *self.goals) if self.items[i].rule == "induct")
        named = {int(self.items[i].arguments[0]) for i in cited if self.items[i].premises == item.premises}
        out: list[Line] = []
        for n, number in enumerate(item.premises):
            if n in named or number in self.counted:
                continue
            body = self.items[number]
            said = statement(Statement(body.context.variables, body.context.guards, body.claim))
            out.append(Line(words("by the same induction: ") + said, depth=1, kind="case"))
            out += self._proof(number, 2, hypotheses)
        return out

    # -- one relation ----------------------------------------------------------
    def _proof(self, number: int, depth: int, hypotheses: Sequence[str]) -> list[Line]:
        item = self.items[number]
        if item.rule == "cases":
            return self._cases(item, depth, hypotheses)
        if item.rule == "absurd":
            return [self._single(item, depth)]
        if isinstance(item.claim, Eq):
            return self._equation(item, depth, hypotheses)
        if isinstance(item.claim, Tangent):
            return self._tangent(item, depth, hypotheses)
        return [self._single(item, depth)]

    def _cases(self, item: Item, depth: int, hypotheses: Sequence[str]) -> list[Line]:
        con = item.arguments[0]
        assert isinstance(con, Con)
        branches = (con, *con.negations())
        out: list[Line] = []
        self.counted.add(item.id)
        for branch, number in zip(branches, item.premises):
            shown = words("Case ") + Pen(guards=[[branch]]).cons([branch])
            if self.items[number].rule == "absurd":
                self.counted.add(number)
                out.append(Line(shown, depth=depth, kind="case", rule=_FORWARD["absurd"], items=1))
                continue
            out.append(Line(shown, depth=depth, kind="case"))
            out += self._proof(number, depth + 1, hypotheses)
        pen, listed = Pen(guards=[branches]), EMPTY
        for k, branch in enumerate(branches):
            listed = listed + (words(" or ") if k else EMPTY) + pen.cons([branch])
        out.append(Line(words("Completeness: ") + listed, depth=depth, kind="complete", items=1,
                        rule="linear integer arithmetic"))  # fmt: skip
        return out

    def _single(self, item: Item, depth: int) -> Line:
        found = below(self.items, item.id)
        ids = set(found) - self.counted
        self.counted |= ids
        rule = _reason(self, item, False, ())
        if item.rule == "absurd":
            pen = Pen(guards=[item.context.guards])
            return Line(pen.cons(item.context.guards), rule=rule, depth=depth, items=len(ids))
        inner = tuple(self._tangent_step(self.items[n], depth + 1, ()) for n in found if n != item.id)
        return Line(relation(item.claim), sign="", rule=rule, depth=depth, items=len(ids), children=inner)

    def _equation(self, item: Item, depth: int, hypotheses: Sequence[str]) -> list[Line]:
        claim = item.claim
        assert isinstance(claim, Eq)
        steps = flatten(self.items, item.id)
        if not steps:
            pen = Pen((claim.lhs, claim.rhs), [item.context.guards], item.context.variables)
            ids = set(below(self.items, item.id)) - self.counted
            self.counted |= ids
            return [Line(pen.term(claim.lhs), pen.term(claim.rhs), rule="the same", depth=depth, items=len(ids))]
        groups = self._grouped(steps, hypotheses)
        shown = [steps[0].before, *(g[-1].after for _, g in groups)]
        pen = Pen(shown, [item.context.guards], item.context.variables)
        return self._written(groups, pen, depth, hypotheses)

    def _grouped(self, steps: Sequence[Step], hypotheses: Sequence[str]) -> list[tuple[str, list[Step]]]:
        """Neighbours of one kind make one line; a line that looks the same joins its neighbour."""
        out: list[tuple[str, list[Step]]] = []
        for s in steps:
            kind = _kind(self, s, hypotheses)
            if out and out[-1][0] == kind:
                out[-1][1].append(s)
            else:
                out.append((kind, [s]))
        merged: list[tuple[str, list[Step]]] = []
        pending: list[Step] = []
        for kind, group in out:
            group = pending + group
            pending = []
            if _look(group[0].before) == _look(group[-1].after):
                if merged:
                    merged[-1][1].extend(group)
                else:
                    pending = group
            elif merged and merged[-1][0] == kind:
                merged[-1][1].extend(group)
            else:
                merged.append((kind, group))
        if pending:
            merged.append((ALGEBRA, pending))
        return merged

    def _written(
        self, groups: Sequence[tuple[str, list[Step]]], pen: Pen, depth: int, hypotheses: Sequence[str]
    ) -> list[Line]:
        out = []
        for n, (_, group) in enumerate(groups):
            ids = frozenset().union(*(s.ids for s in group)) - self.counted
            self.counted |= ids
            left = pen.term(group[0].before) if n == 0 else EMPTY
            children = tuple(x for s in group for x in self._kernel_steps(s, depth + 1, hypotheses))
            out.append(
                Line(left, pen.block(group[-1].after), rule=_label(self, group, hypotheses), depth=depth,
                     items=len(ids), children=children)
            )  # fmt: skip
        return out

    def _kernel_steps(self, s: Step, depth: int, hypotheses: Sequence[str]) -> list[Line]:
        """What a step rests on, and the step."""
        found = [n for n in below(self.items, s.item.id) if n != s.item.id]
        under = [self._tangent_step(self.items[n], depth + 1, hypotheses) for n in found]
        return [*under, self._kernel_step(s, depth, hypotheses)]

    def _kernel_step(self, s: Step, depth: int, hypotheses: Sequence[str]) -> Line:
        claim = s.item.claim
        assert isinstance(claim, Eq)
        before, after = (claim.rhs, claim.lhs) if s.backwards else (claim.lhs, claim.rhs)
        pen = Pen((before, after), [s.item.context.guards], s.item.context.variables)
        return Line(pen.term(before), pen.term(after), rule=_reason(self, s.item, s.backwards, hypotheses),
                    comment=f"step {s.item.id}: {s.item.rule}", depth=depth, items=1)  # fmt: skip

    def _tangent(self, item: Item, depth: int, hypotheses: Sequence[str]) -> list[Line]:
        """A derivative: differentiated first, then rewritten."""
        converts: list[int] = []
        carriers: set[int] = set()
        base = item
        while base.rule in ("tangent_convert", "weaken"):
            if base.rule == "tangent_convert":
                converts.append(base.premises[1])
            carriers.add(base.id)
            base = self.items[base.premises[0]]
        claim = base.claim
        assert isinstance(claim, Tangent)
        found = below(self.items, base.id)
        groups = [g for n in reversed(converts) for g in self._grouped(flatten(self.items, n), hypotheses)]
        shown = [claim.term, claim.tangent, *(g[-1].after for _, g in groups)]
        pen = Pen(shown, [base.context.guards], base.context.variables)
        inner = tuple(self._tangent_step(self.items[n], depth + 1, hypotheses) for n in found)
        ids = (set(found) | carriers) - self.counted
        self.counted |= ids
        left, right = differential(claim.direction, pen.term(claim.term)), pen.term(claim.tangent)
        rule = _reason(self, base, False, hypotheses)
        first = Line(left, right, rule=rule, depth=depth, items=len(ids), children=inner)
        return [first, *(replace(x, left=EMPTY) for x in self._written(groups, pen, depth, hypotheses))]

    def _tangent_step(self, item: Item, depth: int, hypotheses: Sequence[str]) -> Line:
        return Line(relation(item.claim), sign="", rule=_reason(self, item, False, hypotheses),
                    comment=f"step {item.id}: {item.rule}", depth=depth, items=1)  # fmt: skip


# -- words -----------------------------------------------------------------------
def _measure(m: Idx) -> str:
    """16 t + 3 is a rank inside one moment: say "time, ..." rather than the code."""
    coefficients = [c for _, c in m.terms]
    if coefficients == [16]:
        atom = m.terms[0][0]
        return f"{atom!r} (then the order of computation inside one moment)"
    return repr(m)


def _kind(reader: _Reader, s: Step, hypotheses: Sequence[str]) -> str:
    if s.item.rule == "unfold":
        return f"unfold {s.backwards} {_source(reader, s.item, hypotheses)}"
    if s.item.rule in _CITING:
        return CITED
    return "index" if s.item.rule == "index" else ALGEBRA


def _source(reader: _Reader, item: Item, hypotheses: Sequence[str]) -> str:
    """What an unfolding, a hypothesis or a lemma is called."""
    if item.rule == "unfold":
        claim = item.claim
        assert isinstance(claim, Eq) and isinstance(claim.lhs, App)
        return claim.lhs.name
    if item.rule == "hypothesis":
        which = item.arguments[0]
        if isinstance(which, str):
            return which
        return hypotheses[which] if which < len(hypotheses) else str(which + 1)
    return reader.names.get(item.premises[0], f"step {item.premises[0]}") if item.premises else ""


def _reason(reader: _Reader, item: Item, backwards: bool, hypotheses: Sequence[str]) -> str:
    """The rule of one kernel step, in words."""
    name = _source(reader, item, hypotheses) if item.rule in ("unfold", "hypothesis", "instantiate") else ""
    if item.rule == "unfold":
        claim = item.claim
        assert isinstance(claim, Eq)
        verb = "fold" if backwards else "unfold"
        return f"{verb} {name}{_case_words(reader, item, claim.lhs)}"
    if item.rule == "hypothesis":
        if isinstance(item.arguments[0], str):
            return f"hypothesis {name}"
        return f"induction hypothesis{_quoted(name)}{_values(item.arguments[1])}"
    if item.rule == "instantiate":
        kind = "" if name.startswith("goal") else "lemma "
        return f"{kind}{name}{_values(item.arguments[0])}"
    if item.rule == "index":
        return _since(item)
    table = {**_FORWARD, **_BACKWARD} if backwards else _FORWARD
    return table.get(item.rule, item.rule.replace("_", " "))


def _quoted(name: str) -> str:
    return f" ({name})" if name and not name.isdigit() else ""


def _case_words(reader: _Reader, item: Item, t: Term) -> str:
    assert isinstance(t, App)
    d = reader.proof.kernel.theory.definition(t.name)
    if d is None:
        return ""
    case = d.cases[int(item.arguments[0])]
    shown = show_guards(case.guard) if len(d.cases) > 1 else ""
    return f" (case {shown})" if shown else ""


def _values(pairs: object) -> str:
    """Where a hypothesis or lemma is used, with the trivial v := v left out."""
    if not isinstance(pairs, tuple):
        return ""
    shown = [(v.rstrip("'"), show_index(i)) for v, i in pairs]
    # a unit that is summed over has no name outside its sum, so it is not worth a word
    kept = [f"{v} := {i}" for v, i in shown if i != v and v not in ("b", "i", "j", "p")]
    return " at " + ", ".join(kept) if kept else ""


def show_index(i: Idx) -> str:
    """An index term as text."""
    return TextPrinter().index(i, ())


def _since(item: Item) -> str:
    """The equations between indices that a change of indices rests on."""
    claim = item.claim
    assert isinstance(claim, Eq)
    changed = free_vars(claim.lhs) ^ free_vars(claim.rhs)
    used = []
    for c in item.context.guards:
        equation = Con("eq", c.expr)
        named = {a.name for a in c.expr.atoms() if isinstance(a, QVar)}
        if c.kind != "ne" and named & changed and entails(item.context.guards, equation):
            used.append(equation)
    return f"since {show_guards(dict.fromkeys(used))}" if used else "equal indices"


def _label(reader: _Reader, group: Sequence[Step], hypotheses: Sequence[str]) -> str:
    """One label for a visible line."""
    seen = dict.fromkeys(_reason(reader, s.item, s.backwards, hypotheses) for s in group)
    strong = [r for r in seen if not r.startswith(("ring", "equal indices"))]
    chosen = strong or list(seen)
    heads = [r for r in chosen if r.startswith(("unfold", "fold", "induction", "lemma", "goal", "hypothesis"))]
    if not heads:
        return ", ".join(chosen)
    if len(heads) == 1:
        return heads[0]
    return _together(heads)


def _together(reasons: Sequence[str]) -> str:
    """Several uses of hypotheses and lemmas, each named once."""
    found: dict[str, list[str]] = {}
    for r in reasons:
        head = r.split(" at ")[0]
        for kind in ("induction hypothesis", "lemma", "hypothesis"):
            if head.startswith(kind):
                name = head.removeprefix(kind).strip(" ()")
                found.setdefault(kind, [])
                if name and name not in found[kind]:
                    found[kind].append(name)
                break
        else:
            found.setdefault(head, [])
    plural = {"induction hypothesis": "induction hypotheses", "lemma": "lemmas", "hypothesis": "hypotheses"}
    return "; ".join(
        f"{plural[kind] if len(names) > 1 else kind} {', '.join(names)}".strip() for kind, names in found.items()
    )


def _look(t: Term) -> str:
    return show(t)


def relation(r: Relation) -> Formula:
    """A relation as a formula."""
    return relation_formula(r, Pen(relation_terms(r)))


# -- printing ----------------------------------------------------------------------
def as_log(lines: Iterable[Line], width: int = 118, kernel_steps: bool = False) -> str:
    """Lines as an aligned log; every finished step ends in ``Q.E.D.``."""
    out: list[str] = []
    for line in lines:
        out += _log_line(line, width, kernel_steps)
    return "\n".join(out)


def _log_line(line: Line, width: int, kernel_steps: bool) -> list[str]:
    pad = "  " * line.depth
    if line.kind == "heading":
        name = line.left.text
        return ["", name.capitalize() if name.startswith("goal") else f"Lemma: {name}"]
    if line.kind == "statement":
        return [f"  {line.left.text}", f"  Proof {line.comment}:" if line.comment else "  Proof:"]
    if line.kind == "text":
        return ["", line.left.text]
    if line.kind == "case" and not line.rule:
        return [pad + line.left.text]
    if line.kind == "qed":
        return [_dotted(f"  Result: {line.left.text} ({line.items} kernel steps)", "", width)]
    if line.kind in ("complete", "case"):
        return [_dotted(pad + line.left.text, line.rule, width)]
    out = [pad + line.left.text] if line.left and line.right else []
    shown = f"  {line.sign} {line.right.text}" if line.right else line.left.text
    out.append(_dotted(pad + shown, line.rule, width))
    if kernel_steps:
        for c in line.children:
            out.append(f"{pad}      . {c.text}   [{c.comment}]")
    return out


def _dotted(text: str, rule: str, width: int) -> str:
    """Text, rule and Q.E.D. in columns; a rule that does not fit goes to a line of its own."""
    end = "Q.E.D."
    room = width - len(end)
    both = f"{text}   {rule}" if rule else text
    if len(both) + 1 <= room:
        gap = room - len(text) - len(rule) - 2
        middle = f"{text} {' ' * gap}{rule} " if rule else text + " " * (room - len(text))
        return middle + end
    return f"{text}\n{rule:>{room - 1}} {end}" if rule else f"{text}\n{'':>{room}}{end}"


def case_paths(lines: Iterable[Line]) -> list[str]:
    """The cases that occur, for tests and summaries."""
    return [line.left.text for line in lines if line.kind == "case"]
