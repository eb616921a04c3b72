"""Compare the clips, labels and numbering of torcheeg's readers with eegprune's on simulated sets.

    check_torcheeg.py --eegprune bin/eegprune --torcheeg DIR [--out DIR] [SET ...]

DIR is the directory torcheeg of its sources (pip download torcheeg==1.1.3 --no-deps, unpacked);
NumPy, SciPy, pandas, MNE and xmltodict are needed, torch is not. It prints a table and fails where clips
or labels differ. Where numbers differ in a known way, the table says how.
"""
import argparse
import glob
import importlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import types
import warnings

import mne
import numpy as np


class Dataset:
    pass


def load(package):
    """torcheeg's readers without the rest of torcheeg, which needs torch."""
    base = "torcheeg.datasets.module"
    for name, attributes in {
        "torcheeg": {"__path__": [str(package)]},
        "torcheeg.utils": {"get_random_dir_path": lambda **_: "unused"},
        "torcheeg.datasets": {"__path__": []},
        base: {"__path__": [str(package / "datasets" / "module")]},
        base + ".base_dataset": {"BaseDataset": Dataset},
        base + ".emotion_recognition": {"__path__": [str(package / "datasets" / "module" / "emotion_recognition")]},
    }.items():
        module = types.ModuleType(name)
        module.__dict__.update(attributes)
        sys.modules[name] = module
    return lambda file, name: getattr(importlib.import_module(f"{base}.emotion_recognition.{file}"), name)


def number(name):
    return int("".join(c for c in str(name).split("_")[-1] if c.isdigit()))


# For each set: torcheeg's module and class, the records and arguments of its reader, seconds of a
# clip and samples a second, and how what it says of a clip is said by eegprune: subject, session
# and trial (from 1), and the class.
def sets():
    high = lambda key, threshold: lambda i: int(i[key] >= threshold)  # torcheeg's Binary
    listed = lambda where, ending: [(f, {"root_path": where}) for f in sorted(os.listdir(where)) if f.endswith(ending)]
    return {
        "deap": dict(of=("deap", "DEAPDataset"), records=lambda d: listed(d, ".dat"), clip=128, rate=128,
                     subject=lambda i: i["subject_id"][1:3], trial=lambda i: i["trial_id"] + 1, label=high("valence", 5),
                     note="subjects are named by their files in torcheeg, trials count from 0"),
        "dreamer": dict(of=("dreamer", "DREAMERDataset"), records=lambda d: [(s, {"mat_path": d + "/DREAMER.mat", "num_baseline": 4}) for s in range(2)], clip=128, rate=128,
                        subject=lambda i: str(i["subject_id"] + 1), trial=lambda i: i["trial_id"] + 1, label=high("valence", 3),
                        note="subjects and trials count from 0 in torcheeg"),
        "amigos": dict(of=("amigos", "AMIGOSDataset"), records=lambda d: listed(d, ".mat"), clip=128, rate=128,
                       subject=lambda i: f"{i['subject_id']:02d}", trial=lambda i: i["trial_id"] + 1, label=high("valence", 5),
                       note="trials count from 0 in torcheeg"),
        "seed": dict(of=("seed", "SEEDDataset"), records=lambda d: [r for r in listed(d, ".mat") if r[0] != "label.mat"], clip=200, rate=200,
                     subject=lambda i: str(i["subject_id"]), session=lambda i: str(i["date"]), trial=lambda i: number(i["trial_id"]), label=lambda i: i["emotion"] + 1,
                     note="torcheeg's trial_id holds the subject's initials, so that no trial is the same in two files and its KFoldCrossTrial keeps no film apart"),
        "seed-iv": dict(of=("seed_iv", "SEEDIVDataset"), records=lambda d: [(f, {}) for f in sorted(glob.glob(d + "/?/*.mat"))], clip=200, rate=200,
                        subject=lambda i: str(i["subject_id"]), session=lambda i: str(i["session_id"]), trial=lambda i: number(i["trial_id"]), label=lambda i: i["emotion"],
                        note="torcheeg's trial_id is a name as SEED's; its page says 168 clips, the set has 72"),
        "seed-v-features": dict(of=("seed_v_feature", "SEEDVFeatureDataset"), records=lambda d: [(f, {}) for f in sorted(glob.glob(d + "/*.npz"))], clip=5, rate=1.25,
                                subject=lambda i: str(i["subject_id"]), session=lambda i: str(i["session_id"] + 1), trial=lambda i: i["trial_id"] + 1, label=lambda i: i["emotion"],
                                note="a clip is a window of 4 s; sessions and trials count from 0 in torcheeg"),
        "faced": dict(of=("faced", "FACEDDataset"), records=lambda d: listed(d + "/Processed_data", ".pkl"), clip=250, rate=250,
                      subject=lambda i: f"{i['subject_id']:03d}", trial=lambda i: i["trial_id"] + 1, label=lambda i: i["emotion"],
                      note="trials count from 0 in torcheeg; which electrodes channels 17 to 32 are, readers disagree about"),
        "mahnob-hci": dict(of=("mahnob", "MAHNOBDataset"), records=lambda d: [(sorted(os.listdir(d + "/Sessions")), {"root_path": d + "/Sessions", "sampling_rate": 256, "baseline_chunk_size": 256, "num_trial_sample": -1})],
                           clip=256, rate=256, subject=lambda i: str(i["subject_id"]), stimulus=lambda i: i["trial_id"], label=high("feltVlnc", 5),
                           note="torcheeg's trial_id is the film; read at the recorded rate, where torcheeg resamples to 128 Hz and keeps 30 s by default"),
    }


