#!/usr/bin/env python3
"""The values that the tests of models/ and prune/ compare with, from PyTorch, torcheeg's and
braindecode's networks and fvcore's counts.

    pip install torch numpy torcheeg 'pandas<2.3' braindecode==1.8.1 fvcore
    python scripts/make_reference.py --out DIR --seed 5 --classes 3 --electrodes 27
    EEGPRUNE_REFERENCE=DIR go test -run Reference ./models ./prune

Weights and inputs come from `ramp`, a formula that any language can repeat, so that only
the expected values are stored: model_*.json and prune_*.json.
"""
import argparse
import copy
import json
import math
import pathlib
import sys
import types
import warnings

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import networks


def ramp(shape, key, scale=1.0):
    """float32 array of `shape`; element i is (h/2**32 - 0.5) * 2 * scale with
    h = ((i+1)*2654435761 + key*40503) mod 2**32, then h ^= h>>15, h = h*2246822519 mod
    2**32, h ^= h>>13."""
    n = int(np.prod(shape))
    h = ((np.arange(1, n + 1, dtype=np.uint64) * 2654435761) + key * 40503) & 0xFFFFFFFF
    h ^= h >> 15
    h = (h * 2246822519) & 0xFFFFFFFF
    h ^= h >> 13
    return torch.from_numpy(((h / 2.0**32 - 0.5) * 2 * scale).astype(np.float32).reshape(shape))



def shape_of(name, a):
    return (8, a.in_channels, 9, 9) if name in ("ccnn", "ccnn_selu", "fbccnn") else (8, 1, a.electrodes, 4 * a.rate)


def braindecode(name, a, **options):
    """A network of braindecode's that takes clips [n, 1, electrodes, samples], and multiplies in two
    convolutions what it puts into one of the same numbers: fvcore counts what there is."""
    from braindecode import models, modules
    modules.CombinedConv.forward = lambda self, x: self.conv_spat(self.conv_time(x))

    class Network(getattr(models, {"shallowconvnet": "ShallowFBCSPNet", "deep4net": "Deep4Net"}[name])):
        def forward(self, x):
            return super().forward(x.reshape(x.shape[0], *x.shape[-2:]))

    return Network(n_chans=a.electrodes, n_outputs=a.classes, n_times=4 * a.rate, **{k.replace("dropout", "drop_prob"): v for k, v in options.items()})


def construct(name, a, **options):
    """The network as its class makes it."""
    if name in ("shallowconvnet", "deep4net"):
        return braindecode(name, a, **options)
    if name == "ccnn":  # as the pruning paper prints it
        return networks.CCNN(a.in_channels, a.classes)
    # torcheeg.models imports torch_scatter for its graph networks; none of them is used here.
    sys.modules.setdefault("torch_scatter", types.SimpleNamespace(scatter_add=None))
    from torcheeg.models import CCNN, FBCCNN, EEGNet, TSCeption
    if name == "ccnn_selu":
        return CCNN(in_channels=a.in_channels, grid_size=(9, 9), num_classes=a.classes, **options)
    if name == "fbccnn":
        return FBCCNN(in_channels=a.in_channels, grid_size=(9, 9), num_classes=a.classes)
    if name == "eegnet":
        return EEGNet(chunk_size=4 * a.rate, num_electrodes=a.electrodes, kernel_1=a.rate // 2, kernel_2=a.rate // 8,
                      num_classes=a.classes, **options)
    return TSCeption(num_electrodes=a.electrodes, num_T=15, num_S=15, in_channels=1, hid_channels=32,
                     num_classes=a.classes, sampling_rate=a.rate, **options)


def build(name, a):
    """The network without dropout, parameter k from ramp with key + k and a bound of
    sqrt(3 / fan in) (BatchNorm: 1 + ramp(0.5) and ramp(0.1)), running statistics 0 and 1."""
    m = construct(name, a, **({} if name in ("ccnn", "fbccnn") else {"dropout": 0.0}))
    norms = {n for n, x in m.named_modules() if isinstance(x, nn.BatchNorm2d)}
    with torch.no_grad():
        for k, (n, p) in enumerate(m.named_parameters(), a.seed * 100000):
            if n.rsplit(".", 1)[0] in norms and n.endswith("weight"):
                p.copy_(1 + ramp(p.shape, k, 0.5))
            elif p.dim() == 1:
                p.copy_(ramp(p.shape, k, 0.1))
            else:
                p.copy_(ramp(p.shape, k, math.sqrt(3.0 / int(np.prod(p.shape[1:])))))
    for x in m.modules():
        if isinstance(x, nn.BatchNorm2d):
            x.reset_running_stats()
    return m


