(** * Capacity: a bounded mailbox never holds more than its bound

    A sender reserves room _before_ it pushes: a compare-exchange of a counter beside the word, which fails when the
    counter is at the bound. The room is given back _after_ the message has left the mailbox. So what the mailbox
    holds is never more than what is reserved, and that is never more than the bound, however many senders there are
    and wherever each of them was interrupted.

    At the end the counter is opened: whoever comes then need not wait for room that will never be given back, and is
    refused by the inbox. The mailbox must be closed _before_ that; were it the other way round, a sender could get
    past the counter into a mailbox that still accepts. The last theorem says so: with the two in the wrong order the bound
    is broken.

    Signals reserve nothing and are not counted; the messages of Model.v, where a send may be refused for want of room
    at any time, do all that they do here. *)

From Coq Require Import PeanoNat Lia.

(** Senders that hold a reservation and have not pushed; messages in the mailbox; messages that have left it and whose room
    has not been given back; the counter; whether the inbox is closed, and whether the counter is open to all. *)
Record room := Room {
  pushing : nat;
  queued : nat;
  leaving : nat;
  reserved : nat;
  closed : bool;
  opened : bool;
}.

Definition empty := Room 0 0 0 0 false false.

Section Bound.

Variable limit : nat.

(** What can happen; [early] allows the counter to be opened while the inbox accepts, as the source does not. *)
Inductive move (early : bool) : room -> room -> Prop :=
| Reserve : forall p q l r c, r < limit ->
    move early (Room p q l r c false) (Room (S p) q l (S r) c false)
| Reserve_opened : forall p q l r c,
    move early (Room p q l r c true) (Room (S p) q l r c true)
| Push : forall p q l r o,
    move early (Room (S p) q l r false o) (Room p (S q) l r false o)
| Push_refused : forall p q l r o,
    move early (Room (S p) q l r true o) (Room p q l r true o)
| Leave : forall p q l r c o,
    move early (Room p (S q) l r c o) (Room p q (S l) r c o)
| Give_back : forall p q l r c o,
    move early (Room p q (S l) (S r) c o) (Room p q l r c o)
| Close_inbox : forall p q l r o,
    move early (Room p q l r false o) (Room p q l r true o)
| Open_counter : forall p q l r c, c = true \/ early = true ->
    move early (Room p q l r c false) (Room p q l r c true).

Inductive moves (early : bool) : room -> Prop :=
| Nothing_yet : moves early empty
| And_then : forall s t, moves early s -> move early s t -> moves early t.

Definition reachable := moves false.

(** While the inbox accepts, each reservation is in exactly one place; what is in the mailbox never outgrows the bound. *)
Definition accounted (s : room) :=
  (closed s = false -> reserved s = pushing s + queued s + leaving s /\ reserved s <= limit) /\
  (opened s = true -> closed s = true) /\
  queued s <= limit.

Lemma always_accounted : forall s, reachable s -> accounted s.
Proof.
  induction 1 as [|s t _ (books & order & bound) m].
  - unfold accounted; cbn; repeat split; intros; try discriminate; lia.
  - destruct m; unfold accounted in *; cbn in *; repeat split; intros; subst;
      try discriminate; try (specialize (books eq_refl)); try (specialize (order eq_refl));
      try discriminate; auto; try lia.
    intuition discriminate.
Qed.

(** capacity: exactly, under any number of senders. *)
Theorem capacity : forall s, reachable s -> queued s <= limit.
Proof. intros s reached. apply (always_accounted s reached). Qed.

(** A send that is refused for want of room meets a mailbox whose room is taken, by messages in it, on their way in, or on
    their way out: no room is lost. *)
Theorem capacity_no_room_lost : forall s, reachable s -> closed s = false ->
  reserved s = pushing s + queued s + leaving s.
Proof. intros s reached open. apply (always_accounted s reached), open. Qed.

(** When nobody is on the way and the mailbox is empty, all the room is there again. *)
Theorem capacity_all_room_back : forall s, reachable s -> closed s = false ->
  pushing s = 0 -> queued s = 0 -> leaving s = 0 -> reserved s = 0.
Proof.
  intros s reached open p q l.
  pose proof (capacity_no_room_lost s reached open). lia.
Qed.

End Bound.

(** The order of closing and opening is what it rests on: with a bound of one, two messages get in. *)
Theorem capacity_needs_the_order : exists s, moves 1 true s /\ queued s = 2.
Proof.
  exists (Room 0 2 0 0 false true). split; [|reflexivity].
  eapply And_then; [|apply Push].
  eapply And_then; [|apply Push].
  eapply And_then; [|apply Reserve_opened].
  eapply And_then; [|apply Reserve_opened].
  eapply And_then; [apply Nothing_yet|apply Open_counter; now right].
Qed.
