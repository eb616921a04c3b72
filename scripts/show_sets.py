#!/usr/bin/env python3
"""Simulates each data set in small and prints what `eegprune data info` says of it, as a table.

    show_sets.py bin/eegprune [SET ...]

The directory has no eegprune.yaml when it is looked at: a set is told by what is in it.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

program = os.path.abspath(sys.argv[1])


def run(*args):
    return subprocess.run([program, *args, "--quiet"], check=True, capture_output=True, text=True).stdout


def formats():
    text = " ".join(run("data", "simulate", "--help-all").split())
    return re.search(r"one of (edf, [a-z0-9-]+(?:, [a-z0-9-]+)*)", text)[1].split(", ")


def shares(label):
    trials = sum(label["trials"])
    return ", ".join(f"{c} {100 * n / trials:.0f} %" for c, n in zip(label["classes"], label["trials"]) if trials)


def row(name, i):
    sessions = max(len(s.get("sessions", [])) for s in i["subjects"])
    cap = i["caps"][0]
    channels = f"{len(cap['channels'])}: {' '.join(cap['channels'][:3])} … {cap['channels'][-1]}"
    rate = f"windows of {i['window']:g} s" if "window" in i else f"{cap['rate']:g} Hz"
    chosen = next((x for x in i.get("labels", []) if x.get("chosen")), None)
    if chosen is None:
        chosen = dict(classes=i["classes"], trials=[sum(s["classes"][k] for s in i["subjects"]) for k in range(len(i["classes"]))])
    others = [x["label"] for x in i.get("labels", []) if not x.get("chosen")]
    trials = i["subjects"][0]["trials"]
    return [f"`{name}`", str(len(i["subjects"])), str(max(1, sessions)), str(trials), str(i.get("stimuli", "")), rate, channels, shares(chosen), ", ".join(others)]


def main():
    names = sys.argv[2:] or [f for f in formats() if f not in ("edf", "bids")]
    print("| set | subjects | sessions | trials of one | stimuli | rate | channels | classes, share of trials | other `--label` |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as out:
        for name in names:
            directory = os.path.join(out, name)
            seconds = [] if name in ("ds002723", "ds002724", "eegmmidb") else ["--seconds", "4"]
            run("data", "simulate", "--format", name, "--out", directory, "--subjects", "2", *seconds)
            os.remove(pathlib.Path(directory) / "eegprune.yaml")
            info = json.loads(run("data", "info", directory, "--json"))
            if info["manifest"] != name:
                sys.exit(f"{name} is taken for {info['manifest']}")
            print("| " + " | ".join(row(name, info)) + " |", flush=True)


if __name__ == "__main__":
    main()
