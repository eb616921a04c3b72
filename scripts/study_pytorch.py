#!/usr/bin/env python3
"""The trainings of a study in PyTorch's default way, for comparing how long they take.

    python scripts/study_pytorch.py STUDY [--fold N]

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
import time

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


def describe(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
    return json.loads(header["__metadata__"]["eegprune"])["arch"]


class Network(torch.nn.Module):
    """A network from its description: layers with the names of their inputs."""

    def __init__(self, arch):
        super().__init__()
        self.layers, self.parts = arch["layers"], torch.nn.ModuleDict()
        for l in self.layers:
            part = None
            if l["op"] == "conv2d":
                part = torch.nn.Conv2d(l["in"], l["out"], l["kernel"], l.get("stride") or 1, groups=l.get("groups", 1), bias=not l.get("no_bias"))
            elif l["op"] == "linear":
                part = torch.nn.Linear(l["in"], l["out"], bias=not l.get("no_bias"))
            elif l["op"] == "batch_norm2d":
                part = torch.nn.BatchNorm2d(l["out"])
            elif l["op"] in ("dropout", "dropout2d"):
                part = torch.nn.Dropout(l.get("p", 0.0))
            if part is not None:
                self.parts[l["name"].replace(".", "_")] = part
        used = {i for l in self.layers for i in l["inputs"]}
        self.last = next(l["name"] for l in self.layers if l["name"] not in used)

    def value(self, name, known):
        if name not in known:
            l = next(l for l in self.layers if l["name"] == name)
            known[name] = self.apply_layer(l, [self.value(i, known) for i in l["inputs"]])
        return known[name]

    def apply_layer(self, l, inputs):
        x, op = inputs[0], l["op"]
        if op == "conv2d" and l.get("pad"):
            x = F.pad(x, l["pad"])
        if (key := l["name"].replace(".", "_")) in self.parts:
            return self.parts[key](x)
        return {
            "relu": F.relu, "selu": F.selu, "elu": F.elu,
            "leaky_relu": lambda v: F.leaky_relu(v, l.get("slope", 0.01)),
            "zero_pad2d": lambda v: F.pad(v, l["pad"]),
            "avg_pool2d": lambda v: F.avg_pool2d(v, l["kernel"], l.get("stride") or l["kernel"]),
            "flatten": lambda v: v.flatten(1),
            "mean": lambda v: v.mean(-1),
            "cat": lambda v: torch.cat(inputs, l["dim"]),
        }[op](x)

    def forward(self, x):
        return self.value(self.last, {"input": x})


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
    start, cells = time.perf_counter(), 0
    for r in study["results"]:
        if not r.get("epochs") or a.fold and r["fold"] != a.fold:
            continue
        arch = describe(os.path.join(a.study, r["checkpoint"]))
        val = r["validation"]["clips"]
        c = configs[r["model"]]
        train(Network(arch), arch, clips[r["model"]] - r["test"]["clips"] - val, val, c["fine_tune" if r["stage"] == "fine-tuned" else "train"], len(r["epochs"]))
        cells += 1
    print(f"{cells} trainings in {time.perf_counter() - start:.0f} s, PyTorch {torch.__version__}, {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
