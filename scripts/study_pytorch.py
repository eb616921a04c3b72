#!/usr/bin/env python3
"""The trainings of a study in PyTorch's default way, for comparing how long they take.

    python scripts/study_pytorch.py STUDY [--fold N] [--program bin/eegprune]

For each training in STUDY/result.json builds the network that its checkpoint describes and
trains it for as many epochs, over as many clips, with a DataLoader and all threads, one
training after another, and evaluates it on as many clips after each epoch. The clips are
random numbers: only the time is looked at.
"""
import argparse
import json
import os
import re
import struct
import subprocess
import tempfile
import time

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


def describe(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
    return json.loads(header["__metadata__"]["eegprune"])["arch"]


def network(program, checkpoint):
    """The checkpoint's network as the PyTorch class that the program writes."""
    with tempfile.TemporaryDirectory() as d:
        path, names = os.path.join(d, "network.py"), {}
        subprocess.run([program, "export", checkpoint, "--out", path], check=True, stdout=subprocess.DEVNULL)
        with open(path) as f:
            exec(f.read(), names)
    return names["Network"]()


def train(network, arch, clips, val, options, epochs):
    make = lambda n: TensorDataset(torch.rand(n, *arch["input"]), torch.arange(n) % arch["classes"])
    fit, validation = DataLoader(make(clips), options["batch_size"], shuffle=True), DataLoader(make(val), 64)
    adam = options["optimizer"] == "adam"
    opt = (torch.optim.Adam if adam else torch.optim.SGD)(network.parameters(), lr=options["lr"])
    for _ in range(epochs):
        network.train()
        for x, y in fit:
            opt.zero_grad()
            loss = F.cross_entropy(network(x), y)
            loss.backward()
            opt.step()
        network.eval()
        with torch.no_grad():
            sum((network(x).argmax(1) == y).sum().item() for x, y in validation)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("study")
    p.add_argument("--fold", type=int)
    p.add_argument("--program", default="bin/eegprune")
    a = p.parse_args()
    with open(os.path.join(a.study, "result.json")) as f:
        study = json.load(f)
    configs = study["config"] if isinstance(study["config"], list) else [study["config"]]
    configs = {c["model"]: c for c in configs}
    clips = {}  # in all; results of one share alone do not add up to them
    for s in study["settings"]:
        if found := re.match(r"data(?:, (\w+))?$", s["name"]):
            for m in [found[1]] if found[1] else configs:
                clips[m] = int(re.search(r"(\d+) clips", s["value"])[1])
    results = [r for r in study["results"] if r.get("epochs") and a.fold in (None, r["fold"])]
    made = [network(a.program, os.path.join(a.study, r["checkpoint"])) for r in results]
    start, cells = time.perf_counter(), 0
    for r, n in zip(results, made):
        arch = describe(os.path.join(a.study, r["checkpoint"]))
        val = r["validation"]["clips"]
        c = configs[r["model"]]
        train(n, arch, clips[r["model"]] - r["test"]["clips"] - val, val, c["fine_tune" if r["stage"] == "fine-tuned" else "train"], len(r["epochs"]))
        cells += 1
    print(f"{cells} trainings in {time.perf_counter() - start:.0f} s, PyTorch {torch.__version__}, {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
