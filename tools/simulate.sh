#!/bin/sh
# simulate.sh HOSTS PLATFORM [soma_step options...]: a training step on simulated hosts (make smpi).
# Usage: tools/simulate.sh 64 10gbe-crossbar --model resnet50
#   PLATFORM     a name of bench/platforms/, or a file
#   SOMA_STEP    the program; default build/smpi/soma_step
# What is set, and why: distributed.md 19.1. SimGrid's own factors model an old cluster.
set -eu

[ $# -ge 2 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
hosts=$1 platform=$2
shift 2
root=$(cd "$(dirname "$0")/.." && pwd)
program=${SOMA_STEP:-$root/build/smpi/soma_step}
file=$platform
[ -f "$file" ] || file=$root/bench/platforms/$platform.xml
if ! command -v smpirun >/dev/null || [ ! -x "$program" ]; then
    echo "simulate: needs smpirun (apt install libsimgrid-dev) and $program (make smpi)" >&2
    exit 77
fi
if [ ! -f "$file" ]; then
    names=$(basename -s .xml "$root"/bench/platforms/*.xml | tr '\n' ' ')
    echo "simulate: no platform '$platform'; there are: $names" >&2
    exit 2
fi
# A path's latency and time a byte, as the platform's comment states them for the alpha-beta line.
line=$(sed -n 's/.*a path: \([0-9.]*\) us.* \([0-9.]*\) ns a byte.*/--latency-us \1 --ns-per-byte \2/p' "$file")
# shellcheck disable=SC2086  # several words
exec smpirun -np "$hosts" -platform "$file" \
    --cfg=smpi/coll-selector:ompi --cfg=smpi/lat-factor:0:1 --cfg=smpi/bw-factor:0:1 \
    --cfg=smpi/simulate-computation:no --cfg=smpi/host-speed:1Gf --cfg=smpi/test:2e-6 --cfg=smpi/grow-injected-times:no --log=root.threshold:error \
    "$program" --ranks "$hosts" $line "$@"
