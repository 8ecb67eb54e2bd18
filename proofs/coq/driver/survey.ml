(* What a trace says as a whole, before it is explained step by step: what becomes of each message and of each actor, in which
   order messages must have been accepted, and whether the trace makes sense at all. *)

open Trace
module M = Model

(* What the whole trace says of a message and of an actor. *)
type message = {
  id : M.positive;
  recipient : M.positive;
  cls : M.positive;
  from : sender;
  sent_at : int;  (* positions of events in the trace *)
  mutable returned_at : int;
  mutable told : bool option;  (* accepted? *)
  mutable handled_at : int;
  mutable dead_at : int;
  mutable pushed : bool;
  mutable gone : bool;  (* handled or a dead letter, by now *)
  mutable overlaps : bool;  (* handled while another callback was in progress: its order is not known *)
}

type life = {
  mutable kind : M.kind;
  mutable owner : M.positive option;
  mutable family : M.positive list;
  mutable shows_reader : bool;
  mutable shows_end : bool;
  mutable refused : bool;
  mutable joined : bool;  (* its spawn succeeded, or its Reader began *)
  mutable returned : bool;  (* its spawn has returned with success, by now *)
  mutable failed : bool;  (* by now: a callback failed *)
  mutable terminate_at : int;  (* by now: where terminate began or the end was reported *)
  mutable lost : bool;  (* it has accepted a message that nobody ever hears of again, so no step explains it *)
  mutable over : bool;  (* by now: its init failed, its terminate is over, or its end was reported *)
  mutable order : (M.positive * message array) list;  (* by class: in order of acceptance *)
}

let never = max_int

(* The trace as a whole *)

let life_in lives actor =
  match Hashtbl.find_opt lives actor with
  | Some life -> life
  | None ->
      let life =
        { kind = M.Process; owner = None; family = []; shows_reader = false; shows_end = false; refused = false;
          joined = false; returned = false; failed = false; lost = false; over = false; terminate_at = never; order = [] }
      in
      Hashtbl.add lives actor life;
      life

let line_of trace at = fst trace.events.(at)

