#!/usr/bin/env bash
# The comparison under docs/comparison: comparison.sh PROGRAM EEGMAT, the directory of
# PhysioNet's eegmat ("eegprune data fetch eegmat --out DIR" gets it). What is done in
# eegprune-comparison/ already is not done again.
set -euo pipefail
program=$1 eegmat=${2:-}
[ -n "$eegmat" ] || { echo "comparison: name the directory of eegmat: make comparison EEGMAT=DIR" >&2; exit 2; }
out=eegprune-comparison docs=docs/comparison
mkdir -p "$docs"
simulated=$out/recordings
[ -d "$simulated" ] || "$program" data simulate --format deap --out "$simulated" --subjects 10 --trials 8 --seconds 20
for study in eegmat simulated-deap; do
  data=$simulated
  [ "$study" = eegmat ] && data=$eegmat
  "$program" study run "studies/$study.yaml" --data "$data" --out "$out/$study"
  "$program" report "$out/$study"
  cp "$out/$study/result.csv" "$docs/$study.csv"
  "$program" compare "$out/$study" --format markdown >"$docs/$study.md"
  [ "$study" = eegmat ] && continue
  for figure in ratios-fbccnn ratios-tsception pareto-fbccnn pareto-tsception; do
    cp "$out/$study/plots/$figure.svg" "$docs/$study-$figure.svg"
  done
done
