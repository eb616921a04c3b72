#!/usr/bin/env python3
"""Whether eegprune trains and prunes networks of other people as PyTorch computes them.

    python scripts/networks/check.py --program bin/eegprune --networks build/networks/22x1000 [--only EEGNet] [--method lfp] [--ratio 0.4]

DIR is what export.py wrote. For each network:

    count    inspect gives the MACs of torch.utils.flop_counter, and of norms and pools fvcore's
    read     predict gives PyTorch's logits, to 1e-5 of the largest
    train    bench losses gives PyTorch's losses of six steps, to 1e-4, with and without dropout
    prune    prune --prune linear writes a smaller network and says what went
    exact    its logits are those of the PyTorch network with the removed channels' columns at
             zero in every consumer, to 1e-5 of the largest
    again    torch.export.load takes it, of the sizes that were said, and it trains a step
    smaller  a fifth of the parameters went, or with --any at least one

The exit status is 0 where only "smaller" fails, of at most a tenth of the networks: some have little that can go
exactly, and inspect says what stays whole and why.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F
from fvcore.nn import FlopCountAnalysis
from torch.utils.flop_counter import FlopCounterMode

import export


class Differs(Exception):
    """What a network did not pass."""


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Differs((done.stderr or done.stdout).strip().splitlines()[-1] if done.stderr or done.stdout else f"exit status {done.returncode}")
    return done.stdout


def near(got, want, tolerance):
    got, want = np.asarray(got, dtype=float), np.asarray(want, dtype=float)
    if got.shape != want.shape:
        raise Differs(f"of shape {got.shape}, want {want.shape}")
    off = np.abs(got - want).max() / max(np.abs(want).max(), 1e-30)
    if not off <= tolerance:
        raise Differs(f"off by {off:.1e} of the largest")


class Check:
    """One network. Its methods are the stages, in their order."""

    STAGES = ("count", "read", "train", "prune", "exact", "again", "smaller")

    def __init__(self, a, name, work):
        self.a, self.name, self.work = a, name, work
        self.small, self.clips = os.path.join(work, name + ".small.pt2"), self.at(".npz")
        with np.load(self.clips) as f:
            self.want = dict(f)
        with open(self.at(".json")) as f:
            self.about = SimpleNamespace(**json.load(f))
        self.saved = 0.0

    def at(self, end):
        return os.path.join(self.a.networks, self.name + end)

    def logits(self, network):
        out = os.path.join(self.work, "logits.npz")
        run(self.a.program, "predict", network, "--features", self.clips, "--out", out, "--threads", "1", "-q")
        with np.load(out) as f:
            return f["logits"]

    def losses(self, network):
        out = run(self.a.program, "bench", "losses", self.clips, "--network", network, "--seed", str(export.SEED), "--batch", str(export.BATCH),
                  "--steps", str(export.STEPS), "--lr", "0.001", "--threads", "1", "--device", "cpu", "--json")
        return json.loads(out)["losses"]

    def count(self):
        net, x = export.build(self.name, self.about).eval(), torch.from_numpy(self.want["x"][:1])
        torch.backends.mha.set_fastpath_enabled(False)  # which the counters do not see into
        with torch.no_grad(), FlopCounterMode(display=False) as products:
            net(x)
        others = FlopCountAnalysis(net, x).unsupported_ops_warnings(False).uncalled_modules_warnings(False).by_operator()
        want = products.get_total_flops() // 2 + sum(int(n) for op, n in others.items() if any(k in op for k in ("norm", "pool", "upsample")))
        found = json.loads(run(self.a.program, "inspect", self.at(".pt2"), "--json"))["size"]["macs"]
        if found != want:
            raise Differs(f"{found} MACs, want {want}")

    def read(self):
        near(self.logits(self.at(".pt2")), self.want["logits"], 1e-5)

    def train(self):
        near(self.losses(self.at(".quiet.pt2")), self.want["quiet"], 1e-4)
        near(self.losses(self.at(".pt2")), self.want["losses"], 1e-4)

    def prune(self):
        run(self.a.program, "prune", self.at(".pt2"), "--method", self.a.method, "--ratio", str(self.a.ratio), "--prune", "linear", "--out", self.small, "-q")
        self.removed = json.loads(run(self.a.program, "inspect", self.small, "--json"))["removed"]

    def exact(self):
        net = export.build(self.name, self.about)
        export.logits(net, torch.from_numpy(self.want["x"][:1]))  # which rescales weights of bounded norm, as it did before the export
        state = net.state_dict()
        for r in self.removed:
            if r["role"] == "consumer":
                gone = sorted(set(range(r["size"])) - set(r["kept"]))
                state[r["tensor"]].index_fill_(r["dim"], torch.tensor(gone), 0)
        net.load_state_dict(state)
        near(self.logits(self.small), export.logits(net, torch.from_numpy(self.want["x"])), 1e-5)

    def again(self):
        self.loaded = torch.export.load(self.small).module()
        sizes = {k: list(v.shape) for k, v in self.loaded.state_dict().items()}
        for r in self.removed:
            if sizes[r["tensor"]][r["dim"]] != len(r["kept"]):
                raise Differs(f"{r['tensor']} is of shape {sizes[r['tensor']]}, though {len(r['kept'])} are kept of its dimension {r['dim']}")
        x, y = torch.from_numpy(self.want["x"][:export.BATCH]), torch.from_numpy(self.want["y"][:export.BATCH])
        F.cross_entropy(self.loaded(x), y).backward()

    def smaller(self):
        left = sum(p.numel() for p in self.loaded.parameters())
        self.saved = 1 - left / self.about.parameters
        if not self.saved >= 0.2 and not (self.a.any and self.saved > 0):
            raise Differs(f"{left} of {self.about.parameters} parameters are left")

    def __call__(self):
        for stage in self.STAGES:
            try:
                getattr(self, stage)()
            except Exception as e:  # of this stage, whatever it is; the other networks go on
                return stage, (str(e).splitlines() or [type(e).__name__])[0]
        return None, f"{self.saved:.1%} of the parameters gone"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default="bin/eegprune")
    p.add_argument("--networks", required=True, metavar="DIR")
    p.add_argument("--only", help="names with commas")
    p.add_argument("--method", default="lfp")
    p.add_argument("--ratio", type=float, default=0.4)
    p.add_argument("--any", action="store_true", help="one parameter less is small enough")
    a = p.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    names = sorted(f[:-len(".json")] for f in os.listdir(a.networks) if f.endswith(".json"))
    if a.only:
        names = [n for n in names if n in a.only.split(",")]
    failed = []
    with tempfile.TemporaryDirectory() as work:
        for name in names:
            stage, said = Check(a, name, work)()
            if stage is not None:
                failed.append(stage)
            print(f"{name:26} {'all: ' if stage is None else stage + ': '}{said[:160]}", flush=True)
    print(f"{len(names) - len(failed)} of {len(names)} networks pass every check")
    sys.exit(0 if names and set(failed) <= {"smaller"} and 10 * len(failed) <= len(names) else 1)


if __name__ == "__main__":
    main()
