(** * Word: the linked list under the word

    In Model.v the word _is_ a list, and a push is one step. In the source the word is a pointer to the newest of a chain
    of nodes; a pusher allocates a node, guesses the word, links its node to what it saw and tries to exchange;
    if the word is another by then, it looks again. Nodes that were taken are freed, and their addresses are
    given out again, so a pusher may hold a pointer to a node that is gone, or that is another node by now (the
    ABA problem).

    This file proves that none of this can be told from outside: every step of the pointers is a step of the
    list, or none at all. The reason is short. A pusher never looks behind the pointer that it saw, and the
    exchange succeeds only if the word is that pointer _now_; so whatever hangs on it now is what the new node
    must be linked to, whoever allocated it, and when.

    Any number of pushers. One holder, since there is one activation (Safety.v, handler_exclusion); what it swaps
    out is its own and is read node by node. *)

From Coq Require Import List PArith FMapPositive.
From Antiphon Require Import Model Nodes.
Import ListNotations.

(** ** Pointers *)

Definition address := positive.
Definition pointer := option address. (* [None] is null *)
Definition cell := (pointer * envelope)%type. (* next, item *)

Inductive value := V_idle | V_closed | V_pointer (p : pointer).

(** A thread in [push]: its node, the item, the value of the word that it goes by, and whether its node is
    linked to that. *)
Record pusher := Pusher { node_at : address; item : envelope; seen : value; linked : bool }.

Record memory := Memory { heap : Map.t cell; word_at : value; pushers : Map.t pusher; hand : pointer (* what the holder swapped out *) }.

(** What a new node has to be linked to: `stacked` in the source. *)
Definition below (v : value) : pointer := match v with V_pointer p => p | _ => None end.

(** What happens, as seen from outside. *)
Inductive doing :=
| Nothing
| Pushes (e : envelope)
| Gives_back (e : envelope)
| Takes
| Reads (e : envelope)   (* the holder takes the next item out of what it swapped *)
| Parks
| Closes.

Inductive moves : memory -> doing -> memory -> Prop :=
| M_begin : forall h w ps x t e a,
    (* Box::new; the first guess is Idle *)
    get t ps = None -> get a h = None ->
    moves (Memory h w ps x) Nothing (Memory (put a (None, e) h) w (put t (Pusher a e V_idle false) ps) x)
| M_link : forall h w ps x t a e v,
    get t ps = Some (Pusher a e v false) -> v <> V_closed ->
    moves (Memory h w ps x) Nothing (Memory (put a (below v, e) h) w (put t (Pusher a e v true) ps) x)
| M_refused : forall h w ps x t a e,
    get t ps = Some (Pusher a e V_closed false) ->
    moves (Memory h w ps x) (Gives_back e) (Memory (Map.remove a h) w (Map.remove t ps) x)
| M_exchange : forall h w ps x t a e,
    get t ps = Some (Pusher a e w true) -> (* the word is what was seen *)
    moves (Memory h w ps x) (Pushes e) (Memory h (V_pointer (Some a)) (Map.remove t ps) x)
| M_fail : forall h w ps x t a e v,
    get t ps = Some (Pusher a e v true) -> w <> v ->
    moves (Memory h w ps x) Nothing (Memory h w (put t (Pusher a e w false) ps) x)
| M_take : forall h p ps,
    moves (Memory h (V_pointer p) ps None) Takes (Memory h (V_pointer None) ps p)
| M_close : forall h p ps,
    moves (Memory h (V_pointer p) ps None) Closes (Memory h V_closed ps p)
| M_read : forall h w ps a n e,
    get a h = Some (n, e) ->
    moves (Memory h w ps (Some a)) (Reads e) (Memory (Map.remove a h) w ps n)
| M_park : forall h ps,
    moves (Memory h (V_pointer None) ps None) Parks (Memory h V_idle ps None).

(** ** Lists *)

(** The same, for the word of Model.v and the list that the holder has swapped out, newest first. *)
Inductive acts : word * list envelope -> doing -> word * list envelope -> Prop :=
| A_nothing : forall s, acts s Nothing s
| A_push_idle : forall e x, acts (Idle, x) (Pushes e) (Stack [e], x)
| A_push : forall e s x, acts (Stack s, x) (Pushes e) (Stack (e :: s), x)
| A_give_back : forall w e x, acts (w, x) (Gives_back e) (w, x)
| A_take : forall s, acts (Stack s, []) Takes (Stack [], s)
| A_close : forall s, acts (Stack s, []) Closes (Closed, s)
| A_read : forall w e x, acts (w, e :: x) (Reads e) (w, x)
| A_park : acts (Stack [], []) Parks (Idle, []).

