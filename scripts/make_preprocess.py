#!/usr/bin/env python3
"""The values that the tests of data/dsp and data/preprocess compare with, from scipy and MNE.

    pip install mne==1.13.2 scipy==1.17.1
    python scripts/make_preprocess.py

Signals come from `signal`, a formula that any language can repeat, so that only the expected
values are stored: data/dsp/testdata/scipy.json and data/preprocess/testdata/mne.json.
"""
import json
import pathlib
import warnings

import mne
import numpy as np
import scipy
from scipy import signal as sp

HERE = pathlib.Path(__file__).resolve().parent.parent
EVERY = 7  # of a long output, one sample of so many is stored


def signal(n, rate, key):
    """Microvolts: an offset, a drift, 10 Hz, 50 Hz and noise. Noise i is h/2**32 - 0.5 with
    h = ((i+1)*2654435761 + key*40503) mod 2**32, then h ^= h>>15, h = h*2246822519 mod 2**32,
    h ^= h>>13."""
    h = ((np.arange(1, n + 1, dtype=np.uint64) * 2654435761) + key * 40503) & 0xFFFFFFFF
    h ^= h >> 15
    h = (h * 2246822519) & 0xFFFFFFFF
    h ^= h >> 13
    t = np.arange(n) / rate
    return 300 + 20 * key + 15 * t + 20 * np.sin(2 * np.pi * 10 * t + key) + 5 * np.sin(2 * np.pi * 50 * t) + 60 * (h / 2.0**32 - 0.5)


def filters():
    cases = []
    for order, low, high, rate in [(4, 1, 45, 128), (5, 4, 30, 250), (1, 8, 14, 200), (4, 0.5, 0, 512), (3, 1, 0, 200), (4, 0, 40, 250), (5, 0, 30, 128),
                                   (1, 0, 20, 100), (4, 0.1, 100, 2048), (2, 0.3, 35, 1000)]:
        kind = "band" if low and high else "high" if low else "low"
        edge = [low, high] if low and high else low or high
        x = signal(2000, rate, 3)
        y = sp.sosfiltfilt(sp.butter(order, edge, kind, fs=rate, output="sos"), x)
        cases.append(dict(order=order, low=low, high=high, rate=rate, y=y[::EVERY].tolist()))
    for freq, quality, rate in [(50, 30, 250), (60, 30, 160), (50, 10, 512)]:
        x = signal(2000, rate, 3)
        y = sp.sosfiltfilt(sp.tf2sos(*sp.iirnotch(freq, quality, rate)), x)
        cases.append(dict(notch=freq, quality=quality, rate=rate, y=y[::EVERY].tolist()))
    return cases


def resampled():
    cases = []
    for rate, up, down, n in [(512, 1, 4, 1500), (250, 4, 5, 1000), (500, 32, 125, 1203), (128, 25, 16, 300), (1000, 16, 125, 2000), (200, 16, 25, 7)]:
        x = signal(n, rate, 5)
        count = -(-n * up // down)
        line = x[0] + (x[-1] - x[0]) / (n - 1) * np.arange(n)
        after = x[0] + (x[-1] - x[0]) / (n - 1) * np.arange(count) * down / up
        for level, y in [(False, sp.resample_poly(x, up, down)), (True, sp.resample_poly(x - line, up, down) + after)]:
            cases.append(dict(rate=rate, to=rate * up / down, n=n, level=level, count=len(y), y=y[::EVERY].tolist()))
    return cases


NAMES = "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 Oz O2 M1 M2".split()


def raw(n=400, rate=100):
    info = mne.create_info(NAMES, rate, "eeg")
    r = mne.io.RawArray(np.array([signal(n, rate, k) for k in range(len(NAMES))]) * 1e-6, info, verbose="error")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r.set_montage("standard_1005", verbose="error")
    return r


def microvolts(r, *names):
    return {n: (r.get_data(picks=[n])[0, ::EVERY] * 1e6).tolist() for n in names}


def of_mne():
    out = dict(names=NAMES, rate=100, samples=400)
    r = raw().drop_channels(["M1", "M2"])
    r.info["bads"] = ["T7", "Oz"]
    origin = mne.bem._check_origin("auto", r.info)
    pos = r._get_channel_positions(range(len(r.ch_names))) - origin
    out["positions"] = {n: (p / np.linalg.norm(p)).tolist() for n, p in zip(r.ch_names, pos)}
    out["interpolated"] = microvolts(r.copy().interpolate_bads(verbose="error"), "T7", "Oz", "Fp1")
    out["average"] = microvolts(raw().drop_channels(["M1", "M2"]).set_eeg_reference("average", verbose="error"), "Fp1", "Cz", "O2")
    out["mastoids"] = microvolts(raw().set_eeg_reference(["M1", "M2"], verbose="error"), "Fp1", "Cz", "O2")
    out["bipolar"] = microvolts(mne.set_bipolar_reference(raw(), ["F3", "P8"], ["C3", "M2"], drop_refs=False, verbose="error"), "F3-C3", "P8-M2")
    # Clips of 0.5 s that MNE keeps, by their peak-to-peak amplitude.
    spiky = raw()
    spiky._data[4, 120] += 200e-6
    spiky._data[7, 333] -= 150e-6
    events = np.array([[i, 0, 1] for i in range(0, 400, 50)])
    epochs = mne.Epochs(spiky, events, tmin=0, tmax=0.49, baseline=None, reject=dict(eeg=160e-6), preload=True, verbose="error")
    out["kept"] = epochs.selection.tolist()
    out["rejected_by"] = [list(d) for d in epochs.drop_log if d]
    return out


def write(path, values):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(values) + "\n")


write(HERE / "data/dsp/testdata/scipy.json", dict(scipy=scipy.__version__, every=EVERY, filters=filters(), resampled=resampled()))
write(HERE / "data/preprocess/testdata/mne.json", dict(mne=mne.__version__, every=EVERY, **of_mne()))