def ours(program, directory, clip, rate, out):
    options = pathlib.Path(out) / "raw.yaml"
    options.write_text(f"seconds: {clip / rate}\ntransforms: [{{name: To2d}}]\n")
    path = str(pathlib.Path(out) / "features.npz")
    subprocess.run([program, "data", "features", directory, "--features", str(options), "--cache", str(pathlib.Path(out) / "cache"), "--out", path], check=True, stdout=subprocess.DEVNULL)
    return np.load(path)


def compare(name, s, reader, program, directory, out):
    found = ours(program, directory, s["clip"], s["rate"], out)
    mine = {}
    for k in range(len(found["y"])):
        unit = ("stimulus", str(found["stimulus"][k])) if "stimulus" in s else (str(found["session"][k]), int(found["trial"][k]))
        mine.setdefault((str(found["subject"][k]), *unit), []).append((int(found["start"][k]), found["x"][k, 0], int(found["y"][k])))
    theirs = {}
    for record, arguments in s["records"](directory):
        for clip in reader.process_record(file=record, chunk_size=s["clip"], **arguments):
            info = clip.get("info")
            if info is None or "trial_id" not in info:
                continue  # a baseline
            unit = ("stimulus", s["stimulus"](info)) if "stimulus" in s else (s.get("session", lambda _: "")(info), s["trial"](info))
            theirs.setdefault((s["subject"](info), *unit), []).append((info["start_at"], clip["eeg"], s["label"](info)))
    wrong = []
    if set(mine) != set(theirs):
        wrong.append(f"trials: {sorted(set(mine) ^ set(theirs))[:4]} are there once")
    clips, worst = 0, 0.0
    for key in sorted(set(mine) & set(theirs)):
        a, b = sorted(mine[key], key=lambda c: c[0]), sorted(theirs[key], key=lambda c: c[0])
        if len(a) != len(b):
            wrong.append(f"{key}: {len(a)} clips here and {len(b)} in torcheeg")
            continue
        for (_, x, y), (_, z, w) in zip(a, b):
            clips += 1
            if x.shape != z.shape or y != w:
                wrong.append(f"{key}: shape {x.shape} and {z.shape}, class {y} and {w}")
                continue
            worst = max(worst, float(np.abs(x - z).max() / max(1e-9, np.abs(z).max())))
    if worst > 1e-5:
        wrong.append(f"values differ by {worst:.2g} of the largest")
    print(f"{name:15} {len(theirs):6} trials {clips:6} clips {found['x'].shape[2]:3} channels, largest relative difference {worst:.1e}: " + ("; ".join(wrong[:3]) if wrong else "the same"))
    print(f"{'':15} {s['note']}")
    return not wrong


