"""Laws of finite sums and of order: what they say, and their own proofs as obligations, of sums by induction.

A sum is what its recursion says: 0 below 1, and ``sum (n+1) f = sum n f + f n``.  A law ``law(n, ..., j)`` means: for
all n and functions there is a j for which the formula holds (j is where two functions differ, if they differ in the
range).  So an obligation may use a law at terms of its choice and a new constant j.  The proof of a law by induction
on n has two obligations without any quantifier: "base" has n <= 0; "step" has the law at n with its j, and the negation
of the law at n+1 at the two places j and n.

In the obligations of items real numbers are an opaque sort; in the proofs here they are the reals of the solver, and
the text of the law is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Law:
    """parameters: with their sorts; body; needs: operations used.

    at: points of the recursion that the proof uses, (n, f); uses: further facts of the base and of the step.
    """

    parameters: str
    body: str
    needs: tuple[str, ...] = ()
    at: tuple[tuple[str, str], ...] = ()
    induction: bool = True
    base: tuple[str, ...] = ()
    step: tuple[str, ...] = ()


def _pointwise(
    parameters: str, point: str, conclusion: str, needs: Sequence[str], at: Sequence[tuple[str, str]]
) -> Law:
    body = f"(=> (=> (and (<= 0 j) (< j n)) {point}) {conclusion})"
    return Law(f"(n Int) {parameters} (j Int)", body, tuple(needs), tuple(at))


LAWS = {
    "sum_same": _pointwise(
        "(f F1) (g F1)", "(= (ap1 f j) (ap1 g j))", "(= (sum n f) (sum n g))", ["sum"], [("n", "f"), ("n", "g")]
    ),
    "sum_zero": _pointwise("(f F1)", "(= (ap1 f j) num_0)", "(= (sum n f) num_0)", ["sum", "num_0"], [("n", "f")]),
    "sum_add": _pointwise(
        "(f F1) (g F1) (h F1)", "(= (ap1 h j) (plus (ap1 f j) (ap1 g j)))",
        "(= (sum n h) (plus (sum n f) (sum n g)))", ["sum", "plus"], [("n", "f"), ("n", "g"), ("n", "h")],
    ),
    "sum_scale": _pointwise(
        "(a V) (f F1) (g F1)", "(= (ap1 g j) (times a (ap1 f j)))", "(= (sum n g) (times a (sum n f)))",
        ["sum", "times"], [("n", "f"), ("n", "g")],
    ),
    "sum_le": _pointwise(
        "(f F1) (g F1)", "(le (ap1 f j) (ap1 g j))", "(le (sum n f) (sum n g))", ["sum", "le"], [("n", "f"), ("n", "g")]
    ),
    # n is what comes after the first m addends
    "sum_split": _pointwise(
        "(m Int) (f F1) (g F1)", "(= (ap1 g j) (ap1 f (+ j m)))",
        "(=> (and (<= 0 m) (<= 0 n)) (= (sum (+ m n) f) (plus (sum m f) (sum n g))))",
        ["sum", "plus"], [("n", "g"), ("(+ m n)", "f")],
    ),
    "sum_swap": Law(
        "(n Int) (m Int) (a F2)", "(= (sum n (rows a m)) (sum m (cols a n)))", ("sum", "rows", "cols"),
        (("n", "(rows a m)"), ("n", "(col a j)")),
        base=("(law_sum_zero m (cols a n) j)", "(cols_at a n j)"),
        step=(
            "(law_sum_add m (cols a n) (row a n) (cols a (+ n 1)) j)", "(cols_at a n j)", "(cols_at a (+ n 1) j)",
            "(rows_at a m n)", "(row_at a n j)", "(col_at a j n)",
        ),
    ),
    "sum_empty": Law("(n Int) (f F1)", "(=> (<= n 0) (= (sum n f) num_0))", ("sum", "num_0"), (("n", "f"),), False),
    "sum_single": Law(
        "(n Int) (f F1)", "(=> (= n 1) (= (sum n f) (ap1 f 0)))", ("sum",), (("0", "f"),), False
    ),
    "inverse": Law(
        "(a V)", "(=> (distinct a num_0) (= (times a (inv a)) num_1))", ("times", "inv", "num_0", "num_1"), (), False
    ),
    "le_equal": Law("(a V) (b V)", "(=> (= a b) (le a b))", ("le",), (), False),
    "le_trans": Law("(a V) (b V) (c V)", "(=> (and (le a b) (le b c)) (le a c))", ("le",), (), False),
    "le_both": Law("(a V) (b V)", "(=> (and (le a b) (le b a)) (= a b))", ("le",), (), False),
    "le_add": Law(
        "(a V) (b V) (c V) (d V)", "(=> (and (le a b) (le c d)) (le (plus a c) (plus b d)))", ("le", "plus"), (), False
    ),
    "le_mul": Law(
        "(a V) (b V)", "(=> (and (le num_0 a) (le num_0 b)) (le num_0 (times a b)))", ("le", "times", "num_0"), (),
        False,
    ),
    "le_square": Law("(a V)", "(le num_0 (times a a))", ("le", "times", "num_0"), (), False),
    "iszero": Law("(a V)", "(= (iszero a) (ite (= a num_0) num_1 num_0))", ("iszero", "num_0", "num_1"), (), False),
}  # fmt: skip

#: definitions and declarations that an obligation takes for granted; the first ones only name their parts
GIVEN = {
    "row_at": ("(a F2) (j Int) (k Int)", "(= (ap1 (row a j) k) (ap2 a j k))", ("row", "ap2")),
    "col_at": ("(a F2) (k Int) (j Int)", "(= (ap1 (col a k) j) (ap2 a j k))", ("col", "ap2")),
    "rows_at": ("(a F2) (m Int) (j Int)", "(= (ap1 (rows a m) j) (sum m (row a j)))", ("rows", "row", "sum")),
    "cols_at": ("(a F2) (n Int) (k Int)", "(= (ap1 (cols a n) k) (sum n (col a k)))", ("cols", "col", "sum")),
    "pow_zero": ("(a V) (k Int)", "(=> (<= k 0) (= (pow a k) num_1))", ("pow", "num_1")),
    "pow_step": ("(a V) (k Int)", "(=> (>= k 1) (= (pow a k) (times a (pow a (- k 1)))))", ("pow", "times")),
}

RECURSION = (
    "(define-fun recursion ((n Int) (f F1)) Bool (and (=> (<= n 0) (= (sum n f) num_0))"
    " (=> (>= n 0) (= (sum (+ n 1) f) (plus (sum n f) (ap1 f n))))))"
)

#: operations over an opaque sort of values: (declaration, what it needs)
OPAQUE: dict[str, tuple[str, tuple[str, ...]]] = {
    "V": ("(declare-sort V 0)", ()),
    "plus": ("(declare-fun plus (V V) V)", ("V",)),
    "times": ("(declare-fun times (V V) V)", ("V",)),
    "pow": ("(declare-fun pow (V Int) V)", ("V",)),
    "inv": ("(declare-fun inv (V) V)", ("V",)),
    "iszero": ("(declare-fun iszero (V) V)", ("V",)),
    "le": ("(declare-fun le (V V) Bool)", ("V",)),
    "num_0": ("(declare-const num_0 V)", ("V",)),
    "num_1": ("(declare-const num_1 V)", ("V",)),
    "F1": ("(declare-sort F1 0)", ("V",)),
    "F2": ("(declare-sort F2 0)", ("V",)),
    "ap1": ("(declare-fun ap1 (F1 Int) V)", ("F1",)),
    "ap2": ("(declare-fun ap2 (F2 Int Int) V)", ("F2",)),
    "sum": ("(declare-fun sum (Int F1) V)", ("ap1",)),
    "row": ("(declare-fun row (F2 Int) F1)", ("F1", "F2", "ap1")),
    "col": ("(declare-fun col (F2 Int) F1)", ("F1", "F2", "ap1")),
    "rows": ("(declare-fun rows (F2 Int) F1)", ("F1", "F2", "ap1")),
    "cols": ("(declare-fun cols (F2 Int) F1)", ("F1", "F2", "ap1")),
}

#: the same over the real numbers
REAL = {
    **OPAQUE,
    "V": ("(define-sort V () Real)", ()),
    "plus": ("(define-fun plus ((a V) (b V)) V (+ a b))", ("V",)),
    "times": ("(define-fun times ((a V) (b V)) V (* a b))", ("V",)),
    "inv": ("(define-fun inv ((a V)) V (ite (= a 0.0) 0.0 (/ 1.0 a)))", ("V",)),
    "iszero": ("(define-fun iszero ((a V)) V (ite (= a 0.0) 1.0 0.0))", ("V",)),
    "le": ("(define-fun le ((a V) (b V)) Bool (<= a b))", ("V",)),
    "num_0": ("(define-fun num_0 () V 0.0)", ("V",)),
    "num_1": ("(define-fun num_1 () V 1.0)", ("V",)),
}


class Prelude:
    """Declarations in the order of first use."""

    def __init__(self, table: dict[str, tuple[str, tuple[str, ...]]]) -> None:
        self.table = table
        self.lines: dict[str, str] = {}

    def use(self, name: str) -> str:
        """An operation, with what it needs; returns its name."""
        if name not in self.lines:
            text, needs = self.table[name]
            for n in needs:
                self.use(n)
            self.lines[name] = text
        return name

    def law(self, name: str) -> str:
        law = LAWS[name]
        return self._define(f"law_{name}", law.parameters, law.body, law.needs)

    def given(self, name: str) -> str:
        return self._define(name, *GIVEN[name])

    def _define(self, name: str, parameters: str, body: str, needs: Sequence[str]) -> str:
        if name not in self.lines:
            for n in ("V", *needs):
                self.use(n)
            self.lines[name] = f"(define-fun {name} ({parameters}) Bool {body})"
        return name


def proof(name: str) -> list[tuple[str, str]]:
    """The obligations that establish a law: (what, script)."""
    law = LAWS[name]
    if not law.induction:
        return [(f"law {name}", _script(name, [], law.at, "n"))]
    base = _script(name, ["(<= n 0)", *law.base], law.at, "n")
    step = _script(name, ["(>= n 0)", "LAW", *law.step], law.at, "(+ n 1)")
    return [(f"law {name}, base", base), (f"law {name}, step", step)]


def _script(name: str, facts: Sequence[str], at: Sequence[tuple[str, str]], n: str) -> str:
    law = LAWS[name]
    prelude = Prelude(REAL)
    prelude.law(name)
    rows = [p.split(" ", 1) for p in law.parameters.strip("()").split(") (")]
    arguments = [r[0] for r in rows]
    known = set(arguments)
    constants = [f"(declare-const {v} {sort})" for v, sort in rows]
    lines = []
    for f in facts:
        head = f.strip("(").split(" ", 1)[0]
        if head.startswith("law_"):
            prelude.law(head.removeprefix("law_"))
        elif head in GIVEN:
            prelude.given(head)
        lines.append(f"(assert {_call(name, arguments, 'n', 'j') if f == 'LAW' else f})")
        if "j" in f.replace("(", " ").replace(")", " ").split() and "j" not in known:
            known.add("j")
            constants.append("(declare-const j Int)")
    if at:
        for o in ("sum", "plus", "num_0"):
            prelude.use(o)
        prelude.lines["recursion"] = RECURSION
        for k, f in at:
            if "(col " in f:
                prelude.use("col")
            lines.append(f"(assert (recursion {k} {f}))")
    places = ["j", "n"] if "j" in arguments and n != "n" else ["j"]
    lines += [f"(assert (not {_call(name, arguments, n, j)}))" for j in places]
    logic = "QF_UFNIRA"
    return "\n".join([f"(set-logic {logic})", *prelude.lines.values(), *constants, *lines])


def _call(name: str, arguments: Sequence[str], n: str, j: str) -> str:
    values = " ".join({"n": n, "j": j}.get(a, a) for a in arguments)
    return f"(law_{name} {values})"
