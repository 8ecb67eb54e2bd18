(** * Invariants: what is always true of one mailbox

    An invariant is true of a newborn mailbox and is kept by every step, so it is true of every mailbox that
    can be reached, however many senders there are and however their steps interleave. Three are needed here.

    - [shape]: there is at most one activation, and the word, the stage of its holder, the outcome of init and
      the two counters of terminate fit together. An activation exists exactly while the word is a stack, and
      from closing until the holder is done.
    - [conserved]: within each class, the envelopes ever accepted are, in order of acceptance, those handled,
      the one in hand, the dead letters, those taken and those in the stack. Being an equation between
      _sequences_ it says at once that nothing is lost, nothing doubled and nothing overtaken.
    - [obedient]: once a signal was handled, the actor is on its way to its end. *)

From Coq Require Import List PArith Lia.
From Antiphon Require Import Model.
Import ListNotations.

(** ** Lists *)

Lemma only_app : forall k a b, only k (a ++ b) = only k a ++ only k b.
Proof. intros k a b. unfold only. induction a as [|x a IH]; simpl; [reflexivity|].
  destruct (same_class k x); simpl; rewrite IH; reflexivity. Qed.

Lemma only_cons : forall k x a, only k (x :: a) = only k [x] ++ only k a.
Proof. intros k x a. apply (only_app k [x] a). Qed.

Lemma only_rev : forall k a, only k (rev a) = rev (only k a).
Proof. intros k a. induction a as [|x a IH]; [reflexivity|]. simpl. rewrite only_app, IH. unfold only. simpl.
  destruct (same_class k x); simpl; [reflexivity|]. rewrite app_nil_r. reflexivity. Qed.

Lemma rev_append_nil : forall (a : list envelope), rev_append a [] = rev a.
Proof. intros. rewrite rev_append_rev. apply app_nil_r. Qed.

Lemma rev_taken : forall loc s : list envelope, rev (loc ++ rev_append s []) = s ++ rev loc.
Proof. intros. rewrite rev_append_nil, rev_app_distr, rev_involutive. reflexivity. Qed.

