"""A proof script for each rule of equality, algebra, finite sums, operators and logic; it depends on the rule only.

Where the script is one term, the function gives the term.
"""

from __future__ import annotations

from fractions import Fraction

from . import names
from .step import Step, lemma
from .terms import CoqError
from .theory import pattern


def refl(s: Step) -> str:
    return f"(@eq_refl R {s.side(s.claim[1])})"


def sym(s: Step) -> str:
    return f"(eq_sym {s.same(0)})"


def trans(s: Step) -> str:
    return f"(eq_trans {s.same(0)} {s.same(1)})"


def congruence(s: Step) -> str:
    row = s.row(s.claim[1])
    parts = s.all
    if not parts:
        return refl(s)
    kind = row[0]
    if kind in ("add", "mul"):
        out = parts[0]
        for p in parts[1:]:
            out = f"(f_equal2 {'Rplus' if kind == 'add' else 'Rmult'} {out} {p})"
        return out
    if kind == "pow":
        return f"(f_equal (fun z_ : R => zpow z_ {s.texts.index(row[2])}) {parts[0]})"
    if kind in ("inv", "iszero"):
        return f"(f_equal {'rinv' if kind == 'inv' else 'iszero'} {parts[0]})"
    if len(parts) > 5:
        raise CoqError("a symbol of more than five real arguments is not supported by the Coq exporter")
    zs = [f"z{k}_" for k in range(len(parts))]
    head = " ".join([names.symbol(row[1]), "p", *(s.texts.index(i) for i in row[2]), *zs])
    which = "f_equal" if len(parts) == 1 else f"f_equal{len(parts)}"
    return f"({which} (fun {' '.join(zs)} : R => {head}) {' '.join(parts)})"


def sum_congruence(s: Step) -> str | list[str]:
    return s.summed("zsum_ext")


def argument_congruence(s: Step) -> list[str]:
    (position,) = s.arguments
    row, fresh = s.row(s.claim[1]), s.fresh(0)
    if not fresh:
        zs = [s.texts.function(b, arity=a) for a, b in row[3]]
        zs[position] = "z_"
        head = " ".join([names.symbol(row[1]), "p", *(s.texts.index(i) for i in row[2]), *zs])
        return [f"exact (f_equal (fun z_ : R => {head}) {s.same(0)})."]
    lines = [*s.opened(), f"apply {names.extensional(row[1])}; try (intros; exact eq_refl)."]
    ranges = " ".join(f"r1{k} r2{k}" for k in range(len(fresh)))
    return [*lines, f"intros {' '.join(fresh)} {ranges}; cbv beta.", *s.under(0, fresh)]


def index(s: Step) -> list[str]:
    return [*s.opened(), "idx."]


def unfold(s: Step) -> list[str]:
    row = s.row(s.claim[1])
    k = s.arguments[0]
    return [*s.opened(), f"pose proof {s.case_at(row, k, 'p')} as Q.", "refine (eq_trans Q _); idx."]


def ring(s: Step) -> str | list[str]:
    atoms: dict[int, str] = {}
    fractions: list[int] = []
    powers: list[int] = []

    def go(n: int) -> str:
        row = s.row(n)
        kind = row[0]
        if kind == "num":
            fractions.extend([n] if Fraction(row[1]).denominator != 1 else [])
            return s.texts.number(Fraction(row[1]))
        if kind in ("add", "mul"):
            parts = [go(r) for r in row[1:]]
            if len(parts) < 2:
                return parts[0] if parts else ("0" if kind == "add" else "1")
            return "(" + (" + " if kind == "add" else " * ").join(parts) + ")"
        if kind == "pow" and len(row[2]) == 1 and row[2][0] >= 0:
            powers.append(n)
            return f"({go(row[1])} ^ {row[2][0]})"
        return atoms.setdefault(n, f"a{len(atoms)}_")

    claim = f"{go(s.claim[1])} = {go(s.claim[2])}"
    tactic = "field" if fractions else "ring"
    if atoms:
        claim = f"forall {' '.join(atoms.values())} : R, {claim}"
    proof = f"({' '.join([s.identity(claim, tactic), *map(s.side, atoms)])})"
    return [f"exact {proof}."] if powers else proof  # for ring a power is written in another way


def power_zero(s: Step) -> list[str]:
    return [*s.opened(), "apply zpow_zero; arith."]


def power_step(s: Step) -> list[str]:
    return [*s.opened(), "apply zpow_step; arith."]


def inverse(s: Step) -> list[str]:
    return [f"exact (rinv_r _ {s.same(0)})."]


def sum_add(s: Step) -> list[str]:
    _, bound, body = s.row(s.claim[1])
    parts = s.row(body)[1:]
    n = s.texts.index(bound)
    if not parts:
        return [f"exact (zsum_zero {n})."]
    texts = [s.texts.body(q, "p", ())[1] for q in parts]
    out = "eq_refl"
    for k in range(1, len(parts)):
        before = " + ".join(texts[:k])
        step = f"zsum_add {n} (fun j0 : Z => {before}) (fun j0 : Z => {texts[k]})"
        rest = f"(f_equal (fun z_ : R => z_ + zsum {n} (fun j0 : Z => {texts[k]})) {out})"
        out = f"(eq_trans ({step}) {rest})" if k > 1 else f"({step})"
    return [f"exact {out}."]


