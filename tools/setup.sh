#!/bin/sh
# Installs what soma needs on Debian or Ubuntu and is missing; silent when nothing is.
# Usage: setup.sh [PACKAGE...]     more packages that the caller cannot do without
#
# Required packages must be there or the script fails; optional ones (MPI, OpenBLAS, gnuplot, ...)
# only switch a feature off, which the configure summary and `soma info` report. On other systems
# it names the packages and leaves the installation to the user. SOMA_SETUP=skip does nothing.
set -eu

required="g++ cmake make libgtest-dev libcli11-dev nlohmann-json3-dev zlib1g-dev libpng-dev $*"
optional="pkg-config libopenblas-dev liblapacke-dev libopenmpi-dev openmpi-bin libbenchmark-dev
    gnuplot-nox python3-minimal"

say() { echo "setup: $*" >&2; }

missing() {
    for package in "$@"; do
        status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$status" = installed ] || printf '%s ' "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
        >"$log" 2>&1
}

[ "${SOMA_SETUP:-}" != skip ] || exit 0
if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "no apt here; soma needs g++ >= 12, CMake >= 3.25, GoogleTest, CLI11, nlohmann-json, zlib,"
    say "libpng, and can use OpenMPI, OpenBLAS with LAPACKE, Google Benchmark, gnuplot, python3"
    exit 0
fi

# The lists are words without blanks: splitting them is meant.
# shellcheck disable=SC2086
need=$(missing $required)
# shellcheck disable=SC2086
wish=$(missing $optional)
[ -n "$need$wish" ] || exit 0

if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    say "missing: $need$wish"
    say "neither root nor sudo; as root run: apt-get install $need$wish"
    [ -z "$need" ] && exit 0 || exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
say "installing with apt: $need$wish"
as_root apt-get update -qq >"$log" 2>&1 || say "apt-get update failed: $(tail -n 1 "$log")"
# shellcheck disable=SC2086
if install $need $wish; then
    say "done"
    exit 0
fi
# shellcheck disable=SC2086
if [ -n "$need" ] && ! install $need; then
    cat "$log" >&2
    say "could not install: $need"
    exit 1
fi
for package in $wish; do
    install "$package" || say "without $package: $(tail -n 1 "$log")"
done
