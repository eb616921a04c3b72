#!/usr/bin/env python3
"""Training steps, forward passes and whole k-fold trainings here and in PyTorch,
alternating in one run.

    python scripts/bench_pytorch.py --program bin/eegprune
    python scripts/bench_pytorch.py --only steps --models fbccnn --batches 64

Prints medians and their ratio: above 1, eegprune is faster. Steps and passes are of one
made-up batch, with the same threads on both sides; for a pruned network (lfp) it is also
said how much of the share of MACs that went is gained in time. Folds are trained side by
side by eegprune, one thread each; by PyTorch one after another with all threads and the
data as one tensor, and, as the paper's script does it, from a DataLoader. On a GPU TF32 is
off, the data is there already, and --compile adds torch.compile(mode="reduce-overhead").
"""
import argparse
import copy
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Subset, TensorDataset

from networks import build
from parity import made_up

PARTS = ("steps", "folds")


def optimizer(name, model):
    return (torch.optim.Adam if name == "tsception" else torch.optim.SGD)(model.parameters(), lr=1e-2)


class PyTorch:
    """One network and one made-up batch."""

    def __init__(self, name, batch, widths, device, compiled):
        torch.manual_seed(1)
        self.model, shape = build(name, widths=widths)
        self.model.to(device)
        self.device, self.x, self.y = device, torch.rand(batch, *shape, device=device), torch.arange(batch, device=device) % 2
        self.opt = optimizer(name, self.model)
        self.run = torch.compile(self.model, mode="reduce-overhead") if compiled else self.model

    def step(self):
        self.model.train()
        self.opt.zero_grad()
        F.cross_entropy(self.run(self.x), self.y).backward()
        self.opt.step()

    @torch.no_grad()
    def forward(self):
        self.model.eval()
        self.run(self.x)

    def times(self, what, seconds):
        """Milliseconds of each call, without the first, and of CPU time on average."""
        do, times = getattr(self, what), []
        do()
        end, cpu = time.perf_counter() + seconds, time.process_time()
        while time.perf_counter() < end or len(times) < 3:
            start = time.perf_counter()
            do()
            if self.device != "cpu":
                torch.cuda.synchronize()
            times.append(1e3 * (time.perf_counter() - start))
        return times, [1e3 * (time.process_time() - cpu) / len(times)]


def eegprune(a, *args):
    return json.loads(subprocess.run([a.program, "bench", *map(str, args), "--json", "--device", a.device], check=True, capture_output=True, text=True).stdout)


def show(*columns):
    print(" ".join(f"{c:<10}" if i == 0 else f"{c:>11}" for i, c in enumerate(columns)), flush=True)


