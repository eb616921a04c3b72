#!/usr/bin/env python3
"""Builds the wheel: the program, its Python module, and a shim for each minor version of torch.

    scripts/build_wheel.py [--versions 2.11.0,2.15.0] [--kinds cpu] [--out build/wheel]

The program is bin/eegprune and the shims are those of scripts/build_wheel_shims.sh. Both are
checked to hold no path of this machine. The wheel's tag is that of the oldest glibc and libstdc++
that they run on. The same files give the same wheel, bit for bit.
"""
import argparse
import base64
import hashlib
import itertools
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
from get_libtorch import TO_LINK  # noqa: E402

SHIM = "libeegprune_torch.so"
DATE = (2020, 1, 1, 0, 0, 0)
EXPORT = ["export_network.py", "export_norms.py", "export_places.py"]
# The newest symbol of libstdc++ that a glibc's manylinux platform may need: PEP 600's policies.
LIBSTDCXX = {(3, 4, 25): 28, (3, 4, 28): 31, (3, 4, 29): 34, (3, 4, 30): 35, (3, 4, 32): 38, (3, 4, 33): 39}
METADATA = """Metadata-Version: 2.4
Name: eegprune
Version: {version}
Summary: Trains EEG networks, prunes them, recovers their accuracy and shows what was saved
License-Expression: MIT
License-File: LICENSE
License-File: NOTICE
Keywords: EEG,emotion recognition,network pruning,model compression
Requires-Python: >=3.10
Provides-Extra: torch
Requires-Dist: torch>={oldest},<{after}; extra == "torch"
Description-Content-Type: text/markdown

# eegprune

Trains EEG networks, prunes them, recovers their accuracy and shows what was saved.

    pip install 'eegprune[torch]'
    eegprune doctor

From Python:

    import eegprune
    small = eegprune.prune(net, x, method="lfp", ratio=0.4)

It uses the torch of the Python that it is installed in, {oldest} to {newest}, on a CPU or with CUDA.
"""


def fail(text):
    sys.exit(f"build_wheel.py: {text}")