def check_seed_v(program, directory, out):
    """torcheeg's times are those of the whole recordings, an hour each: here the samples are held
    against MNE's at the times of the simulated set."""
    found = ours(program, directory, 1000, 1000, out)
    wrong, clips = 0, 0
    times = {}
    session = None
    for line in open(directory + "/trial_start_end_timestamp.txt"):
        if line.startswith("Session"):
            session = line.split()[1].strip(":")
        else:
            times.setdefault(session, []).append(json.loads(line.split(":")[1]))
    for path in sorted(glob.glob(directory + "/*.cnt")):
        subject, session, _ = os.path.basename(path).split("_")
        raw = mne.io.read_raw_cnt(path, verbose="error")
        raw.drop_channels(["M1", "M2", "VEO", "HEO"])
        x = raw.get_data() * 1e6
        for k in range(len(found["y"])):
            if (str(found["subject"][k]), str(found["session"][k])) == (subject, session):
                at = times[session][0][int(found["trial"][k]) - 1] * 1000 + int(found["start"][k])
                clips += 1
                wrong += not np.allclose(found["x"][k, 0], x[:, at : at + 1000], rtol=1e-5, atol=1e-4)
    print(f"{'seed-v':15} {clips:6} clips beside MNE's: " + (f"{wrong} differ" if wrong else "the same"))
    print(f"{'':15} torcheeg takes every fifth sample of 1000 a second without a low-pass filter: a tone of 190 Hz becomes one of 10 Hz")
    return not wrong


def check_faced_bdf(program, directory, out):
    """torcheeg reads no BDF of FACED: here the samples and the times of clips are held against MNE's."""
    found = ours(program, directory, 250, 250, out)
    wrong, clips = 0, 0
    for path in sorted(glob.glob(directory + "/Data/*/data.bdf")):
        subject = path.split("/")[-2][3:]
        raw = mne.io.read_raw_bdf(path, verbose="error")
        x = raw.get_data(picks=raw.ch_names[:30]) * 1e6
        clip, begins = 0, {}
        for onset, text in zip(*(lambda a: (a.onset, a.description))(mne.read_annotations(path.replace("data.bdf", "evt.bdf")))):
            if 1 <= int(text) <= 28:
                clip = int(text)
            elif text == "101":
                begins[clip] = round(onset * 250)
        for k in range(len(found["y"])):
            if str(found["subject"][k]) == subject:
                at = begins[int(found["trial"][k])] + int(found["start"][k])
                clips += 1
                wrong += not np.allclose(found["x"][k, 0], x[:, at : at + 250], rtol=1e-5, atol=1e-4)
    print(f"{'faced-bdf':15} {clips:6} clips beside MNE's: " + (f"{wrong} differ" if wrong else "the same"))
    print(f"{'':15} torcheeg reads Processed_data alone")
    return not wrong and clips > 0


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--eegprune", required=True)
    p.add_argument("--torcheeg", required=True, type=pathlib.Path)
    p.add_argument("--out", default=None, help="keep the simulated sets here")
    p.add_argument("sets", nargs="*")
    a = p.parse_args()
    program = os.path.abspath(a.eegprune)
    mne.set_log_level("ERROR")
    warnings.simplefilter("ignore")
    reader = load(a.torcheeg)
    all_same = True
    with tempfile.TemporaryDirectory() as temporary:
        out = a.out or temporary
        beside_mne = {"seed-v": check_seed_v, "faced-bdf": check_faced_bdf}
        for name in a.sets or [*sets(), *beside_mne]:
            directory = os.path.join(out, name)
            trials = {"seed-iv": ["--trials", "48"], "seed-v-features": ["--trials", "30", "--seconds", "8"]}.get(name, [])
            rate = ["--rate", "256"] if name == "mahnob-hci" else []
            subprocess.run([program, "data", "simulate", "--format", name, "--out", directory, "--subjects", "2", *(trials if "--seconds" in trials else ["--seconds", "3", *trials]), *rate], check=True, stdout=subprocess.DEVNULL)
            os.remove(os.path.join(directory, "eegprune.yaml"))
            if name in beside_mne:
                all_same &= beside_mne[name](program, directory, out)
            else:
                s = sets()[name]
                all_same &= compare(name, s, reader(*s["of"]), program, directory, out)
    return 0 if all_same else 1


if __name__ == "__main__":
    sys.exit(main())
