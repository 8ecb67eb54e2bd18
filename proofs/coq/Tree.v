(** * Tree: who is whose child

    Each actor but the roots has a parent that is older than itself. A parent's list of children is exactly those that have
    not been reported as ended: one lock covers the list, so a child joins it before it runs, and leaves it when it
    is reported. Which children have still to be told that their parent ends is a second list, of children too.

    This file proves that in every reachable state; Ownership.v draws the conclusions. *)

From Coq Require Import List PArith Arith FMapPositive Lia.
From Antiphon Require Import Model Invariants Nodes Safety.
Import ListNotations.

Record tree (s : node) : Prop := {
  tree_ids : forall i, In i (ids s) <-> exists A, get i (actors s) = Some A;
  tree_nodup : NoDup (ids s);
  tree_older : forall c C p, get c (actors s) = Some C -> parent C = Some p ->
    exists l r, ids s = l ++ c :: r /\ In p r;
  tree_children_nodup : forall i A, get i (actors s) = Some A -> NoDup (children A);
  tree_children : forall i A c, get i (actors s) = Some A -> In c (children A) ->
    exists C, get c (actors s) = Some C /\ parent C = Some i /\ reported C = false;
  tree_unreported : forall c C p, get c (actors s) = Some C -> parent C = Some p -> reported C = false ->
    exists P, get p (actors s) = Some P /\ In c (children P);
  tree_to_tell : forall i A c, get i (actors s) = Some A -> In c (to_tell A) ->
    exists C, get c (actors s) = Some C /\ parent C = Some i
}.

Lemma tree_not_self : forall s c C p, tree s -> get c (actors s) = Some C -> parent C = Some p -> c <> p.
Proof.
  intros s c C p T Hc Hp E. subst p. destruct (tree_older _ T _ _ _ Hc Hp) as (l & r & E & Hin).
  pose proof (tree_nodup _ T) as Hn. rewrite E in Hn. apply NoDup_remove_2 in Hn. apply Hn, in_or_app. auto.
Qed.

Lemma tree_parent : forall s c C p, tree s -> get c (actors s) = Some C -> parent C = Some p ->
  exists P, get p (actors s) = Some P.
Proof.
  intros s c C p T Hc Hp. destruct (tree_older _ T _ _ _ Hc Hp) as (l & r & E & Hin).
  apply (tree_ids _ T). rewrite E. apply in_or_app. simpl. auto.
Qed.

(** A change of one actor that leaves its place in the tree alone. *)
Lemma tree_frame : forall s i A B, tree s -> get i (actors s) = Some A ->
  parent B = parent A -> children B = children A -> reported B = reported A ->
  incl (to_tell B) (to_tell A ++ children A) -> tree (set_actor s i B).
Proof.
  intros s i A B T Hg Ep Ec Er Et.
  assert (Hf : forall j C, get j (actors s) = Some C -> exists C', get j (put i B (actors s)) = Some C' /\
            parent C' = parent C /\ reported C' = reported C /\ children C' = children C).
  { intros j C H. destruct (Pos.eq_dec j i); [subst; rewrite get_put_same; same_value; eauto 6|].
    rewrite get_put_other by assumption. eauto 6. }
  assert (Hb : forall j C', get j (put i B (actors s)) = Some C' -> exists C, get j (actors s) = Some C /\
            parent C' = parent C /\ reported C' = reported C /\ children C' = children C /\
            incl (to_tell C') (to_tell C ++ children C)).
  { intros j C' H. look H; same_value; [eauto 8|]. exists C'. repeat split; auto using incl_appl, incl_refl. }
  split; simpl.
  - intros j. rewrite (tree_ids _ T). split; intros [C H]; [destruct (Hf _ _ H) as (C' & ? & _)|destruct (Hb _ _ H) as (C' & ? & _)]; eauto.
  - exact (tree_nodup _ T).
  - intros c C p H Hp. destruct (Hb _ _ H) as (C0 & H0 & E1 & _). eapply (tree_older _ T); eauto. congruence.
  - intros j C H. destruct (Hb _ _ H) as (C0 & H0 & _ & _ & E & _). rewrite E. eapply (tree_children_nodup _ T); eauto.
  - intros j C c H Hin. destruct (Hb _ _ H) as (C0 & H0 & _ & _ & E & _). rewrite E in Hin.
    destruct (tree_children _ T _ _ _ H0 Hin) as (D & HD & Dp & Dr). destruct (Hf _ _ HD) as (D' & HD' & ? & ? & ?).
    exists D'. repeat split; auto; congruence.
  - intros c C p H Hp Hr. destruct (Hb _ _ H) as (C0 & H0 & E1 & E2 & _).
    destruct (tree_unreported _ T c C0 p) as (P & HP & Hin); auto; try congruence.
    destruct (Hf _ _ HP) as (P' & HP' & _ & _ & E). exists P'. rewrite E. auto.
  - intros j C c H Hin. destruct (Hb _ _ H) as (C0 & H0 & E1 & E2 & E3 & E4).
    apply E4 in Hin. apply in_app_or in Hin as [Hin|Hin].
    + destruct (tree_to_tell _ T _ _ _ H0 Hin) as (D & HD & Dp). destruct (Hf _ _ HD) as (D' & HD' & ? & ?).
      exists D'. split; [assumption|congruence].
    + destruct (tree_children _ T _ _ _ H0 Hin) as (D & HD & Dp & Dr). destruct (Hf _ _ HD) as (D' & HD' & ? & ?).
      exists D'. split; [assumption|congruence].
