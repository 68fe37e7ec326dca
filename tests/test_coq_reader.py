"""The reader of .v files: it agrees with every export, and finds every sabotage of one."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from core import slow_outside
from test_coq_order import a_little_order, ordered

from pcproof.catalogue import entries
from pcproof.exporters import coq_reader
from pcproof.exporters.coq import export
from pcproof.exporters.coq_reader import compare, fixed
from pcproof.exporters.coq_reader.lexer import NotUnderstood, Sentence, sentences
from pcproof.exporters.coq_reader.spelling import unspell
from pcproof.exporters.coq_reader.syntax import KEYWORDS
from pcproof.language.index import Bound, Idx, eq, ge, lt, qvar, size
from pcproof.language.signature import Case, Definition, Eq, Ne, Statement, Symbol, Theory
from pcproof.language.terms import ONE, ZERO, Add, App, Inv, IsZero, Iverson, Lam, Mul, Pow, Sum
from pcproof.proof.certificate import Proof
from pcproof.proof.kernel import Context, Kernel
from pcproof.tactics.prover import prove_claim

#: no theorems of the catalogue, but what has the rules of order
ORDER, LITTLE = "order and real cases", "some of them"
PROOFS = {ORDER: ordered, LITTLE: a_little_order}
PROVED = [e.id for e in entries().values() if e.expected == "proved"]


@cache
def certificate_text(id: str) -> str:
    return PROOFS[id]().text if id in PROOFS else prove_claim(entries()[id].claim()).text


def certificate(id: str) -> Any:
    return json.loads(certificate_text(id))


@cache
def exported(id: str) -> str:
    return export(certificate(id))


@cache
def bare(id: str) -> str:
    """An export without the lemmas of the items and their contexts, which are no part of the claim."""
    text = re.sub(r"(?ms)^Lemma (?:s|ind)\d+ .*?^(?:Proof\..*?)?Qed\.\n", "", exported(id))
    return re.sub(r"(?ms)^Definition x\d+ .*?\.\n", "", text)


def operators() -> Any:
    """A certificate with what the catalogue does not use: operators, names that are words of Coq, ``ne``,
    powers, reciprocals, an indicator, arguments without index beside arguments with one."""
    n, k, b0 = size("n", qvar("0")), qvar("k"), Idx.of(Bound(0))
    symbols = (
        Symbol("sum", "parameter", 1),
        Symbol("R", "parameter"),
        Symbol("a'_x", "operator", 1, ranges=((n,), ())),
        Symbol("Qed", "defined", 1),
    )
    cases = (
        Case((eq(qvar("l"), 0),), App("sum", (qvar("l"),))),
        Case((ge(qvar("l"), 1),), Add(App("Qed", (qvar("l") - 1,)), Inv(App("R")), Pow(App("R"), qvar("l") * 2))),
    )
    theory = Theory(
        {"n": 1, "N": 0},
        (ge(size("N"), 2),),
        {s.name: s for s in symbols},
        ((Definition("Qed", ("l",), cases, (qvar("l"),)),),),
        {"R nonzero": Statement((), (), Ne(App("R"), ZERO)), "Axiom": Statement((), (), Eq(App("R"), ONE))},
    )
    kernel = Kernel(theory)
    ctx = Context(("k",), (ge(k, 0), lt(k, size("N"))))
    value = App("a'_x", (k,), (Lam(1, Add(App("sum", (b0,)), App("Qed", (b0,)))), Lam(0, IsZero(App("R")))))
    picked = Sum(size("N"), Mul(Iverson((eq(b0, k),)), App("sum", (b0,))))
    goals = (
        kernel.ring(ctx, Add(value, picked), Add(picked, value)),
        kernel.inverse(kernel.hypothesis(ctx, "R nonzero", {})),
        kernel.hypothesis(ctx, "Axiom", {}),
        kernel.unfold(ctx.with_guards(ge(k, 1)), App("Qed", (k,)), 1),
    )
    return json.loads(Proof(kernel, goals, {}).text)


# -- agreement ----------------------------------------------------------------
@pytest.mark.parametrize("id", slow_outside(PROVED))
def test_every_export_says_what_its_certificate_says(id: str) -> None:
    assert [str(d) for d in compare(exported(id), certificate(id))] == []


def test_operators_and_names_that_are_words_of_coq() -> None:
    data = operators()
    assert [str(d) for d in compare(export(data), data)] == []


def test_exports_of_different_theorems_differ() -> None:
    for one, other in [("zil", "zil_freeze"), ("theorem_3_1", "theorem_3_2"), ("zil_dynamics", "zil_plasticity")]:
        assert compare(bare(one), certificate(other))


def test_it_shares_nothing_with_exporter_or_kernel() -> None:
    own = "pcproof.exporters.coq_reader"
    for path in Path(coq_reader.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 1 or (node.level == 0 and not (node.module or "").startswith("pcproof")), (
                    f"{path.name} imports from outside {own}"
                )
            if isinstance(node, ast.Import):
                assert not any(a.name.startswith("pcproof") for a in node.names), path.name


def test_what_is_no_certificate_is_refused() -> None:
    for data in ({}, [], None, {"format": "pcproof-certificate-3"}, {"format": "pcproof-certificate-4"}):
        with pytest.raises(ValueError, match="certificate"):
            compare(exported("zil_freeze"), data)


# -- sabotage by hand -----------------------------------------------------------
GOAL = "forall p : params, theory_ok p -> hypotheses_ok p ->"
BEFORE = "Record params : Type"
LAST = "Theorem certified :"
GX = "Definition u_gx (p : params) (i_l i_b i_i : Z) : R :=\n  if ("
HYPS = "Definition hypotheses_ok (p : params) : Prop :=\n  "
START = "Proof.\n  intros p A H."
FIXED = "learning_fixed_point"
TYPE = "Z -> Z -> Z -> R;\n"
EPS = "Definition u_eps (p : params) (i_l i_b i_i : Z) : R :="

GATES = f"{GOAL}\n  (forall i_t : Z, (0 <= i_t)%Z -> 0 <= (u_gate p i_t))"

#: name, theorem, what stands in the file, what is put there
SABOTAGE: list[tuple[str, str, str, str]] = [
    ("sign", FIXED, "then ((u_x p i_l i_b i_i) + ((-1) *", "then ((u_x p i_l i_b i_i) + ((1) *"),
    ("sign of an index", "zil", "=> [((z_L p) - i_l)%Z]%Z", "=> [((z_L p) + i_l)%Z]%Z"),
    ("indices swapped", FIXED, "then ((u_x p i_l i_b i_i)", "then ((u_x p i_l i_i i_b)"),
    ("guard dropped", FIXED, GX + "(0 <=? ((z_L p) - i_l - 1)%Z)%Z && ", GX),
    ("guard weaker", FIXED, GX + "(0 <=?", GX + "(-1 <=?"),
    ("< to <=", "zil_chain", "(j0 < (z_m p i0))%Z", "(j0 <= (z_m p i0))%Z"),
    ("<= to <", FIXED, GX + "(0 <=?", GX + "(0 <?"),
    ("=? to <=?", "zil", "if ((i_l =? 0)%Z)%bool then", "if ((i_l <=? 0)%Z)%bool then"),
    ("guard negated", "zil", "if ((i_l =? 0)%Z)%bool then", "if (negb (i_l =? 0)%Z)%bool then"),
    ("guard on another index", "zil", "if ((i_l =? 0)%Z)%bool then", "if ((i_b =? 0)%Z)%bool then"),
    ("coefficient", "energy_gradient", "((1 / 2) * (u_eps", "((1 / 3) * (u_eps"),
    ("coefficient upside down", "energy_gradient", "((1 / 2) * (u_eps", "((2 / 1) * (u_eps"),
    ("other definition of a case", "zil", "(rec (k3_mu i_t i_l i_b i_i))", "(rec (k3_x i_t i_l i_b i_i))"),
    ("call at another time", "zil", "(rec (k3_x (i_t - 1)%Z i_l i_b i_i)) +", "(rec (k3_x i_t i_l i_b i_i)) +"),
    ("call instead of parameter", "zil", "then (u_y p i_l i_b i_i)", "then (rec (k3_x i_t i_l i_b i_i))"),
    ("measure", "zil", "=> [i_t; 2]%Z", "=> [i_t; 3]%Z"),
    ("measure shorter", "zil", "=> [i_t; 2]%Z", "=> [i_t]%Z"),
    ("measure swapped", "zil", "=> [i_t; 2]%Z", "=> [2; i_t]%Z"),
    ("last value", "zil", "else o_y p i_l i_b i_i", "else 0"),
    ("last value of another", "zil", "else o_y p i_l i_b i_i", "else o_delta p i_l i_b i_i"),
    ("own call with other indices", "zil", "eval0 p (k0_y i_l i_b i_i)", "eval0 p (k0_y i_l i_i i_b)"),
    ("wfix replaced", "zil", "wfix (measure0 p) (body0 p)", "(fun c => 0)"),
    ("another body", "zil", "wfix (measure1 p) (body1 p)", "wfix (measure1 p) (body0 p)"),
    ("bound of a sum", "zil", "(zsum (z_n p (i_l + 1)%Z) (fun j0", "(zsum (z_n p i_l) (fun j0"),
    ("bound one longer", "zil", "(zsum (z_B p) (fun j0", "(zsum ((z_B p) + 1)%Z (fun j0"),
    ("no sum", "zil", "(zsum (z_B p) (fun j0 : Z => ", "((fun j0 : Z => "),
    ("inner binder hides outer", "zil_gradient", "(fun j1 : Z => (zsum", "(fun j0 : Z => (zsum"),
    ("inner binder hides a name", FIXED, "(fun j0 : Z => ((u_theta", "(fun zsum : Z => ((u_theta"),
    ("premise dropped", "zil", GOAL, "forall p : params, theory_ok p ->"),
    ("premise twice", "zil", GOAL, "forall p : params, theory_ok p -> theory_ok p ->"),
    ("premises swapped", "zil", GOAL, "forall p : params, hypotheses_ok p -> theory_ok p ->"),
    ("False as premise", "zil", GOAL, GOAL + " False ->"),
    ("0 = 1 as premise", "zil", GOAL, GOAL + " 0 = 1 ->"),
    ("premise inside a goal", "zil", GOAL + "\n  (forall i_", GOAL + "\n  (0 = 1 -> forall i_"),
    ("exists for forall", "zil", GOAL, GOAL.replace("forall p : params,", "exists p : params,")),
    ("exists inside", "zil", GOAL + "\n  (forall i_", GOAL + "\n  (exists i_"),
    ("parameters fixed", "zil", "Theorem certified :\n  forall p : params,", "Theorem certified (p : params) :\n  "),
    ("goal replaced", "zil_freeze", GOAL, GOAL + " True /\\ "),
    ("theory_ok is more", "zil", "- 1)%Z)%Z) /\\ True", "- 1)%Z)%Z) /\\ False /\\ True"),
    ("theory_ok is less", "zil", "((0 <= ((z_L p) - 1)%Z)%Z) /\\ True", "True"),
    ("theory_ok is stronger", "zil", "((0 <= ((z_L p) - 1)%Z)%Z) /\\", "((0 <= ((z_L p) - 2)%Z)%Z) /\\"),
    ("hypothesis changed", FIXED, "-> (u_gx p i_l i_b i_i) = 0.", "-> (u_gx p i_l i_b i_i) = 1."),
    ("hypothesis negated", FIXED, "-> (u_gx p i_l i_b i_i) = 0.", "-> (u_gx p i_l i_b i_i) <> 0."),
    ("hypothesis with more", FIXED, "(u_gx p i_l i_b i_i) = 0.", "(u_gx p i_l i_b i_i) = 0 /\\ 0 = 1."),
    ("hypothesis for fewer", FIXED, "(h_equilibrium p) /\\", ""),
    ("hypothesis twice", FIXED, "(h_equilibrium p) /\\", "(h_equilibrium p) /\\ (h_equilibrium p) /\\"),
    ("hypotheses_ok with False", FIXED, "(h_equilibrium p) /\\", "(h_equilibrium p) /\\ False /\\"),
    ("hypotheses_ok of False", "zil", HYPS, HYPS + "False /\\ "),
    ("about another symbol", "zil_freeze", GOAL, GOAL + "((u_y p 0 0 0) = 0) -> "),
    ("derivative elsewhere", "zil_dynamics", "j0 j1 j2)))))))))) 0 (zsum", "j0 j1 j2)))))))))) 1 (zsum"),
    ("not moved", "energy_gradient", "(u_eps (v_x p s_) j1 j0 j2) *", "(u_eps p j1 j0 j2) *"),
    ("moved along another", "energy_gradient", "(u_eps (v_x p s_) j1 j0 j2) *", "(u_eps (v_weights p s_) j1 j0 j2) *"),
    ("direction does not move", "energy_gradient", "u_x p j0 j1 j2 + s * u_Dx p j0 j1 j2", "u_x p j0 j1 j2"),
    ("direction moves twice", "energy_gradient", "+ s * u_Dx p j0 j1 j2", "+ 2 * s * u_Dx p j0 j1 j2"),
    ("direction swaps fields", "energy_gradient", "(o_gtheta p) (o_gx p)", "(o_gx p) (o_gtheta p)"),
    ("derivative of another", "zil_dynamics", "(u_df p (i_l + 1)%Z (u_x p (i_l", "(u_f p (i_l + 1)%Z (u_x p (i_l"),
    ("fields swapped", FIXED, f"o_gx : {TYPE}  o_mu : {TYPE}", f"o_mu : {TYPE}  o_gx : {TYPE}"),
    ("field of another type", FIXED, "  u_f : Z -> R -> R;", "  u_f : R -> Z -> R;"),
    ("field more", FIXED, "  u_f : Z -> R -> R;", "  u_f : Z -> R -> R;\n  no : 0 = 1;"),
    ("field a coercion", FIXED, "  u_f : Z -> R -> R;", "  u_f :> Z -> R -> R;"),
    ("theorem twice", "zil", LAST, "Theorem certified : True.\nProof. exact I. Qed.\n" + LAST),
    ("theorem only a definition", "zil", LAST, "Definition certified :"),
    ("theorem called otherwise", "zil", LAST, "Theorem certified2 :"),
    ("admitted", "zil", "  intros p A H.\n  exact (", "  admit.\n  exact ("),
    ("let", "zil", GOAL + "\n  (", GOAL + "\n  (let i_l := 0%Z in "),
    ("match in a term", FIXED, EPS, EPS + " match i_l with Z0 => 0 | _ => 1 end. Definition a : R :="),
    ("unicode minus", "zil", "((z_L p) - i_l - 1)%Z", "((z_L p) \u2212 i_l - 1)%Z"),
    ("unicode letter", "zil", "Definition u_y (p", "Definition u_\u0443 (p"),
    ("unicode space", "zil", "Definition u_y (p", "Definition\u00a0u_y (p"),
    ("other scope", "zil", "((z_L p) - i_l - 1)%Z", "((z_L p) - i_l - 1)%N"),
    ("hexadecimal", "zil", "(i_l + 1)%Z", "(i_l + 0x1)%Z"),
    ("lemma of a case", "zil", "c1_y (p : params) (A", "c1_y (p : params) (N : False) (A"),
    ("no lemma of a case", "zil", "Lemma c1_y (p", "Lemma d1_y (p"),
    ("<= to < of numbers", ORDER, "(u_low p) <= (-7 / 3).", "(u_low p) < (-7 / 3)."),
    ("<= to >=", ORDER, "(u_low p) <= (-7 / 3).", "(u_low p) >= (-7 / 3)."),
    ("<= to =", ORDER, "(u_low p) <= (-7 / 3).", "(u_low p) = (-7 / 3)."),
    ("<= to <>", ORDER, "(u_low p) <= (-7 / 3).", "(u_low p) <> (-7 / 3)."),
    ("sides of <= swapped", ORDER, "(u_low p) <= (-7 / 3).", "(-7 / 3) <= (u_low p)."),
    ("sign of a bound", ORDER, "(u_low p) <= (-7 / 3).", "(u_low p) <= (7 / 3)."),
    ("two bounds", ORDER, "(u_low p) <= (-7 / 3).", "(u_low p) <= (-7 / 3) <= (u_low p)."),
    ("order of integers", ORDER, "(u_low p) <= (-7 / 3).", "((u_low p) <= (-7 / 3))%Z."),
    ("order of integers as of reals", ORDER, "(0 <= i_k)%Z -> ", "(0 <= i_k) -> "),
    ("order negated", ORDER, "(u_low p) <= (-7 / 3).", "((u_low p) <= (-7 / 3) -> False)."),
    ("<= to < in a goal", ORDER, GATES, GATES.replace("0 <= (u_gate p i_t))", "0 < (u_gate p i_t))")),
    ("sides of <= swapped in a goal", ORDER, GATES, GATES.replace("0 <= (u_gate p i_t))", "(u_gate p i_t) <= 0)")),
    ("order redefined", ORDER, BEFORE, "Definition Rle (a b : R) : Prop := True.\n" + BEFORE),
    ("zero test turned round", ORDER, "iszero (a : R) : R := if Req_EM_T a 0 then 1 else 0.",
     "iszero (a : R) : R := if Req_EM_T a 0 then 0 else 1."),
    ("zero test of another", ORDER, "then (iszero (u_a p 0))", "then (iszero (u_a p 1))"),
    ("zero test left out", ORDER, "then (iszero (u_a p 0))", "then (u_a p 0)"),
    ("reciprocal for zero test", ORDER, "then (iszero (u_a p 0))", "then (rinv (u_a p 0))"),
    # -- what stands before -------------------------------------------------------
    ("zsum redefined", "zil", BEFORE, "Definition zsum (n : Z) (f : Z -> R) : R := 0.\n" + BEFORE),
    ("sums end earlier", "zil", "nsum (Z.to_nat n) f.", "nsum (Z.to_nat (n - 1)) f."),
    ("powers are reciprocals", "zil", "R := pow a (Z.to_nat k).", "R := / pow a (Z.to_nat k)."),
    ("order of recursion", "zil", "bool := nonneg v && lexlt u v.", "bool := lexlt u v."),
    ("recursion", "zil", "(fun h => rec y h)) x).", "(fun h => 0)) x)."),
    ("prelude after all", "zil", "Definition rinv (a : R) : R :=", "Definition rinv2 (a : R) : R :="),
    ("R redefined", "zil", BEFORE, "Definition R : Type := unit.\n" + BEFORE),
    ("slopes redefined", "zil", BEFORE, "Definition derivable_pt_lim (f : R -> R) (a b : R) := True.\n" + BEFORE),
    ("name in an inductive", "zil", BEFORE, "Inductive mine : Type := Z0 | other.\n" + BEFORE),
    ("generated name", "zil", BEFORE, "Definition call0_rect (n : nat) : nat := n.\n" + BEFORE),
    ("local notation", "zil", BEFORE, 'Local Notation "a + b" := (a - b) : R_scope.\n' + BEFORE),
    ("infix", "zil", BEFORE, 'Infix "+" := Rminus : R_scope.\n' + BEFORE),
    ("notation in a proof", "zil", START, 'Proof.\n  Notation "a + b" := (a - b) : R_scope.\n  intros p A H.'),
    ("notation in where", "zil", BEFORE, 'Fixpoint f (n : nat) : nat := n where "a +++ b" := (a - b).\n' + BEFORE),
    ("coercion", "zil", BEFORE, "Coercion IZR : Z >-> R.\n" + BEFORE),
    ("arguments", "zil", BEFORE, "Arguments zsum _%nat _.\n" + BEFORE),
    ("scope opened", "zil", BEFORE, "Local Open Scope Z_scope.\n" + BEFORE),
    ("scope bound", "zil", BEFORE, "Bind Scope nat_scope with Z.\n" + BEFORE),
    ("hint", "zil", BEFORE, "Hint Resolve eq_refl : core.\n" + BEFORE),
    ("canonical structure", "zil", BEFORE, "Canonical Structure zsum.\n" + BEFORE),
    ("option", "zil", BEFORE, "Unset Guard Checking.\n" + BEFORE),
    ("attribute", "zil", "Definition u_y (p", "#[bypass_check(guard)] Definition u_y (p"),
    ("module", "zil", BEFORE, "Module Z. Definition of_nat := 0. End Z.\n" + BEFORE),
    ("another library", "zil", "Require Import ZifyBool.", "Require Import ZifyBool QArith."),
    ("libraries in another order", "zil", "Require Import Reals ZArith Lia", "Require Import ZArith Reals Lia"),
    ("library late", "zil", BEFORE, "Require Import QArith.\n" + BEFORE),
    ("axiom", "zil", BEFORE, "Axiom no : False.\n" + BEFORE),
    ("parameter", "zil", BEFORE, "Parameter no : False.\n" + BEFORE),
    ("section", "zil", BEFORE, "Section S1.\nVariable no : False.\n" + BEFORE),
    ("hypothesis", "zil", BEFORE, "Hypothesis no : False.\n" + BEFORE),
    ("Lemma without proof", "zil", BEFORE, "Lemma no : False.\nAdmitted.\n" + BEFORE),
    ("proof left open", "zil", BEFORE, "Lemma no : False.\nProof. Admitted.\n" + BEFORE),
    ("Defined", "zil", BEFORE, "Lemma no : True.\nProof. exact I. Defined.\n" + BEFORE),
    ("axiom after nested comments", "zil", BEFORE, "(* (* *) *) Axiom no : False. (* *)\n" + BEFORE),
    ("axiom after a comment with a string", "zil", BEFORE, '(* "*)" *) Axiom no : False. (* " *) " *)\n' + BEFORE),
    ("axiom in a focused goal", "zil", START, "Proof.\n  1: { Axiom no : False. }\n  intros p A H."),
    ("axiom after a brace", "zil", START, "Proof.\n  { Axiom no : False. }\n  intros p A H."),
    ("axiom after dots", "zil", START, "Proof.\n  idtac... Axiom no : False.\n  intros p A H."),
    ("axiom after a bullet", "zil", START, "Proof.\n  - Axiom no : False.\n  intros p A H."),
    ("name made by a tactic", "zil", START, "Proof.\n  abstract exact I using zsum.\n  intros p A H."),
    ("definitions joined", "zil", BEFORE, "Fixpoint f (n : nat) : nat := n with zsum (n : nat) : nat := n.\n" + BEFORE),
    ("tactic redefined", "zil", BEFORE, "Ltac idx ::= idtac.\n" + BEFORE),
    ("comment open", "zil", BEFORE, "(* (* *)\n" + BEFORE),
    ("string open", "zil", BEFORE, '"\n' + BEFORE),
    ("nested too deep", "zil", GOAL + "\n  (", GOAL + "\n  " + "(" * 5000),
]  # fmt: skip


@pytest.mark.parametrize("name, id, old, new", SABOTAGE, ids=[s[0] for s in SABOTAGE])
def test_sabotage_is_found(name: str, id: str, old: str, new: str) -> None:
    text = bare(id)
    assert old in text, "this sabotage no longer fits the exported text"
    found = compare(text.replace(old, new, 1), certificate(id))
    assert found and all(d.place and str(d) for d in found)


HARMLESS = [
    ("bound names", r"\bj0\b", "somewhere"),
    ("variables", r"\bi_l\b", "layer"),
    ("name of a recursion", r"\beval3\b", "evaluate"),
    ("constructor", r"\bk3_x\b", "k_x"),
    ("comment", BEFORE, '(* (* "*)" Axiom *) Axiom no : False. *)\n' + BEFORE),
    ("lemma", BEFORE, "Lemma more : True.\nProof. exact I. Qed.\n" + BEFORE),
    ("spaces", r" /\\ ", "\n\t/\\\\\r\n"),
    ("equal integers", re.escape("((z_L p) - i_l - 1)%Z"), "(- 1 + (z_L p) - 1 * i_l)%Z"),
]


@pytest.mark.parametrize("name, old, new", HARMLESS, ids=[h[0] for h in HARMLESS])
def test_what_changes_no_meaning_is_no_difference(name: str, old: str, new: str) -> None:
    text, count = re.subn(old, new, exported("zil"))
    assert count and compare(text, certificate("zil")) == []


# -- sabotage by rule -----------------------------------------------------------
def claim_sentences(text: str) -> tuple[list[Sentence], list[Sentence]]:
    """Sentences before the record, and those after it that the claim is made of; proofs are left out."""
    before: list[Sentence] = []
    after: list[Sentence] = []
    known = {s.tokens for s in fixed.EXPECTED.values()}
    for s in sentences(text):
        if s.first == "Record" or after:
            said = s.first in ("Record", "Inductive", "Theorem", "Definition")
            if said or (s.first == "Lemma" and re.fullmatch(r"c\d+_.*", s.tokens[1])):
                after.append(s)
        elif s.first in ("Require", "Import", "Local") or s.tokens in known:
            before.append(s)
    return before, after


def written(*parts: list[Sentence]) -> str:
    def one(s: Sentence) -> str:
        return " ".join(s.tokens) + (".\nProof.\nQed.\n" if s.first in ("Lemma", "Theorem") else ".\n")

    return "".join(one(s) for part in parts for s in part)


def changed(after: list[Sentence], k: int, tokens: list[str]) -> list[Sentence]:
    return [*after[:k], Sentence(tuple(tokens), after[k].line), *after[k + 1 :]]


def is_word(token: str) -> bool:
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_']*", token) is not None


def literals(after: list[Sentence]) -> Iterator[tuple[str, list[Sentence]]]:
    for k, s in enumerate(after):
        for m, t in enumerate(s.tokens):
            if t.isdigit():
                yield (
                    f"{s.tokens[1]}: {t} at {m}",
                    changed(after, k, [*s.tokens[:m], str(int(t) + 1), *s.tokens[m + 1 :]]),
                )


def comparisons(after: list[Sentence]) -> Iterator[tuple[str, list[Sentence]]]:
    """Every comparison by every other sign."""
    for k, s in enumerate(after):
        for m, t in enumerate(s.tokens):
            for sign in {"<=", "<", ">=", ">", "=", "<>"} - {t} if t in ("<=", "<", "=", "<>") else ():
                yield f"{s.tokens[1]}: {sign} at {m}", changed(after, k, [*s.tokens[:m], sign, *s.tokens[m + 1 :]])


def neighbours(after: list[Sentence]) -> Iterator[tuple[str, list[Sentence]]]:
    """Every two distinct words next to each other in a sentence, swapped; not where both are bound and never used, and
    not the sides of an equation."""
    for k, s in enumerate(after):
        words = [m for m, t in enumerate(s.tokens) if is_word(t)]
        for m, n in zip(words, words[1:]):
            a, b = s.tokens[m], s.tokens[n]
            rest = s.tokens[n + 1 :]
            ends = [x for x, t in enumerate(rest) if t in ("|", "end")]
            branch = rest[: ends[0]] if "match" in s.tokens and ends else rest
            if a == b or (n == m + 1 and a.startswith("i_") and b.startswith("i_") and not {a, b}.intersection(branch)):
                continue
            if s.tokens[m - 1 : n + 5] in [("(", a, "-", b, ")", "%", "Z", sign, "0") for sign in ("=?", "=")]:
                continue  # a - b = 0 and b - a = 0 are one equation
            if s.tokens[m + 1 : n] == ("+",) and s.tokens[m - 1] in "(+" and s.tokens[n + 1] in ")+-":
                continue  # a + b and b + a are one integer
            tokens = list(s.tokens)
            tokens[m], tokens[n] = b, a
            yield f"{s.tokens[1]}: {a} and {b} at {m}", changed(after, k, tokens)


def everywhere(after: list[Sentence]) -> Iterator[tuple[str, list[Sentence]]]:
    """Every two distinct words, swapped wherever they stand, unless both are free to be called anything: this renames
    one to the other and back, which is consistent."""
    words = sorted({t for s in after for t in s.tokens if is_word(t)})
    free = re.compile(
        r"(i|j\d|k\d+|a|b|c\d+)_.*|[ijxy]\d+|(eval|measure|body|call)\d+|rec|make_params|[cs]_?|[cd]\d+_|r_"
    )
    for m, a in enumerate(words):
        for b in words[m + 1 :]:
            if free.fullmatch(a) and free.fullmatch(b):
                continue
            swap = {a: b, b: a}
            yield f"{a} and {b}", [Sentence(tuple(swap.get(t, t) for t in s.tokens), s.line) for s in after]


@pytest.mark.parametrize(
    "id, rule, least",
    [
        ("learning_fixed_point", literals, 60),
        ("learning_fixed_point", neighbours, 300),
        ("learning_fixed_point", everywhere, 500),
        ("zil", literals, 100),
        ("prediction_fixed_point", neighbours, 300),
        (ORDER, literals, 100),
        (LITTLE, neighbours, 100),
        (ORDER, comparisons, 100),
    ],
)
def test_every_single_edit_of_the_claim_is_found(id: str, rule: Any, least: int) -> None:
    before, after = claim_sentences(bare(id))
    data = certificate(id)
    assert compare(written(before, after), data) == []
    survived, tried = [], 0
    for name, edited in rule(after):
        tried += 1
        if not compare(written(before, edited), data):
            survived.append(name)
    assert not survived and tried >= least, f"{tried} tried"


def test_every_premise_of_the_certificate_has_to_be_there() -> None:
    """One thing less in the certificate is one thing too much in the file."""
    for id in ("learning_fixed_point", "zil_chain", "energy_gradient"):
        for key in ("assumptions", "hypotheses", "sizes", "symbols", "directions", "definitions"):
            part = certificate(id)["theory"][key]
            for k in list(part) if isinstance(part, dict) else range(len(part)):
                data = certificate(id)
                del data["theory"][key][k]
                try:
                    found = compare(bare(id), data)
                except ValueError:
                    continue
                assert found, f"{id}: {key} {k}"


# -- parts --------------------------------------------------------------------
def test_names_are_read_in_one_way() -> None:
    read = {
        "a": "a",
        "s__in": "s_in",
        "i_x27_": "i'",
        "__x27": "_x27",
        "_x26f_": "\u026f",
        "_x0_": "\x00",
        "_e_": "",
        "____": "__",
    }
    for spelled, name in read.items():
        assert unspell(spelled) == name
    for bad in ("", "_", "a_b", "_x41_", "_x5f_", "_x_", "_x027_", "_X27_", "_x27", "a_e_", "_x110000_"):
        with pytest.raises(NotUnderstood):
            unspell(bad)


def test_comments_and_strings_as_in_coq() -> None:
    def cut(text: str) -> list[tuple[str, ...]]:
        return [s.tokens for s in sentences(text)]

    assert cut('(* a (* b *) "*)" c *) A b. (*) C. *) D.') == [("A", "b"), ("D",)]
    assert cut('idtac "a (* b. "" c" x.') == [("idtac", '"a (* b. "" c"', "x")]
    assert cut("A.b c. d.\n") == [("A.b", "c"), ("d",)]
    for bad in ("(* a", "(* (* *)", '"a', '(* "*)', "a b", "a...", "a.(b).", "a..", "\u00e9.", "a\x0c.", "#[a] b."):
        with pytest.raises(NotUnderstood):
            sentences(bad)


def test_the_prelude_that_the_reader_knows_gives_every_word_its_meaning() -> None:
    meant = {"nsum", "zsum", "zpow", "rinv", "iszero", "iver", "nonneg", "lexlt", "below", "wfix_order", "wfix_wf"}
    assert set(fixed.EXPECTED) == meant | {"guarded", "wfix"}
    bound = re.compile(r"[AFabcfghkmnuvwxy_]|rec|[uv]'")
    words = {t for s in fixed.EXPECTED.values() for t in s.tokens[1:] if is_word(t) and not bound.fullmatch(t)}
    assert words <= fixed.STANDARD | fixed.EXPECTED.keys() | KEYWORDS, "a name that a file could take anew"
    text = bare("zil_freeze")
    for name, s in fixed.EXPECTED.items():
        for k, t in enumerate(s.tokens):
            if t.isdigit() or t in ("&&", "||", "+", "<?", "=?", "<=?", "true", "false"):
                wrong = [*s.tokens[:k], "0" if t != "0" else "1", *s.tokens[k + 1 :]]
                old = next(
                    x for x in re.findall(r"(?ms)^(?:Fixpoint|Definition) .*?\.\s*$", text) if f" {name} " in x[:40]
                )
                edited = text.replace(old, " ".join(wrong) + ".\n", 1)
                assert any(name in d.coq for d in compare(edited, certificate("zil_freeze"))), (name, t)
