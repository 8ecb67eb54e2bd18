(** * Ownership: nothing outlives what owns it

    An actor has ended when all of its _open ends_ are over: its own end, its Reader, each of its children.
    They are counted ([open_ends]) under the lock that also decides whether a child may still join. Spawning,
    ending and reporting race freely in the model; this file proves that the count is right in every reachable
    state, and what follows: a parent is reported as ended only after all of its children, a spawn that comes
    too late is refused, and at the end of an actor nothing of it is left.

    First each actor by itself ([whole]: the count, the Reader, the family and the word fit together), then the
    theorems. *)

From Coq Require Import List PArith Arith FMapPositive Lia.
From Antiphon Require Import Model Invariants Nodes Safety Tree.
Import ListNotations.

(** ** One actor as a whole *)

(** Its own end is over: the holder is done with the closed actor. *)
Definition own_over (c : core) : bool :=
  match inbox c, activations c with Closed, [] => true | _, _ => false end.

(** It has ended, or has accepted a signal, so it will. *)
Definition summoned (c : core) : Prop := inbox c = Closed \/ has_signal (accepted c).

Record whole (A : actor) : Prop := {
  whole_count : open_ends A = (if own_over (mailbox A) then 0 else 1) + (if reader_open (line A) then 1 else 0)
                              + length (children A);
  whole_family : inbox (mailbox A) = Closed -> family_open A = false;
  whole_over : own_over (mailbox A) = true ->
    to_tell A = [] /\ (reader_needs_interrupt (line A) = true -> interrupted A = true);
  whole_line : reader_needs_interrupt (line A) = true -> initialised (mailbox A) = Some true;
  whole_signal : line A = Signalled \/ line A = Reader_done -> summoned (mailbox A);
  whole_reported : reported A = true -> open_ends A = 0;
  whole_interrupted : interrupted A = true -> inbox (mailbox A) = Closed;
  whole_parked : inbox (mailbox A) = Idle -> line A <> Not_started;
  whole_open : family_open A = true -> to_tell A = []
}.

Lemma over_closed : forall c, own_over c = true -> inbox c = Closed /\ activations c = [].
Proof. intros c. unfold own_over. destruct (inbox c), (activations c); intros; auto; discriminate. Qed.

Lemma cstep_over : forall c l c', cstep c l c' -> shape c -> l <> Finish -> own_over c' = own_over c.
Proof.
  intros c l c' Hs H Hl. destruct Hs; try only_holder; unfold own_over; simpl in *; split_all; subst; auto; try congruence.
Qed.

Lemma cstep_finish : forall c c', cstep c Finish c' -> shape c -> own_over c = false /\ own_over c' = true.
Proof.
  intros c c' Hs H. inversion Hs; subst. only_holder. unfold own_over. split_all; subst. auto.
Qed.

Lemma cstep_initialised : forall c l c' b, cstep c l c' -> shape c -> initialised c = Some b -> initialised c' = Some b.
Proof. intros c l c' b Hs H Hi. destruct Hs; try only_holder; simpl in *; split_all; congruence. Qed.

Lemma cstep_closed : forall c l c', cstep c l c' -> inbox c' = Closed -> inbox c = Closed \/ l = Close.
Proof. intros c l c' Hs H. destruct Hs; simpl in *; auto; discriminate. Qed.

Lemma cstep_idle : forall c l c', cstep c l c' -> inbox c' = Idle -> inbox c = Idle \/ l = Park.
Proof. intros c l c' Hs H. destruct Hs; simpl in *; auto; discriminate. Qed.

Lemma cstep_stays_closed : forall c l c', cstep c l c' -> shape c -> inbox c = Closed -> inbox c' = Closed.
Proof. intros. eapply closed_cstep; eauto. Qed.

Lemma cstep_summoned : forall c l c', cstep c l c' -> shape c -> summoned c -> summoned c'.
Proof.
  intros c l c' Hs H [Hc|(e & He & Hx)]; [left; eauto using cstep_stays_closed|].
  right. exists e. split; [|assumption]. apply cstep_accepted in Hs.
  destruct l; rewrite Hs; auto. right. assumption.
Qed.

