#!/usr/bin/env python3
"""Training steps, evaluations and whole k-fold trainings here, in PyTorch and in onnxruntime,
alternating in one run.

    python scripts/bench_pytorch.py --program bin/eegprune
    python scripts/bench_pytorch.py --only steps --models fbccnn --batches 64

Prints medians and their ratio: above 1, eegprune is faster. Steps and evaluations are of one
made-up batch, with the same threads on all sides; for a pruned network (lfp) it is also
said how much of the share of MACs that went is gained in time. torch.compile takes part as
its mode "reduce-overhead"; onnxruntime evaluates what torch.onnx.export writes of the same
network, on a CPU. Folds are trained side by side by eegprune, one thread each; by PyTorch one
after another with all threads and the data as one tensor, and, as the paper's script does it,
from a DataLoader. On a GPU TF32 is off and the data is there already.
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
import warnings
from importlib.util import find_spec

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
        if compiled:
            torch._dynamo.reset()  # else it gives up after some shapes and computes as eager does
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



class ONNXRuntime:
    """The evaluation of the network of a PyTorch object."""

    def __init__(self, pytorch, threads):
        import onnxruntime

        with tempfile.TemporaryDirectory() as work, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path = os.path.join(work, "net.onnx")
            torch.onnx.export(copy.deepcopy(pytorch.model).eval(), pytorch.x, path, dynamo=False)
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
            self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.feed, self.device = {self.session.get_inputs()[0].name: pytorch.x.numpy()}, "cpu"

    def forward(self):
        self.session.run(None, self.feed)


def timed(peer, what, seconds):
    """Milliseconds of each call, without the first two, and of CPU time on average."""
    do, times = getattr(peer, what), []
    do()
    do()
    end, cpu = time.perf_counter() + seconds, time.process_time()
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        do()
        if peer.device != "cpu":
            torch.cuda.synchronize()
        times.append(1e3 * (time.perf_counter() - start))
    return times, [1e3 * (time.process_time() - cpu) / len(times)]


def eegprune(a, *args):
    return json.loads(subprocess.run([a.program, "bench", *map(str, args), "--json", "--device", a.device], check=True, capture_output=True, text=True).stdout)


def show(*columns):
    print(" ".join(f"{c:<9}" if i == 0 else f"{c:>10}" for i, c in enumerate(columns)), flush=True)


def compare(a, name, batch, ratio):
    """Milliseconds of every peer's steps and evaluations, in turns, and what eegprune says of the network."""
    ours = ("--model", name, "--batch", batch, "--threads", a.threads, "--seconds", a.seconds, "--ratio", ratio)
    about, all_of, peers = None, {}, {}
    for _ in range(a.rounds):
        about = eegprune(a, *ours)
        found = {("eegprune", k): (about[f"{k}_ms"], [about[f"{k}_cpu_ms"]]) for k in ("step", "forward")}
        if not peers:
            widths = {w["group"]: w["after"] for w in about["widths"] or ()}
            peers = {"PyTorch": PyTorch(name, batch, widths, a.device, False)}
            if "compiled" in a.peers:
                peers["compiled"] = PyTorch(name, batch, widths, a.device, True)
            if "onnxruntime" in a.peers:
                peers["onnxruntime"] = ONNXRuntime(peers["PyTorch"], a.threads)
        for peer, runs in peers.items():
            found |= {(peer, k): timed(runs, k, a.seconds) for k in ("step", "forward") if hasattr(runs, k)}
        for key, times in found.items():
            all_of.setdefault(key, []).extend(times[a.cpu_time])
    return about, {f"{peer} {k}": statistics.median(v) for (peer, k), v in all_of.items()}


def steps(a):
    """Training steps and evaluations: medians, and what pruning gains."""
    results = []
    for batch in a.batches:
        print(f"\nbatch {batch}, {a.threads} threads, median of {a.rounds} rounds of {a.seconds:g} s; milliseconds{' of CPU time' * a.cpu_time}; "
              "each peer's time in ours beside it")
        columns = [(k, peer) for k in ("step", "forward") for peer in ["PyTorch", *a.peers] if (k, peer) != ("step", "onnxruntime")]
        heads = [h for k in ("step", "forward") for h in [k, *(x for of, peer in columns if of == k for x in (peer, ""))]]
        show("network", "lfp", *heads, "MACs", "of MACs")
        for name in a.models:
            whole = None
            for ratio in a.ratios:
                about, m = compare(a, name, batch, ratio)
                row, gained = {"model": name, "batch": batch, "threads": a.threads, "ratio": ratio, "macs": about["macs"]} | m, ""
                if ratio == 0:
                    whole = row
                elif whole:
                    row["of_macs"] = (1 - m["eegprune forward"] / whole["eegprune forward"]) / (1 - row["macs"] / whole["macs"])
                    gained = f"{100 * row['of_macs']:.0f} %"
                results.append(row)
                cells = []
                for k in ("step", "forward"):
                    mine = m[f"eegprune {k}"]
                    cells += [f"{mine:.2f}", *(x for of, peer in columns if of == k for x in (f"{m[f'{peer} {k}']:.2f}", f"{m[f'{peer} {k}'] / mine:.2f}"))]
                show(name, f"{ratio:g}", *cells, row["macs"], gained)
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
    p.add_argument("--batches", type=numbers(int), default=[1, 4, 16, 64, 512])
    p.add_argument("--ratios", type=numbers(float), default=[0, 0.4, 0.7], help="of lfp; 0 is the unpruned network")
    p.add_argument("--peers", type=lambda text: [v for v in text.split(",") if v], help="beside PyTorch itself: compiled, onnxruntime (as far as they are there)")
    p.add_argument("--folds", type=numbers(int), default=[2, 10])
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--jobs", type=int, default=os.cpu_count(), help="folds that eegprune trains side by side")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=2, help="of each measurement")
    p.add_argument("--clips", type=int, default=320, help="of k-fold training; for TSCeption a quarter")
    p.add_argument("--epochs", type=int, default=2)
    p.add_argument("--fold-batch", type=int, default=64)
    p.add_argument("--device", default="cpu")
    p.add_argument("--cpu-time", action="store_true", help="CPU time in place of the clock's, for a machine that does something else beside; with --threads 1")
    p.add_argument("--json", metavar="FILE", help="write the figures")
    a = p.parse_args()
    unknown = set(a.only) - set(PARTS)
    if unknown:
        p.error(f"--only: no parts {', '.join(sorted(unknown))}: there are {', '.join(PARTS)}")
    there = ["compiled"] + ["onnxruntime"] * (a.device == "cpu" and bool(find_spec("onnxruntime")) and bool(find_spec("onnx")))
    a.peers = there if a.peers is None else a.peers
    if set(a.peers) - set(there):
        p.error(f"--peers: there are {', '.join(there)} here")
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
