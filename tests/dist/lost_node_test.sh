#!/bin/sh
# lost_node_test.sh SOMA: the link to one of two nodes is cut while soma train --supervise runs on both; the run goes
# on without that node and ends with the bits of an undisturbed one. The nodes are network namespaces.
# Exit: 0 as promised, 1 not, 77 no mpirun, no right to make namespaces, or another test has them.
set -u

soma=$1
scripts=$(cd "$(dirname "$0")" && pwd)
skip() {
    echo "lost_node_test: $1, skipped"
    exit 77
}
mpirun --version 2>/dev/null | grep -q 'Open MPI' || skip "no mpirun of Open MPI"
for program in ip unshare hostname; do
    command -v $program >/dev/null 2>&1 || skip "no $program (packages iproute2, util-linux, hostname)"
done
exec 9>/tmp/soma-netns.lock
flock -n 9 || skip "another test has the namespaces"
"$scripts/netns.sh" up 2>/dev/null || { "$scripts/netns.sh" down; skip "no right to make namespaces"; }
folder=$(mktemp -d)
trap '"$scripts/netns.sh" down; rm -rf "$folder"' EXIT
cd "$folder" || exit 1
export SOMA_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

fail() {
    echo "lost_node_test: $1" >&2
    cat ./*.log >&2
    exit 1
}
weights() { sed -n 's/^weights: //p' "$1" | tail -n 1; }
train() {
    timeout -k 5 100 "$soma" train lecun1989 --set embedded --steps 20000 --epochs 1000 --checkpoint-every 500 \
        --comm-timeout 2 --quiet "$@" 9>&-
}

train --out straight >straight.log 2>&1 || fail "the undisturbed run failed"
network=10.77.0.0/24
printf 'node1 slots=1\nnode2 slots=1\n' >hosts
train --out lost --ranks 2 --hosts hosts --supervise "mpirun -np {P} --hostfile {hosts} --bind-to none \
    --mca plm_rsh_agent $scripts/netns_agent.sh --mca btl tcp,self --mca btl_tcp_if_include $network \
    --mca oob_tcp_if_include $network -x SOMA_NUM_THREADS" >lost.log 2>&1 &
run=$!
tries=0
until ls lost/*/checkpoints/step-00001000.safetensors >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 1500 ] && kill -0 $run 2>/dev/null || fail "no checkpoint"
    sleep 0.02
done
"$scripts/netns.sh" cut 2
begin=$(date +%s)
until grep -q '"event":"restart"' lost/*/log.jsonl; do
    [ $(($(date +%s) - begin)) -le 8 ] && kill -0 $run 2>/dev/null || fail "no restart within timeout + 5 s"
    sleep 0.1
done
echo "started again $(($(date +%s) - begin)) s after the cut: $(grep 'waited' lost.log | head -n 1)"
wait $run || fail "code $?"
grep -q node2 lost/*/hosts && fail "the lost node was not dropped"
grep -q 'starting 1 rank from step' lost.log || fail "not started on one rank"
[ "$(weights lost.log)" = "$(weights straight.log)" ] || fail "other weights"
echo "the same weights without node2: $(weights lost.log)"
