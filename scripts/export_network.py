#!/usr/bin/env python3
"""Writes a PyTorch network as a torch.export archive (.pt2) that eegprune trains and prunes.

    from export_network import export
    export(net, x, "net.pt2")       # x: an example batch, [clips, ...], float32

or, of a module that torch.save pickled:

    python export_network.py net.pt --input 22x1000 --out net.pt2

The file is net in training mode with a batch of any size from two up. EEG networks often rescale a weight
in forward, `self.weight.data = torch.renorm(self.weight.data, 2, 0, maxnorm=1)`, which
torch.export can't take. Such weights are found by watching forward; the file's graph is
without the rescaling, and its eegprune.json says what it was:

    {"max_norm": {"conv.weight": {"norm": 1.0, "p": 2, "dim": 0}}}

that is, torch.renorm(weight, p, dim, norm) before the first pass and after each step of the optimizer. The
file is written only where five steps of training give the same losses and weights either
way. What can't be exported is said in a sentence with the line of the network's code.
For torch 2.9 to 2.15. It goes with export_norms.py and export_places.py.
"""
import argparse
import contextlib
import copy
import inspect
import io
import json
import logging
import math
import os
import re
import sys
import tempfile
import warnings

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from export_norms import find_max_norms, name_of, writes
from export_places import ExportError, calling, first_line, forward_of, from_users_code, raising, traced_at

EXTRA = "eegprune.json"
STEPS = 5
RATES = (0.01, 1e-4, 1e-6)  # the first at which the network does not diverge
TOLERANCE = 1e-4  # of a loss; of the largest of a tensor


def export(net, x, path):
    """Writes net to path and returns the max-norm constraints, by weight.

    net is left as it is, and so are PyTorch's generators. x is an example of the input, of one clip
    or more. Raises ExportError where the file would not be the network.

        >>> export(EEGNet(chunk_size=512, num_electrodes=28), torch.randn(4, 1, 28, 512), "eegnet.pt2")
        {'block1.2.weight': {'norm': 1.0, 'p': 2, 'dim': 0}}
    """
    with torch.random.fork_rng(devices=[]):
        net, x = checked(net, x)
        bounds, written_at = find_max_norms(net, x)
        program = traced(net, x, bounds)
        check_steps(net, program, x, bounds, written_at)
        check_evaluation(net, program, x, bounds)
    save(program, bounds, path)
    return bounds


def save(program, bounds, path):
    """The file appears whole or not at all."""
    extra = {EXTRA: json.dumps({"max_norm": bounds})} if bounds else {}
    at = os.path.abspath(path)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(at)) as work:
        part = os.path.join(work, os.path.basename(at))  # its name stands in the archive
        torch.export.save(program, part, extra_files=extra)
        os.replace(part, at)


# ---- what goes in