def digest(t):
    a = t.detach().double().flatten()
    return {"shape": list(t.shape), "sum": a.sum().item(), "abs": a.abs().sum().item(), "head": a[:8].tolist()}


def header(name, a):
    return {"model": name, "in_channels": a.in_channels, "classes": a.classes, "electrodes": a.electrodes, "rate": a.rate,
            "key": a.seed * 100000}


def model_case(name, a):
    m, shape, c = build(name, a), shape_of(name, a), header(name, a)
    x, y = ramp(shape, c["key"] + 9000, 2.0), torch.arange(8) % a.classes
    c |= {"input_shape": list(shape), "input_key": c["key"] + 9000, "labels": y.tolist(),
          "parameters": [[n, list(p.shape)] for n, p in m.named_parameters()],
          "buffers": [[n, list(p.shape)] for n, p in m.named_buffers()],
          "n_parameters": sum(p.numel() for p in m.parameters())}
    m.eval()
    with torch.no_grad():
        c["logits_eval"] = m(x).tolist()
    m.train()
    loss = F.cross_entropy(m(x), y)
    loss.backward()
    c["loss_train"] = loss.item()
    c["grads"] = {n: digest(p.grad) for n, p in m.named_parameters()}
    c["buffers_after"] = {n: digest(b) for n, b in m.named_buffers()}
    # Adam's default eps makes whole steps of gradients that are nothing but rounding, such as those of a bias before a
    # BatchNorm: they are others on each processor.
    for key, make in (("sgd", lambda p: torch.optim.SGD(p, lr=1e-2, momentum=0.9, weight_decay=1e-4)),
                      ("adam", lambda p: torch.optim.Adam(p, lr=1e-3, eps=1e-3))):
        m = build(name, a).train()
        o, losses = make(m.parameters()), []
        for _ in range(4):
            o.zero_grad()
            loss = F.cross_entropy(m(x), y)
            loss.backward()
            o.step()
            losses.append(loss.item())
        c[key] = {"losses": losses, "params_after": {n: digest(p) for n, p in m.named_parameters()}}
    from fvcore.nn import FlopCountAnalysis
    f = FlopCountAnalysis(m.eval(), x[:1])
    f.unsupported_ops_warnings(False)
    f.uncalled_modules_warnings(False)
    c["macs_fvcore"] = dict(f.by_operator()) | {"total": f.total()}
    # Fresh weights with the class's own dropout: EEGNet draws some while it is built.
    torch.manual_seed(a.seed)
    c["init"] = {"seed": a.seed, "state": {n: digest(t) for n, t in construct(name, a).state_dict().items()}}
    return c


def groups(name):
    """Channels that go together: {group: ({producer: filters a channel}, module whose
    output is held at zero, its channels a channel)}."""
    if name.startswith("ccnn"):
        return {f"conv{i}.1": ({f"conv{i}.1": 1}, f"conv{i}", 1) for i in range(1, 5)}
    if name == "fbccnn":
        return {f"block{i}.0": ({f"block{i}.0": 1}, f"block{i}", 1) for i in range(1, 8)}
    if name == "eegnet":
        return {"block1.0": ({"block1.0": 1, "block1.2": 2, "block2.0": 2}, "block1.3", 2), "block2.1": ({"block2.1": 1}, "block2.2", 1)}
    if name == "shallowconvnet":
        return {"conv_time_spat.conv_time": ({"conv_time_spat.conv_time": 1}, "conv_time_spat.conv_time", 1),
                "bnorm": ({"conv_time_spat.conv_spat": 1}, "drop", 1)}
    if name == "deep4net":
        first = {"conv_time_spat.conv_time": ({"conv_time_spat.conv_time": 1}, "conv_time_spat.conv_time", 1),
                 "bnorm": ({"conv_time_spat.conv_spat": 1}, "pool", 1)}
        return first | {f"bnorm_{i}": ({f"conv_{i}": 1}, f"pool_{i}", 1) for i in (2, 3, 4)}
    return {"BN_t": ({"Tception1.1": 1, "Tception2.1": 1, "Tception3.1": 1}, "BN_t", 1),
            "BN_s": ({"Sception1.1": 1, "Sception2.1": 1}, "BN_s", 1), "BN_fusion": ({"fusion_layer.1": 1}, "BN_fusion", 1)}


