#!/bin/sh
# Whether the protocol's source is the one that was last read against the model.
#
#   proofs/coq/source.sh             says `outdated FILE: FUNCTION...` for what has changed since
#   proofs/coq/source.sh --confirm   it was read again: writes source.digest
#
# What is compared is the text of each function, and of what stands outside of functions, without comments, blank
# lines and tests: a better comment is no other protocol.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
protocol='src/inbox.rs src/mailbox.rs src/process.rs src/meta.rs src/lifecycle.rs src/family.rs src/relations.rs src/call.rs src/capacity.rs'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One file for each function, called FILE:FUNCTION; what is not in one is in FILE:items. Of the same name in one file, all
# are one.
for file in $protocol; do
    [ -f "$root/$file" ] || continue
    awk -v out="$work/" -v file="$(echo "$file" | tr / +)" '
        /^#\[cfg\(test\)\]/ { exit }
        /^[[:space:]]*\/\// || /^[[:space:]]*$/ { next }
        match($0, /(^|[[:space:]])fn [a-z_0-9]+/) {
            name = substr($0, RSTART, RLENGTH)
            sub(/.*fn /, "", name)
            indent = match($0, /[^[:space:]]/)
            inside = name
        }
        {
            print > (out file ":" (inside == "" ? "items" : inside))
            # A function ends with the brace below its beginning, or has no body.
            if (inside != "" && match($0, /[^[:space:]]/) == indent && ($0 ~ /^[[:space:]]*}/ || $0 ~ /[;}]$/)) inside = ""
        }
    ' "$root/$file"
done
now=$(cd "$work" && sha256sum -- * | sed -E 's,^([0-9a-f]{16})[0-9a-f]* +,\1 ,; s,\+,/,g')

if [ "${1-}" = --confirm ]; then
    echo "$now" >"$here/source.digest"
    echo "confirmed: source.digest"
    exit 0
fi

grep -v '^#' "$here/steps.txt" | while IFS='|' read -r step file item; do
    file=$(echo $file) item=$(echo $item)
    grep -q "fn $item\b" "$root/$file" 2>/dev/null || echo "outdated $file: there is no \`$item\`, which takes ${step% }"
done
[ -f "$here/source.digest" ] || {
    echo "outdated everything: source.digest is missing"
    exit 0
}
# What is in one list and not in the other, by its name, once.
echo "$now" | sort - "$here/source.digest" | uniq -u | cut -d' ' -f2 | sort -u | while IFS=: read -r file item; do
    steps=$(sed -n "s,^\([^|#]*[^ ]\) *| *$file *| *$item *\$,\1,p" "$here/steps.txt" | tr '\n' ' ')
    echo "outdated $file: $item${steps:+, which takes ${steps% }}"
done
