"""Places in a network's code, for what export_network.py says about it."""
import functools
import importlib.util
import linecache
import os
import re
import sys
import sysconfig
import traceback

LIBRARIES = ("torch", "einops", "sympy", "numpy")
STANDARD = sysconfig.get_paths()["stdlib"] + os.sep
OWN = [os.path.join(os.path.dirname(os.path.abspath(__file__)), name) for name in ("export_network.py", "export_norms.py", "export_places.py")]


class ExportError(Exception):
    """Why a network can't be exported: one sentence, with the place in its code."""


@functools.cache
def library_roots():
    found = (importlib.util.find_spec(name) for name in LIBRARIES)
    return tuple(os.path.dirname(spec.origin) + os.sep for spec in found if spec)


def is_users(filename):
    """Whether a file is of the network: not Python's, PyTorch's or this one."""
    if filename.startswith("<"):
        return filename.startswith(("<stdin>", "<ipython"))
    standard = filename.startswith(STANDARD) and "site-packages" not in filename
    return not standard and not filename.startswith(library_roots()) and filename not in OWN


class Place:
    """A line of the network's code."""

    def __init__(self, filename, line):
        self.filename, self.line = filename, line

    @property
    def source(self):
        return linecache.getline(self.filename, self.line).strip()

    def __str__(self):
        near = os.path.relpath(self.filename)
        name = self.filename if near.startswith("..") else near
        return f"{name}:{self.line}: `{self.source}`" if self.source else f"{name}:{self.line}"


def calling():
    """The place that runs now, or None where it is not in the network's code."""
    frame = sys._getframe(1)
    while frame:
        if is_users(frame.f_code.co_filename):
            return Place(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return None


def from_users_code():
    """Whether it is the network's own code that called the operation that a mode is asked about."""
    frame = sys._getframe(2)
    while frame and frame.f_code.co_name == "__torch_function__":  # torch.export has modes of its own
        frame = frame.f_back
    return frame is not None and is_users(frame.f_code.co_filename)


def raising(error, net):
    """The last place in the network's code on the way to an error, else its forward."""
    while error:
        users = [f for f in traceback.extract_tb(error.__traceback__) if is_users(f.filename)]
        if users:
            return Place(users[-1].filename, users[-1].lineno)
        error = error.__cause__ or error.__context__
    return forward_of(net)


def forward_of(net):
    code = type(net).forward.__code__
    return Place(code.co_filename, code.co_firstlineno)


def traced_at(node, net):
    """Where a node of a graph came from."""
    lines = re.findall(r'File "([^"]+)", line (\d+)', node.meta.get("stack_trace") or "")
    users = [Place(f, int(n)) for f, n in lines if is_users(f)]
    return users[-1] if users else forward_of(net)


def first_line(error):
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0].rstrip('.')}" if lines else type(error).__name__
