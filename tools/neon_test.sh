#!/bin/sh
# NEON without the hardware: builds the kernels for aarch64, runs isa_hashes under qemu-user, and
# compares its lines with those of every instruction set of this machine. Says nothing about speed.
# Usage: neon_test.sh BUILD-FOLDER [CMAKE-ARGUMENTS...]     (make neon-test installs the tools)
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:?usage: neon_test.sh BUILD-FOLDER [CMAKE-ARGUMENTS...]}
shift
for tool in aarch64-linux-gnu-g++ qemu-aarch64; do
    command -v "$tool" >/dev/null || { echo "neon_test: no $tool; run: make neon-test" >&2; exit 2; }
done

# configure_and_build FOLDER CMAKE-ARGUMENTS...
configure_and_build() {
    folder=$1
    shift
    cmake -S "$root" -B "$folder" -DSOMA_CORE_ONLY=ON "$@"
    cmake --build "$folder" --parallel "$(nproc)" --target isa_hashes
}
configure_and_build "$build-host" "$@"
configure_and_build "$build-arm" "$@" \
    -DCMAKE_TOOLCHAIN_FILE="$root/tools/cmake/aarch64-linux-gnu.cmake"
NM=aarch64-linux-gnu-nm OBJDUMP=aarch64-linux-gnu-objdump "$root/tools/check_isa_symbols.sh" \
    "$build-arm/CMakeFiles/soma_core.dir/src/kernels/isa/neon.cpp.o"

"$build-host/isa_hashes"
"$build-host/isa_hashes" --lines >"$build-host/lines.txt"
status=0
for isa in neon generic; do
    SOMA_ISA=$isa qemu-aarch64 -L /usr/aarch64-linux-gnu "$build-arm/isa_hashes" --lines \
        >"$build-arm/$isa.txt"
    if diff "$build-host/lines.txt" "$build-arm/$isa.txt"; then
        echo "aarch64 $isa: all $(wc -l <"$build-arm/$isa.txt") families have the bits of this machine"
    else
        echo "aarch64 $isa: bits differ from this machine's (<)" >&2
        status=1
    fi
done
exit "$status"
