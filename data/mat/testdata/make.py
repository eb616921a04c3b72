"""Writes the MAT files beside it, and expected.json: what they hold, as SciPy 1.17 and, for
version 7.3, h5py 3.16 read them. hdf5storage 0.2 writes the files of version 7.3.

    pip install scipy h5py hdf5storage && python make.py"""
import io
import json
import os

import h5py
import hdf5storage
import numpy as np
import scipy.io
import scipy.sparse

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES = {"f8": "double", "f4": "single", "f2": "single", "b1": "logical", **{f"{k}{w}": f"{'u' * (k == 'u')}int{8 * w}" for k in "iu" for w in (1, 2, 4, 8)}}


def number(x):
    x = np.atleast_2d(x)
    kind = x.dtype.kind + str(x.dtype.itemsize)
    return {"class": CLASSES[kind], "dims": list(x.shape), "values": [float(v) for v in x.flatten("F")]}


def scipy_array(path, x, out):
    """Puts an array of scipy.io.loadmat, and what is in it, into out by its path."""
    if isinstance(x, scipy.io.matlab.MatlabOpaque):
        return
    if x.dtype.names:
        for i, s in enumerate(x.flatten("F")):
            for f in x.dtype.names:
                scipy_array(f"{path}({i + 1}).{f}", s[f], out)
    elif x.dtype == object:
        for i, c in enumerate(x.flatten("F")):
            scipy_array(f"{path}{{{i + 1}}}", c, out)
    elif x.dtype.kind == "U":
        out[path] = {"class": "char", "texts": [str(t) for t in x.flatten()]}
    elif x.dtype.kind != "c":
        out[path] = number(x)


def h5_array(f, path, d, out):
    """The same for an object of an HDF5 file, whose axes are the other way round."""
    if isinstance(d, h5py.Group):
        for k in d:
            field = d[k]
            if isinstance(field, h5py.Dataset) and field.dtype == h5py.ref_dtype and "MATLAB_class" not in field.attrs:
                for i, r in enumerate(np.asarray(field).flatten()):
                    h5_array(f, f"{path}({i + 1}).{k}", f[r], out)
            else:
                h5_array(f, f"{path}(1).{k}", field, out)
        return
    kind = d.attrs.get("MATLAB_class", b"")
    kind = kind.decode() if isinstance(kind, bytes) else kind
    if "MATLAB_empty" in d.attrs and d.attrs["MATLAB_empty"]:
        return
    if d.dtype == h5py.ref_dtype:
        for i, r in enumerate(np.asarray(d).flatten()):
            h5_array(f, f"{path}{{{i + 1}}}", f[r], out)
    elif kind == "char":
        codes = np.asarray(d).T
        out[path] = {"class": "char", "texts": [bytes(np.ascontiguousarray(row, "<u2")).decode("utf-16-le").rstrip() for row in codes]}
    elif d.dtype.kind in "fiub":
        x = np.atleast_2d(np.asarray(d).T)
        out[path] = {"class": kind or CLASSES[d.dtype.kind + str(d.dtype.itemsize)], "dims": list(x.shape), "values": [float(v) for v in x.flatten("F")]}


