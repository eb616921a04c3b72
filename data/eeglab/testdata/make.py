"""Writes the data sets beside it, in the ways in which EEGLAB and its exporters keep them, and
expected.json: what MNE-Python 1.13 reads in them, in microvolts. A .dat, which MNE refuses,
has the samples of the others. SciPy 1.17 and hdf5storage 0.2 write them.

    pip install mne scipy hdf5storage pymatreader && python make.py"""
import json
import os
import warnings

import hdf5storage
import mne
import numpy as np
import scipy.io

HERE = os.path.dirname(os.path.abspath(__file__))
CHANNELS, SAMPLES, EPOCHS, RATE = ["Fp1", "C3", "HEOG"], 60, 4, 50.0
X = np.array([[((t * (7 + 2 * c) + 31 * c) % 601 - 300) / 8 for t in range(SAMPLES)] for c in range(3)], "f4")


def one(v):
    return np.array([[float(v)]])


def records(rows, names):
    """An array of structures 1 x n."""
    a = np.zeros((1, len(rows)), dtype=[(n, object) for n in names])
    for i, r in enumerate(rows):
        a[0, i] = tuple(v if isinstance(v, (str, np.ndarray)) else one(v) for v in r)
    return a


def dataset(data, epochs=1, **more):
    places = {"Fp1": (80.8, 26.1, -4.0), "C3": (3.2, 59.1, 61.1)}
    empty = np.zeros((0, 0))
    chanlocs = records([(n, "EOG" if "EOG" in n else "EEG", *places.get(n, (empty,) * 3)) for n in CHANNELS], ["labels", "type", "X", "Y", "Z"])
    if epochs == 1:
        event = records([("S 1", 6, 1), ("S 2", 16.4, 0), ("boundary", 30.5, 12), (7, 41, 10), ("S 1", 60, 1)], ["type", "latency", "duration"])
        epoch = empty
    else:
        n = SAMPLES // epochs
        event = records([(f"S {1 + i % 2}", i * n + 6, i + 1) for i in range(epochs)], ["type", "latency", "epoch"])
        epoch = records([(i + 1, 0, f"S {1 + i % 2}") for i in range(epochs)], ["event", "eventlatency", "eventtype"])
    return {"setname": "rec", "nbchan": one(len(CHANNELS)), "pnts": one(SAMPLES // epochs), "trials": one(epochs), "srate": one(RATE),
            "xmin": one(-0.1 if epochs > 1 else 0), "xmax": one((SAMPLES // epochs - 1) / RATE - (0.1 if epochs > 1 else 0)), "data": data, "chanlocs": chanlocs, "event": event, "epoch": epoch,
            "icaact": empty, "icawinv": empty, "icasphere": empty, "icaweights": empty, "urevent": empty, "ref": "common", **more}


def v5(name, variables, **options):
    scipy.io.savemat(os.path.join(HERE, name), variables, appendmat=False, **options)


def v73(name, variables):
    path = os.path.join(HERE, name)
    if os.path.exists(path):
        os.remove(path)
    hdf5storage.savemat(path, variables, format="7.3", store_python_metadata=False, matlab_compatible=True, oned_as="row", appendmat=False)


def samples(name, x):
    np.ascontiguousarray(x, "<f4").tofile(os.path.join(HERE, name))


def expect(name):
    path = os.path.join(HERE, name)
    warnings.simplefilter("ignore")
    if "epochs" in name:
        e = mne.io.read_epochs_eeglab(path)
        assert np.allclose(np.concatenate(list(e.get_data() * 1e6), axis=1), X, rtol=1e-6), name
        return {"channels": e.ch_names, "rate": e.info["sfreq"], "epochs": len(e), "samples": int(len(e.times)), "start": e.tmin}
    raw = mne.io.read_raw_eeglab(path, preload=True)
    assert np.allclose(raw.get_data() * 1e6, X, rtol=1e-6), name
    return {"channels": raw.ch_names, "rate": raw.info["sfreq"], "epochs": 1, "samples": int(raw.n_times), "start": 0,
            "events": [{"type": a["description"].removesuffix(".0"), "latency": float(a["onset"] * RATE), "duration": float(a["duration"] * RATE)} for a in raw.annotations]}


def main():
    mne.set_log_level("ERROR")
    n = SAMPLES // EPOCHS
    cube = np.ascontiguousarray(X.reshape(3, EPOCHS, n).transpose(0, 2, 1))
    v5("v5.set", {"EEG": dataset(X)})
    v5("v5_packed.set", {"EEG": dataset(X)}, do_compression=True)
    v5("v5_fields.set", dataset(X.astype("f8")))
    v73("v73.set", {"EEG": dataset(X)})
    v73("v73_fields.set", dataset(X))
    v5("fdt.set", {"EEG": dataset("fdt.fdt", datfile="fdt.fdt")})
    v73("fdt73.set", {"EEG": dataset("fdt.fdt", datfile="fdt.fdt")})
    samples("fdt.fdt", X.T)
    v5("renamed.set", {"EEG": dataset("first name.fdt", datfile="first name.fdt")})
    samples("renamed.fdt", X.T)
    v5("dat.set", {"EEG": dataset("C:\\data\\dat.dat", datfile="dat.dat")})
    samples("dat.dat", X)
    v5("epochs.set", {"EEG": dataset(cube, EPOCHS)})
    v73("epochs73.set", {"EEG": dataset(cube, EPOCHS)})
    v5("epochs_fdt.set", {"EEG": dataset("epochs_fdt.fdt", EPOCHS, datfile="epochs_fdt.fdt")})
    samples("epochs_fdt.fdt", X.T)
    refused = {"exchanged.set": dataset(np.zeros((60000, 1), "i1"), chanlocs=np.zeros((0, 0))), "no_rate.set": dataset(X, srate=np.zeros((0, 0))),
               "other_channels.set": dataset(X, chanlocs=records([("Fp1",), ("C3",)], ["labels"]))}
    for name, eeg in refused.items():
        v5(name, {"EEG": eeg}, do_compression=True)
    v5("list.set", {"ALLEEG": dataset(X)}, do_compression=True)
    two = np.zeros((1, 2), dtype=[("data", object), ("srate", object)])
    for i in range(2):
        two[0, i] = (X, one(RATE))
    v5("several.set", {"EEG": two}, do_compression=True)
    skipped = {"dat.set", "list.set", "several.set", *refused}
    out = {name: expect(name) for name in sorted(os.listdir(HERE)) if name.endswith(".set") and name not in skipped}
    out["dat.set"] = out["fdt.set"]
    with open(os.path.join(HERE, "expected.json"), "w") as f:
        json.dump({"samples": X.astype("f8").tolist(), "sets": out}, f, indent=1)


if __name__ == "__main__":
    main()
