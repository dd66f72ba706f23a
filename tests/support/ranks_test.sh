# What tests of real ranks share. Sourced by a script whose first two arguments are SOMA and RANKS_SH: sets soma and
# ranks_sh, goes into a new folder that is deleted at the end, and ends the script with 77 where no launcher is.
# shellcheck shell=sh disable=SC2034
soma=$1 ranks_sh=$2
test_name=$(basename "$0" .sh)
command -v "${MPIEXEC:-mpirun}" >/dev/null 2>&1 || {
    echo "$test_name: ${MPIEXEC:-mpirun} not found, skipped"
    exit 77
}
folder=$(cd "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
export SOMA_NUM_THREADS=1

fail() {
    echo "$test_name: $1" >&2
    exit 1
}
finds() { grep -q "$1" "$2" || fail "'$1' is not in: $(cat "$2")"; }  # PATTERN FILE
has_ended() { ! kill -0 "$1" 2>/dev/null; }                           # PROCESS
await() {                                                             # SECONDS CONDITION...: polls until it holds
    tries=$(($1 * 50))
    shift
    until "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.02
    done
}
# For a trap at the end: processes that this script started and that still run.
kill_jobs() { for process in $(jobs -p); do kill -KILL "$process" 2>/dev/null; done; }