(** What can happen to one actor in one step of the node. *)
Inductive turn (A : actor) : actor -> Prop :=
| T_same : turn A A
| T_mailbox : forall l c, may A l -> cstep (mailbox A) l c -> turn A (with_mailbox A c)
| T_push : forall e c, cstep (mailbox A) (Push e) c -> turn A (with_mailbox A c)
| T_close_family : forall ok, In (Stopping ok) (activations (mailbox A)) -> turn A (close_family A)
| T_tell : forall ts, (to_tell A = [] -> ts = []) -> turn A (with_to_tell A ts)
| T_start : line A = Not_started -> In Running (activations (mailbox A)) -> turn A (with_line A Started)
| T_line : forall r, reader_needs_interrupt (line A) = true -> reader_needs_interrupt r = true ->
    line A <> Signalled -> r <> Signalled -> turn A (with_line A r)
| T_signal : forall k c, line A = Returned -> signalled (mailbox A) ReaderEnded k c ->
    turn A (with_line (with_mailbox A c) Signalled)
| T_reader_over : line A = Signalled \/ (line A = Not_started /\ inbox (mailbox A) = Closed) ->
    turn A (end_of (with_line A Reader_done))
| T_interrupt : inbox (mailbox A) = Closed -> turn A (with_interrupt A)
| T_finished : forall c, to_tell A = [] -> (reader_needs_interrupt (line A) = true -> interrupted A = true) ->
    cstep (mailbox A) Finish c -> turn A (end_of (with_mailbox A c))
| T_report : open_ends A = 0 -> turn A (report A)
| T_adopt : forall c, family_open A = true -> turn A (adopt A c)
| T_child_ended : forall c, In c (children A) -> NoDup (children A) -> turn A (child_ended A c).

Lemma signalled_turn : forall A sg k c, signalled (mailbox A) sg k c -> turn A (with_mailbox A c).
Proof.
  intros A sg k c H. destruct H as [c H|H]; [eapply T_push; eauto|].
  replace (with_mailbox A (mailbox A)) with A by (destruct A; reflexivity). constructor.
Qed.

Lemma step_turn : forall s l t i B, tree s -> step s l t -> get i (actors t) = Some B ->
  (get i (actors s) = None /\ exists k p, B = new_actor k p) \/
  (exists A, get i (actors s) = Some A /\ turn A B).
