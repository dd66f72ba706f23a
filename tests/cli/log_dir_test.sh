#!/bin/sh
# log_dir_test.sh SOMA RANKS_SH: what two real ranks leave in --log-dir.
#
#   trace     two timelines become one trace that parses
#   stopped   rank 1 by SIGSTOP; rank 0 gives up, and --hang names rank 1
#   stuck     the same while rank 0 is inside MPI_Allreduce, which does not return: the watchdog ends it
#
# Exit: 0 as promised, 1 not, 77 no mpirun.
set -u

# shellcheck source=tests/support/ranks_test.sh
. "$(dirname "$0")/../support/ranks_test.sh"
trap 'kill_jobs; rm -rf "$folder"' EXIT

train() {  # NAME OPTIONS...
    name=$1
    shift
    exec "$ranks_sh" 2 "$soma" train lecun1989 --set embedded --out "$name" --log-dir "$name.logs" --quiet \
        --comm-timeout 2 "$@"
}
steps_of() { grep -c '"event":"step"' "$1"/*/log.jsonl 2>/dev/null; }
has_steps() { [ "$(steps_of "$1")" -gt 3 ] 2>/dev/null || has_ended "$2"; }
process_of_rank_1() {  # of the processes that run in this folder
    for process in /proc/[0-9]*; do
        [ "$(readlink "$process/cwd" 2>/dev/null)" = "$folder" ] || continue
        tr '\0' '\n' 2>/dev/null <"$process/environ" | grep -q '^\(OMPI_COMM_WORLD_RANK\|PMI_RANK\)=1$' &&
            basename "$process"
    done
}
stop_rank_1() {  # NAME OPTIONS...: trains, stops rank 1, waits for the end
    train "$@" --steps 200000 --epochs 100000 >"$1.log" 2>"$1.err" &
    launcher=$!
    await 60 has_steps "$1" $launcher || fail "$1: no step: $(cat "$1.err")"
    victim=$(process_of_rank_1)
    [ -n "$victim" ] || fail "$1: rank 1 was not found: $(cat "$1.err")"
    kill -STOP "$victim"
    await 10 has_ended $launcher || fail "$1: has not ended: $(cat "$1.err")"
    wait $launcher
    code=$?
    # MPICH's launcher may name the signal by which it ended the others.
    [ $code -eq 74 ] || [ $code -eq 9 ] || fail "$1: code $code, expected 74: $(cat "$1.err")"
    "$soma" inspect "$1.logs" --hang >"$1.hang" || fail "$1: --hang: $(ls "$1.logs"; cat "$1.err")"
    finds 'culprit: rank 1' "$1.hang"
    cat "$1.hang"
}

(train trace --steps 30) >trace.log 2>&1 || fail "$(cat trace.log)"
finds 'communication exposed: [0-9.]* %' trace.log
"$soma" inspect trace.logs --trace out.json >trace.out || fail "no trace: $(ls trace.logs)"
cat trace.out
finds '^all .* 60 ' trace.out
for name in 'rank 0 ' 'rank 1 ' forward backward 'bucket wait' wire optimizer 'bucket 1'; do
    finds "\"$name" out.json
done
if command -v python3 >/dev/null 2>&1; then
    python3 -m json.tool out.json >/dev/null || fail "the trace does not parse"
fi

stop_rank_1 stopped
finds 'warning: nothing has moved for' stopped.err
finds 'update [0-9]*, bucket' stopped.hang

stop_rank_1 stuck --deterministic off --allreduce mpi
finds 'MPI_Allreduce, which does not return' stuck.err
