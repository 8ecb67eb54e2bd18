#!/bin/sh
# Compiles the proofs, has them re-checked by the independent checker, and asks what the theorems rest on.
#
#   proofs/coq/check.sh [--quick | --judge | --confirm]
#
# Lines on standard output, for people and for `antiphon verify`:
#   proved GUARANTEE THEOREM      closed under the global context: it rests on no axiom
#   outdated WHAT                 source.sh: the protocol's source has changed since it was last read against the model
#   skipped WHAT                  was not done
#   failed WHAT
#   judge PATH                    the extracted oracle, if OCaml is there to build it
# Exit status: 0 all proved (an outdated mapping is no failure), 1 something failed, 2 wrong use, 3 not run.
#
# --quick: without what takes most of the time: the independent checker, and compiling again what was compiled before
#          by the same tools and has not changed since.
# --judge: as --quick, but only for the oracle; says nothing of theorems.
# --confirm: the source was read against the table in ../README.md again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# Beside what cargo builds; nothing is written into the source tree.
out=${CARGO_TARGET_DIR:-$root/target}/proofs

mode=${1-}
case $mode in
--confirm) exec sh "$here/source.sh" --confirm ;;
'' | --quick | --judge) ;;
*)
    echo "usage: check.sh [--quick | --judge | --confirm]" >&2
    exit 2
    ;;
esac

missing() {
    echo "not run: $1 missing (apt-get install $2)"
    exit 3
}
command -v coqc >/dev/null 2>&1 || missing coqc coq
command -v coqchk >/dev/null 2>&1 || missing coqchk coq
[ "$mode" != --judge ] || command -v ocamlopt >/dev/null 2>&1 || missing ocamlopt ocaml-nox

failed() {
    echo "failed $*"
    exit 1
}

# Compiles everything in the current directory, and says which theorems are proved; into `said` at the very end.
compile() {
    cp "$here"/*.v "$here/theorems.txt" .
    files=$(sed -n 's/\.v$//p' "$here/_CoqProject")
    for file in $files; do
        coqc -q -Q . Antiphon "$file.v" >"$file.log" 2>&1 || { cat "$file.log"; failed "$file.v"; }
    done
    # What all of them together rest on: asked once for the tuple of all proofs, which takes a tenth of the time.
    grep -v '^#' theorems.txt | cut -d'|' -f1,2 | tr -d ' ' >theorems
    require="From Antiphon Require$(for file in $files; do printf ' %s' "$file"; done)."
    {
        echo "$require"
        echo "Definition all := ($(cut -d'|' -f2 theorems | paste -s -d, -))."
        echo "Print Assumptions all."
    } >Assumptions.v
    coqc -q -Q . Antiphon Assumptions.v >assumptions.log 2>&1 || { cat assumptions.log; failed theorems.txt; }
    [ "$(cat assumptions.log)" = "Closed under the global context" ] || {
        # Which of them?
        { echo "$require"; sed 's/.*|/Print Assumptions /; s/$/./' theorems; } >Assumptions.v
        coqc -q -Q . Antiphon Assumptions.v || true
        failed "a theorem rests on an axiom"
    }
    # The oracle: the executable model, extracted, with the driver around it.
    if command -v ocamlopt >/dev/null 2>&1; then
        cp "$here"/driver/*.ml .
        # Warnings are for our own files; the extracted one is as it is.
        ocamlopt -w -a -c model.mli model.ml >judge.log 2>&1 &&
            ocamlopt -w +a-4-9-40..42-44-45-70 -warn-error +a -o judge model.cmx json.ml trace.ml survey.ml explain.ml main.ml >>judge.log 2>&1 ||
            { cat judge.log; failed "the judge"; }
    fi
    sed 's/|/ /; s/^/proved /' theorems >said
}

recheck() {
    modules=
    for file in $(sed -n 's/\.v$//p' "$here/_CoqProject"); do modules="$modules Antiphon.$file"; done
    # shellcheck disable=SC2086 # a list of modules
    coqchk -silent -o -Q . Antiphon $modules >coqchk.log 2>&1 || { cat coqchk.log; failed coqchk; }
    grep '^\* Axioms:' coqchk.log | grep -q '<none>' || { cat coqchk.log; failed "coqchk: an axiom"; }
}

# What is compiled is found again by everything that it is made of, the tools and this script included.
mkdir -p "$out"
key=$(
    { coqc --version; ocamlopt -version 2>&1 || true; cat "$here"/*.v "$here"/driver/*.ml "$here/_CoqProject" "$here/theorems.txt" "$here/check.sh"; } |
        sha256sum | cut -c1-16
)
# One at a time, where the tool for it is there; without it, two do the same work twice.
exec 9>"$out/lock"
if command -v flock >/dev/null 2>&1; then flock 9; fi
built=$out/$key
if [ -z "$mode" ] || [ ! -f "$built/said" ]; then
    work=$out/working.$$
    rm -rf "$work"
    mkdir "$work"
    trap 'rm -rf "$work"' EXIT
    (cd "$work" && compile) || exit 1
    if [ -z "$mode" ]; then (cd "$work" && recheck) || exit 1; fi
    # It was the only one of its kind, or is as good as the other.
    rm -rf "$built"
    mv "$work" "$built"
elif [ "$mode" = --quick ]; then
    echo "skipped compiling what has not changed"
fi
# What is made of something else is of no use any more.
for other in "$out"/*/; do [ "$other" = "$built/" ] || rm -rf "$other"; done
exec 9>&-

if [ "$mode" != --judge ]; then
    if [ "$mode" = --quick ]; then echo "skipped coqchk"; fi
    cat "$built/said"
fi
if [ -x "$built/judge" ]; then echo "judge $built/judge"; fi
if [ "$mode" != --judge ]; then sh "$here/source.sh"; fi
