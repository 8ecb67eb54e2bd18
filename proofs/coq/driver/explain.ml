(* Explains a trace by the steps of the model.

   A trace shows some steps; the others (a compare-exchange that accepts, a take, a park, a close, a signal) have to be
   found. This does it in one pass with a look ahead, taking each hidden step as late as possible:

   - a message is accepted when its send returns or its handling begins, whichever comes first, and before it
     every message of its class that the trace shows to be handled before it;
   - an actor is closed when an event says so (a dead letter, an interrupt, terminate, its end); before that, all
     that it accepts according to the trace is accepted, and all children that it will have, join;
   - what made it end may be a signal that no trace shows: one is assumed.

   Nothing here is trusted: what it finds is checked by [Model.follow], which is proved sound. If a step that an
   event calls for is not one of the model, the trace is rejected, and the guarantee named; or it is outside of
   the model, and it is said how: the model is a stricter runtime than the guarantees ask for. *)

open Trace
open Survey
module M = Model
module Ids = M.PositiveMap

type verdict =
  | Accepted
  | Rejected of { line : int; guarantee : string; why : string }
  | Outside of { line : int; why : string }

exception Stop of verdict

let rejected line guarantee why = raise (Stop (Rejected { line; guarantee; why }))
let outside line why = raise (Stop (Outside { line; why }))

