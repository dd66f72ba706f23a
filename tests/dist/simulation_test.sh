#!/bin/sh
# simulation_test.sh: soma's own sums over 64 simulated hosts take as long as latency and bandwidth say, to 10 %.
# Exit: 0 as promised, 1 not, 77 no smpirun or no soma_step (SOMA_STEP, make smpi).
set -u

out=$(timeout -k 5 300 "$(dirname "$0")/../../tools/simulate.sh" 64 10gbe-crossbar --model mlp --progress poll)
code=$?
[ $code -eq 0 ] || exit $code
echo "$out"
echo "$out" | awk '/^simulated . alpha-beta/ { found = 1
    bad = $5 + 0 < 0.9 || $5 + 0 > 1.1 }
    END { exit bad || !found }'
