#!/usr/bin/env bash
# Builds the shims that the wheel carries, for the CPU and with CUDA, for each minor version of
# torch or for those named: build/wheel/shims/VERSION-cpu and VERSION-cuda. It takes neither a GPU
# nor a driver, some ten minutes of two cores for each version, and 1 GB of the user's cache for each.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -eq 0 ]; then
  mapfile -t versions < <("${PYTHON:-python3}" scripts/get_libtorch.py --versions)
  set -- "${versions[@]}"
fi
for version in "$@"; do
  libtorch=$("${PYTHON:-python3}" scripts/get_libtorch.py --to-link "$version")
  for kind in cpu cuda; do
    cuda=ON
    [ "$kind" = cuda ] || cuda=OFF
    LIBTORCH=$libtorch scripts/build_shim.sh "build/wheel/shims/$version-$kind" - -DEP_TESTS=OFF -DEP_CUDA=$cuda
    echo "the shim for torch $version ($kind) is built"
  done
done
