(** * Liveness: what must happen

    No assumption of fairness is made, only this: _the scheduler runs something that can run_. Steps are
    divided in two. The surroundings decide to begin a send, to spawn, to ask an actor to end, and when an
    uninterrupted Reader returns. Everything else is _activity_: what the runtime (and the callbacks, which
    are assumed to return, and interrupted Readers, likewise) has to do for what was begun.

    - Every step of activity makes a number smaller ([measure], a natural number). So between two things that
      the surroundings begin there can only be finitely many steps, whatever order the scheduler picks.
    - As long as something is left to do, a step of activity is possible ([progress]).
    - When nothing is left to do, every accepted message has been handled or is a dead letter, every actor
      that was asked to end has ended, with all of its family ([wake_up], [ownership_ends]).

    Together: whatever is begun is completed, in a number of steps that can be told in advance. *)

From Coq Require Import List PArith FMapPositive Arith Lia Wf_nat.
From Antiphon Require Import Model Invariants Nodes Safety Tree Ownership.
Import ListNotations.

Local Arguments Nat.mul : simpl never.

(** ** Activity *)

Definition activity (s : node) (l : label) : Prop :=
  match l with
  | Spawn _ _ _ | Spawned _ | Not_spawned _ | Send_begin _ _ _ | Tell _ _ _ | Notify _ _ _ => False
  | Reader_end i => exists A, get i (actors s) = Some A /\ interrupted A = true
  | _ => True
  end.

(** ** The measure *)

Definition sum {X : Type} (f : X -> nat) (l : list X) : nat := list_sum (map f l).

Definition weight_holder (h : holder) : nat :=
  match h with
  | Born => 24 | Initialising => 23 | Running => 20 | Handling _ => 21
  | Stopping _ => 19 | Draining _ => 18 | Terminating => 17 | Leaving => 16
  end.

Definition weight_core (c : core) : nat :=
  sum weight_holder (activations c) + 3 * length (local c) + 4 * length (stacked (inbox c)).

Definition weight_line (r : reader) : nat :=
  match r with
  | Not_started => 60 | Started => 50 | Reading => 40 | Returned => 30 | Signalled => 2 | Reader_done | No_reader => 0
  end.

Definition weight_actor (a : actor) : nat :=
  weight_core (mailbox a) + weight_line (line a) + (if interrupted a then 0 else 1)
  + (if family_open a then 1 + 30 * length (children a) else 30 * length (to_tell a))
  + (if reported a then 0 else 1).

Definition weight_send (p : sending) : nat := match p with Trying _ _ => 26 | Decided _ _ _ => 1 | Done _ _ _ => 0 end.

Definition total {X : Type} (w : X -> nat) (l : list id) (m : Map.t X) : nat :=
  sum (fun i => match get i m with Some x => w x | None => 0 end) l.

Definition measure (s : node) : nat :=
  total weight_actor (ids s) (actors s) + total weight_send (sent s) (sends s).

Lemma total_same : forall X (w : X -> nat) l m i x, ~ In i l -> total w l (put i x m) = total w l m.
Proof.
  intros X w l m i x. unfold total, sum. induction l as [|j l IH]; intros Hn; [reflexivity|]. simpl in *.
  rewrite IH by tauto. rewrite get_put_other by (intros ->; tauto). reflexivity.
Qed.

Lemma total_put : forall X (w : X -> nat) l m i (a b : X), NoDup l -> In i l -> get i m = Some a ->
  total w l (put i b m) + w a = total w l m + w b.
Proof.
  intros X w l m i a b Hn Hin Hg. induction l as [|j l IH]; [destruct Hin|].
  inversion Hn as [|? ? Hj Hl]; subst. unfold total, sum in *. simpl.
  destruct (Pos.eq_dec j i) as [->|Hne].
  - rewrite get_put_same, Hg. pose proof (total_same X w l m i b Hj) as E. unfold total, sum in E. rewrite E. lia.
  - rewrite get_put_other by assumption. destruct Hin as [?|Hin]; [congruence|]. specialize (IH Hl Hin). lia.
Qed.

Lemma sum_app : forall X (f : X -> nat) a b, sum f (a ++ b) = sum f a + sum f b.
Proof. intros. unfold sum. rewrite map_app, list_sum_app. reflexivity. Qed.

Lemma taken_out_length : forall e l l', taken_out e l l' -> length l = S (length l').
Proof. intros e l l' H. destruct H. rewrite !app_length. simpl. lia. Qed.

Lemma weight_cstep : forall c l c', cstep c l c' ->
  match l with Push _ => weight_core c' <= weight_core c + 24 | _ => weight_core c' < weight_core c end.
Proof.
  intros c l c' Hs. destruct Hs; unfold weight_core; simpl;
    repeat match goal with H : taken_out _ _ _ |- _ => apply taken_out_length in H end;
    rewrite ?sum_app, ?app_length, ?rev_append_rev, ?app_nil_r, ?app_length, ?rev_length; simpl;
    unfold sum; simpl; try lia.
Qed.

Lemma weight_signalled : forall c s k c', signalled c s k c' -> weight_core c' <= weight_core c + 24.
Proof. intros c s k c' H. destruct H as [c' H|H]; [apply weight_cstep in H; exact H|lia]. Qed.

