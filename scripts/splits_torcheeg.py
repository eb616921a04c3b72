"""The folds of torcheeg's splits on made-up sets, for data/testdata/torcheeg_splits.json.

    splits_torcheeg.py DIR >data/testdata/torcheeg_splits.json

DIR is the directory torcheeg of its sources (pip download torcheeg==1.1.3 --no-deps, unpacked);
pandas and scikit-learn are needed, torch is not. Nothing is shuffled: torcheeg's draws are
NumPy's. Its order of subjects and trials is that of a Python set, which is by value for small
whole numbers.
"""
import json
import pathlib
import sys
import tempfile
import types

import pandas as pd


class Dataset:
    def __init__(self, info):
        self.info = info


def load(package):
    """torcheeg.model_selection without the rest of torcheeg, which needs torch."""
    for name, attributes in {
        "torcheeg": {"__path__": [str(package)]},
        "torcheeg.datasets": {"__path__": []},
        "torcheeg.datasets.module": {"__path__": []},
        "torcheeg.datasets.module.base_dataset": {"BaseDataset": Dataset},
        "torcheeg.utils": {"get_random_dir_path": lambda dir_prefix: tempfile.mkdtemp()},
    }.items():
        module = types.ModuleType(name)
        module.__dict__.update(attributes)
        sys.modules[name] = module
    import torcheeg.model_selection as m
    return m


def rows(sizes):
    """A clip's (subject, session, trial) for each clip; sizes[subject][session][trial] clips."""
    return [(subject + 1, session + 1, trial + 1)
            for subject, sessions in enumerate(sizes)
            for session, trials in enumerate(sessions)
            for trial, clips in enumerate(trials)
            for _ in range(clips)]


SETS = {
    "subjects that share numbers of trials": rows([[[4, 5, 6, 4]], [[4, 4, 7, 5]], [[6, 4, 4, 4]]]),
    "unequal numbers of trials": rows([[[4] * 6], [[5] * 4], [[4] * 7], [[6] * 5]]),
    "sessions": rows([[[4, 5, 4, 4], [5, 4, 4]], [[4, 4, 6, 4, 4], [4] * 5], [[4] * 4, [5] * 4]]),
}
SPLITS = ["KFold", "KFoldPerSubject", "KFoldGroupbyTrial", "KFoldPerSubjectGroupbyTrial", "KFoldCrossTrial",
          "KFoldPerSubjectCrossTrial", "KFoldCrossSubject", "LeaveOneSubjectOut"]

m = load(pathlib.Path(sys.argv[1]))
cases = []
for about, clips in SETS.items():
    info = pd.DataFrame(clips, columns=["subject_id", "session_id", "trial_id"])
    info["row"] = range(len(info))
    for name in SPLITS:
        path = pathlib.Path(tempfile.mkdtemp()) / "split"
        cv = m.LeaveOneSubjectOut(split_path=str(path)) if name == "LeaveOneSubjectOut" else getattr(m, name)(n_splits=3, split_path=str(path))
        tests = [sorted(int(r) for r in test.info["row"]) for _, test in cv.split(Dataset(info))]
        cases.append({"set": about, "split": name, "tests": tests})
json.dump({"sets": SETS, "cases": cases}, sys.stdout, separators=(",", ":"))
print()
