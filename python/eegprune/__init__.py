"""eegprune from Python: export a network, prune it, run a study.

The work is done by the program that the package carries. Its errors are raised as Error, with
its own sentences.

>>> import torch, eegprune
>>> net = torch.nn.Sequential(
...     torch.nn.Conv2d(4, 10, 3, padding=1), torch.nn.BatchNorm2d(10), torch.nn.ReLU(),
...     torch.nn.Flatten(), torch.nn.Linear(10 * 81, 2))
>>> x = torch.randn(4, 4, 9, 9)
>>> small = eegprune.prune(net, x, method="lfp", ratio=0.4)
>>> small.state_dict()["0.weight"].shape
torch.Size([6, 4, 3, 3])
>>> small(x).shape
torch.Size([4, 2])
>>> eegprune.prune(net, x, ratio=1.5)
Traceback (most recent call last):
    ...
eegprune.Error: ...1.5...
"""
import json
import os
import subprocess
import sys
import tempfile

from . import launch

__all__ = ["Error", "export", "load", "prune", "run"]


class Error(RuntimeError):
    """What the program said went wrong."""


def export(net, x, path):
    """Writes a torch.nn.Module as an archive (.pt2) that the program trains and prunes.

    net is left as it is. x is an example batch, [clips, ...], of torch.float32. Returns the
    max-norm constraints that were found in forward, by weight: those are kept in the archive.

    >>> import tempfile, torch
    >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(8, 2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export(net, torch.randn(3, 2, 4), folder + "/net.pt2")
    {}
    """
    from .export_network import ExportError
    from .export_network import export as write

    try:
        return write(net, x, os.fspath(path))
    except ExportError as e:
        raise Error(str(e)) from e


def load(path):
    """The torch.nn.Module of an archive (.pt2) that this module or the program wrote.

    It takes batches of any size from one up, on the CPU, begins in training mode, and has the
    parameter names of the module that was exported: train() and eval() switch its mode.

    >>> import tempfile, torch
    >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(8, 2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = export(net, torch.randn(3, 2, 4), folder + "/net.pt2")
    ...     again = load(folder + "/net.pt2").eval()
    >>> x = torch.randn(1, 2, 4)
    >>> torch.equal(again(x), net(x))
    True
    """
    from .exported import load as read

    return read(path)


def prune(net, x, method="lfp", ratio=0.4, **flags):
    """A smaller torch.nn.Module with the weights of net that stay.

    net and x are as for export; net is left as it is. flags are those of the program's
    "prune" (eegprune prune --help-all): exclude=["conv1"] is --exclude conv1, round_to=8 is
    --round-to 8, and True is a flag without a value. The module takes batches of any size from
    one up, has net's parameter names, and begins in net's mode: train() and eval() switch it.
    Max-norm constraints that forward held are not part of it: export() says which there were.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole, small = os.path.join(folder, "net.pt2"), os.path.join(folder, "small.pt2")
        export(net, x, whole)
        call("prune", whole, method=method, ratio=ratio, out=small, **flags)
        return load(small).train(net.training)


def run(data, out, **flags):
    """Runs a study and returns a row for each network that it tested.

    The result is a pandas DataFrame where pandas is installed, else a list of dicts; columns are
    named as in result.json, such as "test.accuracy". flags are those of "eegprune run":
    run("deap", "study", method=["lfp", "sfp"], ratio=[0.4, 0.7], folds=5). A study that was
    interrupted goes on where it was.

    >>> import os, tempfile
    >>> from eegprune import call
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.environ["XDG_CACHE_HOME"] = folder
    ...     _ = call("data", "simulate", out=folder + "/data", subjects=4, trials=2, seconds=6)
    ...     rows = run(folder + "/data", folder + "/study", folds=2, epochs=1, batch=16)
    >>> len(rows) > 0
    True
    """
    call("run", data=data, out=out, **flags)
    with open(os.path.join(out, "result.json"), encoding="utf-8") as f:
        results = json.load(f)["results"]
    try:
        import pandas
    except ImportError:
        return [dict(_flat(r)) for r in results]
    return pandas.json_normalize(results)


def _flat(record, before=""):
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield before + key, value


def call(*words, **flags):
    """Runs a command of the program and returns what it writes to standard output.

    >>> call("version").split()[0]
    'eegprune'
    """
    try:
        env, warning = launch.environment()
    except (launch.NoTorch, OSError) as e:
        raise Error(str(e)) from e
    if warning:
        print(f"eegprune: {warning}", file=sys.stderr)
    args = [launch.PROGRAM, *map(os.fspath, words), "--quiet"]
    for name, value in flags.items():
        name = "--" + name.rstrip("_").replace("_", "-")
        if value is True or value is False:
            args.append(f"{name}={str(value).lower()}")
        elif value is not None:
            values = value if isinstance(value, (list, tuple)) else [value]
            args += [name, ",".join(map(str, values))]
    done = subprocess.run(args, env=env, capture_output=True, text=True, check=False)
    notes = done.stderr.strip()
    if done.returncode != 0:
        lines = notes.splitlines() or [f"eegprune ended with {done.returncode}"]
        raise Error("\n".join(line.removeprefix("eegprune: ") for line in lines))
    if notes:
        print(notes, file=sys.stderr)
    return done.stdout
