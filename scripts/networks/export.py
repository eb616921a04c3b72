#!/usr/bin/env python3
"""Writes braindecode's networks as eegprune reads them, with what PyTorch computes of them.

    python scripts/networks/export.py --out build/networks/22x1000 [--only EEGNet,TCN] [--chans 22 --samples 1000 --rate 250 --classes 2]

Each class of braindecode.models that can be made of these numbers alone, gives one vector
of classes and can be exported gets four files:

    NAME.pt2        in training mode, as it is initialised after torch.manual_seed(0)
    NAME.quiet.pt2  the same without dropout
    NAME.npz        clips x [16, chans, samples] and labels y; logits of x, in evaluation mode;
                    losses of six steps, and quiet: those of the twin without dropout
    NAME.json       parameters, ATen operations, the numbers it was made of

NAME.why says instead what stood in the way. A network that has its .json or .why is not
exported again, so a run that was broken off goes on.
"""
import argparse
import collections
import copy
import inspect
import json
import os
import sys
import warnings

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

import export_network

LARGEST = 10_000_000
CLIPS, BATCH, STEPS, SEED = 16, 8, 6, 7


def numbers(parser):
    """The flags that a network is made of."""
    parser.add_argument("--chans", type=int, default=22)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=250.0)
    parser.add_argument("--classes", type=int, default=2)


def build(name, a):
    """One of braindecode's networks with its first weights; it needs no other arguments."""
    import braindecode.models
    cls = getattr(braindecode.models, name)
    given = {"n_chans": a.chans, "n_outputs": a.classes, "n_times": a.samples, "sfreq": a.rate}
    torch.manual_seed(0)
    return cls(**{k: v for k, v in given.items() if k in inspect.signature(cls.__init__).parameters})


def without_dropout(net):
    for m in net.modules():
        if isinstance(m, torch.nn.modules.dropout._DropoutNd):
            m.p = 0.0
        for k, v in list(vars(m).items()):
            if "drop" in k and isinstance(v, float):
                setattr(m, k, 0.0)
    return net


def logits(net, x):
    net.eval()
    with torch.no_grad():
        return net(x).numpy()


def losses(net, x, y):
    """Of a training as scripts/parity.py has it."""
    torch.manual_seed(SEED)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.001)
    net.train()
    found = []
    while len(found) < STEPS:
        for xb, yb in DataLoader(TensorDataset(x, y), batch_size=BATCH, shuffle=True):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(xb), yb)
            loss.backward()
            optimizer.step()
            found.append(loss.item())
    return found[:STEPS]


def write(name, a, at):
    net = build(name, a)
    size = sum(p.numel() for p in net.parameters())
    if size > LARGEST:
        raise export_network.ExportError(f"{size} parameters are too many for this check")
    g = torch.Generator().manual_seed(3)
    x, y = torch.randn(CLIPS, a.chans, a.samples, generator=g), torch.randint(0, a.classes, (CLIPS,), generator=g)
    first = logits(copy.deepcopy(net), x)  # a forward pass may rescale weights: the archive gets the first ones
    if first.shape != (CLIPS, a.classes):
        raise export_network.ExportError(f"gives {list(first.shape)} for {CLIPS} clips, and no vector of classes")
    export_network.export(net, x[:4], at(".pt2"))
    quiet = without_dropout(build(name, a))
    export_network.export(quiet, x[:4], at(".quiet.pt2"))
    np.savez(at(".npz"), x=x.numpy(), y=y.numpy(), logits=first, losses=losses(net, x, y), quiet=losses(quiet, x, y))
    graph = torch.export.load(at(".pt2")).graph
    operations = collections.Counter(str(n.target) for n in graph.nodes if n.op == "call_function")
    return {"parameters": size, "operations": dict(sorted(operations.items())), "chans": a.chans, "samples": a.samples, "rate": a.rate, "classes": a.classes}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", required=True, metavar="DIR")
    p.add_argument("--only", help="names with commas")
    numbers(p)
    a = p.parse_args()
    from braindecode import models
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    os.makedirs(a.out, exist_ok=True)
    names = sorted(n for n, c in vars(models).items() if inspect.isclass(c) and issubclass(c, torch.nn.Module))
    if a.only:
        names = [n for n in names if n in a.only.split(",")]
    for name in names:
        at = lambda end: os.path.join(a.out, name + end)  # noqa: B023
        if os.path.exists(at(".json")) or os.path.exists(at(".why")):
            continue
        try:
            about = write(name, a, at)
            with open(at(".part"), "w") as f:
                json.dump(about, f)
            os.replace(at(".part"), at(".json"))
            said = f"{about['parameters']:>10} parameters, {sum(about['operations'].values())} operations"
        except Exception as e:  # whatever a network of somebody else's raises
            said = (str(e).splitlines() or [type(e).__name__])[0]
            with open(at(".why"), "w") as f:
                print(said, file=f)
        print(f"{name:26} {said}", flush=True)


if __name__ == "__main__":
    main()
