#!/bin/sh
# netns.sh up | shape RATE | cut N | mend N | run PROGRAM... | down: two nodes on one machine, as network namespaces
# node1 and node2 at 10.77.0.1 and 10.77.0.2 behind a bridge (distributed.md 18). Needs root. run: one rank on each,
# for at most NETNS_TIMEOUT (60) seconds; down kills what runs in them.
set -eu

bridge=somabr0 net=10.77.0
case "${1:-}" in
up)
    ip link add $bridge type bridge
    ip addr add $net.254/24 dev $bridge
    ip link set $bridge up
    for i in 1 2; do
        ip netns add node$i
        ip link add somav$i type veth peer name eth0 netns node$i
        ip link set somav$i master $bridge
        ip link set somav$i up
        ip -n node$i addr add $net.$i/24 dev eth0
        ip -n node$i link set eth0 up
        ip -n node$i link set lo up
    done
    ;;
shape)  # for example 1gbit
    for i in 1 2; do
        ip netns exec node$i tc qdisc replace dev eth0 root tbf rate "$2" burst 256kb latency 50ms
    done
    ;;
cut) ip link set "somav$2" down ;;
mend) ip link set "somav$2" up ;;
run)
    shift
    here=$(cd "$(dirname "$0")" && pwd)
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 HWLOC_HIDE_ERRORS=2
    exec timeout -k 5 "${NETNS_TIMEOUT:-60}" mpirun -np 2 --mca plm_rsh_agent "$here/netns_agent.sh" \
        --host $net.1:1,$net.2:1 --mca btl tcp,self --mca btl_tcp_if_include $net.0/24 \
        --mca oob_tcp_if_include $net.0/24 --bind-to none "$@"
    ;;
down)
    for i in 1 2; do
        for p in $(ip netns pids node$i 2>/dev/null); do kill -9 "$p" || true; done
        ip link del somav$i 2>/dev/null || true  # a namespace lives on until its processes are reaped
        ip netns del node$i 2>/dev/null || true
    done
    ip link del $bridge 2>/dev/null || true
    ;;
*)
    echo "usage: $0 up|shape RATE|cut N|mend N|run PROGRAM...|down" >&2
    exit 2
    ;;
esac