Proof.
  intros s l t i B T Hs Hg.
  destruct Hs; simpl in Hg; try (right; exists B; split; [assumption|constructor]; fail).
  - look Hg; same_value; [left; eauto|right; eexists; split; [eassumption|constructor]].
  - look Hg; same_value; [left; eauto| |]; right; eexists; (split; [eassumption|]); [constructor; assumption|constructor].
  - look Hg; same_value; right; eexists; (split; [eassumption|]); [eapply T_mailbox; eauto|constructor].
  - look Hg; same_value; right; eexists; (split; [eassumption|]); [eapply T_push; eauto|constructor].
  - look Hg; same_value; right; eexists; (split; [eassumption|]); [eapply signalled_turn; eauto|constructor].
  - look Hg; same_value; right; eexists; (split; [eassumption|]); [eapply T_push; eauto|constructor].
  - look Hg; same_value; right; eexists; (split; [eassumption|]); [eapply T_close_family; eauto|constructor].
  - (* telling a child *)
    assert (Hne : j <> i0).
    { destruct (tree_to_tell _ T i0 A j) as (C' & HC & Hp); [assumption|rewrite H0; left; reflexivity|].
      eapply tree_not_self; eauto. }
    look Hg; same_value; right; eexists; (split; [eassumption|]);
      [eapply signalled_turn; eauto|apply T_tell; congruence|constructor].
  - look Hg; same_value; right; eexists; (split; [eassumption|]); [eapply T_start; eauto|constructor].
  - look Hg; same_value; right; eexists; (split; [eassumption|]); [apply T_line; rewrite ?H0; simpl; congruence|constructor].
  - look Hg; same_value; right; eexists; (split; [eassumption|]); [apply T_line; rewrite ?H0; simpl; congruence|constructor].
  - look Hg; same_value; right; eexists; (split; [eassumption|]); [eapply T_signal; eauto|constructor].
  - look Hg; same_value; right; eexists; (split; [eassumption|]); [apply T_reader_over; auto|constructor].
  - look Hg; same_value; right; eexists; (split; [eassumption|]); [apply T_reader_over; auto|constructor].
  - look Hg; same_value; right; eexists; (split; [eassumption|]); [apply T_interrupt; auto|constructor].
  - look Hg; same_value; right; eexists; (split; [eassumption|]); [apply T_finished; auto|constructor].
  - look Hg; same_value; right; eexists; (split; [eassumption|]); [apply T_report; auto|constructor].
  - (* reporting: the actor and its parent *)
    pose proof (tree_not_self _ _ _ _ T H H2) as Hne.
    destruct (tree_unreported _ T _ _ _ H H2 H1) as (P' & HP & Hin). assert (P' = P) by congruence. subst P'.
    look Hg; same_value; right; eexists; (split; [eassumption|]);
      [apply T_report; assumption|apply T_child_ended; eauto using (tree_children_nodup _ T)|constructor].
Qed.

Lemma whole_new : forall k p, whole (new_actor k p).
Proof.
  intros [] p; split; simpl; intros; try reflexivity; try discriminate; try (destruct H; discriminate);
    unfold own_over in *; simpl in *; discriminate.
Qed.

Lemma in_one : forall (h : holder) l, In h l -> (length l <= 1)%nat -> l = [h].
Proof. intros h [|x [|y l]] H Hl; simpl in *; [destruct H|destruct H as [->|[]]; reflexivity|lia]. Qed.

Lemma shape_one : forall c, shape c -> (length (activations c) <= 1)%nat.
Proof. intros c H. unfold shape in H. destruct (activations c) as [|? [|]]; simpl; auto; contradiction. Qed.

Lemma whole_turn : forall A B, shape (mailbox A) -> whole A -> turn A B -> whole B.
Proof.
  intros A B Hsh W Ht. destruct W as [W1 W2 W3 W4 W5 W6 W7 W8 W9]. destruct Ht.
  - split; assumption.
  - (* the holder *)
    assert (Hl : l <> Finish) by (intros ->; exact H).
    split; simpl; intros.
    + rewrite (cstep_over _ _ _ H0 Hsh Hl). assumption.
    + destruct (cstep_closed _ _ _ H0 H1) as [Hc|Hc]; [auto|subst l; exact H].
    + rewrite (cstep_over _ _ _ H0 Hsh Hl) in H1. auto.
    + eauto using cstep_initialised.
    + eauto using cstep_summoned.
    + auto.
    + eauto using cstep_stays_closed.
    + destruct (cstep_idle _ _ _ H0 H1) as [Hc|Hc]; [auto|subst l; exact H].
    + auto.
  - (* a push *)
    assert (Hl : Push e <> Finish) by discriminate.
    split; simpl; intros.
    + rewrite (cstep_over _ _ _ H Hsh Hl). assumption.
    + destruct (cstep_closed _ _ _ H H0) as [Hc|Hc]; [auto|discriminate].
    + rewrite (cstep_over _ _ _ H Hsh Hl) in H0. auto.
    + eauto using cstep_initialised.
    + eauto using cstep_summoned.
    + auto.
    + eauto using cstep_stays_closed.
    + destruct (cstep_idle _ _ _ H H0) as [Hc|Hc]; [auto|discriminate].
    + auto.
  - (* the family closes *)
    split; simpl; auto; [|discriminate]. intros Ho. apply over_closed in Ho as [_ Ho]. rewrite Ho in H. destruct H.
  - split; simpl; auto. intros Ho. destruct (W3 Ho) as [E F]. auto.
  - (* the Reader starts *)
    pose proof (in_one _ _ H0 (shape_one _ Hsh)) as Ha. unfold shape in Hsh. rewrite Ha in Hsh. simpl in Hsh. split_all.
    split; simpl; auto.
    + rewrite W1, H. reflexivity.
    + intros Ho. apply over_closed in Ho as [_ Ho]. rewrite Ho in H0. destruct H0.
    + intros [E|E]; discriminate.
    + discriminate.
  - split; simpl; auto; intros.
    + rewrite W1. destruct (line A), r; simpl in *; congruence.
    + destruct (W3 H3). auto.
    + destruct H3 as [E|E]; subst r; [congruence|discriminate].
    + intros ->. discriminate.
  - (* the Reader's signal *)
    assert (Hc : (c = mailbox A /\ inbox (mailbox A) = Closed) \/
                 (exists k', cstep (mailbox A) (Push (Envelope (Signal ReaderEnded) k')) c)).
    { destruct H0 as [c H0|H0]; [right; eauto|left; auto]. }
    destruct Hc as [[-> Hc]|[k' Hc]].
    + split; simpl; auto; intros.
      * rewrite W1, H. reflexivity.
      * destruct (W3 H1) as [? E]. split; [assumption|]. intros _. apply E. rewrite H. reflexivity.
      * apply W4. rewrite H. reflexivity.
      * left. assumption.
      * discriminate.
    + assert (Hl : Push (Envelope (Signal ReaderEnded) k') <> Finish) by discriminate.
      split; simpl; auto; intros.
      * rewrite (cstep_over _ _ _ Hc Hsh Hl), W1, H. reflexivity.
      * destruct (cstep_closed _ _ _ Hc H1) as [Hx|Hx]; [auto|discriminate].
      * rewrite (cstep_over _ _ _ Hc Hsh Hl) in H1. destruct (W3 H1) as [? E]. split; [assumption|].
        intros _. apply E. rewrite H. reflexivity.
      * eapply cstep_initialised; eauto. apply W4. rewrite H. reflexivity.
      * right. eexists. rewrite (cstep_accepted _ _ _ Hc). split; [left; reflexivity|reflexivity].
      * eauto using cstep_stays_closed.
      * discriminate.
  - (* the Reader is counted off *)
    assert (Ho : reader_open (line A) = true) by (destruct H as [E|[E _]]; rewrite E; reflexivity).
    rewrite Ho in W1. split; simpl; auto; intros.
    + rewrite W1. destruct (own_over (mailbox A)); simpl; lia.
    + destruct (W3 H0). split; [assumption|]. discriminate.
    + discriminate.
    + destruct H as [E|[_ E]]; [auto|left; assumption].
    + specialize (W6 H0). lia.
    + discriminate.
  - split; simpl; auto; intros. destruct (W3 H0). auto.
  - (* the holder is done *)
    destruct (cstep_finish _ _ H1 Hsh) as [Ho Ho']. rewrite Ho in W1.
    split; simpl; auto; intros.
    + rewrite Ho', W1. reflexivity.
    + destruct (cstep_closed _ _ _ H1 H2) as [Hx|Hx]; [auto|discriminate].
    + eauto using cstep_initialised.
    + eauto using cstep_summoned.
    + specialize (W6 H2). lia.
    + eauto using cstep_stays_closed.
    + destruct (cstep_idle _ _ _ H1 H2) as [Hx|Hx]; [auto|discriminate].
  - split; simpl; auto.
  - (* a child joins *)
    assert (Ho : own_over (mailbox A) = false).
    { destruct (own_over (mailbox A)) eqn:E; [|reflexivity]. apply over_closed in E as [E _]. rewrite (W2 E) in H. discriminate. }
    split; simpl; auto.
    + rewrite W1. lia.
    + intros Hr. specialize (W6 Hr). rewrite Ho in W1. simpl in W1. lia.
  - (* a child has ended *)
    pose proof (length_remove _ _ H0 H) as El. split; simpl; auto.
    + rewrite W1, <- El, Nat.add_succ_r. reflexivity.
    + intros Hr. rewrite (W6 Hr). reflexivity.
Qed.

Theorem whole_kept : forall s, reachable s -> forall i A, get i (actors s) = Some A -> whole A.
Proof.
  apply (reachable_ind (fun s => forall i A, get i (actors s) = Some A -> whole A)).
  - intros i A H. simpl in H. rewrite Map.gempty in H. discriminate.
  - intros s l t Hr IH Hs i B Hg.
    destruct (step_turn _ _ _ _ _ (tree_kept _ Hr) Hs Hg) as [[_ (k & p & ->)]|(A & HA & Ht)].
    + apply whole_new.
    + eapply whole_turn; eauto. exact (wf_shape _ (well _ _ _ Hr HA)).
Qed.

(** ** ownership *)

Lemma nothing_open : forall s i A, reachable s -> get i (actors s) = Some A -> open_ends A = 0 ->
  own_over (mailbox A) = true /\ reader_open (line A) = false /\ children A = [].
Proof.
  intros s i A Hr Hg Ho. pose proof (whole_count _ (whole_kept _ Hr _ _ Hg)) as H. rewrite Ho in H.
  destruct (own_over (mailbox A)), (reader_open (line A)), (children A); simpl in H; try discriminate; auto.
Qed.

(** What "ended" means: when an actor is reported as ended, its inbox is closed, nobody holds an activation,
    its Reader is over, and all of its children have been reported as ended before it. *)
Theorem ownership : forall s i A, reachable s -> get i (actors s) = Some A -> reported A = true ->
  inbox (mailbox A) = Closed /\ activations (mailbox A) = [] /\ reader_open (line A) = false /\
  forall c C, get c (actors s) = Some C -> parent C = Some i -> reported C = true.
Proof.
  intros s i A Hr Hg Hrep. pose proof (whole_reported _ (whole_kept _ Hr _ _ Hg) Hrep) as Ho.
  destruct (nothing_open _ _ _ Hr Hg Ho) as (H1 & H2 & H3). apply over_closed in H1 as [? ?].
  repeat split; auto. intros c C HC Hp. destruct (reported C) eqn:E; [reflexivity|].
  destruct (tree_unreported _ (tree_kept _ Hr) _ _ _ HC Hp E) as (P & HP & Hin).
  assert (P = A) by congruence. subst P. rewrite H3 in Hin. destruct Hin.
Qed.

(** The same for children of children, and so on: nothing of its whole family outlives it. *)
Inductive descends (s : node) : id -> id -> Prop :=
| Child_of : forall c C p, get c (actors s) = Some C -> parent C = Some p -> descends s c p
| Child_of_descendant : forall c C p q, get c (actors s) = Some C -> parent C = Some p -> descends s p q -> descends s c q.

Theorem ownership_descendants : forall s c p P, reachable s -> descends s c p ->
  get p (actors s) = Some P -> reported P = true ->
  exists C, get c (actors s) = Some C /\ reported C = true.
Proof.
  intros s c p P Hr Hd. revert P. induction Hd as [c C p HC Hp|c C p q HC Hp Hd IH]; intros P HP Hrep.
  - exists C. split; [assumption|]. eapply ownership; eauto.
  - destruct (IH _ HP Hrep) as (Q & HQ & HrQ). exists C. split; [assumption|].
    eapply (ownership s p Q); eauto.
Qed.

(** A spawn that comes too late is refused: a child joins only while its parent's family is open, which ends
    for ever before the parent's word is closed, and so before its terminate callback. *)
Theorem ownership_late_spawn : forall s i p k t P, reachable s -> step s (Spawn i (Some p) k) t ->
  get p (actors s) = Some P ->
  family_open P = true /\ inbox (mailbox P) <> Closed /\ begun (mailbox P) = 0 /\ reported P = false.
Proof.
  intros s i p k t P Hr Hs HP.
  assert (Hf : family_open P = true) by (inversion Hs; subst; congruence).
  assert (Hc : inbox (mailbox P) <> Closed).
  { intros Hc. rewrite (whole_family _ (whole_kept _ Hr _ _ HP) Hc) in Hf. discriminate. }
  repeat split; auto.
  - destruct (begun (mailbox P)) eqn:E; [reflexivity|]. exfalso. apply Hc.
    eapply closed_is_closed; eauto. rewrite E. lia.
  - destruct (reported P) eqn:E; [|reflexivity]. exfalso. apply Hc. eapply ownership; eauto.
Qed.

Theorem ownership_family_stays_closed : forall s l t i A B, reachable s -> step s l t ->
  get i (actors s) = Some A -> get i (actors t) = Some B -> family_open A = false -> family_open B = false.
Proof.
  intros s l t i A B Hr Hs HA HB Hf. destruct (step_turn _ _ _ _ _ (tree_kept _ Hr) Hs HB) as [[H _]|(A' & HA' & Ht)]; [congruence|].
  assert (A' = A) by congruence. subst A'. destruct Ht; simpl; auto.
Qed.

(** ** no-loss, for an actor that was reported as ended *)

Theorem no_loss_ended : forall s i A, reachable s -> get i (actors s) = Some A -> reported A = true ->
  forall e, In e (accepted (mailbox A)) -> In e (handled (mailbox A)) \/ In e (dead (mailbox A)).
Proof.
  intros s i A Hr Hg Hrep. destruct (ownership _ _ _ Hr Hg Hrep) as (? & ? & _). eapply no_loss; eauto.
Qed.

(** Seen from the sender: a message that was accepted by an actor that has ended was handled, or is a dead letter. *)
Theorem no_loss_sender : forall s m i k A, reachable s -> was_accepted s m i k ->
  get i (actors s) = Some A -> reported A = true ->
  In (letter m k) (handled (mailbox A)) \/ In (letter m k) (dead (mailbox A)).
Proof.
  intros s m i k A Hr Hm Hg Hrep. destruct (sent_was_accepted _ (books_kept _ Hr) _ _ _ Hm) as (B & HB & Hin).
  assert (B = A) by congruence. subst B. eapply no_loss_ended; eauto.
Qed.

(** ** reader-lifetime *)

Definition rank (r : reader) : nat :=
  match r with No_reader => 0 | Not_started => 1 | Started => 2 | Reading => 3 | Returned => 4 | Signalled => 5 | Reader_done => 6 end.

Lemma reader_rank : forall s l t i A B, step s l t -> get i (actors s) = Some A -> get i (actors t) = Some B ->
  rank (line A) <= rank (line B).
Proof.
  intros s l t i A B Hs HA HB.
  destruct Hs; simpl in HB; look HB; same_value; simpl; auto;
    repeat match goal with H : line _ = _ |- _ => rewrite H; clear H end; simpl; lia.
Qed.

Lemma reader_rank_run : forall s ls t, run s ls t -> forall i A B, get i (actors s) = Some A -> get i (actors t) = Some B ->
  rank (line A) <= rank (line B).
Proof.
  induction 1 as [s|s l t ls u Hs Hrun IH]; intros i A B HA HB; [same_value; auto|].
  destruct (step_keeps _ _ _ _ _ Hs HA) as [C HC]. pose proof (reader_rank _ _ _ _ _ _ Hs HA HC).
  pose proof (IH _ _ _ HC HB). lia.
Qed.

(** The Reader begins only after init succeeded, it begins at most once, and it is over when its actor is
    reported as ended. *)
Theorem reader_lifetime_begins_after_init : forall s i t, reachable s -> step s (Reader_begin i) t ->
  exists A, get i (actors s) = Some A /\ initialised (mailbox A) = Some true.
Proof.
  intros s i t Hr Hs. inversion Hs; subst. eexists. split; [eassumption|].
  match goal with G : get i (actors s) = Some ?B, L : line ?B = Started |- _ =>
    apply (whole_line _ (whole_kept _ Hr _ _ G)); rewrite L; reflexivity end.
Qed.

Theorem reader_lifetime_once : forall s i t ls u, step s (Reader_begin i) t -> run t ls u ->
  ~ exists v, step u (Reader_begin i) v.
Proof.
  intros s i t ls u Hs Hrun [v Hv]. inversion Hs; subst. inversion Hv; subst.
  assert (Hg : get i (actors (set_actor s i (with_line A Reading))) = Some (with_line A Reading)) by apply get_put_same.
  match goal with G : get i (actors u) = Some ?B, L : line ?B = Started |- _ =>
    pose proof (reader_rank_run _ _ _ Hrun _ _ _ Hg G) as Hk; simpl in Hk; rewrite L in Hk; simpl in Hk; lia end.
Qed.

Theorem reader_lifetime_over : forall s i A, reachable s -> get i (actors s) = Some A -> reported A = true ->
  line A = No_reader \/ line A = Reader_done.
Proof.
  intros s i A Hr Hg Hrep. destruct (ownership _ _ _ Hr Hg Hrep) as (_ & _ & H & _).
  destruct (line A); auto; discriminate.
Qed.

(** ** interruption *)

(** An actor whose Reader has started is not done with its own end before the Reader was interrupted. *)
Theorem interruption : forall s i A, reachable s -> get i (actors s) = Some A ->
  inbox (mailbox A) = Closed -> activations (mailbox A) = [] -> reader_needs_interrupt (line A) = true ->
  interrupted A = true.
Proof.
  intros s i A Hr Hg Hc Ha. apply (whole_over _ (whole_kept _ Hr _ _ Hg)). unfold own_over. rewrite Hc, Ha. reflexivity.
Qed.
