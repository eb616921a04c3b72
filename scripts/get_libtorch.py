#!/usr/bin/env python3
"""Prints the path of a libtorch, getting one into .libtorch where there is none.

The order: $LIBTORCH; .libtorch/torch of an earlier call; the active Python's torch, if
it is of a version that the shim builds against; else the pinned torch wheel, unpacked.
Without an NVIDIA driver only what a CPU needs is kept of it (about 0.5 GB); with one,
or with --cuda, all of torch's libraries and its NVIDIA packages. Python is not needed
when the program runs.

--to-link VERSION gets what the shim, with or without its CUDA part, is compiled and linked with,
for one of the versions that it is made for, into the user's cache: nothing can be computed with it.
"""
import argparse
import glob
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile

TORCH = "2.15.0"
OLDEST, NEWEST = (2, 11), (2, 15)
# What libtorch_cpu.so names, though nothing of it runs without a GPU: (package, library).
CPU_NEEDS = [("nvidia-cuda-runtime==13.2.86", "libcudart.so"), ("nvidia-cuda-cupti==13.2.86", "libcupti.so")]
# Headers for the shim's CUDA part, beside those of nvidia-cuda-runtime.
CUDA_NEEDS = ["nvidia-cuda-crt==13.2.86"]
# A torch of each minor version, with a CUDA runtime and headers of the major version that it is made for.
TO_LINK = {"2.11.0": ["nvidia-cuda-runtime==13.0.96", "nvidia-cuda-crt==13.0.88"],
           "2.12.1": ["nvidia-cuda-runtime==13.0.96", "nvidia-cuda-crt==13.0.88"],
           "2.13.0": ["nvidia-cuda-runtime==13.0.96", "nvidia-cuda-crt==13.0.88"],
           "2.14.1": ["nvidia-cuda-runtime==13.0.96", "nvidia-cuda-crt==13.0.88"],
           "2.15.0": ["nvidia-cuda-runtime==13.2.86", "nvidia-cuda-crt==13.2.86"]}
LINKED = ("libc10.so", "libc10_cuda.so", "libtorch_cpu.so", "libtorch_cuda.so", "libcudart")
CPU_LIBRARIES = ("libc10.so", "libtorch_cpu.so", "libgomp", "libarm_compute", "libopenblas", "libgfortran")

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOME = os.path.join(ROOT, ".libtorch")


def say(text):
    print(text, file=sys.stderr, flush=True)


def usable(path):
    return os.path.exists(os.path.join(path, "lib", "libtorch_cpu.so")) and os.path.exists(
        os.path.join(path, "include", "ATen", "core", "Tensor.h"))


def version_of(path):
    try:
        with open(os.path.join(path, "version.py")) as f:
            text = f.read().split("__version__ = '")[1].split("'")[0]
        return tuple(int(p) for p in text.split("+")[0].split(".")[:2])
    except (OSError, IndexError, ValueError):
        return None


def python_torch():
    spec = importlib.util.find_spec("torch")
    if not spec or not spec.submodule_search_locations:
        return None
    path = spec.submodule_search_locations[0]
    version = version_of(path)
    if not usable(path) or not version:
        return None
    if not OLDEST <= version <= NEWEST:
        say(f"this Python's torch is {version[0]}.{version[1]}, which the shim is not made for: not used")
        return None
    return path


def has_driver():
    return os.path.exists("/proc/driver/nvidia/version") or shutil.which("nvidia-smi") is not None


