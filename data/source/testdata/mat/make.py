"""Writes the MAT files beside it: the same three trials in the ways in which laboratories keep
them, by SciPy 1.17 and, for version 7.3, hdf5storage 0.2; and expected.json, the trials.

    pip install scipy h5py hdf5storage && python make.py"""
import io
import json
import os

import h5py
import hdf5storage
import numpy as np
import scipy.io

HERE = os.path.dirname(os.path.abspath(__file__))
X = np.array([[[((t * (7 + 2 * c) + 31 * c + 50 * k) % 601 - 300) / 8 for t in range(8)] for c in range(2)] for k in range(3)])  # [trials, channels, samples]
LABEL = np.array([[-1.0, 0, 1]])
WORDS = ["sad", "neutral", "glad"]


def cells(values):
    c = np.empty((1, len(values)), dtype=object)
    for i, v in enumerate(values):
        c[0, i] = v
    return c


def structures():
    a = np.zeros((1, 3), dtype=[("eeg", object), ("label", object)])
    for i in range(3):
        a[0, i] = (X[i], WORDS[i])
    return a


def v5(name, variables, **options):
    scipy.io.savemat(os.path.join(HERE, name), variables, **options)


def v73(name, variables):
    path = os.path.join(HERE, name)
    if os.path.exists(path):
        os.remove(path)
    hdf5storage.savemat(path, variables, format="7.3", store_python_metadata=False, matlab_compatible=True, oned_as="row", appendmat=False)


def main():
    matlab = np.ascontiguousarray(X.transpose(1, 2, 0))
    v5("cube.mat", {"eeg": matlab, "label": LABEL, "rate": np.array([[50.0]]), "subject": "s01"})
    v73("cube73.mat", {"eeg": matlab.astype("f4"), "label": LABEL.T, "subject": "s01"})
    v5("alone.mat", {"eeg": matlab, "label": LABEL, "note": "text"}, do_compression=True)
    v5("several.mat", {"eeg": matlab, "other": matlab, "label": LABEL})
    v5("python.mat", {"eeg": X, "label": np.eye(3)})
    v73("python73.mat", {"eeg": X, "label": np.eye(3)})
    for write, end in ((v5, ".mat"), (v73, "73.mat")):
        write("cells" + end, {"eeg": cells(list(X)), "label": cells(WORDS)})
        write("structures" + end, {"trial": structures()})
    v5("nested.mat", {"S": {"data": matlab, "info": {"y": LABEL.T, "who": "s01"}}})
    v5("itself.mat", {"eeg": matlab, "label": LABEL.astype("i1"), "rate": np.array([[50]], "u1"), "channels": cells(["Fp1", "C3"])})
    v5("int16.mat", {"eeg": (matlab * 8).astype("i2"), "label": LABEL})
    v5("rows_of_texts.mat", {"eeg": matlab, "label": np.array(WORDS)})
    v5("time_first.mat", {"eeg": np.ascontiguousarray(X.transpose(2, 1, 0)), "label": np.eye(3).T})
    b = io.BytesIO()
    with h5py.File(b, "w", userblock_size=512) as f:
        d = f.create_dataset("eeg", data=np.array([[0xDD000000, 2, 1, 1, 1, 1]], "u4"))
        d.attrs["MATLAB_class"], d.attrs["MATLAB_object_decode"] = np.bytes_("string"), np.int32(3)
    with open(os.path.join(HERE, "string73.mat"), "wb") as f:
        f.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM" + b"\x00" * 384 + b.getvalue()[512:])
    with open(os.path.join(HERE, "expected.json"), "w") as f:
        json.dump({"trials": X.tolist(), "labels": [0, 1, 2]}, f)


if __name__ == "__main__":
    main()