(** ** What is listed *)

Definition sends_listed (s : node) : Prop :=
  NoDup (sent s) /\ forall m, In m (sent s) <-> exists p, get m (sends s) = Some p.

Lemma sends_listed_set : forall s m p q, sends_listed s -> get m (sends s) = Some p -> sends_listed (set_send s m q).
Proof.
  intros s m p q [H1 H2] Hg. split; [assumption|]. simpl. intros n. rewrite H2.
  destruct (Pos.eq_dec n m); [subst; rewrite get_put_same; split; eauto|]. rewrite get_put_other by assumption. reflexivity.
Qed.

Lemma sends_listed_kept : forall s, reachable s -> sends_listed s.
Proof.
  apply (reachable_ind sends_listed).
  - split; [constructor|]. intros m. split; [intros []|]. intros [p H]. simpl in H. rewrite Map.gempty in H. discriminate.
  - intros s l t _ H Hs. destruct Hs; try exact H; try (eapply sends_listed_set; eauto; fail).
    + destruct H as [L1 L2]. split; simpl.
      * constructor; [|assumption]. intros Hin. apply L2 in Hin as [p Hin]. congruence.
      * intros n. split.
        { intros [->|Hin]; [rewrite get_put_same; eauto|]. destruct (Pos.eq_dec n m); [subst; rewrite get_put_same; eauto|].
          rewrite get_put_other by assumption. apply L2. assumption. }
        { intros [p Hp]. look Hp; auto. right. apply L2. eauto. }
Qed.

(** ** Every step of activity makes the measure smaller *)

Lemma measure_actor : forall s i A B, reachable s -> get i (actors s) = Some A ->
  measure (set_actor s i B) + weight_actor A = measure s + weight_actor B.
Proof.
  intros s i A B Hr Hg. pose proof (tree_kept _ Hr) as T. unfold measure. simpl.
  pose proof (total_put _ weight_actor (ids s) (actors s) i A B (tree_nodup _ T)
                (proj2 (tree_ids _ T i) (ex_intro _ A Hg)) Hg). lia.
Qed.

Lemma measure_two : forall s i j A B C D, reachable s -> i <> j ->
  get i (actors s) = Some A -> get j (actors s) = Some C ->
  measure (set_actor (set_actor s i B) j D) + weight_actor A + weight_actor C = measure s + weight_actor B + weight_actor D.
