#!/usr/bin/env python3
"""Times preprocessing beside scipy, one thread each, by turns: 32 channels, an hour at 512 Hz.

    pip install scipy
    python scripts/bench_preprocess.py

Least of three times, in seconds. Reading is in neither.
"""
import os
import re
import subprocess
import time

for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]:
    os.environ[name] = "1"

import numpy as np
import scipy
from scipy import signal as sp

RATE, CHANNELS = 512, 32
x = np.random.default_rng(1).standard_normal((CHANNELS, 3600 * RATE)) * 20
band = sp.butter(4, [1, 45], "band", fs=RATE, output="sos")
notch = sp.tf2sos(*sp.iirnotch(50, 30, RATE))
steps = {
    "BandPass": lambda: sp.sosfiltfilt(band, x),
    "Notch": lambda: sp.sosfiltfilt(notch, x),
    "Resample": lambda: sp.resample_poly(x, 1, 4, axis=-1),
    "Reference": lambda: x - x.mean(0),
}


def ours():
    out = subprocess.run(["go", "test", "-run", "^$", "-bench", "BenchmarkHour", "-benchtime", "1x", "-cpu", "1", "./data/preprocess"],
                         check=True, capture_output=True, text=True, cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__)))).stdout
    return {name: float(ns) / 1e9 for name, ns in re.findall(r"BenchmarkHour/(\w+)\s+\d+\s+([\d.e+]+) ns/op", out)}


best = {name: [np.inf, np.inf] for name in steps}
for _ in range(3):
    for name, step in steps.items():
        start = time.perf_counter()
        step()
        best[name][0] = min(best[name][0], time.perf_counter() - start)
    for name, seconds in ours().items():
        best[name][1] = min(best[name][1], seconds)
print(f"scipy {scipy.__version__}, numpy {np.__version__}")
for name, (theirs, own) in best.items():
    print(f"{name:10s} scipy {theirs:6.2f} s   eegprune {own:6.2f} s   {theirs / own:.1f} times as fast")
