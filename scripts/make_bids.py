#!/usr/bin/env python3
"""Makes data/source/testdata/bids: a small BIDS data set as MNE-BIDS writes it, from simulated signals,
and expected.json, which has what MNE-BIDS reads of it.

    pip install mne==1.13.2 mne-bids==0.20.0 pybv==0.8.1 edfio==0.4.18
    python scripts/make_bids.py
"""
import json
import pathlib
import shutil

import mne
import mne_bids
import numpy as np

OUT = pathlib.Path(__file__).parent.parent / "data" / "testdata" / "bids"
RATE, SECONDS = 64, 6
NAMES = ["Fp1", "Fp2", "Cz", "VEOG", "STI"]
TYPES = ["eeg", "eeg", "eeg", "eog", "stim"]
RECORDINGS = [  # subject, session, task, run, format
    ("01", None, "emo", "1", "BrainVision"),
    ("01", None, "emo", "2", "BrainVision"),
    ("01", None, "rest", None, "BrainVision"),
    ("02", "a", "emo", None, "EDF"),
    ("03", None, "emo", None, "BDF"),
]


def made(seed, task):
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=(len(NAMES), RATE * SECONDS)) * 200) * 1e-7  # steps of 0.1 uV
    x[4] = 0
    raw = mne.io.RawArray(x, mne.create_info(NAMES, RATE, TYPES))
    raw.info["line_freq"] = 50
    raw.info["subject_info"] = {"sex": 1 + seed % 2, "hand": 1}
    raw.set_montage("standard_1020", on_missing="ignore")
    if seed == 0:
        raw.info["bads"] = ["Fp2"]
    if task == "emo":
        raw.set_annotations(mne.Annotations([0.5, 2.25, 4.0], [1, 1.5, 1], ["happy", "sad", "fixation"]))
    return raw


def main():
    mne.set_log_level("ERROR")
    shutil.rmtree(OUT, ignore_errors=True)
    root = OUT / "set"
    paths = []
    for seed, (subject, session, task, run, form) in enumerate(RECORDINGS):
        path = mne_bids.BIDSPath(subject=subject, session=session, task=task, run=run, root=root, datatype="eeg")
        paths.append(mne_bids.write_raw_bids(made(seed, task), path, format=form, allow_preload=True, overwrite=True, verbose=False))
    expected = []
    for path in paths:
        raw = mne_bids.read_raw_bids(path, verbose=False)
        eeg = mne.pick_types(raw.info, eeg=True, exclude=[])
        expected.append({
            "file": path.fpath.relative_to(root).as_posix(),
            "subject": path.subject,
            "session": path.session or "",
            "channels": [raw.ch_names[i] for i in eeg],
            "bads": raw.info["bads"],
            "rate": raw.info["sfreq"],
            "events": [[float(a["onset"]), float(a["duration"]), str(a["description"])] for a in raw.annotations],
            "microvolts": (raw.get_data(eeg) * 1e6).round(6).tolist(),
        })
    (OUT / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
