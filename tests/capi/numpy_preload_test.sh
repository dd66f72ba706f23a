#!/bin/sh
# numpy_preload.py with the first Python whose numpy links the system's BLAS; 77 without one. It
# must find the library's bits with LD_PRELOAD, and other bits without.
# Usage: numpy_preload_test.sh LIBRARY
set -eu

library=$1
script=$(dirname "$0")/numpy_preload.py
where='import numpy.core._multiarray_umath as m; print(m.__file__)'

for python in python3 /usr/bin/python3; do
    module=$("$python" -c "$where" 2>/dev/null) || continue
    ldd "$module" | grep -q libblas || continue
    LD_PRELOAD="$library" "$python" "$script" "$library" || exit 1
    "$python" "$script" "$library" >/dev/null || exit 0
    echo "the products are the library's without LD_PRELOAD, too"
    exit 1
done
echo "no python3 with a numpy that links libblas.so: apt-get install python3-numpy"
exit 77