def content():
    """Variables of every kind. Numbers tell the order of axes."""
    x = np.arange(24.0).reshape(2, 3, 4)
    events = np.zeros((1, 3), dtype=[("type", object), ("latency", object)])
    for i, (t, l) in enumerate([("S1", 1.0), ("boundary", 10.5), (np.array([[7.0]]), 20.25)]):
        events[0, i] = (t, np.array([[l]]))
    cell = np.empty((2, 2), dtype=object)
    cell[:] = [[np.array([[1.0, 2.0]]), "text"], [np.array([[3]], "i2"), np.array([[1.5], [2.5]], "f4")]]
    return {
        "matrix": x[0] / 8, "cube": x, "single": (x[1] / 4).astype("f4"),
        **{f"{n}": np.array([[-100 if n[0] == "i" else 200, 0], [1, 100], [2, 3]]).astype(n) for n in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")},
        "logical": np.array([[True, False, True]]), "words": "f\u00fcr 人 x", "scalar": np.array([[128.0]]),
        "cell": cell, "EEG": {"srate": np.array([[250.0]]), "data": x[1].astype("f4"), "event": events, "setname": "rec", "nested": {"deep": {"er": np.array([[5.0]])}}},
    }


def expect(name, out):
    path = os.path.join(HERE, name)
    out[name] = {}
    if h5py.is_hdf5(path):
        with h5py.File(path) as f:
            for k in f:
                if not k.startswith("#"):
                    h5_array(f, k, f[k], out[name])
    else:
        for k, v in scipy.io.loadmat(path, chars_as_strings=True).items():
            if not k.startswith("__"):
                scipy_array(k, v, out[name])
        for k, _, kind in scipy.io.whosmat(path):
            if kind == "logical":
                out[name][k]["class"] = kind


def h5(name, write, **options):
    """An HDF5 file with MATLAB's head of 512 bytes."""
    b = io.BytesIO()
    with h5py.File(b, "w", userblock_size=512, **options) as f:
        write(f)
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, HDF5 schema 1.00 .".ljust(116) + b"\x00" * 8 + b"\x00\x02IM"
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(head.ljust(512, b"\x00") + b.getvalue()[512:])


def chunked(f):
    """What MATLAB does with large matrices, and other ways in which numbers can lie."""
    x = np.arange(7 * 5.0).reshape(7, 5) / 4
    mark = lambda d, c="double": d.attrs.__setitem__("MATLAB_class", np.bytes_(c))
    for name, options in {"deflate": {"compression": 3}, "shuffle": {"compression": 9, "shuffle": True}, "check": {"fletcher32": True}, "all": {"compression": 1, "shuffle": True, "fletcher32": True}, "plain": {}}.items():
        mark(f.create_dataset(name, data=x, chunks=(3, 2), **options))
    mark(f.create_dataset("cube", data=np.arange(3 * 4 * 5.0).reshape(3, 4, 5), chunks=(2, 3, 2), compression=1))
    mark(f.create_dataset("grows", data=x, chunks=(2, 2), maxshape=(None, None)))
    mark(f.create_dataset("one", data=x, chunks=(7, 5), compression=1))
    holes = f.create_dataset("holes", shape=(9, 4), dtype="f8", chunks=(2, 2), fillvalue=-1.5)
    holes[3:5, 1:3] = 2
    mark(holes)
    mark(f.create_dataset("never", shape=(3, 2), dtype="f8", fillvalue=7.0))
    for kind in ("f2", ">f4", ">i2", "<i8", ">u4"):
        f.create_dataset("kind" + kind[-2:], data=np.array([[1, 2, 3], [100, 101, 102]]).astype(kind))
    f.create_dataset("many", data=(np.arange(1100) % 200).astype("u1").reshape(1100, 1), chunks=(1, 1))
    s = f.create_group("s")
    mark(s, "struct")
    for i in range(40):
        mark(s.create_dataset(f"field{i}", data=np.array([[float(i)]])))


def others(f):
    """What isn't read."""
    mark = lambda d, c: d.attrs.__setitem__("MATLAB_class", np.bytes_(c))
    s = f.create_group("sparse")
    mark(s, "double")
    s.attrs["MATLAB_sparse"] = np.uint64(3)
    c = f.create_dataset("complex", data=np.array([[(1.0, 2.0)]], dtype=[("real", "f8"), ("imag", "f8")]))
    mark(c, "double")
    t = f.create_dataset("string", data=np.array([[0xDD000000, 2, 1, 1, 1, 1]], "u4"))
    mark(t, "string")
    t.attrs["MATLAB_object_decode"] = np.int32(3)
    mark(f.create_dataset("lzf", data=np.arange(100.0), chunks=(10,), compression="lzf"), "double")
    mark(f.create_dataset("elsewhere", shape=(2,), dtype="f8", external="x.bin"), "double")
    mark(f.create_dataset("grows", data=np.arange(8.0).reshape(4, 2), maxshape=(None, 2), chunks=(2, 2)), "double")
    f["link"] = h5py.ExternalLink("other.h5", "/x")
    f["soft"] = h5py.SoftLink("/grows")
    mark(f.create_dataset("plain", data=np.arange(3.0)), "double")


def circles(f):
    """What would be read for ever."""
    c = f.create_dataset("cell", shape=(1, 1), dtype=h5py.ref_dtype)
    c[0, 0] = c.ref
    g = f.create_group("group")
    g["self"] = g
    refs = f.create_group("#refs#")
    last = refs.create_dataset("z", data=np.array([[1.0]]))
    for level in range(6):  # 40 to the 6th
        d = refs.create_dataset(f"d{level}", shape=(40, 1), dtype=h5py.ref_dtype)
        for i in range(40):
            d[i, 0] = last.ref
        last = d
    f["many"] = last
    for d in (c, *[refs[f"d{i}"] for i in range(6)]):
        d.attrs["MATLAB_class"] = np.bytes_("cell")


def main():
    out = {}
    for name, options in {"v5.mat": {}, "v5_packed.mat": {"do_compression": True}}.items():
        scipy.io.savemat(os.path.join(HERE, name), content(), **options)
        expect(name, out)
    v4 = {"matrix": np.arange(6.0).reshape(2, 3) / 4, "single": np.array([[1.5, 2.5]], "f4"), "whole": np.array([[1], [-2]], "i2"), "words": "abc"}
    scipy.io.savemat(os.path.join(HERE, "v4.mat"), v4, format="4")
    expect("v4.mat", out)
    if os.path.exists(os.path.join(HERE, "v73.mat")):
        os.remove(os.path.join(HERE, "v73.mat"))
    hdf5storage.savemat(os.path.join(HERE, "v73.mat"), content(), format="7.3", store_python_metadata=False, matlab_compatible=True, oned_as="row")
    expect("v73.mat", out)
    h5("v73_chunks.mat", chunked)
    expect("v73_chunks.mat", out)
    h5("v73_latest.mat", chunked, libver="latest")
    expect("v73_latest.mat", out)
    scipy.io.savemat(os.path.join(HERE, "others.mat"), {"sparse": scipy.sparse.eye_array(3).tocsc(), "complex": np.array([[1 + 2j]])})
    h5("others73.mat", others, libver="latest")
    h5("circles73.mat", circles)
    with open(os.path.join(HERE, "expected.json"), "w") as f:
        json.dump(out, f, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main()
