#!/usr/bin/env python3
"""Training steps and forward passes of networks that export.py wrote, here and in PyTorch,
alternating in one run.

    python scripts/networks/bench.py --program bin/eegprune --networks build/networks/22x1000 [--only EEGNet,TCN] [--compile]

Prints the smallest time of each and PyTorch's beside it: above 1, eegprune is faster. PyTorch
runs braindecode's own module, as its user does; --compile adds torch.compile's training step.
"""
import argparse
import json
import os
import subprocess
import sys
import time

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import torch
import torch.nn.functional as F

from bench_pytorch import machine, show
from export import build, numbers


class PyTorch:
    def __init__(self, net, x, compiled):
        self.net, self.x, self.y = net, x, torch.arange(len(x)) % 2
        self.optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
        self.run = torch.compile(net) if compiled else net

    def step(self):
        self.net.train()
        self.optimizer.zero_grad()
        F.cross_entropy(self.run(self.x), self.y).backward()
        self.optimizer.step()

    @torch.no_grad()
    def forward(self):
        self.net.eval()
        self.run(self.x)

    def shortest(self, what, a):
        """Milliseconds of a call, without the first."""
        do, clock = getattr(self, what), time.process_time if a.cpu_time else time.perf_counter
        do()
        times, end = [], time.perf_counter() + a.seconds
        while time.perf_counter() < end or len(times) < 3:
            start = clock()
            do()
            times.append(1e3 * (clock() - start))
        return min(times)


def ours(a, path):
    run = subprocess.run([a.program, "bench", "--network", path, "--init", "drawn", "--device", "cpu", "--batch", str(a.batch), "--threads", str(a.threads),
                          "--seconds", str(a.seconds), "--json"], capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stderr.strip())
    found = json.loads(run.stdout)
    return {k: min(found[f"{k}_ms"]) for k in ("step", "forward")}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default="bin/eegprune")
    p.add_argument("--networks", required=True, metavar="DIR")
    p.add_argument("--only", help="names with commas")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--rounds", type=int, default=8)
    p.add_argument("--seconds", type=float, default=0.3, help="of each measurement")
    p.add_argument("--compile", action="store_true", help="also torch.compile's training step")
    p.add_argument("--json", metavar="FILE", help="write the figures")
    p.add_argument("--cpu-time", action="store_true", help="PyTorch's by the processor's time, beside other work, with --threads 1")
    numbers(p)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    about = machine("cpu")
    print(", ".join(f"{k} {v}" for k, v in about.items()))
    print(f"batch {a.batch}, {a.threads} threads, smallest of {a.rounds} rounds of {a.seconds:g} s, milliseconds")
    names = sorted(f[:-4] for f in os.listdir(a.networks) if f.endswith(".pt2") and not f.endswith(".quiet.pt2"))
    show(f"{'network':24}", "step", "PyTorch", "ratio", "forward", "PyTorch", "ratio", *(["compiled", "ratio"] * a.compile))
    rows = []
    for name in names:
        if a.only and name not in a.only.split(","):
            continue
        x = torch.randn(a.batch, a.chans, a.samples)
        eager, compiled, found = PyTorch(build(name, a), x, False), None, {}
        if a.compile:
            compiled = PyTorch(build(name, a), x, True)
        for _ in range(a.rounds):
            times = ours(a, os.path.join(a.networks, name + ".pt2"))
            times |= {f"torch {k}": eager.shortest(k, a) for k in ("step", "forward")}
            if compiled:
                times["compiled"] = compiled.shortest("step", a)
            found = {k: min(v, found.get(k, v)) for k, v in times.items()}
        rows.append({"network": name} | found)
        ratio = lambda theirs, mine: f"{found[theirs] / found[mine]:.2f}"  # noqa: B023
        ms = lambda k: f"{found[k]:.2f}"  # noqa: B023
        show(f"{name:24}", ms("step"), ms("torch step"), ratio("torch step", "step"), ms("forward"), ms("torch forward"), ratio("torch forward", "forward"),
             *([ms("compiled"), ratio("compiled", "step")] if a.compile else []))
    if a.json:
        with open(a.json, "w") as f:
            json.dump({"machine": about, "networks": rows}, f, indent=1)


if __name__ == "__main__":
    main()
