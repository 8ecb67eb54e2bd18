(** * Nodes: from one mailbox to all of them

    A step of the node changes few actors, and it changes the mailbox of an actor only by a step of that
    mailbox. So whatever holds of every reachable mailbox holds of every actor of every reachable node. This
    file proves that, and keeps the books between senders and mailboxes: which message was accepted where. *)

From Coq Require Import List PArith FMapPositive Lia.
From Antiphon Require Import Model Invariants.
Import ListNotations.

(** ** Finite maps *)

Lemma get_put_same : forall (A : Type) k (v : A) m, get k (put k v m) = Some v.
Proof. intros. apply Map.gss. Qed.

Lemma get_put_other : forall (A : Type) j k (v : A) m, j <> k -> get j (put k v m) = get j m.
Proof. intros. apply Map.gso. assumption. Qed.

(** Looks a name up in an updated map, trying both cases. *)
Ltac look H :=
  repeat match type of H with
  | get ?j (put ?k _ _) = _ =>
      destruct (Pos.eq_dec j k);
      [subst; rewrite get_put_same in H | rewrite get_put_other in H by assumption]
  end.

Ltac same_value :=
  repeat match goal with
  | H : Some _ = Some _ |- _ => injection H as H; subst
  | H : get ?k ?m = Some ?a, G : get ?k ?m = Some ?b |- _ =>
      lazymatch a with b => fail | _ => rewrite G in H; injection H as H; subst end
  | H : get ?k ?m = Some _, G : get ?k ?m = None |- _ => rewrite G in H; discriminate
  end.

(** ** What a step does to one mailbox *)

Definition mailbox_moves (c c' : core) : Prop := c' = c \/ exists l, cstep c l c'.

Lemma signalled_moves : forall c s k c', signalled c s k c' -> mailbox_moves c c'.
Proof. intros c s k c' H. destruct H as [c' H|H]; [right; eauto|left; reflexivity]. Qed.

