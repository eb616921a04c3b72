"""Weights that a network's forward rescales, for export_network.py."""
import contextlib
import copy
import math
import warnings

import torch
from torch.overrides import TorchFunctionMode

from export_places import ExportError, calling, first_line, forward_of, raising

WRITES = ("__iadd__", "__isub__", "__imul__", "__itruediv__", "__idiv__", "__setitem__")


def name_of(function):
    name = getattr(function, "__name__", "")
    return f"{getattr(function.__self__, '__name__', '')}.{name}" if name in ("__get__", "__set__") else name


def writes(name):
    return name == "data.__set__" or name in WRITES or name.endswith("_") and not name.endswith("__")


def storage(t):
    try:
        return t.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):  # some kinds of tensors have none
        return None


class Watch(TorchFunctionMode):
    """Notes how a forward pass writes to weights: `seen` has (weight, place, renorm's p, dim
    and maxnorm or None) of each time."""

    def __init__(self, net):
        super().__init__()
        self.weights = {storage(p): name for name, p in net.named_parameters() if p.numel()}
        self.seen, self.renormed, self.keep = [], {}, []

    def weight(self, t):
        return self.weights.get(storage(t)) if isinstance(t, torch.Tensor) else None

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = name_of(function)
        target = kwargs.get("out", args[0] if args else None)
        to = self.weight(target) if writes(name) or "out" in kwargs else None
        bound = None
        if name in ("renorm", "renorm_"):
            bound = renorm_arguments(*args, **kwargs)
            bound["of"] = self.weight(args[0] if args else kwargs["input"])
        elif len(args) > 1:
            bound = self.renormed.get(id(args[1]))
        out = function(*args, **kwargs)
        if to:
            self.seen.append((to, calling(), bound and {k: bound[k] for k in ("norm", "p", "dim")} if bound and bound["of"] == to else None))
            if name == "data.__set__":
                self.weights[storage(args[1])] = to
        if name == "renorm":
            self.renormed[id(out)] = bound
            self.keep.append(out)  # so that no other tensor has its id
        return out


def renorm_arguments(input, p, dim, maxnorm, out=None):
    return {"norm": float(maxnorm), "p": exponent(p), "dim": int(dim) % input.dim()}


def exponent(p):
    return "inf" if math.isinf(p) else int(p) if p == int(p) else float(p)


def find_max_norms(net, x):
    """The weights that a forward pass rescales, and how and where: {name: {"norm", "p", "dim"}}, {name: Place}."""
    own = copy.deepcopy(net)
    with Watch(own) as first:
        try:
            out = own(x)
        except Exception as e:
            raise ExportError(f"{raising(e, net)}: forward fails for an input of shape {list(x.shape)}: {first_line(e)}") from e
    if not isinstance(out, torch.Tensor) or out.dim() != 2 or len(out) != len(x) or out.shape[1] < 2:
        what = f"a tensor of shape {list(out.shape)}" if isinstance(out, torch.Tensor) else f"a {type(out).__name__}"
        raise ExportError(f"{forward_of(net)}: forward gives {what} for {len(x)} clips: it must give one tensor, [clips, classes]")
    # Weights of any size above a bound: what is conditional happens, and how it rescales shows.
    large = copy.deepcopy(net)
    g = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in large.parameters():
            p.copy_(100 * torch.randn(p.shape, generator=g))
    weights = dict(large.named_parameters())
    before = {name: p.detach().clone() for name, p in weights.items()}
    with Watch(large) as second, contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        large(x)
    after = dict(large.named_parameters())
    bounds, places = {}, {}
    for name, value in before.items():
        told = [s for s in first.seen + second.seen if s[0] == name]
        at = next((s[1] for s in told if s[1]), None) or forward_of(net)
        if after.get(name) is not weights[name]:
            raise ExportError(f"{at}: forward puts another tensor in the place of the weight {name}, so that no optimizer trains it: change its values instead")
        if not told and torch.equal(after[name], value):
            continue
        exact = [s[2] for s in told]
        bound = exact[0] if exact and all(e == exact[0] for e in exact) else None
        bound = bound or (max_norm_between(value, after[name].detach()) if not any(exact) else None)
        if not bound:
            raise ExportError(f"{at}: forward changes the weight {name}, and not as torch.renorm does over one of its dimensions with one "
                              "largest norm, which is all that can be exported: leave it to the loop that trains")
        bounds[name], places[name] = bound, at
    return bounds, places


def max_norm_between(before, after):
    """The max-norm that makes after of before, whose slices were all above it; None where there is none."""
    for dim in range(before.dim() if before.dim() > 1 else 0):
        over = [d for d in range(before.dim()) if d != dim]
        for p in (2, 1, math.inf):
            was, now = (torch.linalg.vector_norm(t.double(), p, over, keepdim=True) for t in (before, after))
            if now.max() < was.min() and now.max() - now.min() <= 1e-3 * now.max() and torch.allclose(before * (now / was), after.double(), rtol=1e-3, atol=0):
                return {"norm": float(f"{now.mean().item():.4g}"), "p": exponent(p), "dim": dim}
    return None
