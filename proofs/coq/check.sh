#!/bin/sh
# Compiles the proofs, has them re-checked by the independent checker, and asks what the theorems rest on.
#
#   proofs/coq/check.sh [--quick | --confirm]
#
# Lines on standard output, for people and for `antiphon verify`:
#   proved GUARANTEE THEOREM      closed under the global context: it rests on no axiom
#   outdated FILE                 the protocol's source has changed since the mapping in proofs/README.md was confirmed
#   failed WHAT
#   judge PATH                    the extracted oracle, if OCaml is there to build it
# Exit status: 0 all proved (an outdated mapping is no failure), 1 something failed, 2 wrong use, 3 not run.
#
# --quick: without the independent checker, which takes most of the time; said by the line `skipped coqchk`.
# --confirm: the mapping was read against the source again; writes source.digest.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# Beside what cargo builds; nothing is written into the source tree.
out=${CARGO_TARGET_DIR:-$root/target}/proofs

# The text of the protocol without comments and blank lines: a better comment is no other protocol.
digest() {
    sed -e 's,^[[:space:]]*//.*,,' -e '/^[[:space:]]*$/d' "$root/$1" | sha256sum | cut -d' ' -f1
}
protocol='src/inbox.rs src/mailbox.rs src/process.rs src/meta.rs src/lifecycle.rs src/family.rs src/relations.rs src/call.rs'

quick=
case ${1-} in
--quick) quick=yes ;;
--confirm)
    for file in $protocol; do echo "$(digest "$file")  $file"; done >"$here/source.digest"
    echo "confirmed: source.digest"
    exit 0
    ;;
'') ;;
*)
    echo "usage: check.sh [--quick | --confirm]" >&2
    exit 2
    ;;
esac

for tool in coqc coqchk; do
    if ! command -v $tool >/dev/null 2>&1; then
        echo "not run: $tool missing (apt-get install coq)"
        exit 3
    fi
done

failed() {
    echo "failed $*"
    exit 1
}

mkdir -p "$out"
files=$(sed -n 's/\.v$//p' "$here/_CoqProject")
cp "$here"/*.v "$out"
cd "$out"
for file in $files; do
    coqc -q -Q . Antiphon "$file.v" >"$file.log" 2>&1 || { cat "$file.log"; failed "$file.v"; }
done

if [ -n "$quick" ]; then
    echo "skipped coqchk"
else
    modules=
    for file in $files; do modules="$modules Antiphon.$file"; done
    # shellcheck disable=SC2086 # a list of modules
    coqchk -silent -o -Q . Antiphon $modules >coqchk.log 2>&1 || { cat coqchk.log; failed coqchk; }
    grep '^\* Axioms:' coqchk.log | grep -q '<none>' || { cat coqchk.log; failed "coqchk: an axiom"; }
fi

# What all of them together rest on: asked once for the tuple of all proofs, which takes a tenth of the time.
grep -v '^#' "$here/theorems.txt" | cut -d'|' -f1,2 | tr -d ' ' >theorems
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
sed 's/|/ /; s/^/proved /' theorems

# The oracle: the executable model, extracted, with the driver around it.
if command -v ocamlopt >/dev/null 2>&1; then
    cp "$here"/driver/*.ml .
    # Warnings are for our own files; the extracted one is as it is.
    ocamlopt -w -a -c model.mli model.ml >judge.log 2>&1 &&
        ocamlopt -w +a-4-9-40..42-44-45-70 -warn-error +a -o judge model.cmx json.ml trace.ml survey.ml explain.ml main.ml >>judge.log 2>&1 ||
        { cat judge.log; failed "the judge"; }
    echo "judge $out/judge"
fi

grep -v '^#' "$here/steps.txt" | while IFS='|' read -r step file item; do
    file=$(echo $file) item=$(echo $item)
    grep -q "fn $item\b" "$root/$file" 2>/dev/null || echo "outdated $file: there is no \`$item\`, which takes ${step% }"
done
if [ -f "$here/source.digest" ]; then
    while read -r digest file; do
        [ -f "$root/$file" ] && [ "$(digest "$file")" = "$digest" ] || echo "outdated $file"
    done <"$here/source.digest"
else
    echo "outdated: source.digest is missing"
fi
