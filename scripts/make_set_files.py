#!/usr/bin/env python3
"""Writes data/source/testdata/{seed_v,faced,dasps}: small files of these sets as NumPy, SciPy and
h5py write them, whose numbers say where they are.

    make_set_files.py        (needs numpy, scipy and h5py)
"""
import pathlib
import pickle

import h5py
import numpy as np
import scipy.io

out = pathlib.Path(__file__).parent.parent / "data" / "source" / "testdata"


def seed_v():
    """EEG_DE_features: feature b of electrode e in window w of trial t is 1000 t + 400 w + 5 e + b, of
    one or two windows."""
    labels = [4, 1, 3, 2, 0] * 3
    data = {t: 1000.0 * t + 400.0 * np.arange(1 + t % 2)[:, None] + np.arange(310.0) for t in range(15)}
    label = {t: np.full(1 + t % 2, labels[t]) for t in range(15)}
    (out / "seed_v").mkdir(exist_ok=True)
    np.savez_compressed(out / "seed_v" / "2_123.npz", data=pickle.dumps(data), label=pickle.dumps(label))


def faced():
    """After_remarks.mat: the k-th rating of clip v is (k + v) / 8, k from 0; clips lie in the order
    5 i modulo 28."""
    remarks = np.empty((28, 1), dtype=[("score", object), ("trial", object), ("vid", object)])
    for i in range(28):
        clip = 5 * i % 28 + 1
        remarks[i, 0] = ((np.arange(12) + clip)[None, :] / 8, np.array([[i + 1]]), np.array([[clip]]))
    remarks[0, 0]["score"][0, 11] = np.nan
    (out / "faced").mkdir(exist_ok=True)
    scipy.io.savemat(out / "faced" / "After_remarks.mat", {"After_remark": remarks}, do_compression=True)


def matlab(path, **variables):
    """A file of version 7.3, in which MATLAB has the axes in reverse."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as f:
        for name, x in variables.items():
            d = f.create_dataset(name, data=x, compression="gzip")
            d.attrs["MATLAB_class"] = np.bytes_("double")
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Thu Jan  1 00:00:00 2026 HDF5 schema 1.00 ."
    with open(path, "r+b") as f:
        f.write(header.ljust(124) + b"\x00\x02IM")


def dasps():
    """Sample s of electrode e in recording r is 1000 r + 100 e + s; situation n, from 0, has the
    valence n + 1 and the arousal 9 - n."""
    r, s, e = np.meshgrid(np.arange(12.0), np.arange(6.0), np.arange(14.0), indexing="ij")
    data = 1000 * r + 100 * e + s
    n = np.arange(12) // 2
    matlab(out / "dasps" / "Preprocessed data .mat" / "S07preprocessed.mat", data=data)
    matlab(out / "dasps" / "Raw data.mat" / "S07.mat", data=data, hamilton=np.array([[14.0], [26.0]]), labels=np.array([n + 1.0, 9.0 - n]))


seed_v()
faced()
dasps()
