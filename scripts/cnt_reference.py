"""Write data/cnt/testdata/blocks16.cnt and print what MNE-Python reads of it, in microvolts.

    python scripts/cnt_reference.py data/cnt/testdata/blocks16.cnt
"""
import struct
import sys

import mne
import numpy as np

path, n, block = sys.argv[1], 10, 5
names, gains, baselines = [b"FP1", b"OZ"], [(7.5, 1.25), (3.0, 0.5)], [12, -7]
head = bytearray(900 + 75 * 2)
head[:11] = b"Version 3.0"
struct.pack_into("<H", head, 370, 2)
struct.pack_into("<H", head, 376, 500)
struct.pack_into("<I", head, 864, n)
struct.pack_into("<I", head, 886, len(head) + 2 * n * 2)
struct.pack_into("<i", head, 894, block * 2)
head[225:235], head[235:243] = b"01/02/2020", b"10:00:00"
for c in range(2):
    at = 900 + 75 * c
    head[at : at + len(names[c])] = names[c]
    struct.pack_into("<h", head, at + 47, baselines[c])
    struct.pack_into("<f", head, at + 59, gains[c][0])
    struct.pack_into("<f", head, at + 71, gains[c][1])
x = np.random.default_rng(1).integers(-3000, 3000, (2, n)).astype("<i2")
data = b"".join(x[c, k : k + block].tobytes() for k in range(0, n, block) for c in range(2))
events = struct.pack("<BII", 1, 0, 0)  # an empty table
with open(path, "wb") as f:
    f.write(bytes(head) + data + events)
raw = mne.io.read_raw_cnt(path, data_format="int16", preload=True, verbose="error")
for row in raw.get_data() * 1e6:
    print("{" + ", ".join(repr(float(v)) for v in row) + "},")
