"""Write a subject of THU-EP in small, as HDF5 by h5py: data/source/testdata/thu_ep.

    python scripts/make_thu_ep.py data/source/testdata/thu_ep

A sample says where it is: 10000 * clip + 100 * channel + time in the last band, negative in the
others; a rating is (kind + clip + subject) % 8. All count from 0, in the order in which EmT's reader
has the axes.
"""
import os
import sys

import h5py
import numpy as np

out = sys.argv[1]
os.makedirs(out + "/EEG data", exist_ok=True)
os.makedirs(out + "/Ratings", exist_ok=True)
time, channel, clip, band = np.meshgrid(np.arange(8), np.arange(32), np.arange(28), np.arange(6), indexing="ij")
x = (10000 * clip + 100 * channel + time) * np.where(band == 5, 1, -1)
kind, film, subject = np.meshgrid(np.arange(12), np.arange(28), np.arange(80), indexing="ij")
for path, name, values, size in (("EEG data/sub_3.mat", "data", x, (8, 32, 28, 1)), ("Ratings/ratings.mat", "ratings", (kind + film + subject) % 8, (12, 28, 80))):
    with h5py.File(f"{out}/{path}", "w", userblock_size=512) as f:
        d = f.create_dataset(name, data=values.astype("i4" if name == "data" else "u1"), chunks=size, compression="gzip", shuffle=True)
        d.attrs["MATLAB_class"] = np.bytes_("int32" if name == "data" else "uint8")
