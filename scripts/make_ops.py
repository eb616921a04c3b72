#!/usr/bin/env python3
"""PyTorch's values for the small networks in models/testdata/ops, one around each operation: each
file describes the network as a checkpoint does, and gets logits, a loss and gradients.

    pip install torch numpy
    python scripts/make_ops.py models/testdata/ops/*.json
"""
import json
import math
import sys

import torch
import torch.nn.functional as F

from make_reference import digest, ramp

KEY, CLIPS = 700, 4


def given(value, known):
    if isinstance(value, str) and value.startswith("%"):
        return known[value[1:]]
    return [given(v, known) for v in value] if isinstance(value, list) else value


def forward(arch, tensors, x, training):
    known = dict(tensors, input=x)
    for n in arch["nodes"]:
        _, name, overload = n["op"].split(".")
        args = {k: given(v, known) for k, v in n["args"].items() if k != "num_batches_tracked"}
        for mode in args.keys() & {"training", "train"}:
            args[mode] = training
        known[n["name"]] = getattr(getattr(torch.ops.aten, name), overload)(**args)
    return known[arch["nodes"][-1]["name"]]


def fresh(arch):
    tensors, k = {}, KEY
    for t in arch["tensors"]:
        if t.get("buffer"):
            tensors[t["name"]] = torch.full(t["shape"], float(t.get("fill", 0)))
            continue
        shape = t["shape"]
        bound = 0.1 if len(shape) == 1 else math.sqrt(3 / math.prod(shape[1:]))
        tensors[t["name"]] = (1 + ramp(shape, k, 0.5) if t.get("fill") == 1 else ramp(shape, k, bound)).requires_grad_()
        k += 1
    return tensors


def main():
    for path in sys.argv[1:]:
        with open(path) as f:
            case = json.load(f)
        arch = case["arch"]
        x, y = ramp([CLIPS, *arch["input"]], KEY + 900, 2.0), torch.arange(CLIPS) % arch["classes"]
        with torch.no_grad():
            case["logits"] = forward(arch, fresh(arch), x, False).tolist()
        tensors = fresh(arch)
        loss = F.cross_entropy(forward(arch, tensors, x, True), y)
        loss.backward()
        case |= {"loss": loss.item(), "grads": {n: digest(t.grad) for n, t in tensors.items() if t.requires_grad}}
        with open(path, "w") as f:
            json.dump(case, f)
            f.write("\n")


if __name__ == "__main__":
    main()