Qed.

Lemma tree_sends : forall s q m, tree s -> tree (Node (ids s) (actors s) q m).
Proof. intros s q m []. split; simpl; assumption. Qed.

Lemma new_actor_fields : forall k p, parent (new_actor k p) = p /\ children (new_actor k p) = [] /\
  reported (new_actor k p) = false /\ to_tell (new_actor k p) = [].
Proof. intros [] p; auto. Qed.

Lemma tree_spawn_root : forall s i k, tree s -> get i (actors s) = None -> tree (add_actor s i (new_actor k None)).
Proof.
  intros s i k T Hn. destruct (new_actor_fields k None) as (N1 & N2 & N3 & N4).
  assert (Hni : ~ In i (ids s)). { intros H. apply (tree_ids _ T) in H. destruct H. congruence. }
  split; simpl.
  - intros j. split.
    + intros [H|H]; [subst; rewrite get_put_same; eauto|]. destruct (Pos.eq_dec j i); [subst; rewrite get_put_same; eauto|].
      rewrite get_put_other by assumption. apply (tree_ids _ T). assumption.
    + intros [A H]. look H; auto. right. apply (tree_ids _ T). eauto.
  - constructor; [assumption|exact (tree_nodup _ T)].
  - intros c C p H Hp. look H; same_value; [congruence|].
    destruct (tree_older _ T _ _ _ H Hp) as (l & r & E & Hin). exists (i :: l), r. rewrite E. auto.
  - intros j A H. look H; same_value; [rewrite N2; constructor|]. eapply (tree_children_nodup _ T); eauto.
  - intros j A c H Hin. look H; same_value; [rewrite N2 in Hin; destruct Hin|].
    destruct (tree_children _ T _ _ _ H Hin) as (C & HC & ?). exists C. split; [|assumption].
    rewrite get_put_other; [assumption|congruence].
  - intros c C p H Hp Hr. look H; same_value; [congruence|].
    destruct (tree_unreported _ T _ _ _ H Hp Hr) as (P & HP & ?). exists P. split; [|assumption].
    rewrite get_put_other; [assumption|congruence].
  - intros j A c H Hin. look H; same_value; [rewrite N4 in Hin; destruct Hin|].
    destruct (tree_to_tell _ T _ _ _ H Hin) as (C & HC & ?). exists C. split; [|assumption].
    rewrite get_put_other; [assumption|congruence].
Qed.

Lemma tree_spawn_child : forall s i p k P, tree s -> get i (actors s) = None -> get p (actors s) = Some P ->
  tree (add_actor (set_actor s p (adopt P i)) i (new_actor k (Some p))).
