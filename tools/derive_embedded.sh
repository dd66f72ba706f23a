#!/bin/sh
# Rebuilds every embedded data file from its Debian package and compares it with SHA256SUMS. Run by
# hand when a recipe changes; the committed file is the truth (package versions move).
# Usage: tools/derive_embedded.sh [-w]     -w: replace the committed files that differ
# Exit codes: 0 all equal, 1 a file differs or could not be built, 2 wrong usage.
set -eu

write=no
case "${1-}" in
'') ;;
-w) write=yes ;;
*)
    echo "usage: tools/derive_embedded.sh [-w]" >&2
    exit 2
    ;;
esac

embedded=$(cd "$(dirname "$0")/../src/data/embedded" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# unpack PACKAGE: its files, below $work/PACKAGE; nothing is installed or executed.
unpack() {
    mkdir -p "$work/$1"
    (cd "$work/$1" && apt-get download -qq "$1" 2>/dev/null && dpkg-deb -x "$1"_*.deb .) || {
        echo "derive_embedded: cannot obtain the package $1 (try: apt-get update)" >&2
        exit 1
    }
}

differ=0
# compare NAME FILE
compare() {
    wanted=$(sed -n "s/  $1\$//p" "$embedded/SHA256SUMS")
    found=$(sha256sum "$2" | cut -d' ' -f1)
    if [ "$wanted" = "$found" ]; then
        echo "$1: equal"
        return
    fi
    echo "$1: SHA256SUMS has $wanted, the recipe gives $found" >&2
    differ=1
    if [ "$write" = yes ]; then
        cp "$2" "$embedded/$1"
        sed -i "s/^$wanted  $1\$/$found  $1/" "$embedded/SHA256SUMS"
    fi
}

unpack python3-sklearn
compare digits8x8.csv.gz \
    "$work/python3-sklearn/usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz"

exit "$differ"
