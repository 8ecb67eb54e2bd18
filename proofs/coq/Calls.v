(** * Calls: one outcome each, and no cycle of waiting callers

    A call is a message that carries the right to answer it, its _reply_. The reply is in one place at a time: in the
    message, in somebody's hands (the handler took it out; or the message went elsewhere as a dead letter),
    or nowhere any more. Caller and callee meet in a _slot_: whoever settles it first decides. A reply that goes
    away unused settles the slot, so the caller hears of it at once and not by timeout.

    Proved are: a call has at most one outcome, and it never changes; an answer is given at most once; and when
    everything is settled, a call without an outcome is one whose reply is still in somebody's hands. In particular no
    reply is left in a mailbox, be the callee alive or not ([call-outcome]).

    The second part is the list of who waits for whom. A caller is entered only if its callee does not wait
    for it, directly or through others; so there never is a cycle ([deadlock-refusal]). *)

From Coq Require Import List PArith FMapPositive Arith Lia Relations.
From Antiphon Require Import Model Invariants Nodes Safety Tree Ownership Liveness.
Import ListNotations.

(** ** The model *)

Inductive reply := In_message | Held | Used_up.

Inductive slot :=
| Waiting
| Answered
| Dropped    (* the reply went away unused *)
| Taken.     (* the caller has the outcome, or has given up *)

Inductive outcome := Replied | Terminated | Refused | Timed_out.

Record call := Call { callee : id; right : reply; meeting : slot; result : option outcome }.

(** Settles the slot, unless it is settled: what comes late is not heard. *)
Definition settle (m : slot) (o : slot) : slot := match m with Waiting => o | _ => m end.

Definition used (c : call) (o : slot) : call := Call (callee c) Used_up (settle (meeting c) o) (result c).
Definition held_by_somebody (c : call) : call := Call (callee c) Held (meeting c) (result c).
Definition with_result (c : call) (o : outcome) : call := Call (callee c) (right c) Taken (Some o).

(** A node, and the calls by their messages. *)
Record office := Office { node_of : node; calls : Map.t call }.

Definition empty_office : office := Office empty_node (Map.empty _).
Definition put_call (w : office) (m : id) (c : call) : office := Office (node_of w) (put m c (calls w)).
Definition with_node (w : office) (s : node) : office := Office s (calls w).

(** The step [l] is where message [m] ends: its handling is over, it becomes a dead letter, or it is refused. *)
Definition consumes (s : node) (l : label) (m : id) : Prop :=
  match l with
  | Mailbox i (Handle_end _) => exists A k, get i (actors s) = Some A /\ In (letter m k) (in_hand (mailbox A))
  | Mailbox _ (Dead_letter e) => what e = User m
  | Refuse n | Refuse_full n => n = m
  | _ => False
  end.

Definition begins (l : label) (m : id) : Prop := match l with Send_begin n _ _ => n = m | _ => False end.

Inductive olabel :=
| Work (l : label)       (* a step of the node that ends no message with a reply in it *)
| Begin_call (m : id)
| Take_out (m : id)      (* the handler takes the reply out of the message, to use or to keep it *)
| Drop_handled (m : id)  (* the handling ends, and the reply was still in the message *)
| Drop_refused (m : id)  (* the message comes back to its sender *)
| Dead (m : id)          (* as a dead letter the message goes to somebody else *)
| Answer (m : id)
| Drop_reply (m : id)
| Time_out (m : id)
| Outcome (m : id).      (* the caller takes what is in the slot *)

Inductive ostep : office -> olabel -> office -> Prop :=
| O_work : forall w l s,
    (forall m c, get m (calls w) = Some c -> right c = In_message -> ~ consumes (node_of w) l m) ->
    step (node_of w) l s -> ostep w (Work l) (with_node w s)
| O_begin : forall w m i k s,
    get m (calls w) = None -> step (node_of w) (Send_begin m i k) s ->
    ostep w (Begin_call m) (put_call (with_node w s) m (Call i In_message Waiting None))
