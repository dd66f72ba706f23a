#!/bin/sh
# faults_test.sh SOMA RANKS_SH [KILLS]: what ends real ranks, and that the run goes on with the same bits.
#
#   killed      KILLS times (default 2) a random rank at a random step, under soma train --supervise;
#               SIGNAL=STOP stops it instead
#   stopped     SIGSTOP of a rank; the other gives up after --comm-timeout
#   truncated   the newest checkpoint; the one before it is taken
#   full disk   a checkpoint that does not fit (needs the right to mount a small disk)
#   configured  one rank with another seed
#
# Each must end within timeout + 5 s with its exit code and a report that names the rank. SEED=N repeats the
# kills of a run. Exit: 0 as promised, 1 not, 77 no mpirun.
set -u

# shellcheck source=tests/support/ranks_test.sh
. "$(dirname "$0")/../support/ranks_test.sh"
kills=${3:-2} signal=${SIGNAL:-KILL}
small=$folder/small  # the full disk
random=${SEED:-$(date +%N | sed 's/^0*//')}
echo "seed $random"
end() {
    mountpoint -q "$small" && umount "$small"
    kill_jobs
    rm -rf "$folder"
}
trap end EXIT
every=1000                     # updates between checkpoints
steps=$((kills * 6 * every + 10 * every))  # many left at the last kill, however fast the machine
timeout=2                      # seconds a rank waits for another
allowed=$((timeout + 5))

