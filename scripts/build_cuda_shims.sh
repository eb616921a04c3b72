#!/usr/bin/env bash
# Compiles and links the shim with CUDA for the oldest and the newest libtorch, which takes
# neither a GPU nor a driver: build/cuda-VERSION/libeegprune_torch.so.
set -euo pipefail
cd "$(dirname "$0")/.."
for version in 2.11.0 2.15.0; do
  libtorch=$("${PYTHON:-python3}" scripts/get_libtorch.py --to-link "$version")
  LIBTORCH=$libtorch scripts/build_shim.sh "build/cuda-$version" - -DEP_TESTS=OFF
  readelf -d "build/cuda-$version/libeegprune_torch.so" | grep -q 'NEEDED.*libtorch_cuda.so' || { echo "the shim for libtorch $version is not linked with libtorch_cuda.so" >&2; exit 1; }
  echo "the shim with CUDA builds for libtorch $version"
done
