(** * Executable: the model as a program

    The relation [step] says what may happen; it does not compute. This file gives the same model as a
    function, [exec], and proves that it is the same: whatever [exec] does is a step, and whatever is a step
    from a reachable state [exec] does. So a sequence of labels that [exec] accepts leads to a reachable state,
    of which every theorem of this development holds.

    A recorded trace shows only some of the steps, as events. [conforms events labels] is true if the labels
    are steps from the empty node whose visible ones are exactly these events, in this order. Whoever claims
    that a trace conforms has to exhibit the labels (the driver in [driver/] looks for them); how they were
    found need not be trusted.

    For a trace that is complete, that is recorded until nothing was left in flight, [finished] judges the state at
    its end: nothing accepted waits any more. *)

From Coq Require Import List PArith FMapPositive Bool.
From Antiphon Require Import Model Invariants Nodes Safety Ownership Liveness.
Import ListNotations.

(** ** Deciding equalities *)

Definition signal_eqb (a b : signal) : bool :=
  match a, b with Exit, Exit | Kill, Kill | ReaderEnded, ReaderEnded => true | _, _ => false end.

Definition envelope_eqb (a b : envelope) : bool :=
  Pos.eqb (of_class a) (of_class b) &&
  match what a, what b with
  | User m, User n | Notice m, Notice n => Pos.eqb m n
  | Signal s, Signal t => signal_eqb s t
  | _, _ => false
  end.

Lemma envelope_eqb_eq : forall a b, envelope_eqb a b = true <-> a = b.
Proof.
  intros [wa ka] [wb kb]. unfold envelope_eqb. simpl. rewrite andb_true_iff, Pos.eqb_eq.
  destruct wa as [m|m|s], wb as [n|n|t]; rewrite ?Pos.eqb_eq; try (split; [intros [_ H]|intros H]; discriminate).
  - split; [intros [-> ->]; reflexivity|intros H; injection H; auto].
  - split; [intros [-> ->]; reflexivity|intros H; injection H; auto].
  - destruct s, t; simpl; (split; [intros [-> H]; try discriminate; reflexivity|intros H; injection H; intros; try discriminate; auto]).
Qed.

(** ** The mailbox *)

Fixpoint take_out (e : envelope) (l : list envelope) : option (list envelope) :=
  match l with
  | [] => None
  | x :: r =>
      if same_class (of_class e) x then (if envelope_eqb x e then Some r else None)
      else match take_out e r with Some r' => Some (x :: r') | None => None end
  end.

Definition cexec (c : core) (l : core_label) : option core :=
  let '(Core w acts loc acc han dea ini b n) := c in
  match l with
  | Push e =>
      match w with
      | Idle => Some (Core (Stack [e]) (Running :: acts) loc (e :: acc) han dea ini b n)
      | Stack s => Some (Core (Stack (e :: s)) acts loc (e :: acc) han dea ini b n)
      | Closed => None
      end
  | _ =>
    match acts with
    | [h] =>
      match l, h with
      | Init_begin, Born => Some (Core w [Initialising] loc acc han dea ini b n)
      | Init_end true, Initialising => Some (Core w [Running] loc acc han dea (Some true) b n)
      | Init_end false, Initialising => Some (Core w [Stopping false] loc acc han dea (Some false) b n)
      | Take, Running =>
          match w with
          | Stack (e :: s) => Some (Core (Stack []) [Running] (loc ++ rev_append (e :: s) []) acc han dea ini b n)
          | _ => None
          end
      | Handle_begin e, Running =>
          match take_out e loc with
          | Some loc' => Some (Core w [Handling e] loc' acc han dea ini b n)
          | None => None
          end
      | Handle_end true, Handling e =>
          if is_signal e then None else Some (Core w [Running] loc acc (e :: han) dea ini b n)
      | Handle_end false, Handling e => Some (Core w [Stopping true] loc acc (e :: han) dea ini b n)
      | Give_up, Running => Some (Core w [Stopping true] loc acc han dea ini b n)
      | Park, Running =>
          match w, loc with
          | Stack [], [] => Some (Core Idle [] [] acc han dea ini b n)
          | _, _ => None
          end
      | Close, Stopping ok =>
          match w with
          | Stack s => Some (Core Closed [Draining ok] (loc ++ rev_append s []) acc han dea ini b n)
          | _ => None
          end
      | Dead_letter e, Draining ok =>
          match take_out e loc with
          | Some loc' => Some (Core w [Draining ok] loc' acc han (e :: dea) ini b n)
          | None => None
          end
      | Dead_letter e, Terminating =>
          match take_out e loc with
          | Some loc' => Some (Core w [Terminating] loc' acc han (e :: dea) ini b n)
          | None => None
          end
      | Dead_letter e, Leaving =>
          match take_out e loc with
          | Some loc' => Some (Core w [Leaving] loc' acc han (e :: dea) ini b n)
          | None => None
          end
      | Terminate_begin, Draining true => Some (Core w [Terminating] loc acc han dea ini (S b) n)
      | Terminate_end, Terminating => Some (Core w [Leaving] loc acc han dea ini b (S n))
      | Skip_terminate, Draining false => Some (Core w [Leaving] loc acc han dea ini b n)
      | Finish, Leaving => match loc with [] => Some (Core w [] [] acc han dea ini b n) | _ => None end
      | _, _ => None
      end
    | _ => None
    end
  end.

