#!/usr/bin/env python3
"""Holds what eegprune reads of EDF, BDF and BrainVision files against MNE-Python: channels,
samples, rate and annotations.

    python scripts/check_mne.py --program bin/eegprune [FILE or DIRECTORY ...]
    python scripts/check_mne.py --store data/source/testdata/mne     (small files and what MNE reads)

Without files it judges those that MNE, pyedflib, edfio and pybv write at random (--seed,
--rounds). Samples may differ by 1e-6 of a step of the file, and by what a double can't tell
apart (8 in its last place). A step is one digital unit in microvolts: that of EDF's and BDF's
ranges, BrainVision's resolution, or, where a file has floats, the last place of a float32.

A difference that docs/formats.md explains is counted by its name in the table there; any other
fails.
"""
import argparse
import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

import numpy as np

import make_bids
import mne
import mne_bids
import mne_files
from mne.io._read_raw import _get_supported

ENDINGS = {".edf": "edf", ".bdf": "bdf", ".vhdr": "brainvision", ".set": "eeglab"}
VOLTS = {"V": 1e6, "mV": 1e3, "µV": 1.0, "uV": 1.0, "nV": 1e-3}


KNOWN_IN_EDF = ("V", "mV", "µV", "uV")


class Differs(Exception):
    """A difference that nothing explains."""


def by_mne(path, names=None):
    """The file as MNE reads it, texts in Latin-1 where they are not UTF-8."""
    if path.suffix.lower() == ".vhdr":
        return mne.io.read_raw_brainvision(path, preload=True, verbose="ERROR")
    if path.suffix.lower() == ".set":
        return mne.io.read_raw_eeglab(path, preload=True, verbose="ERROR")
    read = mne.io.read_raw_bdf if path.suffix.lower() == ".bdf" else mne.io.read_raw_edf
    # Signals of other rates would be resampled, and codes of triggers kept without their unit.
    chosen = dict(include=names) if names else {}
    try:
        return read(path, preload=True, stim_channel=False, verbose="ERROR", **chosen)
    except Exception as e:
        if "encoding" not in str(e) and not isinstance(e, UnicodeDecodeError):
            raise
        return read(path, preload=True, stim_channel=False, encoding="latin1", verbose="ERROR", **chosen)


class Ours:
    """The file as eegprune reads it: of a directory that holds nothing else."""

    def __init__(self, program, path, pick=None):
        with tempfile.TemporaryDirectory() as tmp:
            source, out = pathlib.Path(tmp, "in"), pathlib.Path(tmp, "out")
            source.mkdir()
            for f in path.parent.iterdir():
                if f == path or f.stem == path.stem and f.suffix.lower() in (".eeg", ".dat", ".vmrk", ".fdt") or path.suffix == ".vhdr" and f.suffix in (".eeg", ".vmrk"):
                    shutil.copy(f, source / f.name)
            manifest = {"format": ENDINGS[path.suffix.lower()], "files": "^(?<subject>.+)" + re.escape(path.suffix) + "$"}
            if pick:
                manifest["channels"] = {"pick": pick}
            (source / "eegprune.yaml").write_text(json.dumps(manifest, ensure_ascii=False))
            info = subprocess.run([program, "data", "info", source, "--json"], capture_output=True, text=True)
            made = subprocess.run([program, "data", "convert", source, "--out", out], capture_output=True, text=True)
            self.error = "" if made.returncode == 0 else made.stderr.strip().replace(str(source), "")
            if self.error:
                return
            self.info = json.loads(info.stdout)
            self.parts = []
            for f in sorted(out.glob("*.npz"), key=lambda p: [int(x) for x in re.findall(r"(?:trial|part)-(\d+)", p.name)]):
                with np.load(f) as z:
                    self.channels, self.rate = [str(c) for c in z["channels"]], float(z["rate"].item())
                    self.parts.append(z["x"])
            self.x = np.concatenate(self.parts, axis=1)
            self.events = [e for f in self.info.get("events", []) for e in f["events"]]
            self.notes = " ".join(n["what"] for n in self.info.get("notes", []))


