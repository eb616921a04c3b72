"""Starts the program with the torch of this Python, which is found and not imported."""
import importlib.util
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "bin", "eegprune")
SHIM = "libeegprune_torch.so"


class NoTorch(RuntimeError):
    """No torch that a shim was built for."""


def torch_folder():
    """The folder of this Python's torch, or None."""
    spec = importlib.util.find_spec("torch")
    return spec.submodule_search_locations[0] if spec and spec.submodule_search_locations else None


def versions(folder):
    """The version of the torch in folder, such as "2.15", and its CUDA's, such as "13.2" or None.

    >>> import tempfile
    >>> def of(text):
    ...     with tempfile.TemporaryDirectory() as folder:
    ...         with open(folder + "/version.py", "w") as f:
    ...             _ = f.write(text)
    ...         return versions(folder)
    >>> of("__version__ = '2.15.0+cu132'\\ncuda: Optional[str] = '13.2'\\n")
    ('2.15', '13.2')
    >>> of("__version__ = '2.11.0+cpu'\\ncuda: Optional[str] = None\\n")
    ('2.11', None)
    """
    with open(os.path.join(folder, "version.py"), encoding="utf-8") as f:
        text = f.read()
    torch = re.search(r"__version__ = '(\d+\.\d+)", text)
    cuda = re.search(r"^cuda\b.*= '([\d.]+)'", text, re.MULTILINE)
    if not torch:
        raise NoTorch(f"{folder}/version.py says no version: install torch anew")
    return torch.group(1), cuda.group(1) if cuda else None


def shim_for(torch, cuda):
    """The path of the shim for these versions, and a warning or None.

    >>> shim_for("2.9", None)
    Traceback (most recent call last):
        ...
    eegprune.launch.NoTorch: this Python's torch is 2.9, and eegprune has shims for ...: install one of those (...)
    """
    folder = os.path.join(HERE, "shims")
    known = sorted(os.listdir(folder), key=lambda v: [int(n) for n in v.split(".")])
    if torch not in known:
        raise NoTorch(f"this Python's torch is {torch}, and eegprune has shims for {', '.join(known)}: "
                      f"install one of those (pip install 'torch=={known[-1]}.*')")
    plain = os.path.join(folder, torch, "cpu", SHIM)
    if not cuda:
        return plain, None
    # The folder's name has the major version of the CUDA runtime that the shim was linked with.
    with_cuda = os.path.join(folder, torch, f"cu{cuda.split('.')[0]}", SHIM)
    if os.path.exists(with_cuda):
        return with_cuda, None
    return plain, f"this torch is for CUDA {cuda}, for which eegprune has no shim: it computes on the CPU"


def environment():
    """What the program needs in its environment, and a warning or None. What is set stays as it is."""
    env = dict(os.environ)
    if env.get("EEGPRUNE_SHIM"):
        return env, None
    folder = env.get("LIBTORCH") or torch_folder()
    if not folder:
        return env, None  # reports, tables and help need none; the program says what is missing
    torch, cuda = versions(folder)
    env["EEGPRUNE_SHIM"], warning = shim_for(torch, cuda)
    env["LIBTORCH"] = folder
    return env, warning


def main():
    try:
        env, warning = environment()
    except (NoTorch, OSError) as e:
        # What needs no libtorch works all the same.
        env, warning = dict(os.environ), str(e)
    if warning:
        print(f"eegprune: {warning}", file=sys.stderr)
    os.execve(PROGRAM, ["eegprune", *sys.argv[1:]], env)
