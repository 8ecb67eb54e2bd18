(* Traces, format version 1: lines to events, and identities to the model's numbers. *)

open Model

exception Malformed of int * string (* line, what is wrong *)

type sender = Unknown | Actor_line of positive | Thread of string

(* What the model speaks of, and what it leaves out. [reason] and the like are not needed. *)
type event =
  | Spawn of { actor : positive; kind : kind; parent : positive option; ok : bool }
  | Init_begin of { actor : positive; kind : kind; parent : positive option }
  | Init_end of { actor : positive; ok : bool }
  | Send_begin of { message : positive; from : sender; recipient : positive; cls : positive }
  | Send_end of { message : positive; ok : bool }
  | Handle_begin of { actor : positive; message : positive }
  | Handle_end of { actor : positive; message : positive; ok : bool }
  | Reader_begin of { actor : positive }
  | Reader_end of { actor : positive }
  | Interrupt of { actor : positive }
  | Terminate_begin of { actor : positive }
  | Terminate_end of { actor : positive }
  | Dead_letter of { actor : positive; message : positive }
  | Ended of { actor : positive }
  | Down of { id : string; watcher : positive; actor : positive } (* only as: the end was reported *)
  (* Standard events of which the model says nothing; read for what would make them malformed. *)
  | Monitor of { id : string; watcher : positive; actor : positive }
  | Demonitor of string
  | Call_begin of string
  | Call_end of string
  | Reply of string
  | Not_modelled

type trace = { complete : bool; events : (int * event) array (* line number, event *) }

let rec positive_of_int n =
  if n = 1 then XH else if n land 1 = 1 then XI (positive_of_int (n lsr 1)) else XO (positive_of_int (n lsr 1))

let rec int_of_positive = function XH -> 1 | XO p -> 2 * int_of_positive p | XI p -> (2 * int_of_positive p) + 1

(* Classes by name. A class of its own for the signals that the driver has to assume. *)
let urgent = positive_of_int 1
let system = positive_of_int 2
let main = positive_of_int 3
let assumed = positive_of_int 4

(* Gives each identity of a trace a small number. *)
let numbering () =
  let known = Hashtbl.create 64 in
  fun (text : string) ->
    match Hashtbl.find_opt known text with
    | Some n -> n
    | None ->
        let n = positive_of_int (Hashtbl.length known + 1) in
        Hashtbl.add known text n;
        n

let is_u64 text =
  let n = String.length text in
  n > 0
  && String.for_all (function '0' .. '9' -> true | _ -> false) text
  && (n < 20 || (n = 20 && String.compare text "18446744073709551615" <= 0))

(* A field, looked up once. Absent and null are the same; the same field twice is a fault. *)
let field line fields name =
  match List.filter (fun (key, _) -> String.equal key name) fields with
  | [] | [ (_, Json.Null) ] -> None
  | [ (_, v) ] -> Some v
  | _ -> raise (Malformed (line, Printf.sprintf "duplicate field `%s`" name))

let need line name = function Some v -> v | None -> raise (Malformed (line, Printf.sprintf "the field `%s` is missing" name))

let number line name = function
  | None -> None
  | Some (Json.Number text) when is_u64 text -> Some text
  | Some _ -> raise (Malformed (line, Printf.sprintf "`%s` must be an unsigned 64-bit integer" name))

let boolean line name = function
  | None -> None
  | Some (Json.Bool b) -> Some b
  | Some _ -> raise (Malformed (line, Printf.sprintf "`%s` must be true or false" name))

let text line name = function
  | None -> None
  | Some (Json.String s) -> Some s
  | Some _ -> raise (Malformed (line, Printf.sprintf "`%s` must be a string" name))

let line_limit = 65536

(* Well-formed UTF-8, as Unicode's table 3-7 has it. *)
let is_utf_8 text =
  let length = String.length text in
  let byte at = if at < length then Char.code text.[at] else 0 in
  let tail at = byte at land 0xC0 = 0x80 in
  let rec go at =
    at >= length
    ||
    let first = byte at and second = byte (at + 1) in
    if first < 0x80 then go (at + 1)
    else if first >= 0xC2 && first <= 0xDF then tail (at + 1) && go (at + 2)
    else if first >= 0xE0 && first <= 0xEF then
      tail (at + 1) && tail (at + 2)
      && (first <> 0xE0 || second >= 0xA0)
      && (first <> 0xED || second < 0xA0)
      && go (at + 3)
    else
      first >= 0xF0 && first <= 0xF4
      && tail (at + 1) && tail (at + 2) && tail (at + 3)
      && (first <> 0xF0 || second >= 0x90)
      && (first <> 0xF4 || second < 0x90)
      && go (at + 4)
  in
  go 0

let object_of line source =
  if String.length source > line_limit then raise (Malformed (line, "the line is longer than 65536 bytes"));
  if not (is_utf_8 source) then raise (Malformed (line, "the text is not UTF-8"));
  match Json.parse source with
  | Json.Object fields -> fields
  | _ -> raise (Malformed (line, "a JSON object is expected"))
  | exception Json.Malformed (at, why) -> raise (Malformed (line, Printf.sprintf "column %d: %s" (at + 1) why))

let is_header source = match Json.parse source with
  | Json.Object fields -> List.mem_assoc "format" fields
  | _ -> false
  | exception Json.Malformed _ -> false

let header line source =
  let fields = object_of line source in
  let get = field line fields in
  if text line "format" (get "format") <> Some "antiphon-trace" then
    raise (Malformed (line, "the format must be `antiphon-trace`"));
  if number line "version" (get "version") <> Some "1" then raise (Malformed (line, "the version must be 1"));
  ignore (need line "runtime" (text line "runtime" (get "runtime")));
  need line "complete" (boolean line "complete" (get "complete"))

(* Compares two unsigned decimals without leading zeros. *)
let less a b = String.length a < String.length b || (String.length a = String.length b && String.compare a b < 0)

let event actor_id message_id line source =
  let fields = object_of line source in
  let get = field line fields in
  let seq = need line "seq" (number line "seq" (get "seq")) in
  let ev = need line "ev" (text line "ev" (get "ev")) in
  let id name = Option.map actor_id (number line name (get name)) in
  let actor () = need line "actor" (id "actor") in
  let message () = message_id (need line "msg" (number line "msg" (get "msg"))) in
  let ok () = need line "ok" (boolean line "ok" (get "ok")) in
  let kind () =
    match need line "kind" (text line "kind" (get "kind")) with
    | "process" -> Process
    | "meta" -> Meta
    | _ -> raise (Malformed (line, "`kind` must be `process` or `meta`"))
  in
  let from () =
    match (id "from", text line "thread" (get "thread")) with
    | Some _, Some _ -> raise (Malformed (line, "`thread` and `from` exclude each other"))
    | Some a, None -> Actor_line a
    | None, Some t -> Thread t
    | None, None -> Unknown
  in
  let cls () =
    match text line "class" (get "class") with
    | None | Some "main" -> main
    | Some "system" -> system
    | Some "urgent" -> urgent
    | Some _ -> raise (Malformed (line, "`class` must be `urgent`, `system` or `main`"))
  in
  let parent () = id "parent" in
  let reference () = need line "ref" (number line "ref" (get "ref")) in
  let call () = need line "call" (number line "call" (get "call")) in
  let watcher () = need line "watcher" (id "watcher") in
  let parsed =
    match ev with
    | "spawn" -> Some (Spawn { actor = actor (); kind = kind (); parent = parent (); ok = ok () })
    | "init_begin" -> Some (Init_begin { actor = actor (); kind = kind (); parent = parent () })
    | "init_end" -> Some (Init_end { actor = actor (); ok = ok () })
    | "send_begin" ->
        let recipient = need line "to" (id "to") in
        Some (Send_begin { message = message (); from = from (); recipient; cls = cls () })
    | "send_end" ->
        Some (Send_end { message = message (); ok = need line "accepted" (boolean line "accepted" (get "accepted")) })
    | "handle_begin" -> Some (Handle_begin { actor = actor (); message = message () })
    | "handle_end" -> Some (Handle_end { actor = actor (); message = message (); ok = ok () })
    | "reader_begin" -> Some (Reader_begin { actor = actor () })
    | "reader_end" -> ignore (ok ()); Some (Reader_end { actor = actor () })
    | "interrupt" -> Some (Interrupt { actor = actor () })
    | "terminate_begin" -> Some (Terminate_begin { actor = actor () })
    | "terminate_end" -> Some (Terminate_end { actor = actor () })
    | "dead_letter" -> Some (Dead_letter { actor = actor (); message = message () })
    | "x_ended" -> Some (Ended { actor = actor () })
    | "monitor" -> Some (Monitor { id = reference (); watcher = watcher (); actor = actor () })
    | "down" -> Some (Down { id = reference (); watcher = watcher (); actor = actor () })
    | "x_demonitor" -> Some (Demonitor (reference ()))
    | "call_begin" ->
        ignore (need line "to" (id "to"));
        ignore (from ());
        Some (Call_begin (call ()))
    | "call_end" ->
        (match need line "outcome" (text line "outcome" (get "outcome")) with
         | "reply" | "refused" | "timeout" | "callee_terminated" | "deadlock" -> ()
         | _ -> raise (Malformed (line, "unknown outcome")));
        Some (Call_end (call ()))
    | "reply" -> Some (Reply (call ()))
    | "link" -> ignore (need line "a" (id "a")); ignore (need line "b" (id "b")); Some Not_modelled
    | "exit_signal" -> ignore (need line "from" (id "from")); ignore (need line "to" (id "to")); Some Not_modelled
    | "name" | "unname" -> ignore (need line "name" (text line "name" (get "name"))); ignore (actor ()); Some Not_modelled
    | _ when String.length ev >= 2 && String.sub ev 0 2 = "x_" -> None
    | _ -> raise (Malformed (line, Printf.sprintf "unknown event `%s`" ev))
  in
  (seq, parsed)

(* Reads one trace from [next], which gives numbered lines; the first is the header. *)
let read (lines : (int * string) list) : trace =
  match lines with
  | [] -> raise (Malformed (1, "the input is empty; the first line must be the header"))
  | (line, first) :: rest ->
      let complete = header line first in
      let actor_id = numbering () and message_id = numbering () in
      let last = ref None in
      let events =
        List.filter_map
          (fun (line, source) ->
            let seq, parsed = event actor_id message_id line source in
            (match !last with
             | Some before when not (less before seq) ->
                 raise (Malformed (line, Printf.sprintf "seq %s does not come after seq %s" seq before))
             | _ -> last := Some seq);
            Option.map (fun e -> (line, e)) parsed)
          rest
      in
      { complete; events = Array.of_list events }