now() { date +%s%N; }
seconds_since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", (b - a) / 1e9 }'; }
draw() {  # N: drawn = a random number from 0 to N - 1
    random=$(((random * 1103515245 + 12345) % 2147483648))
    drawn=$((random / 65536 % $1))
}
# Not awk on the files: it gives up on a process that has just ended.
children() { cat /proc/[0-9]*/stat 2>/dev/null | awk -v parent="$1" '$4 == parent { print $1 }'; }
train() {  # the options that all runs share, and those given; replaces the shell
    exec "$@" --set embedded --steps "$steps" --epochs 1000 --checkpoint-every $every --keep 100 \
        --comm-timeout $timeout --quiet
}
last() { tail -n 3 "$1"/*/log.jsonl 2>/dev/null | sed -n 's/.*"event":"step".*"step":\([0-9]*\).*/\1/p' | tail -n 1; }
reached() { s=$(last "$1"); [ "${s:-0}" -ge "$2" ] || has_ended "$3"; }
is_dead() { ! grep -q '^[0-9]* ([^)]*) [^Z]' "/proc/$1/stat" 2>/dev/null; }  # a zombie is
weights() { sed -n 's/^weights: //p' "$1" | tail -n 1; }
same() {  # FILE WHAT: the weights printed there are those of the undisturbed run
    [ -n "$(weights "$1")" ] && [ "$(weights "$1")" = "$expected" ] ||
        fail "$2: weights $(weights "$1"), expected $expected: $(cat "$1")"
}
# An undisturbed process ends; its time and exit code are checked. PID BEGIN CODE WHAT
ends() {
    await "$allowed" has_ended "$1" || fail "$4: has not ended after $allowed s"
    took=$(seconds_since "$2")
    wait "$1"
    code=$?
    [ "$code" -eq "$3" ] || fail "$4: code $code, expected $3: $(cat ./*.err | tail -n 20)"
    echo "$4: ended after $took s with $code"
}

(train "$soma" train lecun1989 --out straight) >straight.log 2>&1 || fail "$(cat straight.log)"
expected=$(weights straight.log)
echo "undisturbed: $steps updates, weights $expected"

# ---- killed ----
(train "$soma" train lecun1989 --out killed --ranks 2 --supervise "$ranks_sh {P}") >killed.log 2>&1 &
supervisor=$!
restarts() { [ "$(grep -hc '"event":"restart"' killed/*/log.jsonl)" -ge "$1" ]; }
steps_again() { sed -n '/"event":"restart"/h; /"event":"step"/H; ${x;p}' killed/*/log.jsonl | grep -q '"event":"step"'; }
from=0 slowest=0 i=0
while [ $i -lt "$kills" ]; do
    i=$((i + 1))
    draw $((4 * every))
    target=$((from + every + drawn))
    await 60 reached killed $target $supervisor || fail "step $target is not reached: $(cat killed.log)"
    launcher=$(children $supervisor)
    [ -n "$launcher" ] || fail "the run ended before kill $i: $(cat killed.log)"
    draw 2
    victim=$(children "$launcher" | sed -n "$((1 + drawn))p")
    kill -"$signal" "$victim" || fail "the ranks of $launcher were not found"
    begin=$(now)
    await $allowed restarts $i || fail "no restart after kill $i: $(cat killed.log)"
    await 20 steps_again || fail "no step after restart $i: $(cat killed.log)"
    took=$(seconds_since "$begin")
    from=$(sed -n 's/.*"event":"restart".*"step":\([0-9]*\).*/\1/p' killed/*/log.jsonl | tail -n 1)
    echo "kill $i: near step $target, goes on from $from, first new step after $took s"
    slowest=$(printf '%s\n%s\n' "$slowest" "$took" | sort -g | tail -n 1)
done
await 120 has_ended $supervisor || fail "the killed run does not end"
wait $supervisor || fail "the killed run: code $?: $(cat killed.log)"
same killed.log "after $kills kills"
[ "$signal" = STOP ] || finds 'rank [01] with PID .* exited on signal 9' killed.log
finds "2 ranks ended with $([ "$signal" = STOP ] && echo 74 || echo 137)" killed.log
echo "$signal: $kills times, same weights; at most $slowest s to the first new step"

# ---- stopped ----
"$ranks_sh" 2 "$soma" train lecun1989 --out stopped --set embedded --steps "$steps" --epochs 1000 \
    --checkpoint-every $every --keep 100 --comm-timeout $timeout --quiet >stopped.log 2>stopped.err &
launcher=$!
await 60 reached stopped $((2 * every + every / 2)) $launcher || fail "stopped: $(cat stopped.err)"
victim=$(children $launcher | tail -n 1)
kill -STOP "$victim"
ends $launcher "$(now)" 74 stopped
finds 'waited 2 s in update .* rank [01] ' stopped.err
grep 'waited' stopped.err | head -n 1
await 5 is_dead "$victim" || fail "the stopped rank was left behind"
(train "$soma" train lecun1989 --resume stopped/*) >resumed.log 2>&1
same resumed.log "stopped, resumed on one rank"

# ---- truncated ----
newest=$(find stopped -name 'step-*.safetensors' | sort | tail -n 1)
rm "$newest"  # that of the end
newest=$(find stopped -name 'step-*.safetensors' | sort | tail -n 1)
truncate -s 20000 "$newest"
"$soma" inspect "$newest" --verify >/dev/null 2>&1
[ $? -eq 65 ] || fail "a truncated checkpoint passes verification"
(train "$ranks_sh" 2 "$soma" train lecun1989 --resume stopped/*) >truncated.log 2>&1
same truncated.log "truncated, resumed on two ranks"
finds "passed over .*$newest" truncated.log
echo "truncated: passed over, same weights"

# ---- full disk ----
mkdir "$small"
if mount -t tmpfs -o size=300k soma-faults "$small" 2>/dev/null; then
    begin=$(now)
    (train "$ranks_sh" 2 "$soma" train lecun1989 --out "$small") >full.log 2>full.err &
    ends $! "$begin" 73 "full disk"
    finds '\[rank 0 .*\(No space left\|is the disk full\)' full.err  # whichever write came first
    mkdir full
    cp -r "$small"/* full
    umount "$small"
    newest=$(find full -name 'step-*.safetensors' | sort | tail -n 1)
    "$soma" inspect "$newest" --verify || fail "the checkpoint before the full disk is damaged"
    (train "$soma" train lecun1989 --resume full/*) >resumed.log 2>&1
    same resumed.log "full disk, resumed on one rank"
else
    echo "full disk: no right to mount, skipped"
fi

# ---- configured ----
begin=$(now)
"$ranks_sh" 1 "$soma" train lecun1989 --set embedded --out other --quiet : \
    -np 1 "$soma" train lecun1989 --set embedded --out other --quiet --seed 2 >other.log 2>other.err &
ends $! "$begin" 71 configured
finds 'seed' other.err
finds 'rank 1 ' other.err
grep -m 1 'seed' other.err
