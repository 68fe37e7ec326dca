"""One lemma for each item of a certificate: the claim as it stands there, and a script that depends on the rule only.

A rule that is not in ``SCRIPTS`` is refused by name; nothing is ever admitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import names, order, rules, tangents
from .step import Step, context, held, lemma
from .terms import CoqError, Json, Texts, arrow, forall
from .theory import TheoryText, pattern

SCRIPTS: dict[str, Callable[[Step], list[str]]] = {
    f.__name__: f
    for f in (
        rules.refl, rules.sym, rules.trans, rules.congruence, rules.sum_congruence, rules.argument_congruence,
        rules.index, rules.unfold, rules.ring, rules.power_zero, rules.power_step, rules.inverse, rules.sum_add,
        rules.sum_scale, rules.sum_swap, rules.sum_split, rules.sum_empty, rules.sum_single,
        rules.sum_zero, rules.iverson_true, rules.iverson_false,
        rules.instantiate, rules.hypothesis, rules.weaken, rules.cases, rules.absurd, rules.distinct,
        rules.induct, rules.real_cases, rules.clash, rules.iszero_zero, rules.iszero_other,
        order.le_number, order.le_equal, order.le_trans, order.le_both, order.le_add, order.le_mul,
        order.le_square, order.le_sum,
        tangents.tangent_constant, tangents.tangent_variable, tangents.tangent_add, tangents.tangent_mul,
        tangents.tangent_sum, tangents.tangent_function, tangents.tangent_unfold, tangents.tangent_convert,
    )
}  # fmt: skip


class Steps:
    """Text of contexts and items."""

    def __init__(self, data: Json, texts: Texts, theory: TheoryText) -> None:
        self.data = data
        self.texts = texts
        self.theory = theory
        self.items: list[Json] = data["items"]
        self.contexts: list[Json] = data["contexts"]
        self._inductions: dict[str, str] = {}
        self._seen: set[int] = set()
        #: polynomial identities by what they say
        self.identities: dict[str, str] = {}

    def text(self) -> Iterator[str]:
        for number, item in enumerate(self.items):
            if item["context"] not in self._seen:
                self._seen.add(item["context"])
                yield self._context(item["context"])
            script = SCRIPTS.get(item["rule"])
            if script is None:
                raise CoqError(f"the rule {item['rule']!r} is not supported by the Coq exporter")
            if item["rule"] == "induct":
                yield from self._induction(item)
            step = Step(self, item)
            proof = "\n  ".join([*step.enter(), *script(step)])
            yield from step.before
            yield (
                f"Lemma {lemma(number)} (p : params) (A : theory_ok p) (H : hypotheses_ok p) :\n"
                f"  {self.sequent(item)}.\nProof.\n  {proof}\nQed."
            )

    def variables(self, c: int) -> list[str]:
        return [names.variable(v) for v in self.contexts[c]["for"]]

    def sequent(self, item: Json) -> str:
        c = item["context"]
        vs = self.variables(c)
        return forall(vs, f"{' '.join([context(c), 'p', *vs])} -> {self.texts.relation(item['claim'])}")

    def _context(self, number: int) -> str:
        """A conjunction, spelled as what follows from its parts: to use it is one application, however long it is."""
        c = self.contexts[number]
        parts = [self.texts.guard(g) for g in c["where"]] + [self.texts.statement(h) for h in c["given"]]
        vs = self.variables(number)
        binder = f" ({' '.join(vs)} : Z)" if vs else ""
        taken = arrow([f"({q})" for q in parts], "G")
        return f"Definition {context(number)} (p : params){binder} : Prop :=\n  forall G : Prop, ({taken}) -> G."

    def facts(self, number: int) -> list[str]:
        """Names for the parts of a context."""
        c = self.contexts[number]
        return [f"g{k}" for k in range(len(c["where"]))] + [f"h{k}" for k in range(len(c["given"]))]

    # -- induction ---------------------------------------------------------------
    def induction_name(self, item: Json) -> str:
        key = repr((item["premises"], item["arguments"][1]))
        if key not in self._inductions:
            self._inductions[key] = f"ind{len(self._inductions)}"
        return self._inductions[key]

    def _induction(self, item: Json) -> Iterator[str]:
        """All claims of a joint induction, for measures below any natural number."""
        known = len(self._inductions)
        name = self.induction_name(item)
        if len(self._inductions) == known:
            return
        t = self.texts
        measures = item["arguments"][1]
        claims = []
        for premise, m in zip(item["premises"], measures):
            part = self.items[premise]
            c = self.contexts[part["context"]]
            vs = self.variables(part["context"])
            guards = [*(t.guard(g) for g in c["where"]), f"({t.index(m)} < Z.of_nat N)%Z"]
            claims.append(f"({forall(vs, arrow(guards, t.relation(part['claim'])))})")
        lines = ["intros N; induction N as [|N IH].", f"- {self.theory.open_facts}".rstrip()]
        zero, more = [], []
        for premise in item["premises"]:
            number = self.items[premise]["context"]
            c = self.contexts[number]
            vs = self.variables(number)
            gs = [f"g{m}" for m in range(len(c["where"]))]
            intro = f"intros {' '.join([*vs, *gs, 'below_'])}"
            zero.append(f"{intro}; exfalso; arith")
            givens = []
            for j, given in enumerate(c["given"]):
                inner = [names.variable(v) for v in given["for"]]
                hs = [f"q{m}" for m in range(len(given["where"]))]
                values = " ".join(inner)
                proofs = " ".join([*hs[:-1], "ltac:(arith)"])
                finish = self.finish(given["holds"])
                step = f"pose proof (I{j} {values} {proofs}) as Q; {finish}"
                givens.append(f"intros {' '.join([*inner, *hs])}; {step}")
            goals = [f"exact {g}" for g in gs] + givens
            holes = held(["_"] * len(goals))
            body = "; ".join(
                [
                    intro,
                    f"apply ({lemma(premise)} p A H {' '.join(vs)})",
                    f"refine {holes}",
                ]
            )
            more.append(f"{body}; [{' | '.join(goals)}]" if goals else body)
        split = "refine {}".format("".join("(conj _ " for _ in claims) + "I" + ")" * len(claims))
        lines.append(f"  {split}; [{' | '.join(zero)}].")
        lines.append(f"- {self.theory.open_facts} destruct IH as {pattern([f'I{k}' for k in range(len(claims))])}.")
        lines.append(f"  {split}; [{' | '.join(more)}].")
        proof = "\n  ".join(lines)
        yield (
            f"Lemma {name} (p : params) (A : theory_ok p) (H : hypotheses_ok p) :\n  forall N : nat,\n  "
            + " /\\\n  ".join([*claims, "True"])
            + f".\nProof.\n  {proof}\nQed."
        )

    def finish(self, relation: Json) -> str:
        """From Q, which says the relation with index terms written in another way."""
        kind = relation[0]
        if kind == "eq":
            return "refine (eq_trans _ (eq_trans Q _)); idx"
        if kind == "ne":
            return "intro E_; apply Q; refine (eq_trans _ (eq_trans E_ _)); idx"
        if kind == "le":
            return "refine (le_conv _ _ _ _ Q _ _); idx"
        if kind == "tangent":
            return "refine (d_conv _ _ _ _ _ Q _ _); [intro s_; idx | idx]"
        ranges = self.texts.symbols[self.texts.table[relation[1]][1]]["ranges"]
        if ranges != [[]]:
            return f"first [exact Q | {_along_curves([len(r) for r in ranges])}]"
        return "refine (d_point _ _ _ _ (d_conv _ _ _ _ _ Q _ _) _); [intro r_; idx | idx | idx]"


def _along_curves(arities: list[int]) -> str:
    """The same where Q speaks of all curves of arguments of so many indices."""
    ks = range(len(arities))
    curves, given = (" ".join(f"{a}{k}_ {b}{k}_" for k in ks) for a, b in ("cd", "ED"))
    goals = []
    for k, n in enumerate(arities):
        js = " ".join(f"j{m}" for m in range(n))
        intro = f"intros {js}{' ?' * 2 * n}; " if n else ""
        inside = "arith | " * 2 * n
        for fact, finish in ((f"E{k}_", "refine (eq_trans ({}) _)"), (f"D{k}_", "refine (d_conv _ _ _ _ _ ({}) _ _)")):
            used = " ".join([fact, js, *["_"] * 2 * n])
            rest = "idx" if fact[0] == "E" else "intro s_; idx | idx"
            goals.append(f"{intro}{finish.format(used)}; [{inside}{rest}]")
    holes = " ".join("_" for _ in goals)
    used = f"refine (d_conv _ _ _ _ _ (Q {curves} {holes}) _ _)"
    return f"intros {curves} {given}; {used}; [{' | '.join(goals)} | intro s_; idx | idx]"