Lemma take_out_sound : forall e l l', take_out e l = Some l' -> taken_out e l l'.
Proof.
  intros e l. induction l as [|x r IH]; intros l' H; simpl in H; [discriminate|].
  destruct (same_class (of_class e) x) eqn:Ec.
  - destruct (envelope_eqb x e) eqn:Ee; [|discriminate]. injection H as <-. apply envelope_eqb_eq in Ee. subst x.
    apply oldest_taken_out.
  - destruct (take_out e r) as [r'|] eqn:Er; [|discriminate]. injection H as <-.
    destruct (IH _ eq_refl) as [a b Hn]. apply (Taken_out e (x :: a) b). unfold only in *. simpl. rewrite Ec. assumption.
Qed.

Lemma take_out_complete : forall e l l', taken_out e l l' -> take_out e l = Some l'.
Proof.
  intros e l l' H. destruct H as [a b Hn]. induction a as [|x a IH]; simpl.
  - unfold same_class. rewrite Pos.eqb_refl. replace (envelope_eqb e e) with true by (symmetry; apply envelope_eqb_eq; reflexivity).
    reflexivity.
  - unfold only in *. simpl in Hn. destruct (same_class (of_class e) x) eqn:Ec; [discriminate|]. rewrite IH by assumption. reflexivity.
Qed.

Theorem cexec_sound : forall c l c', cexec c l = Some c' -> cstep c l c'.
Proof.
  intros [w acts loc acc han dea ini b n] l c' H. simpl in H.
  destruct l;
    try (destruct w; try discriminate; injection H as <-; constructor; fail);
    destruct acts as [|h [|]]; try discriminate; try (destruct ok; discriminate);
    destruct h; try discriminate; try (destruct ok; discriminate);
    try (destruct ok; try discriminate; injection H as <-;
         first [apply (C_init_ok w [] []) | apply (C_init_failed w [] [])
               | apply (C_terminate_begin w [] []) | apply (C_skip_terminate w [] [])]; fail);
    try (injection H as <-;
         first [apply (C_init_begin w [] []) | apply (C_give_up w [] []) | apply (C_terminate_end w [] [])]; fail).
  - destruct w as [|[|e s]|]; try discriminate. injection H as <-. apply (C_take e s [] []).
  - destruct (take_out e loc) as [loc'|] eqn:E; [|discriminate]. injection H as <-.
    apply (C_handle_begin e w [] []). apply take_out_sound. assumption.
  - destruct ok.
    + destruct (is_signal e) eqn:E; [discriminate|]. injection H as <-. apply (C_handle_ok e w [] []). assumption.
    + injection H as <-. apply (C_handle_failed e w [] []).
  - destruct w as [|[|]|]; try discriminate. destruct loc; [|discriminate]. injection H as <-. apply (C_park [] []).
  - destruct w as [|s|]; try discriminate. injection H as <-. apply (C_close ok s [] []).
  - destruct (take_out e loc) as [loc'|] eqn:E; [|discriminate]. injection H as <-.
    apply (C_dead_letter e ok w [] []). apply take_out_sound. assumption.
  - destruct (take_out e loc) as [loc'|] eqn:E; [|discriminate]. injection H as <-.
    apply (C_dead_letter_meanwhile e w [] []). apply take_out_sound. assumption.
  - destruct (take_out e loc) as [loc'|] eqn:E; [|discriminate]. injection H as <-.
    apply (C_dead_letter_late e w [] []). apply take_out_sound. assumption.
  - destruct loc; [|discriminate]. injection H as <-. apply (C_finish w [] []).
Qed.

Theorem cexec_complete : forall c l c', shape c -> cstep c l c' -> cexec c l = Some c'.
Proof.
  intros c l c' Hsh Hs. destruct Hs; try only_holder; simpl; try reflexivity;
    match goal with
    | G : taken_out _ _ _ |- _ => rewrite (take_out_complete _ _ _ G); reflexivity
    | G : is_signal _ = false |- _ => rewrite G; reflexivity
    end.
Qed.

(** ** The node *)

Definition push_signal (c : core) (s : signal) (k : class) : option core :=
  match inbox c with Closed => Some c | _ => cexec c (Push (Envelope (Signal s) k)) end.

Definition not_started (r : reader) : bool := match r with Not_started => true | _ => false end.

Definition may_b (a : actor) (l : core_label) : bool :=
  match l with
  | Take | Handle_begin _ | Park => negb (not_started (line a))
  | Close => negb (family_open a)
  | Push _ | Finish => false
  | _ => true
  end.

Definition is_running (h : holder) : bool := match h with Running => true | _ => false end.
Definition is_stopping (h : holder) : bool := match h with Stopping _ => true | _ => false end.

Definition guard (b : bool) (s : node) : option node := if b then Some s else None.

Definition came_to_life (c : core) : bool := match initialised c with Some true => true | _ => false end.

Definition stillborn (c : core) : bool := match initialised c with Some false => true | _ => false end.

Definition none (n : nat) : bool := match n with 0 => true | S _ => false end.

Definition is_closed (w : word) : bool := match w with Closed => true | _ => false end.

(** Looks up an actor and changes it, or does nothing at all. *)
Notation "'with_actor' a 'as' i 'of' s ; k" :=
  (match get i (actors s) with Some a => k | None => None end) (at level 200, a name, i at level 9, s at level 9).
Notation "'let?' c := o ; k" := (match o with Some c => k | None => None end) (at level 200, c name).

Definition exec (s : node) (l : label) : option node :=
  match l with
  | Spawn i None k =>
      match get i (actors s) with Some _ => None | None => Some (add_actor s i (new_actor k None)) end
  | Spawn i (Some p) k =>
      match get i (actors s) with
      | Some _ => None
      | None =>
          with_actor P as p of s;
          guard (family_open P) (add_actor (set_actor s p (adopt P i)) i (new_actor k (Some p)))
      end
  | Spawned i =>
      with_actor A as i of s;
      guard (came_to_life (mailbox A)) s
  | Not_spawned i =>
      match get i (actors s) with
      | None => Some s
      | Some A => guard (is_closed (inbox (mailbox A)) || stillborn (mailbox A)) s
      end
  | Mailbox i l =>
      with_actor A as i of s;
      if may_b A l then let? c := cexec (mailbox A) l; Some (set_actor s i (with_mailbox A c)) else None
  | Send_begin m i k =>
      with_actor A as i of s;
      match get m (sends s) with Some _ => None | None => Some (add_send s m (Trying i k)) end
  | Accept m =>
      match get m (sends s) with
      | Some (Trying i k) =>
          with_actor A as i of s;
          let? c := cexec (mailbox A) (Push (Envelope (User m) k));
          Some (set_send (set_actor s i (with_mailbox A c)) m (Decided i k true))
      | _ => None
      end
  | Refuse m =>
      match get m (sends s) with
      | Some (Trying i k) =>
          with_actor A as i of s;
          guard (is_closed (inbox (mailbox A))) (set_send s m (Decided i k false))
      | _ => None
      end
  | Refuse_full m =>
      match get m (sends s) with
      | Some (Trying i k) => Some (set_send s m (Decided i k false))
      | _ => None
      end
  | Send_end m =>
      match get m (sends s) with
      | Some (Decided i k ok) => Some (set_send s m (Done i k ok))
      | _ => None
      end
  | Tell i sg k =>
      with_actor A as i of s;
      match sg with
      | ReaderEnded => None
      | _ => let? c := push_signal (mailbox A) sg k; Some (set_actor s i (with_mailbox A c))
      end
  | Notify i n k =>
      with_actor A as i of s;
      let? c := cexec (mailbox A) (Push (Envelope (Notice n) k)); Some (set_actor s i (with_mailbox A c))
  | Close_family i =>
      with_actor A as i of s;
      guard (existsb is_stopping (activations (mailbox A)) && family_open A) (set_actor s i (close_family A))
  | Tell_child i j k =>
      with_actor A as i of s;
      match to_tell A with
      | j' :: ts =>
          if Pos.eqb j' j then
            with_actor C as j of s;
            let? c := push_signal (mailbox C) Exit k;
            Some (set_actor (set_actor s i (with_to_tell A ts)) j (with_mailbox C c))
          else None
      | [] => None
      end
  | Start_reader i =>
      with_actor A as i of s;
      guard (not_started (line A) && existsb is_running (activations (mailbox A))) (set_actor s i (with_line A Started))
  | Reader_begin i =>
      with_actor A as i of s;
      match line A with Started => Some (set_actor s i (with_line A Reading)) | _ => None end
  | Reader_end i =>
      with_actor A as i of s;
      match line A with Reading => Some (set_actor s i (with_line A Returned)) | _ => None end
  | Reader_signal i k =>
      with_actor A as i of s;
      match line A with
      | Returned =>
          let? c := push_signal (mailbox A) ReaderEnded k;
          Some (set_actor s i (with_line (with_mailbox A c) Signalled))
      | _ => None
      end
  | Reader_over i =>
      with_actor A as i of s;
      match line A with Signalled => Some (set_actor s i (end_of (with_line A Reader_done))) | _ => None end
  | Reader_never i =>
      with_actor A as i of s;
      guard (not_started (line A) && is_closed (inbox (mailbox A))) (set_actor s i (end_of (with_line A Reader_done)))
  | Interrupt i _ =>
      with_actor A as i of s;
      guard (is_closed (inbox (mailbox A)) && negb (interrupted A)) (set_actor s i (with_interrupt A))
  | Finished i =>
      with_actor A as i of s;
      match to_tell A with
      | [] =>
          if negb (reader_needs_interrupt (line A)) || interrupted A then
            let? c := cexec (mailbox A) Finish; Some (set_actor s i (end_of (with_mailbox A c)))
          else None
      | _ => None
      end
  | Report i _ =>
      with_actor A as i of s;
      if none (open_ends A) && negb (reported A) then
        match parent A with
        | None => Some (set_actor s i (report A))
        | Some p => with_actor P as p of s; Some (set_actor (set_actor s p (child_ended P i)) i (report A))
        end
      else None
  end.

Lemma push_signal_sound : forall c s k c', push_signal c s k = Some c' -> signalled c s k c'.
Proof.
  intros c s k c' H. unfold push_signal in H. destruct (inbox c) eqn:E;
    try (constructor; apply cexec_sound; assumption). injection H as <-. constructor 2. assumption.
Qed.

Lemma push_signal_complete : forall c s k c', shape c -> signalled c s k c' -> push_signal c s k = Some c'.
Proof.
  intros c s k c' Hsh H. unfold push_signal. destruct H as [c' H|H]; [|rewrite H; reflexivity].
  pose proof (cexec_complete _ _ _ Hsh H) as E. destruct (inbox c) eqn:Ei; auto.
  destruct c. simpl in Ei. subst. inversion H.
Qed.

Lemma may_b_iff : forall a l, may_b a l = true <-> may a l.
Proof.
  intros a l. destruct l; simpl; try (split; congruence); try (split; [discriminate|intros []]); try (split; auto; fail);
    try (destruct (line a); simpl; split; congruence). destruct (family_open a); simpl; split; congruence.
Qed.

Lemma not_started_iff : forall r, not_started r = true <-> r = Not_started.
Proof. intros []; simpl; split; congruence. Qed.

Lemma is_closed_iff : forall w, is_closed w = true <-> w = Closed.
Proof. intros []; simpl; split; congruence. Qed.

Lemma came_to_life_iff : forall c, came_to_life c = true <-> initialised c = Some true.
Proof. intros c. unfold came_to_life. destruct (initialised c) as [[]|]; split; congruence. Qed.

Lemma stillborn_iff : forall c, stillborn c = true <-> initialised c = Some false.
Proof. intros c. unfold stillborn. destruct (initialised c) as [[]|]; split; congruence. Qed.

Lemma none_iff : forall n, none n = true <-> n = 0.
Proof. intros []; simpl; split; congruence. Qed.

Lemma existsb_running : forall l, existsb is_running l = true <-> In Running l.
Proof.
  intros l. rewrite existsb_exists. split; [intros (h & H & E); destruct h; simpl in E; congruence|].
  intros H. exists Running. auto.
Qed.

Lemma existsb_stopping : forall l, existsb is_stopping l = true <-> exists ok, In (Stopping ok) l.
Proof.
  intros l. rewrite existsb_exists. split; [intros (h & H & E); destruct h; simpl in E; try discriminate; eauto|].
  intros [ok H]. exists (Stopping ok). auto.
Qed.

(** Opens every test that the program has made. *)
Ltac opened :=
  repeat match goal with
  | H : None = Some _ |- _ => discriminate H
  | H : guard ?b _ = Some _ |- _ => unfold guard in H
  | H : (match ?x with _ => _ end) = Some _ |- _ => destruct x eqn:?
  | H : Some _ = Some _ |- _ => injection H as H; subst
  | H : _ && _ = true |- _ => apply andb_true_iff in H; destruct H
  | H : negb _ = true |- _ => apply negb_true_iff in H
  | H : not_started _ = true |- _ => apply not_started_iff in H
  | H : is_closed _ = true |- _ => apply is_closed_iff in H
  | H : came_to_life _ = true |- _ => apply came_to_life_iff in H
  | H : none _ = true |- _ => apply none_iff in H
  | H : existsb is_running _ = true |- _ => apply existsb_running in H
  | H : existsb is_stopping _ = true |- _ => apply existsb_stopping in H; destruct H
  | H : may_b _ _ = true |- _ => apply may_b_iff in H
  | H : cexec _ _ = Some _ |- _ => apply cexec_sound in H
  | H : push_signal _ _ _ = Some _ |- _ => apply push_signal_sound in H
  | H : Pos.eqb _ _ = true |- _ => apply Pos.eqb_eq in H; subst
  end.

(** Whatever the program does is a step of the model. *)
Theorem exec_sound : forall s l t, exec s l = Some t -> step s l t.
Proof.
  intros s l t H. destruct l; simpl in H; opened; try (econstructor; eauto; fail).
  - constructor. intros B HB. match goal with G : _ || _ = true |- _ => apply orb_true_iff in G; destruct G as [G|G] end.
    + left. apply is_closed_iff. congruence.
    + right. apply stillborn_iff. congruence.
  - constructor. intros B HB. congruence.
  - eapply S_tell; eauto. discriminate.
  - eapply S_tell; eauto. discriminate.
  - (* finished *)
    eapply S_finished; eauto. intros E. rewrite E in *. simpl in *. assumption.
Qed.

(** Whatever is a step from a reachable state, the program does. *)
Theorem exec_complete : forall s l t, reachable s -> step s l t -> exec s l = Some t.
Proof.
  intros s l t Hr Hs.
  assert (Hsh : forall i A, get i (actors s) = Some A -> shape (mailbox A)).
  { intros i A H. exact (wf_shape _ (well _ _ _ Hr H)). }
  destruct Hs; simpl; unfold guard;
    repeat match goal with
    | G : get _ _ = _ |- _ => rewrite G
    | G : family_open _ = _ |- _ => rewrite G
    | G : initialised _ = Some true |- _ => apply came_to_life_iff in G; rewrite G
    | G : to_tell _ = _ |- _ => rewrite G
    | G : line _ = _ |- _ => rewrite G
    | G : open_ends _ = _ |- _ => rewrite G
    | G : reported _ = _ |- _ => rewrite G
    | G : parent _ = _ |- _ => rewrite G
    | G : interrupted _ = _ |- _ => rewrite G
    | G : inbox _ = Closed |- _ => rewrite G
    | G : In Running _ |- _ => apply existsb_running in G; rewrite G
    | G : In (Stopping ?ok) _ |- _ => pose proof (proj2 (existsb_stopping _) (ex_intro _ ok G)) as E; clear G; rewrite E
    | G : cstep _ _ _, Ha : get _ (actors s) = Some _ |- _ => apply (cexec_complete _ _ _ (Hsh _ _ Ha)) in G; rewrite G
    | G : signalled _ _ _ _, Ha : get _ (actors s) = Some _ |- _ => apply (push_signal_complete _ _ _ _ (Hsh _ _ Ha)) in G; rewrite G
    | G : may _ _ |- _ => apply may_b_iff in G; rewrite G
    end; simpl; rewrite ?Pos.eqb_refl; try reflexivity.
  - destruct (get i (actors s)) as [A|] eqn:E; [|reflexivity]. destruct (H _ eq_refl) as [Hc|Hs].
    + rewrite Hc. reflexivity.
    + apply stillborn_iff in Hs. rewrite Hs, orb_true_r. reflexivity.
  - destruct sg; [reflexivity|reflexivity|congruence].
  - destruct (reader_needs_interrupt (line A)); simpl; [rewrite H1 by reflexivity|]; reflexivity.
Qed.

(** ** Traces *)

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