Lemma step_mailbox : forall s l t i A', step s l t -> get i (actors t) = Some A' ->
  (get i (actors s) = None /\ mailbox A' = newborn) \/
  (exists A, get i (actors s) = Some A /\ mailbox_moves (mailbox A) (mailbox A')).
Proof.
  intros s l t i A' Hs Hg.
  destruct Hs; simpl in Hg; look Hg; same_value; simpl;
    try (left; split; [assumption|destruct k; reflexivity]);
    try (right; eexists; split; [eassumption|]; simpl;
         first [left; reflexivity | right; eauto; fail | eapply signalled_moves; eassumption]).
Qed.

(** Actors stay: an identity is never given up. *)
Lemma step_keeps : forall s l t i A, step s l t -> get i (actors s) = Some A ->
  exists A', get i (actors t) = Some A'.
Proof.
  intros s l t i A Hs Hg.
  assert (Hput : forall j B m, (exists A', get i m = Some A') -> exists A' : actor, get i (put j B m) = Some A').
  { intros j B m [A' HA]. destruct (Pos.eq_dec i j); [subst; rewrite get_put_same; eauto|].
    rewrite get_put_other by assumption. eauto. }
  destruct Hs; simpl; eauto 7.
Qed.

Lemma step_mailbox_forward : forall s l t i A, step s l t -> get i (actors s) = Some A ->
  exists A', get i (actors t) = Some A' /\ mailbox_moves (mailbox A) (mailbox A').
Proof.
  intros s l t i A Hs Hg. destruct (step_keeps _ _ _ _ _ Hs Hg) as [A' HA']. exists A'. split; [assumption|].
  destruct (step_mailbox _ _ _ _ _ Hs HA') as [[H _]|[B [H Hm]]]; same_value.
  assumption.
Qed.

(** ** Every mailbox of every reachable node is reachable *)

Lemma run_app : forall s ls t ms u, run s ls t -> run t ms u -> run s (ls ++ ms) u.
Proof. intros s ls t ms u H. induction H; simpl; intros; eauto using run. Qed.

Lemma run_snoc : forall s ls t l u, run s ls t -> step t l u -> run s (ls ++ [l]) u.
Proof. intros. eapply run_app; eauto using run. Qed.

(** To prove something of all reachable states: it holds of the empty node and steps keep it. *)
Lemma reachable_ind : forall P : node -> Prop,
  P empty_node -> (forall s l t, reachable s -> P s -> step s l t -> P t) -> forall s, reachable s -> P s.
Proof.
  intros P H0 Hs s [ls H].
  assert (G : forall a ls b, run a ls b -> reachable a -> P a -> P b).
  { induction 1; intros Hr HP; [assumption|].
    apply IHrun; [destruct Hr as [ks Hr]; exists (ks ++ [l]); eapply run_snoc; eauto|eauto]. }
  eapply G; eauto. exists []. constructor.
Qed.

Lemma reachable_step : forall s l t, reachable s -> step s l t -> reachable t.
Proof. intros s l t [ls H] Hs. exists (ls ++ [l]). eapply run_snoc; eauto. Qed.

Lemma reachable_run : forall s ls t, reachable s -> run s ls t -> reachable t.
Proof. intros s ls t [ks H] Hr. exists (ks ++ ls). eapply run_app; eauto. Qed.

Theorem mailboxes_reachable : forall s, reachable s ->
  forall i A, get i (actors s) = Some A -> core_reachable (mailbox A).
Proof.
  apply (reachable_ind (fun s => forall i A, get i (actors s) = Some A -> core_reachable (mailbox A))).
  - intros i A H. simpl in H. rewrite Map.gempty in H. discriminate.
  - intros s l t _ IH Hs i A' Hg.
    destruct (step_mailbox _ _ _ _ _ Hs Hg) as [[_ H]|[A [H [Hm|[l' Hm]]]]].
    + rewrite H. constructor.
    + rewrite Hm. eauto.
    + econstructor; eauto.
Qed.

Lemma well : forall s i A, reachable s -> get i (actors s) = Some A -> well_formed (mailbox A).
Proof. eauto using core_invariant, mailboxes_reachable. Qed.

(** ** Which pushes there are *)

(** A step of the mailbox either pushes one envelope or leaves the history of accepted ones alone. *)
Lemma cstep_accepted : forall c l c', cstep c l c' ->
  match l with Push e => accepted c' = e :: accepted c | _ => accepted c' = accepted c end.
Proof. intros c l c' H. destruct H; reflexivity. Qed.

Lemma moves_accepted : forall c c', mailbox_moves c c' -> exists more, accepted c' = more ++ accepted c.
Proof.
  intros c c' [H|[l H]]; [subst; exists []; reflexivity|].
  apply cstep_accepted in H. destruct l; try (exists []; exact H). exists [e]. exact H.
Qed.

Lemma run_accepted : forall s ls t, run s ls t -> forall i A, get i (actors s) = Some A ->
  exists B, get i (actors t) = Some B /\ exists more, accepted (mailbox B) = more ++ accepted (mailbox A).
Proof.
  induction 1; intros i A Hg; [exists A; split; [assumption|exists []; reflexivity]|].
  destruct (step_mailbox_forward _ _ _ _ _ H Hg) as (A' & Hg' & Hm).
  destruct (IHrun _ _ Hg') as (B & HB & more & HM). exists B. split; [assumption|].
  destruct (moves_accepted _ _ Hm) as [more' HM']. exists (more ++ more'). rewrite HM, HM', app_assoc. reflexivity.
Qed.

(** ** The books: message and mailbox agree *)

(** The send of [m] was accepted by [i], in class [k]. *)
Definition was_accepted (s : node) (m i : id) (k : class) : Prop :=
  get m (sends s) = Some (Decided i k true) \/ get m (sends s) = Some (Done i k true).

Definition is_user (e : envelope) : bool := match what e with User _ => true | _ => false end.

Definition letter (m : id) (k : class) : envelope := Envelope (User m) k.

Record books (s : node) : Prop := {
  accepted_was_sent : forall i A m k, get i (actors s) = Some A ->
    In (letter m k) (accepted (mailbox A)) -> was_accepted s m i k;
  sent_was_accepted : forall m i k, was_accepted s m i k ->
    exists A, get i (actors s) = Some A /\ In (letter m k) (accepted (mailbox A));
  accepted_once : forall i A, get i (actors s) = Some A -> NoDup (filter is_user (accepted (mailbox A)));
  sent_to_actor : forall m i k, get m (sends s) = Some (Trying i k) -> exists A, get i (actors s) = Some A
}.

(** What a step adds to the history of one actor: nothing, a signal or a notice, or the message that it accepts. *)
Lemma step_pushes : forall s l t i A A', step s l t ->
  get i (actors s) = Some A -> get i (actors t) = Some A' ->
  accepted (mailbox A') = accepted (mailbox A) \/
  (exists e, is_user e = false /\ accepted (mailbox A') = e :: accepted (mailbox A)) \/
  (exists m k, l = Accept m /\ get m (sends s) = Some (Trying i k) /\
               accepted (mailbox A') = letter m k :: accepted (mailbox A)).
Proof.
  intros s l t i A A' Hs Hg Hg'.
  assert (Hsig : forall c sg k c', signalled c sg k c' -> accepted c' = accepted c \/
            (exists e, is_user e = false /\ accepted c' = e :: accepted c)).
  { intros c sg k c' H. destruct H as [c' H|H]; [right|left; reflexivity]. apply cstep_accepted in H. eexists. split; [|exact H]. reflexivity. }
  destruct Hs; simpl in Hg'; look Hg'; same_value; simpl; try (left; reflexivity);
    try (match goal with H : signalled _ _ _ _ |- _ => destruct (Hsig _ _ _ _ H) as [?|?]; auto end; fail).
  - (* a holder's step *)
    match goal with H : cstep _ ?l _ |- _ => apply cstep_accepted in H; destruct l; simpl in *; auto; contradiction end.
  - (* a send is accepted *)
    match goal with H : cstep _ _ _ |- _ => apply cstep_accepted in H end. right. right. eauto.
  - (* a notice *)
    match goal with H : cstep _ _ _ |- _ => apply cstep_accepted in H end. right. left. eexists. split; [|eassumption]. reflexivity.
  - match goal with H : cstep _ _ _ |- _ => apply cstep_accepted in H end. auto.
Qed.

(** What a step does to one send. *)
Lemma step_send : forall s l t m, step s l t ->
  get m (sends t) = get m (sends s) \/
  (exists i k A, get m (sends s) = None /\ get i (actors s) = Some A /\ get m (sends t) = Some (Trying i k)) \/
  (exists i k, l = Accept m /\ get m (sends s) = Some (Trying i k) /\ get m (sends t) = Some (Decided i k true)) \/
  (exists i k, get m (sends s) = Some (Trying i k) /\ get m (sends t) = Some (Decided i k false)) \/
  (exists i k ok, get m (sends s) = Some (Decided i k ok) /\ get m (sends t) = Some (Done i k ok)).
Proof.
  intros s l t m Hs. destruct Hs; simpl; auto;
    (match goal with |- context [get m (put ?n _ _)] => destruct (Pos.eq_dec m n) as [E|E];
       [subst n; rewrite get_put_same | rewrite get_put_other by assumption; auto] end); eauto 12.
Qed.

Lemma was_accepted_step : forall s l t m i k, step s l t -> was_accepted s m i k -> was_accepted t m i k.
Proof.
  intros s l t m i k Hs H. unfold was_accepted in *.
  destruct (step_send _ _ _ m Hs) as
    [E|[(i0 & k0 & A0 & E0 & E1 & E)|[(i0 & k0 & E1 & E0 & E)|[(i0 & k0 & E0 & E)|(i0 & k0 & ok0 & E0 & E)]]]];
    [rewrite E; assumption|..]; destruct H as [H|H]; try congruence.
  right. congruence.
Qed.

Lemma was_accepted_inv : forall s l t m i k, step s l t -> was_accepted t m i k ->
  was_accepted s m i k \/ (l = Accept m /\ get m (sends s) = Some (Trying i k)).
Proof.
  intros s l t m i k Hs H. unfold was_accepted in *.
  destruct (step_send _ _ _ m Hs) as
    [E|[(i0 & k0 & A0 & E0 & E1 & E)|[(i0 & k0 & E1 & E0 & E)|[(i0 & k0 & E0 & E)|(i0 & k0 & ok0 & E0 & E)]]]];
    [rewrite E in H; auto|..]; destruct H as [H|H]; try congruence.
  - right. split; congruence.
  - left. left. congruence.
Qed.

Lemma accept_lands : forall s m t i k, step s (Accept m) t -> get m (sends s) = Some (Trying i k) ->
  exists A, get i (actors t) = Some A /\ In (letter m k) (accepted (mailbox A)).
Proof.
  intros s m t i k Hs H. inversion Hs; subst. simpl.
  match goal with G : get m (sends s) = Some (Trying ?j ?q) |- _ => rewrite G in H; injection H as -> -> end.
  eexists. rewrite get_put_same. split; [reflexivity|]. simpl.
  match goal with G : cstep _ _ _ |- _ => apply cstep_accepted in G; rewrite G end. left. reflexivity.
Qed.

Theorem books_kept : forall s, reachable s -> books s.
Proof.
  apply (reachable_ind books).
  - split; simpl; intros; try (rewrite Map.gempty in *; discriminate).
    destruct H as [H|H]; simpl in H; rewrite Map.gempty in H; discriminate.
  - intros s l t Hr [B1 B2 B3 B4] Hs. split.
    + (* what is in a mailbox was sent *)
      intros i A' m k Hg Hin. destruct (step_mailbox _ _ _ _ _ Hs Hg) as [[_ Hn]|[A [HA _]]].
      { rewrite Hn in Hin. destruct Hin. }
      destruct (step_pushes _ _ _ _ _ _ Hs HA Hg) as [E|[(e & Hu & E)|(m' & k' & -> & Hm & E)]]; rewrite E in Hin.
      * eauto using was_accepted_step.
      * destruct Hin as [Hin|Hin]; [subst e; discriminate|]. eauto using was_accepted_step.
      * destruct Hin as [Hin|Hin]; [|eauto using was_accepted_step].
        injection Hin as -> ->. left. inversion Hs; subst. simpl. rewrite get_put_same. congruence.
    + (* what was sent is in a mailbox *)
      intros m i k H. destruct (was_accepted_inv _ _ _ _ _ _ Hs H) as [Hb|[-> Ht]]; [|eauto using accept_lands].
      destruct (B2 _ _ _ Hb) as (A & HA & Hin).
      destruct (step_mailbox_forward _ _ _ _ _ Hs HA) as (A' & HA' & Hm). exists A'. split; [assumption|].
      destruct (moves_accepted _ _ Hm) as [more E]. rewrite E. apply in_or_app. auto.
    + (* once *)
      intros i A' Hg. destruct (step_mailbox _ _ _ _ _ Hs Hg) as [[_ Hn]|[A [HA _]]].
      { rewrite Hn. constructor. }
      destruct (step_pushes _ _ _ _ _ _ Hs HA Hg) as [E|[(e & Hu & E)|(m' & k' & -> & Hm & E)]]; rewrite E; simpl; rewrite ?Hu; eauto.
      constructor; [|eauto]. intros Hin. apply filter_In in Hin as [Hin _].
      destruct (B1 _ _ _ _ HA Hin) as [G|G]; congruence.
    + intros m i k H. destruct (step_send _ _ _ m Hs) as
        [E|[(i0 & k0 & A0 & E0 & E1 & E)|[(i0 & k0 & E1 & E0 & E)|[(i0 & k0 & E0 & E)|(i0 & k0 & ok0 & E0 & E)]]]];
        [rewrite E in H|..]; try congruence.
      * destruct (B4 _ _ _ H) as [A HA]. eauto using step_keeps.
      * rewrite E in H. injection H as <- <-. eauto using step_keeps.
Qed.