def sum_scale(s: Step) -> list[str]:
    _, bound, body = s.row(s.claim[1])
    factor = s.row(s.claim[2])[1]
    rest = s.texts.function(s.row(body)[2])
    return [f"exact (zsum_scale {s.texts.index(bound)} {s.side(factor)} {rest})."]


def sum_swap(s: Step) -> list[str]:
    _, bound, body = s.row(s.claim[1])
    new = s.row(s.claim[2])[1]
    fresh, _ = s.texts.body(body, "p", ())
    inner = s.texts.function(s.row(body)[2], "p", fresh)
    swapped = f"zsum_swap {s.texts.index(bound)} {s.texts.index(new)} (fun j0 : Z => {inner})"
    return [f"refine (eq_trans ({swapped}) _); idx."]


def sum_split(s: Step) -> list[str]:
    return [*s.opened(), "apply zsum_split; [arith | arith | arith | intros; idx]."]


def sum_empty(s: Step) -> list[str]:
    return [*s.opened(), "apply zsum_empty; arith."]


def sum_single(s: Step) -> list[str]:
    return [*s.opened(), "apply zsum_single; [arith | idx]."]


def sum_zero(s: Step) -> list[str]:
    return ["apply zsum_zero."]


def iverson_true(s: Step) -> list[str]:
    return [*s.opened(), "apply if_true; arith."]


def iverson_false(s: Step) -> list[str]:
    return [*s.opened(), "apply if_false; arith."]


def instantiate(s: Step) -> list[str]:
    premise = s.item["premises"][0]
    number = s.steps.items[premise]["context"]
    values = s.values(s.arguments[0])
    return [
        *s.opened(),
        *s.enters(number, values, inner=False),
        f"pose proof ({lemma(premise)} p A H {' '.join([*values, 'K'])}) as Q.",
        s.finish(),
    ]


def hypothesis(s: Step) -> list[str]:
    which, row = s.arguments
    lines = s.opened()
    if isinstance(which, str):
        given = s.theory.theory["hypotheses"][which]
        known = [f"n{k}" for k in range(len(s.theory.theory["hypotheses"]))]
        head = known[list(s.theory.theory["hypotheses"]).index(which)]
        lines += [f"pose proof H as H_; destruct H_ as {pattern(known)}; unfold {names.hypothesis(which)} in {head}."]
    else:
        given = s.context["given"][which]
        head = f"h{which}"
    values = s.values(row)
    used = " ".join([head, *values, *["ltac:(arith)"] * len(given["where"])])
    return [*lines, f"pose proof ({used}) as Q.", s.finish()]


def weaken(s: Step) -> list[str]:
    return [*s.opened(), *s.other(0, s.variables[: len(s.steps.contexts[_context_of(s, 0)]["for"])])]


def _context_of(s: Step, k: int) -> int:
    number: int = s.steps.items[s.item["premises"][k]]["context"]
    return number


def cases(s: Step) -> list[str]:
    kind, i = s.arguments[0]
    e = s.texts.index(i)
    lines = s.opened()
    parts = ["{ " + " ".join(s.other(k, s.variables)) + " }" for k in range(len(s.item["premises"]))]
    if kind == "ge":
        return [*lines, f"destruct (Z_le_gt_dec 0 {e}) as [q_|q_].", *parts]
    lines.append(f"destruct (Z.eq_dec {e} 0) as [q_|q_].")
    if kind == "ne":
        return [*lines, parts[1], parts[0]]
    return [*lines, parts[0], f"destruct (Z_lt_le_dec 0 {e}) as [r_|r_].", *parts[1:]]


def real_cases(s: Step) -> list[str]:
    """The premises know one thing more, a = b and a <> b."""
    known = s.steps.contexts[_context_of(s, 0)]["given"][-1]["holds"]
    new = f"h{len(s.context['given'])}"
    return [
        *s.opened(),
        f"destruct (Req_EM_T {s.side(known[1])} {s.side(known[2])}) as [{new}|{new}].",
        *("{ " + " ".join(s.other(k, s.variables)) + " }" for k in (0, 1)),
    ]


def clash(s: Step) -> list[str]:
    return [f"exfalso; exact ({s.same(1)} {s.same(0)})."]


def iszero_zero(s: Step) -> list[str]:
    return [f"exact (iszero_zero _ {s.same(0)})."]


def iszero_other(s: Step) -> list[str]:
    return [f"exact (iszero_other _ {s.same(0)})."]


def absurd(s: Step) -> list[str]:
    return [*s.opened(), "exfalso; arith."]


def distinct(s: Step) -> list[str]:
    return [f"exfalso; pose proof {s.same(0)} as Q; lra."]


def induct(s: Step) -> list[str]:
    k, measures, _ = s.arguments
    m = s.texts.index(measures[k])
    name = s.steps.induction_name(s.item)
    claims = [f"I{j}" for j in range(len(measures))]
    guards = " ".join(f"g{j}" for j in range(len(s.context["where"])))
    return [
        *s.opened(),
        f"pose proof ({name} p A H (Z.to_nat ({m} + 1))) as J; destruct J as {pattern(claims)}.",
        f"apply (I{k} {' '.join(s.variables)} {guards}); arith.",
    ]
