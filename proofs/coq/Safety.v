(** * Safety: what never happens

    Each theorem bears the id of its guarantee. All of them speak of any reachable node: any number of actors,
    senders and messages, and any interleaving of their steps.

    A reader's guide to the statements: [get i (actors s) = Some A] says "[A] is what actor [i] is like in
    state [s]"; [run s ls t] says "the steps [ls] lead from [s] to [t]"; histories are newest first, so [rev]
    turns them into the order in which things happened; [only k] keeps the envelopes of class [k]. *)

From Coq Require Import List PArith Lia Permutation.
From Antiphon Require Import Model Invariants Nodes.
Import ListNotations.

(** ** handler-exclusion *)

(** For one actor at most one callback is in progress, [terminate] included; there is even at most one
    activation, so there is at most one thread that may touch what the actor owns. *)
Theorem handler_exclusion : forall s i A, reachable s -> get i (actors s) = Some A ->
  length (activations (mailbox A)) <= 1 /\
  length (filter in_callback (activations (mailbox A))) <= 1.
Proof.
  intros s i A Hr Hg. pose proof (wf_shape _ (well _ _ _ Hr Hg)) as H. unfold shape in H.
  destruct (activations (mailbox A)) as [|h [|h' r]]; [simpl; lia| |contradiction].
  simpl. destruct (in_callback h); simpl; lia.
Qed.

(** ** no-loss and no-duplication *)

Definition in_hand (c : core) : list envelope := flat_map held (activations c).

(** Where an accepted envelope can be, in order of acceptance. *)
Definition whereabouts (c : core) : list envelope :=
  rev (handled c) ++ in_hand c ++ rev (dead c) ++ local c ++ rev (stacked (inbox c)).

(** Within each class, what was accepted is, in this order: what was handled, what is being handled, what
    was handed over as dead letters, what the holder has taken, what is queued. One equation between two
    sequences: nothing is lost, nothing doubled, nothing overtaken. *)
Theorem conservation : forall s i A k, reachable s -> get i (actors s) = Some A ->
  only k (rev (accepted (mailbox A))) = only k (whereabouts (mailbox A)).
Proof.
  intros s i A k Hr Hg. pose proof (wf_conserved _ (well _ _ _ Hr Hg) k) as H.
  assert (Hh : only k (rev (in_hand (mailbox A))) = only k (in_hand (mailbox A))).
  { unfold in_hand. destruct (handler_exclusion _ _ _ Hr Hg) as [Hl _].
    destruct (activations (mailbox A)) as [|h [|]]; [reflexivity| |simpl in Hl; lia].
    destruct h; reflexivity. }
  rewrite only_rev, H. unfold whereabouts. rewrite !rev_app_distr, !only_app.
  rewrite <- (only_rev k (handled _)), <- Hh. unfold in_hand. rewrite !only_rev, rev_involutive, <- !app_assoc.
  reflexivity.
Qed.

Lemma in_only : forall e l, In e l <-> In e (only (of_class e) l).
Proof. intros e l. unfold only. rewrite filter_In. unfold same_class. rewrite Pos.eqb_refl. intuition. Qed.

(** Every accepted envelope is somewhere, and nothing else is. *)
Corollary whereabouts_accepted : forall s i A e, reachable s -> get i (actors s) = Some A ->
  In e (accepted (mailbox A)) <-> In e (whereabouts (mailbox A)).
Proof.
  intros s i A e Hr Hg. rewrite (in_rev (accepted _)), in_only, (conservation _ _ _ _ Hr Hg), <- in_only. reflexivity.
Qed.

(** Once the holder is done with a closed actor, each message that it had accepted has been handled or handed
    over as a dead letter; none is left. (Ownership.v: this is so when the actor is reported as ended.) *)
Theorem no_loss : forall s i A, reachable s -> get i (actors s) = Some A ->
  inbox (mailbox A) = Closed -> activations (mailbox A) = [] ->
  forall e, In e (accepted (mailbox A)) -> In e (handled (mailbox A)) \/ In e (dead (mailbox A)).
Proof.
  intros s i A Hr Hg Hc Ha e He. apply (whereabouts_accepted _ _ _ _ Hr Hg) in He.
  pose proof (wf_shape _ (well _ _ _ Hr Hg)) as H. unfold shape in H. rewrite Ha in H. destruct H as [Hl _].
  unfold whereabouts, in_hand in He. rewrite Ha, Hc, Hl in He. simpl in He. rewrite !app_nil_r in He.
  apply in_app_or in He as [He|He]; apply in_rev in He; auto.
Qed.

Definition envelope_dec : forall a b : envelope, {a = b} + {a <> b}.
Proof. repeat decide equality. Defined.

Notation count := (count_occ envelope_dec).

Lemma count_only : forall e l, count l e = count (only (of_class e) l) e.
Proof.
  intros e l. unfold only. induction l as [|x l IH]; [reflexivity|]. simpl.
  unfold same_class at 1. destruct (Pos.eqb (of_class x) (of_class e)) eqn:E; simpl;
    destruct (envelope_dec x e); subst; rewrite ?Pos.eqb_refl in *; try discriminate; auto.
Qed.

Lemma count_filter : forall e l, is_user e = true -> count l e = count (filter is_user l) e.
Proof.
  intros e l He. induction l as [|x l IH]; [reflexivity|]. simpl.
  destruct (is_user x) eqn:E; simpl; destruct (envelope_dec x e); subst; auto; congruence.
Qed.

(** No message is handled twice, none is both handled and dead-lettered, none is anywhere twice. *)
Theorem no_duplication : forall s i A e, reachable s -> get i (actors s) = Some A ->
  is_user e = true -> count (whereabouts (mailbox A)) e <= 1.
Proof.
  intros s i A e Hr Hg He. rewrite count_only, <- (conservation _ _ _ _ Hr Hg), <- count_only.
  assert (Hp : count (rev (accepted (mailbox A))) e = count (accepted (mailbox A)) e).
  { apply (Permutation_count_occ envelope_dec), Permutation_sym, Permutation_rev. }
  rewrite Hp, count_filter by assumption.
  apply NoDup_count_occ. exact (accepted_once _ (books_kept _ Hr) _ _ Hg).
Qed.

(** ** right-recipient *)

(** What an actor handles, or hands over as a dead letter, was addressed to it and accepted by it ... *)
Theorem right_recipient : forall s i A m k, reachable s -> get i (actors s) = Some A ->
  In (letter m k) (whereabouts (mailbox A)) -> was_accepted s m i k.
Proof.
  intros s i A m k Hr Hg H. apply (whereabouts_accepted _ _ _ _ Hr Hg) in H.
  exact (accepted_was_sent _ (books_kept _ Hr) _ _ _ _ Hg H).
Qed.

(** ... so no message is ever with two actors. *)
Theorem no_duplication_across : forall s i j A B m k q, reachable s ->
  get i (actors s) = Some A -> get j (actors s) = Some B ->
  In (letter m k) (whereabouts (mailbox A)) -> In (letter m q) (whereabouts (mailbox B)) -> i = j.
Proof.
  intros s i j A B m k q Hr HA HB H G.
  destruct (right_recipient _ _ _ _ _ Hr HA H), (right_recipient _ _ _ _ _ Hr HB G); congruence.
Qed.

(** A message whose sender was told "accepted" is with its recipient. *)
Theorem accepted_is_kept : forall s m i k, reachable s -> was_accepted s m i k ->
  exists A, get i (actors s) = Some A /\ In (letter m k) (whereabouts (mailbox A)).
Proof.
  intros s m i k Hr H. destruct (sent_was_accepted _ (books_kept _ Hr) _ _ _ H) as (A & HA & Hin).
  exists A. split; [assumption|]. apply (whereabouts_accepted _ _ _ _ Hr HA). assumption.
Qed.

(** ** sender-order *)

Lemma nodup_split : forall (x : envelope) a b c d, NoDup (a ++ x :: b) -> a ++ x :: b = c ++ x :: d -> a = c.
Proof.
  intros x a. induction a as [|y a IH]; intros b c d Hn He; destruct c as [|z c]; simpl in *; try reflexivity;
    injection He as He' He; subst; inversion Hn as [|? ? Hx Hn']; subst.
  - exfalso. apply Hx, in_or_app. right. left. reflexivity.
  - exfalso. apply Hx, in_or_app. right. left. reflexivity.
  - f_equal. eauto.
Qed.

Lemma filter_rev_permutation : forall (f : envelope -> bool) l, Permutation (filter f l) (filter f (rev l)).
Proof.
  intros f l. induction l as [|x l IH]; [constructor|]. simpl. rewrite filter_app. simpl. destruct (f x).
  - eapply perm_trans; [apply perm_skip, IH|]. apply Permutation_cons_append.
  - rewrite app_nil_r. assumption.
Qed.

Lemma nodup_filter_filter : forall k l, NoDup (filter is_user l) -> NoDup (filter is_user (only k l)).
Proof.
  intros k l H. unfold only. induction l as [|x l IH]; [assumption|]. simpl in *.
  destruct (same_class k x); simpl; destruct (is_user x) eqn:E; auto; inversion H; subst; auto.
  constructor; auto. intros G. apply H2. apply filter_In in G as [G ?]. apply filter_In in G as [G _].
  apply filter_In. auto.
Qed.

(** Take two messages of one class to one actor such that the second send began when the first had been
    accepted and had returned (whoever sent them). Then whenever the second is being handled or was handled,
    the first was handled before it: after handling or holding the second comes nothing of the first. *)
Theorem sender_order : forall s t ls m n i k,
  reachable s -> run s ls t ->
  get m (sends s) = Some (Done i k true) -> get n (sends s) = None ->
  forall A, get i (actors t) = Some A ->
  In (letter n k) (handled (mailbox A) ++ in_hand (mailbox A)) ->
  exists before after,
    rev (handled (mailbox A)) ++ in_hand (mailbox A) = before ++ letter n k :: after /\ In (letter m k) before.
Proof.
  intros s t ls m n i k Hr Hrun Hm Hn A HA Hin.
  pose proof (reachable_run _ _ _ Hr Hrun) as Hrt.
  destruct (sent_was_accepted _ (books_kept _ Hr) m i k) as (S0 & HS0 & HmS); [right; assumption|].
  destruct (run_accepted _ _ _ Hrun _ _ HS0) as (A1 & HA1 & more & Hacc). rewrite HA in HA1. injection HA1 as <-.
  assert (Hnot : ~ In (letter n k) (accepted (mailbox S0))).
  { intros H. destruct (accepted_was_sent _ (books_kept _ Hr) _ _ _ _ HS0 H); congruence. }
  set (H := rev (handled (mailbox A)) ++ in_hand (mailbox A)) in *.
  assert (HinH : In (letter n k) H).
  { unfold H. apply in_app_or in Hin as [Hin|Hin]; apply in_or_app; [left|right]; auto. apply in_rev in Hin. auto. }
  destruct (in_split _ _ HinH) as (before & after & Hsplit). exists before, after. split; [assumption|].
  (* seen from the other side: acceptance *)
  pose proof (conservation _ _ _ k Hrt HA) as Hc. unfold whereabouts in Hc. rewrite app_assoc, only_app in Hc.
  fold H in Hc. rewrite Hsplit, Hacc, rev_app_distr, !only_app in Hc. rewrite <- app_assoc in Hc.
  assert (Hnacc : In (letter n k) (accepted (mailbox A))).
  { apply (whereabouts_accepted _ _ _ _ Hrt HA). unfold whereabouts. rewrite app_assoc. apply in_or_app. left. exact HinH. }
  rewrite Hacc in Hnacc. apply in_app_or in Hnacc as [Hnmore|Hx]; [|contradiction].
  assert (Hnrev : In (letter n k) (only k (rev more))).
  { apply (proj1 (in_only (letter n k) _)). apply in_rev in Hnmore. exact Hnmore. }
  destruct (in_split _ _ Hnrev) as (m1 & m2 & Hm12).
  rewrite (only_cons k (letter n k) after) in Hc.
  replace (only k [letter n k]) with [letter n k] in Hc
    by (unfold only; simpl; unfold same_class; simpl; rewrite Pos.eqb_refl; reflexivity).
  rewrite Hm12 in Hc. rewrite <- !app_assoc in Hc. simpl in Hc. rewrite app_assoc in Hc.
  (* no message is there twice, so the two splits are the same *)
  apply (f_equal (filter is_user)) in Hc. rewrite (filter_app _ (_ ++ m1)), (filter_app _ (only k before)) in Hc.
  simpl in Hc. apply nodup_split in Hc.
  - assert (HmB : In (letter m k) (filter is_user (only k before))).
    { rewrite <- Hc. apply filter_In. split; [|reflexivity]. apply in_or_app. left.
      apply (proj1 (in_only (letter m k) _)), in_rev. rewrite rev_involutive. assumption. }
    apply filter_In in HmB as [HmB _]. apply (proj2 (in_only (letter m k) before)). exact HmB.
  - replace (filter is_user (_ ++ m1) ++ letter n k :: filter is_user m2)
      with (filter is_user (only k (rev (accepted (mailbox A))))).
    + apply nodup_filter_filter. eapply Permutation_NoDup; [apply filter_rev_permutation|].
      exact (accepted_once _ (books_kept _ Hrt) _ _ HA).
    + rewrite Hacc, rev_app_distr, only_app, Hm12, !filter_app, <- app_assoc. reflexivity.
Qed.

(** ** closed-is-closed *)

(** Once terminate has begun the inbox is closed; so it is once the actor was closed for any reason ... *)
Theorem closed_is_closed : forall s i A, reachable s -> get i (actors s) = Some A ->
  begun (mailbox A) > 0 -> inbox (mailbox A) = Closed.
Proof.
  intros s i A Hr Hg Hb. pose proof (wf_shape _ (well _ _ _ Hr Hg)) as H. unfold shape in H.
  destruct (activations (mailbox A)) as [|h [|]]; [|destruct h; simpl in H; split_all; auto; lia|contradiction].
  destruct H as [_ [H|H]]; split_all; auto; lia.
Qed.

Lemma closed_cstep : forall c l c', shape c -> inbox c = Closed -> cstep c l c' ->
  inbox c' = Closed /\ accepted c' = accepted c /\ handled c' = handled c.
Proof.
  intros c l c' H Hc Hs. destruct Hs; simpl in *; try discriminate; auto; only_holder; split_all; congruence.
Qed.

(** ... it stays closed for ever, and nothing more is accepted or handled; *)
Theorem closed_for_ever : forall s ls t, run s ls t -> reachable s ->
  forall i A, get i (actors s) = Some A -> inbox (mailbox A) = Closed ->
  exists B, get i (actors t) = Some B /\ inbox (mailbox B) = Closed /\
    accepted (mailbox B) = accepted (mailbox A) /\ handled (mailbox B) = handled (mailbox A).
Proof.
  induction 1 as [s|s l t ls u Hs Hrun IH]; intros Hr i A Hg Hc; [eauto|].
  destruct (step_mailbox_forward _ _ _ _ _ Hs Hg) as (B & HB & Hm).
  assert (HcB : inbox (mailbox B) = Closed /\ accepted (mailbox B) = accepted (mailbox A)
                /\ handled (mailbox B) = handled (mailbox A)).
  { destruct Hm as [Hm|[l' Hm]]; [rewrite Hm; auto|].
    eapply closed_cstep; eauto. exact (wf_shape _ (well _ _ _ Hr Hg)). }
  destruct HcB as (HcB & E1 & E2).
  destruct (IH (reachable_step _ _ _ Hr Hs) _ _ HB HcB) as (C & HC & ? & F1 & F2).
  exists C. repeat split; congruence.
Qed.

(** ... so a send that has not been accepted by then never is: its sender is told. *)
Theorem refused_when_closed : forall s m t i k A, step s (Accept m) t ->
  get m (sends s) = Some (Trying i k) -> get i (actors s) = Some A -> inbox (mailbox A) <> Closed.
Proof.
  intros s m t i k A Hs Hm Hg Hc. inversion Hs; subst.
  match goal with
  | G : get m (sends s) = Some (Trying ?j _), F : get ?j (actors s) = Some ?B, S : cstep (mailbox ?B) _ _ |- _ =>
      assert (j = i) by congruence; subst j; assert (B = A) by congruence; subst B;
      destruct (mailbox A); simpl in Hc; subst; inversion S
  end.
Qed.

(** ** terminate-once *)

(** Terminate begins at most once, and ends no more often than it begins. It begins only if init succeeded,
    and while it is in progress or over, no handler is in progress (and closed_for_ever says that none will
    begin). When the holder is done with a closed actor, terminate has run exactly once if init succeeded and
    never if it failed. *)
Theorem terminate_once : forall s i A, reachable s -> get i (actors s) = Some A ->
  let c := mailbox A in
  ended c <= begun c <= 1 /\
  (begun c > 0 -> initialised c = Some true /\ in_hand c = []) /\
  (inbox c = Closed -> activations c = [] ->
     (initialised c = Some true /\ begun c = 1 /\ ended c = 1) \/
     (initialised c = Some false /\ begun c = 0 /\ ended c = 0)).
Proof.
  intros s i A Hr Hg c. pose proof (wf_shape _ (well _ _ _ Hr Hg)) as H. fold c in H. unfold shape in H.
  unfold in_hand. destruct (activations c) as [|h [|]]; [|destruct h; simpl in *; split_all;
    repeat split; intros; auto; try lia; try discriminate|contradiction].
  - destruct H as [_ [H|H]]; split_all.
    + repeat split; intros; try lia; congruence.
    + unfold over in *. repeat split; intros; simpl; auto; destruct H0 as [H0|H0]; split_all; auto; lia.
  - unfold over in *. destruct H0; split_all; lia.
  - unfold over in *. destruct H0; split_all; lia.
  - unfold over in *. destruct H0; split_all; auto; lia.
Qed.

(** ** wake-up, the part that is safety *)

(** If anything waits in an actor, an activation of it exists: its holder will come across it. (Liveness.v:
    and nothing keeps it from doing so.) *)
Theorem wake_up_token : forall s i A, reachable s -> get i (actors s) = Some A ->
  local (mailbox A) <> [] \/ stacked (inbox (mailbox A)) <> [] ->
  exists h, activations (mailbox A) = [h].
Proof.
  intros s i A Hr Hg Hw. pose proof (wf_shape _ (well _ _ _ Hr Hg)) as H. unfold shape in H.
  destruct (activations (mailbox A)) as [|h [|]]; [|eauto|contradiction].
  destruct H as [Hl [(Hi & _)|(Hi & _)]]; rewrite Hi, Hl in Hw; simpl in Hw; intuition congruence.
Qed.

(** ** panic-containment *)

(** However a callback ends, the step that ends it changes nothing but its own actor: no other actor, no send. *)
Theorem panic_containment : forall s i l t, step s (Mailbox i l) t ->
  sends t = sends s /\ forall j, j <> i -> get j (actors t) = get j (actors s).
Proof.
  intros s i l t Hs. inversion Hs; subst. simpl. split; [reflexivity|]. intros j Hj. apply get_put_other. assumption.
Qed.

(** ** unique-identity *)

(** An identity is given at most once, and an actor that exists is never replaced by another. *)
Theorem unique_identity : forall s ls t i A, run s ls t -> get i (actors s) = Some A ->
  (forall p k, ~ In (Spawn i p k) ls) /\ exists B, get i (actors t) = Some B.
Proof.
  intros s ls t i A Hrun. revert A. induction Hrun as [s|s l t ls u Hs Hrun IH]; intros A Hg.
  - split; [intros p k []|eauto].
  - destruct (step_keeps _ _ _ _ _ Hs Hg) as [B HB]. destruct (IH _ HB) as [Hn He]. split; [|assumption].
    intros p k [E|Hin]; [|eapply Hn; eauto]. subst l. inversion Hs; subst; congruence.
Qed.