def checked(net, x):
    """A copy of net in training mode, and x, both on the CPU."""
    if not isinstance(net, torch.nn.Module) or isinstance(net, torch.jit.ScriptModule):
        raise ExportError(f"a {type(net).__name__} can't be exported: pass the torch.nn.Module itself")
    if not isinstance(x, torch.Tensor):
        raise ExportError(f"the example input is a {type(x).__name__}: the network must take one tensor, [clips, ...]; "
                          "put one that takes several into a module whose forward makes them of one")
    needed = [p.name for p in inspect.signature(net.forward).parameters.values()
              if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if len(needed) != 1:
        raise ExportError(f"{forward_of(net)}: forward takes {len(needed)} inputs ({', '.join(needed)}): the network must take one tensor, "
                          "[clips, ...]; put it into a module whose forward makes the others")
    if x.dim() < 2 or not x.numel() or x.dtype != torch.float32:
        raise ExportError(f"the example input is of shape {list(x.shape)} and type {x.dtype}: it must be [clips, ...] of torch.float32")
    for name, p in net.named_parameters():
        if isinstance(p, torch.nn.parameter.UninitializedTensorMixin):
            raise ExportError(f"the weight {name} has no shape yet: run net(x) once before the export")
        if p.dtype != torch.float32:
            raise ExportError(f"the weight {name} is {p.dtype}: export net.float()")
    try:
        net = copy.deepcopy(net).cpu().train()
    except (RuntimeError, TypeError) as e:
        raise ExportError(f"the network can't be copied ({first_line(e)}): make it anew and load its state_dict") from e
    return net, like(x.detach().cpu(), 4, 0)


def like(x, clips, seed):
    """Clips near those of x, all different."""
    g = torch.Generator().manual_seed(seed)
    noise = torch.randn(clips, *x.shape[1:], generator=g)
    return x[torch.arange(clips) % len(x)] * (1 + noise / 2) if x.std() > 0 else noise


# ---- torch.export


class Held(TorchFunctionMode):
    """Leaves out what forward writes to the weights that `bounds` names. It also makes
    detach() of .data, which torch.export can't take, and notes where each operation comes first."""

    def __init__(self, net, bounds):
        super().__init__()
        self.net, self.bounds, self.views, self.first = net, bounds, [], {}

    def weight(self, t):
        # While torch.export traces, other tensors stand in the place of the parameters.
        return any(t is v for v in self.views) or any(t is p for name, p in self.net.named_parameters() if name in self.bounds)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = name_of(function)
        if name not in self.first:
            self.first[name] = calling()
        target = kwargs.get("out", args[0] if args else None)
        if (writes(name) or "out" in kwargs) and self.bounds and self.weight(target):
            return None if name in ("data.__set__", "__setitem__") else target
        if name == "data.__get__" and from_users_code():
            out = args[0].detach()
            if self.bounds and self.weight(args[0]):
                self.views.append(out)
            return out
        out = function(*args, **kwargs)
        if name == "detach" and self.bounds and self.weight(args[0]):
            self.views.append(out)
        return out


@contextlib.contextmanager
def watching_sizes(seen):
    """Notes what torch.export finds out about sizes that may be any: (place, number or the condition)."""
    from torch.fx.experimental.symbolic_shapes import ShapeEnv
    kept = {name: getattr(ShapeEnv, name) for name in ("_set_replacement", "_log_guard") if hasattr(ShapeEnv, name)}

    def replace(env, symbol, to, *args, **kwargs):
        if getattr(to, "is_number", False):
            seen.append((calling(), int(to)))
        return kept["_set_replacement"](env, symbol, to, *args, **kwargs)

    def guard(env, prefix, condition, *args, **kwargs):
        seen.append((calling(), str(condition)))
        return kept["_log_guard"](env, prefix, condition, *args, **kwargs)

    for name, watched in (("_set_replacement", replace), ("_log_guard", guard)):
        if name in kept:
            setattr(ShapeEnv, name, watched)
    try:
        yield
    finally:
        for name, was in kept.items():
            setattr(ShapeEnv, name, was)


@contextlib.contextmanager
def silence():
    """torch.export prints and logs what is said here in a sentence."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def traced(net, x, bounds):
    """The exported program of net without the rescaling of bounds."""
    sizes, held = [], Held(net, bounds)
    try:
        with silence(), held, watching_sizes(sizes):
            program = torch.export.export(net, (x,), dynamic_shapes=({0: torch.export.Dim("batch", min=2)},), strict=False)
    except Exception as e:
        raise ExportError(why_not(e, net, sizes)) from e
    clear(program, bounds)
    check_graph(program, net, held.first)
    return program


def why_not(error, net, sizes):
    text = f"{type(error).__name__} {error}"
    at = raising(error, net)
    if "specialized" in text and "batch" in text:
        number = next((n for _, n in sizes if isinstance(n, int)), None)
        conditions = [p for p, c in reversed(sizes) if p and not isinstance(c, int)]  # the last is the one that failed
        at = next((p for p, n in sizes if p and n == number), None) or next(iter(conditions), at)
        mend = "len() does that: take x.shape[0]" if "len(" in at.source else "take it from the input, x.shape[0]"
        return f"{at}: this fixes the number of clips in a batch{f' to {number}' if number else ''}; {mend}"
    if "Constraints violated" in text:
        rule = re.search(r"^\s*batch = (.+)$", text, re.MULTILINE)
        place = next((p for p, condition in sizes if p and isinstance(condition, str) and "Mod(" in condition), at)
        return f"{place}: forward takes some numbers of clips only{f', {rule.group(1).strip()}' if rule else ''}: it must take any from two up"
    if re.search(r"\.numpy\(|\bnp\.", at.source):
        return f"{at}: numpy computes outside PyTorch, where torch.export can't follow: use torch's operations"
    if re.search(r"\.(item|tolist)\(\)|\b(int|float|bool)\(", at.source):
        return f"{at}: this takes a number out of a tensor, which a graph can't hold: keep it a tensor"
    if "data-dependent" in text or "DataDependent" in text:
        return f"{at}: the way through forward depends on the values of its input, which a graph can't hold: compute both and choose by torch.where"
    return f"{at}: torch.export can't take this: {first_line(error)}"


def clear(program, bounds):
    """Takes out what is left of the rescaling: nodes computed from a bounded weight alone that nothing uses."""
    weights = {n for n, name in program.graph_signature.inputs_to_parameters.items() if name in bounds}
    alone = set()
    for node in program.graph.nodes:
        inputs = [n for n in node.all_input_nodes if n.op != "get_attr"]
        if node.op == "placeholder" and node.name in weights or node.op == "call_function" and inputs and all(n in alone for n in inputs):
            alone.add(node)
    for node in reversed(list(program.graph.nodes)):
        if not node.users and (node.op == "get_attr" or node.op == "call_function" and node in alone):
            program.graph.erase_node(node)
    program.graph_module.delete_all_unused_submodules()
    program.graph_module.recompile()


TAKES_NUMBER = ("item", "tolist", "__int__", "__float__", "__bool__", "__index__")


def check_graph(program, net, first):
    """Refuses what torch.export takes and eegprune can't run. first says where each operation was called."""
    for node in program.graph.nodes:
        if node.op != "call_function":
            continue
        name = str(node.target)
        at = traced_at(node, net)
        if name in ("aten.item.default", "aten._local_scalar_dense.default"):
            at = next((first[n] for n in TAKES_NUMBER if first.get(n)), at)
            raise ExportError(f"{at}: this takes a number out of a tensor, which a graph can't hold: keep it a tensor")
        if "set_grad_enabled" in name:
            at = first.get("_set_grad_enabled") or at
            raise ExportError(f"{at}: torch.no_grad() in forward makes a graph within the graph: use detach() instead")
        if isinstance(node.target, torch._ops.HigherOrderOperator):
            raise ExportError(f"{at}: {node.target.name()} makes a graph within the graph, which eegprune can't run")
        if isinstance(node.target, torch._ops.OpOverload) and node.target.namespace != "aten":
            raise ExportError(f"{at}: {name} is no operation of PyTorch's own")
        if re.search(r"\bu\d+\b", str(getattr(node.meta.get("val"), "shape", ""))):
            raise ExportError(f"{at}: the size of what this gives depends on values: it must follow from the input's shape alone")
    changed = [s.target for s in program.graph_signature.output_specs if s.kind.name == "PARAMETER_MUTATION"]
    if changed:
        raise ExportError(f"{forward_of(net)}: forward changes the weight {changed[0]}: leave it to the loop that trains")


# ---- whether the file is the network


def check_steps(net, program, x, bounds, written_at):
    """Trains net and the exported program, from its own weights and, where some are bounded,
    from such on both sides of the bound."""
    at = next(iter(written_at.values()), forward_of(net))
    for spread in (False, True) if bounds else (False,):
        first, second = copy.deepcopy(net), copy.deepcopy(program).module()
        if spread:
            spread_norms(first, second, bounds)
        try:
            for rate in RATES:
                want = five_steps(copy.deepcopy(first), x, {}, bounds, rate)
                if all(loss <= 10 * max(want[0][0], 1) for loss in want[0]):  # losses that grow beyond that amplify the rounding too
                    break
            got = five_steps(second, x, bounds, bounds, rate)
        except Exception as e:
            raise ExportError(f"{raising(e, net)}: five steps of training fail, of batches of two to five clips: {first_line(e)}") from e
        compare(want, got, bounds, at)


def spread_norms(first, second, bounds):
    g = torch.Generator().manual_seed(2)
    others = dict(second.named_parameters())
    with torch.no_grad():
        for name, w in first.named_parameters():
            if name in bounds:
                b = bounds[name]
                over = [d for d in range(w.dim()) if d != b["dim"]]
                norms = torch.linalg.vector_norm(w, float(b["p"]), over, keepdim=True).clamp(min=1e-12)
                w.mul_(b["norm"] * (0.25 + 2 * torch.rand(norms.shape, generator=g)) / norms)
                others[name].copy_(w)


def hold(model, bounds):
    weights = dict(model.named_parameters())
    with torch.no_grad():
        for name, b in bounds.items():
            weights[name].copy_(torch.renorm(weights[name], float(b["p"]), b["dim"], b["norm"]))


def five_steps(model, x, held, at_end, rate):
    """The losses, and the weights and buffers after the steps, with the bounds of at_end held."""
    torch.manual_seed(7)
    optimizer = torch.optim.SGD([w for w in model.parameters() if w.requires_grad], lr=rate)
    losses = []
    hold(model, held)
    for step in range(STEPS):
        batch = like(x, (4, 3, 5, 2, 4)[step], step + 10)
        logits = model(batch)
        y = torch.arange(len(batch)) % logits.shape[1]
        optimizer.zero_grad()
        loss = F.cross_entropy(logits, y)
        loss.backward()
        optimizer.step()
        hold(model, held)
        losses.append(loss.item())
    hold(model, at_end)
    return losses, {k: v.detach() for k, v in model.state_dict().items()}


def compare(want, got, bounds, at):
    told = ", ".join(f"{k} bounded by a norm of {b['norm']:g}" for k, b in bounds.items())
    held = f" with {told}" if told else ""
    perhaps = ("forward rescales a weight otherwise than by a max-norm" if bounds else
               "forward draws from another generator than PyTorch's, or changes what is no weight or buffer")
    losses = f"{', '.join(f'{b:.6g}' for b in got[0])}, not {', '.join(f'{a:.6g}' for a in want[0])}"
    if not all(math.isfinite(a) for a in want[0]):
        raise ExportError(f"{at}: the network's own losses of five steps are {', '.join(f'{a:g}' for a in want[0])}: pass an example that is like its data")
    off = max(abs(a - b) / max(abs(a), 1e-12) for a, b in zip(want[0], got[0], strict=True))
    if not off <= TOLERANCE:
        raise ExportError(f"{at}: the losses of five steps are not the network's: the exported graph{held} is off by {off:.1e} of the loss "
                          f"({losses}); perhaps {perhaps}")
    for name, a in want[1].items():
        b = got[1].get(name)
        if b is None or not a.is_floating_point() or not a.numel():
            continue
        off = ((a - b).abs().max() / a.abs().max().clamp(min=1e-12)).item()
        if not off <= 10 * TOLERANCE:
            raise ExportError(f"{at}: after five steps {name} is not the network's: the exported graph{held} is off by {off:.1e} of its largest; "
                              f"perhaps {perhaps}")


FOLLOW = {"batch_norm": 5, "dropout": 2, "dropout_": 2, "feature_dropout": 2, "feature_dropout_": 2, "alpha_dropout": 2, "alpha_dropout_": 2,
          "feature_alpha_dropout": 2, "feature_alpha_dropout_": 2, "rrelu": 3, "rrelu_": 3}


def without_training(graph):
    """Turns off batch norm's training and dropout in a graph that was exported in training mode."""
    for node in graph.nodes:
        if node.op != "call_function" or not isinstance(node.target, torch._ops.OpOverload):
            continue
        name = node.target._schema.name.removeprefix("aten::")
        if name in FOLLOW and len(node.args) > FOLLOW[name]:
            node.update_arg(FOLLOW[name], False)
        elif name in ("lstm", "gru", "rnn_tanh", "rnn_relu") and len(node.args) > 6:
            node.update_arg(next(i for i, a in enumerate(node.target._schema.arguments) if a.name == "train"), False)
        elif name == "scaled_dot_product_attention":
            if len(node.args) > 4:
                node.update_arg(4, 0.0)
            node.kwargs = {**node.kwargs, "dropout_p": 0.0} if "dropout_p" in node.kwargs else node.kwargs


def check_evaluation(net, program, x, bounds):
    """Warns where evaluation is not the training's graph with batch norm and dropout turned off."""
    graph = copy.deepcopy(program).module()
    hold(graph, bounds)
    without_training(graph.graph)
    graph.recompile()
    eager = copy.deepcopy(net).eval()
    try:
        with torch.no_grad():
            want, got = eager(x), graph(x)
    except Exception as e:
        raise ExportError(f"{raising(e, net)}: forward fails in evaluation mode: {first_line(e)}") from e
    off = ((want - got).abs().max() / want.abs().max().clamp(min=1e-12)).item()
    if not off <= TOLERANCE:
        warnings.warn(f"{forward_of(net)}: in evaluation mode the network's logits are not those of the exported graph without dropout, by {off:.1e} "
                      "of the largest: forward does something else there, which the file does not hold", stacklevel=3)


# ---- the command


def load(path):
    """The module that torch.save pickled. The pickle says which functions to call, so that reading it runs its code."""
    sys.path.insert(0, os.getcwd())
    try:
        net = torch.load(path, map_location="cpu", weights_only=False)
    except (AttributeError, ImportError) as e:
        raise ExportError(f"{path}: the network's class can't be found ({e}): run this where its module can be imported, "
                          "or call export() in the program that defines it") from e
    except Exception as e:
        raise ExportError(f"{path}: can't be read: {first_line(e)}") from e
    if not isinstance(net, torch.nn.Module):
        raise ExportError(f"{path}: holds a {type(net).__name__} and no network, perhaps its weights alone: torch.save(net, FILE) the module itself, "
                          "or call export() in the program that makes it")
    return net


def shape(text):
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no shape of one clip, such as 22x1000 or 1x28x512")
    return [int(n) for n in text.split("x")]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                epilog="Reading a pickled module executes code that the file names: only read files that you trust.")
    p.add_argument("network", help="torch.save(net, FILE); reading it executes code in it")
    p.add_argument("--input", type=shape, required=True, metavar="SHAPE", help="of one clip, such as 22x1000")
    p.add_argument("--out", required=True, metavar="FILE", help="the .pt2 to write")
    a = p.parse_args()
    warnings.showwarning = lambda message, *_, **__: print(f"export_network.py: warning: {message}", file=sys.stderr)
    try:
        print(f"reading {a.network}, which executes the code that it names", file=sys.stderr)
        bounds = export(load(a.network), torch.randn(2, *a.input, generator=torch.Generator().manual_seed(0)), a.out)
    except (ExportError, OSError) as e:
        sys.exit(f"export_network.py: {e}")
    for name, b in bounds.items():
        print(f"{name}: max-norm {b['norm']:g} (p {b['p']}, dimension {b['dim']})")
    print(f"wrote {a.out}: losses of {STEPS} steps are the network's")


if __name__ == "__main__":
    main()