(** ** What the pointers stand for *)

(** From [p] hang the nodes at [ads], with the items [es]. *)
Fixpoint chain (h : Map.t cell) (p : pointer) (ads : list address) (es : list envelope) : Prop :=
  match ads, es with
  | [], [] => p = None
  | a :: ads, e :: es => p = Some a /\ exists n, get a h = Some (n, e) /\ chain h n ads es
  | _, _ => False
  end.

Definition value_means (h : Map.t cell) (v : value) (ads : list address) (w : word) : Prop :=
  match v, w with
  | V_idle, Idle | V_closed, Closed => ads = []
  | V_pointer p, Stack es => chain h p ads es
  | _, _ => False
  end.

(** Memory [m] stands for the word and the list [s]: two chains without a common node, none of which is a pusher's; each pusher
    has its own node, with its item in it, and linked to what it goes by if it says so. *)
Record means (m : memory) (s : word * list envelope) (ads bds : list address) : Prop := {
  m_word : value_means (heap m) (word_at m) ads (fst s);
  m_hand : chain (heap m) (hand m) bds (snd s);
  m_apart : NoDup (ads ++ bds);
  m_own : forall t p, get t (pushers m) = Some p ->
    ~ In (node_at p) (ads ++ bds) /\
    (linked p = true -> seen p <> V_closed /\ get (node_at p) (heap m) = Some (below (seen p), item p)) /\
    exists n, get (node_at p) (heap m) = Some (n, item p);
  m_distinct : forall t u p q, get t (pushers m) = Some p -> get u (pushers m) = Some q -> node_at p = node_at q -> t = u
}.

Lemma get_remove_same : forall (A : Type) k (m : Map.t A), get k (Map.remove k m) = None.
Proof. intros. apply Map.grs. Qed.

Lemma get_remove_other : forall (A : Type) j k (m : Map.t A), j <> k -> get j (Map.remove k m) = get j m.
Proof. intros. apply Map.gro. assumption. Qed.

Lemma get_remove : forall (A : Type) j k (m : Map.t A) v, get j (Map.remove k m) = Some v -> j <> k /\ get j m = Some v.
Proof.
  intros A j k m v H. destruct (Pos.eq_dec j k) as [->|Hne]; [rewrite get_remove_same in H; discriminate|].
  rewrite get_remove_other in H by assumption. auto.
Qed.

(** What happens elsewhere does not touch a chain. *)
Lemma chain_put : forall h b c ads p es, ~ In b ads -> chain h p ads es -> chain (put b c h) p ads es.
Proof.
  intros h b c ads. induction ads as [|a ads IH]; intros p es Hb H; destruct es as [|e es]; simpl in *; auto.
  destruct H as [-> (n & Hn & H)]. split; [reflexivity|]. exists n.
  rewrite get_put_other by (intros ->; apply Hb; auto). split; [assumption|]. apply IH; [tauto|assumption].
Qed.

Lemma chain_remove : forall h b ads p es, ~ In b ads -> chain h p ads es -> chain (Map.remove b h) p ads es.
Proof.
  intros h b ads. induction ads as [|a ads IH]; intros p es Hb H; destruct es as [|e es]; simpl in *; auto.
  destruct H as [-> (n & Hn & H)]. split; [reflexivity|]. exists n.
  rewrite get_remove_other by (intros ->; apply Hb; auto). split; [assumption|]. apply IH; [tauto|assumption].
Qed.

Lemma chain_allocated : forall h ads p es a, chain h p ads es -> In a ads -> exists c, get a h = Some c.
Proof.
  intros h ads. induction ads as [|b ads IH]; intros p es a H Hin; [destruct Hin|]. destruct es as [|e es]; simpl in *; [contradiction|].
  destruct H as [_ (n & Hn & H)]. destruct Hin as [->|Hin]; eauto.
Qed.

Lemma value_put : forall h b c v ads w, ~ In b ads -> value_means h v ads w -> value_means (put b c h) v ads w.
Proof. intros h b c v ads w Hb H. destruct v, w; simpl in *; auto. apply chain_put; assumption. Qed.

Lemma value_remove : forall h b v ads w, ~ In b ads -> value_means h v ads w -> value_means (Map.remove b h) v ads w.
Proof. intros h b v ads w Hb H. destruct v, w; simpl in *; auto. apply chain_remove; assumption. Qed.

Lemma value_allocated : forall h v ads w a, value_means h v ads w -> In a ads -> exists c, get a h = Some c.
Proof.
  intros h v ads w a H Hin. destruct v, w; simpl in H; try contradiction; subst; try (destruct Hin; fail).
  eapply chain_allocated; eauto.
