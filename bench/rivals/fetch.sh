#!/bin/sh
# Fetches rival libraries as Python wheels into a folder, for `soma bench ... --rivals FOLDER/lib`.
#
#   bench/rivals/fetch.sh FOLDER            MKL, and oneDNN with OpenMP threads
#   bench/rivals/fetch.sh FOLDER PACKAGE... these packages
#
# Nothing of soma needs them. The wheels `onednn` (2024 and later) run on SYCL devices and offer
# their convolutions only where an OpenCL CPU runtime is installed; `onednn-cpu-gomp` does not ask
# for one. Whatever else brings a libdnnl.so.3 will do, for example paddlepaddle (paddle/libs).
set -eu

if [ $# -lt 1 ]; then
  sed -n '2,9s/^# \{0,1\}//p' "$0"
  exit 2
fi
folder=$1
shift
[ $# -gt 0 ] || set -- mkl onednn-cpu-gomp

python3 -m venv "$folder"
"$folder/bin/pip" install --quiet "$@"
echo "rivals are in $folder/lib: soma bench gemm --rivals $folder/lib"
