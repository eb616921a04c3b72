#!/usr/bin/env python3
"""Compiles the GPU's kernels (cgo/gpu) as the shim compiles them when it runs, for processors of every
generation that libtorch is made for. It needs neither a GPU nor a driver: NVRTC comes from beside the active
Python's torch, or as a pinned wheel into the user's cache (45 MB to download, 120 MB to keep).

Prints the registers, the shared memory and the spilled bytes of each kernel; fails with NVRTC's message.
"""
import ctypes
import glob
import importlib.util
import os
import re
import sys
import tempfile
import time

import get_libtorch

NVRTC = "nvidia-cuda-nvrtc==13.2.86"
PROCESSORS = (75, 80, 86, 90, 100)
KERNELS = os.path.join(get_libtorch.ROOT, "cgo", "gpu")


def beside_torch():
    spec = importlib.util.find_spec("torch")
    for folder in spec.submodule_search_locations if spec and spec.submodule_search_locations else []:
        found = glob.glob(os.path.join(os.path.dirname(folder), "nvidia", "*", "lib", "libnvrtc.so.1[23]"))
        if found:
            return found[0]
    return None


def cached():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    home = os.path.join(cache, "eegprune", NVRTC.replace("==", "-"))
    library = os.path.join(home, "nvidia", "cu13", "lib", "libnvrtc.so.13")
    if not os.path.exists(library):
        os.makedirs(home, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home) as work:
            get_libtorch.say(f"getting NVRTC: downloads 45 MB, keeps 120 MB in {home}")
            get_libtorch.download([NVRTC], work)
            parts = os.path.join(work, "parts")
            for wheel in glob.glob(os.path.join(work, "*.whl")):
                get_libtorch.unpack(wheel, parts, lambda name: "/lib/" in name)
            get_libtorch.put(parts, home)
    return library


def program():
    """The text in the order of cgo/gpu/sources.h.in, which the shim holds."""
    with open(os.path.join(KERNELS, "sources.h.in")) as f:
        names = re.findall(r"@EP_GPU_(.*?)@", f.read())
    lost = {os.path.basename(p) for p in glob.glob(os.path.join(KERNELS, "*.cu"))} - set(names)
    if lost:
        sys.exit(f"sources.h.in does not name {', '.join(sorted(lost))}: the shim would go without")
    text = ""
    for name in names:
        with open(os.path.join(KERNELS, name)) as f:
            text += f'#line 1 "{name}"\n' + f.read()
    return text


class Compiler:
    def __init__(self, path):
        self.library = ctypes.CDLL(path)

    def call(self, name, *arguments):
        code = getattr(self.library, name)(*arguments)
        if code != 0:
            sys.exit(f"{name} failed with NVRTC's error {code}")

    def processors(self):
        n = ctypes.c_int()
        self.call("nvrtcGetNumSupportedArchs", ctypes.byref(n))
        known = (ctypes.c_int * n.value)()
        self.call("nvrtcGetSupportedArchs", known)
        return list(known)

    def compile(self, text, processor):
        """Whether it worked, and NVRTC's log."""
        handle, size = ctypes.c_void_p(), ctypes.c_size_t()
        self.call("nvrtcCreateProgram", ctypes.byref(handle), text.encode(), b"eegprune.cu", 0, None, None)
        options = [f"--gpu-architecture=sm_{processor}".encode(), b"--std=c++17", b"--ptxas-options=-v"]
        code = self.library.nvrtcCompileProgram(handle, len(options), (ctypes.c_char_p * len(options))(*options))
        self.call("nvrtcGetProgramLogSize", handle, ctypes.byref(size))
        log = ctypes.create_string_buffer(size.value)
        self.call("nvrtcGetProgramLog", handle, log)
        self.call("nvrtcDestroyProgram", ctypes.byref(handle))
        return code == 0, log.value.decode()


def resources(log):
    """Of each kernel by name: registers, bytes of shared memory, spilled bytes."""
    found = {}
    for part in log.split("Compiling entry function '")[1:]:
        registers, shared = re.search(r"Used (\d+) registers", part), re.search(r"(\d+) bytes smem", part)
        spills = re.findall(r"(\d+) bytes spill", part)
        found[part.split("'")[0]] = (int(registers[1]), int(shared[1]) if shared else 0, sum(map(int, spills)))
    return found


def main():
    library, text = beside_torch() or cached(), program()
    compiler = Compiler(library)
    known, table, failed = compiler.processors(), {}, False
    for processor in PROCESSORS:
        if processor not in known:
            print(f"sm_{processor}: {library} does not know it")
            continue
        start = time.monotonic()
        worked, log = compiler.compile(text, processor)
        if not worked:
            print(f"sm_{processor}: the kernels do not compile:\n{log}", file=sys.stderr)
            failed = True
            continue
        table[processor] = resources(log)
        print(f"sm_{processor}: {len(table[processor])} kernels in {time.monotonic() - start:.1f} s")
    if failed:
        sys.exit(1)
    print(f"\n{'registers/shared bytes/spilled bytes':36}" + "".join(f"{f'sm_{p}':>14}" for p in table))
    for name in sorted({n for of in table.values() for n in of}):
        print(f"{name:36}" + "".join(f"{'/'.join(map(str, of[name])) if name in of else '':>14}" for of in table.values()))


if __name__ == "__main__":
    main()