| O_take_out : forall w m c A k,
    get m (calls w) = Some c -> right c = In_message ->
    get (callee c) (actors (node_of w)) = Some A -> In (letter m k) (in_hand (mailbox A)) ->
    ostep w (Take_out m) (put_call w m (held_by_somebody c))
| O_drop_handled : forall w m c i ok s,
    get m (calls w) = Some c -> right c = In_message ->
    step (node_of w) (Mailbox i (Handle_end ok)) s -> consumes (node_of w) (Mailbox i (Handle_end ok)) m ->
    ostep w (Drop_handled m) (put_call (with_node w s) m (used c Dropped))
| O_drop_refused : forall w m c l s,
    get m (calls w) = Some c -> right c = In_message -> result c = None -> l = Refuse m \/ l = Refuse_full m ->
    step (node_of w) l s ->
    ostep w (Drop_refused m) (put_call (with_node w s) m (with_result (used c Dropped) Refused))
| O_dead : forall w m c i k s,
    get m (calls w) = Some c -> right c = In_message ->
    step (node_of w) (Mailbox i (Dead_letter (letter m k))) s ->
    ostep w (Dead m) (put_call (with_node w s) m (held_by_somebody c))
| O_answer : forall w m c,
    get m (calls w) = Some c -> right c = Held ->
    ostep w (Answer m) (put_call w m (used c Answered))
| O_drop_reply : forall w m c,
    get m (calls w) = Some c -> right c = Held ->
    ostep w (Drop_reply m) (put_call w m (used c Dropped))
| O_time_out : forall w m c i k,
    (* the caller waits once its send has returned *)
    get m (calls w) = Some c -> meeting c = Waiting -> result c = None ->
    get m (sends (node_of w)) = Some (Done i k true) ->
    ostep w (Time_out m) (put_call w m (with_result c Timed_out))
| O_reply : forall w m c,
    get m (calls w) = Some c -> meeting c = Answered -> result c = None ->
    ostep w (Outcome m) (put_call w m (with_result c Replied))
| O_terminated : forall w m c,
    get m (calls w) = Some c -> meeting c = Dropped -> result c = None ->
    ostep w (Outcome m) (put_call w m (with_result c Terminated)).

Inductive orun : office -> list olabel -> office -> Prop :=
| Orun_nil : forall w, orun w [] w
| Orun_cons : forall w l v ls u, ostep w l v -> orun v ls u -> orun w (l :: ls) u.

Definition oreachable (w : office) : Prop := exists ls, orun empty_office ls w.

Lemma oreachable_ind : forall P : office -> Prop,
  P empty_office -> (forall w l v, oreachable w -> P w -> ostep w l v -> P v) -> forall w, oreachable w -> P w.
Proof.
  intros P H0 Hs w [ls H].
  assert (Hsnoc : forall a ks b l c, orun a ks b -> ostep b l c -> orun a (ks ++ [l]) c).
  { intros a ks b l c Hr. induction Hr; simpl; intros; econstructor; eauto. constructor. }
  assert (G : forall a ks b, orun a ks b -> oreachable a -> P a -> P b).
  { induction 1; intros Hr HP; [assumption|].
    apply IHorun; [destruct Hr as [ms Hr]; exists (ms ++ [l]); eauto|eauto]. }
  eapply G; eauto. exists []. constructor.
Qed.

Lemma ostep_node : forall w l v, ostep w l v -> node_of v = node_of w \/ exists k, step (node_of w) k (node_of v).
Proof. intros w l v H. destruct H; simpl; eauto. Qed.

Theorem office_node : forall w, oreachable w -> reachable (node_of w).
Proof.
  apply (oreachable_ind (fun w => reachable (node_of w))).
  - exists []. constructor.
  - intros w l v _ IH Hs. destruct (ostep_node _ _ _ Hs) as [->|[k Hk]]; eauto using reachable_step.
Qed.

(** ** Where messages end *)

