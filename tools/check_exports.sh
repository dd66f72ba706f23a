#!/bin/sh
# Proves that a shared library exports exactly the symbols of its version script, and needs no BLAS.
# Usage: check_exports.sh LIBRARY MAP
set -eu

[ $# -eq 2 ] || { echo "usage: check_exports.sh LIBRARY MAP" >&2; exit 2; }
library=$1
map=$2

wanted=$(sed -n '/global:/,/local:/s/^ *\([A-Za-z_][A-Za-z0-9_]*\);.*/\1/p' "$map" | sort)
[ -n "$wanted" ] || { echo "$map: lists no symbols" >&2; exit 2; }
exported=$(nm -D --defined-only "$library" | awk '{ print $NF }' | sed 's/@.*//' | sort)
if [ "$wanted" != "$exported" ]; then
    echo "$library exports other symbols than $map lists:" >&2
    { echo "$wanted" | sed 's/^/< /'; echo "$exported" | sed 's/^/> /'; } |
        sort -k 2 | uniq -u -f 1 >&2
    exit 1
fi
if readelf -d "$library" | grep NEEDED | grep -Ei 'blas|blis|mkl|soma'; then
    echo "$library depends on the libraries above; it must stand alone" >&2
    exit 1
fi
echo "$library: $(echo "$wanted" | wc -l) symbols, as listed"
