#!/bin/sh
# mpi_test.sh P EXPECTED PROGRAM [ARGUMENTS]: runs a program on P ranks of this machine and compares
# the launcher's exit code with EXPECTED, one or several (65,9). Exit 0: as expected; 1: another
# code; 77: no launcher, the test is skipped. MPIEXEC is the launcher of the MPI that the program was
# built with, mpirun by default.
#
# More ranks than cores and root are normal in a container, so both are allowed; binding is off, or
# all threads of a rank would share a core. A launcher does not always end when its ranks do not,
# hence the kill timer.
set -u

ranks=$1 expected=$2
shift 2
launcher=${MPIEXEC:-mpirun}
if ! command -v "$launcher" >/dev/null 2>&1; then
    echo "mpi_test: $launcher not found, skipped"
    exit 77
fi
if "$launcher" --version 2>&1 | grep -q 'Open MPI\|OpenRTE'; then
    flags='--allow-run-as-root --oversubscribe --bind-to none'
else
    flags='-bind-to none'
fi
# shellcheck disable=SC2086  # flags are several words
timeout -k 5 60 "$launcher" $flags -np "$ranks" "$@"
code=$?
case ",$expected," in
*",$code,"*) ;;
*)
    echo "mpi_test: $ranks ranks of $1 ended with $code, expected $expected" >&2
    exit 1
    ;;
esac
