#!/usr/bin/env bash
# Builds the shims that the wheel carries, one for the CPU and one with CUDA for each minor version of
# torch, or those named as 2.15.0-cpu: build/wheel/shims/VERSION-KIND. It takes neither a GPU nor a
# driver, some five minutes of two cores for each shim (seconds where its sources have not changed), and
# 1 GB of the user's cache for each version.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -eq 0 ]; then
  mapfile -t versions < <("${PYTHON:-python3}" scripts/get_libtorch.py --versions)
  set -- "${versions[@]/%/-cpu}" "${versions[@]/%/-cuda}"
fi
for shim in "$@"; do
  version=${shim%-*} kind=${shim##*-}
  case $kind in
    cpu) cuda=OFF ;;
    cuda) cuda=ON ;;
    *) echo "$shim: name a version of torch and cpu or cuda, as 2.15.0-cpu" >&2; exit 2 ;;
  esac
  libtorch=$("${PYTHON:-python3}" scripts/get_libtorch.py --to-link "$version")
  LIBTORCH=$libtorch scripts/build_shim.sh "build/wheel/shims/$shim" - -DEP_TESTS=OFF -DEP_CUDA=$cuda
  echo "the shim for torch $version ($kind) is built"
done