(** Taking the oldest envelope of its class out, seen within one class and from the newest end. *)
Lemma only_taken_out : forall k e l l', taken_out e l l' ->
  only k (rev l) = only k (rev l') ++ only k [e].
Proof.
  intros k e l l' H. destruct H as [l r Hnone]. rewrite !rev_app_distr. simpl rev. rewrite !only_app.
  destruct (Pos.eqb (of_class e) k) eqn:E.
  - apply Pos.eqb_eq in E. subst k. rewrite (only_rev _ l), Hnone. simpl rev. rewrite !app_nil_r. reflexivity.
  - replace (only k [e]) with (@nil envelope); [rewrite !app_nil_r; reflexivity|].
    unfold only. simpl. unfold same_class. rewrite E. reflexivity.
Qed.

Lemma only_nil : forall k, only k [] = [].
Proof. reflexivity. Qed.

Arguments only : simpl never.

(** ** Shape *)

Definition over (ini : option bool) (b n : nat) : Prop :=
  (ini = Some true /\ b = 1 /\ n = 1) \/ (ini = Some false /\ b = 0 /\ n = 0).

(** What must be true of the rest while the only holder is in a certain stage. *)
Definition stage_ok (w : word) (ini : option bool) (b n : nat) (h : holder) : Prop :=
  match h with
  | Born | Initialising => (exists s, w = Stack s) /\ ini = None /\ b = 0 /\ n = 0
  | Running | Handling _ => (exists s, w = Stack s) /\ ini = Some true /\ b = 0 /\ n = 0
  | Stopping ok => (exists s, w = Stack s) /\ ini = Some ok /\ b = 0 /\ n = 0
  | Draining ok => w = Closed /\ ini = Some ok /\ b = 0 /\ n = 0
  | Terminating => w = Closed /\ ini = Some true /\ b = 1 /\ n = 0
  | Leaving => w = Closed /\ over ini b n
  end.

Definition shape (c : core) : Prop :=
  match activations c with
  | [] => local c = [] /\
          ((inbox c = Idle /\ initialised c = Some true /\ begun c = 0 /\ ended c = 0) \/
           (inbox c = Closed /\ over (initialised c) (begun c) (ended c)))
  | [h] => stage_ok (inbox c) (initialised c) (begun c) (ended c) h
  | _ => False
  end.

Lemma alone : forall w (l : list holder) h r loc acc han dea ini b n,
  shape (Core w (l ++ h :: r) loc acc han dea ini b n) ->
  l = [] /\ r = [] /\ stage_ok w ini b n h.
Proof.
  intros w l h r loc acc han dea ini b n H. unfold shape in H. simpl in H.
  destruct l as [|x l]; [destruct r as [|y r]; [auto|contradiction]|].
  destruct l; simpl in H; contradiction.
Qed.

(** Uses the shape wherever a step names a holder: it is the only one. *)
Ltac only_holder :=
  match goal with
  | H : shape (Core _ (_ ++ _ :: _) _ _ _ _ _ _ _) |- _ =>
      apply alone in H; destruct H as (? & ? & H); subst; simpl in H; simpl
  end.

Lemma shape_newborn : shape newborn.
Proof. unfold shape, newborn. simpl. eauto. Qed.

Ltac split_all := repeat match goal with
  | H : _ /\ _ |- _ => destruct H
  | H : exists _, _ |- _ => destruct H
  end.

Lemma shape_step : forall c l c', cstep c l c' -> shape c -> shape c'.
Proof.
  intros c l c' Hs H. destruct Hs; try only_holder; unfold shape in *; simpl in *; split_all; subst; try discriminate.
  - (* push from Idle: nobody else holds an activation *)
    destruct acts as [|h [|h' acts]]; simpl in *; [|destruct h; simpl in *; split_all; discriminate|contradiction].
    destruct H as [_ [H|H]]; split_all; [eauto 6|discriminate].
  - (* push onto a stack *)
    destruct acts as [|h [|h' acts]]; simpl in *; [|destruct h; simpl in *; split_all; subst; try discriminate; eauto 6|contradiction].
    destruct H as [_ [H|H]]; split_all; discriminate.
  - eauto.
  - eauto.
  - eauto.
  - eauto.
  - eauto 6.
  - eauto 6.
  - eauto 6.
  - eauto 6.
  - split; [reflexivity|left; auto].
  - auto.
  - auto.
  - auto.
  - auto.
  - auto.
  - unfold over. auto.
  - unfold over. auto.
  - unfold over in *. auto.
Qed.

(** ** No dead letter before closing *)

Definition early (c : core) : Prop := inbox c <> Closed -> dead c = [].

Lemma early_step : forall c l c', cstep c l c' -> shape c -> early c -> early c'.
Proof.
  intros c l c' Hs H He. destruct Hs; try only_holder; unfold early in *; simpl in *; intros Hw; split_all; subst;
    try congruence; try (apply He; congruence).
Qed.

(** ** Conservation *)

Definition stacked (w : word) : list envelope := match w with Stack s => s | _ => [] end.

(** Newest first, like all histories: what is in the stack was accepted last. *)
Definition conserved (c : core) : Prop :=
  forall k, only k (accepted c) =
    only k (stacked (inbox c)) ++ only k (rev (local c)) ++ only k (dead c)
    ++ only k (flat_map held (activations c)) ++ only k (handled c).

Lemma conserved_step : forall c l c', cstep c l c' -> shape c -> early c -> conserved c -> conserved c'.
Proof.
  intros c l c' Hs H He Hc. destruct Hs; try only_holder; unfold early, conserved in *; simpl in *; intros k';
    specialize (Hc k'); split_all; subst; simpl in *; rewrite ?only_nil in *; simpl in *; try exact Hc.
  - (* push from Idle *)
    rewrite (only_cons _ e acc), (only_cons _ e []), Hc, app_nil_r. reflexivity.
  - (* push *)
    rewrite (only_cons _ e acc), (only_cons _ e s), Hc, <- app_assoc. reflexivity.
  - (* take *)
    change (rev_append s [e]) with (rev_append (e :: s) []).
    rewrite Hc, rev_taken, only_app, <- app_assoc. reflexivity.
  - (* handle begins *)
    rewrite He in * by discriminate.
    rewrite Hc, (only_taken_out k' _ _ _ H0), <- app_assoc. reflexivity.
  - (* handle ends *)
    rewrite Hc, (only_cons _ e han). reflexivity.
  - rewrite Hc, (only_cons _ e han). reflexivity.
  - (* close *)
    rewrite Hc, rev_taken, only_app, <- app_assoc. reflexivity.
  - (* dead letter *)
    rewrite Hc, (only_taken_out k' _ _ _ H0), (only_cons _ e dea), <- !app_assoc. reflexivity.
  - rewrite Hc, (only_taken_out k' _ _ _ H0), (only_cons _ e dea), <- !app_assoc. reflexivity.
  - rewrite Hc, (only_taken_out k' _ _ _ H0), (only_cons _ e dea), <- !app_assoc. reflexivity.
Qed.

(** ** Obedience *)

Definition has_signal (es : list envelope) : Prop := exists e, In e es /\ is_signal e = true.

Definition ending (c : core) : Prop := inbox c = Closed \/ exists ok, activations c = [Stopping ok].

Definition obedient (c : core) : Prop := has_signal (handled c) -> ending c.

Lemma obedient_step : forall c l c', cstep c l c' -> shape c -> obedient c -> obedient c'.
Proof.
  intros c l c' Hs H Ho Hsig.
  destruct Hs; try only_holder; unfold obedient, ending in *; simpl in *; split_all; subst;
    try (left; reflexivity); try (right; eauto; fail);
    try (destruct (Ho Hsig) as [Hx|[ok' Hx]]; [discriminate Hx|]; try discriminate Hx; subst; eauto; fail).
  - (* push from Idle *)
    destruct (Ho Hsig) as [Hx|[ok' Hx]]; [discriminate|]. subst. unfold shape in H. simpl in H. split_all. discriminate.
  - (* a handling that went well was not a signal's *)
    destruct Hsig as (e' & [He|He] & Hx); [congruence|].
    destruct Ho as [Ho|[ok' Ho]]; [exists e'; auto|discriminate|discriminate].
Qed.

(** ** All of it, of every reachable mailbox *)

Record well_formed (c : core) : Prop := {
  wf_shape : shape c;
  wf_early : early c;
  wf_conserved : conserved c;
  wf_obedient : obedient c
}.

Lemma well_formed_newborn : well_formed newborn.
Proof. split.
  - apply shape_newborn.
  - intros _. reflexivity.
  - intros k. reflexivity.
  - intros (e & H & _). destruct H.
Qed.

Lemma well_formed_step : forall c l c', cstep c l c' -> well_formed c -> well_formed c'.
Proof. intros c l c' Hs [H1 H2 H3 H4]. split;
  eauto using shape_step, early_step, conserved_step, obedient_step. Qed.

Theorem core_invariant : forall c, core_reachable c -> well_formed c.
Proof. induction 1; eauto using well_formed_newborn, well_formed_step. Qed.
