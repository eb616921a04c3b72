#!/usr/bin/env bash
# run.sh [OUT]: tests and times eegprune on this machine's GPU. It needs a driver and a Python
# (PYTHON, else python3) whose torch is 2.11 to 2.15. A line a check; the log is OUT/gpu.log.
# CHECKS="doctor tests" does only those; SHIM=DIR takes another shim than it would choose.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
out=$(mkdir -p "${1:-.}" && cd "${1:-.}" && pwd)
log=$out/gpu.log
checks=${CHECKS:-doctor tests study memory parity bench}
: >"$log"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CUBLAS_WORKSPACE_CONFIG=:4096:8 NO_COLOR=1 XDG_CACHE_HOME=$work/cache
read -r torch LIBTORCH < <("$python" -c 'import os, torch; print(torch.__version__.split("+")[0], os.path.dirname(torch.__file__))') ||
  { echo "run.sh: $python has no torch: set PYTHON to one that has torch 2.11 to 2.15" >&2; exit 2; }
export LIBTORCH
case $torch in
2.11.*) shim="shim-2.11" ;;
*) shim="shim-2.15" ;;
esac
export EEGPRUNE_SHIM=${SHIM:-$here/$shim}/libeegprune_torch.so
PATH=$here:$PATH
failed=0

# check NAME COMMAND...: a line, and the output in the log.
check() {
  local name=$1 start=$SECONDS began
  shift
  began=$(date +%s.%N)
  printf '\n=== %s: %s\n' "$name" "$*" >>"$log"
  if "$@" >"$work/said" 2>&1; then
    printf 'ok   %-34s %5.1f s\n' "$name" "$(echo "$(date +%s.%N) - $began" | bc 2>/dev/null || echo $((SECONDS - start)))"
  else
    printf 'FAIL %-34s %5d s: %s\n' "$name" $((SECONDS - start)) "$(grep -v '^ *$' "$work/said" | tail -n 1 | cut -c1-300)"
    failed=$((failed + 1))
  fi
  cat "$work/said" >>"$log"
}

# A study in a directory of its own: study NAME FLAGS...
study() {
  local name=$1
  shift
  eegprune run --quiet --data "$here/recordings" --model ccnn-selu --method lfp --ratio 0.4 --recover fine-tune --folds 4 --epochs 6 \
    --batch 32 --device cuda --out "$work/$name" "$@"
}

# Whether two studies have the same networks, bit for bit.
same() {
  local a b
  a=$(cd "$work/$1" && find . -name '*.safetensors' | sort) b=$(cd "$work/$2" && find . -name '*.safetensors' | sort)
  [ -n "$a" ] && [ "$a" = "$b" ] || { echo "$1 and $2 have other networks"; return 1; }
  "$python" - "$work/$1" "$work/$2" $a <<'PY'
import json, sys
def tensors(path):
    raw = open(path, "rb").read()
    return raw[8 + int.from_bytes(raw[:8], "little"):]
one, two, *names = sys.argv[1:]
other = [n for n in names if tensors(f"{one}/{n}") != tensors(f"{two}/{n}")]
print(len(names), "networks,", len(other), "with other bits:", *other[:3])
sys.exit(bool(other))
PY
}

told_that_memory_is_short() {
  eegprune bench --model tsception --batch 40000 --seconds 1 --device cuda 2>"$work/oom" && { echo "it fitted"; return 1; }
  cat "$work/oom"
  [ "$(wc -l <"$work/oom")" = 1 ] && grep -q 'out of memory.*free.*--batch' "$work/oom"
}

gpu() { nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null | head -n 1; }
echo "eegprune $(eegprune version 2>&1 | head -n 1), torch $torch, $(gpu)" | tee -a "$log"
for part in $checks; do
  case $part in
  doctor) check doctor eegprune doctor ;;
  tests)
    for package in torch train; do
      check "tests of $package" "$here/$package.test" -test.run GPU -test.v -test.count=1 -test.timeout 3m
    done
    ;;
  study)
    check "study, 1 job" study one --jobs 1
    check "study, 10 jobs" study ten --jobs 10
    check "study, 10 jobs again" study again --jobs 10
    check "1 and 10 jobs: same bits" same one ten
    check "twice: same bits" same ten again
    check "study, tf32" study tf32 --jobs 10 --precision tf32
    check "study, variants" study variants --jobs 10 --variants windows,product,mean,kernel
    check "study, variants again" study variants-again --jobs 4 --variants windows,product,mean,kernel
    check "variants twice: same bits" same variants variants-again
    check "study, fast" study fast --jobs 10 --fast
    check "fast is said" grep -q "fast: another run" "$work/fast/result.txt"
    ;;
  memory)
    check "too large a batch: one sentence" told_that_memory_is_short
    check "a study with little memory goes on" "$python" "$here/scripts/little_memory.py" --program eegprune --data "$here/recordings" --out "$work/little"
    ;;
  parity)
    check "parity, float32" "$python" "$here/scripts/parity.py" --program eegprune --device cuda --seeds 1 --steps 40 --json "$out/parity.json"
    check "parity, PyTorch's default" "$python" "$here/scripts/parity.py" --program eegprune --device cuda --precision tf32-conv --seeds 1 --steps 20
    ;;
  bench) check "bench" "$python" "$here/scripts/bench_gpu.py" --program eegprune --json "$out/bench-gpu.json" ${BENCH:-} ;;
  esac
done
[ "$failed" = 0 ] && echo "all checks passed; the log is $log" || { echo "$failed checks failed; the log is $log"; exit 1; }
