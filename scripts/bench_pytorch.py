#!/usr/bin/env python3
"""A training step of each network here and in PyTorch, alternating in one run.

    python scripts/bench_pytorch.py --program bin/eegprune

Prints medians in milliseconds and their ratio: above 1, eegprune is faster. Both use
the same batch, optimizer and number of threads, and neither loads data.
"""
import argparse
import json
import statistics
import subprocess
import time

import torch
import torch.nn.functional as F

from networks import build


class PyTorch:
    def __init__(self, name, batch):
        torch.manual_seed(1)
        self.model, shape = build(name)
        self.x, self.y = torch.rand(batch, *shape), torch.arange(batch) % 2
        adam = name == "tsception"
        self.opt = (torch.optim.Adam if adam else torch.optim.SGD)(self.model.parameters(), lr=1e-2)

    def step(self):
        self.opt.zero_grad()
        F.cross_entropy(self.model(self.x), self.y).backward()
        self.opt.step()


def time_pytorch(network, seconds):
    network.step()
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        network.step()
        times.append(1e3 * (time.perf_counter() - start))
    return times


def time_eegprune(program, name, batch, threads, seconds):
    out = subprocess.run([program, "bench", "--json", "--model", name, "--batch", str(batch), "--threads", str(threads),
                          "--seconds", str(seconds)], check=True, capture_output=True, text=True).stdout
    return json.loads(out)["step_ms"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default="bin/eegprune")
    p.add_argument("--models", default="ccnn,ccnn-selu,fbccnn,tsception")
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--threads", type=int, default=torch.get_num_threads())
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=4, help="of each measurement")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    print(f"torch {torch.__version__}, {a.threads} threads, batch {a.batch}, median of {a.rounds} rounds of {a.seconds:g} s")
    print(f"{'network':10} {'eegprune ms':>12} {'PyTorch ms':>12} {'ratio':>6}")
    for name in a.models.split(","):
        ours, theirs, network = [], [], PyTorch(name, a.batch)
        for _ in range(a.rounds):
            ours += time_eegprune(a.program, name, a.batch, a.threads, a.seconds)
            theirs += time_pytorch(network, a.seconds)
        mine, other = statistics.median(ours), statistics.median(theirs)
        print(f"{name:10} {mine:12.2f} {other:12.2f} {other / mine:6.2f}", flush=True)


if __name__ == "__main__":
    main()