Proof.
  intros s i p k P T Hn HP. destruct (new_actor_fields k (Some p)) as (N1 & N2 & N3 & N4).
  assert (Hip : i <> p) by congruence.
  assert (Hni : ~ In i (ids s)). { intros H. apply (tree_ids _ T) in H. destruct H. congruence. }
  assert (Hpi : In p (ids s)) by (apply (tree_ids _ T); eauto).
  assert (Hf : forall j C, get j (actors s) = Some C -> exists C',
     get j (put i (new_actor k (Some p)) (put p (adopt P i) (actors s))) = Some C' /\
     parent C' = parent C /\ reported C' = reported C /\ incl (children C) (children C')).
  { intros j C H. rewrite get_put_other by congruence. destruct (Pos.eq_dec j p).
    - subst. rewrite get_put_same. assert (C = P) by congruence. subst C.
      exists (adopt P i). simpl. auto using incl_tl, incl_refl.
    - rewrite get_put_other by assumption. exists C. auto using incl_refl. }
  split; simpl.
  - intros j. split.
    + intros [H|H]; [subst; rewrite get_put_same; eauto|]. apply (tree_ids _ T) in H. destruct H as [C H].
      destruct (Hf _ _ H) as (C' & ? & _). eauto.
    + intros [A H]. look H; auto; right; apply (tree_ids _ T); eauto.
  - constructor; [assumption|exact (tree_nodup _ T)].
  - intros c C q H Hp. look H; same_value.
    + rewrite N1 in Hp. injection Hp as <-. exists [], (ids s). auto.
    + simpl in Hp. destruct (tree_older _ T _ _ _ HP Hp) as (l & r & E & Hin). exists (i :: l), r. rewrite E. auto.
    + destruct (tree_older _ T _ _ _ H Hp) as (l & r & E & Hin). exists (i :: l), r. rewrite E. auto.
  - intros j A H. look H; same_value; [rewrite N2; constructor| |eapply (tree_children_nodup _ T); eauto].
    simpl. constructor; [|eapply (tree_children_nodup _ T); eauto]. intros Hin.
    destruct (tree_children _ T _ _ _ HP Hin) as (C & HC & _). congruence.
  - intros j A c H Hin. look H; same_value; [rewrite N2 in Hin; destruct Hin| |].
    + simpl in Hin. destruct Hin as [Hin|Hin].
      * subst c. rewrite get_put_same. eauto.
      * destruct (tree_children _ T _ _ _ HP Hin) as (C & HC & E1 & E2). destruct (Hf _ _ HC) as (C' & HC' & ? & ? & _).
        exists C'. repeat split; auto; congruence.
    + destruct (tree_children _ T _ _ _ H Hin) as (C & HC & E1 & E2). destruct (Hf _ _ HC) as (C' & HC' & ? & ? & _).
      exists C'. repeat split; auto; congruence.
  - intros c C q H Hp Hr. look H; same_value.
    + rewrite N1 in Hp. injection Hp as <-. eexists. rewrite get_put_other, get_put_same by congruence.
      split; [reflexivity|]. simpl. auto.
    + simpl in *. destruct (tree_unreported _ T _ _ _ HP Hp Hr) as (Q & HQ & Hin). destruct (Hf _ _ HQ) as (Q' & ? & _ & _ & I).
      eauto.
    + destruct (tree_unreported _ T _ _ _ H Hp Hr) as (Q & HQ & Hin). destruct (Hf _ _ HQ) as (Q' & ? & _ & _ & I).
      eauto.
  - intros j A c H Hin. look H; same_value; [rewrite N4 in Hin; destruct Hin| |].
    + simpl in Hin. destruct (tree_to_tell _ T _ _ _ HP Hin) as (C & HC & E1). destruct (Hf _ _ HC) as (C' & HC' & ? & _).
      exists C'. split; [assumption|congruence].
    + destruct (tree_to_tell _ T _ _ _ H Hin) as (C & HC & E1). destruct (Hf _ _ HC) as (C' & HC' & ? & _).
      exists C'. split; [assumption|congruence].
Qed.

Lemma in_remove_iff : forall (c d : id) l, In d (remove Pos.eq_dec c l) <-> In d l /\ d <> c.
Proof. intros. split; [apply in_remove|]. intros [? ?]. apply in_in_remove; assumption. Qed.

Lemma nodup_remove : forall (c : id) l, NoDup l -> NoDup (remove Pos.eq_dec c l).
Proof.
  intros c l H. induction H as [|x l Hx Hn IH]; simpl; [constructor|].
  destruct (Pos.eq_dec c x); [assumption|]. constructor; [|assumption]. rewrite in_remove_iff. intuition.
Qed.

Lemma length_remove : forall (c : id) l, NoDup l -> In c l -> S (length (remove Pos.eq_dec c l)) = length l.
Proof.
  intros c l H. induction H as [|x l Hx Hn IH]; simpl; [intros []|]. intros Hin.
  destruct (Pos.eq_dec c x) as [E|E].
  - subst x. rewrite notin_remove by assumption. reflexivity.
  - simpl. destruct Hin as [->|Hin]; [congruence|]. rewrite IH by assumption. reflexivity.
Qed.

(** An actor that is reported leaves its parent's list. *)
Lemma tree_report : forall s i A, tree s -> get i (actors s) = Some A -> reported A = false ->
  match parent A with
  | None => tree (set_actor s i (report A))
  | Some p => forall P, get p (actors s) = Some P -> tree (set_actor (set_actor s p (child_ended P i)) i (report A))
  end.
Proof.
  intros s i A T Hg Hr.
  destruct (parent A) as [p|] eqn:Hp.
  - intros P HP. pose proof (tree_not_self _ _ _ _ T Hg Hp) as Hip.
    assert (Hb : forall j C', get j (put i (report A) (put p (child_ended P i) (actors s))) = Some C' ->
      exists C, get j (actors s) = Some C /\ parent C' = parent C /\ to_tell C' = to_tell C /\
        (reported C' = false -> reported C = false /\ j <> i) /\ 
        children C' = (if Pos.eq_dec j p then remove Pos.eq_dec i (children C) else children C)).
    { intros j C' H. look H; same_value.
      - exists A. simpl. destruct (Pos.eq_dec i p); [congruence|]. repeat split; auto; discriminate.
      - exists P. simpl. destruct (Pos.eq_dec p p); [|congruence]. repeat split; auto; congruence.
      - exists C'. destruct (Pos.eq_dec j p); [congruence|]. repeat split; auto; congruence. }
    assert (Hf : forall j C, get j (actors s) = Some C ->
      exists C', get j (put i (report A) (put p (child_ended P i) (actors s))) = Some C' /\
        parent C' = parent C /\ (j <> i -> reported C' = reported C)).
    { intros j C H. destruct (Pos.eq_dec j i); [subst; rewrite get_put_same; exists (report A); repeat split; simpl; congruence|].
      rewrite get_put_other by assumption. destruct (Pos.eq_dec j p); [subst; rewrite get_put_same; exists (child_ended P i); repeat split; simpl; congruence|].
      rewrite get_put_other by assumption. eauto. }
    split; simpl.
    + intros j. rewrite (tree_ids _ T). split; intros [C H]; [destruct (Hf _ _ H) as (C' & ? & _)|destruct (Hb _ _ H) as (C' & ? & _)]; eauto.
    + exact (tree_nodup _ T).
    + intros c C q H Hq. destruct (Hb _ _ H) as (C0 & H0 & E1 & _). eapply (tree_older _ T); eauto. congruence.
    + intros j C H. destruct (Hb _ _ H) as (C0 & H0 & _ & _ & _ & E). rewrite E.
      pose proof (tree_children_nodup _ T _ _ H0). destruct (Pos.eq_dec j p); auto using nodup_remove.
    + intros j C c H Hin. destruct (Hb _ _ H) as (C0 & H0 & _ & _ & _ & E). rewrite E in Hin.
      assert (Hin0 : In c (children C0)) by (destruct (Pos.eq_dec j p); [apply in_remove_iff in Hin as [? ?]|]; assumption).
      destruct (tree_children _ T _ _ _ H0 Hin0) as (D & HD & Dp & Dr).
      assert (Hci : c <> i).
      { intros ->. same_value. assert (j = p) by congruence. subst j. destruct (Pos.eq_dec p p); [|congruence].
        apply in_remove_iff in Hin as [_ ?]. congruence. }
      destruct (Hf _ _ HD) as (D' & HD' & ? & Er). exists D'. rewrite (Er Hci). repeat split; auto; congruence.
    + intros c C q H Hq Hrc. destruct (Hb _ _ H) as (C0 & H0 & E1 & _ & Er & _). destruct (Er Hrc) as [Er' Hci].
      destruct (tree_unreported _ T c C0 q) as (Q & HQ & Hin); auto; try congruence.
      destruct (Hf _ _ HQ) as (Q' & HQ' & _). exists Q'. split; [assumption|].
      destruct (Hb _ _ HQ') as (Q0 & HQ0 & _ & _ & _ & E). same_value. rewrite E.
      destruct (Pos.eq_dec q p); [|assumption]. apply in_remove_iff. auto.
    + intros j C c H Hin. destruct (Hb _ _ H) as (C0 & H0 & _ & E & _ & _). rewrite E in Hin.
      destruct (tree_to_tell _ T _ _ _ H0 Hin) as (D & HD & Dp). destruct (Hf _ _ HD) as (D' & HD' & ? & _).
      exists D'. split; [assumption|congruence].
  - assert (Hb : forall j C', get j (put i (report A) (actors s)) = Some C' ->
      exists C, get j (actors s) = Some C /\ parent C' = parent C /\ to_tell C' = to_tell C /\
        (reported C' = false -> reported C = false /\ j <> i) /\ children C' = children C).
    { intros j C' H. look H; same_value.
      - exists A. simpl. repeat split; auto; discriminate.
      - exists C'. repeat split; auto. }
    assert (Hf : forall j C, get j (actors s) = Some C ->
      exists C', get j (put i (report A) (actors s)) = Some C' /\
        parent C' = parent C /\ children C' = children C /\ (j <> i -> reported C' = reported C)).
    { intros j C H. destruct (Pos.eq_dec j i); [subst; rewrite get_put_same; exists (report A); repeat split; simpl; congruence|].
      rewrite get_put_other by assumption. eauto 6. }
    split; simpl.
    + intros j. rewrite (tree_ids _ T). split; intros [C H]; [destruct (Hf _ _ H) as (C' & ? & _)|destruct (Hb _ _ H) as (C' & ? & _)]; eauto.
    + exact (tree_nodup _ T).
    + intros c C q H Hq. destruct (Hb _ _ H) as (C0 & H0 & E1 & _). eapply (tree_older _ T); eauto. congruence.
    + intros j C H. destruct (Hb _ _ H) as (C0 & H0 & _ & _ & _ & E). rewrite E. eapply (tree_children_nodup _ T); eauto.
    + intros j C c H Hin. destruct (Hb _ _ H) as (C0 & H0 & _ & _ & _ & E). rewrite E in Hin.
      destruct (tree_children _ T _ _ _ H0 Hin) as (D & HD & Dp & Dr).
      assert (Hci : c <> i) by (intros ->; same_value; congruence).
      destruct (Hf _ _ HD) as (D' & HD' & ? & _ & Er). exists D'. rewrite (Er Hci). repeat split; auto; congruence.
    + intros c C q H Hq Hrc. destruct (Hb _ _ H) as (C0 & H0 & E1 & _ & Er & _). destruct (Er Hrc) as [Er' Hci].
      destruct (tree_unreported _ T c C0 q) as (Q & HQ & Hin); auto; try congruence.
      destruct (Hf _ _ HQ) as (Q' & HQ' & _ & E & _). exists Q'. rewrite E. auto.
    + intros j C c H Hin. destruct (Hb _ _ H) as (C0 & H0 & _ & E & _ & _). rewrite E in Hin.
      destruct (tree_to_tell _ T _ _ _ H0 Hin) as (D & HD & Dp). destruct (Hf _ _ HD) as (D' & HD' & ? & _).
      exists D'. split; [assumption|congruence].
Qed.

Lemma incl_to_tell : forall A : actor, incl (to_tell A) (to_tell A ++ children A).
Proof. intros. apply incl_appl, incl_refl. Qed.

Lemma tree_step : forall s l t, tree s -> step s l t -> tree t.
Proof.
  intros s l t T Hs.
  destruct Hs; try assumption;
    try (eapply tree_frame; eauto using incl_to_tell; simpl; auto using incl_appr, incl_appl, incl_refl; fail).
  - apply tree_spawn_root; assumption.
  - apply tree_spawn_child; assumption.
  - apply (tree_sends s). assumption.
  - apply (tree_sends (set_actor s i (with_mailbox A c))). eapply tree_frame; eauto; simpl; apply incl_to_tell.
  - apply (tree_sends s). assumption.
  - apply (tree_sends s). assumption.
  - apply (tree_sends s). assumption.
  - (* telling a child: two actors change *)
    destruct (tree_to_tell _ T i A j) as (C' & HC & Hp); [assumption|rewrite H0; left; reflexivity|].
    assert (C' = C) by congruence. subst C'. pose proof (tree_not_self _ _ _ _ T H1 Hp) as Hne.
    eapply tree_frame; [|simpl; rewrite get_put_other; eassumption|..]; simpl; auto using incl_to_tell.
    eapply tree_frame; eauto. simpl. rewrite H0. intros x Hx. simpl. right. apply in_or_app. auto.
  - pose proof (tree_report _ _ _ T H H1) as G. rewrite H2 in G. exact G.
  - pose proof (tree_report _ _ _ T H H1) as G. rewrite H2 in G. apply G. assumption.
Qed.

Theorem tree_kept : forall s, reachable s -> tree s.
Proof.
  apply (reachable_ind tree); [|eauto using tree_step].
  split; simpl; try (intros; rewrite Map.gempty in *; discriminate); [|constructor].
  intros i. split; [intros []|]. intros [A H]. rewrite Map.gempty in H. discriminate.
Qed.