def edf_header(path):
    """Label, unit, step and samples per record of each signal, and seconds of a record."""
    b = path.read_bytes()
    n = int(b[252:256])
    at = 256

    def column(width):
        nonlocal at
        cells = [b[at + i * width:at + (i + 1) * width].decode("latin1").strip() for i in range(n)]
        at += n * width
        return cells

    labels, _, units = column(16), column(80), column(8)
    low, high, dlow, dhigh = (column(8) for _ in range(4))
    column(80)
    per_record = [int(x) for x in column(8)]

    def step(i):
        try:
            return abs((float(high[i].replace(",", ".")) - float(low[i].replace(",", "."))) / (int(float(dhigh[i])) - int(float(dlow[i]))))
        except (ValueError, ZeroDivisionError):
            return 0.0

    return labels, units, [step(i) for i in range(n)], per_record, float(b[244:252].decode().replace(",", "."))


def judge(program, path):
    """Returns the names of the differences that are explained, and the largest difference of
    samples in steps. Raises Differs."""
    explained = []
    first = Ours(program, path)
    try:
        raw = by_mne(path)
    except Exception as e:
        if first.error:
            return ["neither reads it"], 0.0
        return [f"MNE can't read it ({type(e).__name__})"], 0.0
    if first.error:
        for name, words in REFUSED.items():
            if re.search(words, first.error):
                return [name], 0.0
        raise Differs(f"it is refused: {first.error}")
    names = None
    if path.suffix.lower() in (".edf", ".bdf"):
        labels, units, steps, per_record, seconds = edf_header(path)
        keep = [i for i, l in enumerate(labels) if not l.endswith(" Annotations") and per_record[i] > 0]
        same = [i for i in keep if seconds and abs(per_record[i] / seconds - first.rate) < 1e-6 * first.rate] or keep
        if len(same) < len(keep):
            explained.append("signals of another rate")
            names = [labels[i] for i in same]
            raw = by_mne(path, names)
        step_of = {raw.ch_names[k]: (steps[i], units[i]) for k, i in enumerate(same) if k < len(raw.ch_names)}
    ours = Ours(program, path, raw.ch_names)
    if ours.error:
        explained.append("channels that are left out")
        ours = first
    rows = match(ours.channels, raw.ch_names)
    if any(a != raw.ch_names[i] for a, i in zip(ours.channels, rows)):
        explained.append("names of channels")
    if abs(ours.rate - raw.info["sfreq"]) > 1e-9 * ours.rate:
        raise Differs(f"{ours.rate} samples a second, and MNE has {raw.info['sfreq']}")
    data = raw.get_data()
    if len(ours.parts) > 1:
        explained.append("gaps")
    worst = 0.0
    if ours.x.shape[1] != data.shape[1]:
        trimmed = "padding" in ours.notes or "still" in ours.notes or "cut off" in ours.notes or "record" in ours.notes
        if not trimmed:
            raise Differs(f"{ours.x.shape[1]} samples, and MNE has {data.shape[1]}")
        explained.append("padding at the end")
        n = min(ours.x.shape[1], data.shape[1])
        data, ours.x = data[:, :n], ours.x[:, :n]
    for k, i in enumerate(rows):
        name = raw.ch_names[i]
        unit = str(raw._orig_units.get(name, ""))
        want = data[i] * (1e6 if unit in VOLTS or path.suffix.lower() == ".set" else 1)
        if path.suffix.lower() == ".vhdr":
            step = bv_step(path, i, want)
        elif path.suffix.lower() == ".set":
            step = np.spacing(np.abs(want).astype(np.float32)).astype(float)
        else:
            # Of units that it doesn't know, MNE's EDF reader has the numbers as they are.
            step, said = step_of[name]
            factor = {"Volts": 1e6, "mVolt": 1e3}.get(said, VOLTS.get(unit, 1))
            if unit not in KNOWN_IN_EDF and said not in KNOWN_IN_EDF:
                want = data[i] * factor
                explained.append("units")
            step *= factor
        bound = 1e-6 * step + 8 * np.spacing(np.abs(want))
        off = np.abs(ours.x[k] - want)
        if not (off <= bound).all():
            t = int(np.argmax(off - bound))
            raise Differs(f"channel {name} ({unit}): sample {t} is {ours.x[k][t]!r}, and MNE has {want[t]!r} (a step is {np.ravel(step)[0]:g})")
        if np.size(off):
            worst = max(worst, float(np.max(off / np.maximum(step, 1e-300))))
    explained += events(ours, raw, path)
    return explained, worst