def tool(*args):
    try:
        return subprocess.run(args, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout
    except FileNotFoundError:
        fail(f"needs {args[0]}, which is not on the path: install binutils")
    except subprocess.CalledProcessError as e:
        fail(f"{' '.join(args)}: {e.stderr.strip()}")


def stripped(path):
    """The bytes of a program or library without its debugging symbols."""
    if not os.path.exists(path):
        fail(f"{path} is not there: run make wheel")
    with tempfile.TemporaryDirectory() as work:
        out = os.path.join(work, "out")
        tool("strip", "-o", out, path)
        check_paths(out, path)
        with open(out, "rb") as f:
            return f.read()


def check_paths(path, name):
    """Refuses a file that would be searched for, or would say, a path of this machine."""
    for line in tool("readelf", "-d", path).splitlines():
        if "RPATH" in line or "RUNPATH" in line:
            fail(f"{name} holds a path: {line.split('path: ')[-1]}; build it anew")
    with open(path, "rb") as f:
        data = f.read()
    for place in (ROOT, os.path.expanduser("~")):
        if place.encode() + b"/" in data and place not in ("/", ""):
            fail(f"{name} names {place}, a folder of this machine: build it with -trimpath, or without debugging symbols")


def glibc(path):
    """The minor version of the oldest glibc on which path runs, libstdc++ included."""
    text = tool("objdump", "-T", path)
    need = max((int(n) for n in re.findall(r"GLIBC_2\.(\d+)", text)), default=17)
    cxx = max((tuple(map(int, v.split("."))) for v in re.findall(r"GLIBCXX_([\d.]+)", text)), default=(3, 4, 0))
    found = [n for v, n in sorted(LIBSTDCXX.items()) if cxx <= v]
    if not found:
        fail(f"{path} needs GLIBCXX_{'.'.join(map(str, cxx))}, which is newer than this script knows: add it to LIBSTDCXX")
    return max(need, found[0], 28)


def cuda_major(path):
    """The major version of the CUDA runtime that a shim is linked with."""
    found = re.search(r"libcudart\.so\.(\d+)", tool("readelf", "-d", path))
    if not found:
        fail(f"{path} is not linked with CUDA's runtime: build it anew (scripts/build_wheel_shims.sh)")
    return found.group(1)


def built(version, kind):
    return os.path.join(ROOT, "build", "wheel", "shims", f"{version}-{kind}", SHIM)


def shims(versions, kinds):
    """Name in the wheel and path of each shim."""
    for version in versions:
        minor = ".".join(version.split(".")[:2])
        for kind in kinds:
            path = built(version, kind)
            if not os.path.exists(path):
                fail(f"{os.path.relpath(path, ROOT)} is not there: run scripts/build_wheel_shims.sh {version}-{kind}")
            yield f"eegprune/shims/{minor}/{'cpu' if kind == 'cpu' else 'cu' + cuda_major(path)}/{SHIM}", path


def module():
    """Name in the wheel and bytes of each file of the Python module."""
    folder = os.path.join(ROOT, "python", "eegprune")
    for name in sorted(n for n in os.listdir(folder) if n.endswith(".py")):
        with open(os.path.join(folder, name), "rb") as f:
            yield f"eegprune/{name}", f.read()
    for name in EXPORT:
        with open(os.path.join(ROOT, "scripts", name), encoding="utf-8") as f:
            # They lie beside each other as scripts, and in a package here.
            yield f"eegprune/{name}", re.sub(r"^from (export_\w+) import", r"from .\1 import", f.read(), flags=re.MULTILINE).encode()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", default=",".join(TO_LINK), help="of torch (default: one of each minor version)")
    parser.add_argument("--kinds", default="cpu,cuda", help="cpu, cuda or both (default)")
    parser.add_argument("--program", default=os.path.join(ROOT, "build", "wheel", "eegprune"), help="default build/wheel/eegprune")
    parser.add_argument("--out", default=os.path.join(ROOT, "build", "wheel"), help="a directory")
    parser.add_argument("--shims", action="store_true", help="print the names of the shims that the wheel carries, and build nothing")
    a = parser.parse_args()
    versions, kinds = a.versions.split(","), a.kinds.split(",")
    if not set(versions) <= set(TO_LINK) or not set(kinds) <= {"cpu", "cuda"}:
        fail(f"--versions are of {', '.join(TO_LINK)}, --kinds of cpu and cuda")

    if a.shims:
        for version, kind in itertools.product(versions, kinds):
            print(f"{version}-{kind}")
        return
    libraries = [("eegprune/bin/eegprune", a.program), *shims(versions, kinds)]
    files = [(name, stripped(path), 0o755) for name, path in libraries]
    files += [(name, data, 0o644) for name, data in module()]
    minor = max(glibc(path) for _, path in libraries)
    tag = f"py3-none-manylinux_2_{minor}_{platform.machine()}"
    version = json.loads(tool(a.program, "version", "--json"))["version"]
    known = [v.rsplit(".", 1)[0] for v in TO_LINK]
    info = f"eegprune-{version}.dist-info"
    about = METADATA.format(version=version, oldest=known[0], newest=known[-1], after=known[-1].split(".")[0] + "." + str(int(known[-1].split(".")[1]) + 1))
    files += [(f"{info}/METADATA", about.encode(), 0o644),
              (f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: eegprune\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(), 0o644),
              (f"{info}/entry_points.txt", b"[console_scripts]\neegprune = eegprune.launch:main\n", 0o644)]
    for name in ("LICENSE", "NOTICE"):
        with open(os.path.join(ROOT, name), "rb") as f:
            files.append((f"{info}/licenses/{name}", f.read(), 0o644))
    record = "".join(f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
                     for name, data, _ in files) + f"{info}/RECORD,,\n"
    files.append((f"{info}/RECORD", record.encode(), 0o644))

    os.makedirs(a.out, exist_ok=True)
    path = os.path.join(a.out, f"eegprune-{version}-{tag}.whl")
    with zipfile.ZipFile(path + ".part", "w", zipfile.ZIP_DEFLATED) as z:
        for name, data, mode in files:
            entry = zipfile.ZipInfo(name, DATE)
            entry.external_attr, entry.compress_type, entry.create_system = (0o100000 | mode) << 16, zipfile.ZIP_DEFLATED, 3
            z.writestr(entry, data)
    os.replace(path + ".part", path)
    print(path)


if __name__ == "__main__":
    main()