def steps(a):
    """Training steps and forward passes: medians, and what pruning gains."""
    results = []
    for batch in a.batches:
        print(f"\nbatch {batch}, {a.threads} threads, median of {a.rounds} rounds of {a.seconds:g} s; milliseconds{' of CPU time' * a.cpu_time}")
        show("network", "lfp", "step", "PyTorch", "ratio", "forward", "PyTorch", "ratio", "MACs", "of MACs", *(["compiled", "ratio"] if a.compile else []))
        for name in a.models:
            all_of, networks, about = {}, {}, {}
            for _ in range(a.rounds):
                for ratio in a.ratios:
                    ours = about[ratio] = eegprune(a, "--model", name, "--batch", batch, "--threads", a.threads, "--seconds", a.seconds, "--ratio", ratio)
                    if ratio not in networks:
                        widths = {w["group"]: w["after"] for w in ours["widths"] or ()}
                        networks[ratio] = PyTorch(name, batch, widths, a.device, False), a.compile and PyTorch(name, batch, widths, a.device, True)
                    theirs, compiled = networks[ratio]
                    timed = {k: (ours[f"{k}_ms"], [ours[f"{k}_cpu_ms"]]) for k in ("step", "forward")}
                    timed |= {f"torch {k}": theirs.times(k, a.seconds) for k in ("step", "forward")}
                    if compiled:
                        timed["compiled step"] = compiled.times("step", a.seconds)
                    for key, times in timed.items():
                        all_of.setdefault((ratio, key), []).extend(times[a.cpu_time])
            m = {k: statistics.median(v) for k, v in all_of.items()}
            for ratio in a.ratios:
                row = {"model": name, "batch": batch, "ratio": ratio, "macs": about[ratio]["macs"]} | {k: v for (r, k), v in m.items() if r == ratio}
                macs, gained = row["macs"], ""
                if ratio > 0 and 0 in a.ratios:
                    row["of_macs"] = (1 - row["forward"] / m[0, "forward"]) / (1 - macs / about[0]["macs"])
                    gained = f"{100 * row['of_macs']:.0f} %"
                results.append(row)
                show(name, f"{ratio:g}", f"{row['step']:.2f}", f"{row['torch step']:.2f}", f"{row['torch step'] / row['step']:.2f}", f"{row['forward']:.2f}",
                     f"{row['torch forward']:.2f}", f"{row['torch forward'] / row['forward']:.2f}", macs, gained,
                     *([f"{row['compiled step']:.2f}", f"{row['compiled step'] / row['step']:.2f}"] if a.compile else []))
    return results


def divide(clips, k, fold):
    """The rows that `eegprune bench folds` trains on and validates on."""
    others = [i for i in range(clips) if i % k != fold]
    return [r for i, r in enumerate(others) if i % 5 != 4], others[4::5]


