(** * Traces: what an accepted trace proves

    A recorded trace shows only some of the steps, as events. A trace is explained by a sequence of labels if they
    are steps from the empty node whose visible ones are exactly the trace's events, in this order; [follow] decides
    that. Whoever claims that a trace conforms has to exhibit the labels (the driver in [driver/] looks for
    them); how they were found need not be trusted.

    For a trace that is complete, that is recorded until nothing was left in flight, [finished] judges the state at
    its end: nothing accepted waits any more. *)

From Coq Require Import List PArith FMapPositive Bool.
From Antiphon Require Import Model Invariants Nodes Safety Tree Ownership Liveness Executable.
Import ListNotations.

(** ** Events *)

(** The events of trace format version 1 that the model speaks of. *)
Inductive event :=
| E_spawn (i : id) (ok : bool)
| E_init_begin (i : id) (k : kind) (p : option id)
| E_init_end (i : id) (ok : bool)
| E_send_begin (m i : id) (k : class)
| E_send_end (m : id) (ok : bool)
| E_handle_begin (i m : id)
| E_handle_end (i m : id) (ok : bool)
| E_reader_begin (i : id)
| E_reader_end (i : id)
| E_interrupt (i : id)
| E_terminate_begin (i : id)
| E_terminate_end (i : id)
| E_dead_letter (i m : id)
| E_ended (i : id).

Definition kind_of (a : actor) : kind := match line a with No_reader => Process | _ => Meta end.

(** What a recorder writes down when the step [l] is taken in state [s]; most steps leave no event. *)
Definition shows (s : node) (l : label) : option event :=
  match l with
  | Spawned i => Some (E_spawn i true)
  | Not_spawned i => Some (E_spawn i false)
  | Mailbox i Init_begin =>
      match get i (actors s) with Some A => Some (E_init_begin i (kind_of A) (parent A)) | None => None end
  | Mailbox i (Init_end ok) => Some (E_init_end i ok)
  | Send_begin m i k => Some (E_send_begin m i k)
  | Send_end m => match get m (sends s) with Some (Decided _ _ ok) => Some (E_send_end m ok) | _ => None end
  | Mailbox i (Handle_begin e) => match what e with User m => Some (E_handle_begin i m) | _ => None end
  | Mailbox i (Handle_end ok) =>
      match get i (actors s) with
      | Some A =>
          match in_hand (mailbox A) with
          | e :: _ => match what e with User m => Some (E_handle_end i m ok) | _ => None end
          | [] => None
          end
      | None => None
      end
  | Mailbox i (Dead_letter e) => match what e with User m => Some (E_dead_letter i m) | _ => None end
  | Mailbox i Terminate_begin => Some (E_terminate_begin i)
  | Mailbox i Terminate_end => Some (E_terminate_end i)
  | Reader_begin i => Some (E_reader_begin i)
  | Reader_end i => Some (E_reader_end i)
  | Interrupt i true => Some (E_interrupt i)
  | Report i true => Some (E_ended i)
  | _ => None
  end.

(** The steps [ls] lead from [s] to [t] and show exactly the events [es]. *)
Inductive shown : node -> list label -> list event -> node -> Prop :=
| Shown_nil : forall s, shown s [] [] s
| Shown_hidden : forall s l t ls es u, step s l t -> shows s l = None -> shown t ls es u -> shown s (l :: ls) es u
| Shown_event : forall s l t e ls es u, step s l t -> shows s l = Some e -> shown t ls es u ->
    shown s (l :: ls) (e :: es) u.

Definition option_eqb (a b : option id) : bool :=
  match a, b with Some a, Some b => Pos.eqb a b | None, None => true | _, _ => false end.
Definition kind_eqb (a b : kind) : bool := match a, b with Process, Process | Meta, Meta => true | _, _ => false end.

