(** * Executable: the model as a program

    The relation [step] says what may happen; it does not compute. This file gives the same model as a
    function, [exec], and proves that it is the same: whatever [exec] does is a step, and whatever is a step
    from a reachable state [exec] does. So a sequence of labels that [exec] accepts leads to a reachable state,
    of which every theorem of this development holds. *)

From Coq Require Import List PArith FMapPositive Bool.
From Antiphon Require Import Model Invariants Nodes Safety Tree Ownership Liveness.
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
