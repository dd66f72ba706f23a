#!/bin/sh
# Proves that an ISA unit shares no code with the rest of the program (kernels.md 15.2).
# Usage: check_isa_symbols.sh OBJECT...
# A weak or unique symbol could be merged with a portable copy, and then portable code would execute,
# say, AVX-512 instructions. Static initialisers would do so before the CPU is asked.
# NM and OBJDUMP name the tools of another architecture.
set -eu

nm=${NM:-nm}
objdump=${OBJDUMP:-objdump}
allowed='^(memcpy|memmove|memset|fma|fmaf|sqrt|sqrtf|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail)$'
bad=0
report() { echo "$1: $2" >&2; bad=1; }

[ $# -gt 0 ] || { echo "usage: check_isa_symbols.sh OBJECT..." >&2; exit 2; }
for object in "$@"; do
    [ -r "$object" ] || { echo "$object: no such object" >&2; exit 2; }
    "$nm" "$object" >/dev/null || { echo "$object: $nm cannot read it" >&2; exit 2; }
    shared=$("$nm" -C "$object" | awk '$2 ~ /^[WwVvu]$/ { $1 = ""; print }')
    [ -z "$shared" ] || report "$object" "weak or unique symbols:
$shared"
    external=$("$nm" -C "$object" | awk '$2 ~ /^[TDBR]$/ { $1 = $2 = ""; print }' |
        grep -v 'kernel_table()$' || true)
    [ -z "$external" ] || report "$object" "external symbols besides the table getter:
$external"
    undefined=$("$nm" "$object" | awk '$1 == "U" { print $2 }' | grep -Ev "$allowed" || true)
    [ -z "$undefined" ] || report "$object" "undefined symbols: $undefined"
    if "$objdump" -h "$object" | grep -q '\.init_array'; then
        report "$object" "has static initialisers"
    fi
done
[ "$bad" -eq 0 ] && echo "$# ISA units share no symbols"
exit "$bad"