def train_fold(a, name, x, y, k, fold, loader):
    torch.manual_seed(fold + 1)
    model, _ = build(name, x.shape[1:], 2, 128, None)
    model.to(a.device)
    opt = optimizer(name, model)
    fit, val = divide(len(y), k, fold)
    if loader:
        data = TensorDataset(x, y)
        batches = DataLoader(Subset(data, fit), batch_size=a.fold_batch, shuffle=True)
        val_batches = DataLoader(Subset(data, val), batch_size=a.fold_batch)
    else:
        fit, val = torch.tensor(fit, device=a.device), torch.tensor(val, device=a.device)

    def training():
        if loader:
            yield from batches
        else:
            for rows in fit[torch.randperm(len(fit), device=a.device)].split(a.fold_batch):
                yield x[rows], y[rows]

    def validation():
        if loader:
            yield from val_batches
        else:
            for rows in val.split(a.fold_batch):
                yield x[rows], y[rows]

    best, kept = -1.0, None
    for _ in range(a.epochs):
        model.train()
        loss_sum, hits = 0.0, 0
        for xb, yb in training():
            xb, yb = xb.to(a.device), yb.to(a.device)
            logits = model(xb)
            loss = F.cross_entropy(logits, yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            loss_sum, hits = loss_sum + loss.detach() * len(yb), hits + (logits.argmax(1) == yb).sum()
        model.eval()
        with torch.no_grad():
            right = sum((model(xb.to(a.device)).argmax(1) == yb.to(a.device)).sum() for xb, yb in validation()).item()
        if right > best:
            best, kept = right, copy.deepcopy(model.state_dict())
    return kept


def folds(a):
    """Seconds for the training of all folds."""
    results = []
    print(f"\nk-fold training, {a.epochs} epochs, batch {a.fold_batch}, {a.jobs} side by side, median of {a.rounds} rounds; seconds")
    show("network", "clips", "folds", "eegprune", "PyTorch", "ratio", "DataLoader", "ratio")
    for name in a.models:
        clips = a.clips // 4 if name == "tsception" else a.clips
        with tempfile.TemporaryDirectory() as work:
            path = os.path.join(work, "clips.npz")
            made_up(path, name, clips, 1)
            file = np.load(path)
            x, y = torch.from_numpy(file["x"]), torch.from_numpy(file["y"])
            there = x.to(a.device), y.to(a.device)
            for k in a.folds:
                times = {"eegprune": [], "tensor": [], "loader": []}
                for _ in range(a.rounds):
                    times["eegprune"].append(eegprune(a, "folds", path, "--model", name, "--folds", k, "--epochs", a.epochs, "--batch", a.fold_batch,
                                                      "--jobs", a.jobs)["seconds"])
                    for key, data in (("tensor", there), ("loader", (x, y))):
                        start = time.perf_counter()
                        for fold in range(k):
                            train_fold(a, name, *data, k, fold, key == "loader")
                        if a.device != "cpu":
                            torch.cuda.synchronize()
                        times[key].append(time.perf_counter() - start)
                m = {key: statistics.median(v) for key, v in times.items()}
                results.append({"model": name, "clips": clips, "folds": k, "epochs": a.epochs} | m)
                show(name, clips, k, f"{m['eegprune']:.2f}", f"{m['tensor']:.2f}", f"{m['tensor'] / m['eegprune']:.2f}", f"{m['loader']:.2f}",
                     f"{m['loader'] / m['eegprune']:.2f}")
    return results


def machine(device):
    """What the figures depend on."""
    cpu = platform.processor()
    try:
        with open("/proc/cpuinfo") as f:
            cpu = next(line.split(":", 1)[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    about = {"cpu": cpu, "cores": os.cpu_count(), "load": os.getloadavg()[0], "torch": torch.__version__}
    if device != "cpu":
        about |= {"gpu": torch.cuda.get_device_name(device), "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
        try:
            keys = "driver_version,clocks.sm,clocks.max.sm,clocks.mem"
            about["driver and clocks"] = subprocess.run(["nvidia-smi", f"--query-gpu={keys}", "--format=csv,noheader"], capture_output=True, text=True).stdout.strip()
        except OSError:
            pass
    return about


def numbers(kind):
    return lambda text: [kind(v) for v in text.split(",")]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default="bin/eegprune")
    p.add_argument("--only", type=numbers(str), default=list(PARTS), help="parts: " + ", ".join(PARTS))
    p.add_argument("--models", type=numbers(str), default=["ccnn", "fbccnn", "tsception", "eegnet"])
    p.add_argument("--batches", type=numbers(int), default=[1, 64, 512])
    p.add_argument("--ratios", type=numbers(float), default=[0, 0.4], help="of lfp; 0 is the unpruned network")
    p.add_argument("--folds", type=numbers(int), default=[2, 10])
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--jobs", type=int, default=os.cpu_count(), help="folds that eegprune trains side by side")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=2, help="of each measurement")
    p.add_argument("--clips", type=int, default=320, help="of k-fold training; for TSCeption a quarter")
    p.add_argument("--epochs", type=int, default=2)
    p.add_argument("--fold-batch", type=int, default=64)
    p.add_argument("--device", default="cpu")
    p.add_argument("--compile", action="store_true", help="also torch.compile's training step")
    p.add_argument("--cpu-time", action="store_true", help="CPU time in place of the clock's, for a machine that does something else beside; with --threads 1")
    p.add_argument("--json", metavar="FILE", help="write the figures")
    a = p.parse_args()
    unknown = set(a.only) - set(PARTS)
    if unknown:
        p.error(f"--only: no parts {', '.join(sorted(unknown))}: there are {', '.join(PARTS)}")
    torch.set_num_threads(a.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    about = machine(a.device)
    print(", ".join(f"{k} {v}" for k, v in about.items()))
    figures = {"machine": about} | {part: {"steps": steps, "folds": folds}[part](a) for part in a.only}
    about["load after"] = os.getloadavg()[0]
    print(f"\nload before and after: {about['load']:.1f}, {about['load after']:.1f}, of which this run is about {a.threads}")
    if a.json:
        with open(a.json, "w") as f:
            json.dump(figures, f, indent=1)


if __name__ == "__main__":
    main()
