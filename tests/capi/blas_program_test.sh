#!/bin/sh
# Programs that know nothing of soma: their results are libsoma_blas.so's whether they are linked
# with it or get it by LD_PRELOAD; wrong calls end them with netlib's message.
# Usage: blas_program_test.sh LIBRARY LINKED_WITH_IT [LINKED_WITH_ANOTHER_BLAS]
set -eu

library=$1
program=$2
other=${3:-}
bad=0
check() { [ "$2" = "$3" ] || { echo "$1: got '$2', want '$3'" >&2; bad=1; }; }

hash=$("$program" hash)
check "one thread" "$(OMP_NUM_THREADS=1 "$program" hash)" "$hash"
check "five threads" "$(OMP_NUM_THREADS=5 "$program" hash)" "$hash"
check "generic kernels" "$(SOMA_ISA=generic "$program" hash)" "$hash"
check "the other backend is never used" "$(SOMA_GEMM=openblas "$program" hash)" "$hash"
if [ -n "$other" ]; then
    check "LD_PRELOAD" "$(LD_PRELOAD="$library" "$other" hash)" "$hash"
    [ "$("$other" hash)" != "$hash" ] || { echo "another BLAS with the same bits?" >&2; bad=1; }
fi
OMP_NUM_THREADS=2 "$program" fork || { echo "a forked child does not compute" >&2; bad=1; }

# ends ARGUMENT CODE MESSAGE
ends() {
    code=0
    message=$("$program" "$1" 2>&1) || code=$?
    check "$1: exit code" "$code" "$2"
    check "$1: message" "$message" "$3"
}
ends fortran 255 " ** On entry to SGEMM  parameter number  5 had an illegal value"
ends cblas 255 "Parameter 9 to routine cblas_sgemm was incorrect"
ends flag 255 "Parameter 2 to routine cblas_sgemm was incorrect
Illegal TransA setting, 7"
code=0
message=$(SOMA_ISA=abacus "$program" hash 2>&1) || code=$?
check "aborts when it cannot compute" "$code" 134
case $message in
*"soma_blas: SGEMM : SOMA_ISA: 'abacus' is not available"*) ;;
*) check "says why" "$message" "soma_blas: SGEMM: SOMA_ISA: ..." ;;
esac
exit "$bad"
