"""Writes kinds.npz beside it, and kinds.json: what NumPy 2.4 has in it.

    pip install numpy && python make.py"""
import json
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
x = np.array([[0, 1, -2, 0.1], [65504, 6e-8, -0.0, 1 / 3], [np.inf, -np.inf, 5.96e-8, 1e-5]])
numbers = {
    "f2": x.astype("f2"), "f2_big": x.astype(">f2"), "f2_fortran": np.asfortranarray(x.astype("f2")), "f4_big": x.astype(">f4"),
    "long_double": np.array([[1, -2.5], [np.longdouble("0.1"), np.longdouble(2) ** 100], [0, -np.inf]], np.longdouble),
    "bool": np.array([[True, False], [False, True]]), "i1": np.array([[-128, 127]], "i1"), "u8": np.array([[0, 2**53]], "u8"), "i8_big": np.array([[-1, 2**40]], ">i8"),
}
labels = {
    "words": np.array(["happy", "sad", "tr\u00e4ge"]), "bytes": np.array([b"happy", b"sad", b""]), "words_big": np.array(["happy", "sad"]).astype(">U5"),
    "column": np.array([[1], [0], [2]]), "row": np.array([[1.0, -1.0, 0.5]]), "column_of_words": np.array([["a"], ["bc"]]), "whole": np.array([1.0, 2.0]), "f2": np.array([1, 0.5], "f2"), "yes": np.array([True, False]),
}
one_hot = {
    "one_hot": np.eye(3)[[2, 0, 1, 1]], "one_hot_int": np.eye(4, dtype="i2")[[3, 0]], "one_hot_bool": np.eye(2, dtype=bool)[[1, 0, 1]], "one_hot_fortran": np.asfortranarray(np.eye(3, dtype="f2")[[1, 2]]),
}
no_labels = {"two_hot": np.array([[1, 1, 0], [0, 1, 0]]), "soft": np.array([[0.5, 0.5], [1, 0]]), "cube": np.zeros((2, 2, 2)), "minus": np.array([[1.0, -1.0, 1.0], [0, 1, 0]]), "complex": np.array([1j]), "objects": np.array(["a", 1], dtype=object)}


def written(v):
    return v if isinstance(v, str) else v.decode() if isinstance(v, bytes) else repr(float(v)).removesuffix(".0")


np.savez_compressed(os.path.join(HERE, "kinds.npz"), **{"n_" + k: v for k, v in numbers.items()}, **{"l_" + k: v for k, v in {**labels, **one_hot}.items()}, **{"x_" + k: v for k, v in no_labels.items()})
with open(os.path.join(HERE, "kinds.json"), "w") as f:
    json.dump({
        "numbers": {k: {"shape": v.shape, "values": [repr(float(e)) for e in v.astype("f8").flatten()]} for k, v in numbers.items()},
        "labels": {**{k: [written(e) for e in v.flatten()] for k, v in labels.items()}, **{k: [str(e) for e in v.argmax(1)] for k, v in one_hot.items()}},
        "no_labels": sorted(no_labels),
    }, f, ensure_ascii=False, indent=1)