def held(m, x, masks):
    """Logits with channels of modules' outputs held at zero: {module: a factor for each}.
    That is what surgery must reproduce."""
    modules = dict(m.named_modules())
    hooks = [modules[n].register_forward_hook(lambda _m, _i, o, f=f: o * f.view(1, -1, 1, 1)) for n, f in masks.items()]
    with torch.no_grad():
        logits = m(x).tolist()
    for h in hooks:
        h.remove()
    return logits


def mask(n, keep, span=1):
    f = torch.zeros(n)
    f[keep] = 1
    return f.repeat_interleave(span)


def prune_case(name, a):
    m, c = build(name, a).eval(), header(name, a)
    x = ramp(shape_of(name, a), c["key"] + 9000, 2.0)
    with torch.no_grad():
        m(x)  # EEGNet bounds its norms when it computes
    convs = {n: l for n, l in m.named_modules() if isinstance(l, nn.Conv2d)}
    norms = {n: l.weight.detach().abs() for n, l in m.named_modules() if isinstance(l, nn.BatchNorm2d)}

    def power(p):
        """Sum over a channel's filters of |w|^p, by group."""
        return {g: sum(convs[n].weight.detach().double().abs().pow(p).flatten(1).sum(1).view(-1, span).sum(1)
                       for n, span in producers.items()) for g, (producers, _, _) in groups(name).items()}

    c["cases"] = []
    for ratio in (0.1, 0.3, 0.5, 0.8):
        e = {"ratio": ratio}
        keep = {g: sorted(torch.argsort(v, descending=True, stable=True)[:max(1, round(len(v) * (1 - ratio)))].tolist())
                for g, v in power(1).items()}
        at = {module: mask(len(power(1)[g]), keep[g], span) for g, (_, module, span) in groups(name).items()}
        e["lfp"] = {"keep": keep, "logits": held(m, x, at)}
        e["sfp"] = {"zeroed": {g: sorted(torch.argsort(v.sqrt(), stable=True)[:int(len(v) * ratio)].tolist()) for g, v in power(2).items()}}
        if norms and name not in ("eegnet", "shallowconvnet", "deep4net"):  # whose channels go through more than one BatchNorm, or none
            gammas = torch.cat(list(norms.values()))
            threshold = torch.sort(gammas)[0][int(len(gammas) * ratio)].item()
            keep = {n: (g >= threshold).nonzero().flatten().tolist() or [int(g.argmax())] for n, g in norms.items()}
            e["nsfp"] = {"threshold": threshold, "keep": keep, "logits": held(m, x, {n: mask(len(norms[n]), k) for n, k in keep.items()})}
        weights = torch.cat([l.weight.detach().abs().flatten() for l in convs.values()])
        threshold = torch.sort(weights)[0][int(len(weights) * ratio)].item()
        sparse, nonzero = copy.deepcopy(m), {}
        for n in convs:
            l = sparse.get_submodule(n)
            stays = l.weight.detach().abs().gt(threshold)
            nonzero[n] = int(stays.sum())
            l.weight.data.mul_(stays)
        with torch.no_grad():
            e["uwmp"] = {"threshold": threshold, "nonzero": nonzero, "logits": sparse(x).tolist()}
        c["cases"].append(e)
    return c


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", type=pathlib.Path, required=True)
    p.add_argument("--models", default="ccnn,ccnn_selu,eegnet,fbccnn,tsception,shallowconvnet,deep4net")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--in-channels", type=int, default=4)
    p.add_argument("--classes", type=int, default=2)
    p.add_argument("--electrodes", type=int, default=28)
    p.add_argument("--rate", type=int, default=128)
    a = p.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    a.out.mkdir(parents=True, exist_ok=True)
    for name in a.models.split(","):
        for kind, case in (("model", model_case), ("prune", prune_case)):
            (a.out / f"{kind}_{name}.json").write_text(json.dumps(case(name, a), indent=1) + "\n")


if __name__ == "__main__":
    main()
