"""The theory of a certificate as Coq definitions.

A record ``params`` holds everything that a theorem is quantified over: sizes, real symbols, operators, and for every
defined symbol its (arbitrary) value where no case applies.  Each group of definitions is a well-founded recursion on
the measure that the certificate names; every case becomes a lemma.  Nothing is assumed about a defined symbol.
"""

from __future__ import annotations

from collections.abc import Iterator

from . import names
from .terms import Json, Texts, arrow, forall


def real(arity: int, arguments: list[int]) -> str:
    """The Coq type of a real symbol: indices, then arguments that are functions of so many indices."""
    args = ["R" if not k else "(" + arrow(["Z"] * k, "R") + ")" for k in arguments]
    return arrow(["Z"] * arity + args, "R")


def pattern(parts: list[str]) -> str:
    """Introduction pattern of a conjunction that ends in True."""
    return "(" + " & ".join([*parts, "_"]) + ")" if parts else "[]"


def conjunction(parts: list[str]) -> str:
    return " /\\ ".join([*(f"({q})" for q in parts), "True"])


class TheoryText:
    """Coq text of the theory, and what the proof steps need to know about it."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        self.theory: Json = texts.theory
        self.symbols: dict[str, Json] = texts.symbols
        self.definitions: dict[str, Json] = {d["name"]: d for g in self.theory["definitions"] for d in g}
        #: names of the facts in ``theory_ok``, in order
        self.facts: list[tuple[str, str]] = [
            (f"a{k}", texts.guard(c)) for k, c in enumerate(self.theory["assumptions"])
        ]
        for name, s in self.symbols.items():
            if any(s["ranges"]):
                self.facts.append((names.extensional(name), self._extensional(name, s)))

    @property
    def open_facts(self) -> str:
        """Everything assumed of sizes and operators, by name."""
        return f"refine (theory_facts p A _ (fun {' '.join(n for n, _ in self.facts)} => _))." if self.facts else ""

    # -- what is assumed of operators -------------------------------------------
    def _arguments(self, s: Json, prefix: str) -> list[str]:
        return [f"({prefix}{k} : {real(len(r), [])})" for k, r in enumerate(s["ranges"])]

    def _extensional(self, name: str, s: Json) -> str:
        """The operator reads its arguments inside their ranges only."""
        own = [f"i{k}" for k in range(s["arity"])]
        same = []
        for k, r in enumerate(s["ranges"]):
            js = [f"j{m}" for m in range(len(r))]
            inside = [c for j, b in zip(js, r) for c in (f"(0 <= {j})%Z", f"({j} < {self.texts.index(b, own=own)})%Z")]
            read = " ".join
            same.append("(" + forall(js, arrow(inside, f"{read([f'x{k}', *js])} = {read([f'y{k}', *js])}")) + ")")
        one = " ".join([names.symbol(name), "p", *own, *(f"x{k}" for k in range(len(same)))])
        two = " ".join([names.symbol(name), "p", *own, *(f"y{k}" for k in range(len(same)))])
        binders = " ".join(self._arguments(s, "x") + self._arguments(s, "y"))
        return forall(own, f"forall {binders}, " + arrow(same, f"{one} = {two}"))

    # -- text --------------------------------------------------------------------
    def text(self) -> Iterator[str]:
        yield from self._record()
        yield self._arith()
        yield from self._directions()
        facts = conjunction([q for _, q in self.facts])
        yield f"Definition theory_ok (p : params) : Prop :=\n  {facts}."
        if self.facts:
            names_ = [n for n, _ in self.facts]
            taken = arrow([f"({q})" for _, q in self.facts], "G")
            yield (
                f"Lemma theory_facts (p : params) (A : theory_ok p) (G : Prop) : ({taken}) -> G.\nProof.\n"
                f"  pose proof A as A0_; destruct A0_ as {pattern(names_)}.\n"
                f"  intros K; exact (K {' '.join(names_)}).\nQed."
            )
        for number, group in enumerate(self.theory["definitions"]):
            yield from self._group(number, group)
        for name, s in self.theory["hypotheses"].items():
            yield f"Definition {names.hypothesis(name)} (p : params) : Prop :=\n  {self.texts.statement(s)}."
        hyps = [f"{names.hypothesis(n)} p" for n in self.theory["hypotheses"]]
        yield f"Definition hypotheses_ok (p : params) : Prop :=\n  {conjunction(hyps)}."
        opaque = " ".join(names.symbol(n) for n in self.definitions)
        if opaque:
            yield f"Opaque {opaque}."

    def fields(self) -> list[tuple[str, str]]:
        """Fields of the record and their types."""
        out = [(names.size(n), arrow(["Z"] * k, "Z")) for n, k in self.theory["sizes"].items()]
        for n, s in self.symbols.items():
            field = names.elsewhere(n) if n in self.definitions else names.symbol(n)
            out.append((field, real(s["arity"], [len(r) for r in s["ranges"]])))
        return out

    def _record(self) -> Iterator[str]:
        rows = "".join(f"  {f} : {t};\n" for f, t in self.fields())
        yield f"Record params : Type := make_params {{\n{rows}}}."

    def _arith(self) -> str:
        """Linear arithmetic, and if that is not enough: sizes at equal indices are equal."""
        rows = ""
        for n, k in self.theory["sizes"].items():
            if k:
                a, b = (" ".join([names.size(n), "?p", *(f"?{x}{m}" for m in range(k))]) for x in "ab")
                c, d = (" ".join([names.size(n), "p", *(f"{x}{m}" for m in range(k))]) for x in "ab")
                for goal in (f"_ : context [{a}] |- context [{b}]", f"_ : context [{a}], _ : context [{b}] |- _"):
                    rows += (
                        f"  | {goal} =>\n    assert_fails (constr_eq ({c}) ({d}));\n"
                        f"    lazymatch goal with _ : {c} = {d} |- _ => fail | _ => idtac end;\n"
                        f"    assert ({c} = {d}) by (f_equal; lia)\n"
                    )
        more = f" | repeat match goal with\n{rows}  end; lia" if rows else ""
        return f"Ltac arith := first [lia{more}]."

    def _directions(self) -> Iterator[str]:
        """The parameters with each varied symbol X replaced by X + s dX."""
        for name in self.theory["directions"]:
            v = names.direction(name)
            yield f"Definition {v} (p : params) (s : R) : params :=\n  {self._moved(name, 's')[0]}."
            same = ""
            for k, (f, value, arity) in enumerate(self._moved(name, "0")[1]):
                ext = "apply fun_ext; intro; " * arity
                same += f"  assert (E{k} : ({value}) = {f} p) by ({ext}ring).\n"
                same += f"  rewrite E{k}; clear E{k}.\n"
            yield (
                f"Lemma {v}_zero (p : params) : {v} p 0 = p.\nProof.\n  unfold {v}.\n{same}"
                "  destruct p; exact eq_refl.\nQed."
            )

    def moved(self, direction: str) -> str:
        """What the parameters moved along a direction are."""
        return f"forall (p : params) (s : R), {names.direction(direction)} p s = {self._moved(direction, 's')[0]}"

    def _moved(self, direction: str, step: str) -> tuple[str, list[tuple[str, str, int]]]:
        """The parameters where each varied symbol X is X + step dX, and for each X: its name, its value, its arity."""
        varied = self.theory["directions"][direction]
        moved = {names.symbol(x): (names.symbol(dx), self.symbols[x]["arity"]) for x, dx in varied.items()}
        rows, changed = [], []
        for f, _ in self.fields():
            if f in moved:
                dx, k = moved[f]
                js = [f"j{m}" for m in range(k)]
                value = f"{' '.join([f, 'p', *js])} + {step} * {' '.join([dx, 'p', *js])}"
                rows.append(f"fun {' '.join(js)} : Z => {value}" if js else value)
                changed.append((f, rows[-1], k))
            else:
                rows.append(f"{f} p")
        return "make_params " + " ".join(f"({r})" for r in rows), changed

    def _group(self, number: int, group: list[Json]) -> Iterator[str]:
        own = {d["name"] for d in group}
        calls: set[str] = set()
        for d in group:
            for c in d["cases"]:
                self._calls(c["value"], calls)
        recursive = bool(own & calls)
        if recursive:
            yield from self._recursion(number, group)
        for d in group:
            variables = [names.variable(v) for v in d["parameters"]]
            binder = f" ({' '.join(variables)} : Z)" if variables else ""
            if recursive:
                value = f"eval{number} p ({' '.join([names.call(number, d['name']), *variables])})"
            else:
                value = self._cases(d)
            yield f"Definition {names.symbol(d['name'])} (p : params){binder} : R :=\n  {value}."
        if recursive:
            yield self._unfold_tactic(number, calls)
        for d in group:
            for k in range(len(d["cases"])):
                yield self._case_lemma(number, d, k, recursive)

    def _calls(self, n: int, found: set[str]) -> None:
        stack = [n]
        while stack:
            row = self.texts.table[stack.pop()]
            kind = row[0]
            if kind == "app":
                found.add(row[1])
                stack += [b for _, b in row[3]]
            elif kind in ("add", "mul"):
                stack += row[1:]
            elif kind == "sum":
                stack.append(row[2])
            elif kind in ("pow", "inv", "iszero"):
                stack.append(row[1])

    def _cases(self, d: Json) -> str:
        """if ... then ... else ..., ending in the value elsewhere"""
        variables = [names.variable(v) for v in d["parameters"]]
        out = ""
        for c in d["cases"]:
            out += f"if {self.texts.boolean(c['where'])} then {self.texts.term(c['value'])}\n  else "
        return out + " ".join([names.elsewhere(d["name"]), "p", *variables])

    def _recursion(self, number: int, group: list[Json]) -> Iterator[str]:
        def row(d: Json) -> str:
            return " ".join([names.call(number, d["name"]), *(names.variable(v) for v in d["parameters"])])

        kinds = ""
        for d in group:
            binder = f" (_{' _' * (len(d['parameters']) - 1)} : Z)" if d["parameters"] else ""
            kinds += f"\n  | {names.call(number, d['name'])}{binder}"
        yield f"Inductive call{number} : Type :={kinds}."
        measures = "".join(
            f"\n  | {row(d)} => [{'; '.join(self.texts.index(m) for m in d['measure'])}]%Z" for d in group
        )
        yield (
            f"Definition measure{number} (p : params) (c : call{number}) : list Z :=\n  match c with{measures}\n  end."
        )
        self.texts.recursive = {d["name"]: names.call(number, d["name"]) for d in group}
        bodies = "".join(f"\n  | {row(d)} =>\n  {self._cases(d)}" for d in group)
        self.texts.recursive = {}
        yield (
            f"Definition body{number} (p : params) (rec : call{number} -> R) (c : call{number}) : R :=\n"
            f"  match c with{bodies}\n  end."
        )
        yield (
            f"Definition eval{number} (p : params) : call{number} -> R := wfix (measure{number} p) (body{number} p).\n"
            f"Lemma eval{number}_eq (p : params) c : eval{number} p c = body{number} p\n"
            f"  (fun d => if below (measure{number} p d) (measure{number} p c) then eval{number} p d else 0) c.\n"
            f"Proof. apply wfix_eq. Qed."
        )

    def _unfold_tactic(self, number: int, calls: set[str]) -> str:
        """Each call in the value of a case goes down; below an operator whose range tells so, inside its range."""
        inside = ""
        for name in sorted(calls):
            s = self.symbols[name]
            if any(kind == "var" for r in s["ranges"] for i in r for _, kind, *_ in i[1:]):
                side = " ".join([names.symbol(name), *"_" * (1 + s["arity"] + len(s["ranges"]))])
                inside += f"  | |- {side} = {side} => match goal with e : _ |- _ => apply e; intros; go{number} end\n"
        return (
            f"Ltac go{number} := cbv beta; lazymatch goal with\n"
            "  | |- ?a = ?a => exact eq_refl\n"
            "  | |- (if _ then _ else 0) = _ => refine (eq_trans (if_true _ _ _ _) _);\n"
            f"    [cbv [measure{number} below nonneg lexlt length Nat.eqb]; arith | exact eq_refl]\n"
            f"  | |- zsum _ _ = zsum _ _ => apply zsum_ext; intros; go{number}\n{inside}"
            f"  | |- @eq (_ -> _) _ _ => apply fun_ext; intro; go{number}\n"
            f"  | |- _ => progress f_equal; go{number}\n  end."
        )

    def case(self, d: Json, k: int) -> tuple[str, str]:
        """Name of the lemma of a case of a definition, and the equation that it says."""
        variables = [names.variable(v) for v in d["parameters"]]
        c = d["cases"][k]
        claim = f"{' '.join([names.symbol(d['name']), 'p', *variables])} = {self.texts.term(c['value'])}"
        guards = [self.texts.guard(g) for g in c["where"]]
        return names.case(d["name"], k), forall(variables, arrow(guards, claim))

    def _case_lemma(self, number: int, d: Json, k: int, recursive: bool) -> str:
        name, claim = self.case(d, k)
        variables = [names.variable(v) for v in d["parameters"]]
        guards = [f"g{m}" for m in range(len(d["cases"][k]["where"]))]
        steps = [f"intros {' '.join(x)}." for x in (variables, guards) if x]
        steps += [self.open_facts] * bool(self.facts)
        steps.append(f"unfold {names.symbol(d['name'])} at 1.")
        if recursive:
            steps.append(f"rewrite eval{number}_eq. cbn [body{number}].")
        steps += ["refine (eq_trans (if_false _ _ _ _) _); [arith|]."] * k
        if guards:  # a case without guard is no choice, and stands without one once it is unfolded
            steps.append("refine (eq_trans (if_true _ _ _ _) _); [arith|].")
        steps.append(f"go{number}." if recursive else "exact eq_refl.")
        proof = "\n  ".join(steps)
        return f"Lemma {name} (p : params) (A : theory_ok p) :\n  {claim}.\nProof.\n  {proof}\nQed."