def download(packages, into, with_dependencies=False):
    """Wheels for Linux on this processor, whatever Python runs this script."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--dest", into,
               "--only-binary=:all:", "--implementation=cp", "--python-version=3.11"]
    # pip matches these names exactly: every glibc that this machine's is not older than.
    minor = int((platform.libc_ver()[1] or "2.28").split(".")[1])
    for tag in [f"manylinux_2_{n}" for n in range(minor, 4, -1)] + ["manylinux2014", "manylinux2010", "manylinux1"]:
        command.append(f"--platform={tag}_{platform.machine()}")
    if not with_dependencies:
        command.append("--no-deps")
    if subprocess.run(command + packages).returncode != 0:
        sys.exit("libtorch could not be downloaded: see pip's message above; with a libtorch of your own, "
                 "set LIBTORCH to the directory that has its include/ and lib/")


def unpack(wheel, into, wanted):
    with zipfile.ZipFile(wheel) as z:
        for name in z.namelist():
            if wanted(name):
                z.extract(name, into)


def cpu_part(name):
    base = os.path.basename(name)
    return (name.startswith("torch/include/") or name == "torch/version.py"
            or name.startswith("torch/lib/") and base.startswith(CPU_LIBRARIES) or name.startswith("torch.libs/"))


def cuda_part(name):
    return name.startswith(("torch/include/", "torch/lib/", "torch.libs/", "nvidia/")) or name == "torch/version.py"


def link_part(name):
    return "/include/" in name or name == "torch/version.py" or os.path.basename(name).startswith(LINKED)


def to_link(version):
    """The torch directory of a version, under the user's cache."""
    if version not in TO_LINK:
        sys.exit(f"--to-link {version}: use one of {', '.join(TO_LINK)}")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    home = os.path.join(cache, "eegprune", f"libtorch-{version}-to-link")
    own = os.path.join(home, "torch")
    if not usable(own):
        os.makedirs(home, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home) as work:
            say(f"getting what links with libtorch {version} and CUDA: downloads 0.6 GB, keeps 1 GB in {home}")
            download([f"torch=={version}"] + TO_LINK[version], work)
            parts = os.path.join(work, "parts")
            for wheel in glob.glob(os.path.join(work, "*.whl")):
                unpack(wheel, parts, link_part)
                os.remove(wheel)
            put(parts, home)
    return own


def put(parts, home):
    """Moves parts to home, torch last: its being there says that the rest is."""
    for part in sorted(os.listdir(parts), key=lambda p: p == "torch"):
        shutil.rmtree(os.path.join(home, part), ignore_errors=True)
        os.rename(os.path.join(parts, part), os.path.join(home, part))


def get(cuda):
    os.makedirs(HOME, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HOME) as work:
        wheels, parts = os.path.join(work, "wheels"), os.path.join(work, "parts")
        say(f"getting libtorch {TORCH} ({'with CUDA: some GB' if cuda else 'for the CPU: downloads 0.5 GB, keeps 0.5 GB'})")
        download([f"torch=={TORCH}"], wheels, with_dependencies=cuda)
        if cuda:
            download(CUDA_NEEDS, wheels)
        else:
            download([p for p, _ in CPU_NEEDS], wheels)
        for wheel in glob.glob(os.path.join(wheels, "*.whl")):
            base = os.path.basename(wheel)
            if base.startswith("torch-"):
                unpack(wheel, parts, cuda_part if cuda else cpu_part)
            elif cuda:
                unpack(wheel, parts, cuda_part)
            else:
                unpack(wheel, parts, lambda n: any(os.path.basename(n).startswith(lib) for _, lib in CPU_NEEDS))
            os.remove(wheel)  # so that both are never on the disk whole
        if not usable(os.path.join(parts, "torch")):
            sys.exit("the torch wheel does not hold what was expected of it: report this, or set LIBTORCH")
        put(parts, HOME)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuda", action="store_true", help="get CUDA's libraries though no driver was found")
    parser.add_argument("--to-link", metavar="VERSION", help=f"one of {', '.join(TO_LINK)}")
    parser.add_argument("--versions", action="store_true", help="print the versions that --to-link takes, the oldest first")
    arguments = parser.parse_args()
    if arguments.versions:
        print("\n".join(TO_LINK))
        return
    if arguments.to_link:
        print(to_link(arguments.to_link))
        return
    own = os.path.join(HOME, "torch")
    path = os.environ.get("LIBTORCH")
    if path and not usable(path):
        sys.exit(f"LIBTORCH={path} has no lib/libtorch_cpu.so and include/ATen: set it to a libtorch, or unset it")
    if not path and not usable(own):
        path = python_torch()
    if not path and not usable(own):
        get(arguments.cuda or has_driver())
    print(os.path.abspath(path or own))


if __name__ == "__main__":
    main()
