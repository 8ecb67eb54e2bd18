(* A strict reader for one JSON object per line (RFC 8259), as trace format version 1 needs it.

   Numbers keep their text: identities are 64-bit and must not be rounded. *)

type value =
  | Null
  | Bool of bool
  | Number of string
  | String of string
  | Array of value list
  | Object of (string * value) list

exception Malformed of int * string (* byte offset, what is wrong *)

let parse (text : string) : value =
  let length = String.length text in
  let at = ref 0 in
  let fail why = raise (Malformed (!at, why)) in
  let peek () = if !at < length then text.[!at] else '\000' in
  let skip_space () =
    while !at < length && (match text.[!at] with ' ' | '\t' | '\r' | '\n' -> true | _ -> false) do incr at done
  in
  let expect c = if !at < length && text.[!at] = c then incr at else fail (Printf.sprintf "`%c` is expected" c) in
  let word w value =
    let n = String.length w in
    if !at + n <= length && String.sub text !at n = w then (at := !at + n; value) else fail "a value is expected"
  in
  let digits () =
    let start = !at in
    while (match peek () with '0' .. '9' -> true | _ -> false) do incr at done;
    if !at = start then fail "a digit is expected"
  in
  let number () =
    let start = !at in
    if peek () = '-' then incr at;
    if peek () = '0' then incr at else digits ();
    if peek () = '.' then (incr at; digits ());
    (match peek () with
     | 'e' | 'E' ->
         incr at;
         (match peek () with '+' | '-' -> incr at | _ -> ());
         digits ()
     | _ -> ());
    Number (String.sub text start (!at - start))
  in
  let hex4 () =
    if !at + 4 > length then fail "four hexadecimal digits are expected";
    let code = ref 0 in
    for _ = 1 to 4 do
      let digit =
        match text.[!at] with
        | '0' .. '9' as c -> Char.code c - 48
        | 'a' .. 'f' as c -> Char.code c - 87
        | 'A' .. 'F' as c -> Char.code c - 55
        | _ -> fail "a hexadecimal digit is expected"
      in
      code := (!code * 16) + digit;
      incr at
    done;
    !code
  in
  let string () =
    expect '"';
    let buffer = Buffer.create 16 in
    let rec go () =
      if !at >= length then fail "the string does not end";
      match text.[!at] with
      | '"' -> incr at
      | '\\' ->
          incr at;
          (match peek () with
           | ('"' | '\\' | '/') as c -> Buffer.add_char buffer c; incr at
           | 'b' -> Buffer.add_char buffer '\b'; incr at
           | 'f' -> Buffer.add_char buffer '\012'; incr at
           | 'n' -> Buffer.add_char buffer '\n'; incr at
           | 'r' -> Buffer.add_char buffer '\r'; incr at
           | 't' -> Buffer.add_char buffer '\t'; incr at
           | 'u' ->
               incr at;
               let high = hex4 () in
               let code =
                 if high >= 0xD800 && high <= 0xDBFF then begin
                   expect '\\'; expect 'u';
                   let low = hex4 () in
                   if low < 0xDC00 || low > 0xDFFF then fail "a surrogate has no partner";
                   0x10000 + ((high - 0xD800) lsl 10) + (low - 0xDC00)
                 end
                 else if high >= 0xDC00 && high <= 0xDFFF then fail "a surrogate has no partner"
                 else high
               in
               Buffer.add_utf_8_uchar buffer (Uchar.of_int code)
           | _ -> fail "unknown escape");
          go ()
      | c when Char.code c < 0x20 -> fail "a control character in a string"
      | c -> Buffer.add_char buffer c; incr at; go ()
    in
    go ();
    Buffer.contents buffer
  in
  let rec value () =
    skip_space ();
    let v =
      match peek () with
      | '{' -> incr at; Object (members ())
      | '[' -> incr at; Array (elements ())
      | '"' -> String (string ())
      | 't' -> word "true" (Bool true)
      | 'f' -> word "false" (Bool false)
      | 'n' -> word "null" Null
      | _ -> number ()
    in
    skip_space ();
    v
  and members () =
    skip_space ();
    if peek () = '}' then (incr at; [])
    else
      let rec go found =
        skip_space ();
        let key = string () in
        skip_space ();
        expect ':';
        let v = value () in
        let found = (key, v) :: found in
        if peek () = ',' then (incr at; go found) else (expect '}'; List.rev found)
      in
      go []
  and elements () =
    skip_space ();
    if peek () = ']' then (incr at; [])
    else
      let rec go found =
        let v = value () in
        if peek () = ',' then (incr at; go (v :: found)) else (expect ']'; List.rev (v :: found))
      in
      go []
  in
  let v = value () in
  if !at <> length then fail "more text after the value";
  v

(* Text as a JSON string. *)
let quote text =
  let buffer = Buffer.create (String.length text + 2) in
  Buffer.add_char buffer '"';
  String.iter
    (function
      | '"' -> Buffer.add_string buffer "\\\""
      | '\\' -> Buffer.add_string buffer "\\\\"
      | c when Char.code c < 0x20 -> Buffer.add_string buffer (Printf.sprintf "\\u%04x" (Char.code c))
      | c -> Buffer.add_char buffer c)
    text;
  Buffer.add_char buffer '"';
  Buffer.contents buffer
