#!/usr/bin/env python3
"""How time and memory grow with clips, subjects, folds, methods, jobs and cells.

    python scripts/bench_growth.py --program bin/eegprune

One number grows at a time, from a small study of CCNN on simulated recordings; the others stay. Each
command is run once, with one thread a job. A slope is that of the straight line that fits best
(least squares). Of a study of many cells it is timed how long it takes until the first cell
trains, and how long the page, the plots and the tables of all results are made.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from bench_memory import measured

BASE = {"subjects": 6, "trials": 8, "folds": 2, "methods": 1, "jobs": 1}
GROWTH = {
    "clips": ("trials", [8, 16, 32], lambda v: v["subjects"] * v["trials"] * 8),
    "subjects": ("subjects", [6, 12, 24], lambda v: v["subjects"]),
    "folds": ("folds", [2, 3, 6], lambda v: v["folds"]),
    "methods": ("methods", [1, 2, 4], lambda v: v["methods"]),
    "jobs": ("jobs", [1, 2], lambda v: v["jobs"]),
}
METHODS = ["lfp", "fpgm", "taylor", "random"]


def slope(x, y):
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) / sum((a - mean_x) ** 2 for a in x)


def study(a, work, v):
    """Seconds, CPU seconds, and bytes that features and a study take."""
    recordings, cache, out = (os.path.join(work, d) for d in ("recordings", "cache", "out"))
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([a.program, "data", "simulate", "--quiet", "--out", recordings, "--subjects", str(v["subjects"]), "--trials", str(v["trials"]), "--seconds", "8"],
                   check=True, stdout=subprocess.DEVNULL)
    features = measured([a.program, "data", "features", recordings, "--quiet", "--model", "ccnn", "--cache", cache], env)
    run = measured([a.program, "run", "--quiet", "--data", recordings, "--model", "ccnn", "--cache", cache, "--device", "cpu", "--split", "KFoldCrossSubject", "--folds", str(v["folds"]),
                    "--epochs", "3", "--method", ",".join(METHODS[:v["methods"]]), "--ratio", "0.4", "--recover", "fine-tune", "--jobs", str(v["jobs"]), "--out", out], env)
    return features, run


def growth(a):
    rows = []
    if not set(a.only) & set(GROWTH):
        return rows
    print(f"{'':10}{'':>8}{'features s':>12}{'MB':>8}{'study s':>10}{'CPU s':>9}{'MB':>8}")
    for what in a.only:
        if what not in GROWTH:
            continue
        key, values, count = GROWTH[what]
        found = []
        for value in values:
            v = {**BASE, key: value}
            with tempfile.TemporaryDirectory() as work:
                features, run = study(a, work, v)
            found.append({"of": what, "n": count(v), "features_s": features[0], "features_bytes": features[2], "study_s": run[0], "study_cpu_s": run[1], "study_bytes": run[2]})
            f = found[-1]
            print(f"{what:10}{f['n']:>8}{f['features_s']:>12.2f}{f['features_bytes'] / 1e6:>8.0f}{f['study_s']:>10.2f}{f['study_cpu_s']:>9.2f}{f['study_bytes'] / 1e6:>8.0f}", flush=True)
        n = [f["n"] for f in found]
        per = {k: slope(n, [f[k] for f in found]) for k in found[0] if k not in ("of", "n")}
        print(f"{'':10}{'each':>8}{per['features_s']:>12.4f}{per['features_bytes'] / 1e6:>8.3f}{per['study_s']:>10.4f}{per['study_cpu_s']:>9.4f}{per['study_bytes'] / 1e6:>8.3f}", flush=True)
        rows += found
    return rows


STUDY = """name: many
seed: 1
split: {{name: KFoldCrossSubject, folds: {folds}}}
networks: [{{model: ccnn, features: {{}}, train: {{epochs: 1}}}}]
prune: {{methods: [{methods}], ratios: [{ratios}]}}
recover: [fine-tune, scratch]
"""


def cells(a):
    """A study of many cells: until its first one trains, and from results to reports."""
    rows = []
    print(f"\n{'':10}{'cells':>8}{'plan s':>10}{'first s':>10}{'report s':>10}{'MB':>8}{'compare s':>11}")
    for ratios in a.ratios:
        with tempfile.TemporaryDirectory() as work:
            rows.append(many(a, work, ratios))
        r = rows[-1]
        print(f"{'cells':10}{r['cells']:>8}{r['plan_s']:>10.2f}{r['first_s']:>10.2f}{r['report_s']:>10.2f}{r['report_bytes'] / 1e6:>8.0f}{r['compare_s']:>11.2f}", flush=True)
    return rows


def many(a, work, ratios):
    env = {**os.environ, "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": os.path.join(work, "cache")}

    def run(*args):
        return measured([a.program, *args], env)

    def study(name, **numbers):
        path = os.path.join(work, name + ".yaml")
        with open(path, "w") as f:
            f.write(STUDY.format(**numbers))
        return path

    recordings, out, begun = (os.path.join(work, d) for d in ("recordings", "out", "begun"))
    run("data", "simulate", "--quiet", "--out", recordings, "--subjects", "10", "--trials", "4", "--seconds", "8")
    shares = [round((i + 1) / (ratios + 1), 4) for i in range(ratios)]
    file = study("many", folds=10, methods=", ".join(METHODS), ratios=", ".join(map(str, shares)))
    row = {"plan_s": run("study", "plan", file, "--data", recordings, "--device", "cpu")[0], "first_s": first(a, env, file, recordings, begun)}
    # Results of some cells that were computed stand for all.
    run("study", "run", study("few", folds=2, methods="lfp", ratios="0.4"), "--data", recordings, "--device", "cpu", "--quiet", "--out", out)
    with open(os.path.join(out, "result.json")) as f:
        results = json.load(f)
    kept = results["results"]
    shown = [r | {"fold": 2 * k + r["fold"]} for k in range(5) for r in kept if not r.get("method")]
    shown += [r | {"fold": 2 * k + r["fold"], "method": m, "ratio": s} for k in range(5) for m in METHODS for s in shares for r in kept if r.get("method")]
    results["results"] = [r | {"key": str(i)} for i, r in enumerate(shown)]
    with open(os.path.join(out, "result.json"), "w") as f:
        json.dump(results, f)
    report, compare = run("report", out), run("compare", out)
    return {"cells": len(shown), **row, "report_s": report[0], "report_bytes": report[2], "compare_s": compare[0]}


def first(a, env, file, recordings, out):
    """Seconds until a study trains."""
    start = time.perf_counter()
    p = subprocess.Popen([a.program, "study", "run", file, "--data", recordings, "--device", "cpu", "--quiet", "--out", out], env=env, stdout=subprocess.DEVNULL)
    try:
        while not (os.path.isdir(os.path.join(out, "running")) and os.listdir(os.path.join(out, "running"))):
            if p.poll() is not None:
                sys.exit(f"bench_growth.py: the study ended with {p.returncode} before it trained")
            time.sleep(0.005)
        return time.perf_counter() - start
    finally:
        p.send_signal(signal.SIGKILL)
        p.wait()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default="bin/eegprune")
    p.add_argument("--only", type=lambda text: text.split(","), default=[*GROWTH, "cells"])
    p.add_argument("--ratios", type=lambda text: [int(n) for n in text.split(",")], default=[8, 83], help="how many ratios the study of many cells has; 83 make 10,000")
    p.add_argument("--json", metavar="FILE", help="write the figures")
    a = p.parse_args()
    a.program = os.path.abspath(a.program)
    rows = growth(a)
    if "cells" in a.only:
        rows += cells(a)
    if a.json:
        with open(a.json, "w") as f:
            json.dump(rows, f, indent=1)


if __name__ == "__main__":
    main()
