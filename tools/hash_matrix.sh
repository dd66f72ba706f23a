#!/bin/sh
# The same bits everywhere: trains one system under every combination of what must not change a bit, and prints the
# hash of its weights for each.
# Usage: hash_matrix.sh SOMA NAME [train options...]
#   ISAS, THREADS, RANKS   what to try; default "generic avx2 avx512", "1 2" and "1 2 4"
#   PROGRESS, BUCKETS_MB   on more than one rank; default "auto" and "4"
#   RESUMED                e.g. "4:2": killed after half of --steps on 4 ranks and resumed on 2; needs --steps N
# Exit: 0 all equal, 1 some differ, 2 a run failed.
set -eu

[ $# -ge 2 ] || { sed -n '2,9s/^# //p' "$0" >&2; exit 2; }
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

# train RANKS OPTIONS...: leaves the hash in $weights.
train() {
    ranks=$1
    shift
    launch "$ranks" "$soma" train "$name" --out "$out" "$@" >"$out/log" 2>&1 ||
        { cat "$out/log" >&2; exit 2; }
    weights=$(sed -n 's/^weights: //p' "$out/log")
}

same=0
compare() {
    echo "| $* | $weights |"
    [ "${first:=$weights}" = "$weights" ] || same=1
}

# The number of steps among the options.
steps_of() {
    while [ $# -gt 1 ] && [ "$1" != --steps ]; do shift; done
    echo "${2:-0}"
}

echo "| ISA | threads | ranks | progress | bucket MB | weights |"
echo "|---|---|---|---|---|---|"
first=
for isa in ${ISAS:-generic avx2 avx512}; do
    for threads in ${THREADS:-1 2}; do
        SOMA_ISA=$isa SOMA_NUM_THREADS=$threads OMP_NUM_THREADS=$threads
        export SOMA_ISA SOMA_NUM_THREADS OMP_NUM_THREADS
        for ranks in ${RANKS:-1 2 4}; do
            for progress in ${PROGRESS:-auto}; do
                for bucket in ${BUCKETS_MB:-4}; do
                    if [ "$ranks" -eq 1 ]; then progress=- bucket=-; train 1 "$@"
                    else train "$ranks" "$@" --progress "$progress" --bucket-mb "$bucket"; fi
                    compare "$isa | $threads | $ranks | $progress | $bucket"
                    [ "$ranks" -ne 1 ] || break 2
                done
            done
        done
        for pair in ${RESUMED:-}; do
            half=$(($(steps_of "$@") / 2))
            rm -rf "$out/cut"
            train "${pair%:*}" "$@" --steps "$half" --folder "$out/cut"
            train "${pair#*:}" "$@" --resume "$out/cut"
            compare "$isa | $threads | ${pair%:*}, then ${pair#*:} | auto | 4"
        done
    done
done
[ "$same" -eq 0 ] && echo "all equal" || echo "NOT all equal"
exit "$same"
