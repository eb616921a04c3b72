#!/usr/bin/env bash
# The main job, sized for two cores and a few minutes: demo.sh PROGRAM [DATA].
set -euo pipefail
program=$1 data=${2:-}
out=eegprune-demo
if [ -z "$data" ]; then
  data=$out/recordings
  # Interrupted before the recordings were whole: start over.
  [ -e "$data/eegprune.yaml" ] || rm -rf "$data"
  [ -d "$data" ] || "$program" data simulate --out "$data"
  results=$out/simulated
else
  results=$out/$(basename "$(cd "$data" && pwd)")
fi
"$program" run --data "$data" --out "$results" --model fbccnn --method lfp --ratio 0.4 \
  --folds 3 --standardize subject --optimizer adam --lr 0.001 --steps 40