def match(channels, names):
    """Which of MNE's channels each of ours is."""
    if len(channels) == len(names):
        return list(range(len(names)))
    rows = []
    for c in channels:
        found = [i for i, n in enumerate(names) if plain(n) == plain(c)]
        if not found:
            raise Differs(f"channel {c} is none of MNE's: {names}")
        rows.append(found[0])
    return rows


OLD = {"t3": "t7", "t4": "t8", "t5": "p7", "t6": "p8"}


def plain(name):
    n = re.sub(r"^eeg[ _-]", "", name.strip().lower()).rstrip(".")
    n = re.sub(r"[- ](ref|le|a1|a2|m1|m2|avg)$", "", n)
    return OLD.get(n, n)


def bv_step(path, channel, want):
    text = path.read_bytes().decode("latin1")
    if "IEEE_FLOAT_32" in text:
        return np.spacing(np.abs(want).astype(np.float32)).astype(float)
    value = re.search(rf"^Ch{channel + 1}=(.*)$", text, re.M).group(1).strip().replace("Âµ", "µ").split(",")
    return float(value[2] or 1) * VOLTS.get(value[3] or "µV", 1)


def events(ours, raw, path):
    """Compares annotations, as (onset, duration, text)."""
    explained = []
    start = raw.first_samp / raw.info["sfreq"]
    theirs = [(a["onset"] - start, a["duration"], str(a["description"])) for a in raw.annotations]
    mine = [(e["onset"], e.get("duration", 0.0), e["text"]) for e in ours.events]
    if path.suffix.lower() == ".vhdr":
        kept = [t for t in theirs if not t[2].startswith("New Segment/")]
        if len(kept) < len(theirs):
            explained.append("New Segment")
        theirs = [(o, 0.0 if abs(d * raw.info["sfreq"] - 1) < 1e-6 else d, t.split("/", 1)[1] or t.split("/")[0]) for o, d, t in kept]
    if "@@" in str(raw.annotations.description) or any(t[2] == "" for t in theirs) or getattr(raw.annotations, "ch_names", None) is not None and any(raw.annotations.ch_names):
        explained.append("annotations of channels")
    if theirs and not mine and "codes of its channel" not in ours.notes and "STI" in str(raw.ch_names):
        return explained
    mine, theirs = sorted(mine), sorted(theirs)
    if len(mine) != len(theirs):
        extra = [m for m in mine if not any(close(m, t) for t in theirs)]
        if len(mine) > len(theirs) and all(o < 0 or o >= raw.times[-1] for o, _, _ in extra):
            explained.append("annotations outside")
            mine = [m for m in mine if m not in extra]
        elif "not written as EDF+ asks" in ours.notes or "Lists of annotations" in ours.notes:
            explained.append("annotations that are malformed")
            mine = [m for m in mine if any(close(m, t) for t in theirs)]
        elif len(set(mine)) == len(set(theirs)):
            explained.append("annotations twice")
            mine, theirs = sorted(set(mine)), sorted(set(theirs))
        else:
            raise Differs(f"{len(mine)} annotations {mine[:4]}, and MNE has {len(theirs)} {theirs[:4]}")
    for m, t in zip(mine, theirs):
        if close(m, t):
            continue
        if abs(m[0] - t[0]) < 1e-6 and m[2] == t[2] and t[1] < m[1] and t[0] + t[1] <= raw.times[-1] + 2 / raw.info["sfreq"]:
            explained.append("annotations outside")  # MNE cuts them at the end
        elif abs(m[0] - t[0]) < 1e-6 and abs(m[1] - t[1]) < 1e-6 and " ".join(m[2].split()) == " ".join(t[2].split("@@")[0].split()):
            explained.append("texts of annotations")
        else:
            raise Differs(f"annotation {m}, and MNE has {t}")
    return explained


def close(a, b):
    return abs(a[0] - b[0]) < 1e-6 and abs(a[1] - b[1]) < 1e-6 and a[2] == b[2]


# What is refused though MNE reads it, by words of the sentence.
REFUSED = {
    "a file without EEG": r"is one of EEG",
    "nothing but annotations": r"holds annotations and no signal",
    "a format that is not read": r'no format "',
}


