#!/usr/bin/env bash
# Compiles and links the shim with CUDA for the oldest and the newest libtorch, which takes
# neither a GPU nor a driver: build/cuda-VERSION/libeegprune_torch.so.
set -euo pipefail
cd "$(dirname "$0")/.."
for version in 2.11.0 2.15.0; do
  libtorch=$("${PYTHON:-python3}" scripts/get_libtorch.py --to-link "$version")
  LIBTORCH=$libtorch scripts/build_shim.sh "build/cuda-$version" - -DEP_TESTS=OFF
  shim=build/cuda-$version/libeegprune_torch.so
  readelf -d "$shim" | grep -q 'NEEDED.*libtorch_cuda.so' || { echo "the shim for libtorch $version is not linked with libtorch_cuda.so" >&2; exit 1; }
  # The linker takes what nobody defines; loading the library would not.
  missing=$(comm -23 <(nm -D --undefined-only "$shim" | grep -oE '\b(_ZNK?[0-9]*K?(2at|3c10|5torch)|cuda)[A-Za-z0-9_]*' | sort -u) \
    <(nm -D --defined-only "$libtorch"/lib/lib{c10,c10_cuda,torch_cpu,torch_cuda}.so "$libtorch"/../nvidia/cu13/lib/libcudart.so.* | awk 'NF == 3 { sub(/@.*/, "", $3); print $3 }' | sort -u))
  [ -z "$missing" ] || { echo "libtorch $version does not export what the shim calls: $(echo "$missing" | c++filt | head -n 5)" >&2; exit 1; }
  echo "the shim with CUDA builds for libtorch $version"
done