Definition event_eqb (a b : event) : bool :=
  match a, b with
  | E_spawn i x, E_spawn j y => Pos.eqb i j && Bool.eqb x y
  | E_init_begin i k p, E_init_begin j q r => Pos.eqb i j && kind_eqb k q && option_eqb p r
  | E_init_end i x, E_init_end j y => Pos.eqb i j && Bool.eqb x y
  | E_send_begin m i k, E_send_begin n j q => Pos.eqb m n && Pos.eqb i j && Pos.eqb k q
  | E_send_end m x, E_send_end n y => Pos.eqb m n && Bool.eqb x y
  | E_handle_begin i m, E_handle_begin j n => Pos.eqb i j && Pos.eqb m n
  | E_handle_end i m x, E_handle_end j n y => Pos.eqb i j && Pos.eqb m n && Bool.eqb x y
  | E_reader_begin i, E_reader_begin j => Pos.eqb i j
  | E_reader_end i, E_reader_end j => Pos.eqb i j
  | E_interrupt i, E_interrupt j => Pos.eqb i j
  | E_terminate_begin i, E_terminate_begin j => Pos.eqb i j
  | E_terminate_end i, E_terminate_end j => Pos.eqb i j
  | E_dead_letter i m, E_dead_letter j n => Pos.eqb i j && Pos.eqb m n
  | E_ended i, E_ended j => Pos.eqb i j
  | _, _ => false
  end.

Lemma event_eqb_eq : forall a b, event_eqb a b = true -> a = b.
Proof.
  intros a b H. destruct a, b; simpl in H; try discriminate; rewrite ?andb_true_iff, ?Pos.eqb_eq, ?eqb_true_iff in H;
    try (intuition congruence).
  destruct H as [[-> Hk] Hp]. destruct k, k0; try discriminate; destruct p, p0; simpl in Hp; try discriminate;
    rewrite ?Pos.eqb_eq in Hp; congruence.
Qed.

(** Follows the labels from [s]; the state at the end, if all are steps and show exactly [es]. *)
Fixpoint follow (s : node) (ls : list label) (es : list event) {struct ls} : option node :=
  match ls with
  | [] => match es with [] => Some s | _ => None end
  | l :: ls =>
      match exec s l with
      | None => None
      | Some t =>
          match shows s l with
          | None => follow t ls es
          | Some e =>
              match es with
              | [] => None
              | e' :: es => if event_eqb e e' then follow t ls es else None
              end
          end
      end
  end.

(** Accepted means explained by the model: *)
Theorem follow_sound : forall ls s es t, follow s ls es = Some t -> shown s ls es t.
Proof.
  induction ls as [|l ls IH]; intros s es t H; simpl in H.
  - destruct es; [|discriminate]. injection H as <-. constructor.
  - destruct (exec s l) as [u|] eqn:Ex; [|discriminate]. apply exec_sound in Ex.
    destruct (shows s l) as [e|] eqn:Es; [|econstructor; eauto].
    destruct es as [|e' es]; [discriminate|]. destruct (event_eqb e e') eqn:Ee; [|discriminate].
    apply event_eqb_eq in Ee. subst e'. eapply Shown_event; eauto.
Qed.

Lemma shown_run : forall s ls es t, shown s ls es t -> run s ls t.
Proof. intros s ls es t H. induction H; econstructor; eauto. Qed.

(** so the state at its end is reachable, and has every guarantee proved here. *)
Theorem follow_reachable : forall ls es t, follow empty_node ls es = Some t -> reachable t.
Proof. intros ls es t H. exists ls. eapply shown_run, follow_sound; eauto. Qed.

(** ** handler-exclusion, seen in the trace *)

(** What an event means for the callbacks of actor [i]: one begins, or one ends. *)
Definition callback_event (i : id) (e : event) : option bool :=
  match e with
  | E_init_begin j _ _ | E_handle_begin j _ | E_terminate_begin j => if Pos.eqb j i then Some true else None
  | E_init_end j _ | E_handle_end j _ _ | E_terminate_end j => if Pos.eqb j i then Some false else None
  | _ => None
  end.

