#!/usr/bin/env python3
"""Exports the networks that eegprune has of its own, as torcheeg and braindecode define them.

    python scripts/networks/builtin.py DIR

writes NAME.pt2, and NAME.json with what PyTorch computes of it: clips x, evaluation-mode logits
of them, and the losses of six steps of SGD, dropout included.
"""
import json
import os
import sys
import types
import warnings

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import torch
import torch.nn.functional as F

import export_network
from make_reference import construct, ramp, shape_of

ABOUT = types.SimpleNamespace(in_channels=4, classes=2, electrodes=28, rate=128)


def main():
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    for name in ("ccnn", "ccnn_selu", "fbccnn", "tsception", "eegnet", "shallowconvnet", "deep4net"):
        torch.manual_seed(1)
        net = construct(name, ABOUT)
        x, y = ramp(shape_of(name, ABOUT), 9000, 2.0), torch.arange(8) % ABOUT.classes
        path = os.path.join(sys.argv[1], name.replace("_", "-"))
        export_network.export(net, x, path + ".pt2")
        net.eval()
        with torch.no_grad():
            about = {"shape": list(x.shape), "logits": net(x).flatten().tolist(), "losses": []}
        net.train()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        torch.manual_seed(7)
        for _ in range(6):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            about["losses"].append(loss.item())
        with open(path + ".json", "w") as f:
            json.dump(about, f)


if __name__ == "__main__":
    main()
