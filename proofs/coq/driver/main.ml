(* Judges recorded traces by the proved model.

     judge [--many] FILE...        `-` is standard input

   One JSON object for each trace, on a line of its own:
     {"file", "verdict": "accepted" | "rejected" | "outside" | "malformed", "line"?, "guarantee"?, "why"?, "not_modelled"?}
   With --many a file may hold many traces, each beginning with its header; they are named FILE#1, FILE#2, and so on.
   Exit status: 0 all accepted, 1 some rejected, 2 some malformed or unreadable, 3 some outside of the model. *)

let worst = ref 0
let note status = if status = 2 || (!worst <> 2 && (status = 1 || (status = 3 && !worst = 0))) then worst := status

let say name fields =
  let text (key, value) = Printf.sprintf "%s:%s" (Json.quote key) value in
  print_endline ("{" ^ String.concat "," (List.map text (("file", Json.quote name) :: fields)) ^ "}")

let verdict name lines =
  let q = Json.quote in
  match Explain.judge (Trace.read lines) with
  | Explain.Accepted, skipped ->
      say name [ ("verdict", q "accepted"); ("not_modelled", string_of_int skipped) ]
  | Explain.Rejected { line; guarantee; why }, skipped ->
      note 1;
      say name
        [ ("verdict", q "rejected"); ("line", string_of_int line); ("guarantee", q guarantee); ("why", q why);
          ("not_modelled", string_of_int skipped) ]
  | Explain.Outside { line; why }, skipped ->
      note 3;
      say name
        [ ("verdict", q "outside"); ("line", string_of_int line); ("why", q why);
          ("not_modelled", string_of_int skipped) ]
  | exception Trace.Malformed (line, why) ->
      note 2;
      say name [ ("verdict", q "malformed"); ("line", string_of_int line); ("why", q why) ]

let lines_of channel =
  let rec go n found =
    match input_line channel with
    | line -> go (n + 1) ((n, line) :: found)
    | exception End_of_file -> List.rev found
  in
  go 1 []

(* Splits at the headers; the lines of each trace count from 1. *)
let split lines =
  let renumber trace = List.mapi (fun i (_, line) -> (i + 1, line)) (List.rev trace) in
  let close current traces = if current = [] then traces else renumber current :: traces in
  let rec go current traces = function
    | [] -> List.rev (close current traces)
    | ((_, text) as line) :: rest ->
        if Trace.is_header text then go [ line ] (close current traces) rest else go (line :: current) traces rest
  in
  go [] [] lines

let judge many name =
  match if name = "-" then lines_of stdin else (let c = open_in_bin name in Fun.protect ~finally:(fun () -> close_in c) (fun () -> lines_of c)) with
  | exception Sys_error why ->
      note 2;
      prerr_endline why
  | lines ->
      if many then List.iteri (fun i trace -> verdict (Printf.sprintf "%s#%d" name (i + 1)) trace) (split lines)
      else verdict name lines

let () =
  match List.tl (Array.to_list Sys.argv) with
  | "--many" :: (_ :: _ as files) -> List.iter (judge true) files; exit !worst
  | (_ :: _ as files) when List.hd files <> "--many" -> List.iter (judge false) files; exit !worst
  | _ ->
      prerr_endline "usage: judge [--many] FILE...";
      exit 2