(** Begins and ends of callbacks of [i] take turns; [open] tells whether one is in progress before. *)
Fixpoint take_turns (i : id) (open : bool) (es : list event) : Prop :=
  match es with
  | [] => True
  | e :: es =>
      match callback_event i e with
      | None => take_turns i open es
      | Some begins => open = negb begins /\ take_turns i begins es
      end
  end.

(** A callback that the trace shows; acting on a signal or a notice it does not. *)
Definition visible (h : holder) : bool :=
  match h with Initialising | Terminating => true | Handling e => is_user e | _ => false end.

Definition open_callback (c : core) : bool := existsb visible (activations c).

Arguments open_callback : simpl never.

Definition open_in (s : node) (i : id) : bool :=
  match get i (actors s) with Some A => open_callback (mailbox A) | None => false end.

Lemma cstep_callback : forall c l c', cstep c l c' -> shape c ->
  match l with
  | Init_begin | Terminate_begin => open_callback c = false /\ open_callback c' = true
  | Init_end _ | Terminate_end => open_callback c = true /\ open_callback c' = false
  | Handle_begin e => open_callback c = false /\ open_callback c' = is_user e
  | Handle_end _ => open_callback c' = false /\
      open_callback c = match in_hand c with e :: _ => is_user e | [] => false end
  | _ => open_callback c' = open_callback c
  end.
Proof.
  intros c l c' Hs H. unfold open_callback, in_hand. destruct Hs; try only_holder; simpl; rewrite ?orb_false_r; auto.
Qed.

Lemma signalled_callback : forall c s k c', shape c -> signalled c s k c' -> open_callback c' = open_callback c.
Proof. intros c s k c' Hsh H. destruct H as [c' H|H]; [exact (cstep_callback _ _ _ H Hsh)|reflexivity]. Qed.

Lemma step_callback : forall s l t i, reachable s -> step s l t ->
  match match shows s l with Some e => callback_event i e | None => None end with
  | Some begins => open_in s i = negb begins /\ open_in t i = begins
  | None => open_in t i = open_in s i
  end.
