"""What a file may contain besides the theory: imports, commands, and the definitions of the prelude.

Whoever changes a definition of the prelude reads it anew and changes it here too: it says what sums, powers and
recursion mean.  Lemmas, their proofs, tactics and further definitions may change freely; they cannot change the meaning
of what is compared, because no notation, coercion or hint may be declared and no name used there may be taken again.
"""

from __future__ import annotations

from .lexer import Sentence, sentences

#: all modules that are imported, in order: the last one decides what a name means
IMPORTS = ["Reals", "ZArith", "Lia", "Lra", "List", "Bool", "ZifyBool"]

#: what is said before the first definition; what is required without Import is known by its full name only
OPENING = (
    ("Require", "FunctionalExtensionality"),
    ("Import", "ListNotations"),
    ("Local", "Open", "Scope", "R_scope"),
)

#: commands that say something; of a proof only ``Proof``, tactics and ``Qed`` may stand there
COMMANDS = frozenset({"Definition", "Fixpoint", "Inductive", "Record", "Lemma", "Theorem", "Ltac"})
#: commands that change how terms are unfolded by tactics, not what they mean
HARMLESS = frozenset({"Opaque", "Transparent"})

#: what a proof or tactic may not say
FORBIDDEN = frozenset({"admit", "give_up", "transparent_abstract"})

PRELUDE = """
Fixpoint nsum (n : nat) (f : Z -> R) : R :=
  match n with O => 0 | S k => nsum k f + f (Z.of_nat k) end.
Definition zsum (n : Z) (f : Z -> R) : R := nsum (Z.to_nat n) f.
Definition zpow (a : R) (k : Z) : R := pow a (Z.to_nat k).
Definition rinv (a : R) : R := if Req_EM_T a 0 then 0 else / a.
Definition iszero (a : R) : R := if Req_EM_T a 0 then 1 else 0.
Definition iver (b : bool) : R := if b then 1 else 0.
Fixpoint nonneg (v : list Z) : bool := match v with [] => true | a :: w => (0 <=? a)%Z && nonneg w end.
Fixpoint lexlt (u v : list Z) : bool :=
  match u, v with
  | a :: u', b :: v' => ((a <? b)%Z && Nat.eqb (length u') (length v')) || ((a =? b)%Z && lexlt u' v')
  | _, _ => false
  end.
Definition below (u v : list Z) : bool := nonneg v && lexlt u v.
Definition wfix_order {A : Type} (m : A -> list Z) (x y : A) : Prop := below (m x) (m y) = true.
Lemma wfix_wf {A : Type} (m : A -> list Z) : well_founded (wfix_order m).
Definition guarded (b : bool) (f : b = true -> R) : R :=
  (match b as c return (c = true -> R) -> R with true => fun g => g eq_refl | false => fun _ => 0 end) f.
Definition wfix {A : Type} (m : A -> list Z) (F : (A -> R) -> A -> R) : A -> R :=
  Fix (wfix_wf m) (fun _ => R) (fun x rec => F (fun y => guarded (below (m y) (m x)) (fun h => rec y h)) x).
"""

EXPECTED: dict[str, Sentence] = {s.tokens[1]: s for s in sentences(PRELUDE)}

_LIBRARY = """
R Z nat bool list unit prod sum sig option positive N Type Prop Set True False I true false O S nil cons
xH xO xI Z0 Zpos Zneg pow length app Req_EM_T eq eq_refl not and or iff ex conj pair Fix Acc well_founded
negb andb orb derivable_pt_lim Nat Pos List Reals ZArith Bool Rplus Rmult Rminus Ropp Rinv Rdiv Rle Rlt Rge Rgt
IZR INR IPR R0 R1 Rdefinitions Raxioms BinInt BinNums Datatypes Logic Coq ListNotations
"""

#: names of Coq's library that stand in what is compared, or behind its notations
STANDARD = frozenset(_LIBRARY.split())
