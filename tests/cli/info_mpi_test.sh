#!/bin/sh
# info_mpi_test.sh SOMA RANKS_SH: soma info --mpi on two real ranks, alone and beside a record that
# no machine can keep up with. Exit 77: no launcher.
set -u

# shellcheck source=tests/support/ranks_test.sh
. "$(dirname "$0")/../support/ranks_test.sh"

fail() {
    echo "info_mpi_test: $1" >&2
    cat out err >&2
    exit 1
}
info() {  # EXPECTED-CODE [ARGUMENTS]
    expected=$1
    shift
    timeout -k 5 60 "$ranks_sh" 2 "$soma" info --mpi "$@" >out 2>err
    code=$?
    [ "$code" -eq "$expected" ] || fail "info --mpi $*: code $code, expected $expected"
}

info 0
for line in '^rank  host' '^1 ' '^ranks  .*  2 on 1 host' '^binding' '^interfaces' '^locked memory' \
    '^open files' '^stack' '^MPI library  *ok  *\(Open MPI\|MPICH\)' '^thread level  *ok' \
    '^OMPI progress' '^clock skew  *ok' '^ping-pong 8 B ' '^ping-pong 1 MB .*GB/s' \
    "^all-reduce 4 KB .*library's" '^all-reduce 1 MB '; do
    grep -q "$line" out || fail "no line '$line'"
done

cat >cluster.json <<'END'
{"schema": 1, "ranks": 2, "hosts": 1, "latency_us": 0.001, "ns_per_byte": 0.001,
 "pingpong": [{"bytes": 8, "us": 1e-6}], "allreduce": [{"bytes": 1048576, "us": 1e9}]}
END
info 1 --json --cluster cluster.json
grep -q '"problem": ".* times the time recorded"' out || fail "the slower ping-pong was not named"
[ "$(grep -c 'times the time recorded' out)" -eq 1 ] || fail "the quicker sum was blamed"

echo '{"schema": 1}' >cluster.json
info 65 --cluster cluster.json
grep -q "cluster.json: 'ranks' is missing" err || fail "the damaged record was not named"
echo "facts, messages and records on two ranks"