Proof.
  intros s l t i Hr Hs.
  assert (Hsh : forall j A, get j (actors s) = Some A -> shape (mailbox A)).
  { intros j A H. exact (wf_shape _ (well _ _ _ Hr H)). }
  assert (Hput : forall j A B, get j (actors s) = Some A -> open_callback (mailbox B) = open_callback (mailbox A) ->
            open_in (set_actor s j B) i = open_in s i).
  { intros j A B HA E. unfold open_in. simpl. destruct (Pos.eq_dec i j) as [->|Hne].
    - rewrite get_put_same, HA. assumption.
    - rewrite get_put_other by assumption. reflexivity. }
  destruct Hs; simpl; try reflexivity; try (eapply Hput; eauto; reflexivity);
    try (destruct seen; simpl; eapply Hput; eauto; reflexivity);
    try (destruct (get m (sends s)) as [[]|]; reflexivity);
    try (eapply Hput; eauto; eapply signalled_callback; eauto; fail).
  - (* a root is born *)
    unfold open_in. simpl. destruct (Pos.eq_dec i i0) as [->|Hne]; [rewrite get_put_same, H; destruct k; reflexivity|].
    rewrite get_put_other by assumption. reflexivity.
  - unfold open_in. simpl. destruct (Pos.eq_dec i i0) as [->|Hne]; [rewrite get_put_same, H; destruct k; reflexivity|].
    rewrite get_put_other by assumption. destruct (Pos.eq_dec i p) as [->|Hne'].
    + rewrite get_put_same, H0. reflexivity.
    + rewrite get_put_other by assumption. reflexivity.
  - (* the holder *)
    pose proof (cstep_callback _ _ _ H1 (Hsh _ _ H)) as Hc.
    assert (Hsame : open_callback c = open_callback (mailbox A) -> open_in (set_actor s i0 (with_mailbox A c)) i = open_in s i).
    { intros E. eapply Hput; eauto. }
    assert (Hturn : forall b, open_callback (mailbox A) = negb b /\ open_callback c = b ->
              match (if Pos.eqb i0 i then Some b else None) with
              | Some begins => open_in s i = negb begins /\ open_in (set_actor s i0 (with_mailbox A c)) i = begins
              | None => open_in (set_actor s i0 (with_mailbox A c)) i = open_in s i
              end).
    { intros b [E F]. destruct (Pos.eqb i0 i) eqn:Ei.
      - apply Pos.eqb_eq in Ei. subst i0. unfold open_in. simpl. rewrite H, get_put_same. auto.
      - apply Pos.eqb_neq in Ei. unfold open_in. simpl. rewrite get_put_other by congruence. reflexivity. }
    destruct l; simpl in H0; try contradiction; simpl; try (apply Hsame; assumption); rewrite ?H;
      try (apply (Hturn true); simpl; tauto); try (apply (Hturn false); simpl; tauto).
    + (* a handling begins *)
      destruct Hc as [E F]. destruct e as [[m|n|sg] k]; simpl in *.
      * apply (Hturn true). auto.
      * apply Hsame. rewrite E, F. reflexivity.
      * apply Hsame. rewrite E, F. reflexivity.
    + destruct Hc as [E F]. destruct (in_hand (mailbox A)) as [|[[m|n|sg] k] r] eqn:Eh; simpl in *.
      * apply Hsame. rewrite E, F. reflexivity.
      * apply (Hturn false). auto.
      * apply Hsame. rewrite E, F. reflexivity.
      * apply Hsame. rewrite E, F. reflexivity.
    + destruct e as [[m|n|sg] k]; simpl; apply Hsame; assumption.
  - (* a send is accepted *)
    change (open_in (set_actor s i0 (with_mailbox A c)) i = open_in s i). eapply Hput; eauto.
    exact (cstep_callback _ _ _ H1 (Hsh _ _ H0)).
  - eapply Hput; eauto. exact (cstep_callback _ _ _ H0 (Hsh _ _ H)).
  - (* a child is told *)
    pose proof (signalled_callback _ _ _ _ (Hsh _ _ H1) H2) as E. unfold open_in. simpl.
    destruct (Pos.eq_dec i j) as [->|Hne]; [rewrite get_put_same, H1; assumption|]. rewrite get_put_other by assumption.
    destruct (Pos.eq_dec i i0) as [->|Hne']; [rewrite get_put_same, H; reflexivity|]. rewrite get_put_other by assumption. reflexivity.
  - eapply Hput; eauto. exact (cstep_callback _ _ _ H2 (Hsh _ _ H)).
  - (* a report *)
    assert (G : open_in (set_actor (set_actor s p (child_ended P i0)) i0 (report A)) i = open_in s i).
    { unfold open_in. simpl. destruct (Pos.eq_dec i i0) as [->|Hne]; [rewrite get_put_same, H; reflexivity|].
      rewrite get_put_other by assumption. destruct (Pos.eq_dec i p) as [->|Hne']; [rewrite get_put_same, H3; reflexivity|].
      rewrite get_put_other by assumption. reflexivity. }
    destruct seen; exact G.
Qed.

Lemma shown_turns : forall s ls es t i, shown s ls es t -> reachable s -> take_turns i (open_in s i) es.
Proof.
  intros s ls es t i H. induction H as [s|s l t ls es u Hs Hn H IH|s l t e ls es u Hs He H IH]; intros Hr; simpl; auto;
    pose proof (step_callback s l t i Hr Hs) as G; specialize (IH (reachable_step _ _ _ Hr Hs)).
  - rewrite Hn in G. rewrite G in IH. assumption.
  - rewrite He in G. destruct (callback_event i e) as [b|].
    + destruct G as [G1 G2]. rewrite G2 in IH. auto.
    + rewrite G in IH. assumption.
Qed.

(** In every accepted trace the callbacks of each actor take turns: no two of them overlap, terminate included. *)
Theorem follow_exclusion : forall ls es t i, follow empty_node ls es = Some t -> take_turns i false es.
Proof.
  intros ls es t i H. apply follow_sound in H. apply (shown_turns _ _ _ _ i) in H; [|exists []; constructor].
  unfold open_in in H. simpl in H. rewrite Map.gempty in H. assumption.
Qed.

(** ** The end of a complete trace *)

Definition busy (c : core) : bool := existsb in_callback (activations c).

Definition at_peace (c : core) : bool := match activations c with [] => true | _ => busy c end.

(** Nobody has anything left to do but the callbacks that never returned; and who has ended has taken its family along. *)
Definition finished (s : node) : bool :=
  forallb (fun i =>
    match get i (actors s) with
    | None => false
    | Some A =>
        at_peace (mailbox A) &&
        match parent A with
        | None => true
        | Some p =>
            match get p (actors s) with
            | None => false
            | Some P => negb (own_over (mailbox P)) || own_over (mailbox A) || busy (mailbox A)
            end
        end
    end) (ids s).

Lemma finished_at : forall s i A, reachable s -> finished s = true -> get i (actors s) = Some A ->
  at_peace (mailbox A) = true /\
  forall p P, parent A = Some p -> get p (actors s) = Some P -> own_over (mailbox P) = true ->
    own_over (mailbox A) = true \/ busy (mailbox A) = true.
Proof.
  intros s i A Hr Hf Hg. unfold finished in Hf. rewrite forallb_forall in Hf.
  specialize (Hf i (proj2 (tree_ids _ (tree_kept _ Hr) i) (ex_intro _ A Hg))). rewrite Hg in Hf.
  apply andb_true_iff in Hf as [H1 H2]. split; [assumption|]. intros p P Hp HP Ho. rewrite Hp, HP, Ho in H2.
  simpl in H2. apply orb_true_iff in H2. assumption.
Qed.

(** no-loss and wake-up for a complete trace: unless a callback of the actor never returned, each message that it
    accepted was handled, or it has ended and the message is a dead letter. *)
Theorem finished_delivered : forall s i A, reachable s -> finished s = true -> get i (actors s) = Some A ->
  busy (mailbox A) = true \/
  forall e, In e (accepted (mailbox A)) ->
    In e (handled (mailbox A)) \/ (In e (dead (mailbox A)) /\ inbox (mailbox A) = Closed).
Proof.
  intros s i A Hr Hf Hg. destruct (finished_at _ _ _ Hr Hf Hg) as [Hp _]. unfold at_peace in Hp.
  destruct (activations (mailbox A)) as [|h r] eqn:Ha; [right|left; assumption].
  intros e He. apply (whereabouts_accepted _ _ _ _ Hr Hg) in He. pose proof (well _ _ _ Hr Hg) as W.
  pose proof (wf_shape _ W) as Hsh. unfold shape in Hsh. rewrite Ha in Hsh. destruct Hsh as [Hl Hi].
  unfold whereabouts, in_hand in He. rewrite Ha, Hl in He. simpl in He.
  assert (Hs : stacked (inbox (mailbox A)) = []) by (destruct Hi as [Hi|Hi]; split_all; rewrite H; reflexivity).
  rewrite Hs in He. simpl in He. rewrite app_nil_r in He.
  apply in_app_or in He as [He|He]; apply in_rev in He; [auto|]. right. split; [assumption|].
  destruct Hi as [Hi|Hi]; split_all; [|assumption].
  pose proof (wf_early _ W) as Hd. unfold early in Hd. rewrite Hd in He by congruence. destruct He.
Qed.

(** ownership for a complete trace: no child of an actor that is over is left. *)
Theorem finished_family : forall s i A p P, reachable s -> finished s = true -> get i (actors s) = Some A ->
  parent A = Some p -> get p (actors s) = Some P -> own_over (mailbox P) = true ->
  own_over (mailbox A) = true \/ busy (mailbox A) = true.
Proof. intros s i A p P Hr Hf Hg. apply (finished_at _ _ _ Hr Hf Hg). Qed.
