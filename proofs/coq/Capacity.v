(** * Capacity: a bounded mailbox never holds more than its bound

    A sender reserves room _before_ it pushes: a compare-exchange of the count of all reservations that were ever made. The
    room is given back _after_ the message has left the mailbox: the handler counts those that have left. So what the
    mailbox holds is never more than the one count less the other, and that is never more than the bound, however many
    senders there are and wherever each of them was interrupted.

    A sender compares with a count of the handler's that it, or another sender, has seen _some time ago_. Here it may be as
    old as it likes: the count only grows, so what is out of date allows less, never more. A sender that is refused has
    looked at the count itself, and then all the room was taken ([capacity_refused]).

    At the end the counts are opened: whoever comes then need not wait for room that will never be given back, and is
    refused by the inbox. The mailbox must be closed _before_ that; were it the other way round, a sender could get
    past the counts into a mailbox that still accepts. The last theorem says so: with the two in the wrong order the bound
    is broken.

    Signals reserve nothing and are not counted; the messages of Model.v, where a send may be refused for want of room
    at any time, do all that they do here. *)

From Coq Require Import PeanoNat Lia.

(** Senders that hold a reservation and have not pushed; messages in the mailbox; messages that have left it and whose room
    has not been given back; how many reservations were ever made, and how much room was ever given back; whether the
    inbox is closed, and whether the counts are open to all. *)
Record room := Room {
  pushing : nat;
  queued : nat;
  leaving : nat;
  made : nat;
  left : nat;
  closed : bool;
  opened : bool;
}.

Definition empty := Room 0 0 0 0 0 false false.

Section Bound.

Variable limit : nat.

(** What can happen; [early] allows the counts to be opened while the inbox accepts, as the source does not. A sender
    that reserves knows a count of messages that have left, [known], which was right once. *)
Inductive move (early : bool) : room -> room -> Prop :=
| Reserve : forall p q l m g c o known, known <= g -> m < limit + known ->
    move early (Room p q l m g c o) (Room (S p) q l (S m) g c o)
| Reserve_opened : forall p q l m g c,
    move early (Room p q l m g c true) (Room (S p) q l (S m) g c true)
| Push : forall p q l m g o,
    move early (Room (S p) q l m g false o) (Room p (S q) l m g false o)
| Push_refused : forall p q l m g o,
    move early (Room (S p) q l m g true o) (Room p q l m g true o)
| Leave : forall p q l m g c o,
    move early (Room p (S q) l m g c o) (Room p q (S l) m g c o)
| Give_back : forall p q l m g c o,
    move early (Room p q (S l) m g c o) (Room p q l m (S g) c o)
| Close_inbox : forall p q l m g o,
    move early (Room p q l m g false o) (Room p q l m g true o)
| Open_counter : forall p q l m g c, c = true \/ early = true ->
    move early (Room p q l m g c false) (Room p q l m g c true).

Inductive moves (early : bool) : room -> Prop :=
| Nothing_yet : moves early empty
| And_then : forall s t, moves early s -> move early s t -> moves early t.

Definition reachable := moves false.

(** While the inbox accepts, each reservation is in exactly one place; what is in the mailbox never outgrows the bound. *)
Definition accounted (s : room) :=
  (closed s = false ->
    made s = left s + pushing s + queued s + leaving s /\ made s <= limit + left s) /\
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

(** Room that was reserved and not given back is that of messages in the mailbox, on their way in, or on their way out:
    none is lost. *)
Theorem capacity_no_room_lost : forall s, reachable s -> closed s = false ->
  made s = left s + pushing s + queued s + leaving s.
Proof. intros s reached open. apply (always_accounted s reached), open. Qed.

(** Who is refused has seen [seen] reservations, and then looked at the handler's count: at that look, all the room
    was taken. *)
Theorem capacity_refused : forall s seen, reachable s -> closed s = false ->
  seen <= made s -> limit + left s <= seen -> pushing s + queued s + leaving s = limit.
Proof.
  intros s seen reached open earlier refused.
  destruct (always_accounted s reached) as (books & _). specialize (books open). lia.
Qed.

(** When nobody is on the way and the mailbox is empty, all the room is there again. *)
Theorem capacity_all_room_back : forall s, reachable s -> closed s = false ->
  pushing s = 0 -> queued s = 0 -> leaving s = 0 -> made s = left s.
Proof.
  intros s reached open p q l.
  pose proof (capacity_no_room_lost s reached open). lia.
Qed.

End Bound.

(** The order of closing and opening is what it rests on: with a bound of one, two messages get in. *)
Theorem capacity_needs_the_order : exists s, moves 1 true s /\ queued s = 2.
Proof.
  exists (Room 0 2 0 2 0 false true). split; [|reflexivity].
  eapply And_then; [|apply Push].
  eapply And_then; [|apply Push].
  eapply And_then; [|apply Reserve_opened].
  eapply And_then; [|apply Reserve_opened].
  eapply And_then; [apply Nothing_yet|apply Open_counter; now right].
Qed.