Proof.
  intros s i j A B C D Hr Hne Hi Hj. pose proof (tree_kept _ Hr) as T. unfold measure. simpl.
  pose proof (total_put _ weight_actor (ids s) (actors s) i A B (tree_nodup _ T)
                (proj2 (tree_ids _ T i) (ex_intro _ A Hi)) Hi) as E.
  assert (Hj' : get j (put i B (actors s)) = Some C) by (rewrite get_put_other; auto).
  pose proof (total_put _ weight_actor (ids s) (put i B (actors s)) j C D (tree_nodup _ T)
                (proj2 (tree_ids _ T j) (ex_intro _ C Hj)) Hj'). lia.
Qed.

Lemma measure_send : forall s m p q, sends_listed s -> get m (sends s) = Some p ->
  measure (set_send s m q) + weight_send p = measure s + weight_send q.
Proof.
  intros s m p q [H1 H2] Hg. unfold measure. simpl.
  pose proof (total_put _ weight_send (sent s) (sends s) m p q H1 (proj2 (H2 m) (ex_intro _ p Hg)) Hg). lia.
Qed.

Theorem measure_decreases : forall s l t, reachable s -> activity s l -> step s l t -> measure t < measure s.
Proof.
  intros s l t Hr Ha Hs. pose proof (sends_listed_kept _ Hr) as Hl.
  destruct Hs; simpl in Ha; try contradiction;
    try match goal with H : get ?i (actors s) = Some ?A |- measure (set_actor s ?i ?B) < _ =>
      pose proof (measure_actor s i A B Hr H) as E; unfold weight_actor in E; simpl in E end.
  - (* the holder *)
    pose proof (weight_cstep _ _ _ H1). destruct l; simpl in *; try contradiction; lia.
  - (* a send is accepted *)
    pose proof (measure_actor s i A (with_mailbox A c) Hr H0) as E. unfold weight_actor in E. simpl in E.
    pose proof (measure_send (set_actor s i (with_mailbox A c)) m _ (Decided i k true) Hl H) as F. simpl in F.
    pose proof (weight_cstep _ _ _ H1) as G. simpl in G. lia.
  - pose proof (measure_send s m _ (Decided i k false) Hl H) as F. simpl in F. lia.
  - pose proof (measure_send s m _ (Decided i k false) Hl H) as F. simpl in F. lia.
  - pose proof (measure_send s m _ (Done i k ok) Hl H) as F. simpl in F. lia.
  - (* the family closes *)
    rewrite H1 in E. lia.
  - (* a child is told *)
    destruct (tree_to_tell _ (tree_kept _ Hr) i A j) as (C' & HC & Hp); [assumption|rewrite H0; left; reflexivity|].
    assert (Hne : j <> i) by (eapply tree_not_self; eauto using tree_kept).
    pose proof (measure_two s i j A (with_to_tell A ts) C (with_mailbox C c) Hr (not_eq_sym Hne) H H1) as E.
    unfold weight_actor in E. simpl in E. rewrite H0 in E. simpl in E. pose proof (weight_signalled _ _ _ _ H2).
    assert (Hf : family_open A = false).
    { destruct (family_open A) eqn:F; [|reflexivity]. pose proof (whole_open _ (whole_kept _ Hr _ _ H) F). congruence. }
    rewrite Hf in E. lia.
  - rewrite H0 in E. simpl in E. lia.
  - rewrite H0 in E. simpl in E. lia.
  - rewrite H0 in E. simpl in E. lia.
  - rewrite H0 in E. simpl in E. pose proof (weight_signalled _ _ _ _ H1). lia.
  - rewrite H0 in E. simpl in E. lia.
  - rewrite H0 in E. simpl in E. lia.
  - rewrite H1 in E. lia.
  - pose proof (weight_cstep _ _ _ H2) as G. simpl in G. lia.
  - rewrite H1 in E. lia.
  - (* reported, and out of its parent's list *)
    pose proof (tree_not_self _ _ _ _ (tree_kept _ Hr) H H2) as Hne.
    pose proof (measure_two s p i P (child_ended P i) A (report A) Hr (not_eq_sym Hne) H3 H) as E.
    unfold weight_actor in E. simpl in E. rewrite H1 in E.
    destruct (tree_unreported _ (tree_kept _ Hr) _ _ _ H H2 H1) as (P' & HP & Hin). assert (P' = P) by congruence. subst P'.
    pose proof (length_remove _ _ (tree_children_nodup _ (tree_kept _ Hr) _ _ H3) Hin).
    unfold id in *. destruct (family_open P); lia.
Qed.

(** A run that consists of activity only. *)
Inductive active_run : node -> list label -> node -> Prop :=
| Active_nil : forall s, active_run s [] s
| Active_cons : forall s l t ls u, activity s l -> step s l t -> active_run t ls u -> active_run s (l :: ls) u.

(** Whatever the scheduler picks, the activity of a state lasts for at most [measure] steps. *)
Theorem progress_bounded : forall s ls t, reachable s -> active_run s ls t -> length ls <= measure s.
Proof.
  intros s ls t Hr H. induction H as [s|s l t ls u Ha Hs Hrun IH]; simpl; [lia|].
  pose proof (measure_decreases _ _ _ Hr Ha Hs). specialize (IH (reachable_step _ _ _ Hr Hs)). lia.
Qed.

(** In other words: there is no endless activity. *)
Theorem progress_no_endless_run : forall f : nat -> node, reachable (f 0) ->
  (forall n, exists l, activity (f n) l /\ step (f n) l (f (S n))) -> False.
Proof.
  intros f Hr Hf.
  assert (G : forall n, exists ls, active_run (f 0) ls (f n) /\ length ls = n).
  { assert (Hsnoc : forall s ls t l u, active_run s ls t -> activity t l -> step t l u -> active_run s (ls ++ [l]) u).
    { intros s ls t l u H. induction H; simpl; intros; econstructor; eauto. constructor. }
    induction n as [|n (ls & H & E)]; [exists []; split; [constructor|reflexivity]|].
    destruct (Hf n) as (l & Ha & Hs). exists (ls ++ [l]). split; [eauto|]. rewrite app_length. simpl. lia. }
  destruct (G (S (measure (f 0)))) as (ls & H & E). pose proof (progress_bounded _ _ _ Hr H). lia.
Qed.

(** ** As long as something is left to do, activity is possible *)

(** Nothing is left to do: nobody holds an activation; every Reader is over or is reading undisturbed; what
    has no open ends is reported; no send is in progress. *)
Definition at_rest (A : actor) : Prop :=
  activations (mailbox A) = [] /\
  (line A = No_reader \/ line A = Reader_done \/ (line A = Reading /\ interrupted A = false)) /\
  (open_ends A = 0 -> reported A = true).

Definition settled (s : node) : Prop :=
  (forall i A, get i (actors s) = Some A -> at_rest A) /\
  (forall m p, get m (sends s) = Some p -> exists i k ok, p = Done i k ok).

(** Refusing a message for want of room is always possible in the model; it does not count as getting on. *)
Definition can_act (s : node) : Prop :=
  exists l t, activity s l /\ (forall m, l <> Refuse_full m) /\ step s l t.

Lemma push_possible : forall c e, inbox c <> Closed -> exists c', cstep c (Push e) c'.
Proof.
  intros [w a l acc han dea ini b n] e Hc. simpl in Hc. destruct w; [eexists; constructor|eexists; constructor|congruence].
Qed.

Lemma signalled_possible : forall c s k, exists c', signalled c s k c'.
Proof.
  intros c s k. destruct (inbox c) eqn:E; [| |exists c; constructor 2; assumption];
    (destruct (push_possible c (Envelope (Signal s) k)) as [c' H]; [congruence|]; exists c'; constructor; assumption).
Qed.

Lemma oldest_taken_out : forall e l, taken_out e (e :: l) l.
Proof. intros e l. apply (Taken_out e [] l). reflexivity. Qed.

(** The activity of one actor's holder. *)
Lemma holder_acts : forall s i A h, reachable s -> get i (actors s) = Some A -> activations (mailbox A) = [h] -> can_act s.
Proof.
  intros s i A h Hr Hg Ha. pose proof (wf_shape _ (well _ _ _ Hr Hg)) as Hsh.
  pose proof (whole_kept _ Hr _ _ Hg) as W.
  assert (Hact : forall l c, may A l -> cstep (mailbox A) l c -> can_act s).
  { intros l c Hm Hs. exists (Mailbox i l). eexists. split; [exact I|]. split; [discriminate|]. eapply S_mailbox; eauto. }
  assert (Hact' : forall l t, activity s l -> (forall m, l <> Refuse_full m) -> step s l t -> can_act s) by (unfold can_act; eauto).
  unfold shape in Hsh. rewrite Ha in Hsh.
  destruct (mailbox A) as [w acts loc acc han dea ini b n] eqn:Em. simpl in Ha, Hsh. subst acts.
  destruct h; simpl in Hsh; split_all; subst.
  - (* init begins *)
    apply (Hact Init_begin _ I (C_init_begin _ [] [] _ _ _ _ _ _ _)).
  - apply (Hact (Init_end true) _ I (C_init_ok _ [] [] _ _ _ _ _ _ _)).
  - (* between callbacks *)
    assert (Hl : line A = Not_started \/ line A <> Not_started) by (destruct (line A); auto; right; discriminate).
    destruct Hl as [Hl|Hl].
    { eapply (Hact' (Start_reader i)); [exact I|discriminate|]. eapply S_start_reader; eauto. rewrite Em. simpl. auto. }
    destruct x as [|e x]; [|apply (Hact Take _ Hl (C_take e x [] [] _ _ _ _ _ _ _))].
    destruct loc as [|e loc]; [apply (Hact Park _ Hl (C_park [] [] _ _ _ _ _ _))|].
    apply (Hact (Handle_begin e) _ Hl (C_handle_begin e _ [] [] _ loc _ _ _ _ _ _ (oldest_taken_out e loc))).
  - apply (Hact (Handle_end false) _ I (C_handle_failed e _ [] [] _ _ _ _ _ _ _)).
  - (* stopping: first the family, then the word *)
    destruct (family_open A) eqn:Hf.
    + eapply (Hact' (Close_family i)); [exact I|discriminate|]. eapply S_close_family; eauto. rewrite Em. simpl. eauto.
    + apply (Hact Close _ Hf (C_close ok x [] [] _ _ _ _ _ _ _)).
  - destruct ok; [apply (Hact Terminate_begin _ I (C_terminate_begin _ [] [] _ _ _ _ _ _ _))|].
    apply (Hact Skip_terminate _ I (C_skip_terminate _ [] [] _ _ _ _ _ _ _)).
  - apply (Hact Terminate_end _ I (C_terminate_end _ [] [] _ _ _ _ _ _ _)).
  - (* leaving: dead letters, children, interrupt, and off *)
    destruct loc as [|e loc].
    2:{ apply (Hact (Dead_letter e) _ I (C_dead_letter_late e _ [] [] _ _ _ _ _ _ _ _ (oldest_taken_out e loc))). }
    destruct (to_tell A) as [|j ts] eqn:Et.
    2:{ destruct (tree_to_tell _ (tree_kept _ Hr) i A j Hg) as (C & HC & _); [rewrite Et; left; reflexivity|].
        destruct (signalled_possible (mailbox C) Exit xH) as [c' Hc'].
        eapply (Hact' (Tell_child i j xH)); [exact I|discriminate|]. eapply S_tell_child; eauto. }
    destruct (interrupted A) eqn:Ei.
    + eapply (Hact' (Finished i)); [exact I|discriminate|]. eapply S_finished; eauto. rewrite Em.
      apply (C_finish _ [] [] _ _ _ _ _ _).
    + eapply (Hact' (Interrupt i true)); [exact I|discriminate|]. eapply S_interrupt; eauto. rewrite Em. reflexivity.
Qed.

(** The activity of an actor whose holder is gone: its Reader, and the report. *)
Lemma actor_acts : forall s i A, reachable s -> get i (actors s) = Some A -> at_rest A \/ can_act s.
Proof.
  intros s i A Hr Hg. pose proof (wf_shape _ (well _ _ _ Hr Hg)) as Hsh. pose proof (whole_kept _ Hr _ _ Hg) as W.
  destruct (activations (mailbox A)) as [|h [|]] eqn:Ha.
  2:{ right. eapply holder_acts; eauto. }
  2:{ unfold shape in Hsh. rewrite Ha in Hsh. contradiction. }
  assert (Hact' : forall l t, activity s l -> (forall m, l <> Refuse_full m) -> step s l t -> can_act s) by (unfold can_act; eauto).
  assert (Hrep : (line A = No_reader \/ line A = Reader_done \/ (line A = Reading /\ interrupted A = false)) -> at_rest A \/ can_act s).
  { intros Hl. destruct (open_ends A) as [|o] eqn:Ho; [|left; repeat split; auto; congruence].
    destruct (reported A) eqn:Er; [left; repeat split; auto|]. right.
    destruct (parent A) as [p|] eqn:Hp.
    - destruct (tree_parent _ _ _ _ (tree_kept _ Hr) Hg Hp) as [P HP].
      eapply (Hact' (Report i true)); [exact I|discriminate|]. eapply S_report_child; eauto.
    - eapply (Hact' (Report i true)); [exact I|discriminate|]. eapply S_report_root; eauto. }
  destruct (line A) eqn:El; try (apply Hrep; auto; fail).
  - (* a Reader that will never start *)
    right. assert (Hc : inbox (mailbox A) = Closed).
    { unfold shape in Hsh. rewrite Ha in Hsh. destruct Hsh as [_ [H|H]]; split_all; [|assumption].
      exfalso. apply (whole_parked _ W); assumption. }
    eapply (Hact' (Reader_never i)); [exact I|discriminate|]. eapply S_reader_never; eauto.
  - right. eapply (Hact' (Reader_begin i)); [exact I|discriminate|]. eapply S_reader_begin; eauto.
  - destruct (interrupted A) eqn:Ei; [|apply Hrep; auto]. right.
    eapply (Hact' (Reader_end i)); [simpl; eauto|discriminate|]. eapply S_reader_end; eauto.
  - right. destruct (signalled_possible (mailbox A) ReaderEnded xH) as [c Hc].
    eapply (Hact' (Reader_signal i xH)); [exact I|discriminate|]. eapply S_reader_signal; eauto.
  - right. eapply (Hact' (Reader_over i)); [exact I|discriminate|]. eapply S_reader_over; eauto.
Qed.

Lemma send_acts : forall s m p, reachable s -> get m (sends s) = Some p -> (exists i k ok, p = Done i k ok) \/ can_act s.
Proof.
  intros s m p Hr Hg. destruct p as [i k|i k ok|i k ok]; [| |left; eauto]; right.
  - destruct (sent_to_actor _ (books_kept _ Hr) _ _ _ Hg) as [A HA].
    assert (Hc : inbox (mailbox A) = Closed \/ inbox (mailbox A) <> Closed) by (destruct (inbox (mailbox A)); auto; right; discriminate).
    destruct Hc as [Hc|Hc].
    + exists (Refuse m). eexists. split; [exact I|]. split; [discriminate|]. eapply S_refuse; eauto.
    + destruct (push_possible (mailbox A) (Envelope (User m) k) Hc) as [c Hs].
      exists (Accept m). eexists. split; [exact I|]. split; [discriminate|]. eapply S_accept; eauto.
  - exists (Send_end m). eexists. split; [exact I|]. split; [discriminate|]. eapply S_send_end; eauto.
Qed.

Lemma all_or_some : forall (P : id -> Prop) (Q : Prop) l, (forall i, In i l -> P i \/ Q) -> (forall i, In i l -> P i) \/ Q.
Proof.
  intros P Q l. induction l as [|x l IH]; intros H; [left; intros i []|].
  destruct (H x (or_introl eq_refl)) as [Hx|?]; [|auto].
  destruct IH as [IH|?]; [intros; apply H; right; assumption| |auto].
  left. intros i [<-|Hi]; auto.
Qed.

(** There is no deadlock: in every reachable state everything is settled, or activity is possible. *)
Theorem progress : forall s, reachable s -> settled s \/ can_act s.
Proof.
  intros s Hr.
  destruct (all_or_some (fun i => forall A, get i (actors s) = Some A -> at_rest A) (can_act s) (ids s)) as [H1|?]; [| |auto].
  { intros i _. destruct (get i (actors s)) as [A|] eqn:E; [|left; discriminate].
    destruct (actor_acts _ _ _ Hr E); auto. left. intros B HB. injection HB as <-. assumption. }
  destruct (all_or_some (fun m => forall p, get m (sends s) = Some p -> exists i k ok, p = Done i k ok) (can_act s) (sent s)) as [H2|?]; [| |auto].
  { intros m _. destruct (get m (sends s)) as [p|] eqn:E; [|left; discriminate].
    destruct (send_acts _ _ _ Hr E); auto. left. intros q Hq. injection Hq as <-. assumption. }
  left. split.
  - intros i A HA. apply (H1 i); [|assumption]. apply (tree_ids _ (tree_kept _ Hr)). eauto.
  - intros m p Hp. apply (H2 m); [|assumption]. apply (sends_listed_kept _ Hr). eauto.
Qed.

(** From every reachable state, activity leads to a settled one. *)
Theorem progress_settles : forall s, reachable s -> exists ls t, active_run s ls t /\ settled t.
Proof.
  intros s. induction s as [s IH] using (well_founded_induction (well_founded_ltof _ measure)). intros Hr.
  destruct (progress _ Hr) as [H|(l & t & Ha & _ & Hs)]; [exists [], s; split; [constructor|assumption]|].
  destruct (IH t) as (ls & u & Hrun & Hu).
  - unfold ltof. eapply measure_decreases; eauto.
  - eapply reachable_step; eauto.
  - exists (l :: ls), u. split; [econstructor; eauto|assumption].
Qed.

(** ** What is true when everything is settled *)

(** wake-up: every accepted message has been handled; or its actor has ended and it is a dead letter. *)
Theorem wake_up : forall s i A, reachable s -> settled s -> get i (actors s) = Some A ->
  forall e, In e (accepted (mailbox A)) ->
  In e (handled (mailbox A)) \/ (In e (dead (mailbox A)) /\ inbox (mailbox A) = Closed).
Proof.
  intros s i A Hr [Hset _] Hg e He. destruct (Hset _ _ Hg) as (Ha & _).
  apply (whereabouts_accepted _ _ _ _ Hr Hg) in He. pose proof (well _ _ _ Hr Hg) as W.
  pose proof (wf_shape _ W) as Hsh. unfold shape in Hsh. rewrite Ha in Hsh. destruct Hsh as [Hl Hi].
  unfold whereabouts, in_hand in He. rewrite Ha, Hl in He. simpl in He.
  assert (Hs : stacked (inbox (mailbox A)) = []) by (destruct Hi as [Hi|Hi]; split_all; rewrite H; reflexivity).
  rewrite Hs in He. simpl in He. rewrite app_nil_r in He.
  apply in_app_or in He as [He|He]; apply in_rev in He; [auto|]. right. split; [assumption|].
  destruct Hi as [Hi|Hi]; split_all; [|assumption].
  pose proof (wf_early _ W) as Hd. unfold early in Hd. rewrite Hd in He by congruence. destruct He.
Qed.

(** A child of an actor whose family is closed is still to be told, or has been, or has ended. *)
Definition told (s : node) : Prop := forall c C p P, get c (actors s) = Some C -> parent C = Some p ->
  get p (actors s) = Some P -> family_open P = false ->
  In c (to_tell P) \/ summoned (mailbox C) \/ reported C = true.

Lemma signalled_summons : forall c s k c', signalled c s k c' -> summoned c'.
Proof.
  intros c s k c' H. destruct H as [c' H|H]; [|left; assumption]. right. exists (Envelope (Signal s) k).
  rewrite (cstep_accepted _ _ _ H). split; [left; reflexivity|reflexivity].
Qed.

Lemma moves_summoned : forall c c', mailbox_moves c c' -> shape c -> summoned c -> summoned c'.
Proof. intros c c' [->|[l H]] Hsh Hs; eauto using cstep_summoned. Qed.

Lemma turn_parent : forall A B, turn A B -> parent B = parent A.
Proof. intros A B H. destruct H; reflexivity. Qed.

Lemma turn_reported : forall A B, turn A B -> reported A = true -> reported B = true.
Proof. intros A B H. destruct H; simpl; auto. Qed.

Lemma step_to_tell : forall s l t p P Q, step s l t -> get p (actors s) = Some P -> get p (actors t) = Some Q ->
  (family_open Q = family_open P /\ to_tell Q = to_tell P) \/
  (family_open P = true /\ to_tell Q = children P) \/
  (exists j k ts C, l = Tell_child p j k /\ to_tell P = j :: ts /\ to_tell Q = ts /\ get j (actors s) = Some C) \/
  (exists j k, l = Tell_child j p k /\ to_tell Q = to_tell P /\ family_open Q = family_open P).
Proof.
  intros s l t p P Q Hs HP HQ.
  destruct Hs; simpl in HQ; look HQ; same_value; simpl; auto 7; try (right; right; left; eauto 8; fail);
    right; right; right; eauto 6.
Qed.

Lemma told_kept : forall s, reachable s -> told s.
Proof.
  apply (reachable_ind told).
  - intros c C p P H. simpl in H. rewrite Map.gempty in H. discriminate.
  - intros s l t Hr IH Hs c C p P HC Hp HP Hf. pose proof (tree_kept _ Hr) as T.
    destruct (step_turn _ _ _ _ _ T Hs HC) as [[Hn (k & q & ->)]|(C0 & HC0 & Htc)].
    { (* a newborn's parent has an open family *)
      exfalso. destruct (new_actor_fields k q) as (E & _). rewrite E in Hp. subst q.
      assert (Hl : exists k', l = Spawn c (Some p) k').
      { destruct (tree_parent _ _ _ _ (tree_step _ _ _ T Hs) HC E) as [P' HP'].
        destruct Hs; simpl in HC; look HC; same_value; try congruence; eauto.
        - destruct k0; destruct k; discriminate HC.
        - destruct k0; destruct k; injection HC; intros; subst; eauto. }
      destruct Hl as [k' ->]. inversion Hs; subst. simpl in HP. look HP; same_value; simpl in *; congruence. }
    destruct (step_turn _ _ _ _ _ T Hs HP) as [[Hn _]|(P0 & HP0 & Htp)].
    { rewrite (turn_parent _ _ Htc) in Hp. destruct (tree_parent _ _ _ _ T HC0 Hp). congruence. }
    rewrite (turn_parent _ _ Htc) in Hp.
    assert (Hsum : summoned (mailbox C0) -> summoned (mailbox C)).
    { destruct (step_mailbox _ _ _ _ _ Hs HC) as [[Hn _]|(C1 & HC1 & Hm)]; [congruence|].
      assert (C1 = C0) by congruence. subst C1. apply moves_summoned; [assumption|]. exact (wf_shape _ (well _ _ _ Hr HC0)). }
    assert (Hold : family_open P0 = false -> to_tell P = to_tell P0 -> In c (to_tell P) \/ summoned (mailbox C) \/ reported C = true).
    { intros F E. rewrite E. destruct (IH _ _ _ _ HC0 Hp HP0 F) as [?|[?|?]]; eauto using turn_reported. }
    destruct (step_to_tell _ _ _ _ _ _ Hs HP0 HP) as [[E F]|[[E F]|[(j & k & ts & D & -> & E & F & HD)|(j & k & -> & E & F)]]].
    + apply Hold; congruence.
    + (* the family closes: its children are noted down *)
      destruct (reported C0) eqn:Er; [eauto using turn_reported|].
      destruct (tree_unreported _ T _ _ _ HC0 Hp Er) as (P1 & HP1 & Hin). left. rewrite F. congruence.
    + (* a child is told *)
      destruct (family_open P0) eqn:F0.
      { exfalso. pose proof (whole_open _ (whole_kept _ Hr _ _ HP0) F0). congruence. }
      destruct (IH _ _ _ _ HC0 Hp HP0 F0) as [Hin|[?|?]]; [|eauto|eauto using turn_reported].
      rewrite E in Hin. rewrite F. destruct Hin as [->|Hin]; [|auto]. right. left.
      inversion Hs; subst. simpl in HC. rewrite get_put_same in HC. injection HC as <-. simpl.
      eapply signalled_summons; eauto.
    + apply Hold; congruence.
Qed.

Lemma split_unique : forall (i : id) l r m q, NoDup (l ++ i :: r) -> l ++ i :: r = m ++ i :: q -> l = m.
Proof.
  intros i l. induction l as [|x l IH]; intros r m q Hnd E; destruct m as [|y m]; simpl in *; auto;
    injection E as E1 E2; subst; inversion Hnd as [|? ? Hx Hnd']; subst.
  - exfalso. apply Hx. apply in_or_app. right. left. reflexivity.
  - exfalso. apply Hx. apply in_or_app. right. left. reflexivity.
  - f_equal. eauto.
Qed.

(** An actor that was closed for whatever reason has ended, and so has all of its family. *)
Lemma closed_ends : forall s, reachable s -> settled s ->
  forall i A, get i (actors s) = Some A -> inbox (mailbox A) = Closed -> reported A = true.
Proof.
  intros s Hr Hset. pose proof (tree_kept _ Hr) as T.
  assert (G : forall n l r i A, length l = n -> ids s = l ++ i :: r -> get i (actors s) = Some A ->
                inbox (mailbox A) = Closed -> reported A = true).
  { (* children are younger than their parents: the youngest first *)
    induction n as [n IH] using lt_wf_ind. intros l r i A Hn Eids Hg Hc.
      destruct (proj1 Hset _ _ Hg) as (Ha & Hl & Hrep). apply Hrep.
      pose proof (whole_kept _ Hr _ _ Hg) as W. rewrite (whole_count _ W).
      assert (Ho : own_over (mailbox A) = true) by (unfold own_over; rewrite Hc, Ha; reflexivity).
      destruct (whole_over _ W Ho) as [Htt Hint]. rewrite Ho.
      assert (Hl' : reader_open (line A) = false).
      { destruct Hl as [->|[->|[E F]]]; auto. exfalso. rewrite Hint in F by (rewrite E; reflexivity). discriminate. }
      rewrite Hl'. destruct (children A) as [|c cs] eqn:Ech; [reflexivity|]. exfalso.
      destruct (tree_children _ T _ _ c Hg) as (C & HC & Hp & Hnr); [rewrite Ech; left; reflexivity|].
      assert (HcC : inbox (mailbox C) = Closed).
      { destruct (told_kept _ Hr _ _ _ _ HC Hp Hg (whole_family _ W Hc)) as [Hin|[Hs|?]]; [rewrite Htt in Hin; destruct Hin| |congruence].
        destruct Hs as [?|(e & He & Hx)]; [assumption|].
        destruct (wake_up _ _ _ Hr Hset HC _ He) as [Hh|[_ ?]]; [|assumption].
        destruct (wf_obedient _ (well _ _ _ Hr HC)) as [?|[ok Hst]]; [exists e; auto|assumption|].
        destruct (proj1 Hset _ _ HC) as (HaC & _). congruence. }
      destruct (tree_older _ T _ _ _ HC Hp) as (l' & r' & E' & Hin).
      assert (Hll : length l' < n).
      { destruct (in_split _ _ Hin) as (r1 & r2 & ->). pose proof (tree_nodup _ T) as Hnd.
        rewrite Eids in E', Hnd.
        assert (El : l = l' ++ c :: r1).
        { apply (split_unique i l r _ r2 Hnd). rewrite <- app_assoc. exact E'. }
        rewrite El, app_length in Hn. simpl in Hn. lia. }
      assert (reported C = true) by exact (IH _ Hll l' r' c C eq_refl E' HC HcC). congruence. }
  intros i A Hg Hc. assert (Hin : In i (ids s)) by (apply (tree_ids _ T); eauto).
  destruct (in_split _ _ Hin) as (l & r & E). eapply G; eauto.
Qed.

(** Whoever was asked to end (by a kill, by its parent, by its Reader's end, by anybody) or ended by itself
    has ended: reported, after its terminate, its Reader, and its children. *)
Theorem exit_obeyed : forall s i A, reachable s -> settled s -> get i (actors s) = Some A ->
  summoned (mailbox A) -> reported A = true.
Proof.
  intros s i A Hr Hset Hg Hs. eapply closed_ends; eauto. destruct Hs as [?|(e & He & Hx)]; [assumption|].
  destruct (wake_up _ _ _ Hr Hset Hg _ He) as [Hh|[_ ?]]; [|assumption].
  destruct (wf_obedient _ (well _ _ _ Hr Hg)) as [?|[ok Hst]]; [exists e; auto|assumption|].
  destruct (proj1 Hset _ _ Hg) as (Ha & _). congruence.
Qed.

(** ownership, the other half: however spawning and ending raced, when everything is settled nothing is left of
    the family of an actor that has ended. *)
Theorem ownership_ends : forall s c p P, reachable s -> settled s -> descends s c p ->
  get p (actors s) = Some P -> inbox (mailbox P) = Closed ->
  exists C, get c (actors s) = Some C /\ reported C = true /\ activations (mailbox C) = [] /\ reader_open (line C) = false.
Proof.
  intros s c p P Hr Hset Hd HP Hc.
  destruct (ownership_descendants _ _ _ _ Hr Hd HP (closed_ends _ Hr Hset _ _ HP Hc)) as (C & HC & Hrep).
  exists C. destruct (ownership _ _ _ Hr HC Hrep) as (_ & ? & ? & _). auto.
Qed.

(** A Reader that has returned has ended its actor. *)
Theorem reader_lifetime_ends_actor : forall s i A, reachable s -> settled s -> get i (actors s) = Some A ->
  line A = Reader_done -> reported A = true.
Proof.
  intros s i A Hr Hset Hg Hl. eapply exit_obeyed; eauto. apply (whole_signal _ (whole_kept _ Hr _ _ Hg)). auto.
Qed.
