#!/usr/bin/env python3
"""Training steps and k-fold trainings on a GPU, here and in PyTorch, in one run.

    python scripts/bench_gpu.py --program bin/eegprune

Steps are of one made-up batch that lies on the GPU, both sides warm; medians in milliseconds.
PyTorch trains as it comes (TF32 in convolutions), deterministic in float32, captured by hand
as a CUDA graph, and compiled (mode="reduce-overhead"). The limit is what a step's operations
and bytes take at the rates that this GPU reaches in a large product and a large copy: bytes
are those that each operation reads and writes once, floating-point operations those of
products and convolutions. Folds are trained by eegprune side by side, by PyTorch one after
another from a DataLoader, as the paper's script does it; both have started CUDA before.
"""
import argparse
import itertools
import json
import os
import statistics
import subprocess
import tempfile
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.data import DataLoader, Subset, TensorDataset
from torch.utils.flop_counter import FlopCounterMode

from networks import build
from parity import as_precision, be_deterministic, made_up

DEVICE = "cuda"


def timed(do, seconds, sync=torch.cuda.synchronize):
    """The median time of a call in milliseconds, after ten."""
    for _ in range(10):
        do()
    sync()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        do()
        sync()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def rates():
    """TFLOP/s of products in float32, tf32 and bf16, and bytes a second of a copy."""
    n, reached = 8192, {}
    a, b = torch.randn(n, n, device=DEVICE), torch.randn(n, n, device=DEVICE)
    for name in ("float32", "tf32", "bf16"):
        as_precision(name)
        x, y = (a.bfloat16(), b.bfloat16()) if name == "bf16" else (a, b)
        reached[name] = 2 * n**3 / (timed(lambda: x @ y, 0.3) * 1e-3) / 1e12
    src = torch.empty(1 << 30, dtype=torch.uint8, device=DEVICE).fill_(1)
    dst = torch.empty_like(src)
    reached["copy"] = 2 * src.numel() / (timed(lambda: dst.copy_(src), 0.3) * 1e-3)
    return reached


class Bytes(TorchDispatchMode):
    """Counts what operations read and write, but for those that only look at memory anew."""

    total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if not func.is_view and func.namespace == "aten":
            for t in torch.utils._pytree.tree_leaves((args, kwargs, out)):
                if isinstance(t, torch.Tensor) and t.device.type == DEVICE:
                    self.total += t.numel() * t.element_size()
        return out


class PyTorch:
    """One network and one made-up batch."""

    def __init__(self, name, batch):
        torch.manual_seed(1)
        self.model, shape = build(name)
        self.model.to(DEVICE).train()
        self.x, self.y = torch.rand(batch, *shape, device=DEVICE), torch.arange(batch, device=DEVICE) % 2
        make = torch.optim.Adam if name == "tsception" else torch.optim.SGD
        self.opt = make(self.model.parameters(), lr=1e-2, fused=True, **({"capturable": True} if name == "tsception" else {}))
        self.run = self.model

    def step(self):
        self.opt.zero_grad(set_to_none=True)
        F.cross_entropy(self.run(self.x), self.y).backward()
        self.opt.step()

    def captured(self):
        """The step as a CUDA graph."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        self.opt.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            self.step()
        return graph.replay

    def compiled(self):
        self.run = torch.compile(self.model, mode="reduce-overhead")
        return self.step


def theirs(name, batch, seconds, compiled):
    """Milliseconds of PyTorch's ways; None where one fails."""
    def one(precision, deterministic, how):
        as_precision(precision)
        be_deterministic(deterministic)
        try:
            p = PyTorch(name, batch)
            return timed(getattr(p, how)() if how != "step" else p.step, seconds)
        except Exception as e:
            print(f"  PyTorch, {name}, {how}: {str(e).splitlines()[0][:150]}", flush=True)
            return None
        finally:
            be_deterministic(False)

    ways = {"eager": ("tf32-conv", False, "step"), "deterministic": ("float32", True, "step"),
            "captured": ("float32", True, "captured"), "captured tf32": ("tf32", True, "captured")}
    if compiled:
        ways["compiled"] = ("float32", False, "compiled")
    return {k: one(*v) for k, v in ways.items()}


def work(name, batch):
    """Floating-point operations and bytes of a step."""
    p = PyTorch(name, batch)
    p.step()
    with FlopCounterMode(display=False) as flops:
        p.step()
    with Bytes() as moved:
        p.step()
    return flops.get_total_flops(), moved.total


def eegprune(program, *args):
    return json.loads(subprocess.run([program, "bench", *map(str, args), "--json", "--device", DEVICE], check=True, stdout=subprocess.PIPE, text=True).stdout)


def cell(value, form="{:.2f}"):
    return "-" if value is None else form.format(value)


