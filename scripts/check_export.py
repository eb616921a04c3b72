#!/usr/bin/env python3
"""Whether PyTorch, onnx.checker and onnxruntime take what `eegprune export` writes, and
compute the same logits.

    python scripts/check_export.py --program bin/eegprune
    python scripts/check_export.py --clips clips.npz study/checkpoints/fbccnn-fold01-*
    python scripts/check_export.py --networks build/networks/22x1000

By default every network, with random weights and statistics, unpruned, without 40 % of its filters
(LFP) and with 40 % of its weights masked (UWMP); batches of 7 and of 1; and the archives of
torch.export that the tests have. Or checkpoints on clips with labels, as `eegprune data features
--out` writes them; accuracies are then of all these clips, those of the training too. Or archives
of torch.export, NAME.pt2 with NAME.npz: clips x and PyTorch's logits of them in evaluation. Archives
are written whole and without 40 % of their channels, and computed in batches of all clips, of 2 and
of 1. Needs a Python with torch, onnx and onnxruntime: `make test-export` gets the latter two.
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
OF_ARCHIVES = 1e-4  # of networks of a hundred layers
EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "models", "pt2", "testdata")


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


def difference(name, got, want, tolerance=TOLERANCE):
    d = float(np.abs(got - want).max() / np.abs(want).max())
    if got.shape != want.shape or not d <= tolerance:
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


def runtime(name, path, x, want):
    """The largest difference of onnxruntime's logits in batches of all clips, of 2 and of 1."""
    onnx.checker.check_model(onnx.load(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return max(difference(f"{name}, ONNX, batches of {n}", session.run(["logits"], {"input": x[:n]})[0], want[:n], OF_ARCHIVES) for n in (len(x), 2, 1))


def check_archive(run, at, name, archive, x, logits):
    run("export", archive, "--onnx", "--out", at("e.onnx"))
    told = [f"whole {runtime(name, at('e.onnx'), x, logits):.1e}"]
    run("prune", archive, "--method", "lfp", "--ratio", "0.4", "--prune", "linear", "--out", at("small.pt2"))
    whole = os.path.getsize(at("e.onnx"))
    np.save(at("x.npy"), x)
    rows = json.loads(run("predict", at("small.pt2"), "--features", at("x.npy"), "--json"))
    run("export", at("small.pt2"), "--onnx", "--out", at("e.onnx"))
    small = runtime(f"{name}, pruned", at("e.onnx"), x, np.array([r["logits"] for r in rows], dtype=np.float32))
    told.append(f"pruned {small:.1e}, {100 * os.path.getsize(at('e.onnx')) / whole:.0f} % of the bytes")
    print(f"{name:22} ONNX {', '.join(told)}", flush=True)


def check_examples(run, at):
    with open(os.path.join(EXAMPLES, "values.json")) as f:
        values = json.load(f)
    x = np.array(values["x"], dtype=np.float32).reshape(3, 4, 32)
    for name in ("attention.2.9", "cnn.2.15", "constants.2.15", "heads.2.15", "norms.2.15", "views.2.15"):
        logits = np.array(values[name.split(".")[0]]["logits"], dtype=np.float32).reshape(3, 2)
        check_archive(run, at, name, os.path.join(EXAMPLES, name + ".pt2"), x, logits)


def check_networks(run, at, where):
    """All networks of a folder, and which are not written or differ."""
    names = sorted(f[:-4] for f in os.listdir(where) if f.endswith(".npz"))
    wrong = []
    for name in names:
        with np.load(os.path.join(where, name + ".npz")) as f:
            x, logits = f["x"].astype(np.float32), f["logits"]
        try:
            check_archive(run, at, name, os.path.join(where, name + ".pt2"), x, logits)
        except SystemExit as e:
            wrong.append(name)
            print(f"{name:22} {str(e)[:300]}", flush=True)
    print(f"{len(names) - len(wrong)} of {len(names)} networks, whole and pruned")
    if wrong or not names:
        sys.exit(1)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default="bin/eegprune")
    p.add_argument("--clips", help=".npz of clips x and labels y for the checkpoints")
    p.add_argument("--networks", help="a folder of archives of torch.export, NAME.pt2, and of clips and logits, NAME.npz")
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
        if a.networks:
            return check_networks(run, at, a.networks)
        check_examples(run, at)
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
