(** * Monitors: each is told once

    A monitor is a request: tell me when that actor has ended. It has an edge on each side: the watcher knows that
    it watches, the target knows that it is watched. The target turns its edges over when it has been
    reported as ended: from then on each of them is _due_, and so is one that arrives later. A due monitor is
    told by a notice in its watcher's mailbox. When the watcher comes across the notice, its own edge must still be
    there, and is used up; a notice whose edge is gone is not delivered. So a monitor that was cut (the watcher took
    it back, or has ended itself) stays cut, even if its notice is already on its way.

    Everything races here: placing a monitor with the end of the target, cutting with telling, telling with the end of the
    watcher. Proved are: no monitor is told twice; none before its target was reported as ended; and when everything
    is settled, each monitor of an ended actor was told, unless it was cut or its watcher is closed.

    A [world] is a node with its monitors. It takes the steps of the node, and a few of its own; so all that is proved of
    nodes holds of the node in every world. *)

From Coq Require Import List PArith FMapPositive Arith Lia.
From Antiphon Require Import Model Invariants Nodes Safety Tree Ownership Liveness.
Import ListNotations.

(** ** The model *)

(** What became of the watcher's edge. *)
Inductive own_edge := Watching | Told | Cut_off | Watcher_gone.

(** What became of the target's. *)
Inductive their_edge :=
| Placing            (* not there yet *)
| Watched
| Due                (* turned over, or came too late: to be told *)
| Posted (ok : bool) (* the notice was accepted; or refused, because the watcher is closed *)
| Removed.           (* cut before it was due *)

Record monitor := Monitor { watcher : id; target : id; own : own_edge; their : their_edge }.

Definition with_own (r : monitor) (o : own_edge) : monitor := Monitor (watcher r) (target r) o (their r).
Definition with_their (r : monitor) (e : their_edge) : monitor := Monitor (watcher r) (target r) (own r) e.

(** [turned] are the actors that have turned their edges over. *)
Record world := World { base : node; turned : list id; listed : list id; monitors : Map.t monitor }.

Definition empty_world : world := World empty_node [] [] (Map.empty _).

(** When [i] turns its edges over: those that watch it are due, those by which it watches are gone. *)
Definition turn_edge (i : id) (r : monitor) : monitor :=
  Monitor (watcher r) (target r)
    (if Pos.eqb (watcher r) i then match own r with Watching => Watcher_gone | o => o end else own r)
    (if Pos.eqb (target r) i then match their r with Watched => Due | e => e end else their r).

Definition put_monitor (w : world) (n : id) (r : monitor) : world :=
  World (base w) (turned w) (listed w) (put n r (monitors w)).
Definition with_base (w : world) (s : node) : world := World s (turned w) (listed w) (monitors w).

Inductive wlabel :=
| Base (l : label)                  (* a step of the node *)
| Place (n watcher target : id)     (* the watcher's edge *)
| Arrive (n : id)                   (* the target's edge, or it is due at once *)
| Turn_over (i : id)
| Post (n : id) (k : class) (ok : bool)
| Hear (n : id) (told : bool)       (* the watcher comes across the notice: it is told, or it is too late *)
| Cut (n : id)                      (* the watcher takes it back *)
| Cut_end (n : id).                 (* and removes the target's edge, if it is still there *)

(** The steps of the node that have nothing to do with notices. *)
Definition plain (l : label) : Prop :=
  match l with
  | Notify _ _ _ => False
  | Mailbox _ (Handle_begin e) => match what e with Notice _ => False | _ => True end
  | _ => True
  end.

Inductive wstep : world -> wlabel -> world -> Prop :=
| W_base : forall w l s, plain l -> step (base w) l s -> wstep w (Base l) (with_base w s)
| W_place : forall w n i t A B,
    get n (monitors w) = None -> get i (actors (base w)) = Some A -> get t (actors (base w)) = Some B ->
    reported A = false -> (* whoever monitors is running *)
    wstep w (Place n i t)
      (World (base w) (turned w) (n :: listed w) (put n (Monitor i t Watching Placing) (monitors w)))
| W_arrive : forall w n r,
    get n (monitors w) = Some r -> their r = Placing -> ~ In (target r) (turned w) ->
    wstep w (Arrive n) (put_monitor w n (with_their r Watched))
| W_arrive_late : forall w n r,
    get n (monitors w) = Some r -> their r = Placing -> In (target r) (turned w) ->
    wstep w (Arrive n) (put_monitor w n (with_their r Due))
| W_turn_over : forall w i A,
    get i (actors (base w)) = Some A -> reported A = true -> ~ In i (turned w) ->
    wstep w (Turn_over i) (World (base w) (i :: turned w) (listed w) (Map.map (turn_edge i) (monitors w)))
| W_post : forall w n r k s,
    get n (monitors w) = Some r -> their r = Due -> step (base w) (Notify (watcher r) n k) s ->
    wstep w (Post n k true) (put_monitor (with_base w s) n (with_their r (Posted true)))
| W_post_refused : forall w n r k A,
    get n (monitors w) = Some r -> their r = Due ->
    get (watcher r) (actors (base w)) = Some A -> inbox (mailbox A) = Closed ->
    wstep w (Post n k false) (put_monitor w n (with_their r (Posted false)))
| W_hear : forall w n r k s,
    get n (monitors w) = Some r -> own r = Watching ->
    step (base w) (Mailbox (watcher r) (Handle_begin (Envelope (Notice n) k))) s ->
    wstep w (Hear n true) (put_monitor (with_base w s) n (with_own r Told))
| W_hear_late : forall w n r k s,
    get n (monitors w) = Some r -> own r <> Watching ->
    step (base w) (Mailbox (watcher r) (Handle_begin (Envelope (Notice n) k))) s ->
    wstep w (Hear n false) (with_base w s)
| W_cut : forall w n r,
    get n (monitors w) = Some r -> own r = Watching ->
    wstep w (Cut n) (put_monitor w n (with_own r Cut_off))
| W_cut_end : forall w n r,
    get n (monitors w) = Some r -> own r = Cut_off \/ own r = Watcher_gone -> their r = Watched ->
    wstep w (Cut_end n) (put_monitor w n (with_their r Removed)).

Inductive wrun : world -> list wlabel -> world -> Prop :=
| Wrun_nil : forall w, wrun w [] w
| Wrun_cons : forall w l v ls u, wstep w l v -> wrun v ls u -> wrun w (l :: ls) u.

Definition wreachable (w : world) : Prop := exists ls, wrun empty_world ls w.

Lemma wreachable_ind : forall P : world -> Prop,
  P empty_world -> (forall w l v, wreachable w -> P w -> wstep w l v -> P v) -> forall w, wreachable w -> P w.
Proof.
  intros P H0 Hs w [ls H].
  assert (Hsnoc : forall a ks b l c, wrun a ks b -> wstep b l c -> wrun a (ks ++ [l]) c).
  { intros a ks b l c Hr. induction Hr; simpl; intros; econstructor; eauto. constructor. }
  assert (G : forall a ks b, wrun a ks b -> wreachable a -> P a -> P b).
  { induction 1; intros Hr HP; [assumption|].
    apply IHwrun; [destruct Hr as [ms Hr]; exists (ms ++ [l]); eauto|eauto]. }
  eapply G; eauto. exists []. constructor.
Qed.

(** ** The node in a world is a reachable node: it has all that is proved of nodes. *)

Lemma wstep_base : forall w l v, wstep w l v -> base v = base w \/ exists k, step (base w) k (base v).
Proof. intros w l v H. destruct H; simpl; eauto. Qed.

Theorem world_base : forall w, wreachable w -> reachable (base w).
Proof.
  apply (wreachable_ind (fun w => reachable (base w))).
  - exists []. constructor.
  - intros w l v _ IH Hs. destruct (wstep_base _ _ _ Hs) as [->|[k Hk]]; eauto using reachable_step.
Qed.

(** ** Notices in mailboxes *)

Definition notice (n : id) (k : class) : envelope := Envelope (Notice n) k.

(** Only [Notify] brings a notice into a mailbox. *)
Lemma step_notices : forall s l t i A' n k, step s l t -> get i (actors t) = Some A' ->
  In (notice n k) (accepted (mailbox A')) ->
  (exists A, get i (actors s) = Some A /\ In (notice n k) (accepted (mailbox A))) \/ l = Notify i n k.
Proof.
  intros s l t i A' n k Hs Hg Hin.
  assert (Hsig : forall c sg q c', signalled c sg q c' -> In (notice n k) (accepted c') -> In (notice n k) (accepted c)).
  { intros c sg q c' H Hi. destruct H as [c' H|H]; [|assumption]. apply cstep_accepted in H. rewrite H in Hi.
    destruct Hi as [Hi|Hi]; [discriminate|assumption]. }
  destruct Hs; simpl in Hg; look Hg; same_value; simpl in Hin; eauto;
    try (match goal with G : signalled _ _ _ _ |- _ => left; eexists; split; [eassumption|]; eapply Hsig; eauto end; fail);
    try (destruct k0; destruct Hin).
  - match goal with G : cstep _ ?q _ |- _ => apply cstep_accepted in G; destruct q; simpl in *; try contradiction;
      rewrite G in Hin; eauto end.
  - match goal with G : cstep _ _ _ |- _ => apply cstep_accepted in G; rewrite G in Hin end.
    destruct Hin as [Hin|Hin]; [discriminate|eauto].
  - match goal with G : cstep _ _ _ |- _ => apply cstep_accepted in G; rewrite G in Hin end.
    destruct Hin as [Hin|Hin]; [|eauto]. injection Hin as -> ->. auto.
  - match goal with G : cstep _ _ _ |- _ => apply cstep_accepted in G; rewrite G in Hin end. eauto.
Qed.

Lemma step_keeps_accepted : forall s l t i A e, step s l t -> get i (actors s) = Some A -> In e (accepted (mailbox A)) ->
  exists A', get i (actors t) = Some A' /\ In e (accepted (mailbox A')).
Proof.
  intros s l t i A e Hs Hg Hin. destruct (step_mailbox_forward _ _ _ _ _ Hs Hg) as (A' & HA' & Hm).
  destruct (moves_accepted _ _ Hm) as [more E]. exists A'. split; [assumption|]. rewrite E. apply in_or_app. auto.
Qed.

(** What the holder has come across. *)
Definition heard (c : core) : list envelope := handled c ++ in_hand c.

Lemma cstep_heard : forall c l c' e, cstep c l c' -> In e (heard c') -> In e (heard c) \/ l = Handle_begin e.
Proof.
  intros c l c' e Hs Hin. unfold heard, in_hand in *.
  destruct Hs; simpl in *; rewrite ?flat_map_app in *; simpl in *; rewrite ?in_app_iff in *; simpl in *;
    rewrite ?in_app_iff in *; intuition (subst; auto).
Qed.

Lemma step_heard : forall s l t i A' e, step s l t -> get i (actors t) = Some A' -> In e (heard (mailbox A')) ->
  (exists A, get i (actors s) = Some A /\ In e (heard (mailbox A))) \/ l = Mailbox i (Handle_begin e).
Proof.
  intros s l t i A' e Hs Hg Hin.
  assert (Hsig : forall c sg q c', signalled c sg q c' -> In e (heard c') -> In e (heard c)).
  { intros c sg q c' H Hi. destruct H as [c' H|H]; [|assumption].
    destruct (cstep_heard _ _ _ _ H Hi); [assumption|discriminate]. }
  destruct Hs; simpl in Hg; look Hg; same_value; simpl in Hin; eauto;
    try (match goal with G : signalled _ _ _ _ |- _ => left; eexists; split; [eassumption|]; eapply Hsig; eauto end; fail);
    try (match goal with G : cstep _ _ _ |- _ =>
           destruct (cstep_heard _ _ _ _ G Hin) as [?|E]; [eauto|try discriminate E; injection E as ->; auto] end; fail);
    try (destruct k; destruct Hin).
  match goal with G : cstep _ _ _ |- _ => destruct (cstep_heard _ _ _ _ G Hin) as [?|E]; [eauto|subst; auto] end.
Qed.

(** ** The books of one monitor *)

Record kept (w : world) (n : id) (r : monitor) : Prop := {
  kept_watcher : exists A, get (watcher r) (actors (base w)) = Some A;
  kept_target : exists A, get (target r) (actors (base w)) = Some A;
  kept_due : their r = Due \/ (exists ok, their r = Posted ok) -> In (target r) (turned w);
  kept_watched : their r = Watched -> ~ In (target r) (turned w);
  kept_posted : their r = Posted true -> exists A k,
    get (watcher r) (actors (base w)) = Some A /\ In (notice n k) (accepted (mailbox A));
  kept_refused : their r = Posted false -> exists A,
    get (watcher r) (actors (base w)) = Some A /\ inbox (mailbox A) = Closed;
  kept_removed : their r = Removed -> own r = Cut_off \/ own r = Watcher_gone;
  kept_gone : own r = Watcher_gone -> In (watcher r) (turned w);
  kept_heard : forall i A k, get i (actors (base w)) = Some A -> In (notice n k) (heard (mailbox A)) -> own r <> Watching
}.

Record ordered (w : world) : Prop := {
  ordered_turned : forall i, In i (turned w) -> exists A, get i (actors (base w)) = Some A /\ reported A = true;
  ordered_listed : forall n, In n (listed w) <-> exists r, get n (monitors w) = Some r;
  ordered_notice : forall i A n k, get i (actors (base w)) = Some A -> In (notice n k) (accepted (mailbox A)) ->
    exists r, get n (monitors w) = Some r /\ watcher r = i /\ their r = Posted true;
  ordered_kept : forall n r, get n (monitors w) = Some r -> kept w n r
}.

Lemma step_reported : forall s l t i A, reachable s -> step s l t -> get i (actors s) = Some A -> reported A = true ->
  exists A', get i (actors t) = Some A' /\ reported A' = true.
Proof.
  intros s l t i A Hr Hs Hg Hrep. destruct (step_keeps _ _ _ _ _ Hs Hg) as [A' HA']. exists A'. split; [assumption|].
  destruct (step_turn _ _ _ _ _ (tree_kept _ Hr) Hs HA') as [[H _]|(B & HB & Ht)]; [congruence|].
  assert (B = A) by congruence. subst B. eauto using turn_reported.
Qed.

Lemma step_closed : forall s l t i A, reachable s -> step s l t -> get i (actors s) = Some A -> inbox (mailbox A) = Closed ->
  exists A', get i (actors t) = Some A' /\ inbox (mailbox A') = Closed.
Proof.
  intros s l t i A Hr Hs Hg Hc.
  destruct (closed_for_ever s [l] t) with (i := i) (A := A) as (B & HB & Hb & _); auto.
  - econstructor; eauto. constructor.
  - eauto.
Qed.

(** A step of the node keeps the books of a monitor, unless it is the one that brings or takes its own notice. *)
Lemma kept_base : forall w s l n r, reachable (base w) -> step (base w) l s -> kept w n r ->
  (forall i k, l = Mailbox i (Handle_begin (notice n k)) -> own r <> Watching) ->
  kept (with_base w s) n r.
Proof.
  intros w s l n r Hr Hs K Hh. destruct K as [K1 K2 K3 K4 K5 K6 K7 K8 K9]. split; simpl; auto.
  - destruct K1 as [A HA]. eauto using step_keeps.
  - destruct K2 as [A HA]. eauto using step_keeps.
  - intros E. destruct (K5 E) as (A & k & HA & Hin). destruct (step_keeps_accepted _ _ _ _ _ _ Hs HA Hin) as (A' & ? & ?). eauto.
  - intros E. destruct (K6 E) as (A & HA & Hc). eapply step_closed; eauto.
  - intros i A k HA Hin. destruct (step_heard _ _ _ _ _ _ Hs HA Hin) as [(B & HB & Hb)|E]; eauto.
Qed.

(** Changing one monitor leaves the books of the others. *)
Lemma kept_other : forall w m q n r, kept w n r -> kept (put_monitor w m q) n r.
Proof. intros w m q n r []. split; simpl; auto. Qed.

Lemma get_map : forall i n (m : Map.t monitor), get n (Map.map (turn_edge i) m) = option_map (turn_edge i) (get n m).
Proof. intros. unfold Map.map. rewrite Map.gmapi. reflexivity. Qed.

Lemma ordered_monitor : forall w n r q, ordered w -> get n (monitors w) = Some r ->
  watcher q = watcher r -> (their r = Posted true -> their q = Posted true) -> kept (put_monitor w n q) n q ->
  ordered (put_monitor w n q).
Proof.
  intros w n r q [O1 O2 O3 O4] Hn Ew Ep Hk. split; simpl; auto.
  - intros m. rewrite O2. destruct (Pos.eq_dec m n) as [->|Hne]; [rewrite get_put_same; split; eauto|].
    rewrite get_put_other by assumption. reflexivity.
  - intros i A m k HA Hin. destruct (O3 _ _ _ _ HA Hin) as (x & Hx & Hi & Hp).
    destruct (Pos.eq_dec m n) as [->|Hne]; [|exists x; rewrite get_put_other by assumption; auto].
    assert (x = r) by congruence. subst x. exists q. rewrite get_put_same. split; [reflexivity|]. split; [congruence|auto].
  - intros m x Hx. destruct (Pos.eq_dec m n) as [->|Hne].
    + rewrite get_put_same in Hx. injection Hx as <-. assumption.
    + rewrite get_put_other in Hx by assumption. apply kept_other. auto.
Qed.

Lemma ordered_base : forall w s l, reachable (base w) -> step (base w) l s -> ordered w ->
  (forall i n k, l <> Notify i n k) ->
  (forall i n k, l = Mailbox i (Handle_begin (notice n k)) -> exists r, get n (monitors w) = Some r /\ own r <> Watching) ->
  ordered (with_base w s).
Proof.
  intros w s l Hr Hs O Hn Hh. destruct O as [O1 O2 O3 O4]. split; simpl; auto.
  - intros i Hi. destruct (O1 _ Hi) as (A & HA & Hrep). eapply step_reported; eauto.
  - intros i A n k HA Hin. destruct (step_notices _ _ _ _ _ _ _ Hs HA Hin) as [(B & HB & Hb)|E]; [eauto|].
    exfalso. eapply Hn; eauto.
  - intros n r Hr'. eapply kept_base; eauto. intros i k E. destruct (Hh _ _ _ E) as (x & Hx & ?). congruence.
Qed.

Lemma kept_turn : forall w n r i q, kept w n r -> kept (World (base w) (i :: turned w) (listed w) q) n (turn_edge i r).
Proof.
  intros w n r i q [K1 K2 K3 K4 K5 K6 K7 K8 K9]. unfold turn_edge.
  destruct (Pos.eqb (target r) i) eqn:Et; [apply Pos.eqb_eq in Et|apply Pos.eqb_neq in Et];
    (destruct (Pos.eqb (watcher r) i) eqn:Ew; [apply Pos.eqb_eq in Ew|apply Pos.eqb_neq in Ew]);
    constructor; simpl.
  all: try exact K1. all: try exact K2. all: try exact K9.
  all: try (intros _; left; congruence). all: try (intros E; right; auto; fail).
  all: try (intros E [G|G]; [congruence|exact (K4 E G)]). all: try (destruct (their r); discriminate).
  all: try (intros E; apply K5; destruct (their r); congruence). all: try (intros E; apply K6; destruct (their r); congruence).
  all: try (intros E; assert (G : own r = Cut_off \/ own r = Watcher_gone) by (apply K7; destruct (their r); congruence);
            destruct G as [G|G]; rewrite G; auto).
  all: intros j C k HC Hin E; apply (K9 _ _ _ HC Hin); destruct (own r); congruence.
Qed.

Lemma wstep_ordered : forall w l v, reachable (base w) -> ordered w -> wstep w l v -> ordered v.
Proof.
  intros w l v Hr O Hs. pose proof O as O'. destruct O' as [O1 O2 O3 O4]. destruct Hs.
  - (* the node *)
    apply (ordered_base w s l); auto.
    + intros i n k ->. exact H.
    + intros i n k ->. exfalso. exact H.
  - (* placing *)
    split; simpl; auto.
    + intros m. split.
      * intros [<-|Hm]; [rewrite get_put_same; eauto|]. destruct (Pos.eq_dec m n) as [->|Hne]; [rewrite get_put_same; eauto|].
        rewrite get_put_other by assumption. apply O2. assumption.
      * intros [r Hm]. destruct (Pos.eq_dec m n) as [->|Hne]; [auto|]. rewrite get_put_other in Hm by assumption.
        right. apply O2. eauto.
    + intros j C m k HC Hin. destruct (O3 _ _ _ _ HC Hin) as (r & Hm & ?). exists r. split; [|assumption].
      rewrite get_put_other by congruence. assumption.
    + intros m r Hm. destruct (Pos.eq_dec m n) as [->|Hne].
      * rewrite get_put_same in Hm. injection Hm as <-. split; simpl; eauto; try discriminate; try (intros []; discriminate).
        { intros [E|[ok E]]; discriminate. }
        { intros j C k HC Hin _. unfold heard in Hin.
          assert (Hacc : In (notice n k) (accepted (mailbox C))).
          { apply (whereabouts_accepted _ _ _ _ Hr HC). unfold whereabouts. rewrite app_assoc. apply in_or_app. left.
            apply in_app_or in Hin as [Hin|Hin]; apply in_or_app; [left; apply in_rev in Hin|right]; assumption. }
          destruct (O3 _ _ _ _ HC Hacc) as (r & Hm & _). congruence. }
      * rewrite get_put_other in Hm by assumption. destruct (O4 _ _ Hm). split; simpl; auto.
  - (* arriving in time *)
    destruct (O4 _ _ H) as [K1 K2 K3 K4 K5 K6 K7 K8 K9].
    eapply ordered_monitor; eauto; simpl; [congruence|]. split; simpl; auto; try discriminate. intros [E|[ok E]]; discriminate.
  - destruct (O4 _ _ H) as [K1 K2 K3 K4 K5 K6 K7 K8 K9].
    eapply ordered_monitor; eauto; simpl; [congruence|]. split; simpl; auto; try discriminate.
  - (* turning over *)
    split; simpl.
    + intros j [<-|Hj]; eauto.
    + intros n. rewrite O2, get_map. split; intros [r Hn]; [rewrite Hn; simpl; eauto|].
      destruct (get n (monitors w)) as [q|]; [eauto|discriminate].
    + intros j C n k HC Hin. destruct (O3 _ _ _ _ HC Hin) as (r & Hn & Hi & Hp). exists (turn_edge i r).
      rewrite get_map, Hn. split; [reflexivity|]. simpl. rewrite Hp. split; [assumption|]. destruct (Pos.eqb (target r) i); reflexivity.
    + intros n q Hq. rewrite get_map in Hq. destruct (get n (monitors w)) as [r|] eqn:Hn; [|discriminate].
      injection Hq as <-. apply kept_turn. auto.
  - (* posting *)
    destruct (O4 _ _ H) as [K1 K2 K3 K4 K5 K6 K7 K8 K9].
    assert (Ko : forall m q, get m (monitors w) = Some q -> kept (with_base w s) m q).
    { intros m q Hm. eapply kept_base; eauto. discriminate. }
    split; simpl.
    + intros i Hi. destruct (O1 _ Hi) as (A & HA & Hrep). eapply step_reported; eauto.
    + intros m. rewrite O2. destruct (Pos.eq_dec m n) as [->|Hne]; [rewrite get_put_same; split; eauto|].
      rewrite get_put_other by assumption. reflexivity.
    + intros i A m q HA Hin. destruct (step_notices _ _ _ _ _ _ _ H1 HA Hin) as [(B & HB & Hb)|E].
      * destruct (O3 _ _ _ _ HB Hb) as (x & Hx & Hi & Hp). exists x. split; [|auto].
        rewrite get_put_other; [assumption|]. intros ->. congruence.
      * injection E as <- <- _. eexists. rewrite get_put_same. split; [reflexivity|]. auto.
    + intros m q Hm. destruct (Pos.eq_dec m n) as [->|Hne].
      * rewrite get_put_same in Hm. injection Hm as <-. apply (kept_other (with_base w s)).
        destruct (Ko _ _ H) as [L1 L2 L3 L4 L5 L6 L7 L8 L9].
        split; simpl; auto; try discriminate.
        intros _. inversion H1; subst. simpl. eexists. exists k. rewrite get_put_same. split; [reflexivity|]. simpl.
        match goal with G : cstep _ _ _ |- _ => apply cstep_accepted in G; rewrite G end. left. reflexivity.
      * rewrite get_put_other in Hm by assumption. apply (kept_other (with_base w s)). auto.
  - destruct (O4 _ _ H) as [K1 K2 K3 K4 K5 K6 K7 K8 K9].
    eapply ordered_monitor; eauto; simpl; [congruence|]. split; simpl; eauto; try discriminate.
  - (* told *)
    assert (Ko : forall m q, m <> n -> get m (monitors w) = Some q -> kept (with_base w s) m q).
    { intros m q Hne Hm. eapply kept_base; eauto. intros i q' E. injection E. congruence. }
    destruct (O4 _ _ H) as [K1 K2 K3 K4 K5 K6 K7 K8 K9].
    split; simpl.
    + intros i Hi. destruct (O1 _ Hi) as (A & HA & Hrep). eapply step_reported; eauto.
    + intros m. rewrite O2. destruct (Pos.eq_dec m n) as [->|Hne]; [rewrite get_put_same; split; eauto|].
      rewrite get_put_other by assumption. reflexivity.
    + intros i A m q HA Hin. destruct (step_notices _ _ _ _ _ _ _ H1 HA Hin) as [(B & HB & Hb)|E]; [|discriminate].
      destruct (O3 _ _ _ _ HB Hb) as (x & Hx & Hi & Hp). destruct (Pos.eq_dec m n) as [->|Hne].
      * eexists. rewrite get_put_same. split; [reflexivity|]. simpl. split; congruence.
      * exists x. rewrite get_put_other by assumption. auto.
    + intros m q Hm. destruct (Pos.eq_dec m n) as [->|Hne].
      * rewrite get_put_same in Hm. injection Hm as <-.
        assert (Kn : kept (with_base w s) n (with_own r Told)).
        { eapply kept_base; [exact Hr|exact H1| |intros; discriminate]. split; simpl; auto; try discriminate.
          intros E. specialize (K7 E). destruct K7; congruence. }
        apply (kept_other (with_base w s)). assumption.
      * rewrite get_put_other in Hm by assumption. apply (kept_other (with_base w s)). auto.
  - (* too late *)
    eapply ordered_base; eauto; [discriminate|]. intros i m q E. injection E as _ <- _. eauto.
  - (* cut *)
    destruct (O4 _ _ H) as [K1 K2 K3 K4 K5 K6 K7 K8 K9].
    eapply ordered_monitor; eauto. split; simpl; auto; try discriminate.
  - destruct (O4 _ _ H) as [K1 K2 K3 K4 K5 K6 K7 K8 K9].
    eapply ordered_monitor; eauto; simpl; [congruence|]. split; simpl; auto; try discriminate. intros [E|[ok E]]; discriminate.
Qed.

Theorem ordered_always : forall w, wreachable w -> ordered w.
Proof.
  apply (wreachable_ind ordered).
  - split; simpl; try (intros; rewrite Map.gempty in *; discriminate); [intros i []|].
    intros n. split; [intros []|]. intros [r H]. rewrite Map.gempty in H. discriminate.
  - intros w l v Hr O Hs. eapply wstep_ordered; eauto using world_base.
Qed.

(** ** monitor-once *)

Definition settled_own (o : own_edge) : bool := match o with Watching => false | _ => true end.

Lemma own_stays : forall w l v, wstep w l v -> forall n r, get n (monitors w) = Some r -> settled_own (own r) = true ->
  exists q, get n (monitors v) = Some q /\ settled_own (own q) = true.
Proof.
  intros w l v Hs n r Hn Ho.
  assert (Hput : forall m q, (m = n -> settled_own (own q) = true) -> exists x, get n (put m q (monitors w)) = Some x /\ settled_own (own x) = true).
  { intros m q Hq. destruct (Pos.eq_dec n m) as [->|Hne]; [rewrite get_put_same; eauto|rewrite get_put_other by assumption; eauto]. }
  destruct Hs; simpl; eauto;
    try (apply Hput; intros ->; simpl; congruence);
    try (apply Hput; intros ->; assert (r0 = r) by congruence; subst r0; simpl; try assumption; reflexivity).
  rewrite get_map, Hn. simpl. eexists. split; [reflexivity|]. simpl.
  destruct (Pos.eqb (watcher r) i); [|assumption]. destruct (own r); simpl in *; auto.
Qed.

(** No monitor is told twice. *)
Theorem monitor_once_at_most : forall w n v ls u, wstep w (Hear n true) v -> wrun v ls u ->
  ~ exists x, wstep u (Hear n true) x.
Proof.
  intros w n v ls u Hs Hrun [x Hx].
  assert (Hq : exists q, get n (monitors v) = Some q /\ settled_own (own q) = true).
  { inversion Hs; subst. simpl. eexists. rewrite get_put_same. split; reflexivity. }
  assert (Hu : exists q, get n (monitors u) = Some q /\ settled_own (own q) = true).
  { clear Hs Hx. induction Hrun; [assumption|]. apply IHHrun. destruct Hq as (q & Hq & Ho). eapply own_stays; eauto. }
  destruct Hu as (q & Hq' & Ho). inversion Hx; subst. assert (q = r) by congruence. subst q.
  match goal with G : own r = Watching |- _ => rewrite G in Ho end. discriminate.
Qed.

(** No monitor is told before its target was reported as ended. *)
Theorem monitor_once_after_end : forall w n v r, wreachable w -> wstep w (Hear n true) v -> get n (monitors w) = Some r ->
  exists A, get (target r) (actors (base w)) = Some A /\ reported A = true.
Proof.
  intros w n v r Hr Hs Hn. pose proof (ordered_always _ Hr) as O. pose proof (world_base _ Hr) as Hb.
  inversion Hs; subst. assert (r0 = r) by congruence. subst r0.
  match goal with G : step _ _ _ |- _ => inversion G; subst end.
  assert (Hin : In (notice n k) (accepted (mailbox A))).
  { apply (whereabouts_accepted _ _ _ _ Hb H4). unfold whereabouts. apply in_or_app. right. apply in_or_app. right.
    apply in_or_app. right. apply in_or_app. left.
    match goal with G : cstep _ _ _ |- _ => inversion G; subst end. simpl.
    match goal with G : taken_out _ _ _ |- _ => destruct G end. apply in_or_app. right. left. reflexivity. }
  destruct (ordered_notice _ O _ _ _ _ H4 Hin) as (q & Hq & _ & Hp). assert (q = r) by congruence. subst q.
  apply (ordered_turned _ O). apply (kept_due _ _ _ (ordered_kept _ O _ _ Hn)). eauto.
Qed.

(** Nothing is left to do for monitors: none is being placed, none is due, and who has ended has turned its edges over. *)
Definition monitors_settled (w : world) : Prop :=
  (forall n r, get n (monitors w) = Some r -> their r <> Placing /\ their r <> Due) /\
  (forall i A, get i (actors (base w)) = Some A -> reported A = true -> In i (turned w)).

(** When everything is settled, each monitor of an ended actor was told, unless it was cut or its watcher is closed. *)
Theorem monitor_once_told : forall w n r A, wreachable w -> settled (base w) -> monitors_settled w ->
  get n (monitors w) = Some r -> get (target r) (actors (base w)) = Some A -> reported A = true ->
  own r = Told \/ own r = Cut_off \/
  exists B, get (watcher r) (actors (base w)) = Some B /\ inbox (mailbox B) = Closed.
Proof.
  intros w n r A Hr Hset [Hm1 Hm2] Hn HA Hrep. pose proof (ordered_always _ Hr) as O. pose proof (world_base _ Hr) as Hb.
  destruct (ordered_kept _ O _ _ Hn) as [K1 K2 K3 K4 K5 K6 K7 K8 K9].
  assert (Hgone : own r = Watcher_gone -> exists B, get (watcher r) (actors (base w)) = Some B /\ inbox (mailbox B) = Closed).
  { intros E. destruct (ordered_turned _ O _ (K8 E)) as (B & HB & HrB). exists B. split; [assumption|].
    eapply ownership; eauto. }
  destruct (Hm1 _ _ Hn) as [Hp Hd]. destruct (their r) as [| | |ok|] eqn:Et; try congruence.
  - exfalso. apply (K4 eq_refl). eauto.
  - destruct ok; [|auto]. destruct (K5 eq_refl) as (B & k & HB & Hin).
    destruct (wake_up _ _ _ Hb Hset HB _ Hin) as [Hh|[_ Hc]]; [|eauto].
    assert (Hne : own r <> Watching) by (eapply K9; [exact HB|unfold heard; apply in_or_app; left; exact Hh]).
    destruct (own r); auto; congruence.
  - destruct (K7 eq_refl) as [E|E]; auto.
Qed.

(** And as long as something is left to do for monitors, a step is possible that does it. *)
Theorem monitor_progress : forall w, wreachable w ->
  (forall n r, get n (monitors w) = Some r -> their r = Placing -> exists v, wstep w (Arrive n) v) /\
  (forall n r, get n (monitors w) = Some r -> their r = Due -> exists k ok v, wstep w (Post n k ok) v) /\
  (forall i A, get i (actors (base w)) = Some A -> reported A = true -> In i (turned w) \/ exists v, wstep w (Turn_over i) v).
Proof.
  intros w Hr. pose proof (ordered_always _ Hr) as O. split; [|split].
  - intros n r Hn Hp. destruct (in_dec Pos.eq_dec (target r) (turned w)); eexists; [eapply W_arrive_late|eapply W_arrive]; eauto.
  - intros n r Hn Hd. destruct (kept_watcher _ _ _ (ordered_kept _ O _ _ Hn)) as [A HA].
    destruct (inbox (mailbox A)) eqn:E.
    + destruct (push_possible (mailbox A) (notice n xH)) as [c Hc]; [congruence|].
      exists xH, true. eexists. eapply W_post; eauto. eapply S_notify; eauto.
    + destruct (push_possible (mailbox A) (notice n xH)) as [c Hc]; [congruence|].
      exists xH, true. eexists. eapply W_post; eauto. eapply S_notify; eauto.
    + exists xH, false. eexists. eapply W_post_refused; eauto.
  - intros i A HA Hrep. destruct (in_dec Pos.eq_dec i (turned w)); [auto|]. right. eexists. eapply W_turn_over; eauto.
Qed.
