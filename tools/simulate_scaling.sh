#!/bin/sh
# simulate_scaling.sh weak|strong PLATFORM MODEL OUT HOSTS...: how a training step scales over simulated hosts, as a
# table and a figure with the line of latency and bandwidth (soma plan) beside it.
# Usage: SAMPLES=32 tools/simulate_scaling.sh weak hdr100-fattree resnet50 /tmp/scaling 1 2 4 8 16 64 256
#   SAMPLES   of a rank (weak) or of all ranks together (strong); default 32 or 1024
#   JITTER    relative spread of a rank's pace; default 0; GFLOPS of a host; default 1000
# Writes OUT.dat, OUT.gp and OUT.png. Memory and time grow with the hosts: 64 a minute, 1024 the better part of an hour.
set -eu

[ $# -ge 5 ] || { sed -n '2,8s/^# //p' "$0" >&2; exit 2; }
mode=$1 platform=$2 model=$3 out=$4
shift 4
case $mode in
weak) samples=${SAMPLES:-32} ;;
strong) samples=${SAMPLES:-1024} ;;
*) echo "simulate_scaling: '$mode'; need weak or strong" >&2; exit 2 ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
rm -f "$out.dat"
for hosts in "$@"; do
    each=$samples
    [ "$mode" = weak ] || each=$((samples / hosts))
    "$here/simulate.sh" "$hosts" "$platform" --model "$model" --samples "$each" --jitter "${JITTER:-0}" \
        --gflops "${GFLOPS:-1000}" --append "$out.dat" >&2
done
# Efficiency: of the hosts' time, what a lone host would need for the same samples.
cat >"$out.gp" <<EOF
set terminal pngcairo size 900,560 font ',11'
set output '$out.png'
set title '$model on $platform, $mode scaling, simulated: $samples samples $([ "$mode" = weak ] && echo 'a host' || echo 'in all')'
set logscale x 2
set xlabel 'hosts'
set ylabel 'efficiency, %'
set yrange [0:105]
set grid
set key bottom left
plot '$out.dat' using 1:(100*\$2/\$4) with points pt 7 ps 1.2 title "soma's exchange, simulated", \\
     '$out.dat' using 1:(100*\$2/\$6) with lines lw 2 title 'latency and bandwidth'
EOF
if command -v gnuplot >/dev/null; then gnuplot "$out.gp"; fi
echo "| hosts | compute ms | communication ms | step ms | efficiency % | line: communication ms | step ms |"
echo "|---|---|---|---|---|---|---|"
awk '{ printf "| %d | %.3f | %.3f | %.3f | %.1f | %.3f | %.3f |\n", $1, 1e3*$2, 1e3*$3, 1e3*$4, 100*$2/$4, 1e3*$5, 1e3*$6 }' "$out.dat"
