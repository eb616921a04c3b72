#!/usr/bin/env python3
"""Whether PyTorch, onnx.checker and onnxruntime take what `eegprune export` writes, and
compute the same logits.

    python scripts/check_export.py --program bin/eegprune
    python scripts/check_export.py --clips clips.npz study/checkpoints/fbccnn-fold01-*

By default every network, with random weights and statistics, unpruned, without 40 % of its filters
(LFP) and with 40 % of its weights masked (UWMP); batches of 7 and of 1. Or checkpoints on
clips with labels, as `eegprune data features --out` writes them; accuracies are then of all
these clips, those of the training too. Needs a Python with torch, onnx and onnxruntime:
`make test-export` gets the latter two.
"""
import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime
    import torch
except ImportError as e:
    sys.exit(f"check_export.py: {e}; type: make test-export")

from networks import build

MODELS = ["ccnn", "ccnn-selu", "fbccnn", "tsception", "eegnet"]
VARIANTS = {"unpruned": None, "lfp": ["--method", "lfp", "--ratio", "0.4"], "uwmp": ["--method", "uwmp", "--ratio", "0.4"]}
TOLERANCE = 1e-5  # of the largest logit


def randomise(network, seed):
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for m in network.modules():
            if isinstance(m, torch.nn.BatchNorm2d):
                m.weight.uniform_(0.5, 1.5, generator=g)
                m.bias.uniform_(-0.5, 0.5, generator=g)
                m.running_mean.uniform_(-0.1, 0.1, generator=g)
                m.running_var.uniform_(0.5, 2, generator=g)
                m.num_batches_tracked.fill_(9)
            if isinstance(m, torch.nn.Conv2d) and m.groups == 8:  # EEGNet's bounded one
                m.weight.copy_(torch.renorm(m.weight, 2, 0, 1))


def module(path):
    spec = importlib.util.spec_from_file_location("exported", path)
    m = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(m)
    return m


def difference(name, got, want):
    d = float(np.abs(got - want).max() / np.abs(want).max())
    if got.shape != want.shape or not d <= TOLERANCE:
        sys.exit(f"{name}: logits {got}, want {want}")
    return d


def check(run, at, name, checkpoint, x):
    """The program's own logits, those of the int8 weights, and the differences from the former."""
    np.save(at("x.npy"), x)
    rows = json.loads(run("predict", checkpoint, "--features", at("x.npy"), "--json"))
    ours = np.array([r["logits"] for r in rows], dtype=np.float32)
    run("export", checkpoint, "--python", "--out", at("e.pt"))
    state = torch.load(at("e.pt"), weights_only=True)
    network = module(at("e.py")).Network()
    network.load_state_dict(state, strict=True)
    network.eval()
    with torch.no_grad():
        in_torch = network(torch.from_numpy(x)).numpy()
    out = {"PyTorch": difference(f"{name}, PyTorch", in_torch, ours)}
    run("export", checkpoint, "--out", at("e.safetensors"))
    again = json.loads(run("predict", at("e.pt"), "--features", at("x.npy"), "--json"))
    if again != rows or json.loads(run("predict", at("e.safetensors"), "--features", at("x.npy"), "--json")) != rows:
        sys.exit(f"{name}: the exported checkpoint predicts something else")
    for kind, flags in (("ONNX", []), ("int8", ["--int8"])):
        run("export", checkpoint, "--onnx", *flags, "--out", at("e.onnx"))
        onnx.checker.check_model(onnx.load(at("e.onnx")), full_check=True)
        session = onnxruntime.InferenceSession(at("e.onnx"), providers=["CPUExecutionProvider"])
        whole = session.run(["logits"], {"input": x})[0]
        one = np.concatenate([session.run(["logits"], {"input": x[i:i + 1]})[0] for i in range(len(x))])
        if kind == "ONNX":
            out[kind] = max(difference(f"{name}, ONNX, batches of {len(x)}", whole, ours), difference(f"{name}, ONNX, batches of 1", one, ours))
            size = os.path.getsize(at("e.onnx"))
        else:
            out[kind] = float(np.abs(whole - ours).max() / np.abs(ours).max())
            out["classes"] = float((whole.argmax(1) == ours.argmax(1)).mean())
            int8 = whole
            out["size"] = os.path.getsize(at("e.onnx")) / size
    return ours, int8, out


def told(d):
    return (f"PyTorch {d['PyTorch']:.1e}, ONNX {d['ONNX']:.1e}; int8 weights {d['int8']:.1e}, "
            f"{100 * d['classes']:.1f} % of the classes, {100 * d['size']:.0f} % of the bytes")


def check_clips(run, at, clips, checkpoints):
    with np.load(clips) as f:
        x, y = f["x"].astype(np.float32), f["y"]
    for c in checkpoints:
        name = os.path.basename(c)
        ours, int8, d = check(run, at, name, c, x)
        accuracy, small = (100 * (logits.argmax(1) == y).mean() for logits in (ours, int8))
        print(f"{name}: {len(x)} clips, {told(d)}; accuracy {accuracy:.2f} %, of int8 {small:.2f} %", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default="bin/eegprune")
    p.add_argument("--clips", help=".npz of clips x and labels y for the checkpoints")
    p.add_argument("checkpoints", nargs="*")
    a = p.parse_args()
    if bool(a.clips) != bool(a.checkpoints):
        p.error("--clips and checkpoints go together")
    torch.set_num_threads(1)

    def run(*args):
        done = subprocess.run([a.program, "--quiet", *args], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"eegprune {' '.join(args)}: {done.stderr}")
        return done.stdout

    print(f"torch {torch.__version__}, onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}; largest differences relative to the largest logit")
    with tempfile.TemporaryDirectory() as work:
        at = lambda name: os.path.join(work, name)  # noqa: E731
        if a.clips:
            return check_clips(run, at, a.clips, a.checkpoints)
        for k, name in enumerate(MODELS):
            torch.manual_seed(k)
            network, shape = build(name)
            randomise(network, k)
            network.eval()
            legacy = k % 2 == 1
            torch.save(network.state_dict(), at("n.pt"), _use_new_zipfile_serialization=not legacy)
            x = np.random.default_rng(k).standard_normal((7, *shape), dtype=np.float32)
            for variant, flags in VARIANTS.items():
                checkpoint = at("n.pt")
                if flags:
                    checkpoint = at("pruned.safetensors")
                    run("prune", at("n.pt"), *flags, "--out", checkpoint)
                ours, _, d = check(run, at, f"{name}, {variant}", checkpoint, x)
                if not flags:
                    with torch.no_grad():
                        difference(f"{name}, the original", ours, network(torch.from_numpy(x)).numpy())
                print(f"{name:10} {variant:9} {told(d)}", flush=True)


if __name__ == "__main__":
    main()