def steps(a, reached):
    rows = []
    print(f"\nbatch {a.batch}, milliseconds a step; ratio: PyTorch's time over eegprune's\n"
          "network    precision     eegprune  eager ratio  determ. ratio  captured ratio  compiled ratio  limit  share")
    for name in a.models:
        flops, moved = work(name, a.batch)
        other = theirs(name, a.batch, a.seconds, not a.no_compile)
        for precision, way in itertools.product(("float32", "tf32", "bf16"), ("", "auto", "cudnn", "fast")):
            flags = {"": [], "auto": ["--variants", "auto"], "cudnn": ["--cudnn-benchmark", "--variants", "auto"],
                     "fast": ["--fast", "--variants", "auto"]}[way]
            if way in ("cudnn", "fast") and precision != "tf32":
                continue
            flags += [] if precision == "float32" else ["--precision", precision]
            ours = eegprune(a.program, "--model", name, "--batch", a.batch, "--seconds", a.seconds, *flags)
            ms = statistics.median(ours["step_ms"])
            limit = 1e3 * max(flops / reached[precision] / 1e12, moved / reached["copy"])
            captured = other.get("captured tf32" if precision == "tf32" else "captured")
            columns = {"eager": other["eager"], "deterministic": other["deterministic"], "captured": captured, "compiled": other.get("compiled")}
            rows.append({"model": name, "precision": precision, "way": way, "variants": ours["variants"], "trials": ours["trials"], "step_ms": ms, "forward_ms": statistics.median(ours["forward_ms"]),
                         "gflop": flops / 1e9, "gbytes": moved / 1e9, "limit_ms": limit, **columns})
            print(f"{name:10} {precision + ' ' + way:12} {ms:9.3f} " + " ".join(f"{cell(v):>8} {cell(v and v / ms):>5}" for v in columns.values())
                  + f" {limit:7.3f} {100 * limit / ms:5.0f} %", flush=True)
    return rows


def divide(clips, k, fold):
    """The rows that `eegprune bench folds` trains on and validates on."""
    rest = [i for i in range(clips) if i % k != fold]
    return [r for n, r in enumerate(rest) if n % 5 != 4], rest[4::5]


def folds(a):
    rows = []
    print("\nten folds, seconds\nnetwork    clips  1 job  4 jobs 10 jobs tf32, 10  variants PyTorch ratio")
    with tempfile.TemporaryDirectory() as tmp:
        for name in a.models:
            clips = a.clips // (4 if name in ("tsception", "eegnet") else 1)
            path = os.path.join(tmp, "clips.npz")
            made_up(path, name, clips, 1)
            took = {}
            tf32 = ["--precision", "tf32"]
            for jobs, flags in ((1, []), (4, []), (10, []), ("tf32", tf32), ("variants", [*tf32, "--variants", "auto"])):
                n = 10 if flags else jobs
                took[jobs] = eegprune(a.program, "folds", path, "--model", name, "--folds", 10, "--epochs", a.epochs, "--jobs", n, *flags)["seconds"]
            file = np.load(path)
            data = TensorDataset(torch.from_numpy(file["x"]), torch.from_numpy(file["y"]))
            as_precision("tf32-conv")
            PyTorch(name, 64).step()  # CUDA and cuDNN begin
            torch.cuda.synchronize()
            start = time.perf_counter()
            for fold in range(a.torch_folds):
                fit, val = divide(clips, 10, fold)
                model, _ = build(name)
                model.to(DEVICE)
                make = torch.optim.Adam if name == "tsception" else torch.optim.SGD
                opt = make(model.parameters(), lr=1e-2)
                for _ in range(a.epochs):
                    model.train()
                    for x, y in DataLoader(Subset(data, fit), batch_size=64, shuffle=True):
                        opt.zero_grad()
                        F.cross_entropy(model(x.to(DEVICE)), y.to(DEVICE)).backward()
                        opt.step()
                    model.eval()
                    with torch.no_grad():
                        for x, y in DataLoader(Subset(data, val), batch_size=64):
                            model(x.to(DEVICE)).argmax(1).eq(y.to(DEVICE)).sum().item()
            torch.cuda.synchronize()
            other = (time.perf_counter() - start) * 10 / a.torch_folds
            rows.append({"model": name, "clips": clips, "seconds": {str(k): v for k, v in took.items()}, "pytorch": other})
            print(f"{name:10} {clips:5} {took[1]:6.2f} {took[4]:7.2f} {took[10]:7.2f} {took['tf32']:8.2f} {took['variants']:9.2f} {other:8.2f} {other / took[10]:5.1f}", flush=True)
    return rows


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default="bin/eegprune")
    p.add_argument("--models", type=lambda s: s.split(","), default=["ccnn", "fbccnn", "tsception", "eegnet"])
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    p.add_argument("--clips", type=int, default=7680, help="of the folds; for networks of signals a quarter")
    p.add_argument("--epochs", type=int, default=4)
    p.add_argument("--torch-folds", type=int, default=2, help="how many of the ten PyTorch trains; the time is scaled")
    p.add_argument("--only", type=lambda s: s.split(","), default=["steps", "folds"], help="steps, folds")
    p.add_argument("--no-compile", action="store_true", help="leave torch.compile out, which takes half a minute a network")
    p.add_argument("--json", metavar="FILE")
    a = p.parse_args()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    about = {"gpu": torch.cuda.get_device_name(), "torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    reached = rates()
    print(", ".join(f"{k} {v}" for k, v in about.items()))
    print(", ".join(f"{k} {v:.1f} TFLOP/s" for k, v in reached.items() if k != "copy") + f", copy {reached['copy'] / 1e12:.2f} TB/s")
    figures = {"about": about, "reached": reached}
    if "steps" in a.only:
        figures["steps"] = steps(a, reached)
    if "folds" in a.only:
        figures["folds"] = folds(a)
    if a.json:
        with open(a.json, "w") as f:
            json.dump(figures, f, indent=1)


if __name__ == "__main__":
    main()
