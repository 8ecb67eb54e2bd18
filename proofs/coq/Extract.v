(** * Extract: the executable model as OCaml

    Numbers stay what they are in the model (binary positives, unary naturals), so nothing has to be trusted about
    machine integers; only booleans, pairs, options and lists become OCaml's own. *)

From Coq Require Import Extraction ExtrOcamlBasic.
From Antiphon Require Import Model Ownership Executable Traces.

Extraction Language OCaml.
Extraction "model.ml" empty_node exec shows follow finished own_over busy.
