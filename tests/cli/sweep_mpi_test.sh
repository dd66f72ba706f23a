#!/bin/sh
# sweep_mpi_test.sh SOMA RANKS_SH: a rank of a sweep is killed; the same command redoes its net only.
#
# The table is that of an unbroken sweep on one rank, on 2 and on 4 ranks. Exit 77: no mpirun.
set -u

# shellcheck source=tests/support/ranks_test.sh
. "$(dirname "$0")/../support/ranks_test.sh"

sweep() {  # RANKS DIR
    timeout -k 5 100 "$ranks_sh" "$1" "$soma" sweep plan.json --out "$2" --quiet >"$2.out" 2>"$2.err"
}
rows() { grep -c '"id"' "$1/killed/nets.jsonl" 2>/dev/null || true; }

cat >plan.json <<'END'
{"name": "killed", "system": "flipflop2013",
 "options": {"units": 6, "batch": 4, "updates": 100, "search_states": 8, "trajectories": 2},
 "axes": {"rate": [0.01, 0.02]}, "seeds": {"count": 20}}
END

sweep 1 one || fail "one rank: code $?: $(cat one.err)"
sweep 4 four || fail "four ranks: code $?: $(cat four.err)"
cmp one/killed/results.jsonl four/killed/results.jsonl || fail "1 and 4 ranks differ"
cmp one/killed/results.csv four/killed/results.csv || fail "1 and 4 ranks differ"

# Kills the last child of mpirun once two nets are there.
"$ranks_sh" 2 "$soma" sweep plan.json --out two --quiet >two.out 2>two.err &
launcher=$!
tries=0
while [ "$(rows two)" -lt 2 ] 2>/dev/null || [ ! -e two/killed/nets.jsonl ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 3000 ] || fail "no net in 60 s"
    sleep 0.02
done
# Not awk on the files: it gives up on a process that has just ended.
victim=$(cat /proc/[0-9]*/stat 2>/dev/null |
    awk -v parent="$launcher" '$4 == parent { pid = $1 } END { print pid }')
[ -n "$victim" ] || fail "the ranks of mpirun were not found"
kill -KILL "$victim"
tries=0
while kill -0 "$launcher" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 3000 ] || { kill -KILL "$launcher"; fail "mpirun hangs after the death of a rank"; }
    sleep 0.02
done
wait "$launcher" && fail "the sweep succeeded without its rank"
before=$(rows two)
[ "$before" -lt 40 ] || fail "the sweep had ended before its rank was killed"

sweep 2 two || fail "after the kill: code $?: $(cat two.err)"
cmp one/killed/results.jsonl two/killed/results.jsonl || fail "the table changed"
[ "$(rows two)" -eq 40 ] || fail "$(rows two) rows: a finished net was trained again"
grep -q "; $before were there, $((40 - before)) trained" two.out || fail "$(cat two.out)"

printf '{"sweep":"other","system":"flipflop2013","numerics":2}\n' >one/killed/nets.jsonl
sweep 2 one
[ $? -ne 0 ] || fail "the log of another sweep was accepted"
grep -q 'is of another sweep' one.err || fail "no clear error: $(cat one.err)"
echo "killed after $before of 40 nets; the same table on 1, 2 and 4 ranks"
