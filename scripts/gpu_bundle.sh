#!/usr/bin/env bash
# Puts into build/gpu what tests and times the program on a machine that has a GPU, a driver
# and a Python with torch 2.11 to 2.15, and neither Go nor a compiler nor a network:
# copy the folder there and call run.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/gpu
rm -rf "$out"
mkdir -p "$out/scripts"
scripts/build_cuda_shims.sh
for version in 2.11 2.15; do
  mkdir -p "$out/shim-$version"
  strip -o "$out/shim-$version/libeegprune_torch.so" "build/cuda-$version.0/libeegprune_torch.so"
done
go=${GO:-go}
flags="-X main.release=${VERSION:-} -X main.revision=${COMMIT:-} -s -w"
"$go" build -buildvcs=false -ldflags "$flags" -o "$out/eegprune" ./cmd/eegprune
for package in torch train; do
  "$go" test -c -tags gpu -ldflags "-s -w" -o "$out/$package.test" "./$package"
done
cp scripts/gpu_run.sh "$out/run.sh"
cp scripts/parity.py scripts/bench_gpu.py scripts/networks.py scripts/little_memory.py "$out/scripts/"
"$out/eegprune" data simulate --quiet --out "$out/recordings" --subjects 4 --trials 6 --seconds 20 --seed 1 >/dev/null
size=$(du -sm "$out" | cut -f1)
echo "$out: $size MB"
[ "$size" -lt 60 ] || { echo "gpu-bundle: $out has $size MB and must have less than 60" >&2; exit 1; }