Qed.

Lemma chain_end : forall h ads es, chain h None ads es -> ads = [] /\ es = [].
Proof. intros h [|a ads] [|e es] H; simpl in H; try contradiction; auto. destruct H. discriminate. Qed.

(** ** Every step of the pointers is a step of the list, or none *)

Theorem word_refines : forall m d m' s ads bds, moves m d m' -> means m s ads bds ->
  exists s' ads' bds', acts s d s' /\ means m' s' ads' bds'.
Proof.
  intros m d m' [w es] ads bds Hm [M1 M2 M3 M4 M5]. destruct Hm; simpl in *.
  - (* a node is allocated: its address is nobody's *)
    assert (Ha : ~ In a (ads ++ bds)).
    { intros Hin. apply in_app_or in Hin as [Hin|Hin].
      - destruct (value_allocated _ _ _ _ _ M1 Hin). congruence.
      - destruct (chain_allocated _ _ _ _ _ M2 Hin). congruence. }
    exists (w, es), ads, bds. split; [constructor|]. split; simpl; auto.
    + apply value_put; [intros H'; apply Ha, in_or_app; auto|assumption].
    + apply chain_put; [intros H'; apply Ha, in_or_app; auto|assumption].
    + intros u p Hu. look Hu; same_value; simpl.
      * split; [assumption|]. split; [discriminate|]. rewrite get_put_same. eauto.
      * destruct (M4 _ _ Hu) as (N1 & N2 & n' & N3).
        rewrite get_put_other by (intros E; rewrite E in N3; congruence). eauto.
    + intros u v p q Hu Hv E. look Hu; look Hv; same_value; simpl in *; auto.
      * destruct (M4 _ _ Hv) as (_ & _ & n' & N). congruence.
      * destruct (M4 _ _ Hu) as (_ & _ & n' & N). congruence.
      * eauto.
  - (* a node is linked: it is its pusher's alone *)
    destruct (M4 _ _ H) as (Ha & _ & _). simpl in Ha.
    exists (w, es), ads, bds. split; [constructor|]. split; simpl; auto.
    + apply value_put; [intros H'; apply Ha, in_or_app; auto|assumption].
    + apply chain_put; [intros H'; apply Ha, in_or_app; auto|assumption].
    + intros u p Hu. look Hu; same_value; simpl.
      * split; [assumption|]. rewrite get_put_same. eauto.
      * destruct (M4 _ _ Hu) as (N1 & N2 & n' & N3).
        rewrite get_put_other; [eauto|]. intros E. assert (u = t) by (eapply M5; eauto). congruence.
    + intros u u' p q Hu Hu' E. look Hu; look Hu'; same_value; simpl in *; auto.
      * symmetry. eapply (M5 u' t); eauto.
      * eapply (M5 u t); eauto.
      * eauto.
  - (* refused: the node is freed *)
    destruct (M4 _ _ H) as (Ha & _ & _). simpl in Ha.
    exists (w, es), ads, bds. split; [constructor|]. split; simpl; auto.
    + apply value_remove; [intros H'; apply Ha, in_or_app; auto|assumption].
    + apply chain_remove; [intros H'; apply Ha, in_or_app; auto|assumption].
    + intros u p Hu. apply get_remove in Hu as [Hne Hu]. destruct (M4 _ _ Hu) as (N1 & N2 & n' & N3).
      rewrite get_remove_other; [eauto|]. intros E. apply Hne. eapply (M5 u t); eauto.
    + intros u v p q Hu Hv. apply get_remove in Hu as [_ Hu]. apply get_remove in Hv as [_ Hv]. eauto.
  - (* the exchange: the node is linked to what the word is now *)
    destruct (M4 _ _ H) as (Ha & Hl & _). simpl in Ha, Hl. destruct (Hl eq_refl) as [Hc Hl'].
    assert (Hs : exists l, acts (w, es) (Pushes e) (Stack l, es) /\ chain h (Some a) (a :: ads) l).
    { destruct w0 as [| |p], w as [|l|]; simpl in M1; try contradiction; try congruence.
      - subst ads. exists [e]. split; [constructor|]. simpl. eauto.
      - exists (e :: l). split; [constructor|]. simpl. eauto. }
    destruct Hs as (l & Hs & Hch). exists (Stack l, es), (a :: ads), bds. split; [assumption|]. split; simpl; auto.
    + constructor; assumption.
    + intros u p Hu. apply get_remove in Hu as [Hne Hu]. destruct (M4 _ _ Hu) as (N1 & N2 & N3).
      split; [|auto]. intros [E|Hin]; [|auto]. apply Hne. eapply (M5 u t); eauto.
    + intros u v p q Hu Hv. apply get_remove in Hu as [_ Hu]. apply get_remove in Hv as [_ Hv]. eauto.
  - (* the exchange fails: another guess *)
    destruct (M4 _ _ H) as (Ha & _ & Hn). simpl in Ha, Hn.
    exists (w, es), ads, bds. split; [constructor|]. split; simpl; auto.
    + intros u p Hu. look Hu; same_value; simpl.
      * split; [assumption|]. split; [discriminate|assumption].
      * exact (M4 _ _ Hu).
    + intros u u' p q Hu Hu' E. look Hu; look Hu'; same_value; simpl in *; auto.
      * symmetry. eapply (M5 u' t); eauto.
      * eapply (M5 u t); eauto.
      * eauto.
  - (* take *)
    destruct w as [|l|]; simpl in M1; try contradiction. apply chain_end in M2 as [-> ->]. rewrite app_nil_r in *.
    exists (Stack [], l), [], ads. split; [constructor|]. split; simpl; auto.
  - (* close *)
    destruct w as [|l|]; simpl in M1; try contradiction. apply chain_end in M2 as [-> ->]. rewrite app_nil_r in *.
    exists (Closed, l), [], ads. split; [constructor|]. split; simpl; auto.
  - (* the holder reads a node and frees it *)
    destruct bds as [|b bds], es as [|e' es]; simpl in M2; try contradiction; try discriminate M2.
    destruct M2 as [E (n' & Hn & M2)]. injection E as E. subst b. pose proof (eq_trans (eq_sym H) Hn) as X. injection X as <- <-.
    pose proof (NoDup_remove_1 _ _ _ M3) as Hnd. pose proof (NoDup_remove_2 _ _ _ M3) as Hna.
    exists (w, es), ads, bds. split; [constructor|]. split; simpl; auto.
    + apply value_remove; [intros Hin; apply Hna, in_or_app; auto|assumption].
    + apply chain_remove; [intros Hin; apply Hna, in_or_app; auto|assumption].
    + intros u p Hu. destruct (M4 _ _ Hu) as (N1 & N2 & N3).
      assert (Hne : node_at p <> a) by (intros E; apply N1, in_or_app; right; left; congruence).
      rewrite get_remove_other by assumption. split; [|auto].
      intros Hin. apply N1. apply in_app_or in Hin as [Hin|Hin]; apply in_or_app; simpl; auto.
  - (* park *)
    destruct w as [|l|]; simpl in M1; try contradiction. apply chain_end in M1 as [-> ->]. apply chain_end in M2 as [-> ->].
    exists (Idle, []), [], []. split; [constructor|]. split; simpl; auto.
Qed.

(** At birth the word is null: the activation is the spawner's. *)
Definition fresh : memory := Memory (Map.empty _) (V_pointer None) (Map.empty _) None.

Inductive memory_reachable : memory -> Prop :=
| Memory_fresh : memory_reachable fresh
| Memory_moves : forall m d m', memory_reachable m -> moves m d m' -> memory_reachable m'.

(** So every reachable memory stands for a word and a list. *)
Theorem word_always_means : forall m, memory_reachable m -> exists s ads bds, means m s ads bds.
Proof.
  intros m H. induction H as [|m d m' H (s & ads & bds & IH) Hm].
  - exists (Stack [], []), [], []. split; simpl; auto; try constructor; intros; rewrite Map.gempty in *; discriminate.
  - destruct (word_refines _ _ _ _ _ _ Hm IH) as (s' & ads' & bds' & _ & K). eauto.
Qed.

(** Unless the word has changed since a pusher looked at it, its exchange succeeds. So an exchange fails only because
    another step has succeeded, and a pusher that is stalled anywhere holds up nobody. *)
Theorem word_exchange_succeeds : forall m t p, get t (pushers m) = Some p -> linked p = true -> seen p = word_at m ->
  exists m', moves m (Pushes (item p)) m'.
Proof.
  intros [h w ps x] t [a e v l] Hg Hl Hs. simpl in *. subst. eexists. eapply M_exchange. eassumption.
Qed.

(** Nothing that is read is gone: the holder's pointer is null or points to a node that exists. *)
Theorem word_no_dangling : forall m a, memory_reachable m -> hand m = Some a -> exists c, get a (heap m) = Some c.
Proof.
  intros m a H Ha. destruct (word_always_means _ H) as (s & ads & bds & [_ M2 _ _ _]). rewrite Ha in M2.
  destruct bds as [|b bds], (snd s) as [|e es]; simpl in M2; try contradiction; try discriminate.
  destruct M2 as [E (n & Hn & _)]. injection E as <-. eauto.
Qed.
