#!/usr/bin/env python3
"""Features and the serving of clips here and in torcheeg, on one subject in one run.

    python scripts/bench_data.py --program bin/eegprune

The subject has DEAP's shape (40 trials of 40 channels and 63 s at 128 Hz) and comes from
`data simulate`. Both programs make the same features: differential entropy of clips
of 1 s in four bands on the 9x9 grid, with the baseline taken off. torcheeg takes minutes a
subject, so that it works on the first trials only (--trials) and its time is scaled to
all 40; its time grows with the number of clips and nothing else. eegprune's times are those of
the whole subject, reading included, the cache not used.

Serving is batches of 64 in random order, as training takes them: torcheeg's DataLoader over
its dataset, which reads and unpickles each clip, takes the baseline off and makes the label;
eegprune gathers rows from the set in memory (index_select of clips and labels), as its own
training does. Needs a Python with torcheeg: pip install torcheeg "pandas<2.3".
"""
import argparse
import json
import logging
import os
import pickle
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

TRIALS = 40


def need_torcheeg():
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import torcheeg  # noqa: F401
            import torch  # noqa: F401
    except ImportError as e:
        sys.exit(f'bench_data.py: {e}; type: {sys.executable} -m pip install torch torcheeg "pandas<2.3"')


def simulate(program, directory):
    subprocess.run([program, "data", "simulate", "--quiet", "--format", "deap", "--subjects", "1", "--trials", str(TRIALS), "--seconds", "60",
                    "--out", directory], check=True, stdout=subprocess.DEVNULL)


def first_trials(source, target, n):
    """A file of the first n trials, in a directory of its own: torcheeg reads all files."""
    with open(source, "rb") as f:
        whole = pickle.load(f, encoding="latin1")
    os.makedirs(os.path.dirname(target))
    with open(target, "wb") as f:
        pickle.dump({k: v[:n] for k, v in whole.items()}, f, protocol=2)


def with_torcheeg(directory, batch, seconds):
    """Seconds for the features, clips per second served, and the features by clip."""
    import numpy as np
    import torch
    from torcheeg import transforms as T
    from torcheeg.datasets import DEAPDataset
    from torcheeg.datasets.constants.emotion_recognition.deap import DEAP_CHANNEL_LOCATION_DICT as grid

    torch.set_num_threads(1)
    start = time.perf_counter()
    dataset = DEAPDataset(root_path=directory, io_path=directory + "-io", num_worker=0, verbose=False,
                          offline_transform=T.Compose([T.BandDifferentialEntropy(apply_to_baseline=True), T.ToGrid(grid, apply_to_baseline=True)]),
                          online_transform=T.Compose([T.BaselineRemoval(), T.ToTensor()]), label_transform=T.Compose([T.Select("valence"), T.Binary(5.0)]))
    made = time.perf_counter() - start

    loader = torch.utils.data.DataLoader(dataset, batch_size=batch, shuffle=True)
    served, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for x, _ in loader:
            served += len(x)
    rate = served / (time.perf_counter() - start)
    x = np.stack([dataset[i][0].numpy() for i in range(len(dataset))])
    return made, rate, x[np.lexsort((dataset.info["start_at"], dataset.info["trial_id"]))]


def with_eegprune(program, directory, batch, seconds, cores):
    out = subprocess.run([program, "data", "bench", directory, "--quiet", "--json", "--remove-baseline", "--batch", str(batch), "--seconds", str(seconds)],
                         check=True, capture_output=True, text=True, env={**os.environ, "GOMAXPROCS": str(cores), "OMP_NUM_THREADS": "1"}).stdout
    return json.loads(out)


def features(program, directory, work):
    import numpy as np
    subprocess.run([program, "data", "features", directory, "--quiet", "--format", "deap", "--remove-baseline", "--cache", os.path.join(work, "cache"),
                    "--out", os.path.join(work, "ours.npz")], check=True, stdout=subprocess.DEVNULL)
    return np.load(os.path.join(work, "ours.npz"))["x"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default="bin/eegprune")
    p.add_argument("--trials", type=int, default=4, help="trials that torcheeg works on")
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--rounds", type=int, default=5, help="of eegprune; the median counts")
    p.add_argument("--seconds", type=float, default=3, help="of serving")
    a = p.parse_args()
    need_torcheeg()
    import numpy as np
    warnings.simplefilter("ignore")
    logging.disable(logging.INFO)  # torcheeg's progress
    work = tempfile.mkdtemp()
    try:
        simulate(a.program, os.path.join(work, "deap"))
        few = os.path.join(work, "few")
        first_trials(os.path.join(work, "deap", "s01.dat"), os.path.join(few, "s01.dat"), a.trials)
        runs = {c: [with_eegprune(a.program, os.path.join(work, "deap"), a.batch, a.seconds, c) for _ in range(a.rounds)]
                for c in sorted({1, os.cpu_count()})}
        made, served, theirs = with_torcheeg(few, a.batch, a.seconds)
        difference = np.max(np.abs(features(a.program, few, work) - theirs))
    finally:
        shutil.rmtree(work)
    whole = made * TRIALS / a.trials
    print(f"torcheeg, 1 core: {made:.1f} s for {a.trials} of {TRIALS} trials, that is {whole:.0f} s a subject; {served:.0f} clips/s served")
    print(f"largest difference between the features of the two on these trials: {difference:.1e} bit")
    for cores, of in runs.items():
        seconds = statistics.median(r["features_seconds"] for r in of)
        rate = statistics.median(r["clips_per_second"] for r in of)
        print(f"eegprune, {cores} core(s): {seconds:.3f} s a subject, reading included: {whole / seconds:.0f}x; {rate:.0f} clips/s served: {rate / served:.0f}x")


if __name__ == "__main__":
    main()
