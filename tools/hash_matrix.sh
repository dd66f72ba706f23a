#!/bin/sh
# The same bits everywhere: trains one system under every instruction set, thread count and rank count
# and prints the hash of its weights for each.
# Usage: hash_matrix.sh SOMA NAME [train options...]
#   ISAS, THREADS, RANKS   what to try; default "generic avx2 avx512", "1 2" and "1 2 4"
# Exit: 0 all equal, 1 some differ, 2 a run failed.
set -eu

[ $# -ge 2 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
soma=$1
name=$2
shift 2
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# More threads than cores: waiting ones must sleep, not spin.
export OMP_WAIT_POLICY=passive

launch() {
    ranks=$1
    shift
    if [ "$ranks" -eq 1 ]; then "$@"; else "$(dirname "$0")/ranks.sh" "$ranks" "$@"; fi
}

echo "| ISA | threads | ranks | weights |"
echo "|---|---|---|---|"
first=
same=0
for isa in ${ISAS:-generic avx2 avx512}; do
    for threads in ${THREADS:-1 2}; do
        for ranks in ${RANKS:-1 2 4}; do
            SOMA_ISA=$isa SOMA_NUM_THREADS=$threads OMP_NUM_THREADS=$threads
            export SOMA_ISA SOMA_NUM_THREADS OMP_NUM_THREADS
            launch "$ranks" "$soma" train "$name" --out "$out" "$@" >"$out/log" 2>&1 ||
                { cat "$out/log" >&2; exit 2; }
            weights=$(sed -n 's/^weights: //p' "$out/log")
            echo "| $isa | $threads | $ranks | $weights |"
            [ "${first:=$weights}" = "$weights" ] || same=1
        done
    done
done
[ "$same" -eq 0 ] && echo "all equal" || echo "NOT all equal"
exit "$same"
