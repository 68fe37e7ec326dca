"""General lemmas, the same for every theory: finite sums, powers, order, well-founded recursion, derivatives.

Written by hand; it knows of no theory and of no theorem.
"""

from __future__ import annotations

PRELUDE = r"""
Require Import Reals ZArith Lia Lra List Bool.
Require Import ZifyBool.
Require FunctionalExtensionality.
Import ListNotations.
Local Open Scope R_scope.

(* by its full name, so that Print Assumptions names it in full *)
Lemma fun_ext {A B : Type} (f g : A -> B) : (forall x, f x = g x) -> f = g.
Proof. apply FunctionalExtensionality.functional_extensionality. Qed.

(* -- finite sums: zsum n f = f 0 + ... + f (n-1), 0 if n <= 0 ------------- *)
Fixpoint nsum (n : nat) (f : Z -> R) : R :=
  match n with O => 0 | S k => nsum k f + f (Z.of_nat k) end.
Definition zsum (n : Z) (f : Z -> R) : R := nsum (Z.to_nat n) f.

Lemma nsum_ext n f g : (forall j, (0 <= j)%Z -> (j < Z.of_nat n)%Z -> f j = g j) -> nsum n f = nsum n g.
Proof. induction n; intros E; simpl nsum; [reflexivity|]. rewrite IHn, E; auto; intros; try apply E; lia. Qed.
Lemma zsum_ext n f g : (forall j, (0 <= j)%Z -> (j < n)%Z -> f j = g j) -> zsum n f = zsum n g.
Proof. intros E. apply nsum_ext. intros; apply E; lia. Qed.
Lemma zsum_ext2 n m f g : n = m -> (forall j, (0 <= j)%Z -> (j < n)%Z -> f j = g j) -> zsum n f = zsum m g.
Proof. intros <-. apply zsum_ext. Qed.
Lemma zsum_zero n : zsum n (fun _ => 0) = 0.
Proof. unfold zsum. induction (Z.to_nat n); simpl; lra. Qed.
Lemma zsum_add n f g : zsum n (fun j => f j + g j) = zsum n f + zsum n g.
Proof. unfold zsum. induction (Z.to_nat n); simpl; lra. Qed.
Lemma zsum_scale n c f : zsum n (fun j => c * f j) = c * zsum n f.
Proof. unfold zsum. induction (Z.to_nat n); simpl; [|rewrite IHn0]; ring. Qed.
Lemma zsum_swap n m (f : Z -> Z -> R) :
  zsum n (fun j => zsum m (fun k => f j k)) = zsum m (fun k => zsum n (fun j => f j k)).
Proof.
  unfold zsum at 1 4. induction (Z.to_nat n) as [|a IH]; simpl.
  - symmetry. apply zsum_zero.
  - rewrite IH. symmetry. apply (zsum_add m (fun k => nsum a (fun j => f j k)) (fun k => f (Z.of_nat a) k)).
Qed.
Lemma zsum_empty n f : (n <= 0)%Z -> zsum n f = 0.
Proof. intros H. unfold zsum. replace (Z.to_nat n) with 0%nat by lia. reflexivity. Qed.
Lemma zsum_single n f v : n = 1%Z -> f 0%Z = v -> zsum n f = v.
Proof. intros -> <-. unfold zsum. simpl. ring. Qed.
Lemma lt_after j n : (j < n)%Z -> (0 <= - j + n - 1)%Z.
Proof. lia. Qed.
Lemma lt_before j n : (j < n)%Z -> (0 <= n - j - 1)%Z.
Proof. lia. Qed.
Lemma nsum_split n m f : nsum (m + n) f = nsum m f + nsum n (fun j => f (j + Z.of_nat m)%Z).
Proof.
  induction n; simpl nsum; [rewrite Nat.add_0_r; ring|].
  rewrite Nat.add_succ_r. simpl nsum. rewrite IHn.
  replace (Z.of_nat (m + n)) with (Z.of_nat n + Z.of_nat m)%Z by lia. ring.
Qed.
Lemma zsum_split n m k f g :
  (0 <= m)%Z -> (m <= n)%Z -> k = (n - m)%Z -> (forall j, (0 <= j)%Z -> (j < k)%Z -> f (j + m)%Z = g j) ->
  zsum n f = zsum m f + zsum k g.
Proof.
  intros a b -> E. unfold zsum.
  replace (Z.to_nat n) with (Z.to_nat m + Z.to_nat (n - m))%nat by lia. rewrite nsum_split. f_equal.
  apply nsum_ext. intros j p q. rewrite <- E by lia. f_equal. lia.
Qed.

(* -- powers (1 if k <= 0), reciprocals (0 at 0), indicators --------------- *)
Definition zpow (a : R) (k : Z) : R := pow a (Z.to_nat k).
Definition rinv (a : R) : R := if Req_EM_T a 0 then 0 else / a.
Definition iszero (a : R) : R := if Req_EM_T a 0 then 1 else 0.
Definition iver (b : bool) : R := if b then 1 else 0.

Lemma zpow_zero a k : (k <= 0)%Z -> zpow a k = 1.
Proof. intros H. unfold zpow. replace (Z.to_nat k) with 0%nat by lia. reflexivity. Qed.
Lemma zpow_step a k m : (1 <= k)%Z -> m = (k - 1)%Z -> zpow a k = a * zpow a m.
Proof. intros H ->. unfold zpow. replace (Z.to_nat k) with (S (Z.to_nat (k - 1))) by lia. reflexivity. Qed.
Lemma rinv_r a : a <> 0 -> a * rinv a = 1.
Proof. intros H. unfold rinv. destruct (Req_EM_T a 0); [contradiction|]. apply Rinv_r. exact H. Qed.
Lemma iszero_zero a : a = 0 -> iszero a = 1.
Proof. intros H. unfold iszero. destruct (Req_EM_T a 0); [reflexivity|contradiction]. Qed.
Lemma iszero_other a : a <> 0 -> iszero a = 0.
Proof. intros H. unfold iszero. destruct (Req_EM_T a 0); [contradiction|reflexivity]. Qed.

(* -- order ----------------------------------------------------------------- *)
Lemma le_conv a b c d : a <= b -> c = a -> b = d -> c <= d.
Proof. intros H -> <-. exact H. Qed.
Lemma le_square a : 0 <= a * a.
Proof. exact (Rle_0_sqr a). Qed.
Lemma zsum_le n f g : (forall j, (0 <= j)%Z -> (j < n)%Z -> f j <= g j) -> zsum n f <= zsum n g.
Proof.
  intros H. unfold zsum.
  assert (G : forall k, (Z.of_nat k <= Z.max 0 n)%Z -> nsum k f <= nsum k g).
  { induction k; intros B; simpl nsum; [apply Rle_refl|].
    apply Rplus_le_compat; [apply IHk|apply H]; lia. }
  apply G. lia.
Qed.

(* -- recursion on a list of integers that goes down lexicographically ----- *)
Fixpoint nonneg (v : list Z) : bool := match v with [] => true | a :: w => (0 <=? a)%Z && nonneg w end.
Fixpoint lexlt (u v : list Z) : bool :=
  match u, v with
  | a :: u', b :: v' => ((a <? b)%Z && Nat.eqb (length u') (length v')) || ((a =? b)%Z && lexlt u' v')
  | _, _ => false
  end.
Definition below (u v : list Z) : bool := nonneg v && lexlt u v.

Lemma below_wf k : forall v, length v = k -> Acc (fun u v => below u v = true) v.
Proof.
  induction k as [|k IH]; intros v E.
  - destruct v; [|discriminate]. constructor. intros u H. destruct u; discriminate.
  - destruct v as [|b v]; [discriminate|]. injection E as E.
    destruct (Z_lt_le_dec b 0) as [neg|pos].
    { constructor. intros u H. unfold below in H. simpl in H. lia. }
    revert v E. pattern b. apply (Zlt_lower_bound_ind _ 0); [|exact pos].
    clear b pos. intros b IHb pos v E.
    induction (IH v E) as [v _ IHv].
    constructor. intros u H. unfold below in H. apply andb_prop in H as [N H].
    destruct u as [|a u]; [discriminate|]. cbn [nonneg lexlt] in N, H.
    apply andb_prop in N as [_ N]. apply orb_prop in H as [H|H]; apply andb_prop in H as [P Q].
    + apply Nat.eqb_eq in Q. apply Z.ltb_lt in P.
      destruct (Z_lt_le_dec a 0) as [neg|nn].
      * constructor. intros w W. unfold below in W. simpl in W. lia.
      * apply IHb; [lia|congruence].
    + apply Z.eqb_eq in P. subst a. apply IHv.
      * unfold below. rewrite N. exact Q.
      * clear - Q E. revert v k Q E. induction u as [|a u IHu]; intros [|b v] k Q E; try discriminate.
        cbn [lexlt] in Q. cbn [length] in E |- *. destruct k; [discriminate|]. f_equal. injection E as E.
        apply orb_prop in Q as [Q|Q]; apply andb_prop in Q as [_ Q].
        -- apply Nat.eqb_eq in Q. congruence.
        -- exact (IHu v k Q E).
Qed.
Definition wfix_order {A : Type} (m : A -> list Z) (x y : A) : Prop := below (m x) (m y) = true.
Lemma wfix_wf {A : Type} (m : A -> list Z) : well_founded (wfix_order m).
Proof.
  intros x. remember (m x) as v eqn:E. revert x E.
  induction (below_wf (length v) v eq_refl) as [v _ IH]. intros x E. constructor. intros y H.
  apply (IH (m y)); [|reflexivity]. subst v. exact H.
Qed.
Definition guarded (b : bool) (f : b = true -> R) : R :=
  (match b as c return (c = true -> R) -> R with true => fun g => g eq_refl | false => fun _ => 0 end) f.
(* a call that does not go down has the value 0; the lemmas of each case show that there is none *)
Definition wfix {A : Type} (m : A -> list Z) (F : (A -> R) -> A -> R) : A -> R :=
  Fix (wfix_wf m) (fun _ => R) (fun x rec => F (fun y => guarded (below (m y) (m x)) (fun h => rec y h)) x).
Lemma wfix_eq {A : Type} (m : A -> list Z) (F : (A -> R) -> A -> R) x :
  wfix m F x = F (fun y => if below (m y) (m x) then wfix m F y else 0) x.
Proof.
  unfold wfix at 1. rewrite Fix_eq.
  - apply (f_equal (fun r => F r x)). apply fun_ext. intros y.
    unfold guarded. fold (wfix m F). destruct (below (m y) (m x)); reflexivity.
  - intros y f g E. apply (f_equal (fun r => F r y)). apply fun_ext. intros z.
    apply (f_equal (guarded (below (m z) (m y)))). apply fun_ext. intros h. apply E.
Qed.
Lemma if_true (b : bool) (x y : R) : b = true -> (if b then x else y) = x.
Proof. intros ->. reflexivity. Qed.
Lemma if_false (b : bool) (x y : R) : b = false -> (if b then x else y) = y.
Proof. intros ->. reflexivity. Qed.

(* -- derivatives at 0 ------------------------------------------------------ *)
Lemma d_conv (F G : R -> R) x d e : derivable_pt_lim F x d -> (forall s, F s = G s) -> d = e -> derivable_pt_lim G x e.
Proof. intros H E <- a Ha. destruct (H a Ha) as [b Hb]. exists b. intros. rewrite <- !E. auto. Qed.
Lemma d_point (F : R -> R) x y d : derivable_pt_lim F x d -> x = y -> derivable_pt_lim F y d.
Proof. intros H <-. exact H. Qed.
Lemma d_const c x : derivable_pt_lim (fun _ => c) x 0.
Proof. apply derivable_pt_lim_const. Qed.
Lemma d_affine a b : derivable_pt_lim (fun s => a + s * b) 0 b.
Proof.
  apply (d_conv (fun s => b * s + a) _ 0 (b * 1 + 0)); [|intros; ring|ring].
  apply (derivable_pt_lim_plus (fun s => b * s) (fun _ => a)); [|apply derivable_pt_lim_const].
  apply (derivable_pt_lim_scal (fun s => s)). apply derivable_pt_lim_id.
Qed.
Lemma d_add (F G : R -> R) d e :
  derivable_pt_lim F 0 d -> derivable_pt_lim G 0 e -> derivable_pt_lim (fun s => F s + G s) 0 (d + e).
Proof. apply derivable_pt_lim_plus. Qed.
Lemma d_mul (F G : R -> R) a b d e : F 0 = a -> G 0 = b ->
  derivable_pt_lim F 0 d -> derivable_pt_lim G 0 e -> derivable_pt_lim (fun s => F s * G s) 0 (d * b + a * e).
Proof. intros <- <-. apply derivable_pt_lim_mult. Qed.
Lemma d_comp (f F : R -> R) a d e : F 0 = a ->
  derivable_pt_lim F 0 d -> derivable_pt_lim f a e -> derivable_pt_lim (fun s => f (F s)) 0 (e * d).
Proof. intros <- H K. exact (derivable_pt_lim_comp F f 0 d e H K). Qed.
Lemma d_sum n (F : R -> Z -> R) d :
  (forall j, (0 <= j)%Z -> (j < n)%Z -> derivable_pt_lim (fun s => F s j) 0 (d j)) ->
  derivable_pt_lim (fun s => zsum n (F s)) 0 (zsum n d).
Proof.
  intros H. unfold zsum.
  assert (G : forall k, (Z.of_nat k <= Z.max 0 n)%Z -> derivable_pt_lim (fun s => nsum k (F s)) 0 (nsum k d)).
  { induction k; intros B; simpl nsum; [apply derivable_pt_lim_const|].
    apply (d_add (fun s => nsum k (F s)) (fun s => F s (Z.of_nat k))); [apply IHk|apply H]; lia. }
  apply G. lia.
Qed.

(* -- terms that differ in equal index terms only --------------------------- *)
Ltac idx :=
  cbv beta;
  lazymatch goal with
  | |- ?a = ?a => exact eq_refl
  | |- @eq Z _ _ => first [lia | progress f_equal; idx]
  | |- @eq bool _ _ => first [lia | progress f_equal; idx]
  | |- zsum _ _ = zsum _ _ => apply zsum_ext2; [idx | intros; idx]
  | |- @eq (_ -> _) _ _ => apply fun_ext; intro; idx
  | |- _ => progress f_equal; idx
  end.
"""
