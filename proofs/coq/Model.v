(** * Model: the protocol as a transition system

    This file says what can happen. It proves nothing.

    A _node_ is a collection of _actors_. Each actor has one word, its inbox:

    - [Idle]: nothing is queued and nobody runs the actor;
    - [Stack s]: somebody holds the activation; [s] are the envelopes accepted since, newest first
      ([Stack []] is what the source calls ACTIVE, the null pointer);
    - [Closed]: nothing is accepted any more.

    An _activation_ is the right to run the actor. The model keeps, for each actor, the _list_ of the
    activations that exist, each with what its holder is doing. That there is never more than one of them is
    not assumed: it is a theorem (see Safety.v). Likewise every history, such as [accepted], [handled] and
    [dead], is an ordinary part of the state to which steps only ever add.

    The steps of one actor's mailbox are the relation [cstep] on its [core]. The steps of a node are [step]:
    the mailbox steps, the senders, the Readers of meta-processes, signals, and who owns whom. Nothing is
    bounded: not the actors, not the children of one actor, not the senders, not the messages, not the
    classes. Several senders' steps, the holder's steps and the Readers' steps interleave in any order.

    Names are positive numbers; they stand for addresses and identities and are only compared. *)

From Coq Require Import List PArith FMapPositive.
Import ListNotations.

Definition id := positive.
Module Map := PositiveMap.
Notation get k m := (Map.find k m).
Notation put k v m := (Map.add k v m).

(** ** Envelopes *)

(** Why an actor is asked to end. *)
Inductive signal := Exit | Kill | ReaderEnded.

Inductive content :=
| User (m : id)        (* a message that somebody sent *)
| Notice (n : id)      (* news of another actor, by a monitor or a link: handled like a message, by a callback of its own *)
| Signal (s : signal). (* from the runtime; handling it means to end *)

(** A class is just a name here: the model lets the holder take the oldest envelope of _any_ class, so what
    is proved holds for every policy between the classes, the one of the source included. *)
Definition class := positive.

Record envelope := Envelope { what : content; of_class : class }.

Definition is_signal (e : envelope) : bool := match what e with Signal _ => true | _ => false end.

Definition same_class (k : class) (e : envelope) : bool := Pos.eqb (of_class e) k.

(** The envelopes of class [k], in order. *)
Definition only (k : class) (es : list envelope) : list envelope := filter (same_class k) es.

(** ** The mailbox of one actor *)

Inductive word := Idle | Stack (newest_first : list envelope) | Closed.

(** What the holder of an activation is doing. [ok] tells whether init had succeeded. *)
Inductive holder :=
| Born                     (* init has not begun *)
| Initialising             (* in init *)
| Running                  (* between callbacks; also while waiting for a worker thread *)
| Handling (e : envelope)  (* in the handler, or acting on a signal *)
| Stopping (ok : bool)     (* decided to end; the word is still open *)
| Draining (ok : bool)     (* the word is closed; terminate has not begun *)
| Terminating              (* in terminate *)
| Leaving.                 (* terminate is over, or was not due *)

(** The callbacks: [handler-exclusion] is about these. *)
Definition in_callback (h : holder) : bool :=
  match h with Initialising | Handling _ | Terminating => true | _ => false end.

Definition held (h : holder) : list envelope := match h with Handling e => [e] | _ => [] end.

Record core := Core {
  inbox : word;
  activations : list holder;
  local : list envelope;    (* taken and not yet handled, oldest first *)
  accepted : list envelope; (* history of successful pushes, newest first *)
  handled : list envelope;  (* history of ended handlings, newest first; a handling that failed counts *)
  dead : list envelope;     (* history of dead letters, newest first *)
  initialised : option bool;(* None before init has ended *)
  begun : nat;              (* how often terminate has begun ... *)
  ended : nat               (* ... and ended *)
}.

