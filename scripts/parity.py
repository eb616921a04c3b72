#!/usr/bin/env python3
"""The loss of every step of a training here and in PyTorch, from the same seed.

    python scripts/parity.py --program bin/eegprune

Each network is trained on a made-up data set by the plain PyTorch program below
(torch.manual_seed, the class, DataLoader with shuffling, the network's own dropout), and by
`eegprune bench losses`, which knows the seed and the .npz file and nothing else. On a CPU
both use one thread, and a relative difference above 1e-6 fails. On a GPU both are
deterministic, and PyTorch has the optimizer's fused form, as eegprune has; there is no
dropout, whose draws differ. Training amplifies rounding, so the first steps are held to
account: a loss that differs by more than 1e-5 of it, or a weight by more than 1e-5 of the
largest of its tensor, fails. With --precision both round as that says.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

from networks import NAMES, build


def made_up(path, name, clips, seed):
    """Two classes of noise, one of them stronger in a part of the clip."""
    rng = np.random.default_rng(seed)
    shape = (1, 28, 512) if name in ("tsception", "eegnet") else (4, 9, 9)
    y = rng.integers(0, 2, clips)
    x = rng.standard_normal((clips, *shape), dtype=np.float32)
    x[y == 1, :, :5] *= 1.5
    np.savez(path, x=x, y=y, rate=128)


FIRST = 3  # steps that are held to account on a GPU


def as_precision(precision):
    """PyTorch's settings that compute as --precision does; "tf32-conv" are its own."""
    torch.backends.cudnn.allow_tf32 = precision in ("tf32", "tf32-conv")
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"


def be_deterministic(on):
    torch.backends.cudnn.deterministic = on
    torch.use_deterministic_algorithms(on)
    torch.utils.deterministic.fill_uninitialized_memory = False


def safetensors(path):
    """The float32 tensors of a file, by name."""
    with open(path, "rb") as f:
        raw = f.read()
    size = int.from_bytes(raw[:8], "little")
    header, data = json.loads(raw[8:8 + size]), raw[8 + size:]
    return {name: np.frombuffer(data[slice(*t["data_offsets"])], dtype="<f4").reshape(t["shape"])
            for name, t in header.items() if name != "__metadata__" and t["dtype"] == "F32"}


def with_pytorch(path, name, seed, steps, batch, device, dropout):
    file = np.load(path)
    x, y = torch.from_numpy(file["x"]), torch.from_numpy(file["y"])
    torch.manual_seed(seed)
    model, _ = build(name, x.shape[1:], int(y.max()) + 1, int(file["rate"]), dropout)
    model.to(device).train()
    make = torch.optim.Adam if name == "tsception" else torch.optim.SGD
    optimizer = make(model.parameters(), lr=1e-2, fused=device != "cpu")
    loader = DataLoader(TensorDataset(x, y), batch_size=batch, shuffle=True)
    losses = []
    while True:
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(xb.to(device)), yb.to(device))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if len(losses) == steps:
                return losses, {k: v.cpu().numpy() for k, v in model.state_dict().items()}


def with_eegprune(program, path, name, seed, steps, batch, device, dropout, precision):
    flags = [] if dropout is None else ["--dropout", str(dropout)]
    weights = path + ".safetensors"
    out = subprocess.run([program, "bench", "losses", path, "--json", "--model", name, "--seed", str(seed), "--steps", str(steps),
                          "--batch", str(batch), "--threads", "1", "--device", device, "--precision", precision, "--out", weights, *flags],
                         check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(out.stdout)["losses"], safetensors(weights)


def apart(ours, theirs):
    """The largest difference of a weight, in parts of the largest of its tensor."""
    return max(float(np.abs(w - theirs[k]).max() / max(np.abs(theirs[k]).max(), 1e-30)) for k, w in ours.items())


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default="bin/eegprune")
    p.add_argument("--models", default=",".join(NAMES))
    p.add_argument("--seeds", help="such as 1,2,3 (default: three at random)")
    p.add_argument("--steps", type=int, default=12)
    p.add_argument("--clips", type=int, default=200, help="the last batch of an epoch is then a part of one")
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--device", default="cpu")
    p.add_argument("--precision", default="", help="tf32 or tf32-conv, on a GPU")
    p.add_argument("--json", metavar="FILE", help="write all losses")
    a = p.parse_args()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    warnings.filterwarnings("ignore", "dropout2d: Received a 2-D input")  # torcheeg's
    torch.set_num_threads(1)
    as_precision(a.precision)
    on_cpu = a.device == "cpu"
    be_deterministic(not on_cpu)
    allowed, dropout, held = (1e-6, None, a.steps) if on_cpu else (1e-5, 0.0, FIRST)
    seeds = [int(s) for s in a.seeds.split(",")] if a.seeds else random.SystemRandom().sample(range(1 << 31), 3)
    print(f"torch {torch.__version__}, {a.device}{a.precision and ', ' + a.precision}, seeds {','.join(map(str, seeds))}, {a.clips} clips, batch {a.batch}")
    print("relative difference of each step's loss, = where the bits are the same", flush=True)
    runs, failed = [], []
    with tempfile.TemporaryDirectory() as work:
        for name in a.models.split(","):
            for seed in seeds:
                path = os.path.join(work, "clips.npz")
                made_up(path, name, a.clips, seed)
                theirs, _ = with_pytorch(path, name, seed, a.steps, a.batch, a.device, dropout)
                ours, _ = with_eegprune(a.program, path, name, seed, a.steps, a.batch, a.device, dropout, a.precision)
                weights = apart(with_eegprune(a.program, path, name, seed, held, a.batch, a.device, dropout, a.precision)[1],
                                with_pytorch(path, name, seed, held, a.batch, a.device, dropout)[1])
                off = [abs(o - t) / max(abs(t), 1e-30) for o, t in zip(ours, theirs, strict=True)]
                equal = sum(o == t for o, t in zip(ours, theirs))
                runs.append({"model": name, "seed": seed, "pytorch": theirs, "eegprune": ours, "bit_equal": equal, "worst": max(off),
                             "worst_weight": weights, "after_steps": held})
                if not all(d <= allowed for d in off[:held] + [weights]):  # nor NaN
                    failed.append(f"{name} with seed {seed}")
                print(f"{name:10} seed {seed:<10} {equal:3} of {a.steps} bit-equal, at most {max(off):.1e}, "
                      f"absolutely {max(abs(o - t) for o, t in zip(ours, theirs)):.1e}, loss {theirs[0]:.4f} -> {theirs[-1]:.4f}, "
                      f"weights after {held} steps at most {weights:.1e}")
                print("   ", " ".join("=" if d == 0 else f"{d:.0e}" for d in off), flush=True)
    if a.json:
        with open(a.json, "w") as f:
            json.dump({"torch": torch.__version__, "device": a.device, "allowed": allowed, "runs": runs}, f, indent=1)
    if failed:
        sys.exit(f"parity.py: {', '.join(failed)}: losses or weights differ by more than {allowed:g}; repeat it by --seeds {','.join(map(str, seeds))}")


if __name__ == "__main__":
    main()
