#!/usr/bin/env bash
# Builds the shim: build_shim.sh BUILD_DIR BIN_DIR|- [CMake arguments]. The library goes
# to BIN_DIR; with - it stays in the build directory, and its tests are built beside it, or
# TARGET alone.
# Quiet unless something fails.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 bin=$2
shift 2
for tool in cmake c++; do
  command -v "$tool" >/dev/null || { echo "building the shim needs $tool: install CMake and a C++20 compiler (Debian: apt-get install cmake g++)" >&2; exit 1; }
done
libtorch=$("${PYTHON:-python3}" scripts/get_libtorch.py)
mkdir -p "$build"
log=$build/build.log
target=${TARGET:-all}
[ "$bin" = - ] || target=eegprune_torch
if ! { cmake -S . -B "$build" -DLIBTORCH="$libtorch" "$@" && cmake --build "$build" --parallel "$(nproc)" --target "$target"; } >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  echo "building the shim failed: the whole log is $log" >&2
  exit 1
fi
if [ "$bin" != - ]; then
  mkdir -p "$bin"
  # The program takes this libtorch unless $LIBTORCH names another: the shim itself holds no path.
  printf '%s\n' "$libtorch" >"$bin/libtorch.path"
  # By rename: a program that has the old one open keeps it.
  if ! cmp -s "$build/libeegprune_torch.so" "$bin/libeegprune_torch.so"; then
    cp "$build/libeegprune_torch.so" "$bin/.shim.new"
    mv "$bin/.shim.new" "$bin/libeegprune_torch.so"
  fi
fi
