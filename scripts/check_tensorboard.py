#!/usr/bin/env python3
"""Whether TensorBoard reads what `eegprune run --tensorboard` writes.

    python scripts/check_tensorboard.py --program bin/eegprune

A small study is carried out and every curve, as TensorBoard's event_accumulator and its
server give it, compared with result.json; then one is killed in the middle of a training
and gone on with. Needs a Python with tensorboard: pip install tensorboard.
"""
import argparse
import glob
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

try:
    from tensorboard import program as tb_program, version as tb_version
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError as e:
    sys.exit(f"check_tensorboard.py: {e}; type: {sys.executable} -m pip install tensorboard")


def read(directory):
    e = EventAccumulator(directory, size_guidance={"scalars": 0, "tensors": 0})
    e.Reload()
    return e


def curves(directory):
    """{tag: [(step, value)]} of one run."""
    e = read(directory)
    return {tag: [(s.step, s.value) for s in e.Scalars(tag)] for tag in e.Tags()["scalars"]}


def expected(result):
    """The same of a result in result.json."""
    out = {}
    fields = {"loss/train": "loss", "loss/validation": "val_loss", "accuracy/train": "accuracy", "accuracy/validation": "val_accuracy", "learning_rate": "lr"}
    for tag, field in fields.items():
        if "epochs" in result:
            out[tag] = [(i + 1, e[field]) for i, e in enumerate(result["epochs"])]
    for what in ("loss", "accuracy"):
        out[f"{what}/test"] = [(len(result.get("epochs", [])), result["test"][what])]
    return out


def compare(name, got, want):
    if set(got) != set(want):
        sys.exit(f"{name}: curves {sorted(got)}, want {sorted(want)}")
    for tag, points in want.items():
        if [s for s, _ in got[tag]] != [s for s, _ in points]:
            sys.exit(f"{name}: {tag} has the steps {[s for s, _ in got[tag]]}, want {[s for s, _ in points]}")
        for (step, g), (_, w) in zip(got[tag], points):
            if not math.isclose(g, w, rel_tol=1e-6, abs_tol=1e-12):  # event files are in single precision
                sys.exit(f"{name}: {tag} at {step} is {g}, want {w}")
    return sum(map(len, got.values()))


def results(study):
    with open(os.path.join(study, "result.json")) as f:
        return {os.path.splitext(os.path.basename(r["checkpoint"]))[0]: r for r in json.load(f)["results"]}


def check_study(study, board):
    cells, points = results(study), 0
    if set(cells) != set(os.listdir(board)):
        sys.exit(f"{board} holds {sorted(os.listdir(board))}, want {sorted(cells)}")
    for name, r in cells.items():
        points += compare(name, curves(os.path.join(board, name)), expected(r))
        text = read(os.path.join(board, name)).Tensors("settings")[0].tensor_proto.string_val[0].decode()
        settings = json.loads(text.split("```json")[1].split("```")[0])
        if settings["model"] != r["model"] or f"fold {r['fold']}, {r['stage']}" not in text:
            sys.exit(f"{name}: its settings say {text}")
    return cells, points


def check_server(board, cells):
    """The same over HTTP from the server that the browser shows."""
    tb = tb_program.TensorBoard()
    tb.configure(argv=["tensorboard", "--logdir", board, "--port", "0", "--samples_per_plugin", "scalars=100000"])
    url = tb.launch()

    def get(path, **query):
        with urllib.request.urlopen(url + path + "?" + urllib.parse.urlencode(query)) as r:
            return json.load(r)

    end = time.time() + 60
    while set(get("data/runs")) != set(cells):
        if time.time() > end:
            sys.exit(f"after a minute TensorBoard shows the runs {get('data/runs')}, want {sorted(cells)}")
        time.sleep(0.2)
    points = 0
    for name, r in cells.items():
        want = expected(r)
        got = {tag: [(step, value) for _, step, value in get("data/plugin/scalars/scalars", run=name, tag=tag)] for tag in want}
        points += compare(f"{name} over HTTP", got, want)
        if "settings" not in get("data/plugin/text/tags").get(name, []):
            sys.exit(f"{name}: TensorBoard shows no text")
    return points


def check_kill(command, study, board):
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run = os.path.join(board, "fbccnn-fold01-unpruned")
    while not (os.path.isdir(run) and len(curves(run).get("loss/train", [])) >= 4):
        if p.poll() is not None:
            sys.exit("the training ended before it was killed")
    p.send_signal(signal.SIGKILL)
    p.wait()
    killed = curves(run)["loss/train"]
    if [s for s, _ in killed] != list(range(1, len(killed) + 1)):
        sys.exit(f"a killed run has the steps {killed}")
    if not os.listdir(os.path.join(study, "training")):
        sys.exit("the killed training was not kept: nothing would be gone on with")
    # A record of which the disk took half.
    half = os.path.join(os.path.dirname(board), "half")
    shutil.copytree(run, half)
    file, = glob.glob(os.path.join(half, "*"))
    os.truncate(file, os.path.getsize(file) - 5)
    if not curves(half):
        sys.exit("nothing can be read of a file that ends within a record")
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    check_study(study, board)
    return results(study), len(killed)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default="bin/eegprune")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as work:
        at = lambda name: os.path.join(work, name)  # noqa: E731
        subprocess.run([a.program, "data", "simulate", "--quiet", "--out", at("recordings"), "--subjects", "4", "--trials", "2", "--seconds", "6"],
                       check=True, stdout=subprocess.DEVNULL)
        common = ["--quiet", "--data", at("recordings"), "--folds", "2", "--batch", "16", "--cache", at("cache")]
        subprocess.run([a.program, "run", *common, "--epochs", "3", "--out", at("study"), "--tensorboard", at("board")], check=True, stdout=subprocess.DEVNULL)
        cells, points = check_study(at("study"), at("board"))
        print(f"tensorboard {tb_version.VERSION}: {points} points of {len(cells)} runs are those of result.json")
        gone_on, killed = check_kill([a.program, "train", *common, "--fold", "1", "--epochs", "40", "--checkpoint-every", "3", "--out", at("killed"), "--tensorboard", at("killed-board")],
                            at("killed"), at("killed-board"))
        print(f"killed after {killed} of 40 epochs: the file is read, and after going on holds each epoch once")
        points = check_server(at("board"), cells) + check_server(at("killed-board"), gone_on)
        print(f"its server gives the same over HTTP: {points} points of {len(cells) + len(gone_on)} runs")
        # The server's threads have no end of their own.
        sys.stdout.flush()
        shutil.rmtree(work, ignore_errors=True)
        os._exit(0)


if __name__ == "__main__":
    main()