SITES = "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 C4 T8 P7 P3 Pz P4 P8 O1 Oz O2".split()
# HydroCel GSN 10-10, EGI's tables.
NETS = {
    "64_1.0": "E10 E5 E18 E12 E6 E60 E58 E24 E20 E50 E52 E30 E28 E34 E42 E44 E35 E37 E39",
    "128": "E22 E9 E33 E24 E11 E124 E122 E45 E36 E104 E108 E58 E52 E62 E92 E96 E70 E75 E83",
    "256": "E37 E18 E47 E36 E21 E224 E2 E69 E59 E183 E202 E96 E87 E101 E153 E170 E116 E126 E150",
}


def nets(program):
    """Counts the 10-20 sites whose electrodes in MNE's files of EGI's nets have another cell."""
    grid = json.loads(subprocess.run([program, "data", "montage", "10-10", "--json"], capture_output=True, text=True, check=True).stdout)["grid"]
    wrong = 0
    for name, electrodes in NETS.items():
        file = pathlib.Path(mne.channels.__file__).parent / "data" / "montages" / f"GSN-HydroCel-{name}.sfp"
        cells = json.loads(subprocess.run([program, "data", "montage", file, "--json"], capture_output=True, text=True, check=True).stdout)["grid"]
        off = [f"{e} ({s})" for s, e in zip(SITES, electrodes.split()) if cells.get(e) != grid[s]]
        print(f"GSN-HydroCel-{name}: {len(SITES) - len(off)} of {len(SITES)} sites of the 10-20 system in their cells {' '.join(off)}")
        wrong += len(off)
    return wrong


def conversions(program):
    """Runs the lines that refusals print: of a FIF file, whose samples are then read, and looks
    whether MNE reads the endings of the others. Returns how many fail."""
    wrong = 0
    known = _get_supported()
    with tempfile.TemporaryDirectory() as tmp:
        d = pathlib.Path(tmp)
        for ending in (".gdf", ".cnt", ".mff", ".nxe", ".cdt", ".nedf", ".lay", ".ds", ".ahdr", ".fif.gz"):
            (d / ("rec" + ending)).write_bytes(b"x")
            said = subprocess.run([program, "data", "info", d], capture_output=True, text=True).stderr
            (d / ("rec" + ending)).unlink()
            if ending not in known or "mne.io.read_raw('rec" + ending not in said:
                print(f"FAIL {ending}: {'MNE reads no such file' if ending not in known else said}")
                wrong += 1
        raw = mne.io.RawArray(np.random.default_rng(0).normal(size=(2, 700)) * 1e-5, mne.create_info(["Fp1", "Cz"], 250, "eeg"))
        raw.save(d / "rec_raw.fif")
        said = subprocess.run([program, "data", "info", d], capture_output=True, text=True).stderr
        line = re.search(r'convert it by (python -c ".*") \(after', said).group(1)
        subprocess.run(line.replace("python", sys.executable, 1), shell=True, cwd=d, check=True, capture_output=True)
        (d / "rec_raw.fif").unlink()
        ours = Ours(program, d / "rec_raw.vhdr")
        want = mne.io.read_raw(d / "rec_raw.vhdr", preload=True).get_data() * 1e6
        if ours.error or not np.allclose(ours.x, want) or not np.allclose(want, raw.get_data() * 1e6, rtol=1e-6):
            print(f"FAIL FIF: {ours.error or 'the samples are others'}")
            wrong += 1
    print(f"lines that convert: FIF's works, MNE reads the endings of the others; {wrong} fail")
    return wrong


