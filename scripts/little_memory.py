#!/usr/bin/env python3
"""A study on a GPU most of whose memory another program, this one, has taken: it must go on
with fewer trainings side by side, say so, and end with the networks of a study that had all
memory. little_memory.py --program BIN --data DIR --out DIR."""
import argparse
import glob
import os
import subprocess
import sys

import torch


def study(a, out, free_gib):
    """The study beside this program, which leaves it so much; None leaves all."""
    held = []
    if free_gib is not None:
        free, _ = torch.cuda.mem_get_info()
        held.append(torch.empty(free - int(free_gib * 2**30), dtype=torch.uint8, device="cuda"))
    r = subprocess.run([a.program, "run", "--data", a.data, "--model", "tsception", "--method", "lfp", "--ratio", "0.4", "--recover", "fine-tune",
                        "--folds", "4", "--epochs", "6", "--batch", "64", "--device", "cuda", "--jobs", "8", "--out", out], capture_output=True, text=True)
    print(r.stderr[-3000:], flush=True)
    del held
    torch.cuda.empty_cache()
    if r.returncode != 0:
        sys.exit(f"with {free_gib} GiB the study ended with {r.returncode}")
    return r.stderr


def tensors(path):
    with open(path, "rb") as f:
        raw = f.read()
    return raw[8 + int.from_bytes(raw[:8], "little"):]


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--program", default="bin/eegprune")
    p.add_argument("--data", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--gib", type=float, default=4.0)
    a = p.parse_args()
    torch.zeros(1, device="cuda")
    study(a, f"{a.out}/all", None)
    said = study(a, f"{a.out}/little", a.gib)
    if "instead of 8" not in said:
        sys.exit("it does not say that fewer run side by side")
    names = [os.path.relpath(f, f"{a.out}/all") for f in glob.glob(f"{a.out}/all/**/*.safetensors", recursive=True)]
    other = [n for n in names if tensors(f"{a.out}/all/{n}") != tensors(f"{a.out}/little/{n}")]
    print(len(names), "networks,", len(other), "with other bits")
    sys.exit(1 if other or not names else 0)


if __name__ == "__main__":
    main()
