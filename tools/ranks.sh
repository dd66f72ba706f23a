#!/bin/sh
# ranks.sh N PROGRAM [ARGUMENTS]: runs a program on N ranks of this machine, or on one without MPI.
#
# MPIEXEC is the launcher of the MPI that the program was built with, mpirun by default. Open MPI's
# refuses to start as root and on fewer cores than ranks unless told otherwise; both are
# normal in a container. Binding is off so that two ranks do not share one core by accident; each
# rank gets its share of the cores as threads.
set -eu

ranks=$1
shift
launcher=${MPIEXEC:-mpirun}
if ! command -v "$launcher" >/dev/null; then
    echo "ranks: $launcher not found, running on one rank" >&2
    exec "$@"
fi
if [ -z "${SOMA_NUM_THREADS:-}" ]; then
    threads=$(($(nproc) / ranks))
    [ "$threads" -ge 1 ] || threads=1
    export SOMA_NUM_THREADS=$threads
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export HWLOC_HIDE_ERRORS=2  # containers without /sys are no error here
if "$launcher" --version 2>&1 | grep -q 'Open MPI\|OpenRTE'; then
    exec "$launcher" --oversubscribe --bind-to none -np "$ranks" "$@"
fi
exec "$launcher" -bind-to none -np "$ranks" "$@"
