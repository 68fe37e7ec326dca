"""One lemma for each item of a certificate: the claim as it stands there, and a script that depends on the rule only.

A rule that is not in ``SCRIPTS`` is refused by name; nothing is ever admitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import names, order, rules, tangents
from .step import Step, context, held, lemma
from .terms import CoqError, Json, Texts, arrow, forall
from .theory import TheoryText, pattern

SCRIPTS: dict[str, Callable[[Step], str | list[str]]] = {
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


#: rules whose premises, in the same context, are parts of their terms
_TERMS = ("sym", "trans", "congruence", "inverse", "clash", "iszero_zero", "iszero_other", "le_equal", "le_trans")
DEEP, LONG, BRIEF = 25, 20_000, 300


class Steps:
    """Text of contexts and items.

    An item whose proof is a term is written where it is used, if that is at one place, in a proof that is a term too,
    and if what the item claims is what its premises and its rule say, to the letter.  All others are lemmas.
    """

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
        #: proofs of items that are no lemmas, by number
        self.terms: dict[int, str] = {}
        self._depth: dict[int, int] = {}
        self._users: dict[int, list[int]] = {}
        for number, item in enumerate(self.items):
            for premise in item["premises"]:
                self._users.setdefault(premise, []).append(number)
        self._goals = {g["item"] for g in data["goals"]}

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
            proof = script(step)
            yield from step.before
            if isinstance(proof, str):
                if self._short(number, step, proof):
                    self.terms[number] = proof
                    continue
                proof = [f"exact {proof}."]
            lines = "\n  ".join(proof)
            yield (
                f"Lemma {lemma(number)} (p : params) (A : theory_ok p) (H : hypotheses_ok p){step.binders} :\n"
                f"  {self.texts.relation(item['claim'])}.\nProof.\n  {lines}\nQed."
            )

    def proof(self, number: int) -> str:
        """An item, in its own context."""
        c = self.items[number]["context"]
        return self.terms.get(number, f"({lemma(number)} p A H {' '.join([*self.variables(c), 'C'])})")

    def _short(self, number: int, step: Step, proof: str) -> bool:
        """Is the item to be written where it is used?"""
        inner = [self._depth[k] for k in step.item["premises"] if k in self.terms]
        self._depth[number] = 1 + max(inner, default=0)
        users = self._users.get(number, [])
        once = len(users) == 1 or (step.item["rule"] == "refl" and len(proof) < BRIEF)
        short = once and number not in self._goals and self._depth[number] <= DEEP and len(proof) <= LONG
        return short and self._literal(step) and all(self._direct(step, Step(self, self.items[u])) for u in users)

    def _direct(self, step: Step, user: Step) -> bool:
        """Is the proof of the user a term with that of the step inside?"""
        if user.item["rule"] in ("sum_congruence", "le_sum"):
            return user.sums is not None
        return user.item["rule"] in _TERMS and user.number == step.number

    def _literal(self, step: Step) -> bool:
        """Does the claim say what rule and premises say, to the letter?"""
        kind, *sides = step.claim
        said = [self.items[k]["claim"][1:] for k in step.item["premises"]]
        rule = step.item["rule"]
        if kind != "eq" or any(self.items[k]["claim"][0] != "eq" for k in step.item["premises"]):
            return False
        if rule == "refl":
            return not said and sides[0] == sides[1]
        if rule == "sym":
            return len(said) == 1 and sides == said[0][::-1]
        if rule == "trans":
            return len(said) == 2 and sides == [said[0][0], said[1][1]] and said[0][1] == said[1][0]
        if rule == "congruence":
            rows = [self.texts.table[n] for n in sides]
            (one, before), (two, after) = map(_taken_apart, rows)
            return bool(said) and one == two and [before, after] == [[a[k] for a in said] for k in (0, 1)]
        return rule == "ring" or (rule == "sum_congruence" and step.sums is not None)

    def variables(self, c: int) -> list[str]:
        return [names.variable(v) for v in self.contexts[c]["for"]]

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


def _taken_apart(row: Json) -> tuple[Json, list[int]]:
    """What a term is made by, and of."""
    kind = row[0]
    if kind in ("add", "mul", "inv", "iszero"):
        return [kind], row[1:]
    if kind == "pow":
        return [kind, row[2]], [row[1]]
    if kind == "app":
        return [kind, row[1], row[2], [k for k, _ in row[3]]], [n for _, n in row[3]]
    return row, []


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