def bids(program):
    """Holds a data set that MNE-BIDS writes, in each format, against what it reads of it: EEG,
    rate and events. Returns how many recordings differ."""
    wrong = 0
    forms = ["BrainVision", "EDF", "BDF", "EEGLAB"]
    with tempfile.TemporaryDirectory() as tmp:
        root, out = pathlib.Path(tmp, "set"), pathlib.Path(tmp, "out")
        paths = [mne_bids.write_raw_bids(make_bids.made(10 + i, "emo"), mne_bids.BIDSPath(subject=f"0{i}", task="emo", root=root, datatype="eeg"),
                                         format=form, allow_preload=True, verbose=False) for i, form in enumerate(forms)]
        subprocess.run([program, "data", "convert", root, "--out", out], check=True, capture_output=True)
        info = json.loads(subprocess.run([program, "data", "info", root, "--json"], check=True, capture_output=True, text=True).stdout)
        events = {pathlib.Path(f["file"]).name: [(e["onset"], e.get("duration", 0), e["text"]) for e in f["events"]] for f in info["events"]}
        for path, made, form in zip(paths, sorted(out.glob("*.npz")), forms):
            raw = mne_bids.read_raw_bids(path, verbose=False)
            eeg = mne.pick_types(raw.info, eeg=True, exclude=[])
            with np.load(made) as z:
                same = [str(c) for c in z["channels"]] == [raw.ch_names[i] for i in eeg] and z["rate"].item() == raw.info["sfreq"]
                same = same and np.allclose(z["x"], raw.get_data(eeg) * 1e6, rtol=1e-12, atol=1e-9)
            want = [(a["onset"], a["duration"], str(a["description"])) for a in raw.annotations]
            if not same or events[path.fpath.name] != want:
                print(f"FAIL BIDS, {form}: {'' if same else 'channels, rate or samples differ'} {events[path.fpath.name]}, and MNE-BIDS has {want}")
                wrong += 1
    print(f"BIDS by MNE-BIDS {mne_bids.__version__}, as {', '.join(forms)}: {len(forms) - wrong} of {len(forms)} recordings the same")
    return wrong


def store(directory):
    """Writes small files, and what MNE reads of them, for the quick test."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    expected = []
    for path in mne_files.write(directory, seed=1, seconds=2, most_rate=64):
        raw = by_mne(path)
        units = [str(raw._orig_units.get(n, "")) for n in raw.ch_names]
        known = {".vhdr": VOLTS, ".set": ("",)}.get(path.suffix, KNOWN_IN_EDF)
        start = raw.first_samp / raw.info["sfreq"]
        expected.append({
            "file": path.name, "channels": raw.ch_names, "rate": raw.info["sfreq"],
            "microvolts": [[float(f"{v:.12g}") for v in row * 1e6] if u in known else None for row, u in zip(raw.get_data(), units)],
            "events": [[float(a["onset"] - start), float(a["duration"]), str(a["description"])] for a in raw.annotations],
        })
    lines = ",\n".join(json.dumps(e, ensure_ascii=False) for e in expected)
    (directory / "expected.json").write_text("[\n" + lines + "\n]\n")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default="bin/eegprune")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--rounds", type=int, default=3, help="of random files")
    p.add_argument("--store", type=pathlib.Path, help="write small files and what MNE reads of them, and judge nothing")
    p.add_argument("paths", nargs="*", type=pathlib.Path)
    a = p.parse_args()
    warnings.simplefilter("ignore")
    mne.set_log_level("ERROR")
    if a.store:
        return store(a.store)
    with tempfile.TemporaryDirectory() as tmp:
        groups = {}
        for r in range(a.rounds):
            d = pathlib.Path(tmp, str(r))
            d.mkdir()
            for f in mne_files.write(d, seed=1000 * a.seed + r, seconds=8, most_rate=600):
                groups.setdefault("made by " + f.name.split("-")[0], []).append(f)
        for root in a.paths:
            files = sorted(f for f in root.rglob("*") if f.suffix.lower() in ENDINGS and f.is_file()) if root.is_dir() else [root]
            groups[str(root)] = files
        return report(a.program, groups)


def report(program, groups):
    failed = nets(program) + conversions(program) + bids(program)
    reasons = collections.defaultdict(list)
    print(f"MNE-Python {mne.__version__}")
    for group, files in groups.items():
        same, largest = 0, 0.0
        for f in files:
            try:
                explained, worst = judge(program, f)
            except Differs as e:
                print(f"FAIL {f}: {e}")
                failed += 1
                continue
            largest = max(largest, worst)
            same += not explained
            for x in sorted(set(explained)):
                reasons[x].append(f"{f.parent.name}/{f.name}")
        print(f"{group}: {len(files)} files, {same} the same in everything; samples differ by {largest:.1e} of a step at the most")
    for reason, names in sorted(reasons.items()):
        print(f"explained, {reason}: {len(names)} ({', '.join(names[:4])}{', ...' if len(names) > 4 else ''})")
    if failed:
        print(f"{failed} files differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