let survey trace =
  let messages = Hashtbl.create 256 and lives = Hashtbl.create 16 in
  let tells_readers = ref false and tells_ends = ref false in
  let life = life_in lives in
  let malformed at why = raise (Malformed (line_of trace at, why)) in
  let message at id =
    match Hashtbl.find_opt messages id with Some m -> m | None -> malformed at "no send of this message has begun"
  in
  let belongs actor kind parent =
    let l = life actor in
    l.kind <- kind;
    match parent with
    | Some p when l.owner = None ->
        l.owner <- parent;
        (life p).family <- actor :: (life p).family
    | _ -> ()
  in
  let introduced = Hashtbl.create 16 and how = Hashtbl.create 16 and shared = Hashtbl.create 16 in
  (* The spawn and the init of one actor agree. A second spawn, a second init, and an init after a callback are another
     actor under the same name: what is said of the two from then on need not agree. *)
  let introduce at by actor kind parent =
    match Hashtbl.find_opt introduced actor with
    | Some (k, p) when not (Hashtbl.mem how (by, actor)) ->
        Hashtbl.add how (by, actor) ();
        if not (Hashtbl.mem shared actor) then begin
          if k <> kind then malformed at "the actor was said to be of the other kind";
          if p <> None && parent <> None && p <> parent then malformed at "the actor was said to be another's child"
        end;
        belongs actor kind parent
    | Some _ -> Hashtbl.replace shared actor ()
    | None ->
        Hashtbl.add introduced actor (kind, parent);
        Hashtbl.add how (by, actor) ();
        belongs actor kind parent
  in
  let called = Hashtbl.create 16 in
  Array.iteri
    (fun at (_, event) ->
      match event with
      | Spawn { actor; kind; parent; ok } ->
          if ok then (introduce at `Spawn actor kind parent; (life actor).joined <- true)
          else begin
            if not (Hashtbl.mem introduced actor) then belongs actor kind parent;
            (life actor).refused <- true
          end
      | Init_begin { actor; kind; parent } ->
          introduce at `Init actor kind parent;
          if Hashtbl.mem called actor then Hashtbl.replace shared actor ()
      | Send_begin { message = id; from; recipient; cls } ->
          if Hashtbl.mem messages id then malformed at "this message was sent before";
          ignore (life recipient);
          Hashtbl.add messages id
            { id; recipient; cls; from; sent_at = at; returned_at = never; told = None; handled_at = never;
              dead_at = never; pushed = false; gone = false; overlaps = false }
      | Send_end { message = id; ok } ->
          let m = message at id in
          if m.told <> None then malformed at "the send of this message ended before";
          m.told <- Some ok;
          m.returned_at <- at
      | Handle_begin { actor; message = id } ->
          let m = message at id in
          Hashtbl.replace called actor ();
          if m.recipient = actor then m.handled_at <- min m.handled_at at
      | Dead_letter { actor; message = id } ->
          let m = message at id in
          if m.recipient = actor then m.dead_at <- min m.dead_at at
      | Reader_begin { actor } ->
          tells_readers := true;
          (life actor).shows_reader <- true;
          (life actor).joined <- true
      | Interrupt _ -> tells_ends := true
      | Ended { actor } ->
          tells_ends := true;
          (life actor).shows_end <- true
      | Terminate_begin { actor } -> Hashtbl.replace called actor ()
      | Init_end _ | Handle_end _ | Reader_end _ | Terminate_end _ | Down _ | Monitor _ | Demonitor _ | Call_begin _ | Call_end _ | Reply _ | Not_modelled -> ())
    trace.events;
  (messages, lives, !tells_readers, !tells_ends)

(* Which messages are handled while another callback of their actor is in progress. *)
let overlaps trace messages =
  let running = Hashtbl.create 16 in
  let count actor = Option.value ~default:0 (Hashtbl.find_opt running actor) in
  let add actor n = Hashtbl.replace running actor (count actor + n) in
  Array.iteri
    (fun at (_, event) ->
      match event with
      | Init_begin { actor; _ } | Terminate_begin { actor } -> add actor 1
      | Init_end { actor; _ } | Terminate_end { actor } | Handle_end { actor; _ } -> add actor (-1)
      | Handle_begin { actor; message } ->
          let m = Hashtbl.find messages message in
          if count actor > 0 && m.handled_at = at then m.overlaps <- true;
          add actor 1
      | _ -> ())
    trace.events

(* Each begun thing ends at most once; a process has no Reader. What is said of an actor after its identity was given
   twice is not looked at. *)
let sense trace lives =
  let inits = Hashtbl.create 16 and readers = Hashtbl.create 16 and ends = Hashtbl.create 16 in
  let handling = Hashtbl.create 16 and ambiguous = Hashtbl.create 1 in
  let more table key = Hashtbl.replace table key (1 + Option.value ~default:0 (Hashtbl.find_opt table key)) in
  let less at table key actor what =
    match Hashtbl.find_opt table key with
    | Some n when n > 0 -> Hashtbl.replace table key (n - 1)
    | _ ->
        if not (Hashtbl.mem ambiguous actor) then
          raise (Malformed (line_of trace at, what ^ " ends, but it is not in progress"))
  in
  let placed = Hashtbl.create 8 and monitors = Hashtbl.create 8 and calls = Hashtbl.create 8 in
  let malformed at why = raise (Malformed (line_of trace at, why)) in
  let monitor at id watcher actor =
    match Hashtbl.find_opt monitors id with
    | Some (w, a) -> if w <> watcher || a <> actor then malformed at "this monitor was said to be another"
    | None -> Hashtbl.add monitors id (watcher, actor)
  in
  let begun = Hashtbl.create 16 and spawned = Hashtbl.create 16 and active = Hashtbl.create 16 in
  let has_reader at actor =
    match Hashtbl.find_opt lives actor with
    | Some { kind = M.Process; _ } when Hashtbl.mem begun actor ->
        raise (Malformed (line_of trace at, "the actor is a process, which has no Reader"))
    | _ -> ()
  in
  Array.iteri
    (fun at (_, event) ->
      match event with
      | Spawn { actor; ok = true; _ } ->
          if Hashtbl.mem spawned actor then Hashtbl.replace ambiguous actor () else Hashtbl.add spawned actor ()
      | Init_begin { actor; _ } ->
          if Hashtbl.mem begun actor || Hashtbl.mem active actor then Hashtbl.replace ambiguous actor ();
          Hashtbl.replace begun actor ();
          more inits actor
      | Init_end { actor; _ } -> less at inits actor actor "init"
      | Handle_begin { actor; message } -> Hashtbl.replace active actor (); more handling (actor, message)
      | Handle_end { actor; message; _ } -> less at handling (actor, message) actor "handle"
      | Reader_begin { actor } -> has_reader at actor; more readers actor
      | Reader_end { actor } -> has_reader at actor; less at readers actor actor "the Reader"
      | Interrupt { actor } -> has_reader at actor
      | Terminate_begin { actor } -> Hashtbl.replace active actor (); more ends actor
      | Terminate_end { actor } -> less at ends actor actor "terminate"
      | Monitor { id; watcher; actor } ->
          if Hashtbl.mem placed id then malformed at "this monitor was placed before";
          Hashtbl.add placed id ();
          monitor at id watcher actor
      | Down { id; watcher; actor } -> monitor at id watcher actor
      | Demonitor id -> if not (Hashtbl.mem monitors id) then malformed at "this monitor was not placed"
      | Call_begin id -> if Hashtbl.mem calls id then malformed at "this call was begun before" else Hashtbl.add calls id ()
      | Call_end id | Reply id -> if not (Hashtbl.mem calls id) then malformed at "no such call has begun"
      | _ -> ())
    trace.events

(* In which order each actor accepts the messages of a class: those that it handles in the order of handling, then its dead
   letters, then what it has not come to. *)
let acceptance messages lives =
  let by_lane = Hashtbl.create 16 in
  Hashtbl.iter
    (fun _ m ->
      if m.told <> Some false && (m.told = Some true || m.handled_at < never || m.dead_at < never) then
        let lane = (m.recipient, m.cls) in
        Hashtbl.replace by_lane lane (m :: Option.value ~default:[] (Hashtbl.find_opt by_lane lane)))
    messages;
  let rank m =
    if m.handled_at < never then (0, m.handled_at) else if m.dead_at < never then (1, m.dead_at) else (2, m.returned_at)
  in
  Hashtbl.iter
    (fun (recipient, cls) members ->
      let order = Array.of_list members in
      Array.sort (fun a b -> compare (rank a) (rank b)) order;
      let life = life_in lives recipient in
      life.order <- (cls, order) :: life.order)
    by_lane

(* sender-order, seen in the whole trace: a message is handled after one that its sender sent later. *)
let misorderings trace lives =
  let lines = Hashtbl.create 1 in
  Hashtbl.iter
    (fun _ life ->
      List.iter
        (fun (_, order) ->
          let latest = Hashtbl.create 8 in
          Array.iter
            (fun m ->
              if m.handled_at < never && m.from <> Unknown && not m.overlaps then begin
                let before = Option.value ~default:(-1) (Hashtbl.find_opt latest m.from) in
                if m.returned_at < before then Hashtbl.replace lines (line_of trace m.handled_at) ();
                Hashtbl.replace latest m.from (max before m.sent_at)
              end)
            order)
        life.order)
    lives;
  lines