Lemma cstep_handled : forall c l c' e, cstep c l c' -> In e (handled c') ->
  In e (handled c) \/ (exists ok, l = Handle_end ok /\ In e (in_hand c)).
Proof.
  intros c l c' e Hs Hin. unfold in_hand. destruct Hs; simpl in *; auto;
    (destruct Hin as [<-|Hin]; [right; eexists; split; [reflexivity|]; rewrite flat_map_app; apply in_or_app; right; left; reflexivity|auto]).
Qed.

Lemma cstep_dead : forall c l c' e, cstep c l c' -> In e (dead c') -> In e (dead c) \/ l = Dead_letter e.
Proof. intros c l c' e Hs Hin. destruct Hs; simpl in *; auto; destruct Hin as [<-|Hin]; auto. Qed.

Lemma step_ends : forall s l t i A' m k, step s l t -> get i (actors t) = Some A' ->
  In (letter m k) (handled (mailbox A')) \/ In (letter m k) (dead (mailbox A')) ->
  (exists A, get i (actors s) = Some A /\ (In (letter m k) (handled (mailbox A)) \/ In (letter m k) (dead (mailbox A)))) \/
  consumes s l m.
Proof.
  intros s l t i A' m k Hs Hg Hin.
  destruct (step_mailbox _ _ _ _ _ Hs Hg) as [[_ Hn]|(A & HA & Hm)].
  { rewrite Hn in Hin. simpl in Hin. intuition. }
  destruct Hs; simpl in Hg; look Hg; same_value; simpl in Hin;
    try (left; eexists; split; eassumption);
    try (match goal with G : signalled _ _ _ _ |- _ => destruct G as [c' G|G]; [|left; eexists; split; eassumption] end);
    try (match goal with G : cstep _ _ _ |- _ =>
      destruct Hin as [Hin|Hin];
      [destruct (cstep_handled _ _ _ _ G Hin) as [?|(ok & E & ?)]; [left; eexists; split; [eassumption|auto]|]
      |destruct (cstep_dead _ _ _ _ G Hin) as [?|E]; [left; eexists; split; [eassumption|auto]|]];
      try discriminate E; subst; right; simpl; eauto end; fail);
    try (destruct k0; simpl in Hin; intuition).
Qed.

(** ** The books of one call *)

Record kept (w : office) (m : id) (c : call) : Prop := {
  kept_sent : exists k,
    get m (sends (node_of w)) = Some (Trying (callee c) k) \/
    (exists ok, get m (sends (node_of w)) = Some (Decided (callee c) k ok)) \/
    (exists ok, get m (sends (node_of w)) = Some (Done (callee c) k ok));
  kept_refused : forall i k, right c = In_message ->
    get m (sends (node_of w)) <> Some (Decided i k false) /\ get m (sends (node_of w)) <> Some (Done i k false);
  kept_inside : right c = In_message -> forall i A k, get i (actors (node_of w)) = Some A ->
    ~ (In (letter m k) (handled (mailbox A)) \/ In (letter m k) (dead (mailbox A)));
  kept_used : right c = Used_up -> meeting c <> Waiting
}.

Definition orderly (w : office) : Prop := forall m c, get m (calls w) = Some c -> kept w m c.

Lemma kept_sent_step : forall s l t m i, step s l t ->
  (exists k, get m (sends s) = Some (Trying i k) \/ (exists ok, get m (sends s) = Some (Decided i k ok)) \/
             (exists ok, get m (sends s) = Some (Done i k ok))) ->
  (exists k, get m (sends t) = Some (Trying i k) \/ (exists ok, get m (sends t) = Some (Decided i k ok)) \/
             (exists ok, get m (sends t) = Some (Done i k ok))).
Proof.
  intros s l t m i Hs (k & H). exists k.
  destruct (step_send _ _ _ m Hs) as
    [E|[(i0 & k0 & A0 & E0 & E1 & E)|[(i0 & k0 & E1 & E0 & E)|[(i0 & k0 & E0 & E)|(i0 & k0 & ok0 & E0 & E)]]]];
    [rewrite E; assumption|..]; destruct H as [H|[[ok H]|[ok H]]]; rewrite H in E0; try discriminate;
    injection E0; intros; subst; eauto.
Qed.

Lemma refused_step : forall s l t m i k, step s l t ->
  get m (sends t) = Some (Decided i k false) \/ get m (sends t) = Some (Done i k false) ->
  get m (sends s) = Some (Decided i k false) \/ get m (sends s) = Some (Done i k false) \/ l = Refuse m \/ l = Refuse_full m.
Proof.
  intros s l t m i k Hs H.
  destruct Hs; simpl in H; auto;
    try (match type of H with context [get m (put ?n _ _)] => destruct (Pos.eq_dec m n) as [E|E];
      [subst n; rewrite get_put_same in H | rewrite get_put_other in H by assumption; destruct H; auto] end);
    destruct H as [H|H]; try discriminate; auto; injection H; intros; subst; auto.
Qed.

(** A step of the node keeps the books of a call whose message it does not end. *)
Lemma kept_step : forall w l s m c, step (node_of w) l s -> kept w m c ->
  (right c = In_message -> ~ consumes (node_of w) l m) -> kept (with_node w s) m c.
Proof.
  intros w l s m c Hs [K1 K2 K3 K4] Hc. split; simpl; auto.
  - eapply kept_sent_step; eauto.
  - intros i k E. specialize (K2 i k E). destruct K2 as [N1 N2].
    split; intros F; destruct (refused_step _ _ _ m i k Hs) as [?|[?|[G|G]]]; auto; subst l; apply (Hc E); simpl; auto.
  - intros E i A k HA Hin. destruct (step_ends _ _ _ _ _ _ _ Hs HA Hin) as [(B & HB & Hb)|G]; [exact (K3 E _ _ _ HB Hb)|exact (Hc E G)].
Qed.

Lemma kept_elsewhere : forall w n q m c, kept w m c -> kept (put_call w n q) m c.
Proof. intros w n q m c []. split; simpl; auto. Qed.

Lemma orderly_put : forall w m c q, orderly w -> get m (calls w) = Some c -> kept w m q -> orderly (put_call w m q).
Proof.
  intros w m c q O Hm K n x Hx. simpl in Hx. apply kept_elsewhere.
  destruct (Pos.eq_dec n m) as [->|Hne]; [rewrite get_put_same in Hx; injection Hx as <-; assumption|].
  rewrite get_put_other in Hx by assumption. auto.
Qed.

(** At most one message is in hand, and a dead letter is one message. *)
Lemma consumes_one : forall s l m n, reachable s -> consumes s l m -> consumes s l n -> m = n.
Proof.
  intros s l m n Hr Hm Hn. destruct l as [| | |i cl| | | | | | | | | | | | | | | | | |]; simpl in *; try contradiction; try congruence.
  destruct cl; simpl in *; try contradiction.
  - destruct Hm as (A & k & HA & H1), Hn as (B & q & HB & H2). assert (B = A) by congruence. subst B.
    destruct (handler_exclusion _ _ _ Hr HA) as [Hl _]. unfold in_hand in *.
    destruct (activations (mailbox A)) as [|h [|]]; simpl in *; [contradiction| |lia].
    rewrite app_nil_r in *. destruct h; simpl in *; try contradiction.
    destruct H1 as [H1|[]], H2 as [H2|[]]. unfold letter in *. congruence.
  - congruence.
Qed.

(** The step that ends [m]'s message keeps the books of all other calls. *)
Lemma orderly_consume : forall w l s m c q, reachable (node_of w) -> orderly w -> step (node_of w) l s ->
  get m (calls w) = Some c -> consumes (node_of w) l m -> right q <> In_message -> callee q = callee c ->
  (right q = Used_up -> meeting q <> Waiting) -> orderly (put_call (with_node w s) m q).
Proof.
  intros w l s m c q Hr O Hs Hm Hc Hq Hcal Hu n x Hx. simpl in Hx. apply (kept_elsewhere (with_node w s)).
  destruct (Pos.eq_dec n m) as [->|Hne].
  - rewrite get_put_same in Hx. injection Hx as <-. destruct (O _ _ Hm) as [K1 K2 K3 K4].
    split; simpl; try congruence; auto. rewrite Hcal. eapply kept_sent_step; eauto.
  - rewrite get_put_other in Hx by assumption. eapply kept_step; eauto.
    intros _ Hn. apply Hne. eapply consumes_one; eauto.
Qed.

Lemma settle_settles : forall m o, o <> Waiting -> settle m o <> Waiting.
Proof. intros [] o H; simpl; congruence. Qed.

Theorem orderly_always : forall w, oreachable w -> orderly w.
Proof.
  apply (oreachable_ind orderly).
  - intros m c H. simpl in H. rewrite Map.gempty in H. discriminate.
  - intros w l v Hr O Hs. pose proof (office_node _ Hr) as Hn. destruct Hs.
    + intros m c Hm. simpl in Hm. eapply kept_step; eauto.
    + (* a call begins *)
      intros n x Hx. simpl in Hx. apply (kept_elsewhere (with_node w s)). destruct (Pos.eq_dec n m) as [->|Hne].
      * rewrite get_put_same in Hx. injection Hx as <-. inversion H0; subst. split; simpl.
        { exists k. rewrite get_put_same. auto. }
        { intros j q _. rewrite get_put_same. split; discriminate. }
        { intros _ j B q HB Hin. simpl in HB.
          assert (Hacc : In (letter m q) (accepted (mailbox B))).
          { apply (whereabouts_accepted _ _ _ _ Hn HB). unfold whereabouts. rewrite !in_app_iff, <- !in_rev. tauto. }
          destruct (accepted_was_sent _ (books_kept _ Hn) _ _ _ _ HB Hacc); congruence. }
        { discriminate. }
      * rewrite get_put_other in Hx by assumption. eapply kept_step; eauto.
    + eapply orderly_put; eauto. destruct (O _ _ H). split; simpl; auto; discriminate.
    + eapply orderly_consume; eauto; simpl; [discriminate|]. intros _. apply settle_settles. discriminate.
    + eapply orderly_consume; eauto; simpl; try discriminate. destruct H2 as [->| ->]; reflexivity.
    + eapply orderly_consume; eauto; simpl; try discriminate. reflexivity.
    + eapply orderly_put; eauto. destruct (O _ _ H). split; simpl; auto; try discriminate. intros _. apply settle_settles. discriminate.
    + eapply orderly_put; eauto. destruct (O _ _ H). split; simpl; auto; try discriminate. intros _. apply settle_settles. discriminate.
    + eapply orderly_put; eauto. destruct (O _ _ H). split; simpl; auto. discriminate.
    + eapply orderly_put; eauto. destruct (O _ _ H). split; simpl; auto. discriminate.
    + eapply orderly_put; eauto. destruct (O _ _ H). split; simpl; auto. discriminate.
Qed.

(** ** call-outcome *)

Lemma ostep_result : forall w l v m c o, ostep w l v -> get m (calls w) = Some c -> result c = Some o -> meeting c = Taken ->
  exists d, get m (calls v) = Some d /\ result d = Some o /\ meeting d = Taken.
Proof.
  intros w l v m c o Hs Hm Ho Ht.
  assert (Hput : forall n q, (n = m -> result q = Some o /\ meeting q = Taken) ->
            exists d, get m (put n q (calls w)) = Some d /\ result d = Some o /\ meeting d = Taken).
  { intros n q Hq. destruct (Pos.eq_dec m n) as [->|Hne]; [rewrite get_put_same; eexists; split; [reflexivity|auto]|].
    rewrite get_put_other by assumption. eauto. }
  destruct Hs; simpl; eauto; apply Hput; intros ->; try (assert (c0 = c) by congruence; subst c0); try congruence;
    simpl; rewrite ?Ht; simpl; auto; congruence.
Qed.

(** An outcome is never taken back, and no other follows: each call has at most one. *)
Theorem call_outcome_once : forall w ls v m c o, orun w ls v -> get m (calls w) = Some c -> result c = Some o -> meeting c = Taken ->
  exists d, get m (calls v) = Some d /\ result d = Some o.
Proof.
  intros w ls v m c o Hrun. revert c. induction Hrun; intros c Hm Ho Ht; [eauto|].
  destruct (ostep_result _ _ _ _ _ _ H Hm Ho Ht) as (d & Hd & Hod & Htd). eauto.
Qed.

Theorem call_outcome_taken : forall w m c o, oreachable w -> get m (calls w) = Some c -> result c = Some o -> meeting c = Taken.
Proof.
  assert (G : forall w, oreachable w -> forall m c o, get m (calls w) = Some c -> result c = Some o -> meeting c = Taken).
  { apply (oreachable_ind (fun w => forall m c o, get m (calls w) = Some c -> result c = Some o -> meeting c = Taken)).
    - intros m c o H. simpl in H. rewrite Map.gempty in H. discriminate.
    - intros w l v _ IH Hs m c o Hm Ho. destruct Hs; simpl in Hm; eauto;
        (match type of Hm with get m (put ?n _ _) = _ => destruct (Pos.eq_dec m n) as [->|Hne];
           [rewrite get_put_same in Hm; injection Hm as <- | rewrite get_put_other in Hm by assumption; eauto] end);
        simpl in *; try discriminate; try reflexivity;
        try (match goal with G : get _ (calls w) = Some ?x |- _ => pose proof (IH _ _ _ G Ho) as E; rewrite ?E; auto end). }
  intros. eapply G; eauto.
Qed.

(** An answer is given at most once: by then the right to give it is used up. *)
Theorem call_outcome_one_answer : forall w m v ls u, ostep w (Answer m) v -> orun v ls u -> ~ exists x, ostep u (Answer m) x.
Proof.
  intros w m v ls u Hs Hrun [x Hx].
  assert (Hu : exists d, get m (calls u) = Some d /\ right d = Used_up).
  { assert (Hv : exists d, get m (calls v) = Some d /\ right d = Used_up).
    { inversion Hs; subst. simpl. eexists. rewrite get_put_same. split; reflexivity. }
    clear Hs Hx. induction Hrun; [assumption|]. apply IHHrun. destruct Hv as (d & Hd & Hr).
    assert (Hput : forall n q, (n = m -> right q = Used_up) -> exists d, get m (put n q (calls w0)) = Some d /\ right d = Used_up).
    { intros n q Hq. destruct (Pos.eq_dec m n) as [->|Hne]; [rewrite get_put_same; eauto|rewrite get_put_other by assumption; eauto]. }
    destruct H; simpl; eauto; apply Hput; intros ->; simpl; congruence. }
  destruct Hu as (d & Hd & Hr). inversion Hx; subst. congruence.
Qed.

(** When everything is settled, a call either has what its caller waits for, or its reply is in somebody's hands:
    none is left in a mailbox or lost with an actor that has ended. *)
Theorem call_outcome_told : forall w m c, oreachable w -> settled (node_of w) -> get m (calls w) = Some c ->
  meeting c <> Waiting \/ right c = Held.
Proof.
  intros w m c Hr Hset Hm. pose proof (office_node _ Hr) as Hn. destruct (orderly_always _ Hr _ _ Hm) as [K1 K2 K3 K4].
  destruct (right c) eqn:E; auto. exfalso.
  destruct K1 as [k K1]. destruct (proj2 Hset m) with (p := match get m (sends (node_of w)) with Some p => p | None => Trying m k end) as (i & q & ok & Hd).
  { destruct K1 as [H|[[o H]|[o H]]]; rewrite H; reflexivity. }
  destruct K1 as [H|[[o H]|[o H]]]; rewrite H in Hd; try discriminate.
  injection Hd as <- <- ->. destruct ok.
  - destruct (sent_was_accepted _ (books_kept _ Hn) m (callee c) k) as (A & HA & Hin); [right; assumption|].
    apply (K3 eq_refl _ _ k HA). destruct (wake_up _ _ _ Hn Hset HA _ Hin) as [Hh|[Hd _]]; auto.
  - destruct (K2 (callee c) k eq_refl) as [_ N]. congruence.
Qed.

(** ** deadlock-refusal *)

(** Who waits for whom: a caller, and its callee. *)
Definition waits_for (l : list (id * id)) (a b : id) : Prop := In (a, b) l.

(** [a] waits for [b], directly or through others. *)
Definition reaches (l : list (id * id)) : id -> id -> Prop := clos_refl_trans_1n _ (waits_for l).

Inductive waits_step : list (id * id) -> list (id * id) -> Prop :=
| Enter : forall l caller callee,
    (* under the lock: the callee does not wait for the caller *)
    ~ reaches l callee caller -> waits_step l ((caller, callee) :: l)
| Leave : forall a x b, waits_step (a ++ x :: b) (a ++ b).

Inductive waits_reachable : list (id * id) -> Prop :=
| Nobody_waits : waits_reachable []
| Waits_step : forall l k, waits_reachable l -> waits_step l k -> waits_reachable k.

Lemma reaches_weaken : forall l k a b, incl l k -> reaches l a b -> reaches k a b.
Proof.
  intros l k a b Hi H. induction H as [x|x y z Hxy Hyz IH]; [constructor|].
  econstructor; [apply Hi; exact Hxy|exact IH].
Qed.

Lemma reaches_trans : forall l a b c, reaches l a b -> reaches l b c -> reaches l a c.
Proof. intros l a b c H. induction H; auto. intros G. econstructor; eauto. apply IHclos_refl_trans_1n. assumption. Qed.

(** A way along the longer list either uses the new entry or is one along the old. *)
Lemma reaches_cons : forall l c d a b, reaches ((c, d) :: l) a b -> reaches l a b \/ (reaches l a c /\ reaches l d b) \/
  (reaches l a c /\ reaches l d c).
Proof.
  intros l c d a b H. induction H as [x|x y z Hxy Hyz IH]; [left; constructor|].
  destruct Hxy as [E|Hxy].
  - injection E as <- <-. destruct IH as [IH|[[IH1 IH2]|[IH1 IH2]]].
    + right. left. split; [constructor|assumption].
    + right. right. split; [constructor|assumption].
    + right. right. split; [constructor|assumption].
  - destruct IH as [IH|[[IH1 IH2]|[IH1 IH2]]].
    + left. econstructor; eauto.
    + right. left. split; [econstructor; eauto|assumption].
    + right. right. split; [econstructor; eauto|assumption].
Qed.

(** There never is a cycle of waiting callers: no actor waits for one that waits for it, however long the chain. So of the
    calls that would close one together, at least one is refused. *)
Theorem deadlock_refusal : forall l, waits_reachable l -> forall a b, waits_for l a b -> ~ reaches l b a.
Proof.
  intros l H. induction H as [|l k H IH Hs]; [intros a b []|]. intros a b Hab Hba. destruct Hs as [l c d Hno|l1 x l2].
  - destruct (reaches_cons _ _ _ _ _ Hba) as [G|[[G1 G2]|[G1 G2]]].
    + destruct Hab as [E|Hab]; [injection E as -> ->; contradiction|]. exact (IH _ _ Hab G).
    + destruct Hab as [E|Hab]; [injection E as -> ->; contradiction|].
      apply Hno. eapply reaches_trans; [exact G2|]. econstructor; [exact Hab|exact G1].
    + contradiction.
  - assert (Hi : incl (l1 ++ l2) (l1 ++ x :: l2)).
    { intros y Hy. apply in_or_app. apply in_app_or in Hy as [Hy|Hy]; simpl; auto. }
    exact (IH a b (Hi _ Hab) (reaches_weaken _ _ _ _ Hi Hba)).
Qed.