(** An actor is born with the activation in its spawner's hands. *)
Definition newborn : core := Core (Stack []) [Born] [] [] [] [] None 0 0.

(** [taken_out k e before after]: taking [e], the oldest of its class, out of [before] leaves [after]. *)
Inductive taken_out (e : envelope) : list envelope -> list envelope -> Prop :=
| Taken_out : forall l r, only (of_class e) l = [] -> taken_out e (l ++ e :: r) (l ++ r).

(** The labels say which step is meant; the comments, which instruction of the source. *)
Inductive core_label :=
| Push (e : envelope)          (* a successful compare-exchange in push *)
| Init_begin                   (* *)
| Init_end (ok : bool)         (* returned Ok; or Err, or panicked *)
| Take                         (* the swap in take *)
| Handle_begin (e : envelope)
| Handle_end (ok : bool)       (* returned Ok; or Err, or panicked, or it was a signal *)
| Give_up                      (* no thread for the Reader, or the name is taken *)
| Park                         (* a successful compare-exchange in park *)
| Close                        (* the swap in close *)
| Dead_letter (e : envelope)
| Terminate_begin
| Terminate_end                (* returned or panicked *)
| Skip_terminate               (* init had failed *)
| Finish.                      (* the activation is no more *)

(** One step of one mailbox. Where a rule says [l ++ h :: r], the step is taken by the holder of _some_
    activation, in state [h], with any others beside it. *)
Inductive cstep : core -> core_label -> core -> Prop :=
| C_push_idle : forall e acts loc acc han dea ini b n,
    (* accepting from Idle also makes the activation *)
    cstep (Core Idle acts loc acc han dea ini b n) (Push e)
          (Core (Stack [e]) (Running :: acts) loc (e :: acc) han dea ini b n)
| C_push_stack : forall e s acts loc acc han dea ini b n,
    cstep (Core (Stack s) acts loc acc han dea ini b n) (Push e)
          (Core (Stack (e :: s)) acts loc (e :: acc) han dea ini b n)
| C_init_begin : forall w l r loc acc han dea ini b n,
    cstep (Core w (l ++ Born :: r) loc acc han dea ini b n) Init_begin
          (Core w (l ++ Initialising :: r) loc acc han dea ini b n)
| C_init_ok : forall w l r loc acc han dea ini b n,
    cstep (Core w (l ++ Initialising :: r) loc acc han dea ini b n) (Init_end true)
          (Core w (l ++ Running :: r) loc acc han dea (Some true) b n)
| C_init_failed : forall w l r loc acc han dea ini b n,
    cstep (Core w (l ++ Initialising :: r) loc acc han dea ini b n) (Init_end false)
          (Core w (l ++ Stopping false :: r) loc acc han dea (Some false) b n)
| C_take : forall e s l r loc acc han dea ini b n,
    cstep (Core (Stack (e :: s)) (l ++ Running :: r) loc acc han dea ini b n) Take
          (Core (Stack []) (l ++ Running :: r) (loc ++ rev_append (e :: s) []) acc han dea ini b n)
| C_handle_begin : forall e w l r loc loc' acc han dea ini b n,
    taken_out e loc loc' ->
    cstep (Core w (l ++ Running :: r) loc acc han dea ini b n) (Handle_begin e)
          (Core w (l ++ Handling e :: r) loc' acc han dea ini b n)
| C_handle_ok : forall e w l r loc acc han dea ini b n,
    is_signal e = false ->
    cstep (Core w (l ++ Handling e :: r) loc acc han dea ini b n) (Handle_end true)
          (Core w (l ++ Running :: r) loc acc (e :: han) dea ini b n)
| C_handle_failed : forall e w l r loc acc han dea ini b n,
    cstep (Core w (l ++ Handling e :: r) loc acc han dea ini b n) (Handle_end false)
          (Core w (l ++ Stopping true :: r) loc acc (e :: han) dea ini b n)
| C_give_up : forall w l r loc acc han dea ini b n,
    cstep (Core w (l ++ Running :: r) loc acc han dea ini b n) Give_up
          (Core w (l ++ Stopping true :: r) loc acc han dea ini b n)
| C_park : forall l r acc han dea ini b n,
    (* succeeds only if nothing arrived; the holder tries only when it has nothing left *)
    cstep (Core (Stack []) (l ++ Running :: r) [] acc han dea ini b n) Park
          (Core Idle (l ++ r) [] acc han dea ini b n)
| C_close : forall ok s l r loc acc han dea ini b n,
    cstep (Core (Stack s) (l ++ Stopping ok :: r) loc acc han dea ini b n) Close
          (Core Closed (l ++ Draining ok :: r) (loc ++ rev_append s []) acc han dea ini b n)
| C_dead_letter : forall e ok w l r loc loc' acc han dea ini b n,
    taken_out e loc loc' ->
    cstep (Core w (l ++ Draining ok :: r) loc acc han dea ini b n) (Dead_letter e)
          (Core w (l ++ Draining ok :: r) loc' acc han (e :: dea) ini b n)
| C_dead_letter_late : forall e w l r loc loc' acc han dea ini b n,
    (* a runtime may also hand over dead letters after terminate, or in it *)
    taken_out e loc loc' ->
    cstep (Core w (l ++ Leaving :: r) loc acc han dea ini b n) (Dead_letter e)
          (Core w (l ++ Leaving :: r) loc' acc han (e :: dea) ini b n)
| C_dead_letter_meanwhile : forall e w l r loc loc' acc han dea ini b n,
    taken_out e loc loc' ->
    cstep (Core w (l ++ Terminating :: r) loc acc han dea ini b n) (Dead_letter e)
          (Core w (l ++ Terminating :: r) loc' acc han (e :: dea) ini b n)
| C_terminate_begin : forall w l r loc acc han dea ini b n,
    cstep (Core w (l ++ Draining true :: r) loc acc han dea ini b n) Terminate_begin
          (Core w (l ++ Terminating :: r) loc acc han dea ini (S b) n)
| C_terminate_end : forall w l r loc acc han dea ini b n,
    cstep (Core w (l ++ Terminating :: r) loc acc han dea ini b n) Terminate_end
          (Core w (l ++ Leaving :: r) loc acc han dea ini b (S n))
| C_skip_terminate : forall w l r loc acc han dea ini b n,
    cstep (Core w (l ++ Draining false :: r) loc acc han dea ini b n) Skip_terminate
          (Core w (l ++ Leaving :: r) loc acc han dea ini b n)
| C_finish : forall w l r acc han dea ini b n,
    cstep (Core w (l ++ Leaving :: r) [] acc han dea ini b n) Finish
          (Core w (l ++ r) [] acc han dea ini b n).

(** ** Actors, senders, the node *)

(** The Reader of a meta-process. *)
Inductive reader :=
| No_reader        (* a process *)
| Not_started      (* not yet, or never: init failed, or there was no thread *)
| Started          (* its thread exists *)
| Reading
| Returned         (* returned or panicked; the Handler does not know yet *)
| Signalled        (* the signal is pushed, or was refused *)
| Reader_done.     (* counted as one of the actor's open ends that are over *)

(** The Reader is still one of the open ends that its actor waits for. *)
Definition reader_open (r : reader) : bool :=
  match r with No_reader | Reader_done => false | _ => true end.

(** The Reader must be interrupted before the actor can end. *)
Definition reader_needs_interrupt (r : reader) : bool :=
  match r with Started | Reading | Returned | Signalled => true | _ => false end.

Record actor := Actor {
  mailbox : core;
  parent : option id;
  line : reader;
  interrupted : bool;
  family_open : bool;    (* may children still join? *)
  children : list id;    (* those that have not ended *)
  to_tell : list id;     (* those that are still to be sent an exit signal *)
  open_ends : nat;       (* own end, Reader, children: at zero the actor has ended *)
  reported : bool        (* it was reported as ended *)
}.

Inductive kind := Process | Meta.

Definition new_actor (k : kind) (p : option id) : actor :=
  match k with
  | Process => Actor newborn p No_reader false true [] [] 1 false
  | Meta => Actor newborn p Not_started false true [] [] 2 false
  end.

(** One send. Its compare-exchange happens between its begin and its end. *)
Inductive sending :=
| Trying (to : id) (k : class)
| Decided (to : id) (k : class) (ok : bool)   (* accepted, or refused *)
| Done (to : id) (k : class) (ok : bool).     (* and the sender knows *)

(** [ids] and [sent] list what exists; they are used only to speak of "all actors" and "all sends". *)
Record node := Node {
  ids : list id;
  actors : Map.t actor;
  sent : list id;
  sends : Map.t sending
}.

Definition empty_node : node := Node [] (Map.empty _) [] (Map.empty _).

Definition with_mailbox (a : actor) (c : core) : actor :=
  Actor c (parent a) (line a) (interrupted a) (family_open a) (children a) (to_tell a) (open_ends a) (reported a).
Definition with_line (a : actor) (r : reader) : actor :=
  Actor (mailbox a) (parent a) r (interrupted a) (family_open a) (children a) (to_tell a) (open_ends a) (reported a).
Definition with_interrupt (a : actor) : actor :=
  Actor (mailbox a) (parent a) (line a) true (family_open a) (children a) (to_tell a) (open_ends a) (reported a).
Definition with_to_tell (a : actor) (ts : list id) : actor :=
  Actor (mailbox a) (parent a) (line a) (interrupted a) (family_open a) (children a) ts (open_ends a) (reported a).
Definition close_family (a : actor) : actor :=
  Actor (mailbox a) (parent a) (line a) (interrupted a) false (children a) (children a) (open_ends a) (reported a).
Definition end_of (a : actor) : actor :=
  Actor (mailbox a) (parent a) (line a) (interrupted a) (family_open a) (children a) (to_tell a) (pred (open_ends a)) (reported a).
Definition adopt (a : actor) (c : id) : actor :=
  Actor (mailbox a) (parent a) (line a) (interrupted a) (family_open a) (c :: children a) (to_tell a) (S (open_ends a)) (reported a).
Definition child_ended (a : actor) (c : id) : actor :=
  Actor (mailbox a) (parent a) (line a) (interrupted a) (family_open a) (remove Pos.eq_dec c (children a)) (to_tell a)
        (pred (open_ends a)) (reported a).
Definition report (a : actor) : actor :=
  Actor (mailbox a) (parent a) (line a) (interrupted a) (family_open a) (children a) (to_tell a) (open_ends a) true.

Definition set_actor (s : node) (i : id) (a : actor) : node := Node (ids s) (put i a (actors s)) (sent s) (sends s).
Definition add_actor (s : node) (i : id) (a : actor) : node := Node (i :: ids s) (put i a (actors s)) (sent s) (sends s).
Definition set_send (s : node) (m : id) (p : sending) : node := Node (ids s) (actors s) (sent s) (put m p (sends s)).
Definition add_send (s : node) (m : id) (p : sending) : node := Node (ids s) (actors s) (m :: sent s) (put m p (sends s)).

(** The labels of the node. [seen] says whether the step is also an event of the trace; for the others that is
    fixed (see Traces.v). *)
Inductive label :=
| Spawn (i : id) (p : option id) (k : kind) (* the actor exists, and its parent's list knows it *)
| Spawned (i : id)                          (* the spawn returned to its caller, with success *)
| Not_spawned (i : id)                      (* the spawn returned to its caller: refused, or ended at once *)
| Mailbox (i : id) (l : core_label)         (* a step of the holder of an activation of [i] *)
| Send_begin (m i : id) (k : class)
| Accept (m : id)                           (* its compare-exchange succeeds *)
| Refuse (m : id)                           (* it meets Closed *)
| Refuse_full (m : id)                      (* a bounded mailbox has no room for it *)
| Send_end (m : id)
| Tell (i : id) (s : signal) (k : class)    (* somebody asks the actor to end *)
| Notify (i n : id) (k : class)             (* a notice is accepted by its mailbox *)
| Close_family (i : id)                     (* its list of children closes *)
| Tell_child (i c : id) (k : class)         (* it sends its child an exit signal *)
| Start_reader (i : id)
| Reader_begin (i : id)
| Reader_end (i : id)
| Reader_signal (i : id) (k : class)        (* the Reader's end is pushed to its own inbox *)
| Reader_over (i : id)                      (* its open end is counted off *)
| Reader_never (i : id)                     (* the same for a Reader that will never start *)
| Interrupt (i : id) (seen : bool)
| Finished (i : id)                         (* the holder counts its own open end off *)
| Report (i : id) (seen : bool).            (* nothing is open any more: reported, and out of its parent's list *)

(** Pushing a signal: accepted, or without effect because the inbox is closed. *)
Inductive signalled (c : core) (s : signal) (k : class) : core -> Prop :=
| Signal_accepted : forall c', cstep c (Push (Envelope (Signal s) k)) c' -> signalled c s k c'
| Signal_refused : inbox c = Closed -> signalled c s k c.

(** Which holder steps may be taken while the rest of the actor is as it is: the Reader is started before
    anything is handled; the family is closed before the word. *)
Definition may (a : actor) (l : core_label) : Prop :=
  match l with
  | Take | Handle_begin _ | Park => line a <> Not_started
  | Close => family_open a = false
  | Push _ | Finish => False (* these have rules of their own *)
  | _ => True
  end.

Inductive step : node -> label -> node -> Prop :=
| S_spawn_root : forall s i k,
    get i (actors s) = None ->
    step s (Spawn i None k) (add_actor s i (new_actor k None))
| S_spawn_child : forall s i p k P,
    get i (actors s) = None -> get p (actors s) = Some P -> family_open P = true ->
    step s (Spawn i (Some p) k) (add_actor (set_actor s p (adopt P i)) i (new_actor k (Some p)))
| S_spawned : forall s i A,
    get i (actors s) = Some A -> initialised (mailbox A) = Some true ->
    step s (Spawned i) s
| S_not_spawned : forall s i,
    (forall A, get i (actors s) = Some A -> inbox (mailbox A) = Closed \/ initialised (mailbox A) = Some false) ->
    step s (Not_spawned i) s
| S_mailbox : forall s i l A c,
    get i (actors s) = Some A -> may A l -> cstep (mailbox A) l c ->
    step s (Mailbox i l) (set_actor s i (with_mailbox A c))
| S_send_begin : forall s m i k A,
    get m (sends s) = None -> get i (actors s) = Some A ->
    step s (Send_begin m i k) (add_send s m (Trying i k))
| S_accept : forall s m i k A c,
    get m (sends s) = Some (Trying i k) -> get i (actors s) = Some A ->
    cstep (mailbox A) (Push (Envelope (User m) k)) c ->
    step s (Accept m) (set_send (set_actor s i (with_mailbox A c)) m (Decided i k true))
| S_refuse : forall s m i k A,
    get m (sends s) = Some (Trying i k) -> get i (actors s) = Some A ->
    inbox (mailbox A) = Closed ->
    step s (Refuse m) (set_send s m (Decided i k false))
| S_refuse_full : forall s m i k,
    get m (sends s) = Some (Trying i k) ->
    step s (Refuse_full m) (set_send s m (Decided i k false))
| S_send_end : forall s m i k ok,
    get m (sends s) = Some (Decided i k ok) ->
    step s (Send_end m) (set_send s m (Done i k ok))
| S_tell : forall s i sg k A c,
    get i (actors s) = Some A -> sg <> ReaderEnded -> signalled (mailbox A) sg k c ->
    step s (Tell i sg k) (set_actor s i (with_mailbox A c))
| S_notify : forall s i n k A c,
    get i (actors s) = Some A -> cstep (mailbox A) (Push (Envelope (Notice n) k)) c ->
    step s (Notify i n k) (set_actor s i (with_mailbox A c))
| S_close_family : forall s i A ok,
    get i (actors s) = Some A -> In (Stopping ok) (activations (mailbox A)) -> family_open A = true ->
    step s (Close_family i) (set_actor s i (close_family A))
| S_tell_child : forall s i j k A C c ts,
    get i (actors s) = Some A -> to_tell A = j :: ts -> get j (actors s) = Some C ->
    signalled (mailbox C) Exit k c ->
    step s (Tell_child i j k) (set_actor (set_actor s i (with_to_tell A ts)) j (with_mailbox C c))
| S_start_reader : forall s i A,
    get i (actors s) = Some A -> line A = Not_started -> In Running (activations (mailbox A)) ->
    step s (Start_reader i) (set_actor s i (with_line A Started))
| S_reader_begin : forall s i A,
    get i (actors s) = Some A -> line A = Started ->
    step s (Reader_begin i) (set_actor s i (with_line A Reading))
| S_reader_end : forall s i A,
    get i (actors s) = Some A -> line A = Reading ->
    step s (Reader_end i) (set_actor s i (with_line A Returned))
| S_reader_signal : forall s i k A c,
    get i (actors s) = Some A -> line A = Returned -> signalled (mailbox A) ReaderEnded k c ->
    step s (Reader_signal i k) (set_actor s i (with_line (with_mailbox A c) Signalled))
| S_reader_over : forall s i A,
    get i (actors s) = Some A -> line A = Signalled ->
    step s (Reader_over i) (set_actor s i (end_of (with_line A Reader_done)))
| S_reader_never : forall s i A,
    get i (actors s) = Some A -> line A = Not_started -> inbox (mailbox A) = Closed ->
    step s (Reader_never i) (set_actor s i (end_of (with_line A Reader_done)))
| S_interrupt : forall s i seen A,
    get i (actors s) = Some A -> inbox (mailbox A) = Closed -> interrupted A = false ->
    step s (Interrupt i seen) (set_actor s i (with_interrupt A))
| S_finished : forall s i A c,
    get i (actors s) = Some A -> to_tell A = [] ->
    (reader_needs_interrupt (line A) = true -> interrupted A = true) ->
    cstep (mailbox A) Finish c ->
    step s (Finished i) (set_actor s i (end_of (with_mailbox A c)))
| S_report_root : forall s i seen A,
    get i (actors s) = Some A -> open_ends A = 0 -> reported A = false -> parent A = None ->
    step s (Report i seen) (set_actor s i (report A))
| S_report_child : forall s i p seen A P,
    get i (actors s) = Some A -> open_ends A = 0 -> reported A = false -> parent A = Some p ->
    get p (actors s) = Some P ->
    step s (Report i seen) (set_actor (set_actor s p (child_ended P i)) i (report A)).

(** A state is reachable if some sequence of steps leads to it from the empty node. [run] names the steps. *)
Inductive run : node -> list label -> node -> Prop :=
| Run_nil : forall s, run s [] s
| Run_cons : forall s l t ls u, step s l t -> run t ls u -> run s (l :: ls) u.

Definition reachable (s : node) : Prop := exists ls, run empty_node ls s.

(** The same for a single mailbox. *)
Inductive core_reachable : core -> Prop :=
| Core_newborn : core_reachable newborn
| Core_step : forall c l c', core_reachable c -> cstep c l c' -> core_reachable c'.