type state = {
  trace : trace;
  messages : (M.positive, message) Hashtbl.t;
  lives : (M.positive, life) Hashtbl.t;
  tells_readers : bool;
  tells_ends : bool;
  misordered : (int, unit) Hashtbl.t;  (* lines where a sender's order is broken *)
  mutable node : M.node;
  mutable labels : M.label list;  (* newest first *)
}

(* Steps *)

let step st label =
  match M.exec st.node label with
  | Some node ->
      st.node <- node;
      st.labels <- label :: st.labels;
      true
  | None -> false

let must st line label = if not (step st label) then outside line "no step of the model explains this event"
let life st actor = life_in st.lives actor
let find st actor = Ids.find actor st.node.M.actors
let exists st actor = find st actor <> None
let get st actor = Option.get (find st actor)

(* The stage of the holder, if there is one: the model is proved to have at most one. *)
let stage st actor = match (get st actor).M.mailbox.M.activations with h :: _ -> Some h | [] -> None
let is_closed st actor = (get st actor).M.mailbox.M.inbox = M.Closed
let mailbox st line actor label = must st line (M.Mailbox (actor, label))

let rec born st line actor =
  if not (exists st actor) then begin
    let { kind; owner; _ } = life st actor in
    Option.iter (born st line) owner;
    if not (step st (M.Spawn (actor, owner, kind))) then
      rejected line "ownership" "the actor begins although its parent's list of children is closed"
  end

let sender_order st line =
  match Hashtbl.fold (fun at () first -> min at first) st.misordered never with
  | at when at < never -> rejected at "sender-order" "handled after one that the same sender sent later"
  | _ -> outside line "a message is overtaken by one whose send began after its own had returned"

let accept st line m =
  if not (step st (M.Accept m.id)) then begin
    if is_closed st m.recipient && (life st m.recipient).terminate_at < m.sent_at then
      rejected line "closed-is-closed" "a send begins after terminate and is accepted"
    else outside line "a message is accepted after its actor was closed"
  end;
  m.pushed <- true

let lane st m = List.assoc m.cls (life st m.recipient).order

exception Overtaken

(* Accepts a message, and before it those of its class that must come before. *)
let rec accept_up_to st at m =
  let line = line_of st.trace at in
  let order = lane st m in
  let rec before i =
    if order.(i) != m then begin
      let earlier = order.(i) in
      if not earlier.pushed then if earlier.sent_at < at then accept st line earlier else raise Overtaken;
      before (i + 1)
    end
  in
  let forgotten = m.handled_at = never && m.dead_at = never && st.trace.complete in
  if not m.pushed then
    try
      (* Usually everything before it is there already. *)
      let place = place_in order m in
      if place > 0 && not order.(place - 1).pushed then before 0;
      accept st line m
    with Overtaken -> if forgotten then (life st m.recipient).lost <- true else sender_order st line

and place_in order m =
  (* The order is sorted by what [acceptance] ranks by; a binary search would need the rank: walk from a guess. *)
  let rank m =
    if m.handled_at < never then (0, m.handled_at) else if m.dead_at < never then (1, m.dead_at) else (2, m.returned_at)
  in
  let rec search low high =
    let middle = (low + high) / 2 in
    if order.(middle) == m then middle
    else if compare (rank order.(middle)) (rank m) < 0 then search (middle + 1) high
    else search low (middle - 1)
  in
  search 0 (Array.length order - 1)

let signal = { M.what = M.Signal M.Exit; of_class = assumed }

let start_reader st line actor =
  if (get st actor).M.line = M.Not_started then must st line (M.Start_reader actor)

(* Makes the holder decide to end, by an assumed signal. *)
let stop st line actor =
  let never_starts = (get st actor).M.line = M.Not_started && not (life st actor).shows_reader in
  if stage st actor = Some M.Running && never_starts then mailbox st line actor M.Give_up
  else begin
    must st line (M.Tell (actor, M.Exit, assumed));
    start_reader st line actor;
    mailbox st line actor M.Take;
    mailbox st line actor (M.Handle_begin signal);
    mailbox st line actor (M.Handle_end false)
  end

(* Closes an actor; [busy] says what it means that a callback is in progress. *)
let rec close st at actor busy =
  let line = line_of st.trace at in
  if not (is_closed st actor) then begin
    List.iter (born st line) (List.rev (life st actor).family);
    List.iter
      (fun (_, order) -> Array.iter (fun m -> if (not m.pushed) && m.sent_at < at then accept st line m) order)
      (life st actor).order;
    match stage st actor with
    | Some (M.Initialising | M.Handling _) -> busy ()
    | Some M.Born -> outside line "the actor ends before its init"
    | Some (M.Stopping _) ->
        must st line (M.Close_family actor);
        mailbox st line actor M.Close
    | Some M.Running | None ->
        stop st line actor;
        close st at actor busy
    | Some (M.Draining _ | M.Terminating | M.Leaving) -> ()
  end

(* Something that only an ending actor does, while a callback is in progress: if terminate begins before the callback
   ends, that is what is wrong. *)
let overlap_ahead st at actor why =
  let rec look i =
    if i < Array.length st.trace.events then
      match snd st.trace.events.(i) with
      | Terminate_begin { actor = a } when a = actor ->
          rejected (line_of st.trace i) "handler-exclusion" "terminate begins while another callback is in progress"
      | (Handle_end { actor = a; _ } | Init_end { actor = a; _ }) when a = actor -> ()
      | _ -> look (i + 1)
  in
  look (at + 1);
  outside (line_of st.trace at) why

let letters st actor =
  List.filter_map (fun e -> match e.M.what with M.User m -> Some m | M.Notice _ | M.Signal _ -> None) (get st actor).M.mailbox.M.local

(* The holder's last steps: after terminate, or after a failed init. *)
let finish_holder st line actor =
  if stage st actor = Some (M.Draining false) then mailbox st line actor M.Skip_terminate;
  if stage st actor = Some M.Leaving then begin
    if letters st actor <> [] || (life st actor).lost then
      rejected line "no-loss" "the actor has ended, and a message that it had accepted is gone";
    List.iter (fun e -> mailbox st line actor (M.Dead_letter e)) (get st actor).M.mailbox.M.local;
    List.iter (fun child -> must st line (M.Tell_child (actor, child, assumed))) (get st actor).M.to_tell;
    if M.reader_needs_interrupt (get st actor).M.line && not (get st actor).M.interrupted then
      must st line (M.Interrupt (actor, false));
    must st line (M.Finished actor)
  end

(* The Reader's last steps, if it has returned or will never start. *)
let finish_reader st line actor =
  match (get st actor).M.line with
  | M.Returned ->
      must st line (M.Reader_signal (actor, assumed));
      must st line (M.Reader_over actor)
  | M.Not_started when is_closed st actor -> must st line (M.Reader_never actor)
  | _ -> ()

(* All that comes before an actor is reported as ended; children of whose end the trace says nothing are reported. *)
let rec before_report st line actor =
  finish_holder st line actor;
  finish_reader st line actor;
  (match (get st actor).M.line with
   | M.Reading -> rejected line "reader-lifetime" "the actor is reported ended while its Reader is in progress"
   | M.Started when (life st actor).shows_reader ->
       rejected line "reader-lifetime" "the Reader begins after its actor was reported ended"
   | M.Started -> outside line "the actor ends and its Reader never began"
   | _ -> ());
  List.iter
    (fun child ->
      let l = life st child in
      let left () =
        if l.joined then rejected line "ownership" "the actor is reported ended before its meta-process has ended"
        else outside line "the actor is reported ended while a spawn of it is in progress"
      in
      if l.shows_end then left ();
      (match stage st child with
       | Some (M.Draining false) | Some M.Leaving | None -> if not (is_closed st child) then left ()
       | Some _ -> left ());
      (match (get st child).M.line with
       | M.Reading when st.tells_ends && l.over && not (get st child).M.interrupted ->
           rejected line "interruption" "a meta-process has terminated, and its Reader was left without an interrupt"
       | M.Reading | M.Started -> left ()
       | _ -> ());
      report st line child false)
    (get st actor).M.children

and report st line actor seen =
  before_report st line actor;
  must st line (M.Report (actor, seen))

(* Events *)

let handle st at actor m =
  let line = line_of st.trace at in
  if m.recipient <> actor then rejected line "right-recipient" "the message was addressed to another actor";
  if m.gone then rejected line "no-duplication" "the message was handled, or is a dead letter";
  if m.told = Some false && m.returned_at < at then rejected line "no-duplication" "the message was refused";
  born st line actor;
  let open_ () =
    if m.told = Some false then rejected (line_of st.trace m.returned_at) "no-duplication" "the message is refused, and was handled";
    accept_up_to st at m;
    start_reader st line actor;
    let e = { M.what = M.User m.id; of_class = m.cls } in
    if not (step st (M.Mailbox (actor, M.Handle_begin e))) then begin
      ignore (step st (M.Mailbox (actor, M.Take)));
      if not (step st (M.Mailbox (actor, M.Handle_begin e))) then sender_order st line
    end;
    m.gone <- true
  in
  let ended = (life st actor).terminate_at < never in
  match stage st actor with
  | Some M.Born -> outside line "a message is handled before init"
  | Some h when M.in_callback h -> rejected line "handler-exclusion" "another callback is in progress"
  | Some M.Running -> open_ ()
  | None when not (is_closed st actor) -> open_ ()
  | Some (M.Stopping true) -> rejected line "panic-containment" "a message is handled after a handler failed"
  | Some (M.Stopping false) | Some (M.Draining false) ->
      rejected line "terminate-once" "a message is handled although init failed"
  | _ when ended -> rejected line "terminate-once" "a message is handled after terminate"
  | _ when (life st actor).failed -> rejected line "panic-containment" "a message is handled after a handler failed"
  | _ -> outside line "a message is handled after the actor was closed"

let terminate_begin st at actor =
  let line = line_of st.trace at in
  born st line actor;
  let core = (get st actor).M.mailbox in
  if core.M.begun <> M.O then rejected line "terminate-once" "terminate begins a second time";
  if core.M.initialised = Some false then rejected line "terminate-once" "terminate begins although init failed";
  close st at actor (fun () -> rejected line "handler-exclusion" "terminate begins while another callback is in progress");
  if (get st actor).M.reported then rejected line "terminate-once" "terminate begins after the end was reported";
  (life st actor).terminate_at <- min at (life st actor).terminate_at;
  mailbox st line actor M.Terminate_begin

let ended st at actor =
  let line = line_of st.trace at in
  born st line actor;
  let once why = rejected line "terminate-once" why in
  if (get st actor).M.reported then once "the actor is reported ended a second time";
  close st at actor (fun () -> once "the actor is reported ended while a callback is in progress");
  (match stage st actor with
   | Some (M.Draining true) -> once "the actor is reported ended although terminate has not run"
   | Some M.Terminating -> once "the actor is reported ended while terminate is in progress"
   | _ -> ());
  (life st actor).terminate_at <- min at (life st actor).terminate_at;
  (life st actor).over <- true;
  report st line actor true

(* A watcher is told: at the latest now the actor was reported as ended. *)
let down st at actor =
  let line = line_of st.trace at in
  if exists st actor && not (get st actor).M.reported then begin
    close st at actor (fun () -> outside line "a watcher is told while a callback is in progress");
    (match stage st actor with
     | Some (M.Draining true) | Some M.Terminating -> outside line "a watcher is told before terminate is over"
     | _ -> ());
    before_report st line actor;
    if not (life st actor).shows_end then must st line (M.Report (actor, false))
  end

let dead_letter st at actor m =
  let line = line_of st.trace at in
  if m.recipient <> actor then
    if m.gone && m.told <> None then outside line "a dead letter of another actor's message"
    else raise (Malformed (line, "the message was addressed to another actor"));
  if m.gone then rejected line "no-duplication" "a dead letter that was handled, or was one already";
  if m.told = Some false then
    rejected (line_of st.trace (max at m.returned_at)) "no-duplication" "a dead letter whose sender has it back";
  born st line actor;
  if not m.pushed then accept_up_to st at m;
  close st at actor (fun () -> overlap_ahead st at actor "a dead letter while a callback is in progress");
  let e = { M.what = M.User m.id; of_class = m.cls } in
  if not (step st (M.Mailbox (actor, M.Dead_letter e))) then outside line "dead letters are handed over in another order, or late";
  m.gone <- true

let event st at (line, event) =
  match event with
  | Spawn { actor; ok = true; _ } ->
      born st line actor;
      let l = life st actor in
      if l.returned then rejected line "unique-identity" "the actor is spawned, but this id named an actor before";
      l.returned <- true;
      if not (step st (M.Spawned actor)) then outside line "the spawn returns before init has succeeded"
  | Spawn { actor; ok = false; _ } ->
      if exists st actor && (get st actor).M.mailbox.M.initialised <> Some false && not (is_closed st actor) then
        close st at actor (fun () -> outside line "a refused spawn of an actor that is in a callback");
      must st line (M.Not_spawned actor)
  | Init_begin { actor; _ } ->
      born st line actor;
      if not (step st (M.Mailbox (actor, M.Init_begin))) then
        rejected line "unique-identity" "the actor begins, but this id named an actor before"
  | Init_end { actor; ok } ->
      if not ok then ((life st actor).failed <- true; (life st actor).over <- true);
      mailbox st line actor (M.Init_end ok)
  | Send_begin { message; recipient; cls; _ } ->
      born st line recipient;
      must st line (M.Send_begin (message, recipient, cls))
  | Send_end { message; ok } ->
      let m = Hashtbl.find st.messages message in
      if ok then accept_up_to st at m
      else if not (step st (M.Refuse message)) then must st line (M.Refuse_full message);
      if not (ok && (life st m.recipient).lost && not m.pushed) then must st line (M.Send_end message)
  | Handle_begin { actor; message } -> handle st at actor (Hashtbl.find st.messages message)
  | Handle_end { actor; message; ok } ->
      (match stage st actor with
       | Some (M.Handling { M.what = M.User m; _ }) when m = message -> ()
       | _ -> outside line "a handling ends that the model has not begun");
      if not ok then (life st actor).failed <- true;
      mailbox st line actor (M.Handle_end ok)
  | Reader_begin { actor } ->
      born st line actor;
      let too_early () = rejected line "reader-lifetime" "the Reader begins although init has not succeeded" in
      (match ((get st actor).M.line, stage st actor) with
       | M.Started, _ -> ()
       | M.Not_started, Some (M.Born | M.Initialising | M.Stopping false | M.Draining false) -> too_early ()
       | M.Not_started, Some M.Running -> start_reader st line actor
       | M.Not_started, _ -> if (life st actor).failed then too_early () else outside line "the Reader begins after its actor was closed"
       | _ when (get st actor).M.reported -> rejected line "reader-lifetime" "the Reader begins after the end was reported"
       | _ -> rejected line "reader-lifetime" "the Reader begins a second time");
      must st line (M.Reader_begin actor)
  | Reader_end { actor } -> must st line (M.Reader_end actor)
  | Interrupt { actor } ->
      born st line actor;
      close st at actor (fun () -> overlap_ahead st at actor "an interrupt while a callback is in progress");
      if not (step st (M.Interrupt (actor, true))) then outside line "a second interrupt"
  | Terminate_begin { actor } -> terminate_begin st at actor
  | Terminate_end { actor } ->
      if stage st actor <> Some M.Terminating then outside line "terminate ends, and the model is elsewhere";
      (life st actor).over <- true;
      mailbox st line actor M.Terminate_end
  | Dead_letter { actor; message } -> dead_letter st at actor (Hashtbl.find st.messages message)
  | Ended { actor } -> ended st at actor
  | Down { actor; _ } -> down st at actor
  | Monitor _ | Demonitor _ | Call_begin _ | Call_end _ | Reply _ | Not_modelled -> ()

(* The end of a complete trace *)

let rest st actor =
  let line = line_of st.trace (Array.length st.trace.events - 1) in
  let l = life st actor in
  let a () = get st actor in
  let callback = match stage st actor with Some h -> M.in_callback h | None -> false in
  (match l.owner with
   | Some owner when (life st owner).over && (not l.over) && (not callback) && (a ()).M.mailbox.M.initialised <> None && l.kind = M.Meta ->
       rejected line "ownership" "a meta-process is left although its parent has ended"
   | _ -> ());
  if not callback then begin
    (if (a ()).M.line = M.Returned && not (is_closed st actor) then
       (* Another runtime need not mean by a Reader's [ok] what ours does. *)
       outside line "the actor goes on living after its Reader returned");
    (match stage st actor with
     | Some M.Running ->
         if l.lost || letters st actor <> [] || (match (a ()).M.mailbox.M.inbox with M.Stack (_ :: _) -> true | _ -> false) then
           rejected line "wake-up" "a message waits in the mailbox of an idle actor";
         if (a ()).M.line = M.Not_started then
           if st.tells_readers && not l.refused then rejected line "reader-lifetime" "the Reader never began"
           else must st line (M.Start_reader actor);
         mailbox st line actor M.Park
     | Some (M.Stopping true) -> rejected line "panic-containment" "the actor goes on living after a callback failed"
     | Some (M.Stopping false) ->
         must st line (M.Close_family actor);
         mailbox st line actor M.Close
     | Some (M.Draining true) ->
         if l.failed then rejected line "panic-containment" "the actor goes on living after a callback failed";
         if letters st actor <> [] then rejected line "wake-up" "a message waits, and terminate never comes";
         outside line "the actor was closed, and terminate never comes"
     | Some M.Born -> outside line "the actor never began"
     | _ -> ());
    (match stage st actor with
     | Some M.Leaving
       when (a ()).M.line = M.Reading && st.tells_ends && (not (a ()).M.interrupted) && not l.shows_end ->
         rejected line "interruption" "the actor has terminated, and its Reader was left without an interrupt"
     | _ -> ());
    finish_holder st line actor;
    if st.tells_readers && (a ()).M.line = M.Started && not (is_closed st actor) then
      rejected line "reader-lifetime" "the Reader never began"
  end

let model_event st = function
  | Spawn { actor; ok; _ } -> Some (M.E_spawn (actor, ok))
  | Init_begin { actor; _ } -> Some (M.E_init_begin (actor, (life st actor).kind, (life st actor).owner))
  | Init_end { actor; ok } -> Some (M.E_init_end (actor, ok))
  | Send_begin { message; recipient; cls; _ } -> Some (M.E_send_begin (message, recipient, cls))
  | Send_end { message; ok } -> Some (M.E_send_end (message, ok))
  | Handle_begin { actor; message } -> Some (M.E_handle_begin (actor, message))
  | Handle_end { actor; message; ok } -> Some (M.E_handle_end (actor, message, ok))
  | Reader_begin { actor } -> Some (M.E_reader_begin actor)
  | Reader_end { actor } -> Some (M.E_reader_end actor)
  | Interrupt { actor } -> Some (M.E_interrupt actor)
  | Terminate_begin { actor } -> Some (M.E_terminate_begin actor)
  | Terminate_end { actor } -> Some (M.E_terminate_end actor)
  | Dead_letter { actor; message } -> Some (M.E_dead_letter (actor, message))
  | Ended { actor } -> Some (M.E_ended actor)
  | Down _ | Monitor _ | Demonitor _ | Call_begin _ | Call_end _ | Reply _ | Not_modelled -> None

(* The verdict on a trace, and how many of its events the model does not speak of. *)
let judge (trace : trace) : verdict * int =
  let messages, lives, tells_readers, tells_ends = survey trace in
  sense trace lives;
  overlaps trace messages;
  acceptance messages lives;
  let misordered = misorderings trace lives in
  let st = { trace; messages; lives; tells_readers; tells_ends; misordered; node = M.empty_node; labels = [] } in
  let skipped = Array.fold_left (fun n (_, e) -> match e with Down _ | Monitor _ | Demonitor _ | Call_begin _ | Call_end _ | Reply _ | Not_modelled -> n + 1 | _ -> n) 0 trace.events in
  match
    Array.iteri (event st) trace.events;
    if trace.complete && Array.length trace.events > 0 then begin
      Hashtbl.iter (fun actor _ -> if exists st actor then rest st actor) lives;
      if Hashtbl.fold (fun _ l lost -> lost || l.lost) lives false then
        outside (line_of trace (Array.length trace.events - 1)) "a message waits behind a callback that never returns"
    end
  with
  | exception Stop verdict -> (verdict, skipped)
  | () -> (
      let events = List.filter_map (fun (_, e) -> model_event st e) (Array.to_list trace.events) in
      match M.follow M.empty_node (List.rev st.labels) events with
      | Some last when (not trace.complete) || M.finished last -> (Accepted, skipped)
      | Some _ ->
          let line = line_of trace (Array.length trace.events - 1) in
          (Outside { line; why = "something is left to do at the end" }, skipped)
      | None -> failwith "the steps that were found do not explain the trace: a fault of this program")
